/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SIP sessions and the media room tell: each finds its leg and goes on in the file of the part
 * of the way that the contact is on.
 */
#include "contact/switchboard.h"

#include <errno.h>

#include "base/log.h"

#define UNHEARD "unless its stream is younger than 65,536 packets, it is not heard any more"

static struct sip_sessions *sessions_of(const struct switchboard *board)
{
	return signalling_sessions(board->signalling);
}

/* ---- session events ---- */

static struct leg *leg_of(struct switchboard *board, uint64_t session)
{
	return pool_get(&board->legs, sip_session_tag(sessions_of(board), session));
}

/* A party of a conference: an outside number that an agent has called, say, and no flow. */
static bool in_conference(const struct leg *leg)
{
	return leg->party != CONFERENCE_NOBODY;
}

static void on_incoming(
	void *ctx, uint64_t session, const struct sip_incoming *incoming, uint64_t now_ns)
{
	arriving_call(ctx, session, incoming, now_ns);
}

static void on_answered(
	void *ctx, uint64_t session, const struct sdp_stream *media, uint64_t now_ns)
{
	struct leg *leg = leg_of(ctx, session);

	if (leg && leg->role == LEG_AGENT)
		phone_answered(leg, session, media);
	if (!leg || leg->up)
		return;
	leg->up = true;
	board_leg_media(leg, media);
	if (leg->role == LEG_SUPERVISOR)
		supervising_answered(leg, now_ns);
	else if (leg->role == LEG_AGENT)
		offering_agent_leg_up(leg, now_ns);
	else if (leg->role == LEG_THIRD_PARTY && in_conference(leg))
		outside_answered(leg, now_ns);
	else if (leg->role == LEG_THIRD_PARTY)
		third_party_answered(leg, now_ns);
	else if (leg->contact->segment.method == CONTACT_METHOD_API)
		api_call_answered(leg, now_ns);
	else if (leg->contact->state == CONTACT_DIALLING)
		dialling_answered(leg, now_ns);
	else
		arriving_customer_up(leg, now_ns);
}

static void on_media(void *ctx, uint64_t session, const struct sdp_stream *media, uint64_t now_ns)
{
	struct leg *leg = leg_of(ctx, session);

	if (leg && leg->role == LEG_AGENT)
		phone_media(leg, session, media, now_ns);
	else if (leg)
		board_leg_media(leg, media);
}

static void on_refer(void *ctx, uint64_t session, const struct sip_refer *refer, uint64_t now_ns)
{
	struct leg *leg = leg_of(ctx, session);

	if (leg)
		phone_refers(leg, session, refer, now_ns);
	else
		sip_session_refer_reject(sessions_of(ctx), session, 481, STR_NULL);
}

static void on_digit(void *ctx, uint64_t session, char digit, unsigned duration_ms, uint64_t now_ns)
{
	struct leg *leg = leg_of(ctx, session);

	if (leg && keys_informed(&leg->keys, digit, now_ns))
		treatment_key(leg->treatment, digit, now_ns);
}

static void customer_down(struct leg *leg, enum contact_reason reason, uint64_t now_ns)
{
	if (in_conference(leg))
		call_happens(leg->call, leg->party, CONFERENCE_GONE, reason, now_ns);
	else
		board_end_contact(leg->contact, reason, now_ns);
}

static void on_session_over(void *ctx, uint64_t session, const struct sip_end *end, uint64_t now_ns)
{
	struct leg *leg = leg_of(ctx, session);

	if (!leg || (leg->role == LEG_AGENT && phone_hung_up(leg, session, now_ns)))
		return;
	leg->session = 0;
	if (leg->role == LEG_SUPERVISOR)
		supervising_down(leg, now_ns);
	else if (leg->role == LEG_THIRD_PARTY && in_conference(leg))
		outside_down(leg, end, now_ns);
	else if (leg->role == LEG_THIRD_PARTY)
		third_party_down(leg, end, now_ns);
	else if (leg->role == LEG_CUSTOMER && leg->contact->state == CONTACT_DIALLING)
		dialling_failed(leg->contact, end, now_ns);
	else if (leg->role == LEG_CUSTOMER)
		customer_down(leg,
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
	bool rings = status == 180 || media; /* not: call is being forwarded, and so on */

	if (!leg)
		return;
	if (leg->role == LEG_CUSTOMER)
		dialling_progress(leg, status, media, now_ns);
	else if (leg->role == LEG_THIRD_PARTY && !in_conference(leg))
		third_party_progress(leg, media);
	else if (leg->role == LEG_THIRD_PARTY && rings)
		outside_progress(leg, media, now_ns);
	else if (leg->role == LEG_AGENT && rings)
		offering_agent_rings(leg->contact, now_ns);
}

/* Only what we offered anew is answered here, and nothing is: hold is not ours to ask for yet. */
static void on_reoffered(void *ctx, uint64_t session, unsigned status, uint64_t now_ns)
{
}

/* Without a new key of the peer the new dataplane does not know its roll-over counter. */
static void on_rekeyed(
	void *ctx, uint64_t session, unsigned status, bool peer_key_is_new, uint64_t now_ns)
{
	const struct leg *leg = leg_of(ctx, session);

	if (!leg || (status == 0 && peer_key_is_new))
		return;
	if (status)
		log_warning(LOG_CALL(leg->contact->segment.id, leg->id), "media",
			"the %s refuses new SRTP keys with %u: " UNHEARD, leg_role_name(leg->role),
			status);
	else
		log_warning(LOG_CALL(leg->contact->segment.id, leg->id), "media",
			"the %s keeps its SRTP key: " UNHEARD, leg_role_name(leg->role));
}

const struct sip_session_events board_session_events = {
	.incoming = on_incoming,
	.progress = on_progress,
	.answered = on_answered,
	.media = on_media,
	.reoffered = on_reoffered,
	.rekeyed = on_rekeyed,
	.digit = on_digit,
	.refer = on_refer,
	.ended = on_session_over,
	.failed = on_session_over,
};

/* ---- media callbacks ---- */

/* The roll-over counters of peers went with the old dataplane. */
static void on_up(void *ctx, bool restarted)
{
	if (restarted)
		sip_sessions_renew_keys(sessions_of(ctx));
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

	if (keys_heard(&leg->keys, digit, board_now(ctx)))
		treatment_key(leg->treatment, digit, board_now(ctx));
}

static void on_play_ended(void *ctx, void *leg_ctx, uint64_t token)
{
	struct leg *leg = leg_ctx;

	if (leg->role == LEG_THIRD_PARTY && !in_conference(leg) &&
		token == treatment_token(leg->treatment))
		third_party_digits_sent(leg, 0, board_now(ctx)); /* keys as tones */
	else
		treatment_play_ended(leg->treatment, token, board_now(ctx));
}

static void on_play_failed(void *ctx, void *leg_ctx, uint64_t token, const char *why)
{
	struct leg *leg = leg_ctx;

	treatment_play_failed(leg->treatment, token, why, board_now(ctx));
	if (leg->role == LEG_THIRD_PARTY && !in_conference(leg) &&
		token == treatment_token(leg->treatment))
		third_party_digits_sent(leg, -EIO, board_now(ctx));
}

static void on_digits_sent(void *ctx, void *leg_ctx, int error)
{
	struct leg *leg = leg_ctx;

	if (leg->role == LEG_THIRD_PARTY && !in_conference(leg))
		third_party_digits_sent(leg, error, board_now(ctx));
}

static void on_media_lost(void *ctx, void *leg_ctx)
{
	leg_quality_media_lost(leg_ctx, board_now(ctx));
}

static void on_media_back(void *ctx, void *leg_ctx)
{
	leg_quality_media_back(leg_ctx, board_now(ctx));
}

static void on_media_learned(void *ctx, void *leg_ctx, const struct address *address)
{
	const struct leg *leg = leg_ctx;
	char text[ADDRESS_TEXT_SIZE];

	address_format(address, text);
	log_info(LOG_CALL(leg->contact->segment.id, leg->id), "media",
		"the %s is behind NAT: media comes from %s", leg_role_name(leg->role), text);
}

static void on_leg_failed(void *ctx, void *leg_ctx, const char *why)
{
	struct leg *leg = leg_ctx;
	struct sip_end end = {.status = 503};

	log_error(LOG_CALL(leg->contact->segment.id, leg->id), "media", "no media: %s", why);
	if (leg->role == LEG_CUSTOMER)
		customer_down(leg, CONTACT_REASON_TELECOM_PROBLEM, board_now(ctx));
	else if (leg->role == LEG_SUPERVISOR)
		supervising_down(leg, board_now(ctx));
	else if (leg->role == LEG_THIRD_PARTY && in_conference(leg))
		outside_down(leg, &end, board_now(ctx));
	else if (leg->role == LEG_THIRD_PARTY)
		third_party_down(leg, &end, board_now(ctx));
	else
		offering_agent_leg_down(leg, &end, board_now(ctx));
}

static void on_tap_frame(
	void *ctx, void *tap_ctx, uint64_t period, const int16_t *left, const int16_t *right)
{
	recording_frame_came(tap_ctx, period, left, right);
}

static void on_tap_ended(void *ctx, void *tap_ctx)
{
	recording_tap_ended(tap_ctx);
}

struct media_callbacks board_media_callbacks(struct switchboard *board)
{
	return (struct media_callbacks){.ctx = board,
		.up = on_up,
		.down = on_down,
		.key = on_key,
		.play_ended = on_play_ended,
		.play_failed = on_play_failed,
		.digits_sent = on_digits_sent,
		.media_lost = on_media_lost,
		.media_back = on_media_back,
		.media_learned = on_media_learned,
		.leg_failed = on_leg_failed,
		.tap_frame = on_tap_frame,
		.tap_ended = on_tap_ended};
}
