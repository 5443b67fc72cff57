/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIP trunks: rows of the configuration with the little state that calls need.
 *
 *     trunks:
 *       - name: carrier
 *         gateways:                      # tried in this order; IP addresses, names are refused
 *           - address: 192.0.2.10:5060
 *             transport: udp             # udp (default) or tcp
 *           - address: 192.0.2.11:5060
 *         sources: [192.0.2.0/28]        # who is this trunk, beside its gateways
 *         username: us                   # how we authenticate (with password, realm optional)
 *         password: secret
 *         realm: carrier.example
 *         from_host: carrier.example     # host of our From; default: the gateway's address
 *         inbound_username: them         # how they authenticate, instead of or beside sources
 *         inbound_password: secret2
 *         channels: 100                  # calls at one time, both ways; default 1000
 *         calls_per_second_in: 20        # default 50
 *         calls_per_second_out: 10       # default 50
 *         ping: 30s                      # OPTIONS to each gateway; 0s: none (always up)
 *         codecs: [pcma, pcmu]           # and all else of base/peer_media.h; default: the
 *         srtp: optional                 # instance's
 *         trust_identity: true           # P-Asserted-Identity of theirs is believed; default false
 *         assert_identity: true          # ours is sent; default true
 *
 * Health of a gateway, fed with the results of pings and of calls:
 *
 *     UNKNOWN --- answer ---> UP --- two losses in a row ---> DOWN --- answer ---> UP
 *        '------- two losses in a row ------------------------^
 *
 * UNKNOWN and UP are used, DOWN only when nothing else is left.
 */
#pragma once

#include "base/peer_media.h"
#include "base/yaml.h"
#include "sip/hop.h"

#include <cordboard/types.h>

#define TRUNKS_MAX           256
#define TRUNK_GATEWAYS_MAX   8
#define TRUNK_SOURCES_MAX    32
#define TRUNK_NAME_SIZE      64 /* with the NUL, as all sizes here */
#define TRUNK_TEXT_SIZE      128
#define TRUNK_CHANNELS_MAX   65536
#define TRUNK_RATE_MAX       10000
#define TRUNK_LOSSES_TO_DOWN 2
#define TRUNK_CHANNELS       1000
#define TRUNK_RATE           50
#define TRUNK_PING_NS        30000000000ull

enum trunk_health {
	TRUNK_HEALTH_UNKNOWN,
	TRUNK_HEALTH_UP,
	TRUNK_HEALTH_DOWN,
	TRUNK_HEALTHS,
};
const char *trunk_health_name(enum trunk_health health);

struct trunk_gateway {
	struct address address;
	uint8_t transport; /* enum sip_transport_kind */
	uint8_t health;    /* enum trunk_health; written by trunk_gateway_result() only */
	uint8_t losses;    /* in a row */
	uint64_t ping_due_ns;
	uint64_t changed_ns; /* last change of health */
};

/* A token bucket in integers: tokens of a billionth of a call, one second's worth at most. */
struct trunk_bucket {
	uint32_t rate; /* calls per second */
	uint64_t tokens;
	uint64_t filled_ns;
};

enum trunk_direction {
	TRUNK_IN,
	TRUNK_OUT,
};

struct trunk {
	/* configuration */
	char name[TRUNK_NAME_SIZE];
	char username[TRUNK_TEXT_SIZE], password[TRUNK_TEXT_SIZE], realm[TRUNK_TEXT_SIZE];
	char from_host[TRUNK_TEXT_SIZE];
	char inbound_username[TRUNK_TEXT_SIZE], inbound_password[TRUNK_TEXT_SIZE];
	struct address_prefix sources[TRUNK_SOURCES_MAX];
	unsigned source_count;
	uint32_t channels;
	uint64_t ping_ns; /* 0: none */
	struct peer_media media;
	bool trust_identity, assert_identity;
	/* state */
	uint32_t calls; /* at this time */
	uint64_t refused_channels, refused_rate, taken[2];
	struct trunk_bucket bucket[2]; /* by enum trunk_direction */
	unsigned gateway_count;
	struct trunk_gateway gateways[TRUNK_GATEWAYS_MAX];
};

struct trunk_set {
	unsigned count;
	struct trunk *trunks;
};

/*
 * Loads the section trunks (NULL: none); `media` is what a trunk has that says nothing else. What is wrong goes to the report, each with file, line and
 * what was expected; then -EINVAL and *out is untouched.
 */
int trunk_set_load(const struct yml_node *trunks, const struct peer_media *media,
	struct report *report, struct trunk_set **out);
void trunk_set_free(struct trunk_set *set);
/* Takes calls, health and counters over from an older set, by name and address, for a reload. */
void trunk_set_inherit(struct trunk_set *set, const struct trunk_set *old);

/* Index by name, or -1. */
int trunk_find(const struct trunk_set *set, struct str name);
/* The trunk that a source address belongs to, by gateway or source network (most bits), or -1. */
int trunk_of_source(const struct trunk_set *set, const struct address *source);
/* The trunk that authenticates with this user name, or -1. */
int trunk_of_username(const struct trunk_set *set, struct str username);

/* Takes a channel for a call: 0, -EBUSY (all in use: 503), -EAGAIN (too many a second: 503). */
int trunk_take(struct trunk *trunk, enum trunk_direction direction, uint64_t now_ns);
void trunk_release(struct trunk *trunk);

/*
 * The gateway to try: the first that is not DOWN and not in the mask of those tried, else the first
 * that is DOWN and not tried; -1 when all were tried.
 */
int trunk_gateway_choose(const struct trunk *trunk, uint32_t tried);

/*
 * An OPTIONS or a call was answered by anything but 408, 503 or silence (answered), or not. Returns
 * true when the health changed.
 */
bool trunk_gateway_result(struct trunk_gateway *gateway, bool answered, uint64_t now_ns);

/* The hop to a gateway. */
struct sip_hop trunk_gateway_hop(const struct trunk_gateway *gateway);

/* The next gateway whose ping is due: true, and its next ping is planned. Call until false. */
bool trunk_ping_due(struct trunk_set *set, uint64_t now_ns, unsigned *trunk, unsigned *gateway);
/* When the next ping is due, UINT64_MAX for never. */
uint64_t trunk_ping_next(const struct trunk_set *set);

/* True when a call can be sent: a gateway is not DOWN and a channel is free. */
bool trunk_is_usable(const struct trunk *trunk);
