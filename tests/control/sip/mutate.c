/* SPDX-License-Identifier: Apache-2.0 */
#include "mutate.h"

#include "base/random.h"

#include <string.h>

static struct random rng;

static uint32_t below(uint32_t limit)
{
	return (uint32_t)random_below(&rng, limit);
}

static void replace_byte(char *text, size_t *n)
{
	static const char special[] = "\r\n\t \0\"\\<>;,:@%=?/*[]()0129azAZ\x7f\xff\x80";

	if (*n > 0)
		text[below((uint32_t)*n)] =
			below(2) ? special[below(sizeof(special))] : (char)below(256);
}

static void remove_bytes(char *text, size_t *n)
{
	size_t from = below((uint32_t)*n + 1), count = below(20);

	if (from + count > *n)
		return;
	memmove(text + from, text + from + count, *n - from - count);
	*n -= count;
}

/* Copies a piece of the message to another place of it. */
static void repeat_bytes(char *text, size_t *n)
{
	char piece[200];
	size_t count = below(sizeof(piece)), from = below((uint32_t)*n + 1),
	       to = below((uint32_t)*n + 1);

	if (from + count > *n || *n + count > MUTATED_MAX)
		return;
	memcpy(piece, text + from, count);
	memmove(text + to + count, text + to, *n - to);
	memcpy(text + to, piece, count);
	*n += count;
}

static void insert_token(char *text, size_t *n)
{
	static const char *const tokens[] = {"\r\n ", "\r\n", "\"", "<sip:", ">", ";tag=", "%00",
		"99999999999999999999", "-1", "[::1]", "sip:a@b;lr", "z9hG4bK", ",,", "\\\"",
		"Content-Length: 99999\r\n", "v: SIP/2.0/UDP h\r\n", "a=rtpmap:0 PCMU/8000\r\n",
		"m=audio 1 RTP/AVP 0\r\n", "c=IN IP6 ::1\r\n",
		"Authorization: Digest realm=\"example.com\", nonce=\"\"\r\n"};
	const char *token = tokens[below(sizeof(tokens) / sizeof(tokens[0]))];
	size_t count = strlen(token), to = below((uint32_t)*n + 1);

	if (*n + count > MUTATED_MAX)
		return;
	memmove(text + to + count, text + to, *n - to);
	memcpy(text + to, token, count);
	*n += count;
}

static void cut(char *text, size_t *n)
{
	if (below(8) == 0)
		*n = below((uint32_t)*n + 1);
}

void mutate(char *text, size_t *n)
{
	static void (*const ways[])(char *, size_t *) = {
		replace_byte, replace_byte, remove_bytes, repeat_bytes, insert_token, cut};

	for (uint32_t i = 1 + below(6); i > 0; i--)
		ways[below(sizeof(ways) / sizeof(ways[0]))](text, n);
}

void mutate_seed(uint64_t seed)
{
	random_init_seed(&rng, seed);
}
