/* SPDX-License-Identifier: GPL-2.0 */
/* sd_notify(3) without libsystemd. */
#ifndef FTCP_NOTIFY_H
#define FTCP_NOTIFY_H

/** notify() - tell the service manager, if there is one: "READY=1", "STATUS=...", "STOPPING=1" */
__attribute__((format(printf, 1, 2))) void notify(const char *fmt, ...);

#endif
