/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RTP header (RFC 3550 section 5.1): parse with every length checked, write. Pure, inline.
 */
#ifndef RTP_H
#define RTP_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_HEADER_BYTES 12u

struct rtp_header {
	uint32_t timestamp;
	uint32_t ssrc;
	uint16_t sequence;
	uint16_t payload_offset; /* from the start of the packet, past CSRC list and extension */
	uint16_t payload_bytes;  /* without padding; may be 0 */
	uint8_t payload_type;    /* 0..127 */
	bool marker;
};

static inline uint16_t rtp_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t rtp_get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void rtp_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void rtp_put32(uint8_t *p, uint32_t v)
{
	rtp_put16(p, (uint16_t)(v >> 16));
	rtp_put16(p + 2, (uint16_t)v);
}

/*
 * True when a packet that came to a port shared by RTP and RTCP is RTCP (RFC 5761 section 4):
 * packet types 192..223, which are the RTP payload types 64..95 with a marker.
 */
static inline bool rtp_is_rtcp(const uint8_t *packet, size_t bytes)
{
	return bytes >= 2 && packet[1] >= 192 && packet[1] <= 223;
}

/*
 * Parses the header of a UDP payload of `bytes` bytes. Returns 0, or -EBADMSG when the version is
 * not 2 or a CSRC list, an extension or the padding is longer than the packet; *h is then as it
 * was.
 */
static inline int rtp_parse(const uint8_t *packet, size_t bytes, struct rtp_header *h)
{
	if (bytes < RTP_HEADER_BYTES || bytes > UINT16_MAX || packet[0] >> 6 != 2)
		return -EBADMSG;
	size_t offset = RTP_HEADER_BYTES + 4u * (packet[0] & 0x0f);
	size_t padding = 0;

	if (packet[0] & 0x10) {
		if (offset + 4 > bytes)
			return -EBADMSG;
		offset += 4 + 4u * rtp_get16(packet + offset + 2);
	}
	if (packet[0] & 0x20) {
		padding = packet[bytes - 1];
		if (padding == 0)
			return -EBADMSG;
	}
	if (offset + padding > bytes)
		return -EBADMSG;
	*h = (struct rtp_header){
		.timestamp = rtp_get32(packet + 4),
		.ssrc = rtp_get32(packet + 8),
		.sequence = rtp_get16(packet + 2),
		.payload_offset = (uint16_t)offset,
		.payload_bytes = (uint16_t)(bytes - offset - padding),
		.payload_type = packet[1] & 0x7f,
		.marker = packet[1] >> 7,
	};
	return 0;
}

/* Writes a header of RTP_HEADER_BYTES: no padding, no extension, no CSRC. */
static inline void rtp_write(uint8_t *packet, bool marker, uint8_t payload_type, uint16_t sequence,
	uint32_t timestamp, uint32_t ssrc)
{
	packet[0] = 0x80;
	packet[1] = (uint8_t)(marker << 7 | (payload_type & 0x7f));
	rtp_put16(packet + 2, sequence);
	rtp_put32(packet + 4, timestamp);
	rtp_put32(packet + 8, ssrc);
}

#endif
