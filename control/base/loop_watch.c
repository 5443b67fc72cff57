/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/loop_internal.h"

/*
 * Polls are one-shot and armed again after the callback: that makes them level-triggered on every
 * kernel, which a multishot poll is not.
 */
struct loop_watch {
	struct loop_handle handle; /* first */
	int fd;
	unsigned events;
	void (*fn)(void *ctx, unsigned revents);
	void (*event_fn)(void *ctx, uint64_t count);
	void *ctx;
	struct loop_op poll;
};

static void arm(struct loop_watch *w)
{
	if (!w->handle.closed && w->events && !w->poll.active)
		loop_op_poll(&w->poll, w->fd, w->events);
}

static void fire(struct loop_watch *w, unsigned revents)
{
	uint64_t count;

	if (!w->event_fn)
		w->fn(w->ctx, revents);
	else if (read(w->fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
		w->event_fn(w->ctx, count);
}

static void polled(struct loop_op *op, int result, unsigned flags)
{
	struct loop_watch *w = (struct loop_watch *)op->handle;

	if (w->handle.closed)
		return;
	if (result < 0 && result != -ECANCELED && result != -EINTR) {
		w->events = 0; /* a descriptor that cannot be polled: once, and never again */
		fire(w, POLLNVAL);
		return;
	}
	if (result > 0)
		fire(w, (unsigned)result);
	arm(w);
}

static void cancel(struct loop_handle *handle)
{
	loop_op_cancel(&((struct loop_watch *)handle)->poll);
}

static void release(struct loop_handle *handle)
{
	free(handle);
}

static struct loop_watch *make(struct loop *loop, int fd, void *ctx)
{
	struct loop_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fd = fd;
	w->ctx = ctx;
	loop_handle_init(loop, &w->handle, LOOP_KIND_WATCH, cancel, release);
	loop_op_init(&w->poll, &w->handle, polled);
	return w;
}

int loop_watch(struct loop *loop, int fd, unsigned events, void (*fn)(void *ctx, unsigned revents),
	void *ctx, struct loop_watch **out)
{
	struct loop_watch *w = make(loop, fd, ctx);

	if (!w)
		return -ENOMEM;
	w->fn = fn;
	w->events = events;
	arm(w);
	*out = w;
	return 0;
}

void loop_watch_events(struct loop_watch *w, unsigned events)
{
	if (events == w->events)
		return;
	w->events = events;
	loop_op_cancel(&w->poll); /* armed anew when that completes */
	arm(w);
}

int loop_watch_event(struct loop *loop, int fd, void (*fn)(void *ctx, uint64_t count), void *ctx,
	struct loop_watch **out)
{
	struct loop_watch *w = make(loop, fd, ctx);

	if (!w)
		return -ENOMEM;
	w->event_fn = fn;
	w->events = POLLIN;
	arm(w);
	*out = w;
	return 0;
}

void loop_watch_close(struct loop_watch *w)
{
	if (w)
		loop_handle_close(&w->handle);
}

struct loop_signal {
	struct loop_handle handle; /* first */
	int fd;
	void (*fn)(void *ctx, int signo);
	void *ctx;
	struct loop_op poll;
};

static void signalled(struct loop_op *op, int result, unsigned flags)
{
	struct loop_signal *s = (struct loop_signal *)op->handle;
	struct signalfd_siginfo info;

	if (s->handle.closed)
		return;
	if (read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		s->fn(s->ctx, (int)info.ssi_signo);
	if (!s->handle.closed)
		loop_op_poll(&s->poll, s->fd, POLLIN);
}

static void cancel_signal(struct loop_handle *handle)
{
	loop_op_cancel(&((struct loop_signal *)handle)->poll);
}

static void release_signal(struct loop_handle *handle)
{
	struct loop_signal *s = (struct loop_signal *)handle;

	close(s->fd);
	free(s);
}

int loop_signal(struct loop *loop, int signo, void (*fn)(void *ctx, int signo), void *ctx,
	struct loop_signal **out)
{
	struct loop_signal *s = calloc(1, sizeof(*s));
	sigset_t set;

	if (!s)
		return -ENOMEM;
	sigemptyset(&set);
	sigaddset(&set, signo);
	s->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->fd < 0) {
		int rc = -errno;

		free(s);
		return rc;
	}
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	s->fn = fn;
	s->ctx = ctx;
	loop_handle_init(loop, &s->handle, LOOP_KIND_SIGNAL, cancel_signal, release_signal);
	loop_op_init(&s->poll, &s->handle, signalled);
	loop_op_poll(&s->poll, s->fd, POLLIN);
	*out = s;
	return 0;
}

void loop_signal_close(struct loop_signal *s)
{
	if (s)
		loop_handle_close(&s->handle);
}
