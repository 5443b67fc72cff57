/* SPDX-License-Identifier: Apache-2.0 */
/*
 * static_rooms SOCKET IP BASE PARTIES MEMBERS
 *
 * Acts as control for a load without SIP: attaches, opens PARTIES ports of G.711 for the peers at
 * IP, UDP ports BASE, BASE + 2, ..., and rooms of MEMBERS in which each hears the others. Prints a
 * line `plan LOCAL IP PORT ROOM SEAT` for each party: where its peer sends from and to. Then, each
 * 100 ms until it is ended, a JSON line with CLOCK_MONOTONIC and the counters of all workers.
 */
#include "calls.h"
#include "fake_control.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STEP_US 100000u

static void refused(const char *what, int refusal)
{
	fprintf(stderr, "static_rooms: %s: %s\n", what,
		refusal < 0 ? "no answer" : cord_refusal_name((uint32_t)refusal));
	exit(1);
}

static bool parse_ip(const char *text, uint8_t ip[4])
{
	unsigned v[4];

	if (sscanf(text, "%u.%u.%u.%u", &v[0], &v[1], &v[2], &v[3]) != 4)
		return false;
	for (unsigned i = 0; i < 4; i++)
		ip[i] = (uint8_t)v[i];
	return true;
}

static void open_port(struct fake_control *c, uint32_t worker, cord_id port, const uint8_t ip[4],
	uint16_t udp_port)
{
	struct cord_message m = {.port_open = {.port = port,
					 .ssrc = 0x1000 + cord_id_slot(port),
					 .terms = calls_terms(cord_address_ipv4(ip[0], ip[1], ip[2],
								      ip[3], udp_port),
						 CORD_CODEC_PCMU)}};
	int refusal = fake_control_ask(c, worker, &m, CORD_COMMAND_PORT_OPEN);

	if (refusal)
		refused("port", refusal);
}

static void open_room(struct fake_control *c, uint32_t worker, uint32_t number, uint32_t members)
{
	struct cord_message m = {.room_open = {.room = calls_id(number), .rate_hz = 8000}};
	int refusal = fake_control_ask(c, worker, &m, CORD_COMMAND_ROOM_OPEN);

	if (refusal)
		refused("room", refusal);
	m = (struct cord_message){.room_set = calls_room(number, members)};
	refusal = fake_control_ask(c, worker, &m, CORD_COMMAND_ROOM_SET);
	if (refusal)
		refused("room", refusal);
}

static void print_plan(const struct fake_control *c, uint32_t slot, uint16_t peer, uint32_t members)
{
	const struct cord_segment *s = c->segment;
	struct cord_address local =
		cord_segment_local(s->address, s->ports / s->addresses, s->udp_port_base, slot);

	printf("plan %u %u.%u.%u.%u %u %u %u\n", peer, local.ip[0], local.ip[1], local.ip[2],
		local.ip[3], local.udp_port, slot / members, slot % members);
}

static void print_counters(const struct fake_control *c)
{
	printf("{\"ns\":%llu", (unsigned long long)fake_control_now());
	for (uint32_t i = 0; i < CORD_COUNTER_COUNT; i++) {
		uint64_t sum = 0;

		for (uint32_t w = 0; w < c->segment->workers; w++)
			sum += atomic_load(&c->worker[w].counters.value[i]);
		printf(",\"%s\":%llu", cord_counter_row(i)->name, (unsigned long long)sum);
	}
	printf("}\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct fake_control c = {0};
	uint8_t ip[4];
	uint32_t parties, members;
	uint16_t base;

	if (argc != 6 || !parse_ip(argv[2], ip) || atoi(argv[5]) < 1 ||
		atoi(argv[5]) > (int)CORD_ROOM_MEMBERS_MAX) {
		fprintf(stderr, "usage: static_rooms SOCKET IP BASE PARTIES MEMBERS\n");
		return 2;
	}
	base = (uint16_t)atoi(argv[3]);
	members = (uint32_t)atoi(argv[5]);
	parties = (uint32_t)atoi(argv[4]) / members * members;

	int rc = fake_control_attach(&c, argv[1]);

	if (rc) {
		fprintf(stderr, "static_rooms: attach: %d %s\n", rc,
			rc > 0 ? cord_attach_result_name((uint32_t)rc) : "");
		return 1;
	}
	if (parties > c.segment->ports || base + 2 * (uint64_t)parties > 65536) {
		fprintf(stderr, "static_rooms: %u parties are too many\n", parties);
		return 1;
	}
	for (uint32_t i = 0; i < parties; i++) {
		uint32_t room = i / members;

		open_port(&c, room % c.segment->workers, calls_id(i), ip, (uint16_t)(base + 2 * i));
		print_plan(&c, i, (uint16_t)(base + 2 * i), members);
		if (i % members == members - 1)
			open_room(&c, room % c.segment->workers, room, members);
		fake_control_beat(&c);
	}
	for (;;) {
		fake_control_beat(&c);
		fake_control_poll(&c, 0);
		print_counters(&c);
		usleep(STEP_US);
	}
}
