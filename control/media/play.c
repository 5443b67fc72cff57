/* SPDX-License-Identifier: Apache-2.0 */
#include "media/model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What a leg cannot begin without: G.711 is made at once. */
static unsigned formats_of(const struct media_leg *leg)
{
	unsigned codec = leg->remote.codec;

	return 1u << CORD_CLIP_L16 | (cord_codec_wide(codec) ? 0 : 1u << codec);
}

/*
 * What makes it cheaper, or better: until the codes of a long clip are made, the dataplane encodes
 * its samples.
 */
static unsigned formats_also(const struct media_leg *leg)
{
	unsigned codec = leg->remote.codec;

	return cord_codec_wide(codec) ? 1u << CORD_CLIP_L16_WIDE | 1u << codec : 0;
}

static void list_release(struct media_play *play)
{
	clip_list_release(play->list);
	play->list = NULL;
}

static void wait_cancel(struct media_leg *leg)
{
	clip_wait_cancel(&leg->wait);
	timers_cancel(loop_timers(leg->media->loop), &leg->play_limit);
}

static void next_failed(struct media_leg *leg, const char *why)
{
	const struct media_callbacks *cb = &leg->media->config.callbacks;
	uint64_t token = leg->next_play.token;
	char text[MEDIA_REASON_SIZE];

	snprintf(text, sizeof(text), "%s", why);
	wait_cancel(leg);
	list_release(&leg->next_play);
	if (cb->play_failed)
		cb->play_failed(cb->ctx, leg->ctx, token, text);
}

/* The list that waited is the leg's list now, and goes out with the room. */
static void next_ready(struct media_leg *leg)
{
	wait_cancel(leg);
	list_release(&leg->play);
	leg->play = leg->next_play;
	leg->next_play.list = NULL;
	leg->play_state = PLAY_READY;
	leg->play_forgotten = false;
	leg->track.generation = 0;
	if (++leg->generation == 0)
		leg->generation = 1;
	leg->room->changed = true;
	send_later(leg->room);
}

static void limit_reached(void *ctx, uint64_t now_ns)
{
	struct media_leg *leg = ctx;
	struct media *m = leg->media;

	if (m->state == MEDIA_UP)
		next_failed(leg, "clips were not ready in time");
	else
		timers_set_in(loop_timers(m->loop), &leg->play_limit, m->config.play_timeout_ns);
}

static void clip_came(void *ctx, int error);

/* Makes the list that waits the leg's list, or waits for the first of its clips that is not there. */
static void next_await(struct media_leg *leg)
{
	const struct clip_list *list = leg->next_play.list;
	unsigned n = 0;

	while (n < list->n && clip_ready(list->clips[n], formats_of(leg)))
		n++;
	if (n == list->n) {
		next_ready(leg);
		return;
	}
	clip_wait_cancel(&leg->wait);
	leg->wait = (struct clip_wait){.fn = clip_came, .ctx = leg};
	clip_want(list->clips[n], formats_of(leg), &leg->wait);
}

static void clip_came(void *ctx, int error)
{
	struct media_leg *leg = ctx;
	const char *cause;

	if (!error) {
		next_await(leg);
		return;
	}
	cause = clip_error(leg->wait.clip);
	next_failed(leg, *cause ? cause : strerror(-error));
}

/* Asks for all clips of the list that waits, so that none is begun only after the one before. */
static void next_want(struct media_leg *leg)
{
	const struct clip_list *list = leg->next_play.list;

	if (!list || !leg->has_remote)
		return;
	for (unsigned i = 0; i < list->n; i++)
		clip_want_also(list->clips[i], formats_of(leg) | formats_also(leg));
	next_await(leg);
}

static void next_limit(struct media_leg *leg)
{
	struct media *m = leg->media;

	if (leg->next_play.list)
		timers_set_in(loop_timers(m->loop), &leg->play_limit, m->config.play_timeout_ns);
}

void play_start(struct media_leg *leg, const struct media_play *play)
{
	struct media_play former = leg->next_play;

	wait_cancel(leg);
	leg->next_play = *play;
	clip_list_hold(play->list);
	list_release(&former);
	leg->play_forgotten = true;
	next_want(leg);
	next_limit(leg);
}

void play_stop(struct media_leg *leg)
{
	wait_cancel(leg);
	list_release(&leg->next_play);
	list_release(&leg->play);
	leg->play_state = PLAY_NONE;
	leg->track.generation = 0;
}

void play_codec(struct media_leg *leg)
{
	const struct clip_list *list;

	next_want(leg);
	list = leg->play.list;
	for (unsigned i = 0; list && i < list->n; i++) {
		clip_want(list->clips[i], formats_of(leg), NULL);
		clip_want_also(list->clips[i], formats_also(leg));
	}
}

void play_again(struct media_leg *leg)
{
	if (leg->play_state != PLAY_READY && leg->play_state != PLAY_RUNNING) {
		next_want(leg);
		return;
	}
	leg->track.generation = 0;
	leg->play_state = PLAY_NONE;
	if (!leg->next_play.list) {
		leg->next_play = leg->play;
		leg->play.list = NULL;
	} else {
		list_release(&leg->play);
	}
	next_want(leg);
	next_limit(leg);
}

void play_ended(struct media_leg *leg, uint32_t generation)
{
	const struct media_callbacks *cb = &leg->media->config.callbacks;

	if (leg->play_state != PLAY_RUNNING || leg->generation != generation)
		return;
	leg->play_state = PLAY_ENDED;
	list_release(&leg->play);
	if (cb->play_ended && !leg->play_forgotten)
		cb->play_ended(cb->ctx, leg->ctx, leg->play.token);
}

void play_failed(struct media_leg *leg, uint32_t generation, const char *why)
{
	const struct media_callbacks *cb = &leg->media->config.callbacks;
	uint64_t token = leg->play.token;

	if (leg->generation != generation ||
		(leg->play_state != PLAY_READY && leg->play_state != PLAY_RUNNING))
		return;
	leg->play_state = PLAY_NONE;
	leg->track.generation = 0;
	list_release(&leg->play);
	if (cb->play_failed && !leg->play_forgotten)
		cb->play_failed(cb->ctx, leg->ctx, token, why);
}

void play_clear(struct media_leg *leg)
{
	play_stop(leg);
}

void play_init(struct media_leg *leg)
{
	timer_init(&leg->play_limit, limit_reached, leg);
}
