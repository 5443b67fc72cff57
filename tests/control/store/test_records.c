/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "base/jot.h"
#include "store/database.h"
#include "store/records.h"

#define START (UINT64_C(1773561600) * CLOCK_S) /* 2026-03-15T08:00:00Z */

static struct records *records;
/* NULL: not valid. */
static char *json_of(const struct record *r)
{
	struct jot j = {0};

	if (record_json(r, &j))
		return j.p;
	jot_clear(&j);
	return NULL;
}

static void open_records(void)
{
	const struct records_config config = {.loop = loop, .offload = offload, .path = path};
	char error[RECORDS_ERROR_SIZE] = "";

	assert_int_equal(records_open(&config, error, &records), 0);
}

static void reopen_records(void)
{
	helper_restart();
	assert_int_equal(records_close(records), 0);
	open_records();
}

static void close_records(void)
{
	helper_restart();
	assert_int_equal(records_close(records), 0);
	records = NULL;
}

/* What a query gave, copied. */
struct answer {
	unsigned calls;
	int error;
	size_t n, behind;
	bool more;
	uint64_t numbers[RECORDS_ROWS_MAX];
	char ids[RECORDS_ROWS_MAX][40];
	bool complete[RECORDS_ROWS_MAX];
	json_t *last;
};

static void on_answer(void *ctx, const struct records_result *result)
{
	struct answer *a = ctx;

	a->calls++;
	a->error = result->error;
	a->n = result->n;
	a->more = result->more;
	a->behind = result->behind;
	json_decref(a->last);
	a->last = NULL;
	for (size_t i = 0; i < result->n; i++) {
		a->numbers[i] = result->rows[i].number;
		a->complete[i] = result->rows[i].complete;
		snprintf(a->ids[i], sizeof(a->ids[i]), "%s", result->rows[i].contact_id);
		json_decref(a->last);
		a->last = json_loads(result->rows[i].json, 0, NULL);
		assert_non_null(a->last);
	}
}

static struct answer *ask(struct records_query query)
{
	static struct answer a;
	unsigned before = a.calls;

	assert_int_equal(records_query(records, &query, on_answer, &a), 0);
	UNTIL(a.calls > before);
	return &a;
}

static struct record sample(const char *id, unsigned n)
{
	return (struct record){
		.complete = true,
		.contact_id = str_from(id),
		.initial_contact_id = str_from(id),
		.initiation_method = STR("INBOUND"),
		.initiation_wall = START + n * CLOCK_S,
		.last_update_wall = START + (n + 60) * CLOCK_S,
	};
}

static void put(const struct record *r)
{
	assert_int_equal(records_put(records, r), 0);
}

static const char *member(json_t *o, const char *outer, const char *inner)
{
	json_t *v = json_object_get(o, outer);

	if (inner)
		v = json_object_get(v, inner);
	return json_string_value(v);
}

static void R102_a_delivered_record_gets_a_successor(void **state)
{
	struct record first = sample("11111111-aaaa-4aaa-8aaa-000000000001", 0);
	struct answer *a;
	uint64_t number;

	open_records();
	put(&first);
	a = ask((struct records_query){.since = 0, .by_number = true});
	assert_int_equal(a->n, 1);
	number = a->numbers[0];
	assert_int_equal(
		records_set_next(records, first.contact_id, STR("next"), START + CLOCK_S), 0);
	assert_int_equal(records_set_next(records, STR("nobody"), STR("next"), START), 0);
	assert_int_equal(records_set_next(records, STR_NULL, STR("next"), START), -EINVAL);
	a = ask((struct records_query){.since = number});
	assert_int_equal(a->n, 1);
	assert_true(a->complete[0]);
	assert_string_equal(member(a->last, "NextContactId", NULL), "next");
	assert_string_equal(member(a->last, "ContactId", NULL), a->ids[0]);
	assert_int_equal(strlen(member(a->last, "LastUpdateTimestamp", NULL)), 20);
	close_records();
}

static double number(const json_t *o, const char *name)
{
	return json_number_value(json_object_get(o, name));
}

static void the_quality_of_both_parties_is_told(void **state)
{
	struct record r = sample("11111111-aaaa-4aaa-8aaa-000000000001", 0);

	r.customer_quality = (struct record_quality){.known = true,
		.score = 3.8765,
		.issues = {"HighPacketLoss", "HighRoundTripTime"},
		.n_issues = 2,
		.from = {.known = true,
			.mos = 3.8765,
			.mos_min = 2.5,
			.loss_percent = 5.004,
			.jitter_ms = 30.25},
		.round_trip_ms = 310.5};
	char *text = json_of(&r);
	json_t *o = json_loads(text, 0, NULL);
	json_t *metrics = json_object_get(o, "QualityMetrics");
	json_t *audio = json_object_get(json_object_get(metrics, "Customer"), "Audio");
	json_t *from = json_object_get(audio, "FromParticipant");

	free(text);
	assert_true(json_is_null(json_object_get(metrics, "Agent")));
	assert_true(number(audio, "QualityScore") == 3.88);
	assert_int_equal(json_array_size(json_object_get(audio, "PotentialQualityIssues")), 2);
	assert_true(number(audio, "MaximumRoundTripMilliseconds") == 310.5);
	assert_true(number(from, "MinimumQualityScore") == 2.5);
	assert_true(number(from, "PacketLossPercent") == 5);
	assert_true(number(from, "MaximumJitterMilliseconds") == 30.25);
	assert_true(json_is_null(json_object_get(audio, "ToParticipant")));
	json_decref(o);
	/* nothing was heard of anybody */
	r.customer_quality.known = false;
	text = json_of(&r);
	o = json_loads(text, 0, NULL);
	free(text);
	assert_true(json_is_null(json_object_get(o, "QualityMetrics")));
	json_decref(o);
}

static void recordings_are_linked(void **state)
{
	const struct record_recording recordings[] = {
		{STR("/r/one_ivr.wav"), STR("IVR"), START, START + 9 * CLOCK_S},
		{STR("/r/one.wav"), STR("ALL"), START + 9 * CLOCK_S, 0},
		{STR("/r/two.wav"), STR("ALL"), START + 9 * CLOCK_S, START + 10 * CLOCK_S, true}};
	struct record r = sample("11111111-aaaa-4aaa-8aaa-000000000001", 0);

	r.recordings = recordings;
	r.n_recordings = 3;
	char *text = json_of(&r);
	assert_non_null(text);
	json_t *o = json_loads(text, 0, NULL), *list = json_object_get(o, "Recordings");
	free(text);
	assert_string_equal(member(o, "Recording", "Location"), "/r/one_ivr.wav");
	assert_string_equal(member(o, "Recording", "Type"), "AUDIO");
	assert_int_equal(json_array_size(list), 3);
	json_t *second = json_array_get(list, 1);
	assert_string_equal(member(second, "Location", NULL), "/r/one.wav");
	assert_string_equal(member(second, "ParticipantType", NULL), "ALL");
	assert_string_equal(member(second, "MediaStreamType", NULL), "AUDIO");
	assert_string_equal(member(second, "Status", NULL), "AVAILABLE");
	assert_string_equal(member(second, "StartTimestamp", NULL), "2026-03-15T08:00:09Z");
	assert_true(json_is_null(json_object_get(second, "StopTimestamp")));
	assert_string_equal(
		member(json_array_get(list, 0), "StopTimestamp", NULL), "2026-03-15T08:00:09Z");
	json_t *failed = json_array_get(list, 2);
	assert_true(json_is_null(json_object_get(failed, "Location")));
	assert_true(json_is_null(json_object_get(failed, "Status")));
	json_decref(o);
}

static void the_json_has_the_public_shape(void **state)
{
	const struct record_pair attributes[] = {
		{STR("order"), STR("1043")}, {STR("name"), STR("M\xc3\xbcller \"x\"")}};
	struct record r = sample("11111111-aaaa-4aaa-8aaa-000000000001", 0);

	r.connected_to_system_wall = START + 999999999;
	r.disconnect_wall = START + 90 * CLOCK_S;
	r.disconnect_reason = STR("CUSTOMER_DISCONNECT");
	r.customer.address = STR("+12025550118");
	r.system.address = STR("+12025550100");
	r.agent_attempts = 2;
	r.has_queue = true;
	r.queue.queue.name = STR("Support");
	r.queue.enqueue_wall = START + 5 * CLOCK_S;
	r.queue.dequeue_wall = START + 17 * CLOCK_S + 900000000;
	r.has_agent = true;
	r.agent.username = STR("arossi");
	r.agent.routing_profile.name = STR("Basic");
	r.agent.connected_wall = START + 17 * CLOCK_S;
	r.agent.ended_wall = START + 90 * CLOCK_S + 999999999;
	r.agent.acw_start_wall = START + 90 * CLOCK_S;
	r.agent.acw_end_wall = START + 100 * CLOCK_S;
	r.attributes = attributes;
	r.n_attributes = 2;

	char *text = json_of(&r);
	assert_non_null(text);
	json_t *o = json_loads(text, 0, NULL);
	free(text);
	assert_non_null(o);
	assert_string_equal(member(o, "ContactId", NULL), "11111111-aaaa-4aaa-8aaa-000000000001");
	assert_string_equal(member(o, "InitiationMethod", NULL), "INBOUND");
	assert_string_equal(member(o, "InitiationTimestamp", NULL), "2026-03-15T08:00:00Z");
	assert_string_equal(member(o, "ConnectedToSystemTimestamp", NULL), "2026-03-15T08:00:00Z");
	assert_string_equal(member(o, "DisconnectReason", NULL), "CUSTOMER_DISCONNECT");
	assert_string_equal(member(o, "CustomerEndpoint", "Address"), "+12025550118");
	assert_string_equal(member(o, "CustomerEndpoint", "Type"), "TELEPHONE_NUMBER");
	assert_string_equal(member(o, "Queue", "Name"), "Support");
	assert_string_equal(member(o, "Queue", "DequeueTimestamp"), "2026-03-15T08:00:17Z");
	json_t *queue = json_object_get(o, "Queue"), *agent = json_object_get(o, "Agent");
	assert_int_equal(json_integer_value(json_object_get(queue, "Duration")), 12);
	assert_string_equal(member(o, "Agent", "Username"), "arossi");
	assert_int_equal(
		json_integer_value(json_object_get(agent, "AgentInteractionDuration")), 73);
	assert_int_equal(
		json_integer_value(json_object_get(agent, "AfterContactWorkDuration")), 10);
	assert_string_equal(member(o, "Attributes", "order"), "1043");
	assert_string_equal(member(o, "Attributes", "name"), "M\xc3\xbcller \"x\"");
	assert_true(json_is_null(json_object_get(o, "PreviousContactId")));
	assert_true(json_is_null(json_object_get(o, "NextContactId")));
	assert_true(json_is_null(json_object_get(o, "TransferredToEndpoint")));
	assert_int_equal(json_integer_value(json_object_get(o, "AgentConnectionAttempts")), 2);
	json_decref(o);

	r.attributes = &(struct record_pair){STR("a"), STR("\xff")};
	r.n_attributes = 1;
	assert_null(json_of(&r));
	r.n_attributes = 0;
	r.initiation_method = STR_NULL;
	assert_null(json_of(&r));
}

static json_int_t figure(json_t *o, const char *part, const char *name)
{
	return json_integer_value(json_object_get(json_object_get(o, part), name));
}

static json_int_t seconds_at(json_t *o, const char *part, const char *name)
{
	uint64_t wall_ns = 0;
	json_t *in = part ? json_object_get(o, part) : o;

	assert_int_equal(
		clock_parse(str_from(json_string_value(json_object_get(in, name))), &wall_ns), 0);
	return (json_int_t)(wall_ns / CLOCK_S);
}

/* Whatever the fractions of a second: what is written adds up to what is written. */
static void the_figures_add_up_to_wall_time(void **state)
{
	uint64_t step = CLOCK_S * 37 / 10, held = CLOCK_S * 19 / 10;

	for (uint64_t shift = 0; shift < CLOCK_S; shift += CLOCK_S / 97) {
		struct record r = sample("11111111-aaaa-4aaa-8aaa-000000000001", 0);
		uint64_t at = START + shift;
		json_t *o;
		char *text;

		r.has_queue = r.has_agent = true;
		r.queue.enqueue_wall = at;
		r.queue.dequeue_wall = at + step;
		r.agent.connected_wall = at + step;
		r.agent.ended_wall = r.agent.acw_start_wall = at + 3 * step;
		r.agent.acw_end_wall = at + 4 * step;
		r.agent.hold_ns = r.agent.longest_hold_ns = held + shift;
		r.agent.holds = 1;
		text = json_of(&r);
		o = json_loads(text, 0, NULL);
		free(text);
		assert_int_equal(figure(o, "Queue", "Duration"),
			seconds_at(o, "Queue", "DequeueTimestamp") -
				seconds_at(o, "Queue", "EnqueueTimestamp"));
		assert_int_equal(figure(o, "Agent", "AgentInteractionDuration") +
					 figure(o, "Agent", "CustomerHoldDuration"),
			seconds_at(o, "Agent", "AfterContactWorkStartTimestamp") -
				seconds_at(o, "Agent", "ConnectedToAgentTimestamp"));
		assert_int_equal(figure(o, "Agent", "AfterContactWorkDuration"),
			seconds_at(o, "Agent", "AfterContactWorkEndTimestamp") -
				seconds_at(o, "Agent", "AfterContactWorkStartTimestamp"));
		assert_true(figure(o, "Agent", "LongestHoldDuration") <=
			    figure(o, "Agent", "CustomerHoldDuration"));
		json_decref(o);
	}
}

/* Up to the last update, so that who reads an open record sees how long it has been. */
static void what_goes_on_counts_up_to_the_update(void **state)
{
	struct record r = sample("11111111-aaaa-4aaa-8aaa-000000000001", 0);
	char *text;
	json_t *o;

	r.complete = false;
	r.has_queue = r.has_agent = true;
	r.queue.enqueue_wall = START + 2 * CLOCK_S;
	r.agent.connected_wall = START + 40 * CLOCK_S;
	r.agent.hold_ns = 5 * CLOCK_S;
	text = json_of(&r);
	o = json_loads(text, 0, NULL);
	free(text);
	assert_int_equal(figure(o, "Queue", "Duration"), 58);
	assert_int_equal(figure(o, "Agent", "AgentInteractionDuration"), 15);
	assert_int_equal(figure(o, "Agent", "AfterContactWorkDuration"), 0);
	json_decref(o);
}

/* R102: also when it comes within the same second. */
static void R102_what_is_delivered_again_is_later(void **state)
{
	struct record r = sample("one", 0);
	json_int_t first, again, linked;

	open_records();
	put(&r);
	first = seconds_at(ask((struct records_query){0})->last, NULL, "LastUpdateTimestamp");
	put(&r);
	again = seconds_at(ask((struct records_query){0})->last, NULL, "LastUpdateTimestamp");
	assert_true(again > first);
	records_set_next(records, r.contact_id, STR("next"), r.last_update_wall);
	linked = seconds_at(ask((struct records_query){0})->last, NULL, "LastUpdateTimestamp");
	assert_true(linked > again);
	r.last_update_wall += 3600 * CLOCK_S;
	put(&r);
	assert_int_equal(
		seconds_at(ask((struct records_query){0})->last, NULL, "LastUpdateTimestamp"),
		first + 3600);
	close_records();
}

static void R98_an_open_record_is_never_listed_as_complete(void **state)
{
	open_records();
	struct record r = sample("one", 0);

	r.complete = false;
	put(&r);
	assert_int_equal(ask((struct records_query){0})->n, 0);
	struct answer *a = ask((struct records_query){.open_only = true});
	assert_int_equal(a->n, 1);
	assert_false(a->complete[0]);
	r.complete = true;
	put(&r);
	a = ask((struct records_query){0});
	assert_int_equal(a->n, 1);
	assert_true(a->complete[0]);
	assert_int_equal(ask((struct records_query){.open_only = true})->n, 0);
	/* And stays complete, whatever comes late. */
	r.complete = false;
	put(&r);
	assert_int_equal(ask((struct records_query){0})->n, 1);
	close_records();
}

static void R102_a_chain_is_found_and_delivered_again(void **state)
{
	open_records();
	struct record one = sample("one", 0), two = sample("two", 30), other = sample("other", 10);

	put(&one);
	put(&other);
	struct answer *a = ask((struct records_query){.by_number = true});
	assert_int_equal(a->n, 2);
	uint64_t since = a->numbers[1];
	/* A successor comes after the first was delivered. */
	one.next_contact_id = STR("two");
	two.initial_contact_id = STR("one");
	two.previous_contact_id = STR("one");
	two.initiation_method = STR("TRANSFER");
	put(&one);
	put(&two);
	a = ask((struct records_query){.since = since});
	assert_int_equal(a->n, 2);
	assert_string_equal(a->ids[0], "one");
	assert_string_equal(a->ids[1], "two");
	a = ask((struct records_query){.chain = STR("one")});
	assert_int_equal(a->n, 2);
	assert_string_equal(a->ids[0], "one");
	assert_string_equal(a->ids[1], "two");
	assert_string_equal(member(a->last, "PreviousContactId", NULL), "one");
	a = ask((struct records_query){.contact_id = STR("one")});
	assert_int_equal(a->n, 1);
	assert_string_equal(member(a->last, "NextContactId", NULL), "two");
	a = ask((struct records_query){0});
	assert_int_equal(a->n, 3);
	assert_string_equal(a->ids[0], "two");
	assert_string_equal(a->ids[2], "one");
	close_records();
}

static void many_go_out_in_few_batches(void **state)
{
	struct records_stats s;
	char id[32];

	open_records();
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(id, sizeof(id), "id-%u", i);
		struct record r = sample(id, i);
		put(&r);
		if (i % 100 == 0)
			loop_step(loop, 0);
	}
	struct answer *a = ask((struct records_query){.limit = 1000});
	assert_int_equal(a->n, 1000);
	assert_true(a->more);
	assert_string_equal(a->ids[0], "id-2999");
	a = ask((struct records_query){.limit = 10, .offset = 2995});
	assert_int_equal(a->n, 5);
	assert_false(a->more);
	records_stats(records, &s);
	assert_int_equal(s.written, 3000);
	assert_int_equal(s.waiting, 0);
	assert_true(s.batches < 60);
	close_records();
}

static int try_open(const char *where, char error[RECORDS_ERROR_SIZE])
{
	const struct records_config config = {.loop = loop, .offload = offload, .path = where};
	struct records *r = NULL;
	int result = records_open(&config, error, &r);

	if (!result)
		records_close(r);
	return result;
}

/* A control that was killed: its calls are in the books all the same. */
static void what_was_left_open_is_completed_at_the_next_start(void **state)
{
	open_records();
	for (unsigned i = 0; i < 3; i++) {
		char id[8];
		struct record r;

		snprintf(id, sizeof(id), "r%u", i);
		r = sample(id, 0);
		r.complete = i == 1;
		r.disconnect_reason = STR_NULL;
		put(&r);
	}
	reopen_records();
	assert_int_equal(ask((struct records_query){.open_only = true})->n, 0);
	struct answer *a = ask((struct records_query){.by_number = true});
	assert_int_equal(a->n, 3);
	/* those that were completed are new to who reads on from the last number */
	assert_string_equal(a->ids[0], "r1");
	assert_string_equal(
		json_string_value(json_object_get(a->last, "DisconnectReason")), "OTHER");
	close_records();
}

static sqlite3 *open_by_hand(void)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

/* A start that fails half-way leaves all of them to the next one. */
static void what_was_left_open_is_completed_at_once_or_not_at_all(void **state)
{
	char error[RECORDS_ERROR_SIZE];
	struct answer *a;
	sqlite3 *db;

	open_records();
	for (unsigned i = 0; i < 3; i++) {
		char id[8];

		snprintf(id, sizeof(id), "r%u", i);
		struct record r = sample(id, 0);
		r.complete = false;
		put(&r);
	}
	close_records();
	db = open_by_hand();
	assert_int_equal(
		database_run(db,
			"CREATE TRIGGER full BEFORE UPDATE ON records"
			" WHEN new.contact_id = 'r2' BEGIN SELECT raise(ABORT, 'full'); END"),
		0);
	assert_true(try_open(path, error) < 0);
	assert_int_equal(
		database_number(db, "SELECT count(*) FROM records WHERE complete = 0", -1), 3);
	assert_int_equal(database_run(db, "DROP TRIGGER full"), 0);
	sqlite3_close(db);
	open_records();
	a = ask((struct records_query){.by_number = true});
	assert_int_equal(a->n, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(a->numbers[i], 4 + i);
		assert_int_equal(a->ids[i][1], '0' + i);
	}
	close_records();
}

static void a_restart_keeps_records_and_numbers(void **state)
{
	struct records_stats before, after;

	open_records();
	for (unsigned i = 0; i < 5; i++) {
		char id[8];

		snprintf(id, sizeof(id), "r%u", i);
		struct record r = sample(id, i);
		put(&r);
	}
	records_stats(records, &before);
	/* Closed before anything could be written. */
	reopen_records();
	records_stats(records, &after);
	assert_int_equal(after.last_number, before.last_number);
	assert_int_equal(ask((struct records_query){0})->n, 5);
	close_records();
}

static int failing(void)
{
	struct records_stats s;

	records_stats(records, &s);
	return s.error;
}

static void a_disk_that_fails_loses_nothing_and_is_reported(void **state)
{
	sqlite3 *blocker;
	struct records_stats s;

	open_records();
	struct record r = sample("first", 0);
	put(&r);
	assert_int_equal(ask((struct records_query){0})->n, 1);
	/* Another program holds the file for longer than we wait. */
	blocker = open_by_hand();
	assert_int_equal(database_run(blocker, "BEGIN EXCLUSIVE"), 0);
	r = sample("second", 1);
	put(&r);
	UNTIL(failing());
	assert_int_equal(failing(), -EBUSY);
	r.disconnect_reason = STR("OTHER");
	put(&r);
	records_stats(records, &s);
	assert_int_equal(s.waiting, 2);
	/* an answer says what it does not show */
	struct answer *a = ask((struct records_query){.contact_id = STR("second")});
	assert_int_equal(a->error, 0);
	assert_int_equal(a->n, 0);
	assert_int_equal(a->behind, 2);
	a = ask((struct records_query){0});
	assert_int_equal(a->n, 1);
	assert_int_equal(a->behind, 2);
	assert_int_equal(database_run(blocker, "ROLLBACK"), 0);
	sqlite3_close(blocker);
	UNTIL(!failing());
	a = ask((struct records_query){0});
	assert_int_equal(a->n, 2);
	assert_int_equal(a->behind, 0);
	assert_string_equal(a->ids[0], "second");
	a = ask((struct records_query){.contact_id = STR("second")});
	assert_string_equal(member(a->last, "DisconnectReason", NULL), "OTHER");
	close_records();
}

/* How many lines the log has. */
static unsigned count_lines(int fd)
{
	char text[4096];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	unsigned lines = 0;

	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

/* The helper has other work; the journal goes on; the log says it once. */
static void a_lock_by_another_program_costs_little(void **state)
{
	struct record r = sample("one", 0);
	sqlite3 *blocker;
	char name[140];
	uint64_t begun_ns;
	struct stat st;
	off_t size;
	int log;

	snprintf(name, sizeof(name), "%s/log", directory);
	log = open(name, O_RDWR | O_CREAT, 0600);
	log_set_fd(log);
	log_set_level(LOG_LEVEL_INFO);
	snprintf(name, sizeof(name), "%s-puts", path);
	open_records();
	blocker = open_by_hand();
	assert_int_equal(database_run(blocker, "BEGIN IMMEDIATE"), 0);
	put(&r);
	UNTIL(failing());
	begun_ns = clock_now();
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(stat(name, &st), 0);
		size = st.st_size;
		put(&r);
		UNTIL(stat(name, &st) == 0 && st.st_size > size);
		ask((struct records_query){0});
	}
	assert_true(clock_now() - begun_ns < 15 * CLOCK_S); /* not two seconds each */
	assert_int_equal(count_lines(log), 1);
	assert_int_equal(database_run(blocker, "ROLLBACK"), 0);
	sqlite3_close(blocker);
	UNTIL(!failing());
	assert_int_equal(count_lines(log), 2);
	log_set_fd(STDERR_FILENO);
	close(log);
	close_records();
}

static void a_disk_that_fails_keeps_the_order(void **state)
{
	struct records_stats s;
	struct record r = sample("same", 0);
	struct answer *a;

	open_records();
	disk_takes(100);
	/* many, so that they are more than one batch, and a question hands them over at once */
	r.complete = false;
	for (unsigned i = 0; i < 1200; i++) {
		r.initiation_wall = START + i * CLOCK_S;
		put(&r);
	}
	ask((struct records_query){0});
	UNTIL((records_stats(records, &s), s.failures));
	disk_takes(RLIM_INFINITY);
	UNTIL((records_stats(records, &s), s.waiting == 0));
	a = ask((struct records_query){.open_only = true});
	assert_int_equal(a->n, 1);
	assert_int_equal(a->numbers[0], 1200);
	assert_string_equal(member(a->last, "InitiationTimestamp", NULL), "2026-03-15T08:19:59Z");
	close_records();
}

/* One record that changes all the time, while another program holds the file. */
static void the_journal_has_a_ceiling(void **state)
{
	static char big[RECORDS_JSON_MAX / 2];
	struct record_pair attribute = {STR("a"), {big, sizeof(big)}};
	struct record r = sample("same", 0);
	struct records_stats s;
	char name[140];
	struct stat st;
	sqlite3 *db;
	unsigned n;
	int rc = 0;

	memset(big, 'x', sizeof(big));
	r.complete = false;
	r.attributes = &attribute;
	r.n_attributes = 1;
	snprintf(name, sizeof(name), "%s-puts", path);
	open_records();
	db = open_by_hand();
	assert_int_equal(database_run(db, "BEGIN IMMEDIATE"), 0);
	for (n = 0; rc == 0 && n <= RECORDS_WAITING_BYTES / sizeof(big); n++) {
		rc = records_put(records, &r);
		loop_step(loop, 0);
	}
	assert_int_equal(rc, -ENOBUFS);
	assert_true(records_pressure(records));
	UNTIL(stat(name, &st) == 0 && st.st_size > (off_t)RECORDS_WAITING_BYTES / 2);
	/* all of it, so that the fold finds nothing that is written behind it */
	UNTIL(stat(name, &st) == 0 &&
		st.st_size > (off_t)RECORDS_WAITING_BYTES - (off_t)RECORDS_JSON_MAX);
	assert_true(st.st_size <= (off_t)RECORDS_WAITING_BYTES + (off_t)RECORDS_JSON_MAX);
	records_stats(records, &s);
	assert_int_equal(s.refused, 1);
	assert_int_equal(database_run(db, "ROLLBACK"), 0);
	sqlite3_close(db);
	UNTIL((records_stats(records, &s), s.waiting == 0));
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_size, 0);
	close_records();
}

static void what_waits_is_bounded_and_says_so(void **state)
{
	unsigned n = 0;
	int error = 0;

	open_records();
	struct record r = sample("same", 0);
	assert_false(records_pressure(records));
	while (!error && n <= RECORDS_WAITING_MAX) {
		error = records_put(records, &r);
		n += !error;
		if (n == RECORDS_WAITING_MAX / 2)
			assert_true(records_pressure(records));
	}
	assert_int_equal(error, -ENOBUFS);
	assert_int_equal(n, RECORDS_WAITING_MAX);
	UNTIL(!records_pressure(records));
	close_records();
}

static void write_file(const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

static void a_bad_file_is_a_clear_error(void **state)
{
	char error[RECORDS_ERROR_SIZE], garbage[9000];
	sqlite3 *db;

	assert_int_equal(try_open("/nonexistent/place/records.db", error), -ENOENT);
	assert_non_null(strstr(error, "/nonexistent/place"));
	memset(garbage, 'x', sizeof(garbage));
	write_file(garbage, sizeof(garbage));
	assert_int_equal(try_open(path, error), -EBADMSG);
	assert_non_null(strstr(error, path));
	bench_remove();
	/* A newer program's. */
	assert_int_equal(try_open(path, error), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
	sqlite3_close(db);
	assert_int_equal(try_open(path, error), -EPROTO);
	assert_non_null(strstr(error, "newer"));
	bench_remove();
	/* Somebody else's. */
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL);
	sqlite3_close(db);
	assert_int_equal(try_open(path, error), -EBADMSG);
	bench_remove();
	/* Damaged in the middle. */
	open_records();
	for (unsigned i = 0; i < 500; i++) {
		char id[16];

		snprintf(id, sizeof(id), "d%u", i);
		struct record r = sample(id, i);
		put(&r);
	}
	close_records();
	int fd = open(path, O_RDWR);
	struct stat st;
	fstat(fd, &st);
	for (off_t at = 4096; at < st.st_size; at += 4096)
		assert_int_equal(pwrite(fd, garbage, 2000, at), 2000);
	close(fd);
	assert_int_equal(try_open(path, error), -EBADMSG);
}

/* The first schema, as a control of before left it. */
static void a_file_of_the_schema_before_is_brought_up_to_date(void **state)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			"CREATE TABLE records(contact_id TEXT PRIMARY KEY,"
			" number INTEGER NOT NULL UNIQUE, complete INTEGER NOT NULL,"
			" initial_id TEXT NOT NULL, initiated INTEGER NOT NULL,"
			" json TEXT NOT NULL) WITHOUT ROWID;"
			"CREATE INDEX records_initial ON records(initial_id);"
			"CREATE INDEX records_initiated ON records(initiated);"
			"INSERT INTO records VALUES('b', 7, 1, 'a', 20, '{\"ContactId\":\"b\"}');"
			"INSERT INTO records VALUES('a', 5, 1, 'a', 10, '{\"ContactId\":\"a\"}');"
			"PRAGMA user_version = 1",
			NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	open_records();
	const struct answer *a = ask((struct records_query){.by_number = true});
	assert_int_equal(a->n, 2);
	assert_int_equal(a->numbers[0], 5);
	assert_int_equal(a->numbers[1], 7);
	a = ask((struct records_query){.chain = STR("a")});
	assert_int_equal(a->n, 2);
	assert_string_equal(a->ids[1], "b");
	/* only first segments have a chain */
	assert_int_equal(ask((struct records_query){.chain = STR("b")})->n, 0);
	close_records();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(R102_a_delivered_record_gets_a_successor),
		T(the_quality_of_both_parties_is_told),
		T(the_json_has_the_public_shape),
		T(recordings_are_linked),
		T(the_figures_add_up_to_wall_time),
		T(what_goes_on_counts_up_to_the_update),
		T(R102_what_is_delivered_again_is_later),
		T(R98_an_open_record_is_never_listed_as_complete),
		T(R102_a_chain_is_found_and_delivered_again),
		T(many_go_out_in_few_batches),
		T(what_was_left_open_is_completed_at_the_next_start),
		T(what_was_left_open_is_completed_at_once_or_not_at_all),
		T(a_restart_keeps_records_and_numbers),
		T(a_disk_that_fails_loses_nothing_and_is_reported),
		T(a_lock_by_another_program_costs_little),
		T(a_disk_that_fails_keeps_the_order),
		T(the_journal_has_a_ceiling),
		T(what_waits_is_bounded_and_says_so),
		T(a_bad_file_is_a_clear_error),
		T(a_file_of_the_schema_before_is_brought_up_to_date),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
