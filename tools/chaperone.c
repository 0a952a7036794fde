/* chaperone: the program; everything is in src/cli */
#include <locale.h>

#include "cli/command.h"

int
main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	return cli_main(argc, argv);
}
