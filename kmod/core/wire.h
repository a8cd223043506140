/* SPDX-License-Identifier: GPL-2.0 */
/* Big-endian numbers at any address. */
#ifndef FTCP_WIRE_H
#define FTCP_WIRE_H

#include <linux/types.h>

static inline u16 ftcp_get16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static inline u32 ftcp_get32(const u8 *p)
{
	return (u32)ftcp_get16(p) << 16 | ftcp_get16(p + 2);
}

static inline u64 ftcp_get64(const u8 *p)
{
	return (u64)ftcp_get32(p) << 32 | ftcp_get32(p + 4);
}

static inline void ftcp_put16(u8 *p, u16 v)
{
	p[0] = v >> 8;
	p[1] = v & 0xff;
}

static inline void ftcp_put32(u8 *p, u32 v)
{
	ftcp_put16(p, v >> 16);
	ftcp_put16(p + 2, v & 0xffff);
}

static inline void ftcp_put64(u8 *p, u64 v)
{
	ftcp_put32(p, v >> 32);
	ftcp_put32(p + 4, v & 0xffffffff);
}

#endif
