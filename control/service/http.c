/* SPDX-License-Identifier: Apache-2.0 */
#include "service/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

#define CONNECTIONS_KEPT 64L
#define HEADER_MAX       (64u * 1024) /* bytes of one answer's header lines */

/* A descriptor that libcurl wants watched. */
struct http_socket {
	struct http *http;
	struct http_socket *next, **back;
	curl_socket_t fd;
	struct loop_watch *watch;
};

struct http {
	struct loop *loop;
	CURLM *multi;
	struct timer timer;
	struct http_socket *sockets;
	X509_STORE *trusted; /* by the system */
	bool closing;
};

struct http_post {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct http_request request;
	char error[CURL_ERROR_SIZE];
	char *body;
	size_t n, header_n;
	bool too_large, function_failed;
};

/* ---- what libcurl asks for ---- */

static void socket_drop(struct http_socket *s)
{
	loop_watch_close(s->watch);
	*s->back = s->next;
	if (s->next)
		s->next->back = s->back;
	free(s);
}

static struct http_socket *socket_of(struct http *http, curl_socket_t fd)
{
	struct http_socket *s = http->sockets;

	while (s && s->fd != fd)
		s = s->next;
	return s;
}

static void take_ended(struct http *http);

static void act(struct http *http, curl_socket_t fd, int events)
{
	int running;

	curl_multi_socket_action(http->multi, fd, events, &running);
	take_ended(http);
}

static void on_socket(void *ctx, unsigned revents)
{
	struct http_socket *s = ctx;
	int events = 0;

	if (revents & (POLLIN | POLLHUP))
		events |= CURL_CSELECT_IN;
	if (revents & POLLOUT)
		events |= CURL_CSELECT_OUT;
	if (revents & (POLLERR | POLLNVAL))
		events |= CURL_CSELECT_ERR;
	act(s->http, s->fd, events);
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static int socket_wanted(struct http *http, curl_socket_t fd, unsigned events)
{
	struct http_socket *s = socket_of(http, fd);

	if (s) {
		loop_watch_events(s->watch, events);
		return 0;
	}
	s = calloc(1, sizeof(*s));
	if (!s || loop_watch(http->loop, fd, events, on_socket, s, &s->watch) < 0) {
		free(s);
		return -1;
	}
	s->http = http;
	s->fd = fd;
	s->next = http->sockets;
	s->back = &http->sockets;
	if (s->next)
		s->next->back = &s->next;
	http->sockets = s;
	return 0;
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *assigned)
{
	static const unsigned events[] = {[CURL_POLL_IN] = POLLIN,
		[CURL_POLL_OUT] = POLLOUT,
		[CURL_POLL_INOUT] = POLLIN | POLLOUT};
	struct http *http = ctx;
	struct http_socket *s;

	if (what >= CURL_POLL_IN && what <= CURL_POLL_INOUT)
		return socket_wanted(http, fd, events[what]);
	s = socket_of(http, fd);
	if (s)
		socket_drop(s);
	return 0;
}

static int want_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct http *http = ctx;

	if (timeout_ms < 0 || http->closing)
		timers_cancel(loop_timers(http->loop), &http->timer);
	else
		timers_set(loop_timers(http->loop), &http->timer,
			loop_now(http->loop) + (uint64_t)timeout_ms * CLOCK_MS);
	return 0;
}

/* The watch goes before the descriptor does: its number may be used again at once. */
static int close_socket(void *ctx, curl_socket_t fd)
{
	struct http_socket *s = socket_of(ctx, fd);

	if (s)
		socket_drop(s);
	return close(fd);
}

static size_t take_body(char *data, size_t size, size_t count, void *ctx)
{
	struct http_post *post = ctx;
	size_t n = size * count;

	if (n > post->request.answer_max - post->n) {
		post->too_large = true;
		return 0;
	}
	memcpy(post->body + post->n, data, n);
	post->n += n;
	return n;
}

static size_t take_header(char *data, size_t size, size_t count, void *ctx)
{
	static const char failed[] = "x-amz-function-error:";
	struct http_post *post = ctx;
	size_t n = size * count;

	post->header_n += n;
	if (post->header_n > HEADER_MAX) {
		post->too_large = true;
		return 0;
	}
	if (n >= sizeof(failed) && strncasecmp(data, failed, sizeof(failed) - 1) == 0)
		post->function_failed = true;
	return n;
}

/* ---- one post ---- */

static void post_free(struct http_post *post)
{
	if (post->easy)
		curl_easy_cleanup(post->easy);
	curl_slist_free_all(post->headers);
	free(post->body);
	free(post);
}

static void post_ended(struct http_post *post, CURLcode code)
{
	struct http_answer answer = {.too_large = post->too_large,
		.function_failed = post->function_failed,
		.body = post->body,
		.n = post->n};

	curl_multi_remove_handle(post->http->multi, post->easy);
	curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &answer.status);
	post->body[post->n] = '\0';
	if (code != CURLE_OK && !post->too_large)
		answer.failed = post->error[0] ? post->error : curl_easy_strerror(code);
	post->request.done(post->request.ctx, &answer);
	post_free(post);
}

static void take_ended(struct http *http)
{
	CURLMsg *message;
	char *post;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &post);
		post_ended((struct http_post *)(void *)post, code);
	}
}

static bool add_header(struct http_post *post, const char *line)
{
	struct curl_slist *longer = curl_slist_append(post->headers, line);

	if (longer)
		post->headers = longer;
	return longer;
}

static bool set_headers(struct http_post *post)
{
	const char *const *more = post->request.target->headers;
	/* no Expect: the body is short, and the question whether it may be sent costs a round */
	bool set = add_header(post, "Content-Type: application/json") &&
		   add_header(post, "Accept: application/json") && add_header(post, "Expect:");

	while (set && *more)
		set = add_header(post, *more++);
	return set && curl_easy_setopt(post->easy, CURLOPT_HTTPHEADER, post->headers) == CURLE_OK;
}

static bool set_limits(CURL *easy)
{
	CURLcode rc = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");

	rc |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	rc |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	rc |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	rc |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	rc |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	rc |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* a call that is forgotten does not wait for the thread that resolves its name */
	rc |= curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	return rc == CURLE_OK;
}

static CURLcode trust_system(CURL *easy, void *context, void *ctx)
{
	struct http *http = ctx;

	SSL_CTX_set1_cert_store(context, http->trusted);
	return CURLE_OK;
}

/*
 * libcurl reads the whole of the system's bundle for a connection, which takes 20 ms; the system's
 * directory is asked for the one certificate that is needed.
 */
static bool set_trust(struct http_post *post)
{
	const char *file = post->request.target->ca_file;
	CURLcode rc = curl_easy_setopt(post->easy, CURLOPT_CAPATH, NULL);

	rc |= curl_easy_setopt(post->easy, CURLOPT_CAINFO, file);
	if (!file) {
		rc |= curl_easy_setopt(post->easy, CURLOPT_SSL_CTX_FUNCTION, trust_system);
		rc |= curl_easy_setopt(post->easy, CURLOPT_SSL_CTX_DATA, post->http);
	}
	return rc == CURLE_OK;
}

static bool set_request(struct http_post *post)
{
	const struct http_request *request = &post->request;
	CURL *easy = post->easy;
	CURLcode rc = curl_easy_setopt(easy, CURLOPT_URL, request->target->url);

	rc |= curl_easy_setopt(easy, CURLOPT_POST, 1L);
	rc |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
	rc |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->body_n);
	rc |= curl_easy_setopt(easy, CURLOPT_PRIVATE, post);
	rc |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, post->error);
	rc |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	rc |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, post);
	rc |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	rc |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, post);
	rc |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	rc |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, post->http);
	return rc == CURLE_OK;
}

int http_start(struct http *http, const struct http_request *request, struct http_post **out)
{
	struct http_post *post = calloc(1, sizeof(*post));

	if (!post)
		return -ENOMEM;
	post->http = http;
	post->request = *request;
	post->body = malloc(request->answer_max + 1);
	post->easy = curl_easy_init();
	if (!post->body || !post->easy || !set_limits(post->easy) || !set_request(post) ||
		!set_trust(post) || !set_headers(post) ||
		curl_multi_add_handle(http->multi, post->easy) != CURLM_OK) {
		post_free(post);
		return -ENOMEM;
	}
	*out = post;
	return 0;
}

void http_cancel(struct http_post *post)
{
	curl_multi_remove_handle(post->http->multi, post->easy);
	post_free(post);
}

/* ---- all of it ---- */

/* Without threads for names a slow resolver would hold up every call. */
static bool library_is_good(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
	bool good = info->version_num >= 0x075700 && info->features & CURL_VERSION_ASYNCHDNS &&
		    info->features & CURL_VERSION_SSL && info->ssl_version &&
		    strncmp(info->ssl_version, "OpenSSL", 7) == 0;

	if (!good)
		log_error(NULL, "service",
			"libcurl %s cannot be used: expected 7.87 or later, with OpenSSL and "
			"names resolved on threads",
			info->version);
	return good;
}

int http_create(struct loop *loop, struct http **out)
{
	struct http *http;
	CURLMcode rc;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !library_is_good())
		return -EIO;
	http = calloc(1, sizeof(*http));
	if (!http)
		return -ENOMEM;
	http->loop = loop;
	http->multi = curl_multi_init();
	timer_init(&http->timer, on_timer, http);
	http->trusted = X509_STORE_new();
	if (!http->multi || !http->trusted || X509_STORE_set_default_paths(http->trusted) != 1 ||
		X509_STORE_set_flags(http->trusted, X509_V_FLAG_PARTIAL_CHAIN) != 1) {
		http_destroy(http);
		return -ENOMEM;
	}
	rc = curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	rc |= curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	rc |= curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	rc |= curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	rc |= curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
	if (rc != CURLM_OK) {
		http_destroy(http);
		return -EIO;
	}
	*out = http;
	return 0;
}

void http_destroy(struct http *http)
{
	if (!http)
		return;
	http->closing = true;
	curl_multi_cleanup(http->multi);
	while (http->sockets)
		socket_drop(http->sockets);
	timers_cancel(loop_timers(http->loop), &http->timer);
	X509_STORE_free(http->trusted);
	free(http);
}
