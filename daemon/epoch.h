/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The highest epoch that this host's kernel was ever in, on disk: the kernel forgets it when the host, or the module, is
 * started again. One file for each group, one line: what it is, the group, the epoch, and a check over all that.
 *
 * A takeover does not wait for the disk: clients are waiting, and a busy disk takes seconds. A host that dies after a takeover and
 * before its epoch is durable does not know of it when it is back; a primary that it took over from, cut off all the while, then
 * does not hear of it either, and goes on with what clients have seen less of. That takes a cut and a second failure within
 * the time of one write; to have every takeover wait for the disk was not worth that.
 */
#ifndef FTCP_EPOCH_H
#define FTCP_EPOCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "loop.h"

struct epoch {
	struct loop *loop;
	const char *path;
	const char *group;
	uint64_t highest;		/* ever */
	uint64_t stored;		/* of these, on disk */
	uint64_t writing;
	pid_t pid;			/* who writes; 0: nobody */
	struct loop_io written;
	struct loop_timer write;
	bool foreign;			/* the file is not ours, and stays as it is */
	bool told;			/* that it cannot be written */
};

enum epoch_found {
	EPOCH_GOOD,
	EPOCH_MISSING,
	EPOCH_DAMAGED,	/* it was one of this group */
	EPOCH_FOREIGN,	/* something else */
	EPOCH_ERROR,	/* errno */
};

/** epoch_open() - read what there is; what is wrong with it is logged, and no reason not to start */
void epoch_open(struct epoch *epoch, struct loop *loop, const char *path, const char *group);
/** epoch_note() - the kernel is in epoch @now: seen to that a later process will know, but not at once */
void epoch_note(struct epoch *epoch, uint64_t now);
/** epoch_close() - what is being written will be, all the same */
void epoch_close(struct epoch *epoch);

/* ---- for epoch.c and its test ---- */

/** epoch_read() - @value: 0, unless it is good */
enum epoch_found epoch_read(const char *path, const char *group, uint64_t *value);
/** epoch_write() - durable when it returns, which may take long; never replaces a higher one. 0 or an errno, positive */
int epoch_write(const char *path, const char *group, uint64_t value);

#endif
