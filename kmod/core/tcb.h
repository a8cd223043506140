/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The transmission control block (RFC 9293, 3.3.1): everything the protocol knows about one connection.
 *
 * *Hard* state must survive the host and is replicated. *Soft* state is rebuilt by the host that takes over. Both know
 * stream offsets only, never bytes: those belong to the glue.
 *
 *	receive:  consumed <= rcv_nxt <= rcv_edge			ACK on the wire = rcv_ack, bounded by committed.rcv
 *	send:     snd_una <= snd_nxt <= snd_max <= committed.snd <= shipped.snd <= snd_end
 *
 * A FIN counts as one: rcv_nxt and snd_end lie one above the last byte once it is in the stream.
 */
#ifndef FTCP_TCB_H
#define FTCP_TCB_H

#include <linux/types.h>
#include <ftcp/limits.h>
#include "cong.h"
#include "env.h"
#include "rack.h"
#include "range.h"
#include "reason.h"
#include "rtt.h"
#include "segment.h"
#include "sent.h"
#include "seq.h"

/* RFC 9293, 3.3.2. The values are those of the kernel's TCP_* states, and ABI. */
enum ftcp_state {
	FTCP_ESTABLISHED = 1,
	FTCP_SYN_RECEIVED = 3,
	FTCP_FIN_WAIT_1 = 4,
	FTCP_FIN_WAIT_2 = 5,
	FTCP_TIME_WAIT = 6,
	FTCP_CLOSED = 7,
	FTCP_CLOSE_WAIT = 8,
	FTCP_LAST_ACK = 9,
	FTCP_CLOSING = 11,
};

enum ftcp_hard_flag {
	FTCP_HARD_TS	= 0x01,	/* timestamps on every segment (RFC 7323, 3) */
	FTCP_HARD_SACK	= 0x02,	/* the peer may be sent SACK, and sends it (RFC 2018) */
	FTCP_HARD_WSCALE = 0x04,
	FTCP_HARD_RCV_FIN = 0x08, /* the peer's FIN is in rcv_nxt */
	FTCP_HARD_SND_FIN = 0x10, /* our FIN is in snd_end */
	FTCP_HARD_ECN	= 0x40,	/* ECN was agreed on (RFC 3168, 6.1.1) */
	FTCP_HARD_RESET	= 0x20,	/* aborted by us: a RST is owed once that is committed */
	FTCP_HARD_ASYNC	= 0x80,	/* nothing waits for the commit; fixed when the connection is opened */
};

/**
 * struct ftcp_hard - what must survive
 * @consumed: input below it was read by the program and need not be kept
 * @rcv_nxt: RCV.NXT as an offset, the FIN included
 * @rcv_edge: the highest right window edge promised or about to be; never goes back
 * @snd_una: SND.UNA as an offset
 * @snd_end: end of what the program has written, the FIN included
 * @snd_wnd: SND.WND, scaled, in bytes
 * @iss, @irs: sequence numbers of the two SYNs
 * @ts_recent: TS.Recent (RFC 7323, 4.3)
 * @ts_off: added to the group's clock to make this connection's TSval
 * @mss_bytes: what the peer's MSS option (or the default) allows in one segment, options not subtracted
 */
struct ftcp_hard {
	u64 consumed;
	u64 rcv_nxt;
	u64 rcv_edge;
	u64 snd_una;
	u64 snd_end;
	u32 snd_wnd;
	u32 iss;
	u32 irs;
	u32 ts_recent;
	u32 ts_off;
	u32 rcv_buf_bytes;
	u32 snd_buf_bytes;
	u16 mss_bytes;
	u8 state;
	u8 flags;
	u8 snd_wscale;
	u8 rcv_wscale;
};

/* A position in the hard state: what was shipped, what is committed. */
struct ftcp_mark {
	u64 rcv;	/* rcv_nxt */
	u64 edge;	/* rcv_edge */
	u64 snd;	/* snd_end */
	u64 una;	/* snd_una: nothing waits for it, but the standby frees by it */
	u64 consumed;
	u8 state;
	bool known;	/* the standby has this connection at all */
	bool whole;	/* all output that there was when so much had been consumed was shipped with it, or is being cut off it */
};

/* Named by event, not by mechanism. 0: not armed. Each is a time in now_us. */
struct ftcp_timers {
	u64 rexmit_us;		/* RFC 6298; in SYN_RECEIVED the SYN-ACK's */
	u64 persist_us;		/* RFC 9293, 3.8.6.1 */
	u64 keepalive_us;	/* RFC 9293, 3.8.4; in doubt: the client is to be asked where it stands */
	u64 close_us;		/* TIME_WAIT (RFC 9293, 3.10.8) */
	u64 delayed_us;		/* a delayed ACK (RFC 9293, 3.8.6.3) */
	u64 tail_us;		/* a tail loss probe (RFC 8985, 7) */
	u64 reorder_us;		/* time is up for what may only have been reordered (RFC 8985, 6.3) */
};

/**
 * struct ftcp_board - the scoreboard: what is remembered of data that is on its way
 *
 * More than half of a busy connection's state, and nothing at all of an idle one's: so the glue lends it when it is wanted and takes
 * it back afterwards. Without it all goes on, with less knowledge: islands are not kept, and losses are found by timeout.
 * @undo: congestion control as it was before the recovery, while undo_armed
 * @undo_tsval: TSval of the first retransmission: whoever echoes an older one has received the original
 */
struct ftcp_board {
	struct ftcp_range ooo[FTCP_OOO_RANGES_MAX];
	struct ftcp_range sacked[FTCP_SACK_RANGES_MAX];
	struct ftcp_run sent[FTCP_RUNS_MAX];
	struct ftcp_run again[FTCP_RUNS_MAX];
	struct ftcp_cong undo;
	u32 undo_tsval;
};

/**
 * struct ftcp_soft - what the next host makes anew
 * @board: where the sets below keep what they hold, or NULL
 * @snd_nxt: SND.NXT: next to be sent; goes back to snd_una at a retransmission timeout
 * @snd_max: highest offset ever sent, by this host or (after a takeover) possibly by its predecessor
 * @snd_staged: replication: output shipped up to here as bare bytes, ahead of shipped.snd
 * @rcv_ack: highest offset ever acknowledged on the wire
 * @rcv_adv: highest right edge ever advertised on the wire
 * @rtt_off, @rtt_start_us: a timed segment when there are no timestamps (Karn); start 0: none
 * @recover: RFC 6582/6675 recovery point; meaningful while @recovering
 * @rexmit_nxt: HighRxt of RFC 6675: next hole to retransmit in this recovery
 * @lost_off: what lies below and was not SACKed is lost (rack.c)
 * @sent: times of the first transmissions since snd_nxt last went back
 * @again: times of the retransmissions of this recovery, and of a tail loss probe
 * @undo_armed: may this recovery turn out to have been in vain (Eifel, RFC 3522 and 4015)? Then back to board->undo
 * @ts_floor: echoes of TSvals older than this are no RTT samples: they are the predecessor's
 * @mtu_mss_bytes: what the path allows, options not subtracted
 * @mtu_full_bytes: what the interface allows, to be tried again at @mtu_retry_us; 0: mtu_mss_bytes is that
 * @mtu_suspicions: how often larger packets seemed to vanish
 * @mtu_proven: packets of the present size have arrived
 * @wnd_known: snd_wnd_max is MAX.SND.WND (RFC 5961, 5.2) of the whole connection; false: of what came since a takeover
 * @rcv_mss_bytes: largest packet of the peer, for the delayed ACK
 * @rcv_buf_max_bytes, @rcv_grow_off: the receive buffer is doubled, up to there, when so much has been consumed
 * @ts_recent_us: when TS.Recent was last touched
 * @ecn_recover: no further reduction for ECE before snd_una is beyond
 * @ece: to be echoed until the peer says CWR; @cwr: to be said with the next new data (RFC 3168, 6.1.2 and 6.1.3)
 * @queue_full: the host's queues hold enough of what was sent: no data for now. Set by the glue, which calls again
 * @burst: more segments are perhaps being received at this moment: one ACK for several. Set by the glue, which clears it and calls again very soon
 * @held: ... and will be for FTCP_ACK_HOLD_US: the same for the ACK alone. Set by the glue, which clears it and calls again when that is over
 * @sack_due: out-of-order data has come that need not be told of before the burst is over
 * @orphan: its program has left, and the peer has not everything yet. Set by the glue
 * @corked: the program has more to come: less than a whole packet waits for it. Set and cleared by the glue
 * @more_at_once: ... in a moment: less than a whole segment waits for it while something is on its way
 * @snd_small: end of the last less than full packet, modulo 2^32, for Nagle's algorithm
 * @keepalive_probes, @keepalive_interval_s: 0: FTCP_KEEPALIVE_PROBES_MAX, FTCP_KEEPALIVE_INTERVAL_US
 * @quick_acks: so many more ACKs are not delayed
 * @rexmits: expiries of the retransmission timer in a row
 * @backoff: how often the timeout is doubled: until there is a new sample, though with progress not beyond some seconds (RFC 6298, 5; Karn)
 * @probes: keepalive probes in a row without an answer
 * @persists: expiries of the persist timer since the window last moved
 * @share_bytes: the host is short of memory: no larger window is promised; 0: it is not. Set by the glue
 * @ooo_fin: a FIN that came out of order stands at this offset; 0: none
 * @ack_now, @probe_now, @rexmit_now: owed to the peer; rexmit_now: the first unacknowledged segment (or the SYN-ACK), whatever
 *	the congestion window says
 * @fin_early: a FIN of ours has left, or may have, that did not acknowledge the peer's: while the commit of that was awaited
 * @unsynced: not yet shipped in full since the standby attached; counted by the glue
 * @doubt: async: the predecessor may have gone further than is known here (doubt.c). @ts_floor says since when, keepalives ask
 * @doubt_gap_s: since when, from then on and counted from 1, something is missing before what the client sends; 0: nothing is
 * @torn: standby, async: the client has acknowledged output beyond the moment that is held
 */
struct ftcp_soft {
	struct ftcp_rtt rtt;
	struct ftcp_cong cong;
	struct ftcp_rack rack;
	struct ftcp_timers timers;
	struct ftcp_mark shipped;
	struct ftcp_mark committed;
	u64 snd_nxt;
	u64 snd_max;
	u64 snd_staged;
	u64 snd_wl1;
	u64 snd_wl2;
	u64 rcv_ack;
	u64 rcv_adv;
	u64 recover;
	u64 rexmit_nxt;
	u64 lost_off;
	u64 rtt_off;
	u64 rtt_start_us;
	u64 last_sent_us;
	u64 last_heard_us;
	u64 probe_us;		/* the first probe of a closed window that was not answered, or the last that was */
	u64 progress_us;	/* snd_una last moved, or data first went out: user timeout */
	u64 challenge_us;
	u64 ooo_fin;
	u64 mtu_retry_us;
	u64 rcv_grow_off;
	u64 ts_recent_us;
	u64 ecn_recover;
	u64 dsack_from;
	u32 dsack_bytes;
	u32 user_timeout_ms;	/* 0: none */
	u32 keepalive_idle_ms;
	u32 share_bytes;
	u32 snd_wnd_max;
	u32 ts_floor;
	u32 rcv_buf_max_bytes;
	u32 rexmit_total;
	u32 snd_small;
	u32 dupacks;
	u16 mtu_mss_bytes;
	u16 mtu_full_bytes;
	u16 rcv_mss_bytes;
	u16 rexmits;
	u16 persists;
	u8 probes;
	u8 recovering;		/* enum ftcp_recovery */
	bool ack_now;
	bool rexmit_now;
	u8 quick_acks;
	u8 mtu_suspicions : 3;
	u8 backoff : 5;
	bool nagle : 1;
	bool corked : 1;
	bool more_at_once : 1;
	bool queue_full : 1;
	bool orphan : 1;
	bool doubt : 1;
	bool torn : 1;
	bool dsack : 1;		/* dsack_bytes from dsack_from on came twice: to be reported in the next ACK (RFC 2883) */
	bool unsynced : 1;
	bool burst : 1;
	bool held : 1;
	bool sack_due : 1;
	bool cwnd_limited : 1;
	bool rtt_timed : 1;	/* a SYN-ACK was sent before */
	bool probe_now : 1;
	bool ece : 1;
	bool cwr : 1;
	bool tail_now : 1;	/* a tail loss probe is due */
	bool sliver_ok : 1;	/* the next data may be less than a segment though the window is what limits it */
	bool fin_early : 1;
	bool undo_armed : 1;
	bool mtu_proven : 1;
	bool wnd_known : 1;
	u8 keepalive_probes;
	u16 keepalive_interval_s;
	u16 doubt_gap_s;
	struct ftcp_board *board;
	struct ftcp_ranges ooo;
	struct ftcp_ranges sacked;
	struct ftcp_sent sent;
	struct ftcp_sent again;
};

enum ftcp_recovery {
	FTCP_RECOVERY_NONE,
	FTCP_RECOVERY_FAST,	/* RFC 6675 / 6582 */
	FTCP_RECOVERY_TIMEOUT,	/* after an RTO, until snd_una passes recover */
};

struct ftcp_tcb {
	struct ftcp_hard hard;
	struct ftcp_soft soft;
};

/* What happened in a call, for the glue to act on. A bit set. */
enum ftcp_event {
	FTCP_EV_ESTABLISHED = 0x01,	/* final ACK of the handshake */
	FTCP_EV_READABLE = 0x02,	/* rcv_nxt moved */
	FTCP_EV_WRITABLE = 0x04,	/* snd_una moved: free bytes below it */
	FTCP_EV_FIN = 0x08,		/* the peer will send no more */
	FTCP_EV_RESET = 0x10,		/* aborted by the peer; the state is CLOSED */
	FTCP_EV_TIMEOUT = 0x20,		/* aborted by us, the peer being silent; a RST is owed, see ftcp_tcb_abort() */
	FTCP_EV_CLOSED = 0x40,		/* the state is CLOSED: forget the connection once that is committed */
	FTCP_EV_TIME_WAIT = 0x80,
	FTCP_EV_BEHIND = 0x100,		/* aborted by us: the client has more than this host knows of; a RST is owed */
};

/* What a service gives to each of its connections. */
struct ftcp_tcb_config {
	u32 rcv_buf_bytes;
	u32 snd_buf_bytes;
	u32 mss_bytes;		/* what our own path takes: MTU - IP header - 20 */
	u32 user_timeout_ms;
	u32 keepalive_ms;
	u32 ts_off;
	u8 congestion;		/* enum ftcp_cong_algorithm */
	bool nagle;		/* RFC 9293, 3.7.4 */
	bool async;		/* nothing waits for the commit */
};

/* ---- opening (handshake.c; RFC 9293, 3.10.7.2 and .3) ---- */

struct ftcp_cookie;

/** ftcp_tcb_cookie() - what a SYN offers, for ftcp_cookie_make(); @default_mss: FTCP_MSS_DEFAULT_BYTES or its IPv6 twin */
void ftcp_tcb_cookie(struct ftcp_cookie *cookie, const struct ftcp_segment *syn, u32 default_mss_bytes);

/**
 * ftcp_tcb_open() - a connection in SYN_RECEIVED from the client's SYN; @tcb is zeroed, @cookie and @iss as ftcp_cookie_make() left them
 *
 * Returns how many bytes of the SYN's payload to keep, at offset 0.
 */
u32 ftcp_tcb_open(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_tcb_config *config,
		  const struct ftcp_segment *syn, const struct ftcp_cookie *cookie, u32 iss);

/**
 * ftcp_tcb_open_cookie() - a connection in SYN_RECEIVED from the client's ACK and the cookie it brought back
 *
 * The caller then gives @ack to ftcp_input() like any segment.
 */
void ftcp_tcb_open_cookie(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_tcb_config *config,
			  const struct ftcp_segment *ack, const struct ftcp_cookie *cookie);

/** ftcp_synack_stateless() - the SYN-ACK for @syn when there is no room for a connection; ports swapped, ready to write */
void ftcp_synack_stateless(struct ftcp_segment *out, const struct ftcp_env *env, const struct ftcp_tcb_config *config,
			   const struct ftcp_segment *syn, const struct ftcp_cookie *cookie, u32 iss);

/** ftcp_reset_stateless() - the RST for a segment that belongs to nothing (RFC 9293, 3.10.7.1); false: answer nothing */
bool ftcp_reset_stateless(struct ftcp_segment *out, const struct ftcp_segment *in);

/* ---- the scoreboard (board.c) ---- */

/** ftcp_board_wanted() - would @tcb make use of a board now? @seg: a segment about to be processed, or NULL */
bool ftcp_board_wanted(const struct ftcp_tcb *tcb, const struct ftcp_segment *seg);

/** ftcp_board_lend() - @board, of any content, is @tcb's until it is taken back */
void ftcp_board_lend(struct ftcp_tcb *tcb, struct ftcp_board *board);

/** ftcp_board_take() - take it back, and what was on it is forgotten; NULL: there is none, or (unless @force) it is in use */
struct ftcp_board *ftcp_board_take(struct ftcp_tcb *tcb, bool force);

/* ---- segments in (input.c; RFC 9293, 3.10.7.4) ---- */

/**
 * struct ftcp_input - what to do with a segment's payload, and what happened
 * @keep_skip: bytes at the front of the payload that are not wanted
 * @keep_len: bytes to store from there; 0: none. What is already stored in that range above rcv_nxt may be replaced
 * @keep_off: the stream offset to store them at
 * @events: enum ftcp_event
 */
struct ftcp_input {
	u32 keep_skip;
	u32 keep_len;
	u64 keep_off;
	u32 events;
};

/**
 * ftcp_input() - process one parsed segment
 *
 * Never fails: the reason only says what was dropped. The caller must store what @in says before it lets anybody read.
 * Afterwards ask ftcp_output_next() until it has nothing, and ftcp_next_deadline().
 */
enum ftcp_reason ftcp_input(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_segment *seg,
			    struct ftcp_input *in);

/**
 * ftcp_input_mtu() - an ICMP "fragmentation needed" or "packet too big" quoting @seq (RFC 1191, 8201)
 * @mss_bytes: next-hop MTU less IP header less 20
 *
 * Ignored, false, unless @seq is in flight (RFC 5927, 4.1).
 */
bool ftcp_input_mtu(struct ftcp_tcb *tcb, const struct ftcp_env *env, ftcp_seq seq, u32 mss_bytes);

/* ---- segments out (output.c) ---- */

/**
 * ftcp_output_next() - the next segment to send, until it returns false
 * @seg: everything but the ports; payload is [off, off + len) of the send stream, in packets of @seg->gso_bytes
 *
 * The segment counts as sent: if the caller cannot send it, that is a loss like any other.
 * Never yields what the commit rule forbids (Documentation/invariants.rst).
 */
bool ftcp_output_next(struct ftcp_tcb *tcb, const struct ftcp_env *env, struct ftcp_segment *seg);

/* ---- time (timer.c) ---- */

/** ftcp_next_deadline() - when to call ftcp_timeout(), in now_us; 0: never */
u64 ftcp_next_deadline(const struct ftcp_tcb *tcb);

/** ftcp_timeout() - do what is due at env->now_us; returns events */
u32 ftcp_timeout(struct ftcp_tcb *tcb, const struct ftcp_env *env);

/** ftcp_tcb_hurry() - too many connections wait for their end: this one's TIME_WAIT, or the peer's last ACK, is waited for less */
void ftcp_tcb_hurry(struct ftcp_tcb *tcb, const struct ftcp_env *env);

/* ---- async: a predecessor that had gone further (doubt.c) ---- */

/**
 * ftcp_tcb_doubt() - an async connection that another host began: nothing new is sent before the client has said where it stands
 *
 * ftcp_repl_promote() does this by itself; the glue does it for a handshake that another host has answered.
 */
void ftcp_tcb_doubt(struct ftcp_tcb *tcb, const struct ftcp_env *env);

/** ftcp_tcb_may_wait() - after ftcp_input(): in a burst, has nobody to be told anything before it is over, if there is no event either? */
bool ftcp_tcb_may_wait(const struct ftcp_tcb *tcb, const struct ftcp_env *env);

/** ftcp_tcb_may_hold() - a burst is over: should its ACK wait FTCP_ACK_HOLD_US (soft.held) for what else comes so fast, from so near? */
bool ftcp_tcb_may_hold(const struct ftcp_tcb *tcb, const struct ftcp_env *env);

/**
 * ftcp_tcb_burst_over() - the burst is, or the time for which its ACK was held
 * @prompt: what comes is read as it comes. A program's read comes later, and its ACK with it: nothing is held then
 *
 * Return: now its ACK is held (soft.held), call once more when that is over.
 */
bool ftcp_tcb_burst_over(struct ftcp_tcb *tcb, const struct ftcp_env *env, bool prompt);

/* ---- the program's side (stream.c) ---- */

/** ftcp_tcb_readable() - bytes from hard.consumed that may be read */
u64 ftcp_tcb_readable(const struct ftcp_tcb *tcb);

/** ftcp_tcb_consume() - the program has read @n more bytes; free below hard.consumed afterwards */
void ftcp_tcb_consume(struct ftcp_tcb *tcb, u64 n);

/** ftcp_tcb_read() - ftcp_tcb_consume() for a program that reads in its own time: two segments that waited for it are acknowledged */
void ftcp_tcb_read(struct ftcp_tcb *tcb, u64 n);

/** ftcp_tcb_read_tells() - after ftcp_tcb_read(), where nobody has to hold it first (env->alone): is there something to tell the peer? */
bool ftcp_tcb_read_tells(const struct ftcp_tcb *tcb);

/** ftcp_tcb_prune() - forget what was received out of order (RFC 2018, 8); true: free above ftcp_tcb_rcv_data_end() */
bool ftcp_tcb_prune(struct ftcp_tcb *tcb);

/** ftcp_tcb_writable() - bytes that may be appended now; 0 after shutdown */
u64 ftcp_tcb_writable(const struct ftcp_tcb *tcb);

/** ftcp_tcb_append() - @n bytes were stored at the end of the send stream (offset ftcp_tcb_data_end()) */
void ftcp_tcb_append(struct ftcp_tcb *tcb, u64 n);

/** ftcp_tcb_keepalive() - probe after @idle_us of silence (0: never) every @interval_s, and give up after @probes (0: the defaults) */
void ftcp_tcb_keepalive(struct ftcp_tcb *tcb, const struct ftcp_env *env, u64 idle_us, u16 interval_s, u8 probes);

/** ftcp_tcb_clamp_mss() - send no larger packets than that, whatever the path takes (TCP_MAXSEG) */
void ftcp_tcb_clamp_mss(struct ftcp_tcb *tcb, const struct ftcp_env *env, u32 mss_bytes);

/** ftcp_tcb_grow_snd_buf() - room for what is on its way, and as much again, up to @most_bytes: it follows the congestion window */
void ftcp_tcb_grow_snd_buf(struct ftcp_tcb *tcb, u32 most_bytes);

/** ftcp_tcb_buffers() - other sizes (0: as it is); never less than what was promised to the peer, or is held */
void ftcp_tcb_buffers(struct ftcp_tcb *tcb, u32 rcv_bytes, u32 snd_bytes);

/** ftcp_tcb_data_end() - end of the written bytes, FIN not counted */
u64 ftcp_tcb_data_end(const struct ftcp_tcb *tcb);

/** ftcp_tcb_rcv_data_end() - end of the received bytes, FIN not counted */
u64 ftcp_tcb_rcv_data_end(const struct ftcp_tcb *tcb);

/** ftcp_tcb_shutdown() - the program will write no more: queue a FIN (RFC 9293, 3.10.4); idempotent */
void ftcp_tcb_shutdown(struct ftcp_tcb *tcb, const struct ftcp_env *env);

/**
 * ftcp_tcb_abort() - RFC 9293, 3.10.5: state CLOSED with FTCP_HARD_RESET; the RST is made by ftcp_tcb_reset() when the
 * connection's end is committed
 */
void ftcp_tcb_abort(struct ftcp_tcb *tcb);

/** ftcp_tcb_reset() - the RST owed by an aborted connection */
void ftcp_tcb_reset(const struct ftcp_tcb *tcb, const struct ftcp_env *env, struct ftcp_segment *seg);

/** ftcp_state_name() - "ESTABLISHED", ..., never NULL */
const char *ftcp_state_name(u8 state);

/** ftcp_tcb_check() - hold the invariants of Documentation/invariants.rst against @tcb; NULL, or the one that is broken */
const char *ftcp_tcb_check(const struct ftcp_tcb *tcb);

#endif
