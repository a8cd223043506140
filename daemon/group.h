/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The group that this process serves: its kernel, its peer, its addresses, and the decisions between them.
 *
 * What is heard from kernel and peer changes the view, and nothing else. At the end of each round of the loop
 * policy_decide() is asked about the view, and what it says is done (group.c). Batches do not wait for that: they are
 * carried as they come, or the kernels carry them themselves (group_sync.c).
 */
#ifndef FTCP_GROUP_H
#define FTCP_GROUP_H

#include <stdbool.h>
#include <stdint.h>
#include "address.h"
#include "channel.h"
#include "config.h"
#include "epoch.h"
#include "kernel.h"
#include "loop.h"
#include "peer.h"
#include "policy.h"

/* How far this host, speaking, is with replicating to the peer. */
enum group_attach {
	GROUP_NOT_ATTACHED,
	GROUP_PREPARING,	/* PREPARE was sent, READY has not come */
	GROUP_ATTACHED,
};

struct group {
	struct loop *loop;
	const struct config *config;
	struct kernel kernel;
	struct peer peer;
	struct addresses addresses;
	struct epoch epoch;
	struct policy_view view;

	struct loop_io kernel_events;
	struct loop_timer heartbeat;
	struct loop_timer refresh;	/* what no event told of */
	struct loop_timer decide;
	bool here;			/* the module, and the group in it */
	bool lost;			/* it has gone: see to that at the end of the round */
	char trouble[384];		/* why it is not here, as logged */
	enum policy_why told;		/* what was logged last of what is waited for */
	bool told_any;
	uint64_t promoted_ms;		/* 0, or the takeover is not announced yet */

	/* speaking: group_sync.c */
	enum group_attach attach;
	uint64_t token;			/* of the PREPARE */
	struct loop_timer prepare_timeout;
	struct channel channel_out;	/* being set up, in place of the PREPARE on the link */
	bool resync;			/* attach with nothing in common */
	unsigned int attach_failures;	/* since the standby held everything, by an attempt that it has acknowledged something of */
	uint64_t attach_no;		/* what the standby held when batches began to flow */
	struct loop_io batches;
	bool batches_paused;		/* the link is congested */
	uint64_t held_sync_id, held_no;	/* acknowledged by the peer in this burst; 0: nothing */

	/* standby: group_sync.c */
	struct channel channel_in;	/* of which PREPARE is waited for */
	bool following;			/* READY was sent on a channel, and the kernel has that: it may have ended since */
	uint64_t follow_sync_id, follow_no;	/* what READY said */
	bool primary_heard;		/* following: the peer has told that it is primary */
	uint64_t link_sync_id;		/* held when the link came up */
	uint64_t told_sync_id;		/* of the peer's last word that it is primary, on this link */
	bool ready;			/* READY was sent on this link: batches are welcome */
	uint64_t refused_sync_id;	/* nothing more of that one */
	struct kernel_batch queue[KERNEL_APPLY_MAX];
	unsigned int n_queue;
	uint64_t applied_sync_id, applied_no;	/* not acknowledged yet; 0: nothing */
};

/** group_open() - 0; -ENOENT: the module is not loaded; -errno; all with @error (384 bytes) */
int group_open(struct group *group, struct loop *loop, const struct config *config, char *error);
/** group_goodbye() - tell the peer that this process ends on purpose */
void group_goodbye(struct group *group);
void group_close(struct group *group);

/* ---- for group_link.c and group_sync.c ---- */

extern const struct peer_ops group_peer_ops;

/** group_outdate() - what is held of @sync_id is not the latest: tell the kernel; false: it refuses */
bool group_outdate(struct group *group, uint64_t sync_id, const char *why);
/** group_refresh() - ask the kernel how things stand, and follow it; false: it is gone */
bool group_refresh(struct group *group);
/** group_note_held() - before replication is given up: if the standby holds everything, detach_after_ms begins now */
void group_note_held(struct group *group);
/** group_send_state() - a heartbeat, now */
void group_send_state(struct group *group);

/** group_sync_start() - the standby is here: prepare to replicate to it */
void group_sync_start(struct group *group);
/** group_sync_stop() - speaking: no more batches; what was on the way is made again after the next start */
void group_sync_stop(struct group *group);
/** group_sync_failed() - as stop, and wait before the next start: longer each time */
__attribute__((format(printf, 2, 3))) void group_sync_failed(struct group *group, const char *fmt, ...);
/** group_sync_reset() - a new link, or none: nothing is known of what was on the old one */
void group_sync_reset(struct group *group);
/** group_sync_settle() - following: no more is applied, and the view tells exactly how far this host has come */
void group_sync_settle(struct group *group);
/** group_sync_progress() - the kernel was asked */
void group_sync_progress(struct group *group);
/** group_sync_channel() - the peer has opened one */
void group_sync_channel(struct group *group, struct link *link);
void group_sync_frame(struct group *group, const struct frame *frame);
void group_sync_burst(struct group *group);
void group_sync_writable(struct group *group);
/** group_sync_batches() - kernel_batches_fn */
void group_sync_batches(void *arg, const struct kernel_batch *batches, unsigned int n);
void group_sync_init(struct group *group);

#endif
