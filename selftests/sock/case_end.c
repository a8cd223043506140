// SPDX-License-Identifier: GPL-2.0
/* How connections end: shutdown, close, reset, from either side. */
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

static void client_sees(struct run *r, int client)
{
	char buffer[100];
	ssize_t count;

	do {
		errno = 0;
		count = recv(client, buffer, sizeof(buffer), 0);
		record_call(r, "the client reads", count);
	} while (count > 0);
}

static void case_shutdown_write(struct run *r)
{
	struct pair p = pair_open(r);

	SEND(r, p.server, "last", 0);
	CALL(r, shutdown(p.server, SHUT_WR));
	client_sees(r, p.client);
	send(p.client, "answer", 6, 0);
	peek_until(r, p.server, 6);
	RECV(r, p.server, 10, 0);
	POLL(r, p.server, POLLIN | POLLOUT | POLLRDHUP, 0);
	close(p.client);
	AWAIT(r, p.server, POLLHUP);
	RECV(r, p.server, 10, 0);
	CALL(r, shutdown(p.server, SHUT_WR));
}

static void case_shutdown_read(struct run *r)
{
	struct pair p = pair_open(r);

	send(p.client, "before", 6, 0);
	peek_until(r, p.server, 6);
	CALL(r, shutdown(p.server, SHUT_RD));
	POLL(r, p.server, POLLIN | POLLOUT | POLLRDHUP, 0);
	RECV(r, p.server, 100, 0);
	RECV(r, p.server, 100, 0);
	send(p.client, "after", 5, 0);
	settle(r, p.client);
	RECV(r, p.server, 100, 0);
	RECV(r, p.server, 100, 0);
	SEND(r, p.server, "writing goes on", 0);
}

static void case_shutdown_both(struct run *r)
{
	struct pair p = pair_open(r);

	CALL(r, shutdown(p.server, SHUT_RDWR));
	POLL(r, p.server, POLLIN | POLLOUT | POLLRDHUP, 0);
	RECV(r, p.server, 10, 0);
	SEND(r, p.server, "no", MSG_NOSIGNAL);
	client_sees(r, p.client);
	close(p.client);
	usleep(20000);
	RECV(r, p.server, 10, 0);
}

/* The peer goes on sending: nobody will read it. */
static void case_shutdown_both_then_data(struct run *r)
{
	struct pair p = pair_open(r);

	send(p.client, "before", 6, 0);
	peek_until(r, p.server, 6);
	CALL(r, shutdown(p.server, SHUT_RDWR));
	settle(r, p.client);
	send(p.client, "after", 5, 0);
	AWAIT(r, p.client, POLLHUP);
	AWAIT(r, p.server, POLLERR);
	RECV(r, p.server, 100, 0);
	RECV(r, p.server, 100, 0);
	RECV(r, p.server, 100, 0);
	GET(r, p.server, SOL_SOCKET, SO_ERROR);
}

static void case_shutdown_twice(struct run *r)
{
	struct pair p = pair_open(r);

	CALL(r, shutdown(p.server, SHUT_WR));
	CALL(r, shutdown(p.server, SHUT_WR));
	CALL(r, shutdown(p.server, SHUT_RD));
	CALL(r, shutdown(p.server, SHUT_RDWR));
	CALL(r, shutdown(p.server, 3));
	CALL(r, shutdown(p.server, -1));
}

static void case_shutdown_while_reading(struct run *r)
{
	struct worker w = { .flags = 0 };
	struct pair p = pair_open(r);

	worker_start(&w, work_recv, p.server);
	worker_blocked(r, &w);
	CALL(r, shutdown(p.server, SHUT_RD));
	worker_end(r, &w, "recv");
}

static void case_shutdown_while_writing(struct run *r)
{
	struct worker w = { .size = 4000000 };
	struct pair p = pair_open(r);

	fill(r, p.server);
	worker_start(&w, work_send, p.server);
	worker_blocked(r, &w);
	CALL(r, shutdown(p.server, SHUT_WR));
	worker_end(r, &w, "send");
}

static void case_shutdown_while_polling(struct run *r)
{
	struct worker w = { .flags = POLLIN };
	struct pair p = pair_open(r);

	worker_start(&w, work_poll, p.server);
	worker_blocked(r, &w);
	CALL(r, shutdown(p.server, SHUT_RDWR));
	worker_end(r, &w, "poll");
	note(r, "%s", poll_names(w.size));
}

static void case_end_both(struct run *r)
{
	struct pair p = pair_open(r);

	shutdown(p.client, SHUT_WR);
	AWAIT(r, p.server, POLLRDHUP);
	CALL(r, shutdown(p.server, SHUT_WR));
	client_sees(r, p.client);
	AWAIT(r, p.server, POLLHUP);
	RECV(r, p.server, 10, 0);
	SEND(r, p.server, "no", MSG_NOSIGNAL);
	GET(r, p.server, SOL_SOCKET, SO_ERROR);
	CALL(r, shutdown(p.server, SHUT_WR));
}

static void case_end_unread(struct run *r)
{
	struct pair p = pair_open(r);

	send(p.client, "to be read late", 15, 0);
	peek_until(r, p.server, 15);
	CALL(r, shutdown(p.server, SHUT_WR));
	client_sees(r, p.client);
	close(p.client);
	AWAIT(r, p.server, POLLHUP);
	RECV(r, p.server, 5, 0);
	RECV(r, p.server, 100, 0);
	RECV(r, p.server, 100, 0);
}

static void case_close_plain(struct run *r)
{
	struct pair p = pair_open(r);

	SEND(r, p.server, "last words", 0);
	CALL(r, close(p.server));
	client_sees(r, p.client);
}

static void case_close_unread(struct run *r)
{
	struct pair p = pair_open(r);

	send(p.client, "unread", 6, 0);
	peek_until(r, p.server, 6);
	CALL(r, close(p.server));
	client_sees(r, p.client);
}

static void case_close_then_data(struct run *r)
{
	struct pair p = pair_open(r);

	CALL(r, close(p.server));
	client_sees(r, p.client);
	CALL(r, send(p.client, "too late", 8, MSG_NOSIGNAL));
	usleep(50000);
	CALL(r, send(p.client, "too late", 8, MSG_NOSIGNAL));
}

static void case_close_linger_none(struct run *r)
{
	struct linger linger = { 1, 0 };
	struct pair p = pair_open(r);

	CALL(r, setsockopt(p.server, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	CALL(r, close(p.server));
	client_sees(r, p.client);
}

static void case_close_linger_long(struct run *r)
{
	struct linger linger = { 1, 5 };
	struct pair p = pair_open(r);
	int64_t begin = now_ms();

	CALL(r, setsockopt(p.server, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	SEND(r, p.server, "last words", 0);
	CALL(r, close(p.server));
	note(r, "in time: %d", now_ms() - begin < 4000);
	client_sees(r, p.client);
}

static void case_close_half_closed(struct run *r)
{
	struct pair p = pair_open(r);

	CALL(r, shutdown(p.server, SHUT_WR));
	client_sees(r, p.client);
	CALL(r, close(p.server));
	send(p.client, "nobody there", 12, MSG_NOSIGNAL);
	usleep(50000);
	client_sees(r, p.client);
}

static void case_close_dup(struct run *r)
{
	struct pair p = pair_open(r);
	int other = FD(r, dup(p.server));

	CALL(r, close(p.server));
	SEND(r, other, "still open", 0);
	CALL(r, close(other));
	client_sees(r, p.client);
}

static void case_reset_reading(struct run *r)
{
	struct pair p = pair_open(r);

	pair_reset(r, &p);
	POLL(r, p.server, POLLIN | POLLOUT | POLLRDHUP, 0);
	RECV(r, p.server, 10, 0);
	RECV(r, p.server, 10, 0);
	POLL(r, p.server, POLLIN | POLLOUT | POLLRDHUP, 0);
}

static void case_reset_writing(struct run *r)
{
	struct pair p = pair_open(r);

	pair_reset(r, &p);
	CALL(r, write(p.server, "abc", 3));
	record_signals(r);
	CALL(r, write(p.server, "abc", 3));
	record_signals(r);
	RECV(r, p.server, 10, 0);
}

static void case_reset_error_once(struct run *r)
{
	struct pair p = pair_open(r);

	pair_reset(r, &p);
	GET(r, p.server, SOL_SOCKET, SO_ERROR);
	GET(r, p.server, SOL_SOCKET, SO_ERROR);
	POLL(r, p.server, POLLIN | POLLOUT | POLLRDHUP, 0);
	RECV(r, p.server, 10, 0);
	SEND(r, p.server, "x", MSG_NOSIGNAL);
}

static void case_reset_behind_data(struct run *r)
{
	struct pair p = pair_open(r);

	send(p.client, "abcdef", 6, 0);
	peek_until(r, p.server, 6);
	pair_reset(r, &p);
	RECV(r, p.server, 3, 0);
	RECV(r, p.server, 10, 0);
	RECV(r, p.server, 10, 0);
	RECV(r, p.server, 10, 0);
}

static void case_reset_after_end(struct run *r)
{
	struct pair p = pair_open(r);

	shutdown(p.client, SHUT_WR);
	AWAIT(r, p.server, POLLRDHUP);
	pair_reset(r, &p);
	RECV(r, p.server, 10, 0);
	SEND(r, p.server, "x", MSG_NOSIGNAL);
	GET(r, p.server, SOL_SOCKET, SO_ERROR);
}

static void case_reset_while_reading(struct run *r)
{
	struct worker w = { .flags = 0 };
	struct pair p = pair_open(r);

	worker_start(&w, work_recv, p.server);
	worker_blocked(r, &w);
	client_reset(p.client);
	worker_end(r, &w, "recv");
}

static void case_reset_shutdown(struct run *r)
{
	struct pair p = pair_open(r);

	pair_reset(r, &p);
	CALL(r, shutdown(p.server, SHUT_WR));
	CALL(r, shutdown(p.server, SHUT_RDWR));
}

const struct test_case end_cases[] = {
	CASE(shutdown_write), CASE(shutdown_read), CASE(shutdown_both), CASE(shutdown_both_then_data), CASE(shutdown_twice), CASE(shutdown_while_reading), CASE(shutdown_while_writing),
	CASE(shutdown_while_polling), CASE(end_both), CASE(end_unread), CASE(close_plain), CASE(close_unread), CASE(close_then_data),
	CASE(close_linger_none), CASE(close_linger_long), CASE(close_half_closed), CASE(close_dup), CASE(reset_reading), CASE(reset_writing),
	CASE(reset_error_once), CASE(reset_behind_data), CASE(reset_after_end), CASE(reset_while_reading), CASE(reset_shutdown), {},
};
