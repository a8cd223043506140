// SPDX-License-Identifier: GPL-2.0
/* Connections of the attacker's own, one for each of many addresses where nobody lives. Only IPv4. */
#include <string.h>
#include "attack.h"

#define CROWD_PORT	2000
#define WINDOW		65000	/* of the server's, that they fill */
#define SYN_AGAIN	50	/* steps until a SYN is sent again */

struct member {
	enum { MEMBER_NEW, MEMBER_ASKED, MEMBER_OPEN, MEMBER_DEAD } state;
	unsigned int no, steps, sent;
	uint32_t iss, next;	/* ours; next: the end of what the server has acknowledged */
	uint32_t high;		/* the end of what was sent */
	uint32_t rcv_next;	/* the server's */
};

static struct member crowd[CROWD_MAX];
static uint8_t data[PAYLOAD_MAX];

static struct segment begin(const struct member *member)
{
	struct segment seg = {
		.sport = CROWD_PORT, .dport = attack.fuzz.port, .seq = member->next, .ack = member->rcv_next, .flags = TH_ACK,
		.window = 65535, .data = data,
	};

	flow_address(seg.src, false, 1 + member->no);
	memcpy(seg.dst, attack.fuzz.server4, 4);
	return seg;
}

static void send_plain(const struct segment *seg)
{
	segment_send(&attack.fuzz, seg, WRAP_PLAIN);
}

static void ask(struct member *member)
{
	static const uint8_t sack_ok[] = { 1, 1, 4, 2 };
	struct segment seg;

	if (member->state == MEMBER_NEW)
		member->iss = any32(&attack.fuzz);
	member->next = member->high = member->iss + 1;
	seg = begin(member);
	seg.seq = member->iss;
	seg.ack = 0;
	seg.flags = TH_SYN;
	option_mss(&seg, 1460);
	memcpy(seg.opts + seg.opts_len, sack_ok, sizeof(sack_ok));
	seg.opts_len += sizeof(sack_ok);
	member->state = MEMBER_ASKED;
	send_plain(&seg);
}

void crowd_step(member_fn then)
{
	unsigned int no = range(&attack.fuzz, attack.conns);
	struct member *member = &crowd[no];

	member->no = no;
	switch (member->state) {
	case MEMBER_OPEN: then(member); break;
	case MEMBER_ASKED:
		if (++member->steps % SYN_AGAIN == 0)
			ask(member);
		break;
	default: ask(member); break;	/* also one that was reset comes again */
	}
}

unsigned int crowd_open(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < attack.conns; i++)
		n += crowd[i].state == MEMBER_OPEN;
	return n;
}

/* Whatever it is, it is not let in: the window is closed. */
void flow_heard(struct fuzz *fuzz, const struct segment *heard, bool ts, uint32_t tsval)
{
	unsigned int no = (heard->dst[2] << 8 | heard->dst[3]) - 1;
	struct member *member = &crowd[no];
	struct segment seg;

	(void)fuzz, (void)ts, (void)tsval;
	if (heard->v6 || no >= attack.conns || heard->dport != CROWD_PORT || member->state == MEMBER_NEW)
		return;
	if (heard->flags & TH_RST) {
		member->state = MEMBER_NEW;
		return;
	}
	if (heard->flags & TH_SYN && member->state == MEMBER_ASKED) {
		member->state = MEMBER_OPEN;
		member->rcv_next = heard->seq + 1;
		seg = begin(member);
		send_plain(&seg);
		return;
	}
	if ((int32_t)(heard->ack - member->next) > 0 && (int32_t)(heard->ack - member->high) <= 0)
		member->next = heard->ack;
	if (heard->len) {
		seg = begin(member);
		seg.window = 0;
		seg.seq = member->high;
		send_plain(&seg);
	}
}

/* ---- what they do ---- */

static void send_at(struct member *member, uint32_t seq, unsigned int len, uint16_t window)
{
	struct segment seg = begin(member);

	seg.seq = seq;
	seg.len = len;
	seg.window = window;
	if ((int32_t)(seq + len - member->high) > 0)
		member->high = seq + len;
	send_plain(&seg);
}

void member_holes(struct member *member)
{
	struct fuzz *fuzz = &attack.fuzz;
	bool large = member->no & 1;
	struct segment seg;

	if (one_in(fuzz, 8)) {
		seg = begin(member);
		options_garbage(fuzz, &seg);
		send_plain(&seg);
	} else if (large) {
		send_at(member, member->next + 1 + PAYLOAD_MAX * range(fuzz, WINDOW / PAYLOAD_MAX), PAYLOAD_MAX - 1, 0);
	} else {
		send_at(member, member->next + 2 + 2 * range(fuzz, one_in(fuzz, 2) ? 100 : WINDOW / 2), 1, 1000);
	}
}

void member_crumbs(struct member *member)
{
	unsigned int k = member->sent++ % (WINDOW - 2), group = k / 64 * 64, odd = k % 64 / 32;

	switch (member->no % 3) {
	case 0:	/* each overlaps the one before by a byte */
		send_at(member, member->next + 1 + k, 2, 1000);
		break;
	case 1:	/* each lies before the one that came before it */
		send_at(member, member->next + WINDOW - 1 - k, 1, 1000);
		break;
	default:	/* the bytes with even numbers, as many as there may be islands, then those between them */
		send_at(member, member->next + 2 + group + 2 * (k % 32) + odd, 1, 1000);
	}
}

void member_overlap(struct member *member)
{
	struct fuzz *fuzz = &attack.fuzz;
	uint32_t seq = member->next - range(fuzz, 3000) + range(fuzz, 4000);

	pattern_fill(fuzz->rnd, 0, data, sizeof(data));
	send_at(member, one_in(fuzz, 3) ? member->next : seq, 1 + range(fuzz, PAYLOAD_MAX - 1), one_in(fuzz, 2) ? 65535 >> range(fuzz, 16) : 0);
}

void member_hoard(struct member *member)
{
	uint32_t end = member->next + WINDOW;

	if ((int32_t)(member->high + PAYLOAD_MAX - end) > 0 || one_in(&attack.fuzz, 20))
		member->high = member->next;	/* again: something was lost, or refused */
	send_at(member, member->high, PAYLOAD_MAX, 0);
}

void member_options(struct member *member)
{
	struct segment seg = begin(member);

	options_garbage(&attack.fuzz, &seg);
	seg.len = range(&attack.fuzz, 100);
	member->high = member->next + 100;
	send_plain(&seg);
}
