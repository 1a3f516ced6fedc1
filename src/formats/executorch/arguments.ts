/**
 * Names of kernels' arguments: a program keeps their order only. From PyTorch's operator schemas (native_functions.yaml, through
 * ExecuTorch 1.5.1's functions.yaml) and the registrations of its cortex_m, quantized and llama kernels. Names of aten, of
 * quantized_decomposed and of dim_order_ops stand without their namespace; an overload stands apart where its arguments differ.
 */

const table = `
_adaptive_avg_pool2d: self output_size
_clone_dim_order: self non_blocking dim_order
_empty_dim_order: size dim_order
_log_softmax: self dim half_to_float
_native_batch_norm_legit_no_training: input weight bias running_mean running_var momentum eps
_softmax: self dim half_to_float
_to_copy: self non_blocking memory_format
_to_dim_order_copy: self non_blocking dim_order
_upsample_bilinear2d_aa: self output_size align_corners scales_h scales_w
add: self other alpha
addmm: self mat1 mat2 beta alpha
amax: self dim keepdim
amin: self dim keepdim
any: self dim keepdim
arange: start end step
argmax: self dim keepdim
argmin: self dim keepdim
as_strided_copy: self size stride storage_offset
avg_pool2d: self kernel_size stride padding ceil_mode count_include_pad divisor_override
cat: tensors dim
choose_qparams: input quant_min quant_max eps dtype
clamp: self min max
clone: self memory_format
constant_pad_nd: self pad value
convolution: input weight bias stride padding dilation transposed output_padding groups
copy: self src non_blocking
copy_: self src non_blocking
cortex_m::dequantize_per_tensor: input scale zero_point quant_min quant_max dtype
cortex_m::pad: input pre_pad post_pad pad_value
cortex_m::quantize_per_tensor: input scale zero_point quant_min quant_max dtype
cortex_m::quantized_activation: input lut
cortex_m::quantized_add: self self_zero_point self_multiplier self_shift other other_zero_point other_multiplier other_shift output_zero_point output_multiplier output_shift activation_min activation_max
cortex_m::quantized_avg_pool2d: input kernel_size stride padding ceil_mode zero_point multiplier shift scratch
cortex_m::quantized_avg_pool2d_nhwc: input kernel_size stride padding ceil_mode zero_point multiplier shift scratch
cortex_m::quantized_batch_matmul: lhs lhs_zero_point rhs_transposed rhs_zero_point output_zero_point output_multiplier output_shift scratch
cortex_m::quantized_conv2d: input weight bias stride padding dilation input_offset output_offset requantize_multipliers requantize_shifts activation_min activation_max scratch
cortex_m::quantized_conv2d_nhwc: input weight bias stride padding dilation input_offset output_offset requantize_multipliers requantize_shifts activation_min activation_max scratch
cortex_m::quantized_depthwise_conv2d: input weight bias stride padding dilation depth_multiplier input_offset output_offset requantize_multipliers requantize_shifts activation_min activation_max scratch
cortex_m::quantized_depthwise_conv2d_nhwc: input weight bias stride padding dilation depth_multiplier input_offset output_offset requantize_multipliers requantize_shifts activation_min activation_max scratch
cortex_m::quantized_div: self self_zero_point other other_zero_point output_zero_point output_scale
cortex_m::quantized_linear: input weights bias kernel_sum input_offset filter_offset output_offset requantize_multipliers requantize_shifts activation_max activation_min
cortex_m::quantized_max_pool2d: input kernel_size stride padding dilation ceil_mode input_zero_point output_zero_point activation_min activation_max
cortex_m::quantized_max_pool2d_nhwc: input kernel_size stride padding dilation ceil_mode input_zero_point output_zero_point activation_min activation_max
cortex_m::quantized_mul: self self_zero_point other other_zero_point output_zero_point output_multiplier output_shift
cortex_m::quantized_transpose_conv2d: input weight bias stride padding output_padding dilation input_offset output_offset requantize_multipliers requantize_shifts activation_min activation_max scratch output_scratch
cortex_m::quantized_transpose_conv2d_nhwc: input weight bias stride padding output_padding dilation input_offset output_offset requantize_multipliers requantize_shifts activation_min activation_max scratch output_scratch
cortex_m::softmax: input dim input_zero_point output_zero_point input_multiplier input_shift diff_min
cortex_m::transpose: input perm
cumsum: self dim dtype
dequantize_per_channel: input scales zero_points axis quant_min quant_max dtype out_dtype
dequantize_per_tensor: input scale zero_point quant_min quant_max dtype out_dtype
diagonal_copy: self offset dim1 dim2
div: self other rounding_mode
elu: self alpha scale input_scale
embedding: weight indices padding_idx scale_grad_by_freq sparse
empty: size memory_format
et_vk::conv_with_clamp: input weight bias stride padding dilation transposed output_padding groups output_min output_max
executorch_prim::et_view: self size
expand_copy: self size implicit
fill: self value
flip: self dims
full: size fill_value
full_like: self fill_value memory_format
gather: self dim index sparse_grad
gelu: self approximate
glu: self dim
grid_sampler_2d: input grid interpolation_mode padding_mode align_corners
hardtanh: self min_val max_val
index: self indices
index_put: self indices values accumulate
index_put_: self indices values accumulate
index_select: self dim index
leaky_relu: self negative_slope
llama::custom_sdpa: query key value start_pos attn_mask drpout_p is_causal scale
llama::sdpa_with_kv_cache: query key value key_cache value_cache start_pos seq_len attn_mask drpout_p is_causal scale
logit: self eps
max: self dim keepdim
max_pool2d_with_indices: self kernel_size stride padding dilation ceil_mode
mean.dtype_out: self dtype
mean: self dim keepdim dtype
min: self dim keepdim
narrow_copy: self dim start length
native_dropout: input p train
native_group_norm: input weight bias N C HxW group eps
native_layer_norm: input normalized_shape weight bias eps
permute_copy: self dims
pixel_shuffle: self upscale_factor
pixel_unshuffle: self downscale_factor
pow: self exponent
prod.out: self dtype
prod: self dim keepdim dtype
quantize_per_channel: input scales zero_points axis quant_min quant_max dtype
quantize_per_tensor: input scale zero_point quant_min quant_max dtype
reflection_pad1d: self padding
reflection_pad2d: self padding
reflection_pad3d: self padding
repeat: self repeats
repeat_interleave: repeats output_size
replication_pad1d: self padding
replication_pad2d: self padding
replication_pad3d: self padding
roll: self shifts dims
rsub: self other alpha
scatter.value_out: self dim index value
scatter: self dim index src
scatter_add: self dim index src
select_copy: self dim index
select_scatter: self src dim index
slice_copy: self dim start end step
slice_scatter: self src dim start end step
split_copy: self split_size dim
split_with_sizes_copy: self split_sizes dim
squeeze_copy: self dim
stack: tensors dim
sub: self other alpha
sum: self dim keepdim dtype
sym_size: self dim
topk: self k dim largest sorted
transpose_copy: self dim0 dim1
tril: self diagonal
unbind_copy: self dim
unfold_copy: self dimension size step
unsqueeze_copy: self dim
upsample_bilinear2d: input output_size align_corners scale_factors
upsample_nearest2d: input output_size scale_factors
var.out: self dim unbiased keepdim
var: self dim correction keepdim
var_mean: self dim correction keepdim
view_copy: self size
where: condition self other
`;

let rows: ReadonlyMap<string, readonly string[]> | undefined;

const bare = /^(?:aten|quantized_decomposed|dim_order_ops)::/;

/** Names in order of an operator's arguments, without the outputs; [] for one that is not listed. */
export function argumentNames(name: string, overload: string): readonly string[] {
  rows ??= new Map(
    table
      .trim()
      .split("\n")
      .map((line) => {
        const [key = "", names = ""] = line.split(/: /);
        return [key, names.split(" ")] as const;
      }),
  );
  const key = name.replace(bare, "");
  return rows.get(`${key}.${overload}`) ?? rows.get(key) ?? [];
}
