/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Replication of a group: collecting batches on the primary, applying them on the standby.
 *
 * A connection that has something to ship is on the dirty list (or lazy: it goes with the next idle batch). One work item collects:
 * it takes connections off the list, lets the core say what is to be shipped, copies it into a netlink message,
 * remembers the marks as a batch in flight, and sends it to the attached daemon, while there are credits. An acknowledgement pops the
 * batch and moves every connection's committed mark, which opens the gate for its segments.
 *
 * Batches and acknowledgements travel by netlink, and the daemons carry them; or by a channel between the two kernels (channel.h), which
 * the daemons have opened. The same work item then reads what has come: acknowledgements before it collects; on a standby batches.
 */
#ifndef FTCP_SYNC_H
#define FTCP_SYNC_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <uapi/linux/ftcp.h>

struct ftcp_channel;
struct ftcp_conn;
struct ftcp_group;
struct ftcp_net;
struct netlink_ext_ack;

struct ftcp_sync {
	struct mutex mutex;		/* see net.h */
	/* the rest under group->lock */
	struct list_head dirty;		/* struct ftcp_conn.dirty_node, each with a reference; tombstones too */
	struct list_head lazy;		/* the same node: a connection is on one of the two or none */
	struct list_head in_flight;	/* batches made and not acknowledged, in order */
	u32 n_in_flight;
	u32 credits;			/* so many at most; of the attached daemon */
	u32 portid;			/* primary: attached daemon's socket; 0: none */
	u32 follow_portid;		/* standby: the daemon's socket that has handed over the channel; 0: none */
	struct ftcp_channel *channel;	/* under mutex; NULL: the daemon carries the batches */
	enum ftcp_sync_state state;
	u64 state_since_ms;
	u64 sync_id;			/* primary: of this resync; standby: of what it holds; 0: none */
	u64 sent_no;			/* primary: last batch made */
	u64 held_no;			/* primary: last committed; standby: last applied */
	u64 synced_no;			/* primary: the batch flagged FTCP_BATCH_SYNCED, 0: not made yet */
	u32 unsynced;			/* connections with soft.unsynced set */
	bool reset_due;			/* the next batch begins a resync */
	bool idle_due;			/* the next batch is made even if there is nothing to ship */
	bool stopped;			/* the group is being removed: nobody attaches any more */
	u64 last_sent_ms;
	u64 heard_ms;			/* standby: when a batch came last; 0: none since the role changed, or what was held was lost */
	struct work_struct collect;
	struct delayed_work idle;
};

/* The workqueue of all collectors; for module init and exit. */
int ftcp_sync_register(void);
void ftcp_sync_unregister(void);

void ftcp_sync_init(struct ftcp_group *group);
/** ftcp_sync_stop() - no work is queued any more; lists are emptied, references given back */
void ftcp_sync_stop(struct ftcp_group *group);
/** ftcp_sync_drain() - after that: no work runs any more. fn->config is not held */
void ftcp_sync_drain(struct ftcp_group *group);

/**
 * ftcp_sync_conn() - put @conn on the list it belongs to (ftcp_repl_dirty(), or a tombstone) and wake the collector
 *
 * conn->lock held. Does nothing unless the group is PRIMARY.
 */
void ftcp_sync_conn(struct ftcp_conn *conn);

/**
 * ftcp_sync_conn_dead() - @conn leaves for good: take it off the dirty or lazy list (with that list's reference), and
 * take back what the group counts of it
 *
 * conn->lock held, the caller has a reference of its own.
 */
void ftcp_sync_conn_dead(struct ftcp_conn *conn);

/* What netlink asks for. Process context, no lock held. */
/**
 * ftcp_sync_attach() - batches flow to @portid, or by @channel, which it starts and whose reference it takes over, unless it fails
 * @credits: so many in flight at most, 1 to FTCP_BATCHES_IN_FLIGHT_MAX
 */
int ftcp_sync_attach(struct ftcp_group *group, u32 portid, struct ftcp_channel *channel, u32 credits, u64 peer_sync_id, u64 peer_no,
		     struct netlink_ext_ack *extack);
/** ftcp_sync_follow() - batches come by @channel; as for attach */
int ftcp_sync_follow(struct ftcp_group *group, u32 portid, struct ftcp_channel *channel, struct netlink_ext_ack *extack);
/** ftcp_sync_channel_open() - of the caller's descriptor, for one of the two */
struct ftcp_channel *ftcp_sync_channel_open(struct ftcp_group *group, int fd, struct netlink_ext_ack *extack);
int ftcp_sync_detach(struct ftcp_group *group, u32 portid, struct netlink_ext_ack *extack);
/**
 * ftcp_sync_outdate() - on the standby: what it holds is not the latest any more; state NONE, its connections stay
 * @sync_id: what the caller speaks of; refused if it is not what is held, since a newer resync may have come meanwhile
 */
int ftcp_sync_outdate(struct ftcp_group *group, u64 sync_id, struct netlink_ext_ack *extack);
int ftcp_sync_ack(struct ftcp_group *group, u64 sync_id, u64 no, struct netlink_ext_ack *extack);
/** ftcp_sync_apply() - @channel: by which it came, not NULL: refused if that is not the group's any more */
int ftcp_sync_apply(struct ftcp_group *group, const struct ftcp_channel *channel, const void *batch, u32 len,
		    struct netlink_ext_ack *extack);
/** ftcp_sync_portid_gone() - a netlink socket was closed: detach every group of @fn that it was attached to, or followed by */
void ftcp_sync_portid_gone(struct ftcp_net *fn, u32 portid);

/**
 * ftcp_sync_forget() - role change, or a standby has lost connections; sync.mutex held: drop what is in flight, detach, state NONE, sync_id 0
 *
 * Connections keep their marks; tombstones whose end now needs no commit are finished by the caller's walk.
 */
void ftcp_sync_forget(struct ftcp_group *group);

/** ftcp_sync_lag() - primary: bytes and age of what is not committed; standby: for how long no batch has come */
void ftcp_sync_lag(struct ftcp_group *group, u64 *bytes, u32 *ms);

#endif
