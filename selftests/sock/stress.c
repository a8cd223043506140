// SPDX-License-Identifier: GPL-2.0
/*
 * sock_stress [--protocol tcp|ftcp] [--seed N] [--conns N] [--only NUMBER] [-4|-6] [--address A] [--client-netns NAME] [--verbose]
 *
 * Many threads on sockets of one protocol, clients of the kernel's TCP at the other end. Ends with 0 when every byte came once, and every
 * connection that somebody broke was seen to be broken; with 1 when not, or when somebody hangs.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

#define TOGETHER 8	/* connections at a time */

static atomic_uint wrongs, next_no;
static struct stress stress = {
	.run = { .protocol = IPPROTO_FTCP, .family = AF_INET, .port = 9200, .client_netns = -1, .server6.sin6_addr = IN6ADDR_LOOPBACK_INIT,
		 .server4.sin_addr.s_addr = INADDR_ANY },
	.conns = 200,
	.only = -1,
};

/* splitmix64 */
uint32_t roll(struct dice *dice, uint32_t sides)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ z >> 31) >> 16) % sides;
}

void wrong(const char *belongs_to, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# %s: %s\n", belongs_to, text);
	wrongs++;
}

static void *actor_main(void *arg)
{
	struct actor *actor = arg;

	actor->act(actor);
	return NULL;
}

void actor_start(struct actor *actor, const char *name, void (*act)(struct actor *actor), void *of, uint32_t part, struct dice *from)
{
	*actor = (struct actor){ .name = name, .act = act, .of = of, .part = part, .dice = { roll(from, UINT32_MAX) } };
	if (pthread_create(&actor->thread, NULL, actor_main, actor)) {
		perror("thread");
		exit(1);
	}
}

void actor_join(struct actor *actor, const char *belongs_to)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += HANGS_AFTER_S;
	if (!pthread_timedjoin_np(actor->thread, NULL, &end))
		return;
	wrong(belongs_to, "%s %u hangs", actor->name, actor->part);
	fflush(stdout);
	_exit(1);
}

/* ---- all of them ---- */

static void transfers(struct actor *actor)
{
	uint32_t no;

	while ((no = next_no++) < stress.conns) {
		if (stress.only < 0 || stress.only == (int)no)
			stress_transfer(&stress, *(int *)actor->of, no);
	}
}

static void play(void)
{
	struct actor actors[TOGETHER];
	struct dice dice = { stress.seed };
	int listener = listener_open(&stress.run, 64), i;

	/* Whoever accepts gets his own client: one after the other. */
	for (i = 0; i < TOGETHER; i++)
		actor_start(&actors[i], "transfer", transfers, &listener, i, &dice);
	for (i = 0; i < TOGETHER; i++)
		pthread_join(actors[i].thread, NULL);
	close(listener);
	stress.run.port++;
	if (stress.only < 0)
		stress_accept(&stress);
}

static int descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* ---- the command line ---- */

static void usage(FILE *to)
{
	fputs("usage: sock_stress [--protocol tcp|ftcp] [--seed N] [--conns N] [--only NUMBER] [-4|-6] [--address A] [--client-netns NAME] [--verbose]\n",
	      to);
}

static void use_address(const char *text)
{
	if (!inet_pton(AF_INET, text, &stress.run.server4.sin_addr) && !inet_pton(AF_INET6, text, &stress.run.server6.sin6_addr)) {
		fprintf(stderr, "sock_stress: %s is no address\n", text);
		exit(2);
	}
}

static void use_netns(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	stress.run.client_netns = open(path, O_RDONLY | O_CLOEXEC);
	if (stress.run.client_netns < 0) {
		perror(path);
		exit(2);
	}
}

static void use_protocol(const char *name)
{
	if (strcmp(name, "tcp") && strcmp(name, "ftcp")) {
		usage(stderr);
		exit(2);
	}
	stress.run.protocol = strcmp(name, "tcp") ? IPPROTO_FTCP : IPPROTO_TCP;
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "protocol", required_argument, NULL, 'p' }, { "seed", required_argument, NULL, 's' }, { "conns", required_argument, NULL, 'n' },
		{ "only", required_argument, NULL, 'o' }, { "address", required_argument, NULL, 'a' },
		{ "client-netns", required_argument, NULL, 'c' }, { "verbose", no_argument, NULL, 'v' }, { "help", no_argument, NULL, 'h' }, {},
	};
	int option;

	while ((option = getopt_long(argc, argv, "46h", options, NULL)) >= 0) {
		switch (option) {
		case '4': stress.run.family = AF_INET; break;
		case '6': stress.run.family = AF_INET6; break;
		case 'p': use_protocol(optarg); break;
		case 's': stress.seed = strtoull(optarg, NULL, 0); break;
		case 'n': stress.conns = strtoul(optarg, NULL, 0); break;
		case 'o': stress.only = atoi(optarg); break;
		case 'a': use_address(optarg); break;
		case 'c': use_netns(optarg); break;
		case 'v': stress.verbose = true; break;
		case 'h': usage(stdout); exit(0);
		default: usage(stderr); exit(2);
		}
	}
	if (optind < argc) {
		usage(stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	int before;

	stress.seed = (uint64_t)time(NULL) * 1000003 + getpid();
	stress.run.server4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	parse(argc, argv);
	stress.run.own_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	stress.run.transcript = mmap(NULL, sizeof(struct transcript), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	printf("# sock_stress --seed %llu --conns %u\n", (unsigned long long)stress.seed, stress.conns);
	before = descriptors();
	play();
	if (descriptors() != before)
		wrong("all", "%d descriptors were left open", descriptors() - before);
	printf("# %u of %u connections, %u complaints\n", next_no < stress.conns ? next_no : stress.conns, stress.conns, wrongs);
	return wrongs > 0;
}
