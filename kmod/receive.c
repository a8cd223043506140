// SPDX-License-Identifier: GPL-2.0
/* Segments in: from a stolen skb to the core, and the passive open (RFC 9293, 3.10.7.2 and .3). */
#include <linux/netfilter.h>
#include <net/dsfield.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ipv6.h>
#include "aborted.h"
#include "backend.h"
#include "compat.h"
#include "conn.h"
#include "core/cookie.h"
#include "group.h"
#include "memory.h"
#include "net.h"
#include "prune.h"
#include "queue.h"
#include "receive.h"
#include "service.h"
#include "trace.h"
#include "xmit.h"

#define EPOCHS_BACK 8	/* whose cookies are good after a takeover: several may follow each other quickly */

/* A segment on its way in. */
struct arrival {
	struct ftcp_net *fn;
	struct ftcp_conn_key key;
	struct ftcp_segment seg;
	struct ftcp_bytes payload;	/* offsets 0 .. seg.len */
	struct dst_entry *dst;		/* the route it came by, under RCU */
	int iif;
	enum ftcp_reason reason;	/* why it was dropped, if it was */
	struct ftcp_conn *hint;
};

static void drop(struct arrival *a, enum ftcp_reason reason)
{
	ftcp_stats_drop(a->fn, reason);
	if (reason != FTCP_REASON_NONE)
		a->reason = reason;
}

/* Only the first @len bytes are taken. The ACK is still worth having; the peer will send the rest again. */
static void cut_payload(struct arrival *a, u32 len, enum ftcp_reason reason)
{
	drop(a, reason);
	ftcp_bytes_cut(&a->payload, len);
	a->seg.len = len;
	a->seg.flags &= ~FTCP_FIN;
}

static enum ftcp_reason parse(struct arrival *a, struct sk_buff *skb)
{
	u32 at = skb_transport_offset(skb), total = skb->len - at, avail = min_t(u32, total, FTCP_TCP_HEADER_MAX_BYTES);
	u8 buf[FTCP_TCP_HEADER_MAX_BYTES] ftcp_compat_uninitialized;
	enum ftcp_reason reason;
	const u8 *hdr;
	u16 family;
	u8 ecn;

	memset(&a->key, 0, sizeof(a->key));
	if (skb->protocol == htons(ETH_P_IP)) {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &a->key.raddr);
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &a->key.laddr);
		family = AF_INET;
		ecn = ip_hdr(skb)->tos & INET_ECN_MASK;
	} else {
		a->key.raddr = ipv6_hdr(skb)->saddr;
		a->key.laddr = ipv6_hdr(skb)->daddr;
		family = AF_INET6;
		ecn = ipv6_get_dsfield(ipv6_hdr(skb)) & INET_ECN_MASK;
	}
	hdr = skb_header_pointer(skb, at, avail, buf);
	reason = ftcp_segment_parse(&a->seg, hdr ?: buf, hdr ? avail : 0, total);
	a->key.rport = htons(a->seg.src);
	a->key.lport = htons(a->seg.dst);
	if (nf_checksum(skb, NF_INET_LOCAL_IN, at, IPPROTO_TCP, family))
		return FTCP_REASON_CHECKSUM;
	if (reason)
		return reason;
	a->seg.ecn = ecn;
	a->seg.gso_bytes = skb_shinfo(skb)->gso_size;
	/* Before any lock is taken. */
	if (ftcp_bytes_from_skb(&a->payload, skb, at + a->seg.header_bytes, a->seg.len, GFP_ATOMIC))
		cut_payload(a, 0, FTCP_REASON_NO_MEMORY);
	return FTCP_REASON_NONE;
}

/* As tcp_rx_dst_set(): the next one need not look it up (hook.c). */
static void remember_route(const struct arrival *a, struct ftcp_conn *conn)
{
	struct dst_entry *old = rcu_dereference_protected(conn->rx_dst, lockdep_is_held(&conn->lock));

	if ((old == a->dst && conn->rx_iif == a->iif) || !a->dst || !dst_hold_safe(a->dst))
		return;
	rcu_assign_pointer(conn->rx_dst, a->dst);
	WRITE_ONCE(conn->rx_iif, a->iif);
	if (!ftcp_conn_is_v4(conn))
		WRITE_ONCE(conn->rx_cookie, rt6_get_cookie((struct rt6_info *)a->dst));
	dst_release(old);
}

/* May more be right behind it? Small ones are messages. */
static bool is_burst(const struct ftcp_input *in)
{
	return in->keep_len >= FTCP_MSS_DEFAULT_BYTES && in_serving_softirq();
}

static void to_conn(struct arrival *a, struct ftcp_conn *conn)
	__releases(&conn->lock)
{
	struct ftcp_input in = {};
	enum ftcp_reason reason;
	struct ftcp_env env;
	u32 may_take;

	lockdep_assert_held(&conn->lock);
	ftcp_conn_env(conn, &env);
	if (conn->gone || conn->finished) {
		reason = FTCP_REASON_AFTER_CLOSE;
	} else if (!ftcp_group_speaks(conn->group) || conn->dormant) {
		reason = FTCP_REASON_STANDBY;
	} else {
		may_take = ftcp_prune_conn(conn, a->seg.len);
		if (may_take < a->seg.len)
			cut_payload(a, may_take, FTCP_REASON_MEMORY_LIMIT);
		ftcp_conn_board(conn, &a->seg);
		remember_route(a, conn);
		reason = ftcp_input(&conn->tcb, &env, &a->seg, &in);
		conn->heard |= !!(in.events & (FTCP_EV_WRITABLE | FTCP_EV_READABLE));
		conn->segs_in++;
		if (in.keep_len)
			ftcp_bytes_put(&conn->rcv, in.keep_off, &a->payload, in.keep_skip, in.keep_len);
		if (is_burst(&in))
			ftcp_queue_burst(conn);
	}
	drop(a, reason);
	/* What follows from it then follows from all that the round brings; what can be read is only one more thing of that kind. */
	if (!(in.events & ~FTCP_EV_READABLE) && ftcp_tcb_may_wait(&conn->tcb, &env)) {
		spin_unlock_bh(&conn->lock);
		ftcp_stats_inc(a->fn, FTCP_COUNT_SEGS_TOGETHER);
	} else {
		ftcp_conn_unlock_env(conn, &env, in.events);
	}
}

/*
 * Who may say that there is no such connection? A primary without its standby cannot know whether it is still the one who speaks:
 * the connection may be the other's.
 */
static bool may_deny(const struct ftcp_group *group)
{
	return READ_ONCE(group->role) == FTCP_ROLE_DETACHED || READ_ONCE(group->sync.portid);
}

/* A counter of the second: those who count at its edge may do so twice, which is no harm. */
static bool may_reset(struct ftcp_net *fn)
{
	u64 second = ktime_get_boottime_seconds();

	if (READ_ONCE(fn->reset_second) != second) {
		WRITE_ONCE(fn->reset_second, second);
		atomic_set(&fn->n_resets, 0);
	}
	if (atomic_inc_return(&fn->n_resets) <= FTCP_RESETS_A_SECOND_MAX)
		return true;
	ftcp_stats_inc(fn, FTCP_COUNT_RESETS_LIMITED);
	return false;
}

static void reset(struct arrival *a, const struct ftcp_service *service, enum ftcp_reason reason)
{
	struct ftcp_segment out;

	drop(a, a->seg.flags & FTCP_RST ? FTCP_REASON_RESET_NO_CONN : reason);
	if (may_deny(service->group) && ftcp_reset_stateless(&out, &a->seg) && may_reset(a->fn))
		ftcp_xmit_stateless(a->fn, service->group, &a->key, &out);
}

/* A connection that is made and in the table, with a reference; or an error */
static struct ftcp_conn *new_conn(struct arrival *a, struct ftcp_service *service, const struct ftcp_cookie *cookie, u32 iss)
{
	struct ftcp_conn *conn;
	struct ftcp_tcb_config config;
	struct ftcp_env env;
	u32 kept;
	int err;

	/* Several at once may all find room for one more: a limit, not a promise. */
	if (service->max_conns && atomic_read(&service->n_conns) >= service->max_conns)
		return ERR_PTR(-ENOSPC);
	conn = ftcp_conn_new(a->fn, service, &a->key, GFP_ATOMIC);
	if (IS_ERR(conn))
		return conn;
	ftcp_conn_config(conn, &config);
	ftcp_conn_env(conn, &env);
	if (a->seg.flags & FTCP_SYN) {
		kept = ftcp_tcb_open(&conn->tcb, &env, &config, &a->seg, cookie, iss);
		if (kept)
			ftcp_bytes_put(&conn->rcv, 0, &a->payload, 0, kept);
	} else {
		ftcp_tcb_open_cookie(&conn->tcb, &env, &config, &a->seg, cookie);
	}
	err = ftcp_conn_insert(conn);
	if (err) {
		ftcp_conn_put(conn);
		return ERR_PTR(err);
	}
	return conn;
}

static enum ftcp_reason no_conn_reason(int err)
{
	if (err == -ESTALE)
		return FTCP_REASON_NO_CONN;	/* its service was deleted a moment ago */
	return err == -ENOSPC ? FTCP_REASON_CONN_LIMIT : FTCP_REASON_NO_MEMORY;
}

static u64 now_ms(void)
{
	return ktime_to_ms(ktime_get_boottime());
}

/* Does the backend want another connection? If not, that was said or kept silent, and counted. */
static bool admitted(struct arrival *a, struct ftcp_service *service)
{
	enum ftcp_reason reason = FTCP_REASON_NONE;

	if (service->backend->admit)
		reason = service->backend->admit(service, &a->key);
	if (reason == FTCP_REASON_NO_LISTENER)
		reset(a, service, reason);
	else if (reason)
		drop(a, reason);
	return !reason;
}

static void syn_stateless(struct arrival *a, struct ftcp_service *service, const struct ftcp_cookie *cookie, u32 iss)
{
	const struct ftcp_conn_hash hash = { .group = service->group, .key = &a->key };
	struct ftcp_tcb_config config;
	struct ftcp_segment out;
	struct ftcp_env env;

	ftcp_service_config(service, &config);
	config.mss_bytes = ftcp_xmit_mss(a->fn, &a->key);
	config.ts_off = ftcp_conn_ts_off(&hash);
	ftcp_group_env(service->group, &env);
	ftcp_synack_stateless(&out, &env, &config, &a->seg, cookie, iss);
	ftcp_xmit_stateless(a->fn, service->group, &a->key, &out);
	ftcp_stats_inc(a->fn, FTCP_COUNT_SYN_STATELESS);
	WRITE_ONCE(a->fn->stateless_ms, now_ms());
}

static bool recently_stateless(const struct arrival *a)
{
	u64 stateless = READ_ONCE(a->fn->stateless_ms);

	return stateless && now_ms() - stateless < FTCP_COOKIE_LIFE_MS;
}

static void syn(struct arrival *a, struct ftcp_service *service)
{
	const struct ftcp_conn_hash hash = { .group = service->group, .key = &a->key,
					     .epoch = READ_ONCE(service->group->epoch) };
	bool v4 = ipv6_addr_v4mapped(&a->key.laddr);
	enum ftcp_memory level = ftcp_memory_level(a->fn->guest);
	struct ftcp_cookie cookie;
	struct ftcp_conn *conn;
	struct ftcp_env env;
	u32 iss;

	if (!admitted(a, service))
		return;
	ftcp_aborted_clear(a->fn, &a->key);
	ftcp_group_env(service->group, &env);
	ftcp_tcb_cookie(&cookie, &a->seg, v4 ? FTCP_MSS_DEFAULT_BYTES : FTCP_MSS6_DEFAULT_BYTES);
	iss = ftcp_cookie_make(&cookie, a->seg.seq.v, env.ts_ms, ftcp_conn_hash, &hash);
	if (level == FTCP_MEMORY_TIGHT) {
		drop(a, FTCP_REASON_MEMORY_LIMIT);	/* it will come again */
		return;
	}
	if (level == FTCP_MEMORY_SHORT || atomic_read(&a->fn->n_half_open) >= FTCP_HALF_OPEN_MAX) {
		syn_stateless(a, service, &cookie, iss);
		return;
	}
	/* The SYN-ACK that the client goes by may be an earlier one, which knew nothing of ECN */
	if (recently_stateless(a))
		a->seg.flags &= ~(FTCP_ECE | FTCP_CWR);
	conn = new_conn(a, service, &cookie, iss);
	if (IS_ERR(conn)) {
		drop(a, no_conn_reason(PTR_ERR(conn)));
		return;
	}
	spin_lock_bh(&conn->lock);
	ftcp_conn_unlock(conn, 0);
	ftcp_conn_put(conn);
}

static bool recently_taken_over(const struct ftcp_service *service)
{
	return READ_ONCE(service->group->ts_known) &&
	       now_ms() - READ_ONCE(service->group->role_since_ms) < FTCP_COOKIE_LIFE_MS;
}

/*
 * Is a handshake perhaps under way that only its cookie remembers? Then the client may have sent data already, and what overtook its first
 * segment, or came after one that died with the other host, must not be answered with a reset: the client sends that first segment again.
 */
static bool handshake_elsewhere(const struct arrival *a, const struct ftcp_service *service)
{
	/* What is not protected dies with its host: there is no reason not to say so at once. */
	return (service->protection != FTCP_PROTECTION_NONE && recently_taken_over(service)) || recently_stateless(a);
}

/*
 * Can it be the end of a handshake that this host does not remember? The queue was full, or another host began it, in an epoch before. At all
 * other times a valid cookie is an old duplicate, of a connection that has come and gone, and would bring it back to life. *@epochs: how many
 * ago it was made; not 0: by another host.
 */
static bool cookie_valid(const struct arrival *a, const struct ftcp_service *service, struct ftcp_cookie *cookie, u32 *epochs)
{
	u32 first = recently_stateless(a) ? 0 : 1, last = 0, back;
	struct ftcp_conn_hash hash = { .group = service->group, .key = &a->key };
	u64 epoch = READ_ONCE(service->group->epoch);
	struct ftcp_env env;

	if ((a->seg.flags & (FTCP_SYN | FTCP_ACK | FTCP_RST)) != FTCP_ACK)
		return false;
	/* Of what is not protected clients go on with connections that died: one of a million segments would look like a cookie. */
	if (service->protection != FTCP_PROTECTION_NONE && recently_taken_over(service))
		last = EPOCHS_BACK;
	ftcp_group_env(service->group, &env);
	for (back = first; back <= last; back++) {
		hash.epoch = epoch - back;
		*epochs = back;
		if (ftcp_cookie_open(cookie, a->seg.ack.v - 1, a->seg.seq.v - 1, env.ts_ms, ftcp_conn_hash, &hash))
			return true;
	}
	return false;
}

/* RFC 9293, 3.10.7.1: there is no such connection */
static void deny(struct arrival *a, const struct ftcp_service *service)
{
	if (!(a->seg.flags & (FTCP_ACK | FTCP_RST)))
		drop(a, FTCP_REASON_NO_ACK);	/* 3.10.7.2: there is a listener, which drops it */
	else if (handshake_elsewhere(a, service) && !ftcp_aborted_find(a->fn, &a->key))
		drop(a, a->seg.flags & FTCP_RST ? FTCP_REASON_RESET_NO_CONN : FTCP_REASON_NO_CONN);
	else
		reset(a, service, FTCP_REASON_NO_CONN);
}

static void ack_without_conn(struct arrival *a, struct ftcp_service *service)
{
	struct ftcp_cookie cookie;
	struct ftcp_conn *conn;
	struct ftcp_env env;
	u32 epochs;

	if (!cookie_valid(a, service, &cookie, &epochs)) {
		deny(a, service);
		return;
	}
	if (!admitted(a, service))
		return;
	if (ftcp_memory_level(a->fn->guest) == FTCP_MEMORY_TIGHT) {
		drop(a, FTCP_REASON_MEMORY_LIMIT);
		return;
	}
	conn = new_conn(a, service, &cookie, 0);
	if (IS_ERR(conn)) {
		drop(a, no_conn_reason(PTR_ERR(conn)));
		return;
	}
	ftcp_stats_inc(a->fn, FTCP_COUNT_CONNS_COOKIE);
	spin_lock_bh(&conn->lock);
	if (epochs) {
		/* Another host began it, and may have come further */
		ftcp_conn_env(conn, &env);
		ftcp_tcb_doubt(&conn->tcb, &env);
	}
	to_conn(a, conn);
	ftcp_conn_put(conn);
}

static void without_conn(struct arrival *a)
{
	struct ftcp_service *service = ftcp_service_find_get(a->fn, &a->key.laddr, a->seg.dst);

	if (!service) {
		drop(a, FTCP_REASON_NO_CONN);	/* it was deleted a moment ago */
		return;
	}
	if (!ftcp_group_speaks(service->group))
		drop(a, FTCP_REASON_STANDBY);
	else if ((a->seg.flags & (FTCP_SYN | FTCP_ACK | FTCP_RST)) == FTCP_SYN)
		syn(a, service);
	else
		ack_without_conn(a, service);
	ftcp_service_put(service);
}

/* RFC 6191: a SYN that is newer than the connection in TIME-WAIT may take its place. */
static bool reopens(const struct ftcp_conn *conn, const struct ftcp_segment *seg)
{
	const struct ftcp_hard *hard = &conn->tcb.hard;

	if (conn->dormant || hard->state != FTCP_TIME_WAIT || (seg->flags & (FTCP_SYN | FTCP_ACK | FTCP_RST)) != FTCP_SYN)
		return false;
	if ((hard->flags & FTCP_HARD_TS) && (seg->opts & FTCP_OPT_TS))
		return (s32)(seg->tsval - hard->ts_recent) > 0;
	return ftcp_seq_off(hard->irs, seg->seq, hard->rcv_nxt) > (s64)hard->rcv_nxt;
}

/* RFC 9293, 3.10.7.4, fifth: it acknowledges what this half-open connection has not sent. */
static bool foreign_ack(const struct ftcp_conn *conn, const struct ftcp_segment *seg)
{
	return !conn->dormant && !conn->gone && !conn->finished && conn->tcb.hard.state == FTCP_SYN_RECEIVED &&
	       (seg->flags & (FTCP_SYN | FTCP_ACK | FTCP_RST)) == FTCP_ACK &&
	       !ftcp_seq_eq(seg->ack, ftcp_seq_of(conn->tcb.hard.iss, 0));
}

/* Perhaps it was the other host's SYN-ACK, which its cookie tells: then that is the connection, and not this one. */
static void take_foreign_ack(struct arrival *a, struct ftcp_conn *conn)
	__releases(&conn->lock)
{
	struct ftcp_cookie cookie;
	u32 epochs;
	bool valid;

	lockdep_assert_held(&conn->lock);
	valid = ftcp_group_speaks(conn->group) && cookie_valid(a, conn->service, &cookie, &epochs);
	if (valid)
		ftcp_conn_finish(conn);
	spin_unlock_bh(&conn->lock);
	if (valid)
		without_conn(a);
	else if (ftcp_group_speaks(conn->group))
		deny(a, conn->service);
	else
		drop(a, FTCP_REASON_STANDBY);
}

/* A rule may have changed the addresses since (SNAT does, at this hook). */
static struct ftcp_conn *find_conn(const struct arrival *a)
{
	struct ftcp_conn *hint = a->hint;

	if (hint && ftcp_conn_key_equal(&hint->key, &a->key) && !READ_ONCE(hint->finished) && ftcp_conn_get(hint))
		return hint;
	return ftcp_conn_find(a->fn, &a->key);
}

static void dispatch(struct arrival *a)
{
	struct ftcp_conn *conn = find_conn(a);

	if (!conn) {
		without_conn(a);
		return;
	}
	spin_lock_bh(&conn->lock);
	if (reopens(conn, &a->seg)) {
		/* The peer repeats its SYN; by then the standby has forgotten the old connection, too. */
		ftcp_tcb_abort(&conn->tcb);
		ftcp_conn_unlock(conn, FTCP_EV_CLOSED);
		if (READ_ONCE(conn->finished))
			without_conn(a);
	} else if (foreign_ack(conn, &a->seg)) {
		take_foreign_ack(a, conn);
	} else {
		to_conn(a, conn);
	}
	ftcp_conn_put(conn);
}

void ftcp_receive(struct ftcp_net *fn, struct sk_buff *skb, struct ftcp_conn *hint)
{
	struct arrival a ftcp_compat_uninitialized;
	enum ftcp_reason reason;

	a.fn = fn;
	a.dst = skb_dst(skb);
	a.iif = skb->skb_iif;
	a.reason = FTCP_REASON_NONE;
	a.hint = hint;
	ftcp_bytes_init(&a.payload, 0);
	ftcp_stats_inc(fn, FTCP_COUNT_SEGS_IN);
	if (ftcp_memory_level(fn->guest) != FTCP_MEMORY_PLENTY)
		ftcp_prune_start(fn);
	reason = parse(&a, skb);
	ftcp_stats_add(fn, FTCP_COUNT_BYTES_IN, reason ? 0 : a.seg.len);
	if (reason)
		drop(&a, reason);
	else
		dispatch(&a);
	trace_segment_in(&a.key, &a.seg, a.reason);
	ftcp_bytes_free(&a.payload);
	consume_skb(skb);
}
