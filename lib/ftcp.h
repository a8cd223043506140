/* SPDX-License-Identifier: GPL-2.0 */
/**
 * libftcp: servers that are killed at any instant and find their place again.
 *
 * A thin layer over the sockets of ftcp (linux/ftcp_sock.h). Its descriptors are sockets: poll(), read(), write(), sendfile(), fcntl() and all
 * else apply. What returns int returns 0, what returns a descriptor or a length returns that; -1 and errno when it fails.
 *
 * Offsets count the bytes of a stream from its beginning, the same on every host and in every process that ever serves the connection. The plan
 * of a restartable server is always this one (libftcp(3), Documentation/restartable.rst):
 *
 *	for each connection that ftcp_accept() returns, new or old: in, out = what was saved for info.id, or 0, 0
 *	for ever:
 *		n = ftcp_read_at(fd, input, size, in)
 *		make the output that belongs to the input
 *		ftcp_append(fd, output, length, out)		what had been written before a crash is recognised, not sent again
 *		in += n; out += length; save in and out
 *		ftcp_consume(fd, in)
 */
#ifndef FTCP_H
#define FTCP_H

#include <linux/ftcp_sock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FTCP_LISTEN_RECOVER	0x1	/* accept connections, too, that a process or host before has left */
#define FTCP_LISTEN_EXPLICIT	0x2	/* reading does not consume: ftcp_consume() does */
#define FTCP_LISTEN_NONBLOCK	0x4	/* the listener is O_NONBLOCK */

/**
 * struct ftcp_service - what to listen for
 * @address: struct sockaddr_in or sockaddr_in6
 * @address_len: its length
 * @group: NULL: "default"
 * @backlog: as of listen(); 0: the most that the host allows
 * @flags: FTCP_LISTEN_*
 * @persist_ms: how long connections wait for another process when this one is gone; 0: not at all
 */
struct ftcp_service {
	const struct sockaddr *address;
	socklen_t address_len;
	const char *group;
	int backlog;
	unsigned int flags;
	uint32_t persist_ms;
};

/** Open a listening socket, close-on-exec. EPROTONOSUPPORT: there is no ftcp here. */
int ftcp_listen(const struct ftcp_service *service);

/** The same for every local address of both families and a port: what most servers want. */
int ftcp_listen_port(uint16_t port, unsigned int flags, uint32_t persist_ms);

/** accept4() a connection, new or (info->flags & FTCP_INFO_RECOVERED) an old one, with where it stands. @info may be NULL. @flags: SOCK_NONBLOCK, .. */
int ftcp_accept(int listener, struct ftcp_info *info, int flags);

/** Where the connection stands. */
int ftcp_info(int fd, struct ftcp_info *info);

/** Read what stands at an offset that is not consumed yet. 0: the client has finished, and its stream ends there. EAGAIN as of read(). */
ssize_t ftcp_read_at(int fd, void *bytes, size_t len, uint64_t offset);

/**
 * Make the output have these bytes at an offset: what was written there before is compared, the rest is written. Less than @len is returned only by
 * a socket that does not block. EILSEQ: other bytes were written there. ERANGE: there would be a hole.
 */
ssize_t ftcp_append(int fd, const void *bytes, size_t len, uint64_t offset);

/** Input below the offset is done with: nobody will ever read it again. */
int ftcp_consume(int fd, uint64_t offset);

/** Our stream ends with what was written; the client may go on. Doing it again is no error. */
int ftcp_finish(int fd);

/** The connection is over for all processes and hosts: what was written is still delivered, then it ends. The descriptor is closed. */
int ftcp_close(int fd);

/** Close the descriptor only: the connection waits for the next process (persist_ms), as it does when this one dies. */
int ftcp_leave(int fd);

/** The connection ends at once, with a reset; what was not delivered is lost. The descriptor is closed. */
int ftcp_abort(int fd);

#ifdef __cplusplus
}
#endif

#endif
