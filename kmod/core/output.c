// SPDX-License-Identifier: GPL-2.0
/*
 * Segments out (RFC 9293, 3.8), one at a time, up to 64 KiB each, under the output-commit rule: the ACK
 * field never passes ftcp_ack_limit(), the window never ftcp_edge_limit(), the payload never ftcp_snd_limit().
 */
#include "internal.h"

/*
 * RFC 2883, 4: what came twice lies below what is acknowledged, or in an island. Between the two it was received and is not committed: then it
 * waits for the ACK that covers it, or it would tell the peer of the first time.
 */
static bool dsack_due(const struct ftcp_tcb *tcb)
{
	const struct ftcp_soft *soft = &tcb->soft;

	return soft->dsack && (soft->dsack_from + soft->dsack_bytes <= soft->rcv_ack || soft->dsack_from >= tcb->hard.rcv_nxt);
}

/* RFC 2018, 4: the island that changed last first; a D-SACK before all. */
static void add_sacks(struct ftcp_tcb *tcb, struct ftcp_segment *seg)
{
	struct ftcp_soft *soft = &tcb->soft;
	const struct ftcp_ranges *ooo = &soft->ooo;
	u32 irs = tcb->hard.irs, i, most = tcb->hard.flags & FTCP_HARD_TS ? 3 : 4;

	if (!(tcb->hard.flags & FTCP_HARD_SACK))
		return;
	if (dsack_due(tcb)) {
		seg->sacks[0].from = ftcp_seq_of(irs, soft->dsack_from);
		seg->sacks[0].to = ftcp_seq_of(irs, soft->dsack_from + soft->dsack_bytes);
		seg->n_sacks = 1;
		soft->dsack = false;
	}
	for (i = 0; i < ooo->n && seg->n_sacks < most; i++) {
		const struct ftcp_range *r = &ooo->r[(ooo->last + i) % ooo->n];

		seg->sacks[seg->n_sacks].from = ftcp_seq_of(irs, r->from);
		seg->sacks[seg->n_sacks].to = ftcp_seq_of(irs, r->to);
		seg->n_sacks++;
	}
}

/*
 * SND.WIND of the header. Rounded up: the peer may use up to ftcp_edge_slack() more than was promised, which is accepted, but the promise
 * itself never goes back (RFC 7323, 2.4; RFC 9293, 3.8.6).
 */
static u16 window(struct ftcp_tcb *tcb, u64 ack)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 edge = ftcp_edge_limit(tcb), wnd;
	u32 scale = tcb->hard.rcv_wscale;

	/* A peer may have sent more than it had heard of: then there is nothing left to tell it. */
	if (edge <= ack) {
		soft->rcv_adv = max(soft->rcv_adv, edge);
		return 0;
	}
	wnd = min_t(u64, (edge - ack + ftcp_edge_slack(&tcb->hard)) >> scale, 65535);
	soft->rcv_adv = max(soft->rcv_adv, min(edge, ack + (wnd << scale)));
	return wnd;
}

/* What every segment carries. Whatever is sent acknowledges all that may be acknowledged. */
static void fill(struct ftcp_tcb *tcb, const struct ftcp_env *env, struct ftcp_segment *seg, u64 off)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 ack = ftcp_ack_limit(tcb);

	memset(seg, 0, offsetof(struct ftcp_segment, sacks));
	seg->flags = FTCP_ACK;
	seg->seq = ftcp_seq_of(tcb->hard.iss, off);
	seg->ack = ftcp_seq_of(tcb->hard.irs, ack);
	seg->off = off;
	soft->rcv_ack = ack;
	seg->wnd = window(tcb, ack);
	if (tcb->hard.flags & FTCP_HARD_TS) {
		seg->opts |= FTCP_OPT_TS;
		seg->tsval = ftcp_tsval(tcb, env);
		seg->tsecr = tcb->hard.ts_recent;
	}
	add_sacks(tcb, seg);
	if (soft->ece)
		seg->flags |= FTCP_ECE;
	soft->last_sent_us = env->now_us;
	soft->ack_now = false;
	soft->sack_due = false;
	soft->timers.delayed_us = 0;
}

/* Payload of one packet of @seg, its SACK blocks taken into account. */
static u32 packet_bytes(const struct ftcp_tcb *tcb, const struct ftcp_segment *seg)
{
	u32 mss = ftcp_mss_bytes(tcb);

	return seg->n_sacks ? max_t(u32, mss - 4 - 8 * seg->n_sacks, FTCP_MSS_MIN_BYTES / 2) : mss;
}

/* Turn the filled @seg into one with payload (and FIN) from its offset on, at most @len bytes. */
static void carry(struct ftcp_tcb *tcb, struct ftcp_segment *seg, u64 len)
{
	u64 data_end = ftcp_tcb_data_end(tcb), limit = ftcp_snd_limit(tcb);

	seg->len = min_t(u64, len, FTCP_SEGMENT_MAX_BYTES);
	seg->gso_bytes = packet_bytes(tcb, seg);
	/* Whole packets, but at the end of the data */
	if (seg->len > seg->gso_bytes && seg->off + seg->len < min(data_end, limit))
		seg->len -= seg->len % seg->gso_bytes;
	if (seg->off + seg->len == min(data_end, limit) && seg->len)
		seg->flags |= FTCP_PSH;
	if (seg->off + seg->len == data_end && (tcb->hard.flags & FTCP_HARD_SND_FIN) && limit > data_end)
		seg->flags |= FTCP_FIN;
}

/* Account for what @seg sends: RFC 6298, 5.1 and Karn. */
static void sent(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 end = seg->off + seg->len + !!(seg->flags & FTCP_FIN);

	if (seg->off < soft->snd_nxt)
		ftcp_sent_add(&soft->again, seg->off, end, env->now_us);
	else
		ftcp_sent_add(&soft->sent, seg->off, end, env->now_us);
	if (seg->off < soft->snd_max) {
		soft->rexmit_total++;
		if (soft->rtt_start_us && seg->off < soft->rtt_off)
			soft->rtt_start_us = 0;
	} else if (!soft->rtt_start_us) {
		soft->rtt_start_us = env->now_us;
		soft->rtt_off = end;
	}
	if (soft->snd_max == tcb->hard.snd_una)
		soft->progress_us = env->now_us;	/* only now does the user timeout run: a commit may take its time */
	if ((seg->flags & FTCP_FIN) && soft->rcv_ack < tcb->hard.rcv_nxt)
		soft->fin_early = true;
	if (seg->len % seg->gso_bytes && end > soft->snd_max)
		soft->snd_small = end;
	soft->snd_nxt = max(soft->snd_nxt, end);
	soft->snd_max = max(soft->snd_max, end);
	if (!soft->timers.rexmit_us)
		ftcp_timer_rexmit(tcb, env);
	soft->timers.persist_us = 0;
	soft->sliver_ok = false;
	ftcp_rack_arm_tail(tcb, env);
}

/* The first unacknowledged packet, whatever the congestion window says: after a timeout, at a third duplicate, on a takeover. */
static bool next_first(struct ftcp_tcb *tcb, const struct ftcp_env *env, struct ftcp_segment *seg)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 una = tcb->hard.snd_una, len = ftcp_tcb_data_end(tcb) - una;

	soft->rexmit_now = false;
	if (soft->snd_max == una)
		return false;
	len = min(len, ftcp_snd_limit(tcb) - una);
	/* Not even again what the peer has no room for: it may have been sent by a predecessor, or the window has shrunk since. */
	len = min(len, max_t(u64, tcb->hard.snd_wnd, 1));
	if (soft->sacked.n)
		len = min(len, soft->sacked.r[0].from - una);
	fill(tcb, env, seg, una);
	carry(tcb, seg, min_t(u64, len, packet_bytes(tcb, seg)));
	sent(tcb, env, seg);
	soft->rexmit_nxt = max(soft->rexmit_nxt, una + seg->len);
	return true;
}

/* RFC 6675, 5, step C: a lost hole, as far as the congestion window lets us. */
static bool next_lost(struct ftcp_tcb *tcb, const struct ftcp_env *env, struct ftcp_segment *seg)
{
	struct ftcp_soft *soft = &tcb->soft;
	u32 mss = ftcp_mss_bytes(tcb);
	struct ftcp_range lost;
	u64 pipe, room, len;

	if (soft->recovering != FTCP_RECOVERY_FAST)
		return false;
	pipe = ftcp_pipe(tcb);
	if (soft->cong.cwnd_bytes < pipe + mss || !ftcp_recovery_next(tcb, &lost))
		return false;
	room = soft->cong.cwnd_bytes - pipe;
	len = min_t(u64, lost.to, ftcp_tcb_data_end(tcb)) - min_t(u64, lost.from, ftcp_tcb_data_end(tcb));
	fill(tcb, env, seg, lost.from);
	carry(tcb, seg, min_t(u64, len, room - room % mss));
	sent(tcb, env, seg);
	soft->rexmit_nxt = seg->off + seg->len + !!(seg->flags & FTCP_FIN);
	return true;
}

/* After a timeout: what was SACKed since need not be sent again. */
static void skip_sacked(struct ftcp_tcb *tcb)
{
	struct ftcp_soft *soft = &tcb->soft;
	u32 i;

	for (i = 0; i < soft->sacked.n; i++)
		if (soft->sacked.r[i].from <= soft->snd_nxt && soft->snd_nxt < soft->sacked.r[i].to)
			soft->snd_nxt = soft->sacked.r[i].to;
}

/* Bytes that may go from snd_nxt on, as far as data, commit and the peer's window say; *@blocked: the window holds some back. */
static u64 sendable(const struct ftcp_tcb *tcb, bool *blocked)
{
	const struct ftcp_soft *soft = &tcb->soft;
	u64 end = min(ftcp_tcb_data_end(tcb), ftcp_snd_limit(tcb)), nxt = soft->snd_nxt;
	u64 edge = tcb->hard.snd_una + tcb->hard.snd_wnd;
	u32 i;

	if (nxt >= end)
		return 0;
	*blocked = edge < end;
	end = min(end, edge);
	for (i = 0; i < soft->sacked.n; i++)
		if (soft->sacked.r[i].from > nxt)
			end = min(end, soft->sacked.r[i].from);
	return end > nxt ? end - nxt : 0;
}

/* RFC 3168, 6.1.2 and 6.1.5: marked as capable is what is sent for the first time. */
static void mark(struct ftcp_tcb *tcb, struct ftcp_segment *seg)
{
	struct ftcp_soft *soft = &tcb->soft;

	if (!(tcb->hard.flags & FTCP_HARD_ECN) || !seg->len || seg->off < soft->snd_max)
		return;
	seg->ecn = FTCP_ECN_ECT0;
	if (soft->cwr)
		seg->flags |= FTCP_CWR;
	soft->cwr = false;
}

/* RFC 8985, 7.3: something new if there is, else the last segment once more, whatever the congestion window says. */
static bool next_tail(struct ftcp_tcb *tcb, const struct ftcp_env *env, struct ftcp_segment *seg)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 una = tcb->hard.snd_una, end = min(soft->snd_nxt, ftcp_tcb_data_end(tcb)), off = soft->snd_nxt, len;
	u32 mss = ftcp_mss_bytes(tcb);
	bool blocked = false;

	soft->tail_now = false;
	if (soft->recovering != FTCP_RECOVERY_NONE || !ftcp_flight(tcb))
		return false;
	len = sendable(tcb, &blocked);
	soft->rack.tail_again = !len || blocked;
	if (soft->rack.tail_again) {
		off = end - min_t(u64, end - una, mss);
		len = end - off;
		if (ftcp_ranges_top(&soft->sacked) > off || off + len > una + tcb->hard.snd_wnd)
			return false;
	}
	fill(tcb, env, seg, off);
	carry(tcb, seg, min_t(u64, len, packet_bytes(tcb, seg)));
	mark(tcb, seg);
	sent(tcb, env, seg);
	soft->timers.tail_us = 0;
	soft->rack.tail_end = soft->snd_nxt;
	return true;
}

static bool fin_due(const struct ftcp_tcb *tcb)
{
	return (tcb->hard.flags & FTCP_HARD_SND_FIN) && tcb->soft.snd_nxt == ftcp_tcb_data_end(tcb) &&
	       ftcp_snd_limit(tcb) > tcb->soft.snd_nxt;
}

/*
 * A part of a segment now, or more of it with the next ACK? A packet or two for each ACK cost as much as a segment of 64 KiB. As Linux does
 * (tcp_tso_should_defer()): wait if it is less than a third of the window, the last was sent a moment ago, and the oldest packet on its way
 * has been so for half a round trip: then the ACK is near. Whatever was sent brings one, or a timer. Not what a duplicate ACK lets out: it may be
 * all that brings the next (RFC 3042).
 */
static bool better_later(const struct ftcp_tcb *tcb, const struct ftcp_env *env, u64 room)
{
	const struct ftcp_soft *soft = &tcb->soft;

	if (soft->recovering != FTCP_RECOVERY_NONE || soft->dupacks || !soft->sent.n || env->now_us - soft->last_sent_us > FTCP_DEFER_MAX_US)
		return false;
	if (room + ftcp_mss_bytes(tcb) > FTCP_SEGMENT_MAX_BYTES || room >= min(soft->cong.cwnd_bytes, tcb->hard.snd_wnd) / 3)
		return false;
	return ftcp_sent_age_us(soft->sent.r[0].last_us, env->now_us) >= soft->rtt.srtt_us / 2;
}

/* RFC 9293, 3.8.6.2.1, without Nagle: programs' small writes go, slivers of a window do not. */
static u64 cut_to_windows(struct ftcp_tcb *tcb, const struct ftcp_env *env, u64 len, bool blocked)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 pipe = ftcp_pipe(tcb), room = soft->cong.cwnd_bytes > pipe ? soft->cong.cwnd_bytes - pipe : 0;
	u32 mss = ftcp_mss_bytes(tcb);

	if (blocked && (!len || (len < mss && len < soft->snd_wnd_max / 2 && !soft->sliver_ok))) {
		if (!ftcp_flight(tcb) && !soft->timers.persist_us)
			soft->timers.persist_us = env->now_us + ftcp_rtt_backoff_us(&soft->rtt, soft->persists);
		return 0;
	}
	/* With nothing on its way one segment may always go, or nothing would ever open the window again. */
	if (!pipe)
		room = max_t(u64, room, mss);
	soft->cwnd_limited = len >= room;
	if (len <= room)
		return len;
	room -= room % mss;
	return better_later(tcb, env, room) ? 0 : room;
}

/* Nagle's algorithm as in RFC 9293, A.3: as long as something small is on its way; what is full is acknowledged soon enough. */
static bool nagle_holds(const struct ftcp_tcb *tcb)
{
	return tcb->soft.nagle && (s32)(tcb->soft.snd_small - (u32)tcb->hard.snd_una) > 0;
}

/*
 * Whole packets first. What is left of less than one waits as long as something is on its way: if more is to follow as soon as it is
 * committed, and under Nagle's algorithm (RFC 9293, 3.7.4).
 */
static u64 hold_tail(const struct ftcp_tcb *tcb, u64 len, u32 packet_bytes)
{
	const struct ftcp_soft *soft = &tcb->soft;
	bool last = soft->snd_nxt + len >= ftcp_tcb_data_end(tcb), fin = tcb->hard.flags & FTCP_HARD_SND_FIN;
	u64 tail = len % packet_bytes;

	if (soft->corked && last && !fin && !soft->sliver_ok) {
		if (soft->more_at_once && ftcp_flight(tcb))
			tail = len % (FTCP_SEGMENT_MAX_BYTES - FTCP_SEGMENT_MAX_BYTES % packet_bytes);
		return len - tail;
	}
	if (!tail || (tail == len && (!ftcp_flight(tcb) || soft->sliver_ok)))
		return len;
	if (last && (fin || !nagle_holds(tcb)))
		return len;
	return len - tail;
}

static bool next_data(struct ftcp_tcb *tcb, const struct ftcp_env *env, struct ftcp_segment *seg)
{
	struct ftcp_soft *soft = &tcb->soft;
	bool blocked = false;
	u64 len;

	/* Not while nothing comes through: each timeout, when it takes longer than this time, would begin with the full size again. */
	if (soft->mtu_retry_us && env->now_us >= soft->mtu_retry_us && !soft->rexmits)
		ftcp_mtu_set(tcb, env, soft->mtu_full_bytes, 0);

	if (soft->recovering == FTCP_RECOVERY_TIMEOUT)
		skip_sacked(tcb);
	if (!ftcp_flight(tcb) && soft->recovering == FTCP_RECOVERY_NONE &&
	    env->now_us - soft->last_sent_us > soft->rtt.rto_us)
		ftcp_cong_idle(&soft->cong);
	len = sendable(tcb, &blocked);
	if (len || blocked)
		len = hold_tail(tcb, cut_to_windows(tcb, env, len, blocked), ftcp_mss_bytes(tcb));
	if (!len && !(fin_due(tcb) && !blocked))
		return false;
	fill(tcb, env, seg, soft->snd_nxt);
	carry(tcb, seg, len);
	mark(tcb, seg);
	sent(tcb, env, seg);
	return true;
}

static bool window_update_due(const struct ftcp_tcb *tcb, u64 edge)
{
	u64 adv = tcb->soft.rcv_adv, ack = ftcp_ack_limit(tcb);
	u32 space = ftcp_rcv_space(&tcb->hard), mss = ftcp_mss_bytes(tcb);

	if (tcb->soft.share_bytes)
		space = min(space, tcb->soft.share_bytes);
	if (edge < adv + clamp_t(u32, space / 2, 1, mss))
		return false;
	/* A peer that has little left must hear of it, others with the next ACK (RFC 9293, 3.8.6.2.2) */
	return edge - adv >= space / 4 || adv < ack + 2 * mss;
}

bool ftcp_tcb_read_tells(const struct ftcp_tcb *tcb)
{
	return tcb->soft.ack_now || window_update_due(tcb, tcb->hard.rcv_edge);
}

/* Where an ACK without data stands: what we sent last, but never beyond the peer's window, which would drop it. */
static u64 ack_off(const struct ftcp_tcb *tcb)
{
	return min(tcb->soft.snd_max, tcb->hard.snd_una + tcb->hard.snd_wnd);
}

/* As a local network's. A path not measured yet, after a takeover, is taken to be near: slow start is over. */
static bool is_near(const struct ftcp_tcb *tcb)
{
	return tcb->soft.rtt.min_us <= FTCP_NEAR_US;
}

/*
 * RFC 9293, 3.8.6.3, RFC 5681, 4.2: every second full-sized segment, or once for what comes at the same moment, as if it had been one.
 * Whoever has little room here must not wait for it. Nor may a longer path's sender lack what it measures: it finds the end of slow start by its
 * round trips, of which it wants several samples in each (RFC 9406, 4.2: N_RTT_SAMPLE).
 */
static u64 ack_step_bytes(const struct ftcp_tcb *tcb)
{
	u32 step = ftcp_ack_step_bytes(tcb), most = is_near(tcb) ? FTCP_BURST_MAX_BYTES : FTCP_BURST_FAR_STEPS * step;

	if (!tcb->soft.burst && !tcb->soft.held)
		return step;
	return max(step, min_t(u32, ftcp_rcv_space(&tcb->hard) / 8, most));
}

/*
 * Has the program yet to read what came before, so that less can be promised than was? Its next read acknowledges all that has come until then
 * (ftcp_tcb_read()); at the latest the delayed ACK does.
 */
static bool read_will_ack(const struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	const struct ftcp_soft *soft = &tcb->soft;
	s64 now = tcb->hard.rcv_edge - tcb->hard.rcv_nxt, told = soft->rcv_adv - soft->rcv_ack;

	return env->alone && now + 2 * ftcp_mss_bytes(tcb) < told;
}

bool ftcp_tcb_may_wait(const struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	const struct ftcp_hard *hard = &tcb->hard;
	const struct ftcp_soft *soft = &tcb->soft;

	if (!soft->burst || hard->state != FTCP_ESTABLISHED || hard->snd_una != hard->snd_end || soft->ack_now || soft->quick_acks)
		return false;
	return hard->rcv_nxt < soft->rcv_ack + ack_step_bytes(tcb) || read_will_ack(tcb, env);
}

/* What it holds back is the sender's next segments: only where much is on its way. What awaits its commit waits long enough. */
bool ftcp_tcb_may_hold(const struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	const struct ftcp_hard *hard = &tcb->hard;
	const struct ftcp_soft *soft = &tcb->soft;

	if (hard->state != FTCP_ESTABLISHED || hard->snd_una != hard->snd_end || soft->quick_acks || soft->ooo.n)
		return false;
	return (env->alone || ftcp_is_async(tcb)) && is_near(tcb) && hard->rcv_nxt >= soft->rcv_ack + FTCP_HOLD_MIN_BYTES;
}

bool ftcp_tcb_burst_over(struct ftcp_tcb *tcb, const struct ftcp_env *env, bool prompt)
{
	struct ftcp_soft *soft = &tcb->soft;

	soft->held = prompt && soft->burst && ftcp_tcb_may_hold(tcb, env);
	soft->burst = false;
	return soft->held;
}

/* At the latest after two segments, and nothing waits long. */
static bool ack_due(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 waiting = ftcp_ack_limit(tcb) - soft->rcv_ack;

	if (soft->ack_now || (soft->sack_due && !soft->burst) || window_update_due(tcb, ftcp_edge_limit(tcb)))
		return true;
	if (!waiting)
		return false;
	if (soft->quick_acks || tcb->hard.flags & FTCP_HARD_RCV_FIN || (waiting >= ack_step_bytes(tcb) && !read_will_ack(tcb, env)))
		return true;
	if (!soft->timers.delayed_us)
		soft->timers.delayed_us = env->now_us + FTCP_ACK_DELAY_US;
	return false;
}

static bool next_ack(struct ftcp_tcb *tcb, const struct ftcp_env *env, struct ftcp_segment *seg)
{
	struct ftcp_soft *soft = &tcb->soft;

	if (soft->probe_now) {
		/* An old sequence number: the peer must answer (RFC 9293, 3.8.4 and 3.8.6.1) */
		soft->probe_now = false;
		fill(tcb, env, seg, tcb->hard.snd_una - 1);
		return true;
	}
	if (!ack_due(tcb, env))
		return false;
	soft->quick_acks -= !!soft->quick_acks;
	fill(tcb, env, seg, ack_off(tcb));
	return true;
}

static bool next_synack(struct ftcp_tcb *tcb, const struct ftcp_env *env, struct ftcp_segment *seg)
{
	bool again = tcb->soft.rexmit_now;

	/* It serves as the ACK that what is not acceptable is answered with, too. */
	if (!again && !tcb->soft.ack_now)
		return false;
	tcb->soft.rexmit_now = tcb->soft.ack_now = false;
	ftcp_synack(tcb, env, seg);
	tcb->soft.last_sent_us = env->now_us;
	/* Karn: only the first is timed, for a peer without timestamps */
	tcb->soft.rtt_start_us = tcb->soft.rtt_timed ? 0 : env->now_us;
	tcb->soft.rtt_timed = true;
	if (again)
		ftcp_timer_rexmit(tcb, env);
	return true;
}

bool ftcp_output_next(struct ftcp_tcb *tcb, const struct ftcp_env *env, struct ftcp_segment *seg)
{
	if (tcb->hard.state == FTCP_CLOSED)
		return false;
	if (tcb->hard.state == FTCP_SYN_RECEIVED)
		return next_synack(tcb, env, seg);
	if (env->alone)
		ftcp_gate_open(tcb);
	/* A peer without SACK learns of a loss from pure duplicate ACKs only: before any data */
	if (tcb->soft.ack_now && !(tcb->hard.flags & FTCP_HARD_SACK) && next_ack(tcb, env, seg))
		return true;
	if (tcb->soft.rexmit_now && next_first(tcb, env, seg))
		return true;
	if (tcb->soft.tail_now && next_tail(tcb, env, seg))
		return true;
	if (tcb->soft.queue_full)
		tcb->soft.cwnd_limited = false;	/* something else is */
	else if (next_lost(tcb, env, seg) || next_data(tcb, env, seg))
		return true;
	return next_ack(tcb, env, seg);
}
