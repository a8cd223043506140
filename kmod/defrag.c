// SPDX-License-Identifier: GPL-2.0
/* Reassembly: without it the first fragment of a datagram would be stolen alone. */
#define pr_fmt(fmt) "ftcp: " fmt

#include <linux/kmod.h>
#include <linux/module.h>
#include <net/netfilter/ipv4/nf_defrag_ipv4.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include "defrag.h"

/* As long as ours is loaded these modules are held. NULL: it is not there. insmod loads no others, so that they are asked for by name. */
static typeof(nf_defrag_ipv4_enable) *enable4;
static typeof(nf_defrag_ipv4_disable) *disable4;
static typeof(nf_defrag_ipv6_enable) *enable6;
static typeof(nf_defrag_ipv6_disable) *disable6;

MODULE_SOFTDEP("pre: nf_defrag_ipv4 nf_defrag_ipv6");

void __init ftcp_defrag_init(void)
{
	request_module("nf_defrag_ipv4");
	request_module("nf_defrag_ipv6");
	enable4 = symbol_get(nf_defrag_ipv4_enable);
	disable4 = symbol_get(nf_defrag_ipv4_disable);
	enable6 = symbol_get(nf_defrag_ipv6_enable);
	disable6 = symbol_get(nf_defrag_ipv6_disable);
	if (!enable4 || !disable4 || !enable6 || !disable6)
		pr_warn("no service can be added: the modules nf_defrag_ipv4 and nf_defrag_ipv6 cannot be loaded\n");
}

void ftcp_defrag_exit(void)
{
	if (enable4)
		symbol_put(nf_defrag_ipv4_enable);
	if (disable4)
		symbol_put(nf_defrag_ipv4_disable);
	if (enable6)
		symbol_put(nf_defrag_ipv6_enable);
	if (disable6)
		symbol_put(nf_defrag_ipv6_disable);
}

int ftcp_defrag_enable(struct net *net)
{
	int err;

	if (!enable4 || !disable4 || !enable6 || !disable6)
		return -ENOENT;
	err = enable4(net);
	if (err)
		return err;
	err = enable6(net);
	if (err)
		disable4(net);
	return err;
}

void ftcp_defrag_disable(struct net *net)
{
	disable6(net);
	disable4(net);
}
