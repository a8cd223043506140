/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ftcp in one network namespace, and the locks of the whole module.
 *
 * Locking, outermost first:
 *
 *	fn->config		mutex: which groups and services exist, hook registration. Process context.
 *	group->sync.mutex	mutex: one at a time collects, attaches, acknowledges, applies or changes the role.
 *	group->walk		mutex: one walk over a group's connections at a time.
 *	conn->lock		spinlock, BH: one connection: its tcb, its byte stores, its transmit queue.
 *	group->lock		spinlock, BH: the group's lists (connections, dirty, lazy, in flight) and numbers.
 *
 * Around fn->config: the socket lock of a listening ftcp socket. Within group->sync.mutex: that of the channel's TCP socket.
 *
 * Read without locks, under RCU: the connection table, the service list, group->conns (walked with
 * ftcp_conn_get() and conn->lock inside). Nobody sends a packet while holding any of them: segments are queued on
 * conn->tx under conn->lock and leave through ftcp_xmit_flush() after it is released.
 */
#ifndef FTCP_NET_H
#define FTCP_NET_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rhashtable.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <ftcp/limits.h>
#include "stats.h"

struct ftcp_net {
	struct net *net;
	bool guest;			/* anybody may be root of it: memory.h */
	struct mutex config;		/* protects what is written of the next five */
	struct list_head groups;	/* struct ftcp_group.node; RCU readers */
	u32 n_groups;
	struct list_head services;	/* struct ftcp_service.node; RCU readers */
	u32 n_services;
	u32 generation;			/* changes with each group or service: dumps see that they were disturbed */
	bool hooked;			/* netfilter hooks are registered: since the first service */
	struct rhashtable conns;	/* struct ftcp_conn.node, by struct ftcp_conn_key */
	atomic_t n_conns;		/* tombstones included; at most FTCP_CONNS_MAX */
	atomic_t n_half_open;
	atomic_t n_time_waits;
	atomic_t n_orphans;
	u64 reset_second;		/* in which n_resets were sent for segments of no connection; READ_ONCE */
	atomic_t n_resets;
	unsigned long pruned;		/* when it was begun last, in jiffies; READ_ONCE */
	struct work_struct prune;	/* prune.c */
	struct delayed_work reap;	/* service.c: services that nobody needs any more */
	u64 stateless_ms;		/* ktime_get_boottime of the last SYN that was answered statelessly, 0: never; READ_ONCE */
	u64 aborted[FTCP_ABORTED_MAX];	/* aborted.c */
	struct ftcp_stats __percpu *stats;
};

struct ftcp_net *ftcp_net(const struct net *net);

#endif
