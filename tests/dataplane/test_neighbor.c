/* SPDX-License-Identifier: Apache-2.0 */
#include "neighbor.h"
#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static uint32_t asked, asked_ip;

static void ask(void *context, uint32_t local_ip, uint32_t ip)
{
	(void)context;
	(void)local_ip;
	asked++;
	asked_ip = ip;
}

static struct neighbors *create(void)
{
	struct neighbors *n = calloc(1, sizeof(*n));

	assert_int_equal(neighbors_create(n, 1000), 0);
	n->addresses = 2;
	n->ip[0] = packet_be32(0x0a000001);
	n->mask[0] = packet_be32(0xffffff00);
	n->ip[1] = packet_be32(0x0a010001);
	n->mask[1] = packet_be32(0xffff0000);
	n->gateway = packet_be32(0x0a0000fe);
	return n;
}

static void destroy(struct neighbors *n)
{
	neighbors_destroy(n);
	free(n);
}

static void next_hops(void **state)
{
	struct neighbors *n = create();

	(void)state;
	assert_int_equal(neighbor_next_hop(n, 0, packet_be32(0x0a000063)), packet_be32(0x0a000063));
	assert_int_equal(neighbor_next_hop(n, 0, packet_be32(0x0a010063)), n->gateway);
	assert_int_equal(neighbor_next_hop(n, 1, packet_be32(0x0a01ff63)), packet_be32(0x0a01ff63));
	assert_int_equal(neighbor_next_hop(n, 1, packet_be32(0x08080808)), n->gateway);
	n->gateway = 0;
	assert_int_equal(neighbor_next_hop(n, 1, packet_be32(0x08080808)), 0);
	destroy(n);
}

static void one_is_asked_learned_aged_and_freed(void **state)
{
	struct neighbors *n = create();
	static const uint8_t mac[6] = {2, 3, 4, 5, 6, 7};
	uint32_t ip = packet_be32(0x0a000063);
	uint64_t now = 1000000000000ull;
	uint8_t got[6];

	(void)state;
	/* Nobody asked for it: not learned. */
	neighbor_learn(n, ip, mac, now);
	uint32_t i = neighbor_acquire(n, ip);

	assert_int_not_equal(i, NEIGHBOR_NONE);
	assert_int_equal(neighbor_acquire(n, ip), i);
	assert_false(neighbor_mac(n, i, got));
	asked = 0;
	for (uint32_t k = 0; k < 10; k++)
		neighbors_step(n, now += 100000000, ask, NULL);
	assert_in_range(asked, 3, 5);
	assert_int_equal(asked_ip, ip);
	neighbor_learn(n, ip, mac, now);
	assert_true(neighbor_mac(n, i, got));
	assert_memory_equal(got, mac, 6);
	asked = 0;
	neighbors_step(n, now + 1000000000, ask, NULL);
	assert_int_equal(asked, 0);
	/* Old, it is asked again and goes on being used. */
	neighbors_step(n, now + 31000000000ull, ask, NULL);
	assert_int_equal(asked, 1);
	assert_true(neighbor_mac(n, i, got));
	neighbor_release(n, i);
	neighbor_release(n, i);
	neighbors_step(n, now + 60000000000ull, ask, NULL);
	assert_true(neighbor_mac(n, i, got));
	neighbors_step(n, now + 100000000000ull, ask, NULL);
	assert_false(neighbor_mac(n, i, got));
	assert_false(neighbor_mac(n, NEIGHBOR_NONE, got));
	destroy(n);
}

/* As many next hops as there are ports, come and gone many times. */
static void a_thousand_come_and_go(void **state)
{
	struct neighbors *n = create();
	uint64_t now = 1;

	(void)state;
	for (uint32_t turn = 0; turn < 20; turn++) {
		uint32_t index[1000];

		for (uint32_t i = 0; i < 1000; i++) {
			index[i] = neighbor_acquire(n, packet_be32(0x0b000000 + turn * 1000 + i));
			assert_int_not_equal(index[i], NEIGHBOR_NONE);
		}
		neighbors_step(n, now += 1000000000, ask, NULL);
		for (uint32_t i = 0; i < 1000; i++)
			neighbor_release(n, index[i]);
		neighbors_step(n, now += 2 * NEIGHBOR_IDLE_NS, ask, NULL);
	}
	destroy(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_hops),
		cmocka_unit_test(one_is_asked_learned_aged_and_freed),
		cmocka_unit_test(a_thousand_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
