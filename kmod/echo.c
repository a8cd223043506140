// SPDX-License-Identifier: GPL-2.0
/*
 * The echo service (RFC 862). It keeps no state of its own: what was consumed was written, so that after a takeover the
 * tcb says where to go on.
 */
#include "backend.h"
#include "conn.h"
#include "group.h"

static void echo_work(struct ftcp_conn *conn, const struct ftcp_env *env)
{
	struct ftcp_tcb *tcb = &conn->tcb;
	u64 n;

	lockdep_assert_held(&conn->lock);
	n = min(ftcp_tcb_readable(tcb), ftcp_tcb_writable(tcb));
	if (n) {
		if (ftcp_bytes_share(&conn->snd, &conn->rcv, tcb->hard.consumed, n, GFP_ATOMIC)) {
			conn->retry = true;	/* out of memory: the timer comes back to it */
			return;
		}
		ftcp_tcb_append(tcb, n);
		ftcp_tcb_consume(tcb, n);
	}
	if ((tcb->hard.flags & FTCP_HARD_RCV_FIN) && !ftcp_tcb_readable(tcb))
		ftcp_tcb_shutdown(tcb, env);
}

const struct ftcp_backend ftcp_echo = {
	.name = "echo",
	.work = echo_work,
};
