// SPDX-License-Identifier: GPL-2.0
/* Subscription to the module's events. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <netlink/netlink.h>
#include <netlink/genl/genl.h>
#include <netlink/genl/ctrl.h>
#include "ctl_netlink.h"

#define EVENT_BUF_BYTES (1 << 20)
#define EVENTS_MAX 1024	/* in one go: under a flood the reader must get its turn */

static int on_event(struct nl_msg *msg, void *arg)
{
	struct ctl_events *events = arg;
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct genlmsghdr *genl;
	struct ctl_item *item;

	if (!genlmsg_valid_hdr(nlh, 0))
		return NL_SKIP;
	genl = genlmsg_hdr(nlh);
	if (genl->cmd != FTCP_CMD_EVENT)
		return NL_SKIP;
	item = ctl_items_add(&events->got);
	item->cmd = genl->cmd;
	ctl_item_decode(item, genlmsg_attrdata(genl, 0), genlmsg_attrlen(genl, 0));
	return NL_OK;
}

static int subscribe(struct nl_sock *sock)
{
	int group, err = genl_connect(sock);

	if (err < 0)
		return -EPROTO;
	group = genl_ctrl_resolve_grp(sock, FTCP_FAMILY_NAME, FTCP_MCGRP_EVENTS);
	if (group < 0)
		return -ENOENT;
	/* As large as the system's limit lets it be. */
	nl_socket_set_buffer_size(sock, EVENT_BUF_BYTES, 0);
	nl_socket_disable_seq_check(sock);
	nl_socket_set_nonblocking(sock);
	err = nl_socket_add_membership(sock, group);
	return err == -NLE_PERM ? -EPERM : err < 0 ? -EPROTO : 0;
}

int ctl_events_open(struct ctl_events *events)
{
	int err;

	events->sock = nl_socket_alloc();
	if (!events->sock)
		return -ENOMEM;
	err = subscribe(events->sock);
	if (err) {
		ctl_events_close(events);
		return err;
	}
	nl_socket_modify_cb(events->sock, NL_CB_VALID, NL_CB_CUSTOM, on_event, events);
	return 0;
}

void ctl_events_close(struct ctl_events *events)
{
	ctl_items_clear(&events->got);
	if (events->sock)
		nl_socket_free(events->sock);
	events->sock = NULL;
}

int ctl_events_read(struct ctl_events *events, int timeout_ms)
{
	struct pollfd pfd = { .fd = nl_socket_get_fd(events->sock), .events = POLLIN };
	size_t before;
	int err;

	ctl_items_clear(&events->got);
	events->lost = false;
	if (poll(&pfd, 1, timeout_ms) <= 0)
		return 0;
	do {
		before = events->got.n;
		err = nl_recvmsgs_default(events->sock);
		/* ENOBUFS: what is in the buffer is still good, something after it is gone. */
		if (err == -NLE_NOMEM) {
			events->lost = true;
			err = 0;
		}
	} while (err >= 0 && events->got.n > before && events->got.n < EVENTS_MAX);
	return err < 0 && err != -NLE_AGAIN && err != -NLE_INTR ? -EPROTO : 0;
}
