// SPDX-License-Identifier: GPL-2.0
/* Services: which local ports are ours. */
#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include "conn.h"
#include "group.h"
#include "hook.h"
#include "net.h"
#include "netlink.h"
#include "service.h"

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

	return service ?: find_exact(fn, &in6addr_any, port);
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

void ftcp_service_config(const struct ftcp_service *service, struct ftcp_tcb_config *config)
{
	memset(config, 0, sizeof(*config));
	config->rcv_buf_bytes = service->rcv_buf_bytes;
	config->snd_buf_bytes = service->snd_buf_bytes;
	config->user_timeout_ms = service->user_timeout_ms;
	config->keepalive_ms = service->keepalive_ms;
	config->congestion = service->congestion;
	config->nagle = service->nagle;
}

static int add_locked(struct ftcp_net *fn, struct ftcp_service *service, struct netlink_ext_ack *extack)
{
	int err;

	lockdep_assert_held(&fn->config);
	/* It was found before the lock was taken, and nobody could remove the service from a group that is not there. */
	if (service->group->sync.stopped)
		return ftcp_refuse(extack, -ENOENT, "group %s is being removed", service->group->name);
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

int ftcp_service_add(struct ftcp_net *fn, struct ftcp_group *group, const struct ftcp_service *conf,
		     struct netlink_ext_ack *extack)
{
	struct ftcp_service *service = kmemdup(conf, sizeof(*conf), GFP_KERNEL);
	int err;

	if (!service)
		return -ENOMEM;
	INIT_LIST_HEAD(&service->node);
	refcount_set(&service->refs, 1);
	ftcp_group_get(group);
	service->group = group;
	mutex_lock(&fn->config);
	err = add_locked(fn, service, extack);
	mutex_unlock(&fn->config);
	if (err)
		ftcp_service_put(service);
	return err;
}

static void kill_if_of(struct ftcp_conn *conn, void *service)
{
	if (conn->service == service)
		ftcp_conn_kill(conn);
}

static void forget_if_of(struct ftcp_conn *conn, void *service)
{
	if (conn->service == service)
		ftcp_conn_forget(conn);
}

/* The last service takes the hooks with it. */
static void remove_locked(struct ftcp_net *fn, struct ftcp_service *service)
{
	lockdep_assert_held(&fn->config);
	list_del_rcu(&service->node);
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
	ftcp_group_walk(group, ftcp_group_speaks(group) ? kill_if_of : forget_if_of, service);
	ftcp_service_put(service);
	return 0;
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
