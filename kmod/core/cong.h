/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Congestion window: CUBIC (RFC 9438), whose first slow start is HyStart++ (RFC 9406), or Reno (RFC 5681, 6582), both with RFC 6928's start. Soft
 * state, in bytes.
 */
#ifndef FTCP_CONG_H
#define FTCP_CONG_H

#include <linux/types.h>
#include "hystart.h"

enum ftcp_cong_algorithm {
	FTCP_CONG_CUBIC,
	FTCP_CONG_RENO,
	__FTCP_CONG_MAX
};

struct ftcp_cong {
	u32 cwnd_bytes;
	u32 ssthresh_bytes;
	u32 acked_bytes;	/* towards the next increase in congestion avoidance (RFC 3465) */
	u16 mss_bytes;
	u8 algorithm;		/* enum ftcp_cong_algorithm */
	bool started;		/* the first slow start is over */
	union {
		struct ftcp_hystart hystart;	/* CUBIC's, until then */
		struct {
			u64 epoch_us;		/* RFC 9438, 4.1: t_epoch; 0: congestion avoidance has not begun */
			u64 w_est;		/* W_est, in 1/256 bytes */
			u32 w_max_bytes;	/* W_max */
			u32 k_ms;		/* K */
		};
	};
};

/** ftcp_cong_name() - "cubic" or "reno" */
const char *ftcp_cong_name(u8 algorithm);

/** ftcp_cong_init() - RFC 6928: ten segments, slow start without limit */
void ftcp_cong_init(struct ftcp_cong *cong, u32 mss_bytes, u8 algorithm);

/**
 * ftcp_cong_rtt() - an ACK of new data outside of recovery, the window having been full: may slow start go on?
 * @rtt_us, @snd_una, @snd_nxt: as in ftcp_hystart_ack()
 */
void ftcp_cong_rtt(struct ftcp_cong *cong, u32 rtt_us, u64 snd_una, u64 snd_nxt);

/**
 * ftcp_cong_acked() - @bytes of new data were acknowledged outside of recovery (RFC 5681, 3.1; byte counting, RFC 3465
 * with L = unlimited since GRO peers stretch their ACKs)
 * @limited: the window was full when the data was sent; otherwise it does not grow (RFC 7661, 4.1)
 * @now_us, @srtt_us: CUBIC's window is a function of time
 */
void ftcp_cong_acked(struct ftcp_cong *cong, u32 bytes, bool limited, u64 now_us, u32 srtt_us);

/** ftcp_cong_loss() - entering fast recovery with @flight bytes out (RFC 5681, eq. 4; RFC 6675, 5; RFC 9438, 4.6) */
void ftcp_cong_loss(struct ftcp_cong *cong, u32 flight_bytes);

/** ftcp_cong_timeout() - RFC 5681, 3.1: ssthresh as above on the first timeout (@first), cwnd one segment */
void ftcp_cong_timeout(struct ftcp_cong *cong, u32 flight_bytes, bool first);

/** ftcp_cong_idle() - RFC 5681, 4.1: after an idle RTO, back to the initial window */
void ftcp_cong_idle(struct ftcp_cong *cong);

#endif
