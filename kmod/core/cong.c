// SPDX-License-Identifier: GPL-2.0
/* Congestion window. */
#include <linux/kernel.h>
#include <linux/string.h>
#include <ftcp/limits.h>
#include "cong.h"

#define CWND_MAX_BYTES	(1u << 30)

static u32 half(const struct ftcp_cong *cong, u32 flight_bytes)
{
	return max_t(u32, flight_bytes / 2, 2 * cong->mss_bytes);
}

static u32 initial(const struct ftcp_cong *cong)
{
	return FTCP_IW_SEGMENTS * cong->mss_bytes;
}

void ftcp_cong_init(struct ftcp_cong *cong, u32 mss_bytes)
{
	cong->mss_bytes = mss_bytes;
	cong->cwnd_bytes = initial(cong);
	cong->ssthresh_bytes = CWND_MAX_BYTES;
	cong->acked_bytes = 0;
}

void ftcp_cong_acked(struct ftcp_cong *cong, u32 bytes, bool limited)
{
	if (!limited)
		return;
	if (cong->cwnd_bytes < cong->ssthresh_bytes) {
		bytes = min_t(u32, bytes, CWND_MAX_BYTES);
		cong->cwnd_bytes = min_t(u32, cong->cwnd_bytes + bytes, CWND_MAX_BYTES);
		return;
	}
	cong->acked_bytes += min_t(u32, bytes, cong->cwnd_bytes);
	if (cong->acked_bytes < cong->cwnd_bytes)
		return;
	cong->acked_bytes -= cong->cwnd_bytes;
	cong->cwnd_bytes = min_t(u32, cong->cwnd_bytes + cong->mss_bytes, CWND_MAX_BYTES);
}

void ftcp_cong_loss(struct ftcp_cong *cong, u32 flight_bytes)
{
	cong->ssthresh_bytes = half(cong, flight_bytes);
	cong->cwnd_bytes = cong->ssthresh_bytes;
	cong->acked_bytes = 0;
}

void ftcp_cong_timeout(struct ftcp_cong *cong, u32 flight_bytes, bool first)
{
	if (first)
		cong->ssthresh_bytes = half(cong, flight_bytes);
	cong->cwnd_bytes = cong->mss_bytes;
	cong->acked_bytes = 0;
}

void ftcp_cong_idle(struct ftcp_cong *cong)
{
	cong->cwnd_bytes = min_t(u32, cong->cwnd_bytes, initial(cong));
}
