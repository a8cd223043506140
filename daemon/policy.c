// SPDX-License-Identifier: GPL-2.0
/*
 * The decisions. "Speaks" is PRIMARY or DETACHED; DONE is "in sync", a standby that may be promoted.
 *
 *  this host  link  the peer               further                          decision
 *  ---------- ----- ---------------------- -------------------------------- ------------------------------------------
 *  speaks     up    any, higher epoch                                       DEMOTE to its epoch
 *  speaks     up    standby, its kernel    this host forgot (below), and    DEMOTE to its epoch: its kernel would take
 *                   in a higher epoch      was promoted by hand             nothing of ours
 *  speaks     up    speaks, same epoch     this host forgot, or else        DEMOTE, forced
 *                                          prefers standby, or else has the
 *                                          larger instance
 *  speaks     up    speaks, same epoch     otherwise                        wait: the peer does that
 *  speaks     up    speaks, lower epoch                                     wait: the peer gives way
 *  speaks     up    standby                not attached                     ATTACH
 *  PRIMARY    any                          not attached, policy = detach,   DETACH
 *                                          for detach_after_ms
 *  PRIMARY    down                         policy = stall                   wait: nothing can be committed, so nothing
 *                                                                           is said
 *  DETACHED   down                                                          nothing
 *  standby    up    speaks                                                  nothing: follow it
 *  DONE       up    DETACHED; PRIMARY of   said after what is held was      OUTDATE, at once (policy_outdates)
 *                   another sync_id        made
 *  DONE       up    standby, lower epoch   policy = detach, and no primary  OUTDATE: it may have gone on without this host,
 *                   or forgot, not DONE    has confirmed what is held       and has lost that, too
 *  standby    up    standby                elected (below)                  PROMOTE
 *  standby    up    standby                not elected                      wait: the peer computes the same
 *  DONE       down                         silent for dead_after_ms, after  PROMOTE: takeover
 *                                          a goodbye restart_grace_ms
 *  DONE       down  last word: DETACHED                                     wait: it went on without this host
 *  DONE       down  not met                policy = detach                  wait: it may have gone on without this host
 *  DONE       down  not met                policy = stall, for              PROMOTE: takeover
 *                                          restart_grace_ms
 *  not DONE   down  met                                                     wait: connections would be lost
 *  not DONE   down  not met                epoch 0, alone_after_ms is over  PROMOTE, fresh
 *
 * Where nobody was met since this process began, somebody may have told the primary to go on without a standby ('ftcpctl detach')
 * in the meantime; restart_grace_ms is time for its daemon to say so.
 *
 * Election between two standbys; both hosts compute it from the same two states, and get the same answer. The epoch is
 * one above the higher of both.
 *
 *  1. exactly one is DONE                       that one: its peer was demoted (handover), or has lost its state
 *  2. both are DONE                             the higher epoch, then the higher batch number
 *  3. still equal, or none is DONE (fresh)      who prefers primary; equal: the smaller instance
 *
 * Epochs are compared as they are said: the highest that a host's kernel was ever in. The daemon keeps that on disk (epoch.c),
 * and its host "forgot" while its kernel is in a lower one: it was started again. So a primary that was cut off hears of whoever took
 * over from it even if that host has lost everything since, and gives way: what it holds is not what clients have seen last.
 *
 * Fresh: the kernel forgets what it holds and is not in sync before it speaks. It may be a primary's that was demoted because another
 * host went on; a client that has seen more than this must not hear of it again.
 *
 * Where none is DONE, a host waits for three heartbeats after its own last change: the peer may have come in sync a moment before
 * it was left alone with it (a handover), be about to promote itself for that, and its word be still on the way.
 *
 * A DEMOTE to a higher epoch never is forced: the kernel obeys a higher epoch whatever it holds.
 */
#include "policy.h"

#define ATTACH_DELAY_FIRST_MS	50
#define ATTACH_DELAY_MIN_MS	1000
#define ATTACH_DELAY_MAX_MS	16000
#define GRACE_HEARTBEATS	3

static struct policy_decision wait_for(enum policy_why why)
{
	return (struct policy_decision){ .action = POLICY_WAIT, .why = why };
}

static struct policy_decision wait_until(enum policy_why why, uint64_t again_ms)
{
	return (struct policy_decision){ .action = POLICY_WAIT, .why = why, .again_ms = again_ms };
}

bool policy_speaks(enum ftcp_role role)
{
	return role == FTCP_ROLE_PRIMARY || role == FTCP_ROLE_DETACHED;
}

/* Of this host, as it is said. */
static uint64_t own_epoch(const struct policy_view *view)
{
	return view->self.epoch > view->stored_epoch ? view->self.epoch : view->stored_epoch;
}

struct policy_host policy_word(const struct policy_view *view)
{
	struct policy_host word = view->self;

	word.epoch = own_epoch(view);
	word.forgot = word.epoch > view->self.epoch;
	return word;
}

static uint64_t next_epoch(const struct policy_view *view)
{
	uint64_t epoch = own_epoch(view);

	if (view->peer_met && view->peer.epoch > epoch)
		epoch = view->peer.epoch;
	return epoch + 1;
}

static struct policy_decision promote(const struct policy_view *view, enum policy_why why)
{
	return (struct policy_decision){ .action = POLICY_PROMOTE, .why = why, .epoch = next_epoch(view),
					 .fresh = view->self.sync != FTCP_SYNC_DONE };
}

/* The same on both hosts, with @a and @b exchanged the opposite. */
static bool prefer(const struct policy_host *a, const struct policy_host *b)
{
	if (a->prefers_primary != b->prefers_primary)
		return a->prefers_primary;
	return a->instance < b->instance;
}

/* ---- this host speaks ---- */

static struct policy_decision without_standby(const struct policy_view *view)
{
	uint64_t at_ms = view->unattached_ms + view->config.detach_after_ms;

	if (view->self.role == FTCP_ROLE_DETACHED)
		return wait_for(POLICY_ALONE);
	if (!view->config.detach)
		return wait_for(POLICY_STALLED);
	if (view->now_ms < at_ms)
		return wait_until(POLICY_LOST_STANDBY, at_ms);
	return (struct policy_decision){ .action = POLICY_DETACH, .why = POLICY_STANDBY_LOST };
}

static struct policy_decision both_speak(const struct policy_view *view)
{
	struct policy_host word = policy_word(view);

	if (view->peer.epoch < word.epoch)
		return wait_for(POLICY_PEER_YIELDS);
	if (word.forgot != view->peer.forgot ? view->peer.forgot : prefer(&word, &view->peer))
		return wait_for(POLICY_PEER_YIELDS);
	return (struct policy_decision){ .action = POLICY_DEMOTE, .why = POLICY_SAME_EPOCH, .epoch = word.epoch,
					 .force = true };
}

static struct policy_decision serve_standby(const struct policy_view *view)
{
	struct policy_decision decision;

	if (view->attached)
		return wait_for(POLICY_PROTECTING);
	if (view->now_ms >= view->attach_at_ms)
		return (struct policy_decision){ .action = POLICY_ATTACH, .why = POLICY_STANDBY_HERE };
	decision = without_standby(view);
	if (decision.action == POLICY_WAIT && (!decision.again_ms || decision.again_ms > view->attach_at_ms))
		return wait_until(POLICY_RETRY, view->attach_at_ms);
	return decision;
}

static struct policy_decision give_way(const struct policy_view *view)
{
	return (struct policy_decision){ .action = POLICY_DEMOTE, .why = POLICY_HIGHER_EPOCH, .epoch = view->peer.epoch };
}

static struct policy_decision while_speaking(const struct policy_view *view)
{
	if (!view->link_up)
		return without_standby(view);
	if (view->peer.epoch > own_epoch(view))
		return give_way(view);
	if (policy_speaks(view->peer.role))
		return both_speak(view);
	/* Somebody has promoted this host by hand, who could not know of the epochs before. */
	if (view->peer.epoch > view->self.epoch && !view->peer.forgot)
		return give_way(view);
	return serve_standby(view);
}

/* ---- this host is standby ---- */

bool policy_outdates(const struct policy_view *view, const struct policy_host *word, bool later)
{
	const struct policy_host *self = &view->self;

	if (policy_speaks(self->role) || self->sync != FTCP_SYNC_DONE || !self->sync_id || !later)
		return false;
	/* A host that will have to give way says nothing about whom it gives way to. */
	if (word->epoch < own_epoch(view))
		return false;
	return word->role == FTCP_ROLE_DETACHED ||
	       (word->role == FTCP_ROLE_PRIMARY && word->sync_id && word->sync_id != self->sync_id);
}

bool policy_confirms(const struct policy_view *view, const struct policy_host *word)
{
	return word->role == FTCP_ROLE_PRIMARY && word->sync_id && word->sync_id == view->self.sync_id;
}

/* Did the peer perhaps go on without this host, unheard, and lose its memory of that? A peer in the same epoch was demoted, and has not. */
static bool perhaps_old(const struct policy_view *view)
{
	return view->config.detach && view->unconfirmed && view->self.sync == FTCP_SYNC_DONE &&
	       view->peer.sync != FTCP_SYNC_DONE && (view->peer.forgot || view->peer.epoch < own_epoch(view));
}

static struct policy_decision elect(const struct policy_view *view)
{
	const struct policy_host word = policy_word(view), *self = &word, *peer = &view->peer;
	bool here = self->sync == FTCP_SYNC_DONE, there = peer->sync == FTCP_SYNC_DONE;
	uint64_t settled_at_ms = view->settled_ms + GRACE_HEARTBEATS * view->config.heartbeat_ms;

	if (perhaps_old(view))
		return (struct policy_decision){ .action = POLICY_OUTDATE, .why = POLICY_UNCONFIRMED, .sync_id = self->sync_id };
	if (here != there)
		return here ? promote(view, POLICY_ELECTED_IN_SYNC) : wait_for(POLICY_PEER_ELECTED);
	if (here && self->epoch != peer->epoch)
		return self->epoch > peer->epoch ? promote(view, POLICY_ELECTED_NEWEST) : wait_for(POLICY_PEER_ELECTED);
	if (here && self->batch_no != peer->batch_no)
		return self->batch_no > peer->batch_no ? promote(view, POLICY_ELECTED_NEWEST) :
							 wait_for(POLICY_PEER_ELECTED);
	if (!prefer(self, peer))
		return wait_for(POLICY_PEER_ELECTED);
	if (here)
		return promote(view, POLICY_ELECTED_NEWEST);
	if (view->now_ms < settled_at_ms)
		return wait_until(POLICY_SETTLING, settled_at_ms);
	return promote(view, POLICY_ELECTED_FRESH);
}

/* What is here, and the peer is gone for good. */
static struct policy_decision take_over(const struct policy_view *view)
{
	if (view->self.sync != FTCP_SYNC_DONE)
		return wait_for(view->peer_met ? POLICY_NOT_IN_SYNC : POLICY_NEVER_MET);
	if (view->peer_met ? view->peer.role == FTCP_ROLE_DETACHED : view->config.detach)
		return wait_for(POLICY_STALE);
	return promote(view, POLICY_PEER_DEAD);
}

static struct policy_decision start_alone(const struct policy_view *view)
{
	uint64_t at_ms = view->heard_ms + view->config.alone_after_ms;

	if (!view->config.alone_after_ms || view->self.epoch)
		return wait_for(POLICY_NEVER_MET);
	if (view->now_ms < at_ms)
		return wait_until(POLICY_NEVER_MET, at_ms);
	return promote(view, POLICY_START_ALONE);
}

static struct policy_decision without_peer(const struct policy_view *view)
{
	const struct policy_config *config = &view->config;
	uint64_t wait_ms = config->dead_after_ms;
	enum policy_why why = POLICY_PEER_SILENT;

	if (!view->peer_met && view->self.sync != FTCP_SYNC_DONE)
		return start_alone(view);
	if (!view->peer_met) {
		/* Not less than it takes to find out. */
		wait_ms = config->restart_grace_ms > wait_ms ? config->restart_grace_ms : wait_ms;
		why = POLICY_PEER_UNHEARD;
	} else if (view->peer_left) {
		wait_ms = config->restart_grace_ms;
		why = POLICY_PEER_RESTARTS;
	}
	if (view->now_ms < view->heard_ms + wait_ms)
		return wait_until(why, view->heard_ms + wait_ms);
	if (view->now_ms < view->frozen_until_ms)
		return wait_until(POLICY_FROZEN, view->frozen_until_ms);
	return take_over(view);
}

static struct policy_decision while_standby(const struct policy_view *view)
{
	if (!view->link_up)
		return without_peer(view);
	if (policy_speaks(view->peer.role))
		return wait_for(view->peer.epoch < own_epoch(view) ? POLICY_PEER_YIELDS : POLICY_FOLLOWING);
	return elect(view);
}

/* ---- */

struct policy_decision policy_decide(const struct policy_view *view)
{
	struct policy_decision decision = policy_speaks(view->self.role) ? while_speaking(view) : while_standby(view);

	/* Falling silent is never put off. */
	if (decision.action != POLICY_WAIT && decision.action != POLICY_DEMOTE && view->now_ms < view->retry_at_ms)
		return wait_until(POLICY_RETRY, view->retry_at_ms);
	return decision;
}

bool policy_link_dead(const struct policy_config *config, uint64_t now_ms, uint64_t heard_ms, uint64_t frozen_until_ms)
{
	return now_ms >= heard_ms + config->dead_after_ms && now_ms >= frozen_until_ms;
}

uint64_t policy_frozen_until(const struct policy_config *config, uint64_t now_ms, uint64_t gap_ms, uint64_t frozen_until_ms)
{
	/* The loop runs with each heartbeat. */
	if (gap_ms < config->dead_after_ms / 2 || gap_ms < 2 * config->heartbeat_ms)
		return frozen_until_ms;
	return now_ms + GRACE_HEARTBEATS * config->heartbeat_ms;
}

bool policy_keep_old(uint64_t heartbeat_ms, uint64_t self, uint64_t old_peer, uint64_t new_peer, bool old_initiated,
		     bool new_initiated, uint64_t silent_ms)
{
	if (old_peer != new_peer)
		return false;	/* it has restarted: it knows nothing of the old one */
	if (old_initiated == new_initiated)
		return false;	/* it would not have connected again, had it not lost the old one */
	if (silent_ms > 2 * heartbeat_ms)
		return false;
	return old_initiated == (self < old_peer);
}

uint64_t policy_attach_delay_ms(unsigned int failures)
{
	uint64_t delay_ms = ATTACH_DELAY_MIN_MS;

	/* Connections wait meanwhile. What worked until now will most probably work again; so long only, that the peer may say why it did not. */
	if (failures <= 1)
		return ATTACH_DELAY_FIRST_MS;
	while (failures-- > 2 && delay_ms < ATTACH_DELAY_MAX_MS)
		delay_ms *= 2;
	return delay_ms;
}

const char *policy_why_text(enum policy_why why)
{
	static const char *const texts[__POLICY_WHY_MAX] = {
		[POLICY_PROTECTING] = "replicating to the standby",
		[POLICY_FOLLOWING] = "following the primary",
		[POLICY_ALONE] = "speaking alone, unprotected, until a standby comes",
		[POLICY_STALLED] = "no standby: connections wait until it is back (policy = stall); 'ftcpctl detach' goes on unprotected",
		[POLICY_LOST_STANDBY] = "no standby: connections wait, and go on unprotected after detach_after_ms",
		[POLICY_PEER_YIELDS] = "both hosts speak: the other one has to give way",
		[POLICY_PEER_ELECTED] = "waiting for the peer to become primary",
		[POLICY_PEER_SILENT] = "the primary is out of reach; taking over after dead_after_ms",
		[POLICY_PEER_UNHEARD] = "no primary was heard since this process began; waiting for its word, for restart_grace_ms",
		[POLICY_PEER_RESTARTS] = "the primary's daemon said goodbye; taking over after restart_grace_ms",
		[POLICY_NOT_IN_SYNC] = "the primary is out of reach, but this host is not in sync and does not take over; 'ftcpctl promote --force' loses what is not here",
		[POLICY_STALE] = "the primary is out of reach, but it may have gone on without this host, which does not take over; 'ftcpctl promote --force' if you know better",
		[POLICY_SETTLING] = "waiting for the peer's next word before an election",
		[POLICY_NEVER_MET] = "waiting for the peer; 'ftcpctl promote --force' starts without it",
		[POLICY_FROZEN] = "this process was not running: listening before anything is decided",
		[POLICY_RETRY] = "trying again in a moment",
		[POLICY_HIGHER_EPOCH] = "the peer has a higher epoch",
		[POLICY_SAME_EPOCH] = "both hosts speak in the same epoch, and this one has to give way",
		[POLICY_ELECTED_IN_SYNC] = "the peer has fallen silent, and this host holds the connections",
		[POLICY_ELECTED_NEWEST] = "both hosts are silent and in sync, and this one is chosen",
		[POLICY_ELECTED_FRESH] = "no host is in sync, and this one is chosen, to begin anew",
		[POLICY_UNCONFIRMED] = "the peer has lost its memory, and may have gone on without this host before: what is held here may be old",
		[POLICY_PEER_DEAD] = "the primary is dead",
		[POLICY_START_ALONE] = "no peer for alone_after_ms",
		[POLICY_STANDBY_LOST] = "no standby for detach_after_ms",
		[POLICY_STANDBY_HERE] = "a standby is here",
	};

	return texts[why];
}

const char *policy_role_text(enum ftcp_role role)
{
	static const char *const texts[__FTCP_ROLE_MAX] = {
		[FTCP_ROLE_STANDBY] = "standby",
		[FTCP_ROLE_PRIMARY] = "primary",
		[FTCP_ROLE_DETACHED] = "detached",
	};

	return (unsigned int)role < __FTCP_ROLE_MAX ? texts[role] : "?";
}

const char *policy_sync_text(enum ftcp_sync_state sync)
{
	static const char *const texts[__FTCP_SYNC_MAX] = {
		[FTCP_SYNC_NONE] = "none",
		[FTCP_SYNC_RUNNING] = "running",
		[FTCP_SYNC_DONE] = "done",
	};

	return (unsigned int)sync < __FTCP_SYNC_MAX ? texts[sync] : "?";
}
