/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contact records: one for each segment of a contact, chained, in SQLite; written in batches on the
 * offload thread, first to a journal (store/record_table.h), which is what makes them safe.
 *
 *	records_put(open) ... records_put(open) ... records_put(complete) [... put(complete) again]
 *
 * - A record is put whole, as often as it changes; the last one counts (upsert by ContactId). Every
 *   put gets a number that only grows: who reads "since N" gets each complete record, and those
 *   that were delivered again because they got a successor once more.
 * - `open` records are stored, so that a crash loses no call from the books, but are never listed
 *   as complete; a record that was complete stays complete. What is open when the file is opened
 *   was left by a control that died: it is completed with DisconnectReason OTHER.
 * - Another program that holds the file keeps rows in the journal, and costs the helper
 *   RECORDS_BUSY_MS a second.
 * - Nothing is lost on a slow or full disk: what is not in SQLite stays in memory and is tried
 *   again. At RECORDS_WAITING_MAX or RECORDS_WAITING_BYTES, which is the ceiling of the journal too,
 *   put says -ENOBUFS (counted; what is there stays, what is new is refused), and from half of that
 *   records_pressure() is true (admit no new contacts).
 * - A record that was complete and is delivered again bears a later LastUpdateTimestamp than before.
 * - JSON of a record: names and nesting of the public contact record. Timestamps are UTC in whole
 *   seconds, what is not known is null. Durations are in whole seconds too, and differences of the
 *   timestamps as they are written, so that they add up: in the queue; the agent's interaction and
 *   the customer's holds, together from the connection to the start of after-contact work; that
 *   work. What goes on while the record is open counts up to its LastUpdateTimestamp.
 * - QualityMetrics has the public shape, a score and issues for agent and customer, and beside them
 *   in Audio what they came from, which is ours: both streams and the longest round trip.
 *
 * All from the loop's thread. Results come from the loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define RECORDS_WAITING_MAX   20000u
#define RECORDS_WAITING_BYTES (64u << 20)
#define RECORDS_FOLD_NS       1000000000 /* that what is safe may lie outside of the table */
#define RECORDS_BUSY_MS       50         /* of waiting for another program, then a rest */
#define RECORDS_GATHER_NS     10000000   /* that a put may wait for others before it is written */
#define RECORDS_ROWS_MAX      1000u      /* of one query */
#define RECORDS_JSON_MAX      262144u    /* bytes of one record */
#define RECORDS_ERROR_SIZE    300
#define RECORDS_SCHEMA        2

struct jot;
struct loop;
struct offload;
struct records;

/* ARN and name of a queue, a routing profile, an endpoint. Empty: null. */
struct record_name {
	struct str arn, name;
};

/* `address` empty: the endpoint is null. */
struct record_endpoint {
	struct str address, type; /* type empty: TELEPHONE_NUMBER */
};

struct record_pair {
	struct str name, value;
};

/* How one direction of a party's media was: MOS 1.0..4.5 (ITU-T G.107). */
struct record_stream {
	bool known;
	double mos, mos_min, loss_percent, jitter_ms;
};

struct record_quality {
	bool known; /* of one of the streams at least */
	double score;
	const char *issues[3]; /* words of PotentialQualityIssues */
	unsigned n_issues;
	struct record_stream from, to; /* what came from the party, and what it heard */
	double round_trip_ms;          /* the longest; 0: not known */
};

struct record_recording {
	struct str location;    /* a path */
	struct str participant; /* ALL, AGENT, CUSTOMER, IVR */
	uint64_t start_wall, stop_wall;
	bool failed; /* it could not be written: no location, no status */
};

struct record_transition {
	struct str state; /* SILENT_MONITOR, BARGE */
	uint64_t start_wall, end_wall;
};

/*
 * Everything is copied by records_put(). Empty texts and times of 0 become null. Times are wall
 * nanoseconds, durations nanoseconds; both are cut to whole seconds.
 */
struct record {
	bool complete;
	struct str contact_id; /* must be there, like initial_contact_id and initiation_method */
	struct str initial_contact_id, previous_contact_id, next_contact_id, related_contact_id;
	struct str initiation_method; /* INBOUND, TRANSFER, … */
	struct str channel;           /* empty: VOICE */
	struct str account_id, instance_arn;
	struct str disconnect_reason;
	uint64_t initiation_wall, connected_to_system_wall, disconnect_wall, scheduled_wall;
	uint64_t transfer_completed_wall;
	uint64_t last_update_wall; /* must be there; later with each delivery */
	struct record_endpoint customer, system, transferred_to;
	unsigned agent_attempts;

	bool has_queue;
	struct {
		struct record_name queue;
		uint64_t enqueue_wall, dequeue_wall;
	} queue;

	bool has_agent;
	struct {
		struct str arn, username;
		struct record_name routing_profile;
		struct record_name hierarchy[5]; /* level 1 first */
		uint64_t connected_wall, ended_wall, acw_start_wall, acw_end_wall;
		uint64_t hold_ns, longest_hold_ns;
		unsigned holds;
		const struct record_transition *transitions;
		size_t n_transitions;
	} agent;

	struct record_quality agent_quality, customer_quality;

	const struct record_pair *attributes; /* user-defined */
	size_t n_attributes;
	const struct record_pair *references;
	size_t n_references;
	const struct record_pair *tags;
	size_t n_tags;
	const struct record_recording *recordings; /* the first is also `Recording` */
	size_t n_recordings;
};

struct records_config {
	uint64_t wall_ns; /* now: when records that a killed control left open are completed */
	struct loop *loop;
	struct offload *offload;
	const char *path; /* of the database file; its directory must be there */
};

/*
 * Opens or makes the database; blocks (at start). On failure `error` (RECORDS_ERROR_SIZE bytes)
 * names the file and what is wrong: no directory, not a database, damaged, made by a newer version,
 * locked by another process.
 */
int records_open(const struct records_config *config, char *error, struct records **out);
/*
 * Writes what waits, blocking, and closes; returns 0 or the error with which records were lost
 * (they are logged). The offload must be destroyed before. NULL is fine.
 */
int records_close(struct records *records);

/* -EINVAL: one of the required fields is missing or not UTF-8; -E2BIG: RECORDS_JSON_MAX; -ENOBUFS.
 */
int records_put(struct records *records, const struct record *record);
/*
 * A record that may have been delivered has got a successor: it is delivered again with
 * NextContactId set (R102). Nothing when there is no such record. -EINVAL: an id is empty; -E2BIG,
 * -ENOBUFS, -ENOMEM.
 */
int records_set_next(
	struct records *records, struct str contact_id, struct str next_id, uint64_t wall_ns);
bool records_pressure(const struct records *records);
/* Adds the JSON of a record as it would be stored; false when the record is not valid. */
bool record_json(const struct record *record, struct jot *j);
/* A time as records write it: UTC, whole seconds. */
#define RECORD_TIME_SIZE 21
void record_time(uint64_t wall_ns, char text[RECORD_TIME_SIZE]);

enum records_order { RECORDS_NEWEST, RECORDS_OLDEST };

struct records_query {
	struct str contact_id; /* this one; empty: any */
	struct str chain;      /* all with this InitialContactId, oldest first; empty: any */
	uint64_t since;        /* with a number above it, in the order of numbers; 0: any */
	bool by_number;        /* in the order of numbers also when since is 0 */
	bool open_too;         /* default: only complete ones */
	bool open_only;
	enum records_order order; /* by initiation, without since and chain */
	unsigned offset, limit;   /* limit 0: 100, at most RECORDS_ROWS_MAX */
};

struct records_row {
	uint64_t number;
	bool complete;
	const char *contact_id;
	const char *json;
};

struct records_result {
	int error; /* 0, or negative errno */
	const char *error_text;
	const struct records_row *rows; /* valid during the callback */
	size_t n;
	bool more;     /* cut at the limit */
	size_t behind; /* puts that are not seen, for they could not be written; 0: none */
};

/* Sees everything put before, but for what `behind` counts. -ENOBUFS: too many queries, or of jobs.
 * `done` is called once, also at records_close() (-ECANCELED). */
int records_query(struct records *records, const struct records_query *query,
	void (*done)(void *ctx, const struct records_result *result), void *ctx);

struct records_stats {
	uint64_t put, written, refused, failures, batches;
	int error; /* with which writing fails now, 0: it works */
	size_t waiting, waiting_bytes;
	uint64_t last_number;
	uint64_t slowest_batch_ns;
};

void records_stats(const struct records *records, struct records_stats *out);
