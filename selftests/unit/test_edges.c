// SPDX-License-Identifier: GPL-2.0
/* segment.c, range.c, rtt.c, cong.c, cookie.c, batch.c: at their edges. */
#include <stdlib.h>
#include <string.h>
#include "batch.h"
#include "cong.h"
#include "cookie.h"
#include "ktest.h"
#include "range.h"
#include "rtt.h"
#include "segment.h"

static enum ftcp_reason parse_options(struct ftcp_segment *seg, u8 flags, const u8 *options, u32 len)
{
	u8 *hdr = calloc(1, 20 + len);
	enum ftcp_reason reason;

	hdr[12] = (20 + len) / 4 << 4;
	hdr[13] = flags;
	memcpy(hdr + 20, options, len);
	reason = ftcp_segment_parse(seg, hdr, 20 + len, 20 + len);
	free(hdr);
	return reason;
}

TEST(segment_parse__an_option_cut_at_every_byte)
{
	static const u8 lens[] = { [2] = 4, [3] = 3, [4] = 2, [5] = 10, [8] = 10, [30] = 12 };
	struct ftcp_segment seg;
	u8 options[40];
	u32 kind, len, cut;

	for (kind = 2; kind < sizeof(lens); kind++) {
		len = lens[kind];
		/* It starts @cut bytes before the end of the header. */
		for (cut = 1; len && cut < len; cut++) {
			memset(options, 1, sizeof(options));
			options[40 - cut] = kind;
			if (cut > 1)
				options[41 - cut] = len;
			EXPECT(parse_options(&seg, FTCP_SYN, options, 40) == FTCP_REASON_OPTION);
		}
	}
}

TEST(segment_parse__multipath_client)
{
	/* As Linux with MPTCP, and Go with it, say hello: MP_CAPABLE last. */
	static const u8 options[] = { 2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7, 30, 4, 1, 1 };
	struct ftcp_segment seg;

	EXPECT(parse_options(&seg, FTCP_SYN, options, sizeof(options)) == FTCP_REASON_NONE);
	EXPECT(seg.opts == (FTCP_OPT_MSS | FTCP_OPT_SACK_OK | FTCP_OPT_TS | FTCP_OPT_WSCALE) && seg.wscale == 7 && seg.mss == 1460);
}

TEST(segment_parse__nothing_behind_the_end)
{
	static const u8 options[] = { 1, 0, 19, 18, 8, 10, 0, 0 };
	struct ftcp_segment seg;

	EXPECT(parse_options(&seg, FTCP_ACK, options, sizeof(options)) == FTCP_REASON_NONE && !seg.opts);
}

TEST(segment_parse__sacks_over_the_wrap)
{
	static const u8 options[] = { 1, 1, 5, 18, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 0x10, 0, 0, 0, 5, 0, 0, 0, 5 };
	struct ftcp_segment seg;

	EXPECT(parse_options(&seg, FTCP_ACK, options, sizeof(options)) == FTCP_REASON_NONE);
	EXPECT(seg.n_sacks == 1 && seg.sacks[0].from.v == 0xfffffff0 && seg.sacks[0].to.v == 0x10);	/* an empty block does not count */
}

TEST(segment_write__data_and_sacks_as_linux_does)
{
	static const u8 ts[] = { 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2 };
	static const u8 sack[] = { 1, 1, 5, 10, 0, 0, 0, 3, 0, 0, 0, 4 };
	struct ftcp_segment seg = { .src = 1, .dst = 2, .seq = { 3 }, .ack = { 4 }, .wnd = 5, .flags = FTCP_ACK, .tsval = 1, .tsecr = 2,
		.opts = FTCP_OPT_TS, .sacks = { { { 3 }, { 4 } } } };
	u8 buf[60];

	memset(buf, 0xaa, sizeof(buf));
	EXPECT(ftcp_segment_write(&seg, buf) == 32 && !memcmp(buf + 20, ts, 12));
	EXPECT(!memcmp(buf, "\0\1\0\2\0\0\0\3\0\0\0\4\x80\x10\0\5\0\0\0\0", 20));
	seg.n_sacks = 1;
	EXPECT(ftcp_segment_write(&seg, buf) == 44 && !memcmp(buf + 20, ts, 12) && !memcmp(buf + 32, sack, 12));
	seg.n_sacks = 4;
	EXPECT(ftcp_segment_write(&seg, buf) == 60 && buf[35] == 26);
	seg.opts = 0;
	EXPECT(ftcp_segment_write(&seg, buf) == 56 && buf[23] == 34);
}

TEST(ranges__last_is_what_changed)
{
	struct ftcp_range room[FTCP_RANGES_MAX];
	struct ftcp_ranges set = { .r = room };

	ftcp_ranges_add(&set, 10, 20);
	ftcp_ranges_add(&set, 30, 40);
	EXPECT(set.n == 2 && set.last == 1);
	ftcp_ranges_add(&set, 5, 6);
	EXPECT(set.n == 3 && set.last == 0);
	ftcp_ranges_add(&set, 20, 30);		/* touches both: one range */
	EXPECT(set.n == 2 && set.last == 1 && set.r[1].from == 10 && set.r[1].to == 40);
	ftcp_ranges_trim(&set, 6);
	EXPECT(set.n == 1 && set.last == 0);
	ftcp_ranges_trim(&set, 15);
	EXPECT(set.n == 1 && set.r[0].from == 15 && ftcp_ranges_bytes(&set, 20) == 20);
	EXPECT(ftcp_ranges_add(&set, 7, 7) && set.n == 1);
	EXPECT(ftcp_ranges_covers(&set, 3, 3) && ftcp_ranges_covers(&set, 15, 40) && !ftcp_ranges_covers(&set, 14, 40));
	ftcp_ranges_trim(&set, 40);
	EXPECT(!set.n && !ftcp_ranges_top(&set));
}

TEST(ranges__without_room)
{
	struct ftcp_ranges set = { 0 };

	EXPECT(!ftcp_ranges_add(&set, 1, 2) && ftcp_ranges_add(&set, 1, 1) && !set.n);
	ftcp_ranges_trim(&set, 5);
	EXPECT(!ftcp_ranges_bytes(&set, 0) && !ftcp_ranges_covers(&set, 1, 2));
}

TEST(ranges__full_takes_what_touches)
{
	struct ftcp_range room[FTCP_RANGES_MAX], room_was[FTCP_RANGES_MAX];
	struct ftcp_ranges set = { .r = room }, was;
	u32 i;

	for (i = 0; i < FTCP_RANGES_MAX; i++)
		EXPECT(ftcp_ranges_add(&set, 100 * i, 100 * i + 10));
	was = set;
	memcpy(room_was, room, sizeof(room));
	EXPECT(!ftcp_ranges_add(&set, 50, 60) && !memcmp(&was, &set, sizeof(set)) && !memcmp(room, room_was, sizeof(room)));
	EXPECT(ftcp_ranges_add(&set, 10, 20) && set.n == FTCP_RANGES_MAX && set.r[0].to == 20);
	EXPECT(ftcp_ranges_add(&set, 0, ~0ull) && set.n == 1 && ftcp_ranges_top(&set) == ~0ull);
}

TEST(ranges_gap__as_a_map)
{
	struct ftcp_range gap, room[FTCP_RANGES_MAX];
	struct ftcp_ranges set;
	u32 round, i, from, to, top;
	u8 map[256];
	bool found;

	for (round = 0; round < 2000; round++) {
		set = (struct ftcp_ranges){ .r = room };
		memset(map, 0, sizeof(map));
		for (i = 0, top = 0; i < 10; i++) {
			from = ktest_random(200);
			to = from + 1 + ktest_random(20);
			ftcp_ranges_add(&set, from, to);
			memset(map + from, 1, to - from);
			top = to > top ? to : top;
		}
		from = ktest_random(230);
		found = ftcp_ranges_gap(&set, from, &gap);
		while (from < top && map[from])
			from++;
		for (to = from; to < top && !map[to]; to++)
			;
		EXPECT(found == (from < top));
		EXPECT(!found || (gap.from == from && gap.to == to));
	}
}

TEST(rtt_sample__above_and_below_the_mean)
{
	struct ftcp_rtt rtt;

	ftcp_rtt_init(&rtt);
	ftcp_rtt_sample(&rtt, 100000);
	ftcp_rtt_sample(&rtt, 180000);		/* RFC 6298, 2.3, by hand */
	EXPECT(rtt.rttvar_us == 57500 && rtt.srtt_us == 110000 && rtt.rto_us == 340000 && rtt.min_us == 100000);
	ftcp_rtt_sample(&rtt, 30000);
	EXPECT(rtt.rttvar_us == 63125 && rtt.srtt_us == 100000 && rtt.rto_us == 352500 && rtt.min_us == 30000);
}

TEST(rtt__stays_within_its_limits)
{
	struct ftcp_rtt rtt;
	u32 n;

	ftcp_rtt_init(&rtt);
	for (n = 0; n < 100000; n++) {
		ftcp_rtt_sample(&rtt, ktest_random(3) ? ktest_random(300000) : ktest_random(0x7fffffff) * 2);
		EXPECT(rtt.rto_us >= FTCP_RTO_MIN_US && rtt.rto_us <= FTCP_RTO_MAX_US && rtt.srtt_us && rtt.min_us);
		EXPECT(ftcp_rtt_backoff_us(&rtt, ktest_random(70)) <= FTCP_RTO_MAX_US);
	}
}

TEST(cong__stays_within_its_limits)
{
	struct ftcp_cong cong;
	u32 n;

	ftcp_cong_init(&cong, 1448, FTCP_CONG_RENO);
	for (n = 0; n < 100000; n++) {
		switch (ktest_random(8)) {
		case 0: ftcp_cong_loss(&cong, ktest_random(0x7fffffff)); break;
		case 1: ftcp_cong_timeout(&cong, ktest_random(0x7fffffff), ktest_random(2)); break;
		case 2: ftcp_cong_idle(&cong); break;
		default: ftcp_cong_acked(&cong, ktest_random(3) ? 65000 : ktest_random(0x7fffffff) * 2, true, 1, 1);
		}
		EXPECT(cong.cwnd_bytes >= 1448 && cong.cwnd_bytes <= 1u << 30);
		EXPECT(cong.ssthresh_bytes >= 2 * 1448);
	}
	cong.cwnd_bytes = 1448;
	ftcp_cong_idle(&cong);
	EXPECT(cong.cwnd_bytes == 1448);	/* RFC 5681, 4.1: never up */
}

static u64 hash(const void *ctx, u32 a, u32 b)
{
	u64 x = (*(const u64 *)ctx * 0x9e3779b97f4a7c15ull) ^ (u64)a << 32 ^ b;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

TEST(cookie__good_for_this_unit_and_the_next)
{
	struct ftcp_cookie made = { .mss_bytes = 1460 }, opened;
	u32 unit, iss, ts;
	u64 key = 5;

	for (unit = 65530; unit < 65540; unit++) {	/* the clock wraps in between */
		ts = (unit << 16) + 0xffff;
		iss = ftcp_cookie_make(&made, 1, ts, hash, &key);
		EXPECT(ftcp_cookie_open(&opened, iss, 1, ts, hash, &key));
		EXPECT(ftcp_cookie_open(&opened, iss, 1, ts + 1, hash, &key));
		EXPECT(ftcp_cookie_open(&opened, iss, 1, ts + 65536, hash, &key));
		EXPECT(!ftcp_cookie_open(&opened, iss, 1, ts + 65537, hash, &key));
		EXPECT(!ftcp_cookie_open(&opened, iss, 1, ts - 65536, hash, &key));	/* not from the future */
		EXPECT(!ftcp_cookie_open(&opened, iss, 1, ts + 4 * 65536, hash, &key));	/* its two bits come round again */
	}
}

TEST(cookie__mss_is_rounded_down)
{
	struct ftcp_cookie cookie, opened;
	u64 key = 6;
	u32 mss, iss, last = 0, steps = 0;

	for (mss = FTCP_MSS_MIN_BYTES; mss < 10000; mss++) {
		cookie = (struct ftcp_cookie){ .mss_bytes = mss };
		iss = ftcp_cookie_make(&cookie, 0xffffffff, 1, hash, &key);
		EXPECT(cookie.mss_bytes <= mss && cookie.mss_bytes >= last);
		steps += cookie.mss_bytes != last;
		last = cookie.mss_bytes;
		EXPECT(ftcp_cookie_open(&opened, iss, 0xffffffff, 1, hash, &key) && opened.mss_bytes == last);
	}
	EXPECT(steps == 8);
}

TEST(cookie__random_numbers_are_none)
{
	struct ftcp_cookie opened;
	u32 n, good = 0;
	u64 key = 7;

	for (n = 0; n < 1000000; n++)
		good += ftcp_cookie_open(&opened, ktest_random(0x7fffffff) << 1 | (n & 1), n, 123456789, hash, &key);
	EXPECT(good < 8);	/* 22 bits of hash, two of four time units: one in eight million */
}

TEST(batch_record__states_that_are_never_shipped)
{
	struct ftcp_batch_tuple tuple = { .lport = 9999 };
	u8 buf[sizeof(struct ftcp_batch_record)], type;
	struct ftcp_record rec = { 0 }, got;
	u32 state;
	bool ok;

	for (state = 0; state < 256; state++) {
		rec.hard.state = state;
		ok = state <= FTCP_CLOSING && strcmp(ftcp_state_name(state), "?") && state != FTCP_SYN_RECEIVED && state != FTCP_CLOSED;
		ftcp_batch_write_record(&tuple, &rec, FTCP_RECORD_CONN, buf);
		EXPECT((ftcp_batch_read_record(&tuple, &got, &type, buf, sizeof(buf)) == FTCP_BATCH_OK) == ok);
		ftcp_batch_write_record(&tuple, &rec, FTCP_RECORD_PARTIAL, buf);
		EXPECT((ftcp_batch_read_record(&tuple, &got, &type, buf, sizeof(buf)) == FTCP_BATCH_OK) == ok);
		ftcp_batch_write_record(&tuple, &rec, FTCP_RECORD_GONE, buf);
		EXPECT(ftcp_batch_read_record(&tuple, &got, &type, buf, sizeof(buf)) == FTCP_BATCH_OK);
	}
}
