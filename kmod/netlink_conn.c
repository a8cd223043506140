// SPDX-License-Identifier: GPL-2.0
/* Netlink: connections. */
#include <linux/slab.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/ktime.h>
#include <linux/tcp.h>
#include "conn.h"
#include "group.h"
#include "net.h"
#include "netlink.h"
#include "netlink_internal.h"
#include "sock.h"

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

static u32 options(u8 flags)
{
	return (flags & FTCP_HARD_TS ? FTCP_CONN_OPTION_TS : 0) | (flags & FTCP_HARD_SACK ? FTCP_CONN_OPTION_SACK : 0) |
	       (flags & FTCP_HARD_WSCALE ? FTCP_CONN_OPTION_WSCALE : 0) | (flags & FTCP_HARD_ECN ? FTCP_CONN_OPTION_ECN : 0) |
	       (flags & FTCP_HARD_ASYNC ? FTCP_CONN_OPTION_ASYNC : 0);
}

static int put_hard(struct sk_buff *skb, const struct ftcp_hard *hard)
{
	if (put_u64(skb, FTCP_A_CONN_CONSUMED, hard->consumed) ||
	    put_u64(skb, FTCP_A_CONN_RCV_NXT, hard->rcv_nxt) ||
	    put_u64(skb, FTCP_A_CONN_RCV_EDGE, hard->rcv_edge) ||
	    put_u64(skb, FTCP_A_CONN_SND_UNA, hard->snd_una) ||
	    put_u64(skb, FTCP_A_CONN_SND_END, hard->snd_end) ||
	    nla_put_u32(skb, FTCP_A_CONN_SND_WND, hard->snd_wnd) ||
	    nla_put_u32(skb, FTCP_A_CONN_MSS, hard->mss_bytes) ||
	    nla_put_u32(skb, FTCP_A_CONN_RCV_SPACE, hard->rcv_buf_bytes) ||
	    nla_put_u32(skb, FTCP_A_CONN_SND_SPACE, hard->snd_buf_bytes) ||
	    nla_put_u8(skb, FTCP_A_CONN_RCV_WSCALE, hard->rcv_wscale) ||
	    nla_put_u8(skb, FTCP_A_CONN_SND_WSCALE, hard->snd_wscale) ||
	    nla_put_u32(skb, FTCP_A_CONN_OPTIONS, options(hard->flags)))
		return -EMSGSIZE;
	return 0;
}

static int put_soft(struct sk_buff *skb, const struct ftcp_soft *soft)
{
	if (put_u64(skb, FTCP_A_CONN_RCV_COMMITTED, soft->committed.rcv) ||
	    put_u64(skb, FTCP_A_CONN_RCV_SHIPPED, soft->shipped.rcv) ||
	    put_u64(skb, FTCP_A_CONN_RCV_ACKED, soft->rcv_ack) ||
	    put_u64(skb, FTCP_A_CONN_SND_NXT, soft->snd_nxt) ||
	    put_u64(skb, FTCP_A_CONN_SND_TOP, soft->snd_max) ||
	    put_u64(skb, FTCP_A_CONN_SND_COMMITTED, soft->committed.snd) ||
	    put_u64(skb, FTCP_A_CONN_SND_SHIPPED, soft->shipped.snd) ||
	    nla_put_u32(skb, FTCP_A_CONN_CWND, soft->cong.cwnd_bytes) ||
	    nla_put_u32(skb, FTCP_A_CONN_SSTHRESH, soft->cong.ssthresh_bytes) ||
	    nla_put_u32(skb, FTCP_A_CONN_MSS_NOW, soft->cong.mss_bytes) ||
	    nla_put_string(skb, FTCP_A_SERVICE_CONGESTION, ftcp_cong_name(soft->cong.algorithm)) ||
	    nla_put_u32(skb, FTCP_A_CONN_SRTT_US, soft->rtt.srtt_us) ||
	    nla_put_u32(skb, FTCP_A_CONN_RTTVAR_US, soft->rtt.rttvar_us) ||
	    nla_put_u32(skb, FTCP_A_CONN_RTT_MIN_US, soft->rtt.min_us) ||
	    nla_put_u32(skb, FTCP_A_CONN_RTO_US, min_t(u64, ftcp_rtt_backoff_us(&soft->rtt, soft->backoff), U32_MAX)) ||
	    nla_put_u32(skb, FTCP_A_CONN_REXMITS_NOW, soft->rexmits) ||
	    nla_put_u32(skb, FTCP_A_CONN_REXMITS, soft->rexmit_total) ||
	    nla_put_u8(skb, FTCP_A_CONN_RECOVERY, soft->recovering))
		return -EMSGSIZE;
	return 0;
}

static u32 lost_bytes(const struct ftcp_tcb *tcb)
{
	u64 una = tcb->hard.snd_una, lost = min(tcb->soft.lost_off, tcb->soft.snd_max);
	const struct ftcp_ranges *sacked = &tcb->soft.sacked;

	return lost > una ? lost - una - (ftcp_ranges_bytes(sacked, una) - ftcp_ranges_bytes(sacked, lost)) : 0;
}

static u32 since_ms(u64 now_us, u64 then_us)
{
	return min_t(u64, div_u64(now_us - min(then_us, now_us), FTCP_MS_US), U32_MAX);
}

/* What is counted from the soft state, and from what only the kernel's side knows. */
static int put_counted(struct sk_buff *skb, const struct ftcp_conn *conn, u64 now_us)
{
	const struct ftcp_tcb *tcb = &conn->tcb;
	const struct ftcp_soft *soft = &tcb->soft;
	u32 headers = (ftcp_conn_is_v4(conn) ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) + sizeof(struct tcphdr);

	if (nla_put_u32(skb, FTCP_A_CONN_PMTU, soft->mtu_mss_bytes + headers) ||
	    nla_put_u32(skb, FTCP_A_CONN_SACKED_BYTES, ftcp_ranges_bytes(&soft->sacked, tcb->hard.snd_una)) ||
	    nla_put_u32(skb, FTCP_A_CONN_LOST_BYTES, lost_bytes(tcb)) ||
	    nla_put_u32(skb, FTCP_A_CONN_OOO_BYTES, ftcp_ranges_bytes(&soft->ooo, tcb->hard.rcv_nxt)) ||
	    put_u64(skb, FTCP_A_CONN_REXMIT_BYTES, conn->rexmit_bytes) ||
	    nla_put_u32(skb, FTCP_A_CONN_SEGS_IN, conn->segs_in) ||
	    nla_put_u32(skb, FTCP_A_CONN_SEGS_OUT, conn->segs_out) ||
	    nla_put_u32(skb, FTCP_A_CONN_LAST_SND_MS, since_ms(now_us, soft->last_sent_us)) ||
	    nla_put_u32(skb, FTCP_A_CONN_LAST_RCV_MS, since_ms(now_us, soft->last_heard_us)) ||
	    nla_put_u32(skb, FTCP_A_CONN_LAST_ACK_MS, since_ms(now_us, soft->progress_us)))
		return -EMSGSIZE;
	return 0;
}

static int put_timers(struct sk_buff *skb, const struct ftcp_timers *timers, u64 now_us)
{
	const struct {
		enum ftcp_attr attr;
		u64 at_us;
	} all[] = {
		{ FTCP_A_CONN_TIMER_REXMIT_MS, timers->rexmit_us },
		{ FTCP_A_CONN_TIMER_PERSIST_MS, timers->persist_us },
		{ FTCP_A_CONN_TIMER_KEEPALIVE_MS, timers->keepalive_us },
		{ FTCP_A_CONN_TIMER_CLOSE_MS, timers->close_us },
		{ FTCP_A_CONN_TIMER_DELAYED_MS, timers->delayed_us },
		{ FTCP_A_CONN_TIMER_TAIL_MS, timers->tail_us },
		{ FTCP_A_CONN_TIMER_REORDER_MS, timers->reorder_us },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].at_us && nla_put_u32(skb, all[i].attr, since_ms(all[i].at_us, now_us)))
			return -EMSGSIZE;
	return 0;
}

/* A standby has no soft state, and nothing is committed by it. */
static int put_speaking(struct sk_buff *skb, const struct ftcp_conn *conn)
{
	struct ftcp_env env;
	int err;

	ftcp_conn_env(conn, &env);
	err = put_soft(skb, &conn->tcb.soft);
	if (!err)
		err = put_counted(skb, conn, env.now_us);
	if (!err)
		err = put_timers(skb, &conn->tcb.soft.timers, env.now_us);
	return err;
}

static int put_program(struct sk_buff *skb, const struct ftcp_sock *fs)
{
	char text[TASK_COMM_LEN + 16];

	if (!fs->pid)
		return 0;
	snprintf(text, sizeof(text), "%s[%d]", fs->comm, fs->pid);
	return nla_put_string(skb, FTCP_A_CONN_PROGRAM, text);
}

static int put_conn(struct sk_buff *skb, struct ftcp_conn *conn)
{
	int err;

	if (nla_put_string(skb, FTCP_A_GROUP_NAME, conn->group->name) || ftcp_nl_put_conn_key(skb, conn) ||
	    put_u64(skb, FTCP_A_CONN_AGE_MS, ftcp_conn_age_ms(conn)))
		return -EMSGSIZE;
	spin_lock_bh(&conn->lock);
	err = put_hard(skb, &conn->tcb.hard);
	if (!err && (nla_put_u32(skb, FTCP_A_CONN_RCV_HELD, min_t(u64, conn->rcv.held, U32_MAX)) ||
		     nla_put_u32(skb, FTCP_A_CONN_SND_HELD, min_t(u64, conn->snd.held, U32_MAX))))
		err = -EMSGSIZE;
	if (!err && ftcp_group_speaks(conn->group) && !conn->dormant)
		err = put_speaking(skb, conn);
	if (!err && conn->sk)
		err = put_program(skb, ftcp_sk(conn->sk));
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

/* On a standby it would be missing at a takeover, and nobody would know. */
static int kill_conn(struct ftcp_conn *conn, struct netlink_ext_ack *extack)
{
	struct ftcp_group *group = conn->group;
	int err = 0;

	mutex_lock(&group->sync.mutex);
	if (ftcp_group_speaks(group))
		ftcp_conn_kill(conn);
	else
		err = ftcp_refuse(extack, -EBUSY, "this host is standby for group %s: do that on the primary", group->name);
	mutex_unlock(&group->sync.mutex);
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
	err = kill_conn(conn, info->extack);
	ftcp_conn_put(conn);
	return err;
}
