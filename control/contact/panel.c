/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent's desktop shows of the call (R21): one entry for each connection that the agent sees,
 * with a label and a banner. It follows from the state of contact and conference, is read by
 * contact.panel, and told as events of topic "panel" whenever it has changed at the end of a pass.
 */
#include <stdlib.h>
#include <string.h>

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

static json_t *connection(const struct call *call, unsigned viewer, unsigned party)
{
	const struct party *p = &call->conference.party[party];
	static const char *const roles[] = {[PARTY_CUSTOMER] = "customer",
		[PARTY_AGENT] = "agent",
		[PARTY_OUTSIDE] = "outside",
		[PARTY_SUPERVISOR] = "supervisor"};

	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:b}", "party",
		json_sprintf("%u", call->party_id[party]), "role", roles[p->role], "label",
		label_of(call, party), "banner", banner_of(&call->conference.party[viewer], p),
		"state", party_state_name(p->state), "muted", p->muted);
}

static json_t *lone_connection(const char *label, const char *banner, const char *state)
{
	return json_pack("{s:n, s:s, s:s, s:s, s:s, s:b}", "party", "role", "customer", "label",
		label, "banner", banner, "state", state, "muted", 0);
}

/* ---- the panel ---- */

static json_t *of_conference(const struct call *call, unsigned viewer)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++)
		if (i != viewer && call->conference.party[i].state != PARTY_ABSENT &&
			conference_sees(&call->conference, viewer, i))
			json_array_append_new(list, connection(call, viewer, i));
	return list;
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
static json_t *of_contact(const struct contact *contact)
{
	json_t *list = json_array();
	const char *label =
		transfer_is_one(contact) ? "internal-transfer" : contact->customer_number;

	switch (contact->state) {
	case CONTACT_OFFERED:
		json_array_append_new(list, lone_connection(label, "Incoming", "invited"));
		break;
	case CONTACT_AGENT_WHISPER:
	case CONTACT_CUSTOMER_WHISPER:
	case CONTACT_DIALLING:
		json_array_append_new(list,
			lone_connection(label, "Connecting", contact_state_name(contact->state)));
		break;
	default:
		break;
	}
	return list;
}

static bool is_agents(const struct contact *contact, uint32_t agent)
{
	return contact_is_live(contact) && contact->state != CONTACT_BRIDGED &&
	       (contact->segment.agent == agent ||
		       (contact->offer && contact->offer_agent == agent));
}

/* The agent's own part, and the others'. */
static json_t *of_party(const struct agent_snapshot *s, const struct contact *contact,
	const struct call *call, unsigned viewer)
{
	const struct party *self = &call->conference.party[viewer];

	return json_pack("{s:s, s:s, s:s, s:b, s:b, s:s?, s:o}", "agent", s->row->row.name,
		"contact", contact->segment.id, "state", agent_state_name(s->state), "on_hold",
		self->state == PARTY_HELD, "muted", self->muted, "transfer_failed",
		call->failed[0] ? call->failed : NULL, "connections", of_conference(call, viewer));
}

json_t *panel_json(const struct switchboard *board, uint32_t agent)
{
	struct agent_snapshot s;
	const struct contact *contact = NULL;
	const struct leg *supervising = supervising_leg(board, agent);

	if (router_agent_snapshot(board->router, agent, &s) < 0 || !s.row)
		return NULL;
	if (supervising)
		return of_party(&s, supervising->contact, supervising->call, supervising->party);
	contact = pool_get(&board->contacts, s.contact.contact);
	if (contact && !is_agents(contact, agent))
		contact = NULL;
	if (contact && sees_call(contact))
		return of_party(&s, contact, contact->call, contact->party);
	return json_pack("{s:s, s:s?, s:s, s:b, s:b, s:n, s:o}", "agent", s.row->row.name,
		"contact", contact ? contact->segment.id : NULL, "state", agent_state_name(s.state),
		"on_hold", 0, "muted", 0, "transfer_failed", "connections",
		contact ? of_contact(contact) : json_array());
}

/* ---- what changed ---- */

static void tell(struct contact *contact)
{
	static const uint8_t key[SIPHASH_KEY_SIZE];
	struct switchboard *board = contact->board;
	uint32_t agent = contact->segment.agent != ROUTER_NONE ? contact->segment.agent
							       : contact->offer_agent;
	json_t *panel = agent == ROUTER_NONE ? NULL : panel_json(board, agent);
	char *text = panel ? json_dumps(panel, JSON_COMPACT) : NULL;
	uint64_t hash = text ? siphash(text, strlen(text), key) : 0, number;

	if (text && hash != contact->panel_hash &&
		events_append(board->events, "panel",
			clock_wall_at(&board->clock, board_now(board)), str_from(text),
			&number) < 0)
		log_error_limited(NULL, "event", 10, "an event of topic panel was lost");
	contact->panel_hash = hash;
	free(text);
	json_decref(panel);
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
