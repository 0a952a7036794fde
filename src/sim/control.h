/* control: the socket through which a test plugs, locks, taps and looks */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

struct bench;
struct control;
struct error;

/*
 * One JSON object per line, one line back: {"ok": true, ...} or {"ok": false,
 * "error": text}. The commands are in chaperone-vbench(1). The socket is the
 * owner's alone. The bench is borrowed.
 */
struct control *control_new(struct bench *bench, const char *path, struct error *err);
/* After each turn of the loop: answers what was waited for, frees what is closed. */
void	control_turn(struct control *control);
/* NULL is fine. */
void	control_free(struct control *control);

#endif
