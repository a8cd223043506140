// SPDX-License-Identifier: GPL-2.0
/*
 * The two daemons, as far as things can go wrong between them, and their link: messages arrive in order or, when it breaks, not at all. The
 * decisions are the real daemon's (daemon/policy.c). A batch counts as held when the standby's kernel said so.
 */
#include <stdlib.h>
#include "sim.h"
#include "policy.h"

#define DEAD_AFTER_MS	1000
#define RETRY_US	(100 * MS)

enum type { STATE, PREPARE, READY, BATCH, HELD, REFUSED };

struct message {
	enum type type;
	struct policy_host state;
	u64 sync_id, no;
	u8 *data;
	u32 len;
};

struct daemon {
	bool up, connected, linkup, peer_met, preparing, unconfirmed;
	u64 start_us, notice_us, heard_us, unattached_us, attach_at_us, again_us, settled_us, instance;
	struct policy_host peer, told, self;
	u32 failures;
};
static struct daemon daemons[HOSTS];
static u64 stored_epochs[HOSTS];	/* their disks */

static struct {
	bool whole;
	u32 no;
	u64 cut_until_us, connect_us, busy_until_us[HOSTS];
} the_link;

/* A batch that somebody has kept, of any epoch. */
static struct {
	u8 *data;
	u32 len;
	u64 epoch;
} old;

static struct daemon *daemon_of(const struct host *h)
{
	return &daemons[h - hosts];
}

void message_free(struct message *message)
{
	free(message->data);
	free(message);
}

void daemon_reset(void)
{
	memset(daemons, 0, sizeof(daemons));
	memset(stored_epochs, 0, sizeof(stored_epochs));
	memset(&the_link, 0, sizeof(the_link));
	free(old.data);
	memset(&old, 0, sizeof(old));
}

/* ---- the link ---- */

static void post(struct host *from, struct message message)
{
	u64 *busy = &the_link.busy_until_us[from - hosts];
	struct event *e;

	if (!daemon_of(from)->connected || !the_link.whole) {
		free(message.data);
		return;
	}
	e = calloc(1, sizeof(*e));
	e->kind = TO_DAEMON;
	e->to = other(from) - hosts;
	e->link = the_link.no;
	e->message = malloc(sizeof(message));
	*e->message = message;
	*busy = max(*busy, now_us + swarm.link_delay_us + rnd(swarm.link_jitter_us + 1));
	e->at_us = *busy;
	net_post(e);
}

bool link_whole(void)
{
	return the_link.whole && daemons[0].linkup && daemons[1].linkup;
}

void link_break(void)
{
	u32 i;

	if (!the_link.whole)
		return;
	the_link.whole = false;
	the_link.no++;
	for (i = 0; i < HOSTS; i++) {
		struct daemon *d = &daemons[i];

		d->heard_us = now_us;
		d->notice_us = now_us + 1 + rnd(one_in(2) ? 10 * MS : 200 * MS);
	}
}

void link_cut(u64 until_us)
{
	say("link", "cut");
	link_break();
	the_link.cut_until_us = until_us;
}

static void connect(void)
{
	u32 i;

	say("link", "connected");
	the_link.whole = true;
	the_link.no++;
	for (i = 0; i < HOSTS; i++) {
		daemons[i].connected = true;
		daemons[i].notice_us = 0;
		the_link.busy_until_us[i] = now_us;
		memset(&daemons[i].told, 0xff, sizeof(daemons[i].told));
		daemon_look(&hosts[i]);
	}
}

static void link_lost(struct host *h)
{
	struct daemon *d = daemon_of(h);

	d->connected = d->linkup = d->preparing = false;
	if (h->attached && h->sync == SYNC_DONE)
		d->unattached_us = now_us;
	sync_detach(h);
	daemon_look(h);
}

/* ---- decisions ---- */

static struct policy_host state_of(const struct host *h)
{
	static const enum ftcp_role roles[] = { FTCP_ROLE_STANDBY, FTCP_ROLE_PRIMARY, FTCP_ROLE_DETACHED };
	static const enum ftcp_sync_state syncs[] = { FTCP_SYNC_NONE, FTCP_SYNC_RUNNING, FTCP_SYNC_DONE };
	struct policy_host s;

	memset(&s, 0, sizeof(s));	/* it is compared as memory */
	s.role = roles[h->role];
	s.sync = syncs[h->sync];
	s.epoch = h->epoch;
	s.sync_id = h->sync_id;
	s.instance = daemon_of(h)->instance;
	s.prefers_primary = h == hosts;
	return s;
}

static struct policy_view view_of(const struct host *h)
{
	const struct daemon *d = daemon_of(h);
	u64 *stored_epoch = &stored_epochs[h - hosts];
	struct policy_view v = { .now_ms = now_us / MS, .self = state_of(h), .peer = d->peer, .peer_met = d->peer_met,
		.link_up = d->linkup, .heard_ms = (d->linkup ? now_us : d->heard_us) / MS, .attached = h->attached || d->preparing,
		.unattached_ms = d->unattached_us / MS, .attach_at_ms = d->attach_at_us / MS, .settled_ms = d->settled_us / MS,
		.config = { .heartbeat_ms = 100, .dead_after_ms = DEAD_AFTER_MS, .restart_grace_ms = 3000, .detach_after_ms = 2000,
			    .detach = !swarm.stall } };

	*stored_epoch = max(*stored_epoch, h->epoch);
	v.stored_epoch = *stored_epoch;
	v.unconfirmed = d->unconfirmed;
	v.self.batch_no = h->held_no;
	return v;
}

static bool act(struct host *h, const struct policy_decision *decision)
{
	struct daemon *d = daemon_of(h);

	switch (decision->action) {
	case POLICY_PROMOTE:
		return host_promote(h, decision->epoch, decision->fresh);
	case POLICY_OUTDATE:
		return sync_outdate(h, decision->sync_id);
	case POLICY_DEMOTE:
		return host_demote(h, decision->epoch, decision->force);
	case POLICY_DETACH:
		host_detach(h);
		return true;
	case POLICY_ATTACH:
		d->preparing = true;
		post(h, (struct message){ .type = PREPARE });
		return true;
	default:
		return false;
	}
}

static void tell(struct host *h)
{
	struct daemon *d = daemon_of(h);
	struct policy_host s = state_of(h);
	struct policy_view view;

	if (s.role != d->self.role || s.sync != d->self.sync || s.epoch != d->self.epoch)
		d->settled_us = now_us;
	d->self = s;
	if (h->sync != SYNC_DONE)
		d->unconfirmed = false;
	if (!d->connected || !memcmp(&s, &d->told, sizeof(s)))
		return;
	d->told = s;
	view = view_of(h);
	post(h, (struct message){ .type = STATE, .state = policy_word(&view) });
}

void daemon_look(struct host *h)
{
	struct daemon *d = daemon_of(h);
	struct policy_decision decision;
	u32 n;

	if (!d->up || !h->alive)
		return;
	for (n = 0; n < 4; n++) {
		struct policy_view view;

		tell(h);
		view = view_of(h);
		decision = policy_decide(&view);
		d->again_us = decision.again_ms ? max(decision.again_ms * MS, now_us + MS) : 0;
		if (!act(h, &decision))
			break;
	}
	tell(h);
}

/* ---- messages ---- */

static void keep(const struct host *h, const u8 *data, u32 len)
{
	if (old.data && (old.epoch < h->epoch || rnd(8)))
		return;
	free(old.data);
	old.data = memcpy(malloc(len), data, len);
	old.len = len;
	old.epoch = h->epoch;
}

void daemon_replay(void)
{
	struct host *h = &hosts[rnd(HOSTS)];
	u64 held_no = h->held_no;

	if (!old.data || !h->alive || old.epoch >= h->epoch)
		return;
	CHECK("12: no batch of an epoch that is over", sync_apply(h, old.data, old.len) != APPLY_OK && h->held_no == held_no);
	free(old.data);
	old.data = NULL;
}

void daemon_batch(struct host *h, u8 *data, u32 len, u64 no)
{
	keep(h, data, len);
	post(h, (struct message){ .type = BATCH, .sync_id = h->sync_id, .no = no, .data = data, .len = len });
}

static void batch(struct host *h, const struct message *m)
{
	enum apply result = sync_apply(h, m->data, m->len);

	if (result == APPLY_OK)
		daemon_of(h)->unconfirmed = false;
	say(name_of(h), "batch %llu: %s", (unsigned long long)m->no, result == APPLY_OK ? "held" : "refused");
	if (result == APPLY_OK && one_in(40))
		CHECK("a batch that comes twice is held", sync_apply(h, m->data, m->len) == APPLY_OK);
	CHECK("12: nothing is applied by a host that speaks", result != APPLY_OK || h->role == STANDBY);
	post(h, (struct message){ .type = result == APPLY_OK ? HELD : REFUSED, .sync_id = m->sync_id, .no = m->no });
}

static void refused(struct host *h)
{
	struct daemon *d = daemon_of(h);

	d->preparing = false;
	if (h->attached && h->sync == SYNC_DONE)
		d->unattached_us = now_us;
	sync_detach(h);
	d->attach_at_us = now_us + RETRY_US;
}

/* A host that spoke until now may have told the LAN so later than this one did. */
static void take_state(struct host *h, const struct policy_host *state)
{
	struct daemon *d = daemon_of(h);
	struct policy_view view;

	if (d->peer_met && policy_speaks(d->peer.role) && !policy_speaks(state->role) && speaks(h) && !h->announce_us)
		h->announce_us = now_us + 1 + rnd(swarm.announce_us + 1);
	d->peer = *state;
	view = view_of(h);
	if (policy_confirms(&view, state))
		d->unconfirmed = false;
	/* Here everything goes by the link, in order. */
	if (policy_outdates(&view, state, true))
		sync_outdate(h, h->sync_id);
}

static void receive(struct host *h, const struct message *m)
{
	struct daemon *d = daemon_of(h);

	switch (m->type) {
	case STATE:
		take_state(h, &m->state);
		d->settled_us = d->linkup ? d->settled_us : now_us;
		d->peer_met = d->linkup = true;
		break;
	case PREPARE:
		if (speaks(h))
			post(h, (struct message){ .type = REFUSED });
		else
			post(h, (struct message){ .type = READY, .sync_id = h->sync_id, .no = h->held_no });
		break;
	case READY:
		d->preparing = false;
		if (h->role == DETACHED)
			d->unattached_us = now_us;
		if (!sync_attach(h, m->sync_id, m->no))
			d->attach_at_us = now_us + RETRY_US;
		break;
	case BATCH:
		batch(h, m);
		break;
	case HELD:
		sync_ack(h, m->sync_id, m->no);
		break;
	case REFUSED:
		refused(h);
		break;
	}
	daemon_look(h);
}

void daemon_deliver(struct event *event)
{
	struct host *h = &hosts[event->to];

	if (bug != BUG_old_link_heard && event->link != the_link.no)
		return;
	if (h->alive && daemon_of(h)->up)
		receive(h, event->message);
}

/* ---- life ---- */

void daemon_start(struct host *h)
{
	struct daemon *d = daemon_of(h);

	memset(d, 0, sizeof(*d));
	d->up = true;
	d->instance = (u64)rnd(0x7fffffff) << 1 | (h - hosts);
	d->heard_us = d->unattached_us = now_us;
	d->unconfirmed = h->sync == SYNC_DONE;
	daemon_look(h);
}

/* Killed, or with its host. */
void daemon_stop(struct host *h)
{
	struct daemon *d = daemon_of(h);

	link_break();
	memset(d, 0, sizeof(*d));
	d->start_us = now_us + 1 + rnd(swarm.stall ? 3 * S : 200 * MS);
	sync_detach(h);
}

bool daemon_knows(const struct host *h)
{
	const struct daemon *d = &daemons[h - hosts];

	return d->up && !d->unconfirmed;
}

static bool may_connect(void)
{
	return !the_link.whole && hosts[0].alive && hosts[1].alive && daemons[0].up && daemons[1].up && !daemons[0].connected &&
	       !daemons[1].connected && now_us >= the_link.cut_until_us;
}

static void sooner(u64 *at_us, u64 due_us)
{
	if (due_us && due_us < *at_us)
		*at_us = due_us;
}

bool daemon_next(u64 *at_us)
{
	u64 at = ~0ull;
	u32 i;

	for (i = 0; i < HOSTS; i++) {
		if (!hosts[i].alive)
			continue;
		if (!daemons[i].up)
			sooner(&at, max(daemons[i].start_us, now_us));
		else if (daemons[i].connected)
			sooner(&at, daemons[i].notice_us);
		sooner(&at, daemons[i].up ? daemons[i].again_us : 0);
	}
	if (may_connect())
		sooner(&at, the_link.connect_us ? the_link.connect_us : now_us);
	else if (!the_link.whole && the_link.cut_until_us > now_us)
		sooner(&at, the_link.cut_until_us);
	*at_us = at;
	return at != ~0ull;
}

void daemon_timers(void)
{
	u32 i;

	for (i = 0; i < HOSTS; i++) {
		struct daemon *d = &daemons[i];
		struct host *h = &hosts[i];

		if (!h->alive)
			continue;
		if (!d->up && d->start_us <= now_us)
			daemon_start(h);
		if (d->notice_us && d->notice_us <= now_us) {
			d->notice_us = 0;
			link_lost(h);
		}
		if (d->again_us && d->again_us <= now_us) {
			d->again_us = 0;
			daemon_look(h);
		}
	}
	if (!may_connect()) {
		the_link.connect_us = 0;
	} else if (!the_link.connect_us) {
		the_link.connect_us = now_us + 1 + rnd(50 * MS);
	} else if (the_link.connect_us <= now_us) {
		the_link.connect_us = 0;
		connect();
	}
}
