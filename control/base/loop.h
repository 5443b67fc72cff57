/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: one io_uring that owns all of control's I/O, on one thread.
 *
 *	                                          +---- after each 128 ----+
 *	                                          v                        |
 *	hooks: pass  ->  collect completions  ->  callbacks  ->  timers  --+->  tasks  ->  free closed
 *	      ^                                                                                |
 *	      +------------- submit, sleep until a completion or the next timer <--------------+
 *
 * Rules
 * - Everything here is called from the loop's own thread; loop_create() fixes it.
 * - Completions are collected first, callbacks run after; no function below calls back before it
 *   returns. Each *_close() takes effect at once: no callback of that handle runs any more (also
 *   not the one already collected), and its memory goes later, so closing inside any callback is
 *   safe.
 * - A closed handle must not be used again. Closing NULL is fine.
 * - Bytes handed to a receive callback are valid during the callback only. Bytes handed to a send
 *   function are copied.
 * - Callbacks must be short: the longest one, and its kind, is in struct loop_stats. Long work goes
 *   to offload.h or a child program.
 * - loop_create() makes the process ignore SIGPIPE; adopted sockets lose O_NONBLOCK.
 * - The timers of one turn count as one callback in the statistics.
 * - Results are 0 or negative errno. Nothing newer than Linux 6.1 is required; multishot receive
 *   and buffer rings are used where the kernel has them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/address.h"
#include "base/timers.h"

#define LOOP_DATAGRAM_MAX     65535      /* bytes received in one */
#define LOOP_DATAGRAM_SENDS   4096       /* in flight, default */
#define LOOP_STREAM_QUEUE     (4u << 20) /* unsent bytes of a stream, default ceiling */
#define LOOP_STREAM_CHUNK     16384      /* bytes given to `received` at most */
#define LOOP_PACKET_MAX       4096       /* bytes of a SEQPACKET message */
#define LOOP_PACKET_FDS_MAX   16         /* descriptors beside it */
#define LOOP_PACKET_QUEUE     256        /* unsent messages */
#define LOOP_CHILD_OUTPUT_MAX (64u << 20)
#define LOOP_CHILDREN_MAX     64         /* at a time */
#define LOOP_RECEIVE_BUFFER   (8u << 20) /* SO_RCVBUF asked for on datagram sockets */

/*
 * The loop is late when it was away for longer than this: in the callbacks of one pass, or beyond the
 * end of its sleep. Everything waits meanwhile.
 */
#define LOOP_LATE_NS UINT64_C(100000000)

struct loop;

/* ---- the loop ---------------------------------------------------------------------------- */

struct loop_config {
	unsigned entries; /* of the submission queue, 0: 4096 */
	unsigned buffers; /* receive buffers for streams, 0: 256 */
	bool plain;       /* as on an old kernel: no multishot, no buffer rings (for tests) */
};

/* `config` may be NULL. -ENOSYS or -EPERM where io_uring is missing or forbidden. */
int loop_create(const struct loop_config *config, struct loop **out);
/* Closes every handle that is left, waits until the kernel has let go of all memory. NULL is fine.
 */
void loop_destroy(struct loop *loop);
/* Until loop_stop(). */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* One pass; sleeps at most `timeout_ns` (0: not at all). For tests and drains. */
int loop_step(struct loop *loop, uint64_t timeout_ns);
/* CLOCK_MONOTONIC at the start of this turn's callbacks: the `now_ns` for all logic. */
uint64_t loop_now(const struct loop *loop);
/*
 * The most that what is delivered now can have waited in this process and in the kernel for its turn,
 * as far as the loop knows: since it last slept, or since the pass before began its callbacks. For
 * descriptors that do not tell when something came.
 */
uint64_t loop_behind(const struct loop *loop);
/* The loop runs these; set them with timers_set(loop_timers(l), …). */
struct timers *loop_timers(struct loop *loop);

enum loop_kind {
	LOOP_KIND_DATAGRAM,
	LOOP_KIND_LISTENER,
	LOOP_KIND_STREAM,
	LOOP_KIND_PACKET,
	LOOP_KIND_WATCH,
	LOOP_KIND_SIGNAL,
	LOOP_KIND_FILE,
	LOOP_KIND_CHILD,
	LOOP_KIND_TIMERS,
	LOOP_KIND_TASK,
	LOOP_KIND_HOOK,
	LOOP_KINDS
};

struct loop_stats {
	uint64_t passes;
	uint64_t sleeps;
	uint64_t completions;
	uint64_t callbacks;
	uint64_t longest_ns; /* longest single callback since the last reset */
	enum loop_kind longest_kind;
	uint64_t slow;      /* callbacks above 5 ms */
	uint64_t late;      /* times that it was late; the first of several in a row is logged */
	uint64_t latest_ns; /* the most that it was away, since the last reset */
	uint64_t datagrams_received, datagrams_sent;
	uint64_t datagrams_cut;     /* longer than the buffer: dropped */
	uint64_t datagrams_refused; /* send queue full */
	uint64_t datagrams_failed;  /* the kernel refused the send */
	uint64_t buffers_exhausted; /* receive stopped for want of buffers and went on */
	uint64_t streams_refused;   /* send queue full */
	unsigned handles;           /* open now */
	unsigned closing;           /* closed, kernel not done yet */
};

const struct loop_stats *loop_stats(const struct loop *loop);
/* Forgets the longest callback, and how late it was. */
void loop_stats_reset_longest(struct loop *loop);
const char *loop_kind_name(enum loop_kind kind);

/* ---- tasks and hooks --------------------------------------------------------------------- */

/* Runs once, later in this pass (set by a callback) or in the next one. Lives in its owner's
 * record. */
struct loop_task {
	void (*fn)(void *ctx);
	void *ctx;
	struct loop *loop; /* this and the rest: private, zero */
	struct loop_task *next, **back;
	uint64_t round;
};

/* Nothing when it waits already. */
void loop_task_set(struct loop *loop, struct loop_task *task);
void loop_task_cancel(struct loop_task *task);

/*
 * For what is not a file descriptor: the dataplane's rings. `pass` runs once a pass, before the
 * completions. `before_sleep` runs when the loop is about to sleep and returns true when there is
 * work after all; `after_sleep` runs when it has slept (only after a before_sleep that ran). Any
 * may be NULL. Sleeping flags go up in before_sleep and down in after_sleep; pair it with an
 * eventfd in loop_watch_event().
 */
struct loop_hook {
	void *ctx;
	void (*pass)(void *ctx, uint64_t now_ns);
	bool (*before_sleep)(void *ctx);
	void (*after_sleep)(void *ctx);
	struct loop *loop; /* this and the rest: private, zero */
	struct loop_hook *next, **back;
};

void loop_hook_add(struct loop *loop, struct loop_hook *hook);
void loop_hook_remove(struct loop_hook *hook);

/* ---- UDP --------------------------------------------------------------------------------- */

struct loop_datagram;

struct loop_datagram_config {
	void *ctx;
	void (*received)(void *ctx, const struct address *from, const uint8_t *data, size_t n);
	/* A send failed (ICMP unreachable, no route, …). May be NULL. */
	void (*failed)(void *ctx, const struct address *to, int error);
	unsigned sends_max; /* in flight, 0: LOOP_DATAGRAM_SENDS */
	unsigned size_max;  /* bytes received in one, 0: LOOP_DATAGRAM_MAX; longer: counted, dropped
			     */
	unsigned buffers;   /* receive buffers, 0: 64 */
	bool reuse_port;
};

int loop_datagram_open(struct loop *loop, const struct address *local,
	const struct loop_datagram_config *config, struct loop_datagram **out);
void loop_datagram_close(struct loop_datagram *d);
/* -ENOBUFS when too many are in flight, -EMSGSIZE above LOOP_DATAGRAM_MAX. */
int loop_datagram_send(
	struct loop_datagram *d, const struct address *to, const void *data, size_t n);
/* In `received`: how long the datagram has waited since it came; 0 where the kernel does not say. */
uint64_t loop_datagram_waited(const struct loop_datagram *d);
/* The bound address, with the port the kernel chose. */
struct address loop_datagram_local(const struct loop_datagram *d);
/* Receive buffer in bytes that the kernel granted. */
unsigned loop_datagram_receive_buffer(const struct loop_datagram *d);

/* ---- TCP and UNIX streams ---------------------------------------------------------------- */

struct loop_listener;
struct loop_stream;

struct loop_listener_config {
	void *ctx;
	/* The descriptor is the callee's: loop_stream_adopt() it or close() it. */
	void (*accepted)(void *ctx, int fd, const struct address *peer);
	int backlog;   /* 0: 128 */
	unsigned mode; /* of a UNIX socket's file, 0: 0660. A stale socket file is replaced. */
};

/* -EADDRINUSE also when a UNIX socket's file has a living listener. The file goes on close. */
int loop_listen(struct loop *loop, const struct address *local,
	const struct loop_listener_config *config, struct loop_listener **out);
void loop_listener_close(struct loop_listener *l);
struct address loop_listener_local(const struct loop_listener *l);

struct loop_stream_config {
	void *ctx;
	/* Only after loop_connect(); failure goes to `closed`. May be NULL. */
	void (*connected)(void *ctx);
	void (*received)(void *ctx, const uint8_t *data, size_t n);
	/* The peer will send no more; sending is still possible. NULL: as `closed` with error 0. */
	void (*ended)(void *ctx);
	/*
	 * The stream is dead: refused, reset, timed out (negative errno), or ended (0). Called
	 * once; the handle stays valid until loop_stream_close(), sends return -EPIPE.
	 */
	void (*closed)(void *ctx, int error);
	/* All that was queued has been handed to the kernel. May be NULL. */
	void (*drained)(void *ctx);
	size_t queue_max;            /* unsent bytes, 0: LOOP_STREAM_QUEUE */
	uint64_t connect_timeout_ns; /* 0: 10 s */
};

/* `local` may be NULL. */
int loop_connect(struct loop *loop, const struct address *remote, const struct address *local,
	const struct loop_stream_config *config, struct loop_stream **out);
/* Takes the descriptor of a connected stream socket, also on failure. */
int loop_stream_adopt(struct loop *loop, int fd, const struct loop_stream_config *config,
	struct loop_stream **out);
/* All or nothing. -ENOBUFS over the ceiling, -EPIPE when dead or shut down. */
int loop_stream_send(struct loop_stream *s, const void *data, size_t n);
/* Unsent bytes. */
size_t loop_stream_queued(const struct loop_stream *s);
/* Stops and resumes receiving: back pressure. */
void loop_stream_pause(struct loop_stream *s, bool paused);
/* Half close: what is queued is sent, then FIN. Receiving goes on. */
void loop_stream_shutdown(struct loop_stream *s);
/* Now; what is queued is dropped. */
void loop_stream_close(struct loop_stream *s);
/* The handle is gone for the caller; what is queued is sent for at most 5 s, then closed. */
void loop_stream_finish(struct loop_stream *s);
/* UNIX streams: who is at the other end (SO_PEERCRED). */
int loop_stream_peer_cred(const struct loop_stream *s, struct ucred *out);
struct address loop_stream_peer(const struct loop_stream *s);
struct address loop_stream_local(const struct loop_stream *s);
int loop_stream_fd(const struct loop_stream *s);

/* ---- UNIX SEQPACKET with descriptors ----------------------------------------------------- */

struct loop_packet;

struct loop_packet_config {
	void *ctx;
	/*
	 * One message. The descriptors are the callee's: set fds[i] to -1 to keep one; those that
	 * are left are closed after the callback.
	 */
	void (*received)(void *ctx, const uint8_t *data, size_t n, int *fds, unsigned n_fds);
	/* Hang-up (0) or error, once. The handle stays valid until loop_packet_close(). */
	void (*closed)(void *ctx, int error);
};

/* UNIX connects do not block: -ENOENT, -ECONNREFUSED, -EAGAIN come back at once. */
int loop_packet_connect(struct loop *loop, const struct address *remote,
	const struct loop_packet_config *config, struct loop_packet **out);
/* Takes a connected SEQPACKET descriptor, also on failure. */
int loop_packet_adopt(struct loop *loop, int fd, const struct loop_packet_config *config,
	struct loop_packet **out);
/* Descriptors are duplicated: the caller keeps its own. -ENOBUFS, -EMSGSIZE, -EPIPE. */
int loop_packet_send(
	struct loop_packet *p, const void *data, size_t n, const int *fds, unsigned n_fds);
int loop_packet_peer_cred(const struct loop_packet *p, struct ucred *out);
void loop_packet_close(struct loop_packet *p);

/* ---- other descriptors ------------------------------------------------------------------- */

struct loop_watch;

/* `events` and `revents` as for poll(2); level-triggered. The descriptor stays the caller's and
 * must be open until after loop_watch_close(). */
int loop_watch(struct loop *loop, int fd, unsigned events, void (*fn)(void *ctx, unsigned revents),
	void *ctx, struct loop_watch **out);
/* Changes the events (for libraries that ask for it). */
void loop_watch_events(struct loop_watch *w, unsigned events);
/* An eventfd: read before the callback gets its count. Must be non-blocking. */
int loop_watch_event(struct loop *loop, int fd, void (*fn)(void *ctx, uint64_t count), void *ctx,
	struct loop_watch **out);
void loop_watch_close(struct loop_watch *w);

struct loop_signal;

/* Blocks the signal in this thread (so do it before other threads start) and delivers it here. */
int loop_signal(struct loop *loop, int signo, void (*fn)(void *ctx, int signo), void *ctx,
	struct loop_signal **out);
void loop_signal_close(struct loop_signal *s);

/* ---- files ------------------------------------------------------------------------------- */

/*
 * Writes all `n` bytes at `offset`, then fdatasync when `sync`; `done` gets 0 or a negative errno,
 * always, once. The bytes must stay until then. With n 0: only the sync.
 */
int loop_write(struct loop *loop, int fd, const void *data, size_t n, uint64_t offset, bool sync,
	void (*done)(void *ctx, int error), void *ctx);

/* ---- child programs ---------------------------------------------------------------------- */

struct loop_child;

struct loop_child_result {
	int exit_code;         /* 0 .. 255, or -1 when it did not exit by itself */
	int signal;            /* that ended it, or 0 */
	bool timed_out;        /* killed by us */
	bool cut;              /* output was longer than the ceiling; it was killed */
	const uint8_t *output; /* stdout, valid during the callback */
	size_t output_n;
	const char *errors; /* first 4 KiB of stderr, terminated */
};

struct loop_child_config {
	const char *const *argv; /* ends with NULL; argv[0] is looked up in PATH */
	const void *input;       /* stdin, copied; may be NULL */
	size_t input_n;
	size_t output_max;   /* 0: LOOP_CHILD_OUTPUT_MAX */
	uint64_t timeout_ns; /* 0: 30 s; then SIGKILL to its process group */
	void *ctx;
	/* Once, when it has ended and its output is read. The handle is gone afterwards. */
	void (*done)(void *ctx, const struct loop_child_result *result);
};

/* -ENOENT: no such program; -EAGAIN: LOOP_CHILDREN_MAX run already. */
int loop_child_start(
	struct loop *loop, const struct loop_child_config *config, struct loop_child **out);
/* Kills it; `done` is not called. Not inside or after `done`. */
void loop_child_kill(struct loop_child *c);
