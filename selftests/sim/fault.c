// SPDX-License-Identifier: GPL-2.0
/*
 * What breaks, and when. Never more than the promise covers: one host dies at a time, and the one that speaks only while the other
 * could go on. With policy detach a cut link is short, since there is nothing that fences two hosts that both go on alone; and a
 * standby's daemon that dies with the primary is one death too many: the next one cannot know whether the primary had gone on alone.
 */
#include "sim.h"

static u32 faults_left, steps_left;
static u32 left[5];

enum { CRASH, LINK_CUT, DAEMON_KILL, LAN_CUT, EARLY };

void fault_reset(void)
{
	faults_left = swarm.faults;
	steps_left = 1 + rnd(2 * swarm.steps_between);
	left[CRASH] = swarm.crash;
	left[LINK_CUT] = swarm.link_cut;
	left[DAEMON_KILL] = swarm.daemon_kill;
	left[LAN_CUT] = swarm.lan_cut;
	left[EARLY] = swarm.early_promote;
}

bool fault_over(void)
{
	u32 i, sum = 0;

	for (i = 0; i < ARRAY_SIZE(left); i++)
		sum += left[i];
	return !faults_left || !sum;
}

/* Would everything that was promised survive the death of @h now? */
static bool may_crash(const struct host *h)
{
	const struct host *o = other(h);

	if (!h->alive || !o->alive)
		return false;
	if (speaks(o))
		return h->role == STANDBY || o->epoch > h->epoch;
	return h->role == PRIMARY && o->sync == SYNC_DONE && o->sync_id == h->sync_id && o->epoch == h->epoch &&
	       (swarm.stall || daemon_knows(o));
}

static bool may_kill_daemon(const struct host *h)
{
	return h->alive && (swarm.stall || h->sync != SYNC_DONE || speaks(h) || speaks(other(h)));
}

static bool crash(void)
{
	struct host *h = &hosts[rnd(HOSTS)];

	if (!may_crash(h))
		h = other(h);
	if (!may_crash(h))
		return false;
	host_crash(h);
	h->restart_us = now_us + 10 * MS + rnd(rnd(2) ? 500 * MS : 8 * S);
	return true;
}

static bool early(void)
{
	struct host *h = hosts[0].role == STANDBY ? &hosts[0] : &hosts[1], *o = other(h);

	/* An operator, or a daemon that was wrong: the other is alive. What it holds must be the other's present sync. */
	if (!h->alive || h->role != STANDBY || (bug == BUG_none && h->sync != SYNC_DONE) || o->role != PRIMARY)
		return false;
	if (bug == BUG_none && h->sync_id != o->sync_id)
		return false;
	/* While the other is attached: a handover. */
	if (o->attached && bug == BUG_none) {
		if (!host_demote(o, o->epoch, false))
			return false;
		totals->early++;
		daemon_look(o);
		return true;
	}
	if (swarm.async || !host_promote(h, 0, false))
		return false;
	totals->early++;
	daemon_look(h);
	return true;
}

static bool strike(u32 what)
{
	u64 until = now_us + (swarm.stall ? rnd(rnd(2) ? 300 * MS : 6 * S) : rnd(200 * MS));
	struct host *h = &hosts[rnd(HOSTS)];

	switch (what) {
	case CRASH:
		return crash();
	case LINK_CUT:
		totals->link_cuts++;
		link_cut(until);
		return true;
	case DAEMON_KILL:
		if (!may_kill_daemon(h))
			return false;
		totals->daemon_kills++;
		say(name_of(h), "daemon killed");
		daemon_stop(h);
		return true;
	case LAN_CUT:
		if (rnd(3))
			lan_to_server_down_us = until;
		if (rnd(3))
			lan_to_client_down_us = until;
		return true;
	default:
		return early();
	}
}

void fault_step(void)
{
	u32 what = rnd(ARRAY_SIZE(left));

	if (permille(swarm.mean))
		mean_attack();
	if (one_in(200))
		daemon_replay();
	if (!faults_left || --steps_left)
		return;
	steps_left = 1 + rnd(2 * swarm.steps_between);
	if (!left[what])
		return;
	if (strike(what)) {
		left[what]--;
		faults_left--;
	}
}

void fault_heal(void)
{
	struct host *h;

	faults_left = 0;
	lan_to_server_down_us = lan_to_client_down_us = 0;
	swarm.mean = 0;
	link_cut(now_us);
	for (h = hosts; h < hosts + HOSTS; h++)
		if (!h->alive)
			h->restart_us = now_us + 1;
}
