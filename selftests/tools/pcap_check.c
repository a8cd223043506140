// SPDX-License-Identifier: GPL-2.0
/*
 * What a server said on the wire, out of a capture (tcpdump -w FILE; IPv4, IPv6, frames as large as GSO makes them).
 *
 *	pcap_check FILE ADDRESS|any PORT [OPTION...]
 *
 *	--from T, --to T    count what lies in between (seconds since 1970, as date +%s.%N prints them); all before only sets the marks
 *	--flows             a line for each connection, too: how far its server has come until --to
 *	--max KEY=N         ends with 1 if KEY is larger; --min KEY=N: ... smaller. May be repeated
 *
 * Prints one line key=value:
 *	segments_in   segments from clients to the server        segments_out  from the server
 *	bytes_in      their payload                              bytes_out
 *	rst_in        resets among them                          rst_out
 *	syn_in        SYNs                                       syn_out       SYN-ACKs
 *	new_data      bytes the server sent for the first time   new_ack       bytes it acknowledged for the first time
 *	silence_ms    the longest time without a segment from the server
 *	flows         connections seen
 * and with --flows: flow=ADDRESS:PORT sent=OFFSET acked=OFFSET, the highest offsets that the server sent and
 * acknowledged (a FIN counts as one).
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "pcap_file.h"
#include "pcap_flow.h"

#define BOUNDS_MAX 16

enum counter {
	SEGMENTS_IN, SEGMENTS_OUT, BYTES_IN, BYTES_OUT, RST_IN, RST_OUT, SYN_IN, SYN_OUT, NEW_DATA, NEW_ACK, SILENCE_MS, FLOWS,
	COUNTERS
};

static const char *const names[COUNTERS] = {
	"segments_in", "segments_out", "bytes_in", "bytes_out", "rst_in", "rst_out", "syn_in", "syn_out", "new_data", "new_ack",
	"silence_ms", "flows",
};

struct bound {
	enum counter counter;
	bool is_max;
	int64_t value;
};

struct options {
	const char *file;
	struct pcap_server server;
	double from, to;
	bool flows;
	struct bound bounds[BOUNDS_MAX];
	unsigned int n_bounds;
};

struct totals {
	int64_t counts[COUNTERS];
	double spoke;		/* when the server was heard last */
};

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "pcap_check: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(2);
}

/* ---- command line ---- */

static double parse_time(const char *text)
{
	char *end;
	double time = strtod(text, &end);

	if (end == text || *end)
		die("\"%s\" is no time in seconds", text);
	return time;
}

static void parse_bound(struct options *options, const char *text, bool is_max)
{
	struct bound *bound = &options->bounds[options->n_bounds++];
	const char *equals = strchr(text, '=');
	char *end;

	if (options->n_bounds > BOUNDS_MAX)
		die("more than %d bounds", BOUNDS_MAX);
	if (!equals)
		die("\"%s\" is not KEY=N", text);
	bound->is_max = is_max;
	bound->value = strtoll(equals + 1, &end, 10);
	if (end == equals + 1 || *end)
		die("\"%s\" is not KEY=N", text);
	for (bound->counter = 0; bound->counter < COUNTERS; bound->counter++)
		if (strlen(names[bound->counter]) == (size_t)(equals - text) &&
		    !strncmp(names[bound->counter], text, equals - text))
			return;
	die("nothing is counted as \"%s\"", text);
}

static void parse_server(struct pcap_server *server, const char *addr, const char *port)
{
	uint8_t v4[4];

	server->any_addr = !strcmp(addr, "any");
	server->port = atoi(port);
	if (!server->port)
		die("\"%s\" is not a port", port);
	if (server->any_addr || inet_pton(AF_INET6, addr, server->addr) == 1)
		return;
	if (inet_pton(AF_INET, addr, v4) != 1)
		die("\"%s\" is not an address", addr);
	memset(server->addr + 10, 0xff, 2);
	memcpy(server->addr + 12, v4, 4);
}

static const struct option long_options[] = {
	{ "from", required_argument, NULL, 'f' },
	{ "to", required_argument, NULL, 't' },
	{ "flows", no_argument, NULL, 'F' },
	{ "max", required_argument, NULL, 'M' },
	{ "min", required_argument, NULL, 'm' },
	{ }
};

static void parse(struct options *options, int argc, char **argv)
{
	int option;

	*options = (struct options){ .from = -INFINITY, .to = INFINITY };
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'f': options->from = parse_time(optarg); break;
		case 't': options->to = parse_time(optarg); break;
		case 'F': options->flows = true; break;
		case 'M': parse_bound(options, optarg, true); break;
		case 'm': parse_bound(options, optarg, false); break;
		default: die("usage: pcap_check FILE ADDRESS|any PORT [--from T] [--to T] [--flows] [--max|--min KEY=N]...");
		}
	}
	if (argc - optind != 3)
		die("usage: pcap_check FILE ADDRESS|any PORT [OPTION...]");
	options->file = argv[optind];
	parse_server(&options->server, argv[optind + 1], argv[optind + 2]);
}

/* ---- counting ---- */

static void note_silence(struct totals *totals, double from, double until)
{
	double since = totals->spoke > from ? totals->spoke : from;
	int64_t ms = isfinite(since) && isfinite(until) ? (int64_t)((until - since) * 1000 + 0.5) : 0;

	if (ms > totals->counts[SILENCE_MS])
		totals->counts[SILENCE_MS] = ms;
}

static void count_in(struct totals *totals, const struct pcap_segment *segment)
{
	totals->counts[SEGMENTS_IN]++;
	totals->counts[BYTES_IN] += segment->len;
	totals->counts[RST_IN] += !!(segment->flags & TCP_RST_FLAG);
	totals->counts[SYN_IN] += !!(segment->flags & TCP_SYN_FLAG);
}

static void count_out(struct totals *totals, const struct pcap_segment *segment, const struct pcap_change *change)
{
	totals->counts[SEGMENTS_OUT]++;
	totals->counts[BYTES_OUT] += segment->len;
	totals->counts[RST_OUT] += !!(segment->flags & TCP_RST_FLAG);
	totals->counts[SYN_OUT] += !!(segment->flags & TCP_SYN_FLAG);
	totals->counts[NEW_DATA] += change->new_data;
	totals->counts[NEW_ACK] += change->new_ack;
}

static void count(struct options *options, struct totals *totals, struct pcap_file *pcap)
{
	double last = options->from;
	struct pcap_segment segment;
	struct pcap_change change;
	struct pcap_flow *flow;

	totals->spoke = -INFINITY;
	while (pcap_next(pcap, &segment) && segment.time <= options->to) {
		last = segment.time;
		if (!pcap_follow(&options->server, &segment, &change))
			continue;
		if (segment.time < options->from)
			continue;
		if (!change.from_server) {
			count_in(totals, &segment);
			continue;
		}
		note_silence(totals, options->from, segment.time);
		totals->spoke = segment.time;
		count_out(totals, &segment, &change);
	}
	note_silence(totals, options->from, isfinite(options->to) ? options->to : last);
	for (flow = options->server.flows; flow; flow = flow->next)
		totals->counts[FLOWS]++;
}

/* ---- result ---- */

static void print_flow(const struct pcap_flow *flow)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	bool is_v4 = !memcmp(flow->addr, mapped, sizeof(mapped));
	char text[INET6_ADDRSTRLEN];

	inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? flow->addr + 12 : flow->addr, text, sizeof(text));
	printf(is_v4 ? "flow=%s:%u " : "flow=[%s]:%u ", text, flow->port);
	printf("sent=%" PRId64 " acked=%" PRId64 "\n", flow->sent.top, flow->acked.top);
}

static int judge(const struct options *options, const struct totals *totals)
{
	int status = 0;

	for (unsigned int i = 0; i < options->n_bounds; i++) {
		const struct bound *bound = &options->bounds[i];
		int64_t is = totals->counts[bound->counter];

		if (bound->is_max ? is <= bound->value : is >= bound->value)
			continue;
		fprintf(stderr, "pcap_check: %s is %" PRId64 ", should be %s %" PRId64 "\n", names[bound->counter], is,
			bound->is_max ? "at most" : "at least", bound->value);
		status = 1;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct totals totals = { };
	struct options options;
	struct pcap_file pcap;

	parse(&options, argc, argv);
	if (pcap_open(&pcap, options.file))
		count(&options, &totals, &pcap);
	if (pcap.error)
		die("%s: %s", options.file, pcap.error);
	for (enum counter i = 0; i < COUNTERS; i++)
		printf("%s=%" PRId64 "%s", names[i], totals.counts[i], i + 1 < COUNTERS ? " " : "\n");
	for (struct pcap_flow *flow = options.server.flows; options.flows && flow; flow = flow->next)
		print_flow(flow);
	return judge(&options, &totals);
}
