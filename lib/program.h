/* SPDX-License-Identifier: GPL-2.0 */
/* The program that ftcprun is to run. */
#ifndef FTCP_PROGRAM_H
#define FTCP_PROGRAM_H

#include <stddef.h>

/* Where execvp() will find it. 0, or the exit status for what is wrong, as shells have it: 127 not there, 126 not executable. */
int program_find(const char *name, char *path, size_t room);

/* NULL, or why libraries cannot be loaded into it. */
const char *program_closed(const char *path);

#endif
