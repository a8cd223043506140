/* SPDX-License-Identifier: GPL-2.0 */
/* What kernel.c and kernel_batch.c share. */
#ifndef FTCP_KERNEL_INTERNAL_H
#define FTCP_KERNEL_INTERNAL_H

#include <linux/genetlink.h>
#include "kernel.h"

/** kernel_fail() - kernel->error, and @err */
__attribute__((format(printf, 3, 4))) int kernel_fail(struct kernel *kernel, int err, const char *fmt, ...);

/** kernel_socket() - a generic netlink socket that tells why; NULL: errno */
struct mnl_socket *kernel_socket(int flags);

/**
 * kernel_buffer() - make @fd's buffer larger, by force if that is allowed
 * @option: SO_SNDBUF or SO_RCVBUF
 *
 * Returns what it is now, as the kernel counts: twice what was asked for, or less.
 */
int kernel_buffer(int fd, int option, int bytes);

/** kernel_apply_fits() - how many of @n batches go to the kernel in one message: at least one */
unsigned int kernel_apply_fits(const struct kernel *kernel, const struct kernel_batch *batches, unsigned int n);

/** kernel_begin() - a message of the family into @buffer, with the group's name */
struct nlmsghdr *kernel_begin(struct kernel *kernel, void *buffer, enum ftcp_cmd cmd);

/** kernel_result() - of an NLMSG_ERROR: 0 or -errno, with the kernel's words in kernel->error */
int kernel_result(struct kernel *kernel, const struct nlmsghdr *nlh);

#endif
