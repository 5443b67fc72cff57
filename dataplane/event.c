/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"

#include <unistd.h>

bool event_room(struct worker *w)
{
	struct cord_ring_writer *e = &w->events;

	if (e->head - e->tail < CORD_RING_SLOTS)
		return true;
	e->tail = atomic_load_explicit(&e->ring->tail, memory_order_acquire);
	if (e->head - e->tail > CORD_RING_SLOTS) {
		atomic_store(&w->rings, WORKER_RINGS_FAULT);
		return false;
	}
	return e->head - e->tail < CORD_RING_SLOTS;
}

static void event_write(struct worker *w, struct cord_message *m, enum cord_message_type type)
{
	m->type = type;
	m->size = cord_message_body_size(type);
	m->time = w->now_ns;
	if (atomic_load_explicit(&w->rings, memory_order_relaxed) != WORKER_RINGS_OPEN) {
		worker_count(w, CORD_COUNTER_events_lost, 1);
		return;
	}
	switch (cord_ring_write(&w->events, m)) {
	case CORD_RING_OK:
		worker_count(w, CORD_COUNTER_events, 1);
		w->unsaid = true;
		return;
	case CORD_RING_FAULT:
		atomic_store(&w->rings, WORKER_RINGS_FAULT);
		break;
	default:
		break;
	}
	worker_count(w, CORD_COUNTER_events_lost, 1);
}

void event_done(struct worker *w, const struct cord_message *command, enum cord_refusal refusal)
{
	struct cord_message m = {
		.correlation = command->correlation,
		.event_done = {.command = command->type, .refusal = refusal},
	};

	worker_count(w,
		refusal == CORD_REFUSAL_NONE ? CORD_COUNTER_commands
					     : CORD_COUNTER_commands_refused,
		1);
	event_write(w, &m, CORD_EVENT_DONE);
}

void event_media_first(struct worker *w, cord_id port)
{
	struct cord_message m = {.event_media_first = {.port = port}};

	event_write(w, &m, CORD_EVENT_MEDIA_FIRST);
}

void event_media_lost(struct worker *w, cord_id port)
{
	struct cord_message m = {.event_media_lost = {.port = port}};

	event_write(w, &m, CORD_EVENT_MEDIA_LOST);
}

void event_media_back(struct worker *w, cord_id port)
{
	struct cord_message m = {.event_media_back = {.port = port}};

	event_write(w, &m, CORD_EVENT_MEDIA_BACK);
}

void event_media_learned(struct worker *w, cord_id port, const struct cord_address *address)
{
	struct cord_message m = {.event_media_learned = {.port = port, .address = *address}};

	event_write(w, &m, CORD_EVENT_MEDIA_LEARNED);
}

void event_digit(struct worker *w, cord_id port, uint32_t sequence, char digit)
{
	struct cord_message m = {
		.event_digit = {.port = port, .sequence = sequence, .digit = digit}};

	event_write(w, &m, CORD_EVENT_DIGIT);
}

void event_player_end(struct worker *w, cord_id port, uint32_t generation)
{
	struct cord_message m = {.event_player_end = {.port = port, .generation = generation}};

	event_write(w, &m, CORD_EVENT_PLAYER_END);
}

void event_digits_sent(struct worker *w, cord_id port)
{
	struct cord_message m = {.event_digits_sent = {.port = port}};

	event_write(w, &m, CORD_EVENT_DIGITS_SENT);
}

void event_wake(struct worker *w)
{
	if (!w->unsaid || w->now_ns - w->woke_at < WORKER_PHASE_NS)
		return;
	/* Pairs with control's store of the flag before it looks at the rings once more. */
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&w->dp->segment->control_sleeping, memory_order_relaxed)) {
		const uint64_t one = 1;

		if (write(w->dp->wake_fd, &one, sizeof(one)) < 0)
			return;
		w->woke_at = w->now_ns;
	}
	w->unsaid = false;
}
