/* linter: what the parts of lint share; nobody else includes it */
#ifndef CORE_LINTER_H
#define CORE_LINTER_H

#include <plist/plist.h>

#include "core/keys.h"
#include "core/lint.h"
#include "core/outline.h"

/* A value, and the way to it. They live on the stack and point upwards. */
struct place {
	const struct place	*up;		/* NULL: the root */
	const char		*key;		/* in a dictionary */
	size_t			 index;		/* in an array */
	uint32_t		 at;		/* in the outline; OUTLINE_NONE: unknown */
	plist_t			 node;
};

struct lint_payload {
	struct place		 place;
	const char		*type;		/* NULL when it has none */
	const struct payload_type *fact;	/* NULL when unknown */
};

/* One restriction of one payload. */
struct lint_restriction {
	const char		*key;		/* borrowed from names */
	const struct key	*fact;		/* NULL when unknown */
	struct place		 place;
};

struct linter {
	const struct lint_signature *signature;
	const struct lint_target *target;
	struct lint_report	*report;
	struct error		*err;
	bool			 has_failed;	/* out of memory; err says so */
	struct blob		 converted;	/* the file in UTF-8 when it was not */
	struct outline		 outline;
	size_t			 misses;	/* positions looked for in vain */
	plist_t			 root;
	struct place		 top;
	struct place		 content;	/* PayloadContent */
	struct lint_payload	*payloads;
	size_t			 n_payloads;
	struct lint_restriction	*restrictions;	/* sorted by key, then by payload */
	size_t			 n_restrictions, room;
};

/* At a place of the profile. severity LINT_USUAL: the one of the rule. */
enum { LINT_USUAL = -1 };
void	lint_add(struct linter *l, enum lint_rule_number rule, int severity,
	    const struct place *place, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* At an offset of the file, when there is no tree yet. */
void	lint_add_at(struct linter *l, enum lint_rule_number rule, int severity, size_t offset,
	    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The report is full: say no more than has to be counted. */
bool	lint_is_full(const struct linter *l);
void	lint_fail(struct linter *l);

/* node is NULL when the key is absent; place is then the dictionary's. */
struct place lint_get(struct linter *l, const struct place *dict, const char *key);

/* All entries or elements in order: for (w = …; lint_next(l, &w); ) uses w.place. */
struct lint_walk {
	const struct place	*in;
	void			*iter;
	char			*key;		/* of place, until the next call */
	struct place		 place;
	size_t			 index;
	uint32_t		 next;
	bool			 is_over;
};
struct lint_walk lint_walk(struct linter *l, const struct place *in);
bool	lint_next(struct linter *l, struct lint_walk *w);
void	lint_walk_clear(struct lint_walk *w);
#define auto_lint_walk	auto_with(lint_walk_clear)

/* A text of the file made fit for a message; one buffer each. */
struct lint_text {
	char	s[160];
};
struct lint_text lint_text(const char *foreign);

/* True when the place is a boolean of that value. */
bool	lint_is(const struct place *p, bool value);
/* The entry of the restrictions with that key (the first), or NULL. */
const struct lint_restriction *lint_restriction(const struct linter *l, const char *key);
/* The restriction is there as a boolean of that value; *where when not NULL. */
bool	lint_restricts(const struct linter *l, const char *key, bool value,
	    const struct place **where);
/* Payloads of a type from *i on; moves *i past the one found. NULL: no more. */
const struct lint_payload *lint_payload_of(const struct linter *l, const char *type, size_t *i);

/* The rules, in the order in which they are asked. */
void	lint_wrapper(struct linter *l);
bool	lint_file(struct linter *l, const void *data, size_t len);
void	lint_top_level(struct linter *l);
void	lint_removal(struct linter *l);
void	lint_payloads(struct linter *l);
void	lint_keys(struct linter *l);
void	lint_restrictions(struct linter *l);
void	lint_apps(struct linter *l);
void	lint_companions(struct linter *l);
void	lint_device(struct linter *l);

#endif
