/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts DPDK's environment: which CPUs, which memory, which device. Works out the arguments, says
 * in one line of the log what it chose, and falls back to ordinary pages (by running the program
 * again, since the EAL starts only once in a process) when large ones turn out not to be there.
 */
#ifndef DATAPLANE_EAL_H
#define DATAPLANE_EAL_H

#include "options.h"

#include <stdbool.h>

struct eal {
	uint32_t workers;
	bool shares_cores; /* more threads than CPUs: nobody may spin */
	bool hugepages;
	bool software; /* the device is one made in software */
	uint16_t port; /* of the one Ethernet device */
	uint32_t mbufs;
	uint32_t descriptors;
};

/* 0, or a negative errno, logged. argv is for running again. */
int eal_start(struct eal *eal, const struct options *options, char **argv);
void eal_stop(void);

/*
 * Reads a list of CPUs like "2,3,5-7" into cpu[]; "auto" gives those that the process may use.
 * Returns how many, or -EINVAL: malformed, or a CPU that the process may not use.
 */
int eal_cpus(const char *list, uint32_t cpu[], uint32_t most);

#endif
