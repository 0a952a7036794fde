/* plist_json: a property list's values as JSON */
#ifndef FLOW_PLIST_JSON_H
#define FLOW_PLIST_JSON_H

#include <jansson.h>
#include <plist/plist.h>

/*
 * A new reference; NULL becomes null. Data becomes {"sha256": …, "bytes": n}:
 * certificates are told apart, secrets are not shown. Dates are RFC 3339.
 * Texts are made printable.
 */
json_t	*plist_to_json(plist_t node);

#endif
