/* SPDX-License-Identifier: GPL-2.0 */
/* Where a server stands in a connection, in a file named after the connection. */
#ifndef PLACE_H
#define PLACE_H

#include <stdint.h>

struct place {
	uint64_t in;		/* input below is dealt with */
	uint64_t out;		/* by the output below */
	uint32_t state;		/* what the rest of the output depends on */
	uint32_t reserved;
};

/* Opens the file of a connection in a directory; what is not there yet begins at 0. Returns a descriptor, or -1. */
int place_open(int dir, uint64_t id, struct place *place);

/* One small write at one place: a process that is killed has written it all, or nothing. */
int place_save(int fd, const struct place *place);

void place_forget(int dir, uint64_t id);

#endif
