// SPDX-License-Identifier: GPL-2.0
/*
 * A client of an echo service that checks every byte that comes back.
 *
 *	echo_client HOST PORT [OPTION...]
 *
 *	-n, --conns N          connections at once (1)
 *	-s, --size BYTES       of each stream; K, M, G are powers of 1024 (1M)
 *	-S, --seed S           of the streams (random; printed in any case)
 *	    --duplex           write and read at once (default)
 *	    --half-close       write everything, shut down, and only then read
 *	    --ping-pong N:SIZE write a message of SIZE bytes, read it, write the next; N of them
 *	    --rate BYTES       a second and connection, at most
 *	    --timeout S        for all of it (60)
 *	    --abort-after N    reset each connection after N bytes have come back; that is then no error
 *	    --timeline FILE    a line "milliseconds bytes" each time more has come back (100 a second at most), and at the end
 *
 * SIGUSR1: write nothing more; shut down, wait for the rest. Prints one line key=value; ends with 0 only if every
 * connection got back exactly what it sent, and then its end.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "echo_conn.h"
#include "pattern.h"

#define TIMELINE_MS	10
#define EVENTS_MAX	64
#define COMPLAINTS_MAX	8

struct options {
	struct echo_config config;
	unsigned int conns;
	uint64_t seed;
	uint64_t timeout_ms;
	const char *timeline;
};

struct run {
	const struct options *options;
	struct echo_conn *conns;
	uint32_t *events;	/* what each waits for */
	int epoll_fd;
	uint64_t began_ms;
	FILE *timeline;
	uint64_t timeline_ms;
	uint64_t timeline_bytes;
};

static volatile sig_atomic_t stopping;

static void on_stop(int sig)
{
	(void)sig;
	stopping = 1;
}

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

/* ---- command line ---- */

__attribute__((noreturn, format(printf, 1, 2)))
static void usage(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\nusage: echo_client HOST PORT [-n CONNS] [-s BYTES] [-S SEED] [--duplex | --half-close | "
		"--ping-pong N:SIZE]\n       [--rate BYTES] [--timeout S] [--abort-after BYTES] [--timeline FILE]\n");
	exit(2);
}

static uint64_t parse_number(const char *text, char end_with, char **end)
{
	static const char units[] = "KMG";
	uint64_t number;
	const char *unit;

	errno = 0;
	number = strtoull(text, end, 0);
	if (!isdigit((unsigned char)*text) || errno)
		usage("\"%s\" is not a number", text);
	unit = **end ? strchr(units, **end) : NULL;
	if (unit) {
		number <<= 10 * (unit - units + 1);
		(*end)++;
	}
	if (**end != end_with)
		usage("\"%s\" is not a number", text);
	return number;
}

static uint64_t number_of(const char *text)
{
	char *end;

	return parse_number(text, '\0', &end);
}

static void parse_ping_pong(struct echo_config *config, const char *text)
{
	char *end;
	uint64_t n = parse_number(text, ':', &end);

	config->mode = ECHO_PING_PONG;
	config->message = number_of(end + 1);
	if (!config->message)
		usage("a message of no bytes has no answer");
	config->size = n * config->message;
}

static void resolve(struct echo_config *config, const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	int err = getaddrinfo(host, port, &hints, &found);

	if (err)
		usage("%s %s: %s", host, port, gai_strerror(err));
	memcpy(&config->addr, found->ai_addr, found->ai_addrlen);
	config->addr_len = found->ai_addrlen;
	freeaddrinfo(found);
}

enum { OPT_DUPLEX = 256, OPT_HALF_CLOSE, OPT_PING_PONG, OPT_RATE, OPT_TIMEOUT, OPT_ABORT_AFTER, OPT_TIMELINE };

static const struct option long_options[] = {
	{ "conns", required_argument, NULL, 'n' },
	{ "size", required_argument, NULL, 's' },
	{ "seed", required_argument, NULL, 'S' },
	{ "duplex", no_argument, NULL, OPT_DUPLEX },
	{ "half-close", no_argument, NULL, OPT_HALF_CLOSE },
	{ "ping-pong", required_argument, NULL, OPT_PING_PONG },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "abort-after", required_argument, NULL, OPT_ABORT_AFTER },
	{ "timeline", required_argument, NULL, OPT_TIMELINE },
	{ }
};

static void parse_one(struct options *options, int option)
{
	switch (option) {
	case 'n': options->conns = number_of(optarg); break;
	case 's': options->config.size = number_of(optarg); break;
	case 'S': options->seed = number_of(optarg); break;
	case OPT_DUPLEX: options->config.mode = ECHO_DUPLEX; break;
	case OPT_HALF_CLOSE: options->config.mode = ECHO_HALF_CLOSE; break;
	case OPT_PING_PONG: parse_ping_pong(&options->config, optarg); break;
	case OPT_RATE: options->config.rate = number_of(optarg); break;
	case OPT_TIMEOUT: options->timeout_ms = number_of(optarg) * 1000; break;
	case OPT_ABORT_AFTER: options->config.abort_after = number_of(optarg); break;
	case OPT_TIMELINE: options->timeline = optarg; break;
	default: usage("unknown option");
	}
}

static void parse(struct options *options, int argc, char **argv)
{
	int option;

	*options = (struct options){ .conns = 1, .timeout_ms = 60000, .config.size = 1 << 20 };
	if (getrandom(&options->seed, sizeof(options->seed), 0) < 0)
		options->seed = clock_ms();
	options->seed &= 0xffffffff;
	while ((option = getopt_long(argc, argv, "n:s:S:", long_options, NULL)) != -1)
		parse_one(options, option);
	if (argc - optind != 2)
		usage("where to?");
	if (!options->conns)
		usage("no connection at all?");
	resolve(&options->config, argv[optind], argv[optind + 1]);
}

/* ---- running ---- */

static uint64_t received(const struct run *run)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < run->options->conns; i++)
		sum += run->conns[i].received;
	return sum;
}

static void write_timeline(struct run *run, uint64_t now_ms, bool last)
{
	uint64_t bytes;

	if (!run->timeline || (!last && now_ms < run->timeline_ms + TIMELINE_MS))
		return;
	bytes = received(run);
	if (!last && bytes == run->timeline_bytes)
		return;
	fprintf(run->timeline, "%" PRIu64 " %" PRIu64 "\n", now_ms - run->began_ms, bytes);
	fflush(run->timeline);
	run->timeline_ms = now_ms;
	run->timeline_bytes = bytes;
}

/* Tell epoll what connection @i waits for now. Its socket may have been closed, which epoll has noticed by itself. */
static uint64_t update(struct run *run, unsigned int i, uint64_t now_ms)
{
	struct echo_conn *conn = &run->conns[i];
	struct epoll_event event = { .data.u32 = i };
	uint64_t again_ms;

	if (echo_over(conn))
		return 0;
	event.events = echo_events(conn, now_ms, &again_ms);
	if (event.events != run->events[i]) {
		epoll_ctl(run->epoll_fd, EPOLL_CTL_MOD, conn->fd, &event);
		run->events[i] = event.events;
	}
	return again_ms;
}

static void open_all(struct run *run)
{
	for (unsigned int i = 0; i < run->options->conns; i++) {
		struct epoll_event event = { .events = EPOLLOUT, .data.u32 = i };
		struct echo_conn *conn = &run->conns[i];

		echo_open(conn, &run->options->config, run->options->seed + i, clock_ms());
		run->events[i] = event.events;
		if (!echo_over(conn) && epoll_ctl(run->epoll_fd, EPOLL_CTL_ADD, conn->fd, &event)) {
			perror("epoll_ctl");
			exit(1);
		}
	}
}

static unsigned int count_running(const struct run *run)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < run->options->conns; i++)
		n += !echo_over(&run->conns[i]);
	return n;
}

static void stop_all(struct run *run)
{
	for (unsigned int i = 0; i < run->options->conns; i++)
		echo_stop(&run->conns[i], clock_ms());
}

/* Wait for events, at most until something is due by the clock. */
static void round_once(struct run *run, uint64_t deadline_ms)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t now_ms = clock_ms(), until_ms = now_ms + 200, again_ms;
	int n;

	for (unsigned int i = 0; i < run->options->conns; i++) {
		again_ms = update(run, i, now_ms);
		if (again_ms && again_ms < until_ms)
			until_ms = again_ms;
	}
	if (until_ms > deadline_ms)
		until_ms = deadline_ms;
	n = epoll_wait(run->epoll_fd, events, EVENTS_MAX, until_ms > now_ms ? until_ms - now_ms : 0);
	now_ms = clock_ms();
	for (int i = 0; i < n; i++)
		echo_work(&run->conns[events[i].data.u32], events[i].events, now_ms);
	if (run->options->config.rate)
		for (unsigned int i = 0; i < run->options->conns; i++)
			echo_work(&run->conns[i], 0, now_ms);
	write_timeline(run, now_ms, false);
}

static void run_all(struct run *run)
{
	uint64_t deadline_ms = run->began_ms + run->options->timeout_ms;

	open_all(run);
	while (count_running(run) && clock_ms() < deadline_ms) {
		if (stopping)
			stop_all(run);
		round_once(run, deadline_ms);
	}
	write_timeline(run, clock_ms(), true);
}

/* ---- result ---- */

struct result {
	uint64_t pause_ms;
	unsigned int resets;
	unsigned int errors;
};

static void judge(struct result *result, const struct echo_conn *conn, unsigned int i, uint64_t now_ms)
{
	uint64_t pause_ms = conn->pause_ms;

	if (!echo_over(conn) && now_ms - conn->heard_ms > pause_ms)
		pause_ms = now_ms - conn->heard_ms;
	if (pause_ms > result->pause_ms)
		result->pause_ms = pause_ms;
	result->resets += conn->reset;
	if (conn->state == ECHO_DONE || result->errors++ >= COMPLAINTS_MAX)
		return;
	if (conn->state == ECHO_FAILED)
		fprintf(stderr, "connection %u: %s (received %" PRIu64 ")\n", i, conn->why, conn->received);
	else
		fprintf(stderr, "connection %u: not done in time: sent %" PRIu64 ", received %" PRIu64 " of %" PRIu64
			", silent for %" PRIu64 " ms\n", i, conn->sent, conn->received, conn->size,
			now_ms - conn->heard_ms);
}

static int report(const struct run *run)
{
	uint64_t now_ms = clock_ms();
	struct result result = { };

	for (unsigned int i = 0; i < run->options->conns; i++)
		judge(&result, &run->conns[i], i, now_ms);
	printf("bytes=%" PRIu64 " conns=%u seconds=%.3f longest_pause_ms=%" PRIu64 " resets=%u errors=%u seed=%" PRIu64
	       "\n", received(run), run->options->conns, (now_ms - run->began_ms) / 1000., result.pause_ms,
	       result.resets, result.errors, run->options->seed);
	return result.errors ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct sigaction stop = { .sa_handler = on_stop };
	struct options options;
	struct run run = { .options = &options };

	parse(&options, argc, argv);
	sigaction(SIGUSR1, &stop, NULL);
	run.conns = calloc(options.conns, sizeof(*run.conns));
	run.events = calloc(options.conns, sizeof(*run.events));
	run.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!run.conns || !run.events || run.epoll_fd < 0) {
		perror("echo_client");
		return 1;
	}
	if (options.timeline) {
		run.timeline = fopen(options.timeline, "w");
		if (!run.timeline)
			usage("%s: %s", options.timeline, strerror(errno));
	}
	run.began_ms = clock_ms();
	run_all(&run);
	return report(&run);
}
