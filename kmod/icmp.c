// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors: path MTU (RFC 1191, 8201), believed only if they quote a sequence number in flight (RFC 5927). All others about our connections
 * are soft (RFC 1122, 4.2.3.9; RFC 5461): counted, no more.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "conn.h"
#include "group.h"
#include "icmp.h"
#include "net.h"

/* The first eight bytes of TCP are what every ICMP error quotes at least. */
struct quoted {
	__be16 source;
	__be16 dest;
	__be32 seq;
};

static bool about_conn(struct ftcp_net *fn, const struct ftcp_conn_key *key, u32 seq, u32 mss_bytes)
{
	struct ftcp_conn *conn = ftcp_conn_find(fn, key);
	struct ftcp_env env;
	bool used = false;

	if (!conn)
		return false;
	spin_lock_bh(&conn->lock);
	if (mss_bytes && !conn->gone && !conn->finished && ftcp_group_speaks(conn->group)) {
		ftcp_conn_env(conn, &env);
		used = ftcp_input_mtu(&conn->tcb, &env, ftcp_seq_make(seq), mss_bytes);
	}
	ftcp_stats_inc(fn, used ? FTCP_COUNT_ICMP_MTU : FTCP_COUNT_ICMP_IGNORED);
	ftcp_conn_unlock(conn, 0);
	ftcp_conn_put(conn);
	return true;
}

bool ftcp_icmp4(struct ftcp_net *fn, struct sk_buff *skb)
{
	u32 at = ip_hdrlen(skb), mss_bytes = 0;
	struct ftcp_conn_key key = {};
	const struct icmphdr *icmp;
	const struct quoted *tcp;
	const struct iphdr *ip;
	struct icmphdr icmp_buf;
	struct quoted tcp_buf;
	struct iphdr ip_buf;

	icmp = skb_header_pointer(skb, at, sizeof(icmp_buf), &icmp_buf);
	if (!icmp || !icmp_is_err(icmp->type))
		return false;
	ip = skb_header_pointer(skb, at + sizeof(*icmp), sizeof(ip_buf), &ip_buf);
	if (!ip || ip->protocol != IPPROTO_TCP || ip->ihl < 5 || (ip->frag_off & htons(IP_OFFSET)))
		return false;
	tcp = skb_header_pointer(skb, at + sizeof(*icmp) + ip->ihl * 4, sizeof(tcp_buf), &tcp_buf);
	if (!tcp || nf_ip_checksum(skb, NF_INET_PRE_ROUTING, at, IPPROTO_ICMP))
		return false;
	ipv6_addr_set_v4mapped(ip->saddr, &key.laddr);
	ipv6_addr_set_v4mapped(ip->daddr, &key.raddr);
	key.lport = tcp->source;
	key.rport = tcp->dest;
	if (icmp->type == ICMP_DEST_UNREACH && icmp->code == ICMP_FRAG_NEEDED && ntohs(icmp->un.frag.mtu) > 40)
		mss_bytes = ntohs(icmp->un.frag.mtu) - 40;
	return about_conn(fn, &key, ntohl(tcp->seq), mss_bytes);
}

bool ftcp_icmp6(struct ftcp_net *fn, struct sk_buff *skb, u32 at)
{
	struct ftcp_conn_key key = {};
	const struct icmp6hdr *icmp;
	const struct quoted *tcp;
	const struct ipv6hdr *ip;
	struct icmp6hdr icmp_buf;
	struct quoted tcp_buf;
	struct ipv6hdr ip_buf;
	u32 mss_bytes = 0;

	icmp = skb_header_pointer(skb, at, sizeof(icmp_buf), &icmp_buf);
	if (!icmp || (icmp->icmp6_type & ICMPV6_INFOMSG_MASK))
		return false;
	ip = skb_header_pointer(skb, at + sizeof(*icmp), sizeof(ip_buf), &ip_buf);
	if (!ip || ip->nexthdr != IPPROTO_TCP)
		return false;
	tcp = skb_header_pointer(skb, at + sizeof(*icmp) + sizeof(*ip), sizeof(tcp_buf), &tcp_buf);
	if (!tcp || nf_ip6_checksum(skb, NF_INET_PRE_ROUTING, at, IPPROTO_ICMPV6))
		return false;
	key.laddr = ip->saddr;
	key.raddr = ip->daddr;
	key.lport = tcp->source;
	key.rport = tcp->dest;
	if (icmp->icmp6_type == ICMPV6_PKT_TOOBIG && ntohl(icmp->icmp6_mtu) > 60)
		mss_bytes = clamp_t(u32, ntohl(icmp->icmp6_mtu), IPV6_MIN_MTU, 65535) - 60;	/* RFC 8201, 4 */
	return about_conn(fn, &key, ntohl(tcp->seq), mss_bytes);
}
