/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/check.h"
#include "sip/transaction_private.h"

enum action {
	GO = 1 << 0,     /* the transition exists */
	TELL = 1 << 1,   /* hand the response up */
	SEND = 1 << 2,   /* the stored message */
	ACK = 1 << 3,    /* build and send the ACK of a final response other than 2xx */
	ACCEPT = 1 << 4, /* the stored ACK again, or hand the 2xx up */
	FAIL = 1 << 5,
	UNACKNOWLEDGED = 1 << 6, /* when it is so */
};

struct transition {
	uint8_t next;
	uint8_t actions;
};
#define S(state) SIP_TRANSACTION_##state
static const struct transition transitions[KINDS][SIP_TRANSACTION_STATES][EVENTS] = {
	[CLIENT_INVITE][S(CALLING)][EV_1XX] = {S(PROCEEDING), GO | TELL},
	[CLIENT_INVITE][S(CALLING)][EV_2XX] = {S(ACCEPTED), GO | ACCEPT},
	[CLIENT_INVITE][S(CALLING)][EV_FINAL] = {S(COMPLETED), GO | ACK | TELL},
	[CLIENT_INVITE][S(CALLING)][EV_AGAIN] = {S(CALLING), GO | SEND},
	[CLIENT_INVITE][S(CALLING)][EV_END] = {S(TERMINATED), GO | FAIL},
	[CLIENT_INVITE][S(CALLING)][EV_ERROR] = {S(TERMINATED), GO | FAIL},
	[CLIENT_INVITE][S(PROCEEDING)][EV_1XX] = {S(PROCEEDING), GO | TELL},
	[CLIENT_INVITE][S(PROCEEDING)][EV_2XX] = {S(ACCEPTED), GO | ACCEPT},
	[CLIENT_INVITE][S(PROCEEDING)][EV_FINAL] = {S(COMPLETED), GO | ACK | TELL},
	[CLIENT_INVITE][S(PROCEEDING)][EV_END] = {S(TERMINATED), GO | FAIL},
	[CLIENT_INVITE][S(COMPLETED)][EV_FINAL] = {S(COMPLETED), GO | SEND},
	[CLIENT_INVITE][S(COMPLETED)][EV_ERROR] = {S(TERMINATED), GO},
	[CLIENT_INVITE][S(COMPLETED)][EV_END] = {S(TERMINATED), GO},
	[CLIENT_INVITE][S(ACCEPTED)][EV_2XX] = {S(ACCEPTED), GO | ACCEPT},
	[CLIENT_INVITE][S(ACCEPTED)][EV_END] = {S(TERMINATED), GO},

	[CLIENT_OTHER][S(TRYING)][EV_1XX] = {S(PROCEEDING), GO | TELL},
	[CLIENT_OTHER][S(TRYING)][EV_FINAL] = {S(COMPLETED), GO | TELL},
	[CLIENT_OTHER][S(TRYING)][EV_AGAIN] = {S(TRYING), GO | SEND},
	[CLIENT_OTHER][S(TRYING)][EV_END] = {S(TERMINATED), GO | FAIL},
	[CLIENT_OTHER][S(TRYING)][EV_ERROR] = {S(TERMINATED), GO | FAIL},
	[CLIENT_OTHER][S(PROCEEDING)][EV_1XX] = {S(PROCEEDING), GO | TELL},
	[CLIENT_OTHER][S(PROCEEDING)][EV_FINAL] = {S(COMPLETED), GO | TELL},
	[CLIENT_OTHER][S(PROCEEDING)][EV_AGAIN] = {S(PROCEEDING), GO | SEND},
	[CLIENT_OTHER][S(PROCEEDING)][EV_END] = {S(TERMINATED), GO | FAIL},
	[CLIENT_OTHER][S(PROCEEDING)][EV_ERROR] = {S(TERMINATED), GO | FAIL},
	[CLIENT_OTHER][S(COMPLETED)][EV_END] = {S(TERMINATED), GO},

	[SERVER_INVITE][S(PROCEEDING)][EV_1XX] = {S(PROCEEDING), GO | SEND},
	[SERVER_INVITE][S(PROCEEDING)][EV_2XX] = {S(ACCEPTED), GO | SEND},
	[SERVER_INVITE][S(PROCEEDING)][EV_FINAL] = {S(COMPLETED), GO | SEND},
	[SERVER_INVITE][S(PROCEEDING)][EV_REPEAT] = {S(PROCEEDING), GO | SEND},
	[SERVER_INVITE][S(COMPLETED)][EV_REPEAT] = {S(COMPLETED), GO | SEND},
	[SERVER_INVITE][S(COMPLETED)][EV_AGAIN] = {S(COMPLETED), GO | SEND},
	[SERVER_INVITE][S(COMPLETED)][EV_ACK] = {S(CONFIRMED), GO},
	[SERVER_INVITE][S(COMPLETED)][EV_END] = {S(TERMINATED), GO},
	[SERVER_INVITE][S(CONFIRMED)][EV_END] = {S(TERMINATED), GO},
	[SERVER_INVITE][S(ACCEPTED)][EV_AGAIN] = {S(ACCEPTED), GO | SEND},
	[SERVER_INVITE][S(ACCEPTED)][EV_END] = {S(TERMINATED), GO | UNACKNOWLEDGED},

	[SERVER_OTHER][S(TRYING)][EV_1XX] = {S(PROCEEDING), GO | SEND},
	[SERVER_OTHER][S(TRYING)][EV_FINAL] = {S(COMPLETED), GO | SEND},
	[SERVER_OTHER][S(PROCEEDING)][EV_1XX] = {S(PROCEEDING), GO | SEND},
	[SERVER_OTHER][S(PROCEEDING)][EV_FINAL] = {S(COMPLETED), GO | SEND},
	[SERVER_OTHER][S(PROCEEDING)][EV_REPEAT] = {S(PROCEEDING), GO | SEND},
	[SERVER_OTHER][S(COMPLETED)][EV_REPEAT] = {S(COMPLETED), GO | SEND},
	[SERVER_OTHER][S(COMPLETED)][EV_END] = {S(TERMINATED), GO},
};
#undef S

const char *sip_transaction_state_name(enum sip_transaction_state state)
{
	static const char *const names[] = {"calling", "trying", "proceeding", "completed",
		"confirmed", "accepted", "terminated"};

	return state < SIP_TRANSACTION_STATES ? names[state] : "?";
}

static void set_in(struct transaction *t, struct timer *timer, uint64_t delay_ns)
{
	timers_set_in(t->layer->config.timers, timer, delay_ns);
}

static void start_again(struct transaction *t, uint64_t interval_ns)
{
	t->interval_ns = interval_ns;
	set_in(t, &t->again, interval_ns);
}

/* Timers of a state, by kind: the letters of RFC 3261 table 4 and RFC 6026. */
void transaction_enter(struct transaction *t, enum sip_transaction_state state)
{
	const struct sip_timing *timing = &t->layer->config.timing;
	bool reliable = sip_hop_reliable(&t->hop);
	uint64_t long_ns = 64 * timing->t1_ns;

	t->state = (uint8_t)state;
	t->send_failed = false;
	timers_cancel(t->layer->config.timers, &t->again);
	switch (state) {
	case SIP_TRANSACTION_CALLING:
	case SIP_TRANSACTION_TRYING:
		if (!transaction_is_client(t))
			break;
		if (!reliable)
			start_again(t, timing->t1_ns); /* A, E */
		set_in(t, &t->end, long_ns);           /* B, F */
		break;
	case SIP_TRANSACTION_PROCEEDING:
		if (t->kind == CLIENT_INVITE)
			timers_cancel(t->layer->config.timers, &t->end);
		if (t->kind == CLIENT_OTHER && !reliable)
			start_again(t, timing->t2_ns); /* E */
		break;
	case SIP_TRANSACTION_COMPLETED:
		if (t->kind == SERVER_INVITE) {
			if (!reliable)
				start_again(t, timing->t1_ns); /* G */
			set_in(t, &t->end, long_ns);           /* H */
		} else if (t->kind == CLIENT_OTHER) {
			set_in(t, &t->end, reliable ? 0 : timing->t4_ns); /* K */
		} else {
			set_in(t, &t->end, reliable ? 0 : long_ns); /* D, J */
		}
		break;
	case SIP_TRANSACTION_CONFIRMED:
		set_in(t, &t->end, reliable ? 0 : timing->t4_ns); /* I */
		break;
	case SIP_TRANSACTION_ACCEPTED:
		if (t->kind == SERVER_INVITE)
			start_again(t, timing->t1_ns);
		set_in(t, &t->end, long_ns); /* L, M */
		break;
	case SIP_TRANSACTION_TERMINATED:
	case SIP_TRANSACTION_STATES:
		break;
	}
}

static void set_state(struct transaction *t, enum sip_transaction_state state)
{
	if (t->state != state)
		transaction_enter(t, state);
}

static void respond_delayed(struct transaction *t)
{
	unsigned status = t->delayed_status;
	bool other = t->kind == SERVER_OTHER;

	t->delayed_status = 0;
	transaction_run(t, status < 300 && !other ? EV_2XX : EV_FINAL, NULL, NULL,
		timers_now(t->layer->config.timers));
}

static void on_again(void *ctx, uint64_t now_ns)
{
	struct transaction *t = ctx;
	const struct sip_timing *timing = &t->layer->config.timing;
	bool capped = t->kind != CLIENT_INVITE;

	if (t->delayed_status) {
		respond_delayed(t);
		return;
	}
	t->interval_ns *= 2;
	if (capped && t->interval_ns > timing->t2_ns)
		t->interval_ns = timing->t2_ns;
	set_in(t, &t->again, t->interval_ns);
	t->layer->stats.repeats_sent++;
	transaction_run(t, EV_AGAIN, NULL, NULL, now_ns);
}

static void on_end(void *ctx, uint64_t now_ns)
{
	struct transaction *t = ctx;

	transaction_run(t, t->send_failed ? EV_ERROR : EV_END, NULL, NULL, now_ns);
}

void transaction_timers_init(struct transaction *t)
{
	timer_init(&t->again, on_again, t);
	timer_init(&t->end, on_end, t);
}

/* A 2xx: known fork, its ACK again; else the user's. */
static bool is_acknowledged_fork(struct transaction *t, const struct sip_message *response)
{
	uint8_t key[TRANSACTION_KEY_SIZE];

	CHECK(response != NULL);
	if (!t->ack)
		return false;
	transaction_hash(t->layer, 't', &response->to_tag, 1, key);
	return memcmp(key, t->ack_tag, TRANSACTION_KEY_SIZE) == 0;
}

static void tell_response(struct transaction *t, const struct sip_message *message,
	const struct sip_hop *source, uint64_t now_ns)
{
	if (t->handler)
		t->handler->response(t->ctx, t->tag, t->id, message, source, now_ns);
}

static void tell_end(
	struct transaction *t, unsigned actions, enum transaction_event event, uint64_t now_ns)
{
	struct sip_transactions *layer = t->layer;

	if (actions & FAIL) {
		if (event == EV_END)
			layer->stats.timeouts++;
		if (t->handler)
			t->handler->failed(t->ctx, t->tag, t->id,
				event == EV_ERROR ? SIP_FAILURE_TRANSPORT : SIP_FAILURE_TIMEOUT,
				now_ns);
	}
	if ((actions & UNACKNOWLEDGED) && !t->acknowledged)
		layer->config.server->unacknowledged(layer->config.ctx, t->tag, t->id, now_ns);
}

void transaction_run(struct transaction *t, enum transaction_event event,
	const struct sip_message *message, const struct sip_hop *source, uint64_t now_ns)
{
	struct sip_transactions *layer = t->layer;
	const struct transition *go = &transitions[t->kind][t->state][event];
	uint64_t id = t->id;

	if (!(go->actions & GO))
		return;
	set_state(t, go->next);
	if (go->actions & SEND) {
		int rc = t->delayed_status ? 0 : transaction_send(layer, t->message);

		if (rc < 0 && transaction_is_client(t))
			transaction_fail_soon(t);
	}
	if (go->actions & ACK)
		transaction_send_ack(t, message);
	if (event == EV_1XX && t->cancel_wanted && !t->cancel_sent)
		transaction_send_cancel(t);
	if ((go->actions & ACCEPT) && is_acknowledged_fork(t, message))
		transaction_send(layer, t->ack);
	else if (go->actions & (TELL | ACCEPT))
		tell_response(t, message, source, now_ns);
	if (go->next == SIP_TRANSACTION_TERMINATED) {
		tell_end(t, go->actions, event, now_ns);
		t = pool_get(&layer->pool, id);
		if (t)
			transaction_finish(t);
	}
}

void transaction_fail_soon(struct transaction *t)
{
	t->send_failed = true;
	set_in(t, &t->end, 0);
}
