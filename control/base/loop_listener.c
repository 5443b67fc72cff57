/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop_internal.h"

#define BACKLOG_DEFAULT 128
#define MODE_DEFAULT    0660
#define RETRY_NS        (100 * CLOCK_MS)

struct loop_listener {
	struct loop_handle handle; /* first */
	struct loop_listener_config config;
	int fd;
	bool multishot, bound_path;
	struct address local;
	struct loop_op accept;
	struct timer retry;
};

static void arm(struct loop_listener *l)
{
	struct io_uring_sqe *sqe = loop_sqe(l->handle.loop);

	if (l->multishot)
		io_uring_prep_multishot_accept(sqe, l->fd, NULL, NULL, SOCK_CLOEXEC);
	else
		io_uring_prep_accept(sqe, l->fd, NULL, NULL, SOCK_CLOEXEC);
	loop_op_start(&l->accept, sqe);
}

static void retry(void *ctx, uint64_t now_ns)
{
	arm(ctx);
}

static void hand_out(struct loop_listener *l, int fd)
{
	struct address peer = {.length = sizeof(peer.un)};

	if (l->handle.closed) {
		close(fd);
		return;
	}
	if (getpeername(fd, &peer.any, &peer.length) < 0 || peer.length > sizeof(peer.un))
		peer.length = 0;
	l->config.accepted(l->config.ctx, fd, &peer);
}

static void accepted(struct loop_op *op, int result, unsigned flags)
{
	struct loop_listener *l = (struct loop_listener *)op->handle;

	if (result >= 0)
		hand_out(l, result);
	if (l->handle.closed || op->active)
		return;
	if (result == -EINVAL && l->multishot) {
		l->multishot = false;
		arm(l);
	} else if (result >= 0 || result == -ECONNABORTED || result == -EINTR) {
		arm(l);
	} else { /* no descriptors, no memory: try again later */
		timers_set_in(&l->handle.loop->timers, &l->retry, RETRY_NS);
	}
}

/* True when nobody listens at the socket's file any more. */
static bool stale(const struct address *local)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool refused;

	if (fd < 0)
		return false;
	refused = connect(fd, &local->any, local->length) < 0 && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int bind_unix(struct loop_listener *l, const struct address *local)
{
	mode_t mode = l->config.mode ? (mode_t)l->config.mode : MODE_DEFAULT;
	int rc = bind(l->fd, &local->any, local->length) < 0 ? -errno : 0;

	if (rc == -EADDRINUSE && stale(local)) {
		unlink(local->un.sun_path);
		rc = bind(l->fd, &local->any, local->length) < 0 ? -errno : 0;
	}
	if (rc < 0)
		return rc;
	l->bound_path = true;
	return chmod(local->un.sun_path, mode) < 0 ? -errno : 0;
}

static int bind_inet(struct loop_listener *l, const struct address *local)
{
	int one = 1;

	if (setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
		loop_one_family(l->fd, local) < 0 || bind(l->fd, &local->any, local->length) < 0)
		return -errno;
	return 0;
}

static int open_socket(struct loop_listener *l, const struct address *local)
{
	int rc;

	l->local = *local;
	l->fd = socket(address_family(local), SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return -errno;
	rc = address_family(local) == AF_UNIX ? bind_unix(l, local) : bind_inet(l, local);
	if (rc < 0)
		return rc;
	if (listen(l->fd, l->config.backlog ? l->config.backlog : BACKLOG_DEFAULT) < 0)
		return -errno;
	if (address_family(local) == AF_UNIX)
		return 0;
	l->local.length = sizeof(l->local.un);
	return getsockname(l->fd, &l->local.any, &l->local.length) < 0 ? -errno : 0;
}

static void cancel(struct loop_handle *handle)
{
	struct loop_listener *l = (struct loop_listener *)handle;

	timers_cancel(&handle->loop->timers, &l->retry);
	loop_op_cancel(&l->accept);
	if (l->bound_path)
		unlink(l->local.un.sun_path);
}

static void release(struct loop_handle *handle)
{
	struct loop_listener *l = (struct loop_listener *)handle;

	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

int loop_listen(struct loop *loop, const struct address *local,
	const struct loop_listener_config *config, struct loop_listener **out)
{
	struct loop_listener *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	l->config = *config;
	l->multishot = !loop->plain;
	loop_handle_init(loop, &l->handle, LOOP_KIND_LISTENER, cancel, release);
	loop_op_init(&l->accept, &l->handle, accepted);
	timer_init(&l->retry, retry, l);
	rc = open_socket(l, local);
	if (rc < 0) {
		loop_handle_close(&l->handle);
		return rc;
	}
	arm(l);
	*out = l;
	return 0;
}

void loop_listener_close(struct loop_listener *l)
{
	if (l)
		loop_handle_close(&l->handle);
}

struct address loop_listener_local(const struct loop_listener *l)
{
	return l->local;
}
