/* fuzz_policy: any bytes as a policy file */
#include "tests/fuzz/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/error.h"
#include "core/desired.h"
#include "core/policy.h"
#include "crypto/digest.h"
#include "flow/policy_file.h"

static void
clean_policy(struct policy **p)
{
	policy_free(*p);
}

static void
check_findings(const struct policy_findings *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (!f->items[i].message[0] || strpbrk(f->items[i].message, "\n\r\033") ||
		    f->items[i].line == 0 || f->items[i].column == 0)
			abort();
}

/* A policy that was accepted can be asked anything. */
static void
use(const struct policy *p)
{
	static const char serial[] = "F9FXK0ABCD12", udid[] = "00008101-000000000000001E";
	struct policy *one[] = { (struct policy *)(uintptr_t)p };
	const struct policies all = { .items = one, .n = 1 };
	const struct policy_subject subject = { .udid = udid, .product = "iPad13,18", .os = "18.1",
		.serial = serial, .organization = "Acme", .is_supervised = YES };
	const enum known is_ours[] = { YES };
	const struct policy *order[1];
	auto_desired struct desired desired = { .digest = digest_sha256 };
	const int64_t now = 1795510800;	/* 2026-11-24T09:00:00Z */
	int64_t boundary = policy_next_boundary(p, now);
	struct error err = { 0 };

	(void)policies_rank(&all, &subject, order);
	(void)policies_choose(&all, &subject, is_ours);
	if (boundary && boundary <= now)
		abort();
	(void)policy_desire(p, POLICY_KEEP, now, "Acme", &desired, &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct policy_findings findings;
	auto_with(clean_policy) struct policy *p = NULL;
	auto_fd int fd = memfd_create("policy", MFD_CLOEXEC);
	struct error err = { 0 };
	char path[64];

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	findings = (struct policy_findings){ 0 };
	if (policy_file_load(path, &p, &findings, &err) < 0) {
		if (err.kind == ERR_NONE || !err.message[0])
			abort();
	} else {
		if (findings.errors)
			abort();
		use(p);
	}
	check_findings(&findings);
	return 0;
}
