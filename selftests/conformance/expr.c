// SPDX-License-Identifier: GPL-2.0
/* Expressions: 1+3*mss-12. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "script.h"

#define NAME_MAX_BYTES 32

struct reader {
	const char *at;
	expr_lookup lookup;
	void *ctx;
	bool ok;
};

static int64_t factor(struct reader *r)
{
	char name[NAME_MAX_BYTES], *end;
	size_t len = 0;
	int64_t value;

	if (*r->at == '-') {
		r->at++;
		return -factor(r);
	}
	if (isdigit((unsigned char)*r->at)) {
		value = strtoll(r->at, &end, 0);
		r->at = end;
		return value;
	}
	while ((isalnum((unsigned char)*r->at) || *r->at == '_') && len < sizeof(name) - 1)
		name[len++] = *r->at++;
	name[len] = 0;
	if (len && r->lookup && r->lookup(r->ctx, name, &value))
		return value;
	r->ok = false;
	return 0;
}

static int64_t product(struct reader *r)
{
	int64_t value = factor(r);

	while (r->ok && (*r->at == '*' || *r->at == '/')) {
		bool times = *r->at++ == '*';
		int64_t other = factor(r);

		if (!times && !other)
			r->ok = false;
		else
			value = times ? value * other : value / other;
	}
	return value;
}

bool expr_eval(const char *expr, expr_lookup lookup, void *ctx, int64_t *value)
{
	struct reader r = { .at = expr, .lookup = lookup, .ctx = ctx, .ok = true };

	*value = product(&r);
	while (r.ok && (*r.at == '+' || *r.at == '-')) {
		bool plus = *r.at++ == '+';
		int64_t other = product(&r);

		*value += plus ? other : -other;
	}
	return r.ok && !*r.at;
}
