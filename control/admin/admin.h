/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin: the admin socket: JSON-RPC 2.0, one object a line, on a UNIX stream socket; the Prometheus
 * page; the trace of SIP messages for those who ask. What it can do is the table of verbs in
 * verbs.c; each row has the least role that may use it.
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "base/report.h"
#include "contact/switchboard.h"

struct admin;

struct admin_config {
	struct loop *loop;
	struct switchboard *board;
	const struct config *config;
};

/* Opens the admin socket, and the metrics page when it has an address. */
int admin_open(const struct admin_config *config, struct admin **out);
/* NULL is fine. */
void admin_close(struct admin *admin);
/* Every SIP message in and out; kept, without secrets, for `call.trace`. */
void admin_trace(struct admin *admin, const struct sip_trace *trace);

#endif
