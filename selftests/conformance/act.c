// SPDX-License-Identifier: GPL-2.0
/* What the client's side does: segments, ICMP errors, floods. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "play.h"

#define FLOOD_NET	0x80	/* the addresses of floods begin here, see flood_flow() */

struct bytes {
	uint8_t *to;
	unsigned int len;
};

static bool put_bytes(struct play *play, struct bytes *b, uint64_t value, unsigned int n)
{
	if (b->len + n > OPTIONS_MAX)
		return play_fail(play, "more options than fit");
	while (n)
		b->to[b->len++] = value >> 8 * --n & 0xff;
	return true;
}

static bool put_raw(struct play *play, struct bytes *b, const char *text)
{
	char *end;

	for (; *text; text = *end ? end + 1 : end)
		if (!put_bytes(play, b, strtoul(text, &end, 16), 1) || end == text)
			return play_fail(play, "raw takes bytes: 02:04:05");
	return true;
}

static bool put_sacks(struct play *play, struct bytes *b, const struct opt_spec *opt)
{
	if (!put_bytes(play, b, 5 << 8 | (2 + 8 * opt->n), 2))
		return false;
	for (unsigned int i = 0; i < opt->n; i++) {
		char text[100], *colon;
		int64_t from, to;

		strncpy(text, opt->arg[i], sizeof(text) - 1);
		text[sizeof(text) - 1] = 0;
		colon = strchr(text, ':');
		if (!colon)
			return play_fail(play, "a SACK block is FROM:TO");
		*colon = 0;
		if (!play_value(play, text, &from) || !play_value(play, colon + 1, &to) ||
		    !put_bytes(play, b, (uint32_t)(play->iss + from), 4) || !put_bytes(play, b, (uint32_t)(play->iss + to), 4))
			return false;
	}
	return true;
}

static bool put_ts(struct play *play, struct bytes *b, const struct opt_spec *opt)
{
	int64_t val, ecr = play->last_ts;

	if (!play_value(play, opt->n ? opt->arg[0] : "now", &val) || (opt->n > 1 && !play_value(play, opt->arg[1], &ecr)))
		return false;
	return put_bytes(play, b, 8 << 8 | 10, 2) && put_bytes(play, b, (uint32_t)(play->ts_base + val), 4) &&
	       put_bytes(play, b, (uint32_t)ecr, 4);
}

static bool put_option(struct play *play, struct bytes *b, const struct opt_spec *opt)
{
	int64_t value = 0;

	if ((opt->kind == O_MSS || opt->kind == O_WSCALE) && !play_value(play, opt->arg[0], &value))
		return false;
	switch (opt->kind) {
	case O_MSS: return put_bytes(play, b, 2 << 24 | 4 << 16 | (value & 0xffff), 4);
	case O_WSCALE: return put_bytes(play, b, 3 << 16 | 3 << 8 | (value & 0xff), 3);
	case O_SACKOK: return put_bytes(play, b, 4 << 8 | 2, 2);
	case O_TS: return put_ts(play, b, opt);
	case O_SACK: return put_sacks(play, b, opt);
	case O_NOP: return put_bytes(play, b, 1, 1);
	case O_EOL: return put_bytes(play, b, 0, 1);
	default: return put_raw(play, b, opt->arg[0]);
	}
}

static bool put_options(struct play *play, const struct seg_spec *spec, struct segment *seg)
{
	static const struct opt_spec ts = { .kind = O_TS };
	struct bytes b = { .to = seg->options };
	bool good = true;

	if (!spec->opts_given && play->watch.agreed.ts_ok && !(spec->flags & RST))
		good = put_option(play, &b, &ts);
	for (unsigned int i = 0; good && i < spec->n_opts; i++)
		good = put_option(play, &b, &spec->opts[i]);
	seg->options_len = b.len;
	options_find(&seg->found, seg->options, (b.len + 3) / 4 * 4);
	return good;
}

static void send_packet(const struct flow *flow, const struct segment *seg)
{
	static uint8_t packet[FRAME_MAX], part[FRAME_MAX];
	size_t len = packet_write(flow, seg, packet), some;
	unsigned int n = 0;

	if (!seg->fragment) {
		wire_send(packet, len);
		return;
	}
	while (packet_fragment(packet, len, seg->fragment, n, part))
		n++;
	for (unsigned int i = 0; i < n; i++) {
		unsigned int no = seg->reverse ? n - 1 - i : i;

		some = packet_fragment(packet, len, seg->fragment, no, part);
		if (!(seg->hole && no == 1))
			wire_send(part, some);
	}
}

/* A number that need not be there. */
static bool given(struct play *play, const char *expr, int64_t standard, int64_t *value)
{
	*value = standard;
	return !expr || play_value(play, expr, value);
}

static bool fill_in(struct play *play, const struct seg_spec *spec, struct segment *seg, int64_t *from, int64_t *to)
{
	int64_t ack, win, urg, tos, doff, reserved, cut, fragment;

	if (!given(play, spec->seq, spec->flags & SYN ? 0 : play->nxt > play->una ? play->nxt : play->una, from) ||
	    !given(play, spec->end, *from, to) || !given(play, spec->ack.expr, spec->flags & ACK ? play->rcv : 0, &ack) ||
	    !given(play, spec->win.expr, play->win, &win) || !given(play, spec->urg, 0, &urg) || !given(play, spec->tos, 0, &tos) ||
	    !given(play, spec->doff, 0, &doff) || !given(play, spec->reserved, 0, &reserved) || !given(play, spec->cut, 0, &cut) ||
	    !given(play, spec->fragment, 0, &fragment))
		return false;
	*seg = (struct segment){ .flags = spec->flags, .win = win, .urg = urg, .tos = tos, .doff = doff, .reserved = reserved, .cut = cut,
				 .fragment = fragment, .bad_sum = spec->bad_sum, .reverse = spec->reverse, .hole = spec->hole };
	seg->ack = (spec->flags & ACK) || spec->ack.expr ? play->iss + (uint32_t)ack : 0;
	return put_options(play, spec, seg);
}

static void send_one(struct play *play, const struct seg_spec *spec, struct segment *seg, int64_t from, uint64_t now_us)
{
	bool good = !seg->bad_sum && !seg->doff && !seg->cut && !seg->hole;
	int64_t end = from + seg->len + !!(seg->flags & SYN) + !!(seg->flags & FIN), odd = from + !!(seg->flags & SYN);

	seg->seq = play->isn + (uint32_t)from;
	if (spec->fill && seg->len) {
		struct watch *watch = &play->watch;

		watch->odd_from = watch->odd_to && watch->odd_from < odd ? watch->odd_from : odd;
		watch->odd_to = watch->odd_to > odd + seg->len ? watch->odd_to : odd + seg->len;
	}
	play_trace(play, '>', seg, now_us);
	watch_sent(play, seg);
	if (good && from <= play->nxt && end > play->nxt && !(seg->flags & RST))
		play->nxt = end;
	send_packet(&play->flow, seg);
}

bool act_send(struct play *play, const struct seg_spec *spec, uint64_t now_us)
{
	static uint8_t data[FRAME_MAX];
	int64_t from, to, by, fill;
	struct segment seg;

	if (!fill_in(play, spec, &seg, &from, &to) || !given(play, spec->by, 60000, &by) || !given(play, spec->fill, 0, &fill))
		return false;
	if (to < from || by < 1 || by > 60000)
		return play_fail(play, "%lld:%lld by %lld", (long long)from, (long long)to, (long long)by);
	do {
		seg.len = to - from < by ? to - from : by;
		seg.data = data;
		if (spec->fill)
			memset(data, fill, seg.len);
		else
			pattern_fill(data, from + !!(spec->flags & SYN), seg.len);
		if (from + seg.len < to)
			seg.flags &= ~FIN;
		else
			seg.flags = spec->flags;
		send_one(play, spec, &seg, from, now_us);
		from += seg.len;
	} while (from < to);
	return true;
}

bool act_icmp(struct play *play, const struct step *step)
{
	static const char *const kinds[] = {
		[ICMP_MTU] = "mtu", [ICMP_PORT] = "port", [ICMP_HOST] = "host", [ICMP_ADMIN] = "admin", [ICMP_TIME] = "time",
	};
	struct icmp_error error = { 0 };
	unsigned int at = 1;
	uint8_t packet[200];
	int64_t mtu = 0, seq;

	while (strcmp(step->arg[0], kinds[error.kind]))
		if (++error.kind > ICMP_TIME)
			return play_fail(play, "there is no ICMP error %s", step->arg[0]);
	if (error.kind == ICMP_MTU && !play_value(play, step->arg[at++], &mtu))
		return false;
	if (at + 2 > step->n_args || strcmp(step->arg[at], "seq") || !play_value(play, step->arg[at + 1], &seq))
		return play_fail(play, "about which segment? seq N");
	error.mtu = mtu;
	error.seq = play->iss + (uint32_t)seq;
	error.bad_sum = at + 2 < step->n_args && !strcmp(step->arg[at + 2], "badsum");
	wire_send(packet, packet_icmp(&play->flow, &error, packet));
	return true;
}

/* Addresses that no play uses, in the same network. */
static struct flow flood_flow(const struct play *play, unsigned int no)
{
	struct flow flow = play->flow;
	unsigned int at = play->flow.v6 ? 14 : 2;

	flow.client[at] = FLOOD_NET + (no >> 8);
	flow.client[at + 1] = no & 0xff;
	return flow;
}

bool act_flood(struct play *play, const struct step *step, bool back)
{
	static int64_t n;
	struct segment seg = { .flags = back ? RST : SYN, .seq = play->isn + back, .win = back ? 0 : 65535 };

	if (!back && !play_value(play, step->arg[0], &n))
		return false;
	if (n < 0 || n > (256 - FLOOD_NET) * 256)
		return play_fail(play, "a flood has not so many drops");
	for (unsigned int i = 0; i < n; i++) {
		struct flow flow = flood_flow(play, i);

		send_packet(&flow, &seg);
	}
	return true;
}

static void endpoint(const struct flow *flow, const uint8_t *addr, uint16_t port, char *to, size_t len)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(flow->v6 ? AF_INET6 : AF_INET, addr, text, sizeof(text));
	snprintf(to, len, flow->v6 ? "[%s]:%u" : "%s:%u", text, port);
}

bool act_abort(struct play *play)
{
	char server[80], client[80], command[1000];

	if (!kill_command)
		return play_fail(play, "no --kill command was given");
	endpoint(&play->flow, play->flow.server, play->flow.sport, server, sizeof(server));
	endpoint(&play->flow, play->flow.client, play->flow.cport, client, sizeof(client));
	/* In the background: other plays go on. */
	snprintf(command, sizeof(command), "%s '%s' '%s' >/dev/null &", kill_command, server, client);
	return !system(command) || play_fail(play, "%s", command);
}

void act_clean_up(struct play *play)
{
	const int64_t at[] = { play->watch.ack, play->nxt, play->una, 1 };

	for (unsigned int i = 0; i < sizeof(at) / sizeof(*at); i++) {
		struct segment seg = { .flags = RST, .seq = play->isn + (uint32_t)at[i] };

		send_packet(&play->flow, &seg);
	}
}
