/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp_source.h"

static void begin(struct rtp_source *s, const struct rtp_header *h)
{
	*s = (struct rtp_source){
		.ssrc = h->ssrc,
		/* One cycle up, so that a packet from before the first one is still above 0. */
		.highest = 0x10000u | h->sequence,
		.first = 0x10000u | h->sequence,
		.received = 1,
		.started = 1,
	};
}

static void measure(
	struct rtp_source *s, uint32_t timestamp, uint64_t arrival_ns, uint32_t clock_hz)
{
	uint32_t arrival = (uint32_t)(arrival_ns / 1000 * clock_hz / 1000000);
	uint32_t transit = arrival - timestamp;
	int32_t difference = (int32_t)(transit - s->transit);
	uint32_t magnitude = difference < 0 ? -(uint32_t)difference : (uint32_t)difference;

	/* The first difference has nothing to compare with; a jump of over 10 s is no jitter. */
	if (s->received > 1 && magnitude < 10 * clock_hz)
		s->jitter_q4 += magnitude - ((s->jitter_q4 + 8) >> 4);
	s->transit = transit;
}

/* Whether the packet is the last that its stream's probation takes. */
static bool passes(struct rtp_source *s, const struct rtp_header *h)
{
	if (s->other_count == 0 || h->ssrc != s->other_ssrc || h->sequence != s->other_next)
		s->other_count = 0;
	s->other_ssrc = h->ssrc;
	s->other_next = (uint16_t)(h->sequence + 1);
	return ++s->other_count >= RTP_SOURCE_PROBATION;
}

enum rtp_source_verdict rtp_source_judge(struct rtp_source *s, const struct rtp_header *h,
	bool media, uint64_t arrival_ns, uint32_t clock_hz)
{
	uint16_t ahead = (uint16_t)(h->sequence - s->highest);
	bool near = ahead < RTP_SOURCE_DROPOUT_MAX || ahead > UINT16_MAX - RTP_SOURCE_MISORDER_MAX;
	enum rtp_source_verdict verdict = RTP_SOURCE_GOOD;

	if (!s->started || h->ssrc != s->ssrc || !near) {
		if (s->started && !passes(s, h))
			return RTP_SOURCE_STRANGE;
		begin(s, h);
		verdict = RTP_SOURCE_CHANGED;
	} else {
		s->other_count = 0;
		s->received++;
		if (ahead < RTP_SOURCE_DROPOUT_MAX)
			s->highest += ahead;
	}
	if (media)
		measure(s, h->timestamp, arrival_ns, clock_hz);
	return verdict;
}
