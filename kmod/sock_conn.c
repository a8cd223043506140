// SPDX-License-Identifier: GPL-2.0
/*
 * The backend "socket": a program serves the connection. Between programs, before accept() and after a takeover, the connection waits here.
 */
#include "backend.h"
#include "group.h"
#include "net.h"
#include "service.h"
#include "sock.h"

static u32 family_index(const struct ftcp_conn_key *key)
{
	return !ipv6_addr_v4mapped(&key->laddr);
}

/* With a reference, for any context: it is there as long as it is found under the lock. */
static struct ftcp_sock *get_listener(struct ftcp_service *service, const struct ftcp_conn_key *key)
{
	struct ftcp_sock *listener;

	spin_lock_bh(&service->listen_lock);
	listener = service->listener[family_index(key)];
	if (listener)
		sock_hold(ftcp_sock_sk(listener));
	spin_unlock_bh(&service->listen_lock);
	return listener;
}

static enum ftcp_reason admit(struct ftcp_service *service, const struct ftcp_conn_key *key)
{
	struct ftcp_sock *listener = get_listener(service, key);
	enum ftcp_reason reason = FTCP_REASON_NONE;

	if (!listener)
		return FTCP_REASON_NO_LISTENER;
	if (sk_acceptq_is_full(ftcp_sock_sk(listener)))
		reason = FTCP_REASON_BACKLOG;
	sock_put(ftcp_sock_sk(listener));
	return reason;
}

/* TCP_DEFER_ACCEPT: nothing to read yet, and there is time. */
static bool deferred(struct ftcp_conn *conn, const struct ftcp_sock *listener, const struct ftcp_env *env)
{
	if (!listener->defer_s || conn->recovered || ftcp_tcb_readable(&conn->tcb) || (conn->tcb.hard.flags & FTCP_HARD_RCV_FIN))
		return false;
	if (!conn->due_us)
		conn->due_us = env->now_us + listener->defer_s * FTCP_S_US;
	return env->now_us < conn->due_us;
}

static void seat(struct ftcp_conn *conn, struct ftcp_sock *listener, const struct ftcp_env *env)
{
	int err;

	if (deferred(conn, listener, env))
		return;
	conn->due_us = 0;
	err = ftcp_sock_seat(conn, listener);
	conn->retry = err == -ENOMEM;
	if (err == -ENOTCONN && !conn->recovered)
		ftcp_tcb_abort(&conn->tcb);
	if (!err && conn->recovered)
		ftcp_stats_inc(conn->fn, FTCP_COUNT_CONNS_RECOVERED);
}

/* Nobody listens, or nobody who would take it. */
static void wait_for_program(struct ftcp_conn *conn, const struct ftcp_env *env)
{
	if (!conn->recovered) {
		ftcp_tcb_abort(&conn->tcb);
		return;
	}
	if (!conn->due_us)
		conn->due_us = env->now_us + conn->service->recover_ms * FTCP_MS_US;
	if (env->now_us < conn->due_us)
		return;
	conn->due_us = 0;
	ftcp_stats_inc(conn->fn, FTCP_COUNT_CONNS_UNCLAIMED);
	ftcp_tcb_abort(&conn->tcb);
}

/* Both sides have said all, and all that was said has been read: there is nothing for a program to do. */
static bool is_over(const struct ftcp_tcb *tcb)
{
	const u8 both = FTCP_HARD_RCV_FIN | FTCP_HARD_SND_FIN;

	return (tcb->hard.flags & both) == both && !ftcp_tcb_readable(tcb);
}

/* What a user's program had is for that user's programs. */
static bool may_have(const struct ftcp_sock *listener, const struct ftcp_conn *conn)
{
	if (!conn->recovered)
		return true;
	return READ_ONCE(listener->recover) &&
	       (!uid_valid(conn->owner) || uid_eq(conn->owner, listener->inet.sk.sk_uid) || listener->admin);
}

static void without_program(struct ftcp_conn *conn, const struct ftcp_env *env)
{
	struct ftcp_sock *listener;

	if (is_over(&conn->tcb)) {
		conn->due_us = 0;
		return;
	}
	listener = get_listener(conn->service, &conn->key);
	if (listener && may_have(listener, conn))
		seat(conn, listener, env);
	else
		wait_for_program(conn, env);
	if (listener)
		sock_put(ftcp_sock_sk(listener));
}

/* RFC 9293, 3.6, and RFC 1122, 4.2.2.13: what comes now is for nobody, and the peer must hear of it. */
static void after_program(struct ftcp_conn *conn, const struct ftcp_env *env)
{
	struct ftcp_tcb *tcb = &conn->tcb;

	if (conn->sk)	/* close() lingers */
		conn->sk->sk_state_change(conn->sk);
	if (tcb->hard.state != FTCP_FIN_WAIT_2) {
		if (ftcp_tcb_readable(tcb))
			ftcp_tcb_abort(tcb);
		conn->due_us = 0;
		return;
	}
	if (!conn->due_us)
		conn->due_us = env->now_us + FTCP_FIN_WAIT_2_US;
	if (ftcp_tcb_readable(tcb) || env->now_us >= conn->due_us) {
		conn->due_us = 0;
		ftcp_tcb_abort(tcb);
	}
}

/* What was to be passed over has come. */
static void pass_over(struct ftcp_sock *fs)
{
	struct ftcp_tcb *tcb = &fs->conn->tcb;

	if (!fs->explicit && fs->read_off > tcb->hard.consumed)
		ftcp_tcb_consume(tcb, fs->read_off - tcb->hard.consumed);
}

static void tell(struct ftcp_sock *fs)
{
	struct sock *sk = ftcp_sock_sk(fs);
	const struct ftcp_tcb *tcb = &fs->conn->tcb;
	u64 end = ftcp_tcb_rcv_data_end(tcb), readable = ftcp_sock_readable(fs);

	if (end != fs->told_rcv && readable) {
		fs->told_rcv = end;
		if (readable >= min_t(u64, READ_ONCE(sk->sk_rcvlowat), tcb->hard.rcv_buf_bytes / 2))
			sk->sk_data_ready(sk);
	}
	if ((tcb->hard.flags & FTCP_HARD_RCV_FIN) && !fs->told_fin) {
		/* Not SOCK_DONE: setsockopt() writes to the same word under lock_sock(). */
		WRITE_ONCE(fs->told_fin, true);
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | RCV_SHUTDOWN);
		sk->sk_state_change(sk);
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
	}
	if (ftcp_sock_writable(fs))
		sk->sk_write_space(sk);
}

/* Nothing is held back for ever. */
static void uncork(struct ftcp_conn *conn, const struct ftcp_env *env)
{
	if (!conn->tcb.soft.corked) {
		conn->due_us = 0;
	} else if (!conn->due_us) {
		conn->due_us = env->now_us + FTCP_CORK_US;
	} else if (env->now_us >= conn->due_us) {
		conn->tcb.soft.corked = false;
		conn->due_us = 0;
	}
}

/* The connection goes on, or ends, without the program's socket, which keeps what has come but was not read. */
static void detach(struct ftcp_conn *conn, int error)
{
	struct ftcp_sock *fs = ftcp_sk(conn->sk);
	struct sock *sk = conn->sk;

	lockdep_assert_held(&conn->lock);
	if (!conn->dormant && !conn->left) {
		ftcp_bytes_cut(&conn->rcv, ftcp_tcb_rcv_data_end(&conn->tcb));
		ftcp_bytes_move(&fs->rest, &conn->rcv);
		ftcp_tcb_consume(&conn->tcb, ftcp_tcb_readable(&conn->tcb));
	}
	conn->sk = NULL;
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	if (error)
		WRITE_ONCE(sk->sk_err, -error);
	inet_sk_set_state(sk, TCP_CLOSE);
	if (error)
		sk_error_report(sk);
	sk->sk_state_change(sk);
}

static void closed(struct ftcp_conn *conn, int error)
{
	lockdep_assert_held(&conn->lock);
	if (conn->sk)
		detach(conn, error);
}

/* RFC 1122, 4.2.2.13, as Linux has it: who has shut down both directions is sent more. Nobody will read it, and the peer is to know. */
static bool refuse_more(struct ftcp_conn *conn)
{
	struct ftcp_sock *fs = ftcp_sk(conn->sk);

	if (fs->shut != SHUTDOWN_MASK || ftcp_tcb_rcv_data_end(&conn->tcb) <= fs->shut_rcv)
		return false;
	detach(conn, -ECONNRESET);
	ftcp_bytes_cut(&fs->rest, fs->shut_rcv);
	ftcp_tcb_abort(&conn->tcb);
	return true;
}

static void work(struct ftcp_conn *conn, const struct ftcp_env *env)
{
	lockdep_assert_held(&conn->lock);
	if (conn->tcb.hard.state == FTCP_TIME_WAIT) {
		conn->due_us = 0;
		closed(conn, 0);
		return;
	}
	if (conn->left) {
		after_program(conn, env);
		return;
	}
	if (!conn->sk)
		without_program(conn, env);
	if (conn->sk && !refuse_more(conn)) {
		pass_over(ftcp_sk(conn->sk));
		uncork(conn, env);
		tell(ftcp_sk(conn->sk));
	}
}

const struct ftcp_backend ftcp_socket = {
	.name = "socket",
	.work = work,
	.closed = closed,
	.admit = admit,
};

/* ---- a listener comes ---- */

static void offer(struct ftcp_conn *conn, void *service)
{
	if (conn->service != service)
		return;
	spin_lock_bh(&conn->lock);
	ftcp_conn_unlock(conn, 0);
}

void ftcp_sock_offer(struct ftcp_sock *listener)
{
	if (listener->recover && ftcp_group_speaks(listener->service->group))
		ftcp_group_walk(listener->service->group, offer, listener->service);
}
