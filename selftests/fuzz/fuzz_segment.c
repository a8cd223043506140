// SPDX-License-Identifier: GPL-2.0
/* Any header: parsed or refused; and what was parsed comes back from being written and parsed again. */
#include "fuzz.h"
#include <ftcp/limits.h>
#include "segment.h"

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
	}
	free(hdr);
	return 0;
}
