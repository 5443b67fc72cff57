/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/offload.h"

#define JOBS 100

struct job {
	unsigned number, worked;
	bool elsewhere;
	pthread_t main;
};

static unsigned done_count;
static struct offload *offload;
static bool was_cancelled;

static void work(void *ctx)
{
	struct job *j = ctx;

	j->worked = j->number * 2;
	j->elsewhere = !pthread_equal(j->main, pthread_self());
}

static void done(void *ctx)
{
	struct job *j = ctx;

	assert_int_equal(j->number, done_count);
	assert_int_equal(j->worked, j->number * 2);
	assert_true(j->elsewhere);
	assert_true(pthread_equal(j->main, pthread_self()));
	done_count++;
}

static void jobs_come_back_in_order(void **state)
{
	struct job jobs[JOBS];
	struct loop *loop;
	uint64_t end = clock_now() + 5 * CLOCK_S;

	done_count = 0;
	assert_int_equal(loop_create(NULL, &loop), 0);
	assert_int_equal(offload_create(loop, JOBS, &offload), 0);
	for (unsigned i = 0; i < JOBS; i++) {
		jobs[i] = (struct job){.number = i, .main = pthread_self()};
		assert_int_equal(offload_submit(offload, work, done, &jobs[i]), 0);
	}
	assert_int_equal(offload_submit(offload, work, done, &jobs[0]), -ENOBUFS);
	while (done_count < JOBS && clock_now() < end)
		loop_step(loop, 10 * CLOCK_MS);
	assert_int_equal(done_count, JOBS);
	assert_int_equal(offload_pending(offload), 0);
	offload_destroy(offload);
	loop_destroy(loop);
}

static void slow_work(void *ctx)
{
	usleep(30000);
}

struct thing {
	struct job job;
	pthread_mutex_t *gate; /* what the helper waits for, or NULL */
	_Atomic unsigned released;
};

static void release_thing(void *ctx)
{
	struct thing *t = ctx;

	if (t->gate) {
		pthread_mutex_lock(t->gate);
		pthread_mutex_unlock(t->gate);
	}
	work(&t->job);
	t->released++;
}

/* On the helper; here when that has too much of it, or is gone. Nothing comes back. */
static void things_are_released_elsewhere(void **state)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct thing t[4] = {{.gate = &gate}};
	struct loop *loop;

	for (unsigned i = 0; i < 4; i++)
		t[i].job.main = pthread_self();
	assert_int_equal(loop_create(NULL, &loop), 0);
	assert_int_equal(offload_create(loop, 2, &offload), 0);
	pthread_mutex_lock(&gate);
	for (unsigned i = 0; i < 3; i++)
		offload_release(offload, release_thing, &t[i]);
	assert_int_equal(t[0].released + t[1].released, 0);
	assert_true(t[2].released && !t[2].job.elsewhere);
	assert_int_equal(offload_pending(offload), 0);
	pthread_mutex_unlock(&gate);
	for (uint64_t end = clock_now() + 5 * CLOCK_S; !t[1].released && clock_now() < end;)
		usleep(1000);
	assert_true(t[0].job.elsewhere && t[1].job.elsewhere);
	offload_release(offload, release_thing, &t[3]);
	offload_destroy(offload);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(t[i].released, 1);
	loop_destroy(loop);
}

static void count_done(void *ctx)
{
	done_count++;
	was_cancelled = offload_cancelled(offload);
}

static void shutdown_returns_every_job(void **state)
{
	struct loop *loop;

	done_count = 0;
	assert_int_equal(loop_create(NULL, &loop), 0);
	assert_int_equal(offload_create(loop, 0, &offload), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(offload_submit(offload, slow_work, count_done, NULL), 0);
	usleep(5000);
	offload_destroy(offload);
	assert_int_equal(done_count, 5);
	assert_true(was_cancelled);
	loop_destroy(loop);
	offload_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_come_back_in_order),
		cmocka_unit_test(shutdown_returns_every_job),
		cmocka_unit_test(things_are_released_elsewhere),
	};

	return cmocka_run_group_tests_name("offload", tests, NULL, NULL);
}
