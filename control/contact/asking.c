/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/asking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contact/listening.h"
#include "contact/switchboard.h"
#include "service/service.h"

#define SERVICE_TIME_NS (8 * CLOCK_S) /* where neither flow nor file says */
#define VALUES_MAX      128u          /* of a service's answer */
#define NAME_SIZE       128

struct asking {
	struct switchboard *board;
	struct asking *next, **back;
	struct treatment *treatment; /* who waits; NULL: nobody */
	uint32_t id;                 /* of the effect */
	enum flow_effect_type type;
	const struct service_target *target;
	struct service_set *set; /* held for it */
	uint64_t limit_ns;
	json_t *request;           /* until it is asked */
	struct listening ear;      /* before that, of a bot */
	struct service_call *call; /* NULL: not asked yet */
	/* for the log, also when the contact is gone */
	char contact[RANDOM_UUID_SIZE];
	uint64_t leg;
	char action[FLOW_IDENTIFIER_MAX * 4 + 1];
	char name[NAME_SIZE]; /* function or action type */
};

static void drop(struct asking *a)
{
	*a->back = a->next;
	if (a->next)
		a->next->back = a->back;
	if (a->treatment)
		a->treatment->asking = NULL;
	listening_stop(&a->ear);
	service_set_release(a->set);
	json_decref(a->request);
	free(a);
}

static void forget(struct asking *a)
{
	if (a->call)
		service_cancel(a->call);
	drop(a);
}

void asking_cancel(struct treatment *t)
{
	if (t->asking)
		forget(t->asking);
}

void asking_clear(struct switchboard *board)
{
	while (board->askings)
		forget(board->askings);
}

static void complain(const struct asking *a, const char *why)
{
	log_warning(LOG_CALL(a->contact, a->leg), "flow", "action '%s': %s '%s': %s", a->action,
		a->type == FLOW_EFFECT_INVOKE_LAMBDA ? "function" : "service", a->name, why);
}

/* ---- answers ---- */

static enum flow_error error_of(const char *name)
{
	for (int i = 0; i < FLOW_ERROR_COUNT; i++)
		if (strcmp(flow_error_name(i), name) == 0)
			return i;
	return FLOW_ERROR_NO_MATCHING_ERROR;
}

/* Values as attributes: how many; -1: expected texts, and not that many. */
static int read_values(json_t *object, struct attribute values[VALUES_MAX])
{
	const char *name;
	json_t *value;
	int n = 0;

	json_object_foreach(object, name, value)
	{
		if (!json_is_string(value) || n == (int)VALUES_MAX)
			return -1;
		values[n++] = (struct attribute){name, json_string_value(value)};
	}
	return n;
}

/* What a service says, as the flow's event; false: not in the form of service.h. */
static bool read_service_answer(
	json_t *root, struct attribute values[VALUES_MAX], struct flow_event *event)
{
	json_t *result = json_object_get(root, "Result"), *error = json_object_get(root, "Error"),
	       *object = json_object_get(root, "Values");
	int n = read_values(object, values);

	if (!json_is_object(root) || (result != NULL) == (error != NULL) ||
		(object && !json_is_object(object)) || n < 0)
		return false;
	if (error) {
		event->result = FLOW_RESULT_FAILED;
		event->error = error_of(json_is_string(error) ? json_string_value(error) : "");
		return json_is_string(error);
	}
	event->result = FLOW_RESULT_OK;
	event->text = json_string_value(result);
	event->values = values;
	event->value_count = (size_t)n;
	return event->text != NULL;
}

static void tell_service_answer(
	struct treatment *t, const struct asking *a, const char *body, uint32_t id)
{
	struct flow_event event = {.type = FLOW_EVENT_ANSWER, .id = id};
	struct attribute values[VALUES_MAX];
	json_t *root = json_loads(body, JSON_DECODE_ANY, NULL);

	if (!read_service_answer(root, values, &event)) {
		complain(a, "expected {\"Result\": text, \"Values\": {name: text}} or {\"Error\": "
			    "name} as answer");
		event.result = FLOW_RESULT_ERROR;
	}
	treatment_answer(t, &event, board_now(a->board));
	json_decref(root);
}

static void tell_answer(
	struct treatment *t, const struct asking *a, const struct service_answer *answer)
{
	struct flow_event event = {.type = FLOW_EVENT_ANSWER,
		.id = a->id,
		.result = answer->result == SERVICE_TIMEOUT ? FLOW_RESULT_TIMEOUT
							    : FLOW_RESULT_ERROR};

	if (answer->result == SERVICE_OK && a->type == FLOW_EFFECT_SERVICE) {
		tell_service_answer(t, a, answer->text, a->id);
		return;
	}
	if (answer->result == SERVICE_OK) {
		event.result = FLOW_RESULT_OK;
		event.text = answer->text;
	}
	treatment_answer(t, &event, board_now(a->board));
}

static void on_answer(void *ctx, const struct service_answer *answer)
{
	struct asking done = *(struct asking *)ctx;

	/* what nobody waits for need not be JSON */
	bool good = answer->result == SERVICE_OK ||
		    (answer->result == SERVICE_NOT_JSON && !done.treatment);

	drop(ctx); /* the flow may ask the next thing from inside its step */
	if (!good)
		complain(&done, answer->wrong);
	if (done.treatment)
		tell_answer(done.treatment, &done, answer);
}

/* ---- questions ---- */

static struct asking *make(struct treatment *t, const struct flow_effect *effect, const char *name)
{
	struct switchboard *board = t->leg->contact->board;
	struct asking *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->board = board;
	a->id = effect->id;
	a->type = effect->type;
	a->leg = t->leg->id;
	contact_text(a->contact, sizeof(a->contact), t->leg->contact->segment.id);
	contact_text(a->action, sizeof(a->action), effect->action->identifier);
	contact_text(a->name, sizeof(a->name), name);
	a->back = &board->askings;
	a->next = board->askings;
	if (a->next)
		a->next->back = &a->next;
	board->askings = a;
	return a;
}

/* Whether the run waits: it does not for a function that is called asynchronously. */
static bool is_awaited(const struct treatment *t, const struct flow_effect *effect)
{
	return t->run.pending_id == effect->id;
}

/* False: not asked, and logged. */
static bool call(struct asking *a)
{
	char *body = json_dumps(a->request, JSON_COMPACT);
	char wrong[SERVICE_WRONG_SIZE] = "no memory";
	int rc = -ENOMEM;

	if (body)
		rc = service_ask(a->board->services,
			&(struct service_request){.target = a->target,
				.body = body,
				.body_n = strlen(body),
				.limit_ns = a->limit_ns,
				.ctx = a,
				.done = on_answer},
			wrong, &a->call);
	if (rc < 0)
		complain(a, wrong);
	free(body);
	json_decref(a->request);
	a->request = NULL;
	return rc == 0;
}

/* A bot has something to work on, or not. */
static void on_heard(void *ctx, enum listening_end end)
{
	struct asking *a = ctx;
	struct treatment *t = a->treatment;
	uint64_t now_ns = board_now(a->board);
	const struct flow_event event = {.type = FLOW_EVENT_ANSWER,
		.id = a->id,
		.result = FLOW_RESULT_FAILED,
		.error = end == LISTENING_SILENCE ? FLOW_ERROR_INPUT_TIME_LIMIT
						  : FLOW_ERROR_NO_MATCHING_ERROR};

	if (end == LISTENING_HEARD &&
		json_object_set_new(json_object_get(a->request, "Details"), "InputTranscript",
			json_string(a->ear.digits)) == 0 &&
		call(a))
		return;
	drop(a);
	treatment_answer(t, &event, now_ns);
}

static int listen_to_caller(struct asking *a, const struct flow_effect *effect, uint64_t now_ns)
{
	a->ear = (struct listening){.treatment = a->treatment, .done = on_heard, .ctx = a};
	return listening_start(&a->ear, effect, now_ns);
}

bool asking_key(struct treatment *t, char key, uint64_t now_ns)
{
	return t->asking && listening_key(&t->asking->ear, key, now_ns);
}

bool asking_played(struct treatment *t, enum flow_event_type type, uint64_t token, uint64_t now_ns)
{
	return t->asking && listening_played(&t->asking->ear, type, token, now_ns);
}

static void aim(struct asking *a, const struct treatment *t, const struct flow_effect *effect)
{
	const struct service_set *set = t->leg->contact->board->instance->services;

	if (a->type == FLOW_EFFECT_INVOKE_LAMBDA) {
		a->target = service_set_function(set, effect->lambda.function);
		a->limit_ns = effect->lambda.timeout_ms * CLOCK_MS;
	} else {
		a->target = service_set_action(set, flow_action_name(effect->action->type));
		a->limit_ns =
			a->target && a->target->limit_ns ? a->target->limit_ns : SERVICE_TIME_NS;
	}
	if (a->target)
		a->set = service_set_hold(a->target->set);
}

static bool begin(
	struct asking *a, struct treatment *t, const struct flow_effect *effect, uint64_t now_ns)
{
	if (!a->target) {
		complain(a, "services.yaml has none of this name");
		return false;
	}
	a->request = a->type == FLOW_EFFECT_INVOKE_LAMBDA ? asking_function_request(t, effect)
							  : asking_service_request(t, effect);
	if (!a->request) {
		complain(a, "no memory");
		return false;
	}
	if (a->treatment && effect->action->type == FLOW_ACTION_LEX)
		return listen_to_caller(a, effect, now_ns) == 0;
	return call(a);
}

bool asking_start(struct treatment *t, const struct flow_effect *effect, uint64_t now_ns)
{
	bool awaited = is_awaited(t, effect);
	struct asking *a = make(t, effect,
		effect->type == FLOW_EFFECT_INVOKE_LAMBDA ? effect->lambda.function
							  : flow_action_name(effect->action->type));

	if (!a)
		return !awaited;
	if (awaited) {
		asking_cancel(t);
		a->treatment = t;
		t->asking = a;
	}
	aim(a, t, effect);
	if (begin(a, t, effect, now_ns))
		return true;
	drop(a);
	return !awaited;
}
