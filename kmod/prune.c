// SPDX-License-Identifier: GPL-2.0
/* Pruning: who is silent must be walked to. */
#include "conn.h"
#include "group.h"
#include "memory.h"
#include "net.h"
#include "prune.h"

#define PRUNE_INTERVAL HZ

static u64 held(const struct ftcp_conn *conn)
{
	return conn->rcv.held + conn->snd.held;
}

u32 ftcp_prune_conn(struct ftcp_conn *conn, u32 len)
{
	u32 share = ftcp_memory_share(conn->fn->guest);

	lockdep_assert_held(&conn->lock);
	if (!share || held(conn) + len <= share)
		return len;
	if (ftcp_tcb_prune(&conn->tcb)) {
		ftcp_bytes_cut(&conn->rcv, ftcp_tcb_rcv_data_end(&conn->tcb));
		ftcp_stats_inc(conn->fn, FTCP_COUNT_OOO_PRUNED);
	}
	return held(conn) < share ? min_t(u64, len, share - held(conn)) : 0;
}

static void prune(struct ftcp_conn *conn, void *arg)
{
	spin_lock_bh(&conn->lock);
	if (!conn->gone && !conn->finished && !conn->dormant && ftcp_group_speaks(conn->group))
		ftcp_prune_conn(conn, 0);
	spin_unlock_bh(&conn->lock);
}

static void prune_all(struct work_struct *work)
{
	struct ftcp_net *fn = container_of(work, struct ftcp_net, prune);
	struct ftcp_group *group;

	mutex_lock(&fn->config);
	list_for_each_entry(group, &fn->groups, node)
		ftcp_group_walk(group, prune, NULL);
	mutex_unlock(&fn->config);
}

void ftcp_prune_start(struct ftcp_net *fn)
{
	unsigned long last = READ_ONCE(fn->pruned);

	if (time_before(jiffies, last + PRUNE_INTERVAL) || cmpxchg(&fn->pruned, last, jiffies) != last)
		return;
	schedule_work(&fn->prune);
}

void ftcp_prune_init(struct ftcp_net *fn)
{
	fn->pruned = jiffies - PRUNE_INTERVAL;
	INIT_WORK(&fn->prune, prune_all);
}

void ftcp_prune_stop(struct ftcp_net *fn)
{
	cancel_work_sync(&fn->prune);
}
