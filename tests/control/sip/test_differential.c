/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second opinion: on every message that both this parser and Sofia-SIP's accept, the two agree on
 * method, status, Call-ID, CSeq, tags and top branch. Over the torture messages and mutations.
 */
#include "mutate.h"
#include "sofia.h"
#include "torture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUTATIONS 3000

static int failures;

static void expect(const char *name, const char *what, struct str ours, const char *theirs)
{
	if (str_equal_text(ours, theirs))
		return;
	failures++;
	printf("%s: %s is '%.*s', theirs '%s'\n", name, what, STR_ARG(ours), theirs);
}

static void compare(const char *name, const struct sip_message *m, const struct sofia_opinion *o)
{
	expect(name, "method", m->method_name, o->method);
	expect(name, "Call-ID", m->call_id, o->call_id);
	expect(name, "From tag", m->from_tag, o->from_tag);
	expect(name, "To tag", m->to_tag, o->to_tag);
	expect(name, "branch", m->via.branch, o->branch);
	if (m->cseq.number == o->cseq && m->status == o->status)
		return;
	failures++;
	printf("%s: CSeq %u and status %u, theirs %u and %u\n", name, m->cseq.number, m->status,
		o->cseq, o->status);
}

/* True when both accept. */
static bool examine(const char *name, const char *bytes, size_t length)
{
	static struct sip_message message;
	static struct sofia_opinion opinion;
	struct sip_outcome outcome;

	if (sip_message_parse(&message, bytes, length, SIP_DATAGRAM, &outcome) != SIP_ACCEPT ||
		!sofia_parse(bytes, length, &opinion))
		return false;
	compare(name, &message, &opinion);
	return true;
}

int main(void)
{
	const struct torture_message *messages = torture_load();
	static char text[MUTATED_MAX];
	int plain = 0, mutated = 0;

	for (int i = 0; i < TORTURE_COUNT; i++)
		plain += examine(torture_rows[i].name, messages[i].bytes, messages[i].length);
	mutate_seed(7);
	for (int i = 0; i < MUTATIONS; i++) {
		const struct torture_message *m = &messages[i % TORTURE_COUNT];
		size_t n = m->length < MUTATED_MAX ? m->length : MUTATED_MAX;

		memcpy(text, m->bytes, n);
		mutate(text, &n);
		mutated += examine(torture_rows[i % TORTURE_COUNT].name, text, n);
	}
	printf("%d messages and %d mutations were accepted by both, %d differences\n", plain,
		mutated, failures);
	return failures == 0 && plain >= 24 ? EXIT_SUCCESS : EXIT_FAILURE;
}
