// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include "pcap_file.h"

#define MAGIC_US	0xa1b2c3d4u
#define MAGIC_NS	0xa1b23c4du
#define PACKET_MAX	262144u

enum { LINK_EN10MB = 1, LINK_RAW = 101, LINK_SLL = 113, LINK_SLL2 = 276 };
enum { TYPE_IP = 0x0800, TYPE_VLAN = 0x8100, TYPE_IPV6 = 0x86dd };
enum { PROTO_HOP = 0, PROTO_TCP = 6, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_DST_OPTS = 60 };

/* What is left of a packet: @len bytes were captured, @wire_len were there. */
struct cursor {
	const uint8_t *at;
	uint32_t len;
	uint32_t wire_len;
};

static uint16_t be16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)be16(at) << 16 | be16(at + 2);
}

static bool skip(struct cursor *cursor, uint32_t len)
{
	if (cursor->len < len)
		return false;
	cursor->at += len;
	cursor->len -= len;
	cursor->wire_len -= len;
	return true;
}

static uint32_t order(const struct pcap_file *pcap, uint32_t word)
{
	return pcap->swapped ? __builtin_bswap32(word) : word;
}

static bool refuse(struct pcap_file *pcap, const char *error)
{
	pcap->error = error;
	return false;
}

bool pcap_open(struct pcap_file *pcap, const char *name)
{
	uint32_t header[6];

	memset(pcap, 0, sizeof(*pcap));
	pcap->file = fopen(name, "r");
	if (!pcap->file)
		return refuse(pcap, strerror(errno));
	if (fread(header, sizeof(header), 1, pcap->file) != 1)
		return refuse(pcap, "too short for a capture");
	pcap->swapped = header[0] == __builtin_bswap32(MAGIC_US) || header[0] == __builtin_bswap32(MAGIC_NS);
	if (order(pcap, header[0]) == MAGIC_US)
		pcap->tick = 1e-6;
	else if (order(pcap, header[0]) == MAGIC_NS)
		pcap->tick = 1e-9;
	else
		return refuse(pcap, "not a classic capture (tcpdump -w)");
	pcap->link_type = order(pcap, header[5]) & 0xffff;
	return true;
}

/* ---- from the link layer up ---- */

static bool parse_tcp(struct cursor *cursor, struct pcap_segment *segment)
{
	const uint8_t *tcp = cursor->at;
	uint32_t header_len;

	if (cursor->len < 20)
		return false;
	header_len = (tcp[12] >> 4) * 4;
	if (header_len < 20 || header_len > cursor->wire_len)
		return false;
	segment->sport = be16(tcp);
	segment->dport = be16(tcp + 2);
	segment->seq = be32(tcp + 4);
	segment->ack = be32(tcp + 8);
	segment->flags = tcp[13];
	segment->len = cursor->wire_len - header_len;
	return true;
}

static void map_v4(uint8_t *to, const uint8_t *v4)
{
	memset(to, 0, 10);
	memset(to + 10, 0xff, 2);
	memcpy(to + 12, v4, 4);
}

static bool parse_v4(struct cursor *cursor, struct pcap_segment *segment)
{
	const uint8_t *ip = cursor->at;
	uint32_t total;

	if (cursor->len < 20 || ip[0] >> 4 != 4 || ip[9] != PROTO_TCP || be16(ip + 6) & 0x1fff)
		return false;
	/* The frame may be longer (padding); a total length of 0 is a GSO frame's beyond 64 KiB. */
	total = be16(ip + 2);
	if (total && total < cursor->wire_len)
		cursor->wire_len = total;
	map_v4(segment->src, ip + 12);
	map_v4(segment->dst, ip + 16);
	return skip(cursor, (ip[0] & 15) * 4) && parse_tcp(cursor, segment);
}

static bool skip_v6_options(struct cursor *cursor, uint8_t next)
{
	while (next != PROTO_TCP) {
		const uint8_t *option = cursor->at;

		if (next != PROTO_HOP && next != PROTO_ROUTING && next != PROTO_DST_OPTS)
			return false;
		if (cursor->len < 8 || !skip(cursor, (option[1] + 1) * 8))
			return false;
		next = option[0];
	}
	return true;
}

static bool parse_v6(struct cursor *cursor, struct pcap_segment *segment)
{
	const uint8_t *ip = cursor->at;
	uint32_t payload;

	if (cursor->len < 40 || ip[0] >> 4 != 6)
		return false;
	payload = be16(ip + 4);
	if (payload && payload + 40 < cursor->wire_len)
		cursor->wire_len = payload + 40;
	memcpy(segment->src, ip + 8, 16);
	memcpy(segment->dst, ip + 24, 16);
	return skip(cursor, 40) && skip_v6_options(cursor, ip[6]) && parse_tcp(cursor, segment);
}

static bool parse_ip(struct cursor *cursor, uint16_t type, struct pcap_segment *segment)
{
	while (type == TYPE_VLAN) {
		if (cursor->len < 4)
			return false;
		type = be16(cursor->at + 2);
		skip(cursor, 4);
	}
	if (type == TYPE_IP)
		return parse_v4(cursor, segment);
	return type == TYPE_IPV6 && parse_v6(cursor, segment);
}

static bool parse_link(const struct pcap_file *pcap, struct cursor *cursor, struct pcap_segment *segment)
{
	const uint8_t *link = cursor->at;

	switch (pcap->link_type) {
	case LINK_EN10MB:
		return skip(cursor, 14) && parse_ip(cursor, be16(link + 12), segment);
	case LINK_SLL:
		return skip(cursor, 16) && parse_ip(cursor, be16(link + 14), segment);
	case LINK_SLL2:
		return skip(cursor, 20) && parse_ip(cursor, be16(link), segment);
	case LINK_RAW:
		return cursor->len && parse_ip(cursor, link[0] >> 4 == 6 ? TYPE_IPV6 : TYPE_IP, segment);
	default:
		return false;
	}
}

bool pcap_next(struct pcap_file *pcap, struct pcap_segment *segment)
{
	static uint8_t packet[PACKET_MAX];
	struct cursor cursor;
	uint32_t header[4];

	while (fread(header, sizeof(header), 1, pcap->file) == 1) {
		cursor = (struct cursor){ packet, order(pcap, header[2]), order(pcap, header[3]) };
		if (cursor.len > PACKET_MAX || cursor.len > cursor.wire_len)
			return refuse(pcap, "damaged: a packet with an impossible length");
		if (fread(packet, 1, cursor.len, pcap->file) != cursor.len)
			return false;
		pcap->packets++;
		segment->time = order(pcap, header[0]) + order(pcap, header[1]) * pcap->tick;
		if (parse_link(pcap, &cursor, segment))
			return true;
	}
	return false;
}
