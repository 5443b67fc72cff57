/* SPDX-License-Identifier: Apache-2.0 */
#include "media/track.h"

#include <string.h>

bool track_is_key(char c)
{
	return c != '\0' && strchr("0123456789*#ABCD", c) != NULL;
}

void track_reset(struct track *t)
{
	memset(t, 0, sizeof(*t));
}

static void tell_key(struct track *t, char digit, uint64_t time_ns, const struct track_told *told)
{
	t->keys++;
	if (track_is_key(digit))
		told->key(told->ctx, digit, time_ns);
}

static void tell_media(struct track *t, const struct track_told *told)
{
	if (t->media)
		return;
	t->media = true;
	told->media(told->ctx);
}

static void tell_missed(struct track *t, bool missed, const struct track_told *told)
{
	if (t->missed == missed)
		return;
	t->missed = missed;
	if (missed)
		told->media_lost(told->ctx);
	else
		told->media_back(told->ctx);
}

static void tell_learned(
	struct track *t, const struct cord_address *address, const struct track_told *told)
{
	if ((address->family != CORD_FAMILY_IPV4 && address->family != CORD_FAMILY_IPV6) ||
		cord_address_equal(address, &t->learned))
		return;
	t->learned = *address;
	told->media_learned(told->ctx, address);
}

static void tell_player_end(struct track *t, uint32_t generation, const struct track_told *told)
{
	if (generation == 0 || generation != t->generation)
		return;
	t->generation = 0;
	told->player_end(told->ctx, generation);
}

static void tell_digits_sent(struct track *t, const struct track_told *told)
{
	if (!t->digits)
		return;
	t->digits = t->digits_applied = false;
	told->digits_sent(told->ctx);
}

bool track_event(struct track *t, const struct cord_message *m, const struct track_told *told)
{
	switch (m->type) {
	case CORD_EVENT_DIGIT:
		/* Sequence numbers wrap; what is not ahead of us was told before. */
		if ((int32_t)(m->event_digit.sequence - t->keys) <= 0)
			return false;
		if (m->event_digit.sequence != t->keys + 1)
			return true;
		tell_key(t, m->event_digit.digit, m->time, told);
		return false;
	case CORD_EVENT_MEDIA_FIRST:
		tell_media(t, told);
		tell_missed(t, false, told);
		return false;
	case CORD_EVENT_MEDIA_LOST:
		tell_missed(t, true, told);
		return false;
	case CORD_EVENT_MEDIA_BACK:
		tell_missed(t, false, told);
		return false;
	case CORD_EVENT_MEDIA_LEARNED:
		tell_learned(t, &m->event_media_learned.address, told);
		return false;
	case CORD_EVENT_PLAYER_END:
		tell_player_end(t, m->event_player_end.generation, told);
		return false;
	case CORD_EVENT_DIGITS_SENT:
		tell_digits_sent(t, told);
		return false;
	default:
		return false;
	}
}

static void catch_up_keys(struct track *t, const struct cord_port_status *s, uint64_t now_ns,
	const struct track_told *told)
{
	uint32_t behind = s->digits - t->keys;

	if ((int32_t)behind <= 0)
		return;
	if (behind > CORD_DIGIT_LOG) {
		t->keys = s->digits - CORD_DIGIT_LOG;
		told->keys_lost(told->ctx, behind - CORD_DIGIT_LOG);
	}
	while (t->keys != s->digits)
		tell_key(t, s->digit[t->keys & (CORD_DIGIT_LOG - 1)], now_ns, told);
}

void track_status(struct track *t, const struct cord_port_status *s, uint64_t now_ns,
	const struct track_told *told)
{
	catch_up_keys(t, s, now_ns, told);
	if (s->first_rx)
		tell_media(t, told);
	tell_missed(t, s->media_lost == 1, told);
	tell_learned(t, &s->learned, told);
	if (!s->player_running)
		tell_player_end(t, s->player_generation, told);
	if (t->digits_applied && !s->digits_sending)
		tell_digits_sent(t, told);
}
