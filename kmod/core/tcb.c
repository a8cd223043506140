// SPDX-License-Identifier: GPL-2.0
/* What every step of the protocol needs of a tcb: making its soft state, closing it, checking it. */
#include "internal.h"

void ftcp_soft_init(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_tcb_config *config)
{
	struct ftcp_board *board = ftcp_board_take(tcb, true);
	struct ftcp_soft *soft = &tcb->soft;

	memset(soft, 0, sizeof(*soft));
	if (board)
		ftcp_board_lend(tcb, board);
	soft->mtu_mss_bytes = clamp_t(u32, config->mss_bytes, FTCP_MSS_MIN_BYTES, FTCP_MSS_MAX_BYTES);
	soft->mtu_full_bytes = soft->mtu_mss_bytes;
	soft->rcv_buf_max_bytes = config->rcv_buf_bytes;
	soft->nagle = config->nagle;
	soft->quick_acks = FTCP_QUICK_ACKS;
	soft->ts_recent_us = env->now_us;
	soft->user_timeout_ms = config->user_timeout_ms;
	soft->keepalive_idle_ms = config->keepalive_ms;
	soft->last_heard_us = env->now_us;
	soft->last_sent_us = env->now_us;
	soft->progress_us = env->now_us;
	soft->ts_floor = ftcp_tsval(tcb, env);
	soft->snd_wnd_max = tcb->hard.snd_wnd;
	ftcp_rtt_init(&soft->rtt);
	ftcp_cong_init(&soft->cong, ftcp_mss_bytes(tcb), config->congestion);
}

void ftcp_mtu_set(struct ftcp_tcb *tcb, const struct ftcp_env *env, u32 mss_bytes, u64 retry_after_us)
{
	struct ftcp_soft *soft = &tcb->soft;

	soft->mtu_mss_bytes = clamp_t(u32, mss_bytes, FTCP_MSS_MIN_BYTES, FTCP_MSS_MAX_BYTES);
	soft->mtu_proven = false;
	soft->snd_small = soft->snd_max;	/* what is on its way is less than full, if packets grow */
	soft->mtu_retry_us = soft->mtu_mss_bytes < soft->mtu_full_bytes ? env->now_us + retry_after_us : 0;
	soft->cong.mss_bytes = ftcp_mss_bytes(tcb);
}

void ftcp_tcb_clamp_mss(struct ftcp_tcb *tcb, const struct ftcp_env *env, u32 mss_bytes)
{
	struct ftcp_soft *soft = &tcb->soft;

	if (soft->mtu_full_bytes)
		soft->mtu_full_bytes = min_t(u32, soft->mtu_full_bytes, mss_bytes);
	if (mss_bytes < soft->mtu_mss_bytes)
		ftcp_mtu_set(tcb, env, mss_bytes, 0);
}

u32 ftcp_tsval(const struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	return env->ts_ms + tcb->hard.ts_off;
}

void ftcp_close(struct ftcp_tcb *tcb)
{
	tcb->hard.state = FTCP_CLOSED;
	tcb->soft.doubt = false;
	memset(&tcb->soft.timers, 0, sizeof(tcb->soft.timers));
	tcb->soft.ack_now = false;
	tcb->soft.rexmit_now = false;
	tcb->soft.probe_now = false;
	tcb->soft.tail_now = false;
}

void ftcp_enter_time_wait(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	tcb->hard.state = FTCP_TIME_WAIT;
	tcb->soft.doubt = false;
	memset(&tcb->soft.timers, 0, sizeof(tcb->soft.timers));
	tcb->soft.timers.close_us = env->now_us + FTCP_TIME_WAIT_US;
}

const char *ftcp_state_name(u8 state)
{
	switch (state) {
	case FTCP_ESTABLISHED:	return "ESTABLISHED";
	case FTCP_SYN_RECEIVED:	return "SYN-RECEIVED";
	case FTCP_FIN_WAIT_1:	return "FIN-WAIT-1";
	case FTCP_FIN_WAIT_2:	return "FIN-WAIT-2";
	case FTCP_TIME_WAIT:	return "TIME-WAIT";
	case FTCP_CLOSED:	return "CLOSED";
	case FTCP_CLOSE_WAIT:	return "CLOSE-WAIT";
	case FTCP_LAST_ACK:	return "LAST-ACK";
	case FTCP_CLOSING:	return "CLOSING";
	default:		return "?";
	}
}

const char *ftcp_hard_check(const struct ftcp_hard *hard)
{
	if (hard->consumed > hard->rcv_nxt)
		return "consumed <= rcv_nxt";
	if (hard->rcv_nxt > hard->rcv_edge + ftcp_edge_slack(hard) + 1)
		return "rcv_nxt <= rcv_edge";
	if (hard->snd_una > hard->snd_end)
		return "snd_una <= snd_end";
	if (hard->snd_end - hard->snd_una > (u64)hard->snd_buf_bytes + 1)
		return "snd_end - snd_una <= snd_buf_bytes";
	return NULL;
}

static const char *check_marks(const struct ftcp_tcb *tcb)
{
	const struct ftcp_mark *shipped = &tcb->soft.shipped, *committed = &tcb->soft.committed;

	if (committed->rcv > shipped->rcv || shipped->rcv > tcb->hard.rcv_nxt)
		return "committed.rcv <= shipped.rcv <= rcv_nxt";
	if (committed->snd > shipped->snd || shipped->snd > tcb->hard.snd_end)
		return "committed.snd <= shipped.snd <= snd_end";
	if (committed->edge > shipped->edge || shipped->edge > tcb->hard.rcv_edge)
		return "committed.edge <= shipped.edge <= rcv_edge";
	return NULL;
}

const char *ftcp_tcb_check(const struct ftcp_tcb *tcb)
{
	const struct ftcp_soft *soft = &tcb->soft;
	const char *broken = ftcp_hard_check(&tcb->hard);

	if (broken)
		return broken;
	if (tcb->hard.state == FTCP_CLOSED)
		return NULL;
	broken = check_marks(tcb);
	if (broken)
		return broken;
	if (soft->snd_nxt < tcb->hard.snd_una || soft->snd_nxt > soft->snd_max)
		return "snd_una <= snd_nxt <= snd_max";
	if (soft->snd_max > tcb->hard.snd_end)
		return "snd_max <= snd_end";
	if (soft->rcv_ack > tcb->hard.rcv_nxt)
		return "rcv_ack <= rcv_nxt";
	if (soft->rcv_adv > tcb->hard.rcv_edge)
		return "rcv_adv <= rcv_edge";
	if (soft->ooo.n && soft->ooo.r[0].from <= tcb->hard.rcv_nxt)
		return "out-of-order data lies above rcv_nxt";
	return NULL;
}
