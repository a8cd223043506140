// SPDX-License-Identifier: GPL-2.0
/* How much memory connections hold, and may hold. */
#include <linux/atomic.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu_counter.h>
#include <ftcp/limits.h>
#include "conn.h"
#include "memory.h"

static unsigned long max_memory;
module_param(max_memory, ulong, 0644);
MODULE_PARM_DESC(max_memory, "MiB that connections and their bytes may take; 0 (default): a quarter of the machine's memory");

/* What a CPU may have added, or taken back, without telling the others: each packet changes it twice. */
#define USED_BATCH_BYTES 65536

static struct percpu_counter used;
static atomic_t conns;

int ftcp_memory_init(void)
{
	return percpu_counter_init(&used, 0, GFP_KERNEL);
}

void ftcp_memory_exit(void)
{
	percpu_counter_destroy(&used);
}

void ftcp_memory_add(long bytes)
{
	percpu_counter_add_batch(&used, bytes, USED_BATCH_BYTES);
}

void ftcp_memory_add_conns(int n)
{
	atomic_add(n, &conns);
	ftcp_memory_add(n * (long)sizeof(struct ftcp_conn));
}

u64 ftcp_memory_used(void)
{
	return percpu_counter_sum_positive(&used);
}

u64 ftcp_memory_max(void)
{
	u64 mib = READ_ONCE(max_memory);

	return mib ? mib << 20 : (u64)totalram_pages() << PAGE_SHIFT >> 2;
}

static u64 conns_now(void)
{
	return max(atomic_read(&conns), 1);
}

enum ftcp_memory ftcp_memory_level(void)
{
	u64 most = ftcp_memory_max(), taken = percpu_counter_read_positive(&used) + conns_now() * FTCP_SHARE_MIN_BYTES;

	if (taken < most / 2)
		return FTCP_MEMORY_PLENTY;
	return taken < most / 4 * 3 ? FTCP_MEMORY_SHORT : FTCP_MEMORY_TIGHT;
}

u32 ftcp_memory_share(void)
{
	switch (ftcp_memory_level()) {
	case FTCP_MEMORY_PLENTY:
		return 0;
	case FTCP_MEMORY_SHORT:
		return clamp_t(u64, div64_u64(ftcp_memory_max() / 4, conns_now()), FTCP_SHARE_MIN_BYTES, U32_MAX);
	default:
		return FTCP_SHARE_MIN_BYTES;
	}
}
