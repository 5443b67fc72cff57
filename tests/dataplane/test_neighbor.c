/* SPDX-License-Identifier: Apache-2.0 */
#include "neighbor.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static uint32_t asked;
static struct cord_address asked_ip, asked_from;

static void ask(void *context, const struct cord_address *local, const struct cord_address *ip)
{
	(void)context;
	asked++;
	asked_ip = *ip;
	asked_from = *local;
}

static struct cord_address ipv4(uint32_t ip)
{
	return cord_address_ipv4(
		(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip, 0);
}

static struct cord_address ipv6(const char *text)
{
	struct cord_address a = {.family = CORD_FAMILY_IPV6};

	assert_int_equal(inet_pton(AF_INET6, text, a.ip), 1);
	return a;
}

static struct neighbors *create(void)
{
	struct neighbors *n = calloc(1, sizeof(*n));

	assert_int_equal(neighbors_create(n, 1000), 0);
	n->addresses = 4;
	n->address[0] = ipv4(0x0a000001);
	n->prefix[0] = 24;
	n->address[1] = ipv4(0x0a010001);
	n->prefix[1] = 16;
	n->address[2] = ipv6("2001:db8::1");
	n->prefix[2] = 64;
	n->address[3] = ipv6("2001:db8:0:8000::1");
	n->prefix[3] = 49;
	n->gateway[0] = ipv4(0x0a0000fe);
	n->gateway[1] = ipv6("fe80::fe");
	return n;
}

static void destroy(struct neighbors *n)
{
	neighbors_destroy(n);
	free(n);
}

static void hop_is(const struct neighbors *n, uint32_t local, struct cord_address remote,
	const struct cord_address *want)
{
	struct cord_address hop;

	assert_int_equal(neighbor_next_hop(n, local, &remote, &hop), want != NULL);
	if (want)
		assert_true(cord_address_equal(&hop, want));
}

static void next_hops(void **state)
{
	struct neighbors *n = create();
	struct cord_address near = ipv4(0x0a000063), far = ipv4(0x0a01ff63);

	(void)state;
	hop_is(n, 0, near, &near);
	hop_is(n, 0, far, &n->gateway[0]);
	hop_is(n, 1, far, &far);
	hop_is(n, 1, ipv4(0x08080808), &n->gateway[0]);
	n->gateway[0].family = CORD_FAMILY_NONE;
	hop_is(n, 1, ipv4(0x08080808), NULL);
	hop_is(n, 1, ipv4(0), NULL);
	destroy(n);
}

static void next_hops_of_ipv6(void **state)
{
	struct neighbors *n = create();
	struct cord_address near = ipv6("2001:db8::ffff:1"), beside = ipv6("2001:db8:0:8001::2"),
			    link = ipv6("fe80::1234");

	(void)state;
	hop_is(n, 2, near, &near);
	hop_is(n, 2, beside, &n->gateway[1]);
	/* A prefix that ends within a byte. */
	hop_is(n, 3, beside, &beside);
	hop_is(n, 3, near, &n->gateway[1]);
	hop_is(n, 3, link, &link);
	hop_is(n, 2, ipv6("::"), NULL);
	n->gateway[1].family = CORD_FAMILY_NONE;
	hop_is(n, 2, beside, NULL);
	hop_is(n, 2, link, &link);
	destroy(n);
}

/* Asked from an address on the same link; an advertisement without override changes no MAC. */
static void one_of_ipv6_is_asked_and_learned(void **state)
{
	struct neighbors *n = create();
	static const uint8_t first[6] = {2, 3, 4, 5, 6, 7}, other[6] = {2, 3, 4, 5, 6, 8};
	struct cord_address ip = ipv6("2001:db8:0:8001::2"), v4 = ipv4(0x0a000002);
	uint64_t now = 1000000000000ull;
	uint8_t got[6];

	(void)state;
	uint32_t i = neighbor_acquire(n, &ip);
	uint32_t k = neighbor_acquire(n, &v4);

	assert_int_not_equal(i, k);
	neighbors_step(n, now, ask, NULL);
	neighbor_learn(n, &v4, other, true, now);
	asked = 0;
	neighbors_step(n, now += NEIGHBOR_ASK_NS, ask, NULL);
	assert_int_equal(asked, 1);
	assert_true(cord_address_equal(&asked_ip, &ip));
	assert_true(cord_address_equal(&asked_from, &n->address[3]));
	neighbor_learn(n, &ip, first, false, now);
	assert_true(neighbor_mac(n, i, got));
	assert_memory_equal(got, first, 6);
	neighbors_step(n, now += NEIGHBOR_ASK_NS, ask, NULL);
	assert_int_equal(asked, 1);
	/* Somebody else says it is his: not believed, but asked about. */
	neighbor_learn(n, &ip, other, false, now);
	assert_true(neighbor_mac(n, i, got));
	assert_memory_equal(got, first, 6);
	neighbors_step(n, now += NEIGHBOR_ASK_NS, ask, NULL);
	assert_int_equal(asked, 2);
	neighbor_learn(n, &ip, other, true, now);
	assert_true(neighbor_mac(n, i, got));
	assert_memory_equal(got, other, 6);
	/* The same again without override is an answer like any other. */
	neighbor_learn(n, &ip, other, false, now);
	neighbors_step(n, now + NEIGHBOR_ASK_NS, ask, NULL);
	assert_int_equal(asked, 2);
	destroy(n);
}

static void one_is_asked_learned_aged_and_freed(void **state)
{
	struct neighbors *n = create();
	static const uint8_t mac[6] = {2, 3, 4, 5, 6, 7};
	struct cord_address ip = ipv4(0x0a000063);
	uint64_t now = 1000000000000ull;
	uint8_t got[6];

	(void)state;
	/* Nobody asked for it: not learned. */
	neighbor_learn(n, &ip, mac, true, now);
	uint32_t i = neighbor_acquire(n, &ip);

	assert_int_not_equal(i, NEIGHBOR_NONE);
	assert_int_equal(neighbor_acquire(n, &ip), i);
	assert_false(neighbor_mac(n, i, got));
	asked = 0;
	for (uint32_t k = 0; k < 10; k++)
		neighbors_step(n, now += 100000000, ask, NULL);
	assert_in_range(asked, 3, 5);
	assert_true(cord_address_equal(&asked_ip, &ip));
	neighbor_learn(n, &ip, mac, true, now);
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
			struct cord_address ip = ipv4(0x0b000000 + turn * 1000 + i);

			if (i & 1)
				ip.family = CORD_FAMILY_IPV6;
			index[i] = neighbor_acquire(n, &ip);
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
		cmocka_unit_test(next_hops_of_ipv6),
		cmocka_unit_test(one_of_ipv6_is_asked_and_learned),
		cmocka_unit_test(one_is_asked_learned_aged_and_freed),
		cmocka_unit_test(a_thousand_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
