/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored input, encrypted for a key of the customer's, as Amazon Connect does it, so that what
 * customers decrypt theirs with today reads ours: a message of the AWS Encryption SDK, in base64.
 *
 * Message format version 1, algorithm suite 0x0178 (AES-256-GCM, HKDF-SHA-256, no signature), no
 * encryption context, one frame, one encrypted data key: provider "AmazonConnect", key name = the
 * key's id, RSA-OAEP with SHA-512 and MGF1 of SHA-512. Source: AWS Encryption SDK Developer Guide,
 * "Message format reference"; Amazon Connect Administrator Guide, "Encrypt customer input".
 *
 * Takes about a millisecond: for the offload thread. Safe from any thread.
 */
#ifndef CONTACT_SEALED_INPUT_H
#define CONTACT_SEALED_INPUT_H

#define SEALED_INPUT_DIGITS_MAX 128u
#define SEALED_INPUT_KEY_ID_MAX 512u
#define SEALED_INPUT_KEY_MAX    16384u /* bytes of PEM */
#define SEALED_INPUT_SIZE       1701u  /* of the text, with the terminator */
#define SEALED_INPUT_WHY_SIZE   128u

/*
 * `key`: an RSA public key of 2048 to 4096 bits or an X.509 certificate of one, in PEM. Two seals
 * of the same digits differ. -EINVAL: digits, key id or key are not as said (`why` tells what was
 * expected, and never the digits); -EIO: OpenSSL failed.
 */
int sealed_input(const char *digits, const char *key_id, const char *key,
	char out[SEALED_INPUT_SIZE], char why[SEALED_INPUT_WHY_SIZE]);

#endif
