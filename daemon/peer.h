/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The other host's daemon. Both hosts listen and both connect; of two links that stand, both keep the same one. A link
 * becomes *the* link when a good hello has come by it; until then it is pending, may say nothing else, and has
 * 2 seconds. Whatever a stranger says on another connection closes that connection and nothing else.
 *
 * A connection whose hello says that it is a channel never becomes the link. It goes to the owner, but only if it is of
 * the daemon at the other end of the link that stands.
 */
#ifndef FTCP_PEER_H
#define FTCP_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include "config.h"
#include "frame.h"
#include "kernel.h"
#include "link.h"
#include "loop.h"
#include "policy.h"

#define PEER_PENDING_MAX	8
#define PEER_HANDSHAKE_MS	2000

struct peer;

/* What the owner does about it. */
struct peer_ops {
	/* Fill in the hello's host: how things stand at this moment. */
	void (*state)(void *arg, struct policy_host *host);
	/* A new link; the one before it, if there was one, is gone without a word. */
	void (*up)(void *arg, const struct frame_hello *hello);
	/* A frame; its batch is valid until burst(). */
	void (*frame)(void *arg, const struct frame *frame);
	/* What has come was handed over; the buffer is used again after this. */
	void (*burst)(void *arg);
	/* The link is gone. */
	void (*down)(void *arg, const char *why);
	/* Everything was written; peer_congested() is false. */
	void (*writable)(void *arg);
	/* A channel of this peer, its hello read: to be taken over with link_move(), or it is closed. */
	void (*channel)(void *arg, struct link *link);
};

/* A link that waits for its hello. */
struct peer_pending {
	struct link link;
	struct peer *peer;
};

struct peer {
	struct loop *loop;
	const struct config *config;
	const struct peer_ops *ops;
	void *arg;
	struct loop_io listener;
	struct loop_timer timer;	/* connecting, handshakes */
	struct link link;		/* the link */
	uint64_t instance;		/* of the daemon at its other end */
	struct peer_pending outgoing;
	struct peer_pending incoming[PEER_PENDING_MAX];
	uint64_t self;			/* this daemon's instance */
	bool active;			/* connect and accept */
	uint64_t connect_at_ms;
	uint64_t backoff_ms;
	char trouble[256];		/* what was logged last about connecting, so that it is logged once */
	uint64_t strangers_at_ms;	/* strangers are logged again from then on */
	unsigned int strangers;		/* not logged since */
};

/** peer_open() - listens, but does nothing until peer_activate(); 0, or -errno and @error (LINK_ERROR_MAX) */
int peer_open(struct peer *peer, struct loop *loop, const struct config *config, uint64_t instance,
	      const struct peer_ops *ops, void *arg, char *error);
void peer_close(struct peer *peer);

/** peer_activate() - connect and accept, or close everything and refuse, without calling down() */
void peer_activate(struct peer *peer, bool active);

static inline bool peer_is_up(const struct peer *peer)
{
	return link_is_open(&peer->link);
}

/** peer_check() - once in every round, at its end: closes the link if it is broken */
void peer_check(struct peer *peer);
/** peer_drop() - close the link, and call down() */
__attribute__((format(printf, 2, 3))) void peer_drop(struct peer *peer, const char *fmt, ...);

/** peer_send() - a small frame; nothing if there is no link */
void peer_send(struct peer *peer, const uint8_t *frame, size_t len);
/** peer_say_last() - a frame, and nothing more; waits a moment for the other side to close the link */
void peer_say_last(struct peer *peer, const uint8_t *frame, size_t len);
void peer_send_batches(struct peer *peer, const struct kernel_batch *batches, unsigned int n);
/** peer_congested() - do not give it batches now */
bool peer_congested(const struct peer *peer);

/* ---- for channel.c: how connections to the other host begin ---- */

/** peer_dial() - connect @link, as it is closed, to the other host; 0, perhaps link->connecting, or -errno */
int peer_dial(struct peer *peer, struct link *link, void (*ready)(void *arg, uint32_t events), void *arg);
/** peer_greet() - this side's hello. Asks the owner for its state */
void peer_greet(struct peer *peer, struct link *link, bool channel);
/** peer_check_hello() - what is wrong with the other side's; NULL: nothing */
const char *peer_check_hello(const struct peer *peer, const struct frame_hello *hello);

#endif
