/* SPDX-License-Identifier: Apache-2.0 */
#include "eal.h"

#include "log.h"
#include "nic.h"

#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGEPAGE_BYTES (2ull << 20)
#define MAP_HUGE_2M    (21 << 26)
/* Set when the program runs again because large pages failed after all. */
#define AGAIN_VARIABLE "CORDBOARD_NO_HUGEPAGES"
/* Bytes of a packet buffer in the pool, all headers included, rounded up. */
#define MBUF_BYTES 2560ull
/* Without large pages EAL lets no packet buffer reach into a second page. */
#define MBUF_PAGE_BYTES 4096ull
#define EAL_WORDS_MAX   64
#define EAL_OWN_BYTES   (24ull << 20)
#define CPUS_MAX        1024u

static bool cpu_in(uint32_t cpu, const uint32_t *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (list[i] == cpu)
			return true;
	}
	return false;
}

static int cpus_auto(const cpu_set_t *allowed, uint32_t cpu[], uint32_t most)
{
	uint32_t n = 0;

	for (uint32_t c = 0; c < CPU_SETSIZE && n < most; c++) {
		if (CPU_ISSET(c, allowed))
			cpu[n++] = c;
	}
	return (int)n;
}

int eal_cpus(const char *list, uint32_t cpu[], uint32_t most)
{
	cpu_set_t allowed;
	uint32_t n = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return -errno;
	if (strcmp(list, "auto") == 0)
		return cpus_auto(&allowed, cpu, most);
	while (*list) {
		char *end;
		unsigned long from = strtoul(list, &end, 10), to = from;

		if (end == list)
			return -EINVAL;
		if (*end == '-') {
			list = end + 1;
			to = strtoul(list, &end, 10);
			if (end == list)
				return -EINVAL;
		}
		if (to < from || to >= CPU_SETSIZE)
			return -EINVAL;
		for (unsigned long c = from; c <= to; c++) {
			if (n == most || !CPU_ISSET(c, &allowed) || cpu_in((uint32_t)c, cpu, n))
				return -EINVAL;
			cpu[n++] = (uint32_t)c;
		}
		if (*end != 0 && *end != ',')
			return -EINVAL;
		list = *end ? end + 1 : end;
	}
	return n ? (int)n : -EINVAL;
}

/* Maps what would be needed and lets it go: a mapping reserves, so nothing fails later. */
static bool hugepages_there(uint64_t bytes)
{
	uint64_t whole = (bytes + HUGEPAGE_BYTES - 1) & ~(HUGEPAGE_BYTES - 1);
	void *p = mmap(NULL, whole, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2M, -1, 0);

	if (p == MAP_FAILED)
		return false;
	munmap(p, whole);
	return true;
}

/*
 * The tap driver asks for a real-time signal for each packet, a sixth of the throughput. It polls
 * instead when every such signal has a disposition already.
 */
static void close_tap_signal_trap(void)
{
	for (int s = SIGRTMIN + 1; s < SIGRTMAX; s++)
		signal(s, SIG_IGN);
}

struct words {
	char *word[EAL_WORDS_MAX + 1];
	char text[8192];
	size_t used;
	int count;
};

static void words_add(struct words *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void words_add(struct words *w, const char *format, ...)
{
	va_list arguments;
	size_t space = sizeof(w->text) - w->used;

	if (w->count == EAL_WORDS_MAX || space < 2)
		return;
	va_start(arguments, format);
	int n = vsnprintf(w->text + w->used, space, format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= space)
		return;
	w->word[w->count++] = w->text + w->used;
	w->word[w->count] = NULL;
	w->used += (size_t)n + 1;
}

static void words_split(struct words *w, const char *text)
{
	char copy[OPTIONS_TEXT_MAX];
	char *next = copy, *word;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&next, " ")) != NULL) {
		if (*word)
			words_add(w, "%s", word);
	}
}

static int cores_choose(struct eal *eal, const struct options *o, char *lcores, size_t bytes)
{
	uint32_t cpu[CPUS_MAX] = {0};
	int cpus = eal_cpus(o->cores, cpu, CPUS_MAX);

	if (cpus <= 0) {
		log_error("cores: expected \"auto\" or CPUs that this process may use, as 2,3,5-7; "
			  "found \"%s\"",
			o->cores);
		return -EINVAL;
	}
	uint32_t spare = (uint32_t)cpus - 1;
	uint32_t workers = o->workers ? (uint32_t)o->workers : spare ? spare : 1;

	eal->workers = workers < CORD_WORKERS_MAX ? workers : CORD_WORKERS_MAX;
	eal->shares_cores = eal->workers > spare;
	int n = snprintf(lcores, bytes, "0@%u", cpu[0]);

	for (uint32_t i = 0; i < eal->workers; i++)
		n += snprintf(lcores + n, bytes - (size_t)n, ",%u@%u", i + 1,
			spare ? cpu[1 + i % spare] : cpu[0]);
	log_info("%u workers, housekeeping on CPU %u, lcores %s%s", eal->workers, cpu[0], lcores,
		eal->shares_cores ? ", cores are shared" : "");
	return 0;
}

static bool memory_choose(struct eal *eal, const struct options *o, uint64_t *bytes)
{
	uint32_t ports = (uint32_t)o->ports;

	eal->descriptors = o->descriptors ? (uint32_t)o->descriptors
					  : nic_descriptors_needed(ports, eal->workers);
	eal->mbufs = o->mbufs ? (uint32_t)o->mbufs
			      : nic_mbufs_needed(ports, eal->workers, eal->descriptors);
	*bytes = eal->mbufs * MBUF_BYTES + EAL_OWN_BYTES;
	if (o->hugepages == HUGEPAGES_YES && !getenv(AGAIN_VARIABLE))
		return true;
	if (o->hugepages == HUGEPAGES_AUTO && !getenv(AGAIN_VARIABLE) && hugepages_there(*bytes))
		return true;
	*bytes = eal->mbufs * MBUF_PAGE_BYTES + EAL_OWN_BYTES;
	return false;
}

static void words_fill(struct words *w, const struct eal *eal, const struct options *o,
	const char *lcores, uint64_t bytes)
{
	uint64_t mb = o->memory_mb ? (uint64_t)o->memory_mb : (bytes >> 20) + 1;

	words_add(w, "cordboard-dataplane");
	words_add(w, "--lcores=%s", lcores);
	words_add(w, "--main-lcore=0");
	words_add(w, "--file-prefix=%s", o->file_prefix);
	words_add(w, "--log-level=lib.eal:warning");
	if (eal->hugepages) {
		words_add(w, "--in-memory");
	} else {
		words_add(w, "--no-huge");
		words_add(w, "-m");
		words_add(w, "%llu", (unsigned long long)mb);
	}
	if (*o->pci) {
		words_add(w, "-a");
		words_add(w, "%s", o->pci);
	} else {
		words_add(w, "--no-pci");
	}
	if (*o->vdev)
		words_add(w, "--vdev=%s", o->vdev);
	words_split(w, o->eal);
	if (eal->hugepages)
		log_info("memory: 2 MB pages, %llu MB", (unsigned long long)mb);
	else
		log_warning(
			"memory: no hugepages%s, %llu MB of ordinary pages; to have them: sysctl "
			"vm.nr_hugepages=%llu",
			o->hugepages == HUGEPAGES_NO ? " (by option)" : " to be had",
			(unsigned long long)mb, (unsigned long long)(mb / 2 + 8));
}

static int run_again(char **argv)
{
	log_warning("EAL did not start with hugepages (%s): starting again without",
		rte_strerror(rte_errno));
	setenv(AGAIN_VARIABLE, "1", 1);
	execv("/proc/self/exe", argv);
	return -errno;
}

int eal_start(struct eal *eal, const struct options *options, char **argv)
{
	static struct words words;
	char lcores[CORD_WORKERS_MAX * 12 + 16];
	uint64_t bytes;

	*eal = (struct eal){.software = *options->vdev != 0};
	if (cores_choose(eal, options, lcores, sizeof(lcores)))
		return -EINVAL;
	eal->hugepages = memory_choose(eal, options, &bytes);
	words_fill(&words, eal, options, lcores, bytes);
	close_tap_signal_trap();
	if (rte_eal_init(words.count, words.word) < 0) {
		if (eal->hugepages && options->hugepages == HUGEPAGES_AUTO)
			return run_again(argv);
		log_error("EAL did not start: %s", rte_strerror(rte_errno));
		return rte_errno ? -rte_errno : -EIO;
	}
	/* A device that fails to come up is no error to the EAL. */
	if (rte_eth_dev_count_avail() == 0) {
		log_error(
			"vdev, pci: no Ethernet device came up (vdev \"%s\", pci \"%s\"); see the "
			"EAL's lines above",
			options->vdev, options->pci);
		return -ENODEV;
	}
	eal->port = (uint16_t)rte_eth_find_next(0);
	return 0;
}

void eal_stop(void)
{
	rte_eal_cleanup();
}
