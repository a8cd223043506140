/* SPDX-License-Identifier: GPL-2.0 */
/* A test is TEST(function__case) { ... EXPECT(...); }: it registers itself; main() in test_main.c runs them all. */
#ifndef KTEST_H
#define KTEST_H

#include <stdio.h>

struct ktest {
	const char *name;
	void (*run)(void);
	struct ktest *next;
};

void ktest_register(struct ktest *test);
/** ktest_expect() - counts and tells when @good is false */
void ktest_expect(int good, const char *text, const char *file, int line);
/** ktest_random() - below @n; from the seed that is printed at the start, SEED= replays it */
unsigned int ktest_random(unsigned int n);

#define TEST(id)							\
	static void id(void);						\
	static struct ktest test_##id = { .name = #id, .run = id };	\
	__attribute__((constructor)) static void register_##id(void)	\
	{								\
		ktest_register(&test_##id);				\
	}								\
	static void id(void)

#define EXPECT(x) ktest_expect(!!(x), #x, __FILE__, __LINE__)

#endif
