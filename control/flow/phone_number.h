/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phone_number.h: digits that a caller typed to a number in E.164.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PHONE_NUMBER_SIZE 17 /* +, 15 digits, terminator */

/*
 * `digits` as typed within a country (ISO 3166 two letters, any case): the country's code is put
 * before them, a trunk zero is dropped. False: not digits, unknown country, or too short or long.
 */
bool phone_number_from_local(const char *digits, const char *country, char out[PHONE_NUMBER_SIZE]);

/* `digits` as typed with the country's code in front. */
bool phone_number_from_international(const char *digits, char out[PHONE_NUMBER_SIZE]);
