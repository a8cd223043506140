// SPDX-License-Identifier: GPL-2.0
/* Services: which local ports are ours. */
#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include <ftcp/batch.h>
#include "backend.h"
#include "conn.h"
#include "group.h"
#include "hook.h"
#include "net.h"
#include "netlink.h"
#include "service.h"

static const struct in6_addr any4 = { { { [10] = 0xff, [11] = 0xff } } };

static struct ftcp_service *find_exact(struct ftcp_net *fn, const struct in6_addr *addr, u16 port)
{
	struct ftcp_service *service;

	list_for_each_entry_rcu(service, &fn->services, node, lockdep_is_held(&fn->config))
		if (service->port == port && ipv6_addr_equal(&service->addr, addr))
			return service;
	return NULL;
}

struct ftcp_service *ftcp_service_find(struct ftcp_net *fn, const struct in6_addr *addr, u16 port)
{
	struct ftcp_service *service = find_exact(fn, addr, port);
	bool v4 = ipv6_addr_v4mapped(addr);

	if (!service && v4)
		service = find_exact(fn, &any4, port);
	if (!service)
		service = find_exact(fn, &in6addr_any, port);
	return service && v4 && service->v6only ? NULL : service;
}

struct ftcp_service *ftcp_service_find_get(struct ftcp_net *fn, const struct in6_addr *addr, u16 port)
{
	struct ftcp_service *service;

	rcu_read_lock();
	service = ftcp_service_find(fn, addr, port);
	if (service && !refcount_inc_not_zero(&service->refs))
		service = NULL;
	rcu_read_unlock();
	return service;
}

void ftcp_service_put(struct ftcp_service *service)
{
	if (!refcount_dec_and_test(&service->refs))
		return;
	ftcp_group_put(service->group);
	kfree_rcu(service, rcu);
}

void ftcp_service_defaults(struct ftcp_service *conf)
{
	memset(conf, 0, sizeof(*conf));
	conf->rcv_buf_bytes = FTCP_RCV_BUF_BYTES;
	conf->snd_buf_bytes = FTCP_SND_BUF_BYTES;
	conf->user_timeout_ms = FTCP_USER_TIMEOUT_MS;
	conf->keepalive_ms = FTCP_KEEPALIVE_MS;
	conf->recover_ms = FTCP_RECOVER_MS;
}

void ftcp_service_config(const struct ftcp_service *service, struct ftcp_tcb_config *config)
{
	memset(config, 0, sizeof(*config));
	config->rcv_buf_bytes = service->rcv_buf_bytes;
	config->snd_buf_bytes = min(service->snd_buf_bytes, FTCP_SND_BUF_START_BYTES);
	config->user_timeout_ms = service->user_timeout_ms;
	config->keepalive_ms = service->keepalive_ms;
	config->congestion = service->congestion;
	config->nagle = service->nagle;
	config->async = service->protection == FTCP_PROTECTION_ASYNC;
}

static int link_locked(struct ftcp_net *fn, struct ftcp_service *service, struct netlink_ext_ack *extack)
{
	int err;

	lockdep_assert_held(&fn->config);
	/* It was found before the lock was taken, and nobody could remove the service from a group that is not there. */
	if (service->group->sync.stopped)
		return ftcp_group_refuse_stopped(service->group, extack);
	if (fn->n_services >= FTCP_SERVICES_MAX) {
		NL_SET_ERR_MSG(extack, "too many services in this network namespace");
		return -ENOSPC;
	}
	if (find_exact(fn, &service->addr, service->port)) {
		NL_SET_ERR_MSG(extack, "a service has this address and port already; delete it first");
		return -EEXIST;
	}
	if (!fn->hooked) {
		err = ftcp_hook_register(fn);
		if (err) {
			NL_SET_ERR_MSG(extack, "cannot register the netfilter hooks");
			return err;
		}
		fn->hooked = true;
	}
	list_add_tail_rcu(&service->node, &fn->services);
	fn->n_services++;
	fn->generation++;
	return 0;
}

int ftcp_service_add_locked(struct ftcp_net *fn, struct ftcp_group *group, const struct ftcp_service *conf,
			    struct netlink_ext_ack *extack)
{
	struct ftcp_service *service = kmemdup(conf, sizeof(*conf), GFP_KERNEL_ACCOUNT);
	int err;

	lockdep_assert_held(&fn->config);
	if (!service)
		return -ENOMEM;
	INIT_LIST_HEAD(&service->node);
	refcount_set(&service->refs, 1);
	spin_lock_init(&service->listen_lock);
	ftcp_group_get(group);
	service->group = group;
	err = link_locked(fn, service, extack);
	if (err)
		ftcp_service_put(service);
	return err;
}

int ftcp_service_add(struct ftcp_net *fn, struct ftcp_group *group, const struct ftcp_service *conf,
		     struct netlink_ext_ack *extack)
{
	int err;

	mutex_lock(&fn->config);
	err = ftcp_service_add_locked(fn, group, conf, extack);
	mutex_unlock(&fn->config);
	return err;
}

/* The connections of a service that is gone. */
struct ending {
	const struct ftcp_service *service;
	bool speaks;
	u32 n;
};

static void end_conn(struct ftcp_conn *conn, void *arg)
{
	struct ending *ending = arg;

	if (conn->service != ending->service)
		return;
	ending->n++;
	if (ending->speaks)
		ftcp_conn_kill(conn);
	else
		ftcp_conn_forget(conn);
}

/* Under sync.mutex: no role changes, and no batch brings another one. */
static void end_conns(struct ftcp_group *group, const struct ftcp_service *service)
{
	struct ending ending = { .service = service };

	mutex_lock(&group->sync.mutex);
	ending.speaks = ftcp_group_speaks(group);
	ftcp_group_walk(group, end_conn, &ending);
	/* A standby that goes on as if it held them would be believed: the primary ships idle ones only once. */
	if (ending.n && !ending.speaks)
		ftcp_sync_forget(group);
	mutex_unlock(&group->sync.mutex);
}

/* Added to the number of a service's connections when it goes: none comes any more, also not by those who have found it before. */
#define CLOSED (INT_MIN / 2)

/* The last service takes the hooks with it. */
static void remove_locked(struct ftcp_net *fn, struct ftcp_service *service)
{
	lockdep_assert_held(&fn->config);
	list_del_rcu(&service->node);
	atomic_add(CLOSED, &service->n_conns);
	fn->n_services--;
	fn->generation++;
	if (!fn->n_services && fn->hooked) {
		fn->hooked = false;
		ftcp_hook_unregister(fn);
	}
	synchronize_net();
}

int ftcp_service_del(struct ftcp_net *fn, struct ftcp_group *group, const struct in6_addr *addr, u16 port,
		     struct netlink_ext_ack *extack)
{
	struct ftcp_service *service;

	mutex_lock(&fn->config);
	service = find_exact(fn, addr, port);
	if (!service || service->group != group) {
		mutex_unlock(&fn->config);
		NL_SET_ERR_MSG(extack, "no such service in this group; see the list of services");
		return -ENOENT;
	}
	remove_locked(fn, service);
	mutex_unlock(&fn->config);
	end_conns(group, service);
	ftcp_service_put(service);
	return 0;
}

/* ---- programs that listen ---- */

/*
 * How long a service without a listener outlives its last connection. It takes nothing meanwhile; but a standby would otherwise make and
 * remove one with each of a client's short connections.
 */
#define LINGER_MS 10000

static bool is_any(const struct in6_addr *addr)
{
	return ipv6_addr_any(addr) || ipv6_addr_equal(addr, &any4);
}

u8 ftcp_service_maker(const struct ftcp_service *service)
{
	if (!service->by_listen)
		return FTCP_RECORD_CONFIGURED;
	if (!is_any(&service->addr))
		return FTCP_RECORD_LISTEN_ADDR;
	if (ipv6_addr_v4mapped(&service->addr))
		return FTCP_RECORD_LISTEN_ANY4;
	return service->v6only ? FTCP_RECORD_LISTEN_ANY6 : FTCP_RECORD_LISTEN_ANY;
}

void ftcp_service_follow(struct ftcp_service *conf, u8 maker, const struct in6_addr *addr, u16 port)
{
	ftcp_service_defaults(conf);
	conf->backend = &ftcp_socket;
	conf->by_listen = true;
	conf->nagle = true;
	conf->port = port;
	conf->v6only = maker == FTCP_RECORD_LISTEN_ANY6;
	if (maker == FTCP_RECORD_LISTEN_ADDR)
		conf->addr = *addr;
	else
		conf->addr = maker == FTCP_RECORD_LISTEN_ANY4 ? any4 : in6addr_any;
}

/* Not in front of what is there already: a service with any address of both families takes listeners of each. */
static struct ftcp_service *find_to_listen(struct ftcp_net *fn, const struct ftcp_service *conf)
{
	struct ftcp_service *service = find_exact(fn, &conf->addr, conf->port), *any = find_exact(fn, &in6addr_any, conf->port);

	lockdep_assert_held(&fn->config);
	if (service && service->v6only == conf->v6only)
		return service;
	return any && !any->by_listen ? any : service;
}

bool ftcp_service_listened(struct ftcp_net *fn, const struct ftcp_service *conf, bool v4, bool v6)
{
	const struct ftcp_service *service;
	bool found = false;

	rcu_read_lock();
	list_for_each_entry_rcu(service, &fn->services, node) {
		if (service->port != conf->port ||
		    !(is_any(&service->addr) || is_any(&conf->addr) || ipv6_addr_equal(&service->addr, &conf->addr)))
			continue;
		found = found || (v4 && READ_ONCE(service->listener[0])) || (v6 && READ_ONCE(service->listener[1]));
	}
	rcu_read_unlock();
	return found;
}

static int take_slots(struct ftcp_service *service, struct ftcp_sock *listener, bool v4, bool v6)
{
	int err = 0;

	spin_lock_bh(&service->listen_lock);
	if ((v4 && service->listener[0]) || (v6 && service->listener[1]))
		err = -EADDRINUSE;
	if (!err && v4)
		WRITE_ONCE(service->listener[0], listener);
	if (!err && v6)
		WRITE_ONCE(service->listener[1], listener);
	if (!err)
		smp_store_release(&service->listener_comes, false);	/* from here on it may be found to be abandoned */
	spin_unlock_bh(&service->listen_lock);
	return err;
}

/* 1: there is none to take */
static int take_existing(struct ftcp_net *fn, const char *group_name, const struct ftcp_service *conf, struct ftcp_sock *listener,
			 bool v4, bool v6, bool may_add, struct ftcp_service **found)
{
	struct ftcp_service *service;
	int err = 1;

	mutex_lock(&fn->config);
	service = find_to_listen(fn, conf);
	if (service)
		err = -EADDRINUSE;
	if (service && service->backend == conf->backend && (!group_name || !strcmp(group_name, service->group->name)))
		err = !service->by_listen || may_add ? take_slots(service, listener, v4, v6) : -EACCES;
	if (!err) {
		refcount_inc(&service->refs);
		*found = service;
	}
	mutex_unlock(&fn->config);
	return err;
}

struct ftcp_service *ftcp_service_listen(struct ftcp_net *fn, const char *group_name, const struct ftcp_service *conf,
					 struct ftcp_sock *listener, bool v4, bool v6, bool may_add)
{
	struct ftcp_service *service;
	struct ftcp_group *group;
	int err;

	err = take_existing(fn, group_name, conf, listener, v4, v6, may_add, &service);
	if (err <= 0)
		return err ? ERR_PTR(err) : service;
	if (!may_add)
		return ERR_PTR(-EACCES);
	group = ftcp_group_find(fn, group_name ?: FTCP_GROUP_DEFAULT);
	if (!group)
		return ERR_PTR(-ENOENT);
	err = ftcp_service_add(fn, group, conf, NULL);
	ftcp_group_put(group);
	if (err)
		return ERR_PTR(err == -EEXIST ? -EADDRINUSE : err);
	err = take_existing(fn, group_name, conf, listener, v4, v6, may_add, &service);
	return err ? ERR_PTR(err < 0 ? err : -EADDRINUSE) : service;
}

bool ftcp_service_abandoned(const struct ftcp_service *service)
{
	return service->by_listen && !READ_ONCE(service->listener_comes) && !READ_ONCE(service->listener[0]) &&
	       !READ_ONCE(service->listener[1]);
}

void ftcp_service_unlisten(struct ftcp_service *service, struct ftcp_sock *listener)
{
	u32 i;

	spin_lock_bh(&service->listen_lock);
	for (i = 0; i < ARRAY_SIZE(service->listener); i++)
		if (service->listener[i] == listener)
			WRITE_ONCE(service->listener[i], NULL);
	spin_unlock_bh(&service->listen_lock);
	if (ftcp_service_abandoned(service))
		ftcp_service_reap(service->group->fn);
	ftcp_service_put(service);
}

bool ftcp_service_conn_comes(struct ftcp_service *service)
{
	return atomic_inc_unless_negative(&service->n_conns);
}

void ftcp_service_conn_gone(struct ftcp_service *service)
{
	if (atomic_dec_and_test(&service->n_conns) && ftcp_service_abandoned(service))
		schedule_delayed_work(&service->group->fn->reap, msecs_to_jiffies(LINGER_MS));
}

void ftcp_service_reap(struct ftcp_net *fn)
{
	mod_delayed_work(system_wq, &fn->reap, 0);
}

/* Closed already, so that no connection comes between the look and the end. */
static struct ftcp_service *find_useless(struct ftcp_net *fn)
{
	struct ftcp_service *service;

	lockdep_assert_held(&fn->config);
	list_for_each_entry(service, &fn->services, node)
		if (ftcp_service_abandoned(service) && !atomic_cmpxchg(&service->n_conns, 0, CLOSED))
			return service;
	return NULL;
}

static void reap(struct work_struct *work)
{
	struct ftcp_net *fn = container_of(to_delayed_work(work), struct ftcp_net, reap);
	struct ftcp_service *service;

	mutex_lock(&fn->config);
	while ((service = find_useless(fn))) {
		remove_locked(fn, service);
		ftcp_service_put(service);
	}
	mutex_unlock(&fn->config);
}

/* ---- the namespace ---- */

void ftcp_services_init(struct ftcp_net *fn)
{
	INIT_LIST_HEAD(&fn->services);
	INIT_DELAYED_WORK(&fn->reap, reap);
}

static void forget(struct ftcp_conn *conn, void *arg)
{
	ftcp_conn_forget(conn);
}

void ftcp_services_destroy(struct ftcp_net *fn)
{
	struct ftcp_service *service;
	struct ftcp_group *group;

	mutex_lock(&fn->config);
	while (!list_empty(&fn->services)) {
		service = list_first_entry(&fn->services, struct ftcp_service, node);
		remove_locked(fn, service);
		ftcp_service_put(service);
	}
	/* All of them: tombstones outlive their service */
	list_for_each_entry(group, &fn->groups, node)
		ftcp_group_walk(group, forget, NULL);
	mutex_unlock(&fn->config);
}
