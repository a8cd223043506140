// SPDX-License-Identifier: GPL-2.0
/* Chance, and the configuration drawn from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

struct swarm swarm;
static u64 state;

void chance_seed(u64 seed)
{
	state = seed * 0x9e3779b97f4a7c15ull + 0x1234567;
	state |= !state;
	rnd(0), rnd(0), rnd(0);
}

u32 rnd(u32 n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return n ? (u32)((state * 0x2545f4914f6cdd1dull) >> 33) % n : 0;
}

/* Small most of the time, and now and then up to @most. */
static u32 skewed(u32 least, u32 most)
{
	u32 span = most - least + 1;

	switch (rnd(4)) {
	case 0:  return least + rnd(span);
	case 1:  return least + rnd(span / 10 + 1);
	default: return least + rnd(span / 100 + 1);
	}
}

static void draw_network(void)
{
	swarm.delay_us = skewed(20, 60000);
	swarm.jitter_us = rnd(2) ? swarm.delay_us / 4 : rnd(3 * swarm.delay_us);
	swarm.loss = rnd(2) ? 0 : skewed(1, 150);
	swarm.duplicate = rnd(2) ? 0 : rnd(100);
	swarm.corrupt = rnd(3) ? 0 : rnd(30);
	swarm.reorder = rnd(2) ? 0 : rnd(200);
	swarm.link_delay_us = skewed(10, 30000);
	swarm.link_jitter_us = rnd(2) ? 0 : rnd(2 * swarm.link_delay_us);
	swarm.flood = rnd(3) ? 0 : rnd(1000);
	swarm.announce_us = skewed(0, 100000);
}

static void draw_limits(void)
{
	swarm.stream_bytes = one_in(8) ? STREAM_MAX : skewed(1, STREAM_MAX);
	swarm.rcv_buf_bytes = 1500 << rnd(8);
	swarm.snd_buf_bytes = 1500 << rnd(8);
	swarm.mtu_bytes = one_in(4) ? 88 + rnd(100) : 500 + rnd(960);
	swarm.payload_min_bytes = 64 << rnd(5);
	swarm.room_bytes = swarm.payload_min_bytes + skewed(0, FTCP_BATCH_MAX_BYTES - 2000);
	swarm.flights = 1 + rnd(FLIGHTS_MAX);
	swarm.collect_us = rnd(2) ? 0 : skewed(0, 3000);
	swarm.half_open_max = rnd(3) ? 64 : rnd(2);
}

static void draw_faults(void)
{
	swarm.faults = one_in(5) ? 0 : rnd(13);
	swarm.crash = rnd(3) ? 1 + rnd(4) : 0;
	swarm.link_cut = rnd(2) ? 1 + rnd(4) : 0;
	swarm.daemon_kill = rnd(2) ? 1 + rnd(3) : 0;
	swarm.lan_cut = rnd(2) ? 1 + rnd(2) : 0;
	swarm.early_promote = swarm.stall && rnd(2) ? 1 + rnd(2) : 0;
	swarm.steps_between = 20 + skewed(0, 600);
	swarm.mean = rnd(3) ? 0 : rnd(60);
}

/* A standby that is well behind, and hosts that die: otherwise there is nothing in it that sync has not. */
static void draw_async(void)
{
	swarm.async = one_in(4);
	if (!swarm.async)
		return;
	swarm.link_delay_us = 1000 + rnd(rnd(2) ? 80000 : 10000);
	swarm.link_jitter_us = rnd(swarm.link_delay_us);
	swarm.crash = 1 + rnd(4);
	swarm.faults = max(swarm.faults, 4u);
	swarm.steps_between = 5 + rnd(60);
	swarm.early_promote = rnd(3);
	swarm.loss = rnd(2) ? swarm.loss : 20 + rnd(250);
	swarm.plain = 0;
}

void swarm_draw(u64 seed)
{
	chance_seed(seed ^ 0x5eed);
	swarm.clients = 1 + (rnd(2) ? 0 : rnd(CLIENTS_MAX));
	swarm.stall = rnd(3) > 0;
	swarm.skew_us = rnd(1000000000);
	swarm.wrap = rnd(2);
	swarm.plain = one_in(4);
	draw_network();
	draw_limits();
	draw_faults();
	swarm.nagle = rnd(2);
	swarm.reno = rnd(2);
	/* A path that becomes narrower, and says so or does not (then by no more than can be guessed) */
	swarm.icmp = rnd(2);
	swarm.narrow_bytes = rnd(4) ? 0 : swarm.icmp ? 88 + rnd(900) : FTCP_MSS_DEFAULT_BYTES / 2 + 12 + rnd(700);
	swarm.ecn = rnd(2);
	swarm.ce = rnd(2) ? 0 : rnd(200);
	draw_async();
	swarm.round_us = rnd(2) ? 0 : 1 + skewed(0, 300);
}

/* Two hosts that both live must not both speak, as with policy detach; and nothing is on its way for longer than doubt lasts. */
void swarm_constrain(void)
{
	if (!swarm.async)
		return;
	swarm.stall = 0;
	swarm.delay_us = min(swarm.delay_us, 30000u);
	swarm.jitter_us = min(swarm.jitter_us, 60000u);
}

u32 *swarm_field(u32 i, const char **name)
{
	static const char *const names[] = {
#define X(name) #name,
		SWARM_FIELDS(X)
#undef X
	};

	if (i >= ARRAY_SIZE(names))
		return NULL;
	*name = names[i];
	return (u32 *)&swarm + i;
}

bool swarm_set(const char *name_value)
{
	const char *name, *eq = strchr(name_value, '=');
	u32 i, *field;

	for (i = 0; eq && (field = swarm_field(i, &name)); i++)
		if (strlen(name) == (size_t)(eq - name_value) && !strncmp(name, name_value, eq - name_value)) {
			*field = strtoul(eq + 1, NULL, 0);
			return true;
		}
	return false;
}

void swarm_print(void)
{
	const char *name;
	u32 i, *field;

	printf("#");
	for (i = 0; (field = swarm_field(i, &name)); i++)
		printf(" %s=%u", name, *field);
	printf("\n");
}
