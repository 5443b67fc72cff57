/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"

#define NOTES     60
#define NOTE_SIZE 200
#define BEGIN_NS  (1000 * S)

struct sim sim;

/* ---- what happens, by time ---- */

struct happening {
	uint64_t when_ns, number;
	sim_fn fn;
	uint64_t id, argument;
};

static struct happening *heap;
static size_t heap_n, heap_room;
static uint64_t heap_number;

static bool before(const struct happening *a, const struct happening *b)
{
	return a->when_ns != b->when_ns ? a->when_ns < b->when_ns : a->number < b->number;
}

static void swap(size_t a, size_t b)
{
	struct happening h = heap[a];

	heap[a] = heap[b];
	heap[b] = h;
}

void sim_at(uint64_t after_ns, sim_fn fn, uint64_t id, uint64_t argument)
{
	size_t at = heap_n;

	if (heap_n == heap_room) {
		heap_room = heap_room ? heap_room * 2 : 1024;
		heap = realloc(heap, heap_room * sizeof(*heap));
		CHECK(heap);
	}
	heap[heap_n++] = (struct happening){sim.now_ns + after_ns, heap_number++, fn, id, argument};
	for (; at > 0 && before(&heap[at], &heap[(at - 1) / 2]); at = (at - 1) / 2)
		swap(at, (at - 1) / 2);
}

static struct happening heap_take(void)
{
	struct happening first = heap[0];
	size_t at = 0;

	heap[0] = heap[--heap_n];
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < heap_n && before(&heap[child + 1], &heap[child]))
			child++;
		if (child >= heap_n || !before(&heap[child], &heap[at]))
			return first;
		swap(at, child);
		at = child;
	}
}

uint64_t sim_while(uint64_t most_ns)
{
	double part = random_unit(&sim.random);

	return (uint64_t)(part * part * part * (double)most_ns) + MS;
}

bool sim_percent(unsigned percent)
{
	return random_below(&sim.random, 100) < percent;
}

/* ---- what is told when something is wrong ---- */

static char notes[NOTES][NOTE_SIZE];
static unsigned note_next;

void sim_note(const char *format, ...)
{
	va_list args;
	int n = snprintf(notes[note_next % NOTES], NOTE_SIZE, "%10.3f  ",
		(double)(sim.now_ns - BEGIN_NS) / 1e9);

	va_start(args, format);
	vsnprintf(notes[note_next % NOTES] + n, NOTE_SIZE - (size_t)n, format, args);
	va_end(args);
	note_next++;
}

static void print_notes(void)
{
	for (unsigned i = note_next > NOTES ? note_next - NOTES : 0; i < note_next; i++)
		fprintf(stderr, "%s\n", notes[i % NOTES]);
}

/* A CHECK of the product has failed, which said so. */
static void on_abort(int number)
{
	void *frames[40];

	print_notes();
	backtrace_symbols_fd(frames, backtrace(frames, 40), STDERR_FILENO);
	fprintf(stderr, "ABORTED at %.3f s of seed %llu\n", (double)(sim.now_ns - BEGIN_NS) / 1e9,
		(unsigned long long)sim.seed);
	_exit(1);
}

void sim_wrong(const char *format, ...)
{
	va_list args;

	print_notes();
	fprintf(stderr,
		"WRONG at %.3f s of seed %llu, call %llu: ", (double)(sim.now_ns - BEGIN_NS) / 1e9,
		(unsigned long long)sim.seed, (unsigned long long)sim.count[COUNT_CALLS]);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr,
		"\nagain: %s tests/simulation/instance --seed %llu --round %llu --calls 1\n",
		program_invocation_short_name, (unsigned long long)sim.seed,
		(unsigned long long)sim.calls);
	exit(1);
}

/* ---- the loop, simulated ---- */

static struct loop_task *tasks;

uint64_t __wrap_loop_now(const struct loop *loop);
struct timers *__wrap_loop_timers(struct loop *loop);
void __wrap_loop_task_set(struct loop *loop, struct loop_task *task);
void __wrap_loop_task_cancel(struct loop_task *task);

uint64_t __wrap_loop_now(const struct loop *loop)
{
	return sim.now_ns;
}

struct timers *__wrap_loop_timers(struct loop *loop)
{
	return &sim.timers;
}

void __wrap_loop_task_set(struct loop *loop, struct loop_task *task)
{
	struct loop_task **p = &tasks;

	while (*p && *p != task)
		p = &(*p)->next;
	if (*p)
		return;
	*p = task;
	task->next = NULL;
}

void __wrap_loop_task_cancel(struct loop_task *task)
{
	struct loop_task **p = &tasks;

	while (*p && *p != task)
		p = &(*p)->next;
	if (*p)
		*p = task->next;
	task->next = NULL;
}

static void run_tasks(void)
{
	while (tasks) {
		struct loop_task *task = tasks;

		tasks = task->next;
		task->next = NULL;
		task->fn(task->ctx);
	}
}

/* ---- a run ---- */

static struct instance *instance;
static const char *directory;
static int64_t calls_max; /* as configured */
static char loop_stands_for[1], services_stand_for[1];

static struct instance *load(const struct instance *previous)
{
	struct instance *fresh;
	struct report report;

	report_init(&report);
	if (instance_load(directory, &sim.config, previous, NULL, &report, &fresh) < 0) {
		report_print(&report, stderr);
		exit(2);
	}
	report_clear(&report);
	return fresh;
}

void world_open(const char *path)
{
	struct report report;

	directory = path;
	signal(SIGABRT, on_abort);
	signal(SIGSEGV, on_abort);
	log_set_level(LOG_LEVEL_ERROR);
	log_set_fd(-1);
	report_init(&report);
	config_preset(&sim.config);
	if (instance_read_config(directory, &sim.config, &report) < 0) {
		report_print(&report, stderr);
		exit(2);
	}
	report_clear(&report);
	calls_max = sim.config.calls_max;
	instance = load(NULL);
}

void world_reload(void)
{
	struct instance *previous = instance;

	sim_note("the instance is reloaded");
	instance = load(previous);
	CHECK(board_reload(&sim.board, instance) == 0);
	instance_destroy(previous);
}

void world_settle(void)
{
	run_tasks();
	rules_of_touched();
}

static void choose_profile(void)
{
	struct random *r = &sim.random;

	sim.profile = (struct profile){
		.agents = 2 + (unsigned)random_below(r, 23),
		.calls = 1 + (unsigned)random_below(r, sim_percent(20) ? 60 : 14),
		.multi_party = sim_percent(50),
		.verb_ms = 2 + (unsigned)random_below(r, 14),
		.hang_up_percent = (unsigned)random_below(r, 60),
		.lost_percent = (unsigned)random_below(r, 40),
		.late_ms = 1 + (unsigned)random_below(r, 400),
	};
	sim.config.multi_party = sim.profile.multi_party;
}

void world_begin(uint64_t seed, uint64_t calls)
{
	struct switchboard *b = &sim.board;
	struct router_config router = {.contacts_max = (uint32_t)sim.config.contacts_max,
		.instance_limit = (uint32_t)calls_max,
		.offer_ns = sim.config.offer_ns};

	sim.seed = seed;
	sim.calls = calls;
	sim.now_ns = BEGIN_NS;
	sim.ending = false;
	sim.arrivals_left = calls;
	random_init_seed(&sim.random, seed);
	choose_profile();
	/* every other one has as many calls as the dataplane has rooms */
	sim.config.calls_max = seed % 2 ? 0 : calls_max;
	timers_init(&sim.timers, sim.now_ns);
	*b = (struct switchboard){.loop = (struct loop *)loop_stands_for,
		.timers = &sim.timers,
		.config = &sim.config,
		.instance = instance,
		.services = (struct services *)services_stand_for};
	random_init_seed(&b->random, seed ^ 0x5eed);
	CHECK(router_create(&router, b->timers, instance->resources, sim.now_ns, &b->router) == 0);
	CHECK(board_init(b) == 0);
	sessions_open();
	media_open();
	store_open();
	actors_open();
	world_settle();
	sim_at(sim_while(S), caller_arrives, 0, 0);
}

static void run_one(void)
{
	uint64_t timer_ns = timers_next(&sim.timers);

	if (heap_n && heap[0].when_ns <= timer_ns) {
		struct happening h = heap_take();

		sim.now_ns = sim.timers.now_ns = h.when_ns;
		h.fn(h.id, h.argument);
	} else {
		if (timer_ns > sim.now_ns) /* one that is due at once was set for the past */
			sim.now_ns = timer_ns;
		sim.count[COUNT_TIMER] += timers_run(&sim.timers, sim.now_ns);
	}
	run_tasks();
	rules_of_touched();
}

void world_run(void)
{
	uint64_t steps = 0;

	while (heap_n) {
		run_one();
		if (++steps % 2000 == 0)
			rules_of_all();
	}
}

void world_end(void)
{
	sim.ending = true;
	actors_end();
	world_run();
	rules_of_all();
	if (pool_used(&sim.board.contacts) || pool_used(&sim.board.legs) ||
		pool_used(&sim.board.treatments))
		sim_wrong("left at the end: %u contacts, %u legs, %u treatments",
			pool_used(&sim.board.contacts), pool_used(&sim.board.legs),
			pool_used(&sim.board.treatments));
	if (sim.board.live || sim.board.supervisors || sim.board.panels)
		sim_wrong("left at the end: %u concurrent calls, a supervisor or a panel",
			sim.board.live);
	if (sessions_left() || media_left())
		sim_wrong("left at the end: %u sessions, %u rooms and media legs", sessions_left(),
			media_left());
	if (actors_left())
		sim_wrong("%u blind transfers were never answered", actors_left());
	store_check();
	board_clear(&sim.board);
	router_destroy(sim.board.router);
	timers_clear(&sim.timers);
	sessions_close();
	media_close();
}

void world_close(void)
{
	instance_destroy(instance);
	config_clear(&sim.config);
	free(heap);
}

/* ---- what is counted, and told less often ---- */

bool __real_router_take_effect(struct router *router, struct router_effect *effect);
bool __wrap_router_take_effect(struct router *router, struct router_effect *effect);
void __real_contact_event(struct contact *contact, const char *type, uint64_t now_ns);
void __wrap_contact_event(struct contact *contact, const char *type, uint64_t now_ns);
void __real_agent_event(struct switchboard *board, const struct router_effect *change);
void __wrap_agent_event(struct switchboard *board, const struct router_effect *change);
void __real_panel_changed(struct contact *contact);
void __wrap_panel_changed(struct contact *contact);

bool __wrap_router_take_effect(struct router *router, struct router_effect *effect)
{
	bool taken = __real_router_take_effect(router, effect);
	struct contact *contact = taken ? pool_get(&sim.board.contacts, effect->contact) : NULL;

	sim.count[COUNT_ROUTER] += taken;
	if (contact)
		rules_touch(contact);
	return taken;
}

/* Panels and events are texts, which take most of the time: those of some are made. */
static bool is_told(const struct contact *contact)
{
	return pool_id_slot(contact->id) % 16 == 0;
}

void __wrap_panel_changed(struct contact *contact)
{
	if (is_told(contact))
		__real_panel_changed(contact);
}

void __wrap_contact_event(struct contact *contact, const char *type, uint64_t now_ns)
{
	if (is_told(contact))
		__real_contact_event(contact, type, now_ns);
}

void __wrap_agent_event(struct switchboard *board, const struct router_effect *change)
{
	if (change->agent % 16 == 0)
		__real_agent_event(board, change);
}
