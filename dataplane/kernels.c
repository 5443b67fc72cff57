/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#include "g711.h"
#include "mix.h"

extern const struct g711_kernels g711_kernels_plain;
extern const struct mix_kernels mix_kernels_plain;

#ifdef KERNELS_SIBLINGS
extern const struct g711_kernels g711_kernels_avx2, g711_kernels_avx512;
extern const struct mix_kernels mix_kernels_avx2, mix_kernels_avx512;

static bool can(enum kernels_kind kind)
{
	switch (kind) {
	case KERNELS_AVX2:
		return __builtin_cpu_supports("avx2");
	case KERNELS_AVX512:
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
		       __builtin_cpu_supports("avx512vbmi");
	default:
		return kind == KERNELS_PLAIN;
	}
}

static const struct g711_kernels *const g711_of[KERNELS_KINDS] = {
	&g711_kernels_plain, &g711_kernels_avx2, &g711_kernels_avx512};
static const struct mix_kernels *const mix_of[KERNELS_KINDS] = {
	&mix_kernels_plain, &mix_kernels_avx2, &mix_kernels_avx512};

static void prepare(enum kernels_kind kind)
{
	if (kind == KERNELS_AVX512)
		g711_avx512_prepare();
}
#else
static bool can(enum kernels_kind kind)
{
	return kind == KERNELS_PLAIN;
}

static const struct g711_kernels *const g711_of[KERNELS_KINDS] = {&g711_kernels_plain};
static const struct mix_kernels *const mix_of[KERNELS_KINDS] = {&mix_kernels_plain};

static void prepare(enum kernels_kind kind)
{
	(void)kind;
}
#endif

const struct g711_kernels *g711_kernels = &g711_kernels_plain;
const struct mix_kernels *mix_kernels = &mix_kernels_plain;

bool kernels_use(enum kernels_kind kind)
{
	if (!can(kind))
		return false;
	prepare(kind);
	g711_kernels = g711_of[kind];
	mix_kernels = mix_of[kind];
	return true;
}

const char *kernels_name(enum kernels_kind kind)
{
	static const char *const name[KERNELS_KINDS] = {"plain", "AVX2", "AVX-512"};

	return name[kind];
}

/* Before main(): whoever links the arithmetic has the best of it. */
__attribute__((constructor)) static void choose(void)
{
	for (enum kernels_kind kind = KERNELS_KINDS; kind-- > KERNELS_PLAIN;) {
		if (kernels_use(kind))
			return;
	}
}
