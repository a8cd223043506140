// SPDX-License-Identifier: GPL-2.0
/* status: one verdict first, then what it rests on. */
#include <errno.h>
#include <string.h>
#include "ctl_group.h"
#include "ctl_netlink.h"
#include "ctl_verdict.h"

struct picture {
	struct ctl_items groups, services;
	struct ctl_verdict worst;
	const char *worst_group;	/* NULL: it is about none */
};

static void judge(const struct ctl *ctl, struct picture *picture)
{
	struct ctl_verdict verdict;

	if (!picture->groups.n) {
		ctl_verdict_no_group(ctl->group_given ? ctl->group : NULL, &picture->worst);
		return;
	}
	for (size_t i = 0; i < picture->groups.n; i++) {
		ctl_verdict(&picture->groups.v[i], &picture->services, &verdict);
		if (i && verdict.kind <= picture->worst.kind)
			continue;
		picture->worst = verdict;
		picture->worst_group = picture->groups.v[i].group;
	}
}

/* Groups by a dump even when one is asked for: a group that is missing is a verdict, not an error. */
static int look(struct ctl *ctl, struct picture *picture)
{
	int err = ctl_dump(ctl, FTCP_CMD_GROUP_GET, NULL, &picture->groups);

	if (!err)
		err = ctl_dump(ctl, FTCP_CMD_SERVICE_GET, NULL, &picture->services);
	if (err)
		return err;
	if (ctl->group_given) {
		ctl_items_keep_group(&picture->groups, ctl->group);
		ctl_items_keep_group(&picture->services, ctl->group);
	}
	judge(ctl, picture);
	return 0;
}

static json_t *verdict_json(const struct ctl_verdict *verdict, const char *group)
{
	json_t *object = json_object();

	ctl_json_set(object, "state", json_string(verdict->key));
	ctl_json_set(object, "ok", json_boolean(verdict->exit_status == CTL_EXIT_OK));
	if (group)
		ctl_json_set(object, "group", json_string(group));
	if (verdict->has_since)
		ctl_json_set(object, "since_ms", ctl_json_number(verdict->since_ms));
	ctl_json_set(object, "what", json_string(verdict->what));
	if (*verdict->advice)
		ctl_json_set(object, "do", json_string(verdict->advice));
	return object;
}

static void print_json(const struct picture *picture)
{
	json_t *object = json_object(), *groups = json_array();
	struct ctl_verdict verdict;

	ctl_json_set(object, "verdict", verdict_json(&picture->worst, picture->worst_group));
	for (size_t i = 0; i < picture->groups.n; i++) {
		json_t *group = ctl_item_json(&picture->groups.v[i]);

		ctl_verdict(&picture->groups.v[i], &picture->services, &verdict);
		ctl_json_set(group, "verdict", verdict_json(&verdict, NULL));
		json_array_append_new(groups, group);
	}
	ctl_json_set(object, "groups", groups);
	ctl_json_set(object, "services", ctl_items_json(&picture->services));
	ctl_json_print(object);
}

static void print_verdict(const struct ctl_verdict *verdict, const char *group)
{
	char text[32];

	printf("%s", verdict->word);
	if (group && strcmp(group, FTCP_GROUP_DEFAULT))
		printf(" (group %s)", group);
	if (verdict->has_since)
		printf(" for %s", ctl_time_text(verdict->since_ms, text));
	printf(": %s\n", verdict->what);
	if (*verdict->advice)
		printf("  Do: %s\n", verdict->advice);
}

static void print_text(const struct picture *picture)
{
	struct ctl_verdict verdict;

	print_verdict(&picture->worst, picture->worst_group);
	if (picture->groups.n) {
		printf("\n");
		ctl_group_table(&picture->groups);
	}
	if (picture->services.n) {
		printf("\n");
		ctl_service_table(&picture->services);
	}
	/* The other groups that need somebody, after the tables. */
	for (size_t i = 0; i < picture->groups.n; i++) {
		const struct ctl_item *group = &picture->groups.v[i];

		ctl_verdict(group, &picture->services, &verdict);
		if (verdict.exit_status == CTL_EXIT_OK || group->group == picture->worst_group)
			continue;
		printf("\n");
		print_verdict(&verdict, group->group);
	}
}

int ctl_status(struct ctl *ctl, int argc, char **argv)
{
	struct picture picture = { .worst_group = NULL };
	int status, err;

	if (ctl_no_args(ctl, argc, argv, &status) == CTL_GETOPT_EXIT)
		return status;
	err = ctl_connect(ctl);
	if (err == -ENOENT)
		ctl_verdict_no_module(&picture.worst);
	else if (err)
		return ctl_error(ctl, CTL_EXIT_REFUSED, "does this kernel have generic netlink?",
				 "cannot talk to the kernel: %s", strerror(-err));
	else
		err = look(ctl, &picture);
	if (err && err != -ENOENT) {
		status = ctl_refused(ctl, err, NULL);
	} else {
		/* ENOENT after all: unloaded while we looked. */
		if (err)
			ctl_verdict_no_module(&picture.worst);
		status = picture.worst.exit_status;
		if (ctl->json)
			print_json(&picture);
		else
			print_text(&picture);
	}
	ctl_items_clear(&picture.groups);
	ctl_items_clear(&picture.services);
	return status;
}
