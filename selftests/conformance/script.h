/* SPDX-License-Identifier: GPL-2.0 */
/* Scripts, parsed. The language is described at the head of packet_play.c. */
#ifndef CONFORMANCE_SCRIPT_H
#define CONFORMANCE_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#define ARGS_MAX	8
#define OPT_SPECS_MAX	16

enum verb {
	V_SEND, V_EXPECT, V_AWAIT, V_NO, V_RECEIVE, V_DRAIN, V_WAIT, V_TIME, V_LET, V_CHECK, V_ICMP, V_FLOOD, V_UNFLOOD, V_ABORT,
	V_RENEW, V_WINDOW,
};

enum opt_kind { O_MSS, O_WSCALE, O_SACKOK, O_TS, O_SACK, O_NOP, O_EOL, O_RAW };

struct opt_spec {
	enum opt_kind kind;
	unsigned int n;
	const char *arg[ARGS_MAX];
};

/* What a number is to be: @op is one of = ! < > l (<=) g (>=), 0 for anything; @expr is text. */
struct bound {
	char op;
	const char *expr;
};

/* A segment as a script writes it. What is NULL or not given takes its default when it is sent, and matches all when it is expected. */
struct seg_spec {
	uint8_t flags;
	bool any_flags;
	const char *seq, *end;
	struct bound ack, win;
	bool opts_given;
	unsigned int n_opts;
	struct opt_spec opts[OPT_SPECS_MAX];
	/* sending only */
	const char *urg, *by, *tos, *doff, *reserved, *cut, *fragment, *fill;
	bool bad_sum, reverse, hole;
};

struct step {
	enum verb verb;
	unsigned int line;
	const char *text;
	unsigned int n_segs;
	struct seg_spec *segs;		/* alternatives, when they are expected */
	const char *label;
	uint64_t limit_us;		/* 0: the default */
	unsigned int n_args;
	const char *arg[ARGS_MAX];
};

struct script {
	const char *name;		/* AREA/NAME */
	const char *title;		/* the first line */
	const char *todo;		/* or NULL */
	const char *service;
	const char *wrap;		/* expression: where in the client's sequence numbers 2^32 lies */
	bool only4, only6, alone;
	unsigned int n_steps;
	struct step *steps;
};

/** script_load() - NULL, and the reason is on standard error */
struct script *script_load(const char *path);

/** parse_segment() - words from @words[*@at] on into @spec; false: *@why */
bool parse_segment(struct seg_spec *spec, bool sending, char **words, unsigned int n, unsigned int *at, const char **why);
/** parse_duration() - "50ms", "2s", "300us" */
bool parse_duration(const char *word, uint64_t *us);

/**
 * expr_eval() - the value of an expression: numbers, names, + - * and nothing else, no spaces
 * @lookup: finds a name's value
 *
 * False: it is none.
 */
typedef bool (*expr_lookup)(void *ctx, const char *name, int64_t *value);
bool expr_eval(const char *expr, expr_lookup lookup, void *ctx, int64_t *value);

#endif
