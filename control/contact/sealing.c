/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/sealing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contact/contact.h"
#include "contact/sealed_input.h"
#include "contact/switchboard.h"

_Static_assert(SEALED_INPUT_DIGITS_MAX >= FLOW_INPUT_MAX, "what a flow collects can be sealed");
_Static_assert(SEALED_INPUT_SIZE <= FLOW_STORED_INPUT_MAX, "what is sealed can be stored");

/* The job. The board and what follows it are for the loop only. */
struct sealing {
	char digits[FLOW_INPUT_MAX + 1];
	char *key_id, *key;
	int error;
	char text[SEALED_INPUT_SIZE];
	char why[SEALED_INPUT_WHY_SIZE];

	struct switchboard *board;
	uint64_t treatment;
	uint32_t effect;
	char *action; /* for the log */
};

static void sealing_free(struct sealing *s)
{
	if (!s)
		return;
	explicit_bzero(s->digits, sizeof(s->digits));
	free(s->key_id);
	free(s->key);
	free(s->action);
	free(s);
}

static struct sealing *sealing_new(const struct treatment *t, const struct flow_effect *effect)
{
	struct sealing *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->board = t->contact->board;
	s->treatment = t->id;
	s->effect = effect->id;
	s->key_id = strdup(effect->encrypt.key_id);
	s->key = strdup(effect->encrypt.key);
	s->action = strdup(effect->action->identifier);
	if (!s->key_id || !s->key || !s->action) {
		sealing_free(s);
		return NULL;
	}
	memccpy(s->digits, effect->encrypt.digits, '\0', sizeof(s->digits) - 1);
	return s;
}

static void log_failed(const struct treatment *t, const char *action, const char *why)
{
	log_warning(LOG_CALL(t->contact->segment.id, t->leg->id), "flow",
		"action '%s' cannot encrypt what was typed, it is not stored: %s", action, why);
}

static void seal_work(void *job)
{
	struct sealing *s = job;

	s->error = sealed_input(s->digits, s->key_id, s->key, s->text, s->why);
	explicit_bzero(s->digits, sizeof(s->digits));
}

static void seal_done(void *job)
{
	struct sealing *s = job;
	struct flow_event event = {.type = FLOW_EVENT_ANSWER,
		.id = s->effect,
		.result = s->error < 0 ? FLOW_RESULT_ERROR : FLOW_RESULT_OK,
		.text = s->error < 0 ? NULL : s->text};
	struct treatment *t = offload_cancelled(s->board->offload)
				      ? NULL
				      : pool_get(&s->board->treatments, s->treatment);

	if (t) {
		if (s->error < 0)
			log_failed(t, s->action, s->why);
		treatment_answer(t, &event, board_now(s->board));
	}
	sealing_free(s);
}

int sealing_start(struct treatment *t, const struct flow_effect *effect)
{
	struct sealing *s = sealing_new(t, effect);
	int rc = s ? offload_submit(t->contact->board->offload, seal_work, seal_done, s) : -ENOMEM;

	if (rc < 0) {
		sealing_free(s);
		log_failed(t, effect->action->identifier, strerror(-rc));
	}
	return rc;
}
