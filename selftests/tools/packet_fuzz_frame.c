// SPDX-License-Identifier: GPL-2.0
/* From a segment to packets on the wire. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/socket.h>
#include "packet_fuzz.h"

#define IP4_BYTES	20
#define IP6_BYTES	40
#define FRAGMENT_BYTES	8	/* IPv6's header */
#define MORE		0x2000	/* IPv4's flag */

/* ---- checksums ---- */

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
	return ~sum;
}

static void put16(uint8_t *to, uint16_t value)
{
	to[0] = value >> 8;
	to[1] = value;
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value);
}

static uint16_t pseudo_checksum(bool v6, const uint8_t *src, const uint8_t *dst, uint8_t protocol, const void *l4, size_t len)
{
	unsigned int addr_len = v6 ? 16 : 4;
	uint32_t s = sum(0, src, addr_len);

	s = sum(s, dst, addr_len);
	s += protocol + len;
	return fold(sum(s, l4, len));
}

void flow_address(uint8_t *to, bool v6, uint16_t no)
{
	static const uint8_t net6[16] = { 0xfd, 0x08 }, net4[2] = { 10, 8 };

	memset(to, 0, 16);
	memcpy(to, v6 ? net6 : net4, v6 ? 16 : 2);
	to[v6 ? 14 : 2] = no >> 8;
	to[v6 ? 15 : 3] = no;
}

/* ---- headers ---- */

static size_t write_tcp(const struct segment *seg, uint8_t *to)
{
	unsigned int header = 20 + (seg->opts_len + 3) / 4 * 4, words = seg->data_offset ? seg->data_offset : header / 4;

	memset(to, 0, header);
	put16(to, seg->sport);
	put16(to + 2, seg->dport);
	put32(to + 4, seg->seq);
	put32(to + 8, seg->ack);
	to[12] = words << 4 | (seg->reserved & 15);
	to[13] = seg->flags;
	put16(to + 14, seg->window);
	put16(to + 18, seg->urgent);
	memcpy(to + 20, seg->opts, seg->opts_len);
	memcpy(to + header, seg->data, seg->len);
	put16(to + 16, pseudo_checksum(seg->v6, seg->src, seg->dst, IPPROTO_TCP, to, header + seg->len) + seg->bad_checksum);
	return header + seg->len;
}

static void write_ip4(const struct segment *seg, uint8_t *to, size_t header, size_t len, uint16_t id, uint16_t fragment,
		      uint8_t protocol)
{
	to[0] = 0x40 | header / 4;
	to[1] = 0;
	put16(to + 2, header + len);
	put16(to + 4, id);
	put16(to + 6, fragment);
	to[8] = 64;
	to[9] = protocol;
	put16(to + 10, 0);
	memcpy(to + 12, seg->src, 4);
	memcpy(to + 16, seg->dst, 4);
	put16(to + 10, fold(sum(0, to, header)));
}

static void write_ip6(const struct segment *seg, uint8_t *to, size_t len, uint8_t protocol)
{
	put32(to, 6u << 28);
	put16(to + 4, len);
	to[6] = protocol;
	to[7] = 64;
	memcpy(to + 8, seg->src, 16);
	memcpy(to + 24, seg->dst, 16);
}

void packet_send(struct fuzz *fuzz, bool v6, const void *l3, size_t len)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = fuzz->ifindex, .sll_halen = 6 };
	uint8_t frame[ETH_HLEN + MTU];

	if (len > MTU)
		len = MTU;
	memcpy(frame, fuzz->server_mac, 6);
	memcpy(frame + 6, fuzz->mac, 6);
	put16(frame + 12, v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	memcpy(frame + ETH_HLEN, l3, len);
	if (sendto(fuzz->fd, frame, ETH_HLEN + len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		fuzz->unsent++;
	fuzz->packets++;
	fuzz->by_class[fuzz->class]++;
}

static size_t write_plain(const struct segment *seg, uint8_t *to, const uint8_t *l4, size_t len)
{
	size_t header = seg->v6 ? IP6_BYTES : IP4_BYTES;

	if (seg->v6)
		write_ip6(seg, to, len, IPPROTO_TCP);
	else
		write_ip4(seg, to, IP4_BYTES, len, seg->seq, 0, IPPROTO_TCP);
	memcpy(to + header, l4, len);
	return header + len;
}

/* ---- IP options, extension headers ---- */

static void send_options4(struct fuzz *fuzz, const struct segment *seg, const uint8_t *l4, size_t len)
{
	static const uint8_t kinds[] = { 1, 7, 68, 130, 131, 136, 137, 148, 255 };
	size_t words = 1 + range(fuzz, 10), header = IP4_BYTES + 4 * words;
	uint8_t packet[65536];

	memset(packet + IP4_BYTES, 1, 4 * words);
	if (one_in(fuzz, 2)) {
		packet[IP4_BYTES] = kinds[range(fuzz, COUNT(kinds))];
		packet[IP4_BYTES + 1] = range(fuzz, one_in(fuzz, 3) ? 256 : 4 * words + 1);
		packet[IP4_BYTES + 2] = range(fuzz, 10);
	}
	write_ip4(seg, packet, header, len, seg->seq, 0, IPPROTO_TCP);
	memcpy(packet + header, l4, len);
	packet_send(fuzz, false, packet, header + len);
}

/* Headers of hop-by-hop (only first), destination and routing options, and atomic fragments. */
static void send_options6(struct fuzz *fuzz, const struct segment *seg, const uint8_t *l4, size_t len)
{
	static const uint8_t kinds[] = { IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT, IPPROTO_DSTOPTS, 135, 139 };
	unsigned int n = 1 + (one_in(fuzz, 8) ? range(fuzz, 30) : range(fuzz, 3));
	uint8_t packet[65536], first = kinds[range(fuzz, COUNT(kinds))], *at = packet + IP6_BYTES, *previous = NULL;

	for (unsigned int i = 0; i < n; i++, at += 8) {
		uint8_t kind = i ? kinds[1 + range(fuzz, COUNT(kinds) - 1)] : first;

		memset(at, 0, 8);
		if (previous)
			*previous = kind;
		if (kind == IPPROTO_DSTOPTS || kind == IPPROTO_HOPOPTS)
			memcpy(at + 2, (uint8_t[]){ 1, 4 }, 2);		/* PadN */
		else if (kind == IPPROTO_FRAGMENT)
			put32(at + 4, any32(fuzz));
		if (one_in(fuzz, 12))
			at[1 + range(fuzz, 7)] = range(fuzz, 256);
		previous = at;
	}
	*previous = IPPROTO_TCP;
	write_ip6(seg, packet, at - packet - IP6_BYTES + len, first);
	memcpy(at, l4, len);
	packet_send(fuzz, true, packet, at - packet + len);
}

/* ---- fragments ---- */

static void send_fragment(struct fuzz *fuzz, const struct segment *seg, const uint8_t *l4, size_t from, size_t len, bool more,
			  uint32_t id)
{
	uint8_t packet[MTU + 100];
	size_t header = seg->v6 ? IP6_BYTES + FRAGMENT_BYTES : IP4_BYTES;

	if (len > MTU - header)
		len = MTU - header;
	if (seg->v6) {
		write_ip6(seg, packet, FRAGMENT_BYTES + len, IPPROTO_FRAGMENT);
		put16(packet + IP6_BYTES, IPPROTO_TCP << 8);
		put16(packet + IP6_BYTES + 2, from | more);
		put32(packet + IP6_BYTES + 4, id);
	} else {
		write_ip4(seg, packet, IP4_BYTES, len, id, (more ? MORE : 0) | from / 8, IPPROTO_TCP);
	}
	memcpy(packet + header, l4 + from, len);
	packet_send(fuzz, seg->v6, packet, header + len);
}

/* All of it in fragments of a size, forwards or backwards. */
static void send_fragments(struct fuzz *fuzz, const struct segment *seg, const uint8_t *l4, size_t len)
{
	size_t size = len > 4000 ? 1400 : 8 * (1 + range(fuzz, one_in(fuzz, 2) ? 4 : 60)), n = (len + size - 1) / size;
	bool backwards = one_in(fuzz, 2);
	uint32_t id = any32(fuzz);

	for (size_t i = 0; i < n; i++) {
		size_t from = (backwards ? n - 1 - i : i) * size, part = len - from < size ? len - from : size;

		send_fragment(fuzz, seg, l4, from, part, from + part < len, id);
	}
}

/* Some that overlap, contradict each other, end twice, begin nowhere, or lead beyond 64 KiB. */
static void send_broken_fragments(struct fuzz *fuzz, const struct segment *seg, const uint8_t *l4, size_t len)
{
	unsigned int n = 1 + range(fuzz, 6);
	uint32_t id = any32(fuzz);
	uint8_t other[65536];

	pattern_fill(fuzz->rnd, 0, other, sizeof(other));
	while (n--) {
		size_t from = 8 * range(fuzz, one_in(fuzz, 6) ? 8192 : len / 8 + 1), part = 8 * range(fuzz, 20);

		part += one_in(fuzz, 3) ? range(fuzz, 8) : 0;
		if (from + part > sizeof(other))
			part = sizeof(other) - from;
		if (from + part <= len && !one_in(fuzz, 4))
			send_fragment(fuzz, seg, l4, from, part, from + part < len, id);
		else
			send_fragment(fuzz, seg, other, from, part, !one_in(fuzz, 3), id);
	}
}

/* ---- lengths and headers that lie ---- */

static void send_wrong_length(struct fuzz *fuzz, const struct segment *seg, const uint8_t *l4, size_t len, bool cut)
{
	uint8_t packet[65536], *field = packet + (seg->v6 ? 4 : 2);
	size_t total = write_plain(seg, packet, l4, len);
	uint16_t claimed = total - (seg->v6 ? IP6_BYTES : 0);

	if (cut) {
		/* Less than it claims, or, all in agreement, less than a segment has to be. */
		total -= range(fuzz, len + 1);
		if (one_in(fuzz, 2))
			claimed = total - (seg->v6 ? IP6_BYTES : 0);
	} else {
		claimed = one_in(fuzz, 2) ? any32(fuzz) : claimed + range(fuzz, 16) - 8;
	}
	put16(field, claimed);
	if (!seg->v6) {
		put16(packet + 10, 0);
		put16(packet + 10, fold(sum(0, packet, IP4_BYTES)));
	}
	packet_send(fuzz, seg->v6, packet, total);
}

static void send_wrong_header(struct fuzz *fuzz, const struct segment *seg, const uint8_t *l4, size_t len)
{
	uint8_t packet[65536];
	size_t total = write_plain(seg, packet, l4, len);

	/* But not the addresses: others should not be bothered. */
	packet[range(fuzz, seg->v6 ? 8 : 12)] ^= 1 << range(fuzz, 8);
	if (!seg->v6 && !one_in(fuzz, 3)) {
		put16(packet + 10, 0);
		put16(packet + 10, fold(sum(0, packet, IP4_BYTES)));
	}
	packet_send(fuzz, seg->v6, packet, total);
}

void segment_send(struct fuzz *fuzz, const struct segment *seg, enum wrapping how)
{
	static uint8_t l4[65536];
	uint8_t packet[65536];
	size_t len = write_tcp(seg, l4);

	if (len > MTU - IP6_BYTES - FRAGMENT_BYTES && how != WRAP_BROKEN_FRAGMENTS)
		how = WRAP_FRAGMENTS;
	switch (how) {
	case WRAP_OPTIONS:
		if (seg->v6)
			send_options6(fuzz, seg, l4, len);
		else
			send_options4(fuzz, seg, l4, len);
		break;
	case WRAP_FRAGMENTS: send_fragments(fuzz, seg, l4, len); break;
	case WRAP_BROKEN_FRAGMENTS: send_broken_fragments(fuzz, seg, l4, len); break;
	case WRAP_LENGTH: send_wrong_length(fuzz, seg, l4, len, false); break;
	case WRAP_CUT: send_wrong_length(fuzz, seg, l4, len, true); break;
	case WRAP_IP_HEADER: send_wrong_header(fuzz, seg, l4, len); break;
	default: packet_send(fuzz, seg->v6, packet, write_plain(seg, packet, l4, len));
	}
}

/* ---- ICMP ---- */

static size_t write_icmp(struct fuzz *fuzz, const struct segment *quoted, uint8_t *to, uint8_t type, uint8_t code, uint32_t mtu)
{
	uint8_t l4[65536], inner[65536];
	size_t len = write_plain(quoted, inner, l4, write_tcp(quoted, l4)), max = one_in(fuzz, 4) ? range(fuzz, 80) : 200;

	if (len > max)
		len = max;
	memset(to, 0, 8);
	to[0] = type;
	to[1] = code;
	put32(to + 4, mtu);
	memcpy(to + 8, inner, len);
	return 8 + len;
}

void icmp_send(struct fuzz *fuzz, const struct segment *quoted, uint8_t type, uint8_t code, uint32_t mtu)
{
	struct segment outer = { .v6 = quoted->v6 };
	uint8_t icmp[1024], packet[2048];
	size_t len = write_icmp(fuzz, quoted, icmp, type, code, mtu), header = quoted->v6 ? IP6_BYTES : IP4_BYTES;

	/* From some router: whoever has an address on the way. */
	flow_address(outer.src, quoted->v6, 1);
	memcpy(outer.dst, quoted->src, 16);
	if (quoted->v6) {
		put16(icmp + 2, pseudo_checksum(true, outer.src, outer.dst, IPPROTO_ICMPV6, icmp, len));
		write_ip6(&outer, packet, len, IPPROTO_ICMPV6);
	} else {
		put16(icmp + 2, fold(sum(0, icmp, len)));
		write_ip4(&outer, packet, IP4_BYTES, len, any32(fuzz), 0, IPPROTO_ICMP);
	}
	memcpy(packet + header, icmp, len);
	packet_send(fuzz, quoted->v6, packet, header + len);
}
