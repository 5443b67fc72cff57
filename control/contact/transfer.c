/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent's transfer to an agent or a queue: a contact of its own in the same call, chained to the
 * agent's (R20). Its flow is heard by the agent who transfers, the source: the contact's caller until
 * the source leaves; then by the customer, from where it is (R124).
 *
 *   FLOW --Transfer to agent--> OFFERED (the source hears it ring) --+
 *     |                                                              +--> whispers --> TALKING
 *     +---Transfer to queue---> QUEUED (queue flow) <--> OFFERED ----+
 *
 * When it does not come about only it ends, and the source is told why (R22).
 *
 * A blind transfer is the same with the source leaving at the moment of success (R123): the contact
 * is in the queue, the agent or the number rings. A failure leaves everything as it was (R122).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "contact/switchboard.h"

bool transfer_is_one(const struct contact *contact)
{
	return contact->caller && contact->caller->contact != contact;
}

/* ---- the beginning ---- */

static struct contact *make(struct contact *cause, unsigned party, uint64_t now_ns)
{
	static const enum flow_hook kept[] = {
		FLOW_HOOK_CUSTOMER_HOLD, FLOW_HOOK_AGENT_HOLD, FLOW_HOOK_CUSTOMER_REMAINING};
	struct contact *contact =
		board_contact_schedule(cause->board, CONTACT_METHOD_TRANSFER, now_ns);

	if (!contact)
		return NULL;
	contact_follow(contact, cause, now_ns);
	contact_inherit(contact, cause);
	/* set anew for each segment with an agent (flows/language.md 7.6) */
	memset(&contact->data.recording, 0, sizeof(contact->data.recording));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		contact_inherit_hook(contact, cause, kept[i]);
	memcpy(contact->customer_number, cause->customer_number, sizeof(contact->customer_number));
	memcpy(contact->system_number, cause->system_number, sizeof(contact->system_number));
	contact->customer_queue = cause->customer_queue;
	contact->disconnect_flow_ran = cause->disconnect_flow_ran; /* R63 */
	contact->priority = 0;
	call_join(cause->call, contact);
	contact->party = (uint8_t)party;
	contact->caller = cause->agent;
	contact->segment.connected = now_ns;
	return contact;
}

static enum flow_type aim(
	struct contact *contact, const struct resource_quick_connect *quick_connect)
{
	const struct router *router = contact->board->router;

	if (quick_connect->type == RESOURCE_QUICK_CONNECT_QUEUE) {
		contact->target_queue = router_queue_of(router, quick_connect->queue);
		return FLOW_TYPE_QUEUE_TRANSFER;
	}
	contact->transfer_agent = router_agent_of(router, quick_connect->agent);
	contact->target_queue = router_agent_queue(router, contact->transfer_agent);
	return FLOW_TYPE_AGENT_TRANSFER;
}

int transfer_start(struct contact *cause, const struct resource_quick_connect *quick_connect,
	unsigned party, uint64_t now_ns)
{
	struct flow *flow = instance_flow(cause->board->instance, quick_connect->flow);
	struct contact *contact = flow ? make(cause, party, now_ns) : NULL;
	enum flow_type type;

	if (!contact)
		return flow ? -ENOSPC : -ENOENT;
	contact->quick_connect = strdup(quick_connect->row.name);
	type = aim(contact, quick_connect);
	log_info(LOG_CALL(contact->segment.id, 0), "contact",
		"transfer by quick connect '%s' from %s", quick_connect->row.name,
		cause->segment.id);
	contact_set_state(contact, CONTACT_FLOW, now_ns);
	contact_event(contact, "INITIATED", now_ns);
	contact_event(contact, "CONNECTED_TO_SYSTEM", now_ns);
	contact_record_put(contact, &contact->segment, false, now_ns);
	call_show(cause->call);
	treatment_start(contact->caller->treatment, contact, flow, type, now_ns);
	return 0;
}

/* ---- Transfer to agent ---- */

void transfer_to_agent(struct contact *contact, uint64_t now_ns)
{
	if (contact->state != CONTACT_FLOW || contact->transfer_agent == ROUTER_NONE) {
		board_end_contact(contact, CONTACT_REASON_CONTACT_FLOW_DISCONNECT, now_ns);
		return;
	}
	router_offer_agent(contact->board->router, 0, contact->id, contact->transfer_agent,
		contact->customer_queue, now_ns);
}

void transfer_offered(struct contact *contact, const struct router_effect *answer, uint64_t now_ns)
{
	if (answer->result == ROUTER_OK) {
		treatment_ringback(contact->caller->treatment); /* R25 */
		hearing_apply(contact->call);
		return;
	}
	transfer_failed(contact, "%s: %s",
		board_agent_name(contact->board, contact->transfer_agent),
		answer->result == ROUTER_AGENT_BARRED ? agent_bar_text(answer->bar)
						      : "cannot be offered the contact");
	board_customer_remains(contact, CONTACT_REASON_CONTACT_FLOW_DISCONNECT, now_ns);
}

/* ---- when it fails ---- */

void call_fails(struct call *call, const char *format, ...)
{
	va_list args;
	char why[CALL_WHY_SIZE];

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	free(call->failed);
	call->failed = str_dup(str_from(why));
}

void call_fails_not(struct call *call)
{
	free(call->failed);
	call->failed = NULL;
}

void transfer_failed(struct contact *contact, const char *format, ...)
{
	va_list args;
	char why[CALL_WHY_SIZE];

	if (!contact->call || !transfer_is_one(contact) || contact->call->failed)
		return;
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	call_fails(contact->call, "%s", why);
	log_info(LOG_CALL(contact->segment.id, 0), "contact", "the transfer fails: %s", why);
}

/* ---- blind ---- */

static void answer(const struct blind *blind, int error, const char *why)
{
	if (blind->done)
		blind->done(blind->ctx, error, why);
}

void transfer_rings(struct call *call, unsigned party, uint64_t now_ns)
{
	struct conference next = call->conference;
	char why[CONFERENCE_WHY_SIZE] = "";
	struct blind blind = call->blind;
	int rc = 0;

	if (!blind.on || blind.party != party)
		return;
	call->blind = (struct blind){0};
	call_fails_not(call); /* a full queue, say, after which its flow found another */
	if (blind.source != CONFERENCE_NOBODY)
		rc = conference_do(&next, blind.source, CONFERENCE_LEAVE, CONFERENCE_NOBODY, why);
	if (rc == 0 && blind.source != CONFERENCE_NOBODY)
		call_change(call, &next, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
	answer(&blind, rc, why);
}

/* R122: the customer is with the source as before. */
static void resume(struct call *call, const struct blind *blind, uint64_t now_ns)
{
	struct conference next = call->conference;
	unsigned customer = conference_customer(&next);
	char why[CONFERENCE_WHY_SIZE];

	if (!blind->was_held && customer != CONFERENCE_NOBODY &&
		blind->source != CONFERENCE_NOBODY &&
		conference_do(&next, blind->source, CONFERENCE_RESUME, customer, why) == 0)
		call_change(call, &next, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
}

void transfer_blind_follow(struct call *call, uint64_t now_ns)
{
	const struct party *party = call->conference.party;
	struct blind *blind = &call->blind, over;
	const char *why;

	if (!blind->on)
		return;
	if (blind->source != CONFERENCE_NOBODY && party[blind->source].state == PARTY_ABSENT)
		blind->source = CONFERENCE_NOBODY;
	if (blind->party == CONFERENCE_NOBODY || party[blind->party].state != PARTY_ABSENT)
		return;
	over = *blind;
	*blind = (struct blind){0};
	resume(call, &over, now_ns);
	why = call->failed ? call->failed : "the transfer was ended";
	if (conference_customer(&call->conference) == CONFERENCE_NOBODY)
		why = "the customer has left";
	answer(&over, -ECANCELED, why);
}

void transfer_blind_ends(struct call *call)
{
	struct blind blind = call->blind;

	call->blind = (struct blind){0};
	if (blind.on)
		answer(&blind, -ECANCELED, call->failed ? call->failed : "the call has ended");
}
