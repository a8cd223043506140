// SPDX-License-Identifier: GPL-2.0
/* Reassembly: without it the first fragment of a datagram would be stolen alone. */
#include <linux/kmod.h>
#include <linux/module.h>
#include <net/netfilter/ipv4/nf_defrag_ipv4.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include "defrag.h"

/*
 * Calls FUNCTION(net) of the kernel module MODULE, loading that if need be. While the function is enabled somewhere its module is held by the
 * reference that symbol_get() takes; disabling gives back that one and its own.
 */
#define CALL_ENABLE(module, function, net) ({			\
	typeof(&function) found = symbol_get(function);		\
	int result = -ENOENT;					\
								\
	if (!found && !request_module(module))			\
		found = symbol_get(function);			\
	if (found)						\
		result = found(net);				\
	if (found && result)					\
		symbol_put(function);				\
	result; })

#define CALL_DISABLE(function, enable, net) do {		\
	typeof(&function) found = symbol_get(function);		\
								\
	if (found) {						\
		found(net);					\
		symbol_put(function);				\
		symbol_put(enable);				\
	}							\
} while (0)

static void disable4(struct net *net)
{
	CALL_DISABLE(nf_defrag_ipv4_disable, nf_defrag_ipv4_enable, net);
}

int ftcp_defrag_enable(struct net *net)
{
	int err = CALL_ENABLE("nf_defrag_ipv4", nf_defrag_ipv4_enable, net);

	if (err)
		return err;
	err = CALL_ENABLE("nf_defrag_ipv6", nf_defrag_ipv6_enable, net);
	if (err)
		disable4(net);
	return err;
}

void ftcp_defrag_disable(struct net *net)
{
	CALL_DISABLE(nf_defrag_ipv6_disable, nf_defrag_ipv6_enable, net);
	disable4(net);
}
