/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/call.h"
#include "contact/switchboard.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "contact/terms.h"

static struct sip_sessions *sessions_of(const struct switchboard *board)
{
	return signalling_sessions(board->signalling);
}

const char *leg_role_name(enum leg_role role)
{
	static const char *const names[] = {[LEG_CUSTOMER] = "customer",
		[LEG_AGENT] = "agent",
		[LEG_THIRD_PARTY] = "third party",
		[LEG_SUPERVISOR] = "supervisor"};

	return names[role];
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
	leg->party = role == LEG_AGENT ? contact->party : CONFERENCE_NOBODY;
	leg->treatment = treatment_new(leg);
	rc = leg->treatment && contact->call->n_legs < MEDIA_MEMBERS_MAX ? 0 : -ENOSPC;
	if (rc == 0 && role == LEG_AGENT)
		rc = phone_new(&leg->phone);
	if (rc == 0)
		rc = media_leg_open(contact->call->room, NULL, leg, &leg->media);
	if (rc < 0) {
		phone_free(leg->phone);
		treatment_free(leg->treatment);
		log_warning(LOG_CALL(contact->segment.id, leg->id), "contact",
			"no media port for the %s: %s", leg_role_name(role), strerror(-rc));
		pool_free(&board->legs, leg);
		return NULL;
	}
	call_add_leg(contact->call, leg);
	leg_quality_begin(board);
	return leg;
}

void board_leg_takes(struct leg *leg, uint64_t session)
{
	struct switchboard *board = leg->contact->board;

	sip_session_set_tag(sessions_of(board), session, leg->id);
	if (board->leg_called)
		board->leg_called(board->leg_called_ctx, leg, session);
}

void board_leg_called(struct leg *leg)
{
	board_leg_takes(leg, leg->session);
}

int board_leg_dial(
	struct leg *leg, const char *number, const struct board_caller_id *id, uint64_t now_ns)
{
	const struct signalling_dial dial = {
		.number = id->number, .name = id->name, .media = leg->media};
	int rc = signalling_call_number(
		leg->contact->board->signalling, number, &dial, now_ns, &leg->session, leg->trunk);

	if (rc == 0)
		board_leg_called(leg);
	return rc;
}

int board_leg_ring(struct leg *leg, uint64_t now_ns)
{
	const struct contact *contact = leg->contact;
	struct switchboard *board = contact->board;
	const struct resource_agent *row = router_agent_row(board->router, leg->agent);
	int rc;

	if (!row)
		return -EHOSTUNREACH;
	rc = signalling_call_phone(board->signalling, row,
		&(struct signalling_dial){.number = contact->customer_number,
			.name = contact_customer_name(contact),
			.media = leg->media,
			.auto_answer = row->phone_kind != RESOURCE_PHONE_RING},
		now_ns, &leg->session);
	if (rc == 0)
		board_leg_called(leg);
	return rc;
}

uint64_t board_phone_limit(const struct switchboard *board, const struct resource_agent *row)
{
	return row->phone_kind == RESOURCE_PHONE_RING ? board->config->offer_ns
						      : board->config->panel_answer_ns;
}

void board_leg_close(struct leg *leg, unsigned status, const char *reason)
{
	struct contact *contact = leg->contact;
	struct switchboard *board = contact->board;

	phone_close(leg);
	leg_quality_read(leg);
	if (leg->session) {
		enum sip_session_state state = sip_session_state(sessions_of(board), leg->session);

		sip_session_set_tag(sessions_of(board), leg->session, 0);
		if (status && (state == SIP_SESSION_INCOMING || state == SIP_SESSION_RINGING ||
				      state == SIP_SESSION_EARLY))
			sip_session_reject(sessions_of(board), leg->session, status, STR_NULL,
				status == 503 ? BOARD_RETRY_AFTER_S : 0);
		else
			sip_session_hangup(sessions_of(board), leg->session, 16, str_from(reason));
		leg->session = 0;
	}
	if (contact->caller == leg)
		contact->caller = NULL;
	if (contact->agent == leg)
		contact->agent = NULL;
	if (contact->third && contact->third->leg == leg)
		contact->third->leg = NULL;
	if (leg->role == LEG_SUPERVISOR)
		supervising_close(leg);
	timers_cancel(board->timers, &leg->timer);
	call_remove_leg(leg->call, leg);
	treatment_free(leg->treatment);
	media_leg_close(leg->media);
	signalling_release(board->signalling, leg->trunk);
	phone_free(leg->phone);
	pool_free(&board->legs, leg);
}

/* The options of the leg's peer: an agent's phone, or a trunk. */
static const struct peer_media *media_of(const struct leg *leg)
{
	const struct switchboard *board = leg->call->board;
	const struct resource_agent *row =
		leg->agent == ROUTER_NONE ? NULL : router_agent_row(board->router, leg->agent);

	return row ? &row->media : signalling_media(board->signalling, leg->trunk);
}

struct sdp_local board_leg_local(struct leg *leg)
{
	enum cord_family family =
		sip_session_family(sessions_of(leg->contact->board), leg->session);
	struct address port;

	if (media_leg_face(leg->media, family) == -EAFNOSUPPORT)
		log_warning_limited(LOG_CALL(leg->contact->segment.id, leg->id), "media", 5,
			"the %s has media over IPv%u, and no media-address of the dataplane is of "
			"that family",
			leg_role_name(leg->role), family);
	port = media_leg_local(leg->media);
	return signalling_local(&port, media_of(leg));
}

void board_leg_media(struct leg *leg, const struct sdp_stream *stream)
{
	struct cord_terms terms = terms_make(stream, media_of(leg));
	int rc = media_leg_update(leg->media, &terms);

	leg->media_lost = false;
	explicit_bzero(&terms, sizeof(terms));
	leg->held_by_peer = stream->held_by_peer;
	leg->keys.events = stream->receive_event_payload_type != SDP_NO_PAYLOAD_TYPE;
	if (rc < 0)
		log_warning(LOG_CALL(leg->contact->segment.id, leg->id), "media",
			"what the peer's SDP says cannot be used: %s", strerror(-rc));
}

int board_leg_answer(struct leg *leg)
{
	struct switchboard *board = leg->contact->board;
	struct sdp_local local = board_leg_local(leg);
	struct sdp_stream agreed;
	int rc = sip_session_answer(sessions_of(board), leg->session, &local, &agreed);

	if (rc == 0 && agreed.remote.udp_port)
		board_leg_media(leg, &agreed);
	return rc;
}
