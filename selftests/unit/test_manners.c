// SPDX-License-Identifier: GPL-2.0
/* How a connection behaves towards its peer and the path: delayed ACKs, Nagle, ECN, buffers that grow, path MTU, PAWS with age. */
#include "fixture.h"

#define ALL (FTCP_OPT_TS | FTCP_OPT_SACK_OK | FTCP_OPT_WSCALE)
#define MSS 1448

/* Past the ACKs that are never delayed. */
static u64 settle(struct fixture *f, u8 opts)
{
	u64 off = 0;

	fixture_open(f, opts, true);
	f->tcb.soft.rtt.min_us = FTCP_NEAR_US;
	for (; f->tcb.soft.quick_acks; off += MSS) {
		fixture_give(f, fixture_segment(f, off, MSS, 0, 0));
		EXPECT(f->n_out == 1 && fixture_ack(f) == (s64)(off + MSS));
		ftcp_tcb_consume(&f->tcb, MSS);
		fixture_output(f);
	}
	return off;
}

/* ---- delayed ACKs: RFC 9293, 3.8.6.3 ---- */

TEST(delayed_ack__every_second_segment)
{
	struct fixture f;
	u64 off = settle(&f, ALL);

	fixture_give(&f, fixture_segment(&f, off, MSS, 0, 0));
	EXPECT(f.n_out == 0);
	fixture_give(&f, fixture_segment(&f, off + MSS, MSS, 0, 0));
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)(off + 2 * MSS));
}

/* The end of a write, and nothing behind it: its sender waits for no more than two round trips (RFC 8985, 7.2). */
TEST(delayed_ack__not_for_more_than_one)
{
	struct fixture f;
	u64 off = settle(&f, ALL);

	fixture_give(&f, fixture_segment(&f, off, MSS, 0, 0));
	EXPECT(f.n_out == 0);
	fixture_give(&f, fixture_segment(&f, off + MSS, 1, 0, 0));
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)(off + MSS + 1));
}

/* More of them are being received at this moment: one ACK for all, but not for a whole window. */
TEST(delayed_ack__one_for_a_burst)
{
	struct fixture f;
	u64 off = settle(&f, ALL);
	u32 i;

	f.tcb.soft.burst = true;
	for (i = 0; i < 4; i++, off += MSS) {
		fixture_give(&f, fixture_segment(&f, off, MSS, 0, 0));
		EXPECT(!f.n_out);
	}
	f.tcb.soft.burst = false;
	fixture_output(&f);
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)off);
	ftcp_tcb_consume(&f.tcb, 4 * MSS);
	f.tcb.soft.burst = true;
	for (i = 0, f.n_out = 0; i < FTCP_BURST_MAX_BYTES / MSS + 1 && !f.n_out; i++, off += MSS) {
		fixture_give(&f, fixture_segment(&f, off, MSS, 0, 0));
		ftcp_tcb_consume(&f.tcb, MSS);
	}
	EXPECT(f.n_out == 1 && i > 2);
}

/* A burst that the program has not read yet: when it does, it acknowledges all of it, and if it does not, the timer does. */
static u64 unread_burst(struct fixture *f)
{
	u64 off = settle(f, ALL);
	u32 i;

	f->tcb.soft.burst = true;
	for (i = 0; i < 12; i++, off += MSS) {
		fixture_give(f, fixture_segment(f, off, MSS, 0, 0));
		EXPECT(!f->n_out);
	}
	EXPECT(ftcp_tcb_may_wait(&f->tcb, &f->env));
	f->tcb.soft.burst = false;
	EXPECT(!ftcp_tcb_may_wait(&f->tcb, &f->env));
	fixture_output(f);
	EXPECT(!f->n_out);
	return off;
}

TEST(delayed_ack__when_the_burst_is_read)
{
	struct fixture f;
	u64 off = unread_burst(&f);

	ftcp_tcb_read(&f.tcb, MSS);
	EXPECT(ftcp_tcb_read_tells(&f.tcb));
	fixture_output(&f);
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)off);
	ftcp_tcb_read(&f.tcb, MSS);
	EXPECT(!ftcp_tcb_read_tells(&f.tcb));
}

TEST(delayed_ack__when_nobody_reads)
{
	struct fixture f;
	u64 off = unread_burst(&f);

	fixture_pass(&f, FTCP_ACK_DELAY_US);
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)off);
}

TEST(burst__waits_with_nothing_else)
{
	struct fixture f;
	u64 off = settle(&f, ALL);

	f.tcb.soft.burst = true;
	fixture_give(&f, fixture_segment(&f, off, MSS, 0, 0));
	EXPECT(!f.n_out && ftcp_tcb_may_wait(&f.tcb, &f.env));
	/* A hole is told of at once. */
	fixture_give(&f, fixture_segment(&f, off + 3 * MSS, MSS, 0, 0));
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)(off + MSS));
	f.tcb.soft.ack_now = true;
	EXPECT(!ftcp_tcb_may_wait(&f.tcb, &f.env));
	f.tcb.soft.ack_now = false;
	/* So is what the program has written. */
	f.tcb.hard.snd_end += 10;
	EXPECT(!ftcp_tcb_may_wait(&f.tcb, &f.env));
}

/* As settle(), with room for a burst that its ACK is held back for. */
static u64 settle_roomy(struct fixture *f)
{
	u64 off = settle(f, ALL);

	f->tcb.hard.rcv_buf_bytes = 16 * FTCP_HOLD_MIN_BYTES;
	ftcp_tcb_consume(&f->tcb, 0);
	fixture_output(f);
	return off;
}

/* A longer path's sender needs its ACKs, for what it measures by them. */
TEST(burst__of_a_long_path)
{
	struct fixture f;
	u64 off = settle_roomy(&f);
	u32 i;

	f.tcb.soft.rtt.min_us = FTCP_NEAR_US + 1;
	f.tcb.soft.burst = true;
	for (i = 1; i <= 2 * (FTCP_BURST_FAR_STEPS + 1); i++, off += MSS) {
		fixture_give(&f, fixture_segment(&f, off, MSS, 0, 0));
		EXPECT(f.n_out == !(i % (FTCP_BURST_FAR_STEPS + 1)));
		ftcp_tcb_consume(&f.tcb, MSS);
	}
	EXPECT(!ftcp_tcb_may_hold(&f.tcb, &f.env));
}

/* After a burst of so much its ACK waits for more of the kind, but not for more than a burst may have. */
TEST(burst__ack_is_held)
{
	struct fixture f;
	u64 off = settle_roomy(&f);
	u32 i;

	f.tcb.soft.burst = true;
	for (i = 0; i < 100 && !ftcp_tcb_may_hold(&f.tcb, &f.env); i++, off += MSS)
		fixture_give(&f, fixture_segment(&f, off, MSS, 0, 0));
	EXPECT(i < 100 && !f.n_out && off - f.tcb.soft.rcv_ack >= FTCP_HOLD_MIN_BYTES);
	f.tcb.soft.burst = false;
	f.tcb.soft.held = true;
	ftcp_tcb_consume(&f.tcb, f.tcb.hard.rcv_nxt - f.tcb.hard.consumed);
	fixture_output(&f);
	EXPECT(!f.n_out);
	/* What comes meanwhile is read at once. */
	fixture_give(&f, fixture_segment(&f, off, MSS, 0, 0));
	EXPECT(!f.n_out && !ftcp_tcb_may_wait(&f.tcb, &f.env));
	off += MSS;
	f.tcb.soft.held = false;
	fixture_output(&f);
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)off);
}

/* ... and such a burst, which is not over. */
static u64 settle_burst(struct fixture *f)
{
	u64 off = settle_roomy(f);
	u32 i;

	f->tcb.soft.burst = true;
	for (i = 0; i <= FTCP_HOLD_MIN_BYTES / MSS; i++, off += MSS)
		fixture_give(f, fixture_segment(f, off, MSS, 0, 0));
	return off;
}

/* Not what is urgent, what the standby has to hold first, or what the peer waits for with little. */
TEST(burst__ack_that_is_not_held)
{
	struct fixture f;
	u64 off = settle_burst(&f);

	EXPECT(ftcp_tcb_may_hold(&f.tcb, &f.env));
	f.env.alone = false;
	EXPECT(!ftcp_tcb_may_hold(&f.tcb, &f.env));
	f.env.alone = true;
	f.tcb.soft.quick_acks = 1;
	EXPECT(!ftcp_tcb_may_hold(&f.tcb, &f.env));
	f.tcb.soft.quick_acks = 0;
	f.tcb.soft.rtt.min_us = FTCP_NEAR_US + 1;
	EXPECT(!ftcp_tcb_may_hold(&f.tcb, &f.env));
	f.tcb.soft.rtt.min_us--;
	EXPECT(ftcp_tcb_may_hold(&f.tcb, &f.env));
	fixture_give(&f, fixture_segment(&f, off + MSS, MSS, 0, 0));
	EXPECT(f.n_out == 1 && !ftcp_tcb_may_hold(&f.tcb, &f.env));
}

/* Its read acknowledges at once. */
TEST(burst__ack_for_a_program)
{
	struct fixture f;
	u64 off = settle_burst(&f);

	EXPECT(!f.n_out && !ftcp_tcb_burst_over(&f.tcb, &f.env, false));
	ftcp_tcb_consume(&f.tcb, f.tcb.hard.rcv_nxt - f.tcb.hard.consumed);
	fixture_output(&f);
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)off);
}

/* How an island grows in one moment is told once, when the peer knows of the loss. */
TEST(burst__duplicate_acks_are_joined)
{
	struct fixture f;
	u64 off = settle(&f, ALL), end;
	u32 i;

	f.tcb.soft.burst = true;
	for (i = 1; i <= 10; i++) {
		fixture_give(&f, fixture_segment(&f, off + i * MSS, MSS, 0, 0));
		EXPECT(f.n_out == (i <= 4));
	}
	end = off + i * MSS;
	f.tcb.soft.burst = false;
	fixture_output(&f);
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)off);
	EXPECT(ftcp_seq_off(f.tcb.hard.irs, f.out[0].sacks[0].to, off) == (s64)end);
	f.n_out = 0;
	fixture_output(&f);
	EXPECT(!f.n_out);
	/* Another hole, what came twice, and what fills the gap: at once. */
	f.tcb.soft.burst = true;
	fixture_give(&f, fixture_segment(&f, end + MSS, MSS, 0, 0));
	EXPECT(f.n_out == 1);
	fixture_give(&f, fixture_segment(&f, off + 2 * MSS, MSS, 0, 0));
	EXPECT(f.n_out == 1);
	fixture_give(&f, fixture_segment(&f, off, MSS, 0, 0));
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)end);
}

TEST(burst__duplicate_acks_without_sack)
{
	struct fixture f;
	u64 off = settle(&f, ALL & ~FTCP_OPT_SACK_OK);
	u32 i;

	f.tcb.soft.burst = true;
	for (i = 1; i <= 10; i++) {
		fixture_give(&f, fixture_segment(&f, off + i * MSS, MSS, 0, 0));
		EXPECT(f.n_out == 1);
	}
}

/* What the standby must hold first is acknowledged when it does. */
TEST(delayed_ack__protected_is_not_left_to_the_reader)
{
	struct fixture f;

	unread_burst(&f);
	f.env.alone = false;
	fixture_output(&f);
	EXPECT(f.n_out == 1);
}

TEST(delayed_ack__not_for_long)
{
	struct fixture f;
	u64 off = settle(&f, ALL);

	fixture_give(&f, fixture_segment(&f, off, 10, 0, 0));
	EXPECT(f.n_out == 0);
	fixture_pass(&f, FTCP_ACK_DELAY_US - 1);
	EXPECT(f.n_out == 0);
	fixture_pass(&f, 1);
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)(off + 10) && FTCP_ACK_DELAY_US < 500 * FTCP_MS_US);
}

TEST(delayed_ack__rides_on_data)
{
	struct fixture f;
	u64 off = settle(&f, ALL);

	fixture_give(&f, fixture_segment(&f, off, 10, 0, 0));
	fixture_write(&f, 10);
	EXPECT(f.n_out == 1 && f.out[0].len == 10 && fixture_ack(&f) == (s64)(off + 10));
	fixture_pass(&f, FTCP_ACK_DELAY_US);
	EXPECT(f.n_out == 0);
}

TEST(delayed_ack__at_once_for_a_gap_and_a_fin)
{
	struct fixture f;
	u64 off = settle(&f, ALL);

	fixture_give(&f, fixture_segment(&f, off + 10, 10, 0, 0));
	EXPECT(f.n_out == 1);
	fixture_give(&f, fixture_segment(&f, off, 10, 0, 0));
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)(off + 20));
	fixture_give(&f, fixture_segment(&f, off + 20, 0, 0, FTCP_FIN));
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)(off + 21));
}

TEST(delayed_ack__what_comes_twice_is_answered)
{
	struct fixture f;
	u64 off = settle(&f, ALL);

	fixture_give(&f, fixture_segment(&f, off, 10, 0, 0));
	EXPECT(f.n_out == 0);
	fixture_give(&f, fixture_segment(&f, off, 10, 0, 0));
	EXPECT(f.n_out == 1 && fixture_ack(&f) == (s64)(off + 10));
	/* RFC 2883: that it came twice, or a tail loss probe is taken for the repair of a loss (RFC 8985, 7.4.2) */
	EXPECT(f.out[0].n_sacks == 1 && f.out[0].sacks[0].to.v == f.out[0].ack.v);
}

TEST(delayed_ack__not_after_a_pause)
{
	struct fixture f;
	u64 off = settle(&f, ALL);

	fixture_pass(&f, 5 * FTCP_S_US);
	fixture_give(&f, fixture_segment(&f, off, 10, 0, 0));
	EXPECT(f.n_out == 1 && f.tcb.soft.quick_acks == FTCP_QUICK_ACKS - 1);
}

/* ---- Nagle: RFC 9293, 3.7.4 ---- */

TEST(nagle__the_tail_waits)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	f.tcb.soft.nagle = true;
	fixture_write(&f, 100);
	EXPECT(f.n_out == 1 && f.out[0].len == 100);
	fixture_write(&f, 100);
	EXPECT(f.n_out == 0);
	fixture_write(&f, MSS);
	EXPECT(f.n_out == 1 && f.out[0].len == MSS);
	fixture_give(&f, fixture_segment(&f, 0, 0, 100 + MSS, 0));
	EXPECT(f.n_out == 1 && f.out[0].len == 100);
}

/* RFC 9293, A.3: the end of an answer must not wait for the delayed ACK of what came before it. */
TEST(nagle__behind_full_packets_the_tail_goes)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	f.tcb.soft.nagle = true;
	fixture_write(&f, MSS);
	EXPECT(f.n_out == 1 && f.out[0].len == MSS);
	fixture_write(&f, 100);
	EXPECT(f.n_out == 1 && f.out[0].len == 100);
	fixture_write(&f, 100);
	EXPECT(f.n_out == 0);
	fixture_give(&f, fixture_segment(&f, 0, 0, MSS + 100, 0));
	EXPECT(f.n_out == 1 && f.out[0].len == 100);
}

TEST(cork__whole_packets_go)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	f.tcb.soft.corked = true;
	fixture_write(&f, MSS + 100);
	EXPECT(f.n_out == 1 && f.out[0].len == MSS);
	fixture_write(&f, MSS - 99);
	EXPECT(f.n_out == 1 && f.out[0].len == MSS);
	f.tcb.soft.corked = false;
	fixture_output(&f);
	EXPECT(f.n_out == 1 && f.out[0].len == 1);
}

/* As a file is sent: only whole large segments while something is on its way; what is left goes when nothing is any more. */
TEST(cork__more_at_once)
{
	const u32 whole = FTCP_SEGMENT_MAX_BYTES / MSS * MSS;
	struct fixture f;
	u32 i;

	fixture_open(&f, ALL, true);
	f.tcb.soft.cong.cwnd_bytes = 4 * whole;
	f.tcb.hard.snd_wnd = 4 * whole;
	f.tcb.soft.corked = true;
	f.tcb.soft.more_at_once = true;
	fixture_write(&f, MSS);
	EXPECT(f.n_out == 1 && f.out[0].len == MSS);
	for (i = 0; i < whole / MSS - 1; i++) {
		fixture_write(&f, MSS);
		EXPECT(f.n_out == 0);
	}
	fixture_write(&f, MSS + 10);
	EXPECT(f.n_out == 1 && f.out[0].len == whole);
	fixture_write(&f, MSS);
	EXPECT(f.n_out == 0);
	fixture_give(&f, fixture_segment(&f, 0, 0, whole + MSS, 0));
	EXPECT(f.n_out == 1 && f.out[0].len == MSS);
}

TEST(snd_buf__follows_the_congestion_window)
{
	struct fixture f;
	u32 before;

	fixture_open(&f, ALL, true);
	before = f.tcb.hard.snd_buf_bytes;
	f.tcb.soft.cong.cwnd_bytes = before / 2;
	ftcp_tcb_grow_snd_buf(&f.tcb, 4 * before);
	EXPECT(f.tcb.hard.snd_buf_bytes == before);
	f.tcb.soft.cong.cwnd_bytes = before;
	f.tcb.soft.share_bytes = 1000;
	ftcp_tcb_grow_snd_buf(&f.tcb, 4 * before);
	EXPECT(f.tcb.hard.snd_buf_bytes == before);
	f.tcb.soft.share_bytes = 0;
	ftcp_tcb_grow_snd_buf(&f.tcb, 4 * before);
	EXPECT(f.tcb.hard.snd_buf_bytes == 2 * before);
	f.tcb.soft.cong.cwnd_bytes = 8 * before;
	ftcp_tcb_grow_snd_buf(&f.tcb, 4 * before);
	EXPECT(f.tcb.hard.snd_buf_bytes == 4 * before);
}

TEST(nagle__not_before_a_fin)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	f.tcb.soft.nagle = true;
	fixture_write(&f, 100);
	fixture_write(&f, 100);
	EXPECT(f.n_out == 0);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	fixture_output(&f);
	EXPECT(f.n_out == 1 && f.out[0].len == 100 && f.out[0].flags & FTCP_FIN);
}

TEST(nagle__not_unless_asked_for)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 100);
	fixture_write(&f, 100);
	EXPECT(f.n_out == 1 && f.out[0].len == 100);
}

TEST(commit__no_slivers_of_what_is_under_way)
{
	struct ftcp_record rec;
	struct ftcp_mark mark;
	struct fixture f;

	fixture_open(&f, ALL, false);
	fixture_commit(&f);
	ftcp_tcb_append(&f.tcb, 5000);
	ftcp_repl_collect(&f.tcb, 60000, &rec, &mark);
	ftcp_tcb_append(&f.tcb, 5000);		/* not shipped yet */
	ftcp_repl_commit(&f.tcb, &f.env, &mark);
	fixture_output(&f);
	EXPECT(f.tcb.soft.snd_max == 3 * MSS);
	fixture_commit(&f);
	EXPECT(f.tcb.soft.snd_max == 10000);
}

/* ---- ECN: RFC 3168 ---- */

static void open_ecn(struct fixture *f)
{
	fixture_open(f, ALL, true);
	f->tcb.hard.flags |= FTCP_HARD_ECN;
}

TEST(ecn__agreed_on_in_the_handshake)
{
	struct ftcp_segment syn = { .seq = { CLIENT_ISS }, .flags = FTCP_SYN | FTCP_ECE | FTCP_CWR, .wnd = 1000 };
	struct fixture f = { .env = { .now_us = 1, .alone = true } };
	struct ftcp_cookie cookie;

	ftcp_tcb_cookie(&cookie, &syn, FTCP_MSS_DEFAULT_BYTES);
	ftcp_tcb_open(&f.tcb, &f.env, &fixture_config, &syn, &cookie, SERVER_ISS);
	fixture_output(&f);
	EXPECT(f.n_out == 1 && f.out[0].flags == (FTCP_SYN | FTCP_ACK | FTCP_ECE) && f.out[0].ecn == FTCP_ECN_NOT_ECT);
	fixture_give(&f, fixture_segment(&f, 0, 0, 0, 0));
	fixture_write(&f, 100);
	EXPECT(f.n_out == 1 && f.out[0].ecn == FTCP_ECN_ECT0);
}

TEST(ecn__an_rfc3168_syn_needs_both_bits)
{
	struct ftcp_segment syn = { .seq = { CLIENT_ISS }, .flags = FTCP_SYN | FTCP_ECE, .wnd = 1000 };
	struct fixture f = { .env = { .now_us = 1, .alone = true } };
	struct ftcp_cookie cookie;

	ftcp_tcb_cookie(&cookie, &syn, FTCP_MSS_DEFAULT_BYTES);
	ftcp_tcb_open(&f.tcb, &f.env, &fixture_config, &syn, &cookie, SERVER_ISS);
	fixture_output(&f);
	EXPECT(f.out[0].flags == (FTCP_SYN | FTCP_ACK));
}

TEST(ecn__marks_are_echoed_until_cwr)
{
	struct ftcp_segment seg;
	struct fixture f;

	open_ecn(&f);
	seg = fixture_segment(&f, 0, 100, 0, 0);
	seg.ecn = FTCP_ECN_CE;
	fixture_give(&f, seg);
	EXPECT(f.n_out == 1 && f.out[0].flags & FTCP_ECE && f.out[0].ecn == FTCP_ECN_NOT_ECT);
	fixture_give(&f, fixture_segment(&f, 100, 100, 0, 0));
	EXPECT(f.n_out == 1 && f.out[0].flags & FTCP_ECE);
	fixture_give(&f, fixture_segment(&f, 200, 100, 0, FTCP_CWR));
	EXPECT(f.n_out == 1 && !(f.out[0].flags & FTCP_ECE));
}

TEST(ecn__one_reduction_for_a_window)
{
	struct ftcp_segment ack;
	struct fixture f;

	open_ecn(&f);
	fixture_write(&f, 10 * MSS);
	ack = fixture_segment(&f, 0, 0, MSS, FTCP_ECE);
	fixture_give(&f, ack);
	EXPECT(f.tcb.soft.cong.cwnd_bytes <= 6 * MSS && f.tcb.soft.cwr);
	ack = fixture_segment(&f, 0, 0, 4 * MSS, FTCP_ECE);
	fixture_give(&f, ack);
	EXPECT(f.tcb.soft.cong.ssthresh_bytes >= 4 * MSS);
	fixture_give(&f, fixture_segment(&f, 0, 0, 10 * MSS, 0));
	fixture_write(&f, 100);
	EXPECT(f.n_out == 1 && f.out[0].flags & FTCP_CWR && f.out[0].ecn == FTCP_ECN_ECT0);
	fixture_write(&f, 100);
	EXPECT(f.n_out == 1 && !(f.out[0].flags & FTCP_CWR));
}

TEST(ecn__one_ack_for_all_halves_what_it_acknowledges)
{
	struct fixture f;

	open_ecn(&f);
	fixture_write(&f, 10 * MSS);
	fixture_give(&f, fixture_segment(&f, 0, 0, 10 * MSS, FTCP_ECE));
	EXPECT(f.tcb.soft.cong.cwnd_bytes >= 5 * MSS && f.tcb.soft.cong.cwnd_bytes <= 7 * MSS);
	/* The peer cannot know of it yet. */
	fixture_give(&f, fixture_segment(&f, 0, 10, 10 * MSS, FTCP_ECE));
	EXPECT(f.tcb.soft.cong.cwnd_bytes >= 5 * MSS);
	fixture_write(&f, 1000);
	EXPECT(f.out[0].flags & FTCP_CWR);
	fixture_give(&f, fixture_segment(&f, 10, 0, 10 * MSS + 1000, FTCP_ECE));
	EXPECT(f.tcb.soft.cong.cwnd_bytes < 5 * MSS);
}

TEST(ecn__not_on_retransmissions)
{
	struct fixture f;

	open_ecn(&f);
	fixture_write(&f, 100);
	fixture_pass(&f, f.tcb.soft.timers.rexmit_us - f.env.now_us);
	EXPECT(f.n_out == 1 && f.out[0].off == 0 && f.out[0].ecn == FTCP_ECN_NOT_ECT);
}

/* ---- buffers ---- */

TEST(rcv_buf__grows_for_who_reads)
{
	struct fixture f;
	u64 off;

	fixture_open(&f, ALL, true);
	EXPECT(f.tcb.hard.rcv_buf_bytes == FTCP_RCV_BUF_START_BYTES);
	for (off = 0; off < 200000; off += 10 * MSS) {
		fixture_give(&f, fixture_segment(&f, off, 10 * MSS, 0, 0));
		ftcp_tcb_consume(&f.tcb, 10 * MSS);
		fixture_output(&f);
	}
	EXPECT(f.tcb.hard.rcv_buf_bytes == fixture_config.rcv_buf_bytes);
}

/* The peer has as much on its way as was ever acknowledged, and the first flight (RFC 5681, 3.1; RFC 6928). */
TEST(rcv_buf__ahead_of_slow_start)
{
	struct fixture f;
	u64 off;

	fixture_open(&f, ALL, true);
	f.tcb.soft.rcv_buf_max_bytes = FTCP_RCV_BUF_BYTES;
	for (off = 0; off < FTCP_RCV_BUF_BYTES - 20 * MSS; off += MSS) {
		EXPECT(f.tcb.hard.rcv_edge - off >= off + 10 * MSS);
		fixture_give(&f, fixture_segment(&f, off, MSS, 0, 0));
		ftcp_tcb_consume(&f.tcb, MSS);
		fixture_output(&f);
	}
	EXPECT(f.tcb.hard.rcv_buf_bytes == FTCP_RCV_BUF_BYTES);
}

TEST(rcv_buf__not_for_who_does_not)
{
	struct fixture f;
	u64 off;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 0, 40 * MSS, 0, 0));
	for (off = 40 * MSS; off < 300000; off += MSS) {	/* always far behind */
		ftcp_tcb_consume(&f.tcb, MSS);
		fixture_output(&f);
		fixture_give(&f, fixture_segment(&f, off, MSS, 0, 0));
	}
	EXPECT(f.tcb.hard.rcv_buf_bytes == FTCP_RCV_BUF_START_BYTES);
}

/* RFC 9293, 3.8.6.2.2: half the buffer is enough of an opening where a segment is larger than that. */
TEST(rcv_buf__smaller_than_a_segment)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	f.tcb.soft.mtu_mss_bytes = 8960;
	f.tcb.hard.mss_bytes = 8960;
	fixture_give(&f, fixture_segment(&f, 0, 60000, 0, 0));
	f.tcb.soft.share_bytes = 4096;
	fixture_give(&f, fixture_segment(&f, 60000, 5535, 0, 0));
	EXPECT(f.tcb.hard.rcv_edge == f.tcb.hard.rcv_nxt);
	ftcp_tcb_consume(&f.tcb, 65535);
	fixture_output(&f);
	EXPECT(f.n_out == 1 && f.out[0].wnd);
}

/* ---- path MTU: RFC 2923, 4821 ---- */

TEST(mtu__a_black_hole)
{
	struct fixture f;
	u32 n;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 5 * MSS);
	for (n = 0; n < FTCP_BLACK_HOLE_TIMEOUTS; n++) {
		EXPECT(f.tcb.soft.mtu_mss_bytes == 1460);
		fixture_pass(&f, f.tcb.soft.timers.rexmit_us - f.env.now_us);
	}
	EXPECT(f.tcb.soft.mtu_mss_bytes == FTCP_MSS_BASE_BYTES && f.out[0].len == FTCP_MSS_BASE_BYTES - 12);
	fixture_give(&f, fixture_segment(&f, 0, 0, 5 * MSS, 0));
	fixture_pass(&f, 2 * FTCP_MTU_SUSPECT_US + 1);
	fixture_write(&f, 5 * MSS);
	EXPECT(f.out[0].gso_bytes == MSS);				/* RFC 1191, 6.3 */
}

/* Timeouts in a row after which packets become smaller. */
static u32 timeouts_to_doubt(struct fixture *f)
{
	u32 n;

	fixture_write(f, 5 * MSS);
	for (n = 0; n < 20 && f->tcb.soft.mtu_mss_bytes == 1460; n++)
		fixture_pass(f, f->tcb.soft.timers.rexmit_us - f->env.now_us);
	return n;
}

/* The timeouts become longer than the time after which the full size is tried again: not while nothing comes through. */
TEST(mtu__a_narrow_black_hole)
{
	struct fixture f;
	u32 n;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 5 * MSS);
	for (n = 0; n < 8; n++)
		fixture_pass(&f, f.tcb.soft.timers.rexmit_us - f.env.now_us);
	EXPECT(f.tcb.soft.mtu_mss_bytes == FTCP_MSS_DEFAULT_BYTES / 2);
	EXPECT(f.env.now_us > f.tcb.soft.mtu_retry_us);
	/* Nor at once when something does. */
	fixture_give(&f, fixture_segment(&f, 0, 0, 256, 0));
	EXPECT(f.tcb.soft.mtu_mss_bytes == FTCP_MSS_DEFAULT_BYTES / 2);
	fixture_give(&f, fixture_segment(&f, 0, 0, 5 * MSS, 0));
	fixture_pass(&f, FTCP_MTU_SUSPECT_US);
	fixture_write(&f, MSS);
	EXPECT(f.tcb.soft.mtu_mss_bytes == 1460);
}

/* Where much is lost, it is no wonder that the same packet is lost three times. */
TEST(mtu__a_size_that_has_arrived_is_doubted_later)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 2 * MSS);
	fixture_give(&f, fixture_segment(&f, 0, 0, 2 * MSS, 0));
	EXPECT(timeouts_to_doubt(&f) == FTCP_BLACK_HOLE_TIMEOUTS_PROVEN);
	EXPECT(f.tcb.soft.mtu_mss_bytes == FTCP_MSS_BASE_BYTES);
}

TEST(mtu__small_packets_prove_nothing)
{
	struct fixture f;
	u32 n;

	fixture_open(&f, ALL, true);
	f.tcb.soft.nagle = false;
	for (n = 0; n < 4; n++)
		fixture_write(&f, MSS / 2);
	fixture_give(&f, fixture_segment(&f, 0, 0, 2 * MSS, 0));
	EXPECT(timeouts_to_doubt(&f) == FTCP_BLACK_HOLE_TIMEOUTS);
}

/* They were full when they left: but that was less. */
TEST(mtu__smaller_packets_prove_nothing)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 5 * MSS);
	EXPECT(ftcp_input_mtu(&f.tcb, &f.env, ftcp_seq_of(SERVER_ISS, 0), 1000));
	fixture_output(&f);
	f.tcb.soft.mtu_retry_us = f.env.now_us;
	fixture_write(&f, MSS);
	EXPECT(f.tcb.soft.mtu_mss_bytes == 1460);
	fixture_give(&f, fixture_segment(&f, 0, 0, 5 * MSS, 0));
	EXPECT(!f.tcb.soft.mtu_proven);
	fixture_give(&f, fixture_segment(&f, 0, 0, 6 * MSS, 0));
	EXPECT(f.tcb.soft.mtu_proven);
}

TEST(mtu__small_packets_are_not_to_blame)
{
	struct fixture f;
	u32 n;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 100);
	for (n = 0; n < 5; n++)
		fixture_pass(&f, f.tcb.soft.timers.rexmit_us - f.env.now_us);
	EXPECT(f.tcb.soft.mtu_mss_bytes == 1460);
}

/* ---- PAWS: RFC 7323, 5.5 ---- */

TEST(paws__grows_old)
{
	struct ftcp_segment seg;
	struct fixture f;

	fixture_open(&f, ALL, true);
	f.tcb.soft.keepalive_idle_ms = f.tcb.soft.timers.keepalive_us = 0;
	seg = fixture_segment(&f, 0, 10, 0, 0);
	seg.tsval = f.tsval - 1000;
	EXPECT(fixture_give(&f, seg) == FTCP_REASON_PAWS);
	f.env.now_us += FTCP_PAWS_US - 1;
	EXPECT(fixture_give(&f, seg) == FTCP_REASON_PAWS);
	f.env.now_us += FTCP_PAWS_US;
	EXPECT(fixture_give(&f, seg) == FTCP_REASON_NONE && f.tcb.hard.ts_recent == seg.tsval);
	seg = fixture_segment(&f, 10, 10, 0, 0);
	seg.tsval = f.tsval - 1001;
	EXPECT(fixture_give(&f, seg) == FTCP_REASON_PAWS);
}

/* ---- a host that is short of memory ---- */

TEST(memory__no_more_than_a_share_is_promised)
{
	struct fixture f;
	u64 edge;

	fixture_open(&f, ALL, true);
	edge = f.tcb.hard.rcv_edge;
	f.tcb.soft.share_bytes = 4096;
	fixture_give(&f, fixture_segment(&f, 0, MSS, 0, 0));
	ftcp_tcb_consume(&f.tcb, MSS);
	EXPECT(f.tcb.hard.rcv_edge == edge);	/* what was promised stays promised (RFC 9293, 3.8.6) */
	f.tcb.soft.share_bytes = 0;
	ftcp_tcb_consume(&f.tcb, 0);
	fixture_give(&f, fixture_segment(&f, MSS, 2 * MSS, 0, 0));
	ftcp_tcb_consume(&f.tcb, 2 * MSS);
	EXPECT(f.tcb.hard.rcv_edge > edge);
}

TEST(memory__a_share_moves_on)
{
	u64 off, edge = 0;
	struct fixture f;

	fixture_open(&f, ALL, true);
	f.tcb.soft.share_bytes = 4096;
	for (off = 0; off < 200000; off += MSS) {
		EXPECT(fixture_give(&f, fixture_segment(&f, off, MSS, 0, 0)) == FTCP_REASON_NONE);
		ftcp_tcb_consume(&f.tcb, MSS);
		fixture_output(&f);
		EXPECT(f.tcb.hard.rcv_edge >= edge && f.tcb.hard.rcv_edge >= off + MSS);
		edge = f.tcb.hard.rcv_edge;
	}
	EXPECT(edge <= off + 4096);
}

TEST(memory__islands_are_given_up)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	EXPECT(!ftcp_tcb_prune(&f.tcb));
	fixture_give(&f, fixture_segment(&f, MSS, MSS, 0, 0));
	fixture_give(&f, fixture_segment(&f, 3 * MSS, MSS, 0, FTCP_FIN));
	EXPECT(ftcp_tcb_prune(&f.tcb) && !ftcp_tcb_prune(&f.tcb));
	/* What was SACKed has to come again (RFC 2018, 8), what was acknowledged has not. */
	fixture_give(&f, fixture_segment(&f, 0, MSS, 0, 0));
	EXPECT(f.tcb.hard.rcv_nxt == MSS && fixture_ack(&f) == MSS && !f.out[f.n_out - 1].n_sacks);
	fixture_give(&f, fixture_segment(&f, MSS, 3 * MSS, 0, FTCP_FIN));
	EXPECT(f.tcb.hard.rcv_nxt == 4 * MSS + 1 && (f.tcb.hard.flags & FTCP_HARD_RCV_FIN));
	EXPECT(!ftcp_tcb_check(&f.tcb));
}

TEST(memory__an_orphan_is_given_less_time)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	f.tcb.soft.user_timeout_ms = FTCP_USER_TIMEOUT_MS;
	ftcp_tcb_hurry(&f.tcb, &f.env);
	EXPECT(f.tcb.soft.user_timeout_ms == FTCP_USER_TIMEOUT_MS);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	ftcp_tcb_hurry(&f.tcb, &f.env);
	EXPECT(f.tcb.soft.user_timeout_ms == FTCP_ORPHAN_TIMEOUT_MS);
}
