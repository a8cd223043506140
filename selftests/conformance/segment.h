/* SPDX-License-Identifier: GPL-2.0 */
/* Segments: made as crooked as a script wants them, and taken apart as strictly as the RFCs want them. */
#ifndef CONFORMANCE_SEGMENT_H
#define CONFORMANCE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tcp_flag { FIN = 0x01, SYN = 0x02, RST = 0x04, PSH = 0x08, ACK = 0x10, URG = 0x20, ECE = 0x40, CWR = 0x80 };

#define OPTIONS_MAX	40	/* bytes */
#define SACKS_MAX	4
#define FRAME_MAX	66000	/* bytes */

/* Which connection; addresses of IPv4 are the first four bytes. */
struct flow {
	bool v6;
	uint8_t client[16];
	uint8_t server[16];
	uint16_t cport;
	uint16_t sport;
};

/* The options that were found. */
struct options {
	bool mss_ok, wscale_ok, sack_ok, ts_ok;
	bool malformed, unknown;
	uint16_t mss;
	uint8_t wscale;
	uint32_t tsval, tsecr;
	unsigned int n_sacks;
	struct { uint32_t from, to; } sacks[SACKS_MAX];
};

/**
 * struct segment
 * @options: as bytes; @found: what they mean, on a segment that was received
 * @tos: IPv4's TOS or IPv6's traffic class
 * @reserved: the four bits beside the data offset
 * @doff: sending: data offset in words, if not the right one; 0: the right one
 * @cut: sending: only so many bytes of header and payload; 0: all
 * @fragment: sending: payload of one IP fragment; 0: do not
 * @reverse: the last fragment first; @hole: without the second one
 * @bad_sum: the checksum is one too high
 * @fault: receiving: what is wrong with the packet itself, or NULL
 * @at_us: receiving: when the kernel saw it
 */
struct segment {
	uint32_t seq, ack;
	uint16_t win, urg;
	uint8_t flags, reserved, doff, tos;
	uint8_t options[OPTIONS_MAX];
	unsigned int options_len;
	struct options found;
	const uint8_t *data;
	unsigned int len;
	unsigned int cut, fragment;
	bool reverse, hole, bad_sum;
	const char *fault;
	uint64_t at_us;
};

enum icmp_kind { ICMP_MTU, ICMP_PORT, ICMP_HOST, ICMP_ADMIN, ICMP_TIME };

/* An ICMP error about a segment of the server's with this sequence number. */
struct icmp_error {
	enum icmp_kind kind;
	uint32_t mtu;
	uint32_t seq;
	bool bad_sum;
};

uint16_t get16(const uint8_t *p);
uint32_t get32(const uint8_t *p);
void put16(uint8_t *p, uint16_t v);
void put32(uint8_t *p, uint32_t v);

/** options_find() - strictly: what is malformed is said to be */
void options_find(struct options *found, const uint8_t *p, unsigned int len);

/** packet_write() - the whole packet from the client, unfragmented, from the IP header on; returns its length */
size_t packet_write(const struct flow *flow, const struct segment *seg, uint8_t *to);
/** packet_icmp() - an error message from the client's side to the server */
size_t packet_icmp(const struct flow *flow, const struct icmp_error *error, uint8_t *to);
/** packet_fragment() - fragment number @no of @packet, @bytes of payload in each; 0: there is none */
size_t packet_fragment(const uint8_t *packet, size_t len, unsigned int bytes, unsigned int no, uint8_t *to);

/** packet_read() - a TCP packet of the server's; fills in @flow and @seg, whose data point into @packet. False: it is none. */
bool packet_read(const uint8_t *packet, size_t len, struct flow *flow, struct segment *seg);

#endif
