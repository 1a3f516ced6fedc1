/** Families whose makers (or Mesa) ship a TFLite delegate, by the catalogue's routes, and what each delegate has to be told. */

export interface DelegatedFamily {
  /** Names of its delegate's library, as the catalogue has them; none where the catalogue names none. */
  readonly libraries: readonly string[];
  /** Full paths outside of the loader's directories. */
  readonly paths?: readonly string[];
  /** Options it is given unless the caller says otherwise, from its own documentation. */
  readonly options?: Readonly<Record<string, string>>;
  /** The only formats it takes, where plain TFLite is left to the CPU as a whole: id and who compiles to it. */
  readonly only?: { readonly format: string; readonly compiler: string };
}

const teflon = ["/usr/lib/teflon/libteflon.so", "/usr/lib64/libteflon.so"];

export const delegatedFamilies: Readonly<Record<string, DelegatedFamily>> = {
  coral: {
    libraries: ["libedgetpu.so.1"],
    only: { format: "edgetpu-tflite", compiler: "edgetpu_compiler" },
  },
  // https://github.com/ARM-software/armnn/blob/main/delegate/DelegateQuickStartGuide.md: backends in the order of preference.
  "ethos-n": { libraries: [], options: { backends: "EthosNAcc" } },
  "ethos-u": { libraries: ["libethosu_delegate.so", "libteflon.so"], paths: teflon },
  mediatek: { libraries: [] },
  "nxp-neutron": {
    libraries: ["libneutron_delegate.so"],
    only: { format: "neutron-tflite", compiler: "neutron-converter" },
  },
  rockchip: { libraries: ["libteflon.so"], paths: teflon },
  "ti-tidl": { libraries: ["libtidl_tfl_delegate.so"] },
  verisilicon: { libraries: ["libteflon.so", "libvx_delegate.so"], paths: teflon },
};
