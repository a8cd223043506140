// SPDX-License-Identifier: GPL-2.0
/* Timers, named by what they wait for (RFC 6298, 5; RFC 9293, 3.8.3, 3.8.4, 3.8.6.1, 3.10.8). */
#include "internal.h"

/* RFC 6298, 5.2 and 5.3: (re)start while something is out, stop when nothing is. */
void ftcp_timer_rexmit(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;
	bool out = soft->snd_max > tcb->hard.snd_una || tcb->hard.state == FTCP_SYN_RECEIVED;

	soft->timers.rexmit_us = out ? env->now_us + ftcp_rtt_backoff_us(&soft->rtt, soft->backoff) : 0;
	ftcp_rack_arm_tail(tcb, env);
}

/* The peer lives: RFC 9293, 3.8.4. */
void ftcp_timer_heard(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;

	soft->last_heard_us = env->now_us;
	if (soft->doubt)
		return;
	soft->probes = 0;
	if (soft->keepalive_idle_ms && tcb->hard.state != FTCP_TIME_WAIT)
		soft->timers.keepalive_us = env->now_us + soft->keepalive_idle_ms * FTCP_MS_US;
}

void ftcp_tcb_hurry(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;
	struct ftcp_timers *t = &soft->timers;

	if (tcb->hard.state == FTCP_TIME_WAIT)
		t->close_us = min(t->close_us, env->now_us + FTCP_S_US);
	else if ((tcb->hard.flags & FTCP_HARD_SND_FIN) && (!soft->user_timeout_ms || soft->user_timeout_ms > FTCP_ORPHAN_TIMEOUT_MS))
		soft->user_timeout_ms = FTCP_ORPHAN_TIMEOUT_MS;
}

u64 ftcp_next_deadline(const struct ftcp_tcb *tcb)
{
	const struct ftcp_timers *t = &tcb->soft.timers;
	const u64 all[] = { t->rexmit_us, t->persist_us, t->keepalive_us, t->close_us, t->tail_us, t->reorder_us, t->delayed_us };
	u64 first = U64_MAX;
	u32 i;

	/* One less, never is the last of all. */
	for (i = 0; i < ARRAY_SIZE(all); i++)
		first = min(first, all[i] - 1);
	return first + 1;
}

static u32 give_up(struct ftcp_tcb *tcb)
{
	ftcp_tcb_abort(tcb);
	return FTCP_EV_TIMEOUT | FTCP_EV_CLOSED;
}

static bool due(u64 *timer_us, const struct ftcp_env *env)
{
	if (!*timer_us || *timer_us > env->now_us)
		return false;
	*timer_us = 0;
	return true;
}

static bool given_up(const struct ftcp_soft *soft, const struct ftcp_env *env, u64 since_us)
{
	return soft->user_timeout_ms && env->now_us - since_us > soft->user_timeout_ms * FTCP_MS_US;
}

/* RFC 9293, 3.8.6.1: a closed window is probed for ever, as long as the peer answers and somebody here is interested. */
static bool probed_enough(struct ftcp_soft *soft, const struct ftcp_env *env)
{
	/* Silence counts from the first probe that was not answered: before it nobody had asked. */
	if (!soft->probe_us || soft->last_heard_us >= soft->probe_us)
		soft->probe_us = env->now_us;
	else if (given_up(soft, env, soft->probe_us))
		return true;
	return soft->orphan && soft->persists >= FTCP_ORPHAN_PROBES_MAX;
}

/*
 * Something is out, and there is no room for it: the window has shrunk since, or a predecessor has sent it, perhaps. It was not lost, and to send its
 * first byte once more is a probe.
 */
static u32 closed_due(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;

	if (probed_enough(soft, env))
		return give_up(tcb);
	soft->persists++;
	ftcp_recovery_restart(tcb);
	soft->timers.rexmit_us = env->now_us + ftcp_rtt_backoff_us(&soft->rtt, soft->persists);
	return 0;
}

/* RFC 6298, 5.4 to 5.7; RFC 9293, 3.8.3: R2 is the user timeout. */
static u32 rexmit_due(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;

	if (tcb->hard.state == FTCP_SYN_RECEIVED) {
		if (++soft->rexmits > FTCP_SYN_ACK_RETRIES_MAX) {
			ftcp_close(tcb);
			return FTCP_EV_CLOSED;
		}
		soft->backoff++;
		soft->rexmit_now = true;
		ftcp_timer_rexmit(tcb, env);
		return 0;
	}
	if (!tcb->hard.snd_wnd)
		return closed_due(tcb, env);
	if (given_up(soft, env, soft->progress_us))
		return give_up(tcb);
	soft->rexmits++;
	soft->backoff = min_t(u32, soft->backoff + 1, FTCP_BACKOFF_MAX);
	ftcp_recovery_timeout(tcb, env);
	ftcp_timer_rexmit(tcb, env);
	return 0;
}

static u32 persist_due(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;

	if (probed_enough(soft, env))
		return give_up(tcb);
	soft->persists++;
	if (tcb->hard.snd_wnd)
		soft->sliver_ok = true;		/* the override timeout of 3.8.6.2.1 */
	else
		soft->probe_now = true;
	soft->timers.persist_us = env->now_us + ftcp_rtt_backoff_us(&soft->rtt, soft->persists);
	return 0;
}

static u32 keepalive_due(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;

	u64 interval_us = soft->keepalive_interval_s * FTCP_S_US;

	/* RFC 9293, 3.8.4: not while something is out that the peer has to answer anyway */
	if (soft->snd_max > tcb->hard.snd_una || soft->timers.persist_us) {
		soft->probes = 0;
		soft->timers.keepalive_us = env->now_us + soft->keepalive_idle_ms * FTCP_MS_US;
		return 0;
	}
	if (soft->probes >= (soft->keepalive_probes ?: FTCP_KEEPALIVE_PROBES_MAX))
		return give_up(tcb);
	soft->probes++;
	soft->probe_now = true;
	soft->timers.keepalive_us = env->now_us + (interval_us ?: min_t(u64, FTCP_KEEPALIVE_INTERVAL_US, soft->keepalive_idle_ms * FTCP_MS_US));
	return 0;
}

u32 ftcp_timeout(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_timers *t = &tcb->soft.timers;
	u32 events = 0;

	if (due(&t->close_us, env)) {
		ftcp_close(tcb);
		return FTCP_EV_CLOSED;
	}
	if (due(&t->reorder_us, env))
		ftcp_recovery_reordered(tcb, env);
	if (due(&t->delayed_us, env))
		tcb->soft.ack_now = true;
	if (due(&t->tail_us, env))
		tcb->soft.tail_now = true;
	if (due(&t->rexmit_us, env))
		events |= rexmit_due(tcb, env);
	if (!(events & FTCP_EV_CLOSED) && due(&t->persist_us, env))
		events |= persist_due(tcb, env);
	if (!(events & FTCP_EV_CLOSED) && due(&t->keepalive_us, env))
		events |= tcb->soft.doubt ? ftcp_doubt_due(tcb, env) : keepalive_due(tcb, env);
	return events;
}
