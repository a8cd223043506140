/* SPDX-License-Identifier: GPL-2.0 */
/* RACK-TLP, loss detection by time (RFC 8985). Soft state. */
#ifndef FTCP_RACK_H
#define FTCP_RACK_H

#include <linux/types.h>

/**
 * struct ftcp_rack - RFC 8985, 5.2
 * @at_us: RACK.xmit_ts: when the latest sent of all delivered segments was sent
 * @end: RACK.end_seq: its end, as an offset; 0: nothing was delivered yet
 * @rtt_us: RACK.rtt
 * @fack: RACK.fack: the highest offset delivered, before the ACK that is being processed
 * @fack_next: and with it: the blocks of one ACK come in no order
 * @dsack_round: RACK.dsack_round: no further widening before snd_una is here
 * @tail_end: TLP.end_seq: a tail loss probe is out; 0: none
 * @widen: RACK.reo_wnd_mult, less one; at its limit the window is a round trip
 * @persist: RACK.reo_wnd_persist: recoveries until it is forgotten
 */
struct ftcp_rack {
	u64 at_us;
	u64 end;
	u64 fack;
	u64 fack_next;
	u64 dsack_round;
	u64 tail_end;
	u32 rtt_us;
	u8 widen;
	u8 persist;
	bool reordering;	/* RACK.reordering_seen */
	bool tail_again;	/* TLP.is_retrans */
};

#endif
