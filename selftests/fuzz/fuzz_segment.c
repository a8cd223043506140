// SPDX-License-Identifier: GPL-2.0
/*
 * Any header: parsed or refused; and what was parsed comes back from being written and parsed again. What belongs to no connection gets an
 * answer that can be parsed, and the cookie in it can be opened.
 */
#include "fuzz.h"
#include <ftcp/limits.h>
#include "cookie.h"
#include "segment.h"
#include "tcb.h"

static void same(const struct ftcp_segment *a, const struct ftcp_segment *b)
{
	u32 i;

	CHECK(a->src == b->src && a->dst == b->dst && a->wnd == b->wnd && a->flags == b->flags && a->opts == b->opts);
	CHECK(ftcp_seq_eq(a->seq, b->seq) && ftcp_seq_eq(a->ack, b->ack));
	if (a->opts & FTCP_OPT_MSS)
		CHECK(a->mss == b->mss);
	if (a->opts & FTCP_OPT_WSCALE)
		CHECK(a->wscale == b->wscale && a->wscale <= 14);
	if (a->opts & FTCP_OPT_TS)
		CHECK(a->tsval == b->tsval && a->tsecr == b->tsecr);
	/* There may be room for fewer. */
	CHECK(b->n_sacks <= a->n_sacks && b->n_sacks + (a->flags & FTCP_SYN ? 3 : 1) >= a->n_sacks);
	for (i = 0; i < b->n_sacks; i++)
		CHECK(ftcp_seq_eq(a->sacks[i].from, b->sacks[i].from) && ftcp_seq_eq(a->sacks[i].to, b->sacks[i].to));
}

static void readable(struct ftcp_segment *seg)
{
	u8 out[FTCP_TCP_HEADER_MAX_BYTES];
	u32 bytes = ftcp_segment_write(seg, out);
	struct ftcp_segment again;

	CHECK(bytes <= sizeof(out) && !ftcp_segment_parse(&again, out, bytes, bytes));
	same(seg, &again);
}

/* Not a good one, but the layout around it is what is looked at. */
static u64 hash(const void *ctx, u32 a, u32 b)
{
	return (a * 0x9e3779b97f4a7c15ull ^ b) * 0xff51afd7ed558ccdull;
}

static void answered(const struct ftcp_segment *syn)
{
	const struct ftcp_tcb_config config = { .rcv_buf_bytes = 1 << 20, .snd_buf_bytes = 1 << 20, .mss_bytes = 1460 };
	const u32 unit_ms = 1 << 16, now_ms = syn->tsval;
	const struct ftcp_env env = { .now_us = 1, .ts_ms = now_ms };
	struct ftcp_cookie cookie, opened;
	struct ftcp_segment out;
	u32 iss;

	ftcp_tcb_cookie(&cookie, syn, FTCP_MSS_DEFAULT_BYTES);
	iss = ftcp_cookie_make(&cookie, syn->seq.v, now_ms, hash, NULL);
	ftcp_synack_stateless(&out, &env, &config, syn, &cookie, iss);
	CHECK(out.ack.v == syn->seq.v + 1 && out.seq.v == iss && out.src == syn->dst && out.dst == syn->src);
	readable(&out);
	CHECK(ftcp_cookie_open(&opened, iss, syn->seq.v, now_ms, hash, NULL));
	CHECK(ftcp_cookie_open(&opened, iss, syn->seq.v, now_ms + unit_ms, hash, NULL));
	CHECK(opened.mss_bytes == cookie.mss_bytes && opened.sack_ok == cookie.sack_ok && opened.wscale_ok == cookie.wscale_ok &&
	      opened.wscale == cookie.wscale);
	CHECK(!ftcp_cookie_open(&opened, iss, syn->seq.v, now_ms + 2 * unit_ms, hash, NULL));
}

static void refused(const struct ftcp_segment *seg)
{
	struct ftcp_segment out;
	bool answer = ftcp_reset_stateless(&out, seg);

	CHECK(answer == !(seg->flags & FTCP_RST));
	if (!answer)
		return;
	readable(&out);
	CHECK(out.flags & FTCP_RST && !ftcp_reset_stateless(&out, &out));	/* no war of resets */
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 out[FTCP_TCP_HEADER_MAX_BYTES], *hdr = malloc(size + !size);
	u32 avail = min_t(size_t, size, FTCP_TCP_HEADER_MAX_BYTES), bytes;
	struct ftcp_segment seg, again;

	memcpy(hdr, data, size);	/* of exactly this size: whoever reads on is seen */
	if (size <= 65535 && !ftcp_segment_parse(&seg, hdr, avail, size)) {
		CHECK(seg.header_bytes >= 20 && seg.header_bytes <= size && seg.len == size - seg.header_bytes);
		CHECK(seg.n_sacks <= FTCP_SACK_BLOCKS_MAX);
		bytes = ftcp_segment_header_bytes(&seg);
		CHECK(ftcp_segment_write(&seg, out) == bytes && bytes >= 20 && bytes <= sizeof(out) && bytes % 4 == 0);
		CHECK(!ftcp_segment_parse(&again, out, bytes, bytes + seg.len));
		same(&seg, &again);
		if (seg.flags & FTCP_SYN)
			answered(&seg);
		refused(&seg);
	}
	free(hdr);
	return 0;
}
