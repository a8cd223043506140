// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ftcp/batch.h>
#include <linux/ftcp.h>
#include "frame.h"
#include "options.h"

#define CONFIG_DEFAULT "/etc/ftcp/default.conf"

static void print_help(void)
{
	printf("Usage: ftcp-syncd [OPTIONS]\n\n"
	       "Joins a group of fault-tolerant TCP services with the same group on another host:\n"
	       "replicates its connections, takes over when the other host dies.\n\n"
	       "  -c, --config FILE   configuration, ftcp-syncd.conf(5); default: " CONFIG_DEFAULT "\n"
	       "  -f, --foreground    stay in the foreground and log to stderr\n"
	       "  -d, --daemon        go into the background and log to syslog;\n"
	       "                      default, unless a service manager waits (NOTIFY_SOCKET)\n"
	       "  -p, --pid-file FILE write the process number there\n"
	       "  -t, --test          only check the configuration\n"
	       "  -v, --verbose       log more\n"
	       "  -h, --help          print this\n"
	       "  -V, --version       print the version\n\n"
	       "Exit status: 0 stopped by SIGTERM or SIGINT; 1 something failed; 2 wrong usage or configuration;\n"
	       "3 the module is not loaded.\n");
	exit(EXIT_GOOD);
}

static void print_version(void)
{
	printf("ftcp-syncd: netlink family %d, link protocol %d, batches %d\n", FTCP_FAMILY_VERSION, FRAME_VERSION,
	       FTCP_BATCH_VERSION);
	exit(EXIT_GOOD);
}

static void fail(const char *why)
{
	fprintf(stderr, "ftcp-syncd: %stry 'ftcp-syncd --help'\n", why);
	exit(EXIT_USAGE);
}

void options_read(struct options *options, int argc, char **argv)
{
	static const struct option table[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "daemon", no_argument, NULL, 'd' },
		{ "pid-file", required_argument, NULL, 'p' },
		{ "test", no_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int opt;

	memset(options, 0, sizeof(*options));
	options->config = CONFIG_DEFAULT;
	options->daemon = getenv("NOTIFY_SOCKET") == NULL;
	while ((opt = getopt_long(argc, argv, "c:fdp:tvhV", table, NULL)) != -1) {
		switch (opt) {
		case 'c':
			options->config = optarg;
			break;
		case 'f':
		case 'd':
			options->daemon = opt == 'd';
			break;
		case 'p':
			options->pid_file = optarg;
			break;
		case 't':
			options->check_only = true;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'h':
			print_help();
			break;
		case 'V':
			print_version();
			break;
		default:
			fail("");
		}
	}
	if (optind < argc)
		fail("there are no arguments besides options; ");
}
