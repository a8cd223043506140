// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <endian.h>
#include <string.h>
#include "nl_batch.h"
#include "pattern.h"

#define CLIENT_PORT 40000

static void map_v4(uint8_t *to, const char *v4)
{
	memset(to, 0, 10);
	memset(to + 10, 0xff, 2);
	inet_pton(AF_INET, v4, to + 12);
}

/* An echo in mid-stream: all that came was read and written back, the last of it is still to be acknowledged. */
static void make_record(const struct nl_batch *batch, unsigned int i, struct ftcp_batch_record *record)
{
	uint64_t received = batch->received, edge = received - batch->fresh + (1 << 20);

	memset(record, 0, sizeof(*record));
	record->type = FTCP_RECORD_CONN;
	record->state = 1;
	record->flags = 7;
	record->wscales = 7 << 4 | 7;
	map_v4(record->laddr, "10.9.0.100");
	map_v4(record->raddr, "10.9.0.2");
	record->lport = htobe16(batch->port);
	record->rport = htobe16(CLIENT_PORT + i);
	record->iss = htobe32(1000 + i);
	record->irs = htobe32(2000 + i);
	record->consumed = htobe64(received - batch->fresh);
	record->rcv_nxt = htobe64(received);
	record->rcv_edge = htobe64(edge);
	record->snd_una = htobe64(received - batch->fresh);
	record->snd_end = htobe64(received);
	record->snd_wnd = htobe32(65535);
	record->ts_recent = htobe32(1);
	record->rcv_buf_bytes = htobe32(1 << 20);
	record->snd_buf_bytes = htobe32(1 << 20);
	record->mss_bytes = htobe16(1460);
	record->rcv_from = htobe64(received - batch->fresh);
	record->snd_from = htobe64(received - batch->fresh);
	record->rcv_len = htobe32(batch->fresh);
	record->snd_len = htobe32(batch->fresh);
}

size_t nl_batch_make(const struct nl_batch *batch, unsigned char *to)
{
	struct ftcp_batch_header header = {
		.magic = htobe32(FTCP_BATCH_MAGIC),
		.version = htobe16(FTCP_BATCH_VERSION),
		.flags = htobe16(batch->flags),
		.epoch = htobe64(batch->epoch),
		.sync_id = htobe64(batch->sync_id),
		.no = htobe64(batch->no),
		.ts_ms = htobe32(1000),
		.records = htobe32(batch->records),
	};
	struct ftcp_batch_record record;
	size_t len = sizeof(header);

	for (unsigned int i = 0; i < batch->records; i++) {
		if (len + sizeof(record) + 2 * batch->fresh > NL_BATCH_MAX)
			break;
		make_record(batch, i, &record);
		memcpy(to + len, &record, sizeof(record));
		len += sizeof(record);
		pattern_fill(i, batch->received, to + len, 2 * batch->fresh);
		len += 2 * batch->fresh;
	}
	header.bytes = htobe32(len);
	memcpy(to, &header, sizeof(header));
	return len;
}

/* What programs tend to stumble over, at a place of 1, 2, 4 or 8 bytes. */
static void plant(unsigned char *at, size_t room, uint64_t *random)
{
	static const uint64_t values[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
		0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff };
	uint64_t value = htobe64(values[pattern_next(random) % (sizeof(values) / sizeof(values[0]))]);
	size_t size = 1 << pattern_next(random) % 4;

	if (size <= room)
		memcpy(at, (unsigned char *)&value + 8 - size, size);
}

size_t nl_batch_spoil(unsigned char *bytes, size_t len, uint64_t *random, int deep)
{
	size_t from = deep ? sizeof(struct ftcp_batch_header) : 0, at;
	unsigned int changes = 1 + pattern_next(random) % 4;
	struct ftcp_batch_header header;

	while (changes--) {
		/* Most in the first record, less in its payload and in the others. */
		at = from + pattern_next(random) % (sizeof(struct ftcp_batch_record) + 1);
		if (pattern_next(random) % 4 == 0)
			at = from + pattern_next(random) % (len - from);
		if (at >= len)
			continue;
		if (pattern_next(random) % 2)
			bytes[at] ^= 1 << pattern_next(random) % 8;
		else
			plant(bytes + at, len - at, random);
	}
	if (pattern_next(random) % 8 == 0)
		len = from + pattern_next(random) % (len - from);
	if (deep) {
		memcpy(&header, bytes, sizeof(header));
		header.bytes = htobe32(len);
		memcpy(bytes, &header, sizeof(header));
	}
	return len;
}
