/* token: an identity whose key stays in a token, through OpenSSL's pkcs11 engine */
#define OPENSSL_SUPPRESS_DEPRECATED	/* engines are, and Debian 12 has no provider for tokens */
#include "crypto/token.h"

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/ui.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/file.h"
#include "crypto/identity.h"
#include "crypto/keyfile.h"
#include "crypto/ossl.h"
#include "crypto/secret.h"

/* Of PKCS#11, which its module's errors carry. */
enum { PIN_INCORRECT = 0xA0, PIN_INVALID = 0xA1, PIN_LEN_RANGE = 0xA2, PIN_LOCKED = 0xA4 };

enum { CERT_FILE_LIMIT = 1 << 20 };

static const char scheme[] = "pkcs11:";

/* A URI taken apart; each text is owned. */
struct token_uri {
	char	*object;	/* with the scheme, without the query: what engine and people see */
	char	*module, *pin_file, *cert_file;
};

static void
token_uri_clear(struct token_uri *u)
{
	free(u->object);
	free(u->module);
	free(u->pin_file);
	free(u->cert_file);
}

bool
token_is_ref(const char *ref)
{
	return strncmp(ref, scheme, sizeof(scheme) - 1) == 0;
}

/* ---- the URI ----------------------------------------------------------------------- */

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	    c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "%2F" to "/", in place. */
static void
decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '%' && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0) {
			*to++ = (char)(hex_digit(s[1]) * 16 + hex_digit(s[2]));
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

static int
take_value(const char *attribute, size_t name_len, char **out, struct error *err)
{
	const char *value = attribute + name_len;

	free(*out);
	*out = strdup(value);
	if (!*out)
		return error_memory(err);
	decode(*out);
	return 0;
}

static int
take_attribute(const char *attribute, struct token_uri *u, struct error *err)
{
	if (strncmp(attribute, "module-path=", 12) == 0)
		return take_value(attribute, 12, &u->module, err);
	if (strncmp(attribute, "pin-source=file:", 16) == 0)
		return take_value(attribute, 16, &u->pin_file, err);
	if (strncmp(attribute, "pin-source=", 11) == 0)
		return take_value(attribute, 11, &u->pin_file, err);
	/* By its name alone: the value of an unknown one may be secret. */
	return error_set(err, ERR_USAGE, "identity %s: its attribute %.*s is not known", u->object,
	    (int)strcspn(attribute, "="), attribute);
}

static int
refuse_pin(struct error *err)
{
	error_set(err, ERR_USAGE, "the identity has its PIN in its name, where others can read it");
	return error_hint(err, "leave pin-value out; --passphrase-file, pin-source=file:PATH, "
	    "the systemd credential or the terminal give the PIN");
}

static int
parse(const char *ref, struct token_uri *u, struct error *err)
{
	auto_free char *copy = strdup(ref);
	char *comma, *query, *attribute, *rest = NULL;

	if (!copy)
		return error_memory(err);
	if (strstr(ref, "pin-value"))
		return refuse_pin(err);
	if ((comma = strchr(copy, ',')) != NULL) {
		*comma = '\0';
		if (!(u->cert_file = strdup(comma + 1)))
			return error_memory(err);
	}
	if ((query = strchr(copy, '?')) != NULL)
		*query++ = '\0';
	u->object = strdup(copy);
	if (!u->object)
		return error_memory(err);
	if (strcmp(u->object, scheme) == 0)
		return error_set(err, ERR_USAGE, "identity %s names no token and no key", scheme);
	for (attribute = query ? strtok_r(query, "&", &rest) : NULL; attribute;
	    attribute = strtok_r(NULL, "&", &rest))
		if (take_attribute(attribute, u, err) < 0)
			return -1;
	return 0;
}

/* ---- the engine -------------------------------------------------------------------- */

/* Asks nothing and fails. The engine's API has lost a const. */
static UI_METHOD *
no_dialog(void)
{
	return (UI_METHOD *)(uintptr_t)UI_null();
}

static ENGINE *
open_engine(const struct token_uri *u, struct error *err)
{
	ENGINE *e;

	if (u->module && access(u->module, R_OK) < 0) {
		error_set(err, ERR_NOINPUT, "the module %s is not there", u->module);
		return NULL;
	}
	OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_DYNAMIC, NULL);
	e = ENGINE_by_id("pkcs11");
	if (!e) {
		ossl_error(err, ERR_UNAVAILABLE, "OpenSSL has no engine for tokens");
		error_hint(err, "install libengine-pkcs11-openssl");
		return NULL;
	}
	if ((u->module && ENGINE_ctrl_cmd_string(e, "MODULE_PATH", u->module, 0) != 1) ||
	    ENGINE_init(e) != 1) {
		ossl_error(err, ERR_UNAVAILABLE, "the module for tokens cannot be loaded");
		ENGINE_free(e);
		return NULL;
	}
	/* It neither asks for a PIN by itself nor talks: both are ours to do. */
	(void)ENGINE_ctrl_cmd(e, "SET_USER_INTERFACE", 0, no_dialog(), NULL, 1);
	(void)ENGINE_ctrl_cmd_string(e, "QUIET", NULL, 1);
	ERR_clear_error();
	return e;
}

static bool
is_about_pin(unsigned long code)
{
	switch (ERR_GET_REASON(code)) {
	case PIN_INCORRECT:
	case PIN_INVALID:
	case PIN_LEN_RANGE:
	case PIN_LOCKED:
		/* The module's own errors are in a library that was numbered when it was loaded. */
		return ERR_GET_LIB(code) >= ERR_LIB_USER;
	default:
		return false;
	}
}

static int
no_key(const char *object, struct error *err)
{
	bool is_pin = false, is_locked = false;
	unsigned long code;

	while ((code = ERR_get_error()) != 0) {
		is_pin = is_pin || is_about_pin(code);
		is_locked = is_locked || (is_about_pin(code) && ERR_GET_REASON(code) == PIN_LOCKED);
	}
	if (is_pin) {
		error_set(err, ERR_PERM, "%s: %s", object, is_locked ? "its PIN is locked" :
		    "the PIN is wrong");
		return error_hint(err,
		    "it was tried once; a token counts such tries, and locks itself");
	}
	error_set(err, ERR_UNAVAILABLE, "%s: no such token is here, no such key on it, "
	    "or its module cannot be loaded", object);
	return error_hint(err,
	    "plug the token in; p11tool --list-all or pkcs11-tool -O shows what is on it");
}

/* ---- key and certificate ------------------------------------------------------------- */

static int
set_pin(const struct identity_source *source, const struct token_uri *u, ENGINE *e,
    struct unlock *unlock, struct error *err)
{
	struct secret_source file = {
		.file = u->pin_file, .allow_loose_files = source->allow_loose_files,
	};
	const char *pin;

	if (u->pin_file) {
		unlock->ask = secret_passphrase;
		unlock->ask_ctx = &file;
	}
	unlock->what = u->object;
	pin = unlock_passphrase(unlock, err);
	unlock->ask_ctx = NULL;
	if (!pin)
		return -1;
	if (ENGINE_ctrl_cmd_string(e, "PIN", pin, 0) != 1)
		return ossl_error(err, ERR_UNAVAILABLE, "%s: the PIN cannot be given", u->object);
	return 0;
}

static int
load_cert_of_token(ENGINE *e, const char *object, struct keyfile *into, struct error *err)
{
	/* What the engine's LOAD_CERT_CTRL takes. */
	struct {
		const char	*id;
		X509		*cert;
	} asked = { object, NULL };

	if (ENGINE_ctrl_cmd(e, "LOAD_CERT_CTRL", 0, &asked, NULL, 1) != 1 || !asked.cert) {
		ERR_clear_error();
		error_set(err, ERR_UNAVAILABLE,
		    "%s: no such token is here, or no certificate on it", object);
		return error_hint(err,
		    "name the certificate's file behind a comma: -i pkcs11:...,acme.crt");
	}
	return keyfile_add_cert(into, asked.cert, err);
}

static int
load_cert(ENGINE *e, const struct token_uri *u, struct keyfile *into, struct error *err)
{
	auto_blob struct blob bytes = { 0 };

	if (!u->cert_file)
		return load_cert_of_token(e, u->object, into, err);
	if (file_read(u->cert_file, CERT_FILE_LIMIT, FILE_ANY, &bytes, err) < 0)
		return -1;
	return keyfile_read_certs(&bytes, into, err) < 0 ?
	    error_context(err, "%s", u->cert_file) : 0;
}

int
token_load(const struct identity_source *source, const char *ref, struct unlock *unlock,
    struct keyfile *into, struct error *err)
{
	auto_with(token_uri_clear) struct token_uri u = { 0 };
	EVP_PKEY *key;
	ENGINE *e;

	if (parse(ref, &u, err) < 0)
		return -1;
	/* For good: the key is only as long as its engine, and so is this process. */
	e = open_engine(&u, err);
	if (!e)
		return -1;
	/*
	 * The key first: with it the session is logged in, once. A certificate that
	 * is not found without a login would be looked for with one of its own.
	 */
	if (set_pin(source, &u, e, unlock, err) < 0)
		return -1;
	ERR_clear_error();
	key = ENGINE_load_private_key(e, u.object, no_dialog(), NULL);
	if (!key)
		return no_key(u.object, err);
	if (keyfile_add_key(into, key, err) < 0)
		return -1;
	return load_cert(e, &u, into, err);
}
