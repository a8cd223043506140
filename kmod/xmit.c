// SPDX-License-Identifier: GPL-2.0
/* Segments out: a struct ftcp_segment becomes one skb (or more, where the pages do not fit into one) and goes to IP. */
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/tcp.h>
#include "conn.h"
#include "group.h"
#include "net.h"
#include "queue.h"
#include "trace.h"
#include "xmit.h"

static struct dst_entry *route4(struct net *net, const struct ftcp_conn_key *key)
{
	struct flowi4 fl4 = {
		.flowi4_proto = IPPROTO_TCP,
		.daddr = key->raddr.s6_addr32[3],
		.saddr = key->laddr.s6_addr32[3],
		.fl4_sport = key->lport,
		.fl4_dport = key->rport,
		/* After a takeover segments may be due before the address is here. */
		.flowi4_flags = FLOWI_FLAG_ANYSRC,
	};
	struct rtable *rt = ip_route_output_key(net, &fl4);

	return IS_ERR(rt) ? NULL : &rt->dst;
}

static struct dst_entry *route6(struct net *net, const struct ftcp_conn_key *key)
{
	struct flowi6 fl6 = {
		.flowi6_proto = IPPROTO_TCP,
		.daddr = key->raddr,
		.saddr = key->laddr,
		.fl6_sport = key->lport,
		.fl6_dport = key->rport,
		.flowi6_flags = FLOWI_FLAG_ANYSRC,
	};
	struct dst_entry *dst = ip6_dst_lookup_flow(net, NULL, &fl6, NULL);

	return IS_ERR(dst) ? NULL : dst;
}

static bool key_is_v4(const struct ftcp_conn_key *key)
{
	return ipv6_addr_v4mapped(&key->laddr);
}

static struct dst_entry *route(struct ftcp_net *fn, const struct ftcp_conn_key *key)
{
	return key_is_v4(key) ? route4(fn->net, key) : route6(fn->net, key);
}

static struct dst_entry *conn_route(struct ftcp_conn *conn)
{
	lockdep_assert_held(&conn->lock);
	if (conn->dst && !dst_check(conn->dst, conn->dst_cookie)) {
		dst_release(conn->dst);
		conn->dst = NULL;
	}
	if (!conn->dst) {
		conn->dst = route(conn->fn, &conn->key);
		if (conn->dst && !ftcp_conn_is_v4(conn))
			conn->dst_cookie = rt6_get_cookie((struct rt6_info *)conn->dst);
	}
	return conn->dst;
}

static u32 ip_header_bytes(const struct ftcp_conn_key *key)
{
	return key_is_v4(key) ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

u32 ftcp_xmit_mss(struct ftcp_net *fn, const struct ftcp_conn_key *key)
{
	u32 overhead = ip_header_bytes(key) + sizeof(struct tcphdr), mtu;
	struct dst_entry *dst = route(fn, key);

	if (!dst)
		return key_is_v4(key) ? FTCP_MSS_DEFAULT_BYTES : FTCP_MSS6_DEFAULT_BYTES;
	mtu = dst_mtu(dst);
	dst_release(dst);
	return mtu > overhead + FTCP_MSS_MIN_BYTES ? mtu - overhead : FTCP_MSS_MIN_BYTES;
}

static void push_ip4(struct sk_buff *skb, const struct ftcp_conn_key *key, u8 ecn)
{
	struct iphdr *ip = skb_push(skb, sizeof(*ip));

	skb_reset_network_header(skb);
	*(__be16 *)ip = htons((4 << 12) | (5 << 8) | ecn);
	ip->tot_len = htons(skb->len);
	ip->frag_off = htons(IP_DF);
	ip->ttl = ip4_dst_hoplimit(skb_dst(skb));
	ip->protocol = IPPROTO_TCP;
	ip->saddr = key->laddr.s6_addr32[3];
	ip->daddr = key->raddr.s6_addr32[3];
	ip->check = 0;
	ip->id = 0;	/* RFC 6864, 4.1: whatever it is, with DF and without fragments */
	skb->protocol = htons(ETH_P_IP);
}

static void push_ip6(struct sk_buff *skb, const struct ftcp_conn_key *key, u8 ecn)
{
	u32 len = skb->len;
	struct ipv6hdr *ip = skb_push(skb, sizeof(*ip));

	skb_reset_network_header(skb);
	ip6_flow_hdr(ip, ecn, 0);
	ip->payload_len = htons(len);
	ip->nexthdr = IPPROTO_TCP;
	ip->hop_limit = ip6_dst_hoplimit(skb_dst(skb));
	ip->saddr = key->laddr;
	ip->daddr = key->raddr;
	skb->protocol = htons(ETH_P_IPV6);
}

static void push_tcp(struct sk_buff *skb, const struct ftcp_conn_key *key, struct ftcp_segment *seg)
{
	u32 bytes = ftcp_segment_header_bytes(seg);
	struct tcphdr *th = skb_push(skb, bytes);

	ftcp_segment_write(seg, (u8 *)th);
	skb_reset_transport_header(skb);
	if (key_is_v4(key))
		th->check = ~tcp_v4_check(skb->len, key->laddr.s6_addr32[3], key->raddr.s6_addr32[3], 0);
	else
		th->check = ~tcp_v6_check(skb->len, &key->laddr, &key->raddr, 0);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
}

static void set_gso(struct sk_buff *skb, const struct ftcp_conn_key *key, const struct ftcp_segment *seg)
{
	struct skb_shared_info *info = skb_shinfo(skb);

	info->gso_segs = 1;
	if (seg->len <= seg->gso_bytes)
		return;
	info->gso_size = seg->gso_bytes;
	info->gso_segs = DIV_ROUND_UP(seg->len, seg->gso_bytes);
	info->gso_type = key_is_v4(key) ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
	if (seg->flags & FTCP_CWR)
		info->gso_type |= SKB_GSO_TCP_ECN;
}

/* The skb for @seg, its payload attached already; headers pushed, route taken over. */
static void finish(struct sk_buff *skb, struct ftcp_net *fn, const struct ftcp_conn_key *key, struct ftcp_segment *seg,
		   struct dst_entry *dst)
{
	seg->src = ntohs(key->lport);
	seg->dst = ntohs(key->rport);
	skb_dst_set(skb, dst);
	set_gso(skb, key, seg);
	push_tcp(skb, key, seg);
	if (key_is_v4(key))
		push_ip4(skb, key, seg->ecn);
	else
		push_ip6(skb, key, seg->ecn);
	trace_segment_out(key, seg, FTCP_REASON_NONE);
	ftcp_stats_inc(fn, FTCP_COUNT_SEGS_OUT);
	ftcp_stats_add(fn, FTCP_COUNT_BYTES_OUT, seg->len);
	if (seg->flags & FTCP_RST)
		ftcp_stats_inc(fn, FTCP_COUNT_RESETS_OUT);
}

/* The role is asked once more, under RCU: a demotion waits for whoever has asked, and then nothing leaves any more. */
static void hand_to_ip(struct net *net, struct sk_buff *skb, const struct ftcp_group *group)
{
	rcu_read_lock();
	if (!ftcp_group_speaks(group))
		kfree_skb(skb);
	else if (skb->protocol == htons(ETH_P_IP))
		ip_local_out(net, NULL, skb);
	else
		ip6_local_out(net, NULL, skb);
	rcu_read_unlock();
}

/*
 * One queue of the device for all of it: where each processor has queues of its own (XPS), what another one sends later would overtake what is
 * still in there. So it keeps the processor's that was the first to send, as the kernel's TCP keeps the queue (ooo_okay).
 */
static void choose_queue(struct ftcp_conn *conn, struct sk_buff *skb)
{
#ifdef CONFIG_XPS
	if (!conn->tx_bytes && !atomic_read(&conn->queued_bytes))
		conn->tx_cpu = smp_processor_id();
	skb->sender_cpu = conn->tx_cpu + 1;
#endif
	/* Nobody need look into the headers for that. */
	__skb_set_sw_hash(skb, conn->tcb.hard.iss, true);
}

/* What only packets of a connection have: an identification that counts, for those who join packets, and news of the next hop. */
static void mark(struct ftcp_conn *conn, struct sk_buff *skb)
{
	if (ftcp_conn_is_v4(conn)) {
		ip_hdr(skb)->id = htons(conn->tcb.hard.iss + conn->ip_id);
		conn->ip_id += skb_shinfo(skb)->gso_segs;
	}
	if (conn->heard) {
		skb_set_dst_pending_confirm(skb, 1);
		conn->heard = false;
	}
	choose_queue(conn, skb);
}

/* One skb with as much of @seg as its page fragments can hold; returns the payload taken, or -1. */
static int queue_part(struct ftcp_conn *conn, struct ftcp_segment *seg, struct dst_entry *dst)
{
	struct sk_buff *skb = alloc_skb(MAX_TCP_HEADER, GFP_ATOMIC);
	u32 added;

	if (!skb) {
		ftcp_stats_inc(conn->fn, FTCP_COUNT_XMIT_NO_MEMORY);
		return -1;
	}
	skb_reserve(skb, MAX_TCP_HEADER);
	added = ftcp_bytes_to_skb(&conn->snd, seg->off, seg->len, skb);
	if (added < seg->len) {
		if (!added) {
			kfree_skb(skb);
			return -1;
		}
		seg->flags &= ~(FTCP_FIN | FTCP_PSH);
		seg->len = added;
	}
	dst_hold(dst);
	finish(skb, conn->fn, &conn->key, seg, dst);
	mark(conn, skb);
	__skb_queue_tail(&conn->tx, skb);
	conn->tx_bytes += skb->data_len;
	conn->segs_out++;
	return added;
}

void ftcp_xmit_queue(struct ftcp_conn *conn, struct ftcp_segment *seg)
{
	struct dst_entry *dst = conn_route(conn);
	u32 len;
	int taken;
	u8 flags;

	lockdep_assert_held(&conn->lock);
	if (!dst) {
		ftcp_stats_inc(conn->fn, FTCP_COUNT_XMIT_NO_ROUTE);
		return;
	}
	do {
		len = seg->len;
		flags = seg->flags;
		taken = queue_part(conn, seg, dst);
		if (taken < 0)
			return;
		seg->flags = flags;
		seg->off += taken;
		seg->len = len - taken;
		seg->seq = ftcp_seq_add(seg->seq, taken);
	} while (seg->len);
}

void ftcp_xmit_flush(struct ftcp_conn *conn)
	__releases(&conn->lock)
{
	struct sk_buff *skb;

	lockdep_assert_held(&conn->lock);
	if (conn->flushing) {
		spin_unlock_bh(&conn->lock);
		return;
	}
	conn->flushing = true;
	while ((skb = __skb_dequeue(&conn->tx))) {
		ftcp_queue_enter(conn, skb);
		spin_unlock_bh(&conn->lock);
		hand_to_ip(conn->fn->net, skb, conn->group);
		spin_lock_bh(&conn->lock);
	}
	conn->flushing = false;
	spin_unlock_bh(&conn->lock);
}

void ftcp_xmit_purge(struct ftcp_conn *conn)
{
	__skb_queue_purge(&conn->tx);
	conn->tx_bytes = 0;
}

void ftcp_xmit_stateless(struct ftcp_net *fn, const struct ftcp_group *group, const struct ftcp_conn_key *key,
			 struct ftcp_segment *seg)
{
	struct dst_entry *dst = route(fn, key);
	struct sk_buff *skb;

	if (!dst) {
		ftcp_stats_inc(fn, FTCP_COUNT_XMIT_NO_ROUTE);
		return;
	}
	skb = alloc_skb(MAX_TCP_HEADER, GFP_ATOMIC);
	if (!skb) {
		dst_release(dst);
		ftcp_stats_inc(fn, FTCP_COUNT_XMIT_NO_MEMORY);
		return;
	}
	skb_reserve(skb, MAX_TCP_HEADER);
	finish(skb, fn, key, seg, dst);
	hand_to_ip(fn->net, skb, group);
}
