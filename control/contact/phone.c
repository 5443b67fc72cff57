/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent does at the phone on a call is a verb of the desk:
 *
 *   hold, resume           HOLD and RESUME of the party that the agent talks to. With several (joined) a
 *                          hold at the phone is no wish to silence the others: they talk on, and the
 *                          agent is muted meanwhile, so that no music of the phone gets into the call.
 *                          So it is where the agent may not put that party on hold.
 *   a number dialled       the transfer to that number (R16): the party is talked to by that second call
 *   REFER                  blind transfer, to a quick connect by its name or to a number
 *   REFER with Replaces    LEAVE: whom the two calls of the phone are with stay together
 *   hanging up             LEAVE; of the second call alone: whom it was with is disconnected, unless
 *                          joined. A first call that is hung up while the second lives is no hang-up.
 *
 *   one leg, one port      first call:  the customer        the call that is not on hold at the phone has
 *                          second call: whom it called      the port: our side of both is the same
 *
 * A verb that is refused is logged; the phone, whose hold is its own affair, is told nothing but the
 * answer to a REFER.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contact/desk.h"

static struct sip_sessions *sessions_of(const struct leg *leg)
{
	return signalling_sessions(leg->call->board->signalling);
}

static bool is_on_call(const struct leg *leg)
{
	return leg->role == LEG_AGENT && leg->call->talking && leg->party != CONFERENCE_NOBODY &&
	       party_is_on_call(&leg->call->conference.party[leg->party]);
}

/* The call may be gone when it returns. */
static int act(struct leg *leg, enum conference_verb verb, unsigned subject, uint64_t now_ns)
{
	struct call *call = leg->call;
	struct conference next = call->conference;
	char why[CONFERENCE_WHY_SIZE];
	int rc = conference_do(&next, leg->party, verb, subject, why);

	if (rc < 0)
		log_info(LOG_CALL(leg->contact->segment.id, leg->id), "contact",
			"what the phone does is no %s: %s", conference_verb_name(verb), why);
	else
		call_change(call, &next, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
	return rc;
}

/* ---- life ---- */

int phone_new(struct leg_phone **out)
{
	struct leg_phone *phone = calloc(1, sizeof(*phone));

	if (!phone)
		return -ENOMEM;
	*out = phone;
	return 0;
}

void phone_free(struct leg_phone *phone)
{
	if (phone)
		explicit_bzero(phone, sizeof(*phone)); /* keys */
	free(phone);
}

/* ---- which call of the phone has the port ---- */

static void choose_call(struct leg *leg)
{
	const struct leg_phone *p = leg->phone;
	bool second = p->consult && p->stream[1].remote.udp_port &&
		      (!p->stream[1].held_by_peer || p->stream[0].held_by_peer);

	if (p->stream[second].remote.udp_port)
		board_leg_media(leg, &p->stream[second]);
}

void phone_answered(struct leg *leg, uint64_t session, const struct sdp_stream *media)
{
	leg->phone->stream[session == leg->phone->consult] = *media;
	choose_call(leg);
}

static void drop_second(struct leg *leg)
{
	leg->phone->consult = 0;
	leg->phone->consult_party = 0;
	leg->phone->stream[1] = (struct sdp_stream){0};
	choose_call(leg);
}

/* ---- hold ---- */

/* Whom the agent talks to, when it is one; `several` when they are more. */
static unsigned talks_to(const struct leg *leg, bool *several)
{
	const struct conference *c = &leg->call->conference;
	unsigned found = CONFERENCE_NOBODY;

	*several = false;
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++) {
		if (i == leg->party || c->party[i].state != PARTY_CONNECTED ||
			c->party[i].role == PARTY_SUPERVISOR)
			continue;
		*several = found != CONFERENCE_NOBODY;
		found = i;
	}
	return *several ? CONFERENCE_NOBODY : found;
}

/* Whom a call of the phone is with. */
static unsigned whom(const struct leg *leg, bool second, bool *several)
{
	*several = false;
	if (second)
		return call_find_party(leg->call, leg->phone->consult_party);
	if (leg->phone->consult)
		return conference_customer(&leg->call->conference);
	return talks_to(leg, several);
}

static void mute(struct leg *leg, uint64_t now_ns)
{
	if (leg->call->conference.party[leg->party].muted)
		return;
	leg->phone->muted = true;
	act(leg, CONFERENCE_MUTE, leg->party, now_ns);
}

/* To hold somebody else takes the customer off hold (R47), which nobody asked for here. */
static enum conference_verb hold_verb(const struct conference *c, unsigned subject)
{
	unsigned customer = conference_customer(c);

	return customer != CONFERENCE_NOBODY && customer != subject &&
			       c->party[customer].state == PARTY_HELD
		       ? CONFERENCE_HOLD_ALL
		       : CONFERENCE_HOLD;
}

static void hold(struct leg *leg, bool second, uint64_t now_ns)
{
	const struct call *call = leg->call;
	bool several;
	unsigned party = whom(leg, second, &several);

	leg->phone->held[second] = 0;
	if (several) {
		mute(leg, now_ns);
		return;
	}
	if (party == CONFERENCE_NOBODY || !party_is_on_call(&call->conference.party[party]))
		return;
	leg->phone->held[second] = call->party_id[party];
	if (act(leg, hold_verb(&call->conference, party), party, now_ns) < 0) {
		leg->phone->held[second] = 0;
		mute(leg, now_ns);
	}
}

/* Whom it had put on hold, or the customer, when that one has left meanwhile. */
static void resume(struct leg *leg, bool second, uint64_t now_ns)
{
	const struct conference *c = &leg->call->conference;
	uint32_t held = leg->phone->held[second];
	unsigned party = call_find_party(leg->call, held);

	leg->phone->held[second] = 0;
	if (leg->phone->muted) {
		leg->phone->muted = false;
		act(leg, CONFERENCE_UNMUTE, leg->party, now_ns);
		return;
	}
	if (party == CONFERENCE_NOBODY)
		party = conference_customer(c);
	if (held && party != CONFERENCE_NOBODY && c->party[party].state == PARTY_HELD)
		act(leg, CONFERENCE_RESUME, party, now_ns);
}

void phone_media(struct leg *leg, uint64_t session, const struct sdp_stream *media, uint64_t now_ns)
{
	bool second = session == leg->phone->consult;
	bool was_held = leg->phone->stream[second].held_by_peer;

	leg->phone->stream[second] = *media;
	choose_call(leg);
	if (!is_on_call(leg) || was_held == media->held_by_peer)
		return;
	if (media->held_by_peer)
		hold(leg, second, now_ns);
	else
		resume(leg, second, now_ns);
}

/* ---- a second call ---- */

static unsigned status_of(int error)
{
	switch (error) {
	case -EPERM:
	case -EACCES:
		return 403;
	case -ENOENT:
		return 404;
	case -EBUSY:
	case -EINVAL:
	case -ENOSPC:
		return 486;
	default:
		return 503;
	}
}

static struct leg *leg_of_agent(struct switchboard *board, const struct resource_agent *row)
{
	uint32_t agent = router_agent_of(board->router, row);
	struct agent_snapshot s;
	struct contact *contact;

	if (router_agent_snapshot(board->router, agent, &s) < 0)
		return NULL;
	contact = pool_get(&board->contacts, s.contact.contact);
	return contact && contact->agent && contact->agent->agent == agent ? contact->agent : NULL;
}

/* Our side is the port that the first call has; what the far end does is heard there at once. */
static unsigned answer(struct leg *leg, uint64_t session, uint64_t now_ns)
{
	struct call *call = leg->call;
	unsigned party = conference_pending(&call->conference);
	struct sdp_local local = board_leg_local(leg);
	struct sdp_stream agreed;
	int rc = sip_session_answer(sessions_of(leg), session, &local, &agreed);

	if (rc < 0) {
		call_happens(
			call, party, CONFERENCE_FAILED, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
		return rc == -ENOTSUP ? 488 : 500;
	}
	board_leg_takes(leg, session);
	leg->phone->consult = session;
	leg->phone->consult_party = call->party_id[party];
	leg->phone->stream[1] = agreed;
	choose_call(leg);
	return 0;
}

bool phone_dials(struct switchboard *board, uint64_t session, const struct signalling_call *call,
	unsigned *status, uint64_t now_ns)
{
	struct leg *leg = leg_of_agent(board, call->agent);
	const struct desk_target target = {.number = call->to};
	char why[DESK_WHY_SIZE];
	int rc;

	if (!leg || !is_on_call(leg))
		return false;
	*status = 486;
	if (leg->phone->consult)
		return true;
	rc = desk_transfer(board, call->agent->row.name, NULL, &target, why);
	if (rc < 0) {
		log_info(LOG_CALL(leg->contact->segment.id, leg->id), "contact",
			"the phone may not call %s: %s", call->to, why);
		*status = status_of(rc);
	} else {
		*status = answer(leg, session, now_ns);
	}
	return true;
}

bool phone_hung_up(struct leg *leg, uint64_t session, uint64_t now_ns)
{
	struct leg_phone *p = leg->phone;
	const struct conference *c = &leg->call->conference;
	unsigned party = call_find_party(leg->call, p->consult_party);
	unsigned customer = conference_customer(c);

	if (!p->consult)
		return false;
	if (session != p->consult) {
		leg->session = p->consult;
		p->stream[0] = p->stream[1];
		p->held[0] = p->held[1];
		drop_second(leg);
		return true;
	}
	drop_second(leg);
	if (is_on_call(leg) && party != CONFERENCE_NOBODY &&
		(customer == CONFERENCE_NOBODY || c->party[customer].state == PARTY_HELD))
		act(leg, CONFERENCE_DISCONNECT, party, now_ns);
	return true;
}

static void close_second(struct leg *leg)
{
	if (!leg->phone->consult)
		return;
	sip_session_set_tag(sessions_of(leg), leg->phone->consult, 0);
	sip_session_hangup(sessions_of(leg), leg->phone->consult, 16, str_from(leg->call->failed));
	leg->phone->consult = 0;
}

void phone_follow(struct call *call)
{
	for (unsigned i = 0; i < call->n_legs; i++) {
		struct leg *leg = call->legs[i];

		if (!leg->phone || !leg->phone->consult ||
			call_find_party(call, leg->phone->consult_party) != CONFERENCE_NOBODY)
			continue;
		close_second(leg);
		drop_second(leg);
	}
}

/* ---- REFER ---- */

/* The REFER of a blind transfer, until that is answered; the leg may go first. */
struct phone_refer {
	struct switchboard *board;
	uint64_t session;
};

/* The REFER may have come to its result before it was accepted. */
static void tell(struct switchboard *board, uint64_t session, unsigned status)
{
	struct sip_sessions *sessions = signalling_sessions(board->signalling);

	sip_session_refer_accept(sessions, session);
	sip_session_refer_result(sessions, session, status);
}

static void blind_over(void *ctx, int error, const char *why)
{
	struct phone_refer *refer = ctx;
	struct switchboard *board = refer->board;
	struct leg *leg = pool_get(&board->legs,
		sip_session_tag(signalling_sessions(board->signalling), refer->session));

	if (leg)
		leg->phone->refer = 0;
	tell(board, refer->session, error ? 480 : 200);
	free(refer);
}

static void reject(const struct leg *leg, uint64_t session, unsigned status, const char *why)
{
	log_info(LOG_CALL(leg->contact->segment.id, leg->id), "contact",
		"the phone's transfer is refused: %s", why);
	sip_session_refer_reject(
		sessions_of(leg), session, status, status == 404 ? STR_NULL : str_from(why));
}

static void refer_blind(struct leg *leg, uint64_t session, const struct sip_refer *refer)
{
	struct switchboard *board = leg->call->board;
	const struct resource_agent *row = router_agent_row(board->router, leg->agent);
	struct phone_refer *kept;
	struct desk_target target = {.quick_connect = refer->user};
	char number[NUMBER_SIZE], why[DESK_WHY_SIZE];
	int rc;

	if (!row) {
		reject(leg, session, 403, "a reload took the user away");
		return;
	}
	kept = malloc(sizeof(*kept));
	if (!kept) {
		reject(leg, session, 503, "out of memory");
		return;
	}
	*kept = (struct phone_refer){board, session};
	if (!resources_quick_connect(board->instance->resources, refer->user, RESOURCE_BY_ANY) &&
		number_plan_normalise(board->instance->plan, str_from(refer->user), number) == 0)
		target = (struct desk_target){.number = number};
	leg->phone->refer = session;
	rc = desk_transfer_blind(board, row->row.name, &target, blind_over, kept, why);
	if (rc == 0) { /* the leg may be gone, and the REFER answered */
		sip_session_refer_accept(signalling_sessions(board->signalling), session);
		return;
	}
	free(kept);
	leg->phone->refer = 0;
	reject(leg, session, status_of(rc), why);
}

/* The other call must be the other one of this phone's two. */
static void refer_attended(
	struct leg *leg, uint64_t session, const struct sip_refer *refer, uint64_t now_ns)
{
	uint64_t other = session == leg->session ? leg->phone->consult : leg->session;

	if (!refer->other || refer->other != other) {
		reject(leg, session, 481, "no such other call of this phone");
		return;
	}
	sip_session_refer_accept(sessions_of(leg), session);
	sip_session_refer_result(sessions_of(leg), session, 200);
	act(leg, CONFERENCE_LEAVE, CONFERENCE_NOBODY, now_ns);
}

void phone_refers(struct leg *leg, uint64_t session, const struct sip_refer *refer, uint64_t now_ns)
{
	if (!is_on_call(leg))
		reject(leg, session, 480, "not connected to a contact");
	else if (refer->has_replaces)
		refer_attended(leg, session, refer, now_ns);
	else if (leg->phone->consult)
		reject(leg, session, 486, "end the second call first");
	else
		refer_blind(leg, session, refer);
}

/* ---- the end ---- */

/* Who is closed while its REFER is on its way has left with success, unless it is on its way still. */
static void close_refer(struct leg *leg)
{
	if (leg->phone->refer && !leg->call->blind.on)
		tell(leg->call->board, leg->phone->refer, 200);
	leg->phone->refer = 0;
}

void phone_close(struct leg *leg)
{
	if (!leg->phone)
		return;
	close_refer(leg);
	close_second(leg);
}
