// SPDX-License-Identifier: GPL-2.0
/* Counters. */
#include "net.h"
#include "stats.h"

void ftcp_stats_add(struct ftcp_net *fn, enum ftcp_counter counter, u64 n)
{
	this_cpu_add(fn->stats->counts[counter], n);
}

void ftcp_stats_drop(struct ftcp_net *fn, enum ftcp_reason reason)
{
	if (reason != FTCP_REASON_NONE)
		this_cpu_inc(fn->stats->drops[reason]);
}

void ftcp_stats_sum(const struct ftcp_net *fn, struct ftcp_stats *sum)
{
	u32 i;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct ftcp_stats *stats = per_cpu_ptr(fn->stats, cpu);

		for (i = 0; i < FTCP_REASON_MAX; i++)
			sum->drops[i] += READ_ONCE(stats->drops[i]);
		for (i = 0; i < FTCP_COUNT_MAX; i++)
			sum->counts[i] += READ_ONCE(stats->counts[i]);
	}
}

const char *ftcp_stats_drop_name(enum ftcp_reason reason)
{
	static const char * const names[] = {
#define NAME(name, text, help) [FTCP_REASON_##name] = "drop_" text,
		FTCP_REASONS(NAME)
#undef NAME
	};

	return names[reason];
}

const char *ftcp_stats_name(enum ftcp_counter counter)
{
	static const char * const names[] = {
#define NAME(name, text) [FTCP_COUNT_##name] = text,
		FTCP_COUNTERS(NAME)
#undef NAME
	};

	return names[counter];
}
