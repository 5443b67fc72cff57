/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exhaustive walk: from the first state of a call, every verb by everybody over everybody, and
 * every event of everybody, until no new state comes. Each state and each step is judged by
 * walk_rules.h. It prints the number of states and steps, and how often each cell (state of a party,
 * verb or event) was hit; a cell that the picture in conference.h has and that was never hit fails.
 */
#include "support.h"

#include <stdio.h>

#include "walk_rules.h"
#include "walk_states.h"

enum { PARTIES = CONFERENCE_PARTIES_MAX };

struct limits {
	const char *name;
	enum conference_mode mode;
	unsigned parties, supervisors;
};

struct counts {
	unsigned long steps, refusals;
	unsigned long event[PARTY_STATE_COUNT]
			   [CONFERENCE_EVENT_COUNT]; /* of a party in the state */
	unsigned long actor[PARTY_STATE_COUNT]
			   [CONFERENCE_VERB_COUNT]; /* done by one in the state */
	unsigned long subject[PARTY_STATE_COUNT][CONFERENCE_VERB_COUNT]; /* done over one in it */
	unsigned long refused[PARTY_STATE_COUNT][CONFERENCE_VERB_COUNT]; /* to one in it */
};

struct walk {
	const struct limits *limits;
	struct state_set met;
	struct counts counts;
};

/* Of all walks. */
static struct counts total;

static void describe(const struct conference *c, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < PARTIES && n < size; i++) {
		const struct party *party = &c->party[i];
		if (party->state == PARTY_ABSENT)
			continue;
		n += (size_t)snprintf(out + n, size - n, " %u:%c:%s%s%s", i, "CAOS"[party->role],
			party_state_name(party->state), party -> muted ? ":muted" : "",
			i == c->primary ? ":primary" : "");
		if (party->source != NOBODY && n < size)
			n += (size_t)snprintf(out + n, size - n, ":source%u", party->source);
		if (party->role == PARTY_SUPERVISOR && n < size)
			n += (size_t)snprintf(
				out + n, size - n, ":watch%u:%u", party->watch, party->watched);
	}
}

static void fail_step(const struct conference *before, const struct conference *after,
	const struct step *step, const char *rule)
{
	char from[512], to[512];

	describe(before, from, sizeof(from));
	describe(after, to, sizeof(to));
	fail_msg("%s: %s of %u over %u: from%s to%s", rule,
		step->is_verb ? conference_verb_name((enum conference_verb)step->what)
			      : conference_event_name((enum conference_event)step->what),
		step->actor, step->subject, from, to);
}

static void meet(struct walk *walk, const struct conference *c)
{
	const char *rule;
	char text[512];

	if (!state_set_add(&walk->met, c))
		return;
	rule = state_rule(c);
	rule = rule ? rule : progress_rule(c);
	if (rule) {
		describe(c, text, sizeof(text));
		fail_msg("%s:%s", rule, text);
	}
}

/* ---- steps ---- */

/* 0 when it is done. The slot of a new party is the step's subject. */
static int take(struct conference *c, struct step *step, enum party_via via)
{
	struct conference before = *c;
	char why[CONFERENCE_WHY_SIZE] = "";
	int error;

	if (!step->is_verb) {
		conference_happens(c, step->actor, (enum conference_event)step->what);
		return state_identical(&before, c) ? -1 : 0;
	}
	if (step->what == CONFERENCE_ADD)
		error = conference_add(c, step->actor, via, &step->subject, why);
	else
		error = conference_do(
			c, step->actor, (enum conference_verb)step->what, step->subject, why);
	if (error && (!state_identical(&before, c) || !why[0]))
		fail_step(&before, c, step, "a refusal changes nothing and says why");
	return error;
}

/* Done again it changes nothing: it is done already, or refused. */
static void check_again(const struct conference *after, const struct step *step)
{
	struct conference again = *after;
	struct step copy = *step;

	if (!step->is_verb || step->what == CONFERENCE_ADD)
		return;
	take(&again, &copy, PARTY_VIA_AGENT);
	if (!state_identical(&again, after))
		fail_step(after, &again, step, "a verb is idempotent");
}

static bool takes_the_primary(const struct conference *before, const struct step *step)
{
	if (step->is_verb && step->what == CONFERENCE_DISCONNECT)
		return step->subject == before->primary;
	return step->actor == before->primary;
}

/* In other slots the same comes of it; but the next primary is a matter of slots. */
static void check_slots(const struct conference *before, const struct conference *after, int error,
	const struct step *step, enum party_via via)
{
	static const uint8_t mirror[PARTIES] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
	struct conference other = state_renamed(before, mirror);
	struct step copy = *step;

	if (takes_the_primary(before, step))
		return;
	copy.actor = step->actor < PARTIES ? mirror[step->actor] : step->actor;
	if (step->what != CONFERENCE_ADD || !step->is_verb)
		copy.subject = step->subject < PARTIES ? mirror[step->subject] : step->subject;
	if (take(&other, &copy, via) != error || !state_same(&other, after))
		fail_step(before, after, step, "slots are names");
}

static void count(
	struct walk *walk, const struct conference *before, const struct step *step, int error)
{
	struct counts *counts = &walk->counts;
	unsigned state = step->actor < PARTIES ? before->party[step->actor].state : PARTY_ABSENT;

	if (error) {
		counts->refusals++;
		counts->refused[state][step->what] += step->is_verb;
		return;
	}
	counts->steps++;
	if (!step->is_verb) {
		counts->event[state][step->what]++;
		return;
	}
	counts->actor[state][step->what]++;
	if (step->subject < PARTIES)
		counts->subject[before->party[step->subject].state][step->what]++;
}

static void try_step(
	struct walk *walk, const struct conference *before, struct step step, enum party_via via)
{
	struct conference after = *before;
	int error = take(&after, &step, via);
	const char *rule;

	count(walk, before, &step, error);
	check_slots(before, &after, error, &step, via);
	if (error)
		return;
	rule = step_rule(before, &after, &step);
	if (rule)
		fail_step(before, &after, &step, rule);
	check_again(&after, &step);
	meet(walk, &after);
}

/* Each other agent may be the lowest when the primary leaves: all that slots decide. */
static void try_departure(struct walk *walk, const struct conference *c, struct step step)
{
	try_step(walk, c, step, PARTY_VIA_AGENT);
	if (!takes_the_primary(c, &step))
		return;
	for (unsigned i = 0; i < PARTIES; i++) {
		uint8_t to[PARTIES];
		struct conference other;
		struct step copy = step;
		unsigned low = 0;
		if (i == c->primary || !conference_has_agent(c, i))
			continue;
		while (low == c->primary || !conference_has_agent(c, low))
			low++;
		for (unsigned k = 0; k < PARTIES; k++)
			to[k] = (uint8_t)(k == i ? low : k == low ? i : k);
		other = state_renamed(c, to);
		copy.actor = step.actor < PARTIES ? to[step.actor] : step.actor;
		copy.subject = step.subject < PARTIES ? to[step.subject] : step.subject;
		try_step(walk, &other, copy, PARTY_VIA_AGENT);
	}
}

/* ---- everything that can be done in a state ---- */

static bool takes_subject(enum conference_verb verb)
{
	return verb == CONFERENCE_HOLD || verb == CONFERENCE_RESUME || verb == CONFERENCE_SWAP ||
	       verb == CONFERENCE_DISCONNECT || verb == CONFERENCE_MUTE ||
	       verb == CONFERENCE_UNMUTE;
}

/* Present, or nobody. */
static bool is_somebody(const struct conference *c, unsigned slot)
{
	return slot == NOBODY || c->party[slot].state != PARTY_ABSENT;
}

static void try_verbs_of(struct walk *walk, const struct conference *c, unsigned actor)
{
	for (unsigned verb = CONFERENCE_JOIN; verb < CONFERENCE_VERB_COUNT; verb++) {
		struct step step = {true, verb, actor, NOBODY};
		if (!takes_subject((enum conference_verb)verb)) {
			try_departure(walk, c, step);
			continue;
		}
		for (step.subject = 0; step.subject <= NOBODY; step.subject++) {
			if (is_somebody(c, step.subject))
				try_departure(walk, c, step);
		}
	}
}

static void try_add(struct walk *walk, const struct conference *c, unsigned actor)
{
	struct step step = {true, CONFERENCE_ADD, actor, NOBODY};

	if (conference_count(c) >= walk->limits->parties &&
		walk->limits->parties < CONFERENCE_MULTI_MAX &&
		walk->limits->mode == CONFERENCE_MULTI_PARTY)
		return;
	try_step(walk, c, step, PARTY_VIA_AGENT);
	try_step(walk, c, step, PARTY_VIA_NUMBER);
}

static void try_watch(struct walk *walk, const struct conference *c)
{
	unsigned supervisors = 0;

	for (unsigned i = 0; i < PARTIES; i++)
		supervisors +=
			c->party[i].state != PARTY_ABSENT && c->party[i].role == PARTY_SUPERVISOR;
	for (unsigned i = 0; i < PARTIES && supervisors < walk->limits->supervisors; i++) {
		for (unsigned watch = PARTY_MONITORS; watch <= PARTY_BARGES; watch++) {
			struct conference after = *c;
			char why[CONFERENCE_WHY_SIZE];
			unsigned slot;
			if (conference_watch(&after, i, (enum party_watch)watch, &slot, why))
				continue;
			walk->counts.steps++;
			meet(walk, &after);
		}
	}
}

static void try_all(struct walk *walk, const struct conference *c)
{
	for (unsigned actor = 0; actor <= NOBODY; actor++) {
		if (!is_somebody(c, actor))
			continue;
		try_verbs_of(walk, c, actor);
		try_add(walk, c, actor);
		for (unsigned event = 0; event < CONFERENCE_EVENT_COUNT && actor < NOBODY; event++)
			try_departure(walk, c, (struct step){false, event, actor, NOBODY});
	}
	try_watch(walk, c);
}

static void add_counts(struct counts *sum, const struct counts *counts)
{
	const unsigned long *from = (const unsigned long *)counts;
	unsigned long *to = (unsigned long *)sum;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static void walk_all(const struct limits *limits)
{
	struct walk walk = {.limits = limits};
	struct conference c = talking(limits->mode);
	bool ended = false;

	state_set_init(&walk.met);
	meet(&walk, &c);
	for (size_t i = 0; i < walk.met.count; i++) {
		c = walk.met.states[i];
		ended = ended || conference_count(&c) == 0;
		try_all(&walk, &c);
	}
	print_message("%s: %zu states, %lu steps done, %lu refused or without a place\n",
		limits->name, walk.met.count, walk.counts.steps, walk.counts.refusals);
	assert_true(ended);
	add_counts(&total, &walk.counts);
	state_set_free(&walk.met);
}

/* ---- the walks ---- */

static void three_party(void **state)
{
	static const struct limits limits = {
		"three-party, 3 parties", CONFERENCE_THREE_PARTY, 3, 0};

	walk_all(&limits);
}

static void multi_party_of_six(void **state)
{
	static const struct limits limits = {
		"multi-party, 6 parties", CONFERENCE_MULTI_PARTY, 6, 0};

	walk_all(&limits);
}

static void three_party_with_supervisors(void **state)
{
	static const struct limits limits = {
		"three-party, 3 parties, 2 supervisors", CONFERENCE_THREE_PARTY, 3, 2};

	walk_all(&limits);
}

static void multi_party_with_supervisors(void **state)
{
	static const struct limits limits = {
		"multi-party, 3 parties, 2 supervisors", CONFERENCE_MULTI_PARTY, 3, 2};

	walk_all(&limits);
}

/* ---- the cells ---- */

#define EVENT(name) (1u << CONFERENCE_##name)
#define VERB(name)  (1u << CONFERENCE_##name)
#define HOLDS       (VERB(HOLD) | VERB(RESUME) | VERB(SWAP))
#define MUTES       (VERB(MUTE) | VERB(UNMUTE))
#define WATCHES     (VERB(MONITOR) | VERB(COACH) | VERB(BARGE))

/* The picture in conference.h, a second time. */
static const unsigned events_of[PARTY_STATE_COUNT] = {
	[PARTY_INVITED] = EVENT(ACCEPTED) | EVENT(ANSWERED) | EVENT(FAILED) | EVENT(GONE),
	[PARTY_AGENT_WHISPER] =
		EVENT(AGENT_WHISPER_OVER) | EVENT(AGAIN) | EVENT(FAILED) | EVENT(GONE),
	[PARTY_CUSTOMER_WHISPER] =
		EVENT(CUSTOMER_WHISPER_OVER) | EVENT(AGAIN) | EVENT(FAILED) | EVENT(GONE),
	[PARTY_CONNECTED] = EVENT(GONE),
	[PARTY_HELD] = EVENT(GONE),
};

/* An agent who has accepted already acts in multi-party mode; its source stays off hold. */
static const unsigned verbs_by[PARTY_STATE_COUNT] = {
	[PARTY_AGENT_WHISPER] = HOLDS | MUTES | VERB(JOIN) | VERB(DISCONNECT),
	[PARTY_CUSTOMER_WHISPER] = HOLDS | MUTES | VERB(JOIN) | VERB(DISCONNECT),
	[PARTY_CONNECTED] = HOLDS | MUTES | WATCHES | VERB(ADD) | VERB(JOIN) | VERB(HOLD_ALL) |
			    VERB(LEAVE) | VERB(DISCONNECT),
	[PARTY_HELD] = HOLDS | MUTES | VERB(JOIN) | VERB(HOLD_ALL) | VERB(LEAVE) | VERB(DISCONNECT),
};

static const unsigned verbs_over[PARTY_STATE_COUNT] = {
	[PARTY_ABSENT] = VERB(ADD),
	[PARTY_INVITED] = VERB(DISCONNECT),
	[PARTY_AGENT_WHISPER] = VERB(DISCONNECT),
	[PARTY_CUSTOMER_WHISPER] = VERB(DISCONNECT),
	[PARTY_CONNECTED] = HOLDS | MUTES | VERB(DISCONNECT),
	[PARTY_HELD] = HOLDS | MUTES | VERB(DISCONNECT),
};

static void check_cell(
	const char *what, unsigned state, const char *name, unsigned long hits, bool legal)
{
	if (hits)
		print_message("  %-8s %-16s %-22s %lu\n", what,
			party_state_name((enum party_state)state), name, hits);
	if ((hits > 0) != legal)
		fail_msg("%s %s %s: %lu hits, but the picture says %s", what,
			party_state_name((enum party_state)state), name, hits,
			legal ? "it has a place" : "it has none");
}

static void every_cell_is_hit(void **state)
{
	for (unsigned at = 0; at < PARTY_STATE_COUNT; at++) {
		for (unsigned event = 0; event < CONFERENCE_EVENT_COUNT; event++)
			check_cell("event", at, conference_event_name((enum conference_event)event),
				total.event[at][event], events_of[at] >> event & 1);
		for (unsigned verb = 0; verb < CONFERENCE_VERB_COUNT; verb++) {
			const char *name = conference_verb_name((enum conference_verb)verb);
			check_cell("by", at, name, total.actor[at][verb], verbs_by[at] >> verb & 1);
			check_cell("over", at, name, total.subject[at][verb],
				verbs_over[at] >> verb & 1);
			if (total.refused[at][verb])
				print_message("  %-8s %-16s %-22s %lu\n", "refused",
					party_state_name((enum party_state)at), name,
					total.refused[at][verb]);
		}
	}
	print_message("in all: %lu steps done, %lu refused or without a place\n", total.steps,
		total.refusals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_party),
		cmocka_unit_test(multi_party_of_six),
		cmocka_unit_test(three_party_with_supervisors),
		cmocka_unit_test(multi_party_with_supervisors),
		cmocka_unit_test(every_cell_is_hit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
