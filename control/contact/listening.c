/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/listening.h"

#include <string.h>

#include "contact/switchboard.h"

#define FIRST_KEY_S     5
#define FIRST_KEY_MAX_S 300
#define NEXT_KEY_NS     (5 * CLOCK_S)
#define TIME_PLACE      "LexTimeoutSeconds.Text"
#define KEYS            "0123456789*#"

static struct timers *timers_of(const struct listening *l)
{
	return l->treatment->contact->board->timers;
}

static void end(struct listening *l, enum listening_end how)
{
	timers_cancel(timers_of(l), &l->timer);
	l->stage = LISTENING_OFF;
	l->done(l->ctx, how);
}

static void on_pause(void *ctx, uint64_t now_ns)
{
	struct listening *l = ctx;

	end(l, l->n ? LISTENING_HEARD : LISTENING_SILENCE);
}

static uint64_t first_key_of(const struct flow_effect *effect)
{
	for (size_t i = 0; i < effect->service.count; i++) {
		const struct attribute *input = &effect->service.inputs[i];
		uint32_t seconds;

		if (strcmp(input->name, TIME_PLACE) == 0 &&
			str_to_u32(str_from(input->value), &seconds) == 0 && seconds > 0)
			return (seconds < FIRST_KEY_MAX_S ? seconds : FIRST_KEY_MAX_S) * CLOCK_S;
	}
	return FIRST_KEY_S * CLOCK_S;
}

static void listen_from(struct listening *l, uint64_t now_ns)
{
	l->stage = LISTENING_ON;
	timers_set(timers_of(l), &l->timer, now_ns + l->first_key_ns);
}

int listening_start(struct listening *l, const struct flow_effect *effect, uint64_t now_ns)
{
	int rc;

	l->n = 0;
	l->digits[0] = '\0';
	l->first_key_ns = first_key_of(effect);
	timer_init(&l->timer, on_pause, l);
	if (effect->service.message_count == 0) {
		listen_from(l, now_ns);
		return 0;
	}
	rc = treatment_say(l->treatment, effect->action, effect->service.messages,
		effect->service.message_count, false);
	if (rc < 0)
		return rc;
	l->stage = LISTENING_SAYING;
	l->token = treatment_token(l->treatment);
	return 0;
}

void listening_stop(struct listening *l)
{
	if (l->stage != LISTENING_OFF)
		timers_cancel(timers_of(l), &l->timer);
	l->stage = LISTENING_OFF;
}

bool listening_played(
	struct listening *l, enum flow_event_type type, uint64_t token, uint64_t now_ns)
{
	if (l->stage != LISTENING_SAYING || token != l->token)
		return false;
	if (type == FLOW_EVENT_PLAY_FAILED)
		end(l, LISTENING_FAILED);
	else
		listen_from(l, now_ns);
	return true;
}

static void hush(struct listening *l)
{
	l->stage = LISTENING_ON;
	treatment_hush(l->treatment);
	hearing_apply(l->treatment->leg->call);
}

bool listening_key(struct listening *l, char key, uint64_t now_ns)
{
	if (l->stage == LISTENING_OFF || key == '\0' || !strchr(KEYS, key))
		return false;
	if (l->stage == LISTENING_SAYING)
		hush(l);
	timers_set(timers_of(l), &l->timer, now_ns + NEXT_KEY_NS);
	if (key == '*')
		l->n = 0;
	else if (key != '#')
		l->digits[l->n++] = key;
	l->digits[l->n] = '\0';
	if ((key == '#' && l->n) || l->n == FLOW_INPUT_MAX)
		end(l, LISTENING_HEARD);
	return true;
}
