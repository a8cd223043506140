// SPDX-License-Identifier: GPL-2.0
/* Groups: their life, their clock, and the walk over their connections. What changes a role is in role.c. */
#include <linux/ctype.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/ktime.h>
#include "conn.h"
#include "group.h"
#include "net.h"
#include "netlink.h"
#include "service.h"

#define WALK_MANY	256	/* connections met in one step of a walk */
#define WALK_FEW	16	/* ... when there is no memory */
#define WALK_PASSED	4096	/* connections passed over in one step: those that it has met already */

static bool name_valid(const char *name)
{
	size_t len = strnlen(name, FTCP_GROUP_NAME_MAX);

	if (!len || len == FTCP_GROUP_NAME_MAX)
		return false;
	for (; *name; name++)
		if (!isascii(*name) || (!isalnum(*name) && !strchr("_.-", *name)))
			return false;
	return true;
}

static struct ftcp_group *group_lookup(struct ftcp_net *fn, const char *name)
{
	struct ftcp_group *group;

	list_for_each_entry_rcu(group, &fn->groups, node, lockdep_is_held(&fn->config))
		if (!strcmp(group->name, name))
			return group;
	return NULL;
}

static struct ftcp_group *group_alloc(struct ftcp_net *fn, const char *name)
{
	struct ftcp_group *group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);

	if (!group)
		return NULL;
	group->fn = fn;
	strscpy(group->name, name, sizeof(group->name));
	refcount_set(&group->refs, 1);
	spin_lock_init(&group->lock);
	group->role = FTCP_ROLE_STANDBY;
	group->role_since_ms = ktime_get_boottime_ns() / NSEC_PER_MSEC;
	get_random_bytes(&group->key, sizeof(group->key));
	INIT_LIST_HEAD(&group->conns);
	mutex_init(&group->walk);
	ftcp_sync_init(group);
	return group;
}

struct ftcp_group *ftcp_group_new(struct ftcp_net *fn, const char *name, struct netlink_ext_ack *extack)
{
	struct ftcp_group *group = NULL;
	int err = 0;

	if (!name_valid(name))
		return ERR_PTR(ftcp_refuse(extack, -EINVAL, "a group's name has 1 to %d of A-Z a-z 0-9 _ . -",
					   FTCP_GROUP_NAME_MAX - 1));
	mutex_lock(&fn->config);
	if (group_lookup(fn, name))
		err = ftcp_refuse(extack, -EEXIST, "there is a group %s already", name);
	else if (fn->n_groups >= FTCP_GROUPS_MAX)
		err = ftcp_refuse(extack, -ENOSPC, "there are %d groups already, the most there can be",
				  FTCP_GROUPS_MAX);
	if (!err) {
		group = group_alloc(fn, name);
		err = group ? 0 : -ENOMEM;
	}
	if (!err) {
		ftcp_group_get(group);
		list_add_tail_rcu(&group->node, &fn->groups);
		fn->n_groups++;
		WRITE_ONCE(fn->generation, fn->generation + 1);
	}
	mutex_unlock(&fn->config);
	if (err)
		return ERR_PTR(err);
	ftcp_netlink_event(group, FTCP_EVENT_GROUP_NEW);
	return group;
}

static bool has_services(struct ftcp_net *fn, const struct ftcp_group *group)
{
	struct ftcp_service *service;

	lockdep_assert_held(&fn->config);
	list_for_each_entry(service, &fn->services, node)
		if (service->group == group)
			return true;
	return false;
}

static void forget_conn(struct ftcp_conn *conn, void *arg)
{
	ftcp_conn_forget(conn);
}

/* Nobody finds it any more; what is left of it goes with the last reference. */
static void group_unlink(struct ftcp_net *fn, struct ftcp_group *group)
{
	lockdep_assert_held(&fn->config);
	list_del_rcu(&group->node);
	fn->n_groups--;
	WRITE_ONCE(fn->generation, fn->generation + 1);
	ftcp_sync_stop(group);
}

/* Gives back the reference that the list had. */
static void group_end(struct ftcp_group *group)
{
	ftcp_sync_drain(group);
	/* Tombstones of services that are gone, and what an apply under way has still put in. */
	ftcp_group_walk(group, forget_conn, NULL);
	ftcp_group_put(group);
}

int ftcp_group_del(struct ftcp_net *fn, const char *name, struct netlink_ext_ack *extack)
{
	struct ftcp_group *group;
	int err = 0;

	mutex_lock(&fn->config);
	group = group_lookup(fn, name);
	if (!group)
		err = ftcp_refuse(extack, -ENOENT, "there is no group %s", name);
	else if (has_services(fn, group))
		err = ftcp_refuse(extack, -EBUSY, "group %s has services: remove them first", name);
	else
		group_unlink(fn, group);
	mutex_unlock(&fn->config);
	if (err)
		return err;
	ftcp_netlink_event(group, FTCP_EVENT_GROUP_DEL);
	group_end(group);
	return 0;
}

int ftcp_group_refuse_stopped(const struct ftcp_group *group, struct netlink_ext_ack *extack)
{
	return ftcp_refuse(extack, -ENOENT, "group %s is being removed", group->name);
}

void ftcp_groups_stop(struct ftcp_net *fn)
{
	struct ftcp_group *group;

	list_for_each_entry(group, &fn->groups, node) {
		ftcp_sync_stop(group);
		ftcp_sync_drain(group);
	}
}

void ftcp_groups_destroy(struct ftcp_net *fn)
{
	struct ftcp_group *group;

	do {
		mutex_lock(&fn->config);
		group = list_first_entry_or_null(&fn->groups, struct ftcp_group, node);
		if (group)
			group_unlink(fn, group);
		mutex_unlock(&fn->config);
		if (group)
			group_end(group);
	} while (group);
}

struct ftcp_group *ftcp_group_find(struct ftcp_net *fn, const char *name)
{
	struct ftcp_group *group;

	rcu_read_lock();
	group = group_lookup(fn, name);
	if (group && !refcount_inc_not_zero(&group->refs))
		group = NULL;
	rcu_read_unlock();
	return group;
}

void ftcp_group_get(struct ftcp_group *group)
{
	refcount_inc(&group->refs);
}

/* Any context: connections give theirs back under a spinlock. */
void ftcp_group_put(struct ftcp_group *group)
{
	if (refcount_dec_and_test(&group->refs))
		kfree_rcu(group, rcu);
}

void ftcp_group_env(const struct ftcp_group *group, struct ftcp_env *env)
{
	u64 now_us = div_u64(ktime_get_boottime_ns(), NSEC_PER_USEC);

	env->now_us = now_us + 1;	/* never 0 */
	env->ts_ms = (u32)div_u64(now_us, USEC_PER_MSEC) + READ_ONCE(group->ts_delta_ms);
	env->alone = READ_ONCE(group->role) == FTCP_ROLE_DETACHED;
}

/* A walk on its way. */
struct walk {
	struct ftcp_group *group;
	struct ftcp_conn **met;		/* in this step, with references */
	u32 max;
	u32 n;
	struct ftcp_conn *last;		/* it was met, and so was all that is listed before it; with a reference, or NULL */
};

/* Under RCU: if so, what is behind it can be walked to, whatever becomes of it now. */
static bool is_listed(struct ftcp_conn *conn)
{
	bool listed;

	spin_lock_bh(&conn->lock);
	listed = !conn->finished;
	spin_unlock_bh(&conn->lock);
	return listed;
}

/* Takes over the caller's reference. */
static void go_on_behind(struct walk *walk, struct ftcp_conn *conn)
{
	if (walk->last)
		ftcp_conn_put(walk->last);
	walk->last = conn;
}

/*
 * The next connections that were not met yet; false: there are no more. New ones come at the end of the list. When the last one that was met has
 * gone, it begins again at the head, and passes over those that were met: not too many at once.
 */
static bool walk_step(struct walk *walk)
{
	struct ftcp_group *group = walk->group;
	struct ftcp_conn *conn;
	u32 passed = 0;
	bool more;

	lockdep_assert_held(&group->walk);
	walk->n = 0;
	rcu_read_lock();
	conn = walk->last && is_listed(walk->last) ? walk->last : list_entry(&group->conns, struct ftcp_conn, group_node);
	list_for_each_entry_continue_rcu(conn, &group->conns, group_node) {
		if (walk->n == walk->max)
			break;
		if (conn->walked != group->walk_no) {
			if (ftcp_conn_get(conn)) {
				conn->walked = group->walk_no;
				walk->met[walk->n++] = conn;
			}
		} else if (++passed >= WALK_PASSED && ftcp_conn_get(conn)) {
			go_on_behind(walk, conn);
			break;
		}
	}
	more = !list_entry_is_head(conn, &group->conns, group_node);
	rcu_read_unlock();
	return more;
}

void ftcp_group_walk(struct ftcp_group *group, ftcp_conn_fn fn, void *arg)
{
	struct walk walk = { .group = group };
	struct ftcp_conn *few[WALK_FEW], **many;
	bool more;
	u32 i;

	/* Losing a role must not fail for want of memory. */
	many = kmalloc_array(WALK_MANY, sizeof(*many), GFP_KERNEL | __GFP_NOWARN);
	walk.met = many ? many : few;
	walk.max = many ? WALK_MANY : WALK_FEW;
	mutex_lock(&group->walk);
	if (!++group->walk_no)	/* a new connection has 0 */
		group->walk_no = 1;
	do {
		more = walk_step(&walk);
		for (i = 0; i < walk.n; i++) {
			fn(walk.met[i], arg);
			/* One that has just gone is no place to go on from. */
			if (READ_ONCE(walk.met[i]->finished))
				ftcp_conn_put(walk.met[i]);
			else
				go_on_behind(&walk, walk.met[i]);
		}
		cond_resched();
	} while (more || walk.n);	/* what has come meanwhile, too */
	if (walk.last)
		ftcp_conn_put(walk.last);
	mutex_unlock(&group->walk);
	kfree(many);
}
