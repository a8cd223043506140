// SPDX-License-Identifier: GPL-2.0
/* The decision table of policy.c, row by row, and what must hold between any two hosts. Prints TAP. */
#include <stdlib.h>
#include "policy.h"
#include "tap.h"

#define NOW 1000000u

static const struct policy_config config = {
	.heartbeat_ms = 100, .dead_after_ms = 1000, .restart_grace_ms = 10000, .detach_after_ms = 2000,
};

static struct policy_host host(enum ftcp_role role, enum ftcp_sync_state sync, uint64_t epoch)
{
	return (struct policy_host){ .role = role, .sync = sync, .epoch = epoch, .instance = 7, .prefers_primary = true };
}

/* This host prefers primary, its peer standby; the link is up, everything is recent. */
static struct policy_view view_of(struct policy_host self, struct policy_host peer)
{
	peer.instance = 9;
	peer.prefers_primary = false;
	return (struct policy_view){ .now_ms = NOW, .config = config, .self = self, .peer = peer, .peer_met = true,
				     .link_up = true, .heard_ms = NOW, .unattached_ms = NOW };
}

static struct policy_view alone(struct policy_host self)
{
	struct policy_view view = view_of(self, host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 0));

	view.link_up = false;
	view.peer_met = false;
	return view;
}

static struct policy_view lost(struct policy_host self, struct policy_host peer, uint64_t silent_ms)
{
	struct policy_view view = view_of(self, peer);

	view.link_up = false;
	view.heard_ms = NOW - silent_ms;
	return view;
}

static void expect(const struct policy_view *view, enum policy_action action, enum policy_why why, const char *name)
{
	struct policy_decision decision = policy_decide(view);

	tap_ok(decision.action == action && decision.why == why, name);
	if (decision.action != action || decision.why != why)
		printf("# action %d, why %s\n", decision.action, policy_why_text(decision.why));
}

static void expect_epoch(const struct policy_view *view, uint64_t epoch, bool force, const char *name)
{
	struct policy_decision decision = policy_decide(view);

	tap_ok(decision.epoch == epoch && decision.force == force && !decision.fresh, name);
}

static void expect_fresh(const struct policy_view *view, uint64_t epoch, const char *name)
{
	struct policy_decision decision = policy_decide(view);

	tap_ok(decision.epoch == epoch && decision.fresh && !decision.force, name);
}

static void expect_again(const struct policy_view *view, uint64_t again_ms, const char *name)
{
	tap_ok(policy_decide(view).again_ms == again_ms, name);
}

/* ---- this host speaks, the link is up ---- */

static void speaking(void)
{
	struct policy_host self = host(FTCP_ROLE_PRIMARY, FTCP_SYNC_DONE, 5);
	struct policy_view view = view_of(self, host(FTCP_ROLE_DETACHED, FTCP_SYNC_NONE, 6));

	expect(&view, POLICY_DEMOTE, POLICY_HIGHER_EPOCH, "speaking__peer_speaks_higher_epoch");
	expect_epoch(&view, 6, false, "speaking__demoted_to_the_peer's_epoch");
	view.retry_at_ms = NOW + 500;
	expect(&view, POLICY_DEMOTE, POLICY_HIGHER_EPOCH, "speaking__falling_silent_is_not_put_off");
	view = view_of(self, host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 6));
	expect(&view, POLICY_DEMOTE, POLICY_HIGHER_EPOCH, "speaking__standby_with_higher_epoch");
	view = view_of(self, host(FTCP_ROLE_DETACHED, FTCP_SYNC_NONE, 4));
	expect(&view, POLICY_WAIT, POLICY_PEER_YIELDS, "speaking__peer_speaks_lower_epoch");
	view = view_of(self, host(FTCP_ROLE_DETACHED, FTCP_SYNC_NONE, 5));
	expect(&view, POLICY_WAIT, POLICY_PEER_YIELDS, "speaking__same_epoch_preferred_stays");
	view.self.prefers_primary = false;
	view.peer.prefers_primary = true;
	expect(&view, POLICY_DEMOTE, POLICY_SAME_EPOCH, "speaking__same_epoch_other_yields");
	expect_epoch(&view, 5, true, "speaking__same_epoch_is_forced");
	view.self.prefers_primary = true;
	expect(&view, POLICY_WAIT, POLICY_PEER_YIELDS, "speaking__same_preference_smaller_instance_stays");
	view.self.instance = 10;
	expect(&view, POLICY_DEMOTE, POLICY_SAME_EPOCH, "speaking__same_preference_larger_instance_yields");
}

static void serving(void)
{
	struct policy_host peer = host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 0);
	struct policy_view view = view_of(host(FTCP_ROLE_DETACHED, FTCP_SYNC_NONE, 5), peer);

	expect(&view, POLICY_ATTACH, POLICY_STANDBY_HERE, "serving__a_fresh_standby");
	view.attach_at_ms = NOW + 300;
	expect(&view, POLICY_WAIT, POLICY_RETRY, "serving__not_at_once_after_a_failure");
	expect_again(&view, NOW + 300, "serving__but_then");
	view.attach_at_ms = 0;
	view.attached = true;
	expect(&view, POLICY_WAIT, POLICY_PROTECTING, "serving__attached");
	view = view_of(host(FTCP_ROLE_PRIMARY, FTCP_SYNC_NONE, 5), peer);
	view.config.detach = true;
	view.unattached_ms = NOW - 2000;
	view.attach_at_ms = NOW + 300;
	expect(&view, POLICY_DETACH, POLICY_STANDBY_LOST, "serving__a_standby_that_cannot_be_attached_is_none");
	view.unattached_ms = NOW - 1900;
	expect_again(&view, NOW + 100, "serving__detach_comes_before_the_next_attempt");
}

/* ---- this host speaks, alone ---- */

static void without_standby(void)
{
	struct policy_host peer = host(FTCP_ROLE_STANDBY, FTCP_SYNC_DONE, 5);
	struct policy_view view = lost(host(FTCP_ROLE_PRIMARY, FTCP_SYNC_NONE, 5), peer, 60000);

	view.unattached_ms = NOW - 60000;
	expect(&view, POLICY_WAIT, POLICY_STALLED, "without_standby__stall");
	view.config.detach = true;
	expect(&view, POLICY_DETACH, POLICY_STANDBY_LOST, "without_standby__detach");
	view.unattached_ms = NOW - 1999;
	expect(&view, POLICY_WAIT, POLICY_LOST_STANDBY, "without_standby__detach_not_yet");
	expect_again(&view, NOW + 1, "without_standby__detach_in_time");
	view.peer_met = false;
	view.unattached_ms = NOW - 2000;
	expect(&view, POLICY_DETACH, POLICY_STANDBY_LOST, "without_standby__never_met");
	view.self.role = FTCP_ROLE_DETACHED;
	expect(&view, POLICY_WAIT, POLICY_ALONE, "without_standby__detached_already");
}

/* ---- takeover ---- */

static void takeover(void)
{
	struct policy_host self = host(FTCP_ROLE_STANDBY, FTCP_SYNC_DONE, 5), peer = host(FTCP_ROLE_PRIMARY, FTCP_SYNC_DONE, 5);
	struct policy_view view = lost(self, peer, 1000);

	expect(&view, POLICY_PROMOTE, POLICY_PEER_DEAD, "takeover__after_dead_after_ms");
	expect_epoch(&view, 6, false, "takeover__next_epoch_not_forced");
	view.peer.epoch = 8;
	expect_epoch(&view, 9, false, "takeover__above_the_peer's_epoch");
	view = lost(self, peer, 999);
	expect(&view, POLICY_WAIT, POLICY_PEER_SILENT, "takeover__not_before");
	expect_again(&view, NOW + 1, "takeover__in_time");
	view = lost(self, peer, 9999);
	view.peer_left = true;
	expect(&view, POLICY_WAIT, POLICY_PEER_RESTARTS, "takeover__grace_after_goodbye");
	view.heard_ms--;
	expect(&view, POLICY_PROMOTE, POLICY_PEER_DEAD, "takeover__grace_ends");
	view = lost(self, peer, 5000);
	view.frozen_until_ms = NOW + 10;
	expect(&view, POLICY_WAIT, POLICY_FROZEN, "takeover__not_right_after_being_frozen");
	expect_again(&view, NOW + 10, "takeover__soon_after_being_frozen");
	view = lost(self, peer, 5000);
	view.retry_at_ms = NOW + 10;
	expect(&view, POLICY_WAIT, POLICY_RETRY, "takeover__not_at_once_after_a_refusal");
}

static void no_takeover(void)
{
	struct policy_host self = host(FTCP_ROLE_STANDBY, FTCP_SYNC_RUNNING, 5), peer = host(FTCP_ROLE_PRIMARY, FTCP_SYNC_RUNNING, 5);
	struct policy_view view = lost(self, peer, 60000);

	expect(&view, POLICY_WAIT, POLICY_NOT_IN_SYNC, "no_takeover__resync_was_running");
	view.self.sync = FTCP_SYNC_NONE;
	expect(&view, POLICY_WAIT, POLICY_NOT_IN_SYNC, "no_takeover__nothing_is_here");
	view.self.sync = FTCP_SYNC_DONE;
	view.peer.role = FTCP_ROLE_DETACHED;
	expect(&view, POLICY_WAIT, POLICY_STALE, "no_takeover__peer_went_on_alone");
	view.peer_met = false;
	view.heard_ms = NOW - 9999;
	expect(&view, POLICY_WAIT, POLICY_PEER_UNHEARD, "takeover__daemon_restarted_waits_for_a_word");
	expect_again(&view, NOW + 1, "takeover__daemon_restarted_in_time");
	view.heard_ms = NOW - 10000;
	expect(&view, POLICY_PROMOTE, POLICY_PEER_DEAD, "takeover__daemon_restarted_policy_stall");
	view.config.restart_grace_ms = 0;
	view.heard_ms = NOW - 999;
	expect(&view, POLICY_WAIT, POLICY_PEER_UNHEARD, "takeover__daemon_restarted_not_before_dead_after_ms");
	view.heard_ms = NOW - 10000;
	view.config.detach = true;
	expect(&view, POLICY_WAIT, POLICY_STALE, "no_takeover__daemon_restarted_policy_detach");
	view = view_of(host(FTCP_ROLE_STANDBY, FTCP_SYNC_DONE, 5), peer);
	view.heard_ms = NOW - 5000;
	expect(&view, POLICY_WAIT, POLICY_FOLLOWING, "no_takeover__while_the_link_is_up");
}

static void start(void)
{
	struct policy_view view = alone(host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 0));

	view.heard_ms = NOW - 60000;
	expect(&view, POLICY_WAIT, POLICY_NEVER_MET, "start__waits_for_ever");
	tap_ok(!policy_decide(&view).again_ms, "start__without_a_timer");
	view.config.alone_after_ms = 5000;
	expect(&view, POLICY_PROMOTE, POLICY_START_ALONE, "start__alone");
	expect_fresh(&view, 1, "start__alone_is_fresh");
	view.stored_epoch = 6;
	expect_fresh(&view, 7, "start__alone_above_what_it_was_ever_in");
	view.self.epoch = 3;
	expect(&view, POLICY_WAIT, POLICY_NEVER_MET, "start__not_alone_when_it_has_served_before");
	view.self.epoch = 0;
	view.heard_ms = NOW - 4000;
	expect_again(&view, NOW + 1000, "start__alone_in_time");
}

/* ---- election ---- */

static void election(void)
{
	struct policy_host none = host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 0), done = host(FTCP_ROLE_STANDBY, FTCP_SYNC_DONE, 5);
	struct policy_view view = view_of(none, none);

	expect(&view, POLICY_PROMOTE, POLICY_ELECTED_FRESH, "election__both_fresh_preferred");
	expect_fresh(&view, 1, "election__begins_anew");
	view.settled_ms = NOW - 299;
	expect(&view, POLICY_WAIT, POLICY_SETTLING, "election__not_before_the_peer_had_its_say");
	view.settled_ms = NOW - 300;
	expect(&view, POLICY_PROMOTE, POLICY_ELECTED_FRESH, "election__after_three_heartbeats");
	view.self.prefers_primary = false;
	view.peer.prefers_primary = true;
	expect(&view, POLICY_WAIT, POLICY_PEER_ELECTED, "election__both_fresh_other");
	view = view_of(done, none);
	view.self.prefers_primary = false;
	expect(&view, POLICY_PROMOTE, POLICY_ELECTED_IN_SYNC, "election__handover");
	expect_epoch(&view, 6, false, "election__handover_is_not_forced");
	view = view_of(none, done);
	expect(&view, POLICY_WAIT, POLICY_PEER_ELECTED, "election__the_peer_has_the_state");
	view = view_of(done, done);
	view.peer.epoch = 6;
	expect(&view, POLICY_WAIT, POLICY_PEER_ELECTED, "election__higher_epoch_there");
	view.self.epoch = 7;
	expect(&view, POLICY_PROMOTE, POLICY_ELECTED_NEWEST, "election__higher_epoch_here");
	view.peer.epoch = 7;
	view.peer.batch_no = 3;
	expect(&view, POLICY_WAIT, POLICY_PEER_ELECTED, "election__higher_batch_there");
	view.self.batch_no = 3;
	expect(&view, POLICY_PROMOTE, POLICY_ELECTED_NEWEST, "election__tie_preferred");
	view = view_of(none, host(FTCP_ROLE_PRIMARY, FTCP_SYNC_DONE, 5));
	expect(&view, POLICY_WAIT, POLICY_FOLLOWING, "standby__follows");
	view.self.epoch = 6;
	expect(&view, POLICY_WAIT, POLICY_PEER_YIELDS, "standby__primary_of_the_past_will_yield");
}

/* ---- what a host was in before it was started again ---- */

static struct policy_host forgot(struct policy_host said)
{
	said.forgot = true;
	return said;
}

static void epochs(void)
{
	struct policy_host none = host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 0);
	struct policy_view view = view_of(none, host(FTCP_ROLE_PRIMARY, FTCP_SYNC_NONE, 5));
	struct policy_host word = policy_word(&view);

	tap_ok(!word.epoch && !word.forgot, "epochs__the_kernel's_is_said");
	view.stored_epoch = 6;
	word = policy_word(&view);
	tap_ok(word.epoch == 6 && word.forgot, "epochs__or_what_it_was_in_before");
	expect(&view, POLICY_WAIT, POLICY_PEER_YIELDS, "epochs__a_primary_of_the_past_will_yield");
	view.self.epoch = 6;
	word = policy_word(&view);
	tap_ok(word.epoch == 6 && !word.forgot, "epochs__nothing_forgotten");
	/* What the host says that was primary before, and was cut off all the while. */
	view = view_of(host(FTCP_ROLE_PRIMARY, FTCP_SYNC_NONE, 5), forgot(host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 6)));
	expect(&view, POLICY_DEMOTE, POLICY_HIGHER_EPOCH, "epochs__gives_way_to_who_forgot");
	expect_epoch(&view, 6, false, "epochs__to_its_epoch");
	view = view_of(host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 6), forgot(host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 6)));
	expect_fresh(&view, 7, "epochs__and_what_it_held_is_not_heard_of_again");
	view = view_of(none, none);
	view.stored_epoch = 6;
	expect_fresh(&view, 7, "epochs__elected_above_it");
	view.self = host(FTCP_ROLE_STANDBY, FTCP_SYNC_DONE, 5);
	view.link_up = false;
	view.heard_ms = NOW - 5000;
	expect_epoch(&view, 7, false, "epochs__takeover_above_it");
}

/* By a person, who cannot know: its kernel begins at 1. */
static void promoted_by_hand(void)
{
	struct policy_view view = view_of(host(FTCP_ROLE_DETACHED, FTCP_SYNC_NONE, 1), forgot(host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 6)));

	view.stored_epoch = 6;
	expect(&view, POLICY_ATTACH, POLICY_STANDBY_HERE, "by_hand__two_that_forgot_get_along");
	view.peer.forgot = false;
	expect(&view, POLICY_DEMOTE, POLICY_HIGHER_EPOCH, "by_hand__a_kernel_of_a_higher_epoch_takes_nothing_of_ours");
	view.peer = forgot(host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 7));
	expect(&view, POLICY_DEMOTE, POLICY_HIGHER_EPOCH, "by_hand__gives_way_to_who_was_later");
	view.peer = host(FTCP_ROLE_PRIMARY, FTCP_SYNC_NONE, 6);
	expect(&view, POLICY_DEMOTE, POLICY_SAME_EPOCH, "by_hand__gives_way_to_who_did_not_forget");
	expect_epoch(&view, 6, true, "by_hand__to_the_same_epoch");
	view = view_of(host(FTCP_ROLE_PRIMARY, FTCP_SYNC_NONE, 6), forgot(host(FTCP_ROLE_DETACHED, FTCP_SYNC_NONE, 6)));
	view.self.prefers_primary = false;
	expect(&view, POLICY_WAIT, POLICY_PEER_YIELDS, "by_hand__which_stays");
}

/* ---- is it the latest? ---- */

static void outdated(void)
{
	struct policy_host word = host(FTCP_ROLE_DETACHED, FTCP_SYNC_NONE, 5);
	struct policy_view view = view_of(host(FTCP_ROLE_STANDBY, FTCP_SYNC_DONE, 5), word);

	view.self.sync_id = 77;
	tap_ok(policy_outdates(&view, &word, true), "outdated__by_one_that_went_on_alone");
	tap_ok(!policy_outdates(&view, &word, false), "outdated__not_if_it_may_have_been_said_before");
	word.epoch = 4;
	tap_ok(!policy_outdates(&view, &word, true), "outdated__not_by_one_of_the_past");
	word = host(FTCP_ROLE_PRIMARY, FTCP_SYNC_RUNNING, 5);
	word.sync_id = 78;
	tap_ok(policy_outdates(&view, &word, true) && !policy_confirms(&view, &word), "outdated__by_another_resync");
	word.sync_id = 0;
	tap_ok(!policy_outdates(&view, &word, true) && !policy_confirms(&view, &word), "outdated__not_by_none");
	word.sync_id = 77;
	tap_ok(!policy_outdates(&view, &word, true) && policy_confirms(&view, &word), "outdated__not_by_the_same");
	word.role = FTCP_ROLE_STANDBY;
	word.sync_id = 78;
	tap_ok(!policy_outdates(&view, &word, true) && !policy_confirms(&view, &word), "outdated__not_by_a_standby");
	word.role = FTCP_ROLE_DETACHED;
	view.self.sync = FTCP_SYNC_RUNNING;
	tap_ok(!policy_outdates(&view, &word, true), "outdated__not_what_is_not_in_sync");
	view.self.sync = FTCP_SYNC_DONE;
	view.self.role = FTCP_ROLE_PRIMARY;
	tap_ok(!policy_outdates(&view, &word, true), "outdated__not_who_speaks");
}

static void unconfirmed(void)
{
	struct policy_host done = host(FTCP_ROLE_STANDBY, FTCP_SYNC_DONE, 5);
	struct policy_view view = view_of(done, host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 0));

	view.self.sync_id = 77;
	view.unconfirmed = true;
	expect(&view, POLICY_PROMOTE, POLICY_ELECTED_IN_SYNC, "unconfirmed__good_enough_with_policy_stall");
	view.config.detach = true;
	expect(&view, POLICY_OUTDATE, POLICY_UNCONFIRMED, "unconfirmed__not_after_one_that_may_have_gone_on");
	tap_ok(policy_decide(&view).sync_id == 77, "unconfirmed__says_what_is_old");
	view.peer = forgot(host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 5));
	expect(&view, POLICY_OUTDATE, POLICY_UNCONFIRMED, "unconfirmed__though_it_knows_its_epoch_from_disk");
	view.peer.forgot = false;
	view.peer.prefers_primary = false;
	expect(&view, POLICY_PROMOTE, POLICY_ELECTED_IN_SYNC, "unconfirmed__a_peer_of_the_same_epoch_was_demoted");
	view.peer.sync = FTCP_SYNC_DONE;
	view.peer.forgot = true;
	expect(&view, POLICY_PROMOTE, POLICY_ELECTED_NEWEST, "unconfirmed__a_peer_in_sync_has_not_gone_on");
	view.peer = host(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE, 0);
	view.unconfirmed = false;
	expect(&view, POLICY_PROMOTE, POLICY_ELECTED_IN_SYNC, "unconfirmed__confirmed_is_good_enough");
}

/* ---- any two hosts ---- */

/* Its kernel and its disk. */
struct any {
	struct policy_host host;
	uint64_t stored_epoch;
};

static struct policy_view half(const struct any *self, const struct any *peer)
{
	struct policy_view view = { .now_ms = NOW, .config = config, .self = peer->host, .stored_epoch = peer->stored_epoch,
				    .peer_met = true, .link_up = true, .heard_ms = NOW, .unattached_ms = NOW };

	view.peer = policy_word(&view);
	view.self = self->host;
	view.stored_epoch = self->stored_epoch;
	return view;
}

static struct any any_host(void)
{
	struct policy_host any = { .role = rand() % __FTCP_ROLE_MAX, .sync = rand() % __FTCP_SYNC_MAX, .epoch = rand() % 3,
				   .batch_no = rand() % 3, .instance = 1 + rand(), .prefers_primary = rand() % 2 };

	return (struct any){ any, rand() % 4 ? any.epoch : (uint64_t)rand() % 4 };
}

/* What the kernel would do; false: it refuses. */
static bool obey(struct policy_host *self, const struct policy_decision *decision)
{
	if (decision->action == POLICY_PROMOTE) {
		if (self->role != FTCP_ROLE_STANDBY || decision->epoch <= self->epoch ||
		    (self->sync != FTCP_SYNC_DONE && !decision->fresh))
			return false;
		self->role = FTCP_ROLE_DETACHED;
		self->epoch = decision->epoch;
		self->sync = FTCP_SYNC_NONE;
	} else if (decision->action == POLICY_DEMOTE) {
		if (decision->epoch <= self->epoch && !decision->force)
			return false;
		self->role = FTCP_ROLE_STANDBY;
		self->sync = FTCP_SYNC_NONE;
		if (decision->epoch > self->epoch)
			self->epoch = decision->epoch;
	}
	return true;
}

/* From whatever state, hosts that hear each other end with one that speaks and one that does not, whoever acts first. */
static bool converges(void)
{
	struct any hosts[2] = { any_host(), any_host() };
	struct policy_decision decision;
	struct policy_view view;
	int quiet = 0;

	hosts[1].host.instance = hosts[0].host.instance + 1 + rand() % 5;
	for (int step = 0; step < 40 && quiet < 4; step++) {
		int who = rand() % 2;

		view = half(&hosts[who], &hosts[!who]);
		decision = policy_decide(&view);
		if (decision.action != POLICY_PROMOTE && decision.action != POLICY_DEMOTE) {
			quiet = step % 2 == 0 || quiet ? quiet + 1 : 0;
			continue;
		}
		quiet = 0;
		if (!obey(&hosts[who].host, &decision))
			return false;
	}
	for (int who = 0; who < 2; who++) {
		view = half(&hosts[who], &hosts[!who]);
		decision = policy_decide(&view);
		if (decision.action == POLICY_PROMOTE || decision.action == POLICY_DEMOTE)
			obey(&hosts[who].host, &decision);
	}
	return policy_speaks(hosts[0].host.role) + policy_speaks(hosts[1].host.role) <= 1 ||
	       hosts[0].host.epoch != hosts[1].host.epoch;
}

/* Two standbys that see the same never both stand up, and never both stay down. */
static bool elects_one(void)
{
	struct any a = any_host(), b = any_host();
	struct policy_view here, there;

	a.host.role = FTCP_ROLE_STANDBY;
	b.host.role = FTCP_ROLE_STANDBY;
	b.host.instance = a.host.instance + 1;
	here = half(&a, &b);
	there = half(&b, &a);
	return (policy_decide(&here).action == POLICY_PROMOTE) != (policy_decide(&there).action == POLICY_PROMOTE);
}

/* Of two that speak at least one yields, and never both. */
static bool silences_one(void)
{
	struct any a = any_host(), b = any_host();
	struct policy_view here, there;

	a.host.role = FTCP_ROLE_PRIMARY;
	b.host.role = FTCP_ROLE_DETACHED;
	b.host.instance = a.host.instance + 1;
	here = half(&a, &b);
	there = half(&b, &a);
	return (policy_decide(&here).action == POLICY_DEMOTE) != (policy_decide(&there).action == POLICY_DEMOTE);
}

static void any_two(void)
{
	bool good[3] = { true, true, true };

	srand(1);
	for (int i = 0; i < 100000; i++) {
		good[0] &= elects_one();
		good[1] &= silences_one();
		good[2] &= converges();
	}
	tap_ok(good[0], "any_two__exactly_one_is_elected");
	tap_ok(good[1], "any_two__exactly_one_yields");
	tap_ok(good[2], "any_two__converge_in_any_order");
}

/* ---- links and time ---- */

static void links(void)
{
	tap_ok(policy_keep_old(100, 1, 2, 2, true, false, 50) && !policy_keep_old(100, 1, 2, 2, false, true, 50) &&
	       !policy_keep_old(100, 2, 1, 1, true, false, 50) && policy_keep_old(100, 2, 1, 1, false, true, 50),
	       "keep_old__what_the_smaller_instance_connected");
	tap_ok(!policy_keep_old(100, 1, 2, 3, true, false, 50), "keep_old__not_when_the_peer_has_restarted");
	tap_ok(!policy_keep_old(100, 1, 2, 2, true, true, 50), "keep_old__not_when_connected_again");
	tap_ok(!policy_keep_old(100, 1, 2, 2, true, false, 201), "keep_old__not_when_silent");
}

static void frozen(void)
{
	tap_ok(policy_frozen_until(&config, NOW, 100, 5) == 5, "frozen__not_by_a_heartbeat");
	tap_ok(policy_frozen_until(&config, NOW, 1000, 5) == NOW + 300, "frozen__by_dead_after_ms");
	tap_ok(policy_frozen_until(&config, NOW, 500, 5) == NOW + 300, "frozen__by_half_of_it");
	tap_ok(policy_link_dead(&config, NOW, NOW - 1000, 0) && !policy_link_dead(&config, NOW, NOW - 999, 0),
	       "link_dead__after_dead_after_ms");
	tap_ok(!policy_link_dead(&config, NOW, NOW - 5000, NOW + 1), "link_dead__not_when_frozen");
	tap_ok(policy_attach_delay_ms(1) == 50 && policy_attach_delay_ms(2) == 1000 && policy_attach_delay_ms(4) == 4000 &&
	       policy_attach_delay_ms(99) == 16000,
	       "attach_delay__doubles_to_a_limit");
}

static void texts(void)
{
	bool good = true;

	for (int why = 0; why < __POLICY_WHY_MAX; why++)
		good &= policy_why_text(why) != NULL;
	tap_ok(good, "why_text__all");
	tap_ok(*policy_role_text(99) == '?' && *policy_sync_text(99) == '?', "texts__of_numbers_from_elsewhere");
}

int main(void)
{
	printf("TAP version 13\n");
	speaking();
	serving();
	without_standby();
	takeover();
	no_takeover();
	start();
	election();
	epochs();
	promoted_by_hand();
	outdated();
	unconfirmed();
	any_two();
	links();
	frozen();
	texts();
	return tap_end();
}
