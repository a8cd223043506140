/* SPDX-License-Identifier: GPL-2.0 */
/* One script, played once: over IPv4 or IPv6, with sequence numbers that wrap or do not. */
#ifndef CONFORMANCE_PLAY_H
#define CONFORMANCE_PLAY_H

#include <stdio.h>
#include "script.h"
#include "segment.h"

#define VARS_MAX	40
#define UNREAD_MAX	512
#define GOT_MAX		64
#define WHY_BYTES	300

/* What every segment of the server's is held against, whatever the script is about. Positions as in struct play. */
struct watch {
	struct options offered, agreed;	/* of the two SYNs */
	bool syn_sent, syn_seen;
	uint32_t tsval, tsecr_max;
	bool tsval_ok;
	int64_t ack, edge;		/* highest of the server's; the edge is that of its receive window */
	int64_t our_edge, our_max;	/* what the server was promised; the end of what it was sent */
	int64_t data_end, fin;		/* of the server's; -1: no FIN yet */
	int64_t odd_from, odd_to;	/* here we sent something else than the pattern */
	unsigned int our_scale;
};

struct var {
	const char *name;
	int64_t value;
};

struct range64 { int64_t from, to; };

enum play_state { P_NEW, P_RUNNING, P_PASSED, P_FAILED };

/*
 * Positions are relative: 0 is the SYN of the side in question, 1 its first byte. What the script knows (una, rcv, edge) is what it
 * has read; what has arrived since waits in unread[].
 */
struct play {
	const struct script *script;
	bool wrap;
	unsigned int no;
	enum play_state state;
	struct flow flow;
	uint32_t isn, iss, ts_base;
	bool iss_ok;
	int64_t nxt, una, rcv, edge;
	uint16_t win;
	uint32_t last_ts;
	struct range64 got[GOT_MAX];	/* the server's, above rcv */
	unsigned int n_got;
	struct var vars[VARS_MAX], times[VARS_MAX];
	unsigned int n_vars, n_times;
	struct segment unread[UNREAD_MAX];
	unsigned int n_unread;
	struct watch watch;
	unsigned int step;
	uint64_t started_us, step_us, deadline_us;
	char why[WHY_BYTES];
	FILE *trace;
	char *traced;
	size_t traced_len;
};

#define GAP_US		100000ull	/* how long nothing is, when the script does not say */
#define PATIENCE_US	5000000ull	/* how long something may take, when the script does not say */
#define CLIENT_PORT	40000
#define OUR_TS		1000		/* our clock when the play begins: relative, in ms */
#define WRAP_TS		1050		/* where it wraps in the plays that wrap */

/* ---- play.c ---- */

void play_start(struct play *play, uint64_t now_us);
/** play_go() - as far as it goes; then either it is over, or deadline_us says when to come again at the latest */
void play_go(struct play *play, uint64_t now_us);
/** play_heard() - a segment of the server's has arrived */
void play_heard(struct play *play, const struct segment *seg);
void play_end(struct play *play);

bool play_fail(struct play *play, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** play_value() - of an expression in this play; fails the play if it has none */
bool play_value(struct play *play, const char *expr, int64_t *value);
bool play_set(struct play *play, const char *name, int64_t value);
int64_t play_their_seq(const struct play *play, uint32_t seq);
int64_t play_our_seq(const struct play *play, uint32_t seq);
void play_trace(struct play *play, char direction, const struct segment *seg, uint64_t at_us);

/* ---- act.c: what the client's side does ---- */

bool act_send(struct play *play, const struct seg_spec *spec, uint64_t now_us);
bool act_icmp(struct play *play, const struct step *step);
bool act_flood(struct play *play, const struct step *step, bool back);
bool act_abort(struct play *play);
/** act_clean_up() - the server forgets the connection */
void act_clean_up(struct play *play);

/* ---- match.c ---- */

/** match() - NULL, or what is different; may set variables of the play */
const char *match(struct play *play, const struct seg_spec *spec, const struct segment *seg);
/** match_compare() - by struct bound's operators */
bool match_compare(int64_t a, char op, int64_t b);

/* ---- watch.c ---- */

void watch_reset(struct watch *watch);
void watch_sent(struct play *play, const struct segment *seg);
/** watch_heard() - NULL, or which rule the segment breaks */
const char *watch_heard(struct play *play, const struct segment *seg);

/* ---- pattern.c ---- */

uint8_t pattern_byte(int64_t position);
void pattern_fill(uint8_t *to, int64_t from, unsigned int len);

/* ---- wire.c ---- */

struct wire_config {
	const char *interface;
	uint8_t mac[6];		/* the server's */
};

int wire_open(const struct wire_config *config);
void wire_send(const uint8_t *packet, size_t len);
/** wire_receive() - a packet of the server's, or 0 */
size_t wire_receive(uint8_t *to, uint64_t *at_us);
uint64_t wire_now_us(void);

/* ---- packet_play.c ---- */

extern const char *kill_command;

#endif
