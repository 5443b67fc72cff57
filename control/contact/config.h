/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: the options of an instance, one row each (config.c). They stand in `cordboard.yaml` of
 * the instance directory beside the sections that other readers own: `trunks`, `numbers`,
 * `number_plan`.
 *
 * Options are read at start. A reload (instance.h) takes the resources, flows and numbers anew; an
 * option that changed in the file counts from the next start, and the reload says so.
 */
#ifndef CONTACT_CONFIG_H
#define CONTACT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/options.h"
#include "base/peer_media.h"

enum config_default {
	CONFIG_DEFAULT_CUSTOMER_QUEUE,
	CONFIG_DEFAULT_CUSTOMER_HOLD,
	CONFIG_DEFAULT_CUSTOMER_WHISPER,
	CONFIG_DEFAULT_AGENT_HOLD,
	CONFIG_DEFAULT_AGENT_WHISPER,
	CONFIG_DEFAULT_OUTBOUND_WHISPER,
	CONFIG_DEFAULT_COUNT
};

struct config {
	/* who we are: parts of every ARN (R109) */
	char *region;
	char *account;
	char *instance_id;

	int log_level; /* enum log_level */
	int log_format;

	struct option_list sip_udp; /* addresses */
	struct option_list sip_tcp;
	char *sip_realm;
	struct option_list sip_digest;
	uint64_t sip_session_expires_ns;
	uint64_t sip_registration_min_ns, sip_registration_max_ns;
	int64_t sip_transactions_max;
	bool sip_session_timers;

	char *media_socket;
	int64_t busy_percent; /* of a worker's time */
	uint64_t sip_wait_ns;

	char *speech_program;
	char *speech_voice;
	int64_t speech_rate;
	char *speech_cache;
	uint64_t speech_timeout_ns;

	struct option_list codecs;
	struct peer_media media; /* of all peers, without codecs: see config_peer_media() */
	char *ringback;
	char *media_files; /* directory; "": none */

	bool multi_party;  /* up to six parties on a call, with equal rights */
	int64_t calls_max; /* the instance's concurrent calls (R78); 0: what the dataplane holds */
	int64_t contacts_max; /* contacts, after-contact work included */

	uint64_t offer_ns;
	uint64_t panel_answer_ns;
	uint64_t dial_ns;
	uint64_t callback_keep_ns;
	uint64_t callback_full_ns;
	int64_t overflow_percent;
	uint64_t whisper_max_ns;
	bool wait_pauses;

	/* the instance's default flows: names, ids or ARNs (R64) */
	char *default_flow[CONFIG_DEFAULT_COUNT];

	char *store_directory;
	uint64_t events_keep_ns;
	int64_t events_keep;
	uint64_t heartbeat_ns;
	char *recording_directory; /* "": nothing is recorded */
	int recording_format;      /* enum recording_format */
	int recording_rate;        /* index: 8000, 16000 */
	int64_t recording_bitrate;
	uint64_t recording_buffer_ns, recording_sync_ns;
	char *flow_log_file;
	int64_t flow_log_megabytes, flow_log_keep;

	char *admin_socket;
	struct option_list admin_roles; /* uid:NAME=ROLE, gid:NAME=ROLE */
	struct address metrics_listen;  /* length 0: none */

	uint64_t drain_ns; /* how long SIGTERM waits for calls to end */
};

/* Keys at the root of cordboard.yaml that are not options. */
extern const char *const config_other_sections[];

void config_preset(struct config *config);
void config_clear(struct config *config);
/* 0, or -EINVAL with everything reported. */
int config_read(struct config *config, const struct yml_node *root, struct report *report);
/* `name=value` of the command line. */
int config_set(struct config *config, const char *assignment, struct report *report);
/* What no single row can judge: account of 12 digits, a listening address, known codecs. */
int config_judge(const struct config *config, struct report *report);
/* What a trunk or a phone has that says nothing else; codecs that config_judge() refuses are
 * passed over. */
void config_peer_media(const struct config *config, struct peer_media *media);
void config_print(const struct config *config, FILE *to);
void config_print_default(FILE *to);

#endif
