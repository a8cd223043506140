// SPDX-License-Identifier: GPL-2.0
/* output.c, recovery.c and timer.c, the rarer cases: windows, losses, timers. */
#include "fixture.h"

#define ALL (FTCP_OPT_TS | FTCP_OPT_SACK_OK | FTCP_OPT_WSCALE)
#define MSS 1448

static u64 until_next(const struct fixture *f)
{
	return ftcp_next_deadline(&f->tcb) - f->env.now_us;
}

/* Payload among f->out. */
static u64 sent_bytes(const struct fixture *f)
{
	u64 bytes = 0;
	u32 i;

	for (i = 0; i < f->n_out; i++)
		bytes += f->out[i].len;
	return bytes;
}

/* ---- what is sent ---- */

TEST(output__sequence_numbers_wrap)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 255);
	EXPECT(f.out[0].seq.v == SERVER_ISS + 1 && f.out[0].off == 0);
	fixture_write(&f, 10);
	EXPECT(f.n_out == 1 && f.out[0].seq.v == 0 && f.out[0].off == 255);
	fixture_give(&f, fixture_segment(&f, 0, 0, 265, 0));
	EXPECT(f.tcb.hard.snd_una == 265 && !f.tcb.soft.timers.rexmit_us);
}

TEST(output__packets_leave_room_for_options)
{
	struct fixture f;

	fixture_open(&f, FTCP_OPT_WSCALE, true);
	fixture_write(&f, 5000);
	EXPECT(f.out[0].gso_bytes == 1460);
	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 1000, 10, 0, 0));
	f.tcb.soft.ack_now = true;
	fixture_write(&f, 5000);
	EXPECT(f.n_out >= 1 && f.out[0].n_sacks == 1 && f.out[0].gso_bytes == MSS - 12);
}

TEST(output__push_at_the_end_only)
{
	struct fixture f;
	u32 i;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 14480);
	for (i = 0; i < f.n_out; i++)
		EXPECT(!(f.out[i].flags & FTCP_PSH) == (f.out[i].off + f.out[i].len < 14480));
}

TEST(output__not_beyond_the_peers_window)
{
	struct ftcp_segment ack;
	struct fixture f;

	fixture_open(&f, ALL, true);
	ack = fixture_segment(&f, 0, 0, 0, 0);
	ack.wnd = 5000 >> 3;
	fixture_give(&f, ack);
	fixture_write(&f, 20000);
	EXPECT(sent_bytes(&f) >= 4344 && sent_bytes(&f) <= 5000);
	ack = fixture_segment(&f, 0, 0, 2896, 0);
	ack.wnd = (5000 - 2896) >> 3;			/* the edge stands */
	fixture_give(&f, ack);
	EXPECT(f.tcb.soft.snd_max <= 5000);
}

TEST(output__shrunk_window_is_survived)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 10000);
	EXPECT(f.tcb.soft.snd_max == 10000);
	fixture_close_window(&f, 1000);
	EXPECT(f.n_out == 0 && ftcp_next_deadline(&f.tcb));
	fixture_pass(&f, f.tcb.soft.timers.rexmit_us - f.env.now_us);
	EXPECT(f.n_out >= 1);
	fixture_give(&f, fixture_segment(&f, 0, 0, 10000, 0));
	EXPECT(f.tcb.hard.snd_una == 10000);
}

TEST(output__fin_alone_and_again)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 100);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	ftcp_tcb_shutdown(&f.tcb, &f.env);		/* idempotent */
	fixture_output(&f);
	EXPECT(f.n_out == 1 && f.out[0].len == 0 && (f.out[0].flags & FTCP_FIN) && f.out[0].off == 100);
	EXPECT(ftcp_tcb_writable(&f.tcb) == 0 && ftcp_tcb_data_end(&f.tcb) == 100 && f.tcb.hard.snd_end == 101);
	fixture_give(&f, fixture_segment(&f, 0, 0, 100, 0));
	EXPECT(f.tcb.hard.state == FTCP_FIN_WAIT_1);
	fixture_pass(&f, until_next(&f));
	EXPECT(f.n_out == 1 && f.out[0].len == 0 && (f.out[0].flags & FTCP_FIN));
	fixture_give(&f, fixture_segment(&f, 0, 0, 101, 0));
	EXPECT(f.tcb.hard.state == FTCP_FIN_WAIT_2 && !f.tcb.soft.timers.rexmit_us);
}

TEST(output__fin_rides_on_retransmitted_data)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	ftcp_tcb_append(&f.tcb, 100);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	fixture_output(&f);
	EXPECT(f.n_out == 1 && f.out[0].len == 100 && (f.out[0].flags & FTCP_FIN));
	fixture_pass(&f, until_next(&f));
	EXPECT(f.n_out == 1 && f.out[0].len == 100 && (f.out[0].flags & FTCP_FIN));
}

TEST(output__send_buffer_is_bounded)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	EXPECT(ftcp_tcb_writable(&f.tcb) == 100000);
	fixture_write(&f, 100000);
	EXPECT(ftcp_tcb_writable(&f.tcb) == 0);
	fixture_give(&f, fixture_segment(&f, 0, 0, MSS, 0));
	EXPECT(ftcp_tcb_writable(&f.tcb) == MSS);
}

TEST(output__small_reads_make_no_window_update)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 0, 10000, 0, 0));
	ftcp_tcb_consume(&f.tcb, 1);
	fixture_output(&f);
	EXPECT(f.n_out == 0);
	ftcp_tcb_consume(&f.tcb, ~0ull);		/* no more than there is */
	EXPECT(f.tcb.hard.consumed == 10000);
}

/* ---- congestion ---- */

TEST(output__slow_start_doubles)
{
	struct fixture f;
	u64 acked = 0;
	u32 n;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 90000);
	for (n = 0; n < 2; n++) {
		EXPECT(f.tcb.soft.snd_nxt - acked == (u64)(10 << n) * MSS);
		acked = f.tcb.soft.snd_nxt;
		fixture_give(&f, fixture_segment(&f, 0, 0, acked, 0));
	}
}

TEST(output__idle_goes_back_to_the_first_window)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 14480);
	fixture_give(&f, fixture_segment(&f, 0, 0, 14480, 0));
	EXPECT(f.tcb.soft.cong.cwnd_bytes == 20 * MSS);
	fixture_pass(&f, 10 * FTCP_S_US);
	fixture_write(&f, 90000);
	EXPECT(sent_bytes(&f) == 10 * MSS);
}

/* ---- recovery ---- */

static void fill_pipe(struct fixture *f, u8 opts)
{
	fixture_open(f, opts, true);
	fixture_write(f, 10 * MSS);
	EXPECT(f->tcb.soft.snd_max == 10 * MSS);
	fixture_pass(f, FIXTURE_RTT_US);
}

TEST(recovery__three_islands_are_enough)
{
	struct fixture f;
	u32 n;

	fill_pipe(&f, ALL);
	for (n = 1; n <= 3; n++) {
		EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_NONE);
		fixture_give(&f, fixture_sack(&f, 0, 2 * n * MSS, 2 * n * MSS + 10));
	}
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_FAST && f.n_out >= 1 && f.out[0].off == 0 && f.out[0].len == MSS);
}

TEST(recovery__only_the_holes)
{
	struct ftcp_segment ack;
	struct fixture f;
	u64 sent[10] = { 0 };
	u32 n, i;

	fill_pipe(&f, ALL);
	/* lost: 0 and 3 */
	ack = fixture_sack(&f, 0, 4 * MSS, 10 * MSS);
	ack.n_sacks = 2;
	ack.sacks[1] = (struct ftcp_sack_block){ ftcp_seq_of(SERVER_ISS, MSS), ftcp_seq_of(SERVER_ISS, 3 * MSS) };
	for (n = 0; n < 5; n++) {
		fixture_give(&f, ack);
		for (i = 0; i < f.n_out; i++)
			sent[f.out[i].off / MSS] += f.out[i].len;
	}
	for (n = 0; n < 10; n++)
		EXPECT(sent[n] == (n == 0 || n == 3 ? MSS : 0));
	fixture_pass(&f, FIXTURE_RTT_US);
	fixture_give(&f, fixture_sack(&f, 3 * MSS, 4 * MSS, 10 * MSS));
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_FAST && f.n_out == 0);
	fixture_give(&f, fixture_segment(&f, 0, 0, 10 * MSS, 0));
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_NONE && f.tcb.soft.cong.cwnd_bytes == 5 * MSS);
}

TEST(recovery__the_window_is_halved_once)
{
	struct fixture f;
	u32 n;

	fill_pipe(&f, ALL);
	for (n = 4; n <= 10; n++)
		fixture_give(&f, fixture_sack(&f, 0, MSS, n * MSS));
	EXPECT(f.tcb.soft.cong.ssthresh_bytes == 5 * MSS && f.tcb.soft.cong.cwnd_bytes == 5 * MSS);
}

TEST(recovery__nonsense_blocks_are_ignored)
{
	struct fixture f;

	fill_pipe(&f, ALL);
	fixture_give(&f, fixture_sack(&f, 0, MSS, 11 * MSS));		/* never sent */
	fixture_give(&f, fixture_segment(&f, 0, 0, 5 * MSS, 0));
	fixture_give(&f, fixture_sack(&f, 5 * MSS, 0, 4 * MSS));		/* a D-SACK */
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_NONE && f.tcb.soft.sacked.n == 0 && f.n_out == 0);
}

TEST(recovery__window_updates_are_no_duplicates)
{
	struct ftcp_segment ack;
	struct fixture f;
	u32 n;

	fill_pipe(&f, FTCP_OPT_TS);
	for (n = 0; n < 6; n++) {
		ack = fixture_segment(&f, 0, 0, 0, 0);
		ack.wnd += n + 1;
		fixture_give(&f, ack);
	}
	for (n = 0; n < 6; n++)
		fixture_give(&f, fixture_segment(&f, 100 * n, 100, 0, 0));
	/* with data they are none, either */
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_NONE);
}

TEST(recovery__newreno_hole_by_hole)
{
	struct fixture f;
	u32 n;

	fill_pipe(&f, FTCP_OPT_TS);
	for (n = 0; n < 3; n++)
		fixture_give(&f, fixture_segment(&f, 0, 0, 0, 0));
	EXPECT(f.n_out == 1 && f.out[0].off == 0 && f.out[0].len == MSS);
	for (n = 1; n < 10; n++) {
		fixture_pass(&f, FIXTURE_RTT_US);
		fixture_give(&f, fixture_segment(&f, 0, 0, n * MSS, 0));
		EXPECT(f.n_out >= 1 && f.out[0].off == n * MSS && f.out[0].len == MSS);
	}
	fixture_give(&f, fixture_segment(&f, 0, 0, 10 * MSS, 0));
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_NONE && f.n_out == 0);
	EXPECT(f.tcb.soft.cong.cwnd_bytes == 5 * MSS);
}

TEST(recovery__everything_again_after_a_timeout)
{
	struct fixture f;
	u64 acked = 0;
	u32 n;

	fill_pipe(&f, ALL);
	fixture_pass(&f, f.tcb.soft.timers.rexmit_us - f.env.now_us);
	EXPECT(f.n_out == 1 && f.out[0].off == 0 && f.out[0].len == MSS);
	EXPECT(f.tcb.soft.cong.cwnd_bytes == MSS && f.tcb.soft.cong.ssthresh_bytes == 5 * MSS);
	for (n = 0; n < 10 && acked < 10 * MSS; n++) {
		EXPECT(f.n_out >= 1 && f.out[0].off == acked);
		acked = f.tcb.soft.snd_nxt;
		f.env.now_us += 10000;
		f.env.ts_ms += 10;
		fixture_give(&f, fixture_segment(&f, 0, 0, acked, 0));
	}
	EXPECT(acked == 10 * MSS && f.tcb.soft.recovering == FTCP_RECOVERY_NONE && !f.tcb.soft.timers.rexmit_us);
}

TEST(recovery__what_is_sacked_after_a_timeout_is_skipped)
{
	struct fixture f;
	u32 n, i;

	fill_pipe(&f, ALL);
	fixture_pass(&f, until_next(&f));
	fixture_give(&f, fixture_sack(&f, MSS, 2 * MSS, 9 * MSS));
	for (n = 0; n < 5; n++) {
		for (i = 0; i < f.n_out; i++)
			EXPECT(f.out[i].off + f.out[i].len <= 2 * MSS || f.out[i].off >= 9 * MSS);
		fixture_give(&f, fixture_sack(&f, MSS, 2 * MSS, 9 * MSS));
	}
	fixture_give(&f, fixture_segment(&f, 0, 0, 9 * MSS, 0));
	EXPECT(f.tcb.soft.snd_nxt == 10 * MSS);
}

TEST(recovery__a_hole_smaller_than_a_packet)
{
	struct fixture f;

	fill_pipe(&f, ALL);
	fixture_give(&f, fixture_sack(&f, 0, 100, 5 * MSS));
	EXPECT(f.n_out == 1 && f.out[0].off == 0 && f.out[0].len == 100);
}

TEST(recovery__a_peer_that_reneges)
{
	struct fixture f;
	u64 acked = 0;
	u32 n, i;

	fill_pipe(&f, ALL);
	fixture_give(&f, fixture_sack(&f, 0, MSS, 10 * MSS));
	EXPECT(f.n_out == 1 && f.out[0].off == 0);
	fixture_pass(&f, f.tcb.soft.timers.rexmit_us - f.env.now_us);
	/* The peer forgot what it had SACKed, and never says so: RFC 2018, 8 */
	for (n = 0; n < 20 && acked < 10 * MSS; n++) {
		EXPECT(f.n_out >= 1 && f.out[0].off == acked);
		for (i = 0; i < f.n_out; i++)
			acked = f.out[i].off == acked ? acked + f.out[i].len : acked;
		fixture_pass(&f, FIXTURE_RTT_US);
		fixture_give(&f, fixture_segment(&f, 0, 0, acked, 0));
	}
	EXPECT(acked == 10 * MSS);
}

/* ---- round trips ---- */

static void open_half(struct fixture *f)
{
	struct ftcp_segment syn = { .seq = { CLIENT_ISS }, .flags = FTCP_SYN, .wnd = 1000 };
	struct ftcp_cookie cookie;

	memset(f, 0, sizeof(*f));
	f->env = (struct ftcp_env){ .now_us = 1, .alone = true };
	ftcp_tcb_cookie(&cookie, &syn, FTCP_MSS_DEFAULT_BYTES);
	ftcp_tcb_open(&f->tcb, &f->env, &fixture_config, &syn, &cookie, SERVER_ISS);
	fixture_output(f);
}

TEST(rtt__of_the_handshake)
{
	struct fixture f;

	open_half(&f);
	fixture_pass(&f, 30000);
	fixture_give(&f, fixture_segment(&f, 0, 0, 0, 0));
	EXPECT(f.tcb.soft.rtt.srtt_us == 30000);
	open_half(&f);
	fixture_pass(&f, FTCP_RTO_INITIAL_US);
	EXPECT(f.n_out == 1);
	fixture_pass(&f, 30000);
	fixture_give(&f, fixture_segment(&f, 0, 0, 0, 0));
	EXPECT(f.tcb.hard.state == FTCP_ESTABLISHED && !f.tcb.soft.rtt.srtt_us);	/* which of both was answered? */
}

TEST(rtt__from_timestamps)
{
	struct ftcp_segment ack;
	struct fixture f;

	fixture_open(&f, ALL, true);
	ftcp_rtt_init(&f.tcb.soft.rtt);			/* the handshake was a sample, too */
	fixture_write(&f, 1000);
	f.tcb.soft.sent.n = 0;				/* there was no memory for a board */
	ack = fixture_segment(&f, 0, 0, 1000, 0);
	fixture_pass(&f, 100000);
	fixture_give(&f, ack);
	EXPECT(f.tcb.soft.rtt.min_us == 100000 + FIXTURE_RTT_US);
	EXPECT(f.tcb.soft.rtt.rto_us >= FTCP_RTO_MIN_US && f.tcb.soft.rtt.rto_us <= FTCP_RTO_INITIAL_US);
}

TEST(rtt__from_what_is_remembered_of_sending)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	ftcp_rtt_init(&f.tcb.soft.rtt);
	fixture_write(&f, 1000);
	fixture_pass(&f, 70);
	fixture_give(&f, fixture_segment(&f, 0, 0, 1000, 0));
	EXPECT(f.tcb.soft.rtt.min_us == 70 && f.tcb.soft.rtt.srtt_us == 70);
	/* Sent twice: its time is nobody's */
	fixture_write(&f, 1000);
	fixture_pass(&f, until_next(&f));
	EXPECT(f.tcb.soft.rexmit_total == 1);
	fixture_pass(&f, 10);
	fixture_give(&f, fixture_segment(&f, 0, 0, 2000, 0));
	EXPECT(f.tcb.soft.rtt.min_us == 70);
}

TEST(rtt__not_of_what_came_before_others)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	ftcp_rtt_init(&f.tcb.soft.rtt);
	fixture_write(&f, 1000);
	fixture_pass(&f, 2000);
	fixture_give(&f, fixture_segment(&f, 0, 0, 1000, 0));
	fixture_write(&f, 1000);
	fixture_write(&f, 1000);
	fixture_pass(&f, 700);
	fixture_give(&f, fixture_sack(&f, 1000, 2000, 3000));
	fixture_pass(&f, 200);
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_NONE);
	fixture_give(&f, fixture_segment(&f, 0, 0, 3000, 0));
	EXPECT(f.tcb.soft.rtt.min_us == 2000);		/* another sample by the timestamps */
}

TEST(rtt__not_of_what_was_sent_twice)
{
	struct fixture f;

	fixture_open(&f, FTCP_OPT_SACK_OK, true);
	ftcp_rtt_init(&f.tcb.soft.rtt);
	fixture_write(&f, 1000);
	fixture_pass(&f, until_next(&f));
	EXPECT(f.n_out == 1);
	fixture_pass(&f, 5000);
	fixture_give(&f, fixture_segment(&f, 0, 0, 1000, 0));
	EXPECT(!f.tcb.soft.rtt.srtt_us);			/* Karn */
	fixture_write(&f, 1000);
	fixture_pass(&f, 7000);
	fixture_give(&f, fixture_segment(&f, 0, 0, 2000, 0));
	EXPECT(f.tcb.soft.rtt.srtt_us == 7000);
}

TEST(rtt__no_sample_from_the_predecessors_timestamps)
{
	struct ftcp_segment ack;
	struct fixture f;

	fixture_open(&f, ALL, true);
	ftcp_rtt_init(&f.tcb.soft.rtt);
	fixture_write(&f, 1000);
	ack = fixture_segment(&f, 0, 0, 1000, 0);
	f.env.now_us += 5 * FTCP_S_US;
	f.env.ts_ms += 5000 + FTCP_TS_TAKEOVER_MS;
	ftcp_repl_promote(&f.tcb, &f.env, &fixture_config);
	fixture_output(&f);
	fixture_give(&f, ack);
	EXPECT(f.tcb.hard.snd_una == 1000 && !f.tcb.soft.rtt.srtt_us);
}

/* ---- less now, or more with the next ACK (tcp_tso_should_defer()) ---- */

/* A window of 30 packets, of which all are on their way since @ago_us, with more behind them. */
static void open_busy(struct fixture *f, u32 ago_us)
{
	fixture_open(f, ALL, true);
	f->tcb.hard.snd_wnd = 1 << 20;
	f->tcb.soft.rtt.srtt_us = 400;
	f->tcb.soft.cong.cwnd_bytes = 30 * MSS;
	f->tcb.soft.cong.ssthresh_bytes = 30 * MSS;
	fixture_write(f, 44 * MSS);
	EXPECT(f->tcb.soft.snd_nxt == 30 * MSS);
	f->env.now_us += ago_us;
}

TEST(defer__a_packet_waits_for_the_ack_that_is_near)
{
	struct fixture f;

	open_busy(&f, 300);
	fixture_give(&f, fixture_segment(&f, 0, 0, 2 * MSS, 0));
	EXPECT(!f.n_out);
	fixture_give(&f, fixture_segment(&f, 0, 0, 4 * MSS, 0));
	EXPECT(!f.n_out);
	fixture_give(&f, fixture_segment(&f, 0, 0, 10 * MSS, 0));
	EXPECT(f.n_out == 1 && f.out[0].len >= 10 * MSS && f.out[0].off == 30 * MSS);
}

TEST(defer__but_not_for_one_that_is_not)
{
	struct fixture f;

	open_busy(&f, 100);			/* a quarter of a round trip */
	fixture_give(&f, fixture_segment(&f, 0, 0, 2 * MSS, 0));
	EXPECT(f.n_out == 1 && f.out[0].len == 2 * MSS);
	open_busy(&f, FTCP_DEFER_MAX_US + 100);	/* the last packet was not a moment ago */
	fixture_give(&f, fixture_segment(&f, 0, 0, 2 * MSS, 0));
	EXPECT(f.n_out == 1 && f.out[0].len == 2 * MSS);
}

/* RFC 3042: with a small window it may be all that brings the third. */
TEST(defer__not_for_a_duplicate_ack)
{
	struct fixture f;

	open_busy(&f, 300);
	fixture_give(&f, fixture_sack(&f, 0, MSS, 2 * MSS));
	EXPECT(f.n_out == 1 && f.out[0].off == 30 * MSS && f.out[0].len == MSS);
	fixture_give(&f, fixture_sack(&f, 0, MSS, 3 * MSS));
	EXPECT(f.n_out == 1 && f.out[0].off == 31 * MSS && f.out[0].len == MSS);
}

TEST(defer__never_with_nothing_on_its_way)
{
	struct fixture f;

	open_busy(&f, 300);
	fixture_give(&f, fixture_segment(&f, 0, 0, 30 * MSS, 0));
	EXPECT(f.n_out && f.out[0].off == 30 * MSS);
}

/* ---- MTU ---- */

TEST(mtu__never_below_the_least)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 5000);
	EXPECT(ftcp_input_mtu(&f.tcb, &f.env, ftcp_seq_of(SERVER_ISS, 100), 0));
	fixture_output(&f);
	EXPECT(f.n_out >= 1 && f.out[0].off == 0 && f.out[0].gso_bytes == FTCP_MSS_MIN_BYTES - 12);
	EXPECT(!ftcp_input_mtu(&f.tcb, &f.env, ftcp_seq_of(SERVER_ISS, 100), 10));
}

TEST(mtu__everything_goes_again_in_smaller_packets)
{
	struct fixture f;
	u64 acked = 0;
	u32 n;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 10 * MSS);
	EXPECT(ftcp_input_mtu(&f.tcb, &f.env, ftcp_seq_of(SERVER_ISS, 0), 500));
	fixture_output(&f);
	for (n = 0; n < 100 && acked < 10 * MSS; n++) {
		EXPECT(f.n_out >= 1 && f.out[0].off == acked && f.out[0].gso_bytes <= 488);
		acked = f.out[f.n_out - 1].off + f.out[f.n_out - 1].len;
		fixture_give(&f, fixture_segment(&f, 0, 0, acked, 0));
	}
	EXPECT(acked == 10 * MSS);
}
