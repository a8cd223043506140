/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A deterministic simulation of a protected pair and its clients, over the sources that go into the module.
 *
 *	clients (client.c, of their own kind)    net.c    host.c, sync.c: what kmod/ does around the core, twice
 *	mean strangers (mean.c)                           daemon.c: the two daemons and their link; the policy is the real one
 *	fault.c: what breaks                              check.c: the invariants
 *
 * One seed decides everything: the configuration (swarm.c) and what happens. Time is virtual.
 */
#ifndef SIM_H
#define SIM_H

#include <linux/kernel.h>
#include <linux/string.h>
#include "cookie.h"
#include "repl.h"

#define HOSTS		2
#define CLIENTS_MAX	6
#define STREAM_MAX	(64 * 1024)
#define FLIGHTS_MAX	FTCP_BATCHES_IN_FLIGHT_MAX
#define MS		1000ull
#define S		1000000ull

/* ---- chance and the configuration ---- */

u64 chance_state(void);
void chance_seed(u64 seed);
u32 rnd(u32 n);			/* 0 .. n - 1 */
static inline bool one_in(u32 n) { return !rnd(n); }
static inline bool permille(u32 p) { return p && rnd(1000) < p; }

/* Drawn from the seed; each field can be set by name (--set), which is how a failing run is shrunk. */
#define SWARM_FIELDS(X) \
	X(clients) X(stream_bytes) X(rcv_buf_bytes) X(snd_buf_bytes) X(mtu_bytes) X(delay_us) X(jitter_us) X(loss) X(duplicate) \
	X(corrupt) X(reorder) X(link_delay_us) X(link_jitter_us) X(room_bytes) X(payload_min_bytes) X(flights) X(collect_us) \
	X(stall) X(half_open_max) X(faults) X(crash) X(link_cut) X(daemon_kill) X(lan_cut) X(early_promote) X(mean) X(flood) \
	X(announce_us) X(skew_us) X(wrap) X(plain) X(steps_between) X(nagle) X(reno) X(narrow_bytes) X(icmp) X(ce) X(ecn) \
	X(async) X(round_us)
struct swarm {
#define X(name) u32 name;
	SWARM_FIELDS(X)
#undef X
};
extern struct swarm swarm;
void swarm_draw(u64 seed);
void swarm_constrain(void);	/* after the last swarm_set() */
bool swarm_set(const char *name_value);
void swarm_print(void);
extern u32 swarm_count;
u32 *swarm_field(u32 i, const char **name);

/* ---- the run ---- */

extern u64 now_us, run_seed;
extern bool chatty, healing, ever_taken_over;

struct totals {
	u64 runs, steps, takeovers, crashes, link_cuts, daemon_kills, early, packets, batches, bytes, resets, cookies, attacks, behind, settled;
};
extern struct totals *totals;

/* Deliberate mistakes of the model, to see them caught (--bug). */
#define BUGS(X) \
	X(none) X(epoch_unchecked) X(commit_on_send) X(reset_before_commit) X(promote_out_of_sync) X(old_link_heard) \
	X(gone_forgotten) X(clock_restarted) X(key_not_taken) X(resume_without_commit)
enum bug {
#define X(name) BUG_##name,
	BUGS(X)
#undef X
	BUGS_END
};
extern enum bug bug;

void say(const char *who, const char *format, ...) __attribute__((format(printf, 2, 3)));
void fail(const char *checker, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
/* @checker: which of those in Documentation/invariants.rst, or which promise */
#define CHECK(checker, x) do { if (!(x)) fail(checker, "%s", #x); } while (0)

/* ---- the network (net.c): raw TCP headers and payload ---- */

struct packet {
	u8 header[FTCP_TCP_HEADER_MAX_BYTES];
	u32 header_bytes, len;
	u8 *data;
	int client;		/* whose connection */
	u8 ecn;
	u32 icmp_mss_bytes;	/* to a host: it is an ICMP message about the packet with this header; 0: it is not */
};

/* What happens at a time. */
enum kind { TO_SERVER, TO_CLIENT, TO_DAEMON };
struct event {
	u64 at_us, order;
	enum kind kind;
	int to;			/* host; or client */
	u32 link;		/* TO_DAEMON: number of the connection between the daemons */
	struct message *message;
	struct packet packet;
};

void net_reset(void);
void net_to_server(const struct packet *packet);	/* takes a copy */
void net_to_client(const struct packet *packet);
void net_post(struct event *event);			/* takes over what it points to */
bool net_next(u64 *at_us);
void net_deliver(void);
void net_replay(void);					/* an old duplicate */
extern int lan_owner;					/* which host has the address */
extern u64 lan_to_server_down_us, lan_to_client_down_us;

/* ---- the service: a function from what was read to what is written ---- */

struct service {
	u32 num, den;		/* so many bytes out for so many in; num 0: discard */
	bool echo, slow;
	u64 close_at, abort_at;	/* once so much was read; ~0: never */
};
u8 client_byte(int client, u64 off);
u8 server_byte(int client, u64 off);
/* Async: what was last written there, by whichever host, and what was last sent: output lost with a host is made again, with other bytes. */
u8 *service_text(int client);
u8 *service_said(int client);
u64 service_end(int client, u64 consumed);	/* end of the output made from so much input */
u64 service_consumable(int client, u64 out_end);	/* the most input whose output ends there or before */
const struct service *service_of(int client);
void service_draw(int client, u64 total);
void service_free(int client);

/* ---- hosts ---- */

enum role { STANDBY, PRIMARY, DETACHED };
enum sync { SYNC_NONE, SYNC_RUNNING, SYNC_DONE };

struct conn {
	bool used, dormant, gone, incomplete, counted, half_open;
	u32 serial;
	struct ftcp_tcb tcb;
	struct ftcp_board board;
	u8 *rcv, *snd;		/* indexed by offset; what is not held is poisoned */
	u64 snd_stored, rcv_freed, snd_freed;
	u64 read_us;
	u64 round_us;		/* the round in which its packets come is over, or the time for which its ACK was held back */
};

struct flight_entry { int client; u32 serial; struct ftcp_mark mark; bool gone; };
struct flight { u64 no; u32 n; struct flight_entry entries[CLIENTS_MAX * 8]; };

/* How far a host has ever come with a connection. For the checkers. */
struct reach { u32 iss; bool known; u64 rcv, snd, edge; };

struct host {
	bool alive;
	u64 restart_us, skew_us, role_since_us, stateless_us, announce_us, collect_us, idle_us;
	enum role role;
	u64 epoch, key[2];
	u32 ts_delta_ms;
	bool ts_known;
	/* replication */
	enum sync sync;
	bool attached, reset_due, idle_due, lazies;
	u64 sync_id, sent_no, held_no, synced_no, last_sent_us;
	u32 n_flights, next_dirty;
	struct flight flights[FLIGHTS_MAX];
	struct conn conns[CLIENTS_MAX];
	struct reach held[CLIENTS_MAX], sent[CLIENTS_MAX], base[CLIENTS_MAX];
};
extern struct host hosts[HOSTS];

static inline struct host *other(const struct host *h) { return &hosts[1 - (h - hosts)]; }
static inline bool speaks(const struct host *h) { return h->role != STANDBY; }
static inline u64 host_now_us(const struct host *h) { return now_us + h->skew_us; }
static inline const char *name_of(const struct host *h) { return h == hosts ? "A" : "B"; }
struct ftcp_env host_env(const struct host *h);

void host_boot(struct host *h);
void host_crash(struct host *h);
void host_receive(struct host *h, const struct packet *packet);
void host_icmp(struct host *h, const struct packet *packet);
bool host_next(const struct host *h, u64 *at_us);
void host_timers(struct host *h);
bool host_promote(struct host *h, u64 epoch, bool fresh);
bool host_demote(struct host *h, u64 epoch, bool force);
void host_detach(struct host *h);
void host_follow_up(struct host *h, struct conn *c, u32 events);
void conn_free(struct host *h, struct conn *c);
void conn_finish(struct host *h, struct conn *c, bool silent);
void conn_release(struct conn *c);
struct conn *conn_new(struct host *h, int client);

/* sync.c */
void sync_forget(struct host *h);
bool sync_outdate(struct host *h, u64 sync_id);
bool sync_attach(struct host *h, u64 peer_sync_id, u64 peer_no);
void sync_detach(struct host *h);
void sync_ack(struct host *h, u64 sync_id, u64 no);
enum apply { APPLY_OK, APPLY_NOT_STANDBY, APPLY_STALE, APPLY_REFUSED };
enum apply sync_apply(struct host *h, const u8 *data, u32 len);
void sync_collect(struct host *h);
void sync_idle(struct host *h);
bool sync_wants(const struct host *h);

/* ---- the daemons (daemon.c) ---- */

void daemon_reset(void);
void daemon_start(struct host *h);
void daemon_stop(struct host *h);
void daemon_batch(struct host *h, u8 *data, u32 len, u64 no);	/* from the kernel; takes @data over */
void daemon_deliver(struct event *event);
void daemon_replay(void);					/* a batch of an epoch that is over */
bool daemon_next(u64 *at_us);
void daemon_timers(void);
bool daemon_knows(const struct host *h);	/* that what is held is the latest */
void daemon_look(struct host *h);		/* something has changed: what does the policy say? */
void link_break(void);
void link_cut(u64 until_us);
bool link_whole(void);
void message_free(struct message *message);

/* ---- clients (client.c) ---- */

void client_reset(int client);
void client_receive(int client, const struct packet *packet);
bool client_next(int client, u64 *at_us);
void client_timers(int client);
bool client_finished(int client);
bool client_stamps(int client);			/* timestamps on every segment */
u64 client_total(int client);
bool client_expects_reset(int client);
void client_free(int client);
u32 client_first(int client);			/* its first byte's sequence number */
bool client_numbers(int client, u32 *seq, u32 *ack);	/* for strangers who guess well */

/* ---- strangers and faults ---- */

void mean_attack(void);
void fault_reset(void);
void fault_step(void);
bool fault_over(void);
void fault_heal(void);

/* ---- checkers (check.c) ---- */

void check_reset(void);
void check_sent(struct host *h, struct conn *c, const struct ftcp_segment *seg);
void check_reset_sent(struct host *h, struct conn *c);
void check_conn(struct host *h, struct conn *c);
void check_applied(struct host *h, struct conn *c, const struct ftcp_record *rec);
void check_opened(struct host *h, struct conn *c);
void check_over(struct host *h, struct conn *c);
void check_takeover(struct host *h);
void check_ended(int client, const u8 *got, u64 n);
void check_promoted(struct host *h, struct conn *c);
void check_gate_closed(struct host *h);
void check_wiped(struct host *h);
void check_roles(void);
void check_end(void);

#endif
