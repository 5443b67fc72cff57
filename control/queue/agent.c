/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/agent.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/check.h"

#define NO_QUEUE UINT32_MAX

/* The state that follows, plus one; 0 says that the event has no place in the state. */
#define TO(state) (AGENT_SLOT_##state + 1)

static const uint8_t transitions[AGENT_SLOT_COUNT][AGENT_EVENT_COUNT] = {
	[AGENT_SLOT_EMPTY] = {[AGENT_OFFER] = TO(OFFERED), [AGENT_DIAL] = TO(CALLING)},
	[AGENT_SLOT_OFFERED] = {[AGENT_ACCEPT] = TO(ACCEPTED),
		[AGENT_REJECT] = TO(MISSED),
		[AGENT_MISS] = TO(MISSED),
		[AGENT_WITHDRAW] = TO(EMPTY),
		[AGENT_FAIL] = TO(ERROR)},
	[AGENT_SLOT_ACCEPTED] = {[AGENT_CONNECT] = TO(CONNECTED),
		[AGENT_WITHDRAW] = TO(EMPTY),
		[AGENT_MISS] = TO(MISSED),
		[AGENT_FAIL] = TO(ERROR),
		[AGENT_DIAL] = TO(CALLING),
		[AGENT_END] = TO(ENDED)},
	[AGENT_SLOT_CALLING] = {[AGENT_CONNECT] = TO(CONNECTED),
		[AGENT_FAIL] = TO(ERROR),
		[AGENT_END] = TO(ENDED)},
	[AGENT_SLOT_CONNECTED] = {[AGENT_HOLD] = TO(ONHOLD), [AGENT_END] = TO(ENDED)},
	[AGENT_SLOT_ONHOLD] = {[AGENT_RESUME] = TO(CONNECTED), [AGENT_END] = TO(ENDED)},
	[AGENT_SLOT_ENDED] = {[AGENT_CLEAR] = TO(EMPTY)},
	[AGENT_SLOT_MISSED] = {[AGENT_CLEAR] = TO(EMPTY)},
	[AGENT_SLOT_ERROR] = {[AGENT_CLEAR] = TO(EMPTY)},
};

static const enum agent_state slot_states[AGENT_SLOT_COUNT] = {
	[AGENT_SLOT_OFFERED] = AGENT_OFFERED,
	[AGENT_SLOT_ACCEPTED] = AGENT_CONNECTING,
	[AGENT_SLOT_CALLING] = AGENT_CALLING,
	[AGENT_SLOT_CONNECTED] = AGENT_BUSY,
	[AGENT_SLOT_ONHOLD] = AGENT_BUSY,
	[AGENT_SLOT_ENDED] = AGENT_AFTER_CONTACT_WORK,
	[AGENT_SLOT_MISSED] = AGENT_MISSED,
	[AGENT_SLOT_ERROR] = AGENT_ERROR,
};

static const enum agent_bar slot_bars[AGENT_SLOT_COUNT] = {
	[AGENT_SLOT_OFFERED] = AGENT_BAR_OFFERED,
	[AGENT_SLOT_ACCEPTED] = AGENT_BAR_CONTACT,
	[AGENT_SLOT_CALLING] = AGENT_BAR_CONTACT,
	[AGENT_SLOT_CONNECTED] = AGENT_BAR_CONTACT,
	[AGENT_SLOT_ONHOLD] = AGENT_BAR_CONTACT,
	[AGENT_SLOT_ENDED] = AGENT_BAR_AFTER_CONTACT,
	[AGENT_SLOT_MISSED] = AGENT_BAR_MISSED,
	[AGENT_SLOT_ERROR] = AGENT_BAR_ERROR,
};

static const char *const state_names[AGENT_STATE_COUNT] = {
	[AGENT_LOGGED_OUT] = "LoggedOut",
	[AGENT_OFFLINE] = "Offline",
	[AGENT_CUSTOM] = "Custom",
	[AGENT_AVAILABLE] = "Available",
	[AGENT_OFFERED] = "Offered",
	[AGENT_CONNECTING] = "Connecting",
	[AGENT_CALLING] = "Calling",
	[AGENT_BUSY] = "Busy",
	[AGENT_AFTER_CONTACT_WORK] = "AfterCallWork",
	[AGENT_MISSED] = "Missed",
	[AGENT_ERROR] = "Error",
};

static const char *const bar_texts[AGENT_BAR_COUNT] = {
	[AGENT_ROUTABLE] = "can be offered a contact",
	[AGENT_BAR_LOGGED_OUT] = "not logged in",
	[AGENT_BAR_PERMISSION] = "the security profile does not allow taking calls",
	[AGENT_BAR_STATUS] = "not in the status Available",
	[AGENT_BAR_PHONE] = "the phone is not registered",
	[AGENT_BAR_OFFERED] = "is being offered a contact",
	[AGENT_BAR_CONTACT] = "on a contact",
	[AGENT_BAR_AFTER_CONTACT] = "in after-contact work",
	[AGENT_BAR_MISSED] = "missed a contact and has not cleared it",
	[AGENT_BAR_ERROR] = "has a failed contact that is not cleared",
	[AGENT_BAR_NEXT_STATUS] = "is about to change status",
	[AGENT_BAR_REMOVED] = "no longer a user of the instance",
};

static const char *const slot_names[AGENT_SLOT_COUNT] = {
	[AGENT_SLOT_EMPTY] = "empty",
	[AGENT_SLOT_OFFERED] = "offered",
	[AGENT_SLOT_ACCEPTED] = "accepted",
	[AGENT_SLOT_CALLING] = "calling",
	[AGENT_SLOT_CONNECTED] = "connected",
	[AGENT_SLOT_ONHOLD] = "on hold",
	[AGENT_SLOT_ENDED] = "ended",
	[AGENT_SLOT_MISSED] = "missed",
	[AGENT_SLOT_ERROR] = "error",
};

static const char *const stream_names[AGENT_SLOT_COUNT] = {
	[AGENT_SLOT_OFFERED] = "CONNECTING",
	[AGENT_SLOT_ACCEPTED] = "CONNECTING",
	[AGENT_SLOT_CALLING] = "CONNECTING",
	[AGENT_SLOT_CONNECTED] = "CONNECTED",
	[AGENT_SLOT_ONHOLD] = "CONNECTED_ONHOLD",
	[AGENT_SLOT_ENDED] = "ENDED",
	[AGENT_SLOT_MISSED] = "MISSED",
	[AGENT_SLOT_ERROR] = "ERROR",
};

/* Keeps the clock of the longest-available order; see the header. */
static void run_clock(struct agent *agent, uint64_t now_ns)
{
	switch (agent_bar(agent)) {
	case AGENT_ROUTABLE:
		if (agent->available_since_ns == 0)
			agent->available_since_ns = now_ns ? now_ns : 1;
		break;
	case AGENT_BAR_OFFERED:
		break;
	default:
		agent->available_since_ns = 0;
	}
}

static void set_status(struct agent *agent, const struct resource_status *status, uint64_t now_ns)
{
	if (agent->status != status)
		agent->status_since_ns = now_ns;
	agent->status = status;
	agent->next = NULL;
	agent->next_since_ns = 0;
}

static void set_phone_ready(struct agent *agent, bool ready)
{
	agent->phone_ready = ready || (agent->row && agent->row->phone_uri[0] != '\0');
}

void agent_init(struct agent *agent, uint32_t number, const struct resource_agent *row,
	const struct resource_status *available, const struct resource_status *offline)
{
	memset(agent, 0, sizeof(*agent));
	agent->number = number;
	agent->row = row;
	agent->available = available;
	agent->offline = offline;
	agent->status = offline;
	agent->contact.queue = NO_QUEUE;
	set_phone_ready(agent, false);
}

enum agent_slot agent_slot_after(enum agent_slot slot, enum agent_event event)
{
	uint8_t to = transitions[slot][event];

	return to ? (enum agent_slot)(to - 1) : AGENT_SLOT_COUNT;
}

/* The only writer of the slot's state. */
static void set_slot(struct agent *agent, enum agent_slot slot, uint64_t now_ns)
{
	struct agent_contact *contact = &agent->contact;

	if (slot == AGENT_SLOT_EMPTY) {
		*contact = (struct agent_contact){.queue = NO_QUEUE};
		contact->state_since_ns = now_ns;
		return;
	}
	contact->state = slot;
	contact->state_since_ns = now_ns;
	if (slot == AGENT_SLOT_CONNECTED && contact->connected_at_ns == 0)
		contact->connected_at_ns = now_ns;
}

int agent_apply(struct agent *agent, enum agent_event event, const struct agent_contact *contact,
	uint64_t now_ns)
{
	enum agent_slot to = agent_slot_after(agent->contact.state, event);

	if (to == AGENT_SLOT_COUNT)
		return -EINVAL;
	if (agent->contact.state == AGENT_SLOT_EMPTY) {
		CHECK(contact != NULL && contact->contact != 0);
		agent->contact.contact = contact->contact;
		agent->contact.queue = contact->queue;
		agent->contact.callback = contact->callback;
		agent->contact.queued_at_ns = contact->queued_at_ns;
	}
	set_slot(agent, to, now_ns);
	run_clock(agent, now_ns);
	return 0;
}

int agent_login(struct agent *agent, const struct resource_status *status, uint64_t now_ns)
{
	if (agent->logged_in)
		return -EALREADY;
	if (agent->removed)
		return -ENOENT;
	agent->logged_in = true;
	agent->login_at_ns = now_ns;
	agent->status = NULL; /* the status is entered by logging in, whatever it was */
	set_status(agent, status ? status : agent->offline, now_ns);
	run_clock(agent, now_ns);
	return 0;
}

int agent_logout(struct agent *agent, uint64_t now_ns)
{
	if (!agent->logged_in)
		return -EALREADY;
	if (agent_is_engaged(agent))
		return -EBUSY;
	if (agent->contact.state != AGENT_SLOT_EMPTY)
		set_slot(agent, AGENT_SLOT_EMPTY, now_ns);
	agent->logged_in = false;
	set_status(agent, agent->offline, now_ns);
	run_clock(agent, now_ns);
	return 0;
}

bool agent_settle(struct agent *agent, uint64_t now_ns)
{
	if (agent->removed)
		return agent_logout(agent, now_ns) == 0;
	if (!agent->next || agent_is_engaged(agent))
		return false;
	if (agent->contact.state != AGENT_SLOT_EMPTY)
		set_slot(agent, AGENT_SLOT_EMPTY, now_ns);
	set_status(agent, agent->next, now_ns);
	run_clock(agent, now_ns);
	return true;
}

/* Choosing Available during a contact cancels what waits; after-contact work goes on (R51). */
static void choose_available(struct agent *agent, uint64_t now_ns)
{
	enum agent_slot slot = agent->contact.state;

	if (slot == AGENT_SLOT_MISSED || slot == AGENT_SLOT_ERROR)
		set_slot(agent, AGENT_SLOT_EMPTY, now_ns);
	set_status(agent, agent->available, now_ns);
}

int agent_choose_status(struct agent *agent, const struct resource_status *status, uint64_t now_ns)
{
	if (!agent->logged_in)
		return -ENOTCONN;
	if (status->type == RESOURCE_STATUS_ROUTABLE) {
		choose_available(agent, now_ns);
	} else if (agent_is_engaged(agent)) {
		if (agent->next != status)
			agent->next_since_ns = now_ns;
		agent->next = status;
	} else {
		if (agent->contact.state != AGENT_SLOT_EMPTY)
			set_slot(agent, AGENT_SLOT_EMPTY, now_ns);
		set_status(agent, status, now_ns);
	}
	run_clock(agent, now_ns);
	return 0;
}

void agent_set_phone(struct agent *agent, bool ready, uint64_t now_ns)
{
	set_phone_ready(agent, ready);
	run_clock(agent, now_ns);
}

/* The status of the same id in new resources, NULL when it is gone. */
static const struct resource_status *same_status(
	const struct resources *resources, const struct resource_status *status)
{
	return status ? resources_status(resources, status->row.id, RESOURCE_BY_ID) : NULL;
}

void agent_rebind(struct agent *agent, const struct resource_agent *row,
	const struct resources *resources, uint64_t now_ns)
{
	const struct resource_status *status = same_status(resources, agent->status);
	const struct resource_status *next = same_status(resources, agent->next);
	bool registered = agent->phone_ready && agent->row && agent->row->phone_uri[0] == '\0';

	agent->available = resources_available(resources);
	agent->offline = resources_offline(resources);
	if (!status)
		agent->status_since_ns = now_ns;
	agent->status = status ? status : agent->offline;
	agent->next_since_ns = next ? agent->next_since_ns : 0;
	agent->next = next;
	agent->row = row;
	agent->removed = row == NULL;
	set_phone_ready(agent, registered);
	run_clock(agent, now_ns);
}

enum agent_state agent_state(const struct agent *agent)
{
	if (!agent->logged_in)
		return AGENT_LOGGED_OUT;
	if (agent->contact.state != AGENT_SLOT_EMPTY)
		return slot_states[agent->contact.state];
	switch (agent->status->type) {
	case RESOURCE_STATUS_ROUTABLE:
		return AGENT_AVAILABLE;
	case RESOURCE_STATUS_CUSTOM:
		return AGENT_CUSTOM;
	default:
		return AGENT_OFFLINE;
	}
}

enum agent_bar agent_bar(const struct agent *agent)
{
	if (agent->removed)
		return AGENT_BAR_REMOVED;
	if (!agent->logged_in)
		return AGENT_BAR_LOGGED_OUT;
	if (!resource_agent_may_take_calls(agent->row))
		return AGENT_BAR_PERMISSION;
	if (agent->contact.state != AGENT_SLOT_EMPTY)
		return slot_bars[agent->contact.state];
	if (agent->status->type != RESOURCE_STATUS_ROUTABLE)
		return AGENT_BAR_STATUS;
	if (agent->next)
		return AGENT_BAR_NEXT_STATUS;
	return agent->phone_ready ? AGENT_ROUTABLE : AGENT_BAR_PHONE;
}

bool agent_is_engaged(const struct agent *agent)
{
	switch (agent->contact.state) {
	case AGENT_SLOT_OFFERED:
	case AGENT_SLOT_ACCEPTED:
	case AGENT_SLOT_CALLING:
	case AGENT_SLOT_CONNECTED:
	case AGENT_SLOT_ONHOLD:
		return true;
	default:
		return false;
	}
}

void agent_take_snapshot(const struct agent *agent, struct agent_snapshot *snapshot)
{
	*snapshot = (struct agent_snapshot){
		.agent = agent->number,
		.row = agent->row,
		.status = agent->status,
		.next = agent->next,
		.status_since_ns = agent->status_since_ns,
		.next_since_ns = agent->next_since_ns,
		.login_at_ns = agent->login_at_ns,
		.logged_in = agent->logged_in,
		.phone_ready = agent->phone_ready,
		.state = agent_state(agent),
		.bar = agent_bar(agent),
		.contact = agent->contact,
	};
}

const char *agent_state_name(enum agent_state state)
{
	return state < AGENT_STATE_COUNT ? state_names[state] : "?";
}

const char *agent_bar_text(enum agent_bar bar)
{
	return bar < AGENT_BAR_COUNT ? bar_texts[bar] : "?";
}

const char *agent_slot_name(enum agent_slot slot)
{
	return slot < AGENT_SLOT_COUNT ? slot_names[slot] : "?";
}

const char *agent_contact_state_name(const struct agent_contact *contact)
{
	if (contact->callback && contact->state == AGENT_SLOT_OFFERED)
		return "INCOMING";
	if (contact->callback && contact->state == AGENT_SLOT_ACCEPTED)
		return "PENDING";
	return stream_names[contact->state];
}
