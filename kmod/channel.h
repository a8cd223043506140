/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The channel: a TCP connection between the two hosts, which the daemons have opened and handed over (include/ftcp/frame.h says what
 * goes by it). The kernel sends and reads; it never connects, and never waits: whoever is to be woken when something has come is a work item.
 *
 * The group's sync.mutex covers starting, closing, and the sending of batches; reading, and acknowledging what was read, are the work item's alone.
 */
#ifndef FTCP_CHANNEL_H
#define FTCP_CHANNEL_H

#include <linux/types.h>
#include <linux/workqueue.h>

struct ftcp_channel;
struct netlink_ext_ack;

/* A frame that was read. */
struct ftcp_channel_frame {
	u8 type;		/* FTCP_FRAME_BATCH or FTCP_FRAME_ACK */
	u64 sync_id;
	u64 no;
	const void *batch;	/* valid until the next read */
	u32 len;		/* of the batch */
};

/**
 * ftcp_channel_open() - of the caller's descriptor @fd; with a reference, or ERR_PTR
 * @work: from ftcp_channel_start() on it is queued on @wq when something has come, or the connection has ended
 */
struct ftcp_channel *ftcp_channel_open(int fd, struct workqueue_struct *wq, struct work_struct *work,
				       struct netlink_ext_ack *extack);

/** ftcp_channel_start() - what has come before is not told of: queue the work yourself. -EBUSY: somebody else of the kernel has the connection */
int ftcp_channel_start(struct ftcp_channel *channel, struct netlink_ext_ack *extack);

/** ftcp_channel_close() - @work is not queued any more when this returns, and the other host is told; may be called twice, or without a start */
void ftcp_channel_close(struct ftcp_channel *channel);

void ftcp_channel_get(struct ftcp_channel *channel);
/** ftcp_channel_put() - it has been closed before the last one */
void ftcp_channel_put(struct ftcp_channel *channel);

/** ftcp_channel_room() - FTCP_BATCH_MAX_BYTES, where a batch is to be built that ftcp_channel_send_batch() sends */
void *ftcp_channel_room(struct ftcp_channel *channel);
/** ftcp_channel_send_batch() - 0, or -errno: the channel is of no use any more, part of the batch may be on its way */
int ftcp_channel_send_batch(struct ftcp_channel *channel, u64 sync_id, u64 no, u32 len);
int ftcp_channel_send_ack(struct ftcp_channel *channel, u64 sync_id, u64 no);

/** ftcp_channel_read() - 1: a frame; 0: none now, the work will be queued; -errno: it has ended (-EPIPE), or is garbage (-EPROTO) */
int ftcp_channel_read(struct ftcp_channel *channel, struct ftcp_channel_frame *frame);

#endif
