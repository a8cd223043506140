// SPDX-License-Identifier: GPL-2.0
/*
 * The port of a socket, and listen(): the moment at which a socket becomes a service.
 *
 * A port is had by binding a socket of the kernel's own TCP to it: its rules about who may share what with whom apply, between our sockets and
 * with all others, and it finds a free port where none is asked for. That socket never listens; packets come to us by the hook.
 */
#include <net/ip.h>
#include <net/ipv6.h>
#include "backend.h"
#include "net.h"
#include "service.h"
#include "sock.h"

static int bind4(struct sock *sk, struct socket *port, u16 number)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(number),
		.sin_addr.s_addr = inet_sk(sk)->inet_rcv_saddr,
	};

	return kernel_bind(port, (struct sockaddr *)&addr, sizeof(addr));
}

static int bind6(struct sock *sk, struct socket *port, u16 number)
{
	struct sockaddr_in6 addr = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(number),
		.sin6_addr = sk->sk_v6_rcv_saddr,
		.sin6_scope_id = sk->sk_bound_dev_if,
	};

	port->sk->sk_ipv6only = sk->sk_ipv6only;
	return kernel_bind(port, (struct sockaddr *)&addr, sizeof(addr));
}

/* An address that is to be ours only after a takeover can be bound by who has said IP_FREEBIND, as always. */
static void copy_rules(const struct sock *sk, struct socket *port)
{
	port->sk->sk_reuse = sk->sk_reuse;
	port->sk->sk_reuseport = sk->sk_reuseport;
	port->sk->sk_bound_dev_if = sk->sk_bound_dev_if;
	ip_sock_set_freebind(port->sk);
}

/* What a service that this socket makes is like. */
static void describe(const struct sock *sk, struct ftcp_service *conf)
{
	const struct inet_sock *inet = inet_sk(sk);

	ftcp_service_defaults(conf);
	conf->backend = &ftcp_socket;
	conf->by_listen = true;
	conf->listener_comes = true;
	conf->nagle = true;	/* as sockets have it; each connection's options say what it wants */
	conf->port = inet->inet_num;
	if (sk->sk_family == AF_INET6) {
		conf->addr = sk->sk_v6_rcv_saddr;
		conf->v6only = ipv6_addr_any(&conf->addr) && ipv6_only_sock(sk);
	} else {
		ipv6_addr_set_v4mapped(inet->inet_rcv_saddr, &conf->addr);
	}
	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK)
		conf->rcv_buf_bytes = clamp_t(u32, sk->sk_rcvbuf, 4096, FTCP_RCV_BUF_BYTES);
	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK)
		conf->snd_buf_bytes = clamp_t(u32, sk->sk_sndbuf, 4096, FTCP_SND_BUF_BYTES);
}

/* Which clients a socket of that address takes. */
static void families(const struct sock *sk, const struct ftcp_service *conf, bool *v4, bool *v6)
{
	*v4 = sk->sk_family == AF_INET || ipv6_addr_v4mapped(&conf->addr) || (ipv6_addr_any(&conf->addr) && !conf->v6only);
	*v6 = sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&conf->addr);
}

static bool listened(struct sock *sk)
{
	struct ftcp_service conf;
	bool v4, v6;

	describe(sk, &conf);
	families(sk, &conf, &v4, &v6);
	return ftcp_service_listened(ftcp_net(sock_net(sk)), &conf, v4, v6);
}

/* Called with the socket locked, by inet_bind() when it has found the address to be good, and by listen(). */
int ftcp_sock_get_port(struct sock *sk, unsigned short number)
{
	struct ftcp_sock *fs = ftcp_sk(sk);
	struct socket *port;
	int err;

	if (fs->port)
		return 0;
	err = sock_create_kern(sock_net(sk), sk->sk_family, SOCK_STREAM, IPPROTO_TCP, &port);
	if (err)
		return err;
	copy_rules(sk, port);
	err = sk->sk_family == AF_INET6 ? bind6(sk, port, number) : bind4(sk, port, number);
	if (err) {
		sock_release(port);
		return err;
	}
	inet_sk(sk)->inet_num = inet_sk(port->sk)->inet_num;
	/* Who listens shares the port with nobody; the socket that keeps it does not listen. */
	if (listened(sk)) {
		inet_sk(sk)->inet_num = 0;
		sock_release(port);
		return -EADDRINUSE;
	}
	fs->port = port;
	return 0;
}

/* ---- listen ---- */

static int become_service(struct sock *sk)
{
	struct ftcp_sock *fs = ftcp_sk(sk);
	struct ftcp_service conf, *service;
	bool may_add = ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN), v4, v6;

	fs->admin = may_add;
	describe(sk, &conf);
	families(sk, &conf, &v4, &v6);
	spin_lock_bh(&fs->queue_lock);
	fs->queue_open = true;
	spin_unlock_bh(&fs->queue_lock);
	service = ftcp_service_listen(ftcp_net(sock_net(sk)), fs->group[0] ? fs->group : NULL, &conf, fs, v4, v6, may_add);
	if (IS_ERR(service)) {
		ftcp_sock_flush_queue(fs);
		return PTR_ERR(service);
	}
	fs->service = service;
	return 0;
}

static int start(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);
	int err;

	/* Who is to be kept out would come in: connections are not looked at for their device, nor by a socket's filter. */
	if (sk->sk_bound_dev_if || rcu_access_pointer(sk->sk_filter))
		return -EOPNOTSUPP;
	if (!inet->inet_num && ftcp_sock_get_port(sk, 0))
		return -EADDRINUSE;
	inet->inet_sport = htons(inet->inet_num);
	err = become_service(sk);
	if (err)
		return err;
	inet_sk_set_state(sk, TCP_LISTEN);
	ftcp_sock_offer(ftcp_sk(sk));
	return 0;
}

int ftcp_sock_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err = 0;

	lock_sock(sk);
	if (sock->state != SS_UNCONNECTED || (sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN)) {
		err = -EINVAL;
	} else {
		WRITE_ONCE(sk->sk_max_ack_backlog, backlog);
		if (sk->sk_state == TCP_CLOSE)
			err = start(sk);
	}
	release_sock(sk);
	return err;
}

void ftcp_sock_unlisten(struct ftcp_sock *fs)
{
	ftcp_service_unlisten(fs->service, fs);
	fs->service = NULL;
	ftcp_sock_flush_queue(fs);
}
