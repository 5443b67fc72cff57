/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SQLite file of ours: opened with a clear word about what is wrong with it. The handle is used
 * by one thread at a time: at start and end by the loop's, between by the helper's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

/* Files above this are not read through at start. */
#define DATABASE_CHECK_BYTES (INT64_C(256) << 20)

struct database_schema {
	int version;         /* that `ddl` makes, and the newest that we understand */
	const char *ddl;     /* makes what a new file has in it */
	const char *upgrade; /* the same of a file of the version before; NULL: it is refused */
};

/*
 * An older file is brought up to date. -ENOENT: no directory; -EBADMSG:
 * not a database, or damaged; -EPROTO: of a newer version; -EBUSY: locked; other errors as they
 * come. `error` names the file and the cause.
 */
int database_open(const char *path, const struct database_schema *schema, char *error,
	size_t error_size, sqlite3 **out);
/* The negative errno nearest to a result of SQLite; 0 for OK, ROW and DONE. */
int database_errno(int result);
int database_run(sqlite3 *db, const char *sql);
int database_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out);
/* First column of the first row of a statement without parameters; `otherwise` when there is none.
 */
int64_t database_number(sqlite3 *db, const char *sql, int64_t otherwise);
