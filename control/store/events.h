/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event log: ordered, numbered, kept across restarts, resumable.
 *
 * Numbers only grow and are never used twice, also when control is killed: after that they go on
 * behind a gap (store/event_files.h). Kept are the last EVENTS_KEEP, and none older than
 * EVENTS_KEEP_NS. Appending costs the loop a copy; batches are written on the offload thread; the
 * newest EVENTS_MEMORY (and everything not written yet) are in memory.
 *
 *	events_listen()                  from now on, at once, in order
 *	events_read(after) ... repeat    what came before; `gap` when something between `after` and
 *	                                 the first event given is not there any more
 *
 * A subscriber that resumes listens first, reads until it has caught up with its first live event.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define EVENTS_KEEP    100000u
#define EVENTS_KEEP_NS (UINT64_C(24) * 3600 * 1000000000)
#define EVENTS_MEMORY  8192u
#define EVENTS_WAITING_MAX \
	50000u /* not written yet; beyond it the oldest are given up, counted \
		*/
#define EVENTS_WAITING_BYTES (128u << 20)
#define EVENTS_BATCH         1000u
#define EVENTS_READ_MAX      500u
#define EVENTS_JSON_MAX      131072u
#define EVENTS_TOPIC_MAX     32u
#define EVENTS_ERROR_SIZE    300

struct loop;
struct offload;
struct events;

struct event {
	uint64_t number;
	uint64_t wall_ns;
	const char *topic; /* "agent", "contact", "system", … */
	struct str json;   /* one object, terminated by a zero byte too */
};

struct events_config {
	struct loop *loop;
	struct offload *offload;
	const char *path; /* of the directory of its files; the one above must be there */
	uint64_t wall_ns; /* now, for what is too old */
	unsigned keep;    /* 0: EVENTS_KEEP */
	uint64_t keep_ns; /* 0: EVENTS_KEEP_NS */
	unsigned memory;  /* 0: EVENTS_MEMORY; for tests */
};

/* Blocks (at start). On failure `error` (EVENTS_ERROR_SIZE bytes) names the file and the cause. */
int events_open(const struct events_config *config, char *error, struct events **out);
/* Writes what waits, blocking. The offload must be destroyed before. NULL is fine. */
int events_close(struct events *events);

/*
 * -EINVAL: no topic or a too long one; -E2BIG; -ENOMEM. The number is set on success; listeners
 * are called before it returns.
 */
int events_append(struct events *events, const char *topic, uint64_t wall_ns, struct str json,
	uint64_t *number);
/* The last number given; 0: none ever. Resuming from it means: nothing from before. */
uint64_t events_last(const struct events *events);

/* Lives in its owner's record, zeroed but for fn and ctx. */
struct events_listener {
	void (*fn)(void *ctx, const struct event *event);
	void *ctx;
	struct events *events; /* private, like the rest */
	struct events_listener *next, **back;
};

/* A listener may remove itself, or others, from inside fn; fn must not append. */
void events_listen(struct events *events, struct events_listener *listener);
void events_unlisten(struct events_listener *listener);

struct events_page {
	int error;                  /* 0, or negative errno */
	bool gap;                   /* events between `after` and the first one here are gone */
	bool more;                  /* call again with the number of the last one */
	const struct event *events; /* valid during the callback; no gap inside a page */
	size_t n;
};

/* Events with numbers above `after`, at most EVENTS_READ_MAX. `done` is called once, from the loop;
 * at events_close() with -ECANCELED. A number from the future is a gap. */
int events_read(struct events *events, uint64_t after,
	void (*done)(void *ctx, const struct events_page *page), void *ctx);

struct events_stats {
	uint64_t appended, written, given_up, failures;
	size_t waiting, in_memory;
	uint64_t last; /* number, 0: none */
};

void events_stats(const struct events *events, struct events_stats *out);
