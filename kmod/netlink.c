// SPDX-License-Identifier: GPL-2.0
/* The family: policies, table of commands, what all commands need. The commands themselves are in netlink_*.c. */
#include <linux/atomic.h>
#include <linux/ctype.h>
#include <linux/netlink.h>
#include <net/ipv6.h>
#include <ftcp/limits.h>
#include "group.h"
#include "net.h"
#include "netlink.h"
#include "netlink_internal.h"
#include "sync.h"

/* ---- policies ---- */

static int validate_name(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *name = nla_data(attr), *at;

	for (at = name; *at; at++)
		if (!isascii(*at) || (!isalnum(*at) && !strchr("_.-", *at)))
			break;
	if (*at || at == name || at - name >= FTCP_GROUP_NAME_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "a group's name has 1 to 31 of A-Z a-z 0-9 _ . -");
		return -EINVAL;
	}
	return 0;
}

/* Not const: 6.1 has no const there. */
static struct netlink_range_validation rcv_buf_range = { .min = 4096, .max = FTCP_RCV_BUF_BYTES };
static struct netlink_range_validation fd_range = { .min = 0, .max = S32_MAX };
static struct netlink_range_validation snd_buf_range = { .min = 4096, .max = FTCP_SND_BUF_BYTES };

/* Every policy has all attributes' numbers: what a command does not list is of type 0, and refused. */
#define NAME_POLICY NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, validate_name, 0)
#define ADDR6_POLICY NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr))

static const struct nla_policy group_policy[FTCP_A_MAX + 1] = {
	[FTCP_A_GROUP_NAME] = NAME_POLICY,
};

static const struct nla_policy service_add_policy[FTCP_A_MAX + 1] = {
	[FTCP_A_GROUP_NAME] = NAME_POLICY,
	[FTCP_A_SERVICE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[FTCP_A_SERVICE_ADDR4] = { .type = NLA_U32 },
	[FTCP_A_SERVICE_ADDR6] = ADDR6_POLICY,
	[FTCP_A_SERVICE_BACKEND] = { .type = NLA_NUL_STRING, .len = FTCP_BACKEND_NAME_MAX - 1 },
	[FTCP_A_SERVICE_RCV_BUF] = NLA_POLICY_FULL_RANGE(NLA_U32, &rcv_buf_range),
	[FTCP_A_SERVICE_SND_BUF] = NLA_POLICY_FULL_RANGE(NLA_U32, &snd_buf_range),
	[FTCP_A_SERVICE_USER_TIMEOUT_MS] = NLA_POLICY_MIN(NLA_U32, 1),
	[FTCP_A_SERVICE_KEEPALIVE_MS] = { .type = NLA_U32 },
	[FTCP_A_SERVICE_CONGESTION] = { .type = NLA_NUL_STRING, .len = FTCP_BACKEND_NAME_MAX - 1 },
	[FTCP_A_SERVICE_NAGLE] = NLA_POLICY_MAX(NLA_U8, 1),
	[FTCP_A_SERVICE_MAX_CONNS] = { .type = NLA_U32 },
	[FTCP_A_SERVICE_PROTECTION] = NLA_POLICY_MAX(NLA_U8, __FTCP_PROTECTION_MAX - 1),
	[FTCP_A_SERVICE_RECOVER_MS] = NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct nla_policy service_del_policy[FTCP_A_MAX + 1] = {
	[FTCP_A_GROUP_NAME] = NAME_POLICY,
	[FTCP_A_SERVICE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[FTCP_A_SERVICE_ADDR4] = { .type = NLA_U32 },
	[FTCP_A_SERVICE_ADDR6] = ADDR6_POLICY,
};

static const struct nla_policy conn_policy[FTCP_A_MAX + 1] = {
	[FTCP_A_CONN_LADDR4] = { .type = NLA_U32 },
	[FTCP_A_CONN_LADDR6] = ADDR6_POLICY,
	[FTCP_A_CONN_RADDR4] = { .type = NLA_U32 },
	[FTCP_A_CONN_RADDR6] = ADDR6_POLICY,
	[FTCP_A_CONN_LPORT] = { .type = NLA_U16 },
	[FTCP_A_CONN_RPORT] = { .type = NLA_U16 },
};

static const struct nla_policy role_policy[FTCP_A_MAX + 1] = {
	[FTCP_A_GROUP_NAME] = NAME_POLICY,
	[FTCP_A_EPOCH] = { .type = NLA_U64 },
	[FTCP_A_FORCE] = { .type = NLA_FLAG },
};

static const struct nla_policy promote_policy[FTCP_A_MAX + 1] = {
	[FTCP_A_GROUP_NAME] = NAME_POLICY,
	[FTCP_A_EPOCH] = { .type = NLA_U64 },
	[FTCP_A_FORCE] = { .type = NLA_FLAG },
	[FTCP_A_FRESH] = { .type = NLA_FLAG },
};

static const struct nla_policy outdate_policy[FTCP_A_MAX + 1] = {
	[FTCP_A_GROUP_NAME] = NAME_POLICY,
	[FTCP_A_SYNC_ID] = { .type = NLA_U64 },
};

static const struct nla_policy attach_policy[FTCP_A_MAX + 1] = {
	[FTCP_A_GROUP_NAME] = NAME_POLICY,
	[FTCP_A_PEER_SYNC_ID] = { .type = NLA_U64 },
	[FTCP_A_PEER_BATCH_NO] = { .type = NLA_U64 },
	[FTCP_A_CHANNEL_FD] = NLA_POLICY_FULL_RANGE(NLA_U32, &fd_range),
};

static const struct nla_policy follow_policy[FTCP_A_MAX + 1] = {
	[FTCP_A_GROUP_NAME] = NAME_POLICY,
	[FTCP_A_CHANNEL_FD] = NLA_POLICY_FULL_RANGE(NLA_U32, &fd_range),
};

static const struct nla_policy apply_policy[FTCP_A_MAX + 1] = {
	[FTCP_A_GROUP_NAME] = NAME_POLICY,
	[FTCP_A_BATCH] = { .type = NLA_BINARY, .len = FTCP_BATCH_MAX_BYTES },
};

static const struct nla_policy ack_policy[FTCP_A_MAX + 1] = {
	[FTCP_A_GROUP_NAME] = NAME_POLICY,
	[FTCP_A_SYNC_ID] = { .type = NLA_U64 },
	[FTCP_A_BATCH_NO] = { .type = NLA_U64 },
};

static const struct nla_policy no_policy[FTCP_A_MAX + 1] = {};

/* ---- the table ---- */

#define COMMAND(name, the_policy)		\
	.cmd = FTCP_CMD_##name,			\
	.flags = GENL_UNS_ADMIN_PERM,		\
	.policy = (the_policy),			\
	.maxattr = FTCP_A_MAX

static const struct genl_ops ops[] = {
	{ COMMAND(GROUP_NEW, group_policy), .doit = ftcp_nl_group_new },
	{ COMMAND(GROUP_DEL, group_policy), .doit = ftcp_nl_group_del },
	{ COMMAND(GROUP_GET, group_policy), .doit = ftcp_nl_group_get, .dumpit = ftcp_nl_group_dump,
	  .internal_flags = FTCP_NL_GROUP },
	{ COMMAND(SERVICE_ADD, service_add_policy), .doit = ftcp_nl_service_add, .internal_flags = FTCP_NL_GROUP },
	{ COMMAND(SERVICE_DEL, service_del_policy), .doit = ftcp_nl_service_del, .internal_flags = FTCP_NL_GROUP },
	{ COMMAND(SERVICE_GET, group_policy), .dumpit = ftcp_nl_service_dump },
	{ COMMAND(CONN_GET, group_policy), .start = ftcp_nl_conn_start, .dumpit = ftcp_nl_conn_dump,
	  .done = ftcp_nl_conn_done },
	{ COMMAND(CONN_KILL, conn_policy), .doit = ftcp_nl_conn_kill },
	{ COMMAND(STATS_GET, no_policy), .doit = ftcp_nl_stats_get },
	{ COMMAND(PROMOTE, promote_policy), .doit = ftcp_nl_promote, .internal_flags = FTCP_NL_GROUP },
	{ COMMAND(DEMOTE, role_policy), .doit = ftcp_nl_demote, .internal_flags = FTCP_NL_GROUP },
	{ COMMAND(DETACH, group_policy), .doit = ftcp_nl_detach, .internal_flags = FTCP_NL_GROUP },
	{ COMMAND(KICK, group_policy), .doit = ftcp_nl_kick, .internal_flags = FTCP_NL_GROUP },
	{ COMMAND(SYNC_ATTACH, attach_policy), .doit = ftcp_nl_sync_attach, .internal_flags = FTCP_NL_GROUP },
	{ COMMAND(SYNC_DETACH, group_policy), .doit = ftcp_nl_sync_detach, .internal_flags = FTCP_NL_GROUP },
	{ COMMAND(SYNC_APPLY, apply_policy), .doit = ftcp_nl_sync_apply, .internal_flags = FTCP_NL_GROUP },
	{ COMMAND(SYNC_ACK, ack_policy), .doit = ftcp_nl_sync_ack, .internal_flags = FTCP_NL_GROUP },
	{ COMMAND(SYNC_FOLLOW, follow_policy), .doit = ftcp_nl_sync_follow, .internal_flags = FTCP_NL_GROUP },
	{ COMMAND(SYNC_OUTDATE, outdate_policy), .doit = ftcp_nl_sync_outdate, .internal_flags = FTCP_NL_GROUP },
};

static const struct genl_multicast_group mcgrps[] = {
	{ .name = FTCP_MCGRP_EVENTS, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

/* ---- before and after a command ---- */

static int no_such_group(struct netlink_ext_ack *extack, const char *name)
{
	return ftcp_refuse(extack, -ENOENT, "there is no group %s", name);
}

static int pre_doit(const struct ftcp_compat_genl_ops *op, struct sk_buff *skb, struct genl_info *info)
{
	const char *name;

	if (!(op->internal_flags & FTCP_NL_GROUP))
		return 0;
	if (!info->attrs[FTCP_A_GROUP_NAME])
		return ftcp_nl_missing(info, FTCP_A_GROUP_NAME, "GROUP_NAME is missing: which group?");
	name = nla_data(info->attrs[FTCP_A_GROUP_NAME]);
	info->user_ptr[0] = ftcp_group_find(ftcp_net(genl_info_net(info)), name);
	return info->user_ptr[0] ? 0 : no_such_group(info->extack, name);
}

static void post_doit(const struct ftcp_compat_genl_ops *op, struct sk_buff *skb, struct genl_info *info)
{
	if (op->internal_flags & FTCP_NL_GROUP)
		ftcp_group_put(ftcp_nl_group(info));
}

static bool registered;

struct genl_family ftcp_genl_family __ro_after_init = {
	.name = FTCP_FAMILY_NAME,
	.version = FTCP_FAMILY_VERSION,
	.maxattr = FTCP_A_MAX,
	.policy = no_policy,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.pre_doit = pre_doit,
	.post_doit = post_doit,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.mcgrps = mcgrps,
	.n_mcgrps = ARRAY_SIZE(mcgrps),
};

/* ---- helpers of the commands ---- */

#define TEXT_MAX 160	/* bytes of a text, with the end */
#define TEXTS_MAX 4	/* texts of one length */

/*
 * An extack takes a pointer, which netlink reads after the command has returned: the texts are written into rings of them. netlink
 * measures a text, may sleep, and warns when it is longer then: each length has a ring of its own, so that what is overwritten with a later one
 * remains as long as it was. (NL_SET_ERR_MSG_FMT is not in 6.1, and cuts to 80 bytes.)
 */
static char *keep_text(const char *text, u32 bytes)
{
	static char texts[TEXTS_MAX][TEXT_MAX * (TEXT_MAX + 1) / 2];	/* in each one text of 1 byte, one of 2, ... */
	static atomic_t turn;
	char *kept = texts[(u32)atomic_inc_return(&turn) % TEXTS_MAX] + bytes * (bytes - 1) / 2;

	memcpy(kept, text, bytes);
	return kept;
}

int ftcp_refuse(struct netlink_ext_ack *extack, int err, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;

	if (!extack)
		return err;
	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	extack->_msg = keep_text(text, strlen(text) + 1);
	return err;
}

int ftcp_nl_missing(struct genl_info *info, enum ftcp_attr attr, const char *text)
{
	NL_SET_ERR_ATTR_MISS(info->extack, NULL, attr);
	return ftcp_refuse(info->extack, -EINVAL, "%s", text);
}

struct ftcp_group *ftcp_nl_dump_group(struct netlink_callback *cb)
{
	struct nlattr **attrs = ftcp_compat_dump_attrs(cb);
	struct ftcp_group *group;
	const char *name;

	if (!attrs || !attrs[FTCP_A_GROUP_NAME])
		return NULL;
	name = nla_data(attrs[FTCP_A_GROUP_NAME]);
	group = ftcp_group_find(ftcp_net(sock_net(cb->skb->sk)), name);
	return group ? group : ERR_PTR(no_such_group(cb->extack, name));
}

int ftcp_nl_get_addr(struct genl_info *info, enum ftcp_attr attr4, enum ftcp_attr attr6, struct in6_addr *addr)
{
	const struct nlattr *v4 = info->attrs[attr4], *v6 = info->attrs[attr6];

	memset(addr, 0, sizeof(*addr));
	if (v4 && v6)
		return ftcp_refuse(info->extack, -EINVAL, "an IPv4 and an IPv6 address: give one of them");
	if (v4)
		ipv6_addr_set_v4mapped(nla_get_in_addr(v4), addr);
	if (v6)
		*addr = nla_get_in6_addr(v6);
	if (v6 && ipv6_addr_v4mapped(addr))
		return ftcp_refuse(info->extack, -EINVAL, "an IPv4 address as IPv6: give it as IPv4");
	if ((v6 && ipv6_addr_any(addr)) || (v4 && !nla_get_in_addr(v4)))
		return ftcp_refuse(info->extack, -EINVAL, "an address of all zeros: for any address leave it out");
	return 0;
}

int ftcp_nl_put_addr(struct sk_buff *skb, enum ftcp_attr attr4, enum ftcp_attr attr6, const struct in6_addr *addr)
{
	if (ipv6_addr_any(addr))
		return 0;
	if (ipv6_addr_v4mapped(addr))
		return nla_put_in_addr(skb, attr4, addr->s6_addr32[3]);
	return nla_put_in6_addr(skb, attr6, addr);
}

/* ---- registration ---- */

bool ftcp_nl_has_listeners(struct net *net)
{
	return READ_ONCE(registered) && genl_has_listeners(&ftcp_genl_family, net, 0);
}

/* A daemon that dies does not say goodbye: its socket does. */
static int on_netlink_event(struct notifier_block *block, unsigned long event, void *data)
{
	const struct netlink_notify *notify = data;

	if (event == NETLINK_URELEASE && notify->protocol == NETLINK_GENERIC)
		ftcp_sync_portid_gone(ftcp_net(notify->net), notify->portid);
	return NOTIFY_DONE;
}

static struct notifier_block netlink_notifier = { .notifier_call = on_netlink_event };

int ftcp_netlink_register(void)
{
	int err = netlink_register_notifier(&netlink_notifier);

	if (err)
		return err;
	err = genl_register_family(&ftcp_genl_family);
	if (err)
		netlink_unregister_notifier(&netlink_notifier);
	else
		WRITE_ONCE(registered, true);
	return err;
}

void ftcp_netlink_unregister(void)
{
	WRITE_ONCE(registered, false);
	genl_unregister_family(&ftcp_genl_family);
	netlink_unregister_notifier(&netlink_notifier);
}
