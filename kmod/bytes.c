// SPDX-License-Identifier: GPL-2.0
/* Byte stores in page fragments. */
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/slab.h>
#include "bytes.h"
#include "chunk.h"
#include "page.h"

void ftcp_bytes_init(struct ftcp_bytes *bytes, u64 start)
{
	INIT_LIST_HEAD(&bytes->chunks);
	bytes->start = start;
	bytes->end = start;
	bytes->held = 0;
	bytes->lasting = false;
	bytes->guest = false;
}

void ftcp_bytes_update_end(struct ftcp_bytes *bytes)
{
	struct ftcp_chunk *last;

	bytes->end = bytes->start;
	if (!list_empty(&bytes->chunks)) {
		last = list_last_entry(&bytes->chunks, struct ftcp_chunk, node);
		bytes->end = last->start + last->len;
	}
}

void ftcp_bytes_free(struct ftcp_bytes *bytes)
{
	ftcp_chunk_discard_all(&bytes->chunks);
	bytes->held = 0;
	bytes->end = bytes->start;
}

int ftcp_bytes_append(struct ftcp_bytes *bytes, const void *data, u32 len, gfp_t gfp)
{
	struct ftcp_chunk *last = NULL, *chunk;
	LIST_HEAD(fresh);
	u32 fill = 0;
	int err;

	if (!list_empty(&bytes->chunks)) {
		last = list_last_entry(&bytes->chunks, struct ftcp_chunk, node);
		fill = min(len, last->room);
	}
	err = ftcp_chunk_reserve(&fresh, bytes->end + fill, len - fill, gfp);
	if (err)
		return err;
	if (fill) {
		memcpy(ftcp_chunk_data(last) + last->len, data, fill);
		last->len += fill;
		last->room -= fill;
		data += fill;
	}
	list_for_each_entry(chunk, &fresh, node) {
		ftcp_chunk_settle(bytes, chunk);
		memcpy(ftcp_chunk_data(chunk), data, chunk->len);
		data += chunk->len;
	}
	list_splice_tail(&fresh, &bytes->chunks);
	bytes->held += len;
	bytes->end += len;
	return 0;
}

/* From the nearer end: what is new is sent, what is old is acknowledged. */
static struct ftcp_chunk *chunk_at(const struct ftcp_bytes *bytes, u64 off)
{
	struct ftcp_chunk *chunk;

	if (off >= bytes->start + (bytes->end - bytes->start) / 2) {
		list_for_each_entry_reverse(chunk, &bytes->chunks, node)
			if (chunk->start <= off)
				return off < chunk->start + chunk->len ? chunk : NULL;
		return NULL;
	}
	list_for_each_entry(chunk, &bytes->chunks, node)
		if (off < chunk->start + chunk->len)
			return chunk->start <= off ? chunk : NULL;
	return NULL;
}

/* [from, from + n) of @chunk to the end of @bytes: little, and what is a packet, by copying */
static int share_chunk(struct ftcp_bytes *bytes, const struct ftcp_chunk *chunk, u64 from, u32 n, bool lasting, gfp_t gfp)
{
	u32 skip = from - chunk->start;
	struct ftcp_chunk *copy;

	if (n < FTCP_CHUNK_SHARE_MIN_BYTES || !chunk->page)
		return ftcp_bytes_append(bytes, ftcp_chunk_data(chunk) + skip, n, gfp);
	copy = kmalloc(sizeof(*copy), gfp);
	if (!copy)
		return -ENOMEM;
	copy->page = chunk->page;
	get_page(copy->page);
	copy->start = bytes->end;
	copy->at = chunk->at + skip;
	copy->len = n;
	copy->room = 0;
	copy->foreign = chunk->foreign;
	copy->front = false;
	ftcp_chunk_charge(copy, lasting ? 0 : n);
	ftcp_chunk_settle(bytes, copy);
	list_add_tail(&copy->node, &bytes->chunks);
	bytes->held += n;
	bytes->end += n;
	return 0;
}

int ftcp_bytes_share(struct ftcp_bytes *bytes, const struct ftcp_bytes *src, u64 from, u32 len, gfp_t gfp)
{
	const struct ftcp_chunk *chunk = chunk_at(src, from);
	u64 before = bytes->end;
	u32 n;

	for (; len; chunk = list_next_entry(chunk, node)) {
		if (!chunk || list_entry_is_head(chunk, &src->chunks, node) || chunk->start > from)
			goto fail;
		n = min_t(u64, len, chunk->start + chunk->len - from);
		if (share_chunk(bytes, chunk, from, n, src->lasting, gfp))
			goto fail;
		from += n;
		len -= n;
	}
	return 0;
fail:
	ftcp_bytes_cut(bytes, before);
	return -ENOMEM;
}

void ftcp_bytes_move(struct ftcp_bytes *bytes, struct ftcp_bytes *from)
{
	list_replace_init(&from->chunks, &bytes->chunks);
	bytes->start = from->start;
	bytes->end = from->end;
	bytes->held = from->held;
	from->held = 0;
	from->end = from->start;
}

void ftcp_bytes_drop(struct ftcp_bytes *bytes, u64 off)
{
	struct ftcp_chunk *chunk;
	LIST_HEAD(gone);

	if (off <= bytes->start)
		return;
	list_for_each_entry(chunk, &bytes->chunks, node) {
		if (chunk->start + chunk->len > off)
			break;
		bytes->held -= chunk->len;
	}
	list_cut_before(&gone, &bytes->chunks, &chunk->node);
	ftcp_chunk_discard_all(&gone);
	if (!list_entry_is_head(chunk, &bytes->chunks, node) && chunk->start < off)
		ftcp_chunk_trim_front(bytes, chunk, off);
	bytes->start = off;
	ftcp_bytes_update_end(bytes);
}

void ftcp_bytes_cut(struct ftcp_bytes *bytes, u64 off)
{
	struct ftcp_chunk *chunk, *prev;

	list_for_each_entry_safe_reverse(chunk, prev, &bytes->chunks, node) {
		if (chunk->start + chunk->len <= off)
			break;
		if (chunk->start < off) {
			bytes->held -= chunk->start + chunk->len - off;
			chunk->len = off - chunk->start;
			chunk->room = 0;	/* what lay there may be on its way in an skb */
			break;
		}
		ftcp_chunk_free(bytes, chunk);
	}
	ftcp_bytes_update_end(bytes);
}

int ftcp_bytes_copy(const struct ftcp_bytes *bytes, u64 off, void *to, u32 len)
{
	struct ftcp_chunk *chunk = chunk_at(bytes, off);
	u32 n;

	for (; len; chunk = list_next_entry(chunk, node)) {
		if (!chunk || list_entry_is_head(chunk, &bytes->chunks, node) || chunk->start > off)
			return -ERANGE;
		n = min_t(u64, len, chunk->start + chunk->len - off);
		memcpy(to, ftcp_chunk_data(chunk) + (off - chunk->start), n);
		to += n;
		off += n;
		len -= n;
	}
	return 0;
}

/* Another piece of @page behind what @skb has, or one more fragment; false if there is no place for it. */
static bool add_piece(struct sk_buff *skb, struct page *page, u32 at, u32 len)
{
	u32 n = skb_shinfo(skb)->nr_frags;

	if (n && skb_can_coalesce(skb, n, page, at)) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[n - 1], len);
		return true;
	}
	if (n >= MAX_SKB_FRAGS)
		return false;
	get_page(page);
	skb_fill_page_desc(skb, n, page, at, len);
	return true;
}

u32 ftcp_bytes_to_skb(const struct ftcp_bytes *bytes, u64 off, u32 len, struct sk_buff *skb)
{
	struct ftcp_chunk *chunk = chunk_at(bytes, off);
	u32 added = 0, n;

	for (; added < len; chunk = list_next_entry(chunk, node)) {
		if (!chunk || list_entry_is_head(chunk, &bytes->chunks, node) || chunk->start > off || !chunk->page)
			break;
		n = min_t(u64, len - added, chunk->start + chunk->len - off);
		if (!add_piece(skb, chunk->page, chunk->at + (off - chunk->start), n))
			break;
		if (chunk->foreign)
			skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
		skb->len += n;
		skb->data_len += n;
		skb->truesize += n;
		added += n;
		off += n;
	}
	return added;
}

u32 ftcp_bytes_pieces(const struct ftcp_bytes *bytes, u64 off, u32 len, struct ftcp_piece *pieces, u32 max)
{
	struct ftcp_chunk *chunk = chunk_at(bytes, off);
	u32 n;

	for (n = 0; n < max && len; n++, chunk = list_next_entry(chunk, node)) {
		struct ftcp_piece *piece = &pieces[n];

		if (!chunk || list_entry_is_head(chunk, &bytes->chunks, node) || chunk->start > off)
			break;
		piece->on_page = chunk->page;
		if (chunk->page) {
			piece->page = chunk->page;
			get_page(piece->page);
		} else {
			piece->skb = skb_get(ftcp_chunk_skb(chunk));
		}
		piece->data = ftcp_chunk_data(chunk) + (off - chunk->start);
		piece->len = min_t(u64, len, chunk->start + chunk->len - off);
		off += piece->len;
		len -= piece->len;
	}
	return n;
}

void ftcp_piece_put(struct ftcp_piece *piece)
{
	if (piece->on_page)
		ftcp_page_put(piece->page);
	else
		consume_skb(piece->skb);
}
