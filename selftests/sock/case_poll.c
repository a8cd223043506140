// SPDX-License-Identifier: GPL-2.0
/* poll, select and epoll, level and edge. */
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include "run.h"

static const char *epoll_names(unsigned int events)
{
	return poll_names(events & ~(EPOLLET | EPOLLONESHOT));
}

static int set_open(struct run *r, int fd, unsigned int events)
{
	struct epoll_event event = { .events = events };
	int set = epoll_create1(0);

	CALL(r, epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	return set;
}

/* What the set says at once, or within @ms. */
static void set_says(struct run *r, int set, int ms, const char *when)
{
	struct epoll_event event = { .events = 0 };
	int n = epoll_wait(set, &event, 1, ms);

	note(r, "%s: %d: %s", when, n, n > 0 ? epoll_names(event.events) : "nothing");
}

#define ALL_EDGES (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static void case_poll_listener(struct run *r)
{
	int listener = listener_open(r, 4);

	POLL(r, listener, POLLIN | POLLOUT, 0);
	client_connect(r);
	AWAIT(r, listener, POLLIN);
	accept(listener, NULL, NULL);
	POLL(r, listener, POLLIN | POLLOUT, 0);
}

static void case_poll_data(struct run *r)
{
	struct pair p = pair_open(r);

	POLL(r, p.server, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0);
	send(p.client, "abc", 3, 0);
	AWAIT(r, p.server, POLLIN);
	RECV(r, p.server, 10, 0);
	POLL(r, p.server, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0);
}

static void case_poll_end(struct run *r)
{
	struct pair p = pair_open(r);

	shutdown(p.client, SHUT_WR);
	AWAIT(r, p.server, POLLRDHUP);
	POLL(r, p.server, POLLIN, 0);
	shutdown(p.server, SHUT_WR);
	AWAIT(r, p.server, POLLHUP);
}

static void case_poll_reset(struct run *r)
{
	struct pair p = pair_open(r);

	pair_reset(r, &p);
	POLL(r, p.server, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0);
	POLL(r, p.server, 0, 0);
}

static void case_poll_waits(struct run *r)
{
	struct worker w = { .flags = POLLIN };
	struct pair p = pair_open(r);

	worker_start(&w, work_poll, p.server);
	worker_blocked(r, &w);
	send(p.client, "x", 1, 0);
	worker_end(r, &w, "poll");
	note(r, "%s", poll_names(w.size));
}

static void case_poll_waits_for_room(struct run *r)
{
	struct worker w = { .flags = POLLOUT };
	struct pair p = pair_open(r);
	size_t total = fill(r, p.server);

	worker_start(&w, work_poll, p.server);
	worker_blocked(r, &w);
	drain(r, p.client, total);
	worker_end(r, &w, "poll");
	note(r, "%s", poll_names(w.size));
}

static void case_poll_waits_for_accept(struct run *r)
{
	struct worker w = { .flags = POLLIN };
	int listener = listener_open(r, 4);

	worker_start(&w, work_poll, listener);
	worker_blocked(r, &w);
	client_connect(r);
	worker_end(r, &w, "poll");
	note(r, "%s", poll_names(w.size));
}

static void case_select_all(struct run *r)
{
	struct pair p = pair_open(r);
	struct timeval none = { .tv_sec = 0 };
	fd_set in, out, except;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	FD_SET(p.server, &in);
	FD_SET(p.server, &out);
	FD_SET(p.server, &except);
	CALL(r, select(p.server + 1, &in, &out, &except, &none));
	note(r, "in %d, out %d, except %d", FD_ISSET(p.server, &in), FD_ISSET(p.server, &out), FD_ISSET(p.server, &except));
}

static void case_epoll_level(struct run *r)
{
	struct pair p = pair_open(r);
	int set = set_open(r, p.server, EPOLLIN | EPOLLRDHUP);

	set_says(r, set, 0, "idle");
	send(p.client, "abcdef", 6, 0);
	set_says(r, set, DEADLINE_MS, "data");
	RECV(r, p.server, 3, 0);
	set_says(r, set, 0, "half read");
	RECV(r, p.server, 3, 0);
	set_says(r, set, 0, "all read");
	shutdown(p.client, SHUT_WR);
	set_says(r, set, DEADLINE_MS, "end");
	set_says(r, set, 0, "end, again");
}

static void case_epoll_edge_data(struct run *r)
{
	struct pair p = pair_open(r);
	int set = set_open(r, p.server, ALL_EDGES);

	set_says(r, set, 0, "at first");
	set_says(r, set, 0, "again");
	send(p.client, "abc", 3, 0);
	peek_until(r, p.server, 3);
	set_says(r, set, DEADLINE_MS, "data");
	set_says(r, set, 0, "again");
	RECV(r, p.server, 1, 0);
	set_says(r, set, 0, "partly read");
	send(p.client, "def", 3, 0);
	peek_until(r, p.server, 5);
	set_says(r, set, DEADLINE_MS, "more data");
	set_says(r, set, 0, "again");
}

static void case_epoll_edge_end(struct run *r)
{
	struct pair p = pair_open(r);
	int set = set_open(r, p.server, ALL_EDGES);

	set_says(r, set, 0, "at first");
	shutdown(p.client, SHUT_WR);
	AWAIT(r, p.server, POLLRDHUP);
	set_says(r, set, DEADLINE_MS, "end");
	set_says(r, set, 0, "again");
}

static void case_epoll_edge_reset(struct run *r)
{
	struct pair p = pair_open(r);
	int set = set_open(r, p.server, ALL_EDGES);

	set_says(r, set, 0, "at first");
	pair_reset(r, &p);
	set_says(r, set, DEADLINE_MS, "reset");
	set_says(r, set, 0, "again");
}

static void case_epoll_edge_room(struct run *r)
{
	struct pair p = pair_open(r);
	int set = set_open(r, p.server, EPOLLOUT | EPOLLET);
	size_t total;

	set_says(r, set, 0, "at first");
	total = fill(r, p.server);
	while (epoll_wait(set, &(struct epoll_event){ .events = 0 }, 1, 0) > 0)
		;
	drain(r, p.client, total);
	set_says(r, set, DEADLINE_MS, "room");
}

static void case_epoll_edge_listener(struct run *r)
{
	int listener = listener_open(r, 4), set = set_open(r, listener, EPOLLIN | EPOLLET);

	set_says(r, set, 0, "at first");
	client_connect(r);
	AWAIT(r, listener, POLLIN);
	set_says(r, set, DEADLINE_MS, "a client");
	set_says(r, set, 0, "again");
	client_connect(r);
	set_says(r, set, DEADLINE_MS, "another");
	accept(listener, NULL, NULL);
	set_says(r, set, 0, "one accepted");
}

static void case_epoll_rearmed(struct run *r)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT };
	struct pair p = pair_open(r);
	int set = set_open(r, p.server, EPOLLIN | EPOLLONESHOT);

	send(p.client, "abc", 3, 0);
	peek_until(r, p.server, 3);
	set_says(r, set, DEADLINE_MS, "once");
	set_says(r, set, 0, "not twice");
	CALL(r, epoll_ctl(set, EPOLL_CTL_MOD, p.server, &event));
	set_says(r, set, DEADLINE_MS, "rearmed");
}

const struct test_case poll_cases[] = {
	CASE(poll_listener), CASE(poll_data), CASE(poll_end), CASE(poll_reset), CASE(poll_waits), CASE(poll_waits_for_room), CASE(poll_waits_for_accept),
	CASE(select_all), CASE(epoll_level), CASE(epoll_edge_data), CASE(epoll_edge_end), CASE(epoll_edge_reset), CASE(epoll_edge_room),
	CASE(epoll_edge_listener), CASE(epoll_rearmed), {},
};
