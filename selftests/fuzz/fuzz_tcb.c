// SPDX-License-Identifier: GPL-2.0
/*
 * One connection and its replica, under any sequence of segments, program's calls, commits, failures and time. The input is a list of
 * steps. After each: the invariants; nothing leaves that is not committed; the replica is what was shipped.
 */
#include "batch.h"
#include "cookie.h"
#include "fuzz.h"
#include "repl.h"

#define MARKS_MAX	16
#define ISS		0xffffff00u

static struct {
	struct ftcp_tcb tcb;
	struct ftcp_board board;
	struct ftcp_env env;
	struct ftcp_tcb_config config;
	struct ftcp_tcb held;		/* the standby's */
	u64 held_snd;			/* end of its send store */
	bool held_known;
	struct ftcp_mark marks[MARKS_MAX];
	u32 n_marks;
} w;

static u8 room[sizeof(struct ftcp_batch_record) + 2 * 65536];

/* ---- out ---- */

static void check_segment(const struct ftcp_segment *seg, const struct ftcp_soft *before)
{
	const struct ftcp_hard *hard = &w.tcb.hard;
	u64 end = seg->off + seg->len + !!(seg->flags & FTCP_FIN);
	u64 ack = ftcp_seq_off(hard->irs, seg->ack, hard->rcv_nxt), edge;

	CHECK(seg->len <= FTCP_SEGMENT_MAX_BYTES && (!seg->len || seg->gso_bytes));
	CHECK(seg->n_sacks <= FTCP_SACK_BLOCKS_MAX);
	if (seg->flags & FTCP_SYN)
		return;
	if (seg->len || seg->flags & FTCP_FIN)
		CHECK(end <= max(before->snd_max, w.tcb.soft.committed.snd) && end <= hard->snd_end);
	CHECK(ack <= max(before->rcv_ack, w.tcb.soft.committed.rcv));
	edge = ack + ((u64)seg->wnd << hard->rcv_wscale);
	CHECK(!seg->wnd || edge < max(before->rcv_adv, w.tcb.soft.committed.edge) + (1ull << hard->rcv_wscale));
}

/* Of any content; or there was no memory for it. */
static void lend(struct fuzz *f, const struct ftcp_segment *seg)
{
	if (!ftcp_board_wanted(&w.tcb, seg) || fuzz_u8(f) > 240)
		return;
	memset(&w.board, 0xa5, sizeof(w.board));
	ftcp_board_lend(&w.tcb, &w.board);
}

static void drain(void)
{
	struct ftcp_soft before = w.tcb.soft;
	struct ftcp_segment seg;
	u32 n = 0;

	while (ftcp_output_next(&w.tcb, &w.env, &seg)) {
		CHECK(++n < 20000);
		check_segment(&seg, &before);
		before.snd_max = w.tcb.soft.snd_max;
		before.rcv_ack = w.tcb.soft.rcv_ack;
		before.rcv_adv = w.tcb.soft.rcv_adv;
	}
}

static void settle(void)
{
	const char *broken;

	drain();
	broken = ftcp_tcb_check(&w.tcb);
	if (broken)
		fprintf(stderr, "broken: %s\n", broken);
	CHECK(!broken);
}

/* Whoever ended it, the program or the user timeout: the RST says nothing that is not committed, and is where the peer looks for it. */
static void owed_reset(void)
{
	u64 off = min(w.tcb.soft.snd_max, w.tcb.hard.snd_una + w.tcb.hard.snd_wnd);
	struct ftcp_segment seg;

	if (!(w.tcb.hard.flags & FTCP_HARD_RESET))
		return;
	CHECK(w.tcb.hard.state == FTCP_CLOSED && !ftcp_next_deadline(&w.tcb));
	ftcp_tcb_reset(&w.tcb, &w.env, &seg);
	CHECK(seg.flags == (FTCP_RST | FTCP_ACK) && !seg.len && seg.seq.v == ftcp_seq_of(w.tcb.hard.iss, off).v);
	CHECK(ftcp_seq_diff(seg.ack, ftcp_seq_of(w.tcb.hard.irs, max(w.tcb.soft.rcv_ack, w.tcb.soft.committed.rcv))) <= 0);
}

/* ---- in ---- */

static u64 rcv_place(struct fuzz *f)
{
	const struct ftcp_soft *soft = &w.tcb.soft;
	const u64 places[] = { w.tcb.hard.rcv_nxt, soft->rcv_ack, w.tcb.hard.rcv_edge, soft->rcv_adv, w.tcb.hard.consumed,
			       soft->ooo.n ? soft->ooo.r[0].from : 0, ftcp_ranges_top(&soft->ooo), soft->committed.rcv };

	return places[fuzz_u8(f) % ARRAY_SIZE(places)] + fuzz_near(f);
}

static u64 snd_place(struct fuzz *f)
{
	const struct ftcp_soft *soft = &w.tcb.soft;
	const u64 places[] = { w.tcb.hard.snd_una, soft->snd_nxt, soft->snd_max, w.tcb.hard.snd_end, soft->recover, soft->rexmit_nxt,
			       ftcp_ranges_top(&soft->sacked), (w.tcb.hard.snd_una + soft->snd_max) / 2 };

	return places[fuzz_u8(f) % ARRAY_SIZE(places)] + fuzz_near(f);
}

static u32 length(struct fuzz *f)
{
	const u32 lengths[] = { 0, 0, 1, 100, 1448, 5000, 65000 };

	return lengths[fuzz_u8(f) % ARRAY_SIZE(lengths)];
}

static void segment(struct fuzz *f)
{
	const struct ftcp_hard *hard = &w.tcb.hard;
	struct ftcp_segment seg = { .len = length(f) };
	u64 edge = hard->rcv_edge;
	struct ftcp_input in;
	u8 how = fuzz_u8(f);
	u32 i;

	seg.flags = how & 1 ? fuzz_u8(f) : FTCP_ACK | (how & 2 ? FTCP_FIN : 0);
	if ((seg.flags & FTCP_SYN && seg.flags & (FTCP_FIN | FTCP_RST)) || !seg.flags)
		return;		/* the parser's business */
	seg.seq = ftcp_seq_of(hard->irs, rcv_place(f));
	seg.ack = ftcp_seq_of(hard->iss, snd_place(f));
	seg.wnd = how & 4 ? fuzz_u16(f) : 0xffff;
	if (!!(hard->flags & FTCP_HARD_TS) != !!(how & 8)) {
		seg.opts = FTCP_OPT_TS;
		seg.tsval = hard->ts_recent + fuzz_near(f);
		seg.tsecr = w.env.ts_ms + hard->ts_off + fuzz_near(f);
	}
	seg.ecn = how >> 4 & 3;
	seg.n_sacks = how & 64 ? fuzz_u8(f) % (FTCP_SACK_BLOCKS_MAX + 1) : 0;
	for (i = 0; i < seg.n_sacks; i++) {
		seg.sacks[i].from = ftcp_seq_of(hard->iss, snd_place(f));
		seg.sacks[i].to = ftcp_seq_of(hard->iss, snd_place(f));
	}
	lend(f, &seg);
	ftcp_input(&w.tcb, &w.env, &seg, &in);
	CHECK(in.keep_skip + in.keep_len <= seg.len);
	if (in.keep_len)
		CHECK(in.keep_off >= hard->consumed && in.keep_off + in.keep_len <= edge + (1ull << hard->rcv_wscale));
}

static void icmp(struct fuzz *f)
{
	ftcp_input_mtu(&w.tcb, &w.env, ftcp_seq_of(w.tcb.hard.iss, snd_place(f)), fuzz_u16(f));
}

/* ---- time ---- */

static void pass(struct fuzz *f)
{
	u64 at = ftcp_next_deadline(&w.tcb), us = fuzz_u16(f);

	us = us < 32768 && at > w.env.now_us ? at - w.env.now_us : us << 4;
	w.env.now_us += us;
	w.env.ts_ms += us / 1000;
	ftcp_timeout(&w.tcb, &w.env);
	if (us & 1)
		ftcp_board_take(&w.tcb, false);
	drain();
	at = ftcp_next_deadline(&w.tcb);
	CHECK(!at || at > w.env.now_us);	/* or the kernel would be called for ever */
}

/* ---- the program, and the rounds in which packets come ---- */

/* It begins, is over, and its ACK may be held back then. */
static void round_of_packets(void)
{
	struct ftcp_soft *soft = &w.tcb.soft;

	if (!soft->burst && !soft->held)
		soft->burst = true;
	else
		ftcp_tcb_burst_over(&w.tcb, &w.env, true);
	drain();
	CHECK(soft->burst || !soft->sack_due || w.tcb.hard.state == FTCP_CLOSED);
}

static void program(struct fuzz *f)
{
	switch (fuzz_u8(f) % 16) {
	case 0: ftcp_tcb_shutdown(&w.tcb, &w.env); break;
	case 1: ftcp_tcb_consume(&w.tcb, fuzz_u16(f)); break;
	case 2:
	case 3:
	case 10: ftcp_tcb_consume(&w.tcb, ftcp_tcb_readable(&w.tcb)); break;
	case 8: ftcp_tcb_hurry(&w.tcb, &w.env); break;
	case 9: ftcp_tcb_prune(&w.tcb); break;
	case 11:				/* rarely: it is the end */
		if (fuzz_u8(f) > 192)
			ftcp_tcb_abort(&w.tcb);
		break;
	case 12: round_of_packets(); break;
	case 4: ftcp_tcb_append(&w.tcb, min_t(u64, fuzz_u8(f), ftcp_tcb_writable(&w.tcb))); break;
	default: ftcp_tcb_append(&w.tcb, min_t(u64, fuzz_u16(f), ftcp_tcb_writable(&w.tcb))); break;
	}
}

/* ---- replication ---- */

static void same(const struct ftcp_record *a, const struct ftcp_record *b)
{
	CHECK(a->partial == b->partial && a->rcv_from == b->rcv_from && a->rcv_len == b->rcv_len && a->snd_from == b->snd_from &&
	      a->snd_len == b->snd_len);
	CHECK(a->hard.consumed == b->hard.consumed && a->hard.rcv_nxt == b->hard.rcv_nxt && a->hard.rcv_edge == b->hard.rcv_edge);
	CHECK(a->hard.snd_una == b->hard.snd_una && a->hard.snd_end == b->hard.snd_end && a->hard.snd_wnd == b->hard.snd_wnd);
	CHECK(a->hard.iss == b->hard.iss && a->hard.irs == b->hard.irs && a->hard.ts_recent == b->hard.ts_recent);
	CHECK(a->hard.state == b->hard.state && a->hard.flags == b->hard.flags && a->hard.mss_bytes == b->hard.mss_bytes);
}

static void replica_agrees(void)
{
	const struct ftcp_hard *a = &w.tcb.hard, *b = &w.held.hard;

	CHECK(a->rcv_nxt == b->rcv_nxt && a->rcv_edge == b->rcv_edge && a->snd_una == b->snd_una && a->snd_end == b->snd_end);
	CHECK(a->consumed == b->consumed && a->state == b->state && a->flags == b->flags && w.held_snd >= ftcp_tcb_data_end(&w.held));
}

static void ship(struct fuzz *f)
{
	const struct ftcp_batch_tuple tuple = { .lport = 1 };
	struct ftcp_batch_tuple tuple_read;
	struct ftcp_applied applied;
	struct ftcp_record rec, read;
	u8 type;

	if (w.n_marks == MARKS_MAX || ftcp_repl_dirty(&w.tcb) == FTCP_CLEAN || w.env.alone)
		return;
	ftcp_repl_collect(&w.tcb, 64 + fuzz_u16(f) % 60000, &rec, &w.marks[w.n_marks++]);
	ftcp_batch_write_record(&tuple, &rec, rec.partial ? FTCP_RECORD_PARTIAL : FTCP_RECORD_CONN, room);
	CHECK(!ftcp_batch_read_record(&tuple_read, &read, &type, room, sizeof(room)));
	same(&rec, &read);
	if (!w.held_known)
		memset(&w.held, 0, sizeof(w.held));
	CHECK(ftcp_repl_apply(&w.held, &read, !w.held_known, w.held_snd, &applied) == FTCP_APPLY_OK);
	CHECK(applied.rcv_new <= rec.rcv_len && applied.snd_new <= rec.snd_len);
	w.held_snd = applied.snd_off + applied.snd_new;
	w.held_known = true;
	if (ftcp_repl_dirty(&w.tcb) == FTCP_CLEAN)
		replica_agrees();
}

static void commit(void)
{
	if (!w.n_marks)
		return;
	ftcp_repl_commit(&w.tcb, &w.env, &w.marks[0]);
	memmove(w.marks, w.marks + 1, --w.n_marks * sizeof(w.marks[0]));
}

static void promote(void)
{
	const struct ftcp_soft *soft = &w.tcb.soft;

	if (!w.held_known || soft->unsynced || w.env.alone)
		return;
	CHECK(w.held.hard.rcv_nxt >= soft->rcv_ack && w.held.hard.snd_end >= soft->snd_max);
	CHECK(w.held.hard.rcv_edge >= soft->rcv_adv);
	w.tcb = w.held;
	w.env.ts_ms += FTCP_TS_TAKEOVER_MS;
	w.env.alone = true;
	w.held_known = false;
	w.n_marks = 0;
	ftcp_repl_promote(&w.tcb, &w.env, &w.config);
}

static void replicate(struct fuzz *f)
{
	switch (fuzz_u8(f) % 10) {
	case 0:					/* the link broke, and is back */
		w.n_marks = 0;
		ftcp_repl_restart(&w.tcb);
		break;
	case 1:					/* another standby */
		w.n_marks = 0;
		w.held_known = w.env.alone = false;
		ftcp_repl_resync(&w.tcb);
		break;
	case 2:					/* without one */
		w.n_marks = 0;
		w.held_known = false;
		w.env.alone = true;
		ftcp_repl_alone(&w.tcb, &w.env);
		break;
	case 3: promote(); break;
	case 4: ftcp_repl_kick(&w.tcb, &w.env); break;
	case 5:
	case 6: commit(); break;
	default: ship(f); break;
	}
}

/* ---- */

static void open_it(struct fuzz *f)
{
	struct ftcp_segment syn = { .flags = FTCP_SYN | (fuzz_u8(f) & (FTCP_ECE | FTCP_CWR)), .opts = fuzz_u8(f) & 15,
				    .mss = fuzz_u16(f), .wscale = fuzz_u8(f) % 15, .wnd = fuzz_u16(f), .tsval = fuzz_u32(f) };
	struct ftcp_cookie cookie;
	u8 how = fuzz_u8(f);

	memset(&w, 0, sizeof(w));
	w.env = (struct ftcp_env){ .now_us = 1000000, .ts_ms = fuzz_u32(f), .alone = how & 1 };
	w.config = (struct ftcp_tcb_config){ .rcv_buf_bytes = 4096u << (how >> 1 & 7), .snd_buf_bytes = 4096u << (how >> 4 & 7),
					     .mss_bytes = 88 + fuzz_u16(f) % 9000, .user_timeout_ms = 60000, .keepalive_ms = 7200000,
					     .congestion = how >> 7, .nagle = fuzz_u8(f) & 1, .ts_off = 7 };
	syn.seq = ftcp_seq_make(fuzz_u32(f));
	ftcp_tcb_cookie(&cookie, &syn, FTCP_MSS_DEFAULT_BYTES);
	if (fuzz_u8(f) & 1) {
		ftcp_tcb_open(&w.tcb, &w.env, &w.config, &syn, &cookie, ISS);
	} else {
		syn.flags = FTCP_ACK;
		syn.seq = ftcp_seq_add(syn.seq, 1);
		syn.ack = ftcp_seq_make(ISS + 1);
		ftcp_tcb_open_cookie(&w.tcb, &w.env, &w.config, &syn, &cookie);
	}
	settle();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz f = { data, size };

	open_it(&f);
	while (f.left && w.tcb.hard.state != FTCP_CLOSED) {
		switch (fuzz_u8(&f) % 16) {
		case 0:
		case 1: pass(&f); break;
		case 2:
		case 3:
		case 4: program(&f); break;
		case 5: icmp(&f); break;
		case 6:
		case 7:
		case 8:
		case 9: replicate(&f); break;
		default: segment(&f); break;
		}
		lend(&f, NULL);
		settle();
	}
	owed_reset();
	return 0;
}
