/* SPDX-License-Identifier: GPL-2.0 */
/* Reassembly before our hook. The kernel's modules for it are loaded by ours, so that a plain insmod works. */
#ifndef FTCP_DEFRAG_H
#define FTCP_DEFRAG_H

struct net;

/**
 * ftcp_defrag_init() - load what ftcp_defrag_enable() needs; failing is not fatal
 *
 * Before there are namespaces of ours: whoever loads a module later may wait for one that goes (pernet_ops_rwsem), which may wait for us.
 */
void ftcp_defrag_init(void);
void ftcp_defrag_exit(void);

/** ftcp_defrag_enable() - reassemble both families in @net; -ENOENT if the kernel cannot */
int ftcp_defrag_enable(struct net *net);
void ftcp_defrag_disable(struct net *net);

#endif
