/* SPDX-License-Identifier: GPL-2.0 */
/* Counters, per CPU and network namespace: one for each drop reason, and the others in one list. */
#ifndef FTCP_STATS_H
#define FTCP_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>
#include "core/reason.h"

#define FTCP_COUNTERS(X) \
	X(SEGS_IN, "segs_in") \
	X(SEGS_TOGETHER, "segs_together")	/* received, and looked after once for several */ \
	X(SEGS_OUT, "segs_out")	/* as handed to IP: a GSO segment counts once */ \
	X(BYTES_IN, "bytes_in") \
	X(BYTES_OUT, "bytes_out") \
	X(REXMIT_SEGS, "rexmit_segs") \
	X(RESETS_OUT, "resets_out") \
	X(XMIT_NO_MEMORY, "xmit_no_memory") \
	X(XMIT_NO_ROUTE, "xmit_no_route") \
	X(CONNS_OPENED, "conns_opened") \
	X(CONNS_COOKIE, "conns_cookie")	/* built from a SYN cookie */ \
	X(CONNS_CLOSED, "conns_closed") \
	X(CONNS_RESET, "conns_reset")	/* by the peer */ \
	X(CONNS_ABORTED, "conns_aborted") /* by us */ \
	X(SYN_STATELESS, "syn_stateless") \
	X(ICMP_MTU, "icmp_mtu") \
	X(ICMP_IGNORED, "icmp_ignored") \
	X(BATCHES_SENT, "batches_sent") \
	X(BATCHES_COMMITTED, "batches_committed") \
	X(BATCHES_APPLIED, "batches_applied") \
	X(BATCHES_REFUSED, "batches_refused") \
	X(BATCH_OVERRUNS, "batch_overruns") \
	X(RESYNCS, "resyncs") \
	X(TAKEOVERS, "takeovers") \
	X(CONNS_TAKEN_OVER, "conns_taken_over") \
	X(BROKEN_INVARIANTS, "broken_invariants") \
	X(RESETS_LIMITED, "resets_limited")	/* not sent: too many in a second */ \
	X(OOO_PRUNED, "ooo_pruned")	/* a connection's out-of-order data given up */ \
	X(CONNS_RECOVERED, "conns_recovered")	/* handed to a program that had not opened them */ \
	X(CONNS_UNCLAIMED, "conns_unclaimed")	/* aborted: no program came for them in time */ \
	X(CONNS_BEHIND, "conns_behind")	/* aborted: async, and the client has more than was taken over */

enum ftcp_counter {
#define FTCP_COUNTER_ENUM(name, text) FTCP_COUNT_##name,
	FTCP_COUNTERS(FTCP_COUNTER_ENUM)
#undef FTCP_COUNTER_ENUM
	FTCP_COUNT_MAX
};

struct ftcp_stats {
	u64 drops[FTCP_REASON_MAX];	/* by enum ftcp_reason */
	u64 counts[FTCP_COUNT_MAX];	/* by enum ftcp_counter */
};

struct ftcp_net;

/* Safe in any context but hard interrupts. */
void ftcp_stats_add(struct ftcp_net *fn, enum ftcp_counter counter, u64 n);
void ftcp_stats_drop(struct ftcp_net *fn, enum ftcp_reason reason);

/** ftcp_stats_sum() - all CPUs together */
void ftcp_stats_sum(const struct ftcp_net *fn, struct ftcp_stats *sum);

/** ftcp_stats_drop_name() - "drop_paws"; ftcp_stats_name() - "segs_in" */
const char *ftcp_stats_drop_name(enum ftcp_reason reason);
const char *ftcp_stats_name(enum ftcp_counter counter);

static inline void ftcp_stats_inc(struct ftcp_net *fn, enum ftcp_counter counter)
{
	ftcp_stats_add(fn, counter, 1);
}

#endif
