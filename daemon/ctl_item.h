/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel says of a thing (a group, a service, a connection, an event), decoded: one struct for all of
 * them, since they share one attribute space and an event carries attributes of several. Nothing here depends on an
 * attribute being there, or on its width: the module may be older or newer than this program.
 */
#ifndef FTCPCTL_ITEM_H
#define FTCPCTL_ITEM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/ftcp.h>
#include <ftcp/limits.h>
#include "ctl_opt.h"

struct nlattr;

/* One counter of STATS_GET; names are the kernel's. */
struct ctl_counter {
	char name[40];
	uint64_t value;
};

struct ctl_item {
	bool has[FTCP_A_MAX + 1];
	uint64_t value[FTCP_A_MAX + 1];	/* of the numbers */
	char group[FTCP_GROUP_NAME_MAX];
	char backend[FTCP_BACKEND_NAME_MAX];
	char congestion[FTCP_BACKEND_NAME_MAX];
	char program[32];	/* as in nginx[712]; "" when none has it */
	struct ctl_addr service;	/* family 0 without ADDR attributes */
	struct ctl_addr local;
	struct ctl_addr remote;
	uint8_t cmd;			/* of the message it came in */
	struct ctl_counter *counters;	/* STATS_GET only */
	size_t n_counters;
};

struct ctl_items {
	struct ctl_item *v;
	size_t n, room;
};

struct ctl_item *ctl_items_add(struct ctl_items *items);
void ctl_items_clear(struct ctl_items *items);
/** ctl_items_keep_group() - drop what is not of group @name; not for items with counters */
void ctl_items_keep_group(struct ctl_items *items, const char *name);

/** ctl_item_decode() - from a message's attributes; what is not known is skipped */
void ctl_item_decode(struct ctl_item *item, struct nlattr *head, int len);

/** ctl_item_json() - an object with a key for each attribute that is there (Documentation/ftcpctl-json.rst) */
json_t *ctl_item_json(const struct ctl_item *item);
json_t *ctl_items_json(const struct ctl_items *items);
json_t *ctl_json_number(uint64_t value);
/** ctl_json_print() - on one line, flushed; takes the reference */
void ctl_json_print(json_t *value);
/** ctl_json_set() - takes the reference, or ends the program */
void ctl_json_set(json_t *object, const char *key, json_t *value);

/* Names of enum values; "unknown" for one from the future. */
const char *ctl_role_name(const struct ctl_item *item);
const char *ctl_sync_name(const struct ctl_item *item);
const char *ctl_event_name(const struct ctl_item *item);
const char *ctl_protection_name(uint64_t protection);
const char *ctl_tcp_state_name(uint64_t state);
/** ctl_tcp_state_parse() - 0: there is no such state */
unsigned int ctl_tcp_state_parse(const char *name);

/* For people: "850 ms", "12 s", "3 min 5 s", "2 h 4 min", "5 d 3 h"; "17 B", "1.5 KiB". */
const char *ctl_time_text(uint64_t ms, char text[32]);
const char *ctl_bytes_text(uint64_t bytes, char text[32]);

#endif
