// SPDX-License-Identifier: GPL-2.0
/* monitor: the module's events, one line each, as they happen. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "ctl_netlink.h"

/* How often to look whether the module is still there: its going is no event of its own. */
#define PRESENT_MS 1000

static const char *now_text(char text[64])
{
	struct timespec now;
	char zone[8], day[32];
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(text, 64, "%s.%03ld%s", day, now.tv_nsec / 1000000, zone);
	return text;
}

static void print_json(const struct ctl_item *event, const char *now)
{
	json_t *object = event ? ctl_item_json(event) : json_object();

	ctl_json_set(object, "time", json_string(now));
	if (!event)
		ctl_json_set(object, "event", json_string("lost"));
	ctl_json_print(object);
}

static void print_number(const struct ctl_item *event, int attr, const char *name)
{
	if (event->has[attr])
		printf(" %s=%llu", name, (unsigned long long)event->value[attr]);
}

static void print_text(const struct ctl_item *event, const char *now)
{
	char text[CTL_ADDR_LEN];

	if (!event) {
		printf("%s lost (events came faster than they were read; 'ftcpctl status' has the present state)\n",
		       now);
		return;
	}
	printf("%s %s", now, ctl_event_name(event));
	if (event->has[FTCP_A_GROUP_NAME])
		printf(" group=%s", event->group);
	if (event->has[FTCP_A_CONN_LPORT]) {
		printf(" local=%s", ctl_endpoint_text(&event->local,
						      (uint16_t)event->value[FTCP_A_CONN_LPORT], text));
		printf(" remote=%s", ctl_endpoint_text(&event->remote,
						       (uint16_t)event->value[FTCP_A_CONN_RPORT], text));
		if (event->has[FTCP_A_CONN_STATE])
			printf(" state=%s", ctl_tcp_state_name(event->value[FTCP_A_CONN_STATE]));
	} else {
		if (event->has[FTCP_A_ROLE])
			printf(" role=%s", ctl_role_name(event));
		print_number(event, FTCP_A_EPOCH, "epoch");
		if (event->has[FTCP_A_SYNC_STATE])
			printf(" sync=%s", ctl_sync_name(event));
		print_number(event, FTCP_A_ATTACHED, "attached");
		print_number(event, FTCP_A_CONNS, "connections");
		print_number(event, FTCP_A_UNSYNCED, "unsynced");
	}
	printf("\n");
}

static void print_event(const struct ctl *ctl, const struct ctl_item *event)
{
	char now[64];

	now_text(now);
	if (ctl->json)
		print_json(event, now);
	else
		print_text(event, now);
}

static void print_all(const struct ctl *ctl, const struct ctl_events *events)
{
	for (size_t i = 0; i < events->got.n; i++) {
		const struct ctl_item *event = &events->got.v[i];

		/* Events without a group are everybody's. */
		if (!ctl->group_given || !*event->group || !strcmp(event->group, ctl->group))
			print_event(ctl, event);
	}
	if (events->lost)
		print_event(ctl, NULL);
	fflush(stdout);
}

int ctl_monitor(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_events events = { .sock = NULL };
	int status, err;

	if (ctl_no_args(ctl, argc, argv, &status) == CTL_GETOPT_EXIT)
		return status;
	status = ctl_open(ctl);
	if (status)
		return status;
	err = ctl_events_open(&events);
	if (err)
		return ctl_refused(ctl, err, NULL);
	do {
		err = ctl_events_read(&events, PRESENT_MS);
		print_all(ctl, &events);
	} while (!err && !ferror(stdout) && (events.got.n || ctl_module_present(ctl)));
	ctl_events_close(&events);
	if (err)
		return ctl_error(ctl, CTL_EXIT_REFUSED, "start it again", "events cannot be read: %s", strerror(-err));
	if (ferror(stdout))
		return CTL_EXIT_OK;	/* main() speaks of it */
	return ctl_error(ctl, CTL_EXIT_NO_MODULE, "start it again when the module is loaded",
			 "the kernel module ftcp was unloaded");
}
