// SPDX-License-Identifier: GPL-2.0
/* ftcprun: run a program whose listening TCP sockets are ftcp's. The work is done in the program, by preload.c. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <linux/ftcp_sock.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ports.h"
#include "preload.h"
#include "program.h"

static const char help[] =
	"Usage: ftcprun [OPTIONS] [--] PROGRAM [ARGUMENT...]\n"
	"Run a server program so that its TCP connections outlive it: what it listens with becomes a socket of ftcp.\n\n"
	"  -p, --port PORTS   only these ports, such as 80 or 21,40000-40009; may be given several times; default: all\n"
	"  -g, --group NAME   the group of ftcp that serves them; default: \"default\"\n"
	"  -v, --verbose      tell which ports ftcp has taken, and which not\n"
	"  -h, --help\n"
	"  -V, --version\n\n"
	"The exit status is the program's; 127: there is none, 126: it cannot be run, 1: ftcp is not there, 2: wrong usage.\n";

static const struct option long_options[] = {
	{ "port", required_argument, NULL, 'p' },
	{ "group", required_argument, NULL, 'g' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ }
};

__attribute__((format(printf, 2, 3), noreturn))
static void die(int status, const char *format, ...)
{
	va_list args;

	fputs("ftcprun: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

static void set(const char *name, const char *value)
{
	if (setenv(name, value, 1))
		die(1, "%s: %m", name);
}

static void add_ports(const char *list)
{
	static struct ports ports;
	static char *all;
	char *longer;

	if (!ports_parse(&ports, list))
		die(2, "%s: not a list of ports (such as 21,40000-40009)", list);
	if (asprintf(&longer, "%s%s%s", all ? all : "", all ? "," : "", list) < 0)
		die(1, "%m");
	free(all);
	all = longer;
	set(PRELOAD_PORTS, all);
}

static void parse(int argc, char **argv)
{
	int option;

	unsetenv(PRELOAD_PORTS);
	unsetenv(PRELOAD_GROUP);
	unsetenv(PRELOAD_VERBOSE);
	while ((option = getopt_long(argc, argv, "+p:g:vhV", long_options, NULL)) >= 0) {
		switch (option) {
		case 'p':
			add_ports(optarg);
			break;
		case 'g':
			set(PRELOAD_GROUP, optarg);
			break;
		case 'v':
			set(PRELOAD_VERBOSE, "1");
			break;
		case 'h':
			fputs(help, stdout);
			exit(0);
		case 'V':
			printf("ftcprun %s\n", VERSION);
			exit(0);
		default:
			exit(2);
		}
	}
	if (optind == argc)
		die(2, "which program? (--help)");
}

/* Next to ftcprun's own directory, wherever that was installed: bin/ftcprun, lib/libftcprun.so. */
static void preload(void)
{
	char self[PATH_MAX], *library, *list, *slash;
	const char *before = getenv("LD_PRELOAD");
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len < 0)
		die(1, "/proc/self/exe: %m");
	self[len] = '\0';
	for (int up = 0; up < 2; up++) {
		slash = strrchr(self, '/');
		if (slash)
			*slash = '\0';
	}
	if (asprintf(&library, "%s/lib/%s", self, PRELOAD_LIBRARY) < 0 ||
	    asprintf(&list, "%s%s%s", library, before && *before ? ":" : "", before ? before : "") < 0)
		die(1, "%m");
	if (access(library, R_OK))
		die(1, "%s: %m", library);
	if (strpbrk(library, ": "))
		die(1, "%s: the loader takes no path with a blank or a colon", library);
	set("LD_PRELOAD", list);
}

static void need_module(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_FTCP);

	if (fd < 0)
		die(1, "the kernel has no sockets of ftcp (%m): is the module loaded? modprobe ftcp");
	close(fd);
}

int main(int argc, char **argv)
{
	char path[PATH_MAX];
	const char *why;
	int status;

	parse(argc, argv);
	argv += optind;
	status = program_find(argv[0], path, sizeof(path));
	if (status)
		die(status, "%s: %s", argv[0], status == 127 ? "no such program" : "not executable");
	why = program_closed(path);
	if (why)
		die(126, "%s %s", argv[0], why);
	need_module();
	preload();
	execvp(argv[0], argv);
	die(errno == ENOENT ? 127 : 126, "%s: %m", argv[0]);
}
