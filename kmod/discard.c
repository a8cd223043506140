// SPDX-License-Identifier: GPL-2.0
/* The discard service (RFC 863): takes all, says nothing, closes when the client does. */
#include "backend.h"
#include "conn.h"
#include "group.h"

static void discard_work(struct ftcp_conn *conn, const struct ftcp_env *env)
{
	struct ftcp_tcb *tcb = &conn->tcb;

	lockdep_assert_held(&conn->lock);
	ftcp_tcb_consume(tcb, ftcp_tcb_readable(tcb));
	if (tcb->hard.flags & FTCP_HARD_RCV_FIN)
		ftcp_tcb_shutdown(tcb, env);
}

const struct ftcp_backend ftcp_discard = {
	.name = "discard",
	.work = discard_work,
};
