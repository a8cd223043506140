// SPDX-License-Identifier: GPL-2.0
/* Writing. */
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "run.h"

static void client_hears(struct run *r, int client, size_t bytes)
{
	char buffer[256];
	size_t got = 0;
	ssize_t count;

	while (got < bytes) {
		count = recv(client, buffer + got, bytes - got, 0);
		if (count <= 0)
			break;
		got += count;
	}
	record_bytes(r, "the client hears", buffer, got);
}

static void case_write_plain(struct run *r)
{
	struct pair p = pair_open(r);

	SEND(r, p.server, "abc", 0);
	CALL(r, write(p.server, "def", 3));
	client_hears(r, p.client, 6);
}

static void case_write_vector(struct run *r)
{
	struct pair p = pair_open(r);
	struct iovec v[] = { { "abc", 3 }, { NULL, 0 }, { "defg", 4 } };

	CALL(r, writev(p.server, v, 3));
	client_hears(r, p.client, 7);
}

static void case_write_message(struct run *r)
{
	struct pair p = pair_open(r);
	union address elsewhere;
	struct iovec v = { "abc", 3 };
	struct msghdr m = { .msg_name = &elsewhere, .msg_namelen = loopback_address(r, &elsewhere, 1), .msg_iov = &v, .msg_iovlen = 1 };

	CALL(r, sendmsg(p.server, &m, 0));
	client_hears(r, p.client, 3);
}

static void case_write_nothing(struct run *r)
{
	struct pair p = pair_open(r);

	CALL(r, send(p.server, "", 0, 0));
	CALL(r, write(p.server, "", 0));
	shutdown(p.server, SHUT_WR);
	CALL(r, send(p.server, "", 0, MSG_NOSIGNAL));
}

static void case_write_fault(struct run *r)
{
	struct pair p = pair_open(r);
	size_t page;
	char *hole = page_hole(&page);

	CALL(r, send(p.server, NULL, 5, 0));
	CALL(r, send(p.server, hole + page, 5, 0));
	CALL(r, send(p.server, "good", 4, 0));
	client_hears(r, p.client, 4);
}

static void case_write_more(struct run *r)
{
	struct pair p = pair_open(r);

	SEND(r, p.server, "abc", MSG_MORE);
	SEND(r, p.server, "def", 0);
	client_hears(r, p.client, 6);
	SEND(r, p.server, "after a while", MSG_MORE);
	client_hears(r, p.client, 13);
}

static void case_write_corked(struct run *r)
{
	struct pair p = pair_open(r);

	SET(r, p.server, IPPROTO_TCP, TCP_CORK, 1);
	SEND(r, p.server, "abc", 0);
	SEND(r, p.server, "def", 0);
	SET(r, p.server, IPPROTO_TCP, TCP_CORK, 0);
	client_hears(r, p.client, 6);
	SET(r, p.server, IPPROTO_TCP, TCP_CORK, 1);
	SEND(r, p.server, "the end", 0);
	CALL(r, close(p.server));
	client_hears(r, p.client, 7);
}

static void case_write_full(struct run *r)
{
	struct pair p = pair_open(r);
	size_t total = fill(r, p.server);

	note(r, "something fits: %d", total > 0);
	POLL(r, p.server, POLLOUT, 0);
	drain(r, p.client, total);
	AWAIT(r, p.server, POLLOUT);
	SEND(r, p.server, "more", MSG_DONTWAIT);
	client_hears(r, p.client, 4);
}

static void case_write_waits(struct run *r)
{
	struct worker w = { .size = 4000 };
	struct pair p = pair_open(r);
	size_t total = fill(r, p.server);

	w.size = 4000000;
	worker_start(&w, work_send, p.server);
	worker_blocked(r, &w);
	drain(r, p.client, total + w.size);
	worker_end(r, &w, "send");
}

static void case_write_timeout(struct run *r)
{
	struct timeval limit = { .tv_usec = 50000 };
	struct pair p = pair_open(r);
	struct worker w = { .size = 100000000 };

	fill(r, p.server);
	CALL(r, setsockopt(p.server, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
	worker_start(&w, work_send, p.server);
	worker_end(r, &w, "send");
}

static void case_write_interrupted(struct run *r)
{
	struct worker w = { .size = 4000000 };
	struct pair p = pair_open(r);

	fill(r, p.server);
	worker_start(&w, work_send, p.server);
	worker_blocked(r, &w);
	pthread_kill(w.thread, SIGUSR1);
	worker_end(r, &w, "send");
}

static void case_write_after_reset_while(struct run *r)
{
	struct worker w = { .size = 4000000 };
	struct pair p = pair_open(r);

	fill(r, p.server);
	worker_start(&w, work_send, p.server);
	worker_blocked(r, &w);
	client_reset(p.client);
	worker_end(r, &w, "send");
}

static void case_write_pipe(struct run *r)
{
	struct pair p = pair_open(r);

	shutdown(p.server, SHUT_WR);
	CALL(r, write(p.server, "abc", 3));
	record_signals(r);
	SEND(r, p.server, "abc", MSG_NOSIGNAL);
	record_signals(r);
	GET(r, p.server, SOL_SOCKET, SO_ERROR);
}

static void case_write_a_lot(struct run *r)
{
	struct worker w = { .size = 1000000 };
	struct pair p = pair_open(r);

	worker_start(&w, work_send_pattern, p.server);
	note(r, "pattern: %d", recv_pattern(p.client, 1000000));
	worker_end(r, &w, "server");
}

static void case_write_both_ways(struct run *r)
{
	struct worker out = { .size = 1000000 }, in = { .size = 1000000 }, back = { .size = 1000000 };
	struct pair p = pair_open(r);

	worker_start(&out, work_send_pattern, p.server);
	worker_start(&in, work_recv_pattern, p.server);
	worker_start(&back, work_send_pattern, p.client);
	note(r, "pattern: %d", recv_pattern(p.client, 1000000));
	worker_end(r, &out, "server sends");
	worker_end(r, &in, "server receives");
	worker_end(r, &back, "client sends");
}

static int pattern_file(size_t bytes)
{
	char name[] = "/tmp/sock_semantics.XXXXXX", *data = malloc(bytes);
	int fd = mkstemp(name);

	unlink(name);
	pattern_fill(data, bytes, 0);
	if (write(fd, data, bytes) != (ssize_t)bytes)
		exit(1);
	free(data);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void case_write_file(struct run *r)
{
	struct worker w = { .size = 500000 };
	struct pair p = pair_open(r);
	int file = pattern_file(500000);
	ssize_t count;
	off_t at = 0;

	worker_start(&w, work_recv_pattern, p.client);
	while (at < 500000) {
		count = sendfile(p.server, file, &at, 500000 - at);
		if (count <= 0)
			break;
	}
	note(r, "sent %ld", (long)at);
	worker_end(r, &w, "client");
	CALL(r, sendfile(p.server, file, &at, 10));
}

/* Whatever the pages are that the bytes lie in: what is in the pipe can be read from it. */
static void case_splice_a_lot(struct run *r)
{
	struct pair p = pair_open(r);
	size_t at = 0, total = 60000;
	unsigned char buffer[4096];
	bool right = true;
	int ends[2];
	long n, got;

	CALL(r, pipe(ends));
	CALL(r, send_pattern(p.client, total));
	peek_until(r, p.server, total);
	while (at < total && (n = splice(p.server, NULL, ends[1], NULL, sizeof(buffer), 0)) > 0) {
		for (got = 0; n > 0; n -= got, at += got) {
			got = read(ends[0], buffer, n);
			if (got <= 0)
				break;
			right = right && pattern_is(buffer, got, at);
		}
		if (n)
			break;
	}
	note(r, "all of it: %d, right: %d", at == total, right);
}

static void case_splice_out_and_in(struct run *r)
{
	struct pair p = pair_open(r);
	char buffer[16];
	int ends[2];

	CALL(r, pipe(ends));
	send(p.client, "through a pipe", 14, 0);
	peek_until(r, p.server, 14);
	/* The flag is about the pipe alone. */
	nonblocking(p.server, true);
	CALL(r, splice(p.server, NULL, ends[1], NULL, 100, SPLICE_F_NONBLOCK));
	CALL(r, splice(p.server, NULL, ends[1], NULL, 100, SPLICE_F_NONBLOCK));
	CALL(r, splice(ends[0], NULL, p.server, NULL, 9, 0));
	client_hears(r, p.client, 9);
	CALL(r, read(ends[0], buffer, sizeof(buffer)));
	shutdown(p.client, SHUT_WR);
	AWAIT(r, p.server, POLLRDHUP);
	CALL(r, splice(p.server, NULL, ends[1], NULL, 100, SPLICE_F_NONBLOCK));
}

const struct test_case write_cases[] = {
	CASE(write_plain), CASE(write_vector), CASE(write_message), CASE(write_nothing), CASE(write_fault), CASE(write_more), CASE(write_corked),
	CASE(write_full), CASE(write_waits), CASE(write_timeout), CASE(write_interrupted), CASE(write_after_reset_while), CASE(write_pipe),
	CASE(write_a_lot), CASE(write_both_ways), CASE(write_file), CASE(splice_out_and_in),
	CASE(splice_a_lot), {},
};
