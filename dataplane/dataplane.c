/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane.h"

#include "log.h"
#include "port_secure.h"
#include "segment.h"
#include "srtp.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

/*
 * Memory of zeros. Large pages, where the kernel gives them, are for what is used by most: of what
 * few use, each would take a whole one. Never returned before exit.
 */
static void *memory_take(size_t bytes, int pages)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, bytes, pages);
	return p;
}

static void memory_give(void *p, size_t bytes)
{
	if (p)
		munmap(p, bytes);
}

static int arrays_create(struct dataplane *dp)
{
	uint32_t ports = dp->config.ports, rooms = dp->config.rooms;

	dp->port = memory_take(ports * sizeof(*dp->port), MADV_HUGEPAGE);
	dp->port_cold = memory_take(ports * sizeof(*dp->port_cold), MADV_HUGEPAGE);
	dp->port_rich = memory_take(ports * sizeof(*dp->port_rich), MADV_NOHUGEPAGE);
	dp->room = memory_take(rooms * sizeof(*dp->room), MADV_HUGEPAGE);
	dp->port_owner = memory_take(ports, MADV_HUGEPAGE);
	dp->room_owner = memory_take(rooms, MADV_HUGEPAGE);
	dp->from_main = aligned_alloc(64, sizeof(*dp->from_main));
	if (!dp->port || !dp->port_cold || !dp->port_rich || !dp->room || !dp->port_owner ||
		!dp->room_owner || !dp->from_main)
		return -ENOMEM;
	memset(dp->from_main, 0, sizeof(*dp->from_main));
	memset((void *)(uintptr_t)dp->port_owner, OWNER_NONE, ports);
	memset((void *)(uintptr_t)dp->room_owner, OWNER_NONE, rooms);
	return 0;
}

static int neighbors_start(struct dataplane *dp)
{
	struct neighbors *n = &dp->neighbors;
	int rc = neighbors_create(n, dp->config.ports);

	if (rc)
		return rc;
	n->addresses = dp->config.addresses;
	memcpy(n->address, dp->config.address, sizeof(n->address));
	memcpy(n->prefix, dp->config.prefix, sizeof(n->prefix));
	memcpy(n->gateway, dp->config.gateway, sizeof(n->gateway));
	return 0;
}

int dataplane_create(struct dataplane *dp, const struct dataplane_config *config)
{
	struct nic nic = dp->nic;

	memset(dp, 0, sizeof(*dp));
	dp->nic = nic;
	dp->config = *config;
	dp->tsc = clock_tsc;
	dp->ports_per_address = config->ports / config->addresses;
	for (uint32_t i = 0; i < config->addresses; i++) {
		if (config->address[i].family == CORD_FAMILY_IPV4)
			memcpy(&dp->ipv4[i], config->address[i].ip, sizeof(dp->ipv4[i]));
	}
	dp->segment_fd = -1;
	dp->wake_fd = -1;
	clock_start(&dp->clock, config->tsc_hz);
	atomic_store(&dp->unattended_since, clock_kernel_ns());
	dp->config.srtp_backend = srtp_pick(config->srtp_backend);
	int rc = segment_create(dp);

	if (rc == 0)
		rc = arrays_create(dp);
	if (rc == 0)
		rc = srtp_keys_create(
			&dp->srtp, dp->config.srtp_backend, PORT_SECURE_SLOTS * config->ports);
	if (rc == 0)
		rc = neighbors_start(dp);
	for (uint32_t i = 0; i < config->workers && rc == 0; i++)
		rc = worker_create(dp, i, &dp->worker[i]);
	if (rc)
		dataplane_destroy(dp);
	return rc;
}

void dataplane_destroy(struct dataplane *dp)
{
	for (uint32_t i = 0; i < CORD_WORKERS_MAX; i++) {
		worker_destroy(dp->worker[i]);
		dp->worker[i] = NULL;
	}
	srtp_keys_destroy(dp->srtp);
	clips_destroy(&dp->clips);
	taps_destroy(&dp->taps);
	neighbors_destroy(&dp->neighbors);
	free(dp->from_main);
	memory_give(dp->port, dp->config.ports * sizeof(*dp->port));
	memory_give(dp->port_cold, dp->config.ports * sizeof(*dp->port_cold));
	memory_give(dp->port_rich, dp->config.ports * sizeof(*dp->port_rich));
	memory_give(dp->room, dp->config.rooms * sizeof(*dp->room));
	memory_give((void *)(uintptr_t)dp->port_owner, dp->config.ports);
	memory_give((void *)(uintptr_t)dp->room_owner, dp->config.rooms);
	segment_destroy(dp);
	dp->srtp = NULL;
	dp->from_main = NULL;
	dp->port = NULL;
	dp->port_cold = NULL;
	dp->port_rich = NULL;
	dp->room = NULL;
	dp->port_owner = NULL;
	dp->room_owner = NULL;
}

void dataplane_passes(const struct dataplane *dp, uint64_t passes[CORD_WORKERS_MAX])
{
	for (uint32_t i = 0; i < dp->config.workers; i++)
		passes[i] = atomic_load_explicit(&dp->worker[i]->passes, memory_order_acquire);
}
