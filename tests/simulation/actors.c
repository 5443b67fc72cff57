/* SPDX-License-Identifier: Apache-2.0 */
/* Agents and supervisors at their desks: every verb at any time, also those that must be refused. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "contact/api_call.h"
#include "world.h"

static uint32_t agents;

static const char *name_of(uint32_t agent)
{
	return router_agent_row(sim.board.router, agent)->row.name;
}

static uint32_t any_agent(void)
{
	return (uint32_t)random_below(&sim.random, agents);
}

static struct agent_snapshot snapshot(uint32_t agent)
{
	struct agent_snapshot s;

	CHECK(router_agent_snapshot(sim.board.router, agent, &s) == 0);
	return s;
}

/* An agent who is in a conference, when there is one: most verbs are for them. */
static bool busy_agent(uint32_t *out)
{
	uint32_t first = any_agent();

	for (uint32_t i = 0; i < agents; i++) {
		uint32_t agent = (first + i) % agents;
		const struct agent_snapshot s = snapshot(agent);

		if (s.contact.state != AGENT_SLOT_CONNECTED && s.contact.state != AGENT_SLOT_ONHOLD)
			continue;
		*out = agent;
		return true;
	}
	return false;
}

static void touch(uint32_t agent)
{
	const struct agent_snapshot s = snapshot(agent);
	struct contact *contact = pool_get(&sim.board.contacts, s.contact.contact);

	if (contact)
		rules_touch(contact);
}

static void count(int rc)
{
	sim.count[COUNT_VERB]++;
	sim.count[COUNT_REFUSED] += rc < 0;
}

/* ---- verbs on a call ---- */

/* A blind transfer is answered once, or refused at once and then not answered. */
struct blind_answer {
	bool told;
};

static unsigned blind_open;

static void on_blind(void *ctx, int error, const char *why)
{
	struct blind_answer *answer = ctx;

	if (answer->told)
		sim_wrong("a blind transfer is answered twice");
	answer->told = true;
	blind_open--;
}

unsigned actors_left(void)
{
	return blind_open;
}

static int transfer_blind(uint32_t agent, const struct desk_target *target, char *why)
{
	static struct blind_answer answers[4096];
	static unsigned next;
	struct blind_answer *answer = &answers[next++ % 4096];
	int rc;

	*answer = (struct blind_answer){false};
	blind_open++;
	rc = desk_transfer_blind(&sim.board, name_of(agent), target, on_blind, answer, why);
	if (rc < 0 && answer->told)
		sim_wrong("a blind transfer is refused and answered");
	if (rc < 0)
		blind_open--;
	return rc;
}

static void transfer(uint32_t agent)
{
	static const char *const quick_connects[] = {"To a0", "To a1", "To a2", "To a3", "To a4",
		"To a5", "To a6", "To a7", "To Two", "To Two", "To Tiny", "Courier", "Courier",
		"Nobody answers"};
	struct desk_target target = {0};
	char why[DESK_WHY_SIZE] = "";
	int rc;

	if (sim_percent(15))
		target.number = sim_percent(90) ? "+12025550177" : "nonsense";
	else
		target.quick_connect = quick_connects[random_below(
			&sim.random, sizeof(quick_connects) / sizeof(quick_connects[0]))];
	if (sim_percent(20))
		rc = transfer_blind(agent, &target, why);
	else
		rc = desk_transfer(&sim.board, name_of(agent), NULL, &target, why);
	if (rc == 0)
		sim_note("%s transfers to %s", name_of(agent),
			target.number ? target.number : target.quick_connect);
	count(rc);
}

static void conference_verb(uint32_t agent)
{
	static const enum conference_verb verbs[] = {CONFERENCE_JOIN, CONFERENCE_HOLD_ALL,
		CONFERENCE_HOLD, CONFERENCE_RESUME, CONFERENCE_SWAP, CONFERENCE_DISCONNECT,
		CONFERENCE_MUTE, CONFERENCE_UNMUTE};
	enum conference_verb verb =
		verbs[random_below(&sim.random, sizeof(verbs) / sizeof(verbs[0]))];
	const struct agent_snapshot s = snapshot(agent);
	const struct contact *contact = pool_get(&sim.board.contacts, s.contact.contact);
	const struct leg *supervising = supervising_leg(&sim.board, agent);
	const struct call *call = supervising ? supervising->call : contact ? contact->call : NULL;
	char why[DESK_WHY_SIZE] = "", party[16] = "customer";
	bool subject = verb != CONFERENCE_JOIN && verb != CONFERENCE_HOLD_ALL;
	int rc;

	/* hanging up on parties is rarer, or calls would not live long */
	if (verb == CONFERENCE_DISCONNECT && sim_percent(92))
		verb = CONFERENCE_RESUME;
	if (call && sim_percent(75))
		snprintf(party, sizeof(party), "%u",
			call->party_id[random_below(&sim.random, CONFERENCE_PARTIES_MAX)]);
	rc = desk_conference(&sim.board, name_of(agent), NULL, verb, subject ? party : NULL, why);
	if (rc == 0)
		sim_note("%s: %s %s", name_of(agent), conference_verb_name(verb),
			subject ? party : "");
	count(rc);
}

static void watch(uint32_t agent)
{
	uint32_t supervisor = any_agent();
	enum party_watch how = (enum party_watch)random_below(&sim.random, 3);
	char why[DESK_WHY_SIZE] = "";
	int rc = desk_watch(&sim.board, name_of(supervisor), name_of(agent), how, why);

	touch(supervisor);
	if (rc == 0)
		sim_note("%s watches %s (%d)", name_of(supervisor), name_of(agent), how);
	count(rc);
}

static void leave(uint32_t agent)
{
	char why[DESK_WHY_SIZE] = "";
	int rc;

	touch(agent);
	rc = desk_leave(&sim.board, name_of(agent), NULL, why);
	if (rc == 0)
		sim_note("%s leaves", name_of(agent));
	count(rc);
}

/* ---- verbs at the desk ---- */

static void answer_offer(uint32_t agent)
{
	char why[DESK_WHY_SIZE] = "";
	bool accepts = sim_percent(85);
	int rc = accepts ? desk_accept(&sim.board, name_of(agent), NULL, why)
			 : desk_reject(&sim.board, name_of(agent), NULL, why);

	if (rc == 0)
		sim_note("%s %s", name_of(agent), accepts ? "accepts" : "rejects");
	count(rc);
}

static void clear(uint32_t agent)
{
	char why[DESK_WHY_SIZE] = "";

	count(desk_clear(&sim.board, name_of(agent), why));
}

static void change_status(uint32_t agent)
{
	static const char *const statuses[] = {
		"Available", "Available", "Available", "Lunch", "Offline"};
	const char *status = statuses[random_below(&sim.random, 5)];
	char why[DESK_WHY_SIZE] = "";
	int rc = sim_percent(10) ? desk_logout(&sim.board, name_of(agent), why)
				 : desk_login(&sim.board, name_of(agent), status, why);

	if (rc == 0)
		sim_note("%s is %s", name_of(agent), status);
	count(rc);
}

static void phone(uint32_t agent, bool ready)
{
	sim_note("the phone of %s %s", name_of(agent), ready ? "comes" : "goes");
	board_phone(&sim.board, agent, ready);
}

static void phone_comes(uint64_t agent, uint64_t argument)
{
	phone((uint32_t)agent, true);
}

static void dial(uint32_t agent)
{
	const struct desk_target target = {
		.quick_connect = sim_percent(50) ? "Courier" : NULL, .number = NULL};
	struct desk_target number = {.number = "+12025550166"};
	char why[DESK_WHY_SIZE] = "";
	int rc = desk_dial(
		&sim.board, name_of(agent), target.quick_connect ? &target : &number, why);

	touch(agent);
	if (rc == 0) {
		sim.count[COUNT_OUT]++;
		sim_note("%s dials at the panel", name_of(agent));
	}
	count(rc);
}

/* A program calls somebody. */
static void program_calls(void)
{
	struct attributes attributes = {0};
	struct api_call call = {.destination = "+12025550155",
		.flow = sim_percent(80) ? "Plain" : "Phone away",
		.queue = "One",
		.attributes = &attributes};
	struct api_call_refusal refusal = {0};
	char id[RANDOM_UUID_SIZE];
	int rc = api_call_start(&sim.board, &call, id, &refusal);

	if (rc == 0)
		sim.count[COUNT_OUT]++;
	attributes_clear(&attributes);
	count(rc);
}

static void call_out(uint32_t unused)
{
	unsigned how = (unsigned)random_below(&sim.random, 6);

	if (how == 0)
		agent_dials(any_agent());
	else if (how == 1)
		dial(any_agent());
	else if (how == 2)
		program_calls();
}

static void key(uint32_t agent)
{
	const struct agent_snapshot s = snapshot(agent);
	const struct contact *contact = pool_get(&sim.board.contacts, s.contact.contact);

	if (contact && contact->call && contact->call->n_legs)
		media_key(
			contact->call->legs[random_below(&sim.random, contact->call->n_legs)], '1');
}

static void operator_ends(uint32_t unused)
{
	struct contact *contact = NULL;
	char why[DESK_WHY_SIZE] = "";
	unsigned skip = (unsigned)random_below(&sim.random, 20);

	if (sim_percent(80)) /* rare, or calls would not live long */
		return;
	while ((contact = pool_next(&sim.board.contacts, contact)) && skip-- > 0)
		continue;
	if (!contact)
		return;
	sim_note("an operator ends %s", contact->segment.id);
	rules_touch(contact);
	count(desk_end(&sim.board, contact->segment.id, why));
}

static void phone_goes(uint32_t unused)
{
	uint32_t agent = any_agent();

	phone(agent, false);
	sim_at(sim_while(10 * S), phone_comes, agent, 0);
}

static void offer_is_answered(uint32_t unused)
{
	answer_offer(any_agent());
}

static void desk_is_cleared(uint32_t unused)
{
	clear(any_agent());
}

static void status_changes(uint32_t unused)
{
	change_status(any_agent());
}

/* What is done, how often: to an agent who is on a call, or to any. */
static const struct {
	unsigned percent;
	void (*act)(uint32_t agent);
} acts[] = {
	{22, transfer},
	{40, conference_verb},
	{5, watch},
	{2, leave},
	{12, offer_is_answered},
	{9, desk_is_cleared},
	{4, status_changes},
	{1, call_out},
	{3, key},
	{1, operator_ends},
	{1, phone_goes},
};

static void someone_acts(uint64_t unused, uint64_t argument)
{
	uint32_t agent = any_agent();
	unsigned what = (unsigned)random_below(&sim.random, 100);
	bool busy = sim_percent(95) && busy_agent(&agent);

	if (sim.ending)
		return;
	if (!busy && sim_percent(90)) { /* nobody talks: wait for somebody */
		sim_at(sim_while(S), someone_acts, 0, 0);
		return;
	}
	touch(agent);
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (what < acts[i].percent) {
			acts[i].act(agent);
			break;
		}
		what -= acts[i].percent;
	}
	sim_at(sim_while(sim.profile.verb_ms * 2 * MS), someone_acts, 0, 0);
}

/* A desk takes offers and clears what is over, soon enough. */
static void at_the_desk(uint64_t agent, uint64_t argument)
{
	const struct agent_snapshot s = snapshot((uint32_t)agent);

	touch((uint32_t)agent);
	if (s.contact.state == AGENT_SLOT_OFFERED)
		answer_offer((uint32_t)agent);
	else if (s.contact.state == AGENT_SLOT_ENDED || s.contact.state == AGENT_SLOT_MISSED ||
		 s.contact.state == AGENT_SLOT_ERROR)
		clear((uint32_t)agent);
	else if (s.state == AGENT_LOGGED_OUT || s.state == AGENT_OFFLINE || s.state == AGENT_CUSTOM)
		change_status((uint32_t)agent);
	if (!sim.ending)
		sim_at(S + sim_while(8 * S), at_the_desk, agent, 0);
}

static void reloads(uint64_t unused, uint64_t argument)
{
	if (sim.ending)
		return;
	world_reload();
	sim_at(600 * S + sim_while(6000 * S), reloads, 0, 0);
}

void actors_open(void)
{
	char why[DESK_WHY_SIZE];

	agents = router_agent_count(sim.board.router);
	if (agents > sim.profile.agents)
		agents = sim.profile.agents;
	for (uint32_t i = 0; i < agents; i++) {
		board_phone(&sim.board, i, true);
		desk_login(&sim.board, name_of(i), sim_percent(90) ? "Available" : "Lunch", why);
		sim_at(sim_while(5 * S), at_the_desk, i, 0);
	}
	sim_at(sim_while(S), someone_acts, 0, 0);
	if (sim_percent(20))
		sim_at(sim_while(600 * S), reloads, 0, 0);
	if (sim_percent(30))
		sim_at(sim_while(300 * S), media_goes, 0, 0);
}

void actors_last_call(uint64_t unused, uint64_t argument)
{
	sim.ending = true;
	if (sim_percent(30)) {
		sim_note("control is told to end");
		board_drain(&sim.board);
	}
}

/* Every call ends, every agent clears; what is left then is a leak. */
void actors_end(void)
{
	struct contact *contact = NULL;
	char why[DESK_WHY_SIZE];

	while ((contact = pool_next(&sim.board.contacts, contact))) {
		if (!contact_is_live(contact))
			continue;
		if (contact->call && contact->call->talking)
			call_end(contact->call, CONTACT_REASON_OTHER, sim.now_ns);
		else
			board_end_contact(contact, CONTACT_REASON_OTHER, sim.now_ns);
	}
	world_settle();
	for (uint32_t i = 0; i < agents; i++) {
		desk_clear(&sim.board, name_of(i), why);
		desk_logout(&sim.board, name_of(i), why);
	}
	world_settle();
}
