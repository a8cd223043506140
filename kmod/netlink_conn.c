// SPDX-License-Identifier: GPL-2.0
/* Netlink: connections. */
#include <linux/slab.h>
#include <linux/ktime.h>
#include "conn.h"
#include "group.h"
#include "net.h"
#include "netlink.h"
#include "netlink_internal.h"

int ftcp_nl_put_conn_key(struct sk_buff *skb, const struct ftcp_conn *conn)
{
	const struct ftcp_conn_key *key = &conn->key;

	if (ftcp_nl_put_addr(skb, FTCP_A_CONN_LADDR4, FTCP_A_CONN_LADDR6, &key->laddr) ||
	    ftcp_nl_put_addr(skb, FTCP_A_CONN_RADDR4, FTCP_A_CONN_RADDR6, &key->raddr) ||
	    nla_put_u16(skb, FTCP_A_CONN_LPORT, ntohs(key->lport)) ||
	    nla_put_u16(skb, FTCP_A_CONN_RPORT, ntohs(key->rport)) ||
	    nla_put_u8(skb, FTCP_A_CONN_STATE, READ_ONCE(conn->tcb.hard.state)))
		return -EMSGSIZE;
	return 0;
}

static int put_u64(struct sk_buff *skb, enum ftcp_attr attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, FTCP_A_PAD);
}

static int put_hard(struct sk_buff *skb, const struct ftcp_hard *hard)
{
	if (put_u64(skb, FTCP_A_CONN_CONSUMED, hard->consumed) ||
	    put_u64(skb, FTCP_A_CONN_RCV_NXT, hard->rcv_nxt) ||
	    put_u64(skb, FTCP_A_CONN_RCV_EDGE, hard->rcv_edge) ||
	    put_u64(skb, FTCP_A_CONN_SND_UNA, hard->snd_una) ||
	    put_u64(skb, FTCP_A_CONN_SND_END, hard->snd_end) ||
	    nla_put_u32(skb, FTCP_A_CONN_SND_WND, hard->snd_wnd) ||
	    nla_put_u32(skb, FTCP_A_CONN_MSS, hard->mss_bytes))
		return -EMSGSIZE;
	return 0;
}

/* A standby has no soft state, and nothing is committed by it. */
static int put_soft(struct sk_buff *skb, const struct ftcp_soft *soft)
{
	if (put_u64(skb, FTCP_A_CONN_RCV_COMMITTED, soft->committed.rcv) ||
	    put_u64(skb, FTCP_A_CONN_SND_NXT, soft->snd_nxt) ||
	    put_u64(skb, FTCP_A_CONN_SND_COMMITTED, soft->committed.snd) ||
	    nla_put_u32(skb, FTCP_A_CONN_CWND, soft->cong.cwnd_bytes) ||
	    nla_put_u32(skb, FTCP_A_CONN_SSTHRESH, soft->cong.ssthresh_bytes) ||
	    nla_put_u32(skb, FTCP_A_CONN_SRTT_US, soft->rtt.srtt_us) ||
	    nla_put_u32(skb, FTCP_A_CONN_RTO_US, soft->rtt.rto_us) ||
	    nla_put_u32(skb, FTCP_A_CONN_REXMITS, soft->rexmit_total))
		return -EMSGSIZE;
	return 0;
}

static int put_conn(struct sk_buff *skb, struct ftcp_conn *conn)
{
	u64 now_ms = div_u64(ktime_get_boottime_ns(), NSEC_PER_MSEC);
	int err;

	if (nla_put_string(skb, FTCP_A_GROUP_NAME, conn->group->name) || ftcp_nl_put_conn_key(skb, conn) ||
	    put_u64(skb, FTCP_A_CONN_AGE_MS, now_ms - min(conn->born_ms, now_ms)))
		return -EMSGSIZE;
	spin_lock_bh(&conn->lock);
	err = put_hard(skb, &conn->tcb.hard);
	if (!err && ftcp_group_speaks(conn->group))
		err = put_soft(skb, &conn->tcb.soft);
	spin_unlock_bh(&conn->lock);
	return err;
}

/* ---- dump ---- */

struct conn_dump {
	struct rhashtable_iter iter;
	struct ftcp_group *only;	/* with a reference, or NULL */
	u32 seq;			/* changes when the table was rebuilt under the walk */
	bool begun;
	bool done;
};

int ftcp_nl_conn_start(struct netlink_callback *cb)
{
	struct ftcp_net *fn = ftcp_net(sock_net(cb->skb->sk));
	struct conn_dump *dump;

	dump = kzalloc(sizeof(*dump), GFP_KERNEL);
	if (!dump)
		return -ENOMEM;
	dump->seq = 1;
	rhashtable_walk_enter(&fn->conns, &dump->iter);
	cb->args[0] = (long)dump;
	return 0;
}

int ftcp_nl_conn_done(struct netlink_callback *cb)
{
	struct conn_dump *dump = (struct conn_dump *)cb->args[0];

	rhashtable_walk_exit(&dump->iter);
	if (dump->only)
		ftcp_group_put(dump->only);
	kfree(dump);
	return 0;
}

/* Not in start, where there is no extack yet. */
static int begin(struct conn_dump *dump, struct netlink_callback *cb)
{
	struct ftcp_group *only = ftcp_nl_dump_group(cb);

	if (IS_ERR(only))
		return PTR_ERR(only);
	dump->only = only;
	dump->begun = true;
	return 0;
}

static int dump_one(struct sk_buff *skb, struct netlink_callback *cb, struct ftcp_conn *conn)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &ftcp_genl_family, NLM_F_MULTI,
				FTCP_CMD_CONN_GET);

	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	if (put_conn(skb, conn)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int ftcp_nl_conn_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct conn_dump *dump = (struct conn_dump *)cb->args[0];
	struct ftcp_conn *conn;
	int err;

	if (dump->done)
		return 0;
	err = dump->begun ? 0 : begin(dump, cb);
	if (err)
		return err;
	rhashtable_walk_start(&dump->iter);
	conn = rhashtable_walk_peek(&dump->iter);
	for (;;) {
		/* Connections come and go all the time: only a rebuilt table makes the dump inconsistent. */
		if (IS_ERR(conn) && PTR_ERR(conn) == -EAGAIN) {
			dump->seq++;
		} else if (IS_ERR_OR_NULL(conn)) {
			dump->done = true;
			break;
		} else if (!dump->only || conn->group == dump->only) {
			cb->seq = dump->seq;
			if (dump_one(skb, cb, conn))
				break;
		}
		conn = rhashtable_walk_next(&dump->iter);
	}
	rhashtable_walk_stop(&dump->iter);
	return skb->len;
}

/* ---- kill ---- */

static int get_end(struct genl_info *info, const enum ftcp_attr attrs[3], struct in6_addr *addr, __be16 *port)
{
	int err;

	if (!info->attrs[attrs[0]] && !info->attrs[attrs[1]])
		return ftcp_nl_missing(info, attrs[0], "a connection is named by two addresses and two ports");
	if (!info->attrs[attrs[2]])
		return ftcp_nl_missing(info, attrs[2], "a connection is named by two addresses and two ports");
	err = ftcp_nl_get_addr(info, attrs[0], attrs[1], addr);
	*port = htons(nla_get_u16(info->attrs[attrs[2]]));
	return err;
}

int ftcp_nl_conn_kill(struct sk_buff *skb, struct genl_info *info)
{
	static const enum ftcp_attr local[3] = { FTCP_A_CONN_LADDR4, FTCP_A_CONN_LADDR6, FTCP_A_CONN_LPORT };
	static const enum ftcp_attr remote[3] = { FTCP_A_CONN_RADDR4, FTCP_A_CONN_RADDR6, FTCP_A_CONN_RPORT };
	struct ftcp_conn_key key = {};
	struct ftcp_conn *conn;
	int err;

	err = get_end(info, local, &key.laddr, &key.lport);
	if (!err)
		err = get_end(info, remote, &key.raddr, &key.rport);
	if (err)
		return err;
	if (ipv6_addr_v4mapped(&key.laddr) != ipv6_addr_v4mapped(&key.raddr))
		return ftcp_refuse(info->extack, -EINVAL, "one address is IPv4, the other IPv6");
	conn = ftcp_conn_find(ftcp_net(genl_info_net(info)), &key);
	if (!conn)
		return ftcp_refuse(info->extack, -ENOENT, "there is no such connection");
	ftcp_conn_kill(conn);
	ftcp_conn_put(conn);
	return 0;
}
