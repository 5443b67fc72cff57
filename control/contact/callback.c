/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queued callbacks (flows/language.md 7.7, R59): a flow asks for one, and a contact of its own waits
 * in the customer's place. It follows the segment that asked for it in the chain of records (R101).
 *
 * It is SCHEDULED until its delay is over, then a member of its queue like any other. An agent
 * accepts, hears the agent whisper, and the customer is called with the queue's caller id; after the
 * answer the outbound whisper, then the two are joined. Not answered, it is SCHEDULED again: each
 * attempt is a segment of its own. The number of attempts that a flow gives is that of retries, as
 * the console means it: one more call than that is made at most.
 *
 * Only while an agent has it does it hold a room and count as a call. It ends undone when
 * routing.callback_keep is over, or when a reload takes its queue away. Control that drains makes no
 * more of them: those that no agent has taken yet wait for the end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contact/facts.h"
#include "contact/switchboard.h"

/* ---- making one ---- */

bool callback_may_call(const struct contact *contact, const char *number)
{
	return signalling_may_call(contact->board->signalling, number);
}

static void schedule(struct contact *contact, uint64_t when_ns, uint64_t now_ns)
{
	contact->segment.scheduled = when_ns;
	contact_set_state(contact, CONTACT_SCHEDULED, now_ns);
	timers_set(contact->board->timers, &contact->timer, when_ns);
}

static bool queue_has_room(const struct switchboard *board, uint32_t queue)
{
	uint32_t members, limit;

	return router_capacity(board->router, queue, QUEUE_VIA_CALLBACK, &members, &limit) ==
	       ROUTER_OK;
}

/* Callbacks, which may wait for days, leave half of the contacts to calls. */
static bool has_room(const struct switchboard *board)
{
	return pool_used(&board->contacts) < (uint64_t)board->config->contacts_max / 2;
}

bool callback_create(struct contact *cause, const struct flow_effect *effect, uint64_t now_ns)
{
	struct switchboard *board = cause->board;
	uint32_t queue = facts_target_queue(cause, &effect->callback.target);
	const char *number =
		cause->callback_number[0] ? cause->callback_number : cause->customer_number;
	struct callback *callback;
	struct contact *contact;

	if (queue == ROUTER_NONE || !callback_may_call(cause, number) ||
		!queue_has_room(board, queue) || !has_room(board))
		return false;
	callback = malloc(sizeof(*callback));
	contact = callback ? board_contact_schedule(board, CONTACT_METHOD_CALLBACK, now_ns) : NULL;
	if (!contact) {
		free(callback);
		return false;
	}
	contact_follow(contact, cause, now_ns);
	contact_inherit(contact, cause);
	for (int i = 0; i < FLOW_HOOK_COUNT; i++)
		contact_inherit_hook(contact, cause, i);
	contact->target_queue = queue;
	*callback = (struct callback){.attempts = 1 + effect->callback.attempts,
		.retry_ns = effect->callback.retry_s * CLOCK_S,
		.gives_up_ns = now_ns + board->config->callback_keep_ns};
	contact_text(callback->caller_number, sizeof(callback->caller_number),
		effect->callback.caller_number);
	contact->callback = callback;
	contact_text(contact->customer_number, sizeof(contact->customer_number), number);
	log_info(LOG_CALL(contact->segment.id, 0), "contact", "%s is called back in %u s",
		contact->customer_number, effect->callback.delay_s);
	contact_event(contact, "INITIATED", now_ns);
	schedule(contact, now_ns + effect->callback.delay_s * CLOCK_S, now_ns);
	contact_record_put(contact, &contact->segment, false, now_ns);
	return true;
}

/* ---- waiting ---- */

/* Not behind those who came later, when it was in the queue before. */
static void enqueue(struct contact *contact, uint64_t now_ns)
{
	uint64_t queued = contact->segment.queued;
	struct router_enqueue request = {.contact = contact->id,
		.queue = contact->target_queue,
		.via = QUEUE_VIA_CALLBACK,
		.priority = contact->priority,
		.age_ns = contact->age_ns + (queued ? (int64_t)(now_ns - queued) : 0),
		.callback = true,
		.criteria = contact->criteria};

	if (!contact->board->draining)
		router_enqueue(contact->board->router, &request, now_ns);
}

static void give_up(struct contact *contact, const char *why, uint64_t now_ns)
{
	log_info(LOG_CALL(contact->segment.id, 0), "contact", "%s is not called back: %s",
		contact->customer_number, why);
	board_end_contact(contact, CONTACT_REASON_OTHER, now_ns);
}

void callback_due(struct contact *contact, uint64_t now_ns)
{
	if (now_ns < contact->callback->gives_up_ns)
		enqueue(contact, now_ns);
	else
		give_up(contact, "it is too late", now_ns);
}

void callback_waits(struct contact *contact, uint64_t now_ns)
{
	struct switchboard *board = contact->board;
	uint32_t members, limit;

	if (router_capacity(board->router, contact->segment.queue, QUEUE_VIA_CALLBACK, &members,
		    &limit) == ROUTER_UNKNOWN_QUEUE) {
		give_up(contact, "its queue is gone", now_ns);
		return;
	}
	timers_set(board->timers, &contact->timer, contact->callback->gives_up_ns);
	if (board->draining)
		router_park(board->router, 0, contact->id, now_ns);
}

void callback_enqueued(struct contact *contact, const struct router_effect *answer, uint64_t now_ns)
{
	switch (answer->result) {
	case ROUTER_OK:
		board_queued(contact, answer->queue, now_ns);
		callback_waits(contact, now_ns);
		break;
	case ROUTER_FULL:
		timers_set(contact->board->timers, &contact->timer,
			now_ns + contact->board->config->callback_full_ns);
		break;
	default:
		give_up(contact, "its queue is gone", now_ns);
		break;
	}
}

void callback_agent_lost(struct contact *contact, uint64_t now_ns)
{
	router_agent_contact(
		contact->board->router, contact->offer_agent, contact->id, AGENT_FAIL, now_ns);
	contact->offer = 0;
	contact->offer_agent = ROUTER_NONE;
	contact->segment.agent = ROUTER_NONE;
	timers_cancel(contact->board->timers, &contact->timer);
	if (contact->agent)
		board_leg_close(contact->agent, 0, "");
	board_contact_rest(contact);
	contact_set_state(contact, CONTACT_SCHEDULED, now_ns);
	enqueue(contact, now_ns);
}

/* ---- calling ---- */

void callback_dial(struct contact *contact, uint64_t now_ns)
{
	contact->callback->attempts--;
	contact->caller = board_leg_open(contact, LEG_CUSTOMER, ROUTER_NONE);
	if (!contact->caller) {
		callback_agent_lost(contact, now_ns);
		return;
	}
	router_agent_contact(
		contact->board->router, contact->segment.agent, contact->id, AGENT_DIAL, now_ns);
	dialling_begin(contact, now_ns);
}

void callback_failed(struct contact *contact, enum contact_reason reason, uint64_t now_ns)
{
	uint64_t again_ns = now_ns + contact->callback->retry_ns;

	if (contact->agent)
		board_leg_close(contact->agent, 0, "");
	if (contact->callback->attempts == 0 || again_ns >= contact->callback->gives_up_ns) {
		board_end_contact(contact, reason, now_ns);
		return;
	}
	timers_cancel(contact->board->timers, &contact->timer);
	offering_agent_ends(contact, now_ns);
	if (contact->caller)
		board_leg_close(contact->caller, 0, "");
	board_contact_rest(contact);
	contact->segment.reason = reason;
	contact_next_segment(contact, CONTACT_METHOD_CALLBACK, now_ns);
	contact->offer = 0;
	contact->offer_agent = ROUTER_NONE;
	schedule(contact, again_ns, now_ns);
}
