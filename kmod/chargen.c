// SPDX-License-Identifier: GPL-2.0
/*
 * The character generator (RFC 864): the pattern of its section "Data Syntax" for as long as the client wants it; what the client says is
 * thrown away. Every byte follows from its offset in the stream, so that after a takeover the tcb says where to go on.
 */
#include <linux/mm.h>
#include "backend.h"
#include "bytes.h"
#include "chargen.h"
#include "conn.h"
#include "group.h"

#define FIRST		' '
#define CHARS		95	/* printing ones, ' ' to '~' */
#define LINE_CHARS	72
#define LINE_BYTES	(LINE_CHARS + 2)
#define PERIOD_BYTES	(CHARS * LINE_BYTES)	/* each line begins one character later */
#define PERIODS		18			/* a little less than 128 KiB: connections share its pages */
#define PATTERN_BYTES	(PERIODS * PERIOD_BYTES)

static struct ftcp_bytes pattern;

static void fill(char *text)
{
	u32 number, i;

	for (number = 0; number < PERIODS * CHARS; number++) {
		for (i = 0; i < LINE_CHARS; i++)
			*text++ = FIRST + (number + i) % CHARS;
		*text++ = '\r';
		*text++ = '\n';
	}
}

/* At once, so that its pages are large ones: each is a fragment of every segment that it is in. */
int ftcp_chargen_init(void)
{
	char *text = kvmalloc(PATTERN_BYTES, GFP_KERNEL);
	int err;

	if (!text)
		return -ENOMEM;
	fill(text);
	ftcp_bytes_init(&pattern, 0);
	pattern.lasting = true;
	err = ftcp_bytes_append(&pattern, text, PATTERN_BYTES, GFP_KERNEL);
	kvfree(text);
	return err;
}

void ftcp_chargen_exit(void)
{
	ftcp_bytes_free(&pattern);
}

/* Not for every small ACK: large pieces make large segments. */
static bool worth_writing(const struct ftcp_tcb *tcb)
{
	return ftcp_tcb_writable(tcb) >= max(tcb->hard.snd_buf_bytes / 4, 1U);
}

static void write(struct ftcp_conn *conn, const struct ftcp_env *env)
{
	struct ftcp_tcb *tcb = &conn->tcb;
	u64 left = ftcp_tcb_writable(tcb);
	u32 from, n;

	for (; left; left -= n) {
		div_u64_rem(ftcp_tcb_data_end(tcb), PERIOD_BYTES, &from);
		n = min_t(u64, left, pattern.end - from);
		if (ftcp_bytes_share(&conn->snd, &pattern, from, n, GFP_ATOMIC)) {
			conn->retry = true;	/* out of memory: the timer comes back to it */
			return;
		}
		ftcp_tcb_append(tcb, n);
	}
}

static void chargen_work(struct ftcp_conn *conn, const struct ftcp_env *env)
{
	struct ftcp_tcb *tcb = &conn->tcb;

	lockdep_assert_held(&conn->lock);
	ftcp_tcb_consume(tcb, ftcp_tcb_readable(tcb));
	if (tcb->hard.flags & FTCP_HARD_RCV_FIN)
		ftcp_tcb_shutdown(tcb, env);
	else if (worth_writing(tcb))
		write(conn, env);
}

const struct ftcp_backend ftcp_chargen = {
	.name = "chargen",
	.work = chargen_work,
};
