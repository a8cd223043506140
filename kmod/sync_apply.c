// SPDX-License-Identifier: GPL-2.0
/*
 * Applying batches on the standby. A batch comes from the network: it is read through once before any of it is taken
 * over. What still fails half way (no memory, a gap) leaves the group not in sync, so that it is not promoted and the
 * primary begins anew.
 */
#include "conn.h"
#include "core/batch.h"
#include "memory.h"
#include "net.h"
#include "netlink.h"
#include "service.h"
#include "stats.h"
#include "sync_internal.h"

/* Up to this a payload is copied into the last page's room, under the lock; more comes in pages of its own. */
#define SMALL_BYTES 4096u

/* A batch being applied. */
struct apply {
	struct ftcp_group *group;
	const struct ftcp_channel *channel;
	struct ftcp_batch batch;
	const u8 *data;
	struct netlink_ext_ack *extack;
	struct ftcp_service missing;	/* on -EXDEV: what is to be made first */
	bool role_event;
	bool sync_event;
};

/* The record at hand. */
struct incoming {
	struct ftcp_conn_key key;
	struct ftcp_record rec;
	const u8 *rcv;
	const u8 *snd;
	u32 no;
	u8 type;
	u8 service;		/* enum ftcp_record_service */
};

#define refuse(apply, err, fmt, ...) ftcp_refuse((apply)->extack, err, fmt, ##__VA_ARGS__)

/* ---- before anything is changed ---- */

static int read_header(struct apply *apply, u32 len)
{
	enum ftcp_batch_error error = ftcp_batch_read_header(&apply->batch, apply->data, len);

	if (error != FTCP_BATCH_OK)
		return refuse(apply, error == FTCP_BATCH_WRONG_VERSION ? -EPROTO : -EINVAL, "%s",
			      ftcp_batch_error_text(error));
	if (!apply->batch.sync_id || !apply->batch.no)
		return refuse(apply, -EINVAL, "batch: neither its sync_id nor its number can be 0");
	if (apply->batch.flags & FTCP_BATCH_RESET && apply->batch.no != 1)
		return refuse(apply, -EINVAL, "batch: only the first of a resync can begin it");
	return 0;
}

/* Is it from whoever speaks for the group? A higher epoch is taken over at once, whatever becomes of the batch. */
static int check_epoch(struct apply *apply)
{
	struct ftcp_group *group = apply->group;

	if (group->sync.stopped)
		return ftcp_group_refuse_stopped(group, apply->extack);
	if (group->role != FTCP_ROLE_STANDBY)
		return refuse(apply, -EBUSY, "this host speaks for group %s, epoch %llu", group->name,
			      group->epoch);
	if (apply->batch.epoch < group->epoch)
		return refuse(apply, -ESTALE, "batch of epoch %llu, but group %s is at %llu: silence its sender",
			      apply->batch.epoch, group->name, group->epoch);
	if (apply->batch.epoch > group->epoch) {
		ftcp_group_set_role(group, FTCP_ROLE_STANDBY, apply->batch.epoch);
		apply->role_event = true;
	}
	return 0;
}

static bool already_held(const struct apply *apply)
{
	const struct ftcp_sync *sync = &apply->group->sync;

	return apply->batch.sync_id == sync->sync_id && apply->batch.no <= sync->held_no;
}

static int check_place(struct apply *apply)
{
	const struct ftcp_sync *sync = &apply->group->sync;

	if (apply->batch.flags & FTCP_BATCH_RESET)
		return 0;
	if (apply->batch.sync_id != sync->sync_id)
		return refuse(apply, -ESTALE, "batch of an unknown resync; attach again");
	if (apply->batch.no != sync->held_no + 1)
		return refuse(apply, -EILSEQ, "batch %llu came, but %llu is expected; attach again",
			      apply->batch.no, sync->held_no + 1);
	return 0;
}

static bool same_connection(const struct ftcp_conn *conn, const struct ftcp_hard *hard)
{
	return conn->tcb.hard.iss == hard->iss && conn->tcb.hard.irs == hard->irs;
}

/* The service that a connection new to this host would belong to; with a reference, or ERR_PTR. -EXDEV: one is to be made for it. */
static struct ftcp_service *find_service(struct apply *apply, const struct incoming *in)
{
	struct ftcp_group *group = apply->group;
	struct ftcp_service *service;
	int err;

	service = ftcp_service_find_get(group->fn, &in->key.laddr, ntohs(in->key.lport));
	if (!service && in->service != FTCP_RECORD_CONFIGURED) {
		ftcp_service_follow(&apply->missing, in->service, &in->key.laddr, ntohs(in->key.lport));
		return ERR_PTR(-EXDEV);
	}
	if (!service)
		return ERR_PTR(refuse(apply, -ENOENT, "no service on port %u: add it to group %s on both hosts",
				      ntohs(in->key.lport), group->name));
	if (service->group == group)
		return service;
	err = refuse(apply, -EINVAL, "port %u belongs to group %s here, and to %s on the primary",
		     ntohs(in->key.lport), service->group->name, group->name);
	ftcp_service_put(service);
	return ERR_PTR(err);
}

static int check_record(struct apply *apply, const struct incoming *in)
{
	struct ftcp_service *service;

	if (in->type == FTCP_RECORD_GONE)
		return 0;
	service = find_service(apply, in);
	if (IS_ERR(service))
		return PTR_ERR(service);
	ftcp_service_put(service);
	return 0;
}

typedef int (*record_fn)(struct apply *apply, const struct incoming *in);

/* Calls @fn for each record; its errors end the walk. */
static int read_records(struct apply *apply, record_fn fn)
{
	u32 at = sizeof(struct ftcp_batch_header), end = apply->batch.bytes;
	struct ftcp_batch_tuple tuple;
	enum ftcp_batch_error error;
	struct incoming in = {};
	int err;

	for (in.no = 1; in.no <= apply->batch.records; in.no++) {
		error = ftcp_batch_read_record(&tuple, &in.rec, &in.type, apply->data + at, end - at);
		if (error != FTCP_BATCH_OK)
			return refuse(apply, -EINVAL, "record %u: %s", in.no, ftcp_batch_error_text(error));
		memcpy(&in.key.laddr, tuple.laddr, sizeof(in.key.laddr));
		memcpy(&in.key.raddr, tuple.raddr, sizeof(in.key.raddr));
		in.key.lport = htons(tuple.lport);
		in.key.rport = htons(tuple.rport);
		in.service = tuple.service;
		in.rcv = apply->data + at + sizeof(struct ftcp_batch_record);
		in.snd = in.rcv + in.rec.rcv_len;
		err = fn(apply, &in);
		if (err)
			return err;
		at += sizeof(struct ftcp_batch_record) + in.rec.rcv_len + in.rec.snd_len;
		cond_resched();
	}
	if (at != end)
		return refuse(apply, -EINVAL, "batch: %u bytes behind its last record", end - at);
	return 0;
}

/* ---- one record ---- */

static int stage(struct ftcp_bytes *bytes, const u8 *data, u32 len)
{
	ftcp_bytes_init(bytes, 0);
	return len > SMALL_BYTES ? ftcp_bytes_append(bytes, data, len, GFP_KERNEL_ACCOUNT) : 0;
}

/* The last @fresh of @len bytes at @data, perhaps staged already, to the end of the store, @off. conn->lock held. */
static int store(struct ftcp_bytes *bytes, u64 off, struct ftcp_bytes *staged, const u8 *data, u32 len, u32 fresh)
{
	if (!fresh)
		return 0;
	if (len <= SMALL_BYTES)
		return ftcp_bytes_append(bytes, data + len - fresh, fresh, GFP_ATOMIC);
	ftcp_bytes_put(bytes, off, staged, len - fresh, fresh);
	return 0;
}

static int take_bytes(struct ftcp_conn *conn, const struct incoming *in, const struct ftcp_applied *applied,
		      struct ftcp_bytes *rcv, struct ftcp_bytes *snd)
{
	int err;

	lockdep_assert_held(&conn->lock);
	ftcp_bytes_drop(&conn->rcv, conn->tcb.hard.consumed);
	ftcp_bytes_drop(&conn->snd, min(conn->tcb.hard.snd_una, ftcp_tcb_data_end(&conn->tcb)));
	err = store(&conn->rcv, applied->rcv_off, rcv, in->rcv, in->rec.rcv_len, applied->rcv_new);
	if (!err)
		err = store(&conn->snd, applied->snd_off, snd, in->snd, in->rec.snd_len, applied->snd_new);
	return err;
}

static int refuse_record(struct apply *apply, const struct incoming *in, enum ftcp_apply result)
{
	if (result == FTCP_APPLY_GAP)
		return refuse(apply, -EBADMSG, "record %u: bytes before it are missing; attach again", in->no);
	return refuse(apply, -EBADMSG, "record %u contradicts itself or what is held; attach again", in->no);
}

/* conn->lock held. -ENOMEM leaves a connection that claims bytes it does not hold: the caller forgets it. */
static int take_record(struct apply *apply, struct ftcp_conn *conn, const struct incoming *in, bool fresh,
		       struct ftcp_bytes *rcv, struct ftcp_bytes *snd)
{
	struct ftcp_applied applied;
	enum ftcp_apply result;

	result = ftcp_repl_apply(&conn->tcb, &in->rec, fresh, conn->snd.end, &applied);
	if (result != FTCP_APPLY_OK)
		return refuse_record(apply, in, result);
	if (!in->rec.partial)
		conn->incomplete = false;
	else if (fresh)
		/* Outside a resync nothing was acknowledged yet of what it leaves out. */
		conn->incomplete = apply->group->sync.state == FTCP_SYNC_RUNNING;
	return take_bytes(conn, in, &applied, rcv, snd);
}

static int apply_to(struct apply *apply, struct ftcp_conn *conn, const struct incoming *in, bool fresh)
{
	struct ftcp_bytes rcv, snd;
	int err;

	err = stage(&rcv, in->rcv, in->rec.rcv_len);
	if (stage(&snd, in->snd, in->rec.snd_len))
		err = -ENOMEM;
	if (!err) {
		spin_lock_bh(&conn->lock);
		err = take_record(apply, conn, in, fresh, &rcv, &snd);
		ftcp_conn_unlock(conn, 0);
	}
	ftcp_bytes_free(&rcv);
	ftcp_bytes_free(&snd);
	if (err == -ENOMEM)
		refuse(apply, err, "no memory for a connection's bytes; attach again");
	return err;
}

static int apply_known(struct apply *apply, struct ftcp_conn *conn, const struct incoming *in)
{
	int err = apply_to(apply, conn, in, false);

	if (err)
		ftcp_conn_forget(conn);
	return err;
}

/* A service of another group may cover the same port; then that is where the connection was found to be. */
static int insert(struct apply *apply, struct ftcp_conn *conn, const struct incoming *in)
{
	int err = ftcp_conn_insert(conn);

	if (err == -EEXIST)
		return refuse(apply, err, "record %u: another group has a connection of these addresses", in->no);
	return err ? refuse(apply, err, "no memory for another connection; attach again") : 0;
}

static int apply_new(struct apply *apply, const struct incoming *in)
{
	struct ftcp_service *service;
	struct ftcp_conn *conn;
	int err;

	do {
		service = find_service(apply, in);
		if (IS_ERR(service))
			return PTR_ERR(service);
		conn = ftcp_conn_new(apply->group->fn, service, &in->key, GFP_KERNEL);
		ftcp_service_put(service);
	} while (conn == ERR_PTR(-ESTALE));	/* it went a moment ago; the next look does not find it */
	if (IS_ERR(conn))
		return refuse(apply, PTR_ERR(conn), "no room for another connection (%u at most), or no memory",
			      FTCP_CONNS_MAX);
	conn->dormant = true;
	err = apply_to(apply, conn, in, true);
	if (!err)
		err = insert(apply, conn, in);
	if (err)
		ftcp_conn_forget(conn);
	ftcp_conn_put(conn);
	return err;
}

static struct ftcp_conn *find_conn(struct ftcp_group *group, const struct ftcp_conn_key *key)
{
	struct ftcp_conn *conn = ftcp_conn_find(group->fn, key);

	if (!conn || conn->group == group)
		return conn;
	ftcp_conn_put(conn);
	return NULL;
}

/* A connection of the same addresses that is not the one the primary speaks of is over: the primary would have told. */
static int apply_record(struct apply *apply, const struct incoming *in)
{
	struct ftcp_conn *conn = find_conn(apply->group, &in->key);
	bool same = conn && same_connection(conn, &in->rec.hard);
	int err = 0;

	if (conn && (same == (in->type == FTCP_RECORD_GONE)))
		ftcp_conn_forget(conn);
	if (in->type != FTCP_RECORD_GONE)
		err = same ? apply_known(apply, conn, in) : apply_new(apply, in);
	if (conn)
		ftcp_conn_put(conn);
	return err;
}

/* ---- the batch ---- */

/* The primary's clock as it is seen here: never ahead of it, and behind by what the fastest batch took. */
static void follow_clock(struct ftcp_group *group, u32 ts_ms, bool reset)
{
	u32 delta = ts_ms - (u32)ftcp_sync_now_ms();

	lockdep_assert_held(&group->lock);
	if (reset || !group->ts_known || (s32)(delta - group->ts_delta_ms) > 0)
		WRITE_ONCE(group->ts_delta_ms, delta);
	group->ts_known = true;
}

static void forget_conn(struct ftcp_conn *conn, void *arg)
{
	ftcp_conn_forget(conn);
}

static void begin(struct apply *apply)
{
	bool reset = apply->batch.flags & FTCP_BATCH_RESET;
	struct ftcp_group *group = apply->group;
	struct ftcp_sync *sync = &group->sync;
	__le64 key[2];

	memcpy(key, apply->batch.key, sizeof(key));
	if (reset)
		ftcp_group_walk(group, forget_conn, NULL);
	spin_lock_bh(&group->lock);
	group->key.key[0] = le64_to_cpu(key[0]);
	group->key.key[1] = le64_to_cpu(key[1]);
	follow_clock(group, apply->batch.ts_ms, reset);
	if (reset) {
		sync->sync_id = apply->batch.sync_id;
		sync->held_no = 0;
		apply->sync_event |= ftcp_sync_set_state(group, FTCP_SYNC_RUNNING);
	}
	spin_unlock_bh(&group->lock);
}

static void complete_conn(struct ftcp_conn *conn, void *arg)
{
	spin_lock_bh(&conn->lock);
	conn->incomplete = false;
	spin_unlock_bh(&conn->lock);
}

static void end(struct apply *apply, int err)
{
	bool synced = !err && apply->batch.flags & FTCP_BATCH_SYNCED;
	struct ftcp_group *group = apply->group;
	struct ftcp_sync *sync = &group->sync;

	/* All that the primary had when this host attached is here in full: what is not was opened since, under the commit rule. */
	if (synced)
		ftcp_group_walk(group, complete_conn, NULL);
	spin_lock_bh(&group->lock);
	if (err) {
		sync->sync_id = 0;
		sync->held_no = 0;
		apply->sync_event |= ftcp_sync_set_state(group, FTCP_SYNC_NONE);
	} else {
		sync->held_no = apply->batch.no;
		if (synced)
			apply->sync_event |= ftcp_sync_set_state(group, FTCP_SYNC_DONE);
	}
	spin_unlock_bh(&group->lock);
}

/* Behind begin(): perhaps that has made room. */
static int check_memory(const struct apply *apply)
{
	if (!apply->group->fn->guest || !ftcp_memory_guests_full())
		return 0;
	return refuse(apply, -ENOMEM, "half of max_memory is held by namespaces of other users: no more for them; attach again");
}

static int apply_locked(struct apply *apply, u32 len)
{
	int err;

	lockdep_assert_held(&apply->group->sync.mutex);
	if (apply->channel && apply->channel != apply->group->sync.channel)
		return refuse(apply, -ESTALE, "batch by a channel that was closed");
	err = read_header(apply, len);
	if (!err)
		err = check_epoch(apply);
	if (err || already_held(apply))
		return err;
	err = check_place(apply);
	if (!err)
		err = read_records(apply, check_record);
	if (err)
		return err;
	begin(apply);
	err = check_memory(apply);
	if (!err)
		err = read_records(apply, apply_record);
	end(apply, err);
	if (!err)
		ftcp_stats_inc(apply->group->fn, FTCP_COUNT_BATCHES_APPLIED);
	return err;
}

/* From a primary that this host is in step with: it sends one at least each FTCP_BATCH_IDLE_MS. */
static void note_heard(struct ftcp_group *group)
{
	spin_lock_bh(&group->lock);
	group->sync.heard_ms = ftcp_sync_now_ms();
	spin_unlock_bh(&group->lock);
}

static int apply_once(struct apply *apply, u32 len)
{
	int err;

	mutex_lock(&apply->group->sync.mutex);
	err = apply_locked(apply, len);
	if (!err)
		note_heard(apply->group);
	mutex_unlock(&apply->group->sync.mutex);
	return err;
}

/* The configuration is held meanwhile: a service without connections or a listener would be taken for one that nobody needs. */
static int apply_adding(struct apply *apply, u32 len)
{
	struct ftcp_group *group = apply->group;
	struct ftcp_net *fn = group->fn;
	int err;

	mutex_lock(&fn->config);
	do {
		err = ftcp_service_add_locked(fn, group, &apply->missing, apply->extack);
		if (!err)
			err = apply_once(apply, len);
	} while (err == -EXDEV);
	mutex_unlock(&fn->config);
	if (err)
		ftcp_service_reap(fn);
	return err;
}

int ftcp_sync_apply(struct ftcp_group *group, const struct ftcp_channel *channel, const void *batch, u32 len,
		    struct netlink_ext_ack *extack)
{
	struct apply apply = { .group = group, .channel = channel, .data = batch, .extack = extack };
	int err;

	err = apply_once(&apply, len);
	if (err == -EXDEV)
		err = apply_adding(&apply, len);
	if (err)
		ftcp_stats_inc(group->fn, FTCP_COUNT_BATCHES_REFUSED);
	if (apply.role_event)
		ftcp_netlink_event(group, FTCP_EVENT_ROLE);
	if (apply.sync_event)
		ftcp_netlink_event(group, FTCP_EVENT_SYNC);
	return err;
}
