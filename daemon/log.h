/* SPDX-License-Identifier: GPL-2.0 */
/* What the daemon tells: to stderr in the foreground, to syslog as a daemon. One line, one write. */
#ifndef FTCP_LOG_H
#define FTCP_LOG_H

#include <stdbool.h>
#include <syslog.h>

/**
 * log_open() - before it, lines go to stderr
 * @group: named in every line; kept
 * @to_syslog: there is no stderr any more
 * @verbose: LOG_INFO and LOG_DEBUG too
 */
void log_open(const char *group, bool to_syslog, bool verbose);

__attribute__((format(printf, 2, 3))) void log_line(int priority, const char *fmt, ...);

#define log_err(...)	log_line(LOG_ERR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_WARNING, __VA_ARGS__)
#define log_note(...)	log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	log_line(LOG_DEBUG, __VA_ARGS__)

/**
 * log_event() - a line for programs: event=NAME, then what @fmt says, then group=NAME at_ms=TIME
 *
 * TIME is CLOCK_REALTIME in milliseconds, comparable between hosts as far as their clocks are.
 */
__attribute__((format(printf, 2, 3))) void log_event(const char *name, const char *fmt, ...);

#endif
