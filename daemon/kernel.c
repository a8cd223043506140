// SPDX-License-Identifier: GPL-2.0
/* Requests and events. Batches are in kernel_batch.c. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <linux/ftcp.h>
#include "kernel_internal.h"
#include "log.h"

#define REQUEST_BYTES		512
#define REPLY_BYTES		8192
#define REPLY_WITHIN_S		5	/* the kernel answers within sendto(); this is against its bugs */
#define EVENT_RCV_BYTES		(1 << 20)
#define APPLY_SND_BYTES		(2 << 20)	/* KERNEL_APPLY_MAX batches in one sendmsg() */

int kernel_fail(struct kernel *kernel, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(kernel->error, sizeof(kernel->error), fmt, args);
	va_end(args);
	return err;
}

/* ---- sockets ---- */

struct mnl_socket *kernel_socket(int flags)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC | flags);
	int on = 1;

	if (!sock)
		return NULL;
	if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(sock);
		return NULL;
	}
	mnl_socket_setsockopt(sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(sock, NETLINK_CAP_ACK, &on, sizeof(on));
	return sock;
}

/* What was asked for counts twice, as the kernel has it. */
static int buffer_bytes(int fd, int option)
{
	socklen_t len = sizeof(int);
	int bytes = 0;

	return getsockopt(fd, SOL_SOCKET, option, &bytes, &len) ? 0 : bytes;
}

int kernel_buffer(int fd, int option, int bytes)
{
	bool send = option == SO_SNDBUF;
	int have;

	if (setsockopt(fd, SOL_SOCKET, send ? SO_SNDBUFFORCE : SO_RCVBUFFORCE, &bytes, sizeof(bytes))) {
		/* That needs CAP_NET_ADMIN over the host. Without: as much as net.core allows everybody. */
		have = buffer_bytes(fd, option);
		if (bytes > have / 2)
			setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof(bytes));
	}
	return buffer_bytes(fd, option);
}

static int open_sockets(struct kernel *kernel)
{
	struct timeval within = { .tv_sec = REPLY_WITHIN_S };
	int controller = GENL_ID_CTRL;

	kernel->cmd = kernel_socket(0);
	kernel->event = kernel_socket(SOCK_NONBLOCK);
	if (!kernel->cmd || !kernel->event)
		return kernel_fail(kernel, -errno, "cannot open a generic netlink socket: %s", strerror(errno));
	setsockopt(mnl_socket_get_fd(kernel->cmd), SOL_SOCKET, SO_RCVTIMEO, &within, sizeof(within));
	kernel_buffer(mnl_socket_get_fd(kernel->event), SO_RCVBUF, EVENT_RCV_BYTES);
	kernel->apply_bytes = kernel_buffer(mnl_socket_get_fd(kernel->cmd), SO_SNDBUF, APPLY_SND_BYTES);
	if (kernel->apply_bytes < APPLY_SND_BYTES)
		log_note("netlink's send buffer is %d bytes, less than the %d wanted: batches for the kernel go in smaller portions; "
			 "net.core.wmem_max of the host limits it", kernel->apply_bytes, APPLY_SND_BYTES);
	/* The controller's own multicast group has its id for a number: it tells of families that come and go. */
	mnl_socket_setsockopt(kernel->event, NETLINK_ADD_MEMBERSHIP, &controller, sizeof(controller));
	return 0;
}

void kernel_close(struct kernel *kernel)
{
	kernel_unattach(kernel);
	if (kernel->cmd)
		mnl_socket_close(kernel->cmd);
	if (kernel->event)
		mnl_socket_close(kernel->event);
	free(kernel->buffers);
	memset(kernel, 0, sizeof(*kernel));
}

/* ---- what the kernel says ---- */

static int extack_attr(const struct nlattr *attr, void *data)
{
	const char **text = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		*text = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

int kernel_result(struct kernel *kernel, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
	unsigned int offset = sizeof(*error);
	const char *text = NULL;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*error))
		return kernel_fail(kernel, -EPROTO, "the kernel's answer is too short");
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += error->msg.nlmsg_len - mnl_nlmsg_size(0);
	if (error->error && nlh->nlmsg_flags & NLM_F_ACK_TLVS && offset <= mnl_nlmsg_get_payload_len(nlh))
		mnl_attr_parse(nlh, offset, extack_attr, &text);
	if (error->error)
		kernel_fail(kernel, 0, "%s", text ? text : strerror(-error->error));
	return error->error;
}

struct nlmsghdr *kernel_begin(struct kernel *kernel, void *buffer, enum ftcp_cmd cmd)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = kernel->family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++kernel->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = FTCP_FAMILY_VERSION;
	mnl_attr_put_strz(nlh, FTCP_A_GROUP_NAME, kernel->group);
	return nlh;
}

/* Messages of one datagram; returns 1 until the one that ends the request, which gives 0 or -errno. */
static int read_reply(struct kernel *kernel, const char *buffer, int len, uint32_t seq, mnl_cb_t cb, void *arg)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buffer;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq != seq)
			continue;	/* of a request that was given up */
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return kernel_result(kernel, nlh);
		if (cb)
			cb(nlh, arg);
	}
	return 1;
}

static int request(struct kernel *kernel, struct nlmsghdr *nlh, mnl_cb_t cb, void *arg)
{
	char buffer[REPLY_BYTES];
	uint32_t seq = nlh->nlmsg_seq;
	ssize_t len;
	int result;

	if (mnl_socket_sendto(kernel->cmd, nlh, nlh->nlmsg_len) < 0)
		return kernel_fail(kernel, -errno, "netlink: %s", strerror(errno));
	do {
		len = mnl_socket_recvfrom(kernel->cmd, buffer, sizeof(buffer));
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return kernel_fail(kernel, -errno, "netlink: no answer: %s", strerror(errno));
		result = read_reply(kernel, buffer, len, seq, cb, arg);
	} while (len < 0 || result == 1);
	return result;
}

/* A request to the family. -ENOENT is both "no such family" and "no such group": only the former has no words. */
static int family_request(struct kernel *kernel, struct nlmsghdr *nlh, mnl_cb_t cb, void *arg)
{
	int err;

	if (!kernel->family)
		return kernel_fail(kernel, -ENODEV, "the module ftcp is not loaded");
	err = request(kernel, nlh, cb, arg);
	if (err == -ENOENT && !strcmp(kernel->error, strerror(ENOENT)))
		return kernel_fail(kernel, -ENODEV, "the module ftcp is not loaded any more");
	return err;
}

/* ---- the family ---- */

static int mcast_group(const struct nlattr *nest, uint32_t *id)
{
	const struct nlattr *attr;
	const char *name = "";
	uint32_t found = 0;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME)
			name = mnl_attr_get_str(attr);
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
			found = mnl_attr_get_u32(attr);
	}
	if (!strcmp(name, FTCP_MCGRP_EVENTS))
		*id = found;
	return MNL_CB_OK;
}

static int family_cb(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr, *group;
	struct kernel *kernel = arg;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			kernel->family = mnl_attr_get_u16(attr);
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GROUPS)
			mnl_attr_for_each_nested(group, attr)
				mcast_group(group, &kernel->events);
	}
	return MNL_CB_OK;
}

int kernel_find(struct kernel *kernel)
{
	char buffer[REQUEST_BYTES];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;
	int err;

	kernel_lost(kernel);
	nlh->nlmsg_type = GENL_ID_CTRL;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++kernel->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = CTRL_CMD_GETFAMILY;
	genl->version = 1;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, FTCP_FAMILY_NAME);
	err = request(kernel, nlh, family_cb, kernel);
	if (err == -ENOENT)
		return kernel_fail(kernel, err, "the module ftcp is not loaded");
	if (!err && mnl_socket_setsockopt(kernel->event, NETLINK_ADD_MEMBERSHIP, &kernel->events, sizeof(int)) < 0)
		err = kernel_fail(kernel, -errno, "cannot listen to the module's events: %s", strerror(errno));
	if (err)
		kernel->family = 0;
	return err;
}

void kernel_lost(struct kernel *kernel)
{
	kernel_unattach(kernel);
	kernel->family = 0;
}

int kernel_open(struct kernel *kernel, const char *group, kernel_batches_fn batches, void *arg)
{
	memset(kernel, 0, sizeof(*kernel));
	kernel->group = group;
	kernel->seq = time(NULL);
	kernel->batches = batches;
	kernel->arg = arg;
	return open_sockets(kernel);
}

/* ---- requests ---- */

static int group_cb(const struct nlmsghdr *nlh, void *arg)
{
	struct kernel_group *group = arg;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case FTCP_A_ROLE:
			group->host.role = mnl_attr_get_u32(attr);
			break;
		case FTCP_A_EPOCH:
			group->host.epoch = mnl_attr_get_u64(attr);
			break;
		case FTCP_A_SYNC_STATE:
			group->host.sync = mnl_attr_get_u32(attr);
			break;
		case FTCP_A_SYNC_ID:
			group->host.sync_id = mnl_attr_get_u64(attr);
			break;
		case FTCP_A_BATCH_NO:
			group->host.batch_no = mnl_attr_get_u64(attr);
			break;
		case FTCP_A_ATTACHED:
			group->attached = mnl_attr_get_u8(attr);
			break;
		case FTCP_A_LAG_MS:
			group->lag_ms = mnl_attr_get_u32(attr);
			break;
		}
	}
	return MNL_CB_OK;
}

int kernel_group_get(struct kernel *kernel, struct kernel_group *group)
{
	char buffer[REQUEST_BYTES];

	memset(group, 0, sizeof(*group));
	return family_request(kernel, kernel_begin(kernel, buffer, FTCP_CMD_GROUP_GET), group_cb, group);
}

static int simple_request(struct kernel *kernel, enum ftcp_cmd cmd)
{
	char buffer[REQUEST_BYTES];

	return family_request(kernel, kernel_begin(kernel, buffer, cmd), NULL, NULL);
}

/* @flag: FTCP_A_UNSPEC for none */
static int role_request(struct kernel *kernel, enum ftcp_cmd cmd, uint64_t epoch, enum ftcp_attr flag)
{
	char buffer[REQUEST_BYTES];
	struct nlmsghdr *nlh = kernel_begin(kernel, buffer, cmd);

	if (epoch)
		mnl_attr_put_u64(nlh, FTCP_A_EPOCH, epoch);
	if (flag)
		mnl_attr_put(nlh, flag, 0, NULL);
	return family_request(kernel, nlh, NULL, NULL);
}

int kernel_group_new(struct kernel *kernel)
{
	return simple_request(kernel, FTCP_CMD_GROUP_NEW);
}

int kernel_promote(struct kernel *kernel, uint64_t epoch, bool fresh)
{
	return role_request(kernel, FTCP_CMD_PROMOTE, epoch, fresh ? FTCP_A_FRESH : FTCP_A_UNSPEC);
}

int kernel_demote(struct kernel *kernel, uint64_t epoch, bool force)
{
	return role_request(kernel, FTCP_CMD_DEMOTE, epoch, force ? FTCP_A_FORCE : FTCP_A_UNSPEC);
}

int kernel_detach(struct kernel *kernel)
{
	return simple_request(kernel, FTCP_CMD_DETACH);
}

int kernel_kick(struct kernel *kernel)
{
	return simple_request(kernel, FTCP_CMD_KICK);
}

int kernel_outdate(struct kernel *kernel, uint64_t sync_id)
{
	char buffer[REQUEST_BYTES];
	struct nlmsghdr *nlh = kernel_begin(kernel, buffer, FTCP_CMD_SYNC_OUTDATE);

	mnl_attr_put_u64(nlh, FTCP_A_SYNC_ID, sync_id);
	return family_request(kernel, nlh, NULL, NULL);
}

int kernel_ack(struct kernel *kernel, uint64_t sync_id, uint64_t batch_no)
{
	char buffer[REQUEST_BYTES];
	struct nlmsghdr *nlh = kernel_begin(kernel, buffer, FTCP_CMD_SYNC_ACK);

	mnl_attr_put_u64(nlh, FTCP_A_SYNC_ID, sync_id);
	mnl_attr_put_u64(nlh, FTCP_A_BATCH_NO, batch_no);
	return family_request(kernel, nlh, NULL, NULL);
}

/* ---- events ---- */

static unsigned int controller_news(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	bool ours = false;

	mnl_attr_for_each(attr, nlh, sizeof(*genl))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_NAME)
			ours = !strcmp(mnl_attr_get_str(attr), FTCP_FAMILY_NAME);
	if (!ours)
		return 0;
	return genl->cmd == CTRL_CMD_DELFAMILY ? KERNEL_NEWS_GONE : genl->cmd == CTRL_CMD_NEWFAMILY ? KERNEL_NEWS_HERE : 0;
}

static unsigned int event_news(const struct kernel *kernel, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;
	uint32_t type = 0;
	bool ours = false;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == FTCP_A_EVENT)
			type = mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) == FTCP_A_GROUP_NAME)
			ours = !strcmp(mnl_attr_get_str(attr), kernel->group);
	}
	if (!ours || type == FTCP_EVENT_CONN_NEW || type == FTCP_EVENT_CONN_GONE)
		return 0;
	return KERNEL_NEWS_GROUP | (type == FTCP_EVENT_OVERRUN ? KERNEL_NEWS_OVERRUN : 0);
}

unsigned int kernel_events_read(struct kernel *kernel)
{
	const struct nlmsghdr *nlh;
	char buffer[REPLY_BYTES];
	unsigned int news = 0;
	ssize_t len;
	int left;

	while ((len = mnl_socket_recvfrom(kernel->event, buffer, sizeof(buffer))) > 0) {
		left = len;
		for (nlh = (struct nlmsghdr *)buffer; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_type == GENL_ID_CTRL)
				news |= controller_news(nlh);
			else if (nlh->nlmsg_type == kernel->family)
				news |= event_news(kernel, nlh);
		}
	}
	/* Events were lost: any of them may have mattered. */
	if (len < 0 && errno == ENOBUFS)
		news |= KERNEL_NEWS_GROUP;
	return news;
}
