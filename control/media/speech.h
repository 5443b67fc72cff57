/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speech from text by a program of its own, `espeak-ng` by default, run beside us:
 *
 *	PROGRAM -v VOICE -s WPM -b 1 [-m] --stdin --stdout      text on stdin, WAV on stdout
 *
 * No shell, nothing of the text on the command line. What it said is kept in a directory, so that
 * each text is spoken once for ever (clips.h keeps it in memory). At most SPEECH_RUNNING programs
 * run at a time, others wait.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define SPEECH_TEXT_MAX    6000u /* bytes */
#define SPEECH_VOICE_MAX   64u
#define SPEECH_RUNNING     2u
#define SPEECH_WAITING_MAX 1024u
#define SPEECH_OUTPUT_MAX  (64u << 20)          /* bytes of WAV */
#define SPEECH_CACHE_BYTES (UINT64_C(1) << 30)  /* default ceiling of the directory */
#define SPEECH_TIMEOUT_NS  UINT64_C(8000000000) /* default, for one text */

struct loop;
struct offload;
struct speech;
struct speech_job;

/* Texts are copied. */
struct speech_config {
	const char *program;   /* NULL: espeak-ng; looked up in PATH */
	const char *voice;     /* NULL: en-us; where a flow names none, or one that is not known */
	unsigned wpm;          /* words a minute, 0: 165 */
	const char *cache_dir; /* NULL: nothing is kept on disk; made when it is missing */
	uint64_t cache_bytes;  /* 0: SPEECH_CACHE_BYTES; the oldest files go first */
	uint64_t timeout_ns;   /* 0: SPEECH_TIMEOUT_NS */
};

struct speech_text {
	struct str text;
	struct str voice; /* empty: the default. A name of Amazon Polly, or one of the program's */
	bool ssml;        /* markup: ssml.h */
};

int speech_create(struct loop *loop, struct offload *offload, const struct speech_config *config,
	struct speech **out);
/* Kills what runs; no callback any more. NULL is fine. */
void speech_destroy(struct speech *speech);

/* Whether the name of a voice or the code of a language (`de-DE`) says which voice to take. */
bool speech_knows(struct str name);
/* The program's voice for a name: from the table of known names, of the language for a code such as
 * `de-DE`, as it is when it looks like one of the program's (`de`, `en-gb+f3`), else the default. */
const char *speech_voice(const struct speech *speech, struct str name, char out[SPEECH_VOICE_MAX]);
/* What distinguishes one rendering from another, as the key of a cache: at most SPEECH_KEY_SIZE. */
#define SPEECH_KEY_SIZE 33
void speech_key(
	const struct speech *speech, const struct speech_text *text, char out[SPEECH_KEY_SIZE]);

/*
 * `done` is called once, from the loop: a descriptor with the WAV from its start (the callee closes
 * it), or a negative errno and a text that says what went wrong. -EINVAL (markup included), -ENOBUFS come
 * back at once.
 */
int speech_render(struct speech *speech, const struct speech_text *text,
	void (*done)(void *ctx, int fd_or_error, const char *wrong), void *ctx,
	struct speech_job **out);
/* `done` is not called. Not inside or after `done`. */
void speech_cancel(struct speech_job *job);
