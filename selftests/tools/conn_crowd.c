// SPDX-License-Identifier: GPL-2.0
/*
 * A crowd of connections to an echo service, from many source addresses: mostly idle.
 *
 *	conn_crowd HOST PORT FIRST-SOURCE SOURCES
 *
 * IPv4. Reads commands, one a line, and answers each with one line key=value:
 *
 *	open N		so many more connections
 *	ping		one byte there and back on every connection
 *	busy N SECONDS	the first N, for so long, one byte after the other
 *	quit
 *
 * lost= counts connections that ended, or had something else to say than what was asked. Ends with 0 only if none was.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OPENING_MAX	200	/* connections that are being opened at once */
#define PINGS_MAX	1000	/* bytes under way at once */
#define EVENTS_MAX	256
#define QUIET_MS	120000	/* nothing happens for so long: it will not happen any more */

enum state { OPENING, IDLE, WAITING, LOST };

struct conn {
	int fd;
	enum state state;
	uint64_t asked_us;
};

struct crowd {
	struct sockaddr_in server;
	uint32_t source;
	uint32_t n_sources;
	int epoll_fd;
	struct conn *conns;
	uint32_t n, room, lost, under_way;
	uint64_t answers, sum_us, max_us;
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

static void lose(struct crowd *crowd, struct conn *conn, const char *why)
{
	if (crowd->lost++ < 8)
		fprintf(stderr, "connection %td: %s (%s)\n", conn - crowd->conns, why, strerror(errno));
	if (conn->state == OPENING || conn->state == WAITING)
		crowd->under_way--;
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
	conn->state = LOST;
}

static void begin_open(struct crowd *crowd)
{
	struct conn *conn = &crowd->conns[crowd->n];
	struct epoll_event event = { .events = EPOLLOUT, .data.u32 = crowd->n };
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(crowd->source + crowd->n % crowd->n_sources) };
	int on = 1;

	crowd->n++;
	crowd->under_way++;
	conn->state = OPENING;
	conn->asked_us = now_us();
	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (conn->fd < 0 || setsockopt(conn->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) ||
	    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    bind(conn->fd, (struct sockaddr *)&from, sizeof(from)) ||
	    (connect(conn->fd, (struct sockaddr *)&crowd->server, sizeof(crowd->server)) && errno != EINPROGRESS) ||
	    epoll_ctl(crowd->epoll_fd, EPOLL_CTL_ADD, conn->fd, &event))
		lose(crowd, conn, "cannot be opened");
}

static void opened(struct crowd *crowd, struct conn *conn)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = conn - crowd->conns };
	socklen_t len = sizeof(errno);

	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &errno, &len) || errno ||
	    epoll_ctl(crowd->epoll_fd, EPOLL_CTL_MOD, conn->fd, &event)) {
		lose(crowd, conn, "was refused");
		return;
	}
	conn->state = IDLE;
	crowd->under_way--;
}

static void ask(struct crowd *crowd, struct conn *conn)
{
	conn->asked_us = now_us();
	if (conn->state != IDLE)
		return;
	conn->state = WAITING;
	crowd->under_way++;
	if (send(conn->fd, "?", 1, MSG_NOSIGNAL) != 1)
		lose(crowd, conn, "cannot be written to");
}

static void answered(struct crowd *crowd, struct conn *conn)
{
	uint64_t took_us;
	char bytes[2];

	errno = 0;
	if (recv(conn->fd, bytes, sizeof(bytes), 0) != 1 || conn->state != WAITING || *bytes != '?') {
		lose(crowd, conn, "was not what it should be");
		return;
	}
	took_us = now_us() - conn->asked_us;
	crowd->answers++;
	crowd->sum_us += took_us;
	if (took_us > crowd->max_us)
		crowd->max_us = took_us;
	conn->state = IDLE;
	crowd->under_way--;
}

/* Take what has happened; in busy times, until @until_us, each answer is the next question. false: nothing happens any more */
static bool step(struct crowd *crowd, uint64_t until_us)
{
	struct epoll_event events[EVENTS_MAX];
	int i, n = epoll_wait(crowd->epoll_fd, events, EVENTS_MAX, QUIET_MS);

	for (i = 0; i < n; i++) {
		struct conn *conn = &crowd->conns[events[i].data.u32];

		if (conn->state == OPENING)
			opened(crowd, conn);
		else if (conn->state != LOST)
			answered(crowd, conn);
		if (until_us && conn->state == IDLE && now_us() < until_us)
			ask(crowd, conn);
	}
	return n > 0;
}

static void settle(struct crowd *crowd, uint64_t until_us)
{
	uint32_t i;

	while (crowd->under_way)
		if (!step(crowd, until_us))
			break;
	for (i = 0; crowd->under_way && i < crowd->n; i++)
		if (crowd->conns[i].state == OPENING || crowd->conns[i].state == WAITING)
			lose(crowd, &crowd->conns[i], "has no answer");
}

static void open_more(struct crowd *crowd, uint32_t n)
{
	crowd->room = crowd->n + n;
	crowd->conns = realloc(crowd->conns, crowd->room * sizeof(*crowd->conns));
	if (!crowd->conns)
		exit(2);
	while (crowd->n < crowd->room) {
		begin_open(crowd);
		while (crowd->under_way >= OPENING_MAX && step(crowd, 0))
			;
	}
	settle(crowd, 0);
}

static void ping(struct crowd *crowd)
{
	uint32_t i;

	for (i = 0; i < crowd->n; i++) {
		ask(crowd, &crowd->conns[i]);
		while (crowd->under_way >= PINGS_MAX && step(crowd, 0))
			;
	}
	settle(crowd, 0);
}

static void busy(struct crowd *crowd, uint32_t n, uint32_t seconds)
{
	uint64_t until_us = now_us() + seconds * 1000000ull;
	uint32_t i;

	for (i = 0; i < n && i < crowd->n; i++)
		ask(crowd, &crowd->conns[i]);
	settle(crowd, until_us);
}

static bool obey(struct crowd *crowd, const char *line)
{
	uint64_t began_us = now_us(), took_us;
	unsigned int n, seconds;

	crowd->answers = 0;
	crowd->sum_us = 0;
	crowd->max_us = 0;
	if (sscanf(line, "open %u", &n) == 1)
		open_more(crowd, n);
	else if (sscanf(line, "busy %u %u", &n, &seconds) == 2)
		busy(crowd, n, seconds);
	else if (!strcmp(line, "ping\n"))
		ping(crowd);
	else
		return false;
	took_us = now_us() - began_us;
	printf("conns=%u lost=%u ms=%" PRIu64 " answers=%" PRIu64 " mean_us=%" PRIu64 " max_us=%" PRIu64 "\n", crowd->n, crowd->lost,
	       took_us / 1000, crowd->answers, crowd->answers ? crowd->sum_us / crowd->answers : 0, crowd->max_us);
	fflush(stdout);
	return true;
}

int main(int argc, char **argv)
{
	struct crowd crowd = { .server.sin_family = AF_INET };
	struct rlimit files = { 1 << 20, 1 << 20 };
	struct in_addr source;
	char line[128];

	if (argc != 5 || inet_pton(AF_INET, argv[1], &crowd.server.sin_addr) != 1 || inet_pton(AF_INET, argv[3], &source) != 1) {
		fprintf(stderr, "usage: conn_crowd ADDRESS PORT FIRST-SOURCE SOURCES\n");
		return 2;
	}
	crowd.server.sin_port = htons((uint16_t)atoi(argv[2]));
	crowd.source = ntohl(source.s_addr);
	crowd.n_sources = (uint32_t)atoi(argv[4]);
	crowd.epoll_fd = epoll_create1(0);
	if (!crowd.n_sources || crowd.epoll_fd < 0)
		return 2;
	if (setrlimit(RLIMIT_NOFILE, &files))
		perror("open files");
	while (fgets(line, sizeof(line), stdin) && obey(&crowd, line))
		;
	return crowd.lost ? 1 : 0;
}
