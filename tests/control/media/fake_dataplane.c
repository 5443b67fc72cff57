/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_dataplane.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"

#define NONBLOCK (SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC)

static void *at(struct fake *f, uint64_t offset)
{
	return (uint8_t *)f->segment + offset;
}

struct cord_worker *fake_worker(struct fake *f, unsigned worker)
{
	return (struct cord_worker *)at(f, sizeof(struct cord_segment)) + worker;
}

static uint64_t port_offset(void)
{
	return sizeof(struct cord_segment) + FAKE_WORKERS * sizeof(struct cord_worker);
}

static uint64_t room_offset(void)
{
	return port_offset() + FAKE_PORTS * sizeof(struct cord_port_status);
}

struct cord_port_status *fake_status(struct fake *f, cord_id port)
{
	return (struct cord_port_status *)at(f, port_offset()) + cord_id_slot(port);
}

static struct cord_room_status *room_status(struct fake *f, cord_id room)
{
	return (struct cord_room_status *)at(f, room_offset()) + cord_id_slot(room);
}

static void make_segment(struct fake *f, uint64_t epoch)
{
	f->bytes = (room_offset() + FAKE_ROOMS * sizeof(struct cord_room_status) + 4095) &
		   ~UINT64_C(4095);
	f->memfd = memfd_create("fake", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK(f->memfd >= 0 && ftruncate(f->memfd, (off_t)f->bytes) == 0);
	f->segment = mmap(NULL, f->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, f->memfd, 0);
	CHECK(f->segment != MAP_FAILED);
	if (!f->wrong.no_seals)
		CHECK(fcntl(f->memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0);
	struct cord_segment *s = f->segment;

	s->magic = CORD_SEGMENT_MAGIC;
	s->version = CORD_SEGMENT_VERSION;
	s->bytes = f->bytes;
	s->epoch = epoch;
	s->sizes = cord_sizes_here();
	s->workers = FAKE_WORKERS;
	s->ports = FAKE_PORTS;
	s->rooms = FAKE_ROOMS;
	s->addresses = 2;
	s->udp_port_base = 20000;
	s->rooms_per_worker = FAKE_ROOMS / FAKE_WORKERS;
	s->srtp_backend = CORD_SRTP_BACKEND_IPSEC_MB_AVX2;
	s->address[0] = cord_address_ipv4(192, 0, 2, 1, 0);
	s->address[1] = (struct cord_address){
		.family = CORD_FAMILY_IPV6, .ip = {0x20, 1, 0xd, 0xb8, [15] = 2}};
	s->offset_workers = sizeof(struct cord_segment);
	s->offset_port_status = port_offset();
	s->offset_room_status = room_offset();
	for (unsigned w = 0; w < FAKE_WORKERS; w++) {
		cord_ring_reader_join(&f->readers[w], &fake_worker(f, w)->commands);
		cord_ring_writer_join(&f->writers[w], &fake_worker(f, w)->events);
	}
	if (f->wrong.spoil)
		f->wrong.spoil(s);
}

struct fake *fake_start(const char *path, uint64_t epoch, const struct fake_misconduct *misconduct)
{
	struct fake *f = calloc(1, sizeof(*f));
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	CHECK(f);
	if (misconduct)
		f->wrong = *misconduct;
	snprintf(f->path, sizeof(f->path), "%s", path);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	f->connection = -1;
	f->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	make_segment(f, epoch);
	unlink(path);
	f->listener = socket(AF_UNIX, NONBLOCK, 0);
	CHECK(f->listener >= 0);
	CHECK(bind(f->listener, (struct sockaddr *)&name, sizeof(name)) == 0);
	CHECK(listen(f->listener, 4) == 0);
	return f;
}

/* ---- taps ---------------------------------------------------------------------------------- */

static struct fake_tap *find_tap(struct fake *f, cord_id id)
{
	for (unsigned i = 0; i < FAKE_TAPS; i++)
		if (f->taps[i].id == id)
			return &f->taps[i];
	return NULL;
}

static void drop_tap(struct fake_tap *tap)
{
	munmap(tap->memory, cord_tap_bytes(tap->writer.rate_hz));
	tap->id = 0;
}

static uint32_t take_tap(struct fake *f, const struct cord_attach_message *m, int fd)
{
	struct fake_tap *tap = find_tap(f, 0);
	struct cord_tap_header header;
	const char *wrong;

	CHECK(fd >= 0 && tap);
	CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
	void *mapped = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(mapped != MAP_FAILED);
	CHECK(cord_tap_check(mapped, m->bytes, &header, &wrong) == 0 && header.id == m->tap);
	CHECK(!find_tap(f, m->tap));
	if (f->wrong.tap_result) {
		munmap(mapped, m->bytes);
		return f->wrong.tap_result;
	}
	*tap = (struct fake_tap){.id = m->tap, .memory = mapped};
	cord_tap_writer_join(&tap->writer, mapped, header.rate_hz);
	return CORD_ATTACH_RESULT_OK;
}

struct fake_tap *fake_room_tap(struct fake *f, cord_id room)
{
	const struct cord_room_set *set = &fake_room(f, room)->set;

	for (unsigned i = 0; i < set->members; i++)
		if (set->member[i].kind == CORD_MEMBER_TAP)
			return find_tap(f, set->member[i].port);
	return NULL;
}

bool fake_tap_frame(struct fake_tap *tap, uint64_t period, int16_t left, int16_t right)
{
	unsigned samples = cord_tap_samples(tap->writer.rate_hz);
	struct cord_tap_frame *f = cord_tap_write_begin(&tap->writer);

	if (!f)
		return false;
	f->period = period;
	for (unsigned i = 0; i < samples; i++) {
		f->pcm[i] = left;
		f->pcm[samples + i] = right;
	}
	cord_tap_write_end(&tap->writer);
	return true;
}

unsigned fake_open_taps(const struct fake *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FAKE_TAPS; i++)
		n += f->taps[i].id != 0;
	return n;
}

/* Its taps end with the lease. */
void fake_hang_up(struct fake *f)
{
	if (f->connection >= 0)
		close(f->connection);
	f->connection = -1;
	for (unsigned i = 0; i < FAKE_TAPS; i++)
		if (f->taps[i].id)
			drop_tap(&f->taps[i]);
}

void fake_kill(struct fake *f)
{
	if (!f)
		return;
	fake_hang_up(f);
	close(f->listener);
	unlink(f->path);
	munmap(f->segment, f->bytes);
	close(f->memfd);
	close(f->event_fd);
	free(f);
}

/* ---- the socket ---------------------------------------------------------------------------- */

static void send_packet(struct fake *f, const void *data, size_t n, const int *fds, unsigned n_fds)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * 2)];
	} control = {0};
	struct iovec io = {.iov_base = (void *)data, .iov_len = n};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};

	if (n_fds) {
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	CHECK(sendmsg(f->connection, &m, MSG_NOSIGNAL) == (ssize_t)n || errno == EPIPE);
}

static void greet(struct fake *f)
{
	const int fds[2] = {f->memfd, f->event_fd};
	struct cord_attach_message m = {
		.magic = CORD_SEGMENT_MAGIC,
		.type = CORD_ATTACH_WELCOME,
		.result = f->wrong.welcome_result,
		.epoch = f->segment->epoch + f->wrong.welcome_epoch_off,
		.bytes = f->bytes + f->wrong.welcome_bytes_off,
		.sizes = cord_sizes_here(),
	};

	if (f->wrong.no_welcome)
		return;
	m.magic += f->wrong.welcome_bad_magic;
	m.sizes.message += f->wrong.welcome_bad_sizes;
	f->attaches++;
	for (unsigned w = 0; w < FAKE_WORKERS; w++) {
		cord_ring_reader_join(&f->readers[w], &fake_worker(f, w)->commands);
		cord_ring_writer_join(&f->writers[w], &fake_worker(f, w)->events);
	}
	send_packet(f, &m, sizeof(m) - f->wrong.welcome_cut, fds,
		m.result ? 0 : 2 - f->wrong.welcome_fds_less);
}

static uint32_t take_clip(struct fake *f, const struct cord_attach_message *m, int fd)
{
	struct cord_clip_header header;
	const char *wrong;
	unsigned i = 0;

	CHECK(fd >= 0);
	void *mapped = mmap(NULL, m->bytes, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(mapped != MAP_FAILED);
	int seals = fcntl(fd, F_GET_SEALS);
	CHECK(seals == (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL));
	CHECK(cord_clip_check(mapped, m->bytes, &header, &wrong) == 0);
	CHECK(header.id == m->clip && header.format == m->format);
	munmap(mapped, m->bytes);
	if (f->wrong.clip_result)
		return f->wrong.clip_result;
	while (i < f->n_clips && f->clips[i].id != m->clip)
		i++;
	CHECK(i < 256);
	f->clips[i].id = m->clip;
	f->clips[i].formats |= 1u << m->format;
	if (i == f->n_clips)
		f->n_clips++;
	return CORD_ATTACH_RESULT_OK;
}

static void drop_clip(struct fake *f, cord_clip_id id)
{
	for (unsigned i = 0; i < f->n_clips; i++)
		if (f->clips[i].id == id)
			f->clips[i] = f->clips[--f->n_clips];
}

static void take_packet(struct fake *f, const struct cord_attach_message *m, int fd)
{
	struct cord_attach_message answer = {
		.magic = CORD_SEGMENT_MAGIC, .clip = m->clip, .format = m->format};

	switch (m->type) {
	case CORD_ATTACH_HELLO:
		greet(f);
		break;
	case CORD_ATTACH_CLIP_ADD:
		f->clip_adds++;
		answer.type = CORD_ATTACH_CLIP_READY;
		answer.result = take_clip(f, m, fd);
		send_packet(f, &answer, sizeof(answer), NULL, 0);
		break;
	case CORD_ATTACH_CLIP_REMOVE:
		f->clip_removes++;
		drop_clip(f, m->clip);
		answer.type = CORD_ATTACH_CLIP_REMOVED;
		send_packet(f, &answer, sizeof(answer), NULL, 0);
		break;
	case CORD_ATTACH_TAP_ADD:
		f->tap_adds++;
		answer.type = CORD_ATTACH_TAP_READY;
		answer.result = take_tap(f, m, fd);
		send_packet(f, &answer, sizeof(answer), NULL, 0);
		break;
	case CORD_ATTACH_TAP_REMOVE:
		CHECK(find_tap(f, m->tap));
		drop_tap(find_tap(f, m->tap));
		answer.type = CORD_ATTACH_TAP_REMOVED;
		send_packet(f, &answer, sizeof(answer), NULL, 0);
		break;
	default:
		CHECK(!"message of a known type");
	}
}

static bool read_packet(struct fake *f)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * 2)];
	} control = {0};
	struct cord_attach_message m;
	struct iovec io = {.iov_base = &m, .iov_len = sizeof(m)};
	struct msghdr h = {.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(f->connection, &h, MSG_CMSG_CLOEXEC);
	int fd = -1;

	if (n < 0)
		return false;
	if (n == 0) {
		fake_hang_up(f);
		return false;
	}
	CHECK(n == sizeof(m));
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	if (c)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	take_packet(f, &m, fd);
	if (fd >= 0)
		close(fd);
	return f->connection >= 0;
}

/* ---- commands ------------------------------------------------------------------------------ */

void fake_event(struct fake *f, unsigned worker, struct cord_message *m)
{
	m->time = clock_now();
	m->size = cord_message_body_size(m->type);
	if (m->type != CORD_EVENT_DONE && f->wrong.lose_events) {
		atomic_fetch_add(
			&fake_worker(f, worker)->counters.value[CORD_COUNTER_events_lost], 1);
		return;
	}
	if (cord_ring_write(&f->writers[worker], m) != CORD_RING_OK)
		atomic_fetch_add(
			&fake_worker(f, worker)->counters.value[CORD_COUNTER_events_lost], 1);
	if (atomic_load(&f->segment->control_sleeping)) {
		uint64_t one = 1;

		CHECK(write(f->event_fd, &one, sizeof(one)) == sizeof(one));
		f->wakes++;
	}
}

struct fake_port *fake_port(struct fake *f, cord_id id)
{
	struct fake_port *p = &f->ports[cord_id_slot(id) % FAKE_PORTS];

	return id && p->id == id ? p : NULL;
}

struct fake_room *fake_room(struct fake *f, cord_id id)
{
	struct fake_room *r = &f->rooms[cord_id_slot(id) % FAKE_ROOMS];

	return id && r->id == id ? r : NULL;
}

static uint32_t apply_port_open(struct fake *f, unsigned w, const struct cord_port_open *m)
{
	struct fake_port *p = &f->ports[cord_id_slot(m->port) % FAKE_PORTS];

	if (cord_id_slot(m->port) >= FAKE_PORTS)
		return CORD_REFUSAL_BAD_SLOT;
	if (p->id)
		return CORD_REFUSAL_SLOT_TAKEN;
	if (cord_id_generation(m->port) <= p->last_generation)
		return CORD_REFUSAL_OLD_GENERATION;
	memset(p, 0, sizeof(*p));
	p->id = m->port;
	p->worker = w;
	p->open = *m;
	p->last_generation = cord_id_generation(m->port);
	struct cord_port_status *s = fake_status(f, m->port);
	cord_port_status_begin(s);
	memset((uint8_t *)s + 4, 0, sizeof(*s) - 4);
	s->port = m->port;
	s->ssrc = m->ssrc;
	s->owner = (uint8_t)w;
	s->opened = clock_now();
	cord_port_status_end(s);
	return CORD_REFUSAL_NONE;
}

static void leave_room(struct fake *f, struct fake_port *p)
{
	p->room = 0;
	fake_status(f, p->id)->room = 0;
}

static uint32_t apply_port_close(struct fake *f, const struct cord_port_close *m)
{
	struct fake_port *p = fake_port(f, m->port);

	if (!p)
		return CORD_REFUSAL_STALE_ID;
	fake_status(f, p->id)->port = 0;
	p->id = 0;
	return CORD_REFUSAL_NONE;
}

static uint32_t apply_port_set(struct fake *f, const struct cord_port_set *m)
{
	struct fake_port *p = fake_port(f, m->port);

	if (!p)
		return CORD_REFUSAL_STALE_ID;
	p->open.terms = m->terms;
	return CORD_REFUSAL_NONE;
}

bool fake_has_clip(const struct fake *f, cord_clip_id id, unsigned formats)
{
	for (unsigned i = 0; i < f->n_clips; i++)
		if (f->clips[i].id == id)
			return (f->clips[i].formats & formats) == formats;
	return false;
}

static uint32_t apply_playlist(struct fake *f, const struct cord_port_playlist *m)
{
	struct fake_port *p = fake_port(f, m->port);

	if (!p)
		return CORD_REFUSAL_STALE_ID;
	/* Of codecs that remember it encodes the samples where it has no codes (yet). */
	unsigned codec = p->open.terms.codec;
	unsigned needed = 1u << CORD_CLIP_L16 | (cord_codec_wide(codec) ? 0 : 1u << codec);

	for (unsigned i = 0; i < m->clips; i++)
		if (!fake_has_clip(f, m->clip[i], needed))
			return CORD_REFUSAL_UNKNOWN_CLIP;
	p->staged = *m;
	return CORD_REFUSAL_NONE;
}

static uint32_t apply_digits(struct fake *f, const struct cord_port_digits *m)
{
	struct fake_port *p = fake_port(f, m->port);

	if (!p)
		return CORD_REFUSAL_STALE_ID;
	if (fake_status(f, p->id)->digits_sending)
		return CORD_REFUSAL_BUSY;
	fake_status(f, p->id)->digits_sending = 1;
	return CORD_REFUSAL_NONE;
}

static uint32_t apply_room_open(struct fake *f, unsigned w, const struct cord_room_open *m)
{
	struct fake_room *r = &f->rooms[cord_id_slot(m->room) % FAKE_ROOMS];

	if (r->id)
		return CORD_REFUSAL_SLOT_TAKEN;
	if (cord_id_generation(m->room) <= r->last_generation)
		return CORD_REFUSAL_OLD_GENERATION;
	*r = (struct fake_room){
		.id = m->room, .worker = w, .last_generation = cord_id_generation(m->room)};
	atomic_store(&room_status(f, m->room)->worker_phase, w << 16);
	atomic_store(&room_status(f, m->room)->room, m->room);
	return CORD_REFUSAL_NONE;
}

static void start_player(struct fake *f, struct fake_port *p)
{
	struct cord_port_status *s = fake_status(f, p->id);

	p->playing = p->staged;
	p->staged = (struct cord_port_playlist){0};
	s->player_generation = p->playing.generation;
	s->player_running = 1;
}

static uint32_t judge_room_set(struct fake *f, unsigned w, const struct cord_room_set *m)
{
	struct fake_room *r = fake_room(f, m->room);

	if (!r)
		return CORD_REFUSAL_STALE_ID;
	if (r->worker != w)
		return CORD_REFUSAL_WRONG_WORKER;
	for (unsigned i = 0; i < m->members; i++) {
		const struct cord_room_member *k = &m->member[i];
		struct fake_port *p = fake_port(f, k->port);

		if (k->kind == CORD_MEMBER_TAP ? !find_tap(f, k->port) : !p)
			return CORD_REFUSAL_STALE_ID;
		if ((k->hears | k->digits_to) >> m->members)
			return CORD_REFUSAL_BAD_VALUE;
		if (k->kind == CORD_MEMBER_TAP)
			continue;
		if (k->player == CORD_PLAYER_START && p->staged.generation != k->player_generation)
			return CORD_REFUSAL_BAD_VALUE;
	}
	return CORD_REFUSAL_NONE;
}

static uint32_t apply_room_set(struct fake *f, unsigned w, const struct cord_room_set *m)
{
	uint32_t refusal = judge_room_set(f, w, m);

	if (refusal)
		return refusal;
	for (unsigned i = 0; i < FAKE_PORTS; i++)
		if (f->ports[i].id && f->ports[i].room == m->room)
			leave_room(f, &f->ports[i]);
	for (unsigned i = 0; i < m->members; i++) {
		const struct cord_room_member *k = &m->member[i];
		struct fake_port *p = fake_port(f, k->port);

		if (k->kind == CORD_MEMBER_TAP)
			continue;
		p->room = m->room;
		fake_status(f, p->id)->room = m->room;
		if (k->player == CORD_PLAYER_START)
			start_player(f, p);
		else if (k->player == CORD_PLAYER_STOP)
			fake_status(f, p->id)->player_running = 0;
	}
	fake_room(f, m->room)->set = *m;
	fake_room(f, m->room)->sets++;
	return CORD_REFUSAL_NONE;
}

static uint32_t apply_room_close(struct fake *f, const struct cord_room_close *m)
{
	struct fake_room *r = fake_room(f, m->room);

	if (!r)
		return CORD_REFUSAL_STALE_ID;
	for (unsigned i = 0; i < FAKE_PORTS; i++)
		if (f->ports[i].id && f->ports[i].room == m->room)
			leave_room(f, &f->ports[i]);
	atomic_store(&room_status(f, m->room)->room, 0);
	r->id = 0;
	return CORD_REFUSAL_NONE;
}

static uint32_t apply(struct fake *f, unsigned w, const struct cord_message *m, cord_id *id)
{
	CHECK(m->size == cord_message_body_size(m->type));
	switch (m->type) {
	case CORD_COMMAND_PORT_OPEN:
		*id = m->port_open.port;
		return apply_port_open(f, w, &m->port_open);
	case CORD_COMMAND_PORT_SET:
		*id = m->port_set.port;
		return apply_port_set(f, &m->port_set);
	case CORD_COMMAND_PORT_CLOSE:
		*id = m->port_close.port;
		return apply_port_close(f, &m->port_close);
	case CORD_COMMAND_PORT_PLAYLIST:
		*id = m->port_playlist.port;
		return apply_playlist(f, &m->port_playlist);
	case CORD_COMMAND_PORT_DIGITS:
		*id = m->port_digits.port;
		return apply_digits(f, &m->port_digits);
	case CORD_COMMAND_ROOM_OPEN:
		*id = m->room_open.room;
		return apply_room_open(f, w, &m->room_open);
	case CORD_COMMAND_ROOM_SET:
		*id = m->room_set.room;
		return apply_room_set(f, w, &m->room_set);
	case CORD_COMMAND_ROOM_CLOSE:
		*id = m->room_close.room;
		return apply_room_close(f, &m->room_close);
	default:
		CHECK(!"a command of a known type");
		return CORD_REFUSAL_UNKNOWN_COMMAND;
	}
}

static void work(struct fake *f, unsigned w)
{
	struct cord_message m;
	cord_id id = 0;

	while (cord_ring_read(&f->readers[w], &m) == CORD_RING_OK) {
		struct cord_message done = {.type = CORD_EVENT_DONE, .correlation = m.correlation};

		done.event_done.command = m.type;
		done.event_done.refusal = apply(f, w, &m, &id);
		f->commands++;
		f->refused += done.event_done.refusal != CORD_REFUSAL_NONE;
		CHECK(f->n_log < FAKE_LOG);
		f->log[f->n_log].type = m.type;
		f->log[f->n_log++].id = id;
		if (!f->wrong.mute)
			fake_event(f, w, &done);
	}
}

void fake_step(struct fake *f)
{
	if (!f)
		return;
	if (f->connection < 0)
		f->connection = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (f->connection >= 0 && read_packet(f))
		;
	if (!f->wrong.no_heartbeat)
		atomic_store(&f->segment->dataplane_heartbeat, clock_now());
	for (unsigned w = 0; w < FAKE_WORKERS; w++) {
		if (!f->wrong.stand_still)
			atomic_store(&fake_worker(f, w)->heartbeat, clock_now());
		if (!f->wrong.stall && !f->wrong.stand_still)
			work(f, w);
	}
}

/* ---- peers --------------------------------------------------------------------------------- */

void fake_key(struct fake *f, cord_id port, char digit)
{
	struct fake_port *p = fake_port(f, port);
	struct cord_port_status *s = fake_status(f, port);
	struct cord_message m = {.type = CORD_EVENT_DIGIT};

	CHECK(p);
	cord_port_status_begin(s);
	s->digit[s->digits & (CORD_DIGIT_LOG - 1)] = digit;
	s->digits++;
	cord_port_status_end(s);
	m.event_digit =
		(struct cord_event_digit){.port = port, .sequence = s->digits, .digit = digit};
	fake_event(f, p->worker, &m);
}

void fake_first_packet(struct fake *f, cord_id port, cord_time now_ns)
{
	struct cord_message m = {.type = CORD_EVENT_MEDIA_FIRST};

	fake_status(f, port)->first_rx = fake_status(f, port)->last_rx = now_ns;
	m.event_media_first.port = port;
	fake_event(f, fake_port(f, port)->worker, &m);
}

void fake_player_ends(struct fake *f, cord_id port)
{
	struct cord_port_status *s = fake_status(f, port);
	struct cord_message m = {.type = CORD_EVENT_PLAYER_END};

	s->player_running = 0;
	m.event_player_end =
		(struct cord_event_player_end){.port = port, .generation = s->player_generation};
	fake_event(f, fake_port(f, port)->worker, &m);
}

void fake_digits_end(struct fake *f, cord_id port)
{
	struct cord_message m = {.type = CORD_EVENT_DIGITS_SENT};

	fake_status(f, port)->digits_sending = 0;
	m.event_digits_sent.port = port;
	fake_event(f, fake_port(f, port)->worker, &m);
}

unsigned fake_open_ports(const struct fake *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FAKE_PORTS; i++)
		n += f->ports[i].id != 0;
	return n;
}

unsigned fake_open_rooms(const struct fake *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FAKE_ROOMS; i++)
		n += f->rooms[i].id != 0;
	return n;
}

bool fake_hears(struct fake *f, cord_id room, cord_id a, cord_id b)
{
	struct fake_room *r = fake_room(f, room);
	unsigned listener = CORD_ROOM_MEMBERS_MAX, talker = CORD_ROOM_MEMBERS_MAX;

	CHECK(r);
	for (unsigned i = 0; i < r->set.members; i++) {
		if (r->set.member[i].port == a)
			listener = i;
		if (r->set.member[i].port == b)
			talker = i;
	}
	return listener < CORD_ROOM_MEMBERS_MAX && talker < CORD_ROOM_MEMBERS_MAX &&
	       r->set.member[listener].hears >> talker & 1;
}
