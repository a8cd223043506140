// SPDX-License-Identifier: GPL-2.0
/* Replication: what kmod/sync.c, sync_collect.c and sync_apply.c do, with the core's own batch format. */
#include <stdlib.h>
#include "batch.h"
#include "sim.h"

#define RECORD_BYTES ((u32)sizeof(struct ftcp_batch_record))

static u64 new_id(void)
{
	return (u64)(1 + rnd(0x7fffffff)) << 32 | rnd(0xffffffff);
}

static bool unsynced(const struct host *h)
{
	u32 i;

	for (i = 0; i < CLIENTS_MAX; i++)
		if (h->conns[i].used && h->conns[i].counted)
			return true;
	return false;
}

static void begin_numbers(struct host *h, u64 sync_id)
{
	u32 i;

	h->sync_id = sync_id;
	h->sent_no = h->held_no = h->synced_no = 0;
	h->reset_due = sync_id != 0;
	h->idle_due = false;
	for (i = 0; i < CLIENTS_MAX; i++)
		h->conns[i].counted = false;
}

void sync_forget(struct host *h)
{
	begin_numbers(h, 0);
	h->attached = false;
	h->sync = SYNC_NONE;
	h->n_flights = 0;
	h->collect_us = h->idle_us = 0;
}

bool sync_outdate(struct host *h, u64 sync_id)
{
	if (speaks(h) || !sync_id || sync_id != h->sync_id)
		return false;
	say(name_of(h), "holds what is old");
	begin_numbers(h, 0);
	h->sync = SYNC_NONE;
	return true;
}

void sync_detach(struct host *h)
{
	h->attached = false;
	if (speaks(h))
		h->sync = SYNC_NONE;
	h->collect_us = h->idle_us = 0;
}

/* ---- out ---- */

static enum ftcp_dirty dirty(const struct conn *c)
{
	if (!c->used)
		return FTCP_CLEAN;
	if (c->gone)
		return c->tcb.soft.shipped.state == FTCP_CLOSED ? FTCP_CLEAN : FTCP_DIRTY_NOW;
	return ftcp_repl_dirty(&c->tcb);
}

static bool any_dirty(const struct host *h)
{
	u32 i;

	for (i = 0; i < CLIENTS_MAX; i++) {
		enum ftcp_dirty d = dirty(&h->conns[i]);

		if (d == FTCP_DIRTY_NOW || (d == FTCP_DIRTY_LAZY && h->lazies))
			return true;
	}
	return false;
}

static bool synced_due(const struct host *h)
{
	return h->sync == SYNC_RUNNING && !h->synced_no && !unsynced(h);
}

bool sync_wants(const struct host *h)
{
	return h->attached && h->role == PRIMARY && h->n_flights < swarm.flights &&
	       (h->reset_due || h->idle_due || synced_due(h) || any_dirty(h));
}

static u32 write_conn(struct host *h, struct conn *c, u32 client, u8 *at, u32 room, struct flight_entry *entry)
{
	struct ftcp_batch_tuple tuple = { .lport = 9999, .rport = 1000 + client };
	struct ftcp_record rec = { .hard = c->tcb.hard };
	u8 type = FTCP_RECORD_GONE;

	*entry = (struct flight_entry){ .client = client, .serial = c->serial, .gone = c->gone };
	if (c->gone) {
		c->tcb.soft.shipped.state = FTCP_CLOSED;
		c->counted = false;
		entry->mark = c->tcb.soft.shipped;
	} else {
		ftcp_repl_collect(&c->tcb, room - RECORD_BYTES, &rec, &entry->mark);
		CHECK("15: a record fits its room", rec.rcv_len + rec.snd_len <= room - RECORD_BYTES);
		CHECK("bytes that are shipped are held", rec.rcv_from >= c->rcv_freed || !rec.rcv_len);
		CHECK("bytes that are shipped are held", rec.snd_from >= c->snd_freed || !rec.snd_len);
		memcpy(at + RECORD_BYTES, c->rcv + rec.rcv_from, rec.rcv_len);
		memcpy(at + RECORD_BYTES + rec.rcv_len, c->snd + rec.snd_from, rec.snd_len);
		type = rec.partial ? FTCP_RECORD_PARTIAL : FTCP_RECORD_CONN;
		if (c->counted && !c->tcb.soft.unsynced)
			c->counted = false;
		check_conn(h, c);
	}
	ftcp_batch_write_record(&tuple, &rec, type, at);
	say(name_of(h), "ships c%u: %s rcv %llu+%u snd %llu+%u consumed %llu una %llu", client,
	    type == FTCP_RECORD_GONE ? "gone" : rec.partial ? "partial" : "whole", (unsigned long long)rec.rcv_from, rec.rcv_len,
	    (unsigned long long)rec.snd_from, rec.snd_len, (unsigned long long)rec.hard.consumed, (unsigned long long)rec.hard.snd_una);
	return RECORD_BYTES + rec.rcv_len + rec.snd_len;
}

static u32 fill(struct host *h, struct flight *f, u8 *data, u32 max_bytes)
{
	u32 len = sizeof(struct ftcp_batch_header), tried;

	for (tried = 0; tried < CLIENTS_MAX; tried++) {
		u32 client = h->next_dirty++ % CLIENTS_MAX;
		struct conn *c = &h->conns[client];
		enum ftcp_dirty d = dirty(c);

		if (len + RECORD_BYTES + swarm.payload_min_bytes > max_bytes || f->n == ARRAY_SIZE(f->entries))
			break;
		if (d == FTCP_CLEAN || (d == FTCP_DIRTY_LAZY && !h->lazies))
			continue;
		len += write_conn(h, c, client, data + len, max_bytes - len, &f->entries[f->n++]);
	}
	return len;
}

static void seal(struct host *h, struct flight *f, u8 *data, u32 len)
{
	struct ftcp_batch batch = { .epoch = h->epoch, .sync_id = h->sync_id, .no = ++h->sent_no, .ts_ms = host_env(h).ts_ms,
				    .records = f->n, .bytes = len };

	memcpy(batch.key, h->key, sizeof(batch.key));
	if (h->reset_due)
		batch.flags |= FTCP_BATCH_RESET;
	if (synced_due(h)) {
		batch.flags |= FTCP_BATCH_SYNCED;
		h->synced_no = batch.no;
	}
	h->reset_due = h->idle_due = false;
	h->last_sent_us = now_us;
	f->no = batch.no;
	ftcp_batch_write_header(&batch, data);
}

static void commit_up_to(struct host *h, u64 no);

static bool collect_one(struct host *h)
{
	u32 max_bytes = sizeof(struct ftcp_batch_header) + RECORD_BYTES + swarm.room_bytes, len;
	struct flight *f = &h->flights[h->n_flights];
	u8 *data;

	if (!sync_wants(h))
		return false;
	data = malloc(max_bytes);
	f->n = 0;
	len = fill(h, f, data, max_bytes);
	h->lazies = h->lazies && any_dirty(h);
	seal(h, f, data, len);
	h->n_flights++;
	CHECK("15: batches in flight", h->n_flights <= FTCP_BATCHES_IN_FLIGHT_MAX);
	totals->batches++;
	daemon_batch(h, data, len, f->no);
	if (bug == BUG_commit_on_send)
		commit_up_to(h, f->no);
	return true;
}

void sync_collect(struct host *h)
{
	u32 n = 0;

	while (collect_one(h))
		CHECK("collecting ends", ++n < 5000);
}

void sync_idle(struct host *h)
{
	if (!h->attached)
		return;
	h->lazies = true;
	if (now_us - h->last_sent_us >= FTCP_BATCH_IDLE_MS * MS)
		h->idle_due = true;
	h->idle_us = now_us + FTCP_BATCH_IDLE_MS * MS;
	sync_collect(h);
}

/* ---- committed ---- */

static void commit_entry(struct host *h, const struct flight_entry *entry)
{
	struct conn *c = &h->conns[entry->client];
	struct ftcp_env env = host_env(h);

	if (!c->used || c->serial != entry->serial)
		return;
	if (entry->gone) {
		conn_finish(h, c, false);
		return;
	}
	ftcp_repl_commit(&c->tcb, &env, &entry->mark);
	host_follow_up(h, c, 0);
}

static void commit_up_to(struct host *h, u64 no)
{
	while (h->n_flights && h->flights[0].no <= no) {
		struct flight f = h->flights[0];
		u32 i;

		memmove(h->flights, h->flights + 1, --h->n_flights * sizeof(f));
		h->held_no = f.no;
		for (i = 0; i < f.n; i++)
			commit_entry(h, &f.entries[i]);
	}
}

void sync_ack(struct host *h, u64 sync_id, u64 no)
{
	if (h->role != PRIMARY || !h->sync_id || sync_id != h->sync_id || no > h->sent_no)
		return;
	commit_up_to(h, no);
	if (h->sync == SYNC_RUNNING && h->synced_no && h->held_no >= h->synced_no)
		h->sync = SYNC_DONE;
}

static void list_again(struct host *h, struct conn *c, bool resync)
{
	bool now = !c->gone && ftcp_repl_dirty(&c->tcb) == FTCP_DIRTY_NOW;

	c->tcb.soft.unsynced = resync && now;
	c->counted = resync && now;
	if (c->gone && !c->tcb.soft.committed.known)
		conn_finish(h, c, false);
}

static void again(struct host *h, bool fresh, bool unsynced_too)
{
	struct conn *c;

	for (c = h->conns; c < h->conns + CLIENTS_MAX; c++) {
		if (!c->used)
			continue;
		if (fresh)
			ftcp_repl_resync(&c->tcb);
		else
			ftcp_repl_restart(&c->tcb);
		list_again(h, c, unsynced_too);
		host_follow_up(h, c, 0);
	}
}

static void resume(struct host *h, u64 peer_no)
{
	if (bug != BUG_resume_without_commit)
		commit_up_to(h, peer_no);
	h->n_flights = 0;
	h->sent_no = h->held_no = peer_no;
	if (h->synced_no > peer_no)
		h->synced_no = 0;
	h->idle_due = true;
	again(h, false, !h->synced_no);
}

bool sync_attach(struct host *h, u64 peer_sync_id, u64 peer_no)
{
	bool resumed;

	if (!speaks(h))
		return false;
	sync_detach(h);
	h->role = PRIMARY;
	resumed = h->sync_id && peer_sync_id == h->sync_id && peer_no >= h->held_no && peer_no <= h->sent_no;
	say(name_of(h), "attaches, %s %llu", resumed ? "resumes after" : "from the start,", (unsigned long long)peer_no);
	if (resumed) {
		resume(h, peer_no);
	} else {
		h->n_flights = 0;
		begin_numbers(h, new_id());
		check_gate_closed(h);
		again(h, true, true);
	}
	h->attached = true;
	h->sync = h->synced_no && h->held_no >= h->synced_no ? SYNC_DONE : SYNC_RUNNING;
	h->last_sent_us = now_us;
	h->idle_us = now_us + FTCP_BATCH_IDLE_MS * MS;
	h->collect_us = now_us + rnd(swarm.collect_us + 1);
	return true;
}

/* ---- in ---- */

struct incoming {
	int client;
	struct ftcp_record rec;
	const u8 *rcv, *snd;
	u8 type;
};

static void take_bytes(struct conn *c, const struct incoming *in, const struct ftcp_applied *applied, bool fresh)
{
	if (fresh)
		c->snd_stored = c->tcb.hard.snd_una;
	memcpy(c->rcv + applied->rcv_off, in->rcv + in->rec.rcv_len - applied->rcv_new, applied->rcv_new);
	memcpy(c->snd + applied->snd_off, in->snd + in->rec.snd_len - applied->snd_new, applied->snd_new);
	c->snd_stored = max(c->snd_stored, applied->snd_off + applied->snd_new);
}

static bool apply_to(struct host *h, struct conn *c, const struct incoming *in, bool fresh)
{
	struct ftcp_applied applied;

	if (ftcp_repl_apply(&c->tcb, &in->rec, fresh, c->snd_stored, &applied) != FTCP_APPLY_OK)
		return false;
	if (!in->rec.partial)
		c->incomplete = false;
	else if (fresh)
		c->incomplete = h->sync == SYNC_RUNNING;
	take_bytes(c, in, &applied, fresh);
	conn_free(h, c);
	check_applied(h, c, &in->rec);
	return true;
}

static bool apply_record(struct host *h, const struct incoming *in)
{
	struct conn *c = &h->conns[in->client];
	bool same = c->used && c->tcb.hard.iss == in->rec.hard.iss && c->tcb.hard.irs == in->rec.hard.irs;

	if (c->used && same == (in->type == FTCP_RECORD_GONE)) {
		if (same)
			check_over(h, c);
		conn_finish(h, c, true);
		same = false;
	}
	if (in->type == FTCP_RECORD_GONE)
		return true;
	if (!same) {
		c = conn_new(h, in->client);
		c->dormant = true;
	}
	return apply_to(h, c, in, !same);
}

static bool apply_records(struct host *h, const struct ftcp_batch *batch, const u8 *data)
{
	u32 at = sizeof(struct ftcp_batch_header), i;
	struct ftcp_batch_tuple tuple;
	struct incoming in;

	for (i = 0; i < batch->records; i++) {
		if (ftcp_batch_read_record(&tuple, &in.rec, &in.type, data + at, batch->bytes - at))
			return false;
		in.client = tuple.rport - 1000;
		in.rcv = data + at + RECORD_BYTES;
		in.snd = in.rcv + in.rec.rcv_len;
		at += RECORD_BYTES + in.rec.rcv_len + in.rec.snd_len;
		if (!apply_record(h, &in))
			return false;
	}
	return at == batch->bytes;
}

static void follow_clock(struct host *h, u32 ts_ms, bool reset)
{
	u32 delta = ts_ms - (u32)(host_now_us(h) / MS);

	if (reset || !h->ts_known || (s32)(delta - h->ts_delta_ms) > 0)
		h->ts_delta_ms = delta;
	h->ts_known = true;
}

static void begin(struct host *h, const struct ftcp_batch *batch)
{
	bool reset = batch->flags & FTCP_BATCH_RESET;
	u32 i;

	for (i = 0; reset && i < CLIENTS_MAX; i++)
		if (h->conns[i].used)
			conn_finish(h, &h->conns[i], true);
	if (bug != BUG_key_not_taken)
		memcpy(h->key, batch->key, sizeof(h->key));
	follow_clock(h, batch->ts_ms, reset);
	if (reset) {
		h->sync_id = batch->sync_id;
		h->held_no = 0;
		h->sync = SYNC_RUNNING;
	}
}

/* What is not complete by now was opened since this host attached, under the commit rule. */
static void synced(struct host *h)
{
	u32 i;

	h->sync = SYNC_DONE;
	for (i = 0; i < CLIENTS_MAX; i++)
		h->conns[i].incomplete = false;
}

enum apply sync_apply(struct host *h, const u8 *data, u32 len)
{
	struct ftcp_batch batch;

	if (ftcp_batch_read_header(&batch, data, len))
		return APPLY_REFUSED;
	if (h->role != STANDBY)
		return APPLY_NOT_STANDBY;
	if (batch.epoch < h->epoch && bug != BUG_epoch_unchecked)
		return APPLY_STALE;
	h->epoch = max(h->epoch, batch.epoch);
	if (batch.sync_id == h->sync_id && batch.no <= h->held_no)
		return APPLY_OK;
	if (!(batch.flags & FTCP_BATCH_RESET) && bug != BUG_epoch_unchecked &&
	    (batch.sync_id != h->sync_id || batch.no != h->held_no + 1))
		return APPLY_REFUSED;
	begin(h, &batch);
	if (!apply_records(h, &batch, data)) {
		CHECK("no good record is refused", bug != BUG_none);
		h->sync_id = h->held_no = 0;
		h->sync = SYNC_NONE;
		return APPLY_REFUSED;
	}
	h->held_no = batch.no;
	if (batch.flags & FTCP_BATCH_SYNCED)
		synced(h);
	return APPLY_OK;
}
