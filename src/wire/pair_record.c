/* pair_record: what makes a host known to one device */
#include "wire/pair_record.h"

#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"

void
pair_record_clear(struct pair_record *r)
{
	pairing_clear(&r->keys);
	blob_clear(&r->escrow_bag);
	*r = (struct pair_record){ 0 };
}

/* false: absent, or out of memory; both leave *out empty. */
static bool
take_data(plist_t dict, const char *key, struct blob *out)
{
	const void *data;
	size_t len;

	return dict_get_data(dict, key, &data, &len) && len > 0 && blob_set(out, data, len) == 0;
}

static bool
take_string(plist_t dict, const char *key, char *out, size_t size)
{
	const char *s = dict_get_string(dict, key);

	if (!s || strlen(s) >= size)
		return false;
	memcpy(out, s, strlen(s) + 1);
	return true;
}

int
pair_record_parse(const struct blob *stored, struct pair_record *out, struct error *err)
{
	auto_pair_record struct pair_record r = { 0 };
	auto_plist plist_t dict = NULL;

	if (proplist_parse(stored->data, stored->len, &PROPLIST_FILE, ERR_DATA, &dict, err) < 0)
		return error_context(err, "the stored pair record");
	if (!take_string(dict, "HostID", r.host_id, sizeof(r.host_id)) ||
	    !take_string(dict, "SystemBUID", r.system_buid, sizeof(r.system_buid)) ||
	    !take_data(dict, "HostCertificate", &r.keys.host_certificate) ||
	    !take_data(dict, "HostPrivateKey", &r.keys.host_key))
		return error_set(err, ERR_DATA, "the stored pair record is incomplete");
	take_data(dict, "RootCertificate", &r.keys.root_certificate);
	take_data(dict, "RootPrivateKey", &r.keys.root_key);
	take_data(dict, "DeviceCertificate", &r.keys.device_certificate);
	take_data(dict, "EscrowBag", &r.escrow_bag);
	take_string(dict, "WiFiMACAddress", r.wifi_mac, sizeof(r.wifi_mac));
	*out = r;
	r = (struct pair_record){ 0 };
	return 0;
}

plist_t
pair_record_public(const struct pair_record *r)
{
	auto_plist plist_t dict = plist_new_dict();
	const struct pairing *k = &r->keys;

	if (!dict_set_data(dict, "DeviceCertificate", k->device_certificate.data,
		k->device_certificate.len) ||
	    !dict_set_data(dict, "HostCertificate", k->host_certificate.data,
		k->host_certificate.len) ||
	    !dict_set_data(dict, "RootCertificate", k->root_certificate.data,
		k->root_certificate.len) ||
	    !dict_set_string(dict, "HostID", r->host_id) ||
	    !dict_set_string(dict, "SystemBUID", r->system_buid))
		return NULL;
	return steal_pointer(&dict);
}

int
pair_record_serialize(const struct pair_record *r, struct blob *out, struct error *err)
{
	auto_plist plist_t dict = pair_record_public(r);

	if (!dict ||
	    !dict_set_data(dict, "HostPrivateKey", r->keys.host_key.data, r->keys.host_key.len) ||
	    !dict_set_data(dict, "RootPrivateKey", r->keys.root_key.data, r->keys.root_key.len) ||
	    !dict_set_data(dict, "EscrowBag", r->escrow_bag.data, r->escrow_bag.len) ||
	    (r->wifi_mac[0] && !dict_set_string(dict, "WiFiMACAddress", r->wifi_mac)) ||
	    proplist_to_xml(dict, out) < 0)
		return error_memory(err);
	return 0;
}
