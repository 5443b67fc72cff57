/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share: the admin itself, the groups of verbs, small values as JSON.
 */
#ifndef ADMIN_INTERNAL_H
#define ADMIN_INTERNAL_H

#include "admin/admin.h"
#include "admin/bottleneck.h"
#include "admin/follower.h"
#include "admin/http.h"
#include "admin/role.h"
#include "admin/rpc.h"
#include "admin/server.h"
#include "admin/text.h"
#include "admin/trace.h"

struct page;

struct admin {
	struct admin_config config;
	struct role_table roles;
	struct rpc rpc;
	struct follower_config follower;
	struct server *server;
	struct http *http; /* NULL: no metrics page */
	struct trace *trace;
};

/* One file each. */
extern const struct verb_group verbs_system, verbs_agent, verbs_contact, verbs_conference,
	verbs_outbound, verbs_queue, verbs_record, verbs_dataplane, verbs_sip, verbs_events,
	verbs_flow, verbs_quick_connect, verbs_quality, verbs_desktop;
/* What a desktop asks for: the message is the call's parameters (verbs_desktop.c). */
void desktop_handle(struct rpc_call *call);
/* The families of the Prometheus page about legs (metrics_quality.c). */
void metrics_quality(const struct switchboard *board, struct page *page);

#define LIST_LIMIT     1000 /* rows of a list when the caller names no limit */
#define LIST_LIMIT_MAX 5000

#define PARAM_OFFSET                                                      \
	{                                                                 \
		"offset", PARAM_NUMBER, .help = "rows to leave out first" \
	}
#define PARAM_LIMIT                                                     \
	{                                                               \
		"limit", PARAM_NUMBER, .min = 1, .max = LIST_LIMIT_MAX, \
				       .help = "rows at most (1000)"    \
	}
#define PARAM_CONTACT_OF(is_required)                                                \
	{                                                                            \
		"contact", PARAM_TEXT, .required = is_required, .min = 1, .max = 64, \
				       .help = "contact id"                          \
	}
#define PARAM_AGENT                                                                             \
	{                                                                                       \
		"agent", PARAM_TEXT, .required = true, .min = 1, .help = "user name, id or ARN" \
	}

struct admin *admin_of(const struct rpc_call *call);
struct switchboard *board_of(const struct rpc_call *call);

/* A page of rows: counts what passes and says which are wanted. */
struct list {
	json_t *rows;
	int64_t offset, limit, total;
};
/* As the agent event stream shows it, new; NULL without memory. */
json_t *agent_snapshot_json(const struct switchboard *board, const struct agent_snapshot *s);
/* What the agent's desktop shows, new; NULL: no such agent. */
json_t *panel_json(const struct switchboard *board, uint32_t agent);
struct list list_begin(const struct rpc_call *call);
/* Whether the next row is wanted. */
bool list_wants(struct list *list);
/* {NAME: rows, "total": n}; ends the call. */
void list_answer(struct rpc_call *call, struct list *list, const char *name);

/* ISO 8601, or null for 0. */
json_t *json_wall(uint64_t wall_ns);
/* A monotonic moment of the board. */
json_t *json_moment(const struct switchboard *board, uint64_t ns);
json_t *json_seconds(uint64_t ns);
/* Name of a queue by the router's number; an agent's own is the agent's name. Null: none. */
json_t *json_queue(const struct switchboard *board, uint32_t queue);
json_t *json_agent(const struct switchboard *board, uint32_t agent);

/* How good a leg sounds, new (verbs_quality.c). */
json_t *leg_quality_json(const struct leg *leg);
/* Brief row of a contact, new (verbs_contact.c). */
json_t *contact_row(const struct contact *contact);
/* The contact in the slot of the agent whom the call names; NULL (verbs_contact.c). */
struct contact *contact_of_agent(struct rpc_call *call);
/* False: the call is refused, the contact has moved on since its sender looked. */
bool contact_version_holds(struct rpc_call *call, const struct contact *contact);
/* Row of an agent, new; NULL when there is none (verbs_agent.c). */
json_t *agent_row(const struct switchboard *board, uint32_t agent);

/* What binds first now (verbs_system.c). */
void admin_bottleneck(const struct admin *admin, char text[BOTTLENECK_SIZE]);
/* Parts of the metrics page (metrics.c). */
bool metrics_write(void *ctx, unsigned step, FILE *to);

#endif
