/* SPDX-License-Identifier: Apache-2.0 */
/* What a NIC is asked for. */
#include "nic.h"

#include <cordboard/limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Of 20 ms each, all ports talking: so many come while their worker is held up for 4 ms. */
static void queues_hold_what_comes_meanwhile(void **state)
{
	(void)state;
	for (uint32_t ports = 2; ports <= 10000; ports++)
		assert_true(nic_descriptors_needed(ports, 1) >= ports * 4 / 20);
	assert_int_equal(nic_descriptors_needed(2, 1), NIC_DESCRIPTORS_MIN);
	assert_int_equal(nic_descriptors_needed(4096, 1), 2048);
	assert_int_equal(nic_descriptors_needed(4096, 4), 512);
	assert_int_equal(nic_descriptors_needed(CORD_PORTS_MAX, 1), NIC_DESCRIPTORS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(queues_hold_what_comes_meanwhile)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
