/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who hears whom, as a function of the contact's state and of nothing else (R68): a party hears its
 * own player always, another party while they talk.
 */
#include "base/check.h"
#include "contact/switchboard.h"

static bool hears(
	const struct contact *contact, const struct leg *listener, const struct leg *talker)
{
	bool outside = listener->role == LEG_THIRD_PARTY || talker->role == LEG_THIRD_PARTY;

	if (listener == talker)
		return true;
	if (outside)
		return contact->state == CONTACT_BRIDGED ||
		       (talker->role == LEG_THIRD_PARTY && third_party_is_heard(contact));
	/* early media of a destination that is dialled for an agent */
	return contact->state == CONTACT_TALKING ||
	       (contact->state == CONTACT_DIALLING && talker->role == LEG_CUSTOMER);
}

/* The customer may walk through an automatic menu of the outside number. */
static bool gets_keys(
	const struct contact *contact, const struct leg *listener, const struct leg *talker)
{
	return contact->state == CONTACT_BRIDGED && listener->role == LEG_THIRD_PARTY &&
	       talker->role == LEG_CUSTOMER;
}

/*
 * Takes the leg's wish: it is put into the room once. What an outbound whisper says before the
 * destination has answered waits for the answer (R56).
 */
static void take_player(struct leg *leg, struct media_member *member)
{
	struct treatment *t = &leg->treatment;

	if (!leg->up)
		return;
	member->player = t->player;
	if (t->player == MEDIA_PLAYER_START)
		member->play = (struct media_play){.clips = t->clips,
			.n = t->n_clips,
			.loop = t->loop,
			.token = treatment_token(t)};
	t->player = MEDIA_PLAYER_KEEP;
}

void hearing_apply(struct contact *contact)
{
	struct leg *const legs[] = {contact->customer, contact->agent, contact->third.leg};
	struct leg *present[MEDIA_MEMBERS_MAX];
	struct media_member members[MEDIA_MEMBERS_MAX] = {0};
	unsigned n = 0;

	if (!contact->room)
		return;
	for (size_t i = 0; i < sizeof(legs) / sizeof(legs[0]); i++)
		if (legs[i] && legs[i]->media)
			present[n++] = legs[i];
	for (unsigned i = 0; i < n; i++) {
		members[i].leg = present[i]->media;
		for (unsigned j = 0; j < n; j++) {
			if (hears(contact, present[i], present[j]))
				members[i].hears |= (uint16_t)(1u << j);
			if (gets_keys(contact, present[j], present[i]))
				members[i].digits_to |= (uint16_t)(1u << j);
		}
		take_player(present[i], &members[i]);
	}
	CHECK(media_room_apply(contact->room,
		      &(struct media_room_state){.members = members, .n_members = n}) == 0);
}
