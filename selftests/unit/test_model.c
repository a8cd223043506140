// SPDX-License-Identifier: GPL-2.0
/* Random traffic held against a map of bytes: a receiver may only claim what it stored, a sender only send what it may. */
#include "fixture.h"

#define ALL (FTCP_OPT_TS | FTCP_OPT_SACK_OK | FTCP_OPT_WSCALE)

/* ---- receiving ---- */

#define STREAM 40000

/* What the glue holds: 1 where a byte was stored. */
static u8 map[STREAM];

static void store(const struct fixture *f, u64 off, u64 edge)
{
	EXPECT(!f->in.keep_len || (f->in.keep_off == off + f->in.keep_skip && f->in.keep_off + f->in.keep_len <= edge));
	EXPECT(f->in.keep_off + f->in.keep_len <= STREAM);
	if (f->in.keep_len && f->in.keep_off + f->in.keep_len <= STREAM)
		memset(map + f->in.keep_off, 1, f->in.keep_len);
}

static u64 first_missing(void)
{
	u64 off = 0;

	while (off < STREAM && map[off])
		off++;
	return off;
}

/* Nothing is SACKed that was not stored. */
static void check_sacks(const struct fixture *f)
{
	u32 i, b;
	s64 off, to;

	for (i = 0; i < f->n_out; i++)
		for (b = 0; b < f->out[i].n_sacks; b++) {
			off = ftcp_seq_off(CLIENT_ISS, f->out[i].sacks[b].from, f->tcb.hard.rcv_nxt);
			to = ftcp_seq_off(CLIENT_ISS, f->out[i].sacks[b].to, f->tcb.hard.rcv_nxt);
			EXPECT(off >= 0 && off < to && to <= STREAM + 1);
			for (; off < to && off < STREAM; off++)
				EXPECT(map[off]);
		}
}

static void random_stream(u8 opts)
{
	u64 off, edge, data_end;
	struct fixture f;
	u32 n, len;
	bool fin;

	fixture_open(&f, opts, true);
	memset(map, 0, sizeof(map));
	for (n = 0; n < 4000 && !(f.tcb.hard.flags & FTCP_HARD_RCV_FIN); n++) {
		off = f.tcb.hard.rcv_nxt + ktest_random(6000);
		off = ktest_random(3) ? off : f.tcb.hard.rcv_nxt;
		off = off > 1500 && ktest_random(2) ? off - ktest_random(1500) : off;
		off = off > STREAM ? STREAM : off;
		len = ktest_random(ktest_random(4) ? 1500 : 9000);
		len = off + len > STREAM ? STREAM - off : len;
		fin = off + len == STREAM && ktest_random(2);
		edge = f.tcb.hard.rcv_edge + (1 << FTCP_RCV_WSCALE);
		f.env.now_us += 1000;
		fixture_give(&f, fixture_segment(&f, off, len, 0, fin ? FTCP_FIN : 0));
		store(&f, off, edge);
		data_end = ftcp_tcb_rcv_data_end(&f.tcb);
		/* Never ahead of what is stored; behind it only by what was refused for want of an island. */
		EXPECT(data_end <= first_missing());
		EXPECT(fixture_ack(&f) <= (s64)f.tcb.hard.rcv_nxt);
		check_sacks(&f);
		if (ktest_random(2))
			ftcp_tcb_consume(&f.tcb, ktest_random(2) ? ftcp_tcb_readable(&f.tcb) : ftcp_tcb_readable(&f.tcb) / 3);
		fixture_output(&f);
	}
	EXPECT(f.tcb.hard.flags & FTCP_HARD_RCV_FIN);
	EXPECT(f.tcb.hard.rcv_nxt == STREAM + 1 && first_missing() == STREAM);
}

TEST(input__random_segments_make_one_stream)
{
	u32 n;

	for (n = 0; n < 40; n++)
		random_stream(n & 1 ? ALL : ktest_random(2) ? FTCP_OPT_WSCALE : 0);
}

/* ---- sending ---- */

#define MSS 1448	/* 1460 less timestamps */

/* A peer that takes what comes, in any order, and now and then tells. */
struct peer {
	u8 have[120000];
	u64 nxt;
	u64 edge;
	u64 fin;	/* offset + 1 */
	u64 committed;
};

static void peer_takes(struct peer *p, const struct fixture *f, u32 loss)
{
	const struct ftcp_segment *seg;
	u64 off;
	u32 i;

	for (i = 0; i < f->n_out; i++) {
		seg = &f->out[i];
		EXPECT(seg->seq.v == ftcp_seq_of(SERVER_ISS, seg->off).v || !seg->len);
		EXPECT(!seg->len || (seg->gso_bytes > 0 && seg->gso_bytes <= MSS));
		EXPECT(!seg->len || seg->off + seg->len <= p->edge);
		EXPECT(f->env.alone || seg->off + seg->len + !!(seg->flags & FTCP_FIN) <= p->committed);
		EXPECT(seg->off + seg->len <= sizeof(p->have));
		EXPECT(seg->flags & FTCP_ACK);
		if (ktest_random(100) < loss)
			continue;
		for (off = seg->off; off < seg->off + seg->len && off < sizeof(p->have); off++)
			p->have[off] = 1;
		if (seg->flags & FTCP_FIN)
			p->fin = ftcp_seq_off(SERVER_ISS, seg->seq, f->tcb.hard.snd_una) + seg->len + 1;
	}
	while (p->nxt < sizeof(p->have) && p->have[p->nxt])
		p->nxt++;
	if (p->fin && p->nxt == p->fin - 1)
		p->nxt = p->fin;
}

static struct ftcp_segment peer_tells(struct peer *p, const struct fixture *f)
{
	struct ftcp_segment ack = fixture_segment(f, 0, 0, p->nxt, 0);
	u64 from = p->nxt, to;

	ack.wnd = ktest_random(8) ? ktest_random(7000) : 0;
	if (p->nxt + (u64)ack.wnd * 8 < p->edge)	/* it does not shrink its window */
		ack.wnd = (p->edge - p->nxt + 7) / 8;
	p->edge = p->nxt + (u64)ack.wnd * 8;
	while (from < sizeof(p->have) && !p->have[from])
		from++;
	for (to = from; to < sizeof(p->have) && p->have[to]; to++)
		;
	if ((f->tcb.hard.flags & FTCP_HARD_SACK) && from < to && from > p->nxt) {
		ack.n_sacks = 1;
		ack.sacks[0] = (struct ftcp_sack_block){ ftcp_seq_of(SERVER_ISS, from), ftcp_seq_of(SERVER_ISS, to) };
	}
	return ack;
}

static void random_transfer(u8 opts, u32 loss)
{
	static struct peer p;
	struct ftcp_segment ack;
	u64 left = 100000, n, at;
	struct fixture f;
	bool gate = ktest_random(2);
	u32 round;

	memset(&p, 0, sizeof(p));
	fixture_open(&f, opts, !gate);
	fixture_commit(&f);
	p.edge = f.tcb.hard.snd_wnd;
	for (round = 0; round < 20000 && f.tcb.hard.snd_una < 100001; round++) {
		n = ftcp_tcb_writable(&f.tcb);
		n = n > left ? left : n;
		n = n && ktest_random(2) ? 1 + ktest_random(n) : 0;
		left -= n;
		if (n) {
			fixture_write(&f, n);
			peer_takes(&p, &f, loss);
		}
		if (!left)
			ftcp_tcb_shutdown(&f.tcb, &f.env);
		fixture_output(&f);
		peer_takes(&p, &f, loss);
		if (ktest_random(2)) {
			p.committed = f.tcb.hard.snd_end;
			fixture_commit(&f);
			peer_takes(&p, &f, loss);
		}
		if (ktest_random(100) >= loss) {
			f.env.now_us += 500;
			f.env.ts_ms += ktest_random(2);
			f.tsval++;
			ack = peer_tells(&p, &f);
			fixture_give(&f, ack);
			peer_takes(&p, &f, loss);
		}
		if (ktest_random(3) == 0) {
			at = ftcp_next_deadline(&f.tcb);
			if (at > f.env.now_us && at - f.env.now_us < 30 * FTCP_S_US) {
				fixture_pass(&f, at - f.env.now_us);
				peer_takes(&p, &f, loss);
			}
		}
		if (f.tcb.hard.state == FTCP_CLOSED)
			break;
	}
	EXPECT(p.nxt == 100001);
	EXPECT(f.tcb.hard.snd_una == 100001 && f.tcb.hard.state == FTCP_FIN_WAIT_2);
	EXPECT(!f.tcb.soft.timers.rexmit_us && !f.tcb.soft.timers.persist_us);
}

TEST(output__random_transfers_arrive_whole)
{
	u32 n;

	for (n = 0; n < 60; n++)
		random_transfer(n & 1 ? ALL : FTCP_OPT_TS | FTCP_OPT_WSCALE, n % 3 ? 0 : 20);
}

TEST(output__slow_start_counts_what_is_new)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 100000);
	fixture_give(&f, fixture_segment(&f, 0, 0, 5 * MSS, 0));
	EXPECT(f.tcb.soft.cong.cwnd_bytes == 15 * MSS);
	fixture_give(&f, fixture_segment(&f, 0, 0, 10 * MSS, 0));
	EXPECT(f.tcb.soft.cong.cwnd_bytes == 20 * MSS);
}
