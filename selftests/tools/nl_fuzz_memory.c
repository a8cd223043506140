// SPDX-License-Identifier: GPL-2.0
#include <linux/genetlink.h>
#include <string.h>
#include <sys/socket.h>
#include "nl_fuzz.h"

static const struct nlattr *find(const struct nlmsghdr *nlh, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static uint64_t number(const struct nlmsghdr *nlh, uint16_t type)
{
	const struct nlattr *attr = find(nlh, type);

	return attr ? mnl_attr_get_u64(attr) : 0;
}

static struct fuzz_view *view_of(struct fuzz_memory *memory, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr = find(nlh, FTCP_A_GROUP_NAME);
	const char *name = attr ? mnl_attr_get_str(attr) : "";
	unsigned int i;

	if (strncmp(name, FUZZ_GROUP, strlen(FUZZ_GROUP)))
		return NULL;
	i = name[strlen(FUZZ_GROUP)] - '0';
	return i < FUZZ_GROUPS ? &memory->views[i] : NULL;
}

static void learn_group(struct fuzz_memory *memory, const struct nlmsghdr *nlh)
{
	struct fuzz_view *view = view_of(memory, nlh);

	if (!view)
		return;
	view->epoch = number(nlh, FTCP_A_EPOCH);
	view->sync_id = number(nlh, FTCP_A_SYNC_ID);
	view->held_no = number(nlh, FTCP_A_BATCH_NO);
	view->sent_no = number(nlh, FTCP_A_BATCH_SENT);
}

static void learn_batch(struct fuzz_memory *memory, const struct nlmsghdr *nlh)
{
	struct fuzz_view *view = view_of(memory, nlh);
	const struct nlattr *batch = find(nlh, FTCP_A_BATCH);

	if (!view || !batch)
		return;
	view->sync_id = number(nlh, FTCP_A_SYNC_ID);
	view->sent_no = number(nlh, FTCP_A_BATCH_NO);
	/* An empty one is not worth an interesting one's place. */
	if (mnl_attr_get_payload_len(batch) < sizeof(struct ftcp_batch_header) + sizeof(struct ftcp_batch_record) &&
	    memory->batch_len)
		return;
	memory->batch_len = mnl_attr_get_payload_len(batch);
	memcpy(memory->batch, mnl_attr_get_payload(batch), memory->batch_len);
}

/* Those of other groups are none of our business. */
static void learn_conn(struct fuzz_memory *memory, const struct nlmsghdr *nlh)
{
	struct fuzz_conn *conn = &memory->conns[memory->n_conns++ % FUZZ_CONNS];
	const struct nlattr *laddr = find(nlh, FTCP_A_CONN_LADDR4), *raddr = find(nlh, FTCP_A_CONN_RADDR4);
	const struct nlattr *lport = find(nlh, FTCP_A_CONN_LPORT), *rport = find(nlh, FTCP_A_CONN_RPORT);
	size_t len = 4;

	memset(conn, 0, sizeof(*conn));
	if (!view_of(memory, nlh) || !lport || !rport)
		return;
	if (!laddr) {
		laddr = find(nlh, FTCP_A_CONN_LADDR6);
		raddr = find(nlh, FTCP_A_CONN_RADDR6);
		len = 16;
	}
	if (!laddr || !raddr)
		return;
	conn->family = len == 4 ? AF_INET : AF_INET6;
	memcpy(conn->laddr, mnl_attr_get_payload(laddr), len);
	memcpy(conn->raddr, mnl_attr_get_payload(raddr), len);
	conn->lport = mnl_attr_get_u16(lport);
	conn->rport = mnl_attr_get_u16(rport);
}

void fuzz_learn(struct fuzz_memory *memory, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);

	switch (genl->cmd) {
	case FTCP_CMD_GROUP_GET: learn_group(memory, nlh); break;
	case FTCP_CMD_CONN_GET: learn_conn(memory, nlh); break;
	case FTCP_CMD_SYNC_BATCH: learn_batch(memory, nlh); break;
	}
}
