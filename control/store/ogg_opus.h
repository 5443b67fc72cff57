/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two channels of speech as Opus in Ogg (RFC 6716, RFC 7845), made in pieces.
 *
 * The channels are two mono streams of mapping family 1, so that nothing of one is heard on the other.
 * Each piece ends its last page, so what has been written can be played up to there. The end is exact:
 * the last page says how many samples count (RFC 7845 section 4.4).
 *
 * No I/O; any one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define OGG_OPUS_SUFFIX ".opus" /* of a file's name */

struct ogg_opus;

/*
 * `rate_hz`: 8000 or 16000; `bitrate`: of both channels, bit/s; `serial`: of the Ogg stream, any.
 * -EINVAL; -ENOMEM.
 */
int ogg_opus_create(uint32_t rate_hz, uint32_t bitrate, uint32_t serial, struct ogg_opus **out);
/* NULL is fine. */
void ogg_opus_destroy(struct ogg_opus *o);

/* `frames` of 20 ms: left, right, left, …; `pcm` NULL: silence. -ENOMEM; -EIO: the encoder failed. */
int ogg_opus_add(struct ogg_opus *o, const int16_t *pcm, unsigned frames);
/* The last page. Nothing may be added any more. */
int ogg_opus_end(struct ogg_opus *o);
/* What has been made since ogg_opus_clear(), headers first; valid until the next call. */
const uint8_t *ogg_opus_bytes(const struct ogg_opus *o, size_t *n);
void ogg_opus_clear(struct ogg_opus *o);

/*
 * Ends a file that was cut off: what is behind its last whole page goes, and that page is made the
 * last. Returns how long it is, in samples at 48 kHz, or a negative errno; -EINVAL: no such file.
 * Blocks.
 */
int64_t ogg_opus_repair(int fd);
