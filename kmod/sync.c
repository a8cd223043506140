// SPDX-License-Identifier: GPL-2.0
/* Replication of a group: its lists, who is attached, what was acknowledged. See also sync_collect.c, sync_apply.c, sync_channel.c. */
#include <linux/random.h>
#include <linux/ktime.h>
#include "channel.h"
#include "conn.h"
#include "net.h"
#include "netlink.h"
#include "stats.h"
#include "sync_internal.h"

struct workqueue_struct *ftcp_sync_wq;

int ftcp_sync_register(void)
{
	ftcp_sync_wq = alloc_workqueue("ftcp", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return ftcp_sync_wq ? 0 : -ENOMEM;
}

void ftcp_sync_unregister(void)
{
	destroy_workqueue(ftcp_sync_wq);
}

u64 ftcp_sync_now_ms(void)
{
	return div_u64(ktime_get_boottime_ns(), NSEC_PER_MSEC);
}

void ftcp_sync_init(struct ftcp_group *group)
{
	struct ftcp_sync *sync = &group->sync;

	mutex_init(&sync->mutex);
	INIT_LIST_HEAD(&sync->dirty);
	INIT_LIST_HEAD(&sync->lazy);
	INIT_LIST_HEAD(&sync->in_flight);
	INIT_WORK(&sync->collect, ftcp_sync_collect_work);
	INIT_DELAYED_WORK(&sync->idle, ftcp_sync_idle_work);
	sync->state_since_ms = ftcp_sync_now_ms();
}

/* The reference that the list has, or NULL: to be given back when group->lock is released, since it may be the last. */
static struct ftcp_conn *take_off(struct ftcp_conn *conn)
{
	lockdep_assert_held(&conn->group->lock);
	if (list_empty(&conn->dirty_node))
		return NULL;
	list_del_init(&conn->dirty_node);
	return conn;
}

struct ftcp_conn *ftcp_sync_unlist(struct ftcp_group *group)
{
	struct ftcp_conn *conn;

	spin_lock_bh(&group->lock);
	conn = list_first_entry_or_null(&group->sync.dirty, struct ftcp_conn, dirty_node);
	if (conn)
		take_off(conn);
	spin_unlock_bh(&group->lock);
	return conn;
}

static void list_conn(struct ftcp_conn *conn, bool lazy)
{
	struct ftcp_group *group = conn->group;
	struct ftcp_sync *sync = &group->sync;
	bool listed;

	lockdep_assert_held(&conn->lock);
	spin_lock_bh(&group->lock);
	listed = !list_empty(&conn->dirty_node);
	/* Never back from dirty to lazy: the collector looks for itself. */
	if (!sync->stopped && (!listed || (conn->dirty_lazy && !lazy))) {
		list_move_tail(&conn->dirty_node, lazy ? &sync->lazy : &sync->dirty);
		conn->dirty_lazy = lazy;
		if (!listed)
			ftcp_conn_get(conn);
		if (!lazy && sync->portid && sync->n_in_flight < sync->credits)
			queue_work(ftcp_sync_wq, &sync->collect);
	}
	spin_unlock_bh(&group->lock);
}

void ftcp_sync_conn(struct ftcp_conn *conn)
{
	enum ftcp_dirty dirty;

	lockdep_assert_held(&conn->lock);
	if (READ_ONCE(conn->group->role) != FTCP_ROLE_PRIMARY || conn->finished || !ftcp_conn_is_shipped(conn))
		return;
	/* A tombstone is shipped once: collecting it leaves shipped.state CLOSED, a broken link takes that back. */
	if (conn->gone)
		dirty = conn->tcb.soft.shipped.state == FTCP_CLOSED ? FTCP_CLEAN : FTCP_DIRTY_NOW;
	else
		dirty = ftcp_repl_dirty(&conn->tcb);
	if (dirty != FTCP_CLEAN)
		list_conn(conn, dirty == FTCP_DIRTY_LAZY);
}

void ftcp_sync_set_unsynced(struct ftcp_conn *conn, bool unsynced)
{
	struct ftcp_sync *sync = &conn->group->sync;
	bool counted;

	lockdep_assert_held(&conn->lock);
	spin_lock_bh(&conn->group->lock);
	counted = sync->sync_id && conn->unsynced_of == sync->sync_id;
	sync->unsynced += unsynced - counted;
	conn->unsynced_of = unsynced ? sync->sync_id : 0;
	/* Perhaps no record is left that the SYNCED flag could go with. */
	if (counted && !sync->unsynced && !sync->synced_no && sync->portid) {
		sync->idle_due = true;
		queue_work(ftcp_sync_wq, &sync->collect);
	}
	spin_unlock_bh(&conn->group->lock);
}

void ftcp_sync_conn_dead(struct ftcp_conn *conn)
{
	struct ftcp_conn *listed;

	ftcp_sync_set_unsynced(conn, false);
	spin_lock_bh(&conn->group->lock);
	listed = take_off(conn);
	spin_unlock_bh(&conn->group->lock);
	if (listed)
		ftcp_conn_put(listed);
}

bool ftcp_sync_set_state(struct ftcp_group *group, enum ftcp_sync_state state)
{
	lockdep_assert_held(&group->lock);
	if (group->sync.state == state)
		return false;
	group->sync.state = state;
	group->sync.state_since_ms = ftcp_sync_now_ms();
	return true;
}

/* Everything that is listed or in flight; the references go when no lock is held. */
static void drop_all(struct ftcp_group *group)
{
	struct ftcp_flight *flight, *next;
	struct ftcp_sync *sync = &group->sync;
	struct ftcp_conn *conn;
	LIST_HEAD(flights);

	lockdep_assert_held(&sync->mutex);
	spin_lock_bh(&group->lock);
	list_splice_init(&sync->in_flight, &flights);
	sync->n_in_flight = 0;
	list_splice_tail_init(&sync->lazy, &sync->dirty);
	spin_unlock_bh(&group->lock);
	list_for_each_entry_safe(flight, next, &flights, node)
		ftcp_flight_free(flight);
	while ((conn = ftcp_sync_unlist(group)))
		ftcp_conn_put(conn);
}

/* ---- attaching ---- */

/* A new daemon, or none: the sync state on a primary is that of a daemon that is there. */
static bool set_daemon(struct ftcp_group *group, u32 portid)
{
	struct ftcp_sync *sync = &group->sync;
	enum ftcp_sync_state state = FTCP_SYNC_NONE;

	lockdep_assert_held(&group->lock);
	if (portid)
		state = sync->synced_no && sync->held_no >= sync->synced_no ? FTCP_SYNC_DONE : FTCP_SYNC_RUNNING;
	WRITE_ONCE(sync->portid, portid);
	return ftcp_sync_set_state(group, state);
}

void ftcp_sync_detach_locked(struct ftcp_group *group)
{
	bool changed;

	lockdep_assert_held(&group->sync.mutex);
	ftcp_sync_channel_drop(group);
	spin_lock_bh(&group->lock);
	changed = set_daemon(group, 0);
	spin_unlock_bh(&group->lock);
	if (changed)
		ftcp_netlink_event(group, FTCP_EVENT_SYNC);
}

static void begin_numbers(struct ftcp_group *group, u64 sync_id)
{
	struct ftcp_sync *sync = &group->sync;

	lockdep_assert_held(&group->lock);
	sync->sync_id = sync_id;
	sync->sent_no = 0;
	sync->held_no = 0;
	sync->synced_no = 0;
	sync->unsynced = 0;
	sync->reset_due = sync_id != 0;
	sync->idle_due = false;
	sync->heard_ms = 0;
}

void ftcp_sync_forget(struct ftcp_group *group)
{
	bool changed;

	lockdep_assert_held(&group->sync.mutex);
	ftcp_sync_channel_drop(group);
	spin_lock_bh(&group->lock);
	begin_numbers(group, 0);
	changed = set_daemon(group, 0);
	spin_unlock_bh(&group->lock);
	drop_all(group);
	if (changed)
		ftcp_netlink_event(group, FTCP_EVENT_SYNC);
}

void ftcp_sync_stop(struct ftcp_group *group)
{
	mutex_lock(&group->sync.mutex);
	spin_lock_bh(&group->lock);
	group->sync.stopped = true;
	spin_unlock_bh(&group->lock);
	ftcp_sync_forget(group);
	mutex_unlock(&group->sync.mutex);
}

/* Applying takes fn->config when a service is to be made. */
void ftcp_sync_drain(struct ftcp_group *group)
{
	/* Without a daemon neither is queued again. */
	cancel_work_sync(&group->sync.collect);
	cancel_delayed_work_sync(&group->sync.idle);
}

/* The standby holds it: for a tombstone that is the end, for the others the gate moves. */
static void commit_entry(const struct ftcp_flight_entry *entry)
{
	struct ftcp_conn *conn = entry->conn;

	spin_lock_bh(&conn->lock);
	if (entry->gone)
		ftcp_conn_finish(conn);
	else if (!conn->finished)
		ftcp_conn_committed(conn, &entry->mark);
	ftcp_conn_unlock(conn, 0);
}

/* The oldest batch in flight, off the list, if the standby holds up to @no. */
static struct ftcp_flight *pop_flight(struct ftcp_group *group, u64 no)
{
	struct ftcp_sync *sync = &group->sync;
	struct ftcp_flight *flight;

	spin_lock_bh(&group->lock);
	flight = list_first_entry_or_null(&sync->in_flight, struct ftcp_flight, node);
	if (flight && flight->no <= no) {
		list_del(&flight->node);
		sync->n_in_flight--;
		sync->held_no = flight->no;
	} else {
		flight = NULL;
	}
	spin_unlock_bh(&group->lock);
	return flight;
}

static void commit_up_to(struct ftcp_group *group, u64 no)
{
	struct ftcp_flight *flight;
	u32 i;

	lockdep_assert_held(&group->sync.mutex);
	while ((flight = pop_flight(group, no))) {
		for (i = 0; i < flight->n; i++)
			commit_entry(&flight->entries[i]);
		ftcp_flight_free(flight);
		ftcp_stats_inc(group->fn, FTCP_COUNT_BATCHES_COMMITTED);
	}
}

/* After ftcp_repl_restart() or ftcp_repl_resync(): what the standby does not hold is to be shipped. */
static void list_again(struct ftcp_conn *conn, bool unsynced)
{
	bool now = !conn->gone && ftcp_repl_dirty(&conn->tcb) == FTCP_DIRTY_NOW;

	lockdep_assert_held(&conn->lock);
	conn->tcb.soft.unsynced = unsynced && now;
	ftcp_sync_set_unsynced(conn, unsynced && now);
	if (conn->gone && !conn->tcb.soft.committed.known)
		ftcp_conn_finish(conn);	/* this standby has never heard of it */
	else
		ftcp_sync_conn(conn);
}

static void resume_conn(struct ftcp_conn *conn, void *arg)
{
	const bool *synced = arg;

	spin_lock_bh(&conn->lock);
	if (!conn->finished && ftcp_conn_is_shipped(conn)) {
		ftcp_repl_restart(&conn->tcb);
		list_again(conn, !*synced);
	}
	ftcp_conn_unlock(conn, 0);
}

/* The same standby again: it says how far it came, the rest is made once more. */
static void resume(struct ftcp_group *group, u64 peer_no)
{
	struct ftcp_sync *sync = &group->sync;
	bool synced;

	commit_up_to(group, peer_no);
	drop_all(group);
	spin_lock_bh(&group->lock);
	sync->sent_no = peer_no;
	sync->held_no = peer_no;
	if (sync->synced_no > peer_no)
		sync->synced_no = 0;
	synced = sync->synced_no;
	sync->idle_due = true;
	spin_unlock_bh(&group->lock);
	ftcp_group_walk(group, resume_conn, &synced);
}

static void resync_conn(struct ftcp_conn *conn, void *arg)
{
	spin_lock_bh(&conn->lock);
	if (!conn->finished && ftcp_conn_is_shipped(conn)) {
		ftcp_repl_resync(&conn->tcb);
		list_again(conn, true);
	}
	ftcp_conn_unlock(conn, 0);
}

static void resync(struct ftcp_group *group)
{
	u64 sync_id;

	do {
		sync_id = get_random_u64();
	} while (!sync_id || sync_id == group->sync.sync_id);
	drop_all(group);
	spin_lock_bh(&group->lock);
	begin_numbers(group, sync_id);
	spin_unlock_bh(&group->lock);
	ftcp_stats_inc(group->fn, FTCP_COUNT_RESYNCS);
	ftcp_group_walk(group, resync_conn, NULL);
}

static int may_attach(const struct ftcp_group *group, struct netlink_ext_ack *extack)
{
	if (group->sync.stopped)
		return ftcp_group_refuse_stopped(group, extack);
	if (group->role == FTCP_ROLE_STANDBY)
		return ftcp_refuse(extack, -EBUSY, "this host is standby for group %s: who speaks sends batches",
				   group->name);
	return 0;
}

/* Role primary, batches flow to @portid or by @channel; true: the role changed. */
static bool attach(struct ftcp_group *group, u32 portid, struct ftcp_channel *channel, u64 peer_sync_id, u64 peer_no)
{
	struct ftcp_sync *sync = &group->sync;
	bool was_alone = group->role == FTCP_ROLE_DETACHED, changed;

	ftcp_sync_detach_locked(group);
	if (was_alone) {
		ftcp_group_set_role(group, FTCP_ROLE_PRIMARY, group->epoch);
		/* The gate is closed; whoever still saw it open is through with his packet. */
		synchronize_net();
	}
	if (sync->sync_id && peer_sync_id == sync->sync_id && peer_no >= sync->held_no && peer_no <= sync->sent_no)
		resume(group, peer_no);
	else
		resync(group);
	sync->channel = channel;
	spin_lock_bh(&group->lock);
	changed = set_daemon(group, portid);
	sync->last_sent_ms = ftcp_sync_now_ms();
	spin_unlock_bh(&group->lock);
	queue_work(ftcp_sync_wq, &sync->collect);
	mod_delayed_work(ftcp_sync_wq, &sync->idle, msecs_to_jiffies(FTCP_BATCH_IDLE_MS));
	if (changed)
		ftcp_netlink_event(group, FTCP_EVENT_SYNC);
	return was_alone;
}

int ftcp_sync_attach(struct ftcp_group *group, u32 portid, struct ftcp_channel *channel, u32 credits, u64 peer_sync_id, u64 peer_no,
		     struct netlink_ext_ack *extack)
{
	bool role_changed = false;
	int err;

	mutex_lock(&group->sync.mutex);
	err = may_attach(group, extack);
	if (!err && channel)
		err = ftcp_channel_start(channel, extack);
	if (!err) {
		spin_lock_bh(&group->lock);
		group->sync.credits = credits;
		spin_unlock_bh(&group->lock);
		role_changed = attach(group, portid, channel, peer_sync_id, peer_no);
	}
	mutex_unlock(&group->sync.mutex);
	if (role_changed)
		ftcp_netlink_event(group, FTCP_EVENT_ROLE);
	return err;
}

int ftcp_sync_detach(struct ftcp_group *group, u32 portid, struct netlink_ext_ack *extack)
{
	int err = 0;

	mutex_lock(&group->sync.mutex);
	if (group->sync.portid == portid)
		ftcp_sync_detach_locked(group);
	else if (group->sync.follow_portid == portid)
		ftcp_sync_channel_drop(group);
	else
		err = ftcp_refuse(extack, -ENOTCONN, "this socket is not attached to group %s", group->name);
	mutex_unlock(&group->sync.mutex);
	return err;
}

static int may_outdate(const struct ftcp_group *group, u64 sync_id, struct netlink_ext_ack *extack)
{
	if (group->sync.stopped)
		return ftcp_group_refuse_stopped(group, extack);
	if (group->role != FTCP_ROLE_STANDBY)
		return ftcp_refuse(extack, -EBUSY, "this host speaks for group %s: what it holds is the latest", group->name);
	if (!sync_id || sync_id != group->sync.sync_id)
		return ftcp_refuse(extack, -ESTALE, "group %s holds nothing of that resync", group->name);
	return 0;
}

int ftcp_sync_outdate(struct ftcp_group *group, u64 sync_id, struct netlink_ext_ack *extack)
{
	bool changed = false;
	int err;

	mutex_lock(&group->sync.mutex);
	err = may_outdate(group, sync_id, extack);
	if (!err) {
		/* The channel stays: the resync that takes its place may be on the way there. More of this one is refused. */
		spin_lock_bh(&group->lock);
		begin_numbers(group, 0);
		changed = ftcp_sync_set_state(group, FTCP_SYNC_NONE);
		spin_unlock_bh(&group->lock);
	}
	mutex_unlock(&group->sync.mutex);
	if (changed)
		ftcp_netlink_event(group, FTCP_EVENT_SYNC);
	return err;
}

static struct ftcp_group *find_attached(struct ftcp_net *fn, u32 portid)
{
	struct ftcp_group *group, *found = NULL;

	rcu_read_lock();
	list_for_each_entry_rcu(group, &fn->groups, node) {
		if ((READ_ONCE(group->sync.portid) == portid || READ_ONCE(group->sync.follow_portid) == portid) &&
		    refcount_inc_not_zero(&group->refs)) {
			found = group;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

void ftcp_sync_portid_gone(struct ftcp_net *fn, u32 portid)
{
	struct ftcp_group *group;

	while ((group = find_attached(fn, portid))) {
		mutex_lock(&group->sync.mutex);
		if (group->sync.portid == portid)
			ftcp_sync_detach_locked(group);
		if (group->sync.follow_portid == portid)
			ftcp_sync_channel_drop(group);
		mutex_unlock(&group->sync.mutex);
		ftcp_group_put(group);
	}
}

/* ---- acknowledgements ---- */

static int may_ack(const struct ftcp_group *group, u64 sync_id, u64 no, struct netlink_ext_ack *extack)
{
	const struct ftcp_sync *sync = &group->sync;

	if (group->role != FTCP_ROLE_PRIMARY)
		return ftcp_refuse(extack, -EBUSY, "this host is not primary for group %s: it has sent no batch",
				   group->name);
	if (!sync->sync_id || sync_id != sync->sync_id)
		return ftcp_refuse(extack, -EINVAL, "acknowledgement of another resync; attach again");
	if (no > sync->sent_no)
		return ftcp_refuse(extack, -EINVAL, "acknowledgement of batch %llu, but the last one sent is %llu", no,
				   sync->sent_no);
	return 0;
}

bool ftcp_sync_now_synced(struct ftcp_group *group)
{
	struct ftcp_sync *sync = &group->sync;
	bool changed = false;

	spin_lock_bh(&group->lock);
	if (sync->state == FTCP_SYNC_RUNNING && sync->synced_no && sync->held_no >= sync->synced_no)
		changed = ftcp_sync_set_state(group, FTCP_SYNC_DONE);
	spin_unlock_bh(&group->lock);
	return changed;
}

int ftcp_sync_take_ack(struct ftcp_group *group, u64 sync_id, u64 no, struct netlink_ext_ack *extack)
{
	int err = may_ack(group, sync_id, no, extack);

	if (!err)
		commit_up_to(group, no);
	return err;
}

int ftcp_sync_ack(struct ftcp_group *group, u64 sync_id, u64 no, struct netlink_ext_ack *extack)
{
	bool synced = false;
	int err;

	mutex_lock(&group->sync.mutex);
	err = ftcp_sync_take_ack(group, sync_id, no, extack);
	if (!err) {
		synced = ftcp_sync_now_synced(group);
		queue_work(ftcp_sync_wq, &group->sync.collect);	/* credits came back */
	}
	mutex_unlock(&group->sync.mutex);
	if (synced)
		ftcp_netlink_event(group, FTCP_EVENT_SYNC);
	return err;
}

/* ---- how far behind ---- */

/* Read without the connection's lock: a moment's mixture is good enough to look at. */
static u64 conn_lag_bytes(const struct ftcp_conn *conn)
{
	u64 rcv = READ_ONCE(conn->tcb.hard.rcv_nxt), snd = READ_ONCE(conn->tcb.hard.snd_end);
	u64 rcv_held = max(READ_ONCE(conn->tcb.soft.committed.rcv), READ_ONCE(conn->tcb.hard.consumed));
	u64 snd_held = max(READ_ONCE(conn->tcb.soft.committed.snd), READ_ONCE(conn->tcb.hard.snd_una));

	return (rcv > rcv_held ? rcv - rcv_held : 0) + (snd > snd_held ? snd - snd_held : 0);
}

u32 ftcp_sync_oldest_ms(struct ftcp_group *group)
{
	struct ftcp_flight *oldest;
	u32 ms = 0;

	spin_lock_bh(&group->lock);
	oldest = list_first_entry_or_null(&group->sync.in_flight, struct ftcp_flight, node);
	if (oldest)
		ms = clamp_t(u64, ftcp_sync_now_ms() - oldest->made_ms, 1, U32_MAX);
	spin_unlock_bh(&group->lock);
	return ms;
}

static u32 silent_ms(struct ftcp_group *group)
{
	u64 heard_ms;

	spin_lock_bh(&group->lock);
	heard_ms = group->sync.heard_ms;
	spin_unlock_bh(&group->lock);
	return heard_ms ? min_t(u64, ftcp_sync_now_ms() - heard_ms, U32_MAX) : 0;
}

void ftcp_sync_lag(struct ftcp_group *group, u64 *bytes, u32 *ms)
{
	struct ftcp_conn *conn;

	*bytes = 0;
	*ms = READ_ONCE(group->role) == FTCP_ROLE_STANDBY ? silent_ms(group) : 0;
	if (READ_ONCE(group->role) != FTCP_ROLE_PRIMARY)
		return;
	rcu_read_lock();
	list_for_each_entry_rcu(conn, &group->conns, group_node)
		*bytes += ftcp_conn_is_shipped(conn) ? conn_lag_bytes(conn) : 0;
	rcu_read_unlock();
	*ms = ftcp_sync_oldest_ms(group);
}
