// SPDX-License-Identifier: GPL-2.0
/* The replication cursors: shipping on the primary, taking over on the standby. */
#include "repl.h"
#include "internal.h"

struct ftcp_mark ftcp_mark_of(const struct ftcp_hard *hard)
{
	return (struct ftcp_mark){
		.rcv = hard->rcv_nxt,
		.edge = hard->rcv_edge,
		.snd = hard->snd_end,
		.una = hard->snd_una,
		.consumed = hard->consumed,
		.state = hard->state,
	};
}

/* Nobody else has to hold anything: all counts as committed. */
void ftcp_gate_open(struct ftcp_tcb *tcb)
{
	tcb->soft.shipped = ftcp_mark_of(&tcb->hard);
	tcb->soft.committed = tcb->soft.shipped;
	tcb->soft.snd_staged = ftcp_tcb_data_end(tcb);
}

void ftcp_repl_alone(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	if (env->alone)
		ftcp_gate_open(tcb);
	tcb->soft.unsynced = false;
}

enum ftcp_dirty ftcp_repl_dirty(const struct ftcp_tcb *tcb)
{
	const struct ftcp_hard *hard = &tcb->hard;
	const struct ftcp_mark *shipped = &tcb->soft.shipped;

	/* In doubt: what this host makes of it may never be sent, and a successor would take it for sent. */
	if (hard->state == FTCP_SYN_RECEIVED || hard->state == FTCP_CLOSED || tcb->soft.doubt)
		return FTCP_CLEAN;
	if (!shipped->known || hard->rcv_nxt > shipped->rcv || hard->snd_end > shipped->snd || hard->rcv_edge > shipped->edge)
		return FTCP_DIRTY_NOW;
	if (hard->snd_una > shipped->una || hard->consumed > shipped->consumed || hard->state != shipped->state)
		return FTCP_DIRTY_LAZY;
	return FTCP_CLEAN;
}

/* The state as it was when the peer's FIN had not come yet. */
static u8 state_before_fin(u8 state)
{
	switch (state) {
	case FTCP_CLOSE_WAIT:	return FTCP_ESTABLISHED;
	case FTCP_LAST_ACK:	return FTCP_FIN_WAIT_1;
	case FTCP_CLOSING:	return FTCP_FIN_WAIT_1;
	case FTCP_TIME_WAIT:	return FTCP_FIN_WAIT_2;
	default:		return state;
	}
}

/* Cut the snapshot to the received bytes that come with it: as if the rest had not arrived yet. */
static void cut_received(struct ftcp_record *rec, u64 data_end)
{
	rec->hard.rcv_nxt = data_end;
	rec->hard.flags &= ~FTCP_HARD_RCV_FIN;
	rec->hard.state = state_before_fin(rec->hard.state);
}

/*
 * Output and the input it was made from must appear together, or the program on the standby would read again what it has answered:
 * as long as there is more output than fits, ship bare bytes and leave the cursors where they are.
 */
static void collect_partial(struct ftcp_tcb *tcb, u32 room, struct ftcp_record *rec)
{
	rec->partial = true;
	rec->snd_len = room;
	/* Should the standby not know the connection yet: as it was last shipped, or before its first byte */
	rec->hard.consumed = tcb->soft.shipped.consumed;
	rec->hard.rcv_edge = min(rec->hard.rcv_edge, rec->hard.consumed + rec->hard.rcv_buf_bytes);
	rec->rcv_from = rec->hard.consumed;
	rec->hard.snd_end = rec->hard.snd_una;
	cut_received(rec, rec->hard.consumed);
	rec->hard.flags &= ~FTCP_HARD_SND_FIN;
	rec->hard.state = FTCP_ESTABLISHED;
	tcb->soft.snd_staged += room;
	tcb->soft.shipped.known = true;
}

/*
 * Output that grew while nothing was consumed was not made from input: it may be cut anywhere, and be committed piece by piece. What was received
 * stays for the next record.
 */
static void collect_cut(struct ftcp_tcb *tcb, u32 room, struct ftcp_record *rec)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 end = ftcp_tcb_rcv_data_end(tcb);

	rec->snd_len = room;
	rec->hard.snd_end = rec->snd_from + room;
	rec->rcv_from = max(min(soft->shipped.rcv, end), tcb->hard.consumed);
	if (rec->rcv_from < end)
		cut_received(rec, rec->rcv_from);
	rec->hard.flags &= ~FTCP_HARD_SND_FIN;
	rec->hard.state = rec->hard.flags & FTCP_HARD_RCV_FIN ? FTCP_CLOSE_WAIT : FTCP_ESTABLISHED;
	soft->snd_staged = rec->hard.snd_end;
	soft->shipped = ftcp_mark_of(&rec->hard);
	soft->shipped.known = soft->shipped.whole = true;
}

/* Has nothing been consumed since output was last complete? */
static bool may_cut(const struct ftcp_tcb *tcb)
{
	const struct ftcp_mark *shipped = &tcb->soft.shipped;

	return !tcb->hard.consumed || (shipped->whole && shipped->consumed == tcb->hard.consumed);
}

static void collect_whole(struct ftcp_tcb *tcb, u32 room, struct ftcp_record *rec)
{
	struct ftcp_soft *soft = &tcb->soft;
	u64 end = ftcp_tcb_rcv_data_end(tcb), left;

	rec->snd_len = ftcp_tcb_data_end(tcb) - rec->snd_from;
	room -= rec->snd_len;
	rec->rcv_from = max(min(soft->shipped.rcv, end), tcb->hard.consumed);
	left = end - rec->rcv_from;
	rec->rcv_len = min_t(u64, left, room);
	if (rec->rcv_len < left)
		cut_received(rec, rec->rcv_from + rec->rcv_len);
	soft->snd_staged = rec->snd_from + rec->snd_len;
	soft->shipped = ftcp_mark_of(&rec->hard);
	soft->shipped.known = soft->shipped.whole = true;
	if (rec->rcv_len == left)
		soft->unsynced = false;
}

void ftcp_repl_collect(struct ftcp_tcb *tcb, u32 room, struct ftcp_record *rec, struct ftcp_mark *mark)
{
	memset(rec, 0, sizeof(*rec));
	rec->hard = tcb->hard;
	rec->snd_from = max(tcb->soft.snd_staged, min(tcb->hard.snd_una, ftcp_tcb_data_end(tcb)));
	tcb->soft.snd_staged = rec->snd_from;
	if (ftcp_tcb_data_end(tcb) - rec->snd_from > room && may_cut(tcb))
		collect_cut(tcb, room, rec);
	else if (ftcp_tcb_data_end(tcb) - rec->snd_from > room)
		collect_partial(tcb, room, rec);
	else
		collect_whole(tcb, room, rec);
	*mark = tcb->soft.shipped;
}

void ftcp_repl_commit(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_mark *mark)
{
	struct ftcp_mark *committed = &tcb->soft.committed;

	committed->rcv = max(committed->rcv, mark->rcv);
	committed->edge = max(committed->edge, mark->edge);
	committed->snd = max(committed->snd, mark->snd);
	committed->una = max(committed->una, mark->una);
	committed->consumed = max(committed->consumed, mark->consumed);
	committed->state = mark->state;
	committed->known |= mark->known;
	committed->whole = mark->whole;
}

void ftcp_repl_restart(struct ftcp_tcb *tcb)
{
	tcb->soft.shipped = tcb->soft.committed;
	tcb->soft.snd_staged = min(tcb->soft.committed.snd, ftcp_tcb_data_end(tcb));
}

void ftcp_repl_resync(struct ftcp_tcb *tcb)
{
	memset(&tcb->soft.committed, 0, sizeof(tcb->soft.committed));
	tcb->soft.shipped = tcb->soft.committed;
	tcb->soft.snd_staged = 0;
	tcb->soft.unsynced = true;
}

/* ---- the standby ---- */

static bool flags_fit_state(const struct ftcp_hard *hard)
{
	bool rcv_fin = hard->flags & FTCP_HARD_RCV_FIN, snd_fin = hard->flags & FTCP_HARD_SND_FIN;

	switch (hard->state) {
	case FTCP_ESTABLISHED:	return !rcv_fin && !snd_fin;
	case FTCP_CLOSE_WAIT:	return rcv_fin && !snd_fin;
	case FTCP_FIN_WAIT_1:
	case FTCP_FIN_WAIT_2:	return !rcv_fin && snd_fin;
	case FTCP_CLOSING:
	case FTCP_LAST_ACK:
	case FTCP_TIME_WAIT:	return rcv_fin && snd_fin;
	default:		return false;
	}
}

/* Does the record agree with itself, and with every limit? It comes from the network. */
static bool record_sane(const struct ftcp_record *rec)
{
	const struct ftcp_hard *hard = &rec->hard;
	u64 rcv_end = hard->rcv_nxt - !!(hard->flags & FTCP_HARD_RCV_FIN);
	u64 snd_end = hard->snd_end - !!(hard->flags & FTCP_HARD_SND_FIN);
	const u64 far = 1ull << 62;

	if (!flags_fit_state(hard) || hard->flags & FTCP_HARD_RESET)
		return false;
	if (hard->rcv_nxt >= far || hard->snd_end >= far || hard->rcv_edge >= far || rec->rcv_from >= far || rec->snd_from >= far)
		return false;
	if (hard->snd_wscale > 14 || hard->rcv_wscale > 14 || hard->mss_bytes < FTCP_MSS_MIN_BYTES)
		return false;
	if (hard->rcv_buf_bytes > FTCP_RCV_BUF_BYTES || hard->snd_buf_bytes > FTCP_SND_BUF_BYTES)
		return false;
	if (rcv_end > hard->rcv_nxt || hard->consumed > rcv_end || hard->rcv_nxt > hard->rcv_edge + ftcp_edge_slack(hard) + 1)
		return false;
	if (snd_end > hard->snd_end || hard->snd_una > hard->snd_end || hard->snd_end - hard->snd_una > (u64)hard->snd_buf_bytes + 1)
		return false;
	if (hard->rcv_edge > hard->consumed + hard->rcv_buf_bytes)
		return false;
	if (rec->partial)
		return !rec->rcv_len && hard->rcv_nxt == hard->consumed && hard->snd_end == hard->snd_una && rec->snd_from + rec->snd_len - hard->snd_una <= (u64)hard->snd_buf_bytes;
	return rec->rcv_from + rec->rcv_len == rcv_end && rec->snd_from + rec->snd_len == snd_end;
}

/* The same connection as before? What was agreed on in the handshake never changes. */
static bool same_connection(const struct ftcp_hard *a, const struct ftcp_hard *b)
{
	const u8 agreed = FTCP_HARD_TS | FTCP_HARD_SACK | FTCP_HARD_WSCALE | FTCP_HARD_ASYNC;

	return a->iss == b->iss && a->irs == b->irs && a->ts_off == b->ts_off && a->snd_wscale == b->snd_wscale &&
	       a->rcv_wscale == b->rcv_wscale && (a->flags & agreed) == (b->flags & agreed);
}

/*
 * The newer of both, cursor by cursor: each only ever grows, so that the larger one is the later one. A record made after a reconnection may
 * be cut (its received part is older than what is here) while its other cursors are newer.
 */
static struct ftcp_hard merge(const struct ftcp_hard *held, const struct ftcp_record *rec)
{
	struct ftcp_hard hard = rec->hard;

	if (rec->partial) {
		hard = *held;
		hard.snd_una = max(held->snd_una, rec->hard.snd_una);
		if (rec->hard.snd_una >= held->snd_una)
			hard.snd_wnd = rec->hard.snd_wnd;	/* the two belong together: their sum is the peer's promise */
		hard.snd_end = max(held->snd_end, hard.snd_una);
		return hard;
	}
	hard.consumed = max(hard.consumed, held->consumed);
	hard.rcv_nxt = max(hard.rcv_nxt, held->rcv_nxt);
	hard.rcv_edge = max(hard.rcv_edge, held->rcv_edge);
	if (held->snd_una > hard.snd_una)
		hard.snd_wnd = held->snd_wnd;
	hard.snd_una = max(hard.snd_una, held->snd_una);
	hard.snd_end = max(hard.snd_end, held->snd_end);
	hard.flags |= held->flags & (FTCP_HARD_RCV_FIN | FTCP_HARD_SND_FIN);
	if (!flags_fit_state(&hard))
		hard.state = flags_fit_state(held) && held->flags == hard.flags ? held->state : FTCP_LAST_ACK;
	return hard;
}

/* What of the record's bytes is new, and is there a gap before it? */
static bool find_new(const struct ftcp_hard *hard, const struct ftcp_record *rec, u64 rcv_held, u64 snd_held,
		     struct ftcp_applied *applied)
{
	u64 rcv_end = rec->rcv_from + rec->rcv_len, snd_end = rec->snd_from + rec->snd_len;

	applied->rcv_off = max(rcv_held, hard->consumed);
	applied->snd_off = max(snd_held, hard->snd_una);
	if (rec->snd_from > applied->snd_off || (!rec->partial && rec->rcv_from > applied->rcv_off))
		return false;
	if (!rec->partial && rcv_end > applied->rcv_off)
		applied->rcv_new = rcv_end - applied->rcv_off;
	if (snd_end > applied->snd_off)
		applied->snd_new = snd_end - applied->snd_off;
	return true;
}

enum ftcp_apply ftcp_repl_apply(struct ftcp_tcb *tcb, const struct ftcp_record *rec, bool fresh, u64 snd_stored,
				struct ftcp_applied *applied)
{
	struct ftcp_hard hard = rec->hard;
	u64 rcv_held = hard.consumed, snd_held = hard.snd_una;
	bool torn;

	memset(applied, 0, sizeof(*applied));
	if (!record_sane(rec))
		return FTCP_APPLY_BAD;
	if (!fresh) {
		if (!same_connection(&tcb->hard, &rec->hard))
			return FTCP_APPLY_BAD;
		rcv_held = ftcp_tcb_rcv_data_end(tcb);
		snd_held = snd_stored;
		hard = merge(&tcb->hard, rec);
		/* Each may be right by itself, and not with what is held. */
		if (ftcp_hard_check(&hard))
			return FTCP_APPLY_BAD;
	}
	if (!find_new(&hard, rec, rcv_held, snd_held, applied))
		return FTCP_APPLY_GAP;
	/* Async: acknowledged was what was made from input that is not known here to be consumed. */
	torn = rec->partial && (tcb->soft.torn || rec->hard.snd_una > (fresh ? 0 : tcb->hard.snd_end));
	tcb->soft.torn = torn;
	tcb->hard = hard;
	return FTCP_APPLY_OK;
}

void ftcp_repl_promote(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_tcb_config *config)
{
	struct ftcp_soft *soft = &tcb->soft;
	bool torn = soft->torn;

	ftcp_soft_init(tcb, env, config);
	soft->torn = torn;
	ftcp_gate_open(tcb);
	soft->snd_max = tcb->hard.snd_end;
	soft->rcv_ack = tcb->hard.rcv_nxt;
	soft->rcv_adv = tcb->hard.rcv_edge;
	soft->fin_early = tcb->hard.flags & FTCP_HARD_SND_FIN;
	if (tcb->hard.state == FTCP_TIME_WAIT)
		ftcp_enter_time_wait(tcb, env);
	else
		ftcp_timer_heard(tcb, env);
	ftcp_tcb_doubt(tcb, env);
	ftcp_repl_kick(tcb, env);
}

void ftcp_repl_kick(struct ftcp_tcb *tcb, const struct ftcp_env *env)
{
	struct ftcp_soft *soft = &tcb->soft;

	if (tcb->hard.state == FTCP_CLOSED || tcb->hard.state == FTCP_SYN_RECEIVED)
		return;
	ftcp_recovery_restart(tcb);
	soft->ack_now = true;
	ftcp_timer_rexmit(tcb, env);
}
