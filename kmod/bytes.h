/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Byte stores: the bytes of one direction of one connection, by stream offset, in page fragments, or in the packets that they came in.
 *
 * The bytes are the log: echoing moves them by reference, sending and resending refers to them, replication copies out of
 * them. A store may have holes (out-of-order data); below that everything from ->start on is contiguous.
 * The caller holds the connection's lock for every call that names a store in a connection.
 */
#ifndef FTCP_BYTES_H
#define FTCP_BYTES_H

#include <linux/list.h>
#include <linux/skbuff.h>
#include <linux/types.h>
#include <linux/uio.h>

struct ftcp_chunk;

/**
 * struct ftcp_bytes
 * @chunks: sorted by offset, disjoint
 * @start: offset below which everything was dropped
 * @end: end of the last chunk, @start if there is none
 * @held: bytes in chunks
 * @lasting: its pages are there anyway, for all: whoever shares them takes no memory for it
 * @guest: what it holds counts as a guest's, too (memory.h)
 */
struct ftcp_bytes {
	struct list_head chunks;
	u64 start;
	u64 end;
	u32 held;
	bool lasting;
	bool guest;
};

void ftcp_bytes_init(struct ftcp_bytes *bytes, u64 start);
void ftcp_bytes_free(struct ftcp_bytes *bytes);

/**
 * ftcp_bytes_from_skb() - @len bytes at @at of @skb, in an empty detached store (offsets 0..len); -ENOMEM
 *
 * Taken by reference is @skb itself, when its bytes are in one place (it has no route, no owner and no connection of the firewall's then, and its control
 * buffer is in use), and large pieces of pages that nobody will write to. All else is copied.
 */
int ftcp_bytes_from_skb(struct ftcp_bytes *bytes, struct sk_buff *skb, u32 at, u32 len, gfp_t gfp);

/** ftcp_bytes_from_iter() - copy @len bytes of @iter into an empty detached store; what it holds, less than @len after a fault; -ENOMEM, -EFAULT */
int ftcp_bytes_from_iter(struct ftcp_bytes *bytes, struct iov_iter *iter, u32 len, gfp_t gfp);

/**
 * ftcp_bytes_from_pages() - the next @len bytes of @iter, one of pages (ITER_BVEC), by reference into an empty detached store
 *
 * Whoever owns the pages may still write to them: only what no other host has to hold may be kept so. Returns what it took: less than @len,
 * and perhaps nothing, where memory is short or a page cannot be referred to.
 */
int ftcp_bytes_from_pages(struct ftcp_bytes *bytes, struct iov_iter *iter, u32 len, gfp_t gfp);

/** ftcp_bytes_append() - copy @len bytes to the end; all or nothing; -ENOMEM. Fills the room left in the last page first. */
int ftcp_bytes_append(struct ftcp_bytes *bytes, const void *data, u32 len, gfp_t gfp);

/**
 * ftcp_bytes_put() - move [skip, skip + len) of the detached store @from to offset @off; the rest of @from is freed
 *
 * What @bytes already held in that range is replaced; never needs memory.
 */
void ftcp_bytes_put(struct ftcp_bytes *bytes, u64 off, struct ftcp_bytes *from, u32 skip, u32 len);

/** ftcp_bytes_put_last() - the same of all that @from holds, without holes, where nothing is held at @off or behind, and no packets are */
void ftcp_bytes_put_last(struct ftcp_bytes *bytes, u64 off, struct ftcp_bytes *from);

/** ftcp_bytes_share() - append [from, from + len) of @src to the end of @bytes by reference (little, and packets, by copying); all or nothing; -ENOMEM */
int ftcp_bytes_share(struct ftcp_bytes *bytes, const struct ftcp_bytes *src, u64 from, u32 len, gfp_t gfp);

/** ftcp_bytes_move() - all that @from holds, and where it stands, to @bytes, which holds nothing */
void ftcp_bytes_move(struct ftcp_bytes *bytes, struct ftcp_bytes *from);

/** ftcp_bytes_drop() - free everything below @off; the store starts there from now on, even if it held less */
void ftcp_bytes_drop(struct ftcp_bytes *bytes, u64 off);

/** ftcp_bytes_cut() - free everything at or above @off */
void ftcp_bytes_cut(struct ftcp_bytes *bytes, u64 off);

/** ftcp_bytes_copy() - copy [off, off + len) to @to; -ERANGE if not all of it is held */
int ftcp_bytes_copy(const struct ftcp_bytes *bytes, u64 off, void *to, u32 len);

/** struct ftcp_piece - bytes that a reference of its own keeps where they are */
struct ftcp_piece {
	const void *data;
	u32 len;
	bool on_page;
	union {
		struct page *page;
		struct sk_buff *skb;
	};
};

/** ftcp_bytes_pieces() - [off, off + len) as pieces, at most @max of them and up to the first hole; returns how many */
u32 ftcp_bytes_pieces(const struct ftcp_bytes *bytes, u64 off, u32 len, struct ftcp_piece *pieces, u32 max);
void ftcp_piece_put(struct ftcp_piece *piece);

/**
 * ftcp_bytes_to_skb() - add [off, off + len) to @skb as page fragments, by reference
 *
 * Returns the bytes added, less than @len when MAX_SKB_FRAGS is reached or a hole met. @bytes holds no packets.
 */
u32 ftcp_bytes_to_skb(const struct ftcp_bytes *bytes, u64 off, u32 len, struct sk_buff *skb);

#endif
