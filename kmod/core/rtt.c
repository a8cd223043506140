// SPDX-License-Identifier: GPL-2.0
/* Round-trip time and retransmission timeout (RFC 6298). */
#include <linux/kernel.h>
#include <linux/string.h>
#include <ftcp/limits.h>
#include "rtt.h"

void ftcp_rtt_init(struct ftcp_rtt *rtt)
{
	memset(rtt, 0, sizeof(*rtt));
	rtt->rto_us = FTCP_RTO_INITIAL_US;
}

void ftcp_rtt_sample(struct ftcp_rtt *rtt, u32 sample_us)
{
	u64 rto_us;
	u32 off;

	sample_us = min_t(u64, max_t(u32, sample_us, 1), FTCP_RTO_MAX_US);
	if (!rtt->min_us || sample_us < rtt->min_us)
		rtt->min_us = sample_us;
	if (!rtt->srtt_us) {
		/* 2.2 */
		rtt->srtt_us = sample_us;
		rtt->rttvar_us = sample_us / 2;
	} else {
		/* 2.3: beta 1/4, alpha 1/8 */
		off = sample_us > rtt->srtt_us ? sample_us - rtt->srtt_us : rtt->srtt_us - sample_us;
		rtt->rttvar_us = (u32)((3 * (u64)rtt->rttvar_us + off) >> 2);
		rtt->srtt_us = max_t(u32, (7 * (u64)rtt->srtt_us + sample_us) >> 3, 1);
	}
	rto_us = rtt->srtt_us + 4 * (u64)rtt->rttvar_us;
	rtt->rto_us = min_t(u64, max_t(u64, rto_us, FTCP_RTO_MIN_US), FTCP_RTO_MAX_US);
}

u64 ftcp_rtt_backoff_us(const struct ftcp_rtt *rtt, u32 n)
{
	return min_t(u64, (u64)rtt->rto_us << min_t(u32, n, FTCP_BACKOFF_MAX), FTCP_RTO_MAX_US);
}
