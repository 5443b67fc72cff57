/* SPDX-License-Identifier: Apache-2.0 */
/* The loop over real sockets, files and programs; all of it once more as on an old kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

static struct loop *loop;
static bool plain_mode;

static int set_up(void **state)
{
	struct loop_config config = {.entries = 64, .buffers = 2, .plain = plain_mode};

	return loop_create(&config, &loop);
}

static int tear_down(void **state)
{
	loop_destroy(loop);
	loop = NULL;
	return 0;
}

/* Steps until *flag is at least `n`, 5 s at most. */
static void until(const unsigned *flag, unsigned n)
{
	uint64_t end = clock_now() + 5 * CLOCK_S;

	while (*flag < n && clock_now() < end)
		assert_int_equal(loop_step(loop, 50 * CLOCK_MS), 0);
	assert_true(*flag >= n);
}

static void settle(unsigned ms)
{
	uint64_t end = clock_now() + ms * CLOCK_MS;

	while (clock_now() < end)
		loop_step(loop, CLOCK_MS);
}

static struct address local_address(void)
{
	return address_ipv4(0x7f000001, 0);
}

/* ---- timers, tasks, hooks ---------------------------------------------------------------- */

static void count_timer(void *ctx, uint64_t now_ns)
{
	(*(unsigned *)ctx)++;
}

static void timer_fires(void **state)
{
	unsigned fired = 0;
	struct timer t;
	uint64_t start = clock_now();

	timer_init(&t, count_timer, &fired);
	timers_set(loop_timers(loop), &t, start + 20 * CLOCK_MS);
	until(&fired, 1);
	assert_true(clock_now() - start >= 20 * CLOCK_MS);
	assert_true(clock_now() - start < 2 * CLOCK_S);
}

struct tasks {
	struct loop_task a, b;
	unsigned ran_a, ran_b;
};

static void task_a(void *ctx)
{
	struct tasks *t = ctx;

	t->ran_a++;
	loop_task_cancel(&t->b);
	if (t->ran_a < 3)
		loop_task_set(loop, &t->a);
}

static void task_b(void *ctx)
{
	((struct tasks *)ctx)->ran_b++;
}

static void tasks_run_later_and_can_be_cancelled(void **state)
{
	struct tasks t = {.a = {.fn = task_a, .ctx = &t}, .b = {.fn = task_b, .ctx = &t}};

	loop_task_set(loop, &t.a);
	loop_task_set(loop, &t.a);
	loop_task_set(loop, &t.b);
	assert_int_equal(t.ran_a, 0);
	loop_step(loop, 0);
	assert_int_equal(t.ran_a, 1); /* what a task sets runs in the next pass */
	loop_step(loop, CLOCK_S);
	loop_step(loop, CLOCK_S);
	loop_step(loop, 0);
	assert_int_equal(t.ran_a, 3);
	assert_int_equal(t.ran_b, 0);
	loop_task_set(loop, &t.b);
	loop_step(loop, 0);
	assert_int_equal(t.ran_b, 1);
}

struct hooked {
	unsigned passes, befores, afters;
	bool work;
};

static void hook_pass(void *ctx, uint64_t now_ns)
{
	((struct hooked *)ctx)->passes++;
}

static bool hook_before(void *ctx)
{
	((struct hooked *)ctx)->befores++;
	return ((struct hooked *)ctx)->work;
}

static void hook_after(void *ctx)
{
	((struct hooked *)ctx)->afters++;
}

static void hook_keeps_the_loop_awake(void **state)
{
	struct hooked h = {.work = true};
	struct loop_hook hook = {.ctx = &h,
		.pass = hook_pass,
		.before_sleep = hook_before,
		.after_sleep = hook_after};
	uint64_t start = clock_now();

	loop_hook_add(loop, &hook);
	loop_step(loop, CLOCK_S);
	assert_true(clock_now() - start < CLOCK_S / 2);
	h.work = false;
	loop_step(loop, 10 * CLOCK_MS);
	loop_step(loop, 0);
	assert_int_equal(h.passes, 3);
	assert_int_equal(h.befores, 2);
	assert_int_equal(h.afters, 2);
	loop_hook_remove(&hook);
	loop_step(loop, 0);
	assert_int_equal(h.passes, 3);
}

static void stop_callback(void *ctx, uint64_t now_ns)
{
	loop_stop(loop);
}

static void slow_callback(void *ctx, uint64_t now_ns)
{
	usleep(20000);
	loop_stop(loop);
}

static void longest_callback_is_counted(void **state)
{
	struct timer t;

	timer_init(&t, slow_callback, NULL);
	timers_set_in(loop_timers(loop), &t, 0);
	assert_int_equal(loop_run(loop), 0);
	assert_true(loop_stats(loop)->longest_ns >= 20 * CLOCK_MS);
	assert_int_equal(loop_stats(loop)->longest_kind, LOOP_KIND_TIMERS);
	assert_string_equal(loop_kind_name(loop_stats(loop)->longest_kind), "timers");
	assert_int_equal(loop_stats(loop)->slow, 1);
	timer_init(&t, stop_callback, NULL);
	timers_set_in(loop_timers(loop), &t, 0);
	assert_int_equal(loop_run(loop), 0);
}

struct late {
	struct timer timer;
	unsigned times;
};

static void late_callback(void *ctx, uint64_t now_ns)
{
	struct late *l = ctx;

	usleep(130000);
	if (--l->times)
		timers_set_in(loop_timers(loop), &l->timer, 0);
}

/* Lines that say so, of what was logged. */
static unsigned late_lines(int fd, const char *what)
{
	char text[4096];
	ssize_t n = read(fd, text, sizeof(text) - 1);
	unsigned lines = 0;

	text[n > 0 ? n : 0] = '\0';
	for (const char *at = text; (at = strstr(at, what)); at++)
		lines++;
	return lines;
}

/* Two passes in a row are one episode; the next one is told again. */
static void a_late_loop_is_counted_and_told(void **state)
{
	static const char what[] = "ms of them for callbacks of kind timers";
	const struct loop_stats *stats = loop_stats(loop);
	struct late l = {.times = 2};
	int fds[2];

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	log_set_fd(fds[1]);
	timer_init(&l.timer, late_callback, &l);
	settle(20);
	timers_set_in(loop_timers(loop), &l.timer, 0);
	settle(300);
	assert_true(stats->late >= 2);
	assert_in_range(stats->latest_ns, 130 * CLOCK_MS, 5 * CLOCK_S);
	assert_int_equal(late_lines(fds[0], what), 1);
	l.times = 1;
	timers_set_in(loop_timers(loop), &l.timer, 0);
	settle(200);
	assert_true(stats->late >= 3);
	assert_int_equal(late_lines(fds[0], what), 1);
	loop_stats_reset_longest(loop);
	assert_int_equal(stats->latest_ns, 0);
	log_set_fd(STDERR_FILENO);
	close(fds[0]);
	close(fds[1]);
}

/* A process that was stopped in its sleep, as on a machine that stood still. */
static void a_sleep_that_was_too_long_is_late(void **state)
{
	const struct loop_stats *stats = loop_stats(loop);
	pid_t us = getpid(), other = fork();

	if (other == 0) {
		usleep(50000);
		kill(us, SIGSTOP);
		usleep(400000);
		kill(us, SIGCONT);
		_exit(0);
	}
	settle(200);
	waitpid(other, NULL, 0);
	assert_true(stats->late > 0);
	assert_in_range(stats->latest_ns, 200 * CLOCK_MS, 5 * CLOCK_S);
}

/* ---- UDP --------------------------------------------------------------------------------- */

struct peer {
	unsigned got, failed;
	size_t bytes, last_n;
	uint64_t sum;
	struct address from;
	struct loop_datagram *close_me;
};

static void datagram_received(void *ctx, const struct address *from, const uint8_t *data, size_t n)
{
	struct peer *p = ctx;

	p->got++;
	p->bytes += n;
	p->last_n = n;
	p->from = *from;
	for (size_t i = 0; i < n; i++)
		p->sum += data[i];
	loop_datagram_close(p->close_me);
	p->close_me = NULL;
}

static struct loop_datagram *open_datagram(struct peer *p, unsigned size_max, unsigned sends_max)
{
	struct loop_datagram_config config = {.ctx = p,
		.received = datagram_received,
		.size_max = size_max,
		.sends_max = sends_max,
		.buffers = 8};
	struct address local = local_address();
	struct loop_datagram *d = NULL;

	assert_int_equal(loop_datagram_open(loop, &local, &config, &d), 0);
	assert_true(loop_datagram_receive_buffer(d) > 65536);
	return d;
}

static void datagrams_travel(void **state)
{
	struct peer a = {0}, b = {0};
	struct loop_datagram *da = open_datagram(&a, 0, 0), *db = open_datagram(&b, 2000, 0);
	struct address to = loop_datagram_local(db), from = loop_datagram_local(da);
	static uint8_t big[60000];
	uint64_t sum = 0;

	for (unsigned i = 0; i < 500; i++) {
		uint8_t data[100];

		memset(data, (int)i, sizeof(data));
		sum += 100 * (i & 255);
		assert_int_equal(loop_datagram_send(da, &to, data, sizeof(data)), 0);
	}
	until(&b.got, 500);
	assert_int_equal(b.sum, sum);
	assert_true(address_equal(&b.from, &from));
	/* Larger than the receiver's buffer: counted and dropped; what fits exactly passes. */
	assert_int_equal(loop_datagram_send(da, &to, big, 2500), 0);
	assert_int_equal(loop_datagram_send(da, &to, big, 2000), 0);
	until(&b.got, 501);
	assert_int_equal(b.last_n, 2000);
	assert_int_equal(loop_stats(loop)->datagrams_cut, 1);
	assert_int_equal(loop_datagram_send(db, &from, big, sizeof(big)), 0);
	assert_int_equal(loop_datagram_send(db, &from, NULL, 0), 0);
	until(&a.got, 2);
	assert_int_equal(a.bytes, sizeof(big));
	loop_datagram_close(da);
	loop_datagram_close(db);
}

struct patient {
	struct loop_datagram *d;
	unsigned got;
	uint64_t least_ns, most_ns, behind_ns;
};

static void datagram_waited(void *ctx, const struct address *from, const uint8_t *data, size_t n)
{
	struct patient *p = ctx;
	uint64_t ns = loop_datagram_waited(p->d);

	p->least_ns = p->got == 0 || ns < p->least_ns ? ns : p->least_ns;
	p->most_ns = ns > p->most_ns ? ns : p->most_ns;
	p->behind_ns = loop_behind(loop);
	p->got++;
	usleep(2000);
}

/* From when they came, while the loop was elsewhere and while others had their turn. */
static void a_datagram_knows_how_long_it_waited(void **state)
{
	struct patient p = {0};
	struct address local = local_address(), to;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(loop_datagram_open(loop, &local,
				 &(struct loop_datagram_config){
					 .ctx = &p, .received = datagram_waited, .buffers = 64},
				 &p.d),
		0);
	to = loop_datagram_local(p.d);
	settle(5);
	for (int i = 0; i < 10; i++)
		assert_int_equal(sendto(fd, "x", 1, 0, &to.any, to.length), 1);
	usleep(30000);
	until(&p.got, 10);
	assert_in_range(p.least_ns, 30 * CLOCK_MS, 5 * CLOCK_S);
	assert_in_range(p.most_ns - p.least_ns, 16 * CLOCK_MS, 5 * CLOCK_S);
	/* Without a stamp: since the pass before at least. */
	assert_in_range(p.behind_ns, (plain_mode ? 2 : 48) * CLOCK_MS, 5 * CLOCK_S);
	p = (struct patient){.d = p.d};
	settle(20);
	assert_int_equal(sendto(fd, "x", 1, 0, &to.any, to.length), 1);
	until(&p.got, 1);
	assert_true(p.least_ns < 20 * CLOCK_MS && p.least_ns > 0);
	close(fd);
	loop_datagram_close(p.d);
}

struct sender {
	struct loop_datagram *d;
	unsigned got;
	uint64_t behind_ns; /* of the first */
};

static void sender_received(void *ctx, const struct address *from, const uint8_t *data, size_t n)
{
	struct sender *s = ctx;

	if (s->got++ == 0)
		s->behind_ns = loop_behind(loop);
}

/* As many as the ring takes: the kernel sends them when the loop comes to it. */
static void send_much_slowly(void *ctx, uint64_t now_ns)
{
	static const uint8_t big[60000];
	struct sender *s = ctx;
	struct address to = loop_datagram_local(s->d);

	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(loop_datagram_send(s->d, &to, big, sizeof(big)), 0);
	usleep(20000);
}

/* However long the kernel takes for it: what came meanwhile has waited. */
static void a_submission_is_no_sleep(void **state)
{
	struct sender s = {0};
	struct address local = local_address();
	struct timer t;
	uint64_t sleeps;

	assert_int_equal(loop_datagram_open(loop, &local,
				 &(struct loop_datagram_config){
					 .ctx = &s, .received = sender_received, .buffers = 64},
				 &s.d),
		0);
	settle(5);
	timer_init(&t, send_much_slowly, &s);
	timers_set_in(loop_timers(loop), &t, 0);
	while (timer_is_set(&t))
		loop_step(loop, 0);
	sleeps = loop_stats(loop)->sleeps;
	loop_step(loop, CLOCK_S);
	assert_true(s.got > 0);
	assert_int_equal(loop_stats(loop)->sleeps, sleeps);
	assert_in_range(s.behind_ns, 20 * CLOCK_MS, 5 * CLOCK_S);
	loop_datagram_close(s.d);
}

struct batch {
	unsigned got, before; /* callbacks, and those that the timer found done */
	struct timer timer;
};

static void timer_within(void *ctx, uint64_t now_ns)
{
	struct batch *b = ctx;

	assert_int_equal(now_ns, loop_now(loop));
	b->before = b->got;
}

static void one_of_a_batch(void *ctx, const struct address *to, int error)
{
	struct batch *b = ctx;

	assert_int_equal(error, -EMSGSIZE);
	if (b->got++ == 0)
		timers_set_in(loop_timers(loop), &b->timer, CLOCK_MS);
	usleep(100);
}

static void timers_do_not_wait_for_a_whole_batch(void **state)
{
	static const uint8_t longer_than_any[LOOP_DATAGRAM_MAX];
	struct batch b = {0};
	struct loop_datagram_config config = {.ctx = &b, .failed = one_of_a_batch};
	struct address local = local_address(), to;
	struct loop_datagram *d;

	timer_init(&b.timer, timer_within, &b);
	assert_int_equal(loop_datagram_open(loop, &local, &config, &d), 0);
	to = loop_datagram_local(d);
	for (unsigned i = 0; i < 240; i++)
		assert_int_equal(
			loop_datagram_send(d, &to, longer_than_any, sizeof(longer_than_any)), 0);
	loop_step(loop, 0);
	assert_int_equal(b.got, 240);
	assert_int_equal(b.before, 128);
	loop_datagram_close(d);
}

static void datagram_sends_are_bounded(void **state)
{
	struct peer a = {0};
	struct loop_datagram *d = open_datagram(&a, 0, 3);
	struct address to = loop_datagram_local(d);

	for (int i = 0; i < 3; i++)
		assert_int_equal(loop_datagram_send(d, &to, "x", 1), 0);
	assert_int_equal(loop_datagram_send(d, &to, "x", 1), -ENOBUFS);
	assert_int_equal(loop_stats(loop)->datagrams_refused, 1);
	until(&a.got, 3);
	assert_int_equal(loop_datagram_send(d, &to, "x", 1), 0);
	loop_datagram_close(d);
}

static void datagram_closed_in_its_callback(void **state)
{
	struct peer a = {0};
	struct loop_datagram *d = open_datagram(&a, 0, 0);
	struct address to = loop_datagram_local(d);

	a.close_me = d;
	for (int i = 0; i < 5; i++)
		loop_datagram_send(d, &to, "x", 1);
	until(&a.got, 1);
	settle(20);
	assert_int_equal(a.got, 1);
	assert_int_equal(loop_stats(loop)->closing, 0);
}

/* ---- streams ----------------------------------------------------------------------------- */

struct end {
	struct loop_stream *stream;
	unsigned connected, closed, ended, drained, accepted;
	int error;
	size_t bytes;
	uint64_t sum;
	bool echo, close_on_data, half;
};

static void end_received(void *ctx, const uint8_t *data, size_t n)
{
	struct end *e = ctx;

	e->bytes += n;
	for (size_t i = 0; i < n; i++)
		e->sum += data[i];
	if (e->echo)
		assert_int_equal(loop_stream_send(e->stream, data, n), 0);
	if (e->close_on_data) {
		loop_stream_close(e->stream);
		e->stream = NULL;
	}
}

static void end_connected(void *ctx)
{
	((struct end *)ctx)->connected++;
}

static void end_closed(void *ctx, int error)
{
	((struct end *)ctx)->closed++;
	((struct end *)ctx)->error = error;
}

static void end_ended(void *ctx)
{
	((struct end *)ctx)->ended++;
}

static void end_drained(void *ctx)
{
	((struct end *)ctx)->drained++;
}

static struct loop_stream_config end_config(struct end *e)
{
	return (struct loop_stream_config){.ctx = e,
		.connected = end_connected,
		.received = end_received,
		.ended = e->half ? end_ended : NULL,
		.closed = end_closed,
		.drained = end_drained};
}

static void end_accepted(void *ctx, int fd, const struct address *peer)
{
	struct end *e = ctx;
	struct loop_stream_config config = end_config(e);

	e->accepted++;
	if (e->stream) {
		close(fd);
		return;
	}
	assert_int_equal(loop_stream_adopt(loop, fd, &config, &e->stream), 0);
}

static struct loop_listener *listen_at(struct end *server, struct address local)
{
	struct loop_listener_config config = {.ctx = server, .accepted = end_accepted};
	struct loop_listener *l = NULL;

	assert_int_equal(loop_listen(loop, &local, &config, &l), 0);
	return l;
}

/* A connected pair over TCP. */
static struct loop_listener *connect_pair(struct end *client, struct end *server)
{
	struct loop_listener *l = listen_at(server, local_address());
	struct loop_stream_config config = end_config(client);
	struct address to = loop_listener_local(l);

	assert_int_equal(loop_connect(loop, &to, NULL, &config, &client->stream), 0);
	until(&client->connected, 1);
	until(&server->accepted, 1);
	return l;
}

static void stream_echoes(void **state)
{
	struct end client = {0}, server = {.echo = true};
	struct loop_listener *l = connect_pair(&client, &server);
	static uint8_t data[300000];
	uint64_t sum = 0, end = clock_now() + 5 * CLOCK_S;
	size_t sent = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		sum += data[i] = (uint8_t)(i * 31);
	for (size_t n = 1; sent < sizeof(data); n = n * 3 % 40000 + 1) {
		if (n > sizeof(data) - sent)
			n = sizeof(data) - sent;
		assert_int_equal(loop_stream_send(client.stream, data + sent, n), 0);
		sent += n;
	}
	while (client.bytes < sizeof(data) && clock_now() < end)
		loop_step(loop, 10 * CLOCK_MS);
	assert_int_equal(client.bytes, sizeof(data));
	assert_int_equal(client.sum, sum);
	assert_true(client.drained >= 1);
	assert_int_equal(loop_stream_queued(client.stream), 0);
	loop_stream_close(client.stream);
	until(&server.closed, 1);
	loop_stream_close(server.stream);
	loop_listener_close(l);
}

static void stream_queue_is_bounded(void **state)
{
	struct end client = {0}, server = {0};
	struct loop_listener *l = connect_pair(&client, &server);
	static uint8_t data[100000];
	size_t taken = 0;
	int rc = 0;

	loop_stream_pause(server.stream, true);
	for (int i = 0; i < 1000 && rc == 0; i++) {
		rc = loop_stream_send(client.stream, data, sizeof(data));
		taken += rc == 0 ? sizeof(data) : 0;
		loop_step(loop, 0);
	}
	assert_int_equal(rc, -ENOBUFS);
	assert_true(loop_stream_queued(client.stream) <= LOOP_STREAM_QUEUE);
	assert_true(loop_stats(loop)->streams_refused >= 1);
	loop_stream_pause(server.stream, false);
	for (uint64_t end = clock_now() + 5 * CLOCK_S; server.bytes < taken && clock_now() < end;)
		loop_step(loop, 10 * CLOCK_MS);
	assert_int_equal(server.bytes, taken);
	loop_stream_close(client.stream);
	loop_stream_close(server.stream);
	loop_listener_close(l);
}

static void stream_half_close(void **state)
{
	struct end client = {.half = true}, server = {.half = true};
	struct loop_listener *l = connect_pair(&client, &server);

	assert_int_equal(loop_stream_send(client.stream, "question", 8), 0);
	loop_stream_shutdown(client.stream);
	assert_int_equal(loop_stream_send(client.stream, "more", 4), -EPIPE);
	until(&server.ended, 1);
	assert_int_equal(server.bytes, 8);
	assert_int_equal(loop_stream_send(server.stream, "answer", 6), 0);
	loop_stream_finish(server.stream);
	until(&client.ended, 1);
	assert_int_equal(client.bytes, 6);
	loop_stream_close(client.stream);
	loop_listener_close(l);
	settle(10);
	assert_int_equal(loop_stats(loop)->handles, 0);
	assert_int_equal(loop_stats(loop)->closing, 0);
}

static void stream_closed_in_its_callback(void **state)
{
	struct end client = {0}, server = {.close_on_data = true};
	struct loop_listener *l = connect_pair(&client, &server);

	loop_stream_send(client.stream, "x", 1);
	until(&client.closed, 1);
	assert_int_equal(loop_stream_send(client.stream, "x", 1), -EPIPE);
	loop_stream_close(client.stream);
	loop_listener_close(l);
}

static void connect_is_refused(void **state)
{
	struct end client = {0};
	struct loop_stream_config config = end_config(&client);
	struct loop_listener *l = listen_at(&client, local_address());
	struct address to = loop_listener_local(l);

	loop_listener_close(l);
	settle(5);
	assert_int_equal(loop_connect(loop, &to, NULL, &config, &client.stream), 0);
	until(&client.closed, 1);
	assert_int_equal(client.error, -ECONNREFUSED);
	assert_int_equal(client.connected, 0);
	loop_stream_close(client.stream);
}

/* A listener whose backlog is full lets a connect hang. */
static void connect_times_out(void **state)
{
	struct end ends[8] = {{0}};
	struct address at = local_address();
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	unsigned timed_out = 0;

	at.length = sizeof(at.in);
	assert_int_equal(bind(fd, &at.any, at.length), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(getsockname(fd, &at.any, &at.length), 0);
	for (int i = 0; i < 8; i++) {
		struct loop_stream_config config = end_config(&ends[i]);

		config.connect_timeout_ns = 50 * CLOCK_MS;
		assert_int_equal(loop_connect(loop, &at, NULL, &config, &ends[i].stream), 0);
	}
	until(&ends[7].closed, 1);
	settle(20);
	for (int i = 0; i < 8; i++) {
		timed_out += ends[i].closed && ends[i].error == -ETIMEDOUT;
		assert_int_equal(ends[i].connected + ends[i].closed, 1);
		loop_stream_close(ends[i].stream);
	}
	assert_true(timed_out >= 5);
	close(fd);
}

/* Two buffers for forty streams that all talk at once, and are finished at once. */
static void streams_share_few_buffers(void **state)
{
	static uint8_t data[50000];
	struct end server[40] = {{0}}, client[40] = {{0}};
	struct loop_listener *l[40];
	size_t got = 0;

	for (int i = 0; i < 40; i++) {
		l[i] = connect_pair(&client[i], &server[i]);
		assert_int_equal(loop_stream_send(client[i].stream, data, sizeof(data)), 0);
		loop_stream_finish(client[i].stream);
	}
	for (int i = 0; i < 40; i++) {
		until(&server[i].closed, 1);
		got += server[i].bytes;
		loop_stream_close(server[i].stream);
		loop_listener_close(l[i]);
	}
	assert_int_equal(got, 40 * sizeof(data));
	settle(5);
	assert_int_equal(loop_stats(loop)->handles, 0);
}

static void unix_stream_knows_its_peer(void **state)
{
	struct end client = {0}, server = {0};
	struct loop_stream_config config = end_config(&client);
	char path[64];
	struct address at;
	struct ucred who;
	struct loop_listener *l, *second = NULL;
	struct loop_listener_config again = {.ctx = &server, .accepted = end_accepted};

	snprintf(path, sizeof(path), "/tmp/loop-test-%d.sock", (int)getpid());
	assert_int_equal(address_parse(str_from(path), -1, &at), 0);
	l = listen_at(&server, at);
	assert_int_equal(loop_listen(loop, &at, &again, &second), -EADDRINUSE);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(loop_connect(loop, &at, NULL, &config, &client.stream), 0);
	until(&client.connected, 1);
	until(&server.accepted, 1);
	assert_int_equal(loop_stream_peer_cred(server.stream, &who), 0);
	assert_int_equal(who.pid, getpid());
	loop_stream_close(client.stream);
	loop_stream_close(server.stream);
	loop_listener_close(l);
	assert_int_equal(access(path, F_OK), -1);
}

static void stale_socket_file_is_replaced(void **state)
{
	struct end server = {0};
	struct address at;
	char path[64];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(path, sizeof(path), "/tmp/loop-stale-%d.sock", (int)getpid());
	assert_int_equal(address_parse(str_from(path), -1, &at), 0);
	assert_int_equal(bind(fd, &at.any, at.length), 0);
	close(fd);
	loop_listener_close(listen_at(&server, at));
}

/* ---- packets ----------------------------------------------------------------------------- */

struct packets {
	unsigned got, closed;
	size_t bytes;
	int kept;
};

static void packet_received(void *ctx, const uint8_t *data, size_t n, int *fds, unsigned n_fds)
{
	struct packets *p = ctx;

	p->got++;
	p->bytes += n;
	if (n_fds) {
		p->kept = fds[0];
		fds[0] = -1;
	}
}

static void packet_closed(void *ctx, int error)
{
	((struct packets *)ctx)->closed++;
}

static void packets_carry_descriptors(void **state)
{
	struct packets a = {.kept = -1}, b = {.kept = -1};
	struct loop_packet_config ca = {&a, packet_received, packet_closed};
	struct loop_packet_config cb = {&b, packet_received, packet_closed};
	struct loop_packet *pa, *pb;
	static uint8_t big[LOOP_PACKET_MAX + 1];
	int pair[2], pipe_fds[2];
	struct ucred who;
	char text[4] = "";

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(loop_packet_adopt(loop, pair[0], &ca, &pa), 0);
	assert_int_equal(loop_packet_adopt(loop, pair[1], &cb, &pb), 0);
	assert_int_equal(loop_packet_send(pa, big, sizeof(big), NULL, 0), -EMSGSIZE);
	assert_int_equal(loop_packet_send(pa, big, LOOP_PACKET_MAX, NULL, 0), 0);
	assert_int_equal(loop_packet_send(pa, "abc", 3, pipe_fds, 2), 0);
	close(pipe_fds[0]);
	until(&b.got, 2);
	assert_int_equal(b.bytes, LOOP_PACKET_MAX + 3);
	assert_true(b.kept >= 0);
	assert_int_equal(write(pipe_fds[1], "hi", 2), 2);
	assert_int_equal(read(b.kept, text, 2), 2);
	assert_string_equal(text, "hi");
	assert_int_equal(loop_packet_peer_cred(pb, &who), 0);
	loop_packet_close(pa);
	until(&b.closed, 1);
	assert_int_equal(loop_packet_send(pb, "x", 1, NULL, 0), -EPIPE);
	loop_packet_close(pb);
	close(b.kept);
	close(pipe_fds[1]);
}

static void packet_connect_to_nobody(void **state)
{
	struct loop_packet_config config = {NULL, packet_received, packet_closed};
	struct loop_packet *p;
	struct address at;

	assert_int_equal(address_parse(STR("unix:/nowhere/at.all"), -1, &at), 0);
	assert_int_equal(loop_packet_connect(loop, &at, &config, &p), -ENOENT);
}

/* ---- other descriptors ------------------------------------------------------------------- */

struct watched {
	int fd;
	unsigned fired;
	uint64_t count;
};

static void watch_fired(void *ctx, unsigned revents)
{
	struct watched *w = ctx;
	char c;

	w->fired++;
	assert_true(revents & POLLIN);
	assert_int_equal(read(w->fd, &c, 1), 1); /* one of several bytes: it must fire again */
}

static void watch_is_level_triggered(void **state)
{
	struct loop_watch *watch;
	struct watched w = {0};
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	w.fd = fds[0];
	assert_int_equal(loop_watch(loop, fds[0], POLLIN, watch_fired, &w, &watch), 0);
	assert_int_equal(write(fds[1], "abc", 3), 3);
	until(&w.fired, 3);
	loop_watch_events(watch, 0);
	settle(5);
	assert_int_equal(write(fds[1], "d", 1), 1);
	settle(10);
	assert_int_equal(w.fired, 3);
	loop_watch_events(watch, POLLIN);
	until(&w.fired, 4);
	loop_watch_close(watch);
	settle(5);
	close(fds[0]);
	close(fds[1]);
}

static void event_fired(void *ctx, uint64_t count)
{
	((struct watched *)ctx)->fired++;
	((struct watched *)ctx)->count += count;
}

static void eventfd_gives_its_count(void **state)
{
	struct watched w = {.fd = eventfd(0, EFD_NONBLOCK)};
	struct loop_watch *watch;

	assert_int_equal(loop_watch_event(loop, w.fd, event_fired, &w, &watch), 0);
	eventfd_write(w.fd, 3);
	until(&w.fired, 1);
	eventfd_write(w.fd, 4);
	until(&w.fired, 2);
	assert_int_equal(w.count, 7);
	loop_watch_close(watch);
	settle(5);
	close(w.fd);
}

static void signal_fired(void *ctx, int signo)
{
	assert_int_equal(signo, SIGTERM);
	(*(unsigned *)ctx)++;
}

static void signal_arrives_as_callback(void **state)
{
	struct loop_signal *s;
	unsigned fired = 0;

	assert_int_equal(loop_signal(loop, SIGTERM, signal_fired, &fired, &s), 0);
	kill(getpid(), SIGTERM);
	until(&fired, 1);
	kill(getpid(), SIGTERM);
	until(&fired, 2);
	loop_signal_close(s);
}

/* ---- files ------------------------------------------------------------------------------- */

struct written {
	unsigned done;
	int error;
};

static void write_done(void *ctx, int error)
{
	((struct written *)ctx)->done++;
	((struct written *)ctx)->error = error;
}

static void file_is_written(void **state)
{
	char path[] = "/tmp/loop-file-XXXXXX", back[12] = "";
	int fd = mkstemp(path), readonly = open(path, O_RDONLY);
	struct written w = {0};

	assert_int_equal(loop_write(loop, fd, "world", 5, 6, true, write_done, &w), 0);
	assert_int_equal(loop_write(loop, fd, "hello ", 6, 0, false, write_done, &w), 0);
	assert_int_equal(loop_write(loop, fd, NULL, 0, 0, true, write_done, &w), 0);
	until(&w.done, 3);
	assert_int_equal(w.error, 0);
	assert_int_equal(pread(fd, back, 11, 0), 11);
	assert_string_equal(back, "hello world");
	assert_int_equal(loop_write(loop, readonly, "x", 1, 0, true, write_done, &w), 0);
	until(&w.done, 4);
	assert_int_equal(w.error, -EBADF);
	close(readonly);
	close(fd);
	unlink(path);
}

/* ---- programs ---------------------------------------------------------------------------- */

struct program {
	unsigned done;
	struct loop_child_result result;
	char output[64];
	char errors[64];
};

static void program_done(void *ctx, const struct loop_child_result *result)
{
	struct program *p = ctx;

	p->done++;
	p->result = *result;
	snprintf(p->output, sizeof(p->output), "%.*s", (int)result->output_n,
		(const char *)result->output);
	snprintf(p->errors, sizeof(p->errors), "%s", result->errors);
}

static int start_program(
	struct program *p, const char *script, const char *input, struct loop_child_config extra)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct loop_child *child;

	extra.argv = argv;
	extra.input = input;
	extra.input_n = input ? strlen(input) : 0;
	extra.ctx = p;
	extra.done = program_done;
	return loop_child_start(loop, &extra, &child);
}

static void program_runs(void **state)
{
	struct program p = {0};
	struct loop_child_config none = {0};

	assert_int_equal(start_program(&p, "cat; echo no >&2; exit 7", "hello", none), 0);
	until(&p.done, 1);
	assert_int_equal(p.result.exit_code, 7);
	assert_int_equal(p.result.signal, 0);
	assert_string_equal(p.output, "hello");
	assert_string_equal(p.errors, "no\n");
	assert_int_equal(start_program(&p, "kill -9 $$", NULL, none), 0);
	until(&p.done, 2);
	assert_int_equal(p.result.exit_code, -1);
	assert_int_equal(p.result.signal, 9);
	/* A program that does not read its input must not hold us up. */
	assert_int_equal(start_program(&p, "true", "unread", none), 0);
	until(&p.done, 3);
	assert_int_equal(p.result.exit_code, 0);
}

static void program_output_is_whole(void **state)
{
	struct program p = {0};

	assert_int_equal(
		start_program(&p, "head -c 1000000 /dev/zero", NULL, (struct loop_child_config){0}),
		0);
	until(&p.done, 1);
	assert_int_equal(p.result.output_n, 1000000);
	assert_false(p.result.cut);
}

static void program_is_stopped(void **state)
{
	struct loop_child_config brief = {.timeout_ns = 50 * CLOCK_MS};
	struct loop_child_config small = {.output_max = 1000};
	struct program p = {0};

	assert_int_equal(start_program(&p, "sleep 60", NULL, brief), 0);
	until(&p.done, 1);
	assert_true(p.result.timed_out);
	assert_int_equal(p.result.signal, SIGKILL);
	assert_int_equal(start_program(&p, "cat /dev/zero", NULL, small), 0);
	until(&p.done, 2);
	assert_true(p.result.cut);
	assert_int_equal(p.result.output_n, 1000);
	assert_int_equal(start_program(&p, "head -c 1000 /dev/zero", NULL, small), 0);
	until(&p.done, 3);
	assert_false(p.result.cut);
	assert_int_equal(p.result.output_n, 1000);
}

static void program_that_is_missing(void **state)
{
	const char *argv[] = {"no-such-program-anywhere", NULL};
	struct loop_child_config config = {.argv = argv, .done = program_done};
	struct loop_child *child;

	assert_int_equal(loop_child_start(loop, &config, &child), -ENOENT);
}

static void destroy_with_everything_open(void **state)
{
	struct end client = {0}, server = {0};
	struct peer a = {0};
	struct program p = {0};

	connect_pair(&client, &server);
	open_datagram(&a, 0, 0);
	loop_stream_send(client.stream, "x", 1);
	assert_int_equal(start_program(&p, "sleep 60", NULL, (struct loop_child_config){0}), 0);
	/* tear_down() does the rest; the sanitizer looks for what is left. */
}

#define LOOP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	LOOP_TEST(timer_fires),
	LOOP_TEST(tasks_run_later_and_can_be_cancelled),
	LOOP_TEST(hook_keeps_the_loop_awake),
	LOOP_TEST(longest_callback_is_counted),
	LOOP_TEST(a_late_loop_is_counted_and_told),
	LOOP_TEST(a_sleep_that_was_too_long_is_late),
	LOOP_TEST(datagrams_travel),
	LOOP_TEST(a_datagram_knows_how_long_it_waited),
	LOOP_TEST(a_submission_is_no_sleep),
	LOOP_TEST(timers_do_not_wait_for_a_whole_batch),
	LOOP_TEST(datagram_sends_are_bounded),
	LOOP_TEST(datagram_closed_in_its_callback),
	LOOP_TEST(stream_echoes),
	LOOP_TEST(stream_queue_is_bounded),
	LOOP_TEST(stream_half_close),
	LOOP_TEST(stream_closed_in_its_callback),
	LOOP_TEST(connect_is_refused),
	LOOP_TEST(connect_times_out),
	LOOP_TEST(streams_share_few_buffers),
	LOOP_TEST(unix_stream_knows_its_peer),
	LOOP_TEST(stale_socket_file_is_replaced),
	LOOP_TEST(packets_carry_descriptors),
	LOOP_TEST(packet_connect_to_nobody),
	LOOP_TEST(watch_is_level_triggered),
	LOOP_TEST(eventfd_gives_its_count),
	LOOP_TEST(signal_arrives_as_callback),
	LOOP_TEST(file_is_written),
	LOOP_TEST(program_runs),
	LOOP_TEST(program_output_is_whole),
	LOOP_TEST(program_is_stopped),
	LOOP_TEST(program_that_is_missing),
	LOOP_TEST(destroy_with_everything_open),
};

int main(void)
{
	int failed = cmocka_run_group_tests_name("loop", tests, NULL, NULL);

	plain_mode = true;
	return failed + cmocka_run_group_tests_name("loop, plain", tests, NULL, NULL);
}
