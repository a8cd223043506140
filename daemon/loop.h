/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The event loop: epoll for descriptors, one timerfd for all timers. A round is: wait, run what is ready, run the
 * timers that are due, run the `after` hook. Whatever closes or decides something for good belongs into the hook or a
 * timer, so that everything that had arrived has been read before.
 */
#ifndef FTCP_LOOP_H
#define FTCP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOP_READY_MAX	16

/* A descriptor; fd is -1 while it is not in the loop. */
struct loop_io {
	int fd;
	void (*ready)(void *arg, uint32_t events);
	void *arg;
};

/* A timer fires once, unless it is set again. Set fire and arg before the first loop_timer_set(). */
struct loop_timer {
	uint64_t at_ms;
	void (*fire)(void *arg);
	void *arg;
	bool armed;
	struct loop_timer *next;
};

struct loop {
	int epoll_fd;
	struct loop_io timer;
	struct loop_timer *timers;
	uint64_t wakes_ms;	/* what the timerfd is set to; UINT64_MAX: to nothing */
	uint64_t now_ms;	/* CLOCK_MONOTONIC, at the beginning of the round */
	uint64_t gap_ms;	/* from the beginning of the round before to that of this one */
	void (*after)(void *arg);
	void *after_arg;
	struct loop_io *ready[LOOP_READY_MAX];
	int n_ready;
	bool stopped;
};

/** loop_open() - 0 or -errno */
int loop_open(struct loop *loop);
void loop_close(struct loop *loop);

/** loop_add() - @io->ready and @io->arg are set; 0 or -errno */
int loop_add(struct loop *loop, struct loop_io *io, int fd, uint32_t events);
void loop_change(struct loop *loop, struct loop_io *io, uint32_t events);
/** loop_remove() - @io is not called any more, not even in this round; the descriptor stays open and is returned */
int loop_remove(struct loop *loop, struct loop_io *io);

void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t at_ms);
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);

/** loop_run() - until loop_stop(); 0 or -errno */
int loop_run(struct loop *loop);
/** loop_round() - one round, waiting at most until the next timer */
int loop_round(struct loop *loop);
void loop_stop(struct loop *loop);

/** loop_clock_ms() - CLOCK_MONOTONIC now */
uint64_t loop_clock_ms(void);

#endif
