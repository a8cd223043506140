/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets: how programs get at connections. A listening socket is (one half of) a service; what it accepts is a connection of its own.
 *
 *	sock.c		the socket type: its birth and its end
 *	sock_bind.c	the port, and listen()
 *	sock_accept.c	the queue of a listening socket
 *	sock_conn.c	what connections tell their sockets: the backend "socket"
 *	sock_read.c, sock_write.c, sock_poll.c
 *	sock_option.c	TCP's options; sock_position.c: those of <linux/ftcp_sock.h>
 *
 * Locking: lock_sock() protects what a program does with its socket, and is taken before conn->lock (net.h). Callbacks from a connection run under its
 * conn->lock, never with the socket's: sk_shutdown and sk_err are written under conn->lock once there is a connection. Whether a socket still has
 * its connection is ftcp_sock_attached(), under conn->lock; without it what was received before the end is in ->rest.
 */
#ifndef FTCP_SOCK_H
#define FTCP_SOCK_H

#include <linux/ipv6.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <net/inet_sock.h>
#include <net/sock.h>
#include <linux/ftcp_sock.h>
#include "bytes.h"
#include "conn.h"

struct ftcp_sock {
	struct inet_sock inet;		/* first */
	struct socket *port;		/* a socket of the kernel's TCP, bound to the same: nobody else gets the port. Under lock_sock() */
	struct ftcp_service *service;	/* listening: with a reference; under lock_sock() */
	struct ftcp_conn *conn;		/* with a reference, from before accept() to the end: never changes */

	/* Listening: what waits for accept(). Under queue_lock, BH, innermost. */
	spinlock_t queue_lock;
	struct list_head queue;		/* struct ftcp_sock.queue_node */
	bool queue_open;
	bool admin;			/* may have what other users' programs have left; as it was when it began to listen */
	struct list_head queue_node;	/* in the listener's queue, under its queue_lock */

	/* Under conn->lock, once there is a connection. */
	u64 read_off;			/* next byte to be read; above what has come: passed over when it comes */
	u64 write_off;			/* next byte to be written; below what was written: to be compared */
	bool explicit;			/* reading does not consume */
	struct ftcp_bytes rest;		/* input that is left when the connection is not */
	u64 told_rcv;			/* the program was woken for input up to here */
	u64 shut_rcv;			/* what had come when both directions were shut down; under conn->lock */
	bool told_fin;			/* the program was told that input has ended; READ_ONCE */
	bool more;			/* the last write said MSG_MORE */
	u8 shut;			/* what the program has shut down */

	/* Options, inherited by what is accepted. Under lock_sock(); under conn->lock, too, where there is a connection. */
	bool nodelay;
	bool cork;
	bool recover;
	u16 user_mss;
	u8 keepalive_probes;		/* 0: default */
	u8 congestion;
	bool congestion_given;		/* else it is the service's */
	u16 keepalive_idle_s;
	u16 keepalive_interval_s;
	u16 defer_s;
	u32 user_timeout_ms;
	u32 persist_ms;
	char group[FTCP_GROUP_NAME_MAX];	/* "": not said */

	char comm[TASK_COMM_LEN];	/* who accepted it, as it was called then; under conn->lock */
	pid_t pid;			/* 0: not yet accepted */
};

struct ftcp_sock6 {
	struct ftcp_sock fs;
	struct ipv6_pinfo inet6;	/* last: inet6_create() finds it there */
};

static inline struct ftcp_sock *ftcp_sk(const struct sock *sk)
{
	return (struct ftcp_sock *)sk;
}

static inline struct sock *ftcp_sock_sk(struct ftcp_sock *fs)
{
	return &fs->inet.sk;
}

/** ftcp_sock_attached() - conn->lock held: does the socket (one that was accepted, or waits for it) still have its connection? */
static inline bool ftcp_sock_attached(const struct ftcp_sock *fs)
{
	lockdep_assert_held(&fs->conn->lock);
	return fs->conn->sk == &fs->inet.sk;
}

/** ftcp_sock_readable_end() - conn->lock held: end of the input that can be read */
u64 ftcp_sock_readable_end(const struct ftcp_sock *fs);
/** ftcp_sock_readable() - conn->lock held: bytes that can be read */
u64 ftcp_sock_readable(const struct ftcp_sock *fs);
/** ftcp_sock_room_matters() - as sk_stream_is_writeable(): a third of the buffer is free, or a writer would be woken for every byte */
static inline bool ftcp_sock_room_matters(u64 used_bytes, u64 buf_bytes)
{
	return used_bytes < buf_bytes && buf_bytes - used_bytes >= used_bytes / 2;
}

/** ftcp_sock_writable() - conn->lock held: enough room for a program to be told of? */
bool ftcp_sock_writable(const struct ftcp_sock *fs);

int ftcp_sock_register(void);
void ftcp_sock_unregister(void);

/* sock.c */
/** ftcp_sock_leave() - the program is done with an accepted socket, or never came for it: the connection is closed, aborted or left to the next */
void ftcp_sock_leave(struct ftcp_sock *fs);
/** ftcp_sock_free_child() - one that was never accepted */
void ftcp_sock_free_child(struct ftcp_sock *child);

/* sock_bind.c */
int ftcp_sock_get_port(struct sock *sk, unsigned short port);
int ftcp_sock_listen(struct socket *sock, int backlog);
void ftcp_sock_unlisten(struct ftcp_sock *fs);

/* sock_accept.c */
/**
 * ftcp_sock_seat() - conn->lock held, in BH: a socket for @conn, in @listener's queue
 *
 * -ENOMEM; -ENOTCONN when @listener has just been closed. Nothing has changed then.
 */
int ftcp_sock_seat(struct ftcp_conn *conn, struct ftcp_sock *listener);
int ftcp_sock_accept(struct sock *sk, struct socket *newsock, int flags);
/** ftcp_sock_flush_queue() - nothing gets in any more, and what is there is left */
void ftcp_sock_flush_queue(struct ftcp_sock *listener);

/* sock_conn.c */
/** ftcp_sock_offer() - process context: connections of @listener's service that wait for a program are offered to it */
void ftcp_sock_offer(struct ftcp_sock *listener);

/* sock_read.c, sock_write.c, sock_poll.c: as struct proto_ops has them */
int ftcp_sock_recvmsg(struct socket *sock, struct msghdr *msg, size_t len, int flags);
int ftcp_sock_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
ssize_t ftcp_sock_sendpage(struct socket *sock, struct page *page, int offset, size_t size, int flags);
__poll_t ftcp_sock_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait);
int ftcp_sock_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg);
void ftcp_sock_write_space(struct sock *sk);

/** ftcp_sock_wait() - sleep, with the socket unlocked, until something happens to it; @wait is on its queue since before the last look at it */
void ftcp_sock_wait(struct sock *sk, struct wait_queue_entry *wait, long *timeout);

/* sock_option.c */
int ftcp_sock_setsockopt(struct sock *sk, int level, int name, sockptr_t value, unsigned int len);
int ftcp_sock_getsockopt(struct sock *sk, int level, int name, char __user *value, int __user *len);
/** ftcp_sock_apply_options() - conn->lock held, from outside the core: what a new socket's options mean for its connection */
void ftcp_sock_apply_options(struct ftcp_sock *fs);
/** ftcp_sock_buffers() - conn->lock held: SO_RCVBUF and SO_SNDBUF, which nobody tells us of */
void ftcp_sock_buffers(struct ftcp_sock *fs);
void ftcp_sock_keepalive(struct sock *sk, int on);

/* sock_position.c */
int ftcp_sock_set_position(struct sock *sk, int name, sockptr_t value, unsigned int len);
int ftcp_sock_get_position(struct sock *sk, int name, char __user *value, int __user *len);

#endif
