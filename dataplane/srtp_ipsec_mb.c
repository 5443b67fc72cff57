/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SRTP over libipsec-mb: the library does AES, GHASH and SHA-1 over a whole burst; the derivation
 * of keys is ours, and so is what becomes of a packet around it (srtp_packet.h).
 *
 * Layout: a packet touches the first line of its key block, the round keys behind it, and, when it
 * was received, the first line of its slot's streams. Key blocks of RTP and RTCP, to send and to
 * receive with, lie in arrays of their own, so that RTP alone is what the cache holds.
 */
#include "rtp.h"
#include "srtp_packet.h"

#include <errno.h>
#include <intel-ipsec-mb.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_KEYS_BYTES       (15u * 16u) /* of AES-256 */
#define SHORT_ROUND_KEYS_BYTES (11u * 16u) /* of AES-128 */
/* Packets ahead. */
#define AHEAD_FIRST      10u
#define AHEAD_KEYS       6u
#define POWER_BYTES      16u
#define POWERS           48u /* of GHASH's key, at most */
#define LOW_POWERS       11u /* of them for a packet of up to 160 bytes of payload */
#define SHA1_BLOCK_BYTES 64u

/* RFC 3711 section 4.3.2; those of RTCP follow by LABELS. */
enum label { LABEL_CIPHER = 0, LABEL_AUTHENTICATION = 1, LABEL_SALT = 2, LABELS = 3 };

struct key_block {
	alignas(64) struct srtp_context context;
	/* SHA-1 after the first block of HMAC */
	uint8_t inner[SRTP_SHA1_BYTES], outer[SRTP_SHA1_BYTES];
	alignas(64) union {
		uint8_t round_keys[ROUND_KEYS_BYTES];
		struct gcm_key_data gcm;
	};
};
_Static_assert(offsetof(struct key_block, round_keys) == 64, "all but the round keys is one line");

struct blocks {
	struct key_block *block[SRTP_DIRECTIONS][SRTP_PROTOCOLS];
	struct srtp_receiver *receiver;
};

struct engine {
	IMB_MGR *manager;
	uint32_t low_powers;         /* offset in a key block */
	aes_gcm_enc_dec_t gcm[2][2]; /* [key of 256 bits][encrypt] */
	struct srtp_work work[SRTP_BURST];
	struct key_block *key[SRTP_BURST]; /* theirs */
	IMB_JOB cipher[SRTP_BURST], hash[SRTP_BURST];
};

/* ---- the library ---------------------------------------------------------------------------- */

/* NULL: no memory, or the processor cannot do it. Its self-test has passed. */
static IMB_MGR *manager_create(enum cord_srtp_backend kind)
{
	IMB_MGR *m = alloc_mb_mgr(0);

	if (m == NULL)
		return NULL;
	switch (kind) {
	case CORD_SRTP_BACKEND_IPSEC_MB_AVX512:
		init_mb_mgr_avx512(m);
		break;
	case CORD_SRTP_BACKEND_IPSEC_MB_AVX2:
		init_mb_mgr_avx2(m);
		break;
	case CORD_SRTP_BACKEND_IPSEC_MB_AVX:
		init_mb_mgr_avx(m);
		break;
	default:
		init_mb_mgr_sse(m);
		break;
	}
	bool emulated = !(m->features & IMB_FEATURE_AESNI) || (m->features & IMB_FEATURE_AESNI_EMU);

	if (imb_get_errno(m) == 0 && (m->features & IMB_FEATURE_SELF_TEST_PASS) && !emulated)
		return m;
	free_mb_mgr(m);
	return NULL;
}

enum cord_srtp_backend srtp_ipsec_mb_kind(enum cord_srtp_backend most)
{
	for (uint32_t kind = most; kind >= CORD_SRTP_BACKEND_IPSEC_MB_SSE; kind--) {
		IMB_MGR *m = manager_create((enum cord_srtp_backend)kind);

		if (m) {
			free_mb_mgr(m);
			return (enum cord_srtp_backend)kind;
		}
	}
	return CORD_SRTP_BACKEND_NONE;
}

/* ---- start and end -------------------------------------------------------------------------- */

static size_t blocks_bytes(const struct srtp_keys *s)
{
	return s->slots * sizeof(struct key_block);
}

static void destroy(struct srtp_keys *s)
{
	struct blocks *blocks = s->own;

	for (uint32_t i = 0; i < SRTP_DIRECTIONS * SRTP_PROTOCOLS; i++)
		srtp_memory_give(
			blocks->block[i / SRTP_PROTOCOLS][i % SRTP_PROTOCOLS], blocks_bytes(s));
	srtp_memory_give(blocks->receiver, s->slots * sizeof(*blocks->receiver));
	free(blocks);
}

static int create(struct srtp_keys *s)
{
	struct blocks *blocks = calloc(1, sizeof(*blocks));
	bool whole = true;

	if (blocks == NULL)
		return -ENOMEM;
	s->own = blocks;
	for (uint32_t i = 0; i < SRTP_DIRECTIONS * SRTP_PROTOCOLS; i++) {
		struct key_block *block = srtp_memory_take(blocks_bytes(s));

		blocks->block[i / SRTP_PROTOCOLS][i % SRTP_PROTOCOLS] = block;
		whole = whole && block;
	}
	blocks->receiver = srtp_memory_take(s->slots * sizeof(*blocks->receiver));
	if (whole && blocks->receiver)
		return 0;
	destroy(s);
	return -ENOMEM;
}

/* What is the same in all jobs. */
static void jobs_init(struct engine *own)
{
	for (uint32_t i = 0; i < SRTP_BURST; i++) {
		own->cipher[i].cipher_mode = IMB_CIPHER_CNTR;
		own->cipher[i].cipher_direction = IMB_DIR_ENCRYPT;
		own->cipher[i].hash_alg = IMB_AUTH_NULL;
		own->cipher[i].iv_len_in_bytes = sizeof(own->work->iv);
		own->hash[i].cipher_mode = IMB_CIPHER_NULL;
		own->hash[i].hash_alg = IMB_AUTH_HMAC_SHA_1;
		own->hash[i].auth_tag_output_len_in_bytes = SRTP_SHA1_BYTES;
	}
}

/*
 * The low powers of GHASH's key lie behind the high ones where there are 48, which takes vectors of
 * AES (VAES), in front of them otherwise.
 */
static uint32_t low_powers_find(IMB_MGR *m)
{
	static const uint8_t key[16];
	struct key_block block = {0};
	const uint8_t *end = (const uint8_t *)&block.gcm.ghash_keys + POWERS * POWER_BYTES;

	IMB_AES128_GCM_PRE(m, key, &block.gcm);
	if (end[-1] | end[-2] | end[-3])
		return (uint32_t)(end - LOW_POWERS * POWER_BYTES - (const uint8_t *)&block);
	return offsetof(struct key_block, gcm.ghash_keys);
}

static int engine_create(struct srtp_engine *e)
{
	struct engine *own = aligned_alloc(64, (sizeof(*own) + 63) & ~(size_t)63);

	if (own == NULL)
		return -ENOMEM;
	memset(own, 0, sizeof(*own));
	own->manager = manager_create(e->keys->backend);
	if (own->manager == NULL) {
		free(own);
		return -ENOMEM;
	}
	own->low_powers = low_powers_find(own->manager);
	own->gcm[0][0] = own->manager->gcm128_dec;
	own->gcm[0][1] = own->manager->gcm128_enc;
	own->gcm[1][0] = own->manager->gcm256_dec;
	own->gcm[1][1] = own->manager->gcm256_enc;
	jobs_init(own);
	e->own = own;
	return 0;
}

static void engine_destroy(struct srtp_engine *e)
{
	struct engine *own = e->own;

	free_mb_mgr(own->manager);
	free(own);
}

/* ---- memory ahead --------------------------------------------------------------------------- */

/*
 * Key blocks of many ports lie in memory, and those of a whole burst do not stay in the nearest cache:
 * each step fetches for the packet that is some places behind the one it works on.
 */
static inline void fetch(const void *at, uint32_t bytes)
{
	/* A function that only has __builtin_prefetch() is one without effect to gcc, and goes. */
	for (uint32_t i = 0; i < bytes; i += 64)
		__asm__ volatile("prefetcht0 %0" : : "m"(((const uint8_t *)at)[i]));
}

/* What encrypts and authenticates a packet of G.711. */
static void fetch_keys(const struct engine *own, uint32_t at)
{
	const struct cord_srtp_parts *suite = own->work[at].suite;
	const struct key_block *key = own->key[at];

	fetch(key->round_keys, suite->key_bytes == 32 ? ROUND_KEYS_BYTES : SHORT_ROUND_KEYS_BYTES);
	if (suite->aead)
		fetch((const uint8_t *)key + own->low_powers, LOW_POWERS * POWER_BYTES);
}

/* What the beginning of a packet looks at. */
static void fetch_first(const struct srtp_engine *e, const struct srtp_packet *packet,
	enum srtp_direction direction)
{
	const struct blocks *blocks = e->keys->own;

	fetch(&blocks->block[direction][packet->rtcp ? SRTP_RTCP : SRTP_RTP][packet->slot], 64);
	if (direction == SRTP_RECEIVE)
		fetch(&blocks->receiver[packet->slot], 64);
}

/* ---- AES in counter mode, HMAC --------------------------------------------------------------- */

static void cipher_job(struct engine *own, uint32_t n, uint32_t at)
{
	const struct srtp_work *w = &own->work[at];
	IMB_JOB *job = &own->cipher[n];
	uint8_t *body = w->packet->data + w->clear;

	job->enc_keys = own->key[at]->round_keys;
	job->key_len_in_bytes = w->suite->key_bytes;
	job->src = body;
	job->dst = body;
	job->msg_len_to_cipher_in_bytes = w->body;
	job->iv = w->iv;
	job->user_data = w->packet;
}

/* False: the library refused something, which it has no reason to. */
static bool cipher_run(struct engine *own, uint32_t n, uint32_t key_bytes)
{
	return n == 0 || IMB_SUBMIT_CIPHER_BURST(own->manager, own->cipher, n, IMB_CIPHER_CNTR,
				 IMB_DIR_ENCRYPT, key_bytes) == n;
}

/* What has not been done is neither sent nor taken. */
static void refuse_undone(const IMB_JOB *job, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct srtp_packet *packet = job[i].user_data;

		if (job[i].status != IMB_STATUS_COMPLETED)
			packet->verdict = SRTP_FORGED;
	}
}

/* Encrypts or decrypts, which is the same, what is good and of no AEAD suite. */
static void cipher_all(struct engine *own, uint32_t n)
{
	for (uint32_t key_bytes = 16; key_bytes <= 32; key_bytes += 16) {
		uint32_t jobs = 0;

		for (uint32_t i = 0; i < n; i++) {
			const struct srtp_work *w = &own->work[i];

			if (w->packet->verdict == SRTP_GOOD && !w->suite->aead && w->body &&
				w->suite->key_bytes == key_bytes)
				cipher_job(own, jobs++, i);
		}
		if (!cipher_run(own, jobs, key_bytes))
			refuse_undone(own->cipher, jobs);
	}
}

/* What follows the body in the HMAC: of RTP its roll-over counter, of RTCP its index. */
static void hash_all(struct engine *own, uint32_t n)
{
	uint32_t jobs = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct srtp_work *w = &own->work[i];
		IMB_JOB *job = &own->hash[jobs];
		uint16_t bytes = w->clear + w->body;

		if (w->packet->verdict != SRTP_GOOD || w->suite->aead)
			continue;
		if (w->protocol == SRTP_RTP)
			rtp_put32(w->packet->data + bytes, (uint32_t)(w->index >> 16));
		job->src = w->packet->data;
		job->msg_len_to_hash_in_bytes = bytes + 4u;
		job->auth_tag_output = w->tag;
		job->u.HMAC._hashed_auth_key_xor_ipad = own->key[i]->inner;
		job->u.HMAC._hashed_auth_key_xor_opad = own->key[i]->outer;
		job->user_data = w->packet;
		jobs++;
	}
	if (jobs &&
		IMB_SUBMIT_HASH_BURST(own->manager, own->hash, jobs, IMB_AUTH_HMAC_SHA_1) != jobs)
		refuse_undone(own->hash, jobs);
}

/* ---- AES-GCM --------------------------------------------------------------------------------- */

/* RFC 7714: of RTP the header is authenticated, of RTCP its head and its index. */
static void gcm(struct engine *own, uint32_t at, bool encrypt)
{
	struct srtp_work *w = &own->work[at];
	struct gcm_context_data context;
	uint8_t *body = w->packet->data + w->clear;
	bool rtp = w->protocol == SRTP_RTP;

	own->gcm[w->suite->key_bytes == 32][encrypt](&own->key[at]->gcm, &context, body, body,
		w->body, w->iv, rtp ? w->packet->data : w->aad, rtp ? w->clear : sizeof(w->aad),
		w->tag, SRTP_GCM_TAG_BYTES);
}

static void gcm_all(struct engine *own, uint32_t n, bool encrypt)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct srtp_work *w = &own->work[i];

		if (i + AHEAD_KEYS < n && own->work[i + AHEAD_KEYS].suite->aead)
			fetch_keys(own, i + AHEAD_KEYS);
		if (w->packet->verdict == SRTP_GOOD && w->suite->aead)
			gcm(own, i, encrypt);
	}
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void expand(struct engine *own, const uint8_t *key, uint32_t bytes,
	uint8_t round_keys[ROUND_KEYS_BYTES])
{
	alignas(16) uint8_t unused[ROUND_KEYS_BYTES];

	if (bytes == 32)
		IMB_AES_KEYEXP_256(own->manager, key, round_keys, unused);
	else
		IMB_AES_KEYEXP_128(own->manager, key, round_keys, unused);
	explicit_bzero(unused, sizeof(unused));
}

/* RFC 3711 section 4.3.1 with a key derivation rate of 0; RFC 6188 and 7714 leave it as it is. */
static bool derive(struct engine *own, const uint8_t *round_keys,
	const struct cord_srtp_parts *suite, const uint8_t *salt, uint32_t label, uint8_t *out,
	uint32_t bytes)
{
	IMB_JOB *job = &own->cipher[0];
	alignas(16) uint8_t iv[16] = {0};

	memcpy(iv, salt, suite->salt_bytes);
	iv[7] ^= (uint8_t)label;
	memset(out, 0, bytes);
	job->enc_keys = round_keys;
	job->key_len_in_bytes = suite->key_bytes;
	job->src = out;
	job->dst = out;
	job->msg_len_to_cipher_in_bytes = bytes;
	job->iv = iv;
	bool done = cipher_run(own, 1, suite->key_bytes);

	explicit_bzero(iv, sizeof(iv));
	return done;
}

static void hmac_half(struct engine *own, const uint8_t *key, uint8_t pad, uint8_t *state)
{
	uint8_t block[SHA1_BLOCK_BYTES];

	for (uint32_t i = 0; i < sizeof(block); i++)
		block[i] = pad ^ (i < SRTP_SHA1_BYTES ? key[i] : 0);
	IMB_SHA1_ONE_BLOCK(own->manager, block, state);
	explicit_bzero(block, sizeof(block));
}

/* False: keys could not be derived. */
static bool block_set(struct engine *own, struct key_block *block, enum srtp_protocol protocol,
	const uint8_t *master, const struct cord_srtp_key *key)
{
	const struct cord_srtp_parts *suite = cord_srtp_parts(key->suite);
	const uint8_t *salt = key->key + suite->key_bytes;
	uint32_t first = protocol == SRTP_RTCP ? LABELS : 0;
	alignas(16) uint8_t session[32];
	bool done;

	block->context.suite = key->suite;
	done = derive(own, master, suite, salt, first + LABEL_SALT, block->context.salt,
		suite->salt_bytes);
	done &= derive(own, master, suite, salt, first + LABEL_CIPHER, session, suite->key_bytes);
	if (suite->aead && suite->key_bytes == 32)
		IMB_AES256_GCM_PRE(own->manager, session, &block->gcm);
	else if (suite->aead)
		IMB_AES128_GCM_PRE(own->manager, session, &block->gcm);
	else
		expand(own, session, suite->key_bytes, block->round_keys);
	if (!suite->aead) {
		done &= derive(own, master, suite, salt, first + LABEL_AUTHENTICATION, session,
			SRTP_SHA1_BYTES);
		hmac_half(own, session, 0x36, block->inner);
		hmac_half(own, session, 0x5c, block->outer);
	}
	explicit_bzero(session, sizeof(session));
	return done;
}

static void clear(struct srtp_engine *e, uint32_t slot, enum srtp_direction direction)
{
	struct blocks *blocks = e->keys->own;

	for (uint32_t protocol = SRTP_RTP; protocol < SRTP_PROTOCOLS; protocol++)
		explicit_bzero(&blocks->block[direction][protocol][slot], sizeof(struct key_block));
	if (direction == SRTP_RECEIVE)
		memset(&blocks->receiver[slot], 0, sizeof(struct srtp_receiver));
}

static int set(struct srtp_engine *e, uint32_t slot, enum srtp_direction direction,
	const struct cord_srtp_key *key, uint32_t ssrc)
{
	struct blocks *blocks = e->keys->own;
	alignas(16) uint8_t master[ROUND_KEYS_BYTES];
	bool done = true;

	(void)ssrc; /* the stream to send is what is sent */
	expand(e->own, key->key, cord_srtp_parts(key->suite)->key_bytes, master);
	for (uint32_t protocol = SRTP_RTP; protocol < SRTP_PROTOCOLS; protocol++)
		done &= block_set(e->own, &blocks->block[direction][protocol][slot],
			(enum srtp_protocol)protocol, master, key);
	explicit_bzero(master, sizeof(master));
	if (!done)
		clear(e, slot, direction);
	return done ? 0 : -EIO;
}

static void inherit(struct srtp_engine *e, uint32_t slot, uint32_t before)
{
	const struct blocks *blocks = e->keys->own;

	srtp_receiver_inherit(&blocks->receiver[slot], &blocks->receiver[before]);
}

/* ---- packets --------------------------------------------------------------------------------- */

/* Begins with packet number `at`, and fetches for the one that is some places behind it. */
static void work_next(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n, uint32_t at,
	enum srtp_direction direction)
{
	const struct blocks *blocks = e->keys->own;
	struct engine *own = e->own;
	struct srtp_work *w = &own->work[at];
	enum srtp_protocol protocol = packet[at].rtcp ? SRTP_RTCP : SRTP_RTP;
	struct key_block *key = &blocks->block[direction][protocol][packet[at].slot];

	for (uint32_t i = at ? at + AHEAD_FIRST : 0; i < n && i <= at + AHEAD_FIRST; i++)
		fetch_first(e, &packet[i], direction);
	own->key[at] = key;
	w->packet = &packet[at];
	w->protocol = protocol;
	w->context = &key->context;
	w->suite = cord_srtp_parts(key->context.suite);
	/* AES-GCM comes packet by packet, the rest together, with all the keys. */
	if (at < AHEAD_KEYS || !w->suite->aead)
		fetch_keys(own, at);
}

static void protect(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n)
{
	struct engine *own = e->own;

	for (uint32_t i = 0; i < n; i++) {
		work_next(e, packet, n, i, SRTP_SEND);
		packet[i].verdict = (uint8_t)srtp_packet_send(&own->work[i]);
	}
	gcm_all(own, n, true);
	cipher_all(own, n);
	hash_all(own, n);
	for (uint32_t i = 0; i < n; i++)
		srtp_packet_sent(&own->work[i]);
}

static void unprotect(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n)
{
	const struct blocks *blocks = e->keys->own;
	struct engine *own = e->own;

	for (uint32_t i = 0; i < n; i++) {
		work_next(e, packet, n, i, SRTP_RECEIVE);
		packet[i].verdict = (uint8_t)srtp_packet_receive(
			&own->work[i], &blocks->receiver[packet[i].slot]);
	}
	gcm_all(own, n, false);
	hash_all(own, n);
	for (uint32_t i = 0; i < n; i++)
		srtp_packet_authenticate(&own->work[i]);
	cipher_all(own, n);
	for (uint32_t i = 0; i < n; i++)
		srtp_packet_received(&own->work[i], &blocks->receiver[packet[i].slot]);
}

const struct srtp_ops srtp_ipsec_mb_ops = {
	.create = create,
	.destroy = destroy,
	.engine_create = engine_create,
	.engine_destroy = engine_destroy,
	.set = set,
	.clear = clear,
	.inherit = inherit,
	.protect = protect,
	.unprotect = unprotect,
};
