/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dataplane as the switchboard sees it: rooms, legs, players that end later. It checks on every
 * change of a room that nobody hears what is not for them (invariant 5: the media graph is a function
 * of the call's state).
 */
#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "world.h"

enum { ROOMS = 10000 };

struct media_leg {
	uint64_t id;
	struct media_room *room;
	struct leg *leg;
	bool playing;
	uint64_t token;
	uint32_t plays; /* a play that was replaced does not end */
};

struct media_room {
	uint64_t id;
	unsigned legs;
	unsigned n;
	struct media_leg *member[MEDIA_MEMBERS_MAX];
	uint16_t hears[MEDIA_MEMBERS_MAX];
};

static struct pool rooms, legs;
static struct media_callbacks callbacks;
static char clip_stands_for[1];
static bool away;

void media_open(void)
{
	CHECK(pool_init(&rooms, sizeof(struct media_room), ROOMS) == 0);
	CHECK(pool_init(&legs, sizeof(struct media_leg), 2 * ROOMS) == 0);
	callbacks = board_media_callbacks(&sim.board);
	away = false;
}

unsigned media_left(void)
{
	return pool_used(&rooms) + pool_used(&legs);
}

void media_close(void)
{
	pool_clear(&rooms);
	pool_clear(&legs);
}

static void touch(const struct media_leg *m)
{
	rules_touch(m->leg->contact);
	sim.count[COUNT_MEDIA]++;
}

void media_key(const struct leg *leg, char digit)
{
	touch(leg->media);
	callbacks.key(callbacks.ctx, leg->media->leg, digit, sim.now_ns);
}

/* ---- players ---- */

static void play_ends(uint64_t id, uint64_t play)
{
	struct media_leg *m = pool_get(&legs, id);

	if (!m || !m->playing || m->plays != play)
		return;
	if (away) {
		sim_at(100 * MS + sim_while(S), play_ends, id, play);
		return;
	}
	m->playing = false;
	touch(m);
	if (sim_percent(1))
		callbacks.play_failed(callbacks.ctx, m->leg, m->token, "simulated");
	else
		callbacks.play_ended(callbacks.ctx, m->leg, m->token);
}

static void play(struct media_leg *m, const struct media_member *member)
{
	if (member->player == MEDIA_PLAYER_KEEP)
		return;
	m->plays++;
	m->playing = member->player == MEDIA_PLAYER_START;
	if (!m->playing)
		return;
	CHECK(member->play.list && member->play.list->n > 0);
	m->token = member->play.token;
	if (!member->play.loop)
		sim_at(100 * MS + sim_while(3 * S) + sim_while(sim.profile.late_ms * MS), play_ends,
			m->id, m->plays);
}

/* ---- who hears whom ---- */

static bool is_held(const struct leg *leg)
{
	return leg->call->talking && leg->party != CONFERENCE_NOBODY &&
	       leg->call->conference.party[leg->party].state == PARTY_HELD;
}

/* Whether the two may hear each other at all, told apart from the code that decides it. */
static const char *wrong_to_hear(const struct leg *listener, const struct leg *talker)
{
	const struct contact *contact = listener->contact;
	const struct call *call = listener->call;

	if (listener == talker)
		return NULL;
	if (listener->call != talker->call)
		return "legs of two calls";
	if (is_held(listener) || is_held(talker))
		return "one of them is on hold";
	if (!call->talking) {
		bool dialled = contact->state == CONTACT_DIALLING && talker->role == LEG_CUSTOMER;
		bool outside = contact->state == CONTACT_BRIDGED || third_party_is_heard(contact);

		return dialled || outside ? NULL : "before the first agent is joined";
	}
	if (talker->role == LEG_SUPERVISOR &&
		call->conference.party[talker->party].watch == PARTY_MONITORS)
		return "the talker is a silent monitor";
	/* a phone that dialled may talk before its ACK is here */
	if (!talker->up && talker->role != LEG_AGENT && !call->early)
		return "the talker is not there yet";
	if (talker->role == LEG_AGENT && talker->contact->state < CONTACT_TALKING)
		return "the talker is in a whisper";
	if (listener->role == LEG_AGENT && listener->contact->state < CONTACT_TALKING)
		return "the listener is in a whisper";
	if (talker->role == LEG_SUPERVISOR && listener->role != LEG_AGENT &&
		call->conference.party[talker->party].watch == PARTY_COACHES)
		return "a coach is for the agent alone";
	return NULL;
}

static void check_room(const struct media_room *room)
{
	for (unsigned i = 0; i < room->n; i++)
		for (unsigned j = 0; j < room->n; j++) {
			const struct leg *listener = room->member[i]->leg,
					 *talker = room->member[j]->leg;
			const char *why =
				room->hears[i] >> j & 1 ? wrong_to_hear(listener, talker) : NULL;

			if (why)
				sim_wrong("%s hears %s: %s", leg_role_name(listener->role),
					leg_role_name(talker->role), why);
		}
}

static unsigned place_of(const struct media_room *room, const struct leg *leg)
{
	unsigned i = 0;

	while (i < room->n && room->member[i]->leg != leg)
		i++;
	return i;
}

/* A leg that is not up need not have been put into the room yet. */
void media_check(struct call *call)
{
	const struct media_room before = *call->room;

	hearing_apply(call);
	for (unsigned i = 0; i < call->n_legs; i++) {
		unsigned a = place_of(&before, call->legs[i]),
			 now_a = place_of(call->room, call->legs[i]);

		if (!call->legs[i]->up)
			continue;
		if (a == before.n)
			sim_wrong("a leg that is up is not in the room");
		for (unsigned j = 0; j < call->n_legs; j++) {
			unsigned b = place_of(&before, call->legs[j]);
			unsigned now_b = place_of(call->room, call->legs[j]);

			if (call->legs[j]->up && b < before.n &&
				(before.hears[a] >> b & 1) !=
					(call->room->hears[now_a] >> now_b & 1))
				sim_wrong("the room was not told of the last change: %s hears %s, "
					  "%s (%s)",
					leg_role_name(call->legs[i]->role),
					leg_role_name(call->legs[j]->role),
					before.hears[a] >> b & 1 ? "and should not" : "or should",
					contact_state_name(call->legs[i]->contact->state));
		}
	}
}

/* ---- the functions of media.h ---- */

enum media_state __wrap_media_state(const struct media *media);
struct clips *__wrap_media_clips(struct media *media);
uint32_t __wrap_media_rooms(const struct media *media);
bool __wrap_media_has_time(const struct media *media);
int __wrap_media_room_create(
	struct media *media, const struct media_room *beside, struct media_room **out);
void __wrap_media_room_destroy(struct media_room *room);
int __wrap_media_leg_open(struct media_room *room, const struct cord_terms *remote, void *leg_ctx,
	struct media_leg **out);
int __wrap_media_leg_update(struct media_leg *leg, const struct cord_terms *remote);
void __wrap_media_leg_close(struct media_leg *leg);
int __wrap_media_leg_face(struct media_leg *leg, enum cord_family family);
struct address __wrap_media_leg_local(const struct media_leg *leg);
bool __wrap_media_leg_stats(const struct media_leg *leg, struct media_leg_stats *out);
int __wrap_media_leg_send_digits(struct media_leg *leg, const char *digits, size_t n,
	unsigned duration_ms, unsigned gap_ms, unsigned pause_ms);
int __wrap_media_room_apply(struct media_room *room, const struct media_room_state *state);

enum media_state __wrap_media_state(const struct media *media)
{
	return away ? MEDIA_DOWN : MEDIA_UP;
}

struct clips *__wrap_media_clips(struct media *media)
{
	return NULL;
}

uint32_t __wrap_media_rooms(const struct media *media)
{
	return ROOMS;
}

/* For ten seconds of each four minutes there is none. */
bool __wrap_media_has_time(const struct media *media)
{
	return sim.now_ns / (10 * CLOCK_S) % 24 != 7;
}

int __wrap_media_room_create(
	struct media *media, const struct media_room *beside, struct media_room **out)
{
	uint64_t id;

	if (sim_percent(1) && sim_percent(10))
		return -ENOSPC;
	*out = pool_alloc(&rooms, &id);
	CHECK(*out);
	(*out)->id = id;
	return 0;
}

void __wrap_media_room_destroy(struct media_room *room)
{
	if (!room)
		return;
	if (room->legs)
		sim_wrong("a room is removed with %u legs in it", room->legs);
	pool_free(&rooms, room);
}

static void comes_back(uint64_t restarted, uint64_t argument)
{
	sim_note("the dataplane is back");
	away = false;
	callbacks.up(callbacks.ctx, restarted);
}

void media_goes(uint64_t unused, uint64_t argument)
{
	if (away || sim.ending)
		return;
	sim_note("the dataplane is gone");
	away = true;
	callbacks.down(callbacks.ctx, "simulated");
	sim_at(sim_while(20 * S), comes_back, sim_percent(50), 0);
	sim_at(sim_while(600 * S), media_goes, 0, 0);
}

static void leg_fails(uint64_t id, uint64_t argument)
{
	struct media_leg *m = pool_get(&legs, id);

	if (!m)
		return;
	touch(m);
	sim_note("the %s's media fails", leg_role_name(m->leg->role));
	callbacks.leg_failed(callbacks.ctx, m->leg, "simulated");
}

int __wrap_media_leg_open(struct media_room *room, const struct cord_terms *remote, void *leg_ctx,
	struct media_leg **out)
{
	uint64_t id;

	if (sim_percent(1) && sim_percent(20))
		return -ENOSPC;
	*out = pool_alloc(&legs, &id);
	CHECK(*out);
	**out = (struct media_leg){.id = id, .room = room, .leg = leg_ctx};
	room->legs++;
	if (sim_percent(1) && sim_percent(30))
		sim_at(sim_while(60 * S), leg_fails, id, 0);
	return 0;
}

int __wrap_media_leg_update(struct media_leg *leg, const struct cord_terms *remote)
{
	return 0;
}

void __wrap_media_leg_close(struct media_leg *m)
{
	struct media_room *room = m->room;

	for (unsigned i = 0; i < room->n; i++)
		if (room->member[i] == m) { /* the rest hears on until it is told */
			for (unsigned j = i; j + 1 < room->n; j++) {
				room->member[j] = room->member[j + 1];
				room->hears[j] = room->hears[j + 1];
			}
			room->n--;
			for (unsigned j = 0; j < room->n; j++)
				room->hears[j] = (uint16_t)((room->hears[j] & ((1u << i) - 1)) |
							    (room->hears[j] >> (i + 1) << i));
			break;
		}
	room->legs--;
	pool_free(&legs, m);
}

/* All is IPv4 here. */
int __wrap_media_leg_face(struct media_leg *leg, enum cord_family family)
{
	return family == CORD_FAMILY_IPV4 ? 0 : -EAFNOSUPPORT;
}

struct address __wrap_media_leg_local(const struct media_leg *leg)
{
	return address_ipv4(0x0a090001, (uint16_t)(20000 + 2 * pool_id_slot(leg->id)));
}

bool __wrap_media_leg_stats(const struct media_leg *leg, struct media_leg_stats *out)
{
	*out = (struct media_leg_stats){.open = true, .playing = leg->playing};
	return true;
}

static void digits_are_out(uint64_t id, uint64_t argument)
{
	struct media_leg *m = pool_get(&legs, id);

	if (!m)
		return;
	touch(m);
	callbacks.digits_sent(callbacks.ctx, m->leg, 0);
}

int __wrap_media_leg_send_digits(struct media_leg *leg, const char *digits, size_t n,
	unsigned duration_ms, unsigned gap_ms, unsigned pause_ms)
{
	sim_at(sim_while(3 * S), digits_are_out, leg->id, 0);
	return 0;
}

int __wrap_media_room_apply(struct media_room *room, const struct media_room_state *state)
{
	CHECK(state->n_members <= MEDIA_MEMBERS_MAX);
	memset(room->hears, 0, sizeof(room->hears));
	room->n = state->n_members;
	for (unsigned i = 0; i < state->n_members; i++) {
		room->member[i] = state->members[i].leg;
		room->hears[i] = state->members[i].hears;
		CHECK(room->member[i]->room == room);
		play(room->member[i], &state->members[i]);
	}
	check_room(room);
	return 0;
}

/* ---- and of clips ---- */

int __wrap_instance_prompt_clip(const struct instance *instance, struct clips *clips,
	const struct resource_prompt *prompt, const char *voice, char wrong[CLIPS_REASON_SIZE],
	struct clip **clip);
int __wrap_clips_source(
	struct clips *clips, struct str source, char wrong[CLIPS_REASON_SIZE], struct clip **clip);
struct clip *__wrap_clip_hold(struct clip *clip);
void __wrap_clip_release(struct clip *clip);
uint32_t __wrap_clip_frames(const struct clip *clip);

int __wrap_instance_prompt_clip(const struct instance *instance, struct clips *clips,
	const struct resource_prompt *prompt, const char *voice, char wrong[CLIPS_REASON_SIZE],
	struct clip **clip)
{
	*clip = (struct clip *)clip_stands_for;
	return 0;
}

int __wrap_clips_source(
	struct clips *clips, struct str source, char wrong[CLIPS_REASON_SIZE], struct clip **clip)
{
	*clip = (struct clip *)clip_stands_for;
	return 0;
}

struct clip *__wrap_clip_hold(struct clip *clip)
{
	return clip;
}

void __wrap_clip_release(struct clip *clip)
{
}

uint32_t __wrap_clip_frames(const struct clip *clip)
{
	return 100;
}
