// SPDX-License-Identifier: GPL-2.0
/* Byte stores in page fragments. */
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/slab.h>
#include "bytes.h"
#include "memory.h"
#include "page.h"

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
	u32 charge:31;	/* counted as used: the page of whoever allocated it, else the bytes that were shared */
	u32 foreign:1;	/* somebody else's page, a file's, who may still write to it */
};

void ftcp_bytes_init(struct ftcp_bytes *bytes, u64 start)
{
	INIT_LIST_HEAD(&bytes->chunks);
	bytes->start = start;
	bytes->end = start;
	bytes->held = 0;
	bytes->lasting = false;
}

static struct sk_buff *chunk_skb(const struct ftcp_chunk *chunk)
{
	return container_of((void *)chunk, struct sk_buff, cb[0]);
}

static void *skb_bytes(const struct sk_buff *skb, u32 at)
{
	u32 head = skb_headlen(skb);

	return at < head ? skb->data + at : skb_frag_address(skb_shinfo(skb)->frags) + (at - head);
}

static void *chunk_data(const struct ftcp_chunk *chunk)
{
	return chunk->page ? page_address(chunk->page) + chunk->at : skb_bytes(chunk_skb(chunk), chunk->at);
}

static void charge(struct ftcp_chunk *chunk, u32 bytes)
{
	chunk->charge = bytes + sizeof(*chunk);
	ftcp_memory_add(chunk->charge);
}

/* What @chunk refers to is let go; true: its record is left, to be freed. */
static bool let_go(struct ftcp_chunk *chunk)
{
	if (!chunk->page) {
		consume_skb(chunk_skb(chunk));
		return false;
	}
	if (chunk->foreign)
		put_page(chunk->page);
	else
		ftcp_page_put(chunk->page);
	return true;
}

/* One that is in no list. */
static void discard(struct ftcp_chunk *chunk)
{
	ftcp_memory_add(-(long)chunk->charge);
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

/* All that are in a list, which is empty then. Records that came together lie together, and that makes it cheaper to free them together. */
static void discard_all(struct list_head *list)
{
	struct ftcp_chunk *chunk, *next;
	void *records[RECORDS_AT_ONCE];
	long charged = 0;
	u32 n = 0;

	if (list_empty(list))
		return;
	list_for_each_entry_safe(chunk, next, list, node) {
		charged += chunk->charge;
		if (let_go(chunk))
			records[n++] = chunk;
		if (n == RECORDS_AT_ONCE) {
			free_records(records, n);
			n = 0;
		}
	}
	free_records(records, n);
	ftcp_memory_add(-charged);
	INIT_LIST_HEAD(list);
}

static void chunk_free(struct ftcp_bytes *bytes, struct ftcp_chunk *chunk)
{
	list_del(&chunk->node);
	bytes->held -= chunk->len;
	discard(chunk);
}

static void update_end(struct ftcp_bytes *bytes)
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
	discard_all(&bytes->chunks);
	bytes->held = 0;
	bytes->end = bytes->start;
}

static struct ftcp_chunk *chunk_alloc(u32 len, gfp_t gfp)
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
	charge(chunk, chunk->room);
	return chunk;
}

/* Chunks for @len bytes, at offsets from @start on, into @list, contents not yet written. */
static int reserve(struct list_head *list, u64 start, u32 len, gfp_t gfp)
{
	struct ftcp_chunk *chunk;

	while (len) {
		chunk = chunk_alloc(len, gfp);
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
	discard_all(list);
	return -ENOMEM;
}

/* ---- from a received packet ---- */

/* Below this a copy is cheaper than to keep a page for a few bytes of it. */
#define SHARE_MIN_BYTES	2048

/* Less than this is little: a packet is kept for it if it does not take more than a page, and as long as it is alone. */
#define LITTLE_BYTES	1024

/* What is being taken out of @skb: [at, at + len), of which the first @done bytes are in @list. */
struct intake {
	struct list_head list;
	const struct sk_buff *skb;
	u32 at;
	u32 done;
	gfp_t gfp;
};

/* The bytes up to @end, by copying. */
static int intake_copy(struct intake *in, u32 end)
{
	struct ftcp_chunk *chunk;
	LIST_HEAD(fresh);
	int err;

	err = reserve(&fresh, in->done, end - in->done, in->gfp);
	if (err)
		return err;
	list_for_each_entry(chunk, &fresh, node)
		if (skb_copy_bits(in->skb, in->at + chunk->start, chunk_data(chunk), chunk->len))
			err = -EFAULT;
	list_splice_tail(&fresh, &in->list);
	in->done = end;
	return err;
}

/* The next @len bytes, which begin @from bytes into @frag, by reference. They count with their part of what the packet takes. */
static int intake_share(struct intake *in, const skb_frag_t *frag, u32 from, u32 len)
{
	struct ftcp_chunk *chunk = kmalloc(sizeof(*chunk), in->gfp);

	if (!chunk)
		return -ENOMEM;
	chunk->page = skb_frag_page(frag);
	get_page(chunk->page);
	chunk->start = in->done;
	chunk->at = skb_frag_off(frag) + from;
	chunk->len = len;
	chunk->room = 0;
	chunk->foreign = false;
	charge(chunk, max_t(u32, len, div_u64((u64)len * in->skb->truesize, in->skb->len)));
	list_add_tail(&chunk->node, &in->list);
	in->done += len;
	return 0;
}

/* Not the pages of a file, or of a program that sends without copying: those may still be written to. */
static bool may_share(struct sk_buff *skb)
{
	return !skb_has_shared_frag(skb) && !skb_zcopy(skb);
}

static bool worth_sharing(const skb_frag_t *frag, u32 len)
{
	return len >= SHARE_MIN_BYTES && skb_frag_page(frag) && !PageHighMem(skb_frag_page(frag));
}

static int intake_frags(struct intake *in, u32 len)
{
	const struct skb_shared_info *info = skb_shinfo(in->skb);
	u32 pos = skb_headlen(in->skb), from, to, i;
	int err;

	for (i = 0; i < info->nr_frags; pos += skb_frag_size(&info->frags[i]), i++) {
		from = max(pos, in->at + in->done);
		to = min(pos + skb_frag_size(&info->frags[i]), in->at + len);
		if (from >= to || !worth_sharing(&info->frags[i], to - from))
			continue;
		err = intake_copy(in, from - in->at);
		if (!err)
			err = intake_share(in, &info->frags[i], from - pos, to - from);
		if (err)
			return err;
	}
	return 0;
}

/* Are the bytes in one place, linear or in the first page? */
static bool in_one_place(struct sk_buff *skb, u32 at, u32 len)
{
	u32 head = skb_headlen(skb);
	const skb_frag_t *first = skb_shinfo(skb)->frags;

	if (at + len <= head)
		return true;
	return at >= head && skb_shinfo(skb)->nr_frags && at - head + len <= skb_frag_size(first) && may_share(skb) &&
	       skb_frag_page(first) && !PageHighMem(skb_frag_page(first));
}

/* Nobody else has it in hand, and it takes no more memory than a copy, or not much. */
static bool worth_keeping(struct sk_buff *skb, u32 at, u32 len)
{
	u32 most = len >= LITTLE_BYTES ? 4 * len : PAGE_SIZE;

	return len && skb->truesize <= most && !skb_shared(skb) && !skb_pfmemalloc(skb) && in_one_place(skb, at, len);
}

/* The packet itself, without what it had as one on its way. */
static void intake_skb(struct intake *in, struct sk_buff *skb, u32 len)
{
	struct ftcp_chunk *chunk = (struct ftcp_chunk *)skb->cb;

	BUILD_BUG_ON(sizeof(*chunk) > sizeof(skb->cb));
	skb_get(skb);
	skb_orphan(skb);
	skb_scrub_packet(skb, true);
	skb->dev = NULL;
	chunk->page = NULL;
	chunk->start = 0;
	chunk->at = in->at;
	chunk->len = len;
	chunk->room = 0;
	chunk->foreign = false;
	chunk->charge = skb->truesize;
	ftcp_memory_add(chunk->charge);
	list_add_tail(&chunk->node, &in->list);
	in->done = len;
}

int ftcp_bytes_from_skb(struct ftcp_bytes *bytes, struct sk_buff *skb, u32 at, u32 len, gfp_t gfp)
{
	struct intake in = { .list = LIST_HEAD_INIT(in.list), .skb = skb, .at = at, .gfp = gfp };
	int err = 0;

	ftcp_bytes_init(bytes, 0);
	if (worth_keeping(skb, at, len))
		intake_skb(&in, skb, len);
	else if (may_share(skb))
		err = intake_frags(&in, len);
	if (!err)
		err = intake_copy(&in, len);
	list_splice(&in.list, &bytes->chunks);
	bytes->held = in.done;
	bytes->end = in.done;
	if (err)
		ftcp_bytes_free(bytes);
	return err;
}

/* ---- from a program ---- */

int ftcp_bytes_from_iter(struct ftcp_bytes *bytes, struct iov_iter *iter, u32 len, gfp_t gfp)
{
	struct ftcp_chunk *chunk;
	u32 n = 0;
	int err;

	ftcp_bytes_init(bytes, 0);
	err = reserve(&bytes->chunks, 0, len, gfp);
	if (err)
		return err;
	bytes->held = len;
	bytes->end = len;
	list_for_each_entry(chunk, &bytes->chunks, node) {
		u32 copied = copy_from_iter(chunk_data(chunk), chunk->len, iter);

		n += copied;
		if (copied < chunk->len)
			break;
	}
	if (n < len)
		ftcp_bytes_cut(bytes, n);
	return n ? n : -EFAULT;
}

int ftcp_bytes_from_pages(struct ftcp_bytes *bytes, struct iov_iter *iter, u32 len, gfp_t gfp)
{
	struct ftcp_chunk *chunk;
	u32 n;

	ftcp_bytes_init(bytes, 0);
	for (; bytes->held < len; bytes->held += n) {
		const struct bio_vec *bv = iter->bvec;

		n = min_t(size_t, len - bytes->held, bv->bv_len - iter->iov_offset);
		if (!n || PageHighMem(bv->bv_page) || !sendpage_ok(bv->bv_page))
			break;
		chunk = kmalloc(sizeof(*chunk), gfp);
		if (!chunk)
			break;
		chunk->page = bv->bv_page;
		get_page(chunk->page);
		chunk->start = bytes->held;
		chunk->at = bv->bv_offset + iter->iov_offset;
		chunk->len = n;
		chunk->room = 0;
		chunk->foreign = true;
		charge(chunk, n);
		list_add_tail(&chunk->node, &bytes->chunks);
		iov_iter_advance(iter, n);
	}
	bytes->end = bytes->held;
	return bytes->held;
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
	err = reserve(&fresh, bytes->end + fill, len - fill, gfp);
	if (err)
		return err;
	if (fill) {
		memcpy(chunk_data(last) + last->len, data, fill);
		last->len += fill;
		last->room -= fill;
		data += fill;
	}
	list_for_each_entry(chunk, &fresh, node) {
		memcpy(chunk_data(chunk), data, chunk->len);
		data += chunk->len;
	}
	list_splice_tail(&fresh, &bytes->chunks);
	bytes->held += len;
	bytes->end += len;
	return 0;
}

/* What @chunk, one of @bytes', holds below @off is not held any more. */
static void trim_front(struct ftcp_bytes *bytes, struct ftcp_chunk *chunk, u64 off)
{
	u32 cut = off - chunk->start;

	chunk->start += cut;
	chunk->at += cut;
	chunk->len -= cut;
	bytes->held -= cut;
}

/* Cut [from, to) out of @bytes; by contract no chunk reaches beyond the range on both sides. */
static void punch(struct ftcp_bytes *bytes, u64 from, u64 to)
{
	struct ftcp_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &bytes->chunks, node) {
		u64 end = chunk->start + chunk->len;

		if (end <= from || chunk->start >= to)
			continue;
		if (chunk->start < from) {
			bytes->held -= end - from;
			chunk->len -= end - from;
			chunk->room = 0;
		} else if (end > to) {
			trim_front(bytes, chunk, to);
		} else {
			chunk_free(bytes, chunk);
		}
	}
}

#define ABSORB_MAX_BYTES (PAGE_SIZE / 2)

/* Copy a small chunk into the room that the one before it has left: tiny segments must not cost a page each. */
static bool absorb(struct ftcp_chunk *last, const struct ftcp_chunk *chunk)
{
	if (last->start + last->len != chunk->start || chunk->len > last->room || chunk->len > ABSORB_MAX_BYTES)
		return false;
	memcpy(chunk_data(last) + last->len, chunk_data(chunk), chunk->len);
	last->len += chunk->len;
	last->room -= chunk->len;
	return true;
}

static bool is_little(const struct ftcp_chunk *chunk)
{
	return !chunk->page && chunk->len < LITTLE_BYTES;
}

/* A packet with little in it after another one: there may be more, and none of it is worth one. On a page, if there is memory for that. */
static struct ftcp_chunk *unpack(struct ftcp_chunk *chunk)
{
	struct ftcp_chunk *copy = chunk_alloc(chunk->len, GFP_ATOMIC | __GFP_NOWARN);

	if (!copy)
		return chunk;
	copy->start = chunk->start;
	copy->len = chunk->len;
	copy->room -= chunk->len;
	memcpy(chunk_data(copy), chunk_data(chunk), chunk->len);
	discard(chunk);
	return copy;
}

/* Into its place, counting from the end: what comes is mostly the newest. */
static void insert(struct ftcp_bytes *bytes, struct ftcp_chunk *chunk)
{
	struct ftcp_chunk *prev;

	bytes->held += chunk->len;
	list_for_each_entry_reverse(prev, &bytes->chunks, node) {
		if (prev->start > chunk->start)
			continue;
		if (absorb(prev, chunk)) {
			discard(chunk);
			return;
		}
		if (is_little(prev) && is_little(chunk))
			chunk = unpack(chunk);
		list_add(&chunk->node, &prev->node);
		return;
	}
	list_add(&chunk->node, &bytes->chunks);
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
	update_end(bytes);
}

void ftcp_bytes_put_last(struct ftcp_bytes *bytes, u64 off, struct ftcp_bytes *from)
{
	struct ftcp_chunk *chunk;

	list_for_each_entry(chunk, &from->chunks, node)
		chunk->start += off - from->start;
	chunk = list_first_entry_or_null(&from->chunks, struct ftcp_chunk, node);
	if (chunk && !list_empty(&bytes->chunks) && absorb(list_last_entry(&bytes->chunks, struct ftcp_chunk, node), chunk)) {
		list_del(&chunk->node);
		discard(chunk);
	}
	list_splice_tail_init(&from->chunks, &bytes->chunks);
	bytes->held += from->held;
	from->held = 0;
	update_end(bytes);
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

	if (n < SHARE_MIN_BYTES || !chunk->page)
		return ftcp_bytes_append(bytes, chunk_data(chunk) + skip, n, gfp);
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
	charge(copy, lasting ? 0 : n);
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
	discard_all(&gone);
	if (!list_entry_is_head(chunk, &bytes->chunks, node) && chunk->start < off)
		trim_front(bytes, chunk, off);
	bytes->start = off;
	update_end(bytes);
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
		chunk_free(bytes, chunk);
	}
	update_end(bytes);
}

int ftcp_bytes_copy(const struct ftcp_bytes *bytes, u64 off, void *to, u32 len)
{
	struct ftcp_chunk *chunk = chunk_at(bytes, off);
	u32 n;

	for (; len; chunk = list_next_entry(chunk, node)) {
		if (!chunk || list_entry_is_head(chunk, &bytes->chunks, node) || chunk->start > off)
			return -ERANGE;
		n = min_t(u64, len, chunk->start + chunk->len - off);
		memcpy(to, chunk_data(chunk) + (off - chunk->start), n);
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
			piece->skb = skb_get(chunk_skb(chunk));
		}
		piece->data = chunk_data(chunk) + (off - chunk->start);
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
