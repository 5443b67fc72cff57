/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer: one session description. */
#include "control/sip/exercise.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	exercise_sdp((const char *)bytes, length);
	return 0;
}
