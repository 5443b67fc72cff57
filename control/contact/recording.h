/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recording: what is recorded of a contact, as its flows set it (flows/language.md, Set recording
 * behavior): the last setting wins.
 *
 *   automated  from the setting on, while no agent has been joined: the customer on the left channel,
 *              what the flows say on the right one; not while a flow has connected an outside number
 *   agent      from the joining of the contact's agent to its leaving, or to the customer's: the
 *              customer on the left, everybody else on the call on the right, but for supervisors who
 *              only listen or coach. Who is on hold or muted is not recorded.
 *
 * A recording is one file of one segment. What is not recorded while one runs is silence in it: what
 * the flow leaves out, a pause that somebody asked for, and the time in which a flow takes input that
 * it encrypts, with QUIET_NS after it, on the recordings of everybody on that call.
 *
 * Each is told of in contact events (contact_event.c): RECORDING_STARTED, RECORDING_PAUSED and
 * RECORDING_RESUMED around a silence of both channels, and when its file is closed RECORDING_ENDED, or
 * RECORDING_FAILED when it is not whole.
 *
 * What is heard on each channel is a function of the state, as hearing.c is, and goes out with it: in
 * one tick for all.
 */
#ifndef CONTACT_RECORDING_H
#define CONTACT_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "media/media.h"
#include "store/recording.h"

/* A key may be heard for some time after it was told of. */
#define RECORDING_QUIET_NS UINT64_C(1000000000)
/* Files of one segment; what would be one more is not recorded, and logged. */
#define SEGMENT_RECORDINGS_MAX 4u

enum segment_recording_kind { SEGMENT_RECORDING_AUTOMATED, SEGMENT_RECORDING_AGENT };

/* One of a segment, for its record. Moments are monotonic. */
struct segment_recording {
	enum segment_recording_kind kind;
	bool agent, customer;      /* who was to be recorded at its beginning */
	bool failed;               /* it could not be written */
	uint64_t started, stopped; /* stopped 0: it runs */
};

struct call;
struct contact;
struct contact_segment;
struct switchboard;
struct tape;

/* Begins and ends recordings as the state of the call wants it. */
void recording_follow(struct call *call, uint64_t now_ns);
/* Whom each recording of the call hears now; bit n: leg n of the call. How many. */
unsigned recording_masks(const struct call *call, struct media_tap_masks masks[MEDIA_TAPS_MAX]);
/* The segment's recording ends now, if one runs. */
void recording_stop(struct contact *contact, uint64_t now_ns);
/* The call is over. */
void recording_forget(struct call *call);

/* Whom it is of, in the words of the record's ParticipantType. */
const char *recording_participant(const struct segment_recording *r);
/* Where the file of the nth recording of a segment is. */
void recording_path_of(const struct contact *contact, const struct contact_segment *segment,
	unsigned n, char path[RECORDING_PATH_SIZE]);

/* Of media's callbacks. */
void recording_frame_came(
	struct tape *tape, uint64_t period, const int16_t *left, const int16_t *right);
void recording_tap_ended(struct tape *tape);

#endif
