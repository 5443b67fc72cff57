/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "contact/switchboard.h"

/* ---- life ---- */

int call_open(struct contact *contact)
{
	struct call *call = calloc(1, sizeof(*call));
	int rc = call ? media_room_create(contact->board->media, NULL, &call->room) : -ENOMEM;

	if (rc < 0) {
		free(call);
		return rc;
	}
	call->board = contact->board;
	conference_init(&call->conference, CONFERENCE_THREE_PARTY);
	call_join(call, contact);
	return 0;
}

void call_join(struct call *call, struct contact *contact)
{
	struct contact **p = &call->contacts;

	while (*p)
		p = &(*p)->call_next;
	*p = contact;
	contact->call = call;
	contact->call_next = NULL;
}

static void call_free(struct call *call)
{
	transfer_blind_ends(call);
	recording_forget(call);
	while (call->n_legs)
		board_leg_close(call->legs[0], 480, "");
	media_room_destroy(call->room);
	free(call->failed);
	free(call);
}

void call_part(struct contact *contact)
{
	struct call *call = contact->call;

	if (!call)
		return;
	recording_stop(contact, board_now(contact->board));
	for (struct contact **p = &call->contacts; *p; p = &(*p)->call_next)
		if (*p == contact) {
			*p = contact->call_next;
			break;
		}
	contact->call = NULL;
	contact->call_next = NULL;
	contact->party = CONFERENCE_NOBODY;
	if (!call->contacts && !call->changing)
		call_free(call);
}

void call_add_leg(struct call *call, struct leg *leg)
{
	CHECK(call->n_legs < MEDIA_MEMBERS_MAX);
	call->legs[call->n_legs++] = leg;
	leg->call = call;
	if (leg->role == LEG_CUSTOMER)
		call->customer = leg;
}

void call_remove_leg(struct call *call, struct leg *leg)
{
	for (unsigned i = 0; i < call->n_legs; i++)
		if (call->legs[i] == leg) {
			call->n_legs--;
			memmove(&call->legs[i], &call->legs[i + 1],
				(call->n_legs - i) * sizeof(call->legs[0]));
			break;
		}
	if (call->customer == leg)
		call->customer = NULL;
}

/* ---- who is who ---- */

struct leg *call_leg(const struct call *call, unsigned party)
{
	for (unsigned i = 0; i < call->n_legs; i++)
		if (call->legs[i]->party == party && party != CONFERENCE_NOBODY)
			return call->legs[i];
	return NULL;
}

struct contact *call_contact_of(const struct call *call, unsigned party)
{
	struct contact *contact = call->contacts;

	while (contact && contact->party != party)
		contact = contact->call_next;
	return party == CONFERENCE_NOBODY ? NULL : contact;
}

struct contact *call_customers_contact(const struct call *call)
{
	return call->customer ? call->customer->contact : call->contacts;
}

void call_name_party(struct call *call, unsigned party)
{
	call->party_id[party] = ++call->last_party_id;
}

unsigned call_find_party(const struct call *call, uint32_t id)
{
	unsigned party = 0;

	while (party < CONFERENCE_PARTIES_MAX && (call->party_id[party] != id || !id))
		party++;
	return party == CONFERENCE_PARTIES_MAX ? CONFERENCE_NOBODY : party;
}

/* ---- the customer passes on ---- */

/* The customer, and a contact that is on its way to an agent: an ordinary one from now on. */
static bool is_plain_again(const struct call *call)
{
	const struct conference *c = &call->conference;
	unsigned pending = conference_pending(c);

	return pending != CONFERENCE_NOBODY && conference_count(c) == 2 &&
	       !conference_is_barged(c) && c->party[pending].source == conference_customer(c) &&
	       call_contact_of(call, pending);
}

/*
 * Whose contact the customer is in once this one's agent has left; NULL: stays. To one that is on its
 * way only when nobody else is there: if it fails, the others talk on.
 */
static struct contact *heir_of(const struct call *call)
{
	const struct conference *c = &call->conference;

	if (c->primary != CONFERENCE_NOBODY)
		return call_contact_of(call, c->primary);
	return is_plain_again(call) ? call_contact_of(call, conference_pending(c)) : NULL;
}

/* The legs of the customer's side: an outside party may outlast the customer. */
static void pass_legs(struct contact *from, struct contact *to)
{
	struct call *call = from->call;

	for (unsigned i = 0; i < call->n_legs; i++) {
		struct leg *leg = call->legs[i];

		if (leg->contact != from || leg->role == LEG_AGENT)
			continue;
		leg->contact = to;
		if (leg->treatment->contact == from)
			treatment_pass(leg->treatment, to);
	}
}

static void pass_customer(struct contact *from, struct contact *to)
{
	struct call *call = from->call;

	log_info(LOG_CALL(to->segment.id, call->customer->id), "contact",
		"the customer passes on from %s", from->segment.id);
	to->caller = call->customer;
	from->caller = NULL;
	/* it is this contact that is a concurrent call now */
	to->released = from->released;
	from->released = true;
	to->version++;
}

/* ---- holding ---- */

static void start_hold(struct leg *leg, uint64_t now_ns)
{
	bool agent = leg->role == LEG_AGENT || leg->role == LEG_SUPERVISOR;
	enum flow_hook hook = agent ? FLOW_HOOK_AGENT_HOLD : FLOW_HOOK_CUSTOMER_HOLD;

	treatment_start(leg->treatment, leg->contact, board_hook_flow(leg->contact, hook),
		agent ? FLOW_TYPE_AGENT_HOLD : FLOW_TYPE_CUSTOMER_HOLD, now_ns);
}

static bool is_source(const struct conference *c, unsigned party)
{
	unsigned pending = conference_pending(c);

	return pending != CONFERENCE_NOBODY && c->party[pending].source == party;
}

static void hush(struct leg *leg)
{
	treatment_stop(leg->treatment);
	treatment_hush(leg->treatment);
}

static void change_hold(
	struct call *call, const struct conference *before, unsigned party, uint64_t now_ns)
{
	enum party_state was = before->party[party].state;
	enum party_state is = call->conference.party[party].state;
	struct leg *leg = call_leg(call, party);

	if (!leg || was == is)
		return;
	if (is == PARTY_HELD)
		start_hold(leg, now_ns);
	else if (was == PARTY_HELD && is == PARTY_CONNECTED && !is_source(&call->conference, party))
		hush(leg);
}

/* The contact is on hold when its agent is, or its customer; the record counts the customer's. */
static void follow_hold(struct contact *contact, uint64_t now_ns)
{
	const struct conference *c = &contact->call->conference;
	const struct leg *customer = contact->call->customer;
	struct contact_segment *s = &contact->segment;
	bool mine = customer && customer->contact == contact;
	bool customer_held = mine && c->party[customer->party].state == PARTY_HELD;
	bool held = customer_held || c->party[contact->party].state == PARTY_HELD;

	if (customer_held && !s->hold_started)
		contact_hold_begins(s, now_ns);
	else if (!customer_held && s->hold_started)
		contact_hold_ends(s, now_ns);
	if (held == (contact->state == CONTACT_HOLD))
		return;
	contact_set_state(contact, held ? CONTACT_HOLD : CONTACT_TALKING, now_ns);
	router_agent_contact(contact->board->router, s->agent, contact->id,
		held ? AGENT_HOLD : AGENT_RESUME, now_ns);
}

static void follow_holds(struct call *call, uint64_t now_ns)
{
	for (struct contact *contact = call->contacts; contact; contact = contact->call_next)
		if (contact->party != CONFERENCE_NOBODY &&
			party_is_on_call(&call->conference.party[contact->party]) &&
			(contact->state == CONTACT_TALKING || contact->state == CONTACT_HOLD))
			follow_hold(contact, now_ns);
}

/* ---- the source of a transfer changes ---- */

/* What is played on the way to the party goes on for another one. */
static void move_way(struct call *call, const struct conference *before)
{
	unsigned party = conference_pending(&call->conference);
	struct contact *transfer = call_contact_of(call, party);
	struct leg *from, *to;

	if (party == CONFERENCE_NOBODY ||
		before->party[party].source == call->conference.party[party].source)
		return;
	from = call_leg(call, before->party[party].source);
	to = call_leg(call, call->conference.party[party].source);
	if (!from || !to)
		return;
	treatment_move(from, to);
	if (transfer)
		transfer->caller = to;
}

/* ---- parties that are gone ---- */

static void pending_gone(
	struct call *call, const struct conference *before, unsigned party, uint64_t now_ns)
{
	struct contact *contact = call_contact_of(call, party);
	struct leg *source = call_leg(call, before->party[party].source);
	struct leg *leg = call_leg(call, party);

	if (contact) {
		contact->party = CONFERENCE_NOBODY;
		board_end_contact(contact, call->reason, now_ns);
	} else if (leg) {
		outside_close(leg);
	}
	if (source)
		hush(source);
}

static void agent_gone(struct call *call, struct contact *contact, uint64_t now_ns)
{
	struct contact *heir = heir_of(call);
	bool has_customer = call->customer && call->customer->contact == contact;

	contact->party = CONFERENCE_NOBODY;
	recording_stop(contact, now_ns);
	if (contact->agent)
		board_leg_close(contact->agent, 0, "");
	if (contact->segment.hold_started)
		contact_hold_ends(&contact->segment, now_ns);
	offering_agent_ends(contact, now_ns);
	if (has_customer && !heir) {
		if (conference_life(&call->conference) != CONFERENCE_LIVES)
			return; /* alone: see settle() */
		if (call->reason == CONTACT_REASON_BARGED)
			contact->segment.reason = call->reason;
		contact_set_state(contact, CONTACT_BRIDGED, now_ns);
		outside_remains(contact, now_ns);
		return;
	}
	if (heir)
		pass_legs(contact, heir);
	if (has_customer)
		pass_customer(contact, heir);
	board_end_contact(contact,
		call->reason == CONTACT_REASON_BARGED ? CONTACT_REASON_BARGED
						      : CONTACT_REASON_AGENT_DISCONNECT,
		now_ns);
}

static void customer_gone(struct call *call, struct leg *leg, uint64_t now_ns)
{
	struct contact *contact = leg->contact;

	contact->segment.reason = call->reason;
	contact->caller = NULL;
	board_leg_close(leg, 480, contact_reason_name(call->reason));
	if (contact->party == CONFERENCE_NOBODY) /* its agent has left before */
		board_end_contact(contact, call->reason, now_ns);
}

static void party_gone(
	struct call *call, const struct conference *before, unsigned party, uint64_t now_ns)
{
	struct contact *contact = call_contact_of(call, party);
	struct leg *leg = call_leg(call, party);

	if (before->party[party].state == PARTY_ABSENT ||
		call->conference.party[party].state != PARTY_ABSENT)
		return;
	call->party_id[party] = 0;
	if (party_is_pending(&before->party[party]))
		pending_gone(call, before, party, now_ns);
	else if (contact)
		agent_gone(call, contact, now_ns);
	else if (leg && leg->role == LEG_CUSTOMER)
		customer_gone(call, leg, now_ns);
	else if (leg)
		outside_close(leg);
}

/* A customer whom the agent has left with others, and for whom an agent has come, or is the only one who
 * still may. */
static void find_heir(struct call *call, uint64_t now_ns)
{
	struct contact *contact = call->customer ? call->customer->contact : NULL;
	struct contact *heir =
		contact && contact->party == CONFERENCE_NOBODY ? heir_of(call) : NULL;

	if (!heir)
		return;
	pass_legs(contact, heir);
	pass_customer(contact, heir);
	board_end_contact(contact, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
}

/* ---- what is left ---- */

static void end_conference(struct call *call)
{
	call->talking = false;
	call->blind.source = call->blind.party = CONFERENCE_NOBODY;
	conference_init(&call->conference, call->conference.mode);
	for (unsigned i = 0; i < call->n_legs; i++)
		call->legs[i]->party = CONFERENCE_NOBODY;
	for (struct contact *contact = call->contacts; contact; contact = contact->call_next)
		contact->party = CONFERENCE_NOBODY;
}

void call_end(struct call *call, enum contact_reason reason, uint64_t now_ns)
{
	bool last;

	end_conference(call);
	do {
		last = !call->contacts->call_next;
		board_end_contact(call->contacts, reason, now_ns);
	} while (!last);
}

/* The call may be gone when it returns. */
static void settle(struct call *call, uint64_t now_ns)
{
	enum conference_life life = conference_life(&call->conference);

	if (life == CONFERENCE_LIVES) {
		if (is_plain_again(call))
			end_conference(call);
	} else if (life == CONFERENCE_CUSTOMER_ALONE) {
		end_conference(call);
		board_customer_remains(call->customer->contact, call->reason, now_ns);
	} else {
		call_end(call, call->reason, now_ns);
	}
}

void call_change(struct call *call, const struct conference *next, enum contact_reason reason,
	uint64_t now_ns)
{
	const struct conference before = call->conference;

	call->reason = reason;
	call->conference = *next;
	call->changing = true;
	move_way(call, &before);
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++)
		change_hold(call, &before, i, now_ns);
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++)
		party_gone(call, &before, i, now_ns);
	find_heir(call, now_ns);
	follow_holds(call, now_ns);
	call->changing = false;
	if (!call->contacts) {
		call_free(call);
		return;
	}
	phone_follow(call);
	hearing_apply(call);
	call_show(call);
	transfer_blind_follow(call, now_ns);
	settle(call, now_ns);
}

void call_begin(struct contact *contact, uint64_t now_ns)
{
	struct call *call = contact->call;

	conference_init(&call->conference,
		call->board->config->multi_party ? CONFERENCE_MULTI_PARTY : CONFERENCE_THREE_PARTY);
	conference_begin(&call->conference);
	call->talking = true;
	call_fails_not(call);
	call->customer->party = CALL_FIRST_CUSTOMER;
	contact->agent->party = CALL_FIRST_AGENT;
	contact->party = CALL_FIRST_AGENT;
	call_name_party(call, CALL_FIRST_CUSTOMER);
	call_name_party(call, CALL_FIRST_AGENT);
	hearing_apply(call);
	call_show(call);
}

void call_happens(struct call *call, unsigned party, enum conference_event event,
	enum contact_reason reason, uint64_t now_ns)
{
	struct conference next = call->conference;

	if (!call->talking || party == CONFERENCE_NOBODY)
		return;
	conference_happens(&next, party, event);
	call_change(call, &next, reason, now_ns);
}

void call_show(struct call *call)
{
	for (struct contact *contact = call->contacts; contact; contact = contact->call_next) {
		contact->version++;
		panel_changed(contact);
	}
}
