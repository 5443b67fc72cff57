/* SPDX-License-Identifier: Apache-2.0 */
#include "base/peer_media.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

const char *const peer_media_prefers[] = {"ours", "theirs", NULL};
const char *const peer_media_srtps[] = {"off", "optional", "required", NULL};
const char *const peer_media_nats[] = {"off", "learn", NULL};
const char *const peer_media_ptimes[] = {"10", "20", "30", "40", "60", NULL};

static const struct option_row rows[] = {
#define X(key, field, kind, least, most, text, words, says)                         \
	{#key, kind, offsetof(struct peer_media, field), .min = least, .max = most, \
		.preset = text, .choices = words, .help = says},
	PEER_MEDIA_OPTIONS(X)
#undef X
};
static const struct options options = {rows, sizeof(rows) / sizeof(rows[0])};

static uint8_t codec_of(struct str name)
{
	static const struct {
		const char *name;
		uint8_t codec;
	} codecs[] = {
		{"pcmu", CORD_CODEC_PCMU},
		{"pcma", CORD_CODEC_PCMA},
		{"g722", CORD_CODEC_G722},
		{"opus", CORD_CODEC_OPUS},
	};

	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (str_equal_nocase_text(name, codecs[i].name))
			return codecs[i].codec;
	return CORD_CODEC_NONE;
}

bool peer_media_add_codec(struct peer_media *media, const char *name)
{
	uint8_t codec = codec_of(str_from(name));

	if (codec == CORD_CODEC_NONE || media->codec_count == PEER_CODECS_MAX ||
		memchr(media->codecs, codec, media->codec_count))
		return false;
	media->codecs[media->codec_count++] = codec;
	return true;
}

void peer_media_preset(struct peer_media *media)
{
	*media = (struct peer_media){0};
	options_preset(&options, media);
	CHECK(peer_media_add_codec(media, "pcmu") && peer_media_add_codec(media, "pcma"));
}

static int read_codecs(
	struct peer_media *media, const struct yml_node *mapping, struct report *report)
{
	const struct yml_node *list;
	int rc = yml_read_sequence(report, mapping, "codecs", YML_OPTIONAL, &list);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	media->codec_count = 0;
	for (size_t i = 0; i < yml_size(list); i++)
		if (!peer_media_add_codec(media, yml_text(yml_at(list, i)))) {
			yml_report(report, yml_at(list, i), REPORT_ERROR,
				"expected " PEER_CODEC_NAMES ", each once, found '%s'",
				yml_text(yml_at(list, i)));
			return -EINVAL;
		}
	if (media->codec_count > 0)
		return 0;
	yml_report(report, list, REPORT_ERROR, "expected at least one codec");
	return -EINVAL;
}

int peer_media_read(struct peer_media *media, const struct yml_node *mapping,
	const char *const *others, struct report *report)
{
	const char *wrong;
	int codecs_rc = read_codecs(media, mapping, report);
	int rc = options_read(&options, media, mapping, others, report);

	if (rc < 0 || codecs_rc < 0)
		return -EINVAL;
	wrong = peer_media_judge(media);
	if (!wrong)
		return 0;
	yml_report(report, mapping, REPORT_ERROR, "%s", wrong);
	return -EINVAL;
}

static bool is_delay(uint64_t ns)
{
	return ns == 0 || ns >= (uint64_t)PEER_MS(CORD_JITTER_LEAST_MS);
}

const char *peer_media_judge(const struct peer_media *media)
{
	if (!is_delay(media->jitter_min_ns) || !is_delay(media->jitter_max_ns))
		return "expected jitter_min and jitter_max of 4ms or more, or 0s";
	if (media->jitter_max_ns && media->jitter_min_ns > media->jitter_max_ns)
		return "expected jitter_min of no more than jitter_max";
	return NULL;
}

uint16_t peer_media_ptime_ms(const struct peer_media *media)
{
	return (uint16_t)strtoul(peer_media_ptimes[media->ptime], NULL, 10);
}
