// SPDX-License-Identifier: GPL-2.0
/* ftcp-syncd: one process for one group. Starts everything, and ends it on SIGTERM. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config.h"
#include "group.h"
#include "log.h"
#include "loop.h"
#include "notify.h"
#include "options.h"

#define LOCK_DIR "/run/ftcp"

/* What the signals need to reach. */
struct syncd {
	struct loop loop;
	struct loop_io signals;
	struct group group;
};

static struct syncd syncd;
static struct config config;

/* ---- one process for a group ---- */

/*
 * Two would tear the group between them. The group belongs to the network namespace, which the file is named after; the lock goes with its
 * process, in whatever way that ends. Nobody but root can open the file: who could might lock it.
 */
static int open_lock(const char *group, char *path, size_t size)
{
	struct stat netns;
	int fd, err;

	if (stat("/proc/self/ns/net", &netns) || (mkdir(LOCK_DIR, 0755) && errno != EEXIST))
		return -1;
	snprintf(path, size, LOCK_DIR "/syncd-%llu-%s.lock", (unsigned long long)netns.st_ino, group);
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno;
		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

static bool lock_group(const char *group)
{
	char path[sizeof(LOCK_DIR) + FTCP_GROUP_NAME_MAX + 48] = LOCK_DIR;

	if (open_lock(group, path, sizeof(path)) >= 0)
		return true;	/* kept open until the end */
	if (errno == EWOULDBLOCK)
		log_err("another ftcp-syncd serves group %s in this network namespace already", group);
	else
		log_err("cannot lock group %s by %s: %s", group, path, strerror(errno));
	return false;
}

/* ---- background ---- */

/* The parent waits for what the child writes: its exit status when it runs, or its end. Returns the child's end. */
static int go_to_background(void)
{
	unsigned char status = EXIT_RUNTIME;
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) || (pid = fork()) < 0) {
		log_err("cannot go into the background: %s", strerror(errno));
		exit(EXIT_RUNTIME);
	}
	if (pid) {
		close(pipes[1]);
		if (read(pipes[0], &status, 1) < 0)
			status = EXIT_RUNTIME;
		_exit(status);
	}
	close(pipes[0]);
	setsid();
	if (chdir("/"))
		log_warn("cannot change to /: %s", strerror(errno));
	return pipes[1];
}

static void let_parent_go(int fd, unsigned char status)
{
	int null;

	if (fd < 0)
		return;
	if (!status) {
		null = open("/dev/null", O_RDWR);
		for (int i = 0; null >= 0 && i <= STDERR_FILENO; i++)
			dup2(null, i);
		if (null > STDERR_FILENO)
			close(null);
	}
	if (write(fd, &status, 1) < 0)
		log_warn("the starting process is gone");
	close(fd);
}

static bool write_pid(const char *path)
{
	FILE *file = path ? fopen(path, "we") : NULL;
	bool good = !path || (file && fprintf(file, "%d\n", getpid()) > 0);

	if (file && fclose(file))
		good = false;
	if (!good)
		log_err("cannot write %s: %s", path, strerror(errno));
	return good;
}

/* ---- signals ---- */

static void signals_ready(void *arg, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)arg;
	(void)events;
	while (read(syncd.signals.fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			log_warn("SIGHUP: reading the configuration again is not supported; a restart does no harm");
			continue;
		}
		log_note("stopping; the kernel goes on as it is");
		notify("STOPPING=1");
		loop_stop(&syncd.loop);
	}
}

static int catch_signals(void)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	syncd.signals = (struct loop_io){ .fd = -1, .ready = signals_ready };
	return loop_add(&syncd.loop, &syncd.signals, fd, EPOLLIN);
}

/* ---- */

static void read_config(const char *path)
{
	char error[CONFIG_ERROR_MAX];
	FILE *file = fopen(path, "re");

	if (!file) {
		fprintf(stderr, "ftcp-syncd: cannot open %s: %s; -c FILE names another, ftcp-syncd.conf(5) says what is in it\n",
			path, strerror(errno));
		exit(EXIT_USAGE);
	}
	if (!config_read(&config, file, path, error)) {
		fprintf(stderr, "ftcp-syncd: %s\n", error);
		exit(EXIT_USAGE);
	}
	fclose(file);
}

static enum exit_status start(const struct options *options)
{
	char error[sizeof(syncd.group.kernel.error)] = "";
	int err;

	if (!lock_group(config.name))
		return EXIT_RUNTIME;
	err = loop_open(&syncd.loop);
	if (!err)
		err = catch_signals();
	if (!err)
		err = group_open(&syncd.group, &syncd.loop, &config, error);
	if (err == -ENOENT) {
		log_err("%s: 'modprobe ftcp port=PORT', or 'insmod ftcp.ko port=PORT'", error);
		return EXIT_NO_MODULE;
	}
	if (err) {
		log_err("cannot start: %s", *error ? error : strerror(-err));
		if (err == -EPERM)
			log_err("run it as root: it needs CAP_NET_ADMIN and CAP_NET_RAW in this network namespace");
		return EXIT_RUNTIME;
	}
	return write_pid(options->pid_file) ? EXIT_GOOD : EXIT_RUNTIME;
}

static enum exit_status run(void)
{
	int err = loop_run(&syncd.loop);

	group_goodbye(&syncd.group);
	group_close(&syncd.group);
	loop_remove(&syncd.loop, &syncd.signals);
	loop_close(&syncd.loop);
	if (!err)
		return EXIT_GOOD;
	log_err("stopped: %s", strerror(-err));
	return EXIT_RUNTIME;
}

int main(int argc, char **argv)
{
	struct options options;
	enum exit_status status;
	int parent = -1;

	options_read(&options, argc, argv);
	read_config(options.config);
	if (options.check_only) {
		printf("%s: good\n", options.config);
		return EXIT_GOOD;
	}
	log_open(config.name, false, options.verbose);
	if (options.daemon)
		parent = go_to_background();
	status = start(&options);
	if (status == EXIT_GOOD)
		log_open(config.name, options.daemon, options.verbose);
	let_parent_go(parent, status);
	if (status != EXIT_GOOD)
		return status;
	notify("READY=1");
	status = run();
	if (options.pid_file)
		unlink(options.pid_file);
	return status;
}
