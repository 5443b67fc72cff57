/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator may choose. Each option is one row of a table in options.c: name, type, range,
 * default, help. Values come from a file of `name = value` lines (# starts a comment) and from the
 * command line (`--name value` or `--name=value`), the later one wins.
 */
#ifndef DATAPLANE_OPTIONS_H
#define DATAPLANE_OPTIONS_H

#include <cordboard/types.h>

#include <stddef.h>
#include <stdio.h>

#define OPTIONS_TEXT_MAX 512

enum options_hugepages { HUGEPAGES_AUTO, HUGEPAGES_YES, HUGEPAGES_NO };
enum options_idle { IDLE_AUTO, IDLE_SPIN, IDLE_SLEEP };
enum options_check { CHECKSUM_VERIFY, CHECKSUM_IGNORE };

struct options {
	char media_address[OPTIONS_TEXT_MAX]; /* as written; parsed into address[] */
	char gateway[OPTIONS_TEXT_MAX];
	char vdev[OPTIONS_TEXT_MAX];
	char pci[OPTIONS_TEXT_MAX];
	char eal[OPTIONS_TEXT_MAX];
	char file_prefix[OPTIONS_TEXT_MAX];
	char attach_socket[OPTIONS_TEXT_MAX];
	char cores[OPTIONS_TEXT_MAX];
	long long workers; /* 0: as the cores allow */
	long long ports;
	long long rooms;
	long long coders; /* of each worker */
	long long udp_port_base;
	long long allow_uid; /* -1: our own uid and root alone */
	long long allow_gid; /* -1: none */
	long long idle;      /* enum options_idle */
	long long hugepages; /* enum options_hugepages */
	long long memory_mb; /* without hugepages; 0: worked out */
	long long mbufs;     /* 0: worked out */
	long long descriptors;
	long long udp_checksum; /* enum options_check */
	long long srtp_backend; /* enum cord_srtp_backend: NONE (auto), LIBSRTP, IPSEC_MB */

	/* worked out by options_finish() */
	uint32_t addresses;
	struct cord_address address[CORD_ADDRESSES_MAX]; /* udp_port 0 */
	uint8_t prefix[CORD_ADDRESSES_MAX];              /* bits */
	struct cord_address gateway_address[2]; /* of IPv4, of IPv6; CORD_FAMILY_NONE: none */
};

/* Fills in every default. */
void options_default(struct options *options);

/*
 * Sets one option. Returns 0, or -EINVAL and a text in `wrong` that names the option and says what
 * was expected.
 */
int options_set(struct options *options, const char *name, const char *value, char *wrong,
	size_t wrong_bytes);

/* Reads a file. -EINVAL: `wrong` begins with file:line. */
int options_read(struct options *options, const char *path, char *wrong, size_t wrong_bytes);

/* Checks what options say of each other and parses the addresses. */
int options_finish(struct options *options, char *wrong, size_t wrong_bytes);

/* Every option with its value, as a file that options_read() takes. */
void options_print(const struct options *options, FILE *out);

/* Every row with range, default and help. */
void options_help(FILE *out);

#endif
