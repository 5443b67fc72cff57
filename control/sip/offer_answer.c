/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/offer_answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define BOTH       (CORD_MAY_SEND | CORD_MAY_RECEIVE)
#define EVENT_FMTP "0-15" /* the keys 0-9, *, #, A-D */

static const struct sdp_codec codecs[] = {
	{.codec = CORD_CODEC_PCMU,
		.payload_type = 0,
		.channels = 1,
		.encoding = "PCMU",
		.clock = 8000},
	{.codec = CORD_CODEC_PCMA,
		.payload_type = 8,
		.channels = 1,
		.encoding = "PCMA",
		.clock = 8000},
};

const struct sdp_codec *sdp_codec(enum cord_codec codec)
{
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (codecs[i].codec == codec)
			return &codecs[i];
	return NULL;
}

/* ---- choice ---- */

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

static const struct sdp_format *find_event(const struct sdp_media *media, uint32_t clock)
{
	const struct sdp_codec event = {
		.channels = 1, .encoding = "telephone-event", .clock = clock};

	return find_format(media, &event);
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

static bool is_plain_rtp(const struct sdp_media *media)
{
	return str_equal_text(media->protocol, "RTP/AVP") ||
	       str_equal_text(media->protocol, "RTP/AVPF");
}

static bool usable(const struct sdp_media *media, const struct sdp_local *local)
{
	return str_equal_text(media->media, "audio") && is_plain_rtp(media) &&
	       media->udp_port > 0 && media->has_address &&
	       media->address.family == local->address.family;
}

static uint16_t own_ptime(const struct sdp_local *local)
{
	return local->ptime_ms ? local->ptime_ms : SDP_PTIME_MS_DEFAULT;
}

/* What the peer wants to receive, in the steps and bounds that we can send. */
static uint16_t send_ptime(const struct sdp_media *media, const struct sdp_local *local)
{
	uint16_t ptime = media->ptime_ms ? media->ptime_ms : own_ptime(local);

	if (media->maxptime_ms && ptime > media->maxptime_ms)
		ptime = media->maxptime_ms;
	if (ptime > SDP_PTIME_MS_MAX)
		ptime = SDP_PTIME_MS_MAX;
	ptime = (uint16_t)(ptime / 10 * 10);
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

static void take_stream(struct sdp_stream *stream, const struct sdp_media *media, unsigned index,
	const struct sdp_local *local, const struct sdp_codec *codec,
	const struct sdp_format *format)
{
	const struct sdp_format *event = local->events ? find_event(media, codec->clock) : NULL;

	*stream = (struct sdp_stream){
		.remote = media->address,
		.remote_rtcp_port = media->rtcp_port,
		.codec = codec->codec,
		.payload_type = format->payload_type,
		.receive_payload_type = format->payload_type,
		.event_payload_type = event ? event->payload_type : SDP_NO_PAYLOAD_TYPE,
		.receive_event_payload_type = event ? event->payload_type : SDP_NO_PAYLOAD_TYPE,
		.direction = our_direction(media, local),
		.media_index = (uint8_t)index,
		.held_by_peer = !(media->direction & CORD_MAY_RECEIVE) || media->held,
		.ptime_ms = send_ptime(media, local),
		.event_clock = event ? codec->clock : 0,
	};
}

/* ---- writing ---- */

static const char *direction_name(uint8_t direction)
{
	static const char *const names[] = {"inactive", "sendonly", "recvonly", "sendrecv"};

	return names[direction & BOTH];
}

static void write_format(struct strbuf *out, unsigned payload_type, const char *encoding,
	uint32_t clock, unsigned channels, const char *fmtp)
{
	strbuf_printf(out, "a=rtpmap:%u %s/%u", payload_type, encoding, clock);
	if (channels > 1)
		strbuf_printf(out, "/%u", channels);
	strbuf_text(out, "\r\n");
	if (fmtp)
		strbuf_printf(out, "a=fmtp:%u %s\r\n", payload_type, fmtp);
}

/* One audio line to write: the codecs with the payload types under which they go. */
struct audio {
	struct str protocol;
	const struct sdp_codec *codecs[SDP_CODECS_MAX];
	uint8_t payload_types[SDP_CODECS_MAX];
	unsigned count;
	uint8_t event_payload_type;
	uint8_t direction;
};

static void write_audio(
	struct strbuf *out, const struct sdp_local *local, const struct audio *audio)
{
	strbuf_printf(out, "m=audio %u %.*s", local->address.udp_port, STR_ARG(audio->protocol));
	for (unsigned i = 0; i < audio->count; i++)
		strbuf_printf(out, " %u", audio->payload_types[i]);
	if (audio->event_payload_type != SDP_NO_PAYLOAD_TYPE)
		strbuf_printf(out, " %u", audio->event_payload_type);
	strbuf_text(out, "\r\n");
	for (unsigned i = 0; i < audio->count; i++)
		write_format(out, audio->payload_types[i], audio->codecs[i]->encoding,
			audio->codecs[i]->clock, audio->codecs[i]->channels,
			audio->codecs[i]->fmtp);
	if (audio->event_payload_type != SDP_NO_PAYLOAD_TYPE)
		write_format(out, audio->event_payload_type, "telephone-event",
			audio->codecs[0]->clock, 1, EVENT_FMTP);
	strbuf_printf(
		out, "a=ptime:%u\r\na=%s\r\n", own_ptime(local), direction_name(audio->direction));
}

static void write_refused(struct strbuf *out, const struct sdp_media *media)
{
	strbuf_printf(out, "m=%.*s 0 %.*s %.*s\r\n", STR_ARG(media->media),
		STR_ARG(media->protocol), STR_ARG(media->formats_text));
}

/* A whole description: the lines of layout (NULL: one line) with audio at its index. */
static void write_session(struct strbuf *out, const struct sdp_local *local, uint64_t id,
	uint64_t version, const struct sdp *layout, unsigned index, struct str timing,
	const struct audio *audio)
{
	bool six = local->address.family == CORD_FAMILY_IPV6;
	const char *type = six ? "IP6" : "IP4";
	char host[INET6_ADDRSTRLEN] = "";

	inet_ntop(six ? AF_INET6 : AF_INET, local->address.ip, host, sizeof(host));
	strbuf_printf(out, "v=0\r\no=- %llu %llu IN %s %s\r\ns=-\r\nc=IN %s %s\r\n",
		(unsigned long long)id, (unsigned long long)version, type, host, type, host);
	if (timing.n > 0)
		strbuf_printf(out, "t=%.*s\r\n", STR_ARG(timing));
	else
		strbuf_text(out, "t=0 0\r\n");
	for (unsigned i = 0; i < (layout ? layout->media_count : 1u); i++) {
		if (i == index)
			write_audio(out, local, audio);
		else
			write_refused(out, &layout->media[i]);
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
static int write_versioned(struct sdp_origin *origin, const struct sdp_local *local,
	const struct sdp *layout, unsigned index, struct str timing, const struct audio *audio,
	char *buffer, size_t size, size_t *length)
{
	struct strbuf out;
	struct sdp_origin next = *origin;
	uint64_t digest;

	if (size == 0)
		return -ENOSPC;
	strbuf_init(&out, buffer, size);
	write_session(&out, local, origin->id, 0, layout, index, timing, audio);
	if (strbuf_result(&out) < 0)
		return -ENOSPC;
	digest = digest_of(&out);
	if (origin->version == 0 || digest != origin->digest)
		next.version++;
	next.digest = digest;
	strbuf_reset(&out);
	write_session(&out, local, next.id, next.version, layout, index, timing, audio);
	if (strbuf_result(&out) < 0)
		return -ENOSPC;
	*origin = next;
	*length = out.n;
	return 0;
}

/* ---- the three steps ---- */

int sdp_answer(const struct sdp *offer, const struct sdp_local *local, struct sdp_origin *origin,
	char *buffer, size_t size, size_t *length, struct sdp_stream *stream)
{
	const struct sdp_codec *codec = NULL;
	const struct sdp_format *format = NULL;
	struct sdp_stream agreed;
	struct audio audio;
	unsigned index;
	int rc;

	for (index = 0; index < offer->media_count && !codec; index++)
		if (usable(&offer->media[index], local))
			codec = choose(&offer->media[index], local, local->prefer_ours, &format);
	if (!codec)
		return -ENOTSUP;
	index--;
	take_stream(&agreed, &offer->media[index], index, local, codec, format);
	audio = (struct audio){.protocol = offer->media[index].protocol,
		.codecs = {codec},
		.payload_types = {agreed.payload_type},
		.count = 1,
		.event_payload_type = agreed.event_payload_type,
		.direction = agreed.direction};
	rc = write_versioned(
		origin, local, offer, index, offer->timing, &audio, buffer, size, length);
	if (rc == 0)
		*stream = agreed;
	return rc;
}

int sdp_offer(const struct sdp_local *local, const struct sdp *previous, unsigned media_index,
	struct sdp_origin *origin, char *buffer, size_t size, size_t *length)
{
	struct audio audio = {.protocol = STR("RTP/AVP"),
		.event_payload_type = local->events ? SDP_EVENT_PAYLOAD_TYPE : SDP_NO_PAYLOAD_TYPE,
		.direction = local->direction};

	for (unsigned i = 0; i < local->codec_count && i < SDP_CODECS_MAX; i++) {
		const struct sdp_codec *codec = sdp_codec((enum cord_codec)local->codecs[i]);

		if (!codec)
			continue;
		audio.codecs[audio.count] = codec;
		audio.payload_types[audio.count++] = codec->payload_type;
	}
	if (audio.count == 0 || (previous && media_index >= previous->media_count))
		return -EINVAL;
	if (previous)
		audio.protocol = previous->media[media_index].protocol;
	return write_versioned(origin, local, previous, previous ? media_index : 0, STR("0 0"),
		&audio, buffer, size, length);
}

int sdp_take_answer(const struct sdp *answer, const struct sdp_local *local, unsigned media_index,
	struct sdp_stream *stream)
{
	const struct sdp_media *media;
	const struct sdp_codec *codec;
	const struct sdp_format *format;

	if (media_index >= answer->media_count)
		return -EBADMSG;
	media = &answer->media[media_index];
	if (!usable(media, local))
		return -ENOTSUP;
	codec = choose(media, local, false, &format);
	if (!codec)
		return -ENOTSUP;
	take_stream(stream, media, media_index, local, codec, format);
	stream->receive_payload_type = codec->payload_type;
	if (stream->receive_event_payload_type != SDP_NO_PAYLOAD_TYPE)
		stream->receive_event_payload_type = SDP_EVENT_PAYLOAD_TYPE;
	return 0;
}
