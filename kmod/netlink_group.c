// SPDX-License-Identifier: GPL-2.0
/* Netlink: groups, their roles, and events. */
#include <linux/ktime.h>
#include "conn.h"
#include "group.h"
#include "net.h"
#include "netlink.h"
#include "netlink_internal.h"

/* What GROUP_GET tells, taken in one moment. */
struct group_view {
	enum ftcp_role role;
	enum ftcp_sync_state state;
	u64 epoch, sync_id, held_no, sent_no, lag_bytes, role_ms, state_ms;
	u32 lag_ms, conns, unsynced;
	bool attached;
};

static void view_group(struct ftcp_group *group, struct group_view *view)
{
	u64 now_ms = div_u64(ktime_get_boottime_ns(), NSEC_PER_MSEC);
	const struct ftcp_sync *sync = &group->sync;

	ftcp_sync_lag(group, &view->lag_bytes, &view->lag_ms);
	spin_lock_bh(&group->lock);
	view->role = group->role;
	view->epoch = group->epoch;
	view->role_ms = now_ms - min(group->role_since_ms, now_ms);
	view->conns = group->n_conns;
	view->state = sync->state;
	view->state_ms = now_ms - min(sync->state_since_ms, now_ms);
	view->sync_id = sync->sync_id;
	view->held_no = sync->held_no;
	view->sent_no = sync->sent_no;
	view->unsynced = sync->unsynced;
	view->attached = sync->portid || READ_ONCE(sync->follow_portid);
	spin_unlock_bh(&group->lock);
}

static int put_u64(struct sk_buff *skb, enum ftcp_attr attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, FTCP_A_PAD);
}

int ftcp_nl_put_group(struct sk_buff *skb, struct ftcp_group *group)
{
	struct group_view view;

	view_group(group, &view);
	if (nla_put_string(skb, FTCP_A_GROUP_NAME, group->name) ||
	    nla_put_u32(skb, FTCP_A_ROLE, view.role) ||
	    put_u64(skb, FTCP_A_EPOCH, view.epoch) ||
	    nla_put_u32(skb, FTCP_A_SYNC_STATE, view.state) ||
	    put_u64(skb, FTCP_A_SYNC_ID, view.sync_id) ||
	    put_u64(skb, FTCP_A_BATCH_NO, view.held_no) ||
	    put_u64(skb, FTCP_A_BATCH_SENT, view.sent_no) ||
	    nla_put_u8(skb, FTCP_A_ATTACHED, view.attached) ||
	    put_u64(skb, FTCP_A_LAG_BYTES, view.lag_bytes) ||
	    nla_put_u32(skb, FTCP_A_LAG_MS, view.lag_ms) ||
	    put_u64(skb, FTCP_A_ROLE_MS, view.role_ms) ||
	    put_u64(skb, FTCP_A_SYNC_MS, view.state_ms) ||
	    nla_put_u32(skb, FTCP_A_CONNS, view.conns) ||
	    nla_put_u32(skb, FTCP_A_UNSYNCED, view.unsynced))
		return -EMSGSIZE;
	return 0;
}

int ftcp_nl_group_new(struct sk_buff *skb, struct genl_info *info)
{
	struct ftcp_group *group;

	if (!info->attrs[FTCP_A_GROUP_NAME])
		return ftcp_nl_missing(info, FTCP_A_GROUP_NAME, "GROUP_NAME is missing: what is the new group called?");
	group = ftcp_group_new(ftcp_net(genl_info_net(info)), nla_data(info->attrs[FTCP_A_GROUP_NAME]), info->extack);
	if (IS_ERR(group))
		return PTR_ERR(group);
	ftcp_group_put(group);
	return 0;
}

int ftcp_nl_group_del(struct sk_buff *skb, struct genl_info *info)
{
	if (!info->attrs[FTCP_A_GROUP_NAME])
		return ftcp_nl_missing(info, FTCP_A_GROUP_NAME, "GROUP_NAME is missing: which group?");
	return ftcp_group_del(ftcp_net(genl_info_net(info)), nla_data(info->attrs[FTCP_A_GROUP_NAME]), info->extack);
}

int ftcp_nl_group_get(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &ftcp_genl_family, 0, FTCP_CMD_GROUP_GET);
	if (!hdr || ftcp_nl_put_group(reply, ftcp_nl_group(info))) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

static int dump_one(struct sk_buff *skb, struct netlink_callback *cb, struct ftcp_group *group)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &ftcp_genl_family, NLM_F_MULTI,
				FTCP_CMD_GROUP_GET);

	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	if (ftcp_nl_put_group(skb, group)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* cb->args[0]: how many groups were dumped already. */
int ftcp_nl_group_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ftcp_group *only = ftcp_nl_dump_group(cb), *group;
	struct ftcp_net *fn = ftcp_net(sock_net(cb->skb->sk));
	long at = 0;

	if (IS_ERR(only))
		return PTR_ERR(only);
	cb->seq = READ_ONCE(fn->generation) + 1;	/* 0: no check */
	rcu_read_lock();
	list_for_each_entry_rcu(group, &fn->groups, node) {
		if (at++ < cb->args[0] || (only && group != only))
			continue;
		if (dump_one(skb, cb, group)) {
			at--;
			break;
		}
	}
	rcu_read_unlock();
	cb->args[0] = at;
	if (only)
		ftcp_group_put(only);
	return skb->len;
}

/* ---- roles ---- */

static u64 get_u64(struct genl_info *info, enum ftcp_attr attr)
{
	return info->attrs[attr] ? nla_get_u64(info->attrs[attr]) : 0;
}

int ftcp_nl_promote(struct sk_buff *skb, struct genl_info *info)
{
	enum ftcp_promote how = FTCP_PROMOTE_IN_SYNC;

	if (info->attrs[FTCP_A_FORCE] && info->attrs[FTCP_A_FRESH]) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[FTCP_A_FRESH],
				    "FORCE takes what is held, FRESH forgets it: which of them?");
		return -EINVAL;
	}
	if (info->attrs[FTCP_A_FORCE])
		how = FTCP_PROMOTE_FORCED;
	else if (info->attrs[FTCP_A_FRESH])
		how = FTCP_PROMOTE_FRESH;
	return ftcp_group_promote(ftcp_nl_group(info), get_u64(info, FTCP_A_EPOCH), how, info->extack);
}

int ftcp_nl_demote(struct sk_buff *skb, struct genl_info *info)
{
	return ftcp_group_demote(ftcp_nl_group(info), get_u64(info, FTCP_A_EPOCH), info->attrs[FTCP_A_FORCE],
				 info->extack);
}

int ftcp_nl_detach(struct sk_buff *skb, struct genl_info *info)
{
	return ftcp_group_detach(ftcp_nl_group(info), info->extack);
}

int ftcp_nl_kick(struct sk_buff *skb, struct genl_info *info)
{
	return ftcp_group_kick(ftcp_nl_group(info), info->extack);
}

/* ---- events ---- */

static void *event_begin(struct ftcp_net *fn, enum ftcp_event_type type, struct sk_buff **skb)
{
	void *hdr;

	if (!ftcp_nl_has_listeners(fn->net))
		return NULL;
	*skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_ATOMIC);
	if (!*skb)
		return NULL;
	hdr = genlmsg_put(*skb, 0, 0, &ftcp_genl_family, 0, FTCP_CMD_EVENT);
	if (hdr && !nla_put_u32(*skb, FTCP_A_EVENT, type))
		return hdr;
	nlmsg_free(*skb);
	return NULL;
}

static void event_end(struct ftcp_net *fn, struct sk_buff *skb, void *hdr, int err)
{
	if (err) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&ftcp_genl_family, fn->net, skb, 0, 0, GFP_ATOMIC);
}

void ftcp_netlink_event(struct ftcp_group *group, enum ftcp_event_type type)
{
	struct sk_buff *skb;
	void *hdr = event_begin(group->fn, type, &skb);

	if (hdr)
		event_end(group->fn, skb, hdr, ftcp_nl_put_group(skb, group));
}

/* Without the group's numbers: adding up the lag for each connection that comes would be quadratic. */
void ftcp_netlink_event_conn(struct ftcp_conn *conn, enum ftcp_event_type type)
{
	struct sk_buff *skb;
	void *hdr = event_begin(conn->fn, type, &skb);
	int err;

	if (!hdr)
		return;
	err = nla_put_string(skb, FTCP_A_GROUP_NAME, conn->group->name) ||
	      nla_put_u32(skb, FTCP_A_ROLE, READ_ONCE(conn->group->role)) || ftcp_nl_put_conn_key(skb, conn);
	event_end(conn->fn, skb, hdr, err);
}
