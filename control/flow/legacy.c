/* SPDX-License-Identifier: Apache-2.0 */
/* The legacy console export. */
#include "flow/draft.h"

void flow_read_legacy(struct flow_draft *draft, const json_t *root)
{
	(void)root;
	flow_draft_problem(draft, REPORT_ERROR, NULL, "modules",
		"expected the flow language (Version 2019-10-30), found the legacy console format, "
		"which cannot be read yet");
}
