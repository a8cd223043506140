// SPDX-License-Identifier: GPL-2.0
/*
 * The checkers. The numbers are those of Documentation/invariants.rst. They keep their own accounts, of what was sent and of what
 * each host has ever held, and ask the core for nothing but its cursors.
 */
#include "sim.h"

/* What the client has been told by anybody, for each connection. */
static struct told {
	u32 iss;
	bool known, over, ts_known, edge_known;
	u64 ack, snd, edge, epoch;
	u32 tsval;
} told[CLIENTS_MAX];

static int client_of(const struct host *h, const struct conn *c)
{
	return c - h->conns;
}

void check_reset(void)
{
	memset(told, 0, sizeof(told));
}

static void extend(struct reach *r, u32 iss, u64 rcv, u64 snd, u64 edge)
{
	if (!r->known || r->iss != iss)
		*r = (struct reach){ .iss = iss, .known = true };
	r->rcv = max(r->rcv, rcv);
	r->snd = max(r->snd, snd);
	r->edge = max(r->edge, edge);
}

static struct reach reach_of(const struct reach *r, u32 iss)
{
	return r->known && r->iss == iss ? *r : (struct reach){ .iss = iss };
}

/* A connection begins, on a host that speaks. */
void check_opened(struct host *h, struct conn *c)
{
	int client = client_of(h, c);

	told[client] = (struct told){ .iss = c->tcb.hard.iss, .known = true, .epoch = h->epoch };
	memset(&h->sent[client], 0, sizeof(h->sent[client]));
	memset(&h->base[client], 0, sizeof(h->base[client]));
}

/* 4, 5, 6: what leaves a protected host is held by the other, or had left before that was there. */
static void check_commit(struct host *h, int client, u32 iss, u64 ack, u64 end, u64 edge)
{
	struct reach held = reach_of(&other(h)->held[client], iss), base = reach_of(&h->base[client], iss);
	u64 first_edge = min(swarm.rcv_buf_bytes, 65535u);	/* the SYN-ACK's, which its cookie stands for */

	if (h->role != PRIMARY || swarm.async)
		return;
	CHECK("4: no ACK before its commit", ack <= max(held.rcv, base.rcv));
	CHECK("5: no byte or FIN before its commit", end <= max(held.snd, base.snd));
	CHECK("6: no window before its commit", edge <= max(first_edge, max(held.edge, base.edge)));
}

static void check_wire(struct host *h, struct told *t, const struct ftcp_segment *seg, u64 edge, u64 slack)
{
	if (h->epoch >= t->epoch) {
		CHECK("6: the window never goes back", swarm.async || !t->edge_known || edge + slack >= t->edge);
		CHECK("14: timestamps never go back", !t->ts_known || !(seg->opts & FTCP_OPT_TS) || (s32)(seg->tsval - t->tsval) >= 0);
		t->edge_known = true;
		t->epoch = h->epoch;
	}
	t->edge = max(t->edge, edge);
	if (seg->opts & FTCP_OPT_TS && (!t->ts_known || (s32)(seg->tsval - t->tsval) > 0)) {
		t->ts_known = true;
		t->tsval = seg->tsval;
	}
}

/* A D-SACK is of what the segment acknowledges; everything else is an island (RFC 2883, 4). */
static void check_sacks(const struct ftcp_hard *hard, const struct ftcp_segment *seg, u64 ack)
{
	u32 i;

	CHECK("SACK only where it was agreed on", !seg->n_sacks || (hard->flags & FTCP_HARD_SACK));
	for (i = 0; i < seg->n_sacks; i++)
		CHECK("4: no D-SACK before its commit", (u64)ftcp_seq_off(hard->irs, seg->sacks[i].to, ack) <= ack ||
		      (u64)ftcp_seq_off(hard->irs, seg->sacks[i].from, ack) >= hard->rcv_nxt);
}

void check_sent(struct host *h, struct conn *c, const struct ftcp_segment *seg)
{
	const struct ftcp_hard *hard = &c->tcb.hard;
	int client = client_of(h, c);
	struct told *t = &told[client];
	u64 ack, end, edge, promised, slack = (1ull << hard->rcv_wscale) - 1;

	CHECK("11: a standby is silent", speaks(h));
	if (seg->flags & FTCP_SYN)
		return;
	ack = ftcp_seq_off(hard->irs, seg->ack, hard->rcv_nxt);
	end = seg->len || seg->flags & FTCP_FIN ? seg->off + seg->len + !!(seg->flags & FTCP_FIN) : 0;
	edge = ack + ((u64)seg->wnd << hard->rcv_wscale);
	/* Rounding may add up to the slack, which is no promise. */
	promised = seg->wnd && edge > slack ? min(edge, max(edge - slack, c->tcb.soft.rcv_adv)) : 0;
	CHECK("1: the ACK is of what was received", ack <= hard->rcv_nxt);
	CHECK("8: the window fits the buffer", edge <= hard->consumed + hard->rcv_buf_bytes + slack + 1 || edge <= 65536);
	check_commit(h, client, hard->iss, ack, end, promised > slack ? promised - slack : 0);
	check_sacks(hard, seg, ack);
	check_wire(h, t, seg, edge, slack);
	extend(&h->sent[client], hard->iss, ack, end, edge);
	if (t->iss == hard->iss) {
		t->ack = max(t->ack, ack);
		t->snd = max(t->snd, end);
	}
}

/* 7: the other has forgotten it, or never knew. */
void check_reset_sent(struct host *h, struct conn *c)
{
	const struct conn *there = &other(h)->conns[client_of(h, c)];

	if (h->role == PRIMARY && other(h)->role == STANDBY && there->used && h->sync_id == other(h)->sync_id)
		CHECK("7: no reset before its commit", there->tcb.hard.iss != c->tcb.hard.iss);
}

void check_over(struct host *h, struct conn *c)
{
	struct told *t = &told[client_of(h, c)];

	if (t->iss == c->tcb.hard.iss && h->epoch >= t->epoch)
		t->over = true;
}

void check_conn(struct host *h, struct conn *c)
{
	const struct ftcp_tcb *t = &c->tcb;
	const char *broken = ftcp_tcb_check(t);

	(void)h;
	if (broken)
		fail("3: ftcp_tcb_check()", "%s", broken);
	if (t->hard.state == FTCP_CLOSED)
		return;
	CHECK("8: the window fits the buffer", t->hard.rcv_edge <= max(t->hard.consumed + t->hard.rcv_buf_bytes, 65535ull));
	CHECK("9: few islands", t->soft.ooo.n <= FTCP_OOO_RANGES_MAX && t->soft.sacked.n <= FTCP_SACK_RANGES_MAX);
	CHECK("3: committed <= shipped <= end", t->soft.committed.consumed <= t->hard.consumed && t->soft.committed.una <= t->hard.snd_una);
	CHECK("a timer runs while something is unacknowledged", t->soft.snd_max <= t->hard.snd_una || t->soft.timers.rexmit_us ||
	      t->hard.state == FTCP_TIME_WAIT);
}

/* What the standby holds, byte by byte, and that it is a moment the primary once had. */
void check_applied(struct host *h, struct conn *c, const struct ftcp_record *rec)
{
	int client = client_of(h, c);
	const struct ftcp_hard *hard = &c->tcb.hard;
	u64 i, end = ftcp_tcb_data_end(&c->tcb), rcv_end = ftcp_tcb_rcv_data_end(&c->tcb);

	CHECK("10: standby's input is the client's", rcv_end <= client_total(client));
	for (i = max(hard->consumed, rec->rcv_from); i < rcv_end; i++)
		CHECK("10: standby's input is the client's", c->rcv[i] == client_byte(client, i));
	CHECK("10: standby's output is in its store", end <= c->snd_stored || hard->snd_una == hard->snd_end);
	for (i = max(hard->snd_una, rec->snd_from); i < end; i++)
		CHECK("10: standby's output is the service's", c->snd[i] == (swarm.async ? service_text(client)[i] : server_byte(client, i)));
	CHECK("10: output and input of one moment", c->incomplete || c->tcb.soft.torn || end == service_end(client, hard->consumed));
	if (!c->incomplete)
		extend(&h->held[client], hard->iss, hard->rcv_nxt, hard->snd_end, hard->rcv_edge);
	if (hard->flags & FTCP_HARD_RCV_FIN)
		CHECK("10: the FIN is behind the last byte", rcv_end == client_total(client));
}

/* 13: what anybody was told, this host can stand behind. */
void check_takeover(struct host *h)
{
	int i;

	for (i = 0; i < (int)swarm.clients; i++) {
		const struct conn *c = &h->conns[i];
		const struct told *t = &told[i];

		if (!t->known || t->over || client_finished(i))
			continue;
		if (!c->used || c->tcb.hard.iss != t->iss) {
			CHECK("13: whatever was acknowledged or sent is held", !t->ack && !t->snd);
			continue;
		}
		CHECK("13: what was acknowledged is held", c->tcb.hard.rcv_nxt >= t->ack);
		CHECK("13: what was sent is held", c->tcb.hard.snd_end >= t->snd);
	}
}

/* 16: a client that came to the end has what was written, not a mixture of what two hosts made */
void check_ended(int client, const u8 *got, u64 n)
{
	u64 i;

	for (i = 0; swarm.async && i < n; i++)
		CHECK("16: no output of a lost moment is mixed with that of another", got[i] == service_said(client)[i]);
}

void check_promoted(struct host *h, struct conn *c)
{
	const struct ftcp_hard *hard = &c->tcb.hard;
	int client = client_of(h, c);

	if (hard->state != FTCP_CLOSED && !c->tcb.soft.torn)
		CHECK("10: output and input of one moment", ftcp_tcb_data_end(&c->tcb) == service_end(client, hard->consumed));
	memset(&h->base[client], 0, sizeof(h->base[client]));
	memset(&h->sent[client], 0, sizeof(h->sent[client]));
	extend(&h->sent[client], hard->iss, hard->rcv_nxt, hard->snd_end, hard->rcv_edge);
}

static void rebase(struct host *h)
{
	u32 i;

	for (i = 0; i < CLIENTS_MAX; i++) {
		const struct reach *s = &h->sent[i];

		if (s->known)
			extend(&h->base[i], s->iss, s->rcv, s->snd, s->edge);
	}
}

/* A standby that knows nothing attaches: what has left has left. */
void check_gate_closed(struct host *h)
{
	memset(h->base, 0, sizeof(h->base));
	rebase(h);
	memset(other(h)->held, 0, sizeof(h->held));
}

/* A host dies, and with it what it held. What was committed by that time may still leave. */
void check_wiped(struct host *h)
{
	u32 i;

	for (i = 0; i < CLIENTS_MAX; i++)
		if (h->held[i].known)
			extend(&other(h)->base[i], h->held[i].iss, h->held[i].rcv, h->held[i].snd, h->held[i].edge);
	memset(h->held, 0, sizeof(h->held));
	memset(h->sent, 0, sizeof(h->sent));
	memset(h->base, 0, sizeof(h->base));
}

void check_roles(void)
{
	const struct host *a = &hosts[0], *b = &hosts[1];

	if (a->alive && b->alive && speaks(a) && speaks(b))
		CHECK("12: of two hosts that speak one has the higher epoch", a->epoch != b->epoch);
}

/* Everything that was opened is closed and freed, and the pair is whole. */
void check_end(void)
{
	const struct host *h;
	u32 i;

	CHECK("in the end one host speaks", speaks(&hosts[0]) != speaks(&hosts[1]));
	for (h = hosts; h < hosts + HOSTS; h++) {
		CHECK("in the end the pair is in sync", h->sync == SYNC_DONE);
		for (i = 0; i < CLIENTS_MAX; i++)
			CHECK("in the end nothing is left", !h->conns[i].used);
	}
}
