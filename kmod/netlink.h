/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family "ftcp" (Documentation/netlink/ftcp.yaml, include/uapi/linux/ftcp.h). */
#ifndef FTCP_NETLINK_H
#define FTCP_NETLINK_H

#include <linux/types.h>
#include <uapi/linux/ftcp.h>

struct ftcp_conn;
struct ftcp_group;
struct netlink_ext_ack;
struct sk_buff;

/** ftcp_refuse() - say in @extack (may be NULL) what is wrong and what to do, and return @err */
__printf(3, 4) int ftcp_refuse(struct netlink_ext_ack *extack, int err, const char *fmt, ...);

int ftcp_netlink_register(void);
void ftcp_netlink_unregister(void);

/**
 * ftcp_netlink_batch_new() - a SYNC_BATCH message for @group with room for @max bytes of batch
 * @data: where the batch goes
 */
struct sk_buff *ftcp_netlink_batch_new(struct ftcp_group *group, u64 sync_id, u64 no, u32 max, void **data);
/** ftcp_netlink_batch_send() - cut to @len bytes, send; never blocks; consumes @skb; -ENOBUFS, -ECONNREFUSED */
int ftcp_netlink_batch_send(struct ftcp_group *group, struct sk_buff *skb, u32 len, u32 portid);

/** ftcp_netlink_refused() - tell @portid, which follows, that the other host's batch was refused, and why */
void ftcp_netlink_refused(struct ftcp_group *group, u64 sync_id, u64 no, const char *reason, u32 portid);

/* Events, to the multicast group. GFP_ATOMIC inside; nobody may hold group->lock. */
void ftcp_netlink_event(struct ftcp_group *group, enum ftcp_event_type type);
/** ftcp_netlink_event_conn() - CONN_NEW, CONN_GONE; nothing is allocated when nobody listens */
void ftcp_netlink_event_conn(struct ftcp_conn *conn, enum ftcp_event_type type);

#endif
