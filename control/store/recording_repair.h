/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings that a process left unfinished, at the next start: a WAV file gets a header that says
 * its true length, an Ogg file an end. Blocks; to be called before anything is recorded.
 */
#pragma once

/*
 * All that the directory holds: a second name of each unfinished file, which goes when the file has
 * been repaired. What cannot be is logged and stays. How many were repaired; a negative errno when
 * the directory cannot be read.
 */
int recording_repair(const char *directory);
