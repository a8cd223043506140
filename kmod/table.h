/* SPDX-License-Identifier: GPL-2.0 */
/* The connection table of a namespace, and the group's list of connections, which always agree. */
#ifndef FTCP_TABLE_H
#define FTCP_TABLE_H

#include <linux/slab.h>

struct ftcp_conn;
struct ftcp_net;

extern struct kmem_cache *ftcp_conn_cache, *ftcp_board_cache;

int ftcp_table_init(struct ftcp_net *fn);
void ftcp_table_destroy(struct ftcp_net *fn);
/** ftcp_table_remove() - conn->lock held; gives the table's reference back */
void ftcp_table_remove(struct ftcp_conn *conn);

#endif
