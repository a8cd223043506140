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

struct account {
	struct percpu_counter used;
	atomic_t conns;
};
static struct account host, guests;	/* guests are in both */

int ftcp_memory_init(void)
{
	int err = percpu_counter_init(&host.used, 0, GFP_KERNEL);

	if (err)
		return err;
	err = percpu_counter_init(&guests.used, 0, GFP_KERNEL);
	if (err)
		percpu_counter_destroy(&host.used);
	return err;
}

void ftcp_memory_exit(void)
{
	percpu_counter_destroy(&guests.used);
	percpu_counter_destroy(&host.used);
}

void ftcp_memory_add_guest(long bytes)
{
	percpu_counter_add_batch(&guests.used, bytes, USED_BATCH_BYTES);
}

void ftcp_memory_add(long bytes, bool guest)
{
	percpu_counter_add_batch(&host.used, bytes, USED_BATCH_BYTES);
	if (guest)
		ftcp_memory_add_guest(bytes);
}

void ftcp_memory_add_conns(int n, bool guest)
{
	atomic_add(n, &host.conns);
	if (guest)
		atomic_add(n, &guests.conns);
	ftcp_memory_add(n * (long)sizeof(struct ftcp_conn), guest);
}

u64 ftcp_memory_used(void)
{
	return percpu_counter_sum_positive(&host.used);
}

u64 ftcp_memory_max(void)
{
	u64 mib = READ_ONCE(max_memory);

	return mib ? mib << 20 : (u64)totalram_pages() << PAGE_SHIFT >> 2;
}

static u64 conns_of(const struct account *account)
{
	return max(atomic_read(&account->conns), 1);
}

/* Held, or set aside. */
static u64 taken_by(struct account *account)
{
	return percpu_counter_read_positive(&account->used) + conns_of(account) * FTCP_SHARE_MIN_BYTES;
}

static enum ftcp_memory level_of(struct account *account, u64 most)
{
	u64 taken = taken_by(account);

	if (taken < most / 2)
		return FTCP_MEMORY_PLENTY;
	return taken < most / 4 * 3 ? FTCP_MEMORY_SHORT : FTCP_MEMORY_TIGHT;
}

enum ftcp_memory ftcp_memory_level(bool guest)
{
	enum ftcp_memory level = level_of(&host, ftcp_memory_max());

	return guest ? max(level, level_of(&guests, ftcp_memory_max() / 2)) : level;
}

/* U32_MAX: it does not matter */
static u32 share_of(struct account *account, u64 most)
{
	switch (level_of(account, most)) {
	case FTCP_MEMORY_PLENTY:
		return U32_MAX;
	case FTCP_MEMORY_SHORT:
		return clamp_t(u64, div64_u64(most / 4, conns_of(account)), FTCP_SHARE_MIN_BYTES, U32_MAX);
	default:
		return FTCP_SHARE_MIN_BYTES;
	}
}

u32 ftcp_memory_share(bool guest)
{
	u32 share = share_of(&host, ftcp_memory_max());

	if (guest)
		share = min(share, share_of(&guests, ftcp_memory_max() / 2));
	return share == U32_MAX ? 0 : share;
}

bool ftcp_memory_guests_full(void)
{
	return taken_by(&guests) >= ftcp_memory_max() / 2;
}
