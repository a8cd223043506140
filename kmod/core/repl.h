/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output commit (Documentation/design): nothing leaves the primary that the standby could not stand behind.
 *
 * The connection's own buffers are the log. Primary: ftcp_repl_dirty() says whether there is anything to ship,
 * ftcp_repl_collect() takes it, ftcp_repl_commit() follows when the standby has acknowledged it,
 * ftcp_repl_restart() when the link broke. Standby: ftcp_repl_apply(). Takeover: ftcp_repl_promote().
 */
#ifndef FTCP_REPL_H
#define FTCP_REPL_H

#include "tcb.h"

enum ftcp_dirty {
	FTCP_CLEAN,
	FTCP_DIRTY_LAZY,	/* only what the standby frees memory by: with the next record or the next idle batch */
	FTCP_DIRTY_NOW,		/* something waits for the commit */
};

/**
 * struct ftcp_record - one connection's share of a batch
 * @partial: bytes of the send stream only, ahead of a whole record: nothing in @hard may be taken over but what it takes to
 *	make the connection known
 * @hard: a consistent snapshot; in a record cut short by @room, rcv_nxt is only as far as the bytes go
 * @rcv_from, @rcv_len: received bytes that belong to it: all from max(shipped, consumed) on
 * @snd_from, @snd_len: sent bytes that belong to it
 */
struct ftcp_record {
	struct ftcp_hard hard;
	bool partial;
	u64 rcv_from;
	u32 rcv_len;
	u64 snd_from;
	u32 snd_len;
};

/** ftcp_repl_dirty() - what waits to be shipped. Nothing before ESTABLISHED: half-open connections live in their cookie. */
enum ftcp_dirty ftcp_repl_dirty(const struct ftcp_tcb *tcb);

/**
 * ftcp_repl_collect() - take what is not shipped yet, at most @room bytes of payload
 * @rec: what to ship
 * @mark: to be remembered with the batch and given to ftcp_repl_commit()
 *
 * Moves soft.shipped (and soft.snd_staged). If ftcp_repl_dirty() still says NOW afterwards, more is to come: keep it listed. A record
 * that is not partial and leaves the connection clean clears soft.unsynced.
 */
void ftcp_repl_collect(struct ftcp_tcb *tcb, u32 room, struct ftcp_record *rec, struct ftcp_mark *mark);

/** ftcp_repl_commit() - the standby holds everything up to @mark (never goes back); then ask ftcp_output_next() */
void ftcp_repl_commit(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_mark *mark);

/** ftcp_repl_restart() - the link broke and came back to the same standby: shipped := committed */
void ftcp_repl_restart(struct ftcp_tcb *tcb);

/** ftcp_repl_resync() - a standby that knows nothing: shipped := committed := start of what is held; unsynced */
void ftcp_repl_resync(struct ftcp_tcb *tcb);

/**
 * ftcp_repl_alone() - the commit gate has opened (env->alone): everything up to the end counts as committed
 *
 * While it is open the core does this by itself; call it once for each connection when the role changes, then ask for output.
 */
void ftcp_repl_alone(struct ftcp_tcb *tcb, const struct ftcp_env *env);

enum ftcp_apply {
	FTCP_APPLY_OK,
	FTCP_APPLY_GAP,		/* bytes are missing before rcv_from or snd_from: resync needed */
	FTCP_APPLY_BAD,		/* the record contradicts itself or what is held */
};

/**
 * struct ftcp_applied - what the glue must do with the record's bytes, once ftcp_repl_apply() said OK
 *
 * Drop received bytes below @hard.consumed and sent bytes below @hard.snd_una, then append the last @rcv_new bytes of the record's
 * received payload at @rcv_off and the last @snd_new of its sent payload at @snd_off. The stores are contiguous from those.
 */
struct ftcp_applied {
	u64 rcv_off;
	u32 rcv_new;
	u64 snd_off;
	u32 snd_new;
};

/**
 * ftcp_repl_apply() - take a record over, on the standby. Idempotent: what is already held is skipped.
 * @fresh: @tcb is zeroed: the connection was unknown
 * @snd_stored: end of what the glue's send store holds (may be ahead of hard.snd_end by partial records); on @fresh
 *	ignored: the store starts at the record's hard.snd_una
 *
 * The record comes from the network: anything may be in it, and nothing is changed unless the result is OK.
 */
enum ftcp_apply ftcp_repl_apply(struct ftcp_tcb *tcb, const struct ftcp_record *rec, bool fresh, u64 snd_stored,
				struct ftcp_applied *applied);

/**
 * ftcp_repl_promote() - this host speaks for the connection from now on: soft state made anew
 *
 * snd_nxt goes back to snd_una, snd_max forward to snd_end (the predecessor may have sent it all); an ACK and the first unacknowledged
 * segment are due at once. The glue has cut its send store to ftcp_tcb_data_end() before.
 */
void ftcp_repl_promote(struct ftcp_tcb *tcb, const struct ftcp_env *env, const struct ftcp_tcb_config *config);

/** ftcp_repl_kick() - speak first once more (the address has only now moved): as in promote, without touching anything else */
void ftcp_repl_kick(struct ftcp_tcb *tcb, const struct ftcp_env *env);

#endif
