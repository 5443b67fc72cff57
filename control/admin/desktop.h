/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desktop: the messages of agents' desktops on the admin socket (R111 to R125). A line that is an
 * object with `channel` and `topic`, and without `jsonrpc`, is one:
 *
 *     {"channel": "Amazon", "topic": "InboundCall", "subtopic": "BlindTransfer", "source": "ui",
 *      "data": "+12025550143", or an endpoint object (endpoint.h)}
 *
 * It carries no agent: the connection is bound to one first, by the verb desktop.register, and stays
 * bound to this one. The answer comes when the transfer has succeeded or failed (R123), with the same
 * channel and topic:
 *
 *     "message": {"contactId": …, "agentState": …}
 *     "errorType": …, "msg": the true cause, "errorMessage": fixed text      UNKNOWN_MESSAGE: of a
 *                                                                            subtopic that is not known
 * Here it is read and answered, which is pure; verbs_desktop.c carries it out.
 */
#ifndef ADMIN_DESKTOP_H
#define ADMIN_DESKTOP_H

#include <jansson.h>

#include "admin/endpoint.h"

/* A message that was read. Borrowed from the JSON. */
struct desktop_message {
	const char *source;       /* the application */
	const char *number;       /* `data` was a text; else NULL */
	struct endpoint endpoint; /* else */
};

/*
 * 0; or why it is none, with the member and what was expected of it: -ENOMSG: another message than
 * BlindTransfer; -EINVAL: one with a fault.
 */
int desktop_read(
	const json_t *object, struct desktop_message *message, char why[ENDPOINT_WHY_SIZE]);
/* The answers to this message, new; NULL without memory. `error` as desktop_read(), or any other. */
json_t *desktop_success(const json_t *object, const char *contact, const char *agent_state);
json_t *desktop_failure(const json_t *object, int error, const char *why);

#endif
