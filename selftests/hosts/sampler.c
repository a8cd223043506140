// SPDX-License-Identifier: GPL-2.0
/*
 * Watch a file grow, such as what nc receives.
 *
 *	sampler NAME FILE
 *
 * A line "sample NAME TIME SIZE" (milliseconds of the wall clock, bytes) whenever FILE has become larger or smaller, a
 * hundred times a second at most; and twice a second anyway. It may start before FILE exists.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define STEP_MS		10
#define ANYWAY_MS	500

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	long long said_ms = 0, said = -1;

	if (argc != 3) {
		fprintf(stderr, "usage: sampler NAME FILE\n");
		return 2;
	}
	setlinebuf(stdout);
	for (;; nanosleep(&step, NULL)) {
		long long now = now_ms();
		struct stat st;
		long long size = stat(argv[2], &st) ? 0 : st.st_size;

		if (size == said && now - said_ms < ANYWAY_MS)
			continue;
		printf("sample %s %lld %lld\n", argv[1], now, size);
		said_ms = now;
		said = size;
	}
}
