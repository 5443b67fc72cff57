/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 49 messages of RFC 4475 and the outcome that each must have.
 *
 * They stand beside the source tree, in the folder that the environment variable CORDBOARD_SHARED
 * names, else in ../shared. Where they are missing, tests that need them say so and exit with 77.
 */
#pragma once

#include "sip/message.h"

#define TORTURE_COUNT 49
#define TORTURE_SKIP  77

/* What RFC 4475 asks of an element that receives the message. */
enum torture_asks {
	TORTURE_ACCEPT, /* valid, however odd */
	TORTURE_REJECT, /* must not be acted on */
	TORTURE_EITHER, /* both are allowed; verdict and status say what we do */
};

struct torture_row {
	const char *name;
	uint8_t asks;    /* enum torture_asks */
	uint8_t verdict; /* enum sip_verdict: ours */
	uint16_t status; /* SIP_REJECT */
	const char *reason;
};
extern const struct torture_row torture_rows[TORTURE_COUNT];

struct torture_message {
	char *bytes;
	size_t length;
};

/* All messages in the order of the rows. Exits with TORTURE_SKIP when the folder is missing. */
const struct torture_message *torture_load(void);
