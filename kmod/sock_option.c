// SPDX-License-Identifier: GPL-2.0
/* TCP's options, as far as they mean something to a server's socket. Documentation/sockets.rst has the table. */
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "group.h"
#include "service.h"
#include "sock.h"

/* As TCP has them. */
#define KEEPALIVE_IDLE_S_MAX	32767
#define KEEPALIVE_INTERVAL_S_MAX 32767
#define KEEPALIVE_PROBES_MAX	127
#define DEFER_S_MAX		3600
#define USER_MSS_MAX		32767

static u64 keepalive_idle_us(const struct ftcp_sock *fs)
{
	return fs->keepalive_idle_s ? fs->keepalive_idle_s * FTCP_S_US : FTCP_KEEPALIVE_MS * FTCP_MS_US;
}

static void apply_keepalive(struct ftcp_sock *fs)
{
	struct ftcp_env env;

	lockdep_assert_held(&fs->conn->lock);
	ftcp_conn_env(fs->conn, &env);
	ftcp_tcb_keepalive(&fs->conn->tcb, &env, sock_flag(&fs->inet.sk, SOCK_KEEPOPEN) ? keepalive_idle_us(fs) : 0,
			   fs->keepalive_interval_s, fs->keepalive_probes);
}

void ftcp_sock_buffers(struct ftcp_sock *fs)
{
	const struct sock *sk = &fs->inet.sk;
	u32 rcv = sk->sk_userlocks & SOCK_RCVBUF_LOCK ? clamp_t(u32, READ_ONCE(sk->sk_rcvbuf), 4096, FTCP_RCV_BUF_BYTES) : 0;
	u32 snd = sk->sk_userlocks & SOCK_SNDBUF_LOCK ? clamp_t(u32, READ_ONCE(sk->sk_sndbuf), 4096, FTCP_SND_BUF_BYTES) : 0;

	lockdep_assert_held(&fs->conn->lock);
	if (rcv || snd)
		ftcp_tcb_buffers(&fs->conn->tcb, rcv, snd);
}

void ftcp_sock_apply_options(struct ftcp_sock *fs)
{
	struct ftcp_soft *soft = &fs->conn->tcb.soft;
	struct ftcp_env env;

	lockdep_assert_held(&fs->conn->lock);
	ftcp_conn_env(fs->conn, &env);
	soft->nagle = !fs->nodelay;
	if (fs->user_timeout_ms)
		soft->user_timeout_ms = fs->user_timeout_ms;
	if (fs->user_mss)
		ftcp_tcb_clamp_mss(&fs->conn->tcb, &env, fs->user_mss);
	if (fs->congestion_given && fs->congestion != soft->cong.algorithm)
		ftcp_cong_init(&soft->cong, soft->cong.mss_bytes, fs->congestion);
	ftcp_sock_buffers(fs);
	apply_keepalive(fs);
}

void ftcp_sock_keepalive(struct sock *sk, int on)
{
	struct ftcp_sock *fs = ftcp_sk(sk);

	/* sock_setsockopt() sets the flag afterwards. */
	sock_valbool_flag(sk, SOCK_KEEPOPEN, on);
	if (!fs->conn)
		return;
	spin_lock_bh(&fs->conn->lock);
	if (ftcp_sock_attached(fs))
		apply_keepalive(fs);
	ftcp_conn_unlock(fs->conn, 0);
}

/* ---- setting ---- */

static int set_congestion(struct ftcp_sock *fs, sockptr_t value, unsigned int len)
{
	char name[16] = "";
	long n;
	u8 i;

	if (len < 1)
		return -EINVAL;
	n = strncpy_from_sockptr(name, value, min_t(unsigned int, sizeof(name) - 1, len));
	if (n < 0)
		return -EFAULT;
	name[n] = 0;
	for (i = 0; i < __FTCP_CONG_MAX; i++)
		if (!strcmp(name, ftcp_cong_name(i))) {
			fs->congestion = i;
			fs->congestion_given = true;
			return 0;
		}
	return -ENOENT;
}

/* Options that only have to be kept, and to be in a range. -ENOPROTOOPT: none of them. */
static int set_number(struct ftcp_sock *fs, int name, int val)
{
	switch (name) {
	case TCP_NODELAY:
		fs->nodelay = !!val;
		return 0;
	case TCP_CORK:
		fs->cork = !!val;
		return 0;
	case TCP_KEEPIDLE:
		if (val < 1 || val > KEEPALIVE_IDLE_S_MAX)
			return -EINVAL;
		fs->keepalive_idle_s = val;
		return 0;
	case TCP_KEEPINTVL:
		if (val < 1 || val > KEEPALIVE_INTERVAL_S_MAX)
			return -EINVAL;
		fs->keepalive_interval_s = val;
		return 0;
	case TCP_KEEPCNT:
		if (val < 1 || val > KEEPALIVE_PROBES_MAX)
			return -EINVAL;
		fs->keepalive_probes = val;
		return 0;
	case TCP_USER_TIMEOUT:
		if (val < 0)
			return -EINVAL;
		fs->user_timeout_ms = val;
		return 0;
	case TCP_MAXSEG:
		if (val && (val < FTCP_MSS_MIN_BYTES || val > USER_MSS_MAX))
			return -EINVAL;
		fs->user_mss = val;
		return 0;
	case TCP_DEFER_ACCEPT:
		fs->defer_s = clamp(val, 0, DEFER_S_MAX);
		return 0;
	case TCP_QUICKACK:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* What has changed matters at once. */
static void apply_number(struct ftcp_sock *fs, int name, int val)
{
	struct ftcp_soft *soft = &fs->conn->tcb.soft;

	lockdep_assert_held(&fs->conn->lock);
	switch (name) {
	case TCP_NODELAY:
		soft->nagle = !fs->nodelay;
		if (fs->nodelay)
			soft->corked = false;
		break;
	case TCP_CORK:
		soft->corked = fs->cork;
		fs->conn->due_us = 0;
		break;
	case TCP_KEEPIDLE:
	case TCP_KEEPINTVL:
	case TCP_KEEPCNT:
		apply_keepalive(fs);
		break;
	case TCP_USER_TIMEOUT:
		soft->user_timeout_ms = val ? (u32)val : fs->conn->service->user_timeout_ms;
		break;
	case TCP_MAXSEG:
		ftcp_sock_apply_options(fs);
		break;
	case TCP_QUICKACK:
		soft->quick_acks = val ? FTCP_QUICK_ACKS : 0;
		soft->ack_now = soft->ack_now || (val && soft->timers.delayed_us);
		break;
	}
}

/* Nagle's algorithm and the cork are of matter to what has not been sent, and mostly there is nothing. */
static bool sends(const struct ftcp_sock *fs, int name)
{
	const struct ftcp_tcb *tcb = &fs->conn->tcb;

	return (name != TCP_NODELAY && name != TCP_CORK) || ftcp_tcb_data_end(tcb) > tcb->soft.snd_nxt;
}

static int set_tcp(struct sock *sk, int name, sockptr_t value, unsigned int len)
{
	struct ftcp_sock *fs = ftcp_sk(sk);
	int val, err;

	if (name == TCP_CONGESTION) {
		lock_sock(sk);
		err = set_congestion(fs, value, len);
		if (!err && fs->conn) {
			spin_lock_bh(&fs->conn->lock);
			if (ftcp_sock_attached(fs))
				ftcp_sock_apply_options(fs);
			spin_unlock_bh(&fs->conn->lock);
		}
		release_sock(sk);
		return err;
	}
	if (len < sizeof(int))
		return -EINVAL;
	if (copy_from_sockptr(&val, value, sizeof(val)))
		return -EFAULT;
	lock_sock(sk);
	err = set_number(fs, name, val);
	if (!err && fs->conn) {
		spin_lock_bh(&fs->conn->lock);
		if (ftcp_sock_attached(fs))
			apply_number(fs, name, val);
		if (sends(fs, name))
			ftcp_conn_unlock(fs->conn, 0);
		else
			spin_unlock_bh(&fs->conn->lock);
	}
	release_sock(sk);
	return err;
}

int ftcp_sock_setsockopt(struct sock *sk, int level, int name, sockptr_t value, unsigned int len)
{
	switch (level) {
	case SOL_TCP:
		return set_tcp(sk, name, value, len);
	case SOL_FTCP:
		return ftcp_sock_set_position(sk, name, value, len);
	default:
		if (sk->sk_family != AF_INET6)
			return ip_setsockopt(sk, level, name, value, len);
		/* It would make it a socket of the kernel's TCP. */
		if (level == SOL_IPV6 && name == IPV6_ADDRFORM)
			return -ENOPROTOOPT;
		return ipv6_setsockopt(sk, level, name, value, len);
	}
}

/* ---- getting ---- */

static void fill_options(const struct ftcp_hard *hard, struct tcp_info *info)
{
	if (hard->flags & FTCP_HARD_TS)
		info->tcpi_options |= TCPI_OPT_TIMESTAMPS;
	if (hard->flags & FTCP_HARD_SACK)
		info->tcpi_options |= TCPI_OPT_SACK;
	if (hard->flags & FTCP_HARD_ECN)
		info->tcpi_options |= TCPI_OPT_ECN;
	if (hard->flags & FTCP_HARD_WSCALE) {
		info->tcpi_options |= TCPI_OPT_WSCALE;
		info->tcpi_snd_wscale = hard->snd_wscale;
		info->tcpi_rcv_wscale = hard->rcv_wscale;
	}
}

static u32 packets(u64 bytes, u32 mss_bytes)
{
	return div_u64(bytes + mss_bytes - 1, mss_bytes);
}

static u32 since_ms(u64 now_us, u64 then_us)
{
	return min_t(u64, div_u64(now_us - min(then_us, now_us), FTCP_MS_US), U32_MAX);
}

static void fill_info(const struct ftcp_conn *conn, struct tcp_info *info)
{
	const struct ftcp_hard *hard = &conn->tcb.hard;
	const struct ftcp_soft *soft = &conn->tcb.soft;
	u32 mss = max(soft->cong.mss_bytes, 1u);
	struct ftcp_env env;

	ftcp_conn_env(conn, &env);
	fill_options(hard, info);
	info->tcpi_ca_state = soft->recovering == FTCP_RECOVERY_FAST ? TCP_CA_Recovery :
			      soft->recovering == FTCP_RECOVERY_TIMEOUT ? TCP_CA_Loss : TCP_CA_Open;
	info->tcpi_retransmits = min_t(u32, soft->rexmits, U8_MAX);
	info->tcpi_probes = min_t(u32, soft->persists, U8_MAX);
	info->tcpi_backoff = min_t(u32, soft->rexmits, U8_MAX);
	info->tcpi_rto = min_t(u64, ftcp_rtt_backoff_us(&soft->rtt, soft->backoff), U32_MAX);
	info->tcpi_ato = FTCP_ACK_DELAY_US;
	info->tcpi_snd_mss = mss;
	info->tcpi_rcv_mss = soft->rcv_mss_bytes;
	info->tcpi_unacked = packets(soft->snd_nxt - hard->snd_una, mss);
	info->tcpi_sacked = packets(ftcp_ranges_bytes(&soft->sacked, hard->snd_una), mss);
	info->tcpi_last_data_sent = since_ms(env.now_us, soft->last_sent_us);
	info->tcpi_last_data_recv = since_ms(env.now_us, soft->last_heard_us);
	info->tcpi_last_ack_recv = since_ms(env.now_us, soft->progress_us);
	info->tcpi_pmtu = soft->mtu_mss_bytes + sizeof(struct tcphdr) + (ftcp_conn_is_v4(conn) ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
	info->tcpi_rtt = soft->rtt.srtt_us;
	info->tcpi_rttvar = soft->rtt.rttvar_us;
	info->tcpi_min_rtt = soft->rtt.min_us ?: ~0u;
	info->tcpi_snd_cwnd = packets(soft->cong.cwnd_bytes, mss);
	info->tcpi_snd_ssthresh = min_t(u32, soft->cong.ssthresh_bytes, INT_MAX) / mss;
	info->tcpi_advmss = soft->mtu_mss_bytes;
	info->tcpi_rcv_space = hard->rcv_buf_bytes;
	info->tcpi_total_retrans = soft->rexmit_total;
	info->tcpi_bytes_acked = hard->snd_una;
	info->tcpi_bytes_received = hard->rcv_nxt;
	info->tcpi_notsent_bytes = ftcp_tcb_data_end(&conn->tcb) > soft->snd_nxt ? ftcp_tcb_data_end(&conn->tcb) - soft->snd_nxt : 0;
	info->tcpi_segs_in = conn->segs_in;
	info->tcpi_segs_out = conn->segs_out;
	info->tcpi_bytes_retrans = conn->rexmit_bytes;
	info->tcpi_snd_wnd = hard->snd_wnd;
	info->tcpi_reordering = FTCP_DUPACKS_MAX;
}

static int get_info(struct sock *sk, char __user *value, int __user *len_user)
{
	struct ftcp_sock *fs = ftcp_sk(sk);
	struct tcp_info info = {};
	int len;

	if (get_user(len, len_user))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	info.tcpi_state = sk->sk_state;
	if (sk->sk_state == TCP_LISTEN) {
		info.tcpi_unacked = READ_ONCE(sk->sk_ack_backlog);
		info.tcpi_sacked = READ_ONCE(sk->sk_max_ack_backlog);
	} else if (fs->conn) {
		spin_lock_bh(&fs->conn->lock);
		if (ftcp_sock_attached(fs))
			info.tcpi_state = fs->conn->tcb.hard.state;	/* the numbers are the kernel's */
		fill_info(fs->conn, &info);
		spin_unlock_bh(&fs->conn->lock);
	}
	len = min_t(unsigned int, len, sizeof(info));
	if (put_user(len, len_user) || copy_to_user(value, &info, len))
		return -EFAULT;
	return 0;
}

static int get_congestion(struct ftcp_sock *fs, char __user *value, int __user *len_user)
{
	char name[16] = "";
	int len;

	if (get_user(len, len_user))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	strscpy(name, ftcp_cong_name(fs->congestion), sizeof(name));
	len = min_t(unsigned int, len, sizeof(name));
	if (put_user(len, len_user) || copy_to_user(value, name, len))
		return -EFAULT;
	return 0;
}

static int get_maxseg(const struct ftcp_sock *fs)
{
	if (fs->conn)
		return fs->conn->tcb.soft.cong.mss_bytes;
	return fs->user_mss ?: FTCP_MSS_DEFAULT_BYTES;
}

static int get_number(const struct ftcp_sock *fs, int name, int *val)
{
	switch (name) {
	case TCP_NODELAY:
		*val = fs->nodelay;
		break;
	case TCP_CORK:
		*val = fs->cork;
		break;
	case TCP_KEEPIDLE:
		*val = div_u64(keepalive_idle_us(fs), FTCP_S_US);
		break;
	case TCP_KEEPINTVL:
		*val = fs->keepalive_interval_s ?: div_u64(FTCP_KEEPALIVE_INTERVAL_US, FTCP_S_US);
		break;
	case TCP_KEEPCNT:
		*val = fs->keepalive_probes ?: FTCP_KEEPALIVE_PROBES_MAX;
		break;
	case TCP_USER_TIMEOUT:
		*val = fs->user_timeout_ms;
		break;
	case TCP_MAXSEG:
		*val = get_maxseg(fs);
		break;
	case TCP_DEFER_ACCEPT:
		*val = fs->defer_s;
		break;
	case TCP_QUICKACK:
		*val = !fs->conn || fs->conn->tcb.soft.quick_acks;
		break;
	default:
		return -ENOPROTOOPT;
	}
	return 0;
}

static int get_tcp(struct sock *sk, int name, char __user *value, int __user *len_user)
{
	int val = 0, len, err;

	switch (name) {
	case TCP_INFO:
		return get_info(sk, value, len_user);
	case TCP_CONGESTION:
		return get_congestion(ftcp_sk(sk), value, len_user);
	}
	if (get_user(len, len_user))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	err = get_number(ftcp_sk(sk), name, &val);
	if (err)
		return err;
	len = min_t(unsigned int, len, sizeof(val));
	if (put_user(len, len_user) || copy_to_user(value, &val, len))
		return -EFAULT;
	return 0;
}

int ftcp_sock_getsockopt(struct sock *sk, int level, int name, char __user *value, int __user *len)
{
	switch (level) {
	case SOL_TCP:
		return get_tcp(sk, name, value, len);
	case SOL_FTCP:
		return ftcp_sock_get_position(sk, name, value, len);
	default:
		if (sk->sk_family == AF_INET6)
			return ipv6_getsockopt(sk, level, name, value, len);
		return ip_getsockopt(sk, level, name, value, len);
	}
}
