/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/header.h"

static const struct {
	struct str name;
	char compact;
	uint8_t flags;
} rows[] = {
#define X(id, name, compact, flags) {{name, sizeof(name) - 1}, compact, flags},
	SIP_HEADERS(X)
#undef X
};

enum sip_header_kind sip_header_kind(struct str name)
{
	if (name.n == 1) {
		for (unsigned i = 0; i < SIP_HEADER_OTHER; i++)
			if (rows[i].compact && rows[i].compact == (name.p[0] | 32))
				return (enum sip_header_kind)i;
		return SIP_HEADER_OTHER;
	}
	for (unsigned i = 0; i < SIP_HEADER_OTHER; i++)
		if (rows[i].name.n == name.n && str_equal_nocase(rows[i].name, name))
			return (enum sip_header_kind)i;
	return SIP_HEADER_OTHER;
}

const char *sip_header_name(enum sip_header_kind kind)
{
	return kind < SIP_HEADER_OTHER ? rows[kind].name.p : "?";
}

unsigned sip_header_flags(enum sip_header_kind kind)
{
	return kind < SIP_HEADER_OTHER ? rows[kind].flags : 0;
}
