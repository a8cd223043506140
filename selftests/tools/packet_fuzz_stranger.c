// SPDX-License-Identifier: GPL-2.0
/*
 * Segments for connections that are none of the fuzzer's: there are none, or they are others', whose numbers it does not know
 * (the chance of a guess that does harm is about one in a thousand runs), or does, and then says only what every TCP
 * survives: what is old, what is beyond the window, what is not authentic.
 */
#include <string.h>
#include "packet_fuzz.h"

#define FLOOD_NETS	256

struct segment from_nobody(struct fuzz *fuzz)
{
	struct segment seg = {
		.v6 = one_in(fuzz, 2), .sport = 1 + range(fuzz, 65535), .dport = fuzz->port, .seq = any32(fuzz), .ack = any32(fuzz),
		.window = any32(fuzz),
	};

	flow_address(seg.src, seg.v6, 256 + range(fuzz, 256 * (FLOOD_NETS - 1)));
	memcpy(seg.dst, seg.v6 ? fuzz->server6 : fuzz->server4, 16);
	return seg;
}

static void garbage(struct fuzz *fuzz, struct segment *seg, unsigned int max)
{
	static uint8_t data[PAYLOAD_MAX];

	pattern_fill(pattern_next(&fuzz->rnd), 0, data, 64);
	seg->data = data;
	seg->len = 1 + range(fuzz, max < PAYLOAD_MAX ? max : PAYLOAD_MAX);
}

void flood_syn(struct fuzz *fuzz)
{
	struct segment seg = from_nobody(fuzz);

	fuzz->class = CLASS_FLOOD;
	seg.flags = TH_SYN;
	seg.ack = 0;
	options_syn(fuzz, &seg, one_in(fuzz, 2), any32(fuzz));
	fuzz->floods[fuzz->n_floods++ % FLOODS_MAX] = seg;
	segment_send(fuzz, &seg, WRAP_PLAIN);
}

void stray_step(struct fuzz *fuzz)
{
	struct segment seg = from_nobody(fuzz);

	fuzz->class = CLASS_FLOOD;
	seg.flags = one_in(fuzz, 2) ? TH_ACK : range(fuzz, 256);
	if (one_in(fuzz, 2))
		garbage(fuzz, &seg, PAYLOAD_MAX);
	if (one_in(fuzz, 4))
		options_garbage(fuzz, &seg);
	segment_send(fuzz, &seg, one_in(fuzz, 8) ? range(fuzz, WRAP_MAX) : WRAP_PLAIN);
}

void floods_end(struct fuzz *fuzz)
{
	uint64_t n = fuzz->n_floods < FLOODS_MAX ? fuzz->n_floods : FLOODS_MAX;
	struct segment *seg;

	fuzz->class = CLASS_FLOOD;
	for (uint64_t i = 0; i < n; i++) {
		seg = &fuzz->floods[i];
		seg->seq++;
		seg->flags = TH_RST;
		seg->opts_len = 0;
		segment_send(fuzz, seg, WRAP_PLAIN);
	}
}

/* ---- others ---- */

static const struct honest *pick(struct fuzz *fuzz)
{
	unsigned int from = range(fuzz, HONEST_MAX);

	for (unsigned int i = 0; i < HONEST_MAX; i++)
		if (fuzz->honest[(from + i) % HONEST_MAX].used)
			return &fuzz->honest[(from + i) % HONEST_MAX];
	return NULL;
}

static struct segment from_honest(struct fuzz *fuzz, const struct honest *honest)
{
	struct segment seg = { .v6 = honest->v6, .sport = honest->sport, .dport = fuzz->port, .flags = TH_ACK };

	memcpy(seg.src, honest->v6 ? fuzz->client6 : fuzz->client4, 16);
	memcpy(seg.dst, honest->v6 ? fuzz->server6 : fuzz->server4, 16);
	return seg;
}

static struct segment quoted_to(struct fuzz *fuzz, const struct honest *honest, uint32_t seq)
{
	struct segment seg = from_honest(fuzz, honest), quoted = seg;

	memcpy(quoted.src, seg.dst, 16);
	memcpy(quoted.dst, seg.src, 16);
	quoted.sport = seg.dport;
	quoted.dport = seg.sport;
	quoted.seq = seq;
	return quoted;
}

/* From the addresses and ports of others nothing is taken but these. */
void blind_step(struct fuzz *fuzz)
{
	const struct honest *honest = pick(fuzz);
	struct segment seg, quoted;

	if (!honest)
		return;
	fuzz->class = CLASS_BLIND;
	seg = from_honest(fuzz, honest);
	seg.seq = any32(fuzz);
	seg.ack = any32(fuzz);
	seg.window = any32(fuzz);
	seg.flags = (uint8_t[]){ TH_RST, TH_RST | TH_ACK, TH_SYN, TH_SYN | TH_ACK, TH_FIN | TH_ACK, TH_ACK }[range(fuzz, 6)];
	if (one_in(fuzz, 10)) {
		quoted = quoted_to(fuzz, honest, any32(fuzz));
		icmp_send(fuzz, &quoted, seg.v6 ? 1 + range(fuzz, 4) : 3, range(fuzz, 16), range(fuzz, 1500));
		return;
	}
	if (one_in(fuzz, 3))
		option_timestamp(&seg, any32(fuzz), any32(fuzz));
	if (one_in(fuzz, 8))
		garbage(fuzz, &seg, PAYLOAD_MAX);
	segment_send(fuzz, &seg, WRAP_PLAIN);
}

/* Where the server has taken everything already: it must not look at the bytes any more. */
static void say_old(struct fuzz *fuzz, const struct honest *honest, struct segment *seg)
{
	uint32_t old = honest->acked - honest->first, from = old < 60000 ? old : 60000;

	/* All of it, and a FIN behind it. */
	seg->seq = honest->acked - 2 - range(fuzz, from - 2);
	garbage(fuzz, seg, honest->acked - seg->seq - 1);
}

/* Where nobody has been yet, but within the window, and so far ahead that nobody will be soon. */
static void say_ahead(struct fuzz *fuzz, const struct honest *honest, struct segment *seg, uint8_t flags)
{
	seg->seq = honest->next + 300000 + range(fuzz, 200000);
	seg->flags = flags;
}

static void say_icmp(struct fuzz *fuzz, const struct honest *honest)
{
	struct segment quoted = quoted_to(fuzz, honest, honest->ack + range(fuzz, honest->srv_next - honest->ack + 1));
	bool v6 = honest->v6;

	if (one_in(fuzz, 20))
		icmp_send(fuzz, &quoted, v6 ? 2 : 3, v6 ? 0 : 4, 1280 + range(fuzz, 220));
	else
		icmp_send(fuzz, &quoted, v6 ? 1 : 3, range(fuzz, 4), 0);
}

/* What must not be taken, though it fits exactly. */
static void say_unauthentic(struct fuzz *fuzz, const struct honest *honest, struct segment *seg)
{
	seg->seq = honest->next;
	garbage(fuzz, seg, PAYLOAD_MAX);
	switch (range(fuzz, honest->ts ? 7 : 5)) {
	case 0: seg->bad_checksum = 2 + range(fuzz, 0xfffd); break;
	case 1: seg->ack = honest->srv_next + (64 << 20); break;
	case 2: seg->flags = TH_PSH; break;
	case 3: seg->data_offset = 1 + range(fuzz, 4); break;
	case 4: seg->ack = honest->ack - (1u << 30); break;
	case 5:
		seg->opts_len = 0;
		option_timestamp(seg, honest->tsval - 1000 - range(fuzz, 1u << 30), honest->tsecr);
		break;
	case 6: seg->opts_len = 0; break;
	}
}

void knowing_step(struct fuzz *fuzz)
{
	const struct honest *honest = pick(fuzz);
	struct segment seg;

	/* Not before there is something that is old. */
	if (!honest || honest->acked - honest->first < 10000)
		return;
	fuzz->class = CLASS_KNOWING;
	seg = from_honest(fuzz, honest);
	seg.seq = honest->next;
	seg.ack = honest->ack;
	seg.window = honest->window;
	if (honest->ts)
		option_timestamp(&seg, honest->tsval, honest->tsecr);
	switch (range(fuzz, 9)) {
	case 0: say_old(fuzz, honest, &seg); break;
	case 1: say_old(fuzz, honest, &seg); seg.flags |= (uint8_t[]){ TH_FIN, TH_URG, TH_RST, TH_SYN }[range(fuzz, 4)]; break;
	case 2: say_ahead(fuzz, honest, &seg, TH_RST | (one_in(fuzz, 2) ? TH_ACK : 0)); break;
	case 3: say_ahead(fuzz, honest, &seg, TH_SYN); break;
	case 4: seg.seq = honest->next + (1u << 30); seg.flags = TH_RST | TH_ACK; break;
	case 5: seg.seq = honest->next + (1u << 30); garbage(fuzz, &seg, PAYLOAD_MAX); break;
	case 6: break;	/* one more of its last acknowledgement */
	case 7: say_icmp(fuzz, honest); return;
	case 8: say_unauthentic(fuzz, honest, &seg); break;
	}
	segment_send(fuzz, &seg, one_in(fuzz, 10) ? WRAP_FRAGMENTS : WRAP_PLAIN);
}
