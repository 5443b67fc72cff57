/* SPDX-License-Identifier: Apache-2.0 */
#include "clip.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SEALS_NEEDED (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* Marks a place in the table whose clip was taken out, so that probing goes on. */
static struct clip removed_mark;

static uint32_t clip_hash(cord_clip_id id)
{
	return (uint32_t)((id * 0x9e3779b97f4a7c15ull) >> 40) % CLIP_TABLE;
}

struct clip *clip_find(const struct clips *clips, cord_clip_id id)
{
	uint32_t start = clip_hash(id);

	for (uint32_t i = 0; i < CLIP_TABLE; i++) {
		struct clip *c = atomic_load_explicit(
			&clips->table[(start + i) % CLIP_TABLE], memory_order_acquire);

		if (c == NULL)
			return NULL;
		if (c != &removed_mark && c->id == id)
			return c;
	}
	return NULL;
}

static void clip_unmap(struct clip *c)
{
	for (uint32_t f = 0; f < CORD_CLIP_FORMAT_COUNT; f++) {
		if (c->mapped[f])
			munmap(c->mapped[f], c->bytes[f]);
	}
	free(c);
}

static void table_put(struct clips *clips, struct clip *c)
{
	uint32_t i = clip_hash(c->id);

	for (;; i = (i + 1) % CLIP_TABLE) {
		struct clip *old = atomic_load_explicit(&clips->table[i], memory_order_relaxed);

		if (old == NULL || old == &removed_mark)
			break;
	}
	atomic_store_explicit(&clips->table[i], c, memory_order_release);
	clips->count++;
}

static void table_take(struct clips *clips, const struct clip *c)
{
	uint32_t i = clip_hash(c->id);

	while (atomic_load_explicit(&clips->table[i], memory_order_relaxed) != c)
		i = (i + 1) % CLIP_TABLE;
	atomic_store_explicit(&clips->table[i], &removed_mark, memory_order_release);
	clips->count--;
	/* Marks in front of a free place lead nowhere: free them too, so that they do not pile up.
	 */
	if (atomic_load_explicit(&clips->table[(i + 1) % CLIP_TABLE], memory_order_relaxed))
		return;
	while (atomic_load_explicit(&clips->table[i], memory_order_relaxed) == &removed_mark) {
		atomic_store_explicit(&clips->table[i], NULL, memory_order_release);
		i = (i + CLIP_TABLE - 1) % CLIP_TABLE;
	}
}

static void clip_take_out(struct clips *clips, struct clip *c)
{
	table_take(clips, c);
	/* Passes that are read from here on are later than the clip's last place in the table. */
	atomic_thread_fence(memory_order_seq_cst);
	c->grace.noted = false;
	c->next = clips->leaving;
	clips->leaving = c;
}

/* Makes room by taking out a clip that nobody plays and that an earlier control left behind. */
static bool evict(struct clips *clips, uint64_t lease)
{
	for (uint32_t i = 0; i < CLIP_TABLE; i++) {
		struct clip *c = atomic_load_explicit(&clips->table[i], memory_order_relaxed);

		if (c == NULL || c == &removed_mark || c->lease == lease)
			continue;
		if (atomic_load_explicit(&c->users, memory_order_acquire) != 0)
			continue;
		clip_take_out(clips, c);
		return true;
	}
	return false;
}

static enum cord_attach_result map_and_check(int fd, uint64_t bytes, cord_clip_id id,
	uint32_t format, void **mapped, struct cord_clip_header *header)
{
	const char *wrong;
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS_NEEDED) != SEALS_NEEDED)
		return CORD_ATTACH_RESULT_NOT_SEALED;
	if (fstat(fd, &st) < 0 || bytes == 0 || bytes > CORD_CLIP_BYTES_MAX ||
		(uint64_t)st.st_size != bytes)
		return CORD_ATTACH_RESULT_BAD_CLIP;
	*mapped = mmap(NULL, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (*mapped == MAP_FAILED)
		return CORD_ATTACH_RESULT_BAD_CLIP;
	enum cord_attach_result result = CORD_ATTACH_RESULT_OK;

	if (cord_clip_check(*mapped, bytes, header, &wrong) || header->format != format)
		result = CORD_ATTACH_RESULT_BAD_CLIP;
	else if (header->id != id)
		result = CORD_ATTACH_RESULT_CLIP_ID;
	if (result != CORD_ATTACH_RESULT_OK)
		munmap(*mapped, bytes);
	return result;
}

static void clip_set_format(struct clip *c, uint32_t format, void *mapped, size_t bytes)
{
	c->mapped[format] = mapped;
	c->bytes[format] = bytes;
	atomic_store_explicit(&c->payload[format],
		(const uint8_t *)mapped + cord_clip_payload_offset(c->frames),
		memory_order_release);
}

enum cord_attach_result clip_add(struct clips *clips, int fd, uint64_t bytes, cord_clip_id id,
	uint32_t format, uint64_t lease)
{
	struct cord_clip_header header;
	struct clip *c = id ? clip_find(clips, id) : NULL;
	void *mapped;

	if (format >= CORD_CLIP_FORMAT_COUNT || id == 0)
		return CORD_ATTACH_RESULT_BAD_CLIP;
	enum cord_attach_result result = map_and_check(fd, bytes, id, format, &mapped, &header);

	if (result != CORD_ATTACH_RESULT_OK)
		return result;
	if (c && (header.frames != c->frames || c->mapped[format])) {
		bool same = header.frames == c->frames;

		munmap(mapped, bytes);
		if (same)
			c->lease = lease;
		return same ? CORD_ATTACH_RESULT_OK : CORD_ATTACH_RESULT_BAD_CLIP;
	}
	if (c == NULL) {
		bool space = clips->count < CORD_CLIPS_MAX || evict(clips, lease);

		c = space ? calloc(1, sizeof(*c)) : NULL;
		if (c == NULL) {
			munmap(mapped, bytes);
			return CORD_ATTACH_RESULT_CLIP_TABLE_FULL;
		}
		c->id = id;
		c->frames = header.frames;
		clip_set_format(c, format, mapped, bytes);
		table_put(clips, c);
	} else {
		clip_set_format(c, format, mapped, bytes);
	}
	c->lease = lease;
	return CORD_ATTACH_RESULT_OK;
}

enum cord_attach_result clip_remove(struct clips *clips, cord_clip_id id)
{
	struct clip *c = clip_find(clips, id);

	if (c == NULL)
		return CORD_ATTACH_RESULT_CLIP_UNKNOWN;
	c->announce = true;
	clip_take_out(clips, c);
	return CORD_ATTACH_RESULT_OK;
}

cord_clip_id clip_reap(struct clips *clips, const uint64_t *passes, uint32_t workers)
{
	for (struct clip **at = &clips->leaving; *at; at = &(*at)->next) {
		struct clip *c = *at;

		if (!grace_over(&c->grace, passes, workers) ||
			atomic_load_explicit(&c->users, memory_order_acquire) != 0)
			continue;
		cord_clip_id id = c->announce ? c->id : 0;

		*at = c->next;
		clip_unmap(c);
		return id;
	}
	return 0;
}

void clips_destroy(struct clips *clips)
{
	for (uint32_t i = 0; i < CLIP_TABLE; i++) {
		struct clip *c = atomic_load_explicit(&clips->table[i], memory_order_relaxed);

		if (c && c != &removed_mark)
			clip_unmap(c);
		atomic_store_explicit(&clips->table[i], NULL, memory_order_relaxed);
	}
	while (clips->leaving) {
		struct clip *c = clips->leaving;

		clips->leaving = c->next;
		clip_unmap(c);
	}
	clips->count = 0;
}
