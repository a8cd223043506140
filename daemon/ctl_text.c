// SPDX-License-Identifier: GPL-2.0
/* Numbers for people, and what every JSON output needs. */
#include <stdio.h>
#include <stdlib.h>
#include "ctl.h"
#include "ctl_item.h"

const char *ctl_time_text(uint64_t ms, char text[32])
{
	unsigned long long s = ms / 1000;

	if (s < 1)
		snprintf(text, 32, "%llu ms", (unsigned long long)ms);
	else if (s < 60)
		snprintf(text, 32, "%llu s", s);
	else if (s < 3600)
		snprintf(text, 32, "%llu min %llu s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, 32, "%llu h %llu min", s / 3600, s / 60 % 60);
	else
		snprintf(text, 32, "%llu d %llu h", s / 86400, s / 3600 % 24);
	return text;
}

const char *ctl_bytes_text(uint64_t bytes, char text[32])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	snprintf(text, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

json_t *ctl_json_number(uint64_t value)
{
	/* jansson counts in signed 64 bits; no counter gets there. */
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

void ctl_json_set(json_t *object, const char *key, json_t *value)
{
	if (!object || json_object_set_new(object, key, value)) {
		fprintf(stderr, "ftcpctl: out of memory\n");
		exit(CTL_EXIT_REFUSED);
	}
}

json_t *ctl_items_json(const struct ctl_items *items)
{
	json_t *array = json_array();

	for (size_t i = 0; i < items->n; i++)
		if (json_array_append_new(array, ctl_item_json(&items->v[i]))) {
			fprintf(stderr, "ftcpctl: out of memory\n");
			exit(CTL_EXIT_REFUSED);
		}
	return array;
}

void ctl_json_print(json_t *value)
{
	json_dumpf(value, stdout, JSON_COMPACT);
	printf("\n");
	fflush(stdout);
	json_decref(value);
}
