// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "log.h"

#define LINE_MAX_BYTES	768

static struct {
	const char *group;
	bool to_syslog;
	bool verbose;
	bool to_journal;	/* stderr is read by systemd, which understands <priority> */
} out;

void log_open(const char *group, bool to_syslog, bool verbose)
{
	out.group = group;
	out.verbose = verbose;
	out.to_journal = getenv("JOURNAL_STREAM") != NULL;
	if (to_syslog && !out.to_syslog)
		openlog("ftcp-syncd", LOG_PID, LOG_DAEMON);
	out.to_syslog = to_syslog;
}

static void put(int priority, const char *text)
{
	char line[LINE_MAX_BYTES + 64];
	char name[48] = "";
	int len;

	if (out.group)
		snprintf(name, sizeof(name), "[%s]", out.group);
	if (out.to_syslog) {
		syslog(priority, "%s%s%s", name, *name ? " " : "", text);
		return;
	}
	if (out.to_journal)
		len = snprintf(line, sizeof(line), "<%d>%s%s%s\n", priority, name, *name ? " " : "", text);
	else
		len = snprintf(line, sizeof(line), "ftcp-syncd%s: %s\n", name, text);
	if (len >= (int)sizeof(line))
		len = sizeof(line) - 1;
	if (write(STDERR_FILENO, line, len) < 0)
		return;	/* nobody to tell */
}

void log_line(int priority, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list args;

	if (priority > LOG_NOTICE && !out.verbose)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	put(priority, text);
}

void log_event(const char *name, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES], details[LINE_MAX_BYTES / 2];
	struct timespec now;
	va_list args;

	va_start(args, fmt);
	vsnprintf(details, sizeof(details), fmt, args);
	va_end(args);
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(text, sizeof(text), "event=%s%s%s group=%s at_ms=%llu", name, *details ? " " : "", details,
		 out.group ? out.group : "-", now.tv_sec * 1000ull + now.tv_nsec / 1000000);
	put(LOG_NOTICE, text);
}
