/* SPDX-License-Identifier: GPL-2.0 */
/* Results of the native tests, as TAP. For one file: everything is static. */
#ifndef FTCP_TAP_H
#define FTCP_TAP_H

#include <stdbool.h>
#include <stdio.h>

static int tap_tests, tap_failures;

static inline void tap_ok(bool good, const char *name)
{
	tap_tests++;
	tap_failures += !good;
	printf("%sok %d %s\n", good ? "" : "not ", tap_tests, name);
	fflush(stdout);
}

static inline int tap_end(void)
{
	printf("1..%d\n", tap_tests);
	return tap_failures ? 1 : 0;
}

#endif
