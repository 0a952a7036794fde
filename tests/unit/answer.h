/* answer: what a device says, written down in a test */
#ifndef TESTS_UNIT_ANSWER_H
#define TESTS_UNIT_ANSWER_H

#include <plist/plist.h>
#include <string.h>

#include "tests/unit/table.h"

/* The caller's: plist_free(). */
static inline plist_t
parse(const char *xml)
{
	plist_t list = NULL;

	plist_from_xml(xml, (uint32_t)strlen(xml), &list);
	assert_non_null(list);
	return list;
}

#endif
