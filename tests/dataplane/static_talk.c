/* SPDX-License-Identifier: Apache-2.0 */
/*
 * static_talk SOCKET IP:PORT IP:PORT [SECONDS [WORKER_A WORKER_B]]
 *
 * Acts as control: attaches, opens two ports (slots 0 and 1) for the two addresses and a room in
 * which they hear each other, prints what happens, and leaves after SECONDS (0: never). With worker
 * numbers the second port is opened on another worker than the room, and moves there.
 */
#include "fake_control.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void on_event(void *context, uint32_t worker, const struct cord_message *e)
{
	(void)context;
	printf("event %s worker %u slot %u\n", cord_message_name(e->type), worker,
		cord_id_slot(e->event_digit.port));
	fflush(stdout);
}

static int parse(const char *text, struct cord_address *a)
{
	unsigned ip[4], port;

	if (sscanf(text, "%u.%u.%u.%u:%u", &ip[0], &ip[1], &ip[2], &ip[3], &port) != 5)
		return -1;
	*a = cord_address_ipv4(
		(uint8_t)ip[0], (uint8_t)ip[1], (uint8_t)ip[2], (uint8_t)ip[3], (uint16_t)port);
	return 0;
}

static uint32_t generation;

static int open_port(
	struct fake_control *c, uint32_t worker, uint32_t slot, const struct cord_address *remote)
{
	struct cord_message m = {.port_open = {.port = cord_id_make(slot, generation),
					 .ssrc = 0x1000 + slot,
					 .terms = {.remote = *remote,
						 .codec = CORD_CODEC_PCMU,
						 .event_payload_type = 101,
						 .noise_payload_type = CORD_NO_PAYLOAD_TYPE,
						 .receive_event_payload_type = 101,
						 .receive_noise_payload_type = CORD_NO_PAYLOAD_TYPE,
						 .event_clock_hz = 8000,
						 .ptime_ms = 20,
						 .direction = CORD_MAY_SEND | CORD_MAY_RECEIVE}}};

	return fake_control_ask(c, worker, &m, CORD_COMMAND_PORT_OPEN);
}

static int open_room(struct fake_control *c, uint32_t worker)
{
	struct cord_message m = {
		.room_open = {.room = cord_id_make(0, generation), .rate_hz = 8000}};
	int refusal = fake_control_ask(c, worker, &m, CORD_COMMAND_ROOM_OPEN);

	if (refusal)
		return refusal;
	m = (struct cord_message){
		.room_set = {
			.room = cord_id_make(0, generation),
			.members = 2,
			.member = {{.port = cord_id_make(0, generation), .hears = 1 << 1},
				{.port = cord_id_make(1, generation), .hears = 1 << 0}},
		}};
	return fake_control_ask(c, worker, &m, CORD_COMMAND_ROOM_SET);
}

static void print_port(const struct fake_control *c, uint32_t slot)
{
	struct cord_port_status s;

	if (!cord_port_status_read(&c->port_status[slot], &s))
		return;
	printf("port %u owner %u rx %llu tx %llu lost %u late %u duplicate %u concealed %u "
	       "source_dropped %u jitter_us %u buffer_ms %u\n",
		slot, s.owner, (unsigned long long)s.rx_packets, (unsigned long long)s.tx_packets,
		s.rx_lost, s.rx_late, s.rx_duplicate, s.concealed, s.source_dropped, s.jitter_us,
		s.buffer_ms);
}

static void print_counters(const struct fake_control *c)
{
	for (uint32_t i = 0; i < CORD_COUNTER_COUNT; i++) {
		uint64_t sum = 0;

		for (uint32_t w = 0; w < c->segment->workers; w++)
			sum += atomic_load(&c->worker[w].counters.value[i]);
		if (sum)
			printf("counter %s %llu\n", cord_counter_row(i)->name,
				(unsigned long long)sum);
	}
}

int main(int argc, char **argv)
{
	struct fake_control c = {.on_event = on_event};
	struct cord_address remote[2];
	uint32_t worker_a = argc > 5 ? (uint32_t)atoi(argv[5]) : 0;
	uint32_t worker_b = argc > 6 ? (uint32_t)atoi(argv[6]) : worker_a;
	cord_time seconds = argc > 4 ? (cord_time)atoi(argv[4]) : 5;

	if (argc < 4 || parse(argv[2], &remote[0]) || parse(argv[3], &remote[1])) {
		fprintf(stderr, "usage: static_talk SOCKET IP:PORT IP:PORT [SECONDS [WORKER_A "
				"WORKER_B]]\n");
		return 2;
	}
	int rc = fake_control_attach(&c, argv[1]);

	if (rc) {
		fprintf(stderr, "attach: %d %s\n", rc,
			rc > 0 ? cord_attach_result_name((uint32_t)rc) : "");
		return 1;
	}
	generation = (uint32_t)(fake_control_now() / 1000000000u) | 1;
	rc = open_port(&c, worker_a, 0, &remote[0]);
	if (rc == 0)
		rc = open_port(&c, worker_b, 1, &remote[1]);
	if (rc == 0)
		rc = open_room(&c, worker_a);
	if (rc) {
		fprintf(stderr, "refused: %s\n", cord_refusal_name((uint32_t)rc));
		return 1;
	}
	printf("talking\n");
	fflush(stdout);
	cord_time until = fake_control_now() + seconds * 1000000000u;

	while (seconds == 0 || fake_control_now() < until) {
		fake_control_beat(&c);
		fake_control_poll(&c, 0);
		usleep(20000);
	}
	print_port(&c, 0);
	print_port(&c, 1);
	print_counters(&c);
	fake_control_detach(&c);
	return 0;
}
