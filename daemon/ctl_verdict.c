// SPDX-License-Identifier: GPL-2.0
/* What a group's attributes mean to a person. No I/O: test_verdict.c goes through all of it. */
#include <stdarg.h>
#include <string.h>
#include "ctl.h"
#include "ctl_verdict.h"

static const struct {
	const char *word, *key;
	int exit_status;
} kinds[] = {
	[CTL_VERDICT_PROTECTED] = { "PROTECTED", "protected", CTL_EXIT_OK },
	[CTL_VERDICT_READY] = { "STANDBY", "standby-ready", CTL_EXIT_OK },
	[CTL_VERDICT_SYNCING] = { "SYNCING", "syncing", CTL_EXIT_UNPROTECTED },
	[CTL_VERDICT_STANDBY_SYNCING] = { "STANDBY, syncing", "standby-syncing", CTL_EXIT_UNPROTECTED },
	[CTL_VERDICT_CUT_OFF] = { "STANDBY, cut off", "standby-cut-off", CTL_EXIT_UNPROTECTED },
	[CTL_VERDICT_NOT_IN_SYNC] = { "STANDBY, not in sync", "standby-not-in-sync", CTL_EXIT_UNPROTECTED },
	[CTL_VERDICT_UNPROTECTED] = { "UNPROTECTED", "unprotected", CTL_EXIT_UNPROTECTED },
	[CTL_VERDICT_STALLED] = { "STALLED", "stalled", CTL_EXIT_UNPROTECTED },
	[CTL_VERDICT_UNKNOWN] = { "UNKNOWN", "unknown", CTL_EXIT_UNPROTECTED },
	[CTL_VERDICT_NO_GROUP] = { "NO GROUP", "no-group", CTL_EXIT_UNPROTECTED },
	[CTL_VERDICT_NO_MODULE] = { "NO MODULE", "no-module", CTL_EXIT_NO_MODULE },
};

static void set_kind(struct ctl_verdict *verdict, enum ctl_verdict_kind kind)
{
	memset(verdict, 0, sizeof(*verdict));
	verdict->kind = kind;
	verdict->word = kinds[kind].word;
	verdict->key = kinds[kind].key;
	verdict->exit_status = kinds[kind].exit_status;
}

__attribute__((format(printf, 2, 3)))
static void set_what(struct ctl_verdict *verdict, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(verdict->what, sizeof(verdict->what), fmt, args);
	va_end(args);
}

/* An option that points a command at this group: nothing for the default one. */
static const char *option(const struct ctl_item *group, char text[FTCP_GROUP_NAME_MAX + 8])
{
	text[0] = '\0';
	if (*group->group && strcmp(group->group, FTCP_GROUP_DEFAULT))
		snprintf(text, FTCP_GROUP_NAME_MAX + 8, "-g %s ", group->group);
	return text;
}

/* Role and sync state have been what they are since the later of their two changes. */
static void since_both(const struct ctl_item *group, struct ctl_verdict *verdict)
{
	static const int since[] = { FTCP_A_ROLE_MS, FTCP_A_SYNC_MS };

	for (size_t i = 0; i < sizeof(since) / sizeof(since[0]); i++) {
		uint64_t ms = group->value[since[i]];

		if (group->has[since[i]] && (!verdict->has_since || ms < verdict->since_ms))
			verdict->since_ms = ms;
		verdict->has_since |= group->has[since[i]];
	}
}

/* What a standby that was not told holds is old from then on; its daemon knows only as long as it remembers its primary's last word. */
#define AFTER_DETACH "; then do not start the standby's ftcp-syncd again unless this host's runs and is in reach"

static void no_daemon(const struct ctl_item *group, struct ctl_verdict *verdict)
{
	char g[FTCP_GROUP_NAME_MAX + 8];

	set_kind(verdict, CTL_VERDICT_STALLED);
	set_what(verdict, "no ftcp-syncd is attached, so nothing reaches a standby; connections wait");
	snprintf(verdict->advice, sizeof(verdict->advice),
		 "start ftcp-syncd; if it runs, its log says why it has no standby; "
		 "or go on alone, unprotected: 'ftcpctl %sdetach'" AFTER_DETACH, option(group, g));
	/* In another sync state the daemon left after that state began: unknown when. */
	if (group->has[FTCP_A_SYNC_STATE] && group->value[FTCP_A_SYNC_STATE] == FTCP_SYNC_NONE)
		since_both(group, verdict);
}

static void no_answer(const struct ctl_item *group, struct ctl_verdict *verdict)
{
	char g[FTCP_GROUP_NAME_MAX + 8];

	set_kind(verdict, CTL_VERDICT_STALLED);
	verdict->has_since = true;
	verdict->since_ms = group->value[FTCP_A_LAG_MS];
	set_what(verdict, "the standby does not acknowledge; connections wait");
	snprintf(verdict->advice, sizeof(verdict->advice),
		 "look at the standby and the link to it; or go on alone, unprotected: 'ftcpctl %sdetach'" AFTER_DETACH,
		 option(group, g));
}

/* The services of a group by what they promise. */
struct promises {
	size_t all, n[__FTCP_PROTECTION_MAX];
	const struct ctl_item *first[__FTCP_PROTECTION_MAX];
};

static void count_promises(const struct ctl_item *group, const struct ctl_items *services, struct promises *promises)
{
	memset(promises, 0, sizeof(*promises));
	for (size_t i = 0; services && i < services->n; i++) {
		const struct ctl_item *service = &services->v[i];
		uint64_t how = service->value[FTCP_A_SERVICE_PROTECTION];

		if (strcmp(service->group, group->group))
			continue;
		promises->all++;
		if (how >= __FTCP_PROTECTION_MAX)
			continue;
		if (!promises->n[how]++)
			promises->first[how] = service;
	}
}

/* "port 80", or "192.0.2.1:80", and how many more of the kind there are. */
static const char *promise_text(const struct promises *promises, enum ftcp_protection how, char text[CTL_ADDR_LEN + 40])
{
	const struct ctl_item *service = promises->first[how];
	uint16_t port = (uint16_t)service->value[FTCP_A_SERVICE_PORT];
	char place[CTL_ADDR_LEN], more[32] = "";

	if (promises->n[how] > 1)
		snprintf(more, sizeof(more), " and %zu more", promises->n[how] - 1);
	if (service->service.family)
		snprintf(text, CTL_ADDR_LEN + 40, "%s%s", ctl_endpoint_text(&service->service, port, place), more);
	else
		snprintf(text, CTL_ADDR_LEN + 40, "port %u%s", port, more);
	return text;
}

/* The standby holds what it was promised: that is not everything of an async service, and nothing of one without protection. */
static void of_protected(const struct ctl_item *group, const struct ctl_items *services, struct ctl_verdict *verdict)
{
	char async[CTL_ADDR_LEN + 40], none[CTL_ADDR_LEN + 40];
	struct promises promises;

	count_promises(group, services, &promises);
	set_kind(verdict, CTL_VERDICT_PROTECTED);
	if (promises.all && promises.n[FTCP_PROTECTION_NONE] == promises.all) {
		set_kind(verdict, CTL_VERDICT_UNPROTECTED);
		set_what(verdict, "no service is protected (protection none): if this host dies, its connections die");
		snprintf(verdict->advice, sizeof(verdict->advice),
			 "if that is not meant: delete the services and add them with '--protection sync', on both hosts");
	} else if (promises.n[FTCP_PROTECTION_ASYNC] && promises.n[FTCP_PROTECTION_NONE]) {
		set_what(verdict, "the standby holds the connections, but the last moment of %s (async) may be lost, and those of %s (none) are not protected",
			 promise_text(&promises, FTCP_PROTECTION_ASYNC, async), promise_text(&promises, FTCP_PROTECTION_NONE, none));
	} else if (promises.n[FTCP_PROTECTION_ASYNC]) {
		set_what(verdict, "the standby holds the connections, but the last moment of %s (async) may be lost",
			 promise_text(&promises, FTCP_PROTECTION_ASYNC, async));
	} else if (promises.n[FTCP_PROTECTION_NONE]) {
		set_what(verdict, "the standby holds the connections, but those of %s (none) are not protected",
			 promise_text(&promises, FTCP_PROTECTION_NONE, none));
	} else {
		set_what(verdict, "every connection is held by the standby");
	}
}

static void of_primary(const struct ctl_item *group, const struct ctl_items *services, struct ctl_verdict *verdict)
{
	char g[FTCP_GROUP_NAME_MAX + 8];
	bool done = group->has[FTCP_A_SYNC_STATE] && group->value[FTCP_A_SYNC_STATE] == FTCP_SYNC_DONE;

	if (group->has[FTCP_A_ATTACHED] && !group->value[FTCP_A_ATTACHED]) {
		no_daemon(group, verdict);
		return;
	}
	if (group->has[FTCP_A_LAG_MS] && group->value[FTCP_A_LAG_MS] > CTL_LAG_MAX_MS) {
		no_answer(group, verdict);
		return;
	}
	if (done) {
		of_protected(group, services, verdict);
	} else {
		set_kind(verdict, CTL_VERDICT_SYNCING);
		if (group->has[FTCP_A_UNSYNCED])
			set_what(verdict, "the standby is brought up to date: %llu of %llu connections to go",
				 (unsigned long long)group->value[FTCP_A_UNSYNCED],
				 (unsigned long long)group->value[FTCP_A_CONNS]);
		else
			set_what(verdict, "the standby is brought up to date");
		snprintf(verdict->advice, sizeof(verdict->advice),
			 "wait: 'ftcpctl %swait --for protected'; do not stop this host before", option(group, g));
	}
	since_both(group, verdict);
}

/* In step with the primary at some time, and not since: it may have gone on without this host. */
static bool is_cut_off(const struct ctl_item *group, uint64_t sync)
{
	return (sync == FTCP_SYNC_DONE || sync == FTCP_SYNC_RUNNING) && group->has[FTCP_A_LAG_MS] &&
	       group->value[FTCP_A_LAG_MS] > CTL_CUT_OFF_MS;
}

static void cut_off(const struct ctl_item *group, uint64_t sync, struct ctl_verdict *verdict)
{
	char g[FTCP_GROUP_NAME_MAX + 8];

	set_kind(verdict, CTL_VERDICT_CUT_OFF);
	verdict->has_since = true;
	verdict->since_ms = group->value[FTCP_A_LAG_MS];
	set_what(verdict, sync == FTCP_SYNC_DONE ? "nothing comes from the primary any more: what this host holds grows old" :
						   "nothing comes from the primary any more, and not everything had come");
	snprintf(verdict->advice, sizeof(verdict->advice),
		 "is ftcp-syncd running here and on the primary, and does the link between them stand? Their logs say; if the primary is gone for good: "
		 "'ftcpctl %spromote%s'", option(group, g), sync == FTCP_SYNC_DONE ? "" : " --force");
}

static void of_standby(const struct ctl_item *group, struct ctl_verdict *verdict)
{
	uint64_t sync = group->has[FTCP_A_SYNC_STATE] ? group->value[FTCP_A_SYNC_STATE] : FTCP_SYNC_NONE;
	char g[FTCP_GROUP_NAME_MAX + 8];

	if (is_cut_off(group, sync)) {
		cut_off(group, sync, verdict);
		return;
	}
	switch (sync) {
	case FTCP_SYNC_DONE:
		set_kind(verdict, CTL_VERDICT_READY);
		set_what(verdict, "ready to take over");
		break;
	case FTCP_SYNC_RUNNING:
		set_kind(verdict, CTL_VERDICT_STANDBY_SYNCING);
		set_what(verdict, "the primary's connections are on their way");
		snprintf(verdict->advice, sizeof(verdict->advice),
			 "wait: 'ftcpctl %swait --for ready'", option(group, g));
		break;
	default:
		set_kind(verdict, CTL_VERDICT_NOT_IN_SYNC);
		set_what(verdict, "not synchronised: this host holds nothing it could take over with");
		snprintf(verdict->advice, sizeof(verdict->advice),
			 "is ftcp-syncd running here, and does it reach a primary? Its log says; "
			 "with no primary left, serve new connections: 'ftcpctl %spromote --force'",
			 option(group, g));
	}
	since_both(group, verdict);
}

static void of_detached(const struct ctl_item *group, struct ctl_verdict *verdict)
{
	set_kind(verdict, CTL_VERDICT_UNPROTECTED);
	set_what(verdict, "detached: this host speaks alone; if it dies, its connections die");
	snprintf(verdict->advice, sizeof(verdict->advice),
		 "start ftcp-syncd here and on the standby; they synchronise by themselves");
	verdict->has_since = group->has[FTCP_A_ROLE_MS];
	verdict->since_ms = group->value[FTCP_A_ROLE_MS];
}

void ctl_verdict(const struct ctl_item *group, const struct ctl_items *services, struct ctl_verdict *verdict)
{
	switch (group->has[FTCP_A_ROLE] ? group->value[FTCP_A_ROLE] : __FTCP_ROLE_MAX) {
	case FTCP_ROLE_PRIMARY:
		of_primary(group, services, verdict);
		break;
	case FTCP_ROLE_STANDBY:
		of_standby(group, verdict);
		break;
	case FTCP_ROLE_DETACHED:
		of_detached(group, verdict);
		break;
	default:
		set_kind(verdict, CTL_VERDICT_UNKNOWN);
		set_what(verdict, "the module names no role that this ftcpctl knows");
		snprintf(verdict->advice, sizeof(verdict->advice),
			 "use module and ftcpctl of the same version: 'modinfo ftcp', 'ftcpctl -V'");
	}
}

void ctl_verdict_no_group(const char *name, struct ctl_verdict *verdict)
{
	set_kind(verdict, CTL_VERDICT_NO_GROUP);
	if (name)
		set_what(verdict, "there is no group '%s'; nothing is served for it", name);
	else
		set_what(verdict, "the module has no group: nothing is served");
	snprintf(verdict->advice, sizeof(verdict->advice),
		 "'ftcpctl group add NAME', then 'ftcpctl -g NAME service add echo --port PORT'");
}

void ctl_verdict_no_module(struct ctl_verdict *verdict)
{
	set_kind(verdict, CTL_VERDICT_NO_MODULE);
	set_what(verdict, "the kernel module ftcp is not loaded");
	snprintf(verdict->advice, sizeof(verdict->advice),
		 "load it: 'modprobe ftcp port=PORT', or 'insmod ftcp.ko port=PORT'");
}
