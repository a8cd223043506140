// SPDX-License-Identifier: GPL-2.0
/* Reading, as tcp_recvmsg() does it. One copy: from the packets or pages that the bytes came in, into the program. */
#include "compat.h"
#include "sock.h"

#define PIECES_MAX 32

/* A read on its way. @off is where it stands: a peek does not move the socket. */
struct read {
	struct sock *sk;
	struct msghdr *msg;
	u64 off;
	size_t left;
	size_t copied;
	u64 seen;		/* end of what could be read at the last look */
	int flags;
};

/* The program has @n bytes more from where it reads. */
static void advance(struct ftcp_sock *fs, u32 n)
{
	struct ftcp_conn *conn = fs->conn;

	spin_lock_bh(&conn->lock);
	fs->read_off += n;
	if (ftcp_sock_attached(fs)) {
		ftcp_tcb_read(&conn->tcb, fs->explicit ? 0 : n);
		ftcp_sock_buffers(fs);
		ftcp_conn_unlock_read(conn);
	} else {
		ftcp_bytes_drop(&fs->rest, fs->read_off);
		spin_unlock_bh(&conn->lock);
	}
}

static u32 take_pieces(struct read *r, struct ftcp_piece *pieces)
{
	struct ftcp_sock *fs = ftcp_sk(r->sk);
	struct ftcp_conn *conn = fs->conn;
	const struct ftcp_bytes *bytes;
	u32 n = 0;

	spin_lock_bh(&conn->lock);
	if (!(r->flags & MSG_PEEK))
		r->off = fs->read_off;	/* another thread may have read meanwhile */
	bytes = ftcp_sock_attached(fs) ? &conn->rcv : &fs->rest;
	r->seen = ftcp_sock_readable_end(fs);
	if (r->seen > r->off)
		n = ftcp_bytes_pieces(bytes, r->off, min_t(u64, r->seen - r->off, r->left), pieces, PIECES_MAX);
	spin_unlock_bh(&conn->lock);
	return n;
}

/* Bytes that reached the program, 0 if there are none; -EFAULT. MSG_TRUNC: they are thrown away. */
static int copy_some(struct read *r)
{
	struct ftcp_piece pieces[PIECES_MAX] ftcp_compat_uninitialized;
	u32 n = take_pieces(r, pieces), i, done = 0;
	bool fault = false;

	for (i = 0; i < n; i++) {
		struct ftcp_piece *piece = &pieces[i];
		u32 copied = piece->len;

		/* Not copy_page_to_iter(): it would give a pipe the page itself, as one of a file's, which it is not. */
		if (!fault && !(r->flags & MSG_TRUNC))
			copied = copy_to_iter(piece->data, piece->len, &r->msg->msg_iter);
		if (!fault)
			done += copied;
		fault = fault || copied < piece->len;
		ftcp_piece_put(piece);
	}
	if (!done)
		return fault ? -EFAULT : 0;
	r->off += done;
	r->left -= done;
	r->copied += done;
	if (!(r->flags & MSG_PEEK))
		advance(ftcp_sk(r->sk), done);
	return done;
}

/* Nothing is there. 0: sleep; 1: that is the end of this read; or an error. */
static int give_up(struct read *r, long timeout)
{
	struct sock *sk = r->sk;

	if (r->copied)
		return sk->sk_err || sk->sk_state == TCP_CLOSE || (sk->sk_shutdown & RCV_SHUTDOWN) || !timeout || signal_pending(current);
	if (READ_ONCE(ftcp_sk(sk)->told_fin))
		return 1;
	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return 1;
	if (!timeout)
		return -EAGAIN;
	return signal_pending(current) ? sock_intr_errno(timeout) : 0;
}

/* Even who wants no byte waits for one, as with TCP. */
static bool something(struct read *r)
{
	struct ftcp_sock *fs = ftcp_sk(r->sk);
	bool result;

	spin_lock_bh(&fs->conn->lock);
	result = ftcp_sock_readable_end(fs) > r->off;
	spin_unlock_bh(&fs->conn->lock);
	return result;
}

static int read_locked(struct read *r, size_t target, long timeout)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sock *sk = r->sk;
	bool waits = false;
	int err = 0;

	for (;;) {
		err = copy_some(r);
		if (err > 0 && r->left && (r->off < r->seen || r->copied < target))
			continue;
		if (err || r->copied >= target || (!r->left && something(r)))
			break;
		err = give_up(r, timeout);
		if (err)
			break;
		if (waits)
			ftcp_sock_wait(sk, &wait, &timeout);
		else
			add_wait_queue(sk_sleep(sk), &wait);	/* and look again: who came before was not heard */
		waits = true;
	}
	if (waits)
		remove_wait_queue(sk_sleep(sk), &wait);
	return err < 0 ? err : 0;
}

int ftcp_sock_recvmsg(struct socket *sock, struct msghdr *msg, size_t len, int flags)
{
	struct sock *sk = sock->sk;
	struct ftcp_sock *fs = ftcp_sk(sk);
	struct read r = { .sk = sk, .msg = msg, .left = len, .flags = flags };
	int err;

	if (flags & MSG_ERRQUEUE)
		return -EAGAIN;
	lock_sock(sk);
	msg->msg_namelen = 0;
	if (!fs->conn)
		err = -ENOTCONN;
	else if (flags & MSG_OOB)
		err = -EINVAL;		/* urgent data is read in line (RFC 6093, 4) */
	else {
		if (!len || (flags & MSG_PEEK)) {
			spin_lock_bh(&fs->conn->lock);
			r.off = fs->read_off;
			spin_unlock_bh(&fs->conn->lock);
		}
		err = read_locked(&r, sock_rcvlowat(sk, flags & MSG_WAITALL, len), sock_rcvtimeo(sk, flags & MSG_DONTWAIT));
	}
	release_sock(sk);
	return r.copied ? r.copied : err;
}
