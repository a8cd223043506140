// SPDX-License-Identifier: GPL-2.0
/* stats: the counters of this network namespace. */
#include <string.h>
#include "ctl_netlink.h"
#include "ctl_table.h"
#include "../kmod/core/reason.h"

static bool same_name(const char *a, const char *b)
{
	/* A counter may be spelled with '_' where the reason has '-'. */
	for (; *a && *b; a++, b++)
		if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
			return false;
	return *a == *b;
}

/* What a counter means; "" for those whose names say it. */
static const char *help_of(const char *name)
{
	static const struct {
		const char *name, *help;
	} reasons[] = {
#define REASON(symbol, text, help) { text, help },
		FTCP_REASONS(REASON)
#undef REASON
	}, others[] = {
		{ "conns", "now; of this network namespace" },
		{ "half_open", "now; answered, and not yet heard of again" },
		{ "time_waits", "now" },
		{ "orphans", "now; closed here, not yet by the peer" },
		{ "memory_bytes", "now; held for connections, of the whole host" },
		{ "memory_max_bytes", "what may be held: module parameter max_memory" },
		{ "resets_limited", "resets not sent: too many in a second" },
		{ "ooo_pruned", "out-of-order data given up: memory was short" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(others[i].name, name))
			return others[i].help;
	if (strncmp(name, "drop_", 5))
		return "";
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (same_name(reasons[i].name, name + 5))
			return reasons[i].help;
	return "";
}

static void print_json(const struct ctl_items *replies, bool all)
{
	json_t *object = json_object();

	for (size_t i = 0; i < replies->n; i++)
		for (size_t j = 0; j < replies->v[i].n_counters; j++) {
			const struct ctl_counter *counter = &replies->v[i].counters[j];

			if (all || counter->value)
				ctl_json_set(object, counter->name, ctl_json_number(counter->value));
		}
	ctl_json_print(object);
}

static void print_table(const struct ctl_items *replies, bool all)
{
	struct ctl_table *table = ctl_table_new("COUNTER|>VALUE|MEANING");

	for (size_t i = 0; i < replies->n; i++)
		for (size_t j = 0; j < replies->v[i].n_counters; j++) {
			const struct ctl_counter *counter = &replies->v[i].counters[j];

			if (!all && !counter->value)
				continue;
			ctl_table_cell(table, "%s", counter->name);
			ctl_table_cell(table, "%llu", (unsigned long long)counter->value);
			ctl_table_cell(table, "%s", help_of(counter->name));
		}
	ctl_table_print(table);
}

int ctl_stats(struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "all", no_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	struct ctl_items replies = { .n = 0 };
	int c, status, err;
	bool all = false;

	while ((c = ctl_getopt(ctl, argc, argv, "a", longs, &status)) != CTL_GETOPT_END) {
		if (c == CTL_GETOPT_EXIT)
			return status;
		all = true;
	}
	if (argc != optind)
		return ctl_usage_error(ctl, "'%s' is one argument too many", argv[optind]);
	status = ctl_open(ctl);
	if (status)
		return status;
	err = ctl_do(ctl, ctl_msg(ctl, FTCP_CMD_STATS_GET, NULL), &replies);
	if (err)
		status = ctl_refused(ctl, err, NULL);
	else if (ctl->json)
		print_json(&replies, all);
	else
		print_table(&replies, all);
	ctl_items_clear(&replies);
	return status;
}
