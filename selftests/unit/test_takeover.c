// SPDX-License-Identifier: GPL-2.0
/* repl.c, the rarer cases: every state taken over, records out of order, and garbage to a host that knows nothing. */
#include "fixture.h"

#define ALL (FTCP_OPT_TS | FTCP_OPT_SACK_OK | FTCP_OPT_WSCALE)
#define ROOM 60000

/* Ship all of @f to @standby; the primary hears of it only when @commit. */
static void ship(struct fixture *f, struct ftcp_tcb *standby, u64 *stored, bool commit)
{
	struct ftcp_applied applied;
	struct ftcp_record rec;
	struct ftcp_mark mark;

	while (ftcp_repl_dirty(&f->tcb) != FTCP_CLEAN) {
		bool fresh = !standby->hard.state;

		ftcp_repl_collect(&f->tcb, ROOM, &rec, &mark);
		EXPECT(ftcp_repl_apply(standby, &rec, fresh, *stored, &applied) == FTCP_APPLY_OK);
		*stored = applied.snd_off + applied.snd_new;
		if (commit)
			ftcp_repl_commit(&f->tcb, &f->env, &mark);
	}
	if (commit)
		fixture_output(f);
}

/* @g becomes the host that goes on from @standby. */
static void take_over(struct fixture *g, const struct fixture *f, const struct ftcp_tcb *standby)
{
	memset(g, 0, sizeof(*g));
	g->tcb = *standby;
	g->env = f->env;
	g->env.now_us = 77;			/* another host, another clock */
	g->env.ts_ms += FTCP_TS_TAKEOVER_MS;
	g->env.alone = true;
	g->tsval = f->tsval;
	ftcp_repl_promote(&g->tcb, &g->env, &fixture_config);
	fixture_output(g);
}

TEST(dirty__nothing_before_established_and_after_closed)
{
	struct ftcp_segment syn = { .seq = { CLIENT_ISS }, .flags = FTCP_SYN, .wnd = 1000 };
	struct fixture f = { .env = { .now_us = 1 } };
	struct ftcp_cookie cookie;

	ftcp_tcb_cookie(&cookie, &syn, FTCP_MSS_DEFAULT_BYTES);
	ftcp_tcb_open(&f.tcb, &f.env, &fixture_config, &syn, &cookie, SERVER_ISS);
	EXPECT(ftcp_repl_dirty(&f.tcb) == FTCP_CLEAN);
	fixture_output(&f);
	EXPECT(f.n_out == 1);				/* the SYN-ACK waits for nobody */
	fixture_open(&f, ALL, false);
	ftcp_tcb_abort(&f.tcb);
	EXPECT(ftcp_repl_dirty(&f.tcb) == FTCP_CLEAN);
}

TEST(dirty__lazy_for_what_nothing_waits_for)
{
	struct fixture f;

	fixture_open(&f, ALL, false);
	fixture_commit(&f);
	fixture_write(&f, 100);
	fixture_commit(&f);
	EXPECT(f.n_out == 1 && ftcp_repl_dirty(&f.tcb) == FTCP_CLEAN);
	fixture_give(&f, fixture_segment(&f, 0, 0, 100, 0));
	EXPECT(ftcp_repl_dirty(&f.tcb) == FTCP_DIRTY_LAZY);
	fixture_give(&f, fixture_segment(&f, 0, 1, 100, 0));
	EXPECT(ftcp_repl_dirty(&f.tcb) == FTCP_DIRTY_NOW);
	fixture_commit(&f);
	ftcp_tcb_consume(&f.tcb, 1);
	EXPECT(ftcp_repl_dirty(&f.tcb) == FTCP_DIRTY_LAZY);
}

TEST(commit__only_what_the_mark_covers)
{
	struct ftcp_record rec;
	struct ftcp_mark mark, old;
	struct fixture f;

	fixture_open(&f, ALL, false);
	fixture_commit(&f);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	fixture_write(&f, 500);
	ftcp_repl_collect(&f.tcb, ROOM, &rec, &mark);
	fixture_give(&f, fixture_segment(&f, 1000, 1000, 0, 0));
	fixture_write(&f, 500);
	old = mark;
	ftcp_repl_commit(&f.tcb, &f.env, &mark);
	fixture_output(&f);
	EXPECT(fixture_ack(&f) == 1000 && f.out[0].len == 500);
	fixture_commit(&f);
	EXPECT(fixture_ack(&f) == 2000 && f.out[0].off == 500 && f.out[0].len == 500);
	ftcp_repl_commit(&f.tcb, &f.env, &old);			/* never goes back */
	fixture_output(&f);
	EXPECT(f.n_out == 0 && f.tcb.soft.committed.rcv == 2000 && f.tcb.soft.committed.snd == 1000);
}

TEST(commit__retransmission_needs_no_new_one)
{
	struct fixture f;

	fixture_open(&f, ALL, false);
	fixture_commit(&f);
	fixture_write(&f, 500);
	fixture_commit(&f);
	fixture_write(&f, 500);
	fixture_pass(&f, ftcp_next_deadline(&f.tcb) - f.env.now_us);
	EXPECT(f.n_out == 1 && f.out[0].off == 0 && f.out[0].len == 500);	/* and not the second 500 */
}

TEST(collect__input_larger_than_the_room)
{
	struct ftcp_tcb standby = { 0 };
	struct ftcp_applied applied;
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f;
	u32 n = 0;

	fixture_open(&f, ALL, false);
	fixture_give(&f, fixture_segment(&f, 0, 5000, 0, FTCP_FIN));
	while (ftcp_repl_dirty(&f.tcb) == FTCP_DIRTY_NOW && n++ < 10) {
		ftcp_repl_collect(&f.tcb, 1300, &rec, &mark);
		EXPECT(!rec.partial && rec.rcv_len <= 1300);
		EXPECT(ftcp_repl_apply(&standby, &rec, n == 1, 0, &applied) == FTCP_APPLY_OK && applied.rcv_new == rec.rcv_len);
		EXPECT(standby.hard.state == (n < 4 ? FTCP_ESTABLISHED : FTCP_CLOSE_WAIT));
		ftcp_repl_commit(&f.tcb, &f.env, &mark);
		fixture_output(&f);
		EXPECT(fixture_ack(&f) == (n < 4 ? 1300 * n : 5001));
	}
	EXPECT(n == 4 && !memcmp(&standby.hard, &f.tcb.hard, sizeof(standby.hard)));
}

TEST(promote__fin_of_the_peer)
{
	struct ftcp_tcb standby = { 0 };
	struct fixture f, g;
	u64 stored = 0;

	fixture_open(&f, ALL, false);
	fixture_give(&f, fixture_segment(&f, 0, 10, 0, FTCP_FIN));
	EXPECT(f.tcb.hard.state == FTCP_CLOSE_WAIT && fixture_ack(&f) <= 0);
	ship(&f, &standby, &stored, false);
	take_over(&g, &f, &standby);
	EXPECT(g.tcb.hard.state == FTCP_CLOSE_WAIT && fixture_ack(&g) == 11 && ftcp_tcb_readable(&g.tcb) == 10);
	fixture_write(&g, 5);
	ftcp_tcb_shutdown(&g.tcb, &g.env);
	fixture_output(&g);
	fixture_give(&g, fixture_segment(&g, 11, 0, 6, 0));
	EXPECT(g.tcb.hard.state == FTCP_CLOSED);
}

/* What the predecessor may have sent lies behind a window that has closed: it is probed for, as long as the peer answers. */
TEST(promote__closed_window)
{
	struct ftcp_tcb standby = { 0 };
	struct ftcp_segment ack;
	struct fixture f, g;
	u64 stored = 0;
	u32 n;

	fixture_open(&f, ALL, false);
	ack = fixture_close_window(&f, 0);
	ftcp_tcb_append(&f.tcb, 5000);
	ship(&f, &standby, &stored, false);
	take_over(&g, &f, &standby);
	ack.tsecr = g.env.ts_ms + fixture_config.ts_off;
	for (n = 0; n < 30; n++) {
		fixture_give(&g, ack);
		EXPECT(!fixture_pass(&g, ftcp_next_deadline(&g.tcb) - g.env.now_us) && g.n_out == 1 && g.out[0].len == 1);
	}
	EXPECT(g.tcb.hard.state == FTCP_ESTABLISHED);
	fixture_give(&g, fixture_segment(&g, 0, 0, 0, 0));
	EXPECT(g.tcb.soft.snd_nxt == 5000);
}

/* A reset beyond the peer's window is none. */
TEST(promote__reset_where_the_peer_takes_it)
{
	struct ftcp_tcb standby = { 0 };
	struct ftcp_segment ack, rst;
	struct fixture f, g;
	u64 stored = 0;

	fixture_open(&f, ALL, false);
	ack = fixture_segment(&f, 0, 0, 0, 0);
	ack.wnd = 1000 >> 3;
	fixture_give(&f, ack);
	ftcp_tcb_append(&f.tcb, 5000);
	ship(&f, &standby, &stored, false);
	take_over(&g, &f, &standby);
	ftcp_tcb_abort(&g.tcb);
	ftcp_tcb_reset(&g.tcb, &g.env, &rst);
	EXPECT(rst.seq.v - SERVER_ISS - 1 <= 1000);
}

TEST(promote__our_fin)
{
	struct ftcp_tcb standby = { 0 };
	struct fixture f, g;
	u64 stored = 0;

	fixture_open(&f, ALL, false);
	ftcp_tcb_append(&f.tcb, 10);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	ship(&f, &standby, &stored, false);
	take_over(&g, &f, &standby);
	EXPECT(g.tcb.hard.state == FTCP_FIN_WAIT_1 && g.n_out >= 1);
	EXPECT(g.out[0].off == 0 && g.out[0].len == 10 && (g.out[0].flags & FTCP_FIN));
	fixture_give(&g, fixture_segment(&g, 0, 0, 11, FTCP_FIN));
	EXPECT(g.tcb.hard.state == FTCP_TIME_WAIT && fixture_ack(&g) == 1);
}

TEST(promote__time_wait_ends)
{
	struct ftcp_tcb standby = { 0 };
	struct fixture f, g;
	u64 stored = 0;

	fixture_open(&f, ALL, false);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	ship(&f, &standby, &stored, true);
	fixture_give(&f, fixture_segment(&f, 0, 0, 1, FTCP_FIN));
	EXPECT(f.tcb.hard.state == FTCP_TIME_WAIT);
	ship(&f, &standby, &stored, true);
	take_over(&g, &f, &standby);
	EXPECT(g.tcb.hard.state == FTCP_TIME_WAIT);
	EXPECT(fixture_pass(&g, FTCP_TIME_WAIT_US) == FTCP_EV_CLOSED);
}

TEST(promote__between_partial_records)
{
	struct ftcp_tcb standby = { 0 };
	struct ftcp_applied applied;
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f, g;
	u64 stored = 0;

	fixture_open(&f, ALL, false);
	fixture_give(&f, fixture_segment(&f, 0, 100, 0, 0));
	ship(&f, &standby, &stored, true);
	ftcp_tcb_append(&f.tcb, 5000);
	ftcp_tcb_consume(&f.tcb, 100);
	ftcp_repl_collect(&f.tcb, 1000, &rec, &mark);
	EXPECT(rec.partial && ftcp_repl_apply(&standby, &rec, false, stored, &applied) == FTCP_APPLY_OK && applied.snd_new == 1000);
	ftcp_repl_commit(&f.tcb, &f.env, &mark);
	fixture_output(&f);
	EXPECT(f.tcb.soft.snd_max == 0);
	take_over(&g, &f, &standby);
	/* The program there has not answered yet: it reads the question again. */
	EXPECT(ftcp_tcb_data_end(&g.tcb) == 0 && ftcp_tcb_readable(&g.tcb) == 100 && fixture_ack(&g) == 100);
}

TEST(promote__then_a_new_standby)
{
	struct ftcp_tcb standby = { 0 }, third = { 0 };
	struct fixture f, g, h;
	u64 stored = 0;

	fixture_open(&f, ALL, false);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	fixture_write(&f, 1000);
	ship(&f, &standby, &stored, true);
	take_over(&g, &f, &standby);
	fixture_give(&g, fixture_segment(&g, 1000, 500, 400, 0));
	g.env.alone = false;
	ftcp_repl_resync(&g.tcb);
	EXPECT(g.tcb.soft.unsynced);
	fixture_give(&g, fixture_segment(&g, 1500, 500, 400, 0));
	EXPECT(fixture_ack(&g) <= 1500);
	stored = 0;
	ship(&g, &third, &stored, true);
	EXPECT(fixture_ack(&g) == 2000 && !g.tcb.soft.unsynced && stored == 1000);
	take_over(&h, &g, &third);
	EXPECT(h.n_out >= 1 && h.out[0].off == 400 && h.out[0].len == 600 && fixture_ack(&h) == 2000);
	EXPECT((s32)(h.out[0].tsval - g.env.ts_ms - fixture_config.ts_off) > 0);
}

TEST(alone__opens_the_gate)
{
	struct fixture f;

	fixture_open(&f, ALL, false);
	fixture_commit(&f);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	fixture_write(&f, 700);
	EXPECT(f.n_out == 0);
	f.env.alone = true;
	ftcp_repl_alone(&f.tcb, &f.env);
	fixture_output(&f);
	EXPECT(f.n_out >= 1 && fixture_ack(&f) == 1000 && f.out[0].len == 700);
}

static bool same_cursors(const struct ftcp_hard *a, const struct ftcp_hard *b)
{
	return a->consumed == b->consumed && a->rcv_nxt == b->rcv_nxt && a->rcv_edge == b->rcv_edge && a->snd_una == b->snd_una &&
	       a->snd_end == b->snd_end && a->state == b->state;
}

/* A primary that goes on, whose records come late, twice or after a restart: the standby only ever moves on, and ends up equal. */
TEST(apply__late_and_twice)
{
	struct ftcp_record recs[8], *old;
	struct ftcp_applied applied;
	struct ftcp_tcb standby, was;
	struct ftcp_mark mark;
	struct fixture f;
	u64 stored, off;
	u32 round, n, k;

	for (round = 0; round < 500; round++) {
		memset(&standby, 0, sizeof(standby));
		stored = off = 0;
		fixture_open(&f, ALL, false);
		for (n = 0; n < 8; n++) {
			k = 1 + ktest_random(2000);
			fixture_give(&f, fixture_segment(&f, off, k, f.tcb.soft.snd_max, 0));
			off += k;
			ftcp_tcb_append(&f.tcb, ktest_random(1000));
			ftcp_tcb_consume(&f.tcb, ktest_random(2000));
			ftcp_repl_collect(&f.tcb, ROOM, &recs[n], &mark);
			EXPECT(ftcp_repl_apply(&standby, &recs[n], !n, stored, &applied) == FTCP_APPLY_OK);
			EXPECT(n ? applied.snd_off == stored : 1);
			stored = applied.snd_off + applied.snd_new;
			EXPECT(!memcmp(&standby.hard, &f.tcb.hard, sizeof(standby.hard)));
			was = standby;
			EXPECT(ftcp_repl_apply(&standby, &recs[n], false, stored, &applied) == FTCP_APPLY_OK);
			EXPECT(!applied.rcv_new && !applied.snd_new && !memcmp(&was, &standby, sizeof(was)));
			old = &recs[ktest_random(n + 1)];
			EXPECT(ftcp_repl_apply(&standby, old, false, stored, &applied) == FTCP_APPLY_OK);
			EXPECT(!applied.rcv_new && !applied.snd_new && same_cursors(&was.hard, &standby.hard));
			standby = was;
			if (ktest_random(2))
				ftcp_repl_commit(&f.tcb, &f.env, &mark);
			if (!ktest_random(4))
				ftcp_repl_restart(&f.tcb);
			fixture_output(&f);
		}
	}
}

TEST(apply__another_connection_is_refused)
{
	struct ftcp_tcb standby = { 0 }, was;
	struct ftcp_applied applied;
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f;
	u64 stored = 0;
	u32 i;

	fixture_open(&f, ALL, false);
	ship(&f, &standby, &stored, true);
	for (i = 0; i < 5; i++) {
		ftcp_repl_resync(&f.tcb);
		ftcp_repl_collect(&f.tcb, ROOM, &rec, &mark);
		was = standby;
		rec.hard.iss += i == 0;
		rec.hard.irs += i == 1;
		rec.hard.ts_off += i == 2;
		rec.hard.rcv_wscale += i == 3;
		rec.hard.flags ^= i == 4 ? FTCP_HARD_SACK : 0;
		EXPECT(ftcp_repl_apply(&standby, &rec, false, stored, &applied) == FTCP_APPLY_BAD);
		EXPECT(!memcmp(&was, &standby, sizeof(was)));
	}
}

TEST(apply__memory_is_bounded)
{
	struct ftcp_applied applied;
	struct ftcp_tcb standby;
	struct ftcp_record good, rec;
	struct ftcp_mark mark;
	struct fixture f;

	fixture_open(&f, ALL, false);
	ftcp_repl_collect(&f.tcb, ROOM, &good, &mark);
	rec = good;
	rec.hard.rcv_edge = rec.hard.consumed + rec.hard.rcv_buf_bytes + 1;
	memset(&standby, 0, sizeof(standby));
	EXPECT(ftcp_repl_apply(&standby, &rec, true, 0, &applied) == FTCP_APPLY_BAD);
	rec = good;
	rec.hard.snd_end = rec.snd_len = rec.hard.snd_buf_bytes + 2;
	EXPECT(ftcp_repl_apply(&standby, &rec, true, 0, &applied) == FTCP_APPLY_BAD);
	rec = good;
	rec.hard.rcv_buf_bytes = FTCP_RCV_BUF_BYTES + 1;
	EXPECT(ftcp_repl_apply(&standby, &rec, true, 0, &applied) == FTCP_APPLY_BAD);
	rec = good;
	rec.hard.snd_buf_bytes = FTCP_SND_BUF_BYTES + 1;
	EXPECT(ftcp_repl_apply(&standby, &rec, true, 0, &applied) == FTCP_APPLY_BAD);
	rec = good;
	rec.partial = true;
	rec.snd_len = rec.hard.snd_buf_bytes + 1;
	EXPECT(ftcp_repl_apply(&standby, &rec, true, 0, &applied) == FTCP_APPLY_BAD);
	EXPECT(ftcp_repl_apply(&standby, &good, true, 0, &applied) == FTCP_APPLY_OK);
}

/* What a record that was accepted is then good for: everything that can happen to a connection. */
static void live_on(struct ftcp_tcb *standby, const struct ftcp_env *env)
{
	struct fixture f = { .tcb = *standby, .env = *env };
	struct ftcp_segment seg;
	u32 i;

	f.env.alone = true;
	ftcp_repl_promote(&f.tcb, &f.env, &fixture_config);
	EXPECT(!ftcp_tcb_check(&f.tcb));
	for (i = 0; i < 10 && f.tcb.hard.state != FTCP_CLOSED; i++) {
		ftcp_output_next(&f.tcb, &f.env, &seg);
		seg = fixture_segment(&f, 0, ktest_random(1000), 0, 0);
		seg.seq = ftcp_seq_of(f.tcb.hard.irs, f.tcb.hard.rcv_nxt);
		seg.ack = ftcp_seq_of(f.tcb.hard.iss, f.tcb.soft.snd_max);
		seg.tsval = f.tcb.hard.ts_recent;
		ftcp_input(&f.tcb, &f.env, &seg, &f.in);
		ftcp_tcb_consume(&f.tcb, ktest_random(1000));
		ftcp_tcb_append(&f.tcb, ftcp_tcb_writable(&f.tcb) ? 1 : 0);
		f.env.now_us = ftcp_next_deadline(&f.tcb) ? ftcp_next_deadline(&f.tcb) : f.env.now_us;
		ftcp_timeout(&f.tcb, &f.env);
		EXPECT(!ftcp_tcb_check(&f.tcb));
	}
}

static void spoil(struct ftcp_record *rec)
{
	u64 *const cursors[] = { &rec->hard.consumed, &rec->hard.rcv_nxt, &rec->hard.rcv_edge, &rec->hard.snd_una, &rec->hard.snd_end,
		&rec->rcv_from, &rec->snd_from };
	u64 delta = (u64)ktest_random(4000) << ktest_random(50);
	u32 i, shift = ktest_random(7);

	switch (ktest_random(5)) {
	case 0:		/* all moved alike: still a record that makes sense */
		for (i = 0; i < 7; i++)
			if (!(ktest_random(20)))
				*cursors[i] += 1;
		for (i = 0; i < 3; i++)
			*cursors[i] += delta;
		rec->rcv_from += delta;
		break;
	case 1:
		*cursors[shift] += delta;
		break;
	case 2:
		*cursors[shift] -= ktest_random(4000);
		break;
	case 3:
		rec->hard.state = ktest_random(14);
		rec->hard.flags ^= ktest_random(64);
		break;
	default:
		((u8 *)&rec->hard)[ktest_random(sizeof(rec->hard))] = ktest_random(256);
	}
	if (!ktest_random(10))
		rec->rcv_len = ktest_random(0x7fffffff) * 2;
	if (!ktest_random(10))
		rec->snd_len = ktest_random(0x7fffffff) * 2;
	if (!ktest_random(10))
		rec->partial = !rec->partial;
}

TEST(apply__garbage_to_a_host_that_knows_nothing)
{
	struct ftcp_tcb standby, zero;
	struct ftcp_applied applied;
	struct ftcp_record good, rec;
	struct ftcp_mark mark;
	struct fixture f;
	u32 n, accepted = 0;

	memset(&zero, 0, sizeof(zero));
	fixture_open(&f, ALL, false);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	ftcp_tcb_append(&f.tcb, 700);
	ftcp_tcb_consume(&f.tcb, 300);
	ftcp_repl_collect(&f.tcb, ROOM, &good, &mark);
	for (n = 0; n < 200000; n++) {
		standby = zero;
		rec = good;
		spoil(&rec);
		if (ftcp_repl_apply(&standby, &rec, true, 0, &applied) != FTCP_APPLY_OK) {
			EXPECT(!memcmp(&standby, &zero, sizeof(zero)));
			continue;
		}
		accepted++;
		EXPECT(applied.rcv_new <= rec.rcv_len && applied.snd_new <= rec.snd_len);
		EXPECT(rec.partial || applied.rcv_off + applied.rcv_new == ftcp_tcb_rcv_data_end(&standby));
		EXPECT(rec.partial || applied.snd_off + applied.snd_new == ftcp_tcb_data_end(&standby));
		EXPECT(rec.hard.snd_end - rec.hard.snd_una <= FTCP_SND_BUF_BYTES + 1);
		live_on(&standby, &f.env);
	}
	EXPECT(accepted > n / 100);
}
