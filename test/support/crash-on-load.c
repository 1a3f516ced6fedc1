// A library that takes its process down while it is loaded, as vendors' libraries do whose driver is of another version.
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void load(void) {
  fprintf(stderr, "driver version mismatch\n");
  abort();
}
