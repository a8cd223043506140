// SPDX-License-Identifier: GPL-2.0
/* What passes this host's interface: answers to our own connections, and how those of others stand. */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "packet_fuzz.h"

#define SNAP 160

/* TCP over IPv4 without options or over IPv6 without extension headers: nobody honest here sends anything else. */
static const struct sock_filter tcp_only[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 2),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14 + 9),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 3, 4),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 0, 3),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14 + 6),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SNAP),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

int ear_open(struct fuzz *fuzz, const char *interface)
{
	const struct sock_fprog filter = { .len = COUNT(tcp_only), .filter = (struct sock_filter *)tcp_only };
	struct sockaddr_ll addr = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int buffer = 8 << 20;
	struct ifreq request = { };

	fuzz->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	addr.sll_ifindex = fuzz->ifindex = if_nametoindex(interface);
	strncpy(request.ifr_name, interface, sizeof(request.ifr_name) - 1);
	if (fuzz->fd < 0 || ioctl(fuzz->fd, SIOCGIFHWADDR, &request) < 0)
		return -1;
	memcpy(fuzz->mac, request.ifr_hwaddr.sa_data, 6);
	setsockopt(fuzz->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
	setsockopt(fuzz->fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	return bind(fuzz->fd, (struct sockaddr *)&addr, sizeof(addr));
}

int ear_server(struct fuzz *fuzz, const char *address)
{
	char line[256], ip[64], mac[32];
	FILE *file = fopen("/proc/net/arp", "r");
	int found = -1;

	while (file && found && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %*s %*s %31s", ip, mac) == 2 && !strcmp(ip, address) &&
		    sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &fuzz->server_mac[0], &fuzz->server_mac[1],
			   &fuzz->server_mac[2], &fuzz->server_mac[3], &fuzz->server_mac[4], &fuzz->server_mac[5]) == 6)
			found = 0;
	if (file)
		fclose(file);
	return found;
}

/* ---- reading ---- */

struct heard {
	struct segment seg;
	bool ts;
	uint32_t tsval, tsecr;
	uint32_t end;		/* behind its data, SYN and FIN */
};

static uint32_t get16(const uint8_t *at) { return at[0] << 8 | at[1]; }
static uint32_t get32(const uint8_t *at) { return get16(at) << 16 | get16(at + 2); }

static void read_options(struct heard *heard, const uint8_t *at, const uint8_t *end)
{
	while (at < end && *at) {
		if (*at == 1) {
			at++;
			continue;
		}
		if (at + 2 > end || at[1] < 2)
			return;
		if (*at == 8 && at + 10 <= end) {
			heard->ts = true;
			heard->tsval = get32(at + 2);
			heard->tsecr = get32(at + 6);
		}
		at += at[1];
	}
}

static bool read_segment(struct heard *heard, const uint8_t *frame, size_t len, size_t whole)
{
	struct segment *seg = &heard->seg;
	size_t ip, header;
	const uint8_t *tcp;

	*heard = (struct heard){ };
	seg->v6 = get16(frame + 12) == ETHERTYPE_IPV6;
	ip = ETH_HLEN + (seg->v6 ? 40 : 20);
	if (len < ip + 20)
		return false;
	memcpy(seg->src, frame + ETH_HLEN + (seg->v6 ? 8 : 12), seg->v6 ? 16 : 4);
	memcpy(seg->dst, frame + ETH_HLEN + (seg->v6 ? 24 : 16), seg->v6 ? 16 : 4);
	tcp = frame + ip;
	seg->sport = get16(tcp);
	seg->dport = get16(tcp + 2);
	seg->seq = get32(tcp + 4);
	seg->ack = get32(tcp + 8);
	seg->flags = tcp[13];
	seg->window = get16(tcp + 14);
	header = (tcp[12] >> 4) * 4;
	/* What is no frame of the wire (GSO) says its true length all the same. */
	if (header < 20 || len < ip + header || whole < ip + header)
		return false;
	seg->len = whole - ip - header;
	heard->end = seg->seq + seg->len + !!(seg->flags & TH_SYN) + !!(seg->flags & TH_FIN);
	read_options(heard, tcp + 20, tcp + header);
	return true;
}

/* ---- the connections of others ---- */

/* Where all places are taken, one that was there before gives way. */
static struct honest *find_honest(struct fuzz *fuzz, bool v6, uint16_t sport, bool make)
{
	struct honest *place = &fuzz->honest[sport % HONEST_MAX];

	for (struct honest *honest = fuzz->honest; honest < fuzz->honest + HONEST_MAX; honest++) {
		if (honest->used && honest->sport == sport && honest->v6 == v6)
			return honest;
		if (!honest->used)
			place = honest;
	}
	if (!make)
		return NULL;
	*place = (struct honest){ .used = true, .v6 = v6, .sport = sport };
	return place;
}

static void honest_said(struct fuzz *fuzz, const struct heard *heard)
{
	const struct segment *seg = &heard->seg;
	struct honest *honest = find_honest(fuzz, seg->v6, seg->sport, false);

	if (seg->flags & TH_RST) {
		if (honest)
			honest->used = false;
		return;
	}
	if (!honest || (seg->flags & TH_SYN)) {
		honest = find_honest(fuzz, seg->v6, seg->sport, true);
		honest->first = honest->next = honest->acked = seg->seq;
		honest->srv_next = seg->ack;
	}
	if ((int32_t)(heard->end - honest->next) > 0)
		honest->next = heard->end;
	if (seg->flags & TH_ACK)
		honest->ack = seg->ack;
	honest->window = seg->window;
	honest->ts = heard->ts;
	honest->tsval = heard->tsval;
	honest->tsecr = heard->tsecr;
}

static void honest_heard(struct fuzz *fuzz, const struct heard *heard)
{
	const struct segment *seg = &heard->seg;
	struct honest *honest = find_honest(fuzz, seg->v6, seg->dport, false);

	if (!honest || !(seg->flags & TH_ACK))
		return;
	if ((int32_t)(seg->ack - honest->acked) > 0)
		honest->acked = seg->ack;
	if ((int32_t)(heard->end - honest->srv_next) > 0 || (seg->flags & TH_SYN))	/* from 0 */
		honest->srv_next = heard->end;
}

/* Our own frames are not honest: they come by on another socket only, since this one sent them. */
static void hear(struct fuzz *fuzz, const struct heard *heard)
{
	const struct segment *seg = &heard->seg;
	unsigned int len = seg->v6 ? 16 : 4;
	const uint8_t *client = seg->v6 ? fuzz->client6 : fuzz->client4;
	const uint8_t *server = seg->v6 ? fuzz->server6 : fuzz->server4;

	if (!memcmp(seg->src, client, len) && !memcmp(seg->dst, server, len) && seg->dport == fuzz->port)
		honest_said(fuzz, heard);
	else if (memcmp(seg->src, server, len) || seg->sport != fuzz->port)
		return;
	else if (!memcmp(seg->dst, client, len))
		honest_heard(fuzz, heard);
	else
		flow_heard(fuzz, seg, heard->ts, heard->tsval);
}

void ear_listen(struct fuzz *fuzz)
{
	struct heard heard;
	uint8_t frame[SNAP];
	ssize_t whole;

	for (;;) {
		whole = recv(fuzz->fd, frame, sizeof(frame), MSG_DONTWAIT | MSG_TRUNC);
		if (whole < 0)
			return;
		/* The filter cuts: how long it was is in its IP header. */
		if (whole < ETH_HLEN + 40)
			continue;
		if (get16(frame + 12) == ETHERTYPE_IPV6) {
			size_t claimed = ETH_HLEN + 40 + get16(frame + ETH_HLEN + 4);

			if (read_segment(&heard, frame, whole, claimed))
				hear(fuzz, &heard);
		} else if (read_segment(&heard, frame, whole, ETH_HLEN + get16(frame + ETH_HLEN + 2))) {
			hear(fuzz, &heard);
		}
	}
}
