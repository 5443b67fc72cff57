/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include "rooms.h"

#include <rte_eth_ring.h>
#include <rte_ethdev.h>

void wire_make(struct wire *w, uint32_t packets, uint32_t slots)
{
	struct rte_eth_conf conf = {0};

	if (nic_pool_create(&w->nic, packets))
		rooms_fatal("no memory for packets");
	w->rx = rte_ring_create("arriving", slots, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	w->tx = rte_ring_create("leaving", slots, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (w->rx == NULL || w->tx == NULL)
		rooms_fatal("no memory for rings");
	int port = rte_eth_from_rings("wire", &w->rx, 1, &w->tx, 1, 0);

	if (port < 0 || rte_eth_dev_configure((uint16_t)port, 1, 1, &conf) ||
		rte_eth_rx_queue_setup((uint16_t)port, 0, 0, 0, NULL, w->nic.pool) ||
		rte_eth_tx_queue_setup((uint16_t)port, 0, 0, 0, NULL) ||
		rte_eth_dev_start((uint16_t)port))
		rooms_fatal("the ring device did not start");
	w->nic.port = (uint16_t)port;
	w->nic.rx_queues = w->nic.tx_queues = 1;
}
