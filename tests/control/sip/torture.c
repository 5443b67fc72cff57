/* SPDX-License-Identifier: Apache-2.0 */
#include "torture.h"

#include <stdio.h>
#include <stdlib.h>

#ifndef SHARED_DEFAULT
#define SHARED_DEFAULT "../shared"
#endif

#define ACCEPTED TORTURE_ACCEPT, SIP_ACCEPT, 0, "accepted"

const struct torture_row torture_rows[TORTURE_COUNT] = {
	{"badaspec", TORTURE_EITHER, SIP_REJECT, 400, "Bad To"},
	{"badbranch", TORTURE_EITHER, SIP_REJECT, 400, "Empty Via Branch"},
	{"baddate", TORTURE_EITHER, SIP_ACCEPT, 0, "accepted"},
	{"baddn", TORTURE_EITHER, SIP_ACCEPT, 0, "accepted"},
	{"badinv01", TORTURE_REJECT, SIP_REJECT, 400, "Bad Via"},
	{"badvers", TORTURE_REJECT, SIP_REJECT, 505, "Version Not Supported"},
	{"bcast", ACCEPTED},
	{"bext01", ACCEPTED},
	{"bigcode", TORTURE_REJECT, SIP_DROP, 0, "Bad Status Code"},
	{"clerr", TORTURE_REJECT, SIP_REJECT, 400, "Body Is Shorter Than Content-Length"},
	{"cparam01", ACCEPTED},
	{"cparam02", ACCEPTED},
	{"dblreq", ACCEPTED},
	{"esc01", ACCEPTED},
	{"esc02", ACCEPTED},
	{"escnull", ACCEPTED},
	{"escruri", TORTURE_EITHER, SIP_REJECT, 400, "Headers in Request-URI"},
	{"insuf", TORTURE_REJECT, SIP_REJECT, 400, "Missing From"},
	{"intmeth", ACCEPTED},
	{"inv2543", ACCEPTED},
	{"invut", ACCEPTED},
	{"longreq", ACCEPTED},
	{"ltgtruri", TORTURE_EITHER, SIP_REJECT, 400, "Bad Request-URI"},
	{"lwsdisp", ACCEPTED},
	{"lwsruri", TORTURE_EITHER, SIP_REJECT, 400, "Bad Request-URI"},
	{"lwsstart", TORTURE_EITHER, SIP_REJECT, 400, "Bad Request-URI"},
	{"mcl01", TORTURE_REJECT, SIP_REJECT, 400, "Header Stands Twice"},
	{"mismatch01", TORTURE_REJECT, SIP_REJECT, 400, "CSeq Method Does Not Match"},
	{"mismatch02", TORTURE_REJECT, SIP_REJECT, 400, "CSeq Method Does Not Match"},
	{"mpart01", ACCEPTED},
	{"multi01", TORTURE_REJECT, SIP_REJECT, 400, "Header Stands Twice"},
	{"ncl", TORTURE_REJECT, SIP_REJECT, 400, "Bad Content-Length"},
	{"noreason", ACCEPTED},
	{"novelsc", ACCEPTED},
	{"quotbal", TORTURE_EITHER, SIP_REJECT, 400, "Bad To"},
	{"regaut01", ACCEPTED},
	{"regbadct", TORTURE_EITHER, SIP_REJECT, 400, "Bad Contact"},
	{"regescrt", ACCEPTED},
	{"scalar02", TORTURE_REJECT, SIP_REJECT, 400, "Bad CSeq"},
	{"scalarlg", TORTURE_REJECT, SIP_DROP, 0, "Bad CSeq"},
	{"sdp01", ACCEPTED},
	{"semiuri", ACCEPTED},
	{"transports", ACCEPTED},
	{"trws", TORTURE_EITHER, SIP_REJECT, 400, "White Space after SIP-Version"},
	{"unkscm", ACCEPTED},
	{"unksm2", ACCEPTED},
	{"unreason", ACCEPTED},
	{"wsinv", ACCEPTED},
	{"zeromf", ACCEPTED},
};

static int read_message(const char *path, struct torture_message *message)
{
	FILE *file = fopen(path, "rb");
	long size;

	if (!file)
		return -1;
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	message->bytes = malloc((size_t)size);
	message->length = fread(message->bytes, 1, (size_t)size, file);
	fclose(file);
	return 0;
}

static void free_messages(void);
static struct torture_message messages[TORTURE_COUNT];

const struct torture_message *torture_load(void)
{
	const char *shared = getenv("CORDBOARD_SHARED");
	char path[4096];

	if (messages[0].bytes)
		return messages;
	atexit(free_messages);
	for (int i = 0; i < TORTURE_COUNT; i++) {
		snprintf(path, sizeof(path), "%s/sip-torture/%s.dat",
			shared ? shared : SHARED_DEFAULT, torture_rows[i].name);
		if (read_message(path, &messages[i]) < 0) {
			printf("SKIP: %s is not there; set CORDBOARD_SHARED\n", path);
			exit(TORTURE_SKIP);
		}
	}
	return messages;
}

static void free_messages(void)
{
	for (int i = 0; i < TORTURE_COUNT; i++)
		free(messages[i].bytes);
}
