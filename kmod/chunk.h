/* SPDX-License-Identifier: GPL-2.0 */
/* What a byte store is made of. For bytes.c, intake.c and place.c: nobody else sees one. */
#ifndef FTCP_CHUNK_H
#define FTCP_CHUNK_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/types.h>
#include "bytes.h"

/*
 * A run of bytes on one page (or compound page). Pages are shared by reference between stores and with skbs; bytes once written are never
 * changed, and the room behind a chunk is filled only through the chunk that was allocated with the page. Or it is a packet as it was
 * received, which is in no other store: then the chunk is in its control buffer.
 */
struct ftcp_chunk {
	struct list_head node;
	struct page *page;	/* NULL: in a packet */
	u64 start;	/* stream offset */
	u32 at;		/* where on the page, or in the packet */
	u32 len;
	u32 room;	/* unused bytes behind, ours to fill */
	u32 charge:29;	/* counted as used: the page of whoever allocated it, else the bytes that were shared */
	u32 guest:1;	/* counted as a guest's, too */
	u32 foreign:1;	/* somebody else's page, a file's, who may still write to it */
	u32 front:1;	/* what lies before it on the page is unused, and ours to fill, too */
};

static inline struct sk_buff *ftcp_chunk_skb(const struct ftcp_chunk *chunk)
{
	return container_of((void *)chunk, struct sk_buff, cb[0]);
}

static inline void *ftcp_chunk_skb_bytes(const struct sk_buff *skb, u32 at)
{
	u32 head = skb_headlen(skb);

	return at < head ? skb->data + at : skb_frag_address(skb_shinfo(skb)->frags) + (at - head);
}

static inline void *ftcp_chunk_data(const struct ftcp_chunk *chunk)
{
	return chunk->page ? page_address(chunk->page) + chunk->at : ftcp_chunk_skb_bytes(ftcp_chunk_skb(chunk), chunk->at);
}

/* Below this a copy is cheaper than to keep a page for a few bytes of it. */
#define FTCP_CHUNK_SHARE_MIN_BYTES 2048

/* Less than this is little: what takes a packet or a page of its own, and is not worth one. */
#define FTCP_CHUNK_LITTLE_BYTES	1024

/** ftcp_chunk_alloc() - one with a page of its own, of up to @len bytes, nothing on it yet; NULL: no memory */
struct ftcp_chunk *ftcp_chunk_alloc(u32 len, gfp_t gfp);

/** ftcp_chunk_reserve() - chunks for @len bytes, at offsets from @start on, into @list, contents not yet written; -ENOMEM, and @list is empty */
int ftcp_chunk_reserve(struct list_head *list, u64 start, u32 len, gfp_t gfp);

/** ftcp_chunk_charge() - from now on it counts as @bytes, and its record */
void ftcp_chunk_charge(struct ftcp_chunk *chunk, u32 bytes);

/** ftcp_chunk_settle() - it comes to where it will stay, which is @bytes */
void ftcp_chunk_settle(const struct ftcp_bytes *bytes, struct ftcp_chunk *chunk);

/** ftcp_chunk_discard() - one that is in no list */
void ftcp_chunk_discard(struct ftcp_chunk *chunk);

/** ftcp_chunk_discard_all() - all that are in a list, which is empty then */
void ftcp_chunk_discard_all(struct list_head *list);

/** ftcp_chunk_free() - one of @bytes' */
void ftcp_chunk_free(struct ftcp_bytes *bytes, struct ftcp_chunk *chunk);

/** ftcp_chunk_trim_front() - what one of @bytes' has below @off is not held any more */
void ftcp_chunk_trim_front(struct ftcp_bytes *bytes, struct ftcp_chunk *chunk, u64 off);

/** ftcp_bytes_update_end() - after a change at the end */
void ftcp_bytes_update_end(struct ftcp_bytes *bytes);

#endif
