// SPDX-License-Identifier: GPL-2.0
/* Is this the segment that the script expects? */
#include <stdio.h>
#include <string.h>
#include "play.h"

bool match_compare(int64_t a, char op, int64_t b)
{
	switch (op) {
	case '=': return a == b;
	case '!': return a != b;
	case '<': return a < b;
	case '>': return a > b;
	case 'l': return a <= b;
	case 'g': return a >= b;
	default: return true;
	}
}

/* "*" is anything, "?name" is kept under that name. */
static bool number(struct play *play, const char *expr, char op, int64_t seen)
{
	int64_t wanted;

	if (!expr || !strcmp(expr, "*"))
		return true;
	if (*expr == '?')
		return play_set(play, expr + 1, seen);
	return play_value(play, expr, &wanted) && match_compare(seen, op, wanted);
}

static bool sacks(struct play *play, const struct opt_spec *opt, const struct options *found)
{
	if (opt->n != found->n_sacks)
		return false;
	for (unsigned int i = 0; i < opt->n; i++) {
		char text[100], *colon;

		snprintf(text, sizeof(text), "%s", opt->arg[i]);
		if (!strcmp(text, "*"))
			continue;
		colon = strchr(text, ':');
		if (!colon)
			return play_fail(play, "a SACK block is FROM:TO");
		*colon = 0;
		if (!number(play, text, '=', play_our_seq(play, found->sacks[i].from)) ||
		    !number(play, colon + 1, '=', play_our_seq(play, found->sacks[i].to)))
			return false;
	}
	return true;
}

static bool timestamps(struct play *play, const struct opt_spec *opt, const struct options *found)
{
	return found->ts_ok && (opt->n < 1 || number(play, opt->arg[0], '=', found->tsval)) &&
	       (opt->n < 2 || number(play, opt->arg[1], '=', (int32_t)(found->tsecr - play->ts_base)));
}

static bool option(struct play *play, const struct opt_spec *opt, const struct options *found)
{
	switch (opt->kind) {
	case O_MSS: return found->mss_ok && number(play, opt->arg[0], '=', found->mss);
	case O_WSCALE: return found->wscale_ok && number(play, opt->arg[0], '=', found->wscale);
	case O_SACKOK: return found->sack_ok;
	case O_TS: return timestamps(play, opt, found);
	case O_SACK: return sacks(play, opt, found);
	default: return true;
	}
}

static bool named(const struct seg_spec *spec, enum opt_kind kind)
{
	for (unsigned int i = 0; i < spec->n_opts; i++)
		if (spec->opts[i].kind == kind)
			return true;
	return false;
}

/* All that are named and no others; timestamps need no mention where they were agreed on, the watch looks after them. */
static const char *options(struct play *play, const struct seg_spec *spec, const struct options *found)
{
	bool ts = named(spec, O_TS) || play->watch.agreed.ts_ok;

	if (!spec->opts_given)
		return NULL;
	for (unsigned int i = 0; i < spec->n_opts; i++)
		if (!option(play, &spec->opts[i], found))
			return "an option that is missing, or another than expected";
	if ((found->mss_ok && !named(spec, O_MSS)) || (found->wscale_ok && !named(spec, O_WSCALE)) ||
	    (found->sack_ok && !named(spec, O_SACKOK)) || (found->n_sacks && !named(spec, O_SACK)) || (found->ts_ok && !ts))
		return "an option that was not expected";
	return NULL;
}

const char *match(struct play *play, const struct seg_spec *spec, const struct segment *seg)
{
	uint8_t flags = seg->flags & ~PSH;
	int64_t seq = play_their_seq(play, seg->seq), to;

	if (!spec->any_flags && flags != (spec->flags & ~PSH))
		return "flags";
	if (!number(play, spec->seq, '=', seq))
		return "sequence number";
	to = seq + seg->len;
	if (spec->seq && !spec->any_flags && !spec->end && seg->len)
		return "data that was not expected";
	if (spec->end && !strcmp(spec->end, "+") ? !seg->len : !number(play, spec->end, '=', to))
		return "length";
	if ((flags & ACK) && !number(play, spec->ack.expr, spec->ack.op, play_our_seq(play, seg->ack)))
		return "acknowledgement";
	if (!number(play, spec->win.expr, spec->win.op, seg->win))
		return "window";
	if (!number(play, spec->tos, '=', seg->tos))
		return "traffic class";
	return options(play, spec, &seg->found);
}
