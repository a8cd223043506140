// SPDX-License-Identifier: GPL-2.0
/* What a case sees, a line each. */
#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "run.h"

void note(struct run *r, const char *format, ...)
{
	struct transcript *t = r->transcript;
	size_t room = sizeof(t->text) - t->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(t->text + t->length, room, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length + 2 > room)
		return;
	t->length += length;
	t->text[t->length++] = '\n';
	t->text[t->length] = 0;
}

static const char *error_name(int error)
{
	const char *name = strerrorname_np(error);

	return name ? name : "an unknown error";
}

long record_call(struct run *r, const char *text, long value)
{
	if (value == -1)
		note(r, "%s = %s", text, error_name(errno));
	else
		note(r, "%s = %ld", text, value);
	return value;
}

int record_fd(struct run *r, const char *text, int fd)
{
	note(r, "%s = %s", text, fd < 0 ? error_name(errno) : "fd");
	return fd;
}

void record_bytes(struct run *r, const char *what, const void *bytes, long count)
{
	const unsigned char *p = bytes;
	char shown[200];
	size_t used = 0;
	long i;

	for (i = 0; i < count && used < sizeof(shown) - 5; i++)
		used += isprint(p[i]) ? (size_t)sprintf(shown + used, "%c", p[i]) : (size_t)sprintf(shown + used, "\\x%02x", p[i]);
	shown[used] = 0;
	note(r, "%s: \"%s\"", what, shown);
}

long record_recv(struct run *r, const char *text, int fd, size_t size, int flags)
{
	char buffer[4096];
	long count;

	count = recv(fd, buffer, size < sizeof(buffer) ? size : sizeof(buffer), flags);
	record_call(r, text, count);
	if (count > 0)
		record_bytes(r, "received", buffer, count);
	return count;
}

const char *poll_names(int events)
{
	static const struct { int bit; const char *name; } names[] = {
		{ POLLIN, "IN" }, { POLLPRI, "PRI" }, { POLLOUT, "OUT" }, { POLLERR, "ERR" }, { POLLHUP, "HUP" }, { POLLNVAL, "NVAL" },
		{ POLLRDHUP, "RDHUP" }, { POLLRDNORM, "RDNORM" }, { POLLRDBAND, "RDBAND" }, { POLLWRNORM, "WRNORM" }, { POLLWRBAND, "WRBAND" },
	};
	static char text[120];
	size_t i;

	strcpy(text, events ? "" : "nothing");
	for (i = 0; i < COUNT(names); i++) {
		if (!(events & names[i].bit))
			continue;
		strcat(text, *text ? "|" : "");
		strcat(text, names[i].name);
	}
	return text;
}

int record_poll(struct run *r, const char *text, int fd, int events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int count = poll(&p, 1, ms);

	if (count < 0)
		record_call(r, text, count);
	else
		note(r, "%s = %d: %s", text, count, poll_names(p.revents));
	return p.revents;
}

int record_await(struct run *r, const char *text, int fd, int wanted)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	struct pollfd p = { .fd = fd };

	for (;;) {
		p.events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP;
		if (poll(&p, 1, 0) < 0 || (p.revents & wanted) == wanted)
			break;
		if (now_ms() > deadline) {
			note(r, "%s: never, only %s", text, poll_names(p.revents));
			return p.revents;
		}
		usleep(1000);
	}
	note(r, "%s: %s", text, poll_names(p.revents));
	return p.revents;
}

int record_set(struct run *r, const char *text, int fd, int level, int option, int value)
{
	return record_call(r, text, setsockopt(fd, level, option, &value, sizeof(value)));
}

int record_get(struct run *r, const char *text, int fd, int level, int option)
{
	socklen_t length = sizeof(int);
	int value = 0;

	if (getsockopt(fd, level, option, &value, &length))
		record_call(r, text, -1);
	else if (length == sizeof(int))
		note(r, "%s = %d", text, value);
	else
		note(r, "%s = %d, of length %u", text, value, length);
	return value;
}

void record_ioctl(struct run *r, const char *text, int fd, unsigned long request)
{
	int value = -1;

	if (ioctl(fd, request, &value))
		record_call(r, text, -1);
	else
		note(r, "%s = 0: %d", text, value);
}

void record_signals(struct run *r)
{
	note(r, "signals: %d SIGPIPE, %d SIGUSR1, %d SIGURG, %d SIGIO", signals_of(SIGPIPE), signals_of(SIGUSR1), signals_of(SIGURG), signals_of(SIGIO));
}
