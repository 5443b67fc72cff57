/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of the whole: status with the first bottleneck, options, reload, log. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin_internal.h"
#include "base/log.h"
#include "contact/reload.h"

/* ---- status -------------------------------------------------------------------------------- */

static json_t *use(uint64_t used, uint64_t max)
{
	return json_pack("{s:I, s:I}", "used", (json_int_t)used, "max", (json_int_t)max);
}

static double percent_of_time(uint64_t ns)
{
	return (double)ns * 100 / CORD_TICK_NS;
}

/* Of each worker: what it takes, and what it will have to. */
static json_t *time_json(const struct media *media)
{
	json_t *workers = json_array();
	struct media_headroom h;

	for (unsigned i = 0; media_headroom(media, i, &h); i++)
		json_array_append_new(workers,
			json_pack("{s:f, s:f, s:f, s:f, s:f}", "busy_percent",
				percent_of_time(h.busy_ns), "fullest_phase_percent",
				percent_of_time(h.phase_ns), "expected_percent",
				percent_of_time(h.expected_ns), "leg_us", (double)h.leg_ns / 1e3,
				"new_calls_to_percent", percent_of_time(h.bound_ns)));
	return workers;
}

static json_t *dataplane_json(const struct media *media)
{
	struct media_counts m;

	media_counts(media, &m);
	return json_pack(
		"{s:s, s:o, s:I, s:I, s:i, s:i, s:s, s:o, s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:I, "
		"s:b, s:o}",
		"state", media_state_name(media_state(media)), "why",
		json_text(media_down_reason(media)), "attaches", (json_int_t)m.attaches, "deaths",
		(json_int_t)m.deaths, "workers", (int)m.workers, "workers_stalled",
		(int)m.workers_stalled, "srtp", cord_srtp_backend_name(m.srtp_backend), "ports",
		use(m.ports_used, m.ports), "rooms", use(m.rooms_used, m.rooms), "ports_resting",
		(int)m.ports_resting, "legs", (int)m.legs, "clips_ready", (int)m.clips_ready,
		"orphan_rooms", (int)m.orphan_rooms, "orphan_ports", (int)m.orphan_ports,
		"commands_waiting", (int)m.commands_waiting, "refusals", (json_int_t)m.refusals,
		"has_time", media_has_time(media), "worker", time_json(media));
}

static json_t *sip_json(const struct switchboard *board)
{
	struct sip_ua *ua = signalling_ua(board->signalling);
	const struct sip_session_stats *sessions =
		sip_sessions_stats(signalling_sessions(board->signalling));
	const struct sip_transaction_stats *transactions = sip_ua_transaction_stats(ua);
	struct signalling_stats s;

	signalling_stats(board->signalling, &s);
	return json_pack("{s:o, s:o, s:I, s:i, s:i, s:i, s:I, s:I, s:{s:I, s:I, s:i, s:f}}",
		"sessions", use(sessions->live, 2 * (uint64_t)board->config->contacts_max),
		"transactions",
		use(transactions->live, (uint64_t)board->config->sip_transactions_max),
		"repeats_sent", (json_int_t)transactions->repeats_sent, "phones_registered",
		(int)s.phones_registered, "trunks", (int)s.trunks, "trunks_up", (int)s.trunks_up,
		"guard_failures", (json_int_t)s.guard_failures, "guard_blocked",
		(json_int_t)s.guard_blocked, "overload", "refused", (json_int_t)s.overload.refused,
		"times", (json_int_t)s.overload.episodes, "calls_per_second_of_a_trunk",
		(int)s.overload.rate, "wait_ms", (double)s.overload.least_ns / 1e6);
}

static json_t *contacts_json(const struct switchboard *board)
{
	json_t *states = json_object();

	for (int i = 0; i < CONTACT_STATE_COUNT; i++)
		json_object_set_new(states, contact_state_name((enum contact_state)i),
			json_integer(board->in_state[i]));
	return json_pack("{s:i, s:i, s:i, s:i, s:o}", "used", (int)pool_used(&board->contacts),
		"max", (int)board->contacts.max, "most", (int)board->contacts.most, "legs",
		(int)pool_used(&board->legs), "by_state", states);
}

static json_t *calls_json(const struct switchboard *board)
{
	const struct switchboard_stats *s = &board->stats;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "in",
		(json_int_t)s->calls_in, "answered", (json_int_t)s->calls_answered, "refused",
		(json_int_t)s->calls_refused, "offers", (json_int_t)s->offers, "offers_accepted",
		(json_int_t)s->offers_accepted, "offers_missed", (json_int_t)s->offers_missed,
		"offers_rejected", (json_int_t)s->offers_rejected, "offers_withdrawn",
		(json_int_t)s->offers_withdrawn, "contacts_closed", (json_int_t)s->contacts_closed);
}

static json_t *store_json(const struct switchboard *board)
{
	struct records_stats r;
	struct events_stats e;
	struct flow_log_stats f;
	struct recordings_stats t = {0};

	records_stats(board->records, &r);
	events_stats(board->events, &e);
	flow_log_stats(board->flow_log, &f);
	if (board->recordings)
		recordings_stats(board->recordings, &t);
	return json_pack(
		"{s:{s:I, s:I, s:I, s:I, s:I, s:o, s:b}, s:{s:I, s:I, s:I, s:I, s:I, s:I}, "
		"s:{s:I, s:I, s:I, s:I, s:I}, s:{s:i, s:i, s:i, s:I, s:I, s:f, s:f, s:o}}",
		"records", "put", (json_int_t)r.put, "written", (json_int_t)r.written, "waiting",
		(json_int_t)r.waiting, "failures", (json_int_t)r.failures, "refused",
		(json_int_t)r.refused, "slowest_batch_s", json_seconds(r.slowest_batch_ns),
		"pressure", records_pressure(board->records), "events", "appended",
		(json_int_t)e.appended, "written", (json_int_t)e.written, "waiting",
		(json_int_t)e.waiting, "failures", (json_int_t)e.failures, "given_up",
		(json_int_t)e.given_up, "last", (json_int_t)e.last, "flow_log", "lines",
		(json_int_t)f.lines, "left_out", (json_int_t)f.left_out, "failures",
		(json_int_t)f.failures, "rotations", (json_int_t)f.rotations, "waiting_bytes",
		(json_int_t)f.waiting_bytes, "recordings", "running", (int)t.running, "finishing",
		(int)t.finishing, "failing", (int)t.failing, "finished", (json_int_t)t.finished,
		"failed", (json_int_t)t.failed, "not_heard_s", (double)t.missing / 50, "not_kept_s",
		(double)t.lost / 50, "slowest_write_s", json_seconds(t.slowest_write_ns));
}

static json_t *loop_json(const struct loop *loop)
{
	const struct loop_stats *s = loop_stats(loop);

	return json_pack("{s:f, s:s, s:I, s:I, s:f, s:I, s:I, s:i}", "longest_ms",
		(double)s->longest_ns / 1e6, "longest_kind", loop_kind_name(s->longest_kind),
		"slow_callbacks", (json_int_t)s->slow, "late", (json_int_t)s->late, "latest_ms",
		(double)s->latest_ns / 1e6, "datagrams_cut", (json_int_t)s->datagrams_cut,
		"datagrams_refused", (json_int_t)s->datagrams_refused, "handles", (int)s->handles);
}

static json_t *admin_json(const struct admin *admin)
{
	struct server_stats s;
	struct trace_stats t;

	server_stats(admin->server, &s);
	trace_stats(admin->trace, &t);
	return json_pack("{s:i, s:i, s:I, s:I, s:I, s:i}", "connections", (int)s.connections,
		"followers", (int)s.followers, "calls", (json_int_t)admin->rpc.calls, "errors",
		(json_int_t)admin->rpc.errors, "cut_off", (json_int_t)s.cut_off, "traced_messages",
		(int)t.held);
}

static void failing_parts(struct bottleneck *b, const struct switchboard *board)
{
	struct signalling_stats sip;
	struct media_counts m;
	struct records_stats r;
	struct events_stats e;
	struct recordings_stats t = {0};

	media_counts(board->media, &m);
	signalling_stats(board->signalling, &sip);
	records_stats(board->records, &r);
	events_stats(board->events, &e);
	if (media_state(board->media) != MEDIA_UP)
		bottleneck_fails(b, "the dataplane is %s: %s",
			media_state_name(media_state(board->media)),
			media_down_reason(board->media));
	if (m.workers_stalled)
		bottleneck_fails(b, "%u of %u workers of the dataplane stand still",
			m.workers_stalled, m.workers);
	if (r.error)
		bottleneck_fails(b, "contact records are not written (%s): %zu wait",
			strerror(-r.error), r.waiting);
	else if (records_pressure(board->records))
		bottleneck_fails(b, "contact records are not written: %zu wait", r.waiting);
	if (board->recordings)
		recordings_stats(board->recordings, &t);
	if (t.failing)
		bottleneck_fails(b, "%u of %u recordings cannot be written", t.failing,
			t.running + t.finishing);
	if (sip.overload.rate)
		bottleneck_fails(b, "SIP is overloaded: of each trunk %u calls a second are taken",
			sip.overload.rate);
	if (sip.trunks && !sip.trunks_up)
		bottleneck_fails(b, "no trunk can take a call (%u are configured)", sip.trunks);
	if (board->draining)
		bottleneck_fails(b, "control is stopping: no new calls");
	if (e.given_up)
		bottleneck_fails(b, "%llu events were lost: the store is too slow",
			(unsigned long long)e.given_up);
}

/* Of the worker that has most: new calls go there. */
static void limit_of_time(struct bottleneck *b, const struct media *media)
{
	uint64_t least = UINT64_MAX, bound = 0;
	struct media_headroom h;

	for (unsigned i = 0; media_headroom(media, i, &h); i++) {
		least = h.expected_ns < least ? h.expected_ns : least;
		bound = h.bound_ns;
	}
	bottleneck_limit(b, "time of the worker that has most (admission.busy_percent)",
		least / 1000, bound / 1000);
}

static void limits(struct bottleneck *b, const struct switchboard *board)
{
	const struct trunk_set *trunks = board->instance->trunks;
	struct sip_ua *ua = signalling_ua(board->signalling);
	struct metrics_agents agents;
	struct media_counts m;

	media_counts(board->media, &m);
	router_agent_metrics(board->router, &agents);
	bottleneck_limit(
		b, "media ports (resting ones included)", m.ports_used + m.ports_resting, m.ports);
	bottleneck_limit(b, "media rooms", m.rooms_used, m.rooms);
	bottleneck_limit(b, "contacts (instance.contacts_max)", pool_used(&board->contacts),
		board->contacts.max);
	bottleneck_limit(b, "concurrent calls (instance.calls_max)", board->live,
		(uint64_t)board->config->calls_max);
	bottleneck_limit(b, "SIP transactions (sip.transactions_max)",
		sip_ua_transaction_stats(ua)->live, (uint64_t)board->config->sip_transactions_max);
	for (unsigned i = 0; i < trunks->count; i++)
		bottleneck_limit(b, "channels of a trunk", trunks->trunks[i].calls,
			trunks->trunks[i].channels);
	limit_of_time(b, board->media);
	/* Agents bind only while somebody waits for one. */
	if (router_contacts(board->router) && !agents.count[METRICS_AVAILABLE])
		bottleneck_limit(b, "agents who take calls", agents.count[METRICS_ON_CONTACT],
			agents.count[METRICS_STAFFED]);
	for (uint32_t i = 0; i < router_queue_count(board->router); i++) {
		struct metrics_queue q;

		if (router_queue_agent(board->router, i) == ROUTER_NONE &&
			router_queue_metrics(board->router, i, board_now(board), &q) == 0)
			bottleneck_limit(b, "places of a queue", q.contacts, q.limit);
	}
}

void admin_bottleneck(const struct admin *admin, char text[BOTTLENECK_SIZE])
{
	struct bottleneck b = {.name = NULL};

	failing_parts(&b, admin->config.board);
	limits(&b, admin->config.board);
	bottleneck_text(&b, text);
}

static void handle_status(struct rpc_call *call)
{
	const struct admin *admin = admin_of(call);
	const struct switchboard *board = admin->config.board;
	char bottleneck[BOTTLENECK_SIZE];

	admin_bottleneck(admin, bottleneck);
	rpc_result(call,
		json_pack("{s:s, s:o, s:o, s:b, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i}",
			"version", CORDBOARD_VERSION, "started",
			json_moment(board, board->started_ns), "uptime_s",
			json_seconds(board_now(board) - board->started_ns), "draining",
			board->draining, "bottleneck", bottleneck, "instance",
			instance_arn(board->instance), "dataplane", dataplane_json(board->media),
			"sip", sip_json(board), "contacts", contacts_json(board), "calls",
			calls_json(board), "store", store_json(board), "loop",
			loop_json(board->loop), "admin", admin_json(admin), "routed_contacts",
			(int)router_contacts(board->router)));
}

/* ---- options, reload, log ------------------------------------------------------------------ */

static void handle_config(struct rpc_call *call)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	if (!to) {
		rpc_refuse(call, RPC_INTERNAL, "no memory");
		return;
	}
	config_print(board_of(call)->config, to);
	fclose(to);
	rpc_result(call, json_pack("{s:s, s:s}", "directory", board_of(call)->instance->directory,
				 "yaml", text ? text : ""));
	free(text);
}

static json_t *report_json(const struct report *report)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < report_size(report); i++) {
		const struct report_entry *e = report_at(report, i);

		json_array_append_new(rows,
			json_pack("{s:s, s:o, s:s}", "severity", report_severity_name(e->severity),
				"place", json_text(e->place), "text", e->text));
	}
	return rows;
}

static void on_reloaded(void *ctx, int rc, const struct report *report)
{
	struct rpc_call *call = ctx;

	rpc_result(call, json_pack("{s:b, s:I, s:I, s:o}", "loaded", rc == 0, "errors",
				 (json_int_t)report_count(report, REPORT_ERROR), "warnings",
				 (json_int_t)report_count(report, REPORT_WARNING), "report",
				 report_json(report)));
}

static void handle_reload(struct rpc_call *call)
{
	int rc = reload_begin(board_of(call), NULL, on_reloaded, call);

	if (rc < 0)
		rpc_finish(call, rc,
			rc == -EBUSY ? "another change is under way: try again when it is done"
				     : strerror(-rc),
			NULL);
}

static void handle_level(struct rpc_call *call)
{
	enum log_level level;

	if (log_level_parse(rpc_text(call, "level"), &level) < 0) {
		rpc_refuse_param(call, "level", "expected debug, info, warning or error");
		return;
	}
	log_set_level(level);
	rpc_result(call, json_pack("{s:s}", "level", log_level_name(level)));
}

static const struct param level_params[] = {{"level", PARAM_TEXT, .required = true, .min = 1,
	.max = 16, .help = "debug, info, warning or error"}};

static const struct verb verbs[] = {
	{"status", ROLE_READER, .handle = handle_status,
		.help = "the state of everything, and the first bottleneck"},
	{"config.get", ROLE_OPERATOR, .handle = handle_config, .help = "the options that run"},
	{"reload", ROLE_OPERATOR, .changes = true, .handle = handle_reload,
		.help = "takes the instance directory over, all or nothing"},
	{"log.set_level", ROLE_OPERATOR, .changes = true, VERB_PARAMS(level_params),
		.handle = handle_level, .help = "least important line that is written"},
};

const struct verb_group verbs_system = {verbs, sizeof(verbs) / sizeof(verbs[0])};
