/* SPDX-License-Identifier: Apache-2.0 */
/*
 * treatment: a flow at work on one leg: it steps the flow's run, carries out what the run asks for,
 * and brings the answers back. One leg has one treatment; the next flow replaces the last. It runs
 * for a contact, which need not be the leg's own: an agent who transfers hears the transfer's flow,
 * and when that agent leaves it moves over to the customer's leg (R124).
 *
 *   IDLE --treatment_start--> RUNNING --over--> IDLE, and board_treatment_over() says what follows
 *
 * tones.c plays what no flow says: ringback, keys as tones.
 *
 * What is played is kept as a wish (player, clips) that hearing.c puts into the room together with
 * who hears whom, so that a new treatment and a new mix are heard in one tick.
 */
#ifndef CONTACT_TREATMENT_H
#define CONTACT_TREATMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/timers.h"
#include "contact/flow_log_line.h"
#include "flow/engine.h"
#include "media/media.h"
#include "queue/router.h"

struct contact;
struct leg;

struct treatment {
	uint64_t id; /* in the switchboard's pool */
	struct leg *leg;
	struct contact *contact; /* for whom the flow runs */
	struct flow_run run;
	struct flow_context context;
	struct timer timer;

	/* what is to be heard; hearing.c takes it */
	enum media_player player;
	struct clip_list *clips; /* held; NULL: nothing */
	bool loop;
	uint8_t first_clip; /* where it begins: of a list that has moved here from another leg */
	uint32_t first_frame;
	uint32_t play_id;    /* of the run, 0: nothing that it waits for */
	uint32_t play_count; /* makes tokens: counts the plays of this leg */

	struct flow_log_line log;
	struct asking *asking; /* answer of the outside world that is awaited; NULL: none */
	uint32_t router_id;    /* answer that a request to the router owes, 0: none */
};

/* The leg's treatment; NULL: none is left. */
struct treatment *treatment_new(struct leg *leg);
/* Stops what runs and gives back what is held. NULL is fine. */
void treatment_free(struct treatment *t);
/* What runs on one leg goes on on the other, from where it is; that one's own is stopped. */
void treatment_move(struct leg *from, struct leg *to);

/* Its contact's part in the leg passes on to another one: what runs goes on for that one. */
void treatment_pass(struct treatment *t, struct contact *contact);

bool treatment_running(const struct treatment *t);
/* Starts a flow for a contact; NULL runs none and is over at once, as an empty whisper is. */
void treatment_start(struct treatment *t, struct contact *contact, struct flow *flow,
	enum flow_type role, uint64_t now_ns);
/* Ends the run without a word to anybody. */
void treatment_stop(struct treatment *t);

/* What a party hears while a number rings that it waits for; until treatment_hush(). */
void treatment_ringback(struct treatment *t);
/* Keys as tones, to a peer that takes no telephone-events: of 0-9 * # and `,`, a pause. 0, or a
 * negative errno; media tells when the last is out. */
int treatment_digits(struct treatment *t, const char *digits, unsigned pause_ms);
/* Says messages of an action, in order; what is told of their end bears treatment_token(). A negative
 * errno: logged. */
int treatment_say(struct treatment *t, const struct flow_action *action,
	const struct flow_message *messages, unsigned count, bool loop);
/* Plays clips outside of a flow; takes the holds over, in any case. 0, or -ENOMEM: logged. */
int treatment_play(struct treatment *t, struct clip *const *clips, unsigned n, bool loop);
void treatment_hush(struct treatment *t);

/* The answer that an effect is owed; an answer that nobody waits for does nothing. */
void treatment_answer(struct treatment *t, const struct flow_event *answer, uint64_t now_ns);
void treatment_key(struct treatment *t, char key, uint64_t now_ns);
void treatment_play_ended(struct treatment *t, uint64_t token, uint64_t now_ns);
void treatment_play_failed(struct treatment *t, uint64_t token, const char *why, uint64_t now_ns);
/* The answer of a request that this treatment made to the router. */
void treatment_router_answer(
	struct treatment *t, const struct router_effect *answer, uint64_t now_ns);

/* Token of the present play. */
uint64_t treatment_token(const struct treatment *t);

#endif
