// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "announce.h"

/* ARP for Ethernet and IPv4, RFC 826. */
struct arp_packet {
	struct arphdr head;
	uint8_t sender_mac[ETH_ALEN];
	uint8_t sender_ip[4];
	uint8_t target_mac[ETH_ALEN];
	uint8_t target_ip[4];
} __attribute__((packed));

/* A neighbour advertisement with its target's link-layer address, RFC 4861, 4.4. */
struct na_packet {
	struct nd_neighbor_advert advert;
	struct nd_opt_hdr option;
	uint8_t mac[ETH_ALEN];
} __attribute__((packed));

struct place {
	int index;
	uint8_t mac[ETH_ALEN];
};

/* 1: an Ethernet; 0: nothing to announce on; or -errno. */
static int look_up(const char *dev, struct place *place)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	memcpy(request.ifr_name, dev, strnlen(dev, IFNAMSIZ - 1));
	if (ioctl(fd, SIOCGIFINDEX, &request))
		err = -errno;
	place->index = request.ifr_ifindex;
	if (!err && ioctl(fd, SIOCGIFHWADDR, &request))
		err = -errno;
	close(fd);
	if (err || request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return err;
	memcpy(place->mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	return 1;
}

static int send_packet(int fd, const void *packet, size_t len, const void *to, socklen_t to_len)
{
	return sendto(fd, packet, len, MSG_DONTWAIT, to, to_len) < 0 ? -errno : 0;
}

/* As a request (RFC 5227, 3) and as a reply: some hosts take only the one, some only the other. */
static int announce_arp(const struct config_address *address, const struct place *place)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = place->index,
				  .sll_halen = ETH_ALEN };
	struct arp_packet packet = { .head = { .ar_hrd = htons(ARPHRD_ETHER), .ar_pro = htons(ETH_P_IP),
					       .ar_hln = ETH_ALEN, .ar_pln = 4, .ar_op = htons(ARPOP_REQUEST) } };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	memset(to.sll_addr, 0xff, ETH_ALEN);
	memcpy(packet.sender_mac, place->mac, ETH_ALEN);
	memcpy(packet.sender_ip, address->ip, 4);
	memcpy(packet.target_ip, address->ip, 4);
	err = send_packet(fd, &packet, sizeof(packet), &to, sizeof(to));
	packet.head.ar_op = htons(ARPOP_REPLY);
	memcpy(packet.target_mac, place->mac, ETH_ALEN);
	if (!err)
		err = send_packet(fd, &packet, sizeof(packet), &to, sizeof(to));
	close(fd);
	return err;
}

/* To all nodes, from the address itself: RFC 4861, 7.2.6; the hop limit proves that it was not routed. */
static int announce_na(const struct config_address *address, const struct place *place)
{
	struct sockaddr_in6 from = { .sin6_family = AF_INET6, .sin6_scope_id = place->index };
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_scope_id = place->index };
	struct na_packet packet = { .option = { .nd_opt_type = ND_OPT_TARGET_LINKADDR, .nd_opt_len = 1 } };
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	int hops = 255, err = 0;

	if (fd < 0)
		return -errno;
	packet.advert.nd_na_type = ND_NEIGHBOR_ADVERT;
	packet.advert.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
	memcpy(&packet.advert.nd_na_target, address->ip, 16);
	memcpy(packet.mac, place->mac, ETH_ALEN);
	memcpy(&from.sin6_addr, address->ip, 16);
	inet_pton(AF_INET6, "ff02::1", &to.sin6_addr);
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &place->index, sizeof(place->index)) ||
	    bind(fd, (struct sockaddr *)&from, sizeof(from)))
		err = -errno;
	if (!err)
		err = send_packet(fd, &packet, sizeof(packet), &to, sizeof(to));
	close(fd);
	return err;
}

int announce(const struct config_address *address)
{
	struct place place;
	int found = look_up(address->dev, &place);

	if (found <= 0)
		return found;
	return address->family == AF_INET ? announce_arp(address, &place) : announce_na(address, &place);
}
