/* SPDX-License-Identifier: Apache-2.0 */
#include "rooms.h"

#include "bench.h"
#include "port.h"
#include "room.h"
#include "tick.h"

#include <errno.h>
#include <rte_eal.h>

#define UDP_BASE 2000u

void rooms_fatal(const char *what)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
	exit(1);
}

void rooms_start(struct nic *nic, uint32_t packets, const char *mb)
{
	char *words[] = {"bench", "--lcores=0", "--no-huge", "-m", (char *)(uintptr_t)mb,
		"--no-pci", "--no-shconf", "--no-telemetry", "--log-level=lib.eal:error", NULL};

	*nic = (struct nic){0};
	if (rte_eal_init(9, words) < 0 || nic_pool_create(nic, packets))
		rooms_fatal("EAL did not start");
}

void rooms_begin(struct rooms *r, const struct nic *nic, uint32_t ports, uint32_t coders, double hz)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	const struct dataplane_config c = {.workers = 1,
		.ports = ports,
		.rooms = ports,
		.coders = coders,
		.addresses = 1,
		.address = {cord_address_ipv4(10, 0, 0, 2, 0)},
		.prefix = {24},
		.gateway = {cord_address_ipv4(10, 0, 0, 1, 0)},
		.udp_port_base = UDP_BASE,
		.tsc_hz = (uint64_t)hz,
		.epoch = 1,
		.seed = 1,
		/* Nothing is encrypted, and valgrind knows what it uses of the processor. */
		.srtp_backend = CORD_SRTP_BACKEND_LIBSRTP};

	memset(r, 0, sizeof(*r));
	r->dp.nic = *nic;
	if (dataplane_create(&r->dp, &c))
		rooms_fatal("no memory");
	r->w = r->dp.worker[0];
	r->ports = ports;
	neighbor_learn(&r->dp.neighbors, &c.gateway[0], mac, true, 1);
}

static void throw_away(struct rooms *r)
{
	for (uint32_t i = 0; i < r->w->tx_count; i++)
		rte_pktmbuf_free(r->w->tx[i]);
	r->w->tx_count = 0;
}

void rooms_end(struct rooms *r)
{
	for (uint32_t i = 0; i < r->ports; i++)
		port_remove(r->w, &r->dp.port[i], 0);
	throw_away(r);
	dataplane_destroy(&r->dp);
}

void rooms_port(struct rooms *r, uint32_t slot, enum cord_codec codec, uint8_t flags)
{
	const struct cord_port_open m = {
		.port = rooms_id(slot),
		.ssrc = slot + 1,
		.terms = {.remote = cord_address_ipv4(
				  11, 0, (uint8_t)(slot >> 8), (uint8_t)(slot | 1), 4000),
			.codec = codec,
			.flags = flags,
			.payload_type = 96,
			.event_payload_type = CORD_NO_PAYLOAD_TYPE,
			.noise_payload_type = CORD_NO_PAYLOAD_TYPE,
			.receive_payload_type = 96,
			.receive_event_payload_type = CORD_NO_PAYLOAD_TYPE,
			.receive_noise_payload_type = CORD_NO_PAYLOAD_TYPE,
			.opus_complexity = 5,
			.opus_rate_khz = 16,
			.ptime_ms = 20,
			.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE},
	};

	if (port_open(r->w, &m, 0))
		rooms_fatal("port refused");
}

void rooms_set(struct rooms *r, const struct cord_room_set *set)
{
	const struct cord_room_open o = {.room = set->room, .rate_hz = 8000};
	uint32_t foreign[CORD_ROOM_MEMBERS_MAX], count;

	if (room_open(r->w, &o) || room_set_check(r->w, set, foreign, &count))
		rooms_fatal("room refused");
	room_set_apply(r->w, set, 0);
}

void rooms_arrive(
	struct rooms *r, uint32_t slot, uint32_t period, const uint8_t *payload, uint32_t bytes)
{
	struct port *p = &r->dp.port[slot];
	uint32_t samples = port_period_units(p);
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->dp.nic.pool);
	char *at = m ? rte_pktmbuf_append(m, (uint16_t)bytes) : NULL;

	if (at == NULL)
		rooms_fatal("pool empty");
	memcpy(at, payload, bytes);
	r->w->now_ns = (ROOMS_PERIOD + period) * CORD_TICK_NS - 15000000u;
	const struct jitter_packet packet = {.handle = nic_handle(&r->dp.nic, m),
		.timestamp = period * samples,
		.sequence = (uint16_t)period,
		.samples = (uint16_t)samples,
		.marker = period == 0};

	if (jitter_insert(&p->jitter, &packet, r->w->now_ns) != JITTER_TAKEN)
		rooms_fatal("packet not taken");
}

uint64_t rooms_tick(struct rooms *r, uint32_t period)
{
	uint64_t cycles = 0;

	for (uint64_t phase = 0; phase < CORD_PHASES; phase++) {
		uint64_t begun = bench_tsc();

		tick_phase(r->w, (ROOMS_PERIOD + period) * (uint64_t)CORD_PHASES + phase);
		cycles += bench_tsc() - begun;
		throw_away(r);
	}
	return cycles;
}
