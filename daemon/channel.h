/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A channel: the TCP connection that batches go by from kernel to kernel, as long as the daemons have it. Whoever speaks
 * connects it, beside the link and from the same address; the standby accepts it.
 *
 *	primary                        standby
 *	HELLO(channel), PREPARE  --->  only of the daemon at the other end of the link
 *	                         <---  HELLO, READY
 *
 * Then each side gives the descriptor to its kernel. Nothing may be unread or unsent by then: the kernels would miss it.
 * Whatever else is said, or nothing for too long, closes the channel, and nothing but the channel.
 */
#ifndef FTCP_CHANNEL_H
#define FTCP_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>
#include "link.h"
#include "loop.h"
#include "peer.h"
#include "policy.h"

/* What is waited for. */
enum channel_state {
	CHANNEL_CONNECTING,	/* that the connection stands */
	CHANNEL_GREETING,	/* the other side's hello; ours and PREPARE were sent */
	CHANNEL_ASKING,		/* READY */
	CHANNEL_ASKED,		/* PREPARE: we have accepted it */
};

/* What the owner does about it. */
struct channel_ops {
	/* READY has come: to be answered with channel_release() or channel_close(). */
	void (*ready)(void *arg, const struct policy_host *place);
	/* PREPARE has come: to be answered with channel_answer() or channel_close(). */
	void (*prepare)(void *arg);
	/* It came to nothing, and is closed. */
	void (*failed)(void *arg, const char *why);
};

struct channel {
	struct peer *peer;
	const struct channel_ops *ops;
	void *arg;
	struct link link;
	struct loop_timer timer;
	enum channel_state state;	/* if it is open */
	uint64_t token;			/* of the PREPARE */
};

void channel_init(struct channel *channel, struct peer *peer, const struct channel_ops *ops, void *arg);

/** channel_connect() - open one, READY to come @within_ms; 0, or -errno, without failed(). One that was open is closed */
int channel_connect(struct channel *channel, uint64_t token, unsigned int within_ms);
/** channel_accept() - take over what peer_ops.channel was given, PREPARE to come @within_ms; the newest counts */
void channel_accept(struct channel *channel, struct link *link, unsigned int within_ms);

/** channel_answer() - READY: this host stands at @place. Returns as channel_release() does */
int channel_answer(struct channel *channel, const struct policy_host *place);
/** channel_release() - its descriptor, now the caller's; -1: something was unread or unsent, and it is closed */
int channel_release(struct channel *channel);
/** channel_close() - if it is open; without failed() */
void channel_close(struct channel *channel);

static inline bool channel_is_open(const struct channel *channel)
{
	return link_is_open(&channel->link);
}

#endif
