/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The batch: what one kernel ships to the other through the two daemons, which carry it unread.
 *
 *	header, then header.records records; each record is a fixed part, then rcv_len bytes, then snd_len bytes
 *
 * All numbers are big-endian, nothing is aligned. Version 1.
 */
#ifndef FTCP_BATCH_H
#define FTCP_BATCH_H

#include <linux/types.h>

#define FTCP_BATCH_MAGIC	0x66744342u	/* "ftCB" */
#define FTCP_BATCH_VERSION	1

enum ftcp_batch_flag {
	FTCP_BATCH_RESET	= 0x01,	/* first of a full resync: forget all connections of the group */
	FTCP_BATCH_SYNCED	= 0x02,	/* with this batch the standby holds everything: it may be promoted */
};

/* 80 bytes */
struct ftcp_batch_header {
	__be32 magic;
	__be16 version;
	__be16 flags;
	__be64 epoch;
	__be64 sync_id;		/* one full resync and all that follows it; random, never 0 */
	__be64 no;		/* 1, 2, ... within a sync_id */
	__be32 ts_ms;		/* the group's timestamp clock when the batch was made */
	__be32 records;
	__be32 bytes;		/* of the whole batch */
	__be32 pad;
	__u8 key[16];		/* SipHash key of the group, for cookies and timestamp offsets */
	__u8 reserved[16];	/* 0 */
} __attribute__((packed));

enum ftcp_record_type {
	FTCP_RECORD_CONN = 1,
	FTCP_RECORD_PARTIAL = 2,	/* as CONN, but see struct ftcp_record */
	FTCP_RECORD_GONE = 3,		/* the connection is no more; only addresses, iss and irs count */
};

/* Who made the service that a connection belongs to: an operator, who has to make it on both hosts, or a program, by listening on ... */
enum ftcp_record_service {
	FTCP_RECORD_CONFIGURED,
	FTCP_RECORD_LISTEN_ADDR,	/* the connection's own local address */
	FTCP_RECORD_LISTEN_ANY4,	/* 0.0.0.0 */
	FTCP_RECORD_LISTEN_ANY6,	/* ::, for IPv6 alone */
	FTCP_RECORD_LISTEN_ANY,		/* ::, for IPv4, too */
	FTCP_RECORD_LISTEN_LAST = FTCP_RECORD_LISTEN_ANY,
};

/* 136 bytes */
struct ftcp_batch_record {
	__u8 type;		/* enum ftcp_record_type */
	__u8 state;
	__u8 flags;		/* enum ftcp_hard_flag */
	__u8 wscales;		/* snd << 4 | rcv */
	__u8 laddr[16];		/* IPv4 as ::ffff:a.b.c.d */
	__u8 raddr[16];
	__be16 lport;
	__be16 rport;
	__be32 iss;
	__be32 irs;
	__be64 consumed;
	__be64 rcv_nxt;
	__be64 rcv_edge;
	__be64 snd_una;
	__be64 snd_end;
	__be32 snd_wnd;
	__be32 ts_recent;
	__be32 ts_off;
	__be32 rcv_buf_bytes;
	__be32 snd_buf_bytes;
	__be16 mss_bytes;
	__u8 service;		/* enum ftcp_record_service */
	__u8 pad;
	__be64 rcv_from;
	__be64 snd_from;
	__be32 rcv_len;
	__be32 snd_len;
} __attribute__((packed));

#endif
