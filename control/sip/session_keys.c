/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sip/session_private.h"

#define STEP_NS    (10 * UINT64_C(1000000))
#define STEP_COUNT 5 /* re-INVITEs of a step: 500 a second */
#define AGAIN_NS   UINT64_C(1000000000)

static bool is_encrypted(const struct session *s)
{
	return s->has_stream && s->stream.send_key.suite != CORD_SRTP_NONE &&
	       (s->state == SIP_SESSION_ANSWERED || s->state == SIP_SESSION_ESTABLISHED);
}

/* One exchange at a time: neither side has an INVITE on its way. */
static bool is_free(const struct session *s)
{
	return s->state == SIP_SESSION_ESTABLISHED && s->exchange == EXCHANGE_NONE && !s->server;
}

void session_keys_keep(struct session *s)
{
	uint8_t suite = s->stream.send_key.suite;

	if (suite != CORD_SRTP_NONE)
		s->origin.keys->key[suite] = s->stream.send_key;
}

static void offer_keys(struct session *s, uint64_t now_ns)
{
	s->keys_due = false;
	s->wanted = s->local;
	s->refresh_only = false;
	s->new_keys = true;
	s->peer_key_is_new = false;
	s->challenges = 0;
	if (session_send_reinvite(s) < 0)
		session_reoffer_over(s, 500, now_ns);
}

void session_keys_step(struct sip_sessions *layer, uint64_t now_ns)
{
	struct session *s = layer->keys_behind;
	unsigned sent = 0;

	while (sent < STEP_COUNT && (s = pool_next(&layer->pool, s))) {
		layer->keys_behind = s;
		if (!s->keys_due || !is_encrypted(s))
			continue;
		if (!is_free(s)) {
			layer->keys_left = true;
			continue;
		}
		offer_keys(s, now_ns);
		sent++;
	}
	if (s) {
		timers_set_in(layer->config.timers, &layer->keys, STEP_NS);
	} else {
		layer->keys_behind = NULL;
		if (layer->keys_left)
			timers_set_in(layer->config.timers, &layer->keys, AGAIN_NS);
		layer->keys_left = false;
	}
}

void sip_sessions_renew_keys(struct sip_sessions *layer)
{
	for (struct session *s = pool_next(&layer->pool, NULL); s; s = pool_next(&layer->pool, s))
		s->keys_due = is_encrypted(s);
	layer->keys_behind = NULL;
	layer->keys_left = false;
	timers_set_in(layer->config.timers, &layer->keys, 0);
}
