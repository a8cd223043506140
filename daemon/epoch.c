// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "config.h"
#include "epoch.h"
#include "log.h"

#define AGAIN_MS	10000	/* after it could not be written */
#define LINE_MAX_BYTES	128
#define MODE_DIR	0755
#define MODE_FILE	0644

/* ---- the line ---- */

static uint32_t check_of(const char *text)
{
	uint32_t sum = 2166136261u;	/* FNV-1a */

	for (; *text; text++)
		sum = (sum ^ (uint8_t)*text) * 16777619u;
	return sum;
}

static size_t write_head(char line[LINE_MAX_BYTES], const char *group)
{
	return snprintf(line, LINE_MAX_BYTES, "ftcp-epoch 1 %s ", group);
}

static size_t write_line(char line[LINE_MAX_BYTES], const char *group, uint64_t value)
{
	size_t len = write_head(line, group);

	len += snprintf(line + len, LINE_MAX_BYTES - len, "%llu", (unsigned long long)value);
	return len + snprintf(line + len, LINE_MAX_BYTES - len, " %08x\n", check_of(line));
}

static enum epoch_found read_line(const char *text, size_t len, const char *group, uint64_t *value)
{
	char line[LINE_MAX_BYTES];
	size_t head = write_head(line, group);
	uint64_t found;

	if (memcmp(text, line, len < head ? len : head))
		return EPOCH_FOREIGN;
	if (len <= head)
		return EPOCH_DAMAGED;
	found = strtoull(text + head, NULL, 10);
	if (len != write_line(line, group, found) || memcmp(text, line, len))
		return EPOCH_DAMAGED;
	*value = found;
	return EPOCH_GOOD;
}

enum epoch_found epoch_read(const char *path, const char *group, uint64_t *value)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	char text[LINE_MAX_BYTES];
	ssize_t len;

	*value = 0;
	if (fd < 0)
		return errno == ENOENT ? EPOCH_MISSING : EPOCH_ERROR;
	len = read(fd, text, sizeof(text) - 1);
	err = errno;
	close(fd);
	errno = err;
	if (len < 0)
		return EPOCH_ERROR;
	text[len] = '\0';
	return read_line(text, len, group, value);
}

/* ---- writing ---- */

/* The directory that @path is in; -1: errno */
static int open_parent(const char *path)
{
	char dir[CONFIG_PATH_MAX];

	snprintf(dir, sizeof(dir), "%s", path);
	/* The slash stays: in "/x" it is the directory. */
	strrchr(dir, '/')[1] = '\0';
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* What is missing of the way to @path; if it cannot be made, opening it says so. */
static void make_parents(const char *path)
{
	char dir[CONFIG_PATH_MAX];
	int parent;

	snprintf(dir, sizeof(dir), "%s", path);
	for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		parent = mkdir(dir, MODE_DIR) ? -1 : open_parent(dir);
		/* It has to be found again, too. */
		if (parent >= 0) {
			fsync(parent);
			close(parent);
		}
		*slash = '/';
	}
}

static int write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, MODE_FILE), err = 0;
	ssize_t written;

	if (fd < 0)
		return errno;
	written = write(fd, text, len);
	if (written < 0)
		err = errno;
	else if ((size_t)written < len)
		err = ENOSPC;
	else if (fsync(fd))
		err = errno;
	if (close(fd) && !err)
		err = errno;
	return err;
}

static int replace(const char *path, const char *group, uint64_t value)
{
	char tmp[CONFIG_PATH_MAX + 8], line[LINE_MAX_BYTES];
	int err;

	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	err = write_file(tmp, line, write_line(line, group, value));
	if (!err && rename(tmp, path))
		err = errno;
	if (err)
		unlink(tmp);
	return err;
}

int epoch_write(const char *path, const char *group, uint64_t value)
{
	enum epoch_found found;
	uint64_t before;
	int dir, err = 0;

	make_parents(path);
	dir = open_parent(path);
	if (dir < 0)
		return errno;
	/* The one before may still be at it, for a process that has ended. */
	if (flock(dir, LOCK_EX)) {
		err = errno;
		close(dir);
		return err;
	}
	found = epoch_read(path, group, &before);
	if (found == EPOCH_ERROR)
		err = errno;
	else if (found == EPOCH_FOREIGN)
		err = EEXIST;
	else if (found != EPOCH_GOOD || before < value)
		err = replace(path, group, value);
	if (!err && fsync(dir))
		err = errno;
	close(dir);
	return err;
}

/* ---- and not being held up by it ---- */

static void failed(struct epoch *epoch, int err)
{
	if (!epoch->told)
		log_err("cannot store epoch %llu in %s: %s; this host will not know of it when it is started again",
			(unsigned long long)epoch->highest, epoch->path, strerror(err));
	epoch->told = true;
	loop_timer_set(epoch->loop, &epoch->write, epoch->loop->now_ms + AGAIN_MS);
}

static void written(void *arg, uint32_t events)
{
	struct epoch *epoch = arg;
	int status = 0, err = EINTR;

	(void)events;
	close(loop_remove(epoch->loop, &epoch->written));
	if (waitpid(epoch->pid, &status, 0) == epoch->pid && WIFEXITED(status))
		err = WEXITSTATUS(status);
	epoch->pid = 0;
	if (err) {
		failed(epoch, err);
		return;
	}
	epoch->told = false;
	epoch->stored = epoch->writing;
	if (epoch->highest > epoch->stored)
		loop_timer_set(epoch->loop, &epoch->write, epoch->loop->now_ms);
}

/*
 * A process of its own, since a disk may hold it for as long as it likes, and nothing of this one's may be held with it: the kernel
 * would not see the netlink sockets close when this process dies, nor a next one get its port.
 */
static void write_now(void *arg)
{
	struct epoch *epoch = arg;
	int fd, err;
	pid_t pid;

	if (epoch->pid || epoch->highest <= epoch->stored)
		return;
	pid = fork();
	if (!pid) {
		close_range(STDERR_FILENO + 1, ~0u, 0);
		_exit(epoch_write(epoch->path, epoch->group, epoch->highest));
	}
	if (pid < 0) {
		failed(epoch, errno);
		return;
	}
	fd = syscall(SYS_pidfd_open, pid, 0);
	err = fd < 0 ? errno : -loop_add(epoch->loop, &epoch->written, fd, EPOLLIN);
	if (err) {
		if (fd >= 0)
			close(fd);
		failed(epoch, err);
		return;
	}
	epoch->pid = pid;
	epoch->writing = epoch->highest;
}

void epoch_note(struct epoch *epoch, uint64_t now)
{
	if (now <= epoch->highest)
		return;
	epoch->highest = now;
	/* Not before the rest of this round is done: what clients wait for is in it. */
	if (!epoch->foreign)
		loop_timer_set(epoch->loop, &epoch->write, epoch->loop->now_ms);
}

/* ---- life ---- */

void epoch_open(struct epoch *epoch, struct loop *loop, const char *path, const char *group)
{
	enum epoch_found found;

	*epoch = (struct epoch){ .loop = loop, .path = path, .group = group };
	epoch->written = (struct loop_io){ .fd = -1, .ready = written, .arg = epoch };
	epoch->write = (struct loop_timer){ .fire = write_now, .arg = epoch };
	found = epoch_read(path, group, &epoch->stored);
	epoch->highest = epoch->stored;
	epoch->foreign = found == EPOCH_FOREIGN;
	if (found == EPOCH_FOREIGN)
		log_err("%s is not the epoch of group %s: it stays as it is, and this host stores none; see [group] epoch_file",
			path, group);
	else if (found == EPOCH_DAMAGED)
		log_err("%s is damaged: this host does not know which epochs it was in before it was started", path);
	else if (found == EPOCH_ERROR)
		log_err("cannot read %s: %s; this host does not know which epochs it was in before it was started", path,
			strerror(errno));
}

void epoch_close(struct epoch *epoch)
{
	loop_timer_stop(epoch->loop, &epoch->write);
	if (epoch->written.fd >= 0)
		close(loop_remove(epoch->loop, &epoch->written));
}
