// SPDX-License-Identifier: GPL-2.0
/* Options that every command has, and error messages. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "ctl.h"
#include "ctl_opt.h"

#define LONGS_MAX 16

static const struct option global_longs[] = {
	{ "group", required_argument, NULL, 'g' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

void *ctl_realloc(void *old, size_t size)
{
	void *p = realloc(old, size);

	if (!p) {
		fprintf(stderr, "ftcpctl: out of memory\n");
		exit(CTL_EXIT_REFUSED);
	}
	return p;
}

void *ctl_alloc(size_t size)
{
	return memset(ctl_realloc(NULL, size), 0, size);
}

static void print_prefix(const struct ctl *ctl)
{
	fflush(stdout);
	fprintf(stderr, "ftcpctl: ");
	if (ctl->command)
		fprintf(stderr, "%s: ", ctl->command->name);
}

int ctl_usage_error(const struct ctl *ctl, const char *fmt, ...)
{
	va_list args;

	print_prefix(ctl);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n  Do: see 'ftcpctl %s%s--help'\n", ctl->command ? ctl->command->name : "",
		ctl->command ? " " : "");
	return CTL_EXIT_USAGE;
}

int ctl_error(const struct ctl *ctl, int status, const char *hint, const char *fmt, ...)
{
	va_list args;

	print_prefix(ctl);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	if (hint)
		fprintf(stderr, "  Do: %s\n", hint);
	return status;
}

static void print_command_help(const struct ctl_command *command)
{
	printf("Usage: ftcpctl [OPTIONS] %s%s%s\n\n%s\n\n", command->name, *command->args ? " " : "",
	       command->args, command->help);
	if (command->details)
		printf("%s\n\n", command->details);
	printf(CTL_GLOBAL_HELP);
}

/* Returns true when the option was a global one; *status >= 0: the program is to end with it. */
static bool global_option(struct ctl *ctl, int c, int *status)
{
	switch (c) {
	case 'g':
		if (!ctl_valid_group(optarg))
			*status = ctl_usage_error(ctl,
				"'%s' is no name of a group: 1 to 31 letters, digits, '_', '.', '-'", optarg);
		ctl->group = optarg;
		ctl->group_given = true;
		return true;
	case 'j':
		ctl->json = true;
		return true;
	case 'h':
		if (ctl->command)
			print_command_help(ctl->command);
		else
			ctl_print_help(stdout, NULL);
		*status = CTL_EXIT_OK;
		return true;
	case 'V':
		printf("ftcpctl " CTL_VERSION "\n");
		*status = CTL_EXIT_OK;
		return true;
	}
	return false;
}

static int bad_option(const struct ctl *ctl, int c, char **argv)
{
	/* optopt is what getopt knows: the value of a long option it recognised, a letter, or 0. */
	const char *word = argv[optind - 1];

	if (c == ':')
		return ctl_usage_error(ctl, "option '%s' needs a value", word);
	if (optopt > 0 && optopt < 256 && strncmp(word, "--", 2))
		return ctl_usage_error(ctl, "there is no option '-%c'", optopt);
	if (optopt)
		return ctl_usage_error(ctl, "option '%s' takes no value", word);
	return ctl_usage_error(ctl, "there is no option '%s', or it is ambiguous", word);
}

int ctl_getopt(struct ctl *ctl, int argc, char **argv, const char *shorts, const struct option *longs,
	       int *status)
{
	struct option all[LONGS_MAX];
	char all_shorts[32];
	size_t n = 0;
	int c;

	while (longs && longs->name && n < LONGS_MAX - sizeof(global_longs) / sizeof(global_longs[0]))
		all[n++] = *longs++;
	memcpy(all + n, global_longs, sizeof(global_longs));
	/* "+" must stay in front; ":" tells a missing value from an unknown option. */
	snprintf(all_shorts, sizeof(all_shorts), "%s:g:jhV%s", *shorts == '+' ? "+" : "",
		 *shorts == '+' ? shorts + 1 : shorts);
	opterr = 0;
	*status = -1;
	do {
		c = getopt_long(argc, argv, all_shorts, all, NULL);
		if (c == CTL_GETOPT_END)
			return c;
		if (c == '?' || c == ':')
			*status = bad_option(ctl, c, argv);
		else if (!global_option(ctl, c, status))
			return c;
	} while (*status < 0);
	return CTL_GETOPT_EXIT;
}

int ctl_no_args(struct ctl *ctl, int argc, char **argv, int *status)
{
	if (ctl_getopt(ctl, argc, argv, "", NULL, status) == CTL_GETOPT_EXIT)
		return CTL_GETOPT_EXIT;
	if (optind == argc)
		return CTL_GETOPT_END;
	*status = ctl_usage_error(ctl, "'%s' is one argument too many", argv[optind]);
	return CTL_GETOPT_EXIT;
}
