/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/trace.h"

#include <stdlib.h>
#include <string.h>

#define CALL_ID_SIZE 160

/* In the ring before its bytes; records are padded to its alignment and never split. */
struct record {
	uint64_t number;
	uint64_t now_ns;
	const char *transport;
	struct address peer;
	uint32_t n;    /* bytes behind this head */
	uint32_t size; /* of all, padding included; 0: the ring goes on at its start */
	bool outgoing;
};

struct binding {
	char contact[TRACE_ID_SIZE];
	char call_id[CALL_ID_SIZE];
};

struct trace {
	char *ring;
	size_t room;
	size_t head, tail; /* where the next goes; the oldest */
	unsigned held;
	size_t used;
	uint64_t messages;
	struct binding *bindings;
	size_t bindings_n; /* ever */
};

struct trace *trace_new(size_t bytes)
{
	struct trace *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->room = (bytes ? bytes : TRACE_BYTES) & ~(size_t)15;
	t->ring = malloc(t->room);
	t->bindings = calloc(TRACE_BINDINGS_MAX, sizeof(*t->bindings));
	if (!t->ring || !t->bindings) {
		trace_free(t);
		return NULL;
	}
	return t;
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	free(t->ring);
	free(t->bindings);
	free(t);
}

/* ---- secrets ------------------------------------------------------------------------------- */

static void cross_out(char *p, size_t n)
{
	memset(p, 'x', n);
}

/* The quoted or plain value behind `name` = in a header's value. */
static void blank_param(char *value, size_t n, struct str name)
{
	for (size_t i = 0; i + name.n < n; i++) {
		size_t at = i + name.n, end;

		if (!str_equal_nocase(str_make(value + i, name.n), name))
			continue;
		if (i > 0 && !strchr(" \t,\r\n", value[i - 1]))
			continue; /* the tail of another name */
		while (at < n && (value[at] == ' ' || value[at] == '\t'))
			at++;
		if (at == n || value[at] != '=')
			continue;
		at++;
		while (at < n && (value[at] == ' ' || value[at] == '"'))
			at++;
		for (end = at; end < n && !strchr("\", \t\r\n", value[end]);)
			end++;
		cross_out(value + at, end - at);
		i = end;
	}
}

/* `n` bytes behind the colon, folded lines included. */
static void blank_credentials(char *value, size_t n)
{
	struct str rest = str_trim(str_make(value, n));
	size_t start = (size_t)(rest.p - value);

	if (str_starts_nocase(rest, STR("Digest"))) {
		blank_param(value, n, STR("response"));
		blank_param(value, n, STR("rspauth"));
		return;
	}
	while (start < n && value[start] != ' ')
		start++;
	for (; start < n; start++)
		if (!strchr(" \r\n\t", value[start]))
			value[start] = 'x';
}

static bool is_secret_header(struct str name)
{
	static const char *const names[] = {
		"Authorization", "Proxy-Authorization", "Authentication-Info"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_equal_nocase_text(name, names[i]))
			return true;
	return false;
}

/* Index behind the line that starts at `at`; folded lines belong to it when `folds`. */
static size_t line_behind(const char *p, size_t n, size_t at, bool folds)
{
	for (;;) {
		const char *lf = memchr(p + at, '\n', n - at);

		if (!lf)
			return n;
		at = (size_t)(lf - p) + 1;
		if (!folds || at >= n || (p[at] != ' ' && p[at] != '\t'))
			return at;
	}
}

static void blank_rest(char *line, size_t n, size_t from)
{
	for (size_t i = from; i < n && line[i] != '\r' && line[i] != '\n'; i++)
		line[i] = 'x';
}

/* Of "a=crypto:<tag> <suite> <key> …": where secrets may begin, whatever is missing. */
static size_t secret_of_crypto(struct str line)
{
	size_t at = strlen("a=crypto:");

	for (size_t i = at, words = 0; i + 1 < line.n && words < 2; i++)
		if (line.p[i] == ' ' && line.p[i + 1] != ' ') {
			words++;
			at = i + 1;
		}
	return str_starts_nocase(str_skip(line, at), STR("inline:")) ? at + 7 : at;
}

static void blank_body_line(char *line, size_t n)
{
	struct str text = str_make(line, n);

	if (str_starts_nocase(text, STR("a=crypto:")))
		blank_rest(line, n, secret_of_crypto(text));
	else if (str_starts_nocase(text, STR("k=")))
		blank_rest(line, n, 2);
	else if (str_starts_nocase(text, STR("Signal=")))
		blank_rest(line, n, 7);
}

/* The body of such a message is a key, and little else. */
static bool is_keys(struct str name, struct str value)
{
	return (str_equal_nocase_text(name, "Content-Type") || str_equal_nocase_text(name, "c")) &&
	       str_starts_nocase(str_trim(value), STR("application/dtmf"));
}

/* Of the headers that matter here: all others are passed by their first letter. */
static bool may_matter(char first)
{
	return strchr("AaPpCc \t", first) != NULL;
}

void trace_blank(char *message, size_t n)
{
	bool body = false, keys = false;

	for (size_t at = 0, next; at < n; at = next) {
		struct str name;
		ptrdiff_t colon;

		next = line_behind(message, n, at, !body);
		if (body && keys)
			blank_rest(message + at, next - at, 0);
		else if (body)
			blank_body_line(message + at, next - at);
		if (body)
			continue;
		body = message[at] == '\r' || message[at] == '\n';
		if (!may_matter(message[at]))
			continue;
		colon = str_index(str_make(message + at, next - at), ':');
		name = str_trim(str_make(message + at, colon < 0 ? 0 : (size_t)colon));
		if (colon > 0 && is_secret_header(name))
			blank_credentials(message + at + colon + 1, next - at - (size_t)colon - 1);
		keys |= colon > 0 && is_keys(name, str_make(message + at + colon + 1,
							   next - at - (size_t)colon - 1));
	}
}

struct str trace_call_id(struct str m)
{
	for (size_t at = 0, next; at < m.n && m.p[at] != '\r' && m.p[at] != '\n'; at = next) {
		struct str line, name;
		ptrdiff_t colon;

		next = line_behind(m.p, m.n, at, true);
		line = str_make(m.p + at, next - at);
		colon = str_index(line, ':');
		if (colon <= 0)
			continue;
		name = str_trim(str_head(line, (size_t)colon));
		if (str_equal_nocase_text(name, "Call-ID") || str_equal_nocase_text(name, "i"))
			return str_trim(str_skip(line, (size_t)colon + 1));
	}
	return str_make("", 0);
}

/* ---- the ring ------------------------------------------------------------------------------ */

static struct record *record_at(const struct trace *t, size_t at)
{
	return (struct record *)(void *)(t->ring + at);
}

/* The end of the ring holds no head, or one that says so: go on at the start. */
static size_t settle(const struct trace *t, size_t at)
{
	if (at + sizeof(struct record) > t->room || record_at(t, at)->size == 0)
		return 0;
	return at;
}

/* The tail is settled at once, while the mark at the end of the ring can still be read. */
static void drop_oldest(struct trace *t)
{
	size_t size = record_at(t, t->tail)->size;

	t->tail += size;
	t->used -= size;
	t->held--;
	if (t->held)
		t->tail = settle(t, t->tail);
}

/* Makes room for `size` bytes in one piece at the head. */
static void make_room(struct trace *t, size_t size)
{
	if (t->head + size > t->room) {
		/* What lies between the head and the end goes, then the head is at the start. */
		while (t->held && t->tail >= t->head)
			drop_oldest(t);
		if (t->head + sizeof(struct record) <= t->room)
			record_at(t, t->head)->size = 0;
		t->head = 0;
	}
	while (t->held && t->tail >= t->head && t->tail < t->head + size)
		drop_oldest(t);
	if (!t->held)
		t->tail = t->head;
}

void trace_add(struct trace *t, uint64_t now_ns, bool outgoing, const char *transport,
	const struct address *peer, struct str bytes)
{
	size_t n = bytes.n > TRACE_MESSAGE_MAX ? TRACE_MESSAGE_MAX : bytes.n;
	size_t size = (sizeof(struct record) + n + 15) & ~(size_t)15;
	struct record *r;

	if (size > t->room / 2)
		return;
	make_room(t, size);
	r = record_at(t, t->head);
	*r = (struct record){.number = t->messages + 1,
		.now_ns = now_ns,
		.transport = transport,
		.peer = *peer,
		.n = (uint32_t)n,
		.size = (uint32_t)size,
		.outgoing = outgoing};
	memcpy(r + 1, bytes.p, n);
	trace_blank((char *)(r + 1), n);
	t->head += size;
	t->used += size;
	t->held++;
	t->messages++;
}

unsigned trace_each(const struct trace *t, struct str call_id,
	bool (*visit)(void *ctx, const struct trace_message *message), void *ctx)
{
	unsigned visited = 0;
	size_t at = t->tail;

	for (unsigned i = 0; i < t->held; i++) {
		const struct record *r = record_at(t, at = settle(t, at));
		struct trace_message m = {.number = r->number,
			.now_ns = r->now_ns,
			.outgoing = r->outgoing,
			.transport = r->transport,
			.bytes = str_make((const char *)(r + 1), r->n)};

		at += r->size;
		m.call_id = trace_call_id(m.bytes);
		if (!str_equal(m.call_id, call_id))
			continue;
		address_format(&r->peer, m.peer);
		visited++;
		if (!visit(ctx, &m))
			break;
	}
	return visited;
}

/* ---- contacts ------------------------------------------------------------------------------ */

void trace_bind(struct trace *t, const char *contact, struct str call_id)
{
	struct binding *b = &t->bindings[t->bindings_n % TRACE_BINDINGS_MAX];
	struct binding fresh = {0};

	if (str_empty(call_id) ||
		str_copy(str_from(contact), fresh.contact, sizeof(fresh.contact)) < 0 ||
		str_copy(call_id, fresh.call_id, sizeof(fresh.call_id)) < 0)
		return;
	*b = fresh;
	t->bindings_n++;
}

unsigned trace_calls_of(
	const struct trace *t, const char *contact, struct str *call_ids, unsigned max)
{
	size_t n = t->bindings_n < TRACE_BINDINGS_MAX ? t->bindings_n : TRACE_BINDINGS_MAX;
	unsigned found = 0;

	for (size_t i = t->bindings_n - n; i < t->bindings_n && found < max; i++) {
		const struct binding *b = &t->bindings[i % TRACE_BINDINGS_MAX];

		if (strcmp(b->contact, contact) == 0)
			call_ids[found++] = str_from(b->call_id);
	}
	return found;
}

void trace_stats(const struct trace *t, struct trace_stats *out)
{
	*out = (struct trace_stats){.messages = t->messages, .held = t->held, .bytes = t->used};
}
