/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two daemons say to each other, over TCP. All numbers are big-endian.
 *
 *	header: u32 magic, u8 type, u8 flags (0), u16 reserved (0), u32 length of the payload
 *	state:  u64 epoch, u64 sync_id, u64 batch_no, u8 role, u8 sync, u8 prefers_primary, u8 forgot, u8[4] 0.
 *	        The epoch is the highest that the host's kernel was ever in; forgot: it is in a lower one, and was started
 *	        again since
 *
 *	type       from     payload
 *	HELLO      both     u16 version, u8 loss policy, u8 purpose, u32 heartbeat_ms, u32 dead_after_ms, u64 instance,
 *	                    char[32] group, state. Always the first frame of either side. Purpose of the connection, for
 *	                    whoever opens it to say: 0 this is the link, 1 batches: this is a channel
 *	HEARTBEAT  both     state, u64 the sender's CLOCK_REALTIME in ms. Each heartbeat_ms, and when the state changes
 *	PREPARE    primary  u64 token. I am going to replicate: where do you stand?
 *	READY      standby  u64 token of the PREPARE, state
 *	BATCH      primary  u64 sync_id, u64 number, the batch, unread
 *	ACK        standby  u64 sync_id, u64 number: held up to there
 *	REFUSED    standby  u64 sync_id, u64 number, the kernel's words
 *	BYE        both     u32 reason. The daemon ends; its kernel goes on as it is
 *
 * PREPARE and READY stand before all replication, on a new link and on an old one, because batches are numbered and the
 * kernels take a number that they know for a batch that they hold: the primary must begin behind exactly the last one that
 * the standby has applied, and only READY, which comes after everything that was on the way, can tell which that is.
 *
 * They stand on the link, and BATCH, ACK and REFUSED behind them; or on a channel, which the daemons then give to their
 * kernels, with not a byte unread: ftcp/frame.h has what these say there. REFUSED is said on the link in either case.
 */
#ifndef FTCP_FRAME_H
#define FTCP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <ftcp/frame.h>
#include <ftcp/limits.h>
#include "policy.h"

#define FRAME_MAGIC		FTCP_FRAME_MAGIC
#define FRAME_VERSION		2
#define FRAME_HEADER_BYTES	FTCP_FRAME_HEADER_BYTES
#define FRAME_STATE_BYTES	32
#define FRAME_HELLO_BYTES	(20 + FTCP_GROUP_NAME_MAX + FRAME_STATE_BYTES)
#define FRAME_BATCH_HEAD_BYTES	FTCP_FRAME_PLACE_BYTES	/* of the payload, before the batch */
#define FRAME_PAYLOAD_MAX_BYTES	(FTCP_BATCH_MAX_BYTES + 64)
#define FRAME_TEXT_MAX_BYTES	256
/* Room for a header and any payload that is not a batch. */
#define FRAME_SMALL_BYTES	(FRAME_HEADER_BYTES + FRAME_BATCH_HEAD_BYTES + FRAME_TEXT_MAX_BYTES)

enum frame_type {
	FRAME_HELLO = 1,
	FRAME_HEARTBEAT,
	FRAME_PREPARE,
	FRAME_READY,
	FRAME_BATCH,
	FRAME_ACK,
	FRAME_REFUSED,
	FRAME_BYE,
	__FRAME_TYPE_MAX
};

_Static_assert(FRAME_BATCH == FTCP_FRAME_BATCH && FRAME_ACK == FTCP_FRAME_ACK, "the kernels say the same");

enum frame_bye {
	FRAME_BYE_STOPPED = 1,
};

struct frame_hello {
	uint16_t version;
	bool detach;			/* [standby_loss] policy */
	bool channel;			/* the purpose: batches, from kernel to kernel; else it is the link */
	uint32_t heartbeat_ms;
	uint32_t dead_after_ms;
	char group[FTCP_GROUP_NAME_MAX];
	struct policy_host host;
};

/* A frame that was read. Which fields count depends on the type. */
struct frame {
	enum frame_type type;
	size_t bytes;			/* with its header */
	struct frame_hello hello;
	struct policy_host host;	/* HEARTBEAT, READY; no instance */
	uint64_t sent_ms;
	uint64_t token;
	uint64_t sync_id;
	uint64_t batch_no;
	const uint8_t *batch;		/* into the buffer that was read */
	size_t batch_len;
	char text[FRAME_TEXT_MAX_BYTES + 1];	/* printable */
	uint32_t reason;
};

enum frame_result {
	FRAME_OK,
	FRAME_MORE,	/* not all of it is here yet */
	FRAME_BAD,	/* whoever sends this does not speak our language */
};

/**
 * frame_read() - the first frame of @len bytes at @data
 * @hello_only: nothing else is accepted; no more than a hello's bytes need to be there
 * @error: if FRAME_BAD: why, a static text
 */
enum frame_result frame_read(const uint8_t *data, size_t len, bool hello_only, struct frame *frame, const char **error);

/* Writers: a whole frame into @out, FRAME_SMALL_BYTES. They return its length. */
size_t frame_write_hello(uint8_t *out, const struct frame_hello *hello);
size_t frame_write_heartbeat(uint8_t *out, const struct policy_host *host, uint64_t sent_ms);
size_t frame_write_prepare(uint8_t *out, uint64_t token);
size_t frame_write_ready(uint8_t *out, uint64_t token, const struct policy_host *host);
size_t frame_write_ack(uint8_t *out, uint64_t sync_id, uint64_t batch_no);
size_t frame_write_refused(uint8_t *out, uint64_t sync_id, uint64_t batch_no, const char *text);
size_t frame_write_bye(uint8_t *out, uint32_t reason);
/** frame_write_batch() - only what stands before the @len bytes of the batch */
size_t frame_write_batch(uint8_t *out, uint64_t sync_id, uint64_t batch_no, size_t len);

#endif
