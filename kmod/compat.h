/* SPDX-License-Identifier: GPL-2.0 */
/* Differences between kernels, 6.1 to 6.12: the only place that asks for a version. */
#ifndef FTCP_COMPAT_H
#define FTCP_COMPAT_H

#include <linux/version.h>
#include <net/genetlink.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define ftcp_compat_genl_ops genl_split_ops	/* what pre_doit and post_doit are given */
#else
#define ftcp_compat_genl_ops genl_ops
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define FTCP_COMPAT_ACCEPT_ARG 1	/* accept() is given a struct */
#else
#define FTCP_COMPAT_ACCEPT_ARG 0
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define FTCP_COMPAT_PINFO_OFFSET 1	/* a struct proto says where struct ipv6_pinfo is, which was last before */
#define FTCP_COMPAT_SENDPAGE		/* sendfile() uses sendmsg(), for many pages at once */
#define FTCP_COMPAT_SPLICES(msg) ((msg)->msg_flags & MSG_SPLICE_PAGES)
#define FTCP_COMPAT_NOTLAST 0
#else
#define FTCP_COMPAT_PINFO_OFFSET 0
#define FTCP_COMPAT_SENDPAGE .sendpage = ftcp_sock_sendpage,
#define FTCP_COMPAT_SPLICES(msg) false
#define FTCP_COMPAT_NOTLAST MSG_SENDPAGE_NOTLAST
#endif

/* It moved in the middle of the stable series: Kbuild looks where it is. */
#ifdef FTCP_COMPAT_INET_FL_LIST
#define ftcp_compat_fl_list(inet, np) ((inet)->ipv6_fl_list)
#else
#define ftcp_compat_fl_list(inet, np) ((np)->ipv6_fl_list)
#endif

/*
 * For what is large, on the stack, and written before it is read: CONFIG_INIT_STACK_ALL_ZERO would clear it with every packet. A compiler that
 * does that knows the word for the exception.
 */
#if __has_attribute(__uninitialized__)
#define ftcp_compat_uninitialized __attribute__((__uninitialized__))
#else
#define ftcp_compat_uninitialized
#endif

static inline struct nlattr **ftcp_compat_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return genl_dumpit_info(cb)->info.attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

#endif
