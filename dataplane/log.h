/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line to stderr for each thing an operator should know. Main lcore and start-up only: nothing
 * below worker_pass() logs.
 */
#ifndef DATAPLANE_LOG_H
#define DATAPLANE_LOG_H

enum log_level {
	LOG_ERROR,
	LOG_WARNING,
	LOG_INFO,
};

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)

#endif
