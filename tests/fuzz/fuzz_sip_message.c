/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer: one datagram. Seed it with the torture messages: fuzz_sip_message CORPUS sip-torture.
 */
#include "control/sip/exercise.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	exercise_message((const char *)bytes, length);
	return 0;
}
