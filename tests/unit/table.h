/* table: a test is a table; each row is a sentence, and its name is printed */
#ifndef TESTS_TABLE_H
#define TESTS_TABLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* Announces the row that the following assertions are about. */
#define row_named(name)	print_message("         - %s\n", (name))

#endif
