/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contact flow log: JSON lines in a file, one for each action executed by the flows of contacts
 * whose logging is on (contact/flow_log_line.h makes the lines).
 *
 *     flow_log_write() --> lines that wait --offload--> FILE --size_max--> FILE.1 ... FILE.N
 *                              |
 *                              +--> FLOW_LOG_WAITING_BYTES: what comes beyond is counted, and a line
 *                                   says how many were left out
 *
 * Whatever comes in one pass of the loop, and while the last is being written, is one write. The log
 * is no book of account: what a crash of control or a full disk takes is lost, and a call never waits
 * for it. A line that a crash cut short is ended at the next start.
 *
 * All from the loop's thread. Results come from the loop.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define FLOW_LOG_WAITING_BYTES (4u << 20)
#define FLOW_LOG_LINE_MAX      131072u /* bytes, the LF included */
#define FLOW_LOG_KEEP_MAX      100u
#define FLOW_LOG_READS_MAX     8u           /* at a time */
#define FLOW_LOG_READ_LINES    2000u        /* of one answer */
#define FLOW_LOG_READ_BYTES    (256u << 10) /* of one answer */
#define FLOW_LOG_ERROR_SIZE    300

struct flow_log;
struct loop;
struct offload;

struct flow_log_config {
	struct loop *loop;
	struct offload *offload;
	const char *path;  /* its directory must be there */
	uint64_t size_max; /* bytes; a file that would grow beyond it gets a new name */
	unsigned keep;     /* old files, at most FLOW_LOG_KEEP_MAX */
};

/* Blocks (at start). `error` (FLOW_LOG_ERROR_SIZE bytes) names the file and what is wrong. */
int flow_log_open(const struct flow_log_config *config, char *error, struct flow_log **out);
/* Writes what waits, blocking. The offload must be destroyed before. NULL is fine. */
void flow_log_close(struct flow_log *log);

/* One JSON object without LF; copied. -E2BIG; -ENOBUFS: counted as left out. */
int flow_log_write(struct flow_log *log, struct str line);

struct flow_log_result {
	int error;        /* 0, or negative errno */
	const char *text; /* lines, valid during the callback */
	size_t n;
	bool more; /* cut at the limit */
};

/*
 * The lines of one contact id, as they stand in the files, oldest file first, at most `limit` (0: all that an answer holds), with
 * everything written before. -EBUSY: FLOW_LOG_READS_MAX. `done` is called once, also at the end of
 * the offload (-ECANCELED).
 */
int flow_log_read(struct flow_log *log, struct str contact_id, unsigned limit,
	void (*done)(void *ctx, const struct flow_log_result *result), void *ctx);

struct flow_log_stats {
	uint64_t lines, left_out, failures, rotations;
	size_t waiting_bytes;
};

void flow_log_stats(const struct flow_log *log, struct flow_log_stats *out);
