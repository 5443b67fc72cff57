/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ear: the media of many test phones in one process. See usage() for the commands.
 */
#include "ear_leg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LEGS_MAX = 512, WORDS_MAX = 20, LINE_MAX_BYTES = 4096, STAGGER_NS = 1300000 };

static struct ear_leg *legs[LEGS_MAX];
static unsigned leg_count;
static struct tone_bank bank;
static struct ear_options defaults = {
	.ptime_ms = 20,
	.event_clock_khz = 8,
	.payload_type = -1,
	.event_payload_type = 101,
	.level_db = -10,
	.seed = 1,
};
static uint64_t epoch_ns;
static volatile sig_atomic_t stop;

static void usage(FILE *out)
{
	fputs("usage: ear [OPTIONS]\n"
	      "Sends and hears RTP tones for many legs. Commands come on standard input, one a "
	      "line;\n"
	      "each is answered by one line of JSON with \"ok\". What is heard is told as it "
	      "happens by\n"
	      "lines with \"event\". End of input, quit or SIGTERM print all reports and end.\n"
	      "\n"
	      "Defaults of new legs; a leg line may say the same as NAME=VALUE (ptime=30):\n"
	      "  --codec pcmu|pcma|g722|opus  --ptime MS  --level DBM0  --payload PT|-1\n"
	      "  --event PT|-1  --eventclock KHZ\n"
	      "  --loss PERMILLE  --reorder PERMILLE  --jitter-ms MS  --drift-ppm N  --seed N  "
	      "--learn\n"
	      "Others:\n"
	      "  --tones LOW:HIGH:STEP  the tones it can tell apart (400:2000:50)\n"
	      "  --stay                 go on at the end of input\n"
	      "\n"
	      "Commands:\n"
	      "  leg NAME IP PORT HZ [OPTION=VALUE ...]  open (port 0: any; HZ 0: silence)\n"
	      "  remote NAME IP PORT      send there\n"
	      "  key NAME SUITE OURS THEIRS  SRTP with these keys, as a=crypto has them\n"
	      "  attack NAME plain|forged|replayed COUNT [HZ]  send packets at once as one who "
	      "has\n"
	      "                           our address and not our keys: of a tone, of noise, the "
	      "last\n"
	      "  tone NAME HZ [LEVEL]     change what is sent\n"
	      "  set NAME OPTION=VALUE .. change options\n"
	      "  mute NAME, unmute NAME   send silence, the tone again\n"
	      "  hold NAME, resume NAME   send nothing, send again\n"
	      "  digit NAME DIGITS [MS]   send telephone-events, or tones with event=-1\n"
	      "  ssrc NAME                new SSRC\n"
	      "  jump NAME SEQUENCE TIMESTAMP  add to the numbers of what is sent\n"
	      "  report [NAME], clear [NAME], close NAME, mark TEXT, quit\n"
	      "\n"
	      "A report: packets sent, received (the last with `sequence`), missing, duplicates,\n"
	      "reordered, timestamp_jumps,\n"
	      "ssrc_changes, unprotected (did not authenticate); pauses (no packet for more than "
	      "60 ms), quiet (neither tone nor "
	      "sound),\n"
	      "digits, and heard: tones (hz 0: sound that is no tone) with from_ms, to_ms, dbm0,\n"
	      "frames of 20 ms and breaks (frames in between without it).\n"
	      "Times are milliseconds from the start, told by the first line as CLOCK_MONOTONIC.\n",
		out);
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static uint64_t now_ms(void)
{
	return (clock_ns() - epoch_ns) / 1000000;
}

/* ---- what happens --------------------------------------------------------------------------- */

static void told_tone(void *context, const struct tone_heard *h)
{
	struct ear_leg *leg = context;
	unsigned hz = h->tone == TONES_SOUND ? 0 : bank.hz[h->tone];

	printf("{\"event\":\"%s\",\"leg\":\"%s\",\"hz\":%u,\"from_ms\":%llu,\"to_ms\":%llu,"
	       "\"dbm0\":%.1f,"
	       "\"breaks\":%u}\n",
		h->open ? "tone" : "tone_end", leg->name, hz, (unsigned long long)h->from_ms,
		(unsigned long long)h->to_ms, tone_heard_level(h), h->breaks);
}

static void told_key(struct ear_leg *leg, char digit, uint64_t at_ms)
{
	printf("{\"event\":\"digit\",\"leg\":\"%s\",\"digit\":\"%c\",\"at_ms\":%llu}\n", leg->name,
		digit, (unsigned long long)at_ms);
}

/* ---- options -------------------------------------------------------------------------------- */

static const char *number(const char *text, long low, long high, long *value)
{
	char *end;

	*value = strtol(text, &end, 10);
	return *text && !*end && *value >= low && *value <= high ? NULL : "number out of range";
}

static const char *set_codec(struct ear_options *o, const char *value)
{
	enum ear_codec_kind kind = ear_codec_kind(value);

	if (kind == EAR_CODECS)
		return "codec is pcmu, pcma, g722 or opus";
	o->codec = kind;
	return NULL;
}

static const char *set_option(struct ear_options *o, const char *name, const char *value)
{
	const struct {
		const char *name;
		long low, high;
		unsigned *positive;
		int *any;
	} rows[] = {
		{"loss", 0, 1000, &o->loss, NULL},
		{"reorder", 0, 1000, &o->reorder, NULL},
		{"jitter-ms", 0, 1000, &o->jitter_ms, NULL},
		{"drift-ppm", -100000, 100000, NULL, &o->drift_ppm},
		{"seed", 0, 1000000000, &o->seed, NULL},
		{"event", -1, 127, NULL, &o->event_payload_type},
		{"payload", -1, 127, NULL, &o->payload_type},
		{"eventclock", 8, 48, &o->event_clock_khz, NULL},
		{"ptime", 10, 60, &o->ptime_ms, NULL},
	};
	long n;

	if (strcmp(name, "codec") == 0)
		return set_codec(o, value);
	if (strcmp(name, "level") == 0) {
		o->level_db = atof(value);
		return o->level_db <= 3 && o->level_db >= -60 ? NULL : "level is -60..3";
	}
	if (strcmp(name, "learn") == 0) {
		o->learn = strcmp(value, "0") != 0;
		return NULL;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(name, rows[i].name) != 0)
			continue;
		const char *wrong = number(value, rows[i].low, rows[i].high, &n);
		if (wrong)
			return wrong;
		if (rows[i].positive)
			*rows[i].positive = (unsigned)n;
		else
			*rows[i].any = (int)n;
		return NULL;
	}
	return "no such option";
}

/* Words of the form NAME=VALUE. */
static const char *set_options(struct ear_options *o, char **word, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char *equals = strchr(word[i], '=');

		if (!equals)
			return "options are NAME=VALUE";
		*equals = '\0';
		const char *wrong = set_option(o, word[i], equals + 1);
		if (wrong)
			return wrong;
	}
	return NULL;
}

/* ---- commands ------------------------------------------------------------------------------- */

/* Each returns NULL, or what is wrong. word[0] is the command, word[1] the leg's name. */
typedef const char *command_fn(struct ear_leg *leg, char **word, unsigned count);

static struct ear_leg *find(const char *name)
{
	for (unsigned i = 0; i < leg_count; i++)
		if (strcmp(legs[i]->name, name) == 0)
			return legs[i];
	return NULL;
}

static const char *tone_hz(const char *text, unsigned *hz)
{
	long n;

	if (number(text, 0, 4000, &n) != NULL)
		return "tone is a frequency in Hz";
	for (unsigned i = 0; i < bank.count; i++)
		if (bank.hz[i] == (unsigned)n || n == 0) {
			*hz = (unsigned)n;
			return NULL;
		}
	return "tone is not one of --tones";
}

static const char *do_leg(struct ear_leg *leg, char **word, unsigned count)
{
	static char reason[128];
	struct ear_options options = defaults;
	long port;
	unsigned hz;

	if (leg || leg_count == LEGS_MAX)
		return leg ? "leg exists" : "too many legs";
	if (strlen(word[1]) >= EAR_NAME_MAX ||
		strspn(word[1],
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") !=
			strlen(word[1]))
		return "name is up to 31 of A-Z a-z 0-9 _ . -";
	const char *wrong = number(word[3], 0, 65535, &port);
	if (!wrong)
		wrong = tone_hz(word[4], &hz);
	if (!wrong)
		wrong = set_options(&options, word + 5, count - 5);
	if (wrong)
		return wrong;
	leg = calloc(1, sizeof(*leg));
	if (!leg)
		return "out of memory";
	int error = ear_leg_open(leg, word[1], word[2], (unsigned)port, &options);
	if (error) {
		free(leg);
		snprintf(reason, sizeof(reason), "cannot bind: %s", strerror(-error));
		return reason;
	}
	leg->epoch_ns = epoch_ns;
	leg->bank = &bank;
	leg->told = told_tone;
	leg->key = told_key;
	leg->tone_hz = hz;
	legs[leg_count++] = leg;
	return NULL;
}

static const char *do_remote(struct ear_leg *leg, char **word, unsigned count)
{
	union ear_address remote;
	long port;

	if (number(word[3], 1, 65535, &port) != NULL ||
		ear_address_make(&remote, word[2], (unsigned)port) < 0 ||
		remote.any.sa_family != leg->local.any.sa_family)
		return "remote is an address of the leg's family and a port";
	if (!leg->has_remote)
		leg->next_ns = clock_ns() + (leg_count * STAGGER_NS) % 20000000;
	leg->remote = remote;
	leg->has_remote = true;
	return NULL;
}

static const char *do_key(struct ear_leg *leg, char **word, unsigned count)
{
	return ear_leg_key(leg, word[2], word[3], word[4]) ? "key is a suite of SDP and two keys"
							   : NULL;
}

static const char *do_attack(struct ear_leg *leg, char **word, unsigned count)
{
	static const char *const ways[EAR_ATTACKS] = {
		[EAR_PLAIN] = "plain", [EAR_FORGED] = "forged", [EAR_REPLAYED] = "replayed"};
	unsigned hz = 0;
	long n;

	if (number(word[3], 1, 1000, &n) != NULL)
		return "an attack has 1..1000 packets";
	if (count > 4 && tone_hz(word[4], &hz) != NULL)
		return "tone is not one of --tones";
	for (unsigned i = 0; i < EAR_ATTACKS; i++) {
		if (strcmp(ways[i], word[2]) != 0)
			continue;
		ear_leg_attack(leg, (enum ear_attack)i, (unsigned)n, hz);
		return NULL;
	}
	return "an attack is plain, forged or replayed";
}

static const char *do_tone(struct ear_leg *leg, char **word, unsigned count)
{
	const char *wrong = tone_hz(word[2], &leg->tone_hz);

	return !wrong && count > 3 ? set_option(&leg->options, "level", word[3]) : wrong;
}

static const char *do_set(struct ear_leg *leg, char **word, unsigned count)
{
	return set_options(&leg->options, word + 2, count - 2);
}

static const char *do_flag(struct ear_leg *leg, char **word, unsigned count)
{
	if (strstr(word[0], "mute"))
		leg->muted = word[0][0] == 'm';
	else
		leg->held = word[0][0] == 'h';
	return NULL;
}

static const char *do_digit(struct ear_leg *leg, char **word, unsigned count)
{
	long ms = 100;

	if (count > 3 && number(word[3], 40, 2000, &ms) != NULL)
		return "digits last 40..2000 ms";
	return ear_leg_digits(leg, word[2], (unsigned)ms) ? "digits are up to 64 of 0-9 * # A-D"
							  : NULL;
}

static const char *do_ssrc(struct ear_leg *leg, char **word, unsigned count)
{
	leg->ssrc = leg->ssrc * 2654435761u + 1;
	leg->sequence = (uint16_t)(leg->ssrc >> 3);
	leg->timestamp ^= leg->ssrc;
	leg->marker = true;
	return NULL;
}

static const char *do_jump(struct ear_leg *leg, char **word, unsigned count)
{
	leg->sequence = (uint16_t)(leg->sequence + strtol(word[2], NULL, 0));
	leg->timestamp += (uint32_t)strtol(word[3], NULL, 0);
	return NULL;
}

static const char *do_report(struct ear_leg *leg, char **word, unsigned count)
{
	for (unsigned i = 0; i < leg_count; i++)
		if (!leg || legs[i] == leg)
			ear_leg_report(legs[i], clock_ns());
	return NULL;
}

static const char *do_clear(struct ear_leg *leg, char **word, unsigned count)
{
	for (unsigned i = 0; i < leg_count; i++)
		if (!leg || legs[i] == leg)
			ear_leg_clear(legs[i]);
	return NULL;
}

static const char *do_close(struct ear_leg *leg, char **word, unsigned count)
{
	for (unsigned i = 0; i < leg_count; i++)
		if (legs[i] == leg)
			legs[i] = legs[--leg_count];
	ear_leg_close(leg);
	free(leg);
	return NULL;
}

static const char *do_mark(struct ear_leg *leg, char **word, unsigned count)
{
	return NULL;
}

static const char *do_quit(struct ear_leg *leg, char **word, unsigned count)
{
	stop = 1;
	return NULL;
}

enum leg_rule { LEG_NEW, LEG_MUST, LEG_MAY, LEG_NONE };

static const struct command {
	const char *name;
	command_fn *run;
	unsigned least; /* words, the command included */
	enum leg_rule rule;
} commands[] = {
	{"leg", do_leg, 5, LEG_NEW},
	{"remote", do_remote, 4, LEG_MUST},
	{"key", do_key, 5, LEG_MUST},
	{"attack", do_attack, 4, LEG_MUST},
	{"tone", do_tone, 3, LEG_MUST},
	{"set", do_set, 3, LEG_MUST},
	{"mute", do_flag, 2, LEG_MUST},
	{"unmute", do_flag, 2, LEG_MUST},
	{"hold", do_flag, 2, LEG_MUST},
	{"resume", do_flag, 2, LEG_MUST},
	{"digit", do_digit, 3, LEG_MUST},
	{"ssrc", do_ssrc, 2, LEG_MUST},
	{"jump", do_jump, 4, LEG_MUST},
	{"report", do_report, 1, LEG_MAY},
	{"clear", do_clear, 1, LEG_MAY},
	{"close", do_close, 2, LEG_MUST},
	{"mark", do_mark, 1, LEG_NONE},
	{"quit", do_quit, 1, LEG_NONE},
};

static const char *dispatch(char **word, unsigned count)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];
		struct ear_leg *leg = count > 1 ? find(word[1]) : NULL;

		if (strcmp(c->name, word[0]) != 0)
			continue;
		if (count < c->least)
			return "too few words";
		if (!leg && (c->rule == LEG_MUST || (c->rule == LEG_MAY && count > 1)))
			return "no such leg";
		return c->run(leg, word, count);
	}
	return "no such command";
}

static void run_line(char *line)
{
	char *word[WORDS_MAX], *rest = line;
	unsigned count = 0;
	char name[EAR_NAME_MAX] = "";

	while (count < WORDS_MAX && (word[count] = strtok_r(rest, " \t\r\n", &rest)))
		count++;
	if (count == 0 || word[0][0] == '#')
		return;
	if (count > 1)
		snprintf(name, sizeof(name), "%.31s", word[1]);
	for (char *c = name; *c; c++)
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
			*c = '?';
	const char *wrong = dispatch(word, count);
	struct ear_leg *leg = count > 1 ? find(name) : NULL;
	if (wrong)
		printf("{\"ok\":false,\"leg\":\"%s\",\"error\":\"%s\"}\n", name, wrong);
	else
		printf("{\"ok\":true,\"command\":\"%s\",\"leg\":\"%s\",\"port\":%u,\"now_ms\":%llu}"
		       "\n",
			word[0], name, leg ? ear_address_port(&leg->local) : 0,
			(unsigned long long)now_ms());
}

/* ---- the loop ------------------------------------------------------------------------------- */

/* Reads commands. False: the input has ended. */
static bool read_commands(void)
{
	static char buffer[LINE_MAX_BYTES];
	static size_t filled;
	ssize_t got = read(STDIN_FILENO, buffer + filled, sizeof(buffer) - 1 - filled);

	if (got <= 0)
		return got < 0 && (errno == EINTR || errno == EAGAIN);
	filled += (size_t)got;
	buffer[filled] = '\0';
	char *line = buffer, *end;
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		run_line(line);
		line = end + 1;
	}
	filled -= (size_t)(line - buffer);
	memmove(buffer, line, filled);
	if (filled == sizeof(buffer) - 1)
		filled = 0;
	return true;
}

static uint64_t send_all(void)
{
	uint64_t now = clock_ns(), next = now + 1000000000ull;

	for (unsigned i = 0; i < leg_count; i++) {
		uint64_t at = ear_leg_send(legs[i], now);
		next = at < next ? at : next;
	}
	return next;
}

static void loop(bool stay)
{
	bool input = true;

	while (!stop && (input || stay)) {
		struct pollfd fds[LEGS_MAX + 1];
		unsigned polled = leg_count;
		uint64_t next = send_all(), now = clock_ns();
		uint64_t wait = next > now ? next - now : 0;
		struct timespec timeout = {(time_t)(wait / 1000000000), (long)(wait % 1000000000)};

		fflush(stdout);
		for (unsigned i = 0; i < polled; i++)
			fds[i] = (struct pollfd){.fd = legs[i]->fd, .events = POLLIN};
		fds[polled] = (struct pollfd){.fd = input ? STDIN_FILENO : -1, .events = POLLIN};
		if (ppoll(fds, polled + 1, &timeout, NULL) < 0)
			continue;
		for (unsigned i = 0; i < polled; i++)
			if (fds[i].revents)
				ear_leg_receive(legs[i]);
		if (fds[polled].revents)
			input = read_commands();
	}
}

static void on_signal(int number_)
{
	stop = 1;
}

static void parse_options(int count, char **words, bool *stay)
{
	static const struct option rows[] = {{"codec", 1, 0, 'o'}, {"ptime", 1, 0, 'o'},
		{"level", 1, 0, 'o'}, {"event", 1, 0, 'o'}, {"payload", 1, 0, 'o'},
		{"eventclock", 1, 0, 'o'}, {"loss", 1, 0, 'o'}, {"reorder", 1, 0, 'o'},
		{"jitter-ms", 1, 0, 'o'}, {"drift-ppm", 1, 0, 'o'}, {"seed", 1, 0, 'o'},
		{"learn", 0, 0, 'l'}, {"tones", 1, 0, 't'}, {"stay", 0, 0, 's'},
		{"help", 0, 0, 'h'}, {0}};
	unsigned low = 400, high = 2000, step = 50;
	const char *wrong = NULL;
	int option, row;

	while ((option = getopt_long(count, words, "h", rows, &row)) >= 0) {
		if (option == 'o')
			wrong = set_option(&defaults, rows[row].name, optarg);
		else if (option == 't' && sscanf(optarg, "%u:%u:%u", &low, &high, &step) != 3)
			wrong = "tones are LOW:HIGH:STEP";
		else if (option == 'l')
			defaults.learn = true;
		else if (option == 's')
			*stay = true;
		if (option == 'h') {
			usage(stdout);
			exit(0);
		}
		if (option == '?' || wrong)
			break;
	}
	if (!wrong && tone_bank_init(&bank, low, high, step) != 0)
		wrong = "no such bank of tones";
	if (wrong || option == '?' || optind < count) {
		fprintf(stderr, "ear: %s\n", wrong ? wrong : "bad usage, see --help");
		exit(2);
	}
}

int main(int count, char **words)
{
	bool stay = false;

	parse_options(count, words, &stay);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGPIPE, SIG_IGN);
	epoch_ns = clock_ns();
	printf("{\"event\":\"start\",\"monotonic_ms\":%llu}\n",
		(unsigned long long)(epoch_ns / 1000000));
	loop(stay);
	do_report(NULL, NULL, 0);
	while (leg_count > 0)
		do_close(legs[0], NULL, 0);
	return 0;
}
