// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps what clients send, each connection in a file of its own, and answers "N bytes kept\n" when the client has finished. May be killed at any
 * instant and started again: it goes on where the file ends, for a file knows its own length.
 *
 *	upload_receiver PORT DIRECTORY		DIRECTORY/ID.part while it comes, DIRECTORY/ID when it is complete
 *
 * The order: bytes are in the file, then on the disk, then consumed. Before they are consumed ftcp has them, and its standby; after that only the file.
 * On shared storage this holds for another host, too.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE		65536
#define PERSIST_MS	60000

static int directory;

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

static int keep(int file, const char *bytes, size_t len)
{
	ssize_t n;

	for (; len; bytes += n, len -= n) {
		n = write(file, bytes, len);
		if (n < 0)
			return -1;
	}
	return fdatasync(file);
}

/* From where the file ends to where the stream ends. */
static int receive(int fd, int file, uint64_t *at)
{
	static char bytes[PIECE];
	ssize_t n;

	while ((n = ftcp_read_at(fd, bytes, sizeof(bytes), *at)) > 0) {
		if (keep(file, bytes, n))
			return -1;
		*at += n;
		if (ftcp_consume(fd, *at))
			return -1;
	}
	return n;
}

/* The answer is the whole output, so it stands at 0, however often it is given. */
static int answer(int fd, uint64_t len)
{
	char text[64];
	int n = sprintf(text, "%llu bytes kept\n", (unsigned long long)len);

	return ftcp_append(fd, text, n, 0) == n ? 0 : -1;
}

/* Killed after it was renamed and before the client knew: then it is complete, and only the answer is missing. */
static int open_file(const char *part, const char *whole)
{
	int file = openat(directory, whole, O_WRONLY | O_APPEND | O_CLOEXEC);

	return file >= 0 ? file : openat(directory, part, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

static int serve(int fd, uint64_t id)
{
	char part[40], whole[32];
	struct stat st;
	uint64_t at;
	int file;

	snprintf(whole, sizeof(whole), "%016llx", (unsigned long long)id);
	snprintf(part, sizeof(part), "%s.part", whole);
	file = open_file(part, whole);
	if (file < 0 || fstat(file, &st))
		return fail(part);
	at = st.st_size;
	if (receive(fd, file, &at))
		return fail("receiving");
	if (renameat(directory, part, directory, whole) && errno != ENOENT)
		return fail(whole);
	if (fsync(directory) || answer(fd, at))
		return fail("answering");
	return ftcp_close(fd) ? fail("closing") : 0;
}

/* A process for each connection. One that dies alone leaves it to the next accept(), too. */
int main(int argc, char **argv)
{
	struct ftcp_info info;
	int listener, fd;

	if (argc != 3) {
		fprintf(stderr, "Usage: upload_receiver PORT DIRECTORY\n");
		return 2;
	}
	directory = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return fail(argv[2]);
	signal(SIGCHLD, SIG_IGN);
	listener = ftcp_listen_port(atoi(argv[1]), FTCP_LISTEN_RECOVER | FTCP_LISTEN_EXPLICIT, PERSIST_MS);
	if (listener < 0)
		return fail("ftcp_listen_port");
	while ((fd = ftcp_accept(listener, &info, SOCK_CLOEXEC)) >= 0 || errno == EINTR || errno == ECONNABORTED) {
		if (fd < 0)
			continue;
		if (!fork())
			_exit(serve(fd, info.id));
		ftcp_leave(fd);
	}
	return fail("accept");
}
