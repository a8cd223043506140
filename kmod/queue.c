// SPDX-License-Identifier: GPL-2.0
/* What a connection has in the host's queues. */
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/llist.h>
#include <linux/math64.h>
#include <linux/percpu.h>
#include "conn.h"
#include "queue.h"

/* conn->call: is it to be called when a packet leaves? */
enum call {
	CALL_NONE,
	CALL_WANTED,
	CALL_LISTED,	/* on a list of callers, which holds a reference */
};

/*
 * Packets leave in any context, with any lock held: whoever waits is called from a tasklet of that processor. So is who has received a burst, but
 * for those whose ACK is held back: they are called by the timer.
 */
struct callers {
	struct llist_head conns;
	struct llist_head held;
	struct tasklet_struct tasklet;
	struct hrtimer timer;
};
static DEFINE_PER_CPU(struct callers, callers);

/* What leaves within a millisecond, but so much that the next segment is ready when the last one has left. */
static u32 limit_bytes(const struct ftcp_conn *conn)
{
	const struct ftcp_soft *soft = &conn->tcb.soft;
	u64 bytes = soft->rtt.srtt_us ? div_u64((u64)soft->cong.cwnd_bytes * FTCP_MS_US, soft->rtt.srtt_us) : 0;

	return clamp_t(u64, bytes, 2 * FTCP_SEGMENT_MAX_BYTES, FTCP_QUEUE_MAX_BYTES);
}

static bool full(const struct ftcp_conn *conn)
{
	return conn->tx_bytes + atomic_read(&conn->queued_bytes) >= limit_bytes(conn);
}

bool ftcp_queue_full(struct ftcp_conn *conn)
{
	lockdep_assert_held(&conn->lock);
	if (!full(conn))
		return false;
	atomic_cmpxchg(&conn->call, CALL_NONE, CALL_WANTED);
	/* With the one in leave(): a packet that leaves without seeing this is seen here to have left. */
	smp_mb();
	return full(conn);
}

static void list(struct ftcp_conn *conn)
{
	struct callers *mine = raw_cpu_ptr(&callers);

	if (llist_add(&conn->call_node, &mine->conns))
		tasklet_schedule(&mine->tasklet);
}

void ftcp_queue_burst(struct ftcp_conn *conn)
{
	lockdep_assert_held(&conn->lock);
	conn->tcb.soft.burst = !conn->tcb.soft.held;
	if (atomic_xchg(&conn->call, CALL_LISTED) == CALL_LISTED)
		return;
	refcount_inc(&conn->refs);
	list(conn);
}

/* Who is held goes from one list to the other, and is CALL_LISTED all the time. */
static void call(struct ftcp_conn *conn, struct callers *mine)
{
	struct ftcp_env env;
	bool held;

	spin_lock_bh(&conn->lock);
	ftcp_conn_env(conn, &env);
	held = ftcp_tcb_burst_over(&conn->tcb, &env, !conn->sk);
	if (!held)
		atomic_set_release(&conn->call, CALL_NONE);
	ftcp_conn_unlock_env(conn, &env, 0);
	if (!held)
		ftcp_conn_put(conn);
	else if (llist_add(&conn->call_node, &mine->held))
		hrtimer_start(&mine->timer, ns_to_ktime(FTCP_ACK_HOLD_US * NSEC_PER_USEC), HRTIMER_MODE_REL_PINNED_SOFT);
}

static void call_all(struct llist_head *list, struct callers *mine)
{
	struct llist_node *all = llist_reverse_order(llist_del_all(list));
	struct ftcp_conn *conn, *next;

	llist_for_each_entry_safe(conn, next, all, call_node)
		call(conn, mine);
}

static void call_conns(struct tasklet_struct *tasklet)
{
	struct callers *mine = from_tasklet(mine, tasklet, tasklet);

	call_all(&mine->conns, mine);
}

static enum hrtimer_restart call_held(struct hrtimer *timer)
{
	struct callers *mine = container_of(timer, struct callers, timer);

	call_all(&mine->held, mine);
	return HRTIMER_NORESTART;
}

/*
 * The skb's destructor. No lock is taken, and no last reference dropped: that is the tasklet's. Under RCU, for which the end of a module waits: its
 * last connection may be gone before this function has come to its own end.
 */
static void leave(struct sk_buff *skb)
{
	struct ftcp_conn *conn = skb_shinfo(skb)->destructor_arg;

	rcu_read_lock();
	atomic_sub(skb_shinfo(skb)->tskey, &conn->queued_bytes);
	/* With the one in ftcp_queue_full(). */
	smp_mb__after_atomic();
	if (atomic_cmpxchg(&conn->call, CALL_WANTED, CALL_LISTED) == CALL_WANTED || !refcount_dec_not_one(&conn->refs)) {
		atomic_set(&conn->call, CALL_LISTED);
		list(conn);
	}
	rcu_read_unlock();
}

/* Bytes and connection travel where only zero copy and time stamps, which nobody has asked for, would have something. */
void ftcp_queue_enter(struct ftcp_conn *conn, struct sk_buff *skb)
{
	u32 bytes = skb->data_len;

	lockdep_assert_held(&conn->lock);
	if (!bytes)
		return;
	conn->tx_bytes -= bytes;
	refcount_inc(&conn->refs);
	atomic_add(bytes, &conn->queued_bytes);
	skb_shinfo(skb)->destructor_arg = conn;
	skb_shinfo(skb)->tskey = bytes;
	skb->destructor = leave;
}

void ftcp_queue_init(void)
{
	struct callers *some;
	int cpu;

	for_each_possible_cpu(cpu) {
		some = per_cpu_ptr(&callers, cpu);
		init_llist_head(&some->conns);
		init_llist_head(&some->held);
		tasklet_setup(&some->tasklet, call_conns);
		hrtimer_init(&some->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_SOFT);
		some->timer.function = call_held;
	}
}

void ftcp_queue_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		hrtimer_cancel(&per_cpu_ptr(&callers, cpu)->timer);
		tasklet_kill(&per_cpu_ptr(&callers, cpu)->tasklet);
	}
}
