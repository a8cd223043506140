/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Sockets of ftcp: socket(AF_INET or AF_INET6, SOCK_STREAM, IPPROTO_FTCP). They take the options of TCP at SOL_SOCKET, SOL_IP, SOL_IPV6 and
 * IPPROTO_TCP (Documentation/sockets.rst says which, and what differs), and those below at SOL_FTCP.
 *
 * Offsets count the bytes of a stream from its beginning, the same on every host that ever serves the connection.
 */
#ifndef _UAPI_LINUX_FTCP_SOCK_H
#define _UAPI_LINUX_FTCP_SOCK_H

#include <linux/types.h>

/* One of the two numbers that RFC 3692 leaves for experiments; never on the wire: there it is TCP. */
#ifndef IPPROTO_FTCP
#define IPPROTO_FTCP	253
#endif

#define SOL_FTCP	IPPROTO_FTCP

/*
 * FTCP_GROUP	string, before listen(): the group whose service the listening socket is; "default" unless set
 * FTCP_RECOVER	int, listening: 1: accept() returns connections, too, that were made before there was this socket: by a primary that died, or by a
 *		process that left them (FTCP_PERSIST)
 * FTCP_INFO	struct ftcp_info, connected, read only; cut or filled to the length that was asked for
 * FTCP_CONSUME	__u64, connected: input below this offset is done with and need not be kept. Reading no longer consumes from the first time on;
 *		set to 0 on a listening socket, that is so for what it accepts. Below what is consumed: nothing happens. ERANGE: not yet received
 * FTCP_SEEK_READ __u64, connected: the next byte to be read. From consumed to the end of what was ever promised to the client, else ERANGE: what
 *		has not arrived by then is passed over when it does
 * FTCP_SEEK_WRITE __u64, connected: where the next byte written stands, from 0 to the end of what was written, else ERANGE. What was written
 *		there before is compared and not sent again; bytes that differ fail with EILSEQ, and nothing of them is taken. What the client
 *		has acknowledged is no longer there to be compared
 * FTCP_PERSIST	__u32, milliseconds, connected or listening (then for what it accepts): how long the connection waits for another program
 *		when its last descriptor is closed, by close() or by the death of its process, without shutdown(SHUT_RDWR) before. 0: it is closed.
 *		At most FTCP_PERSIST_MS_MAX, else ERANGE
 *
 * Wrong sizes fail with EINVAL, connected-only options with ENOTCONN where there is no connection.
 */
enum ftcp_sockopt {
	FTCP_RECOVER = 1,
	FTCP_INFO,
	FTCP_CONSUME,
	FTCP_SEEK_READ,
	FTCP_SEEK_WRITE,
	FTCP_PERSIST,
	FTCP_GROUP,
};

#define FTCP_PERSIST_MS_MAX	3600000

/* ftcp_info.flags */
#define FTCP_INFO_RECOVERED	0x1	/* by this accept(): made before there was this listening socket */
#define FTCP_INFO_RCV_FIN	0x2	/* the client has finished: readable is the end of its stream */
#define FTCP_INFO_SND_FIN	0x4	/* our side has: written is the end of its stream */
#define FTCP_INFO_EXPLICIT	0x8	/* reading does not consume */
#define FTCP_INFO_PROTECTED	0x10	/* what leaves is held by a standby */

/**
 * struct ftcp_info - where the streams stand
 * @id: the same on every host and after every restart, another for another connection between the same ports
 * @epoch: of the group
 * @consumed: input below is gone
 * @read: next byte that read() returns
 * @readable: end of the input that has arrived in order
 * @write: where the next byte written stands
 * @written: end of what was written
 * @acked: the client has acknowledged output below
 * @committed_in, @committed_out: what the standby holds, or what has left when there is none
 * @flags: FTCP_INFO_*
 * @state: TCP_ESTABLISHED, ... as in struct tcp_info
 */
struct ftcp_info {
	__u64 id;
	__u64 epoch;
	__u64 consumed;
	__u64 read;
	__u64 readable;
	__u64 write;
	__u64 written;
	__u64 acked;
	__u64 committed_in;
	__u64 committed_out;
	__u32 flags;
	__u32 state;
};

#endif
