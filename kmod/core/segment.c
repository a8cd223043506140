// SPDX-License-Identifier: GPL-2.0
/* TCP headers (RFC 9293, 3.1 and 3.2; RFC 7323, 2.2 and 3.2; RFC 2018, 3). */
#include <linux/kernel.h>
#include <linux/string.h>
#include <ftcp/limits.h>
#include "segment.h"
#include "wire.h"

enum option_kind {
	KIND_END = 0,
	KIND_NOP = 1,
	KIND_MSS = 2,
	KIND_WSCALE = 3,
	KIND_SACK_OK = 4,
	KIND_SACK = 5,
	KIND_TS = 8,
	KIND_MD5 = 19,
	KIND_AO = 29,
};

#define HEADER_BYTES	20
#define WSCALE_MAX	14	/* RFC 7323, 2.3 */

static void parse_sacks(struct ftcp_segment *seg, const u8 *p, u32 len)
{
	for (; len >= 8 && seg->n_sacks < FTCP_SACK_BLOCKS_MAX; p += 8, len -= 8) {
		ftcp_seq from = ftcp_seq_make(ftcp_get32(p)), to = ftcp_seq_make(ftcp_get32(p + 4));

		if (ftcp_seq_diff(to, from) <= 0)
			continue;
		seg->sacks[seg->n_sacks].from = from;
		seg->sacks[seg->n_sacks].to = to;
		seg->n_sacks++;
	}
}

/* One option of known length: @p behind kind and length, @len without them. A wrong length for its kind is malformed. */
static enum ftcp_reason parse_option(struct ftcp_segment *seg, u8 kind, const u8 *p, u32 len)
{
	bool syn = seg->flags & FTCP_SYN;

	switch (kind) {
	case KIND_MSS:
		if (len != 2)
			return FTCP_REASON_OPTION;
		if (syn) {
			seg->opts |= FTCP_OPT_MSS;
			seg->mss = ftcp_get16(p);
		}
		break;
	case KIND_WSCALE:
		if (len != 1)
			return FTCP_REASON_OPTION;
		if (syn) {
			seg->opts |= FTCP_OPT_WSCALE;
			seg->wscale = min_t(u8, p[0], WSCALE_MAX);
		}
		break;
	case KIND_SACK_OK:
		if (len)
			return FTCP_REASON_OPTION;
		if (syn)
			seg->opts |= FTCP_OPT_SACK_OK;
		break;
	case KIND_SACK:
		if (!len || len % 8)
			return FTCP_REASON_OPTION;
		parse_sacks(seg, p, len);
		break;
	case KIND_TS:
		if (len != 8)
			return FTCP_REASON_OPTION;
		seg->opts |= FTCP_OPT_TS;
		seg->tsval = ftcp_get32(p);
		seg->tsecr = ftcp_get32(p + 4);
		break;
	case KIND_MD5:
	case KIND_AO:
		return FTCP_REASON_AUTH_OPTION;
	}
	return FTCP_REASON_NONE;
}

static enum ftcp_reason parse_options(struct ftcp_segment *seg, const u8 *p, u32 left)
{
	enum ftcp_reason reason;
	u8 kind, len;

	while (left) {
		kind = *p;
		if (kind == KIND_END)
			break;
		if (kind == KIND_NOP) {
			p++;
			left--;
			continue;
		}
		if (left < 2)
			return FTCP_REASON_OPTION;
		len = p[1];
		if (len < 2 || len > left)
			return FTCP_REASON_OPTION;
		reason = parse_option(seg, kind, p + 2, len - 2);
		if (reason)
			return reason;
		p += len;
		left -= len;
	}
	return FTCP_REASON_NONE;
}

enum ftcp_reason ftcp_segment_parse(struct ftcp_segment *seg, const u8 *hdr, u32 avail, u32 total)
{
	memset(seg, 0, offsetof(struct ftcp_segment, sacks));
	if (avail < HEADER_BYTES)
		return FTCP_REASON_HEADER;
	seg->header_bytes = (hdr[12] >> 4) * 4;
	if (seg->header_bytes < HEADER_BYTES || seg->header_bytes > avail || seg->header_bytes > total)
		return FTCP_REASON_HEADER;
	seg->src = ftcp_get16(hdr);
	seg->dst = ftcp_get16(hdr + 2);
	seg->seq = ftcp_seq_make(ftcp_get32(hdr + 4));
	seg->ack = ftcp_seq_make(ftcp_get32(hdr + 8));
	seg->flags = hdr[13];
	seg->wnd = ftcp_get16(hdr + 14);
	seg->urg = ftcp_get16(hdr + 18);
	seg->len = total - seg->header_bytes;
	if ((seg->flags & FTCP_SYN) && (seg->flags & (FTCP_FIN | FTCP_RST)))
		return FTCP_REASON_FLAGS;
	if (!(seg->flags & (FTCP_SYN | FTCP_FIN | FTCP_RST | FTCP_ACK)))
		return FTCP_REASON_FLAGS;
	return parse_options(seg, hdr + HEADER_BYTES, seg->header_bytes - HEADER_BYTES);
}

/* The header without SACK blocks. */
static u32 plain_bytes(const struct ftcp_segment *seg)
{
	u32 bytes = HEADER_BYTES;

	if (seg->opts & FTCP_OPT_MSS)
		bytes += 4;
	if (seg->opts & FTCP_OPT_TS)
		bytes += 12;
	else if (seg->opts & FTCP_OPT_SACK_OK)
		bytes += 4;
	if (seg->opts & FTCP_OPT_WSCALE)
		bytes += 4;
	return bytes;
}

static u32 sacks_that_fit(const struct ftcp_segment *seg)
{
	return min_t(u32, seg->n_sacks, (FTCP_TCP_HEADER_MAX_BYTES - plain_bytes(seg) - 4) / 8);
}

u32 ftcp_segment_header_bytes(const struct ftcp_segment *seg)
{
	u32 sacks = sacks_that_fit(seg);

	return plain_bytes(seg) + (sacks ? 4 + 8 * sacks : 0);
}

/* The order and the padding are Linux's. */
static void write_options(const struct ftcp_segment *seg, u8 *p)
{
	u32 i, sacks = sacks_that_fit(seg);

	if (seg->opts & FTCP_OPT_MSS) {
		ftcp_put32(p, KIND_MSS << 24 | 4 << 16 | seg->mss);
		p += 4;
	}
	if (seg->opts & FTCP_OPT_TS) {
		if (seg->opts & FTCP_OPT_SACK_OK)
			ftcp_put32(p, KIND_SACK_OK << 24 | 2 << 16 | KIND_TS << 8 | 10);
		else
			ftcp_put32(p, KIND_NOP << 24 | KIND_NOP << 16 | KIND_TS << 8 | 10);
		ftcp_put32(p + 4, seg->tsval);
		ftcp_put32(p + 8, seg->tsecr);
		p += 12;
	} else if (seg->opts & FTCP_OPT_SACK_OK) {
		ftcp_put32(p, KIND_NOP << 24 | KIND_NOP << 16 | KIND_SACK_OK << 8 | 2);
		p += 4;
	}
	if (seg->opts & FTCP_OPT_WSCALE) {
		ftcp_put32(p, KIND_NOP << 24 | KIND_WSCALE << 16 | 3 << 8 | seg->wscale);
		p += 4;
	}
	if (sacks) {
		ftcp_put32(p, KIND_NOP << 24 | KIND_NOP << 16 | KIND_SACK << 8 | (2 + 8 * sacks));
		p += 4;
	}
	for (i = 0; i < sacks; i++, p += 8) {
		ftcp_put32(p, seg->sacks[i].from.v);
		ftcp_put32(p + 4, seg->sacks[i].to.v);
	}
}

u32 ftcp_segment_write(struct ftcp_segment *seg, u8 *buf)
{
	seg->header_bytes = ftcp_segment_header_bytes(seg);
	ftcp_put16(buf, seg->src);
	ftcp_put16(buf + 2, seg->dst);
	ftcp_put32(buf + 4, seg->seq.v);
	ftcp_put32(buf + 8, seg->ack.v);
	buf[12] = seg->header_bytes / 4 << 4;
	buf[13] = seg->flags;
	ftcp_put16(buf + 14, seg->wnd);
	ftcp_put16(buf + 16, 0);
	ftcp_put16(buf + 18, seg->urg);
	write_options(seg, buf + HEADER_BYTES);
	return seg->header_bytes;
}
