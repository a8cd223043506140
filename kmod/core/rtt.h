/* SPDX-License-Identifier: GPL-2.0 */
/* Round-trip time and retransmission timeout (RFC 6298). Soft state. */
#ifndef FTCP_RTT_H
#define FTCP_RTT_H

#include <linux/types.h>

struct ftcp_rtt {
	u32 srtt_us;	/* 0: no sample yet */
	u32 rttvar_us;
	u32 min_us;	/* smallest sample, 0: none */
	u32 rto_us;	/* without backoff, FTCP_RTO_MIN_US .. FTCP_RTO_MAX_US */
};

/** ftcp_rtt_init() - RFC 6298, 2.1 */
void ftcp_rtt_init(struct ftcp_rtt *rtt);

/** ftcp_rtt_sample() - RFC 6298, 2.2 and 2.3; a sample of 0 counts as 1 us */
void ftcp_rtt_sample(struct ftcp_rtt *rtt, u32 sample_us);

/** ftcp_rtt_backoff_us() - the timeout after @n expiries (RFC 6298, 5.5), at most FTCP_RTO_MAX_US */
u64 ftcp_rtt_backoff_us(const struct ftcp_rtt *rtt, u32 n);

#endif
