/* SPDX-License-Identifier: GPL-2.0 */
/* The command line, ftcp-syncd(8). */
#ifndef FTCP_OPTIONS_H
#define FTCP_OPTIONS_H

#include <stdbool.h>

enum exit_status {
	EXIT_GOOD = 0,
	EXIT_RUNTIME = 1,
	EXIT_USAGE = 2,		/* or the configuration is wrong */
	EXIT_NO_MODULE = 3,
};

struct options {
	const char *config;
	const char *pid_file;
	bool daemon;
	bool verbose;
	bool check_only;
};

/** options_read() - exits for --help, --version and nonsense */
void options_read(struct options *options, int argc, char **argv);

#endif
