// SPDX-License-Identifier: GPL-2.0
/* What comes into byte stores: from packets, by reference where that takes less, and from programs. */
#include <linux/math64.h>
#include <linux/net.h>
#include <linux/slab.h>
#include "chunk.h"
#include "memory.h"

/* ---- from a received packet ---- */

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

	err = ftcp_chunk_reserve(&fresh, in->done, end - in->done, in->gfp);
	if (err)
		return err;
	list_for_each_entry(chunk, &fresh, node)
		if (skb_copy_bits(in->skb, in->at + chunk->start, ftcp_chunk_data(chunk), chunk->len))
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
	chunk->front = false;
	ftcp_chunk_charge(chunk, max_t(u32, len, div_u64((u64)len * in->skb->truesize, in->skb->len)));
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
	return len >= FTCP_CHUNK_SHARE_MIN_BYTES && skb_frag_page(frag) && !PageHighMem(skb_frag_page(frag));
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
	/* For little it does if it takes no more than a page, and as long as it is alone (place.c). */
	u32 most = len >= FTCP_CHUNK_LITTLE_BYTES ? 4 * len : PAGE_SIZE;

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
	chunk->front = false;
	chunk->charge = skb->truesize;
	chunk->guest = false;
	ftcp_memory_add(chunk->charge, false);
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
	err = ftcp_chunk_reserve(&bytes->chunks, 0, len, gfp);
	if (err)
		return err;
	bytes->held = len;
	bytes->end = len;
	list_for_each_entry(chunk, &bytes->chunks, node) {
		u32 copied = copy_from_iter(ftcp_chunk_data(chunk), chunk->len, iter);

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
		chunk->front = false;
		ftcp_chunk_charge(chunk, n);
		list_add_tail(&chunk->node, &bytes->chunks);
		iov_iter_advance(iter, n);
	}
	bytes->end = bytes->held;
	return bytes->held;
}
