/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clips: sealed memory from control, checked once, read by every worker.
 *
 *               CLIP_ADD, checked              CLIP_REMOVE          last user left and every
 *   (unknown) --------------------> READY ---------------> LEAVING  worker has passed: unmapped
 *
 * The main lcore alone adds, removes and unmaps. A worker finds a clip by its id when a playlist
 * names it, and counts itself as a user; both happen within one pass of its loop. The main lcore
 * takes a clip out of the table first, then looks at the workers' passes, waits until every one has
 * begun another, and only then believes that the number of users cannot rise: no lock on either
 * side.
 */
#ifndef DATAPLANE_CLIP_H
#define DATAPLANE_CLIP_H

#include "grace.h"

#include <cordboard/clip.h>
#include <cordboard/segment.h>

#include <stdatomic.h>

struct clip {
	cord_clip_id id;
	uint32_t frames;
	/* payload of each format, NULL: not there (yet); written by the main lcore */
	const uint8_t *_Atomic payload[CORD_CLIP_FORMAT_COUNT];
	/* playlists that name it, staged or playing; any worker */
	_Atomic uint32_t users;
	/* main lcore alone */
	void *mapped[CORD_CLIP_FORMAT_COUNT];
	size_t bytes[CORD_CLIP_FORMAT_COUNT];
	uint64_t lease;     /* the control that wants it */
	struct grace grace; /* since it left the table */
	bool announce;      /* control asked for the removal and is told */
	struct clip *next;  /* among those that are leaving */
};

#define CLIP_TABLE (2u * CORD_CLIPS_MAX)

struct clips {
	struct clip *_Atomic table[CLIP_TABLE]; /* written by the main lcore */
	struct clip *leaving;                   /* main lcore alone, as all below */
	uint32_t count;
};

/*
 * Takes a clip's memory of `bytes` bytes: checks seals, maps, checks header and every frame. An id
 * and format that is known already is done at once. `lease` says who wants it: when the table is
 * full, clips without users that an earlier lease left behind make room. Never closes fd. Main
 * lcore.
 */
enum cord_attach_result clip_add(struct clips *clips, int fd, uint64_t bytes, cord_clip_id id,
	uint32_t format, uint64_t lease);

/*
 * Takes a clip out of the table. CORD_ATTACH_RESULT_OK, or CORD_ATTACH_RESULT_CLIP_UNKNOWN. Main
 * lcore.
 */
enum cord_attach_result clip_remove(struct clips *clips, cord_clip_id id);

/*
 * Unmaps one clip that left and has no user any more, if there is one. Its id if control asked for
 * the removal, else 0. passes: of each worker, read just now; the first call after a clip left only
 * notes them. Main lcore.
 */
cord_clip_id clip_reap(struct clips *clips, const uint64_t *passes, uint32_t workers);

/* Unmaps all. No worker may run. */
void clips_destroy(struct clips *clips);

/* A ready clip, or NULL. Any worker. */
struct clip *clip_find(const struct clips *clips, cord_clip_id id);

static inline void clip_use(struct clip *clip)
{
	atomic_fetch_add_explicit(&clip->users, 1, memory_order_acq_rel);
}

static inline void clip_leave(struct clip *clip)
{
	atomic_fetch_sub_explicit(&clip->users, 1, memory_order_acq_rel);
}

/*
 * A stored frame in a format and its size, or NULL when the clip has none in it. frame <
 * clip->frames.
 */
static inline const uint8_t *clip_frame(
	const struct clip *clip, enum cord_clip_format format, uint32_t frame, uint32_t *bytes)
{
	const uint8_t *payload = atomic_load_explicit(&clip->payload[format], memory_order_acquire);
	uint32_t fixed = cord_clip_frame_bytes(format);

	if (payload == NULL)
		return NULL;
	if (fixed) {
		*bytes = fixed;
		return payload + (size_t)frame * fixed;
	}
	/* The table lies before the payload, and nobody can write to it any more. */
	const uint8_t *table =
		payload - cord_clip_payload_offset(clip->frames) + sizeof(struct cord_clip_header);
	uint32_t begin = 0, end;

	if (frame)
		memcpy(&begin, table + (size_t)(frame - 1) * sizeof(begin), sizeof(begin));
	memcpy(&end, table + (size_t)frame * sizeof(end), sizeof(end));
	*bytes = end - begin;
	return payload + begin;
}

#endif
