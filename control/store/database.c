/* SPDX-License-Identifier: Apache-2.0 */
#include "store/database.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define BUSY_MS 2000

int database_errno(int result)
{
	switch (result & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	default:
		return -EIO;
	}
}

int database_run(sqlite3 *db, const char *sql)
{
	return database_errno(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int database_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out)
{
	return database_errno(sqlite3_prepare_v2(db, sql, -1, out, NULL));
}

int64_t database_number(sqlite3 *db, const char *sql, int64_t otherwise)
{
	sqlite3_stmt *s;
	int64_t n = otherwise;

	if (database_prepare(db, sql, &s))
		return otherwise;
	if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) == SQLITE_INTEGER)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static int check_directory(const char *path, char *error, size_t error_size)
{
	const char *slash = strrchr(path, '/');
	char directory[4096];
	struct stat st;
	int n = slash ? (int)(slash - path) : 0;

	snprintf(directory, sizeof(directory), "%.*s", slash ? (n ? n : 1) : 1, slash ? path : ".");
	if (stat(directory, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	snprintf(error, error_size, "%s: directory %s does not exist", path, directory);
	return -ENOENT;
}

static int check_pages(sqlite3 *db, const char *path)
{
	struct stat st;
	sqlite3_stmt *s;
	int error;

	if (stat(path, &st) == 0 && st.st_size > DATABASE_CHECK_BYTES)
		return 0;
	error = database_prepare(db, "PRAGMA quick_check(1)", &s);
	if (error)
		return error;
	if (sqlite3_step(s) != SQLITE_ROW ||
		strcmp((const char *)sqlite3_column_text(s, 0), "ok") != 0)
		error = -EBADMSG;
	sqlite3_finalize(s);
	return error;
}

static int check_schema(sqlite3 *db, const struct database_schema *schema)
{
	int64_t found = database_number(db, "PRAGMA user_version", -1);
	const char *sql = found == 0 ? schema->ddl : schema->upgrade;
	char version[64];
	int error;

	if (found < 0)
		return -EBADMSG;
	if (found > schema->version)
		return -EPROTO;
	if (found == schema->version)
		return 0;
	if (found == 0 ? database_number(db, "SELECT count(*) FROM sqlite_schema", -1) != 0
		       : !sql || found != schema->version - 1)
		return -EBADMSG;
	snprintf(version, sizeof(version), "PRAGMA user_version = %d; COMMIT", schema->version);
	error = database_run(db, "BEGIN IMMEDIATE");
	if (!error)
		error = database_run(db, sql);
	if (!error)
		error = database_run(db, version);
	if (error)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return error;
}

static void describe(const char *path, int error, sqlite3 *db, char *text, size_t size)
{
	switch (error) {
	case -EBADMSG:
		snprintf(text, size, "%s: not a database of ours, or damaged (%s)", path,
			sqlite3_errmsg(db));
		break;
	case -EPROTO:
		snprintf(text, size, "%s: made by a newer version of the program", path);
		break;
	case -EBUSY:
		snprintf(text, size, "%s: locked by another process", path);
		break;
	default:
		snprintf(text, size, "%s: %s (%s)", path, strerror(-error), sqlite3_errmsg(db));
		break;
	}
}

int database_open(const char *path, const struct database_schema *schema, char *error_text,
	size_t error_size, sqlite3 **out)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	sqlite3 *db = NULL;
	int error = check_directory(path, error_text, error_size);

	if (error)
		return error;
	error = database_errno(sqlite3_open_v2(path, &db, flags, NULL));
	if (!db) {
		snprintf(error_text, error_size, "%s: out of memory", path);
		return -ENOMEM;
	}
	sqlite3_busy_timeout(db, BUSY_MS);
	if (!error)
		error = database_run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
	if (!error)
		error = check_pages(db, path);
	if (!error)
		error = check_schema(db, schema);
	if (error) {
		describe(path, error, db, error_text, error_size);
		sqlite3_close(db);
		return error;
	}
	*out = db;
	return 0;
}
