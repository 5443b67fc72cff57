/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void reads_what_it_writes(void **state)
{
	uint8_t packet[RTP_HEADER_BYTES + 160] = {0};
	struct rtp_header h;

	rtp_write(packet, true, 101, 65535, 0xfedcba98, 0x80000001);
	assert_int_equal(rtp_parse(packet, sizeof(packet), &h), 0);
	assert_true(h.marker);
	assert_int_equal(h.payload_type, 101);
	assert_int_equal(h.sequence, 65535);
	assert_int_equal(h.timestamp, 0xfedcba98);
	assert_int_equal(h.ssrc, 0x80000001);
	assert_int_equal(h.payload_offset, 12);
	assert_int_equal(h.payload_bytes, 160);
}

/* Every combination of CSRC count, extension length, padding, at every length of the packet. */
static void bounds_hold_for_every_length(void **state)
{
	for (unsigned csrc = 0; csrc < 16; csrc++) {
		for (int extension = -1; extension < 5; extension++) {
			for (int padding = -1; padding < 9; padding++) {
				size_t head = 12 + csrc * 4u +
					      (extension < 0 ? 0 : 4 + (size_t)extension * 4);
				for (size_t bytes = 0; bytes < head + 12; bytes++) {
					/* Of its exact size, so that a sanitizer sees a read
					 * beyond. */
					uint8_t *packet = calloc(1, bytes ? bytes : 1);
					struct rtp_header h = {.timestamp = 7};
					uint8_t all[128] = {0};

					rtp_write(all, false, 0, 1, 2, 3);
					all[0] |= (uint8_t)(csrc | (extension >= 0 ? 0x10 : 0) |
							    (padding >= 0 ? 0x20 : 0));
					if (extension >= 0)
						all[12 + csrc * 4 + 3] = (uint8_t)extension;
					memcpy(packet, all, bytes);
					if (padding >= 0 && bytes > 0)
						packet[bytes - 1] = (uint8_t)padding;
					bool overlaps = padding >= 0 && bytes <= head;
					bool good =
						bytes >= head + (padding < 0 ? 0
									     : (size_t)padding) &&
						padding != 0;
					int got = rtp_parse(packet, bytes, &h);
					if (!overlaps)
						assert_int_equal(got, good ? 0 : -EBADMSG);
					if (got == 0) {
						assert_int_equal(
							h.payload_offset + h.payload_bytes +
								(padding < 0 ? 0 : padding),
							bytes);
					} else {
						assert_int_equal(h.timestamp, 7);
					}
					free(packet);
				}
			}
		}
	}
}

static void other_versions_are_refused(void **state)
{
	uint8_t packet[12];
	struct rtp_header h;

	for (unsigned version = 0; version < 4; version++) {
		rtp_write(packet, false, 0, 0, 0, 0);
		packet[0] = (uint8_t)(version << 6);
		assert_int_equal(
			rtp_parse(packet, sizeof(packet), &h), version == 2 ? 0 : -EBADMSG);
	}
}

static void rtcp_is_told_from_rtp(void **state)
{
	for (unsigned type = 0; type < 256; type++) {
		uint8_t packet[2] = {0x80, (uint8_t)type};

		assert_int_equal(rtp_is_rtcp(packet, 2), type >= 192 && type < 224);
	}
	assert_false(rtp_is_rtcp((uint8_t[]){0x80}, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(bounds_hold_for_every_length),
		cmocka_unit_test(other_versions_are_refused),
		cmocka_unit_test(rtcp_is_told_from_rtp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
