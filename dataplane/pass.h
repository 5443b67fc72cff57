/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who need not be mixed.
 *
 * Silence. A member of G.722 or Opus that has been quiet for 200 ms is not part of what listeners of
 * these codecs hear beside others, and one that has been silent for so long is not heard at all: a
 * mix that is not made costs no encode. (Encoding G.711 costs next to nothing: its listeners hear
 * all there is, and so do taps.) Talk is heard from its first frame on.
 *
 * Pass-through. Where all that a listener of Opus is to hear is one talker of Opus, it is sent the
 * talker's own packets in its own stream: no encode, no second loss of quality, and no decode where
 * nobody else needs samples. Both ports must allow it (CORD_TERMS_OPUS_PASS); the listener has
 * packets of 20 ms, no gains and no player; the talker's packet is of 20 ms, mono, of no wider band
 * and not many more bits than the listener is sent. When all are quiet, the one that was heard last
 * goes on.
 *
 *                        begins: at once after silence; else when the talker pauses, or after 5 s
 *   +------------------+ --------------------------------------------> +----------------------+
 *   | our own encoding |                                               | the talker's packets |
 *   +------------------+ <-------------------------------------------- +----------------------+
 *                        ends: another talks, a tone of a key, gains, a clip, terms; at once
 *
 * The decoder at the other end follows either switch as it follows a lost packet, and less: there is
 * no way to begin a stranger's stream well in the middle of a vowel, since its frames refer to what
 * the decoder should have heard, so that is put off to where nothing is said; and our own encoder
 * takes up where the talker's samples end, with a frame that refers to nothing (codec_encoder_join()).
 *
 * The first packet may hold the talker's frame before it as well (FEC, RFC 6716 section 2.1.7), which
 * cannot be taken out without encoding anew; a receiver that lost the packet before hears it in its
 * place. Mostly the lost one had the talker in it. Else it is 20 ms of somebody who was not to be heard
 * yet: less than a syllable, or than a key, which takes 40 (ITU-T Q.24).
 *
 * A packet that the talker lost is not made up: its sequence number is left out, and the decoder at
 * the other end, which has heard the frames before it and may find it again in the next packet (FEC),
 * does what it does best. So losses of a talker show in its listeners' reports as well. A packet that
 * is late, or was never sent (DTX), leaves out no number.
 */
#ifndef DATAPLANE_PASS_H
#define DATAPLANE_PASS_H

#include "worker.h"

/* Finds out which of those who talk are quiet, as far as it matters: w->scratch.quiet, .silent. */
void pass_judge(struct worker *w, const struct room *r, uint32_t talking);

/* Of a set, those who are heard by a listener of G.722 or Opus. */
uint32_t pass_heard(const struct worker *w, uint32_t set);

/*
 * True: *sound is what the listener, which hears those of `set` and nothing else, is sent of a
 * talker's own packets.
 */
bool pass_sound(struct worker *w, const struct room *r, uint32_t listener, uint32_t set,
	struct sound *sound);

/* Notes that a listener was sent our own coding in this period. */
void pass_coded(struct worker *w, const struct port *listener);

/*
 * Whether a listener is sent a talker's own packets in this period, and whether it was in the last one
 * and is not now.
 */
bool pass_now(struct worker *w, const struct port *listener);
bool pass_ended(struct worker *w, const struct port *listener);

/*
 * What a listener was passed in the last period, in samples; NULL: nothing, or they are not known.
 */
const int16_t *pass_before(struct worker *w, const struct port *listener);

#endif
