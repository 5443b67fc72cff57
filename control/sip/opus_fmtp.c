/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/opus_fmtp.h"

static uint32_t in_range(struct str value, uint32_t min, uint32_t max, uint32_t otherwise)
{
	uint32_t number;

	return str_to_u32(value, &number) == 0 && number >= min && number <= max ? number
										 : otherwise;
}

static void take(struct opus_fmtp *said, struct str name, struct str value)
{
	bool on = str_equal_text(value, "1");

	if (str_equal_nocase_text(name, "maxplaybackrate"))
		said->rate = in_range(value, OPUS_RATE_MIN, OPUS_RATE_MAX, said->rate);
	else if (str_equal_nocase_text(name, "maxaveragebitrate"))
		said->bitrate = in_range(value, OPUS_BITRATE_MIN, OPUS_BITRATE_MAX, said->bitrate);
	else if (str_equal_nocase_text(name, "minptime"))
		said->min_ptime_ms = (uint16_t)in_range(value, 3, 120, said->min_ptime_ms);
	else if (str_equal_nocase_text(name, "useinbandfec"))
		said->fec = on;
	else if (str_equal_nocase_text(name, "usedtx"))
		said->dtx = on;
	else if (str_equal_nocase_text(name, "cbr"))
		said->cbr = on;
}

void opus_fmtp_read(struct str fmtp, struct opus_fmtp *said)
{
	struct str rest = fmtp, parameter, name;

	*said = (struct opus_fmtp){.rate = OPUS_RATE_MAX};
	while (str_split(&rest, ';', &parameter))
		if (str_split(&parameter, '=', &name))
			take(said, str_trim(name), str_trim(parameter));
}

void opus_fmtp_write(struct strbuf *out, const struct opus_fmtp *ours)
{
	strbuf_printf(out, "maxplaybackrate=%u;sprop-maxcapturerate=%u;stereo=0;useinbandfec=%d",
		ours->rate, ours->rate, ours->fec);
	strbuf_printf(out, ";usedtx=%d", ours->dtx);
	if (ours->bitrate)
		strbuf_printf(out, ";maxaveragebitrate=%u", ours->bitrate);
}
