// SPDX-License-Identifier: GPL-2.0
/* repl.c: the states of closing, each through a takeover of its own, and numbers that cannot be. */
#include "fixture.h"

#define ALL (FTCP_OPT_TS | FTCP_OPT_SACK_OK | FTCP_OPT_WSCALE)

/* Ship everything to a standby that knows nothing, and let that speak. Committed on the primary, too. */
static void mirror(struct fixture *f, struct ftcp_tcb *standby)
{
	struct ftcp_applied applied;
	struct ftcp_record rec;
	struct ftcp_mark mark;
	u64 stored = 0;
	bool fresh = true;

	memset(standby, 0, sizeof(*standby));
	ftcp_repl_resync(&f->tcb);
	do {
		ftcp_repl_collect(&f->tcb, 7000, &rec, &mark);
		if (fresh)
			stored = rec.hard.snd_una;
		EXPECT(ftcp_repl_apply(standby, &rec, fresh, stored, &applied) == FTCP_APPLY_OK);
		EXPECT(!applied.snd_new || applied.snd_off == stored);
		stored += applied.snd_new;
		fresh = false;
		ftcp_repl_commit(&f->tcb, &f->env, &mark);
	} while (ftcp_repl_dirty(&f->tcb) == FTCP_DIRTY_NOW);
	EXPECT(!f->tcb.soft.unsynced);
	EXPECT(!memcmp(&standby->hard, &f->tcb.hard, sizeof(standby->hard)));
	/* With our FIN acknowledged the store starts one above the last byte. */
	EXPECT(stored >= ftcp_tcb_data_end(standby) && stored <= standby->hard.snd_end);
}

static void take_over(struct fixture *f)
{
	struct ftcp_tcb standby;

	mirror(f, &standby);
	f->tcb = standby;
	f->env.alone = true;
	f->env.now_us = 5;		/* another host, another clock */
	f->env.ts_ms += FTCP_TS_TAKEOVER_MS;
	ftcp_repl_promote(&f->tcb, &f->env, &fixture_config);
	fixture_output(f);
}

/* Opened with the gate closed and everything so far committed. */
static void open_pair(struct fixture *f)
{
	fixture_open(f, ALL, false);
	fixture_commit(f);
}

TEST(takeover__close_wait_and_last_ack)
{
	struct fixture f;

	open_pair(&f);
	fixture_give(&f, fixture_segment(&f, 0, 100, 0, FTCP_FIN));
	take_over(&f);
	EXPECT(f.tcb.hard.state == FTCP_CLOSE_WAIT && fixture_ack(&f) == 101 && ftcp_tcb_readable(&f.tcb) == 100);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	fixture_output(&f);
	EXPECT(f.tcb.hard.state == FTCP_LAST_ACK);
	f.env.alone = false;
	take_over(&f);
	EXPECT(f.tcb.hard.state == FTCP_LAST_ACK && f.n_out >= 1 && (f.out[0].flags & FTCP_FIN) && fixture_ack(&f) == 101);
	/* The predecessor's FIN may have left without the ACK of the peer's: its FIN may still come again. */
	fixture_give(&f, fixture_segment(&f, 101, 0, 1, 0));
	EXPECT(f.tcb.hard.state == FTCP_TIME_WAIT);
}

TEST(fin__what_lies_beyond_it_is_forgotten)
{
	struct fixture f;

	open_pair(&f);
	fixture_give(&f, fixture_segment(&f, 101, 50, 0, 0));
	fixture_give(&f, fixture_segment(&f, 0, 100, 0, FTCP_FIN));
	EXPECT(f.tcb.hard.state == FTCP_CLOSE_WAIT && f.tcb.hard.rcv_nxt == 101 && !ftcp_tcb_check(&f.tcb));
}

TEST(takeover__fin_wait)
{
	struct fixture f;

	open_pair(&f);
	fixture_write(&f, 100);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	take_over(&f);
	EXPECT(f.tcb.hard.state == FTCP_FIN_WAIT_1 && f.n_out >= 1 && f.out[0].len == 100 && (f.out[0].flags & FTCP_FIN));
	fixture_give(&f, fixture_segment(&f, 0, 0, 101, 0));
	EXPECT(f.tcb.hard.state == FTCP_FIN_WAIT_2);
	f.env.alone = false;
	take_over(&f);
	EXPECT(f.tcb.hard.state == FTCP_FIN_WAIT_2);
	fixture_give(&f, fixture_segment(&f, 0, 7, 101, FTCP_FIN));
	EXPECT(f.tcb.hard.state == FTCP_TIME_WAIT && f.in.keep_len == 7 && fixture_ack(&f) == 8);
}

TEST(takeover__closing)
{
	struct fixture f;

	open_pair(&f);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	fixture_commit(&f);
	fixture_give(&f, fixture_segment(&f, 0, 0, 0, FTCP_FIN));
	EXPECT(f.tcb.hard.state == FTCP_CLOSING);
	take_over(&f);
	EXPECT(f.tcb.hard.state == FTCP_CLOSING && f.n_out >= 1 && (f.out[0].flags & FTCP_FIN) && fixture_ack(&f) == 1);
	fixture_give(&f, fixture_segment(&f, 1, 0, 1, 0));
	EXPECT(f.tcb.hard.state == FTCP_TIME_WAIT);
}

TEST(takeover__time_wait_answers_and_ends)
{
	struct fixture f;

	open_pair(&f);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	fixture_commit(&f);
	fixture_give(&f, fixture_segment(&f, 0, 0, 1, FTCP_FIN));
	EXPECT(f.tcb.hard.state == FTCP_TIME_WAIT);
	EXPECT(fixture_ack(&f) <= 0);			/* not before the standby knows of the FIN */
	take_over(&f);
	EXPECT(f.tcb.hard.state == FTCP_TIME_WAIT && fixture_ack(&f) <= 1);
	fixture_give(&f, fixture_segment(&f, 0, 0, 1, FTCP_FIN));
	EXPECT(fixture_ack(&f) == 1);
	EXPECT(fixture_pass(&f, FTCP_TIME_WAIT_US + FTCP_S_US) & FTCP_EV_CLOSED);
}

TEST(takeover__timestamps_do_not_go_back)
{
	struct fixture f;
	u32 last, i;

	open_pair(&f);
	f.env.now_us += 3000000;
	f.env.ts_ms += 3000;		/* it wraps here */
	fixture_give(&f, fixture_segment(&f, 0, 100, 0, 0));
	fixture_commit(&f);
	last = f.out[0].tsval;
	take_over(&f);
	EXPECT(f.n_out);
	for (i = 0; i < f.n_out; i++)
		EXPECT((f.out[i].opts & FTCP_OPT_TS) && (s32)(f.out[i].tsval - last) > 0 && f.out[i].tsecr == f.tsval);
}

TEST(commit__a_larger_window_waits_for_it)
{
	struct fixture f;
	u64 before, edge;

	open_pair(&f);
	while (f.tcb.hard.rcv_edge - f.tcb.hard.rcv_nxt >= 20000) {
		fixture_give(&f, fixture_segment(&f, f.tcb.hard.rcv_nxt, 20000, 0, 0));
		fixture_commit(&f);
	}
	before = f.tcb.soft.rcv_adv;
	ftcp_tcb_consume(&f.tcb, ftcp_tcb_readable(&f.tcb));
	fixture_output(&f);
	EXPECT(!f.n_out || fixture_ack(&f) + ((u64)f.out[0].wnd << FTCP_RCV_WSCALE) <= before + 127);
	EXPECT(ftcp_repl_dirty(&f.tcb) == FTCP_DIRTY_NOW);
	fixture_commit(&f);
	EXPECT(f.n_out == 1);
	edge = fixture_ack(&f) + ((u64)f.out[0].wnd << FTCP_RCV_WSCALE);
	EXPECT(edge > before + 50000);
}

TEST(restart__half_staged)
{
	struct ftcp_applied applied;
	struct ftcp_tcb standby = { 0 };
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f;
	u64 stored = 0;
	u32 n;

	fixture_open(&f, ALL, false);
	fixture_write(&f, 5000);
	for (n = 0; n < 20; n++) {
		if (n == 2 || n == 3) {		/* the acknowledgements of two batches are lost */
			ftcp_repl_restart(&f.tcb);
			EXPECT(ftcp_repl_dirty(&f.tcb) == FTCP_DIRTY_NOW);
		}
		if (ftcp_repl_dirty(&f.tcb) != FTCP_DIRTY_NOW)
			break;
		ftcp_repl_collect(&f.tcb, 1500, &rec, &mark);
		EXPECT(ftcp_repl_apply(&standby, &rec, !n, stored, &applied) == FTCP_APPLY_OK);
		EXPECT(!applied.snd_new || applied.snd_off == stored);
		stored += applied.snd_new;
	}
	EXPECT(n < 20 && stored == 5000 && standby.hard.snd_end == 5000);
	ftcp_repl_commit(&f.tcb, &f.env, &mark);
	fixture_output(&f);
	EXPECT(f.n_out == 1 && f.out[0].len == 5000);
}

TEST(apply__numbers_that_cannot_be_are_bad)
{
	struct ftcp_applied applied;
	struct ftcp_tcb standby;
	struct ftcp_record rec, wrong;
	struct ftcp_mark mark;
	struct fixture f;
	u32 n;

	fixture_open(&f, ALL, false);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	ftcp_tcb_append(&f.tcb, 700);
	ftcp_repl_collect(&f.tcb, 60000, &rec, &mark);
	for (n = 0; n < 8; n++) {
		wrong = rec;
		switch (n) {
		case 0: wrong.hard.consumed = 1001; break;
		case 1: wrong.hard.rcv_nxt = wrong.hard.rcv_edge + 100000; break;
		case 2: wrong.hard.snd_una = 701; break;
		case 3: wrong.hard.snd_end = ~0ull; break;
		case 4: wrong.hard.rcv_wscale = 15; break;
		case 5: wrong.hard.snd_wscale = 15; break;
		case 6: wrong.hard.mss_bytes = 0; break;
		case 7: wrong.hard.rcv_edge = ~0ull; break;
		}
		memset(&standby, 0, sizeof(standby));
		EXPECT(ftcp_repl_apply(&standby, &wrong, true, 0, &applied) != FTCP_APPLY_OK);
	}
}

TEST(apply__the_largest_scales_are_good)
{
	struct ftcp_applied applied;
	struct ftcp_tcb standby = { 0 };
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f;

	fixture_open(&f, ALL, false);
	ftcp_repl_collect(&f.tcb, 60000, &rec, &mark);
	rec.hard.snd_wscale = 14;
	rec.hard.rcv_wscale = 14;
	EXPECT(ftcp_repl_apply(&standby, &rec, true, 0, &applied) == FTCP_APPLY_OK);
}

TEST(reset__carries_both_timestamps)
{
	struct ftcp_segment rst;
	struct fixture f;

	fixture_open(&f, ALL, true);
	f.tsval = 7777;
	fixture_give(&f, fixture_segment(&f, 0, 10, 0, 0));
	ftcp_tcb_abort(&f.tcb);
	ftcp_tcb_reset(&f.tcb, &f.env, &rst);
	EXPECT((rst.opts & FTCP_OPT_TS) && rst.tsecr == 7777 && rst.tsval == f.env.ts_ms + fixture_config.ts_off);
}
