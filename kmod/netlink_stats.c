// SPDX-License-Identifier: GPL-2.0
/* Netlink: counters. */
#include <linux/slab.h>
#include "memory.h"
#include "net.h"
#include "netlink_internal.h"
#include "stats.h"

/* A nest with a name of at most 31 bytes and a number, each padded. */
#define ENTRY_BYTES	(NLA_HDRLEN + NLA_HDRLEN + 32 + NLA_HDRLEN + 8 + NLA_HDRLEN)

#define GAUGES		6

static int put_entry(struct sk_buff *skb, const char *name, u64 value)
{
	struct nlattr *nest = nla_nest_start(skb, FTCP_A_STATS_ENTRY);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_string(skb, FTCP_A_STATS_NAME, name) ||
	    nla_put_u64_64bit(skb, FTCP_A_STATS_VALUE, value, FTCP_A_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* What there is now, before what has happened so far. */
struct gauge {
	const char *name;
	u64 value;
};

static int put_gauges(struct sk_buff *skb, const struct ftcp_net *fn)
{
	const struct gauge gauges[GAUGES] = {
		{ "conns", atomic_read(&fn->n_conns) },
		{ "half_open", atomic_read(&fn->n_half_open) },
		{ "time_waits", atomic_read(&fn->n_time_waits) },
		{ "orphans", atomic_read(&fn->n_orphans) },
		{ "memory_bytes", ftcp_memory_used() },
		{ "memory_max_bytes", ftcp_memory_max() },
	};
	int i, err = 0;

	for (i = 0; i < GAUGES && !err; i++)
		err = put_entry(skb, gauges[i].name, gauges[i].value);
	return err;
}

static int put_stats(struct sk_buff *skb, const struct ftcp_net *fn, const struct ftcp_stats *sum)
{
	int i, err = put_gauges(skb, fn);

	for (i = 0; i < FTCP_COUNT_MAX && !err; i++)
		err = put_entry(skb, ftcp_stats_name(i), sum->counts[i]);
	for (i = 0; i < FTCP_REASON_MAX && !err; i++)
		if (i != FTCP_REASON_NONE)
			err = put_entry(skb, ftcp_stats_drop_name(i), sum->drops[i]);
	return err;
}

int ftcp_nl_stats_get(struct sk_buff *skb, struct genl_info *info)
{
	size_t size = (GAUGES + FTCP_COUNT_MAX + FTCP_REASON_MAX) * ENTRY_BYTES;
	struct ftcp_stats *sum = kmalloc(sizeof(*sum), GFP_KERNEL);
	struct sk_buff *reply = genlmsg_new(size, GFP_KERNEL);
	int err = -ENOMEM;
	void *hdr;

	if (!sum || !reply)
		goto free;
	ftcp_stats_sum(ftcp_net(genl_info_net(info)), sum);
	hdr = genlmsg_put_reply(reply, info, &ftcp_genl_family, 0, FTCP_CMD_STATS_GET);
	err = hdr ? put_stats(reply, ftcp_net(genl_info_net(info)), sum) : -EMSGSIZE;
	if (err)
		goto free;
	genlmsg_end(reply, hdr);
	kfree(sum);
	return genlmsg_reply(reply, info);
free:
	nlmsg_free(reply);
	kfree(sum);
	return err;
}
