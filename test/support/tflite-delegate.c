// A TFLite external delegate of our own, for tests: it takes element-wise float operators and really computes them, and it can be
// told to fail in the ways that vendors' libraries fail. Written from the public C ABI (tensorflow/lite/c/common.h, the same fields
// in 2.9 and 2.14; what 2.14 has at the ends of structs is zero here). It is no product and says so in its name.
// Options are told in tflite-delegate.ts.
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct { int size; int data[]; } IntArray;
typedef struct {
  int type; void *data; IntArray *dims; float scale; int32_t zero; int allocation_type; size_t bytes; const void *allocation;
  const char *name; void *delegate; int buffer_handle; bool stale, variable; int quantization; void *quantization_params;
  void *sparsity; const IntArray *signature;
} Tensor;
typedef struct {
  IntArray *inputs, *outputs, *intermediates, *temporaries; void *user_data, *builtin_data; const void *custom_data;
  int custom_size; void *delegate; bool side_effect;
} Node;
typedef struct Context Context;
typedef struct {
  void *(*init)(Context *, const char *, size_t); void (*free)(Context *, void *); int (*prepare)(Context *, Node *);
  int (*invoke)(Context *, Node *); const char *(*profiling)(const Context *, const Node *); int32_t builtin_code;
  const char *custom_name; int version; void *external, *async; uint64_t inplace; void *more[2];
} Registration;
struct Context {
  size_t tensors_size; int (*GetExecutionPlan)(Context *, IntArray **); Tensor *tensors; void *impl;
  int (*ResizeTensor)(Context *, Tensor *, IntArray *); void (*ReportError)(Context *, const char *, ...);
  int (*AddTensors)(Context *, int, int *); int (*GetNodeAndRegistration)(Context *, int, Node **, Registration **);
  int (*ReplaceNodeSubsetsWithDelegateKernels)(Context *, Registration, const IntArray *, void *);
};
typedef struct { void *delegate; IntArray *nodes, *inputs, *outputs; } Params;

enum { OK = 0, ERROR = 1, FLOAT32 = 1, ADD = 0, MUL = 18, SUB = 41 };

typedef struct {
  // The runtime's part: TfLiteDelegate of 2.14 is one pointer longer than 2.9's.
  struct { void *data; int (*Prepare)(Context *, void *); void *from, *to, *free; int64_t flags; void *builder; } base;
  bool takes[64];
  char misbehave[24], at[16], prepare[16];
  // A file: it misbehaves while there is none, and makes it first.
  char once[256];
  long sleep_us;
  // In runs it misbehaves only where the first number of the first input is this; NAN: in all.
  float when;
  // Takes only the first so many nodes; 0 is all.
  int limit;
} Delegate;

typedef struct { int code, activation, a, b, out; size_t n; bool one_a, one_b; } Step;
typedef struct { Delegate *delegate; int count; Step *steps; int tensors; float **own; } Kernel;

static void *outlive(void *nothing) {
  for (;;) usleep(1000);
  return nothing;
}

static void misbehave(const Delegate *d, const char *at) {
  const char *how = d->misbehave;
  if (strcmp(d->at, at) != 0) return;
  if (d->once[0] != 0) {
    const int fd = open(d->once, O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (fd < 0) return;
    close(fd);
  }
  if (!strcmp(how, "segv")) *(volatile int *)8 = 1;
  if (!strcmp(how, "abort")) { fputs("accelctl test delegate: about to abort\n", stderr); abort(); }
  if (!strcmp(how, "exit")) exit(3);
  if (!strcmp(how, "loop")) for (volatile int i = 0;; i++) {}
  if (!strcmp(how, "alloc10g"))
    for (int i = 0; i < 160; i++) {
      char *block = malloc(64 << 20);
      if (block == NULL) { fputs("accelctl test delegate: out of memory\n", stderr); abort(); }
      memset(block, i + 1, 64 << 20);
    }
  if (!strcmp(how, "share10g"))
    for (int i = 0; i < 160; i++) {
      char *block = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
      if (block == MAP_FAILED) { fputs("accelctl test delegate: nothing to share\n", stderr); abort(); }
      memset(block, i + 1, 64 << 20);
      usleep(20000);
    }
  if (!strcmp(how, "flood")) {
    static char line[4096];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 1 << 18; i++) fwrite(line, 1, sizeof line, stderr); // 1 GiB
  }
  if (!strcmp(how, "thread")) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, outlive, NULL) == 0) pthread_detach(thread);
  }
}

static size_t elements(const Tensor *t) {
  size_t n = 1;
  for (int i = 0; i < t->dims->size; i++) n *= (size_t)t->dims->data[i];
  return n;
}

static void *init(Context *context, const char *buffer, size_t length) {
  (void)length;
  const Params *params = (const Params *)buffer;
  Kernel *kernel = calloc(1, sizeof *kernel);
  kernel->delegate = (Delegate *)params->delegate;
  kernel->count = params->nodes->size;
  kernel->steps = calloc((size_t)kernel->count, sizeof *kernel->steps);
  kernel->tensors = (int)context->tensors_size;
  kernel->own = calloc((size_t)kernel->tensors, sizeof *kernel->own);
  for (int i = 0; i < kernel->count; i++) {
    Node *node;
    Registration *registration;
    context->GetNodeAndRegistration(context, params->nodes->data[i], &node, &registration);
    kernel->steps[i] = (Step){ registration->builtin_code, node->builtin_data ? *(int *)node->builtin_data : 0,
                               node->inputs->data[0], node->inputs->data[1], node->outputs->data[0], 0, false, false };
  }
  return kernel;
}

static void release(Context *context, void *pointer) {
  (void)context;
  Kernel *kernel = pointer;
  for (int i = 0; i < kernel->tensors; i++) free(kernel->own[i]);
  free(kernel->own);
  free(kernel->steps);
  free(kernel);
}

static int prepareKernel(Context *context, Node *node) {
  Kernel *kernel = node->user_data;
  misbehave(kernel->delegate, "prepare-kernel");
  if (strcmp(kernel->delegate->prepare, "kernel-fails") == 0) {
    context->ReportError(context, "accelctl test delegate: the kernel refuses");
    return ERROR;
  }
  // The runtime gives no memory to what lies inside a partition.
  for (int i = 0; i < kernel->count; i++) {
    Step *s = &kernel->steps[i];
    const int out = s->out;
    s->n = elements(&context->tensors[out]);
    s->one_a = elements(&context->tensors[s->a]) == 1;
    s->one_b = elements(&context->tensors[s->b]) == 1;
    bool inside = true;
    for (int k = 0; k < node->outputs->size; k++) inside = inside && node->outputs->data[k] != out;
    if (!inside) continue;
    free(kernel->own[out]);
    kernel->own[out] = malloc(s->n * sizeof(float));
  }
  return OK;
}

static float clamp(float x, int activation) {
  if (activation == 0) return x;
  const float low = activation == 2 ? -1 : 0, high = activation == 1 ? 3.4e38f : activation == 2 ? 1 : 6;
  return x < low ? low : x > high ? high : x;
}

static int invoke(Context *context, Node *node) {
  Kernel *kernel = node->user_data;
  const float when = kernel->delegate->when;
  const float *first = context->tensors[kernel->steps[0].a].data;
  if (isnan(when) || (first != NULL && *first == when)) misbehave(kernel->delegate, "invoke");
  if (kernel->delegate->sleep_us > 0) usleep((useconds_t)kernel->delegate->sleep_us);
  if (!strcmp(kernel->delegate->misbehave, "fail")) {
    context->ReportError(context, "accelctl test delegate: the device went away (%d)", 7);
    return ERROR;
  }
  for (int i = 0; i < kernel->count; i++) {
    const Step *s = &kernel->steps[i];
    const Tensor *ta = &context->tensors[s->a], *tb = &context->tensors[s->b], *to = &context->tensors[s->out];
    const float *a = kernel->own[s->a] ? kernel->own[s->a] : ta->data, *b = kernel->own[s->b] ? kernel->own[s->b] : tb->data;
    float *out = kernel->own[s->out] ? kernel->own[s->out] : to->data;
    if (a == NULL || b == NULL || out == NULL) {
      context->ReportError(context, "accelctl test delegate: a tensor has no memory");
      return ERROR;
    }
    for (size_t k = 0; k < s->n; k++) {
      const float x = a[s->one_a ? 0 : k], y = b[s->one_b ? 0 : k];
      out[k] = clamp(s->code == ADD ? x + y : s->code == MUL ? x * y : x - y, s->activation);
    }
  }
  if (!strcmp(kernel->delegate->misbehave, "wrong-size")) {
    IntArray *dims = malloc(sizeof(int) * 2); // belongs to the runtime from here on
    dims->size = 1;
    dims->data[0] = 1 << 28;
    context->ResizeTensor(context, &context->tensors[node->outputs->data[0]], dims);
  }
  return OK;
}

static bool able(const Delegate *d, Context *context, const Node *node, const Registration *registration) {
  const int code = registration->builtin_code;
  if (code < 0 || code >= 64 || !d->takes[code] || node->inputs->size != 2) return false;
  const Tensor *a = &context->tensors[node->inputs->data[0]], *b = &context->tensors[node->inputs->data[1]];
  const Tensor *out = &context->tensors[node->outputs->data[0]];
  if (a->type != FLOAT32 || b->type != FLOAT32 || out->type != FLOAT32) return false;
  const size_t n = elements(out);
  return (elements(a) == n || elements(a) == 1) && (elements(b) == n || elements(b) == 1);
}

static int prepare(Context *context, void *pointer) {
  Delegate *d = pointer;
  misbehave(d, "prepare");
  if (!strcmp(d->prepare, "fails")) {
    context->ReportError(context, "accelctl test delegate: no such device");
    return ERROR;
  }
  IntArray *plan;
  if (context->GetExecutionPlan(context, &plan) != OK) return ERROR;
  IntArray *mine = malloc(sizeof(int) * (size_t)(plan->size + 1));
  mine->size = 0;
  for (int i = 0; i < plan->size; i++) {
    Node *node;
    Registration *registration;
    if (context->GetNodeAndRegistration(context, plan->data[i], &node, &registration) != OK) continue;
    if (d->limit > 0 && mine->size >= d->limit) break;
    if (able(d, context, node, registration)) mine->data[mine->size++] = plan->data[i];
  }
  Registration registration = { .init = init, .free = release, .prepare = prepareKernel, .invoke = invoke,
                                .custom_name = "AccelctlTestDelegate", .version = 1 };
  const int status = context->ReplaceNodeSubsetsWithDelegateKernels(context, registration, mine, d);
  free(mine);
  return status;
}

static int codeOf(const char *name, size_t length) {
  if (length == 3 && !strncmp(name, "ADD", 3)) return ADD;
  if (length == 3 && !strncmp(name, "MUL", 3)) return MUL;
  if (length == 3 && !strncmp(name, "SUB", 3)) return SUB;
  return -1;
}

// A library that looks like a plugin and has none of its functions.
#ifdef WITHOUT_CREATE
#define tflite_plugin_create_delegate accelctl_create
#define tflite_plugin_destroy_delegate accelctl_destroy
#endif
void *tflite_plugin_create_delegate(char **keys, char **values, size_t count, void (*report)(const char *)) {
  Delegate *d = calloc(1, sizeof *d);
  d->base.data = d;
  d->base.Prepare = prepare;
  d->takes[ADD] = d->takes[MUL] = d->takes[SUB] = true;
  strcpy(d->at, "invoke");
  d->when = NAN;
  for (size_t i = 0; i < count; i++) {
    const char *value = values[i];
    if (!strcmp(keys[i], "take")) {
      memset(d->takes, 0, sizeof d->takes);
      while (*value != 0) {
        const size_t length = strcspn(value, ",");
        const int code = codeOf(value, length);
        if (code >= 0) d->takes[code] = true;
        value += length + (value[length] == ',');
      }
    } else if (!strcmp(keys[i], "misbehave")) snprintf(d->misbehave, sizeof d->misbehave, "%s", value);
    else if (!strcmp(keys[i], "once")) snprintf(d->once, sizeof d->once, "%s", value);
    else if (!strcmp(keys[i], "at")) snprintf(d->at, sizeof d->at, "%s", value);
    else if (!strcmp(keys[i], "prepare")) snprintf(d->prepare, sizeof d->prepare, "%s", value);
    else if (!strcmp(keys[i], "sleep_us")) d->sleep_us = atol(value);
    else if (!strcmp(keys[i], "when")) d->when = (float)atof(value);
    else if (!strcmp(keys[i], "limit")) d->limit = atoi(value);
    else if (!strcmp(keys[i], "refuse")) {
      if (report) report(value);
      free(d);
      return NULL;
    } else {
      char words[128];
      snprintf(words, sizeof words, "unknown option %.80s", keys[i]);
      if (report) report(words);
      free(d);
      return NULL;
    }
  }
  misbehave(d, "create");
  return d;
}

void tflite_plugin_destroy_delegate(void *delegate) {
  misbehave(delegate, "destroy");
  free(delegate);
}
