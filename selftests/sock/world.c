// SPDX-License-Identifier: GPL-2.0
/* Sockets, addresses and conditions that cases wait for. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

bool await(bool (*condition)(int fd), int fd)
{
	int64_t deadline = now_ms() + DEADLINE_MS;

	while (!condition(fd)) {
		if (now_ms() > deadline)
			return false;
		usleep(1000);
	}
	return true;
}

/* --- addresses --- */

static socklen_t address_of(int family, union address *address, const struct in_addr *v4, const struct in6_addr *v6, unsigned int port)
{
	memset(address, 0, sizeof(*address));
	address->any.sa_family = family;
	if (family == AF_INET) {
		address->v4.sin_port = htons(port);
		address->v4.sin_addr = *v4;
		return sizeof(address->v4);
	}
	address->v6.sin6_port = htons(port);
	address->v6.sin6_addr = *v6;
	return sizeof(address->v6);
}

socklen_t server_address(const struct run *r, union address *address, unsigned int port)
{
	return address_of(r->family, address, &r->server4.sin_addr, &r->server6.sin6_addr, port);
}

socklen_t any_address(const struct run *r, union address *address, unsigned int port)
{
	struct in_addr v4 = { htonl(INADDR_ANY) };

	return address_of(r->family, address, &v4, &in6addr_any, port);
}

socklen_t loopback_address(const struct run *r, union address *address, unsigned int port)
{
	struct in_addr v4 = { htonl(INADDR_LOOPBACK) };

	return address_of(r->family, address, &v4, &in6addr_loopback, port);
}

static unsigned int port_of(const union address *address)
{
	return ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port : address->v6.sin6_port);
}

/* Whose address it is, not which: runs have ports of their own, and clients any. */
void note_address(struct run *r, const char *what, const union address *address, socklen_t length)
{
	unsigned int port = port_of(address);
	char text[INET6_ADDRSTRLEN] = "?";
	const char *whose = port >= r->port && port < r->port + 8 ? "the server's" : port ? "another" : "none";

	if (address->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &address->v4.sin_addr, text, sizeof(text));
	else if (address->any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &address->v6.sin6_addr, text, sizeof(text));
	note(r, "%s: family %d, length %u, address %s, port: %s", what, address->any.sa_family, length, text, whose);
}

/* --- sockets --- */

int server_socket(struct run *r)
{
	int fd = socket(r->family, SOCK_STREAM, r->protocol), one = 1;

	if (fd < 0) {
		trouble(r, "no socket: %s", strerrorname_np(errno));
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

int bind_server(struct run *r, int fd, unsigned int port)
{
	union address address;
	socklen_t length = server_address(r, &address, port);

	return bind(fd, &address.any, length);
}

int listener_open(struct run *r, int backlog)
{
	int fd = server_socket(r);

	if (bind_server(r, fd, r->port) || listen(fd, backlog)) {
		trouble(r, "no listener: %s", strerrorname_np(errno));
		exit(1);
	}
	return fd;
}

/* A socket stays in the namespace that it was made in. */
int client_socket_of(struct run *r, int family)
{
	struct timeval limit = { .tv_sec = DEADLINE_MS / 1000 };
	int fd;

	if (r->client_netns >= 0)
		setns(r->client_netns, CLONE_NEWNET);
	fd = socket(family, SOCK_STREAM, IPPROTO_TCP);
	if (r->client_netns >= 0)
		setns(r->own_netns, CLONE_NEWNET);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return fd;
}

int client_socket(struct run *r)
{
	return client_socket_of(r, r->family);
}

int client_connect_fd(struct run *r, int fd)
{
	union address address;
	socklen_t length = server_address(r, &address, r->port);

	return connect(fd, &address.any, length);
}

int client_connect(struct run *r)
{
	int fd = client_socket(r);

	if (client_connect_fd(r, fd)) {
		trouble(r, "the client cannot connect: %s", strerrorname_np(errno));
		exit(1);
	}
	return fd;
}

unsigned int client_port(int fd)
{
	union address address;
	socklen_t length = sizeof(address);

	memset(&address, 0, sizeof(address));
	getsockname(fd, &address.any, &length);
	return port_of(&address);
}

struct pair pair_open(struct run *r)
{
	struct pair p;

	p.listener = listener_open(r, 8);
	p.client = client_connect(r);
	p.server = accept(p.listener, NULL, NULL);
	if (p.server < 0) {
		trouble(r, "not accepted: %s", strerrorname_np(errno));
		exit(1);
	}
	return p;
}

void client_reset(int fd)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static bool hung_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };
	int wanted = POLLHUP | POLLRDHUP;

	return poll(&p, 1, 0) > 0 && (p.revents & wanted) == wanted;
}

/* The client resets, and the server knows. */
void pair_reset(struct run *r, struct pair *p)
{
	client_reset(p->client);
	p->client = -1;
	if (!await(hung_up, p->server))
		trouble(r, "the reset did not arrive");
}

void nonblocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

/* --- what has arrived --- */

static bool acknowledged(int fd)
{
	int left = 0;

	return ioctl(fd, SIOCOUTQ, &left) || !left;
}

/* All that the client has said is acknowledged, its FIN included: the server's side has it. */
void settle(struct run *r, int client)
{
	if (!await(acknowledged, client))
		trouble(r, "what the client sent is not acknowledged");
}

void peek_until(struct run *r, int fd, size_t bytes)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	static char buffer[65536];

	while (recv(fd, buffer, sizeof(buffer), MSG_PEEK | MSG_DONTWAIT) < (ssize_t)bytes) {
		if (now_ms() > deadline) {
			trouble(r, "%zu bytes did not arrive", bytes);
			return;
		}
		usleep(1000);
	}
}

/* Write until nothing fits, not even after what is under way has settled: room may come that is too little for poll() to tell. */
size_t fill(struct run *r, int fd)
{
	static const char zeros[4096];
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int64_t deadline = now_ms() + DEADLINE_MS;
	size_t total = 0, before;
	ssize_t count;

	do {
		before = total;
		while ((count = send(fd, zeros, sizeof(zeros), MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
			total += count;
		if (errno != EAGAIN || now_ms() > deadline) {
			trouble(r, "not filled: %s", strerrorname_np(errno));
			break;
		}
	} while (poll(&p, 1, 400) > 0 || total > before);
	return total;
}

void drain(struct run *r, int fd, size_t bytes)
{
	char buffer[16384];
	ssize_t count;

	while (bytes) {
		count = recv(fd, buffer, bytes < sizeof(buffer) ? bytes : sizeof(buffer), 0);
		if (count <= 0) {
			trouble(r, "drained too early: %s", count ? strerrorname_np(errno) : "end");
			return;
		}
		bytes -= count;
	}
}

/* --- signals --- */

static volatile sig_atomic_t signal_counts[NSIG];

static void count_signal(int number)
{
	signal_counts[number]++;
}

void signals_set(int restart)
{
	static const int numbers[] = { SIGPIPE, SIGUSR1, SIGURG, SIGIO };
	struct sigaction action = { .sa_handler = count_signal, .sa_flags = restart };
	size_t i;

	for (i = 0; i < COUNT(numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

/* Since it was asked last. */
int signals_of(int number)
{
	int count = signal_counts[number];

	signal_counts[number] = 0;
	return count;
}

/* --- bytes --- */

/* A page that is there, and after it one that is not. */
void *page_hole(size_t *page)
{
	char *p;

	*page = sysconf(_SC_PAGESIZE);
	p = mmap(NULL, 2 * *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(p + *page, *page, PROT_NONE);
	memset(p, 'p', *page);
	return p;
}

static unsigned char pattern_byte(uint64_t offset)
{
	return (offset * 31 + (offset >> 8) * 7 + (offset >> 16)) & 0xff;
}

void pattern_fill(void *buffer, size_t bytes, uint64_t offset)
{
	unsigned char *p = buffer;

	while (bytes--)
		*p++ = pattern_byte(offset++);
}

bool pattern_is(const void *buffer, size_t bytes, uint64_t offset)
{
	const unsigned char *p = buffer;

	while (bytes--) {
		if (*p++ != pattern_byte(offset++))
			return false;
	}
	return true;
}

bool send_pattern(int fd, size_t bytes)
{
	char buffer[20000];
	size_t sent = 0, part;
	ssize_t count;

	while (sent < bytes) {
		part = bytes - sent < sizeof(buffer) ? bytes - sent : sizeof(buffer);
		pattern_fill(buffer, part, sent);
		count = send(fd, buffer, part, MSG_NOSIGNAL);
		if (count <= 0)
			return false;
		sent += count;
	}
	return true;
}

bool recv_pattern(int fd, size_t bytes)
{
	char buffer[17000];
	size_t received = 0, part;
	ssize_t count;

	while (received < bytes) {
		part = bytes - received < sizeof(buffer) ? bytes - received : sizeof(buffer);
		count = recv(fd, buffer, part, 0);
		if (count <= 0 || !pattern_is(buffer, count, received))
			return false;
		received += count;
	}
	return true;
}
