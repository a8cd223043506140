/* SPDX-License-Identifier: GPL-2.0 */
/* Between ftcprun and the library that it loads into programs. */
#ifndef FTCP_PRELOAD_H
#define FTCP_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>

#define PRELOAD_LIBRARY	"libftcprun.so"

/* In the environment, so that they reach the programs that a program runs, too. */
#define PRELOAD_PORTS	"FTCPRUN_PORTS"		/* as ports.h reads them; not set: all */
#define PRELOAD_GROUP	"FTCPRUN_GROUP"
#define PRELOAD_VERBOSE	"FTCPRUN_VERBOSE"

/* Give a socket every option in which another one differs from a fresh socket of its kind. What the new one does not know is told to @refused. */
void option_copy(int from, int to, int fresh, void (*refused)(const char *name));

/* The epoll sets of this process in which a file stands, found by its number and its inode; leaving and entering again keeps events and data. */
struct epoll_place {
	int set;
	struct epoll_event event;
};

size_t epoll_leave(int fd, unsigned long ino, struct epoll_place *places, size_t room);
void epoll_enter(int fd, struct epoll_place *places, size_t n);

#endif
