/* SPDX-License-Identifier: Apache-2.0 */
/* Input that is encrypted on the helper thread while its leg goes, or control stops. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"
#include "contact/contact.h"
#include "contact/sealing.h"
#include "contact/switchboard.h"

static struct switchboard board;
static struct contact contact;
static struct flow_action action;
static const struct flow_effect effect = {.type = FLOW_EFFECT_ENCRYPT_INPUT,
	.id = 7,
	.action = &action,
	.encrypt = {.digits = "1234", .key_id = "k", .key = "no key"}};

static int set_up_with(unsigned jobs)
{
	action.identifier = "Ask";
	contact.board = &board;
	if (loop_create(NULL, &board.loop) < 0 ||
		offload_create(board.loop, jobs, &board.offload) < 0)
		return -1;
	return pool_init(&board.legs, sizeof(struct leg), 4);
}

static int set_up(void **state)
{
	return set_up_with(0);
}

static int tear_down(void **state)
{
	offload_destroy(board.offload);
	pool_clear(&board.legs);
	loop_destroy(board.loop);
	memset(&board, 0, sizeof(board));
	return 0;
}

static struct leg *new_leg(void)
{
	uint64_t id;
	struct leg *leg = pool_alloc(&board.legs, &id);

	assert_non_null(leg);
	leg->id = id;
	leg->contact = &contact;
	treatment_init(&leg->treatment, leg);
	return leg;
}

static void settle(void)
{
	uint64_t end = clock_now() + 20 * CLOCK_S;

	while (offload_pending(board.offload) > 0 && clock_now() < end)
		loop_step(board.loop, CLOCK_MS);
	assert_int_equal(offload_pending(board.offload), 0);
}

static void a_leg_that_is_gone_is_not_answered(void **state)
{
	struct leg *leg = new_leg(), *next;

	assert_int_equal(sealing_start(leg, &effect), 0);
	memset(leg, 0xff, sizeof(*leg));
	pool_free(&board.legs, leg);
	next = new_leg();
	assert_ptr_equal(next, leg);
	settle();
	assert_int_equal(next->treatment.run.state, FLOW_RUN_IDLE);
}

static void a_leg_without_a_flow_takes_no_answer(void **state)
{
	struct leg *leg = new_leg();

	assert_int_equal(sealing_start(leg, &effect), 0);
	settle();
	assert_int_equal(leg->treatment.run.state, FLOW_RUN_IDLE);
}

static void a_stop_gives_back_what_waits(void **state)
{
	struct leg *leg = new_leg();

	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(sealing_start(leg, &effect), 0);
	memset(leg, 0xff, sizeof(*leg));
}

static void a_full_helper_is_told_at_once(void **state)
{
	struct leg *leg;

	assert_int_equal(set_up_with(1), 0);
	leg = new_leg();
	assert_int_equal(sealing_start(leg, &effect), 0);
	assert_int_equal(sealing_start(leg, &effect), -ENOBUFS);
	settle();
	tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_leg_that_is_gone_is_not_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_leg_without_a_flow_takes_no_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stop_gives_back_what_waits, set_up, tear_down),
		cmocka_unit_test(a_full_helper_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
