// SPDX-License-Identifier: GPL-2.0
/*
 * usage: sim [--runs N] [--seed S] [--jobs J] [--log] [--set NAME=VALUE]... [--no-shrink] [--bug NAME] [--bugs]
 *
 * Each seed is a run of two phases: safety (anything may break, nothing may go wrong), then liveness (all is healed, everything must
 * end within a bounded time). Prints `# seed S: CHECKER: what` for the first that fails, shrinks it, and shows how to replay it.
 * Ends with 0, or 1 if a run failed, or 2 for a wrong command line.
 */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "sim.h"

#define SAFETY_STEPS_MAX	60000
#define LIVENESS_US		(900 * S)
#define SETTINGS_MAX		48

u64 now_us, run_seed;
bool chatty, healing, ever_taken_over;
struct totals *totals;
enum bug bug;

static jmp_buf failed;
static char failure[256];
static const char *settings[SETTINGS_MAX];
static u32 n_settings;

void say(const char *who, const char *format, ...)
{
	va_list args;

	if (!chatty)
		return;
	printf("%12.6f %-4s ", now_us / 1e6, who);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* Where everything stands. */
static void dump(void)
{
	u32 i, k;

	for (i = 0; i < HOSTS; i++)
		for (k = 0; k < CLIENTS_MAX; k++) {
			const struct conn *c = &hosts[i].conns[k];
			const struct ftcp_hard *hard = &c->tcb.hard;
			const struct ftcp_soft *soft = &c->tcb.soft;

			if (c->used)
				say(name_of(&hosts[i]), "c%u %s%s consumed %llu rcv_nxt %llu ack %llu edge %llu adv %llu una %llu nxt %llu "
				    "max %llu end %llu wnd %u committed %llu/%llu/%llu cwnd %u rexmit %llu persist %llu recovering %u", k,
				    ftcp_state_name(hard->state), c->gone ? " gone" : "", hard->consumed, hard->rcv_nxt, soft->rcv_ack,
				    hard->rcv_edge, soft->rcv_adv, hard->snd_una, soft->snd_nxt, soft->snd_max, hard->snd_end, hard->snd_wnd,
				    soft->committed.rcv, soft->committed.edge, soft->committed.snd, (u32)soft->cong.cwnd_bytes,
				    soft->timers.rexmit_us, soft->timers.persist_us, soft->recovering);
		}
}

void fail(const char *checker, const char *format, ...)
{
	char what[128];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(failure, sizeof(failure), "%s: %s", checker, what);
	say("sim", "FAIL %s", failure);
	if (chatty)
		dump();
	longjmp(failed, 1);
}

/* ---- a run ---- */

static void begin(u64 seed)
{
	u32 i;

	run_seed = seed;
	swarm_draw(seed);
	for (i = 0; i < n_settings; i++)
		swarm_set(settings[i]);
	swarm_constrain();
	chance_seed(seed);
	now_us = 1000 * S;
	healing = ever_taken_over = false;
	net_reset();
	daemon_reset();
	check_reset();
	for (i = 0; i < HOSTS; i++)
		memset(&hosts[i], 0, sizeof(hosts[i]));
	for (i = 0; i < swarm.clients; i++)
		client_reset(i);
	for (i = 0; i < HOSTS; i++)
		host_boot(&hosts[i]);
	fault_reset();
}

static void end(void)
{
	u32 i, k;

	net_reset();
	for (i = 0; i < HOSTS; i++)
		for (k = 0; k < CLIENTS_MAX; k++)
			if (hosts[i].conns[k].used)
				conn_release(&hosts[i].conns[k]);
	for (i = 0; i < swarm.clients; i++)
		client_free(i), service_free(i);
}

static bool step(void)
{
	u64 next = ~0ull, at;
	u32 i;

	if (net_next(&at))
		next = min(next, at);
	if (daemon_next(&at))
		next = min(next, at);
	for (i = 0; i < HOSTS; i++)
		if (host_next(&hosts[i], &at))
			next = min(next, at);
	for (i = 0; i < swarm.clients; i++)
		if (client_next(i, &at))
			next = min(next, at);
	if (next == ~0ull)
		return false;
	now_us = max(now_us, next);
	if (net_next(&at) && at <= now_us)
		net_deliver();
	for (i = 0; i < swarm.clients; i++)
		client_timers(i);
	for (i = 0; i < HOSTS; i++)
		host_timers(&hosts[i]);
	daemon_timers();
	check_roles();
	totals->steps++;
	return true;
}

static bool all_finished(void)
{
	u32 i;

	for (i = 0; i < swarm.clients; i++)
		if (!client_finished(i))
			return false;
	return true;
}

static bool all_over(void)
{
	u32 i, k;

	if (!all_finished() || !link_whole() || hosts[0].sync != SYNC_DONE || hosts[1].sync != SYNC_DONE)
		return false;
	for (i = 0; i < HOSTS; i++)
		for (k = 0; k < CLIENTS_MAX; k++)
			if (hosts[i].conns[k].used)
				return false;
	return true;
}

static void run(u64 seed)
{
	u64 deadline_us;
	u32 n;

	begin(seed);
	for (n = 0; n < SAFETY_STEPS_MAX && !(all_finished() && fault_over()) && now_us < 3000 * S; n++) {
		if (!step())
			break;
		fault_step();
	}
	say("sim", "healed");
	healing = true;
	fault_heal();
	deadline_us = now_us + LIVENESS_US;
	while (!all_over()) {
		if (now_us > deadline_us)
			fail("liveness", all_finished() ? "a connection stays" : "a client does not finish");
		if (!step())
			fail("liveness", "nothing happens any more");
	}
	check_end();
	end();
	totals->runs++;
}

/* false: it failed, and `failure` says how */
static bool run_guarded(u64 seed)
{
	if (setjmp(failed)) {
		end();
		return false;
	}
	run(seed);
	return true;
}

/* ---- failing seeds ---- */

/* Does it still fail with one setting more? */
static bool still_fails(u64 seed, const char *setting)
{
	bool ok;

	settings[n_settings++] = setting;
	ok = run_guarded(seed);
	if (ok)
		n_settings--;
	return !ok;
}

static void shrink(u64 seed)
{
	static char texts[SETTINGS_MAX][48];
	static const char *const simpler[] = { "clients=1", "plain=1", "mean=0", "flood=0", "loss=0", "duplicate=0", "corrupt=0", "reorder=0",
		"jitter_us=0", "link_jitter_us=0", "collect_us=0", "lan_cut=0", "daemon_kill=0", "link_cut=0", "early_promote=0", "crash=0",
		"half_open_max=64", "skew_us=0", "wrap=0", "flights=16", "crash=1", "link_cut=1", "daemon_kill=1", "announce_us=0" };
	u32 i, faults;

	for (i = 0; i < ARRAY_SIZE(simpler) && n_settings < SETTINGS_MAX - 16; i++)
		still_fails(seed, simpler[i]);
	for (faults = 0; faults < 12 && n_settings < SETTINGS_MAX - 1; faults++) {
		snprintf(texts[faults], sizeof(texts[faults]), "faults=%u", faults);
		if (still_fails(seed, texts[faults]))
			break;
	}
	run_guarded(seed);
	printf("# shrunk: %s\n# replay: make sim SEED=%llu", failure, (unsigned long long)seed);
	printf(n_settings ? " SET=\"" : "");
	for (i = 0; i < n_settings; i++)
		printf("%s%s", i ? " " : "", settings[i]);
	puts(n_settings ? "\"" : "");
}

/* ---- many runs ---- */

struct options {
	u64 runs, seed;
	u32 jobs;
	bool shrinks;
};

static u64 work(const struct options *o, u32 job)
{
	u64 i;

	for (i = job; i < o->runs; i += o->jobs)
		if (!run_guarded(o->seed + i))
			return i + 1;
	return 0;
}

static void summary(double seconds)
{
	const struct totals *t = totals;

	printf("# %llu runs, %llu takeovers, %llu crashes, %llu link cuts, %llu daemon kills, %llu early promotions, %llu packets, %llu batches, "
	       "%llu steps in %.0f s\n", t->runs, t->takeovers, t->crashes, t->link_cuts, t->daemon_kills, t->early, t->packets, t->batches,
	       t->steps, seconds);
	fflush(stdout);
}

/* Index + 1 of the first failing run, 0: none. */
static u64 run_jobs(const struct options *o)
{
	u64 *results = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), first = 0;
	struct totals *shared = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	u32 job, i;

	fflush(stdout);
	for (job = 0; job < o->jobs; job++)
		if (!fork()) {
			totals = shared + job;
			memset(totals, 0, sizeof(*totals));
			results[job] = ~0ull;
			results[job] = work(o, job);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	for (job = 0; job < o->jobs; job++) {
		for (i = 0; i < sizeof(*totals) / sizeof(u64); i++)
			((u64 *)totals)[i] += ((u64 *)(shared + job))[i];
		if (results[job] && (!first || results[job] < first))
			first = results[job];
	}
	munmap(results, 4096);
	munmap(shared, 65536);
	return first;
}

static bool report(const struct options *o, u64 seed)
{
	run_guarded(seed);
	printf("# seed %llu: %s\n", (unsigned long long)seed, failure);
	swarm_print();
	if (o->shrinks)
		shrink(seed);
	n_settings = 0;
	return false;
}

static bool run_all(const struct options *o)
{
	u64 started = time(NULL), first = run_jobs(o);

	summary(time(NULL) - started);
	if (first == ~0ull) {
		puts("# seed unknown: the simulator itself: it crashed; --jobs 1 under a debugger tells where");
		return false;
	}
	return !first || report(o, o->seed + first - 1);
}

static bool set_bug(const char *name)
{
	static const char *const names[] = {
#define X(name) #name,
		BUGS(X)
#undef X
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name)) {
			bug = i;
			return true;
		}
	fprintf(stderr, "sim: no such bug: %s; there are", name);
	for (i = 1; i < ARRAY_SIZE(names); i++)
		fprintf(stderr, " %s", names[i]);
	fputc('\n', stderr);
	return false;
}

static void list_bugs(void)
{
#define X(name) if (BUG_##name != BUG_none) puts(#name);
	BUGS(X)
#undef X
}

static const char usage[] =
	"usage: sim [--runs N] [--seed S] [--jobs J] [--log] [--set NAME=VALUE]... [--no-shrink] [--bug NAME] [--bugs]\n";

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "runs", 1, NULL, 'n' }, { "seed", 1, NULL, 's' }, { "jobs", 1, NULL, 'j' },
		{ "log", 0, NULL, 'l' }, { "set", 1, NULL, 'S' }, { "no-shrink", 0, NULL, 'N' }, { "bug", 1, NULL, 'b' },
		{ "bugs", 0, NULL, 'B' }, { "help", 0, NULL, 'h' }, {} };
	struct options o = { .runs = 1000, .seed = 1, .jobs = 1, .shrinks = true };
	int c;

	totals = calloc(1, sizeof(*totals));
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1)
		switch (c) {
		case 'n': o.runs = strtoull(optarg, NULL, 0); break;
		case 's': o.seed = strtoull(optarg, NULL, 0); break;
		case 'j': o.jobs = min_t(u32, 64, max(1ul, strtoul(optarg, NULL, 0))); break;
		case 'l': chatty = true; o.jobs = 1; break;
		case 'N': o.shrinks = false; break;
		case 'B': list_bugs(); return 0;
		case 'h': fputs(usage, stdout); return 0;
		case 'b':
			if (!set_bug(optarg))
				return 2;
			break;
		case 'S':
			swarm_draw(1);
			if (n_settings < SETTINGS_MAX / 2 && swarm_set(optarg)) {
				settings[n_settings++] = optarg;
				break;
			}
			fprintf(stderr, "sim: no such setting: %s\n", optarg);
			return 2;
		default:
			fputs(usage, stderr);
			return 2;
		}
	if (chatty) {
		bool ok = run_guarded(o.seed);

		swarm_print();
		if (!ok)
			printf("# seed %llu: %s\n", (unsigned long long)o.seed, failure);
		return !ok;
	}
	return !run_all(&o);
}
