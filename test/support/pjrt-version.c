/* A library that says it is a PJRT plug-in of version MAJOR.MINOR, and is none: the head of struct PJRT_Api (pjrt_c_api.h) alone. */
#include <stddef.h>

struct api {
  size_t struct_size;
  void *extension_start;
  size_t version_size;
  void *version_extension;
  int major, minor;
};

static const struct api api = {sizeof(struct api), NULL, 24, NULL, MAJOR, MINOR};

const struct api *GetPjrtApi(void);
const struct api *GetPjrtApi(void) { return &api; }
