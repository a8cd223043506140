/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the netlink family share among themselves. */
#ifndef FTCP_NETLINK_INTERNAL_H
#define FTCP_NETLINK_INTERNAL_H

#include <linux/in6.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include <uapi/linux/ftcp.h>
#include "compat.h"

struct ftcp_conn;
struct ftcp_group;
struct ftcp_net;

/* genl_ops.internal_flags: the group named by the request is in info->user_ptr[0] while the command runs. */
#define FTCP_NL_GROUP	0x01

extern struct genl_family ftcp_genl_family;

static inline struct ftcp_group *ftcp_nl_group(struct genl_info *info)
{
	return info->user_ptr[0];
}

/** ftcp_nl_has_listeners() - does anybody hear events? Also asked before the family is registered, and after */
bool ftcp_nl_has_listeners(struct net *net);

/** ftcp_nl_dump_group() - the group a dump is limited to, with a reference; NULL: all; ERR_PTR: no such group */
struct ftcp_group *ftcp_nl_dump_group(struct netlink_callback *cb);

/** ftcp_nl_missing() - refuse a request that lacks @attr */
int ftcp_nl_missing(struct genl_info *info, enum ftcp_attr attr, const char *text);

/**
 * ftcp_nl_get_addr() - an address from one of two attributes; neither: the unspecified one
 * @addr: IPv4 as ::ffff:a.b.c.d
 */
int ftcp_nl_get_addr(struct genl_info *info, enum ftcp_attr attr4, enum ftcp_attr attr6, struct in6_addr *addr);
/** ftcp_nl_put_addr() - nothing for the unspecified address */
int ftcp_nl_put_addr(struct sk_buff *skb, enum ftcp_attr attr4, enum ftcp_attr attr6, const struct in6_addr *addr);

/* netlink_group.c */
int ftcp_nl_put_group(struct sk_buff *skb, struct ftcp_group *group);
int ftcp_nl_group_new(struct sk_buff *skb, struct genl_info *info);
int ftcp_nl_group_del(struct sk_buff *skb, struct genl_info *info);
int ftcp_nl_group_get(struct sk_buff *skb, struct genl_info *info);
int ftcp_nl_group_dump(struct sk_buff *skb, struct netlink_callback *cb);
int ftcp_nl_promote(struct sk_buff *skb, struct genl_info *info);
int ftcp_nl_demote(struct sk_buff *skb, struct genl_info *info);
int ftcp_nl_detach(struct sk_buff *skb, struct genl_info *info);
int ftcp_nl_kick(struct sk_buff *skb, struct genl_info *info);

/* netlink_service.c */
int ftcp_nl_service_add(struct sk_buff *skb, struct genl_info *info);
int ftcp_nl_service_del(struct sk_buff *skb, struct genl_info *info);
int ftcp_nl_service_dump(struct sk_buff *skb, struct netlink_callback *cb);

/* netlink_conn.c */
/** ftcp_nl_put_conn_key() - addresses, ports and state; conn->lock need not be held */
int ftcp_nl_put_conn_key(struct sk_buff *skb, const struct ftcp_conn *conn);
int ftcp_nl_conn_start(struct netlink_callback *cb);
int ftcp_nl_conn_dump(struct sk_buff *skb, struct netlink_callback *cb);
int ftcp_nl_conn_done(struct netlink_callback *cb);
int ftcp_nl_conn_kill(struct sk_buff *skb, struct genl_info *info);

/* netlink_stats.c */
int ftcp_nl_stats_get(struct sk_buff *skb, struct genl_info *info);

/* netlink_sync.c */
int ftcp_nl_sync_attach(struct sk_buff *skb, struct genl_info *info);
int ftcp_nl_sync_detach(struct sk_buff *skb, struct genl_info *info);
int ftcp_nl_sync_apply(struct sk_buff *skb, struct genl_info *info);
int ftcp_nl_sync_ack(struct sk_buff *skb, struct genl_info *info);
int ftcp_nl_sync_follow(struct sk_buff *skb, struct genl_info *info);
int ftcp_nl_sync_outdate(struct sk_buff *skb, struct genl_info *info);

#endif
