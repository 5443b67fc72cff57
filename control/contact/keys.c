/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/keys.h"

bool keys_heard(struct keys *keys, char key, uint64_t now_ns)
{
	if (keys->events)
		return true;
	if (keys->info)
		return false;
	keys->heard = key;
	keys->heard_ns = now_ns;
	return true;
}

bool keys_informed(struct keys *keys, char key, uint64_t now_ns)
{
	bool again = keys->heard == key && now_ns - keys->heard_ns < KEYS_SAME_NS;

	if (keys->events)
		return false;
	keys->info = true;
	keys->heard = 0;
	return !again;
}
