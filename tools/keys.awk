# keys.awk: src/core/keys.tsv and payloads.tsv in, a C table on stdout.
# awk -f keys.awk -v table=keys keys.tsv; a malformed line ends the build.

function fail(why)
{
	printf "%s:%d: %s\n", FILENAME, FNR, why > "/dev/stderr"
	failed = 1
	exit 1
}

function quoted(s)
{
	if (s == "-")
		return "NULL"
	if (s ~ /["\\]/)
		fail("a quote or backslash in: " s)
	return "\"" s "\""
}

function version_or_dash(s, what)
{
	if (s != "-" && s !~ /^[0-9]+(\.[0-9]+)*$/)
		fail(what " is no version: " s)
}

BEGIN {
	FS = "\t"
	split("bool int real string date data strings ints dicts dict pages map any", t, " ")
	for (i in t)
		is_type[t[i]] = 1
	split("false true min union meet", c, " ")
	for (i in c)
		is_combine[c[i]] = 1
	print "/* made by tools/keys.awk; edit the .tsv instead */"
	print "#include \"core/keys.h\"\n"
	if (table == "keys")
		print "const struct key key_table[] = {"
	else
		print "const struct payload_type payload_table[] = {"
}

/^#/ || /^$/ { next }

/^\[.*\]$/ {
	payload = substr($0, 2, length($0) - 2)
	if (payload in sections)
		fail("a second section " payload)
	sections[payload] = 1
	section_name[++n_sections] = payload
	section_first[n_sections] = n + 0
	next
}

table == "keys" {
	if (NF != 13)
		fail("13 columns wanted, " NF " found")
	if (!payload)
		fail("a key before the first section")
	if (!($2 in is_type))
		fail("unknown type " $2)
	if ($5 != "-" && !($5 in is_combine))
		fail("unknown way to combine " $5)
	if ((payload, $1) in seen)
		fail("a second row for " $1)
	if (payload == "com.apple.applicationaccess" && $1 <= last)
		fail($1 " is out of order")
	last = $1
	seen[payload, $1] = 1
	if ($7 !~ /^not:/)
		version_or_dash($7, "introduced")
	version_or_dash($8, "deprecated")
	version_or_dash($9, "removed")
	printf "\t{ \"%s\", \"%s\", KEY_%s, %s, %s, %s, ", payload, $1, toupper($2),
	    quoted($3), quoted($4), $5 == "-" ? "COMBINE_NONE" : "COMBINE_" toupper($5)
	printf "%s, %s, %s,\n\t  ", quoted($6),
	    $7 ~ /^not:/ ? "NULL" : quoted($7), $7 ~ /^not:/ ? quoted(substr($7, 5)) : "NULL"
	printf "%s, %s, %s, %s, %s, %s, %s, %s, %s },\n", quoted($8), quoted($9), quoted($10),
	    $11 ~ /R/ ? "true" : "false", $11 ~ /M/ ? "true" : "false",
	    $11 ~ /O/ ? "true" : "false", $11 ~ /P/ ? "true" : "false",
	    quoted($12), quoted($13)
	n++
}

table == "payloads" {
	if (NF != 5)
		fail("5 columns wanted, " NF " found")
	if ($1 in seen)
		fail("a second row for " $1)
	seen[$1] = 1
	version_or_dash($2, "introduced")
	printf "\t{ \"%s\", %s, %s, %s, %s, %s },\n", $1, quoted($2),
	    $3 ~ /S/ ? "true" : "false", $3 ~ /1/ ? "true" : "false", quoted($4), quoted($5)
	n++
}

END {
	if (failed)
		exit 1
	print "};\n"
	if (table == "keys") {
		print "const size_t key_table_size = " n ";\n"
		print "const struct key_section key_sections[] = {"
		section_first[n_sections + 1] = n
		for (i = 1; i <= n_sections; i++)
			printf "\t{ \"%s\", %d, %d },\n", section_name[i], section_first[i],
			    section_first[i + 1] - section_first[i]
		print "};\n"
		print "const size_t key_sections_size = " n_sections ";"
	}
	else
		print "const size_t payload_table_size = " n ";"
}
