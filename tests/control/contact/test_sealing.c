/* SPDX-License-Identifier: Apache-2.0 */
/* Input that is encrypted on the helper thread while its treatment goes, or control stops. */
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
static struct leg leg;
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
	leg.contact = &contact;
	return pool_init(&board.treatments, sizeof(struct treatment), 4);
}

static int set_up(void **state)
{
	return set_up_with(0);
}

static int tear_down(void **state)
{
	offload_destroy(board.offload);
	pool_clear(&board.treatments);
	loop_destroy(board.loop);
	memset(&board, 0, sizeof(board));
	return 0;
}

static struct treatment *new_treatment(void)
{
	struct treatment *t = treatment_new(&leg);

	assert_non_null(t);
	return t;
}

static void settle(void)
{
	uint64_t end = clock_now() + 20 * CLOCK_S;

	while (offload_pending(board.offload) > 0 && clock_now() < end)
		loop_step(board.loop, CLOCK_MS);
	assert_int_equal(offload_pending(board.offload), 0);
}

static void a_treatment_that_is_gone_is_not_answered(void **state)
{
	struct treatment *t = new_treatment(), *next;

	assert_int_equal(sealing_start(t, &effect), 0);
	memset(t, 0xff, sizeof(*t));
	pool_free(&board.treatments, t);
	next = new_treatment();
	assert_ptr_equal(next, t);
	settle();
	assert_int_equal(next->run.state, FLOW_RUN_IDLE);
}

static void a_treatment_without_a_flow_takes_no_answer(void **state)
{
	struct treatment *t = new_treatment();

	assert_int_equal(sealing_start(t, &effect), 0);
	settle();
	assert_int_equal(t->run.state, FLOW_RUN_IDLE);
}

static void a_stop_gives_back_what_waits(void **state)
{
	struct treatment *t = new_treatment();

	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(sealing_start(t, &effect), 0);
	memset(t, 0xff, sizeof(*t));
}

static void a_full_helper_is_told_at_once(void **state)
{
	struct treatment *t;

	assert_int_equal(set_up_with(1), 0);
	t = new_treatment();
	assert_int_equal(sealing_start(t, &effect), 0);
	assert_int_equal(sealing_start(t, &effect), -ENOBUFS);
	settle();
	tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_treatment_that_is_gone_is_not_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_treatment_without_a_flow_takes_no_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stop_gives_back_what_waits, set_up, tear_down),
		cmocka_unit_test(a_full_helper_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
