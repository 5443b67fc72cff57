/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/config.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "store/flow_log.h"

static const char *const levels[] = {"debug", "info", "warning", "error", NULL};
static const char *const formats[] = {"text", "json", NULL};
static const char *const recordings[] = {"wav", "opus", NULL};
static const char *const rates[] = {"8000", "16000", NULL};

#define FIELD(member) offsetof(struct config, member)
#define SECONDS(n)    ((int64_t)((n)*CLOCK_S))
#define MS(n)         ((int64_t)((n)*CLOCK_MS))

static const struct option_row rows[] = {
	{"instance.region", OPTION_STRING, FIELD(region), .min = 1, .max = 64,
		.preset = "eu-central-1", .help = "region in every ARN"},
	{"instance.account", OPTION_STRING, FIELD(account), .min = 12, .max = 12,
		.preset = "111122223333", .help = "account in every ARN, 12 digits"},
	{"instance.id", OPTION_STRING, FIELD(instance_id), .min = 1, .max = 64,
		.preset = "3f0c2a6e-7b1d-4e58-9a27-5c61d0b8e914", .help = "id of this instance"},
	{"instance.multi_party", OPTION_BOOL, FIELD(multi_party), .preset = "false",
		.help = "calls of up to six parties, on which every agent may do everything;\n"
			"otherwise of three, led by the agent who was first on the call"},
	{"instance.calls_max", OPTION_INT, FIELD(calls_max), .min = 0, .max = 1000000,
		.preset = "0",
		.help = "concurrent calls; a call beyond it is refused with 503.\n"
			"Also the limit of a queue without one of its own.\n"
			"0: what the dataplane has rooms for"},
	{"instance.contacts_max", OPTION_INT, FIELD(contacts_max), .min = 1, .max = 1000000,
		.preset = "100000",
		.help = "contacts at a time, after-contact work and callbacks included;\n"
			"while half of them are in use no callback is made"},

	{"log.level", OPTION_ENUM, FIELD(log_level), .choices = levels, .preset = "info",
		.help = "least important line that is written"},
	{"log.format", OPTION_ENUM, FIELD(log_format), .choices = formats, .preset = "text",
		.help = "form of a log line"},

	{"sip.udp", OPTION_LIST, FIELD(sip_udp), .max = 16, .preset = "127.0.0.1:5060",
		.help = "addresses and ports that SIP over UDP is heard on"},
	{"sip.tcp", OPTION_LIST, FIELD(sip_tcp), .max = 16, .preset = "127.0.0.1:5060",
		.help = "addresses and ports that SIP over TCP is heard on"},
	{"sip.realm", OPTION_STRING, FIELD(sip_realm), .min = 1, .max = 128, .preset = "cordboard",
		.help = "realm of digest challenges"},
	{"sip.digest", OPTION_LIST, FIELD(sip_digest), .min = 1, .max = 2, .preset = "SHA-256,MD5",
		.help = "algorithms that phones are challenged with, strongest first. Some older\n"
			"phones refuse a challenge that names SHA-256 beside MD5: give MD5 alone"},
	{"sip.session_timers", OPTION_BOOL, FIELD(sip_session_timers), .preset = "true",
		.help = "offer and honour session timers (RFC 4028)"},
	{"sip.session_expires", OPTION_DURATION, FIELD(sip_session_expires_ns), .min = SECONDS(90),
		.max = SECONDS(86400), .preset = "30m", .help = "session interval that we ask for"},
	{"sip.registration_min", OPTION_DURATION, FIELD(sip_registration_min_ns),
		.min = SECONDS(10), .max = SECONDS(86400), .preset = "60s",
		.help = "a phone that asks for less gets 423"},
	{"sip.registration_max", OPTION_DURATION, FIELD(sip_registration_max_ns),
		.min = SECONDS(60), .max = SECONDS(604800), .preset = "1h",
		.help = "a phone that asks for more gets this"},
	{"sip.transactions_max", OPTION_INT, FIELD(sip_transactions_max), .min = 100,
		.max = 4000000, .preset = "200000",
		.help = "transactions at a time; beyond it requests get 503"},

	{"admission.busy_percent", OPTION_INT, FIELD(busy_percent), .min = 0, .max = 95,
		.preset = "80",
		.help = "part of a worker's core that calls may fill: a new one that would take\n"
			"more of every worker is refused with 503. Agents may dial and consult in\n"
			"half of the rest. 0: no call is refused for want of time"},
	{"admission.sip_wait", OPTION_DURATION, FIELD(sip_wait_ns), .min = 0, .max = SECONDS(1),
		.preset = "10ms",
		.help = "time that SIP messages may wait for their turn. While all of a tenth of "
			"a\n"
			"second waited longer, new calls are refused with 503, fairly among\n"
			"trunks, and whatever belongs to calls that are there goes on. 0: none is"},

	{"media.socket", OPTION_STRING, FIELD(media_socket), .min = 1, .max = 100,
		.preset = "/run/cordboard/dataplane.sock",
		.help = "socket that the dataplane hands its segment over on"},
	{"media.codecs", OPTION_LIST, FIELD(codecs), .min = 1, .max = PEER_CODECS_MAX,
		.preset = "PCMU,PCMA",
		.help = "codecs we offer and accept, best first: PCMU, PCMA, G722, Opus.\n"
			"This and media.prefer to media.media_timeout count for trunks and phones\n"
			"that do not say otherwise in their own rows"},
	{"media.ringback", OPTION_STRING, FIELD(ringback), .min = 1, .max = 512,
		.preset = "tone:440,480:2s:-13/0:4s",
		.help = "what a party hears while the number that it waits for rings, unless the\n"
			"far end sends its own: a tone (the preset is North America's)"},

	{"media.files", OPTION_STRING, FIELD(media_files), .max = 512, .preset = "",
		.help = "directory of the sounds that flows play by URI: s3://BUCKET/KEY is\n"
			"BUCKET/KEY in it. Read anew after a reload; empty: there are none"},
#define X(key, field, kind, least, most, text, words, says)                                  \
	{"media." #key, kind, FIELD(media.field), .min = least, .max = most, .preset = text, \
		.choices = words, .help = says},
	PEER_MEDIA_OPTIONS(X)
#undef X

		{"speech.program", OPTION_STRING, FIELD(speech_program), .min = 1, .max = 1024,
			.preset = "espeak-ng", .help = "program that speaks text prompts"},
	{"speech.voice", OPTION_STRING, FIELD(speech_voice), .min = 1, .max = 64, .preset = "en-us",
		.help = "voice where no flow sets one"},
	{"speech.rate", OPTION_INT, FIELD(speech_rate), .min = 80, .max = 450, .preset = "165",
		.help = "words a minute"},
	{"speech.cache", OPTION_STRING, FIELD(speech_cache), .max = 1024, .preset = "",
		.help = "directory that keeps what was spoken; empty: memory only"},
	{"speech.timeout", OPTION_DURATION, FIELD(speech_timeout_ns), .min = MS(100),
		.max = SECONDS(120), .preset = "10s",
		.help = "a prompt that takes longer to speak has failed"},

	{"routing.offer", OPTION_DURATION, FIELD(offer_ns), .min = SECONDS(1), .max = SECONDS(300),
		.preset = "20s", .help = "time that an agent has to accept"},
	{"routing.panel_answer", OPTION_DURATION, FIELD(panel_answer_ns), .min = MS(500),
		.max = SECONDS(30), .preset = "3s",
		.help = "time that the phone of an agent who accepted at the panel has to answer"},
	{"routing.dial", OPTION_DURATION, FIELD(dial_ns), .min = SECONDS(1), .max = SECONDS(600),
		.preset = "60s",
		.help = "time that a number has to answer when an agent dials it or a callback\n"
			"is made; CompleteOutboundCall may set another"},
	{"routing.callback_keep", OPTION_DURATION, FIELD(callback_keep_ns), .min = SECONDS(60),
		.max = SECONDS(14 * 86400), .preset = "7d",
		.help = "a queued callback that is not done after this is given up"},
	{"routing.callback_full", OPTION_DURATION, FIELD(callback_full_ns), .min = MS(100),
		.max = SECONDS(3600), .preset = "10s",
		.help = "a callback that is due while its queue is full tries again after this"},
	{"routing.overflow_percent", OPTION_INT, FIELD(overflow_percent), .min = 0, .max = 100,
		.preset = "0",
		.help = "room above a queue's maximum for moves, transfers by agents and "
			"callbacks"},
	{"routing.whisper_max", OPTION_DURATION, FIELD(whisper_max_ns), .min = SECONDS(1),
		.max = SECONDS(600), .preset = "2m",
		.help = "a whisper that lasts longer ends the connection"},
	{"routing.wait_pauses", OPTION_BOOL, FIELD(wait_pauses), .preset = "false",
		.help = "Wait pauses a voice contact; otherwise it takes its error branch"},

	{"defaults.customer_queue", OPTION_STRING,
		FIELD(default_flow[CONFIG_DEFAULT_CUSTOMER_QUEUE]), .max = 256,
		.preset = "Default customer queue", .help = "flow of a waiting caller"},
	{"defaults.customer_hold", OPTION_STRING, FIELD(default_flow[CONFIG_DEFAULT_CUSTOMER_HOLD]),
		.max = 256, .preset = "Default customer hold", .help = "flow of a held caller"},
	{"defaults.customer_whisper", OPTION_STRING,
		FIELD(default_flow[CONFIG_DEFAULT_CUSTOMER_WHISPER]), .max = 256,
		.preset = "Default customer whisper", .help = "flow before a caller is joined"},
	{"defaults.agent_hold", OPTION_STRING, FIELD(default_flow[CONFIG_DEFAULT_AGENT_HOLD]),
		.max = 256, .preset = "Default agent hold", .help = "flow of a held agent"},
	{"defaults.agent_whisper", OPTION_STRING, FIELD(default_flow[CONFIG_DEFAULT_AGENT_WHISPER]),
		.max = 256, .preset = "Default agent whisper",
		.help = "flow before an agent is joined"},
	{"defaults.outbound_whisper", OPTION_STRING,
		FIELD(default_flow[CONFIG_DEFAULT_OUTBOUND_WHISPER]), .max = 256,
		.preset = "Default outbound whisper",
		.help = "flow to a called party that answered"},

	{"store.directory", OPTION_STRING, FIELD(store_directory), .min = 1, .max = 1024,
		.preset = "/var/lib/cordboard",
		.help = "where contact records and events are kept"},
	{"store.events", OPTION_INT, FIELD(events_keep), .min = 1000, .max = 10000000,
		.preset = "100000", .help = "events kept for readers that resume"},
	{"store.events_age", OPTION_DURATION, FIELD(events_keep_ns), .min = SECONDS(60),
		.max = SECONDS(31536000), .preset = "24h", .help = "how long events are kept"},

	{"events.heartbeat", OPTION_DURATION, FIELD(heartbeat_ns), .min = SECONDS(1),
		.max = SECONDS(86400), .preset = "120s",
		.help = "an agent of whom nothing else was told for so long gets a HEART_BEAT"},

	{"recording.directory", OPTION_STRING, FIELD(recording_directory), .max = 1024,
		.preset = "recordings",
		.help = "where recordings go that flows ask for, in a folder for each day;\n"
			"a name without a slash is a directory in store.directory. Empty:\n"
			"nothing is recorded"},
	{"recording.format", OPTION_ENUM, FIELD(recording_format), .choices = recordings,
		.preset = "wav",
		.help = "wav: PCM, 16 bit, 115 MB an hour; opus: Opus in Ogg, encoded on the "
			"helper\n"
			"thread, which sets a limit to how many can run at a time"},
	{"recording.rate", OPTION_ENUM, FIELD(recording_rate), .choices = rates, .preset = "8000",
		.help = "samples a second; 16000 keeps all of wideband voices and doubles a WAV "
			"file"},
	{"recording.bitrate", OPTION_INT, FIELD(recording_bitrate), .min = 12000, .max = 256000,
		.preset = "32000", .help = "bit/s of Opus, both channels together"},
	{"recording.buffer", OPTION_DURATION, FIELD(recording_buffer_ns), .min = SECONDS(2),
		.max = SECONDS(600), .preset = "10s",
		.help = "sound that a recording keeps in memory while the disk is slow; what is\n"
			"more becomes silence of the same length"},
	{"recording.sync", OPTION_DURATION, FIELD(recording_sync_ns), .min = 0,
		.max = SECONDS(3600), .preset = "10s",
		.help = "how often a file's header is brought up to date and the file synced "
			"while\n"
			"it grows; 0: only at its end"},

	{"flow_log.file", OPTION_STRING, FIELD(flow_log_file), .min = 1, .max = 1024,
		.preset = "flow-log.jsonl",
		.help = "what flows did for contacts whose logging they switched on, a JSON "
			"object\n"
			"a line; a name without a slash is a file in store.directory"},
	{"flow_log.megabytes", OPTION_INT, FIELD(flow_log_megabytes), .min = 1, .max = 1000000,
		.preset = "64",
		.help = "size at which the file gets a new name and another begins"},
	{"flow_log.keep", OPTION_INT, FIELD(flow_log_keep), .min = 0, .max = FLOW_LOG_KEEP_MAX,
		.preset = "4", .help = "old files that are kept: FILE.1, the youngest, and so on"},

	{"admin.socket", OPTION_STRING, FIELD(admin_socket), .min = 1, .max = 100,
		.preset = "/run/cordboard/control.sock", .help = "the admin socket"},
	{"admin.roles", OPTION_LIST, FIELD(admin_roles), .max = 64, .preset = "uid:root=operator",
		.help = "who may do what on it: uid:NAME=ROLE or gid:NAME=ROLE; roles: operator,\n"
			"supervisor, desktop, reader"},
	{"admin.metrics", OPTION_ADDRESS, FIELD(metrics_listen), .preset = "",
		.help = "address and port of the Prometheus page; empty: none"},
	{"admin.drain", OPTION_DURATION, FIELD(drain_ns), .min = 0, .max = SECONDS(86400),
		.preset = "30s", .help = "how long SIGTERM waits for calls to end"},
};

static const struct options options = {rows, sizeof(rows) / sizeof(rows[0])};

const char *const config_other_sections[] = {"trunks", "numbers", "number_plan", NULL};

void config_preset(struct config *config)
{
	options_preset(&options, config);
}

void config_clear(struct config *config)
{
	options_clear(&options, config);
}

int config_read(struct config *config, const struct yml_node *root, struct report *report)
{
	return options_read(&options, config, root, config_other_sections, report);
}

int config_set(struct config *config, const char *assignment, struct report *report)
{
	return options_set(&options, config, assignment, report);
}

static void judge_addresses(const struct option_list *list, const char *name, struct report *report)
{
	for (size_t i = 0; i < list->n; i++) {
		struct address address;

		if (address_parse(str_from(list->items[i]), 5060, &address) < 0 ||
			address_family(&address) == AF_UNIX)
			report_add(report, REPORT_ERROR, name,
				"expected an IP address and a port, found '%s'", list->items[i]);
	}
}

void config_peer_media(const struct config *config, struct peer_media *media)
{
	struct peer_media preset;

	*media = config->media;
	media->codec_count = 0;
	for (size_t i = 0; i < config->codecs.n; i++)
		peer_media_add_codec(media, config->codecs.items[i]);
	if (media->codec_count > 0)
		return;
	peer_media_preset(&preset);
	memcpy(media->codecs, preset.codecs, sizeof(media->codecs));
	media->codec_count = preset.codec_count;
}

static void judge_media(const struct config *config, struct report *report)
{
	struct peer_media media = {.codec_count = 0};
	const char *wrong = peer_media_judge(&config->media);

	for (size_t i = 0; i < config->codecs.n; i++)
		if (!peer_media_add_codec(&media, config->codecs.items[i]))
			report_add(report, REPORT_ERROR, "media.codecs",
				"expected " PEER_CODEC_NAMES ", each once, found '%s'",
				config->codecs.items[i]);
	if (wrong)
		report_add(report, REPORT_ERROR, "media", "%s", wrong);
}

int config_judge(const struct config *config, struct report *report)
{
	size_t before = report_count(report, REPORT_ERROR);

	if (strspn(config->account, "0123456789") != 12)
		report_add(report, REPORT_ERROR, "instance.account",
			"expected 12 digits, found '%s'", config->account);
	judge_addresses(&config->sip_udp, "sip.udp", report);
	judge_addresses(&config->sip_tcp, "sip.tcp", report);
	if (config->sip_udp.n + config->sip_tcp.n == 0)
		report_add(
			report, REPORT_ERROR, "sip", "expected an address in sip.udp or sip.tcp");
	for (size_t i = 0; i < config->sip_digest.n; i++)
		if (strcmp(config->sip_digest.items[i], "SHA-256") != 0 &&
			strcmp(config->sip_digest.items[i], "MD5") != 0)
			report_add(report, REPORT_ERROR, "sip.digest",
				"expected SHA-256 or MD5, found '%s'", config->sip_digest.items[i]);
	if (config->sip_registration_min_ns > config->sip_registration_max_ns)
		report_add(report, REPORT_ERROR, "sip.registration_min",
			"expected no more than sip.registration_max");
	judge_media(config, report);
	return report_count(report, REPORT_ERROR) > before ? -EINVAL : 0;
}

void config_print(const struct config *config, FILE *to)
{
	options_print(&options, config, to);
}

void config_print_default(FILE *to)
{
	options_print_default(&options, to);
}
