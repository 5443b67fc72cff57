/* SPDX-License-Identifier: Apache-2.0 */
/* Calls in a given state, and what each ear hears as a word. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "conference/conference.h"
#include "conference/rights.h"

/* Slots: the customer, the first agent, and those who are added after them. */
enum { C, S, T, U, V, W };

#define NOBODY CONFERENCE_NOBODY

/* Customer and first agent. */
struct conference talking(enum conference_mode mode);
/* Adds a party and lets it be on the way; gives its slot. */
unsigned add(struct conference *c, unsigned actor, enum party_via via);
/* Brings a pending party to the call. */
void connect(struct conference *c, unsigned slot);
/* Customer, S and a target T that has just connected: the customer is on hold. */
struct conference transferred(enum conference_mode mode, enum party_via via);
/* A supervisor, connected. */
unsigned watch(struct conference *c, unsigned agent, enum party_watch watch);

/* The verb must be done, or be refused with this error and change nothing. */
void does(struct conference *c, unsigned actor, enum conference_verb verb, unsigned subject);
void refused(struct conference *c, int error, unsigned actor, enum conference_verb verb,
	unsigned subject);
void refused_add(struct conference *c, int error, unsigned actor);

/*
 * What an ear hears: letters of the slots ("CSTUVW", then "XYZ"), before them "p" for its own player;
 * "-" is silence, "" a party that is not on the call. Valid until the next four calls.
 */
const char *heard(const struct conference *c, unsigned slot);
/* The ears of slots 0, 1, 2; whom the state breaks fails the test. */
void expect_heard(
	const struct conference *c, const char *customer, const char *source, const char *target);
