// SPDX-License-Identifier: GPL-2.0
/* Writing, as tcp_sendmsg() does it. One copy: from the program to pages that go out as they are, in segments of 64 KiB. */
#include <net/sock.h>
#include "compat.h"
#include "group.h"
#include "sock.h"

/* What is copied before it is sent: less waits longer for a first segment, more for nothing. */
#define STEP_MAX_BYTES (2 * FTCP_SEGMENT_MAX_BYTES)

void ftcp_sock_write_space(struct sock *sk)
{
	struct socket *sock = READ_ONCE(sk->sk_socket);

	smp_mb();	/* with the one in poll_attached(): whoever saw no room has set the bit, or sees it now */
	if (!sock || !test_bit(SOCK_NOSPACE, &sock->flags))
		return;
	clear_bit(SOCK_NOSPACE, &sock->flags);
	rcu_read_lock();
	if (skwq_has_sleeper(rcu_dereference(sk->sk_wq)))
		wake_up_interruptible_poll(&rcu_dereference(sk->sk_wq)->wait, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	if (!(sk->sk_shutdown & SEND_SHUTDOWN))
		sk_wake_async(sk, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}

/* ---- what was written before (FTCP_SEEK_WRITE) ---- */

#define COMPARE_BYTES 256

/* Is what the program writes at write_off what stands there? What the client has acknowledged is there no more. Bytes taken, or -EILSEQ. */
static int compare(struct ftcp_sock *fs, const u8 *data, u32 n)
{
	struct ftcp_conn *conn = fs->conn;
	u8 held[COMPARE_BYTES];
	u32 gone, same;

	spin_lock_bh(&conn->lock);
	gone = min_t(u64, n, max(conn->snd.start, fs->write_off) - fs->write_off);
	if (ftcp_bytes_copy(&conn->snd, fs->write_off + gone, held, n - gone))
		gone = n;	/* the connection is over, and its bytes with it */
	for (same = gone; same < n && held[same - gone] == data[same]; same++)
		;
	fs->write_off += same;
	spin_unlock_bh(&conn->lock);
	return same ? same : -EILSEQ;
}

/* @ahead bytes from where the program writes to the end of what was written. Bytes that were recognised, or an error. */
static int recognise(struct ftcp_sock *fs, struct msghdr *msg, u64 ahead)
{
	u8 data[COMPARE_BYTES];
	u32 n = min_t(size_t, sizeof(data), msg_data_left(msg));
	int same;

	n = min_t(u64, n, ahead);
	if (copy_from_iter(data, n, &msg->msg_iter) < n)
		return -EFAULT;
	same = compare(fs, data, n);
	if (same != n)
		iov_iter_revert(&msg->msg_iter, n - max(same, 0));
	return same;
}

/* ---- what is new ---- */

/* conn->lock held: bytes that fit behind what was written */
static u64 fits(struct ftcp_sock *fs)
{
	if (!ftcp_sock_attached(fs))
		return 0;
	ftcp_sock_buffers(fs);
	return ftcp_tcb_writable(&fs->conn->tcb);
}

/* Room for what is new; *@ahead: what was written before, from where the program writes now. */
static u64 room(struct ftcp_sock *fs, u64 *ahead)
{
	u64 result;

	spin_lock_bh(&fs->conn->lock);
	*ahead = ftcp_tcb_data_end(&fs->conn->tcb) - fs->write_off;
	result = fits(fs);
	/* What every probe of a closed window frees is not worth a wakeup, nor a segment. */
	if (result < fs->conn->tcb.hard.snd_buf_bytes / 16)
		result = 0;
	spin_unlock_bh(&fs->conn->lock);
	return result;
}

/*
 * Does nothing follow from what was written, as yet? sendfile() comes with the next page at once: it goes with this one, and so on for a whole segment.
 * And less than a packet stays under its cork. The timer that uncorks is set since the first.
 */
static bool may_lie(const struct ftcp_conn *conn, const struct msghdr *msg)
{
	const struct ftcp_tcb *tcb = &conn->tcb;
	u64 unsent = ftcp_tcb_data_end(tcb) - tcb->soft.snd_nxt;

	if (!conn->due_us)
		return false;
	if (tcb->soft.corked && unsent < tcb->soft.cong.mss_bytes && ftcp_conn_is_alone(conn))
		return true;
	return (msg->msg_flags & FTCP_COMPAT_NOTLAST) && unsent < FTCP_SEGMENT_MAX_BYTES;
}

/* @bytes, which @msg had, to the end of the stream, if there is one still, the program's place is there, and they fit. */
static int append(struct ftcp_sock *fs, struct ftcp_bytes *bytes, struct msghdr *msg)
{
	bool more = msg_data_left(msg) || (msg->msg_flags & MSG_MORE);
	struct ftcp_conn *conn = fs->conn;
	struct ftcp_tcb *tcb = &conn->tcb;
	int err = -EPIPE;
	u32 n = bytes->held;

	spin_lock_bh(&conn->lock);
	if (fits(fs) >= n && fs->write_off == ftcp_tcb_data_end(tcb)) {
		ftcp_bytes_put_last(&conn->snd, fs->write_off, bytes);
		ftcp_tcb_append(tcb, n);
		fs->write_off += n;
		tcb->soft.corked = more || fs->cork;
		tcb->soft.more_at_once = msg_data_left(msg) || (more && !user_backed_iter(&msg->msg_iter));	/* sendfile() */
		if (!tcb->soft.corked)
			conn->due_us = 0;
		err = 0;
	}
	if (!err && may_lie(conn, msg))
		spin_unlock_bh(&conn->lock);
	else
		ftcp_conn_unlock(conn, 0);
	ftcp_bytes_free(bytes);
	return err;
}

/* May what is written stay where it is? It may change there: not if a standby is to hold the same. */
static bool may_refer(const struct ftcp_sock *fs, const struct msghdr *msg)
{
	return iov_iter_is_bvec(&msg->msg_iter) && ftcp_conn_is_alone(fs->conn);
}

static u32 step_bytes(struct msghdr *msg, u64 most)
{
	return min_t(u64, min_t(u64, most, STEP_MAX_BYTES), msg_data_left(msg));
}

/* @most bytes by reference, all or none. Bytes taken; 0: they must be copied, or wait. */
static int append_pages(struct ftcp_sock *fs, struct msghdr *msg, u64 most)
{
	struct ftcp_bytes bytes;
	int n;

	if (!may_refer(fs, msg))
		return 0;
	n = ftcp_bytes_from_pages(&bytes, &msg->msg_iter, step_bytes(msg, most), GFP_KERNEL_ACCOUNT);
	if (n && append(fs, &bytes, msg)) {
		iov_iter_revert(&msg->msg_iter, n);
		return 0;
	}
	return n;
}

/* Bytes taken, or an error. */
static int append_some(struct ftcp_sock *fs, struct msghdr *msg, u64 space, bool splice)
{
	struct ftcp_bytes bytes;
	u32 n;
	int err;

	err = splice ? append_pages(fs, msg, space) : 0;
	if (err)
		return err;
	err = ftcp_bytes_from_iter(&bytes, &msg->msg_iter, step_bytes(msg, space), GFP_KERNEL_ACCOUNT);
	if (err <= 0)
		return err;
	n = err;
	err = append(fs, &bytes, msg);
	return err ? err : n;
}

static bool wants_no_more(const struct sock *sk)
{
	return sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN);
}

/* 0: there may be room now; or why not */
static int wait_for_room(struct sock *sk, long *timeout)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct ftcp_sock *fs = ftcp_sk(sk);
	u64 ahead;

	if (!*timeout) {
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		return -EAGAIN;
	}
	if (signal_pending(current))
		return sock_intr_errno(*timeout);
	add_wait_queue(sk_sleep(sk), &wait);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	smp_mb__after_atomic();		/* room that came before the bit was seen by nobody */
	if (!room(fs, &ahead) && !wants_no_more(sk))
		ftcp_sock_wait(sk, &wait, timeout);
	remove_wait_queue(sk_sleep(sk), &wait);
	return 0;
}

/* What there is room for; else waits for that. Bytes taken, or an error. */
static int write_some(struct sock *sk, struct msghdr *msg, bool splice, long *timeout)
{
	struct ftcp_sock *fs = ftcp_sk(sk);
	u64 space, ahead;

	space = room(fs, &ahead);
	if (ahead)
		return recognise(fs, msg, ahead);
	if (wants_no_more(sk))
		return -EPIPE;
	return space ? append_some(fs, msg, space, splice) : wait_for_room(sk, timeout);
}

static int write_locked(struct sock *sk, struct msghdr *msg, bool splice, size_t *copied)
{
	long timeout = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
	struct ftcp_sock *fs = ftcp_sk(sk);
	int err;

	while (msg_data_left(msg)) {
		/* For a page there mostly is room: it is tried before it is asked, which would take the lock twice. */
		err = splice && !wants_no_more(sk) ? append_pages(fs, msg, STEP_MAX_BYTES) : 0;
		if (!err)
			err = write_some(sk, msg, splice, &timeout);
		if (err < 0)
			return err;
		*copied += err;
	}
	return 0;
}

/* @splice: the bytes are somebody's pages, and may stay there */
static int sendmsg(struct sock *sk, struct msghdr *msg, size_t len, bool splice)
{
	struct ftcp_sock *fs = ftcp_sk(sk);
	size_t copied = 0;
	int err = 0;

	if (msg->msg_flags & (MSG_OOB | MSG_FASTOPEN | MSG_ZEROCOPY))
		return -EOPNOTSUPP;
	lock_sock(sk);
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	if (!fs->conn || (wants_no_more(sk) && !len))
		err = -EPIPE;
	else
		err = write_locked(sk, msg, splice, &copied);
	if (!copied && err)
		err = sk_stream_error(sk, msg->msg_flags, err);
	release_sock(sk);
	return copied ? copied : err;
}

int ftcp_sock_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	return sendmsg(sock->sk, msg, len, FTCP_COMPAT_SPLICES(msg));
}

ssize_t ftcp_sock_sendpage(struct socket *sock, struct page *page, int offset, size_t size, int flags)
{
	struct bio_vec bvec = { .bv_page = page, .bv_offset = offset, .bv_len = size };
	struct msghdr msg = { .msg_flags = flags };

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, &bvec, 1, size);
	return sendmsg(sock->sk, &msg, size, true);
}
