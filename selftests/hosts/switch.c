// SPDX-License-Identifier: GPL-2.0
/*
 * An Ethernet switch in user space, for virtual machines that may die at any moment.
 *
 *	switch PORT...
 *
 * A PORT is a path without suffix. Its machine's QEMU has
 *
 *	-netdev dgram,local.type=unix,local.path=PORT.vm,remote.type=unix,remote.path=PORT.switch
 *
 * Like the real thing it learns which address is behind which port from the frames it sees and from nothing else: an
 * address that moves to another machine stays lost until that machine has said so. It never waits for a machine: what
 * one does not take is queued, and what does not fit in the queue is dropped. A machine may end and begin again at
 * any time. SIGHUP makes it look for files PORT.unplugged: those cables are out. SIGUSR1: statistics. SIGTERM: these, and the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PORTS	8
#define HOSTS	64		/* addresses it can learn */
#define QUEUE	1024		/* frames waiting for one machine */
#define FRAME	9216		/* jumbo frames and their header */
#define BURST	64		/* frames read from one machine before it is the next one's turn */
#define SOCKBUF	(4 << 20)	/* as far as net.core.[rw]mem_max lets us */

struct frame {
	size_t len;
	uint8_t bytes[FRAME];
};

struct port {
	const char *path;
	bool unplugged;
	int in;			/* bound to PORT.switch */
	int out;		/* connected to PORT.vm; -1: not, or no longer */
	struct frame *queue;
	unsigned int head, queued;
	unsigned long received, sent, dropped;
};

struct host {
	uint8_t mac[6];
	struct port *port;
};

static struct port ports[PORTS];
static unsigned int nports;
static struct host hosts[HOSTS];
static unsigned int nhosts, oldest;
static volatile sig_atomic_t look, count, end;

static void on_signal(int signo)
{
	if (signo == SIGHUP)
		look = 1;
	else if (signo == SIGUSR1)
		count = 1;
	else
		end = 1;
}

static void die(const char *what, const char *which)
{
	fprintf(stderr, "switch: %s %s: %s\n", what, which, strerror(errno));
	exit(1);
}

static struct sockaddr_un address(const char *path, const char *suffix)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s%s", path, suffix) >= (int)sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		die("address", path);
	}
	return addr;
}

static void look_at_cables(void)
{
	for (unsigned int i = 0; i < nports; i++)
		ports[i].unplugged = access(address(ports[i].path, ".unplugged").sun_path, F_OK) == 0;
	look = 0;
}

static void tell(void)
{
	for (unsigned int i = 0; i < nports; i++)
		printf("%s: %lu frames in, %lu out, %lu dropped, %u waiting\n", ports[i].path, ports[i].received, ports[i].sent,
		       ports[i].dropped, ports[i].queued);
	fflush(stdout);
	count = 0;
}

static void open_port(const char *path)
{
	struct port *port = &ports[nports++];
	struct sockaddr_un addr = address(path, ".switch");
	int size = SOCKBUF;

	*port = (struct port){ .path = path, .out = -1, .queue = calloc(QUEUE, sizeof(struct frame)) };
	port->in = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	unlink(addr.sun_path);
	if (!port->queue || port->in < 0 || bind(port->in, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("open", path);
	setsockopt(port->in, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

/* A machine that was restarted has a new socket of the old name. */
static bool connect_port(struct port *port)
{
	struct sockaddr_un addr = address(port->path, ".vm");
	int size = SOCKBUF;

	if (port->out >= 0)
		return true;
	port->out = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (port->out >= 0 && connect(port->out, (struct sockaddr *)&addr, sizeof(addr)) == 0) {
		setsockopt(port->out, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		return true;
	}
	if (port->out >= 0)
		close(port->out);
	port->out = -1;
	return false;
}

enum sent { SENT, BUSY, GONE };

static enum sent send_now(struct port *port, const uint8_t *bytes, size_t len)
{
	if (!connect_port(port))
		return GONE;
	if (send(port->out, bytes, len, 0) >= 0) {
		port->sent++;
		return SENT;
	}
	if (errno == EAGAIN || errno == ENOBUFS)
		return BUSY;
	close(port->out);
	port->out = -1;
	return GONE;
}

static void drain(struct port *port)
{
	while (port->queued) {
		struct frame *frame = &port->queue[port->head];
		enum sent sent = send_now(port, frame->bytes, frame->len);

		if (sent == BUSY)
			return;
		if (sent == GONE)
			port->dropped++;
		port->head = (port->head + 1) % QUEUE;
		port->queued--;
	}
}

static void transmit(struct port *port, const uint8_t *bytes, size_t len)
{
	enum sent sent = BUSY;
	struct frame *frame;

	if (port->unplugged)
		return;
	if (!port->queued)
		sent = send_now(port, bytes, len);
	if (sent == SENT)
		return;
	if (sent == GONE || port->queued == QUEUE) {
		port->dropped++;
		return;
	}
	frame = &port->queue[(port->head + port->queued++) % QUEUE];
	frame->len = len;
	memcpy(frame->bytes, bytes, len);
}

static struct host *find(const uint8_t *mac)
{
	for (unsigned int i = 0; i < nhosts; i++) {
		if (!memcmp(hosts[i].mac, mac, 6))
			return &hosts[i];
	}
	return NULL;
}

static void learn(const uint8_t *mac, struct port *port)
{
	struct host *host = find(mac);

	if (mac[0] & 1)
		return;
	if (!host) {
		host = nhosts < HOSTS ? &hosts[nhosts++] : &hosts[oldest++ % HOSTS];
		memcpy(host->mac, mac, 6);
	}
	host->port = port;
}

static void forward(struct port *from, const uint8_t *bytes, size_t len)
{
	const struct host *host;

	if (len < 14 || from->unplugged)
		return;
	from->received++;
	learn(bytes + 6, from);
	host = bytes[0] & 1 ? NULL : find(bytes);
	for (unsigned int i = 0; i < nports; i++) {
		if (&ports[i] != from && (!host || host->port == &ports[i]))
			transmit(&ports[i], bytes, len);
	}
}

static void receive(struct port *port)
{
	uint8_t bytes[FRAME];

	for (int i = 0; i < BURST; i++) {
		ssize_t len = recv(port->in, bytes, sizeof(bytes), MSG_TRUNC);

		if (len < 0)
			return;
		if ((size_t)len <= sizeof(bytes))
			forward(port, bytes, len);
	}
}

/* Signals only get through while nothing is going on, so that none is missed. */
static void wait_and_work(const sigset_t *signals)
{
	struct pollfd fds[2 * PORTS];

	for (unsigned int i = 0; i < nports; i++) {
		fds[2 * i] = (struct pollfd){ .fd = ports[i].in, .events = POLLIN };
		fds[2 * i + 1] = (struct pollfd){ .fd = ports[i].queued ? ports[i].out : -1, .events = POLLOUT };
	}
	if (ppoll(fds, 2 * nports, NULL, signals) < 0)
		return;
	for (unsigned int i = 0; i < nports; i++) {
		if (fds[2 * i + 1].revents)
			drain(&ports[i]);
		if (fds[2 * i].revents)
			receive(&ports[i]);
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t block, before;

	if (argc < 2 || argc > PORTS + 1) {
		fprintf(stderr, "usage: switch PORT... (1 to %d)\n", PORTS);
		return 2;
	}
	sigemptyset(&block);
	sigaddset(&block, SIGHUP);
	sigaddset(&block, SIGUSR1);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &before);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (int i = 1; i < argc; i++)
		open_port(argv[i]);
	look_at_cables();
	while (!end) {
		if (look)
			look_at_cables();
		if (count)
			tell();
		wait_and_work(&before);
	}
	tell();
	return 0;
}
