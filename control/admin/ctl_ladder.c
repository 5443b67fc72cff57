/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One column for us, one for each peer in order of appearance, a line a message:
 *
 *     time          cordboard           192.0.2.10:5060
 *     12:00:00.123      |<- INVITE (sdp) ------|
 *     12:00:00.125      |------ 100 Trying --->|
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/ctl.h"

#define PEERS_MAX   8u
#define COLUMN      28u
#define FIRST       20u
#define LINE_SIZE   (FIRST + COLUMN * (PEERS_MAX + 1) + 1)
#define LABEL_SIZE  64
#define MESSAGE_CUT 200

struct ladder {
	char peers[PEERS_MAX][64];
	unsigned n;
};

static unsigned column_of(struct ladder *l, const char *peer)
{
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->peers[i], peer) == 0)
			return i + 1;
	if (l->n == PEERS_MAX)
		return PEERS_MAX;
	snprintf(l->peers[l->n], sizeof(l->peers[0]), "%s", peer);
	return ++l->n;
}

static unsigned x_of(unsigned column)
{
	return FIRST + column * COLUMN;
}

/* The word of a CSeq header's method. */
static void method_of(const char *message, char method[16])
{
	const char *at = strcasestr(message, "\nCSeq:");
	unsigned n = 0;

	if (at)
		at += strcspn(at + 1, " ") + 2;
	if (at)
		at += strspn(at, " 0123456789");
	while (at && n < 15 && at[n] > ' ' && at[n] < 0x7f) {
		method[n] = at[n];
		n++;
	}
	method[n] = '\0';
}

static void label_of(const char *message, char label[LABEL_SIZE])
{
	size_t line = strcspn(message, "\r\n");
	const char *body = strstr(message, "\r\n\r\n");
	const char *sdp = body && strstr(body, "v=0") ? " (sdp)" : "";
	char method[16];

	if (strncmp(message, "SIP/2.0 ", 8) == 0) {
		method_of(message, method);
		snprintf(label, LABEL_SIZE, "%.*s [%s]%s", (int)(line - 8 > 30 ? 30 : line - 8),
			message + 8, method, sdp);
	} else
		snprintf(label, LABEL_SIZE, "%.*s%s",
			(int)(strcspn(message, " ") > 20 ? 20 : strcspn(message, " ")), message,
			sdp);
	for (char *p = label; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

static void rails(char line[LINE_SIZE], unsigned n)
{
	memset(line, ' ', LINE_SIZE - 1);
	line[LINE_SIZE - 1] = '\0';
	for (unsigned i = 0; i <= n; i++)
		line[x_of(i)] = '|';
	line[x_of(n) + 1] = '\0';
}

static void arrow(char line[LINE_SIZE], unsigned column, bool out, const char *label)
{
	unsigned from = x_of(0) + 1, to = x_of(column); /* the last is not drawn on */
	size_t n = strlen(label), room = to - from - 4;
	unsigned at;

	memset(line + from, '-', to - from);
	if (out)
		line[to - 1] = '>';
	else
		line[from] = '<';
	if (n > room)
		n = room;
	at = from + (unsigned)(to - from - n) / 2;
	memcpy(line + at, label, n);
	line[at - 1] = ' ';
	line[at + n] = ' ';
}

static void put_heads(FILE *to, const struct ladder *l)
{
	char line[LINE_SIZE + COLUMN];

	memset(line, ' ', sizeof(line) - 1);
	memcpy(line, "time", 4);
	for (unsigned i = 0; i <= l->n; i++) {
		const char *name = i ? l->peers[i - 1] : "cordboard";
		size_t n = strlen(name);
		unsigned x = x_of(i) - (unsigned)(n / 2 > 13 ? 13 : n / 2);

		memcpy(line + x, name, n > COLUMN - 1 ? COLUMN - 1 : n);
		line[x + n] = i == l->n ? '\0' : ' ';
	}
	fprintf(to, "%s\n", line);
}

void ctl_ladder(FILE *to, const json_t *messages)
{
	struct ladder l = {.n = 0};
	char line[LINE_SIZE], label[LABEL_SIZE];
	json_t *m;
	size_t i;

	json_array_foreach((json_t *)messages, i, m)
	{
		char peer[64];

		ctl_text(ctl_member(m, "peer"), CTL_PLAIN, peer, 28);
		column_of(&l, peer);
	}
	put_heads(to, &l);
	json_array_foreach((json_t *)messages, i, m)
	{
		const char *text = json_string_value(ctl_member(m, "message"));
		const char *time = json_string_value(ctl_member(m, "time"));
		const char *direction = json_string_value(ctl_member(m, "direction"));
		char peer[64];

		ctl_text(ctl_member(m, "peer"), CTL_PLAIN, peer, 28);
		label_of(text ? text : "?", label);
		rails(line, l.n);
		arrow(line, column_of(&l, peer), direction && strcmp(direction, "out") == 0, label);
		if (time && strlen(time) >= 23)
			memcpy(line, time + 11, 12);
		fprintf(to, "%s\n", line);
	}
}
