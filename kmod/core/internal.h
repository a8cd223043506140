/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the core share among themselves and nobody else sees. */
#ifndef FTCP_INTERNAL_H
#define FTCP_INTERNAL_H

#include <linux/kernel.h>
#include <linux/string.h>
#include "tcb.h"

/* What the peer may send beyond the edge because a scaled window is rounded up (RFC 7323, 2.3). */
static inline u64 ftcp_edge_slack(const struct ftcp_hard *hard)
{
	return (1ull << hard->rcv_wscale) - 1;
}

/* The largest window this connection can promise. */
static inline u32 ftcp_rcv_space(const struct ftcp_hard *hard)
{
	u32 largest = 65535u << hard->rcv_wscale;

	return hard->rcv_buf_bytes < largest ? hard->rcv_buf_bytes : largest;
}

static inline bool ftcp_fin_acked(const struct ftcp_hard *hard)
{
	return (hard->flags & FTCP_HARD_SND_FIN) && hard->snd_una == hard->snd_end;
}

/* Bytes sent and not acknowledged, as far as this host has (re)sent them. */
static inline u64 ftcp_flight(const struct ftcp_tcb *tcb)
{
	return tcb->soft.snd_nxt - tcb->hard.snd_una;
}

static inline bool ftcp_is_async(const struct ftcp_tcb *tcb)
{
	return tcb->hard.flags & FTCP_HARD_ASYNC;
}

/* The output-commit rule's limits. What has once been sent may be sent again. Async: all there is, but nothing new while in doubt. */
static inline u64 ftcp_snd_limit(const struct ftcp_tcb *tcb)
{
	if (tcb->soft.doubt)
		return tcb->soft.snd_max;
	return max(tcb->soft.snd_max, ftcp_is_async(tcb) ? tcb->hard.snd_end : tcb->soft.committed.snd);
}

static inline u64 ftcp_ack_limit(const struct ftcp_tcb *tcb)
{
	return max(tcb->soft.rcv_ack, ftcp_is_async(tcb) ? tcb->hard.rcv_nxt : tcb->soft.committed.rcv);
}

static inline u64 ftcp_edge_limit(const struct ftcp_tcb *tcb)
{
	return max(tcb->soft.rcv_adv, ftcp_is_async(tcb) ? tcb->hard.rcv_edge : tcb->soft.committed.edge);
}

/* Payload that fits into one packet, with the options that every segment carries. */
static inline u32 ftcp_mss_bytes(const struct ftcp_tcb *tcb)
{
	u32 mss = min_t(u32, tcb->hard.mss_bytes, tcb->soft.mtu_mss_bytes);

	mss = max_t(u32, mss, FTCP_MSS_MIN_BYTES);
	return tcb->hard.flags & FTCP_HARD_TS ? mss - 12 : mss;
}

/*
 * So much is acknowledged at once (RFC 9293, 3.8.6.3), as by Linux: what is more than one full-sized segment is two of them. The end of a write
 * that is a little more than one is often all that is on its way, and its sender would soon ask what became of it (RFC 8985, 7.2).
 */
static inline u32 ftcp_ack_step_bytes(const struct ftcp_tcb *tcb)
{
	return tcb->soft.rcv_mss_bytes + 1;
}

/* tcb.c */
const char *ftcp_hard_check(const struct ftcp_hard *hard);	/* NULL, or the invariant that is broken */
void ftcp_soft_init(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_tcb_config *config);
void ftcp_close(struct ftcp_tcb *tcb);
void ftcp_enter_time_wait(struct ftcp_tcb *tcb, const struct ftcp_env *env);
void ftcp_mtu_set(struct ftcp_tcb *tcb, const struct ftcp_env *env, u32 mss_bytes, u64 retry_after_us);
u32 ftcp_tsval(const struct ftcp_tcb *tcb, const struct ftcp_env *env);

/* ack.c: returns events; @seg is acceptable and acknowledges @ack, which lies in snd_una - window .. snd_max */
u32 ftcp_ack(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg, u64 ack, u64 seq);

u32 ftcp_rtt_update(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg, u32 ago_us);

/* recovery.c */
u32 ftcp_sack_blocks(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg);
void ftcp_recovery_ack(struct ftcp_tcb *tcb, const struct ftcp_env *env, u64 acked, u32 newly_sacked, bool duplicate, bool limited);
void ftcp_recovery_timeout(struct ftcp_tcb *tcb, const struct ftcp_env *env);
void ftcp_recovery_reordered(struct ftcp_tcb *tcb, const struct ftcp_env *env);
void ftcp_recovery_again(struct ftcp_tcb *tcb);
void ftcp_recovery_restart(struct ftcp_tcb *tcb);
bool ftcp_recovery_undo(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg);
bool ftcp_recovery_next(struct ftcp_tcb *tcb, struct ftcp_range *lost);
u64 ftcp_pipe(const struct ftcp_tcb *tcb);

/* rack.c */
void ftcp_rack_delivered(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg, u64 end);
void ftcp_rack_duplicate(struct ftcp_tcb *tcb);
void ftcp_rack_undone(struct ftcp_tcb *tcb, const struct ftcp_env *env);
void ftcp_rack_recovered(struct ftcp_tcb *tcb);
void ftcp_rack_detect(struct ftcp_tcb *tcb, const struct ftcp_env *env);
void ftcp_rack_arm_tail(struct ftcp_tcb *tcb, const struct ftcp_env *env);
bool ftcp_rack_tail_ack(struct ftcp_tcb *tcb, const struct ftcp_segment *seg, u64 ack, bool duplicate);

/* handshake.c */
void ftcp_synack(const struct ftcp_tcb *tcb, const struct ftcp_env *env, struct ftcp_segment *out);

/* timer.c */
void ftcp_timer_rexmit(struct ftcp_tcb *tcb, const struct ftcp_env *env);
void ftcp_timer_heard(struct ftcp_tcb *tcb, const struct ftcp_env *env);

/* doubt.c: @from: offset of @seg's first sequence number; not NONE: the connection is aborted, and *@events says so */
enum ftcp_reason ftcp_doubt_heard(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg, s64 from, u32 *events);
u32 ftcp_doubt_due(struct ftcp_tcb *tcb, const struct ftcp_env *env);

/* repl.c */
struct ftcp_mark ftcp_mark_of(const struct ftcp_hard *hard);
void ftcp_gate_open(struct ftcp_tcb *tcb);

#endif
