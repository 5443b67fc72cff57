/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "sip/session_private.h"

#define SECOND_NS 1000000000ull

int session_timer_check(const struct sip_sessions *layer, const struct sip_message *request)
{
	struct sip_session_expires expires;

	if (sip_message_session_expires(request, SIP_HEADER_SESSION_EXPIRES, &expires) < 0)
		return 0;
	/* A caller that does not know Min-SE cannot be asked for more (RFC 4028 section 9). */
	if (expires.seconds < layer->config.min_se_s &&
		sip_message_lists(request, SIP_HEADER_SUPPORTED, "timer"))
		return -ERANGE;
	return 0;
}

void session_timer_answer(
	struct session *s, const struct sip_message *request, char lines[SESSION_LINES])
{
	const struct sip_sessions_config *config = &s->layer->config;
	bool knows = sip_message_lists(request, SIP_HEADER_SUPPORTED, "timer");
	struct sip_session_expires asked, least;
	uint32_t seconds = config->expires_s;
	bool has_asked;

	lines[0] = '\0';
	has_asked = sip_message_session_expires(request, SIP_HEADER_SESSION_EXPIRES, &asked) == 0;
	if (sip_message_session_expires(request, SIP_HEADER_MIN_SE, &least) < 0)
		least.seconds = 0;
	s->expires_s = 0;
	if (!has_asked && (!knows || config->no_session_timers))
		return;
	if (has_asked && (asked.seconds < seconds || config->no_session_timers))
		seconds = asked.seconds;
	if (seconds < least.seconds)
		seconds = least.seconds;
	if (seconds < config->min_se_s)
		seconds = config->min_se_s;
	s->refresher = !knows || (has_asked && asked.refresher == SIP_REFRESHER_UAS);
	s->expires_s = seconds;
	snprintf(lines, SESSION_LINES, "%sSession-Expires: %u;refresher=%s\r\n",
		s->refresher ? "" : "Require: timer\r\n", seconds, s->refresher ? "uas" : "uac");
}

void session_timer_offer(const struct session *s, struct sip_builder *b)
{
	const struct sip_sessions_config *config = &s->layer->config;
	uint32_t seconds = config->expires_s;

	if (s->expires_s)
		seconds = s->expires_s;
	else if (config->no_session_timers)
		return;
	if (seconds < s->min_se_s)
		seconds = s->min_se_s;
	/* Within a dialog the role stays as it is. */
	if (s->expires_s)
		sip_build_format(b, SIP_HEADER_SESSION_EXPIRES, "%u;refresher=%s", seconds,
			s->refresher ? "uac" : "uas");
	else
		sip_build_format(b, SIP_HEADER_SESSION_EXPIRES, "%u", seconds);
	sip_build_format(b, SIP_HEADER_MIN_SE, "%u",
		s->min_se_s > config->min_se_s ? s->min_se_s : config->min_se_s);
}

void session_timer_accepted(struct session *s, const struct sip_message *response)
{
	struct sip_session_expires agreed;

	if (sip_message_session_expires(response, SIP_HEADER_SESSION_EXPIRES, &agreed) < 0 ||
		agreed.seconds == 0) {
		s->expires_s = 0;
		return;
	}
	/* Less than what we said is the least would have us refresh without end. */
	s->expires_s = agreed.seconds;
	if (s->expires_s < s->layer->config.min_se_s)
		s->expires_s = s->layer->config.min_se_s;
	s->refresher = agreed.refresher != SIP_REFRESHER_UAS;
}

bool session_timer_raise(struct session *s, const struct sip_message *response)
{
	struct sip_session_expires least;

	if (sip_message_session_expires(response, SIP_HEADER_MIN_SE, &least) < 0)
		return false;
	if (least.seconds <= s->min_se_s || least.seconds > 24 * 3600)
		return false;
	s->min_se_s = least.seconds;
	return true;
}

void session_timer_start(struct session *s)
{
	struct timers *timers = s->layer->config.timers;
	uint64_t now_ns = timers_now(timers);
	uint64_t margin_s = s->expires_s / 3 < 32 ? s->expires_s / 3 : 32;
	uint64_t wait_s = s->expires_s / 2;

	timers_cancel(timers, &s->refresh);
	if (!s->expires_s)
		return;
	s->expire_ns = now_ns + (s->expires_s - margin_s) * SECOND_NS;
	if (!s->refresher)
		timers_set(timers, &s->refresh, s->expire_ns);
	else
		timers_set(timers, &s->refresh, now_ns + wait_s * SECOND_NS);
}

static void expired(struct session *s)
{
	s->layer->stats.timer_expired++;
	s->end.timed_out = true;
	session_set_end(s, 408, false, STR("session timer expired"));
	session_send_bye(s);
}

void session_timer_refresh_failed(struct session *s, uint64_t now_ns)
{
	uint64_t left_ns = s->expire_ns > now_ns ? s->expire_ns - now_ns : 0;

	if (!s->expires_s || !s->refresher)
		return;
	timers_set(s->layer->config.timers, &s->refresh,
		left_ns > 2 * SECOND_NS ? now_ns + left_ns / 2 : s->expire_ns);
}

void session_timer_fired(struct session *s, uint64_t now_ns)
{
	if (s->state != SIP_SESSION_ESTABLISHED || !s->expires_s)
		return;
	if (now_ns >= s->expire_ns) {
		expired(s);
		return;
	}
	/* Another exchange refreshes the session as well; look again soon. */
	if (s->exchange != EXCHANGE_NONE || s->server) {
		session_timer_refresh_failed(s, now_ns);
		return;
	}
	s->wanted = s->local;
	s->refresh_only = true;
	s->challenges = 0;
	if (session_send_reinvite(s) < 0)
		session_timer_refresh_failed(s, now_ns);
}
