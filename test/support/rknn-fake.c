/*
 * A library with the ABI of Rockchip's RKNN API (rknn_api.h, SDK 2.3.2), written for tests: no Rockchip hardware, no code of theirs.
 * Its model is a text file of words that say how it behaves; it negates its first input and tells its core mask as second output.
 * -DSMALL: as librknnmrt, tensors in memory of its own only. -DBROKEN: without rknn_run.
 */

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct attr {
  uint32_t index, n_dims, dims[16];
  char name[256];
  uint32_t n_elems, size, fmt, type, qnt_type;
  int8_t fl;
  int32_t zp;
  float scale;
  uint32_t w_stride, size_with_stride;
  uint8_t pass_through;
  uint32_t h_stride;
};
struct mem {
  void *virt_addr;
  uint64_t phys_addr;
  int32_t fd, offset;
  uint32_t size, flags;
  void *priv_data;
};
struct input {
  uint32_t index;
  void *buf;
  uint32_t size;
  uint8_t pass_through;
  uint32_t type, fmt;
};
struct output {
  uint8_t want_float, is_prealloc;
  uint32_t index;
  void *buf;
  uint32_t size;
};

enum { WIDTH = 5, STRIDE = 16, HEIGHT = 2, CHANNELS = 3, ELEMENTS = WIDTH * HEIGHT * CHANNELS };
enum { FLOAT32 = 0, INT8 = 2, UINT8 = 3, INT64 = 8 };

struct context {
  char words[256];
  float input[ELEMENTS];
  struct mem *memory[3];
  uint32_t memory_type[3];
  uint32_t flag;
  int mask, given;
};

static int says(const struct context *context, const char *word) { return strstr(context->words, word) != NULL; }
static struct context *of(uint64_t handle) { return (struct context *)(uintptr_t)handle; }

int rknn_init(uint64_t *handle, const char *path, uint32_t size, uint32_t flag, void *extend) {
  (void)extend;
  FILE *file = size == 0 ? fopen(path, "r") : NULL;
  if (file == NULL) return -5;
  struct context *context = calloc(1, sizeof *context);
  size_t got = fread(context->words, 1, sizeof context->words - 1, file);
  fclose(file);
  context->words[got] = 0;
  context->flag = flag;
  int error = 0;
  const char *word = strstr(context->words, "init");
  if (word != NULL && sscanf(word, "init%d", &error) == 1) {
    free(context);
    return error;
  }
  *handle = (uint64_t)(uintptr_t)context;
  return 0;
}

int rknn_destroy(uint64_t handle) {
  free(of(handle));
  return 0;
}

static void describe(struct attr *a, const char *name, uint32_t type, uint32_t rank, const uint32_t *dims) {
  snprintf(a->name, sizeof a->name, "%s", name);
  a->n_dims = rank;
  a->n_elems = 1;
  for (uint32_t i = 0; i < rank; i++) a->n_elems *= a->dims[i] = dims[i];
  a->type = type;
  a->size = a->n_elems * (type == INT64 ? 8 : 1);
}

int rknn_query(uint64_t handle, int command, void *info, uint32_t size) {
  struct context *context = of(handle);
  static const uint32_t picture[] = {1, HEIGHT, WIDTH, CHANNELS}, row[] = {1, ELEMENTS}, one[] = {1};
  struct attr *a = info;
  switch (command) {
  case 0:
    if (size != 8) return -5;
    ((uint32_t *)info)[0] = 1;
    ((uint32_t *)info)[1] = 2;
    return 0;
  case 1:
    if (size != sizeof *a || a->index != 0) return -5;
    describe(a, "images", INT8, 4, picture);
    a->fmt = 1;
    a->qnt_type = 2;
    a->scale = 1 / 255.0f;
    a->zp = -128;
    a->w_stride = STRIDE;
    a->size_with_stride = STRIDE * HEIGHT * CHANNELS;
    return 0;
  case 2:
  case 11:
    if (size != sizeof *a || a->index > 1) return -5;
    if (a->index == 0) {
      describe(a, "negated", INT8, 2, row);
      a->qnt_type = 2;
      a->scale = 1;
    } else describe(a, "cores", INT64, 1, one);
    if (says(context, "miscounted")) a->n_elems++;
    return 0;
  case 3: {
    static const char report[] =
        "------------------------------\n"
        " Network Layer Information Table\n"
        "------------------------------\n"
        "ID   OpType           DataType Target InputShape      Time(us)   FullName\n"
        "1    InputOperator    UINT8    CPU    \\               12         InputOperator:images\n"
        "2    Neg              INT8     NPU    (1,3,2,5)       345        negate\n"
        "Total Operator Elapsed Per Frame Time(us): 357\n";
    if ((context->flag & 8) == 0) return -5;
    ((const char **)info)[0] = report;
    ((uint64_t *)info)[1] = sizeof report - 1;
    return 0;
  }
  case 4:
    *(int64_t *)info = 1234;
    return 0;
  case 5:
    if (size != 512) return -5;
    snprintf(info, 256, "0.0 (accelctl test library, no Rockchip hardware)");
    snprintf((char *)info + 256, 256, "none");
    return 0;
  default:
    return -5;
  }
}

static void compute(struct context *context, float *negated, int64_t *cores) {
  for (int i = 0; i < ELEMENTS; i++) negated[i] = -context->input[i];
  *cores = context->mask;
}

#ifndef SMALL
int rknn_set_core_mask(uint64_t handle, int mask) {
  if (says(of(handle), "onecore")) return -5;
  of(handle)->mask = mask;
  return 0;
}

int rknn_inputs_set(uint64_t handle, uint32_t count, struct input *inputs) {
  struct context *context = of(handle);
  if (count != 1 || inputs[0].index != 0 || inputs[0].fmt != 1 || inputs[0].pass_through != 0) return -8;
  if (inputs[0].type == FLOAT32 && inputs[0].size == ELEMENTS * 4) memcpy(context->input, inputs[0].buf, ELEMENTS * 4);
  else if (inputs[0].type == UINT8 && inputs[0].size == ELEMENTS)
    for (int i = 0; i < ELEMENTS; i++) context->input[i] = ((uint8_t *)inputs[0].buf)[i];
  else return -8;
  context->given = 1;
  return 0;
}

int rknn_outputs_get(uint64_t handle, uint32_t count, struct output *outputs, void *extend) {
  (void)extend;
  if (count != 2 || !outputs[0].is_prealloc || !outputs[0].want_float || outputs[1].want_float) return -9;
  if (outputs[0].size < ELEMENTS * 4 || outputs[1].size < 8) return -9;
  compute(of(handle), outputs[0].buf, outputs[1].buf);
  if (says(of(handle), "larger")) outputs[0].size *= 2;
  return 0;
}

int rknn_outputs_release(uint64_t handle, uint32_t count, struct output *outputs) {
  (void)handle, (void)outputs;
  return count == 2 ? 0 : -9;
}
#else
struct mem *rknn_create_mem(uint64_t handle, uint32_t size) {
  if (says(of(handle), "nomemory")) return NULL;
  struct mem *mem = calloc(1, sizeof *mem);
  mem->virt_addr = calloc(1, size);
  mem->size = size;
  return mem;
}

int rknn_destroy_mem(uint64_t handle, struct mem *mem) {
  (void)handle;
  free(mem->virt_addr);
  free(mem);
  return 0;
}

int rknn_set_io_mem(uint64_t handle, struct mem *mem, struct attr *a) {
  struct context *context = of(handle);
  int at = strcmp(a->name, "images") == 0 ? 0 : strcmp(a->name, "negated") == 0 ? 1 : 2;
  static const uint32_t types[] = {UINT8, FLOAT32, INT64};
  static const uint32_t sizes[] = {STRIDE * HEIGHT * CHANNELS, ELEMENTS * 4, 8};
  if (a->type != types[at] || mem->size < sizes[at] || (at == 0 && a->fmt != 1)) return -5;
  context->memory[at] = mem;
  return 0;
}
#endif

#ifndef BROKEN
int rknn_run(uint64_t handle, void *extend) {
  (void)extend;
  struct context *context = of(handle);
  if (says(context, "crash")) raise(SIGSEGV);
  while (says(context, "hang")) pause();
  if (says(context, "timeout")) return -2;
#ifdef SMALL
  if (context->memory[0] == NULL || context->memory[2] == NULL) return -8;
  const uint8_t *from = context->memory[0]->virt_addr;
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < WIDTH * CHANNELS; x++) context->input[y * WIDTH * CHANNELS + x] = from[y * STRIDE * CHANNELS + x];
  compute(context, context->memory[1]->virt_addr, context->memory[2]->virt_addr);
  return 0;
#else
  return context->given ? 0 : -8;
#endif
}
#endif
