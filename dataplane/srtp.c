/* SPDX-License-Identifier: Apache-2.0 */
#include "srtp.h"

#include "srtp_backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- memory --------------------------------------------------------------------------------- */

void *srtp_memory_take(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, bytes, MADV_DONTDUMP);
	madvise(p, bytes, MADV_HUGEPAGE);
	/* EINVAL: a kernel before 5.14 takes it page by page, as it is touched. */
	if (madvise(p, bytes, MADV_POPULATE_WRITE) == 0 || errno == EINVAL)
		return p;
	munmap(p, bytes);
	return NULL;
}

void srtp_memory_give(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, bytes);
}

/* ---- start and end -------------------------------------------------------------------------- */

enum cord_srtp_backend srtp_pick(enum cord_srtp_backend asked)
{
	enum cord_srtp_backend best;

	switch (asked) {
	case CORD_SRTP_BACKEND_LIBSRTP:
		return asked;
	case CORD_SRTP_BACKEND_NONE:
		best = srtp_ipsec_mb_kind(CORD_SRTP_BACKEND_IPSEC_MB_AVX512);
		return best ? best : CORD_SRTP_BACKEND_LIBSRTP;
	case CORD_SRTP_BACKEND_IPSEC_MB:
		return srtp_ipsec_mb_kind(CORD_SRTP_BACKEND_IPSEC_MB_AVX512);
	default:
		return srtp_ipsec_mb_kind(asked) == asked ? asked : CORD_SRTP_BACKEND_NONE;
	}
}

static size_t keys_bytes(const struct srtp_keys *s)
{
	return s->slots * sizeof(struct cord_srtp_key);
}

static void masters_give(struct srtp_keys *s)
{
	for (uint32_t d = 0; d < SRTP_DIRECTIONS; d++)
		srtp_memory_give(s->master[d], keys_bytes(s));
}

static bool masters_take(struct srtp_keys *s)
{
	bool whole = true;

	for (uint32_t d = 0; d < SRTP_DIRECTIONS; d++) {
		s->master[d] = srtp_memory_take(keys_bytes(s));
		whole = whole && s->master[d];
	}
	return whole;
}

int srtp_keys_create(struct srtp_keys **keys, enum cord_srtp_backend backend, uint32_t slots)
{
	struct srtp_keys *s = calloc(1, sizeof(*s));
	int rc = -ENOMEM;

	if (s == NULL)
		return rc;
	s->backend = srtp_pick(backend);
	s->slots = slots;
	s->ops = s->backend == CORD_SRTP_BACKEND_LIBSRTP ? &srtp_libsrtp_ops : &srtp_ipsec_mb_ops;
	if (masters_take(s))
		rc = s->backend == CORD_SRTP_BACKEND_NONE ? -ENOTSUP : s->ops->create(s);
	if (rc == 0) {
		*keys = s;
		return 0;
	}
	masters_give(s);
	free(s);
	return rc;
}

void srtp_keys_destroy(struct srtp_keys *s)
{
	if (s == NULL)
		return;
	s->ops->destroy(s);
	masters_give(s);
	free(s);
}

int srtp_engine_create(struct srtp_engine **engine, struct srtp_keys *keys)
{
	struct srtp_engine *e = calloc(1, sizeof(*e));
	int rc;

	if (e == NULL)
		return -ENOMEM;
	e->keys = keys;
	rc = keys->ops->engine_create(e);
	if (rc)
		free(e);
	else
		*engine = e;
	return rc;
}

void srtp_engine_destroy(struct srtp_engine *e)
{
	if (e == NULL)
		return;
	e->keys->ops->engine_destroy(e);
	free(e);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static bool is_set(const struct srtp_keys *s, uint32_t slot, enum srtp_direction d)
{
	return slot < s->slots && s->master[d][slot].suite != CORD_SRTP_NONE;
}

static void clear(struct srtp_engine *e, uint32_t slot, enum srtp_direction d)
{
	if (!is_set(e->keys, slot, d))
		return;
	e->keys->ops->clear(e, slot, d);
	explicit_bzero(&e->keys->master[d][slot], sizeof(struct cord_srtp_key));
}

static int set(struct srtp_engine *e, uint32_t slot, enum srtp_direction d,
	const struct cord_srtp_key *key, uint32_t ssrc)
{
	if (slot >= e->keys->slots || cord_srtp_key_bytes(key->suite) == 0)
		return -EINVAL;
	clear(e, slot, d);
	int rc = e->keys->ops->set(e, slot, d, key, ssrc);

	if (rc == 0)
		e->keys->master[d][slot] = *key;
	return rc;
}

int srtp_set_send(
	struct srtp_engine *e, uint32_t slot, const struct cord_srtp_key *key, uint32_t ssrc)
{
	return set(e, slot, SRTP_SEND, key, ssrc);
}

int srtp_set_receive(struct srtp_engine *e, uint32_t slot, const struct cord_srtp_key *key)
{
	return set(e, slot, SRTP_RECEIVE, key, 0);
}

void srtp_inherit(struct srtp_engine *e, uint32_t slot, uint32_t before)
{
	if (is_set(e->keys, slot, SRTP_RECEIVE) && is_set(e->keys, before, SRTP_RECEIVE))
		e->keys->ops->inherit(e, slot, before);
}

static bool has(const struct srtp_engine *e, uint32_t slot, enum srtp_direction d,
	const struct cord_srtp_key *key)
{
	const struct cord_srtp_key *set = &e->keys->master[d][slot];

	return is_set(e->keys, slot, d) && set->suite == key->suite &&
	       memcmp(set->key, key->key, cord_srtp_key_bytes(key->suite)) == 0;
}

bool srtp_sends_with(const struct srtp_engine *e, uint32_t slot, const struct cord_srtp_key *key)
{
	return has(e, slot, SRTP_SEND, key);
}

bool srtp_receives_with(const struct srtp_engine *e, uint32_t slot, const struct cord_srtp_key *key)
{
	return has(e, slot, SRTP_RECEIVE, key);
}

void srtp_clear(struct srtp_engine *e, uint32_t slot)
{
	clear(e, slot, SRTP_SEND);
	clear(e, slot, SRTP_RECEIVE);
}

/* ---- packets -------------------------------------------------------------------------------- */

void srtp_protect_burst(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += SRTP_BURST)
		e->keys->ops->protect(e, packet + i, n - i < SRTP_BURST ? n - i : SRTP_BURST);
}

void srtp_unprotect_burst(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += SRTP_BURST)
		e->keys->ops->unprotect(e, packet + i, n - i < SRTP_BURST ? n - i : SRTP_BURST);
}
