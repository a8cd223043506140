// SPDX-License-Identifier: GPL-2.0
/*
 * Random segments for a service, from a host of its LAN, while others use it.
 *
 *	packet_fuzz [-S SEED] [-t SECONDS] [-r PACKETS-A-SECOND] INTERFACE PORT SERVER4 SERVER6 CLIENT4 CLIENT6
 *
 * Its own connections come from 10.8.0.0/16 and fd08::/64, which the server must find by way of this host, and where nobody
 * is. The connections of this host's own addresses are attacked as somebody would who does not see them, and disturbed by
 * what every TCP has to survive. The same seed makes the same packets, but for the numbers that the server chooses. Some of
 * its connections are left standing at the end. Prints TAP.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "packet_fuzz.h"

#define STEPS_AT_ONCE	20
#define FLOOD_SYNS	1500	/* more than the server wants to remember */
#define KEEP		4	/* every fourth connection */
#define MORE		8	/* halves of its time, for a machine that has not come far in it */

static struct fuzz fuzz;
static uint64_t seed;
static double seconds = 20, rate = 8000;
static const char *interface;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* Every step has numbers of its own, however many the steps before have used. */
static void step(uint64_t *state)
{
	uint32_t what;

	fuzz.rnd = pattern_next(state);
	what = range(&fuzz, 100);
	if (what < 60)
		flow_step(&fuzz);
	else if (what < 70)
		stray_step(&fuzz);
	else if (what < 72)
		flood_syn(&fuzz);
	else if (what < 85)
		blind_step(&fuzz);
	else
		knowing_step(&fuzz);
}

static void pace(double begin)
{
	double due = begin + fuzz.packets / rate - now();

	ear_listen(&fuzz);
	if (due > 0.001)
		usleep(due * 1e6);
}

static void steps(uint64_t *state, double begin, double until)
{
	while (now() < until) {
		for (int i = 0; i < STEPS_AT_ONCE; i++)
			step(state);
		pace(begin);
	}
}

/* Packets that never came to a connection of the server's have tested nothing. */
static bool reached(void)
{
	return fuzz.opened > 2 * FLOWS && fuzz.data_acked > 1000000;
}

/* Until the flood comes there is room for handshakes that are remembered. */
static double run(void)
{
	uint64_t state = seed, flood = ~seed;
	double begin = now();

	steps(&state, begin, begin + seconds / 2);
	for (int i = 0; i < FLOOD_SYNS; i++) {
		fuzz.rnd = pattern_next(&flood);
		flood_syn(&fuzz);
		if (i % STEPS_AT_ONCE == 0)
			pace(begin);
	}
	steps(&state, begin, begin + seconds);
	for (int more = 0; more < MORE && !reached(); more++)
		steps(&state, begin, now() + seconds / 2);
	return now() - begin;
}

static void finish(void)
{
	ear_listen(&fuzz);
	floods_end(&fuzz);
	usleep(500000);		/* what is in flight is acknowledged by then, mostly */
	ear_listen(&fuzz);
	flows_end(&fuzz, KEEP);
}

/* ---- who is who ---- */

static void usage(void)
{
	fprintf(stderr, "usage: packet_fuzz [-S SEED] [-t SECONDS] [-r PACKETS-A-SECOND] "
		"INTERFACE PORT SERVER4 SERVER6 CLIENT4 CLIENT6\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	int option;

	if (getrandom(&seed, sizeof(seed), 0) < 0)
		seed = getpid();
	seed &= 0xffffffff;
	while ((option = getopt(argc, argv, "S:t:r:")) != -1) {
		switch (option) {
		case 'S': seed = strtoull(optarg, NULL, 0); break;
		case 't': seconds = atof(optarg); break;
		case 'r': rate = atof(optarg); break;
		default: usage();
		}
	}
	if (argc - optind != 6)
		usage();
	argv += optind;
	interface = argv[0];
	fuzz.port = atoi(argv[1]);
	if (inet_pton(AF_INET, argv[2], fuzz.server4) != 1 || inet_pton(AF_INET6, argv[3], fuzz.server6) != 1 ||
	    inet_pton(AF_INET, argv[4], fuzz.client4) != 1 || inet_pton(AF_INET6, argv[5], fuzz.client6) != 1)
		usage();
	if (ear_open(&fuzz, interface) || ear_server(&fuzz, argv[2])) {
		fprintf(stderr, "packet_fuzz: no such interface, or no neighbour %s on it: ping it first\n", argv[2]);
		exit(1);
	}
}

/* ---- results ---- */

static void tell(double took)
{
	printf("# packets=%" PRIu64 " a_second=%.0f unsent=%" PRIu64 " good=%" PRIu64 " wrong=%" PRIu64 " flood=%" PRIu64 " blind=%" PRIu64
	       " knowing=%" PRIu64 "\n", fuzz.packets, fuzz.packets / took, fuzz.unsent, fuzz.by_class[CLASS_GOOD],
	       fuzz.by_class[CLASS_WRONG], fuzz.by_class[CLASS_FLOOD], fuzz.by_class[CLASS_BLIND], fuzz.by_class[CLASS_KNOWING]);
	printf("# opened=%" PRIu64 " reset_by_us=%" PRIu64 " reset_by_server=%" PRIu64 " acknowledged=%" PRIu64 " syns=%" PRIu64 "\n",
	       fuzz.opened, fuzz.finished, fuzz.resets_heard, fuzz.data_acked, fuzz.n_floods);
}

static void tell_others(void)
{
	for (int i = 0; i < HONEST_MAX; i++)
		if (fuzz.honest[i].used)
			printf("# port %u of others: %u of %u bytes acknowledged\n", fuzz.honest[i].sport,
			       fuzz.honest[i].acked - fuzz.honest[i].first, fuzz.honest[i].next - fuzz.honest[i].first);
}

int main(int argc, char **argv)
{
	bool all = true;
	double took;

	parse(argc, argv);
	printf("TAP version 13\n# seed %" PRIu64 "\n", seed);
	fflush(stdout);
	took = run();
	finish();
	tell(took);
	tell_others();
	/* Those who know a connection's numbers need one that has got far, which a slow machine has few of. */
	for (int i = 0; i < CLASS_MAX; i++)
		all &= fuzz.by_class[i] > (i == CLASS_KNOWING ? 0 : fuzz.packets / 100);
	printf("%sok 1 packets of every class were sent\n", all ? "" : "not ");
	printf("%sok 2 connections were opened, and what they sent was taken\n1..2\n", reached() ? "" : "not ");
	return all && reached() ? 0 : 1;
}
