// SPDX-License-Identifier: GPL-2.0
/* The program's side of a connection (RFC 9293, 3.9.1): read, write, close, abort. */
#include "internal.h"

u64 ftcp_tcb_data_end(const struct ftcp_tcb *tcb)
{
	return tcb->hard.snd_end - !!(tcb->hard.flags & FTCP_HARD_SND_FIN);
}

u64 ftcp_tcb_rcv_data_end(const struct ftcp_tcb *tcb)
{
	return tcb->hard.rcv_nxt - !!(tcb->hard.flags & FTCP_HARD_RCV_FIN);
}

u64 ftcp_tcb_readable(const struct ftcp_tcb *tcb)
{
	/* Torn: the program would make once more what the client has. */
	return tcb->soft.torn ? 0 : ftcp_tcb_rcv_data_end(tcb) - tcb->hard.consumed;
}

/*
 * A program that has kept up with half a buffer is given twice that, up to what its service allows: the window stays ahead of the peer's slow
 * start, in which as much is on its way as was ever acknowledged, and the first flight. Who does not read holds little.
 */
static void grow_rcv_buf(struct ftcp_tcb *tcb)
{
	struct ftcp_hard *hard = &tcb->hard;
	struct ftcp_soft *soft = &tcb->soft;

	if (hard->rcv_buf_bytes >= soft->rcv_buf_max_bytes || hard->consumed < soft->rcv_grow_off + hard->rcv_buf_bytes / 2)
		return;
	soft->rcv_grow_off = hard->consumed;
	if (ftcp_tcb_readable(tcb) < hard->rcv_buf_bytes / 4)
		hard->rcv_buf_bytes = min(2 * hard->rcv_buf_bytes, soft->rcv_buf_max_bytes);
}

void ftcp_tcb_consume(struct ftcp_tcb *tcb, u64 n)
{
	struct ftcp_hard *hard = &tcb->hard;
	u32 share = tcb->soft.share_bytes, space;
	u64 edge, step;

	hard->consumed += min(n, ftcp_tcb_readable(tcb));
	if (!share)
		grow_rcv_buf(tcb);
	space = ftcp_rcv_space(hard);
	if (share)
		space = min(space, share);
	/* Silly window avoidance (RFC 9293, 3.8.6.2.2), and no batch for every small read. */
	edge = hard->consumed + space;
	step = min_t(u64, space / 4, 2 * ftcp_mss_bytes(tcb));
	if (edge >= hard->rcv_edge + step)
		hard->rcv_edge = edge;
}

void ftcp_tcb_read(struct ftcp_tcb *tcb, u64 n)
{
	ftcp_tcb_consume(tcb, n);
	if (ftcp_ack_limit(tcb) - tcb->soft.rcv_ack >= ftcp_ack_step_bytes(tcb))
		tcb->soft.ack_now = true;
}

/* A FIN that came early is kept: it takes no memory, and nobody was told of it. */
bool ftcp_tcb_prune(struct ftcp_tcb *tcb)
{
	bool any = tcb->soft.ooo.n;

	tcb->soft.ooo.n = 0;
	tcb->soft.ooo.last = 0;
	return any;
}

u64 ftcp_tcb_writable(const struct ftcp_tcb *tcb)
{
	const struct ftcp_hard *hard = &tcb->hard;
	u64 used = hard->snd_end - hard->snd_una;

	if ((hard->state != FTCP_ESTABLISHED && hard->state != FTCP_CLOSE_WAIT) || tcb->soft.torn)
		return 0;
	return used < hard->snd_buf_bytes ? hard->snd_buf_bytes - used : 0;
}

void ftcp_tcb_keepalive(struct ftcp_tcb *tcb, const struct ftcp_env *env, u64 idle_us, u16 interval_s, u8 probes)
{
	struct ftcp_soft *soft = &tcb->soft;

	soft->keepalive_idle_ms = idle_us / FTCP_MS_US;
	soft->keepalive_interval_s = interval_s;
	soft->keepalive_probes = probes;
	if (soft->doubt)
		return;
	soft->timers.keepalive_us = 0;
	if (idle_us && tcb->hard.state != FTCP_TIME_WAIT)
		soft->timers.keepalive_us = max(soft->last_heard_us + idle_us, env->now_us + 1);
}

void ftcp_tcb_buffers(struct ftcp_tcb *tcb, u32 rcv_bytes, u32 snd_bytes)
{
	struct ftcp_hard *hard = &tcb->hard;

	if (rcv_bytes) {
		tcb->soft.rcv_buf_max_bytes = rcv_bytes;
		hard->rcv_buf_bytes = max_t(u64, min(hard->rcv_buf_bytes, rcv_bytes), hard->rcv_edge - hard->consumed);
	}
	if (snd_bytes)
		hard->snd_buf_bytes = max_t(u64, snd_bytes, hard->snd_end - hard->snd_una);
}

void ftcp_tcb_grow_snd_buf(struct ftcp_tcb *tcb, u32 most_bytes)
{
	u64 want = min_t(u64, 2ull * tcb->soft.cong.cwnd_bytes, most_bytes);

	if (!tcb->soft.share_bytes && want > tcb->hard.snd_buf_bytes)
		tcb->hard.snd_buf_bytes = want;
}

void ftcp_tcb_append(struct ftcp_tcb *tcb, u64 n)
{
	tcb->hard.snd_end += n;
}

void ftcp_tcb_shutdown(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_hard *hard = &tcb->hard;

	if (hard->state == FTCP_ESTABLISHED)
		hard->state = FTCP_FIN_WAIT_1;
	else if (hard->state == FTCP_CLOSE_WAIT)
		hard->state = FTCP_LAST_ACK;
	else
		return;
	ftcp_tcb_append(tcb, 1);
	hard->flags |= FTCP_HARD_SND_FIN;
}

void ftcp_tcb_abort(struct ftcp_tcb *tcb)
{
	if (tcb->hard.state == FTCP_CLOSED)
		return;
	/* TIME_WAIT has nothing to abort: the peer is gone already (RFC 9293, 3.10.5) */
	if (tcb->hard.state != FTCP_TIME_WAIT)
		tcb->hard.flags |= FTCP_HARD_RESET;
	ftcp_close(tcb);
}

void ftcp_tcb_reset(const struct ftcp_tcb *tcb, const struct ftcp_env *env, struct ftcp_segment *seg)
{
	memset(seg, 0, sizeof(*seg));
	seg->flags = FTCP_RST | FTCP_ACK;
	/* Where the peer takes it: what a predecessor may have sent reaches further than the window. */
	seg->seq = ftcp_seq_of(tcb->hard.iss, min(tcb->soft.snd_max, tcb->hard.snd_una + tcb->hard.snd_wnd));
	seg->ack = ftcp_seq_of(tcb->hard.irs, ftcp_ack_limit(tcb));
	if (tcb->hard.flags & FTCP_HARD_TS) {
		seg->opts = FTCP_OPT_TS;
		seg->tsval = ftcp_tsval(tcb, env);
		seg->tsecr = tcb->hard.ts_recent;
	}
}
