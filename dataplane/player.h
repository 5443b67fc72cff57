/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The player of a port: a playlist that is staged, then started by a room_set, and a cursor.
 *
 *            stage                 start                 last frame of a list without loop
 *   EMPTY ----------> (staged) ------------> RUNNING ------------------------> ENDED
 *                                  ^            |  stop, or the port closes
 *                                  +-- start ---+--------------------------> ENDED (not announced)
 *
 * A staged list and a running one each count as users of their clips. Owned by the port's worker.
 */
#ifndef DATAPLANE_PLAYER_H
#define DATAPLANE_PLAYER_H

#include "clip.h"

struct player_list {
	uint32_t generation; /* 0: none */
	uint8_t clips;
	uint8_t loop;
	struct clip *clip[CORD_PLAYLIST_MAX];
};

struct player {
	uint32_t frame; /* next frame of the present clip */
	uint8_t at;     /* present clip */
	bool running;
	struct player_list list; /* running, or the last one that ran (without its clips) */
	struct player_list staged;
};

/* Stages a list whose clips have all been found; it takes over their use. */
void player_stage(struct player *p, const struct player_list *list);

/* Starts the staged list at a frame of a clip, out of range at the first of the first. The caller has
 * checked its generation. */
void player_start(struct player *p, uint8_t clip, uint32_t frame);

/* Stops; nothing happens when it is not running. */
void player_stop(struct player *p);

/* Stops and forgets what is staged. */
void player_close(struct player *p);

/* Moves past the present frame. True: that was the last one of a list without loop. */
bool player_advance(struct player *p);

/* The clip that is playing; frame player->frame of it comes next. Only while running. */
static inline const struct clip *player_clip(const struct player *p)
{
	return p->list.clip[p->at];
}

#endif
