// SPDX-License-Identifier: GPL-2.0
/* Channels for the kernel: a TCP connection over loopback, at whose other end somebody says what a peer would, or something else. */
#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <ftcp/frame.h>
#include "nl_fuzz.h"

#define HEAD_BYTES (FTCP_FRAME_HEADER_BYTES + FTCP_FRAME_PLACE_BYTES)

static bool one_in(struct fuzz_maker *maker, uint32_t n)
{
	return !fuzz_range(&maker->rnd, n);
}

static void write_head(unsigned char *to, uint8_t type, uint64_t sync_id, uint64_t no, uint32_t len)
{
	uint32_t magic = htobe32(FTCP_FRAME_MAGIC), bytes = htobe32(FTCP_FRAME_PLACE_BYTES + len);

	memset(to, 0, HEAD_BYTES);
	memcpy(to, &magic, 4);
	to[4] = type;
	memcpy(to + 8, &bytes, 4);
	sync_id = htobe64(sync_id);
	no = htobe64(no);
	memcpy(to + FTCP_FRAME_HEADER_BYTES, &sync_id, 8);
	memcpy(to + FTCP_FRAME_HEADER_BYTES + 8, &no, 8);
}

static size_t make_frame(struct fuzz_maker *maker, unsigned char *to)
{
	const struct fuzz_view *view = &maker->memory->views[maker->group];
	size_t len = 0;

	if (one_in(maker, 2)) {
		len = fuzz_batch_make(maker, to + HEAD_BYTES);
		write_head(to, FTCP_FRAME_BATCH, view->batch.sync_id, view->batch.no, len);
	} else {
		write_head(to, FTCP_FRAME_ACK, view->sync_id, view->sent_no - fuzz_range(&maker->rnd, 3) + 1, 0);
	}
	len += HEAD_BYTES;
	if (one_in(maker, 6))
		to[fuzz_range(&maker->rnd, one_in(maker, 2) ? HEAD_BYTES : len)] ^= 1 << fuzz_range(&maker->rnd, 8);
	if (one_in(maker, 8))
		len = fuzz_range(&maker->rnd, len);
	return len;
}

/* Nobody waits: what does not fit into the socket is lost. */
static void say_something(struct fuzz_maker *maker, int fd)
{
	static unsigned char frame[HEAD_BYTES + 65536];

	for (unsigned int n = fuzz_range(&maker->rnd, 5); n; n--)
		if (send(fd, frame, make_frame(maker, frame), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
}

static int connected(int *other)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(addr);

	*other = -1;
	/* Over loopback it stands when connect() returns; without one there is no route, which is said at once. */
	if (!bind(listener, (struct sockaddr *)&addr, sizeof(addr)) && !listen(listener, 1) &&
	    !getsockname(listener, (struct sockaddr *)&addr, &len) &&
	    !connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		*other = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	close(listener);
	if (*other < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int fuzz_channel(struct fuzz_maker *maker)
{
	static int fd = -1, other = -1;

	if (one_in(maker, 4) && fd >= 0)
		return fd;	/* a second time */
	if (fd >= 0)
		close(fd);
	if (other >= 0)
		close(other);
	fd = connected(&other);
	if (fd < 0)
		return 0;
	say_something(maker, other);
	if (one_in(maker, 4))
		shutdown(other, SHUT_RDWR);
	return fd;
}
