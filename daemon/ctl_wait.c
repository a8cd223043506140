// SPDX-License-Identifier: GPL-2.0
/* wait: until the group is in a state. Subscribes first and looks then, so that no change falls between the two. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "ctl_netlink.h"
#include "ctl_verdict.h"

/* Look so often even without an event: some states (lag above all) change without one. */
#define POLL_MS 100

enum { OPT_FOR = 256, OPT_TIMEOUT };

static bool in_role(const struct ctl_item *group, enum ftcp_role role)
{
	return group->has[FTCP_A_ROLE] && group->value[FTCP_A_ROLE] == role;
}

static bool is_in_sync(const struct ctl_item *group)
{
	return group->has[FTCP_A_SYNC_STATE] && group->value[FTCP_A_SYNC_STATE] == FTCP_SYNC_DONE;
}

static bool is_protected(const struct ctl_item *group)
{
	struct ctl_verdict verdict;

	/* What the services promise is not what changes: this is about the hosts. */
	ctl_verdict(group, NULL, &verdict);
	return verdict.kind == CTL_VERDICT_PROTECTED;
}

static bool is_ready(const struct ctl_item *group)
{
	struct ctl_verdict verdict;

	ctl_verdict(group, NULL, &verdict);
	return verdict.kind == CTL_VERDICT_READY;
}

static bool is_primary(const struct ctl_item *group)
{
	return in_role(group, FTCP_ROLE_PRIMARY);
}

static bool is_standby(const struct ctl_item *group)
{
	return in_role(group, FTCP_ROLE_STANDBY);
}

static bool is_detached(const struct ctl_item *group)
{
	return in_role(group, FTCP_ROLE_DETACHED);
}

static bool is_active(const struct ctl_item *group)
{
	return is_primary(group) || is_detached(group);
}

static const struct state {
	const char *name;
	bool (*holds)(const struct ctl_item *group);
} states[] = {
	{ "protected", is_protected },
	{ "primary", is_primary },
	{ "standby", is_standby },
	{ "detached", is_detached },
	{ "active", is_active },
	{ "in-sync", is_in_sync },
	{ "ready", is_ready },
};

static const struct state *find_state(const char *name)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (!strcmp(states[i].name, name))
			return &states[i];
	return NULL;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int timed_out(const struct ctl *ctl, const struct state *state, const struct ctl_items *groups)
{
	struct ctl_verdict verdict;

	if (groups->n)
		ctl_verdict(&groups->v[0], NULL, &verdict);
	else
		ctl_verdict_no_group(ctl->group, &verdict);
	return ctl_error(ctl, CTL_EXIT_TIMEOUT, *verdict.advice ? verdict.advice : NULL,
			 "timeout: group %s is not %s but %s: %s", ctl->group, state->name, verdict.word,
			 verdict.what);
}

/* A status to end with, or -1: not yet. A group that is not there may still come. */
static int look(struct ctl *ctl, const struct state *state, struct ctl_items *groups)
{
	int err;

	ctl_items_clear(groups);
	err = ctl_do(ctl, ctl_msg(ctl, FTCP_CMD_GROUP_GET, ctl->group), groups);
	if ((err == -ENOENT || err == -ENODEV) && ctl_module_present(ctl))
		return -1;
	if (err)
		return ctl_refused(ctl, err, NULL);
	if (!groups->n || !state->holds(&groups->v[0]))
		return -1;
	if (ctl->json)
		ctl_json_print(ctl_item_json(&groups->v[0]));
	return CTL_EXIT_OK;
}

static int wait_for(struct ctl *ctl, const struct state *state, bool limited, uint64_t timeout_ms)
{
	struct ctl_events events = { .sock = NULL };
	struct ctl_items groups = { .n = 0 };
	uint64_t start = now_ms(), spent;
	struct timespec nap;
	int status, pause;

	/* Without the right to listen it is only a little slower. */
	ctl_events_open(&events);
	while ((status = look(ctl, state, &groups)) < 0) {
		spent = now_ms() - start;
		if (limited && spent >= timeout_ms) {
			status = timed_out(ctl, state, &groups);
			break;
		}
		pause = limited && timeout_ms - spent < POLL_MS ? (int)(timeout_ms - spent) : POLL_MS;
		if (events.sock && !ctl_events_read(&events, pause))
			continue;
		nap = (struct timespec){ .tv_nsec = pause * 1000000L };
		nanosleep(&nap, NULL);
	}
	ctl_items_clear(&groups);
	ctl_events_close(&events);
	return status;
}

int ctl_wait(struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "for", required_argument, NULL, OPT_FOR },
		{ "timeout", required_argument, NULL, OPT_TIMEOUT },
		{ NULL, 0, NULL, 0 },
	};
	const struct state *state = NULL;
	uint64_t timeout_ms = 0;
	bool limited = false;
	int c, status;

	while ((c = ctl_getopt(ctl, argc, argv, "", longs, &status)) != CTL_GETOPT_END) {
		if (c == CTL_GETOPT_EXIT)
			return status;
		if (c == OPT_FOR) {
			state = find_state(optarg);
			if (!state)
				return ctl_usage_error(ctl, "--for %s: there is no such state", optarg);
			continue;
		}
		limited = true;
		if (!ctl_parse_seconds(optarg, &timeout_ms))
			return ctl_usage_error(ctl, "--timeout %s: seconds are needed, such as 10 or 0.5", optarg);
	}
	if (argc != optind)
		return ctl_usage_error(ctl, "'%s' is one argument too many", argv[optind]);
	if (!state)
		return ctl_usage_error(ctl, "--for STATE is needed");
	status = ctl_open(ctl);
	return status ? status : wait_for(ctl, state, limited, timeout_ms);
}
