/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the loop, for loop*.c alone.
 *
 * A *handle* is what a user opens; an *op* is one request that the kernel has. A handle's memory
 * lives until it is closed and the kernel has given every op back. The complete function of an op
 * runs for each completion, also of a closed handle, so that it can give back buffers and
 * descriptors.
 */
#pragma once

#include <liburing.h>

#include "base/loop.h"

struct loop_handle;
struct loop_op;

typedef void (*loop_complete_fn)(struct loop_op *op, int result, unsigned flags);

struct loop_op {
	struct loop_handle *handle;
	loop_complete_fn complete;
	bool active; /* the kernel has it */
};

struct loop_handle {
	struct loop *loop;
	enum loop_kind kind;
	bool closed;
	unsigned active;                             /* ops that the kernel has */
	void (*cancel)(struct loop_handle *handle);  /* asks for the ops back; may be NULL */
	void (*release)(struct loop_handle *handle); /* frees everything */
	struct loop_handle *next, **back;            /* all handles */
	struct loop_handle *next_free;
	bool waits_free;
};

/* Receive buffers that the kernel picks from. */
struct loop_buffers {
	struct io_uring_buf_ring *ring; /* NULL: not available */
	uint8_t *memory;
	size_t ring_bytes, memory_bytes;
	unsigned count, size;
	int group;
};

struct loop_completion {
	struct loop_op *op;
	int result;
	unsigned flags;
};

#define LOOP_GROUPS  1024 /* buffer rings at a time */
#define LOOP_COLLECT 1024 /* completions a pass */
#define LOOP_TURN    128  /* completions until timers have their turn */

struct loop {
	struct io_uring ring;
	struct timers timers;
	uint64_t now_ns;
	uint64_t stamp_ns;            /* end of the last callback */
	uint64_t callbacks_ns;        /* when those of this pass began */
	uint64_t fresh_ns;            /* nothing that is delivered came before, see loop_behind() */
	int64_t real_ns;              /* CLOCK_REALTIME less CLOCK_MONOTONIC, in this pass */
	bool slept;                   /* before this pass's callbacks */
	uint64_t due_ns;              /* when it should be back, see LOOP_LATE_NS */
	bool late;                    /* when it was last */
	uint64_t took_ns[LOOP_KINDS]; /* of callbacks, since it was back */
	struct loop_handle *handles, *freed;
	struct loop_task *tasks, **tasks_end;
	uint64_t round;
	struct loop_hook *hooks, *hook_next;
	struct loop_stats stats;
	struct loop_buffers stream_buffers;
	uint64_t groups[LOOP_GROUPS / 64];
	unsigned children;
	bool plain, stopped, ending;
	struct loop_completion collected[LOOP_COLLECT];
};

void loop_handle_init(struct loop *loop, struct loop_handle *handle, enum loop_kind kind,
	void (*cancel)(struct loop_handle *), void (*release)(struct loop_handle *));
/* Takes effect at once; the memory goes later. */
void loop_handle_close(struct loop_handle *handle);

void loop_op_init(struct loop_op *op, struct loop_handle *handle, loop_complete_fn complete);
/* A fresh request; fill it with io_uring_prep_*(), then loop_op_start(). */
struct io_uring_sqe *loop_sqe(struct loop *loop);
void loop_op_start(struct loop_op *op, struct io_uring_sqe *sqe);
/* Nothing when the kernel does not have it. It completes later, mostly with -ECANCELED. */
void loop_op_cancel(struct loop_op *op);
void loop_op_poll(struct loop_op *op, int fd, unsigned events);

/* Negative without kernel support or in plain mode. */
int loop_buffers_init(struct loop *loop, struct loop_buffers *b, unsigned count, size_t size);
void loop_buffers_clear(struct loop *loop, struct loop_buffers *b);
uint8_t *loop_buffers_at(const struct loop_buffers *b, unsigned flags);
void loop_buffers_give_back(struct loop_buffers *b, unsigned flags);

/*
 * [::] takes IPv6 alone, so that it can stand beside 0.0.0.0 and no peer has an IPv4 address in
 * IPv6. Sets errno.
 */
int loop_one_family(int fd, const struct address *local);
/* A socket without O_NONBLOCK: the kernel would hand -EAGAIN out instead of waiting. */
int loop_blocking(int fd);
