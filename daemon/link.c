// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "link.h"

#define RX_HELLO_BYTES	1024
#define RX_BYTES	(1u << 20)
#define TX_MIN_BYTES	(64u << 10)
#define TX_MAX_BYTES	(4u << 20)	/* credits keep batches below a quarter of it: who fills it is out of order */

_Static_assert(RX_BYTES >= 2 * (FRAME_HEADER_BYTES + FRAME_PAYLOAD_MAX_BYTES), "a frame fits, and more is read behind it");
_Static_assert(TX_MAX_BYTES >= 2 * FTCP_BATCHES_IN_FLIGHT_MAX * FRAME_PAYLOAD_MAX_BYTES, "all credits fit");

/* ---- life ---- */

static void watch(struct link *link)
{
	link->waits_to_write = link->connecting || link->tx_len;
	loop_change(link->loop, &link->io, EPOLLIN | (link->waits_to_write ? EPOLLOUT : 0));
}

int link_open(struct link *link, struct loop *loop, int fd, bool connecting, void (*ready)(void *arg, uint32_t events),
	      void *arg)
{
	int on = 1, err;

	memset(link, 0, sizeof(*link));
	link->loop = loop;
	link->io = (struct loop_io){ .fd = -1, .ready = ready, .arg = arg };
	link->connecting = connecting;
	link->waits_to_write = connecting;
	link->heard_ms = loop->now_ms;
	link->rx_size = RX_HELLO_BYTES;
	link->rx = malloc(link->rx_size);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	err = link->rx ? loop_add(loop, &link->io, fd, EPOLLIN | (connecting ? EPOLLOUT : 0)) : -ENOMEM;
	if (!err)
		return 0;
	free(link->rx);
	close(fd);
	link->io.fd = -1;
	return err;
}

int link_release(struct link *link)
{
	int fd = loop_remove(link->loop, &link->io);

	free(link->rx);
	free(link->tx);
	link->rx = NULL;
	link->tx = NULL;
	link->open = false;
	return fd;
}

void link_close(struct link *link)
{
	if (link_is_open(link))
		close(link_release(link));
}

void link_move(struct link *to, struct link *from, void (*ready)(void *arg, uint32_t events), void *arg)
{
	int fd = loop_remove(from->loop, &from->io), err;

	*to = *from;
	from->rx = NULL;
	from->tx = NULL;
	to->io = (struct loop_io){ .fd = -1, .ready = ready, .arg = arg };
	err = loop_add(to->loop, &to->io, fd, EPOLLIN | (to->waits_to_write ? EPOLLOUT : 0));
	if (!err)
		return;
	/* No room in epoll: as good as none. */
	to->io.fd = fd;
	link_break(to, "%s", strerror(-err));
}

int link_connected(struct link *link)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(link->io.fd, SOL_SOCKET, SO_ERROR, &err, &len))
		err = errno;
	link->connecting = false;
	watch(link);
	return -err;
}

int link_accepted(struct link *link)
{
	uint8_t *rx = realloc(link->rx, RX_BYTES);

	if (!rx)
		return -ENOMEM;
	link->rx = rx;
	link->rx_size = RX_BYTES;
	link->open = true;
	return 0;
}

void link_break(struct link *link, const char *fmt, ...)
{
	va_list args;

	if (link->broken)
		return;
	link->broken = true;
	va_start(args, fmt);
	vsnprintf(link->error, sizeof(link->error), fmt, args);
	va_end(args);
}

/* ---- in ---- */

size_t link_fill(struct link *link)
{
	ssize_t n;

	if (link->rx_head) {
		memmove(link->rx, link->rx + link->rx_head, link->rx_len);
		link->rx_head = 0;
	}
	if (link->rx_len == link->rx_size)
		return 0;	/* a stranger who sends on behind its hello: the hello is read first */
	do {
		n = recv(link->io.fd, link->rx + link->rx_len, link->rx_size - link->rx_len, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		link->rx_len += n;
		link->heard_ms = link->loop->now_ms;
		return n;
	}
	if (n < 0 && errno == EAGAIN)
		return 0;
	link->ended = true;
	link_break(link, "%s", n ? strerror(errno) : "closed by the other side");
	return 0;
}

enum frame_result link_next(struct link *link, struct frame *frame, const char **error)
{
	enum frame_result result;

	if (!link->rx_len)
		return FRAME_MORE;
	result = frame_read(link->rx + link->rx_head, link->rx_len, !link->open, frame, error);
	if (result == FRAME_OK) {
		link->rx_head += frame->bytes;
		link->rx_len -= frame->bytes;
	}
	return result;
}

/* ---- out ---- */

static bool make_room(struct link *link, size_t len)
{
	size_t size = link->tx_size ? link->tx_size : TX_MIN_BYTES;
	uint8_t *tx;

	if (link->tx_head) {
		memmove(link->tx, link->tx + link->tx_head, link->tx_len);
		link->tx_head = 0;
	}
	while (size < link->tx_len + len)
		size *= 2;
	if (size > TX_MAX_BYTES)
		return false;
	if (size == link->tx_size)
		return true;
	tx = realloc(link->tx, size);
	if (!tx)
		return false;
	link->tx = tx;
	link->tx_size = size;
	return true;
}

/* What is left after the first @done bytes. */
static void keep(struct link *link, const struct iovec *iov, int n, size_t done)
{
	size_t skip;

	for (int i = 0; i < n; i++) {
		skip = done < iov[i].iov_len ? done : iov[i].iov_len;
		done -= skip;
		if (skip == iov[i].iov_len)
			continue;
		if (link->tx_head + link->tx_len + iov[i].iov_len - skip > link->tx_size &&
		    !make_room(link, iov[i].iov_len - skip)) {
			link_break(link, "the other side does not read");
			return;
		}
		memcpy(link->tx + link->tx_head + link->tx_len, (const uint8_t *)iov[i].iov_base + skip,
		       iov[i].iov_len - skip);
		link->tx_len += iov[i].iov_len - skip;
	}
	if (link->tx_len && !link->waits_to_write)
		watch(link);
}

/* How much went; an error breaks the link. */
static size_t write_some(struct link *link, const struct iovec *iov, int n)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)iov, .msg_iovlen = n };
	ssize_t done;

	do {
		done = sendmsg(link->io.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (done < 0 && errno == EINTR);
	if (done >= 0)
		return done;
	if (errno != EAGAIN)
		link_break(link, "%s", strerror(errno));
	return 0;
}

void link_send(struct link *link, const struct iovec *iov, int n)
{
	size_t done = 0;

	if (!link_is_open(link) || link->broken)
		return;
	if (!link->tx_len && !link->connecting)
		done = write_some(link, iov, n);
	if (!link->broken)
		keep(link, iov, n, done);
}

void link_flush(struct link *link)
{
	struct iovec iov = { link->tx + link->tx_head, link->tx_len };
	size_t done;

	if (!link->tx_len || link->broken)
		return;
	done = write_some(link, &iov, 1);
	link->tx_head += done;
	link->tx_len -= done;
	if (!link->tx_len) {
		link->tx_head = 0;
		watch(link);
	}
}
