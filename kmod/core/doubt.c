// SPDX-License-Identifier: GPL-2.0
/*
 * Doubt: what an async connection begins with on the host that takes it over.
 *
 * Its predecessor waited for no commit. It may have sent output that this host never heard of, and acknowledged input that died with it. If
 * this host simply went on, its program would make that output once more, perhaps with other bytes, and the client would have a mixture of
 * both. So the client is asked where it stands, and until it has said so nothing is sent that the predecessor is not known to have sent:
 *
 * - It acknowledges, or holds as an island (SACK), more than this host knows to be written: output was lost. Aborted.
 * - What it sends next lies beyond what was received here, and what is missing does not come: input was lost. Aborted.
 * - It answers, later than anything of the predecessor's can have been on its way, and neither is the case: settled.
 *
 * It is aborted when the client is heard: only then is the sequence number known that its host takes a reset for (RFC 5961, 3.2). A client without
 * SACK may hold islands and never say so: for it nothing can be settled. While in doubt nothing is shipped to a next standby, which would take it
 * for sent.
 */
#include "internal.h"

void ftcp_tcb_doubt(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;

	/* In TIME-WAIT all has been said. */
	if (!ftcp_is_async(tcb) || tcb->hard.state == FTCP_TIME_WAIT || tcb->hard.state == FTCP_CLOSED)
		return;
	soft->doubt = true;
	soft->doubt_gap_s = 0;
	soft->probes = 0;
	soft->timers.keepalive_us = env->now_us;
}

/* How long already. Soft state, and ts_floor with it, was made when it began. */
static u32 age_ms(const struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	return ftcp_tsval(tcb, env) - tcb->soft.ts_floor;
}

/* @ack: RCV.NXT of the client, which is where it expects a reset */
static enum ftcp_reason behind(struct ftcp_tcb *tcb, u64 ack, u32 *events)
{
	tcb->soft.snd_max = ack;
	ftcp_tcb_abort(tcb);
	*events |= FTCP_EV_BEHIND | FTCP_EV_CLOSED;
	return FTCP_REASON_BEHIND;
}

/* The furthest that the client says it has. */
static s64 client_top(const struct ftcp_tcb *tcb, const struct ftcp_segment *seg, s64 ack)
{
	s64 top = ack, to;
	u32 i;

	for (i = 0; i < seg->n_sacks; i++) {
		to = ftcp_seq_off(tcb->hard.iss, seg->sacks[i].to, tcb->hard.snd_una);
		if (to <= (s64)tcb->soft.snd_max + FTCP_SND_BUF_BYTES)
			top = max(top, to);
	}
	return top;
}

/* Could it come from the client? Both numbers lie where those of a connection can that went on without this host. */
static bool plausible(const struct ftcp_tcb *tcb, const struct ftcp_segment *seg, s64 from, s64 ack)
{
	const struct ftcp_hard *hard = &tcb->hard;
	s64 far = 2 * FTCP_RCV_BUF_BYTES;

	return (seg->flags & (FTCP_ACK | FTCP_SYN | FTCP_RST)) == FTCP_ACK && from >= (s64)hard->rcv_nxt - far &&
	       from <= (s64)hard->rcv_nxt + far && ack <= (s64)tcb->soft.snd_max + FTCP_SND_BUF_BYTES &&
	       ack >= (s64)hard->snd_una - (65535ll << hard->snd_wscale);
}

/* Is something missing before it? Since when, and as long as nothing of that has come. */
static void note_gap(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg, s64 from)
{
	struct ftcp_soft *soft = &tcb->soft;

	if (from > (s64)tcb->hard.rcv_nxt)
		soft->doubt_gap_s = soft->doubt_gap_s ?: min(age_ms(tcb, env) / 1000 + 1, 65535u);
	else if (from + (s64)ftcp_segment_span(seg) > (s64)tcb->hard.rcv_nxt)
		soft->doubt_gap_s = 0;
}

/* Is it recent enough, and does it tell everything? */
static bool settles(const struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg, s64 from)
{
	s64 rcv_nxt = tcb->hard.rcv_nxt;

	if (age_ms(tcb, env) < FTCP_DOUBT_OLD_MS)
		return false;
	/* What echoes none of this host's timestamps may be an old duplicate, meant for the predecessor */
	if ((tcb->hard.flags & FTCP_HARD_TS) && (s32)(seg->tsecr - tcb->soft.ts_floor) < 0)
		return false;
	/* A keepalive lies one below what the client sends next: where something was seen to be missing it says nothing (RFC 9293, 3.8.4) */
	if (tcb->soft.doubt_gap_s && !ftcp_segment_span(seg))
		return false;
	/* Three islands may be all that there was room for */
	return from <= rcv_nxt && from + (s64)ftcp_segment_span(seg) >= rcv_nxt && seg->n_sacks < 3;
}

enum ftcp_reason ftcp_doubt_heard(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg, s64 from, u32 *events)
{
	s64 ack = ftcp_seq_off(tcb->hard.iss, seg->ack, tcb->hard.snd_una);
	struct ftcp_soft *soft = &tcb->soft;

	if (!plausible(tcb, seg, from, ack))
		return FTCP_REASON_NONE;
	note_gap(tcb, env, seg, from);
	if (soft->torn || !(tcb->hard.flags & FTCP_HARD_SACK) || client_top(tcb, seg, ack) > (s64)soft->snd_max ||
	    (soft->doubt_gap_s && age_ms(tcb, env) / 1000 > soft->doubt_gap_s + FTCP_DOUBT_GAP_S))
		return behind(tcb, max_t(s64, ack, 0), events);
	if (settles(tcb, env, seg, from)) {
		soft->doubt = false;
		soft->timers.keepalive_us = 0;
		ftcp_timer_heard(tcb, env);
	}
	return FTCP_REASON_NONE;
}

/* Time to ask, by a sequence number that has to be answered (RFC 9293, 3.10.7.4, first step). A client that never answers is gone. */
u32 ftcp_doubt_due(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;

	if (age_ms(tcb, env) > (soft->user_timeout_ms ?: FTCP_USER_TIMEOUT_MS)) {
		ftcp_tcb_abort(tcb);
		return FTCP_EV_TIMEOUT | FTCP_EV_CLOSED;
	}
	soft->probe_now = true;
	soft->ack_now = true;	/* not every host takes a timestamp from the question itself */
	soft->timers.keepalive_us = env->now_us + (FTCP_DOUBT_ASK_US << soft->probes);
	soft->probes = min_t(u8, soft->probes + 1, FTCP_DOUBT_ASKS_MAX);
	return 0;
}
