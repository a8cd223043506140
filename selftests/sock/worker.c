// SPDX-License-Identifier: GPL-2.0
/* A call in another thread. That it waits is seen from its state: nothing else between here and there sleeps. */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run.h"

static void *worker_main(void *argument)
{
	struct worker *w = argument;

	w->tid = syscall(SYS_gettid);
	errno = 0;
	w->result = w->work(w);
	w->error = errno;
	__sync_synchronize();
	w->done = true;
	return NULL;
}

void worker_start(struct worker *w, long (*work)(struct worker *worker), int fd)
{
	w->work = work;
	w->fd = fd;
	w->tid = 0;
	w->done = false;
	pthread_create(&w->thread, NULL, worker_main, w);
}

static char thread_state(pid_t tid)
{
	char path[64], line[256] = "", *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (!fgets(line, sizeof(line), file))
		line[0] = 0;
	fclose(file);
	end = strrchr(line, ')');
	return end ? end[2] : 0;
}

void worker_blocked(struct run *r, struct worker *w)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	int in_a_row = 0;

	while (!w->done && in_a_row < 5 && now_ms() < deadline) {
		in_a_row = w->tid && thread_state(w->tid) == 'S' ? in_a_row + 1 : 0;
		usleep(1000);
	}
	note(r, "the other thread %s", w->done ? "did not wait" : in_a_row == 5 ? "waits" : "neither waits nor returns");
}

long worker_end(struct run *r, struct worker *w, const char *what)
{
	int64_t deadline = now_ms() + DEADLINE_MS;

	while (!w->done && now_ms() < deadline)
		usleep(1000);
	if (!w->done) {
		trouble(r, "%s: still waits", what);
		return -1;
	}
	pthread_join(w->thread, NULL);
	errno = w->error;
	return record_call(r, what, w->result);
}

/* The number of the descriptor is left in flags. */
long work_accept(struct worker *w)
{
	int fd = accept(w->fd, NULL, NULL);

	w->flags = fd;
	return fd < 0 ? -1 : 0;
}

long work_recv(struct worker *w)
{
	return recv(w->fd, w->buffer, w->size ? w->size : sizeof(w->buffer), w->flags);
}

long work_send(struct worker *w)
{
	static const char zeros[4096];
	size_t left = w->size;
	long count;

	while (left) {
		count = send(w->fd, zeros, left < sizeof(zeros) ? left : sizeof(zeros), w->flags | MSG_NOSIGNAL);
		if (count < 0)
			return -1;
		left -= count;
	}
	return 0;
}

long work_poll(struct worker *w)
{
	struct pollfd p = { .fd = w->fd, .events = w->flags };
	int count = poll(&p, 1, DEADLINE_MS);

	w->size = p.revents;
	return count;
}

long work_send_pattern(struct worker *w)
{
	return send_pattern(w->fd, w->size) ? 0 : -1;
}

long work_recv_pattern(struct worker *w)
{
	return recv_pattern(w->fd, w->size) ? 0 : -1;
}
