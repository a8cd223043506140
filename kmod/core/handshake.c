// SPDX-License-Identifier: GPL-2.0
/* Passive open (RFC 9293, 3.10.7.2), with or without memory of the half-open connection. */
#include "cookie.h"
#include "internal.h"

void ftcp_tcb_cookie(struct ftcp_cookie *cookie, const struct ftcp_segment *syn, u32 default_mss_bytes)
{
	u32 mss = syn->opts & FTCP_OPT_MSS ? syn->mss : default_mss_bytes;

	cookie->mss_bytes = max_t(u32, mss, FTCP_MSS_MIN_BYTES);
	cookie->wscale_ok = syn->opts & FTCP_OPT_WSCALE;
	cookie->wscale = cookie->wscale_ok ? syn->wscale : 0;
	cookie->sack_ok = syn->opts & FTCP_OPT_SACK_OK;
}

/* The window of a SYN-ACK is not scaled (RFC 7323, 2.2). */
static u32 first_edge(u32 rcv_buf_bytes)
{
	return min_t(u32, rcv_buf_bytes, 65535);
}

static void open_half(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_tcb_config *config,
		      const struct ftcp_cookie *cookie, const struct ftcp_segment *seg)
{
	struct ftcp_hard *hard = &tcb->hard;

	memset(hard, 0, sizeof(*hard));
	hard->state = FTCP_SYN_RECEIVED;
	hard->rcv_buf_bytes = min_t(u32, config->rcv_buf_bytes, FTCP_RCV_BUF_START_BYTES);
	hard->snd_buf_bytes = config->snd_buf_bytes;
	hard->rcv_edge = first_edge(config->rcv_buf_bytes);
	hard->mss_bytes = cookie->mss_bytes;
	hard->ts_off = config->ts_off;
	if (cookie->wscale_ok) {
		hard->flags |= FTCP_HARD_WSCALE;
		hard->snd_wscale = cookie->wscale;
		hard->rcv_wscale = FTCP_RCV_WSCALE;
	}
	if (cookie->sack_ok)
		hard->flags |= FTCP_HARD_SACK;
	if (config->async)
		hard->flags |= FTCP_HARD_ASYNC;
	if (seg->opts & FTCP_OPT_TS) {
		hard->flags |= FTCP_HARD_TS;
		hard->ts_recent = seg->tsval;
	}
	/* RFC 3168, 6.1.1. A cookie does not carry it: then the peer's marks are echoed all the same, and nothing is sent marked. */
	if ((seg->flags & (FTCP_SYN | FTCP_ECE | FTCP_CWR)) == (FTCP_SYN | FTCP_ECE | FTCP_CWR))
		hard->flags |= FTCP_HARD_ECN;
	ftcp_soft_init(tcb, env, config);
	tcb->soft.rcv_adv = hard->rcv_edge;
	tcb->soft.wnd_known = true;
}

/*
 * Data on the SYN are received, for nobody to read before the handshake has come to its end (RFC 9293, 3.4), and not acknowledged by the SYN-ACK: no
 * half-open connection is replicated, and whoever takes over will know nothing of them.
 */
u32 ftcp_tcb_open(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_tcb_config *config,
		  const struct ftcp_segment *syn, const struct ftcp_cookie *cookie, u32 iss)
{
	open_half(tcb, env, config, cookie, syn);
	/* The cookie had to round this; here the SYN itself is at hand. */
	if (syn->opts & FTCP_OPT_MSS) {
		tcb->hard.mss_bytes = max_t(u32, syn->mss, FTCP_MSS_MIN_BYTES);
		ftcp_cong_init(&tcb->soft.cong, ftcp_mss_bytes(tcb), config->congestion);
	}
	tcb->hard.irs = syn->seq.v;
	tcb->hard.iss = iss;
	tcb->hard.snd_wnd = syn->wnd;
	tcb->soft.snd_wnd_max = syn->wnd;
	tcb->hard.rcv_nxt = min_t(u64, syn->len, tcb->hard.rcv_edge);
	tcb->soft.rexmit_now = true;
	return tcb->hard.rcv_nxt;
}

void ftcp_tcb_open_cookie(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_tcb_config *config,
			  const struct ftcp_segment *ack, const struct ftcp_cookie *cookie)
{
	open_half(tcb, env, config, cookie, ack);
	tcb->hard.irs = ack->seq.v - 1;
	tcb->hard.iss = ack->ack.v - 1;
}

static void synack(struct ftcp_segment *out, u32 iss, u32 irs, u32 rcv_buf_bytes, u32 mss_bytes)
{
	memset(out, 0, sizeof(*out));
	out->flags = FTCP_SYN | FTCP_ACK;
	out->seq = ftcp_seq_make(iss);
	out->ack = ftcp_seq_make(irs + 1);
	out->wnd = first_edge(rcv_buf_bytes);
	out->opts = FTCP_OPT_MSS;
	out->mss = mss_bytes;
}

void ftcp_synack_stateless(struct ftcp_segment *out, const struct ftcp_env *env, const struct ftcp_tcb_config *config,
			   const struct ftcp_segment *syn, const struct ftcp_cookie *cookie, u32 iss)
{
	synack(out, iss, syn->seq.v, config->rcv_buf_bytes, config->mss_bytes);
	out->src = syn->dst;
	out->dst = syn->src;
	if (cookie->wscale_ok) {
		out->opts |= FTCP_OPT_WSCALE;
		out->wscale = FTCP_RCV_WSCALE;
	}
	if (cookie->sack_ok)
		out->opts |= FTCP_OPT_SACK_OK;
	if (syn->opts & FTCP_OPT_TS) {
		out->opts |= FTCP_OPT_TS;
		out->tsval = env->ts_ms + config->ts_off;
		out->tsecr = syn->tsval;
	}
}

void ftcp_synack(const struct ftcp_tcb *tcb, const struct ftcp_env *env, struct ftcp_segment *out)
{
	const struct ftcp_hard *hard = &tcb->hard;

	synack(out, hard->iss, hard->irs, hard->rcv_buf_bytes, tcb->soft.mtu_mss_bytes);
	if (hard->flags & FTCP_HARD_ECN)
		out->flags |= FTCP_ECE;
	if (hard->flags & FTCP_HARD_WSCALE) {
		out->opts |= FTCP_OPT_WSCALE;
		out->wscale = hard->rcv_wscale;
	}
	if (hard->flags & FTCP_HARD_SACK)
		out->opts |= FTCP_OPT_SACK_OK;
	if (hard->flags & FTCP_HARD_TS) {
		out->opts |= FTCP_OPT_TS;
		out->tsval = ftcp_tsval(tcb, env);
		out->tsecr = hard->ts_recent;
	}
}

bool ftcp_reset_stateless(struct ftcp_segment *out, const struct ftcp_segment *in)
{
	if (in->flags & FTCP_RST)
		return false;
	memset(out, 0, sizeof(*out));
	out->src = in->dst;
	out->dst = in->src;
	out->flags = FTCP_RST;
	if (in->flags & FTCP_ACK) {
		out->seq = in->ack;
	} else {
		out->flags |= FTCP_ACK;
		out->ack = ftcp_seq_add(in->seq, ftcp_segment_span(in));
	}
	return true;
}
