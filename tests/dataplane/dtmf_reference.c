/* SPDX-License-Identifier: Apache-2.0 */
#include "dtmf_reference.h"

#include <spandsp.h>

void dtmf_reference_hear(const int16_t *pcm, size_t samples, char *told, size_t size)
{
	dtmf_rx_state_t *s = dtmf_rx_init(NULL, NULL, NULL);

	dtmf_rx(s, pcm, (int)samples);
	told[dtmf_rx_get(s, told, (int)size - 1)] = '\0';
	dtmf_rx_free(s);
}
