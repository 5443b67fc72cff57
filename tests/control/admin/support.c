/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LATE_MAX 256

unsigned fake_added;
static struct rpc_call *late[LATE_MAX];
static unsigned late_n;

static void handle_add(struct rpc_call *call)
{
	fake_added++;
	rpc_result(call, json_pack("{s:I, s:i}", "sum",
				 (json_int_t)(rpc_number(call, "a", 0) + rpc_number(call, "b", 0)),
				 "run", (int)fake_added));
}

static void handle_get(struct rpc_call *call)
{
	rpc_result(call, json_pack("{s:s, s:b}", "name", rpc_text(call, "name"), "flag",
				 rpc_flag(call, "flag")));
}

static void handle_late(struct rpc_call *call)
{
	late[late_n++] = call;
}

void fake_answer_late(void)
{
	while (late_n)
		rpc_result(late[--late_n], json_pack("{s:b}", "late", 1));
}

unsigned fake_late_waiting(void)
{
	return late_n;
}

static void handle_refuse(struct rpc_call *call)
{
	rpc_refuse(call, RPC_REFUSED, "no: %s", "the state forbids it");
}

static void handle_large(struct rpc_call *call)
{
	size_t n = (size_t)rpc_number(call, "bytes", 0);
	char *text = malloc(n + 1);

	memset(text, 'x', n);
	rpc_result(call, json_pack("{s:o}", "text", json_stringn_nocheck(text, n)));
	free(text);
}

static const struct param add_params[] = {
	{"a", PARAM_NUMBER, .required = true, .min = -10, .max = 10, .help = "one"},
	{"b", PARAM_NUMBER, .max = 10, .help = "another"}};
static const struct param get_params[] = {
	{"name", PARAM_TEXT, .required = true, .min = 1, .max = 8, .help = "a name"},
	{"list", PARAM_TEXTS, .max = 2, .help = "texts"}, {"flag", PARAM_FLAG, .help = "a flag"}};
static const struct param contact_params[] = {
	{"contact", PARAM_TEXT, .required = true, .min = 1, .help = "an id"}};
static const struct param large_params[] = {
	{"bytes", PARAM_NUMBER, .required = true, .max = 8 << 20, .help = "how many"}};

static const struct verb verbs[] = {
	{"fake.add", ROLE_DESKTOP, .changes = true, VERB_PARAMS(add_params), .handle = handle_add,
		.help = "adds"},
	{"fake.get", ROLE_READER, VERB_PARAMS(get_params), .handle = handle_get, .help = "gets"},
	{"fake.late", ROLE_READER, .handle = handle_late, .help = "answers later"},
	{"fake.refuse", ROLE_READER, .changes = true, .handle = handle_refuse, .help = "refuses"},
	{"fake.contact", ROLE_SUPERVISOR, .changes = true, .versioned = true,
		VERB_PARAMS(contact_params), .handle = handle_refuse, .help = "refuses"},
	{"fake.large", ROLE_READER, VERB_PARAMS(large_params), .handle = handle_large,
		.help = "a large answer"},
};

const struct verb_group fake_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};

/* ---- events -------------------------------------------------------------------------------- */

#define EVENTS_ROOM 4096
#define READS_MAX   64

struct events {
	struct event list[EVENTS_ROOM];
	unsigned first, n, keep; /* list[first .. n - 1] are kept */
	uint64_t base;
	struct events_listener *listeners;
	struct {
		uint64_t after;
		void (*done)(void *ctx, const struct events_page *page);
		void *ctx;
	} reads[READS_MAX];
	unsigned reads_n;
};

struct events *fake_events_new(unsigned keep)
{
	struct events *e = calloc(1, sizeof(*e));

	e->keep = keep;
	return e;
}

void fake_events_free(struct events *e)
{
	for (unsigned i = 0; i < e->reads_n; i++)
		e->reads[i].done(e->reads[i].ctx, &(struct events_page){.error = -ECANCELED});
	for (unsigned i = 0; i < e->n; i++) {
		free((char *)e->list[i].json.p);
		free((char *)e->list[i].topic);
	}
	free(e);
}

uint64_t fake_event(struct events *e, const char *topic, const char *json)
{
	struct event *one = &e->list[e->n++];
	struct events_listener *l = e->listeners, *next;

	*one = (struct event){.number = e->n, .wall_ns = 1, .topic = strdup(topic)};
	one->json = str_from(strdup(json));
	if (e->n - e->first > e->keep)
		e->first = e->n - e->keep;
	for (; l; l = next) {
		next = l->next;
		l->fn(l->ctx, one);
	}
	return one->number;
}

uint64_t events_last(const struct events *e)
{
	return e->n;
}

void events_listen(struct events *e, struct events_listener *l)
{
	l->next = e->listeners;
	l->back = &e->listeners;
	if (l->next)
		l->next->back = &l->next;
	e->listeners = l;
}

void events_unlisten(struct events_listener *l)
{
	if (!l->back)
		return;
	*l->back = l->next;
	if (l->next)
		l->next->back = l->back;
	l->back = NULL;
}

int events_read(struct events *e, uint64_t after,
	void (*done)(void *ctx, const struct events_page *page), void *ctx)
{
	if (e->reads_n == READS_MAX)
		return -ENOBUFS;
	e->reads[e->reads_n].after = after;
	e->reads[e->reads_n].done = done;
	e->reads[e->reads_n++].ctx = ctx;
	return 0;
}

bool fake_events_answer(struct events *e)
{
	struct events_page page = {.error = 0};
	uint64_t after;
	unsigned at;

	if (!e->reads_n)
		return false;
	after = e->reads[0].after;
	at = after < e->first ? e->first : (unsigned)(after > e->n ? e->n : after);
	page.gap = after < e->first || after > e->n;
	page.events = e->list + at;
	page.n = e->n - at > 10 ? 10 : e->n - at;
	page.more = e->n - at > page.n;
	{
		void (*done)(void *ctx, const struct events_page *page) = e->reads[0].done;
		void *ctx = e->reads[0].ctx;

		memmove(e->reads, e->reads + 1, --e->reads_n * sizeof(e->reads[0]));
		done(ctx, &page);
	}
	return true;
}
