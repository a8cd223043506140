/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink family "ftcp": what ftcp-syncd and ftcpctl say to the module. Described in full by
 * Documentation/netlink/ftcp.yaml; a test holds the two against each other.
 */
#ifndef _UAPI_LINUX_FTCP_H
#define _UAPI_LINUX_FTCP_H

#define FTCP_FAMILY_NAME	"ftcp"
#define FTCP_FAMILY_VERSION	1
#define FTCP_MCGRP_EVENTS	"events"

/* The group that insmod's port= puts its service into. */
#define FTCP_GROUP_DEFAULT	"default"

enum ftcp_cmd {
	FTCP_CMD_UNSPEC,
	FTCP_CMD_GROUP_NEW,	/* GROUP_NAME */
	FTCP_CMD_GROUP_DEL,	/* GROUP_NAME; refused while it has services */
	FTCP_CMD_GROUP_GET,	/* do: GROUP_NAME, dump: all; replies carry the FTCP_A_GROUP_* attributes */
	FTCP_CMD_SERVICE_ADD,	/* GROUP_NAME, SERVICE_PORT, [SERVICE_ADDR4 | SERVICE_ADDR6], [SERVICE_BACKEND], ... */
	FTCP_CMD_SERVICE_DEL,	/* GROUP_NAME, SERVICE_PORT, [SERVICE_ADDR*]; its connections are aborted */
	FTCP_CMD_SERVICE_GET,	/* dump, [GROUP_NAME] */
	FTCP_CMD_CONN_GET,	/* dump, [GROUP_NAME] */
	FTCP_CMD_CONN_KILL,	/* CONN_LADDR*, CONN_LPORT, CONN_RADDR*, CONN_RPORT; reset towards the client; not on a standby */
	FTCP_CMD_STATS_GET,	/* do: one reply with nested STATS_ENTRYs */
	FTCP_CMD_PROMOTE,	/* GROUP_NAME, [EPOCH], [FORCE | FRESH]; standby -> detached (speaks alone until a standby attaches) */
	FTCP_CMD_DEMOTE,	/* GROUP_NAME, [EPOCH]; -> standby, silent at once */
	FTCP_CMD_DETACH,	/* GROUP_NAME; primary -> detached: the commit gate opens, unprotected */
	FTCP_CMD_KICK,		/* GROUP_NAME; the address has moved here: speak first on every connection */
	FTCP_CMD_SYNC_ATTACH,	/* GROUP_NAME, PEER_SYNC_ID, PEER_BATCH_NO, [CHANNEL_FD]; from now on batches go by that channel, or as SYNC_BATCHes to the sender's socket */
	FTCP_CMD_SYNC_DETACH,	/* GROUP_NAME; no more batches for, or from, this socket; role unchanged */
	FTCP_CMD_SYNC_BATCH,	/* kernel to attached socket: GROUP_NAME, SYNC_ID, BATCH_NO, BATCH */
	FTCP_CMD_SYNC_APPLY,	/* GROUP_NAME, BATCH; on the standby; the netlink acknowledgement says it is held */
	FTCP_CMD_SYNC_ACK,	/* GROUP_NAME, SYNC_ID, BATCH_NO; on the primary: the standby holds up to there */
	FTCP_CMD_EVENT,		/* multicast: EVENT, GROUP_* attributes as in GROUP_GET */
	FTCP_CMD_SYNC_FOLLOW,	/* GROUP_NAME, CHANNEL_FD; on the standby: apply what comes by that channel, until the sender's socket is closed */
	FTCP_CMD_SYNC_REFUSED,	/* kernel to following socket: GROUP_NAME, SYNC_ID, BATCH_NO, REASON; the channel is closed */
	FTCP_CMD_SYNC_OUTDATE,	/* GROUP_NAME, SYNC_ID; on the standby: what is held of that resync is old, its sync state NONE from now on */

	__FTCP_CMD_MAX,
	FTCP_CMD_MAX = __FTCP_CMD_MAX - 1
};

enum ftcp_role {
	FTCP_ROLE_STANDBY,	/* silent; holds what the primary ships */
	FTCP_ROLE_PRIMARY,	/* speaks, under the commit rule */
	FTCP_ROLE_DETACHED,	/* speaks alone, unprotected */
	__FTCP_ROLE_MAX
};

/* How a group stands with its other host. */
enum ftcp_sync_state {
	FTCP_SYNC_NONE,		/* primary: no daemon attached. standby: nothing received, must not be promoted */
	FTCP_SYNC_RUNNING,	/* primary, standby: a full resync is on its way */
	FTCP_SYNC_DONE,		/* primary: every connection is held by the standby. standby: may be promoted */
	__FTCP_SYNC_MAX
};

/* What a connection of a service may rely on when its host dies. */
enum ftcp_protection {
	FTCP_PROTECTION_SYNC,	/* nothing leaves before the standby holds what it depends on: it goes on, byte for byte */
	FTCP_PROTECTION_ASYNC,	/* shipped, but nothing waits for it: it goes on if nothing was lost, and is reset if something was */
	FTCP_PROTECTION_NONE,	/* it dies with its host */
	__FTCP_PROTECTION_MAX
};

enum ftcp_event_type {
	FTCP_EVENT_UNSPEC,
	FTCP_EVENT_ROLE,	/* role or epoch changed */
	FTCP_EVENT_SYNC,	/* sync state changed */
	FTCP_EVENT_OVERRUN,	/* a batch could not be delivered to the daemon; it must attach again */
	FTCP_EVENT_GROUP_NEW,
	FTCP_EVENT_GROUP_DEL,
	FTCP_EVENT_CONN_NEW,	/* carries CONN_* too */
	FTCP_EVENT_CONN_GONE,	/* carries CONN_* too */
};

/* FTCP_A_CONN_OPTIONS, a bit set: what both sides have agreed on. */
#define FTCP_CONN_OPTION_TS	1
#define FTCP_CONN_OPTION_SACK	2
#define FTCP_CONN_OPTION_WSCALE	4
#define FTCP_CONN_OPTION_ECN	8
#define FTCP_CONN_OPTION_ASYNC	16	/* of ours alone: FTCP_PROTECTION_ASYNC */

/*
 * One attribute space. u64 attributes are padded with FTCP_A_PAD. Ports are u16 in host order, IPv4 addresses
 * be32, IPv6 addresses 16 bytes. Offsets count bytes of a stream from its beginning, a FIN as one.
 */
enum ftcp_attr {
	FTCP_A_UNSPEC,
	FTCP_A_PAD,

	FTCP_A_GROUP_NAME,	/* string, 1..31 of [A-Za-z0-9_.-] */
	FTCP_A_ROLE,		/* u32, enum ftcp_role */
	FTCP_A_EPOCH,		/* u64 */
	FTCP_A_SYNC_STATE,	/* u32, enum ftcp_sync_state */
	FTCP_A_SYNC_ID,		/* u64, 0: none */
	FTCP_A_BATCH_NO,	/* u64: SYNC_ACK: held up to; GROUP_GET: primary last committed, standby last applied */
	FTCP_A_BATCH_SENT,	/* u64: primary: last batch made */
	FTCP_A_ATTACHED,	/* u8: a daemon is attached to the group; standby: one has handed over a channel */
	FTCP_A_LAG_BYTES,	/* u64: primary: bytes shipped or waiting, not yet committed */
	FTCP_A_LAG_MS,		/* u32: primary: age of the oldest uncommitted batch; standby: of the last one applied; 0: none */
	FTCP_A_ROLE_MS,		/* u64: for how long in this role */
	FTCP_A_SYNC_MS,		/* u64: for how long in this sync state */
	FTCP_A_CONNS,		/* u32: connections of the group */
	FTCP_A_UNSYNCED,	/* u32: connections the resync has still to ship */
	FTCP_A_FORCE,		/* flag */
	FTCP_A_PEER_SYNC_ID,	/* u64: what the standby last applied, 0: nothing */
	FTCP_A_PEER_BATCH_NO,	/* u64 */
	FTCP_A_BATCH,		/* binary: include/ftcp/batch.h */

	FTCP_A_SERVICE_PORT,	/* u16, 1..65535 */
	FTCP_A_SERVICE_ADDR4,	/* be32; neither: any local address, both families */
	FTCP_A_SERVICE_ADDR6,	/* 16 bytes */
	FTCP_A_SERVICE_BACKEND,	/* string: "echo" (default), "discard", "chargen", "socket" */
	FTCP_A_SERVICE_RCV_BUF,	/* u32, bytes, 4096..FTCP_RCV_BUF_BYTES */
	FTCP_A_SERVICE_SND_BUF,	/* u32, bytes, 4096..FTCP_SND_BUF_BYTES */
	FTCP_A_SERVICE_USER_TIMEOUT_MS,	/* u32 */
	FTCP_A_SERVICE_KEEPALIVE_MS,	/* u32, 0: off */
	FTCP_A_SERVICE_CONGESTION,	/* string: "cubic" (default), "reno" */
	FTCP_A_SERVICE_NAGLE,	/* u8, 0 (default) or 1 */
	FTCP_A_SERVICE_MAX_CONNS,	/* u32, 0: as many as the network namespace may have */

	FTCP_A_CONN_LADDR4,	/* be32 */
	FTCP_A_CONN_LADDR6,
	FTCP_A_CONN_RADDR4,
	FTCP_A_CONN_RADDR6,
	FTCP_A_CONN_LPORT,	/* u16 */
	FTCP_A_CONN_RPORT,
	FTCP_A_CONN_STATE,	/* u8: TCP_ESTABLISHED = 1, ... as in the kernel */
	FTCP_A_CONN_AGE_MS,	/* u64 */
	FTCP_A_CONN_CONSUMED,	/* u64 */
	FTCP_A_CONN_RCV_NXT,
	FTCP_A_CONN_RCV_COMMITTED,
	FTCP_A_CONN_RCV_EDGE,
	FTCP_A_CONN_SND_UNA,
	FTCP_A_CONN_SND_NXT,
	FTCP_A_CONN_SND_COMMITTED,
	FTCP_A_CONN_SND_END,
	FTCP_A_CONN_SND_WND,	/* u32 */
	FTCP_A_CONN_CWND,	/* u32, bytes */
	FTCP_A_CONN_SSTHRESH,	/* u32, bytes */
	FTCP_A_CONN_SRTT_US,	/* u32 */
	FTCP_A_CONN_RTO_US,	/* u32 */
	FTCP_A_CONN_MSS,	/* u32 */
	FTCP_A_CONN_REXMITS,	/* u32: segments retransmitted in all */
	FTCP_A_CONN_RTTVAR_US,	/* u32: variation of the round-trip time (RFC 6298) */
	FTCP_A_CONN_RTT_MIN_US,	/* u32: smallest round-trip time seen; 0 for none */
	FTCP_A_CONN_PMTU,	/* u32: largest packet that the path takes, in bytes, with the IP header */
	FTCP_A_CONN_MSS_NOW,	/* u32: payload of a full segment now: path MTU and options taken into account */
	FTCP_A_CONN_SND_TOP,	/* u64: offset up to which was ever sent */
	FTCP_A_CONN_RCV_SHIPPED,	/* u64: offset up to which input was shipped to the standby */
	FTCP_A_CONN_SND_SHIPPED,	/* u64: offset up to which output was shipped to the standby */
	FTCP_A_CONN_RCV_ACKED,	/* u64: offset up to which was acknowledged on the wire */
	FTCP_A_CONN_SACKED_BYTES,	/* u32: bytes beyond SND_UNA that the client has */
	FTCP_A_CONN_LOST_BYTES,	/* u32: bytes that are held to be lost */
	FTCP_A_CONN_OOO_BYTES,	/* u32: bytes received out of order */
	FTCP_A_CONN_REXMITS_NOW,	/* u32: expiries of the retransmission timer in a row */
	FTCP_A_CONN_REXMIT_BYTES,	/* u64: bytes retransmitted in all */
	FTCP_A_CONN_SEGS_IN,	/* u32: segments received by this host; what GRO merged counts once */
	FTCP_A_CONN_SEGS_OUT,	/* u32: segments handed to IP by this host; a GSO segment counts once */
	FTCP_A_CONN_LAST_SND_MS,	/* u32: since anything was sent */
	FTCP_A_CONN_LAST_RCV_MS,	/* u32: since anything was heard */
	FTCP_A_CONN_LAST_ACK_MS,	/* u32: since the client has acknowledged something new */
	FTCP_A_CONN_RCV_SPACE,	/* u32: the receive buffer in bytes */
	FTCP_A_CONN_SND_SPACE,	/* u32: the send buffer in bytes */
	FTCP_A_CONN_RCV_HELD,	/* u32: bytes held of what was received */
	FTCP_A_CONN_SND_HELD,	/* u32: bytes held of what was or is to be sent */
	FTCP_A_CONN_RCV_WSCALE,	/* u8 */
	FTCP_A_CONN_SND_WSCALE,	/* u8 */
	FTCP_A_CONN_OPTIONS,	/* u32: what was agreed on, FTCP_CONN_OPTION_* */
	FTCP_A_CONN_RECOVERY,	/* u8: 0 for none, 1 for fast recovery, 2 after a timeout */
	FTCP_A_CONN_TIMER_REXMIT_MS,	/* u32: until the retransmission timer expires; each timer only while it runs */
	FTCP_A_CONN_TIMER_PERSIST_MS,	/* u32 */
	FTCP_A_CONN_TIMER_KEEPALIVE_MS,	/* u32 */
	FTCP_A_CONN_TIMER_CLOSE_MS,	/* u32: TIME-WAIT */
	FTCP_A_CONN_TIMER_DELAYED_MS,	/* u32: a delayed ACK */
	FTCP_A_CONN_TIMER_TAIL_MS,	/* u32: a tail loss probe (RFC 8985) */
	FTCP_A_CONN_TIMER_REORDER_MS,	/* u32: RACK's reordering timer (RFC 8985) */

	FTCP_A_STATS_ENTRY,	/* nest of STATS_NAME and STATS_VALUE, one for each counter */
	FTCP_A_STATS_NAME,	/* string, e.g. "drop_paws" */
	FTCP_A_STATS_VALUE,	/* u64 */

	FTCP_A_EVENT,		/* u32, enum ftcp_event_type */

	FTCP_A_SERVICE_RECOVER_MS,	/* u32: how long a connection of "socket" waits for its program after a takeover */
	FTCP_A_SERVICE_BY_LISTEN,	/* u8, 1: made by a program's listen(); goes with it */
	FTCP_A_CONN_PROGRAM,	/* string: the program that accepted it, and its process id: "nginx[712]" */
	FTCP_A_SERVICE_PROTECTION,	/* u8, enum ftcp_protection; SYNC if not given */
	FTCP_A_CHANNEL_FD,	/* u32: the sender's descriptor of a TCP connection to the other host, see include/ftcp/frame.h */
	FTCP_A_REASON,		/* string: the words with which a batch was refused */
	FTCP_A_FRESH,		/* flag: PROMOTE: no host is in sync; what is held here, and is not in sync, is forgotten without a word */

	__FTCP_A_MAX,
	FTCP_A_MAX = __FTCP_A_MAX - 1
};

#endif
