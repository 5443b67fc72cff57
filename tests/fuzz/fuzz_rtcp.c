/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: an RTCP packet of a peer, compound or of reduced size. What is read of it lies in the
 * ranges of its fields; said again by us it is read as the same.
 */
#include "rtcp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { OURS = 1 };

static void require(int condition)
{
	if (!condition)
		abort();
}

static int parse(const uint8_t *bytes, size_t length, struct rtcp_summary *summary)
{
	/* Of its exact size, so that a read beyond it is seen. */
	uint8_t *packet = malloc(length ? length : 1);

	memcpy(packet, bytes, length);
	int error = rtcp_parse(packet, length, OURS, summary);

	free(packet);
	return error;
}

static void in_range(const struct rtcp_summary *s)
{
	require(!s->has_block || s->block.ssrc == OURS);
	require(s->block.lost >= -0x800000 && s->block.lost <= 0x7fffff);
	require(!s->xr.has_voip || s->xr.voip.ssrc == OURS);
	require(rtcp_round_trip_us(s->timestamp, s->block.last_sr, s->block.delay_last_sr) <=
		RTCP_ROUND_TRIP_MAX_US);
	require(rtcp_round_trip_us(s->timestamp, s->xr.last_reference,
			s->xr.delay_last_reference) <= RTCP_ROUND_TRIP_MAX_US);
}

static void said_again(const struct rtcp_summary *s)
{
	struct rtcp_report r = {
		.ssrc = s->sender_ssrc,
		.sending = s->has_sr,
		.receiving = s->has_block,
		.bye = s->bye,
		.ntp = s->ntp,
		.timestamp = s->timestamp,
		.packets = s->packets,
		.bytes = s->bytes,
		.block = s->block,
		.xr = {.voip = s->xr.has_voip,
			.answer = s->xr.has_answer,
			.metrics = s->xr.voip,
			.peer_ssrc = OURS,
			.last_reference = s->xr.last_reference,
			.delay_last_reference = s->xr.delay_last_reference},
		.cname = "fuzz",
	};
	uint8_t packet[RTCP_WRITE_MAX];
	struct rtcp_summary again;
	int bytes = rtcp_write(packet, sizeof(packet), &r);

	require(bytes > 0 && parse(packet, (size_t)bytes, &again) == 0);
	require(again.sender_ssrc == s->sender_ssrc && again.has_sr == s->has_sr &&
		again.ntp == s->ntp && again.bye == s->bye);
	require(again.has_block == s->has_block && again.block.lost == s->block.lost &&
		again.block.delay_last_sr == s->block.delay_last_sr);
	require(again.xr.has_voip == s->xr.has_voip &&
		memcmp(&again.xr.voip, &s->xr.voip, sizeof(s->xr.voip)) == 0);
	require(again.xr.has_answer == s->xr.has_answer &&
		again.xr.last_reference == s->xr.last_reference);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct rtcp_summary s;

	if (parse(bytes, length, &s) == 0) {
		in_range(&s);
		said_again(&s);
	}
	return 0;
}
