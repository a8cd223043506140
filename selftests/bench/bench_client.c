// SPDX-License-Identifier: GPL-2.0
/*
 * The client of the benchmark: one thread, all connections by epoll, one line of JSON.
 *
 * usage: bench_client send|receive|pingpong|connect ADDRESS PORT CONNECTIONS SECONDS
 *
 * send: to a discard service; counted is what was acknowledged. receive: from a character generator. pingpong: one byte to an echo service and
 * back, over and over. connect: connect, one byte there and back, close, over and over. Before send and receive a fifth of the time passes uncounted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNS_MAX	1000
#define SAMPLES_MAX	1000000
#define PATIENCE_US	60000000	/* of one connect() */

enum mode { SEND, RECEIVE, PINGPONG, CONNECT };

static const char * const mode_names[] = { "send", "receive", "pingpong", "connect" };

struct conn {
	int fd;
	uint64_t since_ns;	/* of the question, or of connect() */
};

static enum mode mode;
static struct sockaddr_storage server;
static socklen_t server_len;
static struct conn conns[CONNS_MAX];
static uint32_t samples[SAMPLES_MAX], n_samples;
static uint64_t bytes, rounds;
static int epoll_fd;
static char buf[256 << 10];

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_client: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void sample(uint64_t ns)
{
	rounds++;
	if (n_samples < SAMPLES_MAX)
		samples[n_samples++] = ns < UINT32_MAX ? ns : UINT32_MAX;
}

static void conn_open(struct conn *conn)
{
	struct epoll_event event = { .events = mode == SEND ? EPOLLOUT : EPOLLIN, .data.ptr = conn };
	int one = 1;

	conn->since_ns = now_ns();
	conn->fd = socket(server.ss_family, SOCK_STREAM, 0);
	if (conn->fd < 0)
		die("socket");
	setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* Blocking: a handshake is short, and what is measured begins behind it, or is one after the other. */
	if (connect(conn->fd, (void *)&server, server_len))
		die("connect");
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, conn->fd, &event))
		die("epoll_ctl");
}

static void ask(struct conn *conn)
{
	if (send(conn->fd, "x", 1, MSG_NOSIGNAL) != 1)
		die("send");
}

static void on_ready(struct conn *conn)
{
	ssize_t n;

	n = mode == SEND ? send(conn->fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL) : recv(conn->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		die(mode_names[mode]);
	if (!n) {
		errno = ECONNRESET;
		die("the server closed");
	}
	bytes += n;
	if (mode == PINGPONG) {
		uint64_t now = now_ns();

		sample(now - conn->since_ns);
		conn->since_ns = now;
		ask(conn);
	} else if (mode == CONNECT) {
		close(conn->fd);
		sample(now_ns() - conn->since_ns);
		conn_open(conn);
		ask(conn);
	}
}

static void run_until(uint64_t end_ns)
{
	struct epoll_event events[64];
	uint64_t now;
	int i, n;

	while ((now = now_ns()) < end_ns) {
		n = epoll_wait(epoll_fd, events, 64, (end_ns - now) / 1000000 + 1);
		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (i = 0; i < n; i++)
			on_ready(events[i].data.ptr);
	}
}

/* What has been taken by the kernel, and not by the server yet. */
static uint64_t unacked(uint32_t n)
{
	uint64_t sum = 0;
	int queued;

	if (mode != SEND)
		return 0;
	while (n--)
		if (!ioctl(conns[n].fd, SIOCOUTQ, &queued))
			sum += queued;
	return sum;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t quantile(uint32_t permille)
{
	return n_samples ? samples[(uint64_t)(n_samples - 1) * permille / 1000] : 0;
}

static void report(uint32_t n, double seconds)
{
	printf("{\"mode\": \"%s\", \"connections\": %u, \"seconds\": %.3f, \"bytes\": %llu, \"mbit_s\": %.2f", mode_names[mode], n, seconds,
	       (unsigned long long)bytes, bytes * 8 / seconds / 1e6);
	if (mode == PINGPONG || mode == CONNECT) {
		qsort(samples, n_samples, sizeof(*samples), compare);
		printf(", \"per_s\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f", rounds / seconds, quantile(500) / 1e3, quantile(990) / 1e3);
	}
	printf("}\n");
}

static void parse_address(const char *address, uint16_t port)
{
	struct sockaddr_in *in = (void *)&server;
	struct sockaddr_in6 *in6 = (void *)&server;

	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		server_len = sizeof(*in);
	} else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		server_len = sizeof(*in6);
	} else {
		errno = EINVAL;
		die(address);
	}
}

int main(int argc, char **argv)
{
	uint64_t begin, skipped;
	double seconds;
	uint32_t i, n;

	if (argc != 6) {
		fprintf(stderr, "usage: bench_client send|receive|pingpong|connect ADDRESS PORT CONNECTIONS SECONDS\n");
		return 2;
	}
	while (mode < CONNECT && strcmp(argv[1], mode_names[mode]))
		mode++;
	parse_address(argv[2], atoi(argv[3]));
	n = atoi(argv[4]);
	seconds = atof(argv[5]);
	if (n < 1 || n > CONNS_MAX || seconds <= 0)
		return 2;
	epoll_fd = epoll_create1(0);
	alarm(PATIENCE_US / 1000000 + 2 * seconds);
	for (i = 0; i < n; i++) {
		conn_open(&conns[i]);
		if (mode == PINGPONG || mode == CONNECT)
			ask(&conns[i]);
	}
	run_until(now_ns() + seconds * 2e8);
	n_samples = rounds = 0;
	skipped = bytes - unacked(n);
	begin = now_ns();
	run_until(begin + seconds * 1e9);
	seconds = (now_ns() - begin) / 1e9;
	bytes -= unacked(n) + skipped;
	report(n, seconds);
	return 0;
}
