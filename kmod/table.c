// SPDX-License-Identifier: GPL-2.0
/* The connection table. */
#include <linux/rculist.h>
#include "conn.h"
#include "group.h"
#include "net.h"
#include "table.h"

static int compare(struct rhashtable_compare_arg *arg, const void *obj)
{
	return !ftcp_conn_key_equal(arg->key, &((const struct ftcp_conn *)obj)->key);
}

static const struct rhashtable_params table_params = {
	.key_len = sizeof(struct ftcp_conn_key),
	.key_offset = offsetof(struct ftcp_conn, key),
	.head_offset = offsetof(struct ftcp_conn, node),
	.obj_cmpfn = compare,
	.automatic_shrinking = true,
};

int ftcp_table_init(struct ftcp_net *fn)
{
	return rhashtable_init(&fn->conns, &table_params);
}

void ftcp_table_destroy(struct ftcp_net *fn)
{
	rhashtable_destroy(&fn->conns);
}

struct ftcp_conn *ftcp_conn_peek(struct ftcp_net *fn, const struct ftcp_conn_key *key)
{
	return rhashtable_lookup(&fn->conns, key, table_params);
}

struct ftcp_conn *ftcp_conn_find(struct ftcp_net *fn, const struct ftcp_conn_key *key)
{
	struct ftcp_conn *conn;

	rcu_read_lock();
	conn = rhashtable_lookup(&fn->conns, key, table_params);
	if (conn && !ftcp_conn_get(conn))
		conn = NULL;
	rcu_read_unlock();
	return conn;
}

int ftcp_conn_insert(struct ftcp_conn *conn)
{
	struct ftcp_group *group = conn->group;
	int err;

	refcount_inc(&conn->refs);
	/* Who finds it in the table, and finishes it, must find it in the list, too. */
	spin_lock_bh(&group->lock);
	err = rhashtable_lookup_insert_fast(&conn->fn->conns, &conn->node, table_params);
	if (!err) {
		list_add_tail_rcu(&conn->group_node, &group->conns);
		group->n_conns++;
	}
	spin_unlock_bh(&group->lock);
	if (err)
		refcount_dec(&conn->refs);
	return err;
}

void ftcp_table_remove(struct ftcp_conn *conn)
{
	struct ftcp_group *group = conn->group;

	lockdep_assert_held(&conn->lock);
	if (rhashtable_remove_fast(&conn->fn->conns, &conn->node, table_params))
		return;
	spin_lock_bh(&group->lock);
	list_del_rcu(&conn->group_node);
	group->n_conns--;
	spin_unlock_bh(&group->lock);
	ftcp_conn_put(conn);
}
