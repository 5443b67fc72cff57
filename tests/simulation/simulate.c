/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate_board, simulate_sip: calls through the switchboard with everything around it simulated.
 *
 *     simulate_board INSTANCE [--calls N] [--seed N] [--round N] [--cells] [--seeds FILE]
 *     simulate_sip   INSTANCE ...
 *
 * N calls in rounds, each round with the next seed and another profile; at the end of a round
 * everything must be gone. Prints calls, events and rates, and the hits of each cell of (state, verb,
 * event). Ends with 1 and the seed when an invariant is broken, and, with --cells, when a legal cell
 * was never hit.
 *
 * --seeds: those of a file instead, one a line: program, seed, calls, and what it found.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "world.h"

struct arguments {
	const char *instance, *seeds;
	uint64_t calls, seed, round;
	bool cells;
};

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
	const struct {
		const char *name;
		uint64_t *number;
	} numbers[] = {{"--calls", &a->calls}, {"--seed", &a->seed}, {"--round", &a->round}};

	for (int i = 1; i < argc; i++) {
		bool seeds = strcmp(argv[i], "--seeds") == 0;
		size_t k = 0;

		while (k < 3 && strcmp(argv[i], numbers[k].name) != 0)
			k++;
		if (strcmp(argv[i], "--cells") == 0)
			a->cells = true;
		else if (argv[i][0] != '-')
			a->instance = argv[i];
		else if ((k == 3 && !seeds) || ++i == argc)
			return false;
		else if (seeds)
			a->seeds = argv[i];
		else
			*numbers[k].number = strtoull(argv[i], NULL, 10);
	}
	return a->instance && a->round > 0;
}

static uint64_t sum(void)
{
	return sim.count[COUNT_SIP] + sim.count[COUNT_MEDIA] + sim.count[COUNT_TIMER] +
	       sim.count[COUNT_VERB] + sim.count[COUNT_ROUTER];
}

static void print_counts(double seconds)
{
	uint64_t calls = sim.count[COUNT_CALLS] + sim.count[COUNT_OUT], events = sum();

	printf("calls %llu (%llu dialled by agents), events %llu: %.1f a call\n",
		(unsigned long long)calls, (unsigned long long)sim.count[COUNT_OUT],
		(unsigned long long)events, calls ? (double)events / (double)calls : 0);
	printf("  sip %llu, media %llu, timers %llu, verbs %llu (%llu refused), router %llu\n",
		(unsigned long long)sim.count[COUNT_SIP],
		(unsigned long long)sim.count[COUNT_MEDIA],
		(unsigned long long)sim.count[COUNT_TIMER],
		(unsigned long long)sim.count[COUNT_VERB],
		(unsigned long long)sim.count[COUNT_REFUSED],
		(unsigned long long)sim.count[COUNT_ROUTER]);
	printf("  records %llu; %.0f s, %.0f calls/s, %.0f events/s\n",
		(unsigned long long)store_records(), seconds, (double)calls / seconds,
		(double)events / seconds);
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(uint64_t seed, uint64_t calls)
{
	world_begin(seed, calls);
	world_run();
	world_end();
}

/* How many there were of this program; -1: the file cannot be read, or a line is wrong. */
static int run_seeds(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256], program[32];
	unsigned long long seed, calls;
	int n = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (sscanf(line, "%31s %llu %llu", program, &seed, &calls) != 3) {
			n = -1;
			break;
		}
		if (strcmp(program, program_invocation_short_name) != 0)
			continue;
		run(seed, calls);
		n++;
	}
	fclose(file);
	return n;
}

int main(int argc, char **argv)
{
	struct arguments a = {.calls = 2000, .seed = 1, .round = 2000};
	double begun = seconds_now();
	unsigned missing;

	if (!read_arguments(argc, argv, &a)) {
		fprintf(stderr,
			"usage: %s INSTANCE [--calls N] [--seed N] [--round N] [--cells] "
			"[--seeds FILE]\n",
			program_invocation_short_name);
		return 2;
	}
	world_open(a.instance);
	if (a.seeds) {
		int n = run_seeds(a.seeds);

		world_close();
		printf("%d seeds of %s\n", n, a.seeds);
		return n < 0 ? 2 : 0;
	}
	for (uint64_t n = 0; n < a.calls; n += a.round, a.seed++)
		run(a.seed, a.round);
	world_close();
	missing = tally_print();
	print_counts(seconds_now() - begun);
	sessions_print();
	printf("%u legal cells were never hit\n", missing);
	return a.cells && missing ? 1 : 0;
}
