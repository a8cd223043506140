// SPDX-License-Identifier: GPL-2.0
/* The LAN and everything else that takes time: one queue of events, and what a network does to packets. */
#include <stdlib.h>
#include "sim.h"

#define EVENTS_MAX	8192
#define KEPT_MAX	16

static struct event *heap[EVENTS_MAX];
static u32 n_events;
static u64 order;
/* Packets to the server that may come once more, much later. */
static struct packet kept[KEPT_MAX];

int lan_owner;
u64 lan_to_server_down_us, lan_to_client_down_us;

static bool before(const struct event *a, const struct event *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

static void event_free(struct event *e)
{
	free(e->packet.data);
	if (e->message)
		message_free(e->message);
	free(e);
}

void net_post(struct event *event)
{
	u32 i = n_events, up;

	if (n_events == EVENTS_MAX) {
		event_free(event);	/* a queue that is full, like any other */
		return;
	}
	event->order = ++order;
	heap[n_events++] = event;
	for (; i; i = up) {
		up = (i - 1) / 2;
		if (!before(heap[i], heap[up]))
			break;
		event = heap[i], heap[i] = heap[up], heap[up] = event;
	}
}

static struct event *pop(void)
{
	struct event *first = heap[0], *swap;
	u32 i = 0, child;

	heap[0] = heap[--n_events];
	for (;; i = child) {
		child = 2 * i + 1;
		if (child >= n_events)
			break;
		if (child + 1 < n_events && before(heap[child + 1], heap[child]))
			child++;
		if (!before(heap[child], heap[i]))
			break;
		swap = heap[i], heap[i] = heap[child], heap[child] = swap;
	}
	return first;
}

void net_reset(void)
{
	u32 i;

	while (n_events)
		event_free(heap[--n_events]);
	for (i = 0; i < KEPT_MAX; i++) {
		free(kept[i].data);
		memset(&kept[i], 0, sizeof(kept[i]));
	}
	order = 0;
	lan_owner = 0;
	lan_to_server_down_us = lan_to_client_down_us = 0;
}

static void copy(struct packet *to, const struct packet *from)
{
	*to = *from;
	to->data = malloc(from->len + 1);
	if (from->len)
		memcpy(to->data, from->data, from->len);
}

static void fly(const struct packet *packet, enum kind kind, int to)
{
	struct event *e = calloc(1, sizeof(*e));

	copy(&e->packet, packet);
	if (packet->ecn != FTCP_ECN_NOT_ECT && permille(swarm.ce))
		e->packet.ecn = FTCP_ECN_CE;
	e->kind = kind;
	e->to = to;
	e->at_us = now_us + swarm.delay_us + rnd(swarm.jitter_us + 1);
	if (!healing && permille(swarm.reorder))
		e->at_us += rnd(4 * swarm.delay_us + 1000);
	net_post(e);
	totals->packets++;
}

static bool lost(u64 down_us)
{
	/* What the checksum finds is lost, too. */
	return now_us < down_us || (!healing && (permille(swarm.loss) || permille(swarm.corrupt)));
}

static u32 copies(void)
{
	return 1 + (!healing && permille(swarm.duplicate));
}

void net_to_server(const struct packet *packet)
{
	struct packet *slot = &kept[rnd(KEPT_MAX)];
	u32 n;

	if (swarm.mean && one_in(8)) {
		free(slot->data);
		copy(slot, packet);
	}
	if (lost(lan_to_server_down_us))
		return;
	for (n = copies(); n; n--)
		fly(packet, TO_SERVER, lan_owner);
	/* A hub, or a switch that does not know the address any more */
	if (permille(swarm.flood))
		fly(packet, TO_SERVER, 1 - lan_owner);
}

/* From the first second on: RFC 1191, 4 */
static bool too_large(const struct packet *packet)
{
	struct packet icmp = { .client = packet->client, .header_bytes = packet->header_bytes, .icmp_mss_bytes = swarm.narrow_bytes };

	if (!swarm.narrow_bytes || now_us < 1001 * S || packet->header_bytes + packet->len <= swarm.narrow_bytes + 20)
		return false;
	memcpy(icmp.header, packet->header, packet->header_bytes);
	if (swarm.icmp && !lost(lan_to_server_down_us))
		fly(&icmp, TO_SERVER, lan_owner);
	return true;
}

void net_to_client(const struct packet *packet)
{
	u32 n;

	if (too_large(packet) || lost(lan_to_client_down_us))
		return;
	for (n = copies(); n; n--)
		fly(packet, TO_CLIENT, packet->client);
}

void net_replay(void)
{
	const struct packet *old = &kept[rnd(KEPT_MAX)];

	/* Without timestamps an old word of the client cannot be told from a new one: doubt is for a time in which there are none. */
	if (old->header_bytes && (!swarm.async || client_stamps(old->client)))
		fly(old, TO_SERVER, lan_owner);
}

bool net_next(u64 *at_us)
{
	if (n_events)
		*at_us = heap[0]->at_us;
	return n_events;
}

void net_deliver(void)
{
	struct event *e = pop();

	switch (e->kind) {
	case TO_SERVER:
		if (hosts[e->to].alive && e->packet.icmp_mss_bytes)
			host_icmp(&hosts[e->to], &e->packet);
		else if (hosts[e->to].alive)
			host_receive(&hosts[e->to], &e->packet);
		break;
	case TO_CLIENT:
		client_receive(e->to, &e->packet);
		break;
	case TO_DAEMON:
		daemon_deliver(e);
		break;
	}
	event_free(e);
}
