/* output: results for people, and JSON lines for programs */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Whether out is a terminal on which colour is welcome (NO_COLOR, TERM=dumb). */
bool	output_wants_color(FILE *out, bool is_forbidden);

/* Whether stdout is a pipe whose reader has gone, as head(1) does: it need not be told. */
bool	output_is_abandoned(void);

/* One compact line, flushed. Takes the reference. */
void	output_json_line(FILE *out, json_t *object);

/* The words of a chaperone.result/1 object on stdout. */
void	output_result(const json_t *result, bool color);
/* The table of list, from n chaperone.device/1. -1: out of memory, and nothing is shown. */
int	output_list(json_t *const *devices, size_t n, bool color);
/* Everything of a chaperone.device/1 object, for show. */
void	output_device(const json_t *device, bool color);
/* A line of station: what happens to whom. Steps are not worth one. */
void	output_station_event(const json_t *event, bool color);
/* A line of watch, from chaperone.event/1; "device", "trust" and "error" as they were read. */
void	output_event(const json_t *event, bool color);

/* The exit code that goes with a result's verdict; 3 when it has none. */
int	output_exit_code(const json_t *result);

#endif
