/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outbound contacts: an agent dials a number at the phone; the destination answers, hears the
 * outbound whisper flow, and the two are joined (R56).
 *
 *   phone: INVITE        trunk: INVITE
 *      |--- ARRIVING ------->|    180: the phone rings back by itself; early media is heard
 *      |<------ 200 ---------|    CUSTOMER_WHISPER: the whisper to the destination alone
 *      |<====== talk =======>|    TALKING
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

/* Takes the agent's slot, and both legs. 0, or the status that refuses the phone. */
static unsigned open_legs(struct contact *contact, const struct signalling_call *call,
	uint64_t session, uint64_t now_ns)
{
	struct switchboard *board = contact->board;
	const struct resource_queue *queue = call->agent->routing_profile->default_outbound_queue;
	uint32_t agent = router_agent_of(board->router, call->agent);
	int rc;

	if (!queue)
		return 403;
	contact->target_queue = router_queue_of(board->router, queue);
	contact->customer_queue = contact->target_queue;
	rc = router_agent_dial(board->router, agent, contact->id, contact->target_queue, now_ns);
	if (rc < 0)
		return status_of(rc);
	contact->segment.agent = agent;
	contact->agent = board_leg_open(contact, LEG_AGENT, agent);
	contact->customer = board_leg_open(contact, LEG_CUSTOMER, ROUTER_NONE);
	if (!contact->agent || !contact->customer)
		return 503;
	contact->agent->session = session;
	board_leg_called(contact->agent);
	contact_text(contact->customer_number, sizeof(contact->customer_number), call->to);
	contact_text(
		contact->system_number, sizeof(contact->system_number), queue->caller_id_number);
	rc = signalling_call_number(board->signalling, call,
		&(struct signalling_dial){.number = queue->caller_id_number,
			.name = queue->caller_id_name,
			.local = media_leg_local(contact->customer->media)},
		now_ns, &contact->customer->session, contact->trunk);
	if (rc < 0)
		return 503;
	board_leg_called(contact->customer);
	return 0;
}

unsigned dialling_start(struct switchboard *board, uint64_t session,
	const struct signalling_call *call, uint64_t now_ns)
{
	struct contact *contact = board_contact_open(board, CONTACT_METHOD_OUTBOUND, now_ns);
	unsigned status;

	if (!contact)
		return 503;
	status = open_legs(contact, call, session, now_ns);
	if (status == 0) {
		log_info(LOG_CALL(contact->segment.id, contact->customer->id), "contact",
			"%s dials %s", call->agent->row.name, call->to);
		contact_event(contact, "INITIATED", now_ns);
		return 0;
	}
	if (contact->agent)
		contact->agent->session = 0; /* the caller refuses it */
	board_end_contact(contact, CONTACT_REASON_OTHER, now_ns);
	return status;
}

/* The phone hears the far end's ringing: its own tone, or what the far end sends (RFC 3960). */
void dialling_progress(
	struct leg *leg, unsigned status, const struct sdp_stream *media, uint64_t now_ns)
{
	struct contact *contact = leg->contact;
	struct leg *agent = contact->agent;
	struct sdp_local local;
	struct sdp_stream agreed;

	if (!agent || !agent->session || contact->state != CONTACT_ARRIVING)
		return;
	if (!media) {
		sip_session_ring(sessions_of(contact), agent->session);
		return;
	}
	board_leg_media(leg, media);
	local = signalling_local(contact->board->signalling, media_leg_local(agent->media), "");
	if (sip_session_early_media(sessions_of(contact), agent->session, &local, &agreed) < 0) {
		sip_session_ring(sessions_of(contact), agent->session);
		return;
	}
	board_leg_media(agent, &agreed);
	hearing_apply(contact);
}

void dialling_answered(struct leg *leg, uint64_t now_ns)
{
	struct contact *contact = leg->contact;
	const struct resource_queue *queue =
		router_queue_row(contact->board->router, contact->target_queue);
	struct flow *flow = NULL;

	contact->segment.connected = now_ns;
	if (contact->agent && !contact->agent->up && board_leg_answer(contact->agent) < 0) {
		board_end_contact(contact, CONTACT_REASON_TELECOM_PROBLEM, now_ns);
		return;
	}
	contact_event(contact, "CONNECTED_TO_SYSTEM", now_ns);
	contact_record_put(contact, &contact->segment, false, now_ns);
	contact_set_state(contact, CONTACT_CUSTOMER_WHISPER, now_ns);
	if (queue && queue->outbound_whisper_flow[0])
		flow = instance_flow(contact->board->instance, queue->outbound_whisper_flow);
	if (!flow)
		flow = instance_flow(contact->board->instance,
			contact->board->config->default_flow[CONFIG_DEFAULT_OUTBOUND_WHISPER]);
	offering_set_whisper_limit(contact, now_ns);
	treatment_start(&leg->treatment, flow, FLOW_TYPE_OUTBOUND_WHISPER, now_ns);
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
void dialling_failed(struct leg *leg, const struct sip_end *end, uint64_t now_ns)
{
	struct contact *contact = leg->contact;

	if (contact->agent)
		board_leg_close(contact->agent, status_for_phone(end->status), "");
	board_end_contact(contact,
		end->by_peer ? CONTACT_REASON_CUSTOMER_DISCONNECT : CONTACT_REASON_TELECOM_PROBLEM,
		now_ns);
}
