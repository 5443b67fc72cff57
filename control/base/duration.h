/* SPDX-License-Identifier: Apache-2.0 */
/* Lengths of time as text: a whole number and one of ns, us, ms, s, m, h, d. `0` needs no unit. */
#pragma once

#include <stdint.h>

#include "base/str.h"

#define DURATION_TEXT_SIZE 32

/* -EINVAL, -ERANGE. */
int duration_parse(struct str text, uint64_t *ns);
/* With the largest unit that gives a whole number. */
void duration_format(uint64_t ns, char out[DURATION_TEXT_SIZE]);
