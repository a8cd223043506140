/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One TCP connection that carries frames. Nothing blocks, and sending never closes: it marks the link as broken, which its
 * owner sees after the round. So a link that a function was given is still there when the function has sent something.
 */
#ifndef FTCP_LINK_H
#define FTCP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include "frame.h"
#include "loop.h"

#define LINK_ERROR_MAX 160

struct link {
	struct loop *loop;
	struct loop_io io;	/* fd -1: there is none */
	bool connecting;
	bool initiated;		/* this host has connected it */
	bool open;		/* the hello has come: larger buffers, other frames */
	bool waits_to_write;	/* EPOLLOUT is asked for */
	bool broken;
	bool ended;		/* the other side has closed it: broken, too */
	uint64_t deadline_ms;	/* of the handshake */
	uint64_t heard_ms;
	uint8_t *rx;
	size_t rx_size, rx_head, rx_len;	/* rx_len bytes from rx_head on are not read yet */
	uint8_t *tx;
	size_t tx_size, tx_head, tx_len;
	char name[80];		/* of the other side */
	char error[LINK_ERROR_MAX];	/* if broken: why */
};

/** link_open() - take over @fd, connected or @connecting; 0, or -errno: @fd is closed. @ready is called with @arg */
int link_open(struct link *link, struct loop *loop, int fd, bool connecting, void (*ready)(void *arg, uint32_t events),
	      void *arg);
void link_close(struct link *link);
/** link_move() - @from, with what it has read and has still to write, becomes @to, which has none; broken if that fails */
void link_move(struct link *to, struct link *from, void (*ready)(void *arg, uint32_t events), void *arg);
/** link_release() - as link_close(), but the descriptor stays open as it is, and is returned: the caller's */
int link_release(struct link *link);

static inline bool link_is_open(const struct link *link)
{
	return link->io.fd >= 0;
}

/** link_connected() - the attempt has ended: 0 or -errno */
int link_connected(struct link *link);

/** link_accepted() - the hello was good: from now on everything is accepted and buffers are large; 0 or -ENOMEM */
int link_accepted(struct link *link);

/**
 * link_fill() - read what has come
 *
 * Frames that were read before are overwritten. Returns how many bytes; 0: nothing more now, or link->ended.
 */
size_t link_fill(struct link *link);
/** link_next() - the next frame of what was read; it stays valid until link_fill() */
enum frame_result link_next(struct link *link, struct frame *frame, const char **error);

/** link_send() - all of it, now or later; too much waiting breaks the link */
void link_send(struct link *link, const struct iovec *iov, int n);
/** link_flush() - it can be written to */
void link_flush(struct link *link);

/** link_break() - to be closed by its owner after the round; the first reason counts */
__attribute__((format(printf, 2, 3))) void link_break(struct link *link, const char *fmt, ...);

#endif
