/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker takes and works in a pass: one that was held up, that is flooded, that has time. */
#include "rig.h"

#include <pthread.h>
#include <rte_cycles.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { WAITING = 1000, SLOTS = 2048, FRAME_BYTES = 60, BEHIND = 10 };

struct held {
	struct rig *rig;
	struct worker *w;
};

static struct rte_ring *arriving;
static uint16_t device;
static uint64_t tsc_step, tsc_now;

/* A clock on which each look takes tsc_step. */
static uint64_t tsc(void)
{
	return tsc_now += tsc_step;
}

static int device_start(void **state)
{
	struct rte_eth_conf conf = {0};
	struct rig *r = rig_create(1);
	struct rte_mempool *pool = r->dp.nic.pool; /* that of all rigs */

	(void)state;
	rig_destroy(r);
	arriving = rte_ring_create("arriving", SLOTS, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	struct rte_ring *leaving =
		rte_ring_create("leaving", SLOTS, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (arriving == NULL || leaving == NULL)
		return -1;
	int port = rte_eth_from_rings("held", &arriving, 1, &leaving, 1, 0);
	if (port < 0)
		return -1;
	device = (uint16_t)port;
	return rte_eth_dev_configure(device, 1, 1, &conf) ||
	       rte_eth_rx_queue_setup(device, 0, 0, 0, NULL, pool) ||
	       rte_eth_tx_queue_setup(device, 0, 0, 0, NULL) || rte_eth_dev_start(device);
}

static int setup(void **state)
{
	static struct held h;

	h.rig = rig_create(1);
	h.w = h.rig->dp.worker[0];
	h.rig->dp.nic.port = device;
	h.rig->dp.nic.rx_queues = 1;
	h.rig->dp.tsc = tsc;
	tsc_step = tsc_now = 0;
	worker_pass(h.w, h.rig->now_ns); /* in time */
	*state = &h;
	return 0;
}

static int teardown(void **state)
{
	struct held *h = *state;
	struct rte_mbuf *m;

	while (rte_ring_dequeue(arriving, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	rig_destroy(h->rig);
	return 0;
}

/* Frames that are for nobody. */
static void arrive(struct held *h, uint32_t frames)
{
	for (uint32_t i = 0; i < frames; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(h->rig->dp.nic.pool);

		assert_non_null(m);
		memset(rte_pktmbuf_append(m, FRAME_BYTES), 0, FRAME_BYTES);
		assert_int_equal(rte_ring_enqueue(arriving, m), 0);
	}
}

static uint64_t ticks(const struct held *h)
{
	return rig_counter(h->rig, CORD_COUNTER_ticks);
}

/* Worked in a row, they would leave what comes meanwhile to a ring that is full. */
static void one_phase_a_pass_and_all_that_has_come_before_it(void **state)
{
	struct held *h = *state;
	uint64_t before = ticks(h);

	h->rig->now_ns += BEHIND * WORKER_PHASE_NS;
	for (uint32_t i = 0; i < BEHIND; i++) {
		arrive(h, WAITING);
		worker_pass(h->w, h->rig->now_ns);
		assert_int_equal(rte_ring_count(arriving), 0);
		assert_int_equal(ticks(h), before + i + 1);
	}
	worker_pass(h->w, h->rig->now_ns);
	assert_int_equal(ticks(h), before + BEHIND);
	assert_int_equal(rig_counter(h->rig, CORD_COUNTER_ticks_skipped), 0);
}

/* Half of a phase it may go on with what has come: the tick is worked for all that waits. */
static void a_flood_leaves_time_for_the_ticks(void **state)
{
	struct held *h = *state;
	uint64_t before = ticks(h);

	tsc_step = h->rig->dp.config.tsc_hz * (WORKER_PHASE_NS / 10) / 1000000000u;
	h->rig->now_ns += BEHIND * WORKER_PHASE_NS;
	arrive(h, WAITING);
	worker_pass(h->w, h->rig->now_ns);

	uint32_t taken = WAITING - rte_ring_count(arriving);

	assert_in_range(taken, 4 * WORKER_RX_BURST, 6 * WORKER_RX_BURST);
	assert_int_equal(ticks(h), before + 1);
}

static void *run(void *worker)
{
	worker_run(worker);
	return NULL;
}

/* Packets are to gather: there is nothing that cannot wait for a quarter of a phase. */
static void with_time_it_looks_four_times_a_phase(void **state)
{
	struct held *h = *state;
	struct dataplane *dp = &h->rig->dp;
	const struct timespec a_while = {.tv_nsec = 50000000};
	pthread_t thread;

	dp->config.tsc_hz = rte_get_tsc_hz();
	dp->tsc = clock_tsc;
	clock_start(&dp->clock, dp->config.tsc_hz);
	uint64_t passes = atomic_load(&h->w->passes), begun = clock_kernel_ns();

	assert_int_equal(pthread_create(&thread, NULL, run, h->w), 0);
	nanosleep(&a_while, NULL);
	atomic_store(&dp->stop, true);
	pthread_join(thread, NULL);
	passes = atomic_load(&h->w->passes) - passes;
	assert_in_range(passes, 1, (clock_kernel_ns() - begun) / WORKER_WAIT_NS + 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			one_phase_a_pass_and_all_that_has_come_before_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_leaves_time_for_the_ticks, setup, teardown),
		cmocka_unit_test_setup_teardown(
			with_time_it_looks_four_times_a_phase, setup, teardown),
	};

	return cmocka_run_group_tests(tests, device_start, NULL);
}
