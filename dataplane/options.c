/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

enum row_type { ROW_TEXT, ROW_NUMBER, ROW_CHOICE };

struct row {
	const char *name;
	enum row_type type;
	size_t field;
	long long least, most;
	const char *choices; /* separated by spaces, in the order of the enum */
	const char *initial;
	const char *help;
};

#define FIELD(name) offsetof(struct options, name)

static const struct row rows[] = {
	{"media-address", ROW_TEXT, FIELD(media_address), 0, 0, NULL, "10.77.0.2/24",
		"IPv4 and IPv6 addresses that media arrives at, with prefix, separated by commas"},
	{"gateway", ROW_TEXT, FIELD(gateway), 0, 0, NULL, "",
		"next hop for addresses outside the prefixes, one of IPv4, one of IPv6 or both, "
		"separated by a comma; empty: none"},
	{"vdev", ROW_TEXT, FIELD(vdev), 0, 0, NULL,
		"net_tap0,iface=cordboard0,mac=02:63:6f:72:64:01,persist",
		"DPDK device made in software; empty: none"},
	{"pci", ROW_TEXT, FIELD(pci), 0, 0, NULL, "",
		"PCI address and arguments of the NIC, as for EAL -a; empty: no PCI device is "
		"touched"},
	{"eal", ROW_TEXT, FIELD(eal), 0, 0, NULL, "", "further EAL arguments, separated by spaces"},
	{"file-prefix", ROW_TEXT, FIELD(file_prefix), 0, 0, NULL, "cordboard",
		"EAL's name for this process; one for each dataplane of a host"},
	{"attach-socket", ROW_TEXT, FIELD(attach_socket), 0, 0, NULL,
		"/run/cordboard/dataplane.sock", "UNIX socket where control attaches"},
	{"cores", ROW_TEXT, FIELD(cores), 0, 0, NULL, "auto",
		"CPUs as a list like 2,3,5-7: the first for housekeeping, one worker on each "
		"other; "
		"auto: those that this process may use"},
	{"workers", ROW_NUMBER, FIELD(workers), 0, CORD_WORKERS_MAX, NULL, "0",
		"workers; 0: one on each core but the first; more than there are cores share them"},
	{"ports", ROW_NUMBER, FIELD(ports), 2, CORD_PORTS_MAX, NULL, "4096",
		"media ports (legs), over all media addresses"},
	{"rooms", ROW_NUMBER, FIELD(rooms), 1, CORD_ROOMS_MAX, NULL, "4096", "rooms (contacts)"},
	{"coders", ROW_NUMBER, FIELD(coders), 0, 65536, NULL, "256",
		"ports of G.722 and Opus that each worker can have; 64 kB each are taken at start"},
	{"udp-port-base", ROW_NUMBER, FIELD(udp_port_base), 1024, 65534, NULL, "20000",
		"even UDP port of the first media port of each address; each takes two"},
	{"allow-uid", ROW_NUMBER, FIELD(allow_uid), -1, 0xfffffffell, NULL, "-1",
		"user whose control may attach; -1: our own"},
	{"allow-gid", ROW_NUMBER, FIELD(allow_gid), -1, 0xfffffffell, NULL, "-1",
		"group whose control may attach, and that owns the socket; -1: none"},
	{"idle", ROW_CHOICE, FIELD(idle), 0, 2, "auto spin sleep", "auto",
		"what a worker without work does; auto: sleep on a software device, else spin"},
	{"hugepages", ROW_CHOICE, FIELD(hugepages), 0, 2, "auto yes no", "auto",
		"auto: 2 MB pages when they can be had, said in the log when not"},
	{"memory-mb", ROW_NUMBER, FIELD(memory_mb), 0, 1 << 20, NULL, "0",
		"memory of the packet pool without hugepages; 0: worked out"},
	{"mbufs", ROW_NUMBER, FIELD(mbufs), 0, 1 << 24, NULL, "0",
		"packets in the pool; 0: worked out from ports, workers and descriptors"},
	{"descriptors", ROW_NUMBER, FIELD(descriptors), 0, 8192, NULL, "0",
		"length of each receive and transmit queue, packets; 0: worked out from ports and "
		"workers"},
	{"udp-checksum", ROW_CHOICE, FIELD(udp_checksum), 0, 1, "verify ignore", "verify",
		"ignore: for af_packet and af_xdp on a veth, whose kernel leaves checksums "
		"unfinished"},
	{"srtp-backend", ROW_CHOICE, FIELD(srtp_backend), 0, 2, "auto libsrtp ipsec-mb", "auto",
		"what encrypts media; auto: ipsec-mb where the processor has AES instructions"},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct row *row_find(const char *name)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

/* The n-th word of a list separated by spaces; its length. */
static size_t choice_word(const char *choices, long long n, const char **word)
{
	while (n-- > 0)
		choices += strcspn(choices, " ") + 1;
	*word = choices;
	return strcspn(choices, " ");
}

static int set_choice(const struct row *row, const char *value, long long *field)
{
	for (long long i = row->least; i <= row->most; i++) {
		const char *word;
		size_t bytes = choice_word(row->choices, i, &word);

		if (strlen(value) == bytes && memcmp(value, word, bytes) == 0) {
			*field = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_number(const struct row *row, const char *value, long long *field)
{
	char *end;

	errno = 0;
	long long n = strtoll(value, &end, 10);

	if (errno || end == value || *end || n < row->least || n > row->most)
		return -EINVAL;
	*field = n;
	return 0;
}

static int row_set(
	const struct row *row, struct options *o, const char *value, char *wrong, size_t bytes)
{
	void *field = (char *)o + row->field;

	switch (row->type) {
	case ROW_TEXT:
		if (strlen(value) >= OPTIONS_TEXT_MAX) {
			snprintf(wrong, bytes, "%s: expected fewer than %d characters", row->name,
				OPTIONS_TEXT_MAX);
			return -EINVAL;
		}
		snprintf(field, OPTIONS_TEXT_MAX, "%s", value);
		return 0;
	case ROW_NUMBER:
		if (set_number(row, value, field) == 0)
			return 0;
		snprintf(wrong, bytes, "%s: expected a number from %lld to %lld, found \"%s\"",
			row->name, row->least, row->most, value);
		return -EINVAL;
	case ROW_CHOICE:
	default:
		if (set_choice(row, value, field) == 0)
			return 0;
		snprintf(wrong, bytes, "%s: expected one of: %s; found \"%s\"", row->name,
			row->choices, value);
		return -EINVAL;
	}
}

void options_default(struct options *options)
{
	char wrong[128];

	memset(options, 0, sizeof(*options));
	for (size_t i = 0; i < ROWS; i++)
		row_set(&rows[i], options, rows[i].initial, wrong, sizeof(wrong));
}

int options_set(struct options *options, const char *name, const char *value, char *wrong,
	size_t wrong_bytes)
{
	const struct row *row = row_find(name);

	if (row == NULL) {
		snprintf(wrong, wrong_bytes, "%s: no such option; --help lists them", name);
		return -EINVAL;
	}
	return row_set(row, options, value, wrong, wrong_bytes);
}

static char *trim(char *text)
{
	text += strspn(text, " \t\r\n");
	size_t n = strlen(text);

	while (n > 0 && strchr(" \t\r\n", text[n - 1]))
		text[--n] = 0;
	return text;
}

static int read_line(struct options *options, char *line, char *wrong, size_t wrong_bytes)
{
	line[strcspn(line, "#")] = 0;
	line = trim(line);
	if (*line == 0)
		return 0;
	char *equals = strchr(line, '=');

	if (equals == NULL) {
		snprintf(wrong, wrong_bytes, "expected \"name = value\", found \"%.60s\"", line);
		return -EINVAL;
	}
	*equals = 0;
	return options_set(options, trim(line), trim(equals + 1), wrong, wrong_bytes);
}

int options_read(struct options *options, const char *path, char *wrong, size_t wrong_bytes)
{
	FILE *file = fopen(path, "re");
	char line[1024], what[256];
	int result = 0, number = 0;

	if (file == NULL) {
		result = -errno;
		snprintf(wrong, wrong_bytes, "%s: %s", path, strerror(-result));
		return result;
	}
	while (result == 0 && fgets(line, sizeof(line), file)) {
		number++;
		if (strchr(line, '\n') == NULL && !feof(file)) {
			snprintf(what, sizeof(what), "line longer than %zu", sizeof(line) - 2);
			result = -EINVAL;
		} else {
			result = read_line(options, line, what, sizeof(what));
		}
	}
	fclose(file);
	if (result)
		snprintf(wrong, wrong_bytes, "%s:%d: %s", path, number, what);
	return result;
}

/* An address that one host has: no group, not all zeros, no IPv4 address in IPv6. */
static bool is_host(const struct cord_address *a)
{
	static const uint8_t zero[16], mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (memcmp(a->ip, zero, sizeof(zero)) == 0)
		return false;
	return a->family == CORD_FAMILY_IPV4
		       ? a->ip[0] < 224
		       : a->ip[0] != 0xff && memcmp(a->ip, mapped, sizeof(mapped)) != 0;
}

static int parse_ip(const char *text, struct cord_address *address)
{
	struct cord_address a = {.family = CORD_FAMILY_IPV4};

	if (inet_pton(AF_INET, text, a.ip) != 1) {
		a.family = CORD_FAMILY_IPV6;
		if (inet_pton(AF_INET6, text, a.ip) != 1)
			return -EINVAL;
	}
	if (!is_host(&a))
		return -EINVAL;
	*address = a;
	return 0;
}

static int parse_prefix(char *text, struct cord_address *address, uint8_t *prefix)
{
	char *slash = strchr(text, '/');
	char *end;

	if (slash)
		*slash = 0;
	if (parse_ip(text, address))
		return -EINVAL;
	long most = address->family == CORD_FAMILY_IPV4 ? 32 : 128;
	long bits = slash ? strtol(slash + 1, &end, 10) : most;

	if (slash && (*end || end == slash + 1))
		return -EINVAL;
	if (bits < 1 || bits > most)
		return -EINVAL;
	*prefix = (uint8_t)bits;
	return 0;
}

static int finish_addresses(struct options *o, char *wrong, size_t bytes)
{
	char list[OPTIONS_TEXT_MAX];
	char *next = list;

	snprintf(list, sizeof(list), "%s", o->media_address);
	o->addresses = 0;
	while (next) {
		char *item = trim(strsep(&next, ","));
		uint32_t n = o->addresses;

		if (n == CORD_ADDRESSES_MAX) {
			snprintf(wrong, bytes, "media-address: expected at most %u addresses",
				CORD_ADDRESSES_MAX);
			return -EINVAL;
		}
		if (parse_prefix(item, &o->address[n], &o->prefix[n])) {
			snprintf(wrong, bytes,
				"media-address: expected a host's address with prefix as "
				"192.0.2.10/24 or 2001:db8::10/64, found \"%s\"",
				item);
			return -EINVAL;
		}
		o->addresses = n + 1;
	}
	return 0;
}

static int finish_gateways(struct options *o, char *wrong, size_t bytes)
{
	char list[OPTIONS_TEXT_MAX];
	char *next = list;

	snprintf(list, sizeof(list), "%s", o->gateway);
	memset(o->gateway_address, 0, sizeof(o->gateway_address));
	while (next) {
		char *item = trim(strsep(&next, ","));
		struct cord_address a;

		if (*list == 0)
			break;
		if (parse_ip(item, &a)) {
			snprintf(wrong, bytes, "gateway: expected a host's address, found \"%s\"",
				item);
			return -EINVAL;
		}
		struct cord_address *gateway = &o->gateway_address[a.family == CORD_FAMILY_IPV6];

		if (gateway->family != CORD_FAMILY_NONE) {
			snprintf(wrong, bytes, "gateway: expected one of each family, found \"%s\"",
				o->gateway);
			return -EINVAL;
		}
		*gateway = a;
	}
	return 0;
}

int options_finish(struct options *o, char *wrong, size_t wrong_bytes)
{
	if (finish_addresses(o, wrong, wrong_bytes))
		return -EINVAL;
	if (finish_gateways(o, wrong, wrong_bytes))
		return -EINVAL;
	if (o->udp_port_base & 1) {
		snprintf(wrong, wrong_bytes, "udp-port-base: expected an even number, found %lld",
			o->udp_port_base);
		return -EINVAL;
	}
	if (o->ports % o->addresses) {
		snprintf(wrong, wrong_bytes,
			"ports: expected a multiple of the %u media addresses, found %lld",
			o->addresses, o->ports);
		return -EINVAL;
	}
	if (o->udp_port_base + 2 * (o->ports / o->addresses) > 65536) {
		snprintf(wrong, wrong_bytes,
			"ports: %lld ports of each address do not fit above udp-port-base %lld; "
			"expected at most %lld",
			o->ports / o->addresses, o->udp_port_base,
			(65536 - o->udp_port_base) / 2 * o->addresses);
		return -EINVAL;
	}
	if (*o->vdev == 0 && *o->pci == 0 && *o->eal == 0) {
		snprintf(wrong, wrong_bytes, "vdev, pci: expected one of them to name a device");
		return -EINVAL;
	}
	return 0;
}

static void print_value(const struct row *row, const struct options *o, FILE *out)
{
	const void *field = (const char *)o + row->field;
	const char *word;
	size_t bytes;

	switch (row->type) {
	case ROW_TEXT:
		fprintf(out, "%s = %s\n", row->name, (const char *)field);
		break;
	case ROW_NUMBER:
		fprintf(out, "%s = %lld\n", row->name, *(const long long *)field);
		break;
	case ROW_CHOICE:
		bytes = choice_word(row->choices, *(const long long *)field, &word);
		fprintf(out, "%s = %.*s\n", row->name, (int)bytes, word);
		break;
	}
}

void options_print(const struct options *options, FILE *out)
{
	for (size_t i = 0; i < ROWS; i++) {
		fprintf(out, "# %s\n", rows[i].help);
		print_value(&rows[i], options, out);
	}
}

void options_help(FILE *out)
{
	fprintf(out, "usage: cordboard-dataplane [--config FILE] [--OPTION VALUE]...\n"
		     "       cordboard-dataplane --print-config | --help | --version\n\n");
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];

		fprintf(out, "  --%s ", row->name);
		if (row->type == ROW_NUMBER)
			fprintf(out, "%lld..%lld", row->least, row->most);
		else
			fprintf(out, "%s", row->type == ROW_CHOICE ? row->choices : "TEXT");
		fprintf(out, " (default: %s)\n        %s\n", *row->initial ? row->initial : "empty",
			row->help);
	}
}
