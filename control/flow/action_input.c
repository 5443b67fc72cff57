/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Get customer input (one key) and Store customer input (digits). Time limits: the first key has
 * the input time limit, counted from the end of the prompt; each further key the inter-digit pause.
 * No key at all is an error for a menu, and the stored word Timeout for stored input.
 */
#include <stdlib.h>
#include <string.h>

#include "flow/action_prompt.h"
#include "flow/phone_number.h"

#define FIRST_KEY_DEFAULT_S  5
#define FIRST_KEY_MAX_S      3600 /* real files have 300 where the console allows 180 */
#define INTERDIGIT_DEFAULT_S 5
#define INTERDIGIT_MAX_S     20
#define TERMINATOR_DEFAULT   "#"
#define TERMINATOR_MAX       5u
#define PHONE_DIGITS_MAX     20u
#define CUSTOM_DIGITS_MAX    20u /* where the file gives no maximum */
#define KEYS                 "0123456789*#"

static bool stores(struct flow_machine *m)
{
	return flow_param_flag(m, FLOW_PARAM_STORE_INPUT, false);
}

static uint64_t seconds_of(
	struct flow_machine *m, enum flow_param_id id, int64_t otherwise, int64_t max)
{
	int64_t seconds;

	if (!flow_param_number(m, id, &seconds) || seconds < 1)
		seconds = otherwise;
	return (uint64_t)(seconds < max ? seconds : max) * FLOW_SECOND_NS;
}

static uint16_t max_digits(struct flow_machine *m)
{
	int64_t max;

	if (flow_has_param(m, FLOW_PARAM_NUMBER_FORMAT))
		return PHONE_DIGITS_MAX;
	if (!flow_param_number(m, FLOW_PARAM_MAX_DIGITS, &max) || max < 1)
		return CUSTOM_DIGITS_MAX;
	return max < FLOW_INPUT_MAX ? (uint16_t)max : FLOW_INPUT_MAX;
}

static void set_terminator(struct flow_machine *m)
{
	const char *text = flow_param_text(m, FLOW_PARAM_TERMINATOR);
	size_t length = strspn(text, KEYS);

	if (length == 0 || length > TERMINATOR_MAX || text[length] != '\0')
		text = TERMINATOR_DEFAULT;
	memcpy(m->run->input->terminator, text, strlen(text) + 1);
}

/* False without memory. */
static bool begin(struct flow_machine *m)
{
	struct flow_input *input = m->run->input;

	if (input == NULL)
		input = m->run->input = malloc(sizeof(*input));
	if (input == NULL)
		return false;
	explicit_bzero(input, sizeof(*input));
	input->first_key_ns =
		seconds_of(m, FLOW_PARAM_INPUT_TIME_S, FIRST_KEY_DEFAULT_S, FIRST_KEY_MAX_S);
	input->interdigit_ns =
		seconds_of(m, FLOW_PARAM_INTERDIGIT_S, INTERDIGIT_DEFAULT_S, INTERDIGIT_MAX_S);
	input->max = max_digits(m);
	set_terminator(m);
	return true;
}

static enum flow_step input_enter(struct flow_machine *m)
{
	const struct flow_message *messages;
	uint16_t count = flow_param_messages(m, &messages);
	struct flow_effect *effect;

	if (!begin(m))
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	if (m->full)
		return FLOW_STEP_FULL;
	if (!flow_messages_fit(m, messages, count))
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	if (count == 0)
		return flow_wait_for(m, FLOW_WAIT_INPUT, m->now_ns + m->run->input->first_key_ns);
	effect = flow_play(m, messages, count);
	if (effect == NULL)
		return FLOW_STEP_FULL;
	effect->play.ends_with_key = true;
	return flow_wait_for(m, FLOW_WAIT_INPUT, 0);
}

/* ---- Stored input -------------------------------------------------------------------- */

/* False, and nothing is stored, without memory. */
static bool store(struct flow_machine *m, const char *value)
{
	bool stored = flow_memory_store(m->run->context->memory, value);

	explicit_bzero(m->run->input->digits, sizeof(m->run->input->digits));
	return stored;
}

static enum flow_step store_and_go(struct flow_machine *m, const char *value)
{
	return store(m, value) ? flow_next(m) : flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
}

/* Typed digits as a number in E.164. */
static bool to_phone_number(struct flow_machine *m, char out[PHONE_NUMBER_SIZE])
{
	if (flow_text_choice(flow_param_text(m, FLOW_PARAM_NUMBER_FORMAT), "E164") == 0)
		return phone_number_from_international(m->run->input->digits, out);
	return phone_number_from_local(
		m->run->input->digits, flow_param_text(m, FLOW_PARAM_COUNTRY), out);
}

/* A key that is missing or empty does not make clear text of what was to be encrypted. */
static bool wants_secrecy(const struct flow_action *action)
{
	return flow_action_param(action, FLOW_PARAM_ENCRYPTION_KEY) != NULL ||
	       flow_action_param(action, FLOW_PARAM_ENCRYPTION_KEY_ID) != NULL;
}

bool flow_run_takes_secret(const struct flow_run *run)
{
	const struct flow_action *action;

	if (run->state != FLOW_RUN_WAITING || run->action >= run->flow->action_count)
		return false;
	action = &run->flow->actions[run->action];
	return action->type == FLOW_ACTION_GET_INPUT && wants_secrecy(action);
}

static enum flow_step encrypt(struct flow_machine *m)
{
	struct flow_effect *effect;

	/* Phone numbers are not encrypted: the service takes no such file. */
	if (!flow_has_param(m, FLOW_PARAM_ENCRYPTION_KEY) ||
		flow_has_param(m, FLOW_PARAM_NUMBER_FORMAT)) {
		store(m, "");
		flow_log(m, FLOW_LOG_WARNING, "the input cannot be encrypted and is not kept");
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	}
	effect = flow_ask(m, FLOW_EFFECT_ENCRYPT_INPUT);
	if (effect == NULL)
		return FLOW_STEP_FULL;
	effect->encrypt.digits = m->run->input->digits;
	effect->encrypt.key_id = flow_param_text(m, FLOW_PARAM_ENCRYPTION_KEY_ID);
	effect->encrypt.key = flow_param_text(m, FLOW_PARAM_ENCRYPTION_KEY);
	return flow_wait_answer(m, effect);
}

static enum flow_step finish(struct flow_machine *m)
{
	char number[PHONE_NUMBER_SIZE];

	if (m->run->input->length == 0)
		return store_and_go(m, "Timeout");
	if (wants_secrecy(m->action))
		return encrypt(m);
	if (!flow_has_param(m, FLOW_PARAM_NUMBER_FORMAT))
		return store_and_go(m, m->run->input->digits);
	if (!to_phone_number(m, number))
		return flow_fail(m, FLOW_ERROR_INVALID_PHONE_NUMBER);
	return store_and_go(m, number);
}

/* True, and the terminator taken off, when what was typed ends with it. */
static bool terminated(struct flow_input *input)
{
	size_t size = strlen(input->terminator);

	if (input->length < size ||
		strcmp(input->digits + input->length - size, input->terminator) != 0)
		return false;
	input->length = (uint16_t)(input->length - size);
	input->digits[input->length] = '\0';
	return true;
}

static bool cancels(struct flow_machine *m, char key)
{
	return key == '*' && strchr(m->run->input->terminator, '*') == NULL &&
	       !flow_param_flag(m, FLOW_PARAM_DISABLE_CANCEL, false);
}

static enum flow_step collect(struct flow_machine *m, char key)
{
	struct flow_input *input = m->run->input;

	m->run->wake_at_ns = m->now_ns + input->interdigit_ns;
	if (cancels(m, key)) {
		input->length = 0;
		input->digits[0] = '\0';
		return FLOW_STEP_WAIT;
	}
	input->digits[input->length++] = key;
	input->digits[input->length] = '\0';
	if (terminated(input) || input->length >= input->max)
		return finish(m);
	return FLOW_STEP_WAIT;
}

/* ---- Events -------------------------------------------------------------------------- */

static enum flow_step input_key(struct flow_machine *m, char key)
{
	char result[2] = {key, '\0'};

	if (key == '\0' || strchr(KEYS, key) == NULL)
		return FLOW_STEP_WAIT;
	if (!m->run->input->started)
		flow_stop_playing(m);
	m->run->input->started = true;
	return stores(m) ? collect(m, key) : flow_result(m, result);
}

static enum flow_step input_encrypted(struct flow_machine *m, const struct flow_event *event)
{
	if (event->result != FLOW_RESULT_OK || event->text == NULL ||
		strlen(event->text) > FLOW_STORED_INPUT_MAX) {
		store(m, "");
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	}
	return store_and_go(m, event->text);
}

static enum flow_step input_event(struct flow_machine *m, const struct flow_event *event)
{
	struct flow_run *run = m->run;

	switch (event->type) {
	case FLOW_EVENT_PLAY_DONE:
		if (!run->input->started)
			run->wake_at_ns = m->now_ns + run->input->first_key_ns;
		return FLOW_STEP_WAIT;
	case FLOW_EVENT_PLAY_FAILED:
		return run->input->started ? FLOW_STEP_WAIT
					   : flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	case FLOW_EVENT_KEY:
		return input_key(m, event->key);
	case FLOW_EVENT_TIMER:
		return stores(m) ? finish(m) : flow_fail(m, FLOW_ERROR_INPUT_TIME_LIMIT);
	case FLOW_EVENT_ANSWER:
		return input_encrypted(m, event);
	default:
		return FLOW_STEP_WAIT;
	}
}

const struct flow_handler flow_get_input_handler = {input_enter, input_event};
