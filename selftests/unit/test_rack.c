// SPDX-License-Identifier: GPL-2.0
/* sent.c, rack.c (RFC 8985), undo (RFC 3522), limited transmit (RFC 3042), CUBIC (RFC 9438). */
#include "cong.h"
#include "fixture.h"

#define ALL (FTCP_OPT_TS | FTCP_OPT_SACK_OK | FTCP_OPT_WSCALE)
#define MSS 1448
#define RTT FIXTURE_RTT_US

/* Ten segments are out, sent at once, a round trip ago. */
static void fill_pipe(struct fixture *f, u8 opts)
{
	fixture_open(f, opts, true);
	fixture_write(f, 10 * MSS);
	EXPECT(f->tcb.soft.snd_max == 10 * MSS);
	fixture_pass(f, RTT);
}

/* ---- sent.c ---- */

TEST(sent__neighbours_of_one_time_are_one)
{
	struct ftcp_run room[FTCP_RUNS_MAX];
	struct ftcp_sent sent = { .r = room };

	ftcp_sent_add(&sent, 0, 10, 5);
	ftcp_sent_add(&sent, 10, 20, 5);
	ftcp_sent_add(&sent, 20, 30, 6);
	EXPECT(sent.n == 2 && sent.r[0].to == 20 && sent.r[1].from == 20);
	EXPECT(ftcp_sent_find(&sent, 19) == &sent.r[0] && ftcp_sent_find(&sent, 20) == &sent.r[1] && !ftcp_sent_find(&sent, 30));
}

TEST(sent__never_full)
{
	struct ftcp_run room[FTCP_RUNS_MAX];
	struct ftcp_sent sent = { .r = room };
	u64 off, base = 0xffffff00ull;
	u32 i;

	for (off = 0; off < 1000; off += 10)
		ftcp_sent_add(&sent, base + off, base + off + 10, base + off * off);
	EXPECT(sent.n == FTCP_RUNS_MAX);
	for (i = 0; i + 1 < sent.n; i++) {
		EXPECT(sent.r[i].to == sent.r[i + 1].from);
		EXPECT((s32)(sent.r[i + 1].first_us - sent.r[i].last_us) > 0);
		EXPECT((s32)(sent.r[i].last_us - sent.r[i].first_us) >= 0);
	}
	EXPECT(ftcp_sent_off(sent.r[0].from, base + 500) == base);
	EXPECT(ftcp_sent_off(sent.r[sent.n - 1].to, base + 500) == base + 1000);
	ftcp_sent_trim(&sent, base + 995);
	EXPECT(sent.n == 1 && ftcp_sent_off(sent.r[0].from, base) == base + 995);
	ftcp_sent_trim(&sent, base + 1000);
	EXPECT(sent.n == 0);
}

/* ---- reordering ---- */

TEST(rack__waits_for_the_reordered)
{
	struct fixture f;

	fill_pipe(&f, ALL);
	fixture_give(&f, fixture_sack(&f, 0, MSS, 2 * MSS));
	EXPECT(f.n_out == 0 && f.tcb.soft.timers.reorder_us == f.env.now_us + RTT / 4);
	fixture_pass(&f, RTT / 4 - 1);
	EXPECT(f.n_out == 0 && f.tcb.soft.recovering == FTCP_RECOVERY_NONE);
	fixture_pass(&f, 1);				/* RFC 8985, 6.3 */
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_FAST && f.n_out == 1 && f.out[0].off == 0 && f.out[0].len == MSS);
}

TEST(rack__reordered_in_time)
{
	struct fixture f;

	fill_pipe(&f, ALL);
	fixture_give(&f, fixture_sack(&f, 0, MSS, 2 * MSS));
	fixture_pass(&f, RTT / 8);
	fixture_give(&f, fixture_segment(&f, 0, 0, 2 * MSS, 0));
	EXPECT(f.tcb.soft.rack.reordering && !f.tcb.soft.timers.reorder_us && f.n_out == 0);
	/* From now on three islands are not enough: time decides */
	fixture_give(&f, fixture_sack(&f, 2 * MSS, 3 * MSS, 8 * MSS));
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_NONE && f.tcb.soft.timers.reorder_us);
	fixture_pass(&f, RTT / 2);
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_FAST);
}

TEST(rack__duplicates_widen_the_window)
{
	struct ftcp_segment ack;
	struct fixture f;

	fill_pipe(&f, ALL);
	fixture_give(&f, fixture_sack(&f, 2 * MSS, 0, MSS));		/* a D-SACK: RFC 2883 */
	EXPECT(f.tcb.soft.rack.widen == 1);
	fixture_give(&f, fixture_sack(&f, 3 * MSS, 0, MSS));		/* once in a round trip */
	EXPECT(f.tcb.soft.rack.widen == 1);
	f.tcb.soft.rack.reordering = true;
	ack = fixture_sack(&f, 3 * MSS, 4 * MSS, 5 * MSS);
	fixture_give(&f, ack);
	EXPECT(f.tcb.soft.timers.reorder_us == f.env.now_us + RTT / 2);
}

TEST(rack__a_lost_retransmission)
{
	struct fixture f;

	fill_pipe(&f, ALL);
	fixture_give(&f, fixture_sack(&f, 0, MSS, 9 * MSS));
	EXPECT(f.n_out == 1 && f.out[0].off == 0);
	fixture_write(&f, 5 * MSS);				/* new data behind it */
	EXPECT(f.n_out >= 1 && f.out[0].off == 10 * MSS);
	fixture_pass(&f, RTT + RTT / 2);
	fixture_give(&f, fixture_sack(&f, 0, MSS, 11 * MSS));
	EXPECT(f.n_out >= 1 && f.out[0].off == 0 && f.out[0].len == MSS);
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_FAST && f.tcb.soft.rexmits == 0);
}

/* ---- tail loss probes ---- */

TEST(tail__the_last_once_more)
{
	struct fixture f;
	u64 pto = 2 * RTT + FTCP_TAIL_MIN_US;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 5 * MSS);
	fixture_pass(&f, pto - 1);
	EXPECT(f.n_out == 0);
	fixture_pass(&f, 1);
	EXPECT(f.n_out == 1 && f.out[0].off == 4 * MSS && f.out[0].len == MSS);
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_NONE && f.tcb.soft.cong.cwnd_bytes == 10 * MSS);
	fixture_pass(&f, pto);
	EXPECT(f.n_out == 0);					/* one is enough */
}

TEST(tail__repairs_without_a_timeout)
{
	struct fixture f;
	u32 i;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 5 * MSS);
	fixture_pass(&f, 2 * RTT + FTCP_TAIL_MIN_US);		/* 3 and 4 were lost, and 4 comes now */
	fixture_pass(&f, RTT);
	fixture_give(&f, fixture_sack(&f, 3 * MSS, 4 * MSS, 5 * MSS));
	for (i = 0; i < 4 && f.tcb.soft.recovering == FTCP_RECOVERY_NONE; i++)
		fixture_pass(&f, RTT / 4);
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_FAST && f.n_out == 1 && f.out[0].off == 3 * MSS);
	fixture_pass(&f, RTT);
	fixture_give(&f, fixture_segment(&f, 0, 0, 5 * MSS, 0));
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_NONE && f.tcb.soft.rexmits == 0);
}

TEST(tail__new_data_first)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 15 * MSS);
	EXPECT(f.tcb.soft.snd_max == 10 * MSS);
	fixture_pass(&f, 2 * RTT + FTCP_TAIL_MIN_US);
	EXPECT(f.n_out == 1 && f.out[0].off == 10 * MSS && f.out[0].len == MSS);
	fixture_give(&f, fixture_segment(&f, 0, 0, 11 * MSS, 0));
	EXPECT(!f.tcb.soft.rack.tail_end && f.tcb.soft.cong.ssthresh_bytes > 100 * MSS);
}

TEST(tail__a_repaired_loss_is_a_loss)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 5 * MSS);
	fixture_pass(&f, 2 * RTT + FTCP_TAIL_MIN_US);
	fixture_give(&f, fixture_segment(&f, 0, 0, 5 * MSS, 0));
	fixture_write(&f, MSS);
	fixture_give(&f, fixture_segment(&f, 0, 0, 6 * MSS, 0));
	EXPECT(!f.tcb.soft.rack.tail_end && f.tcb.soft.cong.ssthresh_bytes <= 10 * MSS);
}

TEST(tail__a_needless_probe_costs_nothing)
{
	struct fixture f;

	fixture_open(&f, ALL, true);
	fixture_write(&f, 5 * MSS);
	fixture_pass(&f, 2 * RTT + FTCP_TAIL_MIN_US);
	fixture_give(&f, fixture_segment(&f, 0, 0, 5 * MSS, 0));
	fixture_give(&f, fixture_sack(&f, 5 * MSS, 4 * MSS, 5 * MSS));	/* it had come already */
	EXPECT(!f.tcb.soft.rack.tail_end && f.tcb.soft.cong.ssthresh_bytes > 100 * MSS);
}

/* ---- undo ---- */

TEST(undo__a_timeout_in_vain)
{
	struct ftcp_segment ack;
	struct fixture f;

	fill_pipe(&f, ALL);
	ack = fixture_segment(&f, 0, 0, 10 * MSS, 0);		/* echoes what was sent first */
	fixture_pass(&f, f.tcb.soft.timers.rexmit_us - f.env.now_us);
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_TIMEOUT && f.tcb.soft.cong.cwnd_bytes == MSS);
	fixture_give(&f, ack);
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_NONE && f.tcb.soft.cong.cwnd_bytes >= 10 * MSS);
	EXPECT(f.tcb.soft.snd_nxt == f.tcb.soft.snd_max && f.n_out == 0);
}

TEST(undo__not_what_was_needed)
{
	struct fixture f;

	fill_pipe(&f, ALL);
	fixture_pass(&f, f.tcb.soft.timers.rexmit_us - f.env.now_us);
	fixture_pass(&f, RTT);
	fixture_give(&f, fixture_segment(&f, 0, 0, MSS, 0));
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_TIMEOUT && f.tcb.soft.cong.cwnd_bytes <= 2 * MSS);
}

/* The rest of what is late is on its way, too: it is not to be sent again with every ACK. */
TEST(undo__what_is_late_is_not_lost_again)
{
	struct ftcp_segment late[3];
	struct fixture f;
	u32 i;

	fill_pipe(&f, ALL);
	for (i = 0; i < 3; i++)
		late[i] = fixture_sack(&f, (i + 1) * MSS, 4 * MSS, 9 * MSS);
	fixture_pass(&f, 3000);
	fixture_give(&f, fixture_sack(&f, 0, 4 * MSS, 9 * MSS));
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_FAST && f.n_out >= 1);
	for (i = 0; i < 3; i++) {
		fixture_pass(&f, 1000);
		fixture_give(&f, late[i]);
		EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_NONE && f.n_out == 0);
	}
	/* What does not come at all is lost, all the same. */
	for (i = 0; i < 5 && f.tcb.soft.recovering == FTCP_RECOVERY_NONE; i++)
		fixture_pass(&f, RTT);
	EXPECT(f.tcb.soft.recovering == FTCP_RECOVERY_FAST && f.n_out == 1 && f.out[0].off == 3 * MSS);
	EXPECT(f.tcb.soft.rexmits == 0);
}

/* ---- limited transmit ---- */

TEST(limited_transmit__two_more_without_sack)
{
	struct fixture f;

	fixture_open(&f, FTCP_OPT_TS, true);
	fixture_write(&f, 20 * MSS);
	EXPECT(f.tcb.soft.snd_max == 10 * MSS);
	fixture_give(&f, fixture_segment(&f, 0, 0, 0, 0));
	EXPECT(f.tcb.soft.snd_max == 11 * MSS);
	fixture_give(&f, fixture_segment(&f, 0, 0, 0, 0));
	EXPECT(f.tcb.soft.snd_max == 12 * MSS && f.tcb.soft.recovering == FTCP_RECOVERY_NONE);
}

/* ---- CUBIC ---- */

TEST(cubic__back_to_w_max_and_beyond)
{
	struct ftcp_cong cong;
	u32 at_k = 0, i, cwnd, last;

	ftcp_cong_init(&cong, 1000, FTCP_CONG_CUBIC);
	cong.cwnd_bytes = 100000;
	ftcp_cong_loss(&cong, 100000);
	EXPECT(cong.ssthresh_bytes == 70000 && cong.cwnd_bytes == 70000 && cong.w_max_bytes == 100000);
	/* K = cbrt(30 / 0.4) = 4.217 s; a round trip of 200 ms, so that Reno is slower */
	last = cong.cwnd_bytes;
	for (i = 0; i < 50; i++) {
		cwnd = cong.cwnd_bytes;
		ftcp_cong_acked(&cong, cwnd, true, 1000000 + i * 200000ull, 200000);
		EXPECT(cong.cwnd_bytes >= last);
		last = cong.cwnd_bytes;
		if (i == 20)
			at_k = cong.cwnd_bytes;
	}
	EXPECT(cong.k_ms >= 4210 && cong.k_ms <= 4220);
	EXPECT(at_k >= 97000 && at_k <= 103000);
	EXPECT(cong.cwnd_bytes > 150000);
}

TEST(cubic__friendly_to_reno)
{
	struct ftcp_cong cong;
	u32 i;

	ftcp_cong_init(&cong, 1000, FTCP_CONG_CUBIC);
	cong.cwnd_bytes = 20000;
	ftcp_cong_loss(&cong, 20000);
	for (i = 0; i < 100; i++)				/* a round trip of 1 ms: time gives nothing */
		ftcp_cong_acked(&cong, cong.cwnd_bytes, true, 1000000 + i * 1000ull, 1000);
	EXPECT(cong.cwnd_bytes >= 14000 + 50 * 1000);
}

TEST(cubic__makes_room)
{
	struct ftcp_cong cong;

	ftcp_cong_init(&cong, 1000, FTCP_CONG_CUBIC);
	cong.cwnd_bytes = 100000;
	ftcp_cong_loss(&cong, 100000);
	ftcp_cong_loss(&cong, 70000);
	EXPECT(cong.w_max_bytes == 59500);			/* RFC 9438, 4.7 */
}

TEST(cubic__stays_within_its_limits)
{
	struct ftcp_cong cong;
	u64 now = 1;
	u32 i;

	ftcp_cong_init(&cong, 1448, FTCP_CONG_CUBIC);
	for (i = 0; i < 20000; i++) {
		now += ktest_random(4) ? ktest_random(1000) : ktest_random(0x7fffffff);
		switch (ktest_random(50)) {
		case 0: ftcp_cong_loss(&cong, ktest_random(0x7fffffff)); break;
		case 1: ftcp_cong_timeout(&cong, ktest_random(0x7fffffff), ktest_random(2)); break;
		case 2: ftcp_cong_idle(&cong); break;
		case 3: ftcp_cong_init(&cong, 1448, FTCP_CONG_CUBIC); break;
		case 4: case 5: case 6: case 7: ftcp_cong_rtt(&cong, ktest_random(200000), now, now + ktest_random(20000)); break;
		default: ftcp_cong_acked(&cong, ktest_random(3) ? 65000 : ktest_random(0x7fffffff) * 2, ktest_random(9), now, ktest_random(200000));
		}
		EXPECT(cong.cwnd_bytes >= 1448 && cong.cwnd_bytes <= 1u << 30);
		EXPECT(cong.ssthresh_bytes >= 2 * 1448);
	}
}
