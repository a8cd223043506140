// SPDX-License-Identifier: GPL-2.0
/* Initial sequence numbers that are cookies. */
#include <linux/kernel.h>
#include "cookie.h"

#define TIME_SHIFT	16	/* units of 65.5 s */
#define WSCALE_NONE	15

/* Among them what Ethernet, PPPoE, tunnels and IPv6 over them leave, and jumbo frames. */
static const u16 mss_table[8] = { 88, 536, 1220, 1360, 1400, 1440, 1460, 8960 };

static u32 info_of(struct ftcp_cookie *cookie, u32 unit)
{
	u32 mss = 7;

	while (mss && mss_table[mss] > cookie->mss_bytes)
		mss--;
	cookie->mss_bytes = mss_table[mss];
	return (unit & 3) << 8 | mss << 5 | (cookie->wscale_ok ? cookie->wscale : WSCALE_NONE) << 1 | cookie->sack_ok;
}

static u32 mask(u32 irs, ftcp_cookie_hash hash, const void *ctx)
{
	return hash(ctx, irs, 0) & 0x3ff;
}

/* The whole unit goes in, not only its two bits: a cookie must not come back to life. */
static u32 seal(u32 info, u32 irs, u32 unit, ftcp_cookie_hash hash, const void *ctx)
{
	return (u32)hash(ctx, irs, 1u << 31 | unit << 10 | info) << 10;
}

u32 ftcp_cookie_make(struct ftcp_cookie *cookie, u32 irs, u32 ts_ms, ftcp_cookie_hash hash, const void *ctx)
{
	u32 unit = ts_ms >> TIME_SHIFT, info = info_of(cookie, unit);

	return seal(info, irs, unit, hash, ctx) | (info ^ mask(irs, hash, ctx));
}

bool ftcp_cookie_open(struct ftcp_cookie *cookie, u32 iss, u32 irs, u32 ts_ms, ftcp_cookie_hash hash, const void *ctx)
{
	u32 info = (iss & 0x3ff) ^ mask(irs, hash, ctx), now = ts_ms >> TIME_SHIFT;
	u32 age = (now - (info >> 8)) & 3, wscale = info >> 1 & 15;

	if (age > 1 || (iss & ~0x3ffu) != seal(info, irs, (now - age) & 0xffff, hash, ctx))
		return false;
	cookie->mss_bytes = mss_table[info >> 5 & 7];
	cookie->wscale_ok = wscale != WSCALE_NONE;
	cookie->wscale = cookie->wscale_ok ? wscale : 0;
	cookie->sack_ok = info & 1;
	return true;
}
