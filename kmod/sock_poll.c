// SPDX-License-Identifier: GPL-2.0
/* poll() and the ioctls, with the answers that TCP gives. */
#include <linux/poll.h>
#include <linux/sockios.h>
#include <net/inet_common.h>
#include <net/ipv6.h>
#include <asm/ioctls.h>
#include "sock.h"

static __poll_t poll_listener(struct ftcp_sock *fs)
{
	return READ_ONCE(ftcp_sock_sk(fs)->sk_ack_backlog) ? EPOLLIN | EPOLLRDNORM : 0;
}

static __poll_t poll_readable(struct ftcp_sock *fs)
{
	struct ftcp_conn *conn = fs->conn;
	u64 target;

	lockdep_assert_held(&conn->lock);
	/* More than fits would never come. */
	target = min_t(u64, sock_rcvlowat(ftcp_sock_sk(fs), 0, INT_MAX), conn->tcb.hard.rcv_buf_bytes / 2);
	return ftcp_sock_readable(fs) >= target ? EPOLLIN | EPOLLRDNORM : 0;
}

/* Room that comes is told under the lock, to whom the bit says that somebody waits. */
static __poll_t poll_writable(struct ftcp_sock *fs)
{
	struct sock *sk = ftcp_sock_sk(fs);

	lockdep_assert_held(&fs->conn->lock);
	if ((READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN) || ftcp_sock_writable(fs))
		return EPOLLOUT | EPOLLWRNORM;
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	return 0;
}

static __poll_t poll_conn(struct ftcp_sock *fs)
{
	__poll_t mask;

	spin_lock_bh(&fs->conn->lock);
	mask = poll_readable(fs) | poll_writable(fs);
	spin_unlock_bh(&fs->conn->lock);
	return mask;
}

__poll_t ftcp_sock_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait)
{
	struct sock *sk = sock->sk;
	struct ftcp_sock *fs = ftcp_sk(sk);
	__poll_t mask = 0;
	u8 shutdown;

	sock_poll_wait(file, sock, wait);
	if (sk->sk_state == TCP_LISTEN)
		return poll_listener(fs);
	shutdown = READ_ONCE(sk->sk_shutdown);
	if (shutdown == SHUTDOWN_MASK || sk->sk_state == TCP_CLOSE)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (fs->conn)
		mask |= poll_conn(fs);
	else
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (READ_ONCE(sk->sk_err))
		mask |= EPOLLERR;
	return mask;
}

/* Bytes that the ioctl asks for, or an error. */
static int count(struct ftcp_sock *fs, unsigned int cmd)
{
	const struct ftcp_tcb *tcb;
	u64 n;

	if (ftcp_sock_sk(fs)->sk_state == TCP_LISTEN)
		return -EINVAL;
	if (!fs->conn || cmd == SIOCATMARK)
		return 0;	/* urgent data is in line, and there is no mark */
	tcb = &fs->conn->tcb;
	spin_lock_bh(&fs->conn->lock);
	if (cmd == SIOCINQ)
		n = ftcp_sock_readable(fs);
	else if (!ftcp_sock_attached(fs))
		n = 0;
	else if (cmd == SIOCOUTQ)
		n = tcb->hard.snd_end - tcb->hard.snd_una;
	else
		n = tcb->hard.snd_end - tcb->soft.snd_nxt;
	spin_unlock_bh(&fs->conn->lock);
	return min_t(u64, n, INT_MAX);
}

int ftcp_sock_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	struct sock *sk = sock->sk;
	int n;

	switch (cmd) {
	case SIOCINQ:
	case SIOCOUTQ:
	case SIOCOUTQNSD:
	case SIOCATMARK:
		lock_sock(sk);
		n = count(ftcp_sk(sk), cmd);
		release_sock(sk);
		return n < 0 ? n : put_user(n, (int __user *)arg);
	default:
		return sk->sk_family == AF_INET6 ? inet6_ioctl(sock, cmd, arg) : inet_ioctl(sock, cmd, arg);
	}
}
