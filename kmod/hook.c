// SPDX-License-Identifier: GPL-2.0
/*
 * Stealing packets.
 *
 * At PRE_ROUTING, behind conntrack and DNAT, so that the INPUT firewall, which still decides, finds what its rules look at. Only what is addressed to this
 * host is ours; what is on its way through to the same port elsewhere is not touched.
 */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/dst_metadata.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/xfrm.h>
#include "conn.h"
#include "defrag.h"
#include "group.h"
#include "hook.h"
#include "icmp.h"
#include "net.h"
#include "receive.h"
#include "service.h"
#include "trace.h"

/*
 * Whose packet is on its way through the INPUT firewall on this CPU, so that it need not be looked up twice. A rule may queue the packet, and what comes
 * back later finds another one here, or none; all of it is under the RCU of the hook that has looked.
 */
struct passing {
	const struct sk_buff *skb;
	struct ftcp_conn *conn;
};
static DEFINE_PER_CPU(struct passing, passing);

static bool policy_allows(struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return xfrm4_policy_check(NULL, XFRM_POLICY_IN, skb);
	return xfrm6_policy_check(NULL, XFRM_POLICY_IN, skb);
}

static int local_in(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	const struct passing *mine = this_cpu_ptr(&passing);

	if (policy_allows(skb)) {
		ftcp_receive(ftcp_net(net), skb, mine->skb == skb ? mine->conn : NULL);
	} else {
		ftcp_stats_drop(ftcp_net(net), FTCP_REASON_FIREWALL);
		kfree_skb(skb);
	}
	return 0;
}

static int route4(struct sk_buff *skb)
{
	const struct iphdr *ip = ip_hdr(skb);

	return ip_route_input_noref(skb, ip->daddr, ip->saddr, ip->tos, skb->dev);
}

static int route6(struct net *net, struct sk_buff *skb)
{
	const struct ipv6hdr *ip = ipv6_hdr(skb);
	struct flowi6 fl6 = {
		.flowi6_iif = skb->dev->ifindex,
		.daddr = ip->daddr,
		.saddr = ip->saddr,
		.flowlabel = ip6_flowinfo(ip),
		.flowi6_mark = skb->mark,
		.flowi6_proto = IPPROTO_TCP,
	};

	skb_dst_drop(skb);
	skb_dst_set(skb, ip6_route_input_lookup(net, skb->dev, &fl6, skb, RT6_LOOKUP_F_HAS_SADDR));
	return 0;
}

static bool dst_is_local(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return skb_rtable(skb)->rt_type == RTN_LOCAL;
	return ((const struct rt6_info *)skb_dst(skb))->rt6i_flags & RTF_LOCAL;
}

/* What this connection's packets came by before, from the same device (as tcp_v4_early_demux()): the same decision, if nothing has changed since. */
static bool is_known_local(const struct ftcp_conn *conn, struct sk_buff *skb)
{
	struct dst_entry *dst = rcu_dereference(conn->rx_dst);

	if (!dst || READ_ONCE(conn->rx_iif) != skb->skb_iif || !dst_check(dst, READ_ONCE(conn->rx_cookie)))
		return false;
	skb_dst_drop(skb);	/* a tunnel's metadata, with a reference */
	skb_dst_set_noref(skb, dst);
	return true;
}

/*
 * Is it for this host? The kernel's own decision, made a moment earlier, with its checks of the source address. A local packet keeps
 * the route: rules of the INPUT firewall count on one. So does one that leads nowhere, since the address may appear
 * at any moment: what we have let pass must not be looked up again then, and be answered with an RST. On a packet in
 * transit it is taken back, for those who mark packets behind us.
 *
 * 1: yes; 0: no; -ENOMEM: a route needs memory, and there was none. Then it must not pass: the kernel may have more luck.
 */
static int is_local(struct net *net, struct sk_buff *skb)
{
	bool v4 = skb->protocol == htons(ETH_P_IP);
	int err;

	if (skb_valid_dst(skb))
		return dst_is_local(skb);
	err = v4 ? route4(skb) : route6(net, skb);
	if (err)
		return err == -ENOBUFS ? -ENOMEM : 0;
	if (dst_is_local(skb))
		return 1;
	/* IPv6 does not say: having failed in the table of local addresses it goes on to the next one. */
	if (!v4 && ipv6_chk_addr(net, &ipv6_hdr(skb)->daddr, skb->dev, 0))
		return -ENOMEM;
	if (!skb_dst(skb)->error)
		skb_dst_drop(skb);
	return 0;
}

static bool source_is_sane(const struct ftcp_conn_key *key)
{
	if (ipv6_addr_v4mapped(&key->raddr)) {
		__be32 addr = key->raddr.s6_addr32[3];

		return !ipv4_is_multicast(addr) && !ipv4_is_lbcast(addr) && !ipv4_is_zeronet(addr);
	}
	return !ipv6_addr_is_multicast(&key->raddr) && !ipv6_addr_any(&key->raddr);
}

/*
 * Whose is it? The group that is to have it; NULL: nobody's of ours; or an error: who knows. Under RCU, as every hook is, and without a
 * reference to anything: each packet comes by here.
 */
static struct ftcp_group *owner(struct ftcp_net *fn, struct sk_buff *skb, const struct ftcp_conn_key *key, const struct ftcp_conn *conn)
{
	const struct ftcp_service *service;
	struct ftcp_group *group = NULL;
	int local;

	/* A connection stays ours when its service is deleted. */
	if (conn && ftcp_group_speaks(conn->group))
		group = conn->group;
	if (!group) {
		service = ftcp_service_find(fn, &key->laddr, ntohs(key->lport));
		group = service && (conn || !ftcp_service_abandoned(service)) ? service->group : NULL;
	}
	if (!group)
		return NULL;
	if (conn && !skb_valid_dst(skb) && is_known_local(conn, skb))
		return group;
	local = is_local(fn->net, skb);
	return local > 0 ? group : ERR_PTR(local);	/* 0: NULL */
}

static void drop(struct ftcp_net *fn, const struct ftcp_conn_key *key, enum ftcp_reason reason)
{
	static const struct ftcp_segment unread;

	ftcp_stats_drop(fn, reason);
	trace_segment_in(key, &unread, reason);
}

/* Not 0: it has been dropped */
static int through_firewall(const struct nf_hook_state *state, struct sk_buff *skb, struct ftcp_conn *conn)
{
	struct passing *mine = this_cpu_ptr(&passing);
	int err;

	mine->skb = skb;
	mine->conn = conn;
	err = NF_HOOK(state->pf, NF_INET_LOCAL_IN, state->net, NULL, skb, skb->dev, NULL, local_in);
	mine->skb = NULL;
	return err;
}

static unsigned int steal(struct sk_buff *skb, const struct nf_hook_state *state, const struct ftcp_conn_key *key)
{
	struct ftcp_net *fn = ftcp_net(state->net);
	struct ftcp_conn *conn = ftcp_conn_peek(fn, key);
	const struct ftcp_group *group = owner(fn, skb, key, conn);

	if (!group)
		return NF_ACCEPT;
	if (IS_ERR(group)) {
		drop(fn, key, FTCP_REASON_NO_MEMORY);
		return NF_DROP;
	}
	if (!ftcp_group_speaks(group)) {
		/* The fail-silent gate: never an RST from a standby, whatever came first, address or promotion. */
		drop(fn, key, FTCP_REASON_STANDBY);
		return NF_DROP;
	}
	if (!source_is_sane(key)) {
		drop(fn, key, FTCP_REASON_NOT_OURS);
		return NF_DROP;
	}
	if (through_firewall(state, skb, conn))
		drop(fn, key, FTCP_REASON_FIREWALL);
	return NF_STOLEN;
}

static unsigned int hook4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct ftcp_conn_key key = {};
	const struct iphdr *ip;
	const __be16 *ports;
	__be16 buf[2];

	if (skb->pkt_type != PACKET_HOST || !pskb_may_pull(skb, sizeof(*ip)))
		return NF_ACCEPT;
	ip = ip_hdr(skb);
	if (ip->protocol == IPPROTO_ICMP)
		return ftcp_icmp4(ftcp_net(state->net), skb) ? NF_DROP : NF_ACCEPT;
	if (ip->protocol != IPPROTO_TCP || ip_is_fragment(ip))
		return NF_ACCEPT;
	ports = skb_header_pointer(skb, ip->ihl * 4, sizeof(buf), buf);
	if (!ports)
		return NF_ACCEPT;
	ipv6_addr_set_v4mapped(ip->saddr, &key.raddr);
	ipv6_addr_set_v4mapped(ip->daddr, &key.laddr);
	key.rport = ports[0];
	key.lport = ports[1];
	skb_set_transport_header(skb, ip->ihl * 4);
	return steal(skb, state, &key);
}

static unsigned int hook6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct ftcp_conn_key key = {};
	const __be16 *ports;
	int protocol, flags = IP6_FH_F_AUTH;	/* what is authenticated comes by again when that was verified */
	unsigned int at = 0;
	__be16 buf[2];

	if (skb->pkt_type != PACKET_HOST || !pskb_may_pull(skb, sizeof(struct ipv6hdr)))
		return NF_ACCEPT;
	protocol = ipv6_find_hdr(skb, &at, -1, NULL, &flags);
	if (protocol == IPPROTO_ICMPV6)
		return ftcp_icmp6(ftcp_net(state->net), skb, at) ? NF_DROP : NF_ACCEPT;
	if (protocol != IPPROTO_TCP)
		return NF_ACCEPT;
	ports = skb_header_pointer(skb, at, sizeof(buf), buf);
	if (!ports)
		return NF_ACCEPT;
	key.raddr = ipv6_hdr(skb)->saddr;
	key.laddr = ipv6_hdr(skb)->daddr;
	key.rport = ports[0];
	key.lport = ports[1];
	skb_set_transport_header(skb, at);
	return steal(skb, state, &key);
}

static const struct nf_hook_ops hooks[] = {
	{ .hook = hook4, .pf = NFPROTO_IPV4, .hooknum = NF_INET_PRE_ROUTING, .priority = NF_IP_PRI_NAT_DST + 1 },
	{ .hook = hook6, .pf = NFPROTO_IPV6, .hooknum = NF_INET_PRE_ROUTING, .priority = NF_IP6_PRI_NAT_DST + 1 },
};

int ftcp_hook_register(struct ftcp_net *fn)
{
	int err = ftcp_defrag_enable(fn->net);

	if (err)
		return err;
	err = nf_register_net_hooks(fn->net, hooks, ARRAY_SIZE(hooks));
	if (err)
		ftcp_defrag_disable(fn->net);
	return err;
}

static unsigned int pass(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}

/* A rule may have queued packets to a program; what comes back goes to local_in(). Any hook that goes throws them away. */
static void empty_queues(struct net *net)
{
	static const struct nf_hook_ops ops = {
		.hook = pass, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_OUT, .priority = NF_IP_PRI_LAST,
	};

	if (!nf_register_net_hook(net, &ops))
		nf_unregister_net_hook(net, &ops);
}

void ftcp_hook_unregister(struct ftcp_net *fn)
{
	nf_unregister_net_hooks(fn->net, hooks, ARRAY_SIZE(hooks));
	ftcp_defrag_disable(fn->net);
	/* Who is in local_in(), or on the way to a queue, is so under RCU */
	synchronize_net();
	empty_queues(fn->net);
}
