/* words: prints the product's words as the program has them, for the checks of its texts */
#include <stdio.h>

#include "core/lint.h"
#include "core/preset.h"
#include "core/verdict.h"

int
main(void)
{
	const struct preset *preset;
	size_t i;
	int n;

	for (n = VERDICT_COMPLIANT; n <= VERDICT_FAILED; n++)
		printf("verdict %s %d\n", verdict_word((enum verdict)n), n);
	for (n = REASON_NONE + 1; n < REASON_COUNT; n++)
		printf("reason %s %s\n", reason_word((enum reason)n),
		    verdict_word(reason_verdict((enum reason)n)));
	for (n = TRUTH_NONE + 1; n <= TRUTH_EFFECTIVE; n++)
		printf("truth %s\n", truth_word((enum truth)n));
	for (i = 0; (preset = preset_at(i)); i++)
		printf("preset %s\n", preset->name);
	for (i = 0; i < LINT_RULE_COUNT; i++)
		printf("rule %s %s %s\n", lint_rules[i].id,
		    lint_severity_word(lint_rules[i].severity), lint_rules[i].text);
	return 0;
}
