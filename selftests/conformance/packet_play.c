// SPDX-License-Identifier: GPL-2.0
/*
 * Plays packet scripts against a TCP server: raw segments go out, and what comes back is held against the script and against the rules
 * that hold always (watch.c). Each script is played over IPv4 and IPv6, once with sequence numbers and timestamps from anywhere, once so
 * that they wrap amid the data. README.md has the language.
 *
 *	packet_play --interface eth0 --mac SERVER'S --server4 A --server6 A --service echo=9999 SCRIPT...
 *
 * Clients live at 10.77.x.y and fd77::n, one for each play; the server has a route there through this host, which drops what comes.
 * Prints KTAP, one result for each script. A script that is marked `# todo:` has to fail.
 */
#include <arpa/inet.h>
#include <sched.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "play.h"

#define PLAYS_PER_SCRIPT 4
#define CHUNK		256	/* packets read before the plays go on */

const char *kill_command;

struct service {
	const char *name;
	uint16_t port;
};

struct result {
	struct script *script;
	unsigned int played, failed;
};

static struct wire_config wire_config = { .interface = "eth0" };
static uint8_t server4[4], server6[16];
static struct service services[32];
static unsigned int n_services, most = 16;
static struct result *results;
static unsigned int n_results, next_play;
static struct play **running;
static unsigned int n_running;
static const char *only_variant;

/* ---- which play is which ---- */

static const struct service *service_of(const struct script *script)
{
	for (unsigned int i = 0; i < n_services; i++)
		if (!strcmp(services[i].name, script->service))
			return &services[i];
	return NULL;
}

static const char *variant_name(bool v6, bool wrap)
{
	return v6 ? wrap ? "IPv6, wrap" : "IPv6" : wrap ? "IPv4, wrap" : "IPv4";
}

static void address(struct play *play)
{
	struct flow *flow = &play->flow;

	if (flow->v6) {
		static const uint8_t net[16] = { 0xfd, 0x77 };

		memcpy(flow->client, net, 16);
		memcpy(flow->server, server6, 16);
		put16(flow->client + 14, play->no + 1);
	} else {
		flow->client[0] = 10;
		flow->client[1] = 77;
		memcpy(flow->server, server4, 4);
		put16(flow->client + 2, play->no + 1);
	}
	flow->cport = CLIENT_PORT;
	flow->sport = service_of(play->script)->port;
}

static struct play *new_play(struct result *result, bool v6, bool wrap)
{
	struct play *play = calloc(1, sizeof(*play));
	int64_t at;

	if (!play)
		abort();
	play->script = result->script;
	play->flow.v6 = v6;
	play->wrap = wrap;
	play->no = next_play;
	address(play);
	play->isn = (uint32_t)random() & 0x3fffffff;
	play->ts_base = (uint32_t)random() & 0x3fffffff;
	if (wrap && expr_eval(result->script->wrap, NULL, NULL, &at)) {
		play->isn = -(uint32_t)at;
		play->ts_base = -(uint32_t)WRAP_TS;
	}
	return play;
}

/* The next one of all plays that is to be played; scripts that want to be alone come last. */
static struct play *next(bool alone)
{
	for (; next_play < n_results * PLAYS_PER_SCRIPT; next_play++) {
		struct result *result = &results[next_play / PLAYS_PER_SCRIPT];
		bool v6 = next_play & 1, wrap = next_play & 2;
		struct play *play;

		if (result->script->alone != alone || (v6 ? result->script->only4 : result->script->only6))
			continue;
		if (only_variant && strcmp(only_variant, variant_name(v6, wrap)))
			continue;
		play = new_play(result, v6, wrap);
		next_play++;
		return play;
	}
	return NULL;
}

/* ---- all of them at once ---- */

static void tell(const struct play *play)
{
	const struct step *step = play->step < play->script->n_steps ? &play->script->steps[play->step] : NULL;
	const char *line = play->traced;

	printf("# %s (%s): %s\n", play->script->name, variant_name(play->flow.v6, play->wrap), play->why);
	if (step)
		printf("#   line %u: %s\n", step->line, step->text);
	for (; *line; line += strcspn(line, "\n") + 1)
		printf("#   %.*s\n", (int)strcspn(line, "\n"), line);
	fflush(stdout);
}

static void finish(struct play *play)
{
	struct result *result = &results[play->no / PLAYS_PER_SCRIPT];

	act_clean_up(play);
	play_end(play);
	result->played++;
	if (play->state == P_FAILED) {
		result->failed++;
		if (!play->script->todo || getenv("VERBOSE"))
			tell(play);
	}
	free(play->traced);
	free(play);
}

static void reap(void)
{
	for (unsigned int i = 0; i < n_running; i++) {
		if (running[i]->state == P_RUNNING)
			continue;
		finish(running[i]);
		running[i--] = running[--n_running];
	}
}

static void hear(const uint8_t *packet, size_t len, uint64_t at_us)
{
	struct segment seg;
	struct flow flow;

	if (!packet_read(packet, len, &flow, &seg))
		return;
	seg.at_us = at_us;
	for (unsigned int i = 0; i < n_running; i++)
		if (!memcmp(&flow, &running[i]->flow, sizeof(flow)))
			play_heard(running[i], &seg);
}

static int until_deadline_ms(void)
{
	uint64_t now = wire_now_us(), first = now + 1000000;

	for (unsigned int i = 0; i < n_running; i++)
		if (running[i]->deadline_us < first)
			first = running[i]->deadline_us;
	return first > now ? (first - now + 999) / 1000 : 0;
}

static void play_all(int sock, bool alone)
{
	static uint8_t packet[FRAME_MAX];
	struct pollfd poller = { .fd = sock, .events = POLLIN };
	unsigned int at_once = alone ? 1 : most;
	uint64_t at_us;
	size_t len;

	next_play = 0;
	for (;;) {
		struct play *play;

		while (n_running < at_once && (play = next(alone))) {
			running[n_running++] = play;
			play_start(play, wire_now_us());
		}
		if (!n_running)
			return;
		poll(&poller, 1, until_deadline_ms());
		for (unsigned int i = 0; i < CHUNK && (len = wire_receive(packet, &at_us)); i++)
			hear(packet, len, at_us);
		for (unsigned int i = 0; i < n_running; i++)
			play_go(running[i], wire_now_us());
		reap();
	}
}

/* ---- results ---- */

static bool report(void)
{
	bool good = true;

	for (unsigned int i = 0; i < n_results; i++) {
		const struct result *result = &results[i];
		const struct script *script = result->script;
		bool passed = result->played && !result->failed;

		if (!script->todo)
			printf("%s %u %s\n", passed ? "ok" : "not ok", i + 1, script->name);
		else if (passed)
			printf("not ok %u %s # passes, though it is marked todo: %s\n", i + 1, script->name, script->todo);
		else
			printf("not ok %u %s # TODO %s\n", i + 1, script->name, script->todo);
		good &= passed == !script->todo;
	}
	printf("1..%u\n", n_results);
	return good;
}

static bool add_service(char *text)
{
	char *equals = strchr(text, '=');

	if (!equals || n_services == sizeof(services) / sizeof(*services))
		return false;
	*equals = 0;
	services[n_services++] = (struct service){ .name = text, .port = atoi(equals + 1) };
	return true;
}

static bool parse_mac(const char *text)
{
	uint8_t *m = wire_config.mac;

	return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", m, m + 1, m + 2, m + 3, m + 4, m + 5) == 6;
}

static bool take(int option)
{
	switch (option) {
	case 'i': wire_config.interface = optarg; return true;
	case 'm': return parse_mac(optarg);
	case '4': return inet_pton(AF_INET, optarg, server4) == 1;
	case '6': return inet_pton(AF_INET6, optarg, server6) == 1;
	case 's': return add_service(optarg);
	case 'j': most = atoi(optarg); return most > 0;
	case 'k': kill_command = optarg; return true;
	case 'v': only_variant = optarg; return true;
	case 'r': srandom(atoi(optarg)); return true;
	case 'n': return true;
	default: return false;
	}
}

static bool load(char **paths, unsigned int n)
{
	bool good = n;

	results = calloc(n + 1, sizeof(*results));
	running = calloc(most, sizeof(*running));
	if (!results || !running)
		abort();
	for (unsigned int i = 0; i < n; i++) {
		struct script *script = script_load(paths[i]);

		good &= !!script;
		if (script && n_services && !service_of(script))
			printf("# left out: %s needs a service %s\n", script->name, script->service);
		else
			results[n_results++].script = script;
	}
	return good;
}

/* On one processor what is sent stays in order all the way through the server and back. */
static void stay_here(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		perror("packet_play: sched_setaffinity");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "interface", 1, NULL, 'i' }, { "mac", 1, NULL, 'm' }, { "server4", 1, NULL, '4' }, { "server6", 1, NULL, '6' },
		{ "service", 1, NULL, 's' }, { "jobs", 1, NULL, 'j' }, { "kill", 1, NULL, 'k' }, { "variant", 1, NULL, 'v' },
		{ "seed", 1, NULL, 'r' }, { "dry", 0, NULL, 'n' }, { 0 },
	};
	bool dry = false;
	int option, sock;

	stay_here();
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		dry |= option == 'n';
		if (!take(option)) {
			fprintf(stderr, "usage: at the head of packet_play.c\n");
			return 2;
		}
	}
	printf("TAP version 13\n");
	if (!load(argv + optind, argc - optind))
		return 2;
	if (dry)
		return 0;
	sock = wire_open(&wire_config);
	if (sock < 0)
		return 3;
	play_all(sock, false);
	play_all(sock, true);
	return report() ? 0 : 1;
}
