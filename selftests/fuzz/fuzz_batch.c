// SPDX-License-Identifier: GPL-2.0
/*
 * Batches from anybody: arbitrary bytes, or a batch that was good until a few of its bytes were changed. What is accepted must be a
 * connection that this host can go on with.
 */
#include "batch.h"
#include "fuzz.h"
#include "repl.h"

#define CONNS	4

static const struct ftcp_tcb_config config = { .rcv_buf_bytes = 1 << 20, .snd_buf_bytes = 1 << 20, .mss_bytes = 1460, .user_timeout_ms = 60000,
					       .keepalive_ms = 1000 };
static struct {
	struct ftcp_tcb tcb;
	u64 snd_stored, rcv_stored;
	bool known;
} conns[CONNS];

/* It takes over, speaks, and hears something. */
static void go_on(struct ftcp_tcb tcb)
{
	struct ftcp_env env = { .now_us = 1000000, .alone = true };
	struct ftcp_segment seg, ack = { .flags = FTCP_ACK, .wnd = 5000 };
	struct ftcp_board board;
	struct ftcp_input in;
	u32 n, round;

	ftcp_repl_promote(&tcb, &env, &config);
	if (ftcp_board_wanted(&tcb, NULL))
		ftcp_board_lend(&tcb, &board);
	for (round = 0; round < 4; round++) {
		for (n = 0; ftcp_output_next(&tcb, &env, &seg); n++) {
			CHECK(n < 60000);
			CHECK(!seg.len || (seg.off >= tcb.hard.snd_una && seg.off + seg.len <= ftcp_tcb_data_end(&tcb)));
		}
		CHECK(!ftcp_tcb_check(&tcb));
		env.now_us = max(env.now_us + 1, ftcp_next_deadline(&tcb));
		ftcp_timeout(&tcb, &env);
		ack.seq = ftcp_seq_of(tcb.hard.irs, tcb.hard.rcv_nxt);
		ack.ack = ftcp_seq_of(tcb.hard.iss, tcb.soft.snd_nxt);
		ack.opts = tcb.hard.flags & FTCP_HARD_TS ? FTCP_OPT_TS : 0;
		ack.tsval = tcb.hard.ts_recent;
		ftcp_input(&tcb, &env, &ack, &in);
		CHECK(!ftcp_tcb_check(&tcb));
	}
}

static void apply(u32 i, const struct ftcp_record *rec)
{
	struct ftcp_tcb old = conns[i].tcb;
	struct ftcp_applied applied;

	if (!conns[i].known)
		memset(&conns[i].tcb, 0, sizeof(conns[i].tcb));
	if (ftcp_repl_apply(&conns[i].tcb, rec, !conns[i].known, conns[i].snd_stored, &applied) != FTCP_APPLY_OK) {
		CHECK(!conns[i].known || !memcmp(&old, &conns[i].tcb, sizeof(old)));
		return;
	}
	conns[i].known = true;
	CHECK(applied.rcv_new <= rec->rcv_len && applied.snd_new <= rec->snd_len);
	conns[i].rcv_stored = applied.rcv_off + applied.rcv_new;
	conns[i].snd_stored = applied.snd_off + applied.snd_new;
	CHECK(conns[i].rcv_stored - conns[i].tcb.hard.consumed <= FTCP_RCV_BUF_BYTES + 128);
	CHECK(conns[i].snd_stored - conns[i].tcb.hard.snd_una <= FTCP_SND_BUF_BYTES);
	CHECK(conns[i].snd_stored >= ftcp_tcb_data_end(&conns[i].tcb));
	go_on(conns[i].tcb);
}

static void read_batch(const u8 *data, size_t size)
{
	struct ftcp_batch_tuple tuple;
	struct ftcp_batch batch;
	struct ftcp_record rec;
	size_t at = sizeof(struct ftcp_batch_header), bytes;
	u32 n;
	u8 type;

	if (ftcp_batch_read_header(&batch, data, size))
		return;
	CHECK(at <= size && batch.bytes <= size);
	for (n = 0; n < batch.records && n < 1000; n++) {
		if (ftcp_batch_read_record(&tuple, &rec, &type, data + at, size - at))
			return;
		bytes = sizeof(struct ftcp_batch_record) + rec.rcv_len + rec.snd_len;
		CHECK(bytes <= size - at);
		at += bytes;
		if (type == FTCP_RECORD_GONE)
			conns[tuple.lport % CONNS].known = false;
		else
			apply(tuple.lport % CONNS, &rec);
	}
}

/* ---- a good one ---- */

static void make_record(struct fuzz *f, struct ftcp_record *rec)
{
	static const u8 states[] = { FTCP_ESTABLISHED, FTCP_CLOSE_WAIT, FTCP_FIN_WAIT_1, FTCP_FIN_WAIT_2, FTCP_LAST_ACK, FTCP_CLOSING,
				     FTCP_TIME_WAIT };
	static const u8 fins[] = { 0, FTCP_HARD_RCV_FIN, FTCP_HARD_SND_FIN, FTCP_HARD_SND_FIN, FTCP_HARD_RCV_FIN | FTCP_HARD_SND_FIN,
				   FTCP_HARD_RCV_FIN | FTCP_HARD_SND_FIN, FTCP_HARD_RCV_FIN | FTCP_HARD_SND_FIN };
	u32 state = fuzz_u8(f) % ARRAY_SIZE(states), agreed = FTCP_HARD_TS | FTCP_HARD_SACK | FTCP_HARD_WSCALE;
	struct ftcp_hard *hard = &rec->hard;

	memset(rec, 0, sizeof(*rec));
	rec->partial = !(fuzz_u8(f) & 3);
	rec->rcv_len = rec->partial ? 0 : fuzz_u8(f);
	rec->snd_len = fuzz_u8(f);
	hard->consumed = fuzz_u8(f);
	hard->snd_una = fuzz_u8(f);
	rec->rcv_from = hard->consumed;
	rec->snd_from = hard->snd_una;
	hard->state = rec->partial ? FTCP_ESTABLISHED : states[state];
	hard->flags = agreed | (rec->partial ? 0 : fins[state]);
	hard->rcv_nxt = hard->consumed + rec->rcv_len + !!(hard->flags & FTCP_HARD_RCV_FIN);
	hard->snd_end = rec->partial ? hard->snd_una : hard->snd_una + rec->snd_len + !!(hard->flags & FTCP_HARD_SND_FIN);
	hard->rcv_buf_bytes = hard->snd_buf_bytes = 65536;
	hard->rcv_edge = hard->consumed + 60000;
	hard->snd_wnd = fuzz_u16(f);
	hard->mss_bytes = 1460;
	hard->rcv_wscale = 7;
}

static size_t make_batch(struct fuzz *f, u8 *buf)
{
	struct ftcp_batch batch = { .epoch = 1, .sync_id = 1, .no = 1, .records = 1 + fuzz_u8(f) % 6 };
	size_t at = sizeof(struct ftcp_batch_header);
	struct ftcp_batch_tuple tuple = { .rport = 1 };
	struct ftcp_record rec;
	u32 n, changes = fuzz_u8(f) % 5;

	for (n = 0; n < batch.records; n++) {
		make_record(f, &rec);
		tuple.lport = fuzz_u8(f) % CONNS;
		ftcp_batch_write_record(&tuple, &rec, rec.partial ? FTCP_RECORD_PARTIAL : FTCP_RECORD_CONN, buf + at);
		at += sizeof(struct ftcp_batch_record);
		memset(buf + at, 'x', rec.rcv_len + rec.snd_len);
		at += rec.rcv_len + rec.snd_len;
	}
	batch.bytes = at;
	ftcp_batch_write_header(&batch, buf);
	while (changes--)
		buf[fuzz_u16(f) % at] = fuzz_u8(f);
	return at;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz f = { data, size };
	u8 *buf, large[8192];
	size_t len;

	memset(conns, 0, sizeof(conns));
	if (fuzz_u8(&f) & 1) {
		read_batch(f.at, f.left);
		return 0;
	}
	do {
		len = make_batch(&f, large);
		buf = memcpy(malloc(len), large, len);
		read_batch(buf, len);
		free(buf);
	} while (f.left);
	return 0;
}
