/*
 * A library that has the functions of llama.cpp which accelctl binds and a layout of parameters that no revision has: n_gpu_layers is
 * followed by a field of nobody's. Written from the names alone; every function but the defaults would end the test if it were called.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct block {
  uint64_t words[64];
};

struct block llama_model_default_params(void) {
  struct block block;
  memset(&block, 0, sizeof block);
  int32_t *fields = (int32_t *)block.words;
  fields[4] = -1;
  fields[5] = 77;
  fields[6] = 1;
  return block;
}

struct block llama_context_default_params(void) {
  struct block block;
  memset(&block, 0, sizeof block);
  return block;
}

const char *llama_version(void) { return "9.9.9"; }

#define STUB(name)                                                                                                                          \
  void name(void) { abort(); }
STUB(ggml_backend_load_all_from_path)
STUB(ggml_backend_load)
STUB(ggml_backend_dev_count)
STUB(ggml_backend_dev_get)
STUB(ggml_backend_dev_name)
STUB(ggml_backend_dev_description)
STUB(ggml_backend_dev_get_props)
STUB(ggml_backend_dev_backend_reg)
STUB(ggml_backend_reg_name)
STUB(llama_backend_init)
STUB(llama_model_free)
STUB(llama_model_get_vocab)
STUB(llama_model_n_ctx_train)
STUB(llama_model_n_layer)
STUB(llama_model_has_encoder)
STUB(llama_model_has_decoder)
STUB(llama_model_chat_template)
STUB(llama_chat_apply_template)
STUB(llama_free)
STUB(llama_n_ctx)
STUB(llama_set_n_threads)
STUB(llama_get_memory)
STUB(llama_memory_clear)
STUB(llama_synchronize)
STUB(llama_get_logits_ith)
STUB(llama_vocab_n_tokens)
STUB(llama_vocab_is_eog)
#ifndef WITHOUT_TOKENIZE
STUB(llama_tokenize)
#endif
STUB(llama_token_to_piece)
STUB(llama_batch_get_one)
STUB(llama_decode)
STUB(llama_model_load_from_file)
STUB(llama_init_from_model)
