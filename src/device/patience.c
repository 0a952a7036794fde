/* patience: waiting for a person without spending the job's time */
#include "device/patience.h"

#include "base/error.h"

/* About once a second, as other clients do: each round may cost a signature. */
enum { ASK_AGAIN_MS = 1000 };

int
patience_wait(struct patience *p, enum wait_for what, struct error *err)
{
	int64_t pause_ms = p->person_ms < ASK_AGAIN_MS ? p->person_ms : ASK_AGAIN_MS;

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
