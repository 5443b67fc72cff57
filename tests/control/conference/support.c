/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

struct conference talking(enum conference_mode mode)
{
	struct conference c;

	conference_init(&c, mode);
	conference_begin(&c);
	return c;
}

unsigned add(struct conference *c, unsigned actor, enum party_via via)
{
	char why[CONFERENCE_WHY_SIZE];
	unsigned slot = NOBODY;

	assert_int_equal(conference_add(c, actor, via, &slot, why), 0);
	assert_null(conference_broken(c));
	return slot;
}

void connect(struct conference *c, unsigned slot)
{
	static const enum conference_event agent[] = {CONFERENCE_ACCEPTED,
		CONFERENCE_AGENT_WHISPER_OVER, CONFERENCE_CUSTOMER_WHISPER_OVER};

	if (c->party[slot].role != PARTY_AGENT)
		conference_happens(c, slot, CONFERENCE_ANSWERED);
	for (unsigned i = 0; i < 3 && c->party[slot].role == PARTY_AGENT; i++)
		conference_happens(c, slot, agent[i]);
	assert_int_equal(c->party[slot].state, PARTY_CONNECTED);
	assert_null(conference_broken(c));
}

struct conference transferred(enum conference_mode mode, enum party_via via)
{
	struct conference c = talking(mode);

	assert_int_equal(add(&c, S, via), T);
	connect(&c, T);
	return c;
}

unsigned watch(struct conference *c, unsigned agent, enum party_watch watch)
{
	char why[CONFERENCE_WHY_SIZE];
	unsigned slot = NOBODY;

	assert_int_equal(conference_watch(c, agent, watch, &slot, why), 0);
	connect(c, slot);
	return slot;
}

void does(struct conference *c, unsigned actor, enum conference_verb verb, unsigned subject)
{
	char why[CONFERENCE_WHY_SIZE] = "";
	int error = conference_do(c, actor, verb, subject, why);

	if (error)
		fail_msg("%s by %u over %u: %d: %s", conference_verb_name(verb), actor, subject,
			error, why);
	if (conference_broken(c))
		fail_msg("after %s: %s", conference_verb_name(verb), conference_broken(c));
}

void refused(struct conference *c, int error, unsigned actor, enum conference_verb verb,
	unsigned subject)
{
	char why[CONFERENCE_WHY_SIZE] = "";
	struct conference before = *c;
	int result = conference_do(c, actor, verb, subject, why);

	if (result != error)
		fail_msg("%s by %u over %u: %d, not %d: %s", conference_verb_name(verb), actor,
			subject, result, error, why);
	assert_memory_equal(&before, c, sizeof(before));
	assert_true(strlen(why) > 0);
}

void refused_add(struct conference *c, int error, unsigned actor)
{
	char why[CONFERENCE_WHY_SIZE] = "";
	struct conference before = *c;
	unsigned slot = 77;

	assert_int_equal(conference_add(c, actor, PARTY_VIA_AGENT, &slot, why), error);
	assert_int_equal(slot, 77);
	assert_memory_equal(&before, c, sizeof(before));
	assert_true(strlen(why) > 0);
}

const char *heard(const struct conference *c, unsigned slot)
{
	static const char letters[] = "CSTUVWXYZab";
	static char words[4][CONFERENCE_PARTIES_MAX + 2];
	static unsigned turn;
	char *word = words[turn++ % 4];
	unsigned n = 0;

	if (conference_hears(c, slot, slot))
		word[n++] = 'p';
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++) {
		if (i != slot && conference_hears(c, slot, i))
			word[n++] = letters[i];
	}
	if (!n && c->party[slot].state != PARTY_ABSENT)
		word[n++] = '-';
	word[n] = '\0';
	return word;
}

void expect_heard(
	const struct conference *c, const char *customer, const char *source, const char *target)
{
	assert_null(conference_broken(c));
	assert_string_equal(heard(c, C), customer);
	assert_string_equal(heard(c, S), source);
	assert_string_equal(heard(c, T), target);
}
