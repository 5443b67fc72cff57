/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/pool.h"
#include "sip/framing.h"
#include "sip/message.h"

#define BUFFER_FIRST 4096
#define BUFFER_MAX   (5u * SIP_HEADER_BYTES_MAX + SIP_MESSAGE_BYTES_MAX)

struct listener {
	struct sip_transports *transports;
	struct sip_listener config;
	uint8_t index; /* of struct sip_hop: from 1 */
	struct address local;
	struct address faced, facing; /* last remote, and our address that faces it */
	struct loop_datagram *datagram;
	struct loop_listener *stream;
};

struct connection {
	struct sip_transports *transports;
	uint64_t id;
	struct loop_stream *stream;
	struct sip_hop hop;
	struct timer timer; /* idle, or a message that takes too long */
	uint64_t used_ns;
	bool connecting;
	bool reading; /* its buffer is in the hands of the receiver: not closed to make room */
	bool proven;  /* we opened it, or a whole message came */
	bool begun;   /* the timer bounds a message, or the wait for the first one */
	char *buffer;
	size_t n, size, scanned;
};

struct sip_transports {
	struct loop *loop;
	struct sip_transport_config config;
	struct sip_wire wire;
	struct listener listeners[SIP_LISTENERS_MAX];
	unsigned listener_count;
	struct pool connections;
	struct sip_transport_stats stats;
};

/* ---- connections ------------------------------------------------------------------------- */

static void drop_connection(struct connection *c)
{
	struct sip_transports *t = c->transports;

	timers_cancel(loop_timers(t->loop), &c->timer);
	loop_stream_close(c->stream);
	free(c->buffer);
	pool_free(&t->connections, c);
	t->stats.connections = pool_used(&t->connections);
}

static void lose_connection(struct connection *c)
{
	struct sip_transports *t = c->transports;
	uint64_t id = c->id;

	drop_connection(c);
	t->config.lost(t->config.ctx, id, loop_now(t->loop));
}

/* More bytes of the same message do not prolong its time. */
static void rest(struct connection *c)
{
	struct sip_transports *t = c->transports;
	bool begun = c->n || !c->proven;

	c->used_ns = loop_now(t->loop);
	if (!begun || !c->begun)
		timers_set(loop_timers(t->loop), &c->timer,
			c->used_ns + (begun ? t->config.slow_ns : t->config.idle_ns));
	c->begun = begun;
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	struct connection *c = ctx;

	if (c->begun)
		c->transports->stats.slow++;
	else
		c->transports->stats.idle_closed++;
	lose_connection(c);
}

/* A message has its turn. Keep-alives do not count: they cost nothing. */
static void has_waited(const struct sip_transports *t, uint64_t wait_ns)
{
	if (t->config.overload)
		overload_waited(t->config.overload, wait_ns, loop_now(t->loop));
}

static void take_frame(struct connection *c, const struct sip_frame *frame)
{
	struct sip_transports *t = c->transports;

	switch (frame->kind) {
	case SIP_FRAME_MESSAGE:
		t->stats.messages++;
		c->proven = true;
		c->begun = false;
		c->reading = true;
		has_waited(t, loop_behind(t->loop));
		t->config.received(
			t->config.ctx, &c->hop, c->buffer, frame->bytes, loop_now(t->loop));
		c->reading = false;
		return;
	case SIP_FRAME_PING:
		t->stats.pings++;
		loop_stream_send(c->stream, "\r\n", 2);
		break;
	case SIP_FRAME_PONG:
		t->stats.pings++;
		break;
	case SIP_FRAME_MORE:
	case SIP_FRAME_BROKEN:
		break;
	}
}

static void take_frames(struct connection *c)
{
	struct sip_transports *t = c->transports;

	while (c->n > 0) {
		struct sip_frame frame = sip_frame_next(c->buffer, c->n, &c->scanned);

		if (frame.kind == SIP_FRAME_MORE)
			break;
		if (frame.kind == SIP_FRAME_BROKEN) {
			t->stats.broken++;
			log_info_limited(NULL, "sip", 5, "TCP connection closed: %s", frame.reason);
			lose_connection(c);
			return;
		}
		take_frame(c, &frame);
		c->n -= frame.bytes;
		memmove(c->buffer, c->buffer + frame.bytes, c->n);
		c->scanned = 0;
	}
	rest(c);
}

static bool make_room(struct connection *c, size_t more)
{
	size_t size = c->size ? c->size : BUFFER_FIRST;
	char *buffer;

	while (size < c->n + more)
		size *= 2;
	if (size == c->size)
		return true;
	if (c->n + more > BUFFER_MAX)
		return false;
	buffer = realloc(c->buffer, size);
	if (!buffer)
		return false;
	c->buffer = buffer;
	c->size = size;
	return true;
}

static void on_stream_received(void *ctx, const uint8_t *data, size_t n)
{
	struct connection *c = ctx;

	if (!make_room(c, n)) {
		c->transports->stats.broken++;
		lose_connection(c);
		return;
	}
	memcpy(c->buffer + c->n, data, n);
	c->n += n;
	take_frames(c);
}

static void on_stream_connected(void *ctx)
{
	struct connection *c = ctx;

	c->connecting = false;
	c->transports->stats.connected++;
}

static void on_stream_closed(void *ctx, int error)
{
	struct connection *c = ctx;

	c->transports->stats.failed += c->connecting;
	lose_connection(c);
}

static struct loop_stream_config stream_config(struct connection *c)
{
	return (struct loop_stream_config){
		.ctx = c,
		.connected = on_stream_connected,
		.received = on_stream_received,
		.closed = on_stream_closed,
		.connect_timeout_ns = SIP_CONNECT_TIMEOUT_NS,
	};
}

static bool is_idler(const struct connection *a, const struct connection *b)
{
	return a->proven != b->proven ? b->proven : a->used_ns < b->used_ns;
}

/* One that never brought a message makes room, else the one that was idle longest. */
static void close_idlest(struct sip_transports *t)
{
	struct connection *c, *idlest = NULL;

	for (c = pool_next(&t->connections, NULL); c; c = pool_next(&t->connections, c))
		if (!c->reading && (!idlest || is_idler(c, idlest)))
			idlest = c;
	if (idlest) {
		t->stats.idle_closed++;
		lose_connection(idlest);
	}
}

static struct connection *make_connection(
	struct sip_transports *t, const struct address *remote, uint8_t listener)
{
	struct connection *c;
	uint64_t id;

	if (pool_used(&t->connections) >= t->config.connections_max)
		close_idlest(t);
	c = pool_alloc(&t->connections, &id);
	if (!c)
		return NULL;
	c->transports = t;
	c->id = id;
	c->hop = (struct sip_hop){.transport = SIP_TRANSPORT_TCP,
		.listener = listener,
		.connection = id,
		.remote = *remote};
	timer_init(&c->timer, on_timer, c);
	t->stats.connections = pool_used(&t->connections);
	return c;
}

static unsigned count_source(struct sip_transports *t, const struct address *remote)
{
	struct connection *c;
	unsigned n = 0;

	for (c = pool_next(&t->connections, NULL); c; c = pool_next(&t->connections, c))
		n += address_equal_host(&c->hop.remote, remote);
	return n;
}

static void on_accepted(void *ctx, int fd, const struct address *peer)
{
	struct listener *l = ctx;
	struct sip_transports *t = l->transports;
	struct loop_stream_config config;
	struct connection *c = NULL;

	if (count_source(t, peer) < t->config.connections_source_max)
		c = make_connection(t, peer, l->index);
	if (!c) {
		t->stats.refused++;
		close(fd);
		return;
	}
	config = stream_config(c);
	if (loop_stream_adopt(t->loop, fd, &config, &c->stream) < 0) {
		t->stats.refused++;
		drop_connection(c);
		return;
	}
	t->stats.accepted++;
	rest(c);
}

static struct connection *connect_to(struct sip_transports *t, const struct sip_hop *hop)
{
	struct connection *c = make_connection(t, &hop->remote, hop->listener);
	struct loop_stream_config config;

	if (!c)
		return NULL;
	c->connecting = c->proven = true;
	config = stream_config(c);
	if (loop_connect(t->loop, &hop->remote, NULL, &config, &c->stream) < 0) {
		t->stats.failed++;
		drop_connection(c);
		return NULL;
	}
	rest(c);
	return c;
}

static struct connection *find_connection(struct sip_transports *t, const struct sip_hop *hop)
{
	struct connection *c = pool_get(&t->connections, hop->connection);

	if (c)
		return c;
	for (c = pool_next(&t->connections, NULL); c; c = pool_next(&t->connections, c))
		if (address_equal(&c->hop.remote, &hop->remote))
			return c;
	return NULL;
}

/* ---- the wire ---------------------------------------------------------------------------- */

static struct listener *find_listener(struct sip_transports *t, const struct sip_hop *hop)
{
	for (unsigned i = 0; i < t->listener_count; i++) {
		struct listener *l = &t->listeners[i];

		if (l->config.transport != hop->transport ||
			address_family(&l->local) != address_family(&hop->remote))
			continue;
		if (!hop->listener || hop->listener == l->index)
			return l;
	}
	return NULL;
}

static int send_stream(struct sip_transports *t, struct sip_hop *hop, const void *bytes, size_t n)
{
	struct connection *c = find_connection(t, hop);

	if (!c)
		c = connect_to(t, hop);
	if (!c)
		return -ECONNREFUSED;
	hop->connection = c->id;
	c->used_ns = loop_now(t->loop);
	if (!c->n && !c->reading)
		rest(c);
	return loop_stream_send(c->stream, bytes, n);
}

static int wire_send(void *ctx, struct sip_hop *hop, const void *bytes, size_t n)
{
	struct sip_transports *t = ctx;
	const struct listener *l = find_listener(t, hop);

	/* A TCP request may leave without a TCP listener; nobody can connect back then. */
	if (hop->transport == SIP_TRANSPORT_TCP)
		return send_stream(t, hop, bytes, n);
	if (!l || hop->transport != SIP_TRANSPORT_UDP)
		return -EADDRNOTAVAIL;
	hop->listener = l->index;
	return loop_datagram_send(l->datagram, &hop->remote, bytes, n);
}

/* Asks the kernel's routes. */
static int find_facing(const struct address *remote, struct address *local)
{
	socklen_t n = sizeof(local->in6);
	int fd = socket(address_family(remote), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	rc = connect(fd, &remote->any, remote->length);
	if (rc == 0)
		rc = getsockname(fd, &local->any, &n);
	rc = rc < 0 ? -errno : 0;
	local->length = n;
	close(fd);
	return rc;
}

/* Which of our addresses faces a remote, when we are bound to all of them. */
static int facing(struct listener *l, const struct address *remote, struct address *local)
{
	int rc = 0;

	if (l->faced.length == 0 || !address_equal_host(&l->faced, remote)) {
		rc = find_facing(remote, &l->facing);
		l->faced = rc < 0 ? (struct address){.length = 0} : *remote;
	}
	*local = l->facing;
	return rc;
}

static int wire_local(void *ctx, const struct sip_hop *hop, struct sip_local *local)
{
	struct sip_transports *t = ctx;
	struct listener *l = find_listener(t, hop);
	char host[ADDRESS_TEXT_SIZE];
	struct address address;
	bool v6;

	if (!l)
		return -EADDRNOTAVAIL;
	address = l->local;
	local->port = l->config.advertise_port ? l->config.advertise_port : address_port(&l->local);
	if (l->config.advertise[0]) {
		memcpy(local->host, l->config.advertise, sizeof(local->host));
		return 0;
	}
	if (address_is_any(&l->local) && facing(l, &hop->remote, &address) < 0)
		return -EADDRNOTAVAIL;
	address_format_host(&address, host);
	v6 = address_family(&address) == AF_INET6;
	snprintf(local->host, sizeof(local->host), "%s%.60s%s", v6 ? "[" : "", host, v6 ? "]" : "");
	return 0;
}

/* ---- listeners --------------------------------------------------------------------------- */

static void on_datagram(void *ctx, const struct address *from, const uint8_t *data, size_t n)
{
	struct listener *l = ctx;
	struct sip_transports *t = l->transports;
	struct sip_hop hop = {
		.transport = SIP_TRANSPORT_UDP, .listener = l->index, .remote = *from};

	/* Keep-alives of phones: CRLF, or a single NUL. */
	if (n <= 4 && (n == 0 || data[0] == '\r' || data[0] == '\n' || data[0] == 0)) {
		t->stats.pings++;
		return;
	}
	t->stats.datagrams++;
	has_waited(t, loop_datagram_waited(l->datagram));
	t->config.received(t->config.ctx, &hop, data, n, loop_now(t->loop));
}

static int open_listener(struct sip_transports *t, struct listener *l)
{
	int rc;

	if (l->config.transport == SIP_TRANSPORT_UDP) {
		rc = loop_datagram_open(t->loop, &l->config.local,
			&(struct loop_datagram_config){.ctx = l, .received = on_datagram},
			&l->datagram);
		if (rc == 0)
			l->local = loop_datagram_local(l->datagram);
		return rc;
	}
	if (l->config.transport != SIP_TRANSPORT_TCP)
		return -EPROTONOSUPPORT;
	rc = loop_listen(t->loop, &l->config.local,
		&(struct loop_listener_config){.ctx = l, .accepted = on_accepted}, &l->stream);
	if (rc == 0)
		l->local = loop_listener_local(l->stream);
	return rc;
}

static void set_defaults(struct sip_transport_config *config)
{
	if (!config->connections_max)
		config->connections_max = SIP_CONNECTIONS_MAX;
	if (!config->connections_source_max)
		config->connections_source_max = SIP_CONNECTIONS_SOURCE_MAX;
	if (!config->idle_ns)
		config->idle_ns = SIP_CONNECTION_IDLE_NS;
	if (!config->slow_ns)
		config->slow_ns = SIP_MESSAGE_SLOW_NS;
}

int sip_transports_open(struct loop *loop, const struct sip_transport_config *config,
	unsigned *failed, struct sip_transports **out)
{
	struct sip_transports *t;
	int rc = 0;

	if (config->listener_count > SIP_LISTENERS_MAX)
		return -E2BIG;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->loop = loop;
	t->config = *config;
	set_defaults(&t->config);
	t->wire = (struct sip_wire){t, wire_send, wire_local};
	/* One more than the ceiling, for a moment: the idlest is told of its end first. */
	rc = pool_init(&t->connections, sizeof(struct connection), t->config.connections_max + 1);
	for (unsigned i = 0; rc == 0 && i < config->listener_count; i++) {
		struct listener *l = &t->listeners[i];

		l->transports = t;
		l->config = config->listeners[i];
		l->index = (uint8_t)(i + 1);
		rc = open_listener(t, l);
		if (rc < 0 && failed)
			*failed = i;
		t->listener_count = i + (rc == 0);
	}
	if (rc < 0) {
		sip_transports_close(t);
		return rc;
	}
	*out = t;
	return 0;
}

void sip_transports_close(struct sip_transports *t)
{
	struct connection *c;

	if (!t)
		return;
	for (c = pool_next(&t->connections, NULL); c; c = pool_next(&t->connections, c))
		drop_connection(c);
	for (unsigned i = 0; i < t->listener_count; i++) {
		loop_datagram_close(t->listeners[i].datagram);
		loop_listener_close(t->listeners[i].stream);
	}
	pool_clear(&t->connections);
	free(t);
}

const struct sip_wire *sip_transports_wire(const struct sip_transports *t)
{
	return &t->wire;
}

struct address sip_transports_local(const struct sip_transports *t, unsigned listener)
{
	return listener < t->listener_count ? t->listeners[listener].local
					    : (struct address){.length = 0};
}

const struct sip_transport_stats *sip_transports_stats(const struct sip_transports *t)
{
	return &t->stats;
}
