/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Segments in both directions (RFC 9293, 3.1 and 3.2): parsed once, with every length check here and nowhere
 * else, into a plain struct; and written from one.
 */
#ifndef FTCP_SEGMENT_H
#define FTCP_SEGMENT_H

#include <linux/types.h>
#include "reason.h"
#include "seq.h"

enum ftcp_tcp_flag {
	FTCP_FIN = 0x01,
	FTCP_SYN = 0x02,
	FTCP_RST = 0x04,
	FTCP_PSH = 0x08,
	FTCP_ACK = 0x10,
	FTCP_URG = 0x20,
	FTCP_ECE = 0x40,
	FTCP_CWR = 0x80,
};

enum ftcp_tcp_option {
	FTCP_OPT_MSS	= 0x01,
	FTCP_OPT_WSCALE	= 0x02,
	FTCP_OPT_SACK_OK = 0x04,
	FTCP_OPT_TS	= 0x08,
};

/* RFC 3168, 5: the codepoints */
enum ftcp_ecn {
	FTCP_ECN_NOT_ECT = 0,
	FTCP_ECN_ECT1 = 1,
	FTCP_ECN_ECT0 = 2,
	FTCP_ECN_CE = 3,
};

#define FTCP_SACK_BLOCKS_MAX 4

struct ftcp_sack_block {
	ftcp_seq from;
	ftcp_seq to;
};

/**
 * struct ftcp_segment - one segment, received or to be sent
 * @src, @dst: ports, host order
 * @wnd: as on the wire, not scaled
 * @flags: enum ftcp_tcp_flag
 * @opts: enum ftcp_tcp_option: which of the option fields below mean something
 * @header_bytes: length of the TCP header with options
 * @len: payload, in bytes; up to 64 KiB (GRO), not counting SYN and FIN
 * @off: sending only: stream offset of the first byte of payload
 * @mss: SYN only: the MSS option
 * @gso_bytes: payload of one packet on the wire; @len may be many times that. Received: 0, or as the peer cut it
 * @ecn: enum ftcp_ecn, of the IP header
 */
struct ftcp_segment {
	u16 src;
	u16 dst;
	ftcp_seq seq;
	ftcp_seq ack;
	u16 wnd;
	u16 urg;
	u8 flags;
	u8 opts;
	u8 header_bytes;
	u8 wscale;
	u8 ecn;
	u16 mss;
	u16 gso_bytes;
	u32 tsval;
	u32 tsecr;
	u32 len;
	u64 off;
	u32 n_sacks;
	struct ftcp_sack_block sacks[FTCP_SACK_BLOCKS_MAX];	/* last: what is behind n_sacks means nothing, and is not cleared */
};

/**
 * ftcp_segment_parse() - parse a TCP header with its options
 * @seg: filled in
 * @hdr: at least @avail bytes, linear; need not be aligned
 * @avail: how many bytes of the header may be read; pass min(60, @total)
 * @total: length of the TCP segment, header and payload
 *
 * Refuses (reason other than NONE): HEADER, OPTION, AUTH_OPTION, FLAGS (SYN with FIN or RST, no flag at all).
 * Unknown options, MP_CAPABLE among them, are skipped. A malformed length ends with OPTION.
 * MSS, WSCALE (above 14: 14, RFC 7323, 2.3) and SACK_OK count on SYN only. SACK blocks that are empty or reversed are skipped.
 */
enum ftcp_reason ftcp_segment_parse(struct ftcp_segment *seg, const u8 *hdr, u32 avail, u32 total);

/**
 * ftcp_segment_write() - write the TCP header of @seg with its options, checksum zero
 * @buf: room for FTCP_TCP_HEADER_MAX_BYTES
 *
 * Options in the order, and with the padding, that Linux uses (so that header prediction works at the peer). SACK blocks are
 * cut to what fits (3 with timestamps). Sets @seg->header_bytes and returns it.
 */
u32 ftcp_segment_write(struct ftcp_segment *seg, u8 *buf);

/** ftcp_segment_header_bytes() - what ftcp_segment_write() would return */
u32 ftcp_segment_header_bytes(const struct ftcp_segment *seg);

/** ftcp_segment_span() - SEG.LEN of RFC 9293: payload, SYN and FIN counted */
static inline u32 ftcp_segment_span(const struct ftcp_segment *seg)
{
	return seg->len + !!(seg->flags & FTCP_SYN) + !!(seg->flags & FTCP_FIN);
}

#endif
