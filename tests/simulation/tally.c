/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cells of the state machines a run has been through: contact state by next state, party state
 * by event, party state by verb in both modes. A legal cell that was never hit is a finding: of the
 * generator, or of the table.
 */
#include <stdio.h>

#include "world.h"

enum { MODES = 2 };

static uint64_t steps[CONTACT_STATE_COUNT][CONTACT_STATE_COUNT];
static uint64_t happened[PARTY_STATE_COUNT][CONFERENCE_EVENT_COUNT];
/* done to a party in this state; of verbs without a subject, by one in it */
static uint64_t done[MODES][PARTY_STATE_COUNT][CONFERENCE_VERB_COUNT];
static uint64_t refused[MODES][CONFERENCE_VERB_COUNT];

#define EVENT(name) (1u << CONFERENCE_##name)

static const unsigned legal_events[PARTY_STATE_COUNT] = {
	[PARTY_INVITED] = EVENT(ACCEPTED) | EVENT(ANSWERED) | EVENT(FAILED),
	[PARTY_AGENT_WHISPER] = EVENT(AGENT_WHISPER_OVER) | EVENT(AGAIN) | EVENT(FAILED),
	[PARTY_CUSTOMER_WHISPER] = EVENT(CUSTOMER_WHISPER_OVER) | EVENT(FAILED),
	[PARTY_CONNECTED] = EVENT(GONE),
	[PARTY_HELD] = EVENT(GONE),
};

#define VERB(name) (1u << CONFERENCE_##name)
#define ON_CALL \
	(VERB(HOLD) | VERB(RESUME) | VERB(SWAP) | VERB(DISCONNECT) | VERB(MUTE) | VERB(UNMUTE))

static const unsigned legal_verbs[PARTY_STATE_COUNT] = {
	[PARTY_INVITED] = VERB(DISCONNECT),
	[PARTY_AGENT_WHISPER] = VERB(DISCONNECT),
	[PARTY_CUSTOMER_WHISPER] = VERB(DISCONNECT),
	[PARTY_CONNECTED] = ON_CALL | VERB(ADD) | VERB(JOIN) | VERB(HOLD_ALL) | VERB(MONITOR) |
			    VERB(COACH) | VERB(BARGE),
	[PARTY_HELD] = ON_CALL,
};

void __real_contact_set_state(struct contact *contact, enum contact_state state, uint64_t now_ns);
void __wrap_contact_set_state(struct contact *contact, enum contact_state state, uint64_t now_ns);
int __real_conference_add(struct conference *c, unsigned actor, enum party_via via, unsigned *slot,
	char why[CONFERENCE_WHY_SIZE]);
int __wrap_conference_add(struct conference *c, unsigned actor, enum party_via via, unsigned *slot,
	char why[CONFERENCE_WHY_SIZE]);
int __real_conference_do(struct conference *c, unsigned actor, enum conference_verb verb,
	unsigned subject, char why[CONFERENCE_WHY_SIZE]);
int __wrap_conference_do(struct conference *c, unsigned actor, enum conference_verb verb,
	unsigned subject, char why[CONFERENCE_WHY_SIZE]);
void __real_conference_happens(struct conference *c, unsigned party, enum conference_event event);
void __wrap_conference_happens(struct conference *c, unsigned party, enum conference_event event);

void __wrap_contact_set_state(struct contact *contact, enum contact_state state, uint64_t now_ns)
{
	steps[contact->state][state]++;
	sim_note("contact %.8s: %s -> %s", contact->segment.id, contact_state_name(contact->state),
		contact_state_name(state));
	__real_contact_set_state(contact, state, now_ns);
}

static bool same(const struct conference *a, const struct conference *b)
{
	if (a->mode != b->mode || a->primary != b->primary)
		return false;
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++) {
		const struct party *p = &a->party[i], *q = &b->party[i];

		if (p->state == PARTY_ABSENT && q->state == PARTY_ABSENT)
			continue;
		if (p->role != q->role || p->state != q->state || p->via != q->via ||
			p->watch != q->watch || p->watched != q->watched ||
			p->added_by != q->added_by || p->source != q->source ||
			p->muted != q->muted)
			return false;
	}
	return true;
}

static void note(const struct conference *before, const struct conference *after, unsigned actor,
	enum conference_verb verb, unsigned subject, int rc)
{
	unsigned party = subject < CONFERENCE_PARTIES_MAX ? subject : actor;

	if (rc < 0 && !same(before, after))
		sim_wrong("%s was refused and changed something", conference_verb_name(verb));
	if (rc < 0)
		refused[before->mode][verb]++;
	else
		done[before->mode][before->party[party].state][verb]++;
}

int __wrap_conference_add(struct conference *c, unsigned actor, enum party_via via, unsigned *slot,
	char why[CONFERENCE_WHY_SIZE])
{
	const struct conference before = *c;
	int rc = __real_conference_add(c, actor, via, slot, why);

	note(&before, c, actor, CONFERENCE_ADD, CONFERENCE_NOBODY, rc);
	return rc;
}

/* Twice: the second time nothing is left to do, or it is refused and changes nothing. */
int __wrap_conference_do(struct conference *c, unsigned actor, enum conference_verb verb,
	unsigned subject, char why[CONFERENCE_WHY_SIZE])
{
	const struct conference before = *c;
	int rc = __real_conference_do(c, actor, verb, subject, why);
	struct conference again = *c;
	char other[CONFERENCE_WHY_SIZE];

	note(&before, c, actor, verb, subject, rc);
	if (rc == 0) {
		__real_conference_do(&again, actor, verb, subject, other);
		if (!same(&again, c))
			sim_wrong("%s twice is not %s once", conference_verb_name(verb),
				conference_verb_name(verb));
	}
	return rc;
}

void __wrap_conference_happens(struct conference *c, unsigned party, enum conference_event event)
{
	happened[c->party[party].state][event]++;
	__real_conference_happens(c, party, event);
}

/* ---- the table ---- */

static unsigned print_contacts(void)
{
	unsigned missing = 0;

	printf("contact states, from and to:\n");
	for (unsigned from = 0; from < CONTACT_STATE_COUNT; from++)
		for (unsigned to = 0; to < CONTACT_STATE_COUNT; to++) {
			bool legal = contact_transition(from, to);

			if (!legal)
				continue;
			missing += steps[from][to] == 0;
			printf("  %-18s %-18s %12llu%s\n", contact_state_name(from),
				contact_state_name(to), (unsigned long long)steps[from][to],
				steps[from][to] ? "" : "  NEVER");
		}
	return missing;
}

static unsigned print_events(void)
{
	unsigned missing = 0;

	printf("parties, state and event:\n");
	for (unsigned state = 0; state < PARTY_STATE_COUNT; state++)
		for (unsigned event = 0; event < CONFERENCE_EVENT_COUNT; event++) {
			uint64_t n = happened[state][event];
			bool legal = legal_events[state] >> event & 1;

			missing += legal && n == 0;
			if (legal || n)
				printf("  %-18s %-22s %12llu%s\n", party_state_name(state),
					conference_event_name(event), (unsigned long long)n,
					legal ? n ? "" : "  NEVER" : "  (nothing to do)");
		}
	return missing;
}

static unsigned print_verbs(void)
{
	unsigned missing = 0;

	printf("parties, mode, state and verb:\n");
	for (unsigned mode = 0; mode < MODES; mode++) {
		for (unsigned state = 0; state < PARTY_STATE_COUNT; state++)
			for (unsigned verb = 0; verb < CONFERENCE_VERB_COUNT; verb++) {
				uint64_t n = done[mode][state][verb];
				bool legal = legal_verbs[state] >> verb & 1;

				missing += legal && n == 0;
				if (legal || n)
					printf("  %-12s %-18s %-12s %12llu%s\n",
						conference_mode_name(mode), party_state_name(state),
						conference_verb_name(verb), (unsigned long long)n,
						legal && !n ? "  NEVER" : "");
			}
		for (unsigned verb = 0; verb < CONFERENCE_VERB_COUNT; verb++)
			printf("  %-12s %-18s %-12s %12llu\n", conference_mode_name(mode),
				"(refused)", conference_verb_name(verb),
				(unsigned long long)refused[mode][verb]);
	}
	return missing;
}

unsigned tally_print(void)
{
	return print_contacts() + print_events() + print_verbs();
}
