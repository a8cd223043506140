// SPDX-License-Identifier: GPL-2.0
/* segment.c */
#include <stdlib.h>
#include <string.h>
#include "ktest.h"
#include "segment.h"

static const unsigned char plain[20] = { 0x12, 0x34, 0x27, 0x0f, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, FTCP_ACK, 0x80, 0 };

/* Parse from a buffer of exactly that size, so that the address sanitizer sees a read beyond it. */
static enum ftcp_reason parse(struct ftcp_segment *seg, const void *hdr, u32 avail, u32 total)
{
	u8 *exact = malloc(avail ? avail : 1);
	enum ftcp_reason reason;

	memcpy(exact, hdr, avail);
	reason = ftcp_segment_parse(seg, exact, avail, total);
	free(exact);
	return reason;
}

static enum ftcp_reason with_options(struct ftcp_segment *seg, u8 flags, const void *options, u32 len)
{
	u8 hdr[60] = { 0 };
	u32 bytes = 20 + (len + 3) / 4 * 4;

	memcpy(hdr, plain, 20);
	memcpy(hdr + 20, options, len);
	hdr[12] = bytes / 4 << 4;
	hdr[13] = flags;
	return parse(seg, hdr, bytes, bytes + 5);
}

TEST(segment_parse__plain)
{
	struct ftcp_segment seg;

	EXPECT(parse(&seg, plain, 20, 120) == FTCP_REASON_NONE);
	EXPECT(seg.src == 0x1234 && seg.dst == 9999);
	EXPECT(seg.seq.v == 0x01020304 && seg.ack.v == 0x05060708);
	EXPECT(seg.wnd == 0x8000 && seg.flags == FTCP_ACK && seg.len == 100 && seg.header_bytes == 20);
}

TEST(segment_parse__truncated)
{
	u8 hdr[20];
	struct ftcp_segment seg;
	u32 n;

	for (n = 0; n < 20; n++)
		EXPECT(parse(&seg, plain, n, 100) == FTCP_REASON_HEADER);
	memcpy(hdr, plain, 20);
	hdr[12] = 0x40;		/* shorter than a header */
	EXPECT(parse(&seg, hdr, 20, 20) == FTCP_REASON_HEADER);
	hdr[12] = 0x60;		/* longer than what is there */
	EXPECT(parse(&seg, hdr, 20, 20) == FTCP_REASON_HEADER);
}

TEST(segment_parse__flags)
{
	struct ftcp_segment seg;

	EXPECT(with_options(&seg, 0, "", 0) == FTCP_REASON_FLAGS);
	EXPECT(with_options(&seg, FTCP_SYN | FTCP_FIN, "", 0) == FTCP_REASON_FLAGS);
	EXPECT(with_options(&seg, FTCP_SYN | FTCP_RST, "", 0) == FTCP_REASON_FLAGS);
	EXPECT(with_options(&seg, FTCP_RST, "", 0) == FTCP_REASON_NONE);
}

TEST(segment_parse__syn_options)
{
	static const u8 options[] = { 2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 3, 3, 15 };
	struct ftcp_segment seg;

	EXPECT(with_options(&seg, FTCP_SYN, options, sizeof(options)) == FTCP_REASON_NONE);
	EXPECT(seg.opts == (FTCP_OPT_MSS | FTCP_OPT_SACK_OK | FTCP_OPT_TS | FTCP_OPT_WSCALE));
	EXPECT(seg.mss == 1460 && seg.tsval == 7 && seg.tsecr == 9);
	EXPECT(seg.wscale == 14);	/* RFC 7323, 2.3 */
	/* On any other segment only the timestamps count. */
	EXPECT(with_options(&seg, FTCP_ACK, options, sizeof(options)) == FTCP_REASON_NONE);
	EXPECT(seg.opts == FTCP_OPT_TS);
}

TEST(segment_parse__sack_blocks)
{
	/* the second is reversed */
	static const u8 options[] = { 1, 1, 5, 18, 0, 0, 0, 10, 0, 0, 0, 20, 0, 0, 0, 9, 0, 0, 0, 8 };
	struct ftcp_segment seg;

	EXPECT(with_options(&seg, FTCP_ACK, options, sizeof(options)) == FTCP_REASON_NONE);
	EXPECT(seg.n_sacks == 1 && seg.sacks[0].from.v == 10 && seg.sacks[0].to.v == 20);
}

TEST(segment_parse__odd_options)
{
	static const u8 mptcp[] = { 30, 4, 1, 1 }, md5[18] = { 19, 18 }, ao[] = { 29, 4, 0, 0 };
	static const u8 zero[] = { 3, 0, 0, 0 }, beyond[] = { 8, 10, 0, 0 }, wrong[] = { 2, 3, 0, 1 }, last[] = { 1, 1, 1, 2 };
	struct ftcp_segment seg;

	EXPECT(with_options(&seg, FTCP_SYN, mptcp, 4) == FTCP_REASON_NONE);
	EXPECT(with_options(&seg, FTCP_SYN, md5, 18) == FTCP_REASON_AUTH_OPTION);
	EXPECT(with_options(&seg, FTCP_SYN, ao, 4) == FTCP_REASON_AUTH_OPTION);
	EXPECT(with_options(&seg, FTCP_SYN, zero, 4) == FTCP_REASON_OPTION);
	EXPECT(with_options(&seg, FTCP_SYN, beyond, 4) == FTCP_REASON_OPTION);
	EXPECT(with_options(&seg, FTCP_SYN, wrong, 4) == FTCP_REASON_OPTION);
	EXPECT(with_options(&seg, FTCP_SYN, last, 4) == FTCP_REASON_OPTION);
}

TEST(segment_parse__random_bytes)
{
	struct ftcp_segment seg;
	u8 hdr[60];
	u32 i, n;

	for (n = 0; n < 100000; n++) {
		for (i = 0; i < sizeof(hdr); i++)
			hdr[i] = ktest_random(256);
		if (n & 1)
			hdr[12] |= 0x50;
		i = ktest_random(61);
		if (parse(&seg, hdr, i, i + ktest_random(1000)) == FTCP_REASON_NONE)
			EXPECT(seg.n_sacks <= FTCP_SACK_BLOCKS_MAX && seg.wscale <= 14);
	}
}

TEST(segment_write__round_trip)
{
	struct ftcp_segment out, in;
	u8 buf[60];
	u32 i, n;

	for (n = 0; n < 20000; n++) {
		memset(&out, 0, sizeof(out));
		out.flags = ktest_random(2) ? FTCP_SYN | FTCP_ACK : FTCP_ACK;
		out.opts = ktest_random(16);
		if (!(out.flags & FTCP_SYN))
			out.opts &= FTCP_OPT_TS;
		out.seq.v = ktest_random(0x7fffffff) * 2;
		out.wscale = ktest_random(15);
		out.mss = ktest_random(65536);
		out.tsval = ktest_random(0x7fffffff);
		out.n_sacks = out.flags & FTCP_SYN ? 0 : ktest_random(5);
		for (i = 0; i < out.n_sacks; i++)
			out.sacks[i] = (struct ftcp_sack_block){ { 0xfffffff0 + i }, { 0xfffffff0 + i + 100 } };
		EXPECT(ftcp_segment_write(&out, buf) == ftcp_segment_header_bytes(&out));
		EXPECT(parse(&in, buf, out.header_bytes, out.header_bytes) == FTCP_REASON_NONE);
		EXPECT(in.opts == out.opts && in.seq.v == out.seq.v && in.flags == out.flags);
		EXPECT(!(out.opts & FTCP_OPT_MSS) || in.mss == out.mss);
		EXPECT(!(out.opts & FTCP_OPT_WSCALE) || in.wscale == out.wscale);
		EXPECT(in.n_sacks == (out.opts & FTCP_OPT_TS && out.n_sacks > 3 ? 3 : out.n_sacks));
	}
}

TEST(segment_write__as_linux_does)
{
	static const u8 synack[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7 };
	static const u8 no_ts[] = { 2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7 };
	struct ftcp_segment seg = { .flags = FTCP_SYN | FTCP_ACK, .mss = 1460, .wscale = 7, .tsval = 1, .tsecr = 2,
		.opts = FTCP_OPT_MSS | FTCP_OPT_SACK_OK | FTCP_OPT_TS | FTCP_OPT_WSCALE };
	u8 buf[60];

	EXPECT(ftcp_segment_write(&seg, buf) == 40 && !memcmp(buf + 20, synack, sizeof(synack)));
	seg.opts &= ~FTCP_OPT_TS;
	EXPECT(ftcp_segment_write(&seg, buf) == 32 && !memcmp(buf + 20, no_ts, sizeof(no_ts)));
}
