// SPDX-License-Identifier: GPL-2.0
/*
 * Loss recovery: RFC 6675 with SACK, where RACK says what is lost; RFC 6582 without; RFC 5681 3.1 after a timeout; undone by RFC 3522.
 *
 * The scoreboard is a set of SACKed ranges above snd_una, and a border below which everything else is lost (rack.c). rexmit_nxt is HighRxt:
 * what lies below it was retransmitted in this recovery. After a timeout snd_nxt goes back to snd_una instead and everything
 * not SACKed is sent again in order.
 */
#include "internal.h"

/* RFC 2883, 4: does the first block tell of something that was here already? */
static bool is_dsack(const struct ftcp_tcb *tcb, const struct ftcp_segment *seg)
{
	u64 una = tcb->hard.snd_una;
	s64 from = ftcp_seq_off(tcb->hard.iss, seg->sacks[0].from, una), to = ftcp_seq_off(tcb->hard.iss, seg->sacks[0].to, una);

	if (from < (s64)una)
		return true;
	return seg->n_sacks > 1 && from >= ftcp_seq_off(tcb->hard.iss, seg->sacks[1].from, una) &&
	       to <= ftcp_seq_off(tcb->hard.iss, seg->sacks[1].to, una);
}

/* RFC 2018, 5: note the blocks that make sense; returns how many bytes are new. */
u32 ftcp_sack_blocks(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 una = tcb->hard.snd_una, before;
	u32 i;

	if (!(tcb->hard.flags & FTCP_HARD_SACK) || !seg->n_sacks)
		return 0;
	if (is_dsack(tcb, seg))
		ftcp_rack_duplicate(tcb);
	before = ftcp_ranges_bytes(&soft->sacked, una);
	for (i = 0; i < seg->n_sacks; i++) {
		s64 from = ftcp_seq_off(tcb->hard.iss, seg->sacks[i].from, una);
		s64 to = ftcp_seq_off(tcb->hard.iss, seg->sacks[i].to, una);

		if (from <= (s64)una || from >= to || to > (s64)soft->snd_max || ftcp_ranges_covers(&soft->sacked, from, to))
			continue;
		if (ftcp_ranges_add(&soft->sacked, from, to))
			ftcp_rack_delivered(tcb, env, seg, to);
	}
	return ftcp_ranges_bytes(&soft->sacked, una) - before;
}

static u64 hole_bytes(const struct ftcp_tcb *tcb, u64 from, u64 to)
{
	const struct ftcp_ranges *sacked = &tcb->soft.sacked;

	if (from >= to)
		return 0;
	return to - from - (ftcp_ranges_bytes(sacked, from) - ftcp_ranges_bytes(sacked, to));
}

/*
 * RFC 6675, 4, SetPipe: what is believed to be in the network. Without SACK each duplicate ACK says that one segment has left it
 * (RFC 5681, 3.2, steps 3 and 4; the first two are limited transmit, RFC 3042).
 */
u64 ftcp_pipe(const struct ftcp_tcb *tcb)
{
	const struct ftcp_soft *soft = &tcb->soft;
	u64 una = tcb->hard.snd_una, pipe, gone = 0;

	pipe = hole_bytes(tcb, una, soft->snd_nxt);
	if (soft->recovering == FTCP_RECOVERY_TIMEOUT)
		return pipe;
	if (!(tcb->hard.flags & FTCP_HARD_SACK))
		gone = soft->dupacks * (u64)ftcp_mss_bytes(tcb);
	else if (soft->recovering == FTCP_RECOVERY_FAST)
		gone = hole_bytes(tcb, max(soft->rexmit_nxt, una), min(soft->lost_off, soft->snd_nxt));
	return pipe - min(pipe, gone);
}

/* RFC 4015: remember what a recovery begins with; whether it was needed, the first ACK will tell. */
static void arm_undo(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;

	soft->undo_armed = (tcb->hard.flags & FTCP_HARD_TS) && soft->board;
	if (!soft->undo_armed)
		return;
	soft->board->undo = soft->cong;
	soft->board->undo_tsval = ftcp_tsval(tcb, env);
}

/* What was sent lies behind us: from here on it is all sent again. */
void ftcp_recovery_again(struct ftcp_tcb *tcb)
{
	struct ftcp_soft *soft = &tcb->soft;

	soft->snd_nxt = tcb->hard.snd_una;
	soft->lost_off = 0;
	soft->sent.n = 0;
	soft->again.n = 0;
	soft->rack.tail_end = 0;
	soft->rack.end = 0;		/* by its time all that follows would have been sent before */
	soft->rack.at_us = 0;
	soft->rtt_start_us = 0;
	soft->rexmit_now = true;
}

/* The same as after a timeout, where it does not tell of congestion. */
void ftcp_recovery_restart(struct ftcp_tcb *tcb)
{
	struct ftcp_soft *soft = &tcb->soft;

	ftcp_recovery_again(tcb);
	soft->undo_armed = false;
	if (soft->snd_max > tcb->hard.snd_una) {
		soft->recovering = FTCP_RECOVERY_TIMEOUT;
		soft->recover = soft->snd_max;
	} else {
		soft->rexmit_now = false;
	}
}

/* RFC 3522, 3.2: an ACK that echoes a time from before the retransmission is the original's: nothing was lost. True: as before */
bool ftcp_recovery_undo(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg)
{
	struct ftcp_soft *soft = &tcb->soft;
	struct ftcp_cong before;

	if (!soft->undo_armed)
		return false;
	soft->undo_armed = false;
	if (!(seg->opts & FTCP_OPT_TS) || (s32)(seg->tsecr - soft->board->undo_tsval) >= 0 || (s32)(seg->tsecr - soft->ts_floor) < 0)
		return false;
	before = soft->board->undo;
	before.cwnd_bytes = max(before.cwnd_bytes, soft->cong.cwnd_bytes);
	before.mss_bytes = soft->cong.mss_bytes;
	soft->cong = before;
	if (soft->recovering == FTCP_RECOVERY_FAST)
		ftcp_rack_undone(tcb, env);
	soft->recovering = FTCP_RECOVERY_NONE;
	soft->snd_nxt = soft->snd_max;
	soft->lost_off = 0;
	soft->again.n = 0;
	return true;
}

/* What is lost was all sent since the last loss was answered: one more answer (RFC 5681, 3.2), whatever was retransmitted meanwhile. */
static void new_loss(struct ftcp_tcb *tcb)
{
	struct ftcp_soft *soft = &tcb->soft;

	soft->recover = soft->snd_max;
	soft->rtt_start_us = 0;
	ftcp_cong_loss(&soft->cong, min_t(u64, ftcp_flight(tcb), U32_MAX));
}

static void enter_fast(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;

	arm_undo(tcb, env);
	new_loss(tcb);
	soft->recovering = FTCP_RECOVERY_FAST;
	soft->rexmit_nxt = tcb->hard.snd_una;
	soft->again.n = 0;
	soft->rack.tail_end = 0;
	soft->timers.tail_us = 0;
	/* The first segment goes at once, whatever pipe says (RFC 6675, 5, step 4.3) */
	soft->rexmit_now = true;
}

static bool loss_seen(const struct ftcp_tcb *tcb)
{
	if (tcb->hard.flags & FTCP_HARD_SACK)
		return tcb->soft.lost_off > tcb->hard.snd_una;
	return tcb->soft.dupacks >= FTCP_DUPACKS_MAX;
}

static void fast_ack(struct ftcp_tcb *tcb, u64 acked)
{
	struct ftcp_soft *soft = &tcb->soft;

	if (tcb->hard.snd_una >= soft->recover) {
		ftcp_rack_recovered(tcb);
		/*
		 * The pass through the holes has come to newer ones. It goes on, or they would be sent twice, and the answer to the first of the
		 * two be taken for the original's: every second loss would be undone.
		 */
		if (soft->lost_off > tcb->hard.snd_una && tcb->hard.flags & FTCP_HARD_SACK) {
			new_loss(tcb);
		} else {
			soft->recovering = FTCP_RECOVERY_NONE;
			soft->dupacks = 0;
			soft->again.n = 0;
			return;
		}
	}
	if (!acked)
		return;
	soft->rexmit_nxt = max(soft->rexmit_nxt, tcb->hard.snd_una);
	if (!(tcb->hard.flags & FTCP_HARD_SACK))
		soft->rexmit_now = true;	/* a partial ACK (RFC 6582, 3.2) */
}

void ftcp_recovery_ack(struct ftcp_tcb *tcb, const struct ftcp_env *env, u64 acked, u32 newly_sacked, bool duplicate, bool limited)
{
	struct ftcp_soft *soft = &tcb->soft;
	u32 bytes = min_t(u64, acked, U32_MAX);

	if (duplicate || newly_sacked)
		soft->dupacks++;
	switch (soft->recovering) {
	case FTCP_RECOVERY_FAST:
		fast_ack(tcb, acked);
		return;
	case FTCP_RECOVERY_TIMEOUT:
		if (tcb->hard.snd_una >= soft->recover)
			soft->recovering = FTCP_RECOVERY_NONE;
		if (acked)
			ftcp_cong_acked(&soft->cong, bytes, true, env->now_us, soft->rtt.srtt_us);
		return;
	default:
		if (acked)
			ftcp_cong_acked(&soft->cong, bytes, limited, env->now_us, soft->rtt.srtt_us);
		if (loss_seen(tcb))
			enter_fast(tcb, env);
	}
}

/* RFC 8985, 6.3: the time for reordering is over. */
void ftcp_recovery_reordered(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	ftcp_rack_detect(tcb, env);
	if (tcb->soft.recovering == FTCP_RECOVERY_NONE && loss_seen(tcb))
		enter_fast(tcb, env);
}

/* RFC 4821, 7.7, RFC 2923, 2.1: what vanishes again and again may be too large for a path that does not say so. */
static void suspect_mtu(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	u32 largest = min_t(u64, ftcp_mss_bytes(tcb), ftcp_flight(tcb)), less;
	struct ftcp_soft *soft = &tcb->soft;
	u32 enough = soft->mtu_proven ? FTCP_BLACK_HOLE_TIMEOUTS_PROVEN : FTCP_BLACK_HOLE_TIMEOUTS;

	if (soft->rexmits < enough)
		return;
	/* A path that was only down for a while soon has its size back. */
	if (soft->rexmits == enough)
		soft->mtu_suspicions = min(soft->mtu_suspicions + 1, 7);
	less = largest > FTCP_MSS_BASE_BYTES ? FTCP_MSS_BASE_BYTES : max(largest / 2, FTCP_MSS_DEFAULT_BYTES / 2u);
	if (less < largest)
		ftcp_mtu_set(tcb, env, less, min(FTCP_MTU_SUSPECT_US << soft->mtu_suspicions, FTCP_MTU_RETRY_US));
}

void ftcp_recovery_timeout(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;

	suspect_mtu(tcb, env);
	if (soft->rexmits == 1)
		arm_undo(tcb, env);
	ftcp_cong_timeout(&soft->cong, min_t(u64, ftcp_flight(tcb), U32_MAX), soft->rexmits == 1);
	soft->recovering = FTCP_RECOVERY_TIMEOUT;
	soft->recover = soft->snd_max;
	soft->dupacks = 0;
	soft->sacked.n = 0;		/* the peer may have reneged (RFC 2018, 8) */
	ftcp_recovery_again(tcb);
}

/* RFC 6675, 4, NextSeg rule 1: the next lost hole that was not retransmitted yet. */
bool ftcp_recovery_next(struct ftcp_tcb *tcb, struct ftcp_range *lost)
{
	const struct ftcp_soft *soft = &tcb->soft;
	u64 from = max(soft->rexmit_nxt, tcb->hard.snd_una), top = min(soft->lost_off, soft->snd_nxt);

	if (soft->recovering != FTCP_RECOVERY_FAST || from >= top)
		return false;
	if (!ftcp_ranges_gap(&soft->sacked, from, lost)) {
		/* Nothing is SACKed above: what was sent before a retransmission that has arrived */
		lost->from = max(from, ftcp_ranges_top(&soft->sacked));
		lost->to = top;
	}
	lost->to = min(lost->to, top);
	return lost->from < lost->to;
}
