/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define GROUPS_MAX 128

struct connection {
	struct rpc_peer peer; /* first: what calls know of us */
	struct server *server;
	struct loop_stream *stream; /* NULL: closed, the record goes at the end of the pass */
	struct line_reader lines;
	struct follower follower;
	struct loop_task end;
	bool ended; /* the peer sends no more */
	struct connection *next, **back;
};

struct server {
	struct server_config config;
	struct follower_config follower;
	struct loop_listener *listener;
	struct connection *connections;
	struct server_stats stats;
};

/* ---- the end of a connection ---------------------------------------------------------------- */

static void connection_free(struct connection *c)
{
	loop_task_cancel(&c->end);
	*c->back = c->next;
	if (c->next)
		c->next->back = c->back;
	c->server->stats.connections--;
	line_clear(&c->lines);
	free(c);
}

static void on_end(void *ctx)
{
	connection_free(ctx);
}

/* Calls may be on the stack above us: the record goes later. */
static void connection_close(struct connection *c)
{
	if (!c->stream)
		return;
	follower_stop(&c->follower);
	rpc_peer_gone(&c->peer);
	loop_stream_close(c->stream);
	c->stream = NULL;
	loop_task_set(c->server->config.loop, &c->end);
}

/* Everything is answered and nothing is followed: what is queued still goes out. */
static void finish_when_done(struct connection *c)
{
	if (!c->stream || !c->ended || c->peer.calls || c->follower.state != FOLLOWER_IDLE)
		return;
	rpc_peer_gone(&c->peer);
	loop_stream_finish(c->stream);
	c->stream = NULL;
	loop_task_set(c->server->config.loop, &c->end);
}

/* ---- bytes out ------------------------------------------------------------------------------ */

static bool connection_send(struct connection *c, const char *line, size_t n)
{
	int rc;

	if (!c->stream)
		return false;
	rc = loop_stream_send(c->stream, line, n);
	if (rc == 0)
		return true;
	if (rc == -ENOBUFS) {
		log_warning_limited(NULL, "admin", 5,
			"a reader of uid %u is cut off: %zu bytes unread", (unsigned)c->peer.uid,
			loop_stream_queued(c->stream));
		c->server->stats.cut_off++;
	}
	connection_close(c);
	return false;
}

static void peer_send(struct rpc_peer *peer, const char *line, size_t n)
{
	connection_send((struct connection *)peer, line, n);
}

static void peer_idle(struct rpc_peer *peer)
{
	finish_when_done((struct connection *)peer);
}

static bool follower_send(void *ctx, const char *line, size_t n)
{
	return connection_send(ctx, line, n);
}

static size_t follower_unsent(void *ctx)
{
	const struct connection *c = ctx;

	return c->stream ? loop_stream_queued(c->stream) : 0;
}

/* ---- bytes in ------------------------------------------------------------------------------- */

static bool on_line(void *ctx, const char *line, size_t n)
{
	struct connection *c = ctx;

	c->server->stats.lines++;
	rpc_line(&c->peer, line, n);
	return c->stream != NULL;
}

static void on_received(void *ctx, const uint8_t *data, size_t n)
{
	struct connection *c = ctx;

	if (line_feed(&c->lines, data, n, on_line, c) == -ENOMEM)
		connection_close(c);
}

static void on_ended(void *ctx)
{
	struct connection *c = ctx;

	c->ended = true;
	line_end(&c->lines, on_line, c);
	finish_when_done(c);
}

static void on_closed(void *ctx, int error)
{
	connection_close(ctx);
}

static void on_drained(void *ctx)
{
	struct connection *c = ctx;

	if (c->follower.config)
		follower_drained(&c->follower);
	finish_when_done(c);
}

/* ---- arrival -------------------------------------------------------------------------------- */

static void find_role(struct connection *c, const struct ucred *who)
{
	gid_t groups[GROUPS_MAX + 1] = {who->gid};
	socklen_t size = GROUPS_MAX * sizeof(gid_t);
	size_t n = 1;

	if (getsockopt(loop_stream_fd(c->stream), SOL_SOCKET, SO_PEERGROUPS, groups + 1, &size) ==
		0)
		n += size / sizeof(gid_t);
	c->peer.uid = who->uid;
	c->peer.role = role_of(c->server->config.roles, who->uid, groups, n);
}

static unsigned count_of_user(const struct server *s, uid_t uid)
{
	unsigned n = 0;

	for (const struct connection *c = s->connections; c; c = c->next)
		if (c->stream && c->peer.uid == uid)
			n++;
	return n;
}

/* A last word to one that is not served. */
static void refuse(struct connection *c, const char *why)
{
	rpc_notify(&c->peer, "refused", json_pack("{s:s}", "why", why));
	c->server->stats.refused++;
	c->ended = true;
	finish_when_done(c);
}

static struct connection *connection_new(struct server *s)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct connection){.server = s,
		.peer = {.rpc = s->config.rpc, .send = peer_send, .idle = peer_idle},
		.follower = {.config = s->config.follower ? &s->follower : NULL, .ctx = c},
		.end = {.fn = on_end, .ctx = c},
		.next = s->connections,
		.back = &s->connections};
	if (c->next)
		c->next->back = &c->next;
	s->connections = c;
	s->stats.connections++;
	return c;
}

static void admit(struct connection *c)
{
	struct server *s = c->server;
	struct ucred who;

	if (loop_stream_peer_cred(c->stream, &who) < 0) {
		connection_close(c);
		return;
	}
	find_role(c, &who);
	s->stats.accepted++;
	if (s->stats.connections > SERVER_CONNECTIONS_MAX)
		refuse(c, "too many connections");
	else if (count_of_user(s, who.uid) > SERVER_USER_MAX)
		refuse(c, "too many connections of this user");
}

static void on_accepted(void *ctx, int fd, const struct address *peer)
{
	struct server *s = ctx;
	struct connection *c = connection_new(s);
	struct loop_stream_config stream = {.ctx = c,
		.received = on_received,
		.ended = on_ended,
		.closed = on_closed,
		.drained = on_drained,
		.queue_max = SERVER_UNSENT_MAX};

	if (!c) {
		close(fd);
		return;
	}
	if (loop_stream_adopt(s->config.loop, fd, &stream, &c->stream) < 0) {
		c->stream = NULL;
		connection_free(c);
		return;
	}
	admit(c);
}

/* ---- life ----------------------------------------------------------------------------------- */

int server_open(const struct server_config *config, struct server **out)
{
	struct server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->config = *config;
	if (config->follower) {
		s->follower = *config->follower;
		s->follower.send = follower_send;
		s->follower.unsent = follower_unsent;
	}
	rc = loop_listen(config->loop, &config->socket,
		&(struct loop_listener_config){.ctx = s, .accepted = on_accepted, .mode = 0660},
		&s->listener);
	if (rc < 0) {
		free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void server_close(struct server *s)
{
	if (!s)
		return;
	loop_listener_close(s->listener);
	while (s->connections) {
		connection_close(s->connections);
		connection_free(s->connections);
	}
	free(s);
}

void server_stats(const struct server *s, struct server_stats *out)
{
	*out = s->stats;
	for (const struct connection *c = s->connections; c; c = c->next)
		if (c->follower.state != FOLLOWER_IDLE)
			out->followers++;
}

struct follower *server_follower(const struct rpc_call *call)
{
	struct connection *c = (struct connection *)call->peer;

	return c && c->follower.config ? &c->follower : NULL;
}
