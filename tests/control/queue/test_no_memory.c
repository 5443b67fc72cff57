/* SPDX-License-Identifier: Apache-2.0 */
/* Loading and reloading with every single allocation failing in turn: -ENOMEM, nothing leaked (the
 * sanitizer watches), and what was in force stays in force. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);

static long fail_at = -1; /* calls until one fails; negative: none does */

static bool fails(void)
{
	return fail_at >= 0 && fail_at-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

static struct yml_doc *docs[RESOURCE_KIND_COUNT];
static struct report report;

static int load_docs(void **state)
{
	report_init(&report);
	for (int kind = 0; kind < RESOURCE_KIND_COUNT; kind++) {
		const char *name = resource_kind_file((enum resource_kind)kind);
		char path[4096];
		snprintf(path, sizeof(path), "%s/scripts/instance/%s", getenv("SOURCE_ROOT"), name);
		assert_int_equal(yml_load_file(path, name, &report, &docs[kind]), 0);
	}
	return 0;
}

static int free_docs(void **state)
{
	for (int kind = 0; kind < RESOURCE_KIND_COUNT; kind++)
		yml_destroy(docs[kind]);
	report_clear(&report);
	return 0;
}

/* Everything from the documents to the rows. */
static int build(struct resources **resources)
{
	const struct resource_files_config config = {
		"eu-central-1", "111122223333", "example", support_read_zone, NULL};
	struct resource_files *files = NULL;
	int rc = resource_files_create(&config, &files);

	for (int kind = 0; kind < RESOURCE_KIND_COUNT && !rc; kind++)
		rc = resource_files_add(files, (enum resource_kind)kind, docs[kind]);
	if (!rc)
		rc = resource_files_finish(files, &report, resources);
	resource_files_destroy(files);
	return rc;
}

static void loading_survives_each_failure(void **state)
{
	struct resources *resources = NULL;
	int rc = -ENOMEM;

	for (long at = 0; rc; at++) {
		fail_at = at;
		rc = build(&resources);
		fail_at = -1;
		assert_true(rc == 0 || rc == -ENOMEM || rc == -EINVAL); /* no zone file */
		assert_true(rc == 0 || resources == NULL);
	}
	resources_destroy(resources);
}

static void creation_survives_each_failure(void **state)
{
	const struct router_config config = {.contacts_max = 10, .instance_limit = 10};
	struct resources *resources = NULL;
	struct router *router = NULL;
	struct timers timers;
	int rc = -ENOMEM;

	assert_int_equal(build(&resources), 0);
	timers_init(&timers, 1);
	for (long at = 0; rc; at++) {
		fail_at = at;
		rc = router_create(&config, &timers, resources, 1, &router);
		fail_at = -1;
		assert_true(rc == 0 || rc == -ENOMEM);
	}
	router_destroy(router);
	timers_clear(&timers);
	resources_destroy(resources);
}

/* Agents enough for the nodes to be moved. */
static int build_criteria(struct criteria **criteria)
{
	char place[100], wrong[CRITERIA_WRONG_SIZE];
	int rc = 0;

	*criteria = criteria_new();
	for (int i = 0; *criteria && rc == 0 && i < 20; i++) {
		snprintf(place, sizeof(place),
			"Steps[0].Expression.AttributeCondition.MatchCriteria.AgentsCriteria."
			"AgentIds[%d]",
			i);
		rc = criteria_set(*criteria, place, "u-ann", wrong);
	}
	return *criteria ? rc : -ENOMEM;
}

static void criteria_survive_each_failure(void **state)
{
	struct criteria *criteria = NULL;
	int rc = -ENOMEM;

	for (long at = 0; rc; at++) {
		fail_at = at;
		rc = build_criteria(&criteria);
		fail_at = -1;
		assert_true(rc == 0 || rc == -ENOMEM);
		criteria_release(criteria);
	}
}

static void a_failed_reload_leaves_the_old_in_force(void **state)
{
	struct bench bench;
	struct resources *fresh = NULL;
	int rc = -ENOMEM;

	assert_int_equal(build(&fresh), 0);
	bench_start(&bench, 0);
	bench_available(&bench, "ann");
	bench_enqueue(&bench, bench_queue(&bench, "Orders"), 1);
	bench_drop_effects(&bench);
	for (long at = 0; rc; at++) {
		fail_at = at;
		rc = router_reload(bench.router, fresh, bench.now);
		fail_at = -1;
		if (rc == 0)
			break;
		assert_int_equal(rc, -ENOMEM);
		bench_audit(&bench);
		assert_int_equal(bench_state(&bench, "ann"), AGENT_AVAILABLE);
		assert_int_equal(bench_position(&bench, 1), 1);
		assert_non_null(router_queue_row(bench.router, bench_queue(&bench, "Orders")));
	}
	bench_drop_effects(&bench);
	resources_destroy(bench.resources);
	bench.resources = fresh;
	assert_int_equal(router_find_agent(bench.router, "ann", RESOURCE_BY_ANY), ROUTER_NONE);
	assert_int_equal(bench_position(&bench, 1), 1);
	router_remove(bench.router, 0, 1, QUEUE_ABANDONED, bench.now);
	bench_stop(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loading_survives_each_failure),
		cmocka_unit_test(creation_survives_each_failure),
		cmocka_unit_test(criteria_survive_each_failure),
		cmocka_unit_test(a_failed_reload_leaves_the_old_in_force),
	};

	return cmocka_run_group_tests_name("no_memory", tests, load_docs, free_docs);
}
