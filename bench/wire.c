/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include "rooms.h"

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <sys/mman.h>

enum { PACKET_BYTES = 2560, PACKET_PAGE_BYTES = 4096, OTHERS_MB = 64 };

static bool large_pages_there(uint64_t mb)
{
	void *p = mmap(NULL, mb << 20, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (p == MAP_FAILED)
		return false;
	munmap(p, mb << 20);
	return true;
}

static void start_eal(struct wire *w, const char *lcores, uint64_t packets)
{
	char mb[16];
	char *words[] = {"bench", (char *)(uintptr_t)lcores, "--no-pci", "--no-shconf",
		"--no-telemetry", "--log-level=lib.eal:error", "--no-huge", "-m", mb, NULL};

	w->large_pages = large_pages_there((packets * PACKET_BYTES >> 20) + OTHERS_MB);
	snprintf(mb, sizeof(mb), "%llu",
		(unsigned long long)(packets * PACKET_PAGE_BYTES >> 20) + OTHERS_MB);
	if (w->large_pages) {
		words[6] = "--in-memory";
		words[7] = NULL;
	}
	if (rte_eal_init(w->large_pages ? 7 : 9, words) < 0)
		rooms_fatal("EAL did not start");
}

void wire_start(struct wire *w, const char *lcores, uint32_t packets, uint32_t slots)
{
	struct rte_eth_conf conf = {0};

	start_eal(w, lcores, packets);
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
