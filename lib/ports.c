// SPDX-License-Identifier: GPL-2.0
/* A set of ports, read from a list. */
#include <ctype.h>
#include <stdlib.h>
#include "ports.h"

static bool parse_port(const char **at, unsigned long *port)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	*port = strtoul(*at, &end, 10);
	*at = end;
	return *port >= 1 && *port <= 65535;
}

bool ports_parse(struct ports *ports, const char *list)
{
	unsigned long first, last;

	for (;; list++) {
		if (!parse_port(&list, &first))
			return false;
		last = first;
		if (*list == '-') {
			list++;
			if (!parse_port(&list, &last) || last < first)
				return false;
		}
		for (; first <= last; first++)
			ports->bits[first / 8] |= 1 << first % 8;
		if (*list != ',')
			return !*list;
	}
}
