// SPDX-License-Identifier: GPL-2.0
/*
 * Loss recovery: RFC 6675 with SACK, RFC 6582 without, RFC 5681 3.1 after a timeout.
 *
 * The scoreboard is a set of SACKed ranges above snd_una. A byte is lost if more than two segments' worth above it was
 * SACKed (RFC 6675, 4, IsLost). rexmit_nxt is HighRxt: what lies below it was retransmitted in this recovery. After a timeout snd_nxt goes
 * back to snd_una instead and everything not SACKed is sent again in order.
 */
#include "internal.h"

/* RFC 2018, 5: note the blocks that make sense; returns how many bytes are new. Blocks below snd_una are D-SACKs (RFC 2883). */
u32 ftcp_sack_blocks(struct ftcp_tcb *tcb, const struct ftcp_segment *seg)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 una = tcb->hard.snd_una, before;
	u32 i;

	if (!(tcb->hard.flags & FTCP_HARD_SACK) || !seg->n_sacks)
		return 0;
	before = ftcp_ranges_bytes(&soft->sacked, una);
	for (i = 0; i < seg->n_sacks; i++) {
		s64 from = ftcp_seq_off(tcb->hard.iss, seg->sacks[i].from, una);
		s64 to = ftcp_seq_off(tcb->hard.iss, seg->sacks[i].to, una);

		if (from > (s64)una && from < to && to <= (s64)soft->snd_max)
			ftcp_ranges_add(&soft->sacked, from, to);
	}
	return ftcp_ranges_bytes(&soft->sacked, una) - before;
}

/* Everything below this offset and not SACKed is lost (RFC 6675, 4). */
static u64 lost_top(const struct ftcp_tcb *tcb)
{
	const struct ftcp_ranges *sacked = &tcb->soft.sacked;
	u64 enough = (FTCP_DUPACKS_MAX - 1) * (u64)ftcp_mss_bytes(tcb), above = 0;
	u32 i, islands = 0;

	for (i = sacked->n; i-- > 0;) {
		const struct ftcp_range *r = &sacked->r[i];

		above += r->to - r->from;
		if (above > enough || ++islands >= FTCP_DUPACKS_MAX)
			return r->from;
	}
	return tcb->hard.snd_una;
}

static u64 hole_bytes(const struct ftcp_tcb *tcb, u64 from, u64 to)
{
	const struct ftcp_ranges *sacked = &tcb->soft.sacked;

	if (from >= to)
		return 0;
	return to - from - (ftcp_ranges_bytes(sacked, from) - ftcp_ranges_bytes(sacked, to));
}

/* RFC 6675, 4, SetPipe: what is believed to be in the network. */
u64 ftcp_pipe(const struct ftcp_tcb *tcb)
{
	const struct ftcp_soft *soft = &tcb->soft;
	u64 una = tcb->hard.snd_una, pipe;

	pipe = hole_bytes(tcb, una, soft->snd_nxt);
	if (soft->recovering == FTCP_RECOVERY_FAST)
		pipe -= min(pipe, hole_bytes(tcb, max(soft->rexmit_nxt, una), min(lost_top(tcb), soft->snd_nxt)));
	return pipe;
}

static void enter_fast(struct ftcp_tcb *tcb)
{
	struct ftcp_soft *soft = &tcb->soft;

	soft->recovering = FTCP_RECOVERY_FAST;
	soft->recover = soft->snd_max;
	soft->rexmit_nxt = tcb->hard.snd_una;
	soft->rtt_start_us = 0;
	ftcp_cong_loss(&soft->cong, min_t(u64, ftcp_flight(tcb), U32_MAX));
	/* The first segment goes at once, whatever pipe says (RFC 6675, 5, step 4.3) */
	soft->rexmit_now = true;
}

static bool loss_seen(const struct ftcp_tcb *tcb)
{
	if (tcb->hard.flags & FTCP_HARD_SACK)
		return lost_top(tcb) > tcb->hard.snd_una;
	return tcb->soft.dupacks >= FTCP_DUPACKS_MAX;
}

static void fast_ack(struct ftcp_tcb *tcb, u64 acked)
{
	struct ftcp_soft *soft = &tcb->soft;

	if (tcb->hard.snd_una >= soft->recover) {
		soft->recovering = FTCP_RECOVERY_NONE;
		soft->dupacks = 0;
		return;
	}
	if (!acked)
		return;
	soft->rexmit_nxt = max(soft->rexmit_nxt, tcb->hard.snd_una);
	if (!(tcb->hard.flags & FTCP_HARD_SACK))
		soft->rexmit_now = true;	/* a partial ACK (RFC 6582, 3.2) */
}

void ftcp_recovery_ack(struct ftcp_tcb *tcb, u64 acked, u32 newly_sacked, bool duplicate, bool limited)
{
	struct ftcp_soft *soft = &tcb->soft;

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
			ftcp_cong_acked(&soft->cong, min_t(u64, acked, U32_MAX), true);
		return;
	default:
		if (acked)
			ftcp_cong_acked(&soft->cong, min_t(u64, acked, U32_MAX), limited);
		if (loss_seen(tcb))
			enter_fast(tcb);
	}
}

void ftcp_recovery_timeout(struct ftcp_tcb *tcb)
{
	struct ftcp_soft *soft = &tcb->soft;

	ftcp_cong_timeout(&soft->cong, min_t(u64, ftcp_flight(tcb), U32_MAX), soft->rexmits == 1);
	soft->recovering = FTCP_RECOVERY_TIMEOUT;
	soft->recover = soft->snd_max;
	soft->snd_nxt = tcb->hard.snd_una;
	soft->dupacks = 0;
	soft->rtt_start_us = 0;
	soft->sacked.n = 0;		/* the peer may have reneged (RFC 2018, 8) */
	soft->rexmit_now = true;
}

/* RFC 6675, 4, NextSeg rule 1: the next lost hole that was not retransmitted yet. */
bool ftcp_recovery_next(struct ftcp_tcb *tcb, struct ftcp_range *lost)
{
	const struct ftcp_soft *soft = &tcb->soft;
	u64 from = max(soft->rexmit_nxt, tcb->hard.snd_una), top = lost_top(tcb);

	if (soft->recovering != FTCP_RECOVERY_FAST || from >= top)
		return false;
	return ftcp_ranges_gap(&soft->sacked, from, lost) && lost->from < top;
}
