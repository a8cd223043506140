// SPDX-License-Identifier: GPL-2.0
/*
 * Random requests to the netlink family ftcp, from many sockets, places and namespaces at once; most of them well-formed.
 *
 *	nl_fuzz [-S SEED] [-t SECONDS] [-n REQUESTS]
 *
 * All of it happens to groups "fuzz0" ... and ports 4711 ...; other groups must not notice. What there is to say is read from
 * the family itself and held against the header: what is new is fuzzed. The same seed makes the same requests, but for
 * what is taken from the kernel's answers. Prints TAP.
 */
#include <inttypes.h>
#include <linux/genetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>
#include "nl_fuzz.h"

static const enum fuzz_place places[] = {
	FUZZ_HERE, FUZZ_HERE, FUZZ_HERE, FUZZ_ELSEWHERE, FUZZ_NOBODY, FUZZ_NOBODY_ELSEWHERE
};

static struct fuzz_family family;
static struct fuzz_report *reports, sum;
static uint64_t seed;
static double seconds = 30;
static uint64_t requests_max = 10000;	/* of each worker */

/* ---- results ---- */

static unsigned int n_results, n_failed, n_trouble;

__attribute__((format(printf, 1, 2)))
static void trouble(const char *fmt, ...)
{
	va_list args;

	n_trouble++;
	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

static void result(const char *name)
{
	n_failed += !!n_trouble;
	printf("%sok %u %s\n", n_trouble ? "not " : "", ++n_results, name);
	fflush(stdout);
	n_trouble = 0;
}

/* ---- what there is to say ---- */

/* The kernel's to say, and nobody else's. */
static bool only_said_by_kernel(unsigned int cmd)
{
	return cmd == FTCP_CMD_SYNC_BATCH || cmd == FTCP_CMD_EVENT || cmd == FTCP_CMD_SYNC_REFUSED;
}

static void check_family(void)
{
	for (unsigned int cmd = FTCP_CMD_UNSPEC + 1; cmd <= FTCP_CMD_MAX; cmd++) {
		bool offered = family.commands[cmd].does || family.commands[cmd].dumps;

		if (offered == only_said_by_kernel(cmd))
			trouble("command %u is %soffered by the family", cmd, offered ? "" : "not ");
	}
	result("every command of the header is fuzzed");
}

/* ---- work ---- */

static pid_t start(unsigned int no)
{
	struct fuzz_worker worker = {
		.family = &family, .report = &reports[no], .no = no, .place = places[no], .seed = seed * 1000 + no,
		.until = fuzz_now() + seconds, .requests_max = requests_max,
	};
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	fuzz_work(&worker);
	fflush(stdout);
	_exit(0);
}

static void run(void)
{
	pid_t pids[COUNT(places)];
	int status;

	for (unsigned int i = 0; i < COUNT(places); i++)
		pids[i] = start(i);
	for (unsigned int i = 0; i < COUNT(places); i++) {
		if (waitpid(pids[i], &status, 0) != pids[i] || status)
			trouble("worker %u ended with status %#x", i, status);
		printf("# worker %u: %" PRIu64 " requests in %" PRIu64 " steps%s\n", i, reports[i].requests, reports[i].steps,
		       reports[i].skipped ? ", no such place here" : "");
	}
	result("requests from many sockets at once");
}

/* ---- what became of it ---- */

static void add_up(void)
{
	const uint64_t *from;
	uint64_t *to;

	/* Nothing but numbers before the last member. */
	for (unsigned int i = 0; i < COUNT(places); i++) {
		from = (const uint64_t *)&reports[i];
		to = (uint64_t *)&sum;
		for (size_t j = 0; j < offsetof(struct fuzz_report, skipped) / sizeof(*to); j++)
			to[j] += from[j];
	}
}

static void tell(void)
{
	uint64_t granted = 0, refused = 0;

	for (unsigned int i = 0; i < COUNT(sum.granted); i++) {
		granted += sum.granted[i];
		refused += sum.refused[i];
	}
	printf("# requests=%" PRIu64 " granted=%" PRIu64 " refused=%" PRIu64 " overruns=%" PRIu64 " batches=%" PRIu64 " closed=%" PRIu64
	       " broken_dumps=%" PRIu64 " namespaces=%" PRIu64 "\n", sum.requests, granted, refused, sum.overruns, sum.batches,
	       sum.closed, sum.broken_dumps, sum.namespaces);
	for (unsigned int cmd = 1; cmd <= FTCP_CMD_MAX; cmd++)
		printf("# command %u: granted %" PRIu64 ", refused %" PRIu64 "\n", cmd, sum.granted[cmd], sum.refused[cmd]);
}

static void check_answers(void)
{
	if (sum.unanswered)
		trouble("%" PRIu64 " requests got no answer", sum.unanswered);
	result("every request is answered");
	if (sum.silent)
		trouble("%" PRIu64 " refusals do not say why", sum.silent);
	result("every refusal says why");
	for (unsigned int i = 0; i < COUNT(places); i++)
		for (unsigned int cmd = 0; places[i] == FUZZ_NOBODY && cmd < COUNT(sum.granted); cmd++)
			if (reports[i].granted[cmd])
				trouble("command %u was granted to nobody", cmd);
	result("without privilege nothing is granted");
}

/* A fuzzer that is always refused at the door finds nothing behind it. */
static void check_reach(void)
{
	for (unsigned int cmd = 1; cmd <= FTCP_CMD_MAX; cmd++)
		if (!only_said_by_kernel(cmd) && (!sum.granted[cmd] || !sum.refused[cmd]))
			trouble("command %u: granted %" PRIu64 " times, refused %" PRIu64 " times", cmd, sum.granted[cmd],
				sum.refused[cmd]);
	result("every command was granted, and refused");
	for (unsigned int type = 1; type < FUZZ_ATTRS; type++)
		if (!sum.sent[type])
			trouble("attribute %u was never sent", type);
	result("every attribute was sent");
	if (!sum.batches)
		trouble("no batch came");
	result("batches came from the kernel");
}

static void parse(int argc, char **argv)
{
	int option;

	if (getrandom(&seed, sizeof(seed), 0) < 0)
		seed = getpid();
	seed &= 0xffffffff;
	while ((option = getopt(argc, argv, "S:t:n:")) != -1) {
		switch (option) {
		case 'S': seed = strtoull(optarg, NULL, 0); break;
		case 't': seconds = atof(optarg); break;
		case 'n': requests_max = strtoull(optarg, NULL, 0); break;
		default: fprintf(stderr, "usage: nl_fuzz [-S SEED] [-t SECONDS] [-n REQUESTS]\n"); exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	char **groups;
	int err;

	parse(argc, argv);
	printf("TAP version 13\n# seed %" PRIu64 "\n", seed);
	err = fuzz_family_read(&family);
	if (err) {
		printf("1..0 # SKIP no netlink family ftcp: %s\n", strerror(-err));
		return 4;
	}
	reports = mmap(NULL, COUNT(places) * sizeof(*reports), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (reports == MAP_FAILED)
		return 1;
	groups = fuzz_groups();
	check_family();
	run();
	add_up();
	tell();
	check_answers();
	check_reach();
	if (fuzz_clean(groups))
		trouble("it cannot");
	result("all of it can be removed again");
	fuzz_race(3);
	if (fuzz_clean(groups))
		trouble("a service is in a group that is no more");
	result("found: a group that is removed while it is given a service");
	if (!fuzz_same_connection() || fuzz_clean(groups))
		trouble("it should be taken once, and refused with a reason");
	result("found: a connection of two groups");
	printf("1..%u\n", n_results);
	return n_failed ? 1 : 0;
}
