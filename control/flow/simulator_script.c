/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/draft.h"
#include "flow/simulator_private.h"

enum kind { TEXT, NUMBER, TIME, FLAG, TEXTS, PERCENTS, ANSWERS, EVENTS, ANY, KEYS };

struct member {
	const char *name;
	enum kind kind;
};

static const struct member script_members[] = {{"type", TEXT}, {"facts", TEXTS},
	{"attributes", TEXTS}, {"related", TEXTS}, {"random", PERCENTS}, {"wait_pauses", FLAG},
	{"queue_flow", TEXT}, {"limit_ms", TIME}, {"answers", ANSWERS}, {"events", EVENTS},
	{"description", TEXT}};

static const struct member answer_members[] = {{"after", TIME}, {"keys", KEYS}, {"gap", TIME},
	{"lasts", TIME}, {"fails", FLAG}, {"result", TEXT}, {"error", TEXT}, {"number", NUMBER},
	{"json", ANY}, {"text", TEXT}, {"values", TEXTS}};

static const struct member event_members[] = {{"at", TIME}, {"do", TEXT}, {"key", KEYS}};

static const char *const results[] = {
	[FLOW_RESULT_OK] = "ok",
	[FLOW_RESULT_ERROR] = "error",
	[FLOW_RESULT_AT_CAPACITY] = "at_capacity",
	[FLOW_RESULT_YES] = "yes",
	[FLOW_RESULT_NO] = "no",
	[FLOW_RESULT_ENDED] = "ended",
	[FLOW_RESULT_CALL_FAILED] = "call_failed",
	[FLOW_RESULT_TIMEOUT] = "timeout",
	[FLOW_RESULT_INVALID] = "invalid",
	[FLOW_RESULT_NOT_DIALABLE] = "not_dialable",
	[FLOW_RESULT_FAILED] = "failed",
};

static const char *const happenings[] = {
	[SIM_KEY] = "key", [SIM_HANG_UP] = "hang_up", [SIM_TAKE] = "take", [SIM_LEAVE] = "leave"};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static int place_in(const char *const *list, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], word) == 0)
			return (int)i;
	return -1;
}

__attribute__((format(printf, 3, 4))) static int fault(
	struct sim *sim, const char *where, const char *format, ...)
{
	char place[REPORT_PLACE_MAX];
	va_list args;

	snprintf(place, sizeof(place), "%s%s%.200s",
		sim->config->script_file != NULL ? sim->config->script_file : "script",
		*where != '\0' ? ": " : "", where);
	va_start(args, format);
	report_vadd(sim->report, REPORT_ERROR, place, format, args);
	va_end(args);
	return -EINVAL;
}

/* ---- kinds --------------------------------------------------------------------------- */

static bool are_texts(const json_t *value)
{
	const char *name;
	json_t *inner;

	json_object_foreach((json_t *)value, name, inner)
	{
		if (!json_is_string(inner))
			return false;
	}
	return json_is_object(value);
}

static bool is_between(const json_t *value, json_int_t min, json_int_t max)
{
	return json_is_integer(value) && json_integer_value(value) >= min &&
	       json_integer_value(value) <= max;
}

static bool are_percents(const json_t *value)
{
	json_t *inner;
	size_t index;

	json_array_foreach((json_t *)value, index, inner)
	{
		if (!is_between(inner, 1, 100))
			return false;
	}
	return json_array_size(value) > 0;
}

static bool are_keys(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL && strlen(text) <= SIM_KEYS_MAX &&
	       text[strspn(text, "0123456789*#")] == '\0';
}

static const char *expected(enum kind kind, const json_t *value)
{
	switch (kind) {
	case TEXT:
		return json_is_string(value) ? NULL : "a text";
	case NUMBER:
		return json_is_integer(value) ? NULL : "a whole number";
	case FLAG:
		return json_is_boolean(value) ? NULL : "true or false";
	case TIME:
		return is_between(value, 0, UINT32_MAX) ? NULL : "milliseconds, 0 to 4294967295";
	case TEXTS:
		return are_texts(value) ? NULL : "an object of texts";
	case PERCENTS:
		return are_percents(value) ? NULL : "a list of numbers from 1 to 100";
	case KEYS:
		return are_keys(value) ? NULL : "keys: 0-9 * #";
	case ANSWERS:
		return json_is_object(value) ? NULL : "an object";
	case EVENTS:
		return json_is_array(value) && json_array_size(value) <= SIM_EVENTS_MAX
			       ? NULL
			       : "a list of at most 1000 events";
	case ANY:
		break;
	}
	return NULL;
}

static int judge(struct sim *sim, const char *where, const json_t *object,
	const struct member *members, size_t count)
{
	const char *name;
	json_t *value;
	int rc = 0;

	if (!json_is_object(object))
		return fault(sim, where, "expected an object, found %s", flow_json_kind(object));
	json_object_foreach((json_t *)object, name, value)
	{
		char place[200];
		size_t i = 0;

		snprintf(
			place, sizeof(place), "%s%s%.100s", where, *where != '\0' ? "." : "", name);
		while (i < count && strcmp(members[i].name, name) != 0)
			i++;
		if (i == count)
			rc = fault(sim, place, "expected no such member");
		else if (expected(members[i].kind, value) != NULL)
			rc = fault(sim, place, "expected %s, found %s",
				expected(members[i].kind, value), flow_json_kind(value));
	}
	return rc;
}

/* ---- answers ------------------------------------------------------------------------- */

static int judge_answer(struct sim *sim, const char *where, const json_t *answer)
{
	int rc = judge(sim, where, answer, answer_members, COUNT(answer_members));
	const char *result = sim_text(answer, "result", "ok");

	if (rc < 0)
		return rc;
	if (place_in(results, COUNT(results), result) < 0)
		return fault(sim, where, "expected a result such as ok or error; '%.40s' is none",
			result);
	if (strcmp(result, "failed") == 0 && sim_error(answer) == FLOW_ERROR_COUNT)
		return fault(sim, where, "expected the name of an error branch in `error`");
	return 0;
}

static int judge_answers(struct sim *sim)
{
	json_t *answers = json_object_get(sim->script, "answers"), *value, *entry;
	const char *name;
	size_t index;
	int rc = 0;

	json_object_foreach(answers, name, value)
	{
		char place[200];

		snprintf(place, sizeof(place), "answers.%.100s", name);
		if (json_is_object(value) && judge_answer(sim, place, value) < 0)
			rc = -EINVAL;
		json_array_foreach(value, index, entry) if (judge_answer(sim, place, entry) < 0)
			rc = -EINVAL;
		if (!json_is_object(value) && json_array_size(value) == 0)
			rc = fault(sim, place, "expected an answer, or a list of answers");
	}
	return rc;
}

/* The entry of a list for this visit; the last one repeats. */
static const json_t *next_of(struct sim *sim, const char *name, const json_t *value)
{
	json_int_t used = json_integer_value(json_object_get(sim->used, name));
	size_t size = json_array_size(value);

	if (!json_is_array(value))
		return value;
	json_object_set_new(sim->used, name, json_integer(used + 1));
	return json_array_get(value, (size_t)used < size ? (size_t)used : size - 1);
}

const json_t *sim_script_answer(struct sim *sim, const struct flow_action *action)
{
	const char *const names[] = {
		action->identifier, flow_action_name((enum flow_action_type)action->type)};
	const json_t *answers = json_object_get(sim->script, "answers");

	for (size_t i = 0; i < COUNT(names); i++) {
		const json_t *value = json_object_get(answers, names[i]);

		if (value != NULL)
			return next_of(sim, names[i], value);
	}
	return NULL;
}

const char *sim_text(const json_t *object, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : otherwise;
}

int64_t sim_number(const json_t *object, const char *name, int64_t otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool sim_flag(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

enum flow_result sim_result(const json_t *answer, enum flow_result otherwise)
{
	const char *word = sim_text(answer, "result", NULL);
	int place = word != NULL ? place_in(results, COUNT(results), word) : -1;

	return place < 0 ? otherwise : (enum flow_result)place;
}

enum flow_error sim_error(const json_t *answer)
{
	const char *name = sim_text(answer, "error", "");

	for (int i = 0; i < FLOW_ERROR_COUNT; i++)
		if (strcmp(name, flow_error_name((enum flow_error)i)) == 0)
			return (enum flow_error)i;
	return FLOW_ERROR_COUNT;
}

/* ---- events -------------------------------------------------------------------------- */

static int read_event(struct sim *sim, size_t index, const json_t *object)
{
	struct sim_event *event = &sim->events[sim->event_count];
	char where[40];
	int kind;

	snprintf(where, sizeof(where), "events[%zu]", index);
	if (judge(sim, where, object, event_members, COUNT(event_members)) < 0)
		return -EINVAL;
	kind = place_in(happenings, COUNT(happenings), sim_text(object, "do", ""));
	if (json_object_get(object, "at") == NULL)
		return fault(sim, where, "expected `at`, milliseconds from the start");
	if (kind < 0)
		return fault(sim, where, "expected `do`: key, hang_up, take or leave");
	if (kind == SIM_KEY && strlen(sim_text(object, "key", "")) != 1)
		return fault(sim, where, "expected `key`, one of 0-9 * #");
	*event = (struct sim_event){.at_ns = (uint64_t)sim_number(object, "at", 0) * SIM_MS,
		.kind = (enum sim_event_kind)kind,
		.key = *sim_text(object, "key", "")};
	sim->event_count++;
	return 0;
}

/* By time; those of one moment in the order of the script. */
static void sort_events(struct sim *sim)
{
	for (uint32_t i = 1; i < sim->event_count; i++) {
		struct sim_event event = sim->events[i];
		uint32_t at = i;

		for (; at > 0 && sim->events[at - 1].at_ns > event.at_ns; at--)
			sim->events[at] = sim->events[at - 1];
		sim->events[at] = event;
	}
}

static int read_events(struct sim *sim)
{
	const json_t *list = json_object_get(sim->script, "events"), *entry;
	size_t index;
	int rc = 0;

	sim->events = calloc(json_array_size(list) + 1, sizeof(*sim->events));
	if (sim->events == NULL)
		return -ENOMEM;
	json_array_foreach((json_t *)list, index, entry) if (read_event(sim, index, entry) < 0) rc =
		-EINVAL;
	sort_events(sim);
	return rc;
}

/* ---- the whole ----------------------------------------------------------------------- */

static int set_texts(struct sim *sim, struct attributes *store, const char *member)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(sim->script, member), name,
		value) if (attributes_set(store, name, json_string_value(value)) <
			   0) return fault(sim, member,
		"expected names and texts of 32 KB at most");
	return 0;
}

static int parse(struct sim *sim)
{
	json_error_t error;

	if (sim->config->script == NULL) {
		sim->script = json_object();
		return 0;
	}
	if (sim->config->script_length > SIMULATOR_SCRIPT_MAX)
		return fault(sim, "", "expected at most %u bytes", SIMULATOR_SCRIPT_MAX);
	sim->script = json_loadb(
		sim->config->script, sim->config->script_length, JSON_REJECT_DUPLICATES, &error);
	if (sim->script == NULL)
		return fault(sim, "", "line %d: %s", error.line, error.text);
	return 0;
}

int sim_script_read(struct sim *sim)
{
	int rc = parse(sim);

	sim->used = json_object();
	if (rc == 0)
		rc = judge(sim, "", sim->script, script_members, COUNT(script_members));
	if (rc == 0)
		rc = judge_answers(sim);
	if (rc == 0)
		rc = read_events(sim);
	if (rc == 0)
		rc = set_texts(sim, &sim->facts, "facts");
	if (rc == 0)
		rc = set_texts(sim, &sim->memory.attributes, "attributes");
	if (rc == 0)
		rc = set_texts(sim, &sim->related, "related");
	return rc;
}

void sim_script_clear(struct sim *sim)
{
	json_decref(sim->script);
	json_decref(sim->used);
	free(sim->events);
}
