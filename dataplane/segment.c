/* SPDX-License-Identifier: Apache-2.0 */
#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

static uint64_t page_up(uint64_t bytes)
{
	return (bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static void header_write(struct dataplane *dp, struct cord_segment *s, uint64_t bytes)
{
	const struct dataplane_config *c = &dp->config;

	s->magic = CORD_SEGMENT_MAGIC;
	s->version = CORD_SEGMENT_VERSION;
	s->bytes = bytes;
	s->epoch = c->epoch;
	s->sizes = cord_sizes_here();
	s->workers = c->workers;
	s->ports = c->ports;
	s->rooms = c->rooms;
	s->addresses = c->addresses;
	s->udp_port_base = c->udp_port_base;
	s->rooms_per_worker = c->rooms;
	s->srtp_backend = c->srtp_backend;
	memcpy(s->address, c->address, sizeof(s->address));
}

int segment_create(struct dataplane *dp)
{
	const struct dataplane_config *c = &dp->config;
	uint64_t workers = page_up(sizeof(struct cord_segment));
	uint64_t port_status = page_up(workers + c->workers * sizeof(struct cord_worker));
	uint64_t room_status = page_up(port_status + c->ports * sizeof(struct cord_port_status));
	uint64_t bytes = page_up(room_status + c->rooms * sizeof(struct cord_room_status));
	int fd = memfd_create("cordboard-segment", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	dp->segment_fd = fd;
	if (ftruncate(fd, (off_t)bytes) ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -errno;
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	dp->segment = at;
	dp->segment_bytes = bytes;
	header_write(dp, at, bytes);
	dp->segment->offset_workers = workers;
	dp->segment->offset_port_status = port_status;
	dp->segment->offset_room_status = room_status;
	dp->shared = (void *)((char *)at + workers);
	dp->port_status = (void *)((char *)at + port_status);
	dp->room_status = (void *)((char *)at + room_status);
	dp->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return dp->wake_fd < 0 ? -errno : 0;
}

void segment_destroy(struct dataplane *dp)
{
	if (dp->segment)
		munmap(dp->segment, dp->segment_bytes);
	if (dp->segment_fd >= 0)
		close(dp->segment_fd);
	if (dp->wake_fd >= 0)
		close(dp->wake_fd);
	dp->segment = NULL;
	dp->segment_fd = -1;
	dp->wake_fd = -1;
}

void segment_rings_repair(struct dataplane *dp, uint32_t worker)
{
	cord_ring_init(&dp->shared[worker].commands);
	cord_ring_init(&dp->shared[worker].events);
}
