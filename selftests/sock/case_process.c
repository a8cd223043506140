// SPDX-License-Identifier: GPL-2.0
/* Sockets in several threads and processes. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

static void child_ends(struct run *r, pid_t child)
{
	int status = 0;

	waitpid(child, &status, 0);
	note(r, "the child ended with %#x", status);
}

static void case_fork_serves(struct run *r)
{
	struct pair p = pair_open(r);
	char buffer[10];
	pid_t child = fork();

	if (!child) {
		RECV(r, p.server, 10, 0);
		SEND(r, p.server, "from the child", 0);
		_exit(0);
	}
	close(p.server);
	send(p.client, "abc", 3, 0);
	child_ends(r, child);
	CALL(r, recv(p.client, buffer, sizeof(buffer), MSG_WAITALL));
	CALL(r, recv(p.client, buffer, 4, MSG_WAITALL));
	CALL(r, recv(p.client, buffer, sizeof(buffer), 0));
}

static void case_fork_accepts(struct run *r)
{
	int listener = listener_open(r, 4), client;
	char buffer[10];
	pid_t child = fork();

	if (!child) {
		/* Not recorded: the parent does so at the same time. */
		_exit(send(accept(listener, NULL, NULL), "hello", 5, 0) != 5);
	}
	CALL(r, close(listener));
	client = client_connect(r);
	CALL(r, recv(client, buffer, 5, MSG_WAITALL));
	child_ends(r, child);
	CALL(r, recv(client, buffer, 5, 0));
}

static void case_killed(struct run *r)
{
	struct pair p = pair_open(r);
	char byte;
	pid_t child = fork();

	if (!child) {
		for (;;)
			pause();
	}
	close(p.server);
	close(p.listener);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CALL(r, recv(p.client, &byte, 1, 0));
}

static int pass(int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	char byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return -1;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(ends[0], &m, 0) != 1)
		return -1;
	close(fd);
	if (recvmsg(ends[1], &m, 0) != 1)
		return -1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static void case_passed_on(struct run *r)
{
	struct pair p = pair_open(r);
	int fd = FD(r, pass(p.server));

	send(p.client, "abc", 3, 0);
	peek_until(r, fd, 3);
	RECV(r, fd, 10, 0);
	SEND(r, fd, "def", 0);
}

static void case_listener_passed_on(struct run *r)
{
	int fd = FD(r, pass(listener_open(r, 2)));

	client_connect(r);
	FD(r, accept(fd, NULL, NULL));
}

static void case_exec_keeps(struct run *r)
{
	struct pair p = pair_open(r);
	char buffer[10];
	pid_t child = fork();

	if (!child) {
		dup2(p.server, 0);
		dup2(p.server, 1);
		close(p.server);
		execlp("head", "head", "-c", "3", NULL);
		_exit(1);
	}
	close(p.server);
	send(p.client, "abcdef", 6, 0);
	CALL(r, recv(p.client, buffer, 3, MSG_WAITALL));
	record_bytes(r, "heard", buffer, 3);
	child_ends(r, child);
}

static void case_two_readers(struct run *r)
{
	struct worker a = { .size = 1 }, b = { .size = 1 };
	struct pair p = pair_open(r);

	worker_start(&a, work_recv, p.server);
	worker_start(&b, work_recv, p.server);
	worker_blocked(r, &a);
	worker_blocked(r, &b);
	send(p.client, "zz", 2, 0);
	worker_end(r, &a, "one");
	worker_end(r, &b, "the other");
}

static void case_two_accepting(struct run *r)
{
	struct worker a = { .flags = 0 }, b = { .flags = 0 };
	int listener = listener_open(r, 4);

	worker_start(&a, work_accept, listener);
	worker_start(&b, work_accept, listener);
	worker_blocked(r, &a);
	worker_blocked(r, &b);
	client_connect(r);
	client_connect(r);
	worker_end(r, &a, "one");
	worker_end(r, &b, "the other");
}

static void case_closed_while_reading(struct run *r)
{
	struct worker w = { .flags = 0 };
	struct pair p = pair_open(r);

	worker_start(&w, work_recv, p.server);
	worker_blocked(r, &w);
	CALL(r, close(p.server));
	send(p.client, "abc", 3, 0);	/* the call has the file still */
	worker_end(r, &w, "recv");
}

static void case_nonblocking_both(struct run *r)
{
	struct pair p = pair_open(r);

	nonblocking(p.server, true);
	RECV(r, p.server, 10, 0);
	note(r, "something fits: %d", fill(r, p.server) > 0);
	nonblocking(p.server, false);
	RECV(r, p.server, 10, MSG_DONTWAIT);
}

const struct test_case process_cases[] = {
	CASE(fork_serves), CASE(fork_accepts), CASE(killed), CASE(passed_on), CASE(listener_passed_on), CASE(exec_keeps), CASE(two_readers),
	CASE(two_accepting), CASE(closed_while_reading), CASE(nonblocking_both), {},
};
