/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/role.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const char *const words[] = {
#define X(name, word) word,
	ROLES(X)
#undef X
};

const char *role_name(enum role role)
{
	return role < ROLE_COUNT ? words[role] : "?";
}

static enum role role_parse(struct str word)
{
	for (unsigned i = ROLE_READER; i < ROLE_COUNT; i++)
		if (str_equal_text(word, words[i]))
			return (enum role)i;
	return ROLE_NONE;
}

static int find_id(bool group, struct str name, unsigned *id)
{
	char text[64];
	uint32_t number;

	if (str_to_u32(name, &number) == 0) {
		*id = number;
		return 0;
	}
	if (str_copy(name, text, sizeof(text)) < 0)
		return -ENOENT;
	if (group) {
		const struct group *g = getgrnam(text);

		*id = g ? g->gr_gid : 0;
		return g ? 0 : -ENOENT;
	}
	{
		const struct passwd *p = getpwnam(text);

		*id = p ? p->pw_uid : 0;
		return p ? 0 : -ENOENT;
	}
}

static int refuse(char why[ROLE_WHY_SIZE], int error, const char *row, const char *expected)
{
	snprintf(why, ROLE_WHY_SIZE, "expected %s, found '%.80s'", expected, row);
	return error;
}

int role_add(struct role_table *table, const char *row, char why[ROLE_WHY_SIZE])
{
	struct str text = str_trim(str_from(row)), name;
	bool group = str_starts(text, STR("gid:"));
	ptrdiff_t equals = str_index_last(text, '=');
	struct role_row fresh = {.group = group};

	if (!group && !str_starts(text, STR("uid:")))
		return refuse(why, -EINVAL, row, "uid:NAME=ROLE or gid:NAME=ROLE");
	if (equals < 0)
		return refuse(why, -EINVAL, row, "'=' and a role behind the name");
	fresh.role = role_parse(str_skip(text, (size_t)equals + 1));
	if (fresh.role == ROLE_NONE)
		return refuse(why, -EINVAL, row,
			"one of the roles operator, supervisor, desktop, reader behind '='");
	name = str_skip(str_head(text, (size_t)equals), 4);
	if (str_empty(name))
		return refuse(why, -EINVAL, row, "a name or number between ':' and '='");
	if (find_id(group, name, &fresh.id) < 0)
		return refuse(
			why, -ENOENT, row, group ? "a group that exists" : "a user that exists");
	if (table->n == ROLE_ROWS_MAX)
		return refuse(why, -ENOSPC, row, "at most 64 rows");
	table->rows[table->n++] = fresh;
	return 0;
}

static bool fits(const struct role_row *row, uid_t uid, const gid_t *groups, size_t n)
{
	if (!row->group)
		return row->id == uid;
	for (size_t i = 0; i < n; i++)
		if (groups[i] == row->id)
			return true;
	return false;
}

enum role role_of(const struct role_table *table, uid_t uid, const gid_t *groups, size_t n)
{
	enum role role = uid == table->own ? ROLE_OPERATOR : ROLE_NONE;

	for (size_t i = 0; i < table->n; i++)
		if (table->rows[i].role > role && fits(&table->rows[i], uid, groups, n))
			role = table->rows[i].role;
	return role;
}
