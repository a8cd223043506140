// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "echo_conn.h"
#include "pattern.h"

#define ROUNDS_MAX 16	/* chunks in a row, then the others have their turn */

bool echo_over(const struct echo_conn *conn)
{
	return conn->state == ECHO_DONE || conn->state == ECHO_FAILED;
}

static void finish(struct echo_conn *conn, enum echo_state state)
{
	conn->state = state;
	close(conn->fd);
	conn->fd = -1;
}

__attribute__((format(printf, 2, 3)))
static void fail(struct echo_conn *conn, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(conn->why, sizeof(conn->why), fmt, args);
	va_end(args);
	finish(conn, ECHO_FAILED);
}

static void fail_errno(struct echo_conn *conn, const char *what)
{
	conn->reset = errno == ECONNRESET || errno == EPIPE;
	fail(conn, "%s: %s", what, strerror(errno));
}

static void note_silence(struct echo_conn *conn, uint64_t now_ms)
{
	if (now_ms - conn->heard_ms > conn->pause_ms)
		conn->pause_ms = now_ms - conn->heard_ms;
	conn->heard_ms = now_ms;
}

void echo_open(struct echo_conn *conn, const struct echo_config *config, uint64_t seed, uint64_t now_ms)
{
	const int on = 1;

	memset(conn, 0, sizeof(*conn));
	conn->config = config;
	conn->seed = seed;
	conn->size = config->size;
	conn->began_ms = conn->heard_ms = now_ms;
	conn->fd = socket(config->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (conn->fd < 0) {
		fail_errno(conn, "socket");
		return;
	}
	if (config->mode == ECHO_PING_PONG)
		setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(conn->fd, (const struct sockaddr *)&config->addr, config->addr_len) && errno != EINPROGRESS)
		fail_errno(conn, "connect");
}

/* How far it may write now. */
static uint64_t send_limit(const struct echo_conn *conn, uint64_t now_ms)
{
	const struct echo_config *config = conn->config;
	uint64_t limit = conn->size, allowed;

	if (config->mode == ECHO_PING_PONG) {
		allowed = (conn->received / config->message + 1) * config->message;
		limit = allowed < limit ? allowed : limit;
	}
	if (config->rate) {
		allowed = (now_ms - conn->began_ms + 1) * config->rate / 1000;
		limit = allowed < limit ? allowed : limit;
	}
	return limit;
}

uint32_t echo_events(const struct echo_conn *conn, uint64_t now_ms, uint64_t *again_ms)
{
	bool reads = conn->config->mode != ECHO_HALF_CLOSE || conn->shut;

	*again_ms = 0;
	if (conn->state == ECHO_CONNECTING)
		return EPOLLOUT;
	if (conn->shut)
		return EPOLLIN;
	if (conn->sent < send_limit(conn, now_ms))
		return EPOLLOUT | (reads ? EPOLLIN : 0);
	if (conn->config->rate)
		*again_ms = now_ms + 10;
	return reads ? EPOLLIN : 0;
}

static void shut(struct echo_conn *conn)
{
	if (conn->shut || conn->sent < conn->size)
		return;
	conn->shut = true;
	if (shutdown(conn->fd, SHUT_WR))
		fail_errno(conn, "shutdown");
}

static void fill_chunk(struct echo_conn *conn, uint64_t limit)
{
	uint64_t len = limit - conn->sent;

	if (conn->sent < conn->chunk_end)
		return;
	if (len > ECHO_CHUNK)
		len = ECHO_CHUNK;
	pattern_fill(conn->seed, conn->sent, conn->chunk, len);
	conn->chunk_at = conn->sent;
	conn->chunk_end = conn->sent + len;
}

static void send_some(struct echo_conn *conn, uint64_t now_ms)
{
	uint64_t limit = send_limit(conn, now_ms);
	int round;
	ssize_t n;

	for (round = 0; round < ROUNDS_MAX && conn->sent < limit; round++) {
		fill_chunk(conn, limit);
		n = send(conn->fd, conn->chunk + (conn->sent - conn->chunk_at), conn->chunk_end - conn->sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			fail_errno(conn, "send");
			return;
		}
		conn->sent += n;
	}
	shut(conn);
}

static void take_bytes(struct echo_conn *conn, const unsigned char *bytes, size_t n, uint64_t now_ms)
{
	long at = pattern_differs(conn->seed, conn->received, bytes, n);

	note_silence(conn, now_ms);
	if (conn->received + n > conn->sent)
		fail(conn, "%" PRIu64 " bytes came back, %" PRIu64 " were sent", conn->received + n, conn->sent);
	else if (at >= 0)
		fail(conn, "byte %" PRIu64 " is not what was sent", conn->received + at);
	else
		conn->received += n;
}

static void take_end(struct echo_conn *conn, uint64_t now_ms)
{
	note_silence(conn, now_ms);
	if (!conn->shut || conn->received < conn->size)
		fail(conn, "ended after %" PRIu64 " of %" PRIu64 " bytes", conn->received, conn->size);
	else
		finish(conn, ECHO_DONE);
}

/* No lingering: the peer is sent a reset. */
static void abort_if_due(struct echo_conn *conn)
{
	const struct linger none = { .l_onoff = 1 };

	if (!conn->config->abort_after || conn->received < conn->config->abort_after)
		return;
	setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	finish(conn, ECHO_DONE);
}

static void receive_some(struct echo_conn *conn, uint64_t now_ms)
{
	static unsigned char buffer[ECHO_CHUNK];
	int round;
	ssize_t n;

	for (round = 0; round < ROUNDS_MAX && conn->state == ECHO_RUNNING; round++) {
		n = recv(conn->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			fail_errno(conn, "recv");
		} else if (!n) {
			take_end(conn, now_ms);
		} else {
			take_bytes(conn, buffer, n, now_ms);
			if (conn->state == ECHO_RUNNING)
				abort_if_due(conn);
		}
	}
}

static void finish_connect(struct echo_conn *conn, uint64_t now_ms)
{
	socklen_t len = sizeof(errno);
	int err = 0;

	getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	errno = err;
	if (err) {
		fail_errno(conn, "connect");
		return;
	}
	note_silence(conn, now_ms);
	conn->began_ms = now_ms;
	conn->state = ECHO_RUNNING;
}

void echo_work(struct echo_conn *conn, uint32_t events, uint64_t now_ms)
{
	if (echo_over(conn) || (conn->state == ECHO_CONNECTING && !events))
		return;
	if (conn->state == ECHO_CONNECTING)
		finish_connect(conn, now_ms);
	if (conn->state == ECHO_RUNNING && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		receive_some(conn, now_ms);
	if (conn->state == ECHO_RUNNING && !conn->shut)
		send_some(conn, now_ms);
}

void echo_stop(struct echo_conn *conn, uint64_t now_ms)
{
	if (echo_over(conn) || conn->state == ECHO_CONNECTING || conn->shut)
		return;
	conn->size = conn->sent;
	echo_work(conn, 0, now_ms);
}
