/* folder: who could put another file in the place of one that is relied on */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

struct error;

/*
 * Looks at the folder of path and at all above it: each must belong to root or
 * to this user, and nobody else may write to it (where everybody may, as in
 * /tmp, names belong to who made them, and that is enough). ERR_PERM names the
 * folder that is not so, ERR_NOINPUT one that is not there. path itself need not
 * exist.
 */
int	folder_check(const char *path, struct error *err);

/*
 * The mildest form of it, for a file that is only read: ERR_PERM when everybody
 * may exchange it, because its folder (or, of a link, the folder of what it
 * leads to) is everybody's and without the sticky bit.
 */
int	folder_check_open(const char *path, struct error *err);

#endif
