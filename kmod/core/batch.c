// SPDX-License-Identifier: GPL-2.0
/* The batch format. */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/stddef.h>
#include "batch.h"
#include "wire.h"

_Static_assert(sizeof(struct ftcp_batch_header) == 80, "the batch header is ABI");
_Static_assert(sizeof(struct ftcp_batch_record) == 136, "the batch record is ABI");

#define AT(type, field) offsetof(struct ftcp_batch_##type, field)

void ftcp_batch_write_header(const struct ftcp_batch *batch, u8 *buf)
{
	memset(buf, 0, sizeof(struct ftcp_batch_header));
	ftcp_put32(buf + AT(header, magic), FTCP_BATCH_MAGIC);
	ftcp_put16(buf + AT(header, version), FTCP_BATCH_VERSION);
	ftcp_put16(buf + AT(header, flags), batch->flags);
	ftcp_put64(buf + AT(header, epoch), batch->epoch);
	ftcp_put64(buf + AT(header, sync_id), batch->sync_id);
	ftcp_put64(buf + AT(header, no), batch->no);
	ftcp_put32(buf + AT(header, ts_ms), batch->ts_ms);
	ftcp_put32(buf + AT(header, records), batch->records);
	ftcp_put32(buf + AT(header, bytes), batch->bytes);
	memcpy(buf + AT(header, key), batch->key, sizeof(batch->key));
}

enum ftcp_batch_error ftcp_batch_read_header(struct ftcp_batch *batch, const u8 *buf, u32 avail)
{
	memset(batch, 0, sizeof(*batch));
	if (avail < sizeof(struct ftcp_batch_header))
		return FTCP_BATCH_SHORT;
	if (ftcp_get32(buf + AT(header, magic)) != FTCP_BATCH_MAGIC)
		return FTCP_BATCH_NOT_ONE;
	if (ftcp_get16(buf + AT(header, version)) != FTCP_BATCH_VERSION)
		return FTCP_BATCH_WRONG_VERSION;
	batch->flags = ftcp_get16(buf + AT(header, flags));
	batch->epoch = ftcp_get64(buf + AT(header, epoch));
	batch->sync_id = ftcp_get64(buf + AT(header, sync_id));
	batch->no = ftcp_get64(buf + AT(header, no));
	batch->ts_ms = ftcp_get32(buf + AT(header, ts_ms));
	batch->records = ftcp_get32(buf + AT(header, records));
	batch->bytes = ftcp_get32(buf + AT(header, bytes));
	memcpy(batch->key, buf + AT(header, key), sizeof(batch->key));
	return batch->bytes == avail ? FTCP_BATCH_OK : FTCP_BATCH_WRONG_LENGTH;
}

static void write_hard(const struct ftcp_hard *hard, u8 *buf)
{
	buf[AT(record, state)] = hard->state;
	buf[AT(record, flags)] = hard->flags;
	buf[AT(record, wscales)] = hard->snd_wscale << 4 | hard->rcv_wscale;
	ftcp_put32(buf + AT(record, iss), hard->iss);
	ftcp_put32(buf + AT(record, irs), hard->irs);
	ftcp_put64(buf + AT(record, consumed), hard->consumed);
	ftcp_put64(buf + AT(record, rcv_nxt), hard->rcv_nxt);
	ftcp_put64(buf + AT(record, rcv_edge), hard->rcv_edge);
	ftcp_put64(buf + AT(record, snd_una), hard->snd_una);
	ftcp_put64(buf + AT(record, snd_end), hard->snd_end);
	ftcp_put32(buf + AT(record, snd_wnd), hard->snd_wnd);
	ftcp_put32(buf + AT(record, ts_recent), hard->ts_recent);
	ftcp_put32(buf + AT(record, ts_off), hard->ts_off);
	ftcp_put32(buf + AT(record, rcv_buf_bytes), hard->rcv_buf_bytes);
	ftcp_put32(buf + AT(record, snd_buf_bytes), hard->snd_buf_bytes);
	ftcp_put16(buf + AT(record, mss_bytes), hard->mss_bytes);
}

static void read_hard(struct ftcp_hard *hard, const u8 *buf)
{
	hard->state = buf[AT(record, state)];
	hard->flags = buf[AT(record, flags)];
	hard->snd_wscale = buf[AT(record, wscales)] >> 4;
	hard->rcv_wscale = buf[AT(record, wscales)] & 15;
	hard->iss = ftcp_get32(buf + AT(record, iss));
	hard->irs = ftcp_get32(buf + AT(record, irs));
	hard->consumed = ftcp_get64(buf + AT(record, consumed));
	hard->rcv_nxt = ftcp_get64(buf + AT(record, rcv_nxt));
	hard->rcv_edge = ftcp_get64(buf + AT(record, rcv_edge));
	hard->snd_una = ftcp_get64(buf + AT(record, snd_una));
	hard->snd_end = ftcp_get64(buf + AT(record, snd_end));
	hard->snd_wnd = ftcp_get32(buf + AT(record, snd_wnd));
	hard->ts_recent = ftcp_get32(buf + AT(record, ts_recent));
	hard->ts_off = ftcp_get32(buf + AT(record, ts_off));
	hard->rcv_buf_bytes = ftcp_get32(buf + AT(record, rcv_buf_bytes));
	hard->snd_buf_bytes = ftcp_get32(buf + AT(record, snd_buf_bytes));
	hard->mss_bytes = ftcp_get16(buf + AT(record, mss_bytes));
}

void ftcp_batch_write_record(const struct ftcp_batch_tuple *tuple, const struct ftcp_record *rec, u8 type, u8 *buf)
{
	memset(buf, 0, sizeof(struct ftcp_batch_record));
	buf[AT(record, type)] = type;
	memcpy(buf + AT(record, laddr), tuple->laddr, sizeof(tuple->laddr));
	memcpy(buf + AT(record, raddr), tuple->raddr, sizeof(tuple->raddr));
	ftcp_put16(buf + AT(record, lport), tuple->lport);
	ftcp_put16(buf + AT(record, rport), tuple->rport);
	buf[AT(record, service)] = tuple->service;
	write_hard(&rec->hard, buf);
	ftcp_put64(buf + AT(record, rcv_from), rec->rcv_from);
	ftcp_put64(buf + AT(record, snd_from), rec->snd_from);
	ftcp_put32(buf + AT(record, rcv_len), rec->rcv_len);
	ftcp_put32(buf + AT(record, snd_len), rec->snd_len);
}

/* The synchronized states. What is half open or closed has no such record; of one that is gone the state does not count. */
static bool shipped_state(u8 state)
{
	switch (state) {
	case FTCP_ESTABLISHED:
	case FTCP_FIN_WAIT_1:
	case FTCP_FIN_WAIT_2:
	case FTCP_CLOSE_WAIT:
	case FTCP_LAST_ACK:
	case FTCP_CLOSING:
	case FTCP_TIME_WAIT:
		return true;
	default:
		return false;
	}
}

enum ftcp_batch_error ftcp_batch_read_record(struct ftcp_batch_tuple *tuple, struct ftcp_record *rec, u8 *type,
					     const u8 *buf, u32 avail)
{
	memset(rec, 0, sizeof(*rec));
	if (avail < sizeof(struct ftcp_batch_record))
		return FTCP_BATCH_SHORT;
	*type = buf[AT(record, type)];
	if (*type < FTCP_RECORD_CONN || *type > FTCP_RECORD_GONE)
		return FTCP_BATCH_BAD_RECORD;
	memcpy(tuple->laddr, buf + AT(record, laddr), sizeof(tuple->laddr));
	memcpy(tuple->raddr, buf + AT(record, raddr), sizeof(tuple->raddr));
	tuple->lport = ftcp_get16(buf + AT(record, lport));
	tuple->rport = ftcp_get16(buf + AT(record, rport));
	tuple->service = buf[AT(record, service)];
	if (tuple->service > FTCP_RECORD_LISTEN_LAST)
		return FTCP_BATCH_BAD_RECORD;
	read_hard(&rec->hard, buf);
	if (*type != FTCP_RECORD_GONE && !shipped_state(rec->hard.state))
		return FTCP_BATCH_BAD_RECORD;
	rec->partial = *type == FTCP_RECORD_PARTIAL;
	rec->rcv_from = ftcp_get64(buf + AT(record, rcv_from));
	rec->snd_from = ftcp_get64(buf + AT(record, snd_from));
	rec->rcv_len = ftcp_get32(buf + AT(record, rcv_len));
	rec->snd_len = ftcp_get32(buf + AT(record, snd_len));
	avail -= sizeof(struct ftcp_batch_record);
	if (rec->rcv_len > avail || rec->snd_len > avail - rec->rcv_len)
		return FTCP_BATCH_BAD_RECORD;
	return FTCP_BATCH_OK;
}

const char *ftcp_batch_error_text(enum ftcp_batch_error error)
{
	switch (error) {
	case FTCP_BATCH_OK:		return "no error";
	case FTCP_BATCH_SHORT:		return "the batch is truncated";
	case FTCP_BATCH_NOT_ONE:	return "this is not a batch";
	case FTCP_BATCH_WRONG_VERSION:	return "the batch has another version: both hosts need the same module";
	case FTCP_BATCH_WRONG_LENGTH:	return "the batch's length is not what its header says";
	case FTCP_BATCH_BAD_RECORD:	return "the batch has a malformed record";
	}
	return "unknown error";
}
