// SPDX-License-Identifier: GPL-2.0
/*
 * An epoll set keeps files, not numbers: when dup3() puts another file under a number, the set forgets the old one or, if that lives on in
 * another process, goes on with it. /proc tells which sets have it, for what events and with what data.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "preload.h"

static bool is_epoll(const char *name)
{
	char path[300], target[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%s", name);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	return !strcmp(target, "anon_inode:[eventpoll]");
}

static bool find(const char *name, int fd, unsigned long ino, struct epoll_event *event)
{
	unsigned long long data;
	unsigned long inode;
	unsigned int events;
	bool found = false;
	char line[300];
	FILE *info;
	int number;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%s", name);
	info = fopen(line, "re");
	if (!info)
		return false;
	while (!found && fgets(line, sizeof(line), info)) {
		if (sscanf(line, "tfd: %d events: %x data: %llx pos:%*d ino:%lx", &number, &events, &data, &inode) != 4)
			continue;
		found = number == fd && inode == ino;
	}
	fclose(info);
	event->events = events;
	event->data.u64 = data;
	return found;
}

size_t epoll_leave(int fd, unsigned long ino, struct epoll_place *places, size_t room)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	size_t n = 0;

	if (!dir)
		return 0;
	while (n < room && (entry = readdir(dir))) {
		if (!is_epoll(entry->d_name) || !find(entry->d_name, fd, ino, &places[n].event))
			continue;
		places[n].set = atoi(entry->d_name);
		if (!epoll_ctl(places[n].set, EPOLL_CTL_DEL, fd, NULL))
			n++;
	}
	closedir(dir);
	return n;
}

void epoll_enter(int fd, struct epoll_place *places, size_t n)
{
	for (size_t i = 0; i < n; i++)
		epoll_ctl(places[i].set, EPOLL_CTL_ADD, fd, &places[i].event);
}
