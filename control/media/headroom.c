/* SPDX-License-Identifier: Apache-2.0 */
#include "media/headroom.h"

#include <stdbool.h>

#include "base/check.h"

/* By bench_kernels and bench_worker; a worker's time depends on its core and its NIC. */
enum {
	LEG_NS = 60,
	G722_NS = 25000,
	OPUS_NS = 55000,
	OPUS_STEP_NS = 15000,
	SRTP_GCM_NS = 100,
	SRTP_CM_NS = 200,
};

/* A hundred legs fit on any core: what is measured beyond that are not the legs. */
#define LEG_MAX_NS (CORD_TICK_NS / 100)
/* A core that does less has told nothing about legs: the rest of its work counts as much. */
#define LEARN_NS (CORD_TICK_NS / 10)
/* What a leg costs is forgotten by so much in a second without legs. */
#define FORGET 0.9
/* Bounds of what is believed of the arithmetic. */
#define PART_MIN 0.1
#define PART_MAX 10.0

static uint64_t srtp_ns(const struct cord_terms *terms)
{
	switch ((enum cord_srtp_suite)terms->send_key.suite) {
	case CORD_SRTP_NONE:
		return 0;
	case CORD_SRTP_AEAD_AES_128_GCM:
	case CORD_SRTP_AEAD_AES_256_GCM:
		return SRTP_GCM_NS;
	default:
		return SRTP_CM_NS;
	}
}

uint64_t headroom_arithmetic_ns(const struct cord_terms *terms)
{
	switch ((enum cord_codec)terms->codec) {
	case CORD_CODEC_G722:
		return srtp_ns(terms) + G722_NS;
	case CORD_CODEC_OPUS:
		return srtp_ns(terms) + OPUS_NS + (uint64_t)OPUS_STEP_NS * terms->opus_complexity;
	default:
		return srtp_ns(terms);
	}
}

void headroom_reset(struct headroom *h, unsigned workers)
{
	CHECK(workers <= CORD_WORKERS_MAX);
	h->workers = workers;
	for (unsigned i = 0; i < CORD_WORKERS_MAX; i++) {
		struct headroom_worker *w = &h->worker[i];
		bool learned = w->leg_ns > 0;

		*w = (struct headroom_worker){.leg_ns = learned ? w->leg_ns : LEG_NS,
			.arithmetic_part = learned ? w->arithmetic_part : 1};
	}
}

void headroom_change(struct headroom *h, unsigned worker, const struct headroom_load *before,
	const struct headroom_load *now)
{
	struct headroom_load *load = &h->worker[worker].load;

	CHECK(worker < h->workers && load->legs >= before->legs &&
		load->awaited >= before->awaited && load->arithmetic_ns >= before->arithmetic_ns);
	load->legs += now->legs - before->legs;
	load->awaited += now->awaited - before->awaited;
	load->arithmetic_ns += now->arithmetic_ns - before->arithmetic_ns;
}

static double within(double value, double least, double most)
{
	if (value < least)
		return least;
	return value < most ? value : most;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static void learn(struct headroom_worker *w, double ports)
{
	double busy = (double)w->busy_ns;
	double arithmetic = w->arithmetic_part * w->sampled_arithmetic_ns;

	/* Whatever the worker did beside, junk that it threw away: legs cost no more than all of it. */
	if (ports > 0)
		w->leg_ns = within(w->leg_ns, LEG_NS, larger(busy / ports, LEG_NS));
	else
		w->leg_ns = larger(w->leg_ns * FORGET, LEG_NS);
	if (w->busy_ns < LEARN_NS || ports <= 0)
		return;
	if (2 * arithmetic >= busy)
		w->arithmetic_part = within(
			(busy - ports * w->leg_ns) / w->sampled_arithmetic_ns, PART_MIN, PART_MAX);
	else
		w->leg_ns = within((busy - arithmetic) / ports, LEG_NS, LEG_MAX_NS);
}

void headroom_measure(struct headroom *h, unsigned worker, const struct headroom_sample *sample)
{
	struct headroom_worker *w = &h->worker[worker];
	const struct headroom_sample last = w->sample;
	uint64_t total = sample->total_cycles - last.total_cycles;
	uint64_t busy = sample->busy_cycles - last.busy_cycles;
	const struct headroom_load before = w->sampled;

	w->sample = *sample;
	w->sampled = w->load;
	/* The first one, or what no dataplane of ours would write. */
	if (last.total_cycles == 0 || sample->total_cycles <= last.total_cycles || busy > total ||
		sample->ports > CORD_PORTS_MAX)
		return;
	w->sampled_legs = (w->load.legs + (double)before.legs) / 2;
	w->sampled_arithmetic_ns =
		((double)w->load.arithmetic_ns + (double)before.arithmetic_ns) / 2;
	w->busy_ns = (uint64_t)((double)busy / (double)total * CORD_TICK_NS);
	w->phase_ns = (uint64_t)within(
		(double)sample->phase_fullest * (CORD_TICK_NS / 1000), 0, CORD_TICK_NS);
	w->taken_ns = w->busy_ns > w->phase_ns ? w->busy_ns : w->phase_ns;
	learn(w, (double)(sample->ports + last.ports) / 2);
}

uint64_t headroom_leg_ns(const struct headroom *h, unsigned worker)
{
	const struct headroom_worker *w = &h->worker[worker];
	double arithmetic = w->load.legs ? (double)w->load.arithmetic_ns / w->load.legs : 0;

	return (uint64_t)(w->leg_ns + w->arithmetic_part * arithmetic);
}

uint64_t headroom_expected_ns(const struct headroom *h, unsigned worker)
{
	const struct headroom_worker *w = &h->worker[worker];
	double since =
		w->leg_ns * (w->load.legs - w->sampled_legs) +
		w->arithmetic_part * ((double)w->load.arithmetic_ns - w->sampled_arithmetic_ns);
	double awaited = (double)headroom_leg_ns(h, worker) * w->load.awaited;

	return (uint64_t)within((double)w->taken_ns + since + awaited, 0, 1e18);
}
