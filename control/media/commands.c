/* SPDX-License-Identifier: Apache-2.0 */
#include "media/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/pool.h"
#include "media/attach.h"

#define OPEN_MAX 131072u /* commands not answered or not written, of all workers */

/* A command that has no answer yet. Its correlation is its id in the pool, made unguessable. */
struct entry {
	commands_done done;
	void *ctx;
	uint32_t tag;
	uint16_t worker;
	bool written;
	uint64_t written_ns;
	struct entry *next, **back; /* among the written ones of its worker, oldest first */
};

/* Commands that wait for space in the ring, in a ring of our own that grows. */
struct lane {
	struct cord_message *waiting;
	uint32_t size, head, n; /* size: a power of two, or 0 */
	uint32_t unanswered;
	struct entry *oldest, **newest;
};

struct commands {
	struct attach *attach;
	unsigned workers;
	uint64_t veil; /* over correlations */
	struct pool entries;
	struct lane lanes[CORD_WORKERS_MAX];
};

/* Wiped: commands have keys. */
static void lane_free(struct lane *l)
{
	if (l->waiting)
		explicit_bzero(l->waiting, l->size * sizeof(*l->waiting));
	free(l->waiting);
	l->waiting = NULL;
	l->size = l->head = l->n = 0;
}

int commands_create(struct random *random, struct commands **out)
{
	struct commands *c = calloc(1, sizeof(*c));
	int error = c ? pool_init(&c->entries, sizeof(struct entry), OPEN_MAX) : -ENOMEM;

	if (error) {
		free(c);
		return error;
	}
	c->veil = random_u64(random);
	for (unsigned w = 0; w < CORD_WORKERS_MAX; w++)
		c->lanes[w].newest = &c->lanes[w].oldest;
	*out = c;
	return 0;
}

void commands_destroy(struct commands *c)
{
	if (!c)
		return;
	for (unsigned w = 0; w < CORD_WORKERS_MAX; w++)
		lane_free(&c->lanes[w]);
	pool_clear(&c->entries);
	free(c);
}

void commands_attach(struct commands *c, struct attach *attach, unsigned workers)
{
	CHECK(!c->attach && workers <= CORD_WORKERS_MAX);
	c->attach = attach;
	c->workers = workers;
}

/* ---- entries -------------------------------------------------------------------------------- */

static void entry_written(struct commands *c, struct entry *e, uint64_t now_ns)
{
	struct lane *l = &c->lanes[e->worker];

	e->written = true;
	e->written_ns = now_ns;
	e->next = NULL;
	e->back = l->newest;
	*l->newest = e;
	l->newest = &e->next;
	l->unanswered++;
}

static void entry_end(struct commands *c, struct entry *e, int error, enum cord_refusal refusal)
{
	struct lane *l = &c->lanes[e->worker];
	struct entry copy = *e;

	if (e->written) {
		*e->back = e->next;
		if (e->next)
			e->next->back = e->back;
		else
			l->newest = e->back;
		l->unanswered--;
	}
	pool_free(&c->entries, e);
	if (copy.done)
		copy.done(copy.ctx, copy.tag, error, refusal);
}

void commands_detach(struct commands *c)
{
	c->attach = NULL;
	for (unsigned w = 0; w < CORD_WORKERS_MAX; w++)
		lane_free(&c->lanes[w]);
	for (struct entry *e = pool_next(&c->entries, NULL); e; e = pool_next(&c->entries, e))
		entry_end(c, e, -ECONNRESET, CORD_REFUSAL_NONE);
}

bool commands_answer(struct commands *c, unsigned worker, const struct cord_message *m)
{
	struct entry *e = pool_get(&c->entries, m->correlation ^ c->veil);
	uint32_t refusal = m->event_done.refusal;

	if (!e || !e->written || e->worker != worker)
		return false;
	if (refusal >= CORD_REFUSAL_COUNT)
		refusal = CORD_REFUSAL_UNKNOWN_COMMAND;
	entry_end(c, e, refusal == CORD_REFUSAL_NONE ? 0 : -EPROTO, refusal);
	return true;
}

/* ---- lanes ---------------------------------------------------------------------------------- */

static int lane_grow(struct lane *l)
{
	uint32_t size = l->size ? l->size * 2 : 64;
	uint32_t n = l->n;
	struct cord_message *waiting = calloc(size, sizeof(*waiting));

	if (!waiting)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		waiting[i] = l->waiting[(l->head + i) & (l->size - 1)];
	lane_free(l);
	l->waiting = waiting;
	l->size = size;
	l->n = n;
	return 0;
}

static int lane_wait(struct lane *l, const struct cord_message *m)
{
	if (l->n == COMMANDS_WAITING_MAX)
		return -ENOBUFS;
	if (l->n == l->size) {
		int error = lane_grow(l);

		if (error)
			return error;
	}
	l->waiting[(l->head + l->n++) & (l->size - 1)] = *m;
	return 0;
}

/* True when the ring took it. */
static bool write_now(
	struct commands *c, struct entry *e, const struct cord_message *m, uint64_t now_ns)
{
	if (c->lanes[e->worker].unanswered >= COMMANDS_WINDOW ||
		attach_write(c->attach, e->worker, m) != CORD_RING_OK)
		return false;
	entry_written(c, e, now_ns);
	return true;
}

static void write_waiting(struct commands *c, struct lane *l, uint64_t now_ns)
{
	while (l->n > 0) {
		struct cord_message *m = &l->waiting[l->head];
		struct entry *e = pool_get(&c->entries, m->correlation ^ c->veil);

		CHECK(e);
		m->time = now_ns;
		if (!write_now(c, e, m, now_ns))
			return;
		explicit_bzero(m, sizeof(*m));
		l->head = (l->head + 1) & (l->size - 1);
		l->n--;
	}
}

/* A worker that does not move has not lost its commands: it takes them when it goes on. */
static void end_overdue(struct commands *c, unsigned worker, uint64_t now_ns)
{
	struct lane *l = &c->lanes[worker];

	if (!attach_worker_alive(c->attach, worker))
		return;
	while (l->oldest && now_ns - l->oldest->written_ns > COMMANDS_TIMEOUT_NS)
		entry_end(c, l->oldest, -ETIMEDOUT, CORD_REFUSAL_NONE);
}

void commands_pass(struct commands *c, uint64_t now_ns)
{
	for (unsigned w = 0; c->attach && w < c->workers; w++) {
		end_overdue(c, w, now_ns);
		if (c->attach)
			write_waiting(c, &c->lanes[w], now_ns);
	}
}

unsigned commands_space(const struct commands *c, unsigned worker)
{
	uint32_t left = OPEN_MAX - pool_used(&c->entries);
	uint32_t lane = COMMANDS_WAITING_MAX - c->lanes[worker].n;

	if (!c->attach)
		return 0;
	return left < lane ? left : lane;
}

unsigned commands_waiting(const struct commands *c)
{
	unsigned n = 0;

	for (unsigned w = 0; w < CORD_WORKERS_MAX; w++)
		n += c->lanes[w].n;
	return n;
}

unsigned commands_open(const struct commands *c)
{
	return pool_used(&c->entries);
}

static int send_command(struct commands *c, unsigned worker, struct cord_message *m,
	uint64_t now_ns, commands_done done, void *ctx, uint32_t tag)
{
	struct entry *e;
	uint64_t id;

	if (!c->attach)
		return -ENOTCONN;
	CHECK(worker < c->workers);
	e = pool_alloc(&c->entries, &id);
	if (!e)
		return -ENOBUFS;
	e->done = done;
	e->ctx = ctx;
	e->tag = tag;
	e->worker = (uint16_t)worker;
	m->correlation = id ^ c->veil;
	m->time = now_ns;
	if (c->lanes[worker].n == 0 && write_now(c, e, m, now_ns))
		return 0;
	int error = lane_wait(&c->lanes[worker], m);
	if (error)
		pool_free(&c->entries, e);
	return error;
}

#define X(NAME, member)                                                                           \
	int commands_##member(struct commands *c, unsigned worker,                                \
		const struct cord_##member *body, uint64_t now_ns, commands_done done, void *ctx, \
		uint32_t tag)                                                                     \
	{                                                                                         \
		struct cord_message m = {.type = CORD_COMMAND_##NAME, .size = sizeof(*body)};     \
                                                                                                  \
		m.member = *body;                                                                 \
		int error = send_command(c, worker, &m, now_ns, done, ctx, tag);                  \
		explicit_bzero(&m, sizeof(m));                                                    \
		return error;                                                                     \
	}
CORD_COMMANDS(X)
#undef X
