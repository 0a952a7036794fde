/* centralschema: central.sql as text */
#ifndef STORE_CENTRALSCHEMA_H
#define STORE_CENTRALSCHEMA_H

extern const char central_schema[];

#endif
