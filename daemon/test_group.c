// SPDX-License-Identifier: GPL-2.0
/*
 * Two groups in one process, each with a kernel that is made up: how they agree on a channel, and on which events they let
 * go of it. In place of batches bytes go through it. Prints TAP.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "group.h"
#include "log.h"
#include "tap.h"

#define WITHIN_MS 15000

/* One host; the group is first, so that its kernel is found from it. */
struct host {
	struct group group;
	struct config config;
	void (*round_ends)(void *arg);
	/* its kernel */
	struct kernel_group now;
	unsigned int news;
	int channel_fd;			/* -1: none */
	bool follows;
	unsigned int attaches, follow_requests, applies, acks, outdates;
	bool fresh;			/* the last promotion */
	uint64_t attach_sync_id;	/* of the last SYNC_ATTACH */
	int attach_channel;
};

static struct loop loop;
static struct host a, b;
static int base_port;
static char epoch_dir[] = "/tmp/ftcp-group-XXXXXX";

/* ---- the kernel ---- */

static struct host *host_of(const struct kernel *kernel)
{
	return kernel->arg;
}

int kernel_open(struct kernel *kernel, const char *group, kernel_batches_fn batches, void *arg)
{
	*kernel = (struct kernel){ .group = group, .batches = batches, .arg = arg, .event = mnl_socket_open(NETLINK_GENERIC) };
	return kernel->event ? 0 : -errno;
}

void kernel_close(struct kernel *kernel)
{
	kernel_unattach(kernel);
	mnl_socket_close(kernel->event);
}

int kernel_find(struct kernel *kernel)
{
	kernel->family = 1;
	return 0;
}

void kernel_lost(struct kernel *kernel)
{
	kernel->family = 0;
}

int kernel_group_get(struct kernel *kernel, struct kernel_group *group)
{
	*group = host_of(kernel)->now;
	return 0;
}

int kernel_group_new(struct kernel *kernel)
{
	(void)kernel;
	return 0;
}

static void let_go(struct host *host)
{
	if (host->channel_fd >= 0)
		close(host->channel_fd);
	host->channel_fd = -1;
	host->follows = false;
	host->now.attached = false;
}

static void new_role(struct host *host, enum ftcp_role role, uint64_t epoch)
{
	let_go(host);
	host->now.host.role = role;
	host->now.host.epoch = epoch;
	host->now.host.sync = FTCP_SYNC_NONE;
	host->now.host.sync_id = 0;
	host->now.host.batch_no = 0;
}

int kernel_promote(struct kernel *kernel, uint64_t epoch, bool fresh)
{
	host_of(kernel)->fresh = fresh;
	new_role(host_of(kernel), FTCP_ROLE_DETACHED, epoch);
	return 0;
}

int kernel_demote(struct kernel *kernel, uint64_t epoch, bool force)
{
	(void)force;
	new_role(host_of(kernel), FTCP_ROLE_STANDBY, epoch);
	return 0;
}

int kernel_detach(struct kernel *kernel)
{
	host_of(kernel)->now.host.role = FTCP_ROLE_DETACHED;
	return 0;
}

int kernel_kick(struct kernel *kernel)
{
	(void)kernel;
	return 0;
}

int kernel_outdate(struct kernel *kernel, uint64_t sync_id)
{
	struct host *host = host_of(kernel);

	if (host->now.host.role != FTCP_ROLE_STANDBY || sync_id != host->now.host.sync_id)
		return -ESTALE;
	host->outdates++;
	host->now.host.sync = FTCP_SYNC_NONE;
	host->now.host.sync_id = 0;
	host->now.host.batch_no = 0;
	return 0;
}

int kernel_ack(struct kernel *kernel, uint64_t sync_id, uint64_t batch_no)
{
	struct host *host = host_of(kernel);

	host->acks++;
	if (sync_id == host->now.host.sync_id)
		host->now.host.batch_no = batch_no;
	return 0;
}

int kernel_apply(struct kernel *kernel, const struct kernel_batch *batches, unsigned int n, unsigned int *failed)
{
	struct host *host = host_of(kernel);

	(void)failed;
	host->applies += n;
	host->now.host.sync_id = batches[n - 1].sync_id;
	host->now.host.batch_no = batches[n - 1].no;
	return 0;
}

int kernel_attach(struct kernel *kernel, uint64_t peer_sync_id, uint64_t peer_batch_no, int channel_fd)
{
	struct host *host = host_of(kernel);

	kernel_unattach(kernel);
	if (host->now.host.role == FTCP_ROLE_STANDBY)
		return -EBUSY;
	kernel->batch = mnl_socket_open(NETLINK_GENERIC);
	host->attaches++;
	host->attach_sync_id = peer_sync_id;
	host->attach_channel = channel_fd;
	host->now.host.role = FTCP_ROLE_PRIMARY;
	host->now.attached = true;
	host->channel_fd = channel_fd < 0 ? -1 : dup(channel_fd);
	if (!peer_sync_id || peer_sync_id != host->now.host.sync_id) {
		host->now.host.sync_id = 1000 + host->attaches;
		peer_batch_no = 0;
	}
	host->now.host.batch_no = peer_batch_no;
	return 0;
}

int kernel_follow(struct kernel *kernel, int channel_fd)
{
	struct host *host = host_of(kernel);

	kernel_unattach(kernel);
	kernel->batch = mnl_socket_open(NETLINK_GENERIC);
	kernel->refused = false;
	host->follow_requests++;
	host->channel_fd = dup(channel_fd);
	host->follows = true;
	return 0;
}

void kernel_unattach(struct kernel *kernel)
{
	if (!kernel->batch)
		return;
	mnl_socket_close(kernel->batch);
	kernel->batch = NULL;
	let_go(host_of(kernel));
}

int kernel_batches_read(struct kernel *kernel)
{
	(void)kernel;
	return -EAGAIN;
}

unsigned int kernel_events_read(struct kernel *kernel)
{
	unsigned int news = host_of(kernel)->news;

	host_of(kernel)->news = 0;
	return news;
}

/* An event comes from it. */
static void tells(struct host *host)
{
	host->news = KERNEL_NEWS_GROUP;
	host->group.kernel_events.ready(&host->group, EPOLLIN);
}

/* ---- two hosts ---- */

static void endpoint(struct config_endpoint *endpoint, const char *ip)
{
	struct sockaddr_in *addr = (struct sockaddr_in *)&endpoint->addr;

	addr->sin_family = AF_INET;
	addr->sin_port = htons(base_port);
	inet_pton(AF_INET, ip, &addr->sin_addr);
	endpoint->len = sizeof(*addr);
	snprintf(endpoint->text, sizeof(endpoint->text), "%s", ip);
}

static bool open_host(struct host *host, const char *ip, const char *peer_ip, bool primary)
{
	char error[sizeof(host->group.kernel.error)];
	int err;

	memset(host, 0, sizeof(*host));
	host->channel_fd = -1;
	host->config = (struct config){ .name = "default", .prefers_primary = primary, .heartbeat_ms = 50, .dead_after_ms = 5000,
					.restart_grace_ms = 60000 };
	snprintf(host->config.epoch_file, sizeof(host->config.epoch_file), "%s/%s.epoch", epoch_dir, ip);
	endpoint(&host->config.listen, ip);
	endpoint(&host->config.peer, peer_ip);
	err = group_open(&host->group, &loop, &host->config, error);
	host->round_ends = loop.after;
	if (err)
		printf("# %s\n", error);
	return !err;
}

static void rounds_end(void *arg)
{
	(void)arg;
	if (a.round_ends)
		a.round_ends(&a.group);
	if (b.round_ends)
		b.round_ends(&b.group);
}

static void tick(void *arg)
{
	(void)arg;
}

static bool until(bool (*done)(void))
{
	struct loop_timer timer = { .fire = tick };
	uint64_t end_ms = loop_clock_ms() + WITHIN_MS;
	bool good;

	while (!(good = done()) && loop_clock_ms() < end_ms) {
		loop_timer_set(&loop, &timer, loop_clock_ms() + 20);
		loop_round(&loop);
	}
	loop_timer_stop(&loop, &timer);
	return good;
}

static uint64_t wait_end_ms;

static bool waited(void)
{
	return loop_clock_ms() >= wait_end_ms;
}

static void run_for(unsigned int ms)
{
	wait_end_ms = loop_clock_ms() + ms;
	until(waited);
}

static struct host *primary = &a, *standby = &b;
static unsigned int attaches;

static void expect_attach(void)
{
	attaches = primary->attaches + 1;
}

/* The kernels have it, and both daemons know each other's role. */
static bool replicates(void)
{
	return primary->attaches >= attaches && primary->now.attached && standby->follows && standby->group.following &&
	       primary->group.view.self.role == FTCP_ROLE_PRIMARY && standby->group.view.peer.role == FTCP_ROLE_PRIMARY &&
	       standby->group.primary_heard;
}

/* A batch goes from kernel to kernel, and its acknowledgement comes back; no daemon is told. The loopback takes no time. */
static bool ship(void)
{
	char byte;

	if (send(primary->channel_fd, "b", 1, MSG_NOSIGNAL) != 1 || recv(standby->channel_fd, &byte, 1, 0) != 1)
		return false;
	standby->now.host.epoch = primary->now.host.epoch;
	standby->now.host.sync_id = primary->now.host.sync_id;
	standby->now.host.batch_no = ++primary->now.host.batch_no;
	standby->now.host.sync = FTCP_SYNC_DONE;
	return true;
}

/* ---- */

static void beginning(void)
{
	expect_attach();
	tap_ok(until(replicates) && a.attach_channel >= 0 && a.follow_requests == 0, "beginning__the_kernels_have_a_channel");
	tap_ok(ship() && ship(), "beginning__which_is_one_connection");
	tap_ok(!channel_is_open(&a.group.channel_out) && !channel_is_open(&b.group.channel_in) && !b.group.ready,
	       "beginning__the_daemons_do_not");
}

static void progress(void)
{
	struct policy_view *view = &b.group.view;

	a.group.attach_failures = 3;
	a.group.view.unattached_ms = 1;
	ship();
	group_refresh(&a.group);
	tap_ok(a.group.attach_failures == 3 && a.group.view.unattached_ms == 1, "progress__an_acknowledgement_alone_is_none");
	a.now.host.sync = FTCP_SYNC_DONE;
	a.now.lag_ms = a.config.dead_after_ms + 1000;
	group_refresh(&a.group);
	tap_ok(!a.group.attach_failures && a.group.view.unattached_ms + 1000 <= loop_clock_ms(), "progress__all_that_is_held_ends_a_row_of_failures");
	a.now.lag_ms = 0;
	a.group.view.unattached_ms = 1;
	a.group.attach_no = a.now.host.batch_no;
	group_refresh(&a.group);
	tap_ok(a.group.view.unattached_ms == 1, "progress__not_what_was_held_before");
	a.group.attach_no = 0;
	group_refresh(&a.group);
	tap_ok(a.group.view.unattached_ms + 1000 > loop_clock_ms(), "progress__all_that_is_held_counts");
	b.group.primary_heard = false;
	view->peer.role = FTCP_ROLE_DETACHED;
	group_refresh(&b.group);
	tap_ok(view->peer.role == FTCP_ROLE_PRIMARY, "progress__who_replicates_is_primary");
	b.group.primary_heard = true;
	view->peer.role = FTCP_ROLE_DETACHED;
	ship();
	group_refresh(&b.group);
	tap_ok(view->peer.role == FTCP_ROLE_DETACHED, "progress__unless_it_has_said_otherwise_since");
	tap_ok(until(replicates), "progress__its_next_word_counts");
}

/* An election would follow. */
static void silent(void)
{
	struct frame word = { .type = FRAME_HEARTBEAT, .host = b.group.view.peer };

	ship();
	word.host.role = FTCP_ROLE_STANDBY;
	group_peer_ops.frame(&b.group, &word);
	tap_ok(b.group.view.self.batch_no == b.now.host.batch_no && b.group.view.peer.role == FTCP_ROLE_STANDBY,
	       "silent__the_place_is_known");
	word.host.role = FTCP_ROLE_PRIMARY;
	group_peer_ops.frame(&b.group, &word);
}

static void hears(struct host *host, enum ftcp_role role)
{
	struct frame word = { .type = FRAME_HEARTBEAT, .host = host->group.view.peer };

	word.host.role = role;
	group_peer_ops.frame(&host->group, &word);
}

static bool b_told(void)
{
	return b.group.told_sync_id == b.now.host.sync_id;
}

/* The primary went on without it. */
static void outdated(void)
{
	group_refresh(&b.group);
	b.group.link_sync_id = 0;
	b.group.told_sync_id = 0;
	hears(&b, FTCP_ROLE_DETACHED);
	tap_ok(!b.outdates && b.now.host.sync == FTCP_SYNC_DONE, "outdated__not_by_a_word_that_a_channel_has_overtaken");
	tap_ok(until(b_told) && !b.outdates, "outdated__nor_by_one_that_confirms");
	b.group.view.unconfirmed = true;
	hears(&b, FTCP_ROLE_PRIMARY);
	tap_ok(!b.group.view.unconfirmed, "outdated__which_counts");
	hears(&b, FTCP_ROLE_DETACHED);
	tap_ok(b.outdates == 1 && b.group.view.self.sync == FTCP_SYNC_NONE && b.follows, "outdated__at_once_by_one_that_went_on");
	expect_attach();
	group_sync_start(&a.group);
	tap_ok(until(replicates) && !a.attach_sync_id && ship(), "outdated__everything_from_the_beginning");
	group_refresh(&b.group);
	b.group.link_sync_id = b.now.host.sync_id;
	b.group.view.peer.sync_id = b.now.host.sync_id + 1;
	hears(&b, FTCP_ROLE_PRIMARY);
	tap_ok(b.outdates == 2, "outdated__by_a_resync_that_is_on_its_way");
	expect_attach();
	group_sync_start(&a.group);
	tap_ok(until(replicates) && ship(), "outdated__until_that_is_here");
}

static bool a_begins_anew(void)
{
	return a.fresh && a.now.host.role == FTCP_ROLE_PRIMARY && replicates();
}

/* The standby's host had spoken after this one, and was started again before this one heard of it. */
static void higher_epoch(void)
{
	uint64_t epoch = a.now.host.epoch;

	b.outdates = 0;
	expect_attach();
	new_role(&b, FTCP_ROLE_STANDBY, 0);
	epoch_note(&b.group.epoch, epoch + 1);
	tells(&b);
	tap_ok(until(a_begins_anew), "higher_epoch__is_given_way_to");
	tap_ok(a.now.host.epoch == epoch + 2 && ship(), "higher_epoch__and_gone_beyond");
}

/* The primary's kernel loses it; the standby's may not have noticed. */
static void torn(void)
{
	unsigned int requests = b.follow_requests;
	uint64_t sync_id = a.now.host.sync_id;

	expect_attach();
	let_go(&a);
	tells(&a);
	tap_ok(a.group.attach == GROUP_NOT_ATTACHED && a.group.attach_failures == 1, "torn__is_a_failure");
	tap_ok(until(replicates) && b.follow_requests == requests + 1, "torn__another_takes_its_place");
	tap_ok(a.attach_sync_id == sync_id && a.now.host.sync_id == sync_id && ship(), "torn__going_on_where_it_stood");
}

/* A newer channel while the standby's kernel still has the old one. */
static void again(void)
{
	unsigned int requests = b.follow_requests;

	expect_attach();
	group_sync_start(&a.group);
	tap_ok(until(replicates) && b.follow_requests == requests + 1 && ship(), "again__the_newest_counts");
}

static void refuses(const char *why)
{
	let_go(&b);
	b.group.kernel.refused = true;
	b.group.kernel.refused_batch = (struct kernel_batch){ .sync_id = b.now.host.sync_id, .no = b.now.host.batch_no + 1 };
	snprintf(b.group.kernel.error, sizeof(b.group.kernel.error), "%s", why);
	b.group.batches.ready(&b.group, EPOLLIN);
}

static bool a_resyncs(void)
{
	return a.group.resync;
}

static void refused(void)
{
	uint64_t begun_ms = loop_clock_ms();

	a.group.attach_failures = 0;
	expect_attach();
	refuses("no taste");
	tap_ok(!b.group.following && !b.group.kernel.batch, "refused__not_followed_any_more");
	tap_ok(until(a_resyncs) && a.group.attach == GROUP_NOT_ATTACHED && a.group.attach_failures == 1, "refused__a_failure");
	tap_ok(a.group.view.attach_at_ms >= begun_ms + policy_attach_delay_ms(2), "refused__not_tried_again_at_once");
	tap_ok(until(replicates) && !a.attach_sync_id && ship(), "refused__everything_from_the_beginning");
	/* This time the end of the channel is known first. */
	begun_ms = loop_clock_ms();
	a.group.attach_failures = 0;
	expect_attach();
	let_go(&a);
	tells(&a);
	refuses("no taste");
	tap_ok(until(a_resyncs) && a.group.attach_failures == 1, "refused__behind_the_end_of_the_channel");
	tap_ok(a.group.view.attach_at_ms >= begun_ms + policy_attach_delay_ms(2), "refused__nor_then");
	tap_ok(until(replicates) && !a.attach_sync_id && ship(), "refused__that_counts_too");
}

/* ---- policy = detach ---- */

static bool alone_or_replicates(void)
{
	return a.now.host.role == FTCP_ROLE_DETACHED || replicates();
}

static bool alone(void)
{
	return a.now.host.role == FTCP_ROLE_DETACHED;
}

/* The standby takes the beginning and not the rest; how often, until nobody waits for it any more. */
static unsigned int takes_half(void)
{
	unsigned int n = 0;

	while (until(alone_or_replicates) && !alone() && n < 20) {
		a.now.host.sync = FTCP_SYNC_RUNNING;
		a.now.host.batch_no += 3;
		group_refresh(&a.group);
		expect_attach();
		refuses("too many");
		n++;
		until(a_resyncs);
	}
	return n;
}

static void never_whole(void)
{
	uint64_t begun_ms;
	unsigned int n;

	a.group.view.config.detach = true;
	a.group.view.config.detach_after_ms = 1500;
	a.now.host.sync = FTCP_SYNC_DONE;
	ship();
	group_refresh(&a.group);
	begun_ms = loop_clock_ms();
	n = takes_half();
	tap_ok(n >= 2 && alone() && loop_clock_ms() - begun_ms < 10000, "never_whole__is_not_waited_for");
	/* Each further attempt ends as soon as it has failed. */
	tap_ok(until(replicates) && takes_half() == 1 && alone(), "never_whole__nor_again_and_again");
	expect_attach();
	tap_ok(until(replicates) && ship(), "never_whole__and_when_it_is");
	a.now.host.sync = FTCP_SYNC_DONE;
	group_refresh(&a.group);
	tap_ok(!a.group.attach_failures, "never_whole__all_is_well");
}

/* Its daemon lives, its kernel acknowledges nothing; a resync that goes on for long is not that. */
static void stuck(void)
{
	const struct policy_config *config = &a.group.view.config;

	a.now.host.sync = FTCP_SYNC_RUNNING;
	a.now.lag_ms = config->dead_after_ms;
	group_refresh(&a.group);
	a.group.view.unattached_ms = 1;	/* for long already */
	run_for(200);
	tap_ok(a.now.host.role == FTCP_ROLE_PRIMARY && a.group.attach == GROUP_ATTACHED, "stuck__a_resync_that_goes_on_is_not");
	a.now.lag_ms = config->dead_after_ms + config->detach_after_ms;
	tap_ok(until(alone) && a.group.attach_failures == 1, "stuck__is_not_waited_for");
	a.now.lag_ms = 0;
	expect_attach();
	tap_ok(until(replicates) && ship(), "stuck__and_it_comes_back");
	a.now.lag_ms = config->dead_after_ms + config->detach_after_ms;
	a.group.view.config.detach = false;
	run_for(1200);
	tap_ok(a.group.attach == GROUP_ATTACHED, "stuck__is_waited_for_with_stall");
	a.now.lag_ms = 0;
	a.group.attach_failures = 0;
}

static bool b_down(void)
{
	return !b.group.view.link_up && !peer_is_up(&b.group.peer);
}

static void link_lost(void)
{
	uint64_t no;

	expect_attach();
	ship();
	no = b.now.host.batch_no;
	b.group.view.peer.role = FTCP_ROLE_DETACHED;
	b.group.primary_heard = false;
	peer_drop(&b.group.peer, "test");
	tap_ok(b_down() && !b.follows && !b.group.following && b.group.view.self.batch_no == no, "link_lost__the_place_is_known");
	tap_ok(b.group.view.peer.role == FTCP_ROLE_PRIMARY, "link_lost__and_that_it_was_replicated_to");
	tap_ok(until(replicates) && ship(), "link_lost__and_it_comes_back");
	a.group.attach_failures = 0;
	expect_attach();
	group_sync_start(&a.group);
	peer_drop(&a.group.peer, "test");
	tap_ok(!channel_is_open(&a.group.channel_out) && a.group.attach == GROUP_NOT_ATTACHED && until(replicates) && ship() &&
	       !a.group.attach_failures, "link_lost__while_a_channel_is_set_up");
}

static bool a_failed(void)
{
	return a.group.attach_failures > 0;
}

/* The standby's kernel is gone, and its link not yet. */
static void no_kernel(void)
{
	a.group.attach_failures = 0;
	expect_attach();
	b.group.here = false;
	loop_timer_stop(&loop, &b.group.refresh);	/* it would find it */
	group_sync_start(&a.group);
	tap_ok(until(a_failed) && !b.follows && !channel_is_open(&b.group.channel_in) && peer_is_up(&a.group.peer),
	       "no_kernel__no_channel");
	b.group.here = true;
	loop_timer_set(&loop, &b.group.refresh, loop_clock_ms());
	tap_ok(until(replicates) && ship(), "no_kernel__until_it_is_back");
}

static bool a_silent(void)
{
	return a.group.view.self.role == FTCP_ROLE_STANDBY && a.group.attach == GROUP_NOT_ATTACHED;
}

/* It has been promoted, and nobody knows yet. */
static void promoted_unheard(void)
{
	primary = &b;
	standby = &a;
	expect_attach();
	new_role(&b, FTCP_ROLE_DETACHED, b.now.host.epoch + 1);
	group_sync_start(&a.group);
	tap_ok(until(a_silent) && !a.group.attach_failures && a.channel_fd < 0 && !channel_is_open(&a.group.channel_out), "promoted_unheard__gives_way");
	tap_ok(until(replicates) && ship(), "promoted_unheard__and_follows");
}

static void handover(void)
{
	unsigned int follows = b.follow_requests;

	primary = &a;
	standby = &b;
	expect_attach();
	new_role(&a, FTCP_ROLE_DETACHED, a.now.host.epoch + 1);
	tells(&a);
	tap_ok(!a.group.following && !a.group.kernel.batch, "handover__who_speaks_does_not_follow");
	tap_ok(until(replicates) && b.follow_requests == follows + 1 && b.now.host.role == FTCP_ROLE_STANDBY && ship(),
	       "handover__the_channel_goes_the_other_way");
}

static bool by_daemons(void)
{
	return primary->attaches >= attaches && primary->now.attached && standby->group.ready;
}

static unsigned int applies, acks;

static bool acknowledged(void)
{
	return standby->applies > applies && primary->acks > acks;
}

static void send_batch(void)
{
	struct kernel_batch batch = { .sync_id = primary->now.host.sync_id, .no = primary->now.host.batch_no + 1,
				      .data = (const uint8_t *)"batch", .len = 5 };

	applies = standby->applies;
	acks = primary->acks;
	primary->group.kernel.batches(primary->group.kernel.arg, &batch, 1);
}

/* Within the link, and back again. */
static void daemons(void)
{
	primary->config.batches = CONFIG_BATCHES_DAEMON;
	expect_attach();
	group_sync_start(&primary->group);
	tap_ok(until(by_daemons) && primary->attach_channel < 0 && !standby->group.following && !standby->follows,
	       "daemons__within_the_link");
	send_batch();
	tap_ok(until(acknowledged), "daemons__batches_and_acknowledgements");
	primary->config.batches = CONFIG_BATCHES_KERNEL;
	expect_attach();
	group_sync_start(&primary->group);
	tap_ok(until(replicates) && !standby->group.ready && ship(), "daemons__and_by_a_channel_again");
	send_batch();
	run_for(100);
	tap_ok(standby->applies == applies && primary->acks == acks, "daemons__what_is_on_the_link_is_ignored_then");
}

static bool goodbye_heard(void)
{
	return primary->group.view.peer_left && !primary->group.view.link_up;
}

static void goodbye(void)
{
	primary->group.attach_failures = 0;
	/* Alone in this process, the other side cannot close meanwhile: it waits for its 300 ms. */
	group_goodbye(&standby->group);
	tap_ok(standby->follows, "goodbye__followed_to_the_last");
	standby->round_ends = NULL;
	group_close(&standby->group);
	tap_ok(!standby->follows && standby->channel_fd < 0, "goodbye__and_let_go_of");
	tap_ok(until(goodbye_heard) && !primary->now.attached && !primary->group.attach_failures, "goodbye__is_no_failure");
}

int main(void)
{
	printf("TAP version 13\n");
	base_port = 20000 + getpid() % 20000;
	if (!mkdtemp(epoch_dir) || loop_open(&loop) || !open_host(&a, "127.0.1.3", "127.0.1.4", true) || !open_host(&b, "127.0.1.4", "127.0.1.3", false))
		return 1;
	loop.after = rounds_end;
	beginning();
	progress();
	silent();
	outdated();
	higher_epoch();
	torn();
	again();
	refused();
	never_whole();
	stuck();
	link_lost();
	no_kernel();
	promoted_unheard();
	handover();
	daemons();
	goodbye();
	primary->round_ends = NULL;
	group_close(&primary->group);
	loop_close(&loop);
	/* Perhaps one of them is still being written. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	unlink(a.config.epoch_file);
	unlink(b.config.epoch_file);
	rmdir(epoch_dir);
	return tap_end();
}
