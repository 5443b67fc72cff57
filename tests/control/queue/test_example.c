/* SPDX-License-Identifier: Apache-2.0 */
/* The ready example instance loads without a word, and holds what its readers are told. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"

static struct resources *resources;

static int load(void **state)
{
	const struct resource_files_config config = {
		"eu-central-1", "111122223333", "example", support_read_zone, NULL};
	struct yml_doc *docs[RESOURCE_KIND_COUNT] = {0};
	struct resource_files *files;
	struct report report;
	int rc;

	report_init(&report);
	assert_int_equal(resource_files_create(&config, &files), 0);
	for (int kind = 0; kind < RESOURCE_KIND_COUNT; kind++) {
		const char *name = resource_kind_file((enum resource_kind)kind);
		char path[4096];
		snprintf(path, sizeof(path), "%s/scripts/instance/%s", getenv("SOURCE_ROOT"), name);
		assert_int_equal(yml_load_file(path, name, &report, &docs[kind]), 0);
		resource_files_add(files, (enum resource_kind)kind, docs[kind]);
	}
	rc = resource_files_finish(files, &report, &resources);
	report_print(&report, stderr);
	assert_int_equal(rc, 0);
	assert_int_equal(report_size(&report), 0);
	for (int kind = 0; kind < RESOURCE_KIND_COUNT; kind++)
		yml_destroy(docs[kind]);
	resource_files_destroy(files);
	report_clear(&report);
	return 0;
}

static int unload(void **state)
{
	resources_destroy(resources);
	return 0;
}

static void two_queues_and_mixed_phones(void **state)
{
	uint32_t ring = 0, panel = 0, agents = resources_count(resources, RESOURCE_AGENT);

	assert_int_equal(resources_count(resources, RESOURCE_QUEUE), 2);
	assert_true(agents >= 4);
	for (uint32_t i = 0; i < agents; i++) {
		const struct resource_agent *agent =
			(const struct resource_agent *)resources_row(resources, RESOURCE_AGENT, i);
		ring += agent->phone_kind == RESOURCE_PHONE_RING;
		panel += agent->phone_kind == RESOURCE_PHONE_PANEL;
	}
	assert_true(ring >= 2 && panel >= 2);
}

static void the_prompts_of_the_default_flows_are_there(void **state)
{
	assert_non_null(resources_prompt(resources, "beep", RESOURCE_BY_ID));
	assert_non_null(resources_prompt(resources, "hold-music", RESOURCE_BY_ID));
}

static void the_desk_is_closed_at_christmas(void **state)
{
	const struct resource_queue *returns =
		resources_queue(resources, "Returns", RESOURCE_BY_NAME);
	int64_t ten = zone_days(2026, 12, 25) * 86400 + 9 * 3600; /* a Friday, 10 in Rome */

	assert_false(hours_is_open(&returns->hours->hours, ten));
	assert_true(hours_is_open(&returns->hours->hours, ten - 7 * 86400));
	assert_true(hours_is_open(
		&resources_queue(resources, "Orders", RESOURCE_BY_NAME)->hours->hours, ten));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_queues_and_mixed_phones),
		cmocka_unit_test(the_prompts_of_the_default_flows_are_there),
		cmocka_unit_test(the_desk_is_closed_at_christmas),
	};

	return cmocka_run_group_tests_name("example", tests, load, unload);
}
