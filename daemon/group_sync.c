// SPDX-License-Identifier: GPL-2.0
/*
 * Replication, as the daemon sees it.
 *
 *	primary                      standby
 *	PREPARE(token)       ----->  applies what came before it, asks its kernel where it stands
 *	SYNC_ATTACH(place)   <-----  READY(token, place)
 *	batches              ----->  SYNC_APPLY each
 *	SYNC_ACK(no)         <-----  ACK(no), once for all that came together
 *	PREPARE, as if new   <-----  REFUSED, if the kernel refused one; the place is then "nothing"
 *
 * So it is within the link. With a channel (channel.h) PREPARE and READY are on that, and then the kernels have it:
 *
 *	SYNC_ATTACH(place, channel)  SYNC_FOLLOW(channel)
 *	PREPARE, as if new   <-----  REFUSED, on the link, if the kernel says so
 *
 * A kernel lets go of a channel when this process closes its netlink socket, or dies. How far batches have come is then known
 * from the kernel only, which is asked when it matters.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "group.h"
#include "log.h"

#define PREPARE_TIMEOUT_MS 2000

static bool speaks(const struct group *group)
{
	return policy_speaks(group->view.self.role);
}

/* ---- speaking ---- */

static void close_batches(struct group *group)
{
	if (group->batches.fd >= 0)
		loop_remove(group->loop, &group->batches);
	kernel_unattach(&group->kernel);
}

void group_sync_stop(struct group *group)
{
	group_note_held(group);
	close_batches(group);
	channel_close(&group->channel_out);
	group->following = false;
	loop_timer_stop(group->loop, &group->prepare_timeout);
	group->attach = GROUP_NOT_ATTACHED;
	group->view.attached = false;
	group->batches_paused = false;
	group->held_sync_id = 0;
}

/* Everything from the beginning is not what worked until now: it waits as after a second failure. */
static uint64_t attach_later(struct group *group)
{
	uint64_t delay_ms = policy_attach_delay_ms(group->attach_failures + group->resync);

	group->view.attach_at_ms = loop_clock_ms() + delay_ms;
	return delay_ms;
}

void group_sync_failed(struct group *group, const char *fmt, ...)
{
	char why[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	group_sync_stop(group);
	group->attach_failures++;
	log_warn("replication stopped: %s; again in %llu ms", why, (unsigned long long)attach_later(group));
}

static void prepare_late(void *arg)
{
	group_sync_failed(arg, "the standby does not say where it stands");
}

static void prepare_on_link(struct group *group)
{
	uint8_t frame[FRAME_SMALL_BYTES];

	peer_send(&group->peer, frame, frame_write_prepare(frame, group->token));
	loop_timer_set(group->loop, &group->prepare_timeout, loop_clock_ms() + PREPARE_TIMEOUT_MS);
}

static void channel_failed(struct group *group, const char *why)
{
	group_sync_failed(group, "no channel to %s: %s", group->config->peer.text, why);
}

static void prepare_on_channel(struct group *group)
{
	int err = channel_connect(&group->channel_out, group->token, PREPARE_TIMEOUT_MS);

	if (err)
		channel_failed(group, strerror(-err));
}

void group_sync_start(struct group *group)
{
	group_sync_stop(group);
	group->attach = GROUP_PREPARING;
	group->view.attached = true;
	/* The peer must know that we speak before it answers. */
	group_send_state(group);
	group->token++;
	if (group->config->batches == CONFIG_BATCHES_KERNEL)
		prepare_on_channel(group);
	else
		prepare_on_link(group);
}

/* READY: the place is exact, nothing is on the way. @channel_fd: they go by that; -1: within the link. */
static void attach(struct group *group, const struct policy_host *place, int channel_fd)
{
	uint64_t sync_id = group->resync ? 0 : place->sync_id;
	bool resumed;
	int err;

	loop_timer_stop(group->loop, &group->prepare_timeout);
	err = kernel_attach(&group->kernel, sync_id, sync_id ? place->batch_no : 0, channel_fd);
	if (!err)
		err = loop_add(group->loop, &group->batches, mnl_socket_get_fd(group->kernel.batch), EPOLLIN);
	if (err) {
		group_sync_failed(group, "cannot attach: %s", group->kernel.error);
		return;
	}
	group->attach = GROUP_ATTACHED;
	group->attach_no = sync_id ? place->batch_no : 0;
	group->resync = false;
	group_refresh(group);
	/* The channel may have ended already. */
	if (group->attach != GROUP_ATTACHED)
		return;
	resumed = sync_id && group->view.self.sync_id == sync_id;
	if (!resumed)
		group->attach_no = 0;
	log_note("replicating to the standby, %s", resumed ? "going on where it stands" : "everything from the beginning");
	log_event("attached", "resumed=%d batch_no=%llu", resumed, (unsigned long long)(resumed ? place->batch_no : 0));
	if (group->batches.fd >= 0 && peer_congested(&group->peer)) {
		group->batches_paused = true;
		loop_change(group->loop, &group->batches, 0);
	}
}

static void channel_ready(void *arg, const struct policy_host *place)
{
	struct group *group = arg;
	int fd = channel_release(&group->channel_out);

	if (fd < 0) {
		channel_failed(group, "it has ended");
		return;
	}
	attach(group, place, fd);
	/* The kernel has its own reference, or has not taken it. */
	close(fd);
}

void group_sync_batches(void *arg, const struct kernel_batch *batches, unsigned int n)
{
	struct group *group = arg;

	peer_send_batches(&group->peer, batches, n);
	if (peer_congested(&group->peer) && group->batches.fd >= 0 && !group->batches_paused) {
		group->batches_paused = true;
		loop_change(group->loop, &group->batches, 0);
	}
}

void group_sync_writable(struct group *group)
{
	if (!group->batches_paused)
		return;
	group->batches_paused = false;
	loop_change(group->loop, &group->batches, EPOLLIN);
}

static void refused(struct group *group, const struct frame *frame)
{
	unsigned long long no = frame->batch_no;

	if (group->attach == GROUP_ATTACHED) {
		group->resync = true;
		group_sync_failed(group, "the standby's kernel refuses batch %llu: %s", no, frame->text);
	} else if (group->attach == GROUP_NOT_ATTACHED && group->config->batches == CONFIG_BATCHES_KERNEL && speaks(group)) {
		/* The end of the channel came first, and was taken for a failure already. */
		group->resync = true;
		log_warn("the standby's kernel refuses batch %llu: %s; again in %llu ms", no, frame->text,
			 (unsigned long long)attach_later(group));
	}
}

/* All acknowledgements of a burst are one. */
static void tell_held(struct group *group)
{
	if (!group->held_sync_id)
		return;
	if (group->attach == GROUP_ATTACHED && kernel_ack(&group->kernel, group->held_sync_id, group->held_no))
		log_info("the kernel does not take an acknowledgement: %s", group->kernel.error);
	group->held_sync_id = 0;
}

/* ---- standby ---- */

/* The highest number that is held goes back, once for many batches. */
static void acknowledge(struct group *group)
{
	uint8_t frame[FRAME_SMALL_BYTES];

	if (!group->applied_sync_id)
		return;
	peer_send(&group->peer, frame, frame_write_ack(frame, group->applied_sync_id, group->applied_no));
	group->applied_sync_id = 0;
}

static void refuse(struct group *group, const struct kernel_batch *batch)
{
	uint8_t frame[FRAME_SMALL_BYTES];

	log_warn("the kernel refuses batch %llu: %s", (unsigned long long)batch->no, group->kernel.error);
	acknowledge(group);
	group->refused_sync_id = batch->sync_id;
	peer_send(&group->peer, frame, frame_write_refused(frame, batch->sync_id, batch->no, group->kernel.error));
}

static void applied(struct group *group, const struct kernel_batch *batch)
{
	group->applied_sync_id = batch->sync_id;
	group->applied_no = batch->no;
	group->view.self.sync_id = batch->sync_id;
	group->view.self.batch_no = batch->no;
	/* Whoever replicates is under the commit rule, whatever its last heartbeat said. */
	group->view.peer.role = FTCP_ROLE_PRIMARY;
	group->view.unconfirmed = false;
}

static void apply_queue(struct group *group)
{
	unsigned int n = group->n_queue, failed = n;
	int err;

	if (!n)
		return;
	group->n_queue = 0;
	err = kernel_apply(&group->kernel, group->queue, n, &failed);
	if (!err)
		failed = n;
	if (failed)
		applied(group, &group->queue[failed - 1]);
	if (err == -ENODEV)
		group->lost = true;
	else if (err)
		refuse(group, &group->queue[failed]);
}

static void queue_batch(struct group *group, const struct frame *frame)
{
	/* Of a primary that we do not follow any more, or from before a refusal: it will hear of it. */
	if (!group->ready || speaks(group) || (group->refused_sync_id && frame->sync_id == group->refused_sync_id))
		return;
	group->queue[group->n_queue++] = (struct kernel_batch){ .sync_id = frame->sync_id, .no = frame->batch_no,
								.data = frame->batch, .len = frame->batch_len };
	if (group->n_queue == KERNEL_APPLY_MAX)
		apply_queue(group);
}

/* What came before PREPARE is applied or never will be, so that the view tells the place exactly; false: there is none. */
static bool find_place(struct group *group)
{
	apply_queue(group);
	acknowledge(group);
	group_sync_settle(group);
	group->following = false;
	group->ready = false;
	if (!group_refresh(group) || speaks(group)) {
		group_send_state(group);
		return false;
	}
	group->refused_sync_id = 0;
	return true;
}

static void say_where(struct group *group, uint64_t token)
{
	uint8_t frame[FRAME_SMALL_BYTES];
	struct policy_host word;

	channel_close(&group->channel_in);
	if (!find_place(group))
		return;
	group->ready = true;
	word = policy_word(&group->view);
	peer_send(&group->peer, frame, frame_write_ready(frame, token, &word));
}

/* ---- standby, with a channel ---- */

void group_sync_channel(struct group *group, struct link *link)
{
	channel_accept(&group->channel_in, link, PREPARE_TIMEOUT_MS);
}

/* The kernel has closed the channel then: the primary hears of that, and from here why. */
static void tell_refused(struct group *group)
{
	if (!group->kernel.refused)
		return;
	refuse(group, &group->kernel.refused_batch);
	close_batches(group);
	group->following = false;
}

static void follow_channel(struct group *group, int fd)
{
	int err = kernel_follow(&group->kernel, fd);

	if (!err)
		err = loop_add(group->loop, &group->batches, mnl_socket_get_fd(group->kernel.batch), EPOLLIN);
	if (err) {
		log_warn("cannot follow the primary: %s", group->kernel.error);
		close_batches(group);
		return;
	}
	group->following = true;
	group->follow_sync_id = group->view.self.sync_id;
	group->follow_no = group->view.self.batch_no;
	group->primary_heard = group->view.peer.role == FTCP_ROLE_PRIMARY;
	log_info("the kernel follows the primary by a channel");
	/* It may have come with the answer. */
	tell_refused(group);
}

static void channel_prepare(void *arg)
{
	struct group *group = arg;
	struct policy_host word;
	int fd;

	if (!find_place(group)) {
		channel_close(&group->channel_in);
		return;
	}
	word = policy_word(&group->view);
	fd = channel_answer(&group->channel_in, &word);
	if (fd < 0) {
		log_info("a channel of the peer has ended before READY was sent");
		return;
	}
	/* READY comes first: whatever is written there from now on is the kernel's. */
	follow_channel(group, fd);
	close(fd);
}

void group_sync_settle(struct group *group)
{
	if (!group->following)
		return;
	close_batches(group);
	group_refresh(group);
}

/* ---- both ---- */

static void batches_ready(void *arg, uint32_t events)
{
	struct group *group = arg;
	int err = kernel_batches_read(&group->kernel);

	(void)events;
	if (group->following) {
		tell_refused(group);
		return;
	}
	if (!err || err == -EAGAIN)
		return;
	/* The kernel knows which batch was lost as little as we do: begin behind what the standby holds. */
	group_sync_failed(group, "batches were lost on the way from the kernel: %s", group->kernel.error);
}

void group_sync_progress(struct group *group)
{
	const struct policy_host *self = &group->view.self;
	bool moved = self->sync_id && (self->sync_id != group->follow_sync_id || self->batch_no != group->follow_no);

	/*
	 * As in applied(). What the peer said before it attached may come later than what its kernel sent after; but when it has
	 * told that it is primary, it is the one to take that back.
	 */
	if (group->following && moved && !group->primary_heard)
		group->view.peer.role = FTCP_ROLE_PRIMARY;
	if (group->following && moved)
		group->view.unconfirmed = false;
}

void group_sync_frame(struct group *group, const struct frame *frame)
{
	switch (frame->type) {
	case FRAME_PREPARE:
		say_where(group, frame->token);
		break;
	case FRAME_READY:
		if (group->attach == GROUP_PREPARING && frame->token == group->token && group->here &&
		    !channel_is_open(&group->channel_out))
			attach(group, &frame->host, -1);
		break;
	case FRAME_BATCH:
		queue_batch(group, frame);
		break;
	case FRAME_ACK:
		group->held_sync_id = frame->sync_id;
		group->held_no = frame->batch_no;
		break;
	case FRAME_REFUSED:
		tell_held(group);
		refused(group, frame);
		break;
	default:
		break;
	}
}

void group_sync_burst(struct group *group)
{
	apply_queue(group);
	acknowledge(group);
	tell_held(group);
}

void group_sync_reset(struct group *group)
{
	group_sync_stop(group);
	channel_close(&group->channel_in);
	group->ready = false;
	group->refused_sync_id = 0;
	group->n_queue = 0;
	group->applied_sync_id = 0;
}

static void channel_out_failed(void *arg, const char *why)
{
	channel_failed(arg, why);
}

static void channel_in_failed(void *arg, const char *why)
{
	(void)arg;
	log_info("a channel of the peer was closed: %s", why);
}

void group_sync_init(struct group *group)
{
	static const struct channel_ops out = { .ready = channel_ready, .failed = channel_out_failed };
	static const struct channel_ops in = { .prepare = channel_prepare, .failed = channel_in_failed };

	channel_init(&group->channel_out, &group->peer, &out, group);
	channel_init(&group->channel_in, &group->peer, &in, group);
	group->batches = (struct loop_io){ .fd = -1, .ready = batches_ready, .arg = group };
	group->prepare_timeout = (struct loop_timer){ .fire = prepare_late, .arg = group };
}
