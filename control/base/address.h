/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket addresses as values: IPv4, IPv6 and UNIX paths.
 *
 * Text forms: `192.0.2.1:5060`, `[2001:db8::1]:5060`, `unix:/run/cordboard/admin.sock` (a path that
 * starts with '/' works too). Names are never resolved here.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/str.h"

#define ADDRESS_TEXT_SIZE 128 /* of any text form, with the terminator */

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
	socklen_t length; /* 0: no address */
};

/* -EINVAL: not of these forms. Without a port: `default_port`, or -EINVAL when that is negative. */
int address_parse(struct str text, int default_port, struct address *out);
/* An IP literal (brackets allowed) and a port. ::ffff:192.0.2.1 is the IPv4 address in it. */
int address_make(struct str host, uint16_t port, struct address *out);
/* IPv4 in host byte order. */
struct address address_ipv4(uint32_t ip, uint16_t port);
void address_format(const struct address *a, char out[ADDRESS_TEXT_SIZE]);
/* The host alone, without brackets. */
void address_format_host(const struct address *a, char out[ADDRESS_TEXT_SIZE]);
uint16_t address_port(const struct address *a);
void address_set_port(struct address *a, uint16_t port);
bool address_equal(const struct address *a, const struct address *b);
/* As above without the port. */
bool address_equal_host(const struct address *a, const struct address *b);
/* 0.0.0.0 or [::]. */
bool address_is_any(const struct address *a);
int address_family(const struct address *a);

/* A network: `192.0.2.0/24`, `2001:db8::/32`, or one host without a slash. */
struct address_prefix {
	struct address base;
	unsigned bits;
};

int address_prefix_parse(struct str text, struct address_prefix *out);
bool address_prefix_has(const struct address_prefix *p, const struct address *a);
