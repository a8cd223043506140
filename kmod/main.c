// SPDX-License-Identifier: GPL-2.0
/*
 * ftcp: TCP connections that outlive the server they were opened to. Loading, unloading, network namespaces.
 */
#define pr_fmt(fmt) "ftcp: " fmt

#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/inet.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include <net/netns/generic.h>
#include "backend.h"
#include "chargen.h"
#include "conn.h"
#include "defrag.h"
#include "group.h"
#include "memory.h"
#include "net.h"
#include "netlink.h"
#include "page.h"
#include "prune.h"
#include "queue.h"
#include "service.h"
#include "sock.h"
#include "table.h"

#define PORTS_MAX 16

static char *port;
module_param(port, charp, 0444);
MODULE_PARM_DESC(port, "port of the built-in echo service, or several: 9999 or 7,9999");

static char *addr;
module_param(addr, charp, 0444);
MODULE_PARM_DESC(addr, "local address of the echo service, IPv4 or IPv6; any if not given");

struct kmem_cache *ftcp_conn_cache, *ftcp_board_cache;
static unsigned int net_id;

struct ftcp_net *ftcp_net(const struct net *net)
{
	return net_generic(net, net_id);
}

/* ---- parameters ---- */

static int parse_addr(const char *text, struct in6_addr *result)
{
	__be32 v4;

	*result = in6addr_any;
	if (!text)
		return 0;
	if (in4_pton(text, -1, (u8 *)&v4, '\0', NULL)) {
		if (v4)
			ipv6_addr_set_v4mapped(v4, result);
	} else if (!in6_pton(text, -1, (u8 *)result, '\0', NULL)) {
		return -EINVAL;
	}
	return 0;
}

static int add_echo(struct ftcp_net *fn, struct ftcp_group *group, const char *text)
{
	struct ftcp_service conf;
	int err;

	ftcp_service_defaults(&conf);
	conf.backend = &ftcp_echo;
	if (!isdigit(*text) || kstrtou16(text, 10, &conf.port) || !conf.port) {
		pr_err("port=\"%s\" is not a port: give a number from 1 to 65535\n", text);
		return -EINVAL;
	}
	if (parse_addr(addr, &conf.addr)) {
		pr_err("addr=\"%s\" is neither an IPv4 nor an IPv6 address\n", addr);
		return -EINVAL;
	}
	err = ftcp_service_add(fn, group, &conf, NULL);
	if (err == -EEXIST) {
		/* Not that error: insmod would say that the module is loaded already, and modprobe that all is well */
		pr_err("port=\"%s\" is given twice\n", text);
		return -EINVAL;
	}
	if (err)
		pr_err("cannot add the echo service on port %s: error %d\n", text, err);
	return err;
}

static int add_parameters(struct net *net)
{
	struct ftcp_net *fn = ftcp_net(net);
	struct ftcp_group *group;
	char *list, *rest, *one;
	u32 n = 0;
	int err = 0;

	if (!port) {
		if (addr)
			pr_warn("addr= means nothing without port=\n");
		return 0;
	}
	rest = list = kstrdup(port, GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	group = ftcp_group_find(fn, FTCP_GROUP_DEFAULT);
	while (!err && (one = strsep(&rest, ","))) {
		if (++n > PORTS_MAX) {
			pr_err("port= takes at most %d ports; add more by netlink\n", PORTS_MAX);
			err = -EINVAL;
		} else {
			err = add_echo(fn, group, one);
		}
	}
	ftcp_group_put(group);
	kfree(list);
	return err;
}

/* ---- network namespaces ---- */

static int __net_init net_init(struct net *net)
{
	struct ftcp_net *fn = ftcp_net(net);
	struct ftcp_group *group;
	int err;

	fn->net = net;
	fn->guest = net->user_ns != &init_user_ns;
	mutex_init(&fn->config);
	INIT_LIST_HEAD(&fn->groups);
	ftcp_services_init(fn);
	ftcp_prune_init(fn);
	fn->stats = alloc_percpu_gfp(struct ftcp_stats, GFP_KERNEL_ACCOUNT);
	if (!fn->stats)
		return -ENOMEM;
	err = ftcp_table_init(fn);
	if (err)
		goto stats;
	group = ftcp_group_new(fn, FTCP_GROUP_DEFAULT, NULL);
	if (IS_ERR(group)) {
		err = PTR_ERR(group);
		goto table;
	}
	ftcp_group_put(group);
	return 0;
table:
	ftcp_table_destroy(fn);
stats:
	free_percpu(fn->stats);
	return err;
}

/*
 * In this order: no batch comes in, which might bring a service back, or goes out (groups), no packet comes in (hooks), every connection is
 * forgotten, and the last reference to each has gone: a timer that fires at this moment holds one.
 */
static void __net_exit net_exit(struct net *net)
{
	struct ftcp_net *fn = ftcp_net(net);

	ftcp_groups_stop(fn);
	ftcp_services_destroy(fn);
	ftcp_prune_stop(fn);
	ftcp_groups_destroy(fn);
	while (atomic_read(&fn->n_conns))
		msleep(20);
	cancel_delayed_work_sync(&fn->reap);
	ftcp_table_destroy(fn);
	free_percpu(fn->stats);
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.exit = net_exit,
	.id = &net_id,
	.size = sizeof(struct ftcp_net),
};

/* ---- the module ---- */

static int __init ftcp_init(void)
{
	int err;

	err = ftcp_memory_init();
	if (err)
		return err;
	ftcp_queue_init();
	ftcp_defrag_init();
	ftcp_conn_cache = KMEM_CACHE(ftcp_conn, SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	ftcp_board_cache = KMEM_CACHE(ftcp_board, SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	err = -ENOMEM;
	if (!ftcp_conn_cache || !ftcp_board_cache)
		goto cache;
	err = ftcp_chargen_init();
	if (err)
		goto cache;
	err = ftcp_sync_register();
	if (err)
		goto chargen;
	err = register_pernet_subsys(&net_ops);
	if (err)
		goto sync;
	err = ftcp_netlink_register();
	if (err)
		goto pernet;
	err = add_parameters(&init_net);
	if (err)
		goto netlink;
	err = ftcp_sock_register();
	if (err)
		goto netlink;
	pr_info("loaded; groups are standby, and silent, until they are promoted\n");
	return 0;
netlink:
	ftcp_netlink_unregister();
pernet:
	unregister_pernet_subsys(&net_ops);
sync:
	ftcp_sync_unregister();
chargen:
	ftcp_chargen_exit();
cache:
	ftcp_defrag_exit();
	rcu_barrier();
	ftcp_page_exit();
	kmem_cache_destroy(ftcp_board_cache);
	kmem_cache_destroy(ftcp_conn_cache);
	ftcp_memory_exit();
	return err;
}

/* Netlink first: afterwards nobody makes a group, a service or a connection by hand any more. */
static void __exit ftcp_exit(void)
{
	ftcp_sock_unregister();		/* there is none left: each holds the module */
	ftcp_netlink_unregister();
	unregister_pernet_subsys(&net_ops);
	ftcp_sync_unregister();
	ftcp_chargen_exit();
	ftcp_queue_exit();
	ftcp_defrag_exit();
	rcu_barrier();		/* connections are freed by call_rcu() */
	ftcp_page_exit();
	kmem_cache_destroy(ftcp_board_cache);
	kmem_cache_destroy(ftcp_conn_cache);
	ftcp_memory_exit();
}

module_init(ftcp_init);
module_exit(ftcp_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The ftcp engineers");
MODULE_DESCRIPTION("TCP connections that outlive the server they were opened to");
