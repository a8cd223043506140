/* SPDX-License-Identifier: GPL-2.0 */
/* A service: a local port (and address, or any) of a group, with the backend that serves it. */
#ifndef FTCP_SERVICE_H
#define FTCP_SERVICE_H

#include <linux/atomic.h>
#include <linux/in6.h>
#include <linux/list.h>
#include <linux/netlink.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <ftcp/limits.h>

struct ftcp_backend;
struct ftcp_group;
struct ftcp_net;
struct ftcp_sock;

struct ftcp_service {
	struct list_head node;		/* fn->services; under fn->config, RCU */
	struct ftcp_group *group;	/* with a reference */
	const struct ftcp_backend *backend;
	struct in6_addr addr;		/* IPv4 as ::ffff:a.b.c.d; :: is any, ::ffff:0.0.0.0 any of IPv4 */
	u16 port;			/* host order */
	bool v6only;			/* :: does not cover IPv4 */
	bool listener_comes;		/* under listen_lock; its first listener is about to take its place */
	bool by_listen;			/* made by a program's listen(): goes with its last listener and connection */
	u32 rcv_buf_bytes;
	u32 snd_buf_bytes;
	u32 user_timeout_ms;
	u32 keepalive_ms;
	u8 congestion;			/* enum ftcp_cong_algorithm */
	bool nagle;
	u8 protection;			/* enum ftcp_protection */
	u32 recover_ms;			/* how long a connection waits for its program after a takeover */
	spinlock_t listen_lock;		/* BH; innermost: nothing is locked inside but a socket's queue */
	struct ftcp_sock *listener[2];	/* under listen_lock: who accepts IPv4, and IPv6; without a reference */
	u32 max_conns;			/* 0: no limit of its own */
	atomic_t n_conns;		/* tombstones included; below 0: it is gone, and none comes any more */
	refcount_t refs;
	struct rcu_head rcu;
};

/** ftcp_service_add() - fields of @conf but node, group, refs are given; registers the hooks with the first service */
int ftcp_service_add(struct ftcp_net *fn, struct ftcp_group *group, const struct ftcp_service *conf,
		     struct netlink_ext_ack *extack);
/** ftcp_service_add_locked() - the same with fn->config held */
int ftcp_service_add_locked(struct ftcp_net *fn, struct ftcp_group *group, const struct ftcp_service *conf,
			    struct netlink_ext_ack *extack);
/** ftcp_service_del() - aborts its connections; a standby forgets them silently, and is not in sync any more if there were any */
int ftcp_service_del(struct ftcp_net *fn, struct ftcp_group *group, const struct in6_addr *addr, u16 port,
		     struct netlink_ext_ack *extack);
/** ftcp_services_destroy() - the namespace or the module goes: no hook runs afterwards, all connections are gone */
void ftcp_services_destroy(struct ftcp_net *fn);

/** ftcp_service_defaults() - a service's @conf before anybody has wished for anything: zero, and the defaults of <ftcp/limits.h> */
void ftcp_service_defaults(struct ftcp_service *conf);

/** ftcp_service_maker() - what the other host is to know of a service; enum ftcp_record_service */
u8 ftcp_service_maker(const struct ftcp_service *service);
/**
 * ftcp_service_follow() - the other host's program listens, none does here: what its connections belong to until one comes
 * @conf: filled, for ftcp_service_add()
 * @maker: enum ftcp_record_service, not CONFIGURED
 * @addr: a connection's own, as its @port
 *
 * Until somebody listens such a service takes nothing but the connections that are there.
 */
void ftcp_service_follow(struct ftcp_service *conf, u8 maker, const struct in6_addr *addr, u16 port);
/** ftcp_service_reap() - soon: those that nobody needs any more are gone. Any context */
void ftcp_service_reap(struct ftcp_net *fn);

/**
 * ftcp_service_listen() - @listener accepts for IPv4 and IPv6 (@v4, @v6) on its address and port; -EADDRINUSE, -EACCES, -ENOENT
 * @conf: as for ftcp_service_add(), what a new service is to be like
 * @group_name: its group, or NULL: any for a service that is there, else FTCP_GROUP_DEFAULT
 * @may_add: may it make a service where there is none, or take over what another program has left?
 *
 * Returns the service with a reference, or ERR_PTR.
 */
struct ftcp_service *ftcp_service_listen(struct ftcp_net *fn, const char *group_name, const struct ftcp_service *conf,
					 struct ftcp_sock *listener, bool v4, bool v6, bool may_add);
/** ftcp_service_listened() - does anybody accept on an address and port like those of @conf already (@v4, @v6: for which families)? */
bool ftcp_service_listened(struct ftcp_net *fn, const struct ftcp_service *conf, bool v4, bool v6);
/** ftcp_service_unlisten() - @listener accepts no more; gives its reference back */
void ftcp_service_unlisten(struct ftcp_service *service, struct ftcp_sock *listener);
/** ftcp_service_abandoned() - nobody listens, and nobody is to: new connections are not ours. Any context, no lock */
bool ftcp_service_abandoned(const struct ftcp_service *service);

/** ftcp_service_find() - under RCU, no reference taken; the exact address wins over any */
struct ftcp_service *ftcp_service_find(struct ftcp_net *fn, const struct in6_addr *addr, u16 port);
/** ftcp_service_find_get() - the same with a reference, for any context */
struct ftcp_service *ftcp_service_find_get(struct ftcp_net *fn, const struct in6_addr *addr, u16 port);
void ftcp_service_put(struct ftcp_service *service);
/** ftcp_service_conn_comes() - one connection more; false: the service is gone. Any context */
bool ftcp_service_conn_comes(struct ftcp_service *service);
/** ftcp_service_conn_gone() - one connection less; any context */
void ftcp_service_conn_gone(struct ftcp_service *service);
/** ftcp_services_init() - of a new namespace; ftcp_services_destroy() is its end */
void ftcp_services_init(struct ftcp_net *fn);

struct ftcp_tcb_config;

/** ftcp_service_config() - what it gives to its connections; mss_bytes and ts_off are left to the caller */
void ftcp_service_config(const struct ftcp_service *service, struct ftcp_tcb_config *config);

#endif
