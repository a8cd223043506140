// SPDX-License-Identifier: GPL-2.0
/* Chunks: how they come, what they count for, and how they go. */
#include <linux/slab.h>
#include "chunk.h"
#include "memory.h"
#include "page.h"

void ftcp_chunk_charge(struct ftcp_chunk *chunk, u32 bytes)
{
	chunk->charge = bytes + sizeof(*chunk);
	chunk->guest = false;
	ftcp_memory_add(chunk->charge, false);
}

void ftcp_chunk_settle(const struct ftcp_bytes *bytes, struct ftcp_chunk *chunk)
{
	if (!bytes->guest || chunk->guest)
		return;
	chunk->guest = true;
	ftcp_memory_add_guest(chunk->charge);
}

/* What @chunk refers to is let go; true: its record is left, to be freed. */
static bool let_go(struct ftcp_chunk *chunk)
{
	if (!chunk->page) {
		consume_skb(ftcp_chunk_skb(chunk));
		return false;
	}
	if (chunk->foreign)
		put_page(chunk->page);
	else
		ftcp_page_put(chunk->page);
	return true;
}

void ftcp_chunk_discard(struct ftcp_chunk *chunk)
{
	ftcp_memory_add(-(long)chunk->charge, chunk->guest);
	if (let_go(chunk))
		kfree(chunk);
}

#define RECORDS_AT_ONCE 16

static void free_records(void **records, u32 n)
{
	if (n == 1)
		kfree(records[0]);
	else if (n)
		kfree_bulk(n, records);
}

/* Records that came together lie together, and that makes it cheaper to free them together. */
void ftcp_chunk_discard_all(struct list_head *list)
{
	struct ftcp_chunk *chunk, *next;
	void *records[RECORDS_AT_ONCE];
	long charged = 0, guests = 0;
	u32 n = 0;

	if (list_empty(list))
		return;
	list_for_each_entry_safe(chunk, next, list, node) {
		charged += chunk->charge;
		guests += chunk->guest ? chunk->charge : 0;
		if (let_go(chunk))
			records[n++] = chunk;
		if (n == RECORDS_AT_ONCE) {
			free_records(records, n);
			n = 0;
		}
	}
	free_records(records, n);
	ftcp_memory_add(-charged, false);
	if (guests)
		ftcp_memory_add_guest(-guests);
	INIT_LIST_HEAD(list);
}

struct ftcp_chunk *ftcp_chunk_alloc(u32 len, gfp_t gfp)
{
	struct ftcp_chunk *chunk = kmalloc(sizeof(*chunk), gfp);
	u32 order = min_t(u32, get_order(len), FTCP_PAGE_ORDER_MAX);

	if (!chunk)
		return NULL;
	chunk->page = ftcp_page_alloc(order, gfp);
	if (!chunk->page && order) {
		order = 0;
		chunk->page = ftcp_page_alloc(0, gfp);
	}
	if (!chunk->page) {
		kfree(chunk);
		return NULL;
	}
	chunk->at = 0;
	chunk->len = 0;
	chunk->room = PAGE_SIZE << order;
	chunk->foreign = false;
	chunk->front = false;
	ftcp_chunk_charge(chunk, chunk->room);
	return chunk;
}

int ftcp_chunk_reserve(struct list_head *list, u64 start, u32 len, gfp_t gfp)
{
	struct ftcp_chunk *chunk;

	while (len) {
		chunk = ftcp_chunk_alloc(len, gfp);
		if (!chunk)
			goto fail;
		chunk->start = start;
		chunk->len = min(len, chunk->room);
		chunk->room -= chunk->len;
		list_add_tail(&chunk->node, list);
		start += chunk->len;
		len -= chunk->len;
	}
	return 0;
fail:
	ftcp_chunk_discard_all(list);
	return -ENOMEM;
}

void ftcp_chunk_free(struct ftcp_bytes *bytes, struct ftcp_chunk *chunk)
{
	list_del(&chunk->node);
	bytes->held -= chunk->len;
	ftcp_chunk_discard(chunk);
}

void ftcp_chunk_trim_front(struct ftcp_bytes *bytes, struct ftcp_chunk *chunk, u64 off)
{
	u32 cut = off - chunk->start;

	chunk->start += cut;
	chunk->at += cut;
	chunk->len -= cut;
	chunk->front = false;
	bytes->held -= cut;
}
