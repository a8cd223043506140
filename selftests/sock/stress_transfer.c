// SPDX-License-Identifier: GPL-2.0
/*
 * One connection, both directions at once. Several threads, and perhaps a child, read from one socket, several write to it, others set its options.
 * Who gets which bytes is the kernel's choice: what is checked is how many came, and their sum; with one reader, their order.
 */
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

#define READERS_MAX 4
#define WRITERS_MAX 3
#define BYTES_MAX 400000

enum violence { PEACE, CLIENT_RESETS, SERVER_SHUTS_DOWN, CLIENT_CLOSES, ONE_CLOSES, VIOLENCES };
static const char *const violence_names[] = { "peace", "the client resets", "the server shuts down", "the client closes", "one descriptor of many is closed" };

enum reading { PLAINLY, IN_PARTS, WHEN_POLLED, WHEN_EPOLLED, AFTER_A_LOOK, BY_SPLICE, READINGS };

/* What is to be; from the seed. */
struct plan {
	uint32_t to_server, to_client;		/* bytes */
	uint32_t readers, writers;
	enum violence violence;
	uint32_t after;				/* bytes, then it happens */
	bool options, child, slow_client;
	enum reading reading[READERS_MAX];
};

/* What came, and its sum; a child counts here, too. */
struct count {
	atomic_ullong bytes, sum;
};

struct conn {
	struct plan plan;
	struct dice dice;
	char name[160];
	int server[READERS_MAX], client;	/* each reader has a descriptor of his own, of one and the same socket */
	struct { struct count server_sent, server_got, client_sent, client_got; } *count;	/* shared */
	atomic_bool broken, over;
};

static void draw(struct plan *plan, struct dice *dice)
{
	uint32_t i;

	*plan = (struct plan){
		.to_server = roll(dice, 4) ? roll(dice, BYTES_MAX) : roll(dice, 100),
		.to_client = roll(dice, 4) ? roll(dice, BYTES_MAX) : roll(dice, 100),
		.readers = 1 + roll(dice, READERS_MAX),
		.writers = 1 + roll(dice, WRITERS_MAX),
		.violence = roll(dice, 2) ? PEACE : roll(dice, VIOLENCES),
		.options = !roll(dice, 2),
		.child = !roll(dice, 4),
		.slow_client = !roll(dice, 4),
	};
	plan->after = plan->to_server ? roll(dice, plan->to_server) : 0;
	for (i = 0; i < READERS_MAX; i++)
		plan->reading[i] = roll(dice, READINGS);
}

/* ---- counting ---- */

static uint8_t byte_at(uint64_t offset) { return (uint8_t)(offset * 7 + offset / 251); }

static uint64_t sum_of(const uint8_t *bytes, size_t n)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += bytes[i];
	return sum;
}

static void counted(struct count *count, const uint8_t *bytes, size_t n)
{
	count->sum += sum_of(bytes, n);
	count->bytes += n;
}

/* ---- the server reads ---- */

static long read_plainly(int fd, uint8_t *buffer, size_t size) { return recv(fd, buffer, size, 0); }

static long read_in_parts(int fd, uint8_t *buffer, size_t size)
{
	struct iovec parts[2] = { { buffer, size / 2 }, { buffer + size / 2, size - size / 2 } };

	return readv(fd, parts, 2);
}

static long read_when_polled(int fd, uint8_t *buffer, size_t size)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	long got;

	do {
		poll(&poll_fd, 1, -1);
		got = recv(fd, buffer, size, MSG_DONTWAIT);
	} while (got < 0 && errno == EAGAIN);	/* another one was faster */
	return got;
}

static long read_when_epolled(int fd, uint8_t *buffer, size_t size)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP };
	int set = epoll_create1(EPOLL_CLOEXEC);
	long got;

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	do {
		epoll_wait(set, &event, 1, -1);
		got = recv(fd, buffer, size, MSG_DONTWAIT);
	} while (got < 0 && errno == EAGAIN);
	close(set);
	return got;
}

static long read_after_a_look(int fd, uint8_t *buffer, size_t size)
{
	long seen = recv(fd, buffer, size, MSG_PEEK);

	return seen <= 0 ? seen : recv(fd, buffer, size, 0);
}

static long read_by_splice(int fd, uint8_t *buffer, size_t size)
{
	int ends[2], error;
	long got, at = 0, n;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	got = splice(fd, NULL, ends[1], NULL, size < 4096 ? size : 4096, 0);
	error = errno;
	while (got > 0 && at < got && (n = read(ends[0], buffer + at, got - at)) > 0)
		at += n;
	if (got > 0 && at < got)
		wrong("splice", "of %ld bytes in the pipe %ld can be read: %s", got, at, strerror(errno));
	close(ends[0]);
	close(ends[1]);
	errno = error;
	return got;
}

static long (*const reads[])(int fd, uint8_t *buffer, size_t size) = {
	[PLAINLY] = read_plainly, [IN_PARTS] = read_in_parts, [WHEN_POLLED] = read_when_polled, [WHEN_EPOLLED] = read_when_epolled,
	[AFTER_A_LOOK] = read_after_a_look, [BY_SPLICE] = read_by_splice,
};

static bool in_order(const uint8_t *bytes, long n, uint64_t from)
{
	long i;

	for (i = 0; i < n; i++)
		if (bytes[i] != byte_at(from + i))
			return false;
	return true;
}

static void reader(struct actor *actor)
{
	struct conn *conn = actor->of;
	bool alone = conn->plan.readers == 1 && !conn->plan.child;
	struct count *count = &conn->count->server_got;
	uint8_t buffer[8192];
	long got;

	for (;;) {
		got = reads[conn->plan.reading[actor->part]](conn->server[actor->part], buffer, 1 + roll(&actor->dice, sizeof(buffer)));
		if (got <= 0)
			break;
		if (alone && !in_order(buffer, got, count->bytes))
			wrong(conn->name, "not the byte that was sent, at or after %llu", (unsigned long long)count->bytes);
		counted(count, buffer, got);
	}
	if (got < 0 && conn->plan.violence == PEACE)
		wrong(conn->name, "reader %u: %s", actor->part, strerror(errno));
}

/* After fork() in a program of many threads: nothing but calls of the kernel. */
static pid_t child_reads(struct conn *conn)
{
	pid_t pid = fork();
	uint8_t buffer[1000];
	long got;

	if (pid)
		return pid;
	while ((got = recv(conn->server[0], buffer, sizeof(buffer), 0)) > 0)
		counted(&conn->count->server_got, buffer, got);
	_exit(0);
}

/* ---- the server writes, and changes its mind ---- */

static uint32_t share(const struct conn *conn, uint32_t part)
{
	uint32_t each = conn->plan.to_client / conn->plan.writers;

	return part ? each : conn->plan.to_client - each * (conn->plan.writers - 1);
}

static void writer(struct actor *actor)
{
	static const int flags[] = { 0, MSG_MORE, MSG_NOSIGNAL, MSG_DONTWAIT };
	struct conn *conn = actor->of;
	uint32_t left = share(conn, actor->part), n;
	uint8_t buffer[16384];
	long sent;

	memset(buffer, 'a' + actor->part, sizeof(buffer));
	while (left) {
		n = 1 + roll(&actor->dice, sizeof(buffer));
		n = n < left ? n : left;
		sent = send(conn->server[0], buffer, n, flags[roll(&actor->dice, COUNT(flags))]);
		if (sent < 0 && errno == EAGAIN)
			sent = send(conn->server[0], buffer, n, 0);
		if (sent < 0)
			break;
		counted(&conn->count->server_sent, buffer, sent);
		left -= sent;
	}
	if (left && conn->plan.violence == PEACE)
		wrong(conn->name, "writer %u: %s", actor->part, strerror(errno));
}

static void options(struct actor *actor)
{
	static const struct { int level, name, most; } numbers[] = {
		{ SOL_SOCKET, SO_RCVBUF, 300000 }, { SOL_SOCKET, SO_SNDBUF, 300000 }, { SOL_SOCKET, SO_RCVLOWAT, 1 }, { SOL_SOCKET, SO_KEEPALIVE, 2 },
		{ IPPROTO_TCP, TCP_NODELAY, 2 }, { IPPROTO_TCP, TCP_CORK, 2 }, { IPPROTO_TCP, TCP_QUICKACK, 2 }, { IPPROTO_TCP, TCP_KEEPIDLE, 100 },
	};
	struct conn *conn = actor->of;
	struct sockaddr_storage address;
	struct tcp_info info;
	socklen_t length;
	int value, which;

	while (!conn->over) {
		which = roll(&actor->dice, COUNT(numbers));
		value = roll(&actor->dice, numbers[which].most) + (numbers[which].most > 2);
		setsockopt(conn->server[0], numbers[which].level, numbers[which].name, &value, sizeof(value));
		length = sizeof(info);
		getsockopt(conn->server[0], IPPROTO_TCP, TCP_INFO, &info, &length);
		ioctl(conn->server[0], roll(&actor->dice, 2) ? SIOCINQ : SIOCOUTQ, &value);
		length = sizeof(address);
		getpeername(conn->server[0], (struct sockaddr *)&address, &length);
		usleep(1000);
	}
	value = 0;
	setsockopt(conn->server[0], IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
}

/* ---- the client ---- */

static void client_sends(struct actor *actor)
{
	struct conn *conn = actor->of;
	struct count *count = &conn->count->client_sent;
	uint8_t buffer[16384];
	uint32_t n, left, i;
	long sent;

	while ((left = conn->plan.to_server - count->bytes)) {
		n = 1 + roll(&actor->dice, sizeof(buffer));
		n = n < left ? n : left;
		for (i = 0; i < n; i++)
			buffer[i] = byte_at(count->bytes + i);
		sent = send(conn->client, buffer, n, 0);
		if (sent < 0)
			break;
		counted(count, buffer, sent);
	}
	shutdown(conn->client, SHUT_WR);
	if (left && conn->plan.violence == PEACE)
		wrong(conn->name, "the client's sender: %s", strerror(errno));
}

static void client_receives(struct actor *actor)
{
	struct conn *conn = actor->of;
	uint8_t buffer[16384];
	long got;

	while ((got = recv(conn->client, buffer, 1 + roll(&actor->dice, sizeof(buffer)), 0)) > 0) {
		counted(&conn->count->client_got, buffer, got);
		if (conn->plan.slow_client && !roll(&actor->dice, 8))
			usleep(10000);
	}
	if (got < 0 && conn->plan.violence == PEACE)
		wrong(conn->name, "the client's receiver: %s", strerror(errno));
}

/* ---- violence ---- */

/* With a RST; the descriptor stays, for others who use it. */
static void disconnect(int fd)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	connect(fd, &nowhere, sizeof(nowhere));
}

static void villain(struct actor *actor)
{
	struct conn *conn = actor->of;
	const struct plan *plan = &conn->plan;

	while (!conn->over && conn->count->server_got.bytes < plan->after)
		usleep(500);
	conn->broken = true;
	switch (plan->violence) {
	case CLIENT_RESETS:
		disconnect(conn->client);
		break;
	case CLIENT_CLOSES:
		shutdown(conn->client, SHUT_RDWR);
		break;
	case SERVER_SHUTS_DOWN:
		shutdown(conn->server[0], SHUT_RDWR);
		break;
	default:
		break;
	}
}

/* ---- one connection ---- */

static void open_conn(struct conn *conn, const struct stress *stress, int listener)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	struct run run = stress->run;
	struct timeval never = {};
	uint32_t i;

	pthread_mutex_lock(&one_at_a_time);
	conn->client = client_connect(&run);
	conn->server[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	pthread_mutex_unlock(&one_at_a_time);
	setsockopt(conn->client, SOL_SOCKET, SO_RCVTIMEO, &never, sizeof(never));
	setsockopt(conn->client, SOL_SOCKET, SO_SNDTIMEO, &never, sizeof(never));
	for (i = 1; i < READERS_MAX; i++)
		conn->server[i] = fcntl(conn->server[0], F_DUPFD_CLOEXEC, 0);
	conn->count = mmap(NULL, sizeof(*conn->count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(conn->count, 0, sizeof(*conn->count));
}

static void close_conn(struct conn *conn)
{
	uint32_t i;

	for (i = 0; i < READERS_MAX; i++)
		if (conn->server[i] >= 0)
			close(conn->server[i]);
	close(conn->client);
	munmap(conn->count, sizeof(*conn->count));
}

static void same(const struct conn *conn, const char *way, const struct count *sent, const struct count *got, uint32_t planned)
{
	if (conn->plan.violence != PEACE && conn->plan.violence != ONE_CLOSES) {
		if (got->bytes > sent->bytes)
			wrong(conn->name, "%s: %llu bytes came of %llu", way, got->bytes, sent->bytes);
		return;
	}
	if (sent->bytes != planned || got->bytes != planned || sent->sum != got->sum)
		wrong(conn->name, "%s: %llu bytes (sum %llu) came of %llu (sum %llu), and %u were planned", way, got->bytes, got->sum, sent->bytes,
		      sent->sum, planned);
}

/* A descriptor that nobody uses goes; the socket does not. */
static void close_one(struct conn *conn)
{
	if (conn->plan.violence == ONE_CLOSES && conn->plan.readers < READERS_MAX) {
		close(conn->server[READERS_MAX - 1]);
		conn->server[READERS_MAX - 1] = -1;
	}
}

static void drive(struct conn *conn)
{
	struct actor readers[READERS_MAX], writers[WRITERS_MAX], sends, receives, optioner, evil;
	const struct plan *plan = &conn->plan;
	pid_t child = plan->child ? child_reads(conn) : 0;
	uint32_t i;

	for (i = 0; i < plan->readers; i++)
		actor_start(&readers[i], "reader", reader, conn, i, &conn->dice);
	for (i = 0; i < plan->writers; i++)
		actor_start(&writers[i], "writer", writer, conn, i, &conn->dice);
	actor_start(&sends, "the client's sender", client_sends, conn, 0, &conn->dice);
	actor_start(&receives, "the client's receiver", client_receives, conn, 0, &conn->dice);
	actor_start(&evil, "villain", villain, conn, 0, &conn->dice);
	if (plan->options)
		actor_start(&optioner, "options", options, conn, 0, &conn->dice);
	close_one(conn);
	for (i = 0; i < plan->writers; i++)
		actor_join(&writers[i], conn->name);
	shutdown(conn->server[0], SHUT_WR);
	actor_join(&sends, conn->name);
	for (i = 0; i < plan->readers; i++)
		actor_join(&readers[i], conn->name);
	actor_join(&receives, conn->name);
	conn->over = true;
	actor_join(&evil, conn->name);
	if (plan->options)
		actor_join(&optioner, conn->name);
	if (child)
		waitpid(child, NULL, 0);
}

void stress_transfer(const struct stress *stress, int listener, uint32_t no)
{
	struct conn conn = { .dice = { stress->seed + no * 7919 } };
	const struct plan *plan = &conn.plan;

	draw(&conn.plan, &conn.dice);
	snprintf(conn.name, sizeof(conn.name), "connection %u: %u bytes in, %u out, %u readers%s, %u writers%s, %s after %u", no, plan->to_server, plan->to_client,
		 plan->readers, plan->child ? " and a child" : "", plan->writers, plan->options ? ", options" : "", violence_names[plan->violence],
		 plan->after);
	if (stress->verbose)
		printf("# %s\n", conn.name);
	open_conn(&conn, stress, listener);
	drive(&conn);
	same(&conn, "in", &conn.count->client_sent, &conn.count->server_got, plan->to_server);
	same(&conn, "out", &conn.count->server_sent, &conn.count->client_got, plan->to_client);
	close_conn(&conn);
}
