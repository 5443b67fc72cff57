/* SPDX-License-Identifier: Apache-2.0 */
/* Each row of the two tables of rights. */
#include "support.h"

#include <errno.h>
#include <string.h>

/* Customer, S, T and U, all connected and off hold. */
static struct conference four(enum party_via last)
{
	struct conference c = transferred(CONFERENCE_MULTI_PARTY, PARTY_VIA_AGENT);

	assert_int_equal(add(&c, T, last), U);
	connect(&c, U);
	does(&c, S, CONFERENCE_JOIN, NOBODY);
	return c;
}

static struct conference three(void)
{
	struct conference c = transferred(CONFERENCE_THREE_PARTY, PARTY_VIA_AGENT);

	does(&c, S, CONFERENCE_JOIN, NOBODY);
	return c;
}

/* Done on a copy. */
static void may(
	const struct conference *c, unsigned actor, enum conference_verb verb, unsigned subject)
{
	struct conference copy = *c;

	does(&copy, actor, verb, subject);
}

static void may_not(
	const struct conference *c, unsigned actor, enum conference_verb verb, unsigned subject)
{
	struct conference copy = *c;

	refused(&copy, -EPERM, actor, verb, subject);
}

/* ---- three-party mode ---- */

static void three_parties(void **state)
{
	struct conference c = talking(CONFERENCE_THREE_PARTY);

	add(&c, S, PARTY_VIA_NUMBER);
	refused_add(&c, -EINVAL, S);
	connect(&c, T);
	refused_add(&c, -ENOSPC, S);
	conference_happens(&c, T, CONFERENCE_GONE);
	add(&c, S, PARTY_VIA_AGENT);
	connect(&c, T);
	refused_add(&c, -EPERM, T);
	refused_add(&c, -EPERM, C);
	refused_add(&c, -EINVAL, NOBODY);
}

static void R52_three_hold(void **state)
{
	struct conference c = three();

	may(&c, S, CONFERENCE_HOLD, C);
	may(&c, S, CONFERENCE_HOLD, T);
	may(&c, S, CONFERENCE_HOLD_ALL, NOBODY);
	may_not(&c, S, CONFERENCE_HOLD, S);
	may_not(&c, T, CONFERENCE_HOLD, C);
	may_not(&c, T, CONFERENCE_HOLD, S);
	may_not(&c, T, CONFERENCE_HOLD, T);
	may_not(&c, T, CONFERENCE_HOLD_ALL, NOBODY);
}

static void R52_three_off_hold(void **state)
{
	struct conference c = three();

	does(&c, S, CONFERENCE_HOLD_ALL, NOBODY);
	may_not(&c, T, CONFERENCE_RESUME, T);
	may_not(&c, T, CONFERENCE_RESUME, C);
	may_not(&c, T, CONFERENCE_JOIN, NOBODY);
	may(&c, S, CONFERENCE_RESUME, C);
	may(&c, S, CONFERENCE_RESUME, T);
	may(&c, S, CONFERENCE_JOIN, NOBODY);
}

static void R52_three_talk_while_the_customer_is_held(void **state)
{
	struct conference c = three();

	does(&c, S, CONFERENCE_HOLD, C);
	expect_heard(&c, "p", "T", "S");
}

static void three_mute(void **state)
{
	struct conference c = three();

	may(&c, S, CONFERENCE_MUTE, S);
	may(&c, T, CONFERENCE_MUTE, T);
	may_not(&c, S, CONFERENCE_MUTE, T);
	may_not(&c, S, CONFERENCE_MUTE, C);
	may_not(&c, T, CONFERENCE_MUTE, S);
	does(&c, T, CONFERENCE_MUTE, T);
	expect_heard(&c, "S", "C", "CS");
	may_not(&c, S, CONFERENCE_UNMUTE, T);
	does(&c, T, CONFERENCE_UNMUTE, T);
	expect_heard(&c, "ST", "CT", "CS");
}

static void three_disconnect(void **state)
{
	struct conference c = three();

	may(&c, S, CONFERENCE_DISCONNECT, T);
	may(&c, S, CONFERENCE_DISCONNECT, C);
	refused(&c, -EINVAL, S, CONFERENCE_DISCONNECT, S);
	may_not(&c, T, CONFERENCE_DISCONNECT, C);
	may_not(&c, T, CONFERENCE_DISCONNECT, S);
	does(&c, S, CONFERENCE_LEAVE, NOBODY);
	may(&c, T, CONFERENCE_DISCONNECT, C);

	c = talking(CONFERENCE_THREE_PARTY);
	add(&c, S, PARTY_VIA_QUEUE);
	does(&c, S, CONFERENCE_DISCONNECT, T);
	expect_heard(&c, "p", "-", "");
}

static void R54_three_those_who_stay_keep_their_control(void **state)
{
	struct conference c = three();

	does(&c, T, CONFERENCE_LEAVE, NOBODY);
	may(&c, S, CONFERENCE_HOLD, C);
	add(&c, S, PARTY_VIA_NUMBER);

	c = three();
	does(&c, S, CONFERENCE_LEAVE, NOBODY);
	may(&c, T, CONFERENCE_HOLD, C);
	add(&c, T, PARTY_VIA_NUMBER);
}

static void three_what_one_sees(void **state)
{
	struct conference c = three();

	assert_true(conference_sees(&c, S, C));
	assert_true(conference_sees(&c, S, T));
	assert_false(conference_sees(&c, S, S));
	assert_false(conference_sees(&c, T, C));
	assert_true(conference_sees(&c, T, S));
	assert_false(conference_sees(&c, T, T));
	assert_false(conference_sees(&c, C, S));
	does(&c, S, CONFERENCE_LEAVE, NOBODY);
	assert_true(conference_sees(&c, T, C));
	assert_false(conference_sees(&c, T, S));
}

/* Before it has accepted a target is shown nothing of the call; when the source leaves on the way, the
 * target comes to the customer. */
static void three_what_a_target_sees(void **state)
{
	struct conference c = talking(CONFERENCE_THREE_PARTY);

	add(&c, S, PARTY_VIA_AGENT);
	assert_true(conference_sees(&c, S, T));
	assert_false(conference_sees(&c, T, S));
	conference_happens(&c, T, CONFERENCE_ACCEPTED);
	assert_true(conference_sees(&c, T, S));
	assert_false(conference_sees(&c, T, C));
	does(&c, S, CONFERENCE_LEAVE, NOBODY);
	assert_true(conference_sees(&c, T, C));
}

static void three_rights_begin_when_connected(void **state)
{
	struct conference c = talking(CONFERENCE_THREE_PARTY);

	add(&c, S, PARTY_VIA_AGENT);
	conference_happens(&c, T, CONFERENCE_ACCEPTED);
	may_not(&c, T, CONFERENCE_RESUME, C);
	refused(&c, -EINVAL, T, CONFERENCE_LEAVE, NOBODY);
	refused(&c, -EINVAL, T, CONFERENCE_MUTE, T);
	refused(&c, -EINVAL, S, CONFERENCE_HOLD, T);
	refused(&c, -EINVAL, S, CONFERENCE_RESUME, T);
	may(&c, S, CONFERENCE_RESUME, C);
}

static void three_swap(void **state)
{
	struct conference c = transferred(CONFERENCE_THREE_PARTY, PARTY_VIA_AGENT);

	may_not(&c, T, CONFERENCE_SWAP, C);
	may_not(&c, S, CONFERENCE_SWAP, S);
	does(&c, S, CONFERENCE_SWAP, C);
	expect_heard(&c, "S", "C", "p");
	does(&c, S, CONFERENCE_SWAP, T);
	expect_heard(&c, "p", "T", "S");
	conference_happens(&c, T, CONFERENCE_GONE);
	refused(&c, -EINVAL, S, CONFERENCE_SWAP, C);
	add(&c, S, PARTY_VIA_AGENT);
	refused(&c, -EINVAL, S, CONFERENCE_SWAP, C);
	refused(&c, -EINVAL, S, CONFERENCE_SWAP, T);
}

/* ---- multi-party mode ---- */

static void multi_parties(void **state)
{
	struct conference c = four(PARTY_VIA_NUMBER);

	assert_int_equal(add(&c, S, PARTY_VIA_AGENT), V);
	refused_add(&c, -EINVAL, T);
	connect(&c, V);
	assert_int_equal(add(&c, V, PARTY_VIA_NUMBER), W);
	connect(&c, W);
	assert_int_equal(conference_count(&c), CONFERENCE_MULTI_MAX);
	refused_add(&c, -ENOSPC, S);
	conference_happens(&c, W, CONFERENCE_GONE);
	does(&c, S, CONFERENCE_HOLD, T);
	refused_add(&c, -EINVAL, T);
	refused_add(&c, -EPERM, U);
	assert_int_equal(add(&c, S, PARTY_VIA_NUMBER), W);
}

static void multi_hold(void **state)
{
	struct conference c = four(PARTY_VIA_NUMBER);

	for (unsigned subject = C; subject <= U; subject++) {
		may(&c, S, CONFERENCE_HOLD, subject);
		may(&c, T, CONFERENCE_HOLD, subject);
	}
	may_not(&c, U, CONFERENCE_HOLD, C);
	may_not(&c, C, CONFERENCE_HOLD, S);
	does(&c, T, CONFERENCE_HOLD, S);
	expect_heard(&c, "TU", "p", "CU");
	does(&c, T, CONFERENCE_HOLD_ALL, NOBODY);
	expect_heard(&c, "p", "p", "-");
}

static void multi_off_hold(void **state)
{
	struct conference c = four(PARTY_VIA_AGENT);

	does(&c, S, CONFERENCE_HOLD_ALL, NOBODY);
	does(&c, U, CONFERENCE_RESUME, U);
	expect_heard(&c, "p", "U", "p");
	does(&c, U, CONFERENCE_RESUME, C);
	expect_heard(&c, "SU", "CU", "p");
}

static void multi_talk_while_held(void **state)
{
	struct conference c = four(PARTY_VIA_AGENT);

	does(&c, S, CONFERENCE_HOLD, T);
	does(&c, S, CONFERENCE_HOLD, U);
	assert_string_equal(heard(&c, T), "p");
	assert_string_equal(heard(&c, U), "p");
	does(&c, T, CONFERENCE_RESUME, T);
	does(&c, U, CONFERENCE_RESUME, U);
	assert_string_equal(heard(&c, T), "CSU");
}

static void multi_mute(void **state)
{
	struct conference c = four(PARTY_VIA_NUMBER);

	for (unsigned subject = C; subject <= U; subject++)
		may(&c, T, CONFERENCE_MUTE, subject);
	does(&c, T, CONFERENCE_MUTE, S);
	does(&c, T, CONFERENCE_MUTE, U);
	expect_heard(&c, "T", "CT", "C");
	may(&c, T, CONFERENCE_UNMUTE, S);
	may(&c, S, CONFERENCE_UNMUTE, S);
	may_not(&c, U, CONFERENCE_UNMUTE, U);
}

static void multi_disconnect(void **state)
{
	struct conference c = four(PARTY_VIA_NUMBER);

	does(&c, S, CONFERENCE_HOLD, C);
	may(&c, T, CONFERENCE_DISCONNECT, S);
	may(&c, S, CONFERENCE_DISCONNECT, T);
	may(&c, S, CONFERENCE_DISCONNECT, C);
	refused(&c, -EINVAL, T, CONFERENCE_DISCONNECT, T);
	refused(&c, -EINVAL, T, CONFERENCE_DISCONNECT, V);
	may_not(&c, U, CONFERENCE_DISCONNECT, C);
	does(&c, T, CONFERENCE_DISCONNECT, U);
	expect_heard(&c, "p", "T", "S");
}

static void multi_control_passes_to_those_who_stay(void **state)
{
	struct conference c = four(PARTY_VIA_AGENT);

	does(&c, S, CONFERENCE_LEAVE, NOBODY);
	may(&c, U, CONFERENCE_HOLD, T);
	may(&c, T, CONFERENCE_HOLD, U);
	does(&c, T, CONFERENCE_LEAVE, NOBODY);
	may(&c, U, CONFERENCE_HOLD, C);
	add(&c, U, PARTY_VIA_AGENT);
}

static void multi_what_one_sees(void **state)
{
	struct conference c = four(PARTY_VIA_NUMBER);

	for (unsigned subject = C; subject <= U; subject++) {
		assert_true(conference_sees(&c, S, subject));
		assert_true(conference_sees(&c, T, subject));
		assert_false(conference_sees(&c, U, subject));
	}
	assert_false(conference_sees(&c, S, V));
}

/* The target takes the customer off hold and hears it as soon as it is connected itself. */
static void multi_rights_begin_when_accepted(void **state)
{
	struct conference c = talking(CONFERENCE_MULTI_PARTY);

	add(&c, S, PARTY_VIA_AGENT);
	refused(&c, -EINVAL, T, CONFERENCE_RESUME, C);
	conference_happens(&c, T, CONFERENCE_ACCEPTED);
	does(&c, T, CONFERENCE_RESUME, C);
	expect_heard(&c, "S", "C", "p");
	refused(&c, -EINVAL, T, CONFERENCE_HOLD, S);
	refused(&c, -EINVAL, T, CONFERENCE_HOLD_ALL, NOBODY);
	refused(&c, -EINVAL, T, CONFERENCE_LEAVE, NOBODY);
	refused(&c, -EINVAL, T, CONFERENCE_MUTE, T);
	refused_add(&c, -EINVAL, T);
	conference_happens(&c, T, CONFERENCE_AGENT_WHISPER_OVER);
	conference_happens(&c, T, CONFERENCE_CUSTOMER_WHISPER_OVER);
	expect_heard(&c, "ST", "CT", "CS");
}

static void multi_swap(void **state)
{
	struct conference c = transferred(CONFERENCE_MULTI_PARTY, PARTY_VIA_AGENT);

	does(&c, T, CONFERENCE_SWAP, C);
	expect_heard(&c, "T", "p", "C");
	does(&c, S, CONFERENCE_SWAP, T);
	expect_heard(&c, "p", "T", "S");
	c = four(PARTY_VIA_NUMBER);
	refused(&c, -EINVAL, S, CONFERENCE_SWAP, C);
}

/* ---- supervisors, both modes ---- */

static const enum conference_mode modes[] = {CONFERENCE_THREE_PARTY, CONFERENCE_MULTI_PARTY};

static void who_listens_only_listens(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct conference c = transferred(modes[i], PARTY_VIA_AGENT);
		unsigned m = watch(&c, T, i ? PARTY_COACHES : PARTY_MONITORS);
		may_not(&c, m, CONFERENCE_HOLD, C);
		may_not(&c, m, CONFERENCE_JOIN, NOBODY);
		may_not(&c, m, CONFERENCE_HOLD_ALL, NOBODY);
		may_not(&c, m, CONFERENCE_DISCONNECT, C);
		may_not(&c, m, CONFERENCE_MUTE, T);
		may(&c, m, CONFERENCE_MUTE, m);
		may(&c, m, CONFERENCE_LEAVE, NOBODY);
		may(&c, m, CONFERENCE_BARGE, NOBODY);
		refused_add(&c, -EPERM, m);
		may_not(&c, S, CONFERENCE_BARGE, NOBODY);
		may_not(&c, C, CONFERENCE_MONITOR, NOBODY);
	}
}

static void who_barges_may_all_but_add(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct conference c = transferred(modes[i], PARTY_VIA_AGENT);
		unsigned b = watch(&c, S, PARTY_BARGES);
		for (unsigned subject = C; subject <= T; subject++) {
			may(&c, b, CONFERENCE_HOLD, subject);
			may(&c, b, CONFERENCE_RESUME, subject);
			may(&c, b, CONFERENCE_DISCONNECT, subject);
			may(&c, b, CONFERENCE_MUTE, subject);
		}
		may(&c, b, CONFERENCE_JOIN, NOBODY);
		may(&c, b, CONFERENCE_MUTE, b);
		may_not(&c, b, CONFERENCE_HOLD, b);
		refused_add(&c, -EPERM, b);
		refused(&c, -EINVAL, b, CONFERENCE_SWAP, C);
		does(&c, b, CONFERENCE_HOLD_ALL, NOBODY);
		expect_heard(&c, "p", "p", "p");
		does(&c, b, CONFERENCE_DISCONNECT, T);
		does(&c, b, CONFERENCE_SWAP, C);
		expect_heard(&c, "U", "p", "");
		does(&c, b, CONFERENCE_SWAP, S);
		expect_heard(&c, "p", "U", "");
	}
}

static void while_a_supervisor_barges_agents_mute_themselves(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct conference c = transferred(modes[i], PARTY_VIA_AGENT);
		unsigned b = watch(&c, S, PARTY_BARGES);
		may(&c, S, CONFERENCE_MUTE, S);
		may_not(&c, S, CONFERENCE_MUTE, C);
		may_not(&c, T, CONFERENCE_MUTE, S);
		does(&c, b, CONFERENCE_MUTE, C);
		may_not(&c, S, CONFERENCE_UNMUTE, C);
		does(&c, b, CONFERENCE_MONITOR, NOBODY);
		assert_int_equal(c.party[C].muted, modes[i] == CONFERENCE_MULTI_PARTY);
	}
}

static void nobody_has_a_right_over_a_supervisor(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct conference c = talking(modes[i]);
		unsigned b = watch(&c, S, PARTY_BARGES), other = watch(&c, S, PARTY_BARGES);
		static const enum conference_verb verbs[] = {CONFERENCE_HOLD, CONFERENCE_RESUME,
			CONFERENCE_SWAP, CONFERENCE_DISCONNECT, CONFERENCE_MUTE};
		for (unsigned verb = 0; verb < 5; verb++) {
			may_not(&c, S, verbs[verb], b);
			may_not(&c, other, verbs[verb], b);
		}
	}
}

static void who_sees_supervisors(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct conference c = transferred(modes[i], PARTY_VIA_AGENT);
		unsigned m = watch(&c, S, PARTY_MONITORS);
		assert_false(conference_sees(&c, S, m));
		assert_false(conference_sees(&c, T, m));
		assert_true(conference_sees(&c, m, C) && conference_sees(&c, m, S));
		assert_true(conference_sees(&c, m, T) && conference_sees(&c, m, m));
		does(&c, m, CONFERENCE_COACH, NOBODY);
		assert_true(conference_sees(&c, S, m));
		assert_false(conference_sees(&c, T, m));
		does(&c, m, CONFERENCE_BARGE, NOBODY);
		assert_true(conference_sees(&c, S, m));
		assert_true(conference_sees(&c, T, m));
		assert_false(conference_sees(&c, C, m));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_parties),
		cmocka_unit_test(R52_three_hold),
		cmocka_unit_test(R52_three_off_hold),
		cmocka_unit_test(R52_three_talk_while_the_customer_is_held),
		cmocka_unit_test(three_mute),
		cmocka_unit_test(three_disconnect),
		cmocka_unit_test(R54_three_those_who_stay_keep_their_control),
		cmocka_unit_test(three_what_one_sees),
		cmocka_unit_test(three_what_a_target_sees),
		cmocka_unit_test(three_rights_begin_when_connected),
		cmocka_unit_test(three_swap),
		cmocka_unit_test(multi_parties),
		cmocka_unit_test(multi_hold),
		cmocka_unit_test(multi_off_hold),
		cmocka_unit_test(multi_talk_while_held),
		cmocka_unit_test(multi_mute),
		cmocka_unit_test(multi_disconnect),
		cmocka_unit_test(multi_control_passes_to_those_who_stay),
		cmocka_unit_test(multi_what_one_sees),
		cmocka_unit_test(multi_rights_begin_when_accepted),
		cmocka_unit_test(multi_swap),
		cmocka_unit_test(who_listens_only_listens),
		cmocka_unit_test(who_barges_may_all_but_add),
		cmocka_unit_test(while_a_supervisor_barges_agents_mute_themselves),
		cmocka_unit_test(nobody_has_a_right_over_a_supervisor),
		cmocka_unit_test(who_sees_supervisors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
