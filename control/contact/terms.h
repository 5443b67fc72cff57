/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terms: what the dataplane is told of a leg: all that SDP agreed on, and what the options of the peer
 * say that SDP does not. Pure. The keys are in them: wipe them after use.
 */
#ifndef CONTACT_TERMS_H
#define CONTACT_TERMS_H

#include "base/peer_media.h"
#include "media/media.h"
#include "sip/offer_answer.h"

struct cord_terms terms_make(const struct sdp_stream *stream, const struct peer_media *media);

#endif
