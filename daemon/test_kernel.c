// SPDX-License-Identifier: GPL-2.0
/* What needs no kernel module of how batches go into the kernel: how many go in one message. Prints TAP. */
#include <sys/socket.h>
#include <unistd.h>
#include "kernel_internal.h"
#include "tap.h"

static const uint8_t noise[FTCP_BATCH_MAX_BYTES];
static struct kernel_batch batches[KERNEL_APPLY_MAX];

static void all_of(size_t len)
{
	for (int i = 0; i < KERNEL_APPLY_MAX; i++)
		batches[i] = (struct kernel_batch){ .sync_id = 1, .no = 1 + i, .data = noise, .len = len };
}

static unsigned int fits(int apply_bytes, unsigned int n)
{
	const struct kernel kernel = { .apply_bytes = apply_bytes };

	return kernel_apply_fits(&kernel, batches, n);
}

static void portions(void)
{
	all_of(FTCP_BATCH_MAX_BYTES);
	tap_ok(fits(4 << 20, KERNEL_APPLY_MAX) == KERNEL_APPLY_MAX, "portion__all_the_credits_in_what_is_asked_for");
	tap_ok(fits(212992, KERNEL_APPLY_MAX) == 3, "portion__of_the_kernel_s_default");
	tap_ok(fits(425984, KERNEL_APPLY_MAX) == 6, "portion__of_what_everybody_may_have");
	tap_ok(fits(4608, KERNEL_APPLY_MAX) == 1 && fits(0, KERNEL_APPLY_MAX) == 1, "portion__one_at_least");
	tap_ok(fits(4 << 20, 5) == 5 && fits(212992, 2) == 2, "portion__not_more_than_there_are");
	all_of(100);
	tap_ok(fits(212992, KERNEL_APPLY_MAX) == KERNEL_APPLY_MAX, "portion__many_small_ones");
	batches[1].len = FTCP_BATCH_MAX_BYTES;
	tap_ok(fits(40000, KERNEL_APPLY_MAX) == 1, "portion__a_small_one_before_a_large_one");
}

/* With or without the right to force it. */
static void buffers(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), before, after, less = 0;
	socklen_t len = sizeof(before);

	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &before, &len);
	less = kernel_buffer(fd, SO_SNDBUF, before / 2);
	after = kernel_buffer(fd, SO_SNDBUF, 2 << 20);
	tap_ok(less == before && after >= before, "buffer__as_large_as_it_can_be");
	close(fd);
}

int main(void)
{
	printf("TAP version 13\n");
	portions();
	buffers();
	return tap_end();
}
