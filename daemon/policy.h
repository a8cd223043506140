/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who speaks: the daemon's decisions, as functions of what is known. No I/O, no clock, no state of their own: they are
 * asked again whenever something has changed, and give the same answer to the same question. policy.c has the table.
 */
#ifndef FTCP_POLICY_H
#define FTCP_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/ftcp.h>

/* One host's side of the group, as its kernel tells. */
struct policy_host {
	enum ftcp_role role;
	enum ftcp_sync_state sync;
	uint64_t epoch;			/* in what a host says: its kernel's, or the highest it was ever in */
	bool forgot;			/* said: the latter; its kernel is in a lower one, since it was started again */
	uint64_t sync_id;
	uint64_t batch_no;
	uint64_t instance;		/* random, of the daemon's process */
	bool prefers_primary;
};

struct policy_config {
	uint64_t heartbeat_ms;
	uint64_t dead_after_ms;
	uint64_t restart_grace_ms;
	uint64_t detach_after_ms;
	uint64_t alone_after_ms;	/* 0: never */
	bool detach;			/* what a primary does when it has lost its standby */
};

/* All that a decision depends on. Times are CLOCK_MONOTONIC. */
struct policy_view {
	uint64_t now_ms;
	struct policy_config config;
	struct policy_host self;	/* its kernel */
	uint64_t stored_epoch;		/* the highest that this host's kernel was ever in, before it was started again too */
	bool unconfirmed;		/* it was DONE when this process came, and no primary has told since that this is the latest */
	struct policy_host peer;	/* its last word; counts if peer_met */
	bool peer_met;			/* it has spoken to this process */
	bool link_up;
	bool peer_left;			/* its last word was a goodbye */
	uint64_t heard_ms;		/* when anything came from it; never: when this process began */
	uint64_t frozen_until_ms;	/* this process was not running: silence until then proves nothing */
	bool attached;			/* batches flow, or are about to */
	uint64_t unattached_ms;		/* since when they do not */
	uint64_t attach_at_ms;		/* not before: the last attempt failed */
	uint64_t retry_at_ms;		/* not before: the kernel has refused the last decision */
	uint64_t settled_ms;		/* when this host's role or sync state, or the link, last changed */
};

enum policy_action {
	POLICY_WAIT,
	POLICY_PROMOTE,	/* epoch, fresh */
	POLICY_DEMOTE,	/* epoch, force */
	POLICY_OUTDATE,	/* sync_id: not DONE any more */
	POLICY_DETACH,
	POLICY_ATTACH,
};

/* Why. The texts are for the log; policy_why_text(). */
enum policy_why {
	/* nothing to do */
	POLICY_PROTECTING,	/* attached */
	POLICY_FOLLOWING,	/* standby of a peer that speaks */
	POLICY_ALONE,		/* detached, no peer */
	/* waiting */
	POLICY_STALLED,		/* primary without a standby, by configuration */
	POLICY_LOST_STANDBY,	/* primary without a standby, not yet for long enough */
	POLICY_PEER_YIELDS,
	POLICY_PEER_ELECTED,
	POLICY_SETTLING,	/* the peer's last word may be older than this host's state */
	POLICY_PEER_SILENT,	/* not yet for long enough */
	POLICY_PEER_UNHEARD,	/* so has it been since this process began */
	POLICY_PEER_RESTARTS,	/* it said goodbye */
	POLICY_NOT_IN_SYNC,	/* the peer is dead, but what is here may not be promoted */
	POLICY_STALE,		/* ... because the peer went on without this host */
	POLICY_NEVER_MET,	/* no peer yet */
	POLICY_FROZEN,		/* this process was not running */
	POLICY_RETRY,		/* the kernel refused, or attaching failed, a moment ago */
	/* acting */
	POLICY_HIGHER_EPOCH,
	POLICY_SAME_EPOCH,	/* both speak */
	POLICY_ELECTED_IN_SYNC,
	POLICY_ELECTED_NEWEST,
	POLICY_ELECTED_FRESH,
	POLICY_UNCONFIRMED,	/* the peer may have gone on without this host before it was started again */
	POLICY_PEER_DEAD,
	POLICY_START_ALONE,
	POLICY_STANDBY_LOST,
	POLICY_STANDBY_HERE,
	__POLICY_WHY_MAX
};

struct policy_decision {
	enum policy_action action;
	enum policy_why why;
	uint64_t epoch;
	bool force;
	bool fresh;		/* connections that are held are not in sync, and are to be forgotten */
	uint64_t sync_id;
	uint64_t again_ms;	/* ask again then, if nothing happens before; 0: no need */
};

/** policy_decide() - what to do now. At most one action: ask again when it is done. */
struct policy_decision policy_decide(const struct policy_view *view);

/** policy_word() - what this host says of itself to the peer */
struct policy_host policy_word(const struct policy_view *view);

/**
 * policy_outdates() - a word of the peer has come: does it mean that what is held here is not the latest?
 * @later: what is held here was made before this word was said; a channel may be faster than the link
 */
bool policy_outdates(const struct policy_view *view, const struct policy_host *word, bool later);

/** policy_confirms() - does it mean that it is? */
bool policy_confirms(const struct policy_view *view, const struct policy_host *word);

/** policy_speaks() - do the addresses belong here? */
bool policy_speaks(enum ftcp_role role);

/** policy_link_dead() - the link is up, but nothing has come for too long: @heard_ms, @frozen_until_ms as in the view */
bool policy_link_dead(const struct policy_config *config, uint64_t now_ms, uint64_t heard_ms, uint64_t frozen_until_ms);

/**
 * policy_frozen_until() - after a round of the loop that came @gap_ms after the one before
 *
 * A process that was stopped, or starved, has read nothing: that it heard nothing is its own fault. Returns until when it
 * must not call a peer dead, or @frozen_until_ms as it was.
 */
uint64_t policy_frozen_until(const struct policy_config *config, uint64_t now_ms, uint64_t gap_ms, uint64_t frozen_until_ms);

/**
 * policy_keep_old() - two links to the same peer stand at once: is the old one to be kept?
 * @old_initiated, @new_initiated: this host had connected it
 * @silent_ms: for how long nothing has come by the old one
 *
 * Both hosts must keep the same one: that which the host with the smaller instance connected.
 */
bool policy_keep_old(uint64_t heartbeat_ms, uint64_t self, uint64_t old_peer, uint64_t new_peer, bool old_initiated,
		     bool new_initiated, uint64_t silent_ms);

/** policy_attach_delay_ms() - how long to wait after @failures attempts in a row to replicate that came to nothing */
uint64_t policy_attach_delay_ms(unsigned int failures);

const char *policy_why_text(enum policy_why why);
const char *policy_role_text(enum ftcp_role role);
const char *policy_sync_text(enum ftcp_sync_state sync);

#endif
