/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "contact/signalling.h"
#include "sip/transaction.h"
#include "sip/transport.h"

enum { CALL_ID_SIZE = 128, KEY_SIZE = 200 };

struct datagram {
	unsigned from, to;
	bool stream;
	size_t n;
	char bytes[];
};

/* What the board has said in one dialog. */
struct said {
	char key[KEY_SIZE]; /* Call-ID and the peer's tag */
	uint32_t bye;       /* CSeq; 0: none */
	uint32_t reinvite;  /* of the last one */
	struct said *list;
};

/* The final answer to an INVITE: there is one while its transaction lives. */
struct answered {
	char key[KEY_SIZE]; /* Call-ID, CSeq, the peer's tag */
	unsigned status;
	uint64_t at_ns;
	struct answered *list;
};

/* A call that was refused in overload. */
struct turned_away {
	char call_id[CALL_ID_SIZE];
	struct turned_away *list;
};

static struct {
	unsigned loss, dup, late; /* per mille */
	uint64_t delay_ns, spread_ns;
	uint64_t silent_until[HOSTS];
	struct network_stats stats;
	struct sip_transport_config board;
	uint64_t on_the_way;
	struct map dialogs, answers, refusals;
	struct said *said;
	struct answered *answered;
	struct turned_away *turned_away;
	uint64_t jam_wait_ns;
} net;

/* ---- hosts ---- */

struct address network_address(unsigned host)
{
	switch (host) {
	case HOST_BOARD:
		return address_ipv4(0x0a090001, 5060);
	case HOST_CARRIER:
		return address_ipv4(0x7f000001, 5080);
	case HOST_CARRIER_2:
		return address_ipv4(0x7f000001, 5081);
	default:
		return address_ipv4(0x0a090100 + host - HOST_PHONES, 5060);
	}
}

static unsigned host_of(const struct address *address)
{
	uint32_t ip = ntohl(address->in.sin_addr.s_addr);

	if (ip == 0x0a090001)
		return HOST_BOARD;
	if (ip == 0x7f000001)
		return address_port(address) == 5081 ? HOST_CARRIER_2 : HOST_CARRIER;
	if (ip >= 0x0a090100 && ip < 0x0a090100 + SIM_AGENTS_MAX)
		return HOST_PHONES + ip - 0x0a090100;
	sim_wrong("a message goes to an address that nobody has");
}

static bool is_silent(unsigned host)
{
	return sim.now_ns < net.silent_until[host];
}

void network_silence(unsigned host, uint64_t ns)
{
	net.silent_until[host] = sim.now_ns + ns;
}

/* ---- what the messages show: one final response, one BYE (invariant 6) ---- */

static struct said *dialog_of(struct str call_id, struct str tag)
{
	char key[KEY_SIZE];
	int n = snprintf(key, sizeof(key), "%.*s|%.*s", STR_ARG(call_id), STR_ARG(tag));
	struct said *d = map_get(&net.dialogs, key, (size_t)n);

	CHECK((size_t)n < sizeof(key));
	if (d)
		return d;
	d = calloc(1, sizeof(*d));
	CHECK(d);
	memcpy(d->key, key, sizeof(key));
	CHECK(map_put(&net.dialogs, d->key, (size_t)n, d) == 0);
	d->list = net.said;
	net.said = d;
	return d;
}

/*
 * Timer L lets a transaction go 64 T1 after its 2xx (RFC 6026), and timer H an unacknowledged refusal.
 * The last repetition of an INVITE leaves 63 T1 after the first: when it is late, it is a new request.
 */
static void one_answer(const struct sip_message *m)
{
	char key[KEY_SIZE];
	int n = snprintf(key, sizeof(key), "%.*s|%u|%.*s", STR_ARG(m->call_id), m->cseq.number,
		STR_ARG(m->from_tag));
	struct answered *a = map_get(&net.answers, key, (size_t)n);

	CHECK((size_t)n < sizeof(key));
	if (a) {
		if (a->status == m->status)
			return;
		if (sim.now_ns < a->at_ns + 64 * SIP_T1_NS)
			sim_wrong("the board answers one INVITE with %u and with %u", a->status,
				m->status);
		a->status = m->status;
		a->at_ns = sim.now_ns;
		return;
	}
	a = calloc(1, sizeof(*a));
	CHECK(a);
	memcpy(a->key, key, sizeof(key));
	a->status = m->status;
	a->at_ns = sim.now_ns;
	CHECK(map_put(&net.answers, a->key, (size_t)n, a) == 0);
	a->list = net.answered;
	net.answered = a;
}

static void look_at_bye(const struct sip_message *m)
{
	struct said *dialog = dialog_of(m->call_id, m->to_tag);

	if (dialog->bye == m->cseq.number) {
		net.stats.repeated++;
		return;
	}
	if (dialog->bye)
		sim_wrong("the board sends two BYEs in one dialog (%s)", dialog->key);
	dialog->bye = m->cseq.number;
	net.stats.byes++;
	peers_cross(m->call_id, SIP_METHOD_BYE);
}

static void look_at_reinvite(const struct sip_message *m)
{
	struct said *dialog = dialog_of(m->call_id, m->to_tag);

	if (dialog->reinvite == m->cseq.number) {
		net.stats.repeated++;
		return;
	}
	if (dialog->bye)
		sim_wrong("the board sends a re-INVITE after its BYE (%s)", dialog->key);
	dialog->reinvite = m->cseq.number;
	net.stats.reinvites++;
	peers_cross(m->call_id, SIP_METHOD_INVITE);
}

/* ---- overload: who is refused is told when to come again, and leaves nothing ---- */

bool network_refused(struct str call_id)
{
	return map_get(&net.refusals, call_id.p, call_id.n) != NULL;
}

static void remember_refusal(struct str call_id)
{
	struct turned_away *t;

	if (network_refused(call_id))
		return;
	t = calloc(1, sizeof(*t));
	CHECK(t && str_copy(call_id, t->call_id, sizeof(t->call_id)) >= 0);
	CHECK(map_put(&net.refusals, t->call_id, call_id.n, t) == 0);
	t->list = net.turned_away;
	net.turned_away = t;
}

static void look_at_refusal(const struct sip_message *m)
{
	const struct sip_header *retry = sip_message_header(m, SIP_HEADER_RETRY_AFTER);

	if (!retry || str_empty(retry->value))
		sim_wrong(
			"the board answers an INVITE with 503 and does not say when to try again");
}

/* Bytes that the board receives: a call that it refuses in overload has left nothing behind. */
static void board_receives(const struct sip_hop *hop, const char *bytes, size_t n)
{
	static struct sip_message m;
	const struct sip_ua_stats *stats = sip_ua_stats(signalling_ua(sim.board.signalling));
	uint64_t refused = stats->refused_overload, live = peers_board_live();
	uint32_t calls = sim.board.live;
	struct sip_outcome outcome;

	net.board.received(net.board.ctx, hop, bytes, n, sim.now_ns);
	if (stats->refused_overload == refused)
		return;
	net.stats.refused++;
	CHECK(sip_message_parse(&m, bytes, n, SIP_DATAGRAM, &outcome) == SIP_ACCEPT);
	if (m.method != SIP_METHOD_INVITE || !str_empty(m.to_tag))
		sim_wrong("the board refuses what is no new call for overload");
	if (hop->remote.in.sin_addr.s_addr != network_address(HOST_CARRIER).in.sin_addr.s_addr)
		sim_wrong("the board refuses a call of an agent's phone for overload");
	if (peers_board_live() != live || sim.board.live != calls)
		sim_wrong("a call that was refused for overload has left something");
	remember_refusal(m.call_id);
}

/* What others send meanwhile: it waits for its turn as all does. */
static void jam(uint64_t until_ns, uint64_t unused)
{
	overload_waited(net.board.overload, net.jam_wait_ns, sim.now_ns);
	if (sim.now_ns < until_ns)
		sim_at(5 * MS, jam, until_ns, 0);
}

static void one_of_many_calls(uint64_t unused, uint64_t argument)
{
	caller_calls();
}

static void jam_begins(uint64_t unused, uint64_t argument)
{
	unsigned many = 10 + (unsigned)random_below(&sim.random, 30);
	uint64_t ns = S + random_below(&sim.random, 4 * S);

	if (sim.ending || sim.arrivals_left == 0)
		return;
	net.stats.jams++;
	net.jam_wait_ns = 10 * MS + random_below(&sim.random, S);
	jam(sim.now_ns + ns, 0);
	for (unsigned i = 0; i < many; i++)
		sim_at(random_below(&sim.random, ns), one_of_many_calls, 0, 0);
	sim_at(ns + random_below(&sim.random, 60 * S), jam_begins, 0, 0);
}

/* What the board sends, before the network has it. */
static void look_at(const void *bytes, size_t n)
{
	static struct sip_message m;
	struct sip_outcome outcome;

	if (sip_message_parse(&m, bytes, n, SIP_DATAGRAM, &outcome) != SIP_ACCEPT)
		sim_wrong("the board sends what is no SIP: %s", outcome.reason);
	if (!m.request) {
		if (m.method == SIP_METHOD_INVITE && m.status >= 200)
			one_answer(&m);
		if (m.method == SIP_METHOD_INVITE && m.status == 503)
			look_at_refusal(&m);
		return;
	}
	if (m.method == SIP_METHOD_BYE)
		look_at_bye(&m);
	if (m.method == SIP_METHOD_CANCEL) {
		net.stats.cancels++;
		peers_cross(m.call_id, SIP_METHOD_CANCEL);
	}
	if (m.method == SIP_METHOD_INVITE && !str_empty(m.to_tag))
		look_at_reinvite(&m);
}

/* ---- on the way ---- */

static void deliver(uint64_t pointer, uint64_t unused)
{
	struct datagram *d = (struct datagram *)(uintptr_t)pointer;
	struct sip_hop hop = {.transport = d->stream ? SIP_TRANSPORT_TCP : SIP_TRANSPORT_UDP,
		.listener = (uint8_t)(d->to == HOST_BOARD ? 1 : d->to + 1),
		.connection = d->stream ? 1 + (d->to == HOST_BOARD ? d->from : d->to) : 0,
		.remote = network_address(d->from)};
	char *bytes = NULL;

	net.on_the_way--;
	if (is_silent(d->to)) {
		net.stats.silenced++;
	} else {
		net.stats.delivered++;
		bytes = malloc(
			d->n); /* of the exact size, so that sanitizers see a read beyond it */
		CHECK(bytes);
		memcpy(bytes, d->bytes, d->n);
		sim.count[COUNT_SIP] += d->to == HOST_BOARD;
		if (d->to == HOST_BOARD)
			board_receives(&hop, bytes, d->n);
		else
			peers_receive(&hop, bytes, d->n);
	}
	free(bytes);
	free(d);
}

static void carry(
	unsigned from, unsigned to, bool stream, const void *bytes, size_t n, uint64_t delay_ns)
{
	struct datagram *d = malloc(sizeof(*d) + n);

	CHECK(d);
	*d = (struct datagram){.from = from, .to = to, .stream = stream, .n = n};
	memcpy(d->bytes, bytes, n);
	net.on_the_way++;
	sim_at(delay_ns, deliver, (uint64_t)(uintptr_t)d, 0);
}

static bool per_mille(unsigned n)
{
	return n && random_below(&sim.random, 1000) < n;
}

static uint64_t delay(void)
{
	if (per_mille(net.late))
		return net.delay_ns + sim_while(4 * S);
	return net.delay_ns + (net.spread_ns ? random_below(&sim.random, net.spread_ns) : 0);
}

/* A second fork of the peer answers too: the same 200 with another To tag. */
static void fork_answers(unsigned from, unsigned to, const char *bytes, size_t n)
{
	const char *line = memmem(bytes, n, "\r\nTo:", 5);
	const char *tag = line ? memmem(line, n - (size_t)(line - bytes), ";tag=", 5) : NULL;
	char *copy;

	if (strncmp(bytes, "SIP/2.0 200", 11) != 0 || !tag || !memmem(bytes, n, " INVITE\r\n", 9))
		return;
	copy = malloc(n);
	CHECK(copy);
	memcpy(copy, bytes, n);
	copy[tag - bytes + 5] = copy[tag - bytes + 5] == 'f' ? 'e' : 'f';
	net.stats.forked++;
	carry(from, to, false, copy, n, delay());
	free(copy);
}

static void put(unsigned from, unsigned to, bool stream, const void *bytes, size_t n)
{
	net.stats.sent++;
	peers_watch();
	if (is_silent(from)) {
		net.stats.silenced++;
		return;
	}
	if (stream) {
		carry(from, to, true, bytes, n, net.delay_ns);
		return;
	}
	if (per_mille(net.loss)) {
		net.stats.lost++;
		return;
	}
	carry(from, to, false, bytes, n, delay());
	if (per_mille(net.dup)) {
		net.stats.doubled++;
		carry(from, to, false, bytes, n, delay());
	}
	if (to == HOST_BOARD && per_mille(3))
		fork_answers(from, to, bytes, n);
}

void network_put(unsigned from, const struct address *to, const void *bytes, size_t n)
{
	put(from, host_of(to), false, bytes, n);
}

/* ---- the wires ---- */

static int send_from(unsigned from, struct sip_hop *hop, const void *bytes, size_t n)
{
	unsigned to = host_of(&hop->remote);

	CHECK(n > 0 && n <= 65507);
	if (hop->transport == SIP_TRANSPORT_TCP)
		hop->connection = 1 + (from == HOST_BOARD ? to : from);
	put(from, to, hop->transport == SIP_TRANSPORT_TCP, bytes, n);
	return 0;
}

/* SIMULATE_SIP_TRACE: the first line and the Call-ID of every message. */
static void trace(const char *way, const void *bytes, size_t n)
{
	static int wanted = -1;
	const char *text = bytes, *end = memmem(bytes, n, "\r\n", 2),
		   *id = memmem(bytes, n, "\r\nCall-ID:", 10);

	if (wanted < 0)
		wanted = getenv("SIMULATE_SIP_TRACE") != NULL;
	if (wanted && end && id)
		fprintf(stderr, "%10.3f %s %.*s %.40s\n", (double)sim.now_ns / 1e9 - 1000, way,
			(int)(end - text), text, id + 10);
}

static int board_send(void *ctx, struct sip_hop *hop, const void *bytes, size_t n)
{
	look_at(bytes, n);
	trace("<", bytes, n);
	return send_from(HOST_BOARD, hop, bytes, n);
}

static int peers_send(void *ctx, struct sip_hop *hop, const void *bytes, size_t n)
{
	CHECK(hop->listener > 1);
	trace(">", bytes, n);
	return send_from(hop->listener - 1u, hop, bytes, n);
}

static int local_of(unsigned host, struct sip_local *local)
{
	struct address address = network_address(host);
	char text[ADDRESS_TEXT_SIZE];

	address_format_host(&address, text);
	snprintf(local->host, sizeof(local->host), "%.60s", text);
	local->port = address_port(&address);
	return 0;
}

static int board_local(void *ctx, const struct sip_hop *hop, struct sip_local *local)
{
	return local_of(HOST_BOARD, local);
}

static int peers_local(void *ctx, const struct sip_hop *hop, struct sip_local *local)
{
	CHECK(hop->listener > 1);
	return local_of(hop->listener - 1u, local);
}

static const struct sip_wire board_wire = {NULL, board_send, board_local};
static const struct sip_wire wire_of_peers = {NULL, peers_send, peers_local};

const struct sip_wire *network_wire_of_peers(void)
{
	return &wire_of_peers;
}

/* ---- the functions of transport.h ---- */

static char transports_stand_for[1];

int __wrap_sip_transports_open(struct loop *loop, const struct sip_transport_config *config,
	unsigned *failed, struct sip_transports **out);
void __wrap_sip_transports_close(struct sip_transports *transports);
const struct sip_wire *__wrap_sip_transports_wire(const struct sip_transports *transports);

int __wrap_sip_transports_open(struct loop *loop, const struct sip_transport_config *config,
	unsigned *failed, struct sip_transports **out)
{
	net.board = *config;
	*out = (struct sip_transports *)transports_stand_for;
	return 0;
}

void __wrap_sip_transports_close(struct sip_transports *transports)
{
}

const struct sip_wire *__wrap_sip_transports_wire(const struct sip_transports *transports)
{
	return &board_wire;
}

/* ---- life ---- */

/* A third of the seeds have a good network, the rest all kinds of bad ones. */
void network_open(void)
{
	struct random *r = &sim.random;

	memset(net.silent_until, 0, sizeof(net.silent_until));
	net.loss = net.dup = net.late = 0;
	net.delay_ns = MS + random_below(r, 60 * MS);
	net.spread_ns = MS;
	if (!sim_percent(33)) {
		net.loss = (unsigned)random_below(r, sim_percent(20) ? 300 : 60);
		net.dup = (unsigned)random_below(r, 100);
		net.late = (unsigned)random_below(r, 20);
		net.spread_ns = random_below(r, 400 * MS) + MS;
	}
	map_init(&net.dialogs, (const uint8_t[SIPHASH_KEY_SIZE]){0}, 0);
	map_init(&net.answers, (const uint8_t[SIPHASH_KEY_SIZE]){0}, 0);
	map_init(&net.refusals, (const uint8_t[SIPHASH_KEY_SIZE]){0}, 0);
	if (sim.seed % 4 == 3)
		sim_at(sim_while(60 * S), jam_begins, 0, 0);
}

void network_close(void)
{
	if (net.on_the_way)
		sim_wrong("%llu datagrams are still on their way",
			(unsigned long long)net.on_the_way);
	map_clear(&net.dialogs);
	map_clear(&net.answers);
	map_clear(&net.refusals);
	while (net.said) {
		struct said *said = net.said;

		net.said = said->list;
		free(said);
	}
	while (net.answered) {
		struct answered *answered = net.answered;

		net.answered = answered->list;
		free(answered);
	}
	while (net.turned_away) {
		struct turned_away *turned_away = net.turned_away;

		net.turned_away = turned_away->list;
		free(turned_away);
	}
}

const struct network_stats *network_stats(void)
{
	return &net.stats;
}
