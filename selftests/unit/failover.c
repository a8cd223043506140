// SPDX-License-Identifier: GPL-2.0
/*
 * Random failovers over the real core: a client of its own kind (nothing of the core in it), a lossy network, a primary that echoes, a
 * standby, crashes in between. Virtual time, one seed a run.
 *
 *	failover [RUNS [SEED]]		SEED alone with RUNS = 1 replays; FAILOVER_LOG=1 prints every segment
 *
 * What is checked: every byte comes back once and in order, across crashes; nothing is acknowledged, sent or promised that the standby does not hold;
 * windows and timestamps never go back; ftcp_tcb_check() after every step; everything ends within bounded time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>
#include "repl.h"
#include "cookie.h"

#define STREAM_MAX	(192 * 1024)
#define PACKETS_MAX	4096
#define TIME_MAX_US	(4000 * 1000000ull)

static unsigned long long seed, rng;
static int chatty;

static u32 rnd(u32 n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return n ? (u32)(rng >> 16) % n : 0;
}

static u8 pattern(u64 off)
{
	return (off * 2654435761u + (off >> 8) + seed) >> 5;
}

struct packet {
	struct ftcp_segment seg;
	u8 *data;
	bool to_server;
	u64 at_us;
};

struct batch {
	struct ftcp_record rec;
	struct ftcp_mark mark;
	u8 *rcv, *snd;
	u64 at_us;	/* arrives at the standby, then (acked) back at the primary */
	bool acked;
};

struct host {
	struct ftcp_tcb tcb;
	struct ftcp_board board;
	u8 rcv[STREAM_MAX], snd[STREAM_MAX];
	u64 snd_stored;
	bool known, alive;
};

/* The client: go-back-N with a fixed timeout, cumulative ACKs, strict about what it accepts. */
struct client {
	u32 iss, irs;
	bool ts, sack, wscale, open, fin_seen;
	u64 total, una, nxt, max, edge, rcv_nxt, adv;
	u8 got[STREAM_MAX], have[STREAM_MAX];
	u64 timer_us, backoff;
	u32 buf, ts_last, ts_recent, dup;
	u64 server_fin;		/* offset + 1 */
};

static struct host hosts[2], *primary, *standby;
static struct client c;
static struct packet net[PACKETS_MAX];
static struct batch wire[64];
static u32 n_net, n_wire;
static u64 now_us;
static u32 loss, dup_rate, delay_us, repl_delay_us, room, crashes_left, n_crashes, mtu;
static u32 ts_base;
static bool alone, synced;	/* synced: all that had left before the standby attached is held by it */

static void fail(const char *what)
{
	printf("# FAIL: %s (seed %llu, at %.6f s; una %llu nxt %llu total %llu rcv %llu)\n", what, seed, now_us / 1e6,
	       (unsigned long long)c.una, (unsigned long long)c.nxt, (unsigned long long)c.total, (unsigned long long)c.rcv_nxt);
	if (primary)
		printf("# primary: state %s consumed %llu rcv_nxt %llu una %llu nxt %llu end %llu committed %llu/%llu wnd %u alone %d\n",
		       ftcp_state_name(primary->tcb.hard.state), (unsigned long long)primary->tcb.hard.consumed,
		       (unsigned long long)primary->tcb.hard.rcv_nxt, (unsigned long long)primary->tcb.hard.snd_una,
		       (unsigned long long)primary->tcb.soft.snd_nxt, (unsigned long long)primary->tcb.hard.snd_end,
		       (unsigned long long)primary->tcb.soft.committed.rcv, (unsigned long long)primary->tcb.soft.committed.snd,
		       primary->tcb.hard.snd_wnd, alone);
	exit(1);
}

#define CHECK(x) do { if (!(x)) fail(#x); } while (0)

static struct ftcp_env env(void)
{
	return (struct ftcp_env){ .now_us = now_us, .ts_ms = ts_base + now_us / 1000, .alone = alone };
}

static const struct ftcp_tcb_config *config(void)
{
	static struct ftcp_tcb_config conf;

	conf = (struct ftcp_tcb_config){ .rcv_buf_bytes = 4096u << (seed % 6), .snd_buf_bytes = 4096u << (seed / 7 % 6),
		.mss_bytes = mtu, .user_timeout_ms = 3600000, .keepalive_ms = 0, .ts_off = (u32)seed * 77 };
	return &conf;
}

static void put(const struct ftcp_segment *seg, const u8 *data, bool to_server)
{
	u32 copies = 1 + (rnd(1000) < dup_rate), i;

	if (chatty)
		printf("# %10.6f %s seq %u ack %u len %u wnd %u flags %02x sacks %u\n", now_us / 1e6, to_server ? "->" : "<-",
		       seg->seq.v, seg->ack.v, seg->len, seg->wnd, seg->flags, seg->n_sacks);
	if (rnd(1000) < loss)
		return;
	for (i = 0; i < copies && n_net < PACKETS_MAX; i++) {
		struct packet *p = &net[n_net++];

		p->seg = *seg;
		p->data = memcpy(malloc(seg->len + 1), data, seg->len);
		p->to_server = to_server;
		p->at_us = now_us + delay_us + rnd(rnd(10) ? delay_us / 4 + 1 : 4 * delay_us);
	}
}

/* ---- the server side ---- */

static void check_commit_rule(const struct ftcp_segment *seg)
{
	const struct ftcp_hard *p = &primary->tcb.hard, *s = &standby->tcb.hard;
	u64 ack = ftcp_seq_off(p->irs, seg->ack, p->rcv_nxt);
	u64 end = seg->off + seg->len + !!(seg->flags & FTCP_FIN);

	if (alone || !synced || !standby->known || (seg->flags & FTCP_SYN))
		return;
	CHECK(ack <= s->rcv_nxt);
	CHECK(!seg->len || end <= s->snd_end);
	CHECK(!(seg->flags & FTCP_FIN) || end <= s->snd_end);
	CHECK(ack + ((u64)seg->wnd << p->rcv_wscale) <= s->rcv_edge + (1u << p->rcv_wscale) || s->rcv_edge < 65536);
}

static void echo(struct host *h)
{
	struct ftcp_tcb *t = &h->tcb;
	struct ftcp_env e = env();
	u64 n = min(ftcp_tcb_readable(t), ftcp_tcb_writable(t)), at = ftcp_tcb_data_end(t);

	CHECK(t->hard.consumed == at);
	memcpy(h->snd + at, h->rcv + at, n);
	ftcp_tcb_append(t, n);
	ftcp_tcb_consume(t, n);
	if ((t->hard.flags & FTCP_HARD_RCV_FIN) && !ftcp_tcb_readable(t))
		ftcp_tcb_shutdown(t, &e);
}

static void collect(void)
{
	struct ftcp_tcb *t = &primary->tcb;
	struct batch *b;

	while (!alone && standby->alive && n_wire < 4 && ftcp_repl_dirty(t) == FTCP_DIRTY_NOW) {
		b = &wire[n_wire++];
		ftcp_repl_collect(t, room, &b->rec, &b->mark);
		CHECK(b->rec.rcv_len + b->rec.snd_len <= room);
		b->rcv = memcpy(malloc(b->rec.rcv_len + 1), primary->rcv + b->rec.rcv_from, b->rec.rcv_len);
		b->snd = memcpy(malloc(b->rec.snd_len + 1), primary->snd + b->rec.snd_from, b->rec.snd_len);
		b->acked = false;
		b->at_us = now_us + repl_delay_us;
	}
}

static void lend_board(const struct ftcp_segment *seg)
{
	if (!ftcp_board_wanted(&primary->tcb, seg))
		return;
	memset(&primary->board, 0xaa, sizeof(primary->board));
	ftcp_board_lend(&primary->tcb, &primary->board);
}

static void work(u32 events)
{
	struct ftcp_tcb *t = &primary->tcb;
	struct ftcp_env e = env();
	struct ftcp_segment seg;
	const char *broken;

	(void)events;
	if (t->hard.state != FTCP_SYN_RECEIVED && t->hard.state != FTCP_CLOSED)
		echo(primary);
	lend_board(NULL);
	while (ftcp_output_next(t, &e, &seg)) {
		check_commit_rule(&seg);
		CHECK(!seg.len || seg.off + seg.len <= ftcp_tcb_data_end(t));
		put(&seg, primary->snd + seg.off, false);
	}
	broken = ftcp_tcb_check(t);
	if (broken)
		fail(broken);
	collect();
}

static void apply(struct batch *b)
{
	struct ftcp_applied applied;
	enum ftcp_apply result = ftcp_repl_apply(&standby->tcb, &b->rec, !standby->known, standby->snd_stored, &applied);

	CHECK(result == FTCP_APPLY_OK);
	if (!standby->known)
		standby->snd_stored = b->rec.hard.snd_una;
	memcpy(standby->rcv + applied.rcv_off, b->rcv + b->rec.rcv_len - applied.rcv_new, applied.rcv_new);
	memcpy(standby->snd + applied.snd_off, b->snd + b->rec.snd_len - applied.snd_new, applied.snd_new);
	standby->snd_stored = max(standby->snd_stored, applied.snd_off + applied.snd_new);
	CHECK(standby->snd_stored >= ftcp_tcb_data_end(&standby->tcb) || b->rec.partial);
	standby->known = true;
}

static void drop_wire(void)
{
	while (n_wire) {
		n_wire--;
		free(wire[n_wire].rcv);
		free(wire[n_wire].snd);
	}
}

static void replicate(void)
{
	struct ftcp_env e = env();
	struct batch b;
	u32 i;

	for (i = 0; i < n_wire; i++)
		if (!wire[i].acked && wire[i].at_us <= now_us) {
			apply(&wire[i]);
			if (!rnd(40))
				apply(&wire[i]);
			wire[i].acked = true;
			wire[i].at_us = now_us + repl_delay_us;
		}
	while (n_wire && wire[0].acked && wire[0].at_us <= now_us) {
		b = wire[0];
		memmove(wire, wire + 1, --n_wire * sizeof(*wire));
		ftcp_repl_commit(&primary->tcb, &e, &b.mark);
		free(b.rcv);
		free(b.snd);
		if (!primary->tcb.soft.unsynced && primary->tcb.soft.committed.snd >= primary->tcb.soft.snd_max &&
		    primary->tcb.soft.committed.rcv >= primary->tcb.soft.rcv_ack)
			synced = true;
		work(0);
	}
}

/* The link between the hosts breaks and comes back: everything in flight is gone, some of it was applied. */
static void reconnect(void)
{
	drop_wire();
	ftcp_repl_restart(&primary->tcb);
	collect();
}

static void attach_fresh(void)
{
	memset(standby, 0, sizeof(*standby));
	standby->alive = true;
	alone = synced = false;
	ftcp_repl_resync(&primary->tcb);
	work(0);
}

static void crash(void)
{
	struct host *dead = primary;
	struct ftcp_env e;

	drop_wire();
	dead->alive = false;
	primary = standby;
	standby = dead;
	now_us += 1000 * (50 + rnd(2000));
	alone = true;
	ts_base += FTCP_TS_TAKEOVER_MS;
	e = env();
	n_crashes++;
	if (chatty)
		printf("# %10.6f crash\n", now_us / 1e6);
	ftcp_repl_promote(&primary->tcb, &e, config());
	work(0);
}

static void server_input(struct packet *p)
{
	struct ftcp_env e = env();
	struct ftcp_input in;

	if (primary->tcb.hard.state == 0) {
		struct ftcp_cookie cookie;

		if (!(p->seg.flags & FTCP_SYN))
			return;
		ftcp_tcb_cookie(&cookie, &p->seg, 536);
		ftcp_tcb_open(&primary->tcb, &e, config(), &p->seg, &cookie, (u32)seed * 3 - 5000);
		primary->known = true;
	} else {
		lend_board(&p->seg);
		ftcp_input(&primary->tcb, &e, &p->seg, &in);
		CHECK(in.keep_skip + in.keep_len <= p->seg.len);
		CHECK(!in.keep_len || in.keep_off + in.keep_len <= c.total);
		memcpy(primary->rcv + in.keep_off, p->data + in.keep_skip, in.keep_len);
	}
	work(0);
}

/* ---- the client ---- */

static void client_send(u64 off, u32 len, u8 flags)
{
	struct ftcp_segment seg = { .flags = flags };
	u8 data[65536];
	u32 i;

	seg.seq = ftcp_seq_of(c.iss, off);
	seg.len = len;
	if (flags & FTCP_ACK)
		seg.ack = ftcp_seq_of(c.irs, c.rcv_nxt + (c.server_fin && c.rcv_nxt == c.server_fin - 1));
	if (flags & FTCP_SYN) {
		seg.seq.v = c.iss;
		seg.opts = FTCP_OPT_MSS | (c.wscale ? FTCP_OPT_WSCALE : 0) | (c.sack ? FTCP_OPT_SACK_OK : 0);
		seg.mss = mtu;
		seg.wscale = 4;
		seg.wnd = min(c.buf, 65535u);
	} else {
		seg.wnd = c.wscale ? (c.buf + 15) >> 4 : c.buf;
		c.adv = max(c.adv, c.rcv_nxt + ((u64)seg.wnd << (c.wscale ? 4 : 0)));
	}
	if (c.ts) {
		seg.opts |= FTCP_OPT_TS;
		seg.tsval = 1000 + now_us / 1000;
		seg.tsecr = c.ts_recent;
	}
	if (c.sack && !(flags & FTCP_SYN)) {
		u64 x = c.rcv_nxt, y;

		while (seg.n_sacks < 3 && x < c.total) {
			while (x < c.total && !c.have[x])
				x++;
			for (y = x; y < c.total && c.have[y]; y++)
				;
			if (x < c.total && x > c.rcv_nxt) {
				seg.sacks[seg.n_sacks].from = ftcp_seq_of(c.irs, x);
				seg.sacks[seg.n_sacks++].to = ftcp_seq_of(c.irs, y);
			}
			x = y;
		}
	}
	for (i = 0; i < len; i++)
		data[i] = pattern(off + i);
	put(&seg, data, true);
}

static void client_output(void)
{
	u64 edge = min(c.edge, c.total);

	while (c.nxt < edge) {
		u32 len = min_t(u64, edge - c.nxt, 1 + rnd(rnd(3) ? mtu : 20 * mtu));

		client_send(c.nxt, min(len, 60000u), FTCP_ACK | (c.nxt + len == c.total ? FTCP_FIN : 0));
		c.nxt += len;
	}
	if (c.nxt == c.total && c.una <= c.total) {
		client_send(c.total, 0, FTCP_ACK | FTCP_FIN);
		c.nxt = c.total + 1;
	}
	c.max = max(c.max, c.nxt);
	if (!c.timer_us && (c.una < c.nxt || c.una < c.total + 1))
		c.timer_us = now_us + (200000ull << c.backoff);
}

static void client_timeout(void)
{
	c.timer_us = 0;
	if (!c.open) {
		client_send(0, 0, FTCP_SYN);
		c.timer_us = now_us + 1000000;
		return;
	}
	c.backoff = min_t(u64, c.backoff + 1, 4);
	c.nxt = c.una;
	if (c.una >= c.edge && c.una < c.total) {
		client_send(c.una, 1, FTCP_ACK);	/* a window probe */
		c.max = max(c.max, c.una + 1);
	}
	client_output();
}

static void client_data(const struct packet *p)
{
	s64 off = ftcp_seq_off(c.irs, p->seg.seq, c.rcv_nxt);
	u32 i;

	if (p->seg.len)
		CHECK(off + (s64)p->seg.len <= (s64)c.adv);
	for (i = 0; i < p->seg.len; i++) {
		CHECK((u64)(off + i) < c.total);
		CHECK(p->data[i] == pattern(off + i));
		c.got[off + i] = p->data[i];
		c.have[off + i] = 1;
	}
	while (c.rcv_nxt < c.total && c.have[c.rcv_nxt])
		c.rcv_nxt++;
	if (p->seg.flags & FTCP_FIN) {
		CHECK(off + p->seg.len == (s64)c.total);
		c.server_fin = c.total + 1;
	}
	if (p->seg.len || (p->seg.flags & FTCP_FIN))
		client_send(c.nxt, 0, FTCP_ACK);
}

static void client_input(const struct packet *p)
{
	u64 ack, edge;

	CHECK(!(p->seg.flags & FTCP_RST));
	if (c.ts) {
		CHECK(p->seg.opts & FTCP_OPT_TS);
		c.ts_recent = p->seg.tsval;
	}
	if (p->seg.flags & FTCP_SYN) {
		if (!c.open) {
			c.open = true;
			c.timer_us = 0;
			c.irs = p->seg.seq.v;
			c.edge = p->seg.wnd;
			c.wscale = p->seg.opts & FTCP_OPT_WSCALE;
		}
		client_send(c.nxt, 0, FTCP_ACK);
		client_output();
		return;
	}
	if (!c.open)
		return;
	ack = ftcp_seq_off(c.iss, p->seg.ack, c.una);
	CHECK((s64)ack <= (s64)c.max);
	edge = ack + ((u64)p->seg.wnd << (c.wscale ? FTCP_RCV_WSCALE : 0));
	if ((s64)ack > (s64)c.una) {
		c.una = ack;
		c.nxt = max(c.nxt, ack);
		c.backoff = 0;
		c.timer_us = 0;
		c.dup = 0;
	} else if (ack == c.una && !p->seg.len && c.una < c.nxt && ++c.dup == 3) {
		client_send(c.una, min_t(u64, mtu, min(c.max, c.total) - min(c.una, c.total)), FTCP_ACK);
	}
	c.edge = max(c.edge, edge);
	client_data(p);
	client_output();
}

/* ---- a run ---- */

static bool finished(void)
{
	return c.open && c.una == c.total + 1 && c.server_fin && c.rcv_nxt == c.total;
}

static u64 next_event(void)
{
	u64 next = c.timer_us ? c.timer_us : ~0ull, t = ftcp_next_deadline(&primary->tcb);
	u32 i;

	if (t)
		next = min(next, t);
	for (i = 0; i < n_net; i++)
		next = min(next, net[i].at_us);
	for (i = 0; i < n_wire; i++)
		next = min(next, wire[i].at_us);
	return next;
}

static void deliver(void)
{
	struct packet p;
	u32 i;

	for (i = 0; i < n_net;) {
		if (net[i].at_us > now_us) {
			i++;
			continue;
		}
		p = net[i];
		net[i] = net[--n_net];
		if (p.to_server)
			server_input(&p);
		else
			client_input(&p);
		free(p.data);
	}
}

static void step(void)
{
	struct ftcp_env e;
	u64 t;

	now_us = max(now_us, next_event());
	CHECK(now_us < TIME_MAX_US);
	deliver();
	replicate();
	e = env();
	t = ftcp_next_deadline(&primary->tcb);
	if (t && t <= now_us) {
		u32 events = ftcp_timeout(&primary->tcb, &e);

		ftcp_board_take(&primary->tcb, false);
		work(events);
	}
	if (c.timer_us && c.timer_us <= now_us)
		client_timeout();
	if (crashes_left && !rnd(200) && c.open && primary->tcb.hard.state != FTCP_SYN_RECEIVED) {
		if (alone) {
			attach_fresh();
		} else if (standby->known && synced && primary->tcb.soft.committed.known && rnd(3)) {
			crashes_left--;
			crash();
		} else if (primary->tcb.soft.committed.known) {
			reconnect();
		}
	}
}

static void run(unsigned long long s)
{
	seed = s;
	rng = s * 0x9e3779b97f4a7c15ull + 1;
	rnd(0), rnd(0), rnd(0);
	memset(hosts, 0, sizeof(hosts));
	memset(&c, 0, sizeof(c));
	primary = &hosts[0];
	standby = &hosts[1];
	primary->alive = standby->alive = true;
	now_us = 1000000;
	alone = false;
	synced = true;
	ts_base = rnd(2) ? 0u - 500 : 1234;
	loss = rnd(3) ? 0 : rnd(100);
	dup_rate = rnd(3) ? 0 : rnd(100);
	delay_us = 20 + rnd(rnd(2) ? 200 : 50000);
	repl_delay_us = 10 + rnd(rnd(2) ? 200 : 20000);
	room = 600 + rnd(rnd(2) ? 2000 : 60000);
	mtu = 100 + rnd(1360);
	crashes_left = rnd(6);
	c.ts = rnd(2);
	c.sack = rnd(2);
	c.wscale = rnd(2);
	c.iss = rnd(2) ? 0u - rnd(100000) : rnd(1000000);
	c.total = rnd(4) ? rnd(STREAM_MAX - 1) : rnd(3);
	c.buf = 2000 + rnd(rnd(2) ? 10000 : 65535 - 2000);
	c.timer_us = now_us;
	while (!finished())
		step();
	while (n_net)
		free(net[--n_net].data);
	drop_wire();
}

int main(int argc, char **argv)
{
	unsigned long long runs = argc > 1 ? strtoull(argv[1], NULL, 0) : 2000, first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1, i;

	chatty = !!getenv("FAILOVER_LOG");
	for (i = 0; i < runs; i++)
		run(first + i);
	printf("# %llu runs from seed %llu, %u crashes\n", runs, first, n_crashes);
	return 0;
}
