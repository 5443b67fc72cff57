/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SRTP over libipsec-mb: the library does AES, GHASH and SHA-1 over a whole burst; the derivation
 * of keys, the IVs, roll-over counters and replay windows are ours.
 *
 * Layout: a packet touches the first line of its key block, the round keys behind it, and, when it
 * was received, the first line of its slot's streams. Key blocks of RTP and RTCP, to send and to
 * receive with, lie in arrays of their own, so that RTP alone is what the cache holds.
 */
#include "rtp.h"
#include "srtp_backend.h"
#include "srtp_stream.h"

#include <errno.h>
#include <intel-ipsec-mb.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_KEYS_BYTES       (15u * 16u) /* of AES-256 */
#define SHORT_ROUND_KEYS_BYTES (11u * 16u) /* of AES-128 */
/* Packets ahead. */
#define AHEAD_FIRST 10u
#define AHEAD_KEYS 6u
#define POWER_BYTES      16u
#define POWERS           48u /* of GHASH's key, at most */
#define LOW_POWERS       11u /* of them for a packet of up to 160 bytes of payload */
#define SALT_BYTES       14u
#define SHA1_BLOCK_BYTES 64u
#define GCM_TAG_BYTES    16u
#define RTCP_INDEX_BYTES 4u
#define RTCP_ENCRYPTED   0x80000000u

/* RFC 3711 section 4.3.2; those of RTCP follow by LABELS. */
enum label { LABEL_CIPHER = 0, LABEL_AUTHENTICATION = 1, LABEL_SALT = 2, LABELS = 3 };

enum protocol { RTP, RTCP, PROTOCOLS };

struct key_block {
	alignas(64) uint8_t salt[SALT_BYTES]; /* read as two words: two bytes must follow */
	uint8_t suite;                        /* enum cord_srtp_suite */
	uint8_t unused;
	uint64_t next; /* to send: no packet has had this index or a higher one */
	uint8_t inner[SRTP_SHA1_BYTES],
		outer[SRTP_SHA1_BYTES]; /* SHA-1 after the first block of HMAC */
	alignas(64) union {
		uint8_t round_keys[ROUND_KEYS_BYTES];
		struct gcm_key_data gcm;
	};
};
_Static_assert(offsetof(struct key_block, round_keys) == 64, "all but the round keys is one line");

struct stream {
	uint32_t ssrc;
	struct srtp_window window[PROTOCOLS];
};

/* The streams that came with a slot's key. */
struct receiver {
	alignas(64) uint32_t streams;
	uint32_t last; /* of them that RTP came of: the first one looked at */
	struct stream stream[SRTP_STREAMS_MAX];
	struct srtp_reached before; /* the last one under the key before, whose counter may go on */
};
_Static_assert(offsetof(struct receiver, stream[1]) <= 64, "the usual stream is in the first line");

struct blocks {
	struct key_block *block[SRTP_DIRECTIONS][PROTOCOLS];
	struct receiver *receiver;
};

/* A packet under work. */
struct work {
	struct srtp_packet *packet;
	struct key_block *key;
	const struct cord_srtp_parts *suite;
	uint64_t index;
	uint32_t ssrc;
	uint16_t clear; /* bytes in front that are not encrypted */
	uint16_t body;  /* bytes that are */
	enum protocol protocol;
	uint8_t aad[SRTP_RTCP_HEADER_BYTES + RTCP_INDEX_BYTES];
	uint8_t sent[GCM_TAG_BYTES];  /* the tag as it came; one of 10 bytes is read as 12 */
	uint8_t tag[SRTP_SHA1_BYTES]; /* as it should be */
	alignas(16) uint8_t iv[16];
};

struct engine {
	IMB_MGR *manager;
	uint32_t low_powers;         /* offset in a key block */
	aes_gcm_enc_dec_t gcm[2][2]; /* [key of 256 bits][encrypt] */
	struct work work[SRTP_BURST];
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

static uint32_t tag_bytes_of(const struct work *w)
{
	return w->protocol == RTCP ? w->suite->rtcp_tag_bytes : w->suite->tag_bytes;
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Tags of 4, 10 or 16 bytes, in words: a copy of unknown length would be a call. */
static void tag_copy(uint8_t *to, const uint8_t *from, uint32_t bytes)
{
	if (bytes == 4)
		memcpy(to, from, 4);
	else if (bytes == 10)
		memcpy(to, from, 10);
	else
		memcpy(to, from, 16);
}

/* In a time that does not depend on what differs. */
static bool tag_equal(const uint8_t *a, const uint8_t *b, uint32_t bytes)
{
	uint32_t first = bytes < 8 ? 0 : 8;
	uint32_t x, y;
	uint64_t difference = 0;

	if (bytes >= 8)
		difference = load64(a) ^ load64(b);
	if (bytes == 16)
		return (difference | (load64(a + 8) ^ load64(b + 8))) == 0;
	memcpy(&x, a + first, sizeof(x));
	memcpy(&y, b + first, sizeof(y));
	x ^= y;
	return (difference | (bytes == 10 ? x & 0xffff : x)) == 0;
}

/* ---- start and end -------------------------------------------------------------------------- */

static size_t blocks_bytes(const struct srtp_keys *s)
{
	return s->slots * sizeof(struct key_block);
}

static void destroy(struct srtp_keys *s)
{
	struct blocks *blocks = s->own;

	for (uint32_t i = 0; i < SRTP_DIRECTIONS * PROTOCOLS; i++)
		srtp_memory_give(blocks->block[i / PROTOCOLS][i % PROTOCOLS], blocks_bytes(s));
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
	for (uint32_t i = 0; i < SRTP_DIRECTIONS * PROTOCOLS; i++) {
		struct key_block *block = srtp_memory_take(blocks_bytes(s));

		blocks->block[i / PROTOCOLS][i % PROTOCOLS] = block;
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
	if (load64(end - 8) != 0)
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
static void fetch_keys(const struct engine *own, const struct work *w)
{
	const struct cord_srtp_parts *suite = w->suite;

	fetch(w->key->round_keys,
		suite->key_bytes == 32 ? ROUND_KEYS_BYTES : SHORT_ROUND_KEYS_BYTES);
	if (suite->aead)
		fetch((const uint8_t *)w->key + own->low_powers, LOW_POWERS * POWER_BYTES);
}

/* What the beginning of a packet looks at. */
static void fetch_first(const struct srtp_engine *e, const struct srtp_packet *packet,
	enum srtp_direction direction)
{
	const struct blocks *blocks = e->keys->own;

	fetch(&blocks->block[direction][packet->rtcp ? RTCP : RTP][packet->slot], 64);
	if (direction == SRTP_RECEIVE)
		fetch(&blocks->receiver[packet->slot], 64);
}

/* ---- AES in counter mode, HMAC --------------------------------------------------------------- */

static void cipher_job(struct engine *own, uint32_t n, const struct work *w)
{
	IMB_JOB *job = &own->cipher[n];
	uint8_t *body = w->packet->data + w->clear;

	job->enc_keys = w->key->round_keys;
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
			const struct work *w = &own->work[i];

			if (w->packet->verdict == SRTP_GOOD && !w->suite->aead && w->body &&
				w->suite->key_bytes == key_bytes)
				cipher_job(own, jobs++, w);
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
		struct work *w = &own->work[i];
		IMB_JOB *job = &own->hash[jobs];
		uint16_t bytes = w->clear + w->body;

		if (w->packet->verdict != SRTP_GOOD || w->suite->aead)
			continue;
		if (w->protocol == RTP)
			rtp_put32(w->packet->data + bytes, (uint32_t)(w->index >> 16));
		job->src = w->packet->data;
		job->msg_len_to_hash_in_bytes = bytes + 4u;
		job->auth_tag_output = w->tag;
		job->u.HMAC._hashed_auth_key_xor_ipad = w->key->inner;
		job->u.HMAC._hashed_auth_key_xor_opad = w->key->outer;
		job->user_data = w->packet;
		jobs++;
	}
	if (jobs &&
		IMB_SUBMIT_HASH_BURST(own->manager, own->hash, jobs, IMB_AUTH_HMAC_SHA_1) != jobs)
		refuse_undone(own->hash, jobs);
}

/* ---- AES-GCM --------------------------------------------------------------------------------- */

/* RFC 7714: of RTP the header is authenticated, of RTCP its head and its index. */
static void gcm(struct engine *own, struct work *w, bool encrypt)
{
	struct gcm_context_data context;
	uint8_t *body = w->packet->data + w->clear;
	bool rtp = w->protocol == RTP;

	own->gcm[w->suite->key_bytes == 32][encrypt](&w->key->gcm, &context, body, body, w->body,
		w->iv, rtp ? w->packet->data : w->aad, rtp ? w->clear : sizeof(w->aad), w->tag,
		GCM_TAG_BYTES);
}

static void gcm_all(struct engine *own, uint32_t n, bool encrypt)
{
	for (uint32_t i = 0; i < n; i++) {
		struct work *w = &own->work[i];

		if (i + AHEAD_KEYS < n && own->work[i + AHEAD_KEYS].suite->aead)
			fetch_keys(own, &own->work[i + AHEAD_KEYS]);
		if (w->packet->verdict == SRTP_GOOD && w->suite->aead)
			gcm(own, w, encrypt);
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
static bool block_set(struct engine *own, struct key_block *block, enum protocol protocol,
	const uint8_t *master, const struct cord_srtp_key *key)
{
	const struct cord_srtp_parts *suite = cord_srtp_parts(key->suite);
	const uint8_t *salt = key->key + suite->key_bytes;
	uint32_t first = protocol == RTCP ? LABELS : 0;
	alignas(16) uint8_t session[32];
	bool done;

	block->suite = key->suite;
	done = derive(own, master, suite, salt, first + LABEL_SALT, block->salt, suite->salt_bytes);
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

	for (uint32_t protocol = RTP; protocol < PROTOCOLS; protocol++)
		explicit_bzero(&blocks->block[direction][protocol][slot], sizeof(struct key_block));
	if (direction == SRTP_RECEIVE)
		memset(&blocks->receiver[slot], 0, sizeof(struct receiver));
}

static int set(struct srtp_engine *e, uint32_t slot, enum srtp_direction direction,
	const struct cord_srtp_key *key, uint32_t ssrc)
{
	struct blocks *blocks = e->keys->own;
	alignas(16) uint8_t master[ROUND_KEYS_BYTES];
	bool done = true;

	(void)ssrc; /* the stream to send is what is sent */
	expand(e->own, key->key, cord_srtp_parts(key->suite)->key_bytes, master);
	for (uint32_t protocol = RTP; protocol < PROTOCOLS; protocol++)
		done &= block_set(e->own, &blocks->block[direction][protocol][slot],
			(enum protocol)protocol, master, key);
	explicit_bzero(master, sizeof(master));
	if (!done)
		clear(e, slot, direction);
	return done ? 0 : -EIO;
}

static void inherit(struct srtp_engine *e, uint32_t slot, uint32_t before)
{
	const struct blocks *blocks = e->keys->own;
	const struct receiver *from = &blocks->receiver[before];
	const struct stream *last = &from->stream[from->last];

	blocks->receiver[slot].before =
		srtp_window_empty(&last->window[RTP])
			? from->before
			: (struct srtp_reached){last->ssrc, last->window[RTP].highest};
}

/* ---- a packet's parts ------------------------------------------------------------------------ */

/* Bytes of an RTP header with CSRC list and extension; 0: they do not fit. */
static uint32_t rtp_header_bytes(const uint8_t *data, uint32_t bytes)
{
	uint32_t header = SRTP_RTP_HEADER_BYTES;

	if (bytes < header)
		return 0;
	header += 4u * (data[0] & 0x0f);
	if (data[0] & 0x10) {
		if (header + 4 > bytes)
			return 0;
		header += 4 + 4u * rtp_get16(data + header + 2);
	}
	return header <= bytes ? header : 0;
}

/* Names the key block. */
static void work_begin(struct work *w, struct srtp_engine *e, struct srtp_packet *packet,
	enum srtp_direction direction)
{
	const struct blocks *blocks = e->keys->own;

	w->packet = packet;
	w->protocol = packet->rtcp ? RTCP : RTP;
	w->key = &blocks->block[direction][w->protocol][packet->slot];
	w->suite = cord_srtp_parts(w->key->suite);
}

/* Begins with packet number `at`, and fetches for the one that is some places behind it. */
static void work_next(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n, uint32_t at,
	enum srtp_direction direction)
{
	struct engine *own = e->own;

	for (uint32_t i = at ? at + AHEAD_FIRST : 0; i < n && i <= at + AHEAD_FIRST; i++)
		fetch_first(e, &packet[i], direction);
	work_begin(&own->work[at], e, &packet[at], direction);
	/* AES-GCM comes packet by packet, the rest together, with all the keys. */
	if (at < AHEAD_KEYS || !own->work[at].suite->aead)
		fetch_keys(own, &own->work[at]);
}

/*
 * Cuts `bytes` of header and body in two and reads the SSRC. False: they are too few, or more than
 * the counter of AES-CM and our 16 bits of length allow.
 */
static bool work_cut(struct work *w, uint32_t bytes)
{
	const uint8_t *data = w->packet->data;
	uint32_t clear = SRTP_RTCP_HEADER_BYTES;

	if (w->protocol == RTP)
		clear = rtp_header_bytes(data, bytes);
	if (clear == 0 || bytes < clear)
		return false;
	w->clear = (uint16_t)clear;
	w->body = (uint16_t)(bytes - clear);
	w->ssrc = rtp_get32(data + (w->protocol == RTP ? 8 : 4));
	return true;
}

/*
 * IVs are put together in registers: what is written in small pieces cannot be read in large ones
 * without a wait. RFC 3711 section 4.1.1: SSRC and index over the salt, two bytes to count blocks.
 */
static void iv_cm(struct work *w)
{
	const uint8_t *salt = w->key->salt;
	uint64_t first = __builtin_bswap64(w->ssrc) ^ load64(salt);
	uint64_t second =
		__builtin_bswap64(w->index << 16) ^ (load64(salt + 8) & 0xffffffffffffull);

	memcpy(w->iv, &first, 8);
	memcpy(w->iv + 8, &second, 8);
}

/* RFC 7714 sections 8.1 and 9.1: 12 bytes. The index of RTCP is shorter than that of RTP. */
static void iv_gcm(struct work *w)
{
	const uint8_t *salt = w->key->salt;
	uint64_t first = __builtin_bswap64((uint64_t)w->ssrc << 16 | w->index >> 32) ^ load64(salt);
	uint64_t second = __builtin_bswap32((uint32_t)w->index) ^ load64(salt + 8);

	memcpy(w->iv, &first, 8);
	memcpy(w->iv + 8, &second, 8);
	if (w->protocol == RTCP) {
		memcpy(w->aad, w->packet->data, SRTP_RTCP_HEADER_BYTES);
		rtp_put32(w->aad + SRTP_RTCP_HEADER_BYTES, RTCP_ENCRYPTED | (uint32_t)w->index);
	}
}

static void work_iv(struct work *w)
{
	if (w->suite->aead)
		iv_gcm(w);
	else
		iv_cm(w);
}

/* ---- protect --------------------------------------------------------------------------------- */

/* Indices only grow, whatever sequence numbers come: none is used twice with a key. */
static uint64_t next_index(const struct work *w)
{
	uint64_t next = w->key->next;

	if (w->protocol == RTCP)
		return next;
	uint64_t index = (next & ~0xffffull) | rtp_get16(w->packet->data + 2);

	return index < next ? index + 0x10000 : index;
}

static enum srtp_verdict protect_begin(struct work *w)
{
	if (w->key->suite == CORD_SRTP_NONE)
		return SRTP_SPENT;
	if (!work_cut(w, w->packet->bytes))
		return SRTP_FORGED;
	w->index = next_index(w);
	if (w->index >= (w->protocol == RTP ? SRTP_INDEX_END : SRTP_RTCP_INDEX_END))
		return SRTP_SPENT;
	w->key->next = w->index + 1;
	work_iv(w);
	/* Behind the body, where the HMAC takes it in. */
	if (w->protocol == RTCP && !w->suite->aead)
		rtp_put32(w->packet->data + w->packet->bytes, RTCP_ENCRYPTED | (uint32_t)w->index);
	return SRTP_GOOD;
}

static void protect_end(struct work *w)
{
	uint8_t *end = w->packet->data + w->packet->bytes;
	uint32_t tag_bytes = tag_bytes_of(w);
	bool rtcp = w->protocol == RTCP;

	if (w->packet->verdict != SRTP_GOOD)
		return;
	if (rtcp && !w->suite->aead)
		end += RTCP_INDEX_BYTES;
	tag_copy(end, w->tag, tag_bytes);
	if (rtcp && w->suite->aead)
		rtp_put32(end + tag_bytes, RTCP_ENCRYPTED | (uint32_t)w->index);
	w->packet->bytes += (uint16_t)(tag_bytes + (rtcp ? RTCP_INDEX_BYTES : 0));
}

static void protect(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n)
{
	struct engine *own = e->own;

	for (uint32_t i = 0; i < n; i++) {
		work_next(e, packet, n, i, SRTP_SEND);
		packet[i].verdict = (uint8_t)protect_begin(&own->work[i]);
	}
	gcm_all(own, n, true);
	cipher_all(own, n);
	hash_all(own, n);
	for (uint32_t i = 0; i < n; i++)
		protect_end(&own->work[i]);
}

/* ---- unprotect ------------------------------------------------------------------------------- */

/*
 * The stream of an SSRC; one that has not come yet is an empty one that is not counted. NULL: there
 * are too many.
 */
static struct stream *stream_find(struct receiver *r, uint32_t ssrc)
{
	uint32_t i = r->last;

	if (r->streams && r->stream[i].ssrc == ssrc)
		return &r->stream[i];
	for (i = 0; i < r->streams; i++) {
		if (r->stream[i].ssrc == ssrc)
			return &r->stream[i];
	}
	if (i == SRTP_STREAMS_MAX)
		return NULL;
	r->stream[i].ssrc = ssrc;
	return &r->stream[i];
}

/* Notes an authenticated packet; its stream is one from here on. */
static void stream_note(
	struct receiver *r, struct stream *s, enum protocol protocol, uint64_t index)
{
	uint32_t at = (uint32_t)(s - r->stream);

	srtp_window_note(&s->window[protocol], index);
	if (at == r->streams)
		r->streams++;
	if (protocol == RTP)
		r->last = at;
}

/* Parts a received packet from the tag and, of RTCP, the index behind it. False: too short. */
static bool unprotect_cut(struct work *w, uint32_t *rtcp_index)
{
	const uint8_t *data = w->packet->data;
	uint32_t tag_bytes = tag_bytes_of(w);
	uint32_t trailer = tag_bytes + (w->protocol == RTCP ? RTCP_INDEX_BYTES : 0);

	if (w->packet->bytes < trailer || !work_cut(w, w->packet->bytes - trailer))
		return false;
	const uint8_t *end = data + w->clear + w->body;

	if (w->protocol == RTP) {
		tag_copy(w->sent, end, tag_bytes);
		return true;
	}
	tag_copy(w->sent, end + (w->suite->aead ? 0 : RTCP_INDEX_BYTES), tag_bytes);
	*rtcp_index = rtp_get32(end + (w->suite->aead ? tag_bytes : 0));
	/* All suites encrypt: what says that it is not encrypted was not agreed on. */
	return *rtcp_index & RTCP_ENCRYPTED;
}

static uint64_t index_of(const struct work *w, const struct receiver *r, const struct stream *s)
{
	uint16_t sequence = rtp_get16(w->packet->data + 2);

	if (srtp_window_empty(&s->window[RTP]) && r->before.ssrc == w->ssrc)
		return srtp_window_first(&r->before, sequence);
	return srtp_window_index(&s->window[RTP], sequence);
}

static enum srtp_verdict unprotect_begin(struct work *w, struct receiver *r)
{
	uint32_t rtcp_index = 0;

	if (w->key->suite == CORD_SRTP_NONE || !unprotect_cut(w, &rtcp_index))
		return SRTP_FORGED;
	const struct stream *s = stream_find(r, w->ssrc);

	if (s == NULL)
		return SRTP_REPLAYED;
	if (w->protocol == RTP)
		w->index = index_of(w, r, s);
	else
		w->index = rtcp_index & ~RTCP_ENCRYPTED;
	if (w->index >= SRTP_INDEX_END)
		return SRTP_FORGED;
	if (!srtp_window_takes(&s->window[w->protocol], w->index))
		return SRTP_REPLAYED;
	work_iv(w);
	return SRTP_GOOD;
}

static void authenticate(struct work *w)
{
	if (w->packet->verdict == SRTP_GOOD && !tag_equal(w->sent, w->tag, tag_bytes_of(w)))
		w->packet->verdict = SRTP_FORGED;
}

/* In the order of arrival, and looked at once more: the burst may have brought a packet twice. */
static void unprotect_end(struct work *w, struct receiver *r)
{
	if (w->packet->verdict != SRTP_GOOD)
		return;
	struct stream *s = stream_find(r, w->ssrc);

	if (s == NULL || !srtp_window_takes(&s->window[w->protocol], w->index)) {
		w->packet->verdict = SRTP_REPLAYED;
		return;
	}
	stream_note(r, s, w->protocol, w->index);
	w->packet->bytes = w->clear + w->body;
}

static void unprotect(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n)
{
	const struct blocks *blocks = e->keys->own;
	struct engine *own = e->own;

	for (uint32_t i = 0; i < n; i++) {
		work_next(e, packet, n, i, SRTP_RECEIVE);
		packet[i].verdict =
			(uint8_t)unprotect_begin(&own->work[i], &blocks->receiver[packet[i].slot]);
	}
	gcm_all(own, n, false);
	hash_all(own, n);
	for (uint32_t i = 0; i < n; i++)
		authenticate(&own->work[i]);
	cipher_all(own, n);
	for (uint32_t i = 0; i < n; i++)
		unprotect_end(&own->work[i], &blocks->receiver[packet[i].slot]);
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
