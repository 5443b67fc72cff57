/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void defaults_are_whole_and_print_as_they_read(void **state)
{
	char path[] = "/tmp/test-options-XXXXXX", wrong[512];
	struct options a, b;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	options_default(&a);
	assert_int_equal(options_finish(&a, wrong, sizeof(wrong)), 0);
	assert_int_equal(a.addresses, 1);
	assert_int_equal(options_set(&a, "ports", "200", wrong, sizeof(wrong)), 0);
	assert_int_equal(options_set(&a, "idle", "sleep", wrong, sizeof(wrong)), 0);
	options_print(&a, f);
	fclose(f);
	options_default(&b);
	assert_int_equal(options_read(&b, path, wrong, sizeof(wrong)), 0);
	assert_int_equal(options_finish(&b, wrong, sizeof(wrong)), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	unlink(path);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *name, *value, *says;
	} bad[] = {
		{"no-such", "1", "no-such: no such option"},
		{"ports", "1", "ports: expected a number from 2 to 262144"},
		{"ports", "262145", "ports: expected"},
		{"ports", "12x", "ports: expected"},
		{"ports", "", "ports: expected"},
		{"idle", "snore", "idle: expected one of: auto spin sleep"},
		{"idle", "spi", "idle: expected"},
		{"hugepages", "", "hugepages: expected"},
	};
	static const struct {
		const char *name, *value, *says;
	} together[] = {
		{"media-address", "10.0.0.1/33", "media-address: expected a host"},
		{"media-address", "10.0.0.1/0", "media-address: expected a host"},
		{"media-address", "10.0.0/24", "media-address: expected a host"},
		{"media-address", "", "media-address: expected a host"},
		{"media-address", "224.0.0.1/24", "media-address: expected a host"},
		{"media-address", "0.0.0.0/24", "media-address: expected a host"},
		{"media-address", "2001:db8::1/0", "media-address: expected a host"},
		{"media-address", "2001:db8::1/129", "media-address: expected a host"},
		{"media-address", "2001:db8::1/64x", "media-address: expected a host"},
		{"media-address", "2001:db8::g/64", "media-address: expected a host"},
		{"media-address", "::/64", "media-address: expected a host"},
		{"media-address", "ff02::1/64", "media-address: expected a host"},
		{"media-address", "::ffff:10.0.0.1/120", "media-address: expected a host"},
		{"media-address", "10.0.0.1/24,10.0.0.2/24,10.0.0.3/24",
			"ports: expected a multiple"},
		{"gateway", "nowhere", "gateway: expected a host"},
		{"gateway", "10.0.0.1,", "gateway: expected a host"},
		{"gateway", "ff02::2", "gateway: expected a host"},
		{"gateway", "10.0.0.1, 10.0.0.2", "gateway: expected one of each family"},
		{"gateway", "fe80::1, fe80::2", "gateway: expected one of each family"},
		{"udp-port-base", "20001", "udp-port-base: expected an even"},
		{"udp-port-base", "65000", "ports: 4096 ports of each address do not fit"},
		{"vdev", "", "vdev, pci: expected one"},
	};
	struct options o;
	char wrong[512];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		options_default(&o);
		assert_int_equal(
			options_set(&o, bad[i].name, bad[i].value, wrong, sizeof(wrong)), -EINVAL);
		assert_non_null(strstr(wrong, bad[i].says));
	}
	for (size_t i = 0; i < sizeof(together) / sizeof(together[0]); i++) {
		options_default(&o);
		assert_int_equal(
			options_set(&o, together[i].name, together[i].value, wrong, sizeof(wrong)),
			0);
		assert_int_equal(options_finish(&o, wrong, sizeof(wrong)), -EINVAL);
		assert_non_null(strstr(wrong, together[i].says));
	}
}

static void both_families_are_read(void **state)
{
	static const struct cord_address gateway = {
		.family = CORD_FAMILY_IPV6, .ip = {0xfe, 0x80, [15] = 1}};
	struct options o;
	char wrong[512];

	(void)state;
	options_default(&o);
	assert_int_equal(
		options_set(&o, "media-address", "10.0.0.2/24, fd00::2/64", wrong, sizeof(wrong)),
		0);
	assert_int_equal(options_set(&o, "gateway", "fe80::1", wrong, sizeof(wrong)), 0);
	assert_int_equal(options_finish(&o, wrong, sizeof(wrong)), 0);
	assert_int_equal(o.addresses, 2);
	assert_int_equal(o.address[0].family, CORD_FAMILY_IPV4);
	assert_int_equal(o.address[1].family, CORD_FAMILY_IPV6);
	assert_int_equal(o.prefix[0], 24);
	assert_int_equal(o.prefix[1], 64);
	assert_int_equal(o.address[1].ip[15], 2);
	assert_int_equal(o.gateway_address[0].family, CORD_FAMILY_NONE);
	assert_true(cord_address_equal(&o.gateway_address[1], &gateway));
	assert_int_equal(options_set(&o, "gateway", "fe80::1,10.0.0.1", wrong, sizeof(wrong)), 0);
	assert_int_equal(options_finish(&o, wrong, sizeof(wrong)), 0);
	assert_int_equal(o.gateway_address[0].ip[3], 1);
	assert_true(cord_address_equal(&o.gateway_address[1], &gateway));
}

static void files_name_the_line(void **state)
{
	char path[] = "/tmp/test-options-XXXXXX", wrong[512], want[64];
	struct options o;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	fprintf(f, "# comment\n\n ports = 128 # behind\nrooms 5\n");
	fclose(f);
	options_default(&o);
	assert_int_equal(options_read(&o, path, wrong, sizeof(wrong)), -EINVAL);
	snprintf(want, sizeof(want), "%s:4: expected", path);
	assert_non_null(strstr(wrong, want));
	assert_int_equal(o.ports, 128);
	unlink(path);
	assert_int_equal(options_read(&o, path, wrong, sizeof(wrong)), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_whole_and_print_as_they_read),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(both_families_are_read),
		cmocka_unit_test(files_name_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
