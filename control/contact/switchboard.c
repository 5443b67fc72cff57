/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/switchboard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "contact/asking.h"

uint64_t board_now(const struct switchboard *board)
{
	return loop_now(board->loop);
}

/* ---- router effects, in order, outside of any other callback ---- */

static void answer_treatment(
	struct switchboard *board, const struct router_effect *effect, uint64_t now_ns)
{
	struct treatment *t = pool_get(&board->treatments, effect->tag);

	if (t)
		treatment_router_answer(t, effect, now_ns);
}

void board_queued(struct contact *contact, uint32_t queue, uint64_t now_ns)
{
	contact->target_queue = queue;
	contact->segment.queue = queue;
	if (!contact->segment.queued) /* a callback may come again */
		contact->segment.queued = now_ns;
	contact->segment.dequeued = 0;
	if (router_queue_agent(contact->board->router, queue) == ROUTER_NONE)
		contact->customer_queue = queue;
	contact_set_state(contact, CONTACT_QUEUED, now_ns);
	contact_event(contact, "QUEUED", now_ns);
	if (contact->call)
		transfer_rings(contact->call, contact->party, now_ns);
}

/* R99: a move is a new segment, chained to the old one; to the queue where it is, nothing. */
static void moved(struct contact *contact, uint32_t queue, uint64_t now_ns)
{
	if (contact->segment.queue == queue)
		return;
	contact->segment.dequeued = now_ns;
	contact_next_segment(contact, CONTACT_METHOD_QUEUE_TRANSFER, now_ns);
	contact->target_queue = queue;
	contact->segment.queue = queue;
	contact->segment.queued = now_ns;
	if (router_queue_agent(contact->board->router, queue) == ROUTER_NONE)
		contact->customer_queue = queue;
	contact_event(contact, "QUEUED", now_ns);
}

static void on_answer(
	struct switchboard *board, const struct router_effect *effect, uint64_t now_ns)
{
	struct contact *contact = pool_get(&board->contacts, effect->contact);

	if (!contact || !contact_is_live(contact))
		return;
	if (effect->request == ROUTER_ENQUEUE && contact_is_callback(contact))
		callback_enqueued(contact, effect, now_ns);
	else if (effect->request == ROUTER_ENQUEUE && effect->result == ROUTER_OK)
		board_queued(contact, effect->queue, now_ns);
	if (effect->request == ROUTER_MOVE && effect->result == ROUTER_OK)
		moved(contact, effect->queue, now_ns);
	if (effect->request == ROUTER_ENQUEUE && effect->result == ROUTER_FULL)
		transfer_failed(contact, "queue %s is full (%u of %u)",
			board_queue_name(board, effect->queue), effect->members, effect->limit);
	if (effect->request == ROUTER_OFFER_AGENT)
		transfer_offered(contact, effect, now_ns);
	if (effect->request == ROUTER_PARK)
		third_party_parked(contact, effect->result, now_ns);
	if (effect->request == ROUTER_ENQUEUE || effect->request == ROUTER_MOVE)
		answer_treatment(board, effect, now_ns);
}

static void take_router_effects(void *ctx)
{
	struct switchboard *board = ctx;
	struct router_effect effect;

	while (router_take_effect(board->router, &effect)) {
		if (effect.kind == ROUTER_ANSWER)
			on_answer(board, &effect, board_now(board));
		else if (effect.kind == ROUTER_AGENT_CHANGED)
			agent_event(board, &effect);
		offering_router_effect(board, &effect, board_now(board));
	}
}

static void on_router_wake(void *ctx)
{
	struct switchboard *board = ctx;

	loop_task_set(board->loop, &board->router_task);
}

/* ---- contacts ---- */

struct contact *board_contact_schedule(
	struct switchboard *board, enum contact_method method, uint64_t now_ns)
{
	uint64_t id;
	struct contact *contact = pool_alloc(&board->contacts, &id);

	if (!contact)
		return NULL;
	board->in_state[contact->state]++;
	contact->id = id;
	contact->board = board;
	contact->clock = (struct clock_pair){now_ns, clock_wall_at(&board->clock, now_ns)};
	contact->target_queue = ROUTER_NONE;
	contact->customer_queue = ROUTER_NONE;
	contact->offer_agent = ROUTER_NONE;
	contact->left_agent = ROUTER_NONE;
	contact->transfer_agent = ROUTER_NONE;
	contact->party = CONFERENCE_NOBODY;
	offering_init_timer(contact);
	contact_first_segment(contact, method, now_ns);
	contact->released = true;
	return contact;
}

int board_contact_go_live(struct contact *contact)
{
	int rc;

	if (contact->call)
		return 0;
	rc = call_open(contact);
	if (rc < 0)
		return rc;
	contact->released = false;
	contact->board->live++;
	return 0;
}

struct contact *board_contact_open(
	struct switchboard *board, enum contact_method method, uint64_t now_ns)
{
	struct contact *contact = board_contact_schedule(board, method, now_ns);

	if (contact && board_contact_go_live(contact) < 0) {
		board_forget_contact(contact);
		return NULL;
	}
	return contact;
}

/* What only a live contact holds: its place among the concurrent calls. */
static void release(struct contact *contact)
{
	if (contact->released)
		return;
	contact->released = true;
	contact->board->live--;
}

void board_contact_rest(struct contact *contact)
{
	call_part(contact);
	release(contact);
}

void board_forget_contact(struct contact *contact)
{
	struct switchboard *board = contact->board;

	timers_cancel(board->timers, &contact->timer);
	third_party_forget(contact);
	while (contact->past)
		contact_drop_past(contact, contact->past);
	panel_forget(contact);
	contact_leave_chain(contact);
	free(contact->callback);
	free(contact->customer_name);
	free(contact->quick_connect);
	flow_release(contact->first_flow);
	for (int i = 0; i < FLOW_HOOK_COUNT; i++)
		flow_release(contact->hook[i]);
	criteria_release(contact->criteria);
	flow_memory_clear(&contact->memory);
	contact_data_clear(&contact->data);
	free(contact->sip_headers);
	call_part(contact);
	release(contact);
	board->in_state[contact->state]--;
	map_remove(&board->by_id, contact->segment.id, strlen(contact->segment.id));
	pool_free(&board->contacts, contact);
}

static bool in_router(const struct contact *contact)
{
	return contact->state == CONTACT_QUEUED || contact->state == CONTACT_OFFERED ||
	       contact->state == CONTACT_AGENT_WHISPER;
}

/*
 * Asks the router, not the contact's state: the router may be a step ahead, with its effects still
 * to be taken.
 */
static void leave_router(struct contact *contact, enum contact_reason reason, uint64_t now_ns)
{
	struct router *router = contact->board->router;
	struct contact_segment *segment = &contact->segment;
	struct router_place place;

	if (router_place(router, contact->id, now_ns, &place) < 0) {
		/* a callback leaves the router already when its agent accepts */
		if (contact->state == CONTACT_OFFERED && contact_is_callback(contact))
			segment->agent = contact->offer_agent;
		if (segment->agent != ROUTER_NONE && !segment->agent_ended)
			offering_agent_ends(contact, now_ns);
		return;
	}
	router_remove(router, 0, contact->id,
		reason == CONTACT_REASON_CUSTOMER_DISCONNECT ? QUEUE_ABANDONED : QUEUE_LEFT_BY_FLOW,
		now_ns);
	if (!place.accepted)
		return;
	/* an agent who had accepted is in after-contact work now (R98) */
	segment->agent = place.agent;
	segment->agent_ended = now_ns;
	segment->acw_started = now_ns;
}

/* Its legs are hung up on; what it plays to an agent of another contact ends. */
static void close_legs(struct contact *contact, enum contact_reason reason)
{
	struct call *call = contact->call;

	third_party_close(contact);
	for (unsigned i = call->n_legs; i-- > 0;) {
		struct leg *leg = call->legs[i];

		if (leg->contact == contact) {
			board_leg_close(leg, 480, contact_reason_name(reason));
		} else if (leg->treatment->contact == contact) {
			treatment_stop(leg->treatment);
			treatment_hush(leg->treatment);
			leg->treatment->contact = leg->contact;
		}
	}
	contact->caller = NULL;
}

/* The other contacts of the call go on without it. */
static void leave_call(struct contact *contact, enum contact_reason reason, uint64_t now_ns)
{
	struct call *call = contact->call;
	uint8_t party = contact->party;
	bool others;

	if (!call)
		return;
	close_legs(contact, reason);
	others = call->contacts->call_next;
	call_part(contact);
	if (others)
		call_happens(call, party, CONFERENCE_FAILED, reason, now_ns);
}

void board_end_contact(struct contact *contact, enum contact_reason reason, uint64_t now_ns)
{
	struct switchboard *board = contact->board;
	struct contact_segment *segment = &contact->segment;

	if (!contact_is_live(contact))
		return;
	if (segment->reason != CONTACT_REASON_NONE) /* the customer has left before */
		reason = segment->reason;
	log_info(LOG_CALL(segment->id, 0), "contact", "ends in %s: %s",
		contact_state_name(contact->state), contact_reason_name(reason));
	leave_router(contact, reason, now_ns);
	if (segment->queued && !segment->dequeued)
		segment->dequeued = now_ns;
	if (segment->hold_started)
		contact_hold_ends(segment, now_ns);
	segment->reason = reason;
	segment->disconnected = now_ns;
	contact->offer = 0;
	timers_cancel(board->timers, &contact->timer);
	contact_set_state(contact, CONTACT_ENDED, now_ns);
	leave_call(contact, reason, now_ns);
	release(contact);
	contact_event(contact, "DISCONNECTED", now_ns);
	/* a call that was given up before it was answered has no record (R98) */
	if (segment->connected || segment->method == CONTACT_METHOD_CALLBACK ||
		segment->method == CONTACT_METHOD_API ||
		(segment->method == CONTACT_METHOD_OUTBOUND && segment->agent != ROUTER_NONE))
		contact_record_put(contact, segment, !segment_is_wrapping(segment), now_ns);
	board_close_contact(contact, now_ns);
}

void board_close_contact(struct contact *contact, uint64_t now_ns)
{
	if (contact->state != CONTACT_ENDED || contact->past ||
		segment_is_wrapping(&contact->segment))
		return;
	contact_set_state(contact, CONTACT_CLOSED, now_ns);
	contact->board->stats.contacts_closed++;
	board_forget_contact(contact);
}

struct flow *board_hook_flow(const struct contact *contact, enum flow_hook hook)
{
	static const int8_t defaults[FLOW_HOOK_COUNT] = {
		[FLOW_HOOK_AGENT_WHISPER] = CONFIG_DEFAULT_AGENT_WHISPER,
		[FLOW_HOOK_CUSTOMER_WHISPER] = CONFIG_DEFAULT_CUSTOMER_WHISPER,
		[FLOW_HOOK_CUSTOMER_QUEUE] = CONFIG_DEFAULT_CUSTOMER_QUEUE,
		[FLOW_HOOK_CUSTOMER_HOLD] = CONFIG_DEFAULT_CUSTOMER_HOLD,
		[FLOW_HOOK_AGENT_HOLD] = CONFIG_DEFAULT_AGENT_HOLD,
		[FLOW_HOOK_CUSTOMER_REMAINING] = -1,
		[FLOW_HOOK_DEFAULT_AGENT_UI] = -1,
		[FLOW_HOOK_DISCONNECT_AGENT_UI] = -1,
		[FLOW_HOOK_PAUSE_CONTACT] = -1,
		[FLOW_HOOK_RESUME_CONTACT] = -1,
	};
	const struct switchboard *board = contact->board;
	struct flow *flow;

	if (contact->hook_disabled[hook])
		return NULL;
	if (contact->hook[hook]) { /* in the version that is published now */
		flow = instance_flow(board->instance, contact->hook[hook]->id);
		return flow && flow->type == contact->hook[hook]->type ? flow : contact->hook[hook];
	}
	return defaults[hook] < 0 ? NULL
				  : instance_flow(board->instance,
					    board->config->default_flow[defaults[hook]]);
}

const char *board_queue_name(const struct switchboard *board, uint32_t queue)
{
	const struct resource_queue *row = router_queue_row(board->router, queue);
	uint32_t owner = row ? ROUTER_NONE : router_queue_agent(board->router, queue);
	const struct resource_agent *agent =
		owner == ROUTER_NONE ? NULL : router_agent_row(board->router, owner);

	return row ? row->row.name : agent ? agent->row.name : "";
}

const char *board_agent_name(const struct switchboard *board, uint32_t agent)
{
	const struct resource_agent *row = router_agent_row(board->router, agent);

	return row ? row->row.name : "the agent";
}

const char *board_queue_arn(const struct switchboard *board, uint32_t queue)
{
	const struct resource_queue *row = router_queue_row(board->router, queue);
	uint32_t owner = router_queue_agent(board->router, queue);
	const struct resource_agent *agent =
		row || owner == ROUTER_NONE ? NULL : router_agent_row(board->router, owner);

	return row ? row->row.arn : agent ? agent->queue_arn : NULL;
}

/* The agent has left: the disconnect flow for the customer, or the end (R63). */
void board_customer_remains(struct contact *contact, enum contact_reason reason, uint64_t now_ns)
{
	struct flow *flow = board_hook_flow(contact, FLOW_HOOK_CUSTOMER_REMAINING);

	if (!flow || contact->disconnect_flow_ran || !contact->caller || transfer_is_one(contact)) {
		board_end_contact(contact, reason, now_ns);
		return;
	}
	contact->disconnect_flow_ran = true;
	contact->left_agent = contact->segment.agent;
	contact->segment.reason = reason;
	contact_next_segment(contact, CONTACT_METHOD_DISCONNECT, now_ns);
	contact_set_state(contact, CONTACT_FLOW, now_ns);
	treatment_start(contact->caller->treatment, contact, flow, FLOW_TYPE_INBOUND, now_ns);
}

/* ---- what follows a treatment ---- */

static void caller_treatment_over(
	struct contact *contact, enum flow_outcome outcome, uint64_t now_ns)
{
	struct treatment *t = contact->caller->treatment;

	switch (outcome) {
	case FLOW_OUTCOME_QUEUED:
		treatment_start(t, contact, board_hook_flow(contact, FLOW_HOOK_CUSTOMER_QUEUE),
			FLOW_TYPE_CUSTOMER_QUEUE, now_ns);
		break;
	case FLOW_OUTCOME_SILENCE: /* R90: the caller waits in silence */
	case FLOW_OUTCOME_STOPPED:
	case FLOW_OUTCOME_NONE:
		break;
	case FLOW_OUTCOME_PROCEED:
		/* a queue flow that cannot run at all: waiting goes on */
		if (in_router(contact))
			break;
		/* fall through */
	case FLOW_OUTCOME_THIRD_PARTY: /* R73: the flow has ended, the two talk on */
		if (contact->state == CONTACT_BRIDGED)
			break;
		/* fall through */
	case FLOW_OUTCOME_DISCONNECTED:
	case FLOW_OUTCOME_PARTY_GONE:
		transfer_failed(contact, "the transfer flow has ended");
		board_end_contact(contact, CONTACT_REASON_CONTACT_FLOW_DISCONNECT, now_ns);
		break;
	case FLOW_OUTCOME_TO_AGENT:
		transfer_to_agent(contact, now_ns);
		break;
	}
}

void board_treatment_over(
	struct treatment *t, enum flow_type role, enum flow_outcome outcome, uint64_t now_ns)
{
	struct contact *contact = t->contact;

	log_info(LOG_CALL(contact->segment.id, t->leg->id), "flow", "flow is over: %s",
		flow_outcome_name(outcome));
	if (role == FLOW_TYPE_CUSTOMER_HOLD || role == FLOW_TYPE_AGENT_HOLD)
		return; /* the hold goes on in silence */
	if (contact->state == CONTACT_DIALLING)
		dialling_whisper_over(contact, outcome, now_ns);
	else if (t->leg == contact->agent || contact->state == CONTACT_CUSTOMER_WHISPER)
		offering_whisper_over(contact, role, outcome, now_ns);
	else
		caller_treatment_over(contact, outcome, now_ns);
}

/* ---- life ---- */

int board_init(struct switchboard *board)
{
	uint32_t calls = (uint32_t)board->config->contacts_max;
	int rc;

	board->started_ns = board_now(board);
	board->clock = clock_pair_take();
	api_tokens_init(&board->api_tokens);
	panel_init(board);
	agent_stream_init(board);
	leg_quality_init(board);
	board->router_task = (struct loop_task){.fn = take_router_effects, .ctx = board};
	board->effects = calloc(1, sizeof(*board->effects));
	if (!board->effects)
		return -ENOMEM;
	map_init(&board->by_id, NULL, 0);
	rc = pool_init(&board->contacts, sizeof(struct contact), calls);
	if (rc == 0)
		rc = pool_init(&board->legs, sizeof(struct leg), LEGS_OF_CONTACT * calls);
	if (rc == 0)
		rc = pool_init(
			&board->treatments, sizeof(struct treatment), LEGS_OF_CONTACT * calls);
	if (rc == 0)
		router_set_wake(board->router, on_router_wake, board);
	return rc;
}

void board_end_all(struct switchboard *board)
{
	struct contact *contact = NULL;

	while ((contact = pool_next(&board->contacts, contact))) {
		if (contact_is_live(contact))
			board_end_contact(contact, CONTACT_REASON_OTHER, board_now(board));
	}
}

/* After-contact work that the end of the process cuts short: its records are complete. */
static void complete_wrapping(struct contact *contact, uint64_t now_ns)
{
	struct contact_segment *segments[] = {&contact->segment, contact->past};

	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
		for (struct contact_segment *s = segments[i]; s; s = s->older) {
			if (!segment_is_wrapping(s))
				continue;
			s->acw_ended = now_ns;
			contact_record_put(contact, s, true, now_ns);
		}
}

void board_clear(struct switchboard *board)
{
	struct contact *contact = NULL;

	board_end_all(board);
	while ((contact = pool_next(&board->contacts, contact))) {
		complete_wrapping(contact, board_now(board));
		board_forget_contact(contact);
	}
	asking_clear(board);
	api_tokens_clear(&board->api_tokens);
	agent_stream_clear(board);
	leg_quality_clear(board);
	loop_task_cancel(&board->router_task);
	loop_task_cancel(&board->panel_task);
	map_clear(&board->by_id);
	pool_clear(&board->contacts);
	pool_clear(&board->legs);
	pool_clear(&board->treatments);
	free(board->effects);
	board->effects = NULL;
	jot_clear(&board->event);
}

/* Their queue may be gone, or no more calls wanted. */
static void look_at_callbacks(struct switchboard *board)
{
	struct contact *contact = NULL;

	while ((contact = pool_next(&board->contacts, contact)))
		if (contact->state == CONTACT_QUEUED && contact_is_callback(contact))
			callback_waits(contact, board_now(board));
}

void board_drain(struct switchboard *board)
{
	board->draining = true;
	signalling_drain(board->signalling, BOARD_RETRY_AFTER_S);
	look_at_callbacks(board);
}

bool board_idle(const struct switchboard *board)
{
	/* neither after-contact work nor a callback that waits keeps anybody waiting */
	return board->live == 0;
}

struct contact *board_find_contact(const struct switchboard *board, const char *id)
{
	return map_get(&board->by_id, id, strlen(id));
}

void board_phone(struct switchboard *board, uint32_t agent, bool ready)
{
	router_agent_phone(board->router, agent, ready, board_now(board));
}

int board_reload(struct switchboard *board, struct instance *instance)
{
	int rc;

	/* effects that are due point into the old resources */
	take_router_effects(board);
	rc = router_reload(board->router, instance->resources, board_now(board));
	if (rc < 0)
		return rc;
	take_router_effects(board);
	board->instance = instance;
	signalling_reload(board->signalling, instance);
	look_at_callbacks(board);
	return 0;
}
