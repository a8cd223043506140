/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_TYPES_H
#define SHIM_TYPES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef uint8_t u8, __u8;
typedef uint16_t u16, __be16;
typedef uint32_t u32, __be32;
typedef unsigned long long u64, __be64;	/* as in the kernel */
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;
#define U32_MAX UINT32_MAX
#define U64_MAX ((u64)~0ull)
#endif
