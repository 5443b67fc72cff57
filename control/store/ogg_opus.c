/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ogg_opus.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ogg/ogg.h>
#include <opus/opus_multistream.h>

enum {
	CHANNELS = 2,
	GRANULE_FRAME = 960,   /* 20 ms at 48 kHz, in which granule positions count */
	PACKET_MAX = 2 * 1500, /* of both streams */
	SAMPLES_MAX = 320,
	HEAD_BYTES = 21 + CHANNELS,
	PAGE_HEADER = 27,
	PAGE_MAX = PAGE_HEADER + 255 + 255 * 255,
	AT_TYPE = 5,
	AT_GRANULE = 6,
	AT_CHECKSUM = 22,
	AT_SEGMENTS = 26,
	TYPE_LAST = 4,
	COMPLEXITY = 5,
};

struct ogg_opus {
	OpusMSEncoder *encoder;
	ogg_stream_state stream;
	uint32_t samples; /* of a channel in 20 ms */
	uint16_t skip;    /* what the decoder throws away at the beginning, at 48 kHz */
	uint64_t frames;  /* added so far */
	ogg_int64_t packets;
	uint8_t *bytes;
	size_t n, room;
};

/* ---- pages ----------------------------------------------------------------------------------- */

static int keep(struct ogg_opus *o, const uint8_t *from, size_t n)
{
	if (o->n + n > o->room) {
		size_t room = (o->n + n) * 2;
		uint8_t *grown = realloc(o->bytes, room);

		if (!grown)
			return -ENOMEM;
		o->bytes = grown;
		o->room = room;
	}
	memcpy(o->bytes + o->n, from, n);
	o->n += n;
	return 0;
}

/* `all`: also the packets that do not fill a page yet. */
static int take_pages(struct ogg_opus *o, bool all)
{
	ogg_page page;
	int rc = 0;

	while (rc == 0 && (all ? ogg_stream_flush(&o->stream, &page)
			       : ogg_stream_pageout(&o->stream, &page))) {
		rc = keep(o, page.header, (size_t)page.header_len);
		if (rc == 0)
			rc = keep(o, page.body, (size_t)page.body_len);
	}
	return rc;
}

static int add_packet(struct ogg_opus *o, uint8_t *data, size_t n, ogg_int64_t granule, bool last)
{
	ogg_packet p = {.packet = data,
		.bytes = (long)n,
		.b_o_s = o->packets == 0,
		.e_o_s = last,
		.granulepos = granule,
		.packetno = o->packets};

	o->packets++;
	return ogg_stream_packetin(&o->stream, &p) ? -ENOMEM : 0;
}

static void put_16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static void put_32(uint8_t *to, uint32_t value)
{
	put_16(to, value);
	put_16(to + 2, value >> 16);
}

/* RFC 7845 sections 5.1 and 5.2; each of the two packets has a page of its own. */
static int add_headers(struct ogg_opus *o, uint32_t rate_hz)
{
	static const char vendor[] = "cordboard";
	uint8_t head[HEAD_BYTES] = "OpusHead", tags[16 + sizeof(vendor) - 1] = "OpusTags";
	int rc;

	head[8] = 1; /* version */
	head[9] = CHANNELS;
	put_16(head + 10, o->skip);
	put_32(head + 12, rate_hz);
	head[18] = 1;        /* mapping family; the gain before it is 0 */
	head[19] = CHANNELS; /* streams, of which none is a pair */
	head[20] = 0;
	head[21] = 0; /* left is the first stream */
	head[22] = 1;
	put_32(tags + 8, sizeof(vendor) - 1);
	memcpy(tags + 12, vendor, sizeof(vendor) - 1);
	rc = add_packet(o, head, sizeof(head), 0, false);
	if (rc == 0)
		rc = take_pages(o, true);
	if (rc == 0)
		rc = add_packet(o, tags, sizeof(tags), 0, false);
	return rc ? rc : take_pages(o, true);
}

/* ---- sound ----------------------------------------------------------------------------------- */

static int add_frame(struct ogg_opus *o, const int16_t *pcm, ogg_int64_t granule, bool last)
{
	uint8_t data[PACKET_MAX];
	int n = opus_multistream_encode(o->encoder, pcm, (int)o->samples, data, sizeof(data));

	return n < 0 ? -EIO : add_packet(o, data, (size_t)n, granule, last);
}

int ogg_opus_add(struct ogg_opus *o, const int16_t *pcm, unsigned frames)
{
	static const int16_t silence[CHANNELS * SAMPLES_MAX];
	int rc = 0;

	for (unsigned i = 0; i < frames && rc == 0; i++) {
		o->frames++;
		rc = add_frame(o, pcm ? pcm + (size_t)i * CHANNELS * o->samples : silence,
			(ogg_int64_t)(o->frames * GRANULE_FRAME), false);
		if (rc == 0)
			rc = take_pages(o, false);
	}
	return rc ? rc : take_pages(o, true);
}

/* One frame more pushes what the encoder still holds out; of it only what was added counts. */
int ogg_opus_end(struct ogg_opus *o)
{
	static const int16_t silence[CHANNELS * SAMPLES_MAX];
	int rc = add_frame(o, silence, (ogg_int64_t)(o->frames * GRANULE_FRAME + o->skip), true);

	return rc ? rc : take_pages(o, true);
}

const uint8_t *ogg_opus_bytes(const struct ogg_opus *o, size_t *n)
{
	*n = o->n;
	return o->bytes;
}

void ogg_opus_clear(struct ogg_opus *o)
{
	o->n = 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int set_up(struct ogg_opus *o, uint32_t rate_hz, uint32_t bitrate)
{
	static const unsigned char mapping[CHANNELS] = {0, 1};
	opus_int32 lookahead = 0;
	int rc = 0;

	o->encoder = opus_multistream_encoder_create(
		(opus_int32)rate_hz, CHANNELS, CHANNELS, 0, mapping, OPUS_APPLICATION_VOIP, &rc);
	if (rc)
		return rc == OPUS_ALLOC_FAIL ? -ENOMEM : -EINVAL;
	if (opus_multistream_encoder_ctl(o->encoder, OPUS_SET_BITRATE((opus_int32)bitrate)) ||
		opus_multistream_encoder_ctl(o->encoder, OPUS_SET_COMPLEXITY(COMPLEXITY)) ||
		opus_multistream_encoder_ctl(o->encoder, OPUS_GET_LOOKAHEAD(&lookahead)))
		return -EINVAL;
	o->skip = (uint16_t)(lookahead * (48000 / (opus_int32)rate_hz));
	return add_headers(o, rate_hz);
}

int ogg_opus_create(uint32_t rate_hz, uint32_t bitrate, uint32_t serial, struct ogg_opus **out)
{
	struct ogg_opus *o;
	int rc;

	if (rate_hz != 8000 && rate_hz != 16000)
		return -EINVAL;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->samples = rate_hz / 50;
	rc = ogg_stream_init(&o->stream, (int)serial) ? -ENOMEM : set_up(o, rate_hz, bitrate);
	if (rc) {
		ogg_opus_destroy(o);
		return rc;
	}
	*out = o;
	return 0;
}

void ogg_opus_destroy(struct ogg_opus *o)
{
	if (!o)
		return;
	if (o->encoder)
		opus_multistream_encoder_destroy(o->encoder);
	ogg_stream_clear(&o->stream);
	free(o->bytes);
	free(o);
}

/* ---- repair ---------------------------------------------------------------------------------- */

/* Bytes of the page at the beginning of `data`; 0: it is none, or not whole. */
static size_t page_bytes(const uint8_t *data, size_t n)
{
	size_t bytes;

	if (n < PAGE_HEADER || memcmp(data, "OggS", 5) != 0)
		return 0;
	bytes = PAGE_HEADER + data[AT_SEGMENTS];
	if (n < bytes)
		return 0;
	for (unsigned i = 0; i < data[AT_SEGMENTS]; i++)
		bytes += data[PAGE_HEADER + i];
	return bytes <= n ? bytes : 0;
}

static void page_sum(uint8_t *data, size_t bytes)
{
	size_t head = (size_t)PAGE_HEADER + data[AT_SEGMENTS];
	ogg_page page = {.header = data,
		.header_len = (long)head,
		.body = data + head,
		.body_len = (long)(bytes - head)};

	ogg_page_checksum_set(&page);
}

/* The page is what it was when it was made. */
static bool page_whole(uint8_t *data, size_t bytes)
{
	uint8_t sum[4];

	memcpy(sum, data + AT_CHECKSUM, sizeof(sum));
	page_sum(data, bytes);
	return memcmp(sum, data + AT_CHECKSUM, sizeof(sum)) == 0;
}

static int64_t granule_of(const uint8_t *page)
{
	uint64_t granule = 0;

	for (int i = 7; i >= 0; i--)
		granule = granule << 8 | page[AT_GRANULE + i];
	return (int64_t)granule;
}

int64_t ogg_opus_repair(int fd)
{
	uint8_t page[PAGE_MAX];
	off_t at = 0, last = -1;
	size_t bytes = 0, last_bytes = 0;
	int64_t granule, skip = 0;

	for (;; at += (off_t)bytes) {
		ssize_t n = pread(fd, page, sizeof(page), at);

		bytes = n > 0 ? page_bytes(page, (size_t)n) : 0;
		if (bytes == 0 || !page_whole(page, bytes))
			break;
		if (at == 0 && (bytes < PAGE_HEADER + 1 + HEAD_BYTES ||
				       memcmp(page + PAGE_HEADER + 1, "OpusHead", 8) != 0))
			return -EINVAL;
		if (at == 0)
			skip = page[PAGE_HEADER + 11] | page[PAGE_HEADER + 12] << 8;
		last = at;
		last_bytes = bytes;
	}
	if (last < 0)
		return -EINVAL;
	if (pread(fd, page, last_bytes, last) != (ssize_t)last_bytes)
		return -EIO;
	page[AT_TYPE] |= TYPE_LAST;
	page_sum(page, last_bytes);
	if (pwrite(fd, page, last_bytes, last) != (ssize_t)last_bytes ||
		ftruncate(fd, last + (off_t)last_bytes) < 0 || fdatasync(fd) < 0)
		return errno ? -errno : -EIO;
	granule = granule_of(page);
	return granule > skip ? granule - skip : 0;
}
