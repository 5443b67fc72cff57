/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clips: what can be played, from a file, from text, or from a specification of tones.
 *
 *	source                            sound (one for each content)
 *	LOADING --decoded--> LOADED ----> L16, PCMU, PCMA: each NONE -> MAKING -> GIVEN -> READY
 *	   `----error------> FAILED                        (handed over when first wanted)
 *
 * A clip is asked for by its source and held by reference. Decoding, resampling to 8 kHz mono,
 * trimming, encoding run on the offload thread; speech runs a child program (speech.h). Equal
 * sources share one clip; equal contents share one id (the hash of rate and samples), so a
 * restarted control finds its clips again. Clips that nobody holds stay, up to the ceilings, for
 * the next one who asks (the longest unused goes first); an evicted or replaced sound is removed
 * from the dataplane, which lets its last player finish.
 *
 * Sources
 *   prompts/hello.wav     WAV (also WAVEX, RF64) of 8 to 64 bits, float, mu-law, A-law, ADPCM,
 *                         GSM; 1 kHz to 384 kHz; up to 16 channels, mixed down. Silence (below
 *                         -60 dBFS) at both ends is trimmed, levels above full scale are lowered.
 *   tone:440,880:500ms    tones at the same time, in Hz (0: silence), how long, and, after another
 *                         ':', how loud each is in dBm0 (default -10); '/' goes on to the next
 *                         part: tone:440,480:2s:-13/0:4s is the North American ringback
 *   beep                  CLIPS_BEEP
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cordboard/clip.h>

#include "base/str.h"
#include "media/speech.h"

#define CLIPS_MAX         3072u                 /* sources known at a time */
#define CLIPS_BYTES_MAX   (512u << 20)          /* default ceiling of sound kept in memory */
#define CLIPS_SOURCE_MAX  1024u                 /* bytes of a file name or tone specification */
#define CLIPS_FAILED_NS   UINT64_C(10000000000) /* a failed source is tried again after this */
#define CLIPS_WINDOW      64u                   /* hand-overs not answered yet */
#define CLIPS_BEEP        "tone:1000:240ms:-12"
#define CLIPS_REASON_SIZE 200

struct loop;
struct offload;
struct clips;
struct clip;

struct clips_config {
	struct loop *loop;
	struct offload *offload;
	struct speech_config speech;
	uint64_t bytes_max; /* 0: CLIPS_BYTES_MAX; sound that is held counts but is never evicted */
};

/* How encodings leave: set by media.c (or a test) while a dataplane is attached. */
struct clips_carrier {
	void *ctx;
	/* Hands a sealed memfd over; the descriptor stays the clip's. -ENOBUFS: later. */
	int (*give)(
		void *ctx, cord_clip_id id, enum cord_clip_format format, int fd, uint64_t bytes);
	int (*remove)(void *ctx, cord_clip_id id);
};

/* Somebody who waits for clips to be ready; lives in its owner's record, zeroed. */
struct clip_wait {
	/* 0: every format asked for is ready. Negative errno: it never will be; clip_error() says
	 * why. From the loop, never from inside clip_want(). */
	void (*fn)(void *ctx, int error);
	void *ctx;
	struct clip *clip; /* private, like the rest */
	unsigned formats;
	struct clip_wait *next, **back;
};

int clips_create(const struct clips_config *config, struct clips **out);
/* Every hold must have been released and every wait cancelled. NULL is fine. */
void clips_destroy(struct clips *clips);

/*
 * The clip of a source, held for the caller (release it), loading unless it is known already.
 * -EINVAL: empty or longer than CLIPS_SOURCE_MAX, or a tone specification that makes no sense (the
 * reason goes to `wrong`, CLIPS_REASON_SIZE bytes, may be NULL); -ENOSPC: CLIPS_MAX are held;
 * -ENOMEM. That a file is missing or bad is told later.
 */
int clips_source(struct clips *clips, struct str source, char *wrong, struct clip **out);
/*
 * The same of a file that must lie below a directory when links have been followed. `file` is
 * relative and has no `..` parts: the caller's care.
 */
int clips_file_below(struct clips *clips, const char *directory, struct str file, char *wrong,
	struct clip **out);
/* Spoken text. -EINVAL: empty, not UTF-8 or longer than SPEECH_TEXT_MAX, or a bad voice. */
int clips_text(struct clips *clips, const struct speech_text *text, char *wrong, struct clip **out);
/* Files are read anew by those who ask from now on; clips that are held stay as they are. */
void clips_reload(struct clips *clips);

struct clip *clip_hold(struct clip *clip);
/* NULL is fine. */
void clip_release(struct clip *clip);

enum clip_state { CLIP_LOADING, CLIP_LOADED, CLIP_FAILED };

enum clip_state clip_state(const struct clip *clip);
/* "" unless it failed. */
const char *clip_error(const struct clip *clip);
/* File name, tone specification, or the beginning of the text. */
const char *clip_name(const struct clip *clip);
/* 0 until loaded. */
cord_clip_id clip_content(const struct clip *clip);
/* Frames of 20 ms; 0 until loaded. */
uint32_t clip_frames(const struct clip *clip);
/* Told once when loading ends (also at once, from the loop, when it has): for preloading. */
void clip_when_loaded(struct clip *clip, struct clip_wait *wait);

/* True when all formats (bits 1 << enum cord_clip_format) are in the dataplane. */
bool clip_ready(const struct clip *clip, unsigned formats);
/* Sees to it, and calls `wait->fn` once. Holds no reference: the caller does. */
void clip_want(struct clip *clip, unsigned formats, struct clip_wait *wait);
/* Formats that are made and given when that can be, and that nobody waits for. */
void clip_want_also(struct clip *clip, unsigned formats);
void clip_wait_cancel(struct clip_wait *wait);

/* A dataplane has been attached: everything that was given before is given again, wanted ones
 * first. NULL: it is gone, nothing is ready. */
void clips_attach(struct clips *clips, const struct clips_carrier *carrier);
/* Answers of the dataplane. */
void clips_given(struct clips *clips, cord_clip_id id, uint32_t format, int error, const char *why);
/* The carrier has space again. */
void clips_pump(struct clips *clips);

struct clips_stats {
	unsigned sources, sounds, held, loading, failed;
	uint64_t bytes;
	uint64_t loads, hits, evictions, refusals;
};

void clips_stats(const struct clips *clips, struct clips_stats *out);
