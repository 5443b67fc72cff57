/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop_internal.h"

#define BUFFERS_DEFAULT 64
#define RETRY_NS        (10 * CLOCK_MS)
/* What the kernel puts before the payload: its header, the sender's address, and when it came. */
#define NAME_SIZE    ((sizeof(struct sockaddr_in6) + 7) & ~(size_t)7) /* cmsghdr lies behind it */
#define CONTROL_SIZE CMSG_SPACE(sizeof(struct timespec))
#define HEAD_SIZE    (sizeof(struct io_uring_recvmsg_out) + NAME_SIZE + CONTROL_SIZE)
/* What waited longer came before somebody set the clock. */
#define WAIT_MAX_NS (10 * CLOCK_S)

struct loop_datagram {
	struct loop_handle handle; /* first */
	struct loop_datagram_config config;
	int fd;
	unsigned receive_buffer;
	struct address local;
	struct loop_op receive;
	struct timer retry;
	struct msghdr message;
	struct loop_buffers buffers; /* with multishot */
	bool multishot, proven;
	uint8_t *plain; /* without */
	struct iovec plain_vector;
	struct address plain_from;
	alignas(struct cmsghdr) char plain_control[CONTROL_SIZE];
	uint64_t waited_ns; /* of the one that is delivered */
	unsigned sends;     /* in flight */
};

_Static_assert(HEAD_SIZE % alignof(struct cmsghdr) == 0 && NAME_SIZE % alignof(struct cmsghdr) == 0,
	"what the kernel puts before the payload is aligned");

struct send {
	struct loop_op op; /* first */
	struct msghdr message;
	struct iovec vector;
	struct address to;
	uint8_t data[];
};

/* Without buffer rings, or without multishot recvmsg in the kernel. */
static int use_plain(struct loop_datagram *d)
{
	d->multishot = false;
	d->plain = malloc(d->config.size_max);
	return d->plain ? 0 : -ENOMEM;
}

static void arm(struct loop_datagram *d)
{
	struct io_uring_sqe *sqe = loop_sqe(d->handle.loop);

	if (d->multishot) {
		d->message =
			(struct msghdr){.msg_namelen = NAME_SIZE, .msg_controllen = CONTROL_SIZE};
		io_uring_prep_recvmsg_multishot(sqe, d->fd, &d->message, 0);
		sqe->flags |= IOSQE_BUFFER_SELECT;
		sqe->buf_group = (uint16_t)d->buffers.group;
	} else {
		d->plain_vector = (struct iovec){d->plain, d->config.size_max};
		d->message = (struct msghdr){.msg_name = &d->plain_from.any,
			.msg_namelen = sizeof(d->plain_from.un),
			.msg_iov = &d->plain_vector,
			.msg_iovlen = 1,
			.msg_control = d->plain_control,
			.msg_controllen = CONTROL_SIZE};
		io_uring_prep_recvmsg(sqe, d->fd, &d->message, 0);
	}
	loop_op_start(&d->receive, sqe);
}

static void retry(void *ctx, uint64_t now_ns)
{
	arm(ctx);
}

static uint64_t waited(const struct loop *loop, const struct cmsghdr *c)
{
	struct timespec came;
	int64_t ns;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS ||
		c->cmsg_len < CMSG_LEN(sizeof(came)))
		return 0;
	memcpy(&came, CMSG_DATA(c), sizeof(came));
	ns = (int64_t)loop->stamp_ns + loop->real_ns -
	     ((int64_t)came.tv_sec * (int64_t)CLOCK_S + came.tv_nsec);
	return ns > 0 && ns < (int64_t)WAIT_MAX_NS ? (uint64_t)ns : 0;
}

static void deliver(struct loop_datagram *d, const void *name, size_t name_n, const uint8_t *data,
	size_t n, bool cut)
{
	struct loop_stats *stats = &d->handle.loop->stats;
	struct address from = {0};

	if (cut || name_n > sizeof(from.un)) {
		stats->datagrams_cut++;
		return;
	}
	memcpy(&from.un, name, name_n);
	from.length = (socklen_t)name_n;
	stats->datagrams_received++;
	d->config.received(d->config.ctx, &from, data, n);
}

static void deliver_multishot(struct loop_datagram *d, int result, unsigned flags)
{
	uint8_t *buffer = loop_buffers_at(&d->buffers, flags);
	struct msghdr shape = {.msg_namelen = NAME_SIZE, .msg_controllen = CONTROL_SIZE};
	struct io_uring_recvmsg_out *out = io_uring_recvmsg_validate(buffer, result, &shape);
	size_t n;

	if (!out)
		return;
	d->proven = true;
	d->waited_ns = waited(d->handle.loop, io_uring_recvmsg_cmsg_firsthdr(out, &shape));
	n = io_uring_recvmsg_payload_length(out, result, &shape);
	deliver(d, io_uring_recvmsg_name(out), out->namelen < NAME_SIZE ? out->namelen : NAME_SIZE,
		io_uring_recvmsg_payload(out, &shape), n,
		(out->flags & MSG_TRUNC) || n > d->config.size_max);
}

static void deliver_plain(struct loop_datagram *d, size_t n)
{
	d->waited_ns = waited(d->handle.loop, CMSG_FIRSTHDR(&d->message));
	deliver(d, &d->plain_from.any, d->message.msg_namelen, d->plain, n,
		d->message.msg_flags & MSG_TRUNC);
}

static void received(struct loop_op *op, int result, unsigned flags)
{
	struct loop_datagram *d = (struct loop_datagram *)op->handle;
	bool multishot = d->multishot;

	if (result >= 0 && !d->handle.closed) {
		if (multishot)
			deliver_multishot(d, result, flags);
		else
			deliver_plain(d, (size_t)result);
	}
	if (multishot)
		loop_buffers_give_back(&d->buffers, flags);
	if (d->handle.closed || op->active)
		return;
	if (result == -EINVAL && multishot && !d->proven && use_plain(d) < 0)
		return;
	d->handle.loop->stats.buffers_exhausted += result == -ENOBUFS;
	if (result >= 0 || result == -ENOBUFS || multishot != d->multishot)
		arm(d);
	else
		timers_set_in(&d->handle.loop->timers, &d->retry, RETRY_NS);
}

static void sent(struct loop_op *op, int result, unsigned flags)
{
	struct loop_datagram *d = (struct loop_datagram *)op->handle;
	struct send *send = (struct send *)op;
	struct loop_stats *stats = &d->handle.loop->stats;

	d->sends--;
	stats->datagrams_sent += result >= 0;
	stats->datagrams_failed += result < 0;
	if (result < 0 && !d->handle.closed && d->config.failed)
		d->config.failed(d->config.ctx, &send->to, result);
	free(send);
}

int loop_datagram_send(
	struct loop_datagram *d, const struct address *to, const void *data, size_t n)
{
	struct io_uring_sqe *sqe;
	struct send *send;

	if (n > LOOP_DATAGRAM_MAX)
		return -EMSGSIZE;
	send = d->sends < d->config.sends_max ? malloc(sizeof(*send) + n) : NULL;
	if (!send) {
		d->handle.loop->stats.datagrams_refused++;
		return -ENOBUFS;
	}
	loop_op_init(&send->op, &d->handle, sent);
	if (n)
		memcpy(send->data, data, n);
	send->to = *to;
	send->vector = (struct iovec){send->data, n};
	send->message = (struct msghdr){.msg_name = &send->to.any,
		.msg_namelen = to->length,
		.msg_iov = &send->vector,
		.msg_iovlen = 1};
	sqe = loop_sqe(d->handle.loop);
	io_uring_prep_sendmsg(sqe, d->fd, &send->message, MSG_NOSIGNAL);
	loop_op_start(&send->op, sqe);
	d->sends++;
	return 0;
}

static void cancel(struct loop_handle *handle)
{
	struct loop_datagram *d = (struct loop_datagram *)handle;

	timers_cancel(&handle->loop->timers, &d->retry);
	loop_op_cancel(&d->receive);
}

static void release(struct loop_handle *handle)
{
	struct loop_datagram *d = (struct loop_datagram *)handle;

	loop_buffers_clear(handle->loop, &d->buffers);
	if (d->fd >= 0)
		close(d->fd);
	free(d->plain);
	free(d);
}

static int open_socket(struct loop_datagram *d, const struct address *local)
{
	int one = 1, size = LOOP_RECEIVE_BUFFER;
	socklen_t n = sizeof(size);

	d->fd = socket(address_family(local), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (d->fd < 0)
		return -errno;
	if (setsockopt(d->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, n) < 0)
		setsockopt(d->fd, SOL_SOCKET, SO_RCVBUF, &size, n);
	if (getsockopt(d->fd, SOL_SOCKET, SO_RCVBUF, &size, &n) == 0)
		d->receive_buffer = (unsigned)size;
	setsockopt(d->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
	if (d->config.reuse_port &&
		setsockopt(d->fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0)
		return -errno;
	if (loop_one_family(d->fd, local) < 0 || bind(d->fd, &local->any, local->length) < 0)
		return -errno;
	d->local.length = sizeof(d->local.un);
	return getsockname(d->fd, &d->local.any, &d->local.length) < 0 ? -errno : 0;
}

int loop_datagram_open(struct loop *loop, const struct address *local,
	const struct loop_datagram_config *config, struct loop_datagram **out)
{
	struct loop_datagram *d = calloc(1, sizeof(*d));
	unsigned buffers = config->buffers ? config->buffers : BUFFERS_DEFAULT;
	int rc;

	if (!d)
		return -ENOMEM;
	d->config = *config;
	if (!d->config.sends_max)
		d->config.sends_max = LOOP_DATAGRAM_SENDS;
	if (!d->config.size_max || d->config.size_max > LOOP_DATAGRAM_MAX)
		d->config.size_max = LOOP_DATAGRAM_MAX;
	loop_handle_init(loop, &d->handle, LOOP_KIND_DATAGRAM, cancel, release);
	loop_op_init(&d->receive, &d->handle, received);
	timer_init(&d->retry, retry, d);
	rc = open_socket(d, local);
	if (rc < 0)
		goto fail;
	d->multishot =
		loop_buffers_init(loop, &d->buffers, buffers, HEAD_SIZE + d->config.size_max) == 0;
	if (!d->multishot)
		rc = use_plain(d);
	if (rc < 0)
		goto fail;
	arm(d);
	*out = d;
	return 0;
fail:
	loop_handle_close(&d->handle);
	return rc;
}

void loop_datagram_close(struct loop_datagram *d)
{
	if (d)
		loop_handle_close(&d->handle);
}

uint64_t loop_datagram_waited(const struct loop_datagram *d)
{
	return d->waited_ns;
}

struct address loop_datagram_local(const struct loop_datagram *d)
{
	return d->local;
}

unsigned loop_datagram_receive_buffer(const struct loop_datagram *d)
{
	return d->receive_buffer;
}
