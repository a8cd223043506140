/* SPDX-License-Identifier: GPL-2.0 */
/* Reading and writing the batch format of include/ftcp/batch.h. Whatever comes in may be garbage. */
#ifndef FTCP_CORE_BATCH_H
#define FTCP_CORE_BATCH_H

#include <ftcp/batch.h>
#include "repl.h"

/* A header, in host order. */
struct ftcp_batch {
	u16 flags;
	u64 epoch;
	u64 sync_id;
	u64 no;
	u32 ts_ms;
	u32 records;
	u32 bytes;
	u8 key[16];
};

/* The connection a record speaks of. */
struct ftcp_batch_tuple {
	u8 laddr[16];
	u8 raddr[16];
	u16 lport;
	u16 rport;
	u16 service;	/* enum ftcp_record_service */
};

enum ftcp_batch_error {
	FTCP_BATCH_OK,
	FTCP_BATCH_SHORT,	/* truncated */
	FTCP_BATCH_NOT_ONE,	/* wrong magic */
	FTCP_BATCH_WRONG_VERSION,
	FTCP_BATCH_WRONG_LENGTH,
	FTCP_BATCH_BAD_RECORD,	/* unknown type, a state that is never shipped, an unknown kind of service, lengths beyond the batch */
};

void ftcp_batch_write_header(const struct ftcp_batch *batch, u8 *buf);
enum ftcp_batch_error ftcp_batch_read_header(struct ftcp_batch *batch, const u8 *buf, u32 avail);

/** ftcp_batch_write_record() - the fixed part only (sizeof(struct ftcp_batch_record) bytes); the payload follows it */
void ftcp_batch_write_record(const struct ftcp_batch_tuple *tuple, const struct ftcp_record *rec, u8 type, u8 *buf);

/**
 * ftcp_batch_read_record() - the next record at @buf
 * @avail: what is left of the batch
 *
 * On OK the received payload stands at @buf + sizeof(struct ftcp_batch_record), the sent payload behind it; all of it within @avail.
 */
enum ftcp_batch_error ftcp_batch_read_record(struct ftcp_batch_tuple *tuple, struct ftcp_record *rec, u8 *type,
					     const u8 *buf, u32 avail);

/** ftcp_batch_error_text() - what is wrong, for an extack message or a log */
const char *ftcp_batch_error_text(enum ftcp_batch_error error);

#endif
