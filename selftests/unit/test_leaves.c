// SPDX-License-Identifier: GPL-2.0
/* range.c, rtt.c, cong.c, cookie.c, batch.c */
#include <stdlib.h>
#include <string.h>
#include "batch.h"
#include "cong.h"
#include "cookie.h"
#include "ktest.h"
#include "range.h"
#include "rtt.h"

/* ---- range.c, against a map of 512 offsets ---- */

static u32 islands(const u8 *map)
{
	u32 i, n = 0;

	for (i = 0; i < 512; i++)
		n += map[i] && (!i || !map[i - 1]);
	return n;
}

static void same(const struct ftcp_ranges *set, const u8 *map)
{
	u64 bytes = 0;
	u32 i;

	for (i = 0; i < 512; i++) {
		EXPECT(ftcp_ranges_covers(set, i, i + 1) == !!map[i]);
		bytes += map[i];
	}
	EXPECT(set->n == islands(map));
	EXPECT(ftcp_ranges_bytes(set, 0) == bytes);
}

TEST(ranges__as_a_map)
{
	struct ftcp_range room[FTCP_RANGES_MAX];
	struct ftcp_ranges set;
	u8 map[512], was[512];
	u32 round, n, from, to;

	for (round = 0; round < 200; round++) {
		set = (struct ftcp_ranges){ .r = room };
		memset(map, 0, sizeof(map));
		for (n = 0; n < 60; n++) {
			from = ktest_random(512);
			to = from + ktest_random(n & 1 ? 4 : 40);
			to = to > 512 ? 512 : to;
			memcpy(was, map, sizeof(map));
			memset(map + from, 1, to - from);
			if (!ftcp_ranges_add(&set, from, to)) {
				EXPECT(islands(map) > FTCP_RANGES_MAX);
				memcpy(map, was, sizeof(map));
			}
			if (!ktest_random(10)) {
				from = ktest_random(512);
				ftcp_ranges_trim(&set, from);
				memset(map, 0, from);
			}
		}
		same(&set, map);
	}
}

TEST(ranges_gap__finds_the_first)
{
	struct ftcp_range room[FTCP_RANGES_MAX];
	struct ftcp_ranges set = { .r = room };
	struct ftcp_range gap;

	EXPECT(!ftcp_ranges_gap(&set, 0, &gap));
	ftcp_ranges_add(&set, 10, 20);
	ftcp_ranges_add(&set, 30, 40);
	EXPECT(ftcp_ranges_gap(&set, 5, &gap) && gap.from == 5 && gap.to == 10);
	EXPECT(ftcp_ranges_gap(&set, 12, &gap) && gap.from == 20 && gap.to == 30);
	EXPECT(!ftcp_ranges_gap(&set, 30, &gap));
	EXPECT(ftcp_ranges_top(&set) == 40);
}

/* ---- rtt.c ---- */

TEST(rtt_sample__rfc6298)
{
	struct ftcp_rtt rtt;

	ftcp_rtt_init(&rtt);
	EXPECT(rtt.rto_us == FTCP_RTO_INITIAL_US);
	ftcp_rtt_sample(&rtt, 400000);
	EXPECT(rtt.srtt_us == 400000 && rtt.rttvar_us == 200000 && rtt.rto_us == 1200000);
	ftcp_rtt_sample(&rtt, 400000);
	EXPECT(rtt.srtt_us == 400000 && rtt.rttvar_us == 150000);
	ftcp_rtt_sample(&rtt, 0);
	EXPECT(rtt.min_us == 1);
}

TEST(rtt_backoff__doubles_up_to_the_limit)
{
	struct ftcp_rtt rtt;

	ftcp_rtt_init(&rtt);
	ftcp_rtt_sample(&rtt, 1);
	EXPECT(ftcp_rtt_backoff_us(&rtt, 0) == FTCP_RTO_MIN_US);
	EXPECT(ftcp_rtt_backoff_us(&rtt, 3) == 8 * FTCP_RTO_MIN_US);
	EXPECT(ftcp_rtt_backoff_us(&rtt, 4000000000u) == FTCP_RTO_MAX_US);
}

/* ---- cong.c ---- */

TEST(cong__slow_start_and_avoidance)
{
	struct ftcp_cong cong;

	ftcp_cong_init(&cong, 1000, FTCP_CONG_RENO);
	EXPECT(cong.cwnd_bytes == 10000);
	ftcp_cong_acked(&cong, 4000, false, 1, 1);
	EXPECT(cong.cwnd_bytes == 10000);	/* it was not the window that limited us */
	ftcp_cong_acked(&cong, 4000, true, 1, 1);
	EXPECT(cong.cwnd_bytes == 14000);
	ftcp_cong_loss(&cong, 14000);
	EXPECT(cong.cwnd_bytes == 7000 && cong.ssthresh_bytes == 7000);
	ftcp_cong_acked(&cong, 6999, true, 1, 1);
	EXPECT(cong.cwnd_bytes == 7000);
	ftcp_cong_acked(&cong, 1, true, 1, 1);
	EXPECT(cong.cwnd_bytes == 8000);
}

TEST(cong_timeout__one_segment)
{
	struct ftcp_cong cong;

	ftcp_cong_init(&cong, 1000, FTCP_CONG_RENO);
	ftcp_cong_timeout(&cong, 8000, true);
	EXPECT(cong.cwnd_bytes == 1000 && cong.ssthresh_bytes == 4000);
	ftcp_cong_timeout(&cong, 1000, false);
	EXPECT(cong.ssthresh_bytes == 4000);
	ftcp_cong_timeout(&cong, 1000, true);
	EXPECT(cong.ssthresh_bytes == 2000);
}

/* ---- cookie.c ---- */

static u64 hash(const void *ctx, u32 a, u32 b)
{
	u64 x = (*(const u64 *)ctx * 0x9e3779b97f4a7c15ull) ^ (u64)a << 32 ^ b;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

TEST(cookie__round_trip_and_expiry)
{
	struct ftcp_cookie made, opened;
	u64 key = 42, other = 43;
	u32 n, iss, irs, ts, forged = 0;

	for (n = 0; n < 20000; n++) {
		made = (struct ftcp_cookie){ .mss_bytes = 88 + ktest_random(9000), .wscale_ok = ktest_random(2), .sack_ok = ktest_random(2) };
		made.wscale = made.wscale_ok ? ktest_random(15) : 0;
		irs = ktest_random(0x7fffffff);
		ts = 0xffffffff - ktest_random(200000);		/* the clock wraps, too */
		iss = ftcp_cookie_make(&made, irs, ts, hash, &key);
		EXPECT(ftcp_cookie_open(&opened, iss, irs, ts + ktest_random(65536), hash, &key));
		EXPECT(opened.mss_bytes == made.mss_bytes && opened.wscale_ok == made.wscale_ok && opened.wscale == made.wscale &&
		       opened.sack_ok == made.sack_ok);
		EXPECT(!ftcp_cookie_open(&opened, iss, irs, ts + 2 * 65536, hash, &key));
		forged += ftcp_cookie_open(&opened, iss, irs, ts + 4 * 65536, hash, &key);
		forged += ftcp_cookie_open(&opened, iss, irs, ts, hash, &other);
		forged += ftcp_cookie_open(&opened, iss, irs + 1, ts, hash, &key);
		forged += ftcp_cookie_open(&opened, iss ^ 1u << ktest_random(32), irs, ts, hash, &key);
	}
	EXPECT(forged < 3);	/* 22 bits */
}

/* ---- batch.c ---- */

static enum ftcp_batch_error read_exact(const u8 *buf, u32 len)
{
	struct ftcp_batch_tuple tuple;
	struct ftcp_record rec;
	u8 *exact = malloc(len ? len : 1), type;
	enum ftcp_batch_error error;

	memcpy(exact, buf, len);
	error = ftcp_batch_read_record(&tuple, &rec, &type, exact, len);
	free(exact);
	return error;
}

TEST(batch_record__round_trip)
{
	struct ftcp_record out = { .hard = { .consumed = 1ull << 40, .rcv_nxt = 2, .rcv_edge = 3, .snd_una = 4, .snd_end = 5, .snd_wnd = 6,
		.iss = 7, .irs = 8, .ts_recent = 9, .ts_off = 10, .rcv_buf_bytes = 11, .snd_buf_bytes = 12, .mss_bytes = 1460,
		.state = FTCP_ESTABLISHED, .flags = FTCP_HARD_TS, .snd_wscale = 14, .rcv_wscale = 7 },
		.rcv_from = 20, .rcv_len = 3, .snd_from = 30, .snd_len = 4 }, in;
	struct ftcp_batch_tuple tuple = { .laddr = { 1 }, .raddr = { 2 }, .lport = 9999, .rport = 0xfffe, .service = FTCP_RECORD_LISTEN_ANY }, got;
	u8 buf[sizeof(struct ftcp_batch_record) + 7] = { 0 }, type;
	u32 len;

	ftcp_batch_write_record(&tuple, &out, FTCP_RECORD_CONN, buf);
	EXPECT(ftcp_batch_read_record(&got, &in, &type, buf, sizeof(buf)) == FTCP_BATCH_OK);
	EXPECT(type == FTCP_RECORD_CONN && !memcmp(&tuple, &got, sizeof(got)));
	EXPECT(!memcmp(&in.hard, &out.hard, sizeof(in.hard)) && in.rcv_from == 20 && in.rcv_len == 3 && in.snd_from == 30 && in.snd_len == 4);
	for (len = 0; len < sizeof(buf); len++)
		EXPECT(read_exact(buf, len) != FTCP_BATCH_OK);
	buf[offsetof(struct ftcp_batch_record, service)]++;
	EXPECT(read_exact(buf, sizeof(buf)) == FTCP_BATCH_BAD_RECORD);
	buf[offsetof(struct ftcp_batch_record, service)]--;
	EXPECT(read_exact(buf, sizeof(buf)) == FTCP_BATCH_OK);
	buf[0] = 9;
	EXPECT(read_exact(buf, sizeof(buf)) == FTCP_BATCH_BAD_RECORD);
}

TEST(batch_header__refuses)
{
	struct ftcp_batch out = { .flags = FTCP_BATCH_RESET, .epoch = 3, .sync_id = 4, .no = 5, .ts_ms = 6, .records = 7, .bytes = 80 }, in;
	u8 buf[80];

	ftcp_batch_write_header(&out, buf);
	EXPECT(ftcp_batch_read_header(&in, buf, 80) == FTCP_BATCH_OK && in.epoch == 3 && in.no == 5 && in.ts_ms == 6 && in.records == 7);
	EXPECT(ftcp_batch_read_header(&in, buf, 79) == FTCP_BATCH_SHORT);
	buf[5]++;
	EXPECT(ftcp_batch_read_header(&in, buf, 80) == FTCP_BATCH_WRONG_VERSION);
	buf[0]++;
	EXPECT(ftcp_batch_read_header(&in, buf, 80) == FTCP_BATCH_NOT_ONE);
	out.bytes = 81;
	ftcp_batch_write_header(&out, buf);
	EXPECT(ftcp_batch_read_header(&in, buf, 80) == FTCP_BATCH_WRONG_LENGTH);
}
