/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "queue/metrics.h"

static uint32_t count(struct bench *bench, const char *queue, enum metrics_count which)
{
	struct metrics_queue metrics;

	assert_int_equal(router_queue_metrics(
				 bench->router, bench_queue(bench, queue), bench->now, &metrics),
		0);
	return metrics.agents.count[which];
}

static void expect(struct bench *bench, const char *queue, const char *what)
{
	/* online staffed available on_contact busy after_contact non_productive missed error */
	char found[METRICS_COUNT + 1] = {0};

	for (int which = 0; which < METRICS_COUNT; which++)
		found[which] = (char)('0' + count(bench, queue, (enum metrics_count)which));
	assert_string_equal(found, what);
}

static void R82_each_state_is_counted_where_it_belongs(void **state)
{
	struct bench bench;
	uint32_t ann;
	uint64_t offer;

	bench_start(&bench, 0);
	ann = bench_agent(&bench, "ann");
	expect(&bench, "Returns", "000000000");
	router_agent_login(bench.router, ann, NULL, bench.now);
	expect(&bench, "Returns", "000000000"); /* Offline is not online */
	router_agent_status(bench.router, ann, resources_available(bench.resources), bench.now);
	expect(&bench, "Returns", "110000000"); /* no phone yet */
	router_agent_phone(bench.router, ann, true, bench.now);
	expect(&bench, "Returns", "111000000");
	expect(&bench, "Orders", "111000000");
	bench_enqueue(&bench, bench_queue(&bench, "Returns"), 1);
	offer = bench_expect_offer(&bench, 1, "ann");
	expect(&bench, "Returns", "110000000"); /* being offered: not available, not yet on it */
	router_accept(bench.router, 0, offer, bench.now);
	expect(&bench, "Returns", "110110000");
	router_dequeue(bench.router, 0, 1, bench.now);
	router_agent_contact(bench.router, ann, 1, AGENT_CONNECT, bench.now);
	router_agent_contact(bench.router, ann, 1, AGENT_HOLD, bench.now);
	expect(&bench, "Returns", "110110000");
	router_agent_contact(bench.router, ann, 1, AGENT_END, bench.now);
	expect(&bench, "Returns", "110101000");
	router_agent_clear(bench.router, ann, bench.now);
	expect(&bench, "Returns", "111000000");
	bench_enqueue(&bench, bench_queue(&bench, "Returns"), 2);
	bench_run(&bench, bench.now + 20 * SECOND);
	expect(&bench, "Returns", "110000011"); /* missed counts as an error, too */
	router_agent_status(bench.router, ann,
		resources_status(bench.resources, "Lunch", RESOURCE_BY_NAME), bench.now);
	expect(&bench, "Returns", "100000100");
	router_agent_dial(bench.router, ann, 77, ROUTER_NONE, bench.now);
	expect(&bench, "Returns", "100110100");
	bench_stop(&bench);
}

static void an_agents_own_queue_counts_the_agent(void **state)
{
	struct metrics_queue metrics;
	struct bench bench;
	uint32_t own;

	bench_start(&bench, 0);
	own = router_agent_queue(bench.router, bench_agent(&bench, "ann"));
	bench_available(&bench, "bob");
	assert_int_equal(router_queue_metrics(bench.router, own, bench.now, &metrics), 0);
	assert_int_equal(metrics.agents.count[METRICS_ONLINE], 0);
	assert_int_equal(metrics.limit, 10);
	bench_available(&bench, "ann");
	router_queue_metrics(bench.router, own, bench.now, &metrics);
	assert_int_equal(metrics.agents.count[METRICS_AVAILABLE], 1);
	router_agent_metrics(bench.router, &metrics.agents);
	assert_int_equal(metrics.agents.count[METRICS_AVAILABLE], 2);
	bench_stop(&bench);
}

static void service_level_is_a_share_of_answered_and_abandoned(void **state)
{
	struct queue_figures figures = {.answered = 3, .abandoned = 1, .answered_wait_ns = 30};

	figures.answered_by_wait[0] = 1; /* within 5 s */
	figures.answered_by_wait[3] = 1; /* within 20 s */
	figures.answered_by_wait[QUEUE_WAIT_BUCKETS - 1] = 1;
	assert_true(metrics_service_level(&figures, 4) == 0.0);
	assert_true(metrics_service_level(&figures, 5) == 25.0);
	assert_true(metrics_service_level(&figures, 19) == 25.0);
	assert_true(metrics_service_level(&figures, 20) == 50.0);
	assert_true(metrics_service_level(&figures, 100000) == 50.0);
	assert_true(metrics_mean_answer_ns(&figures) == 10);
	memset(&figures, 0, sizeof(figures));
	assert_true(metrics_service_level(&figures, 20) == 100.0);
	assert_true(metrics_mean_answer_ns(&figures) == 0);
}

static void names_are_all_there(void **state)
{
	for (int which = 0; which < METRICS_COUNT; which++)
		assert_non_null(metrics_count_name((enum metrics_count)which));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R82_each_state_is_counted_where_it_belongs),
		cmocka_unit_test(an_agents_own_queue_counts_the_agent),
		cmocka_unit_test(service_level_is_a_share_of_answered_and_abandoned),
		cmocka_unit_test(names_are_all_there),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
