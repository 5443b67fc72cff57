/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Prometheus page: base units, counters end with _total, labels are queue, trunk, worker and
 * few fixed words; no agent and no contact is ever a label. Written in steps, so that a large
 * instance holds up no call.
 */
#include <limits.h>
#include <string.h>

#include "admin/admin_internal.h"
#include "admin/page.h"

struct source {
	const struct admin *admin;
	const struct switchboard *board;
	struct page *page;
};

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void one(const struct source *s, const char *name, enum page_kind kind, const char *help,
	double value)
{
	page_family(s->page, name, kind, help);
	page_value(s->page, value, NULL);
}

/* ---- control ------------------------------------------------------------------------------- */

static void put_process(const struct source *s)
{
	const struct loop_stats *loop = loop_stats(s->board->loop);

	page_family(s->page, "build_info", PAGE_GAUGE, "version of control");
	page_value(s->page, 1, "version", CORDBOARD_VERSION, NULL);
	one(s, "uptime_seconds", PAGE_GAUGE, "time since control started",
		seconds(board_now(s->board) - s->board->started_ns));
	one(s, "draining", PAGE_GAUGE, "1 while control refuses new calls to stop",
		s->board->draining);
	one(s, "loop_longest_callback_seconds", PAGE_GAUGE, "longest callback of the loop",
		seconds(loop->longest_ns));
	one(s, "loop_slow_callbacks_total", PAGE_COUNTER, "callbacks that took more than 5 ms",
		(double)loop->slow);
	one(s, "loop_longest_away_seconds", PAGE_GAUGE,
		"longest time in which the loop looked at nothing that came",
		seconds(loop->latest_ns));
	one(s, "loop_late_total", PAGE_COUNTER,
		"times that the loop looked at nothing that came for more than 100 ms",
		(double)loop->late);
	one(s, "admin_calls_total", PAGE_COUNTER, "calls of verbs", (double)s->admin->rpc.calls);
	one(s, "admin_errors_total", PAGE_COUNTER, "calls of verbs that were refused",
		(double)s->admin->rpc.errors);
}

static void put_contacts(const struct source *s)
{
	page_family(s->page, "contacts", PAGE_GAUGE, "contacts by state");
	for (int i = 0; i < CONTACT_STATE_COUNT; i++)
		page_value(s->page, s->board->in_state[i], "state",
			contact_state_name((enum contact_state)i), NULL);
}

static void put_calls(const struct source *s)
{
	const struct switchboard_stats *c = &s->board->stats;

	one(s, "calls_received_total", PAGE_COUNTER, "new calls that came in", (double)c->calls_in);
	one(s, "calls_answered_total", PAGE_COUNTER, "of them, answered",
		(double)c->calls_answered);
	one(s, "calls_refused_total", PAGE_COUNTER, "of them, refused", (double)c->calls_refused);
	one(s, "contacts_closed_total", PAGE_COUNTER, "contacts with nothing left to do",
		(double)c->contacts_closed);
	page_family(s->page, "offer_total", PAGE_COUNTER, "offers to agents by result");
	page_value(s->page, (double)c->offers_accepted, "result", "accepted", NULL);
	page_value(s->page, (double)c->offers_missed, "result", "missed", NULL);
	page_value(s->page, (double)c->offers_rejected, "result", "rejected", NULL);
	page_value(s->page, (double)c->offers_withdrawn, "result", "withdrawn", NULL);
}

static void put_agents(const struct source *s)
{
	struct metrics_agents agents;

	router_agent_metrics(s->board->router, &agents);
	page_family(s->page, "agents", PAGE_GAUGE, "agents by what they are counted as");
	for (int i = 0; i < METRICS_COUNT; i++)
		page_value(s->page, agents.count[i], "state",
			metrics_count_name((enum metrics_count)i), NULL);
}

/* ---- queues -------------------------------------------------------------------------------- */

static double contacts(const struct metrics_queue *m)
{
	return m->contacts;
}

static double limit(const struct metrics_queue *m)
{
	return m->limit;
}

static double oldest(const struct metrics_queue *m)
{
	return seconds(m->oldest_age_ns);
}

static double available(const struct metrics_queue *m)
{
	return m->agents.count[METRICS_AVAILABLE];
}

static double staffed(const struct metrics_queue *m)
{
	return m->agents.count[METRICS_STAFFED];
}

static double entered(const struct metrics_queue *m)
{
	return (double)m->figures.enqueued;
}

static double answered(const struct metrics_queue *m)
{
	return (double)m->figures.answered;
}

static double abandoned(const struct metrics_queue *m)
{
	return (double)m->figures.abandoned;
}

static double moved(const struct metrics_queue *m)
{
	return (double)m->figures.moved;
}

static const struct {
	const char *name;
	enum page_kind kind;
	const char *help;
	double (*figure)(const struct metrics_queue *m);
} queue_rows[] = {
	{"queue_contacts", PAGE_GAUGE, "contacts in the queue", contacts},
	{"queue_limit", PAGE_GAUGE, "contacts that it takes", limit},
	{"queue_oldest_seconds", PAGE_GAUGE, "longest wait of those in the queue", oldest},
	{"queue_agents_available", PAGE_GAUGE, "agents who can be offered its contacts now",
		available},
	{"queue_agents_staffed", PAGE_GAUGE, "agents at work who serve it", staffed},
	{"queue_entered_total", PAGE_COUNTER, "contacts that came in", entered},
	{"queue_answered_total", PAGE_COUNTER, "contacts that an agent took", answered},
	{"queue_abandoned_total", PAGE_COUNTER, "callers who hung up", abandoned},
	{"queue_moved_total", PAGE_COUNTER, "contacts moved to another queue", moved},
};

/* Only queues with a row: agents' own would name agents. */
static const struct resource_queue *figures_of(
	const struct source *s, uint32_t queue, struct metrics_queue *m)
{
	const struct resource_queue *row = router_queue_row(s->board->router, queue);

	if (!row || router_queue_metrics(s->board->router, queue, board_now(s->board), m) < 0)
		return NULL;
	return row;
}

/* The samples of a family stand together, so the queues are gone through for each. */
static void put_queues(const struct source *s)
{
	struct metrics_queue m;

	for (size_t r = 0; r < sizeof(queue_rows) / sizeof(queue_rows[0]); r++) {
		page_family(s->page, queue_rows[r].name, queue_rows[r].kind, queue_rows[r].help);
		for (uint32_t i = 0; i < router_queue_count(s->board->router); i++) {
			const struct resource_queue *row = figures_of(s, i, &m);

			if (row)
				page_value(s->page, queue_rows[r].figure(&m), "queue",
					row->row.name, NULL);
		}
	}
}

static void put_queue_refusals(const struct source *s)
{
	struct metrics_queue m;

	page_family(s->page, "queue_refused_total", PAGE_COUNTER,
		"contacts that the queue did not take");
	for (uint32_t i = 0; i < router_queue_count(s->board->router); i++) {
		const struct resource_queue *row = figures_of(s, i, &m);

		if (row)
			page_value(s->page, (double)m.figures.refused_full, "queue", row->row.name,
				"reason", "capacity", NULL);
	}
}

static void put_queue_waits(const struct source *s)
{
	struct metrics_queue m;

	page_family(s->page, "queue_wait_seconds", PAGE_HISTOGRAM,
		"time that answered contacts waited");
	for (uint32_t i = 0; i < router_queue_count(s->board->router); i++) {
		const struct resource_queue *row = figures_of(s, i, &m);

		if (row)
			page_histogram(s->page, &(struct page_label){"queue", row->row.name}, 1,
				&(struct page_buckets){.bounds = queue_wait_bounds_s,
					.unit = 1,
					.counts = m.figures.answered_by_wait,
					.n = QUEUE_WAIT_BUCKETS - 1,
					.sum = seconds(m.figures.answered_wait_ns)});
	}
}

/* ---- SIP ----------------------------------------------------------------------------------- */

static void put_sip(const struct source *s)
{
	struct sip_ua *ua = signalling_ua(s->board->signalling);
	const struct sip_ua_stats *stats = sip_ua_stats(ua);
	const struct sip_transaction_stats *t = sip_ua_transaction_stats(ua);
	struct signalling_stats g;

	signalling_stats(s->board->signalling, &g);
#define X(name, help) one(s, "sip_" #name "_total", PAGE_COUNTER, help, (double)stats->name);
	SIP_UA_COUNTERS(X)
#undef X
	one(s, "sip_sessions", PAGE_GAUGE, "SIP sessions that live",
		sip_sessions_stats(signalling_sessions(s->board->signalling))->live);
	one(s, "sip_transactions", PAGE_GAUGE, "SIP transactions that live", t->live);
	one(s, "sip_repeats_sent_total", PAGE_COUNTER, "repetitions sent", (double)t->repeats_sent);
	one(s, "sip_transaction_timeouts_total", PAGE_COUNTER, "transactions nobody answered",
		(double)t->timeouts);
	one(s, "sip_phones_registered", PAGE_GAUGE, "bindings of agents' phones",
		g.phones_registered);
	one(s, "sip_guard_failures_total", PAGE_COUNTER, "failed proofs of identity",
		(double)g.guard_failures);
	one(s, "sip_wait_seconds", PAGE_GAUGE,
		"least time that a message waited in the last tenth of a second",
		seconds(g.overload.least_ns));
	one(s, "sip_overload_rate", PAGE_GAUGE,
		"calls a second of each trunk that are taken in overload; 0: all are",
		g.overload.rate);
	one(s, "sip_overloads_total", PAGE_COUNTER, "times that calls began to be refused for it",
		(double)g.overload.episodes);
	one(s, "sip_guard_blocked_total", PAGE_COUNTER, "sources that were blocked",
		(double)g.guard_blocked);
}

static void put_trunks(const struct source *s)
{
	const struct trunk_set *set = s->board->instance->trunks;

	page_family(s->page, "trunk_calls", PAGE_GAUGE, "calls over the trunk");
	for (unsigned i = 0; i < set->count; i++)
		page_value(s->page, set->trunks[i].calls, "trunk", set->trunks[i].name, NULL);
	page_family(s->page, "trunk_channels", PAGE_GAUGE, "calls that it may carry");
	for (unsigned i = 0; i < set->count; i++)
		page_value(s->page, set->trunks[i].channels, "trunk", set->trunks[i].name, NULL);
	page_family(s->page, "trunk_usable", PAGE_GAUGE, "1 when a call can be sent");
	for (unsigned i = 0; i < set->count; i++)
		page_value(s->page, trunk_is_usable(&set->trunks[i]), "trunk", set->trunks[i].name,
			NULL);
	page_family(s->page, "trunk_refused_total", PAGE_COUNTER, "calls over the trunk's limits");
	for (unsigned i = 0; i < set->count; i++) {
		page_value(s->page, (double)set->trunks[i].refused_channels, "trunk",
			set->trunks[i].name, "reason", "channels", NULL);
		page_value(s->page, (double)set->trunks[i].refused_rate, "trunk",
			set->trunks[i].name, "reason", "rate", NULL);
	}
}

/* ---- store --------------------------------------------------------------------------------- */

static void put_store(const struct source *s)
{
	struct records_stats r;
	struct events_stats e;

	records_stats(s->board->records, &r);
	events_stats(s->board->events, &e);
	one(s, "records_written_total", PAGE_COUNTER, "contact records written", (double)r.written);
	one(s, "records_failures_total", PAGE_COUNTER, "batches that failed", (double)r.failures);
	one(s, "records_waiting", PAGE_GAUGE, "contact records not written yet", (double)r.waiting);
	one(s, "events_appended_total", PAGE_COUNTER, "events", (double)e.appended);
	one(s, "events_lost_total", PAGE_COUNTER, "events given up: the store was too slow",
		(double)e.given_up);
	one(s, "events_waiting", PAGE_GAUGE, "events not written yet", (double)e.waiting);
}

static void put_recordings(const struct source *s)
{
	struct recordings_stats r = {0};

	if (s->board->recordings)
		recordings_stats(s->board->recordings, &r);
	one(s, "recordings_running", PAGE_GAUGE, "recordings that run", r.running);
	one(s, "recordings_finishing", PAGE_GAUGE, "recordings whose file is not closed yet",
		r.finishing);
	one(s, "recordings_started_total", PAGE_COUNTER, "recordings begun", (double)r.started);
	one(s, "recordings_failed_total", PAGE_COUNTER, "recordings without a whole file",
		(double)r.failed);
	one(s, "recordings_repaired_total", PAGE_COUNTER,
		"files that were found unfinished at the start and repaired", (double)r.repaired);
	one(s, "recording_seconds_total", PAGE_COUNTER, "sound recorded", (double)r.frames / 50);
	page_family(s->page, "recording_gap_seconds_total", PAGE_COUNTER,
		"silence in recordings in place of sound that was not heard or not kept");
	page_value(s->page, (double)r.missing / 50, "reason", "not_heard", NULL);
	page_value(s->page, (double)r.lost / 50, "reason", "slow_disk", NULL);
	one(s, "recording_bytes_total", PAGE_COUNTER, "bytes written to recordings",
		(double)r.bytes);
	one(s, "recording_write_failures_total", PAGE_COUNTER, "writes to recordings that failed",
		(double)r.errors);
}

/* ---- functions and services outside -------------------------------------------------------- */

static void put_services(const struct source *s)
{
	struct service_stats c;

	services_stats(s->board->services, &c);
	one(s, "service_calls_in_flight", PAGE_GAUGE, "questions to functions and services now",
		c.in_flight);
	page_family(s->page, "service_calls_total", PAGE_COUNTER,
		"questions to functions and services by result");
	page_value(s->page, (double)c.answered, "result", "answered", NULL);
	page_value(s->page, (double)c.failed, "result", "failed", NULL);
	page_value(s->page, (double)c.refused, "result", "refused", NULL);
	one(s, "service_tries_total", PAGE_COUNTER, "tries that these questions took",
		(double)c.tries);
}

/* ---- dataplane ----------------------------------------------------------------------------- */

static void put_media(const struct source *s)
{
	struct media_counts m;

	media_counts(s->board->media, &m);
	one(s, "dataplane_up", PAGE_GAUGE, "1 while the dataplane is attached",
		media_state(s->board->media) == MEDIA_UP);
	one(s, "dataplane_deaths_total", PAGE_COUNTER, "times the dataplane went away",
		(double)m.deaths);
	one(s, "dataplane_workers", PAGE_GAUGE, "workers", m.workers);
	one(s, "dataplane_workers_stalled", PAGE_GAUGE, "workers without a heartbeat",
		m.workers_stalled);
	one(s, "media_ports_used", PAGE_GAUGE, "media ports held by legs", m.ports_used);
	one(s, "media_ports_resting", PAGE_GAUGE, "media ports that rest", m.ports_resting);
	one(s, "media_ports_max", PAGE_GAUGE, "media ports", m.ports);
	one(s, "media_rooms_used", PAGE_GAUGE, "rooms in use", m.rooms_used);
	one(s, "media_rooms_max", PAGE_GAUGE, "rooms", m.rooms);
	one(s, "media_orphan_rooms", PAGE_GAUGE, "rooms of a control that died", m.orphan_rooms);
	one(s, "media_commands_waiting", PAGE_GAUGE, "commands that wait for the ring",
		m.commands_waiting);
}

static double of_time(uint64_t ns)
{
	return (double)ns / CORD_TICK_NS;
}

static double busy_ratio(const struct media_headroom *h)
{
	return of_time(h->busy_ns);
}

static double phase_ratio(const struct media_headroom *h)
{
	return of_time(h->phase_ns);
}

static double expected_ratio(const struct media_headroom *h)
{
	return of_time(h->expected_ns);
}

static double bound_ratio(const struct media_headroom *h)
{
	return of_time(h->bound_ns);
}

static const struct {
	const char *name, *help;
	double (*figure)(const struct media_headroom *h);
} headroom_rows[] = {
	{"worker_busy_ratio", "part of the worker's core that was busy in the last second",
		busy_ratio},
	{"worker_fullest_phase_ratio", "part of its time that its fullest phase took", phase_ratio},
	{"worker_expected_ratio", "part of its core that all accepted calls will take",
		expected_ratio},
	{"worker_admission_ratio", "up to which it is given new calls", bound_ratio},
};

static void put_headroom(const struct source *s)
{
	struct media_headroom h;
	char worker[12];

	for (size_t r = 0; r < sizeof(headroom_rows) / sizeof(headroom_rows[0]); r++) {
		page_family(s->page, headroom_rows[r].name, PAGE_GAUGE, headroom_rows[r].help);
		for (unsigned i = 0; media_headroom(s->board->media, i, &h); i++) {
			snprintf(worker, sizeof(worker), "%u", i);
			page_value(s->page, headroom_rows[r].figure(&h), "worker", worker, NULL);
		}
	}
}

static void put_leg_quality(const struct source *s)
{
	metrics_quality(s->board, s->page);
}

static void put_counter(const struct source *s, enum cord_counter counter, unsigned workers)
{
	const struct cord_counter_row *row = cord_counter_row(counter);
	bool gauge = strcmp(row->kind, "gauge") == 0;
	char name[96], worker[12];

	snprintf(name, sizeof(name), "dataplane_%s%s", row->name, gauge ? "" : "_total");
	page_family(s->page, name, gauge ? PAGE_GAUGE : PAGE_COUNTER, row->help);
	for (unsigned i = 0; i < workers; i++) {
		snprintf(worker, sizeof(worker), "%u", i);
		page_value(s->page, (double)media_counter(s->board->media, i, counter), "worker",
			worker, NULL);
	}
}

static void put_dataplane(const struct source *s)
{
	struct media_counts m;

	media_counts(s->board->media, &m);
	for (uint32_t i = 0; i < CORD_COUNTER_COUNT; i++)
		put_counter(s, (enum cord_counter)i, m.workers);
}

bool metrics_write(void *ctx, unsigned step, FILE *to)
{
	static void (*const parts[])(const struct source *s) = {put_process, put_contacts,
		put_calls, put_agents, put_queues, put_queue_refusals, put_queue_waits, put_sip,
		put_trunks, put_store, put_recordings, put_services, put_media, put_headroom,
		put_leg_quality, put_dataplane};
	const struct admin *admin = ctx;
	struct page page = {.to = to};

	parts[step](&(struct source){.admin = admin, .board = admin->config.board, .page = &page});
	return step + 1 < sizeof(parts) / sizeof(parts[0]);
}
