// SPDX-License-Identifier: GPL-2.0
/* Netlink: services. */
#include <net/sock.h>
#include "backend.h"
#include "core/cong.h"
#include "group.h"
#include "net.h"
#include "netlink.h"
#include "netlink_internal.h"
#include "service.h"

static u32 get_u32(struct genl_info *info, enum ftcp_attr attr, u32 otherwise)
{
	return info->attrs[attr] ? nla_get_u32(info->attrs[attr]) : otherwise;
}

static int get_place(struct genl_info *info, struct in6_addr *addr, u16 *port)
{
	if (!info->attrs[FTCP_A_SERVICE_PORT])
		return ftcp_nl_missing(info, FTCP_A_SERVICE_PORT, "SERVICE_PORT is missing: which port?");
	*port = nla_get_u16(info->attrs[FTCP_A_SERVICE_PORT]);
	return ftcp_nl_get_addr(info, FTCP_A_SERVICE_ADDR4, FTCP_A_SERVICE_ADDR6, addr);
}

static int get_congestion(struct genl_info *info, u8 *congestion)
{
	const struct nlattr *attr = info->attrs[FTCP_A_SERVICE_CONGESTION];
	u8 i;

	for (i = 0; attr && i < __FTCP_CONG_MAX; i++)
		if (!strcmp(nla_data(attr), ftcp_cong_name(i))) {
			*congestion = i;
			return 0;
		}
	if (!attr)
		return 0;
	return ftcp_refuse(info->extack, -ENOENT, "there is no congestion control %s: there are cubic and reno",
			   (const char *)nla_data(attr));
}

int ftcp_nl_service_add(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *backend = info->attrs[FTCP_A_SERVICE_BACKEND];
	const char *name = backend ? nla_data(backend) : "echo";
	struct ftcp_service conf;
	int err;

	ftcp_service_defaults(&conf);
	err = get_place(info, &conf.addr, &conf.port);
	if (err)
		return err;
	conf.backend = ftcp_backend_find(name);
	if (!conf.backend)
		return ftcp_refuse(info->extack, -ENOENT, "there is no backend %s: there are echo, discard, chargen, socket", name);
	conf.rcv_buf_bytes = get_u32(info, FTCP_A_SERVICE_RCV_BUF, conf.rcv_buf_bytes);
	conf.snd_buf_bytes = get_u32(info, FTCP_A_SERVICE_SND_BUF, conf.snd_buf_bytes);
	conf.user_timeout_ms = get_u32(info, FTCP_A_SERVICE_USER_TIMEOUT_MS, conf.user_timeout_ms);
	conf.keepalive_ms = get_u32(info, FTCP_A_SERVICE_KEEPALIVE_MS, conf.keepalive_ms);
	conf.recover_ms = get_u32(info, FTCP_A_SERVICE_RECOVER_MS, conf.recover_ms);
	conf.nagle = info->attrs[FTCP_A_SERVICE_NAGLE] && nla_get_u8(info->attrs[FTCP_A_SERVICE_NAGLE]);
	if (info->attrs[FTCP_A_SERVICE_PROTECTION])
		conf.protection = nla_get_u8(info->attrs[FTCP_A_SERVICE_PROTECTION]);
	conf.max_conns = get_u32(info, FTCP_A_SERVICE_MAX_CONNS, 0);
	err = get_congestion(info, &conf.congestion);
	if (err)
		return err;
	return ftcp_service_add(ftcp_net(genl_info_net(info)), ftcp_nl_group(info), &conf, info->extack);
}

int ftcp_nl_service_del(struct sk_buff *skb, struct genl_info *info)
{
	struct in6_addr addr;
	u16 port;
	int err;

	err = get_place(info, &addr, &port);
	if (err)
		return err;
	return ftcp_service_del(ftcp_net(genl_info_net(info)), ftcp_nl_group(info), &addr, port, info->extack);
}

static int put_service(struct sk_buff *skb, const struct ftcp_service *service)
{
	if (nla_put_string(skb, FTCP_A_GROUP_NAME, service->group->name) ||
	    nla_put_u16(skb, FTCP_A_SERVICE_PORT, service->port) ||
	    ftcp_nl_put_addr(skb, FTCP_A_SERVICE_ADDR4, FTCP_A_SERVICE_ADDR6, &service->addr) ||
	    nla_put_string(skb, FTCP_A_SERVICE_BACKEND, service->backend->name) ||
	    nla_put_u32(skb, FTCP_A_SERVICE_RCV_BUF, service->rcv_buf_bytes) ||
	    nla_put_u32(skb, FTCP_A_SERVICE_SND_BUF, service->snd_buf_bytes) ||
	    nla_put_u32(skb, FTCP_A_SERVICE_USER_TIMEOUT_MS, service->user_timeout_ms) ||
	    nla_put_u32(skb, FTCP_A_SERVICE_KEEPALIVE_MS, service->keepalive_ms) ||
	    nla_put_string(skb, FTCP_A_SERVICE_CONGESTION, ftcp_cong_name(service->congestion)) ||
	    nla_put_u8(skb, FTCP_A_SERVICE_NAGLE, service->nagle) ||
	    nla_put_u32(skb, FTCP_A_SERVICE_MAX_CONNS, service->max_conns) ||
	    nla_put_u32(skb, FTCP_A_SERVICE_RECOVER_MS, service->recover_ms) ||
	    nla_put_u8(skb, FTCP_A_SERVICE_BY_LISTEN, service->by_listen) ||
	    nla_put_u8(skb, FTCP_A_SERVICE_PROTECTION, service->protection))
		return -EMSGSIZE;
	return 0;
}

static int dump_one(struct sk_buff *skb, struct netlink_callback *cb, const struct ftcp_service *service)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &ftcp_genl_family, NLM_F_MULTI,
				FTCP_CMD_SERVICE_GET);

	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	if (put_service(skb, service)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* cb->args[0]: how many services were dumped already. */
int ftcp_nl_service_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ftcp_net *fn = ftcp_net(sock_net(cb->skb->sk));
	struct ftcp_group *only = ftcp_nl_dump_group(cb);
	struct ftcp_service *service;
	long at = 0;

	if (IS_ERR(only))
		return PTR_ERR(only);
	cb->seq = READ_ONCE(fn->generation) + 1;	/* 0: no check */
	rcu_read_lock();
	list_for_each_entry_rcu(service, &fn->services, node) {
		if (at++ < cb->args[0] || (only && service->group != only))
			continue;
		if (dump_one(skb, cb, service)) {
			at--;
			break;
		}
	}
	rcu_read_unlock();
	cb->args[0] = at;
	if (only)
		ftcp_group_put(only);
	return skb->len;
}
