/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Initial sequence numbers that are also SYN cookies (RFC 6528, RFC 4987 3.6).
 *
 * Every SYN-ACK's sequence number is made from the group's key, the connection's addresses, the client's own initial number and
 * the options it offered. So a host that has never heard of the half-open connection (SYN queue full, or a standby that has just
 * taken over) can verify the client's final ACK and build the connection from it. Layout, before masking:
 *
 *	31                              10  9 8   7 6 5   4 3 2 1   0
 *	+---------------------------------+------+------+---------+---+
 *	|  22 bits of hash over the rest  | time | mss  | wscale  |sack|
 *	+---------------------------------+------+------+---------+---+
 *
 * The low ten bits are XORed with a hash over addresses and the client's number, so that the whole looks random. `time` counts
 * in units of 2^16 ms of the group's timestamp clock, which goes on across takeovers; a cookie is good for the
 * unit it was made in and the next. wscale 15: not offered. Whether timestamps were agreed on, the ACK itself tells.
 */
#ifndef FTCP_COOKIE_H
#define FTCP_COOKIE_H

#include <linux/types.h>

/**
 * typedef ftcp_cookie_hash - a keyed hash over the connection's addresses and ports and (@a, @b)
 * @ctx: handed through
 */
typedef u64 (*ftcp_cookie_hash)(const void *ctx, u32 a, u32 b);

/** struct ftcp_cookie - what the client's SYN offered, as far as a cookie keeps it */
struct ftcp_cookie {
	u16 mss_bytes;		/* rounded down to the nearest of eight values when made */
	u8 wscale;		/* 0 .. 14 */
	bool wscale_ok;
	bool sack_ok;
};

/** ftcp_cookie_make() - the initial sequence number for a SYN with sequence number @irs; rounds @cookie->mss_bytes */
u32 ftcp_cookie_make(struct ftcp_cookie *cookie, u32 irs, u32 ts_ms, ftcp_cookie_hash hash, const void *ctx);

/** ftcp_cookie_open() - false if @iss was not made with this key for @irs within the last two time units */
bool ftcp_cookie_open(struct ftcp_cookie *cookie, u32 iss, u32 irs, u32 ts_ms, ftcp_cookie_hash hash, const void *ctx);

#endif
