/* SPDX-License-Identifier: GPL-2.0 */
/* TCP segments out of a classic capture file (tcpdump -w). */
#ifndef PCAP_FILE_H
#define PCAP_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
	TCP_FIN_FLAG = 0x01,
	TCP_SYN_FLAG = 0x02,
	TCP_RST_FLAG = 0x04,
	TCP_ACK_FLAG = 0x10,
};

struct pcap_segment {
	double time;		/* seconds since 1970 */
	uint8_t src[16];	/* IPv4 as ::ffff:a.b.c.d */
	uint8_t dst[16];
	uint16_t sport;
	uint16_t dport;
	uint32_t seq;
	uint32_t ack;
	uint8_t flags;
	uint32_t len;		/* of the payload, which may be many segments in one (GSO) */
};

struct pcap_file {
	FILE *file;
	bool swapped;
	double tick;		/* of a packet's time */
	uint32_t link_type;
	const char *error;	/* why it cannot be read (on); NULL at a clean end */
	uint64_t packets;
};

/** pcap_open() - false with ->error */
bool pcap_open(struct pcap_file *pcap, const char *name);

/** pcap_next() - the next TCP segment; false at the end. A packet that was being written when the capture ended is no error. */
bool pcap_next(struct pcap_file *pcap, struct pcap_segment *segment);

#endif
