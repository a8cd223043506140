// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "loop.h"

uint64_t loop_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

static void timer_ready(void *arg, uint32_t events)
{
	struct loop *loop = arg;
	uint64_t expirations;

	(void)events;
	/* Only to make it quiet: the timers are looked at in every round. */
	if (read(loop->timer.fd, &expirations, sizeof(expirations)) < 0)
		return;
	loop->wakes_ms = UINT64_MAX;
}

int loop_open(struct loop *loop)
{
	int fd;

	memset(loop, 0, sizeof(*loop));
	loop->timer = (struct loop_io){ .fd = -1, .ready = timer_ready, .arg = loop };
	loop->now_ms = loop_clock_ms();
	loop->wakes_ms = UINT64_MAX;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return -errno;
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	return loop_add(loop, &loop->timer, fd, EPOLLIN);
}

void loop_close(struct loop *loop)
{
	close(loop_remove(loop, &loop->timer));
	close(loop->epoll_fd);
}

int loop_add(struct loop *loop, struct loop_io *io, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = io };

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	io->fd = fd;
	return 0;
}

void loop_change(struct loop *loop, struct loop_io *io, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = io };

	epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, io->fd, &event);
}

int loop_remove(struct loop *loop, struct loop_io *io)
{
	int fd = io->fd;

	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	io->fd = -1;
	for (int i = 0; i < loop->n_ready; i++)
		if (loop->ready[i] == io)
			loop->ready[i] = NULL;
	return fd;
}

/*
 * Most timers are pushed back with every message, and a host that answers a batch has no time for system calls that change
 * nothing: a timerfd that is early stays as it is, and the round it wakes arms it anew.
 */
static void arm(struct loop *loop)
{
	struct itimerspec spec = { 0 };
	uint64_t first = UINT64_MAX;

	for (struct loop_timer *timer = loop->timers; timer; timer = timer->next)
		if (timer->at_ms < first)
			first = timer->at_ms;
	if (first >= loop->wakes_ms)
		return;
	if (!first)
		first = 1;	/* 0 would disarm it */
	spec.it_value.tv_sec = first / 1000;
	spec.it_value.tv_nsec = first % 1000 * 1000000;
	if (!timerfd_settime(loop->timer.fd, TFD_TIMER_ABSTIME, &spec, NULL))
		loop->wakes_ms = first;
}

static void take_out(struct loop *loop, struct loop_timer *timer)
{
	struct loop_timer **at = &loop->timers;

	while (*at && *at != timer)
		at = &(*at)->next;
	if (*at)
		*at = timer->next;
	timer->armed = false;
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
	if (timer->armed)
		take_out(loop, timer);
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t at_ms)
{
	timer->at_ms = at_ms;
	if (timer->armed)
		return;
	timer->armed = true;
	timer->next = loop->timers;
	loop->timers = timer;
}

/* Those due at the beginning; a timer that sets itself to now waits for the next round. */
static void run_timers(struct loop *loop)
{
	struct loop_timer *timer, *due[64];
	int n = 0;

	for (timer = loop->timers; timer && n < 64; timer = timer->next)
		if (timer->at_ms <= loop->now_ms)
			due[n++] = timer;
	for (int i = 0; i < n; i++) {
		if (!due[i]->armed || due[i]->at_ms > loop->now_ms)
			continue;	/* one that ran before has stopped or moved it */
		take_out(loop, due[i]);
		due[i]->fire(due[i]->arg);
	}
}

int loop_round(struct loop *loop)
{
	struct epoll_event events[LOOP_READY_MAX];
	struct loop_io *io;
	uint64_t now_ms;
	int n;

	arm(loop);
	n = epoll_wait(loop->epoll_fd, events, LOOP_READY_MAX, -1);
	if (n < 0 && errno != EINTR)
		return -errno;
	now_ms = loop_clock_ms();
	loop->gap_ms = now_ms - loop->now_ms;
	loop->now_ms = now_ms;
	loop->n_ready = n < 0 ? 0 : n;
	for (int i = 0; i < loop->n_ready; i++)
		loop->ready[i] = events[i].data.ptr;
	for (int i = 0; i < loop->n_ready; i++) {
		io = loop->ready[i];
		if (io)
			io->ready(io->arg, events[i].events);
	}
	loop->n_ready = 0;
	run_timers(loop);
	if (loop->after)
		loop->after(loop->after_arg);
	return 0;
}

int loop_run(struct loop *loop)
{
	int err = 0;

	while (!loop->stopped && !err)
		err = loop_round(loop);
	return err;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
