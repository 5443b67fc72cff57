/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cordboard-control: starts the rooms in order, runs the loop, and drains on SIGTERM.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/log.h"
#include "contact/flow_publish.h"
#include "contact/switchboard.h"

#define PATH_SIZE    4096
#define DRAIN_LOOK   (100 * CLOCK_MS)
#define LAST_FILES   (5 * CLOCK_S) /* for recordings of the last calls to be finished */
#define DEFAULT_PATH "/etc/cordboard"

struct control {
	const char *directory;
	const char *sets[256];
	size_t n_sets;
	struct config config;
	struct switchboard board;
	struct admin *admin;
	struct loop_signal *terminate, *interrupt;
	struct timer drain_timer;
	uint64_t drain_until_ns;
};

static void usage(FILE *to)
{
	fprintf(to, "usage: cordboard-control [--instance DIR] [--set NAME=VALUE]... [ACTION]\n"
		    "\n"
		    "  --instance DIR          the instance directory (" DEFAULT_PATH ")\n"
		    "  --set NAME=VALUE        overrides an option of cordboard.yaml\n"
		    "\n"
		    "  --check                 judges the instance and exits: 0 when it is good\n"
		    "  --print-config          prints the options that would run\n"
		    "  --print-default-config  prints every option with its default and help\n"
		    "  --version, --help\n");
}

/* ---- check ---- */

static int read_config(struct control *c, struct report *report)
{
	int rc = instance_read_config(c->directory, &c->config, report);

	for (size_t i = 0; i < c->n_sets; i++)
		if (config_set(&c->config, c->sets[i], report) < 0)
			rc = -EINVAL;
	if (rc == 0)
		rc = config_judge(&c->config, report);
	return rc;
}

static int load(struct control *c, struct report *report, struct instance **instance)
{
	int rc = read_config(c, report);
	int instance_rc;

	/* Every problem in one run: the instance is read with what options there are. */
	instance_rc = instance_load(c->directory, &c->config, NULL, NULL, report, instance);
	if (rc < 0 && instance_rc == 0)
		instance_destroy(*instance);
	return rc < 0 ? rc : instance_rc;
}

static int check(struct control *c)
{
	struct instance *instance = NULL;
	struct report report;
	int rc;

	report_init(&report);
	rc = load(c, &report, &instance);
	report_print(&report, stdout);
	if (rc == 0)
		printf("%s: good: %u queues, %u agents, %zu flows, %zu numbers\n", c->directory,
			resources_count(instance->resources, RESOURCE_QUEUE),
			resources_count(instance->resources, RESOURCE_AGENT), instance->flows.n,
			number_plan_count(instance->plan));
	else
		printf("%s: %zu errors\n", c->directory, report_count(&report, REPORT_ERROR));
	report_clear(&report);
	instance_destroy(rc == 0 ? instance : NULL);
	return rc < 0 ? 1 : 0;
}

static int print_config(struct control *c)
{
	struct report report;
	int rc;

	report_init(&report);
	rc = read_config(c, &report);
	report_print(&report, stderr);
	if (rc == 0)
		config_print(&c->config, stdout);
	report_clear(&report);
	return rc < 0 ? 1 : 0;
}

/* ---- the end ---- */

static bool all_is_done(const struct control *c)
{
	return board_idle(&c->board) &&
	       (!c->board.recordings || recordings_idle(c->board.recordings));
}

static void on_drain(void *ctx, uint64_t now_ns)
{
	struct control *c = ctx;

	if (!all_is_done(c) && now_ns < c->drain_until_ns) {
		timers_set(c->board.timers, &c->drain_timer, now_ns + DRAIN_LOOK);
		return;
	}
	if (!board_idle(&c->board)) {
		log_warning(NULL, "main", "calls that have not ended are hung up");
		board_end_all(&c->board);
		/* once more, so that the BYEs leave before the sockets go */
		c->drain_until_ns = now_ns + LAST_FILES;
		timers_set(c->board.timers, &c->drain_timer, now_ns + DRAIN_LOOK);
		return;
	}
	loop_stop(c->board.loop);
}

static void on_signal(void *ctx, int signo)
{
	struct control *c = ctx;

	if (c->board.draining) {
		log_warning(NULL, "main", "%s again: stopping now", strsignal(signo));
		loop_stop(c->board.loop);
		return;
	}
	log_info(NULL, "main", "%s: no new calls; waiting for calls to end", strsignal(signo));
	board_drain(&c->board);
	c->drain_until_ns = loop_now(c->board.loop) + c->config.drain_ns;
	timer_init(&c->drain_timer, on_drain, c);
	timers_set(c->board.timers, &c->drain_timer, loop_now(c->board.loop));
}

/* ---- start ---- */

static void on_phone(void *ctx, const struct resource_agent *agent, bool ready)
{
	struct switchboard *board = ctx;
	uint32_t number = router_agent_of(board->router, agent);

	if (number != ROUTER_NONE)
		board_phone(board, number, ready);
}

static void on_trace(void *ctx, const struct sip_trace *trace)
{
	struct control *c = ctx;

	if (c->admin)
		admin_trace(c->admin, trace);
}

/* A name without a slash is one in the store's directory. */
static void store_path(const struct config *config, const char *name, char path[PATH_SIZE])
{
	bool bare = !strchr(name, '/');

	snprintf(path, PATH_SIZE, "%s%s%s", bare ? config->store_directory : "", bare ? "/" : "",
		name);
}

static int open_flow_log(struct control *c, char *error)
{
	const struct config *k = &c->config;
	char path[PATH_SIZE];

	store_path(k, k->flow_log_file, path);
	return flow_log_open(&(struct flow_log_config){.loop = c->board.loop,
				     .offload = c->board.offload,
				     .path = path,
				     .size_max = (uint64_t)k->flow_log_megabytes << 20,
				     .keep = (unsigned)k->flow_log_keep},
		error, &c->board.flow_log);
}

static int open_recordings(struct control *c)
{
	const struct config *k = &c->config;
	char path[PATH_SIZE], error[RECORDING_ERROR_SIZE];
	int rc;

	if (!*k->recording_directory)
		return 0;
	store_path(k, k->recording_directory, path);
	rc = recordings_open(&(struct recordings_config){.loop = c->board.loop,
				     .offload = c->board.offload,
				     .directory = path,
				     .format = (enum recording_format)k->recording_format,
				     .bitrate = (uint32_t)k->recording_bitrate,
				     .buffer_ns = k->recording_buffer_ns,
				     .sync_ns = k->recording_sync_ns},
		error, &c->board.recordings);
	if (rc < 0)
		log_error(NULL, "main", "recording.directory: %s", error);
	return rc;
}

static int open_stores(struct control *c)
{
	struct switchboard *b = &c->board;
	char path[PATH_SIZE], error[RECORDS_ERROR_SIZE];
	int rc;

	if (mkdir(c->config.store_directory, 0750) < 0 && errno != EEXIST) {
		log_error(NULL, "main", "store.directory %s: %s", c->config.store_directory,
			strerror(errno));
		return -errno;
	}
	snprintf(path, sizeof(path), "%s/records.sqlite", c->config.store_directory);
	rc = records_open(&(struct records_config){.loop = b->loop,
				  .offload = b->offload,
				  .path = path,
				  .wall_ns = clock_wall()},
		error, &b->records);
	if (rc == 0) {
		snprintf(path, sizeof(path), "%s/events", c->config.store_directory);
		rc = events_open(&(struct events_config){.loop = b->loop,
					 .offload = b->offload,
					 .path = path,
					 .wall_ns = clock_wall(),
					 .keep = (unsigned)c->config.events_keep,
					 .keep_ns = c->config.events_keep_ns},
			error, &b->events);
	}
	if (rc == 0)
		rc = open_flow_log(c, error);
	if (rc < 0)
		log_error(NULL, "main", "%s", error);
	return rc;
}

static int open_media(struct control *c)
{
	struct switchboard *b = &c->board;
	const struct config *k = &c->config;
	struct media_config media = {.loop = b->loop,
		.busy_percent = (unsigned)k->busy_percent,
		.offload = b->offload,
		.random = &b->random,
		.clips.speech = {.program = k->speech_program,
			.voice = k->speech_voice,
			.wpm = (unsigned)k->speech_rate,
			.cache_dir = k->speech_cache[0] ? k->speech_cache : NULL,
			.timeout_ns = k->speech_timeout_ns},
		.play_timeout_ns = k->speech_timeout_ns + CLOCK_S,
		.callbacks = board_media_callbacks(b)};
	char path[ADDRESS_TEXT_SIZE];
	int rc;

	snprintf(path, sizeof(path), "unix:%s", k->media_socket);
	rc = address_parse(str_from(path), -1, &media.socket);
	if (rc == 0)
		rc = media_create(&media, &b->media);
	if (rc < 0)
		log_error(NULL, "main", "media.socket %s: %s", k->media_socket, strerror(-rc));
	return rc;
}

static int open_router(struct control *c)
{
	struct switchboard *b = &c->board;
	struct router_config router = {.contacts_max = (uint32_t)c->config.contacts_max,
		.instance_limit = (uint32_t)(c->config.calls_max ? c->config.calls_max
								 : c->config.contacts_max),
		.overflow_percent = (uint32_t)c->config.overflow_percent,
		.offer_ns = c->config.offer_ns};

	return router_create(
		&router, b->timers, b->instance->resources, loop_now(b->loop), &b->router);
}

static int open_signalling(struct control *c)
{
	struct switchboard *b = &c->board;
	char failed[SIGNALLING_FAILED_SIZE] = "";
	int rc = signalling_open(&(struct signalling_config){.loop = b->loop,
					 .random = &b->random,
					 .config = &c->config,
					 .instance = b->instance,
					 .events = &board_session_events,
					 .ctx = b,
					 .phone = on_phone,
					 .trace = on_trace,
					 .trace_ctx = c},
		failed, &b->signalling);

	if (rc < 0)
		log_error(NULL, "main", "SIP cannot listen on %s: %s", failed, strerror(-rc));
	return rc;
}

static int open_services(struct control *c)
{
	int rc = services_create(c->board.loop, &c->board.services);

	if (rc < 0)
		log_error(NULL, "main", "outside services: %s", strerror(-rc));
	return rc;
}

static int start(struct control *c)
{
	struct switchboard *b = &c->board;
	int rc = loop_create(NULL, &b->loop);

	if (rc < 0) {
		log_error(NULL, "main", "io_uring is not available: %s", strerror(-rc));
		return rc;
	}
	/* before any other thread: the signals are blocked in all of them */
	rc = loop_signal(b->loop, SIGTERM, on_signal, c, &c->terminate);
	if (rc == 0)
		rc = loop_signal(b->loop, SIGINT, on_signal, c, &c->interrupt);
	random_init(&b->random);
	b->timers = loop_timers(b->loop);
	b->config = &c->config;
	if (rc == 0)
		rc = offload_create(b->loop, 0, &b->offload);
	if (rc == 0)
		rc = open_stores(c);
	if (rc == 0)
		rc = open_recordings(c);
	if (rc == 0)
		rc = open_router(c);
	if (rc == 0)
		rc = board_init(b);
	if (rc == 0)
		rc = open_media(c);
	if (rc == 0)
		rc = open_services(c);
	if (rc == 0)
		rc = open_signalling(c);
	if (rc == 0)
		rc = admin_open(
			&(struct admin_config){.loop = b->loop, .board = b, .config = &c->config},
			&c->admin);
	return rc;
}

static void stop(struct control *c)
{
	struct switchboard *b = &c->board;

	if (b->contacts.max)
		board_clear(b);
	services_destroy(b->services);
	signalling_close(b->signalling);
	media_destroy(b->media);
	router_destroy(b->router);
	offload_destroy(b->offload);
	records_close(b->records);
	flow_log_close(b->flow_log);
	/* after all that answers calls later */
	admin_close(c->admin);
	c->admin = NULL;
	events_close(b->events);
	if (b->timers)
		timers_cancel(b->timers, &c->drain_timer);
	loop_signal_close(c->terminate);
	loop_signal_close(c->interrupt);
	recordings_close(b->recordings);
	loop_destroy(b->loop);
	instance_destroy(b->instance);
}

/* Clips take up to three descriptors each, besides sockets. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int run(struct control *c)
{
	struct report report;
	int rc;

	report_init(&report);
	rc = load(c, &report, &c->board.instance);
	report_print(&report, stderr);
	report_clear(&report);
	if (rc < 0)
		return 1;
	log_set_level((enum log_level)c->config.log_level);
	log_set_json(c->config.log_format == 1);
	raise_descriptor_limit();
	flow_publish_keep_now(c->board.instance);
	rc = start(c);
	if (rc == 0) {
		log_info(NULL, "main", "ready");
		rc = loop_run(c->board.loop);
	}
	stop(c);
	return rc < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"instance", required_argument, NULL, 'i'},
		{"set", required_argument, NULL, 's'},
		{"check", no_argument, NULL, 'c'},
		{"print-config", no_argument, NULL, 'p'},
		{"print-default-config", no_argument, NULL, 'd'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	static struct control c = {.directory = DEFAULT_PATH};
	int action = 'r', option, rc;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'i':
			c.directory = optarg;
			break;
		case 's':
			if (c.n_sets < sizeof(c.sets) / sizeof(c.sets[0]))
				c.sets[c.n_sets++] = optarg;
			break;
		case '?':
			usage(stderr);
			return 2;
		default:
			action = option;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "cordboard-control: unexpected argument '%s'\n", argv[optind]);
		return 2;
	}
	switch (action) {
	case 'h':
		usage(stdout);
		return 0;
	case 'v':
		printf("cordboard-control " CORDBOARD_VERSION "\n");
		return 0;
	case 'd':
		config_print_default(stdout);
		return 0;
	case 'c':
		rc = check(&c);
		break;
	case 'p':
		rc = print_config(&c);
		break;
	default:
		rc = run(&c);
	}
	config_clear(&c.config);
	return rc;
}
