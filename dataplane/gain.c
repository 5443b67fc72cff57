/* SPDX-License-Identifier: Apache-2.0 */
#include "mix.h"

#include <cordboard/limits.h>

/* 10^(dB / 20) in Q14, from CORD_GAIN_MIN_DB up. */
static const uint16_t gains[] = {
	/* clang-format off */
	16, 18, 21, 23, 26, 29, 33, 37, 41, 46, 52, 58,
	65, 73, 82, 92, 103, 116, 130, 146, 164, 184, 206, 231,
	260, 291, 327, 367, 412, 462, 518, 581, 652, 732, 821, 921,
	1034, 1160, 1301, 1460, 1638, 1838, 2063, 2314, 2597, 2914, 3269, 3668,
	4115, 4618, 5181, 5813, 6523, 7318, 8211, 9213, 10338, 11599, 13014, 14602,
	16384, 18383, 20626, 23143, 25967, 29135, 32690, 36679, 41155, 46176, 51811, 58133,
	65226,
	/* clang-format on */
};
_Static_assert(sizeof(gains) / sizeof(gains[0]) == CORD_GAIN_MAX_DB - CORD_GAIN_MIN_DB + 1,
	"a factor for each gain");

int32_t mix_gain(int gain_db)
{
	if (gain_db == CORD_GAIN_MUTE)
		return 0;
	if (gain_db < CORD_GAIN_MIN_DB)
		gain_db = CORD_GAIN_MIN_DB;
	if (gain_db > CORD_GAIN_MAX_DB)
		gain_db = CORD_GAIN_MAX_DB;
	return gains[gain_db - CORD_GAIN_MIN_DB];
}
