/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands to the dataplane and their answers.
 *
 * Each call puts one command into the ring of a worker, in order; when the ring is full, or
 * COMMANDS_WINDOW of the worker are not answered yet (so that the answers fit its event ring), it
 * waits in a list of ours, which is bounded, and goes out with a later pass. Each ends with exactly
 * one call of `done`, from the loop, never from inside a call made here:
 *
 *	error 0                 applied
 *	-EPROTO, refusal        the dataplane refused it
 *	-ETIMEDOUT              no answer in COMMANDS_TIMEOUT_NS from a worker that moves: its event
 *	                        may have been lost
 *	-ECONNRESET             the lease ended first
 *
 * Correlations are random to a stranger: answers to a control that died before us are stale.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cordboard/messages.h>

#include "base/random.h"

#define COMMANDS_WINDOW      1024u  /* unanswered, for each worker */
#define COMMANDS_WAITING_MAX 16384u /* waiting, for each worker */
#define COMMANDS_TIMEOUT_NS  UINT64_C(3000000000)

struct attach;
struct commands;

/* `tag` is the caller's. */
typedef void (*commands_done)(void *ctx, uint32_t tag, int error, enum cord_refusal refusal);

int commands_create(struct random *random, struct commands **out);
void commands_destroy(struct commands *commands);
/* A lease begins: commands go to `attach`. */
void commands_attach(struct commands *commands, struct attach *attach, unsigned workers);
/* It is over: every open one ends with -ECONNRESET, here. */
void commands_detach(struct commands *commands);
/* Takes a CORD_EVENT_DONE: `done` runs here. False: stale. */
bool commands_answer(
	struct commands *commands, unsigned worker, const struct cord_message *message);
/* Writes what waits, ends what is overdue. */
void commands_pass(struct commands *commands, uint64_t now_ns);
/* How many more a worker takes now. */
unsigned commands_space(const struct commands *commands, unsigned worker);
unsigned commands_waiting(const struct commands *commands);
unsigned commands_open(const struct commands *commands);

/*
 * -ENOBUFS: the list is full; -ENOTCONN: no lease. Then `done` is not called. `done` may be NULL.
 */
int commands_port_open(struct commands *c, unsigned worker, const struct cord_port_open *body,
	uint64_t now_ns, commands_done done, void *ctx, uint32_t tag);
int commands_port_set(struct commands *c, unsigned worker, const struct cord_port_set *body,
	uint64_t now_ns, commands_done done, void *ctx, uint32_t tag);
int commands_port_close(struct commands *c, unsigned worker, const struct cord_port_close *body,
	uint64_t now_ns, commands_done done, void *ctx, uint32_t tag);
int commands_port_playlist(struct commands *c, unsigned worker,
	const struct cord_port_playlist *body, uint64_t now_ns, commands_done done, void *ctx,
	uint32_t tag);
int commands_port_digits(struct commands *c, unsigned worker, const struct cord_port_digits *body,
	uint64_t now_ns, commands_done done, void *ctx, uint32_t tag);
int commands_room_open(struct commands *c, unsigned worker, const struct cord_room_open *body,
	uint64_t now_ns, commands_done done, void *ctx, uint32_t tag);
int commands_room_set(struct commands *c, unsigned worker, const struct cord_room_set *body,
	uint64_t now_ns, commands_done done, void *ctx, uint32_t tag);
int commands_room_close(struct commands *c, unsigned worker, const struct cord_room_close *body,
	uint64_t now_ns, commands_done done, void *ctx, uint32_t tag);
