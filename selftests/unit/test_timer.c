// SPDX-License-Identifier: GPL-2.0
/* timer.c, the rarer cases: what is due when, and what is not. */
#include "fixture.h"

#define ALL (FTCP_OPT_TS | FTCP_OPT_SACK_OK | FTCP_OPT_WSCALE)

static u64 until_next(const struct fixture *f)
{
	return ftcp_next_deadline(&f->tcb) - f->env.now_us;
}

/* An ACK of what was sent so long ago. */
static void ack_after_ms(struct fixture *f, u64 ack, u32 ms)
{
	struct ftcp_segment seg = fixture_segment(f, 0, 0, ack, 0);

	seg.tsecr = f->env.ts_ms + fixture_config.ts_off - ms;
	fixture_give(f, seg);
}

TEST(timer__nothing_due_too_early)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 10);
	f.env.now_us += until_next(&f) - 1;
	EXPECT(!ftcp_timeout(&f.tcb, &f.env));
	fixture_output(&f);
	EXPECT(f.n_out == 0);
	f.env.now_us++;
	ftcp_timeout(&f.tcb, &f.env);
	fixture_output(&f);
	EXPECT(f.n_out == 1);
}

TEST(timer__late_is_once)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 10);
	f.env.now_us += 20 * FTCP_S_US;
	ftcp_timeout(&f.tcb, &f.env);
	fixture_output(&f);
	EXPECT(f.n_out == 1 && f.tcb.soft.rexmits == 1 && ftcp_next_deadline(&f.tcb) > f.env.now_us);
}

TEST(timer__synack_doubles)
{
	struct ftcp_segment syn = { .seq = { CLIENT_ISS }, .flags = FTCP_SYN, .wnd = 1000 };
	struct fixture f = { .env = { .now_us = 1, .alone = true } };
	struct ftcp_cookie cookie;
	u64 rto = FTCP_RTO_INITIAL_US;
	u32 n;

	ftcp_tcb_cookie(&cookie, &syn, FTCP_MSS_DEFAULT_BYTES);
	ftcp_tcb_open(&f.tcb, &f.env, &fixture_config, &syn, &cookie, SERVER_ISS);
	fixture_output(&f);
	for (n = 0; n < FTCP_SYN_ACK_RETRIES_MAX; n++, rto *= 2) {
		EXPECT(until_next(&f) == rto);
		EXPECT(!fixture_pass(&f, rto) && f.n_out == 1 && f.out[0].flags == (FTCP_SYN | FTCP_ACK));
	}
	EXPECT(fixture_pass(&f, rto) == FTCP_EV_CLOSED && f.n_out == 0 && !(f.tcb.hard.flags & FTCP_HARD_RESET));
}

TEST(timer__the_handshake_stops_the_synacks)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	EXPECT(!f.tcb.soft.timers.rexmit_us && until_next(&f) == 7200 * FTCP_S_US);
}

TEST(timer__an_ack_starts_it_anew)
{
	struct ftcp_segment ack;
	struct fixture f;
	u64 rto;

	fixture_open(&f, FTCP_OPT_TS | FTCP_OPT_WSCALE, true);	/* no tail loss probes */
	fixture_write(&f, 1000);
	fixture_write(&f, 1000);
	rto = until_next(&f);
	fixture_pass(&f, rto / 2);
	EXPECT(until_next(&f) == rto - rto / 2);
	fixture_write(&f, 1000);				/* sending does not */
	EXPECT(f.n_out == 1 && until_next(&f) == rto - rto / 2);
	ack = fixture_segment(&f, 0, 0, 1000, 0);
	ack.tsecr = f.tcb.soft.ts_floor - 1;			/* no sample from this one */
	fixture_give(&f, ack);
	EXPECT(until_next(&f) == rto);
	fixture_give(&f, ack);					/* nothing new */
	EXPECT(until_next(&f) == rto);
}

TEST(timer__backoff_has_a_limit_and_ends_with_an_ack)
{
	struct fixture f;
	u32 n;

	fixture_open(&f, ALL, true);
	f.tcb.soft.user_timeout_ms = 0;				/* never */
	fixture_write(&f, 1000);
	for (n = 0; n < 20; n++) {
		EXPECT(until_next(&f) <= FTCP_RTO_MAX_US);
		EXPECT(!fixture_pass(&f, until_next(&f)) && f.n_out == 1);
	}
	EXPECT(until_next(&f) == FTCP_RTO_MAX_US);
	fixture_give(&f, fixture_segment(&f, 0, 0, 1000, 0));
	fixture_write(&f, 1000);
	EXPECT(until_next(&f) <= FTCP_RTO_INITIAL_US);
}

/* A path that has become slower than the timeout: how often was something sent in vain, in the last of some requests? */
static u32 sent_in_vain(u8 opts)
{
	struct ftcp_segment ack;
	u32 n, before = 0;
	struct fixture f;

	fixture_open(&f, opts, true);
	for (n = 0; n < 8; n++) {
		before = f.tcb.soft.rexmit_total;
		ack = fixture_segment(&f, 0, 0, 1000 * (n + 1), 0);
		ack.tsecr = f.env.ts_ms + fixture_config.ts_off;
		fixture_write(&f, 1000);
		fixture_pass(&f, 3 * FTCP_S_US);
		fixture_give(&f, ack);
		EXPECT(f.tcb.hard.snd_una == 1000 * (n + 1));
	}
	return f.tcb.soft.rexmit_total - before;
}

TEST(timer__learns_of_a_slower_path)
{
	EXPECT(sent_in_vain(FTCP_OPT_TS | FTCP_OPT_WSCALE) == 0);
}

TEST(timer__learns_of_a_slower_path_without_timestamps)
{
	EXPECT(sent_in_vain(FTCP_OPT_WSCALE) == 0);
}

TEST(timer__samples_after_a_month)
{
	struct fixture f;
	u32 srtt_us;

	fixture_open(&f, FTCP_OPT_TS, true);
	f.tcb.soft.timers.keepalive_us = 0;
	f.tcb.soft.keepalive_idle_ms = 0;
	fixture_pass(&f, 30ull * 24 * 3600 * FTCP_S_US);
	f.tsval += 30u * 24 * 3600 * 1000;
	fixture_write(&f, 1000);
	fixture_pass(&f, 150 * FTCP_MS_US);
	srtt_us = f.tcb.soft.rtt.srtt_us;
	f.tcb.soft.sent.n = 0;					/* but for the timestamps nothing is known */
	f.tcb.soft.rtt_start_us = 0;
	ack_after_ms(&f, 1000, 150);
	EXPECT(f.tcb.hard.snd_una == 1000 && f.tcb.soft.rtt.srtt_us > srtt_us);
}

TEST(timer__user_timeout_not_while_there_is_progress)
{
	struct fixture f;
	u32 n;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 1000);
	for (n = 0; n < 10; n++) {
		EXPECT(!fixture_pass(&f, 20 * FTCP_S_US));
		fixture_give(&f, fixture_segment(&f, 0, 0, 100 * (n + 1), 0));
	}
	EXPECT(f.tcb.hard.state == FTCP_CLOSED ? 0 : f.tcb.hard.snd_una == 1000);
}

TEST(timer__user_timeout_not_while_a_commit_is_awaited)
{
	struct fixture f;

	fixture_open(&f, ALL, false);
	fixture_commit(&f);
	fixture_write(&f, 1000);
	EXPECT(!fixture_pass(&f, 600 * FTCP_S_US) && f.n_out == 0);
	fixture_commit(&f);
	EXPECT(f.n_out == 1);
	EXPECT(!fixture_pass(&f, 10 * FTCP_S_US) && f.tcb.hard.state == FTCP_ESTABLISHED);
}

TEST(timer__persist_doubles_for_ever_while_answered)
{
	struct ftcp_segment ack;
	struct fixture f;
	u64 last = 0;
	u32 n;

	fixture_open(&f, ALL, true);
	ack = fixture_close_window(&f, 0);
	fixture_write(&f, 100);
	f.tcb.soft.user_timeout_ms = 300000;
	for (n = 0; n < 50; n++) {
		EXPECT(until_next(&f) >= last && until_next(&f) <= FTCP_RTO_MAX_US);
		last = until_next(&f);
		EXPECT(!fixture_pass(&f, last) && f.n_out == 1 && f.tcb.hard.state == FTCP_ESTABLISHED);
		fixture_give(&f, ack);
	}
	EXPECT(last == FTCP_RTO_MAX_US);
	fixture_give(&f, fixture_segment(&f, 0, 0, 0, 0));
	EXPECT(f.n_out == 1 && f.out[0].len == 100 && !f.tcb.soft.timers.persist_us);
}

/* The window shrinks over what is out: that is probed, not taken for lost, and goes when there is room. */
TEST(timer__a_window_that_shrank_is_probed_for_ever)
{
	struct ftcp_segment ack;
	struct fixture f;
	u64 last = 0;
	u32 n;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 8 * 1448);
	EXPECT(f.n_out == 1 && f.out[0].len == 8 * 1448);
	ack = fixture_close_window(&f, 0);
	f.tcb.soft.timers.tail_us = 0;
	for (n = 0; n < 30; n++) {
		EXPECT(until_next(&f) >= last && until_next(&f) <= FTCP_RTO_MAX_US);
		last = until_next(&f);
		EXPECT(!fixture_pass(&f, last) && f.n_out == 1 && f.out[0].off == 0 && f.out[0].len == 1);
		EXPECT(f.tcb.hard.state == FTCP_ESTABLISHED);
		fixture_give(&f, ack);
		EXPECT(f.n_out == 0);
	}
	EXPECT(last == FTCP_RTO_MAX_US && f.tcb.soft.cong.cwnd_bytes >= 10 * 1448);
	fixture_give(&f, fixture_segment(&f, 0, 0, 0, 0));
	EXPECT(f.n_out >= 1 && f.tcb.soft.snd_nxt == 8 * 1448);
	EXPECT(until_next(&f) < FTCP_RTO_INITIAL_US);
}

TEST(timer__a_window_that_flickers)
{
	struct ftcp_segment ack;
	struct fixture f;
	u32 n;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 8 * 1448);
	ack = fixture_segment(&f, 0, 0, 0, 0);
	for (n = 0; n < 20; n++) {
		ack.wnd = n % 2 ? 60000 : 0;
		fixture_give(&f, ack);
		EXPECT(f.n_out == 0);
	}
}

TEST(timer__a_window_that_shrank_and_a_silent_peer)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 8 * 1448);
	fixture_close_window(&f, 0);
	EXPECT(fixture_pass(&f, 300 * FTCP_S_US) & FTCP_EV_TIMEOUT);
	EXPECT(f.tcb.hard.state == FTCP_CLOSED);
}

/* RFC 9293, 3.8.6.2.1: a window that stays smaller than a segment opens again and again. */
TEST(timer__a_small_window_goes_on)
{
	struct ftcp_segment ack;
	struct fixture f;
	u32 n;

	fixture_open(&f, FTCP_OPT_TS, true);
	fixture_write(&f, 20000);
	fixture_give(&f, fixture_segment(&f, 0, 0, f.tcb.soft.snd_max, 0));
	fixture_give(&f, fixture_segment(&f, 0, 0, f.tcb.soft.snd_max, 0));
	fixture_write(&f, 50000);
	for (n = 0; n < 20; n++) {
		ack = fixture_segment(&f, 0, 0, f.tcb.soft.snd_max, 0);
		ack.wnd = 1000;
		fixture_give(&f, ack);
		EXPECT(f.n_out == 0 && until_next(&f) <= FTCP_S_US);
		fixture_pass(&f, until_next(&f));
		EXPECT(f.n_out == 1 && f.out[0].len == 1000);
	}
}

TEST(timer__persist_of_an_orphan_ends_though_it_is_answered)
{
	struct ftcp_segment ack;
	struct fixture f;
	u64 began;
	u32 n;

	fixture_open(&f, ALL, true);
	ack = fixture_close_window(&f, 0);
	fixture_write(&f, 100);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	f.tcb.soft.orphan = true;
	began = f.env.now_us;
	for (n = 0; n < FTCP_ORPHAN_PROBES_MAX; n++) {
		EXPECT(!fixture_pass(&f, until_next(&f)) && f.n_out == 1);
		fixture_give(&f, ack);
	}
	EXPECT(fixture_pass(&f, until_next(&f)) & FTCP_EV_TIMEOUT && f.tcb.hard.flags & FTCP_HARD_RESET);
	EXPECT(f.env.now_us - began > 50 * FTCP_S_US);
}

TEST(timer__queue_full_no_data_leave_but_acks_do)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	f.tcb.soft.queue_full = true;
	fixture_write(&f, 3000);
	EXPECT(f.n_out == 0);
	fixture_give(&f, fixture_segment(&f, 0, 10, 0, 0));
	EXPECT(f.n_out == 1 && f.out[0].len == 0 && fixture_ack(&f) == 10);
	f.tcb.soft.queue_full = false;
	fixture_output(&f);
	EXPECT(f.n_out == 1 && f.out[0].len == 3000);
}

TEST(timer__persist_gives_up_on_a_silent_peer)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_close_window(&f, 0);
	fixture_write(&f, 100);
	EXPECT(fixture_pass(&f, 300 * FTCP_S_US) & FTCP_EV_TIMEOUT);
	EXPECT(f.tcb.hard.state == FTCP_CLOSED);
}

TEST(timer__keepalive_waits_for_silence)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_pass(&f, 7000 * FTCP_S_US);
	EXPECT(f.n_out == 0);
	fixture_give(&f, fixture_segment(&f, 0, 10, 0, 0));
	fixture_pass(&f, 7199 * FTCP_S_US);
	EXPECT(f.n_out == 0);
	fixture_pass(&f, FTCP_S_US);
	EXPECT(f.n_out == 1 && f.out[0].len == 0);
}

/* RFC 9293, 3.8.4: what is out has its own timers. */
TEST(timer__no_keepalive_while_something_is_out)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	ftcp_tcb_keepalive(&f.tcb, &f.env, 5 * FTCP_S_US, 5, 3);
	f.tcb.soft.user_timeout_ms = 900000;
	fixture_write(&f, 1000);
	EXPECT(!fixture_pass(&f, 100 * FTCP_S_US) && f.tcb.hard.state == FTCP_ESTABLISHED && !f.tcb.soft.probes);
	fixture_give(&f, fixture_segment(&f, 0, 0, 1000, 0));
	EXPECT(fixture_pass(&f, 100 * FTCP_S_US) & FTCP_EV_TIMEOUT);
}

TEST(timer__keepalive_may_be_off)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	f.tcb.soft.keepalive_idle_ms = 0;
	f.tcb.soft.timers.keepalive_us = 0;
	fixture_give(&f, fixture_segment(&f, 0, 10, 0, 0));
	EXPECT(!ftcp_next_deadline(&f.tcb));
}

TEST(timer__a_keepalive_of_the_peers_is_answered)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_give(&f, fixture_segment(&f, 0, 10, 0, 0));
	fixture_give(&f, fixture_segment(&f, 9, 0, 0, 0));
	EXPECT(f.n_out == 1 && fixture_ack(&f) == 10);
	/* Not at once again: it may be the answer of a host that does not accept ours */
	fixture_give(&f, fixture_segment(&f, 9, 0, 0, 0));
	EXPECT(f.n_out == 0);
	fixture_pass(&f, FTCP_CHALLENGE_INTERVAL_US);
	fixture_give(&f, fixture_segment(&f, -1ull, 0, 0, 0));
	EXPECT(f.n_out == 1 && fixture_ack(&f) == 10);
}

TEST(timer__no_keepalive_in_time_wait)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	ftcp_tcb_shutdown(&f.tcb, &f.env);
	fixture_output(&f);
	fixture_give(&f, fixture_segment(&f, 0, 0, 1, FTCP_FIN));
	fixture_give(&f, fixture_segment(&f, 1, 0, 1, 0));
	EXPECT(f.tcb.hard.state == FTCP_TIME_WAIT && !f.tcb.soft.timers.keepalive_us && until_next(&f) <= FTCP_TIME_WAIT_US);
}
