/* SPDX-License-Identifier: Apache-2.0 */
#include "jitter.h"

#include <string.h>

enum {
	FLAG_NO_TALK = 0x08, /* the last packet had no frame: what follows is silence, not loss */
	FLAG_CONCEALED_SHIFT = 4, /* frames for jitter_concealed() */
	CONCEALED_MAX = 15,
	LATE_GROW_QUIET = 2, /* so many late ones: an extra frame where it is quiet, */
	LATE_GROW = 4,       /* so many: anywhere */
	LATE_NEAR = 5,       /* frames; what is later than this says nothing about the delay */

	TICK_US = 20000,
	WINDOW_MAX = 750,  /* packets to wait for quiet before it is dropped in talk */
	WINDOW_FAST = 50,  /* packets that suffice when far too many frames wait */
	WINDOW_AGAIN = 40, /* where the window goes on after such a drop */
	FAST_US = 100000,  /* this much above the target is far too many */
	BURST_US =
		50000, /* more than this above the target is trimmed before a talk spurt begins */
	DRAINED_SHARE = 3,     /* a mean slack of a third of the least delay says: a slow sender */
	SLOTS_SPARE = 4,       /* for what comes before its time */
	TIMESTAMP_FAR = 30000, /* further than the slots' 16 bits of timestamp can tell */
	STARVED_LIMIT = 14,    /* so that one more still fits its field */
	SLACK_MAX_US = 8000000,
	MEAN_SHIFT = 5,
};

/* At 8 kHz, the clock of most streams, no packet waits for a division. */
static int32_t units_to_us(const struct jitter *j, int32_t units)
{
	return j->clock_khz == 8 ? units * 125 : (int32_t)((int64_t)units * 1000 / j->clock_khz);
}

static uint32_t frame_us(const struct jitter *j)
{
	return (uint32_t)units_to_us(j, j->frame_samples);
}

static uint32_t target_us(const struct jitter *j)
{
	return j->target_ms * 1000u;
}

/* Frames that are concealed in a row before the stream counts as paused. */
static unsigned starved_max(const struct jitter *j)
{
	unsigned frames = JITTER_STARVED_US / frame_us(j);

	if (frames < JITTER_STARVED_MAX)
		return JITTER_STARVED_MAX;
	return frames < STARVED_LIMIT ? frames : STARVED_LIMIT;
}

/* What the slots can hold of short frames is less than a leg may ask for. */
static uint32_t delay_max_us(const struct jitter *j)
{
	uint32_t held = (JITTER_SLOTS - SLOTS_SPARE) * frame_us(j), max = j->max_ms * 1000u;

	return max < held ? max : held;
}

static bool filled(const struct jitter *j, uint16_t sequence)
{
	return j->present >> sequence % JITTER_SLOTS & 1;
}

static uint32_t slot_timestamp(const struct jitter *j, uint16_t sequence)
{
	uint16_t low = j->timestamp[sequence % JITTER_SLOTS];

	return j->next_timestamp + (uint32_t)(int16_t)(low - (uint16_t)j->next_timestamp);
}

/* Of a buffer that is not empty. */
static uint16_t first_filled(const struct jitter *j)
{
	uint16_t sequence = j->next_sequence;

	while (!filled(j, sequence))
		sequence++;
	return sequence;
}

/* Slots that are passed over are empty; their packets count as not come. */
static void move_head(struct jitter *j, uint16_t sequence)
{
	uint16_t by = (uint16_t)(sequence - j->next_sequence);

	j->past = by < JITTER_SLOTS ? (uint16_t)(j->past << by) : 0;
	j->next_sequence = sequence;
}

/* Takes what is in the head's slot. */
static uint32_t take_head(struct jitter *j)
{
	unsigned slot = j->next_sequence % JITTER_SLOTS;
	uint32_t handle = j->handle[slot];

	j->present &= (uint16_t) ~(1u << slot);
	j->handle[slot] = 0;
	j->next_sequence++;
	j->past = (uint16_t)(j->past << 1 | 1);
	return handle;
}

/* Packets without a frame take no time. */
static void skip_empty(struct jitter *j)
{
	while (filled(j, j->next_sequence) && j->handle[j->next_sequence % JITTER_SLOTS] == 0) {
		take_head(j);
		j->flags |= FLAG_NO_TALK;
	}
}

static void begin_window(struct jitter *j, uint16_t at)
{
	j->window = at;
	j->slack_min_ms8 = UINT16_MAX;
	j->flags &= (uint8_t)~JITTER_LATE_MASK;
}

static void confirm_concealed(struct jitter *j, unsigned frames)
{
	unsigned all = (j->flags >> FLAG_CONCEALED_SHIFT) + frames;

	all = all < CONCEALED_MAX ? all : CONCEALED_MAX;
	j->flags = (uint8_t)((j->flags & ((1u << FLAG_CONCEALED_SHIFT) - 1)) |
			     all << FLAG_CONCEALED_SHIFT);
}

static void set_target(struct jitter *j, int32_t us)
{
	int32_t ms = us / 1000, max = (int32_t)(delay_max_us(j) / 1000);

	ms = ms < max ? ms : max;
	j->target_ms = (uint8_t)(ms > j->min_ms ? ms : j->min_ms);
}

static void raise_target(struct jitter *j, uint32_t by_us)
{
	set_target(j, (int32_t)(target_us(j) + by_us));
}

static void lower_target(struct jitter *j, uint32_t by_us)
{
	set_target(j, (int32_t)target_us(j) - (int32_t)by_us);
}

/* ---- inserting ------------------------------------------------------------------------------ */

static void store(struct jitter *j, const struct jitter_packet *p)
{
	unsigned slot = p->sequence % JITTER_SLOTS;

	j->present |= (uint16_t)(1u << slot);
	j->handle[slot] = p->handle;
	j->timestamp[slot] = (uint16_t)p->timestamp;
	if (p->handle != 0 && p->samples != 0)
		j->frame_samples = p->samples;
	if ((int16_t)(p->sequence - j->highest_sequence) > 0)
		j->highest_sequence = p->sequence;
}

/* Begins a talk spurt with a packet; the buffer is empty. */
static enum jitter_verdict anchor(struct jitter *j, const struct jitter_packet *p, uint32_t now)
{
	if (p->sequence != j->next_sequence && !(j->flags & FLAG_NO_TALK))
		confirm_concealed(j, j->starved < starved_max(j) ? j->starved : starved_max(j));
	move_head(j, p->sequence);
	j->highest_sequence = p->sequence;
	j->next_timestamp = p->timestamp;
	j->starved = 0;
	j->state = JITTER_WAITING;
	store(j, p);
	/* Frames that do not fill ticks evenly are popped up to half a tick early. */
	j->next_due_us = now + target_us(j) + (frame_us(j) % TICK_US == 0 ? 0 : TICK_US / 2);
	return JITTER_TAKEN;
}

static void note_late(struct jitter *j, uint32_t frames)
{
	if (j->state == JITTER_PLAYING && frames < LATE_NEAR &&
		(j->flags & JITTER_LATE_MASK) < JITTER_LATE_MASK)
		j->flags++;
}

/* A packet from before the head. */
static enum jitter_verdict insert_behind(struct jitter *j, const struct jitter_packet *p)
{
	uint16_t by = (uint16_t)(j->next_sequence - p->sequence);

	if (by <= JITTER_SLOTS && j->past >> (by - 1) & 1)
		return JITTER_DUPLICATE;
	if (p->handle == 0)
		return JITTER_LATE;
	uint16_t span = (uint16_t)(j->highest_sequence - p->sequence);
	if (j->state == JITTER_WAITING && span < JITTER_SLOTS &&
		(j->past & ((1u << by) - 1)) == 0 &&
		(int32_t)(p->timestamp - j->next_timestamp) < 0) {
		j->past = (uint16_t)(j->past >> by);
		j->next_sequence = p->sequence;
		j->next_timestamp = p->timestamp;
		store(j, p);
		return JITTER_TAKEN;
	}
	note_late(j, by);
	return JITTER_LATE;
}

/* True when the buffer's idea of time or order no longer fits the packet. */
static bool out_of_step(const struct jitter *j, const struct jitter_packet *p, uint32_t now)
{
	int32_t gap = (int32_t)(p->timestamp - j->next_timestamp);
	int32_t overdue = (int32_t)(now - j->next_due_us);

	return (uint16_t)(p->sequence - j->next_sequence) >= JITTER_SLOTS ||
	       (p->handle != 0 && (gap > TIMESTAMP_FAR || gap < -TIMESTAMP_FAR)) ||
	       overdue > (int32_t)(JITTER_SLOTS * frame_us(j));
}

static enum jitter_verdict insert_out_of_step(
	struct jitter *j, const struct jitter_packet *p, uint32_t now)
{
	uint16_t ahead = (uint16_t)(p->sequence - j->next_sequence);
	uint16_t beyond = (uint16_t)(p->sequence - j->highest_sequence);
	int32_t overdue = (int32_t)(now - j->next_due_us);

	if (j->present == 0) {
		if (p->handle != 0)
			return anchor(j, p, now);
		move_head(j, (uint16_t)(p->sequence + 1));
		return JITTER_TAKEN;
	}
	if (ahead >= JITTER_SLOTS && beyond <= JITTER_SLOTS &&
		overdue <= (int32_t)(JITTER_SLOTS * frame_us(j)))
		return JITTER_OVERFLOW;
	return JITTER_RESET;
}

/* True when more time has passed than lost packets explain: the talker was silent. */
static bool begins_spurt(const struct jitter *j, const struct jitter_packet *p)
{
	uint16_t ahead = (uint16_t)(p->sequence - j->next_sequence);
	int32_t gap = (int32_t)(p->timestamp - j->next_timestamp);

	return j->state == JITTER_PLAYING && j->present == 0 &&
	       gap >= (ahead + 1) * j->frame_samples;
}

static void measure(struct jitter *j, const struct jitter_packet *p, uint32_t now)
{
	int32_t gap = (int32_t)(p->timestamp - j->next_timestamp);
	int32_t slack = (int32_t)(j->next_due_us - now) + units_to_us(j, gap);

	/* What is here before its tick has run is in time, however late it was read. */
	slack = slack < 0 ? 0 : slack > SLACK_MAX_US ? SLACK_MAX_US : slack;
	j->slack_mean_us += (slack - j->slack_mean_us) >> MEAN_SHIFT;
	if (slack / 125 < j->slack_min_ms8)
		j->slack_min_ms8 = (uint16_t)(slack / 125);
	if (j->window < UINT16_MAX)
		j->window++;
}

enum jitter_verdict jitter_insert(
	struct jitter *j, const struct jitter_packet *packet, uint64_t arrival_ns)
{
	uint32_t now = (uint32_t)(arrival_ns / 1000);
	bool behind = (int16_t)(packet->sequence - j->next_sequence) < 0;

	if (j->state == JITTER_IDLE) {
		uint16_t by = (uint16_t)(j->next_sequence - packet->sequence);
		if (j->past != 0 && behind && by <= JITTER_SLOTS)
			return insert_behind(j, packet);
		return packet->handle == 0 ? JITTER_TAKEN : anchor(j, packet, now);
	}
	if (behind)
		return insert_behind(j, packet);
	if (out_of_step(j, packet, now))
		return insert_out_of_step(j, packet, now);
	if (filled(j, packet->sequence))
		return JITTER_DUPLICATE;
	if (packet->handle != 0 && begins_spurt(j, packet))
		return anchor(j, packet, now);
	store(j, packet);
	if (packet->handle != 0 && j->state == JITTER_PLAYING)
		measure(j, packet, now);
	else
		skip_empty(j);
	return JITTER_TAKEN;
}

/* ---- popping -------------------------------------------------------------------------------- */

/* Nothing is there. Time stands still for the stream: what comes next says whether it was lost. */
static enum jitter_frame starve(struct jitter *j)
{
	j->next_due_us += frame_us(j);
	if (++j->starved > starved_max(j)) {
		j->state = JITTER_IDLE;
		return JITTER_SILENCE;
	}
	return j->flags & FLAG_NO_TALK ? JITTER_SILENCE : JITTER_CONCEAL;
}

/*
 * Whether to wait a frame more from now on: all that was lost has been concealed before what follows
 * came, and that could have helped. Once is enough: after that it comes in time.
 */
static bool waits_for_help(const struct jitter *j, int32_t lost, int32_t frames, uint16_t missing)
{
	return j->recovers && lost > 0 && lost == frames && missing > 0 &&
	       j->slack_mean_us < (int32_t)delay_max_us(j);
}

/*
 * Packets have come after periods without any: so far as packets are missing before the first of
 * them, they were concealed in their own time; the rest of the wait is added to the delay.
 */
static void settle(struct jitter *j)
{
	uint16_t first = first_filled(j);
	uint16_t missing = (uint16_t)(first - j->next_sequence);
	int32_t gap = (int32_t)(slot_timestamp(j, first) - j->next_timestamp);
	int32_t frames = gap > 0 ? (gap + j->frame_samples / 2) / j->frame_samples : 0;
	int32_t lost = frames < j->starved ? frames : j->starved;

	if (waits_for_help(j, lost, frames, missing))
		lost--;
	uint32_t waited_us = (uint32_t)(j->starved - lost) * frame_us(j);

	j->next_timestamp += (uint32_t)lost * j->frame_samples;
	move_head(j, (uint16_t)(j->next_sequence + (lost < missing ? lost : missing)));
	if (!(j->flags & FLAG_NO_TALK))
		confirm_concealed(j, j->starved);
	j->starved = 0;
	if (waited_us != 0 && !(j->flags & FLAG_NO_TALK)) {
		raise_target(j, waited_us);
		j->slack_mean_us += (int32_t)waited_us;
		begin_window(j, 0);
	}
}

/* The head is missing and others wait. True when a frame of time is missing with it. */
static bool lose_head(struct jitter *j)
{
	uint16_t first = first_filled(j);
	int32_t gap = (int32_t)(slot_timestamp(j, first) - j->next_timestamp);

	if (gap < j->frame_samples / 2) {
		move_head(j, first);
		return false;
	}
	move_head(j, (uint16_t)(j->next_sequence + 1));
	confirm_concealed(j, 1);
	return true;
}

static enum jitter_frame pass_time(struct jitter *j, enum jitter_frame frame)
{
	j->next_timestamp += j->frame_samples;
	j->next_due_us += frame_us(j);
	return frame;
}

/* Smallest slack of which a whole frame can be spared. */
static uint32_t excess_us(const struct jitter *j)
{
	uint32_t frame = frame_us(j);

	return JITTER_EXCESS_US + j->min_ms * 1000u - JITTER_MIN_MS * 1000u +
	       (j->recovers ? frame : 0) + (frame > TICK_US ? frame - TICK_US : 0) +
	       (frame % TICK_US == 0 ? 0 : TICK_US);
}

static bool must_drop(struct jitter *j, bool quiet)
{
	uint32_t slack = j->slack_min_ms8 * 125u;

	if (!filled(j, (uint16_t)(j->next_sequence + 1)))
		return false;
	if (j->slack_mean_us > (int32_t)(delay_max_us(j) + frame_us(j)))
		return true;
	if (j->window >= WINDOW_FAST && slack > target_us(j) + FAST_US)
		return true;
	if (j->window < JITTER_WINDOW)
		return false;
	if (slack <= excess_us(j)) {
		begin_window(j, 0);
		return false;
	}
	return quiet || j->window >= WINDOW_MAX;
}

static enum jitter_frame drop(struct jitter *j, uint32_t *handle)
{
	bool fast = j->window < JITTER_WINDOW;

	j->next_timestamp = slot_timestamp(j, j->next_sequence) + j->frame_samples;
	*handle = take_head(j);
	j->slack_mean_us -= (int32_t)frame_us(j);
	lower_target(j, frame_us(j));
	begin_window(j, fast ? WINDOW_AGAIN : 0);
	return JITTER_DROP;
}

/*
 * Less slack than this on average tells of a sender slower than we are. A leg that waits longer than
 * by default is judged as by default.
 */
static int32_t drained_us(const struct jitter *j)
{
	uint32_t least_ms = j->min_ms < JITTER_MIN_MS ? j->min_ms : JITTER_MIN_MS;

	return (int32_t)(least_ms * 1000u / DRAINED_SHARE);
}

static bool must_grow(const struct jitter *j, bool quiet)
{
	unsigned late = j->flags & JITTER_LATE_MASK;

	if (j->window >= WINDOW_FAST && j->slack_mean_us < drained_us(j))
		return true;
	return late >= LATE_GROW || (quiet && late >= LATE_GROW_QUIET);
}

static enum jitter_frame stretch(struct jitter *j)
{
	if (j->flags & JITTER_LATE_MASK)
		raise_target(j, frame_us(j));
	j->next_due_us += frame_us(j);
	j->slack_mean_us += (int32_t)frame_us(j);
	begin_window(j, 0);
	confirm_concealed(j, 1);
	return JITTER_STRETCH;
}

static enum jitter_frame play(struct jitter *j, bool quiet, uint32_t *handle)
{
	if (must_drop(j, quiet))
		return drop(j, handle);
	if (must_grow(j, quiet))
		return stretch(j);
	j->next_timestamp = slot_timestamp(j, j->next_sequence);
	j->flags &= (uint8_t)~FLAG_NO_TALK;
	*handle = take_head(j);
	return pass_time(j, JITTER_FRAME);
}

/* Moves the head to the first packet with a frame. */
static bool seek_frame(struct jitter *j)
{
	while (j->present != 0) {
		move_head(j, first_filled(j));
		if (j->handle[j->next_sequence % JITTER_SLOTS] != 0)
			return true;
		skip_empty(j);
	}
	return false;
}

/* A talk spurt may begin; a burst that came at once, after a pause of the network, is trimmed. */
static enum jitter_frame pop_waiting(struct jitter *j, uint32_t now, uint32_t *handle)
{
	int32_t waited = (int32_t)(now - j->next_due_us);

	if (waited < 0)
		return JITTER_SILENCE;
	j->next_timestamp = slot_timestamp(j, j->next_sequence);
	int32_t span = (int32_t)(slot_timestamp(j, j->highest_sequence) - j->next_timestamp);
	if (units_to_us(j, span) > (int32_t)(target_us(j) + BURST_US)) {
		*handle = take_head(j);
		return JITTER_DROP;
	}
	j->state = JITTER_PLAYING;
	j->next_due_us = now;
	j->slack_mean_us = waited + (int32_t)target_us(j);
	begin_window(j, 0);
	j->flags &= (uint8_t)~FLAG_NO_TALK;
	*handle = take_head(j);
	return pass_time(j, JITTER_FRAME);
}

static enum jitter_frame pop_playing(struct jitter *j, bool quiet, uint32_t *handle)
{
	for (;;) {
		skip_empty(j);
		if (j->present == 0)
			return starve(j);
		if (j->starved != 0)
			settle(j);
		else if (filled(j, j->next_sequence))
			break;
		else if (lose_head(j))
			return pass_time(j, JITTER_CONCEAL);
	}
	int32_t gap = (int32_t)(slot_timestamp(j, j->next_sequence) - j->next_timestamp);
	if (gap >= j->frame_samples)
		return pass_time(j, JITTER_SILENCE);
	return play(j, quiet, handle);
}

enum jitter_frame jitter_pop(struct jitter *j, uint64_t due_ns, bool quiet, uint32_t *handle)
{
	uint32_t now = (uint32_t)(due_ns / 1000);

	if (j->state == JITTER_IDLE)
		return JITTER_SILENCE;
	if (j->state == JITTER_WAITING) {
		if (seek_frame(j))
			return pop_waiting(j, now, handle);
		j->state = JITTER_IDLE;
		return JITTER_SILENCE;
	}
	/* Frames that do not fill ticks evenly begin in the middle of one; otherwise the tick
	 * rules. */
	if (j->next_due_us - now >= TICK_US)
		j->next_due_us = now;
	return pop_playing(j, quiet, handle);
}

/* ---- the rest ------------------------------------------------------------------------------- */

void jitter_init(struct jitter *j, uint8_t clock_khz)
{
	*j = (struct jitter){
		.clock_khz = clock_khz,
		.frame_samples = (uint16_t)(20u * clock_khz),
		.slack_min_ms8 = UINT16_MAX,
	};
	jitter_bounds(j, 0, 0);
}

static uint8_t at_least(uint8_t ms, uint8_t least)
{
	return ms > least ? ms : least;
}

void jitter_bounds(struct jitter *j, uint8_t min_ms, uint8_t max_ms)
{
	bool learned = j->target_ms > j->min_ms;

	j->max_ms = at_least(max_ms ? max_ms : JITTER_MAX_MS, CORD_JITTER_LEAST_MS);
	j->min_ms = at_least(min_ms ? min_ms : JITTER_MIN_MS, CORD_JITTER_LEAST_MS);
	if (j->min_ms > j->max_ms)
		j->min_ms = j->max_ms;
	set_target(j, learned ? (int32_t)target_us(j) : 0);
}

void jitter_recovers(struct jitter *j, bool recovers)
{
	j->recovers = recovers;
}

unsigned jitter_flush(struct jitter *j, uint32_t handles[JITTER_SLOTS])
{
	struct jitter kept = *j;
	unsigned n = 0;

	for (unsigned slot = 0; slot < JITTER_SLOTS; slot++)
		if (j->present >> slot & 1 && j->handle[slot] != 0)
			handles[n++] = j->handle[slot];
	jitter_init(j, kept.clock_khz);
	j->min_ms = kept.min_ms;
	j->max_ms = kept.max_ms;
	j->target_ms = kept.target_ms;
	j->frame_samples = kept.frame_samples;
	j->recovers = kept.recovers;
	return n;
}

uint32_t jitter_following(const struct jitter *j)
{
	if (!filled(j, j->next_sequence) ||
		slot_timestamp(j, j->next_sequence) != j->next_timestamp)
		return 0;
	return j->handle[j->next_sequence % JITTER_SLOTS];
}

unsigned jitter_concealed(struct jitter *j)
{
	unsigned frames = j->flags >> FLAG_CONCEALED_SHIFT;

	j->flags &= (1u << FLAG_CONCEALED_SHIFT) - 1;
	return frames;
}

unsigned jitter_depth(const struct jitter *j)
{
	unsigned n = 0;

	for (unsigned slot = 0; slot < JITTER_SLOTS; slot++)
		n += j->handle[slot] != 0;
	return n;
}
