// SPDX-License-Identifier: GPL-2.0
/* Requests to the module and what comes back. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netlink/netlink.h>
#include <netlink/genl/genl.h>
#include <netlink/genl/ctrl.h>
#include <linux/netlink.h>
#include "ctl_netlink.h"

#define DUMP_TRIES 20

#define ADVICE_NO_MODULE "load it: 'modprobe ftcp port=PORT', or 'insmod ftcp.ko port=PORT'"
#define ADVICE_PERM "run it as root: it needs CAP_NET_ADMIN in this network namespace"

/* One request under way. */
struct request {
	struct ctl *ctl;
	struct ctl_items *items;
	int error;	/* 0 or -errno, as the kernel said */
	bool done;
};

/* libnl's error numbers where they tell something; the rest is protocol trouble. */
static int from_libnl(int err)
{
	switch (-err) {
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_NOMEM:
		return -ENOBUFS;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_INTR:
		return -EINTR;
	default:
		return -EPROTO;
	}
}

static int connect_family(struct nl_sock **sock)
{
	int family, err;

	*sock = nl_socket_alloc();
	if (!*sock)
		return -ENOMEM;
	err = genl_connect(*sock);
	if (err < 0)
		return from_libnl(err);
	family = genl_ctrl_resolve(*sock, FTCP_FAMILY_NAME);
	return family < 0 ? from_libnl(family) : family;
}

int ctl_connect(struct ctl *ctl)
{
	int on = 1, fd;

	ctl->family = connect_family(&ctl->sock);
	if (ctl->family < 0) {
		ctl_close(ctl);
		return ctl->family;
	}
	/* Not fatal where they are missing: we would only know less about a refusal. */
	fd = nl_socket_get_fd(ctl->sock);
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return 0;
}

int ctl_open(struct ctl *ctl)
{
	int err = ctl_connect(ctl);

	if (err == -ENOENT)
		return ctl_no_module(ctl);
	if (err)
		return ctl_error(ctl, CTL_EXIT_REFUSED, "does this kernel have generic netlink?",
				 "cannot talk to the kernel: %s", strerror(-err));
	return CTL_EXIT_OK;
}

void ctl_close(struct ctl *ctl)
{
	if (ctl->sock)
		nl_socket_free(ctl->sock);
	ctl->sock = NULL;
}

int ctl_no_module(const struct ctl *ctl)
{
	return ctl_error(ctl, CTL_EXIT_NO_MODULE, ADVICE_NO_MODULE, "the kernel module ftcp is not loaded");
}

bool ctl_module_present(struct ctl *ctl)
{
	return genl_ctrl_resolve(ctl->sock, FTCP_FAMILY_NAME) == ctl->family;
}

/* Our messages are far smaller than the page they are made in. */
static void must(int err)
{
	if (err < 0) {
		fprintf(stderr, "ftcpctl: a request is too large: %s\n", nl_geterror(err));
		exit(CTL_EXIT_REFUSED);
	}
}

struct nl_msg *ctl_msg(const struct ctl *ctl, enum ftcp_cmd cmd, const char *group)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, ctl->family, 0, 0, cmd, FTCP_FAMILY_VERSION))
		must(-NLE_NOMEM);
	if (group)
		ctl_put_string(msg, FTCP_A_GROUP_NAME, group);
	return msg;
}

void ctl_put_flag(struct nl_msg *msg, int attr)
{
	must(nla_put_flag(msg, attr));
}

void ctl_put_u8(struct nl_msg *msg, int attr, uint8_t value)
{
	must(nla_put_u8(msg, attr, value));
}

void ctl_put_u16(struct nl_msg *msg, int attr, uint16_t value)
{
	must(nla_put_u16(msg, attr, value));
}

void ctl_put_u32(struct nl_msg *msg, int attr, uint32_t value)
{
	must(nla_put_u32(msg, attr, value));
}

void ctl_put_u64(struct nl_msg *msg, int attr, uint64_t value)
{
	must(nla_put_u64(msg, attr, value));
}

void ctl_put_string(struct nl_msg *msg, int attr, const char *value)
{
	must(nla_put_string(msg, attr, value));
}

void ctl_put_addr(struct nl_msg *msg, int attr4, int attr6, const struct ctl_addr *addr)
{
	if (addr->family == AF_INET)
		must(nla_put(msg, attr4, sizeof(addr->v4), &addr->v4));
	else if (addr->family == AF_INET6)
		must(nla_put(msg, attr6, sizeof(addr->v6), &addr->v6));
}

/* The text of an extended acknowledgement: attributes at @attrs. libnl 3.7 has no call for it. */
static void keep_extack(struct ctl *ctl, void *attrs, int len)
{
	struct nlattr *text = len > 0 ? nla_find(attrs, len, NLMSGERR_ATTR_MSG) : NULL;

	if (text)
		snprintf(ctl->extack, sizeof(ctl->extack), "%.*s", nla_len(text), (char *)nla_data(text));
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *err, void *arg)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)err - NLMSG_HDRLEN);
	struct request *request = arg;
	int skip = sizeof(*err);

	(void)from;
	request->error = err->error;
	request->done = true;
	/* Unless capped, the whole request stands between the error and the attributes. */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(err->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		keep_extack(request->ctl, (char *)err + skip, (int)nlh->nlmsg_len - NLMSG_HDRLEN - skip);
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct request *request = arg;

	(void)msg;
	request->done = true;
	return NL_STOP;
}

/* A dump that fails on its way says so in the message that ends it. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct request *request = arg;
	int len = nlmsg_datalen(nlh), error;

	if (len >= (int)sizeof(error)) {
		memcpy(&error, nlmsg_data(nlh), sizeof(error));
		if (error < 0)
			request->error = error;
		if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
			keep_extack(request->ctl, (char *)nlmsg_data(nlh) + sizeof(error),
				    len - (int)sizeof(error));
	}
	request->done = true;
	return NL_STOP;
}

static void decode(struct nl_msg *msg, struct ctl_items *items)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct genlmsghdr *genl;
	struct ctl_item *item;

	if (!genlmsg_valid_hdr(nlh, 0))
		return;
	genl = genlmsg_hdr(nlh);
	item = ctl_items_add(items);
	item->cmd = genl->cmd;
	ctl_item_decode(item, genlmsg_attrdata(genl, 0), genlmsg_attrlen(genl, 0));
}

static int on_reply(struct nl_msg *msg, void *arg)
{
	struct request *request = arg;

	if (request->items)
		decode(msg, request->items);
	return NL_OK;
}

static int request_run(struct request *request, struct nl_msg *msg)
{
	struct ctl *ctl = request->ctl;
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int err;

	if (!cb)
		must(-NLE_NOMEM);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_reply, request);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, request);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, request);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, request);
	ctl->extack[0] = '\0';
	err = nl_send_auto(ctl->sock, msg);
	nlmsg_free(msg);
	while (err >= 0 && !request->done)
		err = nl_recvmsgs(ctl->sock, cb);
	nl_cb_put(cb);
	if (request->error)
		return request->error;
	if (err == -NLE_DUMP_INTR)
		return -EAGAIN;
	return err < 0 ? from_libnl(err) : 0;
}

int ctl_do(struct ctl *ctl, struct nl_msg *msg, struct ctl_items *items)
{
	struct request request = { .ctl = ctl, .items = items };

	return request_run(&request, msg);
}

int ctl_dump(struct ctl *ctl, enum ftcp_cmd cmd, const char *group, struct ctl_items *items)
{
	int err = -EAGAIN;

	/* What changes under a dump can be in it twice or not at all: take it again. */
	for (int i = 0; i < DUMP_TRIES && err == -EAGAIN; i++) {
		struct request request = { .ctl = ctl, .items = items };
		struct nl_msg *msg = ctl_msg(ctl, cmd, group);

		ctl_items_clear(items);
		nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_DUMP;
		err = request_run(&request, msg);
	}
	return err;
}

static const char *advice_by_errno(int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return ADVICE_PERM;
	case ENOENT:
	case ENODEV:
		return "'ftcpctl status' and 'ftcpctl conn list' say what there is";
	case EEXIST:
		return "'ftcpctl service list' says what is there already";
	case EBUSY:
		return "'ftcpctl status' says what is in the way";
	case EAGAIN:
		return "try again: it changed all the time while it was read";
	case ENOMEM:
	case ENOBUFS:
	case ENOSPC:
		return "free memory, or remove what is not needed";
	case EOPNOTSUPP:
	case EPROTO:
		return "module and ftcpctl may be of different versions: see 'modinfo ftcp' and 'ftcpctl -V'";
	default:
		return "'ftcpctl status' says how things stand, the kernel's log may say more";
	}
}

int ctl_refused(struct ctl *ctl, int err, const char *hint)
{
	/* Unloaded in the meantime: its number is nobody's. */
	if (err == -ENOENT && !*ctl->extack && !ctl_module_present(ctl))
		return ctl_no_module(ctl);
	/* The caller's hint knows the command; it does not know of rights and versions. */
	if (!hint || err == -EPERM || err == -EACCES || (err == -EOPNOTSUPP && !*ctl->extack))
		hint = advice_by_errno(err);
	if (*ctl->extack)
		return ctl_error(ctl, CTL_EXIT_REFUSED, hint, "refused by the kernel: %s (%s)", ctl->extack,
				 strerror(-err));
	return ctl_error(ctl, CTL_EXIT_REFUSED, hint, "refused by the kernel: %s", strerror(-err));
}
