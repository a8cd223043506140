// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/socket.h>
#include <string.h>
#include "address.h"
#include "announce.h"
#include "log.h"

#define RETRY_MS	1000
#define ROUNDS_MIN	2	/* one to announce, one in case it was lost */

/* ---- one address ---- */

static struct rtnl_addr *build(const struct config_address *address, int index)
{
	struct rtnl_addr *rtnl = rtnl_addr_alloc();
	struct nl_addr *local = nl_addr_build(address->family, address->ip, address->family == AF_INET6 ? 16 : 4);
	int err = rtnl && local ? 0 : -NLE_NOMEM;

	if (!err) {
		nl_addr_set_prefixlen(local, address->prefix_len);
		rtnl_addr_set_ifindex(rtnl, index);
		err = rtnl_addr_set_local(rtnl, local);
	}
	/* Whoever had it is dead or silent, and clients wait: no second of probing for duplicates. */
	if (!err && address->family == AF_INET6)
		rtnl_addr_set_flags(rtnl, IFA_F_NODAD);
	nl_addr_put(local);
	if (!err)
		return rtnl;
	rtnl_addr_put(rtnl);
	return NULL;
}

/* 0, or libnl's negative number. */
static int change(struct addresses *addresses, const struct config_address *address, bool add)
{
	int index = if_nametoindex(address->dev);
	struct rtnl_addr *rtnl;
	int err;

	if (!index)
		return add ? -NLE_NODEV : 0;
	rtnl = build(address, index);
	if (!rtnl)
		return -NLE_NOMEM;
	err = add ? rtnl_addr_add(addresses->sock, rtnl, 0) : rtnl_addr_delete(addresses->sock, rtnl, 0);
	rtnl_addr_put(rtnl);
	if (add && !err)
		addresses->added = true;
	if (add && err == -NLE_EXIST)
		return 0;
	if (!add && (err == -NLE_NOADDR || err == -NLE_OBJ_NOTFOUND))
		return 0;
	return err;
}

/* Each trouble is logged once, and its end. */
static bool change_and_tell(struct addresses *addresses, unsigned int i)
{
	const struct config_address *address = &addresses->config->addresses[i];
	int err = change(addresses, address, addresses->wanted);

	if (err && err != addresses->told[i])
		log_err("cannot %s %s: %s; trying every second", addresses->wanted ? "add" : "remove", address->text,
			err == -NLE_NODEV ? "there is no such interface" : nl_geterror(err));
	else if (!err)
		log_info("address %s %s", address->text, addresses->wanted ? "is here" : "is not here");
	addresses->told[i] = err;
	return !err;
}

/* ---- all of them ---- */

static bool change_all(struct addresses *addresses)
{
	bool good = true;

	for (unsigned int i = 0; i < addresses->config->n_addresses; i++)
		good &= change_and_tell(addresses, i);
	return good;
}

static void announce_all(struct addresses *addresses)
{
	const struct config_address *address;
	int err;

	for (unsigned int i = 0; i < addresses->config->n_addresses; i++) {
		address = &addresses->config->addresses[i];
		if (addresses->told[i])
			continue;	/* it is not here */
		err = announce(address);
		if (err && addresses->round == 0)
			log_warn("cannot announce %s: %s", address->text, strerror(-err));
	}
}

static void next_round(void *arg)
{
	struct addresses *addresses = arg;
	unsigned int round = addresses->round;

	if (round < addresses->config->announce)
		announce_all(addresses);
	addresses->announced(addresses->arg, round);
	addresses->round++;
	if (addresses->round < ROUNDS_MIN || addresses->round < addresses->config->announce)
		loop_timer_set(addresses->loop, &addresses->spacing, loop_clock_ms() + ADDRESS_SPACING_MS);
}

void addresses_announce(struct addresses *addresses)
{
	if (!addresses->wanted)
		return;
	loop_timer_stop(addresses->loop, &addresses->spacing);
	addresses->round = 0;
	next_round(addresses);
}

/* True: something has changed that the LAN should know. */
static bool follow(struct addresses *addresses)
{
	addresses->added = false;
	if (!change_all(addresses))
		loop_timer_set(addresses->loop, &addresses->retry, loop_clock_ms() + RETRY_MS);
	return addresses->added;
}

static void retry_due(void *arg)
{
	if (follow(arg))
		addresses_announce(arg);
}

void addresses_follow(struct addresses *addresses, bool wanted)
{
	bool first = !addresses->known;

	if (!first && wanted == addresses->wanted)
		return;
	addresses->known = true;
	addresses->wanted = wanted;
	memset(addresses->told, 0, sizeof(addresses->told));
	loop_timer_stop(addresses->loop, &addresses->retry);
	loop_timer_stop(addresses->loop, &addresses->spacing);
	if (follow(addresses) || !first)
		addresses_announce(addresses);
}

int addresses_open(struct addresses *addresses, struct loop *loop, const struct config *config,
		   void (*announced)(void *arg, unsigned int round), void *arg)
{
	int err;

	memset(addresses, 0, sizeof(*addresses));
	addresses->loop = loop;
	addresses->config = config;
	addresses->announced = announced;
	addresses->arg = arg;
	addresses->retry = (struct loop_timer){ .fire = retry_due, .arg = addresses };
	addresses->spacing = (struct loop_timer){ .fire = next_round, .arg = addresses };
	addresses->sock = nl_socket_alloc();
	if (!addresses->sock)
		return -ENOMEM;
	err = nl_connect(addresses->sock, NETLINK_ROUTE);
	if (err) {
		log_err("cannot open a route netlink socket: %s", nl_geterror(err));
		nl_socket_free(addresses->sock);
		addresses->sock = NULL;
		return -EIO;
	}
	return 0;
}

void addresses_close(struct addresses *addresses)
{
	if (addresses->sock)
		nl_socket_free(addresses->sock);
}
