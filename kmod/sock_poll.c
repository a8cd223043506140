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

/*
 * As tcp_poll(), without the connection's lock: whoever changes what is looked at here wakes those who wait, who are in the queue
 * (sock_poll_wait() has a barrier) or have set the bit by then. What is seen half done is seen once more then.
 */
static bool has_readable(const struct ftcp_sock *fs)
{
	const struct ftcp_hard *hard = &fs->conn->tcb.hard;
	u64 end = READ_ONCE(hard->rcv_nxt) - !!(READ_ONCE(hard->flags) & FTCP_HARD_RCV_FIN), off = READ_ONCE(fs->read_off);
	/* More than fits would never come. */
	u64 target = min_t(u64, sock_rcvlowat(&fs->inet.sk, 0, INT_MAX), READ_ONCE(hard->rcv_buf_bytes) / 2);

	return end > off && end - off >= target;
}

static bool has_room(const struct ftcp_sock *fs)
{
	const struct ftcp_hard *hard = &fs->conn->tcb.hard;
	u8 state = READ_ONCE(hard->state);

	if (READ_ONCE(fs->inet.sk.sk_shutdown) & SEND_SHUTDOWN)
		return true;
	return (state == FTCP_ESTABLISHED || state == FTCP_CLOSE_WAIT) &&
	       ftcp_sock_room_matters(READ_ONCE(hard->snd_end) - READ_ONCE(hard->snd_una), READ_ONCE(hard->snd_buf_bytes));
}

static __poll_t poll_attached(struct ftcp_sock *fs)
{
	__poll_t mask = has_readable(fs) ? EPOLLIN | EPOLLRDNORM : 0;
	struct sock *sk = ftcp_sock_sk(fs);

	if (has_room(fs))
		return mask | EPOLLOUT | EPOLLWRNORM;
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	smp_mb__after_atomic();		/* with the one in ftcp_sock_write_space() */
	return mask | (has_room(fs) ? EPOLLOUT | EPOLLWRNORM : 0);
}

/* A connection that is over, or one of those that only the lock tells all of. */
static __poll_t poll_locked(struct ftcp_sock *fs)
{
	struct sock *sk = ftcp_sock_sk(fs);
	__poll_t mask;

	spin_lock_bh(&fs->conn->lock);
	mask = ftcp_sock_readable(fs) ? EPOLLIN | EPOLLRDNORM : 0;
	if ((sk->sk_shutdown & SEND_SHUTDOWN) || ftcp_sock_writable(fs)) {
		mask |= EPOLLOUT | EPOLLWRNORM;
	} else {
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	}
	spin_unlock_bh(&fs->conn->lock);
	return mask;
}

static __poll_t poll_conn(struct ftcp_sock *fs)
{
	const struct ftcp_conn *conn = fs->conn;

	/* Elsewhere an offset is read in two halves. */
	if (IS_ENABLED(CONFIG_64BIT) && READ_ONCE(conn->sk) == ftcp_sock_sk(fs) && !conn->tcb.soft.torn)
		return poll_attached(fs);
	return poll_locked(fs);
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
