/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kept inputs of a harness as a test, without libFuzzer: replay HARNESS DIRECTORY. HARNESSES is
 * the list of those that are linked, X(name) each.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(name)                                               \
	int fuzz_##name(const uint8_t *bytes, size_t length); \
	__attribute__((weak)) int fuzz_##name##_initialize(int *argc, char ***argv);
HARNESSES
#undef X

static const struct {
	const char *name;
	int (*run)(const uint8_t *bytes, size_t length);
	int (*initialize)(int *argc, char ***argv);
} harnesses[] = {
#define X(name) {#name, fuzz_##name, fuzz_##name##_initialize},
	HARNESSES
#undef X
};

/* In memory of its exact size, so that a read beyond it is seen. */
static int replay(int (*run)(const uint8_t *bytes, size_t length), const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long length;
	int rc = -1;

	if (!file)
		return -1;
	if (fseek(file, 0, SEEK_END) < 0 || (length = ftell(file)) < 0 ||
		fseek(file, 0, SEEK_SET) < 0)
		goto out;
	bytes = malloc(length ? (size_t)length : 1);
	if (bytes && fread(bytes, 1, (size_t)length, file) == (size_t)length)
		rc = run(bytes, (size_t)length);
out:
	free(bytes);
	fclose(file);
	return rc;
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	const char *name = argc == 3 ? argv[1] : "";
	size_t n = sizeof(harnesses) / sizeof(harnesses[0]), h = 0;
	struct dirent **inputs;
	int count, rc = 0;

	while (h < n && strcmp(harnesses[h].name, name) != 0)
		h++;
	if (h == n) {
		fprintf(stderr, "usage: replay HARNESS DIRECTORY\n");
		return 2;
	}
	count = scandir(argv[2], &inputs, is_input, alphasort);
	if (count <= 0) {
		fprintf(stderr, "%s: no inputs\n", argv[2]);
		return 2;
	}
	if (harnesses[h].initialize)
		harnesses[h].initialize(&argc, &argv);
	for (int i = 0; i < count; i++) {
		char path[4096];

		/* named before, so that a report of a sanitizer stands under it */
		snprintf(path, sizeof(path), "%s/%s", argv[2], inputs[i]->d_name);
		printf("%s\n", path);
		fflush(stdout);
		rc |= replay(harnesses[h].run, path);
		free(inputs[i]);
	}
	free(inputs);
	return rc ? 1 : 0;
}
