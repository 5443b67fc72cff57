/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer: speech markup. What is taken is written as markup that is taken again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/ssml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct str text = str_make((const char *)bytes, length);
	char wrong[SSML_WRONG_SIZE], *written = NULL;

	/* as clips_text() does first */
	if (!str_is_utf8(text) || memchr(bytes, 0, length))
		return 0;
	if (ssml_prepare(text, &written, wrong) < 0)
		return 0;
	/* breaks in a row are added up, beyond what one may last */
	if (!strstr(written, "<break") && ssml_prepare(str_from(written), NULL, wrong) < 0)
		abort();
	free(written);
	return 0;
}
