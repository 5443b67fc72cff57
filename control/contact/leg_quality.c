/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/leg_quality.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contact/switchboard.h"

/* ITU-T G.109: satisfied, some dissatisfied, many, nearly all, not recommended, and finer above. */
const uint32_t leg_quality_mos_bounds[] = {200, 258, 310, 360, 403, 420, 434};
const uint32_t leg_quality_loss_bounds[] = {0, 50, 100, 200, 300, 500, 1000};
const uint32_t leg_quality_time_bounds[] = {500, 1000, 2000, 5000, 10000, 20000, 40000};

/* ---- sides ---------------------------------------------------------------------------------- */

const char *leg_quality_side(const struct leg *leg)
{
	return leg->trunk[0] ? leg->trunk : LEG_QUALITY_AGENTS;
}

/* NULL: there are too many, or no memory; the leg is then not counted. */
static struct leg_quality_side *side_of(const struct leg *leg)
{
	struct leg_quality_board *b = &leg->contact->board->leg_quality;
	const char *name = leg_quality_side(leg);
	struct leg_quality_side *sides;

	for (unsigned i = 0; i < b->n_sides; i++)
		if (strcmp(b->sides[i].name, name) == 0)
			return &b->sides[i];
	if (b->n_sides == LEG_QUALITY_SIDES)
		return NULL;
	sides = realloc(b->sides, (b->n_sides + 1) * sizeof(*sides));
	if (!sides)
		return NULL;
	b->sides = sides;
	sides[b->n_sides] = (struct leg_quality_side){0};
	snprintf(sides[b->n_sides].name, sizeof(sides[0].name), "%s", name);
	return &sides[b->n_sides++];
}

static void observe(struct leg_quality_histogram *h, const uint32_t *bounds, double value)
{
	unsigned bucket = 0;

	while (bucket < LEG_QUALITY_BUCKETS - 1 && value * 100 > bounds[bucket])
		bucket++;
	h->count[bucket]++;
	h->sum += value;
}

static void observe_path(struct leg_quality_figures *f, const struct quality_path *path)
{
	observe(&f->mos, leg_quality_mos_bounds, path->mos);
	observe(&f->loss_percent, leg_quality_loss_bounds, 100 * path->lost);
	observe(&f->jitter_ms, leg_quality_time_bounds, path->jitter_ms);
}

/* ---- readings ------------------------------------------------------------------------------- */

static struct contact_segment *segment_of_agent(struct leg *leg)
{
	struct contact_segment *wrapped = contact_wrapped_by(leg->contact, leg->agent);

	return wrapped ? wrapped : &leg->contact->segment;
}

/* Whose record it goes into; NULL: of a party that has no place in it. */
static struct quality_party *party_of(struct leg *leg)
{
	switch (leg->role) {
	case LEG_CUSTOMER:
		return &leg->contact->segment.customer_quality;
	case LEG_AGENT:
		return &segment_of_agent(leg)->agent_quality;
	default:
		return NULL;
	}
}

void leg_quality_read(struct leg *leg)
{
	struct media_leg_stats stats;
	struct leg_quality_side *side;
	struct quality_news news;

	if (!leg->media || !media_leg_stats(leg->media, &stats))
		return;
	news = quality_watch_step(&leg->quality, &stats, party_of(leg));
	side = news.from || news.to ? side_of(leg) : NULL;
	if (!side)
		return;
	if (news.from)
		observe_path(&side->from, &leg->quality.from);
	if (news.to)
		observe_path(&side->to, &leg->quality.to);
	if (news.to && stats.round_trip_us)
		observe(&side->round_trip_ms, leg_quality_time_bounds,
			stats.round_trip_us / 1000.0);
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	struct switchboard *board = ctx;
	struct leg_quality_board *b = &board->leg_quality;

	b->turn = (b->turn + 1) % LEG_QUALITY_TURNS;
	for (uint32_t slot = b->turn; slot < board->legs.touched; slot += LEG_QUALITY_TURNS) {
		struct leg *leg = pool_at(&board->legs, slot);

		if (leg)
			leg_quality_read(leg);
	}
	leg_quality_begin(board);
}

void leg_quality_begin(struct switchboard *board)
{
	struct timer *timer = &board->leg_quality.timer;

	if (pool_used(&board->legs) && !timer_is_set(timer))
		timers_set_in(board->timers, timer, LEG_QUALITY_NS / LEG_QUALITY_TURNS);
}

void leg_quality_init(struct switchboard *board)
{
	timer_init(&board->leg_quality.timer, on_timer, board);
}

void leg_quality_clear(struct switchboard *board)
{
	timers_cancel(board->timers, &board->leg_quality.timer);
	free(board->leg_quality.sides);
	board->leg_quality = (struct leg_quality_board){0};
}

/* ---- media that stays away ------------------------------------------------------------------ */

void leg_quality_media_lost(struct leg *leg, uint64_t now_ns)
{
	struct leg_quality_side *side = side_of(leg);

	leg->media_lost = true;
	if (side)
		side->lost_media++;
	log_warning(LOG_CALL(leg->contact->segment.id, leg->id), "media",
		"media from the %s (%s) stays away", leg_role_name(leg->role),
		leg_quality_side(leg));
	participant_event(leg->contact, leg->role, "MEDIA_LOST", now_ns);
}

void leg_quality_media_back(struct leg *leg, uint64_t now_ns)
{
	leg->media_lost = false;
	log_info(LOG_CALL(leg->contact->segment.id, leg->id), "media", "media from the %s is back",
		leg_role_name(leg->role));
	participant_event(leg->contact, leg->role, "MEDIA_BACK", now_ns);
}
