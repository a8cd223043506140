// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "pcap_flow.h"

static struct pcap_flow *find(struct pcap_server *server, const uint8_t *addr, uint16_t port)
{
	struct pcap_flow *flow;

	for (flow = server->flows; flow; flow = flow->next)
		if (flow->port == port && !memcmp(flow->addr, addr, sizeof(flow->addr)))
			return flow;
	flow = calloc(1, sizeof(*flow));
	if (!flow)
		abort();
	memcpy(flow->addr, addr, sizeof(flow->addr));
	flow->port = port;
	flow->next = server->flows;
	server->flows = flow;
	return flow;
}

static void begin(struct pcap_progress *progress, uint32_t base)
{
	if (progress->known && progress->base == base)
		return;
	*progress = (struct pcap_progress){ .known = true, .base = base };
}

/* How much further @number (a sequence number) is than all before; a capture that began too late starts with it. */
static int64_t advance(struct pcap_progress *progress, uint32_t number)
{
	int64_t step;

	if (!progress->known)
		begin(progress, number);
	step = (int32_t)(number - progress->base - (uint32_t)progress->top);
	if (step <= 0)
		return 0;
	progress->top += step;
	return step;
}

static void follow_client(struct pcap_flow *flow, const struct pcap_segment *segment)
{
	if (segment->flags & TCP_SYN_FLAG)
		begin(&flow->acked, segment->seq + 1);
}

static void follow_server(struct pcap_flow *flow, const struct pcap_segment *segment, struct pcap_change *change)
{
	uint32_t end = segment->seq + segment->len + !!(segment->flags & TCP_FIN_FLAG);

	if (segment->flags & TCP_RST_FLAG)
		return;
	if (segment->flags & TCP_SYN_FLAG)
		begin(&flow->sent, ++end);
	change->new_data = advance(&flow->sent, end);
	if (segment->flags & TCP_ACK_FLAG)
		change->new_ack = advance(&flow->acked, segment->ack);
}

static bool is_server(const struct pcap_server *server, const uint8_t *addr, uint16_t port)
{
	return port == server->port && (server->any_addr || !memcmp(addr, server->addr, sizeof(server->addr)));
}

bool pcap_follow(struct pcap_server *server, const struct pcap_segment *segment, struct pcap_change *change)
{
	*change = (struct pcap_change){ .from_server = is_server(server, segment->src, segment->sport) };
	if (change->from_server) {
		change->flow = find(server, segment->dst, segment->dport);
		follow_server(change->flow, segment, change);
		return true;
	}
	if (!is_server(server, segment->dst, segment->dport))
		return false;
	change->flow = find(server, segment->src, segment->sport);
	follow_client(change->flow, segment);
	return true;
}
