/* patience: waiting for a person without spending the job's time */
#include "device/patience.h"

#include "base/error.h"

int
patience_wait(struct patience *p, enum wait_for what, struct error *err)
{
	return patience_wait_long(p, what, PATIENCE_ASK_AGAIN_MS, err);
}

int
patience_wait_long(struct patience *p, enum wait_for what, int64_t pause_ms, struct error *err)
{
	if (pause_ms > p->person_ms)
		pause_ms = p->person_ms;
	if (pause_ms <= 0)
		return -1;
	if (p->waiting && p->announced != 1 + (int)what)
		p->waiting(p->ctx, what);
	p->announced = 1 + (int)what;
	if (deadline_pause(deadline_in(pause_ms), err) < 0)
		return -1;
	p->person_ms -= pause_ms;
	p->job.at_ms += pause_ms;
	return 0;
}
