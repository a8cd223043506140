// SPDX-License-Identifier: GPL-2.0
/* doubt.c: async, and who takes over asks the client first. */
#include "fixture.h"

#define ALL (FTCP_OPT_TS | FTCP_OPT_SACK_OK | FTCP_OPT_WSCALE)
#define MS 1000ull

/* A connection as it was opened, but async. */
static void open_async(struct fixture *f, u8 opts)
{
	fixture_open(f, opts, false);
	f->tcb.hard.flags |= FTCP_HARD_ASYNC;
}

/* What the standby holds after one record; @f goes on without it. */
static void ship(struct fixture *f, struct ftcp_tcb *standby, u32 room)
{
	u64 stored = standby->hard.state ? standby->hard.snd_end : 0;
	bool fresh = !standby->hard.state;
	struct ftcp_applied applied;
	struct ftcp_record rec;
	struct ftcp_mark mark;

	ftcp_repl_collect(&f->tcb, room, &rec, &mark);
	EXPECT(ftcp_repl_apply(standby, &rec, fresh, stored, &applied) == FTCP_APPLY_OK);
}

/* @g goes on from @standby, on a host of its own. */
static void take_over(struct fixture *g, const struct fixture *f, const struct ftcp_tcb *standby)
{
	memset(g, 0, sizeof(*g));
	g->tcb = *standby;
	g->env = f->env;
	g->env.ts_ms += FTCP_TS_TAKEOVER_MS;
	g->env.alone = true;
	g->tsval = f->tsval + 1;
	ftcp_repl_promote(&g->tcb, &g->env, &fixture_config);
	fixture_output(g);
}

/* The usual case: 1000 bytes were read, 500 of the answer are known to the standby. */
static void taken_over(struct fixture *g, u8 opts)
{
	struct ftcp_tcb standby = {};
	struct fixture f;

	open_async(&f, opts);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	ftcp_tcb_consume(&f.tcb, 1000);
	fixture_write(&f, 500);
	ship(&f, &standby, 60000);
	take_over(g, &f, &standby);
}

/* The client's answer, with what it last heard of this host in its timestamp. */
static struct ftcp_segment answer(const struct fixture *g, u64 off, u32 len, u64 ack)
{
	struct ftcp_segment seg = fixture_segment(g, off, len, ack, 0);

	seg.tsecr = g->env.ts_ms + g->tcb.hard.ts_off;
	return seg;
}

static u64 sent_top(const struct fixture *f)
{
	u64 top = 0;
	u32 i;

	for (i = 0; i < f->n_out; i++)
		if (f->out[i].len && f->out[i].off + f->out[i].len > top)
			top = f->out[i].off + f->out[i].len;
	return top;
}

TEST(async__nothing_waits_for_the_commit)
{
	struct fixture f;

	open_async(&f, ALL);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	EXPECT(fixture_ack(&f) == 1000);
	ftcp_tcb_consume(&f.tcb, 1000);
	fixture_write(&f, 500);
	EXPECT(sent_top(&f) == 500);
	EXPECT(!f.tcb.soft.committed.snd && !f.tcb.soft.committed.rcv);
	EXPECT(!ftcp_tcb_check(&f.tcb));
}

TEST(doubt__nothing_new_before_the_client_has_answered)
{
	struct fixture g;

	taken_over(&g, ALL);
	EXPECT(g.tcb.soft.doubt && sent_top(&g) == 500);	/* what the standby held is sent again */
	EXPECT(ftcp_repl_dirty(&g.tcb) == FTCP_CLEAN);
	fixture_write(&g, 300);
	EXPECT(sent_top(&g) <= 500);
	fixture_pass(&g, 600 * MS);
	EXPECT(sent_top(&g) <= 500);
	fixture_give(&g, answer(&g, 1000, 0, 500));
	EXPECT(!g.tcb.soft.doubt && sent_top(&g) == 800);
	EXPECT(ftcp_repl_dirty(&g.tcb) == FTCP_DIRTY_NOW);
	EXPECT(!ftcp_tcb_check(&g.tcb));
}

TEST(doubt__an_answer_too_early_settles_nothing)
{
	struct fixture g;

	taken_over(&g, ALL);
	fixture_give(&g, answer(&g, 1000, 0, 500));
	EXPECT(g.tcb.soft.doubt);
	fixture_pass(&g, (FTCP_DOUBT_OLD_MS - 10) * MS);
	fixture_give(&g, answer(&g, 1000, 0, 500));
	EXPECT(g.tcb.soft.doubt);
	fixture_pass(&g, 20 * MS);
	fixture_give(&g, answer(&g, 1000, 0, 500));
	EXPECT(!g.tcb.soft.doubt);
}

TEST(doubt__nor_one_that_was_meant_for_the_predecessor)
{
	struct ftcp_segment old;
	struct fixture g;

	taken_over(&g, ALL);
	fixture_pass(&g, 600 * MS);
	old = answer(&g, 1000, 0, 500);
	old.tsecr = g.tcb.soft.ts_floor - 1;
	fixture_give(&g, old);
	EXPECT(g.tcb.soft.doubt);
}

TEST(doubt__asks_again_and_again)
{
	struct fixture g;
	u32 asked = 0, i, k;

	taken_over(&g, ALL);
	for (i = 0; i < 40; i++) {
		fixture_pass(&g, 100 * MS);
		for (k = 0; k < g.n_out; k++)
			asked += !g.out[k].len && g.out[k].seq.v == SERVER_ISS;	/* one below what the client has not acknowledged */
	}
	EXPECT(asked >= 2 && asked <= 5);
	EXPECT(g.tcb.soft.doubt && ftcp_next_deadline(&g.tcb));
}

TEST(doubt__a_client_that_never_answers_is_given_up)
{
	struct fixture g;
	u32 events = 0, i;

	taken_over(&g, ALL);
	g.tcb.soft.user_timeout_ms = 60000;
	for (i = 0; i < 120 && !(events & FTCP_EV_CLOSED); i++)
		events |= fixture_pass(&g, 1000 * MS);
	EXPECT(events & FTCP_EV_TIMEOUT && events & FTCP_EV_CLOSED && i >= 59);
}

/* Aborted, with a reset that the client takes (RFC 5961, 3.2). */
static void expect_behind(struct fixture *g, struct ftcp_segment seg)
{
	struct ftcp_segment rst;

	EXPECT(fixture_give(g, seg) == FTCP_REASON_BEHIND);
	EXPECT(g->in.events & FTCP_EV_BEHIND && g->in.events & FTCP_EV_CLOSED);
	EXPECT(g->tcb.hard.state == FTCP_CLOSED && g->tcb.hard.flags & FTCP_HARD_RESET);
	ftcp_tcb_reset(&g->tcb, &g->env, &rst);
	EXPECT(rst.seq.v == seg.ack.v);
	EXPECT(!ftcp_tcb_check(&g->tcb));
}

TEST(doubt__output_lost__acknowledged)
{
	struct fixture g;

	taken_over(&g, ALL);
	expect_behind(&g, answer(&g, 1000, 0, 501));
}

TEST(doubt__output_lost__held_as_an_island)
{
	struct ftcp_segment seg;
	struct fixture g;

	taken_over(&g, ALL);
	seg = answer(&g, 1000, 0, 300);
	seg.n_sacks = 1;
	seg.sacks[0].from = ftcp_seq_of(SERVER_ISS, 400);
	seg.sacks[0].to = ftcp_seq_of(SERVER_ISS, 501);
	expect_behind(&g, seg);
}

TEST(doubt__an_island_within_what_is_known_is_none_of_that)
{
	struct ftcp_segment seg;
	struct fixture g;

	taken_over(&g, ALL);
	fixture_pass(&g, 600 * MS);
	seg = answer(&g, 1000, 0, 300);
	seg.n_sacks = 1;
	seg.sacks[0].from = ftcp_seq_of(SERVER_ISS, 400);
	seg.sacks[0].to = ftcp_seq_of(SERVER_ISS, 500);
	EXPECT(fixture_give(&g, seg) == FTCP_REASON_NONE);
	EXPECT(!g.tcb.soft.doubt);
}

TEST(doubt__without_sack_nobody_can_tell)
{
	struct fixture g;

	taken_over(&g, FTCP_OPT_TS | FTCP_OPT_WSCALE);
	expect_behind(&g, answer(&g, 1000, 0, 500));
}

TEST(doubt__input_lost)
{
	struct fixture g;
	u32 i;

	taken_over(&g, ALL);
	for (i = 0; i <= FTCP_DOUBT_GAP_S; i++) {
		EXPECT(fixture_give(&g, answer(&g, 1200, 0, 500)) == FTCP_REASON_NONE);
		fixture_give(&g, answer(&g, 1200, 100, 500));
		EXPECT(g.tcb.soft.doubt);
		fixture_pass(&g, 1000 * MS);
	}
	fixture_pass(&g, 1000 * MS);
	expect_behind(&g, answer(&g, 1200, 0, 500));
}

TEST(doubt__input_that_was_only_late)
{
	struct fixture g;

	taken_over(&g, ALL);
	fixture_pass(&g, 600 * MS);
	fixture_give(&g, answer(&g, 1200, 100, 500));
	EXPECT(g.tcb.soft.doubt && g.tcb.soft.doubt_gap_s);
	fixture_pass(&g, 5000 * MS);
	fixture_give(&g, answer(&g, 1000, 200, 500));
	EXPECT(!g.tcb.soft.doubt && g.tcb.hard.rcv_nxt == 1300);
}

TEST(doubt__a_keepalive_does_not_fill_a_gap)
{
	struct fixture g;

	taken_over(&g, ALL);
	fixture_pass(&g, 600 * MS);
	fixture_give(&g, answer(&g, 1001, 0, 500));
	fixture_give(&g, answer(&g, 1000, 0, 500));	/* RFC 9293, 3.8.4: SND.NXT - 1 */
	EXPECT(g.tcb.soft.doubt);
}

TEST(doubt__a_stranger_does_not_end_it)
{
	struct fixture g;

	taken_over(&g, ALL);
	EXPECT(fixture_give(&g, answer(&g, 1000, 0, 1ull << 30)) == FTCP_REASON_ACK_FUTURE);
	fixture_give(&g, answer(&g, 1ull << 30, 0, 501));
	EXPECT(g.tcb.soft.doubt && g.tcb.hard.state == FTCP_ESTABLISHED);
}

TEST(doubt__an_option_of_the_program_does_not_stop_the_questions)
{
	struct fixture g;

	taken_over(&g, ALL);
	ftcp_tcb_keepalive(&g.tcb, &g.env, 0, 0, 0);
	EXPECT(ftcp_next_deadline(&g.tcb));
	fixture_pass(&g, 600 * MS);
	fixture_give(&g, answer(&g, 1000, 0, 500));
	EXPECT(!g.tcb.soft.doubt && !g.tcb.soft.timers.keepalive_us);
}

/* More output than fits a record goes ahead of it: the client may have acknowledged some by then. */
TEST(torn__the_client_has_output_beyond_the_moment_that_is_held)
{
	struct ftcp_tcb standby = {};
	struct fixture f, g;

	open_async(&f, ALL);
	ship(&f, &standby, 60000);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	ftcp_tcb_consume(&f.tcb, 1000);
	fixture_write(&f, 3000);
	fixture_give(&f, fixture_segment(&f, 1000, 0, 1000, 0));
	ship(&f, &standby, 500);
	EXPECT(standby.soft.torn);
	take_over(&g, &f, &standby);
	EXPECT(g.tcb.soft.torn && !ftcp_tcb_readable(&g.tcb) && !ftcp_tcb_writable(&g.tcb));
	expect_behind(&g, answer(&g, 1000, 0, 1000));
}

TEST(torn__until_the_rest_has_come)
{
	struct ftcp_tcb standby = {};
	struct fixture f;

	open_async(&f, ALL);
	ship(&f, &standby, 60000);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	ftcp_tcb_consume(&f.tcb, 1000);
	fixture_write(&f, 3000);
	fixture_give(&f, fixture_segment(&f, 1000, 0, 1000, 0));
	ship(&f, &standby, 500);
	EXPECT(standby.soft.torn);
	fixture_give(&f, fixture_segment(&f, 1000, 0, 3000, 0));
	ship(&f, &standby, 60000);
	EXPECT(!standby.soft.torn && standby.hard.consumed == 1000 && standby.hard.snd_end == 3000);
}

TEST(apply__async_is_agreed_on_for_good)
{
	struct ftcp_tcb standby = {};
	struct ftcp_applied applied;
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f;

	open_async(&f, ALL);
	ship(&f, &standby, 60000);
	fixture_write(&f, 10);
	ftcp_repl_collect(&f.tcb, 60000, &rec, &mark);
	rec.hard.flags &= ~FTCP_HARD_ASYNC;
	EXPECT(ftcp_repl_apply(&standby, &rec, false, 0, &applied) == FTCP_APPLY_BAD);
}
