// SPDX-License-Identifier: GPL-2.0
/* handshake.c, input.c, ack.c, recovery.c, output.c, timer.c: what the RFCs ask for, from the outside. */
#include "fixture.h"

#define ALL (FTCP_OPT_TS | FTCP_OPT_SACK_OK | FTCP_OPT_WSCALE)

TEST(input__data_in_order)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 3000, 0, FTCP_PSH)) == FTCP_REASON_NONE);
	EXPECT(f.in.keep_skip == 0 && f.in.keep_len == 3000 && f.in.keep_off == 0 && (f.in.events & FTCP_EV_READABLE));
	EXPECT(f.n_out == 1 && fixture_ack(&f) == 3000);
	EXPECT(ftcp_tcb_readable(&f.tcb) == 3000);
}

TEST(input__overlap_is_trimmed)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	fixture_give(&f, fixture_segment(&f, 500, 1000, 0, 0));
	EXPECT(f.in.keep_skip == 500 && f.in.keep_len == 500 && f.in.keep_off == 1000 && fixture_ack(&f) == 1500);
}

TEST(input__old_data_is_acknowledged_again_with_dsack)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0)) == FTCP_REASON_OLD_DATA);
	EXPECT(f.n_out == 1 && fixture_ack(&f) == 1000 && f.out[0].n_sacks == 1);
	EXPECT(f.out[0].sacks[0].from.v == CLIENT_ISS + 1 && f.out[0].sacks[0].to.v == CLIENT_ISS + 1001);
}

TEST(input__out_of_order_makes_sacks)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 1000, 1000, 0, 0));
	EXPECT(f.in.keep_off == 1000 && f.n_out == 1 && fixture_ack(&f) == 0 && f.out[0].n_sacks == 1);
	fixture_give(&f, fixture_segment(&f, 3000, 1000, 0, 0));
	EXPECT(f.out[0].n_sacks == 2 && ftcp_seq_off(CLIENT_ISS, f.out[0].sacks[0].from, 0) == 3000);	/* the newest first */
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	EXPECT(fixture_ack(&f) == 2000);
	fixture_give(&f, fixture_segment(&f, 1500, 2000, 0, 0));
	EXPECT(fixture_ack(&f) == 4000 && f.in.keep_off == 2000 && f.in.keep_len == 1500);
}

TEST(input__fin_out_of_order_is_remembered)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 1000, 1000, 0, FTCP_FIN));
	EXPECT(f.tcb.hard.state == FTCP_ESTABLISHED);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	EXPECT(f.tcb.hard.state == FTCP_CLOSE_WAIT && (f.in.events & FTCP_EV_FIN) && fixture_ack(&f) == 2001);
}

TEST(close__client_first)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 0, 10, 0, FTCP_FIN));
	EXPECT(f.tcb.hard.state == FTCP_CLOSE_WAIT && fixture_ack(&f) == 11);
	fixture_write(&f, 10);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	fixture_output(&f);
	EXPECT(f.tcb.hard.state == FTCP_LAST_ACK && f.n_out == 1 && (f.out[0].flags & FTCP_FIN));
	fixture_give(&f, fixture_segment(&f, 11, 0, 11, 0));
	EXPECT(f.tcb.hard.state == FTCP_CLOSED && (f.in.events & FTCP_EV_CLOSED));
}

TEST(close__server_first_then_time_wait)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	fixture_output(&f);
	EXPECT(f.tcb.hard.state == FTCP_FIN_WAIT_1);
	fixture_give(&f, fixture_segment(&f, 0, 0, 1, 0));
	EXPECT(f.tcb.hard.state == FTCP_FIN_WAIT_2);
	fixture_give(&f, fixture_segment(&f, 0, 5, 1, FTCP_FIN));
	EXPECT(f.tcb.hard.state == FTCP_TIME_WAIT && fixture_ack(&f) == 6);
	fixture_give(&f, fixture_segment(&f, 0, 5, 1, FTCP_FIN));	/* our ACK was lost */
	EXPECT(fixture_ack(&f) == 6);
	EXPECT(fixture_pass(&f, FTCP_TIME_WAIT_US) & FTCP_EV_CLOSED);
}

TEST(close__both_at_once)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	fixture_output(&f);
	fixture_give(&f, fixture_segment(&f, 0, 0, 0, FTCP_FIN));
	EXPECT(f.tcb.hard.state == FTCP_CLOSING);
	fixture_give(&f, fixture_segment(&f, 1, 0, 1, 0));
	EXPECT(f.tcb.hard.state == FTCP_TIME_WAIT);
}

TEST(input__resets_rfc5961)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	EXPECT(fixture_give(&f, fixture_segment(&f, 100, 0, 0, FTCP_RST)) == FTCP_REASON_RST_CHALLENGE);
	EXPECT(f.n_out == 1 && f.tcb.hard.state == FTCP_ESTABLISHED);
	EXPECT(fixture_give(&f, fixture_segment(&f, 200, 0, 0, FTCP_RST)) == FTCP_REASON_RST_CHALLENGE);
	EXPECT(f.n_out == 0);		/* limited */
	EXPECT(fixture_give(&f, fixture_segment(&f, 200000, 0, 0, FTCP_RST)) == FTCP_REASON_OUT_OF_WINDOW);
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 0, 0, FTCP_RST)) == FTCP_REASON_RESET);
	EXPECT(f.tcb.hard.state == FTCP_CLOSED && (f.in.events & FTCP_EV_RESET));
}

TEST(input__syn_in_established_is_challenged)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	EXPECT(fixture_give(&f, fixture_segment(&f, 10, 0, 0, FTCP_SYN)) == FTCP_REASON_SYN_CHALLENGE);
	EXPECT(f.n_out == 1 && f.out[0].flags == FTCP_ACK && f.tcb.hard.state == FTCP_ESTABLISHED);
}

TEST(input__acks_that_cannot_be)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 10, 1, 0)) == FTCP_REASON_ACK_FUTURE);
	EXPECT(f.in.keep_len == 0 && f.tcb.hard.rcv_nxt == 0);
	f.env.now_us += FTCP_S_US;
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 10, -600000ull, 0)) == FTCP_REASON_ACK_OLD);
}

TEST(input__timestamps)
{
	struct ftcp_segment seg;
	struct fixture f;

	fixture_open(&f, ALL, true);
	seg = fixture_segment(&f, 0, 10, 0, 0);
	seg.tsval = 4000;
	EXPECT(fixture_give(&f, seg) == FTCP_REASON_PAWS && f.n_out == 1);
	seg.opts = 0;
	EXPECT(fixture_give(&f, seg) == FTCP_REASON_NO_TIMESTAMP && f.n_out == 0);
	f.tsval = 6000;
	fixture_give(&f, fixture_segment(&f, 0, 10, 0, 0));
	EXPECT(f.out[0].tsecr == 6000 && f.out[0].tsval == f.env.ts_ms + fixture_config.ts_off);
}

TEST(timer__retransmission_doubles)
{
	struct fixture f;
	u64 rto;
	u32 n;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 200);
	EXPECT(f.n_out == 1 && f.out[0].len == 200 && (f.out[0].flags & FTCP_PSH));
	rto = ftcp_next_deadline(&f.tcb) - f.env.now_us;
	for (n = 0; n < 5; n++, rto *= 2) {
		EXPECT(ftcp_next_deadline(&f.tcb) - f.env.now_us == rto);
		fixture_pass(&f, rto);
		EXPECT(f.n_out == 1 && f.out[0].off == 0 && f.out[0].len == 200);
	}
	fixture_give(&f, fixture_segment(&f, 0, 0, 200, 0));
	EXPECT(f.in.events & FTCP_EV_WRITABLE);
	EXPECT(!f.tcb.soft.timers.rexmit_us);
}

TEST(timer__user_timeout_aborts)
{
	struct ftcp_segment rst;
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 1000);
	EXPECT(fixture_pass(&f, 200 * FTCP_S_US) & FTCP_EV_TIMEOUT);
	EXPECT(f.tcb.hard.state == FTCP_CLOSED && (f.tcb.hard.flags & FTCP_HARD_RESET) && !ftcp_next_deadline(&f.tcb));
	ftcp_tcb_reset(&f.tcb, &f.env, &rst);
	EXPECT((rst.flags & FTCP_RST) && rst.seq.v == SERVER_ISS + 1001);
}

TEST(timer__keepalive)
{
	struct fixture f;
	u32 n;

	fixture_open(&f, ALL, true);
	fixture_pass(&f, 7200 * FTCP_S_US);
	EXPECT(f.n_out == 1 && f.out[0].len == 0 && f.out[0].seq.v == SERVER_ISS);
	fixture_give(&f, fixture_segment(&f, 0, 0, 0, 0));
	for (n = 0; n < FTCP_KEEPALIVE_PROBES_MAX; n++)
		EXPECT(!fixture_pass(&f, n ? FTCP_KEEPALIVE_INTERVAL_US : 7200 * FTCP_S_US));
	EXPECT(fixture_pass(&f, FTCP_KEEPALIVE_INTERVAL_US) & FTCP_EV_TIMEOUT);
}

static void fill_pipe(struct fixture *f, u8 opts)
{
	fixture_open(f, opts, true);
	fixture_write(f, 14480);
	EXPECT(f->tcb.soft.snd_max == 14480 && f->n_out >= 1);
	fixture_pass(f, FIXTURE_RTT_US);
}

TEST(recovery__by_sack)
{
	struct ftcp_segment ack;
	struct fixture f;

	fill_pipe(&f, ALL);
	ack = fixture_sack(&f, 0, 1448, 2896);
	fixture_give(&f, ack);
	EXPECT(f.n_out == 0);			/* one segment may be reordering */
	ack.sacks[0].to = ftcp_seq_of(SERVER_ISS, 5792);
	fixture_give(&f, ack);
	EXPECT(f.n_out == 1 && f.out[0].off == 0 && f.out[0].len == 1448);
	EXPECT(f.tcb.soft.cong.cwnd_bytes == 7240);
	fixture_give(&f, fixture_segment(&f, 0, 0, 14480, 0));
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_NONE);
}

TEST(recovery__newreno_without_sack)
{
	struct fixture f;
	u32 n;

	fill_pipe(&f, FTCP_OPT_TS);
	for (n = 0; n < 2; n++) {
		fixture_give(&f, fixture_segment(&f, 0, 0, 0, 0));
		EXPECT(f.n_out == 0);
	}
	fixture_give(&f, fixture_segment(&f, 0, 0, 0, 0));
	EXPECT(f.n_out == 1 && f.out[0].off == 0);
	fixture_pass(&f, FIXTURE_RTT_US);
	fixture_give(&f, fixture_segment(&f, 0, 0, 2896, 0));	/* a partial ACK: the next hole at once */
	EXPECT(f.n_out == 1 && f.out[0].off == 2896);
}

TEST(output__zero_window_is_probed)
{
	struct ftcp_segment ack;
	struct fixture f;
	u32 n;

	fixture_open(&f, ALL, true);
	ack = fixture_close_window(&f, 0);
	fixture_write(&f, 5000);
	EXPECT(f.n_out == 0 && f.tcb.soft.timers.persist_us);
	for (n = 0; n < 8; n++) {
		EXPECT(!fixture_pass(&f, ftcp_next_deadline(&f.tcb) - f.env.now_us));
		EXPECT(f.n_out == 1 && f.out[0].len == 0 && f.out[0].seq.v == SERVER_ISS);
		f.tsval++;
		ack.tsval = f.tsval;
		fixture_give(&f, ack);
	}
	fixture_give(&f, fixture_segment(&f, 0, 0, 0, 0));
	EXPECT(f.n_out >= 1 && f.out[0].len == 5000);
}

TEST(output__slivers_wait_for_the_override)
{
	struct ftcp_segment ack;
	struct fixture f;

	fixture_open(&f, ALL, true);
	ack = fixture_segment(&f, 0, 0, 0, 0);
	ack.wnd = 10;		/* 80 bytes */
	fixture_give(&f, ack);
	fixture_write(&f, 5000);
	EXPECT(f.n_out == 0);
	fixture_pass(&f, ftcp_next_deadline(&f.tcb) - f.env.now_us);
	EXPECT(f.n_out == 1 && f.out[0].len == 80);
}

TEST(output__large_segments_of_whole_packets)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 100000);
	EXPECT(f.out[0].gso_bytes == 1448 && f.out[0].len % 1448 == 0 && f.out[0].len <= FTCP_SEGMENT_MAX_BYTES);
	EXPECT(f.tcb.soft.snd_nxt == 14480);	/* RFC 6928 */
}

TEST(output__window_never_goes_back)
{
	struct fixture f;
	u64 edge, highest = 0, off = 0;
	u32 n, len;

	fixture_open(&f, ALL, true);
	for (n = 0; n < 3000; n++) {
		len = 1 + ktest_random(1448);
		if (f.tcb.hard.rcv_nxt + len <= f.tcb.hard.rcv_edge) {
			fixture_give(&f, fixture_segment(&f, off, len, 0, 0));
			off += len;
		}
		if (ktest_random(2))
			ftcp_tcb_consume(&f.tcb, ktest_random(4000));
		fixture_output(&f);
		if (!f.n_out)
			continue;
		edge = fixture_ack(&f) + ((u64)f.out[0].wnd << FTCP_RCV_WSCALE);
		EXPECT(edge + 127 >= highest);	/* but for the rounding */
		EXPECT(edge <= f.tcb.hard.consumed + fixture_config.rcv_buf_bytes + 127);
		highest = edge > highest ? edge : highest;
	}
}

TEST(mtu__only_for_what_is_in_flight)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 5000);
	EXPECT(!ftcp_input_mtu(&f.tcb, &f.env, ftcp_seq_of(SERVER_ISS, 5000), 1000));
	EXPECT(!ftcp_input_mtu(&f.tcb, &f.env, ftcp_seq_of(SERVER_ISS, 0), 9000));
	EXPECT(ftcp_input_mtu(&f.tcb, &f.env, ftcp_seq_of(SERVER_ISS, 0), 1000));
	fixture_output(&f);
	EXPECT(f.n_out >= 1 && f.out[0].off == 0 && f.out[0].gso_bytes == 988);
}

TEST(handshake__synack_again_and_given_up)
{
	struct ftcp_segment syn = { .seq = { CLIENT_ISS }, .flags = FTCP_SYN, .wnd = 1000 };
	struct ftcp_cookie cookie;
	struct fixture f;

	memset(&f, 0, sizeof(f));
	f.env = (struct ftcp_env){ .now_us = 1, .alone = true };
	ftcp_tcb_cookie(&cookie, &syn, FTCP_MSS_DEFAULT_BYTES);
	EXPECT(cookie.mss_bytes == FTCP_MSS_DEFAULT_BYTES);
	ftcp_tcb_open(&f.tcb, &f.env, &fixture_config, &syn, &cookie, SERVER_ISS);
	fixture_output(&f);
	EXPECT(f.out[0].opts == FTCP_OPT_MSS && f.out[0].wnd == 65535);
	fixture_give(&f, syn);
	EXPECT(f.n_out == 1 && f.out[0].flags == (FTCP_SYN | FTCP_ACK));
	EXPECT(fixture_pass(&f, 1000 * FTCP_S_US) == FTCP_EV_CLOSED);
}
