/* SPDX-License-Identifier: GPL-2.0 */
/* Two peers in one process, over the loopback's 127.0.1.x, and strangers. For one file: everything is static. */
#ifndef FTCP_TEST_PAIR_H
#define FTCP_TEST_PAIR_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "channel.h"
#include "peer.h"

#define WITHIN_MS 10000

/* One side: what it saw. */
struct side {
	struct peer peer;
	struct config config;
	unsigned int ups, downs;
	char why[LINK_ERROR_MAX];
	/* test_peer.c */
	unsigned int bursts, batches, heartbeats;
	uint64_t next_no;
	bool wrong;		/* batches out of order, or other bytes */
	/* test_channel.c */
	struct channel out, in;
	unsigned int offers, asked, ready, failures;
	struct policy_host place;	/* of READY */
	int fd;				/* what a channel came to; -1: nothing */
};

static struct loop loop;
static struct side a, b;
static int base_port;

/* What the test does about it. */
static const struct peer_ops ops;

static inline void endpoint(struct config_endpoint *endpoint, const char *ip, int port)
{
	struct sockaddr_in *addr = (struct sockaddr_in *)&endpoint->addr;

	memset(endpoint, 0, sizeof(*endpoint));
	addr->sin_family = AF_INET;
	addr->sin_port = htons(port);
	inet_pton(AF_INET, ip, &addr->sin_addr);
	endpoint->len = sizeof(*addr);
	snprintf(endpoint->text, sizeof(endpoint->text), "%s:%d", ip, port);
}

static inline bool open_side(struct side *side, const char *ip, const char *peer_ip, const char *group, uint64_t instance)
{
	char error[LINK_ERROR_MAX];

	memset(side, 0, sizeof(*side));
	strcpy(side->config.name, group);
	side->config.heartbeat_ms = 100;
	side->config.dead_after_ms = 5000;
	endpoint(&side->config.listen, ip, base_port);
	endpoint(&side->config.peer, peer_ip, base_port);
	if (peer_open(&side->peer, &loop, &side->config, instance, &ops, side, error)) {
		printf("# %s\n", error);
		return false;
	}
	peer_activate(&side->peer, true);
	return true;
}

static inline void round_ends(void *arg)
{
	(void)arg;
	peer_check(&a.peer);
	peer_check(&b.peer);
}

/* Rounds until @done, or too long. */
static inline bool until(bool (*done)(void))
{
	struct loop_timer tick = { .fire = round_ends };
	uint64_t end_ms = loop_clock_ms() + WITHIN_MS;

	while (!done() && loop_clock_ms() < end_ms) {
		loop_timer_set(&loop, &tick, loop_clock_ms() + 20);
		loop_round(&loop);
	}
	loop_timer_stop(&loop, &tick);
	return done();
}

static uint64_t wait_end_ms;

static inline bool waited(void)
{
	return loop_clock_ms() >= wait_end_ms;
}

static inline void run_for(unsigned int ms)
{
	wait_end_ms = loop_clock_ms() + ms;
	until(waited);
}

static inline bool both_up(void)
{
	return peer_is_up(&a.peer) && peer_is_up(&b.peer);
}

/* The same TCP connection at both ends. */
static inline bool joined(void)
{
	struct sockaddr_in here, there;
	socklen_t len = sizeof(here);

	if (!both_up())
		return false;
	getsockname(a.peer.link.io.fd, (struct sockaddr *)&here, &len);
	getpeername(b.peer.link.io.fd, (struct sockaddr *)&there, &len);
	return here.sin_port == there.sin_port && a.peer.link.initiated != b.peer.link.initiated;
}

static inline bool any_pending(const struct peer *peer)
{
	bool any = link_is_open(&peer->outgoing.link);

	for (int i = 0; i < PEER_PENDING_MAX; i++)
		any |= link_is_open(&peer->incoming[i].link);
	return any;
}

/* ... and no other is on its way that might replace it. */
static inline bool settled(void)
{
	return joined() && !any_pending(&a.peer) && !any_pending(&b.peer);
}

static inline int stranger_at(const char *from, int from_port, const char *to)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	inet_pton(AF_INET, from, &addr.sin_addr);
	addr.sin_port = htons(from_port);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		perror("# bind");
	inet_pton(AF_INET, to, &addr.sin_addr);
	addr.sin_port = htons(base_port);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		perror("# connect");
	return fd;
}

/* One that is root. Below the ports that the two of us connect from. */
static inline int stranger(const char *from, const char *to)
{
	static int at;

	return stranger_at(from, 200 + at++ % 300, to);
}

static int closed_fd;

/* Our hello may come first. */
static inline bool is_closed(void)
{
	char bytes[512];
	ssize_t n = recv(closed_fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN);
}

#endif
