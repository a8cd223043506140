/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the packet fuzzer share among themselves. */
#ifndef PACKET_FUZZ_H
#define PACKET_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "pattern.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define FLOWS		64
#define HONEST_MAX	16
#define MTU		1500
#define PAYLOAD_MAX	1400	/* fits into a packet with all options there are */
#define FLOODS_MAX	16384
#define LONG_MAX	60000	/* fits into one in fragments */

enum { TH_FIN = 1, TH_SYN = 2, TH_RST = 4, TH_PSH = 8, TH_ACK = 16, TH_URG = 32 };

/* What a number of this process's stands for, in the report. */
enum packet_class {
	CLASS_GOOD,	/* a client that behaves */
	CLASS_WRONG,	/* one that does not, on connections of its own */
	CLASS_FLOOD,	/* SYNs, and segments of connections that do not exist */
	CLASS_BLIND,	/* for connections of others, whose numbers it does not know */
	CLASS_KNOWING,	/* ... or does: only what every TCP survives */
	CLASS_MAX
};

/* A segment to be, and what is to be wrong with it. */
struct segment {
	bool v6;
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window, urgent;
	uint8_t opts[60];
	unsigned int opts_len;		/* 40 at most, or the data offset does not hold it */
	const uint8_t *data;
	unsigned int len;
	unsigned int data_offset;	/* in words; 0: what is right */
	uint16_t bad_checksum;		/* added to it */
	uint8_t reserved;
};

/* How it travels. */
enum wrapping { WRAP_PLAIN, WRAP_OPTIONS, WRAP_FRAGMENTS, WRAP_BROKEN_FRAGMENTS, WRAP_LENGTH, WRAP_CUT, WRAP_IP_HEADER, WRAP_MAX };

struct flow {
	enum { FLOW_FREE, FLOW_SYN_SENT, FLOW_OPEN } state;
	bool v6, answered, ts;
	uint16_t sport;
	uint32_t iss, next, acked;	/* ours */
	uint32_t rcv_next;		/* the server's */
	uint32_t ts_recent, ts_base;
	unsigned int steps;
};

/* A connection of this host's that is not ours, as seen on the wire. */
struct honest {
	bool used, v6, ts;
	uint16_t sport;
	uint32_t first, next, acked;	/* the client's numbers: the first, the end of what it has sent, what the server has taken */
	uint32_t ack, srv_next;		/* the server's: what the client has taken, the end of what it has sent */
	uint16_t window;
	uint32_t tsval, tsecr;
};

struct fuzz {
	uint64_t rnd;
	int fd, ifindex;
	uint8_t mac[6], server_mac[6];
	uint8_t server4[4], server6[16], client4[4], client6[16];
	uint16_t port;
	struct flow flows[FLOWS];
	struct honest honest[HONEST_MAX];
	struct segment floods[FLOODS_MAX];
	uint64_t n_floods;
	enum packet_class class;
	uint64_t packets, unsent, by_class[CLASS_MAX];
	uint64_t opened, finished, resets_heard, data_acked;
};

static inline uint32_t range(struct fuzz *fuzz, uint32_t n)
{
	return (pattern_next(&fuzz->rnd) >> 16) % n;
}

static inline bool one_in(struct fuzz *fuzz, uint32_t n)
{
	return !range(fuzz, n);
}

static inline uint32_t any32(struct fuzz *fuzz)
{
	return pattern_next(&fuzz->rnd) >> 16;
}

/* ---- packet_fuzz_frame.c ---- */

/** packet_send() - @l3 is a whole IP packet */
void packet_send(struct fuzz *fuzz, bool v6, const void *l3, size_t len);
/** segment_send() - with checksums; as the @wrapping wants it */
void segment_send(struct fuzz *fuzz, const struct segment *seg, enum wrapping how);
/** icmp_send() - an error about a segment that the server sent: @quoted is the server's */
void icmp_send(struct fuzz *fuzz, const struct segment *quoted, uint8_t type, uint8_t code, uint32_t mtu);

/** flow_address() - of flow or flood number @no: a network that is routed to this host, and where nobody lives */
void flow_address(uint8_t *to, bool v6, uint16_t no);

/* ---- packet_fuzz_option.c ---- */

void option_mss(struct segment *seg, uint16_t mss);
void option_timestamp(struct segment *seg, uint32_t val, uint32_t ecr);
/** options_syn() - as a client's first segment has them; with timestamps if @ts */
void options_syn(struct fuzz *fuzz, struct segment *seg, bool ts, uint32_t tsval);
/** options_garbage() - instead of, or behind those that are there */
void options_garbage(struct fuzz *fuzz, struct segment *seg);

/* ---- packet_fuzz_flow.c: connections of the fuzzer's own ---- */

void flow_step(struct fuzz *fuzz);
/** flow_heard() - a segment of the server's, for one of our addresses */
void flow_heard(struct fuzz *fuzz, const struct segment *seg, bool ts, uint32_t tsval);
/** flows_end() - reset all but every @keep'th */
void flows_end(struct fuzz *fuzz, unsigned int keep);

/* ---- packet_fuzz_stranger.c: floods, and attacks on the connections of others ---- */

/** flood_syn() - from somebody who will not go on with it */
void flood_syn(struct fuzz *fuzz);
/** from_nobody() - a segment to be, without flags, of somebody who does not exist */
struct segment from_nobody(struct fuzz *fuzz);
/** stray_step() - a segment of a connection that does not exist */
void stray_step(struct fuzz *fuzz);
/** floods_end() - take back the SYNs, so that nobody waits for what was never meant */
void floods_end(struct fuzz *fuzz);
void blind_step(struct fuzz *fuzz);
void knowing_step(struct fuzz *fuzz);

/* ---- packet_fuzz_ear.c ---- */

/** ear_open() - a packet socket on @interface that hears the service's port; 0 or -1 */
int ear_open(struct fuzz *fuzz, const char *interface);
/** ear_server() - whose hardware address is that? 0 or -1 */
int ear_server(struct fuzz *fuzz, const char *address);
/** ear_listen() - take in all that has come */
void ear_listen(struct fuzz *fuzz);

#endif
