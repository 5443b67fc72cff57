/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cordboard-dataplane: starts in order (options, EAL, memory and segment, NIC, workers, attach
 * socket), then keeps house on the main lcore until SIGTERM or SIGINT.
 */
#include "attach.h"
#include "dataplane.h"
#include "discovery.h"
#include "eal.h"
#include "link.h"
#include "log.h"
#include "neighbor.h"
#include "srtp.h"
#include "telemetry.h"
#include "worker.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>

#define HOUSE_STEP_MS        5
#define HOUSE_CLOCK_NS       1000000000ull
#define HOUSE_NEIGHBORS_NS   100000000ull
#define HOUSE_WORKER_DEAD_NS CORD_HEARTBEAT_DEAD_NS

static volatile sig_atomic_t told_to_stop;

static void on_signal(int number)
{
	told_to_stop = number;
}

/* ---- options -------------------------------------------------------------------------------- */

enum outcome { GO_ON, SUCCEED, FAIL };

static enum outcome argument(
	struct options *o, const char *name, const char *value, char *wrong, size_t bytes)
{
	if (strcmp(name, "config") == 0)
		return options_read(o, value, wrong, bytes) ? FAIL : GO_ON;
	return options_set(o, name, value, wrong, bytes) ? FAIL : GO_ON;
}

/* --name value, --name=value, and the three that print and leave. */
static enum outcome arguments(struct options *o, int argc, char **argv, bool *print)
{
	char name[64], wrong[512] = "";

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		size_t length = strcspn(word, "=");

		if (strcmp(word, "--help") == 0) {
			options_help(stdout);
			return SUCCEED;
		}
		if (strcmp(word, "--version") == 0) {
			printf("cordboard-dataplane, contract version %u\n", CORD_SEGMENT_VERSION);
			return SUCCEED;
		}
		if (strcmp(word, "--print-config") == 0) {
			*print = true;
			continue;
		}
		if (strncmp(word, "--", 2) != 0 || length - 2 >= sizeof(name)) {
			log_error("expected --OPTION VALUE, found \"%s\"; see --help", word);
			return FAIL;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(length - 2), word + 2);
		const char *value = word[length] ? word + length + 1 : argv[++i];

		if (value == NULL) {
			log_error("--%s: expected a value", name);
			return FAIL;
		}
		if (argument(o, name, value, wrong, sizeof(wrong)) == FAIL) {
			log_error("%s", wrong);
			return FAIL;
		}
	}
	if (options_finish(o, wrong, sizeof(wrong))) {
		log_error("%s", wrong);
		return FAIL;
	}
	return GO_ON;
}

/* ---- house ---------------------------------------------------------------------------------- */

static void send_from_main(struct dataplane *dp, struct rte_mbuf *m)
{
	if (m && !exchange_put(dp->from_main, WORKER_WORD(WORKER_WORD_SEND, (uintptr_t)m)))
		rte_pktmbuf_free(m);
}

static void ask_neighbor(
	void *context, const struct cord_address *local, const struct cord_address *ip)
{
	struct dataplane *dp = context;

	send_from_main(dp, link_question(&dp->nic, local, ip));
}

static void announce_addresses(struct dataplane *dp)
{
	for (uint32_t i = 0; i < dp->config.addresses; i++)
		send_from_main(dp, link_announcement(&dp->nic, &dp->config.address[i]));
}

/* Neighbours ask for an IPv6 address by a group of its own. */
static int join_groups(struct dataplane *dp)
{
	uint8_t group[CORD_ADDRESSES_MAX][6];
	uint32_t groups = 0;

	for (uint32_t i = 0; i < dp->config.addresses; i++) {
		if (dp->config.address[i].family == CORD_FAMILY_IPV6)
			discovery_group_mac(dp->config.address[i].ip, group[groups++]);
	}
	return groups ? nic_join(&dp->nic, group, groups) : 0;
}

static void watch_workers(struct dataplane *dp, cord_time now_ns)
{
	static cord_time told[CORD_WORKERS_MAX];

	for (uint32_t i = 0; i < dp->config.workers; i++) {
		cord_time beat =
			atomic_load_explicit(&dp->shared[i].heartbeat, memory_order_acquire);

		if (beat == 0 || now_ns < beat || now_ns - beat < HOUSE_WORKER_DEAD_NS ||
			told[i] == beat)
			continue;
		told[i] = beat;
		log_error("worker %u has not moved for %llu ms", i,
			(unsigned long long)((now_ns - beat) / 1000000));
	}
}

static void keep_house(struct dataplane *dp, struct attach *attach)
{
	cord_time clock_at = 0, neighbors_at = 0;

	while (!told_to_stop) {
		cord_time now_ns = clock_kernel_ns();

		atomic_store_explicit(
			&dp->segment->dataplane_heartbeat, now_ns, memory_order_release);
		if (now_ns >= clock_at) {
			clock_at = now_ns + HOUSE_CLOCK_NS;
			clock_publish(&dp->clock);
			watch_workers(dp, now_ns);
		}
		if (now_ns >= neighbors_at) {
			neighbors_at = now_ns + HOUSE_NEIGHBORS_NS;
			neighbors_step(&dp->neighbors, now_ns, ask_neighbor, dp);
		}
		attach_step(attach, HOUSE_STEP_MS);
	}
}

/* ---- start ---------------------------------------------------------------------------------- */

static void config_fill(struct dataplane_config *c, const struct options *o, const struct eal *eal)
{
	*c = (struct dataplane_config){
		.workers = eal->workers,
		.ports = (uint32_t)o->ports,
		.rooms = (uint32_t)o->rooms,
		.coders = (uint32_t)o->coders,
		.addresses = o->addresses,
		.udp_port_base = (uint16_t)o->udp_port_base,
		.ignore_udp_checksum = o->udp_checksum == CHECKSUM_IGNORE,
		.may_sleep = eal->shares_cores || o->idle == IDLE_SLEEP ||
			     (o->idle == IDLE_AUTO && eal->software),
		.tsc_hz = rte_get_tsc_hz(),
	};
	memcpy(c->address, o->address, sizeof(c->address));
	memcpy(c->prefix, o->prefix, sizeof(c->prefix));
	memcpy(c->gateway, o->gateway_address, sizeof(c->gateway));
	if (getrandom(&c->epoch, sizeof(c->epoch), 0) != sizeof(c->epoch) ||
		getrandom(&c->seed, sizeof(c->seed), 0) != sizeof(c->seed))
		c->epoch = c->seed = clock_tsc();
	c->epoch |= 1;
}

static int workers_launch(struct dataplane *dp)
{
	uint32_t lcore, i = 0;

	RTE_LCORE_FOREACH_WORKER(lcore)
	{
		int rc = rte_eal_remote_launch(worker_run, dp->worker[i], lcore);

		if (rc)
			return rc;
		if (++i == dp->config.workers)
			return 0;
	}
	return -ENODEV;
}

static int run(struct dataplane *dp, const struct options *o, const struct eal *eal)
{
	const struct nic_config nic = {.port = eal->port,
		.workers = (uint16_t)eal->workers,
		.mbufs = eal->mbufs,
		.descriptors = (uint16_t)eal->descriptors};
	const struct attach_config attach_config = {o->attach_socket, o->allow_uid, o->allow_gid};
	struct dataplane_config config;
	struct attach attach;
	int rc = nic_open(&dp->nic, &nic);

	if (rc)
		return rc;
	config_fill(&config, o, eal);
	config.srtp_backend = (enum cord_srtp_backend)o->srtp_backend;
	if (srtp_pick(config.srtp_backend) == CORD_SRTP_BACKEND_NONE) {
		log_error("srtp-backend: this processor has no AES instructions for ipsec-mb; "
			  "expected auto or libsrtp");
		rc = -ENOTSUP;
		goto close_nic;
	}
	rc = dataplane_create(dp, &config);
	if (rc) {
		log_error("memory for %u ports and %u rooms: %s", config.ports, config.rooms,
			strerror(-rc));
		goto close_nic;
	}
	telemetry_register(dp);
	rc = join_groups(dp);
	if (rc)
		goto destroy;
	rc = attach_open(&attach, dp, &attach_config);
	if (rc)
		goto destroy;
	rc = workers_launch(dp);
	if (rc == 0) {
		announce_addresses(dp);
		log_info("ready: %u ports, %u rooms, attach at %s, idle workers %s, SRTP by %s",
			config.ports, config.rooms, o->attach_socket,
			config.may_sleep ? "sleep" : "spin",
			cord_srtp_backend_name(dp->config.srtp_backend));
		keep_house(dp, &attach);
		log_info("signal %d: stopping", (int)told_to_stop);
	}
	atomic_store(&dp->stop, 1);
	rte_eal_mp_wait_lcore();
	attach_close(&attach);
destroy:
	dataplane_destroy(dp);
close_nic:
	nic_close(&dp->nic);
	return rc;
}

int main(int argc, char **argv)
{
	static struct dataplane dp;
	struct options options;
	struct eal eal;
	bool print = false;

	options_default(&options);
	switch (arguments(&options, argc, argv, &print)) {
	case GO_ON:
		break;
	case SUCCEED:
		return EXIT_SUCCESS;
	case FAIL:
		return EXIT_FAILURE;
	}
	if (print) {
		options_print(&options, stdout);
		return EXIT_SUCCESS;
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGPIPE, SIG_IGN);
	if (eal_start(&eal, &options, argv))
		return EXIT_FAILURE;
	int rc = run(&dp, &options, &eal);

	eal_stop();
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
