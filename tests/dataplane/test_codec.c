/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G.722 against spandsp called directly and against the figures that ITU-T G.722 asks of it; Opus
 * by the spectrum of what comes back, with losses, with silence, and with packets made to break it.
 */
#include "codec.h"
#include "opus_codec.h"

#include <math.h>
#include <opus/opus.h>
#include <setjmp.h>
#include <spandsp/telephony.h>
#include <spandsp/g722.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { FRAME = 320, FRAMES = 50, LONG = FRAME * FRAMES /* a second at 16 kHz */ };

static int16_t said[LONG], heard[LONG + CODEC_SAMPLES_MAX];

static void tone(int16_t *out, double hz, double rate, double amplitude)
{
	for (int i = 0; i < LONG; i++)
		out[i] = (int16_t)lrint(amplitude * sin(2 * M_PI * hz * i / rate));
}

/* Something like a voice: harmonics of a pitch that moves, in syllables. */
static void voice(int16_t *out, double rate)
{
	double phase = 0;

	for (int i = 0; i < LONG; i++) {
		double t = i / rate, sum = 0;

		phase += 2 * M_PI * (120 + 20 * sin(2 * M_PI * 3 * t)) / rate;
		for (int k = 1; k <= 20; k++)
			sum += sin(k * phase) / k;
		out[i] = (int16_t)lrint(5000 * sum * (0.6 + 0.4 * sin(2 * M_PI * 4 * t)));
	}
}

static double amplitude(const int16_t *pcm, int samples, double hz, double rate)
{
	double a = 0, b = 0;

	for (int i = 0; i < samples; i++) {
		a += pcm[i] * cos(2 * M_PI * hz * i / rate);
		b += pcm[i] * sin(2 * M_PI * hz * i / rate);
	}
	return 2 * hypot(a, b) / samples;
}

static double power(const int16_t *pcm, int samples)
{
	double sum = 0;

	for (int i = 0; i < samples; i++)
		sum += (double)pcm[i] * pcm[i];
	return sum / samples;
}

/* Mean distance of the logarithms of power in bands of 100 Hz up to `top`, of those that are heard. */
static double spectral_distance(
	const int16_t *a, const int16_t *b, int samples, double rate, double top)
{
	double sum = 0;
	int bands = 0;

	for (double low = 100; low < top; low += 100) {
		double pa = 1, pb = 1;

		for (double hz = low; hz < low + 100; hz += 10) {
			pa += pow(amplitude(a, samples, hz, rate), 2);
			pb += pow(amplitude(b, samples, hz, rate), 2);
		}
		if (pa < 1000)
			continue;
		sum += fabs(10 * log10(pa / pb));
		bands++;
	}
	return bands ? sum / bands : 0;
}

static struct codec_encoder *encoder(
	enum cord_codec codec, uint8_t rate_khz, bool fec, bool dtx, uint32_t bitrate)
{
	struct codec_encoding how = {.codec = codec,
		.rate_khz = rate_khz,
		.complexity = 5,
		.loss = fec ? 20 : 0,
		.fec = fec,
		.dtx = dtx,
		.bitrate = bitrate};
	struct codec_encoder *e = codec_encoder_create();

	assert_non_null(e);
	codec_encoder_reset(e, &how);
	return e;
}

static struct codec_decoder *decoder(enum cord_codec codec)
{
	struct codec_decoder *d = codec_decoder_create();

	assert_non_null(d);
	codec_decoder_reset(d, codec);
	return d;
}

/* ---- G.722 ---------------------------------------------------------------------------------- */

static void g722_is_spandsp_bit_for_bit(void **state)
{
	g722_encode_state_t *direct_e = g722_encode_init(NULL, 64000, 0);
	g722_decode_state_t *direct_d = g722_decode_init(NULL, 64000, 0);
	struct codec_encoder *e = encoder(CORD_CODEC_G722, 16, false, false, 0);
	struct codec_decoder *d = decoder(CORD_CODEC_G722);

	voice(said, 16000);
	for (int pass = 0; pass < 2; pass++) {
		for (int f = 0; f < FRAMES; f++) {
			uint8_t a[160], b[CODEC_FRAME_BYTES_MAX];
			int16_t x[FRAME], y[FRAME];

			assert_int_equal(g722_encode(direct_e, a, said + f * FRAME, FRAME), 160);
			assert_int_equal(codec_encode(e, b, said + f * FRAME, FRAME), 160);
			assert_memory_equal(a, b, 160);
			assert_int_equal(g722_decode(direct_d, x, a, 160), FRAME);
			assert_int_equal(codec_decode(d, y, b, 160), FRAME);
			assert_memory_equal(x, y, sizeof(x));
		}
		/* A reset begins as a new one does. */
		g722_encode_free(direct_e);
		g722_decode_free(direct_d);
		direct_e = g722_encode_init(NULL, 64000, 0);
		direct_d = g722_decode_init(NULL, 64000, 0);
		codec_encoder_reset(e, &(struct codec_encoding){.codec = CORD_CODEC_G722});
		codec_decoder_reset(d, CORD_CODEC_G722);
	}
	g722_encode_free(direct_e);
	g722_decode_free(direct_d);
	codec_encoder_destroy(e);
	codec_decoder_destroy(d);
}

/*
 * ITU-T G.722 section 2.4: over the pass band the gain of encoder and decoder together is flat
 * within 1 dB, and total distortion of a tone is far below it in either sub-band.
 */
static void g722_carries_tones_of_both_bands(void **state)
{
	static const struct {
		double hz, snr_db;
	} row[] = {{200, 30}, {1000, 30}, {3000, 25}, {5000, 12}, {6500, 12}};

	for (size_t k = 0; k < sizeof(row) / sizeof(row[0]); k++) {
		struct codec_encoder *e = encoder(CORD_CODEC_G722, 16, false, false, 0);
		struct codec_decoder *d = decoder(CORD_CODEC_G722);

		tone(said, row[k].hz, 16000, 8000);
		for (int f = 0; f < FRAMES; f++) {
			uint8_t codes[CODEC_FRAME_BYTES_MAX];
			size_t n = codec_encode(e, codes, said + f * FRAME, FRAME);

			codec_decode(d, heard + f * FRAME, codes, n);
		}
		const int16_t *late = heard + 10 * FRAME;
		double a = amplitude(late, LONG - 10 * FRAME, row[k].hz, 16000);
		double rest = power(late, LONG - 10 * FRAME) - a * a / 2;
		double snr = 10 * log10(a * a / 2 / rest);

		print_message("G.722 %.0f Hz: gain %.2f dB, signal to noise %.1f dB\n", row[k].hz,
			20 * log10(a / 8000), snr);
		assert_true(fabs(20 * log10(a / 8000)) < 1);
		assert_true(snr > row[k].snr_db);
		codec_encoder_destroy(e);
		codec_decoder_destroy(d);
	}
}

/* ---- Opus ----------------------------------------------------------------------------------- */

/* Encodes a second in frames of frame_ms at rate_khz and decodes it at 16 kHz; bytes in all. */
static size_t through_opus(uint8_t rate_khz, uint32_t frame_ms, uint32_t bitrate)
{
	struct codec_encoder *e = encoder(CORD_CODEC_OPUS, rate_khz, false, false, bitrate);
	struct codec_decoder *d = decoder(CORD_CODEC_OPUS);
	uint32_t step = rate_khz * frame_ms;
	size_t bytes = 0, got = 0;

	for (uint32_t i = 0; i + step <= rate_khz * 1000u; i += step) {
		uint8_t frame[CODEC_FRAME_BYTES_MAX];
		size_t n = codec_encode(e, frame, said + i, step);

		assert_in_range(n, 3, CODEC_FRAME_BYTES_MAX);
		assert_int_equal(codec_payload_us(CORD_CODEC_OPUS, frame, n), frame_ms * 1000);
		int samples = codec_decode(d, heard + got, frame, n);

		assert_int_equal(samples, frame_ms * 16);
		got += (size_t)samples;
		bytes += n;
	}
	codec_encoder_destroy(e);
	codec_decoder_destroy(d);
	return bytes;
}

static void opus_sounds_like_what_was_said(void **state)
{
	static int16_t narrow[LONG];

	voice(said, 16000);
	memcpy(narrow, said, sizeof(narrow));
	for (uint32_t ms = 10; ms <= 20; ms += 10) {
		size_t bytes = through_opus(16, ms, 24000);
		double distance =
			spectral_distance(said + 4000, heard + 4000, LONG - 4000, 16000, 2400);

		print_message(
			"Opus 16 kHz, %u ms: %zu byte/s, distance %.2f dB\n", ms, bytes, distance);
		assert_in_range(bytes, 1500, 3500);
		assert_true(distance < 2.5);
	}
	voice(said, 8000);
	size_t bytes = through_opus(8, 20, 16000);

	/* What was said at 8 kHz is heard at 16 kHz. */
	for (int i = 0; i < LONG / 2; i++)
		heard[i] = heard[2 * i];
	double distance = spectral_distance(said + 2000, heard + 2000, 6000, 8000, 2400);

	print_message("Opus 8 kHz, 20 ms: %zu byte/s, distance %.2f dB\n", bytes, distance);
	assert_in_range(bytes, 1300, 2700);
	assert_true(distance < 3);
}

/* A decoder that knows nothing of ours understands what is gathered into one packet. */
static void gathered_frames_are_one_packet(void **state)
{
	struct codec_encoder *e = encoder(CORD_CODEC_OPUS, 16, false, false, 128000);
	OpusDecoder *apart = opus_decoder_create(16000, 1, NULL);
	OpusDecoder *together = opus_decoder_create(16000, 1, NULL);
	struct opus_gather g = {0};
	uint8_t packet[OPUS_PACKET_MAX];
	bool two_byte_length = false;

	voice(said, 16000);
	for (int f = 0, k = 0; f + 6 <= FRAMES; k++) {
		int many = 1 + k % 3;
		int16_t a[3 * FRAME], b[3 * FRAME];

		for (int i = 0; i < many; i++, f++) {
			uint8_t frame[CODEC_FRAME_BYTES_MAX];
			size_t n = codec_encode(e, frame, said + f * FRAME, FRAME);

			two_byte_length |= n > 253;
			assert_true(opus_gather_add(&g, frame, n));
			assert_int_equal(
				opus_decode(apart, frame, (int)n, a + i * FRAME, FRAME, 0), FRAME);
		}
		size_t bytes = opus_gather_write(&g, packet);

		assert_int_equal(codec_payload_us(CORD_CODEC_OPUS, packet, bytes), many * 20000);
		assert_int_equal(
			opus_decode(together, packet, (int)bytes, b, 3 * FRAME, 0), many * FRAME);
		assert_memory_equal(a, b, (size_t)many * FRAME * sizeof(a[0]));
		assert_int_equal(g.frames, 0);
	}
	assert_true(two_byte_length);
	/* What is not alike, or too much, is for the next packet. */
	assert_true(opus_gather_add(&g, (const uint8_t *)"\xb8\xff\xfe", 3));
	assert_false(opus_gather_add(&g, (const uint8_t *)"\xb0\xff\xfe", 3));
	assert_false(opus_gather_add(&g, (const uint8_t *)"\xbb\xff\xfe", 3));
	for (int i = 1; i < 6; i++)
		assert_true(opus_gather_add(&g, (const uint8_t *)"\xb8\xff\xfe", 3));
	assert_false(opus_gather_add(&g, (const uint8_t *)"\xb8\xff\xfe", 3));
	opus_decoder_destroy(apart);
	opus_decoder_destroy(together);
	codec_encoder_destroy(e);
}

static double error_of_lost_frames(bool fec, bool help)
{
	struct codec_encoder *e = encoder(CORD_CODEC_OPUS, 16, fec, false, 32000);
	struct codec_decoder *d = decoder(CORD_CODEC_OPUS), *whole = decoder(CORD_CODEC_OPUS);
	static uint8_t frame[FRAMES][CODEC_FRAME_BYTES_MAX];
	size_t n[FRAMES];
	int16_t lost[FRAME], good[FRAME];
	double error = 0;

	for (int f = 0; f < FRAMES; f++)
		n[f] = codec_encode(e, frame[f], said + f * FRAME, FRAME);
	for (int f = 0; f + 1 < FRAMES; f++) {
		assert_int_equal(codec_decode(whole, good, frame[f], n[f]), FRAME);
		if (f % 5 != 4) {
			assert_int_equal(codec_decode(d, lost, frame[f], n[f]), FRAME);
			continue;
		}
		assert_int_equal(help ? codec_recover(d, lost, FRAME, frame[f + 1], n[f + 1])
				      : codec_conceal(d, lost, FRAME),
			FRAME);
		for (int i = 0; i < FRAME; i++)
			error += pow(lost[i] - good[i], 2) / FRAME;
	}
	codec_encoder_destroy(e);
	codec_decoder_destroy(d);
	codec_decoder_destroy(whole);
	return error;
}

static void opus_fec_restores_what_concealment_guesses(void **state)
{
	voice(said, 16000);
	double guessed = error_of_lost_frames(true, false),
	       restored = error_of_lost_frames(true, true);

	print_message("Opus, every fifth frame lost: FEC leaves %.1f dB less error\n",
		10 * log10(guessed / restored));
	assert_true(restored < guessed / 2);
	/* Without FEC in the next packet the call conceals. */
	assert_true(error_of_lost_frames(false, true) > 0);
}

/* What a lost frame sounds like with the next packet, and without. */
static bool helps(const uint8_t *next, size_t bytes, const uint8_t *before, size_t before_bytes)
{
	int16_t with[FRAME], without[FRAME];

	for (int help = 0; help < 2; help++) {
		struct codec_decoder *d = decoder(CORD_CODEC_OPUS);

		assert_int_equal(codec_decode(d, with, before, before_bytes), FRAME);
		if (help)
			assert_int_equal(codec_recover(d, with, FRAME, next, bytes), FRAME);
		else
			assert_int_equal(codec_conceal(d, without, FRAME), FRAME);
		codec_decoder_destroy(d);
	}
	return memcmp(with, without, sizeof(with)) != 0;
}

/* The bit that says so, against what libopus does with the packet. */
static void opus_fec_is_found_where_it_is(void **state)
{
	uint8_t frame[3][CODEC_FRAME_BYTES_MAX];
	size_t n[3];
	int found[2] = {0};

	voice(said, 16000);
	/* What is not talk has no FEC. */
	memset(said + LONG / 2, 0, sizeof(*said) * LONG / 2);
	for (int fec = 0; fec < 2; fec++) {
		struct codec_encoder *e = encoder(CORD_CODEC_OPUS, 16, fec, false, 32000);
		struct codec_decoder *d = decoder(CORD_CODEC_OPUS);

		for (int f = 0; f < FRAMES; f++) {
			memmove(frame[0], frame[1], 2 * sizeof(frame[0]));
			memmove(n, n + 1, 2 * sizeof(n[0]));
			n[2] = codec_encode(e, frame[2], said + f * FRAME, FRAME);
			if (f < 2)
				continue;
			bool finds = codec_recovers(d, FRAME, frame[2], n[2]);

			assert_int_equal(finds, helps(frame[2], n[2], frame[0], n[0]));
			assert_false(codec_recovers(d, 2 * FRAME, frame[2], n[2]));
			found[fec] += finds;
		}
		assert_false(codec_recovers(d, FRAME, frame[2], 0));
		assert_false(codec_recovers(d, FRAME, (const uint8_t *)"\xb8\xff\xff", 3));
		codec_encoder_destroy(e);
		codec_decoder_destroy(d);
	}
	assert_int_equal(found[0], 0);
	assert_in_range(found[1], FRAMES / 5, FRAMES / 2 + 2);
}

static void opus_says_when_nothing_need_be_sent(void **state)
{
	struct codec_encoder *e = encoder(CORD_CODEC_OPUS, 16, false, true, 24000);
	uint8_t frame[CODEC_FRAME_BYTES_MAX];
	int talk = 0, silence = 0;

	voice(said, 16000);
	for (int f = 0; f < FRAMES; f++)
		talk += codec_encode(e, frame, said + f * FRAME, FRAME) > 0;
	memset(said, 0, sizeof(said));
	for (int f = 0; f < FRAMES; f++)
		silence += codec_encode(e, frame, said + f * FRAME, FRAME) > 0;
	assert_int_equal(talk, FRAMES);
	assert_true(silence < FRAMES / 2);
	codec_encoder_destroy(e);
}

static void complexity_changes_in_the_stream(void **state)
{
	struct codec_encoder *e = encoder(CORD_CODEC_OPUS, 16, false, false, 24000);
	struct codec_decoder *d = decoder(CORD_CODEC_OPUS);

	voice(said, 16000);
	for (int f = 0; f < FRAMES; f++) {
		uint8_t frame[CODEC_FRAME_BYTES_MAX];

		codec_encoder_complexity(e, (uint32_t)(f / 5));
		size_t n = codec_encode(e, frame, said + f * FRAME, FRAME);

		assert_int_equal(codec_decode(d, heard + f * FRAME, frame, n), FRAME);
	}
	assert_true(spectral_distance(said + 4000, heard + 4000, LONG - 4000, 16000, 2400) < 2.5);
	codec_encoder_destroy(e);
	codec_decoder_destroy(d);
}

/* ---- what comes from the network ------------------------------------------------------------ */

static void durations_of_g711_and_g722(void **state)
{
	static const uint8_t payload[2000];
	const enum cord_codec codec[] = {CORD_CODEC_PCMU, CORD_CODEC_PCMA, CORD_CODEC_G722};

	for (size_t c = 0; c < 3; c++) {
		for (size_t n = 0; n <= 1000; n++) {
			uint32_t us = n && n % 80 == 0 && n <= 480 ? (uint32_t)n * 125 : 0;

			assert_int_equal(codec_payload_us(codec[c], payload, n), us);
		}
	}
}

/* RFC 6716 table 2: every configuration, with one, two and many frames. */
static void durations_of_opus(void **state)
{
	static const uint32_t silk[] = {10000, 20000, 40000, 60000}, hybrid[] = {10000, 20000},
			      celt[] = {2500, 5000, 10000, 20000};
	uint8_t packet[200] = {0};

	for (uint32_t config = 0; config < 32; config++) {
		uint32_t us = config < 12   ? silk[config % 4]
			      : config < 16 ? hybrid[config % 2]
					    : celt[config % 4];

		packet[0] = (uint8_t)(config << 3);
		assert_int_equal(codec_payload_us(CORD_CODEC_OPUS, packet, 100), us);
		packet[0] = (uint8_t)(config << 3 | 1);
		assert_int_equal(codec_payload_us(CORD_CODEC_OPUS, packet, 101),
			2 * us <= 60000 ? 2 * us : 0);
		for (uint32_t many = 1; many <= 63; many++) {
			packet[0] = (uint8_t)(config << 3 | 3);
			packet[1] = (uint8_t)many;
			assert_int_equal(codec_payload_us(CORD_CODEC_OPUS, packet, 2 + many),
				many * us <= 60000 ? many * us : 0);
		}
	}
	assert_int_equal(codec_payload_us(CORD_CODEC_OPUS, packet, 0), 0);
	/* A second length beyond the end; no frame at all; padding longer than the packet. */
	assert_int_equal(codec_payload_us(CORD_CODEC_OPUS, (const uint8_t *)"\x0a\xfb\1\2", 4), 0);
	assert_int_equal(codec_payload_us(CORD_CODEC_OPUS, (const uint8_t *)"\x0b\x00\1\2", 4), 0);
	assert_int_equal(
		codec_payload_us(CORD_CODEC_OPUS, (const uint8_t *)"\x0b\x41\xff\xff", 4), 0);
}

/* What passes the check decodes to what it says, or is refused; nothing else happens. */
static void broken_opus_breaks_nothing(void **state)
{
	struct codec_decoder *d = decoder(CORD_CODEC_OPUS);
	uint32_t allowed = 0, decoded = 0;

	srand(7);
	for (int i = 0; i < 20000; i++) {
		uint8_t packet[120];
		size_t n = 1 + (size_t)rand() % sizeof(packet);

		for (size_t k = 0; k < n; k++)
			packet[k] = (uint8_t)rand();
		uint32_t us = codec_payload_us(CORD_CODEC_OPUS, packet, n);

		if (us == 0)
			continue;
		allowed++;
		int samples = codec_decode(d, heard, packet, n);

		if (samples < 0)
			continue;
		decoded++;
		assert_int_equal(samples, us * 16 / 1000);
	}
	print_message("of 20000 packets of noise %u are allowed and %u decode\n", allowed, decoded);
	assert_in_range(allowed, 1000, 19000);
	assert_true(decoded > 0);
	/* Afterwards it decodes as ever. */
	for (int f = 0; f < 3; f++)
		assert_int_equal(codec_decode(d, heard, (const uint8_t *)"\xb8\xff\xfe", 3), FRAME);
	assert_true(power(heard, FRAME) < 1);
	codec_decoder_destroy(d);
}

/* A peer that sends stereo, full band, in long packets is heard as well. */
static void opus_of_another_kind_is_heard(void **state)
{
	OpusEncoder *e = opus_encoder_create(48000, 2, OPUS_APPLICATION_AUDIO, NULL);
	struct codec_decoder *d = decoder(CORD_CODEC_OPUS);
	static opus_int16 pcm[2 * 2880];
	int got = 0;

	for (int f = 0; f < 16; f++) {
		uint8_t packet[1275];

		for (int i = 0; i < 2880; i++)
			pcm[2 * i] = pcm[2 * i + 1] = (opus_int16)lrint(
				8000 * sin(2 * M_PI * 1000 * (f * 2880 + i) / 48000.0));
		int n = opus_encode(e, pcm, 2880, packet, sizeof(packet));

		assert_int_equal(codec_payload_us(CORD_CODEC_OPUS, packet, (size_t)n), 60000);
		got += codec_decode(d, heard + got, packet, (size_t)n);
	}
	assert_int_equal(got, 16 * 960);
	double a = amplitude(heard + 3200, 9600, 1000, 16000);

	assert_true(a > 6500 && a < 9500);
	opus_encoder_destroy(e);
	codec_decoder_destroy(d);
}

/* Silence that needs no encoder is silence to a decoder in whatever state it is. */
static void silence_is_silent(void **state)
{
	const enum cord_codec codec[] = {CORD_CODEC_G722, CORD_CODEC_OPUS};

	voice(said, 16000);
	for (size_t c = 0; c < 2; c++) {
		for (uint32_t ms = 10; ms <= 20; ms += 10) {
			struct codec_encoder *e = encoder(codec[c], 16, false, false, 24000);
			struct codec_decoder *d = decoder(codec[c]);
			uint8_t frame[CODEC_FRAME_BYTES_MAX];

			for (int f = 0; f < FRAMES; f++) {
				size_t n = codec_encode(e, frame, said + f * FRAME, FRAME);

				codec_decode(d, heard, frame, n);
			}
			size_t n = codec_silence(codec[c], ms, frame);

			assert_int_equal(codec_payload_us(codec[c], frame, n), ms * 1000);
			for (int f = 0; f < 10; f++)
				assert_int_equal(codec_decode(d, heard, frame, n), ms * 16);
			assert_true(power(heard, (int)ms * 16) < 40 * 40);
			codec_encoder_destroy(e);
			codec_decoder_destroy(d);
		}
	}
}

/* RFC 6716 table 2: SILK, hybrid, CELT. */
static void packets_of_opus_say_what_they_are(void **state)
{
	static const uint8_t khz[] = {8, 8, 8, 8, 12, 12, 12, 12, 16, 16, 16, 16, 24, 24, 48, 48, 8,
		8, 8, 8, 16, 16, 16, 16, 24, 24, 24, 24, 48, 48, 48, 48};

	for (uint32_t toc = 0; toc < 256; toc++) {
		const uint8_t packet = (uint8_t)toc;

		assert_int_equal(opus_codec_rate_khz(&packet), khz[toc >> 3]);
		assert_int_equal(opus_codec_mono(&packet), !(toc & 4));
	}
}

/* Silence has no voice, and a vowel has one, in every length of frame that tells; CELT does not. */
static void opus_tells_where_no_voice_is(void **state)
{
	static const int16_t nothing[FRAME];
	uint8_t frame[CODEC_FRAME_BYTES_MAX];

	voice(said, 16000);
	for (uint32_t samples = FRAME / 2; samples <= FRAME; samples += FRAME / 2) {
		for (int fec = 0; fec < 2; fec++) {
			struct codec_encoder *e = encoder(CORD_CODEC_OPUS, 16, fec, false, 24000);
			uint32_t spoken = 0, silent = 0;

			for (int i = 0; i < FRAMES; i++) {
				size_t n = codec_encode(e, frame, said + i * FRAME, samples);

				spoken += !opus_codec_voiceless(frame, n);
			}
			for (int i = 0; i < FRAMES; i++) {
				size_t n = codec_encode(e, frame, nothing, samples);

				silent += opus_codec_voiceless(frame, n);
			}
			assert_in_range(spoken, FRAMES / 2, FRAMES);
			assert_in_range(silent, FRAMES - 20, FRAMES);
			codec_encoder_destroy(e);
		}
	}
	assert_false(opus_codec_voiceless(frame, codec_silence(CORD_CODEC_OPUS, 20, frame)));
	/* Two frames in a packet, 40 ms in one, no frame at all. */
	assert_false(opus_codec_voiceless((const uint8_t *)"\x49\0\0", 3));
	assert_false(opus_codec_voiceless((const uint8_t *)"\x50\0", 2));
	assert_false(opus_codec_voiceless((const uint8_t *)"\x48", 1));
}

/* Frames from `from` on come from another encoder, which begins with them. Heard by one decoder. */
static void change_encoders(int from, bool joins)
{
	struct codec_encoder *e[2] = {encoder(CORD_CODEC_OPUS, 16, false, false, 24000),
		encoder(CORD_CODEC_OPUS, 16, false, false, 24000)};
	struct codec_decoder *d = decoder(CORD_CODEC_OPUS);
	uint8_t frame[CODEC_FRAME_BYTES_MAX];

	for (int f = 0; f < FRAMES; f++) {
		if (f == from && joins)
			codec_encoder_join(e[1], said + (f - 1) * FRAME, FRAME);
		size_t n = codec_encode(e[f >= from], frame, said + f * FRAME, FRAME);

		assert_int_equal(codec_decode(d, heard + f * FRAME, frame, n), FRAME);
	}
	codec_encoder_destroy(e[0]);
	codec_encoder_destroy(e[1]);
	codec_decoder_destroy(d);
}

/* In the middle of a vowel, an encoder that joins leaves no hole, and one that only begins does. */
static void an_encoder_takes_up_where_another_ends(void **state)
{
	enum { HOLE = 96 /* 6 ms */ };
	double worst[2] = {1, 1};

	tone(said, 300, 16000, 8000);
	for (int joins = 0; joins < 2; joins++) {
		for (int from = 10; from < 40; from++) {
			change_encoders(from, joins);
			const int16_t *at = heard + from * FRAME;
			double before = power(at - FRAME, FRAME);

			for (int k = 0; k <= FRAME - HOLE; k += HOLE / 4) {
				double p = power(at + k, HOLE) / before;

				worst[joins] = p < worst[joins] ? p : worst[joins];
			}
		}
	}
	assert_true(worst[0] < 0.3);
	assert_true(worst[1] > 0.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(g722_is_spandsp_bit_for_bit),
		cmocka_unit_test(g722_carries_tones_of_both_bands),
		cmocka_unit_test(opus_sounds_like_what_was_said),
		cmocka_unit_test(gathered_frames_are_one_packet),
		cmocka_unit_test(opus_fec_restores_what_concealment_guesses),
		cmocka_unit_test(opus_fec_is_found_where_it_is),
		cmocka_unit_test(opus_says_when_nothing_need_be_sent),
		cmocka_unit_test(complexity_changes_in_the_stream),
		cmocka_unit_test(durations_of_g711_and_g722),
		cmocka_unit_test(durations_of_opus),
		cmocka_unit_test(broken_opus_breaks_nothing),
		cmocka_unit_test(opus_of_another_kind_is_heard),
		cmocka_unit_test(silence_is_silent),
		cmocka_unit_test(packets_of_opus_say_what_they_are),
		cmocka_unit_test(opus_tells_where_no_voice_is),
		cmocka_unit_test(an_encoder_takes_up_where_another_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
