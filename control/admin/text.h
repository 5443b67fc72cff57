/* SPDX-License-Identifier: Apache-2.0 */
/* text: text of strangers as JSON, whatever its bytes; it may also be cut in the middle of a letter. Pure. */
#ifndef ADMIN_TEXT_H
#define ADMIN_TEXT_H

#include <jansson.h>
#include <stddef.h>

/* What is not UTF-8 has '?' for the bytes beyond ASCII. */
json_t *json_bytes(const char *bytes, size_t n);
/* The same; null for NULL and "". */
json_t *json_text(const char *text);

#endif
