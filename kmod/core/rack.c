// SPDX-License-Identifier: GPL-2.0
/*
 * RACK-TLP (RFC 8985): a segment is lost when another one that was sent later has arrived, and the time for reordering is over.
 *
 * First transmissions go out in the order of their offsets, so that "lost" is a border: what lies below soft.lost_off and was not SACKed
 * is lost. Retransmissions go through the holes below it in the same order; one that is lost itself takes the whole
 * pass back to where it was (soft.rexmit_nxt).
 */
#include "internal.h"

#define REORDER_PERSIST 16	/* 6.2, step 4 */
#define WIDEN_MAX 64

/* 6.2, steps 1 to 3: the segment that ends at @end has been delivered, as far as anybody can tell. */
void ftcp_rack_delivered(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg, u64 end)
{
	struct ftcp_soft *soft = &tcb->soft;
	struct ftcp_rack *rack = &soft->rack;
	const struct ftcp_run *run = ftcp_sent_find(&soft->again, end - 1);
	bool again = run;
	u64 at_us;
	u32 age_us;

	if (!run)
		run = ftcp_sent_find(&soft->sent, end - 1);
	if (!run)
		return;
	age_us = ftcp_sent_age_us(run->first_us, env->now_us);
	/* Not the retransmission but the original, late? */
	if (again && (age_us < soft->rtt.min_us ||
		      (seg->opts & FTCP_OPT_TS && (s32)(seg->tsecr - (ftcp_tsval(tcb, env) - age_us / 1000 - 1)) < 0)))
		return;
	rack->fack_next = max(rack->fack_next, end);
	/* After a timeout all is sent once more, in order, and lies below. */
	if (end < rack->fack && !again && soft->recovering != FTCP_RECOVERY_TIMEOUT)
		rack->reordering = true;
	at_us = env->now_us - age_us;
	if (at_us < rack->at_us || (at_us == rack->at_us && end <= rack->end))
		return;
	rack->at_us = at_us;
	rack->end = end;
	rack->rtt_us = age_us;
}

/* 6.2, step 4. RFC 2883: the first block tells of something that had come before. */
void ftcp_rack_duplicate(struct ftcp_tcb *tcb)
{
	struct ftcp_rack *rack = &tcb->soft.rack;

	rack->persist = REORDER_PERSIST;
	if (tcb->hard.snd_una < rack->dsack_round)
		return;
	rack->dsack_round = tcb->soft.snd_max;
	rack->widen = min_t(u32, rack->widen + 1, WIDEN_MAX);
}

void ftcp_rack_recovered(struct ftcp_tcb *tcb)
{
	struct ftcp_rack *rack = &tcb->soft.rack;

	if (rack->persist && !--rack->persist)
		rack->widen = 0;
}

/*
 * What was taken for lost was only late (RFC 4015, 3.3: then less is to be taken for lost). Its retransmissions are forgotten, and by the
 * times of the first transmissions the rest would be lost again at once, with every ACK: it has as long from now on as if it had
 * been sent now, and all that is allowed for reordering.
 */
void ftcp_rack_undone(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_rack *rack = &tcb->soft.rack;

	rack->reordering = true;
	rack->widen = WIDEN_MAX;
	rack->persist = REORDER_PERSIST;
	ftcp_sent_touch(&tcb->soft.sent, env->now_us);
}

static u32 reorder_window_us(const struct ftcp_tcb *tcb)
{
	const struct ftcp_soft *soft = &tcb->soft;
	const struct ftcp_ranges *sacked = &soft->sacked;
	u64 enough = (FTCP_DUPACKS_MAX - 1) * (u64)ftcp_mss_bytes(tcb);

	if (!soft->rack.reordering && (soft->recovering != FTCP_RECOVERY_NONE || sacked->n >= FTCP_DUPACKS_MAX ||
				       ftcp_ranges_bytes(sacked, tcb->hard.snd_una) > enough))
		return 0;
	if (soft->rack.widen == WIDEN_MAX)
		return soft->rtt.srtt_us;
	return min_t(u64, (soft->rack.widen + 1) * (u64)soft->rtt.min_us / 4, soft->rtt.srtt_us);
}

/* 6.2, step 5, for one run: is it lost? If not yet, *@wait_us gets longer. */
static bool too_old(const struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_run *run, u32 *wait_us)
{
	u64 age_us = ftcp_sent_age_us(run->last_us, env->now_us);
	u64 allowed_us = (u64)tcb->soft.rack.rtt_us + reorder_window_us(tcb);

	if (age_us >= allowed_us)
		return true;
	*wait_us = max_t(u32, *wait_us, allowed_us - age_us);
	return false;
}

/* How far was the run sent before the segment that RACK knows to be delivered? 0: not at all */
static u64 sent_before(const struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_run *run)
{
	const struct ftcp_rack *rack = &tcb->soft.rack;
	u64 at_us = env->now_us - ftcp_sent_age_us(run->last_us, env->now_us);
	u64 una = tcb->hard.snd_una, to = ftcp_sent_off(run->to, una);

	if (at_us < rack->at_us)
		return to;
	return ftcp_sent_off(run->from, una) < rack->end ? min(to, rack->end) : 0;
}

static void detect_first(struct ftcp_tcb *tcb, const struct ftcp_env *env, u32 *wait_us)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 una = tcb->hard.snd_una, to;
	u32 i;

	for (i = 0; i < soft->sent.n; i++) {
		to = sent_before(tcb, env, &soft->sent.r[i]);
		if (!to)
			return;
		if (!ftcp_ranges_covers(&soft->sacked, max(una, ftcp_sent_off(soft->sent.r[i].from, una)), to) &&
		    too_old(tcb, env, &soft->sent.r[i], wait_us))
			soft->lost_off = max(soft->lost_off, to);
	}
}

/* Offsets say nothing here: new data may have gone out before a retransmission, or after it. */
static bool again_before(const struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_run *run)
{
	const struct ftcp_rack *rack = &tcb->soft.rack;
	u64 at_us = env->now_us - ftcp_sent_age_us(run->last_us, env->now_us);

	return at_us < rack->at_us || (at_us == rack->at_us && ftcp_sent_off(run->to, rack->end) <= rack->end);
}

/* Retransmissions that were lost: the pass goes back to the first of them. */
static void detect_again(struct ftcp_tcb *tcb, const struct ftcp_env *env, u32 *wait_us)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 una = tcb->hard.snd_una, from, to;
	u32 i;

	if (soft->recovering != FTCP_RECOVERY_FAST)
		return;
	for (i = 0; i < soft->again.n && again_before(tcb, env, &soft->again.r[i]); i++) {
		from = max(una, ftcp_sent_off(soft->again.r[i].from, una));
		to = ftcp_sent_off(soft->again.r[i].to, una);
		if (ftcp_ranges_covers(&soft->sacked, from, to) || !too_old(tcb, env, &soft->again.r[i], wait_us))
			continue;
		soft->rexmit_nxt = min(soft->rexmit_nxt, from);
		ftcp_sent_cut(&soft->again, &soft->again.r[i]);
		return;
	}
}

void ftcp_rack_detect(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;
	u32 wait_us = 0;

	soft->timers.reorder_us = 0;
	soft->rack.fack = soft->rack.fack_next;
	if (!(tcb->hard.flags & FTCP_HARD_SACK) || !soft->rack.end)
		return;
	detect_first(tcb, env, &wait_us);
	detect_again(tcb, env, &wait_us);
	if (wait_us)
		soft->timers.reorder_us = env->now_us + wait_us;
}

/* ---- tail loss probes ---- */

/* 7.2: called when new data was sent, and when some was acknowledged. */
void ftcp_rack_arm_tail(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 at_us;

	soft->timers.tail_us = 0;
	if (!(tcb->hard.flags & FTCP_HARD_SACK) || soft->recovering != FTCP_RECOVERY_NONE || soft->rack.tail_end ||
	    !soft->rtt.srtt_us || soft->snd_max <= tcb->hard.snd_una)
		return;
	at_us = env->now_us + 2 * (u64)soft->rtt.srtt_us + FTCP_TAIL_MIN_US;
	if (ftcp_flight(tcb) <= ftcp_mss_bytes(tcb))
		at_us += FTCP_PEER_DELAY_US;
	/* Where the retransmission timer comes first it does the work. */
	if (at_us < soft->timers.rexmit_us)
		soft->timers.tail_us = at_us;
}

/* 7.4: what does this ACK say about the probe? True: what it was to find out about was lost. */
bool ftcp_rack_tail_ack(struct ftcp_tcb *tcb, const struct ftcp_segment *seg, u64 ack, bool duplicate)
{
	struct ftcp_rack *rack = &tcb->soft.rack;
	u64 end = rack->tail_end;
	bool dsack;

	if (!end || ack < end)
		return false;
	dsack = seg->n_sacks && ftcp_seq_eq(seg->sacks[0].to, ftcp_seq_of(tcb->hard.iss, end));
	if (rack->tail_again && !dsack && ack == end && !(duplicate && !seg->n_sacks))
		return false;		/* not decided yet */
	rack->tail_end = 0;
	return rack->tail_again && !dsack && ack > end;
}
