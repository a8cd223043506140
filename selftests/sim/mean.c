// SPDX-License-Identifier: GPL-2.0
/*
 * Strangers. They guess well: their sequence numbers lie in the window. What RFC 5961 lets nobody guess (the exact next number of a reset, an ACK
 * that fits) they do not know, so that nothing of what they send may have an effect but an answer.
 */
#include "sim.h"

/* In the window but neither of the two numbers that a reset must hit. */
static u32 in_window(const struct ftcp_tcb *t)
{
	u64 wnd = t->hard.rcv_edge > t->hard.rcv_nxt ? t->hard.rcv_edge - t->hard.rcv_nxt : 1;

	return ftcp_seq_of(t->hard.irs, t->hard.rcv_nxt + 1 + rnd(wnd)).v;
}

static void choose(const struct ftcp_tcb *t, struct ftcp_segment *seg)
{
	seg->seq.v = in_window(t);
	seg->ack = ftcp_seq_of(t->hard.iss, t->hard.snd_una);
	switch (rnd(6)) {
	case 0:
		seg->flags = FTCP_RST;
		break;
	case 1:
		seg->flags = FTCP_SYN;
		break;
	case 2:		/* RFC 5961, 5: data with an ACK of what was never sent */
		seg->ack = ftcp_seq_of(t->hard.iss, t->soft.snd_max + 1 + rnd(1u << 30));
		seg->flags = FTCP_ACK;
		seg->seq = ftcp_seq_of(t->hard.irs, t->hard.rcv_nxt);
		seg->len = rnd(100);
		break;
	case 3:		/* ... or of what was acknowledged long ago */
		seg->ack.v -= (1u << 30) + rnd(1u << 29);
		seg->flags = FTCP_ACK | FTCP_FIN;
		seg->seq = ftcp_seq_of(t->hard.irs, t->hard.rcv_nxt);
		seg->len = rnd(100);
		break;
	case 4:		/* out of the window */
		seg->seq.v += (1u << 24) + rnd(1u << 30);
		seg->flags = FTCP_ACK | (rnd(2) ? FTCP_RST : FTCP_FIN);
		break;
	default:	/* without an ACK */
		seg->seq = ftcp_seq_of(t->hard.irs, t->hard.rcv_nxt);
		seg->flags = FTCP_PSH | (rnd(2) ? FTCP_FIN : 0);
		seg->len = rnd(100);
	}
}

void mean_attack(void)
{
	struct host *h = &hosts[lan_owner];
	struct ftcp_segment seg = { .src = 1000, .dst = 9999, .wnd = rnd(65536) };
	u32 client = rnd(swarm.clients);
	struct conn *c = &h->conns[client];
	struct packet p = { .client = client };
	static u8 junk[100];

	totals->attacks++;
	if (one_in(3)) {
		net_replay();
		return;
	}
	if (!h->alive || !c->used || c->dormant || c->gone || c->tcb.hard.state == FTCP_SYN_RECEIVED)
		return;
	seg.src += client;
	choose(&c->tcb, &seg);
	if (c->tcb.hard.flags & FTCP_HARD_TS && !(seg.flags & FTCP_SYN)) {
		seg.opts = FTCP_OPT_TS;
		seg.tsval = c->tcb.hard.ts_recent;
	}
	p.header_bytes = ftcp_segment_write(&seg, p.header);
	p.len = seg.len;
	p.data = junk;
	say("mean", "c%u seq %u ack %u len %u flags %02x", client, seg.seq.v, seg.ack.v, seg.len, seg.flags);
	host_receive(h, &p);	/* at once: a while later the number could be the right one */
}
