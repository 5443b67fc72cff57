/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: the memory of a tap that the other side may write. The input is its beginning, and then
 * positions that the other side writes between our own steps. What is touched lies inside.
 */
#include <cordboard/tap.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void require_inside(
	const struct cord_tap *tap, size_t size, const struct cord_tap_frame *f, uint32_t rate_hz)
{
	const uint8_t *at = (const uint8_t *)f, *base = (const uint8_t *)tap;

	require(at >= base + sizeof(*tap));
	require(at + cord_tap_frame_bytes(rate_hz) <= base + size);
}

static void use(struct cord_tap *tap, size_t size, uint32_t rate_hz, const uint8_t *bytes, size_t n)
{
	struct cord_tap_writer w;
	struct cord_tap_reader r;
	uint32_t position;

	cord_tap_writer_join(&w, tap, rate_hz);
	cord_tap_reader_join(&r, tap, rate_hz);
	for (; n >= sizeof(position); bytes += sizeof(position), n -= sizeof(position)) {
		memcpy(&position, bytes, sizeof(position));
		atomic_store(position & 1 ? &tap->head : &tap->tail, position >> 1);
		struct cord_tap_frame *f = cord_tap_write_begin(&w);

		if (f) {
			require_inside(tap, size, f, rate_hz);
			memset(f, 1, cord_tap_frame_bytes(rate_hz));
			cord_tap_write_end(&w);
		}
		int waiting = cord_tap_waiting(&r);

		require(waiting <= (int)CORD_TAP_SLOTS);
		if (waiting > 0) {
			require_inside(tap, size, cord_tap_oldest(&r), rate_hz);
			cord_tap_read_end(&r);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct cord_tap_header header;
	const char *wrong = NULL;
	size_t size = length && bytes[0] & 1 ? cord_tap_bytes(16000) : cord_tap_bytes(8000);
	size_t head = length < sizeof(header) + 1 ? length : sizeof(header) + 1;
	uint8_t *memory = aligned_alloc(64, size);

	require(memory != NULL);
	memset(memory, 0, size);
	if (head)
		memcpy(memory, bytes + 1, head - 1);
	int rc = cord_tap_check(memory, length ? size : length, &header, &wrong);

	require(rc == 0 || rc == -EINVAL);
	require(wrong && (*wrong == '\0') == (rc == 0));
	if (rc == 0)
		use((struct cord_tap *)(void *)memory, size, header.rate_hz, bytes + head,
			length - head);
	free(memory);
	return 0;
}
