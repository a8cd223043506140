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
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include "group.h"
#include "log.h"

#define PREPARE_TIMEOUT_MS 2000

static bool speaks(const struct group *group)
{
	return policy_speaks(group->view.self.role);
}

/* ---- speaking ---- */

void group_sync_stop(struct group *group)
{
	if (group->batches.fd >= 0)
		loop_remove(group->loop, &group->batches);
	kernel_unattach(&group->kernel);
	loop_timer_stop(group->loop, &group->prepare_timeout);
	if (group->attach == GROUP_ATTACHED)
		group->view.unattached_ms = loop_clock_ms();
	group->attach = GROUP_NOT_ATTACHED;
	group->view.attached = false;
	group->batches_paused = false;
	group->held_sync_id = 0;
}

void group_sync_failed(struct group *group, const char *fmt, ...)
{
	char why[512];
	uint64_t delay_ms;
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	group_sync_stop(group);
	delay_ms = policy_attach_delay_ms(++group->attach_failures);
	group->view.attach_at_ms = loop_clock_ms() + delay_ms;
	log_warn("replication stopped: %s; again in %llu ms", why, (unsigned long long)delay_ms);
}

static void prepare_late(void *arg)
{
	group_sync_failed(arg, "the standby does not say where it stands");
}

void group_sync_start(struct group *group)
{
	uint8_t frame[FRAME_SMALL_BYTES];

	group_sync_stop(group);
	group->attach = GROUP_PREPARING;
	group->view.attached = true;
	/* The peer must know that we speak before it answers. */
	group_send_state(group);
	peer_send(&group->peer, frame, frame_write_prepare(frame, ++group->token));
	loop_timer_set(group->loop, &group->prepare_timeout, loop_clock_ms() + PREPARE_TIMEOUT_MS);
}

static void batches_ready(void *arg, uint32_t events)
{
	struct group *group = arg;
	int err = kernel_batches_read(&group->kernel);

	(void)events;
	if (!err || err == -EAGAIN)
		return;
	/* The kernel knows which batch was lost as little as we do: begin behind what the standby holds. */
	log_warn("batches were lost on the way from the kernel (%s): attaching again", group->kernel.error);
	group_sync_start(group);
}

/* READY: the place is exact, nothing is on the way. */
static void attach(struct group *group, const struct policy_host *place)
{
	uint64_t sync_id = group->resync ? 0 : place->sync_id;
	bool resumed;
	int err;

	loop_timer_stop(group->loop, &group->prepare_timeout);
	err = kernel_attach(&group->kernel, sync_id, sync_id ? place->batch_no : 0);
	if (!err)
		err = loop_add(group->loop, &group->batches, mnl_socket_get_fd(group->kernel.batch), EPOLLIN);
	if (err) {
		group_sync_failed(group, "cannot attach: %s", group->kernel.error);
		return;
	}
	group->attach = GROUP_ATTACHED;
	group->resync = false;
	group_refresh(group);
	resumed = sync_id && group->view.self.sync_id == sync_id;
	log_note("replicating to the standby, %s", resumed ? "going on where it stands" : "everything from the beginning");
	log_event("attached", "resumed=%d batch_no=%llu", resumed, (unsigned long long)(resumed ? place->batch_no : 0));
	if (group->batches.fd >= 0 && peer_congested(&group->peer)) {
		group->batches_paused = true;
		loop_change(group->loop, &group->batches, 0);
	}
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
	if (group->attach != GROUP_ATTACHED)
		return;
	group->resync = true;
	group_sync_failed(group, "the standby's kernel refuses batch %llu: %s", (unsigned long long)frame->batch_no,
			  frame->text);
}

/* All acknowledgements of a burst are one. */
static void tell_held(struct group *group)
{
	if (!group->held_sync_id)
		return;
	if (group->attach == GROUP_ATTACHED && kernel_ack(&group->kernel, group->held_sync_id, group->held_no))
		log_info("the kernel does not take an acknowledgement: %s", group->kernel.error);
	else
		group->attach_failures = 0;
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

static void say_where(struct group *group, uint64_t token)
{
	uint8_t frame[FRAME_SMALL_BYTES];

	apply_queue(group);
	acknowledge(group);
	if (!group_refresh(group) || speaks(group)) {
		group_send_state(group);
		return;
	}
	group->ready = true;
	group->refused_sync_id = 0;
	peer_send(&group->peer, frame, frame_write_ready(frame, token, &group->view.self));
}

/* ---- both ---- */

void group_sync_frame(struct group *group, const struct frame *frame)
{
	switch (frame->type) {
	case FRAME_PREPARE:
		say_where(group, frame->token);
		break;
	case FRAME_READY:
		if (group->attach == GROUP_PREPARING && frame->token == group->token && group->here)
			attach(group, &frame->host);
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
	group->ready = false;
	group->refused_sync_id = 0;
	group->n_queue = 0;
	group->applied_sync_id = 0;
}

void group_sync_init(struct group *group)
{
	group->batches = (struct loop_io){ .fd = -1, .ready = batches_ready, .arg = group };
	group->prepare_timeout = (struct loop_timer){ .fire = prepare_late, .arg = group };
}
