/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line a message, one write(2) a line.
 *
 *	2026-11-20T11:40:51.123Z INFO sip contact=6f... leg=12: INVITE answered
 *	{"time":"...","level":"info","area":"sip","contact":"6f...","leg":12,"message":"..."}
 *
 * The second form with log_set_json(). Control bytes in values are escaped, so that a peer cannot
 * forge lines. Lines are cut at LOG_LINE_MAX. Any thread may log.
 *
 *	log_info(NULL, "main", "ready after %u ms", ms);
 *	log_info(LOG_CALL(contact->id, leg->id), "contact", "agent accepted");
 *	log_warning(LOG_CALL_FIELDS(NULL, 0, {"peer", peer}, {"method", "INVITE"}), "sip",
 *"refused"); log_warning_limited(NULL, "sip", 5, "malformed message from %s", peer);
 *
 * Whatever the network can cause is logged with the *_limited forms: at most `per_second` lines a
 * second for each place in the code; the next line says how many were left out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LOG_LINE_MAX 2048

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

struct log_field {
	const char *key;
	const char *value; /* NULL: left out */
};

/* What a line is about. */
struct log_call {
	const char *contact; /* contact id, NULL: unknown */
	uint64_t leg;        /* leg id, 0: unknown */
	const struct log_field *fields;
	unsigned n_fields;
};

#define LOG_CALL(contact_id, leg_id) (&(const struct log_call){(contact_id), (leg_id), 0, 0})
#define LOG_CALL_FIELDS(contact_id, leg_id, ...)                                                   \
	(&(const struct log_call){(contact_id), (leg_id), (const struct log_field[]){__VA_ARGS__}, \
		sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)})

/* All set before threads start. The default: stderr, INFO, text. */
void log_set_level(enum log_level level);
void log_set_fd(int fd);
void log_set_json(bool json);
bool log_wants(enum log_level level);
/* "debug", "info", "warning", "error"; -EINVAL. */
int log_level_parse(const char *name, enum log_level *out);
const char *log_level_name(enum log_level level);
/* Lines that could not be written. */
uint64_t log_lost(void);

/* One for each place in the code; zeroed. */
struct log_limit {
	uint64_t second;
	uint32_t count;
	uint32_t left_out;
};

/* `limit` NULL: no limit. */
__attribute__((format(printf, 6, 7))) void log_write(enum log_level level,
	const struct log_call *call, const char *area, struct log_limit *limit, unsigned per_second,
	const char *fmt, ...);

#define log_at(level, call, area, ...)                                   \
	do {                                                             \
		if (log_wants(level))                                    \
			log_write(level, call, area, 0, 0, __VA_ARGS__); \
	} while (0)
#define log_at_limited(level, call, area, per_second, ...)                                      \
	do {                                                                                    \
		static struct log_limit log_limit_here;                                         \
		if (log_wants(level))                                                           \
			log_write(level, call, area, &log_limit_here, per_second, __VA_ARGS__); \
	} while (0)

#define log_debug(call, area, ...)   log_at(LOG_LEVEL_DEBUG, call, area, __VA_ARGS__)
#define log_info(call, area, ...)    log_at(LOG_LEVEL_INFO, call, area, __VA_ARGS__)
#define log_warning(call, area, ...) log_at(LOG_LEVEL_WARNING, call, area, __VA_ARGS__)
#define log_error(call, area, ...)   log_at(LOG_LEVEL_ERROR, call, area, __VA_ARGS__)
#define log_info_limited(call, area, per_second, ...) \
	log_at_limited(LOG_LEVEL_INFO, call, area, per_second, __VA_ARGS__)
#define log_warning_limited(call, area, per_second, ...) \
	log_at_limited(LOG_LEVEL_WARNING, call, area, per_second, __VA_ARGS__)
#define log_error_limited(call, area, per_second, ...) \
	log_at_limited(LOG_LEVEL_ERROR, call, area, per_second, __VA_ARGS__)
