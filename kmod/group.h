/* SPDX-License-Identifier: GPL-2.0 */
/* A group: services that fail over together; one role, one epoch, one standby. */
#ifndef FTCP_GROUP_H
#define FTCP_GROUP_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/refcount.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <ftcp/limits.h>
#include <uapi/linux/ftcp.h>
#include "core/env.h"
#include "sync.h"

struct ftcp_net;
struct ftcp_conn;

struct ftcp_group {
	struct list_head node;		/* fn->groups; under fn->config, RCU */
	struct ftcp_net *fn;
	char name[FTCP_GROUP_NAME_MAX];
	refcount_t refs;
	struct rcu_head rcu;

	spinlock_t lock;		/* protects everything below but sync.mutex's own */
	enum ftcp_role role;		/* written under sync.mutex and lock; readers may use READ_ONCE */
	u64 epoch;
	u64 role_since_ms;		/* ktime_get_boottime */
	siphash_key_t key;		/* cookies and timestamp offsets; shipped to the standby */
	u32 ts_delta_ms;		/* group clock - local clock */
	bool ts_known;			/* standby: ts_delta_ms comes from a primary */
	struct list_head conns;		/* struct ftcp_conn.group_node; RCU readers */
	u32 n_conns;
	struct mutex walk;		/* innermost mutex: one walk over the connections at a time */
	u32 walk_no;			/* under walk */
	struct ftcp_sync sync;
};

/** ftcp_group_new() - ERR_PTR, or the group with a reference as from ftcp_group_find(). Takes fn->config. */
struct ftcp_group *ftcp_group_new(struct ftcp_net *fn, const char *name, struct netlink_ext_ack *extack);
/** ftcp_group_del() - refused (-EBUSY) while it has services. Takes fn->config. */
int ftcp_group_del(struct ftcp_net *fn, const char *name, struct netlink_ext_ack *extack);
/** ftcp_group_find() - with a reference, or NULL; give it back with ftcp_group_put() */
struct ftcp_group *ftcp_group_find(struct ftcp_net *fn, const char *name);
void ftcp_group_get(struct ftcp_group *group);
void ftcp_group_put(struct ftcp_group *group);
/**
 * ftcp_groups_stop() - the namespace or the module goes: nothing is collected or applied any more, so that no service or connection comes back
 *
 * Nobody makes or removes groups any more.
 */
void ftcp_groups_stop(struct ftcp_net *fn);
/** ftcp_group_refuse_stopped() - -ENOENT, and a message: @group is being removed */
int ftcp_group_refuse_stopped(const struct ftcp_group *group, struct netlink_ext_ack *extack);
/** ftcp_groups_destroy() - the namespace or the module goes; services and connections are gone already */
void ftcp_groups_destroy(struct ftcp_net *fn);

/** ftcp_group_speaks() - does this host speak for the group? Any context, no lock. */
static inline bool ftcp_group_speaks(const struct ftcp_group *group)
{
	return READ_ONCE(group->role) != FTCP_ROLE_STANDBY;
}

/** ftcp_group_env() - clock, timestamp clock and gate for a call into the core. Any context, no lock needed. */
void ftcp_group_env(const struct ftcp_group *group, struct ftcp_env *env);

/* With which connections a standby begins to speak. */
enum ftcp_promote {
	FTCP_PROMOTE_IN_SYNC,	/* those that are held; refused unless they are in sync */
	FTCP_PROMOTE_FORCED,	/* those that are held, whatever they are worth */
	FTCP_PROMOTE_FRESH,	/* those that are held, if they are in sync; none otherwise */
};

/* Role changes. Process context; they take sync.mutex. @epoch 0: not given. */
int ftcp_group_promote(struct ftcp_group *group, u64 epoch, enum ftcp_promote how, struct netlink_ext_ack *extack);
int ftcp_group_demote(struct ftcp_group *group, u64 epoch, bool force, struct netlink_ext_ack *extack);
int ftcp_group_detach(struct ftcp_group *group, struct netlink_ext_ack *extack);
int ftcp_group_kick(struct ftcp_group *group, struct netlink_ext_ack *extack);

typedef void (*ftcp_conn_fn)(struct ftcp_conn *conn, void *arg);

/**
 * ftcp_group_walk() - call @fn with a reference held and no lock, for every connection
 *
 * Process context only. Connections may come and go meanwhile: those that are there throughout are met exactly once.
 * @fn must not walk.
 */
void ftcp_group_walk(struct ftcp_group *group, ftcp_conn_fn fn, void *arg);

#endif
