/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follower: one connection's subscription to events.
 *
 *            follower_start(after)            page read to its end
 *   IDLE ---------------------------> READING --------------------> LIVE
 *    ^                                 |   ^                          |
 *    |                     gap, first  v   | all told                 |
 *    |                            SNAPSHOT-+                          |
 *    +------------------------ follower_stop() -----------------------+
 *
 * What the reader gets, in order, as notifications:
 *
 *   event     {"number", "time", "topic", "event": {…}}
 *   gap       {"after", "first"}: events between the two are not there any more; then
 *   snapshot  {"number", "topic", "snapshot": {…}}, one for each agent and contact: its state when
 *             event `number` was the last one, or later; the end is {"number", "topic": "end"};
 *             then the events that are there go on from `first`, so those up to `number` are
 *             history to one that keeps states
 *
 *   stopped   {"after", "why"}: the store cannot be read; subscribe again from `after`
 *
 * While it catches up the follower sends only what the reader takes (FOLLOWER_AHEAD unsent bytes);
 * live it sends at once, and the connection's ceiling cuts a reader off that does not read.
 */
#ifndef ADMIN_FOLLOWER_H
#define ADMIN_FOLLOWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/events.h"

#define FOLLOWER_AHEAD      (1u << 20)
#define FOLLOWER_TOPICS_MAX 8u

enum follower_state {
	FOLLOWER_IDLE,
	FOLLOWER_READING,
	FOLLOWER_SNAPSHOT,
	FOLLOWER_LIVE,
};

struct follower_config {
	struct events *events;
	/* A line to the reader; false: the connection is closed, and the follower stopped. */
	bool (*send)(void *ctx, const char *line, size_t n);
	/* Unsent bytes of the connection. */
	size_t (*unsent)(void *ctx);
	/*
	 * The next part of the snapshot: topic and object (new). `cursor` is 0 at first and is
	 * moved on; false: no more.
	 */
	void *snapshot_ctx;
	bool (*snapshot)(void *ctx, uint64_t *cursor, const char **topic, json_t **object);
};

struct follower_read;

/* Lives in its owner's record; zeroed but for config and ctx. The fields are private, but for
 * state. */
struct follower {
	const struct follower_config *config;
	void *ctx; /* of send and unsent */
	enum follower_state state;
	struct events_listener listener;
	struct follower_read *read; /* under way */
	uint64_t sent;              /* the last number told */
	uint64_t seen;              /* the last number that came live while catching up */
	uint64_t cursor, snapshot_number;
	bool snapshot_told;
	char topics[FOLLOWER_TOPICS_MAX][EVENTS_TOPIC_MAX];
	unsigned n_topics; /* 0: all */
};

/*
 * Events with numbers above `after` from now on. -EBUSY: it follows already; -EINVAL: a bad topic;
 * -ENOMEM and friends of events_read().
 */
int follower_start(struct follower *follower, uint64_t after, const json_t *topics);
void follower_stop(struct follower *follower);
/* The connection has sent everything: more may follow. */
void follower_drained(struct follower *follower);

#endif
