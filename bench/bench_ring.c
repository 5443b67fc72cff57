/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_ring [--smoke]: the rings between control and dataplane, two threads on two CPUs: time of a
 * round trip of one message, messages a second one way.
 */
#include "bench.h"

#include <cordboard/ring.h>

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

struct pair {
	struct cord_ring there, back;
};

struct job {
	struct pair *pair;
	uint64_t messages;
	bool answers;
	uint64_t hash;
};

static void pin(uint32_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % (uint32_t)sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* With one CPU for both, waiting means letting the other run. */
static void wait_turn(uint32_t *turns)
{
	if (++*turns % 1024 == 0)
		sched_yield();
}

static void *answer(void *context)
{
	struct job *j = context;
	struct cord_ring_reader r;
	struct cord_ring_writer w;
	struct cord_message m;
	uint32_t turns = 0;

	pin(1);
	cord_ring_reader_join(&r, &j->pair->there);
	cord_ring_writer_join(&w, &j->pair->back);
	for (uint64_t n = 0; n < j->messages;) {
		if (cord_ring_read(&r, &m) != CORD_RING_OK) {
			wait_turn(&turns);
			continue;
		}
		j->hash = bench_hash(j->hash, &m.correlation, sizeof(m.correlation));
		n++;
		while (j->answers && cord_ring_write(&w, &m) != CORD_RING_OK)
			wait_turn(&turns);
	}
	return NULL;
}

static double run(struct pair *pair, uint64_t messages, bool answers, uint64_t *hash)
{
	struct job job = {pair, messages, answers, BENCH_HASH};
	struct cord_ring_writer w;
	struct cord_ring_reader r;
	struct cord_message m = {.type = 1}, back;
	pthread_t thread;
	uint32_t turns = 0;

	cord_ring_init(&pair->there);
	cord_ring_init(&pair->back);
	cord_ring_writer_join(&w, &pair->there);
	cord_ring_reader_join(&r, &pair->back);
	if (pthread_create(&thread, NULL, answer, &job))
		exit(1);
	pin(0);
	uint64_t begun = bench_tsc();

	for (uint64_t n = 0; n < messages; n++) {
		m.correlation = n;
		while (cord_ring_write(&w, &m) != CORD_RING_OK)
			wait_turn(&turns);
		while (answers && cord_ring_read(&r, &back) != CORD_RING_OK)
			wait_turn(&turns);
	}
	pthread_join(thread, NULL);
	*hash = job.hash;
	return (double)(bench_tsc() - begun);
}

int main(int argc, char **argv)
{
	bool smoke = bench_smoke(argc, argv);
	uint64_t trips = smoke ? 2000 : 2000000, stream = smoke ? 20000 : 20000000;
	struct pair *pair = mmap(NULL, sizeof(*pair), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	double ns = 1e9 / bench_tsc_hz();
	uint64_t hash;

	if (pair == MAP_FAILED)
		return 1;
	double cycles = run(pair, trips, true, &hash);

	printf("{\"bench\":\"ring_round_trip\",\"messages\":%llu,\"bytes\":%zu,\"ns\":%.0f,"
	       "\"hash\":\"%016llx\"}\n",
		(unsigned long long)trips, sizeof(struct cord_message), cycles / (double)trips * ns,
		(unsigned long long)hash);
	cycles = run(pair, stream, false, &hash);
	printf("{\"bench\":\"ring_one_way\",\"messages\":%llu,\"bytes\":%zu,"
	       "\"messages_per_second\":%.0f,\"hash\":\"%016llx\"}\n",
		(unsigned long long)stream, sizeof(struct cord_message),
		(double)stream / (cycles * ns / 1e9), (unsigned long long)hash);
	return 0;
}
