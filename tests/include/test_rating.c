/* SPDX-License-Identifier: Apache-2.0 */
/* The E-model against ITU-T G.107 as it is written, with all that the code has worked out before. */
#include <cordboard/rating.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void near(double is, double wanted, double within)
{
	if (fabs(is - wanted) > within)
		fail_msg("%.3f, expected %.3f within %.3f", is, wanted, within);
}

static double rated(double lost, double burst, double delay_ms)
{
	const struct cord_rating in = {
		.codec = CORD_CODEC_PCMU, .lost = lost, .burst = burst, .delay_ms = delay_ms};

	return cord_rating_r(&in);
}

/* ---- the recommendation ---------------------------------------------------------------------- */

/* G.107 table 1: the defaults. */
static const double slr = 8, rlr = 2, stmr = 15, ds = 3, dr = 3, telr = 65, wepl = 110, qdu = 1;
static const double nc = -70, nfor = -64, ps = 35, pr = 35;

static double power(double db)
{
	return pow(10, db / 10);
}

/* Clause 7.2: the sum of all noise, dBm0p. */
static double noise(void)
{
	double olr = slr + rlr, lstr = stmr + dr;
	double nos = ps - slr - ds - 100 + 0.004 * pow(ps - olr - ds - 14, 2);
	double pre = pr + 10 * log10(1 + power(10 - lstr));
	double nor = rlr - 121 + pre + 0.008 * pow(pre - 35, 2);

	return 10 * log10(power(nc) + power(nos) + power(nor) + power(nfor + rlr));
}

static double signal_to_noise(void)
{
	return 15 - 1.5 * (slr + noise());
}

/* Clause 7.3: too loud, too much of the own voice, quantization. */
static double simultaneous(double t)
{
	double x = slr + rlr + 0.2 * (64 + noise() - rlr);
	double iolr = 20 * (pow(1 + pow(x / 8, 8), 1.0 / 8) - x / 8);
	double s = -10 * log10(power(-stmr) + exp(-t / 4) * power(-telr));
	double ist = 12 * pow(1 + pow((s - 13) / 6, 8), 1.0 / 8) -
		     28 * pow(1 + pow((s + 1) / 19.4, 35), 1.0 / 35) -
		     13 * pow(1 + pow((s - 3) / 33, 13), 1.0 / 13) + 29;
	double q = 37 - 15 * log10(qdu), g = 1.07 + 0.258 * q + 0.0602 * q * q;
	double y = (signal_to_noise() - 100) / 15 + 46 / 8.4 - g / 9, z = 46.0 / 30 - g / 40;

	return iolr + ist + 15 * log10(1 + pow(10, y) + pow(10, z));
}

/* Clause 7.4, Idd: of 100 ms on, with sT 1 and mT 100. */
static double delay_alone(double ta)
{
	double x = log10(ta / 100) / log10(2);

	return ta <= 100 ? 0
			 : 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) +
					2);
}

/* Clause 7.4: Idte, Idle and Idd of a connection on which all the delay is that of the echo. */
static double delay(double t)
{
	double terv = telr - 40 * log10((1 + t / 10) / (1 + t / 150)) + 6 * exp(-0.3 * t * t);
	double roe = -1.5 * (noise() - rlr), re = 80 + 2.5 * (terv - 14);
	double idte = ((roe - re) / 2 + sqrt(pow(roe - re, 2) / 4 + 100) - 1) * (1 - exp(-t));
	double ro = signal_to_noise(), rle = 10.5 * (wepl + 7) * pow(2 * t + 1, -1.0 / 4);
	double idle = (ro - rle) / 2 + sqrt(pow(ro - rle, 2) / 4 + 169);

	return idte + idle + delay_alone(t);
}

/* Clause 7.5. */
static double equipment(double ie, double bpl, double ppl, double burst)
{
	return ie + (95 - ie) * ppl / (ppl / burst + bpl);
}

static double recommended(double ppl, double burst, double t)
{
	double r = signal_to_noise() - simultaneous(t) - delay(t) -
		   equipment(0, 25.1, ppl, burst); /* G.711 with concealment */

	return r < 0 ? 0 : r;
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* G.107 clause 7.7: 93.2 with all values at their defaults, which is a MOS of 4.41. */
static void a_perfect_call_has_the_default_rating(void **state)
{
	near(signal_to_noise(), 94.77, 0.005);
	near(signal_to_noise() - simultaneous(0), 93.355, 0.002);
	near(recommended(0, 1, 0), 93.2, 0.02);
	near(rated(0, 1, 0), 93.2, 0.02);
	near(cord_rating_mos(rated(0, 1, 0)), 4.41, 0.005);
}

static void every_rating_is_that_of_the_recommendation(void **state)
{
	for (double t = 0; t <= 2000; t += t < 400 ? 2 : 50) {
		for (double ppl = 0; ppl <= 40; ppl += 4) {
			for (double burst = 1; burst <= 4; burst += 0.5)
				near(rated(ppl / 100, burst, t), recommended(ppl, burst, t), 0.01);
		}
	}
}

/* Idd, worked out by hand: log2 of 1.5, 2, 3 and 4 is 0.585, 1, 1.585 and 2. */
static void long_delay_has_its_own_price(void **state)
{
	static const struct {
		double ms, idd;
	} rows[] = {{0, 0}, {100, 0}, {150, 0.16}, {200, 3.04}, {300, 14.76}, {400, 24.07}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		near(cord_rating_absolute_delay(rows[i].ms), rows[i].idd, 0.005);
}

/*
 * Delay, all else at its defaults: the straight lines that Cole and Rosenbluth fitted to the model
 * (SIGCOMM CCR 31/2, 2001), 0.024 d + 0.11 (d - 177.3) H(d - 177.3), are within one point of it up
 * to 300 ms.
 */
static void delay_costs_what_the_model_is_known_for(void **state)
{
	double last = 94;

	for (double d = 0; d <= 300; d += 5) {
		double r = rated(0, 1, d);

		near(r, 93.2 - 0.024 * d - (d > 177.3 ? 0.11 * (d - 177.3) : 0), 1.0);
		assert_true(r <= last);
		last = r;
	}
	for (double d = 300; d <= 5000; d += 100) {
		assert_true(rated(0, 1, d) <= last);
		last = rated(0, 1, d);
	}
}

/* G.113 Appendix I: Ie of G.711 with concealment, losses at random, percent of them. */
static void loss_costs_what_g113_says(void **state)
{
	static const struct {
		double percent, ie;
	} rows[] = {
		{0, 0}, {1, 5}, {2, 7}, {3, 10}, {5, 15}, {7, 20}, {10, 25}, {15, 35}, {20, 45}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		near(93.2 - rated(rows[i].percent / 100, 1, 0), rows[i].ie, 3.0);
	/* clause 7.5 with Bpl 25.1, to the digit: 95 * 5 / (5 + 25.1) */
	near(93.2 - rated(0.05, 1, 0), 15.78, 0.02);
	/* in bursts of twice the length of random ones: 95 * 5 / (5 / 2 + 25.1) */
	near(93.2 - rated(0.05, 2, 0), 17.21, 0.02);
	assert_true(rated(1, 1, 0) >= 0 && rated(1, 10, 5000) >= 0);
}

/* A codec of which nothing is known, from memory that another process writes. */
static void what_is_no_codec_is_judged_as_the_telephone(void **state)
{
	for (uint32_t codec = 0; codec < 256; codec++) {
		const struct cord_rating in = {.codec = (uint8_t)codec, .lost = 0.05, .burst = 1};

		near(cord_rating_r(&in), rated(0.05, 1, 0), 0);
	}
}

/* ITU-T G.107 Annex B, table B.1, which has 4.024 as 4.03. */
static void a_rating_gives_the_mos_of_the_table(void **state)
{
	static const struct {
		double r, mos;
	} rows[] = {{93.2, 4.41}, {90, 4.34}, {80, 4.03}, {70, 3.60}, {60, 3.10}, {50, 2.58}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		near(cord_rating_mos(rows[i].r), rows[i].mos, 0.007);
	near(cord_rating_mos(100), 4.5, 0);
	near(cord_rating_mos(120), 4.5, 0);
	near(cord_rating_mos(0), 1, 0);
	near(cord_rating_mos(-5), 1, 0);
	for (double r = 0; r <= 100; r += 0.5)
		assert_true(cord_rating_mos(r) >= 1 && cord_rating_mos(r) <= 4.5);
}

static void stretches_are_compared_with_those_at_random(void **state)
{
	/* nothing is known, and no shorter than at random */
	near(cord_rating_burst(0, 0, 0), 1, 0);
	near(cord_rating_burst(10, 10, 0.1), 1, 0);
	/* 1 / (1 - p) packets are lost in a row at random */
	near(cord_rating_burst(125, 100, 0.2), 1, 1e-9);
	near(cord_rating_burst(250, 100, 0.2), 2, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_perfect_call_has_the_default_rating),
		cmocka_unit_test(every_rating_is_that_of_the_recommendation),
		cmocka_unit_test(long_delay_has_its_own_price),
		cmocka_unit_test(delay_costs_what_the_model_is_known_for),
		cmocka_unit_test(loss_costs_what_g113_says),
		cmocka_unit_test(what_is_no_codec_is_judged_as_the_telephone),
		cmocka_unit_test(a_rating_gives_the_mos_of_the_table),
		cmocka_unit_test(stretches_are_compared_with_those_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
