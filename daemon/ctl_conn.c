// SPDX-License-Identifier: GPL-2.0
/* conn list, kill. */
#include "ctl_netlink.h"
#include "ctl_table.h"

enum { OPT_STATE = 256 };

static void keep_state(struct ctl_items *conns, unsigned int state)
{
	size_t kept = 0;

	for (size_t i = 0; i < conns->n; i++)
		if (conns->v[i].value[FTCP_A_CONN_STATE] == state)
			conns->v[kept++] = conns->v[i];
	conns->n = kept;
}

/* RECEIVED and SENT count what has passed; the cell behind each how much of it is not yet settled. */
static void conn_row(struct ctl_table *table, const struct ctl_item *conn)
{
	const uint64_t *v = conn->value;
	char text[CTL_ADDR_LEN];

	ctl_table_cell(table, "%s", conn->group);
	ctl_table_cell(table, "%s", ctl_endpoint_text(&conn->local, (uint16_t)v[FTCP_A_CONN_LPORT], text));
	ctl_table_cell(table, "%s", ctl_endpoint_text(&conn->remote, (uint16_t)v[FTCP_A_CONN_RPORT], text));
	ctl_table_cell(table, "%s", ctl_tcp_state_name(v[FTCP_A_CONN_STATE]));
	ctl_table_cell(table, "%s", ctl_time_text(v[FTCP_A_CONN_AGE_MS], text));
	ctl_table_cell(table, "%llu", (unsigned long long)v[FTCP_A_CONN_RCV_NXT]);
	ctl_table_cell(table, "%lld", (long long)(v[FTCP_A_CONN_RCV_NXT] - v[FTCP_A_CONN_RCV_COMMITTED]));
	ctl_table_cell(table, "%llu", (unsigned long long)v[FTCP_A_CONN_SND_NXT]);
	ctl_table_cell(table, "%lld", (long long)(v[FTCP_A_CONN_SND_END] - v[FTCP_A_CONN_SND_COMMITTED]));
	ctl_table_cell(table, "%lld", (long long)(v[FTCP_A_CONN_SND_NXT] - v[FTCP_A_CONN_SND_UNA]));
	ctl_table_cell(table, "%.1f ms", (double)v[FTCP_A_CONN_SRTT_US] / 1000);
	ctl_table_cell(table, "%s", ctl_bytes_text(v[FTCP_A_CONN_CWND], text));
	ctl_table_cell(table, "%llu", (unsigned long long)v[FTCP_A_CONN_REXMITS]);
	ctl_table_cell(table, "%s", *conn->program ? conn->program : "-");
}

static void conn_table(const struct ctl_items *conns)
{
	struct ctl_table *table = ctl_table_new("GROUP|LOCAL|REMOTE|STATE|AGE|>RECEIVED|>UNCOMMITTED|>SENT|"
						">UNCOMMITTED|>UNACKED|>RTT|>CWND|>REXMITS|PROGRAM");

	for (size_t i = 0; i < conns->n; i++)
		conn_row(table, &conns->v[i]);
	ctl_table_print(table);
}

int ctl_conn_list(struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "state", required_argument, NULL, OPT_STATE },
		{ NULL, 0, NULL, 0 },
	};
	struct ctl_items conns = { .n = 0 };
	unsigned int state = 0;
	int c, status, err;

	while ((c = ctl_getopt(ctl, argc, argv, "", longs, &status)) != CTL_GETOPT_END) {
		if (c == CTL_GETOPT_EXIT)
			return status;
		state = ctl_tcp_state_parse(optarg);
		if (!state)
			return ctl_usage_error(ctl, "--state %s: established, syn-recv, fin-wait-1, fin-wait-2, "
					       "time-wait, close-wait, last-ack or closing is needed", optarg);
	}
	if (argc != optind)
		return ctl_usage_error(ctl, "'%s' is one argument too many", argv[optind]);
	status = ctl_open(ctl);
	if (status)
		return status;
	err = ctl_dump(ctl, FTCP_CMD_CONN_GET, ctl->group_given ? ctl->group : NULL, &conns);
	if (state)
		keep_state(&conns, state);
	if (err)
		status = ctl_refused(ctl, err, "'ftcpctl group list' says what groups there are");
	else if (ctl->json)
		ctl_json_print(ctl_items_json(&conns));
	else
		conn_table(&conns);
	ctl_items_clear(&conns);
	return status;
}

int ctl_conn_kill(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_addr addr[2];	/* ours, theirs */
	uint16_t port[2];
	struct nl_msg *msg;
	int status, err;

	if (ctl_getopt(ctl, argc, argv, "", NULL, &status) == CTL_GETOPT_EXIT)
		return status;
	if (argc - optind != 2)
		return ctl_usage_error(ctl, "LADDR:LPORT and RADDR:RPORT are needed, as 'ftcpctl conn list' has them");
	for (int i = 0; i < 2; i++)
		if (!ctl_parse_endpoint(argv[optind + i], &addr[i], &port[i]))
			return ctl_usage_error(ctl, "'%s' is neither ADDRESS:PORT nor [IPv6-ADDRESS]:PORT",
					       argv[optind + i]);
	if (addr[0].family != addr[1].family)
		return ctl_usage_error(ctl, "one address is IPv4, the other IPv6");
	status = ctl_open(ctl);
	if (status)
		return status;
	msg = ctl_msg(ctl, FTCP_CMD_CONN_KILL, NULL);
	ctl_put_addr(msg, FTCP_A_CONN_LADDR4, FTCP_A_CONN_LADDR6, &addr[0]);
	ctl_put_u16(msg, FTCP_A_CONN_LPORT, port[0]);
	ctl_put_addr(msg, FTCP_A_CONN_RADDR4, FTCP_A_CONN_RADDR6, &addr[1]);
	ctl_put_u16(msg, FTCP_A_CONN_RPORT, port[1]);
	err = ctl_do(ctl, msg, NULL);
	return err ? ctl_refused(ctl, err, "'ftcpctl conn list' says what there is") : CTL_EXIT_OK;
}
