// SPDX-License-Identifier: GPL-2.0
/*
 * Who speaks. Each change of a role sets the role first, which the packet path reads without a lock, and then goes over
 * the connections; group->sync.mutex keeps the changes apart from each other and from replication.
 */
#include <linux/netdevice.h>
#include <linux/ktime.h>
#include "conn.h"
#include "group.h"
#include "net.h"
#include "netlink.h"
#include "stats.h"
#include "sync_internal.h"
#include "trace.h"

void ftcp_group_set_role(struct ftcp_group *group, enum ftcp_role role, u64 epoch)
{
	lockdep_assert_held(&group->sync.mutex);
	if (role != group->role || epoch != group->epoch)
		trace_role(group, group->role, role, epoch);
	spin_lock_bh(&group->lock);
	if (role != group->role)
		group->role_since_ms = ktime_get_boottime_ns() / NSEC_PER_MSEC;
	group->epoch = epoch;
	WRITE_ONCE(group->role, role);
	spin_unlock_bh(&group->lock);
}

static int refuse_not_in_sync(struct ftcp_group *group, struct netlink_ext_ack *extack)
{
	if (group->sync.state == FTCP_SYNC_RUNNING)
		return ftcp_refuse(extack, -EAGAIN,
				   "standby is not in sync: resync still running, %u connections so far; "
				   "--force takes what is here",
				   READ_ONCE(group->n_conns));
	return ftcp_refuse(extack, -EAGAIN,
			   "standby is not in sync: nothing received yet, or it is old; --force takes what is here");
}

static int may_promote(struct ftcp_group *group, u64 epoch, enum ftcp_promote how, struct netlink_ext_ack *extack)
{
	if (group->sync.stopped)
		return ftcp_group_refuse_stopped(group, extack);
	if (group->role != FTCP_ROLE_STANDBY)
		return ftcp_refuse(extack, -EALREADY, "this host speaks for group %s already, epoch %llu", group->name,
				   group->epoch);
	if (group->epoch == U64_MAX || (epoch && epoch <= group->epoch))
		return ftcp_refuse(extack, -ESTALE, "epoch %llu is not above this host's %llu", epoch, group->epoch);
	if (group->sync.state != FTCP_SYNC_DONE && how == FTCP_PROMOTE_IN_SYNC)
		return refuse_not_in_sync(group, extack);
	return 0;
}

static void forget_conn(struct ftcp_conn *conn, void *arg)
{
	ftcp_conn_forget(conn);
}

static void promote_conn(struct ftcp_conn *conn, void *arg)
{
	ftcp_conn_promote(conn);
}

static void take_over(struct ftcp_group *group, u64 epoch)
{
	u64 began_us = ktime_to_us(ktime_get());

	ftcp_sync_forget(group);
	/* The predecessor's clock was at most the time of a batch's way ahead of what is known here (RFC 7323, 5.4). */
	if (group->ts_known)
		WRITE_ONCE(group->ts_delta_ms, group->ts_delta_ms + FTCP_TS_TAKEOVER_MS);
	ftcp_group_set_role(group, FTCP_ROLE_DETACHED, epoch);
	ftcp_stats_inc(group->fn, FTCP_COUNT_TAKEOVERS);
	ftcp_group_walk(group, promote_conn, NULL);
	trace_takeover(group, READ_ONCE(group->n_conns), ktime_to_us(ktime_get()) - began_us);
}

int ftcp_group_promote(struct ftcp_group *group, u64 epoch, enum ftcp_promote how, struct netlink_ext_ack *extack)
{
	int err;

	mutex_lock(&group->sync.mutex);
	err = may_promote(group, epoch, how, extack);
	/* While silent: clients may have met a later history of these connections elsewhere, and are to hear nothing of this one. */
	if (!err && how == FTCP_PROMOTE_FRESH && group->sync.state != FTCP_SYNC_DONE)
		ftcp_group_walk(group, forget_conn, NULL);
	if (!err)
		take_over(group, epoch ? epoch : group->epoch + 1);
	mutex_unlock(&group->sync.mutex);
	if (!err)
		ftcp_netlink_event(group, FTCP_EVENT_ROLE);
	return err;
}

static int may_demote(struct ftcp_group *group, u64 epoch, bool force, struct netlink_ext_ack *extack)
{
	if (group->sync.stopped)
		return ftcp_group_refuse_stopped(group, extack);
	if (group->role == FTCP_ROLE_STANDBY || epoch > group->epoch || force || group->sync.state == FTCP_SYNC_DONE)
		return 0;
	if (group->role == FTCP_ROLE_DETACHED)
		return ftcp_refuse(extack, -EAGAIN,
				   "no standby holds the connections: wait until one is in sync; --force loses them");
	return ftcp_refuse(extack, -EAGAIN, "the standby is not in sync: wait until it is; --force loses connections");
}

static void demote_conn(struct ftcp_conn *conn, void *arg)
{
	ftcp_conn_demote(conn);
}

static void fall_silent(struct ftcp_group *group, u64 epoch)
{
	ftcp_group_set_role(group, FTCP_ROLE_STANDBY, epoch);
	ftcp_sync_forget(group);
	/* Whoever still thought that we speak has made and queued what he had to ... */
	synchronize_net();
	ftcp_group_walk(group, demote_conn, NULL);
	/* ... and whoever was about to hand a queue to IP has done so. */
	synchronize_net();
}

int ftcp_group_demote(struct ftcp_group *group, u64 epoch, bool force, struct netlink_ext_ack *extack)
{
	bool changed = false;
	int err;

	mutex_lock(&group->sync.mutex);
	err = may_demote(group, epoch, force, extack);
	if (!err && group->role != FTCP_ROLE_STANDBY) {
		fall_silent(group, max(epoch, group->epoch));
		changed = true;
	} else if (!err && epoch > group->epoch) {
		ftcp_group_set_role(group, FTCP_ROLE_STANDBY, epoch);
		changed = true;
	}
	mutex_unlock(&group->sync.mutex);
	if (changed)
		ftcp_netlink_event(group, FTCP_EVENT_ROLE);
	return err;
}

static void alone_conn(struct ftcp_conn *conn, void *arg)
{
	ftcp_conn_alone(conn);
}

int ftcp_group_detach(struct ftcp_group *group, struct netlink_ext_ack *extack)
{
	bool changed = false;
	int err = 0;

	mutex_lock(&group->sync.mutex);
	if (group->sync.stopped) {
		err = ftcp_group_refuse_stopped(group, extack);
	} else if (group->role == FTCP_ROLE_STANDBY) {
		err = ftcp_refuse(extack, -EBUSY, "this host is standby for group %s: only a primary detaches",
				  group->name);
	} else if (group->role == FTCP_ROLE_PRIMARY) {
		ftcp_group_set_role(group, FTCP_ROLE_DETACHED, group->epoch);
		/* What the standby has is old from now on: without its sync_id it only comes back by a full resync. */
		ftcp_sync_forget(group);
		ftcp_group_walk(group, alone_conn, NULL);
		changed = true;
	}
	mutex_unlock(&group->sync.mutex);
	if (changed)
		ftcp_netlink_event(group, FTCP_EVENT_ROLE);
	return err;
}

static void kick_conn(struct ftcp_conn *conn, void *arg)
{
	ftcp_conn_kick(conn);
}

int ftcp_group_kick(struct ftcp_group *group, struct netlink_ext_ack *extack)
{
	int err = 0;

	mutex_lock(&group->sync.mutex);
	if (ftcp_group_speaks(group))
		ftcp_group_walk(group, kick_conn, NULL);
	else
		err = ftcp_refuse(extack, -EBUSY, "this host is standby for group %s, and silent: promote it first",
				  group->name);
	mutex_unlock(&group->sync.mutex);
	return err;
}
