// SPDX-License-Identifier: GPL-2.0
/* The queue of a listening socket: connections get their sockets there, and programs take them out. */
#include <net/ipv6.h>
#include <net/tcp_states.h>
#include <net/transp_v6.h>
#include "compat.h"
#include "service.h"
#include "sock.h"

/* What is copied from the listener and is its own: let go of, not given back. */
static void disown6(struct ftcp_sock *child)
{
	struct ipv6_pinfo *np = &((struct ftcp_sock6 *)child)->inet6;

	child->inet.pinet6 = np;
	np->ipv6_mc_list = NULL;
	np->ipv6_ac_list = NULL;
	RCU_INIT_POINTER(ftcp_compat_fl_list(&child->inet, np), NULL);
	np->pktoptions = NULL;
	RCU_INIT_POINTER(np->opt, NULL);
}

static void name(struct sock *sk, const struct ftcp_conn *conn)
{
	struct inet_sock *inet = inet_sk(sk);

	inet->inet_num = ntohs(conn->key.lport);
	inet->inet_sport = conn->key.lport;
	inet->inet_dport = conn->key.rport;
	if (sk->sk_family == AF_INET6) {
		sk->sk_v6_daddr = conn->key.raddr;
		sk->sk_v6_rcv_saddr = conn->key.laddr;
		inet6_sk(sk)->saddr = conn->key.laddr;
	}
	if (ftcp_conn_is_v4(conn)) {
		inet->inet_daddr = conn->key.raddr.s6_addr32[3];
		inet->inet_rcv_saddr = conn->key.laddr.s6_addr32[3];
	} else {
		inet->inet_daddr = LOOPBACK4_IPV6;
		inet->inet_rcv_saddr = LOOPBACK4_IPV6;
	}
	inet->inet_saddr = inet->inet_rcv_saddr;
}

/* A socket like the listener, as accept() has always made them. */
static struct ftcp_sock *new_child(struct ftcp_sock *listener, struct ftcp_conn *conn)
{
	struct sock *sk = sk_clone_lock(ftcp_sock_sk(listener), GFP_ATOMIC);
	struct ftcp_sock *child;

	if (!sk)
		return NULL;
	child = ftcp_sk(sk);
	child->port = NULL;
	child->service = NULL;
	spin_lock_init(&child->queue_lock);
	INIT_LIST_HEAD(&child->queue);
	INIT_LIST_HEAD(&child->queue_node);
	ftcp_bytes_init(&child->rest, 0);
	RCU_INIT_POINTER(child->inet.inet_opt, NULL);
	RCU_INIT_POINTER(child->inet.mc_list, NULL);
	if (sk->sk_family == AF_INET6)
		disown6(child);
	refcount_inc(&conn->refs);
	child->conn = conn;
	child->read_off = conn->tcb.hard.consumed;
	child->write_off = ftcp_tcb_data_end(&conn->tcb);
	child->told_rcv = 0;
	child->told_fin = false;
	child->pid = 0;
	name(sk, conn);
	inet_sk_set_state(sk, TCP_ESTABLISHED);
	__acquire(&sk->sk_lock.slock);	/* sparse does not know that sk_clone_lock() did */
	bh_unlock_sock(sk);
	sock_put(sk);		/* a clone comes with one reference for tables that we do not have */
	return child;
}

int ftcp_sock_seat(struct ftcp_conn *conn, struct ftcp_sock *listener)
{
	struct sock *sk = ftcp_sock_sk(listener);
	struct ftcp_sock *child;
	bool open;

	lockdep_assert_held(&conn->lock);
	child = new_child(listener, conn);
	if (!child)
		return -ENOMEM;
	conn->sk = ftcp_sock_sk(child);
	ftcp_sock_apply_options(child);
	spin_lock(&listener->queue_lock);
	open = listener->queue_open;
	if (open) {
		list_add_tail(&child->queue_node, &listener->queue);
		sk_acceptq_added(sk);
	}
	spin_unlock(&listener->queue_lock);
	if (!open) {
		conn->sk = NULL;
		inet_sk_set_state(ftcp_sock_sk(child), TCP_CLOSE);
		sock_orphan(ftcp_sock_sk(child));
		sock_put(ftcp_sock_sk(child));
		return -ENOTCONN;
	}
	sk->sk_data_ready(sk);
	return 0;
}

static struct ftcp_sock *dequeue(struct ftcp_sock *listener)
{
	struct ftcp_sock *child;

	spin_lock_bh(&listener->queue_lock);
	child = list_first_entry_or_null(&listener->queue, struct ftcp_sock, queue_node);
	if (child) {
		list_del_init(&child->queue_node);
		sk_acceptq_removed(ftcp_sock_sk(listener));
	}
	spin_unlock_bh(&listener->queue_lock);
	return child;
}

void ftcp_sock_flush_queue(struct ftcp_sock *listener)
{
	struct ftcp_sock *child;

	spin_lock_bh(&listener->queue_lock);
	listener->queue_open = false;
	spin_unlock_bh(&listener->queue_lock);
	while ((child = dequeue(listener)))
		ftcp_sock_free_child(child);
}

/* The socket is locked. ERR_PTR, or what waited longest. */
static struct ftcp_sock *next_child(struct sock *sk, int flags)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct ftcp_sock *child = NULL;
	long timeout = sock_rcvtimeo(sk, flags & O_NONBLOCK);
	int err = 0;

	wait.flags |= WQ_FLAG_EXCLUSIVE;
	add_wait_queue_exclusive(sk_sleep(sk), &wait);
	for (;;) {
		if (sk->sk_state != TCP_LISTEN) {
			err = -EINVAL;
			break;
		}
		child = dequeue(ftcp_sk(sk));
		if (child)
			break;
		if (!timeout) {
			err = -EAGAIN;
			break;
		}
		if (signal_pending(current)) {
			err = sock_intr_errno(timeout);
			break;
		}
		ftcp_sock_wait(sk, &wait, &timeout);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return err ? ERR_PTR(err) : child;
}

/* A task's name is under a lock of its own, which is not for softirqs: none of ours is held over it. */
static void note_program(struct ftcp_sock *child)
{
	char comm[TASK_COMM_LEN];

	get_task_comm(comm, current);
	spin_lock_bh(&child->conn->lock);
	child->pid = task_tgid_nr(current);
	child->conn->owner = ftcp_sock_sk(child)->sk_uid;
	memcpy(child->comm, comm, sizeof(child->comm));
	spin_unlock_bh(&child->conn->lock);
}

int ftcp_sock_accept(struct sock *sk, struct socket *newsock, int flags)
{
	struct ftcp_sock *child;

	lock_sock(sk);
	child = next_child(sk, flags);
	release_sock(sk);
	if (IS_ERR(child))
		return PTR_ERR(child);
	note_program(child);
	lock_sock(ftcp_sock_sk(child));
	sock_graft(ftcp_sock_sk(child), newsock);
	newsock->state = SS_CONNECTED;
	release_sock(ftcp_sock_sk(child));
	return 0;
}
