/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A connection in the kernel: the core's tcb with its bytes, timer, place in the table and in its group's lists.
 *
 * Life: made by a SYN, a cookie (receive.c) or a record (sync.c); in fn->conns and group->conns until ftcp_conn_finish().
 * Between the core's CLOSED and the commit of that, it is a tombstone (conn->gone): still in the table, silent, its stores empty.
 * References: one for the table, one each for a pending timer, the dirty or lazy list, each batch in flight, each
 * packet in the host's queues (queue.h).
 */
#ifndef FTCP_CONN_H
#define FTCP_CONN_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <net/dst.h>
#include <net/ipv6.h>
#include "bytes.h"
#include "core/tcb.h"

struct ftcp_group;
struct ftcp_net;
struct ftcp_service;
struct sock;

/* No holes: hashed and compared as bytes. */
struct ftcp_conn_key {
	struct in6_addr laddr;		/* IPv4 as ::ffff:a.b.c.d */
	struct in6_addr raddr;
	__be16 lport;
	__be16 rport;
};

struct ftcp_conn {
	struct rhash_head node;
	struct ftcp_conn_key key;
	u32 walked;			/* group->walk_no of the last walk that met it; under group->walk */
	struct ftcp_net *fn;
	struct ftcp_group *group;	/* with a reference */
	struct ftcp_service *service;	/* with a reference */
	struct list_head group_node;	/* group->conns */
	union {
		struct list_head dirty_node;	/* group->sync.dirty or .lazy; under group->lock */
		struct rcu_head rcu;		/* after the last reference */
	};
	refcount_t refs;
	spinlock_t lock;
	u32 segs_in;			/* under lock */
	u32 segs_out;			/* under lock */
	u64 unsynced_of;		/* the resync (sync_id) that waits for it; under lock and group->lock */
	u32 born_ds;			/* ktime_get_boottime, in tenths of a second; on a standby: when first heard of */
	u32 rx_cookie;			/* of rx_dst */

	struct ftcp_tcb tcb;		/* under lock, as all below */
	struct ftcp_bytes rcv;		/* from hard.consumed on; holes above rcv_nxt */
	struct ftcp_bytes snd;		/* from hard.snd_una on */
	struct sk_buff_head tx;		/* made, not yet handed to IP */
	u32 tx_bytes;			/* payload in tx */
	atomic_t queued_bytes;		/* handed to IP, and still in this host; without lock, as call */
	atomic_t call;			/* queue.c */
	u32 dst_cookie;			/* of dst */
	struct llist_node call_node;	/* queue.c; without lock */
	bool dirty_lazy;		/* on which of the two lists dirty_node is; under group->lock */
	bool finished;			/* out of the table and the lists */
	u8 state_seen:4;		/* the state that was last told of */
	bool dormant:1;			/* a standby's, until ftcp_conn_promote() has come by: its soft state means nothing */
	bool flushing:1;		/* some CPU is emptying tx */
	bool gone:1;			/* tombstone */
	bool incomplete:1;		/* standby: known by partial records of a resync only */
	bool retry:1;			/* the backend ran out of memory: the timer lets it work again */
	bool squeezed:1;		/* memory was short: the timer lets it promise more when it is not */
	bool recovered:1;		/* not opened for the program that listens now */
	bool left:1;			/* its program has closed it */
	bool half_open:1;		/* counted in fn->n_half_open */
	bool time_wait:1;		/* counted in fn->n_time_waits */
	bool orphan:1;			/* counted in fn->n_orphans */
	bool heard:1;			/* something new has come since something left: the next hop is alive (RFC 4861, 7.3.1) */
	int rx_iif;			/* where rx_dst is valid */
	u16 ip_id;			/* the next packet's, less iss */
	u16 tx_cpu;			/* whose queues it sends by (xmit.c) */
	kuid_t owner;			/* whose program accepted it here last; invalid: nobody's yet */
	struct dst_entry *dst;		/* cached route */
	struct dst_entry __rcu *rx_dst;	/* the one by which its packets come: this host (hook.c) */
	u64 rexmit_bytes;
	struct sock *sk;		/* whose connection it is (sock.h); no reference: leaves before it goes */
	u64 due_us;			/* the backend is to be called then; 0: never. Its own */
	struct timer_list timer;	/* for ftcp_next_deadline() */
};

static inline bool ftcp_conn_key_equal(const struct ftcp_conn_key *a, const struct ftcp_conn_key *b)
{
	return ipv6_addr_equal(&a->raddr, &b->raddr) && ipv6_addr_equal(&a->laddr, &b->laddr) && a->lport == b->lport && a->rport == b->rport;
}

static inline bool ftcp_conn_is_v4(const struct ftcp_conn *conn)
{
	return ipv6_addr_v4mapped(&conn->key.laddr);
}

/** ftcp_conn_peek() - under RCU, no reference: to look, not to lock; it may be finished */
struct ftcp_conn *ftcp_conn_peek(struct ftcp_net *fn, const struct ftcp_conn_key *key);
/** ftcp_conn_find() - with a reference, or NULL. Any context. */
struct ftcp_conn *ftcp_conn_find(struct ftcp_net *fn, const struct ftcp_conn_key *key);

/**
 * ftcp_conn_new() - allocate, count (-ENOSPC at FTCP_CONNS_MAX) and initialise; not yet in the table, tcb zeroed; -ESTALE: @service is gone
 *
 * Takes its own references to @service and its group. BH or process context (@gfp).
 */
struct ftcp_conn *ftcp_conn_new(struct ftcp_net *fn, struct ftcp_service *service, const struct ftcp_conn_key *key, gfp_t gfp);

/** ftcp_conn_insert() - into the table and group->conns; -EEXIST if somebody was faster. Takes the table's reference. */
int ftcp_conn_insert(struct ftcp_conn *conn);

bool ftcp_conn_get(struct ftcp_conn *conn);	/* false: it is dying (RCU walkers) */
void ftcp_conn_put(struct ftcp_conn *conn);

/** ftcp_conn_env() - ftcp_group_env() for a call about @conn: a service without protection is always alone. Any context. */
void ftcp_conn_env(const struct ftcp_conn *conn, struct ftcp_env *env);

/** ftcp_conn_is_alone() - env->alone of ftcp_conn_env(): what is sent for it waits for nobody */
bool ftcp_conn_is_alone(const struct ftcp_conn *conn);

/** ftcp_conn_is_shipped() - is there, or would there be, anything of it on the standby? */
bool ftcp_conn_is_shipped(const struct ftcp_conn *conn);

/** ftcp_conn_age_ms() - how long it is known here; to a tenth of a second */
u64 ftcp_conn_age_ms(const struct ftcp_conn *conn);

/** ftcp_conn_config() - what its service gives it, for the core; @mss from the route */
void ftcp_conn_config(struct ftcp_conn *conn, struct ftcp_tcb_config *config);

/**
 * ftcp_conn_unlock() - the end of every change to a connection: release conn->lock and do all that follows from the change
 * @events: enum ftcp_event of the call into the core, or 0
 *
 * While the lock is held: lets the backend work, frees consumed and acknowledged bytes, turns a CLOSED connection into a tombstone,
 * lists it for replication, makes the segments that may leave, arms the timer. Then releases the lock and flushes tx. On a
 * standby it only unlocks. Every path that locks a connection to change it ends here.
 */
void ftcp_conn_unlock(struct ftcp_conn *conn, u32 events) __releases(&conn->lock);
/** ftcp_conn_unlock_env() - the same, for whoever has asked for ftcp_conn_env() under this lock already */
void ftcp_conn_unlock_env(struct ftcp_conn *conn, const struct ftcp_env *env, u32 events) __releases(&conn->lock);
/** ftcp_conn_unlock_read() - ftcp_conn_unlock() when ftcp_tcb_read() was all that was done: mostly nothing but memory follows from it */
void ftcp_conn_unlock_read(struct ftcp_conn *conn) __releases(&conn->lock);

/** ftcp_conn_board() - conn->lock held: lend the core a scoreboard if it wants one, for @seg or for what it is going to send (NULL) */
void ftcp_conn_board(struct ftcp_conn *conn, const struct ftcp_segment *seg);

/** ftcp_conn_committed() - conn->lock held, followed by ftcp_conn_unlock(): the standby holds up to @mark */
void ftcp_conn_committed(struct ftcp_conn *conn, const struct ftcp_mark *mark);

/** ftcp_conn_kill() - abort towards the client (RST after the commit). The group speaks, sync.mutex is held. Takes the lock. */
void ftcp_conn_kill(struct ftcp_conn *conn);

/**
 * ftcp_conn_finish() - out of the table and the lists, timer off, stores freed; sends the RST that is owed first if the
 * group speaks. conn->lock held. Idempotent.
 */
void ftcp_conn_finish(struct ftcp_conn *conn);

/** ftcp_conn_forget() - finish without a word (standby resync, module unload). Takes the lock. */
void ftcp_conn_forget(struct ftcp_conn *conn);

/* Role changes, one connection at a time; they take the lock. */
void ftcp_conn_promote(struct ftcp_conn *conn);	/* from here on it speaks, if it did not; incomplete ones are killed */
void ftcp_conn_demote(struct ftcp_conn *conn);	/* silent: tx purged, timer off */
void ftcp_conn_alone(struct ftcp_conn *conn);	/* the gate has opened */
void ftcp_conn_kick(struct ftcp_conn *conn);	/* speak first */

/* Keyed hashes of RFC 6528 for a connection that may not exist yet: ftcp_cookie_hash with struct ftcp_conn_hash as context. */
struct ftcp_conn_hash {
	const struct ftcp_group *group;
	const struct ftcp_conn_key *key;
	u64 epoch;	/* in which the cookie is made; else 0 */
};
u64 ftcp_conn_hash(const void *ctx, u32 a, u32 b);
/** ftcp_conn_ts_off() - this connection's timestamp offset, the same on every host of the group */
u32 ftcp_conn_ts_off(const struct ftcp_conn_hash *hash);

#endif
