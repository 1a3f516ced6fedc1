/*
 * Two libraries of our own, for tests, written from the public ABI of ONNX Runtime (OrtApiBase and OrtApi's first member in
 * onnxruntime_c_api.h, CreateEpFactories and ReleaseEpFactory in onnxruntime_ep_c_api.h). -DPLUGIN: a maker's execution provider that
 * was built for a newer runtime than any, and says so. -DOLD: a runtime that is too old to serve what is asked.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct base {
  const void *(*api)(uint32_t version);
  const char *(*version)(void);
};

#ifdef PLUGIN
#define NEEDED 999
#define FAIL 1

struct api {
  void *(*create_status)(int code, const char *says);
};

void *CreateEpFactories(const char *name, const struct base *base, const void *logger, void **factories, size_t most, size_t *count) {
  (void)logger, (void)factories, (void)most;
  *count = 0;
  if (base->api(NEEDED) != NULL) return NULL;
  const struct api *api = base->api(22);
  char says[200];
  snprintf(says, sizeof says, "%s was built for API version %d and this is ONNX Runtime %s", name, NEEDED, base->version());
  return api->create_status(FAIL, says);
}

void *ReleaseEpFactory(void *factory) {
  (void)factory;
  return NULL;
}
#endif

#ifdef OLD
static const void *no_api(uint32_t version) {
  (void)version;
  return NULL;
}
static const char *version(void) { return "1.16.3-fake"; }

const struct base *OrtGetApiBase(void) {
  static const struct base base = {no_api, version};
  return &base;
}
#endif
