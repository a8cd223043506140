// SPDX-License-Identifier: GPL-2.0
/* group list, add, del. */
#include "ctl_netlink.h"
#include "ctl_group.h"
#include "ctl_table.h"

/* A standby: for how long no batch has come. */
static void lag_cell(struct ctl_table *table, const struct ctl_item *group)
{
	char bytes[32], ms[32];

	if (group->value[FTCP_A_ROLE] == FTCP_ROLE_STANDBY && group->value[FTCP_A_LAG_MS])
		ctl_table_cell(table, "%s", ctl_time_text(group->value[FTCP_A_LAG_MS], ms));
	else if (!group->has[FTCP_A_LAG_BYTES] || group->value[FTCP_A_ROLE] != FTCP_ROLE_PRIMARY)
		ctl_table_cell(table, "-");
	else
		ctl_table_cell(table, "%s, %s", ctl_bytes_text(group->value[FTCP_A_LAG_BYTES], bytes),
			       ctl_time_text(group->value[FTCP_A_LAG_MS], ms));
}

/* A primary's last batch and how far the standby has acknowledged; a standby's last. */
static void batch_cell(struct ctl_table *table, const struct ctl_item *group)
{
	unsigned long long no = group->value[FTCP_A_BATCH_NO], sent = group->value[FTCP_A_BATCH_SENT];

	if (group->has[FTCP_A_BATCH_SENT] && group->value[FTCP_A_ROLE] == FTCP_ROLE_PRIMARY)
		ctl_table_cell(table, "%llu/%llu", no, sent);
	else
		ctl_table_cell(table, "%llu", no);
}

void ctl_group_table(const struct ctl_items *groups)
{
	struct ctl_table *table = ctl_table_new("GROUP|ROLE|FOR|>EPOCH|SYNC|FOR|SYNCD|>CONNS|>UNSYNCED|LAG|BATCHES");
	char text[32];

	for (size_t i = 0; i < groups->n; i++) {
		const struct ctl_item *group = &groups->v[i];

		ctl_table_cell(table, "%s", group->group);
		ctl_table_cell(table, "%s", ctl_role_name(group));
		ctl_table_cell(table, "%s", ctl_time_text(group->value[FTCP_A_ROLE_MS], text));
		ctl_table_cell(table, "%llu", (unsigned long long)group->value[FTCP_A_EPOCH]);
		ctl_table_cell(table, "%s", ctl_sync_name(group));
		ctl_table_cell(table, "%s", ctl_time_text(group->value[FTCP_A_SYNC_MS], text));
		ctl_table_cell(table, "%s", group->value[FTCP_A_ATTACHED] ? "attached" : "-");
		ctl_table_cell(table, "%llu", (unsigned long long)group->value[FTCP_A_CONNS]);
		ctl_table_cell(table, "%llu", (unsigned long long)group->value[FTCP_A_UNSYNCED]);
		lag_cell(table, group);
		batch_cell(table, group);
	}
	ctl_table_print(table);
}

int ctl_group_list(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_items groups = { .n = 0 };
	int status, err;

	if (ctl_no_args(ctl, argc, argv, &status) == CTL_GETOPT_EXIT)
		return status;
	status = ctl_open(ctl);
	if (status)
		return status;
	err = ctl_dump(ctl, FTCP_CMD_GROUP_GET, NULL, &groups);
	if (ctl->group_given)
		ctl_items_keep_group(&groups, ctl->group);
	if (err)
		status = ctl_refused(ctl, err, NULL);
	else if (ctl->json)
		ctl_json_print(ctl_items_json(&groups));
	else
		ctl_group_table(&groups);
	ctl_items_clear(&groups);
	return status;
}

static int group_change(struct ctl *ctl, int argc, char **argv, enum ftcp_cmd cmd, const char *hint)
{
	int status, err;

	if (ctl_getopt(ctl, argc, argv, "", NULL, &status) == CTL_GETOPT_EXIT)
		return status;
	if (argc - optind != 1)
		return ctl_usage_error(ctl, "one NAME of a group is needed");
	if (!ctl_valid_group(argv[optind]))
		return ctl_usage_error(ctl, "'%s' is no name of a group: 1 to 31 letters, digits, '_', '.', '-'",
				       argv[optind]);
	status = ctl_open(ctl);
	if (status)
		return status;
	err = ctl_do(ctl, ctl_msg(ctl, cmd, argv[optind]), NULL);
	return err ? ctl_refused(ctl, err, hint) : CTL_EXIT_OK;
}

int ctl_group_add(struct ctl *ctl, int argc, char **argv)
{
	return group_change(ctl, argc, argv, FTCP_CMD_GROUP_NEW, "'ftcpctl group list' says what there is");
}

int ctl_group_del(struct ctl *ctl, int argc, char **argv)
{
	return group_change(ctl, argc, argv, FTCP_CMD_GROUP_DEL,
			    "'ftcpctl group list' says what there is; remove its services first: "
			    "'ftcpctl -g NAME service list'");
}
