/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that are called for an agent: the destination answers, hears the outbound whisper flow,
 * and the two are joined (R56).
 *
 *   phone: INVITE        trunk: INVITE
 *      |--- DIALLING ------->|    180: the phone rings back by itself; early media is heard
 *      |<------ 200 ---------|    CUSTOMER_WHISPER: the whisper to the destination alone
 *      |<====== talk =======>|    TALKING
 *
 * The whisper's flow begins before the call: what it does up to CompleteOutboundCall, or to its
 * first word to the destination, comes before the dialling. What it says waits for the answer.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "contact/switchboard.h"

static struct sip_sessions *sessions_of(const struct contact *contact)
{
	return signalling_sessions(contact->board->signalling);
}

static unsigned status_of(int error)
{
	switch (error) {
	case -EBUSY:
		return 486;
	case -EPERM:
	case -ENOTCONN:
		return 403;
	default:
		return 503;
	}
}

int dialling_prepare(struct contact *contact, const struct resource_agent *agent,
	const char *number, uint64_t now_ns)
{
	struct switchboard *board = contact->board;
	const struct resource_queue *queue = agent->routing_profile->default_outbound_queue;
	uint32_t who = router_agent_of(board->router, agent);
	int rc;

	if (!queue)
		return -EPERM;
	contact->target_queue = router_queue_of(board->router, queue);
	contact->customer_queue = contact->target_queue;
	rc = router_agent_dial(board->router, who, contact->id, contact->target_queue, now_ns);
	if (rc < 0)
		return rc;
	contact->segment.agent = who;
	contact->agent = board_leg_open(contact, LEG_AGENT, who);
	contact->caller = board_leg_open(contact, LEG_CUSTOMER, ROUTER_NONE);
	contact_text(contact->customer_number, sizeof(contact->customer_number), number);
	contact_text(
		contact->system_number, sizeof(contact->system_number), queue->caller_id_number);
	return contact->agent && contact->caller ? 0 : -ENOSPC;
}

static struct flow *whisper_of(const struct contact *contact)
{
	const struct switchboard *board = contact->board;
	const struct resource_queue *queue = router_queue_row(board->router, contact->target_queue);
	struct flow *flow = NULL;

	if (queue && queue->outbound_whisper_flow[0])
		flow = instance_flow(board->instance, queue->outbound_whisper_flow);
	return flow ? flow
		    : instance_flow(board->instance,
			      board->config->default_flow[CONFIG_DEFAULT_OUTBOUND_WHISPER]);
}

unsigned dialling_start(struct switchboard *board, uint64_t session,
	const struct signalling_call *call, uint64_t now_ns)
{
	struct contact *contact = board_contact_open(board, CONTACT_METHOD_OUTBOUND, now_ns);
	int rc;

	if (!contact)
		return 503;
	rc = dialling_prepare(contact, call->agent, call->to, now_ns);
	if (rc < 0) {
		board_end_contact(contact, CONTACT_REASON_OTHER, now_ns);
		return status_of(rc);
	}
	contact->agent->session = session;
	board_leg_called(contact->agent);
	log_info(LOG_CALL(contact->segment.id, contact->caller->id), "contact", "%s dials %s",
		call->agent->row.name, call->to);
	contact_event(contact, "INITIATED", now_ns);
	dialling_begin(contact, now_ns);
	return 0;
}

/* ---- the call ---- */

void dialling_phone_up(struct contact *contact, uint64_t now_ns)
{
	if (!contact->dial_phone)
		return;
	contact->dial_phone = false;
	dialling_begin(contact, now_ns);
}

void dialling_begin(struct contact *contact, uint64_t now_ns)
{
	contact->dial_placed = false;
	contact->dial_whispered = false;
	contact->dial_error = 0;
	contact->dial_ringing = false;
	contact_set_state(contact, CONTACT_DIALLING, now_ns);
	offering_set_whisper_limit(contact, now_ns);
	treatment_start(contact->caller->treatment, contact, whisper_of(contact),
		FLOW_TYPE_OUTBOUND_WHISPER, now_ns);
}

static unsigned status_of_dial(int error)
{
	switch (error) {
	case 0:
		return 0;
	case -EACCES:
		return 403;
	case -ENOENT:
		return 404;
	default:
		return 503;
	}
}

void dialling_place(struct leg *leg, const struct dialling_call *call, uint64_t now_ns)
{
	struct contact *contact = leg->contact;
	struct switchboard *board = contact->board;
	const struct resource_queue *queue = router_queue_row(board->router, contact->target_queue);
	uint64_t limit_ns = call->limit_ns ? call->limit_ns : board->config->dial_ns;
	struct board_caller_id id = {call->number, ""};

	if (contact->state != CONTACT_DIALLING || leg != contact->caller || contact->dial_placed)
		return;
	if (!*id.number && contact->callback)
		id.number = contact->callback->caller_number;
	if (!*id.number && queue)
		id = (struct board_caller_id){queue->caller_id_number, queue->caller_id_name};
	contact->dial_placed = true;
	contact_text(contact->system_number, sizeof(contact->system_number), id.number);
	contact->dial_error =
		status_of_dial(board_leg_dial(leg, contact->customer_number, &id, now_ns));
	/* not now: the effects of this step of the flow are still being carried out */
	timers_set(board->timers, &contact->timer, now_ns + (contact->dial_error ? 0 : limit_ns));
}

void dialling_late(struct contact *contact, uint64_t now_ns)
{
	struct sip_end end = {.status = (uint16_t)(contact->dial_error ? contact->dial_error : 480),
		.timed_out = !contact->dial_error};

	if (contact->dial_phone) {
		log_info(LOG_CALL(contact->segment.id, 0), "contact",
			"the phone of the agent who dials did not answer");
		dialling_given_up(contact, now_ns);
		return;
	}
	log_info(LOG_CALL(contact->segment.id, 0), "contact", "%s %s", contact->customer_number,
		contact->dial_error ? "cannot be called" : "did not answer in time");
	dialling_failed(contact, &end, now_ns);
}

void dialling_whisper_over(struct contact *contact, enum flow_outcome outcome, uint64_t now_ns)
{
	if (outcome == FLOW_OUTCOME_DISCONNECTED) {
		dialling_failed(contact, &(struct sip_end){.status = 480}, now_ns);
		return;
	}
	contact->dial_whispered = true;
	dialling_place(contact->caller, &(struct dialling_call){.number = ""}, now_ns);
}

/* An agent who is on the line already hears the far end, or our ringback. */
static void ring_back(struct contact *contact, const struct sdp_stream *media)
{
	struct treatment *agent = contact->agent->treatment;

	if (media) {
		board_leg_media(contact->caller, media);
		treatment_hush(agent);
		contact->dial_ringing = true;
	} else if (!contact->dial_ringing) {
		treatment_ringback(agent);
		contact->dial_ringing = true;
	}
	hearing_apply(contact->call);
}

/* The phone hears the far end's ringing: its own tone, or what the far end sends (RFC 3960). */
void dialling_progress(
	struct leg *leg, unsigned status, const struct sdp_stream *media, uint64_t now_ns)
{
	struct contact *contact = leg->contact;
	struct leg *agent = contact->agent;
	struct sdp_local local;
	struct sdp_stream agreed;

	if (!agent || !agent->session || contact->state != CONTACT_DIALLING)
		return;
	if (agent->up) {
		ring_back(contact, media);
		return;
	}
	if (!media) {
		sip_session_ring(sessions_of(contact), agent->session);
		return;
	}
	board_leg_media(leg, media);
	local = board_leg_local(agent);
	if (sip_session_early_media(sessions_of(contact), agent->session, &local, &agreed) < 0) {
		sip_session_ring(sessions_of(contact), agent->session);
		return;
	}
	board_leg_media(agent, &agreed);
	hearing_apply(contact->call);
}

void dialling_answered(struct leg *leg, uint64_t now_ns)
{
	struct contact *contact = leg->contact;

	contact->segment.connected = now_ns;
	if (contact->agent && !contact->agent->up && board_leg_answer(contact->agent) < 0) {
		board_end_contact(contact, CONTACT_REASON_TELECOM_PROBLEM, now_ns);
		return;
	}
	if (contact->agent && contact->dial_ringing)
		treatment_hush(contact->agent->treatment);
	contact_event(contact, "CONNECTED_TO_SYSTEM", now_ns);
	contact_record_put(contact, &contact->segment, false, now_ns);
	contact_set_state(contact, CONTACT_CUSTOMER_WHISPER, now_ns);
	if (contact->dial_whispered) {
		offering_whisper_over(
			contact, FLOW_TYPE_OUTBOUND_WHISPER, FLOW_OUTCOME_PROCEED, now_ns);
		return;
	}
	offering_set_whisper_limit(contact, now_ns);
	hearing_apply(contact->call);
}

/* What only concerns us and the trunk is no answer for a phone. */
static unsigned status_for_phone(unsigned status)
{
	switch (status) {
	case 401:
	case 407:
	case 420:
	case 421:
	case 422:
	case 494:
		return 503;
	default:
		return status >= 400 ? status : 480;
	}
}

/* The destination did not answer: the phone is told why, the agent does after-contact work. */
void dialling_failed(struct contact *contact, const struct sip_end *end, uint64_t now_ns)
{
	enum contact_reason reason =
		end->by_peer ? CONTACT_REASON_CUSTOMER_DISCONNECT : CONTACT_REASON_TELECOM_PROBLEM;

	if (contact->agent)
		board_leg_close(contact->agent, status_for_phone(end->status), "");
	if (contact->segment.method == CONTACT_METHOD_CALLBACK)
		callback_failed(contact, reason, now_ns);
	else
		board_end_contact(contact, reason, now_ns);
}

void dialling_given_up(struct contact *contact, uint64_t now_ns)
{
	/* nobody was called: no after-contact work, but an error to be cleared */
	if (contact->dial_phone)
		router_agent_contact(contact->board->router, contact->segment.agent, contact->id,
			AGENT_FAIL, now_ns);
	if (contact->segment.method == CONTACT_METHOD_CALLBACK)
		callback_failed(contact, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
	else
		board_end_contact(contact, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
}
