/* SPDX-License-Identifier: GPL-2.0 */
/* Giving up what was received out of order and not acknowledged (RFC 2018, 8), when memory is short. */
#ifndef FTCP_PRUNE_H
#define FTCP_PRUNE_H

struct ftcp_conn;
struct ftcp_net;

/** ftcp_prune_conn() - of one connection, if @len more bytes would be beyond its share; how many it may have. conn->lock held */
u32 ftcp_prune_conn(struct ftcp_conn *conn, u32 len);

/** ftcp_prune_start() - of all connections of the namespace, soon, but not more than once a second. Any context. */
void ftcp_prune_start(struct ftcp_net *fn);

void ftcp_prune_init(struct ftcp_net *fn);
/** ftcp_prune_stop() - nobody starts it any more; it is over when this returns */
void ftcp_prune_stop(struct ftcp_net *fn);

#endif
