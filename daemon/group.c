// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include "group.h"
#include "log.h"
#include "notify.h"

#define REFRESH_MS	1000	/* in case an event was lost; also how often a missing module is looked for */
#define RETRY_MS	1000	/* after the kernel has refused a decision */
#define DECISIONS_MAX	4	/* in one round */

/* ---- following the kernel ---- */

static void tell_role(const struct group *group)
{
	const struct policy_host *self = &group->view.self;

	log_note("this host is %s, epoch %llu", policy_role_text(self->role), (unsigned long long)self->epoch);
	log_event("role", "role=%s epoch=%llu", policy_role_text(self->role), (unsigned long long)self->epoch);
}

static void tell_sync(const struct group *group)
{
	const struct policy_host *self = &group->view.self;

	if (policy_speaks(self->role))
		log_note(self->sync == FTCP_SYNC_DONE ? "protected: the standby holds every connection" :
			 self->sync == FTCP_SYNC_RUNNING ? "the standby is being brought up to date" : "not protected");
	else
		log_note(self->sync == FTCP_SYNC_DONE ? "in sync: this host can take over" :
			 self->sync == FTCP_SYNC_RUNNING ? "being brought up to date" : "not in sync");
	log_event("sync", "role=%s sync=%s", policy_role_text(self->role), policy_sync_text(self->sync));
}

/*
 * Since when policy = detach counts. It does not begin anew with each attempt to replicate that fails, nor with what the standby has
 * acknowledged of a resync that then comes to nothing: only when it holds everything, and has acknowledged something in this attempt.
 * Of a batch that it keeps waiting it counts as lost as with the link, after dead_after_ms.
 */
static void note_held(struct group *group, const struct kernel_group *found, enum ftcp_sync_state was)
{
	uint64_t held_ms = loop_clock_ms(), dead_after_ms = group->config->dead_after_ms;

	if (group->attach != GROUP_ATTACHED || found->host.batch_no <= group->attach_no ||
	    (found->host.sync != FTCP_SYNC_DONE && was != FTCP_SYNC_DONE))
		return;
	if (found->host.sync == FTCP_SYNC_DONE)
		group->attach_failures = 0;
	if (found->lag_ms > dead_after_ms)
		held_ms -= found->lag_ms - dead_after_ms;
	if (held_ms > group->view.unattached_ms)
		group->view.unattached_ms = held_ms;
}

void group_note_held(struct group *group)
{
	struct kernel_group found;

	if (group->attach == GROUP_ATTACHED && group->here && !group->lost && !kernel_group_get(&group->kernel, &found))
		note_held(group, &found, found.host.sync);
}

/* Its daemon answers, its kernel does not, for as long as a lost link would have been waited for. Not told by who has not read. */
static bool is_stuck(const struct group *group, const struct kernel_group *found)
{
	const struct policy_config *config = &group->view.config;

	return config->detach && found->host.role == FTCP_ROLE_PRIMARY && found->lag_ms >= config->dead_after_ms + config->detach_after_ms &&
	       group->loop->gap_ms < config->dead_after_ms / 2 && group->loop->now_ms >= group->view.frozen_until_ms;
}

/* The kernel has the truth, whoever told it: this process, its predecessor, or a person with ftcpctl. */
static void follow(struct group *group, const struct kernel_group *found, bool first)
{
	struct policy_host *self = &group->view.self, old = *self;
	bool role = first || found->host.role != old.role || found->host.epoch != old.epoch;
	bool sync = first || found->host.sync != old.sync;

	self->role = found->host.role;
	self->epoch = found->host.epoch;
	self->sync = found->host.sync;
	self->sync_id = found->host.sync_id;
	self->batch_no = found->host.batch_no;
	/* First of all: clients are waiting. */
	addresses_follow(&group->addresses, policy_speaks(self->role));
	epoch_note(&group->epoch, self->epoch);
	group->view.stored_epoch = group->epoch.highest;
	if (first)
		group->view.unconfirmed = self->sync == FTCP_SYNC_DONE;
	else if (self->sync != FTCP_SYNC_DONE)
		group->view.unconfirmed = false;	/* when it is, this process will have seen it become so */
	if (role)
		tell_role(group);
	if (sync)
		tell_sync(group);
	if (role || sync) {
		group->view.settled_ms = loop_clock_ms();
		group_send_state(group);
	}
	/* By an attempt to replicate, after others that have failed, it did not become what it was not before. */
	if (self->role == FTCP_ROLE_PRIMARY && old.role != FTCP_ROLE_PRIMARY && !group->attach_failures)
		group->view.unattached_ms = loop_clock_ms();
	/* Whatever failed was of a time in which it spoke. */
	if (!policy_speaks(self->role))
		group->attach_failures = 0;
	note_held(group, found, old.sync);
	group_sync_progress(group);
	/* Each role has a side of replication, and cannot be on the other. */
	if (policy_speaks(self->role) ? group->following : group->attach != GROUP_NOT_ATTACHED)
		group_sync_stop(group);
	else if (group->attach == GROUP_ATTACHED && !found->attached)
		group_sync_failed(group, "the kernel has let go of this process");
	else if (group->attach == GROUP_ATTACHED && is_stuck(group, found))
		group_sync_failed(group, "the standby has acknowledged nothing for %u ms", found->lag_ms);
}

bool group_refresh(struct group *group)
{
	struct kernel_group found;
	int err;

	if (!group->here || group->lost)
		return false;
	err = kernel_group_get(&group->kernel, &found);
	if (err == -ENODEV || err == -ENOENT)
		group->lost = true;
	else if (err)
		log_err("the kernel does not say how the group stands: %s", group->kernel.error);
	else
		follow(group, &found, false);
	return !err;
}

/* ---- the module comes and goes ---- */

static int find_group(struct group *group, struct kernel_group *found)
{
	int err = kernel_group_get(&group->kernel, found);

	if (err != -ENOENT)
		return err;
	err = kernel_group_new(&group->kernel);
	if (err && err != -EEXIST)
		return err;
	log_note("made the group; 'ftcpctl -g %s service add' gives it services", group->config->name);
	return kernel_group_get(&group->kernel, found);
}

/* Looks for module and group; 0, or -errno with kernel.error. */
static int arrive(struct group *group)
{
	struct policy_view *view = &group->view;
	struct kernel_group found;
	int err;

	err = kernel_find(&group->kernel);
	if (!err)
		err = find_group(group, &found);
	if (err)
		return err;
	group->here = true;
	group->lost = false;
	*group->trouble = '\0';
	view->heard_ms = loop_clock_ms();
	view->unattached_ms = view->heard_ms;
	view->peer_met = false;
	view->peer_left = false;
	follow(group, &found, true);
	peer_activate(&group->peer, true);
	return 0;
}

/* The peer must not take silence for agreement: without a kernel this host is as good as dead. */
static void leave(struct group *group)
{
	log_err("the module ftcp, or group %s in it, is gone: waiting for it", group->config->name);
	log_event("module_gone", "%s", "");
	group->here = false;
	group->lost = false;
	group_sync_reset(group);
	group->view.link_up = false;
	peer_activate(&group->peer, false);
	kernel_lost(&group->kernel);
	/* Without the module the host itself would answer, with resets. */
	addresses_follow(&group->addresses, false);
}

static void look_for_it(struct group *group)
{
	if (arrive(group) && strcmp(group->trouble, group->kernel.error)) {
		log_warn("%s; trying every second", group->kernel.error);
		memcpy(group->trouble, group->kernel.error, sizeof(group->trouble));
	}
}

static void kernel_events_ready(void *arg, uint32_t events)
{
	struct group *group = arg;
	unsigned int news = kernel_events_read(&group->kernel);

	(void)events;
	if (news & KERNEL_NEWS_GONE)
		group->lost = group->here;
	if (news & KERNEL_NEWS_OVERRUN && group->attach == GROUP_ATTACHED) {
		/* It may be too much for the socket's buffer each time. */
		group_sync_failed(group, "the kernel could not deliver a batch");
	}
	if (!group->here && news)
		look_for_it(group);
	else if (news & KERNEL_NEWS_GROUP)
		group_refresh(group);
}

static void refresh_due(void *arg)
{
	struct group *group = arg;

	loop_timer_set(group->loop, &group->refresh, group->loop->now_ms + REFRESH_MS);
	if (group->here)
		group_refresh(group);
	else
		look_for_it(group);
}

/* ---- the addresses are here ---- */

static void announced(void *arg, unsigned int round)
{
	struct group *group = arg;
	uint64_t heard_ms = group->view.heard_ms;

	if (round > 1)
		return;
	/* Twice: the first answers may go to where the address was. */
	if (kernel_kick(&group->kernel))
		log_warn("the kernel does not speak first: %s", group->kernel.error);
	if (round || !group->promoted_ms)
		return;
	log_event("announced", "addresses=%u after_ms=%llu", group->config->n_addresses,
		  (unsigned long long)(loop_clock_ms() - heard_ms));
	group->promoted_ms = 0;
}

/* ---- decisions ---- */

static void refused(struct group *group, const char *what)
{
	log_err("cannot %s: %s", what, group->kernel.error);
	group->view.retry_at_ms = loop_clock_ms() + RETRY_MS;
}

static void promote(struct group *group, const struct policy_decision *decision)
{
	uint64_t heard_ms = group->view.heard_ms;
	unsigned long long silent_ms = loop_clock_ms() - heard_ms;

	if (decision->why == POLICY_PEER_DEAD)
		log_event("noticed", "silent_ms=%llu", silent_ms);
	if (kernel_promote(&group->kernel, decision->epoch, decision->fresh)) {
		refused(group, "become primary");
		return;
	}
	group->promoted_ms = loop_clock_ms();
	log_event("promoted", "epoch=%llu after_ms=%llu", (unsigned long long)decision->epoch,
		  (unsigned long long)(group->promoted_ms - heard_ms));
	group_refresh(group);
	log_note("became primary: %s", policy_why_text(decision->why));
}

static void demote(struct group *group, const struct policy_decision *decision)
{
	log_warn("falling silent: %s; epoch %llu, the peer's %llu", policy_why_text(decision->why),
		 (unsigned long long)group->view.self.epoch, (unsigned long long)group->view.peer.epoch);
	if (kernel_demote(&group->kernel, decision->epoch, decision->force)) {
		refused(group, "fall silent");
		return;
	}
	log_event("demoted", "epoch=%llu", (unsigned long long)decision->epoch);
	group_refresh(group);
}

static void detach(struct group *group, const struct policy_decision *decision)
{
	log_warn("UNPROTECTED: %s; connections go on, and are lost if this host dies", policy_why_text(decision->why));
	if (kernel_detach(&group->kernel)) {
		refused(group, "go on without a standby");
		return;
	}
	log_event("detached", "epoch=%llu", (unsigned long long)group->view.self.epoch);
	group_refresh(group);
}

bool group_outdate(struct group *group, uint64_t sync_id, const char *why)
{
	int err = kernel_outdate(&group->kernel, sync_id);

	if (!err) {
		log_warn("what this host holds is old, and it does not take over with it: %s", why);
		log_event("outdated", "sync_id=%llx", (unsigned long long)sync_id);
	} else if (err != -ESTALE) {
		refused(group, "mark as old what is held");
	}
	/* -ESTALE: something newer has come meanwhile. */
	group_refresh(group);
	return !err || err == -ESTALE;
}

static int priority_of(enum policy_why why)
{
	switch (why) {
	case POLICY_STALLED:
	case POLICY_NOT_IN_SYNC:
	case POLICY_STALE:
		return LOG_WARNING;
	case POLICY_PROTECTING:
	case POLICY_FOLLOWING:
	case POLICY_RETRY:
		return LOG_INFO;	/* other lines have said so */
	default:
		return LOG_NOTICE;
	}
}

/* Each state that is waited in is told once. */
static void tell(struct group *group, enum policy_why why)
{
	if (group->told_any && why == group->told)
		return;
	group->told = why;
	group->told_any = true;
	log_line(priority_of(why), "%s: %s", policy_role_text(group->view.self.role), policy_why_text(why));
	notify("STATUS=%s, epoch %llu: %s", policy_role_text(group->view.self.role),
	       (unsigned long long)group->view.self.epoch, policy_why_text(why));
}

static void act(struct group *group, const struct policy_decision *decision)
{
	switch (decision->action) {
	case POLICY_PROMOTE:
		promote(group, decision);
		break;
	case POLICY_DEMOTE:
		demote(group, decision);
		break;
	case POLICY_DETACH:
		detach(group, decision);
		break;
	case POLICY_OUTDATE:
		group_outdate(group, decision->sync_id, policy_why_text(decision->why));
		break;
	case POLICY_ATTACH:
		group_sync_start(group);
		break;
	case POLICY_WAIT:
		break;
	}
}

static void decide(struct group *group)
{
	struct policy_decision decision;

	for (int i = 0; i < DECISIONS_MAX && group->here && !group->lost; i++) {
		/* Not the clock itself: this process may have stood still since the round began, and not have read since. */
		group->view.now_ms = group->loop->now_ms;
		decision = policy_decide(&group->view);
		if (decision.action == POLICY_WAIT) {
			tell(group, decision.why);
			if (decision.again_ms)
				loop_timer_set(group->loop, &group->decide, decision.again_ms);
			return;
		}
		act(group, &decision);
	}
}

/* The end of each round: everything that has come was read. */
static void round_ends(void *arg)
{
	struct group *group = arg;

	if (group->lost)
		leave(group);
	peer_check(&group->peer);
	decide(group);
}

static void decide_due(void *arg)
{
	(void)arg;	/* round_ends() follows */
}

static void heartbeat_due(void *arg)
{
	struct group *group = arg;
	struct policy_view *view = &group->view;
	uint64_t now_ms = group->loop->now_ms, gap_ms = group->loop->gap_ms;
	uint64_t next_ms = now_ms + group->config->heartbeat_ms, dead_ms = view->heard_ms + group->config->dead_after_ms;

	/* Just in time when the peer would be dead. */
	loop_timer_set(group->loop, &group->heartbeat, dead_ms > now_ms && dead_ms < next_ms ? dead_ms : next_ms);
	view->frozen_until_ms = policy_frozen_until(&view->config, now_ms, gap_ms, view->frozen_until_ms);
	if (view->frozen_until_ms > now_ms && gap_ms >= view->config.dead_after_ms) {
		log_warn("this process was not running for %llu ms", (unsigned long long)gap_ms);
		/* The primary may have gone on alone: its last word is worth nothing any more, nor what was read just now. */
		if (view->config.detach && gap_ms >= view->config.detach_after_ms) {
			if (!policy_speaks(view->self.role))
				peer_drop(&group->peer, "what was heard may be old");
			view->peer_met = false;
			view->unconfirmed = true;
		}
	}
	if (!peer_is_up(&group->peer))
		return;
	if (policy_link_dead(&view->config, now_ms, view->heard_ms, view->frozen_until_ms))
		peer_drop(&group->peer, "silence");
	else
		group_send_state(group);
}

/* ---- life ---- */

static void fill_view(struct group *group)
{
	const struct config *config = group->config;
	struct policy_view *view = &group->view;

	view->config = (struct policy_config){ .heartbeat_ms = config->heartbeat_ms,
					       .dead_after_ms = config->dead_after_ms,
					       .restart_grace_ms = config->restart_grace_ms,
					       .detach_after_ms = config->detach_after_ms,
					       .alone_after_ms = config->alone_after_ms,
					       .detach = config->loss == CONFIG_LOSS_DETACH };
	view->self.prefers_primary = config->prefers_primary;
	do {
		if (getrandom(&view->self.instance, sizeof(view->self.instance), 0) < 0)
			view->self.instance = loop_clock_ms();
	} while (!view->self.instance);
}

static int open_parts(struct group *group, char *error)
{
	int err;

	err = kernel_open(&group->kernel, group->config->name, group_sync_batches, group);
	if (!err)
		err = loop_add(group->loop, &group->kernel_events, mnl_socket_get_fd(group->kernel.event), EPOLLIN);
	if (err) {
		snprintf(error, sizeof(group->kernel.error), "%s", group->kernel.error);
		return err;
	}
	err = addresses_open(&group->addresses, group->loop, group->config, announced, group);
	if (err) {
		snprintf(error, sizeof(group->kernel.error), "cannot change addresses: %s", strerror(-err));
		return err;
	}
	return peer_open(&group->peer, group->loop, group->config, group->view.self.instance, &group_peer_ops, group, error);
}

int group_open(struct group *group, struct loop *loop, const struct config *config, char *error)
{
	int err;

	memset(group, 0, sizeof(*group));
	group->loop = loop;
	group->config = config;
	group->kernel_events = (struct loop_io){ .fd = -1, .ready = kernel_events_ready, .arg = group };
	group->heartbeat = (struct loop_timer){ .fire = heartbeat_due, .arg = group };
	group->refresh = (struct loop_timer){ .fire = refresh_due, .arg = group };
	group->decide = (struct loop_timer){ .fire = decide_due, .arg = group };
	group_sync_init(group);
	fill_view(group);
	epoch_open(&group->epoch, loop, config->epoch_file, config->name);
	loop->after = round_ends;
	loop->after_arg = group;
	err = open_parts(group, error);
	if (err)
		return err;
	err = arrive(group);
	if (err) {
		snprintf(error, sizeof(group->kernel.error), "%s", group->kernel.error);
		return err;
	}
	loop_timer_set(loop, &group->heartbeat, loop->now_ms);
	loop_timer_set(loop, &group->refresh, loop->now_ms + REFRESH_MS);
	return 0;
}

void group_close(struct group *group)
{
	group_sync_reset(group);
	peer_close(&group->peer);
	epoch_close(&group->epoch);
	addresses_close(&group->addresses);
	if (group->kernel_events.fd >= 0)
		loop_remove(group->loop, &group->kernel_events);
	kernel_close(&group->kernel);
}
