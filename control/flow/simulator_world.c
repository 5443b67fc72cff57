/* SPDX-License-Identifier: Apache-2.0 */
/* The world of a simulated contact: things go well unless the script says otherwise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/simulator_private.h"

#define CHARACTER_MS  60 /* of speech */
#define SPEECH_MIN_MS 500
#define RECORDED_MS   1000 /* a recorded prompt */
#define FIRST_KEY_MS  500  /* after the action takes input */
#define KEY_GAP_MS    300
#define LAMBDA_MS     100
#define CALL_MS       30000 /* an outside number: rings, talks, hangs up */

/* ---- facts --------------------------------------------------------------------------- */

static const struct attribute default_facts[] = {
	{"Channel", "VOICE"},
	{"InitiationMethod", "INBOUND"},
	{"ContactId", "00000000-0000-4000-8000-000000000001"},
	{"InitialContactId", "00000000-0000-4000-8000-000000000001"},
	{"LanguageCode", "en-US"},
	{"CustomerEndpoint.Address", "+12025550143"},
	{"CustomerEndpoint.Type", "TELEPHONE_NUMBER"},
	{"SystemEndpoint.Address", "+12025550100"},
	{"SystemEndpoint.Type", "TELEPHONE_NUMBER"},
};

const char *sim_fact(void *owner, const char *name)
{
	const struct sim *sim = owner;
	const char *value = attributes_get(&sim->set, name);

	if (value == NULL)
		value = attributes_get(&sim->facts, name);
	for (size_t i = 0; value == NULL && i < sizeof(default_facts) / sizeof(default_facts[0]);
		i++)
		if (strcmp(default_facts[i].name, name) == 0)
			value = default_facts[i].value;
	return value;
}

static void set_fact(struct sim *sim, const char *name, const char *value)
{
	attributes_set(&sim->set, name, value);
}

struct flow *sim_find_flow(void *owner, const char *reference)
{
	struct sim *sim = owner;
	struct flow *flow = sim->config->find_flow != NULL
				    ? sim->config->find_flow(sim->config->ctx, reference)
				    : NULL;

	if (flow != NULL)
		sim_note_flow(sim, flow);
	return flow;
}

uint64_t sim_random(void *owner)
{
	struct sim *sim = owner;
	const json_t *list = json_object_get(sim->script, "random");
	size_t size = json_array_size(list);
	uint32_t place = sim->random_used++;

	if (size == 0)
		return 0;
	/* the engine makes 1 to 100 of it */
	return (uint64_t)(json_integer_value(
				  json_array_get(list, place < size ? place : size - 1)) -
			  1);
}

/* ---- answers ------------------------------------------------------------------------- */

void sim_owed_clear(struct sim *sim)
{
	free(sim->owed.text);
	free(sim->owed.values);
	json_decref(sim->owed.keep);
	sim->owed = (struct sim_owed){0};
}

static void owe_values(struct sim_owed *owed, json_t *values)
{
	const char *name;
	json_t *value;

	owed->values = calloc(json_object_size(values) + 1, sizeof(*owed->values));
	if (owed->values == NULL)
		return;
	owed->keep = json_incref(values);
	json_object_foreach(values, name, value) owed->values[owed->event.value_count++] =
		(struct attribute){name, json_string_value(value)};
	owed->event.values = owed->values;
}

static void owe_text(struct sim *sim, const char *otherwise)
{
	const json_t *json = json_object_get(sim->answer, "json");
	const char *text = sim_text(sim->answer, "text", otherwise);

	if (json != NULL)
		sim->owed.text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	else if (text != NULL)
		sim->owed.text = strdup(text);
	sim->owed.event.text = sim->owed.text;
}

/* An answer comes as the script says, else this result after this time. */
static void owe(struct sim *sim, const struct flow_effect *effect, enum flow_result result,
	uint32_t after_ms)
{
	json_t *values = json_object_get(sim->answer, "values");

	if (effect->id != sim->run.pending_id)
		return; /* the flow does not wait for it */
	sim_owed_clear(sim);
	sim->owed.due = true;
	sim->owed.at_ns =
		sim->now_ns + (uint64_t)sim_number(sim->answer, "after", after_ms) * SIM_MS;
	sim->owed.event = (struct flow_event){.type = FLOW_EVENT_ANSWER,
		.id = effect->id,
		.result = sim_result(sim->answer, result),
		.error = sim_error(sim->answer),
		.number = sim_number(sim->answer, "number", 0)};
	if (values != NULL)
		owe_values(&sim->owed, values);
}

/* ---- prompts and keys ---------------------------------------------------------------- */

static uint64_t length_of(const struct flow_message *message)
{
	size_t ms = strlen(message->text) * CHARACTER_MS;

	if (message->kind == FLOW_MESSAGE_PROMPT || message->kind == FLOW_MESSAGE_MEDIA)
		return RECORDED_MS;
	return ms > SPEECH_MIN_MS ? ms : SPEECH_MIN_MS;
}

static void play(struct sim *sim, const struct flow_effect *effect)
{
	uint64_t lasts_ms = 0;

	for (uint16_t i = 0; i < effect->play.count; i++)
		lasts_ms += length_of(&effect->play.messages[i]);
	lasts_ms = (uint64_t)sim_number(sim->answer, "lasts", (int64_t)lasts_ms);
	sim->play_fails = sim_flag(sim->answer, "fails");
	sim->play_id = effect->play.loop && !sim->play_fails ? 0 : effect->id;
	sim->play_end_ns = sim->now_ns + (sim->play_fails ? 0 : lasts_ms * SIM_MS);
}

/* The action takes input: the keys of its answer follow. */
static void expect_keys(struct sim *sim)
{
	const char *keys = sim_text(sim->answer, "keys", "");
	size_t count = strlen(keys);

	sim->key_count = (uint32_t)(count < SIM_KEYS_MAX ? count : SIM_KEYS_MAX);
	memcpy(sim->keys, keys, sim->key_count);
	sim->key_next = 0;
	sim->key_ns =
		sim->now_ns + (uint64_t)sim_number(sim->answer, "after", FIRST_KEY_MS) * SIM_MS;
	sim->key_gap_ns = (uint64_t)sim_number(sim->answer, "gap", KEY_GAP_MS) * SIM_MS;
}

/* ---- effects ------------------------------------------------------------------------- */

static void set_target(struct sim *sim, const struct flow_effect *effect)
{
	const struct flow_target *target = &effect->target;
	const char *name = target->resource_name != NULL ? target->resource_name
			   : *target->queue != '\0'      ? target->queue
							 : target->agent;

	owe(sim, effect, FLOW_RESULT_OK, 0);
	if (sim->owed.event.result != FLOW_RESULT_OK)
		return;
	if (attributes_get(&sim->facts, "Queue.Name") == NULL)
		set_fact(sim, "Queue.Name", name);
	if (attributes_get(&sim->facts, "Queue.ARN") == NULL)
		set_fact(sim, "Queue.ARN", *target->queue != '\0' ? target->queue : target->agent);
}

static void check_metric(struct sim *sim, const struct flow_effect *effect)
{
	bool agents = effect->metric.metric <= FLOW_METRIC_AGENTS_ONLINE;

	owe(sim, effect, FLOW_RESULT_OK, 0);
	sim->owed.event.number = sim_number(sim->answer, "number", agents ? 1 : 0);
}

static void get_metrics(struct sim *sim, const struct flow_effect *effect)
{
	owe(sim, effect, FLOW_RESULT_OK, 0);
	if (json_object_get(sim->answer, "values") == NULL) {
		json_t *values = json_pack("{s:s, s:s, s:s, s:s}", "Queue.Size", "0",
			"Agents.Available.Count", "1", "Agents.Staffed.Count", "1",
			"Agents.Online.Count", "1");

		owe_values(&sim->owed, values);
		json_decref(values);
	}
}

static void set_pairs(struct sim *sim, const struct flow_effect *effect, const char *space)
{
	char name[ATTRIBUTE_NAME_MAX + 1];

	for (size_t i = 0; i < effect->pairs.count; i++) {
		const struct attribute *pair = &effect->pairs.list[i];

		snprintf(name, sizeof(name), "%s%s", space, pair->name);
		set_fact(sim, name, pair->value != NULL ? pair->value : "");
	}
}

static void set_hook(struct sim *sim, const struct flow_effect *effect)
{
	struct flow **hook = &sim->hooks[effect->hook.hook];

	flow_release(*hook);
	*hook = effect->hook.flow != NULL ? flow_hold(effect->hook.flow) : NULL;
	sim->hook_disabled[effect->hook.hook] = effect->hook.disabled;
}

static void set_callback_number(struct sim *sim, const struct flow_effect *effect)
{
	owe(sim, effect, FLOW_RESULT_OK, 0);
	if (sim->owed.event.result == FLOW_RESULT_OK) {
		set_fact(sim, "CustomerCallbackNumber", effect->text);
		set_fact(sim, "CustomerCallBackPhoneNumber", effect->text);
	}
}

static void say_log(struct sim *sim, const struct flow_effect *effect)
{
	static const char *const levels[] = {"info", "warning", "error"};

	sim_line_event(sim, "log",
		json_pack("{s:s, s:s}", "level", levels[effect->log.level], "text",
			effect->log.text));
}

void sim_carry_out(struct sim *sim, const struct flow_effect *effect)
{
	switch (effect->type) {
	case FLOW_EFFECT_ENTER:
		sim_line_enter(sim, effect);
		if (effect->action->type == FLOW_ACTION_GET_INPUT)
			expect_keys(sim);
		break;
	case FLOW_EFFECT_LEAVE:
		sim_line_leave(sim, effect);
		break;
	case FLOW_EFFECT_PLAY:
		play(sim, effect);
		break;
	case FLOW_EFFECT_STOP_PLAYING:
		sim->play_id = 0;
		break;
	case FLOW_EFFECT_SET_TARGET_QUEUE:
		set_target(sim, effect);
		break;
	case FLOW_EFFECT_CHECK_HOURS:
		owe(sim, effect, FLOW_RESULT_YES, 0);
		break;
	case FLOW_EFFECT_CHECK_METRIC:
		check_metric(sim, effect);
		break;
	case FLOW_EFFECT_GET_METRICS:
		get_metrics(sim, effect);
		break;
	case FLOW_EFFECT_TRANSFER_TO_NUMBER:
		owe(sim, effect, effect->third_party.resume ? FLOW_RESULT_ENDED : FLOW_RESULT_OK,
			CALL_MS);
		break;
	case FLOW_EFFECT_SET_CALLBACK_NUMBER:
		set_callback_number(sim, effect);
		break;
	case FLOW_EFFECT_ENCRYPT_INPUT:
		owe(sim, effect, FLOW_RESULT_OK, 0);
		owe_text(sim, "encrypted");
		break;
	case FLOW_EFFECT_INVOKE_LAMBDA:
		owe(sim, effect, FLOW_RESULT_OK, LAMBDA_MS);
		owe_text(sim, "{}");
		break;
	case FLOW_EFFECT_SERVICE: /* no such service, unless the script has one */
		owe(sim, effect, sim->answer != NULL ? FLOW_RESULT_OK : FLOW_RESULT_ERROR, 0);
		owe_text(sim, NULL);
		break;
	case FLOW_EFFECT_TRANSFER_TO_QUEUE:
	case FLOW_EFFECT_MOVE_TO_QUEUE:
	case FLOW_EFFECT_CREATE_CALLBACK:
	case FLOW_EFFECT_HOLD_PARTICIPANT:
	case FLOW_EFFECT_SET_CRITERIA:
	case FLOW_EFFECT_SET_STREAMING:
		owe(sim, effect, FLOW_RESULT_OK, 0);
		break;
	case FLOW_EFFECT_SET_HOOK:
		set_hook(sim, effect);
		break;
	case FLOW_EFFECT_SET_CONTACT_DATA:
		set_pairs(sim, effect, "");
		break;
	case FLOW_EFFECT_SET_TAGS:
		set_pairs(sim, effect, "Tags.");
		break;
	case FLOW_EFFECT_SET_VOICE:
		set_fact(sim, "TextToSpeechVoiceId", effect->voice.voice);
		break;
	case FLOW_EFFECT_LOG:
		say_log(sim, effect);
		break;
	case FLOW_EFFECT_CALL_OUTBOUND: /* what follows from these is seen in the lines */
	case FLOW_EFFECT_ATTRIBUTES_SET:
	case FLOW_EFFECT_SET_PRIORITY:
	case FLOW_EFFECT_ADJUST_AGE:
	case FLOW_EFFECT_SET_RECORDING:
	case FLOW_EFFECT_SET_LOGGING:
	case FLOW_EFFECT_DISCONNECT:
	case FLOW_EFFECT_OVER:
	case FLOW_EFFECT_COUNT:
		break;
	}
}
