# schema.awk: src/store/schema.sql in, its versions as C strings on stdout.
# Comments and blank lines stay out; a malformed file ends the build.

function fail(why)
{
	printf "%s:%d: %s\n", FILENAME, FNR, why > "/dev/stderr"
	failed = 1
	exit 1
}

BEGIN {
	print "/* made from schema.sql by schema.awk: do not edit */"
	print "#include \"store/schema.h\"\n\nconst char *const schema_versions[] = {"
}

/^-- version / {
	if ($3 != ++version)
		fail("expected version " version)
	if (version > 1)
		print "\t,"
	next
}

/^--/ || /^[ \t]*$/ { next }

{
	if (!version)
		fail("SQL before the first version")
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	gsub(/\t/, "\\t")
	print "\t\"" $0 "\\n\""
}

END {
	if (failed)
		exit 1
	print "};\n\nconst int schema_latest = " version + 0 ";"
}
