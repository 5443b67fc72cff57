/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the SIP core tells the switchboard, noted and checked on its way: a session is told of in the
 * order of its life, and not after its last word (sip/session.h).
 */
#include "network.h"

#include <string.h>

static struct {
	uint64_t round, id;
	bool incoming, up, over;
} heard[65536];

static void hear(uint64_t session, const char *what)
{
	unsigned slot = pool_id_slot(session) % 65536;

	if (heard[slot].id != session || heard[slot].round != sim.seed) {
		memset(&heard[slot], 0, sizeof(heard[slot]));
		heard[slot].id = session;
		heard[slot].round = sim.seed;
	}
	if (heard[slot].over)
		sim_wrong("a session %s after its last word", what);
}

static void hear_end(uint64_t session, bool failed)
{
	unsigned slot = pool_id_slot(session) % 65536;

	hear(session, failed ? "fails" : "ends");
	if (failed == (heard[slot].incoming || heard[slot].up))
		sim_wrong("a session that was %s has %s", heard[slot].up ? "up" : "not up",
			failed ? "failed" : "ended");
	heard[slot].over = true;
}

static void touch(uint64_t session)
{
	const struct leg *leg = pool_get(&sim.board.legs,
		sip_session_tag(signalling_sessions(sim.board.signalling), session));

	if (leg)
		rules_touch(leg->contact);
}

static void note(uint64_t session, const char *what, unsigned status)
{
	const struct leg *leg = pool_get(&sim.board.legs,
		sip_session_tag(signalling_sessions(sim.board.signalling), session));

	if (leg)
		sim_note("%s %u %s %u", leg_role_name(leg->role), pool_id_slot(leg->id), what,
			status);
}

static void board_incoming(
	void *ctx, uint64_t id, const struct sip_incoming *incoming, uint64_t now_ns)
{
	hear(id, "comes in");
	if (network_refused(incoming->message->call_id))
		sim_wrong("a call that was refused for overload comes in all the same");
	heard[pool_id_slot(id) % 65536].incoming = true;
	board_session_events.incoming(ctx, id, incoming, now_ns);
	touch(id);
}

static void board_progress(
	void *ctx, uint64_t id, unsigned status, const struct sdp_stream *media, uint64_t now_ns)
{
	hear(id, "rings");
	touch(id);
	note(id, "rings", status);
	board_session_events.progress(ctx, id, status, media, now_ns);
}

static void board_answered(void *ctx, uint64_t id, const struct sdp_stream *media, uint64_t now_ns)
{
	hear(id, "is up");
	if (heard[pool_id_slot(id) % 65536].up)
		sim_wrong("a session is up twice");
	heard[pool_id_slot(id) % 65536].up = true;
	touch(id);
	note(id, "is up", 0);
	board_session_events.answered(ctx, id, media, now_ns);
}

static void board_media(void *ctx, uint64_t id, const struct sdp_stream *media, uint64_t now_ns)
{
	hear(id, "changes its media");
	touch(id);
	note(id, "changes its media", media->held_by_peer);
	board_session_events.media(ctx, id, media, now_ns);
}

static void board_reoffered(void *ctx, uint64_t id, unsigned status, uint64_t now_ns)
{
	hear(id, "has offered anew");
	touch(id);
	board_session_events.reoffered(ctx, id, status, now_ns);
}

static void board_rekeyed(
	void *ctx, uint64_t id, unsigned status, bool peer_key_is_new, uint64_t now_ns)
{
	hear(id, "has new keys");
	touch(id);
	board_session_events.rekeyed(ctx, id, status, peer_key_is_new, now_ns);
}

static void board_digit(void *ctx, uint64_t id, char digit, unsigned duration_ms, uint64_t now_ns)
{
	hear(id, "presses a key");
	touch(id);
	board_session_events.digit(ctx, id, digit, duration_ms, now_ns);
}

static void board_refer(void *ctx, uint64_t id, const struct sip_refer *refer, uint64_t now_ns)
{
	hear(id, "refers");
	touch(id);
	board_session_events.refer(ctx, id, refer, now_ns);
}

static void board_ended(void *ctx, uint64_t id, const struct sip_end *end, uint64_t now_ns)
{
	hear_end(id, false);
	touch(id);
	note(id, end->timed_out ? "is lost" : "is over", end->status);
	board_session_events.ended(ctx, id, end, now_ns);
}

static void board_failed(void *ctx, uint64_t id, const struct sip_end *end, uint64_t now_ns)
{
	hear_end(id, true);
	touch(id);
	note(id, end->timed_out ? "was not reached" : "refuses", end->status);
	board_session_events.failed(ctx, id, end, now_ns);
}

const struct sip_session_events watched_events = {
	.incoming = board_incoming,
	.progress = board_progress,
	.answered = board_answered,
	.media = board_media,
	.reoffered = board_reoffered,
	.rekeyed = board_rekeyed,
	.digit = board_digit,
	.refer = board_refer,
	.ended = board_ended,
	.failed = board_failed,
};
