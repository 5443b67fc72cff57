/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a port was last known to have done, so that each thing is told once, in order, whether it
 * came as an event or was read again from the port's status. Pure.
 *
 *   keys          by sequence number: told when it is one more than the last; a gap is filled
 *                 from the log in the status, what the log has lost is counted
 *   first media   once
 *   media lost    once, until it is back
 *   learned       where the peer's media comes from, each address once
 *   player end    by generation, once
 *   digits sent   once for each command
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cordboard/segment.h>

struct track {
	uint32_t keys;               /* told so far */
	uint32_t generation;         /* of the playlist that we await the end of; 0: none */
	bool media;                  /* first media was told */
	bool missed;                 /* media was told to be lost */
	bool digits;                 /* digits are on their way */
	bool digits_applied;         /* and the dataplane has said so */
	struct cord_address learned; /* last told; CORD_FAMILY_NONE: none */
};

struct track_told {
	void *ctx;
	void (*key)(void *ctx, char digit, uint64_t time_ns);
	void (*keys_lost)(void *ctx, unsigned count);
	void (*media)(void *ctx);
	void (*media_lost)(void *ctx);
	void (*media_back)(void *ctx);
	void (*media_learned)(void *ctx, const struct cord_address *address);
	void (*player_end)(void *ctx, uint32_t generation);
	void (*digits_sent)(void *ctx);
};

/* The port was opened (anew): keys count from 0. */
void track_reset(struct track *t);
/* An event about this very port. Returns true when its status must be read: keys are missing. */
bool track_event(
	struct track *t, const struct cord_message *message, const struct track_told *told);
/* A copy of the status of this very port (its id was compared). */
void track_status(struct track *t, const struct cord_port_status *status, uint64_t now_ns,
	const struct track_told *told);
/* 0-9 * # A-D. */
bool track_is_key(char c);
