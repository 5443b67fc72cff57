/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <string.h>

static const enum conference_mode modes[] = {CONFERENCE_THREE_PARTY, CONFERENCE_MULTI_PARTY};
static const enum party_via ways[] = {PARTY_VIA_AGENT, PARTY_VIA_QUEUE, PARTY_VIA_NUMBER};

#define EACH(item, list) \
	for (size_t item##_at = 0; item##_at < sizeof(list) / sizeof((list)[0]); item##_at++)

/* One step of a story, and what each hears after it. */
struct row {
	const char *name;
	enum { NOTHING, VERB, ADD, HAPPENS } kind;
	unsigned what; /* verb, way or event */
	unsigned actor;
	unsigned subject;
	const char *customer, *source, *target;
};

static void take_step(struct conference *c, const struct row *row)
{
	if (row->kind == ADD)
		add(c, row->actor, (enum party_via)row->what);
	if (row->kind == VERB)
		does(c, row->actor, (enum conference_verb)row->what, row->subject);
	if (row->kind == HAPPENS)
		conference_happens(c, row->actor, (enum conference_event)row->what);
}

static bool hears(const struct conference *c, unsigned slot, const char *expected)
{
	return strcmp(heard(c, slot), expected) == 0;
}

static void tell(struct conference *c, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		take_step(c, row);
		if (!hears(c, C, row->customer) || !hears(c, S, row->source) ||
			!hears(c, T, row->target) || conference_broken(c))
			fail_msg("%s: customer hears %s, source %s, target %s; %s", row->name,
				heard(c, C), heard(c, S), heard(c, T),
				conference_broken(c) ? conference_broken(c) : "not broken");
	}
}

#define TELL(c, rows) tell((c), (rows), sizeof(rows) / sizeof((rows)[0]))

/* ---- section 4: the ways to the target ---- */

static void R23_R24_R26_R27_R28_R29_agent_quick_connect(void **state)
{
	static const struct row rows[] = {
		{"R23 talking", NOTHING, 0, 0, 0, "S", "C", ""},
		{"R24 picked", ADD, PARTY_VIA_AGENT, S, 0, "p", "p", "p"},
		{"R26 accepted", HAPPENS, CONFERENCE_ACCEPTED, T, 0, "p", "p", "p"},
		{"R27 agent whisper over", HAPPENS, CONFERENCE_AGENT_WHISPER_OVER, T, 0, "p", "p",
			"p"},
		{"R28 customer whisper over", HAPPENS, CONFERENCE_CUSTOMER_WHISPER_OVER, T, 0, "p",
			"T", "S"},
	};

	EACH(mode, modes)
	{
		struct conference c = talking(modes[mode_at]);
		TELL(&c, rows);
		assert_int_equal(c.party[T].via, PARTY_VIA_AGENT);
	}
}

static void R32_R35_R36_R37_queue_quick_connect(void **state)
{
	static const struct row rows[] = {
		{"R32 picked", ADD, PARTY_VIA_QUEUE, S, 0, "p", "p", "p"},
		{"R35 accepted", HAPPENS, CONFERENCE_ACCEPTED, T, 0, "p", "p", "p"},
		{"the agent drops", HAPPENS, CONFERENCE_AGAIN, T, 0, "p", "p", "p"},
		{"another one accepts", HAPPENS, CONFERENCE_ACCEPTED, T, 0, "p", "p", "p"},
		{"R36 agent whisper over", HAPPENS, CONFERENCE_AGENT_WHISPER_OVER, T, 0, "p", "p",
			"p"},
		{"that one drops too", HAPPENS, CONFERENCE_AGAIN, T, 0, "p", "p", "p"},
		{"a third one accepts", HAPPENS, CONFERENCE_ACCEPTED, T, 0, "p", "p", "p"},
		{"and hears the whisper", HAPPENS, CONFERENCE_AGENT_WHISPER_OVER, T, 0, "p", "p",
			"p"},
		{"R37 customer whisper over", HAPPENS, CONFERENCE_CUSTOMER_WHISPER_OVER, T, 0, "p",
			"T", "S"},
	};

	EACH(mode, modes)
	{
		struct conference c = talking(modes[mode_at]);
		TELL(&c, rows);
	}
}

static void R41_R42_R44_number(void **state)
{
	static const struct row rows[] = {
		{"R42 dialled", ADD, PARTY_VIA_NUMBER, S, 0, "p", "p", "p"},
		{"R41 no whisper", HAPPENS, CONFERENCE_ACCEPTED, T, 0, "p", "p", "p"},
		{"R44 answered", HAPPENS, CONFERENCE_ANSWERED, T, 0, "p", "T", "S"},
		{"R45 join", VERB, CONFERENCE_JOIN, S, 0, "ST", "CT", "CS"},
	};

	EACH(mode, modes)
	{
		struct conference c = talking(modes[mode_at]);
		TELL(&c, rows);
	}
}

static void R22_target_does_not_come(void **state)
{
	static const enum conference_event way[] = {
		CONFERENCE_ACCEPTED, CONFERENCE_AGENT_WHISPER_OVER};

	for (unsigned far = 0; far <= 2; far++) {
		struct conference c = talking(CONFERENCE_THREE_PARTY);
		add(&c, S, PARTY_VIA_AGENT);
		for (unsigned i = 0; i < far; i++)
			conference_happens(&c, T, way[i]);
		conference_happens(&c, T, far == 1 ? CONFERENCE_GONE : CONFERENCE_FAILED);
		expect_heard(&c, "p", "-", "");
		does(&c, S, CONFERENCE_RESUME, C);
		expect_heard(&c, "S", "C", "");
		assert_int_equal(add(&c, S, PARTY_VIA_NUMBER), T);
	}
}

static void R124_source_leaves_on_the_way(void **state)
{
	static const struct row rows[] = {
		{"picked", ADD, PARTY_VIA_QUEUE, S, 0, "p", "p", "p"},
		{"the source leaves", VERB, CONFERENCE_LEAVE, S, 0, "p", "", "p"},
		{"accepted", HAPPENS, CONFERENCE_ACCEPTED, T, 0, "p", "", "p"},
		{"agent whisper over", HAPPENS, CONFERENCE_AGENT_WHISPER_OVER, T, 0, "p", "", "p"},
		{"connected", HAPPENS, CONFERENCE_CUSTOMER_WHISPER_OVER, T, 0, "T", "", "C"},
	};

	EACH(mode, modes)
	{
		struct conference c = talking(modes[mode_at]);
		TELL(&c, rows);
		assert_int_equal(c.primary, T);
	}
}

/* The source takes the customer back while the target is on the way: it is spared the way, but hears
 * that the target comes. */
static void source_talks_with_the_customer_on_the_way(void **state)
{
	static const struct row rows[] = {
		{"picked", ADD, PARTY_VIA_AGENT, S, 0, "p", "p", "p"},
		{"customer off hold", VERB, CONFERENCE_RESUME, S, C, "S", "C", "p"},
		{"accepted", HAPPENS, CONFERENCE_ACCEPTED, T, 0, "S", "C", "p"},
		{"customer on hold", VERB, CONFERENCE_HOLD, S, C, "p", "p", "p"},
		{"off hold again", VERB, CONFERENCE_JOIN, S, 0, "S", "C", "p"},
		{"customer whisper", HAPPENS, CONFERENCE_AGENT_WHISPER_OVER, T, 0, "S", "pC", "p"},
		{"connected", HAPPENS, CONFERENCE_CUSTOMER_WHISPER_OVER, T, 0, "ST", "CT", "CS"},
	};
	struct conference c = talking(CONFERENCE_THREE_PARTY);

	TELL(&c, rows);
}

/* ---- section 5: with the target connected ---- */

static void R45_R46_R47_holds(void **state)
{
	static const struct row rows[] = {
		{"just connected", NOTHING, 0, 0, 0, "p", "T", "S"},
		{"R45 join", VERB, CONFERENCE_JOIN, S, 0, "ST", "CT", "CS"},
		{"R45 join again", VERB, CONFERENCE_JOIN, S, 0, "ST", "CT", "CS"},
		{"R46 hold all", VERB, CONFERENCE_HOLD_ALL, S, 0, "p", "-", "p"},
		{"R46 hold all again", VERB, CONFERENCE_HOLD_ALL, S, 0, "p", "-", "p"},
		{"R47 hold the target", VERB, CONFERENCE_HOLD, S, T, "S", "C", "p"},
		{"R47 hold the target again", VERB, CONFERENCE_HOLD, S, T, "S", "C", "p"},
		{"hold the customer", VERB, CONFERENCE_HOLD, S, C, "p", "-", "p"},
		{"resume the target", VERB, CONFERENCE_RESUME, S, T, "p", "T", "S"},
		{"R47 from just connected", VERB, CONFERENCE_HOLD, S, T, "S", "C", "p"},
		{"swap to the target", VERB, CONFERENCE_SWAP, S, T, "p", "T", "S"},
		{"swap again", VERB, CONFERENCE_SWAP, S, T, "p", "T", "S"},
		{"swap back", VERB, CONFERENCE_SWAP, S, C, "S", "C", "p"},
		{"resume the target too", VERB, CONFERENCE_RESUME, S, T, "ST", "CT", "CS"},
		{"R47 from joined", VERB, CONFERENCE_HOLD, S, T, "S", "C", "p"},
		{"R45 from the target on hold", VERB, CONFERENCE_JOIN, S, 0, "ST", "CT", "CS"},
	};

	EACH(mode, modes)
	{
		EACH(way, ways)
		{
			struct conference c = transferred(modes[mode_at], ways[way_at]);
			TELL(&c, rows);
		}
	}
}

/* The four starting patterns of R50, made by verbs of the source. */
enum pattern { CUSTOMER_HELD, TARGET_HELD, BOTH_HELD, ALL_JOINED, PATTERNS };

static struct conference in_pattern(
	enum conference_mode mode, enum party_via via, enum pattern pattern)
{
	struct conference c = transferred(mode, via);

	if (pattern == TARGET_HELD)
		does(&c, S, CONFERENCE_HOLD, T);
	if (pattern == BOTH_HELD)
		does(&c, S, CONFERENCE_HOLD_ALL, NOBODY);
	if (pattern == ALL_JOINED)
		does(&c, S, CONFERENCE_JOIN, NOBODY);
	return c;
}

static void leave_from(enum pattern pattern, bool hangs_up)
{
	EACH(mode, modes)
	{
		EACH(way, ways)
		{
			struct conference c = in_pattern(modes[mode_at], ways[way_at], pattern);
			if (hangs_up)
				conference_happens(&c, S, CONFERENCE_GONE);
			else
				does(&c, S, CONFERENCE_LEAVE, NOBODY);
			expect_heard(&c, "T", "", "C");
			assert_int_equal(conference_life(&c), CONFERENCE_LIVES);
			assert_int_equal(
				c.primary, ways[way_at] == PARTY_VIA_NUMBER ? NOBODY : (unsigned)T);
		}
	}
}

static void R48_end_call(void **state)
{
	leave_from(CUSTOMER_HELD, true);
}

static void R49_leave_after_join(void **state)
{
	leave_from(ALL_JOINED, false);
}

static void R50_customer_held(void **state)
{
	leave_from(CUSTOMER_HELD, false);
	leave_from(CUSTOMER_HELD, true);
}

static void R50_target_held(void **state)
{
	leave_from(TARGET_HELD, false);
	leave_from(TARGET_HELD, true);
}

static void R50_both_held(void **state)
{
	leave_from(BOTH_HELD, false);
	leave_from(BOTH_HELD, true);
}

static void R50_all_joined(void **state)
{
	leave_from(ALL_JOINED, false);
	leave_from(ALL_JOINED, true);
}

/* A muted customer whom the last agent leaves with an outside party is heard by it. */
static void R50_muted_customer(void **state)
{
	struct conference c = transferred(CONFERENCE_MULTI_PARTY, PARTY_VIA_NUMBER);

	does(&c, S, CONFERENCE_MUTE, C);
	does(&c, S, CONFERENCE_JOIN, NOBODY);
	expect_heard(&c, "ST", "T", "S");
	does(&c, S, CONFERENCE_LEAVE, NOBODY);
	expect_heard(&c, "T", "", "C");
}

static void R53_held_hears_its_player(void **state)
{
	EACH(way, ways)
	{
		struct conference c = in_pattern(CONFERENCE_THREE_PARTY, ways[way_at], BOTH_HELD);
		expect_heard(&c, "p", "-", "p");
	}
}

static void R54_left_alone_may_do_all(void **state)
{
	static const struct row rows[] = {
		{"the first agent leaves", VERB, CONFERENCE_LEAVE, S, 0, "T", "", "C"},
		{"hold", VERB, CONFERENCE_HOLD, T, C, "p", "", "-"},
		{"resume", VERB, CONFERENCE_RESUME, T, C, "T", "", "C"},
		{"a further transfer", ADD, PARTY_VIA_NUMBER, T, 0, "p", "p", "p"},
		{"answered", HAPPENS, CONFERENCE_ANSWERED, S, 0, "p", "T", "S"},
		{"join", VERB, CONFERENCE_JOIN, T, 0, "ST", "CT", "CS"},
		{"hold the new one", VERB, CONFERENCE_HOLD, T, S, "T", "p", "C"},
		{"end", VERB, CONFERENCE_LEAVE, T, 0, "S", "C", ""},
	};

	EACH(mode, modes)
	{
		struct conference c = transferred(modes[mode_at], PARTY_VIA_AGENT);
		TELL(&c, rows);
	}
}

/* ---- who goes ---- */

static void R22_outside_party_hangs_up(void **state)
{
	struct conference c = in_pattern(CONFERENCE_THREE_PARTY, PARTY_VIA_NUMBER, CUSTOMER_HELD);

	conference_happens(&c, T, CONFERENCE_GONE);
	expect_heard(&c, "p", "-", "");
	assert_int_equal(conference_life(&c), CONFERENCE_LIVES);
}

static void customer_hangs_up(void **state)
{
	struct conference c = in_pattern(CONFERENCE_THREE_PARTY, PARTY_VIA_AGENT, TARGET_HELD);

	conference_happens(&c, C, CONFERENCE_GONE);
	expect_heard(&c, "", "-", "p");
	assert_int_equal(conference_life(&c), CONFERENCE_LIVES);
	does(&c, S, CONFERENCE_RESUME, T);
	expect_heard(&c, "", "T", "S");
	refused_add(&c, -EINVAL, S);
	does(&c, T, CONFERENCE_LEAVE, NOBODY);
	assert_int_equal(conference_life(&c), CONFERENCE_OVER);

	c = talking(CONFERENCE_THREE_PARTY);
	add(&c, S, PARTY_VIA_AGENT);
	conference_happens(&c, T, CONFERENCE_ACCEPTED);
	conference_happens(&c, C, CONFERENCE_GONE);
	expect_heard(&c, "", "-", "");
	assert_int_equal(conference_life(&c), CONFERENCE_OVER);
}

static void life_of_a_call(void **state)
{
	struct conference c = talking(CONFERENCE_MULTI_PARTY);

	assert_int_equal(conference_life(&c), CONFERENCE_LIVES);
	does(&c, S, CONFERENCE_LEAVE, NOBODY);
	assert_int_equal(conference_life(&c), CONFERENCE_CUSTOMER_ALONE);
	conference_happens(&c, C, CONFERENCE_GONE);
	assert_int_equal(conference_life(&c), CONFERENCE_OVER);

	c = transferred(CONFERENCE_MULTI_PARTY, PARTY_VIA_NUMBER);
	connect(&c, add(&c, S, PARTY_VIA_NUMBER));
	conference_happens(&c, C, CONFERENCE_GONE);
	assert_int_equal(conference_life(&c), CONFERENCE_LIVES);
	does(&c, S, CONFERENCE_LEAVE, NOBODY);
	assert_int_equal(conference_life(&c), CONFERENCE_OVER);

	c = talking(CONFERENCE_THREE_PARTY);
	add(&c, S, PARTY_VIA_QUEUE);
	does(&c, S, CONFERENCE_LEAVE, NOBODY);
	assert_int_equal(conference_life(&c), CONFERENCE_LIVES);
	conference_happens(&c, T, CONFERENCE_FAILED);
	assert_int_equal(conference_life(&c), CONFERENCE_CUSTOMER_ALONE);
}

/* In multi-party mode the way passes to the agent who stays, off hold. */
static void source_leaves_another_agent(void **state)
{
	struct conference c = transferred(CONFERENCE_MULTI_PARTY, PARTY_VIA_AGENT);

	assert_int_equal(add(&c, S, PARTY_VIA_NUMBER), U);
	does(&c, S, CONFERENCE_HOLD, T);
	refused(&c, -EINVAL, T, CONFERENCE_HOLD, S);
	refused(&c, -EINVAL, T, CONFERENCE_HOLD_ALL, NOBODY);
	does(&c, T, CONFERENCE_DISCONNECT, S);
	assert_int_equal(c.party[U].source, T);
	expect_heard(&c, "p", "", "p");
	assert_int_equal(c.party[T].state, PARTY_CONNECTED);
	assert_int_equal(c.party[C].state, PARTY_HELD);
	does(&c, T, CONFERENCE_LEAVE, NOBODY);
	assert_int_equal(c.party[U].source, C);
	expect_heard(&c, "p", "", "");
	connect(&c, U);
	assert_string_equal(heard(&c, C), "U");
}

static void primary_is_the_lowest_agent(void **state)
{
	struct conference c = transferred(CONFERENCE_MULTI_PARTY, PARTY_VIA_AGENT);

	connect(&c, add(&c, T, PARTY_VIA_AGENT));
	assert_int_equal(c.primary, S);
	assert_int_equal(c.party[U].added_by, T);
	does(&c, S, CONFERENCE_LEAVE, NOBODY);
	assert_int_equal(c.primary, T);
	assert_int_equal(add(&c, U, PARTY_VIA_AGENT), S);
	does(&c, T, CONFERENCE_LEAVE, NOBODY);
	assert_int_equal(c.primary, U);
	assert_int_equal(c.party[U].added_by, NOBODY);
	assert_int_equal(c.party[S].source, U);
}

/* Found by the walk: an agent who has accepted puts a party on hold, drops, and nobody else is there who
 * could take it off hold. */
static void nobody_is_forgotten_on_hold(void **state)
{
	struct conference c = transferred(CONFERENCE_MULTI_PARTY, PARTY_VIA_NUMBER);

	assert_int_equal(add(&c, S, PARTY_VIA_QUEUE), U);
	does(&c, S, CONFERENCE_LEAVE, NOBODY);
	conference_happens(&c, U, CONFERENCE_ACCEPTED);
	does(&c, U, CONFERENCE_HOLD, T);
	does(&c, U, CONFERENCE_MUTE, C);
	expect_heard(&c, "p", "", "p");
	conference_happens(&c, U, CONFERENCE_AGAIN);
	expect_heard(&c, "pT", "", "C");
}

/* An event that has no place in the state does nothing. */
static void events_out_of_place(void **state)
{
	struct conference c = transferred(CONFERENCE_THREE_PARTY, PARTY_VIA_AGENT);
	struct conference before = c;

	for (unsigned event = 0; event < CONFERENCE_GONE; event++) {
		for (unsigned slot = 0; slot < CONFERENCE_PARTIES_MAX; slot++)
			conference_happens(&c, slot, (enum conference_event)event);
	}
	conference_happens(&c, U, CONFERENCE_GONE);
	assert_memory_equal(&c, &before, sizeof(c));
}

/* ---- keys ---- */

static void keys_go_to_outside_parties(void **state)
{
	struct conference c = transferred(CONFERENCE_THREE_PARTY, PARTY_VIA_NUMBER);

	assert_true(conference_gets_keys(&c, T, S));
	assert_false(conference_gets_keys(&c, S, T));
	does(&c, S, CONFERENCE_MUTE, S);
	does(&c, S, CONFERENCE_JOIN, NOBODY);
	assert_true(conference_gets_keys(&c, T, S));
	assert_false(conference_gets_keys(&c, T, C));
	assert_false(conference_gets_keys(&c, C, S));
	does(&c, S, CONFERENCE_HOLD, T);
	assert_false(conference_gets_keys(&c, T, S));
	does(&c, S, CONFERENCE_LEAVE, NOBODY);
	assert_true(conference_gets_keys(&c, T, C));
	assert_false(conference_gets_keys(&c, C, T));
}

/* ---- recordings ---- */

static void who_talks_to_all_is_recorded(void **state)
{
	struct conference c = transferred(CONFERENCE_THREE_PARTY, PARTY_VIA_AGENT);

	assert_false(conference_is_recorded(&c, C)); /* on hold */
	assert_true(conference_is_recorded(&c, S));
	assert_true(conference_is_recorded(&c, T));
	assert_false(conference_is_recorded(&c, NOBODY));
	does(&c, S, CONFERENCE_JOIN, NOBODY);
	assert_true(conference_is_recorded(&c, C));
	does(&c, S, CONFERENCE_MUTE, S);
	assert_false(conference_is_recorded(&c, S));
	unsigned m = watch(&c, S, PARTY_MONITORS);
	assert_false(conference_is_recorded(&c, m));
	does(&c, m, CONFERENCE_COACH, NOBODY);
	assert_false(conference_is_recorded(&c, m));
	does(&c, m, CONFERENCE_BARGE, NOBODY);
	assert_true(conference_is_recorded(&c, m));
}

/* ---- supervisors ---- */

static void supervisors_listen_coach_and_barge(void **state)
{
	struct conference c = talking(CONFERENCE_THREE_PARTY);
	unsigned m = watch(&c, S, PARTY_MONITORS);

	assert_int_equal(m, T);
	expect_heard(&c, "S", "C", "CS");
	does(&c, m, CONFERENCE_COACH, NOBODY);
	expect_heard(&c, "S", "CT", "CS");
	does(&c, m, CONFERENCE_BARGE, NOBODY);
	expect_heard(&c, "ST", "CT", "CS");
	does(&c, m, CONFERENCE_MUTE, m);
	expect_heard(&c, "S", "C", "CS");
	does(&c, m, CONFERENCE_UNMUTE, m);
	does(&c, m, CONFERENCE_HOLD, S);
	expect_heard(&c, "T", "p", "C");
	does(&c, m, CONFERENCE_MONITOR, NOBODY);
	expect_heard(&c, "-", "p", "-");
	does(&c, S, CONFERENCE_RESUME, S);
	expect_heard(&c, "S", "C", "CS");
	does(&c, S, CONFERENCE_HOLD, C);
	expect_heard(&c, "p", "-", "S");
	does(&c, m, CONFERENCE_LEAVE, NOBODY);
	expect_heard(&c, "p", "-", "");
}

static void supervisors_go_with_their_agent(void **state)
{
	struct conference c = talking(CONFERENCE_MULTI_PARTY);
	unsigned listens = watch(&c, S, PARTY_COACHES), barges = watch(&c, S, PARTY_BARGES);

	does(&c, S, CONFERENCE_LEAVE, NOBODY);
	assert_int_equal(c.party[listens].state, PARTY_ABSENT);
	assert_int_equal(c.party[barges].state, PARTY_CONNECTED);
	assert_int_equal(conference_life(&c), CONFERENCE_LIVES);
	refused(&c, -EINVAL, barges, CONFERENCE_MONITOR, NOBODY);
	does(&c, barges, CONFERENCE_HOLD, C);
	does(&c, barges, CONFERENCE_LEAVE, NOBODY);
	assert_int_equal(conference_life(&c), CONFERENCE_CUSTOMER_ALONE);
	assert_int_equal(c.party[C].state, PARTY_CONNECTED);
}

static void five_supervisors(void **state)
{
	struct conference c = talking(CONFERENCE_THREE_PARTY);
	char why[CONFERENCE_WHY_SIZE] = "";
	unsigned slot;

	for (unsigned i = 0; i < CONFERENCE_SUPERVISORS_MAX; i++)
		watch(&c, S, PARTY_MONITORS);
	assert_int_equal(conference_watch(&c, S, PARTY_MONITORS, &slot, why), -ENOSPC);
	assert_int_equal(conference_watch(&c, C, PARTY_MONITORS, &slot, why), -EINVAL);
	assert_int_equal(conference_watch(&c, NOBODY, PARTY_MONITORS, &slot, why), -EINVAL);
	assert_int_equal(conference_count(&c), 2);
	add(&c, S, PARTY_VIA_AGENT);
}

static void names(void **state)
{
	assert_string_equal(conference_mode_name(CONFERENCE_MULTI_PARTY), "multi-party");
	assert_string_equal(conference_verb_name(CONFERENCE_HOLD_ALL), "hold_all");
	assert_string_equal(conference_event_name(CONFERENCE_GONE), "gone");
	assert_string_equal(party_state_name(PARTY_HELD), "hold");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R23_R24_R26_R27_R28_R29_agent_quick_connect),
		cmocka_unit_test(R32_R35_R36_R37_queue_quick_connect),
		cmocka_unit_test(R41_R42_R44_number),
		cmocka_unit_test(R22_target_does_not_come),
		cmocka_unit_test(R124_source_leaves_on_the_way),
		cmocka_unit_test(source_talks_with_the_customer_on_the_way),
		cmocka_unit_test(R45_R46_R47_holds),
		cmocka_unit_test(R48_end_call),
		cmocka_unit_test(R49_leave_after_join),
		cmocka_unit_test(R50_customer_held),
		cmocka_unit_test(R50_target_held),
		cmocka_unit_test(R50_both_held),
		cmocka_unit_test(R50_all_joined),
		cmocka_unit_test(R50_muted_customer),
		cmocka_unit_test(R53_held_hears_its_player),
		cmocka_unit_test(R54_left_alone_may_do_all),
		cmocka_unit_test(R22_outside_party_hangs_up),
		cmocka_unit_test(customer_hangs_up),
		cmocka_unit_test(life_of_a_call),
		cmocka_unit_test(source_leaves_another_agent),
		cmocka_unit_test(primary_is_the_lowest_agent),
		cmocka_unit_test(nobody_is_forgotten_on_hold),
		cmocka_unit_test(events_out_of_place),
		cmocka_unit_test(keys_go_to_outside_parties),
		cmocka_unit_test(who_talks_to_all_is_recorded),
		cmocka_unit_test(supervisors_listen_coach_and_barge),
		cmocka_unit_test(supervisors_go_with_their_agent),
		cmocka_unit_test(five_supervisors),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
