/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events on the disk: files of lines, appended to and never changed, the oldest dropped whole.
 *
 *	NUMBER WALL TOPIC JSON      an event; wall nanoseconds
 *	end                         the file was closed in good order
 *
 * A file bears the number from which it goes on, 20 digits and ".events", and takes
 * EVENT_FILES_LINES of them. A life of the log begins with a file of its own: when the last one has
 * no end, numbers beyond it may have been given, also such as were never written, and the next life
 * skips EVENT_FILES_SKIP of them. That is more than a life gives that writes nothing (at 10,000 a
 * second: five days), and there is room for two million such ends below 2^53, up to which every
 * reader of JSON can count. A line that was cut off by a crash, and what is behind it, do not count.
 *
 * A write is not synced: a crash of the machine may cost the last events, one of control does not.
 * Used by one thread at a time: at start and end by the loop's, between by the helper's.
 */
#ifndef STORE_EVENT_FILES_H
#define STORE_EVENT_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "store/events.h"

#define EVENT_FILES_LINES 10000u
#define EVENT_FILES_SKIP  (UINT64_C(1) << 32)

struct event_files;

/* Makes the directory. On failure `error` (EVENTS_ERROR_SIZE bytes) names the file and the cause. */
int event_files_open(const char *directory, char *error, struct event_files **out);
/* Writes the end when `good`. NULL is fine. */
int event_files_close(struct event_files *f, bool good);
/* The last number that may have been given. */
uint64_t event_files_last(const struct event_files *f);

/*
 * In order. What is put is written by the flush at the latest. After an error all since the last
 * flush is put again; what was written of it is not written twice.
 */
int event_files_put(struct event_files *f, const struct event *event);
int event_files_flush(struct event_files *f);
/* All but the last `keep`, and what is older, is not read any more. */
void event_files_forget(struct event_files *f, uint64_t keep, uint64_t wall_ns);
/* At most `max` events above `after`; their texts are malloc'ed, also those of an error. */
int event_files_read(
	struct event_files *f, uint64_t after, struct event *rows, size_t max, size_t *n);

#endif
