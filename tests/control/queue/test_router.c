/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct bench bench;

static int start(void **state)
{
	bench_start(&bench, 0);
	return 0;
}

static int start_with_overflow(void **state)
{
	bench_start(&bench, 34);
	return 0;
}

static int stop(void **state)
{
	bench_stop(&bench);
	return 0;
}

static uint32_t returns(void)
{
	return bench_queue(&bench, "Returns");
}

static uint32_t orders(void)
{
	return bench_queue(&bench, "Orders");
}

static enum router_result move(router_contact contact, uint32_t queue)
{
	bench_drop_effects(&bench);
	router_move(bench.router, 5, contact, queue, bench.now);
	return bench_result(&bench);
}

static enum router_result take_out(router_contact contact)
{
	router_remove(bench.router, 6, contact, QUEUE_ABANDONED, bench.now);
	return ROUTER_OK;
}

static void wait_s(uint64_t seconds)
{
	bench_run(&bench, bench.now + seconds * SECOND);
}

/* Accepts, whisper over, talks, ends. */
static void serve(router_contact contact, uint64_t offer, const char *name)
{
	uint32_t agent = bench_agent(&bench, name);

	router_accept(bench.router, 0, offer, bench.now);
	router_dequeue(bench.router, 0, contact, bench.now);
	assert_int_equal(
		router_agent_contact(bench.router, agent, contact, AGENT_CONNECT, bench.now), 0);
	assert_int_equal(
		router_agent_contact(bench.router, agent, contact, AGENT_END, bench.now), 0);
	bench_drop_effects(&bench);
}

/* ---- criteria ---- */

/* One step of 10 s: the agent with this id. */
static struct criteria *only_agent(const char *id)
{
	struct criteria *criteria = criteria_new();
	char wrong[CRITERIA_WRONG_SIZE];

#define CONDITION "Steps[0].Expression.AttributeCondition."
	assert_int_equal(criteria_set(criteria, CONDITION "ComparisonOperator", "Match", wrong), 0);
	assert_int_equal(criteria_set(criteria,
				 CONDITION "MatchCriteria.AgentsCriteria.AgentIds[0]", id, wrong),
		0);
	assert_int_equal(
		criteria_set(criteria, "Steps[0].Expiry.DurationInSeconds", "10", wrong), 0);
	assert_int_equal(criteria_finish(criteria, wrong), 0);
	return criteria;
}

static void enqueue_for(const char *id, router_contact contact, uint32_t queue)
{
	struct criteria *criteria = only_agent(id);
	struct router_enqueue request = {.contact = contact, .queue = queue, .criteria = criteria};

	assert_int_equal(router_enqueue(bench.router, &request, bench.now), 0);
	criteria_release(criteria);
	assert_int_equal(bench_result(&bench), ROUTER_OK);
	bench_audit(&bench);
}

static void criteria_wait_for_their_agent_then_for_any(void **state)
{
	bench_available(&bench, "ann");
	bench_drop_effects(&bench);
	enqueue_for("u-bob", 1, returns());
	bench_expect_no_offer(&bench);
	bench_run(&bench, bench.now + 10 * SECOND - 1);
	bench_expect_no_offer(&bench);
	bench_run(&bench, bench.now + 1);
	bench_expect_offer(&bench, 1, "ann");
}

static void criteria_prefer_who_came_later(void **state)
{
	bench_available(&bench, "ann");
	bench_run(&bench, bench.now + SECOND);
	bench_available(&bench, "bob");
	bench_drop_effects(&bench);
	enqueue_for("u-bob", 1, returns());
	bench_expect_offer(&bench, 1, "bob");
}

static void an_agent_passes_contacts_that_want_another(void **state)
{
	enqueue_for("u-bob", 1, returns());
	bench_enqueue(&bench, returns(), 2);
	bench_available(&bench, "ann");
	bench_expect_offer(&bench, 2, "ann");
	assert_int_equal(bench_position(&bench, 1), 1);
}

static void criteria_move_along_and_count_anew(void **state)
{
	enqueue_for("u-bob", 1, orders());
	bench_available(&bench, "ann");
	bench_run(&bench, bench.now + 9 * SECOND);
	bench_drop_effects(&bench);
	assert_int_equal(move(1, returns()), ROUTER_OK);
	bench_run(&bench, bench.now + 9 * SECOND);
	bench_expect_no_offer(&bench);
	bench_run(&bench, bench.now + SECOND);
	bench_expect_offer(&bench, 1, "ann");
}

static void criteria_change_while_a_contact_waits(void **state)
{
	struct criteria *criteria = only_agent("u-ann");

	enqueue_for("u-bob", 1, returns());
	bench_available(&bench, "ann");
	bench_drop_effects(&bench);
	router_set_criteria(bench.router, 0, 1, criteria, bench.now);
	criteria_release(criteria);
	bench_audit(&bench);
	bench_expect_offer(&bench, 1, "ann");
	router_set_criteria(bench.router, 0, 99, NULL, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_UNKNOWN_CONTACT);
}

static void criteria_taken_back_let_any_agent_in(void **state)
{
	enqueue_for("u-bob", 1, returns());
	bench_available(&bench, "ann");
	bench_drop_effects(&bench);
	router_set_criteria(bench.router, 0, 1, NULL, bench.now);
	bench_expect_offer(&bench, 1, "ann");
}

static void an_agents_own_queue_knows_no_criteria(void **state)
{
	uint32_t own = router_agent_queue(bench.router, bench_agent(&bench, "ann"));

	bench_available(&bench, "ann");
	bench_drop_effects(&bench);
	enqueue_for("u-bob", 1, own);
	bench_expect_offer(&bench, 1, "ann");
}

static void a_rejected_offer_returns_to_the_step_of_that_moment(void **state)
{
	uint64_t offer;

	bench_available(&bench, "ann");
	bench_available(&bench, "bob");
	bench_drop_effects(&bench);
	enqueue_for("u-bob", 1, returns());
	offer = bench_expect_offer(&bench, 1, "bob");
	bench_run(&bench, bench.now + 11 * SECOND);
	router_reject(bench.router, 0, offer, false, bench.now);
	bench_expect_offer(&bench, 1, "ann");
}

/* ---- capacity ---- */

static void R77_transfer_to_queue_meets_the_maximum(void **state)
{
	struct router_enqueue request = {.tag = 9, .contact = 4, .queue = returns()};
	struct router_effect effect;

	for (router_contact contact = 1; contact <= 3; contact++)
		assert_int_equal(bench_enqueue(&bench, returns(), contact), ROUTER_OK);
	router_enqueue(bench.router, &request, bench.now);
	assert_true(bench_take(&bench, ROUTER_ANSWER, &effect));
	assert_int_equal(effect.result, ROUTER_FULL);
	assert_int_equal(effect.members, 3);
	assert_int_equal(effect.limit, 3);
	assert_int_equal(router_contacts(bench.router), 3);
}

static void R77_due_callbacks_count(void **state)
{
	struct router_enqueue callback = {
		.contact = 10, .queue = returns(), .via = QUEUE_VIA_CALLBACK, .callback = true};
	struct metrics_queue metrics;

	bench_enqueue(&bench, returns(), 1);
	bench_enqueue(&bench, returns(), 2);
	router_enqueue(bench.router, &callback, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_OK);
	assert_int_equal(bench_enqueue(&bench, returns(), 3), ROUTER_FULL);
	router_queue_metrics(bench.router, returns(), bench.now, &metrics);
	assert_int_equal(metrics.contacts, 3);
	assert_int_equal(metrics.callbacks, 1);
}

static void R78_without_a_maximum_the_instance_limit_counts(void **state)
{
	for (router_contact contact = 1; contact <= 50; contact++)
		assert_int_equal(bench_enqueue(&bench, orders(), contact), ROUTER_OK);
	assert_int_equal(bench_enqueue(&bench, orders(), 51), ROUTER_FULL);
}

static void R79_strict_for_everyone_by_default(void **state)
{
	for (router_contact contact = 1; contact <= 3; contact++)
		bench_enqueue(&bench, returns(), contact);
	bench_enqueue(&bench, orders(), 4);
	assert_int_equal(move(4, returns()), ROUTER_FULL);
	for (int via = QUEUE_VIA_FLOW; via <= QUEUE_VIA_CALLBACK; via++) {
		struct router_enqueue request = {
			.contact = 5, .queue = returns(), .via = (enum queue_via)via};
		bench_drop_effects(&bench);
		router_enqueue(bench.router, &request, bench.now);
		assert_int_equal(bench_result(&bench), ROUTER_FULL);
	}
}

static void R79_overflow_when_the_operator_turns_it_on(void **state)
{
	for (router_contact contact = 1; contact <= 3; contact++)
		bench_enqueue(&bench, returns(), contact);
	bench_enqueue(&bench, orders(), 4);
	assert_int_equal(bench_enqueue(&bench, returns(), 5), ROUTER_FULL);
	assert_int_equal(move(4, returns()), ROUTER_OK);
	bench_enqueue(&bench, orders(), 6);
	assert_int_equal(move(6, returns()), ROUTER_FULL);
}

static void R80_of_two_that_race_one_gets_the_place(void **state)
{
	struct router_enqueue first = {.tag = 1, .contact = 1, .queue = returns()};
	struct router_enqueue second = {.tag = 2, .contact = 2, .queue = returns()};
	struct router_effect effect;

	bench_enqueue(&bench, returns(), 3);
	bench_enqueue(&bench, returns(), 4);
	bench_drop_effects(&bench);
	router_enqueue(bench.router, &first, bench.now);
	router_enqueue(bench.router, &second, bench.now);
	assert_true(bench_take(&bench, ROUTER_ANSWER, &effect));
	assert_int_equal(effect.tag, 1);
	assert_int_equal(effect.result, ROUTER_OK);
	assert_true(bench_take(&bench, ROUTER_ANSWER, &effect));
	assert_int_equal(effect.tag, 2);
	assert_int_equal(effect.result, ROUTER_FULL);
}

static void R81_a_caller_stays_until_an_agent_or_the_flow(void **state)
{
	bench_enqueue(&bench, returns(), 1);
	wait_s(7 * 86400);
	assert_int_equal(bench_position(&bench, 1), 1);
	bench_available(&bench, "ann");
	serve(1, bench_expect_offer(&bench, 1, "ann"), "ann");
	assert_int_equal(router_contacts(bench.router), 0);
}

/* ---- moving ---- */

static void R84_no_move_while_being_offered(void **state)
{
	uint64_t offer;

	bench_available(&bench, "ann");
	bench_enqueue(&bench, returns(), 1);
	offer = bench_expect_offer(&bench, 1, "ann");
	assert_int_equal(move(1, orders()), ROUTER_BEING_OFFERED);
	router_accept(bench.router, 0, offer, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_OK);
	assert_int_equal(move(1, orders()), ROUTER_BEING_OFFERED);
	assert_int_equal(bench_position(&bench, 1), 1);
}

/* A waiting caller who talks to an outside number keeps the place and is offered to nobody. */
static void a_parked_contact_keeps_its_place(void **state)
{
	bench_enqueue(&bench, returns(), 1);
	bench_enqueue(&bench, returns(), 2);
	router_park(bench.router, 0, 1, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_OK);
	router_park(bench.router, 0, 1, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_OK);
	assert_int_equal(bench_position(&bench, 1), 1);
	bench_available(&bench, "ann");
	bench_expect_offer(&bench, 2, "ann");
	router_park(bench.router, 0, 2, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_BEING_OFFERED);
	router_park(bench.router, 0, 3, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_UNKNOWN_CONTACT);
	bench_available(&bench, "bob");
	router_unpark(bench.router, 0, 1, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_OK);
	bench_expect_offer(&bench, 1, "bob");
	router_unpark(bench.router, 0, 1, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_OK);
}

static void a_parked_contact_can_leave(void **state)
{
	bench_enqueue(&bench, returns(), 1);
	router_park(bench.router, 0, 1, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_OK);
	router_remove(bench.router, 0, 1, QUEUE_LEFT_BY_FLOW, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_OK);
	assert_int_equal(router_contacts(bench.router), 0);
}

static void R85_a_dynamic_queue_is_an_arn_or_id(void **state)
{
	const enum resource_refs dynamic = RESOURCE_BY_ID | RESOURCE_BY_ARN;
	const struct resource_queue *row = router_queue_row(bench.router, returns());

	assert_int_equal(router_find_queue(bench.router, row->row.arn, dynamic), returns());
	assert_int_equal(router_find_queue(bench.router, "q-returns", dynamic), returns());
	assert_int_equal(router_find_queue(bench.router, "Returns", dynamic), ROUTER_NONE);
	assert_int_equal(router_find_queue(bench.router, "", dynamic), ROUTER_NONE);
	assert_int_equal(router_find_queue(bench.router, "Returns", RESOURCE_BY_ANY), returns());
	bench_enqueue(&bench, orders(), 1);
	assert_int_equal(move(1, ROUTER_NONE), ROUTER_UNKNOWN_QUEUE);
	assert_int_equal(bench_position(&bench, 1), 1);
}

static void R86_a_move_takes_a_place_in_the_new_queue(void **state)
{
	struct router_place place;

	bench_enqueue(&bench, returns(), 1);
	bench_enqueue(&bench, orders(), 2);
	assert_int_equal(move(2, returns()), ROUTER_OK);
	router_place(bench.router, 2, bench.now, &place);
	assert_int_equal(place.queue, returns());
	assert_int_equal(place.position, 2);
	assert_int_equal(move(2, returns()), ROUTER_OK);
	assert_int_equal(bench_position(&bench, 2), 2);
}

static void R87_at_capacity_the_contact_keeps_queue_and_place(void **state)
{
	struct router_place place;

	for (router_contact contact = 1; contact <= 3; contact++)
		bench_enqueue(&bench, returns(), contact);
	bench_enqueue(&bench, orders(), 4);
	wait_s(5);
	bench_enqueue(&bench, orders(), 5);
	assert_int_equal(move(4, returns()), ROUTER_FULL);
	router_place(bench.router, 4, bench.now, &place);
	assert_int_equal(place.queue, orders());
	assert_int_equal(place.position, 1);
	assert_true(place.waited_ns == 5 * SECOND);
}

/* ---- agents' own queues ---- */

static void R91_every_user_has_a_queue_of_ten(void **state)
{
	for (uint32_t agent = 0; agent < router_agent_count(bench.router); agent++) {
		uint32_t own = router_agent_queue(bench.router, agent);
		router_contact base = (agent + 1) * 100;
		assert_int_equal(router_queue_agent(bench.router, own), agent);
		assert_null(router_queue_row(bench.router, own));
		for (router_contact i = 0; i < 10; i++)
			assert_int_equal(bench_enqueue(&bench, own, base + i), ROUTER_OK);
		assert_int_equal(bench_enqueue(&bench, own, base + 10), ROUTER_FULL);
	}
}

static void R91_the_ten_have_no_overflow(void **state)
{
	uint32_t own = router_agent_queue(bench.router, bench_agent(&bench, "ann"));

	for (router_contact i = 1; i <= 10; i++)
		bench_enqueue(&bench, own, i);
	bench_enqueue(&bench, orders(), 11);
	assert_int_equal(move(11, own), ROUTER_FULL);
}

static void R92_own_queues_are_found_by_their_arn(void **state)
{
	uint32_t ann = bench_agent(&bench, "ann");
	const struct resource_agent *row = router_agent_row(bench.router, ann);

	assert_int_equal(router_find_queue(bench.router, row->queue_arn, RESOURCE_BY_ARN),
		router_agent_queue(bench.router, ann));
	assert_int_equal(
		router_find_queue(bench.router, row->queue_arn, RESOURCE_BY_ID), ROUTER_NONE);
}

static void R93_a_dynamic_agent_is_a_user_name_or_id(void **state)
{
	const enum resource_refs dynamic = RESOURCE_BY_ID | RESOURCE_BY_NAME;
	uint32_t ann = bench_agent(&bench, "ann");

	assert_int_equal(router_find_agent(bench.router, "u-ann", dynamic), ann);
	assert_int_equal(router_find_agent(bench.router, "ann", dynamic), ann);
	assert_int_equal(router_find_agent(bench.router, "Ann", dynamic), ROUTER_NONE);
	assert_int_equal(router_find_agent(bench.router, "Ann A", dynamic), ROUTER_NONE);
	assert_int_equal(router_find_agent(bench.router, "", dynamic), ROUTER_NONE);
	assert_int_equal(router_find_agent(bench.router,
				 router_agent_row(bench.router, ann)->row.arn, dynamic),
		ROUTER_NONE);
}

static void R95_who_may_not_take_calls_is_offered_nothing(void **state)
{
	uint32_t dan = bench_agent(&bench, "dan");

	bench_available(&bench, "dan");
	assert_int_equal(
		bench_enqueue(&bench, router_agent_queue(bench.router, dan), 1), ROUTER_OK);
	bench_expect_no_offer(&bench);
	assert_int_equal(bench_snapshot(&bench, "dan").bar, AGENT_BAR_PERMISSION);
	bench_enqueue(&bench, returns(), 2);
	wait_s(3600);
	bench_expect_no_offer(&bench);
	router_offer_agent(bench.router, 3, 3, dan, ROUTER_NONE, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_AGENT_BARRED);
}

static void an_own_queue_beats_everything_without_delay(void **state)
{
	uint32_t ann = bench_agent(&bench, "ann");

	bench_enqueue(&bench, returns(), 1);
	wait_s(600);
	bench_enqueue(&bench, router_agent_queue(bench.router, ann), 2);
	bench_available(&bench, "ann");
	bench_expect_offer(&bench, 2, "ann");
}

/* ---- who gets whom ---- */

static void the_longest_available_agent_is_first(void **state)
{
	bench_available(&bench, "bob");
	wait_s(5);
	bench_available(&bench, "ann");
	bench_enqueue(&bench, returns(), 1);
	bench_expect_offer(&bench, 1, "bob");
	bench_enqueue(&bench, returns(), 2);
	bench_expect_offer(&bench, 2, "ann");
}

static void equal_moments_are_served_in_the_order_of_coming(void **state)
{
	bench_available(&bench, "bob");
	bench_available(&bench, "ann");
	bench_enqueue(&bench, returns(), 1);
	bench_expect_offer(&bench, 1, "bob");
}

static void profile_priority_beats_waiting_time(void **state)
{
	bench_enqueue(&bench, orders(), 1);
	wait_s(600);
	bench_enqueue(&bench, returns(), 2);
	bench_available(&bench, "ann");
	bench_expect_offer(&bench, 2, "ann");
}

static void a_contact_younger_than_the_delay_is_not_offered(void **state)
{
	bench_available(&bench, "cem"); /* Late: 10 s */
	bench_enqueue(&bench, returns(), 1);
	bench_expect_no_offer(&bench);
	wait_s(9);
	bench_expect_no_offer(&bench);
	wait_s(1);
	bench_expect_offer(&bench, 1, "cem");
}

static void an_expired_delay_wakes_the_router_exactly(void **state)
{
	struct router_effect effect;
	uint64_t enqueued = bench.now;

	bench_available(&bench, "ann"); /* Orders: 1 s */
	bench_enqueue(&bench, orders(), 1);
	bench_run(&bench, bench.now + 100 * SECOND);
	assert_true(bench_take(&bench, ROUTER_OFFER, &effect));
	assert_true(effect.at_ns == enqueued + SECOND);
	assert_true(effect.deadline_ns == enqueued + 21 * SECOND);
}

static void contact_priority_then_age_within_a_queue(void **state)
{
	struct router_enqueue urgent = {.contact = 3, .queue = returns(), .priority = 1};

	bench_enqueue(&bench, returns(), 1);
	wait_s(1);
	bench_enqueue(&bench, returns(), 2);
	router_enqueue(bench.router, &urgent, bench.now);
	router_set_priority(bench.router, 0, 2, 0, 10 * (int64_t)SECOND, bench.now);
	bench_available(&bench, "ann");
	bench_expect_offer(&bench, 3, "ann");
	bench_available(&bench, "bob");
	bench_expect_offer(&bench, 2, "bob");
	assert_int_equal(bench_position(&bench, 3), 1);
	assert_int_equal(bench_position(&bench, 2), 2);
	assert_int_equal(bench_position(&bench, 1), 3);
}

/* ---- offers ---- */

static void an_offer_lasts_twenty_seconds_and_keeps_the_place(void **state)
{
	struct router_effect effect;

	bench_available(&bench, "ann");
	bench_enqueue(&bench, returns(), 1);
	bench_enqueue(&bench, returns(), 2);
	bench_drop_effects(&bench);
	wait_s(19);
	assert_int_equal(bench_state(&bench, "ann"), AGENT_OFFERED);
	wait_s(1);
	assert_true(bench_take(&bench, ROUTER_WITHDRAW, &effect));
	assert_int_equal(effect.why, ROUTER_WHY_MISSED);
	assert_true(bench_take(&bench, ROUTER_RETURNED, &effect));
	assert_int_equal(effect.position, 1);
	assert_int_equal(bench_state(&bench, "ann"), AGENT_MISSED);
	wait_s(600);
	bench_expect_no_offer(&bench);
	bench_available(&bench, "bob");
	bench_expect_offer(&bench, 1, "bob");
	router_agent_clear(bench.router, bench_agent(&bench, "ann"), bench.now);
	bench_expect_offer(&bench, 2, "ann");
}

static void a_reject_goes_to_the_next_agent_at_once(void **state)
{
	uint64_t offer;

	bench_available(&bench, "ann");
	wait_s(1);
	bench_available(&bench, "bob");
	bench_enqueue(&bench, returns(), 1);
	offer = bench_expect_offer(&bench, 1, "ann");
	router_reject(bench.router, 8, offer, false, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_OK);
	bench_expect_offer(&bench, 1, "bob");
	assert_int_equal(bench_state(&bench, "ann"), AGENT_MISSED);
	router_reject(bench.router, 8, offer, false, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_STALE_OFFER);
	router_accept(bench.router, 8, offer, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_STALE_OFFER);
	router_agent_status(bench.router, bench_agent(&bench, "ann"),
		resources_available(bench.resources), bench.now);
	assert_int_equal(bench_state(&bench, "ann"), AGENT_AVAILABLE);
}

static void a_failed_phone_is_an_error_until_cleared(void **state)
{
	bench_available(&bench, "ann");
	bench_enqueue(&bench, returns(), 1);
	router_reject(bench.router, 8, bench_expect_offer(&bench, 1, "ann"), true, bench.now);
	assert_int_equal(bench_state(&bench, "ann"), AGENT_ERROR);
	bench_drop_effects(&bench);
	router_agent_clear(bench.router, bench_agent(&bench, "ann"), bench.now);
	bench_expect_offer(&bench, 1, "ann");
}

static void the_caller_hangs_up_and_nobody_goes_on_ringing(void **state)
{
	struct router_effect effect;
	uint64_t since;

	bench_available(&bench, "ann");
	since = bench.now;
	wait_s(5);
	bench_available(&bench, "bob");
	bench_enqueue(&bench, returns(), 1);
	bench_drop_effects(&bench);
	wait_s(3);
	take_out(1);
	assert_true(bench_take(&bench, ROUTER_WITHDRAW, &effect));
	assert_int_equal(effect.why, ROUTER_WHY_CONTACT_GONE);
	assert_int_equal(effect.agent, bench_agent(&bench, "ann"));
	assert_int_equal(bench_state(&bench, "ann"), AGENT_AVAILABLE);
	/* It was no turn: ann is still longest available. */
	assert_true(since < bench.now);
	bench_enqueue(&bench, returns(), 2);
	bench_expect_offer(&bench, 2, "ann");
}

static void a_withdrawn_offer_frees_the_agent_for_the_next(void **state)
{
	bench_available(&bench, "ann");
	bench_enqueue(&bench, returns(), 1);
	bench_enqueue(&bench, returns(), 2);
	bench_drop_effects(&bench);
	take_out(1);
	bench_expect_offer(&bench, 2, "ann");
}

static void the_contact_stays_queued_through_the_agent_whisper(void **state)
{
	struct metrics_queue metrics;
	struct router_effect effect;
	uint64_t offer;

	bench_available(&bench, "ann");
	bench_enqueue(&bench, returns(), 1);
	offer = bench_expect_offer(&bench, 1, "ann");
	wait_s(4);
	router_accept(bench.router, 8, offer, bench.now);
	wait_s(6);
	router_queue_metrics(bench.router, returns(), bench.now, &metrics);
	assert_int_equal(metrics.contacts, 1);
	assert_int_equal(metrics.held, 1);
	bench_drop_effects(&bench);
	router_dequeue(bench.router, 9, 1, bench.now);
	assert_true(bench_take(&bench, ROUTER_DEQUEUED, &effect));
	assert_true(effect.waited_ns == 10 * SECOND);
	assert_int_equal(effect.queue, returns());
	router_queue_metrics(bench.router, returns(), bench.now, &metrics);
	assert_int_equal(metrics.contacts, 0);
	assert_true(metrics.figures.answered == 1);
	assert_int_equal(bench_state(&bench, "ann"), AGENT_CONNECTING);
}

static void the_agent_drops_in_the_whisper_and_the_place_stays(void **state)
{
	struct router_effect effect;

	bench_available(&bench, "ann");
	bench_enqueue(&bench, returns(), 1);
	router_accept(bench.router, 0, bench_expect_offer(&bench, 1, "ann"), bench.now);
	wait_s(2);
	bench_enqueue(&bench, returns(), 2);
	router_drop(bench.router, 7, 1, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_OK);
	assert_true(bench_take(&bench, ROUTER_RETURNED, &effect));
	assert_int_equal(effect.position, 1);
	assert_int_equal(bench_state(&bench, "ann"), AGENT_ERROR);
	bench_available(&bench, "bob");
	bench_expect_offer(&bench, 1, "bob");
	router_drop(bench.router, 7, 1, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_NOT_ACCEPTED);
	router_dequeue(bench.router, 7, 1, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_NOT_ACCEPTED);
}

static void a_panel_phone_that_does_not_answer_is_a_miss(void **state)
{
	bench_available(&bench, "bob");
	bench_enqueue(&bench, returns(), 1);
	router_accept(bench.router, 0, bench_expect_offer(&bench, 1, "bob"), bench.now);
	router_miss(bench.router, 7, 1, bench.now);
	assert_int_equal(bench_state(&bench, "bob"), AGENT_MISSED);
	assert_int_equal(bench_position(&bench, 1), 1);
}

static void the_customer_drops_in_the_whisper(void **state)
{
	bench_available(&bench, "ann");
	bench_enqueue(&bench, returns(), 1);
	router_accept(bench.router, 0, bench_expect_offer(&bench, 1, "ann"), bench.now);
	take_out(1);
	assert_int_equal(bench_state(&bench, "ann"), AGENT_AFTER_CONTACT_WORK);
	assert_int_equal(router_contacts(bench.router), 0);
	wait_s(30); /* ann's timeout */
	assert_int_equal(bench_state(&bench, "ann"), AGENT_AVAILABLE);
}

static void a_callback_is_dequeued_by_its_acceptance(void **state)
{
	struct router_enqueue callback = {.contact = 10, .queue = returns(), .callback = true};
	struct router_effect effect;

	bench_available(&bench, "ann");
	router_enqueue(bench.router, &callback, bench.now);
	router_accept(bench.router, 0, bench_expect_offer(&bench, 10, "ann"), bench.now);
	assert_true(bench_take(&bench, ROUTER_DEQUEUED, &effect));
	assert_int_equal(router_contacts(bench.router), 0);
	assert_int_equal(bench_state(&bench, "ann"), AGENT_CONNECTING);
}

/* ---- phones, logout, statuses ---- */

static void a_lost_phone_gives_the_contact_to_someone_else(void **state)
{
	struct router_effect effect;

	bench_available(&bench, "ann");
	wait_s(1);
	bench_available(&bench, "bob");
	bench_enqueue(&bench, returns(), 1);
	bench_expect_offer(&bench, 1, "ann");
	router_agent_phone(bench.router, bench_agent(&bench, "ann"), false, bench.now);
	assert_true(bench_take(&bench, ROUTER_WITHDRAW, &effect));
	assert_int_equal(effect.why, ROUTER_WHY_PHONE_LOST);
	bench_expect_offer(&bench, 1, "bob");
	assert_int_equal(bench_snapshot(&bench, "ann").bar, AGENT_BAR_PHONE);
	bench_enqueue(&bench, returns(), 2);
	bench_expect_no_offer(&bench);
	router_agent_phone(bench.router, bench_agent(&bench, "ann"), true, bench.now);
	bench_expect_offer(&bench, 2, "ann");
}

static void logout_during_an_offer_returns_the_contact(void **state)
{
	bench_available(&bench, "ann");
	wait_s(1);
	bench_available(&bench, "bob");
	bench_enqueue(&bench, returns(), 1);
	bench_expect_offer(&bench, 1, "ann");
	assert_int_equal(
		router_agent_logout(bench.router, bench_agent(&bench, "ann"), bench.now), 0);
	bench_expect_offer(&bench, 1, "bob");
	assert_int_equal(bench_state(&bench, "ann"), AGENT_LOGGED_OUT);
}

static void a_next_status_stops_offers_and_ends_the_work(void **state)
{
	const struct resource_status *lunch =
		resources_status(bench.resources, "Lunch", RESOURCE_BY_NAME);
	uint32_t ann = bench_agent(&bench, "ann");
	struct router_effect effect;
	int changes = 0;

	bench_available(&bench, "ann");
	bench_enqueue(&bench, returns(), 1);
	router_accept(bench.router, 0, bench_expect_offer(&bench, 1, "ann"), bench.now);
	router_dequeue(bench.router, 0, 1, bench.now);
	router_agent_status(bench.router, ann, lunch, bench.now);
	bench_enqueue(&bench, returns(), 2);
	bench_drop_effects(&bench);
	assert_int_equal(router_agent_contact(bench.router, ann, 1, AGENT_END, bench.now), 0);
	while (bench_take(&bench, ROUTER_AGENT_CHANGED, &effect)) {
		changes++;
		assert_int_equal(
			effect.after.state, changes == 1 ? AGENT_AFTER_CONTACT_WORK : AGENT_CUSTOM);
	}
	assert_int_equal(changes, 2);
	bench_expect_no_offer(&bench);
	wait_s(31); /* beyond ann's timeout: it was cancelled */
	assert_int_equal(bench_state(&bench, "ann"), AGENT_CUSTOM);
}

/* ---- after-contact work ---- */

static void R51_no_offer_until_the_contact_is_cleared(void **state)
{
	uint32_t bob = bench_agent(&bench, "bob");

	bench_available(&bench, "bob"); /* no timeout */
	bench_enqueue(&bench, returns(), 1);
	serve(1, bench_expect_offer(&bench, 1, "bob"), "bob");
	bench_enqueue(&bench, returns(), 2);
	wait_s(3600);
	bench_expect_no_offer(&bench);
	assert_int_equal(bench_state(&bench, "bob"), AGENT_AFTER_CONTACT_WORK);
	assert_int_equal(router_agent_clear(bench.router, bob, bench.now), 0);
	bench_expect_offer(&bench, 2, "bob");
	assert_int_equal(router_agent_clear(bench.router, bob, bench.now), -EBUSY);
}

static void R51_the_agents_timeout_clears(void **state)
{
	bench_available(&bench, "ann"); /* 30 s */
	bench_enqueue(&bench, returns(), 1);
	serve(1, bench_expect_offer(&bench, 1, "ann"), "ann");
	bench_enqueue(&bench, returns(), 2);
	bench_drop_effects(&bench);
	wait_s(29);
	bench_expect_no_offer(&bench);
	wait_s(1);
	bench_expect_offer(&bench, 2, "ann");
}

/* ---- direct offers and own calls ---- */

static void transfer_to_agent_offers_to_that_agent_only(void **state)
{
	uint32_t ann = bench_agent(&bench, "ann");
	struct router_effect effect;

	bench_available(&bench, "ann");
	bench_available(&bench, "bob");
	router_offer_agent(bench.router, 1, 50, ann, returns(), bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_OK);
	bench_expect_offer(&bench, 50, "ann");
	router_offer_agent(bench.router, 2, 51, ann, returns(), bench.now);
	assert_true(bench_take(&bench, ROUTER_ANSWER, &effect));
	assert_int_equal(effect.result, ROUTER_AGENT_BARRED);
	assert_int_equal(effect.bar, AGENT_BAR_OFFERED);
	wait_s(20);
	assert_true(bench_take(&bench, ROUTER_DIRECT_FAILED, &effect));
	assert_int_equal(effect.why, ROUTER_WHY_MISSED);
	assert_int_equal(effect.contact, 50);
	assert_int_equal(router_contacts(bench.router), 0);
	assert_int_equal(bench_state(&bench, "bob"), AGENT_AVAILABLE);
}

static void transfer_to_agent_ends_after_contact_work(void **state)
{
	uint32_t ann = bench_agent(&bench, "ann");

	bench_available(&bench, "ann");
	bench_enqueue(&bench, returns(), 1);
	serve(1, bench_expect_offer(&bench, 1, "ann"), "ann");
	bench_enqueue(&bench, returns(), 2);
	bench_drop_effects(&bench);
	router_offer_agent(bench.router, 1, 50, ann, returns(), bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_OK);
	serve(50, bench_expect_offer(&bench, 50, "ann"), "ann");
	assert_int_equal(bench_position(&bench, 2), 1);
}

static void an_own_call_takes_the_slot_in_every_status(void **state)
{
	uint32_t ann = bench_agent(&bench, "ann"), dan = bench_agent(&bench, "dan");

	assert_int_equal(
		router_agent_dial(bench.router, ann, 60, ROUTER_NONE, bench.now), -ENOTCONN);
	router_agent_login(bench.router, ann, NULL, bench.now);
	assert_int_equal(
		router_agent_dial(bench.router, ann, 60, ROUTER_NONE, bench.now), -EHOSTUNREACH);
	router_agent_phone(bench.router, ann, true, bench.now);
	assert_int_equal(router_agent_dial(bench.router, ann, 60, returns(), bench.now), 0);
	assert_int_equal(bench_state(&bench, "ann"), AGENT_CALLING);
	assert_int_equal(router_agent_dial(bench.router, ann, 61, ROUTER_NONE, bench.now), -EBUSY);
	assert_int_equal(
		router_agent_contact(bench.router, ann, 61, AGENT_CONNECT, bench.now), -ENOENT);
	assert_int_equal(router_agent_contact(bench.router, ann, 60, AGENT_CONNECT, bench.now), 0);
	assert_int_equal(
		router_agent_contact(bench.router, ann, 60, AGENT_CONNECT, bench.now), -EINVAL);
	assert_int_equal(
		router_agent_contact(bench.router, ann, 60, AGENT_CLEAR, bench.now), -EINVAL);
	router_agent_login(bench.router, dan, NULL, bench.now);
	router_agent_phone(bench.router, dan, true, bench.now);
	assert_int_equal(router_agent_dial(bench.router, dan, 62, ROUTER_NONE, bench.now), -EPERM);
}

/* ---- refusals ---- */

static void wrong_numbers_and_contacts_are_refused(void **state)
{
	struct router_enqueue nobody = {.contact = 0, .queue = returns()};
	struct router_place place;

	assert_int_equal(router_enqueue(bench.router, &nobody, bench.now), -EINVAL);
	assert_int_equal(bench_enqueue(&bench, 9999, 1), ROUTER_UNKNOWN_QUEUE);
	assert_int_equal(bench_enqueue(&bench, returns(), 1), ROUTER_OK);
	assert_int_equal(bench_enqueue(&bench, orders(), 1), ROUTER_DUPLICATE);
	router_remove(bench.router, 1, 2, QUEUE_ABANDONED, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_UNKNOWN_CONTACT);
	router_offer_agent(bench.router, 1, 2, 9999, ROUTER_NONE, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_UNKNOWN_AGENT);
	assert_int_equal(router_place(bench.router, 2, bench.now, &place), -ENOENT);
	assert_int_equal(router_agent_clear(bench.router, 9999, bench.now), -ENOENT);
	assert_int_equal(
		router_agent_clear(bench.router, bench_agent(&bench, "ann"), bench.now), -EALREADY);
	router_accept(bench.router, 1, 0, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_STALE_OFFER);
	router_accept(bench.router, 1, UINT64_MAX, bench.now);
	assert_int_equal(bench_result(&bench), ROUTER_STALE_OFFER);
	assert_int_equal(move(77, returns()), ROUTER_UNKNOWN_CONTACT);
}

static void the_ceiling_of_contacts_is_an_answer(void **state)
{
	uint32_t own = router_agent_queue(bench.router, bench_agent(&bench, "ann"));

	for (router_contact i = 1; i <= 10; i++)
		bench_enqueue(&bench, own, i);
	for (router_contact i = 11; i <= 60; i++)
		bench_enqueue(&bench, orders(), i);
	assert_int_equal(bench_enqueue(&bench, own, 100), ROUTER_FULL);
	for (router_contact i = 1; i <= 60; i++)
		take_out(i);
	assert_int_equal(router_contacts(bench.router), 0);
}

static int wakes;

static void on_wake(void *context)
{
	wakes++;
}

static void the_wake_comes_once_until_the_list_is_empty(void **state)
{
	struct router_effect effect;

	bench_drop_effects(&bench);
	wakes = 0;
	router_set_wake(bench.router, on_wake, NULL);
	router_remove(bench.router, 1, 2, QUEUE_ABANDONED, bench.now);
	router_remove(bench.router, 2, 2, QUEUE_ABANDONED, bench.now);
	assert_int_equal(wakes, 1);
	assert_true(router_take_effect(bench.router, &effect));
	assert_true(router_take_effect(bench.router, &effect));
	assert_false(router_take_effect(bench.router, &effect));
	router_remove(bench.router, 3, 2, QUEUE_ABANDONED, bench.now);
	assert_int_equal(wakes, 2);
}

/* ---- reload ---- */

static const struct support_texts changed = {{
	[RESOURCE_QUEUE] = "queues:\n"
			   "  - {name: Claims, id: q-claims}\n"
			   "  - {name: Returned parcels, id: q-returns, max_contacts: 1}\n",
	[RESOURCE_ROUTING_PROFILE] = "routing_profiles:\n"
				     "  - name: Both\n"
				     "    queues: [{queue: q-returns, priority: 1},\n"
				     "             {queue: Claims, priority: 1}]\n",
	[RESOURCE_AGENT] =
		"agents:\n"
		"  - {user: eve, id: u-eve, first_name: Eve, last_name: E, routing_profile: Both,\n"
		"     security_profile: Agent, phone: {kind: ring, register: eve, password: x}}\n"
		"  - {user: anna, id: u-ann, first_name: Ann, last_name: A,\n"
		"     routing_profile: Both, security_profile: Agent,\n"
		"     phone: {kind: ring, register: anna, password: x}}\n",
}};

static void swap_resources(void)
{
	struct resources *fresh = support_resources(&changed);

	assert_int_equal(router_reload(bench.router, fresh, bench.now), 0);
	bench_drop_effects(&bench);
	resources_destroy(bench.resources);
	bench.resources = fresh;
	bench_audit(&bench);
}

static void reload_keeps_numbers_places_and_states(void **state)
{
	uint32_t ann = bench_agent(&bench, "ann"), old_returns = returns(), old_orders = orders();
	struct metrics_queue metrics;

	bench_enqueue(&bench, old_returns, 1);
	bench_enqueue(&bench, old_returns, 2);
	bench_enqueue(&bench, old_orders, 3);
	bench_available(&bench, "ann");
	router_accept(bench.router, 0, bench_expect_offer(&bench, 1, "ann"), bench.now);
	swap_resources();
	assert_int_equal(bench_agent(&bench, "anna"), ann);
	assert_int_equal(bench_queue(&bench, "Returned parcels"), old_returns);
	assert_int_equal(bench_state(&bench, "anna"), AGENT_CONNECTING);
	assert_int_equal(bench_position(&bench, 2), 2);
	router_queue_metrics(bench.router, old_returns, bench.now, &metrics);
	assert_int_equal(metrics.limit, 1);
	assert_int_equal(metrics.contacts, 2);
	/* The queue that is gone keeps its contact and takes no other. */
	assert_int_equal(bench_position(&bench, 3), 1);
	assert_int_equal(bench_enqueue(&bench, old_orders, 9), ROUTER_UNKNOWN_QUEUE);
	assert_int_equal(move(3, bench_queue(&bench, "Claims")), ROUTER_OK);
}

static void reload_takes_users_away_and_withdraws_their_offers(void **state)
{
	uint32_t bob = bench_agent(&bench, "bob");
	struct agent_snapshot snapshot;

	bench_available(&bench, "bob");
	bench_enqueue(&bench, returns(), 1);
	bench_expect_offer(&bench, 1, "bob");
	swap_resources();
	router_agent_snapshot(bench.router, bob, &snapshot);
	assert_int_equal(snapshot.bar, AGENT_BAR_REMOVED);
	assert_null(snapshot.row);
	assert_int_equal(bench_position(&bench, 1), 1);
	bench_available(&bench, "eve");
	bench_expect_offer(&bench, 1, "eve");
	assert_false(snapshot.logged_in);
	assert_int_equal(router_agent_login(bench.router, bob, NULL, bench.now), -ENOENT);
}

static void a_user_taken_away_on_a_contact_leaves_when_it_ends(void **state)
{
	uint32_t bob = bench_agent(&bench, "bob");
	struct agent_snapshot snapshot;

	bench_available(&bench, "bob");
	bench_enqueue(&bench, returns(), 1);
	router_accept(bench.router, 0, bench_expect_offer(&bench, 1, "bob"), bench.now);
	router_dequeue(bench.router, 0, 1, bench.now);
	swap_resources();
	router_agent_snapshot(bench.router, bob, &snapshot);
	assert_true(snapshot.logged_in);
	assert_int_equal(router_agent_contact(bench.router, bob, 1, AGENT_CONNECT, bench.now), 0);
	assert_int_equal(router_agent_contact(bench.router, bob, 1, AGENT_END, bench.now), 0);
	router_agent_snapshot(bench.router, bob, &snapshot);
	assert_false(snapshot.logged_in);
	assert_int_equal(snapshot.contact.state, AGENT_SLOT_EMPTY);
}

static void reload_offers_what_new_profiles_allow(void **state)
{
	bench_available(&bench, "cem");
	bench_available(&bench, "ann");
	bench_enqueue(&bench, orders(), 1);
	assert_int_equal(
		move(1, router_agent_queue(bench.router, bench_agent(&bench, "dan"))), ROUTER_OK);
	swap_resources();
	assert_int_equal(bench_state(&bench, "anna"), AGENT_AVAILABLE);
	assert_int_equal(move(1, bench_queue(&bench, "Claims")), ROUTER_OK);
	assert_int_equal(bench_state(&bench, "anna"), AGENT_OFFERED);
}

struct listing {
	router_contact contacts[8];
	uint32_t count;
};

static void note(void *context, router_contact contact, uint64_t enqueued_at_ns)
{
	struct listing *listing = context;

	listing->contacts[listing->count++] = contact;
}

static void waiting_contacts_are_listed_in_order(void **state)
{
	struct listing listing = {0};

	for (router_contact contact = 1; contact <= 5; contact++)
		bench_enqueue(&bench, orders(), contact);
	router_set_priority(bench.router, 0, 4, 1, 0, bench.now);
	assert_int_equal(router_each_waiting(bench.router, orders(), 3, note, &listing), 0);
	assert_int_equal(listing.count, 3);
	assert_int_equal(listing.contacts[0], 4);
	assert_int_equal(listing.contacts[1], 1);
	assert_int_equal(listing.contacts[2], 2);
}

static void create_refuses_what_is_out_of_range(void **state)
{
	const struct router_config bad[] = {
		{0, 1, 0, 0}, {1, 0, 0, 0}, {1, 1, 101, 0}, {ROUTER_CONTACTS_MAX + 1, 1, 0, 0}};
	struct router *router;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(router_create(&bad[i], &bench.timers, bench.resources, 0, &router),
			-EINVAL);
}

static void every_word_is_there(void **state)
{
	for (int i = ROUTER_ENQUEUE; i <= ROUTER_MISS; i++)
		assert_non_null(router_request_name((enum router_request)i));
	for (int i = ROUTER_OK; i <= ROUTER_NO_ROOM; i++)
		assert_non_null(router_result_text((enum router_result)i));
	for (int i = ROUTER_WHY_NONE; i <= ROUTER_WHY_AGENT_FAILED; i++)
		assert_non_null(router_why_text((enum router_why)i));
	assert_string_equal(router_request_name(ROUTER_MISS), "miss");
}

#define T(test)        cmocka_unit_test_setup_teardown(test, start, stop)
#define OVERFLOW(test) cmocka_unit_test_setup_teardown(test, start_with_overflow, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(criteria_wait_for_their_agent_then_for_any),
		T(criteria_prefer_who_came_later),
		T(an_agent_passes_contacts_that_want_another),
		T(criteria_move_along_and_count_anew),
		T(criteria_change_while_a_contact_waits),
		T(criteria_taken_back_let_any_agent_in),
		T(an_agents_own_queue_knows_no_criteria),
		T(a_rejected_offer_returns_to_the_step_of_that_moment),
		T(R77_transfer_to_queue_meets_the_maximum),
		T(R77_due_callbacks_count),
		T(R78_without_a_maximum_the_instance_limit_counts),
		T(R79_strict_for_everyone_by_default),
		OVERFLOW(R79_overflow_when_the_operator_turns_it_on),
		T(R80_of_two_that_race_one_gets_the_place),
		T(R81_a_caller_stays_until_an_agent_or_the_flow),
		T(R84_no_move_while_being_offered),
		T(a_parked_contact_keeps_its_place),
		T(a_parked_contact_can_leave),
		T(R85_a_dynamic_queue_is_an_arn_or_id),
		T(R86_a_move_takes_a_place_in_the_new_queue),
		T(R87_at_capacity_the_contact_keeps_queue_and_place),
		T(R91_every_user_has_a_queue_of_ten),
		OVERFLOW(R91_the_ten_have_no_overflow),
		T(R92_own_queues_are_found_by_their_arn),
		T(R93_a_dynamic_agent_is_a_user_name_or_id),
		T(R95_who_may_not_take_calls_is_offered_nothing),
		T(an_own_queue_beats_everything_without_delay),
		T(the_longest_available_agent_is_first),
		T(equal_moments_are_served_in_the_order_of_coming),
		T(profile_priority_beats_waiting_time),
		T(a_contact_younger_than_the_delay_is_not_offered),
		T(an_expired_delay_wakes_the_router_exactly),
		T(contact_priority_then_age_within_a_queue),
		T(an_offer_lasts_twenty_seconds_and_keeps_the_place),
		T(a_reject_goes_to_the_next_agent_at_once),
		T(a_failed_phone_is_an_error_until_cleared),
		T(the_caller_hangs_up_and_nobody_goes_on_ringing),
		T(a_withdrawn_offer_frees_the_agent_for_the_next),
		T(the_contact_stays_queued_through_the_agent_whisper),
		T(the_agent_drops_in_the_whisper_and_the_place_stays),
		T(a_panel_phone_that_does_not_answer_is_a_miss),
		T(the_customer_drops_in_the_whisper),
		T(a_callback_is_dequeued_by_its_acceptance),
		T(a_lost_phone_gives_the_contact_to_someone_else),
		T(logout_during_an_offer_returns_the_contact),
		T(a_next_status_stops_offers_and_ends_the_work),
		T(R51_no_offer_until_the_contact_is_cleared),
		T(R51_the_agents_timeout_clears),
		T(transfer_to_agent_offers_to_that_agent_only),
		T(transfer_to_agent_ends_after_contact_work),
		T(an_own_call_takes_the_slot_in_every_status),
		T(wrong_numbers_and_contacts_are_refused),
		T(the_ceiling_of_contacts_is_an_answer),
		T(the_wake_comes_once_until_the_list_is_empty),
		T(waiting_contacts_are_listed_in_order),
		T(reload_keeps_numbers_places_and_states),
		T(reload_takes_users_away_and_withdraws_their_offers),
		T(a_user_taken_away_on_a_contact_leaves_when_it_ends),
		T(reload_offers_what_new_profiles_allow),
		T(create_refuses_what_is_out_of_range),
		T(every_word_is_there),
	};

	return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
