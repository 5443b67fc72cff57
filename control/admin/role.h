/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role: who may do what on the admin socket. The rows of the option `admin.roles` say which user or
 * group has which role:
 *
 *     uid:NAME=ROLE    gid:NAME=ROLE      NAME: a name or a number
 *
 * Roles in order; each may do what the one before it may:
 *
 *     reader      looks
 *     desktop     acts for the agents that it names
 *     supervisor  acts on queues and contacts
 *     operator    everything
 *
 * Of several rows that fit, the highest counts. The user that control runs as is an operator: it
 * can do everything to the process anyway.
 */
#ifndef ADMIN_ROLE_H
#define ADMIN_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define ROLES(X)                    \
	X(NONE, "none")             \
	X(READER, "reader")         \
	X(DESKTOP, "desktop")       \
	X(SUPERVISOR, "supervisor") \
	X(OPERATOR, "operator")

enum role {
#define X(name, word) ROLE_##name,
	ROLES(X)
#undef X
		ROLE_COUNT
};

enum { ROLE_ROWS_MAX = 64 };

struct role_row {
	bool group;
	unsigned id;
	enum role role;
};

struct role_table {
	struct role_row rows[ROLE_ROWS_MAX];
	size_t n;
	uid_t own; /* of this process */
};

#define ROLE_WHY_SIZE 200

const char *role_name(enum role role);

/*
 * One row into the table. -EINVAL: it makes no sense; -ENOENT: no such user or group; -ENOSPC:
 * too many; `why` says what was expected. Looks names up, so it may block: at start only.
 */
int role_add(struct role_table *table, const char *row, char why[ROLE_WHY_SIZE]);

/* The role of a user with these groups. */
enum role role_of(const struct role_table *table, uid_t uid, const gid_t *groups, size_t n);

#endif
