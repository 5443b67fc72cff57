/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/offer_answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "sip/sdp_audio.h"

/* ---- codec ------------------------------------------------------------------------------- */

static bool is_format(const struct sdp_format *format, const struct sdp_codec *codec)
{
	return format->clock == codec->clock && format->channels == codec->channels &&
	       str_equal_nocase_text(format->encoding, codec->encoding);
}

static const struct sdp_format *find_format(
	const struct sdp_media *media, const struct sdp_codec *codec)
{
	for (unsigned i = 0; i < media->format_count; i++)
		if (is_format(&media->formats[i], codec))
			return &media->formats[i];
	return NULL;
}

static const struct sdp_format *find_other(
	const struct sdp_media *media, const char *encoding, uint32_t clock)
{
	return find_format(
		media, &(struct sdp_codec){.channels = 1, .encoding = encoding, .clock = clock});
}

/* The codec that both sides have, by our order or by the peer's. */
static const struct sdp_codec *choose(const struct sdp_media *media, const struct sdp_local *local,
	bool ours, const struct sdp_format **format)
{
	const struct sdp_codec *best = NULL;
	const struct sdp_format *best_format = NULL;

	for (unsigned i = 0; i < local->codec_count; i++) {
		const struct sdp_codec *codec = sdp_codec((enum cord_codec)local->codecs[i]);
		const struct sdp_format *found = codec ? find_format(media, codec) : NULL;

		if (!found || (best && (ours || found > best_format)))
			continue;
		best = codec;
		best_format = found;
	}
	*format = best_format;
	return best;
}

/* ---- encryption -------------------------------------------------------------------------- */

/* How good a suite is to us: the one that runs, then by preference. Lower is better. */
static unsigned rank_of(uint8_t suite, uint8_t running)
{
	unsigned n = 0;

	if (suite == running)
		return 0;
	while (sdes_preferred(n) != suite)
		n++;
	return n + 1;
}

/* The best of the offered lines; its suite is CORD_SRTP_NONE when there is none for us. */
static void choose_key(const struct sdp *sdp, const struct sdp_media *media, uint8_t running,
	struct sdes_line *best)
{
	struct sdes_line found;
	struct str value;
	unsigned line = 0;

	*best = (struct sdes_line){0};
	while (sdp_next_attribute(sdp, media, "crypto", &line, &value))
		if (sdes_parse(value, &found) && (best->key.suite == CORD_SRTP_NONE ||
							 rank_of(found.key.suite, running) <
								 rank_of(best->key.suite, running)))
			*best = found;
	explicit_bzero(&found, sizeof(found));
}

static bool is_secure(const struct sdp_media *media)
{
	return str_equal_text(media->protocol, "RTP/SAVP") ||
	       str_equal_text(media->protocol, "RTP/SAVPF");
}

static bool is_plain(const struct sdp_media *media)
{
	return str_equal_text(media->protocol, "RTP/AVP") ||
	       str_equal_text(media->protocol, "RTP/AVPF");
}

static uint8_t running_suite(const struct sdp_stream *agreed)
{
	return agreed ? agreed->send_key.suite : CORD_SRTP_NONE;
}

/* Whether the line can be had with the key (or without one) that was found for it. */
static bool may_be(const struct sdp_media *media, const struct sdp_local *local,
	const struct sdp_stream *agreed, const struct cord_srtp_key *key)
{
	if (is_secure(media))
		return key->suite != CORD_SRTP_NONE;
	if (local->srtp == SDP_SRTP_REQUIRED)
		return false;
	return key->suite != CORD_SRTP_NONE || running_suite(agreed) == CORD_SRTP_NONE;
}

static bool has_audio(const struct sdp_media *media, const struct sdp_local *local)
{
	return str_equal_text(media->media, "audio") && media->udp_port > 0 && media->has_address &&
	       media->address.family == local->address.family &&
	       (is_secure(media) || is_plain(media));
}

/* ---- what was agreed --------------------------------------------------------------------- */

/* What the peer wants to receive, in the steps and bounds that we can send. */
static uint16_t send_ptime(
	const struct sdp_media *media, const struct sdp_local *local, uint16_t min_ms)
{
	uint16_t ours = local->ptime_ms ? local->ptime_ms : SDP_PTIME_MS_DEFAULT;
	uint16_t ptime = media->ptime_ms ? media->ptime_ms : ours;

	if (ptime < min_ms)
		ptime = min_ms;
	if (media->maxptime_ms && ptime > media->maxptime_ms)
		ptime = media->maxptime_ms;
	if (ptime >= SDP_PTIME_MS_MAX)
		return SDP_PTIME_MS_MAX;
	ptime = (uint16_t)(ptime / 10 * 10);
	if (ptime == 50)
		return 40;
	return ptime < SDP_PTIME_MS_MIN ? SDP_PTIME_MS_MIN : ptime;
}

static uint8_t our_direction(const struct sdp_media *media, const struct sdp_local *local)
{
	bool peer_receives = (media->direction & CORD_MAY_RECEIVE) && !media->held;
	bool peer_sends = media->direction & CORD_MAY_SEND;
	uint8_t direction = 0;

	if (peer_receives)
		direction |= CORD_MAY_SEND;
	if (peer_sends)
		direction |= CORD_MAY_RECEIVE;
	return direction & local->direction;
}

/* What the peer likes, within what we do. */
static void take_opus(
	struct sdp_stream *stream, const struct sdp_format *format, const struct sdp_local *local)
{
	struct opus_fmtp *opus = &stream->opus;

	opus_fmtp_read(format->fmtp, opus);
	if (opus->rate > SDP_OPUS_RATE)
		opus->rate = SDP_OPUS_RATE;
	if (opus->bitrate == 0 || (local->opus_bitrate && opus->bitrate > local->opus_bitrate))
		opus->bitrate = local->opus_bitrate;
	opus->fec = opus->fec && local->opus_fec;
	opus->dtx = opus->dtx && local->opus_dtx;
}

static void take_events(struct sdp_stream *stream, const struct sdp_media *media,
	const struct sdp_local *local, uint32_t clock)
{
	const struct sdp_format *event = find_other(media, "telephone-event", clock);

	if (!event)
		event = find_other(media, "telephone-event", 8000);
	if (!event || !local->events)
		return;
	stream->event_payload_type = stream->receive_event_payload_type = event->payload_type;
	stream->event_clock = event->clock;
}

static void take_noise(struct sdp_stream *stream, const struct sdp_media *media,
	const struct sdp_local *local, uint32_t clock)
{
	const struct sdp_format *noise = find_other(media, "CN", 8000);

	if (noise && local->comfort_noise && clock == noise->clock)
		stream->noise_payload_type = stream->receive_noise_payload_type =
			noise->payload_type;
}

static void take_stream(struct sdp_stream *stream, const struct sdp *sdp, unsigned index,
	const struct sdp_local *local, const struct sdp_codec *codec,
	const struct sdp_format *format)
{
	const struct sdp_media *media = &sdp->media[index];
	bool mux = local->rtcp_mux && media->rtcp_mux;

	*stream = (struct sdp_stream){
		.remote = media->address,
		.remote_rtcp_port = mux ? media->udp_port : media->rtcp_port,
		.rtcp_mux = mux,
		.codec = codec->codec,
		.payload_type = format->payload_type,
		.receive_payload_type = format->payload_type,
		.event_payload_type = SDP_NO_PAYLOAD_TYPE,
		.receive_event_payload_type = SDP_NO_PAYLOAD_TYPE,
		.noise_payload_type = SDP_NO_PAYLOAD_TYPE,
		.receive_noise_payload_type = SDP_NO_PAYLOAD_TYPE,
		.direction = our_direction(media, local),
		.media_index = (uint8_t)index,
		.held_by_peer = !(media->direction & CORD_MAY_RECEIVE) || media->held,
	};
	take_events(stream, media, local, codec->clock);
	take_noise(stream, media, local, codec->clock);
	if (codec->codec == CORD_CODEC_OPUS)
		take_opus(stream, format, local);
	stream->ptime_ms = send_ptime(media, local, stream->opus.min_ptime_ms);
}

static bool lacks_keys(const struct sdp_local *local, const struct sdp_origin *origin)
{
	return local->srtp != SDP_SRTP_OFF && !origin->keys;
}

static void take_key(
	struct sdp_stream *stream, const struct sdes_line *line, const struct sdes_keys *ours)
{
	if (line->key.suite == CORD_SRTP_NONE)
		return;
	stream->crypto_tag = line->tag;
	stream->receive_key = line->key;
	stream->send_key = ours->key[line->key.suite];
}

/* ---- writing ----------------------------------------------------------------------------- */

static void write_refused(struct strbuf *out, const struct sdp_media *media)
{
	strbuf_printf(out, "m=%.*s 0 %.*s %.*s\r\n", STR_ARG(media->media),
		STR_ARG(media->protocol), STR_ARG(media->formats_text));
}

/* What a description is made of, beside its version. */
struct description {
	const struct sdp_local *local;
	const struct sdp *layout; /* its lines are kept in place; NULL: one line */
	unsigned index;           /* of our audio among them */
	struct str timing;
	const struct sdp_audio *audio;
};

static void write_session(struct strbuf *out, const struct description *d,
	const struct sdp_origin *origin, uint64_t version)
{
	bool six = d->local->address.family == CORD_FAMILY_IPV6;
	const char *type = six ? " IN IP6 " : " IN IP4 ";
	char host[INET6_ADDRSTRLEN] = "";

	strbuf_reset(out);
	inet_ntop(six ? AF_INET6 : AF_INET, d->local->address.ip, host, sizeof(host));
	strbuf_text(out, "v=0\r\no=- ");
	strbuf_u64(out, origin->id);
	strbuf_char(out, ' ');
	strbuf_u64(out, version);
	strbuf_text(out, type);
	strbuf_text(out, host);
	strbuf_text(out, "\r\ns=-\r\nc=");
	strbuf_text(out, type + 1);
	strbuf_text(out, host);
	strbuf_text(out, "\r\n");
	if (d->timing.n > 0)
		strbuf_printf(out, "t=%.*s\r\n", STR_ARG(d->timing));
	else
		strbuf_text(out, "t=0 0\r\n");
	for (unsigned i = 0; i < (d->layout ? d->layout->media_count : 1u); i++) {
		if (i == d->index)
			sdp_audio_write(out, d->audio, d->local, origin->keys);
		else
			write_refused(out, &d->layout->media[i]);
	}
}

/* FNV-1a: tells whether we say something else than last time. */
static uint64_t digest_of(const struct strbuf *text)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < text->n; i++)
		hash = (hash ^ (unsigned char)text->p[i]) * 0x100000001b3ull;
	return hash;
}

/* Writes once with version 0 to learn whether it differs, then with the version that follows. */
static int write_versioned(
	struct strbuf *out, const struct description *d, struct sdp_origin *origin)
{
	uint64_t digest, version = origin->version;

	write_session(out, d, origin, 0);
	if (strbuf_result(out) < 0)
		return -ENOSPC;
	digest = digest_of(out);
	if (version == 0 || digest != origin->digest)
		version++;
	write_session(out, d, origin, version);
	if (strbuf_result(out) < 0)
		return -ENOSPC;
	origin->version = version;
	origin->digest = digest;
	return 0;
}

/* ---- the three steps --------------------------------------------------------------------- */

/* What an offer was answered with. */
struct choice {
	unsigned index;
	const struct sdp_codec *codec; /* NULL: nothing */
	const struct sdp_format *format;
	struct sdes_line line;
};

/* The first line that can be had, among those with a key or those without. */
static void choose_line(const struct sdp *offer, const struct sdp_local *local,
	const struct sdp_stream *agreed, bool with_key, struct choice *choice)
{
	for (unsigned i = 0; i < offer->media_count && !choice->codec; i++) {
		const struct sdp_media *media = &offer->media[i];

		if (!has_audio(media, local))
			continue;
		choice->line = (struct sdes_line){0};
		if (with_key)
			choose_key(offer, media, running_suite(agreed), &choice->line);
		if (with_key != (choice->line.key.suite != CORD_SRTP_NONE) ||
			!may_be(media, local, agreed, &choice->line.key))
			continue;
		choice->index = i;
		choice->codec = choose(media, local, local->prefer_ours, &choice->format);
	}
}

static void lay_out_answer(
	struct sdp_audio *audio, const struct choice *choice, const struct sdp_stream *stream)
{
	*audio = (struct sdp_audio){.codecs = {choice->codec},
		.payload_types = {stream->payload_type},
		.count = 1,
		.event_payload_types = {stream->event_payload_type},
		.event_clocks = {stream->event_clock},
		.event_count = stream->event_clock ? 1 : 0,
		.noise_payload_type = stream->noise_payload_type,
		.rtcp_mux = stream->rtcp_mux,
		.direction = stream->direction,
		.suites = {stream->send_key.suite},
		.tags = {stream->crypto_tag},
		.key_count = stream->send_key.suite != CORD_SRTP_NONE ? 1 : 0};
}

int sdp_answer(const struct sdp *offer, const struct sdp_local *local,
	const struct sdp_stream *agreed, struct sdp_origin *origin, struct strbuf *out,
	struct sdp_stream *stream)
{
	struct choice choice = {0};
	struct sdp_stream taken;
	struct sdp_audio audio;
	int rc;

	if (lacks_keys(local, origin))
		return -EINVAL;
	if (local->srtp != SDP_SRTP_OFF)
		choose_line(offer, local, agreed, true, &choice);
	if (!choice.codec)
		choose_line(offer, local, agreed, false, &choice);
	if (!choice.codec)
		return -ENOTSUP;
	take_stream(&taken, offer, choice.index, local, choice.codec, choice.format);
	take_key(&taken, &choice.line, origin->keys);
	lay_out_answer(&audio, &choice, &taken);
	audio.protocol = offer->media[choice.index].protocol;
	rc = write_versioned(out,
		&(struct description){local, offer, choice.index, offer->timing, &audio}, origin);
	if (rc == 0)
		*stream = taken;
	explicit_bzero(&choice, sizeof(choice));
	explicit_bzero(&taken, sizeof(taken));
	return rc;
}

int sdp_offer(const struct sdp_local *local, const struct sdp *previous,
	const struct sdp_stream *agreed, struct sdp_origin *origin, struct strbuf *out)
{
	unsigned index = previous && agreed ? agreed->media_index : 0;
	struct sdp_audio audio;

	if (lacks_keys(local, origin))
		return -EINVAL;
	sdp_audio_lay_out(&audio, local, agreed);
	if (audio.count == 0 || (previous && index >= previous->media_count))
		return -EINVAL;
	if (previous)
		audio.protocol = previous->media[index].protocol;
	return write_versioned(
		out, &(struct description){local, previous, index, STR("0 0"), &audio}, origin);
}

/* The one line of the answer. False when it is there and is none that we offered. */
static bool answered_key(const struct sdp *answer, const struct sdp_media *media,
	const struct sdp_audio *offered, struct sdes_line *line)
{
	struct str value;
	unsigned at = 0;

	*line = (struct sdes_line){0};
	if (offered->key_count == 0 || !sdp_next_attribute(answer, media, "crypto", &at, &value))
		return true;
	if (!sdes_parse(value, line))
		return false;
	for (unsigned i = 0; i < offered->key_count; i++)
		if (offered->tags[i] == line->tag && offered->suites[i] == line->key.suite)
			return true;
	return false;
}

int sdp_take_answer(const struct sdp *answer, const struct sdp_local *local,
	const struct sdp_stream *agreed, const struct sdp_origin *origin, struct sdp_stream *stream)
{
	unsigned index = agreed ? agreed->media_index : 0;
	const struct sdp_media *media;
	const struct sdp_codec *codec;
	const struct sdp_format *format;
	struct sdp_audio offered;
	struct sdes_line line;

	if (lacks_keys(local, origin))
		return -EINVAL;
	if (index >= answer->media_count)
		return -EBADMSG;
	media = &answer->media[index];
	sdp_audio_lay_out(&offered, local, agreed);
	codec = choose(media, local, false, &format);
	if (!codec || !has_audio(media, local) || !answered_key(answer, media, &offered, &line) ||
		!may_be(media, local, agreed, &line.key))
		return -ENOTSUP;
	take_stream(stream, answer, index, local, codec, format);
	take_key(stream, &line, origin->keys);
	explicit_bzero(&line, sizeof(line));
	/* The numbers of what we receive are those of our offer. */
	stream->receive_payload_type =
		sdp_audio_payload_type(&offered, (enum cord_codec)codec->codec);
	if (stream->event_clock)
		stream->receive_event_payload_type = sdp_audio_event(&offered, stream->event_clock);
	if (stream->noise_payload_type != SDP_NO_PAYLOAD_TYPE)
		stream->receive_noise_payload_type = offered.noise_payload_type;
	return 0;
}
