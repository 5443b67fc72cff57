/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/registrar.h"

#include "base/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S    1000000000ull
#define DEFAULT_Q   1000
#define CONTACT_MAX (REGISTRAR_URI_SIZE + 64) /* one Contact line */

struct phone;

struct binding {
	struct phone *phone;
	bool used;
	uint16_t q;
	uint32_t cseq;
	uint64_t call_id; /* hash */
	uint64_t expires_ns;
	uint64_t updated_ns;
	struct sip_hop hop;
	struct timer timer;
	char uri[REGISTRAR_URI_SIZE];
};

struct phone {
	struct registrar *registrar;
	bool fixed;
	struct sip_hop fixed_hop;
	char fixed_uri[REGISTRAR_URI_SIZE];
	char user[REGISTRAR_USER_SIZE];
	struct binding bindings[REGISTRAR_BINDINGS_MAX];
};

/* A host that living bindings or fixed addresses are at. */
struct source {
	unsigned holds;
	char host[ADDRESS_TEXT_SIZE];
};

struct registrar {
	struct timers *timers;
	struct registrar_options options;
	registrar_event event;
	void *context;
	uint8_t seed[SIPHASH_KEY_SIZE];
	struct map phones;
	struct map sources; /* struct source by host */
	size_t count;
};

/* One Contact of a request, judged before anything is changed. */
struct change {
	struct sip_address contact;
	uint32_t seconds; /* 0: remove */
	unsigned q;
	struct binding *binding; /* that has the same URI, or NULL */
};

/* ---- bindings ---- */

static unsigned living(const struct phone *phone)
{
	unsigned n = 0;

	for (unsigned i = 0; i < REGISTRAR_BINDINGS_MAX; i++)
		n += phone->bindings[i].used;
	return n;
}

static void tell(
	struct phone *phone, enum registrar_change change, const char *uri, uint64_t now_ns)
{
	struct registrar *r = phone->registrar;

	if (r->event)
		r->event(r->context, change, phone->user, uri, living(phone), now_ns);
}

/* Without memory the host is not known: it is judged like a stranger's. */
static void source_hold(struct registrar *r, const struct sip_hop *hop)
{
	char host[ADDRESS_TEXT_SIZE];
	struct source *source;

	address_format_host(&hop->remote, host);
	source = map_get_str(&r->sources, str_from(host));
	if (!source) {
		source = calloc(1, sizeof(*source));
		if (!source)
			return;
		memcpy(source->host, host, sizeof(host));
		if (map_put_str(&r->sources, str_from(source->host), source) < 0) {
			free(source);
			return;
		}
	}
	source->holds++;
}

static void source_release(struct registrar *r, const struct sip_hop *hop)
{
	char host[ADDRESS_TEXT_SIZE];
	struct source *source;

	address_format_host(&hop->remote, host);
	source = map_get_str(&r->sources, str_from(host));
	if (!source || --source->holds > 0)
		return;
	map_remove_str(&r->sources, str_from(host));
	free(source);
}

static void release(struct binding *binding)
{
	struct registrar *r = binding->phone->registrar;

	timers_cancel(r->timers, &binding->timer);
	source_release(r, &binding->hop);
	binding->used = false;
	r->count--;
}

static void lose(struct binding *binding, uint64_t now_ns)
{
	release(binding);
	tell(binding->phone, REGISTRAR_LOST, binding->uri, now_ns);
}

static void on_expired(void *context, uint64_t now_ns)
{
	lose(context, now_ns);
}

static struct binding *find_binding(struct phone *phone, const struct sip_uri *uri)
{
	struct sip_uri other;

	for (unsigned i = 0; i < REGISTRAR_BINDINGS_MAX; i++) {
		struct binding *b = &phone->bindings[i];

		if (b->used && sip_uri_parse(&other, str_from(b->uri)) == 0 &&
			sip_uri_equal(uri, &other))
			return b;
	}
	return NULL;
}

/* A free place within the limit, else that of the binding which ends first. */
static struct binding *make_room(struct phone *phone, uint64_t now_ns)
{
	unsigned max = phone->registrar->options.bindings_max;
	struct binding *free_place = NULL, *first = NULL;

	for (unsigned i = 0; i < REGISTRAR_BINDINGS_MAX; i++) {
		struct binding *b = &phone->bindings[i];

		if (!b->used)
			free_place = free_place ? free_place : b;
		else if (!first || b->expires_ns < first->expires_ns)
			first = b;
	}
	if (living(phone) < max)
		return free_place;
	lose(first, now_ns);
	return first;
}

/* ---- life ---- */

struct registrar *registrar_new(struct timers *timers, const uint8_t seed[16],
	const struct registrar_options *options, registrar_event event, void *context)
{
	struct registrar *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->timers = timers;
	r->event = event;
	r->context = context;
	if (options)
		r->options = *options;
	if (r->options.default_s == 0)
		r->options.default_s = REGISTRAR_EXPIRES_S;
	if (r->options.min_s == 0)
		r->options.min_s = REGISTRAR_MIN_EXPIRES_S;
	if (r->options.max_s == 0)
		r->options.max_s = REGISTRAR_MAX_EXPIRES_S;
	if (r->options.bindings_max == 0 || r->options.bindings_max > REGISTRAR_BINDINGS_MAX)
		r->options.bindings_max = REGISTRAR_BINDINGS_MAX;
	memcpy(r->seed, seed, sizeof(r->seed));
	map_init(&r->phones, r->seed, REGISTRAR_PHONES_MAX);
	map_init(&r->sources, r->seed, 0);
	return r;
}

static void free_phone(struct phone *phone)
{
	for (unsigned i = 0; i < REGISTRAR_BINDINGS_MAX; i++)
		if (phone->bindings[i].used)
			release(&phone->bindings[i]);
	if (phone->fixed)
		source_release(phone->registrar, &phone->fixed_hop);
	free(phone);
}

void registrar_free(struct registrar *registrar)
{
	struct map_cursor c = {0};

	if (!registrar)
		return;
	while (map_next(&registrar->phones, &c))
		free_phone(c.value);
	map_clear(&registrar->phones);
	map_clear(&registrar->sources);
	free(registrar);
}

static struct phone *find_phone(const struct registrar *registrar, struct str user)
{
	return map_get_str(&registrar->phones, user);
}

static int new_phone(struct registrar *registrar, const char *user, struct phone **out)
{
	struct phone *phone = calloc(1, sizeof(*phone));
	int rc;

	if (!phone)
		return -ENOMEM;
	phone->registrar = registrar;
	for (unsigned i = 0; i < REGISTRAR_BINDINGS_MAX; i++) {
		phone->bindings[i].phone = phone;
		timer_init(&phone->bindings[i].timer, on_expired, &phone->bindings[i]);
	}
	rc = str_copy(str_from(user), phone->user, sizeof(phone->user));
	if (rc == 0)
		rc = map_put_str(&registrar->phones, str_from(phone->user), phone);
	if (rc < 0)
		free(phone);
	else
		*out = phone;
	return rc;
}

int registrar_add(
	struct registrar *registrar, const char *user, const char *uri, const struct sip_hop *hop)
{
	struct str name = str_from(user);
	struct phone *phone = find_phone(registrar, name);
	struct sip_uri parsed;
	int rc = 0;

	if (name.n == 0 || name.n >= REGISTRAR_USER_SIZE || (uri != NULL) != (hop != NULL))
		return -EINVAL;
	if (uri && (strlen(uri) >= REGISTRAR_URI_SIZE || sip_uri_parse(&parsed, str_from(uri)) < 0))
		return -EINVAL;
	if (!phone)
		rc = new_phone(registrar, user, &phone);
	if (rc < 0)
		return rc;
	if (phone->fixed)
		source_release(registrar, &phone->fixed_hop);
	phone->fixed = uri != NULL;
	if (uri) {
		source_hold(registrar, hop);
		str_copy(str_from(uri), phone->fixed_uri, sizeof(phone->fixed_uri));
		phone->fixed_hop = *hop;
	}
	return 0;
}

int registrar_remove(struct registrar *registrar, const char *user)
{
	struct phone *phone = map_remove_str(&registrar->phones, str_from(user));

	if (!phone)
		return -ENOENT;
	free_phone(phone);
	return 0;
}

bool registrar_knows(const struct registrar *registrar, struct str user)
{
	return find_phone(registrar, user);
}

/* ---- REGISTER ---- */

static int refuse(struct registrar_reply *reply, uint16_t status, const char *reason)
{
	reply->status = status;
	reply->reason = reason;
	return -EINVAL;
}

/* The same registration client must count up (RFC 3261 section 10.3, step 7). */
static bool out_of_order(const struct binding *b, uint64_t call_id, uint32_t cseq)
{
	return b->call_id == call_id && cseq <= b->cseq;
}

static uint64_t hash_call_id(const struct registrar *r, const struct sip_message *request)
{
	return siphash(request->call_id.p, request->call_id.n, r->seed);
}

static int judge_seconds(const struct registrar *r, const struct sip_message *request,
	struct change *change, struct registrar_reply *reply)
{
	uint32_t seconds = r->options.default_s;
	int rc = sip_address_expires(&change->contact, &seconds);

	if (rc == -ENOENT)
		sip_message_seconds(request, SIP_HEADER_EXPIRES, &seconds);
	if (seconds > 0 && seconds < r->options.min_s) {
		reply->min_s = r->options.min_s;
		return refuse(reply, 423, "Interval Too Brief");
	}
	change->seconds = seconds < r->options.max_s ? seconds : r->options.max_s;
	return 0;
}

static int judge_contact(struct phone *phone, const struct sip_message *request,
	struct change *change, struct registrar_reply *reply)
{
	const struct registrar *r = phone->registrar;
	const struct sip_uri *uri = &change->contact.uri;

	if ((uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS) ||
		uri->headers.n > 0 || uri->text.n >= REGISTRAR_URI_SIZE)
		return refuse(reply, 400, "Unusable Contact");
	change->q = DEFAULT_Q;
	if (sip_address_q(&change->contact, &change->q) == -EBADMSG)
		return refuse(reply, 400, "Bad q in Contact");
	change->binding = find_binding(phone, uri);
	if (change->binding &&
		out_of_order(change->binding, hash_call_id(r, request), request->cseq.number))
		return refuse(reply, 500, "CSeq Out Of Order");
	return judge_seconds(r, request, change, reply);
}

static int judge_all(struct phone *phone, const struct sip_message *request, struct change *changes,
	unsigned *count, struct registrar_reply *reply)
{
	struct sip_values values = sip_values(request, SIP_HEADER_CONTACT);
	struct str value;
	unsigned n = 0, bound = 0;
	int rc;

	while ((rc = sip_values_next(&values, &value)) > 0) {
		if (n == REGISTRAR_BINDINGS_MAX)
			return refuse(reply, 403, "Too Many Contacts");
		if (sip_address_parse(&changes[n].contact, value) < 0)
			return refuse(reply, 400, "Bad Contact");
		if (judge_contact(phone, request, &changes[n], reply) < 0)
			return -EINVAL;
		bound += changes[n++].seconds > 0;
	}
	if (rc < 0)
		return refuse(reply, 400, "Bad Contact");
	if (bound > phone->registrar->options.bindings_max)
		return refuse(reply, 403, "Too Many Contacts");
	*count = n;
	return 0;
}

static void bind_contact(struct phone *phone, const struct change *change,
	const struct sip_message *request, const struct sip_hop *source, uint64_t now_ns)
{
	struct registrar *r = phone->registrar;
	/* Looked up again: an earlier Contact of the request may have been the same, or made room.
	 */
	struct binding *b = find_binding(phone, &change->contact.uri);
	bool gained = !b;

	if (!b)
		b = make_room(phone, now_ns);
	str_copy(change->contact.uri.text, b->uri, sizeof(b->uri));
	b->used = true;
	r->count += gained;
	b->q = (uint16_t)change->q;
	b->cseq = request->cseq.number;
	b->call_id = hash_call_id(r, request);
	if (!gained)
		source_release(r, &b->hop);
	b->hop = *source;
	source_hold(r, &b->hop);
	b->updated_ns = now_ns;
	b->expires_ns = now_ns + change->seconds * NS_PER_S;
	timers_set(r->timers, &b->timer, b->expires_ns);
	if (gained)
		tell(phone, REGISTRAR_GAINED, b->uri, now_ns);
}

static void apply(struct phone *phone, const struct change *change,
	const struct sip_message *request, const struct sip_hop *source, uint64_t now_ns)
{
	struct binding *b;

	if (change->seconds > 0) {
		bind_contact(phone, change, request, source, now_ns);
		return;
	}
	b = find_binding(phone, &change->contact.uri);
	if (b)
		lose(b, now_ns);
}

/* Contact: * removes all, and only with Expires: 0. */
static void remove_all(struct phone *phone, const struct sip_message *request, uint64_t now_ns,
	struct registrar_reply *reply)
{
	uint64_t call_id = hash_call_id(phone->registrar, request);
	uint32_t seconds;

	if (sip_message_seconds(request, SIP_HEADER_EXPIRES, &seconds) < 0 || seconds != 0) {
		refuse(reply, 400, "Contact * Without Expires 0");
		return;
	}
	for (unsigned i = 0; i < REGISTRAR_BINDINGS_MAX; i++)
		if (phone->bindings[i].used &&
			out_of_order(&phone->bindings[i], call_id, request->cseq.number)) {
			refuse(reply, 500, "CSeq Out Of Order");
			return;
		}
	for (unsigned i = 0; i < REGISTRAR_BINDINGS_MAX; i++)
		if (phone->bindings[i].used)
			lose(&phone->bindings[i], now_ns);
}

static void update(struct phone *phone, const struct sip_message *request,
	const struct sip_hop *source, uint64_t now_ns, struct registrar_reply *reply)
{
	struct change changes[REGISTRAR_BINDINGS_MAX];
	struct sip_address first;
	unsigned count;

	if (sip_message_address(request, SIP_HEADER_CONTACT, 0, &first) == 0 && first.star) {
		remove_all(phone, request, now_ns, reply);
		return;
	}
	if (judge_all(phone, request, changes, &count, reply) < 0)
		return;
	for (unsigned i = 0; i < count; i++)
		apply(phone, &changes[i], request, source, now_ns);
}

void registrar_register(struct registrar *registrar, const struct sip_message *request,
	struct str authenticated, const struct sip_hop *source, uint64_t now_ns,
	struct registrar_reply *reply)
{
	char user[REGISTRAR_USER_SIZE];
	struct phone *phone;

	*reply = (struct registrar_reply){.status = 200, .reason = "OK"};
	if (sip_uri_user(&request->to.uri, user, sizeof(user)) < 0 || user[0] == '\0') {
		refuse(reply, 404, "Unusable Address of Record");
		return;
	}
	if (!str_equal_text(authenticated, user)) {
		refuse(reply, 403, "Not Your Address of Record");
		return;
	}
	phone = find_phone(registrar, str_from(user));
	if (!phone) {
		refuse(reply, 404, "Not Found");
		return;
	}
	update(phone, request, source, now_ns, reply);
}

/* ---- look-up ---- */

void registrar_contact_lines(
	const struct registrar *registrar, struct str user, uint64_t now_ns, struct strbuf *lines)
{
	const struct phone *phone = find_phone(registrar, user);

	for (unsigned i = 0; phone && i < REGISTRAR_BINDINGS_MAX; i++) {
		const struct binding *b = &phone->bindings[i];

		if (b->used && b->expires_ns > now_ns)
			strbuf_printf(lines, "Contact: <%s>;expires=%llu\r\n", b->uri,
				(unsigned long long)((b->expires_ns - now_ns + NS_PER_S - 1) /
						     NS_PER_S));
	}
}

void registrar_contacts(const struct registrar *registrar, struct str user, uint64_t now_ns,
	struct sip_builder *builder)
{
	char text[REGISTRAR_BINDINGS_MAX * CONTACT_MAX];
	struct strbuf lines;

	strbuf_init(&lines, text, sizeof(text));
	registrar_contact_lines(registrar, user, now_ns, &lines);
	sip_build_lines(builder, strbuf_str(&lines));
}

static bool before(const struct binding *a, const struct binding *b)
{
	return a->q != b->q ? a->q > b->q : a->updated_ns > b->updated_ns;
}

/* The living bindings in the order of trial. */
static unsigned sorted(const struct phone *phone, uint64_t now_ns,
	const struct binding *order[REGISTRAR_BINDINGS_MAX])
{
	unsigned n = 0;

	for (unsigned i = 0; i < REGISTRAR_BINDINGS_MAX; i++) {
		const struct binding *b = &phone->bindings[i];
		unsigned at = n;

		if (!b->used || b->expires_ns <= now_ns)
			continue;
		for (; at > 0 && before(b, order[at - 1]); at--)
			order[at] = order[at - 1];
		order[at] = b;
		n++;
	}
	return n;
}

unsigned registrar_targets(const struct registrar *registrar, struct str user, uint64_t now_ns,
	struct registrar_target *targets, unsigned max)
{
	const struct phone *phone = find_phone(registrar, user);
	const struct binding *order[REGISTRAR_BINDINGS_MAX];
	unsigned n = 0, living_count = phone ? sorted(phone, now_ns, order) : 0;

	for (; n < living_count && n < max; n++) {
		targets[n] = (struct registrar_target){.hop = order[n]->hop, .q = order[n]->q};
		str_copy(str_from(order[n]->uri), targets[n].uri, sizeof(targets[n].uri));
	}
	if (phone && phone->fixed && n < max) {
		targets[n] = (struct registrar_target){.hop = phone->fixed_hop, .fixed = true};
		str_copy(str_from(phone->fixed_uri), targets[n].uri, sizeof(targets[n].uri));
		n++;
	}
	return n;
}

bool registrar_is_from(const struct registrar *registrar, struct str user,
	const struct sip_hop *source, uint64_t now_ns)
{
	struct registrar_target targets[REGISTRAR_BINDINGS_MAX + 1];
	unsigned n =
		registrar_targets(registrar, user, now_ns, targets, REGISTRAR_BINDINGS_MAX + 1);

	for (unsigned i = 0; i < n; i++)
		if (targets[i].hop.transport == source->transport &&
			address_equal(&targets[i].hop.remote, &source->remote))
			return true;
	return false;
}

bool registrar_has_source(const struct registrar *registrar, const struct address *source)
{
	char host[ADDRESS_TEXT_SIZE];

	address_format_host(source, host);
	return map_get_str(&registrar->sources, str_from(host)) != NULL;
}

size_t registrar_count(const struct registrar *registrar)
{
	return registrar->count;
}
