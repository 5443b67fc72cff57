/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/random.h"
#include "media/track.h"

static char keys[256];
static unsigned n_keys, lost, media, missed, back, learned, ends, sent;

static void on_key(void *ctx, char digit, uint64_t time_ns)
{
	keys[n_keys++ % sizeof(keys)] = digit;
}

static void on_lost(void *ctx, unsigned count)
{
	lost += count;
}

static void on_media(void *ctx)
{
	media++;
}

static void on_missed(void *ctx)
{
	missed++;
}

static void on_back(void *ctx)
{
	back++;
}

static void on_learned(void *ctx, const struct cord_address *address)
{
	learned++;
}

static void on_end(void *ctx, uint32_t generation)
{
	ends++;
}

static void on_sent(void *ctx)
{
	sent++;
}

static const struct track_told told = {
	NULL, on_key, on_lost, on_media, on_missed, on_back, on_learned, on_end, on_sent};

static int clear(void **state)
{
	memset(keys, 0, sizeof(keys));
	n_keys = lost = media = missed = back = learned = ends = sent = 0;
	return 0;
}

static bool key(struct track *t, uint32_t sequence, char digit)
{
	struct cord_message m = {.type = CORD_EVENT_DIGIT};

	m.event_digit = (struct cord_event_digit){.sequence = sequence, .digit = digit};
	return track_event(t, &m, &told);
}

static void keys_come_once_and_in_order(void **state)
{
	struct track t = {0};
	struct cord_port_status s = {.digits = 5, .digit = "12345"};

	assert_false(key(&t, 1, '1'));
	assert_false(key(&t, 1, '1'));
	assert_true(key(&t, 4, '4')); /* 2 and 3 are missing: read the status */
	assert_string_equal(keys, "1");
	track_status(&t, &s, 0, &told);
	assert_string_equal(keys, "12345");
	assert_false(key(&t, 4, '4'));
	assert_false(key(&t, 5, '5'));
	assert_false(key(&t, 6, '6'));
	track_status(&t, &s, 0, &told); /* older than what we know */
	assert_string_equal(keys, "123456");
	assert_int_equal(lost, 0);
}

static void what_the_log_lost_is_counted(void **state)
{
	struct track t = {0};
	struct cord_port_status s = {.digits = 40};

	for (unsigned i = 0; i < 40; i++)
		s.digit[i % CORD_DIGIT_LOG] = "0123456789"[i % 10];
	track_status(&t, &s, 0, &told);
	assert_int_equal(lost, 40 - CORD_DIGIT_LOG);
	assert_int_equal(n_keys, CORD_DIGIT_LOG);
	assert_int_equal(keys[n_keys - 1], '9');
}

static void every_loss_of_events_gives_the_same_keys(void **state)
{
	struct random r;

	random_init_seed(&r, 2);
	for (unsigned round = 0; round < 500; round++) {
		struct track t = {0};
		struct cord_port_status s = {0};
		char expected[101] = "";

		clear(NULL);
		for (unsigned i = 0; i < 100; i++) {
			char c = "0123456789*#ABCD"[random_below(&r, 16)];

			expected[i] = c;
			s.digit[s.digits++ % CORD_DIGIT_LOG] = c;
			bool arrives = random_below(&r, 3) != 0;
			if (arrives && key(&t, s.digits, c))
				track_status(&t, &s, 0, &told);
			else if (random_below(&r, 10) == 0)
				track_status(&t, &s, 0, &told);
		}
		track_status(&t, &s, 0, &told);
		assert_int_equal(lost, 0);
		assert_memory_equal(keys, expected, 100);
	}
}

static void ends_belong_to_their_generation(void **state)
{
	struct track t = {.generation = 7};
	struct cord_message m = {.type = CORD_EVENT_PLAYER_END};
	struct cord_port_status s = {.player_generation = 6};

	m.event_player_end.generation = 6;
	track_event(&t, &m, &told);
	track_status(&t, &s, 0, &told);
	s.player_generation = 7;
	s.player_running = 1;
	track_status(&t, &s, 0, &told);
	assert_int_equal(ends, 0);
	s.player_running = 0;
	track_status(&t, &s, 0, &told);
	m.event_player_end.generation = 7;
	track_event(&t, &m, &told);
	assert_int_equal(ends, 1);
}

static void digits_are_sent_when_they_were_begun(void **state)
{
	struct track t = {.digits = true};
	struct cord_port_status s = {0};
	struct cord_message m = {.type = CORD_EVENT_DIGITS_SENT};

	track_status(&t, &s, 0, &told); /* may be older than the command */
	assert_int_equal(sent, 0);
	t.digits_applied = true;
	s.digits_sending = 1;
	track_status(&t, &s, 0, &told);
	assert_int_equal(sent, 0);
	s.digits_sending = 0;
	track_status(&t, &s, 0, &told);
	track_event(&t, &m, &told);
	assert_int_equal(sent, 1);
}

static void happens(struct track *t, enum cord_message_type type)
{
	struct cord_message m = {.type = type};

	assert_false(track_event(t, &m, &told));
}

static void lost_media_is_told_once_until_it_is_back(void **state)
{
	struct track t = {0};
	struct cord_port_status s = {.first_rx = 1, .media_lost = 1};

	happens(&t, CORD_EVENT_MEDIA_FIRST);
	happens(&t, CORD_EVENT_MEDIA_BACK); /* nothing was lost */
	assert_int_equal(back, 0);
	happens(&t, CORD_EVENT_MEDIA_LOST);
	track_status(&t, &s, 0, &told);
	assert_int_equal(missed, 1);
	happens(&t, CORD_EVENT_MEDIA_BACK);
	assert_int_equal(back, 1);
	/* both events were lost: the status tells them */
	track_status(&t, &s, 0, &told);
	assert_int_equal(missed, 2);
	s.media_lost = 0;
	track_status(&t, &s, 0, &told);
	assert_int_equal(back, 2);
	/* a first packet ends it as well */
	happens(&t, CORD_EVENT_MEDIA_LOST);
	happens(&t, CORD_EVENT_MEDIA_FIRST);
	assert_int_equal(back, 3);
	assert_int_equal(media, 1);
}

static void an_address_is_told_once(void **state)
{
	struct track t = {0};
	struct cord_port_status s = {.learned = cord_address_ipv4(192, 0, 2, 7, 4000)};
	struct cord_message m = {
		.type = CORD_EVENT_MEDIA_LEARNED, .event_media_learned = {.address = s.learned}};

	assert_false(track_event(&t, &m, &told));
	track_status(&t, &s, 0, &told);
	assert_int_equal(learned, 1);
	s.learned.udp_port++;
	track_status(&t, &s, 0, &told);
	assert_int_equal(learned, 2);
	/* a family that there is not, and none: nothing was learned */
	s.learned.family = 9;
	track_status(&t, &s, 0, &told);
	s.learned = (struct cord_address){0};
	track_status(&t, &s, 0, &told);
	assert_int_equal(learned, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(keys_come_once_and_in_order, clear),
		cmocka_unit_test_setup(what_the_log_lost_is_counted, clear),
		cmocka_unit_test_setup(lost_media_is_told_once_until_it_is_back, clear),
		cmocka_unit_test_setup(an_address_is_told_once, clear),
		cmocka_unit_test_setup(every_loss_of_events_gives_the_same_keys, clear),
		cmocka_unit_test_setup(ends_belong_to_their_generation, clear),
		cmocka_unit_test_setup(digits_are_sent_when_they_were_begun, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
