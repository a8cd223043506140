// SPDX-License-Identifier: GPL-2.0
/* What the peer says: it changes the view, and batches go their way. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "group.h"
#include "log.h"

static unsigned long long clock_real_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

void group_send_state(struct group *group)
{
	struct policy_host word = policy_word(&group->view);
	uint8_t frame[FRAME_SMALL_BYTES];

	if (peer_is_up(&group->peer))
		peer_send(&group->peer, frame, frame_write_heartbeat(frame, &word, clock_real_ms()));
}

void group_goodbye(struct group *group)
{
	uint8_t frame[FRAME_SMALL_BYTES];

	/* What this host follows it follows to the last: the primary lets go when it hears this, and counts no failure. */
	if (!group->following)
		group_sync_stop(group);
	peer_say_last(&group->peer, frame, frame_write_bye(frame, FRAME_BYE_STOPPED));
}

static void state(void *arg, struct policy_host *host)
{
	struct group *group = arg;

	group_refresh(group);
	*host = policy_word(&group->view);
}

/* Both files must agree on what matters; the link works in any case. */
static void compare(const struct group *group, const struct frame_hello *hello)
{
	const struct config *config = group->config;

	if (hello->host.prefers_primary == config->prefers_primary)
		log_err("both hosts have [group] role = %s: set it to primary on one, standby on the other; when both start fresh, an arbitrary one is promoted",
			config->prefers_primary ? "primary" : "standby");
	if (hello->detach != (config->loss == CONFIG_LOSS_DETACH))
		log_warn("[standby_loss] policy differs between the hosts");
	if (hello->heartbeat_ms * 3ull > config->dead_after_ms)
		log_warn("the peer sends a heartbeat every %u ms: too seldom for this host's dead_after_ms of %llu",
			 hello->heartbeat_ms, (unsigned long long)config->dead_after_ms);
	if (hello->dead_after_ms != config->dead_after_ms)
		log_info("[link] dead_after_ms differs between the hosts: %llu here, %u there",
			 (unsigned long long)config->dead_after_ms, hello->dead_after_ms);
}

/* A host that spoke until now had the addresses, and may have told the LAN so later than this one did. */
static void take_addresses_back(struct group *group, const struct policy_host *was, const struct policy_host *is)
{
	if (group->view.peer_met && policy_speaks(was->role) && !policy_speaks(is->role) &&
	    policy_speaks(group->view.self.role))
		addresses_announce(&group->addresses);
}

/*
 * Is what is held here still the latest? A channel may be faster than the link, and have brought what was made after the word was
 * said: only what was held when the link came up, what came by the link itself, or what the peer has named before in this link, is
 * older than its word for certain.
 */
static void judge_held(struct group *group, const struct policy_host *word)
{
	uint64_t sync_id = group->view.self.sync_id;
	bool later = group->ready || sync_id == group->link_sync_id || sync_id == group->told_sync_id;
	const char *why = word->role == FTCP_ROLE_DETACHED ? "the peer has gone on without this host" :
							     "the peer replicates everything anew";

	if (policy_confirms(&group->view, word))
		group->view.unconfirmed = false;
	/* If the kernel refuses, the next word is to be judged as this one. */
	if (policy_outdates(&group->view, word, later) &&
	    (group->loop->now_ms < group->view.retry_at_ms || !group_outdate(group, sync_id, why)))
		return;
	if (word->role == FTCP_ROLE_PRIMARY)
		group->told_sync_id = word->sync_id;
}

static void take_state(struct group *group, const struct policy_host *host)
{
	uint64_t no = group->view.self.batch_no;
	struct policy_host was;

	/* With an election both sides are to know how far this one came: no batch has told since the kernels have a channel. */
	if (group->following && !policy_speaks(host->role) && group_refresh(group) && group->view.self.batch_no != no)
		group_send_state(group);
	if (host->role == FTCP_ROLE_PRIMARY)
		group->primary_heard = true;
	was = group->view.peer;
	group->view.peer = *host;
	group->view.peer.instance = was.instance;
	take_addresses_back(group, &was, host);
	judge_held(group, host);
}

static void up(void *arg, const struct frame_hello *hello)
{
	const struct policy_host *host = &hello->host;
	struct group *group = arg;
	struct policy_view *view = &group->view;

	group_sync_settle(group);
	group_sync_reset(group);
	if (view->peer.instance != host->instance) {
		compare(group, hello);
		group->attach_failures = 0;
		group->resync = false;
	}
	/* Whatever failed went with the old link. */
	view->attach_at_ms = 0;
	group->link_sync_id = view->self.sync_id;
	group->told_sync_id = 0;
	/* Meanwhile the peer may have gone on alone, and even have started again after that. */
	if (group->loop->now_ms >= view->heard_ms + view->config.detach_after_ms)
		view->unconfirmed = true;
	take_state(group, host);
	view->peer.instance = host->instance;
	view->peer_met = true;
	view->peer_left = false;
	view->link_up = true;
	view->heard_ms = group->loop->now_ms;
	view->settled_ms = group->loop->now_ms;
	log_note("link to %s: %s, epoch %llu, sync %s", group->peer.link.name, policy_role_text(host->role),
		 (unsigned long long)host->epoch, policy_sync_text(host->sync));
	log_event("link_up", "peer_role=%s peer_epoch=%llu peer_sync=%s", policy_role_text(host->role),
		  (unsigned long long)host->epoch, policy_sync_text(host->sync));
}

static void down(void *arg, const char *why)
{
	struct group *group = arg;
	struct policy_view *view = &group->view;
	uint64_t silent_ms = loop_clock_ms() - view->heard_ms;

	group_sync_settle(group);
	group_sync_reset(group);
	view->link_up = false;
	log_warn("link lost: %s; last heard %llu ms ago", view->peer_left ? "the peer's daemon has stopped" : why,
		 (unsigned long long)silent_ms);
	log_event("link_lost", "silent_ms=%llu bye=%d", (unsigned long long)silent_ms, view->peer_left);
}

static void frame(void *arg, const struct frame *frame)
{
	struct group *group = arg;

	group->view.heard_ms = group->loop->now_ms;
	switch (frame->type) {
	case FRAME_HEARTBEAT:
		/* After the batches that came before it. */
		group_sync_burst(group);
		take_state(group, &frame->host);
		break;
	case FRAME_READY:
		take_state(group, &frame->host);
		group_sync_frame(group, frame);
		break;
	case FRAME_BYE:
		group->view.peer_left = true;
		break;
	default:
		group_sync_frame(group, frame);
		break;
	}
}

static void burst(void *arg)
{
	group_sync_burst(arg);
}

static void writable(void *arg)
{
	group_sync_writable(arg);
}

static void channel(void *arg, struct link *link)
{
	group_sync_channel(arg, link);
}

const struct peer_ops group_peer_ops = {
	.state = state,
	.up = up,
	.frame = frame,
	.burst = burst,
	.down = down,
	.writable = writable,
	.channel = channel,
};
