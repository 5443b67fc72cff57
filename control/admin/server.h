/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server: the admin socket itself: accepts, finds each peer's role (SO_PEERCRED, SO_PEERGROUPS),
 * turns bytes into lines and lines into calls.
 *
 * A reader that leaves SERVER_UNSENT_MAX bytes unread is cut off. A peer that only stopped sending
 * still gets its answers, and its events for as long as it reads.
 */
#ifndef ADMIN_SERVER_H
#define ADMIN_SERVER_H

#include "admin/follower.h"
#include "admin/line.h"
#include "admin/role.h"
#include "admin/rpc.h"
#include "base/loop.h"

#define SERVER_CONNECTIONS_MAX 256u
#define SERVER_USER_MAX        128u /* connections of one user */
#define SERVER_UNSENT_MAX      (4u << 20)

struct server_config {
	struct loop *loop;
	struct address socket;
	const struct role_table *roles;
	struct rpc *rpc;
	const struct follower_config
		*follower; /* `send` and `unsent` are filled in here; NULL: none */
};

struct server;

/* -EADDRINUSE and friends. */
int server_open(const struct server_config *config, struct server **out);
void server_close(struct server *server);

struct server_stats {
	unsigned connections, followers;
	uint64_t accepted, refused, cut_off, lines;
};
void server_stats(const struct server *server, struct server_stats *out);

/* The follower of the connection that a call came by; NULL: it has gone. */
struct follower *server_follower(const struct rpc_call *call);

#endif
