/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "sip/session_private.h"

#define SECOND_NS 1000000000ull

static const struct sip_client_handler notify_handler;

/* ---- the subscription -------------------------------------------------------------------- */

static void close_subscription(struct session *s)
{
	timers_cancel(s->layer->config.timers, &s->refer.expiry);
	s->refer.open = false;
	s->refer.result = 0;
}

static int notify(struct session *s, unsigned status, bool last)
{
	char lines[SESSION_LINES], state[32], fragment[128];

	snprintf(state, sizeof(state), "active;expires=%u", SIP_REFER_EXPIRES_S);
	snprintf(lines, sizeof(lines), "Event: refer;id=%u\r\nSubscription-State: %s\r\n",
		s->refer.cseq, last ? "terminated;reason=noresource" : state);
	snprintf(
		fragment, sizeof(fragment), "SIP/2.0 %u %s\r\n", status, sip_status_reason(status));
	return session_start(s,
		&(struct session_request){.method = SIP_METHOD_NOTIFY,
			.type = "message/sipfrag;version=2.0",
			.body = str_from(fragment),
			.lines = lines},
		&notify_handler, &s->refer.notify);
}

static void tell_result(struct session *s, unsigned status)
{
	close_subscription(s);
	notify(s, status, true);
}

static void on_notify_response(void *ctx, uint64_t tag, uint64_t id,
	const struct sip_message *response, const struct sip_hop *source, uint64_t now_ns)
{
	struct session *s = session_find(ctx, tag);

	if (!s || s->refer.notify != id || response->status < 200)
		return;
	s->refer.notify = 0;
	if (!s->refer.open)
		return;
	if (response->status >= 300)
		close_subscription(s);
	else if (s->refer.result)
		tell_result(s, s->refer.result);
}

static void on_notify_failed(
	void *ctx, uint64_t tag, uint64_t id, enum sip_failure failure, uint64_t now_ns)
{
	struct session *s = session_find(ctx, tag);

	if (!s || s->refer.notify != id)
		return;
	s->refer.notify = 0;
	close_subscription(s);
}

static const struct sip_client_handler notify_handler = {
	.response = on_notify_response,
	.failed = on_notify_failed,
};

static void on_expiry(void *ctx, uint64_t now_ns)
{
	struct session *s = ctx;

	sip_session_refer_result(s->layer, s->id, 408);
}

void session_refer_init(struct session *s)
{
	timer_init(&s->refer.expiry, on_expiry, s);
}

void session_refer_end(struct session *s)
{
	if (s->refer.result && s->state == SIP_SESSION_ESTABLISHED)
		tell_result(s, s->refer.result);
	else
		close_subscription(s);
}

/* ---- the request ------------------------------------------------------------------------- */

/* What stands in the way of a REFER: 0, or the status to refuse it with. */
static unsigned obstacle(const struct session *s)
{
	if (!s->referrer[0] || !s->layer->config.events->refer)
		return 403;
	if (s->state == SIP_SESSION_ENDING)
		return 481;
	if (s->state != SIP_SESSION_ESTABLISHED)
		return 500;
	return s->refer.open ? 491 : 0;
}

static void find_other(const struct session *s, struct sip_refer *refer)
{
	const struct sip_replaces *replaces = &refer->replaces;
	const struct session *other;

	if (!refer->has_replaces)
		return;
	other = session_of_dialog(
		s->layer, replaces->call_id, replaces->to_tag, replaces->from_tag);
	if (other && other != s && str_equal(str_from(other->referrer), str_from(s->referrer)))
		refer->other = other->id;
	refer->replaces_unknown = !refer->other;
}

void session_refer_take(struct session *s, const struct session_arrival *in)
{
	struct sip_sessions *layer = s->layer;
	struct session_reply reply = {.status = obstacle(s)};
	const char *problem = NULL;
	struct sip_refer refer;

	if (reply.status == 500)
		reply.retry_after_s = 1;
	if (!reply.status && sip_refer_parse(in->message, &refer, &problem) < 0)
		reply = (struct session_reply){.status = 400, .reason = str_from(problem)};
	if (reply.status) {
		session_answer(s, in, &reply);
		return;
	}
	find_other(s, &refer);
	s->refer.arrival = in;
	s->refer.cseq = in->message->cseq.number;
	s->refer.unsubscribed = refer.unsubscribed;
	layer->config.events->refer(layer->config.ctx, s->id, &refer, in->now_ns);
	if (s->refer.arrival)
		session_answer(s, in,
			&(struct session_reply){
				.status = s->state == SIP_SESSION_ESTABLISHED ? 500 : 487});
	s->refer.arrival = NULL;
}

/* ---- what the user decides --------------------------------------------------------------- */

int sip_session_refer_accept(struct sip_sessions *layer, uint64_t id)
{
	struct session *s = session_find(layer, id);
	const struct session_arrival *in;

	if (!s)
		return -ESRCH;
	in = s->refer.arrival;
	if (!in || s->state != SIP_SESSION_ESTABLISHED)
		return -EINVAL;
	s->refer.arrival = NULL;
	session_answer(s, in,
		&(struct session_reply){.status = 202,
			.contact = true,
			.lines = s->refer.unsubscribed ? "Refer-Sub: false\r\n" : NULL});
	s->refer.open = true;
	timers_set_in(layer->config.timers, &s->refer.expiry, SIP_REFER_EXPIRES_S * SECOND_NS);
	if (!s->refer.unsubscribed && notify(s, 100, false) < 0)
		close_subscription(s);
	return 0;
}

int sip_session_refer_reject(
	struct sip_sessions *layer, uint64_t id, unsigned status, struct str reason)
{
	struct session *s = session_find(layer, id);
	const struct session_arrival *in;

	if (!s)
		return -ESRCH;
	in = s->refer.arrival;
	if (!in || status < 300 || status > 699)
		return -EINVAL;
	s->refer.arrival = NULL;
	session_answer(s, in, &(struct session_reply){.status = status, .reason = reason});
	return 0;
}

int sip_session_refer_result(struct sip_sessions *layer, uint64_t id, unsigned status)
{
	struct session *s = session_find(layer, id);

	if (!s)
		return -ESRCH;
	if (!s->refer.open || s->refer.result || status < 200 || status > 699)
		return -EINVAL;
	if (s->refer.unsubscribed)
		close_subscription(s);
	else if (s->refer.notify)
		s->refer.result = (uint16_t)status; /* one at a time, so that none overtakes */
	else
		tell_result(s, status);
	return 0;
}
