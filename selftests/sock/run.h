/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A case makes calls on sockets of one protocol, with a plain TCP client at the other end, and records what it sees. It is run with the
 * kernel's TCP and with ftcp, and both must have seen the same. Nothing is recorded that depends on time.
 */
#ifndef RUN_H
#define RUN_H

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <netinet/in.h>

#ifndef IPPROTO_FTCP
#define IPPROTO_FTCP	253
#endif

/* What is waited for comes within this time, or it does not come. */
#define DEADLINE_MS	10000

#define TRANSCRIPT_SIZE	(64 * 1024)

/* Written by the process that plays the case, and by its children. */
struct transcript {
	size_t length;
	bool trouble;
	char text[TRANSCRIPT_SIZE];
};

struct run {
	int protocol;			/* of the server's sockets */
	int family;
	unsigned int port;		/* this one and the seven above are nobody else's */
	struct sockaddr_in server4;	/* where clients connect to, without the port */
	struct sockaddr_in6 server6;
	int client_netns;		/* -1: the client lives where the server does */
	int own_netns;
	struct transcript *transcript;
};

struct test_case {
	const char *name;
	void (*play)(struct run *r);
};

#define CASE(name)	{ #name, case_##name }
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

extern const struct test_case bind_cases[], accept_cases[], read_cases[], write_cases[], end_cases[], poll_cases[], option_cases[], process_cases[];

/* record.c: what was seen */
void note(struct run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same of what is never right, not even where both protocols have it: the case has not done what it is for. */
#define trouble(r, ...)	((r)->transcript->trouble = true, note(r, __VA_ARGS__))
long record_call(struct run *r, const char *text, long value);
int record_fd(struct run *r, const char *text, int fd);
long record_recv(struct run *r, const char *text, int fd, size_t size, int flags);
int record_poll(struct run *r, const char *text, int fd, int events, int ms);
int record_await(struct run *r, const char *text, int fd, int wanted);
int record_set(struct run *r, const char *text, int fd, int level, int option, int value);
int record_get(struct run *r, const char *text, int fd, int level, int option);
void record_ioctl(struct run *r, const char *text, int fd, unsigned long request);
void record_bytes(struct run *r, const char *what, const void *bytes, long count);
void record_signals(struct run *r);
const char *poll_names(int events);

/* The call, as it is written, and what it returned or why it failed. */
#define CALL(r, call)			record_call(r, #call, (errno = 0, (long)(call)))
/* A descriptor's number is of no interest. */
#define FD(r, call)			record_fd(r, #call, (errno = 0, (call)))
#define RECV(r, fd, size, flags)	record_recv(r, "recv(" #fd ", " #size ", " #flags ")", fd, size, flags)
#define SEND(r, fd, text, flags)	CALL(r, send(fd, text, strlen(text), flags))
#define POLL(r, fd, events, ms)		record_poll(r, "poll(" #fd ", " #events ", " #ms ")", fd, events, ms)
/* Wait until all of these are seen, then record everything that is. */
#define AWAIT(r, fd, wanted)		record_await(r, "await(" #fd ", " #wanted ")", fd, wanted)
#define SET(r, fd, level, option, value) record_set(r, "set(" #fd ", " #option ", " #value ")", fd, level, option, value)
#define GET(r, fd, level, option)	record_get(r, "get(" #fd ", " #option ")", fd, level, option)
#define IOCTL(r, fd, request)		record_ioctl(r, "ioctl(" #fd ", " #request ")", fd, request)

/* world.c: sockets, addresses and conditions */
struct pair {
	int listener;
	int server;
	int client;
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage storage;
};

int server_socket(struct run *r);
socklen_t server_address(const struct run *r, union address *address, unsigned int port);
socklen_t any_address(const struct run *r, union address *address, unsigned int port);
socklen_t loopback_address(const struct run *r, union address *address, unsigned int port);
void note_address(struct run *r, const char *what, const union address *address, socklen_t length);
int bind_server(struct run *r, int fd, unsigned int port);
int listener_open(struct run *r, int backlog);
int client_socket_of(struct run *r, int family);
int client_socket(struct run *r);
int client_connect(struct run *r);
int client_connect_fd(struct run *r, int fd);
unsigned int client_port(int fd);
struct pair pair_open(struct run *r);
void pair_reset(struct run *r, struct pair *p);
void client_reset(int fd);
int64_t now_ms(void);
bool await(bool (*condition)(int fd), int fd);
void settle(struct run *r, int client);
void peek_until(struct run *r, int fd, size_t bytes);
size_t fill(struct run *r, int fd);
void drain(struct run *r, int fd, size_t bytes);
void nonblocking(int fd, bool on);
void signals_set(int restart);
int signals_of(int number);
void *page_hole(size_t *page);
void pattern_fill(void *buffer, size_t bytes, uint64_t offset);
bool pattern_is(const void *buffer, size_t bytes, uint64_t offset);
bool send_pattern(int fd, size_t bytes);
bool recv_pattern(int fd, size_t bytes);

/* worker.c: a call in another thread, that waits */
struct worker {
	pthread_t thread;
	long (*work)(struct worker *worker);
	int fd;
	int flags;
	size_t size;
	volatile pid_t tid;
	volatile bool done;
	long result;
	int error;
	char buffer[64];
};

void worker_start(struct worker *w, long (*work)(struct worker *worker), int fd);
void worker_blocked(struct run *r, struct worker *w);
long worker_end(struct run *r, struct worker *w, const char *what);
long work_accept(struct worker *w);
long work_recv(struct worker *w);
long work_send(struct worker *w);
long work_poll(struct worker *w);
long work_send_pattern(struct worker *w);
long work_recv_pattern(struct worker *w);

/* diff.c */
bool diff_print(const char *name_a, const char *a, const char *name_b, const char *b);

#endif
