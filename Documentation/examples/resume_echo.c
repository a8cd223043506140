// SPDX-License-Identifier: GPL-2.0
/*
 * A server that may be killed at any instant and is simply started again: its clients notice nothing.
 *
 *	resume_echo PORT DIRECTORY	each line comes back in upper case, and with a checksum of everything so far: "HELLO 3610A686"
 *	resume_echo PORT		in upper case only
 *
 * With checksums, what comes next depends on all that came before, so the server keeps a file for each connection: how far it has got in the
 * input and in the output, and the checksum there. Upper case alone needs no file: there is as much output as input, and ftcp itself knows, on
 * every host, how much input has been consumed.
 *
 * The order, for a piece of input: the output is written, then the place is saved, then the input is consumed. Killed in between, the server does
 * the piece again, from the same input, and makes the same output; ftcp recognises it and does not send it twice.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "place.h"

#define CONNS		256
#define PIECE		4096
#define LONGEST		(PIECE * 10)	/* every byte a newline, and a checksum before each */
#define PERSIST_MS	60000

struct conn {
	uint64_t id;
	int fd;
	int file;		/* of its place; -1: none */
	struct place done;	/* saved */
	struct place next;	/* saved as soon as the output below it has been written */
	char output[LONGEST];
	size_t len;		/* of the output between the two */
	size_t written;
};

static struct conn *conns[CONNS];
static unsigned int nconns;
static int directory = -1;

/* CRC-32, as zlib's. */
static uint32_t checksum(uint32_t sum, unsigned char byte)
{
	sum = ~sum ^ byte;
	for (int bit = 0; bit < 8; bit++)
		sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320 : 0);
	return ~sum;
}

/* Nothing here may depend on how the stream was cut into pieces: after a crash it is cut elsewhere. */
static void transform(struct conn *conn, const char *input, size_t len)
{
	struct place *next = &conn->next;

	conn->len = conn->written = 0;
	*next = conn->done;
	for (size_t i = 0; i < len; i++) {
		if (directory >= 0 && input[i] == '\n')
			conn->len += sprintf(conn->output + conn->len, " %08X", next->state);
		next->state = checksum(next->state, input[i]);
		conn->output[conn->len++] = toupper((unsigned char)input[i]);
	}
	next->in += len;
	next->out += conn->len;
}

static void forget(unsigned int n)
{
	close(conns[n]->file);
	free(conns[n]);
	conns[n] = conns[--nconns];
}

/* After shutdown() no other process will be given the connection, so nobody will ask for its place. */
static void end(unsigned int n)
{
	shutdown(conns[n]->fd, SHUT_RDWR);
	if (directory >= 0)
		place_forget(directory, conns[n]->id);
	close(conns[n]->fd);
	forget(n);
}

static void begin(int fd, const struct ftcp_info *info)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn || nconns == CONNS) {
		free(conn);
		ftcp_abort(fd);
		return;
	}
	conn->fd = fd;
	conn->id = info->id;
	conn->file = -1;
	conn->done.in = conn->done.out = info->consumed;
	if (directory >= 0)
		conn->file = place_open(directory, info->id, &conn->done);
	fprintf(stderr, "connection %016llx %s at %llu\n", (unsigned long long)info->id, info->flags & FTCP_INFO_RECOVERED ? "goes on" : "begins",
		(unsigned long long)conn->done.in);
	conns[nconns++] = conn;
	if (directory >= 0 && conn->file < 0)
		end(nconns - 1);
}

/* Saved before consumed: what is consumed is gone. */
static int settle(struct conn *conn)
{
	if (conn->file >= 0 && place_save(conn->file, &conn->next))
		return -1;
	conn->done = conn->next;
	conn->len = conn->written = 0;
	return ftcp_consume(conn->fd, conn->done.in);
}

static int write_some(struct conn *conn)
{
	ssize_t n = ftcp_append(conn->fd, conn->output + conn->written, conn->len - conn->written, conn->done.out + conn->written);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -1;
	conn->written += n;
	return conn->written == conn->len ? settle(conn) : 1;
}

/* 1: wait for the socket; 0: there may be more to do; -1: it is over. */
static int work(struct conn *conn)
{
	char input[PIECE];
	ssize_t n;

	if (conn->written < conn->len)
		return write_some(conn);
	n = ftcp_read_at(conn->fd, input, sizeof(input), conn->done.in);
	if (n <= 0)
		return n && (errno == EAGAIN || errno == EINTR) ? 1 : -1;
	transform(conn, input, n);
	return write_some(conn);
}

static void accept_all(int listener)
{
	struct ftcp_info info;
	int fd;

	while ((fd = ftcp_accept(listener, &info, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		begin(fd, &info);
}

static void serve(int listener)
{
	struct pollfd polls[CONNS + 1];
	int result;

	for (;;) {
		polls[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
		for (unsigned int i = 0; i < nconns; i++)
			polls[i + 1] = (struct pollfd){ .fd = conns[i]->fd, .events = conns[i]->len ? POLLOUT : POLLIN };
		if (poll(polls, nconns + 1, -1) < 0)
			continue;
		for (unsigned int i = nconns; i-- > 0;) {
			if (!polls[i + 1].revents)
				continue;
			while (!(result = work(conns[i])))
				;
			if (result < 0)
				end(i);
		}
		if (polls[0].revents)
			accept_all(listener);
	}
}

int main(int argc, char **argv)
{
	int listener;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "Usage: resume_echo PORT [DIRECTORY]\n");
		return 2;
	}
	if (argc == 3) {
		directory = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (directory < 0) {
			perror(argv[2]);
			return 1;
		}
	}
	listener = ftcp_listen_port(atoi(argv[1]), FTCP_LISTEN_RECOVER | FTCP_LISTEN_EXPLICIT | FTCP_LISTEN_NONBLOCK, PERSIST_MS);
	if (listener < 0) {
		perror("ftcp_listen_port");
		return 1;
	}
	serve(listener);
}
