/* SPDX-License-Identifier: GPL-2.0 */
/* A server's end of a connection, and a hand that plays the client. Offsets, not sequence numbers: both wrap a little later. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <string.h>
#include "cookie.h"
#include "ktest.h"
#include "repl.h"

#define CLIENT_ISS 0xfffffff0u
#define SERVER_ISS 0xffffff00u
#define FIXTURE_RTT_US 10000

struct fixture {
	struct ftcp_tcb tcb;
	struct ftcp_board board;
	struct ftcp_env env;
	struct ftcp_segment out[64];	/* what the last step made the server send */
	u32 n_out;
	struct ftcp_input in;
	u32 tsval;			/* of the client */
};

extern const struct ftcp_tcb_config fixture_config;

/** fixture_open() - established, by a SYN with these options (enum ftcp_tcp_option); @alone: the commit gate is open */
void fixture_open(struct fixture *f, u8 opts, bool alone);
/** fixture_segment() - a segment of the client; off: its place in the client's stream, ack: in the server's */
struct ftcp_segment fixture_segment(const struct fixture *f, u64 off, u32 len, u64 ack, u8 flags);
/** fixture_sack() - an ACK of the client, with one block; offsets in the server's stream */
struct ftcp_segment fixture_sack(const struct fixture *f, u64 ack, u64 from, u64 to);
/** fixture_close_window() - an ACK of the client that has no room any more, given to the server; returns it */
struct ftcp_segment fixture_close_window(struct fixture *f, u64 ack);
/** fixture_give() - the server gets it; what it sends then is in f->out */
enum ftcp_reason fixture_give(struct fixture *f, struct ftcp_segment seg);
/** fixture_pass() - time goes by; timers that are due fire, one by one; returns their events */
u32 fixture_pass(struct fixture *f, u64 us);
/** fixture_output() - ask for segments */
void fixture_output(struct fixture *f);
/** fixture_write() - the program writes; fixture_commit(): all of it is shipped and committed */
void fixture_write(struct fixture *f, u64 n);
void fixture_commit(struct fixture *f);
/** fixture_ack() - the highest acknowledged offset among f->out, -1 if nothing was sent */
s64 fixture_ack(const struct fixture *f);

#endif
