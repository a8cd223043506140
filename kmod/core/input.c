// SPDX-License-Identifier: GPL-2.0
/*
 * Segments in: RFC 9293, 3.10.7.4, step by step, with RFC 5961's answers to what a stranger might send.
 *
 * One thing is peculiar to ftcp: what was received runs ahead of what may be acknowledged (the commit). The peer
 * therefore rightly repeats segments that lie between rcv_ack, its view, and rcv_nxt, ours.
 */
#include "internal.h"

/* Everything one segment carries through the steps. */
struct arrival {
	struct ftcp_tcb *tcb;
	const struct ftcp_env *env;
	const struct ftcp_segment *seg;
	struct ftcp_input *in;
	s64 from;	/* offset of the segment's first sequence number */
	s64 to;		/* and behind its last one, SYN and FIN counted */
};

/* RFC 5961, 7: an ACK that tells the honest peer where we stand, limited per connection (no side channel between them). */
static void challenge(const struct arrival *a)
{
	struct ftcp_soft *soft = &a->tcb->soft;

	if (soft->challenge_us && a->env->now_us - soft->challenge_us < FTCP_CHALLENGE_INTERVAL_US)
		return;
	soft->challenge_us = a->env->now_us;
	soft->ack_now = true;
}

/*
 * What is not acceptable is answered with an ACK (RFC 9293, 3.10.7.4). If it carries nothing it may be such an answer itself, and two hosts that
 * do not accept each other's would go on for ever: then only now and then.
 */
static void answer(const struct arrival *a)
{
	if (ftcp_segment_span(a->seg))
		a->tcb->soft.ack_now = true;
	else
		challenge(a);
}

/* RFC 7323, 5.3, R1. A reset is never refused for its timestamp (5.2). */
static enum ftcp_reason check_timestamp(const struct arrival *a)
{
	const struct ftcp_hard *hard = &a->tcb->hard;

	if (!(hard->flags & FTCP_HARD_TS) || (a->seg->flags & FTCP_RST))
		return FTCP_REASON_NONE;
	if (!(a->seg->opts & FTCP_OPT_TS))
		return FTCP_REASON_NO_TIMESTAMP;
	if ((s32)(a->seg->tsval - hard->ts_recent) >= 0)
		return FTCP_REASON_NONE;
	if (a->env->now_us - a->tcb->soft.ts_recent_us > FTCP_PAWS_US)
		return FTCP_REASON_NONE;
	answer(a);
	return FTCP_REASON_PAWS;
}

static void note_duplicate(const struct arrival *a, s64 from, s64 to)
{
	struct ftcp_soft *soft = &a->tcb->soft;

	if (from < 0 || from >= to)
		return;
	soft->dsack = true;
	soft->dsack_from = from;
	soft->dsack_bytes = to - from;
}

/* First: is anything of it in the window? */
static enum ftcp_reason check_sequence(const struct arrival *a)
{
	struct ftcp_tcb *tcb = a->tcb;
	/* A FIN is taken at the very edge of a closed window: RCV.NXT lies one beyond it then, and is what the peer goes on with. */
	s64 edge = max(tcb->hard.rcv_edge + ftcp_edge_slack(&tcb->hard), tcb->hard.rcv_nxt);
	s64 seen = tcb->soft.rcv_ack;
	bool old = a->to > a->from ? a->to <= seen : a->from < seen;

	if (!old && a->from <= edge)
		return FTCP_REASON_NONE;
	if (a->seg->flags & FTCP_RST)
		return FTCP_REASON_OUT_OF_WINDOW;
	if (a->from > edge) {
		challenge(a);
		return FTCP_REASON_OUT_OF_WINDOW;
	}
	/* An old segment: our ACK was lost, or this is a keepalive or a probe. */
	note_duplicate(a, a->from, a->from + a->seg->len);
	answer(a);
	if (tcb->hard.state == FTCP_TIME_WAIT && (a->seg->flags & FTCP_FIN))
		ftcp_enter_time_wait(tcb, a->env);
	return FTCP_REASON_OLD_DATA;
}

/* Second, RFC 5961, 3.2. The peer may know RCV.NXT as we do or, while a commit is on its way, as last acknowledged. */
static enum ftcp_reason check_reset(const struct arrival *a)
{
	struct ftcp_tcb *tcb = a->tcb;

	if (tcb->hard.state == FTCP_TIME_WAIT)
		return FTCP_REASON_RST_CHALLENGE;	/* RFC 1337 */
	if (a->from != (s64)tcb->hard.rcv_nxt && a->from != (s64)tcb->soft.rcv_ack) {
		challenge(a);
		return FTCP_REASON_RST_CHALLENGE;
	}
	ftcp_close(tcb);
	a->in->events |= FTCP_EV_RESET | FTCP_EV_CLOSED;
	return FTCP_REASON_RESET;
}

/* RFC 5961, 5.2. What a predecessor saw is not known: then the largest that there can be. */
static s64 max_snd_wnd(const struct ftcp_tcb *tcb)
{
	return tcb->soft.wnd_known ? tcb->soft.snd_wnd_max : 65535ll << tcb->hard.snd_wscale;
}

/* Fifth: the ACK field. *@ack: as an offset */
static enum ftcp_reason check_ack(const struct arrival *a, s64 *ack)
{
	struct ftcp_tcb *tcb = a->tcb;

	*ack = ftcp_seq_off(tcb->hard.iss, a->seg->ack, tcb->hard.snd_una);
	if (*ack > (s64)tcb->soft.snd_max) {
		challenge(a);
		return FTCP_REASON_ACK_FUTURE;
	}
	if (*ack < (s64)tcb->hard.snd_una - max_snd_wnd(tcb)) {
		challenge(a);
		return FTCP_REASON_ACK_OLD;
	}
	return FTCP_REASON_NONE;
}

/* RFC 7323, 4.3: Last.ACK.sent is rcv_ack. */
static void update_ts_recent(const struct arrival *a)
{
	struct ftcp_hard *hard = &a->tcb->hard;

	if (!(hard->flags & FTCP_HARD_TS) || a->from > (s64)a->tcb->soft.rcv_ack)
		return;
	/* An older one comes so far only when TS.Recent is void (5.5). */
	hard->ts_recent = a->seg->tsval;
	a->tcb->soft.ts_recent_us = a->env->now_us;
}

/* The only place where RCV.NXT moves. */
static void rcv_nxt_update(const struct arrival *a, u64 to)
{
	struct ftcp_tcb *tcb = a->tcb;
	struct ftcp_ranges *ooo = &tcb->soft.ooo;

	tcb->hard.rcv_nxt = to;
	if (ooo->n)
		tcb->soft.ack_now = true;	/* (part of) a gap was filled (RFC 5681, 4.2) */
	while (ooo->n && ooo->r[0].from <= tcb->hard.rcv_nxt) {
		tcb->hard.rcv_nxt = max(tcb->hard.rcv_nxt, ooo->r[0].to);
		ftcp_ranges_trim(ooo, tcb->hard.rcv_nxt);
	}
	a->in->events |= FTCP_EV_READABLE;
}

/*
 * Does it say nothing but that one more has come? An island so long has told the peer of the loss; how it grows in this moment is then told once
 * (RFC 2018, 4 says "should"; Linux: tcp_comp_sack_nr).
 */
static bool sack_may_wait(const struct arrival *a, u64 from)
{
	const struct ftcp_soft *soft = &a->tcb->soft;
	const struct ftcp_range *last;

	if (!soft->burst || !soft->ooo.n || !(a->tcb->hard.flags & FTCP_HARD_SACK))
		return false;
	last = &soft->ooo.r[soft->ooo.last];
	return from == last->to && last->to - last->from > FTCP_DUPACKS_MAX * soft->rcv_mss_bytes;
}

static enum ftcp_reason accept_out_of_order(const struct arrival *a, u64 *from, u64 *to)
{
	struct ftcp_soft *soft = &a->tcb->soft;
	u64 all_from = *from, all_to = *to;

	if (sack_may_wait(a, all_from))
		soft->sack_due = true;
	else
		soft->ack_now = true;		/* RFC 5681, 4.2 */
	if (ftcp_ranges_covers(&soft->ooo, all_from, all_to)) {
		note_duplicate(a, all_from, all_to);
		return FTCP_REASON_OLD_DATA;
	}
	ftcp_ranges_cut(&soft->ooo, from, to);
	if (!ftcp_ranges_add(&soft->ooo, all_from, all_to))
		return FTCP_REASON_OOO_LIMIT;
	return FTCP_REASON_NONE;
}

/* Seventh: the segment text, cut to what is new and in the window. */
static enum ftcp_reason accept_data(const struct arrival *a)
{
	struct ftcp_tcb *tcb = a->tcb;
	u64 edge = tcb->hard.rcv_edge + ftcp_edge_slack(&tcb->hard);
	s64 end = a->from + a->seg->len;
	u64 from, to;
	enum ftcp_reason reason = FTCP_REASON_NONE;

	if (!a->seg->len)
		return FTCP_REASON_NONE;
	if (tcb->hard.flags & FTCP_HARD_RCV_FIN)
		return FTCP_REASON_AFTER_CLOSE;
	from = max_t(s64, a->from, tcb->hard.rcv_nxt);
	to = min_t(s64, end, edge);
	note_duplicate(a, a->from, min_t(s64, end, tcb->hard.rcv_nxt));
	if (from >= to) {
		/* Beyond a closed window: a probe. Received but not committed: the commit will acknowledge it; a delayed ACK is due. */
		if (end > (s64)tcb->hard.rcv_nxt || a->env->alone || ftcp_ack_limit(tcb) > tcb->soft.rcv_ack)
			tcb->soft.ack_now = true;
		return end > (s64)tcb->hard.rcv_nxt ? FTCP_REASON_OUT_OF_WINDOW : FTCP_REASON_OLD_DATA;
	}
	if (from == tcb->hard.rcv_nxt)
		rcv_nxt_update(a, to);
	else
		reason = accept_out_of_order(a, &from, &to);
	if (reason == FTCP_REASON_NONE) {
		a->in->keep_skip = from - a->from;
		a->in->keep_len = to - from;
		a->in->keep_off = from;
	}
	return reason;
}

/* Eighth: the FIN, once everything before it is here. One that came early is remembered. */
static u32 accept_fin(const struct arrival *a)
{
	struct ftcp_tcb *tcb = a->tcb;
	struct ftcp_hard *hard = &tcb->hard;

	if (hard->flags & FTCP_HARD_RCV_FIN)
		return 0;
	if ((a->seg->flags & FTCP_FIN) && a->to > (s64)hard->rcv_nxt)
		tcb->soft.ooo_fin = a->to;
	if ((a->seg->flags & FTCP_FIN) && tcb->soft.ooo_fin > hard->rcv_nxt + 1)
		tcb->soft.ack_now = true;	/* RFC 5681, 4.2 */
	if (tcb->soft.ooo_fin != hard->rcv_nxt + 1)
		return 0;
	hard->rcv_nxt++;
	hard->flags |= FTCP_HARD_RCV_FIN;
	tcb->soft.ooo.n = 0;	/* a peer that has sent something beyond its FIN: nothing follows that */
	if (hard->state == FTCP_ESTABLISHED) {
		hard->state = FTCP_CLOSE_WAIT;
	} else if (hard->state == FTCP_FIN_WAIT_1) {
		hard->state = FTCP_CLOSING;
	} else if (hard->state == FTCP_FIN_WAIT_2) {
		ftcp_enter_time_wait(tcb, a->env);
		return FTCP_EV_FIN | FTCP_EV_TIME_WAIT;
	}
	return FTCP_EV_FIN;
}

/* What the peer's packets are like: how large (RFC 9293, 3.8.6.3), how often, how marked (RFC 3168, 6.1.3). */
static void note_packets(const struct arrival *a)
{
	struct ftcp_soft *soft = &a->tcb->soft;
	const struct ftcp_segment *seg = a->seg;

	if (!seg->len)
		return;
	soft->rcv_mss_bytes = max_t(u32, soft->rcv_mss_bytes, seg->gso_bytes ?: min(seg->len, ftcp_mss_bytes(a->tcb)));
	if (a->env->now_us - soft->last_heard_us > soft->rtt.rto_us)
		soft->quick_acks = FTCP_QUICK_ACKS;	/* the peer begins anew, with a small window */
	if (seg->flags & FTCP_CWR)
		soft->ece = false;
	if (seg->ecn == FTCP_ECN_CE) {
		soft->ece = true;
		soft->ack_now = true;
	}
}

/* SYN-RECEIVED: RFC 9293, 3.10.7.4 where it differs. */
static enum ftcp_reason syn_received(const struct arrival *a)
{
	struct ftcp_tcb *tcb = a->tcb;

	if (a->seg->flags & FTCP_SYN) {
		tcb->soft.rexmit_now = true;	/* our SYN-ACK was lost, or it serves as the challenge (RFC 5961, 4.2) */
		return FTCP_REASON_SYN_CHALLENGE;
	}
	if (!(a->seg->flags & FTCP_ACK))
		return FTCP_REASON_NO_ACK;
	if (!ftcp_seq_eq(a->seg->ack, ftcp_seq_of(tcb->hard.iss, 0)))
		return FTCP_REASON_ACK_FUTURE;
	tcb->hard.state = FTCP_ESTABLISHED;
	ftcp_rtt_update(tcb, a->env, a->seg, 0);
	if (tcb->soft.backoff) {
		/* RFC 6298, 5.7: only a SYN-ACK that was sent again has been answered. */
		tcb->soft.backoff = 0;
		tcb->soft.rtt.rto_us = FTCP_RTO_FALLBACK_US;
	}
	tcb->soft.timers.rexmit_us = 0;
	tcb->soft.rexmits = 0;
	tcb->soft.rexmit_now = false;
	ftcp_tcb_consume(tcb, 0);		/* from now on the window is scaled: promise all of it */
	a->in->events |= FTCP_EV_ESTABLISHED;
	return FTCP_REASON_NONE;
}

/* The steps from the ACK field on. */
static enum ftcp_reason process(const struct arrival *a)
{
	struct ftcp_tcb *tcb = a->tcb;
	enum ftcp_reason reason;
	s64 ack;

	if (!(a->seg->flags & FTCP_ACK))
		return FTCP_REASON_NO_ACK;
	reason = check_ack(a, &ack);
	if (reason)
		return reason;
	update_ts_recent(a);
	note_packets(a);
	ftcp_timer_heard(tcb, a->env);
	if (ack >= (s64)tcb->hard.snd_una)
		a->in->events |= ftcp_ack(tcb, a->env, a->seg, ack, max_t(s64, a->from, 0));
	if (tcb->hard.state == FTCP_CLOSED)
		return FTCP_REASON_NONE;
	reason = accept_data(a);
	a->in->events |= accept_fin(a);
	return reason;
}

enum ftcp_reason ftcp_input(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg,
			    struct ftcp_input *in)
{
	struct arrival a = { .tcb = tcb, .env = env, .seg = seg, .in = in };
	enum ftcp_reason reason;

	memset(in, 0, sizeof(*in));
	if (tcb->hard.state == FTCP_CLOSED)
		return FTCP_REASON_AFTER_CLOSE;
	a.from = ftcp_seq_off(tcb->hard.irs, seg->seq, tcb->hard.rcv_nxt);
	a.to = a.from + ftcp_segment_span(seg);
	if (tcb->hard.state == FTCP_SYN_RECEIVED && (seg->flags & FTCP_SYN))
		return syn_received(&a);
	reason = check_timestamp(&a);
	if (!reason && tcb->soft.doubt)
		reason = ftcp_doubt_heard(tcb, env, seg, a.from, &in->events);
	if (!reason)
		reason = check_sequence(&a);
	if (reason)
		return reason;
	if (seg->flags & FTCP_RST)
		return check_reset(&a);
	if (seg->flags & FTCP_SYN) {
		challenge(&a);
		return FTCP_REASON_SYN_CHALLENGE;
	}
	if (tcb->hard.state == FTCP_SYN_RECEIVED)
		reason = syn_received(&a);
	return reason ? reason : process(&a);
}

bool ftcp_input_mtu(struct ftcp_tcb *tcb, const struct ftcp_env *env, ftcp_seq seq, u32 mss_bytes)
{
	s64 off = ftcp_seq_off(tcb->hard.iss, seq, tcb->hard.snd_una);

	if (tcb->hard.state == FTCP_CLOSED || off < (s64)tcb->hard.snd_una || off >= (s64)tcb->soft.snd_max)
		return false;
	if (max_t(u32, mss_bytes, FTCP_MSS_MIN_BYTES) >= tcb->soft.mtu_mss_bytes)
		return false;
	ftcp_mtu_set(tcb, env, mss_bytes, FTCP_MTU_RETRY_US);
	/* What was too big is lost: again from the first unacknowledged byte, in smaller packets (RFC 1191, 6.4) */
	ftcp_recovery_restart(tcb);
	ftcp_timer_rexmit(tcb, env);
	return true;
}
