/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/text.h"

#include <stdlib.h>
#include <string.h>

json_t *json_bytes(const char *bytes, size_t n)
{
	json_t *text = json_stringn(bytes, n);
	char *copy;

	if (text)
		return text;
	copy = malloc(n + 1);
	if (!copy)
		return json_null();
	for (size_t i = 0; i < n; i++)
		copy[i] = (unsigned char)bytes[i] < 0x80 ? bytes[i] : '?';
	text = json_stringn(copy, n);
	free(copy);
	return text;
}

json_t *json_text(const char *text)
{
	return text && text[0] ? json_bytes(text, strlen(text)) : json_null();
}
