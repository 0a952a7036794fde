/* schema: schema.sql as text, one string per version */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

extern const char *const schema_versions[];	/* [0] brings a file to version 1 */
extern const int schema_latest;

#endif
