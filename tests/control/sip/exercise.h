/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does with bytes of the network all that the product may do with them: parse, read every header
 * through every typed accessor, build responses into buffers of several sizes, frame as a stream,
 * negotiate the SDP. For the mutation test and the fuzzers; what comes out only has to be
 * consistent.
 */
#pragma once

#include <stddef.h>

void exercise_message(const char *bytes, size_t length);
void exercise_sdp(const char *bytes, size_t length);
