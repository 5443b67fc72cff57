/* SPDX-License-Identifier: Apache-2.0 */
/* SRTP of one leg of the ear, by libsrtp2. */
#ifndef EAR_SRTP_H
#define EAR_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EAR_SRTP_ROOM 32u /* bytes behind a packet for what is added to it */
#define EAR_SRTP_KEPT 64u /* packets that it sent last, for who wants to send them once more */

struct ear_srtp;

/*
 * suite: its name in SDP; the keys with their salts in base64, as SDP has them. NULL when one of
 * them is none.
 */
struct ear_srtp *ear_srtp_new(const char *suite, const char *send_key, const char *receive_key);
void ear_srtp_free(struct ear_srtp *srtp); /* NULL is fine */
/* Whether these are its suite and keys, so that it goes on as it is. */
bool ear_srtp_is(const struct ear_srtp *srtp, const char *suite, const char *send_key,
	const char *receive_key);

/* In place; the new length, 0 when it failed. */
size_t ear_srtp_protect(struct ear_srtp *srtp, uint8_t *packet, size_t bytes);
size_t ear_srtp_unprotect(struct ear_srtp *srtp, uint8_t *packet, size_t bytes);

/* The packet that was protected `ago` packets before the last; its length, 0: it is not kept. */
size_t ear_srtp_kept(const struct ear_srtp *srtp, unsigned ago, const uint8_t **packet);

#endif
