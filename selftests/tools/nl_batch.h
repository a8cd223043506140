/* SPDX-License-Identifier: GPL-2.0 */
/* Batches of include/ftcp/batch.h: one that is right, and what a hostile or broken peer would make of it. */
#ifndef NL_BATCH_H
#define NL_BATCH_H

#include <stddef.h>
#include <stdint.h>
#include <ftcp/batch.h>

#define NL_BATCH_MAX 16384

struct nl_batch {
	uint64_t epoch;
	uint64_t sync_id;
	uint64_t no;
	uint16_t flags;
	uint16_t port;		/* of the service its connections belong to */
	unsigned int records;
	uint64_t received;	/* each connection: bytes received, consumed, and echoed until now */
	uint32_t fresh;		/* ... and of those, bytes that come with this batch, in both directions */
};

/** nl_batch_make() - a batch that a primary could have made; returns its length */
size_t nl_batch_make(const struct nl_batch *batch, unsigned char *to);

/** nl_batch_spoil() - change something; the header stays that of a batch unless @deep is 0. Returns the new length */
size_t nl_batch_spoil(unsigned char *bytes, size_t len, uint64_t *random, int deep);

#endif
