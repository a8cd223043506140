/* SPDX-License-Identifier: GPL-2.0 */
/* What a server said on each of its connections, as offsets: a SYN is number -1, the first byte 0, a FIN counts as one. */
#ifndef PCAP_FLOW_H
#define PCAP_FLOW_H

#include <stdbool.h>
#include <stdint.h>
#include "pcap_file.h"

/* One direction's progress in 64 bits; starts anew with each SYN. */
struct pcap_progress {
	bool known;
	uint32_t base;		/* sequence number of offset 0 */
	int64_t top;		/* the highest offset so far */
};

struct pcap_flow {
	uint8_t addr[16];	/* the client */
	uint16_t port;
	struct pcap_progress sent;	/* by the server: the end of its data */
	struct pcap_progress acked;	/* by the server, of the client's data */
	struct pcap_flow *next;
};

struct pcap_server {
	uint8_t addr[16];
	bool any_addr;
	uint16_t port;
	struct pcap_flow *flows;
};

struct pcap_change {
	struct pcap_flow *flow;
	bool from_server;
	int64_t new_data;	/* bytes sent beyond everything before */
	int64_t new_ack;	/* bytes acknowledged beyond everything before */
};

/** pcap_follow() - false if the segment is not the server's business */
bool pcap_follow(struct pcap_server *server, const struct pcap_segment *segment, struct pcap_change *change);

#endif
