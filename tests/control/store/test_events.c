/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "store/events.h"

#define START (UINT64_C(1773561600) * CLOCK_S)

static struct events *events;

static void open_events(unsigned keep, unsigned memory)
{
	const struct events_config config = {.loop = loop,
		.offload = offload,
		.path = path,
		.wall_ns = START,
		.keep = keep,
		.memory = memory};
	char error[EVENTS_ERROR_SIZE] = "";

	assert_int_equal(events_open(&config, error, &events), 0);
}

static void close_events(void)
{
	helper_restart();
	assert_int_equal(events_close(events), 0);
	events = NULL;
}

static uint64_t append(unsigned n)
{
	uint64_t number = 0;
	char json[64];
	int length = snprintf(json, sizeof(json), "{\"n\":%u}", n);

	assert_int_equal(
		events_append(events, "agent", START + n, str_make(json, (size_t)length), &number),
		0);
	return number;
}

static bool all_written(void)
{
	struct events_stats s;

	events_stats(events, &s);
	return s.waiting == 0;
}

struct page {
	unsigned calls;
	int error;
	bool gap, more;
	size_t n;
	uint64_t first, last;
};

static void on_page(void *ctx, const struct events_page *p)
{
	struct page *page = ctx;

	page->calls++;
	page->error = p->error;
	page->gap = p->gap;
	page->more = p->more;
	page->n = p->n;
	for (size_t i = 0; i < p->n; i++) {
		char text[64];

		if (i)
			assert_int_equal(p->events[i].number, p->events[i - 1].number + 1);
		assert_string_equal(p->events[i].topic, "agent");
		snprintf(
			text, sizeof(text), "{\"n\":%u}", (unsigned)(p->events[i].wall_ns - START));
		assert_true(str_equal_text(p->events[i].json, text));
	}
	page->first = p->n ? p->events[0].number : 0;
	page->last = p->n ? p->events[p->n - 1].number : 0;
}

static struct page read_after(uint64_t after)
{
	struct page page = {0};

	assert_int_equal(events_read(events, after, on_page, &page), 0);
	assert_int_equal(page.calls, 0);
	UNTIL(page.calls == 1);
	assert_int_equal(page.error, 0);
	return page;
}

/* Reads to the end; returns how many came, and how many gaps. */
static unsigned read_all(uint64_t after, unsigned *gaps)
{
	unsigned n = 0;
	struct page page;

	*gaps = 0;
	do {
		page = read_after(after);
		n += (unsigned)page.n;
		*gaps += page.gap;
		after = page.last;
	} while (page.more);
	return n;
}

struct ear {
	struct events_listener listener;
	unsigned heard;
	uint64_t last;
	struct events_listener *drops;
};

static void on_event(void *ctx, const struct event *event)
{
	struct ear *ear = ctx;

	if (ear->heard++)
		assert_int_equal(event->number, ear->last + 1);
	ear->last = event->number;
	if (ear->drops) {
		events_unlisten(ear->drops);
		ear->drops = NULL;
	}
}

static void listeners_hear_in_order_and_may_leave(void **state)
{
	struct ear ears[3] = {0};

	open_events(0, 0);
	for (unsigned i = 0; i < 3; i++) {
		ears[i].listener = (struct events_listener){.fn = on_event, .ctx = &ears[i]};
		events_listen(events, &ears[i].listener);
	}
	append(1);
	/* The first drops the second, the one that comes next; then itself. */
	ears[0].drops = &ears[1].listener;
	append(2);
	ears[0].drops = &ears[0].listener;
	append(3);
	append(4);
	assert_int_equal(ears[0].heard, 3);
	assert_int_equal(ears[1].heard, 1);
	assert_int_equal(ears[2].heard, 4);
	events_unlisten(&ears[1].listener);
	close_events();
}

static void a_reader_resumes_from_memory_and_from_the_disk(void **state)
{
	unsigned gaps;

	open_events(0, 100);
	for (unsigned i = 1; i <= 5000; i++)
		append(i);
	UNTIL(all_written());
	struct events_stats s;
	events_stats(events, &s);
	assert_true(s.in_memory <= 100);
	assert_int_equal(read_all(0, &gaps), 5000);
	assert_int_equal(gaps, 0);
	assert_int_equal(read_all(4990, &gaps), 10);
	assert_int_equal(gaps, 0);
	/* Nothing new. */
	struct page page = read_after(5000);
	assert_int_equal(page.n, 0);
	assert_false(page.gap);
	/* A number from the future is somebody else's log. */
	page = read_after(5001);
	assert_int_equal(page.n, 0);
	assert_true(page.gap);
	close_events();
}

static void a_resume_from_before_the_log_gets_a_gap(void **state)
{
	open_events(1000, 100);
	for (unsigned i = 1; i <= 3000; i++) {
		append(i);
		if (i % 500 == 0)
			UNTIL(all_written());
	}
	UNTIL(all_written());
	struct page page = read_after(10);
	assert_true(page.gap);
	assert_int_equal(page.first, 2001);
	page = read_after(2500);
	assert_false(page.gap);
	assert_int_equal(page.first, 2501);
	close_events();
}

static void what_is_too_old_goes(void **state)
{
	uint64_t number;

	open_events(0, 0);
	append(1);
	append(2);
	UNTIL(all_written());
	assert_int_equal(events_append(events, "agent", START + EVENTS_KEEP_NS + CLOCK_S,
				 STR("{\"n\":3}"), &number),
		0);
	UNTIL(all_written());
	struct events_stats s;
	events_stats(events, &s);
	assert_int_equal(s.in_memory, 1);
	close_events();
	open_events(0, 0);
	assert_int_equal(events_last(events), 3);
	close_events();
}

static void numbers_go_on_after_a_restart(void **state)
{
	unsigned gaps;

	open_events(0, 0);
	for (unsigned i = 1; i <= 700; i++)
		append(i);
	/* Closed in good order, most of it not written yet. */
	close_events();
	open_events(0, 0);
	assert_int_equal(events_last(events), 700);
	assert_int_equal(append(701), 701);
	assert_int_equal(read_all(0, &gaps), 701);
	assert_int_equal(gaps, 0);
	close_events();
}

/* In a child that is killed: nothing is closed, nothing is flushed by us. */
static void live_and_die(int report)
{
	open_events(0, 0);
	for (unsigned i = 1; i <= 50; i++)
		append(i);
	UNTIL(all_written());
	/* Heard by a subscriber, lost in the crash. */
	uint64_t heard = append(51);
	if (write(report, &heard, sizeof(heard)) != sizeof(heard))
		_exit(1);
	raise(SIGKILL);
}

static void a_crash_never_gives_a_number_twice(void **state)
{
	int ends[2], status;
	uint64_t heard = 0;

	assert_int_equal(pipe(ends), 0);
	/* No thread may be in the allocator when its locks are copied. */
	offload_destroy(offload);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (loop_create(NULL, &loop) || offload_create(loop, 0, &offload))
			_exit(1);
		live_and_die(ends[1]);
	}
	assert_int_equal(offload_create(loop, 0, &offload), 0);
	close(ends[1]);
	assert_int_equal(read(ends[0], &heard, sizeof(heard)), sizeof(heard));
	close(ends[0]);
	waitpid(child, &status, 0);
	assert_int_equal(heard, 51);

	open_events(0, 0);
	uint64_t next = append(52);
	assert_true(next > heard);
	/* Who heard 51 is told that something is missing between it and the next. */
	struct page page = read_after(heard);
	assert_true(page.gap);
	assert_int_equal(page.first, next);
	page = read_after(0);
	assert_false(page.gap);
	assert_int_equal(page.n, 50);
	assert_true(page.more);
	close_events();
}

/* The disk takes no byte and no name: of what was given up, nothing is on it, but it was heard. */
static void what_was_given_up_never_gives_a_number_twice(void **state)
{
	struct events_stats s;
	uint64_t heard = 0;
	char away[140];

	open_events(0, 0);
	append(1);
	UNTIL(all_written());
	snprintf(away, sizeof(away), "%s-away", path);
	assert_int_equal(rename(path, away), 0);
	disk_takes(20);
	for (unsigned i = 2; i < 3 * EVENTS_WAITING_MAX; i++)
		heard = append(i);
	UNTIL((events_stats(events, &s), s.failures));
	assert_true(s.given_up > EVENTS_WAITING_MAX);
	/* closed without its end: the next life finds what it finds after a crash */
	helper_restart();
	assert_true(events_close(events) < 0);
	disk_takes(RLIM_INFINITY);
	assert_int_equal(rename(away, path), 0);
	open_events(0, 0);
	assert_true(append(1) > heard);
	close_events();
}

static void bad_events_are_refused(void **state)
{
	static char big[EVENTS_JSON_MAX + 1];
	uint64_t number = 77;

	open_events(0, 0);
	memset(big, 'x', sizeof(big));
	assert_int_equal(events_append(events, "", START, STR("{}"), &number), -EINVAL);
	assert_int_equal(events_append(events, "a-topic-that-is-longer-than-thirty-two-bytes",
				 START, STR("{}"), &number),
		-EINVAL);
	assert_int_equal(events_append(events, "agent", START, STR_NULL, &number), -EINVAL);
	assert_int_equal(
		events_append(events, "agent", START, str_make(big, sizeof(big)), &number), -E2BIG);
	assert_int_equal(number, 77);
	close_events();
	const struct events_config config = {
		.loop = loop, .offload = offload, .path = "/nonexistent/x/e.db"};
	char error[EVENTS_ERROR_SIZE];
	assert_int_equal(events_open(&config, error, &events), -ENOENT);
	assert_non_null(strstr(error, "/nonexistent/x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(listeners_hear_in_order_and_may_leave),
		T(a_reader_resumes_from_memory_and_from_the_disk),
		T(a_resume_from_before_the_log_gets_a_gap),
		T(what_is_too_old_goes),
		T(numbers_go_on_after_a_restart),
		T(a_crash_never_gives_a_number_twice),
		T(what_was_given_up_never_gives_a_number_twice),
		T(bad_events_are_refused),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
