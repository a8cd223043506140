/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small sorted set of disjoint, non-touching ranges of stream offsets: the islands of out-of-order data on
 * the receiving side, the peer's SACKed islands on the sending side (RFC 2018).
 */
#ifndef FTCP_RANGE_H
#define FTCP_RANGE_H

#include <linux/types.h>
#include <ftcp/limits.h>

/* from <= offset < to */
struct ftcp_range {
	u64 from;
	u64 to;
};

#define FTCP_RANGES_MAX FTCP_OOO_RANGES_MAX

struct ftcp_ranges {
	u32 n;
	u32 last;	/* index of the range that changed last: reported first (RFC 2018, 4) */
	struct ftcp_range *r;	/* FTCP_RANGES_MAX of them, lent by the caller; NULL: the set takes nothing */
};

/** ftcp_ranges_add() - unite the set with [from, to); false, and nothing changed, if there is no room */
bool ftcp_ranges_add(struct ftcp_ranges *set, u64 from, u64 to);

/** ftcp_ranges_trim() - forget everything below @off */
void ftcp_ranges_trim(struct ftcp_ranges *set, u64 off);

/** ftcp_ranges_covers() - is all of [from, to) in the set? An empty range is. */
bool ftcp_ranges_covers(const struct ftcp_ranges *set, u64 from, u64 to);

/** ftcp_ranges_cut() - cut off at both ends of [*from, *to), not all of which is in the set, what is in it */
void ftcp_ranges_cut(const struct ftcp_ranges *set, u64 *from, u64 *to);

/** ftcp_ranges_bytes() - how many bytes the set holds at or above @off */
u64 ftcp_ranges_bytes(const struct ftcp_ranges *set, u64 off);

/**
 * ftcp_ranges_gap() - the first gap at or above @off that ends below the top of the set
 * @gap: [from, to) not in the set, @to being the start of the range above it
 *
 * False if no range lies above @off's gap.
 */
bool ftcp_ranges_gap(const struct ftcp_ranges *set, u64 off, struct ftcp_range *gap);

/** ftcp_ranges_gap_end() - the end of the highest gap below @off: @off itself if what lies before it is in no range */
u64 ftcp_ranges_gap_end(const struct ftcp_ranges *set, u64 off);

/** ftcp_ranges_top() - the end of the highest range, or 0 */
u64 ftcp_ranges_top(const struct ftcp_ranges *set);

#endif
