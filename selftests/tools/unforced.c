// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded (LD_PRELOAD): a process that is root of a container only, to whom the kernel does not give buffers beyond what net.core
 * allows everybody.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	if (level == SOL_SOCKET && (option == SO_SNDBUFFORCE || option == SO_RCVBUFFORCE)) {
		errno = EPERM;
		return -1;
	}
	return syscall(SYS_setsockopt, fd, level, option, value, len);
}
