/* SPDX-License-Identifier: GPL-2.0 */
/* What the fuzz targets share: the input as a supply of choices, and checks that end the process. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

#define CHECK(what) do { \
	if (!(what)) { \
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
		abort(); \
	} \
} while (0)

/* When it is used up all choices are 0. */
struct fuzz {
	const u8 *at;
	size_t left;
};

static inline u8 fuzz_u8(struct fuzz *f)
{
	if (!f->left)
		return 0;
	f->left--;
	return *f->at++;
}

static inline u16 fuzz_u16(struct fuzz *f)
{
	u16 high = fuzz_u8(f);

	return high << 8 | fuzz_u8(f);
}

static inline u32 fuzz_u32(struct fuzz *f)
{
	u32 high = fuzz_u16(f);

	return high << 16 | fuzz_u16(f);
}

static inline u64 fuzz_u64(struct fuzz *f)
{
	u64 high = fuzz_u32(f);

	return high << 32 | fuzz_u32(f);
}

/* A small number most of the time: near an edge is where it gets interesting. */
static inline s32 fuzz_near(struct fuzz *f)
{
	u8 how = fuzz_u8(f);

	if (how < 128)
		return 0;
	if (how < 192)
		return (s32)(how & 15) - 8;
	if (how < 240)
		return (s16)fuzz_u16(f);
	return (s32)fuzz_u32(f);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif
