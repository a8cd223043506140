/* SPDX-License-Identifier: GPL-2.0 */
/* ftcpctl: what its commands share. Each command is one function of the table in ftcpctl.c. */
#ifndef FTCPCTL_CTL_H
#define FTCPCTL_CTL_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#define CTL_VERSION "0.1"

/* Exit statuses: documented in ftcpctl(8), scripts depend on them. */
enum ctl_exit {
	CTL_EXIT_OK = 0,		/* done; status: protected, or a standby that is ready */
	CTL_EXIT_UNPROTECTED = 1,	/* status only */
	CTL_EXIT_USAGE = 2,
	CTL_EXIT_REFUSED = 3,		/* by the kernel, or the system failed us */
	CTL_EXIT_NO_MODULE = 4,
	CTL_EXIT_TIMEOUT = 5,
};

struct nl_sock;
struct ctl;

struct ctl_command {
	const char *name;	/* one word, or two: "service add" */
	const char *args;
	const char *help;	/* one line */
	const char *details;	/* further lines of --help, or NULL */
	int (*run)(struct ctl *ctl, int argc, char **argv);
};

struct ctl {
	const struct ctl_command *command;
	const char *group;	/* never NULL */
	bool group_given;	/* commands that can show every group do so unless -g was given */
	bool json;

	struct nl_sock *sock;
	int family;
	char extack[256];	/* what the kernel said about the last request */
};

/* Returned by ctl_getopt() beside the option's own value. */
#define CTL_GETOPT_END	(-1)
#define CTL_GETOPT_EXIT	(-2)	/* *status says with what */

/**
 * ctl_getopt() - getopt_long() for a command: its own options and the global ones, which are dealt with here
 * @shorts: the command's own short options, or ""
 * @longs: the command's own long options, or NULL
 */
int ctl_getopt(struct ctl *ctl, int argc, char **argv, const char *shorts, const struct option *longs,
	       int *status);

/** ctl_no_args() - for commands without arguments: CTL_GETOPT_END when there were none, else CTL_GETOPT_EXIT */
int ctl_no_args(struct ctl *ctl, int argc, char **argv, int *status);

/** ctl_usage_error() - says what is wrong with the command line and how to get help; returns CTL_EXIT_USAGE */
int ctl_usage_error(const struct ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** ctl_error() - "ftcpctl: COMMAND: ..."; @hint: what to do about it, or NULL; returns @status */
int ctl_error(const struct ctl *ctl, int status, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** ctl_alloc() - zeroed, or the program ends; ctl_realloc() likewise */
void *ctl_alloc(size_t size);
void *ctl_realloc(void *old, size_t size);

int ctl_status(struct ctl *ctl, int argc, char **argv);
int ctl_group_list(struct ctl *ctl, int argc, char **argv);
int ctl_group_add(struct ctl *ctl, int argc, char **argv);
int ctl_group_del(struct ctl *ctl, int argc, char **argv);
int ctl_service_list(struct ctl *ctl, int argc, char **argv);
int ctl_service_add(struct ctl *ctl, int argc, char **argv);
int ctl_service_del(struct ctl *ctl, int argc, char **argv);
int ctl_conn_list(struct ctl *ctl, int argc, char **argv);
int ctl_conn_show(struct ctl *ctl, int argc, char **argv);
int ctl_conn_kill(struct ctl *ctl, int argc, char **argv);
int ctl_stats(struct ctl *ctl, int argc, char **argv);
int ctl_monitor(struct ctl *ctl, int argc, char **argv);
int ctl_promote(struct ctl *ctl, int argc, char **argv);
int ctl_demote(struct ctl *ctl, int argc, char **argv);
int ctl_detach(struct ctl *ctl, int argc, char **argv);
int ctl_kick(struct ctl *ctl, int argc, char **argv);
int ctl_wait(struct ctl *ctl, int argc, char **argv);

#endif
