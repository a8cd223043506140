// SPDX-License-Identifier: GPL-2.0
/* Sets of ranges. */
#include <linux/kernel.h>
#include <linux/string.h>
#include "range.h"

bool ftcp_ranges_add(struct ftcp_ranges *set, u64 from, u64 to)
{
	u32 first = 0, behind;

	if (from >= to)
		return true;
	while (first < set->n && set->r[first].to < from)
		first++;
	/* [first, behind) are the ranges that touch the new one and become one with it */
	for (behind = first; behind < set->n && set->r[behind].from <= to; behind++) {
		from = min(from, set->r[behind].from);
		to = max(to, set->r[behind].to);
	}
	if (!set->r || (behind == first && set->n == FTCP_RANGES_MAX))
		return false;
	memmove(&set->r[first + 1], &set->r[behind], (set->n - behind) * sizeof(set->r[0]));
	set->n = set->n - (behind - first) + 1;
	set->r[first].from = from;
	set->r[first].to = to;
	set->last = first;
	return true;
}

void ftcp_ranges_trim(struct ftcp_ranges *set, u64 off)
{
	u32 gone = 0;

	if (!set->n)
		return;
	while (gone < set->n && set->r[gone].to <= off)
		gone++;
	memmove(set->r, &set->r[gone], (set->n - gone) * sizeof(set->r[0]));
	set->n -= gone;
	set->last = set->last > gone ? set->last - gone : 0;
	if (set->n && set->r[0].from < off)
		set->r[0].from = off;
}

bool ftcp_ranges_covers(const struct ftcp_ranges *set, u64 from, u64 to)
{
	u32 i;

	if (from >= to)
		return true;
	for (i = 0; i < set->n; i++)
		if (set->r[i].from <= from && to <= set->r[i].to)
			return true;
	return false;
}

void ftcp_ranges_cut(const struct ftcp_ranges *set, u64 *from, u64 *to)
{
	u32 i;

	for (i = 0; i < set->n; i++) {
		const struct ftcp_range *r = &set->r[i];

		if (r->from <= *from && *from < r->to)
			*from = r->to;
		if (r->from < *to && *to <= r->to)
			*to = r->from;
	}
}

u64 ftcp_ranges_bytes(const struct ftcp_ranges *set, u64 off)
{
	u64 bytes = 0;
	u32 i;

	for (i = 0; i < set->n; i++)
		if (set->r[i].to > off)
			bytes += set->r[i].to - max(set->r[i].from, off);
	return bytes;
}

bool ftcp_ranges_gap(const struct ftcp_ranges *set, u64 off, struct ftcp_range *gap)
{
	u32 i;

	for (i = 0; i < set->n; i++) {
		if (set->r[i].from > off) {
			gap->from = off;
			gap->to = set->r[i].from;
			return true;
		}
		off = max(off, set->r[i].to);
	}
	return false;
}

u64 ftcp_ranges_gap_end(const struct ftcp_ranges *set, u64 off)
{
	u32 i;

	for (i = 0; i < set->n; i++)
		if (set->r[i].from < off && off <= set->r[i].to)
			return set->r[i].from;
	return off;
}

u64 ftcp_ranges_top(const struct ftcp_ranges *set)
{
	return set->n ? set->r[set->n - 1].to : 0;
}
