// SPDX-License-Identifier: GPL-2.0
/* repl.c: the output-commit rule, from the outside. */
#include "fixture.h"

#define ALL (FTCP_OPT_TS | FTCP_OPT_SACK_OK | FTCP_OPT_WSCALE)

TEST(commit__no_ack_before_it)
{
	struct fixture f;

	fixture_open(&f, ALL, false);
	EXPECT(ftcp_repl_dirty(&f.tcb) == FTCP_DIRTY_NOW);
	fixture_commit(&f);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, FTCP_FIN));
	EXPECT(f.n_out == 0 && f.tcb.hard.rcv_nxt == 1001);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, FTCP_FIN));	/* the client repeats itself in vain */
	EXPECT(fixture_ack(&f) <= 0);
	fixture_commit(&f);
	EXPECT(fixture_ack(&f) == 1001);
}

TEST(commit__no_output_before_it)
{
	struct fixture f;

	fixture_open(&f, ALL, false);
	fixture_commit(&f);
	fixture_write(&f, 1000);
	EXPECT(f.n_out == 0);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	fixture_output(&f);
	EXPECT(f.n_out == 0 && !ftcp_next_deadline(&f.tcb) == !f.tcb.soft.timers.keepalive_us);
	fixture_commit(&f);
	EXPECT(f.n_out == 1 && f.out[0].len == 1000 && (f.out[0].flags & FTCP_FIN));
}

TEST(collect__consumed_input_is_not_shipped)
{
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f;

	fixture_open(&f, ALL, false);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	ftcp_tcb_append(&f.tcb, 600);
	ftcp_tcb_consume(&f.tcb, 600);
	ftcp_repl_collect(&f.tcb, 60000, &rec, &mark);
	EXPECT(!rec.partial && rec.rcv_from == 600 && rec.rcv_len == 400 && rec.snd_from == 0 && rec.snd_len == 600);
	EXPECT(mark.rcv == 1000 && mark.snd == 600 && ftcp_repl_dirty(&f.tcb) == FTCP_CLEAN);
}

TEST(collect__partial_then_whole)
{
	struct ftcp_applied applied;
	struct ftcp_tcb standby = { 0 };
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f;
	u64 stored = 0;
	u32 n = 0;

	fixture_open(&f, ALL, false);
	fixture_give(&f, fixture_segment(&f, 0, 5000, 0, 0));
	ftcp_tcb_append(&f.tcb, 5000);
	ftcp_tcb_consume(&f.tcb, 5000);
	do {
		ftcp_repl_collect(&f.tcb, 1200, &rec, &mark);
		EXPECT(rec.partial == (n < 4) && rec.snd_len <= 1200);
		EXPECT(ftcp_repl_apply(&standby, &rec, !n, stored, &applied) == FTCP_APPLY_OK);
		EXPECT(applied.snd_off == stored);
		stored += applied.snd_new;
		EXPECT(standby.hard.consumed == (rec.partial ? 0 : 5000) && standby.hard.snd_end == (rec.partial ? 0 : 5000));
		ftcp_repl_commit(&f.tcb, &f.env, &mark);
		fixture_output(&f);
		EXPECT((f.n_out > 0) == !rec.partial);
	} while (++n < 5);
	EXPECT(stored == 5000);
}

TEST(restart__ships_again_and_apply_skips)
{
	struct ftcp_applied applied;
	struct ftcp_tcb standby = { 0 };
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f;

	fixture_open(&f, ALL, false);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	fixture_write(&f, 300);
	ftcp_repl_collect(&f.tcb, 60000, &rec, &mark);
	EXPECT(ftcp_repl_apply(&standby, &rec, true, 0, &applied) == FTCP_APPLY_OK && applied.rcv_new == 1000 && applied.snd_new == 300);
	ftcp_repl_restart(&f.tcb);		/* the acknowledgement was lost */
	EXPECT(ftcp_repl_dirty(&f.tcb) == FTCP_DIRTY_NOW);
	fixture_give(&f, fixture_segment(&f, 1000, 500, 0, 0));
	ftcp_repl_collect(&f.tcb, 60000, &rec, &mark);
	EXPECT(rec.rcv_from == 0 && rec.rcv_len == 1500);
	EXPECT(ftcp_repl_apply(&standby, &rec, false, 300, &applied) == FTCP_APPLY_OK);
	EXPECT(applied.rcv_off == 1000 && applied.rcv_new == 500 && applied.snd_new == 0);
	EXPECT(!memcmp(&standby.hard, &f.tcb.hard, sizeof(standby.hard)));
}

TEST(resync__everything_that_is_held)
{
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	ftcp_tcb_consume(&f.tcb, 200);
	fixture_write(&f, 500);
	fixture_give(&f, fixture_segment(&f, 1000, 0, 100, 0));
	f.env.alone = false;
	ftcp_repl_resync(&f.tcb);
	fixture_output(&f);
	EXPECT(f.tcb.soft.unsynced && ftcp_repl_dirty(&f.tcb) == FTCP_DIRTY_NOW);
	ftcp_repl_collect(&f.tcb, 60000, &rec, &mark);
	EXPECT(rec.rcv_from == 200 && rec.rcv_len == 800 && rec.snd_from == 100 && rec.snd_len == 400 && !f.tcb.soft.unsynced);
	fixture_give(&f, fixture_segment(&f, 1000, 10, 100, 0));
	EXPECT(fixture_ack(&f) <= 1000);	/* the gate is closed for what is new */
}

TEST(apply__gaps_are_found)
{
	struct ftcp_applied applied;
	struct ftcp_tcb standby = { 0 };
	struct ftcp_record rec, gap;
	struct ftcp_mark mark;
	struct fixture f;

	fixture_open(&f, ALL, false);
	fixture_write(&f, 300);
	ftcp_repl_collect(&f.tcb, 60000, &rec, &mark);
	gap = rec;
	gap.snd_from += 10;
	gap.snd_len -= 10;
	EXPECT(ftcp_repl_apply(&standby, &gap, true, 0, &applied) == FTCP_APPLY_GAP && !standby.hard.iss);
	EXPECT(ftcp_repl_apply(&standby, &rec, true, 0, &applied) == FTCP_APPLY_OK);
	EXPECT(ftcp_repl_apply(&standby, &rec, false, 300, &applied) == FTCP_APPLY_OK && !applied.snd_new && !applied.rcv_new);
}

TEST(apply__garbage_changes_nothing_or_makes_sense)
{
	struct ftcp_applied applied;
	struct ftcp_tcb standby, was;
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f;
	u32 n, good = 0;

	for (n = 0; n < 50000; n++) {
		memset(&standby, 0, sizeof(standby));
		fixture_open(&f, ALL, false);
		fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
		ftcp_tcb_append(&f.tcb, 700);
		ftcp_repl_collect(&f.tcb, 60000, &rec, &mark);
		ftcp_repl_apply(&standby, &rec, true, 0, &applied);
		((u8 *)&rec)[ktest_random(sizeof(rec.hard))] ^= 1 << ktest_random(8);
		if (ktest_random(2))
			((u64 *)&rec.hard)[ktest_random(5)] = (u64)ktest_random(0x7fffffff) << ktest_random(34);
		was = standby;
		if (ftcp_repl_apply(&standby, &rec, false, 700, &applied) != FTCP_APPLY_OK) {
			EXPECT(!memcmp(&was, &standby, sizeof(was)));
			continue;
		}
		good++;
		EXPECT(applied.rcv_new <= rec.rcv_len && applied.snd_new <= rec.snd_len);
		f.env.alone = true;
		ftcp_repl_promote(&standby, &f.env, &fixture_config);
		EXPECT(!ftcp_tcb_check(&standby));
	}
	EXPECT(good > 0);
}

TEST(promote__speaks_first)
{
	struct ftcp_applied applied;
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f, g;

	fixture_open(&f, ALL, false);
	fixture_commit(&f);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	fixture_write(&f, 40000);
	ftcp_repl_collect(&f.tcb, 60000, &rec, &mark);
	memset(&g, 0, sizeof(g));
	EXPECT(ftcp_repl_apply(&g.tcb, &rec, true, 0, &applied) == FTCP_APPLY_OK);
	g.env = f.env;
	g.env.alone = true;
	g.env.ts_ms += FTCP_TS_TAKEOVER_MS;
	g.tsval = f.tsval;
	ftcp_repl_promote(&g.tcb, &g.env, &fixture_config);
	fixture_output(&g);
	EXPECT(g.n_out >= 1 && g.out[0].off == 0 && g.out[0].len > 0 && fixture_ack(&g) == 1000);
	EXPECT((s32)(g.out[0].tsval - (f.env.ts_ms + fixture_config.ts_off)) > 0);
	/* The predecessor may have sent all of it: an ACK for that is good. */
	EXPECT(fixture_give(&g, fixture_segment(&g, 1000, 0, 40000, 0)) == FTCP_REASON_NONE && g.tcb.hard.snd_una == 40000);
	ftcp_repl_kick(&g.tcb, &g.env);
	fixture_output(&g);
	EXPECT(g.n_out == 1 && g.out[0].len == 0);
}

TEST(promote__window_is_not_shrunk)
{
	struct ftcp_applied applied;
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f, g;
	u64 promised;

	fixture_open(&f, ALL, false);
	fixture_commit(&f);
	fixture_give(&f, fixture_segment(&f, 0, 50000, 0, 0));
	ftcp_repl_collect(&f.tcb, 60000, &rec, &mark);
	ftcp_repl_commit(&f.tcb, &f.env, &mark);
	fixture_output(&f);
	promised = fixture_ack(&f) + ((u64)f.out[0].wnd << FTCP_RCV_WSCALE);
	memset(&g, 0, sizeof(g));
	ftcp_repl_apply(&g.tcb, &rec, true, 0, &applied);
	g.env = f.env;
	g.env.alone = true;
	ftcp_repl_promote(&g.tcb, &g.env, &fixture_config);
	fixture_output(&g);
	EXPECT(fixture_ack(&g) + ((u64)g.out[0].wnd << FTCP_RCV_WSCALE) >= promised);
}

/* ---- output that no input made ---- */

TEST(collect__output_of_its_own_is_cut)
{
	struct ftcp_applied applied;
	struct ftcp_tcb standby = { 0 };
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f;
	u64 stored = 0;
	u32 n;

	fixture_open(&f, ALL, false);
	fixture_give(&f, fixture_segment(&f, 0, 300, 0, FTCP_FIN));	/* received, and nobody reads it */
	ftcp_tcb_append(&f.tcb, 50000);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	for (n = 1; n <= 5; n++) {
		ftcp_repl_collect(&f.tcb, 10000, &rec, &mark);
		EXPECT(!rec.partial && ftcp_repl_apply(&standby, &rec, n == 1, stored, &applied) == FTCP_APPLY_OK);
		stored = applied.snd_off + applied.snd_new;
		EXPECT(stored == n * 10000 && ftcp_tcb_data_end(&standby) == stored);
		ftcp_repl_commit(&f.tcb, &f.env, &mark);		/* each piece by itself */
		fixture_output(&f);
		EXPECT(f.n_out >= 1 && f.tcb.soft.snd_max <= n * 10000 + 1);
		fixture_give(&f, fixture_segment(&f, 301, 0, f.tcb.soft.snd_max, 0));
	}
	while (ftcp_repl_dirty(&f.tcb) != FTCP_CLEAN) {
		ftcp_repl_collect(&f.tcb, 10000, &rec, &mark);
		EXPECT(ftcp_repl_apply(&standby, &rec, false, stored, &applied) == FTCP_APPLY_OK);
		stored = applied.snd_off + applied.snd_new;
	}
	EXPECT(standby.hard.rcv_nxt == 301 && standby.hard.snd_end == 50001 && standby.hard.state == f.tcb.hard.state);
}

TEST(collect__an_answer_is_not_cut)
{
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f;

	fixture_open(&f, ALL, false);
	fixture_give(&f, fixture_segment(&f, 0, 300, 0, 0));
	ftcp_tcb_consume(&f.tcb, 100);
	ftcp_tcb_append(&f.tcb, 50000);
	ftcp_repl_collect(&f.tcb, 10000, &rec, &mark);
	EXPECT(rec.partial);
	while (ftcp_repl_dirty(&f.tcb) != FTCP_CLEAN)
		ftcp_repl_collect(&f.tcb, 10000, &rec, &mark);
	/* What is added now was not made from input; what is held of it is complete */
	ftcp_tcb_append(&f.tcb, 40000);
	ftcp_repl_collect(&f.tcb, 10000, &rec, &mark);
	EXPECT(!rec.partial && rec.hard.snd_end == 60000);
	ftcp_tcb_consume(&f.tcb, 100);
	ftcp_repl_collect(&f.tcb, 10000, &rec, &mark);
	EXPECT(rec.partial);
	ftcp_repl_resync(&f.tcb);
	ftcp_repl_collect(&f.tcb, 10000, &rec, &mark);
	EXPECT(rec.partial);
}
