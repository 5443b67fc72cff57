/* SPDX-License-Identifier: Apache-2.0 */
/* Quick connects that were made, changed, removed, attached and detached over the admin socket, laid
 * over those of the files. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct support_texts sound = {{
	[RESOURCE_QUEUE] = "queues:\n"
			   "  - {name: Returns, id: q-returns, quick_connects: [Desk, Courier]}\n"
			   "  - {name: Orders, id: q-orders}\n"
			   "  - {name: Elsewhere, id: q-elsewhere}\n",
	[RESOURCE_ROUTING_PROFILE] = "routing_profiles:\n"
				     "  - name: P\n"
				     "    queues: [{queue: Returns, priority: 1},\n"
				     "             {queue: Orders, priority: 2}]\n",
	[RESOURCE_AGENT] =
		"agents:\n"
		"  - {user: ann, first_name: Ann, last_name: A, routing_profile: P,\n"
		"     security_profile: Agent, phone: {kind: ring, register: ann, password: x}}\n",
	[RESOURCE_QUICK_CONNECT] =
		"quick_connects:\n"
		"  - {name: Desk, id: c-desk, description: d, type: queue, queue: Returns,\n"
		"     flow: TQ}\n"
		"  - {name: Courier, id: c-courier, description: d, type: external,\n"
		"     number: '+12025550177'}\n",
}};

#define TAXI                                                                             \
	"{\"name\": \"Taxi\", \"id\": \"c-taxi\", \"description\": \"home\", \"type\": " \
	"\"external\", \"number\": \"+12025550188\"}"

static int note(void *context, const struct resource_quick_connect *one)
{
	strcat(strcat(context, one->row.name), ";");
	return 0;
}

static struct resources *load(const char *changes, struct report *report)
{
	struct support_texts texts = sound;
	struct resources *resources = NULL;

	texts.changes = changes;
	report_init(report);
	if (support_load(&texts, report, &resources))
		report_print(report, stderr);
	assert_non_null(resources);
	return resources;
}

/* What ann sees on a contact. */
static void expect_seen(const char *changes, const char *wanted)
{
	char seen[256] = "";
	struct report report;
	struct resources *resources = load(changes, &report);

	resources_each_quick_connect(
		resources, resources_agent(resources, "ann", RESOURCE_BY_NAME), true, note, seen);
	assert_string_equal(seen, wanted);
	assert_int_equal(report_count(&report, REPORT_WARNING), 0);
	report_clear(&report);
	resources_destroy(resources);
}

static void R11_a_new_one_is_seen_once_it_is_attached(void **state)
{
	expect_seen(NULL, "Desk;Courier;");
	expect_seen("{}", "Desk;Courier;");
	expect_seen("{\"quick_connects\": [" TAXI "]}", "Desk;Courier;");
	expect_seen("{\"quick_connects\": [" TAXI "], \"attached\": [{\"queue\": \"q-orders\", "
		    "\"quick_connects\": [\"c-taxi\", \"c-courier\"]}]}",
		"Desk;Courier;Taxi;");
	expect_seen("{\"quick_connects\": [" TAXI "], \"attached\": [{\"queue\": \"q-returns\", "
		    "\"quick_connects\": [\"c-taxi\", \"c-courier\"]}]}",
		"Desk;Courier;Taxi;");
}

static void R12_one_of_a_queue_outside_the_profile_is_not_seen(void **state)
{
	expect_seen("{\"quick_connects\": [" TAXI "], \"attached\": [{\"queue\": \"q-elsewhere\", "
		    "\"quick_connects\": [\"c-taxi\"]}]}",
		"Desk;Courier;");
}

static void R11_one_that_was_detached_is_seen_no_more(void **state)
{
	expect_seen("{\"detached\": [{\"queue\": \"q-returns\", \"quick_connects\": "
		    "[\"c-desk\", \"c-none\"]}]}",
		"Courier;");
	expect_seen("{\"removed\": [\"c-desk\"]}", "Courier;");
}

static void a_changed_one_stands_for_that_of_the_file_under_any_name(void **state)
{
	const char *changes =
		"{\"quick_connects\": [{\"name\": \"Bikes\", \"id\": \"c-courier\", "
		"\"description\": \"e\", \"type\": \"external\", \"number\": \"+12025550199\"},"
		"{\"name\": \"Courier\", \"id\": \"c-other\", \"description\": \"o\", "
		"\"type\": \"external\", \"number\": \"+12025550111\"}]}";
	const struct resource_quick_connect *one, *other;
	struct report report;
	struct resources *resources = load(changes, &report);

	one = resources_quick_connect(resources, "Bikes", RESOURCE_BY_NAME);
	other = resources_quick_connect(resources, "Courier", RESOURCE_BY_NAME);
	assert_string_equal(one->number, "+12025550199");
	assert_non_null(strstr(one->file_place, "quick-connects.yaml:4"));
	assert_non_null(strstr(one->row.place, "changes:1"));
	assert_string_equal(other->row.id, "c-other");
	assert_null(other->file_place);
	assert_int_equal(resources_count(resources, RESOURCE_QUICK_CONNECT), 3);
	assert_true(report_mentions(&report, REPORT_NOTE, "\"Courier\" was changed"));
	report_clear(&report);
	resources_destroy(resources);
	expect_seen(changes, "Desk;Bikes;");
}

static void what_has_gone_meanwhile_is_a_warning(void **state)
{
	struct report report;
	struct resources *resources =
		load("{\"removed\": [\"c-none\"], \"attached\": [{\"queue\": \"q-none\", "
		     "\"quick_connects\": []}, {\"queue\": \"q-orders\", "
		     "\"quick_connects\": [\"c-none\"]}]}",
			&report);

	assert_int_equal(report_count(&report, REPORT_WARNING), 2);
	assert_true(report_mentions(&report, REPORT_WARNING, "attached[0].queue"));
	assert_true(report_mentions(&report, REPORT_WARNING, "attached[1].quick_connects[0]"));
	report_clear(&report);
	resources_destroy(resources);
}

static void R8_R10_what_is_wrong_in_a_change_is_named(void **state)
{
	static const char *const rows[][2] = {
		{"{\"quick_connects\": [{\"name\": \"Taxi\", \"id\": \"c\", \"type\": \"external\","
		 "\"number\": \"+12\"}]}",
			"description"},
		{"{\"quick_connects\": [{\"name\": \"Taxi\", \"id\": \"c\", \"description\": \"\","
		 "\"type\": \"external\", \"number\": \"+12\"}]}",
			"description"},
		{"{\"quick_connects\": [{\"name\": \"Taxi\", \"id\": \"c\", \"description\": \"d\","
		 "\"type\": \"external\", \"number\": \"+12\", \"flow\": \"TQ\"}]}",
			"\"flow\""},
		{"{\"quick_connects\": [{\"name\": \"Taxi\", \"description\": \"d\","
		 "\"type\": \"external\", \"number\": \"+12\"}]}",
			"id"},
		{"{\"quick_connects\": [{\"name\": \"Desk\", \"id\": \"c\", \"description\": \"d\","
		 "\"type\": \"external\", \"number\": \"+12\"}]}",
			"quick-connects.yaml:2"},
		{"{\"quick_connects\": [" TAXI ", " TAXI "]}", "of its own"},
		{"{\"quick_connects\": [7]}", "mapping"},
		{"{\"removed\": [[]]}", "removed"},
		{"{\"removed\": 7}", "removed"},
		{"{\"attached\": [{\"quick_connects\": []}]}", "queue"},
		{"{\"detached\": [{\"queue\": \"q-returns\"}]}", "quick_connects"},
		{"{\"detached\": [{\"queue\": \"q\", \"quick_connects\": [{}]}]}", "detached"},
		{"{\"colours\": []}", "colours"},
		{"[]", "mapping"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct support_texts texts = sound;
		struct resources *resources = NULL;
		struct report report;

		texts.changes = rows[i][0];
		report_init(&report);
		if (support_load(&texts, &report, &resources) == 0)
			fail_msg("accepted: %s", rows[i][0]);
		if (!report_mentions(&report, REPORT_ERROR, rows[i][1]) ||
			!report_mentions(&report, REPORT_ERROR, "changes")) {
			report_print(&report, stderr);
			fail_msg("\"%s\" is not named for: %s", rows[i][1], rows[i][0]);
		}
		report_clear(&report);
	}
}

/* A row of the files is judged also where it does not count. */
static void R8_a_file_is_judged_where_it_was_changed_too(void **state)
{
	struct support_texts texts = sound;
	struct resources *resources = NULL;
	struct report report;

	texts.text[RESOURCE_QUICK_CONNECT] =
		"quick_connects:\n"
		"  - {name: Desk, id: c-desk, description: d, type: external, number: '+12'}\n"
		"  - {name: Courier, id: c-courier, type: external, number: '12'}\n";
	texts.changes = "{\"removed\": [\"c-courier\"]}";
	report_init(&report);
	assert_int_not_equal(support_load(&texts, &report, &resources), 0);
	assert_true(report_mentions(&report, REPORT_ERROR, "description"));
	assert_true(report_mentions(&report, REPORT_ERROR, "E.164"));
	report_clear(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R11_a_new_one_is_seen_once_it_is_attached),
		cmocka_unit_test(R12_one_of_a_queue_outside_the_profile_is_not_seen),
		cmocka_unit_test(R11_one_that_was_detached_is_seen_no_more),
		cmocka_unit_test(a_changed_one_stands_for_that_of_the_file_under_any_name),
		cmocka_unit_test(what_has_gone_meanwhile_is_a_warning),
		cmocka_unit_test(R8_R10_what_is_wrong_in_a_change_is_named),
		cmocka_unit_test(R8_a_file_is_judged_where_it_was_changed_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
