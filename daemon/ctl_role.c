// SPDX-License-Identifier: GPL-2.0
/* promote, demote, detach, kick: one request each; the kernel decides. */
#include "ctl_netlink.h"

enum { OPT_EPOCH = 256, OPT_FORCE };

static int change_role(struct ctl *ctl, int argc, char **argv, enum ftcp_cmd cmd, const char *hint,
		       const char *hint_forced)
{
	static const struct option longs[] = {
		{ "epoch", required_argument, NULL, OPT_EPOCH },
		{ "force", no_argument, NULL, OPT_FORCE },
		{ NULL, 0, NULL, 0 },
	};
	bool force = false;
	uint64_t epoch = 0;
	struct nl_msg *msg;
	int c, status, err;

	while ((c = ctl_getopt(ctl, argc, argv, "", longs, &status)) != CTL_GETOPT_END) {
		if (c == CTL_GETOPT_EXIT)
			return status;
		if (c == OPT_FORCE)
			force = true;
		else if (!ctl_parse_u64(optarg, 1, UINT64_MAX, &epoch))
			return ctl_usage_error(ctl, "--epoch %s: a whole number from 1 is needed", optarg);
	}
	if (argc != optind)
		return ctl_usage_error(ctl, "'%s' is one argument too many", argv[optind]);
	status = ctl_open(ctl);
	if (status)
		return status;
	msg = ctl_msg(ctl, cmd, ctl->group);
	if (epoch)
		ctl_put_u64(msg, FTCP_A_EPOCH, epoch);
	if (force)
		ctl_put_flag(msg, FTCP_A_FORCE);
	err = ctl_do(ctl, msg, NULL);
	return err ? ctl_refused(ctl, err, force ? hint_forced : hint) : CTL_EXIT_OK;
}

int ctl_promote(struct ctl *ctl, int argc, char **argv)
{
	return change_role(ctl, argc, argv, FTCP_CMD_PROMOTE,
			   "'ftcpctl status' says how things stand; 'ftcpctl wait --for ready' waits until it is in "
			   "sync; --force takes over all the same: what is not held here is lost",
			   "'ftcpctl status' says how things stand");
}

int ctl_demote(struct ctl *ctl, int argc, char **argv)
{
	return change_role(ctl, argc, argv, FTCP_CMD_DEMOTE,
			   "'ftcpctl status' says how things stand; --force demotes all the same: connections that "
			   "no standby holds are lost",
			   "'ftcpctl status' says how things stand");
}

static int plain(struct ctl *ctl, int argc, char **argv, enum ftcp_cmd cmd)
{
	int status, err;

	if (ctl_no_args(ctl, argc, argv, &status) == CTL_GETOPT_EXIT)
		return status;
	status = ctl_open(ctl);
	if (status)
		return status;
	err = ctl_do(ctl, ctl_msg(ctl, cmd, ctl->group), NULL);
	return err ? ctl_refused(ctl, err, "'ftcpctl status' says which role the group has") : CTL_EXIT_OK;
}

int ctl_detach(struct ctl *ctl, int argc, char **argv)
{
	return plain(ctl, argc, argv, FTCP_CMD_DETACH);
}

int ctl_kick(struct ctl *ctl, int argc, char **argv)
{
	return plain(ctl, argc, argv, FTCP_CMD_KICK);
}
