/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, all in the system "ftcp": what Documentation/observability.rst shows how to use. A tracepoint that is off is one
 * jump that is not taken. The core knows nothing of them: they stand where its answers come back.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ftcp

#if !defined(FTCP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define FTCP_TRACE_H

#include <linux/tracepoint.h>
#include "conn.h"
#include "core/reason.h"
#include "group.h"

#ifndef FTCP_TRACE_NAMES
#define FTCP_TRACE_NAMES
/* The first byte of the stream is offset 0; addresses of IPv4 are mapped. */
#define FTCP_TRACE_KEY_FIELDS \
	__array(u8, laddr, 16) \
	__array(u8, raddr, 16) \
	__field(u16, lport) \
	__field(u16, rport)

#define FTCP_TRACE_KEY_ASSIGN(key) \
	do { \
		memcpy(__entry->laddr, &(key)->laddr, 16); \
		memcpy(__entry->raddr, &(key)->raddr, 16); \
		__entry->lport = ntohs((key)->lport); \
		__entry->rport = ntohs((key)->rport); \
	} while (0)

#define FTCP_TRACE_KEY_FORMAT "local=[%pI6c]:%u remote=[%pI6c]:%u "
#define FTCP_TRACE_KEY_ARGS __entry->laddr, __entry->lport, __entry->raddr, __entry->rport

#define FTCP_TRACE_STATE(state) __print_symbolic(state, \
	{ 0, "NONE" }, { 1, "ESTABLISHED" }, { 3, "SYN-RECEIVED" }, { 4, "FIN-WAIT-1" }, { 5, "FIN-WAIT-2" }, { 6, "TIME-WAIT" }, \
	{ 7, "CLOSED" }, { 8, "CLOSE-WAIT" }, { 9, "LAST-ACK" }, { 11, "CLOSING" })

#define FTCP_TRACE_FLAGS(flags) __print_flags(flags, "|", \
	{ 0x01, "FIN" }, { 0x02, "SYN" }, { 0x04, "RST" }, { 0x08, "PSH" }, { 0x10, "ACK" }, { 0x20, "URG" }, { 0x40, "ECE" }, { 0x80, "CWR" })

#define FTCP_TRACE_ROLE(role) __print_symbolic(role, { 0, "standby" }, { 1, "primary" }, { 2, "detached" })

#define FTCP_TRACE_REASON(name, text, help) { FTCP_REASON_##name, text },
#endif

#define FTCP_TRACE_REASON_ENUM(name, text, help) TRACE_DEFINE_ENUM(FTCP_REASON_##name);
FTCP_REASONS(FTCP_TRACE_REASON_ENUM)
#undef FTCP_TRACE_REASON_ENUM
TRACE_DEFINE_ENUM(FTCP_REASON_MAX);

/* A segment as it is on the wire. */
DECLARE_EVENT_CLASS(ftcp_segment,
	TP_PROTO(const struct ftcp_conn_key *key, const struct ftcp_segment *seg, u32 reason),
	TP_ARGS(key, seg, reason),
	TP_STRUCT__entry(
		FTCP_TRACE_KEY_FIELDS
		__field(u32, seq)
		__field(u32, ack)
		__field(u32, len)
		__field(u32, wnd)
		__field(u32, reason)
		__field(u8, flags)
		__field(u8, n_sacks)
	),
	TP_fast_assign(
		FTCP_TRACE_KEY_ASSIGN(key);
		__entry->seq = seg->seq.v;
		__entry->ack = seg->ack.v;
		__entry->len = seg->len;
		__entry->wnd = seg->wnd;
		__entry->reason = reason;
		__entry->flags = seg->flags;
		__entry->n_sacks = seg->n_sacks;
	),
	TP_printk(FTCP_TRACE_KEY_FORMAT "flags=%s seq=%u ack=%u len=%u wnd=%u sacks=%u reason=%s", FTCP_TRACE_KEY_ARGS,
		  FTCP_TRACE_FLAGS(__entry->flags), __entry->seq, __entry->ack, __entry->len, __entry->wnd, __entry->n_sacks,
		  __print_symbolic(__entry->reason, FTCP_REASONS(FTCP_TRACE_REASON) { FTCP_REASON_MAX, "?" }))
);

/* When all is done with a segment that came in; the reason it was dropped for, or "none". */
DEFINE_EVENT(ftcp_segment, segment_in,
	TP_PROTO(const struct ftcp_conn_key *key, const struct ftcp_segment *seg, u32 reason),
	TP_ARGS(key, seg, reason)
);

/* On its way to IP; a GSO segment is one. */
DEFINE_EVENT(ftcp_segment, segment_out,
	TP_PROTO(const struct ftcp_conn_key *key, const struct ftcp_segment *seg, u32 reason),
	TP_ARGS(key, seg, reason)
);

TRACE_EVENT(state,
	TP_PROTO(const struct ftcp_conn *conn, u8 old, u8 new),
	TP_ARGS(conn, old, new),
	TP_STRUCT__entry(
		FTCP_TRACE_KEY_FIELDS
		__field(u8, old)
		__field(u8, new)
	),
	TP_fast_assign(
		FTCP_TRACE_KEY_ASSIGN(&conn->key);
		__entry->old = old;
		__entry->new = new;
	),
	TP_printk(FTCP_TRACE_KEY_FORMAT "old=%s new=%s", FTCP_TRACE_KEY_ARGS, FTCP_TRACE_STATE(__entry->old), FTCP_TRACE_STATE(__entry->new))
);

TRACE_EVENT(retransmit,
	TP_PROTO(const struct ftcp_conn *conn, const struct ftcp_segment *seg),
	TP_ARGS(conn, seg),
	TP_STRUCT__entry(
		FTCP_TRACE_KEY_FIELDS
		__field(u64, off)
		__field(u32, len)
		__field(u32, cwnd)
		__field(u32, ssthresh)
		__field(u32, srtt_us)
		__field(u32, timeouts)
		__field(u8, state)
		__field(u8, recovery)
	),
	TP_fast_assign(
		FTCP_TRACE_KEY_ASSIGN(&conn->key);
		__entry->off = seg->off;
		__entry->len = seg->len;
		__entry->cwnd = conn->tcb.soft.cong.cwnd_bytes;
		__entry->ssthresh = conn->tcb.soft.cong.ssthresh_bytes;
		__entry->srtt_us = conn->tcb.soft.rtt.srtt_us;
		__entry->timeouts = conn->tcb.soft.rexmits;
		__entry->state = conn->tcb.hard.state;
		__entry->recovery = conn->tcb.soft.recovering;
	),
	TP_printk(FTCP_TRACE_KEY_FORMAT "off=%llu len=%u state=%s recovery=%s timeouts=%u cwnd=%u ssthresh=%u srtt_us=%u", FTCP_TRACE_KEY_ARGS,
		  __entry->off, __entry->len, FTCP_TRACE_STATE(__entry->state),
		  __print_symbolic(__entry->recovery, { 0, "none" }, { 1, "fast" }, { 2, "timeout" }),
		  __entry->timeouts, __entry->cwnd, __entry->ssthresh, __entry->srtt_us)
);

/* The standby holds up to there. */
TRACE_EVENT(commit,
	TP_PROTO(const struct ftcp_conn *conn, const struct ftcp_mark *mark),
	TP_ARGS(conn, mark),
	TP_STRUCT__entry(
		FTCP_TRACE_KEY_FIELDS
		__field(u64, rcv)
		__field(u64, edge)
		__field(u64, snd)
		__field(u64, rcv_nxt)
		__field(u64, snd_end)
		__field(u8, state)
	),
	TP_fast_assign(
		FTCP_TRACE_KEY_ASSIGN(&conn->key);
		__entry->rcv = mark->rcv;
		__entry->edge = mark->edge;
		__entry->snd = mark->snd;
		__entry->rcv_nxt = conn->tcb.hard.rcv_nxt;
		__entry->snd_end = conn->tcb.hard.snd_end;
		__entry->state = mark->state;
	),
	TP_printk(FTCP_TRACE_KEY_FORMAT "rcv=%llu of %llu snd=%llu of %llu edge=%llu state=%s", FTCP_TRACE_KEY_ARGS,
		  __entry->rcv, __entry->rcv_nxt, __entry->snd, __entry->snd_end, __entry->edge, FTCP_TRACE_STATE(__entry->state))
);

TRACE_EVENT(role,
	TP_PROTO(const struct ftcp_group *group, u32 old, u32 new, u64 epoch),
	TP_ARGS(group, old, new, epoch),
	TP_STRUCT__entry(
		__array(char, group, FTCP_GROUP_NAME_MAX)
		__field(u32, old)
		__field(u32, new)
		__field(u64, epoch)
	),
	TP_fast_assign(
		memcpy(__entry->group, group->name, FTCP_GROUP_NAME_MAX);
		__entry->old = old;
		__entry->new = new;
		__entry->epoch = epoch;
	),
	TP_printk("group=%s old=%s new=%s epoch=%llu", __entry->group, FTCP_TRACE_ROLE(__entry->old), FTCP_TRACE_ROLE(__entry->new), __entry->epoch)
);

/* A standby was promoted, and has made the first segment of each of its connections. */
TRACE_EVENT(takeover,
	TP_PROTO(const struct ftcp_group *group, u32 conns, u64 us),
	TP_ARGS(group, conns, us),
	TP_STRUCT__entry(
		__array(char, group, FTCP_GROUP_NAME_MAX)
		__field(u32, conns)
		__field(u64, us)
	),
	TP_fast_assign(
		memcpy(__entry->group, group->name, FTCP_GROUP_NAME_MAX);
		__entry->conns = conns;
		__entry->us = us;
	),
	TP_printk("group=%s conns=%u us=%llu", __entry->group, __entry->conns, __entry->us)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
