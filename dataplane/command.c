/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "event.h"

static enum cord_refusal command_room_set(
	struct worker *w, const struct cord_message *m, cord_time now_ns)
{
	struct worker_pending *pending = &w->pending;
	enum cord_refusal refusal =
		room_set_check(w, &m->room_set, pending->foreign, &pending->foreign_count);

	if (refusal != CORD_REFUSAL_NONE)
		return refusal;
	if (pending->foreign_count == 0) {
		room_set_apply(w, &m->room_set, now_ns);
		return CORD_REFUSAL_NONE;
	}
	pending->set = true;
	pending->message = *m;
	pending->asked = 0;
	pending->waiting = 0;
	return CORD_REFUSAL_NONE;
}

enum cord_refusal command_apply(struct worker *w, const struct cord_message *m, cord_time now_ns)
{
	if (m->type <= CORD_MESSAGE_NONE || m->type >= CORD_COMMAND_END)
		return CORD_REFUSAL_UNKNOWN_COMMAND;
	if (m->size != cord_message_body_size(m->type))
		return CORD_REFUSAL_BAD_SIZE;
	switch (m->type) {
	case CORD_COMMAND_PORT_OPEN:
		return port_open(w, &m->port_open, now_ns);
	case CORD_COMMAND_PORT_SET:
		return port_set(w, &m->port_set, now_ns);
	case CORD_COMMAND_PORT_CLOSE:
		return port_close(w, &m->port_close, now_ns);
	case CORD_COMMAND_PORT_PLAYLIST:
		return port_playlist(w, &m->port_playlist);
	case CORD_COMMAND_PORT_DIGITS:
		return port_digits(w, &m->port_digits);
	case CORD_COMMAND_ROOM_OPEN:
		return room_open(w, &m->room_open);
	case CORD_COMMAND_ROOM_SET:
		return command_room_set(w, m, now_ns);
	case CORD_COMMAND_ROOM_CLOSE:
		return room_close(w, &m->room_close);
	default:
		return CORD_REFUSAL_UNKNOWN_COMMAND;
	}
}

uint32_t command_step(struct worker *w, cord_time now_ns)
{
	struct cord_message m;
	uint32_t n = 0;

	while (n < WORKER_COMMAND_BURST && !w->pending.set && event_room(w)) {
		enum cord_ring_result result = cord_ring_read(&w->commands, &m);

		if (result == CORD_RING_FAULT)
			atomic_store(&w->rings, WORKER_RINGS_FAULT);
		if (result != CORD_RING_OK)
			break;
		enum cord_refusal refusal = command_apply(w, &m, now_ns);

		if (!w->pending.set)
			event_done(w, &m, refusal);
		if (cord_message_secret(m.type))
			explicit_bzero(&m, sizeof(m));
		n++;
	}
	return n;
}
