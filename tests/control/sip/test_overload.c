/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overload control against a server with one queue, in simulated time. A call is an INVITE and two
 * messages that follow, much later: what was taken cannot be undone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "sip/overload.h"

#define MS       UINT64_C(1000000)
#define S        (1000 * MS)
#define TARGET   (10 * MS)
#define TRUNKS   3u
#define CAPACITY 500u /* calls a second: 2 ms of work each */
#define MESSAGES (1u << 20)

/* Work in nanoseconds, and when what follows a call comes. */
#define REFUSE_NS 20000u
#define INVITE_NS 800000u
#define SECOND_NS 500000u
#define THIRD_NS  700000u
#define SECOND_AT (300 * MS)
#define THIRD_AT  (1200 * MS)

struct message {
	uint64_t at_ns;
	uint32_t work_ns; /* 0: an INVITE */
	uint32_t trunk;
};

struct server {
	struct overload *overload;
	struct random random;
	uint64_t now_ns;
	double offered[TRUNKS]; /* calls a second */
	uint64_t next_ns[TRUNKS];
	/* what follows, in order of time, since it comes a fixed while after */
	struct message second[MESSAGES], third[MESSAGES];
	unsigned second_in, second_out, third_in, third_out;
	/* of the time that is looked at */
	uint32_t in[TRUNKS], taken[TRUNKS];
	uint64_t longest_ns, waits_ns, messages;
};

static struct server *make(uint64_t target_ns)
{
	struct server *s = calloc(1, sizeof(*s));

	random_init_seed(&s->random, 3);
	s->overload = overload_new(target_ns);
	s->now_ns = S;
	for (unsigned i = 0; i < TRUNKS; i++)
		s->next_ns[i] = UINT64_MAX;
	return s;
}

static void end(struct server *s)
{
	overload_free(s->overload);
	free(s);
}

/* Arrivals are as far apart as chance has it, half to one and a half of the mean. */
static uint64_t gap_ns(struct server *s, unsigned trunk)
{
	double mean = (double)S / s->offered[trunk];

	return (uint64_t)(mean / 2) + random_below(&s->random, (uint64_t)mean + 1);
}

static void offer(struct server *s, unsigned trunk, double calls_per_s)
{
	s->offered[trunk] = calls_per_s;
	s->next_ns[trunk] = calls_per_s > 0 ? s->now_ns + gap_ns(s, trunk) : UINT64_MAX;
}

/* The message that came first of those that are not worked yet. */
static struct message next(struct server *s)
{
	struct message best = {.at_ns = UINT64_MAX};

	for (unsigned i = 0; i < TRUNKS; i++)
		if (s->next_ns[i] < best.at_ns)
			best = (struct message){.at_ns = s->next_ns[i], .trunk = i};
	if (s->second_out < s->second_in && s->second[s->second_out].at_ns < best.at_ns)
		best = s->second[s->second_out];
	if (s->third_out < s->third_in && s->third[s->third_out].at_ns < best.at_ns)
		best = s->third[s->third_out];
	return best;
}

static void invite(struct server *s, const struct message *m)
{
	uint64_t key = random_u64(&s->random);

	s->next_ns[m->trunk] += gap_ns(s, m->trunk);
	s->in[m->trunk]++;
	if (!overload_admits(s->overload, m->trunk, key, s->now_ns)) {
		s->now_ns += REFUSE_NS;
		return;
	}
	s->taken[m->trunk]++;
	s->now_ns += INVITE_NS;
	s->second[s->second_in++ % MESSAGES] =
		(struct message){s->now_ns + SECOND_AT, SECOND_NS, m->trunk};
	s->third[s->third_in++ % MESSAGES] =
		(struct message){s->now_ns + THIRD_AT, THIRD_NS, m->trunk};
}

static void work(struct server *s, uint64_t for_ns)
{
	uint64_t until_ns = s->now_ns + for_ns;

	memset(s->in, 0, sizeof(s->in));
	memset(s->taken, 0, sizeof(s->taken));
	s->longest_ns = s->waits_ns = s->messages = 0;
	while (s->now_ns < until_ns) {
		struct message m = next(s);
		uint64_t wait_ns;

		if (m.at_ns >= until_ns) {
			s->now_ns = until_ns;
			return;
		}
		if (m.at_ns > s->now_ns)
			s->now_ns = m.at_ns;
		wait_ns = s->now_ns - m.at_ns;
		s->longest_ns = wait_ns > s->longest_ns ? wait_ns : s->longest_ns;
		s->waits_ns += wait_ns;
		s->messages++;
		overload_waited(s->overload, wait_ns, s->now_ns);
		if (m.work_ns == 0) {
			invite(s, &m);
			continue;
		}
		if (m.work_ns == SECOND_NS)
			s->second_out++;
		else
			s->third_out++;
		s->now_ns += m.work_ns;
	}
}

static void no_call_is_refused_that_can_be_served(void **state)
{
	struct server *s = make(TARGET);

	offer(s, 0, 0.9 * CAPACITY);
	work(s, 20 * S);
	assert_int_equal(overload_stats(s->overload)->refused, 0);
	/* A burst of a tenth of a second's work is served as well. */
	offer(s, 1, 10 * CAPACITY);
	work(s, 10 * MS);
	offer(s, 1, 0);
	work(s, 5 * S);
	assert_int_equal(overload_stats(s->overload)->refused, 0);
	end(s);
}

/* Without it the queue grows for ever; with it goodput stays, and waits stay short. */
static void goodput_stays_when_more_is_offered(void **state)
{
	static const double factors[] = {1.2, 1.5, 2, 3, 5};

	for (unsigned i = 0; i < sizeof(factors) / sizeof(factors[0]); i++) {
		struct server *s = make(TARGET);
		double spent = (factors[i] - 1) * CAPACITY * REFUSE_NS / S, served;

		offer(s, 0, factors[i] * CAPACITY);
		work(s, 5 * S);
		work(s, 20 * S);
		served = s->taken[0] / 20.0;
		assert_true(served > 0.9 * (1 - spent) * CAPACITY);
		assert_true(s->waits_ns / s->messages < 2 * TARGET);
		assert_true(s->longest_ns < 150 * MS);
		end(s);
	}
}

/* The server was held up for two seconds; what it can do is offered to it again soon. */
static void it_recovers_from_a_pause(void **state)
{
	struct server *s = make(TARGET);

	offer(s, 0, 2 * CAPACITY);
	work(s, 5 * S);
	for (int i = 0; i < 20; i++) {
		s->now_ns += 100 * MS;
		work(s, 10 * MS);
	}
	work(s, 4 * S);
	work(s, 4 * S);
	assert_true(s->taken[0] / 4.0 > 0.85 * CAPACITY);
	end(s);
}

static void it_is_over_soon(void **state)
{
	struct server *s = make(TARGET);

	offer(s, 0, 0.8 * CAPACITY);
	work(s, 5 * S);
	offer(s, 0, 3 * CAPACITY);
	work(s, 3 * S);
	assert_true(s->longest_ns < 1500 * MS);
	assert_true(overload_stats(s->overload)->rate > 0);
	offer(s, 0, 0.8 * CAPACITY);
	work(s, 3 * S);
	uint64_t refused = overload_stats(s->overload)->refused;

	work(s, 10 * S);
	assert_int_equal(overload_stats(s->overload)->refused, refused);
	assert_int_equal(overload_stats(s->overload)->rate, 0);
	assert_int_equal(overload_stats(s->overload)->episodes, 1);
	end(s);
}

/* Two trunks that want all of it get the same; the third has what it asks for. */
static void trunks_share_fairly(void **state)
{
	struct server *s = make(TARGET);

	offer(s, 0, 3 * CAPACITY);
	offer(s, 1, CAPACITY);
	offer(s, 2, 0.1 * CAPACITY);
	work(s, 5 * S);
	work(s, 20 * S);
	assert_true(s->taken[2] > 0.98 * s->in[2]);
	assert_true(s->taken[0] < 1.1 * s->taken[1] && s->taken[1] < 1.1 * s->taken[0]);
	end(s);
}

static void a_refused_call_stays_refused(void **state)
{
	struct overload *o = overload_new(TARGET);
	uint64_t now = S, key = 1;

	for (; now < 2 * S; now += 5 * MS) {
		overload_waited(o, 50 * MS, now);
		overload_admits(o, 0, key++ << 32, now);
	}
	assert_true(overload_stats(o)->rate > 0);
	while (overload_admits(o, 0, ++key << 32, now))
		;
	/* Its repetitions, also when there is time again. */
	assert_false(overload_admits(o, 0, key << 32, now + 500 * MS));
	assert_false(overload_admits(o, 0, key << 32, now + 20 * S));
	assert_true(overload_admits(o, 0, (key + 1) << 32, now + 20 * S));
	assert_true(overload_admits(o, 0, key << 32, now + 60 * S));
	overload_free(o);
}

/* Thousands of refusals later as well: an INVITE is repeated after half a second at the earliest. */
static void many_refusals_are_remembered(void **state)
{
	enum { REFUSALS = 20000 };
	static uint64_t keys[REFUSALS];
	struct overload *o = overload_new(TARGET);
	struct random random;
	uint64_t now = S;

	random_init_seed(&random, 5);
	for (; now < 2 * S; now += 5 * MS)
		overload_waited(o, 50 * MS, now);
	for (unsigned n = 0; n < REFUSALS;) {
		keys[n] = random_u64(&random);
		n += !overload_admits(o, 0, keys[n], now);
	}
	for (unsigned n = 0; n < REFUSALS; n++)
		assert_false(overload_admits(o, 0, keys[n], now + 5 * S));
	overload_free(o);
}

static void it_can_be_off(void **state)
{
	struct overload *o = overload_new(0);

	for (uint64_t now = S; now < 5 * S; now += MS) {
		overload_waited(o, S, now);
		assert_true(overload_admits(o, 0, now, now));
	}
	overload_free(o);
}

/* Long waits with hardly a message: there is no queue, so nothing is refused. */
static void a_pause_is_no_queue(void **state)
{
	struct overload *o = overload_new(TARGET);

	for (uint64_t now = S; now < 60 * S; now += 20 * MS) {
		overload_waited(o, 50 * MS, now);
		assert_true(overload_admits(o, 0, now, now));
	}
	overload_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_call_is_refused_that_can_be_served),
		cmocka_unit_test(goodput_stays_when_more_is_offered),
		cmocka_unit_test(it_recovers_from_a_pause),
		cmocka_unit_test(it_is_over_soon),
		cmocka_unit_test(trunks_share_fairly),
		cmocka_unit_test(a_refused_call_stays_refused),
		cmocka_unit_test(many_refusals_are_remembered),
		cmocka_unit_test(it_can_be_off),
		cmocka_unit_test(a_pause_is_no_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
