/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every code and every sample against the segment search of G.711, as it is commonly written, with
 * each kind of kernels that runs here.
 */
#include "g711.h"
#include "kernels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static int reference_segment(int value, int first_end)
{
	int segment = 0;

	while (segment < 8 && value > (first_end << segment | ((1 << segment) - 1)))
		segment++;
	return segment;
}

static uint8_t reference_encode_mu(int sample)
{
	int sign = sample < 0 ? 0x80 : 0;
	int magnitude = sample < 0 ? -sample : sample;

	magnitude = (magnitude > 32635 ? 32635 : magnitude) + 0x84;
	int segment = reference_segment(magnitude, 0xff);
	return (uint8_t) ~(sign | segment << 4 | (magnitude >> (segment + 3) & 0x0f));
}

static int reference_decode_mu(uint8_t code)
{
	int c = (uint8_t)~code;
	int magnitude = ((((c & 0x0f) << 3) + 0x84) << (c >> 4 & 7)) - 0x84;

	return c & 0x80 ? -magnitude : magnitude;
}

static uint8_t reference_encode_a(int sample)
{
	int mask = sample < 0 ? 0x55 : 0xd5;
	int magnitude = (sample < 0 ? -sample - 1 : sample) >> 3;
	int segment = reference_segment(magnitude, 0x1f);
	int code = segment << 4 | (magnitude >> (segment < 2 ? 1 : segment) & 0x0f);

	return (uint8_t)(code ^ mask);
}

static int reference_decode_a(uint8_t code)
{
	int c = code ^ 0x55;
	int segment = c >> 4 & 7;
	int magnitude = (c & 0x0f) << 4;

	magnitude += segment == 0 ? 8 : 0x108;
	if (segment > 1)
		magnitude <<= segment - 1;
	return c & 0x80 ? magnitude : -magnitude;
}

static void decodes_every_code(void **state)
{
	uint8_t codes[256];
	int16_t mu[256], a[256];

	for (int i = 0; i < 256; i++)
		codes[i] = (uint8_t)i;
	g711_decode_mu(mu, codes, 256);
	g711_decode_a(a, codes, 256);
	for (int i = 0; i < 256; i++) {
		assert_int_equal(mu[i], reference_decode_mu(codes[i]));
		assert_int_equal(a[i], reference_decode_a(codes[i]));
	}
}

static int16_t every_sample[65536];
static uint8_t mu_codes[65536], a_codes[65536];

static void encodes_every_sample(void **state)
{
	for (int i = 0; i < 65536; i++)
		every_sample[i] = (int16_t)(i - 32768);
	g711_encode_mu(mu_codes, every_sample, 65536);
	g711_encode_a(a_codes, every_sample, 65536);
	for (int i = 0; i < 65536; i++) {
		assert_int_equal(mu_codes[i], reference_encode_mu(every_sample[i]));
		assert_int_equal(a_codes[i], reference_encode_a(every_sample[i]));
	}
}

static void works_for_every_length(void **state)
{
	uint8_t codes[200], whole[200];
	int16_t samples[200], decoded[200];

	g711_encode_mu(whole, every_sample + 30000, 200);
	g711_decode_mu(decoded, whole, 200);
	for (size_t n = 0; n <= 199; n++) {
		memset(codes, 0xa5, sizeof(codes));
		g711_encode(CORD_CODEC_PCMU, codes, every_sample + 30000, n);
		assert_memory_equal(codes, whole, n);
		assert_int_equal(codes[n], 0xa5);
		samples[n] = 12345;
		g711_decode(CORD_CODEC_PCMU, samples, whole, n);
		assert_memory_equal(samples, decoded, n * sizeof(*samples));
		assert_int_equal(samples[n], 12345);
		codes[n] = 0x5a;
		g711_mu_to_a(codes, whole, n);
		assert_int_equal(codes[n], 0x5a);
	}
}

static void transcodes_by_way_of_the_sample(void **state)
{
	uint8_t codes[256], out[256];
	int16_t linear[256];

	for (int i = 0; i < 256; i++)
		codes[i] = (uint8_t)i;
	g711_decode(CORD_CODEC_PCMU, linear, codes, 256);
	g711_mu_to_a(out, codes, 256);
	for (int i = 0; i < 256; i++)
		assert_int_equal(out[i], reference_encode_a(linear[i]));
	g711_decode(CORD_CODEC_PCMA, linear, codes, 256);
	g711_a_to_mu(codes, codes, 256);
	for (int i = 0; i < 256; i++)
		assert_int_equal(codes[i], reference_encode_mu(linear[i]));
}

static void silence_is_the_smallest_value(void **state)
{
	uint8_t codes[2] = {g711_silence(CORD_CODEC_PCMU), g711_silence(CORD_CODEC_PCMA)};

	assert_int_equal(reference_decode_mu(codes[0]), 0);
	assert_int_equal(reference_decode_a(codes[1]), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_every_code),
		cmocka_unit_test(encodes_every_sample),
		cmocka_unit_test(works_for_every_length),
		cmocka_unit_test(transcodes_by_way_of_the_sample),
		cmocka_unit_test(silence_is_the_smallest_value),
	};

	int failed = 0;

	for (enum kernels_kind kind = KERNELS_PLAIN; kind < KERNELS_KINDS; kind++) {
		if (kernels_use(kind))
			failed +=
				cmocka_run_group_tests_name(kernels_name(kind), tests, NULL, NULL);
		else
			print_message(
				"[  SKIPPED ] %s: not on this processor\n", kernels_name(kind));
	}
	return failed;
}
