/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer_media: what a user may say of the media of a trunk or a phone. The same options stand in three
 * places: in the section `media` of cordboard.yaml for all peers, and in a row of `trunks` and in
 * `phone` of an agent for the one peer, which may leave out what is the same.
 *
 *     media:  {codecs: [pcmu, pcma], srtp: optional}
 *     trunks: [{name: carrier, codecs: [pcma], srtp: off, …}]
 *     agents: [{user: arossi, phone: {register: arossi, codecs: [opus, g722, pcmu], …}, …}]
 *
 * G.711 comes first where nothing is said, for phones too: it is what trunks speak, so a call costs
 * no transcoding, and a phone alone gains nothing by a wider band, since a room has it from the
 * second wideband member on.
 *
 * Opus is passed through where nothing else was said: two parties who have it hear each other once
 * coded, not twice, 6.5 ms sooner, for next to no work. What it costs is that what one party loses on
 * its way to us is missing in what the other reports of its own way.
 */
#ifndef PEER_MEDIA_H
#define PEER_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cordboard/types.h>

#include "base/options.h"

#define PEER_CODECS_MAX 8

enum peer_prefer { PEER_PREFER_OURS, PEER_PREFER_THEIRS };
enum peer_srtp { PEER_SRTP_OFF, PEER_SRTP_OPTIONAL, PEER_SRTP_REQUIRED };
enum peer_nat { PEER_NAT_OFF, PEER_NAT_LEARN };

/* A plain value: may be copied. */
struct peer_media {
	uint8_t codecs[PEER_CODECS_MAX]; /* enum cord_codec, best first, each once */
	uint8_t codec_count;
	int prefer; /* enum peer_prefer */
	int srtp;   /* enum peer_srtp */
	int nat;    /* enum peer_nat */
	int ptime;  /* index of peer_media_ptimes; see peer_media_ptime_ms() */
	bool rtcp_mux;
	bool comfort_noise;
	bool opus_fec, opus_dtx, opus_pass_through;
	int64_t opus_bitrate, opus_complexity, opus_loss;
	uint64_t jitter_min_ns, jitter_max_ns; /* 0: the dataplane's own */
	uint64_t media_timeout_ns;             /* 0: never */
};

/* What nobody said anything of. */
void peer_media_preset(struct peer_media *media);

/*
 * Reads what the mapping has over *media; what it does not have stays. A key that is no option and
 * not in `others` (ends with NULL) is an error. 0, or -EINVAL with everything reported.
 */
int peer_media_read(struct peer_media *media, const struct yml_node *mapping,
	const char *const *others, struct report *report);

/* Behind those that are there. False and no change: not known, or there already. */
bool peer_media_add_codec(struct peer_media *media, const char *name);
#define PEER_CODEC_NAMES "pcmu, pcma, g722 or opus"

/* What no single row can judge, for messages: NULL when all is well. */
const char *peer_media_judge(const struct peer_media *media);

uint16_t peer_media_ptime_ms(const struct peer_media *media);

extern const char *const peer_media_prefers[],
	*const peer_media_srtps[], *const peer_media_nats[], *const peer_media_ptimes[];

#define PEER_MS(n) ((int64_t)(n)*1000000)

/* The one list: key, field, type, least, most, preset, choices, help. */
#define PEER_MEDIA_OPTIONS(X)                                                                  \
	X(prefer, prefer, OPTION_ENUM, 0, 0, "ours", peer_media_prefers,                       \
		"whose order of codecs counts in an offer that a peer makes")                  \
	X(srtp, srtp, OPTION_ENUM, 0, 0, "off", peer_media_srtps,                              \
		"encryption of media, keys by SDES. optional: offered, and taken when the\n"   \
		"peer has it (RFC 8643); required: a call without is refused")                 \
	X(nat, nat, OPTION_ENUM, 0, 0, "off", peer_media_nats,                                 \
		"learn: media goes to where the peer's first valid packets come from, for\n"   \
		"peers behind NAT alone")                                                      \
	X(ptime, ptime, OPTION_ENUM, 0, 0, "20", peer_media_ptimes,                            \
		"milliseconds in a packet that we ask for, and send to who asks for no other") \
	X(rtcp_mux, rtcp_mux, OPTION_BOOL, 0, 0, "false", NULL,                                \
		"RTP and RTCP on one port where the peer can")                                 \
	X(comfort_noise, comfort_noise, OPTION_BOOL, 0, 0, "false", NULL,                      \
		"comfort noise (RFC 3389) with G.711 and G.722")                               \
	X(opus_bitrate, opus_bitrate, OPTION_INT, 6000, 64000, "24000", NULL,                  \
		"bits a second of Opus, in both directions")                                   \
	X(opus_complexity, opus_complexity, OPTION_INT, 0, 10, "5", NULL,                      \
		"effort of the Opus encoder; it takes less while a worker is busy")            \
	X(opus_fec, opus_fec, OPTION_BOOL, 0, 0, "true", NULL,                                 \
		"Opus says in each packet what the one before had, for who wants it")          \
	X(opus_loss, opus_loss, OPTION_INT, 0, 50, "5", NULL,                                  \
		"percent of packets that Opus is prepared to lose")                            \
	X(opus_dtx, opus_dtx, OPTION_BOOL, 0, 0, "false", NULL,                                \
		"Opus says next to nothing while nobody speaks, for who wants it")             \
	X(opus_pass_through, opus_pass_through, OPTION_BOOL, 0, 0, "true", NULL,               \
		"who hears nobody but one other with Opus is sent the other's own packets,\n"  \
		"where both have this: no second loss of quality, next to no work")            \
	X(jitter_min, jitter_min_ns, OPTION_DURATION, 0, PEER_MS(250), "0s", NULL,             \
		"least delay of the jitter buffer, 4ms or more; 0s: its own, 12ms, which\n"    \
		"noise of 5ms in the arrival of packets does not trouble")                     \
	X(jitter_max, jitter_max_ns, OPTION_DURATION, 0, PEER_MS(250), "0s", NULL,             \
		"most delay of the jitter buffer; 0s: its own, 120ms")                         \
	X(media_timeout, media_timeout_ns, OPTION_DURATION, 0, PEER_MS(3600000), "30s", NULL,  \
		"a leg without media for so long is announced; 0s: never")

#endif
