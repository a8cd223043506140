// SPDX-License-Identifier: GPL-2.0
/*
 * Batches out of the kernel of the primary and into that of the standby, many at a time in both directions. None is copied:
 * they go from the netlink buffer to the link, and from the link's buffer to netlink. If the kernels have a channel, none comes
 * here: the socket stands for this process, without which neither kernel would go on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/ftcp.h>
#include "kernel_internal.h"
#include "log.h"

#define BUFFER_BYTES	(FTCP_BATCH_MAX_BYTES + 1024)	/* one netlink message with its batch */
#define RCV_BYTES	(8 << 20)
#define HEAD_BYTES	128	/* a SYNC_APPLY up to its batch */
#define SND_SPARE_BYTES	1024	/* of the send buffer: the kernel wants a message to be smaller by a few */

/* ---- the kernel's batches, by this process or by a channel ---- */

static int open_batch_socket(struct kernel *kernel)
{
	int bytes;

	if (!kernel->buffers)
		kernel->buffers = malloc((size_t)KERNEL_APPLY_MAX * BUFFER_BYTES);
	if (!kernel->buffers)
		return kernel_fail(kernel, -ENOMEM, "no memory for batches");
	kernel->batch = kernel_socket(SOCK_NONBLOCK);
	if (!kernel->batch)
		return kernel_fail(kernel, -errno, "cannot open a netlink socket for batches: %s", strerror(errno));
	bytes = kernel_buffer(mnl_socket_get_fd(kernel->batch), SO_RCVBUF, RCV_BYTES);
	if (bytes < RCV_BYTES && !kernel->small_told)
		log_note("netlink's receive buffer is %d bytes, less than the %d wanted: fewer batches are in flight; net.core.rmem_max of the host "
			 "limits it", bytes, RCV_BYTES);
	kernel->small_told |= bytes < RCV_BYTES;
	return 0;
}

/* From the batch socket: what is asked for lasts as long as it is open. 0, or -errno and it is closed. */
static int ask(struct kernel *kernel, const struct nlmsghdr *nlh)
{
	int err = 0;

	kernel->batch_seq = nlh->nlmsg_seq;
	kernel->batch_result = 1;
	kernel->refused = false;
	if (mnl_socket_sendto(kernel->batch, nlh, nlh->nlmsg_len) < 0)
		err = kernel_fail(kernel, -errno, "netlink: %s", strerror(errno));
	/* The answer is there when sendto() returns, but the first batches may be there before it. */
	while (!err && kernel->batch_result == 1) {
		err = kernel_batches_read(kernel);
		if (err == -EAGAIN)
			err = kernel_fail(kernel, -EPROTO, "netlink: no answer");
	}
	if (!err)
		err = kernel->batch_result;
	if (err)
		kernel_unattach(kernel);
	return err;
}

static int begin_batches(struct kernel *kernel)
{
	kernel_unattach(kernel);
	if (!kernel->family)
		return kernel_fail(kernel, -ENODEV, "the module ftcp is not loaded");
	return open_batch_socket(kernel);
}

int kernel_attach(struct kernel *kernel, uint64_t peer_sync_id, uint64_t peer_batch_no, int channel_fd)
{
	int err = begin_batches(kernel);
	struct nlmsghdr *nlh;
	char buffer[256];

	if (err)
		return err;
	nlh = kernel_begin(kernel, buffer, FTCP_CMD_SYNC_ATTACH);
	mnl_attr_put_u64(nlh, FTCP_A_PEER_SYNC_ID, peer_sync_id);
	mnl_attr_put_u64(nlh, FTCP_A_PEER_BATCH_NO, peer_batch_no);
	if (channel_fd >= 0)
		mnl_attr_put_u32(nlh, FTCP_A_CHANNEL_FD, channel_fd);
	return ask(kernel, nlh);
}

int kernel_follow(struct kernel *kernel, int channel_fd)
{
	int err = begin_batches(kernel);
	struct nlmsghdr *nlh;
	char buffer[256];

	if (err)
		return err;
	nlh = kernel_begin(kernel, buffer, FTCP_CMD_SYNC_FOLLOW);
	mnl_attr_put_u32(nlh, FTCP_A_CHANNEL_FD, channel_fd);
	return ask(kernel, nlh);
}

void kernel_unattach(struct kernel *kernel)
{
	/* The kernel detaches a socket that is closed, or follows no longer for it. */
	if (kernel->batch)
		mnl_socket_close(kernel->batch);
	kernel->batch = NULL;
}

static bool is_command(const struct kernel *kernel, const struct nlmsghdr *nlh, enum ftcp_cmd cmd)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);

	return nlh->nlmsg_type == kernel->family && genl->cmd == cmd;
}

/* What the kernel says of one batch; NULL, or the words with which it was refused */
static const char *read_batch(const struct nlmsghdr *nlh, struct kernel_batch *batch)
{
	const char *reason = NULL;
	const struct nlattr *attr;

	memset(batch, 0, sizeof(*batch));
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case FTCP_A_SYNC_ID:
			batch->sync_id = mnl_attr_get_u64(attr);
			break;
		case FTCP_A_BATCH_NO:
			batch->no = mnl_attr_get_u64(attr);
			break;
		case FTCP_A_BATCH:
			batch->data = mnl_attr_get_payload(attr);
			batch->len = mnl_attr_get_payload_len(attr);
			break;
		case FTCP_A_REASON:
			if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
				reason = mnl_attr_get_str(attr);
			break;
		}
	}
	return reason;
}

static bool read_sent(const struct nlmsghdr *nlh, struct kernel_batch *batch)
{
	read_batch(nlh, batch);
	return batch->len && batch->len <= FTCP_BATCH_MAX_BYTES;
}

static void read_refusal(struct kernel *kernel, const struct nlmsghdr *nlh)
{
	const char *reason = read_batch(nlh, &kernel->refused_batch);

	kernel->refused = true;
	kernel_fail(kernel, 0, "%s", reason ? reason : "it does not say why");
}

/* recvmmsg() into the buffers; how many, or -errno. */
static int receive_many(struct kernel *kernel, struct mmsghdr *msgs)
{
	struct sockaddr_nl from[KERNEL_APPLY_MAX];
	struct iovec iov[KERNEL_APPLY_MAX];
	int n;

	for (int i = 0; i < KERNEL_APPLY_MAX; i++) {
		iov[i] = (struct iovec){ kernel->buffers + (size_t)i * BUFFER_BYTES, BUFFER_BYTES };
		msgs[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &from[i], .msg_namelen = sizeof(from[i]),
							 .msg_iov = &iov[i], .msg_iovlen = 1 } };
	}
	n = recvmmsg(mnl_socket_get_fd(kernel->batch), msgs, KERNEL_APPLY_MAX, MSG_DONTWAIT, NULL);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (msgs[i].msg_hdr.msg_flags & MSG_TRUNC)
			return -ENOBUFS;
		if (from[i].nl_pid)
			msgs[i].msg_len = 0;	/* not from the kernel */
	}
	return n;
}

int kernel_batches_read(struct kernel *kernel)
{
	struct kernel_batch batches[KERNEL_APPLY_MAX];
	struct mmsghdr msgs[KERNEL_APPLY_MAX];
	const struct nlmsghdr *nlh;
	unsigned int n_batches = 0;
	int n, left;

	n = receive_many(kernel, msgs);
	if (n < 0)
		return n == -EINTR ? 0 : kernel_fail(kernel, n, "netlink: %s", strerror(-n));
	for (int i = 0; i < n; i++) {
		left = msgs[i].msg_len;
		nlh = (const struct nlmsghdr *)(kernel->buffers + (size_t)i * BUFFER_BYTES);
		if (!mnl_nlmsg_ok(nlh, left))
			continue;
		if (nlh->nlmsg_type == NLMSG_ERROR && nlh->nlmsg_seq == kernel->batch_seq)
			kernel->batch_result = kernel_result(kernel, nlh);
		else if (is_command(kernel, nlh, FTCP_CMD_SYNC_REFUSED))
			read_refusal(kernel, nlh);
		else if (is_command(kernel, nlh, FTCP_CMD_SYNC_BATCH) && read_sent(nlh, &batches[n_batches]))
			n_batches++;
	}
	if (n_batches)
		kernel->batches(kernel->arg, batches, n_batches);
	return 0;
}

/* ---- into the kernel ---- */

/* Everything of a SYNC_APPLY but the batch itself, which stays where it is. */
static size_t write_head(struct kernel *kernel, void *head, size_t batch_len)
{
	struct nlmsghdr *nlh = kernel_begin(kernel, head, FTCP_CMD_SYNC_APPLY);
	struct nlattr *attr = mnl_nlmsg_get_payload_tail(nlh);
	size_t len;

	attr->nla_type = FTCP_A_BATCH;
	attr->nla_len = MNL_ATTR_HDRLEN + batch_len;
	len = nlh->nlmsg_len + MNL_ATTR_HDRLEN;
	nlh->nlmsg_len = len + MNL_ALIGN(batch_len);
	return len;
}

static int send_applies(struct kernel *kernel, const struct kernel_batch *batches, unsigned int n)
{
	char heads[KERNEL_APPLY_MAX][HEAD_BYTES] __attribute__((aligned(8)));
	static const char padding[MNL_ALIGNTO];
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct iovec iov[3 * KERNEL_APPLY_MAX];
	struct msghdr msg = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = iov, .msg_iovlen = 3 * n };

	for (unsigned int i = 0; i < n; i++) {
		const struct kernel_batch *batch = &batches[i];

		iov[3 * i] = (struct iovec){ heads[i], write_head(kernel, heads[i], batch->len) };
		iov[3 * i + 1] = (struct iovec){ (void *)batch->data, batch->len };
		iov[3 * i + 2] = (struct iovec){ (void *)padding, MNL_ALIGN(batch->len) - batch->len };
	}
	if (sendmsg(mnl_socket_get_fd(kernel->cmd), &msg, 0) < 0)
		return kernel_fail(kernel, -errno, "netlink: %s", strerror(errno));
	return 0;
}

unsigned int kernel_apply_fits(const struct kernel *kernel, const struct kernel_batch *batches, unsigned int n)
{
	size_t room = kernel->apply_bytes > SND_SPARE_BYTES ? kernel->apply_bytes - SND_SPARE_BYTES : 0;
	unsigned int fits = 0;
	size_t bytes;

	for (; fits < n; fits++) {
		bytes = HEAD_BYTES + MNL_ALIGN(batches[fits].len);
		if (fits && bytes > room)
			break;
		room -= bytes < room ? bytes : room;
	}
	return fits;
}

/* As many of them as the kernel takes in one message, at least one; how many, or -errno. *@seq: the number before that of the first */
static int send_some(struct kernel *kernel, const struct kernel_batch *batches, unsigned int n, uint32_t *seq)
{
	int err;

	n = kernel_apply_fits(kernel, batches, n);
	for (;;) {
		*seq = kernel->seq;
		err = send_applies(kernel, batches, n);
		if (!err)
			return n;
		/* The kernel has no memory for so much in one piece, or counts otherwise than we do. */
		if (n == 1 || (err != -ENOBUFS && err != -ENOMEM && err != -EMSGSIZE))
			return err;
		n /= 2;
	}
}

/* The answer to request @seq, which are in order; 0 or -errno. */
static int read_answer(struct kernel *kernel, uint32_t seq)
{
	char buffer[1024];
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buffer;
	ssize_t len;

	do {
		len = mnl_socket_recvfrom(kernel->cmd, buffer, sizeof(buffer));
	} while ((len < 0 && errno == EINTR) ||
		 (len >= 0 && (!mnl_nlmsg_ok(nlh, len) || nlh->nlmsg_type != NLMSG_ERROR || nlh->nlmsg_seq != seq)));
	if (len < 0)
		return kernel_fail(kernel, -errno, "netlink: no answer: %s", strerror(errno));
	return kernel_result(kernel, nlh);
}

/* Of @n batches that were sent; 0, or -errno, and @failed. */
static int read_answers(struct kernel *kernel, uint32_t seq, unsigned int n, unsigned int *failed)
{
	char error[sizeof(kernel->error)];
	int err, first = 0;

	/* All are read, so that none is left for the next request; the first refusal is the one that tells something. */
	for (unsigned int i = 0; i < n; i++) {
		err = read_answer(kernel, seq + 1 + i);
		if (!err || first)
			continue;
		first = err;
		*failed = i;
		memcpy(error, kernel->error, sizeof(error));
		if (err == -EAGAIN)
			break;	/* there are no more answers */
	}
	if (first)
		memcpy(kernel->error, error, sizeof(error));
	return first;
}

int kernel_apply(struct kernel *kernel, const struct kernel_batch *batches, unsigned int n, unsigned int *failed)
{
	unsigned int done = 0;
	uint32_t seq;
	int sent, err;

	*failed = 0;
	if (!kernel->family)
		return kernel_fail(kernel, -ENODEV, "the module ftcp is not loaded");
	for (; done < n; done += sent) {
		*failed = done;
		sent = send_some(kernel, batches + done, n - done, &seq);
		if (sent < 0)
			return sent;
		err = read_answers(kernel, seq, sent, failed);
		if (err) {
			*failed += done;
			return err;
		}
	}
	return 0;
}
