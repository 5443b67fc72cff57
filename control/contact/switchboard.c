/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/switchboard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"

#define RETRY_AFTER_S 5

uint64_t board_now(const struct switchboard *board)
{
	return loop_now(board->loop);
}

static struct sip_sessions *sessions_of(const struct switchboard *board)
{
	return signalling_sessions(board->signalling);
}

/* ---- router effects, in order, outside of any other callback ---- */

static void treatment_answer(
	struct switchboard *board, const struct router_effect *effect, uint64_t now_ns)
{
	struct leg *leg = pool_get(&board->legs, effect->tag);

	if (leg)
		treatment_router_answer(&leg->treatment, effect, now_ns);
}

static void queued(struct contact *contact, uint32_t queue, uint64_t now_ns)
{
	contact->target_queue = queue;
	contact->segment.queue = queue;
	contact->segment.queued = now_ns;
	if (router_queue_agent(contact->board->router, queue) == ROUTER_NONE)
		contact->customer_queue = queue;
	contact_set_state(contact, CONTACT_QUEUED, now_ns);
	contact_event(contact, "QUEUED", now_ns);
}

/* R99: a move is a new segment, chained to the old one. */
static void moved(struct contact *contact, uint32_t queue, uint64_t now_ns)
{
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

	if (!contact)
		return;
	if (effect->request == ROUTER_ENQUEUE && effect->result == ROUTER_OK)
		queued(contact, effect->queue, now_ns);
	if (effect->request == ROUTER_MOVE && effect->result == ROUTER_OK)
		moved(contact, effect->queue, now_ns);
	if (effect->request == ROUTER_ENQUEUE || effect->request == ROUTER_MOVE)
		treatment_answer(board, effect, now_ns);
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

/* ---- legs ---- */

const char *leg_role_name(enum leg_role role)
{
	return role == LEG_CUSTOMER ? "customer" : "agent";
}

struct leg *board_leg_open(struct contact *contact, enum leg_role role, uint32_t agent)
{
	struct switchboard *board = contact->board;
	uint64_t id;
	struct leg *leg = pool_alloc(&board->legs, &id);
	int rc;

	if (!leg)
		return NULL;
	leg->id = id;
	leg->role = role;
	leg->agent = agent;
	leg->contact = contact;
	treatment_init(&leg->treatment, leg);
	rc = media_leg_open(contact->room, NULL, leg, &leg->media);
	if (rc < 0) {
		log_warning(LOG_CALL(contact->segment.id, leg->id), "contact",
			"no media port for the %s: %s", leg_role_name(role), strerror(-rc));
		pool_free(&board->legs, leg);
		return NULL;
	}
	return leg;
}

void board_leg_called(struct leg *leg)
{
	struct switchboard *board = leg->contact->board;

	sip_session_set_tag(sessions_of(board), leg->session, leg->id);
	if (board->leg_called)
		board->leg_called(board->leg_called_ctx, leg);
}

void board_leg_close(struct leg *leg, unsigned status, const char *reason)
{
	struct contact *contact = leg->contact;
	struct switchboard *board = contact->board;

	if (leg->session) {
		enum sip_session_state state = sip_session_state(sessions_of(board), leg->session);

		sip_session_set_tag(sessions_of(board), leg->session, 0);
		if (status && (state == SIP_SESSION_INCOMING || state == SIP_SESSION_RINGING ||
				      state == SIP_SESSION_EARLY))
			sip_session_reject(sessions_of(board), leg->session, status, STR_NULL,
				status == 503 ? RETRY_AFTER_S : 0);
		else
			sip_session_hangup(sessions_of(board), leg->session, 16, str_from(reason));
		leg->session = 0;
	}
	if (contact->customer == leg)
		contact->customer = NULL;
	if (contact->agent == leg)
		contact->agent = NULL;
	treatment_clear(&leg->treatment);
	media_leg_close(leg->media);
	pool_free(&board->legs, leg);
}

static struct media_remote remote_of(const struct sdp_stream *stream)
{
	struct media_remote remote = {.codec = stream->codec,
		.payload_type = stream->payload_type,
		.event_payload_type = stream->event_payload_type,
		.receive_payload_type = stream->receive_payload_type,
		.receive_event_payload_type = stream->receive_event_payload_type,
		.ptime_ms = (uint8_t)stream->ptime_ms,
		.may_send = stream->direction & CORD_MAY_SEND,
		.may_receive = stream->direction & CORD_MAY_RECEIVE};

	remote.address = address_ipv4(
		(uint32_t)stream->remote.ip[0] << 24 | (uint32_t)stream->remote.ip[1] << 16 |
			(uint32_t)stream->remote.ip[2] << 8 | stream->remote.ip[3],
		stream->remote.udp_port);
	return remote;
}

void board_leg_media(struct leg *leg, const struct sdp_stream *stream)
{
	struct media_remote remote = remote_of(stream);
	int rc = media_leg_update(leg->media, &remote);

	leg->held_by_peer = stream->held_by_peer;
	leg->events = stream->receive_event_payload_type != SDP_NO_PAYLOAD_TYPE;
	if (rc < 0)
		log_warning(LOG_CALL(leg->contact->segment.id, leg->id), "media",
			"what the peer's SDP says cannot be used: %s", strerror(-rc));
}

int board_leg_answer(struct leg *leg)
{
	struct switchboard *board = leg->contact->board;
	struct sdp_local local = signalling_local(board->signalling, media_leg_local(leg->media),
		leg->role == LEG_CUSTOMER ? leg->contact->trunk : "");
	struct sdp_stream agreed;
	int rc = sip_session_answer(sessions_of(board), leg->session, &local, &agreed);

	if (rc == 0 && agreed.remote.udp_port)
		board_leg_media(leg, &agreed);
	return rc;
}

/* ---- contacts ---- */

struct contact *board_contact_open(
	struct switchboard *board, enum contact_method method, uint64_t now_ns)
{
	uint64_t id;
	struct contact *contact = pool_alloc(&board->contacts, &id);

	if (!contact)
		return NULL;
	contact->id = id;
	contact->board = board;
	contact->clock = (struct clock_pair){now_ns, clock_wall_at(&board->clock, now_ns)};
	contact->target_queue = ROUTER_NONE;
	contact->customer_queue = ROUTER_NONE;
	contact->offer_agent = ROUTER_NONE;
	contact_text(contact->language, sizeof(contact->language), "en-US");
	offering_init_timer(contact);
	contact_first_segment(contact, method, now_ns);
	if (media_room_create(board->media, NULL, &contact->room) < 0) {
		pool_free(&board->contacts, contact);
		return NULL;
	}
	board->live++;
	return contact;
}

/* What only a live contact holds: its trunk's channel, its place among the concurrent calls. */
static void release(struct contact *contact)
{
	if (contact->released)
		return;
	contact->released = true;
	contact->board->live--;
	signalling_release(contact->board->signalling, contact->trunk);
}

static void forget(struct contact *contact)
{
	struct switchboard *board = contact->board;

	timers_cancel(board->timers, &contact->timer);
	while (contact->past)
		contact_drop_past(contact, contact->past);
	flow_release(contact->first_flow);
	for (int i = 0; i < FLOW_HOOK_COUNT; i++)
		flow_release(contact->hook[i]);
	flow_memory_clear(&contact->memory);
	free(contact->sip_headers);
	media_room_destroy(contact->room);
	release(contact);
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

void board_end_contact(struct contact *contact, enum contact_reason reason, uint64_t now_ns)
{
	struct switchboard *board = contact->board;
	struct contact_segment *segment = &contact->segment;

	if (!contact_is_live(contact))
		return;
	log_info(LOG_CALL(segment->id, 0), "contact", "ends in %s: %s",
		contact_state_name(contact->state), contact_reason_name(reason));
	leave_router(contact, reason, now_ns);
	if (segment->queued && !segment->dequeued)
		segment->dequeued = now_ns;
	segment->reason = reason;
	segment->disconnected = now_ns;
	contact->offer = 0;
	timers_cancel(board->timers, &contact->timer);
	contact_set_state(contact, CONTACT_ENDED, now_ns);
	if (contact->customer)
		board_leg_close(contact->customer, 480, contact_reason_name(reason));
	if (contact->agent)
		board_leg_close(contact->agent, 480, contact_reason_name(reason));
	media_room_destroy(contact->room);
	contact->room = NULL;
	release(contact);
	contact_event(contact, "DISCONNECTED", now_ns);
	/* a call that was given up before it was answered has no record (R98) */
	if (segment->connected ||
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
	forget(contact);
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

	if (contact->hook_disabled[hook])
		return NULL;
	if (contact->hook[hook])
		return contact->hook[hook];
	return defaults[hook] < 0 ? NULL
				  : instance_flow(board->instance,
					    board->config->default_flow[defaults[hook]]);
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

	if (!flow || contact->disconnect_flow_ran || !contact->customer) {
		board_end_contact(contact, reason, now_ns);
		return;
	}
	contact->disconnect_flow_ran = true;
	contact->segment.reason = reason;
	contact_next_segment(contact, CONTACT_METHOD_DISCONNECT, now_ns);
	contact_set_state(contact, CONTACT_FLOW, now_ns);
	treatment_start(&contact->customer->treatment, flow, FLOW_TYPE_INBOUND, now_ns);
}

/* ---- what follows a treatment ---- */

static void customer_treatment_over(
	struct contact *contact, enum flow_outcome outcome, uint64_t now_ns)
{
	struct treatment *t = &contact->customer->treatment;

	switch (outcome) {
	case FLOW_OUTCOME_QUEUED:
		treatment_start(t, board_hook_flow(contact, FLOW_HOOK_CUSTOMER_QUEUE),
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
	case FLOW_OUTCOME_DISCONNECTED:
	case FLOW_OUTCOME_TO_AGENT:
	case FLOW_OUTCOME_THIRD_PARTY:
	case FLOW_OUTCOME_PARTY_GONE:
		board_end_contact(contact, CONTACT_REASON_CONTACT_FLOW_DISCONNECT, now_ns);
		break;
	}
}

void board_treatment_over(struct leg *leg, enum flow_outcome outcome, uint64_t now_ns)
{
	struct contact *contact = leg->contact;

	log_info(LOG_CALL(contact->segment.id, leg->id), "flow", "flow is over: %s",
		flow_outcome_name(outcome));
	if (leg->role == LEG_AGENT || contact->state == CONTACT_CUSTOMER_WHISPER)
		offering_whisper_over(leg, outcome, now_ns);
	else
		customer_treatment_over(contact, outcome, now_ns);
}

/* ---- an incoming call ---- */

static void refuse(struct switchboard *board, uint64_t session, unsigned status, uint32_t retry_s)
{
	board->stats.calls_refused++;
	sip_session_reject(sessions_of(board), session, status, STR_NULL, retry_s);
}

static uint32_t calls_limit(const struct switchboard *board)
{
	struct media_counts counts;

	if (board->config->calls_max)
		return (uint32_t)board->config->calls_max;
	media_counts(board->media, &counts);
	return counts.rooms;
}

/* 0, or the status that a new call is refused with now. */
static unsigned why_not_now(const struct switchboard *board)
{
	if (board->draining || media_state(board->media) != MEDIA_UP ||
		records_pressure(board->records))
		return 503;
	return board->live >= calls_limit(board) ? 503 : 0;
}

static void take_identity(struct contact *contact, const struct signalling_call *call)
{
	contact_text(contact->customer_number, sizeof(contact->customer_number), call->from);
	contact_text(contact->customer_name, sizeof(contact->customer_name), call->from_name);
	contact_text(contact->system_number, sizeof(contact->system_number), call->to);
	contact->sip_headers = signalling_headers(call);
}

static void arrive(struct switchboard *board, uint64_t session, const struct signalling_call *call,
	struct flow *flow, uint64_t now_ns)
{
	struct contact *contact = board_contact_open(board, CONTACT_METHOD_INBOUND, now_ns);
	int rc;

	if (contact)
		contact->customer = board_leg_open(contact, LEG_CUSTOMER, ROUTER_NONE);
	if (!contact || !contact->customer) {
		signalling_release(board->signalling, call->trunk);
		if (contact)
			forget(contact);
		refuse(board, session, 503, RETRY_AFTER_S);
		return;
	}
	contact_text(contact->trunk, sizeof(contact->trunk), call->trunk);
	take_identity(contact, call);
	contact->first_flow = flow_hold(flow);
	contact->customer->session = session;
	board_leg_called(contact->customer);
	log_info(LOG_CALL(contact->segment.id, contact->customer->id), "contact",
		"call from %s to %s by %s %s: flow '%s'", contact->customer_number,
		contact->system_number, call->by_phone ? "phone" : "trunk", call->peer, flow->name);
	contact_event(contact, "INITIATED", now_ns);
	rc = board_leg_answer(contact->customer);
	if (rc < 0) {
		board->stats.calls_refused++;
		contact->segment.reason = CONTACT_REASON_TELECOM_PROBLEM;
		board_leg_close(contact->customer, rc == -ENOTSUP ? 488 : 500, "");
		contact_set_state(contact, CONTACT_CLOSED, now_ns);
		forget(contact);
	}
}

static void on_incoming(
	void *ctx, uint64_t session, const struct sip_incoming *incoming, uint64_t now_ns)
{
	struct switchboard *board = ctx;
	struct signalling_call call;
	struct flow *flow = NULL;
	unsigned status;

	board->stats.calls_in++;
	status = signalling_judge(board->signalling, incoming, now_ns, &call);
	if (status == 0)
		status = why_not_now(board);
	if (status == 0 && call.by_phone) {
		status = dialling_start(board, session, &call, now_ns);
		if (status == 0)
			return;
	} else if (status == 0) {
		flow = instance_flow(board->instance, call.flow);
		status = flow ? 0 : 404;
	}
	if (status) {
		signalling_release(board->signalling, call.trunk);
		log_info_limited(
			NULL, "contact", 20, "call to %s refused with %u", call.to, status);
		refuse(board, session, status, status == 503 ? RETRY_AFTER_S : 0);
		return;
	}
	arrive(board, session, &call, flow, now_ns);
}

/* ---- session events ---- */

static struct leg *leg_of(struct switchboard *board, uint64_t session)
{
	return pool_get(&board->legs, sip_session_tag(sessions_of(board), session));
}

static void customer_up(struct leg *leg, uint64_t now_ns)
{
	struct contact *contact = leg->contact;
	struct flow *flow = contact->first_flow;

	contact->board->stats.calls_answered++;
	contact->segment.connected = now_ns;
	contact_set_state(contact, CONTACT_FLOW, now_ns);
	contact_event(contact, "CONNECTED_TO_SYSTEM", now_ns);
	contact_record_put(contact, &contact->segment, false, now_ns);
	contact->first_flow = NULL;
	treatment_start(&leg->treatment, flow, FLOW_TYPE_INBOUND, now_ns);
	flow_release(flow);
}

static void on_answered(
	void *ctx, uint64_t session, const struct sdp_stream *media, uint64_t now_ns)
{
	struct leg *leg = leg_of(ctx, session);

	if (!leg || leg->up)
		return;
	leg->up = true;
	board_leg_media(leg, media);
	if (leg->role == LEG_AGENT)
		offering_agent_leg_up(leg, now_ns);
	else if (leg->contact->segment.method == CONTACT_METHOD_OUTBOUND)
		dialling_answered(leg, now_ns);
	else
		customer_up(leg, now_ns);
}

static void on_media(void *ctx, uint64_t session, const struct sdp_stream *media, uint64_t now_ns)
{
	struct leg *leg = leg_of(ctx, session);

	if (leg)
		board_leg_media(leg, media);
}

static void on_digit(void *ctx, uint64_t session, char digit, unsigned duration_ms, uint64_t now_ns)
{
	struct leg *leg = leg_of(ctx, session);

	/* a peer that also sends telephone-events has said it already */
	if (leg && !leg->events)
		treatment_key(&leg->treatment, digit, now_ns);
}

static void on_session_over(void *ctx, uint64_t session, const struct sip_end *end, uint64_t now_ns)
{
	struct leg *leg = leg_of(ctx, session);

	if (!leg)
		return;
	leg->session = 0;
	if (leg->role == LEG_CUSTOMER && leg->contact->state == CONTACT_ARRIVING &&
		leg->contact->segment.method == CONTACT_METHOD_OUTBOUND)
		dialling_failed(leg, end, now_ns);
	else if (leg->role == LEG_CUSTOMER)
		board_end_contact(leg->contact,
			end->by_peer ? CONTACT_REASON_CUSTOMER_DISCONNECT
				     : CONTACT_REASON_TELECOM_PROBLEM,
			now_ns);
	else
		offering_agent_leg_down(leg, end, now_ns);
}

static void on_progress(void *ctx, uint64_t session, unsigned status,
	const struct sdp_stream *media, uint64_t now_ns)
{
	struct leg *leg = leg_of(ctx, session);

	if (leg && leg->role == LEG_CUSTOMER)
		dialling_progress(leg, status, media, now_ns);
}

static void on_reoffered(void *ctx, uint64_t session, unsigned status, uint64_t now_ns)
{
}

const struct sip_session_events board_session_events = {
	.incoming = on_incoming,
	.progress = on_progress,
	.answered = on_answered,
	.media = on_media,
	.reoffered = on_reoffered,
	.digit = on_digit,
	.ended = on_session_over,
	.failed = on_session_over,
};

/* ---- media callbacks ---- */

static void on_up(void *ctx, bool restarted)
{
	system_event(ctx, restarted ? "DATAPLANE_RESTARTED" : "DATAPLANE_UP", "");
	log_info(NULL, "media",
		restarted ? "a new dataplane is attached: media is restored"
			  : "the dataplane is attached");
}

static void on_down(void *ctx, const char *why)
{
	system_event(ctx, "DATAPLANE_DOWN", why);
	log_error(NULL, "media", "the dataplane is gone: %s", why);
}

static void on_key(void *ctx, void *leg_ctx, char digit, uint64_t time_ns)
{
	struct leg *leg = leg_ctx;

	treatment_key(&leg->treatment, digit, board_now(ctx));
}

static void on_play_ended(void *ctx, void *leg_ctx, uint64_t token)
{
	struct leg *leg = leg_ctx;

	treatment_play_ended(&leg->treatment, token, board_now(ctx));
}

static void on_play_failed(void *ctx, void *leg_ctx, uint64_t token, const char *why)
{
	struct leg *leg = leg_ctx;

	treatment_play_failed(&leg->treatment, token, why, board_now(ctx));
}

static void on_leg_failed(void *ctx, void *leg_ctx, const char *why)
{
	struct leg *leg = leg_ctx;
	struct sip_end end = {.status = 503};

	log_error(LOG_CALL(leg->contact->segment.id, leg->id), "media", "no media: %s", why);
	if (leg->role == LEG_CUSTOMER)
		board_end_contact(leg->contact, CONTACT_REASON_TELECOM_PROBLEM, board_now(ctx));
	else
		offering_agent_leg_down(leg, &end, board_now(ctx));
}

struct media_callbacks board_media_callbacks(struct switchboard *board)
{
	return (struct media_callbacks){.ctx = board,
		.up = on_up,
		.down = on_down,
		.key = on_key,
		.play_ended = on_play_ended,
		.play_failed = on_play_failed,
		.leg_failed = on_leg_failed};
}

/* ---- life ---- */

int board_init(struct switchboard *board)
{
	int rc;

	board->started_ns = board_now(board);
	board->clock = clock_pair_take();
	board->router_task = (struct loop_task){.fn = take_router_effects, .ctx = board};
	board->effects = malloc(sizeof(*board->effects));
	if (!board->effects)
		return -ENOMEM;
	rc = pool_init(
		&board->contacts, sizeof(struct contact), (uint32_t)board->config->contacts_max);
	if (rc == 0)
		rc = pool_init(&board->legs, sizeof(struct leg),
			2 * (uint32_t)board->config->contacts_max);
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
		forget(contact);
	}
	loop_task_cancel(&board->router_task);
	pool_clear(&board->contacts);
	pool_clear(&board->legs);
	free(board->effects);
	board->effects = NULL;
}

void board_drain(struct switchboard *board)
{
	board->draining = true;
	signalling_drain(board->signalling, RETRY_AFTER_S);
}

bool board_idle(const struct switchboard *board)
{
	struct contact *contact = NULL;

	/* after-contact work alone keeps nobody waiting */
	while ((contact = pool_next(&board->contacts, contact)))
		if (contact_is_live(contact))
			return false;
	return true;
}

struct contact *board_find_contact(const struct switchboard *board, const char *id)
{
	struct contact *contact = NULL;

	while ((contact = pool_next(&board->contacts, contact)))
		if (strcmp(contact->segment.id, id) == 0)
			return contact;
	return NULL;
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
	return 0;
}
