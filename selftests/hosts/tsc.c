// SPDX-License-Identifier: GPL-2.0
/*
 * Print the frequency of this machine's time stamp counter in kHz; it is the virtual machines' counter, too. They would
 * measure it themselves as they boot, and get it badly wrong when they do not run all the time because the machine is
 * busy: clocks three times as fast have been seen.
 */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct moment {
	double ns, ticks;
};

/* The two readings that belong together are those that nothing came between: the closest of many. */
static struct moment now(void)
{
	struct moment best = { 0 };
	unsigned long long closest = -1;

	for (int i = 0; i < 1000; i++) {
		struct timespec ts;
		unsigned long long before = __rdtsc(), after;

		clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
		after = __rdtsc();
		if (after - before >= closest)
			continue;
		closest = after - before;
		best = (struct moment){ ts.tv_sec * 1e9 + ts.tv_nsec, before + closest / 2.0 };
	}
	return best;
}

int main(void)
{
	const struct timespec while_ = { .tv_nsec = 200000000 };
	struct moment begin = now(), end;

	nanosleep(&while_, NULL);
	end = now();
	printf("%.0f\n", (end.ticks - begin.ticks) / (end.ns - begin.ns) * 1e6);
	return 0;
}
