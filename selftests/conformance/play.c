// SPDX-License-Identifier: GPL-2.0
/* Playing: step by step, never waiting, so that many scripts are played at once. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "play.h"

enum outcome { O_DONE, O_WAITS, O_FAILED };

bool play_fail(struct play *play, const char *format, ...)
{
	va_list args;

	if (play->state == P_FAILED)
		return false;
	play->state = P_FAILED;
	va_start(args, format);
	vsnprintf(play->why, sizeof(play->why), format, args);
	va_end(args);
	return false;
}

/* ---- numbers ---- */

int64_t play_their_seq(const struct play *play, uint32_t seq)
{
	return play->rcv + (int32_t)(seq - (play->iss + (uint32_t)play->rcv));
}

int64_t play_our_seq(const struct play *play, uint32_t seq)
{
	return play->nxt + (int32_t)(seq - (play->isn + (uint32_t)play->nxt));
}

static int64_t *find(struct var *vars, unsigned int n, const char *name)
{
	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(vars[i].name, name))
			return &vars[i].value;
	return NULL;
}

static bool set(struct play *play, struct var *vars, unsigned int *n, const char *name, int64_t value)
{
	int64_t *known = find(vars, *n, name);

	if (!known && *n == VARS_MAX)
		return play_fail(play, "too many names");
	if (!known) {
		vars[*n].name = name;
		known = &vars[(*n)++].value;
	}
	*known = value;
	return true;
}

bool play_set(struct play *play, const char *name, int64_t value)
{
	return set(play, play->vars, &play->n_vars, name, value);
}

static bool lookup(void *ctx, const char *name, int64_t *value)
{
	struct play *play = ctx;
	const struct options *agreed = &play->watch.agreed;
	const struct var builtins[] = {
		{ "nxt", play->nxt > play->una ? play->nxt : play->una }, { "una", play->una }, { "rcv", play->rcv },
		{ "edge", play->edge }, { "mss", agreed->mss }, { "scale", agreed->wscale_ok ? agreed->wscale : 0 },
		{ "ip", play->flow.v6 ? 40 : 20 }, { "now", OUR_TS + (int64_t)(wire_now_us() - play->started_us) / 1000 },
		{ "last", play->last_ts },
	};
	int64_t *known = find(play->vars, play->n_vars, name);

	for (unsigned int i = 0; !known && i < sizeof(builtins) / sizeof(*builtins); i++) {
		if (strcmp(name, builtins[i].name))
			continue;
		*value = builtins[i].value;
		return true;
	}
	if (known)
		*value = *known;
	return known;
}

bool play_value(struct play *play, const char *expr, int64_t *value)
{
	return expr_eval(expr, lookup, play, value) || play_fail(play, "what is %s?", expr);
}

/* ---- what the script has read ---- */

static void note_data(struct play *play, int64_t from, int64_t to)
{
	bool more = true;

	if (to <= play->rcv)
		return;
	if (play->n_got < GOT_MAX)
		play->got[play->n_got++] = (struct range64){ from, to };
	while (more) {
		more = false;
		for (unsigned int i = 0; i < play->n_got; i++) {
			if (play->got[i].from > play->rcv)
				continue;
			if (play->got[i].to > play->rcv)
				play->rcv = play->got[i].to;
			play->got[i--] = play->got[--play->n_got];
			more = true;
		}
	}
}

static void read_segment(struct play *play, const struct segment *seg)
{
	int64_t from = play_their_seq(play, seg->seq), ack = play_our_seq(play, seg->ack), edge;
	unsigned int scale = play->watch.agreed.wscale_ok && !(seg->flags & SYN) ? play->watch.agreed.wscale : 0;

	if (seg->flags & RST)
		return;
	note_data(play, from, from + seg->len + !!(seg->flags & FIN) + !!(seg->flags & SYN));
	if (seg->found.ts_ok)
		play->last_ts = seg->found.tsval;
	if (ack > play->una)
		play->una = ack;
	edge = ack + ((int64_t)seg->win << scale);
	if (edge > play->edge)
		play->edge = edge;
}

static bool next_unread(struct play *play, struct segment *seg)
{
	if (!play->n_unread)
		return false;
	*seg = play->unread[0];
	memmove(play->unread, play->unread + 1, --play->n_unread * sizeof(*play->unread));
	return true;
}

void play_heard(struct play *play, const struct segment *seg)
{
	const char *broken;

	if (play->state != P_RUNNING)
		return;
	if ((seg->flags & SYN) && !play->iss_ok) {
		play->iss = seg->seq;
		play->iss_ok = true;
	}
	play_trace(play, '<', seg, seg->at_us);
	broken = watch_heard(play, seg);
	if (broken)
		play_fail(play, "%s", broken);
	else if (play->n_unread == UNREAD_MAX)
		play_fail(play, "too many segments that no step asks for");
	else
		play->unread[play->n_unread++] = *seg;
}

/* ---- steps ---- */

static const char *match_any(struct play *play, const struct step *step, const struct segment *seg)
{
	const char *different = NULL;

	for (unsigned int i = 0; i < step->n_segs; i++) {
		different = match(play, &step->segs[i], seg);
		if (!different)
			return NULL;
	}
	return different;
}

static enum outcome not_yet(struct play *play, const struct step *step, uint64_t now_us, const char *missing)
{
	play->deadline_us = play->step_us + (step->limit_us ? step->limit_us : PATIENCE_US);
	if (now_us < play->deadline_us)
		return O_WAITS;
	play_fail(play, "%s in time", missing);
	return O_FAILED;
}

static enum outcome expect(struct play *play, const struct step *step, uint64_t now_us)
{
	struct segment seg;
	const char *different;

	while (next_unread(play, &seg)) {
		read_segment(play, &seg);
		different = match_any(play, step, &seg);
		if (play->state == P_FAILED)
			return O_FAILED;
		if (!different) {
			if (step->limit_us && seg.at_us > play->step_us + step->limit_us)
				return not_yet(play, step, now_us, "not");
			return !step->label || set(play, play->times, &play->n_times, step->label, seg.at_us) ? O_DONE : O_FAILED;
		}
		if (step->verb == V_EXPECT) {
			play_fail(play, "another segment than expected: %s", different);
			return O_FAILED;
		}
	}
	return not_yet(play, step, now_us, "no such segment");
}

static enum outcome no(struct play *play, const struct step *step, uint64_t now_us)
{
	struct segment seg;

	play->deadline_us = play->step_us + (step->limit_us ? step->limit_us : GAP_US);
	while (next_unread(play, &seg)) {
		read_segment(play, &seg);
		if (!match_any(play, step, &seg)) {
			play_fail(play, "a segment that must not come");
			return O_FAILED;
		}
	}
	return now_us < play->deadline_us ? O_WAITS : O_DONE;
}

/* With or without an ACK for every segment. */
static enum outcome receive(struct play *play, const struct step *step, uint64_t now_us)
{
	static const struct seg_spec ack = { .flags = ACK };
	struct segment seg;
	int64_t end;

	if (!play_value(play, step->arg[0], &end))
		return O_FAILED;
	while (play->rcv < end && next_unread(play, &seg)) {
		read_segment(play, &seg);
		if (step->verb == V_DRAIN && seg.len && !act_send(play, &ack, now_us))
			return O_FAILED;
	}
	return play->rcv >= end ? O_DONE : not_yet(play, step, now_us, "not all of it");
}

static enum outcome pause(struct play *play, const struct step *step, uint64_t now_us)
{
	uint64_t us;

	if (!parse_duration(step->arg[0], &us)) {
		play_fail(play, "no duration: %s", step->arg[0]);
		return O_FAILED;
	}
	play->deadline_us = play->step_us + us;
	return now_us < play->deadline_us ? O_WAITS : O_DONE;
}

/* b-a, of the labels */
static bool interval(struct play *play, const char *text, double *us)
{
	char names[100], *minus;
	int64_t *to, *from;

	snprintf(names, sizeof(names), "%s", text);
	minus = strchr(names, '-');
	if (minus)
		*minus = 0;
	to = find(play->times, play->n_times, names);
	from = minus ? find(play->times, play->n_times, minus + 1) : NULL;
	if (!to || !from)
		return play_fail(play, "no such times: %s", text);
	*us = *to - *from;
	return true;
}

/* time b-a LOW..HIGH [of d-c] */
static bool check_time(struct play *play, const struct step *step)
{
	double seen, unit = 1, low, high;
	char range[100], *dots;
	uint64_t low_us, high_us;

	snprintf(range, sizeof(range), "%s", step->arg[1]);
	dots = strstr(range, "..");
	if (!dots || !interval(play, step->arg[0], &seen))
		return play_fail(play, "time B-A LOW..HIGH");
	*dots = 0;
	if (step->n_args == 4) {
		if (!interval(play, step->arg[3], &unit))
			return false;
		low = atof(range) * unit;
		high = atof(dots + 2) * unit;
	} else {
		if (!parse_duration(range, &low_us) || !parse_duration(dots + 2, &high_us))
			return play_fail(play, "no durations: %s", step->arg[1]);
		low = low_us;
		high = high_us;
	}
	return (seen >= low && seen <= high) || play_fail(play, "it took %.0f us, not %.0f to %.0f", seen, low, high);
}

static bool check(struct play *play, const struct step *step)
{
	static const struct { const char *text; char op; } ops[] = {
		{ "==", '=' }, { "=", '=' }, { "!=", '!' }, { "<", '<' }, { ">", '>' }, { "<=", 'l' }, { ">=", 'g' },
	};
	int64_t a, b;

	if (!play_value(play, step->arg[0], &a) || !play_value(play, step->arg[2], &b))
		return false;
	for (unsigned int i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		if (!strcmp(step->arg[1], ops[i].text))
			return match_compare(a, ops[i].op, b) || play_fail(play, "%lld and %lld", (long long)a, (long long)b);
	return play_fail(play, "compare with == != < > <= >=");
}

/* The same addresses and ports once more; the new initial number is given relative to the old one. */
static bool renew(struct play *play, const struct step *step)
{
	int64_t by;

	if (!play_value(play, step->arg[0], &by))
		return false;
	play->isn += (uint32_t)by;
	play->iss = 0;
	play->iss_ok = false;
	play->nxt = play->una = play->rcv = play->edge = 0;
	play->n_got = play->n_unread = 0;
	watch_reset(&play->watch);
	return true;
}

static bool act(struct play *play, const struct step *step, uint64_t now_us)
{
	int64_t value;

	switch (step->verb) {
	case V_SEND:
		return (!step->label || set(play, play->times, &play->n_times, step->label, now_us)) && act_send(play, step->segs, now_us);
	case V_TIME: return check_time(play, step);
	case V_CHECK: return check(play, step);
	case V_ICMP: return act_icmp(play, step);
	case V_FLOOD: return act_flood(play, step, false);
	case V_UNFLOOD: return act_flood(play, step, true);
	case V_ABORT: return act_abort(play);
	case V_RENEW: return renew(play, step);
	case V_LET: return play_value(play, step->arg[1], &value) && play_set(play, step->arg[0], value);
	case V_WINDOW:
		if (!play_value(play, step->arg[0], &value))
			return false;
		play->win = value;
		return true;
	default: return play_fail(play, "no such step");
	}
}

static enum outcome one_step(struct play *play, const struct step *step, uint64_t now_us)
{
	switch (step->verb) {
	case V_EXPECT:
	case V_AWAIT: return expect(play, step, now_us);
	case V_NO: return no(play, step, now_us);
	case V_RECEIVE:
	case V_DRAIN: return receive(play, step, now_us);
	case V_WAIT: return pause(play, step, now_us);
	default: return act(play, step, now_us) ? O_DONE : O_FAILED;
	}
}

void play_go(struct play *play, uint64_t now_us)
{
	while (play->state == P_RUNNING) {
		if (play->step == play->script->n_steps) {
			play->state = P_PASSED;
			return;
		}
		if (one_step(play, &play->script->steps[play->step], now_us) != O_DONE)
			return;
		play->step++;
		now_us = wire_now_us();
		play->step_us = now_us;
	}
}

void play_start(struct play *play, uint64_t now_us)
{
	play->state = P_RUNNING;
	play->started_us = play->step_us = now_us;
	play->win = 65535;
	play->trace = open_memstream(&play->traced, &play->traced_len);
	watch_reset(&play->watch);
	play_go(play, now_us);
}

void play_end(struct play *play)
{
	fclose(play->trace);
}
