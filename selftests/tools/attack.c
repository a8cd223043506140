// SPDX-License-Identifier: GPL-2.0
/*
 * Attacks on a service, from a host of its LAN, each for a time.
 *
 *	attack VERB [-S SEED] [-t SECONDS] [-r PACKETS-A-SECOND] [-n CONNS] INTERFACE PORT SERVER4 SERVER6 CLIENT4 CLIENT6
 *
 *	syn		a flood of SYNs from everywhere
 *	storm		ACKs, FINs, RSTs, SYN-ACKs and data of connections that do not exist
 *	blind		resets, SYNs and data into the windows of this host's connections, by somebody who does not know the right number
 *	holes		CONNS connections send islands: out-of-order data and nothing that joins it
 *	crumbs		... fill the window behind a gap with segments of a byte or two, in orders that leave none beside another
 *	overlap		... repeat what they have sent, shifted and with other bytes; their windows shrink
 *	hoard		... fill the server's buffers behind a window of zero
 *	options		... send options that are none
 *	fragments	pieces of datagrams that never become whole, or contradict each other
 *	slow		CONNS real connections that write and hardly read
 *
 * Addresses as for packet_fuzz. Says what it has done, and fails if it could not do it.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "attack.h"

#define AT_ONCE 16

struct attack attack = { .seconds = 5, .rate = 8000, .conns = 200 };

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* ---- attacks without connections ---- */

static void syn(void)
{
	flood_syn(&attack.fuzz);
}

static void storm(void)
{
	static const uint8_t flags[] = { TH_ACK, TH_RST, TH_RST | TH_ACK, TH_FIN | TH_ACK, TH_SYN | TH_ACK, TH_PSH | TH_ACK, 0 };
	static const uint8_t data[PAYLOAD_MAX];
	struct segment seg = from_nobody(&attack.fuzz);

	seg.flags = flags[range(&attack.fuzz, COUNT(flags))];
	if (seg.flags & TH_PSH) {
		seg.data = data;
		seg.len = 1 + range(&attack.fuzz, PAYLOAD_MAX - 1);
	}
	segment_send(&attack.fuzz, &seg, WRAP_PLAIN);
}

static void fragments(void)
{
	static const uint8_t data[PAYLOAD_MAX];
	struct segment seg = from_nobody(&attack.fuzz);

	seg.flags = TH_ACK;
	seg.data = data;
	seg.len = 100 + range(&attack.fuzz, PAYLOAD_MAX - 100);
	segment_send(&attack.fuzz, &seg, WRAP_BROKEN_FRAGMENTS);
}

/*
 * Within the window, but beyond all that has been sent: nobody who guesses does better in one try, and an exact hit, which is a reset
 * by right, cannot happen.
 */
static void blind(void)
{
	static const uint8_t flags[] = { TH_RST, TH_RST | TH_ACK, TH_SYN, TH_SYN | TH_ACK, TH_FIN | TH_ACK, TH_ACK | TH_PSH };
	const struct honest *honest = &attack.fuzz.honest[range(&attack.fuzz, HONEST_MAX)];
	struct segment seg = { .v6 = honest->v6, .sport = honest->sport, .dport = attack.fuzz.port };

	if (!honest->used)
		return;
	memcpy(seg.src, seg.v6 ? attack.fuzz.client6 : attack.fuzz.client4, 16);
	memcpy(seg.dst, seg.v6 ? attack.fuzz.server6 : attack.fuzz.server4, 16);
	seg.flags = flags[range(&attack.fuzz, COUNT(flags))];
	seg.seq = honest->next + 3000 + range(&attack.fuzz, 20000);
	/* What acknowledges the future, or what is long past (RFC 5961, 5). */
	seg.ack = honest->srv_next + 0x20000000 + range(&attack.fuzz, 0x40000000);
	seg.window = any32(&attack.fuzz);
	if (seg.flags & TH_PSH) {
		seg.data = (const uint8_t *)"blind";
		seg.len = 5;
	}
	if (honest->ts)
		option_timestamp(&seg, honest->tsval, honest->tsecr);
	segment_send(&attack.fuzz, &seg, WRAP_PLAIN);
}

/* ---- with a crowd ---- */

static void holes(void) { crowd_step(member_holes); }
static void crumbs(void) { crowd_step(member_crumbs); }
static void overlap(void) { crowd_step(member_overlap); }
static void hoard(void) { crowd_step(member_hoard); }
static void options(void) { crowd_step(member_options); }

static const struct verb {
	const char *name;
	void (*step)(void);
	bool crowd;
} verbs[] = {
	{ "syn", syn, false }, { "storm", storm, false }, { "blind", blind, false }, { "fragments", fragments, false },
	{ "holes", holes, true }, { "crumbs", crumbs, true }, { "overlap", overlap, true }, { "hoard", hoard, true },
	{ "options", options, true }, { "slow", NULL, false },
};

static void run(const struct verb *verb)
{
	double begin = now(), due, before = 0;

	for (unsigned int i = 0; now() - begin < attack.seconds; i++) {
		verb->step();
		if (i % AT_ONCE)
			continue;
		ear_listen(&attack.fuzz);
		due = begin + attack.fuzz.packets / attack.rate - now();
		/* Who has nothing to send waits for the others: without that nobody else runs where a clock stands still meanwhile. */
		if (due > 0.001 || attack.fuzz.packets == before)
			usleep(due > 0.001 ? due * 1e6 : 1000);
		before = attack.fuzz.packets;
	}
}

/* ---- command line ---- */

static void usage(void)
{
	fprintf(stderr, "usage: attack VERB [-S SEED] [-t SECONDS] [-r PACKETS-A-SECOND] [-n CONNS] "
		"INTERFACE PORT SERVER4 SERVER6 CLIENT4 CLIENT6\nverbs:");
	for (size_t i = 0; i < COUNT(verbs); i++)
		fprintf(stderr, " %s", verbs[i].name);
	fprintf(stderr, "\n");
	exit(2);
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	usage();
	return NULL;
}

static char **parse(int argc, char **argv)
{
	struct fuzz *fuzz = &attack.fuzz;
	int option;

	if (getrandom(&fuzz->rnd, sizeof(fuzz->rnd), 0) < 0)
		fuzz->rnd = getpid();
	fuzz->rnd &= 0xffffffff;
	while ((option = getopt(argc, argv, "S:t:r:n:")) != -1) {
		switch (option) {
		case 'S': fuzz->rnd = strtoull(optarg, NULL, 0); break;
		case 't': attack.seconds = atof(optarg); break;
		case 'r': attack.rate = atof(optarg); break;
		case 'n': attack.conns = atoi(optarg); break;
		default: usage();
		}
	}
	argv += optind;
	if (argc - optind != 6 || attack.conns < 1 || attack.conns > CROWD_MAX)
		usage();
	fuzz->port = atoi(argv[1]);
	if (inet_pton(AF_INET, argv[2], fuzz->server4) != 1 || inet_pton(AF_INET6, argv[3], fuzz->server6) != 1 ||
	    inet_pton(AF_INET, argv[4], fuzz->client4) != 1 || inet_pton(AF_INET6, argv[5], fuzz->client6) != 1)
		usage();
	return argv;
}

int main(int argc, char **argv)
{
	const struct verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;
	unsigned int open = 0;
	char **args;
	bool done;

	if (!verb)
		usage();
	args = parse(argc - 1, argv + 1);
	printf("seed=%" PRIu64, attack.fuzz.rnd);
	fflush(stdout);
	if (!verb->step) {
		open = slow_run(args[2], attack.fuzz.port, attack.conns, attack.seconds);
		printf(" opened=%u\n", open);
		return open ? 0 : 1;
	}
	if (ear_open(&attack.fuzz, args[0]) || ear_server(&attack.fuzz, args[2])) {
		fprintf(stderr, "attack: no such interface, or no neighbour %s on it: ping it first\n", args[2]);
		return 1;
	}
	run(verb);
	open = crowd_open();
	printf(" packets=%" PRIu64 " unsent=%" PRIu64 " opened=%u\n", attack.fuzz.packets, attack.fuzz.unsent, open);
	done = attack.fuzz.packets > 100 && (!verb->crowd || open);
	return done ? 0 : 1;
}
