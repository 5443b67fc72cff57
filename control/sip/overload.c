/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/overload.h"

#include <stdlib.h>

#define SECOND UINT64_C(1000000000)

/*
 * Rates are in calls a second of each source. Limiting begins with a part of what the busiest source
 * had lately (forgotten bit by bit), and not with next to nothing: what waits may be something else
 * than calls. In an interval the rate falls by so much at most; it rises fast to near where the
 * queue began to stand, and slowly from there on, faster only when that goes well for long: what a
 * call costs comes seconds after it was taken.
 */
#define RATE_MIN       1.0
#define RATE_FIRST_MIN 10.0
#define FIRST          0.7
#define FORGET         0.9
#define FALL           0.85
#define RISE           0.02
#define RISE_FAST      0.1
#define RISE_LEAST     0.5
#define NEAR           0.8
#define LONG           20 /* intervals */

/* What a source may take at once after a pause, in seconds of its rate. */
#define BURST_S 0.1

/* Refusals lie in sets by their key, in each of which the oldest makes room. */
#define WAYS 16u
#define SETS (OVERLOAD_REFUSED / WAYS)

_Static_assert((SETS & (SETS - 1)) == 0, "sets are masked");

struct source {
	double tokens;
	uint64_t filled_ns;
	uint32_t taken; /* in this interval */
};

struct refusal {
	uint64_t key, at_ns;
};

struct overload {
	uint64_t target_ns;
	uint64_t interval_ns; /* when it began; 0: none yet */
	uint64_t least_ns;    /* of this interval; UINT64_MAX: no message */
	uint32_t messages;    /* of this interval */
	uint64_t refused_ns;  /* the last time */
	bool limiting, refusing;
	double rate;
	double peak;   /* calls a second of the busiest source lately */
	double stood;  /* the rate when the queue began to stand */
	uint32_t calm; /* intervals in a row without a standing queue */
	struct overload_stats stats;
	struct source sources[OVERLOAD_SOURCES];
	struct refusal refusals[SETS][WAYS];
};

struct overload *overload_new(uint64_t target_ns)
{
	struct overload *o = calloc(1, sizeof(*o));

	if (o) {
		o->target_ns = target_ns;
		o->least_ns = UINT64_MAX;
	}
	return o;
}

void overload_free(struct overload *o)
{
	free(o);
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

/* Calls a second that the busiest source had in the interval. */
static double busiest(const struct overload *o)
{
	uint32_t most = 0;

	for (unsigned i = 0; i < OVERLOAD_SOURCES; i++)
		if (o->sources[i].taken > most)
			most = o->sources[i].taken;
	return most * ((double)SECOND / OVERLOAD_INTERVAL_NS);
}

static void set_rate(struct overload *o, double rate)
{
	o->rate = larger(rate, RATE_MIN);
	o->stats.rate = (uint32_t)(o->rate + 0.5);
}

static void begin(struct overload *o, uint64_t now_ns)
{
	o->limiting = true;
	o->refused_ns = now_ns;
	o->stats.episodes++;
	o->calm = 0;
	o->stood = larger(o->peak, RATE_FIRST_MIN / FIRST);
	set_rate(o, o->stood * FIRST);
	for (unsigned i = 0; i < OVERLOAD_SOURCES; i++)
		o->sources[i] = (struct source){.tokens = 1, .filled_ns = now_ns};
}

static void end(struct overload *o)
{
	o->limiting = false;
	o->stats.rate = 0;
}

static void fall(struct overload *o, uint64_t least_ns)
{
	if (o->calm)
		o->stood = o->rate;
	o->calm = 0;
	/* what is in the queue was taken before: while it drains, the rate is low enough */
	if (least_ns >= o->stats.least_ns)
		set_rate(o, o->rate * larger(FALL, (double)o->target_ns / (double)least_ns));
}

static void rise(struct overload *o)
{
	double part = o->rate < NEAR * o->stood ? RISE_FAST : RISE * (1 + o->calm / LONG);

	o->calm++;
	set_rate(o, o->rate * (1 + part) + RISE_LEAST);
}

/* `least_ns`: of the interval that is over; the last one's is in the statistics. */
static void adjust(struct overload *o, uint64_t least_ns, uint64_t now_ns)
{
	if (least_ns > o->target_ns)
		fall(o, least_ns);
	else if (o->refusing)
		rise(o);
	else if (now_ns > o->refused_ns + OVERLOAD_CALM_NS)
		end(o);
}

static void interval_over(struct overload *o, uint64_t now_ns)
{
	uint64_t least_ns = o->messages < OVERLOAD_MESSAGES ? 0 : o->least_ns;

	o->peak = larger(busiest(o), o->peak * FORGET);
	if (o->limiting)
		adjust(o, least_ns, now_ns);
	else if (least_ns > o->target_ns)
		begin(o, now_ns);
	for (unsigned i = 0; i < OVERLOAD_SOURCES; i++)
		o->sources[i].taken = 0;
	o->stats.least_ns = least_ns;
	o->least_ns = UINT64_MAX;
	o->messages = 0;
	o->refusing = false;
	o->interval_ns = now_ns;
}

static void run(struct overload *o, uint64_t now_ns)
{
	if (o->interval_ns == 0)
		o->interval_ns = now_ns;
	if (now_ns >= o->interval_ns + OVERLOAD_INTERVAL_NS)
		interval_over(o, now_ns);
}

void overload_waited(struct overload *o, uint64_t wait_ns, uint64_t now_ns)
{
	if (o->target_ns == 0)
		return;
	run(o, now_ns);
	o->messages++;
	if (wait_ns < o->least_ns)
		o->least_ns = wait_ns;
}

static bool take(const struct overload *o, struct source *s, uint64_t now_ns)
{
	double most = larger(o->rate * BURST_S, 1);

	s->tokens += o->rate * (double)(now_ns - s->filled_ns) / SECOND;
	s->filled_ns = now_ns;
	if (s->tokens > most)
		s->tokens = most;
	if (s->tokens < 1)
		return false;
	s->tokens -= 1;
	return true;
}

bool overload_refused(const struct overload *o, uint64_t key, uint64_t now_ns)
{
	const struct refusal *set = o->refusals[key % SETS];

	if (o->stats.refused == 0)
		return false;
	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].key == key && set[i].at_ns &&
			now_ns < set[i].at_ns + OVERLOAD_REFUSED_NS)
			return true;
	return false;
}

static void remember(struct overload *o, uint64_t key, uint64_t now_ns)
{
	struct refusal *set = o->refusals[key % SETS], *oldest = set;

	for (unsigned i = 1; i < WAYS; i++)
		if (set[i].at_ns < oldest->at_ns)
			oldest = &set[i];
	*oldest = (struct refusal){key, now_ns};
}

static bool refuse(struct overload *o)
{
	o->stats.refused++;
	return false;
}

bool overload_admits(struct overload *o, uint32_t source, uint64_t key, uint64_t now_ns)
{
	struct source *s = &o->sources[source % OVERLOAD_SOURCES];

	if (o->target_ns == 0)
		return true;
	run(o, now_ns);
	if (overload_refused(o, key, now_ns))
		return refuse(o);
	if (o->limiting && !take(o, s, now_ns)) {
		remember(o, key, now_ns);
		o->refusing = true;
		o->refused_ns = now_ns;
		return refuse(o);
	}
	s->taken++;
	return true;
}

const struct overload_stats *overload_stats(const struct overload *o)
{
	return &o->stats;
}
