// SPDX-License-Identifier: GPL-2.0
/* From a packet on the wire to a segment; strict, since what is taken apart here is what is tested. */
#include <netinet/in.h>
#include <string.h>
#include "segment.h"

uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static bool sums_to_zero(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

static bool find_one(struct options *found, uint8_t kind, const uint8_t *p, unsigned int len)
{
	switch (kind) {
	case 2:
		found->mss_ok = true;
		found->mss = len == 2 ? get16(p) : 0;
		return len == 2;
	case 3:
		found->wscale_ok = true;
		found->wscale = len == 1 ? p[0] : 0;
		return len == 1;
	case 4:
		found->sack_ok = true;
		return !len;
	case 5:
		for (; len >= 8 && found->n_sacks < SACKS_MAX; p += 8, len -= 8, found->n_sacks++) {
			found->sacks[found->n_sacks].from = get32(p);
			found->sacks[found->n_sacks].to = get32(p + 4);
		}
		return !len && found->n_sacks;
	case 8:
		found->ts_ok = true;
		if (len != 8)
			return false;
		found->tsval = get32(p);
		found->tsecr = get32(p + 4);
		return true;
	default:
		found->unknown = true;
		return true;
	}
}

void options_find(struct options *found, const uint8_t *p, unsigned int len)
{
	memset(found, 0, sizeof(*found));
	while (len && *p) {
		unsigned int one = *p == 1 ? 1 : len < 2 ? 0 : p[1];

		if (!one || one > len || (*p != 1 && (one < 2 || !find_one(found, *p, p + 2, one - 2)))) {
			found->malformed = true;
			return;
		}
		p += one;
		len -= one;
	}
}

static const char *fault_of(const struct flow *flow, const uint8_t *packet, const uint8_t *tcp, size_t len)
{
	unsigned int addr = flow->v6 ? 16 : 4;
	uint32_t pseudo = IPPROTO_TCP + len;

	if (!flow->v6 && !sums_to_zero(0, packet, 20))
		return "wrong checksum of the IP header";
	if (!flow->v6 && !(packet[6] & 0x40))
		return "a segment without DF";
	for (unsigned int i = 0; i < addr; i++)
		pseudo += i & 1 ? flow->server[i] + flow->client[i] : (flow->server[i] + flow->client[i]) << 8;
	if (!sums_to_zero(pseudo, tcp, len))
		return "wrong checksum";
	if (tcp[12] & 15)
		return "reserved bits are set";
	return NULL;
}

static bool read_ip(const uint8_t *packet, size_t *len, struct flow *flow, struct segment *seg)
{
	flow->v6 = *len && packet[0] >> 4 == 6;
	if (flow->v6) {
		if (*len < 60 || packet[6] != IPPROTO_TCP || 40u + get16(packet + 4) > *len)
			return false;
		*len = 40 + get16(packet + 4);
		memcpy(flow->server, packet + 8, 16);
		memcpy(flow->client, packet + 24, 16);
		seg->tos = get16(packet) >> 4;
		return true;
	}
	if (*len < 40 || packet[0] != 0x45 || packet[9] != IPPROTO_TCP || get16(packet + 2) > *len)
		return false;
	*len = get16(packet + 2);
	memcpy(flow->server, packet + 12, 4);
	memcpy(flow->client, packet + 16, 4);
	seg->tos = packet[1];
	return true;
}

bool packet_read(const uint8_t *packet, size_t len, struct flow *flow, struct segment *seg)
{
	size_t ip;
	const uint8_t *tcp;
	unsigned int header;

	memset(flow, 0, sizeof(*flow));
	memset(seg, 0, sizeof(*seg));
	if (!read_ip(packet, &len, flow, seg))
		return false;
	ip = flow->v6 ? 40 : 20;
	tcp = packet + ip;
	len -= ip;
	header = (tcp[12] >> 4) * 4;
	if (len < 20 || header < 20 || header > len)
		return false;
	flow->sport = get16(tcp);
	flow->cport = get16(tcp + 2);
	seg->seq = get32(tcp + 4);
	seg->ack = get32(tcp + 8);
	seg->flags = tcp[13];
	seg->win = get16(tcp + 14);
	seg->urg = get16(tcp + 18);
	seg->options_len = header - 20;
	memcpy(seg->options, tcp + 20, header - 20);
	options_find(&seg->found, tcp + 20, header - 20);
	seg->data = tcp + header;
	seg->len = len - header;
	seg->fault = fault_of(flow, packet, tcp, len);
	return true;
}
