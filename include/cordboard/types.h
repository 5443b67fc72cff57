/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plain values that cross between control and dataplane: ids, addresses, codecs, time.
 * Numbers only; no pointer, no text. All multi-byte values are in host byte order.
 */
#ifndef CORDBOARD_TYPES_H
#define CORDBOARD_TYPES_H

#include <cordboard/limits.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * An id of a port or a room: slot in the low 32 bits, generation in the high 32 bits. Control
 * chooses both. The generation of a slot only grows and is never 0, so an id names one object for
 * the life of the segment and 0 names none.
 */
typedef uint64_t cord_id;

/* The id of a clip: a hash of its content (rate and samples), so that both sides find it again. */
typedef uint64_t cord_clip_id;

/* CLOCK_MONOTONIC in nanoseconds. */
typedef uint64_t cord_time;

static inline cord_id cord_id_make(uint32_t slot, uint32_t generation)
{
	return (cord_id)generation << 32 | slot;
}

static inline uint32_t cord_id_slot(cord_id id)
{
	return (uint32_t)id;
}

static inline uint32_t cord_id_generation(cord_id id)
{
	return (uint32_t)(id >> 32);
}

enum cord_family {
	CORD_FAMILY_NONE = 0,
	CORD_FAMILY_IPV4 = 4,
	CORD_FAMILY_IPV6 = 6,
};

/* A UDP address. IPv4 uses the first four bytes of ip, in network order; the rest is 0. */
struct cord_address {
	uint8_t family; /* enum cord_family */
	uint8_t reserved;
	uint16_t udp_port; /* host order */
	uint8_t ip[16];
};
_Static_assert(sizeof(struct cord_address) == 20, "struct cord_address is part of the contract");

static inline struct cord_address cord_address_ipv4(
	uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t udp_port)
{
	return (struct cord_address){
		.family = CORD_FAMILY_IPV4, .udp_port = udp_port, .ip = {a, b, c, d}};
}

static inline bool cord_address_equal(const struct cord_address *a, const struct cord_address *b)
{
	return a->family == b->family && a->udp_port == b->udp_port &&
	       memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

/* Codecs of a port. RTP clock and sampling rate follow from it. */
enum cord_codec {
	CORD_CODEC_NONE = 0,
	CORD_CODEC_PCMU = 1, /* ITU-T G.711 mu-law, RFC 3551: payload type 0, 8 kHz */
	CORD_CODEC_PCMA = 2, /* ITU-T G.711 A-law, RFC 3551: payload type 8, 8 kHz */
	/* ITU-T G.722 at 64 kbit/s, RFC 3551 section 4.5.2: payload type 9, 16 kHz, clock 8 kHz */
	CORD_CODEC_G722 = 3,
	CORD_CODEC_OPUS = 4, /* RFC 6716, RFC 7587: dynamic payload type, clock 48 kHz */
	CORD_CODEC_COUNT,
};

/* RTP clock in kHz; 0: no such codec. */
static inline uint32_t cord_codec_clock_khz(uint32_t codec)
{
	static const uint8_t khz[CORD_CODEC_COUNT] = {
		[CORD_CODEC_PCMU] = 8,
		[CORD_CODEC_PCMA] = 8,
		[CORD_CODEC_G722] = 8,
		[CORD_CODEC_OPUS] = 48,
	};
	return codec < CORD_CODEC_COUNT ? khz[codec] : 0;
}

/* True of a codec that carries more than the telephone band. */
static inline bool cord_codec_wide(uint32_t codec)
{
	return codec == CORD_CODEC_G722 || codec == CORD_CODEC_OPUS;
}

/* The least play-out delay that a leg may ask for (struct cord_terms), ms. */
#define CORD_JITTER_LEAST_MS 4u

/*
 * What protects a stream: the crypto suites of SDES (RFC 4568 section 6.2, RFC 6188, RFC 7714) by
 * name, number, bytes of key, of salt and of the tags of RTP and RTCP, and whether it is AEAD.
 */
#define CORD_SRTP_SUITES(X)                                  \
	X(AES_CM_128_HMAC_SHA1_80, 1, 16, 14, 10, 10, false) \
	X(AES_CM_128_HMAC_SHA1_32, 2, 16, 14, 4, 10, false)  \
	X(AES_256_CM_HMAC_SHA1_80, 3, 32, 14, 10, 10, false) \
	X(AES_256_CM_HMAC_SHA1_32, 4, 32, 14, 4, 10, false)  \
	X(AEAD_AES_128_GCM, 5, 16, 12, 16, 16, true)         \
	X(AEAD_AES_256_GCM, 6, 32, 12, 16, 16, true)

enum cord_srtp_suite {
	CORD_SRTP_NONE = 0,
#define X(name, number, key, salt, tag, rtcp_tag, aead) CORD_SRTP_##name = number,
	CORD_SRTP_SUITES(X)
#undef X
		CORD_SRTP_SUITE_COUNT
};

/* What a suite is made of. */
struct cord_srtp_parts {
	const char *name; /* as SDES has it */
	uint8_t key_bytes, salt_bytes, tag_bytes, rtcp_tag_bytes;
	bool aead; /* AES-GCM; else AES-CM and HMAC-SHA1 */
};

/* Of CORD_SRTP_NONE, and of what is no suite: nothing. */
static inline const struct cord_srtp_parts *cord_srtp_parts(uint32_t suite)
{
	static const struct cord_srtp_parts parts[CORD_SRTP_SUITE_COUNT] = {
#define X(name, number, key, salt, tag, rtcp_tag, aead) \
	[CORD_SRTP_##name] = {#name, key, salt, tag, rtcp_tag, aead},
		CORD_SRTP_SUITES(X)
#undef X
	};
	return &parts[suite < CORD_SRTP_SUITE_COUNT ? suite : CORD_SRTP_NONE];
}

#define CORD_SRTP_KEY_MAX 46u

/* Bytes of master key and master salt, which lie one after the other; 0: there is no such suite. */
static inline uint32_t cord_srtp_key_bytes(uint32_t suite)
{
	const struct cord_srtp_parts *parts = cord_srtp_parts(suite);

	return (uint32_t)parts->key_bytes + parts->salt_bytes;
}

/* The key of one direction. Whoever copies it wipes the copy after use. */
struct cord_srtp_key {
	uint8_t suite; /* enum cord_srtp_suite */
	uint8_t reserved;
	uint8_t key[CORD_SRTP_KEY_MAX]; /* master key, master salt; the rest is 0 */
};
_Static_assert(sizeof(struct cord_srtp_key) == 48, "struct cord_srtp_key is part of the contract");

/* What does the arithmetic of SRTP in a dataplane: the library, and its best for the processor. */
#define CORD_SRTP_BACKENDS(X)              \
	X(NONE, "none")                    \
	X(LIBSRTP, "libsrtp")              \
	X(IPSEC_MB, "ipsec-mb")            \
	X(IPSEC_MB_SSE, "ipsec-mb, SSE")   \
	X(IPSEC_MB_AVX, "ipsec-mb, AVX")   \
	X(IPSEC_MB_AVX2, "ipsec-mb, AVX2") \
	X(IPSEC_MB_AVX512, "ipsec-mb, AVX-512")

enum cord_srtp_backend {
#define X(name, text) CORD_SRTP_BACKEND_##name,
	CORD_SRTP_BACKENDS(X)
#undef X
		CORD_SRTP_BACKEND_COUNT
};

static inline const char *cord_srtp_backend_name(uint32_t backend)
{
	static const char *const names[] = {
#define X(name, text) text,
		CORD_SRTP_BACKENDS(X)
#undef X
	};
	return backend < CORD_SRTP_BACKEND_COUNT ? names[backend] : "unknown";
}

/* What a port may do, as the peer's SDP direction allows. Both bits clear: inactive. */
enum cord_direction {
	CORD_MAY_SEND = 1 << 0,    /* we may send to the peer */
	CORD_MAY_RECEIVE = 1 << 1, /* we take what the peer sends */
};

/* Why a command was refused. Each value has a text in cord_refusal_name(). */
#define CORD_REFUSALS(X)                                                      \
	X(NONE, "done")                                                       \
	X(UNKNOWN_COMMAND, "no such command")                                 \
	X(BAD_SIZE, "size of the message does not match its type")            \
	X(BAD_VALUE, "a value is out of its range")                           \
	X(BAD_SLOT, "slot out of range")                                      \
	X(STALE_ID, "the id names an object that is gone or never was")       \
	X(SLOT_TAKEN, "the slot is in use")                                   \
	X(OLD_GENERATION, "the generation is not newer than the slot's last") \
	X(ROOM_FULL, "more members than a room holds")                        \
	X(PORT_TWICE, "a port is named twice in one room")                    \
	X(WRONG_WORKER, "the object belongs to another worker")               \
	X(UNKNOWN_CLIP, "a clip of the playlist is not known")                \
	X(NO_DIGITS, "the port has no telephone-event")                       \
	X(BUSY, "digits are being sent already")                              \
	X(DOWNGRADE, "a port with keys never goes back to plain RTP")         \
	X(NO_MEMORY, "out of preallocated objects")

enum cord_refusal {
#define X(name, text) CORD_REFUSAL_##name,
	CORD_REFUSALS(X)
#undef X
		CORD_REFUSAL_COUNT
};

static inline const char *cord_refusal_name(uint32_t refusal)
{
	static const char *const names[] = {
#define X(name, text) text,
		CORD_REFUSALS(X)
#undef X
	};
	return refusal < CORD_REFUSAL_COUNT ? names[refusal] : "unknown refusal";
}

#endif
