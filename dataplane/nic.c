/* SPDX-License-Identifier: Apache-2.0 */
#include "nic.h"

#include "log.h"

#include <rte_errno.h>
#include <rte_ethdev.h>

/* More than what is on its way out, so that a worker sends with packets that it sent before. */
#define NIC_CACHE 512u

static void lowest_address(
	struct rte_mempool *pool, void *context, struct rte_mempool_memhdr *memory, unsigned index)
{
	uintptr_t *lowest = context;

	(void)pool;
	(void)index;
	if ((uintptr_t)memory->addr < *lowest)
		*lowest = (uintptr_t)memory->addr;
}

static void check_span(struct rte_mempool *pool, void *context, void *object, unsigned index)
{
	struct nic *nic = context;

	(void)pool;
	(void)index;
	if (((uintptr_t)object - nic->handle_base) >> 6 >= 0xffffffffu)
		nic->handle_base = 0;
}

int nic_pool_create(struct nic *nic, uint32_t mbufs)
{
	uintptr_t lowest = UINTPTR_MAX;

	nic->pool = rte_pktmbuf_pool_create(
		"packets", mbufs, NIC_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, rte_socket_id());
	if (nic->pool == NULL) {
		log_error("packet pool of %u: %s", mbufs, rte_strerror(rte_errno));
		return -rte_errno;
	}
	rte_mempool_mem_iter(nic->pool, lowest_address, &lowest);
	/* Handle 0 is "none", so the first packet must not have it. */
	nic->handle_base = (lowest & ~(uintptr_t)63) - 64;
	rte_mempool_obj_iter(nic->pool, check_span, nic);
	if (nic->handle_base == 0) {
		log_error("packet pool is spread over more than 256 GB of addresses");
		return -ENOMEM;
	}
	return 0;
}

uint32_t nic_descriptors_needed(uint32_t ports, uint32_t workers)
{
	uint64_t packets = UINT64_C(2) * ports * NIC_HELD_MS / (CORD_TICK_NS / 1000000u) / workers;
	uint32_t descriptors = NIC_DESCRIPTORS_MIN;

	while (descriptors < packets && descriptors < NIC_DESCRIPTORS_MAX)
		descriptors *= 2;
	return descriptors;
}

uint32_t nic_mbufs_needed(uint32_t ports, uint32_t workers, uint32_t descriptors)
{
	/* A jitter buffer in use holds about three packets, a few ports hold more. */
	return ports * 6 + workers * (2 * descriptors + 2 * NIC_CACHE + 2048) + 1024;
}

static int queues_setup(const struct nic *nic, const struct nic_config *c, int socket)
{
	int rc = 0;

	for (uint16_t q = 0; q < nic->rx_queues && rc == 0; q++)
		rc = rte_eth_rx_queue_setup(
			c->port, q, c->descriptors, (unsigned)socket, NULL, nic->pool);
	for (uint16_t q = 0; q < nic->tx_queues && rc == 0; q++)
		rc = rte_eth_tx_queue_setup(c->port, q, c->descriptors, (unsigned)socket, NULL);
	return rc;
}

static int port_configure(struct nic *nic, const struct nic_config *c)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = {0};
	uint16_t rx_descriptors = c->descriptors, tx_descriptors = c->descriptors;
	struct nic_config queues = *c;
	int rc = rte_eth_dev_info_get(c->port, &info);

	if (rc)
		return rc;
	nic->rx_queues = info.max_rx_queues >= c->workers ? c->workers : 1;
	nic->tx_queues = info.max_tx_queues >= c->workers ? c->workers : 1;
	/* Rather than here, where it would cost the lines of the whole packet. */
	conf.rxmode.offloads = info.rx_offload_capa &
			       (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM);
	/* All that is sent is of one pool, and alone: tx.c. */
	conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	/* The tap driver wants as many of one kind as of the other. */
	if (nic->rx_queues != nic->tx_queues)
		nic->rx_queues = nic->tx_queues = 1;
	if (nic->rx_queues > 1 && (info.flow_type_rss_offloads & RTE_ETH_RSS_UDP)) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads & RTE_ETH_RSS_UDP;
	}
	rc = rte_eth_dev_configure(c->port, nic->rx_queues, nic->tx_queues, &conf);
	if (rc)
		return rc;
	rte_eth_dev_adjust_nb_rx_tx_desc(c->port, &rx_descriptors, &tx_descriptors);
	queues.descriptors = rx_descriptors < tx_descriptors ? rx_descriptors : tx_descriptors;
	return queues_setup(nic, &queues, rte_eth_dev_socket_id(c->port));
}

int nic_open(struct nic *nic, const struct nic_config *config)
{
	struct rte_ether_addr mac;
	char name[RTE_ETH_NAME_MAX_LEN] = "?";
	int rc = nic_pool_create(nic, config->mbufs);

	if (rc)
		return rc;
	nic->port = config->port;
	rte_eth_dev_get_name_by_port(config->port, name);
	rc = port_configure(nic, config);
	if (rc == 0)
		rc = rte_eth_dev_start(config->port);
	if (rc == 0)
		rc = rte_eth_macaddr_get(config->port, &mac);
	if (rc) {
		log_error("device %s: %s", name, rte_strerror(-rc));
		return rc;
	}
	memcpy(nic->mac, mac.addr_bytes, 6);
	log_info("device %s: MAC %02x:%02x:%02x:%02x:%02x:%02x, %u queues for %u workers, pool of "
		 "%u packets",
		name, nic->mac[0], nic->mac[1], nic->mac[2], nic->mac[3], nic->mac[4], nic->mac[5],
		nic->rx_queues, config->workers, config->mbufs);
	return 0;
}

int nic_join(struct nic *nic, const uint8_t (*group)[6], uint32_t groups)
{
	struct rte_ether_addr list[CORD_ADDRESSES_MAX];
	int rc;

	for (uint32_t i = 0; i < groups; i++)
		memcpy(list[i].addr_bytes, group[i], sizeof(list[i].addr_bytes));
	rc = rte_eth_dev_set_mc_addr_list(nic->port, list, groups);
	if (rc)
		rc = rte_eth_allmulticast_enable(nic->port);
	if (rc)
		log_error("device cannot take multicast, which IPv6 neighbours ask by: %s",
			rte_strerror(-rc));
	return rc;
}

void nic_close(struct nic *nic)
{
	rte_eth_dev_stop(nic->port);
	rte_eth_dev_close(nic->port);
	rte_mempool_free(nic->pool);
	nic->pool = NULL;
}
