/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floods UDP ports with junk, as a scanner or an attacker would:
 *
 *     flood FROM TO FIRST_PORT PORTS SECONDS PER_SECOND
 *
 * FROM and TO are addresses of one family; the ports are FIRST_PORT and so many more, taken in
 * turn. A packet is RTP of PCMU with a sequence of its own, RTCP, or noise. Prints how many packets
 * the kernel took, and how many a second.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BURST       100u
#define BYTES       172u
#define SECONDS_MAX 10.0

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static socklen_t parse(const char *ip, unsigned port, union address *a)
{
	*a = (union address){.in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};
	if (inet_pton(AF_INET, ip, &a->in.sin_addr) == 1)
		return sizeof(a->in);
	*a = (union address){.in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)}};
	return inet_pton(AF_INET6, ip, &a->in6.sin6_addr) == 1 ? sizeof(a->in6) : 0;
}

/* RTP, RTCP and noise by turns. */
static void fill(uint8_t *packet, uint32_t n)
{
	uint32_t ssrc = 0x66666666;

	for (uint32_t i = 0; i < BYTES; i++)
		packet[i] = (uint8_t)(random() >> 7);
	if (n % 3 == 2)
		return;
	packet[0] = 0x80;
	packet[1] = n % 3 == 0 ? 0 : 200;
	packet[2] = (uint8_t)(n / 3 >> 8);
	packet[3] = (uint8_t)(n / 3);
	memcpy(packet + 8, &ssrc, sizeof(ssrc));
}

int main(int count, char **word)
{
	static uint8_t packet[BURST][BYTES];
	struct mmsghdr message[BURST] = {0};
	struct iovec part[BURST];
	union address from, to[BURST];
	uint64_t sent = 0, n = 0;

	if (count != 7) {
		fprintf(stderr, "usage: flood FROM TO FIRST_PORT PORTS SECONDS PER_SECOND\n");
		return 2;
	}
	unsigned first = (unsigned)atoi(word[3]), ports = (unsigned)atoi(word[4]);
	double seconds = atof(word[5]), rate = atof(word[6]), begun = now_s();
	socklen_t bytes = parse(word[1], 0, &from);
	int fd = socket(from.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!bytes || !ports || parse(word[2], first, &to[0]) != bytes || fd < 0 ||
		bind(fd, &from.any, bytes) || seconds > SECONDS_MAX || rate <= 0) {
		fprintf(stderr, "flood: cannot send from %s to %s\n", word[1], word[2]);
		return 2;
	}
	while (now_s() - begun < seconds) {
		if ((double)n > (now_s() - begun) * rate) {
			nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
			continue;
		}
		for (uint32_t i = 0; i < BURST; i++, n++) {
			fill(packet[i], (uint32_t)n);
			parse(word[2], first + (unsigned)(n % ports), &to[i]);
			part[i] = (struct iovec){packet[i], BYTES};
			message[i].msg_hdr = (struct msghdr){.msg_name = &to[i],
				.msg_namelen = bytes,
				.msg_iov = &part[i],
				.msg_iovlen = 1};
		}
		int took = sendmmsg(fd, message, BURST, 0);

		sent += took > 0 ? (uint64_t)took : 0;
	}
	printf("%llu packets, %.0f a second\n", (unsigned long long)sent,
		(double)sent / (now_s() - begun));
	return 0;
}
