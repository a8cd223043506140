// SPDX-License-Identifier: GPL-2.0
/* conn show: all there is to know of connections, in the manner of `ss -ti`. */
#include <string.h>
#include "ctl_netlink.h"

/* A connection with its place in the line that is being printed. */
struct line {
	const struct ctl_item *conn;
	const char *indent;
	bool begun;
};

static void word(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void word(struct line *line, const char *format, ...)
{
	va_list args;

	printf("%s", line->begun ? " " : line->indent);
	line->begun = true;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

static void end(struct line *line)
{
	if (line->begun)
		putchar('\n');
	line->begun = false;
}

static unsigned long long value(const struct ctl_item *conn, int attr)
{
	return conn->value[attr];
}

static double ms(const struct ctl_item *conn, int attr)
{
	return (double)conn->value[attr] / 1000;
}

static void options(struct line *line)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} names[] = {
		{ FTCP_CONN_OPTION_TS, "ts" }, { FTCP_CONN_OPTION_SACK, "sack" }, { FTCP_CONN_OPTION_ECN, "ecn" }, { FTCP_CONN_OPTION_ASYNC, "async" },
	};
	const struct ctl_item *conn = line->conn;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (value(conn, FTCP_A_CONN_OPTIONS) & names[i].bit)
			word(line, "%s", names[i].name);
	if (value(conn, FTCP_A_CONN_OPTIONS) & FTCP_CONN_OPTION_WSCALE)
		word(line, "wscale:%llu,%llu", value(conn, FTCP_A_CONN_SND_WSCALE), value(conn, FTCP_A_CONN_RCV_WSCALE));
	if (conn->has[FTCP_A_SERVICE_CONGESTION])
		word(line, "%s", conn->congestion);
}

static void timers(struct line *line)
{
	static const struct {
		int attr;
		const char *name;
	} names[] = {
		{ FTCP_A_CONN_TIMER_REXMIT_MS, "rexmit" }, { FTCP_A_CONN_TIMER_PERSIST_MS, "persist" },
		{ FTCP_A_CONN_TIMER_KEEPALIVE_MS, "keepalive" }, { FTCP_A_CONN_TIMER_CLOSE_MS, "timewait" },
		{ FTCP_A_CONN_TIMER_DELAYED_MS, "delack" }, { FTCP_A_CONN_TIMER_TAIL_MS, "tlp" },
		{ FTCP_A_CONN_TIMER_REORDER_MS, "reorder" },
	};
	const struct ctl_item *conn = line->conn;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (conn->has[names[i].attr])
			word(line, "timer:%s,%llums", names[i].name, value(conn, names[i].attr));
}

/* The names of ss(8), where it has them; but all in bytes. */
static void protocol(struct line *line)
{
	static const char *const recoveries[] = { "none", "fast", "timeout" };
	const struct ctl_item *conn = line->conn;
	unsigned long long recovery = value(conn, FTCP_A_CONN_RECOVERY), unacked = value(conn, FTCP_A_CONN_SND_TOP) - value(conn, FTCP_A_CONN_SND_UNA);

	word(line, "rto:%g rtt:%g/%g minrtt:%g", ms(conn, FTCP_A_CONN_RTO_US), ms(conn, FTCP_A_CONN_SRTT_US), ms(conn, FTCP_A_CONN_RTTVAR_US),
	     ms(conn, FTCP_A_CONN_RTT_MIN_US));
	word(line, "mss:%llu pmtu:%llu cwnd:%llu", value(conn, FTCP_A_CONN_MSS_NOW), value(conn, FTCP_A_CONN_PMTU), value(conn, FTCP_A_CONN_CWND));
	if (value(conn, FTCP_A_CONN_SSTHRESH) < UINT32_MAX / 4)
		word(line, "ssthresh:%llu", value(conn, FTCP_A_CONN_SSTHRESH));
	if (recovery)
		word(line, "recovery:%s", recovery < 3 ? recoveries[recovery] : "?");
	word(line, "unacked:%llu sacked:%llu lost:%llu retrans:%llu/%llu", unacked, value(conn, FTCP_A_CONN_SACKED_BYTES),
	     value(conn, FTCP_A_CONN_LOST_BYTES), value(conn, FTCP_A_CONN_REXMITS_NOW), value(conn, FTCP_A_CONN_REXMITS));
	word(line, "lastsnd:%llu lastrcv:%llu lastack:%llu", value(conn, FTCP_A_CONN_LAST_SND_MS), value(conn, FTCP_A_CONN_LAST_RCV_MS),
	     value(conn, FTCP_A_CONN_LAST_ACK_MS));
	end(line);
	word(line, "bytes_sent:%llu bytes_retrans:%llu bytes_acked:%llu bytes_received:%llu rcv_ooopack:%llu",
	     value(conn, FTCP_A_CONN_SND_TOP) + value(conn, FTCP_A_CONN_REXMIT_BYTES), value(conn, FTCP_A_CONN_REXMIT_BYTES),
	     value(conn, FTCP_A_CONN_SND_UNA), value(conn, FTCP_A_CONN_RCV_NXT), value(conn, FTCP_A_CONN_OOO_BYTES));
	word(line, "segs_out:%llu segs_in:%llu", value(conn, FTCP_A_CONN_SEGS_OUT), value(conn, FTCP_A_CONN_SEGS_IN));
	end(line);
}

/* In the order in which bytes pass them. */
static void cursors(struct line *line)
{
	const struct ctl_item *conn = line->conn;
	bool speaks = conn->has[FTCP_A_CONN_SND_TOP];

	word(line, "in: consumed:%llu", value(conn, FTCP_A_CONN_CONSUMED));
	if (speaks)
		word(line, "acked:%llu committed:%llu shipped:%llu", value(conn, FTCP_A_CONN_RCV_ACKED), value(conn, FTCP_A_CONN_RCV_COMMITTED),
		     value(conn, FTCP_A_CONN_RCV_SHIPPED));
	word(line, "rcv_nxt:%llu rcv_edge:%llu held:%llu rcv_space:%llu", value(conn, FTCP_A_CONN_RCV_NXT), value(conn, FTCP_A_CONN_RCV_EDGE),
	     value(conn, FTCP_A_CONN_RCV_HELD), value(conn, FTCP_A_CONN_RCV_SPACE));
	end(line);
	word(line, "out: snd_una:%llu", value(conn, FTCP_A_CONN_SND_UNA));
	if (speaks)
		word(line, "snd_nxt:%llu snd_max:%llu committed:%llu shipped:%llu", value(conn, FTCP_A_CONN_SND_NXT), value(conn, FTCP_A_CONN_SND_TOP),
		     value(conn, FTCP_A_CONN_SND_COMMITTED), value(conn, FTCP_A_CONN_SND_SHIPPED));
	word(line, "snd_end:%llu held:%llu snd_space:%llu snd_wnd:%llu", value(conn, FTCP_A_CONN_SND_END), value(conn, FTCP_A_CONN_SND_HELD),
	     value(conn, FTCP_A_CONN_SND_SPACE), value(conn, FTCP_A_CONN_SND_WND));
	end(line);
}

static void show(const struct ctl_item *conn)
{
	struct line line = { .conn = conn, .indent = "\t" };
	char local[CTL_ADDR_LEN], remote[CTL_ADDR_LEN], age[CTL_ADDR_LEN];

	printf("%s %s %s group:%s age:%s\n", ctl_tcp_state_name(value(conn, FTCP_A_CONN_STATE)),
	       ctl_endpoint_text(&conn->local, (uint16_t)value(conn, FTCP_A_CONN_LPORT), local),
	       ctl_endpoint_text(&conn->remote, (uint16_t)value(conn, FTCP_A_CONN_RPORT), remote), conn->group,
	       ctl_time_text(value(conn, FTCP_A_CONN_AGE_MS), age));
	options(&line);
	timers(&line);
	end(&line);
	if (conn->has[FTCP_A_CONN_SND_TOP])
		protocol(&line);
	cursors(&line);
}

static bool is_remote(const struct ctl_item *conn, const struct ctl_addr *addr, uint16_t port)
{
	size_t len = addr->family == AF_INET ? sizeof(addr->v4) : sizeof(addr->v6);

	return conn->remote.family == addr->family && !memcmp(&conn->remote.v4, &addr->v4, len) && value(conn, FTCP_A_CONN_RPORT) == port;
}

static void keep_remote(struct ctl_items *conns, const struct ctl_addr *addr, uint16_t port)
{
	size_t kept = 0;

	for (size_t i = 0; i < conns->n; i++)
		if (is_remote(&conns->v[i], addr, port))
			conns->v[kept++] = conns->v[i];
	conns->n = kept;
}

int ctl_conn_show(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_items conns = { .n = 0 };
	struct ctl_addr addr;
	uint16_t port;
	int status, err;

	if (ctl_getopt(ctl, argc, argv, "", NULL, &status) == CTL_GETOPT_EXIT)
		return status;
	if (argc - optind > 1)
		return ctl_usage_error(ctl, "'%s' is one argument too many", argv[optind + 1]);
	if (argc > optind && !ctl_parse_endpoint(argv[optind], &addr, &port))
		return ctl_usage_error(ctl, "'%s' is neither ADDRESS:PORT nor [IPv6-ADDRESS]:PORT", argv[optind]);
	status = ctl_open(ctl);
	if (status)
		return status;
	err = ctl_dump(ctl, FTCP_CMD_CONN_GET, ctl->group_given ? ctl->group : NULL, &conns);
	if (argc > optind)
		keep_remote(&conns, &addr, port);
	if (err)
		status = ctl_refused(ctl, err, "'ftcpctl group list' says what groups there are");
	else if (ctl->json)
		ctl_json_print(ctl_items_json(&conns));
	if (!err && argc > optind && !conns.n)
		status = ctl_error(ctl, CTL_EXIT_REFUSED, "'ftcpctl conn list' says what there is", "there is no connection from %s", argv[optind]);
	for (size_t i = 0; !err && !ctl->json && i < conns.n; i++)
		show(&conns.v[i]);
	ctl_items_clear(&conns);
	return status;
}
