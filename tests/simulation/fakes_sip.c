/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIP sessions and the peers behind them: callers, agents' phones, outside numbers. A peer rings,
 * answers, refuses, never answers, hangs up and puts on hold when its random numbers say so; the
 * answer to everything comes later.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "world.h"

enum kind { KIND_CALLER, KIND_PHONE, KIND_NUMBER };

struct session {
	uint64_t id, tag;
	enum kind kind;
	enum sip_session_state state;
	bool silent; /* it rings and never answers */
};

static struct pool sessions;
static char layer[1];
static struct signalling_call arriving;

#define LAYER ((struct sip_sessions *)layer)

void sessions_open(void)
{
	CHECK(pool_init(&sessions, sizeof(struct session), 20000) == 0);
}

unsigned sessions_left(void)
{
	return pool_used(&sessions);
}

void sessions_close(void)
{
	pool_clear(&sessions);
}

void sessions_print(void)
{
}

static struct session *session_new(enum kind kind, enum sip_session_state state)
{
	uint64_t id;
	struct session *s = pool_alloc(&sessions, &id);

	CHECK(s);
	s->id = id;
	s->kind = kind;
	s->state = state;
	return s;
}

static struct session *find(uint64_t id)
{
	return pool_get(&sessions, id);
}

static void touch(const struct session *s)
{
	const struct leg *leg = pool_get(&sim.board.legs, s->tag);

	if (leg)
		rules_touch(leg->contact);
}

static const char *who(const struct session *s)
{
	static char text[80];
	static const char *const kinds[] = {"caller", "phone", "number"};
	const struct leg *leg = pool_get(&sim.board.legs, s->tag);

	snprintf(text, sizeof(text), "%s %u (%s%s)", kinds[s->kind], pool_id_slot(s->id),
		leg ? leg_role_name(leg->role) : "no leg",
		leg && leg->role == LEG_AGENT
			? router_agent_row(sim.board.router, leg->agent)->row.name
			: "");
	return text;
}

static struct sdp_stream media_of(bool held)
{
	struct sdp_stream media = {.codec = CORD_CODEC_PCMU, .ptime_ms = 20};

	media.remote.udp_port = 4000;
	media.direction = held ? CORD_MAY_SEND : CORD_MAY_SEND | CORD_MAY_RECEIVE;
	media.held_by_peer = held;
	return media;
}

/* ---- what peers do ---- */

static void over(struct session *s, struct sip_end end)
{
	uint64_t id = s->id;
	bool answered = s->state == SIP_SESSION_ESTABLISHED || s->kind == KIND_CALLER;

	sim.count[COUNT_SIP]++;
	sim_note("%s is over: %u%s", who(s), end.status, end.by_peer ? " by the peer" : "");
	touch(s);
	s->state = SIP_SESSION_DONE;
	if (answered)
		board_session_events.ended(&sim.board, id, &end, sim.now_ns);
	else
		board_session_events.failed(&sim.board, id, &end, sim.now_ns);
	if (find(id))
		pool_free(&sessions, find(id));
}

static void peer_hangs_up(uint64_t id, uint64_t argument)
{
	struct session *s = find(id);

	if (s && s->state != SIP_SESSION_ENDING && s->state != SIP_SESSION_DONE)
		over(s, (struct sip_end){
				.by_peer = true, .cancelled = s->state < SIP_SESSION_CALLING});
}

static void peer_holds(uint64_t id, uint64_t held)
{
	struct session *s = find(id);
	struct sdp_stream media = media_of(held);

	if (!s || s->state != SIP_SESSION_ESTABLISHED)
		return;
	sim.count[COUNT_SIP]++;
	sim_note("%s %s", who(s), held ? "puts us on hold" : "takes us off hold");
	touch(s);
	board_session_events.media(&sim.board, id, &media, sim.now_ns);
	if (held)
		sim_at(sim_while(5 * S), peer_holds, id, false);
}

static void established(struct session *s)
{
	struct sdp_stream media = media_of(false);
	uint64_t id = s->id;

	sim.count[COUNT_SIP]++;
	sim_note("%s is up", who(s));
	s->state = SIP_SESSION_ESTABLISHED;
	touch(s);
	board_session_events.answered(&sim.board, id, &media, sim.now_ns);
	if (sim_percent(sim.profile.hang_up_percent))
		sim_at(S + sim_while(180 * S), peer_hangs_up, id, 0);
	else
		sim_at(120 * S + sim_while(300 * S), peer_hangs_up, id, 0);
	if (sim_percent(10))
		sim_at(sim_while(20 * S), peer_holds, id, true);
}

static void acknowledged(uint64_t id, uint64_t argument)
{
	struct session *s = find(id);

	if (!s || s->state != SIP_SESSION_ANSWERED)
		return;
	if (sim_percent(1))
		over(s, (struct sip_end){.status = 408, .timed_out = true});
	else
		established(s);
}

static void peer_answers(uint64_t id, uint64_t argument)
{
	struct session *s = find(id);

	if (s && (s->state == SIP_SESSION_CALLING || s->state == SIP_SESSION_PROCEEDING))
		established(s);
}

static void peer_refuses(uint64_t id, uint64_t status)
{
	struct session *s = find(id);

	if (s && (s->state == SIP_SESSION_CALLING || s->state == SIP_SESSION_PROCEEDING))
		over(s, (struct sip_end){.status = (uint16_t)status,
				.by_peer = status != 408,
				.timed_out = status == 408});
}

static void peer_rings(uint64_t id, uint64_t early)
{
	static const uint16_t refusals[] = {486, 603, 480, 404, 503, 408};
	struct session *s = find(id);
	struct sdp_stream media = media_of(false);

	if (!s || s->state != SIP_SESSION_CALLING)
		return;
	sim.count[COUNT_SIP]++;
	s->state = SIP_SESSION_PROCEEDING;
	touch(s);
	board_session_events.progress(
		&sim.board, id, early ? 183 : 180, early ? &media : NULL, sim.now_ns);
	if (s->silent)
		return;
	if (sim_percent(sim.profile.lost_percent))
		sim_at(sim_while(15 * S), peer_refuses, id,
			refusals[random_below(
				&sim.random, sizeof(refusals) / sizeof(refusals[0]))]);
	else
		sim_at(sim_while(12 * S), peer_answers, id, 0);
}

static uint64_t call_out(enum kind kind)
{
	struct session *s = session_new(kind, SIP_SESSION_CALLING);

	s->silent = sim_percent(sim.profile.lost_percent / 4);
	if (sim_percent(20))
		sim_at(sim_while(S), peer_answers, s->id, 0);
	else
		sim_at(sim_while(500 * MS), peer_rings, s->id, sim_percent(20));
	return s->id;
}

/* ---- calls that come in ---- */

static void come_in(const struct signalling_call *call, enum kind kind)
{
	struct session *s = session_new(kind, SIP_SESSION_INCOMING);
	const struct sip_incoming incoming = {0};

	arriving = *call;
	sim.count[COUNT_SIP]++;
	board_session_events.incoming(&sim.board, s->id, &incoming, sim.now_ns);
	if (sim_percent(sim.profile.hang_up_percent))
		sim_at(sim_while(60 * S), peer_hangs_up, s->id, 0);
}

void caller_arrives(uint64_t unused, uint64_t argument)
{
	static const char *const flows[] = {"Plain", "Plain", "Plain", "Plain", "Second",
		"Tiny queue", "To a3 alone", "With after", "Moving", "Calling while waiting",
		"Phone and back", "Phone away", "Call me back", "With odd whisper"};
	struct signalling_call call = {.peer = "carrier",
		.to = "+12025550100",
		.flow = flows[random_below(&sim.random, sizeof(flows) / sizeof(flows[0]))]};

	if (sim.arrivals_left == 0)
		return;
	sim.arrivals_left--;
	sim.count[COUNT_CALLS]++;
	snprintf(call.from, sizeof(call.from), "+1202555%04u",
		(unsigned)random_below(&sim.random, 10000));
	sim_note("a call for flow '%s'", call.flow);
	come_in(&call, KIND_CALLER);
	/* about as many at a time as the profile has, of 40 s each */
	if (sim.arrivals_left)
		sim_at(random_below(&sim.random, 80 * S / sim.profile.calls), caller_arrives, 0, 0);
	else
		sim_at(60 * S, actors_last_call, 0, 0);
}

void agent_dials(uint32_t agent)
{
	struct signalling_call call = {.peer = "phone",
		.by_phone = true,
		.to = "+12025550199",
		.agent = router_agent_row(sim.board.router, agent)};

	sim.count[COUNT_OUT]++;
	sim_note("%s dials", call.agent->row.name);
	come_in(&call, KIND_PHONE);
}

/* ---- the functions of session.h ---- */

struct sip_sessions *__wrap_signalling_sessions(struct signalling *signalling);
int __wrap_sip_session_set_tag(struct sip_sessions *layer, uint64_t id, uint64_t tag);
uint64_t __wrap_sip_session_tag(const struct sip_sessions *layer, uint64_t id);
enum sip_session_state __wrap_sip_session_state(const struct sip_sessions *layer, uint64_t id);
enum cord_family __wrap_sip_session_family(struct sip_sessions *layer, uint64_t id);
int __wrap_sip_session_ring(struct sip_sessions *layer, uint64_t id);
int __wrap_sip_session_early_media(struct sip_sessions *layer, uint64_t id,
	const struct sdp_local *local, struct sdp_stream *agreed);
int __wrap_sip_session_answer(struct sip_sessions *layer, uint64_t id,
	const struct sdp_local *local, struct sdp_stream *agreed);
int __wrap_sip_session_reject(struct sip_sessions *layer, uint64_t id, unsigned status,
	struct str reason, uint32_t retry_after_s);
int __wrap_sip_session_hangup(
	struct sip_sessions *layer, uint64_t id, unsigned q850, struct str text);
void __wrap_sip_sessions_renew_keys(struct sip_sessions *layer);

struct sip_sessions *__wrap_signalling_sessions(struct signalling *signalling)
{
	return LAYER;
}

int __wrap_sip_session_set_tag(struct sip_sessions *l, uint64_t id, uint64_t tag)
{
	struct session *s = find(id);

	CHECK(s || !tag);
	if (s)
		s->tag = tag;
	return 0;
}

uint64_t __wrap_sip_session_tag(const struct sip_sessions *l, uint64_t id)
{
	const struct session *s = find(id);

	return s ? s->tag : 0;
}

enum cord_family __wrap_sip_session_family(struct sip_sessions *l, uint64_t id)
{
	return CORD_FAMILY_IPV4;
}

enum sip_session_state __wrap_sip_session_state(const struct sip_sessions *l, uint64_t id)
{
	const struct session *s = find(id);

	return s ? s->state : SIP_SESSION_DONE;
}

int __wrap_sip_session_ring(struct sip_sessions *l, uint64_t id)
{
	struct session *s = find(id);

	if (!s || s->state > SIP_SESSION_RINGING)
		return -EINVAL;
	s->state = SIP_SESSION_RINGING;
	return 0;
}

int __wrap_sip_session_early_media(struct sip_sessions *l, uint64_t id,
	const struct sdp_local *local, struct sdp_stream *agreed)
{
	struct session *s = find(id);

	if (!s || s->state > SIP_SESSION_RINGING)
		return -EINVAL;
	s->state = SIP_SESSION_EARLY;
	*agreed = media_of(false);
	return 0;
}

int __wrap_sip_session_answer(struct sip_sessions *l, uint64_t id, const struct sdp_local *local,
	struct sdp_stream *agreed)
{
	struct session *s = find(id);

	if (!s || s->state > SIP_SESSION_EARLY)
		return -EINVAL;
	if (sim_percent(1))
		return -ENOTSUP;
	s->state = SIP_SESSION_ANSWERED;
	*agreed = media_of(false);
	sim_at(sim_while(200 * MS), acknowledged, id, 0);
	return 0;
}

/* We end it: the peer's last word comes, and is nobody's news. */
static void gone(uint64_t id, uint64_t argument)
{
	struct session *s = find(id);
	struct sip_end end = {.status = 487};

	if (!s)
		return;
	sim.count[COUNT_SIP]++;
	if (s->tag)
		sim_wrong("%s was ended and still has a leg", who(s));
	board_session_events.ended(&sim.board, id, &end, sim.now_ns);
	pool_free(&sessions, s);
}

static int end(uint64_t id)
{
	struct session *s = find(id);

	if (!s || s->state == SIP_SESSION_ENDING)
		sim_wrong("a session is ended that is over already");
	if (s->state == SIP_SESSION_DONE) /* told right now */
		sim_wrong("%s is ended while its last word is told", who(s));
	s->state = SIP_SESSION_ENDING;
	sim_at(sim_while(S), gone, id, 0);
	return 0;
}

int __wrap_sip_session_reject(struct sip_sessions *l, uint64_t id, unsigned status,
	struct str reason, uint32_t retry_after_s)
{
	const struct session *s = find(id);

	if (!s || s->state > SIP_SESSION_EARLY)
		sim_wrong("a session is rejected that is no incoming call");
	return end(id);
}

int __wrap_sip_session_hangup(struct sip_sessions *l, uint64_t id, unsigned q850, struct str text)
{
	return end(id);
}

/* ---- and of signalling.h ---- */

unsigned __wrap_signalling_judge(struct signalling *signalling, const struct sip_incoming *incoming,
	uint64_t now_ns, struct signalling_call *call);
void __wrap_signalling_release(struct signalling *signalling, const char *trunk);
char *__wrap_signalling_headers(const struct signalling_call *call);
const struct peer_media *__wrap_signalling_media(
	const struct signalling *signalling, const char *trunk);
int __wrap_signalling_call_phone(struct signalling *signalling, const struct resource_agent *agent,
	const struct signalling_dial *dial, uint64_t now_ns, uint64_t *session);
int __wrap_signalling_call_number(struct signalling *signalling, const char *number,
	const struct signalling_dial *dial, uint64_t now_ns, uint64_t *session,
	char trunk[TRUNK_NAME_SIZE]);
bool __wrap_signalling_may_call(const struct signalling *signalling, const char *number);
void __wrap_signalling_drain(struct signalling *signalling, uint32_t retry_after_s);
void __wrap_signalling_reload(struct signalling *signalling, const struct instance *instance);

unsigned __wrap_signalling_judge(struct signalling *signalling, const struct sip_incoming *incoming,
	uint64_t now_ns, struct signalling_call *call)
{
	*call = arriving;
	return 0;
}

void __wrap_signalling_release(struct signalling *signalling, const char *trunk)
{
}

char *__wrap_signalling_headers(const struct signalling_call *call)
{
	return NULL;
}

const struct peer_media *__wrap_signalling_media(
	const struct signalling *signalling, const char *trunk)
{
	static struct peer_media media;

	if (media.codec_count == 0)
		peer_media_preset(&media);
	return &media;
}

int __wrap_signalling_call_phone(struct signalling *signalling, const struct resource_agent *agent,
	const struct signalling_dial *dial, uint64_t now_ns, uint64_t *session)
{
	if (sim_percent(1))
		return -EHOSTUNREACH;
	*session = call_out(KIND_PHONE);
	return 0;
}

int __wrap_signalling_call_number(struct signalling *signalling, const char *number,
	const struct signalling_dial *dial, uint64_t now_ns, uint64_t *session,
	char trunk[TRUNK_NAME_SIZE])
{
	if (sim_percent(2))
		return -EBUSY;
	*session = call_out(KIND_NUMBER);
	if (strcmp(number, "+12025550178") == 0)
		find(*session)->silent = true;
	snprintf(trunk, TRUNK_NAME_SIZE, "carrier");
	return 0;
}

bool __wrap_signalling_may_call(const struct signalling *signalling, const char *number)
{
	return true;
}

void __wrap_signalling_drain(struct signalling *signalling, uint32_t retry_after_s)
{
}

void __wrap_signalling_reload(struct signalling *signalling, const struct instance *instance)
{
}

/* No call here is encrypted. */
void __wrap_sip_sessions_renew_keys(struct sip_sessions *l)
{
}
