// SPDX-License-Identifier: GPL-2.0
/* From a segment to packets on the wire: TCP, IPv4 or IPv6, fragments, ICMP errors. */
#include <netinet/in.h>
#include <string.h>
#include "segment.h"

#define IP4_BYTES	20
#define IP6_BYTES	40
#define FRAGMENT_BYTES	8	/* IPv6's header */
#define TCP_BYTES	20
#define DONT_FRAGMENT	0x4000
#define MORE_FRAGMENTS	0x2000

void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v & 0xff;
}

void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint32_t sum(uint32_t sum, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? at[i] : at[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static uint16_t pseudo_sum(const struct flow *flow, uint8_t protocol, const void *l4, size_t len)
{
	unsigned int addr = flow->v6 ? 16 : 4;
	uint32_t s = sum(sum(0, flow->client, addr), flow->server, addr);

	return fold(sum(s + protocol + len, l4, len));
}

static void write_ip4(const uint8_t *src, const uint8_t *dst, uint8_t protocol, uint8_t tos, size_t len, uint8_t *to)
{
	static uint16_t id;

	memset(to, 0, IP4_BYTES);
	to[0] = 0x45;
	to[1] = tos;
	put16(to + 2, IP4_BYTES + len);
	put16(to + 4, ++id);
	put16(to + 6, DONT_FRAGMENT);
	to[8] = 64;
	to[9] = protocol;
	memcpy(to + 12, src, 4);
	memcpy(to + 16, dst, 4);
	put16(to + 10, fold(sum(0, to, IP4_BYTES)));
}

static void write_ip6(const uint8_t *src, const uint8_t *dst, uint8_t protocol, uint8_t tos, size_t len, uint8_t *to)
{
	put32(to, 6u << 28 | (uint32_t)tos << 20);
	put16(to + 4, len);
	to[6] = protocol;
	to[7] = 64;
	memcpy(to + 8, src, 16);
	memcpy(to + 24, dst, 16);
}

/* Headers of the IP version in question, @len bytes following. */
static size_t write_ip(const struct flow *flow, bool from_server, uint8_t protocol, uint8_t tos, size_t len, uint8_t *to)
{
	const uint8_t *src = from_server ? flow->server : flow->client, *dst = from_server ? flow->client : flow->server;

	if (flow->v6)
		write_ip6(src, dst, protocol, tos, len, to);
	else
		write_ip4(src, dst, protocol, tos, len, to);
	return flow->v6 ? IP6_BYTES : IP4_BYTES;
}

static size_t write_tcp(const struct flow *flow, const struct segment *seg, uint8_t *to)
{
	unsigned int header = TCP_BYTES + (seg->options_len + 3) / 4 * 4;
	unsigned int doff = seg->doff ? seg->doff : header / 4;
	size_t len = header + seg->len;

	memset(to, 0, header);
	put16(to, flow->cport);
	put16(to + 2, flow->sport);
	put32(to + 4, seg->seq);
	put32(to + 8, seg->ack);
	to[12] = doff << 4 | (seg->reserved & 15);
	to[13] = seg->flags;
	put16(to + 14, seg->win);
	put16(to + 18, seg->urg);
	memcpy(to + TCP_BYTES, seg->options, seg->options_len);
	if (seg->len)
		memcpy(to + header, seg->data, seg->len);
	if (seg->cut && seg->cut < len)
		len = seg->cut;
	if (len >= TCP_BYTES)
		put16(to + 16, pseudo_sum(flow, IPPROTO_TCP, to, len) + seg->bad_sum);
	return len;
}

size_t packet_write(const struct flow *flow, const struct segment *seg, uint8_t *to)
{
	size_t ip = flow->v6 ? IP6_BYTES : IP4_BYTES, len = write_tcp(flow, seg, to + ip);

	return write_ip(flow, false, IPPROTO_TCP, seg->tos, len, to) + len;
}

/* Types and codes: of ICMP, then of ICMPv6. */
static const struct { uint8_t type4, code4, type6, code6; } icmp_kinds[] = {
	[ICMP_MTU] = { 3, 4, 2, 0 },
	[ICMP_PORT] = { 3, 3, 1, 4 },
	[ICMP_HOST] = { 3, 1, 1, 3 },
	[ICMP_ADMIN] = { 3, 13, 1, 1 },
	[ICMP_TIME] = { 11, 0, 3, 0 },
};

size_t packet_icmp(const struct flow *flow, const struct icmp_error *error, uint8_t *to)
{
	size_t ip = flow->v6 ? IP6_BYTES : IP4_BYTES, len;
	uint8_t *icmp = to + ip, *tcp = icmp + 8 + ip;

	memset(icmp, 0, 8);
	icmp[0] = flow->v6 ? icmp_kinds[error->kind].type6 : icmp_kinds[error->kind].type4;
	icmp[1] = flow->v6 ? icmp_kinds[error->kind].code6 : icmp_kinds[error->kind].code4;
	if (error->kind == ICMP_MTU)
		put32(icmp + 4, flow->v6 ? error->mtu : error->mtu & 0xffff);
	write_ip(flow, true, IPPROTO_TCP, 0, 1480, icmp + 8);
	memset(tcp, 0, TCP_BYTES);
	put16(tcp, flow->sport);
	put16(tcp + 2, flow->cport);
	put32(tcp + 4, error->seq);
	tcp[12] = 0x50;
	tcp[13] = ACK;
	len = 8 + ip + TCP_BYTES;
	if (flow->v6)
		put16(icmp + 2, pseudo_sum(flow, IPPROTO_ICMPV6, icmp, len) + error->bad_sum);
	else
		put16(icmp + 2, fold(sum(0, icmp, len)) + error->bad_sum);
	return write_ip(flow, false, flow->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, 0, len, to) + len;
}

size_t packet_fragment(const uint8_t *packet, size_t len, unsigned int bytes, unsigned int no, uint8_t *to)
{
	bool v6 = packet[0] >> 4 == 6;
	size_t ip = v6 ? IP6_BYTES : IP4_BYTES, at = (size_t)no * bytes, left, extra = v6 ? FRAGMENT_BYTES : 0;
	bool more;

	if (ip + at >= len)
		return 0;
	left = len - ip - at;
	more = left > bytes;
	left = more ? bytes : left;
	memcpy(to, packet, ip);
	memcpy(to + ip + extra, packet + ip + at, left);
	if (!v6) {
		put16(to + 2, ip + left);
		put16(to + 6, at / 8 | (more ? MORE_FRAGMENTS : 0));
		put16(to + 10, 0);
		put16(to + 10, fold(sum(0, to, ip)));
		return ip + left;
	}
	put16(to + 4, extra + left);
	to[ip] = to[6];
	to[6] = IPPROTO_FRAGMENT;
	to[ip + 1] = 0;
	put16(to + ip + 2, at | more);
	/* One number for all fragments of a packet: its sequence number is at hand. */
	put32(to + ip + 4, get32(packet + 44));
	return ip + extra + left;
}
