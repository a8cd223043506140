// SPDX-License-Identifier: GPL-2.0
/* Congestion window. */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <ftcp/limits.h>
#include "cong.h"

#define CWND_MAX_BYTES	(1u << 30)
#define TIME_MAX_MS	50000u		/* further on the cubic is beyond any window anyway */

static bool is_cubic(const struct ftcp_cong *cong)
{
	return cong->algorithm == FTCP_CONG_CUBIC;
}

/*
 * RFC 5681, eq. 4: a half; RFC 9438, 4.6: beta is 0.7. Of what was out, but never of more than the window allowed: what is SACKed beyond a hole is out still, and
 * may be several windows.
 */
static u32 reduced(const struct ftcp_cong *cong, u32 flight_bytes)
{
	u32 bytes = min_t(u32, flight_bytes, cong->cwnd_bytes), less = is_cubic(cong) ? (u64)bytes * 7 / 10 : bytes / 2;

	return min_t(u32, max_t(u32, less, 2 * cong->mss_bytes), CWND_MAX_BYTES);
}

const char *ftcp_cong_name(u8 algorithm)
{
	return algorithm == FTCP_CONG_CUBIC ? "cubic" : "reno";
}

static u32 initial(const struct ftcp_cong *cong)
{
	return FTCP_IW_SEGMENTS * cong->mss_bytes;
}

void ftcp_cong_init(struct ftcp_cong *cong, u32 mss_bytes, u8 algorithm)
{
	memset(cong, 0, sizeof(*cong));
	cong->mss_bytes = mss_bytes;
	cong->cwnd_bytes = initial(cong);
	cong->ssthresh_bytes = CWND_MAX_BYTES;
	cong->algorithm = algorithm;
}

/* The first slow start is over, one way or another: what follows has not begun yet. */
static void leave_start(struct ftcp_cong *cong)
{
	if (cong->started)
		return;
	cong->started = true;
	cong->epoch_us = 0;
	cong->w_est = 0;
	cong->w_max_bytes = 0;
	cong->k_ms = 0;
}

static bool has_hystart(const struct ftcp_cong *cong)
{
	return is_cubic(cong) && !cong->started;
}

static u32 cube_root(u64 x)
{
	u64 root = 0, bit;
	int shift;

	for (shift = 63; shift >= 0; shift -= 3) {
		root <<= 1;
		bit = 3 * root * (root + 1) + 1;
		if (x >> shift >= bit) {
			x -= bit << shift;
			root++;
		}
	}
	return root;
}

/* RFC 9438, 4.2: K = cbrt((W_max - cwnd_epoch) / C), C = 0.4 segments per s^3 */
static void cubic_begin(struct ftcp_cong *cong, u64 now_us)
{
	u32 below = cong->w_max_bytes > cong->cwnd_bytes ? cong->w_max_bytes - cong->cwnd_bytes : 0;

	cong->epoch_us = now_us;
	cong->acked_bytes = 0;
	cong->w_est = (u64)cong->cwnd_bytes << 8;
	cong->k_ms = cube_root(div_u64(below * 2500000000ull, cong->mss_bytes));
	if (!below)
		cong->w_max_bytes = cong->cwnd_bytes;
}

/* RFC 9438, 4.2: W_cubic(t) = C * (t - K)^3 + W_max */
static u32 cubic_window(const struct ftcp_cong *cong, u64 t_ms)
{
	u64 away = min_t(u64, t_ms > cong->k_ms ? t_ms - cong->k_ms : cong->k_ms - t_ms, TIME_MAX_MS);
	u64 delta = div_u64(away * away * away / 1000 * cong->mss_bytes * 4, 10000000);

	if (t_ms < cong->k_ms)
		return delta < cong->w_max_bytes ? cong->w_max_bytes - delta : 0;
	return min_t(u64, cong->w_max_bytes + delta, CWND_MAX_BYTES);
}

static void cubic_acked(struct ftcp_cong *cong, u32 bytes, u64 now_us, u32 srtt_us)
{
	u32 target, cwnd = cong->cwnd_bytes, rest;
	u64 sum;

	if (!cong->epoch_us)
		cubic_begin(cong, now_us);
	/* 4.3: the Reno-friendly window; alpha is 0.53, and 1 once it has reached W_max */
	cong->w_est += div_u64((u64)(cong->w_est >> 8 >= cong->w_max_bytes ? 256 : 135) * cong->mss_bytes * bytes, cwnd);
	/* 4.4 and 4.5 */
	target = cubic_window(cong, div_u64(now_us - cong->epoch_us + srtt_us, 1000));
	target = clamp_t(u64, target, cwnd, cwnd + cwnd / 2);
	sum = (u64)(target - cwnd) * bytes + cong->acked_bytes;
	cwnd += div_u64_rem(sum, cwnd, &rest);
	cong->acked_bytes = rest;
	cong->cwnd_bytes = min_t(u64, max_t(u64, cwnd, cong->w_est >> 8), CWND_MAX_BYTES);
}

static void reno_acked(struct ftcp_cong *cong, u32 bytes)
{
	cong->acked_bytes += bytes;
	if (cong->acked_bytes < cong->cwnd_bytes)
		return;
	cong->acked_bytes -= cong->cwnd_bytes;
	cong->cwnd_bytes = min_t(u32, cong->cwnd_bytes + cong->mss_bytes, CWND_MAX_BYTES);
}

/* RFC 9438, 5.8: time without a full window does not count */
static void cubic_pause(struct ftcp_cong *cong)
{
	if (cong->started)
		cong->epoch_us = 0;
}

void ftcp_cong_rtt(struct ftcp_cong *cong, u32 rtt_us, u64 snd_una, u64 snd_nxt)
{
	if (!has_hystart(cong) || !ftcp_hystart_ack(&cong->hystart, rtt_us, snd_una, snd_nxt))
		return;
	cong->ssthresh_bytes = cong->cwnd_bytes;
	leave_start(cong);
}

static void slow_start(struct ftcp_cong *cong, u32 bytes)
{
	if (has_hystart(cong))
		bytes = ftcp_hystart_growth_bytes(&cong->hystart, bytes);
	cong->cwnd_bytes = min_t(u32, cong->cwnd_bytes + bytes, CWND_MAX_BYTES);
}

void ftcp_cong_acked(struct ftcp_cong *cong, u32 bytes, bool limited, u64 now_us, u32 srtt_us)
{
	if (!limited) {
		cubic_pause(cong);
		return;
	}
	bytes = min_t(u32, bytes, CWND_MAX_BYTES);
	if (cong->cwnd_bytes < cong->ssthresh_bytes) {
		slow_start(cong, bytes);
		return;
	}
	leave_start(cong);
	if (is_cubic(cong))
		cubic_acked(cong, min(bytes, cong->cwnd_bytes), now_us, srtt_us);
	else
		reno_acked(cong, min(bytes, cong->cwnd_bytes));
}

void ftcp_cong_loss(struct ftcp_cong *cong, u32 flight_bytes)
{
	leave_start(cong);
	/* RFC 9438, 4.7: who has less than at the last loss makes room for others */
	if (cong->cwnd_bytes < cong->w_max_bytes)
		cong->w_max_bytes = (u64)cong->cwnd_bytes * 17 / 20;
	else
		cong->w_max_bytes = cong->cwnd_bytes;
	cong->ssthresh_bytes = reduced(cong, flight_bytes);
	cong->cwnd_bytes = cong->ssthresh_bytes;
	cong->acked_bytes = 0;
	cong->epoch_us = 0;
}

void ftcp_cong_timeout(struct ftcp_cong *cong, u32 flight_bytes, bool first)
{
	leave_start(cong);
	if (first)
		cong->ssthresh_bytes = reduced(cong, flight_bytes);
	cong->cwnd_bytes = cong->mss_bytes;
	cong->acked_bytes = 0;
	cong->w_max_bytes = 0;		/* RFC 9438, 4.8: K is 0 in the next congestion avoidance */
	cong->epoch_us = 0;
}

void ftcp_cong_idle(struct ftcp_cong *cong)
{
	cong->cwnd_bytes = min_t(u32, cong->cwnd_bytes, initial(cong));
	cubic_pause(cong);
}
