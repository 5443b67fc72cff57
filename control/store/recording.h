/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings: two channels of sound, 20 ms at a time, into a file each.
 *
 *	DIRECTORY/2026/11/27/NAME.wav     the day (UTC) at which it began; NAME.opus
 *	DIRECTORY/unfinished/NAME.wav     the same file (a hard link), as long as it is written
 *
 *	            made               full chunk      written
 *	OPENING ----------> IDLE <------------------------------> BUSY
 *	   |                 | ended, all is written               | fails: again after a second
 *	   | cannot be made  v
 *	   +-----------> CLOSING --header, sync--> gone, `done` is called
 *
 * - A file is made, closed and, where it is compressed, encoded on the offload thread; bytes go
 *   through the loop's io_uring. Nothing here waits.
 * - Time in the file is the time of the periods: one that is not given, or cannot be kept because the
 *   disk is slow, full or the buffer of RECORDING's own length is used up, is silence of exactly its
 *   length, counted. A recording never holds up a call.
 * - A file can be played at any moment: its header is brought up to date, and the file synced, every
 *   `sync_ns` and at the end. One that a process left unfinished is repaired by the next
 *   recordings_open(): a WAV file says its true length, an Ogg file ends with a whole page.
 * - WAV: PCM, 16 bit, two channels; Opus in Ogg: ogg_opus.h. Files have mode 0640, directories 0750.
 *
 * All from the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDING_NAME_MAX     100u
#define RECORDING_PATH_SIZE    1280u
#define RECORDING_SUFFIX_SIZE  8u
#define RECORDING_ERROR_SIZE   1500u
#define RECORDING_PERIOD_NS    UINT64_C(20000000)
#define RECORDING_RETRY_NS     UINT64_C(1000000000)
#define RECORDING_CHUNK_FRAMES 50u /* of 20 ms: what is written at once */
/* A file ends after so long: its size stays below what a WAV header can say at 16 kHz. */
#define RECORDING_FRAMES_MAX (18u * 3600u * 50u)

struct loop;
struct offload;
struct recording;
struct recordings;

enum recording_format { RECORDING_WAV, RECORDING_OPUS };

struct recordings_config {
	struct loop *loop;
	struct offload *offload;
	const char *directory; /* made when it is missing; its parent must be there */
	enum recording_format format;
	uint32_t bitrate;   /* of Opus: both channels, bit/s */
	uint64_t buffer_ns; /* of sound that one recording keeps while the disk is slow */
	uint64_t sync_ns;   /* 0: only at the end */
};

/*
 * Blocks (at start). On failure `error` (RECORDING_ERROR_SIZE bytes) says what is wrong. Unfinished
 * files are repaired and logged.
 */
int recordings_open(const struct recordings_config *config, char *error, struct recordings **out);
/*
 * What is still running stays unfinished, for the next start, and `done` gets -ECANCELED; see
 * recordings_idle(). After the offload, and last of all that is on the loop: it is stepped for writes
 * under way. NULL is fine.
 */
void recordings_close(struct recordings *recordings);
/* No recording is running or being finished. */
bool recordings_idle(const struct recordings *recordings);

struct recording_result {
	int error;           /* 0, or a negative errno: the file is not whole, or is not there */
	uint64_t frames;     /* its length, in 20 ms */
	uint64_t missing;    /* of them, never heard: silence */
	uint64_t lost;       /* of them, heard and not kept: silence */
	uint64_t file_bytes; /* written */
};

struct recording_config {
	const char *name; /* of the file: letters, digits, '-' and '_' */
	uint64_t wall_ns; /* when it begins */
	uint32_t rate_hz; /* 8000 or 16000 */
	void (*done)(void *ctx, const struct recording_result *result); /* may be NULL */
	void *ctx;
};

/* -EINVAL: name or rate; -ENOMEM. That the file cannot be made is told by `done`. */
int recording_start(struct recordings *recordings, const struct recording_config *config,
	struct recording **out);
/* Where the file is or will be: a path, valid as long as the recording. */
const char *recording_location(const struct recording *r);
/* The same of a recording of this name that began then. */
void recording_path(const struct recordings *recordings, const char *name, uint64_t wall_ns,
	char path[RECORDING_PATH_SIZE]);
/*
 * 20 ms of both channels. `period` counts them on a clock that only grows: the first is the beginning,
 * a number that was skipped is silence, one that does not grow is ignored.
 */
void recording_frame(
	struct recording *r, uint64_t period, const int16_t *left, const int16_t *right);
/* No more frames: the handle is gone. `done` follows, from the loop, when the file is closed. */
void recording_end(struct recording *r);

struct recordings_stats {
	unsigned running, finishing;
	unsigned failing; /* of them, those whose last write failed, or that have no file */
	uint64_t started, finished, failed, repaired;
	uint64_t frames, missing, lost; /* as in struct recording_result, of all */
	uint64_t bytes;                 /* written */
	uint64_t errors;                /* writes that failed */
	uint64_t slowest_write_ns;
};

void recordings_stats(const struct recordings *recordings, struct recordings_stats *out);
