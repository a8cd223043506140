// SPDX-License-Identifier: GPL-2.0
/* What the streams are: known in advance, byte by byte, so that every byte can be checked wherever it turns up. */
#include <stdlib.h>
#include "sim.h"

static struct service services[CLIENTS_MAX];
static u8 *texts[CLIENTS_MAX], *said[CLIENTS_MAX];

static u32 mix(u64 x)
{
	x ^= x >> 31;
	x *= 0x9e3779b97f4a7c15ull;
	return x >> 40;
}

u8 client_byte(int client, u64 off)
{
	return mix((run_seed << 8 | client) * 1000003 + off);
}

u8 server_byte(int client, u64 off)
{
	return services[client].echo ? client_byte(client, off) : mix((run_seed << 8 | client) * 7919 + off + 0x55aa);
}

u8 *service_text(int client)
{
	return texts[client];
}

u8 *service_said(int client)
{
	return said[client];
}

void service_free(int client)
{
	free(texts[client]);
	free(said[client]);
	texts[client] = said[client] = NULL;
}

const struct service *service_of(int client)
{
	return &services[client];
}

u64 service_end(int client, u64 consumed)
{
	const struct service *s = &services[client];

	return min(consumed, s->close_at) * s->num / s->den;
}

u64 service_consumable(int client, u64 out_end)
{
	const struct service *s = &services[client];

	if (!s->num || (s->close_at != ~0ull && service_end(client, s->close_at) <= out_end))
		return ~0ull;
	return ((out_end + 1) * s->den - 1) / s->num;
}

/* Called by client_reset(), which knows how much there will be to read. */
void service_draw(int client, u64 total)
{
	struct service *s = &services[client];

	*s = (struct service){ .num = 1, .den = 1, .echo = true, .close_at = ~0ull, .abort_at = ~0ull };
	if ((rnd(2) || swarm.async) && !swarm.plain) {
		s->echo = false;
		s->num = rnd(4) + swarm.async;
		s->den = rnd(2) ? 1 : 1 + rnd(12);
	}
	if (!swarm.plain) {
		s->slow = one_in(4);
		if (one_in(6))
			s->close_at = rnd(total + 1);
		else if (one_in(12))
			s->abort_at = rnd(total + 1);
	}
	texts[client] = calloc(1, service_end(client, total) + 1);
	said[client] = calloc(1, service_end(client, total) + 1);
}
