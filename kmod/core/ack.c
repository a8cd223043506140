// SPDX-License-Identifier: GPL-2.0
/* What an acceptable ACK does (RFC 9293, 3.10.7.4, fifth step; RFC 7323, 4; RFC 6298). */
#include "internal.h"

/*
 * How long ago the last byte below @ack was sent, for the first time and once only (RFC 6298, 3), and not what had come before others, whose way
 * the ACK does not tell of; 0: not known well enough. The clock of the timestamps counts milliseconds: most round trips on a LAN are none.
 */
static u32 sent_ago_us(const struct ftcp_tcb *tcb, const struct ftcp_env *env, u64 ack)
{
	const struct ftcp_soft *soft = &tcb->soft;
	const struct ftcp_run *run = ftcp_sent_find(&soft->sent, ack - 1);
	u32 age_us;

	if (!run || soft->recovering != FTCP_RECOVERY_NONE || ftcp_sent_find(&soft->again, ack - 1) || ftcp_ranges_covers(&soft->sacked, ack - 1, ack))
		return 0;
	age_us = ftcp_sent_age_us(run->last_us, env->now_us);
	return run->last_us - run->first_us <= age_us / 8 ? max_t(u32, age_us, 1) : 0;
}

/* RFC 7323, 4.1, or Karn's algorithm where there are no timestamps. @ago_us: better than both, if it is known. Returns the sample, 0: none */
u32 ftcp_rtt_update(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg, u32 ago_us)
{
	struct ftcp_soft *soft = &tcb->soft;
	u32 tsval = ftcp_tsval(tcb, env);
	u64 sample_us;

	/* What is compared with it must not get half of all numbers ahead of it, 25 days after this host began. */
	if (!soft->doubt && tsval - soft->ts_floor > FTCP_TS_PAST_MS)
		soft->ts_floor = tsval - FTCP_TS_PAST_MS;
	if (ago_us) {
		sample_us = ago_us;
		if (tcb->hard.snd_una >= soft->rtt_off)
			soft->rtt_start_us = 0;
	} else if (tcb->hard.flags & FTCP_HARD_TS) {
		if (!(seg->opts & FTCP_OPT_TS) || (s32)(seg->tsecr - soft->ts_floor) < 0)
			return 0;
		/* As Linux has it: less than a millisecond is not known to be nothing. */
		sample_us = max_t(u64, tsval - seg->tsecr, 1) * FTCP_MS_US;
	} else {
		if (!soft->rtt_start_us || tcb->hard.snd_una < soft->rtt_off)
			return 0;
		sample_us = env->now_us - soft->rtt_start_us;
		soft->rtt_start_us = 0;
	}
	if (sample_us >= FTCP_RTO_MAX_US)
		return 0;
	soft->backoff = 0;
	ftcp_rtt_sample(&soft->rtt, sample_us);
	return max_t(u32, sample_us, 1);
}

/*
 * Progress, and no sample: the timeout stays doubled, or on a path that has become slower than it is there never would be one (RFC 6298, 5; Karn).
 * But not to more than RFC 6298, 5.7, has for a path that nothing is known of needs: each further loss would cost minutes.
 */
static void collapse(struct ftcp_soft *soft)
{
	while (soft->backoff && ftcp_rtt_backoff_us(&soft->rtt, soft->backoff - 1) >= FTCP_RTO_FALLBACK_US)
		soft->backoff--;
}

/* The only place where SND.UNA moves on. */
static u32 snd_una_update(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg, u64 ack)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 newly = ftcp_ranges_gap_end(&soft->sacked, ack);
	bool full = (s32)(soft->snd_small - (u32)tcb->hard.snd_una) <= 0;	/* so were all packets from here on */

	if (newly > tcb->hard.snd_una)
		ftcp_rack_delivered(tcb, env, seg, newly);
	if (full && ack - tcb->hard.snd_una >= ftcp_mss_bytes(tcb))
		soft->mtu_proven = true;
	/* What has come through at last was of the size that was due to be raised meanwhile. */
	if (soft->rexmits && soft->mtu_retry_us)
		soft->mtu_retry_us = max(soft->mtu_retry_us, env->now_us + FTCP_MTU_SUSPECT_US);
	tcb->hard.snd_una = ack;
	soft->snd_nxt = max(soft->snd_nxt, ack);
	soft->rexmits = 0;
	collapse(soft);
	soft->rexmit_now = false;
	soft->dupacks = 0;
	soft->progress_us = env->now_us;
	ftcp_ranges_trim(&soft->sacked, ack);
	ftcp_sent_trim(&soft->sent, ack);
	ftcp_sent_trim(&soft->again, ack);
	return FTCP_EV_WRITABLE;
}

/*
 * There is room again for what was out while there was none: now, whatever the timer thinks, which has only probed. Not if it has not even done that: a
 * window that flickers must not have everything sent again each time.
 */
static void reopened(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;

	if (!soft->persists && ftcp_flight(tcb) > 1)
		return;
	soft->rexmits = 0;
	soft->backoff = 0;
	soft->progress_us = env->now_us;	/* the user timeout is of what may be sent */
	ftcp_recovery_restart(tcb);
	ftcp_timer_rexmit(tcb, env);
}

/*
 * RFC 9293, 3.10.7.4: SND.WL1 and SND.WL2 keep an old segment from changing the window. One that moves SND.UNA is never old in this respect,
 * though it may be a retransmission with a small SEG.SEQ: were its window not taken, the old one would reach as much too far as
 * SND.UNA has moved. True if it changed.
 */
static bool snd_wnd_update(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg, u64 ack, u64 seq, bool acked)
{
	struct ftcp_soft *soft = &tcb->soft;
	u32 wnd = (u32)seg->wnd << tcb->hard.snd_wscale;
	bool changed = wnd != tcb->hard.snd_wnd;

	if (!acked && (seq < soft->snd_wl1 || (seq == soft->snd_wl1 && ack < soft->snd_wl2)))
		return false;
	soft->snd_wl1 = seq;
	soft->snd_wl2 = ack;
	if (!tcb->hard.snd_wnd && wnd && !acked && soft->snd_max > tcb->hard.snd_una)
		reopened(tcb, env);
	tcb->hard.snd_wnd = wnd;
	soft->snd_wnd_max = max(soft->snd_wnd_max, wnd);
	/* A small window that moves on is one that opens (RFC 9293, 3.8.6.2.1: its override timeout is short) */
	if ((changed || acked) && wnd) {
		soft->timers.persist_us = 0;
		soft->persists = 0;
	}
	return changed;
}

/* Our FIN has been acknowledged. */
static u32 fin_acked(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	switch (tcb->hard.state) {
	case FTCP_FIN_WAIT_1:
		tcb->hard.state = FTCP_FIN_WAIT_2;
		return 0;
	case FTCP_CLOSING:
		ftcp_enter_time_wait(tcb, env);
		return FTCP_EV_TIME_WAIT;
	case FTCP_LAST_ACK:
		/* The peer has seen our FIN before the ACK of its own: a simultaneous close, and its FIN may come once more. */
		if (tcb->soft.fin_early) {
			ftcp_enter_time_wait(tcb, env);
			return FTCP_EV_TIME_WAIT;
		}
		ftcp_close(tcb);
		return FTCP_EV_CLOSED;
	default:
		return 0;
	}
}

/* RFC 3168, 6.1.2: as if a packet had been lost, once for each window. */
static void congestion_experienced(struct ftcp_tcb *tcb, u64 acked)
{
	struct ftcp_soft *soft = &tcb->soft;

	/* The first that says CWR begins at ecn_recover: until it is acknowledged the peer has not seen it. */
	if (!(tcb->hard.flags & FTCP_HARD_ECN) || soft->recovering != FTCP_RECOVERY_NONE || tcb->hard.snd_una <= soft->ecn_recover)
		return;
	soft->ecn_recover = soft->snd_max;
	soft->cwr = true;
	ftcp_cong_loss(&soft->cong, min_t(u64, ftcp_flight(tcb) + acked, U32_MAX));
}

u32 ftcp_ack(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg, u64 ack, u64 seq)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 acked = ack - tcb->hard.snd_una;
	bool wnd_changed, duplicate, undone, limited = soft->cwnd_limited;
	u32 ago_us = acked ? sent_ago_us(tcb, env, ack) : 0;
	u32 events = 0, newly_sacked, rtt_us = 0;

	if (acked) {
		events |= snd_una_update(tcb, env, seg, ack);
		undone = ftcp_recovery_undo(tcb, env, seg);
		rtt_us = ftcp_rtt_update(tcb, env, seg, ago_us);
		/* It is why the timeout came too early (RFC 4015, 3.4), and no news of a queue. */
		if (undone)
			rtt_us = 0;
	}
	newly_sacked = ftcp_sack_blocks(tcb, env, seg);
	wnd_changed = snd_wnd_update(tcb, env, seg, ack, seq, acked);
	/* RFC 5681, 2, definition of a duplicate acknowledgement */
	duplicate = !acked && !wnd_changed && !seg->len && !(seg->flags & FTCP_FIN) &&
		    soft->snd_max > tcb->hard.snd_una;
	ftcp_rack_detect(tcb, env);
	if (seg->flags & FTCP_ECE)
		congestion_experienced(tcb, acked);
	/* RFC 8985, 7.4.2: a loss that the probe has repaired is a loss all the same */
	if (ftcp_rack_tail_ack(tcb, seg, ack, duplicate) && soft->recovering == FTCP_RECOVERY_NONE)
		ftcp_cong_loss(&soft->cong, min_t(u64, ftcp_flight(tcb) + acked, U32_MAX));
	if (acked && limited && soft->recovering == FTCP_RECOVERY_NONE)
		ftcp_cong_rtt(&soft->cong, rtt_us, ack, soft->snd_nxt);
	ftcp_recovery_ack(tcb, env, acked, newly_sacked, duplicate, limited);
	if (acked)
		ftcp_timer_rexmit(tcb, env);
	if (ftcp_fin_acked(&tcb->hard))
		events |= fin_acked(tcb, env);
	return events;
}
