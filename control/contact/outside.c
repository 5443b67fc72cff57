/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outside numbers that an agent calls: external quick connects and the number pad (R41 to R44). No
 * flow and no whisper runs; the caller id is the queue's.
 *
 *   added, called --180: the source hears our ringback, or what the far end plays--> answered: CONNECTED
 *                 --busy, late, no way: the party has failed, the source is told why (R22)
 *
 * At most one is on the way in a call.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "contact/switchboard.h"

static void quiet(struct leg *leg)
{
	timers_cancel(leg->call->board->timers, &leg->timer);
	leg->call->early = leg->call->ringing = false;
}

static void fails(struct leg *leg, const char *why, uint64_t now_ns)
{
	call_fails(leg->call, "%s: %s", leg->number, why);
	call_happens(leg->call, leg->party, CONFERENCE_FAILED,
		CONTACT_REASON_THIRD_PARTY_DISCONNECT, now_ns);
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	fails(ctx, "no answer", now_ns);
}

/* ---- calling ---- */

/* R43: the caller id is that of the contact's queue, else of the agent's outbound queue. */
static const struct resource_queue *queue_of(const struct contact *contact)
{
	const struct router *router = contact->board->router;
	const struct resource_queue *queue = router_queue_row(router, contact->segment.queue);
	const struct resource_agent *agent = router_agent_row(router, contact->segment.agent);

	if (!queue)
		queue = router_queue_row(router, contact->customer_queue);
	if (!queue && agent)
		queue = agent->routing_profile->default_outbound_queue;
	return queue;
}

int outside_call(struct contact *contact, unsigned party, const char *number, uint64_t now_ns)
{
	const struct resource_queue *queue = queue_of(contact);
	struct board_caller_id id = {
		queue ? queue->caller_id_number : "", queue ? queue->caller_id_name : ""};
	struct leg *leg =
		board_leg_open(call_customers_contact(contact->call), LEG_THIRD_PARTY, ROUTER_NONE);
	int rc;

	if (!leg)
		return -ENOSPC;
	leg->party = (uint8_t)party;
	contact_text(leg->number, sizeof(leg->number), number);
	rc = board_leg_dial(leg, number, &id, now_ns);
	if (rc < 0) {
		board_leg_close(leg, 0, "");
		return rc;
	}
	log_info(LOG_CALL(contact->segment.id, leg->id), "contact", "the agent calls %s", number);
	timer_init(&leg->timer, on_timer, leg);
	timers_set(contact->board->timers, &leg->timer, now_ns + contact->board->config->dial_ns);
	return 0;
}

static struct leg *source_of(const struct leg *leg)
{
	return call_leg(leg->call, leg->call->conference.party[leg->party].source);
}

void outside_progress(struct leg *leg, const struct sdp_stream *media, uint64_t now_ns)
{
	struct call *call = leg->call;
	struct leg *source = source_of(leg);

	if (!source || call->early)
		return;
	if (media) {
		board_leg_media(leg, media);
		call->early = true;
		treatment_hush(source->treatment);
	} else if (!call->ringing) {
		treatment_ringback(source->treatment);
	}
	call->ringing = true;
	hearing_apply(call);
	transfer_rings(call, leg->party, now_ns);
}

void outside_answered(struct leg *leg, uint64_t now_ns)
{
	struct call *call = leg->call;
	struct leg *source = source_of(leg);
	struct contact *contact = call_customers_contact(call);
	unsigned party = leg->party;

	quiet(leg);
	if (contact->state == CONTACT_BRIDGED) /* its agent has left while it rang */
		outside_remains(contact, now_ns);
	if (source)
		treatment_hush(source->treatment);
	call_happens(
		call, party, CONFERENCE_ANSWERED, CONTACT_REASON_THIRD_PARTY_DISCONNECT, now_ns);
	transfer_rings(call, party, now_ns);
}

/* ---- the end ---- */

static const char *why_of(const struct sip_end *end)
{
	switch (end->status) {
	case 404:
	case 410:
	case 484:
	case 604:
		return "no such number";
	case 408:
	case 480:
	case 487:
		return "no answer";
	case 486:
	case 600:
		return "busy";
	case 403:
	case 603:
		return "refused";
	default:
		return "not reached";
	}
}

void outside_down(struct leg *leg, const struct sip_end *end, uint64_t now_ns)
{
	struct party *party = &leg->call->conference.party[leg->party];

	if (party_is_pending(party))
		fails(leg, why_of(end), now_ns);
	else
		call_happens(leg->call, leg->party, CONFERENCE_GONE,
			CONTACT_REASON_THIRD_PARTY_DISCONNECT, now_ns);
}

void outside_close(struct leg *leg)
{
	if (!leg->up && leg->role == LEG_THIRD_PARTY)
		quiet(leg);
	board_leg_close(leg, 0, "");
}

void outside_remains(struct contact *contact, uint64_t now_ns)
{
	const struct call *call = contact->call;

	for (unsigned i = 0; i < call->n_legs; i++)
		if (call->legs[i]->role == LEG_THIRD_PARTY && call->legs[i]->up) {
			contact->segment.transferred = now_ns;
			contact_text(contact->segment.transferred_to,
				sizeof(contact->segment.transferred_to), call->legs[i]->number);
		}
}
