// SPDX-License-Identifier: GPL-2.0
/* Sockets before they have connections: bind, listen, connect, names. */
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

static int named(struct run *r, int fd, bool peer, const char *what)
{
	union address address;
	socklen_t length = sizeof(address);
	int result;

	memset(&address, 0, sizeof(address));
	result = peer ? getpeername(fd, &address.any, &length) : getsockname(fd, &address.any, &length);
	record_call(r, what, result);
	if (!result)
		note_address(r, what, &address, length);
	return result;
}

static void case_socket_kind(struct run *r)
{
	int fd = server_socket(r);

	GET(r, fd, SOL_SOCKET, SO_TYPE);
	GET(r, fd, SOL_SOCKET, SO_DOMAIN);
	GET(r, fd, SOL_SOCKET, SO_ACCEPTCONN);
	GET(r, fd, SOL_SOCKET, SO_ERROR);
	CALL(r, listen(fd, 1));
	GET(r, fd, SOL_SOCKET, SO_ACCEPTCONN);
	POLL(r, fd, POLLIN | POLLOUT, 0);
}

static void case_socket_unconnected(struct run *r)
{
	int fd = server_socket(r);
	char byte = 0;

	POLL(r, fd, POLLIN | POLLOUT | POLLRDHUP, 0);
	CALL(r, recv(fd, &byte, 1, MSG_DONTWAIT));
	CALL(r, send(fd, &byte, 1, MSG_NOSIGNAL));
	CALL(r, write(fd, &byte, 1));
	record_signals(r);
	CALL(r, shutdown(fd, SHUT_RDWR));
	CALL(r, accept(fd, NULL, NULL));
	named(r, fd, false, "name");
	named(r, fd, true, "peer");
}

static void case_bind_in_use(struct run *r)
{
	int first = listener_open(r, 1), second = server_socket(r), third = socket(r->family, SOCK_STREAM, IPPROTO_TCP);

	CALL(r, bind_server(r, second, r->port));
	CALL(r, bind_server(r, third, r->port));
	close(first);
	CALL(r, bind_server(r, third, r->port));
}

static void case_bind_both_then_listen(struct run *r)
{
	int first = server_socket(r), second = server_socket(r);

	CALL(r, bind_server(r, first, r->port));
	CALL(r, bind_server(r, second, r->port));
	CALL(r, listen(first, 1));
	CALL(r, listen(second, 1));
}

static void case_bind_twice(struct run *r)
{
	int fd = server_socket(r);

	CALL(r, bind_server(r, fd, r->port));
	CALL(r, bind_server(r, fd, r->port + 1));
	named(r, fd, false, "name");
}

static void case_bind_not_local(struct run *r)
{
	union address address;
	socklen_t length = server_address(r, &address, r->port);
	int fd = server_socket(r);

	if (r->family == AF_INET)
		address.v4.sin_addr.s_addr = htonl(0xc0000201);	/* 192.0.2.1 */
	else
		memcpy(&address.v6.sin6_addr, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	CALL(r, bind(fd, &address.any, length));
}

static void case_bind_short_address(struct run *r)
{
	union address address;
	socklen_t length = server_address(r, &address, r->port);
	int fd = server_socket(r);

	CALL(r, bind(fd, &address.any, length - 5));
	CALL(r, bind(fd, NULL, length));
}

static void case_bind_any_port(struct run *r)
{
	union address address;
	socklen_t length = server_address(r, &address, 0);
	int fd = server_socket(r), other = server_socket(r);

	CALL(r, bind(fd, &address.any, length));
	named(r, fd, false, "name");
	CALL(r, listen(fd, 1));
	CALL(r, listen(other, 1));
	named(r, other, false, "name of one that was not bound");
}

static void case_listen_twice(struct run *r)
{
	int fd = listener_open(r, 1);

	CALL(r, listen(fd, 5));
	CALL(r, listen(fd, 0));
	client_connect(r);
	AWAIT(r, fd, POLLIN);
}

static void case_listen_connected(struct run *r)
{
	struct pair p = pair_open(r);

	CALL(r, listen(p.server, 1));
	CALL(r, bind_server(r, p.server, r->port + 1));
	CALL(r, accept(p.server, NULL, NULL));
}

static void case_listen_closed(struct run *r)
{
	int fd = listener_open(r, 1);

	close(fd);
	CALL(r, client_connect_fd(r, client_socket(r)));
}

static void case_listen_shut_down(struct run *r)
{
	int fd = listener_open(r, 1);

	CALL(r, shutdown(fd, SHUT_WR));
	POLL(r, fd, POLLIN | POLLOUT, 0);
	CALL(r, shutdown(fd, SHUT_RD));
	POLL(r, fd, POLLIN | POLLOUT, 0);
	CALL(r, accept(fd, NULL, NULL));
	CALL(r, client_connect_fd(r, client_socket(r)));
	CALL(r, shutdown(fd, SHUT_RD));
	CALL(r, listen(fd, 1));
	CALL(r, client_connect_fd(r, client_socket(r)));
}

static void case_listener_io(struct run *r)
{
	int fd = listener_open(r, 1);
	char byte = 0;

	CALL(r, recv(fd, &byte, 1, MSG_DONTWAIT));
	CALL(r, send(fd, &byte, 1, MSG_NOSIGNAL));
	named(r, fd, false, "name");
	named(r, fd, true, "peer");
}

static void case_names(struct run *r)
{
	struct pair p = pair_open(r);

	named(r, p.server, false, "name");
	named(r, p.server, true, "peer");
	shutdown(p.client, SHUT_WR);
	AWAIT(r, p.server, POLLRDHUP);
	named(r, p.server, true, "peer after its end");
	pair_reset(r, &p);
	named(r, p.server, false, "name after the reset");
	named(r, p.server, true, "peer after the reset");
}

static void case_connect_active(struct run *r)
{
	int listener = listener_open(r, 1), fd = server_socket(r);
	union address address;
	socklen_t length = server_address(r, &address, r->port);

	note(r, "%s", listener < 0 ? "" : "listens");
	CALL(r, connect(fd, &address.any, length));
}

const struct test_case bind_cases[] = {
	CASE(socket_kind), CASE(socket_unconnected), CASE(bind_in_use), CASE(bind_both_then_listen), CASE(bind_twice), CASE(bind_not_local),
	CASE(bind_short_address), CASE(bind_any_port), CASE(listen_twice), CASE(listen_connected), CASE(listen_closed), CASE(listen_shut_down),
	CASE(listener_io), CASE(names), CASE(connect_active), {},
};
