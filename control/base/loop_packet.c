/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop_internal.h"

struct message {
	struct message *next;
	size_t n;
	int fds[LOOP_PACKET_FDS_MAX];
	unsigned n_fds;
	uint8_t data[];
};

#define CONTROL_SIZE CMSG_SPACE(sizeof(int) * LOOP_PACKET_FDS_MAX)

struct loop_packet {
	struct loop_handle handle; /* first */
	struct loop_packet_config config;
	int fd;
	bool dead;
	struct loop_op receive, send;
	struct msghdr in, out;
	struct iovec in_vector, out_vector;
	alignas(struct cmsghdr) char in_control[CONTROL_SIZE];
	alignas(struct cmsghdr) char out_control[CONTROL_SIZE];
	uint8_t data[LOOP_PACKET_MAX];
	struct message *first, **end;
	unsigned queued;
};

static void close_fds(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void free_message(struct message *m)
{
	close_fds(m->fds, m->n_fds);
	free(m);
}

static void die(struct loop_packet *p, int error)
{
	if (p->dead || p->handle.closed)
		return;
	p->dead = true;
	loop_op_cancel(&p->receive);
	loop_op_cancel(&p->send);
	p->config.closed(p->config.ctx, error);
}

static void receive_more(struct loop_packet *p)
{
	struct io_uring_sqe *sqe = loop_sqe(p->handle.loop);

	p->in_vector = (struct iovec){p->data, sizeof(p->data)};
	p->in = (struct msghdr){.msg_iov = &p->in_vector,
		.msg_iovlen = 1,
		.msg_control = p->in_control,
		.msg_controllen = sizeof(p->in_control)};
	io_uring_prep_recvmsg(sqe, p->fd, &p->in, MSG_CMSG_CLOEXEC);
	loop_op_start(&p->receive, sqe);
}

/* All descriptors that came, also those that nobody will take. */
static unsigned take_fds(struct msghdr *m, int *fds)
{
	unsigned n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t bytes = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		if (bytes > (LOOP_PACKET_FDS_MAX - n) * sizeof(int))
			bytes = (LOOP_PACKET_FDS_MAX - n) * sizeof(int);
		memcpy(fds + n, CMSG_DATA(c), bytes);
		n += (unsigned)(bytes / sizeof(int));
	}
	return n;
}

static void received(struct loop_op *op, int result, unsigned flags)
{
	struct loop_packet *p = (struct loop_packet *)op->handle;
	int fds[LOOP_PACKET_FDS_MAX];
	unsigned n = result >= 0 ? take_fds(&p->in, fds) : 0;
	bool alive = !p->handle.closed && !p->dead;

	if (alive && result > 0 && !(p->in.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		p->config.received(p->config.ctx, p->data, (size_t)result, fds, n);
	close_fds(fds, n);
	if (!alive || p->handle.closed || p->dead)
		return;
	if (result > 0 && (p->in.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		die(p, -EMSGSIZE);
	else if (result > 0 || result == -EINTR || result == -EAGAIN)
		receive_more(p);
	else
		die(p, result);
}

static void put_fds(struct loop_packet *p, const struct message *m)
{
	struct cmsghdr *c;

	if (!m->n_fds)
		return;
	memset(p->out_control, 0, sizeof(p->out_control));
	p->out.msg_control = p->out_control;
	p->out.msg_controllen = CMSG_SPACE(sizeof(int) * m->n_fds);
	c = CMSG_FIRSTHDR(&p->out);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * m->n_fds);
	memcpy(CMSG_DATA(c), m->fds, sizeof(int) * m->n_fds);
}

static void send_more(struct loop_packet *p)
{
	struct message *m = p->first;
	struct io_uring_sqe *sqe;

	if (!m || p->send.active || p->dead || p->handle.closed)
		return;
	p->out_vector = (struct iovec){m->data, m->n};
	p->out = (struct msghdr){.msg_iov = &p->out_vector, .msg_iovlen = 1};
	put_fds(p, m);
	sqe = loop_sqe(p->handle.loop);
	io_uring_prep_sendmsg(sqe, p->fd, &p->out, MSG_NOSIGNAL);
	loop_op_start(&p->send, sqe);
}

static void sent(struct loop_op *op, int result, unsigned flags)
{
	struct loop_packet *p = (struct loop_packet *)op->handle;
	struct message *m = p->first;

	if (p->handle.closed || p->dead)
		return;
	if (result < 0 && result != -EINTR && result != -EAGAIN) {
		die(p, result);
		return;
	}
	if (result >= 0) {
		p->first = m->next;
		if (!p->first)
			p->end = &p->first;
		p->queued--;
		free_message(m);
	}
	send_more(p);
}

static int add_fds(struct message *m, const int *fds, unsigned n)
{
	for (; m->n_fds < n; m->n_fds++) {
		m->fds[m->n_fds] = fcntl(fds[m->n_fds], F_DUPFD_CLOEXEC, 0);
		if (m->fds[m->n_fds] < 0)
			return -errno;
	}
	return 0;
}

int loop_packet_send(
	struct loop_packet *p, const void *data, size_t n, const int *fds, unsigned n_fds)
{
	struct message *m;
	int rc;

	if (p->dead)
		return -EPIPE;
	if (n == 0 || n > LOOP_PACKET_MAX || n_fds > LOOP_PACKET_FDS_MAX)
		return -EMSGSIZE;
	if (p->queued >= LOOP_PACKET_QUEUE)
		return -ENOBUFS;
	m = malloc(sizeof(*m) + n);
	if (!m)
		return -ENOMEM;
	*m = (struct message){.n = n};
	memcpy(m->data, data, n);
	rc = add_fds(m, fds, n_fds);
	if (rc < 0) {
		free_message(m);
		return rc;
	}
	*p->end = m;
	p->end = &m->next;
	p->queued++;
	send_more(p);
	return 0;
}

static void cancel(struct loop_handle *handle)
{
	struct loop_packet *p = (struct loop_packet *)handle;

	loop_op_cancel(&p->receive);
	loop_op_cancel(&p->send);
}

static void release(struct loop_handle *handle)
{
	struct loop_packet *p = (struct loop_packet *)handle;

	while (p->first) {
		struct message *m = p->first;

		p->first = m->next;
		free_message(m);
	}
	close(p->fd);
	free(p);
}

int loop_packet_adopt(struct loop *loop, int fd, const struct loop_packet_config *config,
	struct loop_packet **out)
{
	struct loop_packet *p = calloc(1, sizeof(*p));
	int rc = p ? loop_blocking(fd) : -ENOMEM;

	if (rc < 0) {
		close(fd);
		free(p);
		return rc;
	}
	p->fd = fd;
	p->config = *config;
	p->end = &p->first;
	loop_handle_init(loop, &p->handle, LOOP_KIND_PACKET, cancel, release);
	loop_op_init(&p->receive, &p->handle, received);
	loop_op_init(&p->send, &p->handle, sent);
	receive_more(p);
	*out = p;
	return 0;
}

int loop_packet_connect(struct loop *loop, const struct address *remote,
	const struct loop_packet_config *config, struct loop_packet **out)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;

	if (fd < 0)
		return -errno;
	if (connect(fd, &remote->any, remote->length) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return loop_packet_adopt(loop, fd, config, out);
}

int loop_packet_peer_cred(const struct loop_packet *p, struct ucred *out)
{
	socklen_t n = sizeof(*out);

	return getsockopt(p->fd, SOL_SOCKET, SO_PEERCRED, out, &n) < 0 ? -errno : 0;
}

void loop_packet_close(struct loop_packet *p)
{
	if (p)
		loop_handle_close(&p->handle);
}
