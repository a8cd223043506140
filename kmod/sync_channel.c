// SPDX-License-Identifier: GPL-2.0
/*
 * Replication by a channel. On a standby what comes is applied without sync.mutex being held from one batch to the next: a channel that was
 * closed meanwhile, for a promotion or for a newer one, is told by its pointer.
 */
#include <ftcp/frame.h>
#include "channel.h"
#include "net.h"
#include "netlink.h"
#include "sync_internal.h"

#define ACK_EACH 4	/* batches, when more are behind them: credits come back before they are used up */

struct ftcp_channel *ftcp_sync_channel_open(struct ftcp_group *group, int fd, struct netlink_ext_ack *extack)
{
	return ftcp_channel_open(fd, ftcp_sync_wq, &group->sync.collect, extack);
}

void ftcp_sync_channel_drop(struct ftcp_group *group)
{
	struct ftcp_sync *sync = &group->sync;
	struct ftcp_channel *channel = sync->channel;

	lockdep_assert_held(&sync->mutex);
	WRITE_ONCE(sync->channel, NULL);
	WRITE_ONCE(sync->follow_portid, 0);
	if (!channel)
		return;
	ftcp_channel_close(channel);
	ftcp_channel_put(channel);
}

static int may_follow(const struct ftcp_group *group, struct netlink_ext_ack *extack)
{
	if (group->sync.stopped)
		return ftcp_group_refuse_stopped(group, extack);
	if (group->role != FTCP_ROLE_STANDBY)
		return ftcp_refuse(extack, -EBUSY, "this host speaks for group %s, epoch %llu: only a standby follows", group->name,
				   group->epoch);
	return 0;
}

int ftcp_sync_follow(struct ftcp_group *group, u32 portid, struct ftcp_channel *channel, struct netlink_ext_ack *extack)
{
	struct ftcp_sync *sync = &group->sync;
	int err;

	mutex_lock(&sync->mutex);
	err = may_follow(group, extack) ?: ftcp_channel_start(channel, extack);
	if (!err) {
		ftcp_sync_channel_drop(group);
		WRITE_ONCE(sync->channel, channel);
		WRITE_ONCE(sync->follow_portid, portid);
		/* The first batch may have come before the callbacks were ours. */
		queue_work(ftcp_sync_wq, &sync->collect);
	}
	mutex_unlock(&sync->mutex);
	return err;
}

/* The group's channel with a reference, and who is to hear of it; NULL: none */
static struct ftcp_channel *get_channel(struct ftcp_group *group, u32 *follow_portid)
{
	struct ftcp_channel *channel;

	mutex_lock(&group->sync.mutex);
	channel = group->sync.channel;
	*follow_portid = group->sync.follow_portid;
	if (channel)
		ftcp_channel_get(channel);
	mutex_unlock(&group->sync.mutex);
	return channel;
}

/* ---- primary ---- */

/* The last of those that have come; -errno: the channel has ended */
static int read_acks(struct ftcp_channel *channel, struct ftcp_channel_frame *last)
{
	struct ftcp_channel_frame frame;
	int ready;

	while ((ready = ftcp_channel_read(channel, &frame)) > 0) {
		if (frame.type != FTCP_FRAME_ACK)
			return -EPROTO;
		*last = frame;
	}
	return ready;
}

static void take_acks(struct ftcp_group *group, struct ftcp_channel *channel)
{
	struct ftcp_channel_frame last = {};
	bool synced = false, ended = false;
	int err = read_acks(channel, &last);

	if (!err && !last.sync_id)
		return;	/* the collector was called for what is to be sent */
	mutex_lock(&group->sync.mutex);
	if (channel == group->sync.channel) {
		if (last.sync_id) {
			ended = ftcp_sync_take_ack(group, last.sync_id, last.no, NULL);
			synced = ftcp_sync_now_synced(group);
		}
		if (err || ended)
			ftcp_sync_detach_locked(group);
	}
	mutex_unlock(&group->sync.mutex);
	if (synced)
		ftcp_netlink_event(group, FTCP_EVENT_SYNC);
}

/* ---- standby ---- */

/* What is held, whatever batch it came by. */
static int acknowledge(struct ftcp_group *group, struct ftcp_channel *channel)
{
	u64 sync_id, no;

	spin_lock_bh(&group->lock);
	sync_id = group->sync.sync_id;
	no = group->sync.held_no;
	spin_unlock_bh(&group->lock);
	return ftcp_channel_send_ack(channel, sync_id, no);
}

static int apply_one(struct ftcp_group *group, struct ftcp_channel *channel, const struct ftcp_channel_frame *frame, u32 portid)
{
	struct netlink_ext_ack extack = {};
	int err;

	if (frame->type != FTCP_FRAME_BATCH)
		return -EPROTO;
	err = ftcp_sync_apply(group, channel, frame->batch, frame->len, &extack);
	/* Of what had been closed meanwhile nobody wants to hear. */
	if (err && READ_ONCE(group->sync.channel) == channel)
		ftcp_netlink_refused(group, frame->sync_id, frame->no, extack._msg ?: "it cannot be applied", portid);
	return err;
}

/* 0, or -errno: the channel has ended, or has to */
static int apply_all(struct ftcp_group *group, struct ftcp_channel *channel, u32 portid)
{
	struct ftcp_channel_frame frame;
	u32 n = 0;
	int ready, err;

	while ((ready = ftcp_channel_read(channel, &frame)) > 0) {
		err = apply_one(group, channel, &frame, portid);
		if (!err && ++n % ACK_EACH == 0)
			err = acknowledge(group, channel);
		if (err)
			return err;
		cond_resched();
	}
	err = n % ACK_EACH ? acknowledge(group, channel) : 0;
	return ready ?: err;
}

static void follow(struct ftcp_group *group, struct ftcp_channel *channel, u32 portid)
{
	bool ended = false;

	if (!apply_all(group, channel, portid))
		return;
	mutex_lock(&group->sync.mutex);
	if (channel == group->sync.channel) {
		ftcp_sync_channel_drop(group);
		ended = true;
	}
	mutex_unlock(&group->sync.mutex);
	if (ended)
		ftcp_netlink_event(group, FTCP_EVENT_SYNC);
}

void ftcp_sync_channel_read(struct ftcp_group *group)
{
	u32 follow_portid;
	struct ftcp_channel *channel = get_channel(group, &follow_portid);

	if (!channel)
		return;
	if (follow_portid)
		follow(group, channel, follow_portid);
	else
		take_acks(group, channel);
	ftcp_channel_put(channel);
}
