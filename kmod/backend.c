// SPDX-License-Identifier: GPL-2.0
/* The table of backends. */
#include <linux/kernel.h>
#include <linux/string.h>
#include "backend.h"

static const struct ftcp_backend * const backends[] = { &ftcp_echo, &ftcp_discard, &ftcp_chargen, &ftcp_socket };

const struct ftcp_backend *ftcp_backend_find(const char *name)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(backends); i++)
		if (!strcmp(backends[i]->name, name))
			return backends[i];
	return NULL;
}
