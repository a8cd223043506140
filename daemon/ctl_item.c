// SPDX-License-Identifier: GPL-2.0
/* Attributes into structs, and structs into names and JSON. */
#include <stdlib.h>
#include <string.h>
#include <netlink/attr.h>
#include "ctl.h"
#include "ctl_item.h"

enum kind {
	KIND_NONE,		/* not for people: padding, requests, batches */
	KIND_NUMBER,
	KIND_BOOL,
	KIND_HEX,		/* 64 random bits: as text, since JSON readers round numbers to 53 bits */
	KIND_ROLE,
	KIND_SYNC,
	KIND_EVENT,
	KIND_TCP_STATE,
	KIND_GROUP,
	KIND_BACKEND,
	KIND_CONGESTION,
	KIND_PROTECTION,
	KIND_PROGRAM,
	KIND_SERVICE_ADDR,
	KIND_LOCAL_ADDR,
	KIND_REMOTE_ADDR,
	KIND_COUNTER,
};

static const struct {
	const char *key;	/* in JSON */
	enum kind kind;
} attrs[FTCP_A_MAX + 1] = {
	[FTCP_A_GROUP_NAME] = { "group", KIND_GROUP },
	[FTCP_A_ROLE] = { "role", KIND_ROLE },
	[FTCP_A_EPOCH] = { "epoch", KIND_NUMBER },
	[FTCP_A_SYNC_STATE] = { "sync", KIND_SYNC },
	[FTCP_A_SYNC_ID] = { "sync_id", KIND_HEX },
	[FTCP_A_BATCH_NO] = { "batch_no", KIND_NUMBER },
	[FTCP_A_BATCH_SENT] = { "batch_sent", KIND_NUMBER },
	[FTCP_A_ATTACHED] = { "attached", KIND_BOOL },
	[FTCP_A_LAG_BYTES] = { "lag_bytes", KIND_NUMBER },
	[FTCP_A_LAG_MS] = { "lag_ms", KIND_NUMBER },
	[FTCP_A_ROLE_MS] = { "role_ms", KIND_NUMBER },
	[FTCP_A_SYNC_MS] = { "sync_ms", KIND_NUMBER },
	[FTCP_A_CONNS] = { "connections", KIND_NUMBER },
	[FTCP_A_UNSYNCED] = { "unsynced", KIND_NUMBER },
	[FTCP_A_PEER_SYNC_ID] = { "peer_sync_id", KIND_HEX },
	[FTCP_A_PEER_BATCH_NO] = { "peer_batch_no", KIND_NUMBER },
	[FTCP_A_SERVICE_PORT] = { "port", KIND_NUMBER },
	[FTCP_A_SERVICE_ADDR4] = { "address", KIND_SERVICE_ADDR },
	[FTCP_A_SERVICE_ADDR6] = { "address", KIND_SERVICE_ADDR },
	[FTCP_A_SERVICE_BACKEND] = { "backend", KIND_BACKEND },
	[FTCP_A_SERVICE_RCV_BUF] = { "rcv_buf", KIND_NUMBER },
	[FTCP_A_SERVICE_SND_BUF] = { "snd_buf", KIND_NUMBER },
	[FTCP_A_SERVICE_USER_TIMEOUT_MS] = { "user_timeout_ms", KIND_NUMBER },
	[FTCP_A_SERVICE_KEEPALIVE_MS] = { "keepalive_ms", KIND_NUMBER },
	[FTCP_A_SERVICE_CONGESTION] = { "congestion", KIND_CONGESTION },
	[FTCP_A_SERVICE_NAGLE] = { "nagle", KIND_BOOL },
	[FTCP_A_SERVICE_MAX_CONNS] = { "max_conns", KIND_NUMBER },
	[FTCP_A_CONN_LADDR4] = { "local_address", KIND_LOCAL_ADDR },
	[FTCP_A_CONN_LADDR6] = { "local_address", KIND_LOCAL_ADDR },
	[FTCP_A_CONN_RADDR4] = { "remote_address", KIND_REMOTE_ADDR },
	[FTCP_A_CONN_RADDR6] = { "remote_address", KIND_REMOTE_ADDR },
	[FTCP_A_CONN_LPORT] = { "local_port", KIND_NUMBER },
	[FTCP_A_CONN_RPORT] = { "remote_port", KIND_NUMBER },
	[FTCP_A_CONN_STATE] = { "state", KIND_TCP_STATE },
	[FTCP_A_CONN_AGE_MS] = { "age_ms", KIND_NUMBER },
	[FTCP_A_CONN_CONSUMED] = { "consumed", KIND_NUMBER },
	[FTCP_A_CONN_RCV_NXT] = { "rcv_nxt", KIND_NUMBER },
	[FTCP_A_CONN_RCV_COMMITTED] = { "rcv_committed", KIND_NUMBER },
	[FTCP_A_CONN_RCV_EDGE] = { "rcv_edge", KIND_NUMBER },
	[FTCP_A_CONN_SND_UNA] = { "snd_una", KIND_NUMBER },
	[FTCP_A_CONN_SND_NXT] = { "snd_nxt", KIND_NUMBER },
	[FTCP_A_CONN_SND_COMMITTED] = { "snd_committed", KIND_NUMBER },
	[FTCP_A_CONN_SND_END] = { "snd_end", KIND_NUMBER },
	[FTCP_A_CONN_SND_WND] = { "snd_wnd", KIND_NUMBER },
	[FTCP_A_CONN_CWND] = { "cwnd", KIND_NUMBER },
	[FTCP_A_CONN_SSTHRESH] = { "ssthresh", KIND_NUMBER },
	[FTCP_A_CONN_SRTT_US] = { "srtt_us", KIND_NUMBER },
	[FTCP_A_CONN_RTO_US] = { "rto_us", KIND_NUMBER },
	[FTCP_A_CONN_MSS] = { "mss", KIND_NUMBER },
	[FTCP_A_CONN_REXMITS] = { "rexmits", KIND_NUMBER },
	[FTCP_A_CONN_RTTVAR_US] = { "rttvar_us", KIND_NUMBER },
	[FTCP_A_CONN_RTT_MIN_US] = { "rtt_min_us", KIND_NUMBER },
	[FTCP_A_CONN_PMTU] = { "pmtu", KIND_NUMBER },
	[FTCP_A_CONN_MSS_NOW] = { "mss_now", KIND_NUMBER },
	[FTCP_A_CONN_SND_TOP] = { "snd_max", KIND_NUMBER },
	[FTCP_A_CONN_RCV_SHIPPED] = { "rcv_shipped", KIND_NUMBER },
	[FTCP_A_CONN_SND_SHIPPED] = { "snd_shipped", KIND_NUMBER },
	[FTCP_A_CONN_RCV_ACKED] = { "rcv_acked", KIND_NUMBER },
	[FTCP_A_CONN_SACKED_BYTES] = { "sacked_bytes", KIND_NUMBER },
	[FTCP_A_CONN_LOST_BYTES] = { "lost_bytes", KIND_NUMBER },
	[FTCP_A_CONN_OOO_BYTES] = { "ooo_bytes", KIND_NUMBER },
	[FTCP_A_CONN_REXMITS_NOW] = { "rexmits_now", KIND_NUMBER },
	[FTCP_A_CONN_REXMIT_BYTES] = { "rexmit_bytes", KIND_NUMBER },
	[FTCP_A_CONN_SEGS_IN] = { "segs_in", KIND_NUMBER },
	[FTCP_A_CONN_SEGS_OUT] = { "segs_out", KIND_NUMBER },
	[FTCP_A_CONN_LAST_SND_MS] = { "last_snd_ms", KIND_NUMBER },
	[FTCP_A_CONN_LAST_RCV_MS] = { "last_rcv_ms", KIND_NUMBER },
	[FTCP_A_CONN_LAST_ACK_MS] = { "last_ack_ms", KIND_NUMBER },
	[FTCP_A_CONN_RCV_SPACE] = { "rcv_space", KIND_NUMBER },
	[FTCP_A_CONN_SND_SPACE] = { "snd_space", KIND_NUMBER },
	[FTCP_A_CONN_RCV_HELD] = { "rcv_held", KIND_NUMBER },
	[FTCP_A_CONN_SND_HELD] = { "snd_held", KIND_NUMBER },
	[FTCP_A_CONN_RCV_WSCALE] = { "rcv_wscale", KIND_NUMBER },
	[FTCP_A_CONN_SND_WSCALE] = { "snd_wscale", KIND_NUMBER },
	[FTCP_A_CONN_OPTIONS] = { "options", KIND_NUMBER },
	[FTCP_A_CONN_RECOVERY] = { "recovery", KIND_NUMBER },
	[FTCP_A_CONN_TIMER_REXMIT_MS] = { "timer_rexmit_ms", KIND_NUMBER },
	[FTCP_A_CONN_TIMER_PERSIST_MS] = { "timer_persist_ms", KIND_NUMBER },
	[FTCP_A_CONN_TIMER_KEEPALIVE_MS] = { "timer_keepalive_ms", KIND_NUMBER },
	[FTCP_A_CONN_TIMER_CLOSE_MS] = { "timer_close_ms", KIND_NUMBER },
	[FTCP_A_CONN_TIMER_DELAYED_MS] = { "timer_delayed_ms", KIND_NUMBER },
	[FTCP_A_CONN_TIMER_TAIL_MS] = { "timer_tail_ms", KIND_NUMBER },
	[FTCP_A_CONN_TIMER_REORDER_MS] = { "timer_reorder_ms", KIND_NUMBER },
	[FTCP_A_SERVICE_RECOVER_MS] = { "recover_ms", KIND_NUMBER },
	[FTCP_A_SERVICE_PROTECTION] = { "protection", KIND_PROTECTION },
	[FTCP_A_SERVICE_BY_LISTEN] = { "by_listen", KIND_BOOL },
	[FTCP_A_CONN_PROGRAM] = { "program", KIND_PROGRAM },
	[FTCP_A_STATS_ENTRY] = { NULL, KIND_COUNTER },
	[FTCP_A_EVENT] = { "event", KIND_EVENT },
};

struct ctl_item *ctl_items_add(struct ctl_items *items)
{
	struct ctl_item *item;

	if (items->n == items->room) {
		items->room = items->room ? items->room * 2 : 16;
		items->v = ctl_realloc(items->v, items->room * sizeof(*items->v));
	}
	item = &items->v[items->n++];
	memset(item, 0, sizeof(*item));
	return item;
}

void ctl_items_clear(struct ctl_items *items)
{
	for (size_t i = 0; i < items->n; i++)
		free(items->v[i].counters);
	free(items->v);
	memset(items, 0, sizeof(*items));
}

void ctl_items_keep_group(struct ctl_items *items, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < items->n; i++)
		if (!strcmp(items->v[i].group, name))
			items->v[kept++] = items->v[i];
	items->n = kept;
}

static bool get_number(struct nlattr *attr, uint64_t *value)
{
	uint64_t u64;

	switch (nla_len(attr)) {
	case 0:
		*value = 1;	/* a flag */
		return true;
	case 1:
		*value = nla_get_u8(attr);
		return true;
	case 2:
		*value = nla_get_u16(attr);
		return true;
	case 4:
		*value = nla_get_u32(attr);
		return true;
	case 8:
		memcpy(&u64, nla_data(attr), sizeof(u64));
		*value = u64;
		return true;
	}
	return false;
}

static bool get_text(struct nlattr *attr, char *text, size_t room)
{
	size_t len = strnlen(nla_data(attr), (size_t)nla_len(attr));

	if (len >= room)
		len = room - 1;
	memcpy(text, nla_data(attr), len);
	text[len] = '\0';
	return true;
}

static bool get_addr(struct nlattr *attr, struct ctl_addr *addr)
{
	if (nla_len(attr) == sizeof(addr->v4))
		addr->family = AF_INET;
	else if (nla_len(attr) == sizeof(addr->v6))
		addr->family = AF_INET6;
	else
		return false;
	memcpy(&addr->v4, nla_data(attr), (size_t)nla_len(attr));
	return true;
}

static bool get_counter(struct nlattr *attr, struct ctl_item *item)
{
	struct ctl_counter counter = { .name = "" };
	struct nlattr *pos;
	int rest;

	nla_for_each_nested(pos, attr, rest) {
		if (nla_type(pos) == FTCP_A_STATS_NAME)
			get_text(pos, counter.name, sizeof(counter.name));
		else if (nla_type(pos) == FTCP_A_STATS_VALUE)
			get_number(pos, &counter.value);
	}
	if (!*counter.name)
		return false;
	/* Room grows in powers of two: at 0, 1, 2, 4, 8, ... */
	if (!(item->n_counters & (item->n_counters - 1)))
		item->counters = ctl_realloc(item->counters,
					     (item->n_counters * 2 + 1) * sizeof(counter));
	item->counters[item->n_counters++] = counter;
	return true;
}

static bool decode_one(struct ctl_item *item, struct nlattr *attr, int type)
{
	switch (attrs[type].kind) {
	case KIND_NONE:
		return false;
	case KIND_GROUP:
		return get_text(attr, item->group, sizeof(item->group));
	case KIND_BACKEND:
		return get_text(attr, item->backend, sizeof(item->backend));
	case KIND_CONGESTION:
		return get_text(attr, item->congestion, sizeof(item->congestion));
	case KIND_PROGRAM:
		return get_text(attr, item->program, sizeof(item->program));
	case KIND_SERVICE_ADDR:
		return get_addr(attr, &item->service);
	case KIND_LOCAL_ADDR:
		return get_addr(attr, &item->local);
	case KIND_REMOTE_ADDR:
		return get_addr(attr, &item->remote);
	case KIND_COUNTER:
		return get_counter(attr, item);
	default:
		return get_number(attr, &item->value[type]);
	}
}

void ctl_item_decode(struct ctl_item *item, struct nlattr *head, int len)
{
	struct nlattr *attr;
	int rest;

	nla_for_each_attr(attr, head, len, rest) {
		int type = nla_type(attr);

		if (type <= FTCP_A_MAX && decode_one(item, attr, type))
			item->has[type] = true;
	}
}

static const char *pick(const char *const *names, size_t n, uint64_t value)
{
	return value < n && names[value] ? names[value] : "unknown";
}

#define PICK(names, value) pick(names, sizeof(names) / sizeof(names[0]), value)

const char *ctl_role_name(const struct ctl_item *item)
{
	static const char *const names[] = {
		[FTCP_ROLE_STANDBY] = "standby",
		[FTCP_ROLE_PRIMARY] = "primary",
		[FTCP_ROLE_DETACHED] = "detached",
	};

	return item->has[FTCP_A_ROLE] ? PICK(names, item->value[FTCP_A_ROLE]) : "unknown";
}

const char *ctl_sync_name(const struct ctl_item *item)
{
	static const char *const names[] = {
		[FTCP_SYNC_NONE] = "none",
		[FTCP_SYNC_RUNNING] = "running",
		[FTCP_SYNC_DONE] = "done",
	};

	return item->has[FTCP_A_SYNC_STATE] ? PICK(names, item->value[FTCP_A_SYNC_STATE]) : "unknown";
}

const char *ctl_protection_name(uint64_t protection)
{
	static const char *const names[] = {
		[FTCP_PROTECTION_SYNC] = "sync",
		[FTCP_PROTECTION_ASYNC] = "async",
		[FTCP_PROTECTION_NONE] = "none",
	};

	return PICK(names, protection);
}

const char *ctl_event_name(const struct ctl_item *item)
{
	static const char *const names[] = {
		[FTCP_EVENT_ROLE] = "role",
		[FTCP_EVENT_SYNC] = "sync",
		[FTCP_EVENT_OVERRUN] = "overrun",
		[FTCP_EVENT_GROUP_NEW] = "group-new",
		[FTCP_EVENT_GROUP_DEL] = "group-del",
		[FTCP_EVENT_CONN_NEW] = "conn-new",
		[FTCP_EVENT_CONN_GONE] = "conn-gone",
	};

	return item->has[FTCP_A_EVENT] ? PICK(names, item->value[FTCP_A_EVENT]) : "unknown";
}

/* The kernel's numbers with the names of ss(8). */
static const char *const tcp_states[] = {
	NULL, "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "closed",
	"close-wait", "last-ack", "listening", "closing",
};

const char *ctl_tcp_state_name(uint64_t state)
{
	return PICK(tcp_states, state);
}

unsigned int ctl_tcp_state_parse(const char *name)
{
	for (unsigned int i = 1; i < sizeof(tcp_states) / sizeof(tcp_states[0]); i++)
		if (!strcmp(tcp_states[i], name))
			return i;
	return 0;
}

static json_t *value_json(const struct ctl_item *item, int type)
{
	char text[CTL_ADDR_LEN];

	switch (attrs[type].kind) {
	case KIND_BOOL:
		return json_boolean(item->value[type]);
	case KIND_HEX:
		snprintf(text, sizeof(text), "0x%016llx", (unsigned long long)item->value[type]);
		return json_string(text);
	case KIND_ROLE:
		return json_string(ctl_role_name(item));
	case KIND_SYNC:
		return json_string(ctl_sync_name(item));
	case KIND_PROTECTION:
		return json_string(ctl_protection_name(item->value[type]));
	case KIND_EVENT:
		return json_string(ctl_event_name(item));
	case KIND_TCP_STATE:
		return json_string(ctl_tcp_state_name(item->value[type]));
	case KIND_GROUP:
		return json_string(item->group);
	case KIND_BACKEND:
		return json_string(item->backend);
	case KIND_CONGESTION:
		return json_string(item->congestion);
	case KIND_PROGRAM:
		return json_string(item->program);
	case KIND_SERVICE_ADDR:
		return json_string(ctl_addr_text(&item->service, text));
	case KIND_LOCAL_ADDR:
		return json_string(ctl_addr_text(&item->local, text));
	case KIND_REMOTE_ADDR:
		return json_string(ctl_addr_text(&item->remote, text));
	default:
		return ctl_json_number(item->value[type]);
	}
}

json_t *ctl_item_json(const struct ctl_item *item)
{
	json_t *object = json_object();

	for (int i = 0; i <= FTCP_A_MAX; i++)
		if (item->has[i] && attrs[i].key)
			ctl_json_set(object, attrs[i].key, value_json(item, i));
	return object;
}
