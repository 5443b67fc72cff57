/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: who may send what (sip/ua.h asks): trunks by address or credentials, agents' phones by
 * credentials or address, REGISTER by credentials; all others are counted, slowed, and told
 * nothing.
 */
#ifndef CONTACT_POLICY_H
#define CONTACT_POLICY_H

#include "contact/instance.h"
#include "sip/digest.h"
#include "sip/guard.h"
#include "sip/overload.h"
#include "sip/registrar.h"
#include "sip/ua.h"

#define POLICY_PASSWORD_SIZE 128

struct policy {
	const struct instance *instance;
	const char *realm;
	const struct option_list *algorithms; /* of challenges, in order */
	struct digest_server *digest;
	struct guard *guard;
	struct registrar *registrar;
	struct overload *overload;
	/* by index of the agent's row; "" when the phone has no password */
	char (*passwords)[POLICY_PASSWORD_SIZE];
	bool trunks_by_credentials; /* some trunk proves itself by a password */
};

/* User part under which the registrar knows an agent's phone. */
void policy_phone_user(const struct resource_agent *agent, char user[REGISTRAR_USER_SIZE]);

/* A policy over `policy`, which must live as long. */
struct sip_ua_policy policy_for_ua(struct policy *policy);

#endif
