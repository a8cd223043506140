/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel side of the group: requests, events, and batches in both directions. Requests are short and are waited for;
 * nothing else blocks.
 */
#ifndef FTCP_KERNEL_H
#define FTCP_KERNEL_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ftcp/limits.h>
#include "policy.h"

#define KERNEL_APPLY_MAX	FTCP_BATCHES_IN_FLIGHT_MAX	/* batches in one kernel_apply() */

/* A batch, unread. */
struct kernel_batch {
	uint64_t sync_id;
	uint64_t no;
	const uint8_t *data;
	size_t len;
};

/* What GROUP_GET tells; roles and the like only. */
struct kernel_group {
	struct policy_host host;
	bool attached;
	uint32_t lag_ms;		/* speaking: age of the oldest batch that is not acknowledged; 0: none */
};

/* Called for the batches that came in one go. */
typedef void (*kernel_batches_fn)(void *arg, const struct kernel_batch *batches, unsigned int n);

struct kernel {
	const char *group;
	uint16_t family;		/* 0: the module is not there */
	uint32_t events;		/* its multicast group */
	uint32_t seq;
	struct mnl_socket *cmd;
	int apply_bytes;		/* its send buffer: no message is larger */
	struct mnl_socket *event;
	struct mnl_socket *batch;	/* attached, or following; NULL: neither */
	uint32_t batch_seq;		/* of the request that it was opened for */
	int batch_result;		/* of that; 1: no answer yet */
	bool refused;			/* following: a batch could not be applied, the channel is closed; error says why */
	struct kernel_batch refused_batch;	/* which: not its bytes */
	uint8_t *buffers;		/* for recvmmsg() */
	bool small_told;		/* that its receive buffer is small */
	kernel_batches_fn batches;
	void *arg;
	char error[384];		/* after a failure: what the kernel says, or what went wrong */
};

/** kernel_open() - 0, or -errno with kernel->error; the module need not be there. @batches gets what is to be shipped */
int kernel_open(struct kernel *kernel, const char *group, kernel_batches_fn batches, void *arg);
void kernel_close(struct kernel *kernel);

/** kernel_find() - look for the module; 0, -ENOENT: it is not loaded, or -errno */
int kernel_find(struct kernel *kernel);
/** kernel_lost() - forget it; kernel_find() looks again */
void kernel_lost(struct kernel *kernel);

/*
 * Requests: 0 or -errno, with kernel->error. -ENODEV: the module is gone.
 */
int kernel_group_get(struct kernel *kernel, struct kernel_group *group);
int kernel_group_new(struct kernel *kernel);
/** kernel_promote() - @fresh: what is held and not in sync is forgotten first; otherwise it must be in sync */
int kernel_promote(struct kernel *kernel, uint64_t epoch, bool fresh);
int kernel_demote(struct kernel *kernel, uint64_t epoch, bool force);
int kernel_detach(struct kernel *kernel);
int kernel_kick(struct kernel *kernel);
/** kernel_outdate() - on the standby: not in sync any more, if what it holds is of that resync; -ESTALE: it is not */
int kernel_outdate(struct kernel *kernel, uint64_t sync_id);
int kernel_ack(struct kernel *kernel, uint64_t sync_id, uint64_t batch_no);

/**
 * kernel_apply() - on the standby: @n batches, KERNEL_APPLY_MAX at most
 * @failed: if one was refused: which; those before it are held
 */
int kernel_apply(struct kernel *kernel, const struct kernel_batch *batches, unsigned int n, unsigned int *failed);

/**
 * kernel_attach() - on the primary: batches flow from now on, kernel->batch is to be polled
 * @channel_fd: they go by this connection, of which the kernel takes a reference of its own; -1: to kernel->batch
 *
 * With a new socket each time: what was in the old one is of no use to the standby any more.
 */
int kernel_attach(struct kernel *kernel, uint64_t peer_sync_id, uint64_t peer_batch_no, int channel_fd);
/** kernel_follow() - on the standby: what comes by this connection is applied from now on, kernel->batch is to be polled */
int kernel_follow(struct kernel *kernel, int channel_fd);
/** kernel_unattach() - no more batches are sent, or applied; the role is unchanged */
void kernel_unattach(struct kernel *kernel);
/**
 * kernel_batches_read() - hand on what has come; kernel->refused may be set
 *
 * 0, or -errno: -ENOBUFS: something was lost, attach again.
 */
int kernel_batches_read(struct kernel *kernel);

/* What has happened, as bits. */
enum kernel_news {
	KERNEL_NEWS_GROUP	= 0x01,	/* ask kernel_group_get() */
	KERNEL_NEWS_OVERRUN	= 0x02,	/* a batch was lost: attach again */
	KERNEL_NEWS_GONE	= 0x04,	/* the module */
	KERNEL_NEWS_HERE	= 0x08,
};

/** kernel_events_read() - of kernel->event */
unsigned int kernel_events_read(struct kernel *kernel);

#endif
