// SPDX-License-Identifier: GPL-2.0
/* The packet socket, below the client's own IP, which knows nothing of the addresses that the scripts use. */
#include <errno.h>
#include <poll.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "play.h"

#define RECEIVE_BUFFER	(16 << 20)

static int sock = -1;
static struct sockaddr_ll server = { .sll_family = AF_PACKET, .sll_halen = ETH_ALEN };

int wire_open(const struct wire_config *config)
{
	int on = 1, bytes = RECEIVE_BUFFER;

	sock = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
	server.sll_ifindex = if_nametoindex(config->interface);
	server.sll_protocol = htons(ETH_P_ALL);
	memcpy(server.sll_addr, config->mac, ETH_ALEN);
	if (sock < 0 || !server.sll_ifindex || bind(sock, (struct sockaddr *)&server, sizeof(server)) ||
	    setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
	    setsockopt(sock, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes))) {
		perror(config->interface);
		return -1;
	}
	return sock;
}

void wire_send(const uint8_t *packet, size_t len)
{
	struct pollfd room = { .fd = sock, .events = POLLOUT };

	server.sll_protocol = htons(packet[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
	/* The socket does not block, since it is read in the same loop. */
	while (sendto(sock, packet, len, 0, (struct sockaddr *)&server, sizeof(server)) < 0) {
		if (errno != EAGAIN && errno != ENOBUFS) {
			perror("sendto");
			return;
		}
		poll(&room, 1, 10);
	}
}

size_t wire_receive(uint8_t *to, uint64_t *at_us)
{
	char control[CMSG_SPACE(sizeof(struct timespec))];
	struct iovec iov = { .iov_base = to, .iov_len = FRAME_MAX };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t got = recvmsg(sock, &msg, 0);
	struct timespec at;

	if (got <= 0)
		return 0;
	*at_us = wire_now_us();
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&at, CMSG_DATA(c), sizeof(at));
		*at_us = at.tv_sec * 1000000ull + at.tv_nsec / 1000;
	}
	return got;
}

uint64_t wire_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}
