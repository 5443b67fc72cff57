/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/terms.h"

#include "base/clock.h"

static uint8_t flags_of(const struct sdp_stream *stream, const struct peer_media *media)
{
	uint8_t flags = 0;

	if (stream->rtcp_mux)
		flags |= CORD_TERMS_RTCP_MUX;
	if (media->nat == PEER_NAT_LEARN)
		flags |= CORD_TERMS_LEARN;
	if (stream->noise_payload_type != SDP_NO_PAYLOAD_TYPE || stream->opus.dtx)
		flags |= CORD_TERMS_MAY_PAUSE;
	if (stream->opus.fec)
		flags |= CORD_TERMS_OPUS_FEC;
	if (stream->codec == CORD_CODEC_OPUS && media->opus_pass_through)
		flags |= CORD_TERMS_OPUS_PASS;
	if (stream->event_clock == 0)
		flags |= CORD_TERMS_INBAND_KEYS;
	return flags;
}

static void add_opus(
	struct cord_terms *terms, const struct sdp_stream *stream, const struct peer_media *media)
{
	if (stream->codec != CORD_CODEC_OPUS)
		return;
	terms->opus_bitrate = stream->opus.bitrate;
	terms->opus_complexity = (uint8_t)media->opus_complexity;
	terms->opus_loss_percent = (uint8_t)media->opus_loss;
	terms->opus_rate_khz = stream->opus.rate < 16000 ? 8 : 16;
}

struct cord_terms terms_make(const struct sdp_stream *stream, const struct peer_media *media)
{
	struct cord_terms terms = {.remote = stream->remote,
		.remote_rtcp_udp_port = stream->remote_rtcp_port,
		.codec = stream->codec,
		.ptime_ms = (uint8_t)stream->ptime_ms,
		.direction = stream->direction,
		.flags = flags_of(stream, media),
		.payload_type = stream->payload_type,
		.event_payload_type = stream->event_payload_type,
		.noise_payload_type = stream->noise_payload_type,
		.receive_payload_type = stream->receive_payload_type,
		.receive_event_payload_type = stream->receive_event_payload_type,
		.receive_noise_payload_type = stream->receive_noise_payload_type,
		.jitter_min_ms = (uint8_t)(media->jitter_min_ns / CLOCK_MS),
		.jitter_max_ms = (uint8_t)(media->jitter_max_ns / CLOCK_MS),
		.event_clock_hz = stream->event_clock,
		.send_key = stream->send_key,
		.receive_key = stream->receive_key};

	/* Who holds us may well send nothing. */
	if (!stream->held_by_peer)
		terms.media_timeout_s =
			(uint16_t)((media->media_timeout_ns + CLOCK_S - 1) / CLOCK_S);
	add_opus(&terms, stream, media);
	return terms;
}
