/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offers to agents, their phones, the two whispers, and the joining: the part of a contact's way
 * from QUEUED to TALKING, and the agent's way out of it.
 */
#include "contact/switchboard.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"

static struct log_call call_of(const struct contact *contact)
{
	return (struct log_call){.contact = contact->segment.id};
}

static const char *agent_name(const struct contact *contact)
{
	return board_agent_name(contact->board, contact->offer_agent);
}

static void drop_agent_leg(struct contact *contact, const char *reason)
{
	timers_cancel(contact->board->timers, &contact->timer);
	contact->accepting = false;
	if (contact->agent)
		board_leg_close(contact->agent, 0, reason);
}

/* What becomes of a transfer's agent is news for the call's other parties. */
static void tell_call(struct contact *contact, enum conference_event event, uint64_t now_ns)
{
	if (contact->call)
		call_happens(contact->call, contact->party, event, CONTACT_REASON_AGENT_DISCONNECT,
			now_ns);
}

/* The agent who had accepted is gone; the contact waits again. */
static void agent_lost(struct contact *contact, bool missed, uint64_t now_ns)
{
	struct router *router = contact->board->router;

	if (contact_is_callback(contact)) /* out of the queue since its acceptance */
		callback_agent_lost(contact, now_ns);
	else if (missed)
		router_miss(router, 0, contact->id, now_ns);
	else
		router_drop(router, 0, contact->id, now_ns);
}

/* The agent of a transfer is lost in the customer whisper: out of the queue, there is no way back. */
static void too_late(struct contact *contact, const char *why)
{
	if (transfer_is_one(contact)) /* else it may have been dialled: no agent was offered it */
		transfer_failed(contact, "%s: %s", agent_name(contact), why);
}

/* ---- the limit on whispers and on a panel's phone ---- */

static void on_timer(void *ctx, uint64_t now_ns)
{
	struct contact *contact = ctx;
	struct log_call call = call_of(contact);

	switch (contact->state) {
	case CONTACT_SCHEDULED:
	case CONTACT_QUEUED:
		callback_due(contact, now_ns);
		break;
	case CONTACT_DIALLING:
		dialling_late(contact, now_ns);
		break;
	case CONTACT_OFFERED:
		log_warning(&call, "contact", "the phone of the agent who accepted did not answer");
		drop_agent_leg(contact, "not answered");
		agent_lost(contact, true, now_ns);
		contact->board->stats.offers_missed++;
		break;
	case CONTACT_AGENT_WHISPER:
		log_warning(&call, "contact", "the agent whisper lasted too long");
		drop_agent_leg(contact, "whisper too long");
		agent_lost(contact, false, now_ns);
		break;
	case CONTACT_CUSTOMER_WHISPER:
		log_warning(&call, "contact", "the customer whisper lasted too long");
		too_late(contact, "the customer whisper lasted too long");
		board_end_contact(contact, CONTACT_REASON_OTHER, now_ns);
		break;
	default:
		break;
	}
}

void offering_init_timer(struct contact *contact)
{
	timer_init(&contact->timer, on_timer, contact);
}

static void set_limit(struct contact *contact, uint64_t limit_ns, uint64_t now_ns)
{
	timers_set(contact->board->timers, &contact->timer, now_ns + limit_ns);
}

void offering_set_whisper_limit(struct contact *contact, uint64_t now_ns)
{
	set_limit(contact, contact->board->config->whisper_max_ns, now_ns);
}

/* ---- the offer ---- */

static int call_phone(struct contact *contact, uint64_t now_ns)
{
	struct leg *leg = NULL;
	int rc;

	if (board_contact_go_live(contact) == 0)
		leg = board_leg_open(contact, LEG_AGENT, contact->offer_agent);
	if (!leg)
		return -ENOSPC;
	contact->agent = leg;
	rc = board_leg_ring(leg, now_ns);
	if (rc < 0)
		board_leg_close(leg, 0, "");
	else if (contact->accepting)
		set_limit(contact, contact->board->config->panel_answer_ns, now_ns);
	return rc;
}

/* The agent's phone rings, or the panel does. */
void offering_agent_rings(struct contact *contact, uint64_t now_ns)
{
	if (contact->state == CONTACT_OFFERED && contact->call)
		transfer_rings(contact->call, contact->party, now_ns);
}

static void offered(struct contact *contact, const struct router_effect *effect, uint64_t now_ns)
{
	const struct resource_agent *row = router_agent_row(contact->board->router, effect->agent);
	struct log_call call = call_of(contact);
	int rc;

	contact->board->stats.offers++;
	contact->offer = effect->offer;
	contact->offer_agent = effect->agent;
	contact->accepting = false;
	timers_cancel(contact->board->timers, &contact->timer);
	contact->segment.attempts++;
	contact_set_state(contact, CONTACT_OFFERED, now_ns);
	log_info(&call, "contact", "offered to %s", agent_name(contact));
	if (row->phone_kind != RESOURCE_PHONE_RING) {
		offering_agent_rings(contact, now_ns);
		return;
	}
	rc = call_phone(contact, now_ns);
	if (rc < 0) {
		log_warning(&call, "contact", "the phone of %s cannot be called: %s",
			agent_name(contact), strerror(-rc));
		router_reject(contact->board->router, 0, effect->offer, true, now_ns);
	}
}

static void withdrawn(struct contact *contact, const struct router_effect *effect)
{
	struct switchboard_stats *stats = &contact->board->stats;

	if (contact->offer != effect->offer)
		return;
	if (effect->why == ROUTER_WHY_MISSED)
		stats->offers_missed++;
	else if (effect->why == ROUTER_WHY_REJECTED)
		stats->offers_rejected++;
	else
		stats->offers_withdrawn++;
	contact->offer = 0;
	drop_agent_leg(contact, router_why_text(effect->why));
}

/* The caller waits again, in the old place. */
static void returned(struct contact *contact, const struct router_effect *effect, uint64_t now_ns)
{
	struct log_call call = call_of(contact);

	contact->offer = 0;
	contact->offer_agent = ROUTER_NONE;
	contact->segment.agent = ROUTER_NONE;
	drop_agent_leg(contact, router_why_text(effect->why));
	log_info(&call, "contact", "waits again at position %u: %s", effect->position,
		router_why_text(effect->why));
	contact_set_state(contact, CONTACT_QUEUED, now_ns);
	tell_call(contact, CONFERENCE_AGAIN, now_ns);
	if (contact_is_callback(contact)) {
		board_contact_rest(contact);
		callback_waits(contact, now_ns);
	}
}

/* Transfer to agent: the offer is over, and the contact has no other way (R22). */
static void direct_failed(
	struct contact *contact, const struct router_effect *effect, uint64_t now_ns)
{
	contact->offer = 0;
	drop_agent_leg(contact, router_why_text(effect->why));
	transfer_failed(contact, "%s: %s", agent_name(contact), router_why_text(effect->why));
	board_customer_remains(contact, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
}

/* ---- accepted: the whispers, one after the other (R55) ---- */

static void begin_agent_whisper(struct contact *contact, uint64_t now_ns)
{
	contact->accepting = false;
	contact->segment.agent = contact->offer_agent;
	contact_set_state(contact, CONTACT_AGENT_WHISPER, now_ns);
	offering_set_whisper_limit(contact, now_ns);
	if (transfer_is_one(contact) && contact->segment.queue == ROUTER_NONE)
		treatment_hush(contact->caller->treatment); /* R26: the ringing is over */
	tell_call(contact, CONFERENCE_ACCEPTED, now_ns);
	treatment_start(contact->agent->treatment, contact,
		board_hook_flow(contact, FLOW_HOOK_AGENT_WHISPER), FLOW_TYPE_AGENT_WHISPER, now_ns);
}

/* Answering a phone that rings is accepting; a panel has accepted before its phone was called. */
void offering_agent_leg_up(struct leg *leg, uint64_t now_ns)
{
	struct contact *contact = leg->contact;

	if (contact->state == CONTACT_DIALLING)
		dialling_phone_up(contact, now_ns);
	if (contact->state != CONTACT_OFFERED) /* an agent who dialled */
		return;
	offering_agent_rings(contact, now_ns);
	timers_cancel(contact->board->timers, &contact->timer);
	if (contact->accepting)
		begin_agent_whisper(contact, now_ns);
	else
		router_accept(contact->board->router, 0, contact->offer, now_ns);
}

static void accept_answered(
	struct contact *contact, const struct router_effect *effect, uint64_t now_ns)
{
	if (effect->result != ROUTER_OK)
		return;
	contact->board->stats.offers_accepted++;
	if (contact->agent)
		begin_agent_whisper(contact, now_ns);
	else if (!contact->accepting || call_phone(contact, now_ns) < 0)
		/* the phone hung up since, or cannot be called */
		agent_lost(contact, false, now_ns);
}

static void dequeued(struct contact *contact, uint64_t now_ns)
{
	if (contact->segment.queued)
		contact->segment.dequeued = now_ns;
	contact_set_state(contact, CONTACT_CUSTOMER_WHISPER, now_ns);
	if (!contact->agent) { /* hung up in the moment in which the whisper ended */
		too_late(contact, "hung up");
		offering_agent_ends(contact, now_ns);
		board_customer_remains(contact, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
		return;
	}
	offering_set_whisper_limit(contact, now_ns);
	tell_call(contact, CONFERENCE_AGENT_WHISPER_OVER, now_ns);
	treatment_start(contact->caller->treatment, contact,
		board_hook_flow(contact, FLOW_HOOK_CUSTOMER_WHISPER), FLOW_TYPE_CUSTOMER_WHISPER,
		now_ns);
}

static void join(struct contact *contact, uint64_t now_ns)
{
	struct contact_segment *segment = &contact->segment;

	timers_cancel(contact->board->timers, &contact->timer);
	segment->agent_connected = now_ns;
	contact_set_state(contact, CONTACT_TALKING, now_ns);
	router_agent_contact(
		contact->board->router, segment->agent, contact->id, AGENT_CONNECT, now_ns);
	contact_event(contact, "CONNECTED_TO_AGENT", now_ns);
	if (!contact->call->talking) {
		call_begin(contact, now_ns);
		return;
	}
	if (transfer_is_one(contact)) /* the source talks to the agent as a party from now on */
		contact->caller = NULL;
	tell_call(contact, CONFERENCE_CUSTOMER_WHISPER_OVER, now_ns);
}

void offering_whisper_over(
	struct contact *contact, enum flow_type role, enum flow_outcome outcome, uint64_t now_ns)
{
	struct switchboard *board = contact->board;

	if (contact->state == CONTACT_AGENT_WHISPER && role == FLOW_TYPE_AGENT_WHISPER) {
		timers_cancel(board->timers, &contact->timer);
		if (outcome == FLOW_OUTCOME_DISCONNECTED)
			agent_lost(contact, false, now_ns);
		else if (contact_is_callback(contact))
			callback_dial(contact, now_ns);
		else
			router_dequeue(board->router, 0, contact->id, now_ns);
	} else if (contact->state == CONTACT_CUSTOMER_WHISPER && role != FLOW_TYPE_AGENT_WHISPER) {
		if (outcome == FLOW_OUTCOME_DISCONNECTED) {
			too_late(contact, "the customer whisper has disconnected");
			board_end_contact(contact, CONTACT_REASON_CONTACT_FLOW_DISCONNECT, now_ns);
		} else {
			join(contact, now_ns);
		}
	}
}

/* ---- the agent leaves ---- */

void offering_agent_ends(struct contact *contact, uint64_t now_ns)
{
	struct contact_segment *segment = &contact->segment;

	if (router_agent_contact(
		    contact->board->router, segment->agent, contact->id, AGENT_END, now_ns) < 0)
		return;
	segment->agent_ended = now_ns;
	segment->acw_started = now_ns;
}

/* Whether a refusal of the agent's phone is the agent's word, rather than a fault on the way. */
static bool is_reject(const struct sip_end *end)
{
	return end->status == 480 || end->status == 486 || end->status / 100 == 6;
}

void offering_agent_leg_down(struct leg *leg, const struct sip_end *end, uint64_t now_ns)
{
	struct contact *contact = leg->contact;
	struct switchboard *board = contact->board;

	bool accepted = contact->accepting;

	if (contact->call->talking && leg->party != CONFERENCE_NOBODY &&
		party_is_on_call(&contact->call->conference.party[leg->party])) {
		call_happens(contact->call, leg->party, CONFERENCE_GONE,
			CONTACT_REASON_AGENT_DISCONNECT, now_ns);
		return;
	}
	drop_agent_leg(contact, "");
	switch (contact->state) {
	case CONTACT_OFFERED:
		if (accepted)
			agent_lost(contact, is_reject(end), now_ns);
		else
			router_reject(board->router, 0, contact->offer, !is_reject(end), now_ns);
		break;
	case CONTACT_AGENT_WHISPER:
		agent_lost(contact, false, now_ns);
		break;
	case CONTACT_DIALLING: /* the agent gave up */
		dialling_given_up(contact, now_ns);
		break;
	case CONTACT_CUSTOMER_WHISPER:
		too_late(contact, "hung up");
		offering_agent_ends(contact, now_ns);
		board_customer_remains(contact, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
		break;
	default:
		break;
	}
}

/* After-contact work was cleared, by hand, by its timeout, or by a next status. */
static void agent_changed(
	struct switchboard *board, const struct router_effect *effect, uint64_t now_ns)
{
	const struct agent_contact *before = &effect->before.contact;
	struct contact *contact = pool_get(&board->contacts, before->contact);
	struct contact_segment *segment;

	if (!contact || before->state != AGENT_SLOT_ENDED ||
		effect->after.contact.state == AGENT_SLOT_ENDED)
		return;
	segment = contact_wrapped_by(contact, effect->agent);
	if (!segment)
		return;
	segment->acw_ended = now_ns;
	/* who has been left with an outside number may be delivered again at the end (R98) */
	if (segment == &contact->segment && contact->state != CONTACT_ENDED &&
		contact->state != CONTACT_BRIDGED)
		return;
	contact_record_put(contact, segment, true, now_ns);
	if (segment != &contact->segment)
		contact_drop_past(contact, segment);
	board_close_contact(contact, now_ns);
}

void offering_router_effect(
	struct switchboard *board, const struct router_effect *effect, uint64_t now_ns)
{
	struct contact *contact = pool_get(&board->contacts, effect->contact);

	if (effect->kind == ROUTER_AGENT_CHANGED) {
		agent_changed(board, effect, now_ns);
		return;
	}
	if (!contact || !contact_is_live(contact))
		return;
	switch (effect->kind) {
	case ROUTER_OFFER:
		offered(contact, effect, now_ns);
		break;
	case ROUTER_WITHDRAW:
		withdrawn(contact, effect);
		break;
	case ROUTER_RETURNED:
		returned(contact, effect, now_ns);
		break;
	case ROUTER_DEQUEUED:
		if (contact_is_callback(contact))
			contact->segment.dequeued = now_ns;
		else if (contact->state == CONTACT_AGENT_WHISPER)
			dequeued(contact, now_ns);
		break;
	case ROUTER_ANSWER:
		if (effect->request == ROUTER_ACCEPT)
			accept_answered(contact, effect, now_ns);
		break;
	case ROUTER_DIRECT_FAILED:
		direct_failed(contact, effect, now_ns);
		break;
	case ROUTER_AGENT_CHANGED:
		break;
	}
}
