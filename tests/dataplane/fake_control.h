/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control of the simplest kind, for tests: attaches, sends commands, waits for their answers.
 */
#ifndef FAKE_CONTROL_H
#define FAKE_CONTROL_H

#include <cordboard/segment.h>

struct fake_control {
	int socket;
	int wake;
	struct cord_segment *segment;
	size_t bytes;
	struct cord_worker *worker;
	struct cord_port_status *port_status;
	struct cord_room_status *room_status;
	struct cord_ring_writer commands[CORD_WORKERS_MAX];
	struct cord_ring_reader events[CORD_WORKERS_MAX];
	uint64_t correlation;
	/* called for every event but DONE; may be NULL */
	void (*on_event)(void *context, uint32_t worker, const struct cord_message *event);
	void *context;
};

/* CLOCK_MONOTONIC. */
cord_time fake_control_now(void);

/* Connects only. The socket, or a negative errno. */
int fake_control_connect(const char *path);

/* Sends one attach message with at most one descriptor (-1: none). */
int fake_control_send(int socket, struct cord_attach_message *m, int fd);

/* Waits for one attach message; fds[0..1] or -1. 0, -EPIPE at hang-up, -ETIME. */
int fake_control_receive(int socket, struct cord_attach_message *m, int fds[2], int timeout_ms);

/* Says hello and maps what comes. 0, a negative errno, or a positive enum cord_attach_result. */
int fake_control_attach(struct fake_control *c, const char *path);
void fake_control_detach(struct fake_control *c);

/* A heartbeat. Call it at least every second. */
void fake_control_beat(struct fake_control *c);

/* Writes a command. Its correlation, or 0: the ring is full. */
uint64_t fake_control_write(struct fake_control *c, uint32_t worker, struct cord_message *m,
	enum cord_message_type type);

/* Reads events; returns the refusal of `correlation` when its DONE was there, or -1. */
int fake_control_poll(struct fake_control *c, uint64_t correlation);

/* Writes a command and waits for its answer: enum cord_refusal, or -1 after 2 s. */
int fake_control_ask(struct fake_control *c, uint32_t worker, struct cord_message *m,
	enum cord_message_type type);

/* A sample of a clip's sound, by its place at a rate. */
typedef int16_t (*fake_control_sample)(void *context, uint32_t index, uint32_t rate_hz);

/* Makes a sealed clip of `frames` frames in a format, of silence without `sample`. Returns the memfd. */
int fake_control_clip(cord_clip_id id, uint32_t format, uint32_t frames, fake_control_sample sample,
	void *context, uint64_t *bytes);

/* Adds a clip over the socket and waits: enum cord_attach_result, or -1. */
int fake_control_clip_add(
	struct fake_control *c, int fd, uint64_t bytes, cord_clip_id id, uint32_t format);

/* Makes a sealed tap and maps it. Returns the memfd, or -1. */
int fake_control_tap(cord_id id, uint32_t rate_hz, struct cord_tap **tap);

/* Adds a tap over the socket and waits: enum cord_attach_result, or -1. */
int fake_control_tap_add(struct fake_control *c, int fd, uint64_t bytes, cord_id id);

#endif
