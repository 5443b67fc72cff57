/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

#define LOG_MESSAGE_MAX 1024

static struct {
	enum log_level level;
	int fd;
	bool json;
	_Atomic uint64_t lost;
} settings = {.level = LOG_LEVEL_INFO, .fd = STDERR_FILENO};

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static const char *const level_words[] = {"DEBUG", "INFO", "WARNING", "ERROR"};

void log_set_level(enum log_level level)
{
	settings.level = level;
}

void log_set_fd(int fd)
{
	settings.fd = fd;
}

void log_set_json(bool json)
{
	settings.json = json;
}

bool log_wants(enum log_level level)
{
	return level >= settings.level;
}

int log_level_parse(const char *name, enum log_level *out)
{
	for (int i = 0; i < 4; i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

uint64_t log_lost(void)
{
	return settings.lost;
}

/* JSON string escapes; the text form uses the same ones for control bytes. */
static void add_escaped(struct strbuf *b, const char *text, bool quotes)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n')
			strbuf_text(b, "\\n");
		else if (c < 0x20 || c == 0x7f)
			strbuf_printf(b, "\\u%04x", c);
		else if (quotes && (c == '"' || c == '\\'))
			strbuf_printf(b, "\\%c", c);
		else
			strbuf_char(b, (char)c);
	}
}

static void add_json_pair(struct strbuf *b, const char *key, const char *value)
{
	strbuf_text(b, ",\"");
	add_escaped(b, key, true);
	strbuf_text(b, "\":\"");
	add_escaped(b, value, true);
	strbuf_char(b, '"');
}

static void format_json(struct strbuf *b, const char *time, enum log_level level,
	const struct log_call *call, const char *area, const char *message)
{
	strbuf_printf(b, "{\"time\":\"%s\"", time);
	add_json_pair(b, "level", level_names[level]);
	add_json_pair(b, "area", area);
	if (call && call->contact)
		add_json_pair(b, "contact", call->contact);
	if (call && call->leg)
		strbuf_printf(b, ",\"leg\":%" PRIu64, call->leg);
	for (unsigned i = 0; call && i < call->n_fields; i++)
		if (call->fields[i].value)
			add_json_pair(b, call->fields[i].key, call->fields[i].value);
	add_json_pair(b, "message", message);
	strbuf_char(b, '}');
}

static void add_text_field(struct strbuf *b, const char *key, const char *value)
{
	bool quote = !*value || strpbrk(value, " \"=:");

	strbuf_printf(b, " %s=%s", key, quote ? "\"" : "");
	add_escaped(b, value, quote);
	if (quote)
		strbuf_char(b, '"');
}

static void format_text(struct strbuf *b, const char *time, enum log_level level,
	const struct log_call *call, const char *area, const char *message)
{
	strbuf_printf(b, "%s %s %s", time, level_words[level], area);
	if (call && call->contact)
		add_text_field(b, "contact", call->contact);
	if (call && call->leg)
		strbuf_printf(b, " leg=%" PRIu64, call->leg);
	for (unsigned i = 0; call && i < call->n_fields; i++)
		if (call->fields[i].value)
			add_text_field(b, call->fields[i].key, call->fields[i].value);
	strbuf_text(b, ": ");
	add_escaped(b, message, false);
}

/* True when this line may pass; counts it otherwise. */
static bool limit_pass(struct log_limit *limit, unsigned per_second, uint32_t *left_out)
{
	uint64_t second = clock_now() / CLOCK_S;

	*left_out = 0;
	if (limit->second != second) {
		limit->second = second;
		limit->count = 0;
	}
	if (limit->count >= per_second) {
		limit->left_out++;
		return false;
	}
	limit->count++;
	*left_out = limit->left_out;
	limit->left_out = 0;
	return true;
}

static void emit(struct strbuf *b)
{
	size_t at = 0;

	b->p[b->n++] = '\n'; /* the buffer has a byte more than the builder knows */
	while (at < b->n) {
		ssize_t put = write(settings.fd, b->p + at, b->n - at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			settings.lost++;
			return;
		}
		at += (size_t)put;
	}
}

void log_write(enum log_level level, const struct log_call *call, const char *area,
	struct log_limit *limit, unsigned per_second, const char *fmt, ...)
{
	char message[LOG_MESSAGE_MAX], line[LOG_LINE_MAX + 2], time[CLOCK_ISO_SIZE];
	uint32_t left_out = 0;
	struct strbuf b;
	va_list args;
	int saved = errno, n;

	if (!log_wants(level) || (limit && !limit_pass(limit, per_second, &left_out)))
		return;
	va_start(args, fmt);
	n = vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (left_out && n >= 0 && (size_t)n < sizeof(message))
		snprintf(message + n, sizeof(message) - (size_t)n, " (%u like it left out)",
			left_out);
	clock_format(clock_wall(), time);
	strbuf_init(&b, line, LOG_LINE_MAX);
	if (settings.json)
		format_json(&b, time, level, call, area, message);
	else
		format_text(&b, time, level, call, area, message);
	if (b.overflow && settings.json) { /* a cut line must stay JSON */
		strbuf_reset(&b);
		format_json(&b, time, level, NULL, area, "(line too long)");
	}
	emit(&b);
	errno = saved;
}
