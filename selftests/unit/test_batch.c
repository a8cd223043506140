// SPDX-License-Identifier: GPL-2.0
/* batch.c: whole batches, truncated and mutated, each in memory of exactly its size. */
#include <stdlib.h>
#include <string.h>
#include "batch.h"
#include "ktest.h"

#define HEADER sizeof(struct ftcp_batch_header)
#define RECORD sizeof(struct ftcp_batch_record)
#define ROOM 4096

/* Returns its length; *@records: how many are in it. */
static u32 make(u8 *buf, u32 *records)
{
	struct ftcp_batch batch = { .flags = FTCP_BATCH_RESET, .epoch = 1, .sync_id = 2, .no = 3 };
	struct ftcp_batch_tuple tuple = { .laddr = { 1 }, .raddr = { 2 }, .lport = 3, .rport = 4 };
	struct ftcp_record rec;
	u32 n = ktest_random(6), i, at = HEADER;

	for (i = 0; i < n; i++) {
		memset(&rec, 0, sizeof(rec));
		rec.rcv_len = ktest_random(200);
		rec.snd_len = ktest_random(200);
		rec.hard.state = FTCP_ESTABLISHED;
		ftcp_batch_write_record(&tuple, &rec, FTCP_RECORD_CONN + ktest_random(3), buf + at);
		at += RECORD + rec.rcv_len + rec.snd_len;
	}
	batch.records = *records = n;
	batch.bytes = at;
	ftcp_batch_write_header(&batch, buf);
	return at;
}

/* As the standby does; returns the first error. The payload is touched, for the sanitizer. */
static enum ftcp_batch_error walk(const u8 *buf, u32 len, u32 *records)
{
	struct ftcp_batch_tuple tuple;
	enum ftcp_batch_error error;
	struct ftcp_batch batch;
	struct ftcp_record rec;
	u32 at = HEADER;
	u8 type;

	*records = 0;
	error = ftcp_batch_read_header(&batch, buf, len);
	while (!error && *records < batch.records) {
		error = ftcp_batch_read_record(&tuple, &rec, &type, buf + at, len - at);
		if (error)
			break;
		EXPECT(RECORD + (u64)rec.rcv_len + rec.snd_len <= len - at);
		EXPECT(rec.partial == (type == FTCP_RECORD_PARTIAL));
		at += RECORD + rec.rcv_len + rec.snd_len;
		(void)*(const volatile u8 *)(buf + at - 1);
		++*records;
	}
	EXPECT(error || at <= len);
	return error;
}

static enum ftcp_batch_error walk_exact(const u8 *buf, u32 len, u32 *records)
{
	u8 *exact = malloc(len ? len : 1);
	enum ftcp_batch_error error;

	memcpy(exact, buf, len);
	error = walk(exact, len, records);
	free(exact);
	return error;
}

TEST(batch__whole)
{
	u32 n, made, read, len;
	u8 buf[ROOM];

	for (n = 0; n < 1000; n++) {
		memset(buf, n, sizeof(buf));
		len = make(buf, &made);
		EXPECT(walk_exact(buf, len, &read) == FTCP_BATCH_OK && read == made);
	}
}

TEST(batch__truncated_anywhere)
{
	u32 n, made, read, len, cut;
	u8 buf[ROOM] = { 0 };

	for (n = 0; n < 20; n++) {
		len = make(buf, &made);
		for (cut = 0; cut < len; cut++)
			EXPECT(walk_exact(buf, cut, &read) == (cut < HEADER ? FTCP_BATCH_SHORT : FTCP_BATCH_WRONG_LENGTH));
	}
}

TEST(batch__mutated)
{
	u32 n, i, made, read, len, good = 0;
	u8 buf[ROOM] = { 0 };

	for (n = 0; n < 100000; n++) {
		len = make(buf, &made);
		for (i = ktest_random(4); i > 0; i--)
			buf[HEADER - 4 + ktest_random(len - HEADER + 4)] = ktest_random(256);
		good += walk_exact(buf, len, &read) == FTCP_BATCH_OK;
	}
	EXPECT(good > 0 && good < n);
}

TEST(batch__lengths_that_overflow)
{
	static const u32 lengths[] = { 0xffffffff, 0xfffffff0, 0x80000000, 0x7fffffff, 400 };
	struct ftcp_batch_tuple tuple = { .lport = 1 };
	struct ftcp_record rec = { .hard.state = FTCP_ESTABLISHED }, out;
	u8 buf[RECORD + 400] = { 0 }, type;
	u32 i, k;

	for (i = 0; i < 5; i++)
		for (k = 0; k < 5; k++) {
			rec.rcv_len = lengths[i];
			rec.snd_len = lengths[k];
			ftcp_batch_write_record(&tuple, &rec, FTCP_RECORD_CONN, buf);
			EXPECT(ftcp_batch_read_record(&tuple, &out, &type, buf, sizeof(buf)) == FTCP_BATCH_BAD_RECORD);
		}
}

TEST(batch_error_text__for_each)
{
	u32 i;

	for (i = 0; i <= FTCP_BATCH_BAD_RECORD + 1; i++)
		EXPECT(ftcp_batch_error_text(i) && ftcp_batch_error_text(i)[0]);
}
