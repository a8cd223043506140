/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every limit of ftcp, in one place, with its unit last in the name. Limits that lean on each other are
 * held against each other at compile time at the bottom.
 */
#ifndef FTCP_LIMITS_H
#define FTCP_LIMITS_H

/* Groups and services (RFC 9293 calls a service a passive OPEN). */
#define FTCP_GROUP_NAME_MAX	32	/* bytes, with the final NUL */
#define FTCP_BACKEND_NAME_MAX	16	/* bytes, with the final NUL */
#define FTCP_GROUPS_MAX		64	/* per network namespace */
#define FTCP_SERVICES_MAX	256	/* per network namespace */
#define FTCP_CONNS_MAX		262144	/* per network namespace, tombstones included */
#define FTCP_HALF_OPEN_MAX	1024	/* per network namespace; beyond it SYNs are answered statelessly */
#define FTCP_RESETS_A_SECOND_MAX	1000	/* per network namespace: resets for segments of no connection */
#define FTCP_ABORTED_MAX	1024		/* resets that are remembered, while a handshake may be under way elsewhere */
#define FTCP_COOKIE_LIFE_MS	(2u << 16)	/* no cookie is older when it is accepted (core/cookie.h) */
#define FTCP_TIME_WAITS_MAX	16384	/* per network namespace; beyond it TIME_WAIT is cut to a second */
#define FTCP_ORPHANS_MAX	8192	/* per network namespace, closed on this side and not on the other; beyond it they get less time */

/* Buffers of one connection. */
#define FTCP_RCV_BUF_BYTES	(4u << 20)
#define FTCP_SND_BUF_BYTES	(4u << 20)
#define FTCP_RCV_BUF_START_BYTES 65536	/* grows to the service's size as the program keeps up */
#define FTCP_SND_BUF_START_BYTES (1u << 20)	/* grows to the service's size as the congestion window does */
#define FTCP_RCV_WSCALE		7	/* the same on every host: a cookie does not carry it */
#define FTCP_RUNS_MAX		8	/* times of transmission that are remembered (core/sent.h) */
#define FTCP_SHARE_MIN_BYTES	4096	/* that a connection may hold, however little memory there is */
#define FTCP_OOO_RANGES_MAX	32	/* islands of out-of-order data */
#define FTCP_SACK_RANGES_MAX	32	/* islands the peer has told us of */

/* Segments. */
#define FTCP_MSS_DEFAULT_BYTES	536	/* RFC 9293, 3.7.1: no MSS option, IPv4 */
#define FTCP_MSS6_DEFAULT_BYTES	1220	/* ... IPv6 */
#define FTCP_MSS_BASE_BYTES	1024	/* RFC 4821, 7.2: what is tried when larger packets seem to vanish */
#define FTCP_MSS_MIN_BYTES	88	/* a peer that asks for less is given this */
#define FTCP_MSS_MAX_BYTES	65495	/* an IP packet less the smallest headers */
#define FTCP_BURST_MAX_BYTES	260000	/* acknowledged by one ACK when they come at the same moment */
#define FTCP_BURST_FAR_STEPS	4	/* ... and so many times what is acknowledged alone, on a longer path (FTCP_NEAR_US) */
#define FTCP_HOLD_MIN_BYTES	20000	/* of one moment: more is expected in the next, and the ACK held back for FTCP_ACK_HOLD_US */
#define FTCP_SEGMENT_MAX_BYTES	65000	/* payload of one GSO segment, below 64 KiB with headers */
#define FTCP_TCP_HEADER_MAX_BYTES 60
#define FTCP_QUEUE_MAX_BYTES	(1u << 20)	/* of one connection in the host's queues, however fast it is */

/* Times. All of the core counts in microseconds. */
#define FTCP_MS_US		1000ull
#define FTCP_S_US		1000000ull
#define FTCP_RTO_INITIAL_US	(1 * FTCP_S_US)		/* RFC 6298, 2.1 */
#define FTCP_RTO_MIN_US		(200 * FTCP_MS_US)	/* as Linux; RFC 6298, 2.4 says 1 s SHOULD */
#define FTCP_RTO_MAX_US		(120 * FTCP_S_US)	/* RFC 6298, 2.5: at least 60 s */
#define FTCP_RTO_FALLBACK_US	(3 * FTCP_S_US)		/* RFC 6298, 5.7 */
#define FTCP_BACKOFF_MAX	16			/* doublings of it, before that limit applies */
#define FTCP_TIME_WAIT_US	(60 * FTCP_S_US)	/* RFC 9293, 3.4.2, as Linux */
#define FTCP_TAIL_MIN_US	(2 * FTCP_MS_US)	/* a tail loss probe waits for two round trips and this (RFC 8985, 7.2) */
#define FTCP_PEER_DELAY_US	(200 * FTCP_MS_US)	/* ... and for the peer's delayed ACK: WCDelAckT */
#define FTCP_ACK_DELAY_US	(40 * FTCP_MS_US)	/* RFC 9293, 3.8.6.3: less than half a second */
#define FTCP_ACK_HOLD_US	50			/* for the next large segment, as an interface holds back its interrupt */
#define FTCP_NEAR_US		(2 * FTCP_MS_US)	/* a path as short as that, or shorter, is a local network's */
#define FTCP_PAWS_US		(24 * 24 * 3600 * FTCP_S_US)	/* RFC 7323, 5.5: TS.Recent is void after so long */
#define FTCP_MTU_RETRY_US	(600 * FTCP_S_US)	/* RFC 1191, 6.3: a lowered path MTU is tried again */
#define FTCP_MTU_SUSPECT_US	(10 * FTCP_S_US)	/* one that was only suspected: earlier, doubled each time */
#define FTCP_SYN_ACK_RETRIES_MAX 5
#define FTCP_KEEPALIVE_MS	(7200u * 1000u)		/* RFC 9293, 3.8.4: no less by default */
#define FTCP_KEEPALIVE_INTERVAL_US (75 * FTCP_S_US)
#define FTCP_KEEPALIVE_PROBES_MAX 9
#define FTCP_USER_TIMEOUT_MS	(924u * 1000u)		/* RFC 9293, 3.8.3: R2 at least 100 s; as Linux */
#define FTCP_ORPHAN_TIMEOUT_MS	(20u * 1000u)		/* what an orphan gets when there are too many */
#define FTCP_FIN_WAIT_2_US	(60 * FTCP_S_US)	/* of a connection that its program has closed, as Linux */
#define FTCP_RECOVER_MS		30000u	/* how long a connection waits for its program after a takeover */
#define FTCP_CORK_US		(200 * FTCP_MS_US)	/* nothing is held back longer for more to come, as Linux */
#define FTCP_ORPHAN_PROBES_MAX	8	/* of a window that stays closed: nobody here waits for it any more; some 50 s at least */
#define FTCP_CHALLENGE_INTERVAL_US (500 * FTCP_MS_US)	/* per connection, RFC 5961, 7 */

/* Congestion control (RFC 6928, 5681). */
#define FTCP_IW_SEGMENTS	10
#define FTCP_DUPACKS_MAX	3
#define FTCP_BLACK_HOLE_TIMEOUTS 3	/* in a row: perhaps it is the size (RFC 2923, 2.1) */
#define FTCP_BLACK_HOLE_TIMEOUTS_PROVEN 6	/* ... though packets of that size have arrived */
#define FTCP_DEFER_MAX_US	1000	/* so long after the last segment the next one may wait for an ACK to become larger */
#define FTCP_QUICK_ACKS		16	/* segments acknowledged at once, at the start and after a pause */

/* Replication. */
#define FTCP_BATCH_MAX_BYTES	(60u * 1024u)	/* one netlink attribute holds 65,531 */
#define FTCP_BATCHES_IN_FLIGHT_MAX 16		/* the credits */
#define FTCP_BATCH_RECORDS_MAX	448		/* marks remembered for one batch */
#define FTCP_BATCH_IDLE_MS	1000u		/* an empty batch at least this often: carries the clock */
#define FTCP_EPOCH_MAX		(1ull << 63)	/* no host gets there by promotions: a higher one is not believed, since nobody could come above the last */
#define FTCP_BATCH_STUCK_MS	15000u		/* a channel whose standby holds nothing new for so long is given up */
#define FTCP_DOUBT_OLD_MS	500			/* async: a predecessor's packets are no longer on their way, nor answers to them */
#define FTCP_DOUBT_ASK_US	(520 * FTCP_MS_US)	/* hosts answer such a question twice a second; doubled each time */
#define FTCP_DOUBT_ASKS_MAX	5			/* doublings */
#define FTCP_DOUBT_GAP_S	30u			/* what is missing for so long the predecessor has acknowledged */
#define FTCP_TS_PAST_MS		(1u << 30)	/* an older echo of a TSval of ours tells nothing: 12 days */
#define FTCP_TS_TAKEOVER_MS	1000u		/* the timestamp clock is advanced by this at a takeover */

#if FTCP_BATCH_MAX_BYTES + 64 > 65535
#error "a batch does not fit into one netlink attribute"
#endif
#if FTCP_DOUBT_ASK_US <= FTCP_DOUBT_OLD_MS * FTCP_MS_US
#error "the second answer of a client is to settle it"
#endif
#if FTCP_RCV_BUF_BYTES > (65535u << FTCP_RCV_WSCALE)
#error "the receive buffer is larger than the largest window"
#endif
#if FTCP_SEGMENT_MAX_BYTES + FTCP_TCP_HEADER_MAX_BYTES + 40 > 65535
#error "a segment does not fit into one IP packet"
#endif

#endif
