// SPDX-License-Identifier: GPL-2.0
/* service list, add, del. */
#include <string.h>
#include "ctl_group.h"
#include "ctl_netlink.h"
#include "ctl_table.h"

#define BUF_BYTES_MIN 4096	/* as the uapi header says */

enum { OPT_PORT = 256, OPT_ADDR, OPT_RCV_BUF, OPT_SND_BUF, OPT_USER_TIMEOUT, OPT_KEEPALIVE, OPT_CONGESTION, OPT_NAGLE, OPT_MAX_CONNS, OPT_RECOVER,
	OPT_PROTECTION };

struct conf {
	uint16_t port;		/* 0: not given */
	struct ctl_addr addr;
	const char *backend;
	const char *congestion;	/* NULL: not given */
	bool nagle;
	uint8_t protection;
	bool has_rcv_buf, has_snd_buf, has_user_timeout, has_keepalive, has_max_conns, has_recover, has_protection;
	uint32_t rcv_buf, snd_buf, user_timeout_ms, keepalive_ms, max_conns, recover_ms;
};

void ctl_service_table(const struct ctl_items *services)
{
	struct ctl_table *table = ctl_table_new("GROUP|SERVICE|BACKEND|PROTECTION|>RCV-BUF|>SND-BUF|USER-TIMEOUT|KEEPALIVE|CONGESTION|NAGLE|>MAX-CONNS");
	char text[CTL_ADDR_LEN];

	for (size_t i = 0; i < services->n; i++) {
		const struct ctl_item *service = &services->v[i];
		uint64_t keepalive_ms = service->value[FTCP_A_SERVICE_KEEPALIVE_MS];

		ctl_table_cell(table, "%s", service->group);
		ctl_table_cell(table, "%s", ctl_endpoint_text(&service->service,
			       (uint16_t)service->value[FTCP_A_SERVICE_PORT], text));
		ctl_table_cell(table, "%s", service->backend);
		ctl_table_cell(table, "%s", ctl_protection_name(service->value[FTCP_A_SERVICE_PROTECTION]));
		ctl_table_cell(table, "%s", ctl_bytes_text(service->value[FTCP_A_SERVICE_RCV_BUF], text));
		ctl_table_cell(table, "%s", ctl_bytes_text(service->value[FTCP_A_SERVICE_SND_BUF], text));
		ctl_table_cell(table, "%s", ctl_time_text(service->value[FTCP_A_SERVICE_USER_TIMEOUT_MS], text));
		ctl_table_cell(table, "%s", keepalive_ms ? ctl_time_text(keepalive_ms, text) : "off");
		ctl_table_cell(table, "%s", service->congestion);
		ctl_table_cell(table, "%s", service->value[FTCP_A_SERVICE_NAGLE] ? "on" : "off");
		ctl_table_cell(table, "%llu", (unsigned long long)service->value[FTCP_A_SERVICE_MAX_CONNS]);
	}
	ctl_table_print(table);
}

int ctl_service_list(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_items services = { .n = 0 };
	int status, err;

	if (ctl_no_args(ctl, argc, argv, &status) == CTL_GETOPT_EXIT)
		return status;
	status = ctl_open(ctl);
	if (status)
		return status;
	err = ctl_dump(ctl, FTCP_CMD_SERVICE_GET, ctl->group_given ? ctl->group : NULL, &services);
	if (err)
		status = ctl_refused(ctl, err, "'ftcpctl group list' says what groups there are");
	else if (ctl->json)
		ctl_json_print(ctl_items_json(&services));
	else
		ctl_service_table(&services);
	ctl_items_clear(&services);
	return status;
}

static int read_number(const struct ctl *ctl, const char *name, uint32_t min, uint32_t max, uint32_t *value,
		       bool *has)
{
	*has = true;
	if (ctl_parse_u32(optarg, min, max, value))
		return CTL_EXIT_OK;
	return ctl_usage_error(ctl, "--%s %s: a whole number from %u to %u is needed", name, optarg, min, max);
}

static int read_protection(const struct ctl *ctl, struct conf *conf)
{
	conf->has_protection = true;
	for (conf->protection = 0; conf->protection < __FTCP_PROTECTION_MAX; conf->protection++)
		if (!strcmp(optarg, ctl_protection_name(conf->protection)))
			return CTL_EXIT_OK;
	return ctl_usage_error(ctl, "--protection %s: sync, async or none is needed", optarg);
}

static int read_option(const struct ctl *ctl, int c, struct conf *conf)
{
	switch (c) {
	case OPT_PORT:
		if (ctl_parse_port(optarg, &conf->port))
			return CTL_EXIT_OK;
		return ctl_usage_error(ctl, "--port %s: a port is a whole number from 1 to 65535", optarg);
	case OPT_ADDR:
		if (ctl_parse_addr(optarg, &conf->addr))
			return CTL_EXIT_OK;
		return ctl_usage_error(ctl, "--addr %s: an IPv4 or IPv6 address is needed (no name, no prefix length)",
				       optarg);
	case OPT_RCV_BUF:
		return read_number(ctl, "rcv-buf", BUF_BYTES_MIN, FTCP_RCV_BUF_BYTES, &conf->rcv_buf,
				   &conf->has_rcv_buf);
	case OPT_SND_BUF:
		return read_number(ctl, "snd-buf", BUF_BYTES_MIN, FTCP_SND_BUF_BYTES, &conf->snd_buf,
				   &conf->has_snd_buf);
	case OPT_CONGESTION:
		conf->congestion = optarg;
		if (*optarg && strlen(optarg) < FTCP_BACKEND_NAME_MAX)
			return CTL_EXIT_OK;
		return ctl_usage_error(ctl, "--congestion %s: cubic or reno is needed", optarg);
	case OPT_NAGLE:
		conf->nagle = true;
		return CTL_EXIT_OK;
	case OPT_MAX_CONNS:
		return read_number(ctl, "max-conns", 1, FTCP_CONNS_MAX, &conf->max_conns, &conf->has_max_conns);
	case OPT_RECOVER:
		return read_number(ctl, "recover", 1, UINT32_MAX, &conf->recover_ms, &conf->has_recover);
	case OPT_PROTECTION:
		return read_protection(ctl, conf);
	case OPT_USER_TIMEOUT:
		return read_number(ctl, "user-timeout", 1, UINT32_MAX, &conf->user_timeout_ms,
				   &conf->has_user_timeout);
	default:
		return read_number(ctl, "keepalive", 0, UINT32_MAX, &conf->keepalive_ms, &conf->has_keepalive);
	}
}

/* Returns a status to end with, or -1: read what is in @conf. */
static int read_conf(struct ctl *ctl, int argc, char **argv, const struct option *longs, struct conf *conf)
{
	int c, status;

	while ((c = ctl_getopt(ctl, argc, argv, "", longs, &status)) != CTL_GETOPT_END) {
		if (c == CTL_GETOPT_EXIT)
			return status;
		status = read_option(ctl, c, conf);
		if (status)
			return status;
	}
	if (!conf->port)
		return ctl_usage_error(ctl, "--port is needed");
	return -1;
}

static void put_service(struct nl_msg *msg, const struct conf *conf)
{
	ctl_put_u16(msg, FTCP_A_SERVICE_PORT, conf->port);
	ctl_put_addr(msg, FTCP_A_SERVICE_ADDR4, FTCP_A_SERVICE_ADDR6, &conf->addr);
}

int ctl_service_add(struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "port", required_argument, NULL, OPT_PORT },
		{ "addr", required_argument, NULL, OPT_ADDR },
		{ "rcv-buf", required_argument, NULL, OPT_RCV_BUF },
		{ "snd-buf", required_argument, NULL, OPT_SND_BUF },
		{ "user-timeout", required_argument, NULL, OPT_USER_TIMEOUT },
		{ "keepalive", required_argument, NULL, OPT_KEEPALIVE },
		{ "congestion", required_argument, NULL, OPT_CONGESTION },
		{ "nagle", no_argument, NULL, OPT_NAGLE },
		{ "max-conns", required_argument, NULL, OPT_MAX_CONNS },
		{ "recover", required_argument, NULL, OPT_RECOVER },
		{ "protection", required_argument, NULL, OPT_PROTECTION },
		{ NULL, 0, NULL, 0 },
	};
	struct conf conf = { .port = 0 };
	int err, status = read_conf(ctl, argc, argv, longs, &conf);
	struct nl_msg *msg;

	if (status >= 0)
		return status;
	if (argc - optind != 1)
		return ctl_usage_error(ctl, "one BACKEND is needed: echo, discard, chargen or socket");
	conf.backend = argv[optind];
	/* Which backends there are is the module's to say; only what cannot be a name is refused here. */
	if (!*conf.backend || strlen(conf.backend) >= FTCP_BACKEND_NAME_MAX)
		return ctl_usage_error(ctl, "'%s' is no name of a backend", conf.backend);
	status = ctl_open(ctl);
	if (status)
		return status;
	msg = ctl_msg(ctl, FTCP_CMD_SERVICE_ADD, ctl->group);
	put_service(msg, &conf);
	ctl_put_string(msg, FTCP_A_SERVICE_BACKEND, conf.backend);
	if (conf.has_rcv_buf)
		ctl_put_u32(msg, FTCP_A_SERVICE_RCV_BUF, conf.rcv_buf);
	if (conf.has_snd_buf)
		ctl_put_u32(msg, FTCP_A_SERVICE_SND_BUF, conf.snd_buf);
	if (conf.has_user_timeout)
		ctl_put_u32(msg, FTCP_A_SERVICE_USER_TIMEOUT_MS, conf.user_timeout_ms);
	if (conf.has_keepalive)
		ctl_put_u32(msg, FTCP_A_SERVICE_KEEPALIVE_MS, conf.keepalive_ms);
	if (conf.congestion)
		ctl_put_string(msg, FTCP_A_SERVICE_CONGESTION, conf.congestion);
	if (conf.has_max_conns)
		ctl_put_u32(msg, FTCP_A_SERVICE_MAX_CONNS, conf.max_conns);
	if (conf.has_recover)
		ctl_put_u32(msg, FTCP_A_SERVICE_RECOVER_MS, conf.recover_ms);
	if (conf.has_protection)
		ctl_put_u8(msg, FTCP_A_SERVICE_PROTECTION, conf.protection);
	if (conf.nagle)
		ctl_put_u8(msg, FTCP_A_SERVICE_NAGLE, 1);
	err = ctl_do(ctl, msg, NULL);
	return err ? ctl_refused(ctl, err, "'ftcpctl service list' and 'ftcpctl group list' say what there is")
		   : CTL_EXIT_OK;
}

int ctl_service_del(struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "port", required_argument, NULL, OPT_PORT },
		{ "addr", required_argument, NULL, OPT_ADDR },
		{ NULL, 0, NULL, 0 },
	};
	struct conf conf = { .port = 0 };
	int err, status = read_conf(ctl, argc, argv, longs, &conf);
	struct nl_msg *msg;

	if (status >= 0)
		return status;
	if (argc != optind)
		return ctl_usage_error(ctl, "'%s' is one argument too many", argv[optind]);
	status = ctl_open(ctl);
	if (status)
		return status;
	msg = ctl_msg(ctl, FTCP_CMD_SERVICE_DEL, ctl->group);
	put_service(msg, &conf);
	err = ctl_do(ctl, msg, NULL);
	return err ? ctl_refused(ctl, err, "'ftcpctl service list' says what there is; a service with an address "
				 "needs its --addr")
		   : CTL_EXIT_OK;
}
