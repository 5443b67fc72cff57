/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a contact's states, swept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "contact/contact.h"

static void test_every_state_can_be_reached_and_ends(void **state)
{
	unsigned reached = 1u << CONTACT_ARRIVING;

	for (int round = 0; round < CONTACT_STATE_COUNT; round++)
		for (int from = 0; from < CONTACT_STATE_COUNT; from++)
			for (int to = 0; to < CONTACT_STATE_COUNT; to++)
				if (reached & 1u << from && contact_transition(from, to))
					reached |= 1u << to;
	assert_int_equal(reached, (1u << CONTACT_STATE_COUNT) - 1);
	for (int from = 0; from < CONTACT_ENDED; from++)
		assert_true(contact_transition(from, CONTACT_ENDED));
}

static void test_the_end_is_the_end(void **state)
{
	for (int to = 0; to < CONTACT_STATE_COUNT; to++) {
		assert_false(contact_transition(CONTACT_CLOSED, to));
		assert_int_equal(contact_transition(CONTACT_ENDED, to), to == CONTACT_CLOSED);
	}
}

/* R55: nobody talks who has not been through both whispers. */
static void R55_talk_comes_only_after_the_customer_whisper(void **state)
{
	for (int from = 0; from < CONTACT_STATE_COUNT; from++) {
		assert_int_equal(contact_transition(from, CONTACT_TALKING),
			from == CONTACT_CUSTOMER_WHISPER || from == CONTACT_HOLD);
		if (contact_transition(from, CONTACT_AGENT_WHISPER))
			assert_int_equal(from, CONTACT_OFFERED);
	}
}

static void test_names_are_there_and_differ(void **state)
{
	for (int a = 0; a < CONTACT_STATE_COUNT; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(contact_state_name(a), contact_state_name(b));
	assert_string_equal(contact_method_name(CONTACT_METHOD_QUEUE_TRANSFER), "QUEUE_TRANSFER");
	assert_string_equal(contact_reason_name(CONTACT_REASON_NONE), "");
	assert_string_equal(
		contact_reason_name(CONTACT_REASON_AGENT_DISCONNECT), "AGENT_DISCONNECT");
}

static void test_texts_are_cut_at_their_size(void **state)
{
	char text[4];

	contact_text(text, sizeof(text), "abcdef");
	assert_string_equal(text, "abc");
	contact_text(text, sizeof(text), NULL);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state_can_be_reached_and_ends),
		cmocka_unit_test(test_the_end_is_the_end),
		cmocka_unit_test(R55_talk_comes_only_after_the_customer_whisper),
		cmocka_unit_test(test_names_are_there_and_differ),
		cmocka_unit_test(test_texts_are_cut_at_their_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
