// SPDX-License-Identifier: GPL-2.0
/* handshake.c and input.c, the rarer cases: what strangers, reordering and half-open connections bring. */
#include "fixture.h"

#define ALL (FTCP_OPT_TS | FTCP_OPT_SACK_OK | FTCP_OPT_WSCALE)

static s64 sack_from(const struct fixture *f, u32 i)
{
	return ftcp_seq_off(CLIENT_ISS, f->out[0].sacks[i].from, 0);
}

static s64 sack_to(const struct fixture *f, u32 i)
{
	return ftcp_seq_off(CLIENT_ISS, f->out[0].sacks[i].to, 0);
}

/* ---- the handshake ---- */

TEST(tcb_open__every_combination_of_options)
{
	struct fixture f;
	u8 opts;

	for (opts = 0; opts < 16; opts++) {
		if (opts & FTCP_OPT_MSS)
			continue;
		fixture_open(&f, opts, true);
		EXPECT(!(f.tcb.hard.flags & FTCP_HARD_TS) == !(opts & FTCP_OPT_TS));
		EXPECT(!(f.tcb.hard.flags & FTCP_HARD_SACK) == !(opts & FTCP_OPT_SACK_OK));
		EXPECT(f.tcb.hard.snd_wscale == (opts & FTCP_OPT_WSCALE ? 3 : 0));
		EXPECT(f.tcb.hard.snd_wnd == 60000u << f.tcb.hard.snd_wscale);
		fixture_give(&f, fixture_segment(&f, 0, 100, 0, 0));
		EXPECT(f.n_out == 1 && fixture_ack(&f) == 100);
		EXPECT((u32)f.out[0].wnd << f.tcb.hard.rcv_wscale <= 100000 + 127);
		EXPECT(f.out[0].opts == (opts & FTCP_OPT_TS));
	}
}

static void open_half(struct fixture *f, u16 mss)
{
	struct ftcp_segment syn = { .seq = { CLIENT_ISS }, .flags = FTCP_SYN, .opts = FTCP_OPT_MSS, .mss = mss, .wnd = 1000 };
	struct ftcp_cookie cookie;

	memset(f, 0, sizeof(*f));
	f->env = (struct ftcp_env){ .now_us = 1, .alone = true };
	ftcp_tcb_cookie(&cookie, &syn, FTCP_MSS_DEFAULT_BYTES);
	ftcp_tcb_open(&f->tcb, &f->env, &fixture_config, &syn, &cookie, SERVER_ISS);
	fixture_output(f);
	EXPECT(f->n_out == 1 && f->tcb.hard.state == FTCP_SYN_RECEIVED);
}

TEST(tcb_open__mss_is_the_syns_and_no_less_than_the_least)
{
	struct fixture f;

	open_half(&f, 1333);
	EXPECT(f.tcb.hard.mss_bytes == 1333);
	open_half(&f, 0);
	EXPECT(f.tcb.hard.mss_bytes == FTCP_MSS_MIN_BYTES);
	fixture_give(&f, fixture_segment(&f, 0, 0, 0, 0));
	fixture_write(&f, 500);
	EXPECT(f.n_out >= 1 && f.out[0].gso_bytes == FTCP_MSS_MIN_BYTES);
}

TEST(syn_received__wrong_ack_does_not_establish)
{
	struct fixture f;

	open_half(&f, 1460);
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 0, 1, 0)) == FTCP_REASON_ACK_FUTURE);
	EXPECT(f.tcb.hard.state == FTCP_SYN_RECEIVED && f.n_out == 0);
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 0, -1ull, 0)) != FTCP_REASON_NONE);
	EXPECT(f.tcb.hard.state == FTCP_SYN_RECEIVED);
}

TEST(syn_received__reset_ends_it)
{
	struct fixture f;

	open_half(&f, 1460);
	EXPECT(fixture_give(&f, fixture_segment(&f, 5, 0, 0, FTCP_RST)) == FTCP_REASON_RST_CHALLENGE);
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 0, 0, FTCP_RST)) == FTCP_REASON_RESET);
	EXPECT(f.tcb.hard.state == FTCP_CLOSED && f.n_out == 0);
}

TEST(syn_received__data_and_fin_on_the_ack)
{
	struct fixture f;

	open_half(&f, 1460);
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 100, 0, FTCP_FIN)) == FTCP_REASON_NONE);
	EXPECT(f.in.events == (FTCP_EV_ESTABLISHED | FTCP_EV_READABLE | FTCP_EV_FIN) && f.in.keep_len == 100);
	EXPECT(f.tcb.hard.state == FTCP_CLOSE_WAIT && fixture_ack(&f) == 101);
}

static u32 open_with_data(struct fixture *f, u32 len)
{
	struct ftcp_segment syn = { .seq = { CLIENT_ISS }, .flags = FTCP_SYN, .opts = FTCP_OPT_MSS, .mss = 1460, .wnd = 1000, .len = len };
	struct ftcp_cookie cookie;
	u32 kept;

	memset(f, 0, sizeof(*f));
	f->env = (struct ftcp_env){ .now_us = 1 };
	ftcp_tcb_cookie(&cookie, &syn, FTCP_MSS_DEFAULT_BYTES);
	kept = ftcp_tcb_open(&f->tcb, &f->env, &fixture_config, &syn, &cookie, SERVER_ISS);
	fixture_output(f);
	EXPECT(f->n_out == 1 && f->out[0].ack.v == CLIENT_ISS + 1);
	return kept;
}

TEST(syn_received__data_on_the_syn_are_acknowledged_when_they_are_committed)
{
	struct fixture f;

	EXPECT(open_with_data(&f, 500) == 500);
	EXPECT(ftcp_repl_dirty(&f.tcb) == FTCP_CLEAN);
	EXPECT(fixture_give(&f, fixture_segment(&f, 500, 0, 0, 0)) == FTCP_REASON_NONE);
	EXPECT(f.in.events & FTCP_EV_ESTABLISHED && ftcp_tcb_readable(&f.tcb) == 500 && f.n_out == 0);
	fixture_commit(&f);
	EXPECT(f.n_out == 1 && fixture_ack(&f) == 500);
}

TEST(syn_received__data_on_the_syn_may_come_again)
{
	struct fixture f;

	EXPECT(open_with_data(&f, 500) == 500);
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 600, 0, 0)) == FTCP_REASON_NONE);
	EXPECT(f.in.keep_skip == 500 && f.in.keep_len == 100 && f.in.keep_off == 500 && ftcp_tcb_readable(&f.tcb) == 600);
	EXPECT(open_with_data(&f, 500) == 500);
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 0, 0, FTCP_RST)) == FTCP_REASON_RESET);
}

TEST(syn_received__no_more_data_on_the_syn_than_the_window_takes)
{
	struct fixture f;

	EXPECT(open_with_data(&f, 70000) == 65535 && f.tcb.hard.rcv_nxt == f.tcb.hard.rcv_edge);
}

TEST(tcb_open_cookie__as_if_the_syn_were_known)
{
	struct ftcp_cookie cookie = { .mss_bytes = 1400, .wscale = 3, .wscale_ok = true, .sack_ok = true };
	struct ftcp_segment ack;
	struct fixture f, g;

	fixture_open(&g, ALL, true);
	memset(&f, 0, sizeof(f));
	f.env = g.env;
	ack = fixture_segment(&g, 0, 10, 0, 0);
	ftcp_tcb_open_cookie(&f.tcb, &f.env, &fixture_config, &ack, &cookie);
	EXPECT(fixture_give(&f, ack) == FTCP_REASON_NONE);
	EXPECT((f.in.events & FTCP_EV_ESTABLISHED) && f.in.keep_len == 10 && fixture_ack(&f) == 10);
	EXPECT(f.tcb.hard.iss == SERVER_ISS && f.tcb.hard.irs == CLIENT_ISS && f.tcb.hard.flags == g.tcb.hard.flags);
	EXPECT(f.tcb.hard.snd_wnd == 60000 << 3 && f.tcb.hard.mss_bytes == 1400 && f.out[0].tsecr == 5001);
}

TEST(synack_stateless__says_what_a_tcb_would)
{
	struct ftcp_segment syn = { .src = 7, .dst = 8, .seq = { CLIENT_ISS }, .flags = FTCP_SYN, .opts = ALL | FTCP_OPT_MSS, .mss = 1460,
		.wscale = 3, .wnd = 60000, .tsval = 5000 }, out;
	struct ftcp_cookie cookie;
	struct fixture f = { .env = { .now_us = 1, .ts_ms = 1000, .alone = true } };

	ftcp_tcb_cookie(&cookie, &syn, FTCP_MSS_DEFAULT_BYTES);
	ftcp_synack_stateless(&out, &f.env, &fixture_config, &syn, &cookie, SERVER_ISS);
	ftcp_tcb_open(&f.tcb, &f.env, &fixture_config, &syn, &cookie, SERVER_ISS);
	fixture_output(&f);
	EXPECT(out.src == 8 && out.dst == 7);
	out.src = out.dst = 0;
	EXPECT(!memcmp(&out, &f.out[0], sizeof(out)));
}

TEST(reset_stateless__rfc9293)
{
	struct ftcp_segment in = { .src = 7, .dst = 8, .seq = { 0xffffffff }, .ack = { 5 }, .len = 10, .flags = FTCP_SYN }, out;

	EXPECT(ftcp_reset_stateless(&out, &in) && out.flags == (FTCP_RST | FTCP_ACK) && out.seq.v == 0 && out.ack.v == 10);
	EXPECT(out.src == 8 && out.dst == 7);
	in.flags = FTCP_ACK | FTCP_FIN;
	EXPECT(ftcp_reset_stateless(&out, &in) && out.flags == FTCP_RST && out.seq.v == 5);
	in.flags = FTCP_RST | FTCP_ACK;
	EXPECT(!ftcp_reset_stateless(&out, &in));
}

/* ---- data ---- */

TEST(input__dsack_for_the_repeated_part)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	fixture_give(&f, fixture_segment(&f, 500, 1000, 0, 0));
	EXPECT(fixture_ack(&f) == 1500 && f.out[0].n_sacks == 1 && sack_from(&f, 0) == 500 && sack_to(&f, 0) == 1000);
	fixture_give(&f, fixture_segment(&f, 1500, 10, 0, 0));
	EXPECT(f.out[0].n_sacks == 0);		/* reported once */
}

TEST(input__dsack_above_a_gap)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 1000, 1000, 0, 0));
	EXPECT(fixture_give(&f, fixture_segment(&f, 1200, 300, 0, 0)) == FTCP_REASON_OLD_DATA);
	EXPECT(f.n_out == 1 && fixture_ack(&f) == 0 && f.out[0].n_sacks == 2);
	EXPECT(sack_from(&f, 0) == 1200 && sack_to(&f, 0) == 1500 && sack_from(&f, 1) == 1000 && sack_to(&f, 1) == 2000);
}

/* It is here, but the standby does not have it: nothing may tell the peer of it, not even that it came twice. */
TEST(input__dsack_waits_for_the_commit)
{
	struct fixture f;

	fixture_open(&f, ALL, false);
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	EXPECT(f.n_out == 0);
	fixture_give(&f, fixture_segment(&f, 2000, 1000, 0, 0));
	EXPECT(f.n_out == 1 && fixture_ack(&f) == 0 && f.out[0].n_sacks == 1 && sack_from(&f, 0) == 2000);
	fixture_commit(&f);
	EXPECT(f.n_out == 1 && fixture_ack(&f) == 1000 && f.out[0].n_sacks == 2);
	EXPECT(sack_from(&f, 0) == 0 && sack_to(&f, 0) == 1000 && sack_from(&f, 1) == 2000);
}

TEST(input__no_sack_where_none_was_agreed_on)
{
	struct fixture f;

	fixture_open(&f, FTCP_OPT_TS, true);
	fixture_give(&f, fixture_segment(&f, 1000, 1000, 0, 0));
	EXPECT(f.n_out == 1 && fixture_ack(&f) == 0 && f.out[0].n_sacks == 0);
}

TEST(input__islands_are_limited)
{
	struct fixture f;
	u32 i;

	fixture_open(&f, ALL, true);
	for (i = 1; i <= FTCP_OOO_RANGES_MAX; i++)
		EXPECT(fixture_give(&f, fixture_segment(&f, 100 * i, 10, 0, 0)) == FTCP_REASON_NONE);
	EXPECT(fixture_give(&f, fixture_segment(&f, 100 * i, 10, 0, 0)) == FTCP_REASON_OOO_LIMIT);
	EXPECT(f.in.keep_len == 0 && f.n_out == 1 && f.out[0].n_sacks == 3);
	EXPECT(fixture_give(&f, fixture_segment(&f, 110, 90, 0, 0)) == FTCP_REASON_NONE);	/* unites two */
	EXPECT(fixture_give(&f, fixture_segment(&f, 100 * i, 10, 0, 0)) == FTCP_REASON_NONE);
	fixture_give(&f, fixture_segment(&f, 0, 100, 0, 0));
	EXPECT(fixture_ack(&f) == 210);
}

TEST(input__cut_at_the_window)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 0, 60000, 0, 0));
	fixture_give(&f, fixture_segment(&f, 60000, 60000, 0, FTCP_FIN));
	EXPECT(f.in.keep_off == 60000 && f.in.keep_len >= FTCP_RCV_BUF_START_BYTES - 60000 &&
	       f.in.keep_len <= FTCP_RCV_BUF_START_BYTES - 60000 + 127);
	EXPECT(f.out[0].wnd == 0 && f.tcb.hard.state == FTCP_ESTABLISHED);	/* the FIN was cut off, too */
	EXPECT(fixture_give(&f, fixture_segment(&f, 100200, 10, 0, 0)) == FTCP_REASON_OUT_OF_WINDOW && f.in.keep_len == 0);
	ftcp_tcb_consume(&f.tcb, 100000);
	fixture_output(&f);
	EXPECT(f.n_out == 1 && f.out[0].wnd > 0);				/* the window opens by itself */
}

TEST(input__probe_of_a_closed_window_is_answered)
{
	struct fixture f;
	u64 end;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 0, 60000, 0, 0));
	fixture_give(&f, fixture_segment(&f, 60000, 60000, 0, 0));
	end = f.tcb.hard.rcv_nxt;
	fixture_give(&f, fixture_segment(&f, end, 1, 0, 0));
	EXPECT(f.n_out == 1 && f.out[0].wnd == 0 && fixture_ack(&f) == (s64)end);
	fixture_give(&f, fixture_segment(&f, end - 1, 0, 0, 0));
	EXPECT(f.n_out == 1 && f.out[0].wnd == 0);
}

TEST(input__nothing_after_the_fin)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 0, 10, 0, FTCP_FIN));
	EXPECT(fixture_give(&f, fixture_segment(&f, 11, 5, 0, 0)) == FTCP_REASON_AFTER_CLOSE);
	EXPECT(f.in.keep_len == 0 && f.tcb.hard.rcv_nxt == 11);
	fixture_give(&f, fixture_segment(&f, 0, 10, 0, FTCP_FIN));
	EXPECT(fixture_ack(&f) == 11 && f.tcb.hard.rcv_nxt == 11);
}

TEST(input__segment_without_ack)
{
	struct ftcp_segment seg;
	struct fixture f;

	fixture_open(&f, ALL, true);
	seg = fixture_segment(&f, 0, 10, 0, 0);
	seg.flags = FTCP_FIN;
	EXPECT(fixture_give(&f, seg) == FTCP_REASON_NO_ACK && f.in.keep_len == 0 && f.tcb.hard.state == FTCP_ESTABLISHED);
}

/* ---- ACKs and windows ---- */

TEST(input__old_ack_does_not_move_the_window)
{
	struct ftcp_segment ack;
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 5000);
	ack = fixture_segment(&f, 0, 0, 2000, 0);
	ack.wnd = 100;
	EXPECT(fixture_give(&f, ack) == FTCP_REASON_NONE && f.tcb.hard.snd_una == 2000 && f.tcb.hard.snd_wnd == 800);
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 0, 1000, 0)) == FTCP_REASON_NONE);
	EXPECT(f.tcb.hard.snd_una == 2000 && f.tcb.hard.snd_wnd == 800);
}

TEST(input__an_overtaken_segment_does_not_move_the_window)
{
	struct ftcp_segment late;
	struct fixture f;

	fixture_open(&f, ALL, true);
	late = fixture_segment(&f, 0, 1000, 0, 0);
	late.wnd = 100;
	fixture_give(&f, fixture_segment(&f, 1000, 1000, 0, 0));
	EXPECT(fixture_give(&f, late) == FTCP_REASON_NONE && f.tcb.hard.snd_wnd == 60000 << 3);	/* SND.WL1 */
}

TEST(input__data_with_an_old_ack_is_taken)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 5000);
	fixture_give(&f, fixture_segment(&f, 0, 0, 5000, 0));
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 100, 0, 0)) == FTCP_REASON_NONE);
	EXPECT(f.in.keep_len == 100 && f.tcb.hard.snd_una == 5000);
}

TEST(input__ack_of_data_that_waits_for_its_commit)
{
	struct fixture f;

	fixture_open(&f, ALL, false);
	fixture_commit(&f);
	fixture_write(&f, 100);
	EXPECT(f.n_out == 0);
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 0, 100, 0)) == FTCP_REASON_ACK_FUTURE && f.tcb.hard.snd_una == 0);
}

/* ---- timestamps ---- */

TEST(timestamps__wrap)
{
	static const u32 values[] = { 0x70000000, 0xe0000000, 0x50000000, 0xc0000000, 0xffffffff, 0 };
	struct fixture f;
	u32 i;

	fixture_open(&f, ALL, true);
	for (i = 0; i < 6; i++) {
		f.tsval = values[i];
		EXPECT(fixture_give(&f, fixture_segment(&f, i, 1, 0, 0)) == FTCP_REASON_NONE);
		EXPECT(f.n_out == 1 && f.out[0].tsecr == values[i]);
	}
	f.tsval = 0xffffffff;
	EXPECT(fixture_give(&f, fixture_segment(&f, i, 1, 0, 0)) == FTCP_REASON_PAWS);
}

TEST(timestamps__not_taken_from_above_a_gap)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	f.tsval = 6000;
	fixture_give(&f, fixture_segment(&f, 1000, 10, 0, 0));
	EXPECT(f.out[0].tsecr == 5001);		/* RFC 7323, 4.3 */
	fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));
	EXPECT(f.out[0].tsecr == 6000);
}

TEST(timestamps__a_reset_needs_none)
{
	struct ftcp_segment rst;
	struct fixture f;

	fixture_open(&f, ALL, true);
	rst = fixture_segment(&f, 0, 0, 0, FTCP_RST);
	rst.opts = 0;
	EXPECT(fixture_give(&f, rst) == FTCP_REASON_RESET);
}

/* ---- resets, the end ---- */

TEST(reset__where_the_peer_believes_us_to_be)
{
	static const u64 at[] = { 0, 1000 };
	struct fixture f;
	u32 i;

	for (i = 0; i < 2; i++) {
		fixture_open(&f, ALL, false);
		fixture_commit(&f);
		fixture_give(&f, fixture_segment(&f, 0, 1000, 0, 0));	/* received, not acknowledged */
		EXPECT(fixture_give(&f, fixture_segment(&f, 500, 0, 0, FTCP_RST)) == FTCP_REASON_RST_CHALLENGE);
		EXPECT(fixture_ack(&f) <= 0);
		EXPECT(fixture_give(&f, fixture_segment(&f, at[i], 0, 0, FTCP_RST)) == FTCP_REASON_RESET);
	}
}

static void to_time_wait(struct fixture *f)
{
	fixture_open(f, ALL, true);
	ftcp_tcb_shutdown(&f->tcb, &f->env);
	fixture_output(f);
	fixture_give(f, fixture_segment(f, 0, 5, 1, FTCP_FIN));
	EXPECT(f->tcb.hard.state == FTCP_TIME_WAIT && (f->in.events & FTCP_EV_TIME_WAIT));
}

TEST(time_wait__no_assassination)
{
	struct fixture f;

	to_time_wait(&f);
	EXPECT(fixture_give(&f, fixture_segment(&f, 6, 0, 1, FTCP_RST)) == FTCP_REASON_RST_CHALLENGE);
	EXPECT(f.tcb.hard.state == FTCP_TIME_WAIT);
}

TEST(time_wait__the_fin_again_starts_it_anew)
{
	struct fixture f;

	to_time_wait(&f);
	fixture_pass(&f, FTCP_TIME_WAIT_US - 1);
	fixture_give(&f, fixture_segment(&f, 0, 5, 1, FTCP_FIN));
	EXPECT(f.n_out == 1 && fixture_ack(&f) == 6);
	EXPECT(!fixture_pass(&f, FTCP_TIME_WAIT_US - 1) && f.tcb.hard.state == FTCP_TIME_WAIT);
	EXPECT(fixture_pass(&f, 1) == FTCP_EV_CLOSED && !ftcp_next_deadline(&f.tcb));
}

TEST(time_wait__hurried)
{
	struct fixture f;

	to_time_wait(&f);
	ftcp_tcb_hurry(&f.tcb, &f.env);
	EXPECT(fixture_pass(&f, FTCP_S_US) == FTCP_EV_CLOSED);
}

TEST(tcb_abort__every_state)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	ftcp_tcb_abort(&f.tcb);
	EXPECT(f.tcb.hard.state == FTCP_CLOSED && (f.tcb.hard.flags & FTCP_HARD_RESET) && !ftcp_next_deadline(&f.tcb));
	EXPECT(fixture_give(&f, fixture_segment(&f, 0, 10, 0, 0)) == FTCP_REASON_AFTER_CLOSE && f.n_out == 0);
	to_time_wait(&f);
	ftcp_tcb_abort(&f.tcb);
	EXPECT(f.tcb.hard.state == FTCP_CLOSED && !(f.tcb.hard.flags & FTCP_HARD_RESET));
}

/* ---- anything at all ---- */

static struct ftcp_segment random_segment(struct fixture *f)
{
	static const u8 flags[] = { 0, 0, 0, 0, FTCP_PSH, FTCP_FIN, FTCP_SYN, FTCP_RST, FTCP_URG };
	u64 off = f->tcb.hard.rcv_nxt + ktest_random(3000) - 1500, ack = f->tcb.hard.snd_una + ktest_random(3000) - 500;
	struct ftcp_segment seg;
	u32 i;

	if (!ktest_random(3))
		off = f->tcb.hard.rcv_nxt;
	if (!ktest_random(20))
		off = ktest_random(0x7fffffff);
	if (ktest_random(3))
		ack = f->tcb.soft.snd_max;
	f->tsval += ktest_random(10) ? 0 : ktest_random(100);
	seg = fixture_segment(f, off, ktest_random(3) ? ktest_random(3000) : 0, ack, flags[ktest_random(ktest_random(10) ? 5 : 9)]);
	seg.wnd = ktest_random(4) ? 60000 : ktest_random(300);
	seg.n_sacks = ktest_random(5);
	for (i = 0; i < seg.n_sacks; i++) {
		seg.sacks[i].from = ftcp_seq_add(seg.ack, ktest_random(30000) - 1000);
		seg.sacks[i].to = ftcp_seq_add(seg.sacks[i].from, 1 + ktest_random(5000));
	}
	return seg;
}

/* Invariants 4, 5 and 6 of Documentation/invariants.rst, on what the last step sent. */
static void check_output(const struct fixture *f)
{
	const struct ftcp_mark *committed = &f->tcb.soft.committed;
	u32 i;

	for (i = 0; i < f->n_out; i++) {
		const struct ftcp_segment *seg = &f->out[i];
		u64 ack = ftcp_seq_off(CLIENT_ISS, seg->ack, f->tcb.hard.rcv_nxt);

		EXPECT(ack <= f->tcb.hard.rcv_nxt && ack <= committed->rcv);
		EXPECT(!seg->wnd || ack + ((u64)seg->wnd << FTCP_RCV_WSCALE) <= committed->edge + 127);
		EXPECT(seg->off + seg->len + !!(seg->flags & FTCP_FIN) <= committed->snd || !(seg->len + !!(seg->flags & FTCP_FIN)));
	}
}

static void random_step(struct fixture *f)
{
	switch (ktest_random(8)) {
	case 0:
		ftcp_tcb_append(&f->tcb, ktest_random(1 + (ftcp_tcb_writable(&f->tcb) >> 2)));
		break;
	case 1:
		ftcp_tcb_consume(&f->tcb, ktest_random(20000));
		break;
	case 2:
		fixture_commit(f);
		return;
	case 3:
		fixture_pass(f, ktest_random(3000000));
		return;
	case 4:
		if (!ktest_random(50))
			ftcp_tcb_shutdown(&f->tcb, &f->env);
		break;
	default:
		fixture_give(f, random_segment(f));
		return;
	}
	fixture_output(f);
}

TEST(input__random_segments_break_nothing)
{
	struct fixture f;
	u32 n, i;

	for (n = 0; n < 400; n++) {
		fixture_open(&f, (n & 1 ? FTCP_OPT_TS : 0) | (n & 2 ? FTCP_OPT_SACK_OK : 0) | FTCP_OPT_WSCALE, false);
		fixture_commit(&f);
		for (i = 0; i < 300 && f.tcb.hard.state != FTCP_CLOSED; i++) {
			random_step(&f);
			check_output(&f);
		}
	}
}
