/* SPDX-License-Identifier: Apache-2.0 */
#include "ear_leg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ull

static const char keys[] = "0123456789*#ABCD";

enum {
	RTP_BYTES = 12,
	DIGIT_GAP_MS = 80,
	DIGIT_LEVEL_DB = -9, /* of each tone, where there is no telephone-event */
	DIGIT_ENDS_MS = 40,  /* the end of a key is sent twice more */
	RESYNC_NS = 500000000,
};

static uint32_t draw(struct ear_leg *leg, uint32_t below)
{
	leg->options.seed = leg->options.seed * 1664525u + 1013904223u;
	return below ? (leg->options.seed >> 8) % below : 0;
}

static uint64_t to_ms(const struct ear_leg *leg, uint64_t ns)
{
	return ns <= leg->epoch_ns ? 0 : (ns - leg->epoch_ns) / MS;
}

int ear_address_make(union ear_address *address, const char *ip, unsigned port)
{
	union ear_address a = {.in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};

	if (inet_pton(AF_INET, ip, &a.in.sin_addr) != 1) {
		a = (union ear_address){
			.in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)}};
		if (inet_pton(AF_INET6, ip, &a.in6.sin6_addr) != 1)
			return -EINVAL;
	}
	*address = a;
	return 0;
}

unsigned ear_address_port(const union ear_address *address)
{
	return ntohs(
		address->any.sa_family == AF_INET6 ? address->in6.sin6_port : address->in.sin_port);
}

static socklen_t address_length(const union ear_address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->in6) : sizeof(address->in);
}

int ear_leg_open(struct ear_leg *leg, const char *name, const char *ip, unsigned port,
	const struct ear_options *options)
{
	socklen_t length = sizeof(leg->local);
	int on = 1, room = 1 << 20;

	snprintf(leg->name, sizeof(leg->name), "%s", name);
	leg->options = *options;
	for (const char *c = name; *c; c++)
		leg->options.seed = leg->options.seed * 31 + (unsigned char)*c;
	if (ear_address_make(&leg->local, ip, port) < 0)
		return -EINVAL;
	leg->fd = socket(leg->local.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (leg->fd < 0)
		return -errno;
	setsockopt(leg->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	setsockopt(leg->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(leg->fd, &leg->local.any, address_length(&leg->local)) < 0 ||
		getsockname(leg->fd, &leg->local.any, &length) < 0) {
		int error = -errno;
		close(leg->fd);
		leg->fd = -1;
		return error;
	}
	leg->ssrc = draw(leg, 1u << 24) << 8 | draw(leg, 256);
	leg->sequence = (uint16_t)draw(leg, 1 << 16);
	leg->timestamp = draw(leg, 1u << 24) << 8;
	leg->marker = true;
	ear_leg_clear(leg);
	return 0;
}

void ear_leg_close(struct ear_leg *leg)
{
	if (leg->fd >= 0)
		close(leg->fd);
	leg->fd = -1;
	ear_codec_clear(&leg->codec);
	ear_srtp_free(leg->srtp);
	leg->srtp = NULL;
}

int ear_leg_key(
	struct ear_leg *leg, const char *suite, const char *send_key, const char *receive_key)
{
	struct ear_srtp *srtp;

	if (leg->srtp && ear_srtp_is(leg->srtp, suite, send_key, receive_key))
		return 0;
	srtp = ear_srtp_new(suite, send_key, receive_key);
	if (!srtp)
		return -EINVAL;
	ear_srtp_free(leg->srtp);
	leg->srtp = srtp;
	return 0;
}

void ear_leg_clear(struct ear_leg *leg)
{
	leg->received = leg->missing = leg->duplicates = leg->reordered = 0;
	leg->timestamp_jumps = leg->ssrc_changes = leg->malformed = leg->other_payload = 0;
	leg->unprotected = 0;
	leg->heard_any = false;
	leg->first_ms = leg->last_ms = leg->last_ns = 0;
	leg->longest_pause_ms = leg->pauses = 0;
	leg->key_count = 0;
	leg->keys[0] = '\0';
	leg->window_filled = 0;
	leg->sent = 0;
	tone_line_init(&leg->line);
}

/* ---- sending -------------------------------------------------------------------------------- */

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static void transmit(struct ear_leg *leg, const uint8_t *packet, size_t bytes)
{
	sendto(leg->fd, packet, bytes, 0, &leg->remote.any, address_length(&leg->remote));
}

/*
 * Through the bad network that the options describe. There is room behind the packet for what SRTP
 * adds.
 */
static void deliver(struct ear_leg *leg, uint8_t *packet, size_t bytes, uint64_t now_ns)
{
	const struct ear_options *o = &leg->options;
	uint64_t delay_ns = 0;

	if (leg->srtp)
		bytes = ear_srtp_protect(leg->srtp, packet, bytes);
	leg->sent++;
	if (o->loss && draw(leg, 1000) < o->loss)
		return;
	if (o->jitter_ms)
		delay_ns = draw(leg, o->jitter_ms * 1000) * 1000ull;
	if (o->reorder && draw(leg, 1000) < o->reorder)
		delay_ns += o->ptime_ms * MS * 3 / 2;
	if (delay_ns == 0) {
		transmit(leg, packet, bytes);
		return;
	}
	for (unsigned i = 0; i < EAR_DELAYED_MAX; i++) {
		struct ear_delayed *d = &leg->delayed[i];
		if (d->bytes != 0)
			continue;
		d->at_ns = now_ns + delay_ns;
		d->bytes = bytes;
		memcpy(d->packet, packet, bytes);
		return;
	}
}

static uint64_t send_delayed(struct ear_leg *leg, uint64_t now_ns)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < EAR_DELAYED_MAX; i++) {
		struct ear_delayed *d = &leg->delayed[i];
		if (d->bytes != 0 && d->at_ns <= now_ns) {
			transmit(leg, d->packet, d->bytes);
			d->bytes = 0;
		}
		if (d->bytes != 0 && d->at_ns < next)
			next = d->at_ns;
	}
	return next;
}

static void write_header(struct ear_leg *leg, uint8_t *packet, int payload_type, uint32_t timestamp)
{
	packet[0] = 0x80;
	packet[1] = (uint8_t)((leg->marker ? 0x80 : 0) | payload_type);
	packet[2] = (uint8_t)(leg->sequence >> 8);
	packet[3] = (uint8_t)leg->sequence;
	put32(packet + 4, timestamp);
	put32(packet + 8, leg->ssrc);
	leg->sequence++;
	leg->marker = false;
}

static int payload_type(const struct ear_leg *leg)
{
	return leg->options.payload_type >= 0 ? leg->options.payload_type
					      : ear_codec_payload_type(leg->options.codec);
}

/* The digit in turn and the gap behind it have passed: on to the next. */
static bool digit_over(struct ear_leg *leg)
{
	if (leg->digit_elapsed_ms < leg->digit_ms + DIGIT_GAP_MS)
		return false;
	leg->digit_elapsed_ms = 0;
	if (++leg->digit_next == leg->digit_count)
		leg->digit_next = leg->digit_count = 0;
	return true;
}

/* A packet's sound of the digit in turn as a pair of tones (ITU-T Q.23). False: none is due. */
static bool make_digit(struct ear_leg *leg, int16_t *pcm, size_t samples)
{
	static const char by_tone[] = "123A456B789C*0#D";
	static const unsigned low[] = {697, 770, 852, 941}, high[] = {1209, 1336, 1477, 1633};
	int16_t other[EAR_SAMPLES_MAX];

	if (leg->digit_next == leg->digit_count || leg->options.event_payload_type >= 0)
		return false;
	size_t key = (size_t)(strchr(by_tone, leg->digits[leg->digit_next]) - by_tone);
	bool held = leg->digit_elapsed_ms < leg->digit_ms;

	tone_make(&leg->digit_low, held ? low[key / 4] : 0, DIGIT_LEVEL_DB, pcm, samples);
	tone_make(&leg->digit_high, held ? high[key % 4] : 0, DIGIT_LEVEL_DB, other, samples);
	for (size_t i = 0; i < samples; i++)
		pcm[i] = (int16_t)(pcm[i] + other[i]);
	leg->digit_elapsed_ms += leg->options.ptime_ms;
	digit_over(leg);
	return true;
}

static void send_media(struct ear_leg *leg, uint64_t now_ns)
{
	const struct ear_options *o = &leg->options;
	uint8_t packet[EAR_PACKET_MAX];
	int16_t pcm[EAR_SAMPLES_MAX];
	size_t samples = o->ptime_ms * 8u, bytes;

	write_header(leg, packet, payload_type(leg), leg->timestamp);
	if (!make_digit(leg, pcm, samples))
		tone_make(&leg->maker, leg->muted ? 0 : leg->tone_hz, o->level_db, pcm, samples);
	bytes = ear_codec_encode(&leg->codec, o->codec, pcm, samples, packet + RTP_BYTES,
		sizeof(packet) - RTP_BYTES - EAR_SRTP_ROOM);
	if (bytes)
		deliver(leg, packet, RTP_BYTES + bytes, now_ns);
}

/* The packet that would be ours after `ahead` more, to be sent as it is. */
static void forge(struct ear_leg *leg, struct ear_leg *forger, enum ear_attack how, unsigned ahead)
{
	enum { SAMPLES = 160, TAG = 10 };
	uint8_t packet[EAR_PACKET_MAX];
	int16_t pcm[SAMPLES];
	uint32_t clock = ear_codec_clock_khz(leg->options.codec) / 8;

	forger->sequence = (uint16_t)(leg->sequence + ahead);
	write_header(forger, packet, payload_type(leg), leg->timestamp + ahead * SAMPLES * clock);
	tone_make(&forger->maker, forger->tone_hz, leg->options.level_db, pcm, SAMPLES);
	size_t bytes =
		RTP_BYTES + ear_codec_encode(&forger->codec, leg->options.codec, pcm, SAMPLES,
				    packet + RTP_BYTES, sizeof(packet) - RTP_BYTES - TAG);

	if (how == EAR_FORGED) {
		for (size_t i = RTP_BYTES; i < bytes + TAG; i++)
			packet[i] = (uint8_t)draw(leg, 256);
		bytes += TAG;
	}
	transmit(leg, packet, bytes);
}

void ear_leg_attack(struct ear_leg *leg, enum ear_attack how, unsigned count, unsigned hz)
{
	static struct ear_leg forger;
	const uint8_t *packet;

	forger = (struct ear_leg){.ssrc = leg->ssrc, .tone_hz = hz};
	for (unsigned i = 0; i < count && leg->has_remote; i++) {
		if (how != EAR_REPLAYED) {
			forge(leg, &forger, how, i);
			continue;
		}
		size_t bytes = leg->srtp ? ear_srtp_kept(leg->srtp, count - 1 - i, &packet) : 0;

		if (bytes)
			transmit(leg, packet, bytes);
	}
	ear_codec_clear(&forger.codec);
}

/* One packet of telephone-event of the digit in turn, or nothing in the gap behind it. False: no digit is left. */
static bool send_digit(struct ear_leg *leg, uint64_t now_ns)
{
	if (leg->digit_next == leg->digit_count || leg->options.event_payload_type < 0)
		return false;
	if (leg->digit_elapsed_ms == 0) {
		leg->digit_timestamp = leg->timestamp;
		leg->marker = true;
	}
	leg->digit_elapsed_ms += leg->options.ptime_ms;
	unsigned elapsed = leg->digit_elapsed_ms, ms = leg->digit_ms;
	if (elapsed < ms + DIGIT_ENDS_MS + leg->options.ptime_ms) {
		bool end = elapsed >= ms;
		unsigned duration = (end ? ms : elapsed) * leg->options.event_clock_khz;
		uint8_t packet[RTP_BYTES + 4 + EAR_SRTP_ROOM];
		const char *found = strchr(keys, leg->digits[leg->digit_next]);

		write_header(leg, packet, leg->options.event_payload_type, leg->digit_timestamp);
		packet[12] = (uint8_t)(found - keys);
		packet[13] = (uint8_t)((end ? 0x80 : 0) | 10);
		packet[14] = (uint8_t)(duration >> 8);
		packet[15] = (uint8_t)duration;
		deliver(leg, packet, RTP_BYTES + 4, now_ns);
	}
	leg->marker |= digit_over(leg);
	return true;
}

uint64_t ear_leg_send(struct ear_leg *leg, uint64_t now_ns)
{
	uint64_t step = leg->options.ptime_ms * MS;

	step = (uint64_t)((int64_t)step - (int64_t)step * leg->options.drift_ppm / 1000000);
	uint64_t delayed = send_delayed(leg, now_ns);
	if (to_ms(leg, now_ns) > leg->sound_until_ms + 2 * EAR_PAUSE_MS)
		tone_line_break(&leg->line, leg->told, leg);
	if (!leg->has_remote)
		return delayed;
	if (leg->next_ns == 0 || now_ns > leg->next_ns + RESYNC_NS)
		leg->next_ns = now_ns;
	while (leg->next_ns <= now_ns) {
		if (leg->held)
			leg->marker = true;
		else if (!send_digit(leg, now_ns))
			send_media(leg, now_ns);
		leg->timestamp += leg->options.ptime_ms * ear_codec_clock_khz(leg->options.codec);
		leg->next_ns += step;
	}
	return leg->next_ns < delayed ? leg->next_ns : delayed;
}

int ear_leg_digits(struct ear_leg *leg, const char *digits, unsigned ms)
{
	size_t length = strlen(digits);

	if (length == 0 || leg->digit_count + length > EAR_DIGITS_MAX || ms < 40 || ms > 2000 ||
		strspn(digits, keys) != length)
		return -EINVAL;
	memcpy(leg->digits + leg->digit_count, digits, length);
	leg->digit_count += (unsigned)length;
	leg->digit_ms = ms;
	return 0;
}

/* ---- receiving ------------------------------------------------------------------------------ */

static void take_key(struct ear_leg *leg, const uint8_t *payload, uint32_t timestamp, uint64_t ns)
{
	if (payload[0] > 15 || (leg->event_seen && timestamp == leg->event_timestamp))
		return;
	leg->event_seen = true;
	leg->event_timestamp = timestamp;
	if (leg->key_count < EAR_DIGITS_MAX) {
		leg->keys[leg->key_count++] = keys[payload[0]];
		leg->keys[leg->key_count] = '\0';
	}
	leg->key(leg, keys[payload[0]], to_ms(leg, ns));
}

static void take_sound(struct ear_leg *leg, const int16_t *pcm, size_t n, uint64_t ns)
{
	struct tone_frame frame;

	for (size_t i = 0; i < n; i++) {
		leg->window[leg->window_filled++] = pcm[i];
		if (leg->window_filled < TONES_WINDOW)
			continue;
		leg->window_filled = 0;
		tone_bank_look(leg->bank, leg->window, &frame);
		/* The packet's first sample sounds when it comes. */
		uint64_t to = to_ms(leg, ns) + (i + 1) / 8;
		uint64_t from = to > 20 ? to - 20 : 0;
		if (from > leg->sound_until_ms + EAR_PAUSE_MS)
			tone_line_break(&leg->line, leg->told, leg);
		leg->sound_until_ms = to;
		tone_line_add(&leg->line, &frame, from, to, leg->told, leg);
	}
}

static void note_pause(struct ear_leg *leg, uint64_t ns)
{
	uint64_t ms = leg->last_ns && ns > leg->last_ns ? (ns - leg->last_ns) / MS : 0;

	if (ms > leg->longest_pause_ms)
		leg->longest_pause_ms = (unsigned)ms;
	if (ms > EAR_PAUSE_MS && leg->pauses < EAR_PAUSES)
		leg->pause[leg->pauses++] =
			(struct tone_span){to_ms(leg, leg->last_ns), to_ms(leg, ns)};
	leg->last_ns = ns;
	leg->last_ms = to_ms(leg, ns);
}

/* Order and time of a packet against the one before. False: it is old, do not listen to it. */
static bool follow(struct ear_leg *leg, uint16_t sequence, uint32_t timestamp, uint32_t ssrc,
	bool marker, bool media)
{
	int16_t ahead = (int16_t)(sequence - leg->in_sequence);

	if (leg->heard_any && ssrc != leg->in_ssrc) {
		leg->ssrc_changes++;
		leg->heard_any = false;
	}
	if (leg->heard_any && ahead <= 0) {
		if (ahead == 0) {
			leg->duplicates++;
		} else {
			leg->reordered++;
			leg->missing -= leg->missing > 0;
		}
		return false;
	}
	if (leg->heard_any) {
		leg->missing += (unsigned)(ahead - 1);
		if (ahead > 1)
			leg->window_filled = 0;
		if (media && !marker && ahead == 1 && leg->in_samples != 0 &&
			timestamp != leg->in_timestamp + leg->in_samples)
			leg->timestamp_jumps++;
	}
	leg->heard_any = true;
	leg->in_sequence = sequence;
	leg->in_ssrc = ssrc;
	return true;
}

/* What a packet of this payload type is coded with; EAR_CODECS: it is no sound. */
static enum ear_codec_kind codec_of(const struct ear_leg *leg, int type)
{
	static const enum ear_codec_kind fixed[] = {EAR_PCMU, EAR_PCMA, EAR_G722};

	if (type == payload_type(leg))
		return leg->options.codec;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (type == ear_codec_payload_type(fixed[i]))
			return fixed[i];
	return EAR_CODECS;
}

static void take_media(struct ear_leg *leg, enum ear_codec_kind kind, const uint8_t *payload,
	size_t bytes, uint64_t ns)
{
	int16_t pcm[EAR_SAMPLES_MAX];
	size_t samples = ear_codec_decode(&leg->codec, kind, payload, bytes, pcm);

	leg->in_samples = (uint32_t)samples * (ear_codec_clock_khz(kind) / 8);
	take_sound(leg, pcm, samples, ns);
}

static void take_packet(struct ear_leg *leg, uint8_t *p, size_t bytes, uint64_t ns)
{
	if (bytes >= 2 && p[1] >= 192 && p[1] <= 223)
		return;
	if (leg->srtp && bytes >= RTP_BYTES) {
		bytes = ear_srtp_unprotect(leg->srtp, p, bytes);
		if (bytes == 0) {
			leg->unprotected++;
			return;
		}
	}
	if (bytes < RTP_BYTES || p[0] != 0x80) {
		leg->malformed++;
		return;
	}
	int type = p[1] & 0x7f;
	enum ear_codec_kind kind = codec_of(leg, type);
	uint32_t timestamp =
		(uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
	uint32_t ssrc = (uint32_t)p[8] << 24 | (uint32_t)p[9] << 16 | (uint32_t)p[10] << 8 | p[11];
	bool event = type == leg->options.event_payload_type;
	bool media = !event && kind != EAR_CODECS;

	if (leg->received++ == 0)
		leg->first_ms = to_ms(leg, ns);
	note_pause(leg, ns);
	if (!follow(leg, (uint16_t)(p[2] << 8 | p[3]), timestamp, ssrc, p[1] & 0x80, media))
		return;
	if (media) {
		leg->in_timestamp = timestamp;
		take_media(leg, kind, p + RTP_BYTES, bytes - RTP_BYTES, ns);
	} else if (event && bytes >= RTP_BYTES + 4) {
		/* The next sound begins anew. */
		leg->in_samples = 0;
		take_key(leg, p + RTP_BYTES, timestamp, ns);
	} else {
		leg->other_payload++;
	}
}

/* The kernel stamps packets with the wall clock; what we keep is monotonic. */
static uint64_t arrival(const struct msghdr *message)
{
	struct timespec real, now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t now_ns = (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c;
		c = CMSG_NXTHDR((struct msghdr *)message, c)) {
		struct timespec came;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&came, CMSG_DATA(c), sizeof(came));
		clock_gettime(CLOCK_REALTIME, &real);
		int64_t age = (int64_t)(real.tv_sec - came.tv_sec) * 1000000000ll + real.tv_nsec -
			      came.tv_nsec;
		if (age >= 0 && age < 1000000000ll)
			return now_ns - (uint64_t)age;
	}
	return now_ns;
}

void ear_leg_receive(struct ear_leg *leg)
{
	for (;;) {
		uint8_t packet[2048], control[256];
		union ear_address from;
		struct iovec part = {packet, sizeof(packet)};
		struct msghdr message = {.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};
		ssize_t got = recvmsg(leg->fd, &message, 0);

		if (got < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED)
			return;
		if (got < 0 && errno == EAGAIN)
			return;
		if (got < 0)
			continue;
		leg->from = from;
		if (leg->options.learn) {
			leg->remote = from;
			leg->has_remote = true;
		}
		take_packet(leg, packet, (size_t)got, arrival(&message));
	}
}

/* ---- the report ----------------------------------------------------------------------------- */

static void print_spans(const char *name, const struct tone_span *spans, unsigned count)
{
	printf(",\"%s\":[", name);
	for (unsigned i = 0; i < count; i++)
		printf("%s{\"from_ms\":%llu,\"to_ms\":%llu}", i ? "," : "",
			(unsigned long long)spans[i].from_ms, (unsigned long long)spans[i].to_ms);
	printf("]");
}

static void print_heard(const struct ear_leg *leg)
{
	printf(",\"heard\":[");
	for (unsigned i = 0; i < leg->line.count; i++) {
		const struct tone_heard *h = &leg->line.heard[i];
		unsigned hz = h->tone == TONES_SOUND ? 0 : leg->bank->hz[h->tone];

		printf("%s{\"hz\":%u,\"from_ms\":%llu,\"to_ms\":%llu,\"dbm0\":%.1f,\"frames\":%u,"
		       "\"breaks\":%u}",
			i ? "," : "", hz, (unsigned long long)h->from_ms,
			(unsigned long long)h->to_ms, tone_heard_level(h), h->frames, h->breaks);
	}
	printf("]");
}

void ear_leg_report(const struct ear_leg *leg, uint64_t now_ns)
{
	bool six = leg->from.any.sa_family == AF_INET6;
	char ip[INET6_ADDRSTRLEN] = "";

	if (six)
		inet_ntop(AF_INET6, &leg->from.in6.sin6_addr, ip, sizeof(ip));
	else
		inet_ntop(AF_INET, &leg->from.in.sin_addr, ip, sizeof(ip));
	printf("{\"report\":\"%s\",\"now_ms\":%llu,\"port\":%u,\"sent\":%u,\"received\":%u,"
	       "\"missing\":%u,"
	       "\"duplicates\":%u,\"reordered\":%u,\"timestamp_jumps\":%u,\"ssrc_changes\":%u,"
	       "\"malformed\":%u,\"other_payload\":%u,\"unprotected\":%u,\"sequence\":%u",
		leg->name, (unsigned long long)to_ms(leg, now_ns), ear_address_port(&leg->local),
		leg->sent, leg->received, leg->missing, leg->duplicates, leg->reordered,
		leg->timestamp_jumps, leg->ssrc_changes, leg->malformed, leg->other_payload,
		leg->unprotected, leg->in_sequence);
	printf(",\"from\":\"%s%s%s:%u\",\"first_ms\":%llu,\"last_ms\":%llu,\"longest_pause_ms\":%u,"
	       "\"digits\":\"%s\"",
		six ? "[" : "", ip, six ? "]" : "", ear_address_port(&leg->from),
		(unsigned long long)leg->first_ms, (unsigned long long)leg->last_ms,
		leg->longest_pause_ms, leg->keys);
	print_spans("pauses", leg->pause, leg->pauses);
	print_spans("quiet", leg->line.quiet, leg->line.quiet_count);
	print_heard(leg);
	printf(",\"lost_entries\":%u}\n", leg->line.lost);
}
