// SPDX-License-Identifier: GPL-2.0
/*
 * Loaded by ftcprun into a program: what the program listens with becomes a socket of ftcp, under the descriptor that it has.
 *
 * Not earlier than listen(): until then nobody knows whether a socket is for listening or for connecting, and what connects stays the kernel's.
 * A chosen port that cannot be had is an error of listen(), not a connection without protection.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ftcp_sock.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ports.h"
#include "preload.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

#define EPOLL_PLACES	16

static struct {
	struct ports ports;
	bool all;
	bool verbose;
	const char *group;
	struct stat error;	/* what standard error was when the program began */
	int (*listen)(int fd, int backlog);
	int (*getsockopt)(int fd, int level, int name, void *value, socklen_t *len);
} run;

/* Servers put connections there, too, and a client must not read what we say. */
static bool is_standard_error(void)
{
	socklen_t len = sizeof(int);
	struct stat now;
	int domain;

	if (fstat(STDERR_FILENO, &now) || now.st_dev != run.error.st_dev || now.st_ino != run.error.st_ino)
		return false;
	return !S_ISSOCK(now.st_mode) || (!run.getsockopt(STDERR_FILENO, SOL_SOCKET, SO_DOMAIN, &domain, &len) && domain == AF_UNIX);
}

__attribute__((format(printf, 1, 2)))
static void say(const char *format, ...)
{
	int error = errno;
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (is_standard_error())
		dprintf(STDERR_FILENO, "ftcprun: %s[%d]: %s\n", program_invocation_short_name, (int)getpid(), text);
	errno = error;
}

/* Programs may clear their environment before they listen, so it is read first of all. */
__attribute__((constructor))
static void prepare(void)
{
	const char *ports = getenv(PRELOAD_PORTS);

	if (run.listen)
		return;
	fstat(STDERR_FILENO, &run.error);
	run.getsockopt = dlsym(RTLD_NEXT, "getsockopt");
	run.all = !ports || !*ports;
	run.verbose = getenv(PRELOAD_VERBOSE);
	run.group = getenv(PRELOAD_GROUP);
	if (run.group)
		run.group = strdup(run.group);
	if (!run.all && !ports_parse(&run.ports, ports))
		say("%s is not a list of ports: %s", PRELOAD_PORTS, ports);
	run.listen = dlsym(RTLD_NEXT, "listen");
}

static int number_of(int fd, int name)
{
	int value;
	socklen_t len = sizeof(value);

	return run.getsockopt(fd, SOL_SOCKET, name, &value, &len) ? -1 : value;
}

static bool is_tcp(int fd)
{
	int domain = number_of(fd, SO_DOMAIN), protocol = number_of(fd, SO_PROTOCOL);

	return (domain == AF_INET || domain == AF_INET6) && number_of(fd, SO_TYPE) == SOCK_STREAM &&
		(protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP) && !number_of(fd, SO_ACCEPTCONN);
}

/* Host byte order; 0: not bound yet. */
static uint16_t port_of(const struct sockaddr_storage *address)
{
	return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port :
		     ((const struct sockaddr_in *)address)->sin_port);
}

static void option_refused(const char *name)
{
	if (run.verbose)
		say("%s: not on a socket of ftcp (%m)", name);
}

static int bind_new(int fd, int old, const struct sockaddr_storage *address, socklen_t len)
{
	int reuse = number_of(old, SO_REUSEADDR), one = 1, result;

	if (run.group && setsockopt(fd, SOL_FTCP, FTCP_GROUP, run.group, strlen(run.group)))
		return -1;
	/* For a moment both have the port. */
	setsockopt(old, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	result = bind(fd, (const struct sockaddr *)address, len);
	setsockopt(old, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
	if (!result)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
	return result;
}

static int make(int old, const struct sockaddr_storage *address, socklen_t len)
{
	int fresh, error, fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_FTCP);

	if (fd < 0)
		return -1;
	fresh = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fresh >= 0) {
		option_copy(old, fd, fresh, option_refused);
		close(fresh);
	}
	if (bind_new(fd, old, address, len)) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* The program's number, with all that it knows about the old socket, is the new socket's. */
static int put_over(int fd, int new)
{
	struct epoll_place places[EPOLL_PLACES];
	int flags = fcntl(fd, F_GETFL), cloexec = fcntl(fd, F_GETFD), result;
	struct stat old;
	size_t n = 0;

	if (flags < 0 || cloexec < 0 || fcntl(new, F_SETFL, flags & (O_NONBLOCK | O_ASYNC)) < 0)
		return -1;
	if (!fstat(fd, &old))
		n = epoll_leave(fd, old.st_ino, places, EPOLL_PLACES);
	result = dup3(new, fd, cloexec & FD_CLOEXEC ? O_CLOEXEC : 0);
	epoll_enter(fd, places, n);
	return result;
}

static int replace(int fd, const struct sockaddr_storage *address, socklen_t len)
{
	int new = make(fd, address, len), result, error;

	if (new < 0)
		return -1;
	result = put_over(fd, new);
	error = errno;
	close(new);
	errno = error;
	return result < 0 ? -1 : 0;
}

static int listen_by_ftcp(int fd, int backlog, const struct sockaddr_storage *address, socklen_t len)
{
	uint16_t port = port_of(address);

	if (number_of(fd, SO_REUSEPORT) > 0) {
		if (run.verbose)
			say("port %u stays with TCP: several sockets share it (SO_REUSEPORT)", port);
		return run.listen(fd, backlog);
	}
	if (replace(fd, address, len) || run.listen(fd, backlog)) {
		say("port %u cannot be had from ftcp: %m%s", port, errno != EPERM && errno != EACCES ? "" :
		    ". Run as root, or let root do before: ftcpctl service add socket --port PORT");
		return -1;
	}
	if (run.verbose)
		say("port %u is served by ftcp", port);
	return 0;
}

__attribute__((visibility("default")))
int listen(int fd, int backlog)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	uint16_t port;

	prepare();
	if (!is_tcp(fd) || getsockname(fd, (struct sockaddr *)&address, &len))
		return run.listen(fd, backlog);
	/* listen() would choose a port, too late to be moved. */
	if (!port_of(&address) && run.all && (bind(fd, (struct sockaddr *)&address, len) || getsockname(fd, (struct sockaddr *)&address, &len)))
		return -1;
	port = port_of(&address);
	if (!port || !(run.all || ports_have(&run.ports, port)))
		return run.listen(fd, backlog);
	return listen_by_ftcp(fd, backlog, &address, len);
}

/* A program that asks what it has is told what it made. */
__attribute__((visibility("default")))
int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	int result;

	prepare();
	result = run.getsockopt(fd, level, name, value, len);
	if (!result && level == SOL_SOCKET && name == SO_PROTOCOL && *len == sizeof(int) && *(int *)value == IPPROTO_FTCP)
		*(int *)value = IPPROTO_TCP;
	return result;
}
