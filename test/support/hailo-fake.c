/*
 * A library with the ABI of HailoRT's C API (hailo/hailort.h, 4.20.0 to 5.2.0), written for tests: no Hailo hardware, no code of theirs.
 * Its model is a text file of words that say how it behaves; it negates its input, and gives a list of boxes. The first device of two
 * is held by somebody else.
 */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, TIMEOUT = 4, INVALID_HEF = 26, IN_USE = 73, NO_DEVICE = 74, OTHER_CHIP = 93 };
enum { HEIGHT = 2, WIDTH = 5, FEATURES = 3, ELEMENTS = HEIGHT * WIDTH * FEATURES, BOXES = 11 };
enum { UINT8 = 1, FLOAT32 = 3, NHWC = 1, NC = 6, BY_CLASS = 22 };

struct version { uint32_t major, minor, revision; };
struct format { uint32_t type, order, flags; };
struct params {
  struct format format;
  uint32_t timeout_ms, queue_size, stats, elements;
};
struct named_params {
  char name[128];
  struct params params;
};
struct info {
  char name[128], network[257];
  uint32_t direction;
  struct format format;
  uint32_t shape[4];
  float zp, scale, least, most;
};
struct identity {
  uint32_t protocol;
  struct version firmware;
  uint32_t logger;
  uint8_t length;
  char board[32];
  bool release, extended;
  uint32_t architecture;
  uint8_t rest[80];
};
struct id { char id[32]; };
struct vdevice_params {
  uint32_t device_count;
  struct id *device_ids;
  uint32_t scheduling;
  const char *group_id;
  bool service;
};

static struct { char words[256]; } hef;
static uint8_t frame[ELEMENTS];
static uint32_t timeout_of_input;
static int alive;
static const char *const ids[] = {"0000:01:00.0", "0000:02:00.0"};
static const char *const names[] = {"net/input_layer1", "net/fc1", "net/nms1"};
static int says(const char *word) { return strstr(hef.words, word) != NULL; }

int hailo_get_library_version(struct version *version) {
  *version = (struct version){0, 0, 1};
  return SUCCESS;
}
const char *hailo_get_status_message(int status) {
  return status == INVALID_ARGUMENT ? "HAILO_INVALID_ARGUMENT" : "words of the accelctl test library, no Hailo hardware";
}
int hailo_scan_devices(void *params, struct id *found, size_t *count) {
  if (params != NULL || *count < 2) return INVALID_ARGUMENT;
  for (int i = 0; i < 2; i++) snprintf(found[i].id, sizeof found[i].id, "%s", ids[i]);
  *count = 2;
  return SUCCESS;
}
static int which(const struct id *id) { return strcmp(id->id, ids[0]) == 0 ? 0 : strcmp(id->id, ids[1]) == 0 ? 1 : -1; }

int hailo_create_device_by_id(const struct id *id, void **device) {
  int number = which(id);
  if (number < 0) return INVALID_ARGUMENT;
  if (number == 0) return IN_USE;
  *device = (void *)(uintptr_t)(number + 1);
  return SUCCESS;
}
int hailo_release_device(void *device) { return device == NULL ? INVALID_ARGUMENT : SUCCESS; }
int hailo_identify(void *device, struct identity *identity) {
  if (device == NULL) return INVALID_ARGUMENT;
  identity->firmware = (struct version){0, 0, 2};
  identity->length = 5;
  snprintf(identity->board, sizeof identity->board, "tests");
  identity->architecture = 2;
  return SUCCESS;
}
int hailo_init_vdevice_params(struct vdevice_params *params) {
  *params = (struct vdevice_params){.device_count = 1, .scheduling = 1};
  return SUCCESS;
}
int hailo_create_vdevice(struct vdevice_params *params, void **vdevice) {
  if (params->device_ids != NULL && which(params->device_ids) != 1 && !params->service) return NO_DEVICE;
  if (params->group_id != NULL && strcmp(params->group_id, "shared") != 0) return INVALID_ARGUMENT;
  *vdevice = &alive;
  alive++;
  return SUCCESS;
}
int hailo_release_vdevice(void *vdevice) {
  alive--;
  return vdevice == &alive ? SUCCESS : INVALID_ARGUMENT;
}
/* Not of HailoRT: how many virtual devices have not been released. */
int accelctl_alive(void) { return alive; }

int hailo_get_physical_devices(void *vdevice, void **devices, size_t *count) {
  if (vdevice != &alive || *count < 1) return INVALID_ARGUMENT;
  devices[0] = (void *)2;
  *count = 1;
  return SUCCESS;
}
int hailo_create_hef_file(void **out, const char *path) {
  FILE *file = fopen(path, "r");
  if (file == NULL) return 13;
  size_t got = fread(hef.words, 1, sizeof hef.words - 1, file);
  fclose(file);
  hef.words[got] = 0;
  if (says("invalid")) return INVALID_HEF;
  *out = &hef;
  return SUCCESS;
}
int hailo_release_hef(void *handle) { return handle == &hef ? SUCCESS : INVALID_ARGUMENT; }
int hailo_configure_vdevice(void *vdevice, void *handle, void *params, void **groups, size_t *count) {
  if (vdevice != &alive || handle != &hef || params != NULL) return INVALID_ARGUMENT;
  if (says("otherchip")) return OTHER_CHIP;
  groups[0] = groups[1] = &frame;
  *count = says("groups") ? 2 : 1;
  return SUCCESS;
}
static int fill(struct named_params *params, size_t *count, int first, int number, uint32_t type) {
  if (*count < (size_t)number) return INVALID_ARGUMENT;
  for (int i = 0; i < number; i++) {
    snprintf(params[i].name, sizeof params[i].name, "%s", names[first + i]);
    params[i].params = (struct params){.format = {type, 0, 0}, .timeout_ms = 10000, .queue_size = 2};
  }
  *count = number;
  return SUCCESS;
}
int hailo_make_input_vstream_params(void *group, bool unused, int type, struct named_params *params, size_t *count) {
  (void)unused;
  return group == &frame && type == 0 ? fill(params, count, 0, 1, UINT8) : INVALID_ARGUMENT;
}
int hailo_make_output_vstream_params(void *group, bool unused, int type, struct named_params *params, size_t *count) {
  (void)unused;
  return group == &frame && type == FLOAT32 ? fill(params, count, 1, 2, FLOAT32) : INVALID_ARGUMENT;
}
int hailo_create_input_vstreams(void *group, const struct named_params *params, size_t count, void **streams) {
  if (group != &frame || count != 1 || strcmp(params[0].name, names[0]) != 0) return INVALID_ARGUMENT;
  timeout_of_input = params[0].params.timeout_ms;
  streams[0] = (void *)1;
  return SUCCESS;
}
int hailo_create_output_vstreams(void *group, const struct named_params *params, size_t count, void **streams) {
  if (group != &frame || count != 2 || strcmp(params[1].name, names[2]) != 0) return INVALID_ARGUMENT;
  streams[0] = (void *)2;
  streams[1] = (void *)3;
  return SUCCESS;
}
int hailo_release_input_vstreams(void **streams, size_t count) { return count == 1 && streams[0] ? SUCCESS : INVALID_ARGUMENT; }
int hailo_release_output_vstreams(void **streams, size_t count) { return count == 2 && streams[1] ? SUCCESS : INVALID_ARGUMENT; }

static int describe(uintptr_t stream, struct info *info) {
  memset(info, 0, sizeof *info);
  snprintf(info->name, sizeof info->name, "%s", names[stream - 1]);
  snprintf(info->network, sizeof info->network, "net");
  info->direction = stream == 1 ? 0 : 1;
  uint32_t shapes[3][3] = {{HEIGHT, WIDTH, FEATURES}, {1, 1, ELEMENTS}, {2, 1, 5}};
  memcpy(info->shape, shapes[stream - 1], sizeof shapes[0]);
  info->zp = 3;
  info->scale = 0.5f;
  return SUCCESS;
}
int hailo_get_input_vstream_info(void *stream, struct info *info) { return describe((uintptr_t)stream, info); }
int hailo_get_output_vstream_info(void *stream, struct info *info) { return describe((uintptr_t)stream, info); }
int hailo_get_input_vstream_user_format(void *stream, struct format *format) {
  (void)stream;
  *format = (struct format){UINT8, NHWC, 0};
  return SUCCESS;
}
int hailo_get_output_vstream_user_format(void *stream, struct format *format) {
  *format = (struct format){FLOAT32, (uintptr_t)stream == 2 ? NC : BY_CLASS, 0};
  return SUCCESS;
}
int hailo_get_input_vstream_frame_size(void *stream, size_t *size) {
  *size = ELEMENTS;
  return stream == (void *)1 ? SUCCESS : INVALID_ARGUMENT;
}
int hailo_get_output_vstream_frame_size(void *stream, size_t *size) {
  *size = 4 * (stream == (void *)2 ? ELEMENTS : BOXES);
  return SUCCESS;
}
int hailo_vstream_write_raw_buffer(void *stream, const void *buffer, size_t size) {
  if (stream != (void *)1 || size != ELEMENTS) return INVALID_ARGUMENT;
  if (says("crash")) raise(SIGSEGV);
  memcpy(frame, buffer, size);
  return SUCCESS;
}
int hailo_vstream_read_raw_buffer(void *stream, void *buffer, size_t size) {
  float *to = buffer;
  while (says("hang")) pause();
  if (says("late")) return TIMEOUT;
  if (stream == (void *)2 && size == 4 * ELEMENTS) {
    for (int i = 0; i < ELEMENTS; i++) to[i] = -(float)frame[i];
    return SUCCESS;
  }
  if (stream != (void *)3 || size != 4 * BOXES) return INVALID_ARGUMENT;
  /* one box of the first class, none of the second; the input's timeout as score */
  memset(to, 0, size);
  to[0] = 1;
  to[5] = (float)timeout_of_input;
  return SUCCESS;
}
