/* SPDX-License-Identifier: Apache-2.0 */
/* The whole of media against a dataplane that lives, dies, forgets and lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/offload.h"
#include "media/media.h"

#include "fake_dataplane.h"

#define BOTH (1u << CORD_CLIP_L16 | 1u << CORD_CLIP_PCMU)

static char directory[] = "/tmp/cordboard-media-XXXXXX";
static char path[96];

/* What one leg was told. */
struct ear {
	char keys[64];
	unsigned n_keys, keys_lost, ended, failed, media, sent, leg_failed;
	uint64_t token;
	int sent_error;
	char why[MEDIA_REASON_SIZE];
	struct media_leg *close_on_key; /* closed from inside the callback */
};

/* What a tap has told. */
struct tape {
	struct media_tap *tap;
	unsigned frames, ended;
	uint64_t period[1000];
	int16_t left[1000], right[1000];
};

struct bench {
	struct loop *loop;
	struct offload *offload;
	struct random random;
	struct media *media;
	struct fake *fake;
	unsigned ups, restarts, downs;
	char down_why[MEDIA_REASON_SIZE];
	struct media_leg *closes[8];
};

static struct bench *b;

static void on_up(void *ctx, bool restarted)
{
	b->ups++;
	b->restarts += restarted;
}

static void on_down(void *ctx, const char *why)
{
	b->downs++;
	snprintf(b->down_why, sizeof(b->down_why), "%s", why);
}

static void on_key(void *ctx, void *leg_ctx, char digit, uint64_t time_ns)
{
	struct ear *e = leg_ctx;

	if (e->n_keys < sizeof(e->keys) - 1)
		e->keys[e->n_keys++] = digit;
	if (e->close_on_key) {
		media_leg_close(e->close_on_key);
		e->close_on_key = NULL;
	}
}

static void on_keys_lost(void *ctx, void *leg_ctx, unsigned count)
{
	((struct ear *)leg_ctx)->keys_lost += count;
}

static void on_play_ended(void *ctx, void *leg_ctx, uint64_t token)
{
	((struct ear *)leg_ctx)->ended++;
	((struct ear *)leg_ctx)->token = token;
}

static void on_play_failed(void *ctx, void *leg_ctx, uint64_t token, const char *why)
{
	struct ear *e = leg_ctx;

	e->failed++;
	e->token = token;
	snprintf(e->why, sizeof(e->why), "%s", why);
}

static void on_first_media(void *ctx, void *leg_ctx)
{
	((struct ear *)leg_ctx)->media++;
}

static void on_digits_sent(void *ctx, void *leg_ctx, int error)
{
	((struct ear *)leg_ctx)->sent++;
	((struct ear *)leg_ctx)->sent_error = error;
}

static void on_leg_failed(void *ctx, void *leg_ctx, const char *why)
{
	struct ear *e = leg_ctx;

	e->leg_failed++;
	snprintf(e->why, sizeof(e->why), "%s", why);
}

static void on_tap_frame(
	void *ctx, void *tap_ctx, uint64_t period, const int16_t *left, const int16_t *right)
{
	struct tape *t = tap_ctx;

	assert_true(t->ended == 0 && t->frames < 1000);
	t->period[t->frames] = period;
	t->left[t->frames] = left[159];
	t->right[t->frames++] = right[159];
}

static void on_tap_ended(void *ctx, void *tap_ctx)
{
	((struct tape *)tap_ctx)->ended++;
}

static void media_start(void)
{
	struct media_config config = {
		.loop = b->loop,
		.offload = b->offload,
		.random = &b->random,
		.play_timeout_ns = 500 * CLOCK_MS,
		.busy_percent = 80,
		.callbacks = {.up = on_up,
			.down = on_down,
			.key = on_key,
			.keys_lost = on_keys_lost,
			.play_ended = on_play_ended,
			.play_failed = on_play_failed,
			.first_media = on_first_media,
			.digits_sent = on_digits_sent,
			.leg_failed = on_leg_failed,
			.tap_frame = on_tap_frame,
			.tap_ended = on_tap_ended},
	};

	assert_int_equal(address_parse(str_from(path), -1, &config.socket), 0);
	assert_int_equal(media_create(&config, &b->media), 0);
}

static int set_up(void **state)
{
	b = calloc(1, sizeof(*b));
	snprintf(path, sizeof(path), "%s/socket", directory);
	random_init_seed(&b->random, 7);
	assert_int_equal(loop_create(NULL, &b->loop), 0);
	assert_int_equal(offload_create(b->loop, 0, &b->offload), 0);
	media_start();
	return 0;
}

static int tear_down(void **state)
{
	media_destroy(b->media);
	offload_destroy(b->offload);
	loop_destroy(b->loop);
	fake_kill(b->fake);
	free(b);
	b = NULL;
	return 0;
}

static void step(void)
{
	loop_step(b->loop, CLOCK_MS);
	fake_step(b->fake);
}

static void run_ms(unsigned ms)
{
	uint64_t end = clock_now() + ms * CLOCK_MS;

	while (clock_now() < end)
		step();
}

#define UNTIL(condition)                                    \
	do {                                                \
		uint64_t end_ = clock_now() + 10 * CLOCK_S; \
		while (!(condition) && clock_now() < end_)  \
			step();                             \
		assert_true(condition);                     \
	} while (0)

static bool settled(void)
{
	struct media_counts c;

	media_counts(b->media, &c);
	return c.commands_open == 0 && c.commands_waiting == 0 && c.restoring == 0 &&
	       c.legs_closing == 0 && c.rooms_closing == 0;
}

/* Twice: what is set by a callback goes out in the next pass. */
static void settle(void)
{
	step();
	UNTIL(settled());
	step();
	UNTIL(settled());
}

static void dataplane(uint64_t epoch)
{
	b->fake = fake_start(path, epoch, NULL);
	UNTIL(media_state(b->media) == MEDIA_UP);
}

static void dataplane_dies(void)
{
	fake_kill(b->fake);
	b->fake = NULL;
	UNTIL(media_state(b->media) == MEDIA_DOWN);
}

static struct cord_terms remote(uint16_t udp_port)
{
	return (struct cord_terms){
		.remote = cord_address_ipv4(198, 51, 100, 1, udp_port),
		.codec = CORD_CODEC_PCMU,
		.payload_type = 0,
		.event_payload_type = 101,
		.receive_payload_type = 0,
		.receive_event_payload_type = 96,
		.noise_payload_type = CORD_NO_PAYLOAD_TYPE,
		.receive_noise_payload_type = CORD_NO_PAYLOAD_TYPE,
		.event_clock_hz = 8000,
		.ptime_ms = 20,
		.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE,
	};
}

static struct media_room *new_room(void)
{
	struct media_room *room;

	assert_int_equal(media_room_create(b->media, NULL, &room), 0);
	return room;
}

static struct media_leg *new_leg(struct media_room *room, uint16_t udp_port, struct ear *ear)
{
	const struct cord_terms r = remote(udp_port);
	struct media_leg *leg;

	assert_int_equal(media_leg_open(room, &r, ear, &leg), 0);
	return leg;
}

/* Two talkers who hear each other. */
static void talk(struct media_room *room, struct media_leg *one, struct media_leg *two)
{
	const struct media_member members[] = {
		{.leg = one, .hears = 1u << 1}, {.leg = two, .hears = 1u << 0}};

	assert_int_equal(media_room_apply(room,
				 &(struct media_room_state){.members = members, .n_members = 2}),
		0);
}

static struct clip *tone(const char *spec)
{
	struct clip *clip;

	assert_int_equal(clips_source(media_clips(b->media), str_from(spec), NULL, &clip), 0);
	return clip;
}

static struct clip_list *list_of(struct clip *const *clips, unsigned n)
{
	struct clip_list *list;

	for (unsigned i = 0; i < n; i++)
		clip_hold(clips[i]);
	list = clip_list_new(clips, n);
	assert_non_null(list);
	return list;
}

static int play_list(struct media_room *room, struct media_leg *leg, struct clip *const *clips,
	unsigned n, bool loop, uint64_t token)
{
	const struct media_member member = {.leg = leg,
		.hears = 1,
		.player = MEDIA_PLAYER_START,
		.play = {.list = list_of(clips, n), .loop = loop, .token = token}};
	int rc = media_room_apply(
		room, &(struct media_room_state){.members = &member, .n_members = 1});

	clip_list_release(member.play.list);
	return rc;
}

static int play(struct media_room *room, struct media_leg *leg, struct clip *clip, bool loop,
	uint64_t token)
{
	return play_list(room, leg, &clip, 1, loop, token);
}

static bool plays(struct media_leg *leg, struct clip *clip)
{
	struct fake_port *p = fake_port(b->fake, media_leg_id(leg));

	return p && fake_status(b->fake, p->id)->player_running &&
	       p->playing.clip[0] == clip_content(clip);
}

/* ---- legs and rooms ------------------------------------------------------------------------ */

static void nothing_opens_before_the_first_dataplane(void **state)
{
	struct media_room *room;

	run_ms(30);
	assert_int_equal(media_state(b->media), MEDIA_AWAY);
	assert_int_equal(media_room_create(b->media, NULL, &room), -ENOTCONN);
	assert_true(strlen(media_down_reason(b->media)) > 0);
}

static void two_legs_talk(void **state)
{
	struct ear ears[2] = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *one = new_leg(room, 4000, &ears[0]);
	struct media_leg *two = new_leg(room, 4002, &ears[1]);
	struct address local = media_leg_local(one);

	assert_int_equal(address_port(&local) % 2, 0);
	assert_true(address_port(&local) >= 20000);
	talk(room, one, two);
	settle();
	assert_int_equal(fake_open_ports(b->fake), 2);
	assert_true(fake_hears(b->fake, media_room_id(room), media_leg_id(one), media_leg_id(two)));
	assert_true(fake_hears(b->fake, media_room_id(room), media_leg_id(two), media_leg_id(one)));
	assert_int_equal(fake_port(b->fake, media_leg_id(one))->open.ssrc, media_leg_ssrc(one));
	assert_int_equal(
		fake_port(b->fake, media_leg_id(one))->open.terms.receive_event_payload_type, 96);
	assert_int_equal(b->fake->refused, 0);
	/* One message says the room, however many calls made it. */
	assert_int_equal(fake_room(b->fake, media_room_id(room))->sets, 1);

	fake_first_packet(b->fake, media_leg_id(one), clock_now());
	fake_key(b->fake, media_leg_id(two), '5');
	fake_key(b->fake, media_leg_id(two), '#');
	UNTIL(ears[0].media == 1 && ears[1].n_keys == 2);
	assert_string_equal(ears[1].keys, "5#");

	media_room_destroy(room);
	settle();
	assert_int_equal(fake_open_ports(b->fake), 0);
	assert_int_equal(fake_open_rooms(b->fake), 0);
}

/* Until its peer is known a leg can go to the other family; then it stays. */
static void a_leg_faces_its_peer(void **state)
{
	struct cord_terms r = remote(4000);
	struct ear ear = {0};
	struct media_leg *leg;

	dataplane(1);
	struct media_room *room = new_room();
	assert_int_equal(media_leg_open(room, NULL, &ear, &leg), 0);
	struct address local = media_leg_local(leg);
	assert_int_equal(address_family(&local), AF_INET);
	assert_int_equal(media_leg_face(leg, CORD_FAMILY_IPV6), 0);
	local = media_leg_local(leg);
	assert_int_equal(address_family(&local), AF_INET6);
	assert_int_equal(media_leg_face(leg, CORD_FAMILY_IPV6), 0);
	struct address same = media_leg_local(leg);
	assert_true(address_equal(&same, &local));
	r.remote = (struct cord_address){
		.family = CORD_FAMILY_IPV6, .udp_port = 4000, .ip = {0x20, 1, 0xd, 0xb8, [15] = 9}};
	assert_int_equal(media_leg_update(leg, &r), 0);
	assert_int_equal(media_leg_face(leg, CORD_FAMILY_IPV4), -EBUSY);
	settle();
	struct fake_port *port = fake_port(b->fake, media_leg_id(leg));
	assert_true(cord_address_equal(&port->open.terms.remote, &r.remote));
	fake_first_packet(b->fake, media_leg_id(leg), clock_now());
	UNTIL(ear.media == 1);
	/* Nobody heard of its first port: that does not rest. */
	struct media_counts counts;
	media_counts(b->media, &counts);
	assert_int_equal(counts.ports_used, 1);
	assert_int_equal(counts.ports_resting, 0);
}

static void a_leg_without_remote_waits_for_it(void **state)
{
	struct ear ears[2] = {0};
	struct media_leg *two;

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *one = new_leg(room, 4000, &ears[0]);
	assert_int_equal(media_leg_open(room, NULL, &ears[1], &two), 0);
	talk(room, one, two);
	settle();
	assert_int_equal(fake_open_ports(b->fake), 1);
	assert_int_equal(fake_room(b->fake, media_room_id(room))->set.members, 1);
	const struct cord_terms r = remote(4002);
	assert_int_equal(media_leg_update(two, &r), 0);
	settle();
	assert_int_equal(fake_open_ports(b->fake), 2);
	assert_true(fake_hears(b->fake, media_room_id(room), media_leg_id(one), media_leg_id(two)));

	/* A re-INVITE, and one that changes nothing. */
	unsigned before = b->fake->commands;
	struct cord_terms other = remote(4444);
	other.codec = CORD_CODEC_PCMA;
	other.payload_type = 8;
	other.direction = CORD_MAY_RECEIVE;
	assert_int_equal(media_leg_update(two, &other), 0);
	settle();
	assert_int_equal(b->fake->commands, before + 1);
	assert_int_equal(fake_port(b->fake, media_leg_id(two))->open.terms.remote.udp_port, 4444);
	assert_int_equal(
		fake_port(b->fake, media_leg_id(two))->open.terms.direction, CORD_MAY_RECEIVE);
	assert_int_equal(media_leg_update(two, &other), 0);
	settle();
	assert_int_equal(b->fake->commands, before + 1);
}

static void bad_values_are_refused_and_change_nothing(void **state)
{
	struct ear ear = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *leg = new_leg(room, 4000, &ear), *other;
	struct cord_terms r = remote(4000);

	r.ptime_ms = 25;
	assert_int_equal(media_leg_open(room, &r, &ear, &other), -EINVAL);
	r = remote(4000);
	r.payload_type = 128;
	assert_int_equal(media_leg_update(leg, &r), -EINVAL);
	r = remote(0);
	assert_int_equal(media_leg_update(leg, &r), -EINVAL);
	r = remote(4000);
	r.codec = CORD_CODEC_NONE;
	assert_int_equal(media_leg_update(leg, &r), -EINVAL);

	struct media_member twice[] = {{.leg = leg}, {.leg = leg}};
	struct media_room_state s = {.members = twice, .n_members = 2};
	assert_int_equal(media_room_apply(room, &s), -EINVAL);
	s.n_members = 1;
	twice[0].hears = 2;
	assert_int_equal(media_room_apply(room, &s), -EINVAL);
	twice[0].hears = 1;
	twice[0].player = MEDIA_PLAYER_START;
	assert_int_equal(media_room_apply(room, &s), -EINVAL);
	twice[0].player = MEDIA_PLAYER_KEEP;
	const struct media_gain gain = {.listener = 0, .talker = 0, .gain_db = 13};
	s.gains = &gain;
	s.n_gains = 1;
	assert_int_equal(media_room_apply(room, &s), -EINVAL);
	assert_int_equal(media_leg_send_digits(leg, "12E", 3, 0, 0, 0), -EINVAL);
	assert_int_equal(media_leg_send_digits(leg, "", 0, 0, 0, 0), -EINVAL);
	settle();
	assert_int_equal(b->fake->refused, 0);
}

static void a_closed_member_leaves_masks_and_gains_in_order(void **state)
{
	struct ear ears[3] = {0};
	struct media_leg *legs[3];

	dataplane(1);
	struct media_room *room = new_room();
	for (unsigned i = 0; i < 3; i++)
		legs[i] = new_leg(room, (uint16_t)(4000 + 2 * i), &ears[i]);
	const struct media_member members[] = {{.leg = legs[0], .hears = 6},
		{.leg = legs[1], .hears = 5}, {.leg = legs[2], .hears = 3}};
	const struct media_gain gains[] = {{0, 2, -6}, {0, 1, -12}};
	assert_int_equal(
		media_room_apply(room, &(struct media_room_state){members, 3, gains, 2}), 0);
	settle();
	assert_int_equal(fake_room(b->fake, media_room_id(room))->set.gains, 2);
	media_leg_close(legs[1]);
	settle();
	dataplane_dies();
	dataplane(2);
	settle();
	struct fake_room *r = fake_room(b->fake, media_room_id(room));
	assert_int_equal(r->set.members, 2);
	assert_true(fake_hears(b->fake, r->id, media_leg_id(legs[0]), media_leg_id(legs[2])));
	assert_false(fake_hears(b->fake, r->id, media_leg_id(legs[0]), media_leg_id(legs[0])));
	assert_int_equal(r->set.gains, 1);
	assert_int_equal(r->set.gain[0].talker, 1);
	assert_int_equal(r->set.gain[0].gain_db, -6);
}

static void a_leg_moves_to_a_room_beside(void **state)
{
	struct ear ears[2] = {0};
	struct media_room *beside;

	dataplane(1);
	struct media_room *room = new_room();
	assert_int_equal(media_room_create(b->media, room, &beside), 0);
	assert_int_equal(media_room_worker(room), media_room_worker(beside));
	struct media_leg *one = new_leg(room, 4000, &ears[0]);
	struct media_leg *two = new_leg(room, 4002, &ears[1]);
	talk(room, one, two);
	settle();
	const struct media_member member = {.leg = two, .hears = 1};
	assert_int_equal(
		media_room_apply(beside, &(struct media_room_state){&member, 1, NULL, 0}), 0);
	settle();
	assert_int_equal(fake_port(b->fake, media_leg_id(two))->room, media_room_id(beside));
	assert_ptr_equal(media_leg_room(two), beside);

	struct media_room *elsewhere = new_room();
	assert_int_not_equal(media_room_worker(elsewhere), media_room_worker(room));
	assert_int_equal(
		media_room_apply(elsewhere, &(struct media_room_state){&member, 1, NULL, 0}),
		-EXDEV);
}

static void digits_go_out_once_and_are_confirmed(void **state)
{
	struct ear ear = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *leg = new_leg(room, 4000, &ear);
	assert_int_equal(media_leg_send_digits(leg, "12,#", 4, 0, 0, 0), 0);
	assert_int_equal(media_leg_send_digits(leg, "1", 1, 0, 0, 0), -EBUSY);
	settle();
	assert_int_equal(ear.sent, 0);
	fake_digits_end(b->fake, media_leg_id(leg));
	UNTIL(ear.sent == 1);
	assert_int_equal(ear.sent_error, 0);
	/* The event is lost: the status says it. */
	b->fake->wrong.lose_events = true;
	assert_int_equal(media_leg_send_digits(leg, "9", 1, 0, 0, 0), 0);
	settle();
	fake_digits_end(b->fake, media_leg_id(leg));
	UNTIL(ear.sent == 2);
	b->fake->wrong.lose_events = false;
	/* The dataplane dies under them. */
	assert_int_equal(media_leg_send_digits(leg, "9", 1, 0, 0, 0), 0);
	settle();
	dataplane_dies();
	assert_int_equal(ear.sent, 3);
	assert_int_equal(ear.sent_error, -ECONNRESET);
	assert_int_equal(media_leg_send_digits(leg, "9", 1, 0, 0, 0), -ENOTCONN);
}

static void a_leg_may_be_closed_from_its_own_callback(void **state)
{
	struct ear ear = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *leg = new_leg(room, 4000, &ear);
	settle();
	ear.close_on_key = leg;
	b->fake->wrong.lose_events = true;
	fake_key(b->fake, media_leg_id(leg), '1');
	fake_key(b->fake, media_leg_id(leg), '2');
	UNTIL(ear.n_keys > 0);
	settle();
	assert_int_equal(ear.n_keys, 1);
	assert_int_equal(fake_open_ports(b->fake), 0);
}

/* ---- players ------------------------------------------------------------------------------- */

static void a_playlist_starts_with_the_masks(void **state)
{
	struct ear ear = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *leg = new_leg(room, 4000, &ear);
	struct clip *clip = tone("tone:440:200ms");
	assert_int_equal(play(room, leg, clip, false, 77), 0);
	UNTIL(plays(leg, clip));
	assert_true(fake_has_clip(b->fake, clip_content(clip), BOTH));
	settle();
	fake_player_ends(b->fake, media_leg_id(leg));
	UNTIL(ear.ended == 1);
	assert_int_equal(ear.token, 77);
	/* Told once, also when everything is read again. */
	b->fake->wrong.lose_events = true;
	fake_key(b->fake, media_leg_id(leg), '1');
	UNTIL(ear.n_keys == 1);
	assert_int_equal(ear.ended, 1);
	clip_release(clip);
}

static void the_former_list_goes_on_until_the_next_is_ready(void **state)
{
	struct ear ear = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *leg = new_leg(room, 4000, &ear);
	struct clip *music = tone("tone:440:1s"), *bad = NULL;
	assert_int_equal(play(room, leg, music, true, 1), 0);
	UNTIL(plays(leg, music));
	assert_int_equal(clips_source(media_clips(b->media), STR("/nowhere/x.wav"), NULL, &bad), 0);
	assert_int_equal(play(room, leg, bad, false, 2), 0);
	UNTIL(ear.failed == 1);
	assert_int_equal(ear.token, 2);
	assert_non_null(strstr(ear.why, "/nowhere/x.wav"));
	settle();
	assert_true(plays(leg, music));
	clip_release(music);
	clip_release(bad);
}

static void a_list_waits_for_each_of_its_clips(void **state)
{
	struct ear ear = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *leg = new_leg(room, 4000, &ear);
	struct clip *list[] = {tone("tone:440:1s"), tone("tone:500:2s"), NULL};
	assert_int_equal(
		clips_source(media_clips(b->media), STR("/nowhere/y.wav"), NULL, &list[2]), 0);
	assert_int_equal(play_list(room, leg, list, 3, false, 1), 0);
	UNTIL(ear.failed == 1);
	assert_non_null(strstr(ear.why, "/nowhere/y.wav"));
	assert_int_equal(play_list(room, leg, list, 2, false, 2), 0);
	UNTIL(plays(leg, list[0]));
	assert_true(fake_has_clip(b->fake, clip_content(list[1]), BOTH));
	for (unsigned i = 0; i < 3; i++)
		clip_release(list[i]);
}

static void clips_that_do_not_come_fail_in_time(void **state)
{
	struct ear ear = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *leg = new_leg(room, 4000, &ear);
	b->fake->wrong.clip_result = CORD_ATTACH_RESULT_CLIP_TABLE_FULL;
	struct clip *clip = tone("tone:500:200ms");
	assert_int_equal(play(room, leg, clip, false, 9), 0);
	UNTIL(ear.failed == 1);
	assert_int_equal(ear.token, 9);
	assert_true(strlen(ear.why) > 0);
	/* And the next try, when both encodings have been answered, finds the table with space. */
	run_ms(100);
	b->fake->wrong.clip_result = 0;
	assert_int_equal(play(room, leg, clip, false, 10), 0);
	UNTIL(plays(leg, clip));
	clip_release(clip);
}

static void an_end_that_was_lost_is_read_again(void **state)
{
	struct ear ear = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *leg = new_leg(room, 4000, &ear);
	struct clip *clip = tone("tone:440:200ms");
	assert_int_equal(play(room, leg, clip, false, 5), 0);
	UNTIL(plays(leg, clip));
	settle();
	b->fake->wrong.lose_events = true;
	fake_player_ends(b->fake, media_leg_id(leg));
	fake_first_packet(b->fake, media_leg_id(leg), clock_now());
	UNTIL(ear.ended == 1 && ear.media == 1);
	/* More keys than the log holds: the last ones come, the others are counted. */
	for (unsigned i = 0; i < CORD_DIGIT_LOG + 4; i++)
		fake_key(b->fake, media_leg_id(leg), "0123456789"[i % 10]);
	UNTIL(ear.n_keys == CORD_DIGIT_LOG);
	assert_int_equal(ear.keys_lost, 4);
	assert_string_equal(ear.keys, "4567890123456789");
	clip_release(clip);
}

/* ---- death and return ---------------------------------------------------------------------- */

static void a_new_dataplane_gets_everything_back(void **state)
{
	enum { ROOMS = 40 };
	struct ear ears[2 * ROOMS] = {0};
	struct media_room *rooms[ROOMS];
	struct media_leg *legs[2 * ROOMS];
	struct address locals[2 * ROOMS];
	struct clip *music = NULL;

	dataplane(1);
	music = tone("tone:350,440:2s");
	for (unsigned i = 0; i < ROOMS; i++) {
		rooms[i] = new_room();
		for (unsigned k = 0; k < 2; k++) {
			legs[2 * i + k] = new_leg(
				rooms[i], (uint16_t)(4000 + 4 * i + 2 * k), &ears[2 * i + k]);
			locals[2 * i + k] = media_leg_local(legs[2 * i + k]);
		}
		if (i % 2)
			talk(rooms[i], legs[2 * i], legs[2 * i + 1]);
		else
			assert_int_equal(play(rooms[i], legs[2 * i], music, true, i), 0);
	}
	UNTIL(plays(legs[0], music));
	settle();
	uint64_t died = clock_now();
	dataplane_dies();
	/* Calls come and go meanwhile. */
	media_room_destroy(rooms[1]);
	struct media_room *late = new_room();
	struct ear late_ear = {0};
	struct media_leg *late_leg = new_leg(late, 9000, &late_ear);
	assert_int_equal(play(late, late_leg, music, true, 99), 0);
	run_ms(20);
	dataplane(2);
	assert_int_equal(b->restarts, 1);
	for (unsigned i = 0; i < ROOMS; i += 2)
		UNTIL(plays(legs[2 * i], music));
	UNTIL(plays(late_leg, music));
	settle();
	assert_true(clock_now() - died < 2 * CLOCK_S);
	assert_int_equal(b->fake->refused, 0);
	for (unsigned i = 0; i < ROOMS; i++) {
		if (i == 1)
			continue;
		for (unsigned k = 0; k < 2; k++) {
			struct media_leg *leg = legs[2 * i + k];
			struct address now = media_leg_local(leg);
			struct fake_port *p = fake_port(b->fake, media_leg_id(leg));

			assert_true(address_equal(&now, &locals[2 * i + k]));
			assert_non_null(p);
			assert_int_equal(p->open.ssrc, media_leg_ssrc(leg));
			assert_int_equal(p->open.terms.remote.udp_port, 4000 + 4 * i + 2 * k);
			if (i % 2)
				assert_true(fake_hears(b->fake, media_room_id(rooms[i]),
					media_leg_id(leg), media_leg_id(legs[2 * i + 1 - k])));
		}
	}
	assert_int_equal(fake_open_ports(b->fake), 2 * ROOMS - 2 + 1);
	/* Clips were handed over before the first playlist was. */
	assert_true(b->fake->clip_adds >= 2);
	clip_release(music);
}

static void keys_come_in_pairs_and_return_with_the_leg(void **state)
{
	struct cord_terms terms = remote(4000);
	struct ear ear = {0};
	struct media_leg *leg;

	dataplane(1);
	struct media_room *room = new_room();
	terms.send_key.suite = CORD_SRTP_AEAD_AES_128_GCM;
	assert_int_equal(media_leg_open(room, &terms, &ear, &leg), -EINVAL);
	terms.receive_key.suite = CORD_SRTP_AES_CM_128_HMAC_SHA1_80;
	assert_int_equal(media_leg_open(room, &terms, &ear, &leg), -EINVAL);
	terms.receive_key.suite = CORD_SRTP_AEAD_AES_128_GCM;
	terms.receive_key.key[27] = 7;
	assert_int_equal(media_leg_open(room, &terms, &ear, &leg), 0);
	settle();
	dataplane_dies();
	dataplane(2);
	UNTIL(fake_port(b->fake, media_leg_id(leg)));
	assert_memory_equal(
		&fake_port(b->fake, media_leg_id(leg))->open.terms, &terms, sizeof(terms));
}

static void the_same_dataplane_is_found_again(void **state)
{
	struct ear ears[2] = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *one = new_leg(room, 4000, &ears[0]);
	struct media_leg *two = new_leg(room, 4002, &ears[1]);
	struct clip *clip = tone("tone:440:200ms");
	talk(room, one, two);
	settle();
	struct media_member members[] = {
		{.leg = one,
			.hears = 3,
			.player = MEDIA_PLAYER_START,
			.play = {.list = list_of(&clip, 1), .loop = false, .token = 3}},
		{.leg = two, .hears = 1}};
	assert_int_equal(
		media_room_apply(room, &(struct media_room_state){members, 2, NULL, 0}), 0);
	clip_list_release(members[0].play.list);
	UNTIL(plays(one, clip));
	settle();
	cord_id id = media_leg_id(one);
	uint32_t generation = fake_status(b->fake, id)->player_generation;
	/* The lease ends; a key, and the end of the prompt, come while nobody listens. */
	fake_hang_up(b->fake);
	fake_key(b->fake, id, '7');
	fake_worker(b->fake, 0)->events.tail = fake_worker(b->fake, 0)->events.head;
	fake_worker(b->fake, 1)->events.tail = fake_worker(b->fake, 1)->events.head;
	loop_step(b->loop, CLOCK_MS);
	UNTIL(b->downs == 1);
	UNTIL(b->ups == 2);
	assert_int_equal(b->restarts, 0);
	settle();
	assert_int_equal(media_leg_id(one), id);
	assert_int_equal(fake_status(b->fake, id)->player_generation, generation);
	assert_true(plays(one, clip));
	assert_string_equal(ears[0].keys, "7");
	assert_int_equal(b->fake->refused, 0);
	assert_int_equal(fake_open_ports(b->fake), 2);
	struct media_counts c;
	media_counts(b->media, &c);
	assert_int_equal(c.orphan_ports + c.orphan_rooms, 0);
	assert_int_equal(c.srtp_backend, CORD_SRTP_BACKEND_IPSEC_MB_AVX2);
	clip_release(clip);
}

static void death_is_noticed_whatever_it_looks_like(void **state)
{
	dataplane(1);
	b->fake->wrong.no_heartbeat = true;
	UNTIL(b->downs == 1);
	assert_non_null(strstr(b->down_why, "heartbeat"));
	b->fake->wrong.no_heartbeat = false;
	UNTIL(b->ups == 2);
	/* An impossible position in an event ring. */
	atomic_fetch_add(&fake_worker(b->fake, 0)->events.head, CORD_RING_SLOTS + 1);
	UNTIL(b->downs == 2);
	assert_non_null(strstr(b->down_why, "ring"));
	fake_kill(b->fake);
	b->fake = fake_start(path, 5, NULL);
	UNTIL(b->ups == 3);
	struct media_counts c;
	media_counts(b->media, &c);
	assert_int_equal(c.ring_faults, 1);
	assert_int_equal(c.deaths, 2);
}

static void garbage_in_the_rings_is_counted(void **state)
{
	struct ear ear = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *leg = new_leg(room, 4000, &ear);
	settle();
	struct random r;
	random_init_seed(&r, 3);
	for (unsigned i = 0; i < 20000; i++) {
		struct cord_message m;

		random_bytes(&r, &m, sizeof(m));
		if (i % 2) {
			m.type = CORD_EVENT_BEGIN + random_below(&r, 8);
			m.size = cord_message_body_size(m.type);
		}
		cord_ring_write(&b->fake->writers[i % FAKE_WORKERS], &m);
		if (i % 1000 == 0)
			step();
	}
	run_ms(20);
	/* Its own port, with another generation; a digit that is none. */
	struct cord_message m = {.type = CORD_EVENT_DIGIT};
	m.event_digit = (struct cord_event_digit){
		.port = media_leg_id(leg) + (UINT64_C(1) << 32), .sequence = 1, .digit = '1'};
	fake_event(b->fake, 0, &m);
	m.event_digit.port = media_leg_id(leg);
	m.event_digit.digit = '\x80';
	fake_event(b->fake, 0, &m);
	run_ms(20);
	assert_int_equal(media_state(b->media), MEDIA_UP);
	assert_int_equal(ear.n_keys, 0);
	struct media_counts c;
	media_counts(b->media, &c);
	assert_true(c.events_bad > 5000);
	assert_true(c.events_stale > 5000);
}

static void garbage_in_the_status_does_no_harm(void **state)
{
	struct ear ears[8] = {0};
	struct random r;

	dataplane(1);
	struct media_room *room = new_room();
	for (unsigned i = 0; i < 8; i++)
		new_leg(room, (uint16_t)(4000 + 2 * i), &ears[i]);
	settle();
	random_init_seed(&r, 4);
	for (unsigned round = 0; round < 50; round++) {
		uint8_t *at = (uint8_t *)b->fake->segment + b->fake->segment->offset_port_status;

		random_bytes(&r, at, FAKE_PORTS * sizeof(struct cord_port_status));
		for (unsigned i = 0; i < FAKE_PORTS; i++) {
			struct cord_port_status *s = &((struct cord_port_status *)at)[i];

			s->version &= ~1u;
			if (b->fake->ports[i].id)
				s->port = b->fake->ports[i].id;
		}
		atomic_fetch_add(
			&fake_worker(b->fake, 0)->counters.value[CORD_COUNTER_events_lost], 1);
		step();
		if (round == 25)
			fake_hang_up(b->fake);
	}
	run_ms(100);
	assert_int_equal(media_state(b->media), MEDIA_UP);
}

static void a_full_ring_delays_and_loses_nothing(void **state)
{
	enum { ROOMS = 100 };
	struct ear ear = {0};
	struct media_room *rooms[ROOMS];
	struct media_leg *legs[ROOMS];
	struct media_counts c;

	dataplane(1);
	b->fake->wrong.stall = true;
	for (unsigned i = 0; i < ROOMS; i++) {
		rooms[i] = new_room();
		legs[i] = new_leg(rooms[i], 4000, &ear);
	}
	/* Far more changes than the rings hold. */
	for (unsigned round = 0; round < 120; round++) {
		for (unsigned i = 0; i < ROOMS; i++) {
			const struct media_member member = {.leg = legs[i], .hears = round & 1};

			assert_int_equal(media_room_apply(rooms[i],
						 &(struct media_room_state){&member, 1, NULL, 0}),
				0);
		}
		loop_step(b->loop, 0);
	}
	media_counts(b->media, &c);
	assert_true(c.commands_waiting > 0);
	uint64_t passes = loop_stats(b->loop)->passes;
	run_ms(100);
	/* Nothing spins while it waits. */
	assert_true(loop_stats(b->loop)->passes - passes < 400);
	b->fake->wrong.stall = false;
	settle();
	for (unsigned i = 0; i < ROOMS; i++)
		assert_int_equal(
			fake_room(b->fake, media_room_id(rooms[i]))->set.member[0].hears, 1);
	for (unsigned i = 0; i < ROOMS; i++)
		media_room_destroy(rooms[i]);
	settle();
	assert_int_equal(fake_open_ports(b->fake), 0);
	assert_int_equal(fake_open_rooms(b->fake), 0);
}

static void answers_that_are_lost_are_made_good(void **state)
{
	struct ear ears[2] = {0};

	dataplane(1);
	b->fake->wrong.mute = true;
	struct media_room *room = new_room();
	struct media_leg *one = new_leg(room, 4000, &ears[0]);
	struct media_leg *two = new_leg(room, 4002, &ears[1]);
	talk(room, one, two);
	run_ms(200);
	b->fake->wrong.mute = false;
	settle();
	assert_int_equal(ears[0].leg_failed, 0);
	assert_true(fake_hears(b->fake, media_room_id(room), media_leg_id(one), media_leg_id(two)));
	media_room_destroy(room);
	settle();
	assert_int_equal(fake_open_ports(b->fake), 0);
}

/* What it had in its ring it does when it goes on: nothing may be asked for a second time. */
static void a_worker_that_stands_still_goes_on_where_it_was(void **state)
{
	struct ear ears[2] = {0};

	dataplane(1);
	b->fake->wrong.stand_still = true;
	struct media_room *room = new_room();
	struct media_leg *one = new_leg(room, 4000, &ears[0]);
	struct media_leg *two = new_leg(room, 4002, &ears[1]);
	talk(room, one, two);
	run_ms(3500);
	b->fake->wrong.stand_still = false;
	settle();
	assert_int_equal(ears[0].leg_failed + ears[1].leg_failed, 0);
	assert_int_equal(b->fake->refused, 0);
	assert_true(fake_hears(b->fake, media_room_id(room), media_leg_id(one), media_leg_id(two)));
}

/* Its owner was interrupted while it wrote: the port is there all the same. */
static void a_status_that_cannot_be_read_opens_no_port_twice(void **state)
{
	struct ear ears[2] = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *one = new_leg(room, 4000, &ears[0]);
	struct media_leg *two = new_leg(room, 4002, &ears[1]);
	talk(room, one, two);
	settle();
	cord_id id = media_leg_id(one);
	atomic_fetch_add(&fake_status(b->fake, id)->version, 1);
	fake_hang_up(b->fake);
	UNTIL(b->downs == 1);
	UNTIL(b->ups == 2);
	atomic_fetch_add(&fake_status(b->fake, id)->version, 1);
	settle();
	assert_int_equal(media_leg_id(one), id);
	assert_int_equal(b->fake->refused, 0);
	assert_int_equal(ears[0].leg_failed, 0);
	assert_true(fake_hears(b->fake, media_room_id(room), id, media_leg_id(two)));
}

static void a_refused_port_is_told(void **state)
{
	struct ear ear = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *leg = new_leg(room, 4000, &ear);
	b->fake->ports[cord_id_slot(media_leg_id(leg))].id = 12345;
	UNTIL(ear.leg_failed == 1);
	assert_non_null(strstr(ear.why, "in use"));
	b->fake->ports[cord_id_slot(media_leg_id(leg))].id = 0;
	/* A generation that the slot has seen is replaced, nobody notices. */
	leg = new_leg(room, 4002, &ear);
	b->fake->ports[cord_id_slot(media_leg_id(leg))].last_generation =
		cord_id_generation(media_leg_id(leg));
	settle();
	assert_int_equal(ear.leg_failed, 1);
	assert_non_null(fake_port(b->fake, media_leg_id(leg)));
}

/* ---- time of the workers -------------------------------------------------------------------- */

static void worker_took(unsigned worker, uint64_t busy, uint64_t total)
{
	struct cord_counters *c = &fake_worker(b->fake, worker)->counters;

	atomic_fetch_add(&c->value[CORD_COUNTER_busy_cycles], busy);
	atomic_fetch_add(&c->value[CORD_COUNTER_total_cycles], total);
}

static double expected_percent(unsigned worker)
{
	struct media_headroom h;

	assert_true(media_headroom(b->media, worker, &h));
	return (double)h.expected_ns * 100 / CORD_TICK_NS;
}

/* Calls go where time is; when nowhere is, new ones are not taken, and later not even more legs. */
static void calls_go_where_time_is(void **state)
{
	struct ear ear = {0};
	struct media_leg *leg;
	struct media_room *room, *other;

	b->fake = fake_start(path, 1, NULL);
	worker_took(0, 1, 1000);
	worker_took(1, 1, 1000);
	UNTIL(media_state(b->media) == MEDIA_UP);
	room = new_room();
	worker_took(0, 700, 1000);
	worker_took(1, 300, 1000);
	UNTIL(expected_percent(0) > 69 && expected_percent(1) > 29);
	assert_true(media_has_time(b->media));
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(media_room_create(b->media, NULL, &other), 0);
		assert_int_equal(media_room_worker(other), 1);
	}
	worker_took(0, 850, 1000);
	worker_took(1, 890, 1000);
	UNTIL(expected_percent(0) > 84 && expected_percent(1) > 88);
	assert_false(media_has_time(b->media));
	assert_int_equal(media_room_create(b->media, NULL, &other), 0);
	assert_int_equal(media_room_worker(other), 0);
	worker_took(0, 950, 1000);
	worker_took(1, 950, 1000);
	UNTIL(expected_percent(0) > 94 && expected_percent(1) > 94);
	assert_int_equal(media_room_create(b->media, NULL, &other), -EBUSY);
	/* The caller and an agent were promised; a third is not. */
	new_leg(room, 4000, &ear);
	new_leg(room, 4002, &ear);
	assert_int_equal(media_leg_open(room, NULL, &ear, &leg), -EBUSY);
	worker_took(0, 100, 1000);
	worker_took(1, 100, 1000);
	UNTIL(media_has_time(b->media));
	assert_int_equal(media_leg_open(room, NULL, &ear, &leg), 0);
}

/* ---- another control was here -------------------------------------------------------------- */

static void orphans_are_listed_and_removed(void **state)
{
	struct ear ears[4] = {0};
	struct media_orphan list[8];

	dataplane(1);
	struct media_room *rooms[2] = {new_room(), new_room()};
	for (unsigned i = 0; i < 4; i++)
		new_leg(rooms[i / 2], (uint16_t)(4000 + 2 * i), &ears[i]);
	for (unsigned i = 0; i < 2; i++) {
		struct media_member none = {0};

		assert_int_equal(
			media_room_apply(rooms[i], &(struct media_room_state){&none, 0, NULL, 0}),
			0);
	}
	settle();
	cord_id room_ids[2] = {media_room_id(rooms[0]), media_room_id(rooms[1])};
	/* They sit in their rooms. */
	for (unsigned i = 0; i < FAKE_PORTS; i++) {
		struct fake_port *p = &b->fake->ports[i];

		if (!p->id)
			continue;
		p->room = room_ids[p->worker == media_room_worker(rooms[0]) ? 0 : 1];
		fake_status(b->fake, p->id)->room = p->room;
	}
	/* Control dies and comes back. */
	media_destroy(b->media);
	b->ups = 0;
	fake_step(b->fake);
	media_start();
	UNTIL(b->ups == 1);
	assert_int_equal(b->restarts, 0);
	assert_int_equal(media_orphans(b->media, list, 8), 2);
	assert_int_equal(list[0].ports, 2);
	assert_int_equal(list[1].ports, 2);
	/* New calls live beside them. */
	struct media_room *room = new_room();
	new_leg(room, 5000, &ears[0]);
	settle();
	assert_int_equal(fake_open_ports(b->fake), 5);
	assert_int_equal(b->fake->refused, 0);
	assert_int_equal(media_orphan_remove(b->media, 12345), -ENOENT);
	assert_int_equal(media_orphan_remove(b->media, list[0].room), 0);
	settle();
	assert_int_equal(fake_open_ports(b->fake), 3);
	assert_int_equal(media_orphans(b->media, list, 8), 1);
	/* The other has been quiet for 30 s. */
	for (unsigned i = 0; i < FAKE_PORTS; i++) {
		struct fake_port *p = &b->fake->ports[i];

		if (p->id && p->room == list[0].room) {
			fake_status(b->fake, p->id)->opened = 1;
			fake_status(b->fake, p->id)->last_rx = clock_now() - 31 * CLOCK_S;
		}
	}
	UNTIL(media_orphans(b->media, NULL, 0) == 0);
	settle();
	assert_int_equal(fake_open_ports(b->fake), 1);
	assert_int_equal(fake_open_rooms(b->fake), 1);
}

/* ---- taps ---- */

static struct media_room_state recorded(struct media_member members[2], struct media_leg *one,
	struct media_leg *two, const struct media_tap_masks *masks)
{
	members[0] = (struct media_member){.leg = one, .hears = 1u << 1};
	members[1] = (struct media_member){.leg = two, .hears = 1u << 0};
	return (struct media_room_state){
		.members = members, .n_members = 2, .taps = masks, .n_taps = 1};
}

static void record(struct media_room *room, struct media_leg *one, struct media_leg *two,
	struct media_tap *tap)
{
	const struct media_tap_masks masks = {.tap = tap, .left = 1, .right = 2, .players = 1};
	struct media_member members[2];
	const struct media_room_state state = recorded(members, one, two, &masks);

	assert_int_equal(media_room_apply(room, &state), 0);
}

/* The member of a room as last set that is a tap. */
static const struct cord_room_member *tap_member(const struct media_room *room)
{
	const struct cord_room_set *set = &fake_room(b->fake, media_room_id(room))->set;

	assert_true(set->members > 0 && set->member[set->members - 1].kind == CORD_MEMBER_TAP);
	return &set->member[set->members - 1];
}

static struct tape *new_tape(void)
{
	struct tape *t = calloc(1, sizeof(*t));

	assert_int_equal(media_tap_open(b->media, 8000, t, &t->tap), 0);
	return t;
}

static void a_tap_tells_what_the_room_sounds_like(void **state)
{
	struct ear ears[2] = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *one = new_leg(room, 4000, &ears[0]), *two = new_leg(room, 4002, &ears[1]);
	struct tape *t = new_tape();

	/* Named before the dataplane has it: the room goes ahead without, and is sent again. */
	record(room, one, two, t->tap);
	UNTIL(fake_room(b->fake, media_room_id(room)) &&
		fake_room_tap(b->fake, media_room_id(room)));
	assert_int_equal(tap_member(room)->hears, 1);
	assert_int_equal(tap_member(room)->digits_to, 2);
	assert_int_equal(tap_member(room)->players, 1);
	for (unsigned i = 0; i < 10; i++)
		assert_true(fake_tap_frame(fake_room_tap(b->fake, media_room_id(room)),
			1000 + i + (i > 4 ? 7 : 0), (int16_t)i, (int16_t)-i));
	UNTIL(t->frames == 10);
	for (unsigned i = 0; i < 10; i++) {
		assert_true(t->period[i] == 1000 + i + (i > 4 ? 7 : 0));
		assert_true(t->left[i] == (int)i && t->right[i] == -(int)i);
	}
	/* A party leaves: what is sent next has masks without it. */
	media_leg_close(one);
	settle();
	fake_hang_up(b->fake);
	UNTIL(b->downs == 1 && media_state(b->media) == MEDIA_UP);
	UNTIL(fake_room_tap(b->fake, media_room_id(room)));
	assert_int_equal(tap_member(room)->hears, 0);
	assert_int_equal(tap_member(room)->digits_to, 1);
	/* What is there at the end is told before the end is. */
	assert_true(fake_tap_frame(fake_room_tap(b->fake, media_room_id(room)), 2000, 77, 0));
	media_tap_close(t->tap);
	UNTIL(t->ended == 1);
	assert_true(t->frames == 11 && t->left[10] == 77);
	settle();
	assert_int_equal(fake_room(b->fake, media_room_id(room))->set.members, 1);
	assert_int_equal(fake_open_taps(b->fake), 0);
	assert_int_equal(b->fake->refused, 0);
	free(t);
}

static void taps_that_make_no_sense_are_refused(void **state)
{
	struct ear ears[2] = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *one = new_leg(room, 4000, &ears[0]), *two = new_leg(room, 4002, &ears[1]);
	struct tape *t = new_tape(), *other = new_tape();
	struct media_tap_masks masks[2] = {{.tap = t->tap, .left = 4}, {.tap = t->tap}};
	struct media_member members[2];
	struct media_room_state s = recorded(members, one, two, masks);
	struct media_tap *none;

	assert_int_equal(media_tap_open(b->media, 11025, t, &none), -EINVAL);
	assert_int_equal(media_room_apply(room, &s), -EINVAL);
	masks[0].left = 1;
	s.n_taps = 2;
	assert_int_equal(media_room_apply(room, &s), -EINVAL);
	masks[1].tap = other->tap;
	assert_int_equal(media_room_apply(room, &s), 0);
	media_tap_close(other->tap);
	media_tap_close(other->tap);
	assert_int_equal(media_room_apply(room, &s), -EINVAL);
	UNTIL(other->ended == 1);
	/* One that was never handed over ends as well. */
	dataplane_dies();
	free(other);
	other = new_tape();
	media_tap_close(other->tap);
	UNTIL(other->ended == 1);
	media_tap_close(t->tap);
	UNTIL(t->ended == 1);
	free(t);
	free(other);
}

/* A dataplane dies and another comes: a gap, and it goes on. So it is with the same one. */
static void a_tap_outlives_the_dataplane(void **state)
{
	struct ear ears[2] = {0};

	dataplane(1);
	struct media_room *room = new_room();
	struct media_leg *one = new_leg(room, 4000, &ears[0]), *two = new_leg(room, 4002, &ears[1]);
	struct tape *t = new_tape();
	cord_id first;

	record(room, one, two, t->tap);
	UNTIL(fake_room(b->fake, media_room_id(room)) &&
		fake_room_tap(b->fake, media_room_id(room)));
	first = fake_room_tap(b->fake, media_room_id(room))->id;
	assert_true(fake_tap_frame(fake_room_tap(b->fake, media_room_id(room)), 100, 1, 1));
	dataplane_dies();
	assert_int_equal(t->frames, 1);
	dataplane(2);
	UNTIL(fake_room(b->fake, media_room_id(room)) &&
		fake_room_tap(b->fake, media_room_id(room)));
	assert_true(fake_room_tap(b->fake, media_room_id(room))->id != first);
	assert_true(fake_tap_frame(fake_room_tap(b->fake, media_room_id(room)), 300, 2, 2));
	UNTIL(t->frames == 2);
	fake_hang_up(b->fake);
	UNTIL(b->downs == 2 && media_state(b->media) == MEDIA_UP);
	UNTIL(fake_room_tap(b->fake, media_room_id(room)));
	assert_true(fake_tap_frame(fake_room_tap(b->fake, media_room_id(room)), 400, 3, 3));
	UNTIL(t->frames == 3);
	media_room_destroy(room);
	media_tap_close(t->tap);
	UNTIL(t->ended == 1);
	free(t);
}

/* All are read, however many frames one has. */
static void many_taps_are_read_in_turn(void **state)
{
	struct tape *t[FAKE_TAPS];

	dataplane(1);
	for (unsigned i = 0; i < FAKE_TAPS; i++)
		t[i] = new_tape();
	UNTIL(fake_open_taps(b->fake) == FAKE_TAPS);
	for (unsigned i = 0; i < FAKE_TAPS; i++)
		for (unsigned n = 0; n < (i ? 3 : CORD_TAP_SLOTS); n++)
			assert_true(fake_tap_frame(&b->fake->taps[i], n + 1, 1, 1));
	assert_false(fake_tap_frame(&b->fake->taps[0], 1000, 1, 1));
	for (unsigned i = 0; i < FAKE_TAPS; i++)
		UNTIL(t[i]->frames == 3 || t[i]->frames == CORD_TAP_SLOTS);
	for (unsigned i = 0; i < FAKE_TAPS; i++)
		media_tap_close(t[i]->tap);
	for (unsigned i = 0; i < FAKE_TAPS; i++) {
		UNTIL(t[i]->ended == 1);
		free(t[i]);
	}
}

static void a_ring_that_lies_is_not_read(void **state)
{
	dataplane(1);
	struct tape *t = new_tape();

	UNTIL(fake_open_taps(b->fake) == 1);
	atomic_store(&b->fake->taps[0].memory->head, CORD_TAP_SLOTS + 1);
	run_ms(300);
	assert_int_equal(t->frames, 0);
	media_tap_close(t->tap);
	UNTIL(t->ended == 1);
	assert_int_equal(t->frames, 0);
	/* One that the dataplane does not take is not tried again before the next lease. */
	b->fake->wrong.tap_result = CORD_ATTACH_RESULT_TAP_TAKEN;
	t->ended = 0;
	assert_int_equal(media_tap_open(b->media, 8000, t, &t->tap), 0);
	run_ms(50);
	assert_int_equal(b->fake->tap_adds, 2);
	media_tap_close(t->tap);
	UNTIL(t->ended == 1);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(nothing_opens_before_the_first_dataplane),
		T(two_legs_talk),
		T(a_leg_faces_its_peer),
		T(a_leg_without_remote_waits_for_it),
		T(bad_values_are_refused_and_change_nothing),
		T(a_closed_member_leaves_masks_and_gains_in_order),
		T(a_leg_moves_to_a_room_beside),
		T(digits_go_out_once_and_are_confirmed),
		T(a_leg_may_be_closed_from_its_own_callback),
		T(a_playlist_starts_with_the_masks),
		T(the_former_list_goes_on_until_the_next_is_ready),
		T(a_list_waits_for_each_of_its_clips),
		T(clips_that_do_not_come_fail_in_time),
		T(an_end_that_was_lost_is_read_again),
		T(a_new_dataplane_gets_everything_back),
		T(keys_come_in_pairs_and_return_with_the_leg),
		T(the_same_dataplane_is_found_again),
		T(death_is_noticed_whatever_it_looks_like),
		T(garbage_in_the_rings_is_counted),
		T(garbage_in_the_status_does_no_harm),
		T(a_full_ring_delays_and_loses_nothing),
		T(answers_that_are_lost_are_made_good),
		T(a_worker_that_stands_still_goes_on_where_it_was),
		T(a_status_that_cannot_be_read_opens_no_port_twice),
		T(a_refused_port_is_told),
		T(calls_go_where_time_is),
		T(orphans_are_listed_and_removed),
		T(a_tap_tells_what_the_room_sounds_like),
		T(taps_that_make_no_sense_are_refused),
		T(a_tap_outlives_the_dataplane),
		T(many_taps_are_read_in_turn),
		T(a_ring_that_lies_is_not_read),
#undef T
	};

	if (!mkdtemp(directory))
		return 1;
	log_set_level(LOG_LEVEL_ERROR + 1);
	int result = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(directory);
	return result;
}
