/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arithmetic of G.711 and of mixing is plain C that the compiler vectorises. It is built once
 * for the instructions that the rest is built for, and again, as siblings, for wider vectors; G.711
 * with AVX-512 is written out (g711_avx512.c). The best that the processor has runs. All siblings
 * give the same, bit for bit.
 */
#ifndef KERNELS_H
#define KERNELS_H

#include <stdbool.h>

enum kernels_kind { KERNELS_PLAIN, KERNELS_AVX2, KERNELS_AVX512, KERNELS_KINDS };

/* The name of a table of functions in the sibling that is being built: meson.build says which. */
#ifndef KERNELS_SIBLING
#define KERNELS_SIBLING plain
#endif
#define KERNELS_JOIN(name, sibling) name##_##sibling
#define KERNELS_NAME(name, sibling) KERNELS_JOIN(name, sibling)
#define KERNELS(name)               KERNELS_NAME(name, KERNELS_SIBLING)

/*
 * For tests and benches, since the best run without being asked for: has the siblings of a kind run
 * from here on. False: this processor or this build has none, and those that ran before go on.
 */
bool kernels_use(enum kernels_kind kind);

/* Makes the tables of G.711 with AVX-512. For kernels_use() alone. */
void g711_avx512_prepare(void);

const char *kernels_name(enum kernels_kind kind);

#endif
