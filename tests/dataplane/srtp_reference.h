/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SRTP and SRTCP once more, as the RFCs say it and with OpenSSL, one packet at a time and with the
 * index given: what tests hold the back ends against, after it has been held against the vectors of
 * the RFCs. It keeps no state.
 */
#ifndef SRTP_REFERENCE_H
#define SRTP_REFERENCE_H

#include <cordboard/types.h>

#include <stddef.h>

/* Session keys, of RTP and of RTCP. */
struct srtp_reference {
	uint32_t suite;
	uint8_t cipher[2][32], salt[2][14], authentication[2][20];
};

uint32_t srtp_reference_key_bytes(uint32_t suite); /* of the cipher */
bool srtp_reference_aead(uint32_t suite);

/* RFC 3711 section 4.3. */
void srtp_reference_derive(struct srtp_reference *r, const struct cord_srtp_key *key);

/* `bytes` of the key stream of AES-CM, RFC 3711 section 4.1.1. */
void srtp_reference_key_stream(const uint8_t *key, uint32_t key_bytes, const uint8_t salt[14],
	uint32_t ssrc, uint64_t index, uint8_t *out, size_t bytes);

/*
 * Protects a packet that has a header of 12 bytes with CSRC list and extension, or is RTCP, in
 * place; 20 bytes of room behind. Returns its new length.
 */
size_t srtp_reference_protect(
	const struct srtp_reference *r, bool rtcp, uint64_t index, uint8_t *packet, size_t bytes);

#endif
