/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sdp_audio.h"

#define BOTH           (CORD_MAY_SEND | CORD_MAY_RECEIVE)
#define EVENT_FMTP     "0-15" /* the keys 0-9, *, #, A-D */
#define NOISE_TYPE     13     /* RFC 3551 section 6 */
#define OPUS_TYPE      96
#define EVENT_TYPE     101
#define EVENT_TYPE_48K 102
#define DYNAMIC_FIRST  96

/* ---- codecs ------------------------------------------------------------------------------ */

/* Rooms are mixed at 16 kHz at most, so no more than that is of use in either direction. */
static void opus_fmtp(struct strbuf *out, const struct sdp_local *local)
{
	opus_fmtp_write(out, &(struct opus_fmtp){.rate = SDP_OPUS_RATE,
				     .bitrate = local->opus_bitrate,
				     .fec = local->opus_fec,
				     .dtx = local->opus_dtx});
}

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
	/* Its clock is 8 kHz although it samples at 16 (RFC 3551 section 4.5.2). */
	{.codec = CORD_CODEC_G722,
		.payload_type = 9,
		.channels = 1,
		.encoding = "G722",
		.clock = 8000},
	/* Two channels in rtpmap always, mono too (RFC 7587 section 7). */
	{.codec = CORD_CODEC_OPUS,
		.payload_type = OPUS_TYPE,
		.channels = 2,
		.encoding = "opus",
		.clock = 48000,
		.fmtp = opus_fmtp},
};

const struct sdp_codec *sdp_codec(enum cord_codec codec)
{
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (codecs[i].codec == codec)
			return &codecs[i];
	return NULL;
}

/* ---- the line of an offer ---------------------------------------------------------------- */

static bool is_used(const struct sdp_audio *audio, uint8_t type)
{
	for (unsigned i = 0; i < audio->count; i++)
		if (audio->payload_types[i] == type)
			return true;
	for (unsigned i = 0; i < audio->event_count; i++)
		if (audio->event_payload_types[i] == type)
			return true;
	return audio->noise_payload_type == type;
}

static bool is_agreed(const struct sdp_stream *agreed, uint8_t type)
{
	return agreed && (agreed->receive_payload_type == type ||
				 agreed->receive_event_payload_type == type ||
				 agreed->receive_noise_payload_type == type);
}

/* The number wanted, or when it means something else in this session, a free dynamic one. */
static uint8_t free_type(
	const struct sdp_audio *audio, const struct sdp_stream *agreed, uint8_t wanted)
{
	uint8_t type = wanted;

	for (uint8_t next = DYNAMIC_FIRST; is_used(audio, type) || is_agreed(agreed, type); next++)
		type = next;
	return type;
}

static void add_codec(
	struct sdp_audio *audio, const struct sdp_codec *codec, const struct sdp_stream *agreed)
{
	uint8_t type = agreed && agreed->codec == codec->codec
			       ? agreed->receive_payload_type
			       : free_type(audio, agreed, codec->payload_type);

	audio->codecs[audio->count] = codec;
	audio->payload_types[audio->count++] = type;
}

static bool has_clock(const struct sdp_audio *audio, uint32_t clock)
{
	for (unsigned i = 0; i < audio->count; i++)
		if (audio->codecs[i]->clock == clock)
			return true;
	return false;
}

static void add_event(
	struct sdp_audio *audio, uint32_t clock, uint8_t wanted, const struct sdp_stream *agreed)
{
	bool kept = agreed && agreed->event_clock == clock;

	audio->event_payload_types[audio->event_count] =
		kept ? agreed->receive_event_payload_type : free_type(audio, agreed, wanted);
	audio->event_clocks[audio->event_count++] = clock;
}

static void add_noise(struct sdp_audio *audio, const struct sdp_stream *agreed)
{
	if (agreed && agreed->receive_noise_payload_type != SDP_NO_PAYLOAD_TYPE)
		audio->noise_payload_type = agreed->receive_noise_payload_type;
	else if (has_clock(audio, 8000))
		audio->noise_payload_type = free_type(audio, agreed, NOISE_TYPE);
}

static void add_key(struct sdp_audio *audio, uint32_t tag, enum cord_srtp_suite suite)
{
	audio->suites[audio->key_count] = (uint8_t)suite;
	audio->tags[audio->key_count++] = tag;
}

static void add_keys(struct sdp_audio *audio, const struct sdp_stream *agreed)
{
	enum cord_srtp_suite suite;

	if (agreed && agreed->send_key.suite != CORD_SRTP_NONE)
		add_key(audio, agreed->crypto_tag, (enum cord_srtp_suite)agreed->send_key.suite);
	if (agreed)
		return;
	for (unsigned i = 0; (suite = sdes_preferred(i)) != CORD_SRTP_NONE; i++)
		if (sdes_offered(suite))
			add_key(audio, audio->key_count + 1u, suite);
}

void sdp_audio_lay_out(
	struct sdp_audio *audio, const struct sdp_local *local, const struct sdp_stream *agreed)
{
	*audio = (struct sdp_audio){
		.protocol = local->srtp == SDP_SRTP_REQUIRED ? STR("RTP/SAVP") : STR("RTP/AVP"),
		.noise_payload_type = SDP_NO_PAYLOAD_TYPE,
		.rtcp_mux = local->rtcp_mux,
		.direction = local->direction};
	for (unsigned i = 0; i < local->codec_count && i < SDP_CODECS_MAX; i++) {
		const struct sdp_codec *codec = sdp_codec((enum cord_codec)local->codecs[i]);

		if (codec)
			add_codec(audio, codec, agreed);
	}
	if (local->events) {
		add_event(audio, 8000, EVENT_TYPE, agreed);
		if (has_clock(audio, 48000))
			add_event(audio, 48000, EVENT_TYPE_48K, agreed);
	}
	if (local->comfort_noise)
		add_noise(audio, agreed);
	if (local->srtp != SDP_SRTP_OFF)
		add_keys(audio, agreed);
}

uint8_t sdp_audio_payload_type(const struct sdp_audio *audio, enum cord_codec codec)
{
	for (unsigned i = 0; i < audio->count; i++)
		if (audio->codecs[i]->codec == codec)
			return audio->payload_types[i];
	return SDP_NO_PAYLOAD_TYPE;
}

uint8_t sdp_audio_event(const struct sdp_audio *audio, uint32_t clock)
{
	for (unsigned i = 0; i < audio->event_count; i++)
		if (audio->event_clocks[i] == clock)
			return audio->event_payload_types[i];
	return SDP_NO_PAYLOAD_TYPE;
}

/* ---- writing ----------------------------------------------------------------------------- */

static const char *direction_name(uint8_t direction)
{
	static const char *const names[] = {"inactive", "sendonly", "recvonly", "sendrecv"};

	return names[direction & BOTH];
}

/* Text and a number behind it: an answer has ten of them, too many to go through printf. */
static void number(struct strbuf *out, const char *text, unsigned n)
{
	strbuf_text(out, text);
	strbuf_u64(out, n);
}

static void write_codec(struct strbuf *out, const struct sdp_codec *codec, unsigned payload_type,
	const struct sdp_local *local)
{
	number(out, "a=rtpmap:", payload_type);
	strbuf_char(out, ' ');
	strbuf_text(out, codec->encoding);
	number(out, "/", codec->clock);
	if (codec->channels > 1)
		number(out, "/", codec->channels);
	strbuf_text(out, "\r\n");
	if (!codec->fmtp)
		return;
	number(out, "a=fmtp:", payload_type);
	strbuf_char(out, ' ');
	codec->fmtp(out, local);
	strbuf_text(out, "\r\n");
}

static void write_formats(
	struct strbuf *out, const struct sdp_audio *audio, const struct sdp_local *local)
{
	number(out, "m=audio ", local->address.udp_port);
	strbuf_char(out, ' ');
	strbuf_add(out, audio->protocol);
	for (unsigned i = 0; i < audio->count; i++)
		number(out, " ", audio->payload_types[i]);
	if (audio->noise_payload_type != SDP_NO_PAYLOAD_TYPE)
		number(out, " ", audio->noise_payload_type);
	for (unsigned i = 0; i < audio->event_count; i++)
		number(out, " ", audio->event_payload_types[i]);
	strbuf_text(out, "\r\n");
	for (unsigned i = 0; i < audio->count; i++)
		write_codec(out, audio->codecs[i], audio->payload_types[i], local);
	if (audio->noise_payload_type != SDP_NO_PAYLOAD_TYPE)
		strbuf_printf(out, "a=rtpmap:%u CN/8000\r\n", audio->noise_payload_type);
	for (unsigned i = 0; i < audio->event_count; i++) {
		unsigned type = audio->event_payload_types[i];

		number(out, "a=rtpmap:", type);
		number(out, " telephone-event/", audio->event_clocks[i]);
		number(out, "\r\na=fmtp:", type);
		strbuf_text(out, " " EVENT_FMTP "\r\n");
	}
}

void sdp_audio_write(struct strbuf *out, const struct sdp_audio *audio,
	const struct sdp_local *local, const struct sdes_keys *keys)
{
	write_formats(out, audio, local);
	for (unsigned i = 0; i < audio->key_count; i++)
		sdes_write(out, audio->tags[i], &keys->key[audio->suites[i]]);
	if (audio->rtcp_mux)
		strbuf_text(out, "a=rtcp-mux\r\n");
	number(out, "a=ptime:", local->ptime_ms ? local->ptime_ms : SDP_PTIME_MS_DEFAULT);
	strbuf_text(out, "\r\na=");
	strbuf_text(out, direction_name(audio->direction));
	strbuf_text(out, "\r\n");
}
