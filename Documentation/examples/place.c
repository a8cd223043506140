// SPDX-License-Identifier: GPL-2.0
/*
 * A killed process leaves what it wrote in the page cache, so there is no fsync() here. It would not help against the death of the host either:
 * there the connection goes on on another host, which does not have this file (resume_echo without DIRECTORY shows that case).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "place.h"

static const char *name_of(uint64_t id)
{
	static char name[32];

	snprintf(name, sizeof(name), "%016llx", (unsigned long long)id);
	return name;
}

int place_open(int dir, uint64_t id, struct place *place)
{
	int fd = openat(dir, name_of(id), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	memset(place, 0, sizeof(*place));
	if (fd >= 0 && pread(fd, place, sizeof(*place), 0) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int place_save(int fd, const struct place *place)
{
	return pwrite(fd, place, sizeof(*place), 0) == sizeof(*place) ? 0 : -1;
}

void place_forget(int dir, uint64_t id)
{
	unlinkat(dir, name_of(id), 0);
}
