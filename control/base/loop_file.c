/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/loop_internal.h"

#define PIECE_MAX (1u << 30) /* bytes of one request */

struct write {
	struct loop_handle handle; /* first */
	struct loop_op op;
	int fd;
	const uint8_t *data;
	size_t n;
	uint64_t offset;
	bool sync, syncing;
	void (*done)(void *ctx, int error);
	void *ctx;
};

static void release(struct loop_handle *handle)
{
	free(handle);
}

static void next_step(struct write *w)
{
	struct io_uring_sqe *sqe = loop_sqe(w->handle.loop);

	w->syncing = w->n == 0;
	if (w->syncing)
		io_uring_prep_fsync(sqe, w->fd, IORING_FSYNC_DATASYNC);
	else
		io_uring_prep_write(sqe, w->fd, w->data,
			(unsigned)(w->n < PIECE_MAX ? w->n : PIECE_MAX), w->offset);
	loop_op_start(&w->op, sqe);
}

static void stepped(struct loop_op *op, int result, unsigned flags)
{
	struct write *w = (struct write *)op->handle;

	if (result == 0 && !w->syncing)
		result = -EIO; /* a file that takes nothing */
	if (result > 0) {
		w->data += result;
		w->n -= (size_t)result;
		w->offset += (uint64_t)result;
	}
	if (result == -EINTR || result == -EAGAIN || (result > 0 && (w->n || w->sync))) {
		next_step(w);
		return;
	}
	loop_handle_close(&w->handle);
	w->done(w->ctx, result < 0 ? result : 0);
}

int loop_write(struct loop *loop, int fd, const void *data, size_t n, uint64_t offset, bool sync,
	void (*done)(void *ctx, int error), void *ctx)
{
	struct write *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->fd = fd;
	w->data = data;
	w->n = n;
	w->offset = offset;
	w->sync = sync;
	w->done = done;
	w->ctx = ctx;
	loop_handle_init(loop, &w->handle, LOOP_KIND_FILE, NULL, release);
	loop_op_init(&w->op, &w->handle, stepped);
	next_step(w);
	return 0;
}
