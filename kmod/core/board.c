// SPDX-License-Identifier: GPL-2.0
/* The scoreboard, lent and taken back. */
#include "internal.h"

bool ftcp_board_wanted(const struct ftcp_tcb *tcb, const struct ftcp_segment *seg)
{
	if (tcb->soft.board || tcb->hard.state == FTCP_CLOSED)
		return false;
	if (tcb->hard.snd_end > tcb->hard.snd_una)
		return true;
	return seg && (seg->len || (seg->flags & FTCP_FIN)) && !ftcp_seq_eq(seg->seq, ftcp_seq_of(tcb->hard.irs, tcb->hard.rcv_nxt));
}

void ftcp_board_lend(struct ftcp_tcb *tcb, struct ftcp_board *board)
{
	struct ftcp_soft *soft = &tcb->soft;

	soft->board = board;
	soft->ooo = (struct ftcp_ranges){ .r = board->ooo };
	soft->sacked = (struct ftcp_ranges){ .r = board->sacked };
	soft->sent = (struct ftcp_sent){ .r = board->sent };
	soft->again = (struct ftcp_sent){ .r = board->again };
}

static bool in_use(const struct ftcp_tcb *tcb)
{
	return tcb->hard.snd_end > tcb->hard.snd_una || tcb->soft.ooo.n;
}

struct ftcp_board *ftcp_board_take(struct ftcp_tcb *tcb, bool force)
{
	struct ftcp_soft *soft = &tcb->soft;
	struct ftcp_board *board = soft->board;

	if (!board || (!force && in_use(tcb)))
		return NULL;
	soft->board = NULL;
	soft->ooo = (struct ftcp_ranges){};
	soft->sacked = (struct ftcp_ranges){};
	soft->sent = (struct ftcp_sent){};
	soft->again = (struct ftcp_sent){};
	soft->undo_armed = false;
	return board;
}
