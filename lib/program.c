// SPDX-License-Identifier: GPL-2.0
/* Is there such a program, and does it take libraries by LD_PRELOAD? */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "program.h"

#define SCRIPTS	4	/* scripts whose interpreter is a script: the kernel follows as many */

static int executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno == ENOENT || errno == ENOTDIR ? 127 : 126;
	return S_ISREG(st.st_mode) && !access(path, X_OK) ? 0 : 126;
}

int program_find(const char *name, char *path, size_t room)
{
	const char *list = getenv("PATH"), *end;
	int status = 127, one;

	if (strchr(name, '/')) {
		snprintf(path, room, "%s", name);
		return executable(path);
	}
	if (!list)
		list = "/bin:/usr/bin";
	for (;; list = end + 1) {
		end = strchrnul(list, ':');
		snprintf(path, room, "%.*s%s%s", (int)(end - list), list, end == list ? "" : "/", name);
		one = executable(path);
		if (!one)
			return 0;
		if (one == 126)
			status = 126;
		if (!*end)
			return status;
	}
}

/* Whoever gains rights by running it does so without the libraries of others. */
static bool gains_rights(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	return (st.st_mode & S_ISUID && st.st_uid != getuid()) || (st.st_mode & S_ISGID && st.st_gid != getgid()) ||
		(getuid() && getxattr(path, "security.capability", NULL, 0) > 0);
}

static const char *elf_closed(int fd, const ElfW(Ehdr) *elf)
{
	ElfW(Phdr) header;

	if (elf->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
		return "is for machines of another word size than ftcprun's library";
	for (int i = 0; i < elf->e_phnum; i++) {
		if (pread(fd, &header, sizeof(header), elf->e_phoff + i * elf->e_phentsize) != sizeof(header))
			break;
		if (header.p_type == PT_INTERP)
			return NULL;
	}
	return "is linked statically: no library can be loaded into it. Only its own use of socket(.., .., IPPROTO_FTCP) can help";
}

/* "#! /usr/bin/env python3": what env runs is nobody's business here. */
static const char *script_closed(char *line, int depth);

static const char *closed(const char *path, int depth)
{
	union {
		char text[PATH_MAX];
		ElfW(Ehdr) elf;
	} head = { .text = "" };
	const char *why = NULL;
	int fd;

	if (gains_rights(path))
		return "gains rights when it is run (setuid or capabilities): the loader ignores LD_PRELOAD there. Run it as that user";
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (read(fd, head.text, sizeof(head) - 1) > 0) {
		if (!memcmp(head.text, ELFMAG, SELFMAG))
			why = elf_closed(fd, &head.elf);
		else if (!strncmp(head.text, "#!", 2))
			why = script_closed(head.text + 2, depth);
	}
	close(fd);
	return why;
}

static const char *script_closed(char *line, int depth)
{
	char *rest, *interpreter;

	line[strcspn(line, "\n")] = '\0';
	interpreter = strtok_r(line, " \t", &rest);
	return interpreter && depth < SCRIPTS ? closed(interpreter, depth + 1) : NULL;
}

const char *program_closed(const char *path)
{
	return closed(path, 0);
}
