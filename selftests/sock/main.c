// SPDX-License-Identifier: GPL-2.0
/*
 * sock_semantics [--only PATTERN] [--protocol tcp] [--address A]... [-4] [-6] [--client-netns NAME] [--verbose] [--list]
 *
 * Plays every case twice, with the kernel's TCP and with ftcp, and compares what was seen; with --protocol tcp both are TCP, which shows
 * that nothing is recorded that differs from one time to the next. --address: of the server, one for each family at most.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

#define LIMIT_MS	40000
#define FIRST_PORT	10000

static const struct test_case *const groups[] = {
	bind_cases, accept_cases, read_cases, write_cases, end_cases, poll_cases, option_cases, process_cases,
};

/* What is meant to differ. A case that is here and does not differ is a failure: the entry has become untrue. */
static const struct { const char *name, *why; } differences[] = {
	{ "connect_active", "ftcp sockets do not connect" },
};

struct settings {
	struct run run;
	const char *only;
	int second;		/* protocol of the second run */
	bool family4, family6, list, verbose;
};

static unsigned int played, failures;

static const char *difference(const struct settings *s, const char *name)
{
	size_t i;

	for (i = 0; s->second != IPPROTO_TCP && i < COUNT(differences); i++) {
		if (!strcmp(differences[i].name, name))
			return differences[i].why;
	}
	return NULL;
}

/* In a process of its own: nothing of a case outlives it, not even when it hangs. */
static void play(const struct test_case *c, struct run *run)
{
	int64_t deadline = now_ms() + LIMIT_MS;
	int status;
	pid_t pid;

	memset(run->transcript, 0, sizeof(*run->transcript));
	run->port += 8;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		signals_set(0);
		c->play(run);
		exit(0);
	}
	setpgid(pid, pid);
	while (!waitpid(pid, &status, WNOHANG)) {
		if (now_ms() > deadline) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			trouble(run, "the case did not end");
			return;
		}
		usleep(1000);
	}
	kill(-pid, SIGKILL);
	if (status)
		trouble(run, "the case ended with status %#x", status);
}

static void verdict(bool good, const char *name, const char *family, const char *remark)
{
	printf("%sok %u %s, %s%s%s\n", good ? "" : "not ", ++played, name, family, *remark ? ": " : "", remark);
	failures += !good;
}

static void play_both(const struct settings *s, const struct test_case *c, int family)
{
	const char *family_name = family == AF_INET ? "IPv4" : "IPv6", *why = difference(s, c->name);
	const char *name = s->second == IPPROTO_TCP ? "again" : "ftcp";
	static struct transcript first;
	static struct run run;
	bool differs, in_trouble;

	if (!run.port)
		run = s->run;
	run.family = family;
	run.protocol = IPPROTO_TCP;
	play(c, &run);
	first = *run.transcript;
	run.protocol = s->second;
	play(c, &run);
	differs = strcmp(first.text, run.transcript->text);
	in_trouble = first.trouble || run.transcript->trouble;
	if (s->verbose || (differs && !why))
		diff_print("tcp", first.text, name, run.transcript->text);
	if (!differs && (s->verbose || in_trouble))
		printf("# %s", first.text);
	if (!first.length)
		verdict(false, c->name, family_name, "recorded nothing");
	else if (why && !differs)
		verdict(false, c->name, family_name, "is listed as different, and is not");
	else if (in_trouble)
		verdict(false, c->name, family_name, "did not do what it is for");
	else
		verdict(!differs || why, c->name, family_name, why ? why : "");
}

static void play_all(const struct settings *s)
{
	static const int families[] = { AF_INET, AF_INET6 };
	const struct test_case *c;
	size_t i, j;

	for (j = 0; j < COUNT(families); j++) {
		if (!(families[j] == AF_INET ? s->family4 : s->family6))
			continue;
		for (i = 0; i < COUNT(groups); i++) {
			for (c = groups[i]; c->name; c++) {
				if (!s->only || !fnmatch(s->only, c->name, 0))
					play_both(s, c, families[j]);
			}
		}
	}
}

static void list_cases(void)
{
	const struct test_case *c;
	size_t i;

	for (i = 0; i < COUNT(groups); i++) {
		for (c = groups[i]; c->name; c++)
			puts(c->name);
	}
}

static void usage(void)
{
	fprintf(stderr, "usage: sock_semantics [--only PATTERN] [--protocol tcp|ftcp] [--address A]... [-4] [-6] [--client-netns NAME] [--verbose] [--list]\n");
	exit(2);
}

static void set_address(struct run *r, const char *text)
{
	if (inet_pton(AF_INET, text, &r->server4.sin_addr) != 1 && inet_pton(AF_INET6, text, &r->server6.sin6_addr) != 1)
		usage();
}

static int open_netns(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		perror(path);
		exit(2);
	}
	return fd;
}

static void set_protocol(struct settings *s, const char *name)
{
	if (strcmp(name, "tcp") && strcmp(name, "ftcp"))
		usage();
	s->second = strcmp(name, "tcp") ? IPPROTO_FTCP : IPPROTO_TCP;
}

static void parse(struct settings *s, int argc, char **argv)
{
	static const struct option options[] = {
		{ "only", required_argument, NULL, 'o' }, { "protocol", required_argument, NULL, 'p' },
		{ "address", required_argument, NULL, 'a' }, { "client-netns", required_argument, NULL, 'n' },
		{ "verbose", no_argument, NULL, 'v' }, { "list", no_argument, NULL, 'l' }, {},
	};
	int option;

	while ((option = getopt_long(argc, argv, "46v", options, NULL)) != -1) {
		switch (option) {
		case '4': s->family4 = true; break;
		case '6': s->family6 = true; break;
		case 'o': s->only = optarg; break;
		case 'p': set_protocol(s, optarg); break;
		case 'a': set_address(&s->run, optarg); break;
		case 'n': s->run.client_netns = open_netns(optarg); break;
		case 'v': s->verbose = true; break;
		case 'l': s->list = true; break;
		default: usage();
		}
	}
	if (!s->family4 && !s->family6)
		s->family4 = s->family6 = true;
}

int main(int argc, char **argv)
{
	struct settings s = {
		.run = { .client_netns = -1, .server6.sin6_addr = IN6ADDR_LOOPBACK_INIT, .server4.sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
		.second = IPPROTO_FTCP,
	};

	parse(&s, argc, argv);
	if (s.list) {
		list_cases();
		return 0;
	}
	/* A run right after another one must not meet its connections in TIME_WAIT, where a case does without SO_REUSEADDR. */
	s.run.port = FIRST_PORT + getpid() % 3 * 7000;
	s.run.own_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	s.run.transcript = mmap(NULL, sizeof(struct transcript), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("TAP version 13");
	play_all(&s);
	printf("1..%u\n", played);
	return failures > 0;
}
