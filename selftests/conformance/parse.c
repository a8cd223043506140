// SPDX-License-Identifier: GPL-2.0
/* Segments as scripts write them: FLAGS [SEQ[:END]] [ack N] [win N] [<options>] [what is wrong with it]. */
#include <stdlib.h>
#include <string.h>
#include "script.h"
#include "segment.h"

bool parse_duration(const char *word, uint64_t *us)
{
	char *unit;
	double n = strtod(word, &unit);

	if (unit == word || n < 0)
		return false;
	if (!strcmp(unit, "us"))
		*us = n;
	else if (!strcmp(unit, "ms"))
		*us = n * 1000;
	else if (!strcmp(unit, "s"))
		*us = n * 1000000;
	else
		return false;
	return true;
}

static bool parse_flags(const char *word, struct seg_spec *spec)
{
	static const char letters[] = "FSRPAUEW";

	if (!strcmp(word, "*")) {
		spec->any_flags = true;
		return true;
	}
	if (!strcmp(word, "-"))
		return true;
	for (; *word; word++) {
		const char *at = strchr(letters, *word);

		if (!at)
			return false;
		spec->flags |= 1 << (at - letters);
	}
	return true;
}

static bool parse_option(char *text, struct opt_spec *opt)
{
	static const struct { const char *name; enum opt_kind kind; unsigned int least, most; } kinds[] = {
		{ "mss", O_MSS, 1, 1 }, { "wscale", O_WSCALE, 1, 1 }, { "sackok", O_SACKOK, 0, 0 }, { "ts", O_TS, 0, 2 },
		{ "sack", O_SACK, 1, SACKS_MAX }, { "nop", O_NOP, 0, 0 }, { "eol", O_EOL, 0, 0 }, { "raw", O_RAW, 1, 1 },
	};
	char *save, *word = strtok_r(text, " \t", &save);

	for (unsigned int i = 0; word && i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(word, kinds[i].name))
			continue;
		opt->kind = kinds[i].kind;
		while ((word = strtok_r(NULL, " \t", &save)) && opt->n < ARGS_MAX)
			opt->arg[opt->n++] = word;
		return opt->n >= kinds[i].least && opt->n <= kinds[i].most;
	}
	return false;
}

/* <a 1, b 2 3, c>, all in one word */
static bool parse_options(char *word, struct seg_spec *spec)
{
	char *save, *one;

	spec->opts_given = true;
	word[strlen(word) - 1] = 0;
	for (one = strtok_r(word + 1, ",", &save); one; one = strtok_r(NULL, ",", &save)) {
		if (one[strspn(one, " \t")] == 0)
			continue;
		if (spec->n_opts == OPT_SPECS_MAX || !parse_option(one, &spec->opts[spec->n_opts++]))
			return false;
	}
	return true;
}

static bool parse_bound(struct bound *bound, const char *word)
{
	bound->op = '=';
	if (*word == '<' || *word == '>') {
		bound->op = *word++;
		if (*word == '=') {
			bound->op = bound->op == '<' ? 'l' : 'g';
			word++;
		}
	} else if (*word == '!' && word[1] == '=') {
		bound->op = '!';
		word += 2;
	}
	bound->expr = word;
	return *word;
}

static void parse_range(char *word, struct seg_spec *spec)
{
	char *colon = strchr(word, ':');

	if (colon) {
		*colon = 0;
		spec->end = colon + 1;
	}
	spec->seq = word;
}

/* A modifier with an argument, or NULL. */
static const char **valued(struct seg_spec *spec, const char *word)
{
	const struct { const char *name; const char **to; } all[] = {
		{ "urg", &spec->urg }, { "by", &spec->by }, { "tos", &spec->tos }, { "doff", &spec->doff },
		{ "reserved", &spec->reserved }, { "cut", &spec->cut }, { "fragments", &spec->fragment }, { "fill", &spec->fill },
	};

	for (unsigned int i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(word, all[i].name))
			return all[i].to;
	return NULL;
}

static bool *flagged(struct seg_spec *spec, const char *word)
{
	if (!strcmp(word, "badsum"))
		return &spec->bad_sum;
	if (!strcmp(word, "reversed"))
		return &spec->reverse;
	if (!strcmp(word, "hole"))
		return &spec->hole;
	return NULL;
}

/* What may stand behind the flags instead of sequence numbers. */
static bool is_keyword(struct seg_spec *spec, const char *word)
{
	return strchr("<@|", *word) || !strcmp(word, "ack") || !strcmp(word, "win") || !strcmp(word, "within") ||
	       !strcmp(word, "for") || valued(spec, word) || flagged(spec, word);
}

static bool parse_modifier(struct seg_spec *spec, bool sending, char **words, unsigned int n, unsigned int *at)
{
	const char *word = words[*at], *next = *at + 1 < n ? words[*at + 1] : NULL, **value = valued(spec, word);
	bool *flag = flagged(spec, word);

	if (!strcmp(word, "ack") || !strcmp(word, "win")) {
		if (!next || !parse_bound(*word == 'a' ? &spec->ack : &spec->win, next))
			return false;
		*at += 2;
		return true;
	}
	if (value && next && (sending || value == &spec->tos)) {
		*value = next;
		*at += 2;
		return true;
	}
	if (flag && sending) {
		*flag = true;
		++*at;
		return true;
	}
	return false;
}

bool parse_segment(struct seg_spec *spec, bool sending, char **words, unsigned int n, unsigned int *at, const char **why)
{
	*why = "no flags";
	if (*at >= n || !parse_flags(words[(*at)++], spec))
		return false;
	if (*at < n && !is_keyword(spec, words[*at]))
		parse_range(words[(*at)++], spec);
	while (*at < n) {
		char *word = words[*at];

		if (*word == '<') {
			*why = "no such options";
			if (!parse_options(word, spec))
				return false;
			++*at;
		} else if (!parse_modifier(spec, sending, words, n, at)) {
			break;
		}
	}
	return true;
}
