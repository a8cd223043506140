/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What goes by the channel, the TCP connection that carries batches from one kernel to the other. Its beginning is the daemons'
 * (daemon/frame.h has all of their language); from READY on the kernels have it to themselves. All numbers are big-endian.
 *
 *	header: u32 magic, u8 type, u8 flags (0), u16 reserved (0), u32 length of the payload
 *
 *	type   from     payload
 *	BATCH  primary  u64 sync_id, u64 number, the batch (ftcp/batch.h)
 *	ACK    standby  u64 sync_id, u64 number: held up to there
 */
#ifndef FTCP_FRAME_FORMAT_H
#define FTCP_FRAME_FORMAT_H

#define FTCP_FRAME_MAGIC		0x66744c4bu	/* "ftLK" */
#define FTCP_FRAME_HEADER_BYTES		12
#define FTCP_FRAME_PLACE_BYTES		16		/* sync_id and number */
#define FTCP_FRAME_BATCH		5
#define FTCP_FRAME_ACK			6

#endif
