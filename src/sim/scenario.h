/* scenario: the YAML file that says which devices there are and what goes wrong */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

struct bench;
struct blob;
struct error;

/*
 * Adds the devices of the file to the bench. Paths in it are relative to it.
 * ERR_NOINPUT, or ERR_DATA with what libcyaml says (line and column included).
 */
int	scenario_load(struct bench *bench, const char *path, struct error *err);

/* A certificate file, PEM or DER, as DER. *out is replaced. */
int	scenario_read_certificate(const char *path, struct blob *out, struct error *err);

#endif
