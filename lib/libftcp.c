// SPDX-License-Identifier: GPL-2.0
/* libftcp: see ftcp.h. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>
#include "ftcp.h"

#define PUBLIC __attribute__((visibility("default")))

static int set(int fd, int name, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_FTCP, name, value, len);
}

static int set_u64(int fd, int name, uint64_t value)
{
	return set(fd, name, &value, sizeof(value));
}

/* Give up on a descriptor without hiding why. */
static int close_failed(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
	return -1;
}

static int prepare(int fd, const struct ftcp_service *service)
{
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		return -1;
	if (service->group && set(fd, FTCP_GROUP, service->group, strlen(service->group)))
		return -1;
	return bind(fd, service->address, service->address_len);
}

/* Before the first connection can be accepted. */
static int promise(int fd, const struct ftcp_service *service)
{
	int one = 1;

	if (service->persist_ms && set(fd, FTCP_PERSIST, &service->persist_ms, sizeof(service->persist_ms)))
		return -1;
	if (service->flags & FTCP_LISTEN_EXPLICIT && set_u64(fd, FTCP_CONSUME, 0))
		return -1;
	if (service->flags & FTCP_LISTEN_RECOVER && set(fd, FTCP_RECOVER, &one, sizeof(one)))
		return -1;
	return 0;
}

PUBLIC int ftcp_listen(const struct ftcp_service *service)
{
	int type = SOCK_STREAM | SOCK_CLOEXEC | (service->flags & FTCP_LISTEN_NONBLOCK ? SOCK_NONBLOCK : 0);
	int fd = socket(service->address->sa_family, type, IPPROTO_FTCP);

	if (fd < 0)
		return -1;
	if (prepare(fd, service) || promise(fd, service) || listen(fd, service->backlog ? service->backlog : SOMAXCONN))
		return close_failed(fd);
	return fd;
}

PUBLIC int ftcp_listen_port(uint16_t port, unsigned int flags, uint32_t persist_ms)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct ftcp_service service = { .address = (struct sockaddr *)&any6, .address_len = sizeof(any6), .flags = flags, .persist_ms = persist_ms };
	int fd = ftcp_listen(&service);

	/* A host without IPv6. */
	if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
		service.address = (struct sockaddr *)&any4;
		service.address_len = sizeof(any4);
		fd = ftcp_listen(&service);
	}
	return fd;
}

PUBLIC int ftcp_accept(int listener, struct ftcp_info *info, int flags)
{
	int fd = accept4(listener, NULL, NULL, flags);

	if (fd >= 0 && info && ftcp_info(fd, info))
		return close_failed(fd);
	return fd;
}

/* An older module knows less of the struct: the rest is 0. */
PUBLIC int ftcp_info(int fd, struct ftcp_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return getsockopt(fd, SOL_FTCP, FTCP_INFO, info, &len);
}

PUBLIC ssize_t ftcp_read_at(int fd, void *bytes, size_t len, uint64_t offset)
{
	if (set_u64(fd, FTCP_SEEK_READ, offset))
		return -1;
	return recv(fd, bytes, len, 0);
}

PUBLIC ssize_t ftcp_append(int fd, const void *bytes, size_t len, uint64_t offset)
{
	size_t done = 0;
	ssize_t n;

	if (set_u64(fd, FTCP_SEEK_WRITE, offset))
		return -1;
	while (done < len) {
		n = send(fd, (const char *)bytes + done, len - done, MSG_NOSIGNAL);
		if (n > 0)
			done += n;
		else if (done && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			break;
		else
			return -1;
	}
	return done;
}

PUBLIC int ftcp_consume(int fd, uint64_t offset)
{
	return set_u64(fd, FTCP_CONSUME, offset);
}

PUBLIC int ftcp_finish(int fd)
{
	return shutdown(fd, SHUT_WR);
}

/* The client may have ended it before: then there is nothing to end. */
PUBLIC int ftcp_close(int fd)
{
	if (shutdown(fd, SHUT_RDWR) && errno != ENOTCONN)
		return close_failed(fd);
	return close(fd);
}

PUBLIC int ftcp_leave(int fd)
{
	return close(fd);
}

PUBLIC int ftcp_abort(int fd)
{
	struct linger now = { .l_onoff = 1 };
	uint32_t none = 0;

	if (set(fd, FTCP_PERSIST, &none, sizeof(none)) || setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)))
		return close_failed(fd);
	return close(fd);
}
