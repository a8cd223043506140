/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a segment was dropped: one list for the counters, the netlink statistics and the texts that people read.
 * Order is ABI (counters are numbered by it): only append.
 */
#ifndef FTCP_REASON_H
#define FTCP_REASON_H

#define FTCP_REASONS(X) \
	X(NONE,		"none",			"not dropped") \
	X(STANDBY,	"standby",		"this host is standby for the group: silent by design") \
	X(HEADER,	"header",		"truncated or malformed TCP header") \
	X(OPTION,	"option",		"malformed TCP option") \
	X(CHECKSUM,	"checksum",		"wrong TCP checksum") \
	X(AUTH_OPTION,	"auth-option",		"TCP-MD5 or TCP-AO, not supported") \
	X(FLAGS,	"flags",		"impossible combination of flags") \
	X(NO_CONN,	"no-conn",		"no such connection; answered with a reset") \
	X(RESET_NO_CONN, "reset-no-conn",	"a reset for no connection of ours") \
	X(NOT_SYN,	"not-syn",		"no acceptable cookie") \
	X(CONN_LIMIT,	"conn-limit",		"too many connections of the service, or of the network namespace") \
	X(NO_MEMORY,	"no-memory",		"allocation failed") \
	X(PAWS,		"paws",			"timestamp older than the last (RFC 7323, 5)") \
	X(NO_TIMESTAMP,	"no-timestamp",		"timestamps were agreed on, this segment has none (RFC 7323, 3.2)") \
	X(OLD_DATA,	"old-data",		"nothing new in the segment") \
	X(OUT_OF_WINDOW, "out-of-window",	"sequence number outside the receive window (RFC 9293, 3.10.7.4)") \
	X(OOO_LIMIT,	"ooo-limit",		"too many islands of out-of-order data") \
	X(RST_CHALLENGE, "rst-challenge",	"a reset not exactly at RCV.NXT (RFC 5961, 3.2)") \
	X(SYN_CHALLENGE, "syn-challenge",	"a SYN in a synchronized state (RFC 5961, 4.2)") \
	X(ACK_OLD,	"ack-old",		"acknowledgement below SND.UNA - MAX.SND.WND (RFC 5961, 5.2)") \
	X(ACK_FUTURE,	"ack-future",		"acknowledges what was never sent (RFC 9293, 3.10.7.4)") \
	X(NO_ACK,	"no-ack",		"a segment without ACK") \
	X(AFTER_CLOSE,	"after-close",		"data after the connection was closed or aborted") \
	X(FIREWALL,	"firewall",		"the INPUT firewall dropped it") \
	X(NOT_OURS,	"not-ours",		"broadcast, multicast or martian") \
	X(RESET,	"reset",		"a valid reset: connection aborted by the peer") \
	X(MEMORY_LIMIT,	"memory-limit",		"max_memory is used up, or its share of one connection") \
	X(NO_LISTENER,	"no-listener",		"no program listens; answered with a reset") \
	X(BACKLOG,	"backlog",		"the program has not accepted what is waiting already") \
	X(BEHIND,	"behind",		"async: the client has more than this host took over; connection aborted")

enum ftcp_reason {
#define FTCP_REASON_ENUM(name, text, help) FTCP_REASON_##name,
	FTCP_REASONS(FTCP_REASON_ENUM)
#undef FTCP_REASON_ENUM
	FTCP_REASON_MAX
};

#endif
