/* SPDX-License-Identifier: GPL-2.0 */
/* What the core is told about the world at each call: it has no clock, no key and no role of its own. */
#ifndef FTCP_ENV_H
#define FTCP_ENV_H

#include <linux/types.h>

/**
 * struct ftcp_env
 * @now_us: a monotonic clock of this host, never 0
 * @ts_ms: the group's timestamp clock, which goes on from host to host (RFC 7323, 5.4); 32 bits that wrap
 * @alone: the commit gate is open: no standby, everything counts as committed at once
 */
struct ftcp_env {
	u64 now_us;
	u32 ts_ms;
	bool alone;
};

#endif
