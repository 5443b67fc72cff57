/* SPDX-License-Identifier: Apache-2.0 */
#include "attach.h"

#include "log.h"
#include "segment.h"
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS_MAX 4

/* ---- datagrams ------------------------------------------------------------------------------ */

static int send_message(int fd, struct cord_attach_message *m, const int *fds, uint32_t count)
{
	char control[CMSG_SPACE(FDS_MAX * sizeof(int))] = {0};
	struct iovec iov = {m, sizeof(*m)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

	m->magic = CORD_SEGMENT_MAGIC;
	if (count) {
		h.msg_control = control;
		h.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	return sendmsg(fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Keeps the first descriptor of a message, closes all others. */
static int take_fd(struct msghdr *h)
{
	int kept = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= c->cmsg_len; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (kept < 0)
				kept = fd;
			else
				close(fd);
		}
	}
	return kept;
}

/*
 * 1: a message of the right size; 0: nothing there; -EPIPE: the peer is gone; -EBADMSG: a datagram
 * of another size. *fd: its descriptor, or -1.
 */
static int receive_message(int s, struct cord_attach_message *m, int *fd)
{
	char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct iovec iov = {m, sizeof(*m)};
	struct msghdr h = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(s, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);

	*fd = -1;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
	*fd = take_fd(&h);
	if (n == 0)
		return -EPIPE;
	if ((size_t)n != sizeof(*m))
		return -EBADMSG;
	return 1;
}

/* ---- the lease ------------------------------------------------------------------------------ */

/* Whether a control left positions behind that the next one could not go on from. */
static bool rings_impossible(const struct cord_worker *shared)
{
	const struct cord_ring *in = &shared->commands, *out = &shared->events;

	return atomic_load(&in->head) - atomic_load(&in->tail) > CORD_RING_SLOTS ||
	       atomic_load(&out->head) - atomic_load(&out->tail) > CORD_RING_SLOTS;
}

static void lease_end(struct attach *a, const char *why)
{
	struct dataplane *dp = a->dp;

	if (a->lease < 0)
		return;
	log_warning("control (pid %d) detached: %s; media goes on", (int)a->peer, why);
	close(a->lease);
	a->lease = -1;
	taps_remove_lease(&dp->taps, a->leases);
	atomic_store(&dp->segment->control_attached, 0);
	atomic_store(&dp->segment->control_sleeping, 0);
	atomic_store(&dp->unattended_since, clock_kernel_ns());
	for (uint32_t i = 0; i < dp->config.workers; i++) {
		if (rings_impossible(&dp->shared[i]))
			atomic_store(&dp->worker[i]->rings, WORKER_RINGS_FAULT);
	}
}

static void guest_end(struct attach_guest *g)
{
	close(g->fd);
	g->fd = -1;
}

static void welcome_refuse(struct attach_guest *g, enum cord_attach_result result)
{
	struct cord_attach_message m = {
		.type = CORD_ATTACH_WELCOME, .result = result, .sizes = cord_sizes_here()};

	log_warning("control refused: %s", cord_attach_result_name(result));
	send_message(g->fd, &m, NULL, 0);
	guest_end(g);
}

static void lease_begin(struct attach *a, struct attach_guest *g)
{
	struct dataplane *dp = a->dp;
	struct cord_attach_message m = {
		.type = CORD_ATTACH_WELCOME,
		.result = CORD_ATTACH_RESULT_OK,
		.epoch = dp->config.epoch,
		.bytes = dp->segment_bytes,
		.sizes = cord_sizes_here(),
	};
	const int fds[] = {dp->segment_fd, dp->wake_fd};
	struct ucred peer = {0};
	socklen_t bytes = sizeof(peer);

	getsockopt(g->fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes);
	a->lease = g->fd;
	a->peer = peer.pid;
	a->leases++;
	a->watched_from = a->looked_at = clock_kernel_ns();
	g->fd = -1;
	atomic_store(&dp->unattended_since, 0);
	atomic_store(&dp->segment->control_attached, 1);
	if (send_message(a->lease, &m, fds, 2)) {
		lease_end(a, "hung up before it was welcomed");
		return;
	}
	log_info("control (pid %d, uid %d) attached", (int)peer.pid, (int)peer.uid);
}

static bool peer_allowed(const struct attach *a, int fd)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes))
		return false;
	return peer.uid == 0 || peer.uid == geteuid() ||
	       (long long)peer.uid == a->config.allow_uid ||
	       (long long)peer.gid == a->config.allow_gid;
}

static enum cord_attach_result hello_judge(
	const struct attach *a, const struct cord_attach_message *m)
{
	const struct cord_sizes ours = cord_sizes_here();

	if (m->magic != CORD_SEGMENT_MAGIC)
		return CORD_ATTACH_RESULT_MAGIC;
	if (m->type != CORD_ATTACH_HELLO)
		return CORD_ATTACH_RESULT_MALFORMED;
	if (m->sizes.segment_version != CORD_SEGMENT_VERSION)
		return CORD_ATTACH_RESULT_VERSION;
	if (memcmp(&m->sizes, &ours, sizeof(ours)) != 0)
		return CORD_ATTACH_RESULT_SIZES;
	if (a->lease >= 0)
		return CORD_ATTACH_RESULT_BUSY;
	for (uint32_t i = 0; i < a->dp->config.workers; i++) {
		if (atomic_load(&a->dp->worker[i]->rings) != WORKER_RINGS_OPEN)
			return CORD_ATTACH_RESULT_BUSY;
	}
	return CORD_ATTACH_RESULT_OK;
}

static void guest_step(struct attach *a, struct attach_guest *g, cord_time now_ns)
{
	struct cord_attach_message m;
	int fd;
	int rc = receive_message(g->fd, &m, &fd);

	if (fd >= 0)
		close(fd);
	if (rc == 0) {
		if (now_ns - g->since > CORD_HEARTBEAT_DEAD_NS)
			guest_end(g);
		return;
	}
	if (rc == -EPIPE) {
		guest_end(g);
		return;
	}
	enum cord_attach_result result =
		rc == 1 ? hello_judge(a, &m) : CORD_ATTACH_RESULT_MALFORMED;

	if (result == CORD_ATTACH_RESULT_OK)
		lease_begin(a, g);
	else
		welcome_refuse(g, result);
}

static void accept_step(struct attach *a, cord_time now_ns)
{
	int fd = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	struct attach_guest refused = {fd, now_ns};

	if (!peer_allowed(a, fd)) {
		welcome_refuse(&refused, CORD_ATTACH_RESULT_PEER);
		return;
	}
	for (uint32_t i = 0; i < ATTACH_GUESTS_MAX; i++) {
		if (a->guest[i].fd < 0) {
			a->guest[i] = refused;
			return;
		}
	}
	welcome_refuse(&refused, CORD_ATTACH_RESULT_BUSY);
}

/* ---- clips and taps ------------------------------------------------------------------------- */

static void clip_answer(struct attach *a, enum cord_attach_type type,
	enum cord_attach_result result, cord_clip_id id, uint32_t format)
{
	struct cord_attach_message m = {
		.type = type, .result = result, .clip = id, .format = format};

	atomic_store(&a->dp->segment->clips, a->dp->clips.count);
	if (send_message(a->lease, &m, NULL, 0))
		lease_end(a, "does not read the attach socket");
}

static void tap_answer(
	struct attach *a, enum cord_attach_type type, enum cord_attach_result result, cord_id id)
{
	struct cord_attach_message m = {.type = type, .result = result, .tap = id};

	if (result != CORD_ATTACH_RESULT_OK)
		log_warning("tap %016llx refused: %s", (unsigned long long)id,
			cord_attach_result_name(result));
	if (send_message(a->lease, &m, NULL, 0))
		lease_end(a, "does not read the attach socket");
}

static void lease_message(struct attach *a, const struct cord_attach_message *m, int fd)
{
	struct dataplane *dp = a->dp;
	enum cord_attach_result result;

	switch (m->type) {
	case CORD_ATTACH_CLIP_ADD:
		result = fd < 0 ? CORD_ATTACH_RESULT_NO_FD
				: clip_add(&dp->clips, fd, m->bytes, m->clip, m->format, a->leases);
		if (result != CORD_ATTACH_RESULT_OK)
			log_warning("clip %016llx, format %u refused: %s",
				(unsigned long long)m->clip, m->format,
				cord_attach_result_name(result));
		clip_answer(a, CORD_ATTACH_CLIP_READY, result, m->clip, m->format);
		break;
	case CORD_ATTACH_CLIP_REMOVE:
		result = clip_remove(&dp->clips, m->clip);
		if (result != CORD_ATTACH_RESULT_OK)
			clip_answer(a, CORD_ATTACH_CLIP_REMOVED, result, m->clip, 0);
		break;
	case CORD_ATTACH_TAP_ADD:
		result = fd < 0 ? CORD_ATTACH_RESULT_NO_FD
				: tap_add(&dp->taps, fd, m->bytes, m->tap, a->leases);
		tap_answer(a, CORD_ATTACH_TAP_READY, result, m->tap);
		break;
	case CORD_ATTACH_TAP_REMOVE:
		result = tap_remove(&dp->taps, m->tap);
		if (result != CORD_ATTACH_RESULT_OK)
			tap_answer(a, CORD_ATTACH_TAP_REMOVED, result, m->tap);
		break;
	default:
		lease_end(a, "sent a message of an unknown type");
		break;
	}
}

static void lease_read(struct attach *a)
{
	struct cord_attach_message m;
	int fd;

	while (a->lease >= 0) {
		int rc = receive_message(a->lease, &m, &fd);

		if (rc == 1 && m.magic == CORD_SEGMENT_MAGIC)
			lease_message(a, &m, fd);
		else if (rc == -EPIPE)
			lease_end(a, "hung up");
		else if (rc != 0)
			lease_end(a, "sent a malformed message");
		if (fd >= 0)
			close(fd);
		if (rc == 0)
			break;
	}
}

/* What has left and is used by nobody any more goes. */
static void leaving_step(struct attach *a)
{
	struct dataplane *dp = a->dp;
	uint64_t passes[CORD_WORKERS_MAX] = {0};

	if (dp->clips.leaving == NULL && dp->taps.leaving == NULL)
		return;
	dataplane_passes(dp, passes);
	cord_clip_id clip = clip_reap(&dp->clips, passes, dp->config.workers);
	cord_id tap = tap_reap(&dp->taps, passes, dp->config.workers);

	if (clip && a->lease >= 0)
		clip_answer(a, CORD_ATTACH_CLIP_REMOVED, CORD_ATTACH_RESULT_OK, clip, 0);
	if (tap && a->lease >= 0)
		tap_answer(a, CORD_ATTACH_TAP_REMOVED, CORD_ATTACH_RESULT_OK, tap);
}

/* ---- watching ------------------------------------------------------------------------------- */

static void heartbeat_watch(struct attach *a)
{
	/* The clock comes after: a beat between the two would seem to be one from the future. */
	cord_time beat = atomic_load(&a->dp->segment->control_heartbeat);
	cord_time now_ns = clock_kernel_ns();

	if (now_ns - a->looked_at > CORD_HEARTBEAT_LOOK_NS)
		a->watched_from = now_ns;
	a->looked_at = now_ns;
	/* A beat from the future says nothing. */
	if (beat < a->watched_from || beat > now_ns)
		beat = a->watched_from;
	if (now_ns - beat > CORD_HEARTBEAT_DEAD_NS)
		lease_end(a, "heartbeat stopped");
}

/*
 * A worker with a fault keeps off its rings from its next pass on; when it has begun two, they are
 * made whole.
 */
static void faults_watch(struct attach *a)
{
	struct dataplane *dp = a->dp;

	for (uint32_t i = 0; i < dp->config.workers; i++) {
		struct worker *w = dp->worker[i];
		uint64_t passes = atomic_load(&w->passes);

		if (atomic_load(&w->rings) != WORKER_RINGS_FAULT)
			continue;
		lease_end(a, "wrote an impossible ring position");
		if (a->repair_at[i] == 0) {
			a->repair_at[i] = passes + 2;
		} else if (passes >= a->repair_at[i]) {
			a->repair_at[i] = 0;
			segment_rings_repair(dp, i);
			atomic_store(&w->rings, WORKER_RINGS_JOIN);
		}
	}
}

void attach_step(struct attach *a, int timeout_ms)
{
	struct pollfd fds[ATTACH_GUESTS_MAX + 2];
	struct attach_guest *guest[ATTACH_GUESTS_MAX + 2] = {0};
	nfds_t n = 0;

	fds[n++] = (struct pollfd){.fd = a->listener, .events = POLLIN};
	if (a->lease >= 0)
		fds[n++] = (struct pollfd){.fd = a->lease, .events = POLLIN};
	for (uint32_t i = 0; i < ATTACH_GUESTS_MAX; i++) {
		if (a->guest[i].fd < 0)
			continue;
		guest[n] = &a->guest[i];
		fds[n++] = (struct pollfd){.fd = a->guest[i].fd, .events = POLLIN};
	}
	poll(fds, n, timeout_ms);
	cord_time now_ns = clock_kernel_ns();

	/* The lease first: a control that hung up makes room for the one that knocks. */
	lease_read(a);
	if (a->lease >= 0)
		heartbeat_watch(a);
	faults_watch(a);
	for (nfds_t i = 0; i < n; i++) {
		if (guest[i])
			guest_step(a, guest[i], now_ns);
	}
	if (fds[0].revents)
		accept_step(a, now_ns);
	leaving_step(a);
}

/* ---- open and close ------------------------------------------------------------------------- */

static void make_parent(const char *path)
{
	char copy[108];

	snprintf(copy, sizeof(copy), "%s", path);
	mkdir(dirname(copy), 0755);
}

int attach_open(struct attach *a, struct dataplane *dp, const struct attach_config *config)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int rc;

	*a = (struct attach){.dp = dp, .config = *config, .listener = -1, .lease = -1};
	for (uint32_t i = 0; i < ATTACH_GUESTS_MAX; i++)
		a->guest[i].fd = -1;
	if (strlen(config->path) >= sizeof(address.sun_path)) {
		log_error("attach-socket: expected fewer than %zu characters: %s",
			sizeof(address.sun_path), config->path);
		return -EINVAL;
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", config->path);
	make_parent(config->path);
	a->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(config->path);
	if (a->listener < 0 || bind(a->listener, (struct sockaddr *)&address, sizeof(address)) ||
		chmod(config->path, 0660) ||
		(config->allow_gid >= 0 &&
			chown(config->path, (uid_t)-1, (gid_t)config->allow_gid)) ||
		(config->allow_uid >= 0 &&
			chown(config->path, (uid_t)config->allow_uid, (gid_t)-1)) ||
		listen(a->listener, ATTACH_GUESTS_MAX)) {
		rc = -errno;
		log_error("attach-socket %s: %s", config->path, strerror(-rc));
		attach_close(a);
		return rc;
	}
	return 0;
}

void attach_close(struct attach *a)
{
	for (uint32_t i = 0; i < ATTACH_GUESTS_MAX; i++) {
		if (a->guest[i].fd >= 0)
			guest_end(&a->guest[i]);
	}
	if (a->lease >= 0)
		close(a->lease);
	if (a->listener >= 0) {
		unlink(a->config.path);
		close(a->listener);
	}
	a->lease = -1;
	a->listener = -1;
}
