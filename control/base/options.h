/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options: one row each, and everything else follows from the row.
 *
 *	static const char *const formats[] = {"text", "json", NULL};
 *	static const struct option_row rows[] = {
 *		{"log.format", OPTION_ENUM, offsetof(struct config, log_format), .choices = formats,
 *			.preset = "text", .help = "form of a log line"},
 *		{"sip.listen", OPTION_ADDRESS, offsetof(struct config, listen), .preset =
 *			"127.0.0.1:5060", .help = "address and port that SIP is heard on"},
 *		{"queue.offer", OPTION_DURATION, offsetof(struct config, offer), .min = CLOCK_S,
 *			.max = 300 * CLOCK_S, .preset = "20s", .help = "time to accept an offer"},
 *	};
 *	static const struct options options = {rows, sizeof(rows) / sizeof(rows[0])};
 *
 * A dot in the name is a level of the YAML file (`sip:` / `  listen: …`); one dot at most. The rows
 * of one level stand together.
 *
 * Field types: OPTION_BOOL bool; OPTION_INT int64_t; OPTION_DURATION uint64_t ns; OPTION_STRING
 * char * (owned, never NULL); OPTION_ADDRESS struct address (length 0 for the preset "");
 * OPTION_LIST struct option_list (owned); OPTION_ENUM int (index in choices). min and max: value of
 * INT, ns of DURATION (0, 0: no range), bytes of STRING, items of LIST (max 0: the constants
 * below).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/address.h"
#include "base/report.h"
#include "base/yaml.h"

#define OPTION_STRING_MAX 4096
#define OPTION_LIST_MAX   256

enum option_type {
	OPTION_BOOL,
	OPTION_INT,
	OPTION_DURATION,
	OPTION_STRING,
	OPTION_ADDRESS,
	OPTION_LIST,
	OPTION_ENUM,
};

struct option_list {
	char **items;
	size_t n;
};

struct option_row {
	const char *name;
	enum option_type type;
	size_t offset;
	int64_t min, max;
	const char *preset;         /* text of the default; lists: items separated by commas */
	const char *const *choices; /* ends with NULL */
	const char *help;           /* one line or several separated by \n */
};

struct options {
	const struct option_row *rows;
	size_t n;
};

/* Defaults into `base`, which must be fresh (zeros or after options_clear()). A default that its
 * own row refuses is a failed CHECK. */
void options_preset(const struct options *o, void *base);
/* Releases owned fields and zeroes all. */
void options_clear(const struct options *o, void *base);
/*
 * Reads what the mapping has. Unknown keys are errors, but for root keys named in `others` (ends
 * with NULL; may be NULL): those belong to other readers. 0 or -EINVAL with everything reported.
 */
int options_read(const struct options *o, void *base, const struct yml_node *root,
	const char *const *others, struct report *report);
/* `name=value` from the command line. */
int options_set(const struct options *o, void *base, const char *assignment, struct report *report);
/* A complete file with every option commented: help, type, range, default. */
void options_print_default(const struct options *o, FILE *to);
/* The running values as YAML that options_read() reads back. */
void options_print(const struct options *o, const void *base, FILE *to);
