// SPDX-License-Identifier: GPL-2.0
/* Pages that are used again. */
#include <linux/bottom_half.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/topology.h>
#include "page.h"

#define KEPT_MAX 16

/* What a processor keeps, at most 64 KiB of single pages and 512 KiB of large ones. With BHs off. A control group that one was charged to goes on paying. */
struct kept {
	struct page *pages[KEPT_MAX];
	unsigned int n;
};
static DEFINE_PER_CPU(struct kept, kept_single);
static DEFINE_PER_CPU(struct kept, kept_large);

/* Other sizes are rare. A checker of memory is to see each use, and whoever uses what is not his any more. */
static struct kept *kept_of(unsigned int order)
{
	if (IS_ENABLED(CONFIG_KASAN))
		return NULL;
	if (!order)
		return this_cpu_ptr(&kept_single);
	return order == FTCP_PAGE_ORDER_MAX ? this_cpu_ptr(&kept_large) : NULL;
}

static struct page *take(unsigned int order)
{
	struct page *page = NULL;
	struct kept *kept;

	local_bh_disable();
	kept = kept_of(order);
	if (kept && kept->n)
		page = kept->pages[--kept->n];
	local_bh_enable();
	return page;
}

struct page *ftcp_page_alloc(unsigned int order, gfp_t gfp)
{
	struct page *page = take(order);

	if (page)
		return page;
	if (!order)
		return alloc_page(gfp | __GFP_NOWARN);
	return alloc_pages((gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_COMP | __GFP_NOWARN | __GFP_NORETRY, order);
}

/* The last reference is ours, and the page is one that we might have been given. */
static bool worth_keeping(const struct page *page)
{
	return page_ref_count(page) == 1 && !PageHighMem(page) && !page_is_pfmemalloc(page) && page_to_nid(page) == numa_mem_id();
}

static bool keep(struct page *page)
{
	struct kept *kept;
	bool result = false;

	local_bh_disable();
	kept = kept_of(compound_order(page));
	if (kept && kept->n < KEPT_MAX && worth_keeping(page)) {
		kept->pages[kept->n++] = page;
		result = true;
	}
	local_bh_enable();
	return result;
}

void ftcp_page_put(struct page *page)
{
	if (!keep(page))
		put_page(page);
}

static void empty(struct kept *kept)
{
	while (kept->n)
		put_page(kept->pages[--kept->n]);
}

void ftcp_page_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		empty(per_cpu_ptr(&kept_single, cpu));
		empty(per_cpu_ptr(&kept_large, cpu));
	}
}
