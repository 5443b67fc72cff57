/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include "check.h"
#include "command.h"
#include "event.h"
#include "listen.h"
#include "rx.h"
#include "srtp.h"
#include "tick.h"
#include "tx.h"

#include <errno.h>
#include <rte_pause.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

/* Rooms and ports looked at in one housekeeping while no control is attached. */
#define ORPHAN_SLOTS 1024u

static void exchange_destroy(struct worker *w)
{
	for (uint32_t i = 0; i < CORD_WORKERS_MAX; i++) {
		free(w->exchange[i]);
		free(w->handover[i]);
	}
}

static int exchange_create(struct exchange **exchange)
{
	*exchange = aligned_alloc(64, sizeof(**exchange));
	if (*exchange == NULL)
		return -ENOMEM;
	memset(*exchange, 0, sizeof(**exchange));
	return 0;
}

int worker_create(struct dataplane *dp, uint32_t index, struct worker **worker)
{
	struct worker *w = aligned_alloc(64, (sizeof(*w) + 63) & ~(size_t)63);

	if (w == NULL)
		return -ENOMEM;
	memset(w, 0, sizeof(*w));
	w->dp = dp;
	w->index = index;
	w->may_sleep = dp->config.may_sleep;
	w->shared = &dp->shared[index];
	w->random = dp->config.seed * 0x9e3779b97f4a7c15ull + index + 1;
	w->phase_capacity = dp->config.rooms;
	pace_init(&w->pace);
	listen_prepare(w);
	if (coders_create(&w->coders, dp->config.coders, dp->config.coders * dp->config.workers))
		goto fail;
	cord_ring_reader_join(&w->commands, &w->shared->commands);
	cord_ring_writer_join(&w->events, &w->shared->events);
	for (uint32_t i = 0; i < CORD_PHASES; i++) {
		w->phase_rooms[i] = calloc(w->phase_capacity, sizeof(uint32_t));
		if (w->phase_rooms[i] == NULL)
			goto fail;
	}
	for (uint32_t i = 0; i < dp->config.workers; i++) {
		if (exchange_create(&w->exchange[i]) || exchange_create(&w->handover[i]))
			goto fail;
	}
	if (srtp_engine_create(&w->srtp, dp->srtp))
		goto fail;
	*worker = w;
	return 0;
fail:
	worker_destroy(w);
	return -ENOMEM;
}

void worker_destroy(struct worker *w)
{
	if (w == NULL)
		return;
	for (uint32_t i = 0; i < w->tx_count; i++)
		rte_pktmbuf_free(w->tx[i]);
	srtp_engine_destroy(w->srtp);
	exchange_destroy(w);
	coders_destroy(&w->coders);
	for (uint32_t i = 0; i < CORD_PHASES; i++)
		free(w->phase_rooms[i]);
	free(w);
}

/* ---- between workers ------------------------------------------------------------------------ */

/* Gives a port away: it leaves its room, its memory is the other's from here on. */
static void port_give(struct worker *w, uint32_t slot, uint32_t to)
{
	struct dataplane *dp = w->dp;
	struct port *p = &dp->port[slot];
	bool ours = atomic_load(&dp->port_owner[slot]) == w->index;

	if (ours) {
		room_leave(w, p);
		w->ports--;
		atomic_store_explicit(&dp->port_owner[slot], (uint8_t)to, memory_order_release);
	}
	CHECK(exchange_put(dp->worker[to]->handover[w->index],
		WORKER_WORD(ours ? WORKER_WORD_GIVEN : WORKER_WORD_GONE, slot)));
}

static void pending_finish(struct worker *w, cord_time now_ns)
{
	struct worker_pending *pending = &w->pending;
	enum cord_refusal refusal = room_set_check(
		w, &pending->message.room_set, pending->foreign, &pending->foreign_count);

	if (refusal == CORD_REFUSAL_NONE && pending->foreign_count)
		refusal = CORD_REFUSAL_WRONG_WORKER;
	if (refusal == CORD_REFUSAL_NONE)
		room_set_apply(w, &pending->message.room_set, now_ns);
	pending->set = false;
	event_done(w, &pending->message, refusal);
}

void worker_pending_step(struct worker *w, cord_time now_ns)
{
	struct dataplane *dp = w->dp;
	struct worker_pending *pending = &w->pending;

	while (pending->set && pending->asked < pending->foreign_count) {
		uint32_t slot = pending->foreign[pending->asked];
		uint8_t owner = atomic_load(&dp->port_owner[slot]);

		if (owner != OWNER_NONE && owner != w->index) {
			CHECK(exchange_put(dp->worker[owner]->handover[w->index],
				WORKER_WORD(WORKER_WORD_ASK, slot)));
			pending->waiting++;
		}
		pending->asked++;
	}
	if (pending->set && pending->waiting == 0)
		pending_finish(w, now_ns);
}

static void exchange_word(struct worker *w, uint32_t from, uint64_t word)
{
	uint64_t value = WORKER_WORD_VALUE(word);

	switch (WORKER_WORD_KIND(word)) {
	case WORKER_WORD_PACKET: /* exchange_drain() has gathered those */
		break;
	case WORKER_WORD_SEND:
		if (w->tx_count == WORKER_TX_PENDING)
			tx_flush(w);
		if (w->tx_count == WORKER_TX_PENDING) {
			worker_count(w, CORD_COUNTER_tx_nic_full, 1);
			rte_pktmbuf_free((struct rte_mbuf *)(uintptr_t)value);
		} else {
			w->tx[w->tx_count++] = (struct rte_mbuf *)(uintptr_t)value;
		}
		break;
	case WORKER_WORD_ASK:
		port_give(w, (uint32_t)value, from);
		break;
	case WORKER_WORD_GIVEN:
		w->ports++;
		w->dp->port[value].flags |= PORT_CHANGED;
		w->pending.waiting--;
		break;
	case WORKER_WORD_GONE:
		w->pending.waiting--;
		break;
	}
}

static uint32_t exchange_drain(struct worker *w, struct exchange *e, uint32_t from)
{
	struct rte_mbuf *packet[WORKER_EXCHANGE_BURST];
	uint32_t n = 0, packets = 0;
	uint64_t word;

	while (n < WORKER_EXCHANGE_BURST && exchange_get(e, &word)) {
		if (WORKER_WORD_KIND(word) == WORKER_WORD_PACKET)
			packet[packets++] = (struct rte_mbuf *)(uintptr_t)WORKER_WORD_VALUE(word);
		else
			exchange_word(w, from, word);
		n++;
	}
	rx_burst(w, packet, packets);
	return n;
}

static uint32_t exchange_step(struct worker *w, cord_time now_ns)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->dp->config.workers; i++) {
		if (i == w->index)
			continue;
		n += exchange_drain(w, w->exchange[i], i);
		n += exchange_drain(w, w->handover[i], i);
	}
	if (w->index == 0)
		n += exchange_drain(w, w->dp->from_main, 0);
	worker_pending_step(w, now_ns);
	return n;
}

/* ---- housekeeping --------------------------------------------------------------------------- */

/* Since when a port without control has been quiet. */
static cord_time quiet_since(const struct port *p, cord_time unattended)
{
	return p->last_rx > unattended ? p->last_rx : unattended;
}

static bool port_is_orphan(const struct port *p, cord_time unattended, cord_time now_ns)
{
	cord_time since = quiet_since(p, unattended);

	return now_ns > since && now_ns - since > CORD_ORPHAN_QUIET_NS;
}

static void room_remove_orphan(
	struct worker *w, struct room *r, cord_time unattended, cord_time now_ns)
{
	struct dataplane *dp = w->dp;

	for (uint32_t i = 0; i < r->members; i++) {
		if (!port_is_orphan(&dp->port[r->member[i].port], unattended, now_ns))
			return;
	}
	while (r->members)
		port_remove(w, &dp->port[r->member[0].port], now_ns);
	room_remove(w, r);
}

/* While no control is attached: rooms and seatless ports go when they have been quiet for long. */
static void orphans_step(struct worker *w, cord_time now_ns)
{
	struct dataplane *dp = w->dp;
	cord_time unattended = atomic_load_explicit(&dp->unattended_since, memory_order_relaxed);

	if (unattended == 0 || now_ns < unattended || now_ns - unattended <= CORD_ORPHAN_QUIET_NS)
		return;
	for (uint32_t i = 0; i < ORPHAN_SLOTS; i++) {
		uint32_t slot = w->orphan_at++;

		if (slot < dp->config.rooms && atomic_load(&dp->room_owner[slot]) == w->index)
			room_remove_orphan(w, &dp->room[slot], unattended, now_ns);
		if (slot < dp->config.ports && atomic_load(&dp->port_owner[slot]) == w->index &&
			dp->port[slot].room == PORT_NONE &&
			port_is_orphan(&dp->port[slot], unattended, now_ns))
			port_remove(w, &dp->port[slot], now_ns);
		if (slot >= dp->config.rooms && slot >= dp->config.ports) {
			w->orphan_at = 0;
			break;
		}
	}
}

static void housekeeping(struct worker *w, cord_time now_ns)
{
	uint32_t join = WORKER_RINGS_JOIN;

	atomic_store_explicit(&w->shared->heartbeat, now_ns, memory_order_release);
	worker_gauge(w, CORD_COUNTER_ports, w->ports);
	worker_gauge(w, CORD_COUNTER_rooms, w->rooms);
	worker_gauge(w, CORD_COUNTER_coders_idle, w->coders.idle_count);
	worker_gauge(w, CORD_COUNTER_complexity, w->pace.complexity);
	if (atomic_load(&w->rings) == WORKER_RINGS_JOIN) {
		cord_ring_reader_join(&w->commands, &w->shared->commands);
		cord_ring_writer_join(&w->events, &w->shared->events);
		atomic_compare_exchange_strong(&w->rings, &join, WORKER_RINGS_OPEN);
	}
	orphans_step(w, now_ns);
}

/* ---- the loop ------------------------------------------------------------------------------- */

/* Takes all that has come; of a flood as much as leaves time for the ticks. */
static uint32_t receive(struct worker *w, cord_time now_ns)
{
	const struct dataplane *dp = w->dp;
	uint64_t begun = dp->tsc(), most = worker_phase_cycles(w) / WORKER_RX_SHARE;
	uint32_t n, moved = 0;

	do {
		n = rx_step(w) + exchange_step(w, now_ns);
		moved += n;
	} while (n >= WORKER_RX_MORE && dp->tsc() - begun < most);
	return moved;
}

uint32_t worker_pass(struct worker *w, cord_time now_ns)
{
	uint32_t moved;

	w->now_ns = now_ns;
	atomic_store_explicit(&w->passes,
		atomic_load_explicit(&w->passes, memory_order_relaxed) + 1, memory_order_release);
	moved = receive(w, now_ns);
	if (atomic_load_explicit(&w->rings, memory_order_relaxed) == WORKER_RINGS_OPEN)
		moved += command_step(w, now_ns);
	moved += tick_step(w, now_ns);
	tx_flush(w);
	event_wake(w);
	if (now_ns >= w->housekeeping_at || w->housekeeping_at - now_ns > WORKER_HOUSEKEEPING_NS) {
		w->housekeeping_at = now_ns + WORKER_HOUSEKEEPING_NS;
		housekeeping(w, now_ns);
	}
	return moved;
}

/* Until the next phase, but no longer than a packet may wait. */
static void worker_sleep(struct worker *w, cord_time now_ns)
{
	cord_time until = (now_ns / WORKER_PHASE_NS + 1) * WORKER_PHASE_NS;
	struct timespec t;

	if (until > now_ns + WORKER_WAIT_NS)
		until = now_ns + WORKER_WAIT_NS;
	/* For so long, not until then: our clock may be far ahead of the kernel's for a second. */
	t = (struct timespec){.tv_nsec = (long)(until - now_ns)};
	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
	worker_count(w, CORD_COUNTER_sleeps, 1);
}

/*
 * Spins until packets enough for a burst may have come, or a phase is due. One at a time would cost
 * twice as much: there is nothing ahead to fetch while one is judged.
 */
static void worker_gather(const struct worker *w, cord_time now_ns, uint64_t begun)
{
	uint64_t until = WORKER_WAIT_NS - now_ns % WORKER_WAIT_NS;
	uint64_t cycles = until * worker_phase_cycles(w) / WORKER_PHASE_NS;

	do
		rte_pause();
	while (clock_tsc() - begun < cycles);
}

int worker_run(void *worker)
{
	struct worker *w = worker;
	struct dataplane *dp = w->dp;
	uint64_t begun = clock_tsc();
	cord_time last_ns = 0;

	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
	while (!atomic_load_explicit(&dp->stop, memory_order_relaxed)) {
		cord_time now_ns = clock_now_ns(&dp->clock, begun);

		/* A new pair may put the clock a little back: time stands still for that long. */
		if (now_ns > last_ns || last_ns - now_ns > CORD_TICK_NS)
			last_ns = now_ns;
		uint32_t moved = worker_pass(w, last_ns);
		uint64_t end = clock_tsc();

		if (moved) {
			worker_count(w, CORD_COUNTER_busy_cycles, end - begun);
			w->idle_passes = 0;
		}
		if (!w->may_sleep)
			worker_gather(w, last_ns, begun);
		else if (moved == 0 && ++w->idle_passes >= WORKER_IDLE_PASSES)
			worker_sleep(w, last_ns);
		else
			rte_pause();
		uint64_t next = clock_tsc();

		worker_count(w, CORD_COUNTER_total_cycles, next - begun);
		begun = next;
	}
	return 0;
}
