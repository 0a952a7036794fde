# text2c.awk: a text file in, a C string on stdout. awk -v name=NAME -v header=FILE.h

BEGIN { printf "/* made by text2c.awk: do not edit */\n#include \"%s\"\n\nconst char %s[] =\n", header, name }

{
	gsub(/\\/, "\\\\&")
	gsub(/"/, "\\\"")
	sub(/^\t+/, "")
	gsub(/\t/, "\\t")
	print "\t\"" $0 "\\n\""
}

END { print "\t;" }
