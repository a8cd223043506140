/* SPDX-License-Identifier: GPL-2.0 */
/* One connection of echo_client: what it sends, what must come back, and what went wrong. */
#ifndef ECHO_CONN_H
#define ECHO_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define ECHO_CHUNK	65536

enum echo_mode {
	ECHO_DUPLEX,		/* write and read at once */
	ECHO_HALF_CLOSE,	/* write all, shut down, and only then read */
	ECHO_PING_PONG,		/* write a message, read it, write the next */
};

struct echo_config {
	struct sockaddr_storage addr;
	socklen_t addr_len;
	enum echo_mode mode;
	uint64_t size;		/* bytes of each stream */
	uint64_t message;	/* ping-pong: bytes of a message */
	uint64_t abort_after;	/* reset after so many bytes were received; 0: never */
	uint64_t rate;		/* bytes in a second, each connection; 0: as fast as it goes */
};

enum echo_state {
	ECHO_CONNECTING,
	ECHO_RUNNING,
	ECHO_DONE,
	ECHO_FAILED,
};

struct echo_conn {
	const struct echo_config *config;
	int fd;
	enum echo_state state;
	uint64_t seed;
	uint64_t size;		/* config->size, unless it was stopped before */
	uint64_t sent;
	uint64_t received;
	uint64_t began_ms;
	uint64_t heard_ms;	/* when the last byte came */
	uint64_t pause_ms;	/* the longest time without one */
	bool shut;		/* nothing more is written */
	bool reset;
	char why[160];		/* ECHO_FAILED: what happened */
	unsigned char chunk[ECHO_CHUNK];	/* [chunk_at, chunk_end) of the stream, to be sent */
	uint64_t chunk_at;
	uint64_t chunk_end;
};

/** echo_open() - begin to connect */
void echo_open(struct echo_conn *conn, const struct echo_config *config, uint64_t seed, uint64_t now_ms);

/** echo_events() - what to wait for: EPOLLIN, EPOLLOUT; *again_ms: in any case, call echo_work() then (unless 0) */
uint32_t echo_events(const struct echo_conn *conn, uint64_t now_ms, uint64_t *again_ms);

/** echo_work() - do what can be done; closes the socket when it is over */
void echo_work(struct echo_conn *conn, uint32_t events, uint64_t now_ms);

/** echo_stop() - write nothing beyond what was written */
void echo_stop(struct echo_conn *conn, uint64_t now_ms);

bool echo_over(const struct echo_conn *conn);

#endif
