// SPDX-License-Identifier: GPL-2.0
#include "fixture.h"

const struct ftcp_tcb_config fixture_config = {
	.congestion = FTCP_CONG_RENO,
	.rcv_buf_bytes = 100000, .snd_buf_bytes = 100000, .mss_bytes = 1460, .user_timeout_ms = 60000, .keepalive_ms = 7200000, .ts_off = 99,
};

/* A copied fixture goes on with a board of its own. */
static void own_board(struct fixture *f, const struct ftcp_segment *seg)
{
	struct ftcp_soft *soft = &f->tcb.soft, was = *soft;

	if (ftcp_board_wanted(&f->tcb, seg)) {
		memset(&f->board, 0xaa, sizeof(f->board));
		ftcp_board_lend(&f->tcb, &f->board);
	} else if (soft->board && soft->board != &f->board) {
		f->board = *soft->board;
		ftcp_board_lend(&f->tcb, &f->board);
		soft->ooo.n = was.ooo.n;
		soft->ooo.last = was.ooo.last;
		soft->sacked.n = was.sacked.n;
		soft->sacked.last = was.sacked.last;
		soft->sent.n = was.sent.n;
		soft->again.n = was.again.n;
	}
}

void fixture_output(struct fixture *f)
{
	own_board(f, NULL);
	f->n_out = 0;
	while (f->n_out < 64 && ftcp_output_next(&f->tcb, &f->env, &f->out[f->n_out]))
		f->n_out++;
	EXPECT(f->n_out < 64);
	EXPECT(!ftcp_tcb_check(&f->tcb));
}

struct ftcp_segment fixture_segment(const struct fixture *f, u64 off, u32 len, u64 ack, u8 flags)
{
	struct ftcp_segment seg = { .seq = ftcp_seq_of(CLIENT_ISS, off), .ack = ftcp_seq_of(SERVER_ISS, ack), .wnd = 60000, .len = len,
		.flags = flags | FTCP_ACK };

	if (f->tcb.hard.flags & FTCP_HARD_TS) {
		seg.opts = FTCP_OPT_TS;
		seg.tsval = f->tsval;
		seg.tsecr = f->env.ts_ms + fixture_config.ts_off - FIXTURE_RTT_US / 1000;
	}
	return seg;
}

struct ftcp_segment fixture_sack(const struct fixture *f, u64 ack, u64 from, u64 to)
{
	struct ftcp_segment seg = fixture_segment(f, 0, 0, ack, 0);

	seg.n_sacks = 1;
	seg.sacks[0] = (struct ftcp_sack_block){ ftcp_seq_of(SERVER_ISS, from), ftcp_seq_of(SERVER_ISS, to) };
	return seg;
}

enum ftcp_reason fixture_give(struct fixture *f, struct ftcp_segment seg)
{
	enum ftcp_reason reason;

	own_board(f, &seg);
	reason = ftcp_input(&f->tcb, &f->env, &seg, &f->in);
	EXPECT(f->in.keep_skip + f->in.keep_len <= seg.len);
	fixture_output(f);
	return reason;
}

struct ftcp_segment fixture_close_window(struct fixture *f, u64 ack)
{
	struct ftcp_segment seg = fixture_segment(f, 0, 0, ack, 0);

	seg.wnd = 0;
	fixture_give(f, seg);
	return seg;
}

void fixture_open(struct fixture *f, u8 opts, bool alone)
{
	struct ftcp_segment syn = { .seq = { CLIENT_ISS }, .flags = FTCP_SYN, .opts = opts | FTCP_OPT_MSS, .mss = 1460, .wscale = 3, .wnd = 60000,
		.tsval = 5000 };
	struct ftcp_cookie cookie;

	memset(f, 0, sizeof(*f));
	f->env = (struct ftcp_env){ .now_us = 1000000, .ts_ms = 0xfffffff0, .alone = alone };
	f->tsval = 5001;
	ftcp_tcb_cookie(&cookie, &syn, FTCP_MSS_DEFAULT_BYTES);
	ftcp_tcb_open(&f->tcb, &f->env, &fixture_config, &syn, &cookie, SERVER_ISS);
	fixture_output(f);
	EXPECT(f->n_out == 1 && f->out[0].flags == (FTCP_SYN | FTCP_ACK) && f->out[0].ack.v == CLIENT_ISS + 1);
	EXPECT(f->out[0].opts == syn.opts);
	fixture_pass(f, FIXTURE_RTT_US);
	fixture_give(f, fixture_segment(f, 0, 0, 0, 0));
	EXPECT(f->in.events & FTCP_EV_ESTABLISHED);
	EXPECT(f->tcb.hard.state == FTCP_ESTABLISHED);
}

u32 fixture_pass(struct fixture *f, u64 us)
{
	u64 end = f->env.now_us + us, at;
	u32 events = 0;

	f->n_out = 0;
	while ((at = ftcp_next_deadline(&f->tcb)) && at <= end) {
		f->env.ts_ms += at / 1000 - f->env.now_us / 1000;
		f->env.now_us = at;
		events |= ftcp_timeout(&f->tcb, &f->env);
		ftcp_board_take(&f->tcb, false);
		fixture_output(f);
	}
	f->env.ts_ms += end / 1000 - f->env.now_us / 1000;
	f->env.now_us = end;
	return events;
}

void fixture_write(struct fixture *f, u64 n)
{
	EXPECT(n <= ftcp_tcb_writable(&f->tcb));
	ftcp_tcb_append(&f->tcb, n);
	fixture_output(f);
}

void fixture_commit(struct fixture *f)
{
	struct ftcp_record rec;
	struct ftcp_mark mark;

	while (ftcp_repl_dirty(&f->tcb) != FTCP_CLEAN) {
		ftcp_repl_collect(&f->tcb, 60000, &rec, &mark);
		ftcp_repl_commit(&f->tcb, &f->env, &mark);
	}
	fixture_output(f);
}

s64 fixture_ack(const struct fixture *f)
{
	s64 highest = -1, ack;
	u32 i;

	for (i = 0; i < f->n_out; i++) {
		ack = ftcp_seq_off(CLIENT_ISS, f->out[i].ack, f->tcb.hard.rcv_nxt);
		highest = ack > highest ? ack : highest;
	}
	return highest;
}
