/* lint_rules: one row for each thing that can be wrong with a profile */
#ifndef CORE_LINT_RULES_H
#define CORE_LINT_RULES_H

/*
 * RULE(id, severity, what it is about). Code, tests and manual are all held
 * against this table. P: the file, T: the top level, R: removal, C: what every
 * payload has, K: keys, X: what belongs together, S: signature, V: the device.
 * The severity is the usual one; a finding may be graver or lighter.
 */
#define LINT_RULES(RULE)                                                                  \
	RULE(P001, ERROR, "not a property list")                                          \
	RULE(P002, ERROR, "the property list is broken or cut short")                     \
	RULE(P003, ERROR, "entity declarations")                                          \
	RULE(P004, ERROR, "nested too deep, or too many values")                          \
	RULE(P005, WARNING, "unusually large")                                            \
	RULE(P006, NOTE, "UTF-16, or a byte order mark")                                  \
	RULE(P007, ERROR, "the root is not a dictionary")                                 \
	RULE(P008, WARNING, "the same key twice in one dictionary")                       \
	RULE(T001, ERROR, "PayloadType is not Configuration")                             \
	RULE(T002, ERROR, "PayloadVersion is not 1")                                      \
	RULE(T003, ERROR, "PayloadIdentifier is missing or empty")                        \
	RULE(T004, WARNING, "PayloadIdentifier is not in reverse-DNS form")               \
	RULE(T005, ERROR, "PayloadUUID is missing or empty")                              \
	RULE(T006, WARNING, "a UUID that does not look like one")                         \
	RULE(T007, ERROR, "PayloadContent is missing or no array")                        \
	RULE(T008, ERROR, "PayloadContent is empty")                                      \
	RULE(T009, ERROR, "a payload that is no dictionary")                              \
	RULE(T010, WARNING, "no display name or organization")                            \
	RULE(T011, ERROR, "a key of the top level has the wrong type")                    \
	RULE(T012, WARNING, "unknown key at the top level")                               \
	RULE(T013, WARNING, "PayloadScope has no meaning on iOS")                         \
	RULE(T014, ERROR, "TargetDeviceType out of range, or not an iPhone or iPad")      \
	RULE(T015, ERROR, "IsEncrypted and the contents disagree")                        \
	RULE(T016, WARNING, "ConsentText without a default, or with a value that is no text") \
	RULE(R001, ERROR, "RemovalDate is not in the future")                             \
	RULE(R002, WARNING, "two time bounds")                                            \
	RULE(R003, ERROR, "DurationUntilRemoval is not positive, or very short")          \
	RULE(R004, WARNING, "time-bound, but the clock can be moved")                     \
	RULE(R005, WARNING, "locked for good")                                            \
	RULE(R006, WARNING, "a removal password that protects nothing")                   \
	RULE(R007, WARNING, "HasRemovalPasscode and the payloads disagree")               \
	RULE(R008, WARNING, "the removal password is missing or short")                   \
	RULE(R009, WARNING, "PayloadExpirationDate removes nothing")                      \
	RULE(C001, ERROR, "a payload lacks a key that all must have")                     \
	RULE(C002, ERROR, "two payloads have the same identifier")                        \
	RULE(C003, ERROR, "the same UUID twice")                                          \
	RULE(C004, WARNING, "a payload's identifier does not begin with the profile's")   \
	RULE(C005, ERROR, "unknown payload type")                                         \
	RULE(C006, ERROR, "a payload type that iOS does not have")                        \
	RULE(C007, ERROR, "a payload that may be there once is there twice")              \
	RULE(C008, WARNING, "the payload needs supervision")                              \
	RULE(C009, WARNING, "the payload is newer than the target")                       \
	RULE(K001, WARNING, "unknown key")                                                \
	RULE(K002, ERROR, "a value of the wrong type")                                    \
	RULE(K003, ERROR, "a value out of range")                                         \
	RULE(K004, ERROR, "a required key is missing")                                    \
	RULE(K005, WARNING, "the key needs supervision")                                  \
	RULE(K006, WARNING, "the key is newer than the target")                           \
	RULE(K007, WARNING, "the key is deprecated on the target")                        \
	RULE(K008, ERROR, "the key was removed before the target")                        \
	RULE(K009, WARNING, "the key belongs to another system")                          \
	RULE(K010, WARNING, "the key works through an MDM only")                          \
	RULE(K011, WARNING, "every restriction equals its default")                       \
	RULE(K012, NOTE, "a restriction equals its default")                              \
	RULE(K013, WARNING, "an old name of a key")                                       \
	RULE(X001, WARNING, "the same restriction in two payloads")                       \
	RULE(X002, WARNING, "an allow list beside a block list")                          \
	RULE(X003, ERROR, "an empty allow list")                                          \
	RULE(X004, ERROR, "the block list names an app that cannot be hidden")            \
	RULE(X005, WARNING, "the allow list lacks an app that is needed")                 \
	RULE(X006, WARNING, "a bundle id that looks wrong")                               \
	RULE(X007, NOTE, "what still works with iMessage off")                            \
	RULE(X008, WARNING, "Messages is hidden, its notifications are not")              \
	RULE(X009, WARNING, "allowHostPairing=false may lock this tool out")              \
	RULE(X010, WARNING, "only known Wi-Fi networks, and none in the profile")         \
	RULE(X011, WARNING, "a restriction takes something with it")                      \
	RULE(X012, WARNING, "a restriction that destroys something")                      \
	RULE(X013, WARNING, "Single App Mode without a way to use it")                    \
	RULE(X014, ERROR, "cellular lines: too many, or not an ICCID")                    \
	RULE(X015, WARNING, "exceptions from a restriction that is not there")            \
	RULE(X016, WARNING, "a delay for updates that are not delayed")                   \
	RULE(X017, ERROR, "a certificate that is not in the profile")                     \
	RULE(X018, WARNING, "Wi-Fi security that contradicts itself, or is broken")       \
	RULE(X019, WARNING, "a Wi-Fi network without a usable name")                      \
	RULE(X020, WARNING, "a secret in clear")                                          \
	RULE(X021, WARNING, "a web content filter that is incomplete")                    \
	RULE(X022, WARNING, "too many addresses in a deny list")                          \
	RULE(X023, WARNING, "a Home Screen icon without what it shows")                   \
	RULE(S001, ERROR, "changed after signing")                                        \
	RULE(S002, ERROR, "signed, but the profile is not inside")                        \
	RULE(S003, WARNING, "the device will show Not Verified")                          \
	RULE(S004, WARNING, "the signature is weak or will not last")                     \
	RULE(S005, NOTE, "not signed")                                                    \
	RULE(S006, WARNING, "text where a device wants DER")                              \
	RULE(S007, ERROR, "bytes after the end")                                          \
	RULE(V001, WARNING, "an installed profile has this UUID and other content")       \
	RULE(V002, WARNING, "another installed profile sets the same key")

enum lint_rule_number {
#define LINT_NUMBER(id, severity, text)	LINT_##id,
	LINT_RULES(LINT_NUMBER)
#undef LINT_NUMBER
	LINT_RULE_COUNT
};

#endif
