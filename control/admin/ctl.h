/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl: what the command-line client is made of: a blocking connection to the admin socket, tables
 * and trees for people, the ladder of a trace. What came over the network is printed without
 * control bytes, so that a caller's name cannot steer the terminal.
 */
#ifndef ADMIN_CTL_H
#define ADMIN_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum ctl_exit {
	CTL_OK,
	CTL_REFUSED,
	CTL_USAGE,
	CTL_NO_CONNECTION,
};

/* ---- the connection (ctl_link.c) ---- */

#define CTL_LINE_MAX  (16u << 20)
#define CTL_TIMEOUT_S 30

struct ctl_link {
	int fd;
	char *rest; /* read and not used yet */
	size_t n, room;
};

/* 0 or a negative errno. */
int ctl_open(struct ctl_link *link, const char *path);
void ctl_close(struct ctl_link *link);
/* Waits for ever instead of CTL_TIMEOUT_S. */
void ctl_wait_long(struct ctl_link *link);
/* The next object that comes; NULL and *error: -EPIPE at the end, -ETIMEDOUT, -EBADMSG. */
json_t *ctl_read(struct ctl_link *link, int *error);
/* Takes the parameters. The answer: the whole object, with `result` or `error`; NULL and *error. */
json_t *ctl_call(struct ctl_link *link, const char *verb, json_t *params, int *error);

/* ---- for people (ctl_show.c) ---- */

enum ctl_cell {
	CTL_PLAIN, /* text and numbers as they are, true and false as yes and no, null as - */
	CTL_TIME,  /* of ISO 8601 the time of day, UTC */
	CTL_SPAN,  /* seconds as 1:02:03 */
};

struct ctl_column {
	const char *title;
	const char *path; /* members, separated by dots */
	enum ctl_cell cell;
};

/* The member that a path leads to; NULL. */
const json_t *ctl_member(const json_t *object, const char *path);
/* A value as text, cut at `size`. */
void ctl_text(const json_t *value, enum ctl_cell cell, char *text, size_t size);
void ctl_table(FILE *to, const json_t *rows, const struct ctl_column *columns, size_t n);
/* Everything in an object, a line a value; {"used", "max"} is one value. */
void ctl_tree(FILE *to, const json_t *object, unsigned depth);

/* ---- answers of verbs, for people (ctl_answers.c) ---- */

/* Prints the result; `more`: all that there is of it. An exit code. */
typedef int ctl_answer(const json_t *result, bool more);
ctl_answer ctl_show_tree, ctl_show_agents, ctl_show_agent, ctl_show_desk, ctl_show_contacts,
	ctl_show_quality, ctl_show_queues, ctl_show_waiting, ctl_show_records, ctl_show_statuses,
	ctl_show_users, ctl_show_quick_connects, ctl_show_endpoints, ctl_show_phones,
	ctl_show_trunks, ctl_show_orphans, ctl_show_stats, ctl_show_reload, ctl_show_flows,
	ctl_show_flow_log, ctl_show_published, ctl_show_config, ctl_show_trace, ctl_show_verbs;

/* ---- flows without a control process (ctl_flow.c) ---- */

/* Whether `cordctl flow WORD` is one of these, and does it: argv[0] is the word. An exit code. */
bool ctl_flow_knows(const char *word);
int ctl_flow(int argc, char **argv);
void ctl_flow_usage(FILE *to);

/* ---- the answer of flow.log (ctl_flow_log.c) ---- */

void ctl_flow_log(FILE *to, const json_t *result);

/* ---- a call as a SIP ladder (ctl_ladder.c) ---- */

void ctl_ladder(FILE *to, const json_t *messages);

#endif
