/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Ethernet port: one receive and one transmit queue for each worker where the driver has as
 * many. Otherwise worker 0 has the only queue of that direction: it receives for all (ports have
 * owners, so packets are passed on), or sends for all.
 *
 * Packet buffers have names of 32 bits (nic_handle): the jitter buffer keeps those.
 */
#ifndef DATAPLANE_NIC_H
#define DATAPLANE_NIC_H

#include <cordboard/types.h>

#include <rte_mbuf.h>

struct nic {
	uint16_t port;
	uint16_t rx_queues, tx_queues; /* as many as workers, or 1 */
	uint8_t mac[6];
	struct rte_mempool *pool;
	uintptr_t handle_base;
};

struct nic_config {
	uint16_t port;
	uint16_t workers;
	uint32_t mbufs;
	uint16_t descriptors;
};

/* Makes the pool, configures and starts the port. 0, or a negative errno, logged. EAL runs. */
int nic_open(struct nic *nic, const struct nic_config *config);
void nic_close(struct nic *nic);

/*
 * Has the NIC take what is sent to these groups beside its own address. A NIC that cannot choose
 * takes all groups; one that can do neither is an error, logged: neighbours would not find us.
 */
int nic_join(struct nic *nic, const uint8_t (*group)[6], uint32_t groups);

/* Makes the pool only: for tests and benches without a port. */
int nic_pool_create(struct nic *nic, uint32_t mbufs);

/*
 * Descriptors that a queue needs so that nothing is lost while a worker is held up for NIC_HELD_MS
 * with all ports talking, twice its share of them: a power of two. The driver may take fewer.
 */
#define NIC_HELD_MS         4u
#define NIC_DESCRIPTORS_MIN 512u
#define NIC_DESCRIPTORS_MAX 4096u
uint32_t nic_descriptors_needed(uint32_t ports, uint32_t workers);

/* Packets that the pool needs so that no ceiling of the rest is ever limited by it. */
uint32_t nic_mbufs_needed(uint32_t ports, uint32_t workers, uint32_t descriptors);

/*
 * Gives a packet back. That it is alone (one segment, held by nobody else) stands in the first cache
 * line of its header, and the second one then stays untouched.
 */
static inline void nic_free(const struct nic *nic, struct rte_mbuf *m)
{
	if (m->nb_segs == 1 && m->pool == nic->pool && RTE_MBUF_DIRECT(m) &&
		rte_mbuf_refcnt_read(m) == 1)
		rte_mempool_put(nic->pool, m);
	else
		rte_pktmbuf_free(m);
}

static inline uint32_t nic_handle(const struct nic *nic, const struct rte_mbuf *m)
{
	return (uint32_t)(((uintptr_t)m - nic->handle_base) >> 6);
}

static inline struct rte_mbuf *nic_mbuf(const struct nic *nic, uint32_t handle)
{
	return (struct rte_mbuf *)(nic->handle_base + ((uintptr_t)handle << 6));
}

#endif
