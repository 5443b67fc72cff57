/* SPDX-License-Identifier: Apache-2.0 */
/* What Sofia-SIP's parser says of a message. A unit of its own: the names of both parsers collide.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOFIA_TEXT_SIZE 512

struct sofia_opinion {
	unsigned status; /* of a response, 0: request */
	uint32_t cseq;
	char method[SOFIA_TEXT_SIZE];
	char call_id[SOFIA_TEXT_SIZE];
	char from_tag[SOFIA_TEXT_SIZE];
	char to_tag[SOFIA_TEXT_SIZE];
	char branch[SOFIA_TEXT_SIZE];
};

/* False when it does not accept the message, or a text is longer than fits. */
bool sofia_parse(const char *bytes, size_t length, struct sofia_opinion *opinion);
