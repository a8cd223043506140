// SPDX-License-Identifier: GPL-2.0
/* Socket options that move from one socket to another. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include "preload.h"

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND	78
#endif

#define OPTION(level, name) { level, name, #name }

/* What has to be there before bind() comes first: the order in which they are set. */
static const struct option {
	int level;
	int name;
	const char *text;
} options[] = {
	OPTION(SOL_SOCKET, SO_REUSEADDR),
	OPTION(SOL_SOCKET, SO_REUSEPORT),
	OPTION(SOL_SOCKET, SO_BINDTODEVICE),
	OPTION(SOL_SOCKET, SO_MARK),
	OPTION(SOL_SOCKET, SO_PRIORITY),
	OPTION(SOL_SOCKET, SO_KEEPALIVE),
	OPTION(SOL_SOCKET, SO_LINGER),
	OPTION(SOL_SOCKET, SO_OOBINLINE),
	OPTION(SOL_SOCKET, SO_DONTROUTE),
	OPTION(SOL_SOCKET, SO_RCVBUF),
	OPTION(SOL_SOCKET, SO_SNDBUF),
	OPTION(SOL_SOCKET, SO_RCVLOWAT),
	OPTION(SOL_SOCKET, SO_RCVTIMEO),
	OPTION(SOL_SOCKET, SO_SNDTIMEO),
	OPTION(SOL_SOCKET, SO_BUSY_POLL),
	OPTION(SOL_IP, IP_TOS),
	OPTION(SOL_IP, IP_TTL),
	OPTION(SOL_IP, IP_FREEBIND),
	OPTION(SOL_IP, IP_TRANSPARENT),
	OPTION(SOL_IP, IP_MTU_DISCOVER),
	OPTION(SOL_IPV6, IPV6_V6ONLY),
	OPTION(SOL_IPV6, IPV6_TCLASS),
	OPTION(SOL_IPV6, IPV6_UNICAST_HOPS),
	OPTION(SOL_IPV6, IPV6_FREEBIND),
	OPTION(SOL_TCP, TCP_NODELAY),
	OPTION(SOL_TCP, TCP_CORK),
	OPTION(SOL_TCP, TCP_MAXSEG),
	OPTION(SOL_TCP, TCP_DEFER_ACCEPT),
	OPTION(SOL_TCP, TCP_KEEPIDLE),
	OPTION(SOL_TCP, TCP_KEEPINTVL),
	OPTION(SOL_TCP, TCP_KEEPCNT),
	OPTION(SOL_TCP, TCP_SYNCNT),
	OPTION(SOL_TCP, TCP_LINGER2),
	OPTION(SOL_TCP, TCP_USER_TIMEOUT),
	OPTION(SOL_TCP, TCP_WINDOW_CLAMP),
	OPTION(SOL_TCP, TCP_NOTSENT_LOWAT),
};

union value {
	int number;
	struct timeval time;
	struct linger linger;
	char name[16];
};

static bool get(int fd, const struct option *option, union value *value, socklen_t *len)
{
	memset(value, 0, sizeof(*value));
	*len = sizeof(*value);
	return !getsockopt(fd, option->level, option->name, value, len);
}

/* The kernel tells twice what it was asked for. */
static void undouble(const struct option *option, union value *value)
{
	if (option->level == SOL_SOCKET && (option->name == SO_RCVBUF || option->name == SO_SNDBUF))
		value->number /= 2;
}

void option_copy(int from, int to, int fresh, void (*refused)(const char *name))
{
	socklen_t len, fresh_len;
	union value value, usual;

	for (const struct option *option = options; option < options + sizeof(options) / sizeof(options[0]); option++) {
		if (!get(from, option, &value, &len) || !get(fresh, option, &usual, &fresh_len))
			continue;
		if (len == fresh_len && !memcmp(&value, &usual, sizeof(value)))
			continue;
		undouble(option, &value);
		if (setsockopt(to, option->level, option->name, &value, len))
			refused(option->text);
	}
}
