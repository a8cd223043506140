// SPDX-License-Identifier: GPL-2.0
/* The collector: from dirty connections to batches in flight. All of it under sync.mutex, in process context. */
#include <linux/slab.h>
#include "channel.h"
#include "conn.h"
#include "core/batch.h"
#include "net.h"
#include "netlink.h"
#include "service.h"
#include "stats.h"
#include "sync_internal.h"

#define RECORD_BYTES		((u32)sizeof(struct ftcp_batch_record))
#define PAYLOAD_MIN_BYTES	1024u		/* no connection is begun in less room than its record and this */
#define BATCH_SMALL_BYTES	(14u * 1024u)	/* when there is no memory for a large one */
#define BATCH_LEAST_BYTES	((u32)sizeof(struct ftcp_batch_header) + RECORD_BYTES + PAYLOAD_MIN_BYTES)
#define RETRY_MS		100		/* ... and not even for that */
#define LAZY_STEP		256		/* lazy connections listed in one go with BHs off */

/* A batch being made. */
struct build {
	struct ftcp_group *group;
	struct ftcp_flight *flight;
	struct sk_buff *skb;	/* NULL: it is built in the channel's room */
	u8 *data;
	u32 max;
	u32 len;
};

struct ftcp_flight *ftcp_flight_new(void)
{
	struct ftcp_flight *flight = kzalloc(sizeof(*flight), GFP_KERNEL);

	if (!flight)
		return NULL;
	flight->entries = flight->first;
	flight->room = ARRAY_SIZE(flight->first);
	return flight;
}

void ftcp_flight_free(struct ftcp_flight *flight)
{
	u32 i;

	for (i = 0; i < flight->n; i++)
		ftcp_conn_put(flight->entries[i].conn);
	if (flight->entries != flight->first)
		kvfree(flight->entries);
	kfree(flight);
}

static bool flight_grow(struct ftcp_flight *flight)
{
	u32 room = min_t(u32, flight->room * 4, FTCP_BATCH_RECORDS_MAX);
	struct ftcp_flight_entry *entries;

	if (room == flight->room)
		return false;
	entries = kvmalloc_array(room, sizeof(*entries), GFP_KERNEL | __GFP_NOWARN);
	if (!entries)
		return false;
	memcpy(entries, flight->entries, flight->n * sizeof(*entries));
	if (flight->entries != flight->first)
		kvfree(flight->entries);
	flight->entries = entries;
	flight->room = room;
	return true;
}

static void write_tuple(struct ftcp_batch_tuple *tuple, const struct ftcp_conn *conn)
{
	const struct ftcp_conn_key *key = &conn->key;

	memcpy(tuple->laddr, &key->laddr, sizeof(tuple->laddr));
	memcpy(tuple->raddr, &key->raddr, sizeof(tuple->raddr));
	tuple->lport = ntohs(key->lport);
	tuple->rport = ntohs(key->rport);
	tuple->service = ftcp_service_maker(conn->service);
}

static void write_record(struct build *build, struct ftcp_conn *conn, const struct ftcp_record *rec, u8 type)
{
	struct ftcp_batch_tuple tuple;

	write_tuple(&tuple, conn);
	ftcp_batch_write_record(&tuple, rec, type, build->data + build->len);
	build->len += RECORD_BYTES;
}

/* A tombstone's record: the commit of it is the end of the connection. */
static void collect_gone(struct build *build, struct ftcp_conn *conn, struct ftcp_mark *mark)
{
	struct ftcp_record rec = { .hard = conn->tcb.hard };

	write_record(build, conn, &rec, FTCP_RECORD_GONE);
	conn->tcb.soft.shipped.state = FTCP_CLOSED;
	ftcp_sync_set_unsynced(conn, false);
	*mark = conn->tcb.soft.shipped;
}

static int collect_live(struct build *build, struct ftcp_conn *conn, struct ftcp_mark *mark)
{
	u8 *payload = build->data + build->len + RECORD_BYTES;
	struct ftcp_record rec;

	ftcp_repl_collect(&conn->tcb, build->max - build->len - RECORD_BYTES, &rec, mark);
	if (ftcp_bytes_copy(&conn->rcv, rec.rcv_from, payload, rec.rcv_len) ||
	    ftcp_bytes_copy(&conn->snd, rec.snd_from, payload + rec.rcv_len, rec.snd_len))
		return -ERANGE;
	write_record(build, conn, &rec, rec.partial ? FTCP_RECORD_PARTIAL : FTCP_RECORD_CONN);
	build->len += rec.rcv_len + rec.snd_len;
	if (conn->unsynced_of && !conn->tcb.soft.unsynced)
		ftcp_sync_set_unsynced(conn, false);
	return 0;
}

static bool has_something(struct ftcp_conn *conn)
{
	lockdep_assert_held(&conn->lock);
	if (conn->finished)
		return false;
	return conn->gone ? conn->tcb.soft.shipped.state != FTCP_CLOSED : ftcp_repl_dirty(&conn->tcb) != FTCP_CLEAN;
}

/* Takes over the reference that the dirty list had. */
static void add_conn(struct build *build, struct ftcp_conn *conn)
{
	struct ftcp_flight_entry *entry = &build->flight->entries[build->flight->n];
	int err = 0;

	spin_lock_bh(&conn->lock);
	if (!has_something(conn)) {
		spin_unlock_bh(&conn->lock);
		ftcp_conn_put(conn);
		return;
	}
	entry->conn = conn;
	entry->gone = conn->gone;
	if (conn->gone)
		collect_gone(build, conn, &entry->mark);
	else
		err = collect_live(build, conn, &entry->mark);
	if (!err) {
		build->flight->n++;
		ftcp_sync_conn(conn);	/* again, if not all of it fitted */
	}
	spin_unlock_bh(&conn->lock);
	if (err) {
		/* The cursors claim bytes that are not there: it cannot go on. */
		ftcp_stats_inc(conn->fn, FTCP_COUNT_BROKEN_INVARIANTS);
		ftcp_conn_kill(conn);
		ftcp_conn_put(conn);
	}
}

static void fill(struct build *build)
{
	struct ftcp_flight *flight = build->flight;
	struct ftcp_conn *conn;

	while (build->len + RECORD_BYTES + PAYLOAD_MIN_BYTES <= build->max) {
		if (flight->n == flight->room && !flight_grow(flight))
			break;
		conn = ftcp_sync_unlist(build->group);
		if (!conn)
			break;
		add_conn(build, conn);
	}
}

/* What is in the batch besides the records, and its place among those in flight. */
static void seal(struct build *build)
{
	struct ftcp_batch batch = { .records = build->flight->n, .bytes = build->len };
	struct ftcp_group *group = build->group;
	struct ftcp_sync *sync = &group->sync;
	__le64 key[2] = { cpu_to_le64(group->key.key[0]), cpu_to_le64(group->key.key[1]) };
	struct ftcp_env env;

	ftcp_group_env(group, &env);
	batch.ts_ms = env.ts_ms;
	memcpy(batch.key, key, sizeof(batch.key));
	spin_lock_bh(&group->lock);
	batch.epoch = group->epoch;
	batch.sync_id = sync->sync_id;
	batch.no = ++sync->sent_no;
	if (sync->reset_due)
		batch.flags |= FTCP_BATCH_RESET;
	if (sync->state == FTCP_SYNC_RUNNING && !sync->unsynced && !sync->synced_no) {
		batch.flags |= FTCP_BATCH_SYNCED;
		sync->synced_no = batch.no;
	}
	sync->reset_due = false;
	sync->idle_due = false;
	sync->last_sent_ms = ftcp_sync_now_ms();
	build->flight->no = batch.no;
	build->flight->made_ms = sync->last_sent_ms;
	list_add_tail(&build->flight->node, &sync->in_flight);
	sync->n_in_flight++;
	spin_unlock_bh(&group->lock);
	ftcp_batch_write_header(&batch, build->data);
}

/* It stays in flight whatever becomes of it: whether the standby has it, only the next attach can tell. */
static bool send(struct build *build)
{
	struct ftcp_group *group = build->group;
	struct ftcp_sync *sync = &group->sync;
	int err;

	if (sync->channel)
		err = ftcp_channel_send_batch(sync->channel, sync->sync_id, build->flight->no, build->len);
	else
		err = ftcp_netlink_batch_send(group, build->skb, build->len, sync->portid);
	if (!err) {
		ftcp_stats_inc(group->fn, FTCP_COUNT_BATCHES_SENT);
		return true;
	}
	ftcp_stats_inc(group->fn, FTCP_COUNT_BATCH_OVERRUNS);
	ftcp_sync_detach_locked(group);
	ftcp_netlink_event(group, FTCP_EVENT_OVERRUN);
	return false;
}

/* group->lock held: must a batch be made even if it is empty? */
static bool batch_due(const struct ftcp_sync *sync)
{
	return sync->reset_due || sync->idle_due;
}

static bool batch_wanted(struct ftcp_group *group)
{
	struct ftcp_sync *sync = &group->sync;
	bool wanted;

	spin_lock_bh(&group->lock);
	wanted = sync->portid && group->role == FTCP_ROLE_PRIMARY && sync->n_in_flight < sync->credits &&
		 (!list_empty(&sync->dirty) || batch_due(sync));
	spin_unlock_bh(&group->lock);
	return wanted;
}

static u64 pending_bytes(const struct ftcp_conn *conn)
{
	const struct ftcp_tcb *tcb = &conn->tcb;
	u64 rcv = ftcp_tcb_rcv_data_end(tcb), rcv_from = max(tcb->soft.shipped.rcv, tcb->hard.consumed);
	u64 snd = ftcp_tcb_data_end(tcb), snd_from = max(tcb->soft.snd_staged, tcb->hard.snd_una);

	if (conn->gone)
		return 0;
	return (rcv > rcv_from ? rcv - rcv_from : 0) + (snd > snd_from ? snd - snd_from : 0);
}

/* How large a message to allocate: a single small record should not cost 64 KiB. */
static u32 estimate(struct ftcp_group *group)
{
	struct list_head *dirty = &group->sync.dirty;
	struct ftcp_conn *conn = NULL;
	bool many;
	u64 bytes;

	spin_lock_bh(&group->lock);
	many = !list_empty(dirty) && !list_is_singular(dirty);
	if (list_is_singular(dirty)) {
		conn = list_first_entry(dirty, struct ftcp_conn, dirty_node);
		ftcp_conn_get(conn);
	}
	spin_unlock_bh(&group->lock);
	if (many)
		return FTCP_BATCH_MAX_BYTES;
	if (!conn)
		return BATCH_LEAST_BYTES;
	spin_lock_bh(&conn->lock);
	bytes = pending_bytes(conn);
	spin_unlock_bh(&conn->lock);
	ftcp_conn_put(conn);
	return min_t(u64, BATCH_LEAST_BYTES + bytes, FTCP_BATCH_MAX_BYTES);
}

/* A netlink message with room for the batch; a small one if need be. */
static void *message_alloc(struct build *build)
{
	struct ftcp_group *group = build->group;
	u64 sync_id = group->sync.sync_id, no = group->sync.sent_no + 1;
	void *data = NULL;

	build->max = estimate(group);
	build->skb = ftcp_netlink_batch_new(group, sync_id, no, build->max, &data);
	if (!build->skb && build->max > BATCH_SMALL_BYTES) {
		build->max = BATCH_SMALL_BYTES;
		build->skb = ftcp_netlink_batch_new(group, sync_id, no, build->max, &data);
	}
	return data;
}

static bool build_alloc(struct build *build)
{
	struct ftcp_sync *sync = &build->group->sync;

	build->flight = ftcp_flight_new();
	if (!build->flight)
		return false;
	build->max = FTCP_BATCH_MAX_BYTES;
	build->data = sync->channel ? ftcp_channel_room(sync->channel) : message_alloc(build);
	if (!build->data) {
		ftcp_flight_free(build->flight);
		return false;
	}
	build->len = sizeof(struct ftcp_batch_header);
	return true;
}

/* Makes and sends one batch; false: there is nothing more to do now. */
static bool collect_one(struct ftcp_group *group)
{
	struct build build = { .group = group };
	bool due;

	lockdep_assert_held(&group->sync.mutex);
	if (!batch_wanted(group))
		return false;
	if (!build_alloc(&build)) {
		mod_delayed_work(ftcp_sync_wq, &group->sync.idle, msecs_to_jiffies(RETRY_MS));
		return false;
	}
	fill(&build);
	spin_lock_bh(&group->lock);
	due = batch_due(&group->sync);
	spin_unlock_bh(&group->lock);
	if (!build.flight->n && !due) {
		/* All that were listed have nothing to ship any more. */
		ftcp_flight_free(build.flight);
		kfree_skb(build.skb);
		return true;
	}
	seal(&build);
	return send(&build);
}

void ftcp_sync_collect_work(struct work_struct *work)
{
	struct ftcp_group *group = container_of(work, struct ftcp_group, sync.collect);

	ftcp_sync_channel_read(group);
	mutex_lock(&group->sync.mutex);
	while (collect_one(group))
		cond_resched();
	mutex_unlock(&group->sync.mutex);
}

/* false: no more of them */
static bool list_lazies(struct ftcp_group *group)
{
	struct ftcp_sync *sync = &group->sync;
	struct ftcp_conn *conn;
	bool more;
	int i;

	spin_lock_bh(&group->lock);
	for (i = 0; i < LAZY_STEP && !list_empty(&sync->lazy); i++) {
		conn = list_first_entry(&sync->lazy, struct ftcp_conn, dirty_node);
		conn->dirty_lazy = false;
		list_move_tail(&conn->dirty_node, &sync->dirty);
	}
	more = !list_empty(&sync->lazy);
	spin_unlock_bh(&group->lock);
	return more;
}

/* The other kernel takes batches, or its TCP does, and acknowledges none. The daemons do not see that: they hear each other. */
static bool is_stuck(struct ftcp_group *group)
{
	lockdep_assert_held(&group->sync.mutex);
	return group->sync.channel && ftcp_sync_oldest_ms(group) >= FTCP_BATCH_STUCK_MS;
}

void ftcp_sync_idle_work(struct work_struct *work)
{
	struct ftcp_group *group = container_of(to_delayed_work(work), struct ftcp_group, sync.idle);
	struct ftcp_sync *sync = &group->sync;
	u64 quiet_ms;

	mutex_lock(&sync->mutex);
	if (sync->portid && is_stuck(group))
		ftcp_sync_detach_locked(group);
	if (!sync->portid) {
		mutex_unlock(&sync->mutex);
		return;
	}
	while (list_lazies(group))
		cond_resched();
	spin_lock_bh(&group->lock);
	quiet_ms = ftcp_sync_now_ms() - sync->last_sent_ms;
	if (quiet_ms >= FTCP_BATCH_IDLE_MS) {
		sync->idle_due = true;
		quiet_ms = 0;
	}
	spin_unlock_bh(&group->lock);
	queue_work(ftcp_sync_wq, &sync->collect);
	queue_delayed_work(ftcp_sync_wq, &sync->idle, msecs_to_jiffies(FTCP_BATCH_IDLE_MS - quiet_ms));
	mutex_unlock(&sync->mutex);
}
