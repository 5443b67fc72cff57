/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flow connects the customer to an outside number (Transfer to phone number, R69 to R76).
 *
 *   start --parked, when the customer waits in a queue--> called --answered--> digits --out--> BRIDGED
 *                                                            |
 *                                       refused, busy, late, no number: the flow's branch
 *
 * Until the number is joined the customer stays where the flow is and hears our ringback, or what
 * the far end plays before it answers; with digits to send nothing of the far end (R75). A waiting
 * customer keeps the place in the queue and is offered to nobody; without resume the place is given
 * up when the number answers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contact/switchboard.h"

#define DIGIT_PAUSE_MS 750 /* of a comma, as in the flow language */

/* ---- the flow's answer ---- */

static void answer_flow(struct contact *contact, enum flow_result result, uint64_t now_ns)
{
	struct flow_event answer = {
		.type = FLOW_EVENT_ANSWER, .id = contact->third->answer, .result = result};

	contact->third->answer = 0;
	if (contact->caller && answer.id)
		treatment_answer(contact->caller->treatment, &answer, now_ns);
}

static void drop_leg(struct contact *contact)
{
	struct third_party *third = contact->third;

	timers_cancel(contact->board->timers, &third->timer);
	third->ringing = third->early = false;
	if (third->leg)
		board_leg_close(third->leg, 0, "");
}

/* The customer is the flow's again, in the queue if it was in one. */
static void give_back(struct contact *contact, enum flow_result result, uint64_t now_ns)
{
	drop_leg(contact);
	if (contact->caller)
		treatment_hush(contact->caller->treatment);
	if (contact->state == CONTACT_BRIDGED)
		contact_set_state(contact, contact->third->back, now_ns);
	if (contact->third->back == CONTACT_QUEUED)
		router_unpark(contact->board->router, 0, contact->id, now_ns);
	hearing_apply(contact->call);
	answer_flow(contact, result, now_ns);
}

/* R72: the branch of a call that was not answered, by its cause. */
static enum flow_result result_of_status(unsigned status)
{
	switch (status) {
	case 404:
	case 410:
	case 484:
	case 485:
	case 604: /* no such number */
		return FLOW_RESULT_ERROR;
	default:
		return FLOW_RESULT_CALL_FAILED;
	}
}

static enum flow_result result_of_error(int error)
{
	/* the number plan does not let it be dialled, or knows no way */
	return error == -EACCES || error == -ENOENT ? FLOW_RESULT_ERROR : FLOW_RESULT_CALL_FAILED;
}

/* ---- calling ---- */

static void call(struct contact *contact, uint64_t now_ns)
{
	struct third_party *third = contact->third;
	int rc = -ENOSPC;

	third->leg = board_leg_open(contact, LEG_THIRD_PARTY, ROUTER_NONE);
	if (third->leg)
		rc = board_leg_dial(third->leg, third->number,
			&(struct board_caller_id){third->caller_number, third->caller_name},
			now_ns);
	log_info(LOG_CALL(contact->segment.id, third->leg ? third->leg->id : 0), "contact",
		"the flow calls %s%s%s", third->number, rc < 0 ? ": " : "",
		rc < 0 ? strerror(-rc) : "");
	if (rc < 0)
		give_back(contact, result_of_error(rc), now_ns);
	else
		timers_set(contact->board->timers, &third->timer, now_ns + third->limit_ns);
}

/* Due at once: the call is to be made. Else: the time to answer is over. */
static void on_timer(void *ctx, uint64_t now_ns)
{
	struct contact *contact = ctx;

	if (!contact->third->leg) {
		call(contact, now_ns);
		return;
	}
	log_info(LOG_CALL(contact->segment.id, contact->third->leg->id), "contact",
		"%s did not answer in time", contact->third->number);
	give_back(contact, FLOW_RESULT_TIMEOUT, now_ns);
}

/* What there is of an earlier number is used again. False without memory. */
static bool make(struct contact *contact)
{
	if (contact->third)
		return true;
	contact->third = calloc(1, sizeof(*contact->third));
	if (!contact->third)
		return false;
	timer_init(&contact->third->timer, on_timer, contact);
	return true;
}

static void take_parameters(struct contact *contact, const struct flow_effect *effect)
{
	struct third_party *third = contact->third;
	const char *number = effect->third_party.caller_number;
	const char *name = effect->third_party.caller_name;

	third->answer = effect->id;
	third->resume = effect->third_party.resume;
	third->limit_ns = effect->third_party.timeout_s * CLOCK_S;
	contact_text(third->number, sizeof(third->number), effect->third_party.number);
	contact_text(third->digits, sizeof(third->digits), effect->third_party.digits);
	/* without one of the flow's own the customer's is passed on */
	contact_text(third->caller_number, sizeof(third->caller_number),
		*number ? number : contact->customer_number);
	contact_text(third->caller_name, sizeof(third->caller_name),
		*name || *number ? name : contact_customer_name(contact));
}

bool third_party_start(struct leg *customer, const struct flow_effect *effect, uint64_t now_ns)
{
	struct contact *contact = customer->contact;
	bool queued = contact->state == CONTACT_QUEUED || contact->state == CONTACT_OFFERED;

	if (customer->role != LEG_CUSTOMER ||
		(contact->third && (contact->third->leg || contact->third->answer)) ||
		!(queued || contact->state == CONTACT_FLOW) || !make(contact))
		return false;
	take_parameters(contact, effect);
	contact->third->back = queued ? CONTACT_QUEUED : CONTACT_FLOW;
	/* not now: the effects of this step of the flow are still being carried out */
	if (queued)
		router_park(contact->board->router, 0, contact->id, now_ns);
	else
		timers_set(contact->board->timers, &contact->third->timer, now_ns);
	return true;
}

void third_party_parked(struct contact *contact, enum router_result result, uint64_t now_ns)
{
	if (!contact->third || !contact->third->answer)
		return;
	if (result == ROUTER_OK)
		call(contact, now_ns);
	else /* just being offered to an agent */
		answer_flow(contact, FLOW_RESULT_ERROR, now_ns);
}

/* ---- before the answer ---- */

void third_party_progress(struct leg *leg, const struct sdp_stream *media)
{
	struct contact *contact = leg->contact;
	struct treatment *customer = contact->caller ? contact->caller->treatment : NULL;

	if (!customer || contact->third->early)
		return;
	if (media && !contact->third->digits[0]) {
		board_leg_media(leg, media);
		contact->third->early = true;
		treatment_hush(customer);
	} else if (!contact->third->ringing) {
		contact->third->ringing = true;
		treatment_ringback(customer);
	}
	hearing_apply(contact->call);
}

bool third_party_is_heard(const struct contact *contact)
{
	return contact->third && contact->third->early;
}

/* ---- answered ---- */

static void join(struct contact *contact, uint64_t now_ns)
{
	struct third_party *third = contact->third;

	contact->segment.transferred = now_ns;
	contact_text(contact->segment.transferred_to, sizeof(contact->segment.transferred_to),
		third->number);
	contact_set_state(contact, CONTACT_BRIDGED, now_ns);
	treatment_hush(contact->caller->treatment);
	treatment_hush(third->leg->treatment);
	hearing_apply(contact->call);
	if (third->resume)
		return;
	if (third->back == CONTACT_QUEUED) {
		contact->segment.dequeued = now_ns;
		router_remove(contact->board->router, 0, contact->id, QUEUE_LEFT_BY_FLOW, now_ns);
	}
	answer_flow(contact, FLOW_RESULT_OK, now_ns);
}

void third_party_answered(struct leg *leg, uint64_t now_ns)
{
	struct contact *contact = leg->contact;
	struct third_party *third = contact->third;
	size_t n = strlen(third->digits);
	int rc = 0;

	timers_cancel(contact->board->timers, &third->timer);
	treatment_hush(contact->caller->treatment);
	if (n) {
		rc = media_leg_send_digits(leg->media, third->digits, n, 0, 0, DIGIT_PAUSE_MS);
		if (rc == -ENOTSUP) /* no telephone-events: as tones */
			rc = treatment_digits(leg->treatment, third->digits, DIGIT_PAUSE_MS);
		hearing_apply(contact->call);
	}
	if (rc < 0)
		third_party_digits_sent(leg, rc, now_ns);
	else if (!n)
		join(contact, now_ns);
}

/* R75: only now the customer and the far end hear each other. */
void third_party_digits_sent(struct leg *leg, int error, uint64_t now_ns)
{
	struct contact *contact = leg->contact;

	if (contact->state == CONTACT_BRIDGED || !leg->up)
		return;
	if (error < 0)
		log_warning(LOG_CALL(contact->segment.id, leg->id), "contact",
			"the digits could not all be sent: %s", strerror(-error));
	join(contact, now_ns);
}

/* ---- the end ---- */

void third_party_down(struct leg *leg, const struct sip_end *end, uint64_t now_ns)
{
	struct contact *contact = leg->contact;

	log_info(LOG_CALL(contact->segment.id, leg->id), "contact", "%s %s (%u)",
		contact->third->number, leg->up ? "has hung up" : "did not take the call",
		end->status);
	if (!leg->up) {
		give_back(contact, result_of_status(end->status), now_ns);
	} else if (contact->state != CONTACT_BRIDGED || contact->third->resume) {
		give_back(contact, FLOW_RESULT_ENDED, now_ns);
	} else {
		drop_leg(contact);
		board_customer_remains(contact, CONTACT_REASON_THIRD_PARTY_DISCONNECT, now_ns);
	}
}

void third_party_close(struct contact *contact)
{
	if (!contact->third)
		return;
	contact->third->answer = 0;
	drop_leg(contact);
}

void third_party_forget(struct contact *contact)
{
	if (contact->third)
		timers_cancel(contact->board->timers, &contact->third->timer);
	free(contact->third);
	contact->third = NULL;
}
