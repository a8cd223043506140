// SPDX-License-Identifier: GPL-2.0
/* Reading. */
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "run.h"

/* So many bytes of the alphabet have come. */
static struct pair with(struct run *r, const char *text)
{
	struct pair p = pair_open(r);

	send(p.client, text, strlen(text), 0);
	peek_until(r, p.server, strlen(text));
	return p;
}

static void case_read_parts(struct run *r)
{
	struct pair p = with(r, "abcdefghij");

	RECV(r, p.server, 4, 0);
	RECV(r, p.server, 100, 0);
	RECV(r, p.server, 100, MSG_DONTWAIT);
}

static void case_read_peek(struct run *r)
{
	struct pair p = with(r, "abcdefghij");

	RECV(r, p.server, 4, MSG_PEEK);
	RECV(r, p.server, 100, MSG_PEEK);
	RECV(r, p.server, 4, 0);
	RECV(r, p.server, 100, MSG_PEEK);
	RECV(r, p.server, 100, 0);
}

static void case_read_trunc(struct run *r)
{
	struct pair p = with(r, "abcdefghij");
	char buffer[8] = "untouch";

	CALL(r, recv(p.server, buffer, 4, MSG_TRUNC));
	record_bytes(r, "buffer", buffer, 7);
	RECV(r, p.server, 100, 0);
}

static void case_read_waitall(struct run *r)
{
	struct worker w = { .flags = MSG_WAITALL, .size = 10 };
	struct pair p = with(r, "abcdef");

	worker_start(&w, work_recv, p.server);
	worker_blocked(r, &w);
	send(p.client, "ghij", 4, 0);
	worker_end(r, &w, "recv");
	record_bytes(r, "received", w.buffer, 10);
}

static void case_read_waitall_end(struct run *r)
{
	struct worker w = { .flags = MSG_WAITALL, .size = 10 };
	struct pair p = with(r, "abcdef");

	worker_start(&w, work_recv, p.server);
	worker_blocked(r, &w);
	shutdown(p.client, SHUT_WR);
	worker_end(r, &w, "recv");
}

static void case_read_waitall_signal(struct run *r)
{
	struct worker w = { .flags = MSG_WAITALL, .size = 10 };
	struct pair p = with(r, "abcdef");

	worker_start(&w, work_recv, p.server);
	worker_blocked(r, &w);
	pthread_kill(w.thread, SIGUSR1);
	worker_end(r, &w, "recv");
}

static void case_read_waits(struct run *r)
{
	struct worker w = { .flags = 0 };
	struct pair p = pair_open(r);

	worker_start(&w, work_recv, p.server);
	worker_blocked(r, &w);
	send(p.client, "xyz", 3, 0);
	worker_end(r, &w, "recv");
	record_bytes(r, "received", w.buffer, 3);
}

static void case_read_interrupted(struct run *r)
{
	struct worker w = { .flags = 0 };
	struct pair p = pair_open(r);

	worker_start(&w, work_recv, p.server);
	worker_blocked(r, &w);
	pthread_kill(w.thread, SIGUSR1);
	worker_end(r, &w, "recv");
}

static void case_read_timeout(struct run *r)
{
	struct timeval limit = { .tv_usec = 50000 };
	struct pair p = pair_open(r);

	CALL(r, setsockopt(p.server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	RECV(r, p.server, 10, 0);
	send(p.client, "abc", 3, 0);
	peek_until(r, p.server, 3);
	RECV(r, p.server, 10, MSG_WAITALL);
}

static void case_read_nothing(struct run *r)
{
	struct pair p = with(r, "abc");
	char byte;

	CALL(r, recv(p.server, &byte, 0, 0));
	CALL(r, read(p.server, &byte, 0));
	RECV(r, p.server, 10, 0);
	CALL(r, recv(p.server, &byte, 0, MSG_DONTWAIT));
}

static void case_read_fault(struct run *r)
{
	struct pair p = with(r, "abcdefghij");
	size_t page;
	char *hole = page_hole(&page);

	CALL(r, recv(p.server, NULL, 5, 0));
	CALL(r, recv(p.server, hole + page, 5, 0));
	RECV(r, p.server, 10, 0);
}

static void case_read_vector(struct run *r)
{
	struct pair p = with(r, "abcdefghij");
	char a[3], b[4];
	struct iovec v[] = { { a, 3 }, { NULL, 0 }, { b, 4 } };

	CALL(r, readv(p.server, v, 3));
	record_bytes(r, "first", a, 3);
	record_bytes(r, "last", b, 4);
	RECV(r, p.server, 10, 0);
}

static void case_read_message(struct run *r)
{
	struct pair p = with(r, "abc");
	char buffer[10], control[100];
	struct sockaddr_storage name;
	struct iovec v = { buffer, 10 };
	struct msghdr m = { .msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = &v, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };

	CALL(r, recvmsg(p.server, &m, 0));
	note(r, "name %u, control %zu, flags %#x", m.msg_namelen, m.msg_controllen, m.msg_flags);
}

static void case_read_count(struct run *r)
{
	struct pair p = with(r, "abcdefghij");

	IOCTL(r, p.server, SIOCINQ);
	RECV(r, p.server, 4, 0);
	IOCTL(r, p.server, FIONREAD);
	IOCTL(r, p.server, SIOCOUTQ);
	IOCTL(r, p.listener, SIOCINQ);
	IOCTL(r, p.listener, SIOCOUTQ);
	IOCTL(r, p.server, 0x1234);
}

static void case_read_errqueue(struct run *r)
{
	struct pair p = pair_open(r);

	RECV(r, p.server, 10, MSG_ERRQUEUE);
}

static void case_read_end(struct run *r)
{
	struct pair p = with(r, "bye");

	shutdown(p.client, SHUT_WR);
	AWAIT(r, p.server, POLLRDHUP);
	RECV(r, p.server, 10, 0);
	RECV(r, p.server, 10, 0);
	RECV(r, p.server, 10, MSG_PEEK);
	RECV(r, p.server, 10, MSG_DONTWAIT);
	IOCTL(r, p.server, SIOCINQ);
	SEND(r, p.server, "still", 0);
}

static void case_read_lowat(struct run *r)
{
	struct pair p = pair_open(r);

	SET(r, p.server, SOL_SOCKET, SO_RCVLOWAT, 5);
	send(p.client, "abc", 3, 0);
	peek_until(r, p.server, 3);
	POLL(r, p.server, POLLIN, 0);
	send(p.client, "de", 2, 0);
	AWAIT(r, p.server, POLLIN);
	RECV(r, p.server, 10, 0);
	SET(r, p.server, SOL_SOCKET, SO_RCVLOWAT, 0);
	GET(r, p.server, SOL_SOCKET, SO_RCVLOWAT);
}

static void case_read_a_lot(struct run *r)
{
	struct worker w = { .size = 1000000 };
	struct pair p = pair_open(r);

	worker_start(&w, work_send_pattern, p.client);
	note(r, "pattern: %d", recv_pattern(p.server, 1000000));
	worker_end(r, &w, "client");
}

const struct test_case read_cases[] = {
	CASE(read_parts), CASE(read_peek), CASE(read_trunc), CASE(read_waitall), CASE(read_waitall_end), CASE(read_waitall_signal), CASE(read_waits),
	CASE(read_interrupted), CASE(read_timeout), CASE(read_nothing), CASE(read_fault), CASE(read_vector), CASE(read_message), CASE(read_count),
	CASE(read_errqueue), CASE(read_end), CASE(read_lowat), CASE(read_a_lot), {},
};
