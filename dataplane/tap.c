/* SPDX-License-Identifier: Apache-2.0 */
#include "tap.h"

#include "listen.h"
#include "worker.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SEALS_NEEDED (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

struct tap *tap_find(const struct taps *taps, cord_id id)
{
	uint32_t slot = cord_id_slot(id);
	struct tap *t = slot < CORD_TAPS_MAX
				? atomic_load_explicit(&taps->at[slot], memory_order_acquire)
				: NULL;

	return t && t->id == id ? t : NULL;
}

bool tap_claim(struct tap *t, uint8_t worker, uint32_t room)
{
	uint8_t owner = TAP_OWNER_NONE;

	if (!atomic_compare_exchange_strong(&t->owner, &owner, worker) && owner != worker)
		return false;
	t->room = room;
	return true;
}

void tap_let_go(struct tap *t)
{
	atomic_store_explicit(&t->owner, TAP_OWNER_NONE, memory_order_release);
}

static enum cord_attach_result map_and_check(
	int fd, uint64_t bytes, cord_id id, void **mapped, struct cord_tap_header *header)
{
	const char *wrong;
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS_NEEDED) != SEALS_NEEDED)
		return CORD_ATTACH_RESULT_NOT_SEALED;
	if (fstat(fd, &st) < 0 || bytes == 0 || bytes > cord_tap_bytes(16000) ||
		(uint64_t)st.st_size != bytes)
		return CORD_ATTACH_RESULT_BAD_TAP;
	*mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (*mapped == MAP_FAILED)
		return CORD_ATTACH_RESULT_BAD_TAP;
	if (cord_tap_check(*mapped, bytes, header, &wrong) == 0 && header->id == id)
		return CORD_ATTACH_RESULT_OK;
	munmap(*mapped, bytes);
	return CORD_ATTACH_RESULT_BAD_TAP;
}

enum cord_attach_result tap_add(
	struct taps *taps, int fd, uint64_t bytes, cord_id id, uint64_t lease)
{
	struct cord_tap_header header;
	uint32_t slot = cord_id_slot(id);
	void *mapped;
	enum cord_attach_result result = map_and_check(fd, bytes, id, &mapped, &header);

	if (result != CORD_ATTACH_RESULT_OK)
		return result;
	bool taken = atomic_load_explicit(&taps->at[slot], memory_order_relaxed) != NULL;
	struct tap *t = taken ? NULL : calloc(1, sizeof(*t));

	if (t == NULL) {
		munmap(mapped, bytes);
		return CORD_ATTACH_RESULT_TAP_TAKEN;
	}
	t->id = id;
	t->owner = TAP_OWNER_NONE;
	t->mapped = mapped;
	t->bytes = bytes;
	t->lease = lease;
	cord_tap_writer_join(&t->writer, mapped, header.rate_hz);
	atomic_store_explicit(&taps->at[slot], t, memory_order_release);
	return CORD_ATTACH_RESULT_OK;
}

static void take_out(struct taps *taps, struct tap *t, bool announce)
{
	atomic_store_explicit(&taps->at[cord_id_slot(t->id)], NULL, memory_order_release);
	atomic_store_explicit(&t->leaving, true, memory_order_release);
	/* Passes that are read from here on are later than the tap's last place in the table. */
	atomic_thread_fence(memory_order_seq_cst);
	t->announce = announce;
	t->next = taps->leaving;
	taps->leaving = t;
}

enum cord_attach_result tap_remove(struct taps *taps, cord_id id)
{
	struct tap *t = tap_find(taps, id);

	if (t == NULL)
		return CORD_ATTACH_RESULT_TAP_UNKNOWN;
	take_out(taps, t, true);
	return CORD_ATTACH_RESULT_OK;
}

void taps_remove_lease(struct taps *taps, uint64_t lease)
{
	for (uint32_t i = 0; i < CORD_TAPS_MAX; i++) {
		struct tap *t = atomic_load_explicit(&taps->at[i], memory_order_relaxed);

		if (t && t->lease == lease)
			take_out(taps, t, false);
	}
	for (struct tap *t = taps->leaving; t; t = t->next)
		t->announce = false;
}

static void tap_unmap(struct tap *t)
{
	munmap(t->mapped, t->bytes);
	free(t);
}

cord_id tap_reap(struct taps *taps, const uint64_t *passes, uint32_t workers)
{
	for (struct tap **at = &taps->leaving; *at; at = &(*at)->next) {
		struct tap *t = *at;

		if (!grace_over(&t->grace, passes, workers) ||
			atomic_load_explicit(&t->owner, memory_order_acquire) != TAP_OWNER_NONE)
			continue;
		cord_id id = t->announce ? t->id : 0;

		*at = t->next;
		tap_unmap(t);
		return id;
	}
	return 0;
}

void taps_destroy(struct taps *taps)
{
	for (uint32_t i = 0; i < CORD_TAPS_MAX; i++) {
		struct tap *t = atomic_load_explicit(&taps->at[i], memory_order_relaxed);

		if (t)
			tap_unmap(t);
		atomic_store_explicit(&taps->at[i], NULL, memory_order_relaxed);
	}
	while (taps->leaving) {
		struct tap *t = taps->leaving;

		taps->leaving = t->next;
		tap_unmap(t);
	}
}

/* False: the tap has been taken away. */
static bool write_period(struct worker *w, const struct room *r, const struct room_tap *rt,
	uint32_t talking, uint64_t period)
{
	struct tap *t = rt->tap;

	if (atomic_load_explicit(&t->leaving, memory_order_relaxed))
		return false;
	/* Moved here from a room that was worked earlier in this period: it has been written. */
	if (t->period == period)
		return true;
	enum tick_rate rate = t->writer.rate_hz == 16000 ? TICK_WIDE : TICK_NARROW;
	struct cord_tap_frame *f = cord_tap_write_begin(&t->writer);

	t->period = period;
	if (f == NULL) {
		worker_count(w, CORD_COUNTER_frames_untapped, 1);
		return true;
	}
	f->period = period;
	listen_mix(w, r, rt->left & talking, 0, rate, f->pcm);
	listen_mix(w, r, rt->right & talking, rt->players, rate, f->pcm + TICK_SAMPLES(rate));
	cord_tap_write_end(&t->writer);
	worker_count(w, CORD_COUNTER_frames_tapped, 1);
	return true;
}

void tap_room(struct worker *w, struct room *r, uint32_t talking, uint64_t period)
{
	for (uint32_t i = r->taps; i-- > 0;) {
		if (!write_period(w, r, &r->tap[i], talking, period))
			room_tap_leave(r, i);
	}
}
