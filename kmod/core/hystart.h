/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HyStart++ (RFC 9406): when the round trips of a slow start become longer, a queue is growing somewhere. Slow start ends there, and not
 * where the queue overflows or the peer's window is full. Soft state.
 */
#ifndef FTCP_HYSTART_H
#define FTCP_HYSTART_H

#include <linux/types.h>

/**
 * struct ftcp_hystart - RFC 9406, 4.2; all zero at the beginning of a connection
 * @round_end: windowEnd: the round ends when that is acknowledged
 * @last_min_us: lastRoundMinRTT; 0: infinite
 * @min_us: currentRoundMinRTT; 0: infinite
 * @baseline_us: cssBaselineMinRtt; 0: infinite, this is slow start and not its conservative form
 * @samples: rttSampleCount, no further than matters
 * @rounds: of conservative slow start that are over
 */
struct ftcp_hystart {
	u64 round_end;
	u32 last_min_us;
	u32 min_us;
	u32 baseline_us;
	u8 samples;
	u8 rounds;
};

/**
 * ftcp_hystart_ack() - an ACK of new data in the first slow start of a connection
 * @rtt_us: the round trip that it tells; 0: none
 * @snd_una: what it acknowledges
 * @snd_nxt: what has been sent
 *
 * True: slow start is over.
 */
bool ftcp_hystart_ack(struct ftcp_hystart *hystart, u32 rtt_us, u64 snd_una, u64 snd_nxt);

/** ftcp_hystart_growth_bytes() - what the window grows by for @acked_bytes */
u32 ftcp_hystart_growth_bytes(const struct ftcp_hystart *hystart, u32 acked_bytes);

#endif
