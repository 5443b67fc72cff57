/* SPDX-License-Identifier: Apache-2.0 */
/* How good legs sound, by the side that they are on: families of the Prometheus page. */
#include "admin/admin_internal.h"
#include "admin/page.h"

struct measure {
	const char *name, *help;
	const uint32_t *bounds;
	double unit;  /* of a bound */
	double scale; /* of the sum */
};

static void put(struct page *page, const struct measure *m, const struct page_label *labels,
	unsigned n_labels, const struct leg_quality_histogram *h)
{
	page_histogram(page, labels, n_labels,
		&(struct page_buckets){.bounds = m->bounds,
			.unit = m->unit,
			.counts = h->count,
			.n = LEG_QUALITY_BUCKETS - 1,
			.sum = h->sum * m->scale});
}

/* A family of both directions; `offset` is where the histogram lies in the figures. */
static void put_directions(const struct leg_quality_board *b, struct page *page,
	const struct measure *m, size_t offset)
{
	page_family(page, m->name, PAGE_HISTOGRAM, m->help);
	for (unsigned i = 0; i < b->n_sides; i++) {
		const struct leg_quality_side *side = &b->sides[i];
		const char *from = (const char *)&side->from + offset;
		const char *to = (const char *)&side->to + offset;

		put(page, m, (struct page_label[]){{"side", side->name}, {"direction", "from"}}, 2,
			(const void *)from);
		put(page, m, (struct page_label[]){{"side", side->name}, {"direction", "to"}}, 2,
			(const void *)to);
	}
}

static void put_round_trips(const struct leg_quality_board *b, struct page *page)
{
	const struct measure m = {"leg_round_trip_seconds", "round trips to peers",
		leg_quality_time_bounds, 1e-5, 1e-3};

	page_family(page, m.name, PAGE_HISTOGRAM, m.help);
	for (unsigned i = 0; i < b->n_sides; i++)
		put(page, &m, &(struct page_label){"side", b->sides[i].name}, 1,
			&b->sides[i].round_trip_ms);
}

static void put_lost(const struct switchboard *board, struct page *page)
{
	const struct leg_quality_board *b = &board->leg_quality;
	const struct leg *leg = NULL;
	unsigned lost = 0;

	while ((leg = pool_next(&board->legs, leg)))
		lost += leg->media_lost;
	page_family(page, "legs_without_media", PAGE_GAUGE, "legs whose media stays away");
	page_value(page, lost, NULL);
	page_family(page, "leg_media_lost_total", PAGE_COUNTER, "times a leg's media stayed away");
	for (unsigned i = 0; i < b->n_sides; i++)
		page_value(page, (double)b->sides[i].lost_media, "side", b->sides[i].name, NULL);
}

void metrics_quality(const struct switchboard *board, struct page *page)
{
	static const struct measure mos = {"leg_mos",
		"how good legs sound (ITU-T G.107), judged every 5 s", leg_quality_mos_bounds, 1e-2,
		1};
	static const struct measure loss = {"leg_loss_ratio",
		"packets lost or too late, of all in 5 s", leg_quality_loss_bounds, 1e-4, 1e-2};
	static const struct measure jitter = {"leg_jitter_seconds",
		"jitter (RFC 3550 section 6.4.1)", leg_quality_time_bounds, 1e-5, 1e-3};
	const struct leg_quality_board *b = &board->leg_quality;

	put_directions(b, page, &mos, offsetof(struct leg_quality_figures, mos));
	put_directions(b, page, &loss, offsetof(struct leg_quality_figures, loss_percent));
	put_directions(b, page, &jitter, offsetof(struct leg_quality_figures, jitter_ms));
	put_round_trips(b, page);
	put_lost(board, page);
}
