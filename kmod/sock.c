// SPDX-License-Identifier: GPL-2.0
/* The socket type IPPROTO_FTCP: birth, end, and what it shares with all of INET. */
#include <linux/module.h>
#include <net/inet_common.h>
#include <net/ipv6.h>
#include <net/protocol.h>
#include <net/transp_v6.h>
#include "compat.h"
#include "group.h"
#include "net.h"
#include "service.h"
#include "sock.h"

u64 ftcp_sock_readable_end(const struct ftcp_sock *fs)
{
	const struct ftcp_tcb *tcb = &fs->conn->tcb;

	return ftcp_sock_attached(fs) ? tcb->hard.consumed + ftcp_tcb_readable(tcb) : fs->rest.end;
}

u64 ftcp_sock_readable(const struct ftcp_sock *fs)
{
	u64 end = ftcp_sock_readable_end(fs);

	return end > fs->read_off ? end - fs->read_off : 0;
}

bool ftcp_sock_writable(const struct ftcp_sock *fs)
{
	const struct ftcp_hard *hard = &fs->conn->tcb.hard;

	return ftcp_sock_attached(fs) && ftcp_tcb_writable(&fs->conn->tcb) &&
	       ftcp_sock_room_matters(hard->snd_end - hard->snd_una, hard->snd_buf_bytes);
}

void ftcp_sock_wait(struct sock *sk, struct wait_queue_entry *wait, long *timeout)
{
	release_sock(sk);
	*timeout = wait_woken(wait, TASK_INTERRUPTIBLE, *timeout);
	lock_sock(sk);
}

/* The last reference to the socket has gone. */
static void destruct(struct sock *sk)
{
	struct ftcp_sock *fs = ftcp_sk(sk);

	if (fs->conn)
		ftcp_conn_put(fs->conn);
	if (sk->sk_family == AF_INET6)
		inet6_sock_destruct(sk);
	else
		inet_sock_destruct(sk);
}

/*
 * After inet_create() or inet6_create() has done all that is common.
 *
 * A class of its own for the lock: listen() takes fn->config under it, and group->sync.mutex comes after that; under the mutex, in turn, the
 * channel's TCP socket is locked, which would be of the same class.
 */
static int init(struct sock *sk)
{
	static struct lock_class_key slock_key, lock_key;
	struct ftcp_sock *fs = ftcp_sk(sk);

	sock_lock_init_class_and_name(sk, "slock-FTCP", &slock_key, "sk_lock-FTCP", &lock_key);
	spin_lock_init(&fs->queue_lock);
	INIT_LIST_HEAD(&fs->queue);
	INIT_LIST_HEAD(&fs->queue_node);
	ftcp_bytes_init(&fs->rest, 0);
	sk->sk_write_space = ftcp_sock_write_space;
	sk->sk_destruct = destruct;
	return 0;
}

/* ---- the end ---- */

/* RFC 2525, 2.17, and what SO_LINGER with 0 asks for: data is lost, and the peer is to know. */
static bool must_reset(const struct ftcp_sock *fs)
{
	const struct sock *sk = &fs->inet.sk;

	return (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime) || ftcp_sock_readable(fs);
}

static void leave_locked(struct ftcp_sock *fs)
{
	struct ftcp_conn *conn = fs->conn;
	struct ftcp_env env;

	lockdep_assert_held(&conn->lock);
	ftcp_conn_env(conn, &env);
	conn->sk = NULL;
	conn->due_us = 0;
	conn->tcb.soft.corked = false;
	if (fs->shut != SHUTDOWN_MASK && (fs->persist_ms || (conn->recovered && !fs->pid))) {
		conn->recovered = true;
		conn->due_us = env.now_us + (fs->persist_ms ?: conn->service->recover_ms) * FTCP_MS_US;
	} else if (!fs->pid || must_reset(fs)) {
		ftcp_tcb_abort(&conn->tcb);
	} else {
		ftcp_tcb_shutdown(&conn->tcb, &env);
		conn->left = true;
	}
}

void ftcp_sock_leave(struct ftcp_sock *fs)
{
	struct ftcp_conn *conn = fs->conn;

	spin_lock_bh(&conn->lock);
	if (ftcp_sock_attached(fs))
		leave_locked(fs);
	ftcp_conn_unlock(conn, 0);
	ftcp_bytes_free(&fs->rest);
}

void ftcp_sock_free_child(struct ftcp_sock *child)
{
	struct sock *sk = ftcp_sock_sk(child);

	ftcp_sock_leave(child);
	inet_sk_set_state(sk, TCP_CLOSE);
	sock_orphan(sk);
	sock_put(sk);
}

/* Has the peer everything, our FIN included? Or is there nothing to wait for? */
static bool lingers(struct ftcp_sock *fs)
{
	struct ftcp_conn *conn = fs->conn;
	bool result;

	spin_lock_bh(&conn->lock);
	result = ftcp_sock_attached(fs) && conn->tcb.hard.snd_una < conn->tcb.hard.snd_end;
	spin_unlock_bh(&conn->lock);
	return result;
}

/* SO_LINGER: close() waits for the peer to acknowledge all that was sent. */
static void linger(struct sock *sk, long timeout)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct ftcp_sock *fs = ftcp_sk(sk);
	struct ftcp_conn *conn = fs->conn;
	struct ftcp_env env;

	spin_lock_bh(&conn->lock);
	if (!ftcp_sock_attached(fs) || must_reset(fs) || fs->persist_ms) {
		spin_unlock_bh(&conn->lock);
		return;
	}
	ftcp_conn_env(conn, &env);
	ftcp_tcb_shutdown(&conn->tcb, &env);
	conn->tcb.soft.corked = false;
	conn->left = true;
	ftcp_conn_unlock(conn, 0);
	add_wait_queue(sk_sleep(sk), &wait);
	while (timeout && lingers(fs) && !signal_pending(current))
		ftcp_sock_wait(sk, &wait, &timeout);
	remove_wait_queue(sk_sleep(sk), &wait);
}

static void close(struct sock *sk, long timeout)
{
	struct ftcp_sock *fs = ftcp_sk(sk);

	lock_sock(sk);
	if (sk->sk_state == TCP_LISTEN)
		ftcp_sock_unlisten(fs);
	if (fs->conn) {
		if (timeout && !(current->flags & PF_EXITING))
			linger(sk, timeout);
		ftcp_sock_leave(fs);
	}
	sk->sk_shutdown = SHUTDOWN_MASK;
	inet_sk_set_state(sk, TCP_CLOSE);
	if (fs->port) {
		sock_release(fs->port);
		fs->port = NULL;
	}
	sock_orphan(sk);
	release_sock(sk);
	sock_put(sk);
}

static int shutdown_conn(struct ftcp_sock *fs, int how)
{
	struct sock *sk = ftcp_sock_sk(fs);
	struct ftcp_conn *conn = fs->conn;
	struct ftcp_env env;
	bool attached;

	spin_lock_bh(&conn->lock);
	attached = ftcp_sock_attached(fs);
	if (attached) {
		if (fs->shut != SHUTDOWN_MASK)
			fs->shut_rcv = ftcp_tcb_rcv_data_end(&conn->tcb);
		fs->shut |= how;
		sk->sk_shutdown |= how;
		if (how & SEND_SHUTDOWN) {
			ftcp_conn_env(conn, &env);
			conn->tcb.soft.corked = false;
			ftcp_tcb_shutdown(&conn->tcb, &env);
		}
	}
	ftcp_conn_unlock(conn, 0);
	if (attached)
		sk->sk_state_change(sk);
	return attached ? 0 : -ENOTCONN;
}

static int shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct ftcp_sock *fs = ftcp_sk(sk);
	int err = 0;

	how++;		/* SHUT_RD, SHUT_WR, SHUT_RDWR: 1, 2 and 3 */
	if ((how & ~SHUTDOWN_MASK) || !how)
		return -EINVAL;
	lock_sock(sk);
	if (fs->conn) {
		err = shutdown_conn(fs, how);
	} else if (sk->sk_state == TCP_LISTEN) {
		if (how & RCV_SHUTDOWN) {
			ftcp_sock_unlisten(fs);
			inet_sk_set_state(sk, TCP_CLOSE);
			sk->sk_state_change(sk);
			sock->state = SS_UNCONNECTED;
		}
	} else {
		err = -ENOTCONN;
	}
	release_sock(sk);
	return err;
}

static int accept_compat(struct socket *sock, struct socket *newsock,
#if FTCP_COMPAT_ACCEPT_ARG
			 struct proto_accept_arg *arg)
{
	int flags = arg->flags;
#else
			 int flags, bool kern)
{
#endif
	return ftcp_sock_accept(sock->sk, newsock, flags);
}

/* Nothing to do, but sk_common_release() calls it. */
static void unhash(struct sock *sk)
{
}

/* Active opens are not built: said at once, not after a timeout. */
static int connect(struct socket *sock, struct sockaddr *addr, int len, int flags)
{
	return -EOPNOTSUPP;
}

static struct proto prot = {
	.name = "FTCP",
	.owner = THIS_MODULE,
	.close = close,
	.init = init,
	.unhash = unhash,
	.get_port = ftcp_sock_get_port,
	.keepalive = ftcp_sock_keepalive,
	.setsockopt = ftcp_sock_setsockopt,
	.getsockopt = ftcp_sock_getsockopt,
	.obj_size = sizeof(struct ftcp_sock),
};

static struct proto prot6 = {
	.name = "FTCPv6",
	.owner = THIS_MODULE,
	.close = close,
	.init = init,
	.unhash = unhash,
	.get_port = ftcp_sock_get_port,
	.keepalive = ftcp_sock_keepalive,
	.setsockopt = ftcp_sock_setsockopt,
	.getsockopt = ftcp_sock_getsockopt,
	.obj_size = sizeof(struct ftcp_sock6),
#if FTCP_COMPAT_PINFO_OFFSET
	.ipv6_pinfo_offset = offsetof(struct ftcp_sock6, inet6),
#endif
};

#define COMMON_OPS \
	.owner = THIS_MODULE, \
	.connect = connect, \
	.socketpair = sock_no_socketpair, \
	.accept = accept_compat, \
	.poll = ftcp_sock_poll, \
	.ioctl = ftcp_sock_ioctl, \
	.gettstamp = sock_gettstamp, \
	.listen = ftcp_sock_listen, \
	.shutdown = shutdown, \
	.setsockopt = sock_common_setsockopt, \
	.getsockopt = sock_common_getsockopt, \
	.sendmsg = ftcp_sock_sendmsg, \
	.recvmsg = ftcp_sock_recvmsg, \
	FTCP_COMPAT_SENDPAGE \
	.mmap = sock_no_mmap

static const struct proto_ops ops = {
	.family = PF_INET,
	.release = inet_release,
	.bind = inet_bind,
	.getname = inet_getname,
	COMMON_OPS,
};

static const struct proto_ops ops6 = {
	.family = PF_INET6,
	.release = inet6_release,
	.bind = inet6_bind,
	.getname = inet6_getname,
	COMMON_OPS,
};

static struct inet_protosw protosw = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_FTCP,
	.prot = &prot,
	.ops = &ops,
};

static struct inet_protosw protosw6 = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_FTCP,
	.prot = &prot6,
	.ops = &ops6,
};

int ftcp_sock_register(void)
{
	int err;

	err = proto_register(&prot, 1);
	if (err)
		return err;
	err = proto_register(&prot6, 1);
	if (err)
		goto fail;
	err = inet6_register_protosw(&protosw6);
	if (err)
		goto fail6;
	inet_register_protosw(&protosw);
	return 0;
fail6:
	proto_unregister(&prot6);
fail:
	proto_unregister(&prot);
	return err;
}

void ftcp_sock_unregister(void)
{
	inet_unregister_protosw(&protosw);
	inet6_unregister_protosw(&protosw6);
	proto_unregister(&prot6);
	proto_unregister(&prot);
}

MODULE_ALIAS_NET_PF_PROTO_TYPE(PF_INET, 253, SOCK_STREAM);
MODULE_ALIAS_NET_PF_PROTO_TYPE(PF_INET6, 253, SOCK_STREAM);
