// SPDX-License-Identifier: GPL-2.0
/* Netlink: the sync channel, which the daemons carry. */
#include <linux/netlink.h>
#include "channel.h"
#include "group.h"
#include "net.h"
#include "netlink.h"
#include "netlink_internal.h"
#include "sync.h"

static u64 get_u64(struct genl_info *info, enum ftcp_attr attr)
{
	return info->attrs[attr] ? nla_get_u64(info->attrs[attr]) : 0;
}

/* What a batch of the largest size costs in a socket's buffer. */
#define BATCH_TRUE_BYTES (72u * 1024u)

/* Batches that a daemon carries wait in its socket, all of them if it is slow. Without CAP_NET_ADMIN over the host that may be small. */
static u32 credits(const struct sk_buff *skb)
{
	u32 bytes = max(READ_ONCE(NETLINK_CB(skb).sk->sk_rcvbuf), 0);

	return clamp(bytes / BATCH_TRUE_BYTES, 1u, (u32)FTCP_BATCHES_IN_FLIGHT_MAX);
}

int ftcp_nl_sync_attach(struct sk_buff *skb, struct genl_info *info)
{
	struct ftcp_group *group = ftcp_nl_group(info);
	struct ftcp_channel *channel = NULL;
	int err;

	if (info->attrs[FTCP_A_CHANNEL_FD]) {
		channel = ftcp_sync_channel_open(group, nla_get_u32(info->attrs[FTCP_A_CHANNEL_FD]), info->extack);
		if (IS_ERR(channel))
			return PTR_ERR(channel);
	}
	err = ftcp_sync_attach(group, info->snd_portid, channel, channel ? FTCP_BATCHES_IN_FLIGHT_MAX : credits(skb),
			       get_u64(info, FTCP_A_PEER_SYNC_ID), get_u64(info, FTCP_A_PEER_BATCH_NO), info->extack);
	if (err && channel)
		ftcp_channel_put(channel);
	return err;
}

int ftcp_nl_sync_follow(struct sk_buff *skb, struct genl_info *info)
{
	struct ftcp_group *group = ftcp_nl_group(info);
	struct ftcp_channel *channel;
	int err;

	if (!info->attrs[FTCP_A_CHANNEL_FD])
		return ftcp_nl_missing(info, FTCP_A_CHANNEL_FD, "CHANNEL_FD is missing: where do batches come from?");
	channel = ftcp_sync_channel_open(group, nla_get_u32(info->attrs[FTCP_A_CHANNEL_FD]), info->extack);
	if (IS_ERR(channel))
		return PTR_ERR(channel);
	err = ftcp_sync_follow(group, info->snd_portid, channel, info->extack);
	if (err)
		ftcp_channel_put(channel);
	return err;
}

int ftcp_nl_sync_detach(struct sk_buff *skb, struct genl_info *info)
{
	return ftcp_sync_detach(ftcp_nl_group(info), info->snd_portid, info->extack);
}

int ftcp_nl_sync_outdate(struct sk_buff *skb, struct genl_info *info)
{
	if (!info->attrs[FTCP_A_SYNC_ID])
		return ftcp_nl_missing(info, FTCP_A_SYNC_ID, "SYNC_ID is missing: which resync is old?");
	return ftcp_sync_outdate(ftcp_nl_group(info), get_u64(info, FTCP_A_SYNC_ID), info->extack);
}

int ftcp_nl_sync_apply(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *batch = info->attrs[FTCP_A_BATCH];

	if (!batch)
		return ftcp_nl_missing(info, FTCP_A_BATCH, "BATCH is missing: what is to be applied?");
	return ftcp_sync_apply(ftcp_nl_group(info), NULL, nla_data(batch), nla_len(batch), info->extack);
}

int ftcp_nl_sync_ack(struct sk_buff *skb, struct genl_info *info)
{
	if (!info->attrs[FTCP_A_SYNC_ID])
		return ftcp_nl_missing(info, FTCP_A_SYNC_ID, "SYNC_ID is missing: which resync is acknowledged?");
	if (!info->attrs[FTCP_A_BATCH_NO])
		return ftcp_nl_missing(info, FTCP_A_BATCH_NO, "BATCH_NO is missing: up to which batch?");
	return ftcp_sync_ack(ftcp_nl_group(info), get_u64(info, FTCP_A_SYNC_ID), get_u64(info, FTCP_A_BATCH_NO),
			     info->extack);
}

/* ---- batches out ---- */

static u32 message_bytes(const struct ftcp_group *group, u32 max)
{
	return nla_total_size(strlen(group->name) + 1) + 2 * nla_total_size_64bit(sizeof(u64)) + nla_total_size(max);
}

/* The beginning of a message about one batch; NULL: no room */
static void *put_head(struct sk_buff *skb, const struct ftcp_group *group, u8 cmd, u64 sync_id, u64 no)
{
	void *hdr = genlmsg_put(skb, 0, 0, &ftcp_genl_family, 0, cmd);

	if (!hdr || nla_put_string(skb, FTCP_A_GROUP_NAME, group->name) ||
	    nla_put_u64_64bit(skb, FTCP_A_SYNC_ID, sync_id, FTCP_A_PAD) ||
	    nla_put_u64_64bit(skb, FTCP_A_BATCH_NO, no, FTCP_A_PAD))
		return NULL;
	return hdr;
}

struct sk_buff *ftcp_netlink_batch_new(struct ftcp_group *group, u64 sync_id, u64 no, u32 max, void **data)
{
	struct sk_buff *skb = genlmsg_new(message_bytes(group, max), GFP_KERNEL | __GFP_NOWARN);
	struct nlattr *batch;
	void *hdr;

	if (!skb)
		return NULL;
	hdr = put_head(skb, group, FTCP_CMD_SYNC_BATCH, sync_id, no);
	if (!hdr)
		goto free;
	batch = nla_reserve(skb, FTCP_A_BATCH, max);
	if (!batch)
		goto free;
	genlmsg_end(skb, hdr);
	*data = nla_data(batch);
	return skb;
free:
	nlmsg_free(skb);
	return NULL;
}

/* The batch is the last attribute. */
static void cut(struct sk_buff *skb, u32 len)
{
	struct nlmsghdr *nlh = nlmsg_hdr(skb);
	struct nlattr *batch = nlmsg_find_attr(nlh, GENL_HDRLEN, FTCP_A_BATCH);

	batch->nla_len = nla_attr_size(len);
	memset((u8 *)batch + batch->nla_len, 0, nla_padlen(len));
	skb_trim(skb, (u8 *)batch + nla_total_size(len) - skb->data);
	nlh->nlmsg_len = skb->len;
}

int ftcp_netlink_batch_send(struct ftcp_group *group, struct sk_buff *skb, u32 len, u32 portid)
{
	int err;

	cut(skb, len);
	err = genlmsg_unicast(group->fn->net, skb, portid);
	/* The daemon does not read. netlink tells it that it lost something; we know which batch. */
	return err == -EAGAIN ? -ENOBUFS : err;
}

/* ---- what becomes of batches in ---- */

void ftcp_netlink_refused(struct ftcp_group *group, u64 sync_id, u64 no, const char *reason, u32 portid)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!skb)
		return;
	hdr = put_head(skb, group, FTCP_CMD_SYNC_REFUSED, sync_id, no);
	if (!hdr || nla_put_string(skb, FTCP_A_REASON, reason)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_unicast(group->fn->net, skb, portid);
}
