/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new call: judged, answered, and led into the flow of its number.
 */
#include "contact/switchboard.h"

#include <errno.h>

#include "base/log.h"

static struct sip_sessions *sessions_of(const struct switchboard *board)
{
	return signalling_sessions(board->signalling);
}

static void refuse(struct switchboard *board, uint64_t session, unsigned status, uint32_t retry_s)
{
	board->stats.calls_refused++;
	sip_session_reject(sessions_of(board), session, status, STR_NULL, retry_s);
}

static uint32_t calls_limit(const struct switchboard *board)
{
	return board->config->calls_max ? (uint32_t)board->config->calls_max
					: media_rooms(board->media);
}

const char *board_why_not_now(const struct switchboard *board)
{
	if (board->draining)
		return "control is ending";
	if (media_state(board->media) != MEDIA_UP)
		return "there is no dataplane";
	if (records_pressure(board->records))
		return "contact records cannot be written";
	return board->live >= calls_limit(board) ? "as many calls as there may be are up" : NULL;
}

const char *board_why_not_new(const struct switchboard *board)
{
	const char *why = board_why_not_now(board);

	if (!why && !media_has_time(board->media))
		why = "no worker of the dataplane has time for another call";
	return why;
}

static void take_identity(struct contact *contact, const struct signalling_call *call)
{
	contact_text(contact->customer_number, sizeof(contact->customer_number), call->from);
	contact_set_customer_name(contact, call->from_name);
	contact_text(contact->system_number, sizeof(contact->system_number), call->to);
	contact->sip_headers = signalling_headers(call);
}

static void arrive(struct switchboard *board, uint64_t session, const struct signalling_call *call,
	struct flow *flow, uint64_t now_ns)
{
	struct contact *contact = board_contact_open(board, CONTACT_METHOD_INBOUND, now_ns);
	int rc;

	if (contact)
		contact->caller = board_leg_open(contact, LEG_CUSTOMER, ROUTER_NONE);
	if (!contact || !contact->caller) {
		signalling_release(board->signalling, call->trunk);
		if (contact)
			board_forget_contact(contact);
		refuse(board, session, 503, BOARD_RETRY_AFTER_S);
		return;
	}
	contact_text(contact->caller->trunk, sizeof(contact->caller->trunk), call->trunk);
	take_identity(contact, call);
	contact->first_flow = flow_hold(flow);
	contact->caller->session = session;
	board_leg_called(contact->caller);
	log_info(LOG_CALL(contact->segment.id, contact->caller->id), "contact",
		"call from %s to %s by %s %s: flow '%s'", contact->customer_number,
		contact->system_number, call->by_phone ? "phone" : "trunk", call->peer, flow->name);
	contact_event(contact, "INITIATED", now_ns);
	rc = board_leg_answer(contact->caller);
	if (rc < 0) {
		board->stats.calls_refused++;
		contact->segment.reason = CONTACT_REASON_TELECOM_PROBLEM;
		board_leg_close(contact->caller, rc == -ENOTSUP ? 488 : 500, "");
		contact_set_state(contact, CONTACT_CLOSED, now_ns);
		board_forget_contact(contact);
	}
}

void arriving_call(struct switchboard *board, uint64_t session, const struct sip_incoming *incoming,
	uint64_t now_ns)
{
	struct signalling_call call;
	struct flow *flow = NULL;
	const char *why = NULL;
	unsigned status;

	board->stats.calls_in++;
	status = signalling_judge(board->signalling, incoming, now_ns, &call);
	if (status == 0)
		why = call.by_phone ? board_why_not_now(board) : board_why_not_new(board);
	if (why)
		status = 503;
	if (status == 0 && call.by_phone) {
		if (!phone_dials(board, session, &call, &status, now_ns))
			status = dialling_start(board, session, &call, now_ns);
		if (status == 0)
			return;
	} else if (status == 0) {
		flow = instance_flow(board->instance, call.flow);
		status = flow ? 0 : 404;
	}
	if (status) {
		signalling_release(board->signalling, call.trunk);
		log_info_limited(NULL, "contact", 20, "call to %s refused with %u%s%s", call.to,
			status, why ? ": " : "", why ? why : "");
		refuse(board, session, status, status == 503 ? BOARD_RETRY_AFTER_S : 0);
		return;
	}
	arrive(board, session, &call, flow, now_ns);
}

void arriving_begin(struct leg *leg, uint64_t now_ns)
{
	struct contact *contact = leg->contact;
	struct flow *flow = contact->first_flow;

	contact_set_state(contact, CONTACT_FLOW, now_ns);
	contact_event(contact, "CONNECTED_TO_SYSTEM", now_ns);
	contact_record_put(contact, &contact->segment, false, now_ns);
	contact->first_flow = NULL;
	treatment_start(leg->treatment, contact, flow, FLOW_TYPE_INBOUND, now_ns);
	flow_release(flow);
}

/* The call is answered and its media known. */
void arriving_customer_up(struct leg *leg, uint64_t now_ns)
{
	struct contact_segment *segment = &leg->contact->segment;

	leg->contact->board->stats.calls_answered++;
	segment->connected = segment->initiated; /* of calls that come in, the same */
	arriving_begin(leg, now_ns);
}
