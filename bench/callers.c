/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Callers and agents' phones for the bench of the control process: SIP over UDP, no media, thousands
 * of calls a second for a fraction of a core.
 *
 *	callers --control IP --caller IP --agent IP --number N --calls N --rate N
 *	        [--first N] [--talk MS] [--hold]
 *
 * A caller sends INVITE, ACK, and answers the BYE. A phone answers an INVITE with 200 and hangs up
 * MS after its ACK. What is not answered within 500 ms is sent again, and counted; a message that
 * control repeats is answered as before, and counted too. With --hold the program ends when every
 * caller was answered, and leaves all calls as they are. --first numbers the calls from there on, so
 * that a second run beside such calls has names of its own.
 *
 * Prints one JSON line: offered, answered, late (of them, after more than 500 ms), ended, failed (a
 * final response of 300 or more), refused (of them, 503 with Retry-After), repeats (ours),
 * repeats_seen (control's), rate (calls a second really offered), and of the time from INVITE to 200
 * the median, the 99th of 100 and the longest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define MS           UINT64_C(1000000)
#define LATE_MS      500.0f
#define REPEAT_NS    (500 * MS)
#define REPEATS_MAX  20
#define PATIENCE_NS  (20000 * MS) /* after the last call was offered */
#define MESSAGE_SIZE 2048
#define BURST        64u
#define SIP_PORT     5060

enum state {
	UNUSED,
	INVITED,  /* caller: waits for the 200 */
	TALKING,  /* caller: waits for the BYE; phone: for the time to hang up */
	ANSWERED, /* phone: waits for the ACK */
	ENDING,   /* phone: waits for the 200 to its BYE */
	OVER,
};

struct text {
	const char *p;
	int n;
};

#define TEXT_ARG(t) (t).n, (t).p

/* One end of a call. What a repetition needs is kept as it was sent. */
struct end {
	enum state state;
	unsigned repeats;
	uint64_t begun_ns;
	char *kept; /* the message that waits for an answer, or the phone's names for its BYE */
	int kept_n;
};

/* Things that are due a fixed time after they were put in. */
struct due {
	uint64_t at_ns;
	uint32_t end;
	enum state state; /* nothing to do when the end has left it */
};

struct line {
	struct due *due;
	size_t first, n, size;
};

struct side {
	int socket;
	const char *ip;
	struct sockaddr_in control;
	struct end *ends;
	struct line repeats;
	struct mmsghdr out[BURST];
	struct iovec part[BURST];
	char message[BURST][MESSAGE_SIZE];
	unsigned n_out;
};

struct options {
	const char *control, *caller, *agent, *number;
	uint32_t calls, first;
	double rate;
	uint64_t talk_ns;
	bool hold;
};

static struct options options;
static struct side callers, phones;
static struct line talks;
static uint32_t n_phones; /* calls that phones have got */
static uint64_t *dialogs; /* hashes of their Call-IDs, open addressing */
static uint32_t *dialog_end;
static uint32_t dialogs_mask;
static uint32_t offered, answered, ended, failed, refused, repeats, repeats_seen;
static float *setup_ms;
static uint64_t now_ns;

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "callers: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *take(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		die("memory");
	return p;
}

/* ---- what is due --------------------------------------------------------------------------- */

static void line_put(struct line *line, uint64_t after_ns, uint32_t end, enum state state)
{
	if (line->first + line->n == line->size) {
		memmove(line->due, line->due + line->first, line->n * sizeof(*line->due));
		line->first = 0;
	}
	if (line->n == line->size) {
		line->size = line->size ? line->size * 2 : 4096;
		line->due = realloc(line->due, line->size * sizeof(*line->due));
		if (!line->due)
			die("memory");
	}
	line->due[line->first + line->n++] = (struct due){now_ns + after_ns, end, state};
}

static bool line_take(struct line *line, struct due *out)
{
	if (line->n == 0 || line->due[line->first].at_ns > now_ns)
		return false;
	*out = line->due[line->first++];
	line->n--;
	return true;
}

/* ---- sending ------------------------------------------------------------------------------- */

static void flush(struct side *side)
{
	for (unsigned at = 0; at < side->n_out;) {
		int n = sendmmsg(side->socket, side->out + at, side->n_out - at, 0);

		if (n < 0 && errno != EAGAIN && errno != ENOBUFS)
			die("sendmmsg");
		at += n > 0 ? (unsigned)n : 0;
	}
	side->n_out = 0;
}

static void put(struct side *side, const char *bytes, int n)
{
	unsigned at = side->n_out++;

	memcpy(side->message[at], bytes, (size_t)n);
	side->part[at] = (struct iovec){side->message[at], (size_t)n};
	side->out[at].msg_hdr = (struct msghdr){.msg_name = &side->control,
		.msg_namelen = sizeof(side->control),
		.msg_iov = &side->part[at],
		.msg_iovlen = 1};
	if (side->n_out == BURST)
		flush(side);
}

__attribute__((format(printf, 2, 3))) static int print(char *message, const char *format, ...)
{
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(message, MESSAGE_SIZE, format, list);
	va_end(list);
	if (n >= MESSAGE_SIZE) {
		fprintf(stderr, "callers: a message is too long\n");
		exit(1);
	}
	return n;
}

static void keep(struct end *end, const char *message, int n)
{
	free(end->kept);
	end->kept = take(1, (size_t)n);
	memcpy(end->kept, message, (size_t)n);
	end->kept_n = n;
}

static void forget(struct end *end, enum state state)
{
	free(end->kept);
	end->kept = NULL;
	end->state = state;
}

/* Sends, and again until the state is left. */
static void put_reliably(
	struct side *side, uint32_t number, enum state state, const char *message, int n)
{
	struct end *end = &side->ends[number];

	keep(end, message, n);
	end->state = state;
	end->repeats = 0;
	put(side, message, n);
	line_put(&side->repeats, REPEAT_NS, number, state);
}

static void repeat(struct side *side)
{
	struct due due;

	while (line_take(&side->repeats, &due)) {
		struct end *end = &side->ends[due.end];

		if (end->state != due.state || end->repeats == REPEATS_MAX)
			continue;
		end->repeats++;
		repeats++;
		put(side, end->kept, end->kept_n);
		line_put(&side->repeats, REPEAT_NS, due.end, due.state);
	}
}

/* ---- reading ------------------------------------------------------------------------------- */

struct message {
	struct text first, vias, from, to, call_id, cseq, contact, retry_after;
	int code; /* 0: a request */
};

static bool is_header(struct text line, const char *name, struct text *value)
{
	int n = (int)strlen(name);

	if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, (size_t)n) != 0)
		return false;
	for (n++; n < line.n && line.p[n] == ' '; n++)
		;
	*value = (struct text){line.p + n, line.n - n};
	return true;
}

/* Control writes its Vias first and together, so their lines are kept as one piece. */
static bool read_message(const char *p, int n, struct message *m)
{
	const char *end = p + n, *eol;
	struct text line, via;

	*m = (struct message){0};
	for (; (eol = memchr(p, '\r', (size_t)(end - p))) && eol > p; p = eol + 2) {
		line = (struct text){p, (int)(eol - p)};
		if (!m->first.p)
			m->first = line;
		else if (is_header(line, "Via", &via))
			m->vias = (struct text){m->vias.p ? m->vias.p : p,
				(int)(eol + 2 - (m->vias.p ? m->vias.p : p))};
		else if (!is_header(line, "From", &m->from) && !is_header(line, "To", &m->to) &&
			 !is_header(line, "Call-ID", &m->call_id) &&
			 !is_header(line, "Retry-After", &m->retry_after) &&
			 !is_header(line, "CSeq", &m->cseq))
			is_header(line, "Contact", &m->contact);
		if (eol + 2 > end)
			return false;
	}
	if (!m->call_id.p || !m->from.p || !m->to.p || !m->cseq.p)
		return false;
	if (m->first.n > 12 && memcmp(m->first.p, "SIP/2.0 ", 8) == 0)
		m->code = atoi(m->first.p + 8);
	return true;
}

static bool method_is(const struct message *m, const char *name)
{
	size_t n = strlen(name);

	return (size_t)m->first.n > n && memcmp(m->first.p, name, n) == 0 && m->first.p[n] == ' ';
}

/* The number behind `mark`, or UINT32_MAX. */
static uint32_t number_behind(struct text t, const char *mark, uint32_t below)
{
	const char *at = memmem(t.p, (size_t)t.n, mark, strlen(mark));
	unsigned long n = at ? strtoul(at + strlen(mark), NULL, 10) : UINT32_MAX;

	return n < below ? (uint32_t)n : UINT32_MAX;
}

static struct text uri_of(struct text header)
{
	const char *open = memchr(header.p, '<', (size_t)header.n), *close;

	if (!open)
		return header;
	open++;
	close = memchr(open, '>', (size_t)(header.p + header.n - open));
	return (struct text){open, close ? (int)(close - open) : 0};
}

static void respond(struct side *side, const struct message *m, const char *status)
{
	char message[MESSAGE_SIZE];
	int n = print(message,
		"SIP/2.0 %s\r\n%.*sFrom: %.*s\r\nTo: %.*s\r\nCall-ID: %.*s\r\nCSeq: %.*s\r\n"
		"Content-Length: 0\r\n\r\n",
		status, TEXT_ARG(m->vias), TEXT_ARG(m->from), TEXT_ARG(m->to), TEXT_ARG(m->call_id),
		TEXT_ARG(m->cseq));

	put(side, message, n);
}

/* ---- callers ------------------------------------------------------------------------------- */

static const char sdp_format[] = "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
				 "m=audio %u RTP/AVP 0 8 101\r\n"
				 "a=rtpmap:101 telephone-event/8000\r\n";

static int sdp_of(char *sdp, const char *ip, uint32_t number)
{
	return print(sdp, sdp_format, ip, ip, 10000 + number % 20000 * 2);
}

static void invite(uint32_t number)
{
	struct end *end = &callers.ends[number];
	char message[MESSAGE_SIZE], sdp[MESSAGE_SIZE];
	uint32_t name = options.first + number;
	int n = sdp_of(sdp, callers.ip, name);

	end->begun_ns = now_ns;
	n = print(message,
		"INVITE sip:%s@%s:5060 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP %s:5060;branch=z9hG4bKi%u\r\n"
		"From: <sip:+1202555%07u@%s>;tag=c%u\r\n"
		"To: <sip:%s@%s>\r\n"
		"Call-ID: c%u@%s\r\n"
		"CSeq: 1 INVITE\r\n"
		"Contact: <sip:caller@%s:5060>\r\n"
		"Max-Forwards: 70\r\n"
		"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"
		"Content-Type: application/sdp\r\n"
		"Content-Length: %d\r\n\r\n%s",
		options.number, options.control, callers.ip, name, name, callers.ip, name,
		options.number, options.control, name, callers.ip, callers.ip, n, sdp);
	put_reliably(&callers, number, INVITED, message, n);
}

/* Of a refusal the ACK bears the branch of the INVITE and goes where that went. */
static void acknowledge(const struct message *m, uint32_t number)
{
	char message[MESSAGE_SIZE], where[64];
	struct text target = uri_of(m->contact);
	bool good = m->code < 300;

	if (!good)
		target = (struct text){where, snprintf(where, sizeof(where), "sip:%s@%s:5060",
						      options.number, options.control)};
	int n = print(message,
		"ACK %.*s SIP/2.0\r\n"
		"Via: SIP/2.0/UDP %s:5060;branch=z9hG4bK%c%u\r\n"
		"From: %.*s\r\nTo: %.*s\r\nCall-ID: %.*s\r\n"
		"CSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		TEXT_ARG(target), callers.ip, good ? 'k' : 'i', options.first + number,
		TEXT_ARG(m->from), TEXT_ARG(m->to), TEXT_ARG(m->call_id));

	put(&callers, message, n);
}

static void on_caller_response(const struct message *m, uint32_t number)
{
	struct end *end = &callers.ends[number];

	if (m->code < 200 || !memmem(m->cseq.p, (size_t)m->cseq.n, "INVITE", 6))
		return;
	acknowledge(m, number);
	if (end->state != INVITED) {
		repeats_seen++;
	} else if (m->code < 300) {
		setup_ms[answered++] = (float)(now_ns - end->begun_ns) / (float)MS;
		forget(end, TALKING);
	} else {
		failed++;
		refused += m->code == 503 && m->retry_after.p;
		forget(end, OVER);
	}
}

static void on_caller(const struct message *m)
{
	uint32_t name = number_behind(m->call_id, "c", UINT32_MAX), number = name - options.first;

	if (name < options.first || number >= options.calls)
		return;
	if (m->code) {
		on_caller_response(m, number);
		return;
	}
	respond(&callers, m, "200 OK");
	if (!method_is(m, "BYE"))
		return;
	if (callers.ends[number].state == OVER)
		repeats_seen++;
	else
		ended++;
	forget(&callers.ends[number], OVER);
}

/* ---- phones -------------------------------------------------------------------------------- */

/* The end of the dialog that an INVITE names; a new one when it was not there. */
static uint32_t end_of(struct text call_id)
{
	uint64_t hash = 0xcbf29ce484222325ull;
	uint32_t at;

	for (int i = 0; i < call_id.n; i++)
		hash = (hash ^ (uint8_t)call_id.p[i]) * 0x100000001b3ull;
	for (at = (uint32_t)hash & dialogs_mask; dialogs[at]; at = (at + 1) & dialogs_mask)
		if (dialogs[at] == hash)
			return dialog_end[at];
	dialogs[at] = hash;
	dialog_end[at] = n_phones;
	return n_phones++;
}

static void accept_call(const struct message *m, uint32_t number)
{
	struct text target = uri_of(m->contact);
	char message[MESSAGE_SIZE], sdp[MESSAGE_SIZE], names[MESSAGE_SIZE];
	int n = sdp_of(sdp, phones.ip, options.first + number);

	n = print(message,
		"SIP/2.0 200 OK\r\n%.*sFrom: %.*s\r\nTo: %.*s;tag=a%u\r\nCall-ID: %.*s\r\n"
		"CSeq: %.*s\r\nContact: <sip:agent@%s:5060>\r\n"
		"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"
		"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
		TEXT_ARG(m->vias), TEXT_ARG(m->from), TEXT_ARG(m->to), number, TEXT_ARG(m->call_id),
		TEXT_ARG(m->cseq), phones.ip, n, sdp);
	put_reliably(&phones, number, ANSWERED, message, n);
	/* for the BYE, behind what is repeated */
	n = print(names,
		"BYE %.*s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bKb%u\r\n"
		"From: %.*s;tag=a%u\r\nTo: %.*s\r\nCall-ID: %.*s\r\n"
		"CSeq: 1 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		TEXT_ARG(target), phones.ip, options.first + number, TEXT_ARG(m->to), number,
		TEXT_ARG(m->from), TEXT_ARG(m->call_id));
	struct end *end = &phones.ends[number];
	end->kept = realloc(end->kept, (size_t)(end->kept_n + n));
	if (!end->kept)
		die("memory");
	memcpy(end->kept + end->kept_n, names, (size_t)n);
	end->begun_ns = (uint64_t)n; /* how much of it is the BYE */
}

static void hang_up(uint32_t number)
{
	struct end *end = &phones.ends[number];
	char message[MESSAGE_SIZE];
	int n = (int)end->begun_ns;

	if (end->state != TALKING)
		return;
	memcpy(message, end->kept + end->kept_n, (size_t)n);
	put_reliably(&phones, number, ENDING, message, n);
}

static void on_phone_request(const struct message *m)
{
	uint32_t number;

	if (method_is(m, "INVITE")) {
		number = end_of(m->call_id);
		if (number >= options.calls * 2)
			return;
		if (phones.ends[number].state == UNUSED)
			accept_call(m, number);
		else
			repeats_seen++;
		return;
	}
	number = number_behind(m->to, "tag=a", n_phones);
	if (method_is(m, "ACK") && number != UINT32_MAX && phones.ends[number].state == ANSWERED) {
		phones.ends[number].state = TALKING;
		line_put(&talks, options.talk_ns, number, TALKING);
	} else if (!method_is(m, "ACK")) {
		respond(&phones, m, "200 OK");
		if (number != UINT32_MAX && method_is(m, "BYE"))
			forget(&phones.ends[number], OVER);
	}
}

static void on_phone(const struct message *m)
{
	uint32_t number;

	if (!m->code) {
		on_phone_request(m);
		return;
	}
	number = number_behind(m->from, "tag=a", n_phones);
	if (number != UINT32_MAX && phones.ends[number].state == ENDING)
		forget(&phones.ends[number], OVER);
}

/* ---- running ------------------------------------------------------------------------------- */

static void receive(struct side *side, void (*on_message)(const struct message *))
{
	static char data[BURST][MESSAGE_SIZE + 1];
	static struct iovec part[BURST];
	static struct mmsghdr in[BURST];
	struct message message;
	int n;

	do {
		for (unsigned i = 0; i < BURST; i++) {
			part[i] = (struct iovec){data[i], MESSAGE_SIZE};
			in[i].msg_hdr = (struct msghdr){.msg_iov = &part[i], .msg_iovlen = 1};
		}
		n = recvmmsg(side->socket, in, BURST, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			data[i][in[i].msg_len] = '\0';
			if (read_message(data[i], (int)in[i].msg_len, &message))
				on_message(&message);
		}
	} while (n == (int)BURST);
}

static void open_side(struct side *side, const char *ip)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(SIP_PORT)};
	int size = 16 << 20;

	side->ip = ip;
	side->control = local;
	side->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (side->socket < 0 || inet_pton(AF_INET, ip, &local.sin_addr) != 1 ||
		inet_pton(AF_INET, options.control, &side->control.sin_addr) != 1)
		die(ip);
	setsockopt(side->socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(side->socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (bind(side->socket, (struct sockaddr *)&local, sizeof(local)) < 0)
		die(ip);
	side->ends = take(2 * (size_t)options.calls, sizeof(*side->ends));
}

static bool is_over(uint64_t last_ns)
{
	uint32_t good = options.hold ? answered : ended;

	return offered == options.calls &&
	       (good + failed >= options.calls || now_ns > last_ns + PATIENCE_NS);
}

static double run(void)
{
	struct pollfd polled[] = {{callers.socket, POLLIN, 0}, {phones.socket, POLLIN, 0}};
	uint64_t begun_ns = clock_ns(), last_ns = begun_ns;
	struct due due;

	do {
		now_ns = clock_ns();
		while (offered < options.calls &&
			(double)(now_ns - begun_ns) * options.rate >= (double)offered * 1e9) {
			invite(offered++);
			last_ns = now_ns;
		}
		receive(&callers, on_caller);
		receive(&phones, on_phone);
		while (line_take(&talks, &due))
			hang_up(due.end);
		repeat(&callers);
		repeat(&phones);
		flush(&callers);
		flush(&phones);
		poll(polled, 2, 1);
	} while (!is_over(last_ns));
	return (double)(last_ns - begun_ns) / 1e9;
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void report(double offered_s)
{
	uint32_t late = 0;

	qsort(setup_ms, answered, sizeof(*setup_ms), compare);
	while (late < answered && setup_ms[answered - 1 - late] > LATE_MS)
		late++;
	printf("{\"offered\": %u, \"answered\": %u, \"late\": %u, \"ended\": %u, \"failed\": %u, "
	       "\"refused\": %u, \"repeats\": %u, \"repeats_seen\": %u, \"rate\": %.0f, "
	       "\"setup_ms\": %.2f, \"setup_ms_p99\": %.2f, \"setup_ms_max\": %.2f}\n",
		offered, answered, late, ended, failed, refused, repeats, repeats_seen,
		offered_s > 0 ? (double)offered / offered_s : 0.0,
		answered ? (double)setup_ms[answered / 2] : 0.0,
		answered ? (double)setup_ms[answered * 99ull / 100] : 0.0,
		answered ? (double)setup_ms[answered - 1] : 0.0);
}

static void read_options(int argc, char **argv)
{
	static const struct option longs[] = {{"control", 1, NULL, 'c'}, {"caller", 1, NULL, 'l'},
		{"agent", 1, NULL, 'a'}, {"number", 1, NULL, 'n'}, {"calls", 1, NULL, 'N'},
		{"rate", 1, NULL, 'r'}, {"first", 1, NULL, 'f'}, {"talk", 1, NULL, 't'},
		{"hold", 0, NULL, 'h'}, {0}};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'c':
			options.control = optarg;
			break;
		case 'l':
			options.caller = optarg;
			break;
		case 'a':
			options.agent = optarg;
			break;
		case 'n':
			options.number = optarg;
			break;
		case 'N':
			options.calls = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'r':
			options.rate = strtod(optarg, NULL);
			break;
		case 'f':
			options.first = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 't':
			options.talk_ns = strtoul(optarg, NULL, 10) * MS;
			break;
		case 'h':
			options.hold = true;
			break;
		default:
			exit(2);
		}
	}
	if (!options.control || !options.caller || !options.agent || !options.number ||
		!options.calls || options.rate <= 0) {
		fprintf(stderr, "callers: --control, --caller, --agent, --number, --calls and "
				"--rate are needed\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	open_side(&callers, options.caller);
	open_side(&phones, options.agent);
	setup_ms = take(options.calls, sizeof(*setup_ms));
	for (dialogs_mask = 1; dialogs_mask < options.calls * 4; dialogs_mask *= 2)
		;
	dialogs = take(dialogs_mask, sizeof(*dialogs));
	dialog_end = take(dialogs_mask--, sizeof(*dialog_end));
	report(run());
	return failed || (options.hold ? answered : ended) < options.calls;
}
