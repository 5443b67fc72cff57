/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop_internal.h"

#define TIMEOUT_DEFAULT (30 * CLOCK_S)
#define LINGER_NS       CLOCK_S /* for output that others hold open after the end */
#define ERRORS_MAX      4096
#define READ_SIZE       65536

extern char **environ;

struct pipe_end {
	struct loop_op op;
	int fd; /* -1: done */
	uint8_t *data;
	size_t n, room, max;
};

struct loop_child {
	struct loop_handle handle; /* first */
	struct loop_child_config config;
	pid_t pid; /* 0: collected */
	int pidfd;
	struct loop_op exit;
	struct pipe_end in, out, errors;
	struct timer timer;
	struct loop_child_result result;
	bool exited;
};

static void kill_group(struct loop_child *c)
{
	if (c->pid && !c->exited)
		kill(-c->pid, SIGKILL);
}

static void close_end(struct pipe_end *e)
{
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}

static void finish(struct loop_child *c)
{
	static const uint8_t none[1];
	struct loop_child_result result = c->result;

	result.output = c->out.data ? c->out.data : none;
	result.output_n = c->out.n;
	result.errors = c->errors.n ? (const char *)c->errors.data : "";
	loop_handle_close(&c->handle);
	c->config.done(c->config.ctx, &result);
}

static void finish_when_done(struct loop_child *c)
{
	if (!c->exited || c->handle.closed)
		return;
	if (c->out.fd < 0 && c->errors.fd < 0)
		finish(c);
	else
		timers_set_in(&c->handle.loop->timers, &c->timer, LINGER_NS);
}

static void collect_exit(struct loop_child *c, int options)
{
	siginfo_t info = {0};

	if (!c->pid || waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | options) < 0 ||
		!info.si_pid)
		return;
	c->pid = 0;
	c->result.exit_code = info.si_code == CLD_EXITED ? info.si_status : -1;
	c->result.signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
}

static void exited(struct loop_op *op, int result, unsigned flags)
{
	struct loop_child *c = (struct loop_child *)op->handle;

	if (result == -EINTR || result == -EAGAIN) {
		loop_op_poll(&c->exit, c->pidfd, POLLIN);
		return;
	}
	collect_exit(c, c->handle.closed ? 0 : WNOHANG);
	c->exited = true;
	finish_when_done(c);
}

/* Makes room for one more piece and a terminator, up to the ceiling. */
static int grow(struct pipe_end *e)
{
	size_t room = e->room ? e->room * 2 : READ_SIZE;
	uint8_t *data;

	if (e->room - e->n > 1)
		return 0;
	if (room > e->max + 1)
		room = e->max + 1;
	data = room > e->room ? realloc(e->data, room) : NULL;
	if (!data)
		return -ENOBUFS;
	e->data = data;
	e->room = room;
	return 0;
}

/* -ENOBUFS: more came than the ceiling allows. */
static int read_some(struct pipe_end *e)
{
	ssize_t got;
	char probe;
	int rc = grow(e);

	got = rc < 0 ? read(e->fd, &probe, 1) : read(e->fd, e->data + e->n, e->room - e->n - 1);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0) {
		close_end(e);
		return 0;
	}
	if (rc < 0)
		return rc;
	e->n += (size_t)got;
	e->data[e->n] = 0;
	return 0;
}

static void readable(struct loop_op *op, int result, unsigned flags)
{
	struct loop_child *c = (struct loop_child *)op->handle;
	struct pipe_end *e = op == &c->out.op ? &c->out : &c->errors;
	int rc;

	if (c->handle.closed || e->fd < 0)
		return;
	rc = read_some(e);
	if (rc < 0 && e == &c->out) {
		c->result.cut = true;
		kill_group(c);
		close_end(e);
	}
	if (e->fd >= 0)
		loop_op_poll(op, e->fd, POLLIN);
	finish_when_done(c);
}

static void writable(struct loop_op *op, int result, unsigned flags)
{
	struct loop_child *c = (struct loop_child *)op->handle;
	struct pipe_end *e = &c->in;
	ssize_t put;

	if (c->handle.closed || e->fd < 0)
		return;
	put = write(e->fd, e->data + e->n, e->max - e->n);
	if (put > 0)
		e->n += (size_t)put;
	if (e->n == e->max || (put < 0 && errno != EAGAIN && errno != EINTR))
		close_end(e);
	else
		loop_op_poll(op, e->fd, POLLOUT);
}

static void timed_out(void *ctx, uint64_t now_ns)
{
	struct loop_child *c = ctx;

	if (c->exited) { /* somebody else holds its output open */
		finish(c);
		return;
	}
	c->result.timed_out = true;
	kill_group(c);
}

static void cancel(struct loop_handle *handle)
{
	struct loop_child *c = (struct loop_child *)handle;

	timers_cancel(&handle->loop->timers, &c->timer);
	kill_group(c);
	loop_op_cancel(&c->in.op);
	loop_op_cancel(&c->out.op);
	loop_op_cancel(&c->errors.op);
	/* `exit` completes by itself, and the zombie is collected then. */
}

static void release(struct loop_handle *handle)
{
	struct loop_child *c = (struct loop_child *)handle;

	collect_exit(c, 0);
	handle->loop->children--;
	close_end(&c->in);
	close_end(&c->out);
	close_end(&c->errors);
	if (c->pidfd >= 0)
		close(c->pidfd);
	free(c->in.data);
	free(c->out.data);
	free(c->errors.data);
	free(c);
}

/* pipes[0]: stdin, [1]: stdout, [2]: stderr; the child's end of each is moved to its number. */
static int spawn(const struct loop_child_config *config, int pipes[3][2], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&actions, pipes[i][i == 0 ? 0 : 1], i);
	rc = posix_spawnp(
		pid, config->argv[0], &actions, &attributes, (char *const *)config->argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

static void close_pipes(int pipes[3][2])
{
	for (int i = 0; i < 3; i++)
		for (int end = 0; end < 2; end++)
			if (pipes[i][end] >= 0)
				close(pipes[i][end]);
}

static int make_pipes(int pipes[3][2])
{
	for (int i = 0; i < 3; i++)
		if (pipe2(pipes[i], O_CLOEXEC) < 0)
			return -errno;
	return 0;
}

/* Our end, non-blocking; the caller forgets it. */
static int take_end(int *fd)
{
	int taken = *fd;

	*fd = -1;
	fcntl(taken, F_SETFL, fcntl(taken, F_GETFL) | O_NONBLOCK);
	return taken;
}

static int copy_input(struct loop_child *c)
{
	c->in.max = c->config.input_n;
	if (!c->in.max)
		return 0;
	c->in.data = malloc(c->in.max);
	if (!c->in.data)
		return -ENOMEM;
	memcpy(c->in.data, c->config.input, c->in.max);
	return 0;
}

static int start(struct loop_child *c)
{
	int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
	int rc = copy_input(c);

	if (rc == 0)
		rc = make_pipes(pipes);
	if (rc == 0)
		rc = spawn(&c->config, pipes, &c->pid);
	if (rc < 0)
		goto out;
	c->pidfd = pidfd_open(c->pid, 0);
	if (c->pidfd < 0) {
		rc = -errno;
		kill(-c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
		c->pid = 0;
		goto out;
	}
	c->in.fd = c->in.max ? take_end(&pipes[0][1]) : -1;
	c->out.fd = take_end(&pipes[1][0]);
	c->errors.fd = take_end(&pipes[2][0]);
out:
	close_pipes(pipes);
	return rc;
}

int loop_child_start(
	struct loop *loop, const struct loop_child_config *config, struct loop_child **out)
{
	struct loop_child *c;
	int rc;

	if (loop->children >= LOOP_CHILDREN_MAX)
		return -EAGAIN;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	loop->children++;
	c->config = *config;
	c->pidfd = c->in.fd = c->out.fd = c->errors.fd = -1;
	c->out.max = config->output_max ? config->output_max : LOOP_CHILD_OUTPUT_MAX;
	c->errors.max = ERRORS_MAX;
	loop_handle_init(loop, &c->handle, LOOP_KIND_CHILD, cancel, release);
	loop_op_init(&c->exit, &c->handle, exited);
	loop_op_init(&c->in.op, &c->handle, writable);
	loop_op_init(&c->out.op, &c->handle, readable);
	loop_op_init(&c->errors.op, &c->handle, readable);
	timer_init(&c->timer, timed_out, c);
	rc = start(c);
	if (rc < 0) {
		loop_handle_close(&c->handle);
		return rc;
	}
	loop_op_poll(&c->exit, c->pidfd, POLLIN);
	loop_op_poll(&c->out.op, c->out.fd, POLLIN);
	loop_op_poll(&c->errors.op, c->errors.fd, POLLIN);
	if (c->in.fd >= 0)
		loop_op_poll(&c->in.op, c->in.fd, POLLOUT);
	timers_set(&loop->timers, &c->timer,
		clock_now() + (config->timeout_ns ? config->timeout_ns : TIMEOUT_DEFAULT));
	*out = c;
	return 0;
}

void loop_child_kill(struct loop_child *c)
{
	if (c)
		loop_handle_close(&c->handle);
}
