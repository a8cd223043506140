// SPDX-License-Identifier: GPL-2.0
/* Where slow start ends (RFC 9406). */
#include <linux/kernel.h>
#include "cong.h"
#include "fixture.h"

#define MSS 1000

struct start {
	struct ftcp_cong cong;
	u64 una, nxt;
};

static void begin(struct start *start, u8 algorithm)
{
	ftcp_cong_init(&start->cong, MSS, algorithm);
	start->una = 1;
	start->nxt = 1 + start->cong.cwnd_bytes;
	start->cong.hystart.round_end = start->nxt;
}

/* Some of it is acknowledged, and the window is full again. */
static void ack(struct start *start, u32 bytes, u32 rtt_us)
{
	start->una += bytes;
	ftcp_cong_acked(&start->cong, bytes, true, 1, rtt_us);
	start->nxt = max(start->nxt, start->una + start->cong.cwnd_bytes);
	ftcp_cong_rtt(&start->cong, rtt_us, start->una, start->nxt);
}

/* A round trip of that length; returns the window, in percent of what it was. */
static u32 round_of(struct start *start, u32 rtt_us)
{
	u32 before = start->cong.cwnd_bytes;
	u64 end = start->nxt;

	while (start->una < end)
		ack(start, min_t(u64, MSS, end - start->una), rtt_us);
	return (u64)start->cong.cwnd_bytes * 100 / before;
}

static bool is_over(const struct start *start) { return start->cong.ssthresh_bytes < 1u << 30; }

TEST(hystart__doubles_while_nothing_grows)
{
	struct start start;
	u32 i;

	begin(&start, FTCP_CONG_CUBIC);
	for (i = 0; i < 10; i++)
		EXPECT(round_of(&start, 10000 + i * 3900) >= 199);	/* 4.3: less than 4 ms is nothing */
	EXPECT(!is_over(&start));
}

TEST(hystart__slower_and_then_over)
{
	struct start start;
	u32 i;

	begin(&start, FTCP_CONG_CUBIC);
	round_of(&start, 10000);
	round_of(&start, 10000);
	round_of(&start, 14000);		/* seven doubled it, the others a quarter */
	for (i = 0; i < 4; i++) {
		EXPECT(!is_over(&start));
		EXPECT(round_of(&start, 14000) <= 126);
	}
	EXPECT(is_over(&start) && start.cong.ssthresh_bytes <= start.cong.cwnd_bytes);
	EXPECT(round_of(&start, 14000) <= 103);	/* congestion avoidance */
}

TEST(hystart__only_jitter)
{
	struct start start;

	begin(&start, FTCP_CONG_CUBIC);
	round_of(&start, 10000);
	round_of(&start, 20000);
	EXPECT(round_of(&start, 20000) <= 126);
	EXPECT(round_of(&start, 19999) >= 180);	/* from its eighth sample on it is slow start again */
	EXPECT(round_of(&start, 19999) >= 199 && !is_over(&start));
}

TEST(hystart__eight_samples)
{
	struct start start;
	u32 i;

	begin(&start, FTCP_CONG_CUBIC);
	round_of(&start, 10000);
	for (i = 0; i < 7; i++)
		ack(&start, MSS, 50000);
	EXPECT(round_of(&start, 0) >= 199);	/* no further ones */
	EXPECT(!is_over(&start) && !start.cong.hystart.baseline_us);
}

TEST(hystart__long_round_trips)
{
	struct start start;

	begin(&start, FTCP_CONG_CUBIC);
	round_of(&start, 300000);
	EXPECT(round_of(&start, 315900) >= 199);	/* an eighth, but at most 16 ms */
	EXPECT(round_of(&start, 331900) < 199);
}

TEST(hystart__not_after_a_loss)
{
	struct start start;

	begin(&start, FTCP_CONG_CUBIC);
	round_of(&start, 10000);
	ftcp_cong_loss(&start.cong, start.cong.cwnd_bytes);
	EXPECT(start.cong.w_max_bytes == 20 * MSS && start.cong.cwnd_bytes == 14 * MSS);
	ftcp_cong_timeout(&start.cong, start.cong.cwnd_bytes, false);
	start.nxt = start.una + MSS;
	round_of(&start, 10000);
	round_of(&start, 50000);
	EXPECT(start.cong.cwnd_bytes == 4 * MSS);	/* slow start up to ssthresh, whatever the round trips are */
}

TEST(hystart__not_for_reno)
{
	struct start start;
	u32 i;

	begin(&start, FTCP_CONG_RENO);
	for (i = 1; i < 10; i++)
		EXPECT(round_of(&start, i * 20000) >= 199);
	EXPECT(!is_over(&start));
}
