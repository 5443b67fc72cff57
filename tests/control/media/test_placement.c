/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/random.h"
#include "media/placement.h"

#define S UINT64_C(1000000000)

static struct placement *make(uint32_t workers, uint32_t ports, uint32_t rooms)
{
	struct placement *p;

	const struct placement_shape shape = {.workers = workers,
		.ports = ports,
		.rooms = rooms,
		.rooms_per_worker = rooms,
		.addresses = 1,
		.family = {CORD_FAMILY_IPV4}};

	assert_int_equal(placement_create(&shape, &p), 0);
	return p;
}

static void rooms_go_to_the_least_loaded_worker(void **state)
{
	struct placement *p = make(3, 1024, 300);
	uint64_t load[3] = {5, 3, 4};
	cord_id room;

	assert_int_equal(placement_worker(p, load), 1);
	load[1] = 6;
	assert_int_equal(placement_worker(p, load), 2);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(placement_room(p, 1, S, &room), 0);
	assert_int_equal(placement_room(p, 1, S, &room), -ENOSPC);
	load[2] = 0;
	load[1] = 0;
	assert_int_equal(placement_worker(p, load), 2);
	assert_int_equal(placement_room(p, UINT_MAX, S, &room), -ENOSPC);
	placement_destroy(p);
}

static void a_worker_takes_so_many_rooms(void **state)
{
	const struct placement_shape shape = {.workers = 2,
		.ports = 128,
		.rooms = 4,
		.rooms_per_worker = 1,
		.addresses = 1,
		.family = {CORD_FAMILY_IPV4}};
	const uint64_t load[2] = {0, 9};
	struct placement *p;
	cord_id room;

	assert_int_equal(placement_create(&shape, &p), 0);
	assert_int_equal(placement_room(p, 0, S, &room), 0);
	assert_int_equal(placement_worker(p, load), 1);
	assert_int_equal(placement_room(p, 0, S, &room), -ENOSPC);
	assert_int_equal(placement_room(p, 1, S, &room), 0);
	assert_int_equal(placement_worker(p, load), UINT_MAX);
	placement_destroy(p);
}

static void ports_are_placed_at_home_and_spill(void **state)
{
	struct placement *p = make(2, 256, 16);
	cord_id port;

	for (unsigned i = 0; i < 128; i++) {
		assert_int_equal(placement_port(p, 1, CORD_FAMILY_NONE, S, &port), 0);
		assert_int_equal(placement_home(p, cord_id_slot(port)), 1);
	}
	for (unsigned i = 0; i < 128; i++) {
		assert_int_equal(placement_port(p, 1, CORD_FAMILY_NONE, S, &port), 0);
		assert_int_equal(placement_home(p, cord_id_slot(port)), 0);
	}
	assert_int_equal(placement_port(p, 1, CORD_FAMILY_NONE, S, &port), -ENOSPC);
	placement_destroy(p);
}

static void a_freed_port_rests(void **state)
{
	struct placement *p = make(1, 1, 1);
	cord_id one, two, room;

	assert_int_equal(placement_port(p, 0, CORD_FAMILY_NONE, 5 * S, &one), 0);
	placement_port_free(p, one, 6 * S);
	assert_int_equal(placement_port(p, 0, CORD_FAMILY_NONE, 16 * S - 1, &two), -ENOSPC);
	assert_int_equal(placement_port(p, 0, CORD_FAMILY_NONE, 16 * S, &two), 0);
	assert_int_equal(cord_id_slot(one), cord_id_slot(two));
	assert_true(cord_id_generation(two) > cord_id_generation(one));
	assert_int_equal(placement_room(p, 0, 5 * S, &room), 0);
	placement_room_free(p, room, 6 * S);
	assert_int_equal(placement_room(p, 0, 7 * S, &room), -ENOSPC);
	assert_int_equal(placement_room(p, 0, 8 * S, &room), 0);
	placement_destroy(p);
}

/* Whoever comes later, even without memory, uses higher generations: the rest is longer than 1 s.
 */
static void generations_grow_over_a_restart(void **state)
{
	struct random r;
	uint32_t last[64] = {0};
	uint64_t now = 100 * S;

	random_init_seed(&r, 1);
	for (unsigned life = 0; life < 20; life++) {
		struct placement *p = make(2, 64, 8);
		cord_id held[64];
		unsigned n = 0;

		for (unsigned step = 0; step < 2000; step++) {
			cord_id port;

			now += random_below(&r, S / 10);
			if (n && random_below(&r, 2)) {
				unsigned i = (unsigned)random_below(&r, n);

				if (random_below(&r, 8) == 0) {
					held[i] = placement_port_renew(p, held[i], now);
					assert_true(cord_id_generation(held[i]) >
						    last[cord_id_slot(held[i])]);
					last[cord_id_slot(held[i])] = cord_id_generation(held[i]);
				}
				placement_port_free(p, held[i], now);
				held[i] = held[--n];
			} else if (placement_port(p, step % 2, CORD_FAMILY_NONE, now, &port) == 0) {
				assert_true(cord_id_generation(port) > last[cord_id_slot(port)]);
				last[cord_id_slot(port)] = cord_id_generation(port);
				held[n++] = port;
			}
		}
		placement_destroy(p);
		now += 2 * S;
	}
}

static void what_is_found_is_claimed_once(void **state)
{
	struct placement *p = make(2, 128, 16);
	struct placement_counts c;
	cord_id port;

	assert_true(placement_port_claim(p, cord_id_make(70, 9)));
	assert_false(placement_port_claim(p, cord_id_make(70, 9)));
	assert_false(placement_port_claim(p, cord_id_make(128, 9)));
	assert_false(placement_port_claim(p, cord_id_make(5, 0)));
	assert_true(placement_port_claim(p, cord_id_make(64, 9)));
	assert_true(placement_port_claim(p, cord_id_make(127, 9)));
	assert_true(placement_room_claim(p, cord_id_make(3, 1), 1));
	placement_counts(p, S, &c);
	assert_int_equal(c.ports_used, 3);
	assert_int_equal(c.rooms_used, 1);
	for (unsigned i = 0; i < 125; i++) {
		assert_int_equal(placement_port(p, 0, CORD_FAMILY_NONE, S, &port), 0);
		assert_int_not_equal(cord_id_slot(port), 70);
	}
	assert_int_equal(placement_port(p, 0, CORD_FAMILY_NONE, S, &port), -ENOSPC);
	placement_port_free(p, cord_id_make(70, 9), S);
	placement_counts(p, 2 * S, &c);
	assert_int_equal(c.ports_resting, 1);
	assert_int_equal(placement_port(p, 0, CORD_FAMILY_NONE, 12 * S, &port), 0);
	assert_int_equal(cord_id_slot(port), 70);
	assert_true(cord_id_generation(port) > 9);
	placement_destroy(p);
}

static void each_family_has_its_addresses(void **state)
{
	const struct placement_shape shape = {.workers = 2,
		.ports = 3 * 128,
		.rooms = 4,
		.rooms_per_worker = 4,
		.addresses = 3,
		.family = {CORD_FAMILY_IPV4, CORD_FAMILY_IPV6, CORD_FAMILY_IPV4}};
	struct placement_counts c;
	struct placement *p;
	cord_id port, other;

	assert_int_equal(placement_create(&shape, &p), 0);
	for (unsigned i = 0; i < 128; i++) {
		assert_int_equal(placement_port(p, 1, CORD_FAMILY_IPV6, S, &port), 0);
		assert_in_range(cord_id_slot(port), 128, 255);
	}
	assert_int_equal(placement_port(p, 1, CORD_FAMILY_IPV6, S, &port), -ENOSPC);
	for (unsigned i = 0; i < 256; i++) {
		assert_int_equal(
			placement_port(p, 1, i % 2 ? CORD_FAMILY_IPV4 : CORD_FAMILY_NONE, S, &port),
			0);
		assert_int_not_equal(cord_id_slot(port) / 128, 1);
	}
	/* One that nobody has heard of is there again at once. */
	placement_port_give_back(p, port);
	placement_counts(p, S, &c);
	assert_int_equal(c.ports_used, 383);
	assert_int_equal(c.ports_resting, 0);
	assert_int_equal(placement_port(p, 0, CORD_FAMILY_IPV4, S, &other), 0);
	assert_int_equal(cord_id_slot(other), cord_id_slot(port));
	assert_true(cord_id_generation(other) > cord_id_generation(port));
	placement_destroy(p);
}

static void a_family_may_be_missing(void **state)
{
	struct placement *p = make(1, 64, 4);
	cord_id port;

	assert_int_equal(placement_port(p, 0, CORD_FAMILY_IPV6, S, &port), -EAFNOSUPPORT);
	assert_int_equal(placement_port(p, 0, CORD_FAMILY_IPV4, S, &port), 0);
	placement_destroy(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rooms_go_to_the_least_loaded_worker),
		cmocka_unit_test(a_worker_takes_so_many_rooms),
		cmocka_unit_test(ports_are_placed_at_home_and_spill),
		cmocka_unit_test(a_freed_port_rests),
		cmocka_unit_test(generations_grow_over_a_restart),
		cmocka_unit_test(what_is_found_is_claimed_once),
		cmocka_unit_test(each_family_has_its_addresses),
		cmocka_unit_test(a_family_may_be_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
