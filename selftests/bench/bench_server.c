// SPDX-License-Identifier: GPL-2.0
/*
 * The other side of the comparison: the services of ftcp, served by the kernel's TCP.
 *
 * usage: bench_server discard|chargen|echo PORT
 *        bench_server relay PORT ADDRESS PORT    (hands everything to a server on another host, and what that says back)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUF_BYTES	(256 << 10)

enum mode { DISCARD, CHARGEN, ECHO, RELAY };

static const char * const mode_names[] = { "discard", "chargen", "echo", "relay" };

/* One side of a connection; alone, or with the side that its bytes go to. */
struct side {
	int fd;
	struct side *to;	/* echo: itself; relay: the other; else NULL */
	char *held;		/* read, not yet written to @to */
	size_t held_bytes;
	size_t held_at;
	int eof;		/* the peer has closed */
	int dead;
};

static enum mode mode;
static struct sockaddr_in next_hop;
static int epoll_fd;
static char scratch[BUF_BYTES], pattern[BUF_BYTES];

static void die(const char *what)
{
	fprintf(stderr, "bench_server: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct side *side_new(int fd)
{
	struct side *side = calloc(1, sizeof(*side));
	int one = 1;

	if (!side)
		die("calloc");
	side->fd = fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return side;
}

static void watch(struct side *side)
{
	static const uint32_t events[] = {
		[DISCARD] = EPOLLIN,
		[CHARGEN] = EPOLLIN | EPOLLOUT,
		[ECHO] = EPOLLIN | EPOLLOUT | EPOLLET,		/* until it would block */
		[RELAY] = EPOLLIN | EPOLLOUT | EPOLLET,
	};
	struct epoll_event event = { .events = events[mode], .data.ptr = side };

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, side->fd, &event))
		die("epoll_ctl");
}

static void side_close(struct side *side)
{
	if (side->dead)
		return;
	side->dead = 1;
	close(side->fd);
	free(side->held);
	side->held = NULL;	/* the struct itself may be in the list of events: leaked, by a program that lives for a benchmark */
}

/* Returns 1 if all was written, 0 if it blocks, -1 if the connection is gone. */
static int flush(struct side *from)
{
	struct side *to = from->to;
	ssize_t n;

	while (from->held_bytes) {
		if (to->dead)
			return -1;
		n = send(to->fd, from->held + from->held_at, from->held_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINPROGRESS || errno == ENOTCONN ? 0 : -1;
		from->held_at += n;
		from->held_bytes -= n;
	}
	return 1;
}

static int carry(struct side *from)
{
	ssize_t n;
	int done;

	if (!from->held)
		from->held = malloc(BUF_BYTES);
	if (!from->held)
		die("malloc");
	for (;;) {
		done = flush(from);
		if (done <= 0)
			return done;
		n = recv(from->fd, from->held, BUF_BYTES, MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == ENOTCONN ? 0 : -1;
		if (!n) {
			from->eof = 1;
			shutdown(from->to->fd, SHUT_WR);
			return from->to->eof ? -1 : 0;
		}
		from->held_at = 0;
		from->held_bytes = n;
	}
}

/* One piece at a time, so that all connections have their turn. */
static int drain(struct side *side)
{
	ssize_t n = recv(side->fd, scratch, sizeof(scratch), MSG_DONTWAIT);

	return n > 0 || (n < 0 && errno == EAGAIN) ? 0 : -1;
}

static int generate(struct side *side)
{
	ssize_t n = send(side->fd, pattern, sizeof(pattern), MSG_DONTWAIT | MSG_NOSIGNAL);

	return n > 0 || errno == EAGAIN ? 0 : -1;
}

static int work(struct side *side, uint32_t events)
{
	int status = 0;

	if (mode == ECHO || mode == RELAY) {
		status = carry(side);
		if (!status && side->to != side)
			status = carry(side->to);
		return status;
	}
	if (events & ~EPOLLOUT)
		status = drain(side);
	if (!status && mode == CHARGEN && (events & EPOLLOUT))
		status = generate(side);
	return status;
}

static void on_ready(struct side *side, uint32_t events)
{
	struct side *to = side->to;

	if (side->dead || !work(side, events))
		return;
	side_close(side);
	if (to && to != side)
		side_close(to);
}

static void on_accept(int listener)
{
	struct side *side, *other;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		side = side_new(fd);
		if (mode == ECHO)
			side->to = side;
		if (mode == RELAY) {
			other = side_new(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
			if (connect(other->fd, (void *)&next_hop, sizeof(next_hop)) && errno != EINPROGRESS)
				die("connect");
			side->to = other;
			other->to = side;
			watch(other);
		}
		watch(side);
	}
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
	struct epoll_event event = { .events = EPOLLIN };

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (void *)&addr, sizeof(addr)) || listen(fd, 4096))
		die("listen");
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl");
	return fd;
}

int main(int argc, char **argv)
{
	struct epoll_event events[64];
	int i, n, listener;

	if (argc != 3 && argc != 5) {
		fprintf(stderr, "usage: bench_server discard|chargen|echo PORT | relay PORT ADDRESS PORT\n");
		return 2;
	}
	while (mode < RELAY && strcmp(argv[1], mode_names[mode]))
		mode++;
	if (mode == RELAY) {
		if (argc != 5 || inet_pton(AF_INET, argv[3], &next_hop.sin_addr) != 1)
			return 2;
		next_hop.sin_family = AF_INET;
		next_hop.sin_port = htons(atoi(argv[4]));
	}
	for (i = 0; i < BUF_BYTES; i++)
		pattern[i] = ' ' + i % 95;
	epoll_fd = epoll_create1(0);
	listener = listen_on(atoi(argv[2]));
	for (;;) {
		n = epoll_wait(epoll_fd, events, 64, -1);
		for (i = 0; i < n; i++) {
			if (events[i].data.ptr)
				on_ready(events[i].data.ptr, events[i].events);
			else
				on_accept(listener);
		}
	}
}
