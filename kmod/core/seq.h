/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sequence numbers and stream offsets (RFC 9293, 3.4).
 *
 * A sequence number lives on the wire only: 32 bits that wrap, wrapped in a struct so that `<` does not
 * compile. Inside, a position in a stream is a 64-bit offset that never wraps. Offset 0 is the first byte
 * after the SYN; the SYN itself is offset -1; a FIN takes the offset after the last byte.
 */
#ifndef FTCP_SEQ_H
#define FTCP_SEQ_H

#include <linux/types.h>

typedef struct { u32 v; } ftcp_seq;

static inline ftcp_seq ftcp_seq_make(u32 v)
{
	return (ftcp_seq){ v };
}

static inline ftcp_seq ftcp_seq_add(ftcp_seq seq, u32 n)
{
	return (ftcp_seq){ seq.v + n };
}

/** ftcp_seq_diff() - signed distance a - b, right while the two are less than 2^31 apart */
static inline s32 ftcp_seq_diff(ftcp_seq a, ftcp_seq b)
{
	return (s32)(a.v - b.v);
}

static inline bool ftcp_seq_eq(ftcp_seq a, ftcp_seq b)
{
	return a.v == b.v;
}

/** ftcp_seq_of() - the sequence number on the wire of stream offset @off, @isn being that of the SYN */
static inline ftcp_seq ftcp_seq_of(u32 isn, u64 off)
{
	return (ftcp_seq){ isn + 1 + (u32)off };
}

/**
 * ftcp_seq_off() - the stream offset nearest to @near that @seq stands for
 *
 * Negative for what lies before the first byte (the SYN is -1).
 */
static inline s64 ftcp_seq_off(u32 isn, ftcp_seq seq, u64 near)
{
	return (s64)near + ftcp_seq_diff(seq, ftcp_seq_of(isn, near));
}

#endif
