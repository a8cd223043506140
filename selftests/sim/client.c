// SPDX-License-Identifier: GPL-2.0
/*
 * The clients: a TCP of their own, with nothing of the core in it (a mistake on both sides would cancel out). Go-back-N with a timeout,
 * three duplicates, cumulative and selective ACKs; strict about everything it receives, and each with manners of its own.
 */
#include <stdlib.h>
#include "sim.h"

/*
 * RFC 9293, 3.8.3: R2, of a client whose server may abort. The reset may get lost, and a cookie's old duplicate bring back what it had ended: the two
 * then have nothing to say to each other. Whoever lost something by a takeover must be told in less.
 */
#define PATIENCE_US	(300 * S)

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum phase { WAITING, SYN_SENT, OPEN, DONE, DEAD };

struct client {
	enum phase phase;
	bool ts, sack, ecn, ece, cwr, scaled, late_fin, hasty, delays_acks, reneges, silly, slow, fin_seen, forgot;
	u8 scale, peer_scale;
	u16 mss;
	u32 iss, irs, ts_recent, buf, dup;
	u64 total, abort_at;
	u64 una, nxt, most, edge;	/* offsets of the stream out; the FIN is at total */
	u64 rcv, read, adv, expect;	/* ... of the stream in */
	u64 progress_us, start_us, timer_us, read_us, ack_us, forget_us, keepalive_us, backoff;
	u8 *have, *got;
};
static struct client clients[CLIENTS_MAX];

/* ---- what arrives: read without the core's parser ---- */

struct parsed {
	u32 seq, ack, wnd, len, tsval;
	u16 mss;
	u8 flags, scale;
	bool has_ts, has_scale, sack_ok;
	const u8 *data;
};

static u32 be32(const u8 *p)
{
	return (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static void read_option(struct parsed *p, const u8 *o)
{
	switch (o[0]) {
	case 2:  p->mss = o[2] << 8 | o[3]; break;
	case 3:  p->has_scale = true; p->scale = o[2]; break;
	case 4:  p->sack_ok = true; break;
	case 8:  p->has_ts = true; p->tsval = be32(o + 2); break;
	}
}

static struct parsed parse(const struct packet *packet)
{
	const u8 *h = packet->header;
	struct parsed p = { .seq = be32(h + 4), .ack = be32(h + 8), .wnd = h[14] << 8 | h[15], .flags = h[13],
			    .len = packet->len, .data = packet->data };
	u32 at = 20, size = (h[12] >> 4) * 4;

	CHECK("wire: header length", size == packet->header_bytes);
	while (at < size && h[at]) {
		if (h[at] == 1) {
			at++;
			continue;
		}
		CHECK("wire: option length", h[at + 1] >= 2 && at + h[at + 1] <= size);
		read_option(&p, h + at);
		at += h[at + 1];
	}
	return p;
}

/* ---- what is sent ---- */

static void put32(u8 *p, u32 v)
{
	p[0] = v >> 24, p[1] = v >> 16, p[2] = v >> 8, p[3] = v;
}

static u32 syn_options(const struct client *c, u8 *o)
{
	u32 n = 0;

	o[n++] = 2, o[n++] = 4, o[n++] = c->mss >> 8, o[n++] = c->mss;
	if (c->scaled)
		o[n++] = 1, o[n++] = 3, o[n++] = 3, o[n++] = c->scale;
	if (c->sack)
		o[n++] = 4, o[n++] = 2;
	return n;
}

/* RFC 2018: islands above rcv. */
static u32 sack_options(const struct client *c, u8 *o)
{
	u64 x = c->rcv, from;
	u32 n = 0, at = 2;

	while (n < 3 && x < c->expect) {
		while (x < c->expect && !c->have[x])
			x++;
		from = x;
		while (x < c->expect && c->have[x])
			x++;
		if (from == x)
			break;
		put32(o + at, c->irs + 1 + from);
		put32(o + at + 4, c->irs + 1 + x);
		at += 8;
		n++;
	}
	o[0] = 5, o[1] = at;
	return n ? at : 0;
}

static u64 free_room(const struct client *c)
{
	return c->rcv - c->read < c->buf ? c->buf - (c->rcv - c->read) : 0;
}

static u32 window_of(struct client *c)
{
	u64 edge = max(c->adv, c->rcv + free_room(c)), wnd = (edge - c->rcv) >> c->scale;

	/* A promise is kept: rounding must not take it back. */
	if (c->rcv + (wnd << c->scale) < c->adv)
		wnd++;
	wnd = min(wnd, 65535ull);
	c->adv = max(c->adv, c->rcv + (wnd << c->scale));
	return wnd;
}

static void transmit(int id, u64 off, u32 len, u8 flags)
{
	struct client *c = &clients[id];
	struct packet p = { .client = id, .len = len };
	u32 n = 20, wnd = flags & SYN ? min(c->buf, 65535u) : window_of(c), i;
	u8 data[4096], *h = p.header;

	h[0] = (1000 + id) >> 8, h[1] = 1000 + id;
	h[2] = 9999 >> 8, h[3] = 9999 & 0xff;
	put32(h + 4, flags & SYN ? c->iss : c->iss + 1 + off);
	if (flags & ACK)
		put32(h + 8, c->irs + 1 + c->rcv + (c->fin_seen && c->rcv == c->expect));
	/* RFC 3168 */
	if (flags & SYN && c->ecn)
		flags |= FTCP_ECE | FTCP_CWR;
	if (!(flags & SYN) && c->ece)
		flags |= FTCP_ECE;
	if (len && c->ecn && off >= c->most && !(flags & SYN)) {
		p.ecn = FTCP_ECN_ECT0;
		flags |= c->cwr ? FTCP_CWR : 0;
		c->cwr = false;
	}
	h[13] = flags;
	h[14] = wnd >> 8, h[15] = wnd;
	if (flags & SYN)
		n += syn_options(c, h + n);
	if (c->ts) {
		h[n++] = 1, h[n++] = 1, h[n++] = 8, h[n++] = 10;
		put32(h + n, (u32)(now_us / MS) + c->iss);
		put32(h + n + 4, c->ts_recent);
		n += 8;
	}
	if (c->sack && !(flags & SYN))
		n += sack_options(c, h + n);
	while (n % 4)
		h[n++] = 0;
	h[12] = n / 4 << 4;
	p.header_bytes = n;
	for (i = 0; i < len; i++)
		data[i] = client_byte(id, off + i);
	p.data = data;
	c->ack_us = 0;
	/* A reset may get lost, and nobody sends it again: whoever has to expect one asks. The others must not have to. */
	c->keepalive_us = client_expects_reset(id) ? now_us + 10 * S : 0;
	say("net", "c%d => off %llu len %u flags %02x ack %llu wnd %u", id, (unsigned long long)off, len, flags,
	    (unsigned long long)c->rcv, wnd);
	net_to_server(&p);
}

static void acknowledge(int id)
{
	transmit(id, min(clients[id].nxt, clients[id].total + 1), 0, ACK);
}

static void arm(struct client *c)
{
	if (!c->timer_us && c->una < c->nxt)
		c->timer_us = now_us + (200 * MS << c->backoff);
}

static bool may_fin(const struct client *c)
{
	return !c->late_fin || (c->fin_seen && c->rcv == c->expect) || c->rcv == c->expect;
}

/* Data on the SYN (RFC 9293, 3.4): whoever gets it may keep it, or leave it to be sent again. */
static u32 syn_bytes(const struct client *c)
{
	return c->hasty ? min_t(u64, c->total, c->mss / 2) : 0;
}

static void send_syn(int id)
{
	struct client *c = &clients[id];

	transmit(id, 0, syn_bytes(c), SYN);
	c->most = syn_bytes(c);
	c->timer_us = now_us + S;
}

static void send_more(int id)
{
	struct client *c = &clients[id];
	u64 edge = min(c->edge, c->total);

	while (c->nxt < edge) {
		u32 len = min_t(u64, edge - c->nxt, c->silly ? 1 + rnd(c->mss) : c->mss);
		bool last = c->nxt + len == c->total && may_fin(c) && !c->silly;

		transmit(id, c->nxt, len, ACK | PSH | (last ? FIN : 0));
		c->nxt += len + last;
	}
	if (c->nxt == c->total && may_fin(c)) {
		transmit(id, c->total, 0, ACK | FIN);
		c->nxt++;
	}
	c->most = max(c->most, c->nxt);
	arm(c);
	/* A window that stays closed must be probed, or nobody speaks again. */
	if (!c->timer_us && c->nxt < c->total)
		c->timer_us = now_us + (200 * MS << c->backoff);
}

static void die(int id)
{
	struct client *c = &clients[id];

	say("net", "c%d aborts", id);
	transmit(id, c->nxt, 0, ACK | RST);
	c->phase = DEAD;
}

static void timeout(int id)
{
	struct client *c = &clients[id];

	c->timer_us = 0;
	if (c->phase == SYN_SENT) {
		send_syn(id);
		return;
	}
	c->backoff = min(c->backoff + 1, 4ull);
	if (c->una >= c->edge && c->una < c->total) {
		transmit(id, c->una, 1, ACK);		/* RFC 9293, 3.8.6.1 */
		c->most = max(c->most, c->una + 1);
	}
	c->nxt = c->una;
	c->dup = 0;
	if (c->nxt < c->total + 1)
		send_more(id);
	arm(c);
}

/* ---- what is received ---- */

static void take_ack(int id, const struct parsed *p)
{
	struct client *c = &clients[id];
	s64 ack = (s64)c->una + (s32)(p->ack - (u32)(c->iss + 1 + c->una));
	u64 edge;

	CHECK("nothing is acknowledged that was not sent", ack <= (s64)c->most);
	if (ack < (s64)c->una)
		return;		/* an old one */
	edge = ack + ((u64)p->wnd << c->peer_scale);
	if (ack > (s64)c->una) {
		c->una = ack;
		c->progress_us = now_us;
		c->nxt = max(c->nxt, c->una);
		c->backoff = c->dup = 0;
		c->timer_us = 0;
	} else if (!p->len && c->una < c->nxt && ++c->dup == 3) {
		u64 end = min(c->most, c->total);

		if (c->una < end)
			transmit(id, c->una, min_t(u64, end - c->una, c->mss), ACK);
	}
	if (c->edge < edge)
		c->backoff = 0;
	c->edge = max(c->edge, edge);
}

static void take_data(int id, const struct parsed *p)
{
	struct client *c = &clients[id];
	s64 off = (s64)c->rcv + (s32)(p->seq - (u32)(c->irs + 1 + c->rcv));
	u64 before = c->rcv;
	u32 i;

	/* One byte more may be a probe (RFC 9293, 3.8.6.1). */
	if (p->len > 1)
		CHECK("nothing beyond the window is sent", off + (s64)p->len <= (s64)c->adv);
	for (i = 0; i < p->len; i++) {
		CHECK("streams: no byte too many", (u64)(off + i) < c->expect);
		CHECK("streams: what arrives was written", swarm.async || p->data[i] == server_byte(id, off + i));
		if (off + (s64)i >= 0 && !c->have[off + i])
			c->got[off + i] = p->data[i];
		c->have[off + i] = 1;
	}
	while (c->rcv < c->expect && c->have[c->rcv])
		c->rcv++;
	if (c->rcv > before)
		c->progress_us = now_us;
	if (p->flags & FIN) {
		CHECK("streams: nothing is missing before the FIN", off + p->len == (s64)c->expect);
		c->fin_seen = true;
	}
	if (c->reneges && !one_in(4))
		for (i = 0; c->rcv + i < c->expect; i++)
			c->have[c->rcv + i] = 0;
	if (!c->slow)
		c->read = c->rcv;
	else if (!c->read_us && c->read < c->rcv)
		c->read_us = now_us + rnd(one_in(10) ? 5 * S : 20 * MS);
	if (!p->len && !(p->flags & FIN) && off >= (s64)before)
		return;
	if (c->delays_acks && c->rcv > before && !c->ack_us && !(p->flags & FIN))
		c->ack_us = now_us + 40 * MS;
	else
		acknowledge(id);
}

static void take_synack(int id, const struct parsed *p)
{
	struct client *c = &clients[id];

	CHECK("handshake: acknowledges the SYN", p->ack == c->iss + 1);
	c->phase = OPEN;
	c->progress_us = now_us;
	c->irs = p->seq;
	c->edge = p->wnd;
	c->nxt = c->silly ? 0 : syn_bytes(c);
	c->timer_us = 0;
	c->scaled = c->scaled && p->has_scale;
	c->ts = c->ts && p->has_ts;
	c->sack = c->sack && p->sack_ok;
	c->ecn = c->ecn && (p->flags & (FTCP_ECE | FTCP_CWR)) == FTCP_ECE;
	c->peer_scale = c->scaled ? p->scale : 0;
	c->scale = c->scaled ? c->scale : 0;
	c->adv = min(c->buf, 65535u);
	c->mss = min_t(u32, c->mss, p->mss ? p->mss : 536) - (c->ts ? 12 : 0);
}

static bool ended(const struct client *c)
{
	return c->una == c->total + 1 && c->fin_seen && c->rcv == c->expect;
}

static void take_reset(int id, const struct parsed *p)
{
	struct client *c = &clients[id];
	s64 off = (s64)c->rcv + (s32)(p->seq - (u32)(c->irs + 1 + c->rcv));

	if (c->phase == OPEN && (off < (s64)c->rcv || off > (s64)c->adv + 1))
		return;
	if (c->phase == OPEN)
		CHECK("no connection is reset without a cause", client_expects_reset(id));
	c->phase = DEAD;
	say("net", "c%d is reset", id);
}

/* Nobody is there any more: RFC 9293, 3.10.7.1 */
static void refuse(int id, const struct packet *packet, const struct parsed *p)
{
	struct packet r = { .client = id, .header_bytes = 20 };

	if (p->flags & RST || !(p->flags & ACK))
		return;
	memcpy(r.header, packet->header + 2, 2);
	memcpy(r.header + 2, packet->header, 2);
	put32(r.header + 4, p->ack);
	r.header[12] = 5 << 4;
	r.header[13] = RST;
	net_to_server(&r);
}

static void open_receive(int id, const struct parsed *p)
{
	struct client *c = &clients[id];

	if (c->ts) {
		CHECK("14: timestamps on every segment", p->has_ts);
		if ((s32)(p->tsval - c->ts_recent) < 0) {
			acknowledge(id);	/* PAWS: an old one */
			return;
		}
		c->ts_recent = p->tsval;
	}
	if (p->flags & SYN) {
		acknowledge(id);
		return;
	}
	take_ack(id, p);
	take_data(id, p);
	if (c->una >= c->abort_at || c->rcv >= c->abort_at) {
		die(id);
		return;
	}
	send_more(id);
	if (c->phase == OPEN && ended(c)) {
		say("net", "c%d is done", id);
		check_ended(id, c->got, c->expect);
		c->phase = DONE;
		c->timer_us = 0;
		c->forget_us = now_us + 30 * S;
	}
}

static void note_ecn(struct client *c, const struct packet *packet, const struct parsed *p)
{
	CHECK("RFC 3168: marked only if agreed on", packet->ecn == FTCP_ECN_NOT_ECT || (c->ecn && p->len));
	c->cwr |= p->flags & FTCP_ECE && !(p->flags & SYN);
	c->ece = packet->ecn == FTCP_ECN_CE || (c->ece && !(p->flags & FTCP_CWR));
}

void client_receive(int id, const struct packet *packet)
{
	struct client *c = &clients[id];
	struct parsed p = parse(packet);

	note_ecn(c, packet, &p);

	if (c->phase == WAITING)
		return;
	if (c->phase == DEAD || c->forgot) {
		refuse(id, packet, &p);
	} else if (p.flags & RST) {
		if (c->phase == DONE)
			c->forgot = true;
		else
			take_reset(id, &p);
	} else if (c->phase == DONE) {
		if (p.len || p.flags & (FIN | SYN))
			acknowledge(id);
	} else if (c->phase == SYN_SENT) {
		if ((p.flags & (SYN | ACK)) != (SYN | ACK))
			return;
		take_synack(id, &p);
		if (c->ts)
			c->ts_recent = p.tsval;
		acknowledge(id);
		send_more(id);
	} else {
		open_receive(id, &p);
	}
}

/* ---- life ---- */

static void draw_manners(struct client *c)
{
	c->ts = rnd(2);
	c->sack = rnd(2);
	c->ecn = swarm.ecn && rnd(2);
	c->scaled = rnd(2);
	c->scale = c->scaled ? rnd(15) : 0;
	c->mss = max_t(u32, 100, swarm.mtu_bytes - rnd(swarm.mtu_bytes / 2));
	c->buf = one_in(3) ? 50 + rnd(3000) : 2000 + rnd(63000);
	if (swarm.plain)
		return;
	c->late_fin = rnd(2);
	c->delays_acks = rnd(2);
	c->reneges = one_in(8);
	c->silly = one_in(5);
	c->slow = one_in(4);
	if (one_in(12))
		c->abort_at = rnd(c->total + 2);
}

void client_reset(int id)
{
	struct client *c = &clients[id];

	memset(c, 0, sizeof(*c));
	c->total = one_in(8) ? rnd(3) : rnd(swarm.stream_bytes + 1);
	c->abort_at = ~0ull;
	draw_manners(c);
	if (c->scale > 4 && c->buf < (1u << c->scale))
		c->buf = min(65000u, 1u << c->scale);
	c->iss = swarm.wrap ? 0u - rnd(100000) : rnd(1000000);
	c->hasty = c->iss % 4 == 0 && !swarm.plain;
	service_draw(id, c->total);
	c->expect = service_end(id, c->total);
	c->have = calloc(1, c->expect + 1);
	c->got = calloc(1, c->expect + 1);
	c->start_us = now_us + (id ? rnd(3 * S) : 0);
	c->timer_us = c->start_us;
}

void client_free(int id)
{
	free(clients[id].have);
	free(clients[id].got);
	clients[id].have = clients[id].got = NULL;
}

static void sooner(u64 *at_us, u64 due_us)
{
	if (due_us && due_us < *at_us)
		*at_us = due_us;
}

bool client_next(int id, u64 *at_us)
{
	const struct client *c = &clients[id];
	u64 at = ~0ull;

	if (c->phase != DEAD && !c->forgot) {
		sooner(&at, c->timer_us);
		sooner(&at, c->read_us);
		sooner(&at, c->ack_us);
		sooner(&at, c->forget_us);
		sooner(&at, c->phase == OPEN ? c->keepalive_us : 0);
	}
	*at_us = at;
	return at != ~0ull;
}

void client_timers(int id)
{
	struct client *c = &clients[id];

	if (c->phase == DEAD || c->forgot)
		return;
	if (c->forget_us && c->forget_us <= now_us)
		c->forgot = true;
	if (c->read_us && c->read_us <= now_us) {
		c->read_us = 0;
		c->read = c->rcv - (c->rcv > c->read ? rnd(c->rcv - c->read) : 0);
		if (c->read < c->rcv)
			c->read_us = now_us + 1 + rnd(20 * MS);
		acknowledge(id);
	}
	if (c->ack_us && c->ack_us <= now_us)
		acknowledge(id);
	if (c->phase == OPEN && service_of(id)->abort_at != ~0ull && now_us - c->progress_us > PATIENCE_US)
		die(id);
	else if (c->phase == OPEN && c->keepalive_us && c->keepalive_us <= now_us)
		transmit(id, c->una - 1, 0, ACK);
	if (c->timer_us && c->timer_us <= now_us) {
		if (c->phase == WAITING)
			c->phase = SYN_SENT;
		timeout(id);
	}
}

bool client_finished(int id)
{
	return clients[id].phase == DONE || clients[id].phase == DEAD;
}

bool client_stamps(int id)
{
	return clients[id].ts;
}

u64 client_total(int id)
{
	return clients[id].total;
}

bool client_expects_reset(int id)
{
	/* Async: what a host had not told of dies with it */
	return service_of(id)->abort_at != ~0ull || clients[id].phase == DEAD || (swarm.async && ever_taken_over);
}

u32 client_first(int id)
{
	return clients[id].iss + 1;
}

bool client_numbers(int id, u32 *seq, u32 *ack)
{
	const struct client *c = &clients[id];

	*seq = c->iss + 1 + c->nxt;
	*ack = c->irs + 1 + c->rcv;
	return c->phase == OPEN;
}
