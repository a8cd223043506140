// SPDX-License-Identifier: GPL-2.0
/* Runs the tests, or those whose name contains the argument, and prints TAP. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ktest.h"

static struct ktest *first, **last = &first;
static int failures;
static unsigned long long state;

void ktest_register(struct ktest *test)
{
	*last = test;
	last = &test->next;
}

void ktest_expect(int good, const char *text, const char *file, int line)
{
	if (good)
		return;
	failures++;
	printf("# %s:%d: not so: %s\n", file, line, text);
}

unsigned int ktest_random(unsigned int n)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(state >> 33) % n;
}

int main(int argc, char **argv)
{
	const char *seed = getenv("SEED");
	int n = 0, bad = 0;
	struct ktest *t;

	state = seed ? strtoull(seed, NULL, 0) : (unsigned long long)time(NULL);
	printf("TAP version 13\n# SEED=%llu\n", state);
	for (t = first; t; t = t->next) {
		if (argc > 1 && !strstr(t->name, argv[1]))
			continue;
		failures = 0;
		t->run();
		bad += failures > 0;
		printf("%s %d %s\n", failures ? "not ok" : "ok", ++n, t->name);
	}
	printf("1..%d\n", n);
	return bad > 0;
}
