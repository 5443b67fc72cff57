/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of contact records on their way to the disk.
 *
 *	record_table_keep() --> journal (synced) --> memory --> record_table_fold() --> SQLite
 *
 * What is kept is safe: it lies in the journal, which is read again at the next open. The table of
 * SQLite is written from memory, many rows in one transaction, and of a record that was put several
 * times only what the last one says, so that a short call is one row and not two. Then the journal
 * begins again at its start. Its blocks are used again, for what is left of its former rows has lower
 * numbers and changes nothing; above RECORD_TABLE_BYTES it is cut, and at open when all is folded.
 *
 * While nothing can be folded, journal and memory grow alike: who puts stops at a number of
 * record_table_bytes(), which a row that another one made needless counts in, too.
 *
 * Order is kept whatever fails: rows lie in the journal in the order of their numbers, and what
 * could not be kept is before all that comes later.
 *
 * Used by one thread at a time: at start and end by the loop's, between by the helper's.
 */
#ifndef STORE_RECORD_TABLE_H
#define STORE_RECORD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/str.h"

/* From which on it is to be folded. */
#define RECORD_TABLE_ROWS  2000u
#define RECORD_TABLE_BYTES ((size_t)16 << 20)

/* One put. Malloc'ed; the list of what is put is in the order of the numbers. */
struct record_row {
	struct record_row *next;
	uint64_t number;
	uint64_t initiated_wall;
	bool complete;
	bool link; /* `initial_id` is the successor's id, `json` the time */
	struct str contact_id, initial_id, json; /* in `text`, each terminated */
	size_t bytes;                            /* of all of it */
	char text[];
};

/* NULL without memory. */
struct record_row *record_row_make(struct str contact_id, struct str initial_id, struct str json);
void record_rows_free(struct record_row *first);

struct record_table;

/* As records_open(); what the journal has from a former life is in SQLite then. */
int record_table_open(const char *path, char *error, struct record_table **out);
/* What is in memory stays in the journal. NULL is fine. */
void record_table_close(struct record_table *t);

/*
 * Takes the rows (NULL: none). After an error they wait in memory, and the next call tries them
 * first; -errno says that some of what was taken is not safe yet.
 */
int record_table_keep(struct record_table *t, struct record_row *first);
/*
 * Of what is kept. Nothing to do is a success. -EBUSY: another program holds the file, which is not
 * asked for again within a second, so that who folds often does not wait each time.
 */
int record_table_fold(struct record_table *t);
bool record_table_is_due(const struct record_table *t);
/* What was taken and is not folded: rows that will be written, bytes in memory. The journal is
 * smaller. */
size_t record_table_rows(const struct record_table *t);
size_t record_table_bytes(const struct record_table *t);
/* Of these, the rows that are not kept. */
size_t record_table_unkept(const struct record_table *t);
sqlite3 *record_table_db(const struct record_table *t);
/* Of the last error, with the name of the file. */
const char *record_table_error(const struct record_table *t);

#endif
