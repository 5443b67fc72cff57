/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent's desktop shows of the call (R21): one entry for each connection that the agent sees,
 * with a label and a banner. It follows from the state of contact and conference, is read by
 * contact.panel, and told as events of topic "panel" whenever it has changed at the end of a pass.
 */
#include <stdio.h>

#include "base/jot.h"
#include "base/log.h"
#include "base/siphash.h"
#include "contact/switchboard.h"

/* ---- one connection ---- */

static const char *user_name(const struct contact *contact)
{
	const struct resource_agent *row = NULL;

	if (contact)
		row = router_agent_row(contact->board->router, contact->segment.agent != ROUTER_NONE
								       ? contact->segment.agent
								       : contact->transfer_agent);
	return row ? row->row.name : "";
}

/* Another agent, or a queue. */
static const char *agent_label(const struct call *call, unsigned party)
{
	const struct contact *contact = call_contact_of(call, party);

	if (call->conference.mode == CONFERENCE_THREE_PARTY)
		return "internal-transfer";
	return contact && contact->quick_connect ? contact->quick_connect : user_name(contact);
}

static const char *label_of(const struct call *call, unsigned party)
{
	const struct leg *leg = call_leg(call, party);
	const struct resource_agent *row;

	switch (call->conference.party[party].role) {
	case PARTY_CUSTOMER:
		return call_customers_contact(call)->customer_number;
	case PARTY_AGENT:
		return agent_label(call, party);
	case PARTY_OUTSIDE:
		return leg ? leg->number : "";
	case PARTY_SUPERVISOR:
		break;
	}
	row = leg ? router_agent_row(call->board->router, leg->agent) : NULL;
	return row ? row->row.name : "";
}

/* R24, R32: by quick connect an agent counts as connected at once, a queue only when joined. R26: who
 * is on the way is connected to nobody. */
static const char *banner_of(const struct party *viewer, const struct party *party)
{
	if (party->state == PARTY_HELD)
		return "On hold";
	if (party_is_pending(viewer))
		return "Connecting";
	if (party->state == PARTY_CONNECTED || party->via == PARTY_VIA_AGENT)
		return "Connected";
	return "Connecting";
}

/* `id`: of the party; empty: it is none yet. */
static void put_connection(struct jot *j, struct str id, const char *role, const char *label,
	const char *banner, const char *state, bool muted)
{
	jot_open(j, NULL, '{');
	jot_text_or_null(j, "party", id);
	jot_text(j, "role", str_from(role));
	jot_text(j, "label", str_from(label));
	jot_text(j, "banner", str_from(banner));
	jot_text(j, "state", str_from(state));
	jot_bool(j, "muted", muted);
	jot_close(j, '}');
}

static void connection(struct jot *j, const struct call *call, unsigned viewer, unsigned party)
{
	const struct party *p = &call->conference.party[party];
	static const char *const roles[] = {[PARTY_CUSTOMER] = "customer",
		[PARTY_AGENT] = "agent",
		[PARTY_OUTSIDE] = "outside",
		[PARTY_SUPERVISOR] = "supervisor"};
	char id[16];

	snprintf(id, sizeof(id), "%u", call->party_id[party]);
	put_connection(j, str_from(id), roles[p->role], label_of(call, party),
		banner_of(&call->conference.party[viewer], p), party_state_name(p->state),
		p->muted);
}

/* ---- the panel ---- */

static void of_conference(struct jot *j, const struct call *call, unsigned viewer)
{
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++)
		if (i != viewer && call->conference.party[i].state != PARTY_ABSENT &&
			conference_sees(&call->conference, viewer, i))
			connection(j, call, viewer, i);
}

/* In multi-party mode an agent sees everybody from the moment it accepts. */
static bool sees_call(const struct contact *contact)
{
	const struct conference *c;

	if (!contact->call || !contact->call->talking || contact->party == CONFERENCE_NOBODY)
		return false;
	c = &contact->call->conference;
	return party_is_on_call(&c->party[contact->party]) ||
	       (c->mode == CONFERENCE_MULTI_PARTY &&
		       c->party[contact->party].state != PARTY_INVITED);
}

/* Before the agent is joined: the other side, a customer or an agent who transfers. */
static void of_contact(struct jot *j, const struct contact *contact)
{
	const char *label =
		transfer_is_one(contact) ? "internal-transfer" : contact->customer_number;

	switch (contact->state) {
	case CONTACT_OFFERED:
		put_connection(j, STR_NULL, "customer", label, "Incoming", "invited", false);
		break;
	case CONTACT_AGENT_WHISPER:
	case CONTACT_CUSTOMER_WHISPER:
	case CONTACT_DIALLING:
		put_connection(j, STR_NULL, "customer", label, "Connecting",
			contact_state_name(contact->state), false);
		break;
	default:
		break;
	}
}

static bool is_agents(const struct contact *contact, uint32_t agent)
{
	return contact_is_live(contact) && contact->state != CONTACT_BRIDGED &&
	       (contact->segment.agent == agent ||
		       (contact->offer && contact->offer_agent == agent));
}

/* Up to the connections. `self`: the agent's own part; NULL: it has none. */
static void put_head(struct jot *j, const struct agent_snapshot *s, const struct contact *contact,
	const struct party *self, const char *failed)
{
	jot_text(j, "agent", str_from(s->row->row.name));
	jot_text_or_null(j, "contact", str_from(contact ? contact->segment.id : NULL));
	jot_text(j, "state", str_from(agent_state_name(s->state)));
	jot_bool(j, "on_hold", self && self->state == PARTY_HELD);
	jot_bool(j, "muted", self && self->muted);
	jot_text_or_null(j, "transfer_failed", str_from(failed));
	jot_open(j, "connections", '[');
}

static void of_party(struct jot *j, const struct agent_snapshot *s, const struct contact *contact,
	const struct call *call, unsigned viewer)
{
	put_head(j, s, contact, &call->conference.party[viewer], call->failed);
	of_conference(j, call, viewer);
}

static void of_agent(struct jot *j, const struct switchboard *board, uint32_t agent,
	const struct agent_snapshot *s)
{
	const struct leg *supervising = supervising_leg(board, agent);
	const struct contact *contact = pool_get(&board->contacts, s->contact.contact);

	if (supervising) {
		of_party(j, s, supervising->contact, supervising->call, supervising->party);
		return;
	}
	if (contact && !is_agents(contact, agent))
		contact = NULL;
	if (contact && sees_call(contact)) {
		of_party(j, s, contact, contact->call, contact->party);
		return;
	}
	put_head(j, s, contact, NULL, NULL);
	if (contact)
		of_contact(j, contact);
}

bool panel_write(struct jot *j, const struct switchboard *board, uint32_t agent)
{
	struct agent_snapshot s;

	if (router_agent_snapshot(board->router, agent, &s) < 0 || !s.row)
		return false;
	jot_open(j, NULL, '{');
	of_agent(j, board, agent, &s);
	jot_close(j, ']');
	jot_close(j, '}');
	return true;
}

/* ---- what changed ---- */

static void tell(struct contact *contact)
{
	static const uint8_t key[SIPHASH_KEY_SIZE];
	struct switchboard *board = contact->board;
	uint32_t agent = contact->segment.agent != ROUTER_NONE ? contact->segment.agent
							       : contact->offer_agent;
	struct jot *j = &board->event;
	uint64_t hash = 0, number;

	jot_reset(j);
	if (agent != ROUTER_NONE && panel_write(j, board, agent) && !j->failed) {
		hash = siphash(j->p, j->n, key);
		if (hash != contact->panel_hash &&
			events_append(board->events, "panel",
				clock_wall_at(&board->clock, board_now(board)), jot_str(j),
				&number) < 0)
			log_error_limited(NULL, "event", 10, "an event of topic panel was lost");
	}
	contact->panel_hash = hash;
}

static void tell_all(void *ctx)
{
	struct switchboard *board = ctx;

	while (board->panels) {
		struct contact *contact = board->panels;

		panel_forget(contact);
		tell(contact);
	}
}

void panel_init(struct switchboard *board)
{
	board->panel_task = (struct loop_task){.fn = tell_all, .ctx = board};
}

void panel_changed(struct contact *contact)
{
	struct switchboard *board = contact->board;

	if (contact->panel_back)
		return;
	contact->panel_next = board->panels;
	contact->panel_back = &board->panels;
	if (board->panels)
		board->panels->panel_back = &contact->panel_next;
	board->panels = contact;
	if (board->loop)
		loop_task_set(board->loop, &board->panel_task);
}

void panel_forget(struct contact *contact)
{
	if (!contact->panel_back)
		return;
	*contact->panel_back = contact->panel_next;
	if (contact->panel_next)
		contact->panel_next->panel_back = contact->panel_back;
	contact->panel_next = NULL;
	contact->panel_back = NULL;
}
