// SPDX-License-Identifier: GPL-2.0
/* Two transcripts, side by side as diff shows them. */
#include <stdio.h>
#include <string.h>

#include "run.h"

#define LINES_MAX	400

struct lines {
	size_t count;
	const char *start[LINES_MAX];
	size_t length[LINES_MAX];
};

static void split(const char *text, struct lines *lines)
{
	const char *end;

	lines->count = 0;
	while (*text && lines->count < LINES_MAX) {
		end = strchrnul(text, '\n');
		lines->start[lines->count] = text;
		lines->length[lines->count++] = end - text;
		text = *end ? end + 1 : end;
	}
}

static bool same(const struct lines *a, size_t i, const struct lines *b, size_t j)
{
	return a->length[i] == b->length[j] && !memcmp(a->start[i], b->start[j], a->length[i]);
}

static void print_line(const char *mark, const struct lines *lines, size_t i)
{
	printf("# %-5s %.*s\n", mark, (int)lines->length[i], lines->start[i]);
}

/* The longest common subsequence, from the end; then it is walked from the beginning. True: there is a difference. */
bool diff_print(const char *name_a, const char *text_a, const char *name_b, const char *text_b)
{
	static unsigned short longest[LINES_MAX + 1][LINES_MAX + 1];
	static struct lines a, b;
	size_t i, j;

	if (!strcmp(text_a, text_b))
		return false;
	split(text_a, &a);
	split(text_b, &b);
	memset(longest, 0, sizeof(longest));
	for (i = a.count; i-- > 0;) {
		for (j = b.count; j-- > 0;) {
			unsigned short skip = longest[i + 1][j] > longest[i][j + 1] ? longest[i + 1][j] : longest[i][j + 1];

			longest[i][j] = same(&a, i, &b, j) ? longest[i + 1][j + 1] + 1 : skip;
		}
	}
	i = j = 0;
	while (i < a.count || j < b.count) {
		if (i < a.count && j < b.count && same(&a, i, &b, j)) {
			print_line("", &a, i++);
			j++;
		} else if (i < a.count && (j == b.count || longest[i + 1][j] >= longest[i][j + 1])) {
			print_line(name_a, &a, i++);
		} else {
			print_line(name_b, &b, j++);
		}
	}
	return true;
}
