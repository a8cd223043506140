// SPDX-License-Identifier: GPL-2.0
/* A server: what kmod/receive.c, conn.c and role.c do around the core, without their locks. */
#include <stdlib.h>
#include "sim.h"

#define POISON		0xee
#define KEEPALIVE_MS	60000
#define USER_TIMEOUT_MS	3600000

struct host hosts[HOSTS];
static u32 serial;

struct ftcp_env host_env(const struct host *h)
{
	return (struct ftcp_env){ .now_us = host_now_us(h), .ts_ms = h->ts_delta_ms + (u32)(host_now_us(h) / MS),
				  .alone = h->role == DETACHED };
}

static u64 hash(const void *ctx, u32 a, u32 b)
{
	const u64 *key = ctx;
	u64 x = key[0] ^ (key[2] << 56) ^ ((u64)a << 32 | b);

	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull + key[1] + key[3];
	x = (x ^ x >> 32) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

struct keyed { u64 key[4]; };

/* @epoch: 0 for what must not depend on it */
static struct keyed keyed(const struct host *h, int client, u64 epoch)
{
	return (struct keyed){ { h->key[0], h->key[1], client + 1, epoch } };
}

static struct ftcp_tcb_config config_of(const struct host *h, int client)
{
	struct keyed k = keyed(h, client, 0);

	return (struct ftcp_tcb_config){ .rcv_buf_bytes = swarm.rcv_buf_bytes, .snd_buf_bytes = swarm.snd_buf_bytes,
		.mss_bytes = swarm.mtu_bytes, .user_timeout_ms = USER_TIMEOUT_MS, .keepalive_ms = KEEPALIVE_MS,
		.ts_off = hash(&k, 0, ~0u), .nagle = swarm.nagle, .async = swarm.async,
		.congestion = swarm.reno ? FTCP_CONG_RENO : FTCP_CONG_CUBIC };
}

static int client_of(const struct host *h, const struct conn *c)
{
	return c - h->conns;
}

/* ---- bytes: offsets are indices, and what is not held is poisoned ---- */

static u64 rcv_room(int client)
{
	return client_total(client) + 1;
}

static u64 snd_room(int client)
{
	return service_end(client, client_total(client)) + 1;
}

struct conn *conn_new(struct host *h, int client)
{
	struct conn *c = &h->conns[client];

	memset(c, 0, sizeof(*c));
	c->used = true;
	c->serial = ++serial;
	c->rcv = malloc(rcv_room(client));
	c->snd = malloc(snd_room(client));
	memset(c->rcv, POISON, rcv_room(client));
	memset(c->snd, POISON, snd_room(client));
	return c;
}

void conn_release(struct conn *c)
{
	free(c->rcv);
	free(c->snd);
	memset(c, 0, sizeof(*c));
}

/* What nobody needs any more is gone: whoever still reads it finds poison. */
void conn_free(struct host *h, struct conn *c)
{
	u64 to = min(c->tcb.hard.consumed, rcv_room(client_of(h, c)));

	if (to > c->rcv_freed)
		memset(c->rcv + c->rcv_freed, POISON, to - c->rcv_freed);
	c->rcv_freed = max(c->rcv_freed, to);
	to = min(c->tcb.hard.snd_una, ftcp_tcb_data_end(&c->tcb));
	if (to > c->snd_freed)
		memset(c->snd + c->snd_freed, POISON, to - c->snd_freed);
	c->snd_freed = max(c->snd_freed, to);
	c->snd_stored = max(c->snd_stored, to);
}

/* ---- segments out ---- */

static void xmit(struct host *h, struct conn *c, int client, struct ftcp_segment *seg)
{
	struct packet p = { .client = client };
	u32 len = seg->len, at = 0, step = seg->gso_bytes ? seg->gso_bytes : 1;
	u8 flags = seg->flags;

	if (!seg->src) {
		seg->src = 9999;
		seg->dst = 1000 + client;
	}
	do {
		struct ftcp_segment one = *seg;

		one.len = min(len - at, step);
		one.seq = ftcp_seq_add(seg->seq, at);
		one.flags = flags & ~(at + one.len < len ? FTCP_FIN | FTCP_PSH : 0) & ~(at ? FTCP_CWR : 0);
		p.ecn = seg->ecn;
		p.header_bytes = ftcp_segment_write(&one, p.header);
		p.len = one.len;
		p.data = one.len ? c->snd + seg->off + at : NULL;
		net_to_client(&p);
		at += one.len;
	} while (at < len);
	say(name_of(h), "c%d %s seq %u ack %u len %u wnd %u flags %02x sacks %u ts %u", client, "<-", seg->seq.v, seg->ack.v, seg->len,
	    seg->wnd, seg->flags, seg->n_sacks, seg->tsval);
}

static void conn_board(struct conn *c, const struct ftcp_segment *seg)
{
	if (!ftcp_board_wanted(&c->tcb, seg))
		return;
	memset(&c->board, POISON, sizeof(c->board));
	ftcp_board_lend(&c->tcb, &c->board);
}

static void output(struct host *h, struct conn *c)
{
	struct ftcp_env env = host_env(h);
	int client = client_of(h, c);
	struct ftcp_segment seg;
	u32 n = 0;

	conn_board(c, NULL);
	while (ftcp_output_next(&c->tcb, &env, &seg)) {
		CHECK("output ends", ++n < 20000);
		CHECK("2: sent <= written", !seg.len || seg.off + seg.len <= ftcp_tcb_data_end(&c->tcb));
		CHECK("freed bytes are not sent", !seg.len || seg.off >= c->snd_freed);
		check_sent(h, c, &seg);
		memcpy(service_said(client) + seg.off, c->snd + seg.off, seg.len);
		xmit(h, c, client, &seg);
	}
}

/* ---- the program ---- */

/* Async: a program that says something else each time it is asked */
static u8 made_byte(const struct host *h, const struct conn *c, int client, u64 off)
{
	u8 byte = service_of(client)->echo ? c->rcv[off] : server_byte(client, off);

	if (swarm.async && !service_of(client)->echo)
		byte ^= h->epoch;
	service_text(client)[off] = byte;
	return byte;
}

static void program_step(struct host *h, struct conn *c)
{
	struct ftcp_tcb *t = &c->tcb;
	int client = client_of(h, c);
	u64 at = t->hard.consumed, out = ftcp_tcb_data_end(t), to, end, i;

	ftcp_tcb_grow_snd_buf(t, 2 * swarm.snd_buf_bytes);
	CHECK("10: output and input go together", out == service_end(client, at));
	to = min(at + ftcp_tcb_readable(t), service_consumable(client, out + ftcp_tcb_writable(t)));
	if (service_of(client)->slow && to > at)
		to = at + 1 + rnd(to - at);
	to = min(to, service_of(client)->abort_at > at ? service_of(client)->abort_at : ~0ull);
	CHECK("1: nothing beyond what was sent is read", to <= client_total(client));
	for (i = at; i < to; i++)
		CHECK("streams: what is read was written", c->rcv[i] == client_byte(client, i));
	end = service_end(client, to);
	for (i = out; i < end; i++)
		c->snd[i] = made_byte(h, c, client, i);
	ftcp_tcb_append(t, end - out);
	c->snd_stored = ftcp_tcb_data_end(t);
	ftcp_tcb_consume(t, to - at);
	totals->bytes += to - at;
}

static void program(struct host *h, struct conn *c)
{
	const struct service *s = service_of(client_of(h, c));
	struct ftcp_env env = host_env(h);
	struct ftcp_tcb *t = &c->tcb;

	if ((s->slow && now_us < c->read_us) || t->soft.torn)
		return;
	program_step(h, c);
	if (s->slow)
		c->read_us = ftcp_tcb_readable(t) ? now_us + 1 + rnd(50 * MS) : 0;
	if (t->hard.consumed >= s->abort_at)
		ftcp_tcb_abort(t);
	else if (t->hard.consumed >= s->close_at || ((t->hard.flags & FTCP_HARD_RCV_FIN) && !ftcp_tcb_readable(t)))
		ftcp_tcb_shutdown(t, &env);
}

/* ---- a connection's changes and end ---- */

static void send_reset(struct host *h, struct conn *c)
{
	struct ftcp_env env = host_env(h);
	struct ftcp_segment seg;

	ftcp_tcb_reset(&c->tcb, &env, &seg);
	if (!swarm.async)
		check_reset_sent(h, c);
	xmit(h, c, client_of(h, c), &seg);
	c->tcb.hard.flags &= ~FTCP_HARD_RESET;
	totals->resets++;
}

/* @silent: forgotten, not closed: it must not speak */
void conn_finish(struct host *h, struct conn *c, bool silent)
{
	if ((c->tcb.hard.flags & FTCP_HARD_RESET) && speaks(h) && !silent)
		send_reset(h, c);
	say(name_of(h), "c%d finished%s", client_of(h, c), silent ? ", silently" : "");
	if (!silent)
		check_over(h, c);
	conn_release(c);
}

static void bury(struct host *h, struct conn *c)
{
	if (swarm.async && (c->tcb.hard.flags & FTCP_HARD_RESET))
		send_reset(h, c);
	if (h->role != PRIMARY || !c->tcb.soft.shipped.known || bug == BUG_reset_before_commit || bug == BUG_gone_forgotten)
		conn_finish(h, c, false);
	else
		c->gone = true;
}

void host_follow_up(struct host *h, struct conn *c, u32 events)
{
	if (!c->used || c->gone || !speaks(h) || c->dormant)
		return;
	if (c->tcb.hard.state != FTCP_CLOSED && c->tcb.hard.state != FTCP_SYN_RECEIVED)
		program(h, c);
	conn_free(h, c);
	check_conn(h, c);
	c->half_open = c->tcb.hard.state == FTCP_SYN_RECEIVED;
	if (c->tcb.hard.state == FTCP_CLOSED) {
		bury(h, c);
		return;
	}
	output(h, c);
	check_conn(h, c);
}

/* ---- segments in ---- */

/* As ftcp_queue_burst(): more may be right behind it. */
static void burst(struct conn *c, const struct ftcp_input *in)
{
	if (!swarm.round_us || !in->keep_len)
		return;
	c->tcb.soft.burst = !c->tcb.soft.held;
	if (!c->round_us)
		c->round_us = now_us + swarm.round_us;
}

/* As the one in kmod/queue.c. */
static void call(struct conn *c, const struct ftcp_env *env)
{
	c->round_us = ftcp_tcb_burst_over(&c->tcb, env, true) ? now_us + FTCP_ACK_HOLD_US : 0;
}

static void to_conn(struct host *h, struct conn *c, const struct ftcp_segment *seg, const u8 *data)
{
	struct ftcp_env env = host_env(h);
	enum ftcp_reason reason;
	struct ftcp_input in;

	if (c->gone || !speaks(h) || c->dormant)
		return;
	conn_board(c, seg);
	reason = ftcp_input(&c->tcb, &env, seg, &in);
	say(name_of(h), "c%d -> seq %u ack %u len %u wnd %u flags %02x: reason %u, state %s", client_of(h, c), seg->seq.v, seg->ack.v,
	    seg->len, seg->wnd, seg->flags, reason, ftcp_state_name(c->tcb.hard.state));
	CHECK("what is kept lies in the payload", (u64)in.keep_skip + in.keep_len <= seg->len);
	CHECK("8: what is kept lies in the window", !in.keep_len || in.keep_off + in.keep_len <=
	      c->tcb.hard.rcv_edge + (1ull << c->tcb.hard.rcv_wscale));
	CHECK("what is kept was sent", !in.keep_len || in.keep_off + in.keep_len <= client_total(client_of(h, c)));
	if (in.keep_len)
		memcpy(c->rcv + in.keep_off, data + in.keep_skip, in.keep_len);
	burst(c, &in);
	if (in.events & ~FTCP_EV_READABLE || !ftcp_tcb_may_wait(&c->tcb, &env))
		host_follow_up(h, c, in.events);
}

static u32 half_open(const struct host *h)
{
	u32 n = 0, i;

	for (i = 0; i < CLIENTS_MAX; i++)
		n += h->conns[i].used && h->conns[i].half_open;
	return n;
}

/* As in kmod/receive.c: when is a handshake possible that this host does not remember? */
static bool recently_stateless(const struct host *h)
{
	return h->stateless_us && host_now_us(h) - h->stateless_us < FTCP_COOKIE_LIFE_MS * MS;
}

static void syn(struct host *h, int client, struct ftcp_segment *seg, const u8 *data)
{
	struct ftcp_tcb_config config = config_of(h, client);
	struct keyed k = keyed(h, client, h->epoch);
	struct ftcp_env env = host_env(h);
	struct ftcp_cookie cookie;
	struct ftcp_segment out;
	struct conn *c;
	u32 iss;

	ftcp_tcb_cookie(&cookie, seg, FTCP_MSS_DEFAULT_BYTES);
	iss = ftcp_cookie_make(&cookie, seg->seq.v, env.ts_ms, hash, &k);
	if (half_open(h) >= swarm.half_open_max) {
		ftcp_synack_stateless(&out, &env, &config, seg, &cookie, iss);
		h->stateless_us = host_now_us(h);
		xmit(h, NULL, client, &out);
		return;
	}
	/* The SYN-ACK that the client goes by may be one that knew nothing of ECN */
	if (recently_stateless(h))
		seg->flags &= ~(FTCP_ECE | FTCP_CWR);
	c = conn_new(h, client);
	memcpy(c->rcv, data, ftcp_tcb_open(&c->tcb, &env, &config, seg, &cookie, iss));
	check_opened(h, c);
	host_follow_up(h, c, 0);
}

static bool recently_taken_over(const struct host *h)
{
	return h->ts_known && host_now_us(h) - h->role_since_us < FTCP_COOKIE_LIFE_MS * MS;
}

/* A primary without its standby cannot know that it is still the one who speaks. */
static bool may_deny(const struct host *h)
{
	return h->role == DETACHED || h->attached;
}

/*
 * Clients may go on for minutes with connections that died, and one of a million of their segments looks like a cookie: it has 22 bits. That is
 * known, and nothing to be found again.
 */
static bool by_chance(int client, const struct ftcp_segment *seg)
{
	u32 seq, ack;

	return client_numbers(client, &seq, &ack) && seg->seq.v != client_first(client);
}

/* @epochs: how many ago it was made: not 0: by another host */
static bool cookie_valid(struct host *h, int client, const struct ftcp_segment *seg, struct ftcp_cookie *cookie, u32 *epochs)
{
	u32 back = recently_stateless(h) ? 0 : 1, last = recently_taken_over(h) ? 8 : 0;

	if ((seg->flags & (FTCP_SYN | FTCP_ACK | FTCP_RST)) != FTCP_ACK)
		return false;
	for (; back <= last; back++) {
		struct keyed k = keyed(h, client, h->epoch - back);

		*epochs = back;
		if (ftcp_cookie_open(cookie, seg->ack.v - 1, seg->seq.v - 1, host_env(h).ts_ms, hash, &k))
			return !by_chance(client, seg);
	}
	return false;
}

static void deny(struct host *h, int client, const struct ftcp_segment *seg)
{
	struct ftcp_segment out;

	say(name_of(h), "c%d -> seq %u ack %u len %u flags %02x: no such connection", client, seg->seq.v, seg->ack.v, seg->len,
	    seg->flags);
	if (may_deny(h) && !recently_stateless(h) && !recently_taken_over(h) && ftcp_reset_stateless(&out, seg))
		xmit(h, NULL, client, &out);
}

static void ack_without_conn(struct host *h, int client, const struct ftcp_segment *seg, const u8 *data)
{
	struct ftcp_tcb_config config = config_of(h, client);
	struct ftcp_env env = host_env(h);
	struct ftcp_cookie cookie;
	struct conn *c;
	u32 epochs;

	if (!cookie_valid(h, client, seg, &cookie, &epochs)) {
		deny(h, client, seg);
		return;
	}
	totals->cookies++;
	c = conn_new(h, client);
	ftcp_tcb_open_cookie(&c->tcb, &env, &config, seg, &cookie);
	if (epochs)
		ftcp_tcb_doubt(&c->tcb, &env);
	check_opened(h, c);
	to_conn(h, c, seg, data);
}

/* RFC 9293, 3.10.7.4, fifth: it acknowledges what this half-open connection has not sent */
static bool foreign_ack(const struct host *h, const struct conn *c, const struct ftcp_segment *seg)
{
	return speaks(h) && !c->dormant && c->tcb.hard.state == FTCP_SYN_RECEIVED &&
	       (seg->flags & (FTCP_SYN | FTCP_ACK | FTCP_RST)) == FTCP_ACK &&
	       !ftcp_seq_eq(seg->ack, ftcp_seq_of(c->tcb.hard.iss, 0));
}

/* Perhaps the other host's SYN-ACK was quicker: its cookie tells. */
static void take_foreign_ack(struct host *h, struct conn *c, int client, const struct ftcp_segment *seg, const u8 *data)
{
	struct ftcp_cookie cookie;
	u32 epochs;

	if (cookie_valid(h, client, seg, &cookie, &epochs)) {
		conn_finish(h, c, true);
		ack_without_conn(h, client, seg, data);
	} else {
		deny(h, client, seg);
	}
}

void host_receive(struct host *h, const struct packet *packet)
{
	struct conn *c = &h->conns[packet->client];
	struct ftcp_segment seg;

	if (ftcp_segment_parse(&seg, packet->header, packet->header_bytes, packet->header_bytes + packet->len))
		return;
	seg.ecn = packet->ecn;
	if (c->used && foreign_ack(h, c, &seg))
		take_foreign_ack(h, c, packet->client, &seg, packet->data);
	else if (c->used)
		to_conn(h, c, &seg, packet->data);
	else if (!speaks(h))
		return;
	else if ((seg.flags & (FTCP_SYN | FTCP_ACK | FTCP_RST)) == FTCP_SYN)
		syn(h, packet->client, &seg, packet->data);
	else
		ack_without_conn(h, packet->client, &seg, packet->data);
	daemon_look(h);
}

/* It quotes what we sent. */
void host_icmp(struct host *h, const struct packet *packet)
{
	struct conn *c = &h->conns[packet->client];
	struct ftcp_env env = host_env(h);
	struct ftcp_segment seg;

	if (!c->used || c->gone || c->dormant || !speaks(h) ||
	    ftcp_segment_parse(&seg, packet->header, packet->header_bytes, packet->header_bytes))
		return;
	if (ftcp_input_mtu(&c->tcb, &env, seg.seq, packet->icmp_mss_bytes))
		host_follow_up(h, c, 0);
}

/* ---- time ---- */

static u64 conn_due_us(const struct host *h, const struct conn *c)
{
	u64 due = ftcp_next_deadline(&c->tcb);

	if (!c->used || c->gone || c->dormant || !speaks(h))
		return 0;
	due = due ? max(due - h->skew_us, now_us) : 0;
	if (c->read_us && (!due || c->read_us < due))
		due = max(c->read_us, now_us);
	if (c->round_us && (!due || c->round_us < due))
		due = max(c->round_us, now_us);
	return due;
}

static void sooner(u64 *at_us, u64 due_us)
{
	if (due_us && due_us < *at_us)
		*at_us = due_us;
}

bool host_next(const struct host *h, u64 *at_us)
{
	u64 at = ~0ull;
	u32 i;

	if (!h->alive)
		sooner(&at, h->restart_us);
	for (i = 0; h->alive && i < CLIENTS_MAX; i++)
		sooner(&at, conn_due_us(h, &h->conns[i]));
	if (h->alive) {
		sooner(&at, h->announce_us);
		sooner(&at, h->collect_us);
		sooner(&at, h->idle_us);
	}
	*at_us = at;
	return at != ~0ull;
}

static bool due(u64 *at_us)
{
	if (!*at_us || *at_us > now_us)
		return false;
	*at_us = 0;
	return true;
}

/* The address has moved here: speak first once more. */
static void announced(struct host *h)
{
	struct ftcp_env env = host_env(h);
	u32 i;

	if (!speaks(h))
		return;
	say(name_of(h), "has the address");
	lan_owner = h - hosts;
	for (i = 0; i < CLIENTS_MAX; i++)
		if (h->conns[i].used && !h->conns[i].gone && !h->conns[i].dormant) {
			ftcp_repl_kick(&h->conns[i].tcb, &env);
			host_follow_up(h, &h->conns[i], 0);
		}
}

void host_timers(struct host *h)
{
	struct ftcp_env env = host_env(h);
	struct conn *c;

	if (!h->alive) {
		if (due(&h->restart_us))
			host_boot(h);
		return;
	}
	for (c = h->conns; c < h->conns + CLIENTS_MAX; c++) {
		u64 at = conn_due_us(h, c);
		u32 events;

		if (!at || at > now_us)
			continue;
		if (c->read_us <= now_us)
			c->read_us = 0;
		if (c->round_us && c->round_us <= now_us)
			call(c, &env);
		events = ftcp_timeout(&c->tcb, &env);
		ftcp_board_take(&c->tcb, false);
		host_follow_up(h, c, events);
	}
	if (due(&h->announce_us))
		announced(h);
	if (due(&h->collect_us))
		sync_collect(h);
	if (due(&h->idle_us))
		sync_idle(h);
	if (!h->collect_us && sync_wants(h))
		h->collect_us = now_us + rnd(swarm.collect_us + 1);
}

/* ---- life and roles ---- */

void host_boot(struct host *h)
{
	memset(h->held, 0, sizeof(h->held));
	h->alive = true;
	h->restart_us = 0;
	h->skew_us = 1 + rnd(swarm.skew_us + 1);
	h->role = STANDBY;
	h->role_since_us = 0;
	h->epoch = 0;
	h->key[0] = (u64)rnd(0xffffffff) << 32 | rnd(0xffffffff);
	h->key[1] = rnd(0xffffffff);
	h->ts_delta_ms = swarm.wrap ? 0u - (u32)(host_now_us(h) / MS) - rnd(20000) : rnd(100000);
	h->ts_known = false;
	sync_forget(h);
	say(name_of(h), "boots");
	daemon_start(h);
}

void host_crash(struct host *h)
{
	u32 i;

	say(name_of(h), "crashes as %s", h->role == STANDBY ? "standby" : h->role == PRIMARY ? "primary" : "detached");
	check_wiped(h);
	daemon_stop(h);
	for (i = 0; i < CLIENTS_MAX; i++)
		if (h->conns[i].used)
			conn_release(&h->conns[i]);
	h->alive = false;
	h->role = STANDBY;
	h->announce_us = h->collect_us = h->idle_us = 0;
	sync_forget(h);
	totals->crashes++;
}

static void promote_conn(struct host *h, struct conn *c)
{
	struct ftcp_tcb_config config = config_of(h, client_of(h, c));
	struct ftcp_env env = host_env(h);

	c->dormant = false;
	if (c->gone) {
		conn_finish(h, c, true);
		return;
	}
	c->snd_stored = min(c->snd_stored, ftcp_tcb_data_end(&c->tcb));
	ftcp_repl_promote(&c->tcb, &env, &config);
	if (c->incomplete)
		ftcp_tcb_abort(&c->tcb);
	check_promoted(h, c);
	host_follow_up(h, c, 0);
}

bool host_promote(struct host *h, u64 epoch, bool fresh)
{
	u32 i;

	if (speaks(h) || (epoch && epoch <= h->epoch))
		return false;
	if (h->sync != SYNC_DONE && !fresh && bug != BUG_promote_out_of_sync)
		return false;
	say(name_of(h), "promoted, epoch %llu%s", (unsigned long long)epoch, fresh ? ", fresh" : "");
	if (!fresh && !swarm.async)
		check_takeover(h);
	for (i = 0; i < CLIENTS_MAX && fresh && h->sync != SYNC_DONE; i++)
		if (h->conns[i].used)
			conn_finish(h, &h->conns[i], true);
	sync_forget(h);
	if (h->ts_known && bug != BUG_clock_restarted)
		h->ts_delta_ms += FTCP_TS_TAKEOVER_MS;
	h->role = DETACHED;
	h->role_since_us = host_now_us(h);
	h->epoch = epoch ? epoch : h->epoch + 1;
	h->announce_us = now_us + 1 + rnd(swarm.announce_us + 1);
	totals->takeovers++;
	ever_taken_over = true;
	for (i = 0; i < CLIENTS_MAX; i++)
		if (h->conns[i].used && h->conns[i].dormant)
			promote_conn(h, &h->conns[i]);
	return true;
}

bool host_demote(struct host *h, u64 epoch, bool force)
{
	u32 i;

	if (speaks(h) && epoch <= h->epoch && !force && h->sync != SYNC_DONE)
		return false;
	say(name_of(h), "demoted, epoch %llu", (unsigned long long)epoch);
	if (speaks(h)) {
		h->role = STANDBY;
		h->role_since_us = host_now_us(h);
		sync_forget(h);
		for (i = 0; i < CLIENTS_MAX; i++) {
			struct conn *c = &h->conns[i];

			c->dormant = true;
			if (c->used && (c->gone || c->tcb.hard.state == FTCP_SYN_RECEIVED))
				conn_finish(h, c, true);
		}
	}
	h->epoch = max(h->epoch, epoch);
	return true;
}

void host_detach(struct host *h)
{
	struct ftcp_env env;
	u32 i;

	if (h->role != PRIMARY)
		return;
	say(name_of(h), "detached");
	h->role = DETACHED;
	sync_forget(h);
	env = host_env(h);
	for (i = 0; i < CLIENTS_MAX; i++) {
		struct conn *c = &h->conns[i];

		if (c->used && c->gone) {
			conn_finish(h, c, false);
		} else if (c->used) {
			ftcp_repl_alone(&c->tcb, &env);
			host_follow_up(h, c, 0);
		}
	}
}
