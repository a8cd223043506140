// SPDX-License-Identifier: GPL-2.0
/*
 * Connections of the fuzzer's own: a handshake as it should be, mostly, then data, and among it segments that are wrong in
 * one way or another. Whatever it says there, it harms nobody but itself.
 */
#include <arpa/inet.h>
#include <string.h>
#include "packet_fuzz.h"

#define FLOW_STEPS_MAX	150	/* then it makes room for another */
#define WINDOW		(1u << 20)

/* The flow's number is in the port: its place in the table can be found again. */
static struct segment begin(struct fuzz *fuzz, const struct flow *flow)
{
	struct segment seg = {
		.v6 = flow->v6, .sport = flow->sport, .dport = fuzz->port, .seq = flow->next, .ack = flow->rcv_next,
		.flags = TH_ACK, .window = 65535 - range(fuzz, 1000),
	};

	flow_address(seg.src, flow->v6, 1 + flow->sport % FLOWS);
	memcpy(seg.dst, flow->v6 ? fuzz->server6 : fuzz->server4, 16);
	if (flow->ts && flow->state == FLOW_OPEN)
		option_timestamp(&seg, flow->ts_base + flow->steps, flow->ts_recent);
	return seg;
}

static void random_data(struct fuzz *fuzz, struct segment *seg, unsigned int len)
{
	static uint8_t data[LONG_MAX];

	pattern_fill(pattern_next(&fuzz->rnd), 0, data, len < 64 ? len : 64);
	seg->data = data;
	seg->len = len;
}

/* ---- opening ---- */

static void send_syn(struct fuzz *fuzz, struct flow *flow)
{
	struct segment seg = begin(fuzz, flow);

	seg.seq = flow->iss;
	seg.ack = 0;
	seg.flags = TH_SYN | (one_in(fuzz, 12) ? range(fuzz, 256) & ~(TH_RST | TH_ACK | TH_FIN) : 0);
	options_syn(fuzz, &seg, flow->ts, flow->ts_base);
	if (one_in(fuzz, 12))
		random_data(fuzz, &seg, 1 + range(fuzz, 500));
	segment_send(fuzz, &seg, one_in(fuzz, 20) ? WRAP_FRAGMENTS : WRAP_PLAIN);
}

static void flow_open(struct fuzz *fuzz, struct flow *flow, unsigned int no)
{
	*flow = (struct flow){
		.state = FLOW_SYN_SENT, .v6 = no & 1, .ts = range(fuzz, 2), .sport = 1024 + FLOWS * range(fuzz, 1000) + no,
		.iss = one_in(fuzz, 3) ? -range(fuzz, 5000) : any32(fuzz),
		.ts_base = one_in(fuzz, 3) ? -range(fuzz, 200) : any32(fuzz),
	};
	flow->next = flow->acked = flow->iss + 1;
	fuzz->class = CLASS_GOOD;
	send_syn(fuzz, flow);
}

static void flow_establish(struct fuzz *fuzz, struct flow *flow)
{
	struct segment seg;

	fuzz->class = CLASS_GOOD;
	if (!flow->answered) {
		/* Perhaps it was lost, perhaps what came was no SYN that can be answered. */
		if (++flow->steps % 4 == 0)
			send_syn(fuzz, flow);
		if (flow->steps > 20)
			flow->state = FLOW_FREE;
		return;
	}
	flow->state = FLOW_OPEN;
	fuzz->opened++;
	seg = begin(fuzz, flow);
	if (one_in(fuzz, 3)) {
		random_data(fuzz, &seg, 1 + range(fuzz, 1000));
		flow->next += seg.len;
	}
	segment_send(fuzz, &seg, WRAP_PLAIN);
}

/* ---- as it should be ---- */

static void send_good(struct fuzz *fuzz, struct flow *flow)
{
	struct segment seg = begin(fuzz, flow);

	fuzz->class = CLASS_GOOD;
	if (!one_in(fuzz, 3)) {
		seg.flags |= TH_PSH;
		random_data(fuzz, &seg, 1 + range(fuzz, one_in(fuzz, 30) ? LONG_MAX : PAYLOAD_MAX));
	}
	/* What has got lost is to be sent once more. */
	if (one_in(fuzz, 2))
		seg.seq = flow->acked;
	if ((int32_t)(seg.seq + seg.len - flow->next) > 0)
		flow->next = seg.seq + seg.len;
	segment_send(fuzz, &seg, one_in(fuzz, 8) ? WRAP_FRAGMENTS : one_in(fuzz, 12) ? WRAP_OPTIONS : WRAP_PLAIN);
}

static void flow_reset(struct fuzz *fuzz, struct flow *flow)
{
	struct segment seg = begin(fuzz, flow);

	fuzz->class = CLASS_GOOD;
	seg.seq = flow->acked;
	seg.flags = TH_RST | TH_ACK;
	segment_send(fuzz, &seg, WRAP_PLAIN);
	flow->state = FLOW_FREE;
	fuzz->finished++;
}

/* ---- as it should not be ---- */

/* Numbers at the edges of windows, of what was sent, of the space of numbers. */
static uint32_t near(struct fuzz *fuzz, uint32_t number)
{
	static const uint32_t far[] = { 0, 1, 2, 1460, 65535, 65536, WINDOW - 1, WINDOW, WINDOW + 1, 0x7fffffff, 0x80000000, 0x80000001 };
	uint32_t step = one_in(fuzz, 3) ? range(fuzz, 70000) : far[range(fuzz, COUNT(far))];

	return one_in(fuzz, 20) ? any32(fuzz) : one_in(fuzz, 2) ? number + step : number - step;
}

static void spoil_timestamp(struct fuzz *fuzz, struct flow *flow, struct segment *seg)
{
	seg->opts_len = 0;
	if (!one_in(fuzz, 4))
		option_timestamp(seg, near(fuzz, flow->ts_base + flow->steps), near(fuzz, flow->ts_recent));
}

static void spoil(struct fuzz *fuzz, struct flow *flow, struct segment *seg)
{
	static const uint8_t flags[] = { 0, TH_RST, TH_SYN, TH_FIN | TH_ACK, TH_SYN | TH_ACK, TH_SYN | TH_FIN, 255 };

	switch (range(fuzz, 12)) {
	case 0: case 1: seg->seq = near(fuzz, seg->seq); break;
	case 2: seg->ack = near(fuzz, seg->ack); break;
	case 3: seg->flags = range(fuzz, 256); break;
	case 4: seg->flags = flags[range(fuzz, COUNT(flags))]; break;
	case 5: case 6: options_garbage(fuzz, seg); break;
	case 7: seg->bad_checksum = 1 + range(fuzz, 0xfffe); break;
	case 8: seg->data_offset = one_in(fuzz, 2) ? 1 + range(fuzz, 4) : 6 + range(fuzz, 10); break;
	case 9: seg->window = one_in(fuzz, 2) ? 0 : range(fuzz, 65536); break;
	case 10:
		seg->flags |= TH_URG;
		seg->urgent = one_in(fuzz, 2) ? range(fuzz, seg->len + 2) : range(fuzz, 65536);
		seg->reserved = range(fuzz, 16);
		break;
	case 11: spoil_timestamp(fuzz, flow, seg); break;
	}
}

static void icmp_about(struct fuzz *fuzz, struct flow *flow)
{
	static const uint16_t mtus[] = { 0, 1, 40, 68, 100, 576, 1280, 1499, 1500, 65535 };
	struct segment quoted = { .v6 = flow->v6, .sport = fuzz->port, .dport = flow->sport };

	memcpy(quoted.src, flow->v6 ? fuzz->server6 : fuzz->server4, 16);
	flow_address(quoted.dst, flow->v6, 1 + flow->sport % FLOWS);
	quoted.seq = one_in(fuzz, 2) ? flow->rcv_next : near(fuzz, flow->rcv_next);
	if (one_in(fuzz, 2))
		icmp_send(fuzz, &quoted, flow->v6 ? 2 : 3, flow->v6 ? 0 : 4, mtus[range(fuzz, COUNT(mtus))]);
	else
		icmp_send(fuzz, &quoted, flow->v6 ? 1 + range(fuzz, 4) : range(fuzz, 20), range(fuzz, 16), any32(fuzz));
}

static void send_wrong(struct fuzz *fuzz, struct flow *flow)
{
	struct segment seg = begin(fuzz, flow);
	unsigned int n = 1 + (one_in(fuzz, 4) ? range(fuzz, 3) : 0);

	fuzz->class = CLASS_WRONG;
	if (one_in(fuzz, 12)) {
		icmp_about(fuzz, flow);
		return;
	}
	if (one_in(fuzz, 2))
		random_data(fuzz, &seg, 1 + range(fuzz, PAYLOAD_MAX));
	while (n--)
		spoil(fuzz, flow, &seg);
	segment_send(fuzz, &seg, one_in(fuzz, 4) ? range(fuzz, WRAP_MAX) : WRAP_PLAIN);
}

/* ---- the life of one ---- */

void flow_step(struct fuzz *fuzz)
{
	unsigned int no = range(fuzz, FLOWS);
	struct flow *flow = &fuzz->flows[no];

	if (flow->state == FLOW_FREE) {
		flow_open(fuzz, flow, no);
	} else if (flow->state == FLOW_SYN_SENT) {
		flow_establish(fuzz, flow);
	} else if (++flow->steps > FLOW_STEPS_MAX) {
		flow_reset(fuzz, flow);
	} else if (one_in(fuzz, 100)) {
		struct segment seg = begin(fuzz, flow);

		fuzz->class = CLASS_GOOD;
		seg.flags |= TH_FIN;
		segment_send(fuzz, &seg, WRAP_PLAIN);
	} else if (one_in(fuzz, 2)) {
		send_good(fuzz, flow);
	} else {
		send_wrong(fuzz, flow);
	}
}

void flow_heard(struct fuzz *fuzz, const struct segment *seg, bool ts, uint32_t tsval)
{
	struct flow *flow = &fuzz->flows[seg->dport % FLOWS];
	uint8_t addr[16];

	flow_address(addr, seg->v6, 1 + seg->dport % FLOWS);
	if (flow->state == FLOW_FREE || flow->sport != seg->dport || flow->v6 != seg->v6 || memcmp(addr, seg->dst, seg->v6 ? 16 : 4))
		return;
	if (seg->flags & TH_RST) {
		fuzz->resets_heard++;
		flow->state = FLOW_FREE;
		return;
	}
	if (seg->flags & TH_SYN) {
		flow->answered = true;
		flow->ts &= ts;
		flow->rcv_next = seg->seq + 1;
	} else if (seg->seq == flow->rcv_next) {
		flow->rcv_next += seg->len + !!(seg->flags & TH_FIN);
	}
	if ((int32_t)(seg->ack - flow->acked) > 0) {
		fuzz->data_acked += seg->ack - flow->acked;
		flow->acked = seg->ack;
	}
	if ((int32_t)(flow->acked - flow->next) > 0)
		flow->next = flow->acked;
	flow->ts_recent = ts ? tsval : flow->ts_recent;
}

void flows_end(struct fuzz *fuzz, unsigned int keep)
{
	for (unsigned int i = 0; i < FLOWS; i++)
		if (fuzz->flows[i].state != FLOW_FREE && i / 2 % keep)
			flow_reset(fuzz, &fuzz->flows[i]);
}
