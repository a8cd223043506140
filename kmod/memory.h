/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory for connections and their bytes, of the whole host: how much of it is used, and what one connection may have of it when there is
 * not much left. What was acknowledged is never given up for it.
 */
#ifndef FTCP_MEMORY_H
#define FTCP_MEMORY_H

#include <linux/types.h>

/*
 * What happens as memory runs out. A share, however small, is set aside for every connection: none that is there must wait for others
 * to go. What a standby holds is its primary's business, and counted only.
 *
 * Guests are network namespaces of another user namespace than the first one: anybody may make those, and be root there. All of them together have
 * half of the memory, and that half has levels of its own; what their standbys hold is bounded by it, too.
 */
enum ftcp_memory {
	FTCP_MEMORY_PLENTY,
	FTCP_MEMORY_SHORT,	/* half of it is taken: SYNs are answered by cookies, nobody is promised or given more than a share */
	FTCP_MEMORY_TIGHT,	/* three quarters: no new connections; the share is the least there is */
};

int ftcp_memory_init(void);
void ftcp_memory_exit(void);

/** ftcp_memory_add() - so many bytes more, or less, are held for connections; @guest: for a guest's. Any context. */
void ftcp_memory_add(long bytes, bool guest);
/** ftcp_memory_add_guest() - so many of those that were added before are a guest's */
void ftcp_memory_add_guest(long bytes);
/** ftcp_memory_add_conns() - so many connections more, or less */
void ftcp_memory_add_conns(int n, bool guest);

/** ftcp_memory_used() - what is held, without what is only set aside; exact, and slower than what the level goes by */
u64 ftcp_memory_used(void);
u64 ftcp_memory_max(void);
enum ftcp_memory ftcp_memory_level(bool guest);
/** ftcp_memory_share() - what one connection may hold, in bytes; 0: whatever its service gives it */
u32 ftcp_memory_share(bool guest);
/** ftcp_memory_guests_full() - guests hold all that they may: their standbys take no more */
bool ftcp_memory_guests_full(void);

#endif
