/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry.h"

#include <errno.h>
#include <rte_telemetry.h>
#include <stdio.h>
#include <stdlib.h>

/* Objects listed in one answer; DPDK's answers end at 16 KB. */
#define LISTED_MAX 256u

/* Handlers have no context argument. */
static struct dataplane *served;

static uint64_t counter(uint32_t worker, uint32_t index)
{
	return atomic_load_explicit(
		&served->shared[worker].counters.value[index], memory_order_relaxed);
}

static int on_counters(const char *cmd, const char *params, struct rte_tel_data *d)
{
	(void)cmd;
	(void)params;
	rte_tel_data_start_dict(d);
	for (uint32_t c = 0; c < CORD_COUNTER_COUNT; c++) {
		uint64_t sum = 0;

		for (uint32_t w = 0; w < served->config.workers; w++)
			sum += counter(w, c);
		rte_tel_data_add_dict_u64(d, cord_counter_row(c)->name, sum);
	}
	return 0;
}

/* "/cordboard/workers,N": the counters of one worker; without N how many there are. */
static int on_workers(const char *cmd, const char *params, struct rte_tel_data *d)
{
	unsigned long w = params ? strtoul(params, NULL, 10) : 0;

	(void)cmd;
	rte_tel_data_start_dict(d);
	if (params == NULL || *params == 0)
		return rte_tel_data_add_dict_u64(d, "workers", served->config.workers);
	if (w >= served->config.workers)
		return -EINVAL;
	for (uint32_t c = 0; c < CORD_COUNTER_COUNT; c++)
		rte_tel_data_add_dict_u64(d, cord_counter_row(c)->name, counter((uint32_t)w, c));
	return 0;
}

static int on_ports(const char *cmd, const char *params, struct rte_tel_data *d)
{
	uint32_t listed = 0;

	(void)cmd;
	(void)params;
	rte_tel_data_start_array(d, RTE_TEL_U64_VAL);
	for (uint32_t i = 0; i < served->config.ports && listed < LISTED_MAX; i++) {
		struct cord_port_status s;

		if (!cord_port_status_read(&served->port_status[i], &s) || s.port == 0)
			continue;
		rte_tel_data_add_array_u64(d, i);
		listed++;
	}
	return 0;
}

static int on_port(const char *cmd, const char *params, struct rte_tel_data *d)
{
	unsigned long slot = params ? strtoul(params, NULL, 10) : 0;
	struct cord_port_status s;

	(void)cmd;
	if (params == NULL || slot >= served->config.ports ||
		!cord_port_status_read(&served->port_status[slot], &s))
		return -EINVAL;
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_u64(d, "port", s.port);
	rte_tel_data_add_dict_u64(d, "room", s.room);
	rte_tel_data_add_dict_u64(d, "owner", s.owner);
	rte_tel_data_add_dict_u64(d, "rx_packets", s.rx_packets);
	rte_tel_data_add_dict_u64(d, "tx_packets", s.tx_packets);
	rte_tel_data_add_dict_u64(d, "rx_lost", s.rx_lost);
	rte_tel_data_add_dict_u64(d, "rx_late", s.rx_late);
	rte_tel_data_add_dict_u64(d, "rx_duplicate", s.rx_duplicate);
	rte_tel_data_add_dict_u64(d, "concealed", s.concealed);
	rte_tel_data_add_dict_u64(d, "jitter_us", s.jitter_us);
	rte_tel_data_add_dict_u64(d, "buffer_ms", s.buffer_ms);
	rte_tel_data_add_dict_u64(d, "media_lost", s.media_lost);
	rte_tel_data_add_dict_u64(d, "round_trip_us", s.round_trip_us);
	rte_tel_data_add_dict_u64(d, "peer_lost", s.peer_lost);
	rte_tel_data_add_dict_u64(d, "peer_jitter_us", s.peer_jitter_us);
	rte_tel_data_add_dict_u64(d, "source_dropped", s.source_dropped);
	rte_tel_data_add_dict_u64(d, "digits", s.digits);
	rte_tel_data_add_dict_u64(d, "player_generation", s.player_generation);
	rte_tel_data_add_dict_u64(d, "player_running", s.player_running);
	return 0;
}

static int on_rooms(const char *cmd, const char *params, struct rte_tel_data *d)
{
	uint32_t listed = 0;

	(void)cmd;
	(void)params;
	rte_tel_data_start_dict(d);
	for (uint32_t i = 0; i < served->config.rooms && listed < LISTED_MAX; i++) {
		const struct cord_room_status *s = &served->room_status[i];
		char name[32];

		if (atomic_load_explicit(&s->room, memory_order_acquire) == 0)
			continue;
		snprintf(name, sizeof(name), "%u", i);
		rte_tel_data_add_dict_u64(
			d, name, atomic_load_explicit(&s->members, memory_order_relaxed));
		listed++;
	}
	return 0;
}

int telemetry_register(struct dataplane *dp)
{
	static const struct {
		const char *name;
		telemetry_cb handler;
		const char *help;
	} commands[] = {
		{"/cordboard/counters", on_counters, "Counters of all workers together."},
		{"/cordboard/workers", on_workers, "Number of workers; with N, its counters."},
		{"/cordboard/ports", on_ports, "Slots of the open media ports."},
		{"/cordboard/port", on_port, "Status of a media port. Parameter: slot."},
		{"/cordboard/rooms", on_rooms, "Open rooms by slot, with their members."},
	};

	served = dp;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		int rc = rte_telemetry_register_cmd(
			commands[i].name, commands[i].handler, commands[i].help);

		if (rc)
			return rc;
	}
	return 0;
}
