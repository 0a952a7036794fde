/* policy_set: several policies side by side, and what they may not share */
#include "flow/policy_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"

void
policies_free(struct policies *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		policy_free(all->items[i]);
	free(all->items);
	*all = (struct policies){ 0 };
}

static int
check_beside(const struct policies *all, const struct policy *p, struct error *err)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		const struct policy *other = all->items[i];

		if (strcmp(other->name, p->name) == 0)
			return error_set(err, ERR_DATA, "%s:1:1: %s has the name %s too",
			    p->path, other->path, p->name);
		if (!policies_collide(other, p))
			continue;
		error_set(err, ERR_DATA,
		    "%s:1:1: it and %s are for the same devices, and neither is more specific",
		    p->path, other->path);
		return error_hint(err, "give one of them a further condition under devices");
	}
	return 0;
}

int
policies_add(struct policies *all, struct policy *p, struct error *err)
{
	struct policy **grown;

	if (check_beside(all, p, err) < 0) {
		policy_free(p);
		return -1;
	}
	grown = reallocarray(all->items, all->n + 1, sizeof(*grown));
	if (!grown || all->n == POLICIES_MAX) {
		all->items = grown ? grown : all->items;
		policy_free(p);
		return grown ? error_set(err, ERR_DATA, "more than %d policies", POLICIES_MAX) :
		    error_memory(err);
	}
	all->items = grown;
	all->items[all->n++] = p;
	return 0;
}

static int
is_policy(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return *e->d_name != '.' && dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int
add_file(const char *folder, const char *name, struct policies *out, struct error *err)
{
	auto_free char *path = NULL;
	struct policy *p = NULL;
	struct stat st;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return error_memory(err);
	}
	/* Reading a pipe would wait for whoever writes into it. */
	if (stat(path, &st) < 0)
		return error_set_sys(err, ERR_NOINPUT, errno, "%s", path);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return error_set(err, ERR_DATA, "%s is no regular file", path);
	return policy_file_load(path, &p, NULL, err) < 0 ? -1 : policies_add(out, p, err);
}

int
policies_load_folder(const char *folder, struct policies *out, struct error *err)
{
	auto_policies struct policies all = { 0 };
	struct dirent **names = NULL;
	int n = scandir(folder, &names, is_policy, alphasort), i, rc = 0;

	if (n < 0)
		return error_set_sys(err, ERR_NOINPUT, errno, "%s", folder);
	for (i = 0; i < n; i++) {
		if (rc == 0)
			rc = add_file(folder, names[i]->d_name, &all, err);
		free(names[i]);
	}
	free(names);
	if (rc < 0)
		return -1;
	policies_free(out);
	*out = all;
	all = (struct policies){ 0 };
	return 0;
}
