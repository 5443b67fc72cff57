/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speech markup (SSML 1.1, W3C): judged before a program is run on it, and put into the words that
 * espeak-ng knows.
 *
 *     <speak> text, &amp; and numbers, and these: break emphasis lang mark p phoneme prosody s
 *     say-as sub w and the amazon: ones </speak>
 *
 * Strict, as the service is: one <speak> around everything, elements closed in order and known,
 * attributes quoted and given once, only the five entities and character references, a break of at
 * most 10 s. What flows need and the program does otherwise is rewritten: breaks with fractions of a
 * second, in a row, or before the first word; say-as of digits, telephone, characters, spell-out,
 * verbatim and dates. Other kinds of say-as are read as text.
 */
#pragma once

#include "base/str.h"

#define SSML_DEPTH_MAX      16u /* elements in one another */
#define SSML_BREAK_MAX_MS   10000u
#define SSML_ATTRIBUTES_MAX 8u /* of one element */
#define SSML_WRONG_SIZE     160

/*
 * 0 and, unless `out` is NULL, the text for the program, malloc'ed. -EINVAL: `wrong` says where and
 * what was expected; -ENOMEM.
 */
int ssml_prepare(struct str text, char **out, char wrong[SSML_WRONG_SIZE]);
