/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of replication and of roles share among themselves. */
#ifndef FTCP_SYNC_INTERNAL_H
#define FTCP_SYNC_INTERNAL_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include "core/repl.h"
#include "group.h"

struct ftcp_conn;

/* One connection's share of a batch in flight. */
struct ftcp_flight_entry {
	struct ftcp_conn *conn;	/* with a reference */
	struct ftcp_mark mark;
	bool gone;		/* the record said GONE: its commit is the end of the tombstone */
};

/* A batch that was made and is not acknowledged. */
struct ftcp_flight {
	struct list_head node;	/* sync.in_flight; under group->lock */
	u64 no;
	u64 made_ms;
	u32 n;
	u32 room;
	struct ftcp_flight_entry *entries;	/* or first */
	struct ftcp_flight_entry first[4];
};

extern struct workqueue_struct *ftcp_sync_wq;

u64 ftcp_sync_now_ms(void);

/** ftcp_flight_new() - or NULL; ftcp_flight_free() gives references back: nobody holds group->lock */
struct ftcp_flight *ftcp_flight_new(void);
void ftcp_flight_free(struct ftcp_flight *flight);

/** ftcp_sync_set_unsynced() - does the resync under way wait for @conn? Counts in sync.unsynced. conn->lock held. */
void ftcp_sync_set_unsynced(struct ftcp_conn *conn, bool unsynced);
/** ftcp_sync_unlist() - the first dirty connection, with the list's reference, or NULL */
struct ftcp_conn *ftcp_sync_unlist(struct ftcp_group *group);

/** ftcp_sync_set_state() - group->lock held; true if it changed: send FTCP_EVENT_SYNC once the lock is released */
bool ftcp_sync_set_state(struct ftcp_group *group, enum ftcp_sync_state state);
/** ftcp_sync_detach_locked() - sync.mutex held: no daemon any more; what is in flight waits for the next attach */
void ftcp_sync_detach_locked(struct ftcp_group *group);

/** ftcp_sync_channel_drop() - sync.mutex held: no channel any more; what was read of it and not applied will not be */
void ftcp_sync_channel_drop(struct ftcp_group *group);
/** ftcp_sync_channel_read() - take what has come: acknowledgements on a primary, batches on a standby. sync.mutex not held */
void ftcp_sync_channel_read(struct ftcp_group *group);
/** ftcp_sync_take_ack() - sync.mutex held: the standby holds up to @no. Then ftcp_sync_now_synced(): true: FTCP_EVENT_SYNC is due */
int ftcp_sync_take_ack(struct ftcp_group *group, u64 sync_id, u64 no, struct netlink_ext_ack *extack);
bool ftcp_sync_now_synced(struct ftcp_group *group);

/** ftcp_sync_oldest_ms() - the age of the oldest batch in flight, at least 1; 0: there is none */
u32 ftcp_sync_oldest_ms(struct ftcp_group *group);

void ftcp_sync_collect_work(struct work_struct *work);
void ftcp_sync_idle_work(struct work_struct *work);

/** ftcp_group_set_role() - sync.mutex held */
void ftcp_group_set_role(struct ftcp_group *group, enum ftcp_role role, u64 epoch);

#endif
