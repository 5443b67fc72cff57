/* SPDX-License-Identifier: Apache-2.0 */
#include "base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop_internal.h"

#define ENTRIES_DEFAULT  4096
#define BUFFERS_DEFAULT  256
#define SLOW_NS          (5 * CLOCK_MS)
#define SLEEP_MAX        (60 * CLOCK_S)
#define DESTROY_PATIENCE (10 * CLOCK_S)

/*
 * What a completion needs done in the kernel is done when we come for it, all at once, and not by
 * interrupting this thread for each. Kernels before 6.1 know but the half of it.
 */
static int make_ring(unsigned entries, struct io_uring *ring)
{
	static const unsigned flags[] = {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG, 0};
	int rc = -EINVAL;

	for (size_t i = 0; rc == -EINVAL && i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct io_uring_params params = {
			.flags = IORING_SETUP_CQSIZE | flags[i], .cq_entries = entries * 4};

		rc = io_uring_queue_init_params(entries, ring, &params);
	}
	return rc;
}

int loop_create(const struct loop_config *config, struct loop **out)
{
	unsigned entries = config && config->entries ? config->entries : ENTRIES_DEFAULT;
	unsigned buffers = config && config->buffers ? config->buffers : BUFFERS_DEFAULT;
	struct loop *loop = calloc(1, sizeof(*loop));
	int rc;

	if (!loop)
		return -ENOMEM;
	rc = make_ring(entries, &loop->ring);
	if (rc < 0) {
		free(loop);
		return rc;
	}
	signal(SIGPIPE, SIG_IGN);
	loop->plain = config && config->plain;
	loop->now_ns = loop->stamp_ns = loop->callbacks_ns = loop->fresh_ns = clock_now();
	loop->due_ns = loop->now_ns;
	loop->tasks_end = &loop->tasks;
	timers_init(&loop->timers, loop->now_ns);
	loop_buffers_init(loop, &loop->stream_buffers, buffers, LOOP_STREAM_CHUNK);
	*out = loop;
	return 0;
}

uint64_t loop_now(const struct loop *loop)
{
	return loop->now_ns;
}

uint64_t loop_behind(const struct loop *loop)
{
	return loop->stamp_ns - loop->fresh_ns;
}

struct timers *loop_timers(struct loop *loop)
{
	return &loop->timers;
}

const struct loop_stats *loop_stats(const struct loop *loop)
{
	return &loop->stats;
}

void loop_stats_reset_longest(struct loop *loop)
{
	loop->stats.longest_ns = loop->stats.latest_ns = 0;
}

const char *loop_kind_name(enum loop_kind kind)
{
	static const char *const names[LOOP_KINDS] = {"datagram", "listener", "stream", "packet",
		"watch", "signal", "file", "child", "timers", "task", "hook"};

	return kind < LOOP_KINDS ? names[kind] : "?";
}

/* One clock reading a callback: it ends where the next one begins. */
static void account(struct loop *loop, enum loop_kind kind)
{
	uint64_t end = clock_now(), took = end - loop->stamp_ns;

	loop->stamp_ns = end;
	loop->took_ns[kind] += took;
	loop->stats.callbacks++;
	loop->stats.slow += took > SLOW_NS;
	if (took > loop->stats.longest_ns) {
		loop->stats.longest_ns = took;
		loop->stats.longest_kind = kind;
	}
}

/* ---- handles and ops --------------------------------------------------------------------- */

void loop_handle_init(struct loop *loop, struct loop_handle *handle, enum loop_kind kind,
	void (*cancel)(struct loop_handle *), void (*release)(struct loop_handle *))
{
	handle->loop = loop;
	handle->kind = kind;
	handle->cancel = cancel;
	handle->release = release;
	handle->next = loop->handles;
	handle->back = &loop->handles;
	if (handle->next)
		handle->next->back = &handle->next;
	loop->handles = handle;
	loop->stats.handles++;
}

static void free_when_idle(struct loop_handle *handle)
{
	if (!handle->closed || handle->active || handle->waits_free)
		return;
	handle->waits_free = true;
	handle->next_free = handle->loop->freed;
	handle->loop->freed = handle;
}

void loop_handle_close(struct loop_handle *handle)
{
	CHECK(!handle->closed);
	handle->closed = true;
	handle->loop->stats.handles--;
	handle->loop->stats.closing++;
	if (handle->cancel)
		handle->cancel(handle);
	free_when_idle(handle);
}

static void free_closed(struct loop *loop)
{
	while (loop->freed) {
		struct loop_handle *handle = loop->freed;

		loop->freed = handle->next_free;
		*handle->back = handle->next;
		if (handle->next)
			handle->next->back = handle->back;
		loop->stats.closing--;
		handle->release(handle);
	}
}

void loop_op_init(struct loop_op *op, struct loop_handle *handle, loop_complete_fn complete)
{
	*op = (struct loop_op){.handle = handle, .complete = complete};
}

struct io_uring_sqe *loop_sqe(struct loop *loop)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&loop->ring);

	while (!sqe) {
		int rc = io_uring_submit(&loop->ring);

		/* -EBUSY and -EAGAIN pass as soon as the kernel has flushed its backlog. */
		CHECK(rc >= 0 || rc == -EBUSY || rc == -EAGAIN || rc == -EINTR);
		sqe = io_uring_get_sqe(&loop->ring);
	}
	return sqe;
}

void loop_op_start(struct loop_op *op, struct io_uring_sqe *sqe)
{
	CHECK(!op->active && !op->handle->closed);
	io_uring_sqe_set_data(sqe, op);
	op->active = true;
	op->handle->active++;
}

void loop_op_cancel(struct loop_op *op)
{
	struct io_uring_sqe *sqe;

	if (!op->active)
		return;
	sqe = loop_sqe(op->handle->loop);
	io_uring_prep_cancel(sqe, op, 0);
	io_uring_sqe_set_data(sqe, NULL);
}

void loop_op_poll(struct loop_op *op, int fd, unsigned events)
{
	struct io_uring_sqe *sqe = loop_sqe(op->handle->loop);

	io_uring_prep_poll_add(sqe, fd, events);
	loop_op_start(op, sqe);
}

int loop_one_family(int fd, const struct address *local)
{
	int one = 1;

	return address_family(local) == AF_INET6
		       ? setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one))
		       : 0;
}

int loop_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || ((flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0))
		return -errno;
	return 0;
}

/* ---- buffers ----------------------------------------------------------------------------- */

static int take_group(struct loop *loop)
{
	for (int i = 0; i < LOOP_GROUPS; i++) {
		if (loop->groups[i / 64] & (UINT64_C(1) << (i % 64)))
			continue;
		loop->groups[i / 64] |= UINT64_C(1) << (i % 64);
		return i;
	}
	return -ENOSPC;
}

static void *map_memory(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void add_buffer(struct loop_buffers *b, unsigned id, unsigned offset)
{
	io_uring_buf_ring_add(b->ring, b->memory + (size_t)id * b->size, b->size,
		(unsigned short)id, io_uring_buf_ring_mask(b->count), (int)offset);
}

int loop_buffers_init(struct loop *loop, struct loop_buffers *b, unsigned count, size_t size)
{
	struct loop_buffers fresh = {.count = 1};
	struct io_uring_buf_reg reg = {0};
	int rc = -ENOMEM;

	*b = (struct loop_buffers){.group = -1};
	if (loop->plain)
		return -EINVAL;
	while (fresh.count < count && fresh.count < 32768)
		fresh.count *= 2;
	fresh.size = (unsigned)((size + 63) & ~(size_t)63);
	fresh.ring_bytes = fresh.count * sizeof(struct io_uring_buf);
	fresh.memory_bytes = (size_t)fresh.count * fresh.size;
	fresh.group = take_group(loop);
	if (fresh.group < 0)
		return fresh.group;
	fresh.ring = map_memory(fresh.ring_bytes);
	fresh.memory = map_memory(fresh.memory_bytes);
	if (!fresh.ring || !fresh.memory)
		goto fail;
	reg.ring_addr = (uintptr_t)fresh.ring;
	reg.ring_entries = fresh.count;
	reg.bgid = (uint16_t)fresh.group;
	rc = io_uring_register_buf_ring(&loop->ring, &reg, 0);
	if (rc < 0)
		goto fail;
	io_uring_buf_ring_init(fresh.ring);
	for (unsigned i = 0; i < fresh.count; i++)
		add_buffer(&fresh, i, i);
	io_uring_buf_ring_advance(fresh.ring, (int)fresh.count);
	*b = fresh;
	return 0;
fail:
	if (fresh.ring)
		munmap(fresh.ring, fresh.ring_bytes);
	if (fresh.memory)
		munmap(fresh.memory, fresh.memory_bytes);
	loop->groups[fresh.group / 64] &= ~(UINT64_C(1) << (fresh.group % 64));
	return rc;
}

void loop_buffers_clear(struct loop *loop, struct loop_buffers *b)
{
	if (!b->ring)
		return;
	io_uring_unregister_buf_ring(&loop->ring, b->group);
	munmap(b->ring, b->ring_bytes);
	munmap(b->memory, b->memory_bytes);
	loop->groups[b->group / 64] &= ~(UINT64_C(1) << (b->group % 64));
	b->ring = NULL;
}

uint8_t *loop_buffers_at(const struct loop_buffers *b, unsigned flags)
{
	return b->memory + (size_t)(flags >> IORING_CQE_BUFFER_SHIFT) * b->size;
}

void loop_buffers_give_back(struct loop_buffers *b, unsigned flags)
{
	if (!(flags & IORING_CQE_F_BUFFER))
		return;
	add_buffer(b, flags >> IORING_CQE_BUFFER_SHIFT, 0);
	io_uring_buf_ring_advance(b->ring, 1);
}

/* ---- tasks and hooks --------------------------------------------------------------------- */

void loop_task_set(struct loop *loop, struct loop_task *task)
{
	if (task->back)
		return;
	task->loop = loop;
	task->round = loop->round;
	task->next = NULL;
	task->back = loop->tasks_end;
	*task->back = task;
	loop->tasks_end = &task->next;
}

void loop_task_cancel(struct loop_task *task)
{
	if (!task->back)
		return;
	*task->back = task->next;
	if (task->next)
		task->next->back = task->back;
	else
		task->loop->tasks_end = task->back;
	task->back = NULL;
}

static void run_tasks(struct loop *loop)
{
	uint64_t round = loop->round++;

	while (loop->tasks && loop->tasks->round <= round) {
		struct loop_task *task = loop->tasks;

		loop_task_cancel(task);
		task->fn(task->ctx);
		account(loop, LOOP_KIND_TASK);
	}
}

void loop_hook_add(struct loop *loop, struct loop_hook *hook)
{
	CHECK(!hook->back);
	hook->loop = loop;
	hook->next = loop->hooks;
	hook->back = &loop->hooks;
	if (hook->next)
		hook->next->back = &hook->next;
	loop->hooks = hook;
}

void loop_hook_remove(struct loop_hook *hook)
{
	if (!hook->back)
		return;
	if (hook->loop->hook_next == hook)
		hook->loop->hook_next = hook->next;
	*hook->back = hook->next;
	if (hook->next)
		hook->next->back = hook->back;
	hook->back = NULL;
}

/* The hook to call, while any hook may be removed by the one that runs. */
static struct loop_hook *next_hook(struct loop *loop)
{
	struct loop_hook *hook = loop->hook_next;

	if (hook)
		loop->hook_next = hook->next;
	return hook;
}

static void hooks_pass(struct loop *loop)
{
	struct loop_hook *hook;

	loop->hook_next = loop->hooks;
	while ((hook = next_hook(loop))) {
		if (!hook->pass)
			continue;
		hook->pass(hook->ctx, loop->now_ns);
		account(loop, LOOP_KIND_HOOK);
	}
}

/* True when there is work after all. Every hook is asked, so that every flag is up. */
static bool hooks_before_sleep(struct loop *loop)
{
	struct loop_hook *hook;
	bool work = false;

	loop->hook_next = loop->hooks;
	while ((hook = next_hook(loop)))
		if (hook->before_sleep)
			work |= hook->before_sleep(hook->ctx);
	return work;
}

static void hooks_after_sleep(struct loop *loop)
{
	struct loop_hook *hook;

	loop->hook_next = loop->hooks;
	while ((hook = next_hook(loop)))
		if (hook->after_sleep)
			hook->after_sleep(hook->ctx);
}

/* ---- a pass ------------------------------------------------------------------------------ */

static uint64_t time_to_sleep(struct loop *loop, uint64_t most_ns)
{
	uint64_t next = timers_next(&loop->timers), now = clock_now();

	if (loop->tasks || loop->freed || loop->stopped || io_uring_cq_ready(&loop->ring))
		return 0;
	if (most_ns > SLEEP_MAX)
		most_ns = SLEEP_MAX;
	if (next == TIMERS_NEVER || next > now + most_ns)
		return most_ns;
	return next > now ? next - now : 0;
}

/* When it was none of the callbacks, nobody let us run. */
static void tell_late(const struct loop *loop, uint64_t late_ns)
{
	enum loop_kind most = 0;

	for (enum loop_kind kind = 1; kind < LOOP_KINDS; kind++)
		if (loop->took_ns[kind] > loop->took_ns[most])
			most = kind;
	log_warning_limited(NULL, "loop", 5,
		"nothing had its turn for %u ms, %u ms of them for callbacks of kind %s",
		(unsigned)(late_ns / CLOCK_MS), (unsigned)(loop->took_ns[most] / CLOCK_MS),
		loop_kind_name(most));
}

/* The loop is back at the kernel, or from its sleep. That it is late is told until it is not, once. */
static void back(struct loop *loop, uint64_t now_ns)
{
	uint64_t late_ns = now_ns > loop->due_ns ? now_ns - loop->due_ns : 0;
	bool was_late = loop->late;

	loop->late = late_ns > LOOP_LATE_NS;
	loop->stats.late += loop->late;
	if (late_ns > loop->stats.latest_ns)
		loop->stats.latest_ns = late_ns;
	if (loop->late && !was_late)
		tell_late(loop, late_ns);
	memset(loop->took_ns, 0, sizeof(loop->took_ns));
	loop->due_ns = now_ns;
}

/* What passes by itself is no error. */
static int lasting(int rc)
{
	if (rc == -ETIME || rc == -EINTR || rc == -EAGAIN || rc == -EBUSY)
		return 0;
	return rc < 0 ? rc : 0;
}

/*
 * To submit takes its time, since the kernel sends then; it is no sleep. Who finds something there
 * afterwards does not sleep at all.
 */
static int submit_and_sleep(struct loop *loop, uint64_t sleep_ns)
{
	struct __kernel_timespec ts = {.tv_sec = (long long)(sleep_ns / CLOCK_S),
		.tv_nsec = (long long)(sleep_ns % CLOCK_S)};
	struct io_uring_cqe *cqe;
	int rc = lasting(io_uring_submit_and_get_events(&loop->ring));

	loop->slept = rc == 0 && sleep_ns && !io_uring_cq_ready(&loop->ring);
	if (!loop->slept)
		return rc;
	loop->stats.sleeps++;
	back(loop, clock_now());
	loop->due_ns += sleep_ns;
	return lasting(io_uring_submit_and_wait_timeout(&loop->ring, &cqe, 1, &ts, NULL));
}

static unsigned collect(struct loop *loop)
{
	struct io_uring_cqe *cqe;
	unsigned head, seen = 0, n = 0;

	io_uring_for_each_cqe(&loop->ring, head, cqe)
	{
		struct loop_op *op = io_uring_cqe_get_data(cqe);

		if (op)
			loop->collected[n++] = (struct loop_completion){op, cqe->res, cqe->flags};
		if (++seen == LOOP_COLLECT)
			break;
	}
	io_uring_cq_advance(&loop->ring, seen);
	loop->stats.completions += n;
	return n;
}

static void run_completion(const struct loop_completion *c)
{
	struct loop_op *op = c->op;
	struct loop_handle *handle = op->handle;

	if (!(c->flags & IORING_CQE_F_MORE))
		op->active = false;
	op->complete(op, c->result, c->flags);
	/* Only now: nothing may free the handle while its op completes. */
	if (!(c->flags & IORING_CQE_F_MORE))
		handle->active--;
	free_when_idle(handle);
	account(handle->loop, handle->kind);
}

static void run_timers(struct loop *loop)
{
	if (timers_run(&loop->timers, loop->now_ns))
		account(loop, LOOP_KIND_TIMERS);
}

/* Timers do not wait for all that came: a batch of a thousand may take long. */
static void run_completions(struct loop *loop, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		run_completion(&loop->collected[i]);
		if ((i + 1) % LOOP_TURN == 0 && !loop->ending) {
			loop->now_ns = loop->stamp_ns;
			run_timers(loop);
		}
	}
}

/* After the sleep: a new `now`. */
static void begin_callbacks(struct loop *loop)
{
	uint64_t last_ns = loop->callbacks_ns;
	struct timespec real;

	loop->now_ns = loop->stamp_ns = loop->callbacks_ns = clock_now();
	back(loop, loop->now_ns);
	clock_gettime(CLOCK_REALTIME, &real);
	loop->real_ns =
		(int64_t)real.tv_sec * (int64_t)CLOCK_S + real.tv_nsec - (int64_t)loop->now_ns;
	loop->fresh_ns = loop->slept ? loop->now_ns : last_ns;
}

int loop_step(struct loop *loop, uint64_t timeout_ns)
{
	uint64_t sleep_ns;
	bool asked = false;
	int rc;

	loop->stats.passes++;
	loop->now_ns = loop->stamp_ns = clock_now();
	hooks_pass(loop);
	sleep_ns = time_to_sleep(loop, timeout_ns);
	if (sleep_ns && loop->hooks) {
		asked = true;
		if (hooks_before_sleep(loop))
			sleep_ns = 0;
	}
	rc = submit_and_sleep(loop, sleep_ns);
	if (asked)
		hooks_after_sleep(loop);
	begin_callbacks(loop);
	run_completions(loop, collect(loop));
	run_timers(loop);
	run_tasks(loop);
	free_closed(loop);
	return rc;
}

int loop_run(struct loop *loop)
{
	int rc = 0;

	loop->due_ns = clock_now();
	while (!loop->stopped && rc == 0)
		rc = loop_step(loop, SLEEP_MAX);
	loop->stopped = false;
	return rc;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

void loop_destroy(struct loop *loop)
{
	uint64_t end;

	if (!loop)
		return;
	loop->ending = true;
	for (struct loop_handle *h = loop->handles; h; h = h->next)
		if (!h->closed)
			loop_handle_close(h);
	loop->due_ns = clock_now();
	end = loop->due_ns + DESTROY_PATIENCE;
	free_closed(loop);
	while (loop->handles && clock_now() < end) {
		submit_and_sleep(loop, 50 * CLOCK_MS);
		run_completions(loop, collect(loop));
		free_closed(loop);
	}
	loop_buffers_clear(loop, &loop->stream_buffers);
	io_uring_queue_exit(&loop->ring);
	timers_clear(&loop->timers);
	free(loop);
}
