// SPDX-License-Identifier: GPL-2.0
/* The kernel publishes a family's commands, and what each of them takes: whatever is added to the family is fuzzed. */
#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>
#include "nl_fuzz.h"
#include "nl_talk.h"

#define POLICIES_MAX 64

struct reading {
	struct fuzz_family *family;
	struct fuzz_attr policies[POLICIES_MAX][FUZZ_ATTRS];
};

static const struct nlattr *find(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static void read_op(struct fuzz_family *family, const struct nlattr *op)
{
	const struct nlattr *id = find(op, CTRL_ATTR_OP_ID), *flags = find(op, CTRL_ATTR_OP_FLAGS);
	uint32_t cmd = id ? mnl_attr_get_u32(id) : UINT32_MAX;

	if (!flags || cmd > FTCP_CMD_MAX)
		return;
	family->commands[cmd].does = mnl_attr_get_u32(flags) & GENL_CMD_CAP_DO;
	family->commands[cmd].dumps = mnl_attr_get_u32(flags) & GENL_CMD_CAP_DUMP;
}

static void read_family(const struct nlmsghdr *reply, void *arg)
{
	const struct nlattr *attr, *inner, *id;
	struct fuzz_family *family = arg;

	mnl_attr_for_each(attr, reply, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_OPS) {
			mnl_attr_for_each_nested(inner, attr)
				read_op(family, inner);
		} else if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GROUPS) {
			mnl_attr_for_each_nested(inner, attr) {
				id = find(inner, CTRL_ATTR_MCAST_GRP_ID);
				family->events = id ? mnl_attr_get_u32(id) : 0;
			}
		}
	}
}

static bool counts_values(uint32_t kind)
{
	return kind == NL_ATTR_TYPE_U8 || kind == NL_ATTR_TYPE_U16 || kind == NL_ATTR_TYPE_U32 || kind == NL_ATTR_TYPE_U64;
}

static void read_attr(struct fuzz_attr *to, const struct nlattr *nest)
{
	const struct nlattr *kind = find(nest, NL_POLICY_TYPE_ATTR_TYPE), *min, *max;

	to->type = mnl_attr_get_type(nest);
	to->kind = kind ? mnl_attr_get_u32(kind) : 0;
	min = find(nest, counts_values(to->kind) ? NL_POLICY_TYPE_ATTR_MIN_VALUE_U : NL_POLICY_TYPE_ATTR_MIN_LENGTH);
	max = find(nest, counts_values(to->kind) ? NL_POLICY_TYPE_ATTR_MAX_VALUE_U : NL_POLICY_TYPE_ATTR_MAX_LENGTH);
	to->min = !min ? 0 : counts_values(to->kind) ? mnl_attr_get_u64(min) : mnl_attr_get_u32(min);
	to->max = !max ? 0 : counts_values(to->kind) ? mnl_attr_get_u64(max) : mnl_attr_get_u32(max);
}

/* Policies come one attribute a message; which command has which, in messages before them. */
static void read_policy(const struct nlmsghdr *reply, void *arg)
{
	struct reading *reading = arg;
	const struct nlattr *attr, *policy, *type, *which;

	mnl_attr_for_each(attr, reply, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_POLICY) {
			mnl_attr_for_each_nested(policy, attr)
				mnl_attr_for_each_nested(type, policy)
					if (mnl_attr_get_type(policy) < POLICIES_MAX && mnl_attr_get_type(type) < FUZZ_ATTRS)
						read_attr(&reading->policies[mnl_attr_get_type(policy)]
									    [mnl_attr_get_type(type)], type);
		} else if (mnl_attr_get_type(attr) == CTRL_ATTR_OP_POLICY) {
			mnl_attr_for_each_nested(type, attr) {
				which = find(type, CTRL_ATTR_POLICY_DO);
				which = which ? which : find(type, CTRL_ATTR_POLICY_DUMP);
				if (which && mnl_attr_get_type(type) <= FTCP_CMD_MAX)
					reading->family->commands[mnl_attr_get_type(type)].attrs[0].max =
						mnl_attr_get_u32(which);
			}
		}
	}
}

/* Where a command's policy was noted, until all policies have come, is the place of attribute 0, which does not exist. */
static void assign_policies(const struct reading *reading)
{
	struct fuzz_command *command;
	uint64_t which;

	for (unsigned int cmd = 0; cmd <= FTCP_CMD_MAX; cmd++) {
		command = &reading->family->commands[cmd];
		which = command->attrs[0].max;
		command->attrs[0].max = 0;
		if ((command->does || command->dumps) && which < POLICIES_MAX)
			memcpy(command->attrs, reading->policies[which], sizeof(command->attrs));
	}
}

static int ask(struct nl_talk *talk, uint8_t cmd, uint16_t flags, nl_reply_fn fn, void *arg)
{
	uint16_t family = talk->family;
	struct nl_answer answer;
	struct nlmsghdr *nlh;

	talk->family = GENL_ID_CTRL;
	nlh = nl_request(talk, cmd, flags);
	talk->family = family;
	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, family);
	nl_send(talk, nlh, &answer, fn, arg);
	return answer.error;
}

int fuzz_family_read(struct fuzz_family *family)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	struct nl_talk talk;
	int err = nl_open(&talk);

	if (!err) {
		family->id = talk.family;
		reading->family = family;
		err = ask(&talk, CTRL_CMD_GETFAMILY, 0, read_family, family);
		if (!err)
			err = ask(&talk, CTRL_CMD_GETPOLICY, NLM_F_DUMP, read_policy, reading);
		assign_policies(reading);
		nl_close(&talk);
	}
	free(reading);
	return err;
}
