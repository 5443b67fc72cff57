/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/ctl.h"

static void set_timeout(int fd, time_t seconds)
{
	struct timeval limit = {.tv_sec = seconds};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

int ctl_open(struct ctl_link *link, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t n = strlen(path);

	*link = (struct ctl_link){.fd = -1};
	if (n >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, n + 1);
	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->fd < 0)
		return -errno;
	if (connect(link->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = -errno;

		ctl_close(link);
		return error;
	}
	set_timeout(link->fd, CTL_TIMEOUT_S);
	return 0;
}

void ctl_close(struct ctl_link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	free(link->rest);
	*link = (struct ctl_link){.fd = -1};
}

void ctl_wait_long(struct ctl_link *link)
{
	set_timeout(link->fd, 0);
}

static int read_more(struct ctl_link *link)
{
	ssize_t got;

	if (link->room - link->n < 4096) {
		size_t room = link->room ? link->room * 2 : 65536;
		char *p = room > CTL_LINE_MAX ? NULL : realloc(link->rest, room);

		if (!p)
			return -EBADMSG;
		link->rest = p;
		link->room = room;
	}
	do
		got = recv(link->fd, link->rest + link->n, link->room - link->n, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (got == 0)
		return -EPIPE;
	link->n += (size_t)got;
	return 0;
}

json_t *ctl_read(struct ctl_link *link, int *error)
{
	const char *lf;
	json_t *object;
	size_t n;

	while (!(lf = link->n ? memchr(link->rest, '\n', link->n) : NULL)) {
		*error = read_more(link);
		if (*error < 0)
			return NULL;
	}
	n = (size_t)(lf - link->rest);
	object = json_loadb(link->rest, n, JSON_DECODE_ANY, NULL);
	link->n -= n + 1;
	memmove(link->rest, lf + 1, link->n);
	if (!object)
		*error = -EBADMSG;
	return object;
}

static int send_all(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		data += sent;
		n -= (size_t)sent;
	}
	return 0;
}

/* A last word to a connection that is not served is an answer too. */
static json_t *as_answer(json_t *object)
{
	const char *method = json_string_value(json_object_get(object, "method"));
	json_t *answer = NULL;

	if (json_object_get(object, "id"))
		return object;
	if (method && strcmp(method, "refused") == 0)
		answer = json_pack("{s:{s:s}}", "error", "message",
			json_string_value(ctl_member(object, "params.why")));
	json_decref(object);
	return answer;
}

json_t *ctl_call(struct ctl_link *link, const char *verb, json_t *params, int *error)
{
	json_t *request = json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", 1, "method",
		verb, "params", params ? params : json_object());
	char *text = json_dumps(request, JSON_COMPACT);
	json_t *answer = NULL;

	json_decref(request);
	*error = text ? send_all(link->fd, text, strlen(text)) : -ENOMEM;
	if (*error == 0)
		*error = send_all(link->fd, "\n", 1);
	free(text);
	if (*error < 0 && *error != -EPIPE)
		return NULL;
	*error = 0;
	while (!answer && *error == 0) {
		json_t *object = ctl_read(link, error);

		if (object)
			answer = as_answer(object);
	}
	return answer;
}
