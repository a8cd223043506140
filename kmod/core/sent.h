/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When what was sent: the transmission times that RACK asks for (RFC 8985, 5.1), not one for each segment but a few runs of
 * neighbours. Where there is no room two neighbours become one run that knows its first and its last time; who asks takes the one
 * that is on the safe side.
 *
 * Offsets and times are kept as their lower 32 bits: no run is more than 2 GiB or half an hour away from the present.
 */
#ifndef FTCP_SENT_H
#define FTCP_SENT_H

#include <linux/types.h>
#include <ftcp/limits.h>

/* [from, to) was sent between first_us and last_us */
struct ftcp_run {
	u32 from;
	u32 to;
	u32 first_us;
	u32 last_us;
};

/* In the order of sending, which is that of offsets. */
struct ftcp_sent {
	u32 n;
	struct ftcp_run *r;	/* FTCP_RUNS_MAX of them, lent by the caller; NULL: nothing is remembered */
};

/** ftcp_sent_add() - [@from, @to) has been sent, behind everything that is in here */
void ftcp_sent_add(struct ftcp_sent *sent, u64 from, u64 to, u64 now_us);

/** ftcp_sent_trim() - everything below @off is of no interest any more */
void ftcp_sent_trim(struct ftcp_sent *sent, u64 off);

/** ftcp_sent_cut() - forget @first and all runs behind it */
void ftcp_sent_cut(struct ftcp_sent *sent, const struct ftcp_run *first);

/** ftcp_sent_touch() - as if all of it had last been sent at @now_us; when it was first sent stays */
void ftcp_sent_touch(struct ftcp_sent *sent, u64 now_us);

/** ftcp_sent_find() - the run with the byte at @off, or NULL */
const struct ftcp_run *ftcp_sent_find(const struct ftcp_sent *sent, u64 off);

/** ftcp_sent_off() - @low, the lower half of an offset near @near, in full */
static inline u64 ftcp_sent_off(u32 low, u64 near)
{
	return near + (s32)(low - (u32)near);
}

/** ftcp_sent_age_us() - how long ago @at_us was */
static inline u32 ftcp_sent_age_us(u32 at_us, u64 now_us)
{
	return (u32)now_us - at_us;
}

#endif
