// SPDX-License-Identifier: GPL-2.0
/* ftcpctl: the person's view of ftcp. Finds the command in one table and runs it. */
#include <stdio.h>
#include <string.h>
#include <linux/ftcp.h>
#include "ctl.h"
#include "ctl_netlink.h"
#include "ctl_opt.h"

static const struct ctl_command commands[] = {
	{ "status", "", "say whether connections are protected, and what to do if not",
	  "Exit status: 0 protected, or standby and ready; 1 not; 4 no module.", ctl_status },
	{ "service list", "", "the services, of all groups unless -g is given", NULL, ctl_service_list },
	{ "service add", "BACKEND --port N", "serve a port (BACKEND: echo, discard, chargen, socket)",
	  "      --addr A           only this local address (IPv4 or IPv6); default: any, both families\n"
	  "      --rcv-buf BYTES    receive buffer of a connection\n"
	  "      --snd-buf BYTES    send buffer of a connection\n"
	  "      --user-timeout MS  give up on a peer that acknowledges nothing for so long\n"
	  "      --keepalive MS     probe an idle peer after so long; 0: never\n"
	  "      --congestion NAME  cubic (default) or reno\n"
	  "      --nagle            small segments wait while something is unacknowledged\n"
	  "      --max-conns N      connections at most\n"
	  "      --recover MS       socket: wait so long for a program after a takeover\n"
	  "      --protection HOW   sync (default): nothing leaves before the standby holds it; async: shipped, without\n"
	  "                         waiting; none: connections die with their host", ctl_service_add },
	{ "service del", "--port N [--addr A]", "stop serving a port; its connections are aborted",
	  NULL, ctl_service_del },
	{ "group list", "", "the groups and their roles", NULL, ctl_group_list },
	{ "group add", "NAME", "make a group: services that fail over together", NULL, ctl_group_add },
	{ "group del", "NAME", "remove a group; refused while it has services", NULL, ctl_group_del },
	{ "conn list", "[--state STATE]", "the connections, of all groups unless -g is given",
	  "      --state STATE      only those: established, fin-wait-1, ... as ss(8) names them", ctl_conn_list },
	{ "conn show", "[RADDR:RPORT]", "the same with everything, in the manner of ss -ti",
	  "Numbers are bytes and milliseconds. \"in\" and \"out\" are the cursors of the two streams, in the order in\n"
	  "which bytes pass them; a standby has only those that survive.", ctl_conn_show },
	{ "conn kill", "LADDR:LPORT RADDR:RPORT", "abort a connection with a reset ([ADDR]:PORT for IPv6)",
	  NULL, ctl_conn_kill },
	{ "stats", "[-a]", "counters that are not zero",
	  "  -a, --all              those that are zero, too", ctl_stats },
	{ "monitor", "", "print events as they happen, one line each", NULL, ctl_monitor },
	{ "promote", "[--epoch N] [--force]", "standby: take over",
	  "      --epoch N          the new generation; default: one above the present\n"
	  "      --force            even when not in sync: connections not held here are lost", ctl_promote },
	{ "demote", "[--epoch N] [--force]", "become standby, silent at once",
	  "      --epoch N          the generation to give way to\n"
	  "      --force            even if connections are lost by it", ctl_demote },
	{ "detach", "", "primary: go on alone, unprotected; connections that waited move again", NULL, ctl_detach },
	{ "kick", "", "the address has moved here: speak first on every connection", NULL, ctl_kick },
	{ "wait", "--for STATE [--timeout S]", "wait until the group is in a state; 5 if it is not in time",
	  "      --for STATE        protected, primary, standby, detached, active (primary or detached),\n"
	  "                         in-sync, ready (standby, in sync, not cut off)\n"
	  "      --timeout S        seconds, such as 10 or 0.5; default: for ever", ctl_wait },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

void ctl_print_help(FILE *to, const char *prefix)
{
	size_t len = prefix ? strlen(prefix) : 0;
	char left[64];

	fprintf(to, "Usage: ftcpctl [OPTIONS] %s\n\nCommands:\n", prefix ? prefix : "[COMMAND]");
	for (size_t i = 0; i < COMMANDS; i++) {
		if (prefix && (strncmp(commands[i].name, prefix, len) || commands[i].name[len] != ' '))
			continue;
		snprintf(left, sizeof(left), "%s %s", commands[i].name, commands[i].args);
		fprintf(to, "  %-36s %s\n", left, commands[i].help);
	}
	fprintf(to, "\n%s'ftcpctl COMMAND --help' says more.\n\n" CTL_GLOBAL_HELP,
		prefix ? "" : "Without a command: status. ");
}

/* Two words before one: "service add". Returns how many words it took, 0: no such command. */
static int find_command(struct ctl *ctl, int argc, char **argv)
{
	char two[64];

	if (!argc) {
		ctl->command = &commands[0];
		return 0;
	}
	snprintf(two, sizeof(two), "%s %s", argv[0], argc > 1 ? argv[1] : "");
	for (size_t i = 0; i < COMMANDS; i++) {
		ctl->command = &commands[i];
		if (!strcmp(commands[i].name, two))
			return 2;
		if (!strcmp(commands[i].name, argv[0]))
			return 1;
	}
	ctl->command = NULL;
	return 0;
}

static bool is_family(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < COMMANDS; i++)
		if (!strncmp(commands[i].name, word, len) && commands[i].name[len] == ' ')
			return true;
	return false;
}

/* "ftcpctl service", "ftcpctl service --help", "ftcpctl service ad" */
static int no_such_command(struct ctl *ctl, int argc, char **argv)
{
	if (!is_family(argv[0]))
		return ctl_usage_error(ctl, "there is no command '%s'", argv[0]);
	if (argc > 1 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		ctl_print_help(stdout, argv[0]);
		return CTL_EXIT_OK;
	}
	if (argc > 1)
		return ctl_usage_error(ctl, "there is no command '%s %s'", argv[0], argv[1]);
	fprintf(stderr, "ftcpctl: %s: what is to be done?\n", argv[0]);
	ctl_print_help(stderr, argv[0]);
	return CTL_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .group = FTCP_GROUP_DEFAULT };
	int words, status;

	/* "+": options behind the command are the command's to read. */
	if (ctl_getopt(&ctl, argc, argv, "+", NULL, &status) == CTL_GETOPT_EXIT)
		return status;
	argc -= optind;
	argv += optind;
	words = find_command(&ctl, argc, argv);
	if (!ctl.command)
		return no_such_command(&ctl, argc, argv);
	if (words) {
		argc -= words - 1;
		argv += words - 1;
	} else {
		argv--;		/* the place of argv[0], which getopt steps over */
		argc = 1;
	}
	optind = 0;		/* glibc: begin anew, with the command's own options */
	status = ctl.command->run(&ctl, argc, argv);
	ctl_close(&ctl);
	if (fflush(stdout) || ferror(stdout))
		return ctl_error(&ctl, CTL_EXIT_REFUSED, "is the disk full?", "the output could not be written");
	return status;
}
