// SPDX-License-Identifier: GPL-2.0
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/net.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp_states.h>
#include <ftcp/frame.h>
#include <ftcp/limits.h>
#include "channel.h"
#include "compat.h"
#include "netlink.h"

#define HEAD_BYTES (FTCP_FRAME_HEADER_BYTES + FTCP_FRAME_PLACE_BYTES)

/*
 * What TCP may hold of ours. As many batches as there are credits always fit, with TCP's own bookkeeping: who cannot send has lost the other
 * host, or memory, and attaches again.
 */
#define SND_BUF_BYTES (4u * FTCP_BATCHES_IN_FLIGHT_MAX * FTCP_BATCH_MAX_BYTES)

/* A frame's bytes; what is behind its head is aligned. */
struct frame {
	u8 pad[32 - HEAD_BYTES];
	u8 head[HEAD_BYTES];
	u8 batch[FTCP_BATCH_MAX_BYTES];
} __aligned(8);

struct ftcp_channel {
	refcount_t refs;
	struct socket *sock;		/* with a reference to its file */
	struct workqueue_struct *wq;
	struct work_struct *work;
	bool open;			/* the callbacks are ours; under sk_callback_lock */
	void (*data_ready)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	u32 got;			/* bytes of the frame being read, its head included */
	u32 len;			/* of its batch; known when the head is there */
	struct frame in;
	struct frame out;
};

/* ---- being called ---- */

static void wake(struct sock *sk)
{
	struct ftcp_channel *channel;

	read_lock_bh(&sk->sk_callback_lock);
	channel = __locked_read_sk_user_data_with_flags(sk, SK_USER_DATA_NOCOPY);
	if (channel)
		queue_work(channel->wq, channel->work);
	read_unlock_bh(&sk->sk_callback_lock);
}

int ftcp_channel_start(struct ftcp_channel *channel, struct netlink_ext_ack *extack)
{
	struct sock *sk = channel->sock->sk;
	int err = 0;

	write_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_user_data) {
		err = ftcp_refuse(extack, -EBUSY, "CHANNEL_FD: the kernel uses this connection for something else already");
	} else {
		channel->data_ready = sk->sk_data_ready;
		channel->state_change = sk->sk_state_change;
		channel->open = true;
		sk->sk_data_ready = wake;
		sk->sk_state_change = wake;
		__rcu_assign_sk_user_data_with_flags(sk, channel, SK_USER_DATA_NOCOPY);
	}
	write_unlock_bh(&sk->sk_callback_lock);
	return err;
}

/* false: they were given back before, or never taken */
static bool give_callbacks_back(struct ftcp_channel *channel)
{
	struct sock *sk = channel->sock->sk;
	bool was_open;

	write_lock_bh(&sk->sk_callback_lock);
	was_open = channel->open;
	if (was_open) {
		sk->sk_data_ready = channel->data_ready;
		sk->sk_state_change = channel->state_change;
		rcu_assign_sk_user_data(sk, NULL);
		channel->open = false;
	}
	write_unlock_bh(&sk->sk_callback_lock);
	return was_open;
}

/* ---- life ---- */

/*
 * Whoever keeps the descriptor can make the kernel wait for the socket's lock, and disconnect it behind its back: that is not for the root of a
 * container.
 */
static int check(const struct socket *sock, struct netlink_ext_ack *extack)
{
	const struct sock *sk = sock->sk;

	if (!capable(CAP_NET_ADMIN))
		return ftcp_refuse(extack, -EPERM, "CHANNEL_FD needs CAP_NET_ADMIN over the host; with 'batches = daemon' none is needed");
	if ((sk->sk_family != AF_INET && sk->sk_family != AF_INET6) || sk->sk_type != SOCK_STREAM ||
	    sk->sk_protocol != IPPROTO_TCP)
		return ftcp_refuse(extack, -EPROTOTYPE, "CHANNEL_FD is not a TCP socket");
	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return ftcp_refuse(extack, -ENOTCONN, "CHANNEL_FD is not connected");
	return 0;
}

/* For all credits, whatever net.ipv4.tcp_wmem and tcp_notsent_lowat say. */
static void make_room(struct sock *sk)
{
	lock_sock(sk);
	WRITE_ONCE(tcp_sk(sk)->notsent_lowat, UINT_MAX);
	sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	WRITE_ONCE(sk->sk_sndbuf, max_t(int, sk->sk_sndbuf, SND_BUF_BYTES));
	release_sock(sk);
}

struct ftcp_channel *ftcp_channel_open(int fd, struct workqueue_struct *wq, struct work_struct *work,
				       struct netlink_ext_ack *extack)
{
	struct ftcp_channel *channel;
	struct socket *sock;
	int err;

	sock = sockfd_lookup(fd, &err);
	if (!sock)
		return ERR_PTR(ftcp_refuse(extack, err, "CHANNEL_FD %d is not a socket of this process", fd));
	err = check(sock, extack);
	if (err)
		goto sock;
	err = -ENOMEM;
	channel = kvzalloc(sizeof(*channel), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!channel)
		goto sock;
	refcount_set(&channel->refs, 1);
	channel->sock = sock;
	channel->wq = wq;
	channel->work = work;
	make_room(sock->sk);
	return channel;
sock:
	sockfd_put(sock);
	return ERR_PTR(err);
}

void ftcp_channel_close(struct ftcp_channel *channel)
{
	if (give_callbacks_back(channel))
		kernel_sock_shutdown(channel->sock, SHUT_RDWR);
}

void ftcp_channel_get(struct ftcp_channel *channel)
{
	refcount_inc(&channel->refs);
}

void ftcp_channel_put(struct ftcp_channel *channel)
{
	if (!refcount_dec_and_test(&channel->refs))
		return;
	WARN_ON_ONCE(channel->open);
	sockfd_put(channel->sock);
	kvfree(channel);
}

/* ---- out ---- */

void *ftcp_channel_room(struct ftcp_channel *channel)
{
	return channel->out.batch;
}

static int send_frame(struct ftcp_channel *channel, u8 type, u64 sync_id, u64 no, u32 len)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec vec = { channel->out.head, HEAD_BYTES + len };
	u8 *head = channel->out.head;
	int n;

	put_unaligned_be32(FTCP_FRAME_MAGIC, head);
	put_unaligned_be32((u32)type << 24, head + 4);
	put_unaligned_be32(FTCP_FRAME_PLACE_BYTES + len, head + 8);
	put_unaligned_be64(sync_id, head + FTCP_FRAME_HEADER_BYTES);
	put_unaligned_be64(no, head + FTCP_FRAME_HEADER_BYTES + sizeof(u64));
	n = kernel_sendmsg(channel->sock, &msg, &vec, 1, vec.iov_len);
	if (n < 0)
		return n;
	return n == HEAD_BYTES + len ? 0 : -ENOBUFS;
}

int ftcp_channel_send_batch(struct ftcp_channel *channel, u64 sync_id, u64 no, u32 len)
{
	return send_frame(channel, FTCP_FRAME_BATCH, sync_id, no, len);
}

int ftcp_channel_send_ack(struct ftcp_channel *channel, u64 sync_id, u64 no)
{
	return send_frame(channel, FTCP_FRAME_ACK, sync_id, no, 0);
}

/* ---- in ---- */

/* A look without the lock, for the most frequent answer: what comes after it queues the work again. */
static bool nothing_there(const struct sock *sk)
{
	return skb_queue_empty_lockless(&sk->sk_receive_queue) && READ_ONCE(sk->sk_state) == TCP_ESTABLISHED &&
	       !READ_ONCE(sk->sk_err) && !(READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN);
}

/* Until the frame has @want bytes: 1; not yet: 0; -errno */
static int fill(struct ftcp_channel *channel, u32 want)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT };
	struct kvec vec;
	int n;

	while (channel->got < want) {
		if (nothing_there(channel->sock->sk))
			return 0;
		vec.iov_base = channel->in.head + channel->got;
		vec.iov_len = want - channel->got;
		n = kernel_recvmsg(channel->sock, &msg, &vec, 1, vec.iov_len, MSG_DONTWAIT);
		if (n == -EAGAIN)
			return 0;
		if (n <= 0)
			return n ? n : -EPIPE;
		channel->got += n;
	}
	return 1;
}

static int read_head(struct ftcp_channel *channel, struct ftcp_channel_frame *frame)
{
	const u8 *head = channel->in.head;
	u32 len = get_unaligned_be32(head + 8);

	frame->type = head[4];
	if (get_unaligned_be32(head) != FTCP_FRAME_MAGIC || head[5] || head[6] || head[7] || len < FTCP_FRAME_PLACE_BYTES)
		return -EPROTO;
	channel->len = len - FTCP_FRAME_PLACE_BYTES;
	if (frame->type != FTCP_FRAME_BATCH && frame->type != FTCP_FRAME_ACK)
		return -EPROTO;
	if (channel->len > (frame->type == FTCP_FRAME_BATCH ? FTCP_BATCH_MAX_BYTES : 0))
		return -EPROTO;
	frame->sync_id = get_unaligned_be64(head + FTCP_FRAME_HEADER_BYTES);
	frame->no = get_unaligned_be64(head + FTCP_FRAME_HEADER_BYTES + sizeof(u64));
	return 0;
}

int ftcp_channel_read(struct ftcp_channel *channel, struct ftcp_channel_frame *frame)
{
	int ready, err;

	ready = fill(channel, HEAD_BYTES);
	if (ready <= 0)
		return ready;
	err = read_head(channel, frame);
	if (err)
		return err;
	ready = fill(channel, HEAD_BYTES + channel->len);
	if (ready <= 0)
		return ready;
	frame->batch = channel->in.batch;
	frame->len = channel->len;
	channel->got = 0;
	return 1;
}
