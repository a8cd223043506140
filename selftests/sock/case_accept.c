// SPDX-License-Identifier: GPL-2.0
/* accept(), and what is inherited. */
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "run.h"

static void case_accept_plain(struct run *r)
{
	int listener = listener_open(r, 4), fd;
	union address address;
	socklen_t length = sizeof(address);

	client_connect(r);
	AWAIT(r, listener, POLLIN);
	fd = FD(r, accept(listener, &address.any, &length));
	note_address(r, "peer", &address, length);
	note(r, "nonblocking: %d, closed on exec: %d", !!(fcntl(fd, F_GETFL) & O_NONBLOCK), fcntl(fd, F_GETFD) & FD_CLOEXEC);
	POLL(r, listener, POLLIN, 0);
	POLL(r, fd, POLLIN | POLLOUT | POLLRDHUP, 0);
}

static void case_accept_flags(struct run *r)
{
	int listener = listener_open(r, 4), fd;

	client_connect(r);
	fd = FD(r, accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
	note(r, "nonblocking: %d, closed on exec: %d", !!(fcntl(fd, F_GETFL) & O_NONBLOCK), fcntl(fd, F_GETFD) & FD_CLOEXEC);
	FD(r, accept4(listener, NULL, NULL, 0x5000));
}

static void case_accept_nonblocking(struct run *r)
{
	int listener = listener_open(r, 4);

	nonblocking(listener, true);
	FD(r, accept(listener, NULL, NULL));
	client_connect(r);
	AWAIT(r, listener, POLLIN);
	FD(r, accept(listener, NULL, NULL));
	FD(r, accept(listener, NULL, NULL));
}

static void case_accept_timeout(struct run *r)
{
	struct timeval limit = { .tv_usec = 50000 };
	int listener = listener_open(r, 4);

	CALL(r, setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	FD(r, accept(listener, NULL, NULL));
}

static void case_accept_waits(struct run *r)
{
	struct worker w = { .flags = 0 };
	int listener = listener_open(r, 4);

	worker_start(&w, work_accept, listener);
	worker_blocked(r, &w);
	client_connect(r);
	worker_end(r, &w, "accept");
}

static void case_accept_interrupted(struct run *r)
{
	struct worker w = { .flags = 0 };
	int listener = listener_open(r, 4);

	worker_start(&w, work_accept, listener);
	worker_blocked(r, &w);
	pthread_kill(w.thread, SIGUSR1);
	worker_end(r, &w, "accept");
	signals_set(SA_RESTART);
	worker_start(&w, work_accept, listener);
	worker_blocked(r, &w);
	pthread_kill(w.thread, SIGUSR1);
	client_connect(r);
	worker_end(r, &w, "accept, restarted");
}

static void case_accept_shut_down_while(struct run *r)
{
	struct worker w = { .flags = 0 };
	int listener = listener_open(r, 4);

	worker_start(&w, work_accept, listener);
	worker_blocked(r, &w);
	CALL(r, shutdown(listener, SHUT_RD));
	worker_end(r, &w, "accept");
}

static void case_accept_reset_before(struct run *r)
{
	int listener = listener_open(r, 4), client = client_connect(r), fd;

	AWAIT(r, listener, POLLIN);
	client_reset(client);
	usleep(20000);
	fd = FD(r, accept(listener, NULL, NULL));
	AWAIT(r, fd, POLLHUP);
	RECV(r, fd, 10, 0);
	RECV(r, fd, 10, 0);
}

static void case_accept_closed_before(struct run *r)
{
	int listener = listener_open(r, 4), client = client_connect(r), fd;

	CALL(r, send(client, "last words", 10, 0));
	close(client);
	AWAIT(r, listener, POLLIN);
	fd = FD(r, accept(listener, NULL, NULL));
	AWAIT(r, fd, POLLRDHUP);
	RECV(r, fd, 100, 0);
	RECV(r, fd, 100, 0);
}

static void case_accept_two_listeners_close(struct run *r)
{
	int listener = listener_open(r, 4), client = client_connect(r);
	char byte;

	AWAIT(r, listener, POLLIN);
	close(listener);
	CALL(r, recv(client, &byte, 1, 0));
}

static void case_accept_bad_address(struct run *r)
{
	int listener = listener_open(r, 4);
	union address address;
	socklen_t length = -1;

	client_connect(r);
	AWAIT(r, listener, POLLIN);
	FD(r, accept(listener, &address.any, &length));
}

static void case_accept_inherits(struct run *r)
{
	struct linger linger = { 1, 7 };
	int fd = server_socket(r);
	socklen_t length = sizeof(linger);

	SET(r, fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	SET(r, fd, IPPROTO_TCP, TCP_NODELAY, 1);
	SET(r, fd, IPPROTO_TCP, TCP_KEEPIDLE, 33);
	SET(r, fd, IPPROTO_TCP, TCP_KEEPINTVL, 22);
	SET(r, fd, IPPROTO_TCP, TCP_KEEPCNT, 11);
	SET(r, fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 12345);
	SET(r, fd, SOL_SOCKET, SO_RCVLOWAT, 3);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	bind_server(r, fd, r->port);
	CALL(r, listen(fd, 2));
	client_connect(r);
	fd = accept(fd, NULL, NULL);
	GET(r, fd, SOL_SOCKET, SO_KEEPALIVE);
	GET(r, fd, IPPROTO_TCP, TCP_NODELAY);
	GET(r, fd, IPPROTO_TCP, TCP_KEEPIDLE);
	GET(r, fd, IPPROTO_TCP, TCP_KEEPINTVL);
	GET(r, fd, IPPROTO_TCP, TCP_KEEPCNT);
	GET(r, fd, IPPROTO_TCP, TCP_USER_TIMEOUT);
	GET(r, fd, SOL_SOCKET, SO_RCVLOWAT);
	memset(&linger, 0, sizeof(linger));
	CALL(r, getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length));
	note(r, "linger %d, %d s", linger.l_onoff, linger.l_linger);
}

static void case_accept_deferred(struct run *r)
{
	int fd = server_socket(r), client;

	SET(r, fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1000);
	bind_server(r, fd, r->port);
	listen(fd, 2);
	client = client_connect(r);
	POLL(r, fd, POLLIN, 50);
	CALL(r, send(client, "now", 3, 0));
	AWAIT(r, fd, POLLIN);
	fd = FD(r, accept(fd, NULL, NULL));
	RECV(r, fd, 10, MSG_DONTWAIT);
}

const struct test_case accept_cases[] = {
	CASE(accept_plain), CASE(accept_flags), CASE(accept_nonblocking), CASE(accept_timeout), CASE(accept_waits), CASE(accept_interrupted),
	CASE(accept_shut_down_while), CASE(accept_reset_before), CASE(accept_closed_before), CASE(accept_two_listeners_close), CASE(accept_bad_address),
	CASE(accept_inherits), CASE(accept_deferred), {},
};
