/* SPDX-License-Identifier: Apache-2.0 */
#include "player.h"

static void list_release(struct player_list *list)
{
	for (uint32_t i = 0; i < list->clips; i++)
		clip_leave(list->clip[i]);
	list->clips = 0;
}

void player_stage(struct player *p, const struct player_list *list)
{
	list_release(&p->staged);
	p->staged = *list;
}

void player_start(struct player *p, uint8_t clip, uint32_t frame)
{
	bool inside = clip < p->staged.clips && frame < p->staged.clip[clip]->frames;

	list_release(&p->list);
	p->list = p->staged;
	p->staged = (struct player_list){0};
	p->frame = inside ? frame : 0;
	p->at = inside ? clip : 0;
	p->running = true;
}

void player_stop(struct player *p)
{
	list_release(&p->list);
	p->running = false;
}

void player_close(struct player *p)
{
	player_stop(p);
	list_release(&p->staged);
	p->staged = (struct player_list){0};
}

bool player_advance(struct player *p)
{
	if (++p->frame < player_clip(p)->frames)
		return false;
	if (p->at + 1 < p->list.clips) {
		p->at++;
		p->frame = 0;
		return false;
	}
	if (p->list.loop) {
		p->at = 0;
		p->frame = 0;
		return false;
	}
	player_stop(p);
	return true;
}
