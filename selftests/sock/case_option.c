// SPDX-License-Identifier: GPL-2.0
/* Options: values, ranges, lengths, and levels. */
#include <netinet/tcp.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "run.h"

static void set_and_get(struct run *r, int fd, int level, int option, const char *name, const int *values, size_t n)
{
	size_t i;

	note(r, "%s", name);
	GET(r, fd, level, option);
	for (i = 0; i < n; i++) {
		record_set(r, "set", fd, level, option, values[i]);
		GET(r, fd, level, option);
	}
}

#define VALUES(r, fd, level, option, ...) \
	set_and_get(r, fd, level, option, #option, (const int []){ __VA_ARGS__ }, sizeof((const int []){ __VA_ARGS__ }) / sizeof(int))

static void case_option_bools(struct run *r)
{
	int fd = server_socket(r);

	VALUES(r, fd, SOL_SOCKET, SO_KEEPALIVE, 1, 0, 5);
	VALUES(r, fd, SOL_SOCKET, SO_REUSEADDR, 0, 1);
	VALUES(r, fd, SOL_SOCKET, SO_OOBINLINE, 1, 0);
	VALUES(r, fd, IPPROTO_TCP, TCP_NODELAY, 1, 0, 7);
	VALUES(r, fd, IPPROTO_TCP, TCP_CORK, 1, 0);
}

static void case_option_keepalive(struct run *r)
{
	int fd = server_socket(r);

	VALUES(r, fd, IPPROTO_TCP, TCP_KEEPIDLE, 1, 32767, 0, 32768, -1);
	VALUES(r, fd, IPPROTO_TCP, TCP_KEEPINTVL, 1, 32767, 0, 32768, -1);
	VALUES(r, fd, IPPROTO_TCP, TCP_KEEPCNT, 1, 127, 0, 128, -1);
}

static void case_option_user_timeout(struct run *r)
{
	int fd = server_socket(r);

	VALUES(r, fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1, 100000, 0, -1);
}

static void case_option_maxseg(struct run *r)
{
	int fd = server_socket(r);

	VALUES(r, fd, IPPROTO_TCP, TCP_MAXSEG, 1000, 0, 32767, 32768, 20, -1);
}

static void case_option_maxseg_works(struct run *r)
{
	int fd = server_socket(r), mss;

	SET(r, fd, IPPROTO_TCP, TCP_MAXSEG, 700);
	bind_server(r, fd, r->port);
	listen(fd, 1);
	client_connect(r);
	fd = accept(fd, NULL, NULL);
	mss = 0;
	getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &(socklen_t){ sizeof(mss) });
	note(r, "not above 700: %d", mss > 0 && mss <= 700);
}

static void case_option_congestion(struct run *r)
{
	socklen_t length = 16;
	char name[16] = "";
	int fd = server_socket(r);

	CALL(r, setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	CALL(r, getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length));
	note(r, "%s, length %u", name, length);
	CALL(r, setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6));
	CALL(r, setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "", 0));
	CALL(r, setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, NULL, 4));
}

static void case_option_quickack(struct run *r)
{
	struct pair p = pair_open(r);

	GET(r, p.server, IPPROTO_TCP, TCP_QUICKACK);
	SET(r, p.server, IPPROTO_TCP, TCP_QUICKACK, 1);
	GET(r, p.server, IPPROTO_TCP, TCP_QUICKACK);
	SET(r, p.server, IPPROTO_TCP, TCP_QUICKACK, 0);
	GET(r, p.server, IPPROTO_TCP, TCP_QUICKACK);
}

static void case_option_info(struct run *r)
{
	socklen_t length = sizeof(struct tcp_info);
	struct pair p = pair_open(r);
	struct tcp_info info;

	memset(&info, 0, sizeof(info));
	CALL(r, getsockopt(p.server, IPPROTO_TCP, TCP_INFO, &info, &length));
	note(r, "state %u, enough: %d, options %#x", info.tcpi_state, length >= 104, info.tcpi_options);
	length = 5;
	CALL(r, getsockopt(p.server, IPPROTO_TCP, TCP_INFO, &info, &length));
	note(r, "length %u", length);
	shutdown(p.client, SHUT_WR);
	AWAIT(r, p.server, POLLRDHUP);
	length = sizeof(info);
	CALL(r, getsockopt(p.server, IPPROTO_TCP, TCP_INFO, &info, &length));
	note(r, "state %u", info.tcpi_state);
	length = sizeof(info);
	CALL(r, getsockopt(p.listener, IPPROTO_TCP, TCP_INFO, &info, &length));
	note(r, "listener: state %u, waiting %u, room %u", info.tcpi_state, info.tcpi_unacked, info.tcpi_sacked);
	CALL(r, setsockopt(p.server, IPPROTO_TCP, TCP_INFO, &info, sizeof(info)));
}

static void case_option_lengths(struct run *r)
{
	int fd = server_socket(r), value = 1;
	socklen_t length;

	CALL(r, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, 3));
	CALL(r, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, 0));
	CALL(r, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, NULL, sizeof(value)));
	CALL(r, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, 100));
	length = 2;
	CALL(r, getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length));
	note(r, "length %u", length);
	length = 100;
	CALL(r, getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length));
	note(r, "length %u", length);
	length = -1;
	CALL(r, getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length));
	CALL(r, getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, NULL));
	length = sizeof(value);
	CALL(r, getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, NULL, &length));
}

static void case_option_unknown(struct run *r)
{
	int fd = server_socket(r);

	SET(r, fd, IPPROTO_TCP, 9999, 1);
	GET(r, fd, IPPROTO_TCP, 9999);
	SET(r, fd, SOL_SOCKET, 9999, 1);
	GET(r, fd, SOL_SOCKET, 9999);
	SET(r, fd, 777, 1, 1);
	GET(r, fd, 777, 1);
}

static void case_option_timeouts(struct run *r)
{
	struct timeval limit = { .tv_sec = 3, .tv_usec = 500000 }, bad = { .tv_usec = 2000000 };
	int fd = server_socket(r);
	socklen_t length = sizeof(limit);

	CALL(r, setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	CALL(r, setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bad, sizeof(bad)));
	CALL(r, getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &length));
	note(r, "%ld.%06ld", (long)limit.tv_sec, (long)limit.tv_usec);
}

static void case_option_buffers(struct run *r)
{
	int fd = server_socket(r);

	SET(r, fd, SOL_SOCKET, SO_SNDBUF, 20000);
	GET(r, fd, SOL_SOCKET, SO_SNDBUF);
	SET(r, fd, SOL_SOCKET, SO_RCVBUF, 20000);
	GET(r, fd, SOL_SOCKET, SO_RCVBUF);
	SET(r, fd, SOL_SOCKET, SO_SNDBUF, 1);
	GET(r, fd, SOL_SOCKET, SO_SNDBUF);
}

static void case_option_small_buffers(struct run *r)
{
	struct worker w = { .size = 300000 };
	int fd = server_socket(r), client;

	SET(r, fd, SOL_SOCKET, SO_SNDBUF, 8000);
	SET(r, fd, SOL_SOCKET, SO_RCVBUF, 8000);
	bind_server(r, fd, r->port);
	listen(fd, 1);
	client = client_connect(r);
	fd = accept(fd, NULL, NULL);
	worker_start(&w, work_send_pattern, client);
	note(r, "pattern: %d", recv_pattern(fd, 300000));
	worker_end(r, &w, "client sends");
	worker_start(&w, work_send_pattern, fd);
	note(r, "pattern: %d", recv_pattern(client, 300000));
	worker_end(r, &w, "server sends");
}

static void case_option_ip(struct run *r)
{
	int fd = server_socket(r);

	if (r->family == AF_INET) {
		VALUES(r, fd, IPPROTO_IP, IP_TOS, 0x10);
		VALUES(r, fd, IPPROTO_IP, IP_TTL, 33, 0, 300);
		SET(r, fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	} else {
		VALUES(r, fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, 0);
		VALUES(r, fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 33, 300);
		SET(r, fd, IPPROTO_IP, IP_TTL, 33);
	}
}

static void case_option_v6only(struct run *r)
{
	union address address;
	socklen_t length;
	int fd, client, one = 1;

	if (r->family == AF_INET) {
		note(r, "of IPv6");
		return;
	}
	fd = server_socket(r);
	length = any_address(r, &address, r->port);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	CALL(r, bind(fd, &address.any, length));
	CALL(r, listen(fd, 1));
	client_connect(r);
	client = client_socket_of(r, AF_INET);
	r->family = AF_INET;
	CALL(r, client_connect_fd(r, client));
	r->family = AF_INET6;
}

static void case_option_dual(struct run *r)
{
	union address address;
	socklen_t length;
	int fd, client;

	if (r->family == AF_INET) {
		note(r, "of IPv6");
		return;
	}
	fd = server_socket(r);
	length = any_address(r, &address, r->port);
	CALL(r, bind(fd, &address.any, length));
	CALL(r, listen(fd, 2));
	client = client_socket_of(r, AF_INET);
	r->family = AF_INET;
	CALL(r, client_connect_fd(r, client));
	r->family = AF_INET6;
	length = sizeof(address);
	fd = accept(fd, &address.any, &length);
	note_address(r, "peer", &address, length);
	length = sizeof(address);
	getsockname(fd, &address.any, &length);
	note_address(r, "name", &address, length);
	SEND(r, fd, "hello", 0);
}

const struct test_case option_cases[] = {
	CASE(option_bools), CASE(option_keepalive), CASE(option_user_timeout), CASE(option_maxseg), CASE(option_maxseg_works), CASE(option_congestion),
	CASE(option_quickack), CASE(option_info), CASE(option_lengths), CASE(option_unknown), CASE(option_timeouts), CASE(option_buffers),
	CASE(option_small_buffers), CASE(option_ip), CASE(option_v6only), CASE(option_dual), {},
};
