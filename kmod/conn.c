// SPDX-License-Identifier: GPL-2.0
/* A connection's life and everything that follows from a change to it. */
#define pr_fmt(fmt) "ftcp: " fmt

#include <linux/rculist.h>
#include <linux/slab.h>
#include "aborted.h"
#include "backend.h"
#include "compat.h"
#include "conn.h"
#include "core/repl.h"
#include "group.h"
#include "memory.h"
#include "net.h"
#include "netlink.h"
#include "queue.h"
#include "service.h"
#include "table.h"
#include "trace.h"
#include "xmit.h"

/* What a backend that ran out of memory is called again after. */
#define RETRY_MS 20
/*
 * How long it takes until a connection finds out that there is memory again. The more there are, the longer, so that asking is no burden: none of
 * them stands still meanwhile.
 */
#define SQUEEZED_MIN_MS 500
#define SQUEEZED_A_MS 8		/* connections that ask in a millisecond */

/* How long a scoreboard stays where it is, at least, for what may come next. */
#define BOARD_MS 1000

static void timer_fired(struct timer_list *timer);

static u32 now_ds(void)
{
	return div_u64(ktime_get_boottime_ns(), NSEC_PER_SEC / 10);
}

u64 ftcp_conn_age_ms(const struct ftcp_conn *conn)
{
	return (u32)(now_ds() - conn->born_ds) * 100ULL;
}

struct ftcp_conn *ftcp_conn_new(struct ftcp_net *fn, struct ftcp_service *service, const struct ftcp_conn_key *key, gfp_t gfp)
{
	struct ftcp_conn *conn;

	if (!ftcp_service_conn_comes(service))
		return ERR_PTR(-ESTALE);
	if (!atomic_add_unless(&fn->n_conns, 1, FTCP_CONNS_MAX)) {
		ftcp_service_conn_gone(service);
		return ERR_PTR(-ENOSPC);
	}
	conn = kmem_cache_zalloc(ftcp_conn_cache, gfp);
	if (!conn) {
		ftcp_service_conn_gone(service);
		atomic_dec(&fn->n_conns);
		return ERR_PTR(-ENOMEM);
	}
	ftcp_memory_add_conns(1, fn->guest);
	conn->key = *key;
	conn->fn = fn;
	refcount_inc(&service->refs);
	conn->service = service;
	ftcp_group_get(service->group);
	conn->group = service->group;
	conn->owner = INVALID_UID;
	conn->born_ds = now_ds();
	refcount_set(&conn->refs, 1);
	INIT_LIST_HEAD(&conn->group_node);
	INIT_LIST_HEAD(&conn->dirty_node);
	spin_lock_init(&conn->lock);
	ftcp_bytes_init(&conn->rcv, 0);
	ftcp_bytes_init(&conn->snd, 0);
	conn->rcv.guest = fn->guest;
	conn->snd.guest = fn->guest;
	__skb_queue_head_init(&conn->tx);
	timer_setup(&conn->timer, timer_fired, 0);
	return conn;
}

void ftcp_conn_board(struct ftcp_conn *conn, const struct ftcp_segment *seg)
{
	struct ftcp_board *board;

	lockdep_assert_held(&conn->lock);
	if (!ftcp_board_wanted(&conn->tcb, seg))
		return;
	board = kmem_cache_alloc(ftcp_board_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!board)
		return;
	ftcp_memory_add(sizeof(*board), conn->fn->guest);
	ftcp_board_lend(&conn->tcb, board);
}

static void take_board(struct ftcp_conn *conn, bool force)
{
	struct ftcp_board *board = ftcp_board_take(&conn->tcb, force);

	if (!board)
		return;
	ftcp_memory_add(-(long)sizeof(*board), conn->fn->guest);
	kmem_cache_free(ftcp_board_cache, board);
}

static void free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(ftcp_conn_cache, container_of(rcu, struct ftcp_conn, rcu));
}

bool ftcp_conn_get(struct ftcp_conn *conn)
{
	return refcount_inc_not_zero(&conn->refs);
}

void ftcp_conn_put(struct ftcp_conn *conn)
{
	struct ftcp_net *fn = conn->fn;

	if (!refcount_dec_and_test(&conn->refs))
		return;
	take_board(conn, true);
	ftcp_bytes_free(&conn->rcv);
	ftcp_bytes_free(&conn->snd);
	ftcp_xmit_purge(conn);
	dst_release(conn->dst);
	dst_release(rcu_access_pointer(conn->rx_dst));
	ftcp_memory_add_conns(-1, fn->guest);
	ftcp_service_conn_gone(conn->service);
	ftcp_service_put(conn->service);
	ftcp_group_put(conn->group);
	call_rcu(&conn->rcu, free_rcu);
	atomic_dec(&fn->n_conns);	/* last: the end of the namespace, and of the module, waits for it */
}

void ftcp_conn_env(const struct ftcp_conn *conn, struct ftcp_env *env)
{
	ftcp_group_env(conn->group, env);
	env->alone |= !ftcp_conn_is_shipped(conn);
}

bool ftcp_conn_is_alone(const struct ftcp_conn *conn)
{
	return READ_ONCE(conn->group->role) == FTCP_ROLE_DETACHED || !ftcp_conn_is_shipped(conn);
}

bool ftcp_conn_is_shipped(const struct ftcp_conn *conn)
{
	return conn->service->protection != FTCP_PROTECTION_NONE;
}

void ftcp_conn_config(struct ftcp_conn *conn, struct ftcp_tcb_config *config)
{
	const struct ftcp_conn_hash hash = { .group = conn->group, .key = &conn->key };

	ftcp_service_config(conn->service, config);
	config->mss_bytes = ftcp_xmit_mss(conn->fn, &conn->key);
	config->ts_off = ftcp_conn_ts_off(&hash);
}

u64 ftcp_conn_hash(const void *ctx, u32 a, u32 b)
{
	const struct ftcp_conn_hash *hash = ctx;
	struct {
		struct ftcp_conn_key key;
		u64 epoch;
		u32 a;
		u32 b;
	} __packed input = { .key = *hash->key, .epoch = hash->epoch, .a = a, .b = b };

	return siphash(&input, sizeof(input), &hash->group->key);
}

u32 ftcp_conn_ts_off(const struct ftcp_conn_hash *hash)
{
	/* The same on every host. Apart from every cookie hash, whose second argument is small */
	const struct ftcp_conn_hash timeless = { .group = hash->group, .key = hash->key };

	return ftcp_conn_hash(&timeless, 0, U32_MAX);
}

/* ---- time ---- */

static u32 squeezed_ms(const struct ftcp_conn *conn)
{
	return max_t(u32, SQUEEZED_MIN_MS, atomic_read(&conn->fn->n_conns) / SQUEEZED_A_MS);
}

static void arm_timer(struct ftcp_conn *conn, const struct ftcp_env *env)
{
	u64 due_us = ftcp_next_deadline(&conn->tcb);
	unsigned long at;

	lockdep_assert_held(&conn->lock);
	if (conn->retry || conn->squeezed) {
		u64 retry_us = env->now_us + (conn->retry ? RETRY_MS : squeezed_ms(conn)) * FTCP_MS_US;

		due_us = due_us ? min(due_us, retry_us) : retry_us;
	}
	if (conn->due_us)
		due_us = due_us ? min(due_us, conn->due_us) : conn->due_us;
	if (conn->tcb.soft.board) {
		u64 board_us = env->now_us + BOARD_MS * FTCP_MS_US;

		due_us = due_us ? min(due_us, board_us) : board_us;
	}
	if (!due_us) {
		if (del_timer(&conn->timer))
			ftcp_conn_put(conn);
		return;
	}
	at = jiffies + usecs_to_jiffies(due_us > env->now_us ? min_t(u64, due_us - env->now_us, U32_MAX) : 0) + 1;
	/* One that fires too early finds nothing due and is set anew: cheaper than to move it with every segment. */
	if (timer_pending(&conn->timer) && time_before_eq(conn->timer.expires, at))
		return;
	refcount_inc(&conn->refs);
	if (mod_timer(&conn->timer, at))
		refcount_dec(&conn->refs);	/* it had one already */
}

static void stop_timer(struct ftcp_conn *conn)
{
	if (del_timer(&conn->timer))
		ftcp_conn_put(conn);
}

static void timer_fired(struct timer_list *timer)
{
	struct ftcp_conn *conn = from_timer(conn, timer, timer);
	struct ftcp_env env;
	u32 events = 0;

	spin_lock_bh(&conn->lock);
	ftcp_conn_env(conn, &env);
	if (!conn->gone && !conn->finished && !conn->dormant && ftcp_group_speaks(conn->group)) {
		events = ftcp_timeout(&conn->tcb, &env);
		take_board(conn, false);
	}
	ftcp_conn_unlock_env(conn, &env, events);
	ftcp_conn_put(conn);
}

/* ---- the end ---- */

/* What its program is told: an errno, or 0. */
static int end_error(const struct ftcp_conn *conn, u32 events)
{
	u8 flags = conn->tcb.hard.flags;

	if (events & FTCP_EV_TIMEOUT)
		return -ETIMEDOUT;
	if (events & FTCP_EV_RESET)	/* as Linux: in CLOSE-WAIT it can only matter to who writes */
		return (flags & (FTCP_HARD_RCV_FIN | FTCP_HARD_SND_FIN)) == FTCP_HARD_RCV_FIN ? -EPIPE : -ECONNRESET;
	return flags & FTCP_HARD_RESET ? -ECONNABORTED : 0;
}

static void tell_closed(struct ftcp_conn *conn, int error)
{
	if (conn->service->backend->closed)
		conn->service->backend->closed(conn, error);
}

static void count_end(struct ftcp_conn *conn, u32 events)
{
	enum ftcp_counter counter = FTCP_COUNT_CONNS_CLOSED;

	if (events & FTCP_EV_RESET)
		counter = FTCP_COUNT_CONNS_RESET;
	else if (events & FTCP_EV_BEHIND)
		counter = FTCP_COUNT_CONNS_BEHIND;
	else if (conn->tcb.hard.flags & FTCP_HARD_RESET)
		counter = FTCP_COUNT_CONNS_ABORTED;
	ftcp_stats_inc(conn->fn, counter);
}

static void uncount(struct ftcp_conn *conn)
{
	if (conn->half_open)
		atomic_dec(&conn->fn->n_half_open);
	if (conn->time_wait)
		atomic_dec(&conn->fn->n_time_waits);
	if (conn->orphan)
		atomic_dec(&conn->fn->n_orphans);
	conn->half_open = false;
	conn->time_wait = false;
	conn->orphan = false;
}

/* The RST that is owed, if one is. */
static void send_reset(struct ftcp_conn *conn)
{
	struct ftcp_segment seg;
	struct ftcp_env env;

	if (!(conn->tcb.hard.flags & FTCP_HARD_RESET) || !ftcp_group_speaks(conn->group))
		return;
	ftcp_conn_env(conn, &env);
	ftcp_tcb_reset(&conn->tcb, &env, &seg);
	ftcp_xmit_queue(conn, &seg);
	ftcp_aborted_note(conn->fn, &conn->key);
	conn->tcb.hard.flags &= ~FTCP_HARD_RESET;
}

void ftcp_conn_finish(struct ftcp_conn *conn)
{
	lockdep_assert_held(&conn->lock);
	if (conn->finished)
		return;
	conn->finished = true;
	tell_closed(conn, -ECONNABORTED);
	send_reset(conn);
	uncount(conn);
	ftcp_bytes_free(&conn->rcv);
	ftcp_bytes_free(&conn->snd);
	stop_timer(conn);
	ftcp_sync_conn_dead(conn);
	ftcp_table_remove(conn);	/* gives the table's reference back; the caller has one */
	ftcp_netlink_event_conn(conn, FTCP_EVENT_CONN_GONE);
}

void ftcp_conn_forget(struct ftcp_conn *conn)
{
	spin_lock_bh(&conn->lock);
	conn->tcb.hard.flags &= ~FTCP_HARD_RESET;
	ftcp_xmit_purge(conn);
	ftcp_conn_finish(conn);
	spin_unlock_bh(&conn->lock);
}

/* The core is done with it. Does the standby have to hear of that first? */
static void bury(struct ftcp_conn *conn, u32 events)
{
	lockdep_assert_held(&conn->lock);
	if (conn->gone || conn->finished)
		return;
	count_end(conn, events);
	tell_closed(conn, end_error(conn, events));
	if (READ_ONCE(conn->group->role) != FTCP_ROLE_PRIMARY || !conn->tcb.soft.shipped.known) {
		ftcp_conn_finish(conn);
		return;
	}
	if (conn->tcb.hard.flags & FTCP_HARD_ASYNC)
		send_reset(conn);
	conn->gone = true;
	uncount(conn);
	stop_timer(conn);
	ftcp_bytes_free(&conn->rcv);
	ftcp_bytes_free(&conn->snd);
}

/* ---- what follows from a change ---- */

static void note_state(struct ftcp_conn *conn)
{
	u8 state = conn->tcb.hard.state;

	if (state == conn->state_seen)
		return;
	trace_state(conn, conn->state_seen, state);
	conn->state_seen = state;
}

/* How the counter changes when it is @now, and was counted or not. */
static void count_state(bool counted, bool now, atomic_t *counter)
{
	if (now != counted)
		atomic_add(now ? 1 : -1, counter);
}

/* This side has closed and nobody here cares any more, but the peer has not said that it has everything. */
static bool is_orphan(const struct ftcp_conn *conn)
{
	if (conn->sk && !conn->left)
		return false;
	switch (conn->tcb.hard.state) {
	case FTCP_FIN_WAIT_1:
	case FTCP_FIN_WAIT_2:
	case FTCP_CLOSING:
	case FTCP_LAST_ACK:
		return true;
	default:
		return false;
	}
}

static void count_states(struct ftcp_conn *conn, u32 events)
{
	const struct ftcp_tcb *tcb = &conn->tcb;

	bool half_open = tcb->hard.state == FTCP_SYN_RECEIVED, time_wait = tcb->hard.state == FTCP_TIME_WAIT, orphan = is_orphan(conn);

	count_state(conn->half_open, half_open, &conn->fn->n_half_open);
	count_state(conn->time_wait, time_wait, &conn->fn->n_time_waits);
	count_state(conn->orphan, orphan, &conn->fn->n_orphans);
	conn->half_open = half_open;
	conn->time_wait = time_wait;
	/* Eight probes from now on, however often its window was probed before. */
	if (orphan && !conn->orphan)
		conn->tcb.soft.persists = 0;
	conn->orphan = orphan;
	conn->tcb.soft.orphan = conn->orphan;
	if (events & FTCP_EV_ESTABLISHED) {
		ftcp_stats_inc(conn->fn, FTCP_COUNT_CONNS_OPENED);
		ftcp_netlink_event_conn(conn, FTCP_EVENT_CONN_NEW);
	}
}

/* The invariants may be broken by what came from the network, if the core has a bug: never a kernel warning. */
static u32 check(struct ftcp_conn *conn)
{
	const char *broken = ftcp_tcb_check(&conn->tcb);

	if (!broken)
		return 0;
	ftcp_stats_inc(conn->fn, FTCP_COUNT_BROKEN_INVARIANTS);
	pr_err_ratelimited("broken invariant: %s; connection aborted\n", broken);
	ftcp_tcb_abort(&conn->tcb);
	return FTCP_EV_CLOSED;
}

static void make_segments(struct ftcp_conn *conn, const struct ftcp_env *env)
{
	u32 before = conn->tcb.soft.rexmit_total, seen = before;
	struct ftcp_segment seg ftcp_compat_uninitialized;

	ftcp_conn_board(conn, NULL);
	for (;;) {
		conn->tcb.soft.queue_full = ftcp_queue_full(conn);
		if (!ftcp_output_next(&conn->tcb, env, &seg))
			break;
		if (conn->tcb.soft.rexmit_total != seen) {
			seen = conn->tcb.soft.rexmit_total;
			conn->rexmit_bytes += seg.len;
			trace_retransmit(conn, &seg);
		}
		ftcp_xmit_queue(conn, &seg);
	}
	if (seen != before)
		ftcp_stats_add(conn->fn, FTCP_COUNT_REXMIT_SEGS, seen - before);
}

/* SO_SNDBUF is the program's word. */
static void grow_snd_buf(struct ftcp_conn *conn)
{
	if (!conn->sk || !(conn->sk->sk_userlocks & SOCK_SNDBUF_LOCK))
		ftcp_tcb_grow_snd_buf(&conn->tcb, conn->service->snd_buf_bytes);
}

/* A speaking host's connection after a change. */
static void follow_up(struct ftcp_conn *conn, const struct ftcp_env *env, u32 events)
{
	struct ftcp_tcb *tcb = &conn->tcb;

	conn->retry = false;
	tcb->soft.share_bytes = ftcp_memory_share(conn->fn->guest);
	grow_snd_buf(conn);
	if (tcb->hard.state != FTCP_CLOSED && tcb->hard.state != FTCP_SYN_RECEIVED)
		conn->service->backend->work(conn, env);
	if (conn->squeezed && tcb->hard.state == FTCP_ESTABLISHED)
		ftcp_tcb_consume(tcb, 0);
	conn->squeezed = tcb->soft.share_bytes && tcb->hard.state == FTCP_ESTABLISHED;
	ftcp_bytes_drop(&conn->rcv, tcb->hard.consumed);
	ftcp_bytes_drop(&conn->snd, min(tcb->hard.snd_una, ftcp_tcb_data_end(tcb)));
	events |= check(conn);
	note_state(conn);
	count_states(conn, events);
	if (tcb->hard.state == FTCP_CLOSED) {
		bury(conn, events);
		if (conn->gone)
			ftcp_sync_conn(conn);
		return;
	}
	if ((conn->time_wait && atomic_read(&conn->fn->n_time_waits) > FTCP_TIME_WAITS_MAX) ||
	    (conn->orphan && atomic_read(&conn->fn->n_orphans) > FTCP_ORPHANS_MAX))
		ftcp_tcb_hurry(tcb, env);
	make_segments(conn, env);
	ftcp_sync_conn(conn);
	arm_timer(conn, env);
}

void ftcp_conn_unlock_env(struct ftcp_conn *conn, const struct ftcp_env *env, u32 events)
	__releases(&conn->lock)
{
	lockdep_assert_held(&conn->lock);
	if (!ftcp_group_speaks(conn->group) || conn->dormant) {
		spin_unlock_bh(&conn->lock);
		return;
	}
	if (!conn->gone && !conn->finished)
		follow_up(conn, env, events);
	ftcp_xmit_flush(conn);
}

void ftcp_conn_unlock(struct ftcp_conn *conn, u32 events)
	__releases(&conn->lock)
{
	struct ftcp_env env;

	ftcp_conn_env(conn, &env);
	ftcp_conn_unlock_env(conn, &env, events);
}

/* To be shipped, to be tried again, or to be told to the peer? */
static bool reading_matters(const struct ftcp_conn *conn)
{
	return !ftcp_conn_is_alone(conn) || conn->squeezed || ftcp_tcb_read_tells(&conn->tcb);
}

void ftcp_conn_unlock_read(struct ftcp_conn *conn)
	__releases(&conn->lock)
{
	lockdep_assert_held(&conn->lock);
	if (reading_matters(conn)) {
		ftcp_conn_unlock(conn, 0);
		return;
	}
	ftcp_bytes_drop(&conn->rcv, conn->tcb.hard.consumed);
	spin_unlock_bh(&conn->lock);
}

void ftcp_conn_committed(struct ftcp_conn *conn, const struct ftcp_mark *mark)
{
	struct ftcp_env env;

	lockdep_assert_held(&conn->lock);
	ftcp_conn_env(conn, &env);
	ftcp_repl_commit(&conn->tcb, &env, mark);
	trace_commit(conn, mark);
}

void ftcp_conn_kill(struct ftcp_conn *conn)
{
	lockdep_assert_held(&conn->group->sync.mutex);
	spin_lock_bh(&conn->lock);
	if (!conn->gone && !conn->finished)
		ftcp_tcb_abort(&conn->tcb);
	ftcp_conn_unlock(conn, FTCP_EV_CLOSED);
}

/* ---- role changes ---- */

void ftcp_conn_promote(struct ftcp_conn *conn)
{
	struct ftcp_tcb_config config;
	struct ftcp_env env;

	ftcp_conn_config(conn, &config);
	ftcp_conn_env(conn, &env);
	spin_lock_bh(&conn->lock);
	if (!conn->dormant) {
		/* Opened since the role changed, or finished. */
		spin_unlock_bh(&conn->lock);
		return;
	}
	conn->dormant = false;
	conn->recovered = true;
	if (!conn->finished && !conn->gone) {
		ftcp_bytes_cut(&conn->snd, ftcp_tcb_data_end(&conn->tcb));
		ftcp_bytes_cut(&conn->rcv, ftcp_tcb_rcv_data_end(&conn->tcb));
		ftcp_repl_promote(&conn->tcb, &env, &config);
		if (conn->incomplete)
			ftcp_tcb_abort(&conn->tcb);
		ftcp_stats_inc(conn->fn, FTCP_COUNT_CONNS_TAKEN_OVER);
	} else if (!conn->finished) {
		ftcp_conn_finish(conn);
	}
	ftcp_conn_unlock(conn, 0);
}

void ftcp_conn_demote(struct ftcp_conn *conn)
{
	spin_lock_bh(&conn->lock);
	conn->dormant = true;
	tell_closed(conn, -ECONNABORTED);	/* the other host speaks for it from now on */
	conn->left = false;
	conn->due_us = 0;
	ftcp_xmit_purge(conn);
	stop_timer(conn);
	/* Half-open connections live in their cookies; tombstones have nothing more to say; unprotected ones are of this host alone */
	if (conn->gone || conn->tcb.hard.state == FTCP_SYN_RECEIVED || !ftcp_conn_is_shipped(conn))
		ftcp_conn_finish(conn);
	spin_unlock_bh(&conn->lock);
}

void ftcp_conn_alone(struct ftcp_conn *conn)
{
	struct ftcp_env env;

	spin_lock_bh(&conn->lock);
	ftcp_conn_env(conn, &env);
	if (conn->gone)
		ftcp_conn_finish(conn);
	else if (!conn->finished)
		ftcp_repl_alone(&conn->tcb, &env);
	ftcp_conn_unlock(conn, 0);
}

void ftcp_conn_kick(struct ftcp_conn *conn)
{
	struct ftcp_env env;

	spin_lock_bh(&conn->lock);
	ftcp_conn_env(conn, &env);
	if (!conn->gone && !conn->finished)
		ftcp_repl_kick(&conn->tcb, &env);
	ftcp_conn_unlock(conn, 0);
}
