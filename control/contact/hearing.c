/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who hears whom, as a function of the state of call and contact and of nothing else (R68): a party
 * hears its own player, another party while they talk.
 */
#include "base/check.h"
#include "contact/call.h"
#include "contact/switchboard.h"

/* Before the first agent is joined, and when none is left: by the state of the contact. */
static bool hears_before(const struct leg *listener, const struct leg *talker)
{
	const struct contact *contact = talker->contact;
	bool outside = listener->role == LEG_THIRD_PARTY || talker->role == LEG_THIRD_PARTY;

	if (listener == talker)
		return true;
	if (outside)
		return contact->state == CONTACT_BRIDGED ||
		       (talker->role == LEG_THIRD_PARTY && third_party_is_heard(contact));
	/* early media of a destination that is dialled for an agent */
	return contact->state == CONTACT_DIALLING && talker->role == LEG_CUSTOMER;
}

/* What an outside number plays before it answers is heard by who has called it. */
static bool is_early(const struct call *call, const struct leg *listener, const struct leg *talker)
{
	const struct conference *c = &call->conference;

	return call->early && talker->role == LEG_THIRD_PARTY &&
	       talker->party == conference_pending(c) &&
	       listener->party == c->party[talker->party].source;
}

static bool hears(const struct call *call, const struct leg *listener, const struct leg *talker)
{
	if (!call->talking)
		return hears_before(listener, talker);
	return conference_hears(&call->conference, listener->party, talker->party) ||
	       is_early(call, listener, talker);
}

/* An outside number may be an automatic menu, to be walked through. */
static bool gets_keys(const struct call *call, const struct leg *to, const struct leg *from)
{
	if (call->talking)
		return conference_gets_keys(&call->conference, to->party, from->party);
	return to->contact->state == CONTACT_BRIDGED && to->role == LEG_THIRD_PARTY &&
	       from->role == LEG_CUSTOMER;
}

/*
 * Takes the leg's wish: it is put into the room once. What an outbound whisper says before the
 * destination has answered waits for the answer (R56).
 */
static void take_player(struct leg *leg, struct media_member *member)
{
	struct treatment *t = leg->treatment;

	if (!leg->up)
		return;
	member->player = t->player;
	if (t->player == MEDIA_PLAYER_START)
		member->play = (struct media_play){.list = t->clips,
			.loop = t->loop,
			.first_clip = t->first_clip,
			.first_frame = t->first_frame,
			.token = treatment_token(t)};
	t->player = MEDIA_PLAYER_KEEP;
}

void hearing_apply(struct call *call)
{
	struct media_member members[MEDIA_MEMBERS_MAX] = {0};
	struct media_tap_masks taps[MEDIA_TAPS_MAX];

	if (call->changing) /* call_change() does it when all is done */
		return;
	recording_follow(call, board_now(call->board));
	for (unsigned i = 0; i < call->n_legs; i++) {
		struct leg *leg = call->legs[i];

		members[i].leg = leg->media;
		for (unsigned j = 0; j < call->n_legs; j++) {
			if (hears(call, leg, call->legs[j]))
				members[i].hears |= (uint16_t)(1u << j);
			if (gets_keys(call, call->legs[j], leg))
				members[i].digits_to |= (uint16_t)(1u << j);
		}
		take_player(leg, &members[i]);
	}
	CHECK(media_room_apply(call->room, &(struct media_room_state){.members = members,
						   .n_members = call->n_legs,
						   .taps = taps,
						   .n_taps = recording_masks(call, taps)}) == 0);
}
