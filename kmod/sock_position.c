// SPDX-License-Identifier: GPL-2.0
/* The options of <linux/ftcp_sock.h>: where a program stands in its streams, and what is to happen without it. */
#include "group.h"
#include "net.h"
#include "sock.h"
#include "sync.h"

/* ---- setting ---- */

static int consume(struct ftcp_sock *fs, u64 off)
{
	struct ftcp_tcb *tcb = &fs->conn->tcb;

	lockdep_assert_held(&fs->conn->lock);
	fs->explicit = true;
	if (off > ftcp_tcb_rcv_data_end(tcb))
		return -ERANGE;
	if (off <= tcb->hard.consumed)
		return 0;
	ftcp_tcb_consume(tcb, off - tcb->hard.consumed);
	fs->read_off = max(fs->read_off, off);
	return 0;
}

static int seek_read(struct ftcp_sock *fs, u64 off)
{
	const struct ftcp_hard *hard = &fs->conn->tcb.hard;

	lockdep_assert_held(&fs->conn->lock);
	if (off < hard->consumed || off > hard->rcv_edge)
		return -ERANGE;
	fs->read_off = off;
	fs->told_rcv = 0;	/* what lies there may be news */
	return 0;
}

static int seek_write(struct ftcp_sock *fs, u64 off)
{
	lockdep_assert_held(&fs->conn->lock);
	if (off > ftcp_tcb_data_end(&fs->conn->tcb))
		return -ERANGE;
	fs->write_off = off;
	return 0;
}

static int set_offset(struct ftcp_sock *fs, int name, u64 off)
{
	struct ftcp_conn *conn = fs->conn;
	int err = -ENOTCONN;

	if (!conn) {
		/* For what will be accepted. */
		if (name != FTCP_CONSUME || off)
			return -ENOTCONN;
		fs->explicit = true;
		return 0;
	}
	spin_lock_bh(&conn->lock);
	if (ftcp_sock_attached(fs))
		err = name == FTCP_CONSUME ? consume(fs, off) : name == FTCP_SEEK_READ ? seek_read(fs, off) : seek_write(fs, off);
	ftcp_conn_unlock(conn, 0);
	return err;
}

static int set_group(struct ftcp_sock *fs, sockptr_t value, unsigned int len)
{
	char name[FTCP_GROUP_NAME_MAX] = "";

	if (len >= sizeof(name))
		return -EINVAL;
	if (copy_from_sockptr(name, value, len))
		return -EFAULT;
	if (fs->conn || fs->service)
		return -EISCONN;
	memcpy(fs->group, name, sizeof(name));
	return 0;
}

static int set_recover(struct ftcp_sock *fs, int on)
{
	if (fs->conn)
		return -EISCONN;
	WRITE_ONCE(fs->recover, !!on);
	if (fs->recover && fs->service)
		ftcp_sock_offer(fs);
	return 0;
}

static int set_persist(struct ftcp_sock *fs, u32 ms)
{
	if (ms > FTCP_PERSIST_MS_MAX)
		return -ERANGE;
	if (!fs->conn) {
		fs->persist_ms = ms;
		return 0;
	}
	spin_lock_bh(&fs->conn->lock);
	fs->persist_ms = ms;
	spin_unlock_bh(&fs->conn->lock);
	return 0;
}

static int set_locked(struct ftcp_sock *fs, int name, sockptr_t value, unsigned int len)
{
	u64 off;
	u32 word;

	switch (name) {
	case FTCP_GROUP:
		return set_group(fs, value, len);
	case FTCP_RECOVER:
	case FTCP_PERSIST:
		if (len != sizeof(word))
			return -EINVAL;
		if (copy_from_sockptr(&word, value, sizeof(word)))
			return -EFAULT;
		return name == FTCP_RECOVER ? set_recover(fs, word) : set_persist(fs, word);
	case FTCP_CONSUME:
	case FTCP_SEEK_READ:
	case FTCP_SEEK_WRITE:
		if (len != sizeof(off))
			return -EINVAL;
		if (copy_from_sockptr(&off, value, sizeof(off)))
			return -EFAULT;
		return set_offset(fs, name, off);
	default:
		return -ENOPROTOOPT;
	}
}

int ftcp_sock_set_position(struct sock *sk, int name, sockptr_t value, unsigned int len)
{
	int err;

	lock_sock(sk);
	err = set_locked(ftcp_sk(sk), name, value, len);
	release_sock(sk);
	return err;
}

/* ---- getting ---- */

static u32 info_flags(const struct ftcp_sock *fs)
{
	const struct ftcp_conn *conn = fs->conn;
	u8 hard = conn->tcb.hard.flags;

	return (conn->recovered ? FTCP_INFO_RECOVERED : 0) | (hard & FTCP_HARD_RCV_FIN ? FTCP_INFO_RCV_FIN : 0) |
	       (hard & FTCP_HARD_SND_FIN ? FTCP_INFO_SND_FIN : 0) | (fs->explicit ? FTCP_INFO_EXPLICIT : 0) |
	       (READ_ONCE(conn->group->role) == FTCP_ROLE_PRIMARY && conn->tcb.soft.committed.known ? FTCP_INFO_PROTECTED : 0);
}

static void fill_info(const struct ftcp_sock *fs, struct ftcp_info *info)
{
	const struct ftcp_tcb *tcb = &fs->conn->tcb;

	lockdep_assert_held(&fs->conn->lock);
	*info = (struct ftcp_info) {
		.id = (u64)tcb->hard.iss << 32 | tcb->hard.irs,
		.epoch = READ_ONCE(fs->conn->group->epoch),
		.consumed = tcb->hard.consumed,
		.read = fs->read_off,
		.readable = ftcp_sock_readable_end(fs),
		.write = fs->write_off,
		.written = ftcp_tcb_data_end(tcb),
		.acked = min(tcb->hard.snd_una, ftcp_tcb_data_end(tcb)),
		.committed_in = min(tcb->soft.committed.rcv, ftcp_tcb_rcv_data_end(tcb)),
		.committed_out = min(tcb->soft.committed.snd, ftcp_tcb_data_end(tcb)),
		.flags = info_flags(fs),
		.state = ftcp_sock_attached(fs) ? tcb->hard.state : TCP_CLOSE,
	};
}

static int get_locked(struct ftcp_sock *fs, int name, void *data, int *len)
{
	struct ftcp_info info;
	u64 off;

	switch (name) {
	case FTCP_GROUP:
		*len = strlen(fs->group) + 1;
		memcpy(data, fs->group, *len);
		return 0;
	case FTCP_RECOVER:
	case FTCP_PERSIST:
		*len = sizeof(u32);
		*(u32 *)data = name == FTCP_RECOVER ? fs->recover : fs->persist_ms;
		return 0;
	case FTCP_INFO:
	case FTCP_CONSUME:
	case FTCP_SEEK_READ:
	case FTCP_SEEK_WRITE:
		break;
	default:
		return -ENOPROTOOPT;
	}
	if (!fs->conn)
		return -ENOTCONN;
	spin_lock_bh(&fs->conn->lock);
	fill_info(fs, &info);
	spin_unlock_bh(&fs->conn->lock);
	if (name == FTCP_INFO) {
		*len = sizeof(info);
		memcpy(data, &info, sizeof(info));
		return 0;
	}
	off = name == FTCP_CONSUME ? info.consumed : name == FTCP_SEEK_READ ? info.read : info.write;
	*len = sizeof(off);
	memcpy(data, &off, sizeof(off));
	return 0;
}

int ftcp_sock_get_position(struct sock *sk, int name, char __user *value, int __user *len_user)
{
	u8 data[sizeof(struct ftcp_info)] __aligned(8);
	int len, have = 0, err;

	BUILD_BUG_ON(sizeof(data) < FTCP_GROUP_NAME_MAX);
	if (get_user(len, len_user))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	lock_sock(sk);
	err = get_locked(ftcp_sk(sk), name, data, &have);
	release_sock(sk);
	if (err)
		return err;
	len = min(len, have);
	if (put_user(len, len_user) || copy_to_user(value, data, len))
		return -EFAULT;
	return 0;
}
