/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop_internal.h"

#define CHUNK_MIN       4096
#define CONNECT_DEFAULT (10 * CLOCK_S)
#define FINISH_NS       (5 * CLOCK_S)
#define RETRY_NS        CLOCK_MS

/* Bytes that wait to be sent; small sends share one. */
struct chunk {
	struct chunk *next;
	size_t n, room;
	uint8_t data[];
};

struct loop_stream {
	struct loop_handle handle; /* first */
	struct loop_stream_config config;
	int fd;
	struct address remote;
	bool connecting, dead, ended, paused, shut, shut_done, finishing;
	struct loop_op receive, send; /* `send` also connects */
	struct timer timer;           /* connecting, finishing: gives up; else: receives again */
	struct chunk *first, *last;
	size_t offset; /* sent of `first` */
	size_t queued;
	bool kernel_buffer; /* the receive that is under way picks its buffer */
	uint8_t *own;       /* buffer without rings */
	uint8_t *stash;     /* received while paused */
	size_t stash_n;
	struct loop_task stash_task;
};

static void receive_more(struct loop_stream *s);

static void drop_queue(struct loop_stream *s)
{
	while (s->first) {
		struct chunk *chunk = s->first;

		s->first = chunk->next;
		free(chunk);
	}
	s->last = NULL;
	s->queued = s->offset = 0;
}

/* Only from completions, timers and tasks, so never inside a call of the user's. */
static void die(struct loop_stream *s, int error)
{
	if (s->dead || s->handle.closed)
		return;
	s->dead = true;
	timers_cancel(&s->handle.loop->timers, &s->timer);
	loop_op_cancel(&s->receive);
	loop_op_cancel(&s->send);
	if (s->finishing)
		loop_handle_close(&s->handle);
	else
		s->config.closed(s->config.ctx, error);
}

/* ---- sending ----------------------------------------------------------------------------- */

static void send_more(struct loop_stream *s)
{
	struct io_uring_sqe *sqe;

	if (s->handle.closed || s->dead || s->connecting || s->send.active)
		return;
	if (s->first) {
		sqe = loop_sqe(s->handle.loop);
		io_uring_prep_send(sqe, s->fd, s->first->data + s->offset, s->first->n - s->offset,
			MSG_NOSIGNAL);
		loop_op_start(&s->send, sqe);
	} else if (s->finishing) {
		loop_handle_close(&s->handle);
	} else if (s->shut && !s->shut_done) {
		s->shut_done = true;
		shutdown(s->fd, SHUT_WR);
	}
}

static void connect_done(struct loop_stream *s, int result)
{
	s->connecting = false;
	timers_cancel(&s->handle.loop->timers, &s->timer);
	if (result < 0) {
		die(s, result == -ECANCELED || result == -EINTR ? -ETIMEDOUT : result);
		return;
	}
	if (s->finishing)
		timers_set_in(&s->handle.loop->timers, &s->timer, FINISH_NS);
	receive_more(s);
	send_more(s);
	if (!s->handle.closed && !s->finishing && s->config.connected)
		s->config.connected(s->config.ctx);
}

static void take_sent(struct loop_stream *s, size_t n)
{
	struct chunk *chunk = s->first;

	s->offset += n;
	s->queued -= n;
	if (s->offset < chunk->n)
		return;
	s->first = chunk->next;
	s->offset = 0;
	if (!s->first)
		s->last = NULL;
	free(chunk);
}

static void sent(struct loop_op *op, int result, unsigned flags)
{
	struct loop_stream *s = (struct loop_stream *)op->handle;

	if (s->handle.closed || s->dead)
		return;
	if (s->connecting) {
		connect_done(s, result);
		return;
	}
	if (result < 0 && result != -EINTR && result != -EAGAIN) {
		die(s, result);
		return;
	}
	if (result > 0)
		take_sent(s, (size_t)result);
	send_more(s);
	if (!s->handle.closed && !s->first && !s->finishing && s->config.drained)
		s->config.drained(s->config.ctx);
}

/*
 * The kernel reads the first chunk while a send is under way, up to the end that it had then: bytes
 * are only ever added behind that end.
 */
static int queue_bytes(struct loop_stream *s, const uint8_t *data, size_t n)
{
	size_t room = s->last ? s->last->room - s->last->n : 0;
	size_t here = n < room ? n : room, rest = n - here;
	struct chunk *chunk = NULL;

	if (rest) {
		size_t size = rest > CHUNK_MIN ? rest : CHUNK_MIN;

		chunk = malloc(sizeof(*chunk) + size);
		if (!chunk)
			return -ENOMEM;
		*chunk = (struct chunk){.n = rest, .room = size};
		memcpy(chunk->data, data + here, rest);
	}
	if (here) {
		memcpy(s->last->data + s->last->n, data, here);
		s->last->n += here;
	}
	if (chunk) {
		*(s->last ? &s->last->next : &s->first) = chunk;
		s->last = chunk;
	}
	s->queued += n;
	return 0;
}

int loop_stream_send(struct loop_stream *s, const void *data, size_t n)
{
	int rc;

	if (s->dead || s->shut)
		return -EPIPE;
	if (n > s->config.queue_max || s->queued > s->config.queue_max - n) {
		s->handle.loop->stats.streams_refused++;
		return -ENOBUFS;
	}
	if (n == 0)
		return 0;
	rc = queue_bytes(s, data, n);
	if (rc == 0)
		send_more(s);
	return rc;
}

size_t loop_stream_queued(const struct loop_stream *s)
{
	return s->queued;
}

void loop_stream_shutdown(struct loop_stream *s)
{
	if (s->dead || s->shut)
		return;
	s->shut = true;
	send_more(s);
}

/* ---- receiving --------------------------------------------------------------------------- */

static void receive_more(struct loop_stream *s)
{
	struct loop_buffers *buffers = &s->handle.loop->stream_buffers;
	struct io_uring_sqe *sqe;

	if (s->handle.closed || s->dead || s->ended || s->connecting || s->receive.active ||
		s->paused || s->finishing || s->stash)
		return;
	s->kernel_buffer = buffers->ring != NULL;
	if (!s->kernel_buffer && !s->own)
		s->own = malloc(LOOP_STREAM_CHUNK);
	if (!s->kernel_buffer && !s->own) {
		timers_set_in(&s->handle.loop->timers, &s->timer, RETRY_NS);
		return;
	}
	sqe = loop_sqe(s->handle.loop);
	io_uring_prep_recv(sqe, s->fd, s->kernel_buffer ? NULL : s->own, LOOP_STREAM_CHUNK, 0);
	if (s->kernel_buffer) {
		sqe->flags |= IOSQE_BUFFER_SELECT;
		sqe->buf_group = (uint16_t)buffers->group;
	}
	loop_op_start(&s->receive, sqe);
}

static void end_of_stream(struct loop_stream *s)
{
	s->ended = true;
	if (s->config.ended)
		s->config.ended(s->config.ctx);
	else
		die(s, 0);
}

static void keep_for_later(struct loop_stream *s, const uint8_t *data, size_t n)
{
	s->stash = malloc(n);
	if (!s->stash) {
		die(s, -ENOMEM);
		return;
	}
	memcpy(s->stash, data, n);
	s->stash_n = n;
}

static void take_bytes(struct loop_stream *s, const uint8_t *data, size_t n)
{
	if (s->paused)
		keep_for_later(s, data, n);
	else
		s->config.received(s->config.ctx, data, n);
}

static void received(struct loop_op *op, int result, unsigned flags)
{
	struct loop_stream *s = (struct loop_stream *)op->handle;
	struct loop_buffers *buffers = &s->handle.loop->stream_buffers;
	bool alive = !s->handle.closed && !s->dead && !s->finishing;

	if (alive && result > 0)
		take_bytes(s, s->kernel_buffer ? loop_buffers_at(buffers, flags) : s->own,
			(size_t)result);
	loop_buffers_give_back(buffers, flags);
	if (!alive || s->handle.closed)
		return;
	if (result == 0) {
		end_of_stream(s);
	} else if (result == -ENOBUFS && s->kernel_buffer) {
		s->handle.loop->stats.buffers_exhausted++;
		timers_set_in(&s->handle.loop->timers, &s->timer, RETRY_NS);
	} else if (result < 0 && result != -EINTR && result != -EAGAIN && result != -ECANCELED) {
		die(s, result);
	} else {
		receive_more(s);
	}
}

static void deliver_stash(void *ctx)
{
	struct loop_stream *s = ctx;
	uint8_t *stash = s->stash;

	if (s->dead || s->paused || !stash)
		return;
	s->stash = NULL;
	s->config.received(s->config.ctx, stash, s->stash_n);
	free(stash);
	receive_more(s);
}

void loop_stream_pause(struct loop_stream *s, bool paused)
{
	s->paused = paused;
	if (paused)
		return;
	if (s->stash)
		loop_task_set(s->handle.loop, &s->stash_task);
	else
		receive_more(s);
}

/* ---- life -------------------------------------------------------------------------------- */

static void timer_fired(void *ctx, uint64_t now_ns)
{
	struct loop_stream *s = ctx;

	if (s->connecting)
		loop_op_cancel(&s->send); /* completes as canceled: timed out */
	else if (s->finishing)
		loop_handle_close(&s->handle);
	else
		receive_more(s);
}

static void cancel(struct loop_handle *handle)
{
	struct loop_stream *s = (struct loop_stream *)handle;

	timers_cancel(&handle->loop->timers, &s->timer);
	loop_task_cancel(&s->stash_task);
	loop_op_cancel(&s->receive);
	loop_op_cancel(&s->send);
	if (s->send.active)
		shutdown(s->fd, SHUT_RDWR);
}

static void release(struct loop_handle *handle)
{
	struct loop_stream *s = (struct loop_stream *)handle;

	drop_queue(s);
	close(s->fd);
	free(s->own);
	free(s->stash);
	free(s);
}

/* Takes the descriptor. */
static struct loop_stream *make(struct loop *loop, int fd, const struct loop_stream_config *config)
{
	struct loop_stream *s = calloc(1, sizeof(*s));
	int one = 1;

	if (!s) {
		close(fd);
		return NULL;
	}
	s->fd = fd;
	s->config = *config;
	if (!s->config.queue_max)
		s->config.queue_max = LOOP_STREAM_QUEUE;
	if (!s->config.connect_timeout_ns)
		s->config.connect_timeout_ns = CONNECT_DEFAULT;
	loop_handle_init(loop, &s->handle, LOOP_KIND_STREAM, cancel, release);
	loop_op_init(&s->receive, &s->handle, received);
	loop_op_init(&s->send, &s->handle, sent);
	timer_init(&s->timer, timer_fired, s);
	s->stash_task = (struct loop_task){.fn = deliver_stash, .ctx = s};
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* UNIX sockets refuse */
	return s;
}

static int open_from(const struct address *remote, const struct address *local)
{
	int fd = socket(address_family(remote), SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, rc;

	if (fd < 0)
		return -errno;
	if (!local)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &local->any, local->length) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int loop_connect(struct loop *loop, const struct address *remote, const struct address *local,
	const struct loop_stream_config *config, struct loop_stream **out)
{
	int fd = open_from(remote, local);
	struct io_uring_sqe *sqe;
	struct loop_stream *s;

	if (fd < 0)
		return fd;
	s = make(loop, fd, config);
	if (!s)
		return -ENOMEM;
	s->remote = *remote;
	s->connecting = true;
	sqe = loop_sqe(loop);
	io_uring_prep_connect(sqe, fd, &s->remote.any, s->remote.length);
	loop_op_start(&s->send, sqe);
	timers_set(&loop->timers, &s->timer, clock_now() + s->config.connect_timeout_ns);
	*out = s;
	return 0;
}

int loop_stream_adopt(struct loop *loop, int fd, const struct loop_stream_config *config,
	struct loop_stream **out)
{
	struct loop_stream *s;
	int rc = loop_blocking(fd);

	if (rc < 0) {
		close(fd);
		return rc;
	}
	s = make(loop, fd, config);
	if (!s)
		return -ENOMEM;
	s->remote.length = sizeof(s->remote.un);
	if (getpeername(fd, &s->remote.any, &s->remote.length) < 0)
		s->remote.length = 0;
	receive_more(s);
	*out = s;
	return 0;
}

void loop_stream_close(struct loop_stream *s)
{
	if (s)
		loop_handle_close(&s->handle);
}

void loop_stream_finish(struct loop_stream *s)
{
	if (!s)
		return;
	if (s->dead || (!s->first && !s->connecting)) {
		loop_handle_close(&s->handle);
		return;
	}
	s->finishing = true;
	loop_task_cancel(&s->stash_task);
	loop_op_cancel(&s->receive);
	if (!s->connecting)
		timers_set_in(&s->handle.loop->timers, &s->timer, FINISH_NS);
}

int loop_stream_peer_cred(const struct loop_stream *s, struct ucred *out)
{
	socklen_t n = sizeof(*out);

	return getsockopt(s->fd, SOL_SOCKET, SO_PEERCRED, out, &n) < 0 ? -errno : 0;
}

struct address loop_stream_peer(const struct loop_stream *s)
{
	return s->remote;
}

struct address loop_stream_local(const struct loop_stream *s)
{
	struct address local = {.length = sizeof(local.un)};

	if (getsockname(s->fd, &local.any, &local.length) < 0)
		local.length = 0;
	return local;
}

int loop_stream_fd(const struct loop_stream *s)
{
	return s->fd;
}
