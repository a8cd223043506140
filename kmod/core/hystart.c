// SPDX-License-Identifier: GPL-2.0
/* Where slow start ends (RFC 9406). */
#include <linux/kernel.h>
#include <ftcp/limits.h>
#include "hystart.h"

/* RFC 9406, 4.3. L is infinite: peers that join packets acknowledge many of them at once. */
#define MIN_RTT_THRESH_US	(4 * FTCP_MS_US)
#define MAX_RTT_THRESH_US	(16 * FTCP_MS_US)
#define MIN_RTT_DIVISOR		8
#define N_RTT_SAMPLE		8
#define CSS_GROWTH_DIVISOR	4
#define CSS_ROUNDS		5

static bool is_conservative(const struct ftcp_hystart *hystart)
{
	return hystart->baseline_us;
}

static bool delay_has_grown(const struct ftcp_hystart *hystart)
{
	u32 thresh_us = clamp_t(u32, hystart->last_min_us / MIN_RTT_DIVISOR, MIN_RTT_THRESH_US, MAX_RTT_THRESH_US);

	return hystart->last_min_us && hystart->min_us >= hystart->last_min_us + thresh_us;
}

static void sample(struct ftcp_hystart *hystart, u32 rtt_us)
{
	if (!hystart->min_us || rtt_us < hystart->min_us)
		hystart->min_us = rtt_us;
	if (hystart->samples < N_RTT_SAMPLE)
		hystart->samples++;
	if (hystart->samples < N_RTT_SAMPLE)
		return;
	if (!is_conservative(hystart)) {
		hystart->baseline_us = delay_has_grown(hystart) ? hystart->min_us : 0;
		hystart->rounds = 0;
	} else if (hystart->min_us < hystart->baseline_us) {
		hystart->baseline_us = 0;	/* it was jitter */
	}
}

bool ftcp_hystart_ack(struct ftcp_hystart *hystart, u32 rtt_us, u64 snd_una, u64 snd_nxt)
{
	if (rtt_us)
		sample(hystart, rtt_us);
	if (snd_una < hystart->round_end)
		return false;
	hystart->round_end = snd_nxt;
	hystart->last_min_us = hystart->min_us;
	hystart->min_us = 0;
	hystart->samples = 0;
	return is_conservative(hystart) && ++hystart->rounds >= CSS_ROUNDS;
}

u32 ftcp_hystart_growth_bytes(const struct ftcp_hystart *hystart, u32 acked_bytes)
{
	return is_conservative(hystart) ? acked_bytes / CSS_GROWTH_DIVISOR : acked_bytes;
}
