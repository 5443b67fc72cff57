/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jot: JSON written down at once, value by value, into a buffer that grows and is used again.
 *
 *	jot_reset(j);
 *	jot_open(j, NULL, '{');
 *	jot_text(j, "Name", name);
 *	jot_close(j, '}');
 *	if (!j->failed) ... j->p, j->n
 *
 * A value is given with its key; NULL in an array and for the whole. No spaces. Keys are ours and
 * are not escaped; text must be UTF-8, without zero bytes, else the jot fails: what fails stays
 * failed until the reset, and writes nothing more. A zeroed struct is an empty jot.
 */
#ifndef BASE_JOT_H
#define BASE_JOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct jot {
	char *p; /* terminated when anything was written */
	size_t n, size;
	bool failed;
};

void jot_reset(struct jot *j);
/* Frees the buffer. */
void jot_clear(struct jot *j);
struct str jot_str(const struct jot *j);

/* '{' or '[', and the one that belongs to it. */
void jot_open(struct jot *j, const char *key, char bracket);
void jot_close(struct jot *j, char bracket);

void jot_text(struct jot *j, const char *key, struct str text);
/* A key of somebody else's: escaped as text is. */
void jot_text_of(struct jot *j, struct str key, struct str text);
/* Empty: null. */
void jot_text_or_null(struct jot *j, const char *key, struct str text);
void jot_null(struct jot *j, const char *key);
void jot_bool(struct jot *j, const char *key, bool value);
void jot_number(struct jot *j, const char *key, uint64_t number);
/* Fields that another jot wrote, without the brackets around them. */
void jot_fields(struct jot *j, struct str fields);
/* Rounded to hundredths. Not a finite number: null. */
void jot_hundredths(struct jot *j, const char *key, double number);
/* UTC in milliseconds (base/clock.h); 0: null. */
void jot_time(struct jot *j, const char *key, uint64_t wall_ns);

#endif
