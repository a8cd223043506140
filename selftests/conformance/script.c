// SPDX-License-Identifier: GPL-2.0
/* Script files: lines into steps. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "script.h"
#include "segment.h"

#define WORDS_MAX	64
#define STEPS_MAX	400
#define ALTERNATIVES_MAX 4
#define TITLE_LINE	1

struct line {
	struct script *script;
	const char *path;
	unsigned int no;
	const char *text;	/* as written */
	unsigned int n;
	char *words[WORDS_MAX];
	const char *why;
};

static const struct { const char *name; enum verb verb; unsigned int least, most; } verbs[] = {
	{ "send", V_SEND, 0, 0 }, { "expect", V_EXPECT, 0, 0 }, { "await", V_AWAIT, 0, 0 }, { "no", V_NO, 0, 0 },
	{ "receive", V_RECEIVE, 1, 1 }, { "drain", V_DRAIN, 1, 1 }, { "wait", V_WAIT, 1, 1 },
	{ "time", V_TIME, 2, 4 }, { "let", V_LET, 2, 2 }, { "check", V_CHECK, 3, 3 }, { "icmp", V_ICMP, 2, 5 }, { "flood", V_FLOOD, 1, 1 }, { "unflood", V_UNFLOOD, 0, 0 },
	{ "abort", V_ABORT, 0, 0 }, { "renew", V_RENEW, 1, 1 }, { "window", V_WINDOW, 1, 1 },
};

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

/* Words are separated by blanks; <...> is one word, unless it is a comparison. */
static bool split(struct line *line, char *at)
{
	for (;;) {
		at += strspn(at, " \t");
		if (!*at || *at == '#')
			return true;
		if (line->n == WORDS_MAX)
			return false;
		line->words[line->n++] = at;
		if (*at == '<' && strchr(at, '>') && at[1] != '=')
			at = strchr(at, '>') + 1;
		else
			at += strcspn(at, " \t");
		if (*at)
			*at++ = 0;
	}
}

static struct step *add_step(struct line *line, enum verb verb)
{
	struct script *script = line->script;
	struct step *step;

	if (script->n_steps == STEPS_MAX)
		return NULL;
	step = &script->steps[script->n_steps++];
	step->verb = verb;
	step->line = line->no;
	step->text = line->text;
	return step;
}

/* What may follow a segment that is expected: @label, within T, for T. */
static bool parse_tail(struct line *line, struct step *step, unsigned int at)
{
	while (at < line->n) {
		const char *word = line->words[at++];

		if (*word == '@' && word[1]) {
			step->label = word + 1;
		} else if ((!strcmp(word, "within") || !strcmp(word, "for")) && at < line->n) {
			if (!parse_duration(line->words[at++], &step->limit_us))
				return false;
		} else {
			line->why = word;
			return false;
		}
	}
	return true;
}

static bool parse_segments(struct line *line, struct step *step)
{
	bool sending = step->verb == V_SEND;
	unsigned int at = 1;

	step->segs = must(calloc(ALTERNATIVES_MAX, sizeof(*step->segs)));
	do {
		if (step->n_segs == ALTERNATIVES_MAX)
			return false;
		if (!parse_segment(&step->segs[step->n_segs++], sending, line->words, line->n, &at, &line->why))
			return false;
	} while (!sending && at < line->n && !strcmp(line->words[at], "|") && ++at);
	return parse_tail(line, step, at);
}

static bool parse_args(struct line *line, struct step *step, unsigned int least, unsigned int most)
{
	unsigned int at = 1;

	while (at < line->n && *line->words[at] != '@' && strcmp(line->words[at], "within") && strcmp(line->words[at], "for")) {
		if (step->n_args == ARGS_MAX)
			return false;
		step->arg[step->n_args++] = line->words[at++];
	}
	return step->n_args >= least && step->n_args <= most && parse_tail(line, step, at);
}

static bool parse_line(struct script *script, const char *path, unsigned int no, const char *text);

static bool also(struct line *line, const char *format, ...)
{
	char text[1000];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return parse_line(line->script, line->path, line->no, strdup(text));
}

/* open [slow] [win N] [<options>]: the three segments of RFC 9293, 3.5; slow: of a client that is far away */
static bool open(struct line *line)
{
	const char *win = "65535", *options = "<mss 1460>";
	unsigned int at = 1;
	bool slow = at < line->n && !strcmp(line->words[at], "slow");

	at += slow;
	if (at + 1 < line->n && !strcmp(line->words[at], "win")) {
		win = line->words[at + 1];
		at += 2;
	}
	if (at < line->n && *line->words[at] == '<')
		options = line->words[at++];
	return at == line->n && also(line, "window %s", win) && also(line, "send S 0 %s", options) &&
	       also(line, "expect SA 0 ack 1") && (!slow || also(line, "wait 300ms")) && also(line, "send A 1 ack 1");
}

/* echo A:B: that much there and back, and all of it acknowledged */
static bool echo(struct line *line)
{
	const char *colon = line->n == 2 ? strchr(line->words[1], ':') : NULL;

	return colon && also(line, "send PA %s by 1000", line->words[1]) && also(line, "receive %s", colon + 1) && also(line, "send A");
}

/* Whether it is one: what is no step of the play. */
static bool directive(struct line *line, bool *good)
{
	struct script *script = line->script;
	const char *verb = line->words[0], *arg = line->n > 1 ? line->words[1] : NULL;

	*good = true;
	if (!strcmp(verb, "service") && arg)
		script->service = arg;
	else if (!strcmp(verb, "wrap") && arg)
		script->wrap = arg;
	else if (!strcmp(verb, "only") && arg && !strcmp(arg, "v4"))
		script->only4 = true;
	else if (!strcmp(verb, "only") && arg && !strcmp(arg, "v6"))
		script->only6 = true;
	else if (!strcmp(verb, "alone"))
		script->alone = true;
	else if (!strcmp(verb, "open"))
		*good = open(line);
	else if (!strcmp(verb, "echo"))
		*good = echo(line);
	else
		return false;
	return true;
}

static bool parse_words(struct line *line)
{
	struct step *step;
	bool good;

	if (!line->n || directive(line, &good))
		return !line->n || good;
	/* nothing for T: no segment at all */
	if (!strcmp(line->words[0], "nothing")) {
		if (line->n == WORDS_MAX)
			return false;
		memmove(line->words + 2, line->words + 1, --line->n * sizeof(*line->words));
		line->words[0] = must(strdup("no"));
		line->words[1] = must(strdup("*"));
		line->n += 2;
	}
	for (unsigned int i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(line->words[0], verbs[i].name))
			continue;
		step = add_step(line, verbs[i].verb);
		if (!step)
			return false;
		if (step->verb <= V_NO)
			return parse_segments(line, step);
		return parse_args(line, step, verbs[i].least, verbs[i].most);
	}
	line->why = "no such verb";
	return false;
}

static bool parse_line(struct script *script, const char *path, unsigned int no, const char *text)
{
	struct line line = { .script = script, .path = path, .no = no, .text = text, .why = "not understood" };

	if (split(&line, must(strdup(text))) && parse_words(&line))
		return true;
	fprintf(stderr, "%s:%u: %s: %s\n", path, no, line.why, text);
	return false;
}

/* SCRIPTS/AREA/NAME.pkt */
static const char *name_of(const char *path)
{
	const char *area = path;
	char *name;

	for (const char *at = path; (at = strchr(at, '/')); at++)
		if (strchr(at + 1, '/'))
			area = at + 1;
	name = must(strdup(area));
	if (strlen(name) > 4 && !strcmp(name + strlen(name) - 4, ".pkt"))
		name[strlen(name) - 4] = 0;
	return name;
}

static bool load_lines(struct script *script, const char *path, FILE *file)
{
	char text[1000];
	bool good = true;

	for (unsigned int no = 1; fgets(text, sizeof(text), file); no++) {
		text[strcspn(text, "\n")] = 0;
		if (no == TITLE_LINE && !strncmp(text, "# RFC ", 6))
			script->title = must(strdup(text + 2));
		else if (!strncmp(text, "# todo: ", 8))
			script->todo = must(strdup(text + 8));
		else
			good &= parse_line(script, path, no, must(strdup(text)));
	}
	if (!script->title) {
		fprintf(stderr, "%s: the first line has to name an RFC\n", path);
		return false;
	}
	return good;
}

/* Unless the script says where: in the middle of the data that it sends, as far as that can be told beforehand. */
static void place_wrap(struct script *script)
{
	int64_t value, most = 1;
	char *text;

	if (script->wrap)
		return;
	for (unsigned int i = 0; i < script->n_steps; i++) {
		const struct step *step = &script->steps[i];

		if (step->verb == V_SEND && step->segs->end && expr_eval(step->segs->end, NULL, NULL, &value) && value > most)
			most = value;
	}
	text = must(malloc(24));
	snprintf(text, 24, "%lld", (long long)(1 + most / 2));
	script->wrap = text;
}

struct script *script_load(const char *path)
{
	struct script *script = must(calloc(1, sizeof(*script)));
	FILE *file = fopen(path, "r");
	bool good;

	script->name = name_of(path);
	script->service = "echo";
	script->steps = must(calloc(STEPS_MAX, sizeof(*script->steps)));
	if (!file) {
		perror(path);
		return NULL;
	}
	good = load_lines(script, path, file);
	fclose(file);
	place_wrap(script);
	return good ? script : NULL;
}
