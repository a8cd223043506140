// SPDX-License-Identifier: GPL-2.0
/* Where bytes come into a store that has holes, and may have some of them already. */
#include "chunk.h"

/* The last chunk that begins at @off or before it, the list's head if none does; looked for from the nearer end. */
static struct list_head *node_before(struct ftcp_bytes *bytes, u64 off)
{
	struct ftcp_chunk *chunk;

	if (off >= bytes->start + (bytes->end - bytes->start) / 2) {
		list_for_each_entry_reverse(chunk, &bytes->chunks, node)
			if (chunk->start <= off)
				break;
		return &chunk->node;
	}
	list_for_each_entry(chunk, &bytes->chunks, node)
		if (chunk->start > off)
			break;
	return chunk->node.prev;
}

/* Cut [from, to) out of @bytes; by contract no chunk reaches beyond the range on both sides. */
static void punch(struct ftcp_bytes *bytes, u64 from, u64 to)
{
	struct list_head *node = node_before(bytes, from);
	struct ftcp_chunk *chunk, *next;

	if (node == &bytes->chunks)
		node = node->next;
	chunk = list_entry(node, struct ftcp_chunk, node);
	list_for_each_entry_safe_from(chunk, next, &bytes->chunks, node) {
		u64 end = chunk->start + chunk->len;

		if (chunk->start >= to)
			break;
		if (end <= from)
			continue;
		if (chunk->start < from) {
			bytes->held -= end - from;
			chunk->len -= end - from;
			chunk->room = 0;
		} else if (end > to) {
			ftcp_chunk_trim_front(bytes, chunk, to);
		} else {
			ftcp_chunk_free(bytes, chunk);
		}
	}
}

#define ABSORB_MAX_BYTES (PAGE_SIZE / 2)

/* Copy a small chunk into the room that the one before it has left: tiny segments must not cost a page each. */
static bool absorb(struct ftcp_chunk *last, const struct ftcp_chunk *chunk)
{
	if (last->start + last->len != chunk->start || chunk->len > last->room || chunk->len > ABSORB_MAX_BYTES)
		return false;
	memcpy(ftcp_chunk_data(last) + last->len, ftcp_chunk_data(chunk), chunk->len);
	last->len += chunk->len;
	last->room -= chunk->len;
	return true;
}

/* The same into the room before the one that follows it. */
static bool absorb_front(struct ftcp_chunk *first, const struct ftcp_chunk *chunk)
{
	if (chunk->start + chunk->len != first->start || !first->front || chunk->len > first->at || chunk->len > ABSORB_MAX_BYTES)
		return false;
	first->start -= chunk->len;
	first->at -= chunk->len;
	first->len += chunk->len;
	memcpy(ftcp_chunk_data(first), ftcp_chunk_data(chunk), chunk->len);
	return true;
}

/* Both onto a page of their own, where there will be room for what comes before and behind them; NULL: no memory for it, nothing changed */
static struct ftcp_chunk *unite(const struct ftcp_chunk *a, const struct ftcp_chunk *b)
{
	struct ftcp_chunk *both = ftcp_chunk_alloc(a->len + b->len, GFP_ATOMIC | __GFP_NOWARN);

	if (!both)
		return NULL;
	both->start = a->start;
	both->len = a->len + b->len;
	both->at = min_t(u64, a->start % PAGE_SIZE, PAGE_SIZE - both->len);
	both->room = PAGE_SIZE - both->at - both->len;
	both->front = true;
	memcpy(ftcp_chunk_data(both), ftcp_chunk_data(a), a->len);
	memcpy(ftcp_chunk_data(both) + a->len, ftcp_chunk_data(b), b->len);
	return both;
}

/*
 * Neighbours become one if one of them has room for the other, or both are little: by the order in which he sends tiny segments, and how they
 * overlap, a peer must not make each byte cost a packet or a page, nor a long list to go through. Returns what is there then, NULL: both
 */
static struct ftcp_chunk *join(const struct ftcp_bytes *bytes, struct ftcp_chunk *a, struct ftcp_chunk *b)
{
	struct ftcp_chunk *both;

	if (a->start + a->len != b->start)
		return NULL;
	if (absorb(a, b)) {
		both = a;
	} else if (absorb_front(b, a)) {
		both = b;
	} else {
		both = a->len < FTCP_CHUNK_LITTLE_BYTES && b->len < FTCP_CHUNK_LITTLE_BYTES ? unite(a, b) : NULL;
		if (!both)
			return NULL;
		ftcp_chunk_settle(bytes, both);
		list_add_tail(&both->node, &a->node);
	}
	if (both != a) {
		list_del(&a->node);
		ftcp_chunk_discard(a);
	}
	if (both != b) {
		list_del(&b->node);
		ftcp_chunk_discard(b);
	}
	return both;
}

static void insert(struct ftcp_bytes *bytes, struct ftcp_chunk *chunk)
{
	struct list_head *before = node_before(bytes, chunk->start);

	bytes->held += chunk->len;
	ftcp_chunk_settle(bytes, chunk);
	list_add(&chunk->node, before);
	if (before != &bytes->chunks)
		chunk = join(bytes, list_entry(before, struct ftcp_chunk, node), chunk) ?: chunk;
	if (!list_is_last(&chunk->node, &bytes->chunks))
		join(bytes, chunk, list_next_entry(chunk, node));
}

void ftcp_bytes_put(struct ftcp_bytes *bytes, u64 off, struct ftcp_bytes *from, u32 skip, u32 len)
{
	struct ftcp_chunk *chunk, *next;

	ftcp_bytes_drop(from, skip);
	ftcp_bytes_cut(from, skip + len);
	/* What is newest comes mostly, and behind it there is nothing to look for. */
	if (len && off < bytes->end)
		punch(bytes, off, off + len);
	list_for_each_entry_safe(chunk, next, &from->chunks, node) {
		list_del(&chunk->node);
		chunk->start = chunk->start - skip + off;
		insert(bytes, chunk);
	}
	from->held = 0;
	ftcp_bytes_update_end(bytes);
}

void ftcp_bytes_put_last(struct ftcp_bytes *bytes, u64 off, struct ftcp_bytes *from)
{
	struct ftcp_chunk *chunk;

	list_for_each_entry(chunk, &from->chunks, node) {
		chunk->start += off - from->start;
		ftcp_chunk_settle(bytes, chunk);
	}
	chunk = list_first_entry_or_null(&from->chunks, struct ftcp_chunk, node);
	if (chunk && !list_empty(&bytes->chunks) && absorb(list_last_entry(&bytes->chunks, struct ftcp_chunk, node), chunk)) {
		list_del(&chunk->node);
		ftcp_chunk_discard(chunk);
	}
	list_splice_tail_init(&from->chunks, &bytes->chunks);
	bytes->held += from->held;
	from->held = 0;
	ftcp_bytes_update_end(bytes);
}
