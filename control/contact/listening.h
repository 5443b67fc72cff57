/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listening: what a caller types for a bot, which gets no sound here: its prompt is played, then keys
 * are its input.
 *
 *   OFF --start--> SAYING --played, or a key--> LISTENING --#, pause, or full--> done(HEARD)
 *                     | cannot be played            `------ no key in time ----> done(SILENCE)
 *                     `--------------------------------------------------------> done(FAILED)
 *
 * The first key has the action's time limit (LexTimeoutSeconds, at most 300 s, else 5 s) from the end
 * of the prompt, each further one 5 s. `*` begins again; `#` before any other key does nothing.
 */
#ifndef CONTACT_LISTENING_H
#define CONTACT_LISTENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/timers.h"
#include "flow/engine.h"

struct treatment;

enum listening_end { LISTENING_HEARD, LISTENING_SILENCE, LISTENING_FAILED };

enum listening_stage { LISTENING_OFF, LISTENING_SAYING, LISTENING_ON };

/* Zero bytes are OFF. Read `digits` in `done`; the rest is private. */
struct listening {
	struct treatment *treatment;
	/* Once, never from inside listening_start(); may free this. */
	void (*done)(void *ctx, enum listening_end end);
	void *ctx;
	enum listening_stage stage;
	uint64_t token; /* of the prompt */
	uint64_t first_key_ns;
	struct timer timer;
	char digits[FLOW_INPUT_MAX + 1];
	size_t n;
};

/* With `treatment`, `done` and `ctx` set. A negative errno: the prompt cannot be played, logged. */
int listening_start(struct listening *l, const struct flow_effect *effect, uint64_t now_ns);
/* Off, without `done`. */
void listening_stop(struct listening *l);
/* False: not for it. */
bool listening_key(struct listening *l, char key, uint64_t now_ns);
/* PLAY_DONE or PLAY_FAILED of the play with this token. */
bool listening_played(
	struct listening *l, enum flow_event_type type, uint64_t token, uint64_t now_ns);

#endif
