/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a contact's recordings, with taps and files that do nothing by themselves. */
#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "contact/switchboard.h"

#define WALL     (UINT64_C(1772611110) * CLOCK_S + 125 * CLOCK_MS) /* 2026-03-04T07:58:30.125Z */
#define SEGMENT  "6a6cbb19-8b5c-4d0f-9d43-51d4ad5d1c07"
#define TOLD_MAX 16

struct scene {
	struct fixture fixture;
	struct switchboard board;
	struct timers timers;
	struct call call;
	struct contact *contact;
	int media_error, file_error; /* of what is begun next */
	struct tape *tape;           /* what the tap was opened with */
	struct recording_config file;
	json_t *told[TOLD_MAX];
	unsigned n;
	unsigned puts; /* of records in which a recording has failed */
};

static struct scene *scene;

/* ---- what is replaced ---- */

uint64_t __wrap_loop_now(const struct loop *loop);
int __wrap_media_tap_open(
	struct media *media, uint32_t rate_hz, struct tape *ctx, struct media_tap **out);
void __wrap_media_tap_close(struct media_tap *tap);
int __wrap_media_room_apply(struct media_room *room, const struct media_room_state *state);
int __wrap_recording_start(
	struct recordings *all, const struct recording_config *config, struct recording **out);
const char *__wrap_recording_location(const struct recording *r);
void __wrap_recording_path(const struct recordings *all, const char *name, uint64_t wall_ns,
	char path[RECORDING_PATH_SIZE]);
void __wrap_recording_end(struct recording *r);
int __wrap_records_put(struct records *store, const struct record *record);
int __wrap_events_append(struct events *store, const char *topic, uint64_t wall_ns, struct str json,
	uint64_t *number);

uint64_t __wrap_loop_now(const struct loop *loop)
{
	return timers_now(&scene->timers);
}

int __wrap_media_tap_open(
	struct media *media, uint32_t rate_hz, struct tape *ctx, struct media_tap **out)
{
	scene->tape = ctx;
	*out = (struct media_tap *)scene;
	return scene->media_error;
}

void __wrap_media_tap_close(struct media_tap *tap)
{
	recording_tap_ended(scene->tape);
}

int __wrap_media_room_apply(struct media_room *room, const struct media_room_state *state)
{
	return 0;
}

int __wrap_recording_start(
	struct recordings *all, const struct recording_config *config, struct recording **out)
{
	scene->file = *config;
	*out = scene->file_error ? NULL : (struct recording *)scene;
	return scene->file_error;
}

const char *__wrap_recording_location(const struct recording *r)
{
	return "/rec/file.wav";
}

void __wrap_recording_path(const struct recordings *all, const char *name, uint64_t wall_ns,
	char path[RECORDING_PATH_SIZE])
{
	snprintf(path, RECORDING_PATH_SIZE, "/rec/%s.wav", name);
}

void __wrap_recording_end(struct recording *r)
{
}

int __wrap_records_put(struct records *store, const struct record *record)
{
	for (size_t i = 0; i < record->n_recordings; i++)
		scene->puts += record->recordings[i].failed;
	return 0;
}

int __wrap_events_append(struct events *store, const char *topic, uint64_t wall_ns, struct str json,
	uint64_t *number)
{
	assert_true(scene->n < TOLD_MAX);
	assert_string_equal(topic, "contact");
	scene->told[scene->n] = json_loadb(json.p, json.n, 0, NULL);
	assert_non_null(scene->told[scene->n++]);
	return 0;
}

/* ---- one contact, whose agent is on the call ---- */

static int set_up(void **state)
{
	struct switchboard *b;
	void *fixture;
	uint64_t id;

	log_set_level(LOG_LEVEL_ERROR + 1);
	scene = calloc(1, sizeof(*scene));
	b = &scene->board;
	fixture_set_up(&fixture);
	scene->fixture = *(struct fixture *)fixture;
	free(fixture);
	assert_int_equal(fixture_load(&scene->fixture), 0);
	timers_init(&scene->timers, 1000 * CLOCK_S);
	b->timers = &scene->timers;
	b->config = &scene->fixture.config;
	b->instance = scene->fixture.instance;
	b->clock = (struct clock_pair){1000 * CLOCK_S, WALL};
	b->recordings = (struct recordings *)scene;
	assert_int_equal(pool_init(&b->contacts, sizeof(struct contact), 10), 0);
	scene->contact = pool_alloc(&b->contacts, &id);
	scene->contact->board = b;
	scene->contact->clock = b->clock;
	scene->contact->segment = (struct contact_segment){.id = SEGMENT,
		.initial = SEGMENT,
		.queue = ROUTER_NONE,
		.agent = ROUTER_NONE,
		.initiated = 1000 * CLOCK_S};
	assert_int_equal(map_put(&b->by_id, scene->contact->segment.id,
				 strlen(scene->contact->segment.id), scene->contact),
		0);
	scene->contact->call = &scene->call;
	scene->contact->data.recording.agent = scene->contact->data.recording.customer = true;
	scene->call = (struct call){.board = b, .contacts = scene->contact};
	conference_begin(&scene->call.conference);
	return 0;
}

static int tear_down(void **state)
{
	void *fixture = malloc(sizeof(scene->fixture));

	for (unsigned i = 0; i < scene->n; i++)
		json_decref(scene->told[i]);
	jot_clear(&scene->board.event);
	map_clear(&scene->board.by_id);
	pool_clear(&scene->board.contacts);
	timers_clear(&scene->timers);
	memcpy(fixture, &scene->fixture, sizeof(scene->fixture));
	free(scene);
	return fixture_tear_down(&fixture);
}

static void seconds_pass(unsigned seconds)
{
	timers_run(&scene->timers, timers_now(&scene->timers) + seconds * CLOCK_S);
}

static void follow(void)
{
	recording_follow(&scene->call, timers_now(&scene->timers));
}

static void join_agent(void)
{
	scene->contact->party = CALL_FIRST_AGENT;
	scene->call.talking = true;
	follow();
}

static void file_closed(int error)
{
	scene->file.done(scene->file.ctx, &(struct recording_result){.error = error});
}

static const char *text(json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value ? value : "";
}

/* The next event there is: its type, its reason and where it says the file is. */
static void expect(unsigned n, const char *type, const char *reason, const char *location)
{
	json_t *recording;

	assert_true(n < scene->n);
	recording = json_object_get(scene->told[n], "Recording");
	assert_string_equal(text(scene->told[n], "EventType"), type);
	assert_string_equal(text(scene->told[n], "ContactId"), SEGMENT);
	assert_string_equal(text(scene->told[n], "Reason"), reason);
	assert_string_equal(text(recording, "Location"), location);
}

/* ---- tests ---- */

static void start_pause_resume_and_end_are_told(void **state)
{
	const char *file = "/rec/" SEGMENT ".wav";
	json_t *last;

	join_agent();
	follow(); /* nothing new, nothing told */
	expect(0, "RECORDING_STARTED", "", file);
	seconds_pass(1);
	scene->call.recording_suspended = true;
	follow();
	follow();
	seconds_pass(1);
	scene->call.recording_suspended = false;
	follow();
	expect(1, "RECORDING_PAUSED", "REQUESTED", file);
	expect(2, "RECORDING_RESUMED", "", file);
	seconds_pass(1);
	recording_stop(scene->contact, timers_now(&scene->timers));
	assert_int_equal(scene->n, 3);
	/* the file is closed when the contact has gone */
	pool_free(&scene->board.contacts, scene->contact);
	seconds_pass(2);
	file_closed(0);
	assert_int_equal(scene->n, 4);
	expect(3, "RECORDING_ENDED", "", file);
	last = json_object_get(scene->told[3], "Recording");
	assert_string_equal(text(last, "ParticipantType"), "ALL");
	assert_string_equal(text(last, "StartTimestamp"), "2026-03-04T07:58:30.125Z");
	assert_string_equal(text(last, "StopTimestamp"), "2026-03-04T07:58:33.125Z");
	assert_string_equal(text(scene->told[3], "EventTimestamp"), "2026-03-04T07:58:35.125Z");
	assert_string_equal(text(scene->told[1], "EventTimestamp"), "2026-03-04T07:58:31.125Z");
}

static void a_flow_and_secure_input_pause_it_as_well(void **state)
{
	join_agent();
	scene->call.takes_secret = true;
	follow(); /* no flow takes any: it has just ended */
	expect(1, "RECORDING_PAUSED", "SECURE_INPUT", "/rec/" SEGMENT ".wav");
	seconds_pass(2);
	expect(2, "RECORDING_RESUMED", "", "/rec/" SEGMENT ".wav");
	scene->contact->data.recording.agent = scene->contact->data.recording.customer = false;
	follow();
	expect(3, "RECORDING_PAUSED", "FLOW", "/rec/" SEGMENT ".wav");
	/* paused for one more reason, it goes on when the last of them is gone */
	scene->call.recording_suspended = true;
	scene->contact->data.recording.customer = true;
	follow();
	assert_int_equal(scene->n, 4);
	recording_stop(scene->contact, timers_now(&scene->timers));
	file_closed(0);
	assert_int_equal(scene->n, 5);
}

static void a_file_that_is_not_whole_is_told_without_a_link(void **state)
{
	join_agent();
	recording_stop(scene->contact, timers_now(&scene->timers));
	file_closed(-ENOSPC);
	assert_int_equal(scene->n, 2);
	expect(1, "RECORDING_FAILED", "No space left on device", "");
	assert_true(scene->puts > 0);
}

static void what_cannot_be_begun_is_told_once(void **state)
{
	scene->file_error = -ENOMEM;
	join_agent();
	follow();
	assert_int_equal(scene->n, 1);
	expect(0, "RECORDING_FAILED", "Cannot allocate memory", "");
	scene->file_error = 0;
	scene->media_error = -ENOSPC;
	scene->contact->data.recording.agent = scene->contact->data.recording.customer = false;
	follow();
	scene->contact->data.recording.agent = true;
	follow();
	follow();
	assert_int_equal(scene->n, 2);
	expect(1, "RECORDING_FAILED", "No space left on device", "");
	scene->media_error = 0;
	follow();
	assert_int_equal(scene->n, 3);
	expect(2, "RECORDING_STARTED", "", "/rec/" SEGMENT ".wav");
	assert_string_equal(
		text(json_object_get(scene->told[2], "Recording"), "ParticipantType"), "AGENT");
	recording_stop(scene->contact, timers_now(&scene->timers));
	file_closed(0);
}

static void the_end_of_the_process_is_no_end_of_it(void **state)
{
	join_agent();
	recording_stop(scene->contact, timers_now(&scene->timers));
	file_closed(-ECANCELED);
	assert_int_equal(scene->n, 1);
	assert_int_equal(scene->puts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(start_pause_resume_and_end_are_told),
		T(a_flow_and_secure_input_pause_it_as_well),
		T(a_file_that_is_not_whole_is_told_without_a_link),
		T(what_cannot_be_begun_is_told_once),
		T(the_end_of_the_process_is_no_end_of_it),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
