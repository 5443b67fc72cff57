/* SPDX-License-Identifier: Apache-2.0 */
/* The real transport over loopback, between two of its own and against plain sockets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sip/transport.h"

#define MS 1000000ull

struct side {
	struct sip_transports *transports;
	unsigned received, lost;
	char last[70000];
	size_t last_n;
	struct sip_hop source;
	unsigned calls; /* connections to make while a message is in hand */
};

static struct loop *loop;
static struct side sides[2];

static void on_received(
	void *ctx, const struct sip_hop *source, const void *bytes, size_t n, uint64_t now_ns)
{
	struct side *side = ctx;
	const struct sip_wire *wire;

	side->received++;
	side->source = *source;
	for (unsigned i = 0; i < side->calls; i++) {
		struct sip_hop hop = {
			.transport = SIP_TRANSPORT_TCP, .remote = address_ipv4(0x7f000002 + i, 1)};

		wire = sip_transports_wire(side->transports);
		assert_int_equal(wire->send(wire->ctx, &hop, "x", 1), 0);
	}
	side->last_n = n;
	memcpy(side->last, bytes, n);
	side->last[n] = '\0';
}

static void on_lost(void *ctx, uint64_t connection, uint64_t now_ns)
{
	struct side *side = ctx;

	side->lost++;
}

static void open_side(struct side *side, unsigned per_source, uint64_t idle_ns)
{
	struct sip_listener listeners[2] = {
		{.transport = SIP_TRANSPORT_UDP, .local = address_ipv4(0x7f000001, 0)},
		{.transport = SIP_TRANSPORT_TCP, .local = address_ipv4(0x7f000001, 0)},
	};

	memset(side, 0, sizeof(*side));
	assert_int_equal(sip_transports_open(loop,
				 &(struct sip_transport_config){.listeners = listeners,
					 .listener_count = 2,
					 .connections_max = 4,
					 .connections_source_max = per_source,
					 .idle_ns = idle_ns,
					 .slow_ns = 150 * MS,
					 .ctx = side,
					 .received = on_received,
					 .lost = on_lost},
				 NULL, &side->transports),
		0);
}

static int setup(void **state)
{
	int rc = loop_create(NULL, &loop);

	if (rc < 0)
		return rc;
	open_side(&sides[0], 4, 0);
	open_side(&sides[1], 2, 300 * MS);
	return 0;
}

static int teardown(void **state)
{
	sip_transports_close(sides[0].transports);
	sip_transports_close(sides[1].transports);
	loop_destroy(loop);
	return 0;
}

static void spin(unsigned ms)
{
	for (unsigned i = 0; i < ms; i += 5)
		loop_step(loop, 5 * MS);
}

static struct sip_hop hop_to(int side, enum sip_transport_kind transport)
{
	return (struct sip_hop){.transport = (uint8_t)transport,
		.remote = sip_transports_local(
			sides[side].transports, transport == SIP_TRANSPORT_TCP)};
}

static int send_from(int side, struct sip_hop *hop, const char *text)
{
	const struct sip_wire *wire = sip_transports_wire(sides[side].transports);

	return wire->send(wire->ctx, hop, text, strlen(text));
}

static const char *a_message(unsigned body)
{
	static char text[70000];
	int n = snprintf(
		text, sizeof(text), "OPTIONS sip:x SIP/2.0\r\nContent-Length: %u\r\n\r\n", body);

	memset(text + n, 'b', body);
	text[(unsigned)n + body] = '\0';
	return text;
}

static void datagrams_both_ways(void **state)
{
	struct sip_hop hop = hop_to(1, SIP_TRANSPORT_UDP);
	struct sip_local local;
	const struct sip_wire *wire = sip_transports_wire(sides[0].transports);

	assert_int_equal(send_from(0, &hop, "hello sip"), 0);
	assert_int_equal(hop.listener, 1);
	spin(50);
	assert_int_equal(sides[1].received, 1);
	assert_string_equal(sides[1].last, "hello sip");
	assert_int_equal(address_port(&sides[1].source.remote),
		address_port(&(struct address[]){sip_transports_local(sides[0].transports, 0)}[0]));
	assert_int_equal(send_from(1, &sides[1].source, "back"), 0);
	assert_int_equal(send_from(1, &sides[1].source, "\r\n\r\n"), 0);
	spin(50);
	assert_int_equal(sides[0].received, 1);
	assert_int_equal(sip_transports_stats(sides[0].transports)->pings, 1);
	assert_int_equal(wire->local(wire->ctx, &hop, &local), 0);
	assert_string_equal(local.host, "127.0.0.1");
	assert_int_equal(local.port, address_port(&sides[1].source.remote));
}

static void a_stream_is_made_on_demand_and_used_again(void **state)
{
	struct sip_hop hop = hop_to(1, SIP_TRANSPORT_TCP), again = hop;

	assert_int_equal(send_from(0, &hop, a_message(40000)), 0);
	assert_int_not_equal(hop.connection, 0);
	spin(50);
	assert_int_equal(sides[1].received, 1);
	assert_string_equal(sides[1].last, a_message(40000));
	assert_int_equal(send_from(0, &again, a_message(1)), 0);
	assert_int_equal(again.connection, hop.connection);
	/* The answer takes the connection of the request. */
	assert_int_equal(send_from(1, &sides[1].source, a_message(2)), 0);
	spin(50);
	assert_int_equal(sides[1].received, 2);
	assert_int_equal(sides[0].received, 1);
	assert_int_equal(sip_transports_stats(sides[0].transports)->connected, 1);
	assert_int_equal(sip_transports_stats(sides[1].transports)->accepted, 1);
	/* Idle for 300 ms: the other side closes. */
	spin(600);
	assert_int_equal(sip_transports_stats(sides[1].transports)->connections, 0);
	assert_int_equal(sip_transports_stats(sides[0].transports)->connections, 0);
	assert_int_equal(sides[0].lost, 1);
	assert_int_equal(send_from(0, &hop, a_message(3)), 0);
	spin(50);
	assert_int_equal(sides[1].received, 3);
}

static int connect_plain(void)
{
	struct address to = sip_transports_local(sides[1].transports, 1);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &to.any, to.length), 0);
	return fd;
}

static void bytes_one_by_one_pings_and_many_at_once(void **state)
{
	const char *text = a_message(3);
	char many[512] = "", answer[16];
	int fd = connect_plain();

	for (size_t i = 0; i < strlen(text); i++) {
		assert_int_equal(write(fd, text + i, 1), 1);
		loop_step(loop, MS);
	}
	spin(20);
	assert_int_equal(sides[1].received, 1);
	for (int i = 0; i < 5; i++)
		strcat(many, text);
	strcat(many, "\r\n\r\n");
	strcat(many, text);
	assert_int_equal(write(fd, many, strlen(many)), strlen(many));
	spin(20);
	assert_int_equal(sides[1].received, 7);
	assert_int_equal(read(fd, answer, sizeof(answer)), 2);
	close(fd);
	spin(20);
	assert_int_equal(sip_transports_stats(sides[1].transports)->connections, 0);
}

static void broken_and_too_many_streams(void **state)
{
	char answer[16];
	int fd = connect_plain(), others[3];

	dprintf(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	spin(20);
	assert_int_equal(sip_transports_stats(sides[1].transports)->broken, 1);
	assert_true(read(fd, answer, sizeof(answer)) <= 0);
	close(fd);
	for (int i = 0; i < 3; i++)
		others[i] = connect_plain();
	spin(20);
	assert_int_equal(sip_transports_stats(sides[1].transports)->connections, 2);
	assert_int_equal(sip_transports_stats(sides[1].transports)->refused, 1);
	for (int i = 0; i < 3; i++)
		close(others[i]);
	spin(20);
}

/* Sends again and again, more often than each 150 ms, until all is closed. */
static void drip(int fd, const char *text)
{
	const struct sip_transport_stats *stats = sip_transports_stats(sides[1].transports);

	spin(20);
	for (int i = 0; i < 100 && stats->connections; i++) {
		if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
			break;
		spin(20);
	}
}

static void drops_of_a_message_do_not_hold_a_stream(void **state)
{
	int fd = connect_plain();

	drip(fd, "O");
	assert_int_equal(sip_transports_stats(sides[1].transports)->slow, 1);
	assert_int_equal(sip_transports_stats(sides[1].transports)->connections, 0);
	close(fd);
}

static void a_stream_that_brings_nothing_or_pings_is_closed(void **state)
{
	int silent = connect_plain(), pinging = connect_plain();

	drip(pinging, "\r\n\r\n");
	spin(50);
	assert_int_equal(sip_transports_stats(sides[1].transports)->slow, 2);
	assert_int_equal(sip_transports_stats(sides[1].transports)->connections, 0);
	close(silent);
	close(pinging);
}

/* At the ceiling of connections the one whose message is being read is not what makes room. */
static void a_message_in_hand_keeps_its_stream(void **state)
{
	const char *text = a_message(9000);
	int fd = connect_plain();

	sides[1].calls = 6;
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	spin(50);
	assert_int_equal(sides[1].received, 1);
	assert_string_equal(sides[1].last, text);
	assert_int_equal(send_from(1, &sides[1].source, a_message(0)), 0);
	spin(20);
	assert_true(read(fd, sides[0].last, sizeof(sides[0].last)) > 20);
	close(fd);
}

static void refused_connection_is_told(void **state)
{
	struct sip_hop hop = {
		.transport = SIP_TRANSPORT_TCP, .remote = address_ipv4(0x7f000001, 1)};

	assert_int_equal(send_from(0, &hop, a_message(0)), 0);
	spin(50);
	assert_int_equal(sides[0].lost, 1);
	assert_int_equal(sip_transports_stats(sides[0].transports)->failed, 1);
	hop.transport = SIP_TRANSPORT_TLS;
	assert_int_equal(send_from(0, &hop, a_message(0)), -EADDRNOTAVAIL);
}

static void bad_listener_opens_nothing(void **state)
{
	struct sip_transports *transports = NULL;
	struct sip_listener listeners[2] = {
		{.transport = SIP_TRANSPORT_UDP, .local = address_ipv4(0x7f000001, 0)},
		{.transport = SIP_TRANSPORT_WSS, .local = address_ipv4(0x7f000001, 0)},
	};
	unsigned failed = 9;

	assert_int_equal(
		sip_transports_open(loop,
			&(struct sip_transport_config){.listeners = listeners, .listener_count = 2},
			&failed, &transports),
		-EPROTONOSUPPORT);
	assert_int_equal(failed, 1);
	assert_null(transports);
}

/* 0.0.0.0 and [::] side by side: each peer is of the family that it is. */
static void both_families_at_one_port(void **state)
{
	struct address v4 = address_ipv4(0, 0), v6 = {.length = sizeof(struct sockaddr_in6)};
	struct side *side = &sides[0];
	struct sip_listener listeners[4];
	struct sip_local local;
	struct sip_hop hop = {.transport = SIP_TRANSPORT_UDP};

	v6.in6.sin6_family = AF_INET6;
	address_set_port(&v4, 45060);
	address_set_port(&v6, 45060);
	for (unsigned i = 0; i < 4; i++)
		listeners[i] = (struct sip_listener){
			.transport = i < 2 ? SIP_TRANSPORT_UDP : SIP_TRANSPORT_TCP,
			.local = i % 2 ? v6 : v4};
	sip_transports_close(side->transports);
	assert_int_equal(sip_transports_open(loop,
				 &(struct sip_transport_config){.listeners = listeners,
					 .listener_count = 4,
					 .ctx = side,
					 .received = on_received,
					 .lost = on_lost},
				 NULL, &side->transports),
		0);
	const struct sip_wire *wire = sip_transports_wire(side->transports);

	for (unsigned i = 0; i < 4; i++) {
		const char *to = i % 2 ? "[::1]:45060" : "127.0.0.1:45060";

		hop = (struct sip_hop){.transport = i < 2 ? SIP_TRANSPORT_UDP : SIP_TRANSPORT_TCP};
		assert_int_equal(address_parse(str_from(to), -1, &hop.remote), 0);
		assert_int_equal(send_from(0, &hop, a_message(3)), 0);
		spin(50);
		assert_int_equal(side->received, i + 1);
		assert_int_equal(address_family(&side->source.remote), i % 2 ? AF_INET6 : AF_INET);
		assert_int_equal(side->source.listener, i + 1);
		assert_int_equal(wire->local(wire->ctx, &side->source, &local), 0);
		assert_string_equal(local.host, i % 2 ? "[::1]" : "127.0.0.1");
		assert_int_equal(local.port, 45060);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(datagrams_both_ways),
		T(a_stream_is_made_on_demand_and_used_again),
		T(bytes_one_by_one_pings_and_many_at_once),
		T(broken_and_too_many_streams),
		T(drops_of_a_message_do_not_hold_a_stream),
		T(a_stream_that_brings_nothing_or_pings_is_closed),
		T(a_message_in_hand_keeps_its_stream),
		T(refused_connection_is_told),
		T(bad_listener_opens_nothing),
		T(both_families_at_one_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
